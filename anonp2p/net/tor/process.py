"""Our own Tor: finds the program, prepares its directories, starts and stops it."""

import fcntl
import hashlib
import os
import subprocess
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import trio

from anonp2p import limits
from anonp2p.bridges.lines import Bridge
from anonp2p.net.tor import directories
from anonp2p.net.tor.complaints import Complaints
from anonp2p.net.tor.errors import (
    NoAmnesicDirectory,
    NoHome,
    NoTorDirectory,
    NotStartable,
    OwnTorFailed,
    OwnTorSilent,
    TorNotInstalled,
    UnsafeTorDirectory,
)
from anonp2p.net.tor.plugins import find_plugins
from anonp2p.net.tor.runtime import PLAIN, find_base
from anonp2p.programs import find_program

_EMPTY = ("see warnings above.", "See logs for details.")  # ends of messages that refer to earlier ones
_NOT_FOR_TOR = ("ANONP2P_", "TOR_CONTROL_")  # our own variables: a nick, the password of a running Tor


@dataclass(frozen=True, slots=True)
class OwnTor:
    """A Tor that we have started.

    control, socks: its unix sockets. runtime: a directory for our sockets that only we can enter. complaints: what it
    says that is wrong. is_beside_another: another copy of the program has what would be kept between runs, so this one
    has other guards, and keeps nothing.
    """

    control: str
    socks: str
    runtime: Path
    complaints: Complaints
    is_beside_another: bool = False


def find() -> str:
    """The absolute path that `tor` resolves to. Raises TorMissing."""
    if found := find_program("tor"):
        return found
    raise TorNotInstalled


@asynccontextmanager
async def launch(torrc: Path | None, *, amnesic: bool, bridges: Sequence[Bridge] = ()) -> AsyncIterator[OwnTor]:
    """Runs our own Tor as long as the context lasts; enters the context when its control socket answers.

    torrc: a file with additional lines; our lines take precedence. amnesic: keep nothing on disk. bridges: by which it
    enters its network, instead of those of the file; with them it keeps nothing on disk either, as it would write down
    where they are. Raises TorMissing, TorRefused (with Tor's own words) and Failed (no place for its directories).
    """
    program, plugins = find(), find_plugins(bridges)
    amnesic = amnesic or bool(bridges)
    with ExitStack() as stack:
        try:
            runtime, held = stack.enter_context(directories.temporary(find_base(os.environ, memory=amnesic)))
            data, locks = (runtime / "data", ()) if amnesic else data_directory(torrc, runtime, stack)
            data.mkdir(mode=0o700, exist_ok=True)
            _require_space(data)
        except directories.UnsafeError as error:
            raise UnsafeTorDirectory(error) from None
        except OSError as error:
            raise (NoAmnesicDirectory if amnesic else NoTorDirectory)(error.strerror) from None
        is_beside_another = not (amnesic or locks)
        complaints = Complaints(bridges)
        tor = OwnTor(str(runtime / "control"), str(runtime / "socks"), runtime, complaints, is_beside_another)
        async with trio.open_nursery() as nursery:
            ours = _torrc(tor, data) + _bridge_lines(bridges, plugins)
            process = await _start(program, torrc, ours, (held, *locks))
            voice = Voice(tor.complaints)
            nursery.start_soon(voice.listen, process)
            try:
                await await_control(process, tor.control, voice)
                yield tor
            finally:
                with trio.move_on_after(2 * limits.TOR_STOP, shield=True):
                    await _stop(process)
                nursery.cancel_scope.cancel()


def _torrc(tor: OwnTor, data: Path) -> str:
    return "\n".join(
        (
            f"DataDirectory {_quoted(data)}",
            f"ControlSocket {tor.control}",
            "ControlPort 0",
            "CookieAuthentication 1",
            f"SocksPort unix:{tor.socks} ExtendedErrors",
            "ClientOnly 1",
            "AvoidDiskWrites 1",
            "__ReloadTorrcOnSIGHUP 0",  # there is no file to reload
            "ShutdownWaitLength 0",
            "RunAsDaemon 0",
            "Log notice stdout",
            f"__OwningControllerProcess {os.getpid()}",
            "",
        )
    )


def _bridge_lines(bridges: Sequence[Bridge], plugins: Mapping[str, str]) -> str:
    """What a torrc says of bridges. plugins: the program of each transport."""
    lines = [f"ClientTransportPlugin {_quoted(f'{transport} exec {path}')}" for transport, path in plugins.items()]
    lines += [f"Bridge {_quoted(bridge.line)}" for bridge in bridges]
    return "".join(f"{line}\n" for line in ["UseBridges 1", *lines] if bridges)


def _quoted(value: Path | str) -> str:
    """A quoted torrc value with C escapes, which can have any bytes."""
    return '"' + "".join(chr(byte) if chr(byte) in PLAIN else f"\\{byte:03o}" for byte in os.fsencode(value)) + '"'


async def _start(program: str, torrc: Path | None, ours: str, locks: tuple[int, ...]) -> trio.Process:
    """Starts Tor with our torrc on its stdin, so that the torrc is neither on disk nor in argv.

    The user's file takes the place of a distribution's defaults, which our torrc overrides. Tor inherits the locks, so
    they last as long as Tor runs, even if we end first. Tor gets its own session: Ctrl-C reaches only us, and we stop
    Tor when we are done.
    """
    command = [program, "--defaults-torrc", str(torrc or "/dev/null"), "--ignore-missing-torrc", "-f", "-"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_FOR_TOR)}
    try:
        process = await trio.lowlevel.open_process(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
            pass_fds=locks,
            start_new_session=True,
        )
    except OSError as error:
        raise NotStartable(program, error.strerror) from None
    assert process.stdin is not None
    with suppress(trio.BrokenResourceError):  # it has ended already: its output says why
        await process.stdin.send_all(ours.encode())
    await process.stdin.aclose()
    return process


class Voice:
    """Reads what Tor prints, so that Tor never blocks, and keeps the latest warning. complaints: hears them all."""

    def __init__(self, complaints: Complaints) -> None:
        self.ended = trio.Event()
        self.complaint = ""
        self._complaints = complaints

    @trio.lowlevel.enable_ki_protection
    async def listen(self, process: trio.Process) -> None:
        """Reads what Tor prints until it has closed its end."""
        assert process.stdout is not None
        rest = b""
        async for data in process.stdout:
            *lines, rest = (rest + data).split(b"\n")
            rest = rest[-limits.READ :]
            for line in lines:
                for level in (b"[warn] ", b"[err] "):
                    if level in line:
                        self._complain(line.partition(level)[2].decode("utf-8", "replace").strip())
        self.ended.set()

    def _complain(self, words: str) -> None:
        self._complaints.hear_log(words)
        if not words.endswith(_EMPTY):
            self.complaint = self._complaints.conceal(words).rstrip(".")


async def await_control(process: trio.Process, path: str, voice: Voice) -> None:
    """Returns once Tor listens at its control socket. Raises AnonError."""
    with trio.move_on_after(limits.LAUNCH_PATIENCE):
        while process.poll() is None:
            try:
                stream = await trio.open_unix_socket(path)
            except OSError:
                await trio.sleep(0.02)
            else:
                await stream.aclose()
                return
        await voice.ended.wait()
    raise OwnTorFailed(voice.complaint) if voice.complaint else OwnTorSilent


async def _stop(process: trio.Process) -> None:
    process.terminate()
    with trio.move_on_after(limits.TOR_STOP):
        await process.wait()
        return
    process.kill()
    await process.wait()


def _require_space(data: Path) -> None:
    """Raises OSError if a large file cannot be written: Tor's own messages about a full disk are unclear."""
    with tempfile.TemporaryFile(dir=data) as probe:
        os.posix_fallocate(probe.fileno(), 0, limits.TOR_SPACE)


def state_base(environment: Mapping[str, str]) -> Path:
    """Where DataDirectories are kept, in a directory `anonp2p` of its own. Raises Failed."""
    named = Path(environment.get("XDG_STATE_HOME", ""))
    if named.is_absolute():
        return named
    try:
        return Path.home() / ".local" / "state"
    except RuntimeError:  # of a user whom nobody has entered, as in containers
        raise NoHome from None


def data_directory(torrc: Path | None, runtime: Path, stack: ExitStack) -> tuple[Path, tuple[int, ...]]:
    """The DataDirectory for this torrc, and the descriptors that lock it; a temporary directory if it is in use.

    It is kept between runs: a client that chose new guards every time would sooner or later choose a bad one.
    """
    extra = torrc.read_bytes() if torrc else b""
    base = directories.trusted(state_base(os.environ), make=True)
    data = base / "anonp2p" / f"tor-{hashlib.sha256(extra).hexdigest()[:16]}"
    directories.require_own_directory(data.parent)
    directories.require_own_directory(data)
    lock = directories.open_own_file(data / "anonp2p.lock")
    stack.callback(os.close, lock)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return runtime / "data", ()
    return data, (lock,)
