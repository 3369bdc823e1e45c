"""From bytes to keys: what a terminal says for itself, in pieces or among what is typed, and pastes that break off."""

import re
import sys
import unicodedata
from itertools import pairwise

import pytest
import urwid
from hypothesis import example, given
from hypothesis import strategies as st

from anonp2p import limits
from anonp2p.config import Config
from anonp2p.ui.keys import PASTE, Keys
from anonp2p.ui.screen.screen import Screen
from anonp2p.ui.screen.term.terminal import Terminal
from anonp2p.ui.sequences import Key
from tests.support import memory

START, END = b"\x1b[200~", b"\x1b[201~"
# What terminals say, and what of it is of use to us.
ANSWERS: dict[str, tuple[bytes, list[Key]]] = {
    "cursor position": (b"\x1b[24;80R", []),
    "cursor position, extended": (b"\x1b[?24;80;1R", []),
    "primary device attributes": (b"\x1b[?62;1;4;22c", []),
    "secondary device attributes": (b"\x1b[>0;276;0c", []),
    "tertiary device attributes": (b"\x1bP!|7E565445\x1b\\", []),
    "mode report": (b"\x1b[?2026;2$y", [("private mode report", "2026", 2)]),
    "ANSI mode report": (b"\x1b[4;2$y", []),
    "status": (b"\x1b[0n", []),
    "version": (b"\x1bP>|XTerm(390)\x1b\\", []),
    "setting": (b"\x1bP1$r0;1m\x1b\\", []),
    "terminfo": (b"\x1bP1+r544e=787465726d\x1b\\", []),
    "a colour": (b"\x1b]4;1;rgb:cdcd/0000/0000\x1b\\", []),
    "foreground": (b"\x1b]10;rgb:ffff/ffff/ffff\x07", []),
    "background": (b"\x1b]11;rgb:0000/0000/0000\x1b\\", []),
    "clipboard": (b"\x1b]52;c;L3F1aXQK\x07", []),
    "title": ("\x1b]lÜber „hello“\x1b\\".encode(), []),
    "graphics": (b"\x1b_Gi=31;OK\x1b\\", []),
    "privacy message": (b"\x1b^/quit\r\x1b\\", []),
    "start of string": (b"\x1bX/quit\r\x1b\\", []),
    "window size": (b"\x1b[8;24;80t", []),
    "window size in pixels": (b"\x1b[4;480;640t", []),
    "keyboard protocol": (b"\x1b[?1u", []),
    "modifier options": (b"\x1b[>4;2m", []),
    "colour scheme": (b"\x1b[?997;1n", []),
    "in-band size": (b"\x1b[48;24;80;480;640t", []),
    "focus given": (b"\x1b[I", ["focus in"]),
    "focus taken": (b"\x1b[O", ["focus out"]),
    "mouse": (b"\x1b[M !!", [("mouse press", 1, 0, 0)]),
    "mouse in column 26": (b"\x1b[M :!", [("mouse press", 1, 25, 0)]),
    "mouse, far away": (b"\x1b[M \xf0\xa0", [("mouse press", 1, 207, 127)]),
    "mouse in UTF-8": ("\x1b[M \u0120!".encode(), []),
    "mouse in decimals": (b"\x1b[<64;10;5M", [("mouse press", 4, 9, 4)]),
    "mouse of urxvt": (b"\x1b[32;10;5M", []),
    "a letter by number": (b"\x1b[97u", []),
    "another letter by number": (b"\x1b[27;2;65~", []),
    "a key let go": (b"\x1b[13;1:3u", []),
    "8-bit cursor position": (b"\x9b24;80R", []),
    "8-bit background": (b"\x9d11;rgb:0000/0000/0000\x9c", []),
    "8-bit version": (b"\x90>|XTerm(390)\x9c", []),
    "C1 in UTF-8": ("\x9b24;80R".encode(), []),
    "C1 string in UTF-8": ("\x9d11;rgb:0000/0000/0000\x9c".encode(), []),
    "a string cut off by another sequence": (b"\x1b]11;rgb:00\x1b[24;80R", []),
    "cancelled": (b"\x1b[24;\x18", []),
    "cancelled string": (b"\x1bP>|XT\x1a", []),
    "no sequence of any standard": (b"\x1b[1$2;<A", []),
    "too long for any key": (b"\x1b[" + b"1;" * 100 + b"A", []),
}
UNUSUAL = {"title", "privacy message", "start of string", "cancelled", "no sequence of any standard"}
KEYS = {
    b"a": ["a"],
    "日".encode(): ["日"],
    b"\r": ["enter"],
    b"\n": ["enter"],
    b"\t": ["tab"],
    b"\x7f": ["backspace"],
    b"\x08": ["backspace"],
    b"\x01": ["ctrl a"],
    b"\x1a": ["ctrl z"],
    b"\x1f": ["ctrl _"],
    b"\x00": [],
    b"\x1b[A": ["up"],
    b"\x1bOA": ["up"],
    b"\x1b[1;5C": ["ctrl right"],
    b"\x1b[5~": ["page up"],
    b"\x1b[3~": ["delete"],
    b"\x1b[Z": ["shift tab"],
    b"\x1bOP": ["f1"],
    b"\x1b[11~": ["f1"],
    b"\x1b[[A": ["f1"],
    b"\x1b[24~": ["f12"],
    b"\x1bO5P": ["ctrl f1"],
    b"\x1b[2$": ["shift insert"],
    b"\x1b[7^": ["meta home"],
    b"\x1bOa": ["meta up"],
    b"\x1bOM": ["enter"],
    b"\x1bOj": ["*"],
    b"\x1b[27u": ["esc"],
    b"\x1b[99;5u": ["ctrl c"],
    b"\x1b1": ["meta 1"],
    b"\x1b\r": ["meta enter"],
    b"\x1b\x7f": ["meta backspace"],
    b"\x1b\x1b[C": ["meta right"],
    "\x1b²".encode(): ["meta ²"],
    b"\x1b": ["esc"],
    b"\x1b\x1b": ["esc", "esc"],
    b"\xff": [],
    b"\xe2\x82a": ["a"],
    b"\xed\xa0\x80a": ["a"],
}


class Typist:
    """Feeds bytes at a time of its own, and expires what is due, as the terminal does."""

    def __init__(self) -> None:
        self.keys = Keys()
        self.now = 100.0
        self.got: list[Key] = []

    def wait(self, seconds: float) -> "Typist":
        until = self.now + seconds
        while (due := self.keys.deadline) is not None and due <= until:
            self.now = max(self.now, due)
            self.got += self.keys.expire(self.now)
            assert self.keys.deadline is None or self.keys.deadline > self.now
        self.now = until
        return self

    def feed(self, *pieces: bytes, pause: float = 0.0) -> "Typist":
        for piece in pieces:
            self.wait(pause)
            self.got += self.keys.feed(piece, self.now)
        return self

    def ends(self) -> list[Key]:
        """All keys, once nothing is expected any more."""
        self.wait(60)
        assert self.keys.deadline is None
        return self.got


def pasted(keys: list[Key]) -> str:
    """The texts of pastes, which are all that there is."""
    assert all(isinstance(key, str) and key.startswith(PASTE) for key in keys), keys
    return "".join(str(key).removeprefix(PASTE) for key in keys)


# --- what a terminal says


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_is_no_key_in_whatever_pieces_it_comes(name: str) -> None:
    answer, use = ANSWERS[name]
    assert Typist().feed(b"a", answer, b"b").ends() == ["a", *use, "b"]
    assert Typist().feed(answer * 3).ends() == use * 3
    for at in range(1, min(len(answer), 100)):
        for pause in (0, limits.ESCAPE * 0.9, limits.SEQUENCE * 0.9):
            if answer[:at] != b"\x1b" or pause < limits.ESCAPE:
                assert Typist().feed(answer[:at], answer[at:], b"b", pause=pause).ends() == [*use, "b"]
    single = [answer[at : at + 1] for at in range(min(len(answer), 100))]
    if len(single) == len(answer):
        assert Typist().feed(*single, b"b", pause=limits.ESCAPE * 0.9).ends() == [*use, "b"]


@pytest.mark.parametrize("name", sorted(ANSWERS.keys() - UNUSUAL))
def test_what_follows_an_escape_that_seemed_a_key_is_known_by_its_beginning(name: str) -> None:
    answer, use = ANSWERS[name]
    if answer[:1] == b"\x1b":
        assert Typist().feed(answer[:1], answer[1:], b"b", pause=limits.SEQUENCE * 0.9).ends() == ["esc", *use, "b"]


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_within_a_paste_is_no_part_of_it(name: str) -> None:
    answer, use = ANSWERS[name]
    reports = [key for key in use if key[0] == "private mode report"]
    for at in range(min(len(answer), 100)):
        got = Typist().feed(START + b"a" + answer[:at], answer[at:] + b"b" + END, b"c", pause=0.1).ends()
        assert got == [*reports, PASTE + "ab", "c"]


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_that_breaks_off_swallows_nothing_after_a_pause(name: str) -> None:
    answer, _ = ANSWERS[name]
    for at in range(2, min(len(answer), 40)):
        typist = Typist().feed(answer[:at]).wait(limits.SEQUENCE)
        typist.got.clear()
        assert typist.feed(b"b\r").ends() == ["b", "enter"]


@pytest.mark.parametrize(
    ("begin", "piece"),
    [
        pytest.param(b"\x1b]52;c;", "aé\x9d\r\x03".encode(), id="control string"),
        pytest.param(b"\x1b[", b"1;", id="control sequence"),
    ],
)
def test_what_is_unending_keeps_nothing_and_ends_with_a_pause(begin: bytes, piece: bytes) -> None:
    typist = Typist().feed(begin)
    for _ in range(10):
        typist.feed(piece * 5_000, pause=limits.SEQUENCE / 2)
    assert held(typist.keys) < 10_000
    assert typist.wait(limits.SEQUENCE).feed(b"b").ends() == ["b"]


@pytest.mark.parametrize("begun", [b"\x1b[", b"\x1b[1;", b"\x1bO", b"\x1b[M", b"\xe2\x82"])
def test_a_control_character_is_a_key_whatever_is_unfinished(begun: bytes) -> None:
    assert Typist().feed(begun + b"\r").ends() == ["enter"]
    assert Typist().feed(begun, b"\x03").ends() == ["ctrl c"]


# --- what is typed


@pytest.mark.parametrize("data", KEYS)
def test_a_key_is_what_it_is(data: bytes) -> None:
    assert Typist().feed(data).ends() == KEYS[data]
    if data.strip(b"\x1b"):
        single = [data[at : at + 1] for at in range(len(data))]
        assert Typist().feed(*single, pause=limits.ESCAPE * 0.9).ends() == KEYS[data]


def test_escape_is_a_key_once_nothing_has_followed_it() -> None:
    typist = Typist().feed(b"\x1b").wait(limits.ESCAPE * 0.9)
    assert typist.got == []
    assert typist.wait(limits.ESCAPE * 0.1).got == ["esc"]
    assert typist.feed(b"[", b"1", b"A", pause=0.2).ends() == ["esc", "[", "1", "A"]


# --- pastes


def test_a_paste_is_one_key_and_a_break_in_it_is_none() -> None:
    assert Typist().feed(b"a" + START + "é\r/quit\r".encode() + END + b"b").ends() == ["a", PASTE + "é\r/quit\r", "b"]
    assert Typist().feed(START + END, END, b"b").ends() == ["b"]


@pytest.mark.parametrize("at", range(1, 24))
def test_a_paste_in_two_pieces_is_the_same_as_in_one(at: int) -> None:
    data = START + "one\r\ntwo é\r\r".encode() + END
    for pause in (0, 0.1):
        assert Typist().feed(data[:at], data[at:], pause=pause).ends() == [PASTE + "one\r\ntwo é\r\r"]
    if len(START) < at <= len(data) - len(END):  # ended after a pause, it goes on; nothing of it acts
        got = pasted(Typist().feed(data[:at], data[at:], b"", pause=limits.PASTE_PAUSE + 0.5).ends())
        assert got.rstrip("\r") == "one\r\ntwo é"


def test_a_paste_without_an_end_ends_after_a_pause_and_keys_are_keys_again() -> None:
    typist = Typist().feed(START + b"one").wait(limits.PASTE_PAUSE * 0.9).feed(b" two")
    assert typist.got == []
    assert typist.wait(limits.PASTE_PAUSE).got == [PASTE + "one two"]
    assert typist.feed(b"a", b"\x1b[A", b"\x03", b"\x1b1").ends() == [PASTE + "one two", "a", "up", "ctrl c", "meta 1"]


@pytest.mark.parametrize("key", [b"\x1b", b"\x03", b"\x03\x03"])
def test_a_paste_without_an_end_is_ended_by_escape_and_control_c(key: bytes) -> None:
    typist = Typist().feed(START + b"one").feed(key, pause=0.1).wait(limits.ESCAPE)
    assert typist.got == [PASTE + "one"]
    assert typist.feed(b"a").ends() == [PASTE + "one", "a"]


def test_line_breaks_of_the_rest_of_a_paste_do_not_send_it() -> None:
    lines = [b"one\r", b"two\rthree", b"\rfour\r", b"five", b"\r", b"six"]
    typist = Typist().feed(START)
    for line in lines:
        typist.feed(line).wait(limits.PASTE_PAUSE * (1.5 if line == lines[0] else 0.05))
    typist.feed(END + b"\r")
    *before, last = typist.ends()
    assert pasted(before) == "one\rtwo\rthree\rfour\rfive\rsix"
    assert last == "enter"


def test_after_a_paste_without_an_end_a_line_typed_at_once_is_sent() -> None:
    typist = Typist().feed(START + b"lost\r").wait(2)
    assert typist.feed(b"\x15", b"/quit\r").ends() == [PASTE + "lost", "ctrl u", PASTE + "/quit", "enter"]
    typist = Typist().feed(START + b"lost").wait(2)
    assert typist.feed(b"a", b"\r").wait(limits.ESCAPE).got == [PASTE + "lost", "a", "enter"]
    typist = Typist().feed(START + b"lost").wait(limits.PASTE_PAUSE + limits.PASTE_REST)
    assert typist.feed(b"a\rb\r").ends() == [PASTE + "lost", "a", "enter", "b", "enter"]


def test_the_mouse_and_other_keys_are_what_they_are_after_a_paste_without_an_end() -> None:
    wheel = ("mouse press", 4, 9, 4)
    typist = Typist().feed(START + b"lost").wait(2)
    assert typist.feed(b"\x1b[<64;10;5M\x1b[<64;10;5M\x1b[A\x1b[5~").ends()[1:] == [wheel, wheel, "up", "page up"]


def test_a_paste_is_followed_by_another_one() -> None:
    typist = Typist().feed(START + b"lost").wait(2)
    assert typist.feed(b"rest\rof it" + START + b"new\r" + END).ends() == [
        PASTE + "lost",
        PASTE + "rest\rof it",
        PASTE + "new\r",
    ]


def test_a_paste_is_cut_where_one_sees_that_it_was() -> None:
    typist = Typist().feed(START, *[b"x" * 10_000] * 1_000)
    assert held(typist.keys) < 2 * limits.INPUT_LINE
    assert typist.feed(END).ends() == [PASTE + "x" * (limits.INPUT_LINE + 1)]


# --- whatever comes


def held(keys: Keys) -> int:
    """Bytes that it keeps, about."""
    return sum(sys.getsizeof(part) for part in memory.parts(keys))


pieces = st.one_of(
    st.binary(max_size=12),
    st.text(max_size=6).map(lambda text: text.encode(errors="replace")),
    st.sampled_from([answer for answer, _ in ANSWERS.values() if len(answer) < 100]),
    st.sampled_from(sorted(KEYS)),
    st.sampled_from([START, END, b"\x1b", b"\x1b[", b"\x1b]", b"\x03", b"\r", b"\xe2"]),
)
pauses = st.sampled_from([0, 0, 0, 0.1, 0.2, 1.5, 30])
inputs = st.lists(st.tuples(pieces, pauses), max_size=20)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    at = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [data[start:end] for start, end in pairwise(at)]


@given(st.lists(pieces, max_size=20).map(b"".join), st.lists(st.integers(0, 1_000), max_size=8))
def test_it_does_not_matter_where_input_is_cut(data: bytes, places: list[int]) -> None:
    parts = cut(data, places)
    if not any(part and not part.strip(b"\x03") for part in parts):  # Ctrl-C alone ends a paste
        assert Typist().feed(*parts).ends() == Typist().feed(data).ends()


@given(inputs)
def test_whatever_comes_keys_are_such_and_what_is_typed_then_works(given_: list[tuple[bytes, float]]) -> None:
    typist = Typist()
    for data, pause in given_:
        typist.feed(data).wait(pause)
        assert held(typist.keys) < 20_000
    typist.wait(60)
    for key in typist.got:
        if isinstance(key, tuple):
            assert key[0] == "private mode report" or urwid.util.is_mouse_event(key)
        else:
            assert key.startswith(PASTE) or unicodedata.category(key[-1]) != "Cc"
            assert not re.fullmatch("<.+>", key)
    typist.got.clear()
    assert typist.feed(b"x", b"\r").ends() == ["x", "enter"]


def screen() -> Screen:
    """The full screen on a terminal that nobody looks at."""
    made = Screen(Config(mode="screen"), Terminal(idle=lambda: None, closed=lambda: None))
    made.attach(lambda _: None, lambda _: None)
    return made


@given(inputs)
@example([("\x1b²".encode(), 1)])
@example([(b"\x1b[24;80R", 1)])
def test_whatever_comes_the_full_screen_goes_on(given_: list[tuple[bytes, float]]) -> None:
    view = screen().view
    size = (80, 24)
    typist = Typist()
    for data, pause in given_:
        typist.feed(data).wait(pause)
    for key in typist.ends():
        if isinstance(key, str):
            view.keypress(size, key)
        elif key[0] != "private mode report":
            view.mouse_event(size, key[0], key[1], key[2], key[3], focus=True)
    view.render(size, focus=True)
