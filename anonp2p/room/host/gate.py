"""Links on which nobody has been let in yet: the host's hello, and one request in answer to it."""

from anonp2p.protocol import frames
from anonp2p.protocol.handshake import Channel, Door, Greeting
from anonp2p.room import effects
from anonp2p.room.context import Context
from anonp2p.room.host.admission import Admission, NotAdmitted


class Gate:
    """Greets strangers, and hands their requests to the admission."""

    def __init__(self, context: Context, admission: Admission) -> None:
        self._clock = context.clock
        self._reporter = context.reporter
        self._admission = admission
        self._door = Door(context.replica.ledger.room, context.random)
        self._greetings: dict[int, Greeting] = {}  # by link

    @property
    def links(self) -> frozenset[int]:
        """The links whose request has not come yet."""
        return frozenset(self._greetings)

    @property
    def has_handshake_key(self) -> bool:
        """Whether the private key is there to which requests are sealed."""
        return self._door.has_key

    def greet(self, link: int) -> None:
        """Somebody has dialled."""
        greeting = self._greetings[link] = self._door.greet(self._clock.tick)
        self._reporter.add_effect(effects.Send(link, greeting.wire))

    def take_request(self, link: int, payload: bytes) -> bool:
        """Takes what came on a link if its request has not come yet; whether that was so. Raises PeerFault."""
        greeting = self._greetings.pop(link, None)
        if greeting is None:
            return False
        request = greeting.open(payload)
        channel = Channel(request.link, greeting.hello, up=False)
        try:
            if isinstance(request, frames.Resume):
                self._admission.admit_returning(link, channel, greeting.hello, request)
            else:
                self._admission.admit_newcomer(link, channel, greeting.hello, request)
        except NotAdmitted as refusal:
            self._reporter.add_effect(effects.Finish(link, channel.seal([frames.Refused(refusal.reason)])))
        return True

    def forget_link(self, link: int) -> None:
        """The link is no more."""
        self._greetings.pop(link, None)

    def forget_old_key(self) -> None:
        """The handshake key goes in its time, even if nobody comes for whom another one has to be made."""
        self._door.close(self._clock.tick)
