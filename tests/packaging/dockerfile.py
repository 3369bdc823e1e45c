"""Enough of what Docker does to try a Dockerfile without it: each stage is a fresh root, in which its steps are run."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.packaging.roots import Root

_FROM = re.compile(r"debian:(?P<release>\w+)-slim(?: AS (?P<name>\w+))?")
_VARIABLE = re.compile(r"(\w+)=(\S+)")


def read_steps(text: str) -> Iterator[tuple[str, str]]:
    """Each instruction with what stands behind it."""
    joined = re.sub(r"\\\n\s*", "", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE))
    for row in joined.splitlines():
        if row.strip():
            instruction, _, rest = row.partition(" ")
            yield instruction, rest.strip()


class Image:
    """What a Dockerfile leads to: the root of its last stage, whom its program runs as, and the program."""

    def __init__(self, sources: Path, place: Path) -> None:
        self.user = ""
        self.command: list[str] = []
        self._sources = sources
        self._place = place
        self._stages: dict[str, Root] = {}
        self._variables: dict[str, str] = {}
        self._folder = "/"

    @property
    def root(self) -> Root:
        """Of the last stage."""
        return list(self._stages.values())[-1]

    def take_step(self, instruction: str, rest: str) -> None:
        """Raises CalledProcessError where it fails, ValueError where it is none that is known here."""
        match instruction:
            case "FROM" if base := _FROM.fullmatch(rest):
                name = base["name"] or f"stage-{len(self._stages)}"
                self._stages[name] = Root.make(self._place / name, base["release"], [])
                self.user, self._variables, self._folder = "", {}, "/"
            case "RUN":
                subprocess.run(self.enter("sh", "-c", rest), check=True, stdin=subprocess.DEVNULL)
            case "COPY":
                self._copy(*rest.split())
            case "ENV":
                self._variables |= dict(_VARIABLE.findall(rest))
            case "USER":
                self.user = rest
            case "WORKDIR":
                self._folder = rest
            case "ENTRYPOINT":
                self.command = json.loads(rest)
            case _:
                raise ValueError(f"{instruction} {rest}")

    def enter(self, *command: str, writable: bool = True) -> list[str]:
        inside = ("env", "-C", self._folder, *command)
        return self.root.enter(*inside, user=self.user, writable=writable, **self._variables)

    def _copy(self, *names: str) -> None:
        """Folders are copied as what is in them, as Docker has it."""
        base = self._sources
        if names[0].startswith("--from="):
            base, names = self._stages[names[0].removeprefix("--from=")].path, names[1:]
        *froms, to = names
        target = self.root.path / to.lstrip("/")
        for name in froms:
            source = base / name.lstrip("/")
            if source.is_dir():
                shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True)
            else:
                into = target / source.name if to.endswith("/") else target
                into.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, into)
