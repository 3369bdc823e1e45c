"""One live room: a mailbox, the one task that owns the room and empties it, and the links it speaks through."""

import math
import secrets
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

import trio

from anonp2p import errors, limits
from anonp2p.errors import AnonError, TorLost
from anonp2p.names.codes import RoomKey
from anonp2p.net.dial import dial
from anonp2p.net.links import Links
from anonp2p.net.serve import serve
from anonp2p.net.transport import Place, Transport
from anonp2p.room import effects, events, inputs
from anonp2p.room.link_effects import apply_effect
from anonp2p.room.room import Room

_BOOT = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # counts what the machine has slept, where there is one


def _units(item: inputs.Input) -> int:
    """How much it counts in a batch of inputs: one payload of a peer may hold many entries."""
    return 1 + len(item.payload) // limits.UNIT if isinstance(item, inputs.ReceivedInput) else 1


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
        self._mail, self._mailbox = trio.open_memory_channel[inputs.Input](math.inf)
        self._units = 0  # of what is in the mailbox: `post_input` bounds it
        self._queue = trio.lowlevel.ParkingLot()  # tasks that wait for room in it, in their order
        self.links = Links(self.post_input)
        self._isolation = secrets.token_hex(16)  # keeps our dials on circuits of their own
        self._nursery: trio.Nursery | None = None
        self._changed = trio.Event()
        self._head = b""  # the head for links that have all before it
        self._grown = False  # whether the log has grown
        self._swept = False  # whether something was dropped from the log
        self._slept = 0.0  # for how many seconds the machine has slept
        self._unread = 0  # typed, but still in the mailbox
        self.ended = trio.Event()  # set by whoever runs the session

    @property
    def outstanding(self) -> int:
        """How many inputs of ours have not got their place or their answer yet."""
        return self._unread + self.room.outstanding

    async def post_input(self, item: inputs.Input) -> bool:
        """Hands something to the room, waiting while its mailbox is full; returns False if the room is over."""
        typed = isinstance(item, inputs.Typed)
        self._unread += typed
        try:
            if not self.room.over and (self._units >= limits.MAILBOX or self._queue):
                await self._queue.park()
            self._mail.send_nowait(item)  # and goes on: a task that yields after each record makes batches of one
            self._units += _units(item)
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
        """Runs the room from its start to its end, including what a host sends last."""
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            with self._mailbox:
                await self._live()
            self._queue.unpark_all()  # so that those who wait learn that the room is over
            if self.room.hosting:
                with trio.move_on_after(limits.FLUSH_PATIENCE):
                    await self.links.finish_links()
            nursery.cancel_scope.cancel()

    def _start(self, work: Callable[[], Awaitable[object]]) -> None:
        """Starts a task that ends with the room, or sooner."""
        assert self._nursery is not None, "a room says what to do only while it lives"
        self._nursery.start_soon(self._report_errors, work)

    async def _report_errors(self, work: Callable[[], Awaitable[object]]) -> None:
        """Tells the room of an error that another try would not avoid."""
        try:
            await work()
        except* AnonError as group:
            await self.post_input(inputs.BrokenInput(errors.first(group)))

    async def _serve(self) -> None:
        assert self._key is not None, "a host has the key of its room"
        while True:
            await self._host(await self._network(), self._key)
            await trio.sleep(limits.TOR_RETRY)

    async def _host(self, network: Transport, key: RoomKey) -> None:
        """Keeps the room reachable as long as this network lasts."""
        with suppress(TorLost):
            async with network.listen(key) as place, trio.open_nursery() as nursery:
                nursery.start_soon(serve, place, self.links)
                nursery.start_soon(self._publish, place)
                await network.lost.wait()
                nursery.cancel_scope.cancel()

    async def _publish(self, place: Place) -> None:
        if place.undefended:
            self._tell(events.UndefendedEvent(room=self.room.label, defences=place.undefended))
        await place.published()
        await self.post_input(inputs.PublishedInput())

    async def _live(self) -> None:
        """Handles inputs until the room is over; wakes all that wait for the log or for the room."""
        item: inputs.Input | None = inputs.StartInput()
        units = 0  # of inputs since a batch ended
        while not self.room.over:
            units += self._take_inputs(item)
            item = None
            if limits.MAILBOX <= units < limits.BATCH_UNITS:
                await trio.lowlevel.checkpoint()  # those who waited fill the mailbox again: one batch for all of them
                item = self._next()
            if item is None:
                self._handle(inputs.EndBatchInput())
                units = 0
            await self._spread()
            self._changed.set()
            self._changed = trio.Event()
            if item is None and not self.room.over:
                item = await self._wait()

    def _take_inputs(self, item: inputs.Input | None) -> int:
        """Handles this input and those that wait, as many as the mailbox holds; returns how many units they were."""
        taken = 0
        while item is not None:
            self._handle(item)
            taken += _units(item)
            item = self._next() if taken < limits.MAILBOX or self.room.over else None
        return taken

    async def _spread(self) -> None:
        """Gives all links what the batch brought: entries, which end in a head, or else a head that was due."""
        grown = self._grown
        if grown or self._swept:
            self._grown = self._swept = False
            await self.links.wake_links()
        if self._head and not grown:
            await self.links.send_heartbeat(self._head)
        self._head = b""

    def _now(self) -> inputs.Now:
        # The two clocks are read one after the other: the difference may be too small, never too large.
        self._slept = max(self._slept, time.clock_gettime(_BOOT) - time.clock_gettime(time.CLOCK_MONOTONIC))
        return inputs.Now(trio.current_time(), time.time(), self._slept)

    def _next(self) -> inputs.Input | None:
        try:
            return self._taken(self._mailbox.receive_nowait())
        except trio.WouldBlock:
            return None

    async def _wait(self) -> inputs.Input:
        deadline = self.room.next_deadline()
        with trio.move_on_at(float("inf") if deadline is None else deadline):
            return self._taken(await self._mailbox.receive())
        return inputs.TickInput()

    def _taken(self, item: inputs.Input) -> inputs.Input:
        """Makes room in the mailbox for others, as this was taken out."""
        self._units -= _units(item)
        if self._units < limits.MAILBOX:
            self._queue.unpark()
        return item

    def _handle(self, item: inputs.Input) -> None:
        self._unread -= isinstance(item, inputs.Typed)
        for effect in self.room.handle_input(item, self._now()):
            self._do(effect)

    def _do(self, effect: effects.Effect) -> None:
        match effect:
            case effects.TellEffect(event=event):
                self._tell(event)
            case effects.DialEffect():
                self._start(lambda: dial(effect, self._network, self._isolation, self.links))
            case effects.ServeEffect():
                self._start(self._serve)
            case effects.HeartbeatEffect(data=data):
                self._head = data
            case effects.WakeEffect():
                self._grown = True
            case effects.SweepEffect():
                self._swept = True
            case _:
                if link := self.links.find_link(effect.link):
                    apply_effect(effect, link.connection, trio.current_time())
                    link.react()
