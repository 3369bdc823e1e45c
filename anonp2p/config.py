"""The checked options of the program."""

import errno
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Literal

from anonp2p.bridges.lines import Bridge, read_bridges
from anonp2p.errors import (
    NO_PATH,
    BadEndpoint,
    BadListen,
    BadTorrc,
    ListenWithOwnTor,
    NamedHost,
    OwnAndRunningTor,
    OwnTorOnly,
    OwnTorWithPort,
    TorrcIsDirectory,
    UnknownTor,
)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a port of Tor is: a unix socket (`path`) or a TCP port (`host`, `port`)."""

    path: str = ""
    host: str = ""
    port: int = 0

    @staticmethod
    def parse(text: str) -> "Endpoint":
        """From `HOST:PORT` or `unix:PATH`. HOST is an address or `localhost`; names are not resolved. Raises Usage."""
        if path := text.removeprefix("unix:") if text.startswith("unix:") else "":
            return Endpoint(path=path)
        host, _, port = text.rpartition(":")
        if not host or not _is_port(port):
            raise BadEndpoint(repr(text))
        return Endpoint(host=_read_host(host), port=int(port))

    @property
    def is_local(self) -> bool:
        """Whether it is on this machine."""
        return bool(self.path) or ip_address(self.host).is_loopback

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"unix:{self.path}" if self.path else f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Listen:
    """An address of this machine, and the first and the last of the ports there at which Tor may reach us."""

    host: str
    first: int
    last: int

    @staticmethod
    def parse(text: str) -> "Listen":
        """From `HOST:PORT` or `HOST:PORT-PORT`. Raises Usage."""
        host, _, ports = text.rpartition(":")
        first, dash, last = ports.partition("-")
        if not (host and _is_port(first) and (_is_port(last) or not dash) and int(first) <= int(last or first)):
            raise BadListen(repr(text))
        listen = Listen(_read_host(host), int(first), int(last or first))
        if ip_address(listen.host).is_unspecified:
            raise BadListen(repr(text))
        return listen

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach it."""
        return ip_address(self.host).is_loopback


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 5 and 0 < int(text) < 65536


def _read_host(text: str) -> str:
    """An address; names are not looked up. Raises NamedHost."""
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    try:
        return str(ip_address("127.0.0.1" if bare == "localhost" else bare))
    except ValueError:
        raise NamedHost(repr(text)) from None


@dataclass(frozen=True, slots=True, repr=False)
class Config:
    """The options of the command line, with defaults. Its `repr` shows nothing: it may contain secrets.

    password: of the control port, if one was given. listen: where Tor reaches us, if that was said. action, subject:
    the command line's `create NAME`, with the rules of the room behind it, `join CODE` or `doctor`. stay: the end of
    input does not end the program as long as it has a room.
    """

    mode: Literal["screen", "line", "json"] = "line"
    nick: str = ""
    tor: Literal["auto", "system", "own"] = "auto"
    control: Endpoint | None = None
    password: bytes = b""
    socks: Endpoint | None = None
    listen: Listen | None = None
    torrc: Path | None = None
    bridges: tuple[Bridge, ...] = ()
    amnesic: bool = False
    no_heir: bool = False
    no_entrust: bool = False
    cover: bool = False
    stay: bool = False
    action: Literal["", "create", "join", "doctor"] = ""
    subject: str = ""


def choose_tor(*, wanted: str, control: str, socks: str, listen: str, torrc: str, bridges: Sequence[str]) -> Config:
    """A configuration that says which Tor is to be used, by the options of these names; empty ones are not given.

    Raises Usage where they are not as they should be, or do not go together.
    """
    wanted = wanted or "auto"
    if wanted not in ("auto", "system", "own"):
        raise UnknownTor
    if wanted == "own" and (control or socks):
        raise OwnTorWithPort
    bridges = list(filter(None, bridges))
    for ours, is_given in (("--torrc", torrc), ("--bridge", bridges)):
        if is_given and (control or socks):
            theirs = "--control" if control else "--socks"
            raise OwnAndRunningTor(ours, theirs)
        if is_given and wanted == "system":
            raise OwnTorOnly(ours)
    if listen and (torrc or bridges or wanted == "own"):
        raise ListenWithOwnTor
    if torrc:
        _check_torrc(torrc)
    return Config(
        tor="system" if control or listen else "own" if torrc or bridges else wanted,  # type: ignore[arg-type]  # checked
        control=Endpoint.parse(control) if control else None,
        socks=Endpoint.parse(socks) if socks else None,
        listen=Listen.parse(listen) if listen else None,
        torrc=Path(torrc).resolve() if torrc else None,
        bridges=read_bridges(bridges) if bridges else (),
    )


def _check_torrc(torrc: str) -> None:
    """Raises Usage where Tor could not read it. It is not opened: a pipe would wait for somebody to write."""
    try:
        mode = Path(torrc).stat().st_mode
    except (OSError, ValueError) as error:
        raise BadTorrc(repr(torrc), error.strerror if isinstance(error, OSError) else NO_PATH) from None
    if stat.S_ISDIR(mode):
        raise TorrcIsDirectory(repr(torrc))
    if not os.access(torrc, os.R_OK):
        raise BadTorrc(repr(torrc), os.strerror(errno.EACCES))
