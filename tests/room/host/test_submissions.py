"""What becomes of what members send: a place, a denial, an answer, or a fault."""

import pytest

from anonp2p import limits
from anonp2p.crypto import suite
from anonp2p.errors import PeerFault
from anonp2p.protocol import bodies, frames
from anonp2p.protocol.bodies import LeaveBody, NickBody, RenewBody
from anonp2p.protocol.frames import (
    DeniedFrame,
    KeyFrame,
    KeyNotFoundFrame,
    KeyRequestFrame,
    KeyResponseFrame,
    SubmitFrame,
)
from anonp2p.room import effects
from anonp2p.room.host.answers import Answers
from anonp2p.room.host.heirs import Heirs
from anonp2p.room.host.knockers import Knockers
from anonp2p.room.host.room_code import RoomCode
from anonp2p.room.host.submissions import Submissions
from tests.room.host.parts import Ordering, far_end, set_time, take_effects
from tests.room.peers import ANN, BOB, Placed, Sealer, kinds, text
from tests.support.world import payloads


class Bench(Ordering):
    """A room with Ann in it, on link 1, and what takes her records."""

    def __init__(self) -> None:
        super().__init__()
        code = RoomCode(self.context, self.sequencer, self.presence)
        heirs = Heirs(self.context, self.sequencer, self.presence, code)
        parts = self.sequencer, self.presence, self.commits, Answers(self.context), heirs, Knockers(self.context)
        self.submissions = Submissions(self.context, *parts)
        self.add_member(BOB, "bob")
        self.add_member(ANN, "ann")
        self.link = self.add_link(1, ANN)
        self.far = far_end()
        self.start = self.sequencer.log.end
        self.anns: Sealer = self.sealer()

    def send(self, *said: frames.Frame, echo: bool = False) -> list[effects.Effect]:
        """What Ann sends in one record; returns what is done about it."""
        [payload] = payloads(self.far.seal_frames(said, echo=echo))
        self.submissions.take_record(1, self.link, payload)
        return take_effects(self.context)

    def entry(self, body: bodies.Body, **otherwise: int) -> Placed:
        """What Ann writes next."""
        return self.anns.entry(ANN, body, **otherwise)  # type: ignore[arg-type]

    def say(self, body: bodies.Body, **otherwise: int) -> list[effects.Effect]:
        """Ann submits that."""
        return self.send(SubmitFrame(self.anns.epoch.number, self.entry(body, **otherwise).sealed))


@pytest.fixture
def bench() -> Bench:
    """Ann and nobody else has a link."""
    return Bench()


def answers(done: list[effects.Effect]) -> list[frames.Frame]:
    return [frame for effect in done if isinstance(effect, effects.RecordEffect) for frame in effect.frames]


def test_a_text_gets_the_next_place_and_its_author_has_spoken(bench: Bench) -> None:
    assert bench.say(text("hello")) == []
    assert bench.bodies(bench.start) == [text("hello")]
    assert bench.presence.allowances[ANN.id].spoke
    assert not bench.presence.allowances[BOB.id].spoke


def test_a_change_of_nick_is_not_speaking(bench: Bench) -> None:
    assert bench.say(NickBody("anna")) == []
    assert bench.bodies(bench.start) == [NickBody("anna")]
    assert not bench.presence.allowances[ANN.id].spoke


def test_an_entry_of_somebody_else_is_a_fault_and_uses_up_nothing(bench: Bench) -> None:
    entry = bench.anns.entry(BOB, text("lie"))
    with pytest.raises(PeerFault):
        bench.send(SubmitFrame(0, entry.sealed))
    assert bench.bodies(bench.start) == []
    assert bench.context.replica.ledger.get_member(BOB.id).counter == 0


def test_an_entry_that_was_ordered_already_is_denied_as_repeated(bench: Bench) -> None:
    entry = bench.entry(text("once"))
    bench.send(SubmitFrame(0, entry.sealed))
    assert answers(bench.send(SubmitFrame(0, entry.sealed))) == [DeniedFrame(1, "repeated")]
    assert bench.bodies(bench.start) == [text("once")]


@pytest.mark.parametrize("nick", ["bob", "bob_", "SYSTEM"], ids=["taken", "confused", "reserved"])
def test_a_nick_that_passes_for_another_is_denied_and_its_counter_is_used_up(bench: Bench, nick: str) -> None:
    assert answers(bench.say(NickBody(nick))) == [DeniedFrame(1, "nick-taken")]
    assert bench.bodies(bench.start) == []
    assert bench.context.replica.ledger.get_member(ANN.id).counter == 1


def test_nicks_that_change_too_often_are_denied(bench: Bench) -> None:
    denied = [answers(bench.say(NickBody(f"ann{number}"))) for number in range(int(limits.NICK_BUCKET) + 1)]
    assert denied[:-1] == [[]] * (len(denied) - 1)
    assert denied[-1] == [DeniedFrame(len(denied), "too-often")]


def test_an_entry_of_an_epoch_that_is_over_is_left_to_its_author_and_one_to_come_is_a_fault(bench: Bench) -> None:
    entry = bench.entry(text("sealed before the commit"))
    set_time(bench.context, limits.EPOCH)
    bench.commits.commit_if_due()
    before = bench.bodies()
    assert answers(bench.send(SubmitFrame(0, entry.sealed))) == []
    assert bench.bodies() == before
    with pytest.raises(PeerFault):
        bench.send(SubmitFrame(2, entry.sealed))


@pytest.mark.parametrize(("skipped", "taken"), [(limits.SKIPPED, True), (limits.SKIPPED + 1, False)])
def test_no_more_generations_are_left_out_than_others_can_follow(bench: Bench, skipped: int, taken: bool) -> None:
    if taken:
        bench.say(text("far on"), generation=skipped)
    else:
        with pytest.raises(PeerFault):
            bench.say(text("too far on"), generation=skipped)
    assert len(bench.bodies(bench.start)) == taken


@pytest.mark.parametrize(("denied", "taken"), [(limits.SKIPPED, True), (limits.SKIPPED + 1, False)])
def test_what_was_denied_leaves_out_no_more_than_others_can_follow(bench: Bench, denied: int, taken: bool) -> None:
    """6.6: a host that ordered what comes after too many denied would seem to lie."""
    for number in range(denied):
        assert answers(bench.say(NickBody("bob"))) == [DeniedFrame(number + 1, "nick-taken")]
    if taken:
        bench.say(text("all can follow"))
    else:
        with pytest.raises(PeerFault, match="generation"):
            bench.say(text("nobody can follow"))
    assert len(bench.bodies(bench.start)) == taken


def test_a_member_may_renew_its_key_once_after_each_commit_without_cause(bench: Bench) -> None:
    new = suite.EncryptionKeyPair(b"new" + bytes(29)).public
    set_time(bench.context, limits.EPOCH)
    bench.commits.commit_if_due()
    bench.anns = bench.sealer()
    bench.send(KeyFrame(new), SubmitFrame(1, bench.entry(RenewBody(suite.hash_data(new))).sealed))
    assert bench.bodies()[-1] == RenewBody(suite.hash_data(new))
    assert bench.context.replica.keys[suite.hash_data(new)] == new
    assert suite.hash_data(ANN.encryption_key.public) not in bench.context.replica.keys
    with pytest.raises(PeerFault):
        bench.say(RenewBody(suite.hash_data(new)))


@pytest.fixture
def strict(monkeypatch: pytest.MonkeyPatch) -> Bench:
    """A room in which a member may cause little."""
    monkeypatch.setattr(limits, "ENTRY_BUCKET", 1)
    monkeypatch.setattr(limits, "MESSAGE_BUCKET", 8)
    monkeypatch.setattr(limits, "ANSWER_BUCKET", len(ANN.encryption_key.public))
    return Bench()


@pytest.mark.parametrize("cause", ["an entry", "a repeated one", "one of an epoch that is over", "a key", "an answer"])
def test_whatever_costs_the_host_something_is_charged_to_its_sender(strict: Bench, cause: str) -> None:
    """1.6: also what gets no place."""
    if cause == "one of an epoch that is over":
        set_time(strict.context, limits.EPOCH)
        strict.commits.commit_if_due()
    causes: dict[str, frames.Frame] = {
        "a key": KeyFrame(ANN.encryption_key.public),
        "an answer": KeyRequestFrame(suite.hash_data(ANN.encryption_key.public)),
    }
    frame = causes.get(cause, SubmitFrame(0, strict.entry(text("x")).sealed))
    again = SubmitFrame(0, strict.entry(text("y")).sealed) if cause == "an entry" else frame
    assert "PauseEffect" not in kinds(strict.send(frame))
    assert kinds(strict.send(again))[-1] == "PauseEffect"


@pytest.mark.parametrize("skipped", [0, 1, limits.SKIPPED])
def test_generations_that_an_entry_leaves_out_are_charged_to_its_author(
    monkeypatch: pytest.MonkeyPatch, skipped: int
) -> None:
    """1.6: an author without tokens waits as much longer as others need for the keys that they skip."""
    monkeypatch.setattr(limits, "ENTRY_BUCKET", 4)
    bench = Bench()
    assert [bench.say(text("all that may be said at once")) for _ in range(4)] == [[]] * 4
    [pause] = bench.say(text("x"), generation=4 + skipped)
    assert isinstance(pause, effects.PauseEffect)
    assert pause.seconds == pytest.approx((1 + skipped / limits.SKIPPED_PER_ENTRY) / limits.ENTRY_RATE)


def test_a_long_record_is_charged_by_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """1.6"""
    monkeypatch.setattr(limits, "MESSAGE_BUCKET", 8)
    bench = Bench()
    assert bench.say(text("x")) == []
    [pause] = bench.say(text("x" * limits.TEXT))
    assert isinstance(pause, effects.PauseEffect)
    assert pause.seconds > 1 / limits.MESSAGE_RATE


def test_a_renewal_before_any_commit_is_a_fault(bench: Bench) -> None:
    with pytest.raises(PeerFault):
        bench.say(RenewBody(suite.hash_data(ANN.encryption_key.public)))
    assert bench.bodies(bench.start) == []


def test_a_key_to_which_nothing_can_be_sealed_is_a_fault(bench: Bench) -> None:
    with pytest.raises(PeerFault):
        bench.send(KeyFrame(ANN.encryption_key.public[:-32] + bytes(32)))


def test_keys_of_members_are_found_and_others_are_not(bench: Bench) -> None:
    known, unknown = suite.hash_data(BOB.encryption_key.public), suite.hash_data(b"nobody's")
    assert answers(bench.send(KeyRequestFrame(known), KeyRequestFrame(unknown))) == [
        KeyResponseFrame(BOB.encryption_key.public),
        KeyNotFoundFrame(unknown),
    ]


def test_who_leaves_gets_its_receipt_and_is_not_heard_any_more(bench: Bench) -> None:
    leave, late = bench.entry(LeaveBody()), bench.entry(text("late"))
    done = bench.send(SubmitFrame(0, leave.sealed), SubmitFrame(0, late.sealed))
    assert kinds(done) == ["WakeEffect", "FinishEffect"]
    assert bench.bodies(bench.start) == [LeaveBody()]
    assert bench.sequencer.log.is_sealed
    assert not bench.presence.links
    assert bench.commits.next_deadline() == bench.context.clock.tick + limits.COMMIT_PAUSE


def test_a_slot_of_cover_is_a_slot_whatever_it_says(bench: Bench) -> None:
    """2.10"""
    assert bench.send(echo=True) == [effects.CoverEffect(1)]
    assert bench.bodies(bench.start) == []
    submitted = SubmitFrame(0, bench.entry(text("in a slot")).sealed)
    assert bench.send(submitted, echo=True)[0] == effects.CoverEffect(1)
    assert bench.bodies(bench.start) == [text("in a slot")]
    assert bench.send(SubmitFrame(0, bench.entry(text("in none")).sealed)) == []


def test_a_record_of_another_link_does_not_open(bench: Bench) -> None:
    with pytest.raises(PeerFault):
        bench.submissions.take_record(1, bench.link, bytes(64))
