"""Whether an onion service leads to us: we dial it ourselves, and look at whose hello comes."""

from typing import Literal

from anonp2p import limits
from anonp2p.errors import PeerFault
from anonp2p.protocol import handshake
from anonp2p.room import effects, inputs
from anonp2p.room.context import Context
from anonp2p.room.gate import Gate

Outcome = Literal["ours", "another", "unreached"]


class SelfCheck:
    """One dial at a time. gate: greets those who dial us."""

    def __init__(self, context: Context, gate: Gate) -> None:
        self._context = context
        self._reporter = context.reporter
        self._gate = gate
        self._link: int | None = None

    @property
    def is_under_way(self) -> bool:
        """Whether the outcome of a dial is not known yet."""
        return self._link is not None

    def begin(self, address: bytes, *, fresh: bool = False) -> None:
        """Dials this service. fresh: where it is now, whatever our Tor knew before."""
        self.call_off()
        dial = self._context.plan_dial(address, limits.DIAL_TRIES[0], fresh=fresh)
        self._link = dial.link
        self._reporter.add_effect(dial)

    def call_off(self) -> None:
        """What comes of the dial is of no interest any more."""
        if self._link is not None:
            self._reporter.add_effect(effects.DropEffect(self._link, "closed"))
            self._link = None

    def take_input(self, event: inputs.ReceivedInput | inputs.DialFailedInput | inputs.DroppedInput) -> Outcome | None:
        """The outcome, if this is what brings it."""
        if self._link is None or event.link != self._link:
            return None
        outcome: Outcome = "unreached"
        if isinstance(event, inputs.ReceivedInput):
            outcome = "ours" if self._is_ours(event.payload) else "another"
            self.call_off()
        self._link = None
        return outcome

    def _is_ours(self, payload: bytes) -> bool:
        try:
            hello, _ = handshake.read_hello(payload)
        except (PeerFault, handshake.OtherVersion):
            return False
        return self._gate.is_ours(hello)
