"""The catalogue of mutants fits the program as it is; whether tests notice them, scripts/mutants tells."""

import re
from functools import cache

import pytest

from tests.mutants.catalogue import ROOT, Mutant, load

MUTANTS = load()


@cache
def defined_in(file: str) -> frozenset[str]:
    """The tests in a file, by name."""
    text = (ROOT / file).read_text(encoding="utf-8")
    return frozenset(re.findall(r"^(?:(?:async )?def |class )?(\w+)", text, re.MULTILINE))


@cache
def text_of(file: str) -> str:
    return (ROOT / file).read_text(encoding="utf-8")


def check(mutant: Mutant) -> None:
    """It changes one place, and names tests that exist."""
    compile(mutant.applied_to(text_of(mutant.file)), mutant.file, "exec")
    assert mutant.why
    for test in mutant.tests:
        file, _, name = test.partition("[")[0].partition("::")
        assert name in ("", *defined_in(file)), f"{file} has no {name}"


# By file: a test for each of the many hundreds takes longer to list and to report than to run.
@pytest.mark.parametrize("file", sorted({mutant.file for mutant in MUTANTS}))
def test_mutants_of_a_file_change_one_place_and_name_tests_that_exist(file: str) -> None:
    wrong = []
    for mutant in MUTANTS:
        if mutant.file == file:
            try:
                check(mutant)
            except (AssertionError, OSError, SyntaxError, ValueError) as error:
                wrong.append(f"{mutant.label}: {error}")
    assert not wrong, "\n".join(wrong)


def test_no_mutant_is_listed_twice() -> None:
    assert len({(mutant.file, mutant.old, mutant.new) for mutant in MUTANTS}) == len(MUTANTS)


# --- the validation table of PROTOCOL.md


def validation_table() -> list[tuple[str, list[str]]]:
    """Its rows: the clause and check, and the tests that it names."""
    text = (ROOT / "docs/PROTOCOL.md").read_text(encoding="utf-8")
    rows = text[text.index("| clause, check |") :].splitlines()[2:]
    cells = [row.strip("|").split(" | ") for row in rows if row.startswith("| ")]
    return [(clause.strip(), [f"test_{name}" for name in re.findall(r"`(\w+)`", tests)]) for clause, *_, tests in cells]


@pytest.mark.parametrize(("clause", "tests"), validation_table(), ids=lambda it: it if isinstance(it, str) else "")
def test_each_check_of_the_protocol_has_a_mutant_that_one_of_its_tests_notices(clause: str, tests: list[str]) -> None:
    noticing = {re.split(r"::|\[", test)[1] for mutant in MUTANTS for test in mutant.tests if "::" in test}
    assert noticing & set(tests), clause


def test_each_test_that_the_protocol_names_exists() -> None:
    named = {test for _, tests in validation_table() for test in tests}
    defined = {name for path in (ROOT / "tests").rglob("test_*.py") for name in defined_in(str(path.relative_to(ROOT)))}
    assert named <= defined, named - defined
