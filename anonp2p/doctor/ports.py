"""The control ports of Tors that run already: who listens there, whether we are let in, and what is refused."""

import os
import pwd
import secrets
from collections.abc import Iterable, Mapping
from contextlib import suppress

from anonp2p.config import Config, Endpoint
from anonp2p.errors import AnonError, TorMissing, TorRefused
from anonp2p.findings import Finding, find
from anonp2p.names.codes import RoomKey
from anonp2p.net.tor import commands, discovery
from anonp2p.net.tor.control import Control

_CLIENT_KEY = 32  # bytes by which a private room is found


async def check_control_ports(config: Config) -> list[Finding]:
    """All of them where the program would look for one, in its order."""
    if config.tor == "own":
        return [find("own-tor-asked")]
    if config.control:
        return [await _look_at(config.control, "", config, discovered=False)]
    if config.tor == "auto" and config.socks:
        return [find("no-control-port")]
    places = discovery.list_control_ports(os.environ)
    return [await _look_at(Endpoint.parse(text), variable, config, discovered=True) for variable, text in places]


async def _look_at(endpoint: Endpoint, variable: str, config: Config, *, discovered: bool) -> Finding:
    """variable: that names it, if one does."""
    try:
        control = await Control.open(endpoint, discovered=discovered, password=config.password)
    except AnonError as error:
        return judge_refusal(endpoint, variable, error, discovered=discovered)
    try:
        return judge_port(endpoint, control.owners, await control.version())
    except AnonError as error:
        return judge_refusal(endpoint, variable, error, discovered=discovered)
    finally:
        await control.aclose()


async def check_commands(control: Control | None, *, publishes: bool) -> list[Finding]:
    """What of all that we say at the control port of the Tor in use is refused. Raises TorLost.

    publishes: whether it has published a room, whatever it did not take at first.
    """
    if control is None:
        return [find("no-control-port")]
    for key in commands.ASKED:
        await control.info(key)
    nobody = RoomKey(secrets.token_bytes(32)).code
    for line in (
        commands.fetch_descriptor(nobody),
        commands.add_client_key(nobody, secrets.token_bytes(_CLIENT_KEY)),
        commands.remove_client_key(nobody),
    ):
        with suppress(TorRefused):
            await control.send(line)
    return judge_commands(control.refused, publishes=publishes)


def judge_commands(refused: Mapping[str, str], *, publishes: bool) -> list[Finding]:
    """refused: the status for each command that was. What our profiles for filters do not grant is not needed."""
    spared = [name for name in refused if name in commands.UNGRANTED]
    needed = [name for name in refused if name not in spared and not (publishes and name == "ADD_ONION")]
    missed = [find("command-refused", name, refused[name]) for name in needed] or [find("commands-granted")]
    return [*missed, *(find("command-spared", name, refused[name]) for name in spared)]


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
