"""Pictures of what scripts/bench found, one file as PNG and one as SVG for each."""

import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from tests.bench.peers import NGIRCD, ONIONSHARE
from tests.bench.results import FAR, FLOOR, LOOPBACK, NEAR, OURS, Report, Result, percentile

COLOURS: Final = {OURS: "#0072B2", FLOOR: "#999999", ONIONSHARE: "#E69F00", NGIRCD: "#009E73"}  # told apart by everyone
NAMES: Final = {FLOOR: "raw floor"}
WIDTH: Final = 5.0  # inches of a panel
HEIGHT: Final = 3.2
DOTS: Final = 110  # an inch
BAR: Final = 0.8  # of the room between two groups of bars


class Panel(NamedTuple):
    """One of the results with these names from there, side by side. by_name: bars are told apart by it, not by case."""

    title: str
    names: tuple[str, ...]
    where: str
    by_name: bool = False


_TIMES: Final = ("start: others can join", "join", "host lost (leave)", "host lost (kill)")
_SPACED, _TOGETHER = "latency, spaced", "latency, back to back"
FIGURES: Final[dict[str, tuple[Panel, ...]]] = {
    "bench-latency": tuple(
        Panel(f"{name}, {where}", (name,), where) for name in (_SPACED, _TOGETHER) for where in (NEAR, FAR)
    ),
    "bench-fan-out": tuple(Panel(f"fan-out, {where}", ("fan-out",), where) for where in (LOOPBACK, NEAR, FAR)),
    "bench-times": tuple(
        Panel(f"{how} distances ({where})", _TIMES, where, by_name=True)
        for how, where in (("without", NEAR), ("with", FAR))
    ),
}


def draw(report: Report, folder: Path) -> list[Path]:
    """The files that were written. What was not measured is left out."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    mpl.rcParams["svg.hashsalt"] = "anonp2p"  # the same figures give the same file
    written = []
    for name, panels in FIGURES.items():
        drawn = [(panel, found) for panel in panels if (found := list(_results(report, panel)))]
        if not drawn:
            continue
        columns = 2 if len(drawn) in (2, 4) else len(drawn)
        rows = -(-len(drawn) // columns)
        figure, axes = pyplot.subplots(
            rows, columns, figsize=(WIDTH * columns, HEIGHT * rows), squeeze=False, layout="constrained"
        )
        for axis, (panel, found) in zip(axes.flat, drawn, strict=False):
            _draw_panel(axis, panel, found)
        legends = [axis.get_legend_handles_labels() for axis in axes.flat]
        handles = {label: bars for legend in legends for bars, label in zip(*legend, strict=True)}
        figure.suptitle(_caption(report), fontsize="small")
        figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=len(handles))
        for kind, metadata in (("png", {"Software": None}), ("svg", {"Date": None})):
            path = folder / f"{name}.{kind}"
            figure.savefig(path, dpi=DOTS, metadata=metadata)
            written.append(path)
        pyplot.close(figure)
    return written


def _caption(report: Report) -> str:
    """What bars and lines are, and where and when that was."""
    machine = [
        spelled.format(report.machine[name])
        for name, spelled in (("processor", "{}"), ("cores", "{} cores"), ("tor", "tor {}"), ("date", "{}"))
        if name in report.machine
    ]
    return f"bars: medians; lines: 5th to 95th percentile; {', '.join(machine)}"


def _results(report: Report, panel: Panel) -> Iterator[Result]:
    """The first of each name and case: what follows with another unit is told by the table."""
    seen = set()
    for result in report.results:
        key = result.name if panel.by_name else result.case
        if result.name in panel.names and result.where == panel.where and result.ours and key not in seen:
            seen.add(key)
            yield result


def _draw_panel(axis: Any, panel: Panel, found: list[Result]) -> None:
    for at, result in enumerate(found):
        bars = {OURS: result.ours, FLOOR: result.floor, **result.peers}
        shown = {name: samples for name, samples in bars.items() if samples}
        width = BAR / len(shown)
        for number, (name, samples) in enumerate(shown.items()):
            middle = statistics.median(samples)
            spread = [[middle - percentile(samples, 5)], [percentile(samples, 95) - middle]]
            place = at + (number - (len(shown) - 1) / 2) * width
            looks = {"color": COLOURS[name], "label": NAMES.get(name, name), "ecolor": "#333333", "capsize": 2}
            axis.bar(place, middle, width * 0.9, yerr=spread, **looks)
            if panel.by_name:  # some are too small to be read beside others
                where = place, percentile(samples, 95)
                axis.annotate(
                    f"{middle:.2g}", where, (0, 2), textcoords="offset points", ha="center", fontsize="x-small"
                )
    axis.set_title(panel.title)
    axis.set_ylabel(f"{found[0].unit} (logarithmic)" if panel.where == LOOPBACK else found[0].unit)
    names = [result.name.replace(": ", ":\n") if panel.by_name else result.case for result in found]
    axis.set_xticks(range(len(found)), names)
    axis.tick_params(axis="x", labelsize="small")
    if panel.where == LOOPBACK:
        axis.set_yscale("log")
    axis.margins(y=0.1)
    axis.grid(axis="y", alpha=0.3)
    axis.set_axisbelow(True)
