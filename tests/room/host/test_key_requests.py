"""A host gives the encryption keys that are asked for."""

from anonp2p import limits
from anonp2p.crypto import suite
from anonp2p.protocol import frames
from anonp2p.protocol.frames import Renew
from tests.room.peers import ANN, BOB, ZOE, Inn


def test_a_host_finds_the_leaves_that_are_in_the_log_and_no_others(inn: Inn) -> None:
    """5.15"""
    for epoch in (1, 2):
        inn.ticks(epoch * limits.EPOCH)
        inn.ann.follows()
        inn.eve.follows()

    def found(leaf: bytes) -> list[frames.Frame]:
        return inn.eve.answers(inn.eve.sends(frames.Seek(suite.digest(leaf))))

    assert found(ANN.leaf.public) == [frames.Found(ANN.leaf.public)]
    assert found(inn.room.replica.own_keys[0].public) == [frames.Found(inn.room.replica.own_keys[0].public)]
    assert found(ZOE.leaf.public) == [frames.Missing(suite.digest(ZOE.leaf.public))]
    inn.ann.sends(frames.Leaf(ZOE.leaf.public))
    assert found(ZOE.leaf.public) == [frames.Missing(suite.digest(ZOE.leaf.public))]
    inn.ann.says(Renew(suite.digest(ZOE.leaf.public)))
    assert found(ZOE.leaf.public) == [frames.Found(ZOE.leaf.public)]
    assert found(ANN.leaf.public) == [frames.Missing(suite.digest(ANN.leaf.public))]
    inn.ann.says(Renew(suite.digest(BOB.leaf.public)))  # which it has never shown
    assert found(BOB.leaf.public) == [frames.Missing(suite.digest(BOB.leaf.public))]
