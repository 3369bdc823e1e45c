"""Which of what becomes of files has a line."""

import pytest

from anonp2p import limits
from anonp2p.reasons import Code, Reason
from anonp2p.room.file_events import TransferEvent
from anonp2p.ui.line.line_offers import LineOffers
from tests.support.offers import moved_on, offered


def told(offers: LineOffers, *events: TransferEvent, progress: bool = False, every: float = 1.0) -> list[str]:
    """The states of those that are told, so many seconds apart."""
    now = enumerate(events)
    return [event.state for at, event in now if offers.is_told(event, at * every, progress=progress)]


def test_how_it_begins_and_ends_is_told_and_no_step_between() -> None:
    steps = [moved_on("connecting"), *(moved_on("running", n) for n in range(60)), moved_on("connecting")]
    assert told(LineOffers(), *steps, moved_on("done")) == ["connecting", "done"]
    assert told(LineOffers(), *steps, moved_on("failed")) == ["connecting", "failed"]


def test_a_person_is_told_how_far_it_is_now_and_then() -> None:
    steps = [moved_on("connecting"), *(moved_on("running", n) for n in range(1, 31))]
    assert told(LineOffers(), *steps, progress=True, every=limits.TOLD_SELDOM / 10) == ["connecting", *["running"] * 3]


def test_once_it_failed_it_may_begin_again() -> None:
    once = [moved_on("connecting"), moved_on("running", 1), moved_on("failed")]
    assert told(LineOffers(), *once, *once) == ["connecting", "failed"] * 2


def test_who_takes_a_file_of_ours_is_told_once_each() -> None:
    steps = [moved_on(state, by=by) for state in ("running", "connecting", "running") for by in ("cho", "dee")]
    done = [moved_on("done", by="cho"), moved_on("failed", by="dee")]
    assert told(LineOffers(), *steps, *done, progress=True, every=60.0) == ["running", "running", "done", "failed"]


@pytest.mark.parametrize(
    ("mine", "before", "is_told"),
    [
        (True, [], True),
        (False, [], False),
        (False, ["connecting"], True),
        (False, ["connecting", "done"], False),
    ],
)
def test_that_an_offer_has_ended_is_told_to_whom_it_matters(mine: bool, before: list[str], is_told: bool) -> None:
    offers = LineOffers()
    offers.note_offer(offered(mine=mine))
    told(offers, *(moved_on(state) for state in before))
    assert offers.is_told(moved_on("ended", mine=mine), 9.0, progress=False) is is_told
    assert not offers.is_told(moved_on("ended", mine=mine), 9.0, progress=False)


@pytest.mark.parametrize(
    ("code", "mine", "is_told"),
    [
        ("offer-withdrawn", True, False),
        ("room-left", True, False),
        ("offer-displaced", True, True),
        ("offer-hidden", False, True),
    ],
)
def test_an_end_that_is_told_otherwise_has_no_line_and_one_that_was_asked_for_has(
    code: Code, mine: bool, is_told: bool
) -> None:
    offers = LineOffers()
    offers.note_offer(offered(mine=mine))
    assert offers.is_told(moved_on("ended", mine=mine, detail=Reason(code)), 0.0, progress=False) is is_told


def test_what_can_be_named_is_what_is_on_offer() -> None:
    offers = LineOffers()
    for number in (1, 2, 3):
        offers.note_offer(offered(number))
    offers.is_told(moved_on("ended", offer=2), 0.0, progress=False)
    assert offers.numbers == ["3", "1"]
