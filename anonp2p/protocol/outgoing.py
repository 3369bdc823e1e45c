"""What one end of a link has to send, and in which order: data for this link, a record of frames, then the log."""

from collections.abc import Sequence
from typing import Protocol

from anonp2p import limits
from anonp2p.protocol.frames import Frame
from anonp2p.protocol.handshake import Channel
from anonp2p.protocol.packing import pack


class Source(Protocol):
    """A log as one peer is sent it, piece by piece."""

    @property
    def lags(self) -> bool:
        """Whether the log no longer has what comes next."""

    @property
    def is_through(self) -> bool:
        """Whether there is nothing left to send."""

    @property
    def is_out(self) -> bool:
        """Whether the peer has all that it is to get."""

    @property
    def holds_expired(self) -> bool:
        """Whether bytes that were taken, but have not left, contain something that has expired."""

    def count_batches(self) -> int:
        """How many batches there are left to send."""

    def take_data(self, *, single: bool = False) -> bytes:
        """The next piece, or only its first batch; empty if there is none. Raises PeerFault when the peer lags."""

    def mark_sent(self) -> None:
        """All that was taken has left."""


class Outgoing:
    """The queue of one link. At most so many bytes wait for this link alone; a welcome and the log do not count.

    channel: seals records; frames wait until there is one. With cover, what waits goes in answers, a piece in each.
    """

    __slots__ = (
        "_answers",
        "_direct",
        "_echo",
        "_frames",
        "_head",
        "_is_behind",
        "_limit",
        "_next",
        "_record_due",
        "_rest",
        "_source",
        "_waiting",
        "_welcome",
        "channel",
    )

    def __init__(self, limit: int) -> None:
        self.channel: Channel | None = None
        self._limit = limit
        self._waiting = 0  # bytes that wait for this link alone, without the welcome
        self._direct: list[bytes] = []
        self._frames: list[tuple[Frame, int, bool]] = []  # each with its bytes, and whether it is of a welcome
        self._welcome = 0  # how many of these are
        self._record_due = False  # whether a record is to go, if an empty one
        self._echo = False  # whether it asks for an answer
        self._source: Source | None = None
        self._rest: bytes | memoryview = b""  # taken, but not sent yet
        self._next = b""  # a piece of the log, taken with the rest; it goes by itself, since other links share it
        self._answers: int | None = None  # with cover: how many may go out now
        self._head = b""  # with cover: the latest head, if it is for who has all that was taken
        self._is_behind = False  # with cover: whether too much of the log waits for answers, so that all of it goes

    def queue_data(self, data: bytes) -> bool:
        """Whether there was room for these bytes."""
        if not self._admit(len(data)):
            return False
        self._direct.append(data)
        return True

    def queue_frames(self, frames: Sequence[Frame], *, echo: bool) -> bool:
        """Whether there was room for these frames. Without any, the next record goes even if it is empty."""
        sized = [(frame, _count_bytes(frame), False) for frame in frames]
        if not self._admit(sum(size for _, size, _ in sized)):
            return False
        self._frames += sized
        self._record_due, self._echo = True, self._echo or echo
        return True

    def _admit(self, size: int) -> bool:
        if self._waiting + size > self._limit:
            return False
        self._waiting += size
        return True

    def follow_log(self, source: Source, welcome: Sequence[Frame]) -> None:
        """Sends the log from now on, after what waits and these frames, which may be any number."""
        self._frames += [(frame, _count_bytes(frame), True) for frame in welcome]
        self._welcome += len(welcome)
        self._record_due |= bool(welcome)
        self._source = source

    # --- cover

    def begin_cover(self) -> None:
        """From now on one piece goes out for each answer."""
        if self._answers is None:
            self._answers = 0

    def end_cover(self) -> None:
        """From now on everything goes out at once."""
        self._answers = None
        self._head = b""

    def add_answer(self) -> None:
        """One more answer may go out."""
        self._answers = (self._answers or 0) + 1

    def hold_head(self, data: bytes) -> bool:
        """With cover, keeps this head for an answer, in place of an older one; whether that is so."""
        if self._answers is None:
            return False
        self._head = data
        return True

    @property
    def _waits_for_answer(self) -> bool:
        return self._answers is not None and not self._is_behind

    # --- what goes next

    @property
    def takes_head(self) -> bool:
        """Whether the peer has, or is about to have, all that a head covers.

        While entries are on their way, they end in a head of their own. While a welcome is, the peer could not open it.
        """
        source = self._source
        return source is not None and source.is_through and not (source.is_out or self._welcome)

    @property
    def is_left_behind(self) -> bool:
        """Whether the log goes on without the peer, or the peer does not take what has expired meanwhile."""
        source = self._source
        return source is not None and (source.lags or bool(self._rest and source.holds_expired))

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to send."""
        if self._waits_for_answer:
            return not (self._rest or self._answers)
        record = self._record_due and self.channel is not None
        return not (self._rest or self._direct or record) and (self._source is None or self._source.is_through)

    @property
    def holds_rest(self) -> bool:
        """Whether something was taken that has not been sent yet."""
        return bool(self._rest)

    def next_piece(self) -> bytes | memoryview:
        """What goes next, the same until it was marked as sent. Raises PeerFault when the peer lags."""
        if not self._rest:
            self._rest = self._take()
        return self._rest

    def mark_sent(self, count: int) -> None:
        """So many bytes of the next piece have left."""
        if count < len(self._rest):
            # A view, so that links that are stuck share what they are sent.
            self._rest = memoryview(self._rest)[count:]
            return
        self._rest, self._next = self._next, b""
        if self._source is not None and not self._rest:
            self._source.mark_sent()

    def clear(self) -> None:
        """Nothing more is sent, and nothing held."""
        self._rest = self._next = self._head = b""
        self._answers = None
        self._direct.clear()
        self._frames.clear()
        self._welcome = 0
        self._record_due = False
        self._source = None

    def _take(self) -> bytes:
        if not self._waits_for_answer:
            return self._take_all()
        if not self._answers:
            return b""
        self._answers -= 1
        return self._take_answer()

    def _take_answer(self) -> bytes:
        """The first of what waits for this link, or an empty record; with a backlog, all there is."""
        assert self.channel is not None, "only members ask for answers"
        source = self._source
        if self._direct:
            return self._take_direct()
        if source is not None and source.count_batches() > limits.COVER_BACKLOG:
            self._is_behind = True
            return self._take_all()
        if not self._frames and source is not None and (batch := source.take_data(single=True)):
            self._head = b""
            return batch
        if not self._frames and self._head:
            head, self._head = self._head, b""
            return head
        record = self.channel.seal_frames(self._take_frames())
        self._record_due = bool(self._frames)
        return record

    def _take_direct(self) -> bytes:
        data = b"".join(self._direct)
        self._waiting -= len(data)
        self._direct.clear()
        return data

    def _take_all(self) -> bytes:
        """All there is, in one piece; but a long piece of the log by itself."""
        data = self._take_direct()
        if self._record_due and self.channel is not None:
            data += self.channel.seal_frames(self._take_frames(), echo=self._echo)
            self._record_due, self._echo = bool(self._frames), False
            if self._record_due:
                return data
        if self._source is None:
            return data
        piece = self._source.take_data()
        self._head = b""
        self._is_behind = self._is_behind and not self._source.is_through
        if data and len(piece) > limits.BATCH_BYTES:
            self._next = piece
            return data
        return data + piece if data else piece

    def _take_frames(self) -> list[Frame]:
        """The frames of the next piece: about one large record, since what is sealed is held until it has left."""
        count, room = 0, limits.BATCH_BYTES
        while count < len(self._frames) and (not count or self._frames[count][1] <= room):
            room -= self._frames[count][1]
            count += 1
        taken = self._frames[:count]
        del self._frames[:count]
        self._waiting -= sum(size for _, size, is_welcome in taken if not is_welcome)
        self._welcome -= sum(is_welcome for _, _, is_welcome in taken)
        return [frame for frame, _, _ in taken]


def _count_bytes(frame: Frame) -> int:
    return len(pack(frame)) + limits.FRAME_OVERHEAD
