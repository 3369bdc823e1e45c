"""What scripts/bench finds: samples with what they stand beside, as one table and as JSON."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

OURS: Final = "anonp2p"
FLOOR: Final = "floor"
PROCESSOR: Final = "processor"  # no network at all
LOOPBACK: Final = "loopback"  # TCP on this machine, without Tor
NEAR: Final = "near"  # a private Tor network without distances
FAR: Final = "far"  # one with distances
MOST_DIGITS: Final = 3  # that a number is shown with, where it has a fraction


@dataclass(frozen=True)
class Goal:
    """What a median is to reach: at most, or at least where more is better. of_floor: times its median."""

    limit: float
    of_floor: bool = False


@dataclass(frozen=True)
class Result:
    """Samples of one thing, taken in turn.

    case: of how much, or of what. floor: the least that anything could take there, as `floor_is` says. peers: of other
    programs, by their names.
    """

    name: str
    case: str
    where: str
    unit: str
    ours: list[float]
    floor: list[float] = field(default_factory=list)
    floor_is: str = ""
    peers: dict[str, list[float]] = field(default_factory=dict)
    goal: Goal | None = None
    more_is_better: bool = False

    @property
    def ratio(self) -> float | None:
        """Our median, in medians of the floor."""
        below = statistics.median(self.floor) if self.floor else 0.0
        return statistics.median(self.ours) / below if self.ours and below else None

    @property
    def reached(self) -> bool | None:
        """Whether the goal is; None where there is none, or nothing to tell by."""
        if self.goal is None or not self.ours:
            return None
        value = self.ratio if self.goal.of_floor else statistics.median(self.ours)
        if value is None:
            return None
        return value >= self.goal.limit if self.more_is_better else value <= self.goal.limit


@dataclass
class Report:
    """A run. machine: what it ran on. peers: their versions, empty for those that are missing. failures: sentences."""

    machine: dict[str, str]
    peers: dict[str, str]
    results: list[Result] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def to_json(self) -> bytes:
        return msgspec.json.format(msgspec.json.encode(self), indent=1) + b"\n"

    @staticmethod
    def of_json(data: bytes) -> "Report":
        return msgspec.json.decode(data, type=Report)


def percentile(samples: Sequence[float], share: float) -> float:
    """By nearest rank: of fewer than 20 samples, the 5th is the least and the 95th the most."""
    ordered = sorted(samples)
    return ordered[max(0, math.ceil(share / 100 * len(ordered)) - 1)]


def spell(number: float) -> str:
    """With three digits, or all those before the point."""
    if number == 0:
        return "0"
    digits = MOST_DIGITS - 1 - math.floor(math.log10(abs(number)))
    return f"{round(number, digits) if digits > 0 else round(number):,.{max(0, digits)}f}"


def describe(samples: Sequence[float]) -> str:
    """Median, and from the 5th to the 95th percentile."""
    if not samples:
        return ""
    low, high = percentile(samples, 5), percentile(samples, 95)
    middle = spell(statistics.median(samples))
    return middle if len(samples) == 1 else f"{middle} ({spell(low)} to {spell(high)})"


def describe_report(report: Report) -> str:
    """The table, with what it was made on and what is missing."""
    lines = [", ".join(f"{name}: {value}" for name, value in report.machine.items()), ""]
    lines += [f"{name}: {version or 'missing, so not measured'}" for name, version in report.peers.items()]
    lines += ["", table(report), *(f"\nFailed: {failure}" for failure in report.failures)]
    return "\n".join(lines) + "\n"


def table(report: Report) -> str:
    """One table, in Markdown that can be read as it is."""
    peers = [name for name in report.peers if any(result.peers.get(name) for result in report.results)]
    rows = [["what", "of", "where", "unit", OURS, FLOOR, "times floor", *peers, "goal"]]
    for result in report.results:
        ratio = result.ratio
        rows.append(
            [
                result.name,
                result.case,
                result.where,
                result.unit,
                describe(result.ours),
                describe(result.floor) + (f": {result.floor_is}" if result.floor else ""),
                "" if ratio is None else f"{ratio:.2f}",
                *(describe(result.peers.get(name, ())) for name in peers),
                _spell_goal(result),
            ]
        )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    lines.insert(1, "| " + " | ".join("-" * width for width in widths) + " |")
    return "\n".join(lines)


def _spell_goal(result: Result) -> str:
    goal = result.goal
    if goal is None:
        return ""
    sign = ">=" if result.more_is_better else "<="
    limit = f"{goal.limit:g} x floor" if goal.of_floor else spell(goal.limit)
    answer = {True: "yes", False: "no", None: "?"}[result.reached]
    return f"{sign} {limit}: {answer}"
