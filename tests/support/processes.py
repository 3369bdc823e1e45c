"""Looking at processes, by /proc."""

import os
from pathlib import Path


def with_argument(argument: str) -> list[int]:
    """The processes that have this argument in their command line."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                arguments = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:  # it is gone
                continue
            if os.fsencode(argument) in arguments:
                found.append(int(entry.name))
    return found


def is_alive(process: int) -> bool:
    """Whether there is such a process, other than as a zombie."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except OSError:
        return False
