"""What is new in a room, and what of it calls the user."""

import re
from typing import Literal

from anonp2p.room import events
from anonp2p.room.file_events import OfferEvent, TransferEvent
from anonp2p.room.moderation_events import WaitingEvent

Level = Literal["all", "mentions", "none"]  # what calls: each message, those that name us or are for us alone, nothing

Said = events.MessageEvent | OfferEvent


class Attention:
    """Of one room. A room whose level is "none" is silent altogether: nothing in it is counted either.

    nick: our own. unread: messages that the user has not looked at. mentions: those of them that name the user, or are
    for the user alone.
    """

    def __init__(self) -> None:
        self.level: Level = "mentions"
        self.nick = ""
        self.unread = 0
        self.mentions = 0
        self._waiting = 0  # how many knock
        self._awaits_guest = False  # whether we host the room, and nobody has come yet

    @property
    def calls(self) -> int:
        """How many of the messages that the user has not looked at call."""
        return self.unread if self.level == "all" else self.mentions

    def set_level(self, level: Level) -> None:
        """What calls the user from now on."""
        self.level = level
        if level == "none":
            self.mark_seen()

    def mark_seen(self) -> None:
        """The user looks at the room."""
        self.unread = self.mentions = 0

    def is_mentioned(self, message: Said) -> bool:
        """Whether a message names the user, or is for the user alone; of an offer, whether the file's name does."""
        text = message.text if isinstance(message, events.MessageEvent) else message.name
        return not message.mine and (message.private is True or bool(find_nick(text, self.nick)))

    def take_event(self, event: events.Event, *, seen: bool) -> bool:
        """Counts what is new. seen: the user looks at the room. Returns whether the event calls the user."""
        match event:
            case events.EnteredEvent(nick=nick, role=role):
                self.nick, self._awaits_guest = nick, role == "host"
            case events.RenamedEvent(was=self.nick, nick=nick):
                self.nick = nick
            case events.JoinedEvent() if self._awaits_guest:
                self._awaits_guest = False
                return self.level != "none"
            case WaitingEvent(count=count):
                was, self._waiting = self._waiting, count
                return bool(count) and not was and self.level != "none"
            case TransferEvent(mine=False, state="done" | "failed") if self.level != "none":
                return True
            case events.MessageEvent(mine=False, history=False) | OfferEvent(mine=False, history=False):
                return self.level != "none" and self._count(event, seen=seen)
        return False

    def _count(self, message: Said, *, seen: bool) -> bool:
        """Counts what somebody says. Returns whether it calls the user."""
        is_mentioned = self.is_mentioned(message)
        self.unread += not seen
        self.mentions += is_mentioned and not seen
        return is_mentioned or self.level == "all"


def find_nick(text: str, nick: str) -> list[tuple[int, int]]:
    """Where in a text somebody is called by this nick, as a word, in whatever case."""
    if not nick or nick.casefold() not in text.casefold():
        return []
    from anonp2p.ui.widths import continues  # not sooner: most messages name nobody

    found = re.finditer(rf"(?<![\w-]){re.escape(nick)}(?![\w-])", text, re.IGNORECASE)
    return [match.span() for match in found if not continues("", text[match.end() : match.end() + 1])]  # no mark on it
