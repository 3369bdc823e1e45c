"""A host that lies, and the guest that it let in."""

import pytest

from tests.room.peers import FalseHost, kinds


@pytest.fixture
def host() -> FalseHost:
    """A host whose guest was let in."""
    host = FalseHost()
    assert kinds(host.lets_in()) == ["LinkEvent", "EnteredEvent"]
    return host
