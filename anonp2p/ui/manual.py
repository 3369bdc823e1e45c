"""What /help COMMAND says besides the row of the table; and what people type by habit of other chat programs."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

_TIMES = "30s, 5m, 2h or 1d"


class Page(NamedTuple):
    """Of one command. parts: of its usage, each with what it means. example: a whole line to type.

    values: what may stand behind the command, or by an option of it behind that, in few words.
    """

    parts: tuple[tuple[str, str], ...]
    example: str
    values: Mapping[str, str] = MappingProxyType({})


PAGES: dict[str, Page] = {
    "/help": Page((("COMMAND", "with or without its /"),), "/help create"),
    "/create": Page(
        (
            ("NAME", "1 to 40 letters, digits and - _ . without spaces"),
            ("--retain T", f"messages are kept for T unless their author says otherwise: {_TIMES}, off or never"),
            ("--retain T:T:T", "at least, usually, at most; authors choose between the first and the last"),
            ("--history N", "newcomers are shown the last N messages; without it none"),
            ("--history T", "newcomers are shown the messages of the last T"),
            ("--knock", "newcomers wait until you, or another moderator, let them in"),
            ("--private", "nobody finds the room without an invitation of /invite; joining needs Tor's control port"),
        ),
        "/create demo --retain 30s:5m:2h --history 20",
        {"--retain": "30s  5m  2h  off  never, or three as in 30s:5m:2h", "--history": "20 messages, or a time: 30m"},
    ),
    "/join": Page(
        (
            ("CODE", "56 letters and digits, with or without .onion; spaces and line breaks in it do not matter"),
            ("CODE", "of a private room: the same, a colon and 52 letters and digits of an invitation"),
            ("NICK", "what to be called there; without it, what /nick or --nick said, or a random one"),
        ),
        "/join iquzgbsqasvb4tci6toqcwazjqbdjg6mmzgns3sab2rgtemkrviu4aqd.onion ann",
    ),
    "/leave": Page((), "/leave"),
    "/close": Page((), "/close"),
    "/nick": Page((("NICK", "1 to 20 letters, digits and - _ . of any script"),), "/nick ann"),
    "/who": Page((), "/who"),
    "/code": Page((("new", "the host gives the room another code; the one before lets nobody in any more"),), "/code"),
    "/qr": Page((), "/qr"),
    "/copy": Page(
        (
            ("code", "the room's code; so does /copy alone, and Alt-C, unless a message is selected"),
            ("link", "the latest link in a message"),
            ("SEQ", "the number of a message"),
        ),
        "/copy code",
    ),
    "/msg": Page((("NICK", "a member; Tab completes it"), ("TEXT", "only the two of you can read it")), "/msg ben hi"),
    "/query": Page(
        (("NICK", "all that you type goes to this member alone; the prompt says so; without it, to the room again"),),
        "/query ben",
    ),
    "/ignore": Page(
        (("NICK", "nobody else learns of it; what was said meanwhile does not come back with /unignore"),),
        "/ignore ben",
    ),
    "/unignore": Page((("NICK", "as /ignore alone lists them"),), "/unignore ben"),
    "/quiet": Page(
        (
            ("MINUTES", "for so long after a member came; who has said something here before is not meant"),
            ("off", "show everything; nobody else learns of it"),
            ("show", "what was put aside and has not ended"),
        ),
        "/quiet 10",
    ),
    "/reply": Page(
        (("SEQ", "the number of a message, as /numbers shows it; without it, the latest one of another"),),
        "/reply 12 I agree",
    ),
    "/numbers": Page((), "/numbers"),
    "/retract": Page((("SEQ", "the number of a message of yours; without it, your latest one"),), "/retract 12"),
    "/retain": Page(
        (
            ("T", f"{_TIMES}, from the moment at which each reader gets it"),
            ("off", "until the room ends"),
            ("never", "shown once to those who are here, and kept by nobody"),
        ),
        "/retain 5m",
        {"": "30s  5m  2h  off  never"},
    ),
    "/verify": Page(
        (
            ("NICK", "words for you and this member; without it, words for the whole room and what was said in it"),
            ("NICK yes|no", "whether they were the same: after yes a check mark stands by the nick"),
        ),
        "/verify ben",
    ),
    "/send": Page(
        (
            ("PATH", "a file; Tab completes it, ~ is your home directory, a path with spaces is put into quotes"),
            ("NICK", "only this member can take it; without it, whoever is in the room"),
            (
                "--clean",
                "a copy of that name is offered, without what mat2 knows to remove of author, place and device",
            ),
        ),
        '/send "~/my report.pdf" ben',
    ),
    "/files": Page((), "/files"),
    "/accept": Page(
        (
            ("OFFER", "the number of an offer, as it is shown or as /files lists it"),
            ("PATH", "a file that is not there yet, or a directory; without it, your downloads folder"),
        ),
        "/accept 3 ~/reports/",
    ),
    "/decline": Page(
        (("OFFER", "the number of an offer; what was taken of it so far stays, for /accept to go on"),), "/decline 3"
    ),
    "/notify": Page(
        (
            ("all", "every message rings the bell while you look elsewhere, and counts in the window's title"),
            ("mentions", "messages with your nick, and private ones; so it is at first"),
            ("none", "nothing: the room is silent, and nothing in it is counted"),
            ("desktop on|off", "whether your desktop tells you too, in fixed words that name nobody; for all rooms"),
        ),
        "/notify all",
    ),
    "/rooms": Page((), "/rooms"),
    "/switch": Page((("ROOM", "its name or its number; Alt-1 to Alt-9 do the same on the full screen"),), "/switch 2"),
    "/heirs": Page((), "/heirs"),
    "/health": Page((), "/health"),
    "/entrust": Page(
        (
            ("NICK", "this member comes first when the room needs another host, and gets the key of its code"),
            ("off", "nobody gets the key; with another host the room gets another code"),
        ),
        "/entrust ben",
    ),
    "/kick": Page((("REASON", "up to 200 characters, which everybody in the room is shown"),), "/kick ben no ads here"),
    "/ban": Page(
        (
            (
                "NICK",
                "that key never comes in again; with another key one does, unless newcomers knock or need invitations",
            ),
            ("REASON", "as for /kick"),
        ),
        "/ban ben ads again",
    ),
    "/unban": Page((("NICK", "the one that the banned member had"),), "/unban ben"),
    "/mute": Page((("NICK", "what a muted member says is shown to nobody, whoever hosts"),), "/mute ben"),
    "/unmute": Page((("NICK", "a muted member"),), "/unmute ben"),
    "/op": Page(
        (("NICK", "who created the room is the first moderator; nobody takes the room from those before"),),
        "/op ben",
    ),
    "/deop": Page((("NICK", "a moderator who became one after you, or yourself"),), "/deop ben"),
    "/lock": Page((), "/lock"),
    "/unlock": Page((), "/unlock"),
    "/knock": Page(
        (
            ("on", "newcomers see that they wait, and nothing of the room; moderators see who waits, and how long"),
            ("off", "all who wait are let in"),
        ),
        "/knock on",
    ),
    "/admit": Page((("NICK", "as the list of those who wait has it; Tab completes it"),), "/admit ben"),
    "/refuse": Page((("NICK", "as the list of those who wait has it; Tab completes it"),), "/refuse ben"),
    "/slow": Page(
        (("SECONDS", "1 to 3,600; moderators need not wait"), ("off", "as fast as one types")),
        "/slow 10",
    ),
    "/raid": Page(
        (("off", "the room is as it was before; without it: locked, newcomers knock, 10 seconds between messages"),),
        "/raid",
    ),
    "/purge": Page(
        (("T", "30s, 10m or 2h: whom you have seen come since then, but moderators and those whom /keep names"),),
        "/purge 10m",
    ),
    "/keep": Page((("NICK", "one who came during a raid, and belongs here"),), "/keep ben"),
    "/invite": Page(
        (("NOTE", "for yourself alone: whom it is for"), ("--uses N", "so many people may come by it; without it one")),
        "/invite for ben --uses 2",
        {"--uses": "1 to 1,000 people"},
    ),
    "/invites": Page((), "/invites"),
    "/revoke": Page((("INVITATION", "its number, as /invites lists it"),), "/revoke 3"),
    "/me": Page((), "/me waves"),
    "/clear": Page((), "/clear"),
    "/quit": Page((), "/quit"),
}

# Only what does the same thing, and nothing that ends a room for others.
HABITS: dict[str, str] = {
    "/?": "/help",
    "/h": "/help",
    "/man": "/help",
    "/commands": "/help",
    "/new": "/create",
    "/j": "/join",
    "/part": "/leave",
    "/rename": "/nick",
    "/names": "/who",
    "/members": "/who",
    "/users": "/who",
    "/q": "/query",
    "/w": "/msg",
    "/tell": "/msg",
    "/whisper": "/msg",
    "/dm": "/msg",
    "/pm": "/msg",
    "/delete": "/retract",
    "/unsend": "/retract",
    "/expire": "/retain",
    "/upload": "/send",
    "/sendfile": "/send",
    "/share": "/send",
    "/offers": "/files",
    "/transfers": "/files",
    "/get": "/accept",
    "/fetch": "/accept",
    "/download": "/accept",
    "/cancel": "/decline",
    "/status": "/health",
    "/list": "/rooms",
    "/channels": "/rooms",
    "/buffer": "/switch",
    "/win": "/switch",
    "/window": "/switch",
    "/remove": "/kick",
    "/kickban": "/ban",
    "/kb": "/ban",
    "/pardon": "/unban",
    "/devoice": "/mute",
    "/gag": "/mute",
    "/voice": "/unmute",
    "/ungag": "/unmute",
    "/mod": "/op",
    "/promote": "/op",
    "/unmod": "/deop",
    "/demote": "/deop",
    "/approve": "/admit",
    "/reject": "/refuse",
    "/deny": "/refuse",
    "/slowmode": "/slow",
    "/invitations": "/invites",
    "/action": "/me",
    "/cls": "/clear",
    "/exit": "/quit",
    "/bye": "/quit",
}


# What people look for that is not there, and what comes near it.
NEAR: dict[str, str] = {
    "/add": "/code",
    "/address": "/code",
    "/block": "/ignore",
    "/connect": "/join",
    "/destroy": "/close",
    "/end": "/close",
    "/fingerprint": "/verify",
    "/friend": "/code",
    "/host": "/heirs",
    "/link": "/code",
    "/settings": "/help",
    "/set": "/help",
    "/silence": "/notify",
    "/topic": "/help",
    "/unquiet": "/quiet",
    "/whois": "/verify",
}


def describe_page(name: str) -> dict[str, object]:
    """The page of a command, as data of the reply to /help; with what else is understood as this command."""
    page = PAGES[name]
    parts = [{"part": part, "means": means} for part, means in page.parts]
    return {"parts": parts, "example": page.example, "also": _habits(name)}


def list_page(name: str) -> list[tuple[str, str]]:
    """The same as a table: what is typed, and what it is."""
    also = _habits(name)
    return [*PAGES[name].parts, ("for example", PAGES[name].example), *([("also", " ".join(also))] if also else [])]


def _habits(name: str) -> list[str]:
    return [habit for habit, command in HABITS.items() if command == name]
