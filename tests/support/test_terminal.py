"""The terminal that the full screen is tested on: what pyte alone would misprint."""

import pytest

from tests.support.keyboard import sequence
from tests.support.terminal import ALTERNATE, CURSOR, USUAL, Terminal, row


def _shown(data: str, *, cut: bool = False) -> Terminal:
    terminal = Terminal(20, 3)
    encoded = data.encode()
    for at in range(0, len(encoded), 1 if cut else len(encoded)):
        terminal.feed(encoded[at : at + (1 if cut else len(encoded))])
    return terminal


@pytest.mark.parametrize("cut", [False, True])
@pytest.mark.parametrize(
    "unseen",
    [
        "\x1b[?2026h",
        "\x1b[>4;1m",
        "\x1b[?4m",
        "\x1b[?u",
        "\x1b[>1u",
        "\x1b[<u",
        "\x1b[=5u",
        "\x1b[>0q",
        "\x1b[?2026$p",
        "\x1b[2 q",
        "\x1b[!p",
        "\x1b[22;0t",
        "\x1b[38:2::1:2:3m",
        "\x1b[4:3m",
        "\x1b]0;a title\x07",
        "\x1b]8;;http://x\x1b\\",
        "\x1b]52;c;YQ==\x07",
        "\x1bP+q544e\x1b\\",
        "\x1b_Gi=1\x1b\\",
        "\x1b[12\x18",
        "\x1b]0;half\x18",
        "\x1b(B",
        "\x0f",
        "\x18",
    ],
)
def test_nothing_of_a_sequence_is_printed(unseen: str, *, cut: bool) -> None:
    terminal = _shown(f"a{unseen}b", cut=cut)
    assert [row(terminal.picture, y) for y in range(3)] == ["ab", "", ""]


def test_colours_in_both_spellings() -> None:
    terminal = _shown("\x1b[38:2::1:2:3;48;2;4;5;6ma\x1b[0;38:5:196mb")
    line = terminal.picture.buffer[0]
    assert (line[0].fg, line[0].bg, line[1].fg, line[1].bg) == ("010203", "040506", "ff0000", "default")


def test_characters_without_a_width_end_nothing() -> None:
    terminal = _shown("❤\ufe0f你\u200d\u0301x")
    assert row(terminal.picture, 0) == "❤\ufe0f你\u200d\u0301x"
    assert terminal.picture.cursor.x == 4


def test_the_alternate_screen_hides_what_was_there() -> None:
    terminal = _shown("shell\x1b[?1049h\x1b[?25l\x1b[Hprogram")
    assert row(terminal.picture, 0) == "program"
    assert terminal.picture.cursor.hidden
    assert {ALTERNATE, CURSOR} & terminal.modes == {ALTERNATE}
    terminal.feed(b"\x1b[?1049l\x1b[?25h$")
    assert row(terminal.picture, 0) == "shell$"
    assert terminal.modes == USUAL


def test_what_it_answers() -> None:
    terminal = Terminal(20, 3, light=True)
    assert terminal.feed(b"\x1b[?2004$p\x1b[?2027$p\x1b[?25$p") == b"\x1b[?2004;2$y\x1b[?2027;0$y\x1b[?25;1$y"
    assert terminal.feed(b"\x1b[c\x1b[5n\x1b[2;3H\x1b[6n") == b"\x1b[?62;22c\x1b[0n\x1b[2;3R"
    assert terminal.feed(b"\x1b]11;?\x07") == b"\x1b]11;rgb:ffff/ffff/ffff\x1b\\"


@pytest.mark.parametrize(
    ("key", "sent"),
    [
        ("enter", "\r"),
        ("ctrl n", "\x0e"),
        ("meta 1", "\x1b1"),
        ("meta enter", "\x1b\r"),
        ("meta backspace", "\x1b\x7f"),
        ("ctrl left", "\x1b[1;5D"),
        ("shift up", "\x1b[1;2A"),
        ("page up", "\x1b[5~"),
        ("ctrl page down", "\x1b[6;5~"),
        ("shift tab", "\x1b[Z"),
        ("f2", "\x1bOQ"),
        ("f5", "\x1b[15~"),
        ("ctrl home", "\x1b[1;5H"),
        ("_", "_"),
        ("é", "é"),
    ],
)
def test_keys(key: str, sent: str) -> None:
    assert sequence(key) == sent.encode()
