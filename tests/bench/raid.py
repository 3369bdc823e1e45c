"""How soon a raid is over for those who are in the room, once a moderator has typed two commands; see scripts/bench."""

import json
import secrets
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, Final

import trio

from anonp2p.net.session import Session
from anonp2p.net.shared_network import SharedNetwork
from anonp2p.net.transport import Transport
from anonp2p.room import events
from anonp2p.room.room import Room
from tests.bench.attack import Attack, honest_network
from tests.bench.children import BenchFailed, Measured, child, measured
from tests.support.tors import running_tor

MEMBERS: Final = 5  # honest ones, beside the host, who moderates
COMMANDS: Final = ("/raid", "/purge 10m")
TARGET: Final = 5.0  # seconds within which it is to be over
PATIENCE: Final = 120.0  # seconds until the raiders are in, and until they are out
QUIET: Final = 5.0  # seconds in which nothing of them is seen: it is over


class _Honest:
    """A member's program, and when it was last told something of a raider's."""

    def __init__(self, number: int, host: Measured, network: Transport) -> None:
        async def usable(_: float) -> Transport:
            await trio.lowlevel.checkpoint()
            return network

        room = Room(label="r1", key=host.room, random=secrets.token_bytes, nick=f"honest{number}")
        self.session = Session(room, self._take_event, SharedNetwork(usable))
        self.is_in = trio.Event()
        self.raiders: set[str] = set()
        self.seen = Counter[str]()
        self.last = 0.0

    def _take_event(self, event: events.Event) -> None:
        match event:
            case events.EnteredEvent():
                self.is_in.set()
            case events.JoinedEvent(member=member, nick=nick) if not nick.startswith("honest"):
                self.raiders.add(member)
                self._note("joined")
            case events.LeftEvent(member=member) if member in self.raiders:
                self.raiders.discard(member)
                self._note("left")
            case events.MessageEvent():
                self._note("messages")

    def _note(self, what: str) -> None:
        self.seen[what] += 1
        self.last = trio.current_time()


async def _until(condition: Callable[[], bool], what: str) -> None:
    with trio.move_on_after(PATIENCE) as patience:
        while not condition():  # noqa: ASYNC110  # what many sessions were told, and when: nothing is measured by it
            await trio.sleep(0.02)
    if patience.cancelled_caught:
        raise BenchFailed(f"{PATIENCE:g} s are not enough for {what}")


async def _measure(raiders: int, torrc: str) -> None:
    with ExitStack() as stack:
        host = stack.enter_context(measured(*[torrc] * bool(torrc)))
        plan: dict[str, Any] = {"habits": ["raid"], "streams": raiders, "room": host.room.hex(), "port": host.port}
        if torrc:
            plan |= {"socks": stack.enter_context(running_tor(torrc)).socks.removeprefix("unix:"), "code": host.code}
            del plan["port"]
        async with honest_network(host, torrc) as network, trio.open_nursery() as nursery:
            honest = [_Honest(number, host, network) for number in range(MEMBERS)]
            for one in honest:
                nursery.start_soon(one.session.run)
            await _until(lambda: all(one.is_in.is_set() for one in honest), "members to come in")
            attack = Attack(stack.enter_context(child("tests.bench.strangers")), plan)
            began = trio.current_time()
            await _until(lambda: all(len(one.raiders) >= raiders for one in honest), "raiders to come in")
            came = trio.current_time() - began
            before = [one.seen.copy() for one in honest]
            said = trio.current_time()
            for command in COMMANDS:
                host.type(command)
            await _until(
                lambda: all(not one.raiders and trio.current_time() > one.last + QUIET for one in honest),
                "the raid to be over",
            )
            over = [one.last - said for one in honest]
            texts = max(one.seen["messages"] - was["messages"] for one, was in zip(honest, before, strict=True))
            cost = host.read()["cpu"]
            print(f"{raiders} raiders were in after {came:.1f} s, and had said {before[0]['messages']:,} messages")
            print(f"over {min(over):.2f} to {max(over):.2f} s after {' and '.join(COMMANDS)}; {texts:,} more messages")
            print(f"since then: {json.dumps(await attack.read())}; processor time of the host: {cost:.1f} s")
            nursery.cancel_scope.cancel()
        if max(over) > TARGET:
            raise BenchFailed(f"that is more than {TARGET:g} s")


def raid(raiders: int, torrc: str) -> None:
    """So many join and say 20 messages each, and go on to dial. Raises BenchFailed where that is not over soon."""
    trio.run(_measure, raiders, torrc)
