"""Applies mutants to copies of the program, one at a time, and runs the tests that must notice; see scripts/mutants."""

import argparse
import concurrent.futures
import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.mutants.catalogue import ROOT, Mutant, load

COPIED = ("anonp2p", "tests", "scripts", "docs", "pyproject.toml", "README.md", "LICENSE", ".gitignore")
WORKERS = 2
SECONDS = 300  # for the tests of one mutant: one that hangs has been noticed
_FAILED = 1  # pytest's exit code when tests failed; all others but 0 mean that it could not run them
_COLLECTION = 2  # its exit code when a module could not be imported: the mutant broke it, which was noticed


def _copy(place: Path) -> Path:
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, place / name, ignore=shutil.ignore_patterns("__pycache__", "pictures"))
        else:
            shutil.copy2(source, place / name)
    (place / ".venv").symlink_to(ROOT / ".venv")  # some tests run what is installed there
    return place


def _run_tests(place: Path, tests: Sequence[str], seconds: float | None = None) -> int:
    """pytest's exit code; 1 where the tests did not end in so many seconds."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "--no-header", *tests]
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
    process = subprocess.Popen(
        command,
        cwd=place,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        return _FAILED
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _try(mutant: Mutant, copies: "queue.Queue[Path]") -> str:
    """Empty if the tests noticed the mutant, or else what is wrong."""
    place = copies.get()
    path = place / mutant.file
    try:
        original = path.read_text(encoding="utf-8")
        try:
            path.write_text(mutant.applied_to(original), encoding="utf-8")
        except ValueError as error:
            return f"DOES NOT APPLY ({error})"
        try:
            code = _run_tests(place, mutant.tests, SECONDS)
        finally:
            path.write_text(original, encoding="utf-8")
        if code == 0:
            return "NOT NOTICED"
        return "" if code in (_FAILED, _COLLECTION) else f"NO TESTS (pytest ended with {code})"
    finally:
        copies.put(place)


def main(arguments: Sequence[str]) -> int:
    """Tries the mutants with the given numbers, all of them without; 1 if any was not noticed."""
    parser = argparse.ArgumentParser(prog="scripts/mutants", description=__doc__)
    parser.add_argument("first", type=int, nargs="?", default=1)
    parser.add_argument("last", type=int, nargs="?")
    parser.add_argument("--list", metavar="NAME", help="only those of tests/mutants/NAME.toml", default="")
    options = parser.parse_args(arguments)
    last = options.last or (options.first if len(arguments) == 1 and not options.list else sys.maxsize)
    chosen = [mutant for mutant in load(options.list) if options.first <= mutant.number <= last]
    wrong = 0
    with tempfile.TemporaryDirectory(prefix="mutants-") as name:
        copies: queue.Queue[Path] = queue.Queue()
        for number in range(WORKERS):
            (Path(name) / str(number)).mkdir()
            copies.put(_copy(Path(name) / str(number)))
        unchanged = sorted({test for mutant in chosen for test in mutant.tests})
        place = copies.get()
        if _run_tests(place, unchanged):
            print("the tests of these mutants do not pass without any mutant", file=sys.stderr)
            return 1
        copies.put(place)
        with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
            results = pool.map(lambda mutant: (mutant, _try(mutant, copies)), chosen)
            for mutant, problem in results:
                wrong += bool(problem)
                print(f"{problem or 'noticed'}: {mutant.label}", flush=True)
    print(f"{len(chosen) - wrong} of {len(chosen)} mutants were noticed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
