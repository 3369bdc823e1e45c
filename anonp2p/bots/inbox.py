"""What a program has not read yet of a room: bounded, and told where something is missing."""

from collections import deque
from itertools import islice

import trio

from anonp2p import limits
from anonp2p.errors import RoomGone
from anonp2p.room.events import (
    EntriesMissedEvent,
    ExpiredEvent,
    ExpiredUnseenEvent,
    GoneEvent,
    MessageEvent,
    MovedEvent,
)
from anonp2p.room.file_events import OfferEvent
from anonp2p.ui.plain_events import PlainEvent


class _Wait:
    """Somebody waits for an event of this type. at: its place, once it is there."""

    def __init__(self, type_: str) -> None:
        self.type = type_
        self.event: PlainEvent | None = None
        self.at = 0
        self.ended = trio.Event()


class Inbox:
    """The events of one room, in their order, for one reader. Nothing waits to put one in.

    An event may be waited for without being read: whoever reads is given it nonetheless. When it is full, what comes
    is counted instead, and `missed` stands in its place; but a program that only waits, and never reads, is to go on:
    of what it has waited past, the oldest makes room. `gone` is the last event, and always kept.

    room: its label.
    """

    def __init__(self, room: str, capacity: int = limits.UNREAD) -> None:
        self._room = room
        self._capacity = capacity
        self._events: deque[PlainEvent] = deque()
        self._first = 0  # how many events were taken out so far: the place of the first that is there
        self._waited = 0  # the place after the last event that was waited for
        self._made_room = 0  # events that were taken out unread, before the first that is there
        self._missing = 0  # events that were not kept, after the last that is there
        self._waits: list[_Wait] = []
        self._news = trio.lowlevel.ParkingLot()
        self._has_reader = False
        self._gone: PlainEvent | None = None
        self._is_over = False

    def put(self, event: PlainEvent) -> None:
        """Adds an event; nothing after the end."""
        if self._is_over:
            return
        if isinstance(event, ExpiredEvent) and self._forget(event.seq):
            return
        self._fulfil(event)
        if isinstance(event, GoneEvent):
            self._note_missing()
            self._events.append(event)
            self._gone = event
            self.close()
        elif len(self._events) + bool(self._missing) < self._capacity:
            self._note_missing()
            self._events.append(event)
        elif self._first < self._waited and not self._missing:
            self._events.popleft()
            self._first += 1
            self._made_room += 1
            self._events.append(event)
        else:
            self._missing += 1
        self._news.unpark_all()

    def close(self) -> None:
        """Nothing comes any more."""
        self._is_over = True
        self._news.unpark_all()
        for wait in self._waits:
            wait.ended.set()

    async def next_event(self) -> PlainEvent | None:
        """The next event, once there is one; None after the last. Raises BusyResourceError while another task waits."""
        if self._has_reader:
            raise trio.BusyResourceError
        self._has_reader = True
        try:
            await trio.lowlevel.checkpoint()
            while not (self._made_room or self._events or self._missing or self._is_over):
                await self._news.park()
        finally:
            self._has_reader = False
        if self._made_room:
            count, self._made_room = self._made_room, 0
            return self._missed(count)
        if not self._events:
            self._note_missing()
        if not self._events:
            return None
        self._first += 1
        return self._events.popleft()

    async def wait_for(self, type_: str) -> PlainEvent:
        """The next event of this type that was not waited for yet. Raises RoomGone if none can come any more."""
        start = max(self._waited, self._first)
        for at, event in enumerate(islice(self._events, start - self._first, None), start):
            if event.type == type_:
                self._waited = at + 1
                await trio.lowlevel.cancel_shielded_checkpoint()
                return event
        wait = _Wait(type_)
        if not self._is_over:
            self._waits.append(wait)
            try:
                await wait.ended.wait()
            finally:
                self._waits.remove(wait)
        if wait.event is not None:
            self._waited = max(self._waited, wait.at + 1)
            return wait.event
        await trio.lowlevel.cancel_shielded_checkpoint()
        if self._gone is not None and type_ == self._gone.type:
            return self._gone
        raise RoomGone

    def _fulfil(self, event: PlainEvent) -> None:
        """Gives an event that is about to be added to those who wait for it."""
        for wait in self._waits:
            if wait.event is None and wait.type == event.type:
                wait.event, wait.at = event, self._first + len(self._events) + bool(self._missing)
                wait.ended.set()

    def _note_missing(self) -> None:
        """Says in its place that something is missing."""
        if self._missing:
            count, self._missing = self._missing, 0
            self._events.append(self._missed(count))

    def _missed(self, count: int) -> PlainEvent:
        return EntriesMissedEvent(room=self._room, count=count, verified=True, lagging=True)

    def _forget(self, seq: int) -> bool:
        """A message has expired: takes it out, if it was neither read nor waited for; returns whether it did."""
        for at in range(len(self._events) - 1, -1, -1):
            match self._events[at]:
                case MovedEvent(was=was, seq=to) if to == seq:
                    seq = was
                case MessageEvent(seq=its) | OfferEvent(seq=its) if its == seq:
                    self._events[at] = ExpiredUnseenEvent(room=self._room, count=1)
                    return self._first + at >= self._waited
        return False
