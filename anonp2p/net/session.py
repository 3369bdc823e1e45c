"""One live room: a mailbox, the one task that owns the room and empties it, and the links it speaks through."""

import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

import trio

from anonp2p import errors, limits
from anonp2p.core import events, steps
from anonp2p.core.code import RoomKey
from anonp2p.core.room import Room
from anonp2p.errors import AnonError, TorLost
from anonp2p.net.follow import follow
from anonp2p.net.links import Links
from anonp2p.net.serve import serve
from anonp2p.net.transport import Place, Transport


class Session:
    """Runs a room over a network.

    key: of the room's onion service, for its host; None for a member. tell: is given every event for the user; must not
    wait. network: returns the network once it is usable; raises AnonError if it never will be.
    """

    def __init__(
        self,
        room: Room,
        key: RoomKey | None,
        tell: Callable[[events.Event], None],
        network: Callable[[], Awaitable[Transport]],
    ) -> None:
        self.room = room
        self._key = key
        self._tell = tell
        self._network = network
        self._mail, self._mailbox = trio.open_memory_channel[steps.Input](limits.MAILBOX)
        self._links = Links(self.post)
        self._changed = trio.Event()
        self._head = b""  # for whoever has all before it
        self._woken = room.log.end
        self._unread = 0  # typed, but still in the mailbox
        self.ended = trio.Event()  # for whoever runs us to set

    @property
    def outstanding(self) -> int:
        """How many inputs of ours have not got their place or their answer yet."""
        return self._unread + self.room.outstanding

    async def post(self, step: steps.Input) -> bool:
        """Hands something to the room, waiting while its mailbox is full; whether it was still there to take it."""
        typed = isinstance(step, steps.Typed)
        self._unread += typed
        try:
            try:
                self._mail.send_nowait(step)  # a task that yields after each frame makes bursts of one
            except trio.WouldBlock:
                await self._mail.send(step)
        except trio.BrokenResourceError:
            self._unread -= typed
            return False
        return True

    async def until(self, condition: Callable[[], bool]) -> None:
        """Returns once this holds, or the room is over."""
        while not (self.room.over or condition()):
            await self._changed.wait()

    async def until_settled(self) -> None:
        """Returns once we are in, and all that was typed has its place or its answer; or the room is over."""
        await self.until(lambda: self.room.settled and not self.outstanding)

    async def run(self) -> None:
        """Lives the room from its start to its end, a host's last words included."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._connect)
            with self._mailbox:
                await self._live()
            if self.room.hosting:
                with trio.move_on_after(limits.FLUSH):
                    await self._links.finish()
            nursery.cancel_scope.cancel()

    async def _connect(self) -> None:
        try:
            if self._key is None:
                await follow(self._network, self.room.code, self._links)
            while self._key is not None:
                await self._host(await self._network(), self._key)
                await trio.sleep(limits.TOR_RETRY)
        except* AnonError as group:
            await self.post(steps.Broken(errors.first(group)))

    async def _host(self, network: Transport, key: RoomKey) -> None:
        """Keeps the room reachable as long as this network lasts."""
        with suppress(TorLost):
            async with network.listen(key) as place, trio.open_nursery() as nursery:
                nursery.start_soon(serve, place.listener, self._links)
                nursery.start_soon(self._publish, place)
                await network.lost.wait()
                nursery.cancel_scope.cancel()

    async def _publish(self, place: Place) -> None:
        if place.notice:
            self._tell(events.Notice(room=self.room.label, text=place.notice))
        await place.published()
        await self.post(steps.Published())

    async def _live(self) -> None:
        """Takes steps in bursts; after each, those who wait for the log or for the room are woken once."""
        step: steps.Input | None = steps.Start()
        while not self.room.over:
            burst = 0
            while step is not None:
                self._handle(step)
                burst += 1
                step = self._next() if burst < limits.MAILBOX or self.room.over else None
            self.room.end_burst(_now())
            await self._spread()
            self._changed.set()
            self._changed = trio.Event()
            if not self.room.over:
                step = await self._wait()

    async def _spread(self) -> None:
        """Gives all links what the burst brought: entries, which end in a head, or else a head that was due."""
        if self.room.log.end != self._woken:
            self._woken = self.room.log.end
            await self._links.wake()
        elif self._head:
            await self._links.pulse(self._head)
        self._head = b""

    def _next(self) -> steps.Input | None:
        try:
            return self._mailbox.receive_nowait()
        except trio.WouldBlock:
            return None

    async def _wait(self) -> steps.Input:
        deadline = self.room.next_deadline()
        with trio.move_on_at(float("inf") if deadline is None else deadline):
            return await self._mailbox.receive()
        return steps.Tick()

    def _handle(self, step: steps.Input) -> None:
        self._unread -= isinstance(step, steps.Typed)
        for effect in self.room.handle(step, _now()):
            self._do(effect)

    def _do(self, effect: steps.Effect) -> None:
        match effect:
            case steps.Tell(event=event):
                self._tell(event)
            case steps.Send(link=number, data=data):
                if link := self._links.get(number):
                    link.send(data)
            case steps.Pulse(data=data):
                self._head = data
            case steps.Admit(link=number, data=data, cursor=cursor):
                if link := self._links.get(number):
                    link.settle()
                    link.send(data)
                    link.follow(self.room.log, cursor)
            case steps.Finish(link=number, data=data):
                if link := self._links.get(number):
                    if data:
                        link.send(data)
                    link.finish()
            case steps.Drop(link=number, reason=reason):
                if link := self._links.get(number):
                    link.drop(reason)


def _now() -> steps.Now:
    return steps.Now(trio.current_time(), time.time())
