"""What is shown of an event, as text."""

from typing import Literal, NamedTuple

from msgspec import UNSET, UnsetType

from anonp2p import limits
from anonp2p.room import events
from anonp2p.room.file_events import AnyFileEvent, OfferEvent
from anonp2p.room.hosting_events import AnyHostingEvent
from anonp2p.room.moderation_events import AnyModerationEvent
from anonp2p.ui.attention import Level
from anonp2p.ui.file_wording import describe_file_event
from anonp2p.ui.hosting_wording import describe_hosting
from anonp2p.ui.reasons import describe_error, describe_reason
from anonp2p.ui.replies import PRIVATE, describe_reply, span
from anonp2p.ui.rights_wording import NAMED, describe_right
from anonp2p.ui.sanitize import sanitize_line, sanitize_text
from anonp2p.ui.verified import VERIFIED

SYSTEM = "[SYSTEM] "
SWITCHED = "Lines go to this room now."  # what a notice says after /switch
REACHABLE_AGAIN = "Others can join again."
LINK_UP_AGAIN = "The link to the room is there again."
TRY_AGAIN = "Enter alone tries again; /leave gives this room up."
OTHER_NICK = "/nick NICK goes on with this join under another nick; /leave gives this room up."
KNOCKING = "You wait until a moderator of the room lets you in"
GIVEN_UP = "That room is given up."
CONVERSATION_OVER = "What you type goes to the whole room again."
SAID_EARLIER = "said earlier; its place was lost"  # of a message that comes late

Move = Literal["joined", "left", "lost", "back", "kicked"]  # what a member did, where one sentence is about many
INDENT = "    "


class Quote(NamedTuple):
    """What is shown of a message that is referred to: who said it, and its first words, sanitized.

    is_offer: they name a file that was offered.
    """

    nick: str
    words: str
    is_offer: bool = False

    def __repr__(self) -> str:
        return "<Quote>"


def format_line(event: events.Event, room: str = "", quote: Quote | None = None) -> str:
    """The event in line mode, without its last line break; empty where it is not worth a line.

    room: the name of the room it comes from, where there is more than one. quote: of the message that it refers to. A
    line of the program's says what that was: what stands behind a nick could be the invention of its owner.

    Only the program's own lines begin with `[SYSTEM] `, only a member's own with its nick and a colon: every further
    line of a text is indented. Of a message of very many lines the first are shown, then a line of ours says so.
    """
    match event:
        case events.MessageEvent(action=action, text=text, private=private, nick=nick):
            said_text = f"*{text}*" if action and private is not True else text
            said = _message(line_prefix(event, room), said_text, nick, program_prefix(room))
            notes = [f"{nick} {SAID_EARLIER}"] if event.late else []
            if event.reply is not None or event.reply_gone is not UNSET:
                notes.append(f"{nick} replies to {describe_quote(quote)}")
            return "\n".join([*(program_prefix(room) + sanitize_line(note) for note in notes), said])
        case OfferEvent(late=True, nick=nick):
            note = program_prefix(room) + sanitize_line(f"{nick} {SAID_EARLIER}")
            return "\n".join([note, *(_block(program_prefix(room), part) for part in describe_event(event))])
        case events.ExpiredEvent(retracted=True) if quote:
            ended = f"offers {quote.words} no more" if quote.is_offer else "has taken a message back"
            return program_prefix(room) + sanitize_line(f"{quote.nick} {ended}")
        case _:
            return "\n".join(_block(line_prefix(event, room), part) for part in describe_event(event))


def describe_quote(quote: Quote | None) -> str:
    """The message that a reply refers to. quote: None if it is gone."""
    return f"{quote.nick}: “{quote.words}”" if quote else "a message that is gone"


def excerpt(text: str) -> str:
    """The first words of a message, on one line and sanitized."""
    from anonp2p.ui.widths import head, width  # not sooner: most of what is printed does without

    words = " ".join(sanitize_text(text[: limits.EXCERPT * 8]).split())
    return words if width(words) <= limits.EXCERPT else head(words, limits.EXCERPT - 1) + "…"


def line_prefix(event: events.Event, room: str = "") -> str:
    """What lines of an event begin with, other than further lines of a text."""
    match event:
        case events.MessageEvent(private=True, nick=nick, to=to):
            return sanitize_line(_speaker(room, f"{nick} (private)" if to is UNSET else f"{nick} (to {to})"))
        case events.MessageEvent(nick=nick):
            return sanitize_line(_speaker(room, nick))
        case _:
            return program_prefix(room)


def program_prefix(room: str) -> str:
    """What the program's own lines begin with."""
    return sanitize_line(f"{SYSTEM}{room}: " if room else SYSTEM)


def fold_text(text: str, most: int, shown: int) -> tuple[str, int]:
    """The text, or so many of its first lines as are shown if it has more than the most; and how many are left out."""
    count = text.count("\n") + 1
    return ("\n".join(text.split("\n", shown)[:-1]), count - shown) if count > most else (text, 0)


def _message(prefix: str, text: str, nick: str, ours: str) -> str:
    shown, hidden = fold_text(sanitize_text(text), limits.LINES_SHOWN, limits.LINES_SHOWN)
    block = prefix + shown.replace("\n", "\n" + INDENT)
    return block + (f"\n{ours}{sanitize_line(f'{more_lines(hidden)} of this message by {nick}')}" if hidden else "")


def describe_notices(level: Level, *, desktop: bool) -> str:
    """What calls the user. desktop: whether the desktop does so too."""
    what = {"all": "Every message here calls you", "none": "Nothing here calls you"}
    called = what.get(level, "Messages here that name you, and private ones, call you")
    return f"{called}; your desktop is {'told too' if desktop else 'not told'}."


def conversation_begins(nick: str) -> str:
    """That what is typed goes to this member from now on."""
    return sanitize_line(f"Only {nick} can read what you type now.")


def more_lines(hidden: int) -> str:
    """What the program says where so many lines of a message are left out."""
    return f"… {hidden:,} more line{'s' * (hidden > 1)}"


def _speaker(room: str, nick: str) -> str:
    return f"{room}/{nick}: " if room else f"{nick}: "


def _block(first: str, text: str) -> str:
    return first + sanitize_text(text).replace("\n", "\n" + INDENT)


def describe_event(event: events.Event) -> list[str]:
    """What the program says of an event that is no message, in sanitized lines.

    Only an `UnsentEvent` may break its own.
    """
    if isinstance(event, events.UnsentEvent):
        return [f"Not sent: {sanitize_text(event.text)}"]
    return [sanitize_line(sentence) for sentence in _describe(event)]


def _describe(event: events.Event) -> list[str]:
    if isinstance(event, AnyHostingEvent):
        return describe_hosting(event)
    if isinstance(event, AnyFileEvent):
        return [describe_file_event(event)]
    if isinstance(event, AnyModerationEvent):
        return describe_right(event)
    match event:
        case events.TorProgressEvent(progress=progress, summary=summary):
            return [f"Tor {progress} %: {describe_reason(summary)}"]
        case events.TorSlowEvent(progress=progress, summary=summary, seconds=seconds, warning=warning):
            doing = describe_reason(summary)
            ask = "Is this machine online?" if warning is UNSET else f"{describe_reason(warning)}."
            return [f"Tor has been at {progress} % ({doing}) for {seconds} seconds. {ask}"]
        case events.TorSkippedEvent(text=error, variable=variable):
            why = describe_error(error)
            return [why if variable is UNSET else f"The Tor that {variable} names is not used. {why}"]
        case events.StateInUseEvent():
            return ["Another copy of anonp2p is running: the Tor of this one starts anew, with other guards."]
        case events.ReadyEvent():
            return ["Connected", "Type /help"]
        case events.EnteredEvent(role="host", name=name, code=code, private=private):
            return [f"Room created: {name}  code {code}", *([PRIVATE] if private is True else [])]
        case events.EnteredEvent(members=members):
            return [entered(event, len(members))]
        case events.RetentionRuleEvent():
            return [_retention(event)]
        case events.HistoryRuleEvent(messages=messages, seconds=seconds):
            last = f"messages of the last {span(seconds)}" if messages is None else f"last {messages} messages"
            return [f"Newcomers are shown the {last}."]
        case events.CoverOnEvent(rate=rate, wait=wait):
            bytes_sent = f"about {rate * 60 / 1000:.0f} kB a minute on each link of yours"
            return [f"Cover is on: {bytes_sent}, and what is said waits for up to {wait:.0f} seconds."]
        case events.CutEvent(count=count):
            cut = "1 entry of yours has lost its place" if count == 1 else f"{count} entries of yours lost their places"
            return [f"Two halves of the room have met: {cut}. What their authors still have comes again."]
        case events.EntriesMissedEvent(count=count, verified=verified):
            why = "You were away for too long, or read too slowly to keep up"
            proven = "" if verified else " Nothing proves that the rest is of the same room: compare words (/verify)."
            return [f"{why}: {count} entries of the room are missing here.{proven}"]
        case events.ExpiredEvent(retracted=True):
            return ["A message was taken back by its author"]
        case events.ExpiredUnseenEvent(count=count):
            return [f"{'A message' if count == 1 else f'{count} messages'} ended before reaching you."]
        case events.NickUnchangedEvent(nick=nick):
            return [f"You are {nick} already."]
        case events.NickAssignedEvent():
            return [_assigned(event)]
        case events.JoinedEvent(nick=nick, unknown_past=unknown):
            return [f"{nick} joined{unknown_past(unknown)}"]
        case events.LeftEvent(nick=nick, reason="left"):
            return [f"{nick} left"]
        case events.LeftEvent(nick=nick, reason="kicked", why=why):
            return [f"{nick} was thrown out{f': {why}' if why else ''}"]
        case events.LeftEvent(nick=nick):
            return [f"{nick} was lost"]
        case events.RenamedEvent(nick=nick, was=was, unknown_past=unknown):
            return [f"{renamed(was, nick)}{unknown_past(unknown)}"]
        case events.VerifiedEvent(nick=nick, verified=True):
            return [
                f"You have verified {nick}: {VERIFIED} stands by that nick as long as the key behind it is the same"
            ]
        case events.VerifiedEvent(nick=nick):
            return [_differing(nick)]
        case events.LookalikeEvent(nick=nick, was=was, of=of):
            return [lookalikes([(nick, was, of)])]
        case events.LinkEvent(state="connecting", detail=reason) if reason.code == "knocking":
            return [f"{KNOCKING}; /leave gives up"]
        case events.LinkEvent(state="connecting", attempt=attempt, detail=reason):
            why = describe_reason(reason)
            return [f"Connecting to the room, try {attempt}" + (f" ({why})" if why else "")]
        case events.LinkEvent(state="lost", detail=reason) if reason.code == "passed-on":
            return ["The host hands the room over"]
        case events.LinkEvent(state="lost", detail=reason):
            return [f"The link to the room was lost: {describe_reason(reason)}"]
        case events.AlarmEvent(reason=reason):
            trust = _TRUST.get(reason.code, " No honest program does that; do not trust this room.")
            return [f"ALARM: {describe_reason(reason)}{trust}"]
        case events.GoneEvent(reason=reason):
            return [_GONE[reason]]
        case events.ReplyEvent():
            return describe_reply(event)
        case events.NoticeEvent(text=text):
            return [text]
        case events.ErrorEvent(text=error):
            return [describe_error(error)]
    return []


def entered(event: events.EnteredEvent, named: int) -> str:
    """Who we are in a room of another's, and with whom. named: how many members are named at most."""
    others = [person.nick for person in event.members if person.member != event.member]
    more = f" and {len(others) - named} more" if len(others) > named else ""
    return f"You are in {event.name} as {event.nick}, with {', '.join(others[:named])}{more}"


def moved(nicks: list[str], move: Move) -> str:
    """What these members did, the latest of them being named."""
    one, several = _MOVES[move]
    some = ", ".join(nicks[-NAMED:])
    if len(nicks) > NAMED:
        return f"{len(nicks)} {several}, last {some}"
    return f"{some} {several if len(nicks) > 1 else one}"


def ignores(nick: str) -> str:
    """That the user sees nothing of somebody any more."""
    return f"You see nothing of what {nick} says any more, until /unignore {nick}, or until you leave the room."


def ignored(nicks: list[str]) -> str:
    """Whom the user ignores."""
    return f"You ignore: {', '.join(nicks)}" if nicks else "You ignore nobody here."


def quiet(minutes: int | None) -> str:
    """Whether what newcomers say is put aside, and for how long after they came."""
    if minutes is None:
        return "Nothing is put aside: you see what newcomers say."
    first = "first minute" if minutes == 1 else f"first {minutes} minutes"
    return f"What members say in their {first} here is put aside; /quiet show shows it."


def put_aside(count: int, authors: int) -> str:
    """That so many messages of so many newcomers were not shown."""
    messages = "1 message" if count == 1 else f"{count:,} messages"
    of = "a newcomer" if authors == 1 else f"{authors:,} newcomers"
    return f"{messages} of {of} put aside: /quiet show"


def renamed(was: str, nick: str) -> str:
    """That somebody has another nick now."""
    return f"{was} is now {nick}"


def given_back(text: str) -> str:
    """That a text was not sent, where a key brings it back: its first line stands for it."""
    lines = text.count("\n") + 1
    more = f" … ({lines} lines)" if lines > 1 else ""
    return f"Not sent: {text.splitlines()[0] if text else ''}{more} (Up brings it back)"


def _differing(nick: str) -> str:
    caution = f"CAUTION: {nick} has other words than you: that is somebody else, or somebody is between you two"
    return f"{caution}. Do not trust what comes from {nick} here"


def lookalikes(alikes: list[tuple[str, str, str]], more: int = 0) -> str:
    """The caution about nicks that may be taken for others. more: how many there are besides.

    alikes: of each, the nick, what it may be taken for, and `of` of the event.
    """
    match alikes:
        case []:
            caution = f"CAUTION: {more} more nicks, too many to list, belonged to others before"
            return f"{caution}; /verify NICK gives words to compare"
        case [(nick, _, "reserved")] if not more:
            return f"CAUTION: {nick} is only a nick that a member chose: it is not this program, and proves no role"
        case [(nick, was, "present")] if not more:
            caution = f"CAUTION: do not confuse {nick} with {was}: they are two members of this room"
            return f"{caution}; /verify {nick} gives words to compare"
        case [(nick, was, _)] if not more:
            caution = f"CAUTION: this {nick} may be somebody else than the {was} who was here before"
            return f"{caution}; /verify {nick} gives words to compare"
    are_former = all(of == "former" for _, _, of in alikes)
    named = ", ".join(nick if nick == was else f"{nick} (like {was})" for nick, was, _ in alikes)
    some = f"{named} and {more} more" if more else named
    caution = f"others had these nicks before: {some}" if are_former else f"these nicks may be taken for others: {some}"
    return f"CAUTION: {caution}; /verify NICK gives words to compare"


def _retention(rule: events.RetentionRuleEvent) -> str:
    least, default, most = rule.minimum, rule.default, rule.maximum
    usual = {0: "not kept", None: "kept until the room ends"}.get(default, f"kept for {span(default)}")
    bounds = f"; authors may choose from {span(least)} to {span(most)}" if least != most else ""
    return f"Messages here are {usual}{bounds}."


def _assigned(event: events.NickAssignedEvent) -> str:
    wanted, nick = event.wanted, event.nick
    if event.free_in is None:
        return f"The nick {wanted} belongs to another member now, so you are {nick}."
    free = f"/nick {wanted} takes it once it is free, in about {event.free_in / 60:.0f} minutes"
    return f"The nick {wanted} belongs to a member who is away, so you are {nick}: {free}."


def unknown_past(unknown: bool | UnsetType) -> str:
    """What follows a sentence about a new nick, if those who had it before may be forgotten."""
    return "" if unknown is UNSET else "; others may have had that nick before"


_TRUST: dict[str, str] = {  # what follows the reason of an alarm, but of one that proves a lie
    "other-at-code": "",
    "order-ignored": " An honest one does it at once: ask it why, or go to another room with the rest.",
}

_GONE = {
    "left": "You left the room",
    "closed": "The room was closed",
    "kicked": "You are out of the room",
    "refused": "You were not let into the room",
    "lost": "The room is lost",
    "tor": "The room is gone with Tor",
}

_MOVES: dict[Move, tuple[str, str]] = {  # of one member, of several
    "joined": ("joined", "joined"),
    "left": ("left", "left"),
    "lost": ("was lost", "were lost"),
    "back": ("is back", "are back"),
    "kicked": ("was thrown out", "were thrown out"),
}
