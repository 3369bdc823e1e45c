"""The programs that speak the transports of bridges for Tor (pluggable transports), and where they are."""

from collections.abc import Iterable

from anonp2p.bridges.lines import Bridge
from anonp2p.net.tor.errors import PluginMissing
from anonp2p.programs import find_program

# For each transport the programs that speak it, the best one first, and the package of Debian's that has one.
_PROGRAMS = {
    "obfs4": ("lyrebird", "obfs4proxy"),
    "meek_lite": ("lyrebird", "obfs4proxy"),
    "snowflake": ("snowflake-client", "lyrebird"),
    "webtunnel": ("webtunnel-client", "lyrebird"),
}
_PACKAGES = {"obfs4": "obfs4proxy", "meek_lite": "obfs4proxy", "snowflake": "snowflake-client", "webtunnel": "lyrebird"}


def find_plugin(transport: str) -> str:
    """The absolute path of a program that speaks this transport. Raises PluginMissing.

    One whose path has white space counts as missing: Tor would take the rest for its arguments.
    """
    programs = _PROGRAMS[transport]
    for path in map(find_program, programs):
        if path and not any(map(str.isspace, path)):
            return path
    raise PluginMissing(transport, " or ".join(programs), _PACKAGES[transport])


def find_plugins(bridges: Iterable[Bridge]) -> dict[str, str]:
    """For each transport of these bridges the path of its program. Raises PluginMissing."""
    return {bridge.transport: find_plugin(bridge.transport) for bridge in bridges if bridge.transport}
