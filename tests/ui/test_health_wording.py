"""How a room is, as people read it."""

import pytest

from anonp2p.reasons import Reason
from anonp2p.room.health import HealthData
from anonp2p.ui.health_wording import describe_health

WELL: HealthData = {
    "ok": True,
    "role": "host",
    "tor": True,
    "reachable": True,
    "reached": 725,
    "link": None,
    "trouble": None,
    "alarms": 0,
    "outstanding": 0,
    "locked": False,
    "knock": False,
    "members": 3,
    "away": 0,
    "heirs": 2,
    "key_held": True,
    "since": 11_100,
}
MEMBER = {"role": "member", "reachable": None, "reached": None, "link": "up"}
VAIN, LOST = Reason("no-introduction"), Reason("silent")
NO_HOST = "There is no link to the host now"


@pytest.mark.parametrize(
    ("differs", "says"),
    [
        ({}, "Others can join; the program last reached itself by the room's code 12 min ago"),
        ({"knock": True}, "Others can knock; "),
        ({"locked": True}, "The room can be found, but it is locked; "),
        ({"reachable": False}, "Nobody can join yet: the room is being published"),
        ({"reachable": False, "trouble": VAIN}, "leads nowhere (it does not answer: "),
        ({"reachable": False, "trouble": VAIN, "tor": False}, "There is no Tor now: "),
        (MEMBER, "The link to the host is up"),
        (MEMBER | {"link": "lost", "trouble": LOST}, f"{NO_HOST} (nothing was heard"),
        (MEMBER | {"link": "connecting"}, f"{NO_HOST}: what you say waits for it"),
        (MEMBER | {"link": "lost", "tor": False}, "There is no Tor now: "),
    ],
)
def test_first_of_all_it_says_whether_others_can_get_in_or_what_one_says_arrives(
    differs: dict[str, object], says: str
) -> None:
    first, *_ = describe_health({**WELL, **differs})  # type: ignore[typeddict-item]
    assert says in first


@pytest.mark.parametrize(
    ("differs", "says"),
    [
        ({}, "In the room for 3 h 5 min, as its host; 3 here, you among them; 2 could take it over, one with the key"),
        ({"away": 4}, "3 here, you among them, 4 away; "),
        ({"key_held": False}, "2 could take it over, none with the key of its code"),
        ({"heirs": 1}, "1 could take it over, with the key of its code"),
        ({"heirs": 1, "key_held": False}, "1 could take it over, without the key of its code"),
        ({"heirs": 0, "key_held": False}, "nobody could take it over"),
        (MEMBER, "In the room for 3 h 5 min, as a member; "),
        (MEMBER | {"since": None}, "You are not in the room yet"),
    ],
)
def test_it_says_who_is_there_and_what_comes_after_the_host(differs: dict[str, object], says: str) -> None:
    _, second, _ = describe_health({**WELL, **differs})  # type: ignore[typeddict-item]
    assert says in second


@pytest.mark.parametrize(
    ("count", "says"),
    [
        (0, "Nothing of yours waits for its place"),
        (1, "1 line of yours waits for a place"),
        (2, "2 lines of yours wait for a place"),
    ],
)
def test_it_says_what_of_ones_own_has_not_arrived(count: int, says: str) -> None:
    assert describe_health({**WELL, "outstanding": count})[-1] == says


@pytest.mark.parametrize(("count", "says"), [(1, "There was an alarm in this room"), (2, "There were 2 alarms")])
def test_alarms_come_before_all_else(count: int, says: str) -> None:
    assert describe_health({**WELL, "alarms": count})[0].startswith(says)
