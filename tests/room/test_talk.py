"""A room on a network that repeats, leaves out, exchanges and alters what it carries."""

from collections import deque

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from anonp2p import limits
from anonp2p.room import events, inputs
from tests.room.simulation import Simulation
from tests.support.world import Party


class Talk(RuleBasedStateMachine):
    """Honest people, and a network that does to the payloads of some of them whatever it likes.

    Nobody is shown what was not said, or anything twice or in another order; and who is not touched notices nothing.
    """

    def __init__(self) -> None:
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(limits, "EPOCH", limits.COMMIT_SHARES / 2)
        self.room = Simulation()
        self.safe = self.room.joined("safe")
        self.prey = [self.room.joined(nick) for nick in ("ann", "bob")]
        self.seen: list[bytes] = []
        self.said = 0

    def one(self, number: int) -> Party:
        return [*self.prey, self.safe, self.room.host][number % 4]

    def queues(self, number: int) -> list[deque[bytes | None]]:
        """What is on its way to and from one of the prey."""
        link = self.room.link(self.prey[number % 2])
        return [link.near.inbox, link.far.inbox]

    @rule(who=st.integers(0, 3))
    def say(self, who: int) -> None:
        self.said += 1
        self.room.say(self.one(who), f"text {self.said}")

    @rule(who=st.integers(0, 2))
    def flow(self, who: int) -> None:
        member = self.one(who)
        for _ in range(3):
            self.room.write(member)
            self.record()
            self.room.member_hears(member)
            self.room.host_hears(member)

    def record(self) -> None:
        for number in range(2):
            on_their_way = [payload for queue in self.queues(number) for payload in queue]
            self.seen += [payload for payload in on_their_way if payload and payload not in self.seen]

    @rule(who=st.integers(0, 1), up=st.booleans(), at=st.integers(0, 5))
    def leave_out(self, who: int, up: bool, at: int) -> None:
        queue = self.queues(who)[not up]
        if at < len(queue) and queue[at] is not None:
            del queue[at]

    @rule(who=st.integers(0, 1), up=st.booleans(), at=st.integers(0, 5), to=st.integers(0, 5))
    def reorder(self, who: int, up: bool, at: int, to: int) -> None:
        queue = self.queues(who)[not up]
        if max(at, to) < len(queue) and None not in (queue[at], queue[to]):
            queue[at], queue[to] = queue[to], queue[at]

    @rule(who=st.integers(0, 1), up=st.booleans(), at=st.integers(0, 5), which=st.integers(0, 2**16))
    def replay(self, who: int, up: bool, at: int, which: int) -> None:
        """Something recorded on any link, in any direction."""
        self.record()
        queue, link = self.queues(who)[not up], self.room.link(self.prey[who])
        if self.seen and at <= len(queue) and link.far.open:
            queue.insert(at, self.seen[which % len(self.seen)])

    @rule(who=st.integers(0, 1), up=st.booleans(), at=st.integers(0, 5), bit=st.integers(0, 2**16))
    def alter(self, who: int, up: bool, at: int, bit: int) -> None:
        queue = self.queues(who)[not up]
        if at < len(queue) and (payload := queue[at]):
            changed = bytearray(payload)
            changed[bit % len(changed)] ^= 1 + bit % 255
            queue[at] = bytes(changed)

    @rule(who=st.integers(0, 1))
    def redial(self, who: int) -> None:
        member = self.prey[who]
        self.room.lose(member, delivering=False)
        self.room.member_hears(member)
        self.room.dial(member)

    @rule()
    def commit(self) -> None:
        """So much time passes that there is another epoch; who is not touched hears of it in time."""
        self.room.wait(limits.EPOCH)
        while self.safe.room.index < self.room.host.room.index:
            self.flow(2)

    @invariant()
    def nobody_is_deceived(self) -> None:
        ordered = self.room.host.messages
        texts = [words for _, _, _, words, _ in ordered]
        assert len(texts) == len(set(texts))
        everyone = [*self.prey, self.safe, self.room.host]
        said = {it.text for party in everyone for it in party.typed.values() if isinstance(it, inputs.SayInput)}
        assert set(texts) <= said
        for member in [*self.prey, self.safe]:
            assert [it for it in ordered if it in member.messages] == member.messages

    @invariant()
    def who_is_not_touched_notices_nothing(self) -> None:
        for party in (self.safe, self.room.host):
            assert not party.got(events.AlarmEvent)
            assert not party.room.over

    def teardown(self) -> None:
        if not self.room.host.room.over:
            self.room.settle()
            assert self.safe.messages == self.room.host.messages
        self.nobody_is_deceived()
        self.who_is_not_touched_notices_nothing()
        self.patch.undo()


TestNetwork = Talk.TestCase
TestNetwork.settings = settings(max_examples=40, stateful_step_count=40)
