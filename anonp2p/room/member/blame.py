"""What follows when something came on our link that no honest host sends (PROTOCOL.md, 5.9)."""

from anonp2p.errors import HostLied, PeerFault
from anonp2p.reasons import Reason
from anonp2p.room.context import Context
from anonp2p.room.errors import HostDistrusted
from anonp2p.room.member.head_check import HeadCheck
from anonp2p.room.member.states import LinkState
from anonp2p.room.member.uplink import Uplink


class Blame:
    """Ends a link on which something is wrong, or leaves a host that is proven to lie."""

    def __init__(self, context: Context, state: LinkState, uplink: Uplink, heads: HeadCheck) -> None:
        self._replica = context.replica
        self._lifecycle = context.lifecycle
        self._state = state
        self._uplink = uplink
        self._heads = heads

    def end_link(self, fault: PeerFault) -> None:
        """Another link is dialled, since nobody knows who sent that. What was received before it stays."""
        self._state.abandon()
        self._uplink.drop(fault.fault)
        self._uplink.forget()

    def leave_host(self, lie: HostLied) -> None:
        """Keeps what proves that the host lies, tells the user, and leaves."""
        self._replica.evidence.append(lie.evidence)
        self._heads.tell_alarm(Reason("host-fault", lie.fault))
        if self._lifecycle.entered:
            self._lifecycle.leave_room("lost")
        else:
            self._lifecycle.fail(HostDistrusted(), "lost")
