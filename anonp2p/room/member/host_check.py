"""Whether our host lives, and our link to it is whole: it is asked where somebody has lost it."""

from anonp2p.protocol import frames
from anonp2p.room.context import Context
from anonp2p.room.ledger import expect
from anonp2p.room.member.uplink import Uplink
from anonp2p.room.succession.patience import Patience


class HostCheck:
    """Asks for one sign of life at a time; where none comes in time, the link is broken, and ends.

    patience: how long that is. asked_at: when (`Now.tick`) the host was asked last.
    """

    def __init__(self, context: Context, uplink: Uplink, patience: Patience) -> None:
        self.asked_at = float("-inf")
        self._clock = context.clock
        self._uplink = uplink
        self._patience = patience
        self._is_asked = False  # whether an answer is still to come
        self._due_at: float | None = None  # when the link counts as broken

    def next_deadline(self) -> float | None:
        """When (`Now.tick`) `do_due_work` has something to do."""
        return self._due_at

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

    def do_due_work(self) -> None:
        """Ends the link if its time is over."""
        if self._due_at is not None and self._clock.tick >= self._due_at:
            self._due_at = None  # so once
            self._uplink.drop("broken")
