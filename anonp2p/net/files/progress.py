"""How far one transfer has come, as the room is told of it: at most twice a second, unless it begins or ends."""

import math
from collections import deque

import trio

from anonp2p import limits
from anonp2p.errors import AnonError
from anonp2p.net.files.claims import Post
from anonp2p.reasons import Reason
from anonp2p.room.file_events import TransferState
from anonp2p.room.file_inputs import TransferInput


class Progress:
    """number: of the offer. size: of the file. peer: the member that fetches it from us, if we serve it."""

    def __init__(self, number: int, size: int, post: Post, peer: bytes = b"") -> None:
        self.done = 0  # bytes
        self._number = number
        self._size = size
        self._peer = peer
        self._post = post
        self._told: TransferState | None = None
        self._told_at = -math.inf
        self._samples: deque[tuple[float, int]] = deque()  # when so many bytes were there

    def begin_at(self, done: int) -> None:
        """So many bytes were there before."""
        self.done = done
        self._samples.clear()

    def finish(self) -> None:
        """All is there, some of it from before."""
        self.done = self._size

    async def add_bytes(self, count: int) -> None:
        """So many more have come."""
        now = trio.current_time()
        if not self._samples:
            self._samples.append((now, self.done))
        self.done = min(self.done + count, self._size)  # one that comes back may want again what was on its way
        if self._told != "running" or now - self._told_at >= limits.FILE_TOLD:
            self._samples.append((now, self.done))
            while now - self._samples[0][0] > limits.FILE_RATE and len(self._samples) > 2:
                self._samples.popleft()
            await self.tell("running")

    async def note_waiting(self, before: int) -> None:
        """So many are served before."""
        if trio.current_time() - self._told_at >= limits.FILE_TOLD:
            await self.tell("connecting", Reason("others-first", before))

    async def note_loss(self) -> None:
        """No link is up any more."""
        if self._told == "running":
            await self.tell("connecting")

    async def tell(self, state: TransferState, detail: Reason | AnonError | None = None, path: str = "") -> None:
        """Something else than more bytes has happened."""
        if state == "connecting":
            self._samples.clear()
        self._told, self._told_at = state, trio.current_time()
        await self._post(
            TransferInput(self._number, state, self.done, self._rate(), detail=detail, peer=self._peer, path=path)
        )

    def _rate(self) -> int:
        """Bytes a second, of late."""
        if len(self._samples) < 2:
            return 0
        (begun, before), (now, after) = self._samples[0], self._samples[-1]
        return round((after - before) / (now - begun)) if now > begun else 0
