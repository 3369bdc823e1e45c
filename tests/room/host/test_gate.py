"""A host and those who are no members yet."""

from collections.abc import Callable

import pytest

from anonp2p import limits
from anonp2p.crypto import identity, padding, suite
from anonp2p.protocol import frames, room_state
from anonp2p.protocol.packing import pack
from anonp2p.room import effects, inputs
from anonp2p.room.room import Room
from tests.room.host.inn import FalseMember, Inn
from tests.room.hostile import KEY
from tests.room.peers import BOB, NOW, ROOM, ROOM_KEY, ZOE, kinds, randomness, said, text
from tests.support import memory


def test_a_host_that_asks_for_no_nick_has_one_made_from_its_key() -> None:
    room = Room(label="r1", key=ROOM, random=randomness(b"x"), nick="", room_key=ROOM_KEY)
    room.handle_input(inputs.StartInput(), NOW)
    assert [person.nick for person in room.people()] == [f"anon-{identity.spell_member(room.replica.me.id)[:4]}"]


BAD_CLIENT_HANDSHAKES: dict[str, Callable[[FalseMember], bytes]] = {
    "nothing": lambda _: b"",
    "noise": lambda _: bytes(2_000),
    "as long as may be": lambda _: bytes(limits.CLIENT_HANDSHAKE - padding.LENGTH),
    "a request in the clear": lambda it: padding.pad_text(
        pack(it.join("zoe")), limits.CLIENT_HANDSHAKE - padding.LENGTH
    ),
    "for another room": lambda it: sealed_client_handshake(it, room=b"s" * 32),
    "for another hello": lambda it: sealed_client_handshake(it, hello=bytes(32)),
    "to another door": lambda it: sealed_client_handshake(it, handshake_key=ZOE.encryption_key.public),
    "that says nothing": lambda it: sealed_client_handshake(it, packed=b""),
    "that says what only members say": lambda it: sealed_client_handshake(it, packed=pack(frames.KeyRequestFrame(KEY))),
    "with something behind it": lambda it: sealed_client_handshake(it, packed=pack(it.join("zoe")) + b"?"),
    "that is not padded": lambda it: sealed_client_handshake(it, text=pack(it.join("zoe"))),
    "that is padded with something": lambda it: sealed_client_handshake(it, text=request_of(it)[:-1] + b"?"),
    "of another size": lambda it: sealed_client_handshake(it, text=request_of(it) + bytes(9 * limits.UNIT)),
    "of too little": lambda it: sealed_client_handshake(it, text=request_of(it)[:-1]),
    "that is padded with too little": lambda it: sealed_client_handshake(it, text=bytes(2)),
}


def sealed_client_handshake(
    it: FalseMember,
    *,
    room: bytes = ROOM,
    hello: bytes | None = None,
    handshake_key: bytes | None = None,
    packed: bytes | None = None,
    text: bytes | None = None,
) -> bytes:
    info = suite.label("client handshake") + room + (hello or it.hello)
    return bytes(16) + suite.seal_to_key(
        handshake_key or it.greeting.handshake_key, request_of(it, packed) if text is None else text, info
    )


def request_of(it: FalseMember, packed: bytes | None = None) -> bytes:
    """A Join, or whatever else is asked, padded."""
    return padding.pad_text(pack(it.join("zoe")) if packed is None else packed, 2_206)


@pytest.mark.parametrize("knock", BAD_CLIENT_HANDSHAKES)
def test_a_client_handshake_that_is_none_ends_the_link_without_a_word(inn: Inn, zoe: FalseMember, knock: str) -> None:
    """2.8"""
    [drop] = zoe.sends(BAD_CLIENT_HANDSHAKES[knock](zoe))
    assert isinstance(drop, effects.DropEffect)
    assert drop.link == zoe.link
    assert inn.ordered() == []
    assert zoe.joins("zoe") == []


def test_a_client_handshake_is_good_for_the_hello_that_it_answers_though_the_handshake_key_has_changed(
    inn: Inn, zoe: FalseMember
) -> None:
    """2.2"""
    late = FalseMember(inn, BOB)
    late.dials(limits.HANDSHAKE_KEY)
    assert late.greeting.handshake_key != zoe.greeting.handshake_key
    assert kinds(zoe.joins("zoe")) == ["TellEffect", "AdmitEffect"]
    assert kinds(late.joins("bob")) == ["TellEffect", "AdmitEffect"]


def test_a_client_handshake_to_an_older_handshake_key_is_none(inn: Inn, zoe: FalseMember) -> None:
    """2.2: recorded traffic is no good after a minute."""
    late = FalseMember(inn, BOB)
    late.dials(limits.HANDSHAKE_KEY)
    [drop] = late.sends(sealed_client_handshake(late, handshake_key=zoe.greeting.handshake_key))
    assert isinstance(drop, effects.DropEffect)


def test_a_host_to_which_nobody_comes_has_no_handshake_key(inn: Inn) -> None:
    """2.2: "and no longer"."""
    handshake_key = inn.eve.greeting.handshake_key
    assert handshake_key in memory.parts(inn.room)
    inn.ticks(limits.HANDSHAKE_KEY + limits.HEARTBEAT)
    assert handshake_key not in memory.parts(inn.room)


def test_a_newcomer_is_shown_the_room_as_it_is_and_follows_from_there(inn: Inn, zoe: FalseMember) -> None:
    """5.2, 7.2"""
    zoe.joins("zoe")
    state = zoe.state
    assert [roster_entry.nick for roster_entry in state.roster] == ["hugo", "ann", "eve", "zoe"]
    assert (state.name, state.host, state.rights.moderators, state.epoch) == ("demo", inn.host.id, (inn.host.id,), 0)
    assert zoe.sealer.reference == (inn.log.end - 1, inn.room.replica.ledger.digest)
    assert state.roster[-1] == room_state.RosterEntry(
        ZOE.key,
        "zoe",
        0,
        away=False,
        key_hash=suite.hash_data(ZOE.encryption_key.public),
        generation=0,
        chain_key=state.roster[-1].chain_key,
    )
    inn.end_batch()
    assert zoe.reads() == []
    zoe.says(text("hello"))
    inn.end_batch()
    [batch] = zoe.batches()
    [entry] = batch.entries
    assert said(zoe.sealer.opened(entry)) == text("hello")
