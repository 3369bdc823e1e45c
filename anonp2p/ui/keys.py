"""Keys and pastes, from the text and the sequences that a terminal sends. No I/O and no clock: times are passed in."""

import re
from math import inf
from typing import Final

from urwid.display.escape import process_keyqueue

from anonp2p import limits
from anonp2p.ui.sequences import Key, RawText, Sequences, Token

PASTE: Final = "paste "  # a key that begins with this is a whole paste, which follows

_REST_OF_SEQUENCE = re.compile(  # what terminals send, without its ESC: people do not type that fast
    rb"\[[<-?0-9][0-;]*\$?[A-Za-z~]|\[[A-DFHIO]\Z|\[M|\]\d+;|P[01>!]|_G"
)


class Keys:
    """What is typed and pasted, from what a terminal sends.

    A paste is one key, once its end has come. One that breaks off ends after a pause, or by Esc or Ctrl-C. For a while
    the rest of it may follow: of what comes in one piece then, a line break is a key only if nothing follows it.
    """

    _paste: list[str] | None
    _length: int  # characters of it
    _is_rest: bool  # whether it is what follows one that broke off
    _rest_until: float  # until when such a rest may come
    _breaks: str  # line breaks at which a paste broke off
    _enter_at: float | None  # when a line break in the rest is Enter, if nothing follows until then

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Drops what is unfinished, and keeps nothing of what was typed."""
        self._sequences = Sequences()
        self._found: list[Key] = []
        self._heard = 0.0  # when the last bytes came
        self._escaped = -inf  # when Esc was pressed last, as it seemed
        self._end_paste()

    @property
    def deadline(self) -> float | None:
        """When to call `expire`, if nothing is fed until then."""
        times = []
        if self._sequences.is_pending:
            times.append(self._heard + (limits.ESCAPE if self._sequences.escapes else limits.SEQUENCE))
        if self._paste is not None:
            times.append(self._heard + limits.PASTE_PAUSE)
        if self._enter_at is not None:
            times.append(self._enter_at)
        return min(times, default=None)

    def feed(self, data: bytes, now: float) -> list[Key]:
        """The keys that are complete with these bytes. now: seconds, of any clock that does not go back."""
        if now < self._escaped + limits.SEQUENCE and _REST_OF_SEQUENCE.match(data):
            data = b"\x1b" + data
        self._escaped = -inf
        self._heard = now
        if self._paste is not None and data and not data.strip(b"\x03"):  # Ctrl-C and nothing else
            self._sequences.clear()
            self._break_off(now)
        else:
            self._take_tokens(self._sequences.feed(data), now)
        return self._give_found()

    def _give_found(self) -> list[Key]:
        """The keys found. What was typed is not held here until the next key."""
        found, self._found = self._found, []
        return found

    def _take_tokens(self, tokens: list[Token], now: float) -> None:
        texts = "".join(token.text for token in tokens if isinstance(token, RawText))
        if self._paste is None and now < self._rest_until and texts:
            if len(texts) > 1 or self._enter_at is not None or texts in "\r\n":
                self._collect_rest(tokens, now)
                return
            self._breaks = ""
        for token in tokens:
            self._take(token)

    def expire(self, now: float) -> list[Key]:
        """The keys that are complete as nothing has followed until now."""
        pause = now - self._heard
        if (escapes := self._sequences.escapes) and pause >= limits.ESCAPE:
            self._sequences.clear()
            self._escaped = now
            if self._paste is not None:
                self._break_off(now)
            else:
                self._found += ["esc"] * escapes
        if self._sequences.is_pending and pause >= limits.SEQUENCE:
            self._sequences.clear()
        if self._paste is not None and pause >= limits.PASTE_PAUSE:
            self._break_off(now)
        if self._enter_at is not None and now >= self._enter_at:
            self._enter_at = None
            self._breaks = ""
            self._found.append("enter")
        return self._give_found()

    def _take(self, token: Token) -> None:
        if isinstance(token, tuple) and token[0] == "private mode report":
            self._found.append(token)
        elif token == _BEGIN:
            if self._paste is None or self._is_rest:
                self._give_paste()
                self._paste = []
        elif token == _END:
            self._give_paste()
        elif self._paste is not None:
            self._collect(token)
        elif isinstance(token, RawText):
            self._found += [_CONTROLS.get(character, character) for character in token.text if character != "\0"]
        else:
            self._found.append(token)

    # --- pastes

    def _collect(self, token: Token) -> None:
        """Text of a paste. Sequences are none, but for a character after ESC."""
        assert self._paste is not None
        text = token.text if isinstance(token, RawText) else ""
        if isinstance(token, str) and token.startswith("meta "):
            name = token.removeprefix("meta ")
            text = name if len(name) == 1 else _PASTED.get(name, "")
        room = limits.INPUT_LINE + 1 - self._length  # one more than fits, so that it is told
        if text and room > 0:
            self._paste.append(text[:room])
            self._length += len(text[:room])

    def _collect_rest(self, tokens: list[Token], now: float) -> None:
        """The rest of a paste that has broken off, as it seems; or a line typed so fast that it came in one piece."""
        self._paste = [self._breaks]
        self._is_rest = True
        for token in tokens:
            self._take(token)
        if self._is_rest:
            is_typed = "".join(self._paste) in ("\r", "\n")
            self._break_off(now)
            self._enter_at = now + (limits.ESCAPE if is_typed else limits.PASTE_PAUSE) if self._breaks else None

    def _break_off(self, now: float) -> None:
        """What has come of a paste is given; line breaks at its end only if more follows."""
        text = "".join(self._paste or ())
        whole = text.rstrip("\r\n")
        self._paste = [whole]
        self._give_paste()
        self._breaks = text[len(whole) :]
        self._rest_until = now + limits.PASTE_REST

    def _give_paste(self) -> None:
        if text := "".join(self._paste or ()):
            self._found.append(PASTE + text)
        self._end_paste()

    def _end_paste(self) -> None:
        self._paste = None
        self._length = 0
        self._is_rest = False
        self._rest_until = -inf
        self._breaks = ""
        self._enter_at = None


_BEGIN, _END = "begin paste", "end paste"
_CONTROLS = {chr(code): str(process_keyqueue([code], more_available=False)[0][0]) for code in (*range(1, 32), 0x7F)}
_PASTED = {"enter": "\n", "tab": "\t"}
