"""The room of a host that another host of it dials: it goes on above that one, or gives way to it."""

from typing import Any

import msgspec
import pytest

from anonp2p import limits
from anonp2p.crypto import identity
from anonp2p.crypto.padding import LENGTH
from anonp2p.names.codes import RoomKey
from anonp2p.protocol import bodies, frames, handshake, meeting
from anonp2p.protocol.field_types import Heir
from anonp2p.protocol.handshake import Channel
from anonp2p.protocol.requests import AnyRequest, MeetRequest, ResumeRequest
from anonp2p.room import effects, inputs
from anonp2p.room.moderation_inputs import KickInput
from tests.room.host.inn import FalseMember, Inn
from tests.room.peers import ANN, BOB, EVE, ROOM, ZOE
from tests.room.sides import Side, side_from
from tests.support.world import host_role


class TwoHosts:
    """An inn whose member Ann, its heir, has begun a term with others; Bob and Zoe have lost their links."""

    def __init__(self) -> None:
        self.inn = Inn()
        self.ann, self.eve = self.inn.ann, self.inn.eve
        for who, nick in ((BOB, "bob"), (ZOE, "zoe")):
            guest = FalseMember(self.inn, who)
            guest.dials()
            guest.joins(nick)
            self.loses(guest)
        self.loses(self.ann)
        heirs = [Heir(who.id, RoomKey(who.id * 2).public) for who in (ANN, BOB)]
        host_role(self.inn.room).sequencer.order_own(bodies.HeirsBody(heirs, entrusts=False))
        self.inn.end_batch()
        self.theirs = side_from(self.inn.room.replica.ledger.copy())
        self.theirs.begins(ANN)
        self.before = self.inn.log.end

    def loses(self, member: FalseMember) -> None:
        self.inn.takes(inputs.DroppedInput(member.link, "closed", 0.0))

    def returns(self, member: FalseMember) -> None:
        ledger = self.inn.room.replica.ledger
        member.dials()
        member.resumes(ledger.index, ledger.digest)

    def meets(self, side: Side) -> frames.RedirectFrame:
        """Ann dials the inn and says where she is; what she is told."""
        ledger = side.replica.ledger
        self.ann.dials()
        position = ledger.address, ledger.index, ledger.digest, list(ledger.openings)
        unsigned = MeetRequest(self.inn.random(32), ANN.id, *position, bytes(64))
        done = self.ann.client_handshakes(meeting.sign_meet(unsigned, ROOM, self.ann.hello, ANN))
        assert any(isinstance(effect, effects.AdmitEffect) for effect in done)
        [redirect] = self.ann.greeted
        assert isinstance(redirect, frames.RedirectFrame)
        return redirect

    def proves(self, **otherwise: Any) -> list[effects.Effect]:
        """Ann proves her term."""
        where = self.theirs.tells(Side(self.inn.room.replica))
        return self.ann.sends(meeting.sign_redirect(where, ROOM, self.ann.hello, ANN))


@pytest.fixture
def hosts() -> TwoHosts:
    return TwoHosts()


def test_with_less_than_half_of_its_members_a_host_sends_them_on_and_follows(hosts: TwoHosts) -> None:
    told = hosts.meets(hosts.theirs)
    assert told.where.host == hosts.inn.host.id
    done = hosts.proves()
    [redirect] = hosts.eve.answers(done)
    assert isinstance(redirect, frames.RedirectFrame)
    meeting.check_redirect(redirect, ROOM, hosts.eve.hello, hosts.inn.host.key)
    assert (redirect.where.host, redirect.where.address) == (ANN.id, RoomKey(ANN.id * 2).public)
    assert effects.FinishEffect(hosts.eve.link) in done
    assert hosts.inn.room.role.name == "member"


def test_a_host_that_gives_way_keeps_no_secret_of_its_commits(hosts: TwoHosts) -> None:
    """6.9: nobody would forget them later."""
    hosts.inn.takes(KickInput("zoe"))
    assert any(batch.commit_secret for batch in hosts.inn.log.batches)
    hosts.meets(hosts.theirs)
    hosts.proves()
    assert hosts.inn.room.role.name == "member"
    assert not any(batch.commit_secret for batch in hosts.inn.log.batches)


def test_with_more_than_half_of_its_members_a_host_goes_on_in_a_term_above(hosts: TwoHosts) -> None:
    bob = FalseMember(hosts.inn, BOB)
    fork = hosts.theirs.replica.ledger.openings[-1].index - 1
    hosts.returns(bob)
    hosts.meets(hosts.theirs)
    done = hosts.proves()
    ledger = hosts.inn.room.replica.ledger
    assert (ledger.number, ledger.openings[-1].since) == (8, fork + 1)
    assert hosts.inn.room.role.name == "host"
    assert [it.key.public for it in done if isinstance(it, effects.ServeEffect)] == [ROOM], "the other may have done so"


def test_a_host_begins_no_second_term_for_the_same_one_at_once(hosts: TwoHosts) -> None:
    hosts.returns(FalseMember(hosts.inn, BOB))
    hosts.meets(hosts.theirs)
    hosts.proves()
    for _ in range(2):
        hosts.theirs.begins(ANN)
    hosts.meets(hosts.theirs)
    hosts.proves()
    assert hosts.inn.room.replica.ledger.number == 8


def test_a_member_that_comes_back_from_a_higher_term_is_told_where_we_are(hosts: TwoHosts) -> None:
    ledger = hosts.theirs.replica.ledger
    hosts.ann.dials()
    openings = list(ledger.openings)
    resume = hosts.ann.resume(ledger.index, ledger.digest)
    done = hosts.ann.client_handshakes(signed_again(hosts, resume, openings))
    assert any(isinstance(effect, effects.AdmitEffect) for effect in done)
    [redirect] = hosts.ann.greeted
    assert isinstance(redirect, frames.RedirectFrame)
    assert redirect.where.host == hosts.inn.host.id


def test_a_member_that_has_a_host_of_a_lower_term_is_not_let_in_but_told_where_we_are(hosts: TwoHosts) -> None:
    resume = hosts.ann.resume(hosts.inn.room.replica.ledger.index, hosts.inn.room.replica.ledger.digest)
    hosts.returns(FalseMember(hosts.inn, BOB))
    hosts.meets(hosts.theirs)
    hosts.proves()
    hosts.ann.dials()
    request = signed_again(hosts, resume, list(resume.openings), lost=False)
    end = frames_of(hosts.inn.takes(inputs.ReceivedInput(hosts.ann.link, sealed(hosts.ann, request)), 0.0), hosts.ann)
    assert isinstance(end, frames.RedirectFrame)
    assert end.where.number == 8


def sealed(member: FalseMember, request: AnyRequest) -> bytes:
    """What goes to the inn."""
    member.channel = Channel(request.link_secret, member.hello, up=True)
    return handshake.seal_request(request, ROOM, member.greeting, member.hello, bytes(16))[LENGTH:]


def frames_of(done: list[effects.Effect], member: FalseMember) -> frames.Frame:
    """The one frame with which the link ends."""
    [end] = [effect for effect in done if isinstance(effect, effects.FinishEffect)]
    [frame] = member.channel.open_record(end.data[LENGTH:]).frames
    return frame


def signed_again(hosts: TwoHosts, resume: ResumeRequest, openings: list[Any], lost: bool = True) -> ResumeRequest:
    """The same request with other openings."""
    unsigned = msgspec.structs.replace(resume, openings=openings, lost=lost)
    content = handshake.resume_content(hosts.ann.hello, unsigned)
    return msgspec.structs.replace(unsigned, signature=ANN.sign(identity.RESUME, content))


def test_an_heir_that_more_members_have_turned_to_is_handed_the_room(hosts: TwoHosts) -> None:
    hosts.loses(hosts.eve)
    hosts.returns(hosts.ann)
    hosts.ann.sends(frames.StraysFrame(2))
    hosts.inn.ticks(hosts.inn.tick + limits.HEARTBEAT)
    assert hosts.inn.room.replica.ledger.handed_over
    assert hosts.inn.room.role.name == "member"


def test_who_is_no_first_heir_counts_for_nobody(hosts: TwoHosts) -> None:
    bob = FalseMember(hosts.inn, BOB)
    hosts.loses(hosts.eve)
    hosts.returns(hosts.ann)
    hosts.returns(bob)
    bob.sends(frames.StraysFrame(2))
    hosts.inn.ticks(hosts.inn.tick + limits.HEARTBEAT)
    assert not hosts.inn.room.replica.ledger.handed_over


def test_a_report_that_was_on_its_way_when_its_author_was_let_in_costs_it_nothing(hosts: TwoHosts) -> None:
    ledger = hosts.inn.room.replica.ledger
    report = frames.ReportFrame(True, ledger.index, ledger.digest, list(ledger.openings))
    assert hosts.eve.sends(report) == []
    assert EVE.id in {link.member for link in host_role(hosts.inn.room).presence.links.values()}
