"""Our own Tor, started for real but kept off every network."""

import errno
import fcntl
import os
import pwd
import shutil
import signal
import tracemalloc
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, aclosing, nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
import trio

from anonp2p import disks, limits
from anonp2p.bridges.lines import read_bridges
from anonp2p.config import Config, Endpoint
from anonp2p.errors import AnonError, Failed, TorMissing, TorRefused, first
from anonp2p.net.tor import process, tor
from anonp2p.net.tor.complaints import Complaints
from anonp2p.net.tor.control import Control
from anonp2p.net.tor.directories import UnsafeError
from anonp2p.room import events
from tests.net.tor.parts import OFFLINE, STEM
from tests.support import processes
from tests.support.words import in_words

pytestmark = [pytest.mark.tor_control, *STEM]


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """Where DataDirectories go."""
    path = tmp_path / "state" / "anonp2p"
    path.parent.mkdir()
    return path


# A look at Tor's control port would end it: stem owns whatever has us as its owning process.


def process_of(torrc: Path) -> int:
    """The Tor that was started with this file."""
    (pid,) = processes.with_argument(str(torrc))
    return pid


async def data_directory_of(torrc: Path) -> Path:
    """The DataDirectory of the Tor that was started with this file, by the lock it soon has there."""
    pid = process_of(torrc)
    return (await processes.opens(pid, "lock")).parent


async def failure(torrc: Path | None, *, amnesic: bool = False, bridges: Sequence[str] = ()) -> AnonError:
    """What a launch that fails raises."""
    try:
        async with process.launch(torrc, amnesic=amnesic, bridges=read_bridges(bridges) if bridges else ()):
            pytest.fail("it started")
    except* AnonError as group:
        error = first(group)
    return error


def names(directory: Path) -> list[str]:
    """What is in a directory."""
    return sorted(path.name for path in directory.iterdir())


def contents(directory: Path) -> bytes:
    """All that is written under a directory."""
    return b"".join(path.read_bytes() for path in directory.rglob("*") if path.is_file())


def write(path: Path, text: str) -> None:
    path.write_text(text)


@pytest.mark.parametrize("fails", [False, True])
async def test_it_lives_as_long_as_the_context_and_leaves_no_runtime_directory(
    torrc: Path, runtime: Path, *, fails: bool
) -> None:
    pid = 0
    with pytest.RaisesGroup(ZeroDivisionError) if fails else nullcontext():
        async with process.launch(torrc, amnesic=False) as own:
            pid = process_of(torrc)
            assert own.runtime.parent == runtime
            assert own.runtime.stat().st_mode & 0o777 == 0o700
            if fails:
                raise ZeroDivisionError
    assert pid
    assert not processes.is_alive(pid)
    assert names(runtime) == []


async def test_it_ends_when_we_are_cancelled_while_it_starts(
    torrc: Path, runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = trio.Event()

    async def never(*_: object) -> None:
        started.set()
        await trio.sleep_forever()

    monkeypatch.setattr(process, "await_control", never)

    async def launch() -> None:
        async with process.launch(torrc, amnesic=False):
            pytest.fail("it cannot have started")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(launch)
        await started.wait()
        pid = await processes.started_with(str(torrc))
        nursery.cancel_scope.cancel()
    assert not processes.is_alive(pid)
    assert names(runtime) == []


async def test_neither_arguments_nor_environment_tell_what_we_were_asked_for(
    torrc: Path, runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(torrc, OFFLINE + "Nickname secretnick\n")
    monkeypatch.setenv("ANONP2P_NICK", "secretnick")
    monkeypatch.setenv("ANONP2P_TORRC", str(torrc))
    monkeypatch.setenv("TOR_CONTROL_PASSWD", "secretnick")
    monkeypatch.setenv("KEPT", "as it is")
    async with process.launch(torrc, amnesic=False):
        of_process = Path("/proc") / str(process_of(torrc))
        arguments = (of_process / "cmdline").read_bytes().split(b"\0")[:-1]
        environment = (of_process / "environ").read_bytes().split(b"\0")
        assert arguments[1:] == [b"--defaults-torrc", os.fsencode(torrc), b"--ignore-missing-torrc", b"-f", b"-"]
        assert arguments[0].startswith(b"/")
        assert b"KEPT=as it is" in environment
        assert not [line for line in environment if b"ANONP2P_" in line or b"secretnick" in line]
        assert b"ControlSocket" not in contents(runtime)


BRIDGES = (
    "[2001:db8::5]:443 " + "0123456789" * 4,
    "obfs4 192.0.2.77:4711 " + "ABCDEF0123" * 4 + " cert=9+/k#y iat-mode=0",
)


async def test_bridges_reach_tor_alone(
    torrc: Path, memory_directory: Path, state: Path, short_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither its arguments nor its environment tell them, and nothing is on disk that Tor could write them to."""
    plugin = fake_program("obfs4proxy", short_path / "bin", "exec sleep 1000", monkeypatch)
    monkeypatch.setenv("ANONP2P_BRIDGE", "\n".join(BRIDGES))
    try:
        async with (
            process.launch(torrc, amnesic=False, bridges=read_bridges(BRIDGES)) as own,
            aclosing(await Control.open(Endpoint(path=own.control))) as control,
        ):
            told = [text for _, _, text in await control.send("GETCONF Bridge UseBridges ClientTransportPlugin")]
            program = f"ClientTransportPlugin=obfs4 exec {plugin}"
            lines = [f"Bridge={BRIDGES[0]}", f'Bridge="{BRIDGES[1]}"']  # quoted because of its #
            assert [str(text) for text in told] == [*lines, "UseBridges=1", program]
            of_process = Path("/proc") / str(process_of(torrc))
            public = (of_process / "cmdline").read_bytes() + (of_process / "environ").read_bytes()
            assert not [word for line in BRIDGES for word in line.split() if len(word) > 9 and word.encode() in public]
            assert (await data_directory_of(torrc)).is_relative_to(memory_directory)
            assert names(state.parent) == []
    finally:
        shutil.rmtree(memory_directory)


async def test_a_bridge_that_tor_does_not_take_is_not_shown(
    torrc: Path, runtime: Path, short_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_program("tor", short_path / "bin", "cat >/dev/null; echo 'x [err] Odd: 192.0.2.9:1 abcd'; exit 1", monkeypatch)
    error = await failure(torrc, bridges=["meek_lite 192.0.2.9:1 url=abcd"])
    assert "did not start: Odd: … …." in str(error)


async def test_a_plugin_that_is_missing_is_told_before_tor_starts_with_its_package(
    torrc: Path, runtime: Path, short_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_program("tor", short_path / "bin", "echo started > $0.started", monkeypatch)
    monkeypatch.setenv("PATH", str(short_path / "bin"))
    error = await failure(torrc, bridges=BRIDGES)
    assert isinstance(error, TorMissing)
    assert "apt install obfs4proxy" in str(error)
    assert names(short_path / "bin") == ["tor"]
    assert names(runtime) == []


async def test_what_its_file_says_does_not_replace_what_we_need(torrc: Path, runtime: Path, state: Path) -> None:
    elsewhere, leak = torrc.parent / "elsewhere", torrc.parent / "leak"
    write(
        torrc,
        f"{OFFLINE}DataDirectory {elsewhere}\nLog debug file {leak}\nControlPort auto\nRunAsDaemon 1\n"
        "CookieAuthentication 0\n",
    )
    async with process.launch(torrc, amnesic=False) as own:
        assert (await data_directory_of(torrc)).parent == state
        async with aclosing(await Control.open(Endpoint(path=own.control))) as control:
            assert await control.info("net/listeners/control") == f'"unix:{own.control}"'
    assert not elsewhere.exists()
    assert not leak.exists()


async def test_a_tor_that_hangs_is_killed_in_time(torrc: Path, runtime: Path) -> None:
    async with process.launch(torrc, amnesic=False):
        pid = process_of(torrc)
        os.kill(pid, signal.SIGSTOP)
        await processes.stopped(pid)
        before = trio.current_time()
    assert not processes.is_alive(pid)
    assert trio.current_time() - before >= limits.TOR_STOP
    assert names(runtime) == []


async def test_a_tor_that_has_ended_by_itself_does_no_harm(torrc: Path, runtime: Path) -> None:
    async with process.launch(torrc, amnesic=False):
        os.kill(process_of(torrc), signal.SIGKILL)
    assert names(runtime) == []


async def test_a_second_copy_gets_a_directory_of_its_own_for_its_time(
    torrc: Path, runtime: Path, state: Path, short_path: Path
) -> None:
    alike = short_path / "alike"
    write(alike, OFFLINE)
    async with process.launch(torrc, amnesic=False) as first:
        first_data = await data_directory_of(torrc)
        assert first_data.parent == state
        async with process.launch(alike, amnesic=False) as second:
            second_data = await data_directory_of(alike)
            assert second_data == second.runtime / "data"
            assert (first.is_beside_another, second.is_beside_another) == (False, True)
        assert second.runtime.name not in names(runtime)
    async with process.launch(alike, amnesic=False):
        assert await data_directory_of(alike) == first_data
    assert names(state) == [first_data.name]


async def test_each_content_of_the_torrc_has_a_directory_of_its_own(
    torrc: Path, runtime: Path, state: Path, short_path: Path
) -> None:
    other = short_path / "other"
    write(other, OFFLINE + "# another network\n")
    async with process.launch(torrc, amnesic=False), process.launch(other, amnesic=False):
        assert await data_directory_of(torrc) != await data_directory_of(other)
    assert len(names(state)) == 2
    assert {(state / name).stat().st_mode & 0o777 for name in names(state)} == {0o700}


async def test_its_directory_stays_locked_as_long_as_tor_lives_whatever_becomes_of_us(
    torrc: Path, runtime: Path, state: Path
) -> None:
    async with process.launch(torrc, amnesic=False):
        path = await data_directory_of(torrc) / "anonp2p.lock"
        assert path in processes.open_files(process_of(torrc))
    with path.open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


@pytest.fixture
def memory_directory(monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory that lives in memory and holds what an amnesic Tor writes."""
    base = Path("/dev/shm")
    if disks.keeping_of(disks.mount_of(base)) != "memory":
        pytest.skip("/dev/shm is no tmpfs here")
    path = base / f"t-{os.urandom(4).hex()}"
    path.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(path))
    return path


async def test_an_amnesic_tor_leaves_nothing(torrc: Path, memory_directory: Path, state: Path) -> None:
    try:
        async with process.launch(torrc, amnesic=True):
            data = await data_directory_of(torrc)
            assert data.is_relative_to(memory_directory)
            assert names(data)
        assert names(memory_directory) == []
        assert names(state.parent) == []
    finally:
        shutil.rmtree(memory_directory)


async def test_an_amnesic_tor_is_not_started_where_all_directories_reach_a_disk(
    torrc: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disks, "mount_of", lambda _: None)
    error = await failure(torrc, amnesic=True)
    assert isinstance(error, TorRefused)
    assert "--amnesic" in str(error)
    assert processes.with_argument(str(torrc)) == []


async def test_a_user_without_a_home_is_told_where_tor_could_keep_its_guards(
    torrc: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a container, with a uid that nobody has entered."""

    def unknown(_: int) -> pwd.struct_passwd:
        raise KeyError

    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.delenv("HOME")
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    error = await failure(torrc)
    assert "XDG_STATE_HOME" in str(error)
    assert "--amnesic" in str(error)
    assert processes.with_argument(str(torrc)) == []


async def test_a_bad_torrc_is_refused_in_tors_own_words(torrc: Path, runtime: Path) -> None:
    write(torrc, "Nonsense 1\n")
    error = await failure(torrc)
    assert isinstance(error, TorRefused)
    assert "Unknown option 'Nonsense'" in str(error)
    assert names(runtime) == []


NEVER = "echo 'Nov 01 12:00:00.000 [warn] It is too dark in here.'; exec sleep 1000"
FLOOD = "head -c 5000000 /dev/zero; echo; echo 'x [err] At last.'; exit 1"


@pytest.mark.parametrize(
    ("script", "words"),
    [
        pytest.param(NEVER, "It is too dark in here", id="never opens its control socket"),
        pytest.param("exit 1", "it said nothing", id="ends without a word"),
        pytest.param("(sleep 0.2; echo 'x [err] Farewell.') & exit 1", "Farewell", id="says it while it ends"),
        pytest.param(FLOOD, "At last", id="says it after a flood"),
        pytest.param(
            f'ulimit -n 100; exec {shutil.which("tor")} "$@"',
            "We need 1000 file descriptors available, and we're limited to 100",
            id="may not open enough files",
        ),
    ],
)
async def test_a_tor_that_does_not_start_is_refused_in_its_own_words(
    torrc: Path, runtime: Path, short_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, words: str
) -> None:
    fake_program("tor", short_path / "bin", script, monkeypatch)
    if script is NEVER:
        monkeypatch.setattr(limits, "LAUNCH_PATIENCE", 3.0)  # by then it has said it
    error = await failure(torrc)
    assert isinstance(error, TorRefused)
    assert words in str(error)
    assert processes.with_argument(str(torrc)) == []
    assert names(runtime) == []


async def test_a_tor_that_cannot_be_run_is_refused(
    torrc: Path, runtime: Path, short_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_program("tor", short_path / "bin", "", monkeypatch).write_bytes(b"\x7fELF no program")
    error = await failure(torrc)
    assert isinstance(error, TorRefused)
    assert "does not start" in str(error)


async def test_words_of_tor_without_an_end_are_not_kept() -> None:
    async def flood() -> AsyncIterator[bytes]:
        for _ in range(100):
            await trio.lowlevel.checkpoint()
            yield bytes(65_536)

    tracemalloc.start()
    try:
        await process.Voice(Complaints()).listen(cast(trio.Process, SimpleNamespace(stdout=flood())))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 1_000_000


def fake_program(name: str, directory: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program that is found first."""
    directory.mkdir()
    program = directory / name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o700)
    monkeypatch.setenv("PATH", f"{directory}{os.pathsep}{os.environ['PATH']}")
    return program


async def test_no_tor_at_all_is_missing(torrc: Path, runtime: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(runtime))
    error = await failure(torrc)
    assert isinstance(error, TorMissing)
    assert "install" in str(error)
    assert names(runtime) == []


def test_a_tor_in_a_relative_directory_of_the_path_is_not_found(
    short_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_program("tor", short_path / "bin", "exit 1", monkeypatch)
    monkeypatch.chdir(short_path)
    monkeypatch.setenv("PATH", f"bin{os.pathsep}.{os.pathsep}")
    with pytest.raises(TorMissing):
        process.find()
    monkeypatch.setenv("PATH", str(short_path / "bin"))
    assert process.find() == os.path.realpath(short_path / "bin" / "tor")


async def test_a_place_that_cannot_be_written_is_told_as_such(
    torrc: Path, runtime: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    error = await failure(torrc)
    assert isinstance(error, Failed)
    assert names(runtime) == []


async def test_a_disk_without_space_for_tor_is_told_with_what_to_do(
    torrc: Path, runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    assert "No space left on device). Free some" in str(await failure(torrc))


@pytest.mark.parametrize("name", ["a#b c\"d\\e'f\ng\u00e9" + os.fsdecode(b"\xff\x01"), "\\", 'a"', "#a"])
async def test_its_directory_may_have_any_name(
    torrc: Path, runtime: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / name))
    async with process.launch(torrc, amnesic=False):
        assert (await data_directory_of(torrc)).parent.parent.name == name


async def test_a_directory_that_others_planted_is_refused_with_what_to_do(
    torrc: Path, runtime: Path, state: Path
) -> None:
    await trio.Path(state).symlink_to(runtime)
    error = await failure(torrc)
    assert isinstance(error, Failed)
    assert f"{state} is a symbolic link" in str(error)
    assert "XDG_STATE_HOME" in str(error)
    assert names(runtime) == []
    assert processes.with_argument(str(torrc)) == []


@pytest.mark.parametrize("planted", [".", "anonp2p.lock"])
def test_a_link_in_place_of_the_directory_of_a_torrc_or_its_lock_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, planted: str
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path.resolve()))
    with ExitStack() as stack:
        data, _ = process.data_directory(None, tmp_path / "runtime", stack)
    (data / planted).rename(tmp_path / "elsewhere")
    (data / planted).symlink_to(tmp_path / "elsewhere")
    with ExitStack() as stack, pytest.raises(UnsafeError, match="symbolic link"):
        process.data_directory(None, tmp_path / "runtime", stack)


async def test_tor_holds_the_runtime_directory_whatever_becomes_of_us(torrc: Path, runtime: Path) -> None:
    async with process.launch(torrc, amnesic=False) as own:
        assert own.runtime in processes.open_files(process_of(torrc))
        async with process.launch(torrc, amnesic=False):
            assert own.runtime.name in names(runtime)


# --- together with its control connection, as `--tor own` has it


async def test_a_copy_beside_another_says_that_its_tor_starts_anew(torrc: Path, runtime: Path) -> None:
    told: list[events.Event] = []
    async with process.launch(torrc, amnesic=False), trio.open_nursery() as nursery:

        async def connect() -> None:
            async with tor.connect(Config(tor="own", torrc=torrc), hear):
                pytest.fail("it cannot have booted")

        def hear(event: events.Event) -> None:
            told.append(event)
            if isinstance(event, events.TorProgressEvent):
                nursery.cancel_scope.cancel()

        nursery.start_soon(connect)
    assert told[0] == events.StateInUseEvent()


async def test_a_boot_that_is_cancelled_leaves_no_tor(torrc: Path, runtime: Path) -> None:
    told: list[events.Event] = []
    news = trio.Event()

    def tell(event: events.Event) -> None:
        told.append(event)
        news.set()

    async def connect() -> None:
        async with tor.connect(Config(tor="own", torrc=torrc), tell):
            pytest.fail("it cannot have booted")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(connect)
        with trio.fail_after(30):
            await news.wait()
        assert len(processes.with_argument(str(torrc))) == 1
        nursery.cancel_scope.cancel()
    assert told == [events.TorProgressEvent(progress=0, summary=in_words("Starting"))]
    assert processes.with_argument(str(torrc)) == []
    assert names(runtime) == []
