"""On what files and swap are kept: in memory, encrypted, or as they are.

Only what this machine does itself is seen: a virtual machine does not know what becomes of its disks.
"""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Keeping = Literal["memory", "encrypted", "plain", "unknown"]

_MOUNTS, _SWAPS = Path("/proc/self/mountinfo"), Path("/proc/swaps")
_BLOCKS = Path("/sys/dev/block")  # by major and minor number, what is known of each block device
_MEMORY = frozenset(("tmpfs", "ramfs"))
_ENCRYPTING = frozenset(("ecryptfs", "fuse.cryfs", "fuse.encfs", "fuse.gocryptfs", "fuse.securefs"))
_ESCAPED = re.compile(r"\\([0-7]{3})")  # how the kernel writes spaces in its tables
_NO_DEVICE = "0:"  # the beginning of numbers that are of no block device
_SEPARATOR = "-"


@dataclass(frozen=True, slots=True)
class Mount:
    """A mounted file system. number: major and minor of its device."""

    point: str
    kind: str
    source: str
    number: str


def mount_of(path: Path) -> Mount | None:
    """The file system that a path is on; None if the kernel does not say."""
    try:
        table = _MOUNTS.read_text(errors="surrogateescape")
    except OSError:
        return None
    real = os.path.realpath(path)
    above = [mount for mount in parse_mounts(table) if os.path.commonpath((real, mount.point)) == mount.point]
    return max(reversed(above), key=lambda mount: len(mount.point), default=None)  # the latest one hides the others


def parse_mounts(table: str) -> list[Mount]:
    """/proc/self/mountinfo (proc(5)), in its order."""
    mounts = []
    for line in table.splitlines():
        words = line.split()
        if _SEPARATOR in words[6:]:
            kind, source = words[words.index(_SEPARATOR, 6) + 1 :][:2]
            mounts.append(Mount(_unescape(words[4]), kind, _unescape(source), words[2]))
    return mounts


def _unescape(word: str) -> str:
    return _ESCAPED.sub(lambda escape: chr(int(escape[1], 8)), word)


def keeping_of(mount: Mount | None, blocks: Path = _BLOCKS) -> Keeping:
    """How what is on this file system is kept."""
    if mount is None:
        return "unknown"
    if mount.kind in _MEMORY:
        return "memory"
    if mount.kind in _ENCRYPTING:
        return "encrypted"
    number = mount.number
    if number.startswith(_NO_DEVICE):  # btrfs and others have numbers of their own
        number = number_of(mount.source)
    return keeping_of_block(blocks / number) if number else "unknown"


def number_of(device: str) -> str:
    """Major and minor number of a block device, by its path; empty if it is none."""
    try:
        status = os.stat(device) if device.startswith("/") else None  # noqa: PTH116  # it may be of any kind
    except OSError:
        return ""
    return f"{os.major(status.st_rdev)}:{os.minor(status.st_rdev)}" if status and status.st_rdev else ""


def keeping_of_block(block: Path) -> Keeping:
    """The same of a block device, from its directory below /sys/dev/block: itself, or all that it consists of."""
    try:
        if not block.exists():
            return "unknown"
        name = block.resolve().name
        if name.startswith("zram"):
            backing = block / "backing_dev"
            return "memory" if not backing.exists() or backing.read_text().strip() == "none" else "plain"
        if name.startswith("loop"):
            return "unknown"
        uuid = block / "dm" / "uuid"
        if uuid.exists() and uuid.read_text().startswith("CRYPT-"):
            return "encrypted"
        slaves = block / "slaves"
        parts = {keeping_of_block(part) for part in slaves.iterdir()} if slaves.exists() else set()
    except OSError:
        return "unknown"
    return parts.pop() if len(parts) == 1 else "plain"


def swaps() -> list[tuple[str, Keeping]] | None:
    """What the kernel swaps to, and how it is kept there; None if it does not say."""
    try:
        table = _SWAPS.read_text(errors="surrogateescape")
    except OSError:
        return None
    return [(path, _keeping_of_swap(path, kind)) for path, kind in parse_swaps(table.splitlines())]


def parse_swaps(lines: Iterable[str]) -> list[tuple[str, str]]:
    """/proc/swaps (proc(5)): the path and the kind of each."""
    rows = [line.split() for line in list(lines)[1:]]
    return [(_unescape(row[0]), row[1]) for row in rows if len(row) > 1]


def _keeping_of_swap(path: str, kind: str) -> Keeping:
    if kind == "file":
        return keeping_of(mount_of(Path(path)))
    number = number_of(path)
    return keeping_of_block(_BLOCKS / number) if number else "unknown"
