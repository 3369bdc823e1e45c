"""Copies of the program, each with a Tor of its own: who is thrown out while it is cut off learns so."""

import sys
import time
from collections.abc import Iterator

import pytest

from tests.support.company import Company, Member, story

pytestmark = pytest.mark.tor

READY = 60.0  # seconds for an heir to be ready
SILENT = 90.0  # seconds until a host that has fallen silent has a successor
HEALED = 150.0  # seconds until who was cut off knows where it stands


@pytest.fixture
def company(torrc: str) -> Iterator[Company]:
    """Whoever is started in a test; they end with it. Where it fails, what those still there were told is shown."""
    with Company(torrc) as company:
        began = time.monotonic()
        yield company
        for member in company.members:
            told = story(member.peer.events, member.peer.times, began)
            sys.stderr.write("\n  ".join([member.nick, *told]) + "\n")


def cut_off(*members: Member) -> None:
    """Each notices that it has lost its host."""
    for member in members:
        member.cut_off()
    for member in members:
        member.peer.wait(lambda event: event["type"] == "link" and event["state"] == "lost", READY)


def test_who_is_cut_off_while_the_code_changes_twice_is_back_or_told_that_it_was_thrown_out(company: Company) -> None:
    """8.5: the first two codes were also the way of members to the host, who alone is left of those that they know."""
    company.create(4)
    assert company.await_heir(READY, 2)
    host, *others = company.members
    heir = company.first_heir
    one, two, three = [member for member in others if member is not heir]
    cut_off(two, three)
    codes = set()
    for out in (heir, one):
        at = len(host.peer.events)
        host.peer.send(f"/kick {out.nick}")
        out.peer.wait("gone")
        codes.add(host.peer.wait("code", since=at)["code"])
        host.peer.wait("heirs", since=at)
    assert len(codes) == 2
    host.peer.send(f"/ban {three.nick}")
    host.peer.wait("ban")
    two.go_on()
    three.go_on()
    assert three.peer.wait("gone", HEALED)["reason"] == "kicked"
    two.peer.wait(lambda event: event["type"] == "link" and event["state"] == "up", HEALED, since=len(two.peer.events))
    two.type()
    host.peer.wait(lambda event: event["type"] == "message" and event["text"] == two.typed[-1], HEALED)
    assert not two.told(type="gone")


def test_a_host_that_was_cut_off_from_all_others_is_told_that_they_have_thrown_it_out(company: Company) -> None:
    """8.17"""
    company.create(3)
    assert company.await_heir(READY, 2)
    creator, heir = company.host, company.first_heir
    creator.cut_off()
    heir.peer.wait("hosting", SILENT)
    creator.go_on()
    creator.peer.wait(lambda event: event["type"] == "host" and event["nick"] == heir.nick, HEALED)
    heir.cut_off()
    creator.peer.wait(lambda event: event["type"] == "host" and event["nick"] != heir.nick, HEALED)
    creator.peer.send(f"/ban {heir.nick}")
    creator.peer.wait("ban", READY)
    heir.go_on()
    assert heir.peer.wait("gone", HEALED)["reason"] == "kicked"
    assert not creator.told(type="alarm")
