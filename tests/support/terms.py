"""The term of a room whose founder has hosted it from the beginning."""

from anonp2p.protocol import room_state
from anonp2p.protocol.field_types import Opening


def founders_term(host: bytes, room: bytes, digest: bytes = bytes(32)) -> room_state.Term:
    """host: the founder's id; digest: of the log without entries."""
    return room_state.Term(0, host, room, room, [], [host], False, [Opening(0, host, 0, digest)])
