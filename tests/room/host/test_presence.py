"""A host and the members whose link is broken."""

from anonp2p import limits
from anonp2p.crypto import identity
from anonp2p.protocol import frames
from anonp2p.protocol.bodies import AwayBody, BackBody, CommitBody, Removal
from anonp2p.room import effects, events
from anonp2p.room.member.head_check import Head
from tests.room.host.inn import FalseMember, Inn
from tests.room.hostile import dropped
from tests.room.peers import EVE, ROOM, kinds, told


def test_a_member_without_a_link_is_away_in_time_and_out_in_time(inn: Inn, zoe: FalseMember) -> None:
    """5.11: counted from when it was last heard."""
    dropped(inn, inn.eve, 100.0, 15.0)
    inn.ticks(85.0 + limits.AWAY_SECONDS - 0.01)
    assert inn.ordered() == []
    inn.ticks(85.0 + limits.AWAY_SECONDS)
    assert inn.ordered() == [AwayBody(EVE.id)]
    assert [person.nick for person in inn.room.people()] == ["hugo", "ann"]
    zoe.joins("Eve")
    assert zoe.refused == "not-allowed"
    inn.ticks(85.0 + limits.PLACE_SECONDS - 0.01)
    assert inn.ordered() == [AwayBody(EVE.id)]
    inn.ticks(85.0 + limits.PLACE_SECONDS)
    assert inn.ordered() == [AwayBody(EVE.id), CommitBody(1, [Removal(EVE.id, "lost")], renew=False)]
    zoe.dials(inn.tick)
    assert kinds(told(zoe.joins("Eve"))) == ["JoinedEvent", "LookalikeEvent"]


def test_one_who_was_away_is_back_for_all(inn: Inn) -> None:
    """5.12"""
    index, digest = inn.eve.sealer.reference
    dropped(inn, inn.eve)
    inn.ticks(limits.AWAY_SECONDS)
    inn.eve.dials(limits.PLACE_SECONDS - 1)
    tell, _ = inn.eve.resumes(index, digest)
    assert isinstance(tell, effects.TellEffect)
    assert isinstance(tell.event, events.JoinedEvent)
    assert tell.event.nick == "eve"
    [resumed] = inn.eve.greeted
    assert isinstance(resumed, frames.ResumedFrame)
    head = Head.read(resumed.now)
    assert (head.place, head.time) == (index + 2, int(limits.PLACE_SECONDS - 1) * 1_000)
    assert identity.is_signed(identity.HEAD, ROOM, head.text[:48], head.text[48:], inn.room.replica.me.key)
    inn.ticks(2 * limits.PLACE_SECONDS)
    assert inn.ordered() == [AwayBody(EVE.id), BackBody(EVE.id)]
