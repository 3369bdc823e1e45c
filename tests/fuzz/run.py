"""Runs the targets of tests.fuzz.targets, guided by coverage where atheris is installed; see scripts/fuzz."""

import importlib
import importlib.util
import random
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path

TARGETS = "tests.fuzz.targets"  # imported late: atheris instruments what is imported under its eyes
SECONDS = 30
LONGEST = 4_096  # bytes of an input
ALONE = "--guided"  # how this program calls itself: atheris never gives control back


def mutated(random_: random.Random, seeds: list[bytes]) -> bytes:
    """A seed with some bytes changed, taken out, repeated or put in, or crossed with another one."""
    data = bytearray(random_.choice(seeds))
    for _ in range(random_.randint(1, 8)):
        at = random_.randrange(len(data) + 1)
        piece = random_.choice(seeds)
        match random_.randrange(6):
            case 0:
                data[at : at + 1] = random_.randbytes(1)
            case 1:
                del data[at : at + random_.randint(1, 8)]
            case 2:
                data[at:at] = random_.randbytes(random_.randint(1, 16))
            case 3:
                data[at:at] = data[at : at + random_.randint(1, 64)]
            case 4:
                data[at:] = piece[random_.randrange(len(piece) + 1) :]
            case 5 if at < len(data):
                data[at] ^= 1 << random_.randrange(8)
    return bytes(data[:LONGEST])


def by_chance(name: str, more: Callable[[int], bool], seed: int = 0) -> bytes | None:
    """Runs a target on its seeds and on what comes of them, while `more` runs are wanted; the input it fails at."""
    targets = importlib.import_module(TARGETS)
    target = targets.TARGETS[name]
    seeds = targets.SEEDS[name]
    random_ = random.Random(seed)  # the same each time is what is wanted
    runs = 0
    while more(runs):
        data = seeds[runs] if runs < len(seeds) else mutated(random_, seeds)
        try:
            target(data)
        except Exception:  # noqa: BLE001  # any is a finding
            traceback.print_exc()
            return data
        runs += 1
    return None


def guided(name: str, seconds: float, directory: str) -> None:
    """Runs a target by atheris, in this process, which ends with it."""
    atheris = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["anonp2p"]):
        targets = importlib.import_module(TARGETS)
    corpus = Path(directory, "corpus")
    corpus.mkdir()
    for number, seed in enumerate(targets.SEEDS[name]):
        (corpus / str(number)).write_bytes(seed)
    options = (
        f"-max_total_time={seconds:.0f}",
        f"-max_len={LONGEST}",
        f"-artifact_prefix={directory}/",
        "-verbosity=0",
    )
    atheris.Setup([sys.argv[0], *options, "-print_final_stats=1", str(corpus)], targets.TARGETS[name])
    atheris.Fuzz()


def fuzz(name: str, seconds: float) -> bytes | None:
    """Runs a target for so many seconds; the input it fails at."""
    print(f"--- {name}, {seconds:.0f} s", flush=True)
    if importlib.util.find_spec("atheris") is None:
        until = time.monotonic() + seconds
        return by_chance(name, lambda _: time.monotonic() < until, random.SystemRandom().getrandbits(32))
    with tempfile.TemporaryDirectory(prefix="fuzz-") as directory:
        command = [sys.executable, "-m", "tests.fuzz.run", ALONE, name, str(seconds), directory]
        done = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for line in done.stdout.splitlines():
            if line.startswith(("stat::number_of_executed_units", "stat::average")):
                print(line.removeprefix("stat::"))
        if done.returncode == 0:
            return None
        print(done.stdout)
        found = [path.read_bytes() for path in Path(directory).glob("*-*") if path.is_file()]
        return found[0] if found else b""


def all_of(names: list[str], seconds: float = SECONDS) -> int:
    """Runs targets one after the other, up to the first that fails."""
    for name in names:
        found = fuzz(name, seconds)
        if found is not None:
            print(f"fuzz: {name} fails; once more by: scripts/fuzz --again {name} {found.hex()}")
            return 1
    return 0


def main(arguments: list[str]) -> int:
    names = list(importlib.import_module(TARGETS).TARGETS) if ALONE not in arguments else []
    match arguments:
        case ["--guided", name, seconds, directory]:
            guided(name, float(seconds), directory)
            return 0
        case ["--again", name, data] if name in names:
            importlib.import_module(TARGETS).TARGETS[name](bytes.fromhex(data))
            return 0
        case [] | [_] | [_, _]:
            numbers = [float(argument) for argument in arguments if argument.isdigit()]
            wanted = [argument for argument in arguments if not argument.isdigit()] or names
            if len(numbers) <= 1 and set(wanted) <= set(names):
                return all_of(wanted, *numbers)
    print(f"usage: scripts/fuzz [SECONDS] [TARGET], targets: {' '.join(names)}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
