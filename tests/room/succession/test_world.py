"""The rules together: rooms in a small abstract world go on with one host and one log, whatever befalls them."""

import pytest

from tests.room.succession.world import Rules, World

SEEDS = 100


def verdicts(rules: Rules, seeds: range) -> list[str]:
    return [World(seed, rules).live() for seed in seeds]


@pytest.mark.parametrize("seed", range(SEEDS))
def test_after_any_faults_there_is_one_host_with_one_log_and_every_text_of_the_living_once(seed: int) -> None:
    assert World(seed).live() in ("ok", "over")


def test_without_looking_for_one_another_some_splits_never_end() -> None:
    assert any("hosts" in verdict for verdict in verdicts(Rules(meets=False), range(30)))


def test_texts_that_were_cut_are_missing_unless_their_authors_keep_them() -> None:
    assert any("texts" in verdict for verdict in verdicts(Rules(keeps_texts=False), range(30)))


def test_a_single_death_of_a_host_costs_no_text_and_one_term() -> None:
    for seed in range(20):
        world = World(seed)
        world.run(20)
        for node in world.nodes:
            world.talk(node, 60)
        world.at(20, lambda world=world: world.kill(world.nodes[0]))  # type: ignore[misc]
        world.run(150)
        assert world.verdict() in ("ok", "over")
        assert (world.terms_begun, sum(node.texts_cut for node in world.nodes)) == (1, 0)


def test_one_link_that_breaks_moves_nobody() -> None:
    for seed in range(20):
        world = World(seed)
        world.run(20)
        world.split([frozenset((0, 1))], 5, closes=True)
        world.run(150)
        assert (world.verdict(), world.terms_begun) == ("ok", 0)
