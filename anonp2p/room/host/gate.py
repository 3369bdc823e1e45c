"""Half-open links: the host's hello, and one request in answer to it."""

from anonp2p.protocol import frames
from anonp2p.protocol.handshake import Channel, HandshakeKey, HostHandshake
from anonp2p.room import effects
from anonp2p.room.context import Context
from anonp2p.room.host.admission import Admission, NotAdmitted


class Gate:
    """Greets strangers, and hands their requests to the admission."""

    def __init__(self, context: Context, admission: Admission) -> None:
        self._clock = context.clock
        self._reporter = context.reporter
        self._admission = admission
        self._handshake_key = HandshakeKey(context.replica.ledger.room, context.random)
        self._handshakes: dict[int, HostHandshake] = {}  # by link

    @property
    def links(self) -> frozenset[int]:
        """The links whose request has not come yet."""
        return frozenset(self._handshakes)

    def begin_handshake(self, link: int) -> None:
        """Somebody has dialled."""
        handshake = self._handshakes[link] = self._handshake_key.begin_handshake(self._clock.tick)
        self._reporter.add_effect(effects.SendEffect(link, handshake.wire))

    def take_request(self, link: int, payload: bytes) -> bool:
        """Takes what came on a link if its request has not come yet; whether that was so. Raises PeerFault."""
        handshake = self._handshakes.pop(link, None)
        if handshake is None:
            return False
        request = handshake.open_request(payload)
        channel = Channel(request.link_secret, handshake.hello, up=False)
        try:
            if isinstance(request, frames.ResumeRequest):
                self._admission.admit_returning(link, channel, handshake.hello, request)
            else:
                self._admission.admit_newcomer(link, channel, handshake.hello, request)
        except NotAdmitted as refusal:
            self._reporter.add_effect(
                effects.FinishEffect(link, channel.seal_frames([frames.RefusedFrame(refusal.reason)]))
            )
        return True

    def forget_link(self, link: int) -> None:
        """The link is no more."""
        self._handshakes.pop(link, None)

    def forget_old_key(self) -> None:
        """Deletes the handshake key when its time is over, even if no new link causes another one to be made."""
        self._handshake_key.forget_expired_key(self._clock.tick)
