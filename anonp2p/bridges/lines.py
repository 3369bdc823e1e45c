"""The lines of bridges (torrc's `Bridge`, tor(1)), checked before Tor sees them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from anonp2p import limits
from anonp2p.bridges.errors import (
    BadBridgeArgument,
    BadFingerprint,
    BridgeAddressMissing,
    BridgeArgumentMissing,
    BridgesUnreadable,
    BridgeTransportMissing,
    BridgeUnprintable,
    NoBridges,
    TooManyBridges,
    TransportUnknown,
)

# The transports that there are programs for, and what each of them has to be told.
TRANSPORTS = {"obfs4": ("cert", "iat-mode"), "meek_lite": ("url",), "snowflake": ("url",), "webtunnel": ("url",)}

_KEYWORD = "bridge"  # before a line that was copied out of a torrc
_ADDRESS = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+)):([0-9]{1,5})")
_TRANSPORT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")  # an identifier of C
_FINGERPRINT = re.compile(r"[0-9A-Fa-f]{40}")
_ARGUMENT = re.compile(r"([^=]+)=(.+)")


@dataclass(frozen=True, slots=True, repr=False)
class Bridge:
    """A bridge, by its words. transport: empty where it is reached as any relay is. No `repr` shows where it is."""

    transport: str
    words: tuple[str, ...]  # of its line, the transport included

    @property
    def line(self) -> str:
        return " ".join(self.words)


def read_bridges(given: Iterable[str]) -> tuple[Bridge, ...]:
    """The bridges in what was given: lines, or paths of files of lines. Raises BadBridge."""
    lines = [line for one in given for line in _read_lines(one)]
    if len(lines) > limits.BRIDGES:
        raise TooManyBridges(limits.BRIDGES)
    if not lines:
        raise NoBridges
    return tuple(dict.fromkeys(parse_bridge(line, number) for number, line in enumerate(lines, 1)))


def _read_lines(given: str) -> list[str]:
    """The lines in one thing that was given, without comments."""
    text = given
    if "\n" not in given.strip() and not any(map(_ADDRESS.fullmatch, given.split())):
        try:
            text = _read_file(given)
        except BridgesUnreadable:
            if len(given.split()) == 1:
                raise  # else it was meant as a line, and what is wrong with that is said
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _read_file(path: str) -> str:
    """What is in a file, or comes out of a pipe."""
    try:
        with Path(path).open("rb") as file:
            data = file.read(limits.BRIDGE_BYTES + 1)
    except (OSError, ValueError) as error:
        raise BridgesUnreadable(error.strerror if isinstance(error, OSError) else "no path") from None
    if len(data) > limits.BRIDGE_BYTES:
        raise TooManyBridges(limits.BRIDGES)
    return data.decode("utf-8", "replace")


def parse_bridge(line: str, number: int) -> Bridge:
    """The bridge of a line. number: which of those that were given, counted from 1. Raises BadBridge."""
    if not (line.isascii() and line.replace("\t", " ").isprintable()):
        raise BridgeUnprintable(number)
    words = line.split()
    if words and words[0].lower() == _KEYWORD:
        del words[0]
    transport = words[0] if words and _TRANSPORT.fullmatch(words[0]) else ""
    address, *rest = words[1 if transport else 0 :] or [""]
    if not _is_address(address):
        raise BridgeAddressMissing(number)
    if transport and transport not in TRANSPORTS:
        raise TransportUnknown(number, ", ".join(TRANSPORTS))
    fingerprint = [rest.pop(0)] if rest and "=" not in rest[0] else []
    if not all(map(_FINGERPRINT.fullmatch, fingerprint)):
        raise BadFingerprint(number)
    arguments = [_ARGUMENT.fullmatch(word) for word in rest]
    if not all(arguments):
        raise BadBridgeArgument(number)
    if arguments and not transport:
        raise BridgeTransportMissing(number)
    named = {argument[1] for argument in arguments if argument}
    for name in TRANSPORTS.get(transport, ()):
        if name not in named:
            raise BridgeArgumentMissing(number, name)
    return Bridge(transport, (*filter(None, [transport]), address, *fingerprint, *rest))


def _is_address(word: str) -> bool:
    """Whether it is an IP address with a port. Names are not looked up: that would tell others."""
    match = _ADDRESS.fullmatch(word)
    if match is None:
        return False
    try:
        version = ip_address(match[1] or match[2]).version
    except ValueError:
        return False
    return version == (6 if match[1] else 4) and 0 < int(match[3]) < 65536
