"""Links on which no request has come yet: greeted, answered once, forgotten."""

from typing import Any

import pytest

from anonp2p import limits
from anonp2p.crypto import identity
from anonp2p.protocol import bodies, credentials, frames, handshake
from anonp2p.protocol.requests import Hello, JoinRequest
from anonp2p.room import effects
from anonp2p.room.gate import Caller, Gate
from anonp2p.room.host.presence import MemberLink
from tests.room.host.parts import HELLO, Ordering, set_time, take_effects
from tests.room.peers import BOB, ROOM, ZOE, kinds
from tests.support import memory
from tests.support.world import payloads


class Yard(Ordering):
    """A room with nobody in it but us, and its gate."""

    def __init__(self) -> None:
        super().__init__()
        admission = self.new_admission()
        self.gate = Gate(self.context, admission)

    def greet(self, link: int) -> tuple[Hello, bytes]:
        """Somebody dials; returns the hello, and its hash."""
        self.gate.begin_handshake(link, ROOM)
        [send] = take_effects(self.context)
        assert isinstance(send, effects.SendEffect)
        assert send.link == link
        [payload] = payloads(send.data)
        return handshake.read_hello(payload)

    def request(self, hello: Hello, digest: bytes, nick: str = "zoe", ticket: bytes = bytes(16)) -> bytes:
        """Zoe's request to be let in."""
        unsigned = JoinRequest(b"k" * 32, ZOE.key, ZOE.encryption_key.public, nick, bytes(64))
        signature = ZOE.sign(identity.JOIN, handshake.join_content(digest, unsigned))
        join = JoinRequest(unsigned.link_secret, unsigned.key, unsigned.encryption_key, nick, signature)
        [payload] = payloads(handshake.seal_request(join, ROOM, hello, digest, ticket))
        return payload


@pytest.fixture
def yard() -> Yard:
    """Nobody has dialled yet."""
    return Yard()


def test_who_is_greeted_may_ask_once_and_is_let_in(yard: Yard) -> None:
    hello, digest = yard.greet(1)
    assert yard.gate.links == {1}
    assert yard.gate.take_request(1, yard.request(hello, digest))
    assert kinds(take_effects(yard.context)) == ["WakeEffect", "AdmitEffect"]
    assert yard.gate.links == frozenset()
    assert {link.member for link in yard.presence.links.values()} == {ZOE.id}
    assert set(yard.presence.allowances) == {ZOE.id}
    assert not yard.gate.take_request(1, b"what comes next is a member's")


def test_what_comes_on_a_link_that_was_not_greeted_is_none_of_its_requests(yard: Yard) -> None:
    assert not yard.gate.take_request(7, bytes(64))


def test_what_does_not_open_is_a_fault_and_the_only_chance_is_gone(yard: Yard) -> None:
    hello, digest = yard.greet(1)
    assert yard.gate.take_request(1, bytes(4_094))
    assert kinds(take_effects(yard.context)) == ["DropEffect"]
    assert not yard.gate.take_request(1, yard.request(hello, digest))


def test_who_is_refused_hears_why_and_its_link_is_closed(yard: Yard) -> None:
    hello, digest = yard.greet(1)
    assert yard.gate.take_request(1, yard.request(hello, digest, nick="hugo"))
    [finish] = take_effects(yard.context)
    assert isinstance(finish, effects.FinishEffect)
    [payload] = payloads(finish.data)
    channel: Any = handshake.Channel(b"k" * 32, digest, up=True)
    [refused] = channel.open_record(payload).frames
    assert refused.reason == "nick-taken"
    credentials.check_refusal(refused, digest, ROOM)
    assert refused.credentials.key == yard.context.replica.me.key
    assert not yard.presence.links
    assert yard.gate.links == {1}, "until it is closed"
    yard.gate.forget_link(1)
    assert yard.gate.links == frozenset()


# --- how many, and how fast


def dropped(yard: Yard) -> list[int]:
    """The links that were closed."""
    return [effect.link for effect in take_effects(yard.context) if isinstance(effect, effects.DropEffect)]


def test_one_half_open_link_too_many_closes_another_one(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    """1.5"""
    monkeypatch.setattr(limits, "HALF_OPEN", 3)
    for link in (1, 2, 3):
        yard.gate.begin_handshake(link, ROOM)
    assert dropped(yard) == []
    yard.gate.begin_handshake(4, ROOM)
    [closed] = dropped(yard)
    assert closed in (1, 2, 3), "the newest had no time at all"
    assert yard.gate.links == {1, 2, 3, 4} - {closed}
    assert not yard.gate.take_request(closed, bytes(4_094)), "what is still on its way is not answered"


def test_whose_handshake_ends_for_a_newer_one_is_a_matter_of_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "HALF_OPEN", 4)
    yard, chosen = Yard(), set()
    for number in range(1, 60):
        before = sorted(yard.gate.links)
        yard.gate.begin_handshake(number, ROOM)
        chosen |= {before.index(closed) for closed in dropped(yard)}
    assert chosen == {0, 1, 2, 3}


def test_those_who_were_refused_or_wait_for_their_answer_are_half_open_too(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "HALF_OPEN", 2)
    monkeypatch.setattr(limits, "JOIN_BUCKET", 1)
    monkeypatch.setattr(limits, "REFUSAL_COST", 2)
    yard.gate = Gate(yard.context, yard.new_admission())
    refused = yard.greet(1)
    assert yard.gate.take_request(1, yard.request(*refused, nick="hugo"))
    yard.gate.begin_handshake(2, ROOM)
    assert yard.gate.take_request(2, bytes(4_094)), "whose turn is later"
    assert dropped(yard) == []
    yard.gate.begin_handshake(3, ROOM)
    assert dropped(yard) in ([1], [2])


def rated(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> Gate:
    """A gate that answers two requests at once, then one in two seconds; five have come, none of which opens."""
    monkeypatch.setattr(limits, "JOIN_BUCKET", 1)
    monkeypatch.setattr(limits, "REFUSAL_COST", 1)
    monkeypatch.setattr(limits, "JOIN_RATE", 0.5)
    yard.gate = Gate(yard.context, yard.new_admission())
    for link in range(1, 6):
        yard.gate.begin_handshake(link, ROOM)
        assert yard.gate.take_request(link, bytes(4_094))
    return yard.gate


def test_requests_that_come_too_fast_are_answered_in_their_turn(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    """1.6"""
    gate = rated(yard, monkeypatch)
    assert dropped(yard) == [1, 2]
    assert gate.next_deadline() == pytest.approx(yard.context.clock.tick + 2)
    for link, seconds in ((3, 2), (4, 4), (5, 6)):
        assert gate.next_deadline() is not None
        set_time(yard.context, seconds - 0.1)
        gate.answer_due_requests()
        assert dropped(yard) == []
        set_time(yard.context, seconds)
        gate.answer_due_requests()
        assert dropped(yard) == [link]
    assert gate.next_deadline() is None


def test_requests_of_those_who_are_gone_hold_up_nobody(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = rated(yard, monkeypatch)
    take_effects(yard.context)
    gate.forget_link(3)
    gate.forget_link(4)
    set_time(yard.context, 2)
    gate.answer_due_requests()
    assert dropped(yard) == [5]


def test_a_link_that_is_lost_before_it_asked_leaves_nothing(yard: Yard) -> None:
    yard.greet(1)
    yard.gate.forget_link(1)
    yard.gate.forget_link(2)
    assert yard.gate.links == frozenset()


def test_the_handshake_key_is_gone_after_its_minute_and_not_before(yard: Yard) -> None:
    """2.2: "and no longer", though nobody comes."""
    hello, _ = yard.greet(1)
    yard.gate.forget_link(1)
    for passed, is_there in ((limits.HANDSHAKE_KEY - 1, True), (limits.HANDSHAKE_KEY, False)):
        set_time(yard.context, passed)
        yard.gate.forget_old_key()
        assert (hello.handshake_key in memory.parts(yard.gate)) == is_there


# --- members that come back


def returned(yard: Yard, link: int, ticket: bytes) -> None:
    """Somebody dials, and shows this ticket with a request that does not open."""
    yard.gate.begin_handshake(link, ROOM)
    assert yard.gate.take_request(link, ticket.ljust(4_094, b"\0"))


@pytest.fixture
def flooded(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> Yard:
    """Zoe is a member; strangers have used up what the host does for them, and one of them waits, on link 3."""
    monkeypatch.setattr(limits, "HALF_OPEN", 2)
    monkeypatch.setattr(limits, "JOIN_BUCKET", 1)
    monkeypatch.setattr(limits, "REFUSAL_COST", 2)
    yard.gate = Gate(yard.context, yard.new_admission())
    yard.add_member(ZOE, "zoe")
    yard.add_link(1, ZOE)
    for link in (2, 3):
        returned(yard, link, bytes(16))
    assert dropped(yard) == [2]
    return yard


def zoes_ticket(yard: Yard) -> bytes:
    """That of her latest link."""
    [link] = yard.presence.links.values()
    return link.channel.ticket


def test_a_member_with_a_ticket_is_answered_before_the_strangers_who_wait(flooded: Yard) -> None:
    """1.6, 2.5a"""
    returned(flooded, 4, zoes_ticket(flooded))
    assert dropped(flooded) == [4], "its request does not open"
    assert flooded.gate.links == {3}


def test_a_ticket_is_good_once(flooded: Yard) -> None:
    """2.5a: a recorded one is a stranger's."""
    ticket = zoes_ticket(flooded)
    returned(flooded, 4, ticket)
    assert dropped(flooded) == [4]
    returned(flooded, 5, ticket)
    assert dropped(flooded) == []
    assert flooded.gate.links == {3, 5}


def test_a_ticket_of_an_older_link_or_of_one_who_is_out_is_a_strangers(flooded: Yard) -> None:
    """2.5a"""
    former = zoes_ticket(flooded)
    link = flooded.presence.links[1]
    flooded.presence.replace_link(ZOE.id)
    channel = handshake.Channel(b"another", HELLO, up=False)
    flooded.presence.add_link(9, MemberLink(ZOE.id, channel, link.reader, ROOM, bytes(32)), [])
    take_effects(flooded.context)
    assert not flooded.presence.take_ticket(former)
    flooded.presence.remove_member(ZOE.id)
    assert not flooded.presence.take_ticket(channel.ticket)


def test_two_members_with_one_ticket_have_one_between_them(flooded: Yard) -> None:
    """2.5a: they chose the secrets of their links so."""
    flooded.add_member(BOB, "bob")
    shared = flooded.presence.links[1]
    flooded.presence.add_link(8, MemberLink(BOB.id, shared.channel, shared.reader, ROOM, bytes(32)), [])
    flooded.presence.remove_member(ZOE.id)
    assert flooded.presence.take_ticket(shared.channel.ticket)
    assert not flooded.presence.take_ticket(shared.channel.ticket)
    flooded.presence.remove_member(BOB.id)


def test_strangers_displace_nobody_who_has_shown_a_ticket(flooded: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    """1.5"""
    monkeypatch.setattr(limits, "RETURN_BUCKET", 1)
    flooded.add_member(BOB, "bob")
    flooded.gate = Gate(
        flooded.context,
        flooded.new_admission(),
    )
    channel = handshake.Channel(b"bobs", HELLO, up=False)
    flooded.presence.add_link(8, MemberLink(BOB.id, channel, flooded.presence.links[1].reader, ROOM, bytes(32)), [])
    returned(flooded, 10, flooded.presence.links[1].channel.ticket)
    assert dropped(flooded) == [10]
    returned(flooded, 11, channel.ticket)
    assert dropped(flooded) == [], "which waits for its turn"
    for link in range(20, 60):
        flooded.gate.begin_handshake(link, ROOM)
    assert 11 not in dropped(flooded)
    assert len(flooded.gate.links) == limits.HALF_OPEN
    set_time(flooded.context, 60.0)
    flooded.gate.answer_due_requests()
    assert dropped(flooded) == [11]


def test_one_who_comes_back_again_and_again_waits_among_the_strangers(flooded: Yard) -> None:
    """1.6"""
    answered = []
    for number in range(int(limits.MEMBER_RETURN_BUCKET) + 1):
        returned(flooded, 10 + number, zoes_ticket(flooded))
        answered += dropped(flooded)
        flooded.presence.add_link(1, flooded.presence.links[1], [])  # which gives her another ticket
        take_effects(flooded.context)
    assert answered == list(range(10, 10 + limits.MEMBER_RETURN_BUCKET))
    set_time(flooded.context, 1 / limits.MEMBER_RETURN_RATE)
    flooded.presence.add_link(1, flooded.presence.links[1], [])
    assert flooded.presence.take_ticket(zoes_ticket(flooded))


# --- what answers cost


@pytest.mark.parametrize(
    ("nick", "cost"), [("hugo", limits.REFUSAL_COST), ("zoe", 1 + limits.JOIN_COST)], ids=["refused", "let in"]
)
def test_strangers_wait_for_as_long_as_the_last_answer_has_cost(
    yard: Yard, monkeypatch: pytest.MonkeyPatch, nick: str, cost: float
) -> None:
    """1.6"""
    monkeypatch.setattr(limits, "JOIN_BUCKET", 2)
    monkeypatch.setattr(limits, "WELCOME_PER_TOKEN", 2**60)
    yard.gate = Gate(yard.context, yard.new_admission())
    for link in range(2, 2 + int(2 / limits.REFUSAL_COST)):
        returned(yard, link, bytes(16))
    assert len(dropped(yard)) == int(2 / limits.REFUSAL_COST)
    asked = yard.request(*yard.greet(1), nick=nick)
    assert yard.gate.take_request(1, asked)
    returned(yard, 99, bytes(16))
    due = yard.gate.next_deadline()
    assert due is not None
    assert due - yard.context.clock.tick == pytest.approx(cost / limits.JOIN_RATE)


def test_a_welcome_costs_by_its_size(yard: Yard) -> None:
    """1.6"""
    _, digest = yard.greet(1)
    admission = yard.new_admission()
    for index in range(300):
        key = identity.Identity(index.to_bytes(32, "big"), ROOM).key
        yard.sequencer.order_own(bodies.JoinedBody(key, f"member{index}", bytes(32)))
    unsigned = JoinRequest(b"k" * 32, ZOE.key, ZOE.encryption_key.public, "zoe", bytes(64))
    signature = ZOE.sign(identity.JOIN, handshake.join_content(digest, unsigned))
    join = JoinRequest(unsigned.link_secret, unsigned.key, unsigned.encryption_key, "zoe", signature)
    cost = admission.answer(Caller(1, handshake.Channel(b"k" * 32, digest, up=False), digest, ROOM), join)
    [admit] = [effect for effect in take_effects(yard.context) if isinstance(effect, effects.AdmitEffect)]
    size = sum(len(frame.part) for frame in admit.frames if isinstance(frame, frames.PageFrame))
    assert size > 30_000
    assert cost == pytest.approx(1 + limits.JOIN_COST + size / limits.WELCOME_PER_TOKEN)
