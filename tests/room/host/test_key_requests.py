"""A host gives the encryption keys that are asked for."""

from anonp2p import limits
from anonp2p.crypto import suite
from anonp2p.protocol import frames
from anonp2p.protocol.bodies import RenewBody
from tests.room.host.inn import Inn
from tests.room.peers import ANN, BOB, ZOE


def test_a_host_finds_the_keys_that_are_in_the_log_and_no_others(inn: Inn) -> None:
    """5.15"""
    for epoch in (1, 2):
        inn.ticks(epoch * limits.EPOCH)
        inn.ann.follows()
        inn.eve.follows()

    def found(key: bytes) -> list[frames.Frame]:
        return inn.eve.answers(inn.eve.sends(frames.KeyRequestFrame(suite.hash_data(key))))

    assert found(ANN.encryption_key.public) == [frames.KeyResponseFrame(ANN.encryption_key.public)]
    assert found(inn.room.replica.own_keys[0].public) == [frames.KeyResponseFrame(inn.room.replica.own_keys[0].public)]
    assert found(ZOE.encryption_key.public) == [frames.KeyNotFoundFrame(suite.hash_data(ZOE.encryption_key.public))]
    inn.ann.sends(frames.KeyFrame(ZOE.encryption_key.public))
    assert found(ZOE.encryption_key.public) == [frames.KeyNotFoundFrame(suite.hash_data(ZOE.encryption_key.public))]
    inn.ann.says(RenewBody(suite.hash_data(ZOE.encryption_key.public)))
    assert found(ZOE.encryption_key.public) == [frames.KeyResponseFrame(ZOE.encryption_key.public)]
    assert found(ANN.encryption_key.public) == [frames.KeyNotFoundFrame(suite.hash_data(ANN.encryption_key.public))]
    inn.ann.says(RenewBody(suite.hash_data(BOB.encryption_key.public)))  # which it has never shown
    assert found(BOB.encryption_key.public) == [frames.KeyNotFoundFrame(suite.hash_data(BOB.encryption_key.public))]
