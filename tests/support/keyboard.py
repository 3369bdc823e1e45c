"""What xterm sends for the keys of its keyboard."""

_MODIFIERS = {"shift": 1, "meta": 2, "ctrl": 4}
_LETTERS = {"up": "A", "down": "B", "right": "C", "left": "D", "home": "H", "end": "F"}
_LETTERS |= {"f1": "P", "f2": "Q", "f3": "R", "f4": "S"}
_NUMBERS = {"insert": 2, "delete": 3, "page up": 5, "page down": 6, "f5": 15, "f6": 17, "f7": 18, "f8": 19}
_NUMBERS |= {"f9": 20, "f10": 21, "f11": 23, "f12": 24}
_PLAIN = {"enter": "\r", "tab": "\t", "esc": "\x1b", "backspace": "\x7f", "space": " ", "shift tab": "\x1b[Z"}
_PLAIN |= {"ctrl space": "\0", "ctrl _": "\x1f", "ctrl \\": "\x1c", "ctrl ]": "\x1d", "ctrl ^": "\x1e"}


def sequence(key: str) -> bytes:
    """The bytes for a key, which is named as urwid names it: `ctrl n`, `meta 1`, `shift up`, `page up`."""
    if key in _PLAIN:
        return _PLAIN[key].encode()
    *modifiers, name = key.replace("page ", "page_").split(" ")
    name = name.replace("_", " ") if len(name) > 1 else name
    number = 1 + sum(_MODIFIERS[modifier] for modifier in modifiers)
    if name in _LETTERS:
        introducer = "\x1bO" if name[0] == "f" else "\x1b["
        return (f"\x1b[1;{number}{_LETTERS[name]}" if modifiers else f"{introducer}{_LETTERS[name]}").encode()
    if name in _NUMBERS:
        return f"\x1b[{_NUMBERS[name]}{f';{number}' if modifiers else ''}~".encode()
    if modifiers[:1] == ["meta"]:
        return b"\x1b" + sequence(" ".join((*modifiers[1:], name)))
    if modifiers == ["ctrl"] and len(name) == 1 and name.isascii() and name.isalpha():
        return bytes([ord(name.upper()) - 64])
    if not modifiers and len(name) == 1:
        return name.encode()
    raise ValueError(f"there is no such key: {key}")
