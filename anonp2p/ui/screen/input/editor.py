"""The input line of the full screen: it has several rows, the keys of readline, and the texts sent before."""

import re
import unicodedata
from collections import deque
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Any

import urwid
from urwid.str_util import move_next_char, move_prev_char

from anonp2p import limits
from anonp2p.ui import sanitize
from anonp2p.ui.keys import PASTE
from anonp2p.ui.screen import rows
from anonp2p.ui.screen.input.drafts import Draft, EditBuffer
from anonp2p.ui.widths import continues, width, wrap

_ESCAPE = re.compile(r"\\ud[89ab]..\\u....|\\u....")  # one character, as `sanitize.escape_json` writes it

# Keys of other names for what urwid's own widget, or we, do by these.
_SAME = {
    "ctrl b": "left",
    "home": "ctrl a",
    "end": "ctrl e",
    "ctrl left": "meta b",
    "meta left": "meta b",
    "ctrl right": "meta f",
    "meta right": "meta f",
    "ctrl h": "backspace",
    "ctrl d": "delete",
    "meta enter": "\n",
}
_MOVES = frozenset(("left", "right", "meta b", "meta f", "ctrl a", "ctrl e"))
_KILLS_FORWARD = frozenset(("meta d", "ctrl k"))
_KILLING = _KILLS_FORWARD | {"meta backspace", "ctrl w", "ctrl u"}
_OTHERS = frozenset(("up", "down", "backspace", "delete", "ctrl y", "meta y", "ctrl t", "ctrl _"))
_OURS = _MOVES | _KILLING | _OTHERS
_NOT_WHEN_EMPTY = frozenset(("home", "end", "ctrl d"))  # then of use to the owner


def _keys() -> urwid.CommandMap:
    keys = urwid.CommandMap()
    keys.bind_readline()
    return keys


class _Layout(urwid.TextLayout):
    """Breaks and measures the text as everything else on the screen: urwid's own widths are those of one terminal.

    caption: how long what the text begins with is, in which no line is broken.
    """

    def __init__(self, caption: Callable[[], int]) -> None:
        self._caption = caption

    def layout(self, text: Any, width: int, align: Any, wrap: Any) -> Any:
        """The rows, as urwid describes them."""
        length = self._caption()
        return _segments(text[:length].replace(" ", "\u00a0") + text[length:], width)


def _segments(text: str, columns: int) -> list[list[tuple[int, ...]]]:
    """For each row what stands by itself in it (columns, start, end), and its end (0, end) where the cursor can be."""
    lines: list[list[tuple[int, ...]]] = []
    spans = wrap(text, columns)
    for number, (start, end) in enumerate(spans, 1):
        line: list[tuple[int, ...]] = []
        at = start
        for stop in range(start + 1, end + 1):
            if stop < end and (continues(text[stop - 1], text[stop]) or text[at : stop + 1].isascii()):
                continue
            wide = width(text[at:stop])
            if wide:
                line.append((wide, at, stop))
                at = stop
        if number == len(spans) or spans[number][0] != end:
            line.append((0, end))
        lines.append(line)
    return lines


class Editor(urwid.Edit):
    """The input line. Takes the keys that edit, and returns all others: Enter, Tab, Escape, Page Up...

    Change what it holds by its own methods only: `set_edit_text` knows nothing of undo.

    on_full: called when some of what was typed or pasted did not fit.
    """

    _command_map = _keys()

    def __init__(
        self,
        caption: Any = "",
        on_full: Callable[[], None] = lambda: None,
    ) -> None:
        self._displayed = ("", "")  # a text, and what is shown for it
        self._draft = Draft()
        self._kills: deque[str] = deque(maxlen=limits.KILLS)
        self._on_full = on_full
        self._run = ""  # what the last key did, where it matters to the next one
        self._yanked = (0, 0)  # from where to where
        super().__init__(caption, layout=_Layout(lambda: len(self.caption)))

    # What the owner does.

    @property
    def draft(self) -> Draft:
        """The draft that is edited. What is sent goes into its history."""
        return self._draft

    def swap(self, draft: Draft) -> Draft:
        """Edits another room's draft; returns the one so far."""
        self._park()
        before, self._draft = self._draft, draft
        self._show()
        return before

    def take(self) -> str:
        """Takes the text out, to be sent. What stays is empty; or the draft, if the text was one sent before."""
        text: str = self.edit_text
        if self._draft.at is None:
            self._draft.own = EditBuffer()
        self._draft.at = None
        self._draft.history.restore()
        self._show()
        return text

    def cut(self) -> None:
        """Takes out all that is typed; it can be yanked."""
        if text := self.edit_text:
            self._kills.append(text)
            with self._step("kill"):
                self.set_edit_text("", edit_pos=0)

    def clear(self) -> None:
        """Forgets what is typed and what could be undone, and restores what was sent."""
        self._draft.own = EditBuffer()
        self._draft.at = None
        self._draft.history.restore()
        self._show()

    def replace(self, text: str, cursor: int) -> None:
        """Replaces the text, as by completion; one step to undo, together with those right before it."""
        if len(text.encode()) > limits.INPUT_LINE:
            self._on_full()
            return
        with self._step("replace", joined=self._run == "replace"):
            self.set_edit_text(text, edit_pos=cursor)

    def paste(self, text: str) -> None:
        """Inserts a text as it is, without controls and the line breaks it ends with."""
        lines = text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n")
        with self._step("paste"):
            self._insert("".join(character for character in lines if character in "\n\t" or self.valid_char(character)))

    def forget_kills(self) -> None:
        """Forgets what could be yanked, in all rooms."""
        self._kills.clear()
        self._run = ""

    def rows_wanted(self, width: int) -> int:
        """How many rows the whole text takes."""
        return self.rows((width,))

    # What urwid asks.

    def set_edit_text(self, text: str, *, edit_pos: int | None = None) -> None:
        """Sets the text. Not for the owner."""
        super().set_edit_text(text, edit_pos=edit_pos)

    def valid_char(self, ch: str) -> bool:
        """Whether the key is a character, and no control."""
        return len(ch) == 1 and unicodedata.category(ch) not in ("Cc", "Cs")

    def get_text(self) -> tuple[str, list[tuple[Hashable, int]]]:
        """What is shown: the text, sanitized without changing its length. The caption stays as the owner gave it."""
        if self._displayed[0] != self.edit_text:
            self._displayed = (self.edit_text, _sanitized(self.edit_text))
        return str(self.caption) + self._displayed[1], super().get_text()[1]

    def render(self, size: tuple[int], focus: bool = False) -> urwid.TextCanvas:  # type: ignore[override]
        """What urwid shows."""
        columns = size[0]
        text, styles = self.get_text()
        looks: list[tuple[Any, int]] = [("" if style is None else style, run) for style, run in styles]
        looks.append(("", len(text)))  # where no style is given
        drawn = []
        for line in self.get_line_translation(columns):
            places = [at for _, *span in line for at in span if isinstance(at, int)]
            drawn.append(rows.fit(_styled(text, min(places), max(places), looks), columns) if places else [])
        return rows.canvas(drawn, columns, self.get_cursor_coords(size) if focus else None)

    def keypress(self, size: tuple[int], key: str) -> str | None:  # type: ignore[override]
        """Does what the key is for, or returns it."""
        if key.startswith(PASTE):
            self.paste(key.removeprefix(PASTE))
            return None
        if key in _NOT_WHEN_EMPTY and not self.edit_text:
            return key
        same = _SAME.get(key, key)
        if same not in _OURS and same != "\n" and not self.valid_char(same):
            return key
        run, self._run = self._run, ""
        match same:
            case "up" | "down":
                self._vertical(size, same)
            case "backspace" | "delete":
                with self._step(same, joined=run == same):
                    super().keypress(size, same)
            case "ctrl y":
                self._yank_last()
            case "meta y":
                if run == "yank" and self._kills:
                    self._yank_other()
            case "ctrl t":
                self._transpose()
            case "ctrl _":
                self._undo()
            case _ if same in _MOVES:
                super().keypress(size, same)
            case _ if same in _KILLING:
                self._kill_span(size, same, joined=run == "kill")
            case _:
                begins_word = self.edit_text[: self.edit_pos][-1:].isspace() and not same.isspace()
                with self._step("type", joined=run == "type" and not begins_word):
                    self._insert(same)
        return None

    # What keys do.

    @contextmanager
    def _step(self, run: str, *, joined: bool = False) -> Iterator[None]:
        """Makes what is done within it one step to undo; joined: together with the step before."""
        before = (self.edit_text, self.edit_pos)
        yield
        self._run = run
        if self.edit_text != before[0] and not joined:
            self._draft.buffer.undo.append(before)

    def _insert(self, text: str) -> None:
        room = max(limits.INPUT_LINE - len(self.edit_text.encode()), 0)
        fitting = text.encode()[:room].decode(errors="ignore")
        if fitting:
            self.insert_text(fitting)
        if fitting != text:
            self._on_full()

    def _undo(self) -> None:
        if self._draft.buffer.undo:
            text, cursor = self._draft.buffer.undo.pop()
            self.set_edit_text(text, edit_pos=cursor)

    def _kill_span(self, size: tuple[int], key: str, *, joined: bool) -> None:
        text, at = self.edit_text, self.edit_pos
        with self._step("kill"):
            if key == "ctrl k" and text[at : at + 1] == "\n":
                super().keypress(size, "delete")
            elif key == "ctrl u" and text[:at].endswith("\n"):
                super().keypress(size, "backspace")
            else:
                super().keypress(size, key)
        length = len(text) - len(self.edit_text)
        if not length:
            self._run = "kill" if joined else ""
            return
        if not joined or not self._kills:
            self._kills.append("")
        if key in _KILLS_FORWARD:
            self._kills[-1] += text[at : at + length]
        else:
            self._kills[-1] = text[at - length : at] + self._kills[-1]

    def _yank_last(self) -> None:
        if not self._kills:
            return
        at, length = self.edit_pos, len(self.edit_text)
        with self._step("yank"):
            self._insert(self._kills[-1])
        self._yanked = (at, at + len(self.edit_text) - length)

    def _yank_other(self) -> None:
        """Replaces what was just yanked by what was killed before that."""
        start, end = self._yanked
        self._kills.rotate()
        with self._step("yank"):
            self.set_edit_text(self.edit_text[:start] + self.edit_text[end:], edit_pos=start)
            at, length = self.edit_pos, len(self.edit_text)
            self._insert(self._kills[-1])
        self._yanked = (at, at + len(self.edit_text) - length)

    def _transpose(self) -> None:
        text, at = self.edit_text, self.edit_pos
        if text[at : at + 1] in ("", "\n"):
            at = move_prev_char(text, 0, at) if at else 0
        if not at:
            return
        start, end = move_prev_char(text, 0, at), move_next_char(text, at, len(text))
        if "\n" not in text[start:end]:
            with self._step(""):
                self.set_edit_text(text[:start] + text[at:end] + text[start:at] + text[end:], edit_pos=end)

    def _vertical(self, size: tuple[int], key: str) -> None:
        """Moves a row up or down; from the first or the last one to the text sent before or after."""
        if super().keypress(size, key) is None:
            return
        draft = self._draft
        entry = draft.history.before(draft.at) if key == "up" else draft.at and draft.history.after(draft.at)
        if entry is None and (key == "up" or draft.at is None):
            return
        self._park()
        draft.at = entry
        self._show()

    def _park(self) -> None:
        buffer = self._draft.buffer
        buffer.text, buffer.cursor = self.edit_text, self.edit_pos

    def _show(self) -> None:
        self._run = ""
        self.set_edit_text(self._draft.buffer.text, edit_pos=self._draft.buffer.cursor)


def _styled(text: str, start: int, end: int, looks: list[tuple[Any, int]]) -> rows.Row:
    """A part of a text whose styles are given by their lengths."""
    row: rows.Row = []
    at = 0
    for style, run in looks:
        if part := text[max(start, at) : min(end, at + run)]:
            row.append((style, part))
        at += run
    return row


def _sanitized(text: str) -> str:
    """The text, sanitized without changing its length."""
    if text.isascii() and text.isprintable():
        return text
    shown = _masked(text)
    while (again := _masked(shown)) != shown:  # what was joined by something that is left out is apart now
        shown = again
    return shown


def _masked(text: str) -> str:
    """The text, each character that `sanitize.sanitize_text` does not let through replaced by one that it does."""
    # A backslash of the text would look like one of an escape. Nothing else depends on which punctuation it is.
    escaped = sanitize.escape_json(text.replace("\\", "/"))
    shown = zip(text, _ESCAPE.sub("\ufffd", escaped), strict=True)
    kept = {"\n": "\n", "\t": " ", "\\": "\\"}
    return "".join(kept.get(character, instead) for character, instead in shown)
