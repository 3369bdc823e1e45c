"""Whether our host lives, and our link to it is whole: it is asked where somebody has lost it, and dialled anew."""

from anonp2p import limits
from anonp2p.protocol import frames
from anonp2p.room import inputs
from anonp2p.room.context import Context
from anonp2p.room.gate import Gate
from anonp2p.room.ledger import expect
from anonp2p.room.member.uplink import Uplink
from anonp2p.room.self_check import SelfCheck
from anonp2p.room.succession.patience import Patience

_NEVER = float("-inf")


class HostCheck:
    """Asks for one sign of life at a time; where none comes in time, the link is broken, and ends.

    gate: greets those who dial us. patience: how long the host may take. asked_at: when (`Now.tick`) it was asked last.
    """

    def __init__(self, context: Context, uplink: Uplink, gate: Gate, patience: Patience) -> None:
        self.asked_at = _NEVER
        self._clock = context.clock
        self._replica = context.replica
        self._uplink = uplink
        self._patience = patience
        self._is_asked = False  # whether an answer is still to come
        self._due_at: float | None = None  # when the link counts as broken
        self._dial = SelfCheck(context, gate)  # of our host, beside the link
        self._dialled_at = _NEVER
        self._is_reached = False  # whether it has answered the latest dial

    def next_deadline(self) -> float | None:
        """When (`Now.tick`) `do_due_work` has something to do."""
        return self._due_at

    def do_due_work(self) -> None:
        """Ends the link if its time is over."""
        if self._due_at is not None and self._clock.tick >= self._due_at:
            self._due_at = None  # so once
            self._uplink.drop("broken")

    # --- over our link

    def ask(self) -> None:
        """Asks, unless an answer is still to come."""
        if not self._is_asked:
            self._is_asked, self.asked_at = True, self._clock.tick
            self._due_at = self._uplink.ask(frames.EchoFrame()) + self._patience.seconds

    def take_echo(self, _: frames.EchoedFrame) -> None:
        """It lives. Raises PeerFault if it was not asked."""
        expect(self._is_asked, "unexpected-echo")
        self._is_asked, self._due_at = False, None

    def note_link_lost(self) -> None:
        """No answer comes any more."""
        self._is_asked, self._due_at = False, None
        self._patience.forget()

    # --- over another

    def dial(self) -> None:
        """Dials it anew: where our link alone is dead, it answers there. Not for each link that breaks."""
        if self._clock.tick >= self._dialled_at + limits.ASK_PAUSE:
            self._dialled_at, self._is_reached = self._clock.tick, False
            self._dial.begin(self._replica.ledger.address)

    def take_input(self, event: inputs.ReceivedInput | inputs.DialFailedInput | inputs.DroppedInput) -> bool | None:
        """Whether the host has answered, if this is what comes of the dial: who says hello there is our host."""
        outcome = self._dial.take_input(event)
        if outcome is None:
            return None
        self._is_reached = outcome == "another"
        return self._is_reached

    def call_off(self) -> None:
        """We host from now on, and have nobody to dial."""
        self._dial.call_off()

    def tried_since(self, lost_at: float) -> float | None:
        """Since when (`Now.tick`) it has not answered a dial that began shortly before we lost it, if there was one."""
        is_recent = self._dialled_at >= lost_at - limits.ECHO_MOST
        return self._dialled_at if is_recent and not self._is_reached else None
