"""Half-open links: how many there may be, our hello, and one request in answer to it, at a bounded rate."""

from typing import NamedTuple, Protocol

from anonp2p import limits
from anonp2p.errors import PeerFault
from anonp2p.protocol import credentials, frames, handshake
from anonp2p.protocol.handshake import Channel, HandshakeKey, HostHandshake
from anonp2p.protocol.requests import AnyRequest, Hello
from anonp2p.room import effects
from anonp2p.room.context import Context
from anonp2p.room.requests import Request, RequestQueue


class NotAdmitted(Exception):
    """Whoever asks is turned away; `reason` is all it is told."""

    def __init__(self, reason: frames.Refusal) -> None:
        super().__init__(reason)
        self.reason = reason


class Caller(NamedTuple):
    """Who has dialled us and has sent a request that opened.

    hello: the hash of ours on this very link; service: the onion service of ours that was dialled.
    """

    link: int
    channel: Channel
    hello: bytes
    service: bytes


def refuse(context: Context, caller: Caller, reason: frames.Refusal) -> None:
    """Tells one that it is not let in, and closes its link once that is read."""
    sign, vouched = context.replica.me.signer(caller.service), context.credentials_for(caller.service)
    refused = credentials.sign_refusal(reason, caller.hello, vouched, sign)
    context.reporter.add_effect(effects.FinishEffect(caller.link, caller.channel.seal_frames([refused])))


class Answerer(Protocol):
    """Who decides on requests: of the links that it takes over, the gate knows no more."""

    def take_ticket(self, ticket: bytes) -> bool:
        """Whether who shows this comes before all strangers. Of no use a second time."""

    def answer(self, caller: Caller, request: AnyRequest) -> float:
        """Answers; returns what that has cost, in tokens of `JOIN_RATE`. Raises NotAdmitted, PeerFault."""


class Gate:
    """Greets whoever dials, and has their requests answered. Requests that come too fast are answered later.

    Members that show a ticket wait in a queue of their own, and give way to nobody. answerer: replaced when our role
    is; half-open links stay.
    """

    def __init__(self, context: Context, answerer: Answerer) -> None:
        self.answerer = answerer
        self._clock = context.clock
        self._random = context.random
        self._reporter = context.reporter
        self._context = context
        self._handshake_key = HandshakeKey(context.random)
        self._handshakes: dict[int, HostHandshake] = {}  # by link, of those whose request has not come
        self._returning = RequestQueue(limits.RETURN_BUCKET, limits.RETURN_RATE)
        self._strangers = RequestQueue(limits.JOIN_BUCKET, limits.JOIN_RATE)
        self._refused: set[int] = set()  # links of those who may still read why

    @property
    def links(self) -> frozenset[int]:
        """The half-open links of those who have shown no ticket, of which there are not more than `HALF_OPEN`."""
        return frozenset((*self._handshakes, *self._strangers.links, *self._refused))

    def next_deadline(self) -> float | None:
        """When (`Now.tick`) a request that waits is answered."""
        dues = [queue.next_deadline() for queue in (self._returning, self._strangers)]
        return min((due for due in dues if due is not None), default=None)

    def begin_handshake(self, link: int, service: bytes) -> None:
        """Somebody has dialled this service of ours.

        If there are as many half-open links as may be, a random one is closed: a peer that opens more links than others
        then loses as many more. The newest itself is not among them: it is the only one that had no time at all.
        """
        if len(self.links) >= limits.HALF_OPEN:
            half_open = sorted(self.links)
            chosen = half_open[int.from_bytes(self._random(8), "big") % len(half_open)]
            self.forget_link(chosen)
            self._reporter.add_effect(effects.DropEffect(chosen, "displaced"))
        greeting = self._handshakes[link] = self._handshake_key.begin_handshake(service, self._clock.tick)
        self._reporter.add_effect(effects.SendEffect(link, greeting.wire))

    def is_ours(self, hello: Hello) -> bool:
        """Whether a hello of these minutes is ours: nobody else can open what answers it."""
        return self._handshake_key.has_shown(hello.handshake_key)

    def take_request(self, link: int, payload: bytes) -> bool:
        """Takes what came on a link if its request has not come yet; whether that was so."""
        greeting = self._handshakes.pop(link, None)
        if greeting is None:
            return False
        is_member = self.answerer.take_ticket(handshake.read_ticket(payload))
        queue = self._returning if is_member else self._strangers
        queue.add_request(Request(link, greeting, payload))
        self.answer_due_requests()
        return True

    def answer_due_requests(self) -> None:
        """Answers of each queue the request that waits longest, if it is its time."""
        for queue in (self._returning, self._strangers):
            if request := queue.take_due(self._clock.tick):
                queue.charge(self._answer_request(request), self._clock.tick)

    def _answer_request(self, request: Request) -> float:
        """Returns what the answer has cost, in tokens."""
        try:
            return self._answer_or_refuse(
                request.link, request.handshake, request.handshake.open_request(request.client_handshake)
            )
        except PeerFault as fault:
            self._reporter.add_effect(effects.DropEffect(request.link, fault.fault))
            return limits.REFUSAL_COST

    def _answer_or_refuse(self, link: int, greeting: HostHandshake, request: AnyRequest) -> float:
        hello, service = greeting.hello, greeting.service
        caller = Caller(link, Channel(request.link_secret, hello, up=False), hello, service)
        try:
            return self.answerer.answer(caller, request)
        except NotAdmitted as refusal:
            self._refused.add(link)
            refuse(self._context, caller, refusal.reason)
            return limits.REFUSAL_COST

    def forget_link(self, link: int) -> None:
        """The link is no more."""
        self._handshakes.pop(link, None)
        for queue in (self._returning, self._strangers):
            queue.forget_link(link)
        self._refused.discard(link)

    def forget_old_key(self) -> None:
        """Deletes the handshake key when its time is over, even if no new link causes another one to be made."""
        self._handshake_key.forget_expired_key(self._clock.tick)
