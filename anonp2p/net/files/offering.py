"""A file that we offer: its onion service, the links that are dialled to it, and who fetches."""

import math
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import trio

from anonp2p import limits
from anonp2p.errors import TorLost
from anonp2p.files.outgoing_file import OutgoingFile
from anonp2p.names.codes import RoomKey
from anonp2p.net.files.claims import Claims, Post
from anonp2p.net.files.progress import Progress
from anonp2p.net.files.serving_link import ServingLink
from anonp2p.net.files.turns import Turns
from anonp2p.net.shared_network import SharedNetwork
from anonp2p.net.transport import Place, Transport
from anonp2p.protocol import transfer

_RANDOM = secrets.SystemRandom()


class _Fetcher:
    """A member that fetches. links: those on which it does, the oldest first. done_at: when that was told last."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.links: list[trio.CancelScope] = []
        self.is_done = False
        self.done_at = -math.inf
        self.forgetting = trio.CancelScope()


class Offering:
    """Serves one file until it is cancelled.

    number: of the offer. room: whose turn it is when the network is there again (`SharedNetwork.take_turn`).
    """

    def __init__(self, number: int, file: OutgoingFile, turns: Turns, claims: Claims, post: Post) -> None:
        self._number = number
        self._file = file
        self._turns = turns
        self._claims = claims
        self._post = post
        self._half_open: list[trio.CancelScope] = []
        self._fetchers: dict[bytes, _Fetcher] = {}

    async def serve(self, key: RoomKey, secret: bytes, network: SharedNetwork, room: object) -> None:
        """Raises AnonError where the file cannot be served, or not any more."""
        transport = await network.usable(0.0)
        async with trio.open_nursery() as nursery:
            while True:
                with suppress(TorLost):
                    await self._listen(key, secret, transport, nursery)
                await trio.sleep(limits.TOR_RETRY)
                async with network.take_turn(room, _RANDOM.uniform(0.0, limits.RETURN_SPREAD)) as transport:
                    pass  # others may come back while this one is served

    async def _listen(self, key: RoomKey, secret: bytes, transport: Transport, nursery: trio.Nursery) -> None:
        """Keeps the service reachable as long as this network lasts."""
        async with (
            transport.listen(key, (transfer.find_client(secret),)) as place,
            trio.open_nursery() as accepting,
        ):
            accepting.start_soon(self._accept, place, secret, nursery)
            await transport.lost.wait()
            accepting.cancel_scope.cancel()

    @trio.lowlevel.enable_ki_protection
    async def _accept(self, place: Place, secret: bytes, nursery: trio.Nursery) -> None:
        while True:
            stream = await place.listener.accept()
            if len(self._half_open) >= limits.FILE_HALF_OPEN:
                self._half_open.pop(_RANDOM.randrange(limits.FILE_HALF_OPEN)).cancel()
            scope = trio.CancelScope()
            self._half_open.append(scope)
            nursery.start_soon(self._attend, stream, place, secret, scope, nursery)

    @trio.lowlevel.enable_ki_protection
    async def _attend(
        self, stream: trio.abc.Stream, place: Place, secret: bytes, scope: trio.CancelScope, nursery: trio.Nursery
    ) -> None:
        """One link, until it ends for whatever reason."""
        link = ServingLink(stream, transfer.ServingEnd(secret, os.urandom(transfer.HELLO), self._file.size))
        try:
            with scope:
                member = None
                try:
                    with trio.move_on_after(limits.HANDSHAKE_SECONDS):
                        member = await link.receive_claim(lambda: place.admits(stream), self._check_claim)
                finally:
                    with suppress(ValueError):  # it had to make room
                        self._half_open.remove(scope)
                if member is not None:
                    await self._serve_member(link, member, scope, nursery)
        finally:
            await trio.aclose_forcefully(stream)

    def _check_claim(self, challenge: bytes, claim: bytes) -> bytes | None:
        return self._claims.check_claim(self._number, challenge, claim)

    async def _serve_member(
        self, link: ServingLink, member: bytes, scope: trio.CancelScope, nursery: trio.Nursery
    ) -> None:
        if not self._turns.enter(member):
            await link.refuse("crowded")
            return
        with self._fetching(member, scope, nursery) as fetcher:
            try:
                await link.serve(
                    self._file,
                    self._turns,
                    member,
                    lambda: self._claims.may_fetch(self._number, member),
                    fetcher.progress.add_bytes,
                )
                fetcher.is_done |= link.is_done
            finally:
                self._turns.leave(member)

    @contextmanager
    def _fetching(self, member: bytes, scope: trio.CancelScope, nursery: trio.Nursery) -> Iterator[_Fetcher]:
        """A link of a member's. One more than it may have takes the place of the oldest, which may be long dead."""
        fetcher = self._fetchers.get(member)
        if fetcher is None:
            fetcher = self._fetchers[member] = _Fetcher(Progress(self._number, self._file.size, self._post, member))
        elif fetcher.is_done:
            fetcher.is_done = False
            fetcher.progress.begin_at(0)
        fetcher.forgetting.cancel()
        fetcher.links.append(scope)
        if len(fetcher.links) > limits.FILE_CIRCUITS:
            fetcher.links[0].cancel()
        try:
            yield fetcher
        finally:
            fetcher.links.remove(scope)
            if not fetcher.links:
                fetcher.forgetting = trio.CancelScope()
                nursery.start_soon(self._forget, member, fetcher)

    @trio.lowlevel.enable_ki_protection
    async def _forget(self, member: bytes, fetcher: _Fetcher) -> None:
        """The last link of a member's has ended: it has all, or comes back, or is given up.

        Who comes and goes all the time is not told of each time.
        """
        with fetcher.forgetting:
            if fetcher.is_done:
                await trio.sleep_until(fetcher.done_at + limits.FILE_TURN)
                fetcher.done_at = trio.current_time()
                fetcher.progress.finish()
                await fetcher.progress.tell("done")
            else:
                await trio.sleep(limits.FILE_TOLD)
                await fetcher.progress.tell("connecting")
                if self._claims.may_fetch(self._number, member):
                    await trio.sleep(limits.FILE_PATIENCE)
                await fetcher.progress.tell("failed")
            await trio.sleep(limits.FILE_TURN)
            del self._fetchers[member]
