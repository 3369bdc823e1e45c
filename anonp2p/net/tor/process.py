"""Our own Tor: finding the program, its directories, starting it, ending it however we end."""

import fcntl
import hashlib
import os
import shutil
import string
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import trio

from anonp2p import limits
from anonp2p.errors import Failed, TorMissing, TorRefused
from anonp2p.net.tor import directories

_SOCKET_PATH = 90  # bytes a unix socket's path may safely have (sun_path holds 108)
_EMPTY = ("see warnings above.", "See logs for details.")  # Tor's words after those that say what is wrong
_PLAIN = frozenset(string.ascii_letters + string.digits + "/._-+=@")  # what needs no quotes: Tor takes none for sockets
_NOT_FOR_TOR = ("ANONP2P_", "TOR_CONTROL_")  # variables that are for us: a nick, the password of a running Tor
_MEMORY = ("tmpfs", "ramfs")


@dataclass(frozen=True, slots=True)
class OwnTor:
    """A Tor that we have started: the unix sockets it listens on, and a directory that only we can enter for ours."""

    control: str
    socks: str
    runtime: Path


def find() -> str:
    """The absolute path that `tor` resolves to, by the absolute directories of PATH. Raises TorMissing."""
    places = [place for place in os.environ.get("PATH", "").split(os.pathsep) if Path(place).is_absolute()]
    found = shutil.which("tor", path=os.pathsep.join(places)) if places else None
    if found is None:
        raise TorMissing("install it (Debian, Ubuntu: apt install tor) or point --control at a running one")
    return os.path.realpath(found)


@asynccontextmanager
async def launch(torrc: Path | None, *, amnesic: bool) -> AsyncIterator[OwnTor]:
    """Runs our own Tor for the length of the context, from the moment that its control socket answers.

    torrc: a file with extra lines; ours win where both say something. amnesic: keep nothing on disk. Raises TorMissing,
    TorRefused (with Tor's own words) and Failed (no place for its directories).
    """
    program = find()
    with ExitStack() as stack:
        try:
            runtime, held = stack.enter_context(directories.temporary(runtime_base(memory=amnesic)))
            data, locks = (runtime / "data", ()) if amnesic else data_directory(torrc, runtime, stack)
            data.mkdir(mode=0o700, exist_ok=True)
            _require_space(data)
        except directories.UnsafeError as error:
            raise Failed(
                f"Tor's directory is not safe: {error}. Remove that, set XDG_STATE_HOME to another place, or keep it"
                " in memory with --amnesic."
            ) from None
        except OSError as error:
            hint = "" if amnesic else " Free some, or let --amnesic keep it in memory."
            raise Failed(f"There is no place for Tor's directory ({error.strerror}).{hint}") from None
        tor = OwnTor(str(runtime / "control"), str(runtime / "socks"), runtime)
        async with trio.open_nursery() as nursery:
            process = await _start(program, torrc, _torrc(tor, data), (held, *locks))
            voice = Voice()
            nursery.start_soon(voice.listen, process)
            try:
                await _await_control(process, tor.control, voice)
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
            "__ReloadTorrcOnSIGHUP 0",  # there is no file to read again
            "ShutdownWaitLength 0",
            "RunAsDaemon 0",
            "Log notice stdout",
            f"__OwningControllerProcess {os.getpid()}",
            "",
        )
    )


def _quoted(path: Path) -> str:
    """A path as a torrc has it, whatever bytes are in it: Tor reads C's escapes within quotes."""
    return '"' + "".join(chr(byte) if chr(byte) in _PLAIN else f"\\{byte:03o}" for byte in os.fsencode(path)) + '"'


async def _start(program: str, torrc: Path | None, ours: str, locks: tuple[int, ...]) -> trio.Process:
    """Starts Tor with our torrc on its stdin, so that it touches neither disk nor argv.

    The user's file goes where a distribution's defaults go: whatever ours says replaces it. The locks stay locked as
    long as Tor lives, even if we do not. A session of its own: a Ctrl-C is for us, who then end Tor when we are done
    with it.
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
        raise TorRefused(f"{program} does not start: {error.strerror}") from None
    assert process.stdin is not None
    with suppress(trio.BrokenResourceError):  # it is gone already: its last words say why
        await process.stdin.send_all(ours.encode())
    await process.stdin.aclose()
    return process


class Voice:
    """What Tor prints: read to its end, so that Tor never waits for us; its latest complaint is kept."""

    def __init__(self) -> None:
        self.ended = trio.Event()
        self.complaint = "it said nothing"

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
        if not words.endswith(_EMPTY):
            self.complaint = words.rstrip(".")


async def _await_control(process: trio.Process, path: str, voice: Voice) -> None:
    with trio.move_on_after(limits.LAUNCH):
        while process.poll() is None:
            try:
                stream = await trio.open_unix_socket(path)
            except OSError:
                await trio.sleep(0.02)
            else:
                await stream.aclose()
                return
        await voice.ended.wait()
    raise TorRefused(f"our own Tor did not start: {voice.complaint}")


async def _stop(process: trio.Process) -> None:
    process.terminate()
    with trio.move_on_after(limits.TOR_STOP):
        await process.wait()
        return
    process.kill()
    await process.wait()


@contextmanager
def runtime_directory() -> Iterator[Path]:
    """A place for unix sockets of ours. Raises Failed, TorRefused."""
    with ExitStack() as stack:
        try:
            path, _ = stack.enter_context(directories.temporary(runtime_base(memory=False)))
        except OSError as error:
            raise Failed(f"There is no place for a temporary directory: {error.strerror}.") from None
        yield path


def runtime_base(*, memory: bool) -> Path:
    """Where temporary directories go: short paths of plain characters, since Tor takes no others for sockets.

    What earlier ones left behind goes first, wherever it is. memory: only where nothing reaches a disk. Raises
    TorRefused if there is no such place.
    """
    # Not tempfile.gettempdir(), which tries directories out by writing to them. mkdtemp makes ours, for us alone.
    places = [os.environ.get("XDG_RUNTIME_DIR", ""), os.environ.get("TMPDIR", ""), "/tmp", "/dev/shm"]  # noqa: S108
    usable = list(filter(None, map(_usable, places)))
    directories.remove_left_behind(set(usable))
    for base in usable:
        if not memory or is_in_memory(base):
            return base
    what = "directory that lives in memory (tmpfs), as --amnesic needs" if memory else "directory for temporary files"
    raise TorRefused(f"this machine has no usable {what}")


def _usable(name: str) -> Path | None:
    """A directory in which we can make others, if it is fit for sockets and no other user can change it."""
    try:
        path = directories.trusted(Path(name)) if name.startswith("/") else None
    except (directories.UnsafeError, OSError):
        return None
    if path is None or len(os.fsencode(path)) > _SOCKET_PATH - 36 or not _PLAIN.issuperset(str(path)):
        return None
    if name == os.environ.get("XDG_RUNTIME_DIR") and not directories.is_private(path):
        return None
    return path if path.is_dir() and os.access(path, os.W_OK | os.X_OK) else None


def is_in_memory(path: Path) -> bool:
    """Whether the file system that holds this directory lives in memory, by the longest mount point above it."""
    try:
        mounts = [line.split()[1:3] for line in Path("/proc/mounts").read_text().splitlines()]
    except OSError:
        return False
    real = os.path.realpath(path)
    holds = [(len(point), kind) for point, kind in mounts if os.path.commonpath((real, point)) == point]
    return max(holds, default=(0, ""))[1] in _MEMORY


def _require_space(data: Path) -> None:
    """Raises OSError where a file of some size cannot be written: of a full disk Tor itself speaks in riddles."""
    with tempfile.TemporaryFile(dir=data) as probe:
        os.posix_fallocate(probe.fileno(), 0, limits.TOR_SPACE)


def data_directory(torrc: Path | None, runtime: Path, stack: ExitStack) -> tuple[Path, tuple[int, ...]]:
    """The DataDirectory that goes with this torrc, and the descriptor that locks it; a temporary one if it is in use.

    It is kept: a client that picked new guards every time would sooner or later pick a bad one.
    """
    extra = torrc.read_bytes() if torrc else b""
    state = Path(os.environ.get("XDG_STATE_HOME", ""))
    base = state if state.is_absolute() else Path.home() / ".local" / "state"
    data = directories.trusted(base, make=True) / "anonp2p" / f"tor-{hashlib.sha256(extra).hexdigest()[:16]}"
    directories.require_own_directory(data.parent)
    directories.require_own_directory(data)
    lock = directories.open_own_file(data / "anonp2p.lock")
    stack.callback(os.close, lock)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return runtime / "data", ()
    return data, (lock,)
