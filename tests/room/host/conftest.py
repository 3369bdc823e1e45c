"""A host's room, and a stranger before its door."""

import pytest

from tests.room.host.inn import FalseMember, Inn
from tests.room.peers import ZOE


@pytest.fixture
def inn() -> Inn:
    """A host with Ann and Eve in its room."""
    return Inn()


@pytest.fixture
def zoe(inn: Inn) -> FalseMember:
    """A stranger who was greeted."""
    zoe = FalseMember(inn, ZOE)
    zoe.dials()
    return zoe
