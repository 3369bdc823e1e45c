"""Members that wait at our service: what they may say, what we tell them, and what we know of them."""

import pytest

from anonp2p import limits
from anonp2p.crypto import identity
from anonp2p.errors import PeerFault
from anonp2p.protocol import credentials, frames
from anonp2p.protocol.connection import Connection
from anonp2p.protocol.field_types import Opening
from anonp2p.protocol.handshake import Channel
from anonp2p.protocol.requests import ResumeRequest
from anonp2p.room import effects
from anonp2p.room.gate import Caller
from anonp2p.room.link_effects import apply_effect
from anonp2p.room.log.reader import LogReader
from anonp2p.room.standby import Standby
from anonp2p.room.succession.heir import Report
from tests.room.member.parts import joined_context, set_time, take_effects
from tests.room.peers import ANN, BOB, HOST, Somebody
from tests.support.world import START, payloads

SECRET, HELLO, SERVICE = b"s" * 32, b"n" * 32, b"o" * 32
OPENINGS = [Opening(0, HOST.id, 0, bytes(32))]


class Porch:
    """Ours, at which Ann waits on link 1."""

    def __init__(self) -> None:
        self.context = joined_context()
        self.standby = Standby(self.context)
        self.ends: dict[int, Channel] = {}  # at the members
        self.comes(ANN, 1)
        self.far = self.ends[1]

    def comes(self, who: Somebody, link: int, *, lost: bool = False, openings: list[Opening] | None = None) -> None:
        """Somebody waits."""
        key, known = who.encryption_key.public, OPENINGS if openings is None else openings
        resume = ResumeRequest(SECRET, who.id, key, 0, 4, bytes(32), known, lost, bytes(identity.SIGNATURE))
        self.ends[link] = Channel(SECRET, HELLO, up=True)
        self.standby.add_link(Caller(link, Channel(SECRET, HELLO, up=False), HELLO, SERVICE), resume)

    def says(self, *said: frames.Frame) -> list[frames.Frame]:
        """Ann says something."""
        [payload] = payloads(self.far.seal_frames(said))
        return self.standby.take_record(1, payload)

    def tells(self) -> list[tuple[int, list[frames.Frame]]]:
        """What goes out on which links."""
        sent = [it for it in take_effects(self.context) if isinstance(it, effects.SendEffect)]
        return [(it.link, [*self.ends[it.link].open_record(payloads(it.data)[0]).frames]) for it in sent]


@pytest.fixture
def porch() -> Porch:
    return Porch()


def report(*, lost: bool, index: int = 4, number: int = 0) -> frames.ReportFrame:
    return frames.ReportFrame(
        lost, index, bytes(32), [*OPENINGS, *([Opening(number, ANN.id, 3, bytes(32))] * (number > 0))]
    )


def test_who_waits_is_told_so_on_the_channel_of_its_handshake(porch: Porch) -> None:
    admit, sent = take_effects(porch.context)
    assert isinstance(admit, effects.AdmitEffect)
    assert isinstance(sent, effects.SendEffect)
    [waiting] = porch.far.open_record(payloads(sent.data)[0]).frames
    assert isinstance(waiting, frames.WaitingFrame)
    assert credentials.is_waiting_signed(waiting, HELLO, SERVICE, porch.context.replica.me.key)


def test_a_member_waits_on_one_link_the_latest(porch: Porch) -> None:
    porch.tells()
    porch.comes(ANN, 2)
    drops = [it for it in take_effects(porch.context) if isinstance(it, effects.DropEffect)]
    assert drops == [effects.DropEffect(1, "dialled-again")]
    assert list(porch.standby.links) == [2]


def test_terms_that_no_log_can_have_are_a_fault(porch: Porch) -> None:
    with pytest.raises(PeerFault, match="bad-openings"):
        porch.comes(BOB, 2, openings=[*OPENINGS, *OPENINGS])
    with pytest.raises(PeerFault, match="bad-openings"):
        porch.says(frames.ReportFrame(False, 4, bytes(32), [*OPENINGS, *OPENINGS]))


def test_what_was_told_before_a_welcome_goes_before_it(porch: Porch) -> None:
    """The link is the same: a member that hears of its welcome first would take the rest for a fault."""
    connection = Connection(0.0, 4_000)
    for effect in take_effects(porch.context):
        assert isinstance(effect, effects.AdmitEffect | effects.SendEffect)
        apply_effect(effect, connection, 0.0)
    link = porch.standby.links[1]
    log = porch.context.replica.room_log.log
    reader = LogReader(log, log.end, ANN.id, link.encryption_key, link.caller.channel)
    apply_effect(effects.AdmitEffect(1, link.caller.channel, (frames.PageFrame(b"x"),), reader), connection, 0.0)
    said: list[frames.Frame] = []
    while piece := bytes(connection.data_to_send()):
        connection.mark_sent(len(piece))
        said += [frame for payload in payloads(piece) for frame in porch.far.open_record(payload).frames]
    assert [type(frame) for frame in said] == [frames.WaitingFrame, frames.PageFrame]


def test_what_a_member_reports_is_known_of_it(porch: Porch) -> None:
    assert porch.standby.reports() == {ANN.id: Report(False, 0, HOST.id, 4)}
    assert porch.says(report(lost=True, index=9, number=5)) == []
    assert porch.standby.reports() == {ANN.id: Report(True, 5, ANN.id, 9)}
    assert [link.member for link in porch.standby.lost] == [ANN.id]
    porch.says(report(lost=False))
    assert porch.standby.lost == []


def test_who_has_been_lost_for_a_while_counts_as_astray(porch: Porch) -> None:
    porch.comes(BOB, 2, lost=True)
    set_time(porch.context, limits.STRAYS - 1)
    assert porch.standby.count_strays() == 0
    porch.says(report(lost=True))
    set_time(porch.context, limits.STRAYS)
    assert porch.standby.count_strays() == 1
    set_time(porch.context, limits.STRAYS + 10)
    porch.says(report(lost=True))
    assert porch.standby.count_strays() == 1, "not since it said so last"
    set_time(porch.context, 2 * limits.STRAYS)
    assert porch.standby.count_strays() == 2


def test_the_key_that_a_member_shows_is_the_one_that_its_welcome_is_sealed_to(porch: Porch) -> None:
    porch.says(frames.KeyFrame(BOB.encryption_key.public))
    assert porch.standby.links[1].encryption_key == BOB.encryption_key.public
    with pytest.raises(PeerFault, match="unusable-key"):
        porch.says(frames.KeyFrame(b"\xff" * 1_216))


@pytest.mark.parametrize(
    "frame", [frames.SubmitFrame(0, b"an entry"), frames.AbleFrame(), frames.EchoFrame()], ids=repr
)
def test_what_is_for_a_host_is_a_fault(porch: Porch, frame: frames.Frame) -> None:
    with pytest.raises(PeerFault, match="unexpected-frame"):
        porch.says(frame)


def test_a_host_that_lives_is_told_to_those_alone_who_have_lost_it(porch: Porch) -> None:
    porch.comes(BOB, 2, lost=True)
    porch.tells()
    porch.standby.tell_lost(frames.HostLivesFrame())
    assert porch.tells() == [(2, [frames.HostLivesFrame()])]
    porch.standby.tell_member(ANN.id, frames.HostLivesFrame())
    assert porch.tells() == [(1, [frames.HostLivesFrame()])]


def test_those_alone_who_have_their_host_are_to_ask_it_and_not_again_too_soon(porch: Porch) -> None:
    porch.comes(BOB, 2, lost=True)
    porch.tells()
    ask = (1, [frames.AskHostFrame()])
    for since, told in ((0.0, [ask]), (START, []), (START + 0.1, [ask])):
        porch.standby.have_host_asked(since)
        assert porch.tells() == told


def test_who_waits_hears_from_us_from_time_to_time(porch: Porch) -> None:
    porch.tells()
    due = porch.standby.next_deadline()
    assert due is not None
    porch.standby.send_due()
    assert porch.tells() == []
    set_time(porch.context, limits.HEARTBEAT)
    porch.standby.send_due()
    assert porch.tells() == [(1, [])]
    porch.standby.forget_link(1)
    assert porch.standby.next_deadline() is None


def test_one_who_says_too_much_is_read_more_slowly(porch: Porch) -> None:
    porch.tells()
    for _ in range(limits.MESSAGE_BUCKET + 1):
        porch.says(report(lost=False))
    [pause] = take_effects(porch.context)
    assert isinstance(pause, effects.PauseEffect)
    assert pause.link == 1
