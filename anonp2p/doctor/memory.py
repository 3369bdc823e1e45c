"""What becomes of the memory of this process, which holds keys and messages."""

import re
from collections.abc import Sequence
from pathlib import Path

from anonp2p import disks, hardening
from anonp2p.disks import Keeping
from anonp2p.findings import Finding, FindingCode, find

_STATUS = Path("/proc/self/status")
_TRACER = re.compile(r"^TracerPid:\s*([0-9]+)$", re.MULTILINE)
_SWAPS: dict[Keeping, FindingCode] = {
    "memory": "swap-in-memory",
    "encrypted": "swap-encrypted",
    "plain": "swap-plain",
    "unknown": "swap-unclear",
}


def check_memory() -> list[Finding]:
    """Of the process as the program has hardened it."""
    return [
        find("freed-wiped" if hardening.wipes_objects() else "freed-kept"),
        find("freed-wiped-in-c" if hardening.wipes_blocks() else "freed-kept-in-c"),
        find("cores-on" if hardening.dumps_core() else "cores-off"),
        find("dumpable" if hardening.is_dumpable() else "undumpable"),
        *_find_tracer(),
        *judge_swaps(disks.swaps()),
    ]


def _find_tracer() -> list[Finding]:
    """Who reads our memory, as a debugger does, if anybody."""
    try:
        tracer = read_tracer(_STATUS.read_text())
        name = Path(f"/proc/{tracer}/comm").read_text().strip() if tracer else ""
    except OSError:
        return []
    return [find("traced", tracer, name)] if tracer else []


def read_tracer(status: str) -> int:
    """The process that traces the one with this /proc/PID/status (proc(5)); 0 if none does."""
    match = _TRACER.search(status)
    return int(match[1]) if match else 0


def judge_swaps(swaps: Sequence[tuple[str, Keeping]] | None) -> list[Finding]:
    if swaps is None:
        return [find("swap-unknown")]
    return [find(_SWAPS[keeping], path) for path, keeping in swaps] or [find("swap-none")]
