"""Looking at processes, by /proc; and the program as a process that waits for its Tor."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import trio

_ESTABLISHED, _LISTEN = "01", "0A"  # states in /proc/net/tcp


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


def find_connections(process: int) -> set[int]:
    """The TCP ports that the connections of a process lead to, over IPv4."""
    return {int(there.rpartition(":")[2], 16) for _, there in _tcp_sockets(process, _ESTABLISHED)}


def find_listeners(process: int) -> list[int]:
    """The TCP ports at which a process listens, over IPv4."""
    return [int(here.rpartition(":")[2], 16) for here, _ in _tcp_sockets(process, _LISTEN)]


def _tcp_sockets(process: int, state: str) -> list[tuple[str, str]]:
    """Both ends of each of its sockets that is in this state."""
    ours = {str(path) for path in open_files(process)}
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return [(row[1], row[2]) for row in rows if row[3] == state and f"socket:[{row[9]}]" in ours]


async def opens(process: int, name: str) -> Path:
    """The file of this name that a process has open, once it has one. Raises ProcessLookupError if it ends before."""
    while is_alive(process):
        for path in open_files(process):
            if path.name == name:
                return path
        await trio.sleep(0.01)
    raise ProcessLookupError


@contextmanager
def waiting_program(ignored: str = "") -> Iterator[subprocess.Popen[bytes]]:
    """The program in line mode, once it waits for a control port that never answers. ignored: names of signals."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(60)
        program = [sys.executable, "-m", "anonp2p", "--line", "--control", f"127.0.0.1:{server.getsockname()[1]}"]
        command = f"trap '' {ignored}; exec \"$@\"" if ignored else 'exec "$@"'
        with subprocess.Popen(
            ["/bin/sh", "-c", command, "sh", *program], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
        ) as process:
            try:
                with server.accept()[0]:
                    yield process
            finally:
                process.kill()
