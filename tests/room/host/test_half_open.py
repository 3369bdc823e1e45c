"""Links on which no request has come yet: greeted, answered once, forgotten."""

from typing import Any

import pytest

from anonp2p import limits
from anonp2p.crypto import identity
from anonp2p.protocol import frames, handshake
from anonp2p.room import effects
from anonp2p.room.host.admission import Admission
from anonp2p.room.host.gate import Gate
from tests.room.host.parts import Ordering, set_time, take_effects
from tests.room.peers import ROOM, ZOE, kinds
from tests.support import memory
from tests.support.world import payloads


class Yard(Ordering):
    """A room with nobody in it but us, and its gate."""

    def __init__(self) -> None:
        super().__init__()
        admission = Admission(self.context, self.sequencer, self.presence, self.commits)
        self.gate = Gate(self.context, admission)

    def greet(self, link: int) -> tuple[frames.Hello, bytes]:
        """Somebody dials; returns the hello, and its hash."""
        self.gate.begin_handshake(link)
        [send] = take_effects(self.context)
        assert isinstance(send, effects.SendEffect)
        assert send.link == link
        [payload] = payloads(send.data)
        return handshake.read_hello(payload)

    def request(self, hello: frames.Hello, digest: bytes, nick: str = "zoe") -> bytes:
        """Zoe's request to be let in."""
        unsigned = frames.JoinRequest(b"k" * 32, ZOE.key, ZOE.encryption_key.public, nick, bytes(64))
        signature = ZOE.sign(identity.JOIN, handshake.join_content(digest, unsigned))
        join = frames.JoinRequest(unsigned.link_secret, unsigned.key, unsigned.encryption_key, nick, signature)
        [payload] = payloads(handshake.seal_request(join, ROOM, hello, digest))
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
    assert channel.open_record(payload).frames == [frames.RefusedFrame("nick-taken")]
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
        yard.gate.begin_handshake(link)
    assert dropped(yard) == []
    yard.gate.begin_handshake(4)
    [closed] = dropped(yard)
    assert closed in (1, 2, 3), "the newest had no time at all"
    assert yard.gate.links == {1, 2, 3, 4} - {closed}
    assert not yard.gate.take_request(closed, bytes(4_094)), "what is still on its way is not answered"


def test_whose_handshake_ends_for_a_newer_one_is_a_matter_of_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "HALF_OPEN", 4)
    yard, chosen = Yard(), set()
    for number in range(1, 60):
        before = sorted(yard.gate.links)
        yard.gate.begin_handshake(number)
        chosen |= {before.index(closed) for closed in dropped(yard)}
    assert chosen == {0, 1, 2, 3}


def test_those_who_were_refused_or_wait_for_their_answer_are_half_open_too(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "HALF_OPEN", 2)
    monkeypatch.setattr(limits, "JOIN_BUCKET", 1)
    yard.gate = Gate(yard.context, Admission(yard.context, yard.sequencer, yard.presence, yard.commits))
    refused = yard.greet(1)
    assert yard.gate.take_request(1, yard.request(*refused, nick="hugo"))
    yard.gate.begin_handshake(2)
    assert yard.gate.take_request(2, bytes(4_094)), "whose turn is later"
    assert dropped(yard) == []
    yard.gate.begin_handshake(3)
    assert dropped(yard) in ([1], [2])


def rated(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> Gate:
    """A gate that answers two requests at once, then one in two seconds; five have come, none of which opens."""
    monkeypatch.setattr(limits, "JOIN_BUCKET", 2)
    monkeypatch.setattr(limits, "JOIN_RATE", 0.5)
    yard.gate = Gate(yard.context, Admission(yard.context, yard.sequencer, yard.presence, yard.commits))
    for link in range(1, 6):
        yard.gate.begin_handshake(link)
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
        gate.answer_due_request()
        assert dropped(yard) == []
        set_time(yard.context, seconds)
        gate.answer_due_request()
        assert dropped(yard) == [link]
    assert gate.next_deadline() is None


def test_requests_of_those_who_are_gone_hold_up_nobody(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = rated(yard, monkeypatch)
    take_effects(yard.context)
    gate.forget_link(3)
    gate.forget_link(4)
    set_time(yard.context, 2)
    gate.answer_due_request()
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
