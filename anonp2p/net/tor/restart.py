"""Having a Tor for as long as the program runs: another one is found or started when one is lost."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import trio

from anonp2p import errors, limits
from anonp2p.errors import AnonError
from anonp2p.net.tor.errors import TorEnded
from anonp2p.net.transport import Transport
from anonp2p.reasons import Reason
from anonp2p.room import events

Tell = Callable[[events.Event], None]


class TorKeeper:
    """Keeps a Tor. connect: finds or starts one. tell: shows an event to the user.

    failure: why there is none any more, once that is final.
    """

    def __init__(self, connect: Callable[[Tell], AbstractAsyncContextManager[Transport]], tell: Tell) -> None:
        self.failure: AnonError | None = None
        self._connect = connect
        self._tell = tell
        self._tor: Transport | None = None
        self._known = trio.Event()  # whether there is a Tor is known: there is one, or there will be none
        self._told: set[events.Event] = set()  # since we last had one: each try would tell of the same strangers again

    async def run(self) -> AnonError:
        """Keeps a Tor until it cannot be had any more. Returns why."""
        lost_at: float | None = None
        error: AnonError = TorEnded()
        while lost_at is None or trio.current_time() < lost_at + limits.TOR_PATIENCE:
            try:
                async with self._connect(self._tell_once) as self._tor:
                    self._told.clear()
                    self._known.set()
                    await self._tor.lost.wait()
                    lost_at = None
            except* AnonError as group:
                error = errors.first(group)
            if not self._known.is_set() and lost_at is None:
                break  # we never had one
            if lost_at is None:
                self._known = trio.Event()
                lost_at = trio.current_time()
                self._tell(events.TorProgressEvent(progress=0, summary=Reason("tor-retry")))
            await trio.sleep(limits.TOR_RETRY)
        self.failure = error
        self._known.set()
        return error

    async def usable(self, pause: float) -> Transport:
        """The Tor, once there is one. Raises AnonError if there will be none.

        pause: seconds after which one that had to be waited for counts as there.
        """
        while not self._known.is_set():
            await self._known.wait()
            if self.failure is None:
                await trio.sleep(pause)
        if self.failure is not None:
            raise self.failure
        assert self._tor is not None
        return self._tor

    def _tell_once(self, event: events.Event) -> None:
        if isinstance(event, events.TorSkippedEvent | events.TorSlowEvent):
            if event in self._told:
                return
            self._told.add(event)
        self._tell(event)
