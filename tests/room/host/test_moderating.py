"""What a host makes of the entries of moderators, and of those whom rights keep back (PROTOCOL.md, 5c)."""

import pytest

from anonp2p import limits
from anonp2p.protocol import bodies
from anonp2p.protocol.bodies import CommitBody, LockBody, Removal, RemoveBody, RoleBody
from anonp2p.room import effects
from anonp2p.room.moderation_inputs import RoleInput, SlowInput
from tests.room.host.inn import Inn
from tests.room.hostile import assert_still_linked
from tests.room.peers import ANN, EVE, kinds, text, told

MUTE = RoleBody(EVE.id, "muted")


def make_moderator(inn: Inn) -> None:
    """Ann is one as well as the host, which has founded the room."""
    inn.takes(RoleInput("ann", "moderator", "/op"))


def test_whoever_hosts_carries_out_what_a_moderator_orders_at_once(inn: Inn) -> None:
    """5c.5"""
    make_moderator(inn)
    done = inn.ann.says(RemoveBody([EVE.id], "spam", ban=True))
    assert [it.link for it in done if isinstance(it, effects.FinishEffect)] == [inn.eve.link]
    assert kinds(told(done)) == ["BanEvent", "LeftEvent"]
    removal = CommitBody(1, [Removal(EVE.id, "kicked")], renew=False)
    assert inn.ordered()[-2:] == [RemoveBody([EVE.id], "spam", ban=True), removal]


def test_who_is_no_moderator_is_denied_and_keeps_its_place(inn: Inn) -> None:
    """5c.2"""
    done = inn.eve.says(RemoveBody([ANN.id], "", ban=False))
    assert inn.eve.denials(done) == [(1, "not-allowed")]
    assert inn.ordered() == []
    assert_still_linked(inn.eve)


@pytest.mark.parametrize("body", [LockBody(locked=False), RemoveBody([bytes(16)], "", ban=False)], ids=repr)
def test_what_changes_nothing_is_denied(inn: Inn, body: bodies.Body) -> None:
    make_moderator(inn)
    assert inn.ann.denials(inn.ann.says(body)) == [(1, "moot")]


def test_a_muted_member_is_denied(inn: Inn) -> None:
    inn.takes(RoleInput("eve", "muted", "/mute"))
    assert inn.eve.denials(inn.eve.says(text("hello"))) == [(1, "muted")]


def test_in_a_slow_room_what_comes_too_soon_is_denied(inn: Inn) -> None:
    inn.takes(SlowInput(10))
    assert inn.eve.denials(inn.eve.says(text("one"))) == []
    assert inn.eve.denials(inn.eve.says(text("two"))) == [(2, "slow")]
    inn.end_batch()
    inn.ticks(9.9)
    assert inn.eve.denials(inn.eve.says(text("three"))) == [(3, "slow")]
    inn.ticks(10.1)
    assert inn.eve.denials(inn.eve.says(text("four"))) == []


def test_a_moderator_that_breaks_a_rule_loses_its_link_and_may_come_back(inn: Inn) -> None:
    """5c.10: a host could say that of any."""
    make_moderator(inn)
    index, digest = inn.ann.sealer.reference
    assert [it.link for it in inn.ann.sends(b"") if isinstance(it, effects.DropEffect)] == [inn.ann.link]
    inn.ticks(limits.COMMIT_PAUSE + 1)
    assert inn.ordered()[-1:] == [RoleBody(ANN.id, "moderator")]
    inn.ann.dials(inn.tick)
    inn.ann.resumes(index, digest)
    assert kinds(told(inn.ann.says(text("again")))) == ["MessageEvent"]


def test_moderators_are_as_fast_as_they_like(inn: Inn) -> None:
    make_moderator(inn)
    inn.takes(SlowInput(10))
    for words in ("one", "two"):
        assert inn.ann.denials(inn.ann.says(text(words))) == []


def test_who_has_said_a_lot_when_it_is_muted_keeps_its_place(inn: Inn) -> None:
    """5c.2: others could not follow what comes after so many generations; in the next epoch they can."""
    inn.takes(RoleInput("eve", "muted", "/mute"))
    for number in range(limits.SKIPPED + 2):
        assert inn.eve.denials(inn.eve.says(text("more"))) == [(number + 1, "muted")]
    inn.takes(RoleInput("eve", "member", "/unmute"))
    assert inn.eve.denials(inn.eve.says(text("too far on"))) == [(limits.SKIPPED + 3, "not-allowed")]
    assert_still_linked(inn.eve)


def test_nobody_new_comes_to_a_room_that_a_moderator_has_locked(inn: Inn) -> None:
    make_moderator(inn)
    inn.ann.says(LockBody(locked=True))
    assert inn.room.replica.ledger.rights.restrictions.locked


def test_the_room_ends_for_all_when_a_moderator_closes_it(inn: Inn) -> None:
    make_moderator(inn)
    done = inn.ann.says(bodies.CloseBody())
    assert kinds(told(done)) == ["GoneEvent"]
    assert inn.room.over
