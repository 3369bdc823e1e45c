"""The looks of everything on the full screen, readable on dark and on light backgrounds: we do not know which it is.

What has no background of its own has a colour halfway between black and white: with a contrast of 4.5 or more against
both. Of 256 colours only six are such, so that some hues share one and differ by a line under them. With 16, which
every terminal mixes as it likes, it is one of those that can be read on either.
"""

from typing import Final

import urwid

PaletteEntry = tuple[
    str, str, str, str, str, str
]  # name, then fore- and background in 16 colours, mono, both in 256 or more

# The hues of nicks, the first ones the most different. In 16 colours two share one, and one of them is underlined; in
# mono all nicks look the same.
_NICKS: Final = (
    ("#008800", "dark green"),
    ("#af6300", "dark red"),
    ("#5f5fff", "dark cyan,underline"),
    ("#d704b3", "dark magenta"),
    ("#008387", "dark cyan"),
    ("#af5f5b", "dark red,underline"),
    ("#bb00ff", "dark magenta,underline"),
    ("#637f00", "dark green,underline"),
)
HUES: Final = len(_NICKS)
_GREY: Final = "g46"  # 4.6:1 against black, 4.5:1 against white
_GREEN: Final = "#008900"
_CYAN: Final = "#008383"
_RED: Final = "#ec0000"
_MAGENTA: Final = "#d000d0"
_PINK: Final = "#e0008f"

# What stands for these where there are 256 colours; the nearest one could not be read as well.
_OF_256: Final = {
    "#008800": "#00875f",
    "#af6300": "#af5f5f",
    "#d704b3": "#d700af",
    "#008387": "#00875f,underline",
    "#af5f5b": "#af5f5f,underline",
    "#bb00ff": "#875fd7",
    "#637f00": "#d700af,underline",
    _GREEN: "#00875f",
    _CYAN: "#00875f",
    _RED: "#af5f5f",
    _MAGENTA: "#d700af",
    _PINK: "#d700af",
}
_BAR: Final = "#005f87"
_WHITE: Final = "g100"
_BLACK: Final = "g0"


def _text(name: str, basic: str, mono: str, high: str) -> PaletteEntry:
    """On the terminal's own background."""
    return name, basic, "default", mono, high, "default"


PALETTE: Final[list[PaletteEntry]] = [
    # Messages and lines of the program
    _text("time", "default,faint", "default", _GREY),  # when
    _text("quiet", "default,faint", "default", _GREY),  # who comes and goes, and what the program has to say
    _text("own", "default,bold", "bold", "default,bold"),  # our nick
    _text("private", "dark magenta", "default", _MAGENTA),  # what only two can read
    ("private prompt", "white,bold", "dark magenta", "bold,standout", f"{_WHITE},bold", "#af0087"),
    _text("mention", "dark magenta,bold", "bold,underline", f"{_PINK},bold"),  # where our nick occurs
    _text("pending", "default,faint", "default", f"{_GREY},italics"),  # said, and not yet in its place
    _text("expiring", "default,faint", "default", _GREY),  # how long a message has still to live
    _text("code", "dark cyan,bold", "bold", f"{_CYAN},bold"),  # a room's code and all that is to be typed off
    _text("link", "default,underline", "underline", "default,underline"),
    _text("unread line", "dark red", "default", _RED),  # above what came while the user did not look
    _text("ok", "dark green", "default", _GREEN),
    _text("error", "dark red", "bold", _RED),
    # What must not be missed
    ("alarm", "white,bold", "dark red", "bold,standout", f"{_WHITE},bold", "#af0000"),
    ("caution", "black", "brown", "standout", _BLACK, "#ffaf00"),
    # What the user has selected, or looks for
    ("selected", "black", "brown", "standout", _BLACK, "#ffaf00"),
    # Around it
    _text("bar", "default,faint", "default", _GREY),  # lines that separate
    _text("title", "default,bold", "bold", "default,bold"),
    _text("key", "dark cyan,bold", "bold", f"{_CYAN},bold"),  # what to press, in the help
    _text("prompt", "default,bold", "bold", "default,bold"),  # before what is typed
    ("tabs", "white", "dark blue", "standout", _WHITE, _BAR),
    ("tab active", "black,bold", "light gray", "bold", f"{_BAR},bold", _WHITE),  # reversed among the others
    ("tab unread", "white,bold", "dark blue", "bold,standout", "#ffd75f,bold", _BAR),
    ("tab mention", "white,bold", "dark magenta", "bold,underline,standout", f"{_WHITE},bold", "#af0087"),
    ("status", "white", "dark blue", "standout", _WHITE, _BAR),
    ("status good", "white", "dark blue", "standout", "#afff87", _BAR),
    ("status bad", "white,bold", "dark red", "bold,standout", f"{_WHITE},bold", "#af0000"),
    _text("progress", "default,faint", "default", _GREY),  # what is still to be done of it
    _text("progress done", "dark cyan", "bold", _CYAN),
    ("overlay title", "white,bold", "dark blue", "bold,standout", f"{_WHITE},bold", _BAR),
    *(_text(f"nick {number}", basic, "default", high) for number, (high, basic) in enumerate(_NICKS)),
]


def fit_palette(colors: int) -> list[PaletteEntry]:
    """The palette for a terminal with so many colours."""
    return PALETTE if colors > 256 else [(*entry[:4], _of_256(entry[4]), entry[5]) for entry in PALETTE]


def _of_256(high: str) -> str:
    color, _, rest = high.partition(",")
    return ",".join(filter(None, (_OF_256.get(color, color), rest)))


QR: Final = urwid.AttrSpec("#000", "#fff", 256)
"""Black on white, as cameras want it, whatever the colours of all else: NO_COLOR is about adornment, a code is none."""


def nick_style(hue: int) -> str:
    """The style of the nick of a member who has this of the `HUES` hues."""
    return f"nick {hue}"
