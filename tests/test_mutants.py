"""The catalogue of mutants fits the program as it is; whether tests notice them, scripts/mutants tells."""

from pathlib import Path

import pytest

from tests.mutants.catalogue import ROOT, Mutant, load


@pytest.mark.parametrize("mutant", load(), ids=lambda mutant: f"{mutant.number}-{Path(mutant.file).stem}")
def test_a_mutant_changes_one_place_and_names_tests_that_exist(mutant: Mutant) -> None:
    text = (ROOT / mutant.file).read_text(encoding="utf-8")
    compile(mutant.applied_to(text), mutant.file, "exec")
    assert mutant.why
    for test in mutant.tests:
        assert (ROOT / test.partition("::")[0]).exists()


def test_no_mutant_is_listed_twice() -> None:
    mutants = load()
    assert len({(mutant.file, mutant.old, mutant.new) for mutant in mutants}) == len(mutants)
