"""Looking at processes, by /proc."""

import os
from contextlib import suppress
from pathlib import Path

import trio


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


async def started_with(argument: str) -> int:
    """The process that has this argument, once it has: right after its start the kernel tells none."""
    while not (found := with_argument(argument)):  # noqa: ASYNC110  # there is no event for it
        await trio.sleep(0.01)
    return found[0]


def state(process: int) -> str:
    """Its state as ps has it (T: stopped, Z: zombie); empty if there is no such process."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2][0]
    except OSError:
        return ""


def is_alive(process: int) -> bool:
    """Whether there is such a process, other than as a zombie."""
    return state(process) not in ("", "Z")


async def stopped(process: int) -> None:
    """Returns once a SIGSTOP has taken effect."""
    while state(process) != "T":  # noqa: ASYNC110  # there is no event for it
        await trio.sleep(0.01)


def open_files(process: int) -> set[Path]:
    """What a process has open."""
    found = set()
    for descriptor in Path(f"/proc/{process}/fd").iterdir():
        with suppress(OSError):  # it was closed meanwhile
            found.add(descriptor.readlink())
    return found


async def opens(process: int, name: str) -> Path:
    """The file of this name that a process has open, once it has one. Raises ProcessLookupError if it ends before."""
    while is_alive(process):
        for path in open_files(process):
            if path.name == name:
                return path
        await trio.sleep(0.01)
    raise ProcessLookupError
