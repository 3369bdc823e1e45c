"""Copies of the program, each with a Tor of its own: their room goes on when its host leaves, dies or falls silent.

All of them write numbered messages meanwhile. The seconds are those that a busy machine is given: scripts/bench
failover measures what it takes.
"""

import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence

import pytest

from tests.support.company import Company, Member, story
from tests.support.peers import Event
from tests.support.splits import Splits

pytestmark = pytest.mark.tor

# Seconds: much longer than it takes where an heir is linked, even if a dead link only falls silent, and less than where
# everybody waits in vain for one (limits.LOST_BY_ONE).
SOON = 55.0
SILENT = 150.0  # seconds for a room whose host falls silent, or is gone together with its first heir
HEALED = 240.0  # seconds for the parts of a room to meet and agree
READY = 120.0  # seconds for an heir to be ready
JOINED = 120.0  # seconds for a newcomer to be in


@pytest.fixture
def company(torrc: str) -> Iterator[Company]:
    """Whoever is started in a test; they end with it. Where it fails, what those still there were told is shown."""
    with Company(torrc) as company:
        began = time.monotonic()
        yield company
        for member in company.members:
            told = story(member.peer.events, member.peer.times, began)
            sys.stderr.write("\n  ".join([member.nick, *told]) + "\n")


def quits(host: Member) -> None:
    host.peer.send("/quit")


def is_told_to_end(host: Member) -> None:
    host.peer.process.terminate()


def loses_its_terminal(host: Member) -> None:
    host.peer.process.send_signal(signal.SIGHUP)


def hosts(cause: str) -> Callable[[Event], bool]:
    """Whether an event tells of a new host, with this cause."""
    return lambda event: event["type"] == "host" and event["cause"] == cause


def lose_host(company: Company, how: Callable[[Member], None], seconds: float, cause: str = "") -> Member:
    """The host is lost while all talk; returns once all others hear each other, and agree."""
    assert company.await_heir(READY)
    with company.talking():
        lost = company.host
        moment = company.lose([lost], how)
        company.time_reunion(moment, seconds)
        if cause:
            for member in company.members:
                assert hosts(cause)(member.peer.wait("host", since=moment.seen[member.nick]))
    company.require_agreement(seconds)
    return lost


def admit(company: Company) -> None:
    """Somebody new comes in by the code of the beginning."""
    newcomer = company.boot()
    newcomer.peer.wait("ready")
    newcomer.peer.send(f"/join {company.code}")
    company.admit(newcomer, time.monotonic(), JOINED)


def test_hosts_leave_in_every_way_and_nobody_does_anything(company: Company) -> None:
    company.create(4)
    for how in (quits, is_told_to_end, loses_its_terminal):
        lost = lose_host(company, how, SOON, "left")
        assert lost.peer.result()[0] in (0, 128 + signal.SIGTERM, 128 + signal.SIGHUP)
        admit(company)
    for member in company.members:
        assert not member.told(type="cut")
        assert not member.told(type="code")
        assert not member.told(type="alarm")


def test_hosts_are_killed_one_after_the_other_down_to_two_people(company: Company) -> None:
    company.create(4)
    while len(company.members) > 2:
        lose_host(company, Member.kill, SOON, "lost")
    admit(company)
    company.require_agreement(SOON)
    for member in company.members:
        assert not member.told(type="alarm")
        assert not member.told(type="unsent")


def test_a_host_that_falls_silent_is_replaced_and_comes_back_as_a_member(company: Company) -> None:
    company.create(3)
    lost = lose_host(company, Member.stop, SILENT, "lost")
    lost.go_on()
    lost.peer.wait("host", HEALED)  # as merged if it had ordered anything meanwhile, such as that all others are away
    company.members.append(lost)
    company.require_agreement(HEALED)


def test_host_and_first_heir_die_in_one_moment_and_the_next_host_falls_silent(company: Company) -> None:
    """The dead do not stay heirs: else those who are left would wait for them, and have another code again."""
    company.create(5)
    assert company.await_heir(READY, 2)
    with company.talking():
        moment = company.lose([company.host, company.first_heir], Member.kill)
        company.time_reunion(moment, SILENT)
    company.require_agreement(SOON)
    assert company.await_heir(READY)
    codes = {member.nick: member.told(type="code") for member in company.members}
    lose_host(company, Member.stop, SILENT, "lost")
    for member in company.members:
        assert member.told(type="code") == codes[member.nick]


def test_those_who_are_cut_off_each_alone_go_on_writing_and_the_room_is_one_again(company: Company) -> None:
    company.create(4)
    assert company.await_heir(READY)
    with company.talking():
        everybody = list(company.members)
        host, heir = company.host, company.first_heir
        alone = [host, next(member for member in everybody if member not in (host, heir))]
        moment = company.lose(alone, Member.cut_off)
        company.time_reunion(moment, SILENT)
        company.members = everybody
        for member in alone:
            for _ in range(3):
                member.type()
            member.go_on()
    company.require_agreement(HEALED)
    require_honesty(everybody)


def test_a_split_of_any_shape_ends_in_one_room_with_all_that_each_side_wrote(torrc: str) -> None:
    splits = Splits()
    with Company(torrc, splits) as company:
        company.create(4)
        for pieces in (("ha", "ebc"), ("h", "ea", "bc")):
            assert company.await_heir(READY)
            host, heir = company.host, company.first_heir
            others = iter(member for member in company.members if member not in (host, heir))
            names = {"h": host, "e": heir} | dict(zip("abc", others, strict=True))
            seen = {member.nick: len(member.peer.events) for member in company.members}
            splits.split(*[[names[name].nick for name in piece] for piece in pieces])
            with company.talking(1.0):
                heir.peer.wait(hosts("lost"), 2 * SILENT, since=seen[heir.nick])
                time.sleep(2.0)  # both sides write
                splits.heal()
            company.require_agreement(HEALED)
        require_honesty(company.members)


def require_honesty(members: Sequence[Member]) -> None:
    """None of them was told of a lie, or is out."""
    for member in members:
        assert not member.told(type="alarm")
        assert not member.told(type="gone")


def say(author: Member, line: str | Event, seen_by: Member) -> int:
    """The place of a message, once its author and another member have it."""
    at, own = len(seen_by.peer.events), len(author.peer.events)
    author.peer.send(line)
    author.peer.wait(lambda event: event["type"] == "message" and event["mine"], since=own)
    return int(
        seen_by.peer.wait(lambda event: event["type"] == "message" and event["nick"] == author.nick, since=at)["seq"]
    )


def test_what_was_agreed_on_and_said_before_holds_under_the_next_host(company: Company) -> None:
    company.create(3, room="demo --retain 1s:10m:1h --history 20")
    host, ada, ben, eve = company.members
    host.peer.send(f"/kick {eve.nick} no spam")
    host.peer.send("/lock")
    host.peer.send(f"/op {ada.nick}")
    eve.peer.wait("gone")
    assert company.await_heir(READY)
    shown = say(ada, "shall we?", ben)
    ada.peer.send("/retain 30s")
    fleeting = say(ada, "for half a minute", ben)
    ada.peer.send("/retain 10m")
    oops = say(ada, "oops", ben)
    ada.peer.send(f"/retract {oops}")
    ben.peer.wait(lambda event: event["type"] == "expired" and event["seq"] == oops and event["retracted"])
    company.lose([host, eve], lambda member: None)
    host.kill()
    say(ada, f"/msg {ben.nick} between us", ben)
    assert ben.told(type="message", text="between us", private=True)
    say(ben, f"/reply {shown} yes", ada)
    assert ada.told(type="message", text="yes", reply=shown)
    for member in (ada, ben):
        member.peer.wait(lambda event: event["type"] == "expired" and event["seq"] == fleeting)
    stranger = company.boot("join", company.code)
    assert stranger.peer.wait("error")["code"] == "locked"
    ada.peer.send("/unlock")
    ben.peer.wait(lambda event: event["type"] == "locked" and not event["locked"])
    say(ada, "still here", ben)
    admit(company)
    newcomer = company.members[-1]
    newcomer.peer.wait(lambda event: event.get("text") == "still here" and event["history"])
    assert not newcomer.told(type="message", text="oops")
    assert not newcomer.told(type="message", text="for half a minute")
