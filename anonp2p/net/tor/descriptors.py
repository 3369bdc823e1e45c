"""What a Tor knows of where rooms are: it is made to look anew, and watched while it looks."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import trio

from anonp2p import limits
from anonp2p.errors import TorRefused
from anonp2p.net.tor import commands
from anonp2p.net.tor.control import Control


class Lookup:
    """Whether a Tor looks for a room's descriptor at this moment; False where nobody tells.

    found_at: when (trio's clock) it had one that it has looked for since the beginning, or else that beginning.
    """

    def __init__(self) -> None:
        self.is_on = False
        self.found_at = trio.current_time()

    def note(self, action: str) -> None:
        """What happens to the descriptor, as events tell."""
        if action in ("REQUESTED", "RECEIVED"):  # one that was not found at one directory is asked for at the next
            if self.is_on and action == "RECEIVED":
                self.found_at = trio.current_time()
            self.is_on = action == "REQUESTED"


class Descriptors:
    """Those that one Tor has. control: None where it grants us a SOCKS port alone. may_fetch: None if not known yet."""

    def __init__(self, control: Control | None, *, may_fetch: bool | None) -> None:
        self._control = control
        self._may_fetch = may_fetch  # whether no filter refuses it: what it refuses, it may write to its log

    @contextmanager
    def watch(self, code: str) -> Iterator[Lookup]:
        """While the context lasts, what it yields says whether Tor looks for the room with this code."""
        lookup = Lookup()
        if self._control is None or not self._control.hears(commands.DESCRIPTORS):
            yield lookup
            return
        address = code.removesuffix(".onion")

        def heard(text: str) -> None:
            event = commands.read_descriptor_event(text)
            if event.address == address:
                lookup.note(event.action)

        with self._control.listening(commands.DESCRIPTORS, heard):
            yield lookup

    async def look_elsewhere(self, code: str) -> None:
        """Has Tor ask another directory for a room while it waits for one, over another circuit. Raises TorLost.

        Whichever answers first is good for all dials that wait for it.
        """
        if self._control is not None and await self._is_granted(self._control):
            with suppress(TorRefused):
                await self._control.send(commands.fetch_descriptor(code))

    async def fetch(self, code: str) -> bool:
        """Has Tor fetch the room's descriptor even if it has one; whether it has done so. Raises TorLost.

        A host that is back through another Tor, or on another network, has new introduction points. Those of before
        take calls for it, and Tor believes them, until their relays learn that the host is there no more. Only one that
        refuses makes Tor ask for a new descriptor by itself: without this, members dialled in vain for as long as we
        watched, minutes; with it they were back within 0.3 s.

        Tor asks each of a room's six directories once in 15 minutes, however often it is told to. Our own can be made
        to start afresh; on one that is not ours, that would take everybody's circuits.
        """
        if self._control is None or not await self._is_granted(self._control):
            return False
        address = code.removesuffix(".onion")
        asked = False
        over = trio.Event()

        def heard(text: str) -> None:
            nonlocal asked
            event = commands.read_descriptor_event(text)
            if event.address == address:
                asked |= event.action == "REQUESTED"
                if event.action in ("RECEIVED", "FAILED"):
                    over.set()

        is_told = self._control.hears(commands.DESCRIPTORS)
        with suppress(TorRefused), self._control.listening(commands.DESCRIPTORS, heard):
            status, _, _ = (await self._control.send(commands.fetch_descriptor(code)))[-1]
            if status == "250":
                with trio.move_on_after(limits.FETCH_PATIENCE if is_told else limits.FETCH_BLIND):
                    await over.wait()
        return asked or over.is_set()

    async def _is_granted(self, control: Control) -> bool:
        if self._may_fetch is None:
            self._may_fetch = await control.passes(commands.fetch_descriptor(commands.NO_ADDRESS))
        return self._may_fetch
