"""The whole program, composed: a Tor, at most one room, input, output, signals, and the way out."""

import secrets
import signal
from contextlib import aclosing

import trio
from msgspec import UNSET

from anonp2p import errors, limits
from anonp2p.config import Config
from anonp2p.core import code, events, identity, steps
from anonp2p.core.code import RoomKey
from anonp2p.core.room import Room
from anonp2p.errors import AnonError, BadCode, Failed, NoRoom, NotAllowed, TorLost, Unreachable
from anonp2p.net import tor
from anonp2p.net.session import Session
from anonp2p.net.transport import Transport
from anonp2p.ui import commands, lines
from anonp2p.ui.commands import Action

_UNSEALED = (
    "This version adds no encryption of its own: Tor encrypts between each member and the host, "
    "and the host can read everything."
)


class App:
    """One run of the program. `run` returns the exit code; `failure` then holds what to tell on stderr, if anything."""

    def __init__(self, config: Config) -> None:
        self.failure: AnonError | None = None
        self._config = config
        self._json = config.mode == "json"
        self._output = lines.Output(json=self._json, closed=self._output_closed)
        self._session: Session | None = None
        self._asked = False  # whether the room at hand was asked for on the command line
        self._rooms = 0
        self._unsent = 0
        self._status: int | None = None
        self._leaving: events.Re = UNSET
        self._ending = trio.Event()
        self._tor: tor.Tor | None = None
        self._tor_error: AnonError | None = None
        self._tor_known = trio.Event()

    async def run(self) -> int:
        """Everything, until the user, a signal or a failure ends it."""
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            nursery.start_soon(self._output.run)
            nursery.start_soon(self._obey_signals)
            self._output.tell(events.Notice(text=_UNSEALED))
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

    def _output_closed(self, error: AnonError | None) -> None:
        self._end(error.status if error else 0, error)

    async def _wind_up(self) -> None:
        """Leaves as it is proper, within the time that quitting may take."""
        if session := self._active:
            with trio.move_on_after(limits.LEAVE + limits.FLUSH):
                await session.post(steps.Leave(now=True, re=self._leaving))
                await session.ended.wait()
        with trio.move_on_after(limits.PRINT):
            await self._output.drained()

    async def _obey_signals(self) -> None:
        with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM, signal.SIGHUP) as signals:
            async for number in signals:
                if self._ending.is_set() and number == signal.SIGINT:
                    self._nursery.cancel_scope.cancel()
                self._end(128 + number)

    # --- Tor

    async def _keep_tor(self) -> None:
        """Has a Tor for as long as we run; without one there is nothing to run for."""
        try:
            async with tor.connect(self._config, self._tell) as self._tor:
                self._tor_known.set()
                await self._tor.lost.wait()
                raise TorLost("it ended, or hung up on us")
        except* AnonError as group:
            self._tor_error = errors.first(group)
        assert self._tor_error is not None
        self._tor_known.set()
        if not ((session := self._active) and await session.post(steps.Broken(self._tor_error))):
            self._tell_error(self._tor_error)
        self._fail(self._tor_error)

    async def _network(self) -> Transport:
        await self._tor_known.wait()
        if self._tor_error is not None:
            raise self._tor_error
        assert self._tor is not None
        return self._tor

    # --- what is typed

    async def _take_input(self) -> None:
        """The command line's wish, then every line of input in turn; the end of input is the end of the program."""
        async with aclosing(lines.read()) as given:
            if self._config.action:
                subject = self._config.subject
                try:
                    if subject == "-":
                        subject = (await anext(given, b"")).decode("utf-8", "replace").strip()
                        if not subject:
                            raise BadCode("there is none on the first line of stdin")
                    await self._act(commands.command(f"/{self._config.action} {subject}"), asked=True)
                except AnonError as error:
                    self._fail(error)
                    self._tell_error(error)
                    return
            async for line in given:
                if typed := lines.understand(line, json=self._json):
                    await self._take(typed)
        await self._finish_input()

    async def _take(self, typed: lines.Typed) -> None:
        try:
            if isinstance(typed.action, AnonError):
                raise typed.action
            if typed.room is not UNSET and not (self._active and self._active.room.label == typed.room):
                raise NoRoom
            await self._act(typed.action)
        except AnonError as error:
            self._tell_error(error, typed.re)

    async def _act(self, action: Action, *, asked: bool = False) -> None:
        """Does it, or sees to it that it is done. asked: on the command line. Raises AnonError."""
        match action:
            case commands.Create(name=name, re=re):
                key = RoomKey(secrets.token_bytes(32))
                self._open(key.public, key, name, re, asked=asked)
            case commands.Join(code=given, re=re):
                self._open(code.parse(given), None, None, re, asked=asked)
            case commands.Help(commands=listed, re=re):
                rows = [{"command": one.name, "usage": one.usage, "does": one.does} for one in listed]
                self._tell(events.Reply(command="/help", data=rows, re=re))
            case commands.Clear():
                self._output.clear()
            case commands.Quit(re=re):
                self._leaving = re
                self._end(0)
                await trio.sleep_forever()  # what comes after it is not read
            case _:
                await self._pass_on(action)

    async def _pass_on(self, action: steps.Typed) -> None:
        """To the room, once it has dealt with most of what it already has from us."""
        session = self._active
        if session is None:
            raise NoRoom
        await session.until(lambda: session.outstanding < limits.PENDING)
        if not await session.post(action):
            raise NoRoom
        if isinstance(action, steps.Leave):
            with trio.move_on_after(limits.LEAVE + limits.FLUSH):
                await session.ended.wait()

    def _open(self, room_key: bytes, key: RoomKey | None, name: str | None, re: events.Re, *, asked: bool) -> None:
        """Begins a room: our own, if there is a key for it and a name, or one to be joined."""
        if self._tor_error is not None:
            raise self._tor_error
        if self._active is not None:
            raise NotAllowed("You are in a room already: /leave it first.")
        self._rooms += 1
        me = identity.Identity(secrets.token_bytes(32), room_key)
        room = Room(label=f"r{self._rooms}", key=room_key, me=me, nick=self._config.nick, name=name, re=re)
        self._session = Session(room, key, self._tell, self._network)
        self._asked = asked
        self._nursery.start_soon(self._live, self._session)

    @property
    def _active(self) -> Session | None:
        return None if self._session is None or self._session.ended.is_set() else self._session

    async def _live(self, session: Session) -> None:
        await session.run()
        if self._asked and session.room.failure is not None:
            self._fail(session.room.failure)

    async def _finish_input(self) -> None:
        """The input has ended: what was typed gets its time to be done and ordered, then we leave."""
        late = 0
        if session := self._active:
            with trio.move_on_after(limits.EOF_PATIENCE):
                await session.until(lambda: session.room.settled and not session.outstanding)
            late = session.outstanding
            if self._asked and not session.room.over and not session.room.settled and not late:
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
        if self._tor_error is None and self._asked and self._session is not None:
            return self.failure or self._session.room.failure
        return self.failure or self._tor_error

    def _tell(self, event: events.Event) -> None:
        if isinstance(event, events.Unsent):
            self._unsent += 1
        if isinstance(event, events.Error) and not self._json and event.text == str(self._last_words):
            return  # stderr says it, and people read both
        self._output.tell(event)

    def _tell_error(self, error: AnonError, re: events.Re = UNSET) -> None:
        self._tell(events.Error(code=error.code, text=str(error), re=re))
