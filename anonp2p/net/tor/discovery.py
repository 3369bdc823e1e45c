"""Finding a Tor that runs already: where to look for its ports, which of those to trust, what it grants."""

import os
import re
from collections.abc import Mapping
from ipaddress import ip_address
from typing import NamedTuple

import trio

from anonp2p import limits
from anonp2p.config import Config, Endpoint
from anonp2p.errors import AnonError, TorMissing, TorUntrusted, Usage
from anonp2p.net.tor import commands, owner, place, process, socks
from anonp2p.net.tor.control import Control, Tell
from anonp2p.net.tor.errors import (
    ControlPortUnusable,
    HiddenByFlatpak,
    NoControlPortFound,
    NoLocalSocksPort,
    NoSocksPort,
    NotSocksPort,
    SocksPortMissing,
    SocksPortUntold,
    TorOffline,
)
from anonp2p.room import events

# Where `auto` looks for a running Tor, after what the environment names: Debian, tor's default, Tor Browser.
USUAL_PORTS = ("unix:/run/tor/control", "127.0.0.1:9051", "127.0.0.1:9151")

_LISTENER = re.compile(r'"([^"]*)"')


class FoundTor(NamedTuple):
    """A Tor that runs already. control: None where its SOCKS port is all that it grants us; lack: why.

    proxy: its SOCKS port; None where the control port tells it at each dial. is_proxy_found: whether nobody named it,
    so that whoever listens there has to be trusted.
    """

    control: Control | None
    proxy: Endpoint | None
    is_proxy_found: bool = False
    lack: AnonError | None = None


async def find_running_tor(config: Config, tell: Tell) -> FoundTor | None:
    """A running Tor whose SOCKS port is known, with a control connection if it grants one; None to start our own.

    A Tor that is named with --control is used as it is. Others must be trusted (`owner`, `Control.open`), booted, and
    have a SOCKS port that is trusted too, unless one is named. Raises AnonError.
    """
    if config.tor == "own":
        return None
    if config.control:
        return await _open_named(config.control, config, tell)
    if config.tor == "auto" and config.socks:
        await try_socks_port(config.socks)
        return FoundTor(None, config.socks)
    refusal: AnonError = HiddenByFlatpak() if place.is_flatpak() else NoControlPortFound()
    named: AnonError | None = None
    for name, text in list_control_ports(os.environ):
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
    return await _find_without_control(config, named or refusal)


async def _find_without_control(config: Config, refusal: AnonError) -> FoundTor | None:
    """A Tor of which we have a SOCKS port alone; None to start our own, where that is better. Raises AnonError."""
    lack: AnonError = ControlPortUnusable(refusal.detail)
    if config.socks:
        await try_socks_port(config.socks)
        return FoundTor(None, config.socks, lack=lack)
    if config.tor == "auto" and not place.has_no_own_tor():
        try:
            process.find()
        except TorMissing as error:
            lack = error
        else:
            return None
    if proxy := await find_usual_socks_port():
        return FoundTor(None, proxy, is_proxy_found=True, lack=lack)
    if config.tor == "auto" and isinstance(lack, TorMissing):
        raise lack
    raise refusal


async def _open_named(endpoint: Endpoint, config: Config, tell: Tell) -> FoundTor:
    """The Tor that --control names, once it is booted. Raises AnonError."""
    control = await Control.open(endpoint, password=config.password)
    try:
        await control.boot(tell)
        return await _find_proxy(control, config)  # so that one without is known from the start
    except BaseException:
        await control.aclose()
        raise


def list_control_ports(environment: Mapping[str, str]) -> list[tuple[str, str]]:
    """Where `auto` looks, in this order: by which variable of the environment, if by any, and which control port."""
    return [*_list_named_ports(environment), *(("", port) for port in USUAL_PORTS)]


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


async def _open_discovered(endpoint: Endpoint, config: Config) -> FoundTor:
    """A Tor that nobody named with --control. Raises AnonError where it is not to be used."""
    control = await Control.open(endpoint, discovered=True, password=config.password)
    try:
        if not await control.is_booted():
            raise TorOffline(endpoint)
        return await _find_proxy(control, config)
    except BaseException:
        await control.aclose()
        raise


async def _find_proxy(control: Control, config: Config) -> FoundTor:
    """This Tor with its SOCKS port, as it is named, told or found. Raises AnonError."""
    if config.socks:
        return FoundTor(control, config.socks)
    try:
        told = await find_socks_port(control)
        await try_socks_port(told, discovered=control.discovered)
    except (SocksPortUntold, NoLocalSocksPort, SocksPortMissing) as error:  # a filter, or a Tor on another machine
        untold: AnonError = error
    else:
        return FoundTor(control, None)
    if proxy := await find_usual_socks_port():
        return FoundTor(control, proxy, is_proxy_found=True)
    raise untold


async def find_socks_port(control: Control) -> Endpoint:
    """The SOCKS port of a running Tor, on this machine; TCP before unix sockets, which may not be open to us.

    Raises TorRefused, TorLost.
    """
    told = await control.info(commands.SOCKS_PORTS)
    if told is None:
        raise SocksPortUntold
    listeners = _LISTENER.findall(told)
    if not listeners:
        raise NoSocksPort
    local = [endpoint for endpoint in map(_parse_local, listeners) if endpoint]
    if not local:
        raise NoLocalSocksPort
    return sorted(local, key=lambda endpoint: bool(endpoint.path))[0]


async def find_usual_socks_port() -> Endpoint | None:
    """The first SOCKS port of whom we trust, where the environment names one or one usually is."""
    for _, text in place.list_socks_ports(os.environ):
        try:
            proxy = Endpoint.parse(text)
            await try_socks_port(proxy, discovered=True)
        except AnonError:
            continue
        return proxy
    return None


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
