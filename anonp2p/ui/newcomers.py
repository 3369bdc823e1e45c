"""Which members of one room are new there, and their messages that the user has put aside with /quiet.

Nobody else is told of it. Who was there when we came is nobody new, nor who has said something here as no newcomer, by
its key, so that coming back does not make one new; nor whom a moderator keeps or the user has verified.
"""

from collections import OrderedDict

import msgspec

from anonp2p import limits
from anonp2p.room import events, file_events
from anonp2p.room.moderation_events import KeptEvent, RoleEvent
from anonp2p.ui.attention import Said


class Newcomers:
    """minutes: for how long what members say after they joined is put aside; None: nothing is.

    `now`, as it is given each time: seconds, by a clock of the frontend's choice.
    """

    def __init__(self) -> None:
        self.minutes: int | None = None
        self._joined: dict[str, float] = {}  # when those came who are there and new, by member
        self._known: OrderedDict[str, None] = OrderedDict()  # members who are not new, whatever happens
        self._aside: OrderedDict[int, Said] = OrderedDict()  # by seq, the latest last

    def take_event(self, event: events.Event, now: float) -> bool:
        """Follows who comes and goes. Returns whether the event is to be put aside in place of being shown."""
        match event:
            case events.JoinedEvent(member=member) if member not in self._known:
                self._joined[member] = now
            case events.LeftEvent(member=member):
                self._joined.pop(member, None)
            case (
                events.VerifiedEvent(member=member, verified=True)
                | KeptEvent(member=member)
                | RoleEvent(member=member, role="moderator")
            ):
                self._note_known(member)
            case events.ExpiredEvent(seq=seq):
                self._aside.pop(seq, None)
            case events.MovedEvent(was=was, seq=seq):
                if moved := self._aside.pop(was, None):
                    self._aside[seq] = msgspec.structs.replace(moved, seq=seq)
            case events.MessageEvent(member=member) | file_events.OfferEvent(member=member):
                if self.minutes is not None and self._is_younger(member, self.minutes, now):
                    self._put_aside(event)
                    return True
                if not self.is_new(member, now):
                    self._note_known(member)
        return False

    def is_new(self, member: str, now: float) -> bool:
        """Whether somebody came so lately that no link of theirs is to be shown as one."""
        return self._is_younger(member, max(limits.NEWCOMER, self.minutes or 0), now)

    def mark_event(self, event: events.Event, now: float) -> events.Event:
        """The event; a message or an offer of a newcomer's says so."""
        if isinstance(event, Said) and self.is_new(event.member, now):
            return msgspec.structs.replace(event, newcomer=True)
        return event

    def forget_author(self, member: str) -> None:
        """Keeps nothing of what somebody has said."""
        for seq in [seq for seq, message in self._aside.items() if message.member == member]:
            del self._aside[seq]

    def list_aside(self) -> list[Said]:
        """What was put aside and has not ended, the latest last."""
        return list(self._aside.values())

    def _is_younger(self, member: str, minutes: int, now: float) -> bool:
        joined = self._joined.get(member)
        return joined is not None and now - joined < minutes * 60

    def _note_known(self, member: str) -> None:
        self._joined.pop(member, None)
        self._known[member] = None
        self._known.move_to_end(member)
        if len(self._known) > limits.LOOKS:
            self._known.popitem(last=False)

    def _put_aside(self, message: Said) -> None:
        if message.ttl == 0:
            return  # to be shown once, and never kept
        self._aside[message.seq] = message
        if len(self._aside) > limits.ASIDE:
            self._aside.popitem(last=False)
