"""On what kind of system we run, as far as that says where Tor is.

On a Whonix workstation Tor runs on another machine, the gateway. Its ports are forwarded to this one's loopback, and it
reaches us by the network between the two. On Tails Tor runs here, but only it may use the network.
"""

import grp
import socket
import stat
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path

from anonp2p import limits
from anonp2p.config import Endpoint, Listen
from anonp2p.net.tor.errors import GatewayUnknown

_WHONIX = Path("/usr/share/anon-ws-base-files/workstation")  # on workstations, not on gateways
TAILS, RELEASE = Path("/etc/amnesia"), Path("/etc/os-release")
_FLATPAK = Path("/.flatpak-info")
_DEBIAN_GROUP = "debian-tor"
ROUTES = Path("/proc/net/route")
_IS_GATEWAY = 0x2  # RTF_GATEWAY, linux/route.h

TOR_PORT, BROWSER_PORT = "127.0.0.1:9050", "127.0.0.1:9150"  # SOCKS: tor's default, also on Tails; Tor Browser, Whonix


def is_whonix() -> bool:
    return _WHONIX.exists()


def is_tails() -> bool:
    try:
        return TAILS.exists() or "\nTAILS_" in RELEASE.read_text("utf-8", "replace")
    except OSError:
        return False


def is_flatpak() -> bool:
    """Whether we run in a sandbox of flatpak."""
    return _FLATPAK.exists()


def has_no_own_tor() -> bool:
    """Whether a Tor that we start here could reach nothing, or would run over another one."""
    return is_whonix() or is_tails()


def list_socks_ports(environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Where a SOCKS port may be, in this order: by which variable of the environment, if by any, and which one."""
    if path := environment.get("TOR_SOCKS_IPC_PATH", ""):
        yield "TOR_SOCKS_IPC_PATH", f"unix:{path}"
    host, port = environment.get("TOR_SOCKS_HOST", ""), environment.get("TOR_SOCKS_PORT", "")
    if host or port:
        yield "TOR_SOCKS_PORT" if port else "TOR_SOCKS_HOST", f"{host or '127.0.0.1'}:{port or 9050}"
    for usual in (BROWSER_PORT, TOR_PORT) if is_whonix() else (TOR_PORT, BROWSER_PORT):
        yield "", usual


def find_gateway(control: Endpoint | None) -> str:
    """The address of the other machine on which Tor runs: by its control port, or else the way out of this one.

    Raises TorRefused where neither says.
    """
    if control is not None and not control.is_local:
        return control.host
    try:
        rows = [line.split() for line in ROUTES.read_text("ascii").splitlines()[1:]]
    except OSError:
        rows = []
    for row in rows:
        if row[1] == "00000000" and int(row[3], 16) & _IS_GATEWAY:
            return socket.inet_ntoa(struct.pack("=I", int(row[2], 16)))
    raise GatewayUnknown


def find_listen(gateway: str) -> Listen:
    """Where the gateway of a Whonix workstation reaches us: our address that it sees. Raises TorRefused."""
    with socket.socket(socket.AF_INET6 if ":" in gateway else socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((gateway, 9))  # only the route is looked up; nothing is sent
        except OSError:
            raise GatewayUnknown from None
        host: str = probe.getsockname()[0]
    return Listen(host, *limits.WHONIX_PORTS)


def name_group(path: str) -> str:
    """The group whose members may use this socket or file of a Tor, never root's; Debian's where that is not known."""
    try:
        status = Path(path).stat()
        if status.st_gid and status.st_mode & stat.S_IRGRP:
            return grp.getgrgid(status.st_gid).gr_name
    except (OSError, KeyError, ValueError):
        pass
    return _DEBIAN_GROUP
