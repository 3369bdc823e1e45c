"""One live room: the one task that owns the room and empties its mailbox, and the links it speaks through."""

import secrets
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial

import trio

from anonp2p import errors, limits
from anonp2p.errors import AnonError
from anonp2p.net.dial import dial
from anonp2p.net.files.transfers import Transfers
from anonp2p.net.links import Links
from anonp2p.net.mailbox import Mailbox, count_units
from anonp2p.net.services import Services
from anonp2p.net.shared_network import SharedNetwork
from anonp2p.room import effects, events, inputs
from anonp2p.room.link_effects import LinkEffect, apply_effect
from anonp2p.room.room import Room

_BOOT = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # counts what the machine has slept, where there is one


class Session:
    """Runs a room over a network.

    tell: is given every event for the user; must not wait. network: shared by all sessions.
    """

    def __init__(
        self,
        room: Room,
        tell: Callable[[events.Event], None],
        network: SharedNetwork,
    ) -> None:
        self.room = room
        self._tell = tell
        self._network = network
        self._mailbox = Mailbox()
        self.links = Links(self.post_input)
        self._services = Services(room.label, network, self.links, tell)
        self._transfers = Transfers(room.files, network, self.links, self.post_input, self._start)
        self._isolation = secrets.token_hex(16)  # keeps our dials on circuits of their own
        self._has_key = False  # whether we dial by a client key
        self._nursery: trio.Nursery | None = None
        self._changed = trio.Event()
        self._head = b""  # the head for links that have all before it
        self._grown = False  # whether the log has grown
        self._swept = False  # whether something was dropped from the log
        self._slept = 0.0  # for how many seconds the machine has slept
        self.ended = trio.Event()  # set by whoever runs the session

    @property
    def outstanding(self) -> int:
        """How many inputs of ours have not got their place or their answer yet."""
        return self._mailbox.typed_count + self.room.outstanding

    async def post_input(self, item: inputs.Input) -> bool:
        """Hands something to the room, waiting while its mailbox is full; returns False if the room is over."""
        return await self._mailbox.post_input(item)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Returns once this holds, or the room is over."""
        while not (self.room.over or condition()):
            await self._changed.wait()

    async def until_taken(self) -> None:
        """Returns once the room has seen all that was typed so far; or is over."""
        await self.until(lambda: not self._mailbox.typed_count)

    async def until_settled(self) -> None:
        """Returns once we are in, and all that was typed has its place or its answer; or the room is over."""
        await self.until(lambda: self.room.settled and not self.outstanding)

    async def run(self) -> None:
        """Runs the room from its start to its end, including what a host sends last."""
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            nursery.start_soon(self._watch_network)
            try:
                await self._live()
            finally:
                self._mailbox.close()
                self._transfers.close()
            if self.room.hosting:
                with trio.move_on_after(limits.FLUSH_PATIENCE):
                    await self.links.finish_links()
            nursery.cancel_scope.cancel()
        if self._has_key:
            await self._forget_key()

    async def _forget_key(self) -> None:
        """Whoever else uses the same Tor is not to find the room by the key that it has from us."""
        with trio.move_on_after(limits.WITHDRAW_PATIENCE), suppress(AnonError):
            await (await self._network.usable(0.0)).forget_keys(self._isolation)

    @trio.lowlevel.enable_ki_protection
    async def _watch_network(self) -> None:
        """Tells the room when there is a network, and when there is none any more."""
        with suppress(AnonError):  # of which the room is told by whoever keeps the network: there will be none
            while True:
                network = await self._network.usable(0.0)
                if network.lost.is_set():  # it is about to be replaced by another
                    await trio.sleep(limits.TOR_RETRY)
                    continue
                await self.post_input(inputs.NetworkInput(up=True))
                await network.lost.wait()
                await self.post_input(inputs.NetworkInput(up=False))

    def _start(self, work: Callable[[], Awaitable[object]], service: bytes = b"") -> None:
        """Starts a task that ends with the room, or sooner. service: the address of the one that it serves, if any."""
        assert self._nursery is not None, "a room says what to do only while it lives"
        self._nursery.start_soon(self._report_errors, work, service)

    @trio.lowlevel.enable_ki_protection
    async def _report_errors(self, work: Callable[[], Awaitable[object]], service: bytes) -> None:
        """Tells the room of an error that another try would not avoid."""
        try:
            await work()
        except* AnonError as group:
            error = errors.first(group)
            broken = inputs.ServeFailedInput(service, error) if service else inputs.BrokenInput(error)
            await self.post_input(broken)

    async def _live(self) -> None:
        """Handles inputs until the room is over; wakes all that wait for the log or for the room."""
        item: inputs.Input = inputs.StartInput()
        units = 0  # of inputs since a batch ended
        while not self.room.over:
            units += await self._take_inputs(item)
            if self._mailbox.is_empty or units >= limits.BATCH_UNITS:
                self._handle(inputs.EndBatchInput())
                units = 0
            await self._spread()
            self._changed.set()
            self._changed = trio.Event()
            if not self.room.over:
                item = await self._wait()

    async def _take_inputs(self, first: inputs.Input) -> int:
        """Handles this input and those that wait, as many as the mailbox holds; returns how many units they were.

        After some of them others have their turn: a key that was pressed is shown, and those who waited fill the
        mailbox again, so that there is one batch for all of them.
        """
        taken, turn, item = 0, limits.TURN_UNITS, first
        while True:
            self._handle(item)
            taken += count_units(item)
            if taken >= min(turn, limits.MAILBOX) and not self.room.over:
                turn = taken + limits.TURN_UNITS
                await trio.lowlevel.checkpoint()
            waiting = self._mailbox.next_input() if taken < limits.MAILBOX or self.room.over else None
            if waiting is None:
                return taken
            item = waiting

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

    async def _wait(self) -> inputs.Input:
        deadline = self.room.next_deadline()
        with trio.move_on_at(float("inf") if deadline is None else deadline):
            return await self._mailbox.receive_input()
        return inputs.TickInput()

    def _handle(self, item: inputs.Input) -> None:
        for effect in self.room.handle_input(item, self._now()):
            self._do(effect)

    def _do(self, effect: effects.Effect) -> None:
        match effect:
            case effects.TellEffect(event=event):
                self._tell(event)
            case effects.DialEffect(link=link, client_key=key):
                self._has_key |= bool(key)
                self._start(
                    partial(dial, effect, self._network, self._isolation, self.links, self.links.begin_dial(link))
                )
            case effects.ServeEffect(key=key):
                self._start(partial(self._services.run, effect, self._services.begin(key)), key.public)
            case effects.StopServingEffect(address=address):
                self._services.stop(address)
            case effects.HeartbeatEffect(data=data):
                self._head = data
            case (
                effects.ReadFileEffect()
                | effects.ServeFileEffect()
                | effects.FetchFileEffect()
                | effects.StopFileEffect()
            ):
                self._transfers.do(effect)
            case effects.WakeEffect():
                self._grown = True
            case effects.SweepEffect():
                self._swept = True
            case _:
                self._do_to_link(effect)

    def _do_to_link(self, effect: LinkEffect) -> None:
        if (link := self.links.find_link(effect.link)) is not None:
            apply_effect(effect, link.connection, trio.current_time())
            link.react()
        elif isinstance(effect, effects.DropEffect):
            self.links.call_off(effect.link)
