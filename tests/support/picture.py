"""What is on a terminal, as pyte has it, as a picture: see `render`."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import pyte
from PIL import Image, ImageDraw, ImageFont
from pyte.screens import Char
from wcwidth import wcwidth

WIDTH, HEIGHT = 10, 20  # pixels of a cell
PADDING = 8  # pixels between the cells and the frame
_SIZE = 16.6  # of DejaVu Sans Mono, for letters as wide as a cell
_BASE = 16  # pixels from a cell's top to the line that letters stand on
_PLACES = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts", "~/.fonts", "/Library/Fonts")
_PACKAGES = {"DejaVuSansMono": "fonts-dejavu-core", "unifont": "fonts-unifont"}

Colour = tuple[int, int, int]
Box = tuple[float, float, float, float]


class FontMissing(Exception):
    """A font is not there; says which, and what it comes with."""


@dataclass(frozen=True)
class Theme:
    """What a terminal makes of the colours that programs name."""

    ink: Colour
    paper: Colour
    frame: Colour
    named: tuple[str, ...]  # 16 of them, in the order of their numbers


_NAMES = ("black", "red", "green", "brown", "blue", "magenta", "cyan", "white")
_DARK = (
    "1d1f21 d15b5b 6fae5a d6a74b 5f8fd0 b078c9 53aeb5 c5c8c6 767b80 f07f7f 94cf7c f0c674 86b3ef cf9be6 7fd1d8 ffffff"
)
_LIGHT = (
    "1d1f21 b3261e 2e7d32 9a6700 1f5fbf 8e3aa8 0b7285 c9ccd0 6b7075 d1382e 3c8f40 b07a0a 2f74d8 a651c1 12889d ffffff"
)
DARK: Final = Theme((0xD8, 0xDA, 0xDC), (0x16, 0x18, 0x1B), (0x3A, 0x3E, 0x44), tuple(_DARK.split()))
LIGHT: Final = Theme((0x20, 0x22, 0x26), (0xFC, 0xFC, 0xFA), (0xC4, 0xC7, 0xCC), tuple(_LIGHT.split()))


def render(screen: pyte.Screen, theme: Theme = DARK) -> Image.Image:
    """The screen in a plain frame. Raises FontMissing."""
    size = (screen.columns * WIDTH + 2 * PADDING, screen.lines * HEIGHT + 2 * PADDING)
    image = Image.new("RGB", size, theme.paper)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, size[0] - 1, size[1] - 1), outline=theme.frame)
    cursor = screen.cursor
    for y in range(screen.lines):
        line = screen.buffer[y]
        for x in range(screen.columns):
            if line[x].data:  # or else it is the second half of a wide character
                under = not cursor.hidden and (min(cursor.x, screen.columns - 1), cursor.y) == (x, y)
                wide = 2 if x + 1 < screen.columns and not line[x + 1].data else 1
                _cell(draw, line[x], (PADDING + x * WIDTH, PADDING + y * HEIGHT), wide * WIDTH, theme, under=under)
    return image


def animate(pictures: Sequence[tuple[Image.Image, int]], path: Path) -> None:
    """Writes a GIF without an end: pictures, and for how many milliseconds each is there."""
    width, height = pictures[0][0].size
    some = [picture for picture, _ in pictures[:: max(1, len(pictures) // 8)]]
    sheet = Image.new("RGB", (width, height * len(some)))
    for number, picture in enumerate(some):
        sheet.paste(picture, (0, height * number))
    colours = sheet.quantize(64, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)  # rare ones too: nicks
    frames = [picture.quantize(palette=colours, dither=Image.Dither.NONE) for picture, _ in pictures]
    times = [time for _, time in pictures]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=times, loop=0, optimize=True)


# --- cells


def _cell(draw: ImageDraw.ImageDraw, cell: Char, at: tuple[int, int], width: int, theme: Theme, *, under: bool) -> None:
    """under: whether the cursor is on it."""
    ink, paper = _colour(cell.fg, theme, theme.ink), _colour(cell.bg, theme, theme.paper)
    if cell.reverse != under:
        ink, paper = paper, ink
    x, y = at
    if paper != theme.paper:
        draw.rectangle((x, y, x + width - 1, y + HEIGHT - 1), fill=paper)
    if not cell.data.isspace() and not _shape(draw, cell.data, x, y, ink, paper):
        draw.bitmap(at, _glyph(cell.data, width, bold=cell.bold, slanted=cell.italics), ink)
    if cell.underscore:
        draw.line((x, y + _BASE + 2, x + width - 1, y + _BASE + 2), ink)
    if cell.strikethrough:
        draw.line((x, y + HEIGHT // 2, x + width - 1, y + HEIGHT // 2), ink)


@cache
def _glyph(text: str, width: int, *, bold: bool, slanted: bool) -> Image.Image:
    """What is in a cell, as a mask of its size: nothing of it is in the cells beside."""
    text = "".join(character for character in text if wcwidth(character) > 0 or unicodedata.combining(character))
    font = _choose_font(text[:1], bold=bold, slanted=slanted)
    mask = Image.new("L", (width, HEIGHT))
    base = _BASE if font.size == _SIZE else HEIGHT * 7 // 8  # Unifont's
    ImageDraw.Draw(mask).text((0, base), text, 255, font, "ls")
    return mask


def _colour(name: str, theme: Theme, default: Colour) -> Colour:
    """Of pyte's name for it: a word, or six hexadecimal digits."""
    if name == "default":
        return default
    name = name.replace("bfight", "bright")  # pyte has it so
    plain = name.removeprefix("bright")
    if plain in _NAMES:
        name = theme.named[_NAMES.index(plain) + (8 if plain != name else 0)]
    return int(name[:2], 16), int(name[2:4], 16), int(name[4:], 16)


def _mixed(ink: Colour, paper: Colour, share: float) -> Colour:
    red, green, blue = (round(one * share + other * (1 - share)) for one, other in zip(ink, paper, strict=True))
    return red, green, blue


# --- what has to join without gaps: lines and blocks are drawn by hand

_QUADRANTS = ("", "", "3", "4", "1", "134", "14", "123", "124", "2", "23", "234")  # from U+2594 on; 1 2 above 3 4
_SHADES = {"░": 0.25, "▒": 0.5, "▓": 0.75}
_DIRECTIONS = {"LEFT": "l", "RIGHT": "r", "UP": "u", "DOWN": "d", "HORIZONTAL": "lr", "VERTICAL": "ud"}
_WEIGHTS = ("LIGHT", "HEAVY", "DOUBLE")


def _shape(draw: ImageDraw.ImageDraw, text: str, x: int, y: int, ink: Colour, paper: Colour) -> bool:
    """Draws a block or a line; whether it is one that is drawn so."""
    if text in _SHADES:
        draw.rectangle((x, y, x + WIDTH - 1, y + HEIGHT - 1), fill=_mixed(ink, paper, _SHADES[text]))
        return True
    boxes = _blocks(text) or _lines(text)
    for left, top, right, bottom in boxes:
        draw.rectangle((x + round(left), y + round(top), x + round(right) - 1, y + round(bottom) - 1), fill=ink)
    return bool(boxes)


@cache
def _blocks(text: str) -> tuple[Box, ...]:
    """Where a block element has ink, in pixels of its cell; nothing for what is none."""
    code = ord(text) if len(text) == 1 else 0
    half, middle = WIDTH / 2, HEIGHT / 2
    match code:
        case 0x2580:
            return ((0, 0, WIDTH, middle),)
        case 0x2590:
            return ((half, 0, WIDTH, HEIGHT),)
        case 0x2594:
            return ((0, 0, WIDTH, HEIGHT / 8),)
        case 0x2595:
            return ((WIDTH * 7 / 8, 0, WIDTH, HEIGHT),)
    if 0x2581 <= code <= 0x2588:
        return ((0, HEIGHT * (0x2588 - code) / 8, WIDTH, HEIGHT),)
    if 0x2589 <= code <= 0x258F:
        return ((0, 0, WIDTH * (0x2590 - code) / 8, HEIGHT),)
    if 0x2596 <= code <= 0x259F:
        corners = {"1": (0.0, 0.0), "2": (half, 0.0), "3": (0.0, middle), "4": (half, middle)}
        places = [corners[number] for number in _QUADRANTS[code - 0x2594]]
        return tuple((left, top, left + half, top + middle) for left, top in places)
    return ()


@cache
def _lines(text: str) -> tuple[Box, ...]:
    """The same for box drawings of one weight, whose arcs become corners; others are the font's."""
    name = unicodedata.name(text, "") if len(text) == 1 else ""
    words = name.removeprefix("BOX DRAWINGS ").replace("ARC ", "").split()
    if not name.startswith("BOX DRAWINGS ") or words[0] not in _WEIGHTS:
        return ()
    if not all(word in _DIRECTIONS or word == "AND" for word in words[1:]):
        return ()
    arms = "".join(_DIRECTIONS.get(word, "") for word in words[1:])
    boxes: list[Box] = []
    strokes = {"LIGHT": (0,), "HEAVY": (-1, 0, 1), "DOUBLE": (-2, 2)}[words[0]]
    reach = max(strokes)
    middle_x, middle_y = WIDTH // 2, HEIGHT // 2
    for stroke in strokes:
        left, right = 0 if "l" in arms else middle_x - reach, WIDTH if "r" in arms else middle_x + reach + 1
        top, bottom = 0 if "u" in arms else middle_y - reach, HEIGHT if "d" in arms else middle_y + reach + 1
        if "l" in arms or "r" in arms:
            boxes.append((left, middle_y + stroke, right, middle_y + stroke + 1))
        if "u" in arms or "d" in arms:
            boxes.append((middle_x + stroke, top, middle_x + stroke + 1, bottom))
    return tuple(boxes)


# --- fonts


@cache
def load_font(name: str, size: float) -> ImageFont.FreeTypeFont:
    for place in _PLACES:
        for path in sorted(Path(place).expanduser().rglob(f"{name}.*")):
            if path.suffix in (".ttf", ".otf"):
                return ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.BASIC)
    package = _PACKAGES[name.partition("-")[0].partition("_")[0]]
    raise FontMissing(f"The font {name} is missing: on Debian it comes with {package}.")


@cache
def _choose_font(character: str, *, bold: bool, slanted: bool) -> ImageFont.FreeTypeFont:
    """The first font that has this character; what none has is drawn as the last one's sign for it."""
    usual = load_font("DejaVuSansMono", _SIZE)
    if not _has(usual, character):
        return next((font for font in map(_load_unifont, ("", "_upper")) if _has(font, character)), _load_unifont(""))
    style = f"-{'Bold' if bold else ''}{'Oblique' if slanted else ''}" if bold or slanted else ""
    try:
        styled = load_font(f"DejaVuSansMono{style}", _SIZE)
    except FontMissing:  # slanted ones come apart
        styled = load_font("DejaVuSansMono-Bold", _SIZE) if bold else usual
    return styled if _has(styled, character) else usual


def _load_unifont(plane: str) -> ImageFont.FreeTypeFont:
    return load_font(f"unifont{plane}", HEIGHT)


def _has(font: ImageFont.FreeTypeFont, character: str) -> bool:
    """Whether it draws this otherwise than what it has no glyph for."""
    return bytes(font.getmask(character)) != bytes(font.getmask("\U000effff"))
