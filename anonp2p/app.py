"""The whole program, composed: a Tor, some rooms, input, output, signals, and the way out."""

import secrets
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Literal

import trio
from msgspec import UNSET, UnsetType

from anonp2p import errors, limits
from anonp2p.config import Config
from anonp2p.errors import (
    AnonError,
    BadInput,
    Failed,
    InRoomAlready,
    NoRoom,
    TooLong,
    TooManyRooms,
    TorLost,
    UnknownRoom,
    Unreachable,
)
from anonp2p.names import codes
from anonp2p.names.codes import RoomKey
from anonp2p.net.session import Session
from anonp2p.net.tor import tor
from anonp2p.net.transport import Transport
from anonp2p.room import events, inputs
from anonp2p.room.retention import ANY, NO_HISTORY
from anonp2p.room.room import Room
from anonp2p.ui import commands, wording
from anonp2p.ui.commands import Action
from anonp2p.ui.frontend import Front, Typed

Signals = AsyncIterator[int]
Connect = Callable[[Config, Callable[[events.Event], None]], AbstractAsyncContextManager[Transport]]


class App:
    """One run of the program. `run` returns the exit code; `failure` then holds what to tell on stderr, if anything.

    front: what the user has before them. signals: numbers of those that ask us to end, as they come. connect: finds or
    starts a Tor.
    """

    def __init__(self, config: Config, front: Front, signals: Signals, connect: Connect = tor.connect) -> None:
        self.failure: AnonError | None = None
        self._config = config
        self._front = front
        self._signals = signals
        self._connect = connect
        self._sessions: dict[str, Session] = {}  # by the room's label, until it is over
        self._active: str | None = None  # the room that lines go to; none is chosen when it ends, lest one goes astray
        self._asked: Session | None = None  # the room asked for on the command line
        self._rooms = 0
        self._unsent = 0
        self._status: int | None = None
        self._leaving: events.Re = UNSET
        self._ending = trio.Event()
        self._tor: Transport | None = None
        self._tor_error: AnonError | None = None
        self._tor_known = trio.Event()

    async def run(self) -> int:
        """Everything, until the user, a signal or a failure ends it."""
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            self._front.attach(self._front_closed, self._room)
            nursery.start_soon(self._front.run)
            nursery.start_soon(self._obey_signals)
            nursery.start_soon(self._keep_tor)
            nursery.start_soon(self._take_input)
            await self._ending.wait()
            await self._wind_up()
            nursery.cancel_scope.cancel()
        assert self._status is not None
        return self._status

    # --- the end

    def _end(self, status: int, failure: AnonError | None = None) -> None:
        """The program is to end, for the first reason given."""
        if self._status is None:
            self._status = status
            self.failure = failure
            self._ending.set()

    def _fail(self, error: AnonError) -> None:
        self._end(error.status, error)

    def _front_closed(self, error: AnonError | None) -> None:
        self._end(error.status if error else 0, error)

    async def _wind_up(self) -> None:
        """Leaves as it is proper, within the time that quitting may take."""
        with trio.move_on_after(limits.LEAVE + limits.FLUSH):
            for session in list(self._sessions.values()):
                await session.post(inputs.Leave(now=True, re=self._leaving))
            for session in list(self._sessions.values()):
                await session.ended.wait()
        with trio.move_on_after(limits.PRINT):
            await self._front.drained()

    async def _obey_signals(self) -> None:
        async for number in self._signals:
            if self._ending.is_set() and number == signal.SIGINT:
                self._nursery.cancel_scope.cancel()
            self._end(128 + number)

    # --- Tor

    async def _keep_tor(self) -> None:
        """Has a Tor for as long as we run, another one if it is lost; without any there is nothing to run for."""
        lost_at: float | None = None
        error: AnonError = TorLost("it ended, or hung up on us")
        noticed: set[events.Event] = set()  # since we last had one: each try would tell of the same strangers again

        def tell(event: events.Event) -> None:
            if isinstance(event, events.TorSkipped | events.TorSlow):
                if event in noticed:
                    return
                noticed.add(event)
            self._tell(event)

        while lost_at is None or trio.current_time() < lost_at + limits.TOR_PATIENCE:
            try:
                async with self._connect(self._config, tell) as self._tor:
                    noticed.clear()
                    self._tor_known.set()
                    await self._tor.lost.wait()
                    lost_at = None
            except* AnonError as group:
                error = errors.first(group)
            if not self._tor_known.is_set() and lost_at is None:
                break  # we never had one
            if lost_at is None:
                self._tor_known = trio.Event()
                lost_at = trio.current_time()
                self._tell(events.TorProgress(progress=0, summary="It was lost; trying to have it again"))
            await trio.sleep(limits.TOR_RETRY)
        self._tor_error = error
        self._tor_known.set()
        told = [await session.post(inputs.Broken(error)) for session in list(self._sessions.values())]
        if not any(told):
            self._tell_error(error, final=True)
        self._fail(error)

    async def _network(self) -> Transport:
        await self._tor_known.wait()
        if self._tor_error is not None:
            raise self._tor_error
        assert self._tor is not None
        return self._tor

    # --- what is typed

    async def _take_input(self) -> None:
        """The command line's wish, then every line of input in turn; the end of input is the end of the program."""
        try:
            if wish := await self._front.wish():
                await self._act(commands.command(wish), None)
        except AnonError as error:
            if self._front.must_succeed:
                self._fail(error)
            self._tell_error(error, final=True if self._front.must_succeed else UNSET)
            if self._front.must_succeed:
                return
        if self._front.must_succeed:
            self._asked = next(iter(self._sessions.values()), None)
        while typed := await self._front.wanted():
            await self._take(typed)
            del typed  # while we wait for the next one, nothing of it is held here
        await self._finish_input()

    async def _take(self, typed: Typed) -> None:
        try:
            if isinstance(typed.action, AnonError):
                raise typed.action
            await self._act(typed.action, self._active if typed.room is UNSET else typed.room)
        except AnonError as error:
            self._tell_error(error, typed.re)
            if isinstance(error, TooLong):
                self._give_back(typed)

    def _give_back(self, typed: Typed) -> None:
        """What is too long to be sent; but for what was too long to be read whole."""
        room = self._active if typed.room is UNSET else typed.room
        if typed.unsent is not UNSET and room in self._sessions:
            self._tell(events.Unsent(room=room, text=typed.unsent, re=typed.re))
        else:
            self._unsent += 1

    async def _act(self, action: Action, room: str | None) -> None:
        """Does it, or sees to it that it is done. room: the one it is meant for. Raises AnonError."""
        match action:
            case commands.Create(re=re):
                key = RoomKey(secrets.token_bytes(32))
                self._open(key.public, key, action, re)
            case commands.Join(code=given, re=re):
                self._open(codes.parse(given), None, None, re)
            case commands.Help(commands=listed, re=re):
                rows = [{"command": one.name, "usage": one.usage, "does": one.does} for one in listed]
                self._tell(events.Reply(command="/help", data=rows, re=re))
            case commands.Rooms(re=re):
                self._tell(events.Reply(command="/rooms", data=self._list_rooms(), re=re))
            case commands.Switch(room=wanted, re=re):
                self._active = self._find(wanted)
                self._tell(events.Notice(room=self._active, text=wording.SWITCHED, re=re))
            case commands.Clear():
                self._front.clear()
            case commands.Quit(re=re):
                self._leaving = re
                self._end(0)
                await trio.sleep_forever()  # what comes after it is not read
            case _:
                await self._pass_on(action, room)

    async def _pass_on(self, action: inputs.Typed, room: str | None) -> None:
        """To the room, once it has dealt with most of what it already has from us."""
        if room is None:
            raise NoRoom
        session = self._sessions.get(room)
        if session is None:
            raise UnknownRoom(room if len(room) <= limits.ROOM_NAME else f"{room[: limits.ROOM_NAME]}…")
        await session.until(lambda: session.outstanding < limits.PENDING)
        if not await session.post(action):
            raise NoRoom
        if isinstance(action, inputs.Leave):
            with trio.move_on_after(limits.LEAVE + limits.FLUSH):
                await session.ended.wait()

    # --- rooms

    def _open(self, room_key: bytes, key: RoomKey | None, new: commands.Create | None, re: events.Re) -> None:
        """Begins a room, which becomes the active one: our own, if there is a key for it, or one to be joined."""
        if self._tor_error is not None:
            raise self._tor_error
        if any(session.room.code == codes.encode(room_key) for session in self._sessions.values()):
            raise InRoomAlready
        if len(self._sessions) >= limits.ROOMS:
            raise TooManyRooms
        self._rooms += 1

        room = Room(
            label=f"r{self._rooms}",
            key=room_key,
            random=secrets.token_bytes,
            nick=self._config.nick,
            name=new.name if new else None,
            retention=new.retention if new else ANY,
            history=new.history if new else NO_HISTORY,
            cover=self._config.cover,
            re=re,
        )
        session = self._sessions[room.label] = Session(room, key, self._tell, self._network)
        self._active = room.label
        self._front.open(room.label)
        self._nursery.start_soon(self._live, session)

    async def _live(self, session: Session) -> None:
        await session.run()
        del self._sessions[session.room.label]
        if self._active == session.room.label:
            self._active = None
        session.ended.set()
        if session is self._asked and session.room.failure is not None:
            self._fail(session.room.failure)

    def _room(self, label: str) -> Room | None:
        session = self._sessions.get(label)
        return session.room if session else None

    def _find(self, wanted: str) -> str:
        """The label of the room with this name, number or label. Raises BadInput."""
        named = [label for label, session in self._sessions.items() if session.room.name == wanted]
        for label in (wanted, f"r{wanted}", *named):
            if label in self._sessions and (label not in named or len(named) == 1):
                return label
        several = "Several rooms have that name: say which by its number." if named else "You are in no such room."
        raise BadInput(f"{several} /rooms lists them.")

    def _list_rooms(self) -> list[dict[str, object]]:
        return [
            {
                "room": label,
                "name": session.room.name,
                "code": session.room.code,
                "role": "host" if session.room.hosting else "member",
                "members": len(session.room.people()),
                "active": label == self._active,
                "alarm": bool(session.room.evidence),
            }
            for label, session in self._sessions.items()
        ]

    async def _finish_input(self) -> None:
        """The input has ended: what was typed gets its time to be done and ordered, then we leave."""
        sessions = list(self._sessions.values())
        with trio.move_on_after(limits.EOF_PATIENCE):
            for session in sessions:
                await session.until_settled()
        asked = self._asked
        late = sum(session.outstanding for session in sessions)
        if asked and not asked.room.over and not asked.room.settled and not late:
            self._fail(Unreachable(f"it took longer than {limits.EOF_PATIENCE:.0f} seconds"))
        if self._last_words:
            return  # something else ends the program
        if unsent := late + self._unsent:
            self._fail(Failed(f"{unsent} of the lines given could not be sent."))
        else:
            self._end(0)

    # --- what is told

    @property
    def _last_words(self) -> AnonError | None:
        """The error that ends the program, or is just about to."""
        return self.failure or self._tor_error or (self._asked.room.failure if self._asked else None)

    def _tell(self, event: events.Event) -> None:
        if isinstance(event, events.Unsent):
            self._unsent += 1
        if isinstance(event, events.Error) and self._config.mode != "json" and self._is_last_word(event):
            return  # stderr says it, and people read both
        self._front.tell(event)

    def _is_last_word(self, event: events.Error) -> bool:
        """Whether the program ends, or is just about to, with this error."""
        if event.final is UNSET or self._last_words is None:
            return False
        asked = self._asked.room.label if self._asked else UNSET
        return event.room is UNSET or event.room == asked or self._tor_error is not None

    def _tell_error(self, error: AnonError, re: events.Re = UNSET, final: Literal[True] | UnsetType = UNSET) -> None:
        self._tell(events.Error(code=error.code, text=str(error), re=re, final=final))
