"""The whole program, composed: rooms of the library's client, input, output, signals, and how it ends."""

import dataclasses
import signal
from collections.abc import AsyncIterator
from typing import Literal

import trio
from msgspec import UNSET, UnsetType

from anonp2p import library, limits
from anonp2p.config import Config
from anonp2p.errors import AnonError, LinesUnsent, TooLong, Unreachable
from anonp2p.net.tor import tor
from anonp2p.reasons import Reason
from anonp2p.room import events, inputs
from anonp2p.room.hosting_events import LeaveEndsRoomEvent
from anonp2p.ui.actions import AppAction, CreateRoomAction, JoinRoomAction, QuitAction
from anonp2p.ui.frontend import Frontend, UserRequest

Signals = AsyncIterator[int]


class App:
    """One run of the program. `run` returns the exit code; `failure` then holds what to tell on stderr, if anything.

    signals: numbers of those that ask us to end, as they come. connect: finds or starts a Tor.
    """

    def __init__(
        self, config: Config, frontend: Frontend, signals: Signals, connect: library.Connect = tor.connect
    ) -> None:
        self.failure: AnonError | None = None
        self._config = config
        self._nick = config.nick  # the one to join with
        self._frontend = frontend
        self._signals = signals
        self._connect = connect
        self._asked: library.OpenRoom | None = None  # the room asked for on the command line
        self._unsent = 0
        self._status: int | None = None
        self._leaving: events.Re = UNSET
        self._asked_to_quit = float("-inf")  # when the user was asked whether rooms are to end
        self._ending = trio.Event()

    async def run(self) -> int:
        """Runs the program until the user, a signal or a failure ends it."""
        async with library.open_client(self._config, self._connect) as self._client:
            try:
                await self._run()
            finally:
                self._client.abandon()  # rooms that did not end in time, or all where we end without a word
        assert self._status is not None
        return self._status

    async def _run(self) -> None:
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            self._frontend.attach(self._end_with_frontend, self._client.find_room)
            self._client.start(self._tell)
            nursery.start_soon(self._frontend.run)
            nursery.start_soon(self._obey_signals)
            nursery.start_soon(self._watch_tor)
            nursery.start_soon(self._take_input)
            await self._ending.wait()
            await self._wind_up()
            nursery.cancel_scope.cancel()

    # --- the end

    def _end(self, status: int, failure: AnonError | None = None) -> None:
        """Begins to end the program. Of several reasons the first one counts."""
        if self._status is None:
            self._status = status
            self.failure = failure
            self._ending.set()

    def _fail(self, error: AnonError) -> None:
        self._end(error.status, error)

    def _end_with_frontend(self, error: AnonError | None) -> None:
        self._end(error.status if error else 0, error)

    async def _wind_up(self) -> None:
        """Leaves all rooms in order; the user is shown the rest of what there is to tell."""
        await self._client.leave_all(self._leaving)
        with trio.move_on_after(limits.PRINT_PATIENCE):
            await self._frontend.drained()

    async def _obey_signals(self) -> None:
        async for number in self._signals:
            if self._ending.is_set() and number == signal.SIGINT:
                self._client.abandon()
                self._nursery.cancel_scope.cancel()
            self._end(128 + number)

    async def _watch_tor(self) -> None:
        """Ends the program once there is no Tor to be had."""
        self._fail(await self._client.until_lost())

    # --- what the user asks for

    async def _take_input(self) -> None:
        """Does what the command line asks for, then each request in turn. The end of input ends the program.

        To stay, it waits until all its rooms are over.
        """
        try:
            if first := await self._frontend.first_command():
                await self._do(first, None)
        except AnonError as error:
            if self._frontend.must_succeed:
                self._fail(error)
            if error is not self._client.tor_failure:  # of which all are told
                self._tell_error(error, final=True if self._frontend.must_succeed else UNSET)
            if self._frontend.must_succeed:
                return
        if self._frontend.must_succeed and (rooms := self._client.rooms):
            self._asked = rooms[0]
            self._nursery.start_soon(self._watch_asked, self._asked)
        while request := await self._frontend.next_request():
            await self._take_request(request)
            del request  # while we wait for the next one, nothing of it is held here
        while self._config.stay and (rooms := self._client.rooms):
            await rooms[0].ended.wait()
        await self._finish_input()

    async def _watch_asked(self, asked: library.OpenRoom) -> None:
        """Ends the program once the room that the command line asks for has failed."""
        await asked.ended.wait()
        if failure := self._asked_failure:
            self._fail(failure)

    async def _take_request(self, request: UserRequest) -> None:
        try:
            if isinstance(request.action, AnonError):
                raise request.action
            await self._do(request.action, request.room)
        except AnonError as error:
            self._tell_error(error, request.re)
            if isinstance(error, TooLong):
                self._give_back(request)

    def _give_back(self, request: UserRequest) -> None:
        """Gives back a text that is too long to be sent, unless it was too long to be read whole."""
        if request.unsent is not UNSET and request.room is not None and self._client.find_room(request.room):
            self._tell(events.UnsentEvent(room=request.room, text=request.unsent, re=request.re))
        else:
            self._unsent += 1

    async def _do(self, action: AppAction, room: str | None) -> None:
        """Carries out an action, or has the room with this label do so. Raises AnonError."""
        match action:
            case CreateRoomAction():
                self._frontend.open_room(self._client.open_room(action, self._nick).label, None)
            case JoinRoomAction(nick=nick):
                for over in [opened for opened in self._client.rooms if opened.room.over]:
                    await over.ended.wait()
                nick = nick or self._nick
                label = self._client.open_room(action, nick).label
                self._frontend.open_room(label, dataclasses.replace(action, nick=nick, label=label))
            case inputs.RenameInput(nick=nick, re=re) if room is None:
                self._nick = nick
                self._tell(events.ReplyEvent(command="/nick", data={"nick": nick}, re=re))
            case QuitAction(re=re, asks=True) if self._asks_again(re):
                pass
            case QuitAction(re=re):
                self._leaving = re
                self._end(0)
                await trio.sleep_forever()  # what comes after it is not read
            case _:
                await self._client.get_room(room).pass_on(action)

    def _asks_again(self, re: events.Re) -> bool:
        """Says which rooms end for others if we quit. Returns whether there are any, and the user was not asked yet."""
        now = trio.current_time()
        snapshots = [(opened.label, opened.room.snapshot()) for opened in self._client.rooms]
        ending = [(label, snapshot) for label, snapshot in snapshots if snapshot.ends_with_us]
        if not ending or now - self._asked_to_quit <= limits.LEAVE_CONFIRM:
            return False
        self._asked_to_quit = now
        for label, snapshot in ending:
            name, others, away = snapshot.name, snapshot.others, snapshot.away
            self._tell(
                LeaveEndsRoomEvent(room=label, name=name, others=others, away=away, closes=False, asks=True, re=re)
            )
        return True

    async def _finish_input(self) -> None:
        """Handles the end of input: what was typed gets time to be done and ordered, then we leave."""
        rooms = self._client.rooms
        with trio.move_on_after(limits.EOF_PATIENCE):
            for opened in rooms:
                await opened.until_settled()
        asked = self._asked
        late = sum(opened.outstanding for opened in rooms)
        if asked and not asked.room.over and not asked.room.settled and not late:
            self._fail(Unreachable(Reason("too-long", limits.EOF_PATIENCE)))
        if self._last_words:
            return  # something else ends the program
        if unsent := late + self._unsent:
            self._fail(LinesUnsent(unsent))
        else:
            self._end(0)

    # --- what the user is told

    @property
    def _last_words(self) -> AnonError | None:
        """The error that ends the program, or is just about to."""
        return self.failure or self._client.tor_failure or self._asked_failure

    @property
    def _asked_failure(self) -> AnonError | None:
        """Why what the command line asked for has failed, unless the user is asked how to go on."""
        failure = self._asked.room.failure if self._asked else None
        return None if failure and self._frontend.asks_after(failure) else failure

    def _tell(self, event: events.Event) -> None:
        if isinstance(event, events.UnsentEvent):
            self._unsent += 1
        if isinstance(event, events.ErrorEvent) and self._config.mode != "json" and self._is_last_word(event):
            return  # stderr says it, and people read both
        self._frontend.tell(event)

    def _is_last_word(self, event: events.ErrorEvent) -> bool:
        """Whether the program ends, or is just about to, with this error."""
        if event.final is UNSET or self._last_words is None:
            return False
        asked = self._asked.label if self._asked else UNSET
        return event.room is UNSET or event.room == asked or self._client.tor_failure is not None

    def _tell_error(self, error: AnonError, re: events.Re = UNSET, final: Literal[True] | UnsetType = UNSET) -> None:
        self._tell(events.ErrorEvent(code=error.code, text=error, re=re, final=final))
