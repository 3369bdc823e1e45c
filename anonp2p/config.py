"""The checked options of the program."""

from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Literal

from anonp2p.errors import BadEndpoint, NamedHost


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
        if not host or not (port.isascii() and port.isdigit() and len(port) <= 5 and 0 < int(port) < 65536):
            raise BadEndpoint(repr(text))
        bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
        try:
            address = ip_address("127.0.0.1" if bare == "localhost" else bare)
        except ValueError:
            raise NamedHost(repr(host)) from None
        return Endpoint(host=str(address), port=int(port))

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"unix:{self.path}" if self.path else f"{host}:{self.port}"


@dataclass(frozen=True, slots=True, repr=False)
class Config:
    """The options of the command line, with defaults. Its `repr` shows nothing: it may contain a nick and a code.

    action, subject: the command line's `create NAME`, `join CODE` or `doctor`. stay: the end of input does not end the
    program as long as it has a room.
    """

    mode: Literal["screen", "line", "json"] = "line"
    nick: str = ""
    tor: Literal["auto", "system", "own"] = "auto"
    control: Endpoint | None = None
    socks: Endpoint | None = None
    torrc: Path | None = None
    amnesic: bool = False
    no_heir: bool = False
    no_entrust: bool = False
    cover: bool = False
    stay: bool = False
    action: Literal["", "create", "join", "doctor"] = ""
    subject: str = ""
