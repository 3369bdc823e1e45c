"""What is shown of an event, as text; and the one place where whatever a peer sent is made harmless."""

import re
import unicodedata
from typing import Any

from anonp2p.core import events
from anonp2p.ui.commands import COMMANDS

SYSTEM = "[SYSTEM] "
_INDENT = "    "
_MARKS_IN_A_ROW = 4  # combining marks shown on one character: real scripts use up to three
_REPLACEMENT = "\ufffd"

# Invisible by design, yet in honest text: joiners in emoji and some scripts. Left out rather than marked.
_DROPPED = frozenset("\u200b\u200c\u200d\u2060\ufeff\u00ad")
_HARMFUL = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")  # controls, bidi and tags, surrogates, private use, separators
_EMOJI = range(0x1F000, 0x1FB00)  # may be newer than our tables, which then say "unassigned"
# The same set as far as it matters to a terminal that prints JSON as it is; JSON itself escapes what is below U+0020.
_ESCAPED = re.compile(
    "[\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e0fff]"
)


def harmless(text: str) -> str:
    """The text without anything that could move the cursor, hide, reorder or overdraw; line breaks stay."""
    shown: list[str] = []
    marks = 0
    for character in text.replace("\r\n", "\n"):
        if character in _DROPPED:
            continue
        category = unicodedata.category(character)
        marks = marks + 1 if category[0] == "M" else 0
        if character == "\n":
            shown.append(character)
        elif character == "\t":
            shown.append(" ")
        elif marks <= _MARKS_IN_A_ROW:
            harmful = category in _HARMFUL or (category == "Cn" and ord(character) not in _EMOJI)
            shown.append(_REPLACEMENT if harmful else character)
    return "".join(shown)


def escaped(json: str) -> str:
    """JSON with everything escaped that could do a terminal harm: the same data, safe to look at."""
    return _ESCAPED.sub(_escape, json)


def _escape(match: re.Match[str]) -> str:
    units = match[0].encode("utf-16-be")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


def line(event: events.Event, room: str = "") -> str:
    """The event in line mode, without its last line break; empty where it is not worth a line.

    room: the name of the room it comes from, where there is more than one.

    Only the program's own lines begin with `[SYSTEM] `, only a member's own with its nick and a colon: every further
    line of a text is indented.
    """
    match event:
        case events.Message(action=action, text=text, nick=nick):
            return _block(f"{room}/{nick}: " if room else f"{nick}: ", f"*{text}*" if action else text)
        case _:
            prefix = f"{SYSTEM}{room}: " if room else SYSTEM
            return "\n".join(_block(prefix, part) for part in _said(event))


def _block(prefix: str, text: str) -> str:
    return prefix + harmless(text).replace("\n", "\n" + _INDENT)


def _said(event: events.Event) -> list[str]:
    """What the program says of an event that is no message, in lines."""
    match event:
        case events.TorProgress(progress=progress, summary=summary):
            return [f"Tor {progress} %: {summary}"]
        case events.Ready():
            return ["Connected", "Type /help"]
        case events.Entered(role="host", name=name, code=code):
            return [f"Room created: {name}  code {code}"]
        case events.Entered(name=name, nick=nick, members=members):
            others = ", ".join(person.nick for person in members if person.nick != nick)
            return [f"You are in {name} as {nick}, with {others}"]
        case events.Reachable():
            return ["Others can join now"]
        case events.Unsent(text=text):
            return [f"Not sent: {text}"]
        case events.Joined(nick=nick):
            return [f"{nick} joined"]
        case events.Left(nick=nick, reason="left"):
            return [f"{nick} left"]
        case events.Left(nick=nick, reason="kicked"):
            return [f"{nick} was thrown out"]
        case events.Left(nick=nick):
            return [f"{nick} was lost"]
        case events.Renamed(nick=nick, was=was):
            return [f"{was} is now {nick}"]
        case events.Link(state="connecting", attempt=attempt, detail=detail):
            return [f"Connecting to the room, try {attempt}" + (f" ({detail})" if detail else "")]
        case events.Link(state="lost", detail=detail):
            return [f"The link to the room was lost: {detail}"]
        case events.Alarm(reason=reason):
            return [f"ALARM: {reason} No honest program does that; do not trust this room."]
        case events.Gone(reason=reason):
            return [_GONE[reason]]
        case events.Reply(command="/who", data=people):
            return [f"  {person.nick}  {person.tag}{'  host' if person.role == 'host' else ''}" for person in people]
        case events.Reply(command="/code", data=data):
            return [f"Code {data['code']}"]
        case events.Reply(command="/rooms", data=rooms):
            return [_room(room) for room in rooms] or ["You are in no room"]
        case events.Reply(command="/help", data=rows):
            wide = max(len(command.usage) for command in COMMANDS)
            return [f"{row['usage']:{wide}}  {row['does']}" for row in rows]
        case events.Notice(text=text) | events.Error(text=text):
            return [text]
    return []


def _room(room: dict[str, Any]) -> str:
    mark = "*" if room["active"] else " "
    return f"{mark} {room['room']}  {room['name'] or '(joining)'}  {room['members']} here  {room['role']}"


_GONE = {
    "left": "You left the room",
    "closed": "The room was closed by its host",
    "kicked": "You are out of the room",
    "refused": "You were not let into the room",
    "lost": "The room is lost",
    "tor": "The room is gone with Tor",
}
