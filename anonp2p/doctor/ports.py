"""The control ports of Tors that run already: who listens there, and whether we are let in."""

import os
import pwd
from collections.abc import Iterable

from anonp2p.config import Config, Endpoint
from anonp2p.errors import AnonError, TorMissing
from anonp2p.findings import Finding, find
from anonp2p.net.tor import discovery
from anonp2p.net.tor.control import Control


async def check_control_ports(config: Config) -> list[Finding]:
    """All of them where the program would look for one, in its order."""
    if config.tor == "own":
        return [find("own-tor-asked")]
    if config.control:
        return [await _look_at(config.control, "", discovered=False)]
    if config.tor == "auto" and config.socks:
        return [find("no-control-port")]
    places = discovery.list_places(os.environ)
    return [await _look_at(Endpoint.parse(text), variable, discovered=True) for variable, text in places]


async def _look_at(endpoint: Endpoint, variable: str, *, discovered: bool) -> Finding:
    """variable: that names it, if one does."""
    try:
        control = await Control.open(endpoint, discovered=discovered)
    except AnonError as error:
        return judge_refusal(endpoint, variable, error, discovered=discovered)
    try:
        return judge_port(endpoint, control.owners, await control.version())
    except AnonError as error:
        return judge_refusal(endpoint, variable, error, discovered=discovered)
    finally:
        await control.aclose()


def judge_port(endpoint: Endpoint, owners: Iterable[int], version: str) -> Finding:
    """One that lets us in. owners: of those who may listen there, if they are known. version: of Tor, if it says so."""
    if users := name_users(owners):
        return find("control-usable", endpoint, users, version or "?")
    return find("control-usable-of-unknown", endpoint, version or "?")


def judge_refusal(endpoint: Endpoint, variable: str, error: AnonError, *, discovered: bool) -> Finding:
    """A port that the user has named has to be usable; of others, one that is not there is nothing special."""
    if not discovered:
        return find("failed", error)
    if variable:
        return find("control-refused-by-name", variable, error)
    return find("control-absent", endpoint) if isinstance(error, TorMissing) else find("control-refused", error)


def name_users(uids: Iterable[int]) -> str:
    """The names of users, where they have one; empty where they are not known."""
    return ", ".join(sorted(map(_name_user, uids)))


def _name_user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
