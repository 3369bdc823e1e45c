"""The targets of scripts/fuzz, each over its seeds and the same few thousand inputs made from them."""

import pytest

from tests.fuzz import run, targets

RUNS = {
    "host": 120,
    "member": 250,
    "heir": 600,
    "handshake": 1_000,
    "screen": 150,
    "transfer": 1_000,
}  # of the others, which are quick, many
MANY = 3_000


@pytest.mark.parametrize("name", targets.TARGETS)
def test_nothing_that_comes_from_outside_does_harm(name: str) -> None:
    found = run.by_chance(name, lambda runs: runs < RUNS.get(name, MANY))
    assert found is None, f"scripts/fuzz --again {name} {found.hex()}"
