"""What the documents say of a whole run of scripts/bench: its table, its pictures, and all of its samples."""

from pathlib import Path
from typing import Final

from tests.bench.plots import draw
from tests.bench.results import Report, describe_report

DOCS: Final = Path(__file__).resolve().parent.parent.parent / "docs"
PAGE: Final = "BENCHMARKS.md"
SAMPLES: Final = "benchmarks.json"
BEGIN: Final = "<!-- scripts/bench writes what follows -->\n"
END: Final = "<!-- up to here -->\n"


def write_documents(report: Report, docs: Path) -> None:
    """They tell of this run from now on, in place of the last one."""
    (docs / SAMPLES).write_bytes(report.to_json())
    page = docs / PAGE
    page.write_text(with_table(page.read_text("utf-8"), report), "utf-8")
    draw(report, docs / "pictures")


def with_table(page: str, report: Report) -> str:
    """The page, with the table of this run in it."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{describe_report(report)}\n{END}{after}"
