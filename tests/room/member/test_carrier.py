"""A member that may take the room over: who waits at it, what it tells them and its host, and when it hosts itself."""

from typing import Any

import msgspec
import pytest

from anonp2p import limits
from anonp2p.crypto import identity, suite
from anonp2p.errors import PeerFault
from anonp2p.names.codes import RoomKey
from anonp2p.protocol import frames, handshake, meeting
from anonp2p.protocol.field_types import Heir, Opening
from anonp2p.protocol.handshake import Channel, HostHandshake
from anonp2p.protocol.requests import AnyRequest, JoinRequest, MeetRequest, ResumeRequest
from anonp2p.room import effects, inputs
from anonp2p.room.gate import Caller, NotAdmitted
from anonp2p.room.log.log import LogEntry
from anonp2p.room.member.carrier import Carrier
from anonp2p.room.member.head_check import HeadCheck
from anonp2p.room.member.uplink import Uplink
from anonp2p.room.role import HostPlan
from anonp2p.room.succession.loss import Line, Loss, Target
from anonp2p.room.succession.patience import Patience
from tests.room.member.parts import joined_context, set_time, take_effects
from tests.room.peers import ANN, EVE, HOST, ROOM, Somebody, randomness
from tests.support.world import payloads

BEN = Somebody(b"b")
SECRET, HELLO = b"s" * 32, b"n" * 32  # of all links
OWN_KEY = RoomKey(b"o" * 32)
OWN = OWN_KEY.public
LINK = 4
HIGHER = 5  # the number of another term


class Ready:
    """A member of Hugo's room, with Ann: its first heir, whose service is ready, and which has its host."""

    def __init__(self) -> None:
        self.context = joined_context()
        self.context.random = randomness(b"carrier")
        self.context.may_host = True
        self.context.serving.add_key(OWN_KEY)
        self.replica = self.context.replica
        self.ledger = self.replica.ledger
        self.ledger.heirs = (Heir(self.replica.me.id, OWN),)
        self.uplink = Uplink(self.context)
        self.uplink.begin(-1, ROOM, HELLO, Channel(SECRET, HELLO, up=True))
        self.uplink.end_handshake()
        self.loss = Loss(lambda least, _: least)
        self.caught_up: list[frames.BackfillFrame] = []
        heads = HeadCheck(self.context)
        parts = self.uplink, self.loss, Patience(), heads
        self.carrier = Carrier(self.context, *parts, self.caught_up.append)
        self.host_check = self.carrier.host_check
        self.far = Channel(SECRET, HELLO, up=True)
        take_effects(self.context)

    def wants(self) -> list[effects.Effect]:
        """What is to be done since the last time."""
        return take_effects(self.context)

    def hears_waiting(self) -> None:
        """Ann is told that she waits."""
        [sent] = [it for it in self.wants() if isinstance(it, effects.SendEffect)]
        self.far.open_record(payloads(sent.data)[0])

    def said(self, link: int) -> list[frames.Frame]:
        """What goes out on a link after it has looked at what there is to do."""
        self.carrier.update()
        done = [it for it in self.wants() if isinstance(it, effects.RecordEffect | effects.SendEffect)]
        said: list[frames.Frame] = []
        for effect in [it for it in done if it.link == link]:
            if isinstance(effect, effects.SendEffect):
                said += self.far.open_record(payloads(effect.data)[0]).frames
            else:
                said += effect.frames
        return said

    def asked(self, request: AnyRequest) -> None:
        """Somebody asks."""
        channel = Channel(SECRET, HELLO, up=False)
        self.carrier.answer(Caller(LINK, channel, HELLO, OWN), request)

    def resume(self, who: Somebody = ANN, *, lost: bool = False, openings: list[Opening] | None = None) -> Any:
        """A request to come back."""
        known = list(self.ledger.openings) if openings is None else openings
        key, digest = who.encryption_key.public, self.ledger.digest
        unsigned = ResumeRequest(
            SECRET, who.id, key, 0, self.ledger.index, digest, known, lost, bytes(identity.SIGNATURE)
        )
        content = handshake.resume_content(HELLO, unsigned)
        return msgspec.structs.replace(unsigned, signature=who.sign_for(OWN, identity.RESUME, content))

    def meet(self, who: Somebody = ANN) -> MeetRequest:
        """A host of a higher term asks."""
        openings = [*self.ledger.openings, self.opening(who)]
        unsigned = MeetRequest(SECRET, who.id, b"a" * 32, 3, bytes(32), openings, bytes(identity.SIGNATURE))
        return meeting.sign_meet(unsigned, OWN, HELLO, who)

    def opening(self, who: Somebody = ANN) -> Opening:
        """Of another term."""
        return Opening(HIGHER, who.id, 1, bytes(32))

    def waits(self, *, lost: bool = False) -> None:
        """Ann waits."""
        self.asked(self.resume(lost=lost))
        self.hears_waiting()

    def waits_too(self, *, lost: bool) -> None:
        """Ben waits as well, on another link."""
        self.ledger.add_member(BEN.key, "ben", bytes(32))
        caller = Caller(LINK + 1, Channel(SECRET, HELLO, up=False), HELLO, OWN)
        self.carrier.answer(caller, self.resume(BEN, lost=lost))

    def reports_too(self, *, lost: bool) -> None:
        """Ben says how he is."""
        link = self.carrier.standby.links[LINK + 1]
        link.lost_since = self.context.clock.tick if lost else None

    def reports(self, *, lost: bool, openings: list[Opening] | None = None, index: int = 0) -> None:
        """Ann says how she is."""
        known = list(self.ledger.openings) if openings is None else openings
        self.hears(frames.ReportFrame(lost, index, bytes(32), known))

    def hears(self, frame: frames.Frame) -> None:
        """Ann says something."""
        [payload] = payloads(self.far.seal_frames([frame]))
        self.carrier.take_input(inputs.ReceivedInput(LINK, payload))

    def loses_host(self, seconds: float = 0.0) -> None:
        """Its own link is gone."""
        set_time(self.context, seconds)
        self.uplink.lose()
        self.loss.lose(self.context.clock.tick)
        self.host_check.note_link_lost()

    def passes(self, seconds: float) -> None:
        """It is that late."""
        set_time(self.context, seconds)
        self.carrier.update()


@pytest.fixture
def ready() -> Ready:
    return Ready()


# --- who dials it


def test_a_member_of_its_term_waits(ready: Ready) -> None:
    ready.asked(ready.resume())
    assert list(ready.carrier.standby.links) == [LINK]


@pytest.mark.parametrize("who", [EVE, HOST], ids=["a stranger", "one who signs for another"])
def test_nobody_else_waits(ready: Ready, who: Somebody) -> None:
    request = ready.resume(who)
    if who is HOST:
        request = msgspec.structs.replace(request, member=ANN.id)
    with pytest.raises(NotAdmitted) as caught:
        ready.asked(request)
    assert caught.value.reason == "unknown"


def test_newcomers_are_neither_let_in_nor_sent_away_for_good(ready: Ready) -> None:
    """8.9: where the code of before leads to us yet, they dial again."""
    ready.asked(JoinRequest(SECRET, EVE.key, EVE.encryption_key.public, "eve", bytes(64)))
    assert ready.wants() == [effects.DropEffect(LINK, "closed")]


def test_a_member_of_another_term_is_told_who_hosts_and_waits_only_once_the_host_is_lost(ready: Ready) -> None:
    other = ready.resume(openings=[*ready.ledger.openings, ready.opening()])
    ready.asked(other)
    [finish] = ready.wants()
    assert isinstance(finish, effects.FinishEffect)
    [redirect] = ready.far.open_record(payloads(finish.data)[0]).frames
    assert isinstance(redirect, frames.RedirectFrame)
    assert (redirect.where.host, redirect.where.address) == (HOST.id, ROOM)
    meeting.check_redirect(redirect, OWN, HELLO, ready.replica.me.key)
    ready.loses_host()
    ready.asked(other)
    assert list(ready.carrier.standby.links) == [LINK]


def test_a_host_that_meets_it_is_told_who_hosts(ready: Ready) -> None:
    ready.asked(ready.meet())
    [finish] = ready.wants()
    assert isinstance(finish, effects.FinishEffect)
    with pytest.raises(NotAdmitted):
        ready.asked(ready.meet(EVE))
    with pytest.raises(NotAdmitted):
        ready.asked(msgspec.structs.replace(ready.meet(), signature=bytes(64)))


def test_without_a_host_it_looks_where_one_of_a_higher_term_has_met_it(ready: Ready) -> None:
    ready.loses_host()
    ready.asked(ready.meet())
    targets = ready.loss.take_due(_line(ready), (), ready.context.clock.tick)
    assert b"a" * 32 in {target.address for target in targets}


def test_what_is_wrong_on_a_standby_link_ends_that_link(ready: Ready) -> None:
    ready.waits()
    ready.carrier.take_input(inputs.ReceivedInput(LINK, bytes(480)))
    assert [type(it) for it in ready.wants()] == [effects.DropEffect]
    assert not ready.carrier.standby.links


def test_a_standby_link_that_ends_is_forgotten(ready: Ready) -> None:
    ready.waits()
    ready.carrier.take_input(inputs.DroppedInput(LINK, "closed", 0.0))
    assert not ready.carrier.standby.links


# --- whether the host lives


def test_it_asks_its_host_for_a_sign_of_life_before_it_says_that_it_lives(ready: Ready) -> None:
    ready.waits(lost=True)
    assert ready.said(-1) == [frames.EchoFrame()]
    assert ready.said(-1) == [], "once"
    ready.carrier.take_echo(frames.EchoedFrame())
    assert ready.said(LINK) == [frames.HostLivesFrame()]
    set_time(ready.context, 1.0)
    ready.reports(lost=True)
    assert ready.said(-1) == [], "it has been told"
    ready.reports(lost=False)
    ready.reports(lost=True)
    assert ready.said(-1) == [frames.EchoFrame()]
    ready.host_check.note_link_lost()
    with pytest.raises(PeerFault, match="unexpected-echo"):
        ready.carrier.take_echo(frames.EchoedFrame())


def test_when_one_has_lost_the_host_those_who_have_it_ask_it_as_well_once_in_a_while(ready: Ready) -> None:
    """Some links to a host that is gone break at once, others seconds later, or not at all."""
    ready.waits()
    ready.waits_too(lost=True)
    assert ready.said(LINK) == [frames.AskHostFrame()]
    ready.carrier.take_echo(frames.EchoedFrame())
    for seconds, said in ((limits.ASK_PAUSE, []), (limits.ASK_PAUSE + 0.1, [frames.AskHostFrame()])):
        set_time(ready.context, seconds)
        ready.reports_too(lost=False)
        ready.reports_too(lost=True)
        assert ready.said(LINK) == said
        ready.carrier.take_echo(frames.EchoedFrame())


def test_when_it_has_lost_the_host_itself_those_who_have_it_ask_it_at_once(ready: Ready) -> None:
    ready.waits()
    assert ready.said(LINK) == []
    ready.loses_host(1.0)
    assert ready.said(LINK) == [frames.AskHostFrame()]
    assert ready.said(LINK) == [], "once"


def test_after_a_hand_over_nobody_has_to_ask(ready: Ready) -> None:
    ready.waits()
    ready.ledger.handed_over = True
    ready.loses_host(1.0)
    assert ready.said(LINK) == []


def test_of_those_who_have_their_host_it_asks_nothing(ready: Ready) -> None:
    ready.waits()
    assert ready.said(-1) == []


def test_a_host_is_told_of_those_who_have_lost_it_for_a_while_again_and_again(ready: Ready) -> None:
    ready.waits(lost=True)
    assert frames.StraysFrame(1) not in ready.said(-1)
    set_time(ready.context, limits.STRAYS)
    assert ready.said(-1) == [frames.StraysFrame(1)]
    assert ready.said(-1) == []
    set_time(ready.context, limits.STRAYS + limits.HEARTBEAT)
    assert ready.said(-1) == [frames.StraysFrame(1)]


# --- those who wait


def test_one_who_has_lost_its_host_in_another_term_is_told_once_where_there_is_one(ready: Ready) -> None:
    ready.waits()
    ready.reports(lost=True, openings=[*ready.ledger.openings, ready.opening()], index=3)
    [redirect] = ready.said(LINK)
    assert isinstance(redirect, frames.RedirectFrame)
    meeting.check_redirect(redirect, OWN, HELLO, ready.replica.me.key)
    assert ready.said(LINK) == []


def test_who_is_behind_is_shown_the_log_while_there_is_no_host(ready: Ready) -> None:
    ready.waits()
    ready.ledger.index, log = 2, ready.replica.room_log.log
    for _ in range(2):
        log.append_entry(b"", LogEntry(bytes(33), bytes(32), b"", 0))
    log.seal_batch(bytes(112), b"", 0)
    ready.loses_host()
    ready.reports(lost=True)
    ready.carrier.update()
    [admit] = [it for it in ready.wants() if isinstance(it, effects.AdmitEffect)]
    assert admit.link == LINK
    assert admit.reader is not None
    ready.carrier.update()
    assert not [it for it in ready.wants() if isinstance(it, effects.AdmitEffect)], "once"


def test_what_others_have_of_the_log_is_taken_while_there_is_no_host(ready: Ready) -> None:
    backfill = frames.BackfillFrame([], [], bytes(112), bytes(112))
    ready.waits()
    ready.hears(backfill)
    assert ready.caught_up == []
    ready.loses_host()
    ready.hears(backfill)
    assert ready.caught_up == [backfill]


def test_who_is_ahead_is_asked_for_what_we_lack(ready: Ready) -> None:
    ready.waits()
    ready.loses_host()
    ready.reports(lost=True, index=7)
    [want] = ready.said(LINK)
    assert want == frames.WantFrame(0, ready.ledger.digest, list(ready.ledger.openings))
    assert ready.carrier.next_deadline() is not None


def test_with_one_of_another_term_nothing_is_caught_up(ready: Ready) -> None:
    ready.waits()
    ready.loses_host()
    ready.reports(lost=True, openings=[*ready.ledger.openings, ready.opening()], index=7)
    assert ready.said(LINK) == []


# --- when it hosts


def test_with_a_majority_that_has_lost_the_host_it_goes_on_soon(ready: Ready) -> None:
    ready.waits()
    ready.loses_host()
    ready.loss.take_due(_line(ready), (), ready.context.clock.tick)  # the host was dialled again
    ready.reports(lost=True)
    ready.passes(limits.GATHER - 0.1)
    assert ready.carrier.plan is None
    ready.passes(limits.GATHER)
    plan = ready.carrier.plan
    assert isinstance(plan, HostPlan)
    assert (plan.number, plan.address) == (HIGHER, OWN)
    assert plan.standby is ready.carrier.standby
    assert plan.gate is ready.carrier.gate


def test_the_host_is_dialled_anew_while_its_link_seems_whole_and_that_time_counts(ready: Ready) -> None:
    ready.waits(lost=True)
    ready.carrier.update()
    [dial] = [it for it in ready.wants() if isinstance(it, effects.DialEffect)]
    assert dial.address == ROOM
    ready.loses_host(limits.GATHER / 2)
    ready.loss.take_due(_line(ready), (), ready.context.clock.tick)
    ready.passes(limits.GATHER - 0.1)
    assert ready.carrier.plan is None
    ready.passes(limits.GATHER)
    assert ready.carrier.plan is not None


def test_a_host_that_answers_there_lives_and_has_to_be_dialled_in_vain_again(ready: Ready) -> None:
    """Its own link alone is dead."""
    ready.waits(lost=True)
    ready.carrier.update()
    [dial] = [it for it in ready.wants() if isinstance(it, effects.DialEffect)]
    hello = HostHandshake(bytes(32), ROOM, suite.EncryptionKeyPair(bytes(32))).wire[2:]
    ready.carrier.take_input(inputs.ReceivedInput(dial.link, hello))
    done = ready.wants()
    assert effects.DropEffect(dial.link, "closed") in done
    [lives] = [it for it in done if isinstance(it, effects.SendEffect)]
    assert frames.HostLivesFrame() in ready.far.open_record(payloads(lives.data)[0]).frames
    ready.loses_host(limits.GATHER / 2)
    ready.loss.take_due(_line(ready), (), ready.context.clock.tick)
    ready.passes(1.5 * limits.GATHER - 0.1)
    assert ready.carrier.plan is None
    ready.passes(1.5 * limits.GATHER)
    assert ready.carrier.plan is not None


def test_after_a_hand_over_it_goes_on_at_once(ready: Ready) -> None:
    ready.ledger.handed_over = True
    ready.loses_host()
    ready.carrier.update()
    assert ready.carrier.plan is not None


def test_who_was_sent_on_by_its_host_goes_there_before_it_hosts_itself(ready: Ready) -> None:
    """A host that gives way would else be followed by its own heir, and not by the one for which it gave way."""
    ready.waits()
    ready.uplink.lose()
    eve = Target(EVE.id, b"e" * 32)
    ready.loss.lose(ready.context.clock.tick, eve)
    ready.loss.take_due(_line(ready), (), ready.context.clock.tick)
    ready.reports(lost=True)
    ready.passes(limits.GATHER)
    assert ready.carrier.plan is None
    assert ready.carrier.next_deadline() is not None
    ready.loss.note_failure(eve, ready.context.clock.tick)
    ready.passes(limits.LOST_BY_SOME)
    assert ready.carrier.plan is not None


def test_while_a_host_lets_it_in_it_does_not_take_the_room_over(ready: Ready) -> None:
    """8.13: what it is shown may say that fewer are here, so that those who wait with it are more than half."""
    ready.ledger.handed_over = True
    ready.loses_host()
    ready.uplink.begin(-2, ROOM, HELLO, Channel(SECRET, HELLO, up=True))
    ready.carrier.update()
    assert ready.carrier.plan is None
    ready.uplink.lose()
    ready.carrier.update()
    assert ready.carrier.plan is not None


def test_while_it_leaves_it_does_not_take_the_room_over(ready: Ready) -> None:
    ready.ledger.handed_over = True
    ready.context.lifecycle.begin_leaving("1")
    ready.loses_host()
    ready.carrier.update()
    assert ready.carrier.plan is None


def test_one_that_has_no_key_for_the_address_that_the_log_says_does_not_go_on(ready: Ready) -> None:
    ready.ledger.heirs = (Heir(ready.replica.me.id, b"x" * 32),)
    ready.ledger.handed_over = True
    ready.loses_host()
    ready.carrier.update()
    assert ready.carrier.plan is None


def test_while_it_has_its_host_it_does_not_go_on_whatever_others_say(ready: Ready) -> None:
    ready.waits(lost=True)
    ready.passes(limits.LOST_BY_ONE * 2)
    assert ready.carrier.plan is None


def _line(ready: Ready) -> Line:
    return Line(ready.replica.me.id, ROOM, Heir(HOST.id, ROOM), False, ready.ledger.heirs, (), 3)
