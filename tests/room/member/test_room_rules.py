"""What never changes in a room: a host that changes it is left."""

from typing import Any

import pytest

from anonp2p.protocol import room_state
from anonp2p.room import events
from tests.room.hostile import BOUNDS, come_anew
from tests.room.member.false_host import FAR, FalseHost
from tests.room.peers import kinds


def welcomed_later(host: FalseHost, how: str, **otherwise: Any) -> list[events.Event]:
    """What a guest tells its user that is welcomed once more, to a room of which this is said."""
    if how == "with its log":
        host.redials()
        return host.hears(*host.welcome(past=True, **otherwise))
    if how == "without its log":
        host.redials()
        host.begin_at(FAR)
    else:
        come_anew(host)
        host.begin_at(FAR)
        host.ledger.roster.remove_member(host.ledger.get_member(host.me))
        host.roster_guest()
    return host.hears(*host.welcome(**otherwise))


LATER = ["with its log", "without its log", "as somebody new"]


@pytest.mark.parametrize("how", LATER)
@pytest.mark.parametrize(
    "otherwise",
    [
        {"name": "demolition"},
        {"retention": BOUNDS},
        {"history": room_state.HistoryPolicy(10, 0)},
        {"history": room_state.HistoryPolicy(0, 60)},
    ],
)
def test_a_host_that_changes_the_rules_of_its_room_is_left(
    host: FalseHost, how: str, otherwise: dict[str, Any]
) -> None:
    """7.2"""
    happened = welcomed_later(host, how, **otherwise)
    assert [kind for kind in kinds(happened) if kind not in ("ErrorEvent", "LinkEvent")] == ["AlarmEvent", "GoneEvent"]
    assert host.room.over


@pytest.mark.parametrize("how", LATER)
def test_a_host_that_keeps_the_rules_of_its_room_is_not(host: FalseHost, how: str) -> None:
    assert "AlarmEvent" not in kinds(welcomed_later(host, how))
    assert host.room.entered
