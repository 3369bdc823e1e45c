"""What a host and its heirs tell each other, as values."""

import pytest

from anonp2p.crypto import suite
from anonp2p.errors import PeerFault
from anonp2p.names.codes import RoomKey
from anonp2p.protocol import appointment, frames
from tests.room.peers import ANN, BOB, ROOM, ROOM_KEY

OWN = RoomKey(b"o" * 32)


def test_an_address_is_good_for_the_member_and_the_room_for_which_its_service_signed() -> None:
    said = appointment.sign_address(OWN, ROOM, ANN.id)
    appointment.check_address(said, ROOM, ANN.id)
    for room, member in ((bytes(32), ANN.id), (ROOM, BOB.id)):
        with pytest.raises(PeerFault, match="unsigned-address"):
            appointment.check_address(said, room, member)


def test_nobody_passes_off_the_service_of_another_as_its_own() -> None:
    signed = appointment.sign_address(OWN, ROOM, ANN.id)
    with pytest.raises(PeerFault, match="unsigned-address"):
        appointment.check_address(frames.AddressFrame(ROOM, signed.signature), ROOM, ANN.id)


def test_the_key_of_a_code_opens_for_its_heir_alone_and_for_that_code() -> None:
    entrusted = appointment.seal_room_key(ROOM_KEY, ANN.encryption_key.public, ROOM, ANN.id)
    opened = appointment.open_room_key(entrusted.box, [BOB.encryption_key, ANN.encryption_key], ROOM, ANN.id, ROOM)
    assert opened.public == ROOM
    for keys, room, member, code in (
        ([BOB.encryption_key], ROOM, ANN.id, ROOM),
        ([ANN.encryption_key], bytes(32), ANN.id, ROOM),
        ([ANN.encryption_key], ROOM, BOB.id, ROOM),
        ([ANN.encryption_key], ROOM, ANN.id, OWN.public),
    ):
        with pytest.raises(PeerFault, match="wrong-room-key"):
            appointment.open_room_key(entrusted.box, keys, room, member, code)


@pytest.mark.parametrize("seed", [OWN.seed, b"", bytes(31)], ids=["another's", "nothing", "too short"])
def test_what_is_not_the_key_of_the_code_is_refused(seed: bytes) -> None:
    info = suite.label("room key") + ROOM + ANN.id + ROOM
    box = suite.seal_to_key(ANN.encryption_key.public, seed, info)
    with pytest.raises(PeerFault, match="wrong-room-key"):
        appointment.open_room_key(box, [ANN.encryption_key], ROOM, ANN.id, ROOM)


def test_a_pool_opens_for_the_member_and_the_room_for_which_it_was_sealed() -> None:
    pool = b"the pool of a private room here."
    given = appointment.seal_pool(pool, ANN.encryption_key.public, ROOM, ANN.id)
    assert appointment.open_pool(given.box, [BOB.encryption_key, ANN.encryption_key], ROOM, ANN.id) == pool
    for keys, room, member in (
        ([BOB.encryption_key], ROOM, ANN.id),
        ([ANN.encryption_key], bytes(32), ANN.id),
        ([ANN.encryption_key], ROOM, BOB.id),
    ):
        with pytest.raises(PeerFault, match="wrong-pool"):
            appointment.open_pool(given.box, keys, room, member)
    short = appointment.seal_pool(pool[1:], ANN.encryption_key.public, ROOM, ANN.id)
    with pytest.raises(PeerFault, match="wrong-pool"):
        appointment.open_pool(short.box, [ANN.encryption_key], ROOM, ANN.id)
