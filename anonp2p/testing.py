"""Rooms without Tor, in memory, by a clock that jumps: for tests of programs that stand on the library.

docs/BOTS.md says how. Nothing here protects the memory of the process.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar, TypeVarTuple

import trio
import trio.testing

from anonp2p.client.client import Tell
from anonp2p.config import Config
from anonp2p.library import Tor, check_types, open_tor
from anonp2p.names import nicks
from anonp2p.net.memory import MemoryTransport, MemoryWire
from anonp2p.net.transport import Transport
from anonp2p.room.events import ReadyEvent

__all__ = ["Network", "run"]

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class Network:
    """A network in memory, in place of Tor: who connects by it meets the others who do, and nobody else."""

    def __init__(self) -> None:
        self._transport = MemoryTransport(MemoryWire)

    @asynccontextmanager
    async def connect(
        self,
        *,
        nick: str = "",
        tor: str = "auto",
        control: object = None,
        socks: object = None,
        torrc: object = None,
        bridge: object = (),
        listen: object = None,
        amnesic: bool = False,
        no_heir: bool = False,
        no_entrust: bool = False,
        cover: bool = False,
    ) -> AsyncIterator[Tor]:
        """As `anonp2p.connect`, and like another person each time; the options that choose a Tor mean nothing here.

        Raises BadNick of anonp2p.errors.
        """
        check_types(nick=nick, tor=tor, control=control, socks=socks, torrc=torrc, bridge=bridge, listen=listen)
        check_types(amnesic=amnesic, no_heir=no_heir, no_entrust=no_entrust, cover=cover)
        name = nicks.parse_nick(nick) if nick else ""
        config = Config(nick=name, no_heir=no_heir, no_entrust=no_entrust, cover=cover)
        async with open_tor(config, self._provide) as opened:
            yield opened

    @asynccontextmanager
    async def _provide(self, config: Config, tell: Tell) -> AsyncIterator[Transport]:
        await trio.lowlevel.checkpoint()
        tell(ReadyEvent(version="", tor="own"))
        yield self._transport

    def cut(self) -> None:
        """Breaks all links; programs make new ones at once."""
        self._transport.cut()

    def go_down(self) -> None:
        """Breaks all links, and lets nobody make a new one until it is up again."""
        self._transport.is_up = False
        self._transport.cut()

    def come_up(self) -> None:
        """Links can be made again; programs notice within seconds of the clock."""
        self._transport.is_up = True


def run(async_fn: Callable[[*Ts], Awaitable[T]], *args: *Ts) -> T:
    """As `trio.run`, by a clock that jumps ahead whenever nothing else is to be done, so that no time is spent waiting.

    It does not wait for threads or other processes: where a program uses them, `trio.run` is the right one.
    """
    return trio.run(async_fn, *args, clock=trio.testing.MockClock(autojump_threshold=0))
