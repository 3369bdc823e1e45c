"""What a member makes of a host that does not do what moderators want (PROTOCOL.md, 5c)."""

from collections.abc import Callable

import pytest

from anonp2p import limits
from anonp2p.crypto import invitations
from anonp2p.protocol import appointment, bodies, frames
from anonp2p.protocol.bodies import LockBody, Removal, RoleBody
from anonp2p.reasons import Reason
from anonp2p.room import events, inputs
from anonp2p.room.contents import unpack_content
from anonp2p.room.errors import ChangesNothing, NoPool, OrderedOut, OrderIgnored
from anonp2p.room.moderation_inputs import InviteInput, LockInput
from tests.room.hostile import assert_link_ended
from tests.room.member.false_host import POOL, FalseHost
from tests.room.peers import ANN, EVE, HOST, ROOM, Placed, kinds, text


def passes(host: FalseHost, seconds: float, *, lives: bool = True) -> list[events.Event]:
    """So much time passes, in which the host gives signs of life, if it lives."""
    told: list[events.Event] = []
    for _ in range(round(seconds * 10)):
        host.now = host.now._replace(tick=host.now.tick + 0.1)
        told += host.takes(inputs.TickInput())
        if lives:
            told += host.hears(host.head)
    return told


def alarms(told: list[events.Event]) -> list[Reason]:
    return [event.reason for event in told if isinstance(event, events.AlarmEvent)]


def test_a_host_that_does_not_carry_out_an_order_is_told_of_once_and_the_room_goes_on(host: FalseHost) -> None:
    """5c.5"""
    host.hears(host.batch(host.order_out(ANN.id)))
    assert alarms(passes(host, limits.ORDER_PATIENCE - 0.2)) == []
    assert alarms(passes(host, 0.4)) == [Reason("order-ignored")]
    assert alarms(passes(host, 60)) == []
    assert kinds(host.hears(host.batch(host.entry(HOST, text("nothing happened"))))) == ["MessageEvent"]


def test_a_host_that_carries_it_out_is_not(host: FalseHost) -> None:
    host.hears(host.batch(host.order_out(ANN.id)), host.commit(Removal(ANN.id, "kicked")), host.slice)
    assert alarms(passes(host, 60)) == []


def test_while_there_is_no_link_nobody_is_blamed(host: FalseHost) -> None:
    host.hears(host.batch(host.order_out(ANN.id)))
    host.takes(inputs.DroppedInput(host.end.number, "closed", 0.0))
    assert alarms(passes(host, 2 * limits.ORDER_PATIENCE, lives=False)) == []


def test_the_time_without_a_link_does_not_count(host: FalseHost) -> None:
    """5c.5: what we have missed may show that it was carried out."""
    host.hears(host.batch(host.order_out(ANN.id)))
    host.redials()
    host.now = host.now._replace(tick=host.now.tick + 2 * limits.ORDER_PATIENCE)
    assert alarms(host.hears(*host.welcome())) == []
    assert alarms(passes(host, limits.ORDER_PATIENCE + 0.3)) == [Reason("order-ignored")]


def test_a_host_that_is_silent_is_not_blamed_for_what_the_next_one_may_do(host: FalseHost) -> None:
    """It may be gone, and nobody has noticed."""
    make_moderator(host)
    host.hears(host.batch(host.order_out(ANN.id)))
    host.takes(LockInput(True, re=7))
    told = passes(host, 2 * limits.ORDER_PATIENCE, lives=False)
    assert not [it for it in told if isinstance(it, events.AlarmEvent | events.ErrorEvent)]
    host.now = host.now._replace(tick=host.now.tick + 0.1)
    assert kinds(host.hears(host.head)) == ["AlarmEvent", "ErrorEvent"]


LIES: dict[str, Callable[[FalseHost], list[Placed]]] = {
    "a member thrown out without order": lambda it: [it.commit(Removal(ANN.id, "kicked"))],
    "a commit that passes over an order": lambda it: [it.order_out(ANN.id), it.commit()],
    "what a muted one says": lambda it: [it.entry(HOST, RoleBody(ANN.id, "muted")), it.entry(ANN, text("hello"))],
    "what takes a right of one that has none": lambda it: [it.entry(ANN, LockBody(True))],
    "a newcomer to a locked room": lambda it: [
        it.entry(HOST, LockBody(True)),
        it.entry(HOST, bodies.JoinedBody(bytes(31) + b"\7", "zoe", bytes(32))),
    ],
    "two texts too soon": lambda it: [
        it.entry(HOST, bodies.SlowBody(10)),
        it.entry(ANN, text("one")),
        it.entry(ANN, text("two")),
    ],
}


def goes_away(host: FalseHost) -> None:
    """Ann moderates, and is away."""
    host.hears(host.entry(HOST, RoleBody(ANN.id, "moderator")), host.entry(HOST, bodies.AwayBody(ANN.id)))


def waits(host: FalseHost, seconds: float, *, by_head: float | None = None) -> None:
    """So much time passes. by_head: how much that is by the host's word."""
    host.time += round((seconds if by_head is None else by_head) * 1000)
    host.now = host.now._replace(tick=host.now.tick + seconds)


def loses(host: FalseHost) -> list[events.Event]:
    """Ann is removed as lost."""
    return host.hears(host.commit(Removal(ANN.id, "lost")))


SOON = [Reason("host-fault", "moderator-removed-too-soon")]


@pytest.mark.parametrize(
    ("seconds", "by_head", "told"),
    [
        (0.0, 0.0, SOON),
        (limits.MODERATOR_LOST, limits.MODERATOR_LOST - 0.001, SOON),
        (limits.MODERATOR_LOST, limits.MODERATOR_LOST, []),
        (1.0, limits.MODERATOR_LOST, SOON),
        (limits.MODERATOR_LOST - limits.MODERATOR_LOST_HELD - 1, limits.MODERATOR_LOST, SOON),
        (limits.MODERATOR_LOST - limits.MODERATOR_LOST_HELD, limits.MODERATOR_LOST, []),
    ],
)
def test_a_host_that_removes_a_moderator_that_has_hardly_been_away_lies(
    host: FalseHost, seconds: float, by_head: float, told: list[Reason]
) -> None:
    """5c.10: by its own clock, and by ours."""
    goes_away(host)
    waits(host, seconds, by_head=by_head)
    assert alarms(loses(host)) == told


def test_what_was_held_up_is_not_held_against_our_clock(host: FalseHost) -> None:
    """5c.10: we know by other heads how late it is."""
    host.hears(host.head)
    host.now = host.now._replace(tick=host.now.tick + limits.MODERATOR_LOST)
    goes_away(host)
    waits(host, 1.0, by_head=limits.MODERATOR_LOST + 1)
    assert alarms(loses(host)) == []


def test_what_we_have_missed_is_not_held_against_our_clock(host: FalseHost) -> None:
    host.hears(host.entry(HOST, RoleBody(ANN.id, "moderator")))
    host.redials()
    away = host.entry(HOST, bodies.AwayBody(ANN.id))
    batch = host.batch(away)
    waits(host, 1.0, by_head=limits.MODERATOR_LOST)
    host.hears(host.resumed(), batch)
    assert alarms(loses(host)) == []


def test_what_has_come_on_another_link_is_not_held_against_our_clock(host: FalseHost) -> None:
    """5c.10: it may have waited for us."""
    goes_away(host)
    host.redials()
    host.hears(host.resumed())
    waits(host, 1.0, by_head=limits.MODERATOR_LOST)
    assert alarms(loses(host)) == []


def test_who_has_been_back_and_moderates_no_more_may_be_removed_at_once(host: FalseHost) -> None:
    goes_away(host)
    host.hears(host.entry(HOST, bodies.BackBody(ANN.id)), host.entry(HOST, RoleBody(ANN.id, "member")))
    host.hears(host.entry(HOST, bodies.AwayBody(ANN.id)))
    assert alarms(loses(host)) == []


def test_who_is_no_moderator_may_be_removed_at_once(host: FalseHost) -> None:
    host.hears(host.entry(HOST, bodies.AwayBody(ANN.id)), host.entry(HOST, RoleBody(ANN.id, "moderator")))
    assert alarms(loses(host)) == []


@pytest.mark.parametrize("lie", LIES)
def test_a_host_that_orders_against_the_rights_of_members_lies(host: FalseHost, lie: str) -> None:
    """5c.2"""
    told = host.hears(*LIES[lie](host))
    assert [reason.code for reason in alarms(told)] == ["host-fault"]
    assert kinds(told)[-1] == "GoneEvent"


def make_moderator(host: FalseHost) -> None:
    host.hears(host.batch(host.entry(HOST, RoleBody(host.me, "moderator"))))


def test_who_has_asked_is_told_that_the_host_does_not_order_it(host: FalseHost) -> None:
    """5c.5"""
    make_moderator(host)
    host.takes(LockInput(True, re=7))
    [asked] = host.submits()
    assert not [it for it in passes(host, limits.ORDER_PATIENCE - 0.2) if isinstance(it, events.ErrorEvent)]
    [error] = [it for it in passes(host, 10) if isinstance(it, events.ErrorEvent)]
    assert (error.text, error.code, error.re) == (OrderIgnored(), "failed", 7)
    assert kinds(host.hears(host.batch(asked))) == ["LockChangedEvent"]


def in_private_room() -> FalseHost:
    """A host whose guest moderates a private room, and has no pool."""
    host = FalseHost()
    host.make_private()
    host.lets_in()
    make_moderator(host)
    return host


def failed(told: list[events.Event]) -> list[tuple[object, object]]:
    return [(event.text, event.re) for event in told if isinstance(event, events.ErrorEvent)]


def test_who_invites_is_told_that_the_host_gives_it_no_pool_and_asks_the_next_one() -> None:
    """5c.5"""
    host = in_private_room()
    host.takes(InviteInput(re=7))
    assert host.spoken() == [frames.PoolRequestFrame()]
    assert failed(passes(host, limits.ORDER_PATIENCE - 0.2)) == []
    assert failed(passes(host, 0.5)) == [(OrderIgnored(), 7)]
    assert failed(passes(host, 60)) == []
    host.takes(InviteInput(re=8))
    assert failed(passes(host, limits.ORDER_PATIENCE + 0.3)) == [(OrderIgnored(), 8)]
    host.redials()
    host.hears(host.resumed())
    assert frames.PoolRequestFrame() in host.spoken()
    assert failed(passes(host, limits.ORDER_PATIENCE + 0.3)) == []
    assert failed(host.hears(frames.PoolFrame(b""))) == [(NoPool(), 7), (NoPool(), 8)]


def test_of_a_silent_host_nothing_is_said_to_who_invites() -> None:
    host = in_private_room()
    host.takes(InviteInput(re=7))
    assert failed(passes(host, 60, lives=False)) == []
    host.now = host.now._replace(tick=host.now.tick + 0.1)
    assert failed(host.hears(host.head)) == [(OrderIgnored(), 7)]


def test_what_was_denied_is_no_more_waited_for(host: FalseHost) -> None:
    make_moderator(host)
    host.takes(LockInput(True, re=7))
    [asked] = host.submits()
    [error] = host.hears(frames.DeniedFrame(asked.header.counter, "moot"))
    assert isinstance(error, events.ErrorEvent)
    assert error.text == ChangesNothing()
    assert not [it for it in passes(host, 10) if isinstance(it, events.ErrorEvent)]


def test_messages_in_a_slow_room_are_as_far_apart_as_their_heads(host: FalseHost) -> None:
    """5c.4"""
    host.hears(host.entry(HOST, bodies.SlowBody(10)), host.entry(ANN, text("one")))
    host.time += 10_000
    host.now = host.now._replace(tick=host.now.tick + 10)
    assert kinds(host.hears(host.entry(ANN, text("two")))) == ["MessageEvent"]


def test_a_host_that_says_that_we_are_away_on_our_own_link_is_told_of(host: FalseHost) -> None:
    """5.11: so it could have our place, and what a moderator may do with it."""
    told = host.hears(host.entry(HOST, bodies.AwayBody(host.me)))
    assert alarms(told) == [Reason("host-fault", "lost-on-its-link")]


def test_one_who_is_ordered_out_is_told_so_and_not_that_it_is_muted(host: FalseHost) -> None:
    host.hears(host.batch(host.order_out(host.me)))
    error, unsent = host.takes(inputs.SayInput("still here"))
    assert isinstance(error, events.ErrorEvent)
    assert error.text == OrderedOut()
    assert isinstance(unsent, events.UnsentEvent)


# --- the pool is replaced


OTHER_POOL = b"q" * 32


def given(host: FalseHost, pool: bytes) -> frames.PoolFrame:
    """The pool, for the guest."""
    key = host.room.replica.own_keys[0].public
    return appointment.seal_pool(pool, key, ROOM, host.me)


def replaced(host: FalseHost) -> Placed:
    """The entry by which the room has another pool."""
    return host.entry(HOST, bodies.CodeBody(EVE.key, invitations.derive_members_key(OTHER_POOL)))


def invited(host: FalseHost) -> list[bytes]:
    """The keys of members for which the guest has submitted invitations."""
    said = [unpack_content(it.body).body for it in host.submits()]
    return [it.members_key for it in said if isinstance(it, bodies.InviteBody)]


def test_who_has_the_pool_asks_for_the_one_that_takes_its_place_before_it_invites() -> None:
    """5d.6"""
    host = in_private_room()
    host.takes(InviteInput())
    host.hears(given(host, POOL))
    assert invited(host) == [invitations.derive_members_key(POOL)]
    host.hears(host.batch(replaced(host)))
    host.takes(InviteInput())
    assert invited(host) == []
    assert host.spoken() == [frames.PoolRequestFrame()]
    host.hears(given(host, OTHER_POOL))
    assert invited(host) == [invitations.derive_members_key(OTHER_POOL)]


def test_who_waits_for_a_pool_that_is_replaced_meanwhile_asks_anew() -> None:
    host = in_private_room()
    host.takes(InviteInput())
    host.spoken()
    host.hears(host.batch(replaced(host)))
    assert host.spoken() == [frames.PoolRequestFrame()]
    host.hears(given(host, POOL))
    assert invited(host) == [], "it was on its way"
    host.hears(given(host, OTHER_POOL))
    assert invited(host) == [invitations.derive_members_key(OTHER_POOL)]


def test_a_pool_that_comes_before_the_entry_is_good_from_then_on() -> None:
    host = in_private_room()
    host.takes(InviteInput())
    host.hears(given(host, OTHER_POOL))
    assert invited(host) == []
    host.hears(host.batch(replaced(host)))
    assert invited(host) == [invitations.derive_members_key(OTHER_POOL)]


def test_a_box_without_a_pool_ends_the_link_and_so_does_any_where_the_room_is_not_private(host: FalseHost) -> None:
    """5d.6"""
    assert_link_ended(host, host.hears(given(host, POOL)))
    private = in_private_room()
    assert_link_ended(private, private.hears(frames.PoolFrame(given(private, POOL).box[1:])))
