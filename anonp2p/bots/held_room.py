"""A room that a program is in: what it does there, and what it is told."""

from collections.abc import Callable, Iterator
from typing import get_args

import trio
from msgspec import UNSET

from anonp2p import limits
from anonp2p.bots.errors import (
    CreateElsewhere,
    JoinElsewhere,
    NobodyToNotify,
    NobodyToQuery,
    NoClipboard,
    NoSuchCommand,
    NoText,
    NothingToClear,
    NothingToSwitch,
    NothingTyped,
    QuitElsewhere,
)
from anonp2p.bots.inbox import Inbox
from anonp2p.bots.outcomes import Outcome, Outcomes
from anonp2p.client.open_room import OpenRoom, leave_rooms
from anonp2p.errors import AnonError, BadInput, NoRoom, RoomGone, TimedOut, UnknownCommand, Unsent
from anonp2p.room import events, inputs
from anonp2p.room.file_inputs import SendFileInput
from anonp2p.ui import actions
from anonp2p.ui.commands import make_message, parse_line
from anonp2p.ui.line.interpreter import Interpreter
from anonp2p.ui.line.typed_line import TypedLine, understand
from anonp2p.ui.plain_events import EventType, PlainEvent, spell_error, spell_event

_TYPES = frozenset(get_args(EventType))
_TEXTS = (inputs.SayInput, inputs.ReplyInput, inputs.WhisperInput, SendFileInput)
# What is done otherwise here, as it is about other rooms, or about a terminal.
_ELSEWHERE: dict[type, type[BadInput]] = {
    actions.CreateRoomAction: CreateElsewhere,
    actions.JoinRoomAction: JoinElsewhere,
    actions.SwitchRoomAction: NothingToSwitch,
    actions.ConverseAction: NobodyToQuery,
    actions.QuitAction: QuitElsewhere,
    actions.ClearScreenAction: NothingToClear,
    actions.CopyAction: NoClipboard,
    actions.NotifyAction: NobodyToNotify,
}


class HeldRoom:
    """ids: for its inputs. member, nick: our own there; empty until we are in."""

    def __init__(self, opened: OpenRoom, interpreter: Interpreter, ids: Iterator[int]) -> None:
        self.member = self.nick = ""
        self._knocks = False  # whether we wait for a moderator to let us in
        self._opened = opened
        self._interpreter = interpreter
        self._outcomes = Outcomes(ids)
        self._inbox = Inbox(opened.label)

    # --- the room as it is

    @property
    def name(self) -> str:
        return self._opened.room.name

    @property
    def code(self) -> str:
        return self._opened.room.code

    @property
    def hosts(self) -> bool:
        """Whether we host it."""
        return self._opened.room.hosting

    @property
    def people(self) -> list[events.Person]:
        """The members who are here."""
        return self._opened.room.people()

    # --- in and out

    def take_event(self, event: events.Event, *, is_shown: bool) -> None:
        """Something happened here, or to the Tor below. is_shown: to whoever reads, too."""
        match event:
            case events.EnteredEvent(member=member, nick=nick):
                self.member, self.nick = member, nick
            case events.LinkEvent(knocking=knocking):
                self._knocks = bool(knocking)
            case events.RenamedEvent(member=self.member, nick=nick):
                self.nick = nick
        self._outcomes.take_event(event)
        if is_shown:
            self._inbox.put(spell_event(event))
        if isinstance(event, events.GoneEvent):
            self._outcomes.end(self._opened.room.failure)

    def awaits(self, re: events.Re) -> bool:
        """Whether the answer to this input is waited for here."""
        return self._outcomes.awaits(re)

    async def enter(self) -> None:
        """Returns once we are in. Raises the AnonError that says why we never will be."""
        await self._opened.until(lambda: bool(self.member))
        if not self.member:
            raise spell_error(self._opened.room.failure or RoomGone())

    async def leave(self) -> None:
        """Leaves the room in order, within the time that this may take.

        One that is about to let us in is entered first, if it does not take long: it would take us for one that was
        cut off, and keep our place and our nick.
        """
        if not self._knocks:
            with trio.move_on_after(limits.LEAVE_PATIENCE):
                await self._opened.until(lambda: bool(self.member))
        await leave_rooms([self._opened])

    def close(self) -> None:
        """Whatever waits here is over."""
        self._outcomes.end(self._opened.room.failure)
        self._inbox.close()

    # --- what the program does

    async def send(self, text: str) -> events.MessageEvent:
        """Sends a text; its receipt, once it is ordered. Raises Unsent; TypeError for what is no string."""
        try:
            event = await self._do(lambda re: understand(text, _make_text, re, self._opened.label))
        except Unsent:
            raise
        except AnonError as error:
            raise Unsent(spell_error(error)) from error
        assert isinstance(event, events.MessageEvent), "a text is answered by its receipt"
        return event

    async def command(self, line: str) -> PlainEvent:
        """Does what a typed line does; the event that answers it. Raises AnonError."""
        return spell_event(await self._do(lambda re: understand(line, _parse_line, re, self._opened.label)))

    async def _do(self, understand_as: Callable[[int], TypedLine]) -> events.Event:
        with self._outcomes.expect_one() as outcome:
            typed = understand_as(outcome.re)
            if refusal := _ELSEWHERE.get(type(typed.action)):
                raise refusal
            try:
                await self._hand_over(typed, outcome)
                return await outcome.wait()
            except NoRoom:
                raise RoomGone from self._opened.room.failure
            except AnonError as error:
                spell_error(error)
                raise

    async def _hand_over(self, typed: TypedLine, outcome: Outcome) -> None:
        """Hands an input to the room, unless it is answered here. Raises AnonError."""
        request = self._interpreter.interpret_typed(typed)
        if request is None:
            outcome.answer_with_notice()
            return
        outcome.is_text = isinstance(request.action, _TEXTS)
        if isinstance(request.action, AnonError) and request.unsent is not UNSET:
            raise Unsent(request.action) from request.action
        if isinstance(request.action, AnonError):
            raise NoSuchCommand if isinstance(request.action, UnknownCommand) else request.action
        assert isinstance(request.action, inputs.Typed), "all others are done elsewhere"
        await self._opened.pass_on(request.action)

    # --- what the program is told

    async def next_event(self) -> PlainEvent | None:
        """See `Inbox`."""
        return await self._inbox.next_event()

    async def wait_for(self, type_: str, within: float | None) -> PlainEvent:
        """See `Inbox`. within: seconds; for ever without it. Raises RoomGone, TimedOut; ValueError for no type."""
        if type_ not in _TYPES:
            raise ValueError(type_)
        with trio.move_on_after(float("inf") if within is None else max(0.0, within)):
            try:
                return await self._inbox.wait_for(type_)
            except RoomGone as error:
                raise error from self._opened.room.failure
        assert within is not None
        raise TimedOut(f"{within:g}")


def _make_text(text: str, re: events.Re) -> actions.Action:
    if not isinstance(text, str):
        raise TypeError(type(text).__name__)
    if not text.strip():
        raise NoText
    return make_message(text, re)


def _parse_line(line: str, re: events.Re) -> actions.Action:
    if not isinstance(line, str):
        raise TypeError(type(line).__name__)
    if not line.strip():
        raise NothingTyped
    return parse_line(line, re)
