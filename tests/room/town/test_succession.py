"""Rooms that outlive their host, in towns: how soon, and that nothing is lost or said twice."""

import pytest

from anonp2p.room.hosting_events import HostEvent
from tests.room.town.play import Play
from tests.room.town.schedule import Schedule, Step

AT = 30.0  # when it happens: the heirs are ready by then, near and far
FAR_AT = 200.0
SEEDS = range(2)


def play(seed: int, *steps: Step, people: int = 5, pace: str = "near", end: float = 100.0) -> Play:
    """A town in which this happens, and nothing else; all must be well at its end."""
    playing = Play(Schedule(seed=seed, people=people, pace=pace, talk=2.0, end=end, steps=steps))
    outcome = playing.run()
    assert outcome.verdict == "ok", f"{outcome.faults}\n{outcome.schedule}"
    return playing


def delays(playing: Play, since: float = AT) -> list[float]:
    """How long each of those who are left took to know its new host."""
    here = [person for person in playing.town.people if person.is_here]
    assert here
    return [person.when(HostEvent, since) - since for person in here]


@pytest.mark.parametrize("seed", SEEDS)
def test_when_the_host_leaves_the_room_goes_on_within_a_second(seed: int) -> None:
    playing = play(seed, Step(AT, "leave", ("host",)))
    assert max(delays(playing)) < 1.5
    assert playing.checks.counts["entries cut"] == 0


@pytest.mark.parametrize("seed", SEEDS)
def test_when_the_host_is_killed_the_room_goes_on_within_two_seconds(seed: int) -> None:
    playing = play(seed, Step(AT, "kill", ("host",)))
    assert max(delays(playing)) < 3.0
    assert playing.checks.counts["entries cut"] == 0


@pytest.mark.parametrize("whom", ["heir", "2"])
@pytest.mark.parametrize("seed", SEEDS)
def test_that_links_to_a_dead_host_do_not_break_is_noticed_as_soon_as_one_does(seed: int, whom: str) -> None:
    """Tor may tell some of its end at once, and others never: the heir asks, and has them ask."""
    silent = [Step(AT - 0.01, "pair", ("host", it, "60", "silent")) for it in (whom, "4")]
    playing = play(seed, *silent, Step(AT, "kill", ("host",)))
    assert max(delays(playing)) < 3.0
    assert playing.checks.counts["entries cut"] == 0


@pytest.mark.parametrize("seed", SEEDS)
def test_when_the_host_falls_silent_the_room_goes_on_within_twenty_seconds(seed: int) -> None:
    playing = play(seed, Step(AT, "unplug", ("host",)))
    assert max(delays(playing)) < 22.0
    assert playing.checks.counts["entries cut"] == 0


@pytest.mark.parametrize("seed", SEEDS)
def test_an_heir_that_lost_the_host_before_others_did_goes_on_with_what_they_have(seed: int) -> None:
    steps = Step(AT, "pair", ("host", "heir", "60", "silent")), Step(AT + 4, "kill", ("host",))
    playing = play(seed, *steps)
    assert max(delays(playing, AT + 4)) < 20.0
    assert playing.checks.counts["entries cut"] == 0


@pytest.mark.parametrize("seed", SEEDS)
def test_when_host_and_first_heir_die_at_once_the_second_takes_over(seed: int) -> None:
    playing = play(seed, Step(AT, "kill", ("heir",)), Step(AT + 0.01, "kill", ("host",)))
    assert max(delays(playing)) < 60.0


@pytest.mark.parametrize("seed", SEEDS)
def test_newcomers_get_in_by_the_code_they_have_after_the_host_is_killed(seed: int) -> None:
    playing = play(seed, Step(AT, "kill", ("host",)), Step(AT + 20, "come"))
    assert playing.town.people[-1].is_here


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("how", ["told", "silent"])
def test_nobody_takes_over_when_one_link_breaks(seed: int, how: str) -> None:
    for whom in ("heir", "4"):
        playing = play(seed, Step(AT, "pair", ("host", whom, "0", how)))
        assert playing.checks.counts["terms opened"] == 0


@pytest.mark.parametrize("seed", SEEDS)
def test_a_few_who_cannot_reach_the_host_for_a_while_wait_for_it(seed: int) -> None:
    steps = [Step(AT, "pair", ("host", whom, "12", "told")) for whom in ("1", "4")]
    assert play(seed, *steps).checks.counts["terms opened"] == 0


@pytest.mark.parametrize("seed", SEEDS)
def test_the_room_outlives_one_host_after_the_other(seed: int) -> None:
    steps = [Step(AT + 40 * number, "kill" if number % 2 else "leave", ("host",)) for number in range(3)]
    playing = play(seed, *steps, end=200.0)
    assert sum(person.is_here for person in playing.town.people) == 2


@pytest.mark.parametrize("seed", SEEDS)
def test_two_halves_become_one_room_again(seed: int) -> None:
    playing = play(seed, Step(AT, "split", ("0,1", "60", "told")))
    assert playing.checks.counts["terms opened"] > 0


def offers(playing: Play) -> list[list[str]]:
    """The files that each of those who are left is shown as on offer, in the order of their numbers."""
    here = [person.room.files.list_files() for person in playing.town.people if person.is_here]
    assert all([row["offer"] for row in rows] == list(range(1, len(rows) + 1)) for rows in here)
    return [[row["name"] for row in rows] for rows in here]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("how", ["leave", "kill"])
def test_offers_of_files_outlive_the_host(seed: int, how: str) -> None:
    sends = [Step(AT - 5, "send", ("2",)), Step(AT - 0.15, "send", ("3",)), Step(AT + 0.2, "send", ("4",))]
    playing = play(seed, *sends, Step(AT, how, ("host",)))
    assert [len(names) for names in offers(playing)] == [3] * 4


@pytest.mark.parametrize("seed", SEEDS)
def test_offers_of_two_halves_are_those_of_one_room_again(seed: int) -> None:
    """5e.4: one that is cut and comes again is the same."""
    sends = [Step(AT - 5, "send", ("1",)), *(Step(AT + 30, "send", (whom,)) for whom in ("0", "1", "2", "4"))]
    playing = play(seed, Step(AT, "split", ("0,1", "60", "told")), *sends)
    names = offers(playing)
    assert [len(it) for it in names] == [5] * 5
    assert len({frozenset(it) for it in names}) == 1


@pytest.mark.parametrize("seed", SEEDS)
def test_a_host_that_was_asleep_finds_its_room_hosted_by_another_and_follows(seed: int) -> None:
    playing = play(seed, Step(AT, "stop", ("host", "60", "late")))
    assert not playing.town.people[0].is_hosting or playing.checks.counts["terms opened"] > 1


@pytest.mark.parametrize("seed", SEEDS)
def test_over_distances_it_takes_seconds_more(seed: int) -> None:
    left = play(seed, Step(FAR_AT, "leave", ("host",)), pace="far", end=300.0)
    assert max(delays(left, FAR_AT)) < 4.0
    killed = play(seed, Step(FAR_AT, "kill", ("host",)), pace="far", end=300.0)
    assert max(delays(killed, FAR_AT)) < 5.0


# --- members that break a rule


@pytest.mark.parametrize("seed", SEEDS)
def test_an_heir_that_takes_over_while_the_host_lives_takes_nobody_along(seed: int) -> None:
    steps = Step(AT, "meddle", ("1", "eager")), Step(AT + 1, "pair", ("host", "1", "5", "told"))
    playing = play(seed, *steps)
    assert playing.town.people[0].is_hosting
    assert playing.checks.counts["terms opened"] == 1, "honest people see the one with which the host stands above it"
    assert playing.checks.counts["entries cut"] == 0


@pytest.mark.parametrize("seed", SEEDS)
def test_an_heir_that_does_nothing_when_it_is_due_is_passed_over(seed: int) -> None:
    playing = play(seed, Step(AT, "meddle", ("heir", "idle")), Step(AT + 1, "kill", ("host",)), end=150.0)
    assert max(delays(playing, AT + 1)) < 80.0


@pytest.mark.parametrize("seed", SEEDS)
def test_one_who_hosts_alone_and_never_gives_way_takes_nobody_along(seed: int) -> None:
    steps = Step(AT, "meddle", ("1", "stubborn")), Step(AT + 1, "split", ("1", "90", "told"))
    playing = play(seed, *steps, end=200.0)
    assert [person.is_hosting for person in playing.town.people] == [True, True, False, False, False]
    assert playing.checks.counts["terms opened"] == 1, "the host stands above it once"
    assert playing.checks.counts["entries cut"] == 0
