"""What one member may cost: who is too fast is read more slowly, or told so, and nobody else is bothered."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from anonp2p import limits
from anonp2p.crypto import suite
from anonp2p.protocol import frames
from anonp2p.protocol.frames import AwayBody, LeaveBody, RenewBody
from anonp2p.room import effects, events, inputs
from tests.room.peers import ANN, EVE, ZOE, FalseMember, Inn, kinds, text
from tests.room.simulation import Simulation
from tests.support.world import Party


def rename_often(room: Simulation, party: Party, times: int) -> list[events.Event]:
    """What somebody is answered who takes one nick after the other."""
    asked = [room.rename(party, f"nick{number}") for number in range(times)]
    room.settle()
    return [answer for re in asked for answer in room.answers(party, re)]


def test_a_member_that_changes_its_nick_too_often_is_denied_and_the_others_see_none_of_it() -> None:
    """5.8"""
    room = Simulation()
    ann, bob = room.joined("ann"), room.joined("bob")
    answers = rename_often(room, ann, limits.NICK_BUCKET + 2)
    assert [type(answer) for answer in answers] == [events.RenamedEvent] * limits.NICK_BUCKET + [events.ErrorEvent] * 2
    assert all(answer.code == "not-allowed" for answer in answers if isinstance(answer, events.ErrorEvent))
    assert len(bob.got(events.RenamedEvent)) == limits.NICK_BUCKET
    assert ann.people == bob.people == room.host.people
    assert not ann.room.over


def test_after_a_while_it_may_change_it_again() -> None:
    room = Simulation()
    ann = room.joined("ann")
    rename_often(room, ann, limits.NICK_BUCKET)
    room.wait(1 / limits.NICK_RATE)
    [answer] = rename_often(room, ann, 1)
    assert isinstance(answer, events.RenamedEvent)


def test_a_member_has_its_own_measure() -> None:
    room = Simulation()
    ann, bob = room.joined("ann"), room.joined("bob")
    rename_often(room, ann, limits.NICK_BUCKET + 1)
    re = room.rename(bob, "rob")
    room.settle()
    assert [type(answer) for answer in room.answers(bob, re)] == [events.RenamedEvent]


def test_another_link_gives_no_further_nicks() -> None:
    """The measure is the member's."""
    room = Simulation()
    ann = room.joined("ann")
    rename_often(room, ann, limits.NICK_BUCKET)
    room.lose(ann, delivering=True)
    room.dial(ann)
    room.settle()
    [answer] = rename_often(room, ann, 1)
    assert isinstance(answer, events.ErrorEvent)


def whisper_often(room: Simulation, party: Party, nick: str, times: int) -> list[list[events.Event]]:
    """What somebody is answered who writes one private message after the other."""
    asked = [room.whisper(party, nick, f"text {number}") for number in range(times)]
    room.settle()
    return [room.answers(party, re) for re in asked]


def test_a_member_that_writes_to_one_too_often_is_denied_and_its_text_given_back() -> None:
    """5.8"""
    room = Simulation()
    ann, bob, eve = (room.joined(nick) for nick in ("ann", "bob", "eve"))
    answers = whisper_often(room, ann, "bob", limits.PRIVATE_BUCKET + 2)
    assert [kinds(answer) for answer in answers] == [["MessageEvent"]] * limits.PRIVATE_BUCKET + [
        ["ErrorEvent", "UnsentEvent"]
    ] * 2
    given_back = [event.text for answer in answers for event in answer if isinstance(event, events.UnsentEvent)]
    assert given_back == [
        f"/msg bob text {number}" for number in range(limits.PRIVATE_BUCKET, limits.PRIVATE_BUCKET + 2)
    ]
    assert all(answer[0].code == "not-allowed" for answer in answers if isinstance(answer[0], events.ErrorEvent))
    texts = [message.text for message in bob.got(events.MessageEvent) if message.private]
    assert texts == [f"text {number}" for number in range(limits.PRIVATE_BUCKET)]
    assert not eve.got(events.MessageEvent)
    room.say(ann, "to all")
    room.settle()
    assert [message.text for message in eve.got(events.MessageEvent)] == ["to all"]
    assert not room.drops


def test_after_a_while_it_may_write_to_one_again() -> None:
    room = Simulation()
    ann, bob = room.joined("ann"), room.joined("bob")
    whisper_often(room, ann, "bob", limits.PRIVATE_BUCKET)
    room.wait(1 / limits.PRIVATE_RATE)
    [[answer]] = whisper_often(room, ann, "bob", 1)
    assert isinstance(answer, events.MessageEvent)
    assert bob.got(events.MessageEvent)[-1].text == "text 0"


def test_another_link_gives_no_further_private_messages() -> None:
    """The measure is the member's."""
    room = Simulation()
    ann, _ = room.joined("ann"), room.joined("bob")
    whisper_often(room, ann, "bob", limits.PRIVATE_BUCKET)
    room.lose(ann, delivering=True)
    room.dial(ann)
    room.settle()
    assert [kinds(answer) for answer in whisper_often(room, ann, "bob", 1)] == [["ErrorEvent", "UnsentEvent"]]


def test_a_host_has_no_measure() -> None:
    """It orders what it likes in any case."""
    room = Simulation()
    room.joined("bob")
    answers = whisper_often(room, room.host, "bob", limits.PRIVATE_BUCKET + 1)
    assert [kinds(answer) for answer in answers] == [["MessageEvent"]] * (limits.PRIVATE_BUCKET + 1)


# --- who is read more slowly


def pauses(done: list[effects.Effect]) -> list[tuple[int, float]]:
    """Which links are not to be read for how long."""
    return [(it.link, it.seconds) for it in done if isinstance(it, effects.PauseEffect)]


@pytest.fixture
def inn() -> Inn:
    return Inn()


@pytest.fixture
def three(monkeypatch: pytest.MonkeyPatch) -> Inn:
    """A host that grants three entries at once, and one in two seconds."""
    monkeypatch.setattr(limits, "ENTRY_BUCKET", 3)
    monkeypatch.setattr(limits, "ENTRY_RATE", 0.5)
    return Inn()


def test_who_writes_more_entries_than_it_may_is_read_more_slowly_and_loses_nothing(three: Inn) -> None:
    """1.6"""
    for number in range(3):
        assert not pauses(three.eve.says(text(f"{number}")))
    assert pauses(three.eve.says(text("3"))) == [(three.eve.link, 2.0)]
    assert three.ordered() == [text(f"{number}") for number in range(4)]
    assert not pauses(three.ann.says(text("another's"))), "each member has buckets of its own"
    three.tick = 2.0
    assert pauses(three.eve.says(text("4"))) == [(three.eve.link, 2.0)], "as soon as the rate allows one"


def test_entries_count_however_many_are_in_one_payload(three: Inn) -> None:
    """1.6"""
    entries = [three.eve.entry(EVE, text("x")) for _ in range(limits.FRAMES)]
    done = three.eve.sends(*(frames.SubmitFrame(0, entry.sealed) for entry in entries))
    assert pauses(done) == [(three.eve.link, 6.0)], "it owes no more than another burst"
    assert len(three.ordered()) == limits.FRAMES


@pytest.mark.parametrize("what", ["repeated", "of an epoch that is over", "a leaf"])
def test_what_gets_no_place_counts_as_well(three: Inn, what: str) -> None:
    """1.6: the host has the work all the same."""
    if what == "of an epoch that is over":
        three.ticks(limits.EPOCH)
        three.eve.follows()
    entry = three.eve.entry(EVE, text("x"))
    frame = frames.SubmitFrame(0, entry.sealed) if what != "a leaf" else frames.KeyFrame(EVE.encryption_key.public)
    done = [effect for _ in range(5) for effect in three.eve.sends(frame)]
    assert len(pauses(done)) == 2


def test_another_link_is_read_no_sooner_than_the_one_before(three: Inn) -> None:
    """1.6: the buckets are the member's."""
    for number in range(6):
        three.eve.says(text(f"{number}"))
    index, digest = three.eve.reference
    three.eve.dials()
    assert pauses(three.eve.resumes(index, digest)) == [(three.eve.link, 6.0)]
    three.eve.dials(2.0)
    assert pauses(three.eve.joins("whatever")) == [(three.eve.link, 4.0)]


def test_who_was_taken_out_and_comes_back_is_somebody_new(three: Inn) -> None:
    for number in range(6):
        three.eve.says(text(f"{number}"))
    three.eve.says(LeaveBody())
    three.ticks(limits.COMMIT_PAUSE)
    three.eve.dials(three.tick)
    assert not pauses(three.eve.joins("eve"))


def test_a_pause_is_never_longer_than_a_link_bears(monkeypatch: pytest.MonkeyPatch) -> None:
    """1.6"""
    monkeypatch.setattr(limits, "ENTRY_BUCKET", 100)
    monkeypatch.setattr(limits, "ENTRY_RATE", 0.01)
    inn = Inn()
    longest = 0.0
    for number in range(200):
        longest = max([longest, *(seconds for _, seconds in pauses(inn.eve.says(text(f"{number}"))))])
    assert longest == limits.READ_PAUSE < limits.LINK_LOST


def test_units_count_on_whatever_link_they_come(monkeypatch: pytest.MonkeyPatch) -> None:
    """1.6"""
    monkeypatch.setattr(limits, "MESSAGE_BUCKET", 20)
    monkeypatch.setattr(limits, "MESSAGE_RATE", 2.0)
    inn = Inn()
    assert not pauses(inn.eve.says(text("x" * limits.TEXT))), "16 units"
    inn.eve.dials()
    assert not pauses(inn.eve.resumes(*inn.eve.reference))
    assert pauses(inn.eve.says(text("x" * limits.TEXT))) == [(inn.eve.link, 6.0)]


def seeks(member: FalseMember, times: int) -> list[effects.Effect]:
    """It asks as often for the encryption key of another, in records of a unit."""
    frame = frames.KeyRequestFrame(suite.hash_data(ANN.encryption_key.public))
    return [effect for _ in range(times // 8) for effect in member.sends(*[frame] * 8)]


def test_all_leaves_of_a_room_are_had_at_once_and_again_after_all_were_renewed(inn: Inn) -> None:
    """1.6, 5.15"""
    for tick in (0.0, 0.0, limits.COMMIT_PAUSE, 2 * limits.COMMIT_PAUSE):
        inn.tick = tick
        done = seeks(inn.eve, limits.RENEWING)
        assert len(inn.eve.answers(done)) == limits.RENEWING
        assert not pauses(done)


def test_who_asks_for_more_keys_than_that_is_answered_more_slowly(inn: Inn) -> None:
    """1.6: by the size of the answers."""
    done = seeks(inn.eve, 3 * limits.RENEWING)
    assert len(inn.eve.answers(done)) == 3 * limits.RENEWING
    asked = 3 * limits.RENEWING * len(ANN.encryption_key.public)
    link, seconds = pauses(done)[-1]
    assert (link, seconds) == (inn.eve.link, (asked - limits.ANSWER_BUCKET) / limits.ANSWER_RATE)
    inn.eve.dials()
    assert pauses(inn.eve.resumes(*inn.eve.reference)), "it is the member's"


# --- renewals


def test_a_key_is_renewed_once_for_each_commit_that_removes_nobody(inn: Inn) -> None:
    """6.8: and the host drops who does more."""
    inn.ticks(limits.EPOCH)
    inn.eve.follows()
    inn.eve.says(RenewBody(b"1" * 32))
    assert inn.ordered()[-1] == RenewBody(b"1" * 32)
    done = inn.eve.says(RenewBody(b"2" * 32))
    assert kinds(done) == ["DropEffect", "TellEffect"]
    assert inn.ordered()[-2:] == [RenewBody(b"1" * 32), AwayBody(EVE.id)]


@pytest.mark.parametrize("cause", ["none", "a removal", "a large room"])
def test_no_key_is_renewed_without_such_a_commit(inn: Inn, monkeypatch: pytest.MonkeyPatch, cause: str) -> None:
    """6.8"""
    if cause == "a removal":
        inn.takes(inputs.KickInput("ann"))
    elif cause == "a large room":
        monkeypatch.setattr(limits, "RENEWING", 2)
        inn.ticks(limits.EPOCH)
    inn.end_batch()
    inn.eve.follows()
    assert kinds(inn.eve.says(RenewBody(b"1" * 32))) == ["DropEffect", "TellEffect"]


def test_a_commit_before_one_came_lets_it_renew_nothing(inn: Inn) -> None:
    """6.8"""
    inn.ticks(limits.EPOCH)
    zoe = FalseMember(inn, ZOE)
    zoe.dials(inn.tick)
    zoe.joins("zoe")
    assert kinds(zoe.says(RenewBody(b"1" * 32))) == ["DropEffect", "TellEffect"]


def test_renewals_that_were_not_used_are_kept(inn: Inn) -> None:
    """6.8: one may be away, or its renewal be sealed anew in a later epoch."""
    for epoch in (1, 2, 3):
        inn.ticks(epoch * limits.EPOCH)
        inn.eve.follows()
    for number in range(3):
        inn.eve.says(RenewBody(bytes([number]) * 32))
    assert inn.ordered()[-3:] == [RenewBody(bytes([number]) * 32) for number in range(3)]
    assert kinds(inn.eve.says(RenewBody(b"4" * 32))) == ["DropEffect", "TellEffect"]


def test_a_renewal_that_is_repeated_after_a_break_is_none_more(inn: Inn) -> None:
    """5.8: it is denied by its counter."""
    inn.ticks(limits.EPOCH)
    inn.eve.follows()
    entry = inn.eve.entry(EVE, RenewBody(b"1" * 32))
    inn.eve.submits(entry)
    assert inn.eve.denials(inn.eve.submits(entry)) == [(entry.header.counter, "repeated")]


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
        assert "extra-renewal" not in self.room.drops
        assert not [event for member in self.room.members for event in member.got(events.AlarmEvent)]


TestRenewing = Renewing.TestCase
TestRenewing.settings = settings(max_examples=20, stateful_step_count=25)
