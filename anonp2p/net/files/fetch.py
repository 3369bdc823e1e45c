"""Fetches one file: dials its sender again and again, and shares what is missing among its links."""

import secrets
from contextlib import suppress
from functools import partial

import trio

from anonp2p import errors, limits
from anonp2p.crypto import suite
from anonp2p.errors import AnonError, TorLost
from anonp2p.files import downloads, part
from anonp2p.files.errors import OfferNeedsControl, SenderGone, SenderLied
from anonp2p.files.part import PartFile
from anonp2p.names import codes
from anonp2p.net.files import disk
from anonp2p.net.files.claims import Claims, Post
from anonp2p.net.files.fetching_link import LinkBroken, fetch_on
from anonp2p.net.files.missing_chunks import MissingChunks
from anonp2p.net.files.progress import Progress
from anonp2p.net.shared_network import SharedNetwork
from anonp2p.net.tor.errors import InvitationNeedsControl
from anonp2p.net.transport import DialFault
from anonp2p.protocol import transfer
from anonp2p.protocol.bodies import FileOffer
from anonp2p.protocol.transfer import Chunk, FetchingEnd, HashList, ListPiece, Want
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
        self._offer: FileOffer = effect.offer
        self._number = effect.number
        self._name, self._path = effect.name, effect.path
        self._claims = claims
        self._network = network
        self._room = room
        self._progress = Progress(effect.number, effect.offer.size, post)
        self._isolation = secrets.token_hex(16)  # keeps our dials on circuits of their own
        self._dials = 0
        self._links = 0  # that are up
        self._patience = trio.CancelScope()
        self._changed = trio.Event()
        self._list = bytearray()  # what there is of the list of hashes
        self._list_wants = [Want("list", 0, transfer.count_pieces(self._offer.size))]
        self._part: PartFile | None = None  # once the list is there
        self._missing: MissingChunks | None = None  # the same

    async def run(self) -> None:
        """Tells the room how it goes, and how it ended."""
        try:
            path = await self._fetch()
        except* AnonError as group:
            error = errors.first(group)
            await self._progress.tell(
                "failed", OfferNeedsControl() if isinstance(error, InvitationNeedsControl) else error
            )
        else:
            await self._progress.tell("done", path=path)

    async def _fetch(self) -> str:
        try:
            destination = await disk.read(downloads.find_destination, self._name, self._path)
            await disk.read(part.check_folder, destination)
            self._destination = destination
            if not self._offer.size:
                await self._begin(HashList(b""))
            with self._patience:
                self._note_life()
                await self._dial_all()
            if self._patience.cancelled_caught:
                raise SenderGone
            assert self._part is not None, "all of it is there"
            return await disk.run(self._part.finish)
        finally:
            if self._part is not None:
                self._part.close()
            with trio.move_on_after(limits.WITHDRAW_PATIENCE, shield=True):
                await self._forget_key()

    async def _forget_key(self) -> None:
        """Whoever else uses the same Tor is not to find the service by the key that it has from us."""
        if self._dials:
            with suppress(AnonError):
                await (await self._network.usable(0.0)).forget_keys(self._isolation)

    def _note_life(self) -> None:
        self._patience.deadline = trio.current_time() + limits.FILE_PATIENCE

    # --- dials

    async def _dial_all(self) -> None:
        """Returns once nothing is missing."""
        links = limits.FILE_CIRCUITS if transfer.count_chunks(self._offer.size) > limits.SEGMENT else 1
        async with trio.open_nursery() as nursery:
            for _ in range(links):
                nursery.start_soon(self._keep_dialling)

    async def _keep_dialling(self) -> None:
        """Has one link after the other, until nothing is missing."""
        tries, pause, returns = 0, limits.DIAL_PAUSE, False
        while not self.is_complete:
            before = self._progress.done
            try:
                await self._use_link(limits.DIAL_TRIES[min(tries, len(limits.DIAL_TRIES) - 1)], tries > 0, returns)
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

    async def _use_link(self, seconds: float, fresh: bool, returns: bool) -> None:
        stream = await self._dial(seconds, fresh, returns)
        self._links += 1
        try:
            end = FetchingEnd(self._offer.secret, secrets.token_bytes(transfer.HELLO), self._offer.size)
            await fetch_on(stream, end, partial(self._claims.make_claim, self._number), self)
        finally:
            self._links -= 1
            await trio.aclose_forcefully(stream)

    async def _dial(self, seconds: float, fresh: bool, returns: bool) -> trio.abc.Stream:
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
                fresh=fresh,
                client_key=transfer.derive_client_key(self._offer.secret),
            )
        raise DialFault(Reason("dial-timeout", seconds))

    # --- what the links share

    @property
    def is_complete(self) -> bool:
        """Whether nothing is missing."""
        return self._missing is not None and self._missing.is_complete

    def next_want(self) -> Want | None:
        """What to ask for next: the list of hashes, then what is missing."""
        if self._missing is None:
            return self._list_wants.pop() if self._list_wants else None
        return self._missing.take() if self._missing.has_work else None

    def give_back(self, wants: tuple[Want, ...]) -> None:
        """This was asked for, and does not come."""
        if self._missing is None:
            self._list_wants.extend(wants)
        else:
            self._missing.give_back(wants)
        self._note_change()

    def _note_change(self) -> None:
        self._changed.set()
        self._changed = trio.Event()

    async def until_changed(self) -> None:
        """Returns once there may be something to ask for, or nothing is missing."""
        await self._changed.wait()

    async def take_piece(self, piece: ListPiece) -> None:
        """The pieces come in their order, on one link after the other. Raises AnonError."""
        self._list += piece.data
        self._note_life()
        if len(self._list) == suite.SECRET * transfer.count_chunks(self._offer.size):
            await self._begin(HashList(bytes(self._list)))
            self._list.clear()

    async def _begin(self, hashes: HashList) -> None:
        """The list is there: what of the file is there already is not asked for."""
        if hashes.root != self._offer.root:
            raise SenderLied
        self._patience.deadline = float("inf")  # a large part takes its time
        self._part = await disk.make(
            partial(PartFile, self._destination, self._offer.size, hashes), lambda unwanted: unwanted.close()
        )
        good = self._part.good
        self._missing = MissingChunks(good, limits.FILE_CIRCUITS)
        lengths = (transfer.chunk_length(self._offer.size, at) for at, is_there in enumerate(good) if is_there)
        self._progress.begin_at(sum(lengths))
        self._note_life()
        self._note_change()

    async def take_chunk(self, chunk: Chunk) -> None:
        """Raises AnonError if it is another than was offered, or cannot be written."""
        assert self._part is not None, "nothing is asked for before"
        assert self._missing is not None, "nothing is asked for before"
        if not await disk.run(self._part.write_chunk, chunk.number, chunk.data):
            raise SenderLied
        self._missing.note_good()
        self._note_life()
        await self._progress.add_bytes(len(chunk.data))
        if self.is_complete:
            self._note_change()

    async def note_waiting(self, before: int) -> None:
        """The sender serves so many others before us."""
        self._note_life()
        await self._progress.note_waiting(before)
