"""A host and the members that come back."""

import pytest

from anonp2p import limits
from anonp2p.crypto import commit
from anonp2p.errors import PeerFault
from anonp2p.protocol import bodies, frames
from anonp2p.protocol.bodies import CommitBody, Removal
from anonp2p.room import effects
from anonp2p.room.contents import unpack_content
from anonp2p.room.moderation_inputs import KickInput
from tests.room.host.inn import FalseMember, Inn
from tests.room.hostile import dropped
from tests.room.peers import EVE, ZOE, kinds, text, told


@pytest.mark.parametrize("away", [False, True])
def test_a_member_that_asks_to_be_let_in_is_welcomed_again(inn: Inn, away: bool) -> None:
    """5.2"""
    dropped(inn, inn.eve)
    inn.ticks(limits.AWAY_SECONDS if away else 0.0)
    inn.eve.dials(inn.tick)
    *tells, admit = inn.eve.joins("whatever")
    assert kinds(told(tells)) == ["JoinedEvent"] * away
    assert isinstance(admit, effects.AdmitEffect)
    roster = [(roster_entry.nick, roster_entry.away) for roster_entry in inn.eve.state.roster]
    assert roster == [("hugo", False), ("ann", False), ("eve", False)]
    assert (inn.eve.state.since, inn.eve.state.snapshot) == (inn.room.index, None)


@pytest.mark.parametrize(
    ("index", "digest"), [(None, bytes(32)), (1, None), (100, None), (2**53 - 1, None), (0, bytes(32))]
)
def test_one_who_has_another_log_is_welcomed_anew_without_a_backfill(
    inn: Inn, index: int | None, digest: bytes | None
) -> None:
    """5.12"""
    at, proper = inn.eve.sealer.reference
    inn.eve.dials()
    [_, admit] = inn.eve.resumes(at if index is None else index, proper if digest is None else digest)
    assert isinstance(admit, effects.AdmitEffect)
    assert isinstance(inn.eve.greeted[0], frames.WelcomeFrame)
    assert (inn.eve.state.since, inn.eve.state.snapshot) == (inn.room.index, None)
    inn.end_batch()
    assert inn.eve.reads() == []


def test_one_who_names_a_place_before_it_came_is_shown_nothing_of_what_was_then(inn: Inn) -> None:
    """5.12: openings tell all members the digests of such places."""
    zoe = FalseMember(inn, ZOE)
    zoe.dials()
    zoe.joins("zoe")
    inn.end_batch()
    [founded] = inn.room.replica.ledger.openings
    zoe.dials()
    zoe.resumes(founded.index, founded.digest)
    assert isinstance(zoe.greeted[0], frames.WelcomeFrame)
    assert zoe.state.since == inn.room.index
    assert zoe.reads() == []


@pytest.mark.parametrize("epoch", [1, 2**53 - 1])
def test_one_who_names_an_epoch_that_is_not_has_a_welcome(inn: Inn, epoch: int) -> None:
    inn.eve.dials()
    inn.eve.resumes(*inn.eve.sealer.reference, epoch)
    assert isinstance(inn.eve.greeted[0], frames.WelcomeFrame)


def test_one_who_broke_a_rule_does_not_come_back_before_the_commit_takes_its_place(inn: Inn) -> None:
    """5.8"""
    inn.eve.sends(b"")
    for ask, answer in (("resume", "unknown"), ("join", "not-allowed")):
        inn.eve.dials()
        if ask == "resume":
            inn.eve.resumes(*inn.eve.sealer.reference)
        else:
            inn.eve.joins("eve")
        assert inn.eve.refused == answer
    inn.ticks(limits.COMMIT_PAUSE)
    assert inn.ordered()[-1] == CommitBody(1, [Removal(EVE.id, "lost")], renew=False)
    inn.eve.dials(inn.tick)
    inn.eve.resumes(*inn.eve.sealer.reference)
    assert inn.eve.refused == "unknown"


def test_one_who_is_thrown_out_is_out_at_once_and_told_so_when_it_comes_back(inn: Inn) -> None:
    """5.12"""
    link = inn.eve.link
    done = inn.takes(KickInput("eve"))
    assert [effect.link for effect in done if isinstance(effect, effects.FinishEffect)] == [link]
    assert inn.eve.says(text("still here")) == []
    inn.eve.dials()
    inn.eve.resumes(*inn.eve.sealer.reference)
    assert inn.eve.refused == "kicked"
    inn.eve.dials()
    inn.eve.joins("eve")
    assert inn.eve.refused == "kicked"


def test_one_who_has_left_does_not_join_again_with_its_key(inn: Inn) -> None:
    """3.2: it would have a second ratchet, and in a later epoch counters that begin anew."""
    inn.eve.says(bodies.LeaveBody())
    for _ in "12":
        inn.eve.dials(inn.tick)
        inn.eve.joins("eve")
        assert inn.eve.refused == "not-allowed"
        inn.ticks(inn.tick + limits.COMMIT_PAUSE)
    inn.eve.dials(inn.tick)
    inn.eve.joins("another")
    assert inn.eve.refused == "not-allowed"


def test_one_whose_epoch_is_over_is_welcomed_with_all_that_it_missed(inn: Inn) -> None:
    """5.12"""
    index, digest = inn.eve.sealer.reference
    inn.ann.says(text("missed"))
    inn.takes(KickInput("ann"))
    inn.eve.dials()
    inn.eve.resumes(index, digest)
    first = inn.eve.greeted[0]
    assert isinstance(first, frames.WelcomeFrame)
    assert (inn.eve.state.since, inn.eve.state.snapshot) == (index, None)
    assert inn.eve.state.epoch == 1
    entries = [entry for past in inn.eve.missed() for entry in past.entries]
    assert [unpack_content(entry.body).body for entry in entries] == [
        text("missed"),
        bodies.RemoveBody([inn.ann.who.id], "", ban=False),
        CommitBody(1, [Removal(inn.ann.who.id, "kicked")], renew=False),
    ]


def test_a_key_is_the_one_of_its_link_from_the_frame_on(inn: Inn) -> None:
    """2.7"""
    assert inn.eve.sends(frames.KeyFrame(ZOE.encryption_key.public)) == []
    inn.takes(KickInput("ann"))
    inn.end_batch()
    _, record = inn.eve.reads()
    committed, sliced = inn.eve.channel.open_record(record).frames
    assert isinstance(committed, frames.BackfillFrame)
    assert isinstance(sliced, frames.CommitShareFrame)
    digest = inn.room.replica.ledger.digest
    secret, _ = commit.open_share(sliced.box, ZOE.encryption_key, inn.room.replica.ledger.room, EVE.id, 1, digest)
    assert len(secret) == 32
    with pytest.raises(PeerFault):
        commit.open_share(sliced.box, EVE.encryption_key, inn.room.replica.ledger.room, EVE.id, 1, digest)
