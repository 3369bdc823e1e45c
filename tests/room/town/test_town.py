"""Towns of real rooms: whatever happens to people and lines, those who are left are in one room, with all they said."""

import pytest
from msgspec.structs import replace

from anonp2p import limits
from anonp2p.room import events, inputs
from anonp2p.room.hosting_events import HostingEvent
from anonp2p.room.succession import terms
from tests.room.town.play import Play
from tests.room.town.run import WELL, play, shrink
from tests.room.town.schedule import KNOCKING_FROM, OFFERING_FROM, Schedule, Step, draw_schedule
from tests.room.town.town import Town
from tests.room.town.wires import PACES

QUIET = Schedule(seed=1, people=3, talk=2.0, end=20.0)


def test_a_seed_makes_the_same_town_each_time() -> None:
    schedule = draw_schedule(7, host_stays=True)
    one, other = play(schedule), play(schedule)
    assert one.trace == other.trace
    assert len(one.trace) > 100


def test_what_had_to_happen_while_a_machine_was_stopped_happens_once_it_goes_on() -> None:
    town, times = Town(1, PACES["near"]), list[float]()
    town.run(5.0)
    town.plan(-3.0, lambda: times.append(town.now))
    town.run(6.0)
    assert times == [5.0]


def test_a_link_that_comes_to_one_who_is_out_by_then_is_none() -> None:
    """A dial, and the end of its link, have waited for a stopped machine behind what has closed its room."""
    town = Town(1, PACES["near"])
    host = town.add(creates=True)
    town.run(5.0)
    town.stop(host)
    town.type_input(host, inputs.LeaveInput())
    other = town.add(creates=False)
    town.run(10.0)
    town.kill(other, silent=False)
    town.run(15.0)
    town.go_on(host, late=False)
    assert host.actor.over
    assert not host.sides


def test_a_schedule_can_be_kept_as_text() -> None:
    for seed in range(50):
        schedule = draw_schedule(seed)
        assert Schedule.parse(str(schedule)) == schedule


def test_a_town_to_which_nothing_happens_is_one_room_in_which_all_is_heard() -> None:
    playing = Play(QUIET)
    assert playing.run().verdict == "ok"
    assert len(playing.town.people) == 3
    texts = {text for person in playing.town.people for text in person.said}
    assert len(texts) > 10
    assert all(person.shown.keys() == texts for person in playing.town.people)


def test_a_text_that_somebody_was_not_shown_is_noticed() -> None:
    playing = Play(QUIET)
    playing.run()
    ann, bob, _ = playing.town.people
    bob.shown[next(iter(ann.said))] -= 1
    assert playing.checks.judge() == "1 was shown 0.1 0 times"


def test_a_text_that_somebody_knows_by_another_place_is_noticed() -> None:
    playing = Play(QUIET)
    playing.run()
    ann, bob, _ = playing.town.people
    text = next(iter(ann.said))
    place = bob.places[text]
    bob.places[text] += 1 << 32
    bob.places["cut, and gone with its author"] = 7
    assert playing.checks.judge() == f"1 has {text} at 1:{place}, the log at 0:{place}"


@pytest.mark.parametrize(
    ("was", "place", "is_noticed"),
    [((0, 5), (8, 5), False), ((8, 5), (4, 5), True), ((0, 5), (8, 90), True), ((0, 5), (12, 91), False)],
)
def test_a_text_moves_behind_all_that_was_shown_or_stays_where_it_is_under_a_later_number(
    was: tuple[int, int], place: tuple[int, int], is_noticed: bool
) -> None:
    """8.1: in the end a term has begun before it, on the side on which all others were."""
    playing = Play(QUIET)
    playing.run()
    ann = playing.town.people[0]
    ann.hear(replace(ann.got(events.MessageEvent)[0], text="latest", seq=terms.make_place(12, 90)), playing.town.now)
    ann.hear(events.MovedEvent(room="r1", was=terms.make_place(*was), seq=terms.make_place(*place)), playing.town.now)
    playing.checks.watch(ann)
    assert bool(playing.checks.faults) == is_noticed


@pytest.mark.parametrize("is_left", [True, False])
def test_one_whom_nothing_leads_back_to_a_host_is_told_from_one_who_has_not_come_back(is_left: bool) -> None:
    playing = Play(QUIET)
    playing.run()
    *others, cut = playing.town.people
    ledger = cut.room.replica.ledger
    ledger.index -= 1
    ledger.host, ledger.heirs = b"h" * 16, ()
    for other in others[is_left:]:
        ledger.kicked[other.id] = b""
    assert playing.checks.is_settled != is_left
    assert (playing.checks.judge() == "over") != is_left


def test_people_who_cannot_hear_one_another_at_the_end_are_noticed() -> None:
    playing = Play(QUIET)
    playing.run()
    playing.town.people[1].room.replica.ledger.index -= 1
    assert not playing.checks.is_settled


@pytest.mark.parametrize("how", ["answer", "wait"])
def test_strangers_who_take_up_links_keep_nobody_out(how: str) -> None:
    steps = (Step(12.0, "strangers", ("10", how)), Step(20.0, "come"), Step(25.0, "drop", ("1", "told")))
    playing = Play(Schedule(seed=1, people=3, end=30.0, steps=steps))
    assert playing.run().verdict == "ok"
    assert sum(person.is_here for person in playing.town.people) == 4


@pytest.mark.parametrize("whom", ["heir", "1"])
@pytest.mark.parametrize(("seed", "verb"), [(1, "drop"), (2, "kill"), (3, "isolate")])
def test_who_lies_on_all_links_keeps_nobody_from_the_room(seed: int, verb: str, whom: str) -> None:
    about = {"drop": ("2", "told"), "kill": ("host",), "isolate": ("host", "12", "silent")}[verb]
    steps = (Step(12.0, "meddle", (whom, "liar")), Step(22.0, verb, about))
    outcome = play(Schedule(seed=seed, people=5, end=45.0, steps=steps))
    assert outcome.verdict == "ok", f"{outcome.faults}\n{outcome.schedule}"


def test_a_host_that_keeps_whom_a_moderator_has_ordered_out_is_told_of_by_all() -> None:
    """5c.5: and the room goes on."""
    steps = (Step(11.0, "op", ("1",)), Step(13.0, "meddle", ("host", "keeper")), Step(15.0, "kick", ("2",)))
    playing = Play(Schedule(seed=1, people=4, end=40.0, steps=steps))
    playing.run()
    for person in playing.town.people[1:]:
        assert [alarm.reason.code for alarm in person.got(events.AlarmEvent)] == ["order-ignored"]
        at = person.when(events.AlarmEvent)
        assert 15.0 + limits.ORDER_PATIENCE <= at <= 15.0 + limits.ORDER_PATIENCE + 1.0
        assert person.is_here


def test_a_host_that_takes_the_rights_of_moderators_by_saying_that_they_are_lost_is_left_by_all() -> None:
    """5c.10"""
    steps = (Step(11.0, "op", ("1",)), Step(13.0, "meddle", ("host", "usurper")))
    playing = Play(Schedule(seed=1, people=4, end=40.0, steps=steps))
    playing.run()
    for person in playing.town.people[1:]:
        said = [alarm.reason.value for alarm in person.got(events.AlarmEvent)]
        assert said == ["lost-on-its-link"] * (person.number == 1) + ["moderator-removed-too-soon"]
        assert [gone.reason for gone in person.got(events.GoneEvent)] == ["lost"]


@pytest.mark.parametrize("whom", ["1", "host"])
@pytest.mark.parametrize("seed", range(3))
def test_a_moderator_that_does_not_come_back_is_removed_and_no_host_is_blamed(
    seed: int, whom: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """5c.10: by whoever hosts then. In towns, places are not kept for as long."""
    for name, seconds in {
        "PLACE_SECONDS": 45,
        "MODERATOR_LOST": 25,
        "MODERATOR_LOST_HELD": 10,
        "AWAY_AT_LEAST": 35,
    }.items():
        monkeypatch.setattr(limits, name, float(seconds))
    steps = (Step(11.0, "op", ("1",)), Step(13.0, "kill", (whom,)))
    playing = Play(Schedule(seed=seed, people=4, end=90.0, steps=steps))
    outcome = playing.run()
    assert outcome.verdict == "ok", f"{outcome.faults}\n{outcome.schedule}"
    gone = playing.town.people[int(whom) if whom.isdigit() else 0]
    for person in playing.town.people:
        assert not person.is_here or person.room.replica.ledger.roster.find_member(gone.id) is None


def test_who_takes_over_from_a_moderator_does_not_take_its_rights_so_soon() -> None:
    """5c.10"""
    steps = (Step(13.0, "kill", ("host",)), Step(20.0, "meddle", ("host", "usurper")))
    playing = Play(Schedule(seed=1, people=4, end=40.0, steps=steps))
    playing.run()
    left = [person for person in playing.town.people[1:] if not person.room.hosting]
    assert len(left) == 2
    for person in left:
        assert [alarm.reason.value for alarm in person.got(events.AlarmEvent)] == ["moderator-removed-too-soon"]


def test_whoever_hosts_what_moderators_did_stands() -> None:
    """5c: who founded the room is gone for good; the other moderator goes on, and the one who is muted stays so."""
    steps = (
        Step(11.0, "op", ("1",)),
        Step(12.0, "mute", ("2",)),
        Step(13.0, "ban", ("3",)),
        Step(14.0, "slow", ("2",)),
        Step(16.0, "kill", ("0",)),
        Step(40.0, "kick", ("4",)),
    )
    playing = Play(Schedule(seed=1, people=6, end=60.0, steps=steps))
    assert playing.run().verdict == "ok"
    founder, one, two, _, _, five = playing.town.people
    assert not founder.is_alive
    for person in (one, two, five):
        ledger = person.room.replica.ledger
        assert ledger.host != founder.id
        assert ledger.rights.moderators[-1:] == (one.id,)
        assert ledger.rights.muted == (two.id,)
        assert ledger.rights.restrictions.slow == 2
        assert len(ledger.rights.bans) == 1
        assert {it.id for it in ledger.roster if not it.away} == {one.id, two.id, five.id}


@pytest.mark.parametrize("is_out", [True, False])
def test_who_was_cut_off_while_the_code_changed_twice_is_back_or_told_that_it_was_thrown_out(*, is_out: bool) -> None:
    """8.5: all whom it knows besides the host are out, and the host was found by the first of three codes then."""
    kick = (Step(18.0, "kick", ("3",)),)
    steps = (Step(15.0, "isolate", ("3", "20", "told")), Step(17.0, "ban", ("1",)), Step(17.5, "ban", ("2",)))
    playing = Play(Schedule(seed=0, people=4, end=60.0, steps=(*steps, *(kick if is_out else ()))))
    assert playing.run().verdict == "ok"
    cut = playing.town.people[3]
    assert [gone.reason for gone in cut.got(events.GoneEvent)] == ["kicked"] * is_out
    assert cut.is_here != is_out
    assert not cut.got(HostingEvent)


def test_a_host_that_is_cut_off_from_everybody_is_told_that_the_others_have_thrown_it_out() -> None:
    """8.17: by one who hosts after it, for a moderator."""
    steps = (
        Step(12.0, "isolate", ("0", "20", "told")),
        Step(45.0, "isolate", ("host", "25", "told")),
        Step(60.0, "ban", ("1",)),
    )
    playing = Play(Schedule(seed=0, people=5, end=90.0, steps=steps))
    assert playing.run().verdict == "ok"
    assert [gone.reason for gone in playing.town.people[1].got(events.GoneEvent)] == ["kicked"]
    assert sum(person.is_here for person in playing.town.people) == 4


def test_who_dials_the_only_heir_while_that_leaves_keeps_its_host() -> None:
    steps = (Step(109.43, "come"), Step(133.42, "kick", ("3",)), Step(139.82, "leave", ("heir",)))
    playing = Play(Schedule(seed=6742, people=4, pace="far", talk=6.0, end=240.0, history=5, steps=steps))
    assert playing.run().verdict == "ok"
    assert [person.number for person in playing.town.people if person.is_here] == [0, 1, 4]
    assert not [event for event in playing.town.people[4].got(events.LinkEvent) if event.attempt > 1]


def test_one_whom_a_host_of_another_side_refuses_waits_for_its_own_and_stays_in_a_locked_room() -> None:
    """Who took over while the room was split is asked as well, and answers first."""
    told = (Step(12.08, "pair", ("host", "1", "60", "told")), Step(43.76, "pair", ("heir", "0", "5", "told")))
    lock, stop = Step(41.06, "lock"), Step(52.58, "stop", ("host", "5", "prompt"))
    cut = Step(68.1, "split", ("0", "25", "silent"))
    steps = (told[0], Step(35.67, "come"), lock, told[1], stop, Step(57.13, "come"), cut)
    playing = Play(Schedule(seed=6636, people=2, pace="near", talk=6.0, end=160.0, history=5, steps=steps))
    assert playing.run().verdict == "ok"
    assert [person.number for person in playing.town.people if person.is_here] == [0, 1, 2]


@pytest.mark.parametrize(("seconds", "comes"), [(700, 0), (70, 2)])
def test_what_those_have_said_is_said_again_who_lose_their_place_by_a_split(seconds: int, comes: int) -> None:
    """Who was on the side that gave way for more than ten minutes, or has joined there."""
    cut = Step(20.0, "split", ("1,2", str(seconds), "told"))
    steps = (cut, *(Step(45.0 + number, "come") for number in range(comes)))
    end = 100.0 + seconds
    playing = Play(Schedule(seed=5, people=5, pace="near", talk=end / 20, end=end, history=0, steps=steps))
    assert playing.run().verdict == "ok"
    anew = [person for person in playing.town.people if len(person.entered_at) > 1]
    assert [person.number for person in anew] == ([5, 6] if comes else [1, 2])
    for person in anew:
        away = [text for text, at in person.said.items() if 50 < at < 20 + seconds]
        assert away
        assert all(playing.town.people[0].shown[text] == 1 for text in away)


def test_an_heir_whose_address_another_has_served_as_the_code_is_found_again() -> None:
    """Members that have their host wait at it in the end, though the other has published that address last."""
    told = (Step(11.22, "split", ("2", "60", "told")), Step(23.85, "split", ("1,2", "25", "told")))
    steps = (told[0], Step(20.85, "ban", ("3",)), told[1], Step(27.15, "pair", ("host", "1", "60", "silent")))
    playing = Play(Schedule(seed=6686, people=4, pace="near", talk=3.0, end=90.0, history=0, steps=steps))
    assert playing.run().verdict == "ok"


def test_who_was_thrown_out_and_knows_nobody_of_those_who_are_left_goes_on_apart() -> None:
    """The host, which has thrown out its first heir while that was cut off, dies; the next one was no heir before."""
    raid, kick, cut = Step(101.26, "raid"), Step(102.4, "kick", ("2",)), Step(103.12, "split", ("2", "5", "silent"))
    steps = (raid, kick, cut, Step(125.71, "kill", ("host",)))
    playing = Play(Schedule(seed=5476, people=3, pace="far", talk=3.0, end=190.0, steps=steps))
    assert playing.run().verdict == "apart"
    _, host, outcast = playing.town.people
    assert host.is_hosting
    assert outcast.is_hosting
    assert host.id not in outcast.room.replica.ledger.carriers


def test_an_error_of_the_program_is_a_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("anonp2p.room.room.Room.snapshot", lambda _: 1 // 0)
    outcome = play(Schedule(seed=1, end=20.0, steps=(Step(12.0, "kick", ("1",)),)))
    assert outcome.verdict.startswith("ZeroDivisionError in test_town.py")


def test_a_schedule_that_goes_wrong_is_cut_down_to_what_matters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.room.town.play.Play._lock", lambda _: 1 // 0)
    steps = (Step(11.0, "unlock"), Step(12.0, "lock"), Step(13.0, "come"))
    assert shrink(Schedule(seed=1, people=2, end=20.0, steps=steps)).steps == (Step(12.0, "lock"),)


@pytest.mark.parametrize("first", range(0, 200, 5))
def test_whatever_happens_those_who_are_left_are_in_one_room_with_all_they_said(first: int) -> None:
    for seed in range(first, first + 5):
        outcome = play(draw_schedule(seed))
        assert outcome.verdict in WELL, f"{outcome.faults}\n{outcome.schedule}"


@pytest.mark.parametrize("first", range(KNOCKING_FROM, KNOCKING_FROM + 20, 5))
def test_whatever_happens_at_the_door_those_who_are_left_are_in_one_room_and_know_who_waits(first: int) -> None:
    for seed in range(first, first + 5):
        outcome = play(draw_schedule(seed))
        assert outcome.verdict in WELL, f"{outcome.faults}\n{outcome.schedule}"


@pytest.mark.parametrize("first", range(0, 12, 4))
def test_whatever_happens_to_members_those_who_are_left_are_in_one_room(first: int) -> None:
    for seed in range(first, first + 4):
        outcome = play(draw_schedule(seed, host_stays=True))
        assert outcome.verdict == "ok", f"{outcome.faults}\n{outcome.schedule}"


@pytest.mark.parametrize("first", range(OFFERING_FROM, OFFERING_FROM + 20, 5))
def test_whatever_happens_offers_of_files_are_the_same_to_all_who_are_left(first: int) -> None:
    """Each is shown once under one number, while its author is a member; what has none is served no more."""
    for seed in range(first, first + 5):
        outcome = play(draw_schedule(seed))
        assert outcome.verdict in WELL, f"{outcome.faults}\n{outcome.schedule}"
