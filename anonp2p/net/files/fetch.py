"""Fetches one file: dials its sender again and again, until nothing of it is missing."""

import secrets
from contextlib import suppress
from functools import partial

import trio

from anonp2p import errors, limits
from anonp2p.errors import AnonError, TorLost
from anonp2p.files import downloads, part
from anonp2p.files.errors import OfferKeyFiltered, OfferNeedsControl, SenderGone, SenderLied
from anonp2p.names import codes
from anonp2p.net.files import disk
from anonp2p.net.files.claims import Claims, Post
from anonp2p.net.files.download import Download
from anonp2p.net.files.fetching_link import LinkBroken, fetch_on
from anonp2p.net.files.progress import Progress
from anonp2p.net.shared_network import SharedNetwork
from anonp2p.net.tor import commands
from anonp2p.net.tor.errors import ClientKeyRefused, InvitationNeedsControl
from anonp2p.net.transport import DialFault
from anonp2p.protocol import transfer
from anonp2p.protocol.transfer import FetchingEnd
from anonp2p.reasons import Reason
from anonp2p.room.effects import FetchFileEffect

_RANDOM = secrets.SystemRandom()


class Fetch:
    """One fetch, which ends when the file is whole, or cannot be had, or it is cancelled.

    room: whose turn it is when the network is there again (`SharedNetwork.take_turn`).
    """

    def __init__(
        self, effect: FetchFileEffect, claims: Claims, network: SharedNetwork, room: object, post: Post
    ) -> None:
        self._effect = effect
        self._offer = effect.offer
        self._make_claim = partial(claims.make_claim, effect.number)
        self._network = network
        self._room = room
        self._progress = Progress(effect.number, effect.offer.size, post)
        self._isolation = secrets.token_hex(16)  # keeps our dials on circuits of their own
        self._dials = 0
        self._links = 0  # that are up
        self.forgets = False  # whether what has come goes if it is cancelled

    async def run(self) -> None:
        """Tells the room how it goes, and how it ended."""
        try:
            path = await self._fetch()
        except* AnonError as group:
            await self._progress.tell("failed", _explain(errors.first(group)))
        else:
            await self._progress.tell("done", path=path)

    async def _fetch(self) -> str:
        destination = await disk.read(downloads.find_destination, self._effect.name, self._effect.path)
        await disk.read(part.check_folder, destination)
        download = Download(self._offer, destination, self._progress)
        try:
            with download.patience:
                await download.begin()
                await self._dial_all(download)
            if download.patience.cancelled_caught:
                raise SenderGone
            return await download.finish()
        finally:
            download.close(forgets=self.forgets)
            with trio.move_on_after(limits.WITHDRAW_PATIENCE, shield=True):
                await self._forget_key()

    async def _forget_key(self) -> None:
        """Whoever else uses the same Tor is not to find the service by the key that it has from us."""
        if self._dials:
            with suppress(AnonError):
                await (await self._network.usable(0.0)).forget_keys(self._isolation)

    async def _dial_all(self, download: Download) -> None:
        """Returns once nothing is missing."""
        links = limits.FILE_CIRCUITS if transfer.count_chunks(self._offer.size) > limits.SEGMENT else 1
        async with trio.open_nursery() as nursery:
            for _ in range(links):
                nursery.start_soon(self._keep_dialling, download)

    @trio.lowlevel.enable_ki_protection
    async def _keep_dialling(self, download: Download) -> None:
        """Has one link after the other, until nothing is missing."""
        tries, pause, returns = 0, limits.DIAL_PAUSE, False
        while not download.is_complete:
            before = self._progress.done
            seconds = limits.DIAL_TRIES[min(tries, len(limits.DIAL_TRIES) - 1)]
            try:
                await self._use_link(download, seconds, fresh=tries > 0, returns=returns)
            except (DialFault, TorLost, LinkBroken) as error:
                if isinstance(error, DialFault) and not error.again:
                    raise SenderLied from None  # the key that it has given opens nothing
                returns = isinstance(error, TorLost)
                if not self._links:
                    await self._progress.note_loss()
            else:
                continue
            came = self._progress.done > before
            tries, pause = (0, limits.DIAL_PAUSE) if came else (tries + 1, min(pause * 1.5, limits.DIAL_PAUSE_MAX))
            await trio.sleep(pause)

    async def _use_link(self, download: Download, seconds: float, *, fresh: bool, returns: bool) -> None:
        stream = await self._dial(seconds, fresh=fresh, returns=returns)
        self._links += 1
        try:
            end = FetchingEnd(self._offer.secret, secrets.token_bytes(transfer.HELLO), self._offer.size)
            await fetch_on(stream, end, self._make_claim, download)
        finally:
            self._links -= 1
            await trio.aclose_forcefully(stream)

    async def _dial(self, seconds: float, *, fresh: bool, returns: bool) -> trio.abc.Stream:
        """Raises DialFault, AnonError. returns: whether the network was lost, with that of our rooms."""
        self._dials += 1
        isolation = f"{self._isolation}:{self._dials}"
        if returns:
            async with self._network.take_turn(self._room, _RANDOM.uniform(0.0, limits.RETURN_SPREAD)) as transport:
                pass
        else:
            transport = await self._network.usable(0.0)
        with trio.move_on_after(seconds):
            return await transport.dial(
                codes.encode_key(self._offer.address),
                isolation,
                hello=transfer.HELLO,
                fresh=fresh,
                client_key=transfer.derive_client_key(self._offer.secret),
            )
        raise DialFault(Reason("dial-timeout", seconds))


def _explain(error: AnonError) -> AnonError:
    """What a dial of a private room would say, as it is for a file."""
    match error:
        case InvitationNeedsControl():
            return OfferNeedsControl()
        case ClientKeyRefused(args=(commands.FILTERED,)):
            return OfferKeyFiltered()
        case ClientKeyRefused():
            return SenderLied()  # no service has such an address
    return error
