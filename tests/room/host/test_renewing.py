"""Honest members renew their encryption keys whatever happens to their links, and no host drops them for it."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from anonp2p import limits
from anonp2p.room import events
from tests.room.simulation import Simulation


class Renewing(RuleBasedStateMachine):
    """Epochs come and go, links break, whatever is on its way arrives late: nobody is dropped for its renewals."""

    def __init__(self) -> None:
        super().__init__()
        self.room = Simulation()
        for nick in ("ann", "bob"):
            self.room.joined(nick)

    @rule(who=st.integers(0, 1))
    def delivers_down(self, who: int) -> None:
        member = self.room.members[who]
        self.room.dial(member)
        self.room.write(member)
        self.room.member_hears(member)

    @rule(who=st.integers(0, 1))
    def delivers_up(self, who: int) -> None:
        self.room.host_hears(self.room.members[who])

    @rule(who=st.integers(0, 1), delivering=st.booleans())
    def loses(self, who: int, delivering: bool) -> None:
        self.room.lose(self.room.members[who], delivering=delivering)

    @rule()
    def commits(self) -> None:
        self.room.oversleep(limits.EPOCH)
        self.room.end_batch()

    @rule(nick=st.sampled_from(["cid", "dan"]))
    def comes_and_goes(self, nick: str) -> None:
        if not any(it.nick == nick for it in self.room.host.room.replica.ledger.roster):
            member = self.room.joined(nick)
            self.room.leave(member)
            self.room.settle()
            self.room.wait(limits.COMMIT_PAUSE)

    @rule()
    def settles(self) -> None:
        self.room.settle()
        assert all(not member.room.outstanding for member in self.room.members)

    @invariant()
    def nobody_is_dropped(self) -> None:
        assert "a renewal too many" not in self.room.drops
        assert not [event for member in self.room.members for event in member.got(events.AlarmEvent)]


TestRenewing = Renewing.TestCase
TestRenewing.settings = settings(max_examples=20, stateful_step_count=25)
