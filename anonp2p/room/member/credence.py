"""Whose first answers a member believes that has been in the room: who may refuse it, and who may have it wait."""

from anonp2p import limits
from anonp2p.crypto import identity
from anonp2p.protocol import frames
from anonp2p.room.clock import Clock
from anonp2p.room.replica import Replica
from anonp2p.room.succession.loss import Loss, Target


class Credence:
    """Judges who answers by its credentials. turned_away_by: id of who hosts and said last that our place is gone."""

    def __init__(self, replica: Replica, clock: Clock, loss: Loss) -> None:
        self._replica = replica
        self._clock = clock
        self._loss = loss
        self.turned_away_by = b""

    def may_refuse(self, target: Target, refused: frames.RefusedFrame, *, awaits_another: bool) -> bool:
        """Whether a refusal may be a host's, as far as it says so.

        Whoever has the key of the code may answer, a thief or a host of another side of whom we know nothing: that
        drives nobody out. And any member may say that it has taken over: nor does that, while our host may answer yet,
        unless our host itself has said so. One who hosted before may have thrown us out on its side, when we were on
        another already: we are out once nobody goes on on ours.

        awaits_another: whether somebody else is still to answer whom we have asked for our place: that one may give it
        to us, and in a room that is locked there is no other.
        """
        ledger, vouched = self._replica.ledger, refused.credentials
        member = identity.member_id(vouched.key)
        if not ledger.host or member == ledger.host:
            return target.member in (None, ledger.host)
        if vouched.term <= ledger.number:
            has_hosted = ledger.has_been_hosted_by(member)
            return refused.reason == "kicked" and has_hosted and self._is_lost_for(limits.LOST_BY_ONE)
        if not self._is_known(target, member):
            return False
        patience = limits.LOST_BY_ONE if awaits_another else limits.LOST_BY_SOME
        return member == self._loss.sent_to or self._is_lost_for(patience)

    def may_hold(self, target: Target, vouched: frames.Credentials) -> bool:
        """Whether one may have us wait to be let in: our host, if we had one, or somebody known, in a later term."""
        ledger, member = self._replica.ledger, identity.member_id(vouched.key)
        if not ledger.host or member == ledger.host:
            return target.member in (None, ledger.host)
        return vouched.term > ledger.number and self._is_known(target, member)

    def _is_known(self, target: Target, member: bytes) -> bool:
        """Whether we have heard of this one as a member, or as somebody who may host."""
        ledger = self._replica.ledger
        is_known = ledger.roster.find_member(member) is not None or member in ledger.carriers
        return is_known or member in (target.member, self.turned_away_by)

    def _is_lost_for(self, seconds: float) -> bool:
        """Whether we have had no host for so long."""
        lost_at = self._loss.lost_at
        return lost_at is not None and self._clock.tick >= lost_at + seconds
