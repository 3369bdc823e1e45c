"""Where the program and its Tor keep what they need. Nothing is made or removed here."""

import errno
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from anonp2p import disks, limits
from anonp2p.config import Config
from anonp2p.errors import AnonError
from anonp2p.findings import Finding, find
from anonp2p.net.tor import directories, place, process, runtime
from anonp2p.net.tor.errors import NoTorDirectory, UnsafeTorDirectory


def check_directories(config: Config, environment: Mapping[str, str] = os.environ) -> list[Finding]:
    is_amnesic = config.amnesic or bool(config.bridges)
    findings = [*_find_unfit(environment), _find_runtime(environment, memory=is_amnesic)]
    if left := runtime.find_left_behind(environment):
        findings.append(find("left-behind", len(left)))
    if is_amnesic:
        return [*findings, find("nothing-on-disk")]
    may_start = config.tor != "system" and config.socks is None and not place.has_no_own_tor()
    return [*findings, _find_state(config, environment)] if may_start else findings


def _find_unfit(environment: Mapping[str, str]) -> list[Finding]:
    """Places that the environment names, and that are not used."""
    candidates = runtime.list_candidates(environment)
    unfit = [candidate for candidate in candidates if candidate.variable and candidate.unfit]
    return [find("directory-unfit", one.variable, one.name, one.unfit.value) for one in unfit if one.unfit]


def _find_runtime(environment: Mapping[str, str], *, memory: bool) -> Finding:
    try:
        base = runtime.find_base(environment, memory=memory)
    except AnonError as error:
        return find("failed", error)
    mount = disks.mount_of(base)
    return find("runtime-directory", base, mount.kind if mount else "?", disks.keeping_of(mount))


def _find_state(config: Config, environment: Mapping[str, str]) -> Finding:
    """Where our own Tor keeps its guards: that is needed only where no running Tor is used."""
    try:
        path = process.state_base(environment) / "anonp2p"
        above = require_usable(path)
    except AnonError as error:
        return find("failed" if config.tor == "own" else "state-unusable", error)
    mount = disks.mount_of(above)
    return find("state-directory", path, mount.kind if mount else "?", disks.keeping_of(mount))


def require_usable(path: Path) -> Path:
    """The nearest directory above that exists, where what is missing can be made. Raises Failed."""
    above = next(one for one in (path, *path.parents) if os.path.lexists(one))
    try:
        safe = directories.trusted(above)
        has_space = shutil.disk_usage(safe).free >= limits.TOR_SPACE
    except directories.UnsafeError as error:
        raise UnsafeTorDirectory(error) from None
    except OSError as error:
        raise NoTorDirectory(error.strerror) from None
    if not os.access(safe, os.W_OK | os.X_OK):
        raise NoTorDirectory(os.strerror(errno.EACCES))
    if not has_space:
        raise NoTorDirectory(os.strerror(errno.ENOSPC))
    return safe
