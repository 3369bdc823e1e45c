"""A link that we have dialled, until its first answer."""

import math
from collections.abc import Callable, Sequence

from anonp2p.crypto import suite
from anonp2p.protocol import frames, handshake
from anonp2p.protocol.handshake import Channel
from anonp2p.protocol.requests import AnyRequest
from anonp2p.reasons import Fault, LinkEnd
from anonp2p.room import effects
from anonp2p.room.context import Context

# Makes the request to be sent with this link secret, to this service, in answer to the hello with this hash.
Ask = Callable[[bytes, bytes, bytes], AnyRequest]


class Call:
    """Answers a hello with a request, and opens the record in which the answer comes.

    link: its number; service: what was dialled. hello_hash: of the hello, handshake_key: in it, empty before it has
    come. is_over: whether we have ended it, though we may not have heard that yet. is_asked: whether we ask whoever has
    this handshake key already: on another link we do not, as with each request a host gives up the link of the last.
    patience: seconds until the answer begins, besides the limit for all of the handshake.
    """

    def __init__(
        self,
        context: Context,
        link: int,
        service: bytes,
        ask: Ask,
        ticket: bytes,
        is_asked: Callable[[bytes], bool] = lambda _: False,
        *,
        patience: float = math.inf,
    ) -> None:
        self.link = link
        self.service = service
        self.hello_hash = self.handshake_key = b""
        self._is_asked = is_asked
        self._patience = patience
        self._random = context.random
        self._reporter = context.reporter
        self._ask = ask
        self._ticket = ticket
        self._channel: Channel | None = None
        self.is_over = False

    @property
    def channel(self) -> Channel:
        """What seals the records of this link, once it was asked for an answer."""
        assert self._channel is not None, "there is one from the hello on"
        return self._channel

    def take_payload(self, payload: bytes) -> Sequence[frames.Frame]:
        """Returns the frames of the first answer, if this is that. Raises PeerFault, OtherVersion."""
        if self.is_over:
            return ()
        if self._channel is None:
            self._answer_hello(payload)
            return ()
        return self._channel.open_record(payload).frames

    def _answer_hello(self, payload: bytes) -> None:
        hello, self.hello_hash = handshake.read_hello(payload)
        if self._is_asked(hello.handshake_key):
            self.hang_up("closed")
            return
        self.handshake_key = hello.handshake_key
        secret = self._random(suite.SECRET)
        request = self._ask(secret, self.service, self.hello_hash)
        ticket = self._ticket or self._random(handshake.TICKET)
        sealed = handshake.seal_request(request, self.service, hello, self.hello_hash, ticket)
        self._channel = Channel(secret, self.hello_hash, up=True)
        self._reporter.add_effect(effects.SendEffect(self.link, sealed, self._patience))

    def hang_up(self, reason: Fault | LinkEnd) -> None:
        """Ends the link, or gives up dialling it."""
        self.is_over = True
        self._reporter.add_effect(effects.DropEffect(self.link, reason))
