"""As `test_agreement`, where some of what is said expires, is shown to newcomers, or is for one member alone."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from msgspec import UNSET

from anonp2p import limits
from anonp2p.crypto.epoch import FLEETING, KEPT
from anonp2p.protocol import room_state
from anonp2p.room import events, inputs
from anonp2p.room.retention import ANY
from tests.room.peers import kinds
from tests.room.simulation import Simulation
from tests.room.test_agreement import NICKS, Talk, people
from tests.support.world import Party


class Worth(Talk):
    """Talk of which some is forgotten, shown to newcomers, or for one alone."""

    def __init__(self) -> None:
        super().__init__()
        self.room = Simulation(retention=ANY, history=room_state.HistoryPolicy(3, 0))

    @rule(who=people, ttl=st.sampled_from([FLEETING, 5, 300, KEPT]))
    def retain(self, who: int, ttl: int) -> None:
        self.room.retain(self.one(who), ttl)

    @precondition(lambda self: self.room.members)
    @rule(who=people, other=people)
    def whisper(self, who: int, other: int) -> None:
        self.said += 1
        self.room.whisper(self.one(who), self.one(other).room.snapshot().nick or "ann", f"private {self.said}")

    @rule(who=people, back=st.integers(0, 3))
    def retract(self, who: int, back: int) -> None:
        """One of the latest messages of one's own, or one that may not have its place yet."""
        mine = [it.seq for it in self.one(who).got(events.MessageEvent) if it.mine]
        self.room.retract(self.one(who), mine[-back] if 0 < back <= len(mine) else None)

    @rule(who=people, back=st.integers(0, 3))
    def reply(self, who: int, back: int) -> None:
        self.said += 1
        shown = [it.seq for it in self.one(who).got(events.MessageEvent)]
        self.room.reply(self.one(who), shown[-back] if 0 < back <= len(shown) else None, f"reply {self.said}")

    @rule(seconds=st.sampled_from([5.0, 300.0]))
    def sleep(self, seconds: float) -> None:
        self.room.world.slept += seconds

    def check_order(self) -> None:
        """What all may read is everywhere as at the host, but for what they came too late for."""
        everyone = [self.room.host, *self.room.members]
        public = {it.seq: it for it in self.room.host.got(events.MessageEvent) if not it.private}
        retracted = {it.seq for it in self.room.host.got(events.ExpiredEvent) if it.retracted}
        for party in everyone:
            shown = party.got(events.MessageEvent)
            for it in shown:
                if not it.private:
                    assert (public[it.seq].text, public[it.seq].member) == (it.text, it.member)
            last = max([it.seq for it in shown], default=0)
            live = [it.seq for it in shown if not it.history]
            kept = [seq for seq, it in public.items() if it.ttl is None and live and live[0] < seq < last]
            if party.gaps == 0:
                missing = set(kept) - retracted - {it.seq for it in shown}
                assert not missing, "what is kept reaches everyone who is there"
            ended = [event.seq for event in party.got(events.ExpiredEvent)]
            assert len(ended) == len(set(ended))
            assert {it.seq for it in party.got(events.ExpiredEvent) if not it.retracted} <= {
                it.seq for it in shown if it.ttl
            }
            assert set(ended) <= {it.seq for it in shown}
            for it in shown:
                known = {other.seq for other in shown if other.seq < it.seq}
                assert it.reply is None or it.reply in known, "a reply refers to what was shown before it"
        whispers = [it for party in everyone for it in party.got(events.MessageEvent) if it.private]
        for text in {it.text for it in whispers}:
            readers = [it for it in whispers if it.text == text]
            assert len(readers) <= 2
            assert len([it for it in readers if it.mine]) <= 1
            assert len({it.seq for it in readers}) == 1

    def check_settled(self) -> None:
        """With nothing on its way any more, all agree who is there, and nobody waits for anything."""
        retracted = {it.seq for it in self.room.host.got(events.ExpiredEvent) if it.retracted}
        for party in [self.room.host, *self.room.members]:
            assert party.room.outstanding == 0
            if party.room.entered and party.gaps == 0:
                shown = {it.seq for it in party.got(events.MessageEvent)}
                assert retracted & shown <= {it.seq for it in party.got(events.ExpiredEvent)}, "it ends for all"
            for re, typed in party.typed.items():
                answers = self.room.answers(party, re)
                if isinstance(typed, inputs.WhisperInput):
                    assert len([it for it in answers if isinstance(it, events.MessageEvent | events.UnsentEvent)]) <= 1
            if party.room.entered:
                assert self.room.who(party) == self.room.who(self.room.host) == party.people


TestWorth = Worth.TestCase
TestWorth.settings = settings(max_examples=50, stateful_step_count=40)


def check_own_order(party: Party) -> None:
    """What has its place has it in the order in which it was typed; nothing is answered twice."""
    ordered = [
        event.re
        for event in party.told
        if event.re is not UNSET
        and isinstance(event, events.RenamedEvent | events.MessageEvent)
        and event.re in party.typed
    ]
    assert ordered == sorted(set(ordered))
    for re, typed in party.typed.items():
        if isinstance(typed, inputs.WhisperInput):
            kinds_ = sorted(kinds(event for event in party.told if event.re == re))
            assert kinds_ in ([], ["MessageEvent"], ["UnsentEvent"], ["ErrorEvent", "UnsentEvent"])


class Secrets(Talk):
    """As `Talk`, and people write to one another in private, in a room where keys are asked for when need be."""

    def __init__(self) -> None:
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(limits, "RENEWING", 2)
        super().__init__()

    @rule(who=people, nick=st.sampled_from(NICKS), count=st.integers(1, 3))
    def whisper(self, who: int, nick: str, count: int) -> None:
        for _ in range(count):
            self.said += 1
            self.room.whisper(self.one(who), nick, f"text {self.said}")

    @rule(who=people)
    def mix(self, who: int) -> None:
        self.whisper(who, "ann", 1)
        self.say(who, action=False)
        self.whisper(who, "host", 1)
        self.say(who, action=True)

    def check_order(self) -> None:
        for party in [self.room.host, *self.room.members]:
            check_own_order(party)

    def check_settled(self) -> None:
        for party in [self.room.host, *self.room.members]:
            assert party.room.outstanding == 0
            for re, typed in party.typed.items():
                if isinstance(typed, inputs.SayInput | inputs.WhisperInput):
                    assert self.room.answers(party, re) or party.gaps

    def teardown(self) -> None:
        super().teardown()
        self.patch.undo()


TestSecrets = Secrets.TestCase
TestSecrets.settings = settings(max_examples=60, stateful_step_count=40)


class SecretsOfFew(Secrets):
    """The same in a room where all keys are asked for at once, and renewed with each commit without cause."""

    def __init__(self) -> None:
        super().__init__()
        self.patch.setattr(limits, "RENEWING", 64)


TestSecretsOfFew = SecretsOfFew.TestCase
TestSecretsOfFew.settings = settings(max_examples=40, stateful_step_count=40)
