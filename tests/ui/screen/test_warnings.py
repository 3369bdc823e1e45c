"""Warnings: in which order they are read, and that none is lost."""

import re
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonp2p import limits
from anonp2p.room import events
from anonp2p.ui.screen.warnings import Warnings

Warning_ = str | events.LookalikeEvent  # an alarm's text, or a look-alike


def add(warnings: Warnings, *given_: Warning_) -> None:
    for one in given_:
        if isinstance(one, str):
            warnings.add_alarm(one)
        else:
            warnings.add_lookalike(one)


def warned(*given_: Warning_) -> Warnings:
    warnings = Warnings()
    add(warnings, *given_)
    return warnings


def test_warnings_wait_to_be_put_away() -> None:
    warnings = warned("It lied.", "It lied.", "Twice.")
    assert [banner.style for banner in warnings.banners] == ["alarm", "alarm"]
    assert "It lied." in warnings.banners[0].text


def test_a_look_alike_is_a_warning() -> None:
    warnings = warned(events.LookalikeEvent(room="r1", member="m", nick="cho", was="cho"))
    [banner] = warnings.banners
    assert banner.style == "caution"
    assert "somebody else than the cho" in banner.text
    assert "/verify cho" in banner.text


def test_no_more_than_so_many_warnings_wait() -> None:
    warnings = warned(*(f"reason {n} " for n in range(limits.BANNERS + 10)))
    assert len(warnings.banners) == limits.BANNERS
    assert "reason 0 " in warnings.banners[0].text


def lookalike(nick: str, was: str = "", *, spoke: bool = False) -> events.LookalikeEvent:
    return events.LookalikeEvent(room="r1", member="m", nick=nick, was=was or nick, spoke=spoke)


def test_an_alarm_waits_however_many_look_alikes_came_first() -> None:
    warnings = warned(*(lookalike(f"cho{n}") for n in range(limits.LOOKALIKES + 5)), "It lied.")
    assert [banner.style for banner in warnings.banners] == ["alarm", "caution"]


def test_of_several_look_alikes_the_banner_names_some_and_counts_the_others() -> None:
    warnings = warned(
        *(lookalike(f"n{n}") for n in range(limits.NAMED_AT_ONCE)), lookalike("Ada", "ada"), lookalike("n0")
    )
    [banner] = warnings.banners
    assert "before: n0, n1, n2, n3 and 1 more; /verify NICK" in banner.text
    warnings.put_away()
    [banner] = warnings.banners
    assert "this Ada may be somebody else than the ada" in banner.text
    warnings.put_away()
    assert warnings.banners == []
    add(warnings, lookalike("Ada", "ada"), lookalike("bob"))
    assert "before: Ada (like ada), bob; /verify NICK" in warnings.banners[0].text


@given(st.lists(st.tuples(st.integers(0, 30), st.booleans()), max_size=60), st.integers(1, 30))
def test_no_look_alike_is_dropped_for_others_and_those_of_who_spoke_are_named_first(
    given_: list[tuple[int, bool]], most: int
) -> None:
    """Whatever is put away was named before; only when there are too many are some counted instead."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limits, "LOOKALIKES", most)
        warnings = warned(*(lookalike(f"n{n}.", spoke=spoke) for n, spoke in given_))
        spoke = list(dict.fromkeys(f"n{n}." for n, spoke in given_ if spoke))
        all_of_them = {f"n{n}." for n, _ in given_}
        named: list[str] = []
        while warnings.banners:
            [banner] = warnings.banners
            named += re.findall(r"n\d+\.", banner.text.partition(" who was here")[0].partition(" than the")[0])
            assert len(named) <= most
            warnings.put_away()
    assert named[: len(spoke)] == spoke[:most]
    assert len(named) == len(set(named)) == min(len(all_of_them), most)


def test_those_of_who_spoke_take_the_place_of_the_latest_others() -> None:
    flood = [lookalike(f"n{n}") for n in range(limits.LOOKALIKES + 400)]
    warnings = warned(*flood, lookalike("ada", spoke=True))
    [banner] = warnings.banners
    assert "before: ada, n0, n1, n2 and 1397 more;" in banner.text
    for _ in range(limits.LOOKALIKES // limits.NAMED_AT_ONCE):
        warnings.put_away()
    [banner] = warnings.banners
    assert "401 more nicks" in banner.text
    warnings.put_away()
    assert warnings.banners == []


@pytest.mark.parametrize("of", ["present", "reserved"])
def test_who_may_be_taken_for_somebody_here_is_named_before_those_who_were_silent(
    of: Literal["present", "reserved"],
) -> None:
    flood = [lookalike(f"n{n}") for n in range(limits.LOOKALIKES)]
    warnings = warned(*flood, events.LookalikeEvent(room="r1", member="m", nick="ada", was="Ada", of=of))
    [banner] = warnings.banners
    assert "others: ada (like Ada), n0, n1, n2 and" in banner.text


def test_an_alarm_is_shown_before_a_caution() -> None:
    warnings = warned(events.LookalikeEvent(room="r1", member="m", nick="cho", was="cho"), "It lied.")
    assert [banner.style for banner in warnings.banners] == ["alarm", "caution"]
