"""Replies to commands, as text."""

import time
from typing import Any

from anonp2p.crypto.epoch import KEPT
from anonp2p.room import events, retention
from anonp2p.room.succession.terms import index_of
from anonp2p.ui import qr
from anonp2p.ui.file_wording import NO_FILES, list_file
from anonp2p.ui.health_wording import describe_health

NO_MESSAGES = "There is no message here that has a number"
JOINING_BY_PASTE = "anonp2p join -  asks for the code: the shell's history has none of it."
NOTHING_ASIDE = "Nothing was put aside, or it has ended"
INVITING = "Hand it over where nobody else reads it: whoever comes first with it is in."
NO_INVITATIONS = "There is no invitation yet: /invite makes one."
PRIVATE = "This room is private: /invite makes the code that a guest joins with."
NO_ROOMS = "You are in no room"
WHAT_ROOM_WORDS_PROVE = (
    "Whoever has the same words for the same time is in this very room, and up to then everything in it was the same "
    "for you both, from its beginning on. Who is behind a nick, only /verify NICK shows"
)


def describe_reply(reply: events.ReplyEvent) -> list[str]:
    """The lines of a reply; none of a command of another version."""
    match reply:
        case events.ReplyEvent(command="/nick", data=data):
            return [f"You join rooms as {data['nick']} from now on."]
        case events.ReplyEvent(command="/who", data=people):
            return [_listed(person) for person in people]
        case events.ReplyEvent(command="/code", data=data):
            return [f"Code {data['code']}", JOINING_BY_PASTE]
        case events.ReplyEvent(command="/qr", data=data):
            return qr.rows(qr.matrix(data["code"]), inverted=True)
        case events.ReplyEvent(command="/heirs", data=data):
            return _heirs(data)
        case events.ReplyEvent(command="/health", data=data):
            return describe_health(data)
        case events.ReplyEvent(command="/retain", data=data):
            kept, least, default, most = (span(data[key]) for key in ("ttl", "minimum", "default", "maximum"))
            kept += {None: ", which is until the room ends", 0: ", so they are shown once"}.get(data["ttl"], "")
            is_free = data["minimum"] == 0 and data["maximum"] is None
            choice = "choose any time, never or off" if is_free else f"choose from {least} to {most}"
            return [f"Your messages here are kept for: {kept} (usual {default}; {choice})"]
        case events.ReplyEvent(command="/verify", data={"nick": nick, "words": words}):
            return [f"You and {nick}: {_number_words(words)}. {_compare_words(nick)}"]
        case events.ReplyEvent(command="/verify", data=data):
            return _verified(data)
        case events.ReplyEvent(command="/numbers", data=rows):
            return [f"{_number(row['seq'], rows):>6}  {row['nick']}: {row['words']}" for row in rows] or [NO_MESSAGES]
        case events.ReplyEvent(command="/admit", data=data):
            waits = "The room is locked: who was admitted comes in once you type /unlock."
            return [waits] if data["locked"] else []
        case events.ReplyEvent(command="/refuse", data=data):
            return [f"{data['nick'] or 'Who waited'} was turned away."]
        case events.ReplyEvent(command="/invite", data=data):
            return [describe_invited(data), f"Code {data['code']}", INVITING]
        case events.ReplyEvent(command="/revoke", data=data):
            return [f"Nobody else comes by invitation {data['invitation']}."]
        case events.ReplyEvent(command="/invites", data=rows):
            return [f"  {number}  {about}" for number, about in map(list_invitation, rows)] or [NO_INVITATIONS]
        case events.ReplyEvent(command="/files", data={"files": rows}):
            return [f"  {number}  {about}" for number, about in map(list_file, rows)] or [NO_FILES]
        case events.ReplyEvent(command="/quiet", data=rows):
            return [f"  {row['nick']}: {row['words']}" for row in rows] or [NOTHING_ASIDE]
        case events.ReplyEvent(command="/rooms", data=rooms):
            return [_room(room) for room in rooms] or [NO_ROOMS]
        case events.ReplyEvent(command="/help", data=rows):
            wide = max(len(row["usage"]) for row in rows)
            page = _page(rows[0]) if len(rows) == 1 else []
            return [*(f"{row['usage']:{wide}}  {row['does']}" for row in rows), *page]
    return []


def describe_invited(data: dict[str, Any]) -> str:
    """Of an invitation that was just made: its number, and for how many it is good."""
    guests = "1 guest" if data["uses"] == 1 else f"{data['uses']:,} guests"
    return f"Invitation {data['invitation']}, for {guests}; /revoke {data['invitation']} ends it."


def list_invitation(row: dict[str, Any]) -> tuple[str, str]:
    """The number of an invitation, and what there is to know of it. row: of the reply to /invites."""
    state = "revoked" if row["revoked"] else "used up" if row["used"] >= row["uses"] else "good"
    note = f"  ({row['note']})" if row.get("note") else ""
    came = f"  came: {', '.join(one['nick'] for one in row['members'])}" if row["members"] else ""
    return str(row["invitation"]), f"{state}  {row['used']} of {row['uses']}{note}{came}"


def _heirs(data: dict[str, Any]) -> list[str]:
    """Who hosts, who would, and who has or had the key of the room's code."""
    rows = [f"Host: {_nick(data['host'])}"]
    for heir in data["heirs"]:
        away = "" if heir["ready"] else " (away)"
        rows.append(f"  {heir['rank']}  {_nick(heir)}{away}{'  has the key' if heir['holds_key'] else ''}")
    if not data["heirs"]:
        rows.append("Nobody can take the room over now: none of the others can, or wants to, or is ready yet")
    return [*rows, f"Whoever has had the key of the room's code: {', '.join(map(_nick, data['holders']))}"]


def _nick(member: dict[str, Any]) -> str:
    """Of one who may have left since."""
    return member["nick"] or f"one who is gone ({member['member'][:8]})"


def _page(row: dict[str, Any]) -> list[str]:
    """What help on one command says besides its row."""
    parts = [(it["part"], it["means"]) for it in row["parts"]] + [("for example", row["example"])]
    parts += [("also", " ".join(row["also"]))] if row["also"] else []
    wide = max(len(part) for part, _ in parts)
    return [f"  {part:{wide}}  {means}" for part, means in parts]


def _number(seq: int, rows: list[dict[str, Any]]) -> str:
    """The number by which a message of these rows can be named: none if its place was cut, and another has it now."""
    number = index_of(seq)
    return str(number) if all(row["seq"] <= seq for row in rows if index_of(row["seq"]) == number) else ""


def _verified(data: dict[str, Any]) -> list[str]:
    """A room's safety words at its last marks, the older one first, and what they prove."""
    marks = [mark for mark in (data["previous"], data) if mark and mark["words"]]
    return [*(f"{name_mark(mark)}: {_number_words(mark['words'])}" for mark in marks), *what_words_prove(data)]


def name_mark(mark: dict[str, Any]) -> str:
    """When a room's safety words were as they are here."""
    when = time.strftime("%H:%M", time.localtime(mark["at"]))
    return f"Room at {mark['minutes']} min ({when})"


def what_words_prove(data: dict[str, Any]) -> list[str]:
    """What a room's safety words prove, and since when."""
    if data["minutes"] is None:
        return ["No words yet that you could vouch for: ask again in ten minutes"]
    if not data["minutes"]:
        return ["They say only that you all have the same code: ask again after ten minutes for what was said"]
    if data["unproven"] is None:
        return [WHAT_ROOM_WORDS_PROVE]
    since = f"What you saw before minute {data['unproven']} is not in them: nothing proves what is missing since"
    return [since, WHAT_ROOM_WORDS_PROVE]


def _number_words(words: list[str]) -> str:
    return " ".join(f"{number} {word}" for number, word in enumerate(words, 1))


def _compare_words(nick: str) -> str:
    how = f"Compare them with {nick} over another channel, where you know voice or face"
    return f"{how}; then type /verify {nick} yes, or /verify {nick} no"


def _listed(person: events.Person) -> str:
    host = "  host" if person.role == "host" else ""
    role = "  moderator" if person.moderator is True else "  muted" if person.role == "muted" else ""
    return f"  {person.nick}  {person.tag}{host}{role}{'  verified' if person.verified is True else ''}"


def _room(room: dict[str, Any]) -> str:
    mark = "*" if room["active"] else " "
    return f"{mark} {room['room']}  {room['name'] or '(joining)'}  {room['members']} here  {room['role']}"


def span(ttl: int | None) -> str:
    """How long a message is kept, in words. ttl: as in events."""
    return retention.span(KEPT if ttl is None else ttl)
