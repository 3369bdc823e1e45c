"""One end of a link, without I/O and without a clock: bytes in, payloads out, and every rule by which a link ends."""

from collections.abc import Sequence

from anonp2p import limits
from anonp2p.crypto.padding import SIZES
from anonp2p.errors import PeerFault
from anonp2p.protocol.frames import Frame
from anonp2p.protocol.handshake import Channel
from anonp2p.protocol.outgoing import Outgoing, Source
from anonp2p.protocol.wire import Splitter
from anonp2p.reasons import Fault, LinkEnd


class Connection:
    """Whoever owns it moves its bytes: reads while `next_payload` has none, writes while `data_to_send` has some.

    `reason` says why it is over, once it is. longest: how many bytes a content of the peer's may have until the
    handshake is over, which has its time. limit: how many bytes may wait that are for this link alone.
    """

    __slots__ = (
        "_answer_by",
        "_awaits_answer",
        "_ends_at",
        "_heard_at",
        "_is_finishing",
        "_outgoing",
        "_paused_until",
        "_splitter",
        "is_over",
        "is_settled",
        "reason",
    )

    def __init__(self, now: float, longest: int, limit: int = limits.LINK_QUEUE) -> None:
        self.reason: Fault | LinkEnd = "closed"
        self.is_over = False
        self.is_settled = False  # whether the handshake is over
        self._splitter = Splitter(longest)
        self._outgoing = Outgoing(limit)
        self._heard_at = now
        self._paused_until = now
        self._ends_at = now + limits.HANDSHAKE_SECONDS
        self._answer_by = float("inf")
        self._awaits_answer = False
        self._is_finishing = False

    # --- bytes in

    def receive_data(self, data: bytes | bytearray, now: float) -> None:
        """Takes in what was read; nothing means that the peer has closed the stream."""
        if not data:
            self.end()
            return
        self._heard_at = now
        self._answer_by = float("inf")
        if not self._is_refused:
            self._splitter.feed_data(data)

    def next_payload(self, now: float) -> bytes | None:
        """The next content of the peer's that is complete and may be read now. A bad one ends the connection."""
        if self.is_over or self._is_refused or now < self.resumes_at:
            return None
        try:
            return self._splitter.next_content()
        except PeerFault as fault:
            self.end(fault.fault)
            return None

    @property
    def _is_refused(self) -> bool:
        """Whether the peer was not let in: what it still sends is nothing to us, nor to be kept."""
        return self._is_finishing and not self.is_settled

    @property
    def resumes_at(self) -> float:
        """From when on payloads may be read."""
        return float("inf") if self._awaits_answer else self._paused_until

    def pause(self, seconds: float, now: float) -> None:
        """Reads nothing for so many seconds; the peer's silence counts only after them."""
        self._paused_until = max(self._paused_until, now + seconds)

    def await_answer(self) -> None:
        """Reads nothing until the handshake was answered: the room decides how fast the rest is read."""
        self._awaits_answer = True

    # --- bytes out

    def send_data(self, data: bytes) -> None:
        """Queues bytes for this link alone."""
        if not (self.is_over or self._outgoing.queue_data(data)):
            self.end("unread-data")

    def send_frames(self, frames: Sequence[Frame], *, echo: bool = False) -> None:
        """Queues frames for this link alone. A peer that makes us queue too many without reading them is cut."""
        if not (self.is_over or self._outgoing.queue_frames(frames, echo=echo)):
            self.end("unread-frames")

    def send_head(self, data: bytes) -> None:
        """Queues a head, if the peer has everything before it; else another will follow."""
        if self._outgoing.takes_head and not self._outgoing.hold_head(data):
            self.send_data(data)

    def follow_log(self, source: Source, welcome: Sequence[Frame] = ()) -> None:
        """From now on, after what is queued and this welcome, the peer gets what the source gives."""
        if not self.is_over:
            self._outgoing.follow_log(source, welcome)

    def begin_cover(self) -> None:
        """From now on nothing goes out but answers, until the connection finishes. May be said again."""
        self._outgoing.begin_cover()

    def send_answer(self) -> None:
        """Lets one answer go out: the first of what waits, or an empty record."""
        if not self.is_over:
            self._outgoing.add_answer()

    def check_lag(self) -> None:
        """Cuts a peer whom the log has left behind, even in the middle of a write that never ends.

        Also one that does not take what has expired: that is to be nowhere any more.
        """
        if self._outgoing.is_left_behind:
            self.end("lagged")

    @property
    def has_data_to_send(self) -> bool:
        """Whether `data_to_send` may have something."""
        return not self._outgoing.is_empty

    def data_to_send(self) -> bytes | memoryview:
        """What goes next; the same until it was marked as sent."""
        if self._outgoing.holds_rest:
            self.check_lag()
        if self.is_over:
            return b""
        try:
            return self._outgoing.next_piece()
        except PeerFault as fault:
            self.end(fault.fault)
            return b""

    def mark_sent(self, count: int) -> None:
        """So many bytes of what goes next have left."""
        if not self.is_over:
            self._outgoing.mark_sent(count)

    # --- its course

    def settle(self, channel: Channel) -> None:
        """The handshake is over: no deadline any more, records, and contents as long as any may be."""
        self.is_settled = True
        self._awaits_answer = False
        self._outgoing.channel = channel
        self._splitter.longest = SIZES[-1]
        self._ends_at = float("inf")

    def expect_answer(self, seconds: float, now: float) -> None:
        """Ends unless something comes in so many seconds: what was sent may not have come to the peer."""
        self._answer_by = now + seconds

    def hold(self, channel: Channel) -> None:
        """The peer waits, with heartbeats alone, until it is let in or not: nothing longer than one of them is read."""
        self.settle(channel)
        self._splitter.longest = SIZES[0]

    def finish(self, now: float) -> None:
        """Ends once everything there is was sent, and the peer has had time to read it.

        A socket closed with unread bytes in it can take what was sent last with it: so the peer closes first.
        """
        self._is_finishing = True
        self._awaits_answer = False
        self._outgoing.end_cover()
        self._ends_at = now + limits.LINGER_PATIENCE

    def end(self, reason: Fault | LinkEnd = "closed") -> None:
        """Is over, for the first reason that is given; nothing is held or sent any longer."""
        if not self.is_over:
            self.is_over = True
            self.reason = reason
            self._outgoing.clear()

    # --- time

    def measure_silence(self, now: float) -> float:
        """For how many seconds nothing has been heard."""
        return max(0.0, now - max(self._heard_at, self._paused_until))

    def next_deadline(self) -> float:
        """When `handle_timeout` is to be called, unless something happens before."""
        return min(self._ends_at, self._answer_by, self._lost_at)

    @property
    def _lost_at(self) -> float:
        if not self.is_settled:
            return float("inf")
        return max(self._heard_at, self._paused_until) + limits.LINK_LOST

    def handle_timeout(self, now: float) -> None:
        """Ends what is due."""
        if now >= self._lost_at:
            self.end("silent")
        elif now >= min(self._ends_at, self._answer_by):
            self.end("closed" if self._is_finishing else "slow-handshake")
