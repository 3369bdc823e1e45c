"""All checks, one after the other, each bounded in time; what fails does not keep later ones from being made.

Tor's boot has the bounds that the program gives it: one that takes long and gets there is not to be told to be stuck.
"""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial

import trio

from anonp2p import errors, limits
from anonp2p.config import Config
from anonp2p.doctor.directories import check_directories
from anonp2p.doctor.plugins import check_bridges
from anonp2p.doctor.ports import check_commands, check_control_ports
from anonp2p.doctor.tor_program import check_tor_program
from anonp2p.doctor.trial import check_lookup, check_room, check_socks
from anonp2p.errors import AnonError, TorRefused
from anonp2p.findings import CheckBegun, CheckMade, CheckName, CheckWaits, Finding, Told, find
from anonp2p.net.tor import tor
from anonp2p.net.tor.tor import Tor
from anonp2p.room import events

Tell = Callable[[Told], None]
Hear = Callable[[events.Event], None]
Connect = Callable[[Config, Hear], AbstractAsyncContextManager[Tor]]
Check = Callable[[], Awaitable[Sequence[Finding]]]

_AFTER_BOOT: tuple[CheckName, ...] = ("socks-port", "room", "commands")


async def examine(config: Config, tell: Tell, connect: Connect = tor.connect) -> None:
    """Makes all checks that need trio; the others are made before (`dependencies`, `memory`).

    connect: finds or starts a Tor.
    """
    await make_check("directories", _in_thread(check_directories, config), tell)
    await make_check("tor-program", partial(check_tor_program, config), tell)
    await make_check("bridges", _in_thread(check_bridges, config), tell)
    await make_check("control-ports", partial(check_control_ports, config), tell)
    await _Boot(config, tell).run(partial(connect, config))


def _in_thread(check: Callable[[Config], Sequence[Finding]], config: Config) -> Check:
    """A check that asks file systems, of which one may hang."""
    return partial(trio.to_thread.run_sync, check, config, abandon_on_cancel=True)


async def make_check(name: CheckName, check: Check, tell: Tell, seconds: float = limits.CHECK_PATIENCE) -> None:
    """One check; an error in it is what it finds."""
    tell(CheckBegun(name))
    findings: Sequence[Finding] = [find("check-too-long", round(seconds))]
    try:
        with trio.move_on_after(seconds):
            findings = await check()
    except* AnonError as group:
        findings = [find("failed", errors.first(group))]
    tell(CheckMade(name, findings))


class _Boot:
    """A Tor as the program gets it, and what is looked at once it is there."""

    def __init__(self, config: Config, tell: Tell) -> None:
        self._config = config
        self._tell = tell
        self._version = ""
        self._notes: list[Finding] = []
        self._is_over = False  # whether there is a Tor, or will be none

    async def run(self, connect: Callable[[Hear], AbstractAsyncContextManager[Tor]]) -> None:
        self._tell(CheckBegun("boot"))
        begun = trio.current_time()
        try:
            async with connect(self._hear) as connected:
                self._conclude(find("booted", connected.kind, self._version, round(trio.current_time() - begun, 1)))
                await self._look_at(connected)
        except* AnonError as group:
            self._conclude(find("failed", errors.first(group)))

    def _hear(self, event: events.Event) -> None:
        """What is told while Tor gets ready."""
        match event:
            case events.ReadyEvent(version=version):
                self._version = version
            case events.StateInUseEvent():
                self._notes.append(find("state-in-use"))
            case events.TorProgressEvent(progress=progress, summary=summary):
                self._tell(CheckWaits(progress, summary))
            case events.TorSlowEvent(progress=progress, summary=summary, seconds=seconds, warning=warning):
                self._tell(CheckWaits(progress, summary, seconds, warning or None))

    def _conclude(self, finding: Finding) -> None:
        """Tells how it went, once; without a Tor, what would follow is left out."""
        if self._is_over:
            return
        self._is_over = True
        self._tell(CheckMade("boot", [finding, *self._notes]))
        if finding.state == "wrong":
            for name in _AFTER_BOOT:
                self._tell(CheckMade(name, [find("needs-boot")]))

    async def _look_at(self, connected: Tor) -> None:
        publishes = False

        async def room() -> Sequence[Finding]:
            nonlocal publishes
            lack = connected.lack
            if lack is None:
                try:
                    findings = await check_room(connected)
                except TorRefused as error:
                    lack = error
                else:
                    publishes = True
                    return findings
            return [judge_lack(self._config, lack), *await check_lookup(connected)]

        async def socks() -> Sequence[Finding]:
            return await check_socks(connected, await connected.find_proxy())

        async def asked() -> Sequence[Finding]:
            return await check_commands(connected.control, publishes=publishes)

        long = 2 * (limits.PUBLISH_PATIENCE + limits.DIAL_PATIENCE) + limits.CHECK_PATIENCE
        await make_check("socks-port", socks, self._tell)
        await make_check("room", room, self._tell, long)
        await make_check("commands", asked, self._tell)


def judge_lack(config: Config, lack: AnonError) -> Finding:
    """Why no room can be published: that is as it is where only a SOCKS port was named."""
    is_asked = config.socks is not None and config.control is None
    return find("join-only" if is_asked else "failed", lack)
