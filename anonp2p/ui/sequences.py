"""Bytes from a terminal -> text and key sequences. What a terminal says for itself is no key, whenever it arrives.

A terminal answers questions that we did not ask: those of the program before this one, too late, and it reports its
window, its mouse, its clipboard. All of that is control sequences and control strings (ECMA-48, clauses 5.4 and 5.6):
they are recognized by their grammar, not by a list, and dropped as they come. No I/O.
"""

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from urwid.display.escape import process_keyqueue

Key = str | tuple[Any, ...]  # a key as urwid names it, a paste, or urwid's mouse events and private mode reports

_BEL, _CAN, _SUB, _ESC, _DEL, _ST = 0x07, 0x18, 0x1A, 0x1B, 0x7F, 0x9C
_LONGEST = 64  # bytes of a control sequence that may be a key; urwid names no longer one either

_CHARACTER = (
    rb"[\xc3-\xdf][\x80-\xbf]|\xc2[\xa0-\xbf]"
    rb"|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]"
    rb"|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2}"
)
_TEXT = re.compile(rb"(?:[^\x1b\x80-\xff]|" + _CHARACTER + rb")+")  # well-formed UTF-8 without ESC and C1 controls
_C1 = re.compile(rb"\xc2?([\x80-\x9f])")
_STRING_END = re.compile(rb"[\x07\x18\x1a\x1b\x9c]")
_SHORT_OF_RXVT = re.compile(rb"\x1b+\[[235678]\$")  # rxvt's Shift-Insert and others, which end in an intermediate byte
_COORDINATE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|.", re.DOTALL)  # of a mouse report, in UTF-8 in mode 1005


@dataclass(frozen=True, slots=True, repr=False)
class RawText:
    """Characters as they were typed or pasted, controls among them."""

    text: str


Token = RawText | Key


class _State(Enum):
    TEXT = auto()
    CHARACTER = auto()  # of several bytes, of which some are there
    ESCAPE = auto()
    CONTROL = auto()  # a control sequence: after ESC [
    SINGLE = auto()  # a key after ESC O
    MOUSE = auto()  # three characters after ESC [ M
    STRING = auto()  # a control string: after ESC and one of ] P X ^ _
    STRING_END = auto()  # after ESC in a string: its end, or another sequence as the string was cut off


class Sequences:
    """Cuts bytes into text and key sequences, and drops all other sequences. Keeps a few bytes at most."""

    def __init__(self) -> None:
        self._found: list[Token] = []  # while bytes are being cut: what is complete
        self.clear()

    def clear(self) -> None:
        """Drops what is unfinished."""
        self._state = _State.TEXT
        self._held = bytearray()  # of a sequence, from its first ESC on; or of a character
        self._is_junk = False  # whether the sequence is too long for any key
        self._last = 0  # byte of a string

    @property
    def is_pending(self) -> bool:
        """Whether a sequence is unfinished, in which other bytes could be lost: so it is not for a character."""
        return self._state not in (_State.TEXT, _State.CHARACTER)

    @property
    def escapes(self) -> int:
        """How many ESC are there that nothing has followed."""
        return len(self._held) if self._state is _State.ESCAPE else 0

    def feed(self, data: bytes) -> list[Token]:
        """What is complete with these bytes."""
        found: list[Token] = []
        self._found = found
        at = 0
        while at < len(data):
            if self._state is _State.TEXT:
                at = self._read_text(data, at)
            elif self._state is _State.STRING:
                at = self._skip_string(data, at)
            elif self._take(data[at]):
                at += 1
        self._found = []  # what was typed is not held here until the next key
        return found

    def _read_text(self, data: bytes, at: int) -> int:
        if run := _TEXT.match(data, at):
            self._found.append(RawText(run[0].decode()))
            return run.end()
        if data[at] == _ESC:
            self._begin()
        elif control := _C1.match(data, at):
            self._take_c1(control[1][0])
            return control.end()
        elif _length(data[at]):
            self._held.append(data[at])
            self._state = _State.CHARACTER
        return at + 1

    def _skip_string(self, data: bytes, at: int) -> int:
        while end := _STRING_END.search(data, at):
            byte = data[end.start()]
            before = data[end.start() - 1] if end.start() else self._last
            at = end.end()
            if byte == _ESC:
                self._state = _State.STRING_END
                return at
            if byte != _ST or before < 0x80 or before == 0xC2:  # else it is part of a character
                self.clear()
                return at
        self._last = data[-1]
        return len(data)

    def _begin(self) -> None:
        self.clear()
        self._held.append(_ESC)
        self._state = _State.ESCAPE

    def _take_c1(self, control: int) -> None:
        """An 8-bit control: the same as ESC and another byte, where that begins a sequence."""
        if control - 0x40 in b"[O]PX^_":
            self._begin()
            self._introduce(control - 0x40)

    def _introduce(self, kind: int) -> None:
        if kind in b"[O":
            self._held.append(kind)
            self._state = _State.CONTROL if kind == ord("[") else _State.SINGLE
        else:
            self._drop_escapes(len(self._held) - 1)
            self._last = 0
            self._state = _State.STRING

    def _take(self, byte: int) -> bool:
        """Goes on with what is unfinished. False if this byte is not part of it."""
        match self._state:
            case _State.ESCAPE:
                return self._take_after_escape(byte)
            case _State.CHARACTER:
                return self._take_in_character(byte)
            case _State.STRING_END:
                return self._take_after_string(byte)
        if byte == _ESC:
            self._begin()
            return True
        if byte in (_CAN, _SUB):
            self.clear()
            return True
        if self._state is _State.MOUSE:
            return self._take_in_mouse_report(byte)
        if not 0x20 <= byte < _DEL:
            self.clear()
            return False
        return self._take_in_control(byte) if self._state is _State.CONTROL else self._take_in_single(byte)

    def _take_after_escape(self, byte: int) -> bool:
        if byte == _ESC:
            if len(self._held) == 2:
                self._found.append("esc")
            else:
                self._held.append(byte)
        elif byte in b"[O]PX^_":
            self._introduce(byte)
        elif byte < 0x80:
            self._held.append(byte)
            self._complete()
        elif _length(byte):
            self._held.append(byte)
            self._state = _State.CHARACTER
        else:
            self._drop_escapes(len(self._held))
            return False
        return True

    def _take_after_string(self, byte: int) -> bool:
        if byte == _ESC:
            return True
        self.clear()
        if byte in b"[O]PX^_":
            self._begin()
            self._introduce(byte)
        return byte < 0x80

    def _drop_escapes(self, count: int) -> None:
        self._found += ["esc"] * count
        self.clear()

    def _take_in_character(self, byte: int) -> bool:
        if not 0x80 <= byte < 0xC0:
            self.clear()
            return False
        self._held.append(byte)
        data = bytes(self._held).lstrip(b"\x1b")
        if len(data) == _length(data[0]):
            is_meta = self._held[0] == _ESC
            self.clear()
            if re.fullmatch(_CHARACTER, data):
                self._found.append(f"meta {data.decode()}" if is_meta else RawText(data.decode()))
            elif control := _C1.fullmatch(data):
                self._take_c1(control[1][0])
        return True

    def _take_in_control(self, byte: int) -> bool:
        is_final = byte >= 0x40
        if is_final or len(self._held) < _LONGEST:
            self._held.append(byte)
        else:
            self._is_junk = True
        if self._held.endswith(b"\x1b[M"):
            self._state = _State.MOUSE
        elif self._held.endswith(b"\x1b[["):
            pass  # the Linux console's F1 to F5: another byte follows
        elif is_final or _SHORT_OF_RXVT.fullmatch(self._held):
            self._complete()
        return True

    def _take_in_single(self, byte: int) -> bool:
        self._held.append(byte)
        if byte not in b"0123456789;" or len(self._held) > _LONGEST:
            self._complete()
        return True

    def _take_in_mouse_report(self, byte: int) -> bool:
        if 0 < byte < 0x20:  # numbers begin at 32; xterm writes 0 for what is too far away
            self.clear()
            return False
        start = self._held.index(b"M") + 1
        known = len(_COORDINATE.findall(self._held, start))
        if known == 3 and not 0x80 <= byte < 0xC0:
            self._complete()
            return False
        self._held.append(byte)
        numbers = _COORDINATE.findall(self._held, start)
        if len(numbers) == 3 and not 0xC2 <= numbers[-1][0] < 0xE0:
            self._complete()
        elif known == 3:
            self.clear()  # mode 1005, which we never ask for
        return True

    def _complete(self) -> None:
        """The sequence has its last byte: a key is found, if it is one."""
        held, state, is_junk = list(self._held), self._state, self._is_junk
        self.clear()
        if is_junk or (state is _State.CONTROL and ord(":") in held):  # which tells of keys more than was asked for
            return
        keys, rest = process_keyqueue(held, more_available=False)
        if not rest:
            self._found += [key for key in keys if _is_of_use(key, state)]


def _length(byte: int) -> int:
    """How many bytes a character has that begins with this one; 0 if none does."""
    return 2 if 0xC2 <= byte < 0xE0 else 3 if 0xE0 <= byte < 0xF0 else 4 if 0xF0 <= byte < 0xF5 else 0


def _is_of_use(key: Key, state: _State) -> bool:
    if isinstance(key, tuple):
        return key[0] == "private mode report" or " mouse" in f" {key[0]}"
    if state is _State.CONTROL and len(key) == 1:
        return False  # text comes as itself, from any keyboard protocol that we asked for
    return key != "status ok" and not key.startswith("<")
