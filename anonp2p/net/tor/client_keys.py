"""The keys by which private rooms are found: each is our Tor's for as long as a room dials by it, in memory alone."""

import secrets
from contextlib import suppress

import trio

from anonp2p import limits
from anonp2p.errors import AnonError
from anonp2p.net.tor import commands
from anonp2p.net.tor.control import Control
from anonp2p.net.tor.errors import ClientKeyRefused, InvitationNeedsControl

_KEY = 32  # bytes of a key
_TAKEN = ("250", "251", "252")  # it is new; it replaces another; it opens what Tor has of the room already


class ClientKeys:
    """Keys that a Tor has from us. control: None where it grants us a SOCKS port alone.

    They stay between dials: with the key, Tor drops what it knows of the room, and it asks each of a room's six
    directories again only after 15 minutes. None is given to a Tor, or a filter before it, that would not take it back.
    """

    def __init__(self, control: Control | None) -> None:
        self._control = control
        self._users: dict[str, set[str]] = {}  # who dials by the key, by code
        self._is_open = False  # whether it is known that no filter refuses keys

    async def lend(self, code: str, key: bytes, user: str) -> None:
        """Tor finds the room with this code by this key, until it is taken back from all who use it.

        It is told so each time: another program may have taken it away, and any key that opens a service is as good
        as another. Raises TorRefused where Tor does not take it, TorLost.
        """
        if self._control is None:
            raise InvitationNeedsControl
        if not self._is_open:
            await self._require_open(self._control)
        self._users.setdefault(code, set()).add(user)
        status, _, _ = (await self._control.send(commands.add_client_key(code, key)))[-1]
        if status not in _TAKEN:
            raise ClientKeyRefused(status)

    async def _require_open(self, control: Control) -> None:
        """By a key of nothing: filters write what they refuse to their logs. Raises TorRefused, TorLost."""
        nothing = secrets.token_bytes(_KEY)
        for line in (
            commands.add_client_key(commands.NO_ADDRESS, nothing),
            commands.remove_client_key(commands.NO_ADDRESS),
        ):
            if not await control.passes(line):
                raise ClientKeyRefused(commands.FILTERED)
        self._is_open = True

    async def take_back(self, user: str) -> None:
        """This one dials no more; what it has dialled goes on. Does not wait long for a Tor that does not answer."""
        unused = [code for code, users in self._users.items() if users == {user}]
        for users in self._users.values():
            users.discard(user)
        with trio.move_on_after(limits.WITHDRAW_PATIENCE, shield=True), suppress(AnonError):
            for code in unused:
                del self._users[code]
                assert self._control is not None, "it has been lent"
                await self._control.send(commands.remove_client_key(code))
