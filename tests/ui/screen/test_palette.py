"""Colours that can be read on any background."""

from typing import Literal

import pytest
import urwid

from anonp2p.ui.screen import palette
from anonp2p.ui.screen.palette import HUES, PALETTE, fit_palette, nick_style

DEPTHS = pytest.mark.parametrize("depth", [256, 2**24])
BLACK, WHITE = (0, 0, 0), (255, 255, 255)
Color = tuple[int, int, int]
Depth = Literal[256, 16777216]
TRUE: Depth = 16777216


def nicks(depth: Depth) -> list[palette.PaletteEntry]:
    return [entry for entry in fit_palette(depth) if entry[0].startswith("nick ")]


NAMES = [
    *(
        "time",
        "quiet",
        "bar",
        "own",
        "private",
        "mention",
        "pending",
        "tabs",
        "tab active",
        "tab unread",
        "tab mention",
    ),
    *("status", "status good", "status bad", "alarm", "caution", "ok", "error", "title", "code", "progress"),
    *("progress done", "overlay title", "key", "unread line", "expiring", "link", "prompt"),
]


def luminance(color: Color) -> float:
    """As WCAG has it."""
    parts = [part / 255 for part in color]
    red, green, blue = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: Color, other: Color) -> float:
    dark, light = sorted([luminance(one), luminance(other)])
    return (light + 0.05) / (dark + 0.05)


def colors(entry: palette.PaletteEntry, depth: Depth) -> tuple[Color | None, Color | None]:
    """Fore- and background; None for the terminal's own."""
    *_, foreground, background = entry
    values = urwid.AttrSpec(foreground, background, depth).get_rgb_values()
    given: list[Color | None] = []
    for part in (values[:3], values[3:]):
        red, green, blue = part
        given.append(None if red is None or green is None or blue is None else (red, green, blue))
    return given[0], given[1]


def test_contrast_is_reckoned_as_it_should() -> None:
    assert contrast(BLACK, WHITE) == pytest.approx(21)
    assert contrast((0x76, 0x76, 0x76), WHITE) == pytest.approx(4.54, abs=0.01)


def test_every_style_is_there_once() -> None:
    names = [entry[0] for entry in PALETTE]
    assert len(set(names)) == len(names)
    assert set(NAMES) <= set(names)


def test_urwid_takes_it() -> None:
    screen = urwid.display.raw.Screen()
    screen.register_palette(PALETTE)
    for entry in PALETTE:
        assert entry[0] in screen.palette


@DEPTHS
def test_what_has_no_background_is_readable_on_any(depth: Depth) -> None:
    readable = []
    for entry in fit_palette(depth):
        foreground, background = colors(entry, depth)
        if background is None and foreground is not None:
            assert min(contrast(foreground, BLACK), contrast(foreground, WHITE)) >= 4.5, entry
            readable.append(entry[0])
    assert {"time", "private", "mention", "code", "ok", "error", "key", *map(nick_style, range(HUES))} < {*readable}


@DEPTHS
def test_what_has_a_background_stands_out_from_it(depth: Depth) -> None:
    several = 0
    for entry in PALETTE:
        foreground, background = colors(entry, depth)
        if background is not None:
            assert foreground is not None, entry  # the terminal's own may be anything
            assert contrast(foreground, background) >= 4.5, entry
            several += 1
    assert several >= 9


@pytest.mark.parametrize("place", [1, 2])
def test_with_16_colours_only_those_are_used_that_are_no_disaster(place: int) -> None:
    for entry in PALETTE:
        color = entry[place].split(",")[0]
        if entry[2] == "default":
            assert color in ("default", "dark red", "dark green", "dark magenta", "dark cyan"), entry
        else:
            assert entry[1].split(",")[0] in ("white", "black"), entry
            assert "," not in entry[2]


def test_mono_has_no_colours() -> None:
    for entry in PALETTE:
        assert set(entry[3].split(",")) <= {"default", "bold", "underline", "standout"}
    mono = {entry[0]: entry[3] for entry in PALETTE}
    assert (mono["own"], mono["alarm"], mono["caution"]) == ("bold", "bold,standout", "standout")
    assert "underline" in mono["mention"]


def test_nicks_are_told_apart() -> None:
    given = [colors(entry, TRUE)[0] for entry in nicks(TRUE)]
    assert len(given) == HUES == 8
    for at, one in enumerate(given):
        for other in given[:at]:
            assert one is not None
            assert other is not None
            assert sum(abs(a - b) for a, b in zip(one, other, strict=True)) >= 0x50


def test_nicks_are_told_apart_with_256_colours_too_some_by_a_line_under_them() -> None:
    given = [(colors(entry, 256)[0], "underline" in entry[4]) for entry in nicks(256)]
    assert len(set(given)) == HUES
    assert len({color for color, _ in given}) >= 5
    assert not any(lined for _, lined in given[:4])


def test_nicks_are_told_apart_with_16_colours_too() -> None:
    assert len({entry[1] for entry in nicks(TRUE)}) == HUES


def test_only_colours_depend_on_how_many_there_are() -> None:
    for many, few in zip(fit_palette(TRUE), fit_palette(256), strict=True):
        assert (many[:4], many[5]) == (few[:4], few[5])
        assert {*many[4].split(",")[1:]} <= {*few[4].split(",")[1:]}


def test_each_hue_is_a_style() -> None:
    assert [nick_style(hue) for hue in range(HUES)] == [entry[0] for entry in nicks(256)]


def test_a_qr_code_is_black_on_white_without_colours_too() -> None:
    screen = urwid.display.raw.Screen()
    screen.set_terminal_properties(colors=1)
    assert screen.resolve_attr(palette.QR, 1) == palette.QR
    assert palette.QR.get_rgb_values() == (0, 0, 0, 255, 255, 255)
