"""Copies of the program, each with a Tor of its own: who is thrown out while it is cut off learns so."""

import sys
import time
from collections.abc import Iterator

import pytest

from tests.support.company import Company, story

pytestmark = pytest.mark.tor

READY = 120.0  # seconds for an heir to be ready
SILENT = 150.0  # seconds until a host that has fallen silent has a successor
HEALED = 240.0  # seconds until who was cut off knows where it stands


@pytest.fixture
def company(torrc: str) -> Iterator[Company]:
    """Whoever is started in a test; they end with it. Where it fails, what those still there were told is shown."""
    with Company(torrc) as company:
        began = time.monotonic()
        yield company
        for member in company.members:
            told = story(member.peer.events, member.peer.times, began)
            sys.stderr.write("\n  ".join([member.nick, *told]) + "\n")


def test_a_host_that_was_cut_off_from_all_others_is_told_that_they_have_thrown_it_out(company: Company) -> None:
    """8.17"""
    company.create(3)
    assert company.await_heir(READY, 2)
    creator, heir = company.host, company.first_heir
    creator.cut_off()
    heir.peer.wait("hosting", SILENT)
    creator.go_on()
    creator.peer.wait(lambda event: event["type"] == "host" and event["nick"] == heir.nick, HEALED)
    known = len(creator.peer.events)
    heir.cut_off()
    creator.peer.wait(lambda event: event["type"] == "host" and event["nick"] != heir.nick, HEALED, since=known)
    creator.peer.send(f"/ban {heir.nick}")
    creator.peer.wait("ban", READY)
    heir.go_on()
    assert heir.peer.wait("gone", HEALED)["reason"] == "kicked"
    assert not creator.told(type="alarm")
