"""Pictures of terminals: what a phone reads off a QR code has to be there, pixel by pixel."""

import pyte
import pytest
import segno
from PIL import Image

from tests.support import picture
from tests.support.picture import DARK, HEIGHT, LIGHT, PADDING, WIDTH

_RED = (0x12, 0x34, 0x56)


def _drawn(*rows: str, theme: picture.Theme = DARK) -> Image.Image:
    screen = pyte.Screen(20, len(rows))
    pyte.Stream(screen).feed("\x1b[?25l" + "\r\n".join(rows))
    return picture.render(screen, theme)


def _pixel(image: Image.Image, x: float, y: float) -> object:
    """The one in this place, which is counted in cells."""
    return image.getpixel((PADDING + int(x * WIDTH), PADDING + int(y * HEIGHT)))


def _cell(image: Image.Image, x: int, y: int, wide: int = 1) -> set[object]:
    """The colours in a cell."""
    left, top = PADDING + x * WIDTH, PADDING + y * HEIGHT
    colours = image.crop((left, top, left + wide * WIDTH, top + HEIGHT)).getcolors(1_000)
    return {colour for _, colour in colours or ()}


def test_full_blocks_join() -> None:
    image = _drawn("███", "███")
    assert set().union(*(_cell(image, x, y) for x in range(3) for y in range(2))) == {DARK.ink}
    assert _cell(image, 3, 0) == {DARK.paper}


def test_lines_join() -> None:
    image = _drawn("╭─┬─╮", "│ │ │", "╰─┴─╯")
    for y in range(HEIGHT // 2, 3 * HEIGHT - HEIGHT // 2):
        for x in (0, 2, 4):
            assert _pixel(image, x + 0.5, y / HEIGHT) == DARK.ink
    for x in range(WIDTH // 2, 5 * WIDTH - WIDTH // 2):
        for y in (0, 2):
            assert _pixel(image, x / WIDTH, y + 0.5) == DARK.ink


@pytest.mark.parametrize(
    ("character", "corners"),
    [("▀", "12"), ("▄", "34"), ("▌", "13"), ("▐", "24"), ("▘", "1"), ("▟", "234"), ("▚", "14"), ("▙", "134")],
)
def test_halves_and_quarters(character: str, corners: str) -> None:
    image = _drawn(character)
    inked = ""
    for number, (x, y) in enumerate(((0.2, 0.2), (0.8, 0.2), (0.2, 0.8), (0.8, 0.8)), 1):
        inked += str(number) if _pixel(image, x, y) == DARK.ink else ""
    assert inked == corners
    assert _cell(image, 0, 0) == {DARK.ink, DARK.paper}


@pytest.mark.parametrize("theme", [DARK, LIGHT])
def test_every_module_of_a_qr_code_in_half_blocks(theme: picture.Theme) -> None:
    modules = [[bool(module) for module in row] for row in segno.make("a" * 17, micro=False).matrix]
    modules += [[False] * len(modules)] * (len(modules) % 2)
    signs = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}
    screen = pyte.Screen(len(modules[0]), len(modules) // 2)
    rows = ["".join(signs[pair] for pair in zip(*modules[y : y + 2], strict=True)) for y in range(0, len(modules), 2)]
    pyte.Stream(screen).feed("\x1b[?25l\x1b[38;2;0;0;0;48;2;255;255;255m" + "\r\n".join(rows))
    image = picture.render(screen, theme)
    for y, row in enumerate(modules):
        for x, module in enumerate(row):
            assert _pixel(image, x + 0.5, y / 2 + 0.25) == ((0, 0, 0) if module else (255, 255, 255)), (x, y)


def test_colours_and_reverse() -> None:
    image = _drawn("\x1b[48;2;18;52;86m \x1b[0m \x1b[38;2;18;52;86m█\x1b[7m█ \x1b[0;44m ")
    assert [_cell(image, x, 0) for x in range(5)] == [{_RED}, {DARK.paper}, {_RED}, {DARK.paper}, {_RED}]
    assert _cell(image, 5, 0) == {(0x5F, 0x8F, 0xD0)}


def test_every_character_is_drawn_and_in_its_own_cells() -> None:
    image = _drawn("e é 你 🦊", "g ش ᚠ ❤")
    for x, y, wide in ((0, 0, 1), (2, 0, 1), (4, 0, 2), (7, 0, 2), (0, 1, 1), (2, 1, 1), (4, 1, 1), (6, 1, 1)):
        assert len(_cell(image, x, y, wide)) > 1, (x, y)
    for x, y in ((1, 0), (3, 0), (6, 0), (9, 0), (1, 1), (3, 1), (5, 1), (7, 1)):
        assert _cell(image, x, y) == {DARK.paper}, (x, y)


def test_the_cursor_is_a_block() -> None:
    screen = pyte.Screen(3, 1)
    pyte.Stream(screen).feed("a")
    assert _cell(picture.render(screen), 1, 0) == {DARK.ink}


def test_bold_is_another_font() -> None:
    image = _drawn("A\x1b[1mA")
    plain, bold = (image.crop((8 + x * WIDTH, 8, 8 + (x + 1) * WIDTH, 8 + HEIGHT)) for x in range(2))
    assert plain.tobytes() != bold.tobytes()


def test_a_missing_font_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture, "_PLACES", ())
    with pytest.raises(picture.FontMissing, match="fonts-unifont"):
        picture.load_font.__wrapped__("unifont_upper", 1)
