"""What is shown of an event, as text; and the one place where whatever a peer sent is made harmless."""

import time
import unicodedata
from collections.abc import Iterator
from typing import Any

from msgspec import UNSET

from anonp2p.core import events, retention
from anonp2p.core.epochs.epoch import KEPT
from anonp2p.ui import qr

SYSTEM = "[SYSTEM] "
INDENT = "    "
_BREAK = "⏎ "  # where a line break was
_MARKS_IN_A_ROW = 4  # combining marks shown on one character: real scripts use up to three; so do Hangul's letters
_REPLACEMENT = "\ufffd"

# Invisible by design, yet in honest text: joiners in emoji and some scripts. Left out rather than marked.
_DROPPED = frozenset("\u00ad\u034f\u17b4\u17b5\u200b\u200c\u200d\u2060\ufeff")
# Choose how the character before them is drawn, and are drawn as nothing anywhere else.
_SELECTORS = frozenset(map(chr, (*range(0x180B, 0x180E), 0x180F, *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))
# Letters and symbols by category, drawn as nothing, or as whatever a font likes.
_BLANK = frozenset("\u115f\u1160\u3164\uffa0\ufffc\U0001d159\U00013441\U00013442\U00016fe4")
_OTHERWISE = {  # drawn far wider than the cells that they are given, over what comes next; and Braille without dots
    "\u2e3a": "\u2014" * 2,
    "\u2e3b": "\u2014" * 3,
    "\ufdfd": "بسم الله الرحمن الرحيم",
    **dict.fromkeys("\U00012031\U00012219\U0001242b", _REPLACEMENT),
    "\u2800": " ",
}
_VOWELS = range(0x1161, 0x1176)  # Hangul's of today, which are drawn into the syllable before them
_ALONE = 0x314F - 0x1161  # further on they stand once more, as they are drawn alone
# Drawn together with what is beside them, though by category no marks: halfwidth voiced sounds, the AM of Thai and Lao,
# what stands before letters in some scripts of India, colours of skin.
_ATTACHED = frozenset("\u0d4e\u0e33\u0eb3\uff9e\uff9f\U000111c2\U000111c3\U0001193f\U00011941\U00011d46") | frozenset(
    map(chr, (*range(0x11A84, 0x11A8A), *range(0x1F3FB, 0x1F400)))
)
_HARMFUL = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")  # controls, bidi and tags, surrogates, private use, separators
_EMOJI = range(0x1F000, 0x1FB00)  # may be newer than our tables, which then say "unassigned"
_KEPT = {"\n": "\n", "\t": " "}  # controls that a text may hold


def _judged(text: str) -> Iterator[tuple[str, str]]:
    """Each character, and what may be shown of it: itself, a sign that something was there, or nothing."""
    marks = 0
    is_drawn = False  # whether what came last is something of which a selector may choose the form
    is_base = False  # whether something came in this line on which a mark can be drawn
    was_initial = False  # whether what came last begins a syllable of Hangul, which several letters can do
    in_syllable = False  # whether it is of Hangul, whose letters are drawn as one syllable
    for character in text:
        if character in _DROPPED:
            yield character, ""
            continue
        category = unicodedata.category(character)
        joins = _joins(character)
        initial = _is_initial(character)
        attached = character in _ATTACHED or (initial and was_initial)
        marks = marks + 1 if category[0] == "M" or attached or (joins and in_syllable) else 0
        if category in _HARMFUL or character in _BLANK or (category == "Cn" and ord(character) not in _EMOJI):
            shown = _REPLACEMENT
        elif joins and (marks > _MARKS_IN_A_ROW or not in_syllable):
            shown = chr(ord(character) + _ALONE) if ord(character) in _VOWELS else _REPLACEMENT
        elif attached and marks > _MARKS_IN_A_ROW:
            shown = _REPLACEMENT
        elif marks > _MARKS_IN_A_ROW or (character in _SELECTORS and not is_drawn):
            shown = ""
        elif category[0] == "M" and not is_base:
            shown = _REPLACEMENT
        else:
            shown = _OTHERWISE.get(character, character)
        yield character, shown
        was_initial = initial
        is_drawn = category[0] in "LNPS" and shown != " "
        if shown:
            is_base = character != "\n"
            in_syllable = shown == character and (joins or _begins(character))


def _joins(character: str) -> bool:
    """Whether it is a vowel or a final letter of Hangul: drawn into what came before, at no cost of a cell."""
    return "\u1161" <= character <= "\u11ff" or "\ud7b0" <= character <= "\ud7ff"


def _begins(character: str) -> bool:
    """Whether it is a syllable of Hangul, or an initial letter of one."""
    return _is_initial(character) or "\uac00" <= character <= "\ud7a3"


def _is_initial(character: str) -> bool:
    return "\u1100" <= character < "\u115f" or "\ua960" <= character <= "\ua97c"


def harmless(text: str) -> str:
    """The text without anything that could move the cursor, hide, reorder or overdraw; line breaks stay."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_KEPT.get(character, shown) for character, shown in _judged(text.replace("\r\n", "\n")))


def one_line(text: str) -> str:
    """The same for what has to stay in its line: a nick, a name, a reason. Line breaks are seen as such."""
    return harmless(text).replace("\n", _BREAK)


def escaped(json: str) -> str:
    """JSON with everything escaped that `harmless` does not let through: the same data, safe to look at."""
    if json.isascii() and json.isprintable():
        return json
    return "".join(character if shown == character else _escape(character) for character, shown in _judged(json))


def _escape(character: str) -> str:
    units = character.encode("utf-16-be")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


def line(event: events.Event, room: str = "") -> str:
    """The event in line mode, without its last line break; empty where it is not worth a line.

    room: the name of the room it comes from, where there is more than one.

    Only the program's own lines begin with `[SYSTEM] `, only a member's own with its nick and a colon: every further
    line of a text is indented.
    """
    match event:
        case events.Message(private=True, text=text, nick=nick, to=to):
            return _block(_who(room, f"{nick} (private)" if to is UNSET else f"{nick} (to {to})"), text)
        case events.Message(action=action, text=text, nick=nick):
            return _block(_who(room, nick), f"*{text}*" if action else text)
        case _:
            prefix = f"{SYSTEM}{room}: " if room else SYSTEM
            return "\n".join(_block(prefix, part) for part in said(event))


def _who(room: str, nick: str) -> str:
    return f"{room}/{nick}: " if room else f"{nick}: "


def _block(prefix: str, text: str) -> str:
    return one_line(prefix) + harmless(text).replace("\n", "\n" + INDENT)


def said(event: events.Event) -> list[str]:
    """What the program says of an event that is no message, in harmless lines; only an `Unsent` may break its own."""
    if isinstance(event, events.Unsent):
        return [f"Not sent: {harmless(event.text)}"]
    return [one_line(sentence) for sentence in _said(event)]


def _said(event: events.Event) -> list[str]:
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
        case events.Lookalike(nick=nick, was=was):
            caution = f"CAUTION: this {nick} may be somebody else than the {was} who was here before"
            return [f"{caution}; /verify {nick} gives words to compare"]
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
        case events.Reply(command="/qr", data=data):
            return qr.rows(qr.matrix(data["code"]), inverted=True)
        case events.Reply(command="/retain", data=data):
            kept, least, default, most = (_span(data[key]) for key in ("ttl", "minimum", "default", "maximum"))
            kept += {None: ", which is until the room ends", 0: ", so they are shown once"}.get(data["ttl"], "")
            return [f"Your messages here are kept for: {kept} (usual {default}, from {least} to {most})"]
        case events.Reply(command="/verify", data={"nick": nick, "words": words}):
            return [f"You and {nick}: {' '.join(words)}"]
        case events.Reply(command="/verify", data=data):
            return _verified(data)
        case events.Reply(command="/rooms", data=rooms):
            return [_room(room) for room in rooms] or ["You are in no room"]
        case events.Reply(command="/help", data=rows):
            wide = max(len(row["usage"]) for row in rows)
            return [f"{row['usage']:{wide}}  {row['does']}" for row in rows]
        case events.Notice(text=text) | events.Error(text=text):
            return [text]
    return []


def _verified(data: dict[str, Any]) -> list[str]:
    """A room's safety words at its last marks, the older one first."""
    marks = [mark for mark in (data["previous"], data) if mark and mark["words"]]
    if not marks:
        return ["No words yet that you could vouch for: ask again in ten minutes"]
    rows = []
    for mark in marks:
        when = time.strftime("%H:%M", time.localtime(mark["at"]))
        rows.append(f"Room at {mark['minutes']} min ({when}): {' '.join(mark['words'])}")
    if not data["minutes"]:
        return [*rows, "They say only that you all have the same code: ask again after ten minutes for what was said"]
    return [*rows, "All members see the same words for the same time"]


def _span(ttl: int | None) -> str:
    return retention.span(KEPT if ttl is None else ttl)


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
