"""The input line of line mode on a terminal: its text, its keys, what was typed before. No I/O.

It is one row at the foot of the screen, drawn anew below whatever is printed; a text that is longer than the row moves
along in it.
"""

import unicodedata
from collections import deque

from anonp2p import limits
from anonp2p.names import codes
from anonp2p.ui.commands import is_offer
from anonp2p.ui.completion import Completer, Known
from anonp2p.ui.keys import PASTE
from anonp2p.ui.widths import width

_LINE_BREAK = "⏎"  # stands for one in the row
_SAME = {
    "ctrl b": "left",
    "ctrl f": "right",
    "ctrl a": "home",
    "ctrl e": "end",
    "ctrl h": "backspace",
    "ctrl p": "up",
    "ctrl n": "down",
    "ctrl left": "meta b",
    "meta left": "meta b",
    "ctrl right": "meta f",
    "meta right": "meta f",
    "meta backspace": "ctrl w",
    "ctrl j": "enter",
}


class InputLine:
    """A text being typed, with a cursor in it. prompt: what stands before it."""

    def __init__(self) -> None:
        self.prompt = "> "
        self.text = ""
        self.cursor = 0
        self._completer = Completer()
        self._sent: deque[str] = deque(maxlen=limits.SENT_TEXTS)
        self._at = 0  # how many texts back the one shown was sent
        self._draft = ""  # what is typed, while a text sent before is shown
        self._killed = ""

    # --- texts sent before

    def note_sent(self, text: str) -> None:
        """A text can be brought back from now on."""
        if text and (not self._sent or self._sent[-1] != text):
            self._sent.append(text)

    def forget_sent(self, text: str) -> None:
        """A text has ended, and cannot be brought back, with or without a command before it."""
        kept = (one for one in self._sent if one != text and not one.endswith(f" {text}"))
        self._sent = deque(kept, maxlen=limits.SENT_TEXTS)
        self._at = min(self._at, len(self._sent))

    def forget_joins(self) -> None:
        """No code of a room can be brought back."""
        kept = (one for one in self._sent if not (one.lstrip().startswith("/join") or codes.is_meant(one)))
        self._sent = deque(kept, maxlen=limits.SENT_TEXTS)
        self._at = min(self._at, len(self._sent))

    def forget_offers(self) -> None:
        """No path of a file that was to be offered can be brought back."""
        kept = (one for one in self._sent if not is_offer(one))
        self._sent = deque(kept, maxlen=limits.SENT_TEXTS)
        self._at = min(self._at, len(self._sent))

    def forget_all(self) -> None:
        """Nothing that was sent or cut can be brought back."""
        self._sent.clear()
        self._at, self._killed = 0, ""

    def begin(self, text: str) -> None:
        """Begins a line for the user, who may go on with it, unless there is one."""
        if not self.text:
            self._set(text)

    # --- keys

    def press_key(self, key: str, known: Known) -> str | None:
        """Does what the key is for. Returns the text once it is entered; the line is empty then."""
        key = _SAME.get(key, key)
        if key not in ("tab", "shift tab"):
            self._completer.end()
        match key:
            case "enter":
                text, self._at = self.text, 0
                self._set("")
                return text
            case "tab" | "shift tab":
                self._complete(known, forward=key == "tab")
            case "up" | "down":
                self._recall(1 if key == "up" else -1)
            case "left":
                self.cursor = max(0, self.cursor - 1)
            case "right":
                self.cursor = min(len(self.text), self.cursor + 1)
            case "home":
                self.cursor = 0
            case "end":
                self.cursor = len(self.text)
            case "meta b":
                self.cursor = self._word_before()
            case "meta f":
                self.cursor = self._word_after()
            case "backspace":
                self._cut(max(0, self.cursor - 1), self.cursor)
            case "delete" | "ctrl d":
                self._cut(self.cursor, self.cursor + 1)
            case "ctrl u":
                self._killed = self._cut(0, self.cursor)
            case "ctrl k":
                self._killed = self._cut(self.cursor, len(self.text))
            case "ctrl w":
                self._killed = self._cut(self._word_before(), self.cursor)
            case "ctrl y":
                self._insert(self._killed)
            case _ if key.startswith(PASTE):
                self._paste(key.removeprefix(PASTE))
            case _ if key.startswith("meta ") and key[-1].isprintable() and len(key) == len("meta x"):
                self._insert(key[-1])  # Esc and a character in one piece, as over a slow link
            case _ if len(key) == 1 and unicodedata.category(key) not in ("Cc", "Cs"):
                self._insert(key)
        return None

    def _set(self, text: str) -> None:
        self.text, self.cursor = text, len(text)

    def _insert(self, text: str) -> None:
        room = max(0, limits.INPUT_LINE - len(self.text.encode()))
        fitting = text.encode()[:room].decode(errors="ignore")
        self.text = self.text[: self.cursor] + fitting + self.text[self.cursor :]
        self.cursor += len(fitting)

    def _paste(self, text: str) -> None:
        """Inserts it as it is, without controls and the line breaks it ends with."""
        lines = text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n")
        self._insert("".join(one for one in lines if one in "\n\t" or unicodedata.category(one) not in ("Cc", "Cs")))

    def _cut(self, start: int, end: int) -> str:
        cut = self.text[start:end]
        self.text, self.cursor = self.text[:start] + self.text[end:], start
        return cut

    def _word_before(self) -> int:
        head = self.text[: self.cursor].rstrip()
        return max(head.rfind(" "), head.rfind("\n")) + 1

    def _word_after(self) -> int:
        rest = self.text[self.cursor :]
        spaces = len(rest) - len(rest.lstrip())
        word = rest.lstrip().split(maxsplit=1)[:1] or [""]
        return self.cursor + spaces + len(word[0])

    def _recall(self, by: int) -> None:
        at = self._at + by
        if not 0 <= at <= len(self._sent):
            return
        if self._at == 0:
            self._draft = self.text
        self._at = at
        self._set(self._sent[-at] if at else self._draft)

    def _complete(self, known: Known, *, forward: bool) -> None:
        made = self._completer.press(self.text, self.cursor, known, forward=forward)
        if made:
            self.text, self.cursor = made

    # --- what is seen

    def draw(self, columns: int) -> tuple[str, int]:
        """The row in fewer than so many columns, so that no terminal breaks it; and the column of the cursor."""
        shown = "".join(map(_shown, self.text))
        free = max(1, columns - width(self.prompt) - 1)
        start = self.cursor
        while start and width(shown[start - 1 : self.cursor]) <= free - (self.cursor == len(shown)):
            start -= 1
        end = self.cursor
        while end < len(shown) and width(shown[start : end + 1]) <= free:
            end += 1
        return self.prompt + shown[start:end], width(self.prompt + shown[start : self.cursor])


def _shown(character: str) -> str:
    """What stands for a character in the row: nothing there may steer the terminal or reorder what stands beside it."""
    if character == "\n":
        return _LINE_BREAK
    if character == "\t":
        return " "
    return character if unicodedata.category(character)[0] in "LNPSZM" and character not in "\u2028\u2029" else "\ufffd"
