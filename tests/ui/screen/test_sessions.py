"""Whole sessions on a terminal, written down in tests/sessions/screen/*.txt and played on a stage.

    $ [line|json] COLUMNSxROWS ARGUMENTS    starts the program
    > TEXT                                  types this; {enter}, {ctrl n}, {meta 1} are keys, {code} the last code
    ! {"do": ..., "as": ...}                something happens around it (see tests/support/surroundings.py)
    ^ COLUMNSxROWS                          the terminal has another size
    ? TEXT                                  this is to be seen, sooner or later
    - TEXT                                  this is not, sooner or later
    |ROW                                    all rows of the screen, sooner or later
    = STATUS                                it ends with this exit code, and leaves the terminal as it was

Where a session, looked at with care, should look as it does now, one | line is enough, and

    python -m tests.ui.screen.test_sessions --write [NAME...]

puts in its place, and in that of all others, what is to be seen there.
"""

import json
import re
import sys
from collections.abc import Iterator
from difflib import unified_diff
from itertools import groupby
from pathlib import Path

import pytest

from tests.support import terminal
from tests.support.stage import Stage, StageFailed

SESSIONS = sorted((Path(__file__).parents[2] / "sessions" / "screen").glob("*.txt"))
_MODES = ("line", "json", "screen")
_KEY = re.compile(r"\{([^{}]+)\}")


def play(path: Path, *, write: bool = False) -> Iterator[str]:
    """Plays a session; gives its lines, with what is to be seen if they are to be written."""
    stage: Stage | None = None
    code = ""
    try:
        for is_drawn, group in groupby(enumerate(path.read_text().splitlines(), 1), lambda it: it[1][:1] == "|"):
            lines = list(group)
            if is_drawn:
                assert stage is not None
                rows = [line[1:] for _, line in lines]
                yield from (f"|{row}" for row in _drawn(stage, rows, f"{path.name}:{lines[0][0]}", write=write))
                continue
            for number, line in lines:
                yield line
                mark, rest = line[:1], line[2:]
                if mark == "$":
                    stage = _staged(rest.split())
                elif mark and mark != "#":
                    assert stage is not None
                    try:
                        code = _do(stage, mark, rest, code)
                    except StageFailed as failed:
                        raise StageFailed(f"{path.name}:{number}: {failed}") from None
    finally:
        if stage is not None:
            stage.__exit__(None, None, None)


def _staged(words: list[str]) -> Stage:
    mode = words.pop(0) if words[0] in _MODES else "screen"
    columns, rows = words.pop(0).split("x")
    return Stage(*words, mode=mode, pty=mode != "screen", columns=int(columns), rows=int(rows)).__enter__()


def _do(stage: Stage, mark: str, rest: str, code: str) -> str:
    """Returns the last code that was told."""
    if mark in (">", "!"):
        stage.settled()  # each comes after what was done before it
    match mark:
        case ">":
            for at, part in enumerate(_KEY.split(rest.replace("{code}", code))):
                if at % 2:
                    stage.key(part)
                else:
                    stage.type(part)
        case "!":
            return str(stage.ask(**_asked(rest)).get("code", code))
        case "^":
            columns, rows = rest.split("x")
            stage.resize(int(columns), int(rows))
        case "?":
            stage.until(re.escape(rest))
        case "-":
            stage.until(lambda rows: not any(rest in row for row in rows))
        case "=":
            assert stage.status() == int(rest)
            assert stage.modes == terminal.USUAL
        case _:
            raise ValueError(f"no line begins with {mark!r}")
    return code


def _asked(given: str) -> dict[str, str]:
    asked = json.loads(given)
    return {"who" if name == "as" else name: value for name, value in asked.items()}


def _drawn(stage: Stage, rows: list[str], where: str, *, write: bool) -> list[str]:
    if write:
        return stage.settled()
    try:
        return stage.until(lambda seen: seen == rows, 10)
    except StageFailed:
        differences = "\n".join(unified_diff(rows, stage.screen(), "as written", "as seen", lineterm="", n=99))
        raise StageFailed(f"{where}:\n{differences}") from None


@pytest.mark.parametrize("path", SESSIONS, ids=lambda path: path.stem)
def test_session(path: Path) -> None:
    for _ in play(path):
        pass


if __name__ == "__main__":
    if sys.argv[1:2] != ["--write"]:
        sys.exit(f"usage: python -m {__spec__.name} --write [NAME...]")
    for chosen in SESSIONS:
        if chosen.stem in (sys.argv[2:] or [chosen.stem]):
            chosen.write_text("\n".join(play(chosen, write=True)) + "\n")
