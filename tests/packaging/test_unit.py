"""The systemd unit of a room that stays: what it keeps, how one talks to it, and how it ends."""

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.documents import read_blocks
from tests.support.unit import UNIT, Unit, run_here

ANSWER = {"type": "reply", "command": "/health", "data": {"ok": True, "trouble": r"a \"gone\" \n %s \c"}, "room": "r1"}
SAID = [
    {"type": "room", "room": "r1", "name": 'a "code":"x.onion"', "code": "first.onion"},
    {"type": "message", "room": "r1", "text": '{"code":"no.onion"} ,"code":"never.onion"', "seq": 1},
    {"type": "message", "room": "r1", "text": '{"type":"reply","command":"/health","data":{}}', "seq": 2},
    {"type": "error", "code": "failed", "text": "x"},
    {"type": "reply", "command": "/help", "data": [{"command": "/health", "usage": "/health", "does": "it"}]},
    {"type": "code", "room": "r1", "code": "second.onion"},
    ANSWER | {"data": {}},
    ANSWER,
    {"type": "gone", "room": "r2", "reason": "left"},
]

BOTS = [pytest.param(block.text, id=str(block)) for block in read_blocks("ini")]


def write_lines(path: Path, *events: object) -> Path:
    path.write_text("".join(json.dumps(event, separators=(",", ":")) + "\n" for event in events), encoding="utf-8")
    return path


def test_it_keeps_codes_and_the_latest_answer_on_health_and_nothing_that_is_said(tmp_path: Path) -> None:
    said = write_lines(tmp_path / "said", *SAID)
    with Unit(f'#!/bin/sh\necho "$@" >{tmp_path}/arguments\ncat {said}\nread line\n') as unit:
        unit.await_true(lambda: bool(unit.read("health")) and json.loads(unit.read("health")) == ANSWER, "the answer")
        assert unit.read("code") == "first.onion\nsecond.onion\n"
        kept = sorted(path.name for path in unit.directory.iterdir() if not path.is_fifo())
        assert kept == ["code", "health"]
        unit.write("")
        assert unit.result()[0] == 0
    assert (tmp_path / "arguments").read_text() == "--json create demo --stay\n"


def test_systemd_sees_that_it_has_failed() -> None:
    with Unit("#!/bin/sh\necho why >&2\nexit 3\n") as unit:
        assert unit.result() == (3, "why\n")
        assert unit.has_failed


def test_the_program_is_told_to_end_once_its_room_has(tmp_path: Path) -> None:
    said = write_lines(tmp_path / "said", {"type": "gone", "re": 7, "room": "r1", "reason": "closed"})
    with Unit(f'#!/bin/sh\ncat {said}\nread line\necho "$line" >{tmp_path}/heard\n') as unit:
        assert unit.result()[0] == 0
    assert (tmp_path / "heard").read_text() == "/quit\n"


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="it comes with systemd")
@pytest.mark.parametrize("unit", [pytest.param(UNIT.read_text("utf-8"), id="ours"), *BOTS])
def test_systemd_understands_all_of_a_unit(unit: str, tmp_path: Path) -> None:
    (path := tmp_path / "some@.service").write_text(unit, encoding="utf-8")
    (tmp_path / "bot").mkdir()
    (tmp_path / "bot/.venv").symlink_to(sys.prefix)
    environment = {"HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path), "PATH": os.environ["PATH"]}
    command = ["systemd-analyze", "verify", "--user", "--man=no", str(path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


# --- with the program itself, over a network in memory


@pytest.fixture
def unit(short_path: Path) -> Iterator[Unit]:
    """Without the --json that the unit gives it, which what composes it gives it as well."""
    script = run_here("--control", str(short_path / "c"), "--mode", "json", "--", module="tests.support.program")
    with Unit(script.replace("exec ", "shift\nexec ")) as unit:
        yield unit


def test_whoever_owns_it_asks_as_often_as_they_like_and_its_input_never_ends(unit: Unit) -> None:
    told = unit.await_well(True)
    assert (told["role"], told["reachable"], told["members"]) == ("host", True, 1)
    for number in range(3):
        assert unit.ask(f"again {number}")["ok"]
    unit.write("nobody reads this", *['{"command": "/health"}'] * 200)
    assert unit.ask("after many")["outstanding"] == 0
    assert unit.process.poll() is None
    assert "nobody reads this" not in "".join(unit.read(name) for name in ("code", "health"))
    kinds = {path.name: stat.filemode(path.stat().st_mode) for path in unit.directory.iterdir()}
    assert kinds == {"code": "-rw-------", "events": "prw-------", "health": "-rw-------", "input": "prw-------"}
    assert unit.stop() == (128 + signal.SIGTERM, "")
    assert not unit.has_failed


def test_it_ends_when_a_moderator_ends_the_room(unit: Unit) -> None:
    unit.await_well(True)
    unit.write("/close")
    assert unit.result() == (0, "")
