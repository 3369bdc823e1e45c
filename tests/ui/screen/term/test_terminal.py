"""Drawing on a real pseudo-terminal: what is seen, what is left behind, and a terminal that does not go along."""

import fcntl
import os
import select
import signal
import struct
import termios
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic, sleep
from typing import Any

import pyte
import pytest
import trio
import trio.testing
import urwid

from anonp2p import limits
from anonp2p.ui import widths
from anonp2p.ui.screen.term.terminal import Terminal
from tests.support import memory

SECONDS = 60.0  # for what takes less than one, on a machine that has much else to do
CLUSTER = "日本語"
ODD = [
    "plain ASCII only",
    "日本語テキスト and more",
    "nice 😀😃 faces | here",
    "e\u0301te\u0301 caf\u00e9 | x",
    "Ωμέγα ± § “quoted” … │ end",
    "привет, мир! | и ещё",
    "☂\ufe0f umbrella | 1\ufe0f\u20e3 key",
    "한국어 ｆｕｌｌ | x",
    "עברית | x",
    "",
]


@pytest.fixture(autouse=True)
def term(monkeypatch: pytest.MonkeyPatch) -> None:
    """An everyday environment."""
    for name in ("NO_COLOR", "COLORTERM", "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "TMUX", "TERM_PROGRAM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


class Emulator:
    """A terminal on the other end of a pseudo-terminal, which counts what happens to it."""

    def __init__(self, columns: int, lines: int) -> None:
        self.columns, self.lines = columns, lines
        self.master, self.slave = os.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        os.set_blocking(self.master, False)
        self.screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self.screen)
        self.idle = 0
        self.closed = 0
        self.raw = b""
        self.attributes = termios.tcgetattr(self.slave)
        self.terminal = Terminal(self._idle, self._closed, keys=self.slave, display=self.slave)

    def _idle(self) -> None:
        self.idle += 1

    def _closed(self) -> None:
        self.closed += 1

    def hang_up(self) -> None:
        os.close(self.master)
        self.master = -1

    def end(self) -> None:
        self.terminal.stop()
        os.close(self.slave)
        if self.master >= 0:
            os.close(self.master)

    def take(self) -> bytes:
        """What is there to be read, waiting for something."""
        select.select([self.master], [], [], SECONDS)
        data = os.read(self.master, 65_536)
        self.raw += data
        self._stream.feed(data)
        return data

    def see(self) -> list[str]:
        """The lines on the screen, once all that was written is there."""
        os.write(self.slave, b"\x1b]2;seen\x07")
        self.screen.title = ""
        while self.screen.title != "seen":
            self.take()
        return [line.rstrip() for line in self.screen.display]

    def draw(self, *lines: str, cursor: tuple[int, int] | None = None, style: str | None = None) -> None:
        self.terminal.draw_screen((self.columns, self.lines), self.canvas(*lines, cursor=cursor, style=style))

    def canvas(self, *lines: str, cursor: tuple[int, int] | None = None, style: str | None = None) -> urwid.TextCanvas:
        filled = [line + " " * (self.columns - widths.width(line)) for line in lines]
        filled += [" " * self.columns] * (self.lines - len(lines))
        texts = [line.encode() for line in filled]
        styles: Any = [[(style, len(text))] for text in texts]
        return urwid.TextCanvas(texts, styles, maxcol=self.columns, cursor=cursor, check_width=False)

    def sent(self) -> bytes:
        """What is sent from now on, until nothing is on its way."""
        self.raw = b""
        self.see()
        return self.raw.removesuffix(b"\x1b]2;seen\x07")

    def has(self, mode: int) -> bool:
        """Whether this private mode is on."""
        return mode << 5 in self.screen.mode


@contextmanager
def emulated(columns: int = 40, lines: int = 12) -> Iterator[Emulator]:
    emulator = Emulator(columns, lines)
    try:
        yield emulator
    finally:
        emulator.end()


@contextmanager
def started(columns: int = 40, lines: int = 12) -> Iterator[Emulator]:
    with emulated(columns, lines) as emulator:
        emulator.terminal.start()
        yield emulator


def seen(text: str) -> str:
    """As pyte has it: composed, selectors left out."""
    return text.replace("e\u0301", "\u00e9")


def column(emulator: Emulator, y: int, character: str) -> list[int]:
    return [x for x in range(emulator.columns) if emulator.screen.buffer[y][x].data == character]


# --- what is seen


@pytest.mark.parametrize("term", ["xterm-256color", "screen", "linux", "tmux-256color"])
def test_what_the_canvas_says_is_what_is_seen(term: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", term)
    agreed = [line for line in ODD if "\ufe0f" not in line]
    with started(lines=len(agreed)) as emulator:
        for rotated in range(
            len(agreed)
        ):  # so that each comes to stand in the place of each other, and in the last row
            lines = agreed[rotated:] + agreed[:rotated]
            emulator.draw(*lines)
            assert emulator.see() == [seen(line) for line in lines]


@pytest.mark.parametrize("term", ["xterm-256color", "screen", "linux"])
@pytest.mark.parametrize("end", ["x", "xy", "é", "日", "a日", "😀", "日x", "x é", "e\u0301", "│"])
def test_the_last_row_is_filled_to_its_end_and_nothing_scrolls(
    end: str, term: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", term)
    with started(20, 3) as emulator:
        full = "é" + "." * (19 - widths.width(end)) + end
        for style in (None, "standout"):
            emulator.terminal.register_palette([("standout", "default,standout", "default", "standout")])
            for lines in (["top", "", full], ["top", "", full.replace("é", "e", 1)], [full, full, full]):
                emulator.draw(*lines, style=style)
                assert emulator.see() == [seen(line) for line in lines]


def test_a_wide_character_leaves_no_half_of_it_behind() -> None:
    with started() as emulator:
        emulator.draw("日本語日本語", "x日x日x")
        emulator.see()
        emulator.draw("x日本x", "ab")
        assert emulator.see()[:2] == ["x日本x", "ab"]


@pytest.mark.parametrize("more", [1, -1])
def test_what_is_drawn_wider_or_narrower_displaces_nothing(more: int, monkeypatch: pytest.MonkeyPatch) -> None:
    real = pyte.screens.wcwidth
    monkeypatch.setattr(
        pyte.screens, "wcwidth", lambda one: max(1, min(2, real(one) + more)) if ord(one) > 0x7F else real(one)
    )
    with started(lines=len(ODD)) as emulator:
        for rotated in range(len(ODD)):
            lines = [f"{line:.22}".ljust(22) for line in ODD[rotated:] + ODD[:rotated]]
            lines = [line + " " * (30 - widths.width(line)) + "#cells#" for line in lines]
            emulator.draw(*lines)
            emulator.see()
            for y, line in enumerate(lines):
                text = "".join(emulator.screen.buffer[y][x].data for x in range(30, 40))
                assert text == "#cells#   "
                for mark in "|":
                    expected = [widths.width(line[:at]) for at, one in enumerate(line) if one == mark]
                    assert column(emulator, y, mark) == expected


def test_what_is_drawn_wider_does_not_wrap(monkeypatch: pytest.MonkeyPatch) -> None:
    real = pyte.screens.wcwidth
    monkeypatch.setattr(pyte.screens, "wcwidth", lambda one: 2 if ord(one) > 0x7F else real(one))
    with started(20, 3) as emulator:
        emulator.draw("é" * 20, "second", "é" * 20)
        assert emulator.see()[1] == "second"
        emulator.draw("first", "ü" * 20, "third")
        lines = emulator.see()
        assert (lines[0], lines[2]) == ("first", "third")


def test_what_was_drawn_wider_is_erased(monkeypatch: pytest.MonkeyPatch) -> None:
    real = pyte.screens.wcwidth
    monkeypatch.setattr(pyte.screens, "wcwidth", lambda one: 2 if ord(one) > 0x7F else real(one))
    with started(20, 3) as emulator:
        emulator.draw("éééé", "", "é" * 10)
        emulator.see()
        monkeypatch.setattr(pyte.screens, "wcwidth", lambda _: 1)
        emulator.draw("é", "ab", "éx")
        assert emulator.see() == ["é", "ab", "éx"]


@pytest.mark.parametrize(
    "text",
    [
        "a\x1b[2Jb",
        "a\nb\tc",
        "a\x07\x9b2Jb",
        "é\u202eb\u2066",
        "x\u200b\u200dy",
        "\U000e0041tag",
        "ab\x7f",
        "e" + "\u0301" * 50,
    ],
    ids=ascii,
)
def test_what_should_never_have_got_here_harms_nothing(text: str) -> None:
    wide = widths.width(text)
    with started(20, 3) as emulator:
        run = (text + " " * (10 - wide)).encode()
        texts = [b"top".ljust(20), run + b"#here#    ", b"bottom".ljust(20)]
        styles: Any = [[(None, 20)], [("a", len(run)), ("b", 10)], [(None, 20)]]
        emulator.terminal.draw_screen((20, 3), urwid.TextCanvas(texts, styles, maxcol=20, check_width=False))
        lines = emulator.see()
        sent = emulator.raw.decode().split("\x1b)0")[1].removesuffix("\x1b]2;seen\x07")
        assert (lines[0], lines[2]) == ("top", "bottom")
        assert "".join(emulator.screen.buffer[1][x].data for x in range(10, 20)) == "#here#    "
        assert not set(sent) & set("\u202e\u2066\u200b\u200d\x9b\U000e0041\n\t\x07\x7f")
        assert "\x1b[2J" not in sent
        assert sent.count("\u0301") <= 4


def test_the_cursor_is_where_the_canvas_has_it() -> None:
    with started() as emulator:
        emulator.draw("日本 x", cursor=(5, 0))
        emulator.see()
        assert (emulator.screen.cursor.x, emulator.screen.cursor.y, emulator.screen.cursor.hidden) == (5, 0, False)
        emulator.draw("日本 x")
        emulator.see()
        assert emulator.screen.cursor.hidden


def test_only_rows_that_changed_are_drawn() -> None:
    with started() as emulator:
        emulator.draw("one", "zwei ü", "drei ß", "vier ä")
        emulator.see()
        emulator.draw("one", "zwei ü", "trois é", "vier ä")
        sent = emulator.sent().decode()
        assert "trois" in sent
        assert not any(word in sent for word in ("one", "zwei", "vier"))


def test_a_frame_that_says_the_same_is_not_drawn() -> None:
    with started() as emulator:
        for lines in (["one", "zwei ü"], ["two"]):
            canvas = emulator.canvas(*lines)
            emulator.terminal.draw_screen((40, 12), canvas)
            emulator.see()
            emulator.terminal.draw_screen((40, 12), canvas)
            emulator.draw(*lines)
            assert emulator.sent() == b""


def test_a_cleared_screen_is_drawn_whole() -> None:
    with started() as emulator:
        for _ in range(2):
            emulator.draw("one", "zwei ü")
            assert b"one" in emulator.sent()
            emulator.terminal.clear()


def test_another_palette_draws_the_same_frame_anew() -> None:
    with started() as emulator:
        emulator.draw("one", style="a")
        emulator.see()
        emulator.terminal.register_palette([("a", "dark red", "default")])
        emulator.draw("one", style="a")
        emulator.see()
        assert emulator.screen.buffer[0][0].fg == "red"


def test_the_bell_rings_once_for_all_that_wait() -> None:
    with started(400, 300) as emulator:
        emulator.terminal.bell()
        assert b"\x07" in emulator.sent()
        emulator.draw(*["x" * 400] * 300)
        assert emulator.terminal.busy
        for _ in range(100):
            emulator.terminal.bell()
        sent = b""
        while emulator.terminal.busy:
            sent += os.read(emulator.master, 65_536)
            emulator.terminal.write(" ")  # writes what there is room for
        emulator.raw = b""
        emulator.see()
        assert (sent + emulator.raw.removesuffix(b"\x1b]2;seen\x07")).count(b"\x07") == 1


def test_the_title_is_given_back_when_the_screen_is_left() -> None:
    with started() as emulator:
        for count in (1, 2):
            emulator.terminal.show_count(count)
        assert emulator.sent().count(b"\x1b[22;2t") == 1, "that of before is kept once"
        emulator.terminal.stop()
        assert b"\x1b]2;\x1b\\\x1b[23;2t" in emulator.sent()


# --- modes


@pytest.mark.parametrize("term", ["xterm-256color", "screen", "linux", "dumb", "tmux-256color"])
def test_everything_is_left_as_it_was(term: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", term)
    with emulated() as emulator:
        emulator.screen.set_mode(7, private=True)
        emulator.see()
        before = set(emulator.screen.mode)
        for _ in range(2):
            emulator.terminal.start()
            emulator.terminal.set_mouse_tracking()
            emulator.draw("secret", *ODD)
            assert "secret" in emulator.see()
            assert all(emulator.has(mode) for mode in (1049, 2004, 1004))
            assert all(emulator.has(mode) == (term not in ("linux", "dumb")) for mode in (1000, 1002, 1006))
            assert not emulator.has(7)
            emulator.terminal.stop()
            emulator.terminal.stop()
            assert emulator.see() == [""] * 12
            assert set(emulator.screen.mode) == before
            assert not emulator.screen.cursor.hidden
            assert emulator.screen.cursor.attrs == emulator.screen.default_char
            assert termios.tcgetattr(emulator.slave) == emulator.attributes


def test_the_screen_is_cleared_line_by_line_before_the_alternate_one_is_left() -> None:
    with started(lines=3) as emulator:
        emulator.draw("secret")
        emulator.see()
        emulator.terminal.stop()
        sent = emulator.sent()
        assert sent.index(b"\x1b[0m") < sent.index(b"\x1b[1H\x1b[2K") < sent.index(b"\x1b[3H\x1b[2K")
        assert sent.index(b"\x1b[3H\x1b[2K") < sent.index(b"\x1b[2J") < sent.index(b"\x1b[?1049l")


def test_nothing_of_what_was_drawn_is_kept() -> None:
    with started() as emulator:
        emulator.draw("secret ü")
        emulator.terminal.parse_input(urwid.SelectEventLoop(), lambda *_: None, list(b"typed\x1b[200~pasted"))
        emulator.terminal.stop()
        kept = repr([part for part in memory.parts(emulator.terminal) if isinstance(part, str | bytes | bytearray)])
        assert "secret" not in kept
        assert "typed" not in kept
        assert "pasted" not in kept
        assert emulator.terminal.screen_buf is None


@pytest.mark.parametrize("term", ["linux", "dumb", ""])
def test_a_terminal_that_would_print_questions_is_asked_none(term: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", term)
    with started() as emulator:
        assert b"$p" not in emulator.sent()


def test_keys_that_would_be_signals_arrive() -> None:
    with started() as emulator:
        for key in (b"\x03", b"\x1a", b"\x1c", b"\x13", b"\x11", b"\x16", b"\x04"):
            os.write(emulator.master, key)
            select.select([emulator.slave], [], [], SECONDS)
            assert bytes(emulator.terminal.get_available_raw_input()) == key


def test_a_start_that_fails_leaves_everything_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    with emulated() as emulator:
        emulator.see()
        before = set(emulator.screen.mode)
        monkeypatch.setattr(Terminal, "tty_signal_keys", fail)
        with pytest.raises(ZeroDivisionError):
            emulator.terminal.start()
        assert not emulator.terminal.started
        monkeypatch.undo()
        emulator.see()
        assert set(emulator.screen.mode) == before
        assert termios.tcgetattr(emulator.slave) == emulator.attributes


def test_the_given_descriptor_stays_blocking() -> None:
    with started() as emulator:
        assert os.get_blocking(emulator.slave)


def test_the_given_descriptor_is_made_blocking_again_where_no_other_can_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> str:
        raise OSError

    monkeypatch.setattr(os, "ttyname", fail)
    with started() as emulator:
        assert not os.get_blocking(emulator.slave)
        emulator.draw("seen")
        assert emulator.see()[0] == "seen"
        emulator.terminal.stop()
        assert os.get_blocking(emulator.slave)


def test_input_that_another_program_has_read_first_is_no_end_of_input(monkeypatch: pytest.MonkeyPatch) -> None:
    with started() as emulator:
        os.set_blocking(emulator.slave, False)
        monkeypatch.setattr(emulator.terminal, "_wait_for_input_ready", lambda _: [emulator.slave])
        assert emulator.terminal.get_available_raw_input() == []
        os.write(emulator.master, b"x")
        assert emulator.terminal.get_available_raw_input() == [ord("x")]
        assert not emulator.terminal.is_closed


@pytest.mark.parametrize(
    ("given", "taken"), [((0, 0), (80, 24)), ((0, 12), (80, 12)), ((40, 0), (40, 24)), ((40, 12), (40, 12))]
)
def test_a_terminal_that_does_not_know_its_size_has_the_usual_one(
    given: tuple[int, int], taken: tuple[int, int]
) -> None:
    with started(*given) as emulator:
        assert emulator.terminal.get_cols_rows() == taken


@pytest.mark.parametrize(
    ("environment", "colors"),
    [
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, 1),
        ({"TERM": "linux"}, 16),
        ({"TERM": "linux-16color"}, 16),
        ({"TERM": "screen.xterm-256color"}, 256),
        ({"TERM": "xterm-256color"}, 256),
        ({"TERM": "linux", "COLORTERM": "truecolor"}, 16),
        ({"TERM": "screen"}, 16),
        ({"TERM": "screen", "COLORTERM": "truecolor"}, 256),
        ({"TERM": "screen-256color", "COLORTERM": "truecolor", "TMUX": "x"}, 2**24),
        ({"TERM": "tmux-256color"}, 256),
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, 2**24),
        ({"TERM": "xterm"}, 16),
        ({"TERM": ""}, 1),
        ({"TERM": "dumb"}, 1),
        ({"TERM": "linux", "NO_COLOR": "1"}, 1),
    ],
)
def test_colours_are_those_the_terminal_has(
    environment: dict[str, str], colors: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with emulated() as emulator:
        assert emulator.terminal.colors == colors


# --- terminals that do not go along

BIG = (400, 300)


@pytest.mark.trio
async def test_what_fits_is_out_at_once() -> None:
    with started() as emulator:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(emulator.terminal.run)
            await trio.testing.wait_all_tasks_blocked()
            emulator.draw("one", *ODD[:5])
            assert not emulator.terminal.busy
            assert emulator.see()[:6] == [seen(line) for line in ["one", *ODD[:5]]]
            nursery.cancel_scope.cancel()


@pytest.mark.trio
async def test_on_the_console_run_writes_a_frame_and_then_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "linux")
    with emulated() as emulator:
        out = trio.Event()
        emulator.terminal.idle = out.set
        async with trio.open_nursery() as nursery:
            nursery.start_soon(emulator.terminal.run)
            await trio.testing.wait_all_tasks_blocked()
            emulator.terminal.start()
            await out.wait()
            out = trio.Event()
            emulator.terminal.idle = out.set
            emulator.draw("one", *ODD[:5])
            assert emulator.terminal.busy
            await out.wait()
            assert not emulator.terminal.busy
            assert emulator.see()[:6] == [seen(line) for line in ["one", *ODD[:5]]]
            nursery.cancel_scope.cancel()


@pytest.mark.trio
async def test_a_terminal_that_is_not_read_holds_nobody_up() -> None:
    with emulated(*BIG) as emulator:
        emulator.terminal.start()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(emulator.terminal.run)
            emulator.draw(*["x" * 400] * 300)
            for _ in range(100):
                await trio.testing.wait_all_tasks_blocked()
                emulator.draw(*["y" * 400] * 300)  # left out
            assert emulator.terminal.busy
            before = monotonic()
            emulator.terminal.stop()
            assert monotonic() - before < SECONDS
            nursery.cancel_scope.cancel()
        assert termios.tcgetattr(emulator.slave) == emulator.attributes
        # Once it reads again, all is restored
        emulator.see()
        assert not emulator.has(1049)
        assert not emulator.has(2004)
        assert emulator.has(7)
        assert "y" not in "".join(emulator.screen.display)


@pytest.mark.trio
@pytest.mark.parametrize("running", [False, True])
async def test_a_terminal_that_was_stopped_is_restored_all_the_same(running: bool) -> None:
    with emulated() as emulator:
        emulator.screen.set_mode(7, private=True)
        emulator.terminal.start()
        emulator.see()
        async with trio.open_nursery() as nursery:
            if running:
                nursery.start_soon(emulator.terminal.run)
                await trio.testing.wait_all_tasks_blocked()
            termios.tcflow(emulator.slave, termios.TCOOFF)
            emulator.draw("secret", *ODD)
            await trio.testing.wait_all_tasks_blocked()
            assert emulator.terminal.busy
            before = monotonic()
            emulator.terminal.stop()
            assert 0.2 < monotonic() - before < SECONDS
            nursery.cancel_scope.cancel()
        assert emulator.see() == [""] * 12
        assert emulator.has(7)
        assert not any(emulator.has(mode) for mode in (1049, 1000, 1004, 2004))
        assert termios.tcgetattr(emulator.slave) == emulator.attributes


@pytest.mark.trio
async def test_a_terminal_that_reads_again_gets_the_whole_frame_and_the_next() -> None:
    with emulated(*BIG) as emulator:
        emulator.terminal.start()
        frames = ["y", "z"]

        def draw() -> None:
            if frames:
                emulator.draw(*[frames.pop(0) * 400] * 300)

        async with trio.open_nursery() as nursery:
            emulator.draw(*["x" * 400] * 300)
            assert emulator.terminal.busy
            emulator.terminal.idle = draw
            nursery.start_soon(emulator.terminal.run)
            got = b""
            while got.count(b"z") < 400 * 300:
                await trio.lowlevel.wait_readable(emulator.master)
                got += os.read(emulator.master, 65_536)
            assert (got.count(b"x"), got.count(b"y")) == (400 * 300, 400 * 300)
            nursery.cancel_scope.cancel()


@pytest.mark.trio
async def test_what_was_cut_off_does_not_garble_the_end() -> None:
    with emulated(*BIG) as emulator:
        emulator.terminal.start()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(emulator.terminal.run)
            emulator.draw(*["é日x" * 100] * 300)
            await trio.testing.wait_all_tasks_blocked()
            reader = threading.Thread(target=read_all, args=[emulator])
            reader.start()
            emulator.terminal.stop()
            nursery.cancel_scope.cancel()
        os.write(emulator.slave, b"\x1b]2;seen\x07")
        reader.join(SECONDS)
        assert emulator.screen.title == "seen"
        assert "".join(emulator.screen.display).strip() == ""
        assert not emulator.has(1049)


def read_all(emulator: Emulator) -> None:
    while emulator.screen.title != "seen":
        emulator.take()


@pytest.mark.trio
@pytest.mark.parametrize("how", ["writing", "running", "reading"])
async def test_a_terminal_that_hung_up_says_so_once(how: str) -> None:
    with emulated() as emulator:
        emulator.terminal.start()
        async with trio.open_nursery() as nursery:
            if how == "running":
                nursery.start_soon(emulator.terminal.run)
                await trio.testing.wait_all_tasks_blocked()
            emulator.hang_up()
            if how == "reading":
                assert emulator.terminal.get_available_raw_input() == []
            emulator.draw("one")
        assert emulator.closed == 1
        assert not emulator.terminal.busy
        assert emulator.terminal.get_input_descriptors() == []
        emulator.draw("two")
        emulator.terminal.bell()
        emulator.terminal.stop()
        assert emulator.closed == 1


# --- what is typed


def test_reports_that_were_asked_for_count_and_are_no_keys() -> None:
    keys: list[Any] = []
    with started() as emulator:
        codes = list(b"a\x1b[?2026;1$y\x1b[24;80R")
        emulator.terminal.parse_input(urwid.SelectEventLoop(), lambda more, _: keys.extend(more), codes)
        assert emulator.terminal.modes.synchronized_output
    assert keys == ["a"]


class Alarms(urwid.SelectEventLoop):
    """A loop whose alarms go off when they are told to."""

    def alarm(self, seconds: float, callback: Callable[[], Any]) -> Any:
        self.due = callback
        return callback


def test_what_waits_to_be_read_is_no_pause() -> None:
    keys: list[Any] = []
    events = Alarms()
    with started() as emulator:

        def take(more: list[Any], _: list[int]) -> None:
            keys.extend(more)

        emulator.terminal.parse_input(events, take, list(b"\x1b"))
        os.write(emulator.master, b"[A")
        select.select([emulator.slave], [], [], SECONDS)
        sleep(2 * limits.ESCAPE)  # busy
        events.due()
    assert keys == ["up"]


# --- job control: tests/ui/screen/test_jobs.py does it with a shell


@pytest.mark.parametrize("is_stopped", [True, False])
def test_control_z_gives_the_terminal_back_and_is_a_key_only_where_nothing_continues_us(
    is_stopped: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    modes = (1049, 1000, 1004, 2004)
    keys: list[Any] = []
    with started() as emulator:
        emulator.terminal.set_mouse_tracking()
        emulator.draw("secret")

        def stop(_: int, number: int) -> None:
            assert number == signal.SIGTSTP
            assert emulator.see() == [""] * 12
            assert [mode for mode in (*modes, 7) if emulator.has(mode)] == [7]
            assert termios.tcgetattr(emulator.slave) == emulator.attributes
            if is_stopped:  # another thread is given SIGCONT, and runs later than ours
                threading.Timer(0.03, signal.raise_signal, [signal.SIGCONT]).start()

        monkeypatch.setattr(os, "kill", stop)
        emulator.screen.set_mode(7, private=True)
        emulator.terminal.parse_input(urwid.SelectEventLoop(), lambda more, _: keys.extend(more), list(b"a\x1ab"))
        emulator.see()
        assert all(emulator.has(mode) for mode in modes)
        assert not emulator.has(7)
        assert not termios.tcgetattr(emulator.slave)[3] & termios.ICANON
    assert keys == (["a"] if is_stopped else ["a", "ctrl z"])


def test_in_the_background_nothing_is_read_even_before_the_signal_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    with started() as emulator:
        os.set_blocking(emulator.slave, False)
        monkeypatch.setattr(os, "tcgetpgrp", lambda _: -1)
        os.write(emulator.master, b"x")  # for the shell
        select.select([emulator.slave], [], [], SECONDS)
        assert emulator.terminal.get_available_raw_input() == []
        assert emulator.terminal.is_away
        assert emulator.terminal.get_input_descriptors() == []
        assert os.read(emulator.slave, 2) == b"x"
