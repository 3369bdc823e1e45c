"""Which arguments scripts/bench takes, and how it ends before its time."""

import json
import signal
import subprocess
import sys

import pytest

from tests.bench.results import FAR
from tests.bench.run import one_interrupt, parse

REFUSED = [
    ("nonsense", "invalid choice: 'nonsense'"),
    ("crypto --members 50,1", "1 is out of bounds: at least 2"),
    ("crypto --members 2,", "'' is no whole number"),
    ("cost --runs 0", "0 is out of bounds: at least 1"),
    ("fanout --seconds nan", "nan is out of bounds"),
    ("fanout --seconds soon", "'soon' is no number"),
    ("join --near --far", "not allowed with argument --near"),
    ("join --near --delay 100", "--near is a network without distances"),
    ("join --delay 10", "the jitter is a part of the delay"),  # 15 ms unless said otherwise
    ("dials --jitter 41", "the jitter is a part of the delay"),
    ("dials --hang 101", "101 is out of bounds: from 0 to 100"),
    ("dials --ways hedged,twice", "'twice' is none of hedged, in turn, tor"),
    ("hostile --attacks politeness", "'politeness' is none of silence, "),
    ("screen --size 80", "'' is no whole number"),
    ("--json flood", "flood has no samples"),
    ("--quick stay", "stay is never quick"),
]


@pytest.mark.parametrize(("given", "why"), REFUSED, ids=[given for given, _ in REFUSED])
def test_what_cannot_be_measured_is_refused_before_anything_begins(
    given: str, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(given.split())
    assert ended.value.code == 2
    assert why in capsys.readouterr().err


def test_arguments_mean_the_same_before_and_after_the_name() -> None:
    for given in ("--json dials --ways tor", "dials --json --ways tor"):
        arguments = parse(given.split())
        assert (arguments.json, arguments.ways, arguments.newcomers) == (True, ["tor"], 70)
    assert parse(["screen", "--size", "80x24"]).size == (80, 24)
    far = parse(["join", "--quick", "--far", "--delay", "10", "--jitter", "0"])
    assert (far.quick, far.networks, far.delay, far.jitter) == (True, (FAR,), 10.0, 0.0)
    assert parse(["--quick"]).what is None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_run_that_a_signal_ends_says_so_and_gives_what_it_has(number: signal.Signals) -> None:
    command = [sys.executable, "-m", "tests.bench.run", "crypto", "--json", "--members", "2,1000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        assert run.stderr is not None
        try:
            while "bench: crypto" not in run.stderr.readline():
                assert run.poll() is None
            run.send_signal(number)
            report = json.loads(run.stdout.read())
            assert run.wait() == 128 + number
        finally:
            run.kill()
    assert report["failures"] == ["the rest: interrupted"]


def test_an_interrupt_is_one_out_of_nurseries_too_and_whatever_else_ended_in_them() -> None:
    both = BaseExceptionGroup("a nursery", [ExceptionGroup("another", [OSError()]), KeyboardInterrupt()])
    with pytest.raises(KeyboardInterrupt), one_interrupt():
        raise both
    with pytest.raises(ExceptionGroup), one_interrupt():
        raise ExceptionGroup("a nursery", [OSError()])
