"""How the checks follow one another, how long they may take, and how their printing ends."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
import trio.testing

from anonp2p import limits
from anonp2p.config import Config, Endpoint
from anonp2p.doctor import doctor
from anonp2p.doctor.doctor import Connect, Hear, examine, judge_lack, make_check
from anonp2p.errors import TorLost
from anonp2p.findings import CHECKS, CheckBegun, CheckMade, CheckName, CheckWaits, Finding, Told, find
from anonp2p.net.tor.errors import BridgesSilent, ControlPortNeeded, TorEnded, TorNotInstalled
from anonp2p.net.tor.tor import Tor
from anonp2p.reasons import Reason
from anonp2p.room import events
from tests.net.tor.parts import STEM
from tests.support.servers import FakeTor, server

pytestmark = STEM

HERE = Endpoint(host="127.0.0.1", port=9050)
WORDS = Reason("tor-words", "Connecting to a relay")


def found(told: Sequence[Told], name: CheckName) -> list[Finding]:
    """What a check found."""
    (made,) = [one for one in told if isinstance(one, CheckMade) and one.name == name]
    return list(made.findings)


async def test_a_check_tells_that_it_begins_and_then_what_it_found() -> None:
    told: list[Told] = []

    async def check() -> list[Finding]:
        await trio.lowlevel.checkpoint()
        assert told == [CheckBegun("room")]
        return [find("cores-off")]

    await make_check("room", check, told.append)
    assert told == [CheckBegun("room"), CheckMade("room", [find("cores-off")])]


async def test_an_error_is_what_a_check_finds_also_one_in_a_group() -> None:
    told: list[Told] = []

    async def fail() -> list[Finding]:
        await trio.lowlevel.checkpoint()
        raise TorEnded

    async def fail_in_group() -> list[Finding]:
        await trio.lowlevel.checkpoint()
        raise ExceptionGroup("", [TorNotInstalled()])

    await make_check("room", fail, told.append)
    await make_check("boot", fail_in_group, told.append)
    assert found(told, "room") == [find("failed", TorEnded())]
    assert found(told, "boot") == [find("failed", TorNotInstalled())]


async def test_a_check_that_takes_too_long_is_given_up(autojump_clock: trio.testing.MockClock) -> None:
    told: list[Told] = []

    async def hang() -> list[Finding]:
        await trio.sleep_forever()
        return []

    await make_check("room", hang, told.append, 7.0)
    assert trio.current_time() == pytest.approx(7.0, abs=0.01)
    assert found(told, "room") == [find("check-too-long", 7)]


@pytest.fixture
def no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing before the boot is looked at."""

    async def nothing(_: Config) -> list[Finding]:
        await trio.lowlevel.checkpoint()
        return []

    monkeypatch.setattr(doctor, "check_directories", lambda _: [])
    monkeypatch.setattr(doctor, "check_bridges", lambda _: [])
    monkeypatch.setattr(doctor, "check_tor_program", nothing)
    monkeypatch.setattr(doctor, "check_control_ports", nothing)


async def told_of(connect: Connect) -> list[Told]:
    """What is told where this is how one gets a Tor."""
    told: list[Told] = []
    await examine(Config(), told.append, connect)
    made = [one.name for one in told if isinstance(one, CheckMade)]
    assert made == list(CHECKS[2:]), "each check is told once, in order"
    return told


@pytest.mark.usefixtures("no_others")
async def test_without_a_tor_what_needs_one_is_left_out() -> None:
    @asynccontextmanager
    async def connect(_: Config, __: Hear) -> AsyncIterator[Tor]:
        raise TorNotInstalled
        yield

    told = await told_of(connect)
    assert found(told, "boot") == [find("failed", TorNotInstalled())]
    assert found(told, "socks-port") == found(told, "room") == found(told, "commands") == [find("needs-boot")]


@pytest.mark.usefixtures("no_others")
async def test_what_is_told_while_tor_gets_ready_is_passed_on_and_is_its_boot_that_gives_up(
    autojump_clock: trio.testing.MockClock,
) -> None:
    @asynccontextmanager
    async def connect(_: Config, tell: Hear) -> AsyncIterator[Tor]:
        tell(events.StateInUseEvent())
        tell(events.TorProgressEvent(progress=5, summary=WORDS))
        tell(events.TorSlowEvent(progress=5, summary=WORDS, seconds=30, warning=Reason("bridges-silent")))
        await trio.sleep(limits.BOOT_STALL)
        raise BridgesSilent(5, WORDS.value)
        yield

    told = await told_of(connect)
    assert [one for one in told if isinstance(one, CheckWaits)] == [
        CheckWaits(5, WORDS),
        CheckWaits(5, WORDS, 30, Reason("bridges-silent")),
    ]
    assert found(told, "boot") == [find("failed", BridgesSilent(5, WORDS.value)), find("state-in-use")]


@pytest.mark.usefixtures("no_others")
async def test_a_tor_that_ends_while_it_is_looked_at_is_told_and_the_rest_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def lose(_: Tor, __: Endpoint) -> list[Finding]:
        await trio.lowlevel.checkpoint()
        raise TorEnded

    async def lookup(_: Tor) -> list[Finding]:
        await trio.lowlevel.checkpoint()
        return [find("looked-up", 1.0)]

    monkeypatch.setattr(doctor, "check_socks", lose)
    monkeypatch.setattr(doctor, "check_lookup", lookup)

    @asynccontextmanager
    async def connect(_: Config, tell: Hear) -> AsyncIterator[Tor]:
        tell(events.ReadyEvent(version="0.4.9", tor="system"))
        yield Tor(None, HERE, None, "system")

    told = await told_of(connect)
    assert found(told, "boot") == [find("booted", "system", "0.4.9", 0.0)]
    (lost,) = found(told, "socks-port")
    assert isinstance(lost.error, TorLost)
    assert found(told, "room") == [find("failed", ControlPortNeeded()), find("looked-up", 1.0)]


def test_that_no_room_can_be_published_is_wrong_unless_only_a_socks_port_was_named() -> None:
    lack = ControlPortNeeded()
    assert judge_lack(Config(socks=HERE), lack) == find("join-only", lack)
    assert judge_lack(Config(socks=HERE, control=HERE), lack) == judge_lack(Config(), lack) == find("failed", lack)


# --- the program


def diagnosed(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs it without a Tor to be found."""
    command = [sys.executable, "-m", "anonp2p", *arguments, "doctor"]
    given = {"PATH": "/nonexistent", **environment}
    return subprocess.run(command, capture_output=True, env=given, text=True, check=False, timeout=120)


def test_without_tor_all_else_is_looked_at_and_the_exit_code_is_3() -> None:
    done = diagnosed("--json")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["check"] for line in lines if line["type"] == "check"] == list(CHECKS)
    states = {line["check"]: line["state"] for line in lines if line["type"] == "check"}
    assert (states["packages"], states["tor-program"], states["boot"], states["room"]) == (
        "ok",
        "note",
        "wrong",
        "skip",
    )
    assert lines[-1]["type"] == "checked"
    assert done.returncode == lines[-1]["status"] == 3
    assert done.stderr.startswith("anonp2p: Tor is missing: ")


def test_memory_is_as_the_program_hardens_it() -> None:
    for line in diagnosed("--json").stdout.splitlines():
        made = json.loads(line)
        if made.get("check") == "memory":
            codes = {finding["finding"] for finding in made["findings"]}
            assert {"freed-wiped", "cores-off", "undumpable"} <= codes


@pytest.mark.parametrize("arguments", [(), ("--control", "127.0.0.1:1")])
def test_without_a_package_that_tor_takes_nothing_of_tor_is_looked_at(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    (tmp_path / "stem.py").write_text("raise ImportError")
    done = diagnosed("--json", *arguments, PYTHONPATH=str(tmp_path))
    made = {line["check"]: line for line in map(json.loads, done.stdout.splitlines()) if line["type"] == "check"}
    assert [finding["finding"] for finding in made["packages"]["findings"] if finding["state"] == "wrong"] == [
        "package-missing"
    ]
    assert made["memory"]["state"] != "skip"
    assert [made[name]["state"] for name in CHECKS[2:]] == ["skip"] * len(CHECKS[2:])
    assert done.returncode == 1
    assert "stem" in done.stderr


def test_it_prints_in_words_where_no_terminal_is_and_as_narrow_as_asked() -> None:
    done = diagnosed(COLUMNS="40")
    assert done.stdout.startswith("Python and its packages\n  ok    Python ")
    assert max(map(len, done.stdout.splitlines())) <= 40
    assert "\n  wrong Tor is missing" in done.stdout


def test_nobody_who_reads_ends_it_quietly() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "anonp2p", "doctor"]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, check=False, timeout=60)
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_it_with_its_code(short_path: Path, number: signal.Signals) -> None:
    """While it waits for a control port that does not answer."""
    fake = FakeTor()
    fake.deaf = {"PROTOCOLINFO"}
    async with server(fake, short_path / "port") as endpoint:
        command = [sys.executable, "-m", "anonp2p", "--control", str(endpoint), "doctor"]
        process = await trio.lowlevel.open_process(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        assert process.stderr is not None
        await fake.hears("PROTOCOLINFO")
        process.send_signal(number)
        with trio.fail_after(30):
            assert await process.wait() == 128 + number
            assert await process.stderr.receive_some() == b""
        await process.stderr.aclose()
