"""A host and others who host the same room: whom it dials, what it tells them, and what moves it."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from anonp2p import limits
from anonp2p.crypto.epoch import COMMIT, Header
from anonp2p.crypto.identity import Identity
from anonp2p.crypto.padding import LENGTH
from anonp2p.names.codes import RoomKey
from anonp2p.protocol import bodies, frames, meeting
from anonp2p.protocol.credentials import sign_credentials, sign_refusal
from anonp2p.protocol.field_types import Heir
from anonp2p.protocol.handshake import Channel, HandshakeKey
from anonp2p.protocol.requests import MeetRequest
from anonp2p.room import effects
from anonp2p.room.gate import Caller, NotAdmitted
from anonp2p.room.host.meetings import Meetings, Outcast, Verdict
from anonp2p.room.log.room_log import RoomLog
from anonp2p.room.succession.meeting import GiveWay, Stand
from tests.room.host.parts import Ordering, set_time, take_effects
from tests.room.peers import ANN, BOB, EVE, ROOM, ROOM_KEY, ZOE, Somebody, randomness
from tests.room.sides import Side, side_from

HEIR_ADDRESS = {who.id: RoomKey(who.id * 2).public for who in (ANN, BOB)}
STRANGER_KEY = b"k" * 32
SECRET, HELLO = b"s" * 32, b"h" * 32


class Split:
    """A host with ANN and BOB as heirs and EVE as a member; ANN, on the other side of a split, hosts as well."""

    def __init__(self) -> None:
        self.room = Ordering()
        self.context = self.room.context
        for who, nick in ((ANN, "ann"), (BOB, "bob"), (EVE, "eve")):
            self.room.add_member(who, nick)
        heirs = [Heir(who.id, HEIR_ADDRESS[who.id]) for who in (ANN, BOB)]
        self.room.sequencer.order_own(bodies.HeirsBody(heirs, entrusts=False))
        self.room.sequencer.end_batch()
        self.replica = self.context.replica
        self.fork = side_from(self.replica.ledger.copy())
        self.theirs = side_from(self.replica.ledger.copy())
        self.theirs.begins(ANN)
        self.meetings = Meetings(self.context, self.room.presence)
        self.context.meeting.begin(self.context.clock.tick, None)
        take_effects(self.context)

    def add_links(self, *members: Any) -> None:
        for number, who in enumerate(members, 1):
            self.room.add_link(number, who)

    def at(self, seconds: float) -> None:
        set_time(self.context, seconds)
        self.meetings.dial_due()

    def dialled(self) -> list[effects.DialEffect]:
        return [effect for effect in take_effects(self.context) if isinstance(effect, effects.DialEffect)]

    def where(self) -> frames.Where:
        """What the other side says, with a proof for us."""
        return self.theirs.tells(Side(self.replica))


def payload_of(admitted: effects.AdmitEffect) -> bytes:
    """What goes out first."""
    return admitted.channel.seal_frames(admitted.frames)


class Called:
    """Whoever is at an address that the host has dialled."""

    def __init__(self, split: Split, dial: effects.DialEffect) -> None:
        self.split, self.dial = split, dial
        self.greeting = HandshakeKey(randomness(b"called")).begin_handshake(dial.address, 0.0)
        split.meetings.take_payload(dial.link, self.greeting.wire[LENGTH:])
        [sent] = take_effects(split.context)
        assert isinstance(sent, effects.SendEffect)
        request = self.greeting.open_request(sent.data[LENGTH:])
        assert isinstance(request, MeetRequest)
        self.request = request
        self.channel = Channel(request.link_secret, self.greeting.hello, up=False)

    def answers(self, *said: frames.Frame) -> Verdict | Outcast | None:
        return self.split.meetings.take_payload(self.dial.link, self.channel.seal_frames(said)[LENGTH:])

    def redirects(self, where: frames.Where, signer: Identity) -> Verdict | None:
        verdict = self.answers(meeting.sign_redirect(where, self.dial.address, self.greeting.hello, signer))
        assert not isinstance(verdict, Outcast)
        return verdict

    def refuses(
        self, reason: frames.Refusal, term: int = 5, who: Identity = ANN, signer: Identity | None = None
    ) -> Any:
        vouched = sign_credentials(RoomKey(ANN.id * 2), who.key, term)
        sign = (signer or who).signer(self.dial.address)
        return self.answers(sign_refusal(reason, self.greeting.hello, vouched, sign))


class Dialler:
    """One who dials the host and asks to meet it."""

    def __init__(self, split: Split, who: Identity, link: int = 9) -> None:
        self.split, self.who = split, who
        self.channel = Channel(SECRET, HELLO, up=True)
        self.caller = Caller(link, Channel(SECRET, HELLO, up=False), HELLO, ROOM)

    def meets(self, side: Side, signer: Identity | None = None, **fields: Any) -> frames.Where:
        """It says where its log is. Returns what it is told."""
        ledger = side.replica.ledger
        position = ledger.address, ledger.index, ledger.digest, list(ledger.openings)
        unsigned = MeetRequest(SECRET, self.who.id, *position, bytes(64))
        meet = meeting.sign_meet(unsigned, ROOM, HELLO, signer or self.who)
        self.split.meetings.answer(self.caller, msgspec.structs.replace(meet, **fields))
        [answered] = take_effects(self.split.context)
        assert isinstance(answered, effects.AdmitEffect | effects.FinishEffect)
        data = answered.data if isinstance(answered, effects.FinishEffect) else payload_of(answered)
        [redirect] = self.channel.open_record(data[LENGTH:]).frames
        assert isinstance(redirect, frames.RedirectFrame)
        meeting.check_redirect(redirect, ROOM, HELLO, self.split.replica.me.key)
        return redirect.where

    def proves(self, where: frames.Where, signer: Identity | None = None) -> Verdict | None:
        redirect = meeting.sign_redirect(where, ROOM, HELLO, signer or self.who)
        verdict = self.split.meetings.take_payload(self.caller.link, self.channel.seal_frames([redirect])[LENGTH:])
        assert not isinstance(verdict, Outcast)
        return verdict


@pytest.fixture
def split() -> Split:
    return Split()


def test_those_who_may_host_and_have_no_link_are_dialled_and_told_where_we_are(split: Split) -> None:
    split.add_links(ANN, EVE)
    split.at(limits.MEET - 1)
    assert split.dialled() == []
    split.at(limits.MEET)
    [dial] = split.dialled()
    assert (dial.address, dial.link < 0) == (HEIR_ADDRESS[BOB.id], True)
    request, ledger = Called(split, dial).request, split.replica.ledger
    assert (request.index, request.digest, request.openings) == (ledger.index, ledger.digest, list(ledger.openings))
    assert request.address == ledger.address


def test_a_host_looks_who_is_there_once_a_second_and_when_it_is_time_to_dial(split: Split) -> None:
    split.add_links(ANN, EVE)
    looks = []
    for at in (10.0, 10.5, 11.0, limits.MEET - 0.1, limits.MEET, limits.MEET + 0.1):
        set_time(split.context, at)
        looks.append(split.meetings.is_time_to_look())
        if looks[-1]:
            split.meetings.dial_due()
    assert looks == [True, False, True, True, True, False]


def entrusted(split: Split) -> None:
    """ANN has got the key of the code."""
    heirs = [Heir(ANN.id, HEIR_ADDRESS[ANN.id])]
    split.room.sequencer.order_own(bodies.HeirsBody(heirs, entrusts=True))
    split.context.serving.add_key(ROOM_KEY)
    split.context.serving.serve(ROOM)
    split.add_links(ANN, BOB)
    take_effects(split.context)


def code_dial(split: Split, at: float) -> effects.DialEffect:
    split.at(at)
    [dial] = [dial for dial in split.dialled() if dial.address == split.replica.ledger.code]
    return dial


def services(split: Split) -> list[str]:
    """What is done with services."""
    of_services = effects.ServeEffect | effects.StopServingEffect
    return [type(effect).__name__ for effect in take_effects(split.context) if isinstance(effect, of_services)]


def test_a_code_at_which_nobody_answers_twice_in_a_row_is_published_anew(split: Split) -> None:
    """8.16: another holder of its key has published it last, and is gone."""
    entrusted(split)
    done = []
    for number in range(1, 5):
        split.meetings.note_failure(code_dial(split, 2 * number * limits.MEET).link)
        done.append(services(split))
    anew = ["StopServingEffect", "ServeEffect"]
    assert done == [[], anew, [], anew]


def test_a_code_of_before_may_lead_to_another_host(split: Split) -> None:
    """8.16: one that was thrown out, and has its key."""
    former = RoomKey(b"f" * 32)
    split.context.serving.add_key(former)
    split.context.serving.serve(former.public)
    take_effects(split.context)
    assert former.public in [it.address for it in split.meetings.hosting.others]
    split.replica.ledger.carriers.clear()
    assert split.meetings.next_deadline() is not None
    split.context.serving.stop(former.public)
    assert split.meetings.next_deadline() is None


def test_an_address_whose_key_we_have_is_dialled_while_we_do_not_serve_it(split: Split) -> None:
    """8.16: who founded the room, and hosts another side, is at the code of then, whose key we were given."""
    split.context.serving.add_key(ROOM_KEY)
    split.replica.ledger.carriers[BOB.id] = ROOM
    assert Heir(BOB.id, ROOM) in split.meetings.hosting.others
    split.context.serving.serve(ROOM)
    assert Heir(BOB.id, ROOM) not in split.meetings.hosting.others


def test_a_code_that_has_been_answered_since_is_not_published_anew(split: Split) -> None:
    entrusted(split)
    split.meetings.note_failure(code_dial(split, 2 * limits.MEET).link)
    split.meetings.forget_link(Called(split, code_dial(split, 4 * limits.MEET)).dial.link)
    split.meetings.note_failure(code_dial(split, 6 * limits.MEET).link)
    assert services(split) == []


def test_whoever_of_us_answers_at_the_code_no_entry_is_read_again_for_that(
    split: Split, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the largest room that would take 200 ms."""
    entrusted(split)
    called = Called(split, code_dial(split, 2 * limits.MEET))
    where = split.fork.tells(Side(split.replica))
    assert where.index < split.replica.ledger.index
    monkeypatch.setattr(RoomLog, "ledger_at", lambda *_: pytest.fail("it was read again"))
    assert called.redirects(where, BOB) is None


def test_where_a_code_leads_is_looked_for_anew_now_and_then(split: Split) -> None:
    """8.16: our Tor remembers us there, though another host has published it since."""
    entrusted(split)
    split.room.presence.lose_link(2, 0.0)
    fresh = {}
    for at in (2 * limits.MEET, 4 * limits.MEET, 2 * limits.MEET + limits.CODE_FRESH):
        split.at(at)
        for dial in split.dialled():
            fresh[at, dial.address == split.replica.ledger.code] = dial.fresh
            split.meetings.forget_link(dial.link)
    assert list(fresh.values()) == [False, True, False, False, False, True], "never those of whom nobody has the key"


def test_who_may_host_too_and_does_not_answer_has_nothing_to_do_with_the_code(split: Split) -> None:
    entrusted(split)
    split.room.presence.lose_link(2, 0.0)
    for at in (2 * limits.MEET, 4 * limits.MEET):
        split.at(at)
        for dial in split.dialled():
            if dial.address != split.replica.ledger.code:
                split.meetings.note_failure(dial.link)
    assert services(split) == []


def called(split: Split) -> Called:
    """ANN, whom the host dials."""
    split.at(limits.MEET)
    dials = {dial.address: dial for dial in split.dialled()}
    return Called(split, dials[HEIR_ADDRESS[ANN.id]])


def test_a_host_of_a_higher_term_makes_us_give_way_with_less_than_half_of_the_members(split: Split) -> None:
    verdict = called(split).redirects(split.where(), ANN)
    assert verdict == Verdict(GiveWay(), split.where())


def test_a_host_of_a_higher_term_makes_us_begin_one_above_with_half_of_the_members(split: Split) -> None:
    split.add_links(EVE)
    verdict = called(split).redirects(split.where(), ANN)
    assert verdict == Verdict(Stand(8), split.where())


def test_who_follows_another_host_names_it(split: Split) -> None:
    split.add_links(EVE)
    split.at(limits.MEET)
    dials = {dial.address: dial for dial in split.dialled()}
    verdict = Called(split, dials[HEIR_ADDRESS[BOB.id]]).redirects(split.where(), BOB)
    assert verdict is not None
    assert verdict.where.address == HEIR_ADDRESS[ANN.id]


def unproven(where: frames.Where) -> frames.Where:
    return msgspec.structs.replace(where, proof=[])


def ended(split: Split) -> str:
    [drop] = take_effects(split.context)
    assert isinstance(drop, effects.DropEffect)
    return drop.reason


def test_who_proves_nothing_moves_nobody(split: Split) -> None:
    """Nor has one whose log does not reach back as far done anything wrong."""
    it = called(split)
    assert it.redirects(unproven(split.where()), ANN) is None
    assert ended(split) == "closed"
    assert not split.meetings.owns_link(it.dial.link)


def test_what_another_than_who_was_dialled_has_signed_moves_nobody(split: Split) -> None:
    """8.15: nor is it a fault, as one may have been a carrier on another side."""
    it = called(split)
    assert it.redirects(split.where(), EVE) is None
    assert ended(split) == "closed"


NO_ANSWERS: dict[str, Callable[[Called], tuple[frames.Frame, ...]]] = {
    "a place to wait": lambda _: (frames.WaitingFrame(bytes(64)),),
    "two answers": lambda it: (frames.WaitingFrame(bytes(64)), frames.HostLivesFrame()),
}


@pytest.mark.parametrize("case", NO_ANSWERS)
def test_what_is_no_answer_to_a_host_ends_the_link(case: str, split: Split) -> None:
    it = called(split)
    assert it.answers(*NO_ANSWERS[case](it)) is None
    assert ended(split) == "bad-where"
    assert not split.meetings.owns_link(it.dial.link)


def test_one_that_refuses_to_meet_us_is_held_nothing_against(split: Split) -> None:
    it = called(split)
    vouched = sign_credentials(RoomKey(ANN.id * 2), ANN.key)
    assert it.answers(frames.RefusedFrame("unknown", vouched, bytes(64))) is None
    assert ended(split) == "closed"
    assert not split.meetings.owns_link(it.dial.link)


def leave_alone(split: Split, *but: Somebody) -> None:
    """All others are away."""
    for who in (ANN, BOB, EVE):
        if who not in but:
            split.room.sequencer.order_own(bodies.AwayBody(who.id))
    take_effects(split.context)


def test_a_host_with_nobody_that_was_thrown_out_elsewhere_asks_who_says_so_as_a_member(split: Split) -> None:
    """8.17"""
    it = called(split)
    leave_alone(split)
    assert it.refuses("kicked") == Outcast(Heir(ANN.id, HEIR_ADDRESS[ANN.id]))
    assert ended(split) == "closed"


def test_a_host_that_was_thrown_out_elsewhere_goes_on_with_those_who_are_with_it(split: Split) -> None:
    it = called(split)
    leave_alone(split, EVE)
    assert it.refuses("kicked") is None


@pytest.mark.parametrize(
    ("reason", "term", "who"),
    [("unknown", 5, ANN), ("kicked", 0, ANN), ("kicked", 5, ZOE)],
    ids=["to whom we are none", "who hosts no later term", "a stranger"],
)
def test_a_host_with_nobody_is_driven_out_by_nobody_else(
    split: Split, reason: frames.Refusal, term: int, who: Identity
) -> None:
    it = called(split)
    leave_alone(split)
    assert it.refuses(reason, term, who) is None
    assert ended(split) == "closed"


def test_a_host_with_nobody_is_driven_out_by_nothing_that_another_has_signed(split: Split) -> None:
    it = called(split)
    leave_alone(split)
    assert it.refuses("kicked", signer=EVE) is None
    assert ended(split) == "unsigned-refusal"


def test_a_host_that_we_have_thrown_out_makes_us_begin_a_term_whoever_is_here(split: Split) -> None:
    """8.17"""
    it = called(split)
    split.room.throw_out(ANN)
    take_effects(split.context)
    verdict = it.redirects(split.where(), ANN)
    assert verdict is not None
    assert verdict.decision == Stand(8)
    assert ended(split) == "closed"


def test_a_host_of_a_lower_term_is_told_of_ours_with_a_proof(split: Split) -> None:
    ours, it = Side(split.replica), called(split)
    for _ in range(3):
        ours.begins(split.replica.me)
    assert it.redirects(split.where(), ANN) is None
    [told] = take_effects(split.context)
    assert isinstance(told, effects.FinishEffect)
    [redirect] = it.channel.open_record(told.data[LENGTH:]).frames
    assert isinstance(redirect, frames.RedirectFrame)
    meeting.check_redirect(redirect, it.dial.address, it.greeting.hello, split.replica.me.key)
    assert (redirect.where.number, len(redirect.where.proof)) == (12, 1)
    assert not split.meetings.owns_link(it.dial.link)


def test_a_host_of_a_lower_term_of_which_another_tells_is_dialled(split: Split) -> None:
    ours = Side(split.replica)
    for _ in range(3):
        ours.begins(split.replica.me)
    split.at(limits.MEET)
    dials = {dial.address: dial for dial in split.dialled()}
    del dials[HEIR_ADDRESS[ANN.id]]
    split.meetings.forget_link(-1)
    it = Called(split, dials[HEIR_ADDRESS[BOB.id]])
    assert it.redirects(split.where(), BOB) is None
    told, dial = take_effects(split.context)
    assert isinstance(told, effects.FinishEffect)
    assert isinstance(dial, effects.DialEffect)
    assert dial.address == HEIR_ADDRESS[ANN.id]
    further = msgspec.structs.replace(split.where(), host=BOB.id, address=HEIR_ADDRESS[BOB.id])
    openings = [*further.openings[:-1], msgspec.structs.replace(further.openings[-1], host=BOB.id)]
    assert Called(split, dial).redirects(msgspec.structs.replace(further, openings=openings), ANN) is None
    assert split.dialled() == []


@pytest.mark.parametrize("who", [ANN, BOB], ids=["ann", "bob"])
def test_of_two_hosts_with_one_number_the_one_that_hears_of_the_other_first_begins_another_term(
    split: Split, who: Any
) -> None:
    ours, theirs = Side(split.replica), side_from(split.replica.ledger.copy())
    for _ in range(2):
        ours.begins(split.replica.me)
        theirs.begins(who)
    split.at(limits.MEET)
    dials = {dial.address: dial for dial in split.dialled()}
    it = Called(split, dials[HEIR_ADDRESS[who.id]])
    verdict = it.redirects(theirs.tells(ours), who)
    assert split.replica.ledger.number == theirs.replica.ledger.number == 8
    assert verdict is not None
    assert verdict.decision == Stand(12)
    assert ended(split) == "closed"


def test_hosts_that_dial_us_are_told_where_we_are(split: Split) -> None:
    dialler = Dialler(split, ANN)
    where, ledger = dialler.meets(side_from(split.replica.ledger.copy())), split.replica.ledger
    assert (where.host, where.address, where.index) == (split.replica.me.id, ledger.address, ledger.index)
    assert not split.meetings.owns_link(dialler.caller.link)


def test_one_of_a_higher_term_that_dials_us_moves_us_once_it_proves_that(split: Split) -> None:
    dialler = Dialler(split, ANN)
    dialler.meets(split.theirs)
    assert dialler.proves(split.where()) == Verdict(GiveWay(), split.where())
    assert ended(split) == "closed"


def test_one_that_dials_us_and_proves_nothing_moves_nobody(split: Split) -> None:
    dialler = Dialler(split, ANN)
    dialler.meets(split.theirs)
    assert dialler.proves(unproven(split.where())) is None
    assert ended(split) == "closed"


def test_what_another_signs_on_a_link_of_ours_moves_nobody(split: Split) -> None:
    dialler = Dialler(split, ANN)
    dialler.meets(split.theirs)
    assert dialler.proves(split.where(), EVE) is None
    assert ended(split) == "unsigned-redirect"


STRANGER = Identity(b"z" * 32, ROOM)


def test_strangers_and_those_thrown_out_are_told_nothing(split: Split) -> None:
    ours = Side(split.replica)
    with pytest.raises(NotAdmitted, match="unknown"):
        Dialler(split, STRANGER).meets(ours)
    with pytest.raises(NotAdmitted, match="unknown"):
        Dialler(split, ANN).meets(ours, signer=EVE)
    with pytest.raises(NotAdmitted, match="unknown"):
        Dialler(split, ANN).meets(ours, address=HEIR_ADDRESS[BOB.id])
    split.room.throw_out(ANN)
    take_effects(split.context)
    with pytest.raises(NotAdmitted, match="unknown"):
        Dialler(split, ANN).meets(ours, signer=EVE)


def test_one_that_was_thrown_out_and_has_begun_no_term_since_is_told_so(split: Split) -> None:
    """8.16: it hosted where the logs part, and nothing else leads the other side to it any more."""
    ours = Side(split.replica)
    split.room.throw_out(ANN)
    take_effects(split.context)
    with pytest.raises(NotAdmitted, match="kicked"):
        Dialler(split, ANN).meets(ours)


@pytest.mark.parametrize("who", [STRANGER, EVE, ANN], ids=["a stranger", "a member's false name", "one thrown out"])
def test_who_is_none_of_us_and_claims_another_side_hears_only_what_both_know_before_it_has_proven_that(
    split: Split, who: Identity
) -> None:
    """8.16"""
    fork = split.replica.ledger.copy()
    if who is ANN:
        split.room.throw_out(ANN)
    split.room.sequencer.order_own(bodies.LockBody(locked=True))
    take_effects(split.context)
    dialler = Dialler(split, who)
    where = dialler.meets(split.theirs, signer=BOB if who is EVE else None)
    assert (where.number, where.host, where.index, where.digest) == (0, fork.host, fork.index, fork.digest)
    assert (where.openings, where.proof) == (list(fork.openings), [])
    assert dialler.proves(unproven(split.where())) is None
    assert ended(split) == "closed"
    again = Dialler(split, who).meets(split.theirs, signer=BOB if who is EVE else None)
    assert again.index == fork.index


def test_a_host_that_was_thrown_out_is_told_by_whom_once_it_has_proven_its_side(split: Split) -> None:
    """8.15: and not by what term of ours, whose opening says the code."""
    split.room.throw_out(ANN)
    take_effects(split.context)
    dialler = Dialler(split, ANN)
    dialler.meets(split.theirs)
    verdict = dialler.proves(split.theirs.tells(split.fork))
    assert verdict is not None
    assert verdict.decision == Stand(8)
    assert ended(split) == "closed"
    told = Dialler(split, ANN).meets(split.theirs)
    assert told.index == split.replica.ledger.index
    [proof] = told.proof
    assert Header.unpack(proof.header).kind == COMMIT
    take_effects(split.context)
    later = side_from(split.theirs.replica.ledger.copy())
    later.replica.ledger.openings = split.theirs.replica.ledger.openings[:1]
    with pytest.raises(NotAdmitted, match="kicked"):
        Dialler(split, ANN, 10).meets(later)


def test_who_proves_another_side_without_being_its_host_is_not_told_where_we_are(split: Split) -> None:
    dialler = Dialler(split, STRANGER)
    dialler.meets(split.theirs)
    assert dialler.proves(split.theirs.tells(split.fork), STRANGER) is None
    assert ended(split) == "unsigned-redirect"
    assert Dialler(split, STRANGER).meets(split.theirs).proof == []


def test_one_who_joined_on_the_other_side_moves_us_once_it_has_proven_that_it_hosts(split: Split) -> None:
    theirs = side_from(split.replica.ledger.copy())
    theirs.says(split.replica.me, bodies.JoinedBody(STRANGER.key, "zoe", STRANGER_KEY))
    address = RoomKey(STRANGER.id * 2).public
    theirs.says(split.replica.me, bodies.HeirsBody([Heir(STRANGER.id, address)], entrusts=False))
    theirs.begins(STRANGER)
    dialler = Dialler(split, STRANGER)
    take_effects(split.context)
    dialler.meets(theirs)
    where = theirs.tells(split.fork)
    assert dialler.proves(where) == Verdict(GiveWay(), where)


def test_of_too_many_hosts_that_are_none_of_us_the_one_that_proved_itself_first_is_forgotten(
    split: Split, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MEETINGS", 1)
    split.room.throw_out(ANN)
    split.room.throw_out(BOB)
    take_effects(split.context)
    others = side_from(split.fork.replica.ledger.copy())
    others.begins(BOB)
    for who, side in ((ANN, split.theirs), (BOB, others)):
        dialler = Dialler(split, who)
        dialler.meets(side)
        dialler.proves(side.tells(split.fork))
        take_effects(split.context)
    split.meetings.forget_link(9)
    assert Dialler(split, BOB).meets(others).proof != []
    split.meetings.forget_link(9)
    assert Dialler(split, ANN).meets(split.theirs).proof == []


def test_of_too_many_that_dial_us_and_prove_nothing_the_oldest_is_dropped(split: Split) -> None:
    for number in range(limits.MEETINGS):
        Dialler(split, ANN, number).meets(split.theirs)
    split.meetings.answer(Dialler(split, ANN, 99).caller, _meet(split))
    assert take_effects(split.context)[0] == effects.DropEffect(0, "displaced")


def _meet(split: Split) -> MeetRequest:
    ledger = split.theirs.replica.ledger
    position = ledger.address, ledger.index, ledger.digest, list(ledger.openings)
    return meeting.sign_meet(MeetRequest(SECRET, ANN.id, *position, bytes(64)), ROOM, HELLO, ANN)


def test_another_version_of_the_protocol_ends_the_link(split: Split) -> None:
    split.at(limits.MEET)
    dial = split.dialled()[0]
    assert split.meetings.take_payload(dial.link, bytes(limits.HELLO - LENGTH)) is None
    assert not split.meetings.owns_link(dial.link)


def test_a_link_that_is_gone_is_forgotten(split: Split) -> None:
    it = called(split)
    split.meetings.forget_link(it.dial.link)
    assert not split.meetings.owns_link(it.dial.link)
