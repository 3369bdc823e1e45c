"""How far apart two rooms of one user are left, and come back, over a private Tor network; see scripts/bench."""

import os
import signal
import statistics
import time
from collections.abc import Callable

from anonp2p import limits
from tests.support.networks import private_network
from tests.support.peers import Event, Peer
from tests.support.tors import running_tor

_OFFLINE = limits.LINK_LOST + limits.DIAL_TRIES[0]  # seconds: links are lost, and the next tries wait for the network
_SOON = (0.05, 0.2, 1.0)  # seconds apart, up to which two events are counted


def _times_of(peer: Peer, holds: Callable[[Event], bool], since: int) -> float:
    """How far apart the first such events of two rooms came."""
    rooms: dict[str, float] = {}
    while len(rooms) < 2:
        event = peer.wait(lambda it: holds(it) and it["room"] not in rooms, since=since)
        rooms[event["room"]] = peer.times[peer.events.index(event, since)]
    first, second = rooms.values()
    return abs(second - first)


def _is_up(event: Event) -> bool:
    return bool(event["type"] == "link" and event["state"] == "up")


def _join(peer: Peer, codes: list[str]) -> None:
    for code in codes:
        peer.send(f"/join {code}")
    _times_of(peer, lambda event: event["type"] == "room", 0)


def _quit(torrc: str, host: Peer, codes: list[str]) -> float:
    """As seen by the hosts of both rooms."""
    with Peer("--torrc", torrc, "--nick", "ada") as user:
        _join(user, codes)
        since = len(host.events)
        user.send("/quit")
        return _times_of(host, lambda event: event["type"] == "left", since)


def _restart_tor(user: Peer) -> float:
    since = len(user.events)
    os.kill(user.tor(), signal.SIGKILL)
    return _times_of(user, _is_up, since)


def _print(what: str, apart: list[float]) -> None:
    shares = "".join(f"{sum(it <= soon for it in apart):>8} of {len(apart)}" for soon in _SOON)
    print(f"{what:<34}{statistics.median(apart):>9.3f}{max(apart):>9.3f}{shares}", flush=True)


def rooms(trials: int) -> None:
    """Two rooms, and one user of both who quits, whose Tor dies, or whose network is gone for a while."""
    print("two rooms of one user, seconds apart  median  longest" + "".join(f"   <= {it:g} s" for it in _SOON))
    with private_network() as torrc, Peer("--torrc", torrc, "--nick", "hugo") as host:
        for name in ("one", "two"):
            host.send(f"/create {name}")
        _times_of(host, lambda event: event["type"] == "reachable", 0)
        codes = [event["code"] for event in host.events if event["type"] == "room"]
        _print("left at the end of the program", [_quit(torrc, host, codes) for _ in range(trials)])
        with Peer("--torrc", torrc, "--nick", "ben") as user:
            _join(user, codes)
            _print("back after Tor was killed", [_restart_tor(user) for _ in range(trials)])
        with running_tor(torrc) as tor, Peer("--control", tor.control, "--nick", "eve") as user:
            _join(user, codes)
            apart = []
            for _ in range(trials):
                tor.set_online(online=False)
                time.sleep(_OFFLINE)
                since = len(user.events)
                tor.set_online(online=True)
                apart.append(_times_of(user, _is_up, since))
            _print("back after the network was gone", apart)
