"""The bridges that are asked for, and the programs that speak their transports. Nothing here tells where they are."""

from collections.abc import Sequence

from anonp2p.bridges.lines import TRANSPORTS, Bridge
from anonp2p.config import Config
from anonp2p.errors import TorMissing
from anonp2p.findings import Finding, find
from anonp2p.net.tor.plugins import find_plugin


def check_bridges(config: Config) -> list[Finding]:
    if config.bridges:
        return [find("bridges", len(config.bridges)), *map(_look_for, list_transports(config.bridges))]
    here = [transport for transport in TRANSPORTS if _look_for(transport).state == "ok"]
    return [find("no-bridges", ", ".join(here)) if here else find("no-bridges-no-plugins")]


def list_transports(bridges: Sequence[Bridge]) -> list[str]:
    """Those that take a plugin, each once."""
    return list(dict.fromkeys(bridge.transport for bridge in bridges if bridge.transport))


def _look_for(transport: str) -> Finding:
    try:
        return find("plugin", transport, find_plugin(transport))
    except TorMissing as error:
        return find("failed", error)
