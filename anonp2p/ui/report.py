"""What `anonp2p doctor` prints: for people, in words and columns, also without colours; for programs, as JSON lines."""

import json
import textwrap
from collections import Counter
from collections.abc import Sequence
from itertools import zip_longest

from anonp2p import limits
from anonp2p.findings import CheckBegun, CheckMade, CheckName, CheckWaits, Finding, State, Told
from anonp2p.ui import sanitize
from anonp2p.ui.diagnosis import HEADINGS, advise, describe_finding
from anonp2p.ui.reasons import describe_reason

_STATES: tuple[State, ...] = ("ok", "note", "wrong", "skip")
_MARGIN = "  "
_BODY = 8  # columns before what is said: a margin, and the longest word for a state
_LEAST = 20  # columns for what is said, however narrow the terminal


class Diagnosis:
    """Turns what is told into lines, as it comes.

    columns: of the terminal. status: the exit code so far; failure: what stands for it, the first thing that is wrong.
    """

    def __init__(self, *, json: bool, columns: int = limits.PIPED_LINE) -> None:
        self.status = 0
        self.failure: Finding | None = None
        self._json = json
        self._columns = min(columns, limits.PIPED_LINE)
        self._counts: Counter[State] = Counter()
        self._open: CheckName | None = None  # the check whose heading is printed

    def write(self, told: Told) -> str:
        """The lines for this; empty if there is nothing to say."""
        match told:
            case CheckBegun(name=name):
                return "" if self._json else self._write_heading(name)
            case CheckWaits():
                return _encode(_lay_out_wait(told)) if self._json else self._write_wait(told)
            case CheckMade(name=name, findings=findings):
                self._count(findings)
                if self._json:
                    return _encode(_lay_out_check(told))
                return self._write_heading(name) + self._write_findings(findings)

    def conclude(self) -> str:
        """The last lines: how many of each there were."""
        if self._json:
            counts: dict[str, object] = {state: self._counts[state] for state in _STATES}
            return _encode({"type": "checked", **counts, "status": self.status})
        named = [f"{self._counts[state]} {state}" for state in _STATES if self._counts[state]]
        state: State = "wrong" if self._counts["wrong"] else "note" if self._counts["note"] else "ok"
        return "\nAll checks\n" + self._write_row(state, ", ".join(named) + ".")

    def _count(self, findings: Sequence[Finding]) -> None:
        for finding in findings:
            self._counts[finding.state] += 1
            if finding.state == "wrong" and self.failure is None:
                self.failure = finding
                self.status = finding.status

    def _write_heading(self, name: CheckName) -> str:
        if self._open == name:
            return ""
        first, self._open = self._open is None, name
        return ("" if first else "\n") + HEADINGS[name] + "\n"

    def _write_findings(self, findings: Sequence[Finding]) -> str:
        """What is to be done about several of them in a row is said once, below the last."""
        rows = []
        for finding, following in zip_longest(findings, findings[1:]):
            rows.append(self._write_row(finding.state, describe_finding(finding)))
            advice = advise(finding)
            if advice and not (following and advise(following) == advice):
                rows.append(self._write_row("", f"Try: {advice}"))
        return "".join(rows)

    def _write_wait(self, wait: CheckWaits) -> str:
        if not wait.seconds:
            return ""
        words = f"Tor has been at {wait.progress} % for {wait.seconds} s: {describe_reason(wait.summary)}."
        return self._write_row("wait", f"{words} {describe_reason(wait.warning)}." if wait.warning else words)

    def _write_row(self, state: str, words: str) -> str:
        """Words beside a state, in as many rows as it takes."""
        width = max(_LEAST, self._columns - _BODY)
        rows = textwrap.wrap(sanitize.sanitize_line(words), width, break_on_hyphens=False)
        first = f"{_MARGIN}{state}".ljust(_BODY)
        return "".join(f"{first if number == 0 else ' ' * _BODY}{row}\n" for number, row in enumerate(rows))


def _encode(data: dict[str, object]) -> str:
    """A JSON line."""
    return sanitize.escape_json(json.dumps(data, ensure_ascii=False, separators=(",", ":"))) + "\n"


def _lay_out_wait(wait: CheckWaits) -> dict[str, object]:
    """As the events `tor` and `tor-slow` are."""
    data: dict[str, object] = {"type": "tor-slow" if wait.seconds else "tor", "progress": wait.progress}
    data["summary"] = describe_reason(wait.summary)
    if wait.seconds:
        data["seconds"] = wait.seconds
    if wait.warning:
        data["warning"] = describe_reason(wait.warning)
    return data


def _lay_out_check(made: CheckMade) -> dict[str, object]:
    findings = [
        {
            "finding": finding.code,
            "state": finding.state,
            "text": describe_finding(finding),
            "advice": advise(finding) or None,
        }
        for finding in made.findings
    ]
    return {"type": "check", "check": made.name, "state": made.state, "findings": findings}
