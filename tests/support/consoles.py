"""Consoles in the documents, played: what is typed there is typed, and what is shown there has to come.

    $ COMMAND    is given to a shell, whose directory stays from one to the next
    > TEXT       is typed into the program that runs
    TEXT         is printed

Two consoles may stand side by side; then what stands higher happens first. What is of chance is another thing here
than in the document, but the same wherever it stands there: nicks that the program makes, and codes, also cut (`…`).
Numbers are others, and `…` at the end of a line leaves out the rest.
"""

import queue
import re
import subprocess
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

PATIENCE = 120.0  # seconds
_PAUSE = 0.2  # seconds until a command is given once more
_CHANCE = re.compile(r"(?P<nick>anon-[a-z0-9]{4})|(?P<code>[a-z2-7]{10,}…(?:\.onion)?|[a-z2-7]{56}\.onion)|…$|\d+")
_MADE = {"nick": r"anon-[a-z0-9]{4}", "code": r"[a-z2-7]{56}\.onion"}
_ALIKE = 10  # characters by which a code is known, cut or not
_PROGRAM = re.compile(r"\banonp2p --")  # what runs the program itself is not given twice


class Chance:
    """What stands in a document for what is of chance, and what that is here."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def fill(self, command: str) -> str:
        """A command with what is of chance as it is here. Raises KeyError where that was not printed before."""
        return _CHANCE.sub(lambda found: self._known[_name(found)] if found.lastgroup else found[0], command)

    def accept(self, wanted: str, line: str) -> bool:
        """Whether a line is the one of the document; what is new in it is known then."""
        pattern, end = "", 0
        new: list[str] = []
        for found in _CHANCE.finditer(wanted):
            pattern += re.escape(wanted[end : found.start()])
            end = found.end()
            name = _name(found)
            if name in self._known:
                pattern += re.escape(self._known[name])
            elif found.lastgroup:
                new.append(name)
                pattern += f"({_MADE[found.lastgroup]})"
            else:
                pattern += ".*" if found[0] == "…" else r"\d+"
        same = re.fullmatch(pattern + re.escape(wanted[end:]), line)
        if same:
            self._known.update(zip(new, same.groups(), strict=True))
        return bool(same)

    @property
    def codes(self) -> list[str]:
        """The codes that were printed."""
        return [made for made in self._known.values() if made.endswith(".onion")]


def _name(found: re.Match[str]) -> str:
    return found[0][:_ALIKE]


class Running:
    """A program that runs, given to a shell. Its input is open until it is to end."""

    def __init__(self, command: str, directory: Path, environment: Mapping[str, str]) -> None:
        self.command = command
        self.process = subprocess.Popen(
            ["bash", "-c", command],
            cwd=directory,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self._lines.put(line.rstrip("\n"))
        self._lines.put(None)

    def await_line(self, wanted: str, chance: Chance) -> None:
        """Returns once it has printed this line; what else it prints before is passed over."""
        seen: list[str] = []
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                line = self._lines.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"{self.command}: {wanted!r} does not come, but {seen}") from None
            assert line is not None, f"{self.command}: it has ended without {wanted!r}, after {seen}"
            if chance.accept(wanted, line):
                return
            seen.append(line)

    def type(self, text: str) -> None:
        """Enters a line."""
        assert self.process.stdin
        self.process.stdin.write(f"{text}\n")
        self.process.stdin.flush()

    def end(self) -> None:
        """Ends its input, and so it. Raises AssertionError if it fails."""
        assert self.process.stdin
        self.process.stdin.close()
        assert self.process.wait(PATIENCE) == 0, self.command

    def kill(self) -> None:
        """Ends it by force, if it still runs."""
        self.process.kill()
        self.process.wait()
        self._reader.join()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe
            pipe.close()


class _Console:
    """One of those that stand side by side. rows: with their numbers; those that are empty are the other one's."""

    def __init__(self, rows: Sequence[str], chance: Chance, story: "Story") -> None:
        self.rows = deque((number, row.rstrip()) for number, row in enumerate(rows) if row.strip())
        self._chance = chance
        self._story = story
        self._directory = story.home
        self._program: Running | None = None

    def take_row(self) -> None:
        """Plays the next row, and with a command that ends what it prints."""
        _, row = self.rows.popleft()
        if row.startswith("$ "):
            command = self._chance.fill(row.removeprefix("$ "))
            if _PROGRAM.search(command):
                self._program = self._story.start(command, self._directory)
            else:
                self._run(command)
        else:
            assert self._program, "nothing runs that could print this"
            if row.startswith("> "):
                self._program.type(row.removeprefix("> "))
            else:
                self._program.await_line(row, self._chance)

    def _run(self, command: str) -> None:
        """Runs it, again and again until it prints what it is to print, as whoever looks for something does."""
        wanted = []
        while self.rows and not self.rows[0][1].startswith("$ "):
            wanted.append(self.rows.popleft()[1])
        deadline = time.monotonic() + PATIENCE
        while True:
            status, said, self._directory = self._story.run(command, self._directory)
            if status == 0 and len(said) == len(wanted) and all(map(self._chance.accept, wanted, said)):
                return
            assert time.monotonic() < deadline, f"{command}: {said}"
            time.sleep(_PAUSE)


class Story:
    """Blocks that are played one after the other. A context: what was started ends with it.

    home: where the shells are at first. $CODE is in each block the code that was printed last in those before.
    """

    def __init__(self, home: Path, environment: Mapping[str, str]) -> None:
        self.home = home
        self._environment = {**environment, "HOME": str(home)}
        self._running: list[Running] = []

    def play(self, text: str) -> None:
        """Plays a block. Raises AssertionError where it is not as it says."""
        chance = Chance()
        rows = text.splitlines()
        width = max(row.find("  $ ") for row in rows) + 2
        halves = [[row[:width] for row in rows], [row[width:] for row in rows]] if width > 1 else [rows]
        consoles = [_Console(half, chance, self) for half in halves]
        while waiting := [console for console in consoles if console.rows]:
            min(waiting, key=lambda console: console.rows[0][0]).take_row()
        if codes := chance.codes:
            self._environment["CODE"] = codes[-1]

    def start(self, command: str, directory: Path) -> Running:
        """Runs a program for as long as the story goes on, or until it ends by itself."""
        program = Running(command, directory, self._environment)
        self._running.append(program)
        return program

    def run(self, command: str, directory: Path) -> tuple[int, list[str], Path]:
        """Runs a command to its end. Its exit code, the lines that it has printed, and where the shell is then."""
        done = subprocess.run(
            ["bash", "-c", f"{command}\nstatus=$?; pwd; exit $status"],
            cwd=directory,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=PATIENCE,
            check=False,
        )
        *said, where = done.stdout.splitlines()
        return done.returncode, said, Path(where)

    def end(self) -> None:
        """Ends the input of all that runs. Raises AssertionError where something fails."""
        for program in self._running:
            program.end()

    def __enter__(self) -> "Story":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for program in self._running:
            program.kill()
