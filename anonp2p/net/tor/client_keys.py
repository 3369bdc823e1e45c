"""The keys by which private rooms are found: each is our Tor's for as long as a dial needs it, and in memory alone."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import trio

from anonp2p import limits
from anonp2p.errors import AnonError
from anonp2p.net.tor import commands
from anonp2p.net.tor.control import Control
from anonp2p.net.tor.errors import ClientKeyRefused, InvitationNeedsControl

_TAKEN = ("250", "251")  # it is new; it takes the place of another


class ClientKeys:
    """Keys that a Tor holds for us. control: None where it grants us a SOCKS port alone.

    Of several dials to one service, the key of the latest counts: any key that opens a service is as good for all.
    """

    def __init__(self, control: Control | None) -> None:
        self._control = control
        self._users: Counter[str] = Counter()  # dials, by code

    @asynccontextmanager
    async def lend(self, code: str, key: bytes) -> AsyncIterator[None]:
        """Tor finds the room with this code by this key while the context lasts; by none, if the key is empty.

        What was dialled goes on without it. Raises TorRefused where Tor does not take it, TorLost.
        """
        if not key:
            yield
            return
        if self._control is None:
            raise InvitationNeedsControl
        self._users[code] += 1
        try:
            status, _, _ = (await self._control.send(commands.add_client_key(code, key)))[-1]
            if status not in _TAKEN:
                raise ClientKeyRefused(status)
            yield
        finally:
            self._users[code] -= 1
            if not self._users[code]:
                del self._users[code]
                with trio.move_on_after(limits.WITHDRAW_PATIENCE, shield=True), suppress(AnonError):
                    await self._control.send(commands.remove_client_key(code))
