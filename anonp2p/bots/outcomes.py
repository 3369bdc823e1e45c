"""What becomes of the inputs of a program: the events that each has caused, by its id."""

from collections.abc import Iterator
from contextlib import contextmanager

import trio

from anonp2p.errors import AnonError, RoomGone, Unsent
from anonp2p.room import events
from anonp2p.room.hosting_events import HeirsEvent


class Outcome:
    """Of one input. re: its id. is_text: it is a text, which ends in its receipt or is given back."""

    def __init__(self, re: int) -> None:
        self.re = re
        self.is_text = False
        self._notice: events.NoticeEvent | None = None
        self._event: events.Event | None = None
        self._error: AnonError | None = None
        self._is_known = trio.Event()

    @property
    def is_there(self) -> bool:
        """Whether it is known."""
        return self._is_known.is_set()

    def take_event(self, event: events.Event) -> None:
        """The input has caused this; the first event that answers it counts. Notices and heirs come beside it."""
        match event:
            case _ if self.is_there:
                pass
            case events.ErrorEvent(text=error):
                self._error = error
                if not self.is_text:
                    self._is_known.set()
            case events.UnsentEvent():
                self.end()
            case events.NoticeEvent():
                self._notice = self._notice or event
            case HeirsEvent():
                pass
            case _:
                self._event = event
                self._is_known.set()

    def answer_with_notice(self) -> None:
        """The input was answered by whoever interprets it: by a notice, where nothing else is there."""
        if not self.is_there:
            assert self._notice is not None, "what is interpreted as no request has its answer"
            self._event = self._notice
            self._is_known.set()

    def end(self, why: AnonError | None = None) -> None:
        """Nothing else comes. why: we are out of the room, where that has a reason of its own."""
        if self._error is None:
            self._error = RoomGone()
            self._error.__cause__ = why
        self._is_known.set()

    async def wait(self) -> events.Event:
        """The event, once it is there. Raises the AnonError that came in its place; for texts Unsent, because of it."""
        await self._is_known.wait()
        if self._event is not None:
            return self._event
        assert self._error is not None
        if self.is_text:
            raise Unsent(self._error) from self._error
        raise self._error


class Outcomes:
    """ids: for inputs, none of which is used twice."""

    def __init__(self, ids: Iterator[int]) -> None:
        self._ids = ids
        self._waiting: dict[int, Outcome] = {}
        self._is_over = False
        self._why: AnonError | None = None

    @contextmanager
    def expect_one(self) -> Iterator[Outcome]:
        """The outcome of an input that is about to be made, as long as it is wanted."""
        outcome = Outcome(next(self._ids))
        self._waiting[outcome.re] = outcome
        if self._is_over:
            outcome.end(self._why)
        try:
            yield outcome
        finally:
            del self._waiting[outcome.re]

    def awaits(self, re: events.Re) -> bool:
        """Whether the outcome of this input is waited for here."""
        return re in self._waiting

    def take_event(self, event: events.Event) -> None:
        """Something happened, perhaps because of an input."""
        if isinstance(event.re, int) and (outcome := self._waiting.get(event.re)):
            outcome.take_event(event)

    def end(self, why: AnonError | None) -> None:
        """The room is over, for this reason if it has one."""
        self._is_over, self._why = True, self._why or why
        for outcome in self._waiting.values():
            if not outcome.is_there:
                outcome.end(self._why)
