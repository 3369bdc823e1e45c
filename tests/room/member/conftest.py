"""A host that lies, and the guest that it let in."""

import pytest

from tests.room.member.false_host import FalseHost
from tests.room.peers import kinds


@pytest.fixture
def host() -> FalseHost:
    """A host whose guest was let in."""
    host = FalseHost()
    assert kinds(host.lets_in()) == ["LinkEvent", "EnteredEvent"]
    return host
