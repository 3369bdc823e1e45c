"""An heir that goes on as host: what it orders first, whom it lets back in, and what it keeps of what it had."""

import msgspec
import pytest

from anonp2p import limits
from anonp2p.crypto import identity, suite
from anonp2p.crypto.epoch import OPENING, Header
from anonp2p.errors import TorRefused
from anonp2p.names.codes import RoomKey
from anonp2p.protocol import bodies, frames, handshake
from anonp2p.protocol.field_types import Heir, Opening
from anonp2p.protocol.handshake import Channel
from anonp2p.protocol.requests import AnyRequest, ResumeRequest
from anonp2p.protocol.rights import Order, Rights
from anonp2p.room import effects, events, inputs
from anonp2p.room.contents import unpack_content
from anonp2p.room.gate import Caller, Gate
from anonp2p.room.host.host import HostRole
from anonp2p.room.pending import Whisper
from anonp2p.room.role import HostPlan, MemberPlan
from anonp2p.room.standby import Standby
from anonp2p.room.succession import terms
from tests.room.member.parts import joined_context, set_time, take_effects
from tests.room.peers import ANN, HOST, ROOM, ROOM_KEY, Somebody, text
from tests.support.world import START, payloads

OWN_KEY = RoomKey(b"o" * 32)
OWN = OWN_KEY.public
TIME = 5_000  # milliseconds of the room when we take over
LINK, SECRET, HELLO = 3, b"s" * 32, b"n" * 32


class Answerer:
    """Nobody asks."""

    def take_ticket(self, _: bytes) -> bool:
        return False

    def answer(self, _: Caller, __: AnyRequest) -> float:
        raise AssertionError


class Inheritance:
    """A room of Hugo's with Ann and us in it, of whom we are the heir; Hugo is gone."""

    def __init__(self, *, holds_key: bool = True) -> None:
        self.context = joined_context()
        self.replica = self.context.replica
        self.me = self.replica.me.id
        ledger = self.replica.ledger
        ledger.heirs = (Heir(self.me, OWN),)
        if holds_key:
            ledger.holders = (HOST.id, self.me)
            self.context.serving.add_key(ROOM_KEY)
        self.context.serving.add_key(OWN_KEY)
        self.before = ledger.openings
        self.far = Channel(SECRET, HELLO, up=True)
        gate, self.standby = Gate(self.context, Answerer()), Standby(self.context)
        self.role = HostRole(self.context, HostPlan(5, OWN, TIME, gate, self.standby))
        take_effects(self.context)

    def waits(self, who: Somebody, *, lost: bool, link: int = LINK, index: int = 0) -> None:
        """A member waits for us."""
        channel = Channel(SECRET, HELLO, up=False)
        digest, key = self.replica.ledger.digest, who.encryption_key.public
        resume = ResumeRequest(
            SECRET, who.id, key, 0, index, digest, list(self.before), lost, bytes(identity.SIGNATURE)
        )
        self.standby.add_link(Caller(link, channel, HELLO, OWN), resume)
        [sent] = [it for it in take_effects(self.context) if isinstance(it, effects.SendEffect)]
        self.far.open_record(payloads(sent.data)[0])

    def begins(self, seconds: float = 1.0) -> list[effects.Effect]:
        """We go on as host."""
        set_time(self.context, seconds)
        self.role.handle_input(inputs.StartInput())
        self.role.handle_input(inputs.EndBatchInput())
        return take_effects(self.context)

    def bodies(self) -> list[bodies.Body]:
        """What we have ordered."""
        log = self.role.log
        return [unpack_content(log.find_entry(at).body).body for at in range(1, log.end)]


@pytest.fixture
def heir() -> Inheritance:
    return Inheritance()


def test_the_first_entry_of_an_heir_opens_its_term(heir: Inheritance) -> None:
    heir.begins()
    ledger = heir.replica.ledger
    assert heir.bodies() == [bodies.OpeningBody(5, OWN, ROOM, ledger.openings[-1].index)]
    header = Header.unpack(heir.role.log.find_entry(1).header)
    assert (header.kind, header.author, header.counter) == (OPENING, heir.me, 0)
    assert (ledger.number, ledger.host, ledger.address, ledger.code) == (5, heir.me, OWN, ROOM)
    assert ledger.openings == (*heir.before, Opening(5, heir.me, 1, ledger.digest, 1))
    assert ledger.epoch == heir.replica.current_epoch.number == terms.first_epoch(5)
    assert ledger.get_member(HOST.id).away


def test_the_secrets_of_an_heirs_term_do_not_come_from_those_before(heir: Inheritance) -> None:
    before = heir.replica.current_epoch
    heir.begins()
    after = heir.replica.current_epoch
    assert before.log_key != after.log_key
    assert set(after.ratchets) == {HOST.id, ANN.id, heir.me}


def test_who_hosted_before_and_hosts_again_serves_nothing_but_its_address_and_the_code(heir: Inheritance) -> None:
    former = RoomKey(b"f" * 32)
    heir.context.serving.add_key(former)
    heir.context.serving.serve(former.public)
    done = heir.begins()
    assert [it.address for it in done if isinstance(it, effects.StopServingEffect)] == [former.public]
    assert {it.key.public for it in done if isinstance(it, effects.ServeEffect)} >= {OWN, ROOM}


def test_an_heir_that_holds_the_key_serves_the_code_besides_its_own_address(heir: Inheritance) -> None:
    served = [it.key.public for it in heir.begins() if isinstance(it, effects.ServeEffect)]
    assert served == [OWN, ROOM]


def test_an_heir_without_the_key_makes_its_own_address_the_code() -> None:
    heir = Inheritance(holds_key=False)
    served = [it.key.public for it in heir.begins() if isinstance(it, effects.ServeEffect)]
    assert served == [OWN]
    assert heir.replica.ledger.code == OWN
    assert heir.replica.ledger.holders == (heir.me,)


@pytest.mark.parametrize("holds_key", [False, True])
def test_it_looks_at_once_whether_others_can_join_where_its_own_service_is_the_code(holds_key: bool) -> None:
    heir = Inheritance(holds_key=holds_key)
    heir.context.serving.serve(OWN)
    heir.context.serving.note_published(OWN)
    dialled = [it.address for it in heir.begins() if isinstance(it, effects.DialEffect)]
    assert dialled == ([] if holds_key else [OWN])
    assert not heir.role.settled


def test_what_it_had_to_say_to_one_who_waits_for_it_is_not_given_back(heir: Inheritance) -> None:
    heir.waits(ANN, lost=True)
    heir.context.add_entry(Whisper(ANN.id, "ann", "psst"), "/msg ann psst", "1")
    done = heir.begins()
    assert any(isinstance(body, bodies.PrivateBody) for body in heir.bodies())
    assert not [it for it in done if isinstance(it, effects.TellEffect) and isinstance(it.event, events.UnsentEvent)]


def test_what_it_had_not_ordered_yet_of_its_own_follows(heir: Inheritance) -> None:
    heir.context.add_entry(text("first"), "first", "1")
    heir.context.add_entry(bodies.NickBody("ann"), None, "2")
    heir.context.add_entry(Whisper(ANN.id, "ann", "psst"), "/msg ann psst", "3")
    heir.context.add_entry(text("last"), "last", "4")
    heir.begins()
    assert heir.bodies()[1:] == [text("first"), text("last")], "no nick of another's, nor to a key that it lacks"
    assert len(heir.context.outbox) == 0
    counters = [Header.unpack(heir.role.log.find_entry(at).header).counter for at in (2, 3)]
    assert counters == [1, 4]


def test_what_moderators_have_ordered_is_carried_out_at_once(heir: Inheritance) -> None:
    """5c.5: after what it had to say itself, whose counters are lower."""
    heir.replica.ledger.rights = Rights(moderators=(HOST.id,), orders=(Order((ANN.id,), "spam"),))
    heir.context.add_entry(text("first"), "first", "1")
    heir.begins()
    first = heir.replica.ledger.epoch
    assert heir.bodies()[1:] == [
        text("first"),
        bodies.CommitBody(first, [bodies.Removal(ANN.id, "kicked")], renew=False),
    ]


def test_what_it_may_not_do_any_more_is_given_back(heir: Inheritance) -> None:
    heir.replica.ledger.rights = Rights(moderators=(HOST.id,), muted=(heir.me,))
    heir.context.add_entry(text("first"), "first", "1")
    heir.context.add_entry(bodies.LockBody(locked=True), None, "2")
    heir.begins()
    assert len(heir.bodies()) == 1
    assert len(heir.context.outbox) == 0


def test_what_it_had_not_ordered_yet_comes_before_who_was_away_is_back(heir: Inheritance) -> None:
    heir.waits(ANN, lost=True)
    heir.replica.ledger.roster.mark_presence(heir.replica.ledger.get_member(ANN.id), away=True)
    heir.context.add_entry(text("first"), "first", "1")
    heir.begins()
    assert heir.bodies()[1:] == [text("first"), bodies.BackBody(ANN.id)], "in the order of its counters"


def test_a_message_that_was_to_be_retracted_once_it_has_its_place_is(heir: Inheritance) -> None:
    heir.context.add_entry(text("never mind"), "never mind", "1")
    [pending] = [pending for _, pending in heir.context.outbox.list_pending()]
    pending.retraction = "2"
    heir.begins()
    assert heir.role.log.find_entry(2).body == b"", "it has ended"
    assert unpack_content(heir.role.log.find_entry(3).body).body == bodies.RetractBody(1)
    assert len(heir.context.outbox) == 0


def test_the_time_of_the_room_goes_on(heir: Inheritance) -> None:
    heir.begins(1.0)
    assert heir.role.room_time() == TIME
    set_time(heir.context, 3.0)
    assert heir.role.room_time() == TIME + 2_000


def test_all_others_are_without_a_link_from_now_on(heir: Inheritance) -> None:
    heir.begins(1.0)
    assert set(heir.role.presence.absences) == {HOST.id, ANN.id}
    assert heir.role.presence.absences[ANN.id].due == START + 1.0 + limits.AWAY_SECONDS
    assert heir.role.presence.absences[HOST.id].due == START + 1.0 + limits.PLACE_SECONDS


def test_one_that_waits_and_has_lost_its_host_is_welcomed_on_its_link(heir: Inheritance) -> None:
    heir.waits(ANN, lost=True)
    [admit] = [it for it in heir.begins() if isinstance(it, effects.AdmitEffect)]
    assert admit.link == LINK
    assert isinstance(admit.frames[0], frames.WelcomeFrame)
    assert admit.reader is not None
    assert admit.reader.count_batches() == 1, "the batch with the opening"
    assert heir.role.presence.find_link(ANN.id) == LINK
    assert not heir.standby.links


def test_one_that_waits_and_has_its_host_is_welcomed_once_it_says_that_it_lost_it(heir: Inheritance) -> None:
    heir.waits(ANN, lost=False)
    assert not [it for it in heir.begins() if isinstance(it, effects.AdmitEffect)]
    report = frames.ReportFrame(True, 0, heir.before[0].digest, list(heir.before))
    heir.role.handle_input(inputs.ReceivedInput(LINK, heir.far.seal_frames([report])[2:]))
    [admit] = [it for it in take_effects(heir.context) if isinstance(it, effects.AdmitEffect)]
    assert admit.link == LINK


def test_one_that_waits_and_is_of_another_term_of_the_same_number_is_sent_to_ask_again(heir: Inheritance) -> None:
    """8.15: it proves its term on a link of its own, as it reports on this one."""
    heir.waits(ANN, lost=True)
    [link] = heir.standby.links.values()
    link.openings = [*heir.before, Opening(5, bytes(16), 1, bytes(32))]
    [end] = [it for it in heir.begins() if isinstance(it, effects.FinishEffect)]
    assert end.link == LINK
    report = frames.ReportFrame(True, 0, heir.before[0].digest, list(heir.before))
    heir.role.handle_input(inputs.ReceivedInput(LINK, heir.far.seal_frames([report])[2:]))
    assert not [it for it in take_effects(heir.context) if isinstance(it, effects.DropEffect)]


def returns(heir: Inheritance, number: int) -> tuple[frames.Frame, list[effects.Effect]]:
    """Ann asks for her place, with a log in a term of this number that another host has begun, and says our epoch.

    Returns what she is answered, and all that happens.
    """
    key, epoch = ANN.encryption_key.public, heir.replica.current_epoch.number
    openings = [*heir.before, Opening(number, bytes(16), 1, bytes(32), 1)]
    unsigned = ResumeRequest(SECRET, ANN.id, key, epoch, 3, bytes(32), openings, True, bytes(identity.SIGNATURE))
    signature = ANN.sign_for(OWN, identity.RESUME, handshake.resume_content(HELLO, unsigned))
    resume = msgspec.structs.replace(unsigned, signature=signature)
    heir.role.gate.answerer.answer(Caller(9, Channel(SECRET, HELLO, up=False), HELLO, OWN), resume)
    done = take_effects(heir.context)
    [admit] = [it for it in done if isinstance(it, effects.AdmitEffect)]
    return admit.frames[0], done


def numbers_from(heir: Inheritance, since: int) -> None:
    """As if our term had begun later: what is before this entry has its number from the founder's."""
    *before, ours = heir.replica.ledger.openings
    heir.replica.ledger.openings = (*before, msgspec.structs.replace(ours, since=since))


def test_for_one_who_was_shown_numbers_that_ours_do_not_surpass_all_get_others(heir: Inheritance) -> None:
    """8.1: what it has missed would have numbers that only it knows."""
    heir.begins()
    returns(heir, 4)
    assert heir.replica.ledger.number == 5, "ours are higher"
    numbers_from(heir, 2)
    returns(heir, 4)
    assert [(it.number, it.since) for it in heir.replica.ledger.openings] == [(0, 0), (5, 2), (8, 1)]


def test_for_some_who_come_from_several_sides_at_once_all_get_other_numbers_each_time(heir: Inheritance) -> None:
    heir.begins()
    for _ in range(3):
        numbers_from(heir, 2)
        returns(heir, 4)
    assert heir.replica.ledger.number == 16


def test_nobody_makes_a_host_begin_one_term_after_the_other_by_saying_so(heir: Inheritance) -> None:
    heir.begins()
    for _ in range(limits.RENUMBER_BUCKET + 1):
        numbers_from(heir, 2)
        returns(heir, 4)
    most = 4 + 4 * limits.RENUMBER_BUCKET
    assert heir.replica.ledger.number == most
    set_time(heir.context, limits.STAND_PAUSE + 1)
    returns(heir, 4)
    assert heir.replica.ledger.number == most + 4


def test_one_of_another_term_of_the_same_number_is_told_where_we_are(heir: Inheritance) -> None:
    """8.15: two heirs of one rank, appointed one after the other, begin terms of one number."""
    heir.begins()
    assert heir.replica.ledger.number == 5
    answer, _ = returns(heir, 5)
    assert isinstance(answer, frames.RedirectFrame)
    assert answer.where.host == heir.replica.me.id


def test_one_of_a_lower_term_is_welcomed_whatever_epoch_it_says(heir: Inheritance) -> None:
    heir.begins()
    answer, done = returns(heir, 4)
    assert isinstance(answer, frames.WelcomeFrame)
    served = [it.key.public for it in done if isinstance(it, effects.ServeEffect)]
    assert served == [ROOM], "the other host may have published the code"


def test_who_was_thrown_out_meanwhile_is_not_welcomed(heir: Inheritance) -> None:
    heir.waits(ANN, lost=True)
    heir.replica.ledger.roster.remove_member(heir.replica.ledger.get_member(ANN.id))
    drops = [it for it in heir.begins() if isinstance(it, effects.DropEffect)]
    assert [drop.link for drop in drops] == [LINK]


def test_each_member_may_renew_its_key_once_though_no_commit_of_ours_has_asked_for_it(heir: Inheritance) -> None:
    heir.begins()
    allowance = heir.role.presence.allowances[ANN.id]
    assert [allowance.try_renewal(heir.role.commits.renewable) for _ in range(2)] == [True, False]


def test_a_host_that_begins_a_term_again_gives_its_members_shares_of_its_secret(heir: Inheritance) -> None:
    heir.waits(ANN, lost=True)
    heir.begins()
    reader, far = heir.role.presence.links[LINK].reader, heir.far
    far.open_record(payloads(reader.take_data())[0])
    heir.role.commits.begin_again(8, 1)
    assert heir.replica.ledger.number == 8
    assert heir.replica.current_epoch.number == terms.first_epoch(8)
    opened = far.open_record(payloads(reader.take_data())[0])
    assert [type(frame) for frame in opened.frames] == [frames.BackfillFrame, frames.CommitShareFrame]


def test_a_host_that_hands_over_stays_as_a_member_and_ends_its_links_once_they_have_all(heir: Inheritance) -> None:
    heir.waits(ANN, lost=True)
    heir.begins()
    ledger = heir.replica.ledger
    ledger.heirs = (Heir(ANN.id, bytes([1]) * 32),)
    heir.role.hand_over()
    assert ledger.handed_over
    assert not heir.context.lifecycle.over
    assert [it.link for it in take_effects(heir.context) if isinstance(it, effects.FinishEffect)] == [LINK]
    plan = heir.role.successor
    assert isinstance(plan, MemberPlan)
    assert plan.hint is not None
    assert (plan.hint.member, plan.address) == (ANN.id, OWN)


def test_the_keys_that_members_show_when_they_come_are_those_that_others_write_to(heir: Inheritance) -> None:
    heir.waits(ANN, lost=True)
    heir.begins()
    assert heir.replica.keys[suite.hash_data(ANN.encryption_key.public)] == ANN.encryption_key.public


def test_who_comes_under_an_heir_can_write_to_it_in_private(heir: Inheritance) -> None:
    """Members know its key from before; those who come later ask it for that, as for any other."""
    heir.waits(ANN, lost=True)
    heir.begins()
    reader = heir.role.presence.links[LINK].reader
    heir.far.open_record(payloads(reader.take_data())[0])
    own_key = heir.replica.own_keys[0].public
    request = frames.KeyRequestFrame(heir.replica.ledger.get_member(heir.me).key_hash)
    heir.role.handle_input(inputs.ReceivedInput(LINK, heir.far.seal_frames([request])[2:]))
    answers = [it.frames for it in take_effects(heir.context) if isinstance(it, effects.RecordEffect)]
    assert answers == [(frames.KeyResponseFrame(own_key),)]


def test_a_code_that_its_tor_does_not_serve_is_replaced_and_without_its_own_address_the_room_is_over(
    heir: Inheritance,
) -> None:
    """As where another program on the same Tor still serves the code."""
    heir.begins()
    heir.role.handle_input(inputs.ServeFailedInput(ROOM, TorRefused("no")))
    assert heir.replica.ledger.code == OWN
    assert not heir.context.lifecycle.over
    heir.role.handle_input(inputs.ServeFailedInput(OWN, TorRefused("no")))
    assert heir.context.lifecycle.over
