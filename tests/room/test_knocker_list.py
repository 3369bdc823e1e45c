"""What a moderator is told of who waits to be let in, and by which name it finds whom."""

import pytest

from anonp2p import limits
from anonp2p.crypto import identity
from anonp2p.protocol import bodies
from anonp2p.protocol.rights import Restrictions, Rights
from anonp2p.room import events
from anonp2p.room.context import Context
from anonp2p.room.knocker_list import Knock
from anonp2p.room.moderation_events import WaitingEvent
from tests.room.member.parts import joined_context, set_time
from tests.room.peers import ANN, BOB, EVE, ZOE, told
from tests.support.world import START

WAITING = [Knock(ZOE.key, "zoe", START - 7), Knock(BOB.key, "bob", START)]


@pytest.fixture
def context() -> Context:
    """Of a moderator who does not host."""
    context = joined_context()
    context.replica.ledger.rights = Rights(moderators=(context.replica.me.id,))
    return context


def take_told(context: Context) -> list[list[tuple[str, str, int]]]:
    """Who waits, by what was told since the last time."""
    context.knockers.tell_due()
    waiting = [event for event in told(context.reporter.take_effects()) if isinstance(event, WaitingEvent)]
    assert all(event.count == len(event.people) for event in waiting)
    return [[(person.nick, person.tag, person.seconds) for person in event.people] for event in waiting]


def test_a_moderator_is_told_who_waits_and_for_how_long(context: Context) -> None:
    assert take_told(context) == []
    context.knockers.replace(WAITING)
    assert take_told(context) == [[("zoe", identity.short_id(ZOE.id), 7), ("bob", identity.short_id(BOB.id), 0)]]
    assert context.knockers.next_deadline() is None
    assert take_told(context) == []


def test_what_changes_soon_after_is_told_later_and_at_once(context: Context) -> None:
    context.knockers.replace(WAITING)
    take_told(context)
    for nick in ("ann", "eve", "zed"):
        set_time(context, 1.0)
        context.knockers.replace([Knock(EVE.key, nick, START)])
        assert take_told(context) == []
    assert context.knockers.next_deadline() == START + limits.KNOCKERS_TOLD
    set_time(context, limits.KNOCKERS_TOLD)
    assert take_told(context) == [[("zed", identity.short_id(EVE.id), 2)]]


def test_that_nothing_but_time_has_changed_is_not_told(context: Context) -> None:
    context.knockers.replace(WAITING)
    take_told(context)
    set_time(context, 60.0)
    context.knockers.replace([knock._replace(since=knock.since + 1) for knock in WAITING])
    assert take_told(context) == []


def test_that_nobody_waits_any_more_is_told(context: Context) -> None:
    context.knockers.replace(WAITING)
    take_told(context)
    set_time(context, 60.0)
    context.knockers.replace([])
    assert take_told(context) == [[]]


def test_who_is_no_moderator_is_told_of_nobody(context: Context) -> None:
    context.replica.ledger.rights = Rights(moderators=(ANN.id,))
    context.knockers.replace(WAITING)
    assert take_told(context) == []
    assert context.knockers.next_deadline() is None


def test_who_is_none_any_more_is_not_left_with_those_who_waited(context: Context) -> None:
    context.knockers.replace(WAITING)
    take_told(context)
    context.replica.ledger.rights = Rights(moderators=(ANN.id,))
    set_time(context, 60.0)
    assert take_told(context) == [[]]


@pytest.mark.parametrize(("nick", "key"), [("zoe", ZOE.key), ("ZOE", ZOE.key), ("z0e", ZOE.key), ("ann", None)])
def test_who_waits_is_found_by_its_nick_and_what_looks_like_it(context: Context, nick: str, key: bytes | None) -> None:
    context.knockers.replace(WAITING)
    assert context.knockers.find_key(nick) == key


@pytest.mark.parametrize(("admitted", "command"), [(True, "/admit"), (False, "/refuse")])
@pytest.mark.parametrize("locked", [True, False])
def test_who_admits_or_refuses_somebody_is_told_once_that_has_its_place(
    context: Context, admitted: bool, command: str, locked: bool
) -> None:
    context.replica.ledger.rights = Rights(restrictions=Restrictions(locked=locked, knock=True))
    context.knockers.replace(WAITING)
    for key, member, nick in ((ZOE.key, ZOE.id, "zoe"), (EVE.key, EVE.id, "")):
        context.knockers.tell_placed(bodies.AdmitBody(key, admitted), 7)
        [reply] = told(context.reporter.take_effects())
        data = {"member": identity.spell_member(member), "nick": nick, "locked": locked}
        assert reply == events.ReplyEvent(room=context.label, command=command, data=data, re=7)
