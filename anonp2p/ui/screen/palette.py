"""The looks of everything on the full screen, readable on dark and on light backgrounds: we do not know which it is.

What has no background of its own has a colour halfway between black and white. With 16 colours, which every terminal
mixes as it likes, it is one of those that can be read on either.
"""

import zlib
from typing import Final

import urwid

PaletteEntry = tuple[
    str, str, str, str, str, str
]  # name, then fore- and background in 16 colours, mono, both in 256 or more

# Twelve as different as possible that are readable and unlike a warning; the same ones where there are 256. In 16,
# several share one; in mono all nicks look the same.
_NICKS: Final = (
    ("#d75f00", "dark red"),
    ("#5f8700", "dark green"),
    ("#008700", "dark green"),
    ("#008787", "dark cyan"),
    ("#005fff", "dark cyan"),
    ("#5f87d7", "dark cyan"),
    ("#8700ff", "dark magenta"),
    ("#af5fd7", "dark magenta"),
    ("#d700ff", "dark magenta"),
    ("#af00af", "dark red"),
    ("#ff00af", "dark red"),
    ("#d75f87", "dark green"),
)
_GREY: Final = "g46"  # 4.6:1 against black, 4.5:1 against white
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
    _text("private", "dark magenta", "default", "#d700d7"),  # what only two can read
    ("private prompt", "white,bold", "dark magenta", "bold,standout", f"{_WHITE},bold", "#af0087"),
    _text("mention", "dark magenta,bold", "bold,underline", "#d70087,bold"),  # where our nick occurs
    _text("pending", "default,faint", "default", f"{_GREY},italics"),  # said, and not yet in its place
    _text("expiring", "default,faint", "default", _GREY),  # how long a message has still to live
    _text("code", "dark cyan,bold", "bold", "#008787,bold"),  # a room's code and all that is to be typed off
    _text("link", "default,underline", "underline", "default,underline"),
    _text("unread line", "dark red", "default", "#d70000"),  # above what came while the user did not look
    _text("ok", "dark green", "default", "#008700"),
    _text("error", "dark red", "bold", "#d70000"),
    # What must not be missed
    ("alarm", "white,bold", "dark red", "bold,standout", f"{_WHITE},bold", "#af0000"),
    ("caution", "black", "brown", "standout", _BLACK, "#ffaf00"),
    # Around it
    _text("bar", "default,faint", "default", _GREY),  # lines that separate
    _text("title", "default,bold", "bold", "default,bold"),
    _text("key", "dark cyan,bold", "bold", "#008787,bold"),  # what to press, in the help
    _text("prompt", "default,bold", "bold", "default,bold"),  # before what is typed
    ("tabs", "white", "dark blue", "standout", _WHITE, _BAR),
    ("tab active", "black,bold", "light gray", "bold", f"{_BAR},bold", _WHITE),  # reversed among the others
    ("tab unread", "white,bold", "dark blue", "bold,standout", "#ffd75f,bold", _BAR),
    ("tab mention", "white,bold", "dark magenta", "bold,underline,standout", f"{_WHITE},bold", "#af0087"),
    ("status", "white", "dark blue", "standout", _WHITE, _BAR),
    ("status good", "white", "dark blue", "standout", "#afff87", _BAR),
    ("status bad", "white,bold", "dark red", "bold,standout", f"{_WHITE},bold", "#af0000"),
    _text("progress", "default,faint", "default", _GREY),  # what is still to be done of it
    _text("progress done", "dark cyan", "bold", "#008787"),
    ("overlay title", "white,bold", "dark blue", "bold,standout", f"{_WHITE},bold", _BAR),
    *(_text(f"nick {number}", basic, "default", high) for number, (high, basic) in enumerate(_NICKS)),
]

QR: Final = urwid.AttrSpec("#000", "#fff", 256)
"""Black on white, as cameras want it, whatever the colours of all else: NO_COLOR is about adornment, a code is none."""


def nick_style(member: str) -> str:
    """The style of somebody's nick: the same one always and everywhere, whatever they call themselves."""
    return f"nick {zlib.crc32(member.encode()) % len(_NICKS)}"
