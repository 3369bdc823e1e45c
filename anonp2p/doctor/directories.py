"""Where the program and its Tor keep what they need."""

import os

from anonp2p import disks
from anonp2p.config import Config
from anonp2p.findings import Finding, find
from anonp2p.net.tor import runtime


def check_directories(config: Config) -> list[Finding]:
    """Raises AnonError where there is no place for what is temporary."""
    base = runtime.find_base(os.environ, memory=config.amnesic or bool(config.bridges))
    mount = disks.mount_of(base)
    return [find("runtime-directory", base, mount.kind if mount else "?", disks.keeping_of(mount))]
