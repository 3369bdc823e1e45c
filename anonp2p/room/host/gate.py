"""Half-open links: how many there may be, the host's hello, and one request in answer to it, at a bounded rate."""

from anonp2p import limits
from anonp2p.errors import PeerFault
from anonp2p.protocol import frames
from anonp2p.protocol.handshake import Channel, HandshakeKey, HostHandshake
from anonp2p.room import effects
from anonp2p.room.context import Context
from anonp2p.room.host.admission import Admission, NotAdmitted
from anonp2p.room.token_bucket import TokenBucket


class Gate:
    """Greets strangers, and hands their requests to the admission. Requests that come too fast are answered later."""

    def __init__(self, context: Context, admission: Admission) -> None:
        self._clock = context.clock
        self._random = context.random
        self._reporter = context.reporter
        self._admission = admission
        self._handshake_key = HandshakeKey(context.replica.ledger.room, context.random)
        self._handshakes: dict[int, HostHandshake] = {}  # by link, of those whose request has not come
        self._requests: dict[int, tuple[HostHandshake, bytes]] = {}  # by link, in the order in which they are answered
        self._refused: set[int] = set()  # links of those who may still read why
        self._rate = TokenBucket(limits.JOIN_BUCKET, limits.JOIN_RATE)
        self._due: float | None = None  # when (`Now.tick`) the next request is answered, if that has taken its token

    @property
    def links(self) -> frozenset[int]:
        """The half-open links."""
        return frozenset((*self._handshakes, *self._requests, *self._refused))

    def next_deadline(self) -> float | None:
        """When (`Now.tick`) a request that waits is answered."""
        if not self._requests:
            return None
        return self._clock.tick if self._due is None else self._due

    def begin_handshake(self, link: int) -> None:
        """Somebody has dialled. If there are as many half-open links as may be, a random one is closed.

        A random one, since a peer that opens more links than others then loses as many more. The newest itself is not
        among them: it is the only one that had no time at all.
        """
        if len(self.links) >= limits.HALF_OPEN:
            half_open = sorted(self.links)
            chosen = half_open[int.from_bytes(self._random(8), "big") % len(half_open)]
            self.forget_link(chosen)
            self._reporter.add_effect(effects.DropEffect(chosen, "displaced"))
        handshake = self._handshakes[link] = self._handshake_key.begin_handshake(self._clock.tick)
        self._reporter.add_effect(effects.SendEffect(link, handshake.wire))

    def take_request(self, link: int, payload: bytes) -> bool:
        """Takes what came on a link if its request has not come yet; whether that was so."""
        handshake = self._handshakes.pop(link, None)
        if handshake is None:
            return False
        self._requests[link] = handshake, payload
        self.answer_due_request()
        return True

    def answer_due_request(self) -> None:
        """Answers the request that waits longest, if it is its time. A link that is gone by then has used no token."""
        if not self._requests:
            return
        if self._due is None:
            self._due = self._clock.tick + self._rate.take_tokens(self._clock.tick)
        if self._clock.tick >= self._due:
            self._due = None
            link = next(iter(self._requests))
            self._answer_request(link, *self._requests.pop(link))

    def _answer_request(self, link: int, handshake: HostHandshake, payload: bytes) -> None:
        try:
            self._admit_or_refuse(link, handshake.hello, handshake.open_request(payload))
        except PeerFault as fault:
            self._reporter.add_effect(effects.DropEffect(link, fault.fault))

    def _admit_or_refuse(self, link: int, hello: bytes, request: frames.Request) -> None:
        channel = Channel(request.link_secret, hello, up=False)
        try:
            if isinstance(request, frames.ResumeRequest):
                self._admission.admit_returning(link, channel, hello, request)
            else:
                self._admission.admit_newcomer(link, channel, hello, request)
        except NotAdmitted as refusal:
            self._refused.add(link)
            self._reporter.add_effect(
                effects.FinishEffect(link, channel.seal_frames([frames.RefusedFrame(refusal.reason)]))
            )

    def forget_link(self, link: int) -> None:
        """The link is no more."""
        self._handshakes.pop(link, None)
        self._requests.pop(link, None)
        self._refused.discard(link)

    def forget_old_key(self) -> None:
        """Deletes the handshake key when its time is over, even if no new link causes another one to be made."""
        self._handshake_key.forget_expired_key(self._clock.tick)
