"""What the links share on which one file is fetched: what is there, what is missing, and how long it is waited for."""

from functools import partial

import trio

from anonp2p import limits
from anonp2p.crypto import suite
from anonp2p.files.downloads import Destination
from anonp2p.files.errors import SenderLied
from anonp2p.files.part import PartFile
from anonp2p.net.files import disk
from anonp2p.net.files.missing_chunks import MissingChunks
from anonp2p.net.files.progress import Progress
from anonp2p.protocol import transfer
from anonp2p.protocol.bodies import FileOffer
from anonp2p.protocol.transfer import Chunk, HashList, ListPiece, Want


class Download:
    """A file from its list of hashes to its last chunk. patience: ends whatever is done in it once nothing comes."""

    def __init__(self, offer: FileOffer, destination: Destination, progress: Progress) -> None:
        self.patience = trio.CancelScope()
        self._offer = offer
        self._destination = destination
        self._progress = progress
        self._changed = trio.Event()
        self._list = bytearray()  # what there is of the list of hashes
        self._list_wants = [Want("list", 0, transfer.count_pieces(offer.size))]
        self._part: PartFile | None = None  # once the list is there
        self._missing: MissingChunks | None = None  # the same

    async def begin(self) -> None:
        """Waits for what comes, from now on; a file without bytes has come. Raises AnonError."""
        self._note_life()
        if not self._offer.size:
            await self._take_list(HashList(b""))

    async def finish(self) -> str:
        """The whole file gets its name; returns its path. Raises AnonError."""
        assert self._part is not None, "all of it is there"
        return await disk.run(self._part.finish)

    def close(self, *, forgets: bool) -> None:
        """Nothing comes any more: what is there stays if it can be gone on with. forgets: it goes in any case."""
        if self._part is not None:
            self._part.close(forgets=forgets)

    @property
    def is_complete(self) -> bool:
        """Whether nothing is missing."""
        return self._missing is not None and self._missing.is_complete

    def next_want(self) -> Want | None:
        """What to ask for next: the list of hashes, then what is missing; None if there is nothing for now."""
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

    async def until_changed(self) -> None:
        """Returns once there may be something to ask for, or nothing is missing."""
        await self._changed.wait()

    def _note_change(self) -> None:
        self._changed.set()
        self._changed = trio.Event()

    def _note_life(self) -> None:
        self.patience.deadline = trio.current_time() + limits.FILE_PATIENCE

    async def take_piece(self, piece: ListPiece) -> None:
        """The pieces come in their order, on one link after the other. Raises AnonError."""
        self._list += piece.data
        self._note_life()
        if len(self._list) == suite.SECRET * transfer.count_chunks(self._offer.size):
            await self._take_list(HashList(bytes(self._list)))
            self._list.clear()

    async def _take_list(self, hashes: HashList) -> None:
        """What of the file is there already is not asked for."""
        if hashes.root != self._offer.root:
            raise SenderLied
        self.patience.deadline = float("inf")  # a large part takes its time
        opening = partial(PartFile, self._destination, self._offer.size, hashes)
        self._part = await disk.make(opening, lambda unwanted: unwanted.close())
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
