"""Links on which no request has come yet: greeted, answered once, forgotten."""

from typing import Any

import pytest

from anonp2p import limits
from anonp2p.crypto import identity
from anonp2p.errors import PeerFault
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
    with pytest.raises(PeerFault):
        yard.gate.take_request(1, bytes(4_094))
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
