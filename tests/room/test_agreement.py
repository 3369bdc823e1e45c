"""A host and its members against each other, in any order of events: what people are shown must agree."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from anonp2p import limits
from anonp2p.names import nicks
from anonp2p.room import events, inputs
from anonp2p.room.errors import Unconfirmed
from tests.room.simulation import Simulation
from tests.support.world import Party

NICKS = ["ann", "ANN", "bob", "Bob", "eve", "hugo"]

# Among them how long it takes until somebody is away, or out, and until there is a new epoch.
PAUSES = [
    1.0,
    limits.HEARTBEAT,
    limits.AWAY_SECONDS - 1,
    limits.AWAY_SECONDS,
    limits.COMMIT_SHARES,
    limits.PLACE_SECONDS / 2,
    limits.PLACE_SECONDS,
    limits.EPOCH,
]

people = st.integers(0, 9)  # which of those there are, the host among them
some_nicks = st.sampled_from(NICKS)

# What may be told once it is over: the answers to lines that were typed too late.
AFTER_THE_END = (events.UnsentEvent, events.ErrorEvent)


def is_doubt(event: events.Event) -> bool:
    """Whether it says that nobody knows whether something of ours was ordered."""
    return isinstance(event, events.ErrorEvent) and event.text == Unconfirmed()


def check_party(party: Party) -> None:
    """What must hold for everyone at any moment."""
    seqs = [message.seq for message in party.got(events.MessageEvent)]
    assert seqs == sorted(set(seqs)), "seq grows strictly"
    assert not party.got(events.AlarmEvent), "an honest room gives no cause for alarm"
    gone = [at for at, event in enumerate(party.told) if isinstance(event, events.GoneEvent)]
    assert len(gone) == party.room.over
    if gone:
        assert all(isinstance(event, AFTER_THE_END) for event in party.told[gone[0] + 1 :])
    else:
        assert not any(map(is_doubt, party.told)), "only who does not get in again does not know"
    known: list[tuple[str, str]] = []  # whoever it was told of, and under which nick
    for event in party.told:
        if isinstance(event, events.EnteredEvent):
            known += [(person.member, person.nick) for person in event.members]
        elif isinstance(event, events.JoinedEvent | events.RenamedEvent):
            known.append((event.member, event.nick))
        elif isinstance(event, events.LookalikeEvent):
            assert (event.member, event.nick) in known
            # It has not been told of members who were away when it came, nor of those who left within the history.
            is_known = any(member != event.member and nick == event.was for member, nick in known)
            assert is_known or event.of == "former"
            assert nicks.narrow_looks(event.nick) & nicks.narrow_looks(event.was)
    for re, typed in party.typed.items():
        told = [event for event in party.told if event.re == re and not is_doubt(event)]
        if isinstance(typed, inputs.SayInput):
            assert len(told) <= 1, "a message has one answer"
            for event in told:
                assert isinstance(event, events.UnsentEvent) or (isinstance(event, events.MessageEvent) and event.mine)
                assert event.text == typed.text
        elif isinstance(typed, inputs.RenameInput):
            assert len(told) <= 1
            assert all(
                isinstance(event, events.RenamedEvent | events.NickUnchangedEvent | events.ErrorEvent) for event in told
            )


def check_digests(room: Simulation) -> None:
    """At any moment, everyone has the host's log up to where they are, and the roster to which that led (4.6, 4.8)."""
    known = room.host.room.replica.ledger
    for member in room.members:
        if member.room.entered:
            ledger = member.room.replica.ledger
            assert known.digest_at(ledger.index) in (None, ledger.digest)
            if ledger.index == known.index:
                assert ledger.group_context == known.group_context


def check_order(room: Simulation) -> None:
    """Everyone sees what the host sees, from being let in, without a gap: one is told of any."""
    ordered = room.host.messages
    texts = [text for _, _, _, text, _ in ordered]
    assert len(texts) == len(set(texts)), "nothing is ordered twice"
    for member in room.members:
        said = [typed.text for typed in member.typed.values() if isinstance(typed, inputs.SayInput)]
        mine = [text for text in texts if text in said]
        assert mine == [text for text in said if text in mine], "in the order in which they were typed"
        missed = member.got(events.EntriesMissedEvent)
        assert len(missed) <= member.gaps
        assert all(event.verified for event in missed), "an honest host proves that its log goes on"
        stretches = shown_since_welcomes(member)
        for (_, index), shown in zip(member.welcomes, stretches, strict=True):
            assert shown == [message for message in ordered if message[0] > index][: len(shown)]


def shown_since_welcomes(member: Party) -> list[list[tuple[int, str, str, str, bool]]]:
    """The messages it was shown after each of its welcomes, but for receipts of what was ordered before."""
    messages, shown = member.messages, []
    ends = [start for start, _ in member.welcomes[1:]] + [len(messages)]
    for (start, index), end in zip(member.welcomes, ends, strict=False):
        stretch = messages[start:end]
        said = [typed.text for typed in member.typed.values() if isinstance(typed, inputs.SayInput)]
        assert all(text in said for seq, _, _, text, _ in stretch if seq <= index), "what was missed is not shown"
        shown.append([message for message in stretch if message[0] > index])
    return shown


def check_settled(room: Simulation) -> None:
    """With nothing on its way any more, all agree, and nobody waits for anything."""
    ordered = {text for _, _, _, text, _ in room.host.messages}
    for party in [room.host, *room.members]:
        assert party.room.outstanding == 0
        for re, typed in party.typed.items():
            if isinstance(typed, inputs.SayInput):
                [answer] = [event for event in room.answers(party, re) if not is_doubt(event)]
                assert isinstance(answer, events.UnsentEvent) or typed.text in ordered
                if isinstance(answer, events.UnsentEvent) and (party.room.entered or not party.unlucky):
                    assert typed.text not in ordered, "who is in knows what of its own was ordered"
        if party.room.entered:
            assert room.who(party) == room.who(room.host) == party.people
            if party is not room.host:
                _, index = party.welcomes[-1]
                shown = shown_since_welcomes(party)[-1]
                assert shown == [message for message in room.host.messages if message[0] > index]


class Talk(RuleBasedStateMachine):
    """People come, talk, rename themselves, leave and are lost; frames arrive whenever the rules say so."""

    def __init__(self) -> None:
        super().__init__()
        self.room = Simulation()
        self.said = 0

    def one(self, number: int) -> Party:
        """One of all."""
        everyone = [*self.room.members, self.room.host]
        return everyone[number % len(everyone)]

    def member(self, number: int) -> Party:
        """One of those who are not the host."""
        return self.room.members[number % len(self.room.members)]

    @initialize(count=st.integers(0, 3))
    def begin(self, count: int) -> None:
        for nick in NICKS[:-1:2][:count]:
            self.room.joined(nick)

    @precondition(lambda self: len(self.room.members) < 5)
    @rule(nick=some_nicks | st.just(""))
    def come(self, nick: str) -> None:
        self.room.newcomer(nick)

    @rule(who=people, action=st.booleans())
    def say(self, who: int, action: bool) -> None:
        self.said += 1
        self.room.say(self.one(who), f"text {self.said}", action=action)

    @rule(who=people, nick=some_nicks)
    def rename(self, who: int, nick: str) -> None:
        self.room.rename(self.one(who), nick)

    @precondition(lambda self: self.room.members)
    @rule(who=people, now=st.booleans())
    def leave(self, who: int, now: bool) -> None:
        self.room.leave(self.member(who), now=now)

    @precondition(lambda self: self.said > 3)
    @rule(nick=some_nicks)
    def kick(self, nick: str) -> None:
        self.room.kick(nick, "enough")

    @rule(locked=st.booleans())
    def lock(self, locked: bool) -> None:
        self.room.lock(locked=locked)

    @precondition(lambda self: self.said > 5)
    @rule(close=st.booleans())
    def end(self, close: bool) -> None:
        self.room.leave(self.room.host, close=close)

    @precondition(lambda self: self.room.members)
    @rule(who=people)
    def write(self, who: int) -> None:
        self.room.write(self.member(who))

    @precondition(lambda self: self.room.members)
    @rule(who=people, count=st.integers(1, 4))
    def host_hears(self, who: int, count: int) -> None:
        for _ in range(count):
            self.room.host_hears(self.member(who))

    @precondition(lambda self: self.room.members)
    @rule(who=people, count=st.integers(1, 4))
    def member_hears(self, who: int, count: int) -> None:
        for _ in range(count):
            self.room.member_hears(self.member(who))

    @precondition(lambda self: self.room.members)
    @rule(who=people, rounds=st.integers(1, 6))
    def flow(self, who: int, rounds: int) -> None:
        for _ in range(rounds):
            self.write(who)
            self.member_hears(who, 2)
            self.host_hears(who, 2)

    @precondition(lambda self: self.room.members)
    @rule(who=people, delivering=st.booleans())
    def lose(self, who: int, delivering: bool) -> None:
        self.room.lose(self.member(who), delivering=delivering)

    @precondition(lambda self: self.room.members)
    @rule(who=people)
    def hear_late(self, who: int) -> None:
        self.room.host_hears_late(self.member(who))

    @precondition(lambda self: self.room.members)
    @rule(who=people)
    def dial_again(self, who: int) -> None:
        self.room.dial(self.member(who))

    @rule()
    def end_batch(self) -> None:
        self.room.end_batch()

    @rule(seconds=st.sampled_from(PAUSES))
    def wait(self, seconds: float) -> None:
        self.room.wait(seconds)

    @rule(seconds=st.sampled_from([limits.AWAY_SECONDS, limits.PLACE_SECONDS]))
    def oversleep(self, seconds: float) -> None:
        if not self.room.host.room.over:
            self.room.oversleep(seconds)

    @precondition(lambda self: self.room.members)
    @rule(who=people, delivering=st.booleans(), heard=st.booleans())
    def come_back(self, who: int, delivering: bool, heard: bool) -> None:
        """One whose link breaks is on the next at once, and may be ahead of the host's noticing."""
        member = self.member(who)
        self.room.lose(member, delivering=delivering)
        while (links := member.got(events.LinkEvent)) and links[-1].state == "up" and not member.room.over:
            self.room.member_hears(member)
        if heard:
            self.host_hears(who, 4)
        self.room.dial(member)

    @precondition(lambda self: self.room.members)
    @rule(who=people)
    def lose_patience(self, who: int) -> None:
        self.room.lose_patience(self.member(who))

    @rule()
    def settle(self) -> None:
        self.room.settle()
        self.check_settled()

    def check_order(self) -> None:
        check_order(self.room)

    def check_settled(self) -> None:
        check_settled(self.room)

    @invariant()
    def people_are_shown_what_agrees(self) -> None:
        for party in [self.room.host, *self.room.members]:
            check_party(party)
        self.check_order()
        check_digests(self.room)
        assert set(self.room.drops) <= {"dialled-again"}

    def teardown(self) -> None:
        self.settle()
        self.end(close=True)
        self.settle()
        self.people_are_shown_what_agrees()
        assert all(party.room.over for party in [self.room.host, *self.room.members])


TestTalk = Talk.TestCase
TestTalk.settings = settings(max_examples=100, stateful_step_count=40)


class Lag(Talk):
    """The same with a log that is soon too short for one who was away: a gap is told, and what follows is whole."""

    def __init__(self) -> None:
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(limits, "LOG_ENTRIES", 8)
        super().__init__()

    def teardown(self) -> None:
        super().teardown()
        self.patch.undo()


TestLag = Lag.TestCase
TestLag.settings = settings(max_examples=50, stateful_step_count=40)


def test_the_talk_in_which_a_host_leaves_after_its_log_left_all_links_behind() -> None:
    """Its author may be given back what has its place: it has lost its link before it could know."""
    talk = Talk()
    talk.begin(count=3)
    talk.say(who=4, action=True)
    talk.host_hears(who=9, count=1)
    for _ in range(4):
        talk.oversleep(seconds=limits.EPOCH)
    talk.end(close=False)
    talk.teardown()
