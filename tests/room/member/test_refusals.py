"""A member before a host that refuses it, or is none."""

import pytest

from anonp2p.crypto import identity, suite
from anonp2p.protocol import frames
from anonp2p.protocol.requests import JoinRequest
from anonp2p.room import effects, events
from tests.room.hostile import assert_link_ended, hello
from tests.room.member.false_host import FalseHost
from tests.room.peers import EVE, ROOM, kinds


@pytest.mark.parametrize(
    "answer",
    [b"", b"\xc1", bytes(1_918), hello()[:-1], hello()[:-1] + b"?", hello() + b"\0", hello()[2:]],
)
def test_what_is_no_hello_ends_the_link(answer: bytes) -> None:
    host = FalseHost()
    host.awaits_dial()
    assert_link_ended(host, host.hears(answer))


@pytest.mark.parametrize("door", [bytes(1_216), EVE.encryption_key.public[:-32] + bytes(32), b"\xff" * 1_216])
def test_a_handshake_key_that_cannot_be_sealed_to_ends_it(door: bytes) -> None:
    """3.2: an X25519 key of small order, an ML-KEM key that is none."""
    host = FalseHost()
    host.awaits_dial()
    assert_link_ended(host, host.hears(hello(handshake_key=door)))


@pytest.mark.parametrize("version", [0, 1, 2, 3, 5])
def test_a_host_of_another_version_is_not_asked(version: int) -> None:
    """2.3"""
    host = FalseHost()
    happened = host.hears(hello(version))
    assert kinds(happened) == ["ErrorEvent", "GoneEvent"]
    assert not [effect for effect in host.effects if isinstance(effect, effects.SendEffect)]
    assert host.room.failure is not None


REFUSALS: list[tuple[frames.Refusal, str]] = [
    ("signature", "refused"),
    ("key", "refused"),
    ("full", "full"),
    ("locked", "locked"),
    ("bad-nick", "bad-nick"),
    ("nick-taken", "nick-taken"),
    ("unknown", "refused"),
    ("kicked", "refused"),
]


@pytest.mark.parametrize(("reason", "code"), REFUSALS)
def test_a_refusal_is_told_in_our_own_words(reason: frames.Refusal, code: str) -> None:
    host = FalseHost()
    host.greets()
    error, gone = host.hears(host.refused(reason))
    assert isinstance(error, events.ErrorEvent)
    assert error.code == code
    assert isinstance(gone, events.GoneEvent)
    assert gone.reason == ("kicked" if reason == "kicked" else "refused")


def test_a_join_answers_the_hello_of_its_own_link_with_a_secret_of_its_own() -> None:
    """2.5"""
    host = FalseHost()
    links = set()
    for ask in (host.greets, host.redials):
        join = ask()
        assert isinstance(join, JoinRequest)
        assert join.nick == "me"
        place = bytes(40) + suite.hash_data(b"\x91\xc0")
        content = host.hello + join.link_secret + join.key + suite.hash_data(join.encryption_key) + place + b"me"
        assert identity.is_signed(identity.JOIN, ROOM, content, join.signature, join.key)
        links.add(join.link_secret)
    assert len(links) == 2


def test_what_stands_behind_a_refusal_in_one_record_is_passed_over() -> None:
    host = FalseHost()
    host.greets()
    both = host.record(host.refused("full"), frames.KeyNotFoundFrame(bytes(32)))
    assert kinds(host.hears(both)) == ["ErrorEvent", "GoneEvent"]
