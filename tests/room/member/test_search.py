"""How a member finds a host, and waits at an heir meanwhile; with heirs that the test plays, and no host."""

from typing import Any

import pytest
from msgspec.structs import replace

from anonp2p import limits
from anonp2p.crypto import identity, suite
from anonp2p.protocol import credentials, frames, handshake, meeting
from anonp2p.protocol.field_types import Heir, Opening
from anonp2p.protocol.handshake import Channel, HostHandshake
from anonp2p.protocol.requests import ResumeRequest
from anonp2p.reasons import Reason
from anonp2p.room import effects, events, inputs
from anonp2p.room.member.joining import Joining
from anonp2p.room.member.search import Search
from anonp2p.room.member.states import Asking, CatchingUp, LinkState, Up
from anonp2p.room.member.uplink import Uplink
from anonp2p.room.member.waiting import HostAnswer
from anonp2p.room.succession.loss import Loss, Target
from anonp2p.room.succession.patience import Patience
from anonp2p.room.where import tell_where
from tests.room.member.parts import joined_context, new_host_check, set_time
from tests.room.peers import ANN, EVE, HOST, ROOM, ROOM_KEY, Somebody

BOB = Somebody(b"b")
ADDRESSES = {HOST.id: ROOM, ANN.id: b"\1" * 32, BOB.id: b"\2" * 32}
LOST = Reason("broken")


class Line:
    """A link that a seeker has dialled, as whoever answers has it."""

    def __init__(self, link: int, service: bytes) -> None:
        self.link = link
        self.service = service
        self.request: Any = None
        self.channel: Any = None
        self.is_answered_by(service)

    def is_answered_by(self, secret: bytes) -> None:
        """Whoever has the handshake key with this secret says hello: at each address another one, else."""
        self.greeting = HostHandshake(bytes(32), self.service, suite.EncryptionKeyPair(secret))

    def take(self, wire: bytes) -> None:
        self.request = self.greeting.open_request(wire[2:])
        self.channel = Channel(self.request.link_secret, self.greeting.hello, up=False)


class Seeker:
    """Somebody who is in, with what it wants done on its links. heirs: in order, each with whoever plays it."""

    def __init__(self, *heirs: Somebody) -> None:
        self.context = joined_context()
        self.ledger = self.context.replica.ledger
        self.ledger.add_member(BOB.key, "bob", suite.hash_data(BOB.encryption_key.public))
        self.ledger.heirs = tuple(Heir(heir.id, ADDRESSES[heir.id]) for heir in heirs)
        self.state, self.uplink = LinkState(), Uplink(self.context)
        for state in (Asking(bytes(32)), CatchingUp(0), Up()):  # it has a host
            self.state.enter(state)
        self.uplink.begin(0, ROOM, bytes(32), Channel(bytes(32), bytes(32), up=True))
        self.joining = Joining(self.context, "")
        self.shown: list[frames.BackfillFrame] = []
        self.loss = Loss(lambda least, most: (least + most) / 2)
        self.host_check = new_host_check(self.context, self.uplink, Patience())
        parts = self.loss, self.state, self.uplink, self.joining, self.host_check
        self.search = Search(self.context, *parts, self.shown.append)
        self.seconds = 0.0
        self.lines: list[Line] = []
        self.done: list[effects.Effect] = []
        self.told: list[events.Event] = []

    def begin_term(self, number: int) -> Opening:
        """Its host has begun this term in place of the only one so far, whose Opening is returned."""
        [first] = self.ledger.openings
        self.ledger.number, self.ledger.openings = number, (Opening(number, HOST.id, first.index, first.digest),)
        return first

    # --- what happens

    def pass_time(self, seconds: float = 0.0) -> list[bytes]:
        """Returns the addresses that it dials now."""
        self.seconds += seconds
        set_time(self.context, self.seconds)
        self.search.do_due_work()
        return self._carry_out()

    def lose(self, hint: Target | None = None) -> list[bytes]:
        """Its link to the host breaks. hint: to whom that has sent it."""
        self.state.lose_link()
        self.search.lose(LOST, hint)
        return self.pass_time()

    def hears(self, line: Line, *said: frames.Frame) -> HostAnswer | None:
        """A record comes on this link."""
        return self._take(inputs.ReceivedInput(line.link, line.channel.seal_frames(said)[2:]))

    def greeted(self, line: Line) -> Line:
        """Whoever it has dialled says hello."""
        assert self._take(inputs.ReceivedInput(line.link, line.greeting.wire[2:])) is None
        return line

    def drop(self, line: Line) -> None:
        self._take(inputs.DroppedInput(line.link, "closed", 0.0))

    def fails(self, line: Line) -> None:
        self._take(inputs.DialFailedInput(line.link, Reason("not-found"), absent=True))

    def waits_at(self, heir: Somebody, line: Line) -> None:
        """The heir answers that it waits as well."""
        self.greeted(line)
        assert self.hears(line, waiting(line, heir)) is None

    def _take(self, event: Any) -> HostAnswer | None:
        assert self.search.has_link(event.link)
        answer = self.search.take_input(event)
        self._carry_out()
        self.search.do_due_work()
        self._carry_out()
        return answer

    # --- what it does

    def _carry_out(self) -> list[bytes]:
        dialled = []
        for effect in self.context.reporter.take_effects():
            match effect:
                case effects.DialEffect(link=link, address=address):
                    self.lines.append(Line(link, address))
                    dialled.append(address)
                case effects.SendEffect(link=link, data=data):
                    self.line(link).take(data)
                case effects.TellEffect(event=event):
                    self.told.append(event)
                case _:
                    self.done.append(effect)
        return dialled

    def line(self, link: int) -> Line:
        return next(line for line in self.lines if line.link == link)

    def take_done(self) -> list[effects.Effect]:
        done, self.done = self.done, []
        return done

    def said(self) -> list[frames.Frame]:
        return [frame for it in self.take_done() if isinstance(it, effects.RecordEffect) for frame in it.frames]

    def dropped(self) -> list[tuple[int, str]]:
        return [(it.link, it.reason) for it in self.take_done() if isinstance(it, effects.DropEffect)]

    @property
    def report(self) -> frames.ReportFrame:
        ledger = self.ledger
        lost = self.loss.lost_at is not None
        return frames.ReportFrame(lost, ledger.index, ledger.digest, list(ledger.openings))


def waiting(line: Line, heir: Somebody) -> frames.WaitingFrame:
    return credentials.sign_waiting(line.greeting.hello, heir.signer(line.greeting.service))


def where(number: int, host: Somebody, seeker: Seeker, address: bytes = b"\7" * 32) -> frames.Where:
    """A host that opened a term after the seeker's log."""
    opening = Opening(number, host.id, seeker.ledger.index + 1, b"d" * 32)
    openings = [*seeker.ledger.openings, opening] if number else list(seeker.ledger.openings)
    return frames.Where(number, host.id, address, seeker.ledger.index + 1, b"d" * 32, openings, [])


def redirect(line: Line, carrier: Somebody, to: frames.Where) -> frames.RedirectFrame:
    return meeting.sign_redirect(to, line.greeting.service, line.greeting.hello, carrier)


def waiting_seeker() -> tuple[Seeker, Line]:
    """One who waits at the first heir, and its link there."""
    seeker = Seeker(ANN, BOB)
    assert seeker.pass_time() == [ADDRESSES[ANN.id]]
    [line] = seeker.lines
    seeker.waits_at(ANN, line)
    return seeker, line


# --- while there is a host


def test_one_who_has_a_host_waits_at_the_first_heir_and_says_that_it_has_lost_nobody() -> None:
    seeker, line = waiting_seeker()
    assert isinstance(line.request, ResumeRequest)
    assert not line.request.lost
    assert line.request.openings == list(seeker.ledger.openings)
    assert seeker.said() == [seeker.report]
    assert seeker.told == [], "its link to the host is what the user is told of"


def test_where_nobody_can_take_over_nobody_is_dialled() -> None:
    assert Seeker().pass_time() == []


def test_a_report_goes_out_as_a_heartbeat_and_not_for_each_entry() -> None:
    seeker, _ = waiting_seeker()
    seeker.take_done()
    seeker.ledger.start_at(5, b"5" * 32)
    seeker.pass_time()
    assert seeker.said() == []
    seeker.pass_time(limits.HEARTBEAT)
    assert seeker.said() == [seeker.report]


def test_the_heir_is_shown_another_encryption_key_of_ours() -> None:
    seeker, _ = waiting_seeker()
    seeker.take_done()
    key = suite.EncryptionKeyPair(b"k" * 32)
    seeker.context.replica.own_keys.insert(0, key)
    seeker.pass_time()
    assert seeker.said() == [frames.KeyFrame(key.public)]


def test_a_standby_link_that_ends_is_dialled_again() -> None:
    seeker, line = waiting_seeker()
    seeker.drop(line)
    _, again = seeker.lines
    assert again.greeting.service == ADDRESSES[ANN.id]
    seeker.fails(again)
    assert seeker.pass_time() == []
    assert seeker.pass_time(limits.STANDBY_RETRY) == [ADDRESSES[ANN.id]]


def test_another_first_heir_is_waited_at_instead() -> None:
    seeker, line = waiting_seeker()
    seeker.ledger.heirs = seeker.ledger.heirs[::-1]
    assert seeker.pass_time(limits.STANDBY_RETRY) == [ADDRESSES[BOB.id]]
    assert seeker.dropped() == [(line.link, "closed")]


@pytest.mark.parametrize("signer", [BOB, HOST])
def test_where_another_answers_than_the_heir_nobody_waits_and_nobody_is_blamed(signer: Somebody) -> None:
    """Who was given up and has come back under other keys still serves its former address."""
    seeker = Seeker(ANN)
    seeker.pass_time()
    [line] = seeker.lines
    seeker.waits_at(signer, line)
    assert seeker.dropped() == [(line.link, "other-host")]


def test_one_who_has_a_host_is_not_welcome_elsewhere() -> None:
    seeker, line = waiting_seeker()
    seeker.take_done()
    assert seeker.hears(line, frames.WelcomeFrame(b"box", 1)) is None
    assert seeker.dropped() == [(line.link, "closed")]
    assert not seeker.search.has_link(line.link)


def test_who_is_told_that_others_have_lost_the_host_asks_it_for_a_sign_of_life() -> None:
    """What the host answers counts, not what an heir says: so it is asked, but not as often as one may say so."""
    seeker, line = waiting_seeker()
    seeker.take_done()
    seeker.hears(line, frames.AskHostFrame())
    assert seeker.said() == [frames.EchoFrame()]
    seeker.host_check.take_echo(frames.EchoedFrame())
    seeker.pass_time(limits.ECHO - 0.1)
    seeker.take_done()
    seeker.hears(line, frames.AskHostFrame())
    assert seeker.said() == []
    seeker.pass_time(0.1)
    seeker.hears(line, frames.AskHostFrame())
    assert seeker.said() == [frames.EchoFrame()]
    assert seeker.loss.lost_at is None


def test_who_has_lost_its_host_itself_has_nobody_to_ask() -> None:
    seeker, line = waiting_seeker()
    seeker.lose()
    seeker.take_done()
    seeker.hears(line, frames.AskHostFrame())
    assert seeker.said() == []


# --- without one


def test_one_who_loses_its_host_says_so_at_once_and_dials_nobody_for_a_while() -> None:
    seeker, _ = waiting_seeker()
    seeker.take_done()
    assert seeker.lose() == []
    assert seeker.said() == [seeker.report]
    assert seeker.report.lost
    assert seeker.pass_time(limits.PLEDGE - 0.1) == []
    assert ROOM in seeker.pass_time(2)


def test_without_a_host_the_heir_is_told_at_once_how_far_the_log_goes() -> None:
    seeker, _ = waiting_seeker()
    seeker.lose()
    seeker.take_done()
    seeker.ledger.start_at(7, b"7" * 32)
    seeker.pass_time()
    assert seeker.said() == [seeker.report]


def test_that_the_host_lives_sends_one_back_to_it_at_once() -> None:
    seeker, line = waiting_seeker()
    seeker.lose()
    seeker.hears(line, frames.HostLivesFrame())
    assert [line.greeting.service for line in seeker.lines[1:]] == [ROOM]


def test_the_welcome_that_comes_on_the_standby_link_is_taken_with_all_that_follows() -> None:
    seeker, line = waiting_seeker()
    seeker.lose()
    said = frames.HostLivesFrame(), frames.WelcomeFrame(b"box", 1), frames.PageFrame(b"part")
    answer = seeker.hears(line, *said)
    assert answer is not None
    assert (answer.call.link, answer.call.service, list(answer.said)) == (line.link, ADDRESSES[ANN.id], [*said[1:]])
    assert not seeker.search.has_link(line.link)


def test_the_welcome_of_an_heir_that_has_just_answered_that_it_waits_is_taken() -> None:
    seeker = Seeker(ANN)
    seeker.lose()
    heir = seeker.greeted(seeker.lines[1])
    answer = seeker.hears(heir, waiting(heir, ANN), frames.WelcomeFrame(b"box", 1), frames.PageFrame(b"part"))
    assert answer is not None
    assert [type(frame) for frame in answer.said] == [frames.WelcomeFrame, frames.PageFrame]


def test_without_a_standby_link_the_host_and_the_first_heir_are_dialled_at_once() -> None:
    seeker = Seeker(ANN, BOB)
    seeker.ledger.handed_over = False
    assert set(seeker.lose()) == {ROOM, ADDRESSES[ANN.id]}
    assert [line.state for line in seeker.told if isinstance(line, events.LinkEvent)] == ["connecting"]
    host, heir = seeker.lines
    for line in (host, heir):
        seeker.greeted(line)
        assert line.request.lost


def test_the_user_is_not_told_of_each_dial() -> None:
    seeker = Seeker(ANN, BOB)
    seeker.lose()
    for _ in range(int(limits.DIAL_PAUSE_MAX) + 1):
        seeker.fails(next(line for line in seeker.lines if seeker.search.has_link(line.link)))
        seeker.pass_time(1)
    assert len(seeker.lines) > 5
    assert [link.attempt for link in seeker.told if isinstance(link, events.LinkEvent)] == [1, 2]


def test_a_host_that_has_handed_over_is_not_dialled_again() -> None:
    seeker = Seeker(ANN, BOB)
    seeker.ledger.handed_over = True
    assert ROOM not in seeker.lose()
    assert ROOM not in seeker.pass_time(1)


def test_one_who_was_given_no_place_asks_anew_where_it_was_told_so_and_by_the_code() -> None:
    """The code that it knows may be that of a half that gave way, and lead to nobody, or to itself."""
    seeker = Seeker(ANN)
    seeker.lose()
    seeker.context.lifecycle.lose_place()
    seeker.search.note_turned_away(ADDRESSES[BOB.id], BOB.id)
    seeker.search.lose(LOST)
    assert seeker.pass_time() == [ADDRESSES[BOB.id]]
    dial = seeker.lines[-1].link
    seeker.search.take_input(inputs.DialFailedInput(dial, Reason("not-found"), absent=True, again=True))
    assert seeker.pass_time(limits.DIAL_PAUSE_MAX) == [seeker.ledger.code]


def test_one_who_has_no_place_is_sent_on_by_nobody() -> None:
    """The link ends as any that leads to nothing, so that another one is dialled."""
    seeker = Seeker(ANN)
    seeker.lose()
    line = seeker.greeted(seeker.lines[0])
    seeker.context.lifecycle.lose_place()
    where = tell_where(seeker.context.replica, seeker.ledger.openings, seeker.ledger.index)
    seeker.hears(line, meeting.sign_redirect(where, line.greeting.service, line.greeting.hello, HOST))
    assert seeker.dropped() == [(line.link, "unexpected-redirect")]
    assert seeker.search.has_link(line.link)


def test_the_answer_of_one_who_may_be_the_host_is_handed_on() -> None:
    seeker = Seeker(ANN)
    seeker.lose()
    host = seeker.greeted(seeker.lines[0])
    answer = seeker.hears(host, frames.WelcomeFrame(b"box", 1))
    assert answer is not None
    assert answer.call.hello_hash == host.greeting.hello


def test_while_somebody_lets_one_in_nobody_else_is_dialled() -> None:
    seeker, line = waiting_seeker()
    seeker.lose()
    assert seeker.hears(line, frames.WelcomeFrame(b"box", 1)) is not None
    seeker.state.enter(Asking(line.greeting.hello))
    assert seeker.pass_time(limits.CODE_WAIT) == []


@pytest.mark.parametrize("how", ["resumed", "welcomed"])
def test_a_place_that_was_asked_for_before_the_log_grew_is_not_taken(how: str) -> None:
    seeker = Seeker(ANN)
    seeker.lose()
    host = seeker.greeted(seeker.lines[0])
    resumed = credentials.sign_resumption(bytes(112), host.greeting.hello, HOST.signer(ROOM))
    seeker.ledger.start_at(9, b"9" * 32)
    assert seeker.hears(host, resumed if how == "resumed" else frames.WelcomeFrame(b"box", 1)) is None
    assert seeker.dropped() == [(host.link, "closed")]


def test_once_one_is_let_in_all_other_dials_are_called_off() -> None:
    seeker = Seeker(ANN)
    seeker.lose()
    assert len(seeker.lines) == 2
    seeker.search.note_caught_up()
    seeker.pass_time()
    assert {link for link, _ in seeker.dropped()} == {line.link for line in seeker.lines[:2]}


def test_one_that_is_reached_at_two_addresses_is_asked_once() -> None:
    """5.12: a host gives up the link of a member that asks for its place on another one."""
    seeker = Seeker(ANN)
    seeker.lose()
    host, same = seeker.lines
    for line in (host, same):
        line.is_answered_by(bytes(32))
    seeker.greeted(host)
    seeker.greeted(same)
    assert (host.request is None, same.request is None) == (False, True)
    assert seeker.dropped() == [(same.link, "closed")]
    assert seeker.loss.failed == [], "it has answered"


def test_one_that_lets_us_in_is_not_asked_at_another_address() -> None:
    seeker = Seeker(ANN)
    seeker.lose()
    host, same = seeker.lines
    for line in (host, same):
        line.is_answered_by(bytes(32))
    assert seeker.hears(seeker.greeted(host), frames.WelcomeFrame(b"box", 1)) is not None
    seeker.state.enter(Asking(host.greeting.hello))
    seeker.greeted(same)
    assert same.request is None
    assert seeker.dropped() == [(same.link, "closed")]


def test_an_heir_that_refuses_is_no_host_that_does() -> None:
    """Who is thrown out learns it from the host alone."""
    seeker = Seeker(ANN)
    seeker.lose()
    heir = seeker.greeted(seeker.lines[1])
    vouched = frames.Credentials(ADDRESSES[ANN.id], ANN.key, 0, bytes(64))
    refused = credentials.sign_refusal("kicked", heir.greeting.hello, vouched, ANN.signer(ADDRESSES[ANN.id]))
    assert seeker.hears(heir, refused) is None
    assert seeker.dropped() == [(heir.link, "other-host")]
    assert ANN.id in seeker.loss.failed


@pytest.mark.parametrize("seconds", [limits.LOST_BY_SOME - 0.1, limits.LOST_BY_SOME])
def test_an_heir_that_says_it_has_taken_over_refuses_nobody_whose_host_may_answer_yet(seconds: float) -> None:
    """2.13: anybody may say so."""
    seeker = Seeker(ANN)
    seeker.lose()
    heir = seeker.greeted(seeker.lines[1])
    vouched = frames.Credentials(ADDRESSES[ANN.id], ANN.key, 1, bytes(64))
    refused = credentials.sign_refusal("unknown", heir.greeting.hello, vouched, ANN.signer(ADDRESSES[ANN.id]))
    set_time(seeker.context, seconds)
    answer = seeker.hears(heir, refused)
    assert (answer is not None) == (seconds == limits.LOST_BY_SOME)
    if answer is not None:
        assert list(answer.said) == [refused]


def test_one_that_hosts_no_more_refuses_nobody_though_its_address_is_the_code() -> None:
    """5.12: whom it does not know may have come to another log meanwhile."""
    seeker = Seeker(ANN)
    seeker.ledger.code = seeker.ledger.carriers[ANN.id] = ADDRESSES[ANN.id]
    seeker.lose()
    for line in seeker.lines[:2]:
        seeker.fails(line)
    seeker.pass_time(limits.CODE_WAIT)
    line = seeker.greeted(next(it for it in seeker.lines[2:] if it.greeting.service == seeker.ledger.code))
    vouched = frames.Credentials(ADDRESSES[ANN.id], ANN.key, 0, bytes(64))
    refused = credentials.sign_refusal("unknown", line.greeting.hello, vouched, ANN.signer(ADDRESSES[ANN.id]))
    set_time(seeker.context, limits.LOST_BY_SOME)
    assert seeker.hears(line, refused) is None
    assert seeker.dropped() == [(line.link, "other-host")]


@pytest.mark.parametrize("is_member", [True, False])
def test_who_joined_on_one_side_alone_is_sent_to_join_anew_by_any_member_who_hosts_the_other(is_member: bool) -> None:
    """2.13: that one may have become an heir since the logs parted; one of whom we know nothing may be a thief."""
    seeker = Seeker(ANN)
    if is_member:
        seeker.ledger.add_member(EVE.key, "eve", suite.hash_data(EVE.encryption_key.public))
    seeker.lose()
    line = seeker.greeted(seeker.lines[0])
    service = line.greeting.service
    set_time(seeker.context, limits.LOST_BY_SOME)
    vouched = frames.Credentials(service, EVE.key, 5, bytes(64))
    refused = credentials.sign_refusal("unknown", line.greeting.hello, vouched, EVE.signer(service))
    assert (seeker.hears(line, refused) is not None) == is_member


@pytest.mark.parametrize(
    ("seconds", "is_heeded"),
    [(limits.LOST_BY_SOME, False), (limits.LOST_BY_ONE - 0.1, False), (limits.LOST_BY_ONE, True)],
)
def test_who_is_refused_by_one_waits_for_another_that_it_has_asked(seconds: float, is_heeded: bool) -> None:
    """2.13: of two hosts that are about to meet, one has kept its place, and the room may be locked. Seed 6636."""
    seeker = Seeker(ANN)
    seeker.lose()
    line, other = (seeker.greeted(line) for line in seeker.lines)
    if line.greeting.service != ADDRESSES[ANN.id]:
        line, other = other, line
    service = line.greeting.service
    vouched = frames.Credentials(service, ANN.key, 5, bytes(64))
    refused = credentials.sign_refusal("unknown", line.greeting.hello, vouched, ANN.signer(service))
    set_time(seeker.context, seconds)
    assert (seeker.hears(line, refused) is not None) == is_heeded
    assert seeker.search.has_link(other.link)


def test_whose_place_is_gone_hears_nobody_whom_it_asked_as_who_it_was() -> None:
    """5.12: what is sealed to keys of then does not open any more, and is no fault of who has sealed it. Seed 6636."""
    seeker = Seeker(ANN)
    seeker.lose()
    asked = [seeker.greeted(line).link for line in seeker.lines]
    seeker.take_done()
    seeker.context.lifecycle.lose_place()
    seeker.search.note_turned_away(ADDRESSES[BOB.id], BOB.id)
    seeker.pass_time()
    assert sorted(seeker.dropped()) == sorted((link, "closed") for link in asked)
    assert not any(seeker.search.has_link(link) for link in asked)


@pytest.mark.parametrize(
    ("reason", "seconds", "is_heeded"),
    [
        ("kicked", limits.LOST_BY_ONE - 0.1, False),
        ("kicked", limits.LOST_BY_ONE, True),
        ("unknown", limits.LOST_BY_ONE, False),
    ],
)
def test_who_hosted_before_has_thrown_one_out_once_nobody_goes_on(
    reason: frames.Refusal, seconds: float, is_heeded: bool
) -> None:
    """2.13: it may have done so when the member was on another side already, whose host has died since."""
    seeker = Seeker(ANN)
    first = seeker.begin_term(1)
    began = Opening(0, BOB.id, first.index, first.digest), replace(seeker.ledger.openings[0], index=first.index + 1)
    seeker.ledger.openings, seeker.ledger.carriers[BOB.id] = began, ADDRESSES[BOB.id]
    seeker.lose()
    for line in seeker.lines[:2]:
        seeker.fails(line)
    seeker.pass_time(1.5)
    line = seeker.greeted(next(it for it in seeker.lines if it.greeting.service == ADDRESSES[BOB.id]))
    vouched = frames.Credentials(ADDRESSES[BOB.id], BOB.key, 0, bytes(64))
    refused = credentials.sign_refusal(reason, line.greeting.hello, vouched, BOB.signer(ADDRESSES[BOB.id]))
    set_time(seeker.context, seconds)
    assert (seeker.hears(line, refused) is not None) == is_heeded


def test_the_present_host_throws_one_out_at_once_though_it_has_begun_a_term_before() -> None:
    seeker = Seeker(ANN)
    first = seeker.begin_term(4)
    seeker.ledger.openings = first, replace(seeker.ledger.openings[0], index=first.index + 1)
    seeker.lose()
    line = seeker.greeted(seeker.lines[0])
    assert line.greeting.service == seeker.ledger.address
    vouched = frames.Credentials(ROOM, HOST.key, 4, bytes(64))
    refused = credentials.sign_refusal("kicked", line.greeting.hello, vouched, HOST.signer(ROOM))
    assert seeker.hears(line, refused) is not None


@pytest.mark.parametrize("sender", ["our host", "nobody"])
def test_who_hosts_by_the_word_of_our_own_host_refuses_at_once(sender: str) -> None:
    """2.13: who joined on the side that gave way has no place on the other."""
    seeker = Seeker(ANN)
    hint = Target(BOB.id, b"\7" * 32)
    seeker.lose(hint if sender == "our host" else None)
    line = next(it for it in seeker.lines if sender == "nobody" or it.greeting.service == hint.address)
    service = line.greeting.service
    line = seeker.greeted(line)
    vouched = frames.Credentials(service, BOB.key, 1, bytes(64))
    refused = credentials.sign_refusal("unknown", line.greeting.hello, vouched, BOB.signer(service))
    answer = seeker.hears(line, refused)
    assert (answer is not None) == (sender == "our host")


def test_only_hosts_are_shown_a_ticket() -> None:
    seeker = Seeker(ANN)
    seeker.joining.ticket = b"t" * handshake.TICKET
    seeker.lose()
    tickets = []
    for line in seeker.lines:
        seeker.search.take_input(inputs.ReceivedInput(line.link, line.greeting.wire[2:]))
        [sent] = [it for it in seeker.context.reporter.take_effects() if isinstance(it, effects.SendEffect)]
        tickets.append(handshake.read_ticket(sent.data[2:]) == seeker.joining.ticket)
    assert tickets == [True, False]


def test_one_who_has_no_host_for_as_long_as_places_are_kept_gives_up_when_nobody_is_left_to_wait_for() -> None:
    seeker = Seeker(ANN)
    seeker.lose()
    for line in list(seeker.lines):
        seeker.fails(line)
    assert not seeker.context.lifecycle.over
    seeker.pass_time(limits.PLACE_SECONDS + 1)
    while not seeker.context.lifecycle.over:
        assert seeker.seconds < limits.PLACE_SECONDS + 60
        for line in [line for line in seeker.lines if seeker.search.has_link(line.link)]:
            if not seeker.context.lifecycle.over:
                seeker.fails(line)
        seeker.pass_time(1)
    assert isinstance(seeker.told[-1], events.GoneEvent)


def test_who_waits_at_an_heir_does_not_give_up() -> None:
    seeker, _ = waiting_seeker()
    seeker.lose()
    seeker.pass_time(limits.PLACE_SECONDS + 1)
    for line in [line for line in seeker.lines[1:] if seeker.search.has_link(line.link)]:
        seeker.fails(line)
    assert not seeker.context.lifecycle.over


def test_a_code_that_leads_to_us_is_not_dialled() -> None:
    """8.10: who hosted may serve it yet."""
    dialled = []
    for is_ours in (False, True):
        seeker = Seeker(ANN)
        if is_ours:
            seeker.context.serving.add_key(ROOM_KEY)
            seeker.context.serving.serve(ROOM)
        seeker.ledger.address = b"\5" * 32
        seeker.lose()
        for _ in range(3):
            seeker.pass_time(limits.CODE_WAIT)
            for line in [line for line in seeker.lines if seeker.search.has_link(line.link)]:
                seeker.fails(line)
        dialled.append(seeker.ledger.code in [line.greeting.service for line in seeker.lines])
    assert dialled == [True, False]


# --- who sends on to others


def test_a_redirect_is_a_hint_whom_to_dial_next() -> None:
    seeker = Seeker(ANN)
    seeker.lose()
    heir = seeker.greeted(seeker.lines[1])
    seeker.hears(heir, redirect(heir, ANN, where(5, BOB, seeker)))
    assert (heir.link, "closed") in seeker.dropped()
    assert b"\7" * 32 in [line.greeting.service for line in seeker.lines]


def test_whoever_only_has_the_key_of_the_code_sends_nobody_to_itself() -> None:
    """8.15: who has lost its host would believe there that its place is gone, and come anew to another room."""
    seeker = Seeker(ANN)
    seeker.lose()
    heir = seeker.greeted(seeker.lines[1])
    seeker.hears(heir, redirect(heir, EVE, where(5, EVE, seeker)))
    assert seeker.dropped() == [(heir.link, "other-host")]
    assert b"\7" * 32 not in [line.greeting.service for line in seeker.lines]


def test_a_redirect_that_none_has_signed_who_is_known_to_answer_moves_nobody() -> None:
    """8.15: nor is it a fault, as one may have been a carrier on another side."""
    seeker = Seeker(ANN)
    seeker.lose()
    heir = seeker.greeted(seeker.lines[1])
    seeker.hears(heir, redirect(heir, EVE, where(5, BOB, seeker)))
    assert seeker.dropped() == [(heir.link, "other-host")]
    dialled = len(seeker.lines)
    seeker.pass_time(limits.HINT_PAUSE)
    assert b"\7" * 32 not in [line.greeting.service for line in seeker.lines[dialled:]]


def test_who_follows_a_lower_term_is_told_of_ours() -> None:
    """8.15"""
    seeker = Seeker(ANN)
    first = seeker.begin_term(5)
    seeker.lose()
    heir = seeker.greeted(seeker.lines[1])
    seeker.take_done()
    lower = frames.Where(0, HOST.id, b"\7" * 32, 0, first.digest, [first], [])
    seeker.hears(heir, redirect(heir, ANN, lower))
    assert b"\7" * 32 not in [line.greeting.service for line in seeker.lines]
    admit, finish = seeker.take_done()
    assert isinstance(admit, effects.AdmitEffect)
    assert isinstance(finish, effects.FinishEffect)
    [back] = admit.frames
    assert isinstance(back, frames.RedirectFrame)
    assert (back.where.number, back.where.host) == (5, HOST.id)
    meeting.check_redirect(back, heir.greeting.service, heir.greeting.hello, seeker.context.replica.me.key)


@pytest.mark.parametrize("other", [BOB, EVE], ids=["bob", "eve"])
def test_who_follows_another_term_of_the_same_number_is_told_of_ours_and_dialled(other: Somebody) -> None:
    """8.15"""
    seeker = Seeker(ANN)
    seeker.begin_term(5)
    seeker.lose()
    heir = seeker.greeted(seeker.lines[1])
    seeker.take_done()
    alike = frames.Where(5, other.id, b"\7" * 32, 1, bytes(32), [Opening(5, other.id, 1, bytes(32), 1)], [])
    seeker.hears(heir, redirect(heir, ANN, alike))
    [back] = [frame for it in seeker.take_done() if isinstance(it, effects.AdmitEffect) for frame in it.frames]
    assert isinstance(back, frames.RedirectFrame)
    assert (back.where.number, back.where.host) == (5, HOST.id)
    assert b"\7" * 32 in [line.greeting.service for line in seeker.lines]


def test_nobody_goes_to_one_that_was_thrown_out() -> None:
    """8.17: who follows it has done nothing wrong."""
    seeker = Seeker(ANN)
    seeker.ledger.kicked[BOB.id] = BOB.key
    seeker.lose()
    heir = seeker.greeted(seeker.lines[1])
    seeker.take_done()
    seeker.hears(heir, redirect(heir, BOB, where(5, BOB, seeker)))
    assert seeker.dropped() == [(heir.link, "closed")]
    assert b"\7" * 32 not in [line.greeting.service for line in seeker.lines]
    waiting, line = waiting_seeker()
    waiting.ledger.kicked[BOB.id] = BOB.key
    waiting.lose()
    waiting.hears(line, redirect(line, ANN, where(5, BOB, waiting)))
    assert b"\7" * 32 not in [line.greeting.service for line in waiting.lines]


# --- what an heir wants and shows


def test_what_an_heir_shows_of_the_log_is_taken_while_there_is_no_host_alone() -> None:
    seeker, line = waiting_seeker()
    shown = frames.BackfillFrame([], [], bytes(112), bytes(112))
    seeker.lose()
    seeker.hears(line, shown)
    assert seeker.shown == [shown]
    other, line = waiting_seeker()
    other.take_done()
    other.hears(line, shown)
    assert other.shown == []
    assert other.dropped() == [], "it has crossed the way back to a host"


def test_an_heir_that_wants_the_log_is_given_what_follows_its_own() -> None:
    seeker, line = waiting_seeker()
    seeker.lose()
    seeker.take_done()
    seeker.hears(line, frames.WantFrame(0, seeker.ledger.openings[0].digest, list(seeker.ledger.openings)))
    [admit] = [it for it in seeker.take_done() if isinstance(it, effects.AdmitEffect)]
    assert admit.link == line.link
    assert admit.reader is not None
    assert admit.reader.is_out, "it has all that there is"


@pytest.mark.parametrize("frame", [frames.PageFrame(b""), frames.DeniedFrame(1, "repeated"), frames.PrepareFrame()])
def test_what_only_a_host_says_is_a_fault_on_a_standby_link(frame: frames.Frame) -> None:
    seeker, line = waiting_seeker()
    seeker.take_done()
    seeker.hears(line, frame)
    assert seeker.dropped() == [(line.link, "unexpected-sign-of-life")]


def test_a_link_that_was_ended_is_not_heard_any_more() -> None:
    seeker, line = waiting_seeker()
    seeker.hears(line, frames.PrepareFrame())
    seeker.lose()
    assert seeker.hears(line, frames.WelcomeFrame(b"box", 1)) is None


def test_a_waiting_signature_is_of_one_service_and_one_link() -> None:
    signed = credentials.sign_waiting(b"h" * 32, ANN.signer(ROOM))
    assert credentials.is_waiting_signed(signed, b"h" * 32, ROOM, ANN.key)
    for hello, service, key in (
        (b"g" * 32, ROOM, ANN.key),
        (b"h" * 32, b"s" * 32, ANN.key),
        (b"h" * 32, ROOM, BOB.key),
    ):
        assert not credentials.is_waiting_signed(signed, hello, service, key)
    assert signed.signature == ANN.sign(identity.WAITING, b"h" * 32)
