"""Plays the schedules of many seeds, or one schedule again; see scripts/simulate."""

import argparse
import multiprocessing
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from unittest.mock import patch

from anonp2p.crypto import identity
from tests.room.town.play import Outcome, Play
from tests.room.town.schedule import Schedule, draw_schedule

SIGNATURES = 4_096  # that are remembered: more than are on their way at any time
WELL = frozenset(("ok", "over", "apart"))  # verdicts
EXAMPLES = 8  # seeds that are named of each verdict


def play(schedule: Schedule) -> Outcome:
    """Plays it; an error of the program is a verdict as well.

    What several people check is computed once: whether a signature is good does not depend on who asks.
    """
    running = Play(schedule)
    try:
        with patch.object(identity, "is_signed", lru_cache(SIGNATURES)(identity.is_signed)):
            return running.run()
    except Exception as error:  # noqa: BLE001  # any is a finding
        last = traceback.extract_tb(error.__traceback__)[-1]
        verdict = f"{type(error).__name__} in {Path(last.filename).name}:{last.lineno} {error}"
        return Outcome(schedule, verdict, [traceback.format_exc()], {}, running.town.trace)


def shrink(schedule: Schedule) -> Schedule:
    """As few steps of it as still go wrong in the same way."""
    number, kind = 0, _kind(play(schedule).verdict)
    while number < len(schedule.steps):
        fewer = schedule.without(number)
        if _kind(play(fewer).verdict) != kind:
            number += 1
        else:
            schedule = fewer
    return schedule


def _play_seed(given: tuple[int, bool]) -> tuple[int, str, dict[str, int]]:
    seed, host_stays = given
    outcome = play(draw_schedule(seed, host_stays=host_stays))
    return seed, outcome.verdict, outcome.counts


def _play_seeds(seeds: Sequence[int], jobs: int, *, host_stays: bool) -> Iterator[tuple[int, str, dict[str, int]]]:
    given = [(seed, host_stays) for seed in seeds]
    if jobs == 1:
        yield from map(_play_seed, given)
    else:
        with multiprocessing.Pool(jobs) as pool:
            yield from pool.imap_unordered(_play_seed, given, chunksize=4)


def _kind(verdict: str) -> str:
    """A verdict without its numbers: who and where differ from seed to seed."""
    return " ".join(word for word in verdict.split() if not any(character.isdigit() for character in word))


def _run_seeds(seeds: Sequence[int], jobs: int, *, host_stays: bool) -> int:
    """Prints what came of them; 1 if any went wrong."""
    began, verdicts, counts = time.monotonic(), Counter[str](), Counter[str]()
    examples: dict[str, list[tuple[int, str]]] = {}
    try:
        for seed, verdict, counted in _play_seeds(seeds, jobs, host_stays=host_stays):
            kind = _kind(verdict)
            verdicts[kind] += 1
            counts.update(counted)
            examples.setdefault(kind, []).append((seed, verdict))
            if verdict not in WELL and len(examples[kind]) <= EXAMPLES:
                print(f"seed {seed}: {verdict}", flush=True)
    except KeyboardInterrupt:
        print("stopped")
    print(f"{verdicts.total()} seeds in {time.monotonic() - began:.0f} s")
    for kind, number in verdicts.most_common():
        named = "" if kind == "ok" else " ".join(str(seed) for seed, _ in examples[kind][:EXAMPLES])
        print(f"{number:6} {kind}  {named}")
    print(" ".join(f"{name}: {number}" for name, number in sorted(counts.items())))
    return int(not WELL.issuperset(verdicts))


def _show(schedule: Schedule, *, verbose: bool) -> int:
    outcome = play(schedule)
    if verbose:
        print(*outcome.trace, sep="\n")
    print(schedule)
    print(*outcome.faults[:EXAMPLES], sep="\n")
    print(outcome.verdict)
    return int(outcome.verdict not in WELL)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="scripts/simulate", description=__doc__)
    parser.add_argument("--seeds", nargs=2, type=int, metavar=("LO", "HI"), help="play these, HI left out")
    parser.add_argument("--jobs", type=int, default=1, help="processes at once")
    parser.add_argument("--host-stays", action="store_true", help="nothing happens to the first host")
    parser.add_argument("--shrink", type=int, metavar="SEED", help="print as few of its steps as still go wrong")
    parser.add_argument("--replay", metavar="FILE", help="play the schedule in this file, or from stdin for -")
    parser.add_argument("--verbose", action="store_true", help="print all that happens")
    given = parser.parse_args(arguments)
    if given.replay is not None:
        text = sys.stdin.read() if given.replay == "-" else Path(given.replay).read_text(encoding="utf-8")
        return _show(Schedule.parse(text), verbose=given.verbose)
    if given.shrink is not None:
        return _show(shrink(draw_schedule(given.shrink, host_stays=given.host_stays)), verbose=given.verbose)
    low, high = given.seeds or (0, 200)
    if high == low + 1:
        return _show(draw_schedule(low, host_stays=given.host_stays), verbose=given.verbose)
    return _run_seeds(range(low, high), given.jobs, host_stays=given.host_stays)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
