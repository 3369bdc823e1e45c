"""The arguments of scripts/bench."""

import argparse
import resource
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from types import FrameType
from typing import Any, Final

from tests.bench.arguments import columns_and_rows, count, counts, number, some_of
from tests.bench.attack import MIXED, attack, tor_network
from tests.bench.children import BenchFailed
from tests.bench.dials import dials
from tests.bench.documents import DOCS, write_documents
from tests.bench.load import FLOODERS, floods, memory
from tests.bench.machine import describe_machine
from tests.bench.measurements import ALONE, OVER_TOR, QUICK, WHOLE, Plan, measure
from tests.bench.peers import find_versions, install_peers
from tests.bench.raid import raid
from tests.bench.results import FAR, NEAR, Report, describe_report
from tests.bench.rooms import rooms
from tests.bench.screen import screen
from tests.bench.stay import print_stay, run_vast
from tests.bench.strangers import HABITS
from tests.bench.ways import WAYS

HELP: Final = {
    "crypto": "what sealing, opening, joining and removing cost",
    "cost": "processor time of a host, and of a member, for a message",
    "fanout": "deliveries a second and memory a client, on loopback",
    "start": "how soon a room has an address, and is reached",
    "join": "how soon a newcomer is in",
    "latency": "how soon a message is with all, and how many are delivered a second, over Tor",
    "files": "how fast a file goes to a member, and whether talk is slower meanwhile",
    "failover": "how soon a room goes on when its host leaves, dies or falls silent",
}
LEAST_SECONDS: Final = 0.1  # of what is measured for a while
# Of each measurement: an option, the field of a plan that it sets, what it may be, and what it says.
OPTIONS: Final[dict[str, dict[str, tuple[str, Callable[[str], object], str]]]] = {
    "crypto": {"members": ("key_members", counts(2), "sizes of rooms")},
    "cost": {
        "members": ("cost_members", counts(2), "sizes of rooms"),
        "runs": ("cost_runs", count(), "for each"),
    },
    "fanout": {
        "members": ("members", counts(2), "sizes of rooms"),
        "runs": ("runs", count(), "for each"),
        "seconds": ("seconds", number(LEAST_SECONDS), "of each run"),
    },
    "files": {
        "megabytes": ("megabytes", count(), "of the file, in MiB"),
        "trials": ("trials", count(), "of each kind"),
    },
    "failover": {
        "people": ("people", count(3), "in the room"),
        "leaves": ("leaves", count(0), "of hosts"),
        "kills": ("kills", count(0), "of hosts with their Tors"),
        "silences": ("silences", count(0), "hosts that are stopped"),
    },
}


def _add_measurements(commands: Any) -> None:
    how = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    how.add_argument("--quick", action="store_true", help="as little as shows that everything runs")
    how.add_argument("--json", action="store_true", help="samples and all, in place of the table")
    tors = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    which = tors.add_mutually_exclusive_group()
    which.add_argument("--near", action="store_const", dest="networks", const=(NEAR,), help="without distances only")
    which.add_argument("--far", action="store_const", dest="networks", const=(FAR,), help="with distances only")
    tors.add_argument("--delay", type=number(0), metavar="MS", help=f"with distances (usually {WHOLE.delay:g})")
    tors.add_argument("--jitter", type=number(0), metavar="MS", help=f"of it (usually {WHOLE.jitter:g})")
    for name in (*ALONE, *OVER_TOR):
        parents = [how, tors] if name in OVER_TOR else [how]
        one = commands.add_parser(name, help=HELP[name], parents=parents, argument_default=argparse.SUPPRESS)
        for option, (field, kind, meaning) in OPTIONS.get(name, {}).items():
            usual = getattr(WHOLE, field)
            shown = ",".join(map(str, usual)) if isinstance(usual, tuple) else usual
            one.add_argument(f"--{option}", dest=field, type=kind, metavar="N", help=f"{meaning} (usually {shown})")


def _add_trials(commands: Any) -> None:
    seconds, tor = number(LEAST_SECONDS), "over Tor: a new private network, or this"
    one = commands.add_parser("flood", help="some members flood, another never reads")
    one.add_argument("--members", type=count(FLOODERS + 2), default=20, help="in the room (default: %(default)s)")
    one.add_argument("--seconds", type=seconds, default=20.0, help="of each flood (default: %(default)s)")
    one = commands.add_parser(
        "stay", help="a large room for minutes: talk, turnover, floods, laggards, and a hand-over"
    )
    one.add_argument("--members", type=count(50), default=1_000, help="in the room (default: %(default)s)")
    one.add_argument("--seconds", type=seconds, default=600.0, help="once all are in (default: %(default)s)")
    one = commands.add_parser("vast", help="what rooms cost that are larger than may be, without a network")
    one.add_argument("--members", type=count(), default=10_000, help="of the largest one (default: %(default)s)")
    one = commands.add_parser("hostile", help="how soon honest users are in while others do their worst")
    one.add_argument("--streams", type=count(), default=200, help="of those (default: %(default)s)")
    one.add_argument("--seconds", type=seconds, default=20.0, help="of each attack (default: %(default)s)")
    attacks = [*HABITS, MIXED]
    one.add_argument("--attacks", type=some_of(attacks), default=",".join(attacks), help="which (default: %(default)s)")
    one.add_argument("--tor", nargs="?", const="", metavar="TORRC", help=tor)
    one = commands.add_parser("raid", help="how soon a raid is over once a moderator has typed two commands")
    one.add_argument("--raiders", type=count(), default=300, help="who say 20 messages each (default: %(default)s)")
    one.add_argument("--tor", nargs="?", const="", metavar="TORRC", help=tor)
    one = commands.add_parser("memory", help="whether a host grows with what was said")
    one.add_argument("--messages", type=count(1_000), default=100_000, help="said in all (default: %(default)s)")
    one = commands.add_parser("screen", help="how soon the full screen and a key on it are to be seen")
    size = "columns and rows of the terminal (default: %(default)s)"
    one.add_argument("--size", type=columns_and_rows, default="120x40", help=size)
    one.add_argument("--seconds", type=seconds, default=10.0, help="at 200 messages a second (default: %(default)s)")
    one = commands.add_parser("rooms", help="how far apart two rooms of one user are left, and come back, over Tor")
    one.add_argument("--trials", type=count(), default=10, help="of each kind (default: %(default)s)")
    one = commands.add_parser(
        "dials", help="how soon one is in, and back, where circuits hang, and with how many of them"
    )
    one.add_argument("--newcomers", type=count(), default=70, help="of each way of dialling (default: %(default)s)")
    one.add_argument("--at-once", type=count(), default=6, help="of them (default: %(default)s)")
    ways = f"of dialling, of {', '.join(WAYS)} (default: %(default)s)"
    one.add_argument("--ways", type=some_of(WAYS), default="hedged,tor", help=ways)
    one.add_argument(
        "--json", action="store_true", default=argparse.SUPPRESS, help="every sample; the table comes on stderr"
    )
    delay = "from relay to relay (default: %(default)s)"
    one.add_argument("--delay", type=number(0), default=40, metavar="MS", help=delay)
    one.add_argument("--jitter", type=number(0), default=15, metavar="MS", help="of it (default: %(default)s)")
    hang = "of 100 circuits, for 30 s (default: %(default)s)"
    one.add_argument("--hang", type=number(0, 100), default=8, metavar="PERCENT", help=hang)


def parse(given: Sequence[str]) -> argparse.Namespace:
    """The arguments, which go together; else it says what is wrong, and ends with 2."""
    parser = argparse.ArgumentParser(prog="bench", description="Measures the program beside floors and other programs.")
    parser.add_argument("--quick", action="store_true", help="as little as shows that everything runs")
    parser.add_argument("--json", action="store_true", help="samples and all, in place of the table")
    parser.add_argument("--install-peers", action="store_true", help="first installs what is measured beside it")
    commands = parser.add_subparsers(dest="what", metavar="NAME", help="only this; without: all that is in one table")
    _add_measurements(commands)
    _add_trials(commands)
    arguments = parser.parse_args(given)
    what, shape = arguments.what, vars(arguments)
    is_measured = what is None or what in (*ALONE, *OVER_TOR)
    if arguments.quick and not is_measured:
        parser.error(f"{what} is never quick")
    if arguments.json and not is_measured and what != "dials":
        parser.error(f"{what} has no samples to give as JSON")
    if shape.get("networks") == (NEAR,) and shape.keys() & {"delay", "jitter"}:
        parser.error("--near is a network without distances")
    if shape.get("jitter", WHOLE.jitter) > shape.get("delay", WHOLE.delay):
        parser.error("the jitter is a part of the delay")
    return arguments


def _try(arguments: argparse.Namespace) -> None:
    """What passes or fails. Raises BenchFailed."""
    match arguments.what:
        case "flood":
            floods(arguments.members, arguments.seconds)
        case "stay":
            print_stay(arguments.members, arguments.seconds)
        case "vast":
            run_vast(arguments.members)
        case "hostile":
            with tor_network(arguments.tor) as torrc:
                attack(arguments.attacks, arguments.streams, arguments.seconds, torrc)
        case "raid":
            with tor_network(arguments.tor) as torrc:
                raid(arguments.raiders, torrc)
        case "memory":
            memory(arguments.messages)
        case "screen":
            columns, rows = arguments.size
            screen(columns, rows, arguments.seconds)
        case "rooms":
            rooms(arguments.trials)
        case "dials":
            shape = arguments.delay, arguments.jitter, arguments.hang
            dials(arguments.newcomers, arguments.at_once, shape, arguments.ways, as_json=arguments.json)


def _measure(arguments: argparse.Namespace) -> int:
    """What has figures that stand beside others."""
    given = {name: value for name, value in vars(arguments).items() if name in Plan.__dataclass_fields__}
    plan = replace(QUICK if arguments.quick else WHOLE, **given)
    report = Report(describe_machine(), find_versions())
    for name, version in report.peers.items():
        if not version:
            print(f"bench: {name} is missing, and left out (scripts/bench --install-peers)", file=sys.stderr)
    interrupted = False
    try:
        with one_interrupt():
            measure([arguments.what] if arguments.what else [*ALONE, *OVER_TOR], plan, report)
    except KeyboardInterrupt:
        interrupted = True
        report.failures.append("the rest: interrupted")
    print(report.to_json().decode() if arguments.json else describe_report(report), end="")
    if not arguments.what and not arguments.quick and not report.failures:
        write_documents(report, DOCS)
    if interrupted:
        raise KeyboardInterrupt
    return 1 if report.failures else 0


@contextmanager
def one_interrupt() -> Iterator[None]:
    """^C comes as itself, also out of nurseries, which may have more to tell."""
    try:
        yield
    except BaseExceptionGroup as group:
        if group.subgroup(KeyboardInterrupt) is None:
            raise
        raise KeyboardInterrupt from None


class _Ending:
    """What ends the run is taken like ^C, so that nothing that it started is left. number: of the signal."""

    def __init__(self) -> None:
        self.number = signal.SIGINT
        for one in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(one, self._interrupt)

    def _interrupt(self, received: int, _: FrameType | None) -> None:
        self.number = signal.Signals(received)
        signal.raise_signal(signal.SIGINT)


def main() -> int:
    arguments = parse(sys.argv[1:])
    ending = _Ending()
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    try:
        if arguments.install_peers:
            install_peers()
        if not arguments.what or arguments.what in (*ALONE, *OVER_TOR):
            return _measure(arguments)
        with one_interrupt():
            _try(arguments)
    except BenchFailed as failure:
        print(f"bench: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 128 + ending.number
    return 0


if __name__ == "__main__":
    sys.exit(main())
