"""Reading the lists of mutants and applying one to a copy of the program."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
LISTS = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Mutant:
    """One edit: in `file`, relative to the root, `old` becomes `new`. number: its place in what was loaded, from 1."""

    number: int
    file: str
    old: str
    new: str
    why: str
    tests: tuple[str, ...]

    @property
    def label(self) -> str:
        """How a report names it."""
        return f"{self.number} {self.file}: {self.why}"

    def applied_to(self, text: str) -> str:
        """The text of the file with the edit made. Raises ValueError where it cannot be made in exactly one place."""
        if text.count(self.old) != 1:
            raise ValueError(f"`old` stands {text.count(self.old)} times in the file instead of once")
        if self.old == self.new:
            raise ValueError("`new` is the same as `old`")
        return text.replace(self.old, self.new)


def load(name: str = "") -> list[Mutant]:
    """All mutants, or those of one list, in the order of files and places. Raises ValueError for a bad entry."""
    mutants: list[Mutant] = []
    for path in [LISTS / f"{name}.toml"] if name else sorted(LISTS.glob("*.toml")):
        for entry in tomllib.loads(path.read_text(encoding="utf-8"))["mutant"]:
            try:
                fields = {name: entry.pop(name) for name in ("file", "old", "new", "why")}
                tests = tuple(entry.pop("tests"))
            except KeyError as error:
                raise ValueError(f"{path.name}: a mutant without {error}") from None
            if entry or not tests or not all(isinstance(field, str) for field in fields.values()):
                raise ValueError(f"{path.name}: a mutant with an unknown or improper field: {fields['why']}")
            mutants.append(Mutant(len(mutants) + 1, tests=tests, **fields))
    return mutants
