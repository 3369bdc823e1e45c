"""Finding a Tor that runs already: where to look for its control port, which of those to trust, its SOCKS port."""

import os
import re
from collections.abc import Mapping
from ipaddress import ip_address

import trio

from anonp2p import limits
from anonp2p.config import Config, Endpoint
from anonp2p.errors import AnonError, TorMissing, TorUntrusted, Usage
from anonp2p.net.tor import owner, socks
from anonp2p.net.tor.control import Control, Tell
from anonp2p.net.tor.errors import (
    NoControlPortFound,
    NoLocalSocksPort,
    NoSocksPort,
    NotSocksPort,
    SocksPortMissing,
    TorOffline,
)
from anonp2p.room import events

# Where `auto` looks for a running Tor, after what the environment names: Debian, tor's default, Tor Browser.
USUAL_PORTS = ("unix:/run/tor/control", "127.0.0.1:9051", "127.0.0.1:9151")

_LISTENER = re.compile(r'"([^"]*)"')


async def find_running_tor(config: Config, tell: Tell) -> Control | None:
    """A control connection to a running Tor, whose SOCKS port is known; None where one can do without.

    A Tor that is named with --control is used as it is. Others must be trusted (`owner`, `Control.open`), booted, and
    have a SOCKS port that is trusted too, unless one is named.
    """
    if config.control:
        return await _open_named(config.control, config, tell)
    refusal: AnonError = NoControlPortFound()
    named: AnonError | None = None
    for name, text in list_places(os.environ):
        try:
            return await _open_discovered(Endpoint.parse(text), config)
        except AnonError as error:
            if name:
                tell(events.TorSkippedEvent(code=error.code, text=error, variable=name))
                named = named or error
            elif isinstance(error, TorUntrusted):
                tell(events.TorSkippedEvent(code=error.code, text=error))
            if not isinstance(error, TorMissing):
                refusal = error
    if config.tor == "system" and not config.socks:
        raise named or refusal
    return None


async def _open_named(endpoint: Endpoint, config: Config, tell: Tell) -> Control:
    """A control connection to the Tor that --control names, once it is booted. Raises AnonError."""
    control = await Control.open(endpoint)
    try:
        await control.boot(tell)
        if not config.socks:
            await find_socks_port(control)  # so that one without is known from the start
    except BaseException:
        await control.aclose()
        raise
    return control


def list_places(environment: Mapping[str, str]) -> list[tuple[str, str]]:
    """Where to look for a control port, in order: by which variable it is named, if by one, and which."""
    return [*_list_named_ports(environment), *(("", place) for place in USUAL_PORTS)]


def _list_named_ports(environment: Mapping[str, str]) -> list[tuple[str, str]]:
    """The control ports that the environment names, as other programs understand it: by which variable, and which."""
    named = []
    if path := environment.get("TOR_CONTROL_IPC_PATH", ""):
        named.append(("TOR_CONTROL_IPC_PATH", f"unix:{path}"))
    host, port = environment.get("TOR_CONTROL_HOST", ""), environment.get("TOR_CONTROL_PORT", "")
    if host or port:
        variable = "TOR_CONTROL_PORT" if port else "TOR_CONTROL_HOST"
        named.append((variable, f"{host or '127.0.0.1'}:{port or 9051}"))
    return named


async def _open_discovered(endpoint: Endpoint, config: Config) -> Control:
    """A control connection to a Tor that nobody named with --control. Raises AnonError where it is not to be used."""
    control = await Control.open(endpoint, discovered=True)
    try:
        if not await control.is_booted():
            raise TorOffline(endpoint)
        if not config.socks:
            await try_socks_port(await find_socks_port(control), discovered=True)
        await control.subscribe("HS_DESC")
    except BaseException:
        await control.aclose()
        raise
    return control


async def find_socks_port(control: Control) -> Endpoint:
    """The SOCKS port of a running Tor, on this machine; TCP before unix sockets, which may not be open to us."""
    listeners = _LISTENER.findall(await control.info("net/listeners/socks"))
    if not listeners:
        raise NoSocksPort
    local = [endpoint for endpoint in map(_parse_local, listeners) if endpoint]
    if not local:
        raise NoLocalSocksPort
    return sorted(local, key=lambda endpoint: bool(endpoint.path))[0]


def _parse_local(listener: str) -> Endpoint | None:
    """A SOCKS port as a Tor names it, if it is a unix socket or a port on this machine's loopback."""
    try:
        endpoint = Endpoint.parse(listener)
    except Usage:
        return None
    if endpoint.path:
        return endpoint
    address = ip_address(endpoint.host)
    if address.is_unspecified:  # a wildcard, so on the loopback too
        return Endpoint(host="::1" if address.version == 6 else "127.0.0.1", port=endpoint.port)
    return endpoint if address.is_loopback else None


async def try_socks_port(proxy: Endpoint, *, discovered: bool = False) -> None:
    """Raises TorMissing, TorRefused, TorUntrusted where there is no SOCKS port to use."""
    with trio.move_on_after(limits.CONTROL_PATIENCE):
        try:
            stream, _ = await owner.connect(proxy, discovered=discovered)
            async with stream:
                await socks.greet(stream, "anonp2p", "anonp2p")
                return
        except OSError:
            raise SocksPortMissing(proxy) from None
        except (socks.SocksError, trio.BrokenResourceError):
            pass
    raise NotSocksPort(proxy)
