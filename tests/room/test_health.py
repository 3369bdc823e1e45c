"""What is answered to whoever asks how a room is."""

import pytest

from anonp2p.crypto import identity
from anonp2p.protocol.field_types import Heir
from anonp2p.reasons import NO_REASON, Reason
from anonp2p.room import events, inputs
from anonp2p.room.clock import Clock
from anonp2p.room.context import fresh_keys
from anonp2p.room.health import Health, HealthData
from anonp2p.room.inputs import Now
from anonp2p.room.replica import Replica
from tests.room.peers import ANN, BOB, ROOM, randomness
from tests.room.simulation import Simulation
from tests.support.world import Party

VAIN, LOST = Reason("no-introduction"), Reason("silent")


class Watch:
    """A room's health, as its parts find it out."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.replica = Replica(ROOM, *fresh_keys(randomness(b"me"), ROOM))
        self.health = Health(self.clock, self.replica)

    def pass_time(self, seconds: float, slept: float = 0.0) -> None:
        tick, wall, before = self.clock.now
        self.clock.now = Now(tick + seconds, wall + seconds, before + slept)

    def host(self, alarms: int = 0) -> HealthData:
        return self.health.describe("host", outstanding=0, alarms=alarms)

    def member(self, alarms: int = 0) -> HealthData:
        return self.health.describe("member", outstanding=0, alarms=alarms)


@pytest.fixture
def watch() -> Watch:
    watch = Watch()
    watch.health.note_network(up=True)
    return watch


def test_a_host_is_well_once_it_has_reached_itself(watch: Watch) -> None:
    assert (watch.host()["ok"], watch.host()["reachable"], watch.host()["reached"]) == (False, False, None)
    watch.health.note_reached()
    watch.pass_time(5, slept=100)
    assert (watch.host()["ok"], watch.host()["reachable"], watch.host()["reached"]) == (True, True, 105)
    assert watch.host()["link"] is None


def test_it_is_said_why_a_host_does_not_reach_itself_until_it_does(watch: Watch) -> None:
    watch.health.note_unreached(VAIN)
    assert watch.host()["trouble"] == VAIN
    watch.health.note_reached()
    assert watch.host()["trouble"] is None
    watch.health.note_unreached()
    assert (watch.host()["reachable"], watch.host()["trouble"]) == (False, None), "it is published anew"


def test_without_a_network_nobody_reaches_a_host_though_it_was_reached(watch: Watch) -> None:
    watch.health.note_reached()
    watch.health.note_network(up=False)
    assert (watch.host()["ok"], watch.host()["tor"], watch.host()["reachable"]) == (False, False, False)
    watch.health.note_network(up=True)
    assert (watch.host()["tor"], watch.host()["reachable"]) == (True, False), "not before it has been published again"


@pytest.mark.parametrize(("state", "why"), [("connecting", NO_REASON), ("connecting", VAIN), ("lost", LOST)])
def test_a_member_is_well_while_its_link_is_up(watch: Watch, state: str, why: Reason) -> None:
    assert watch.member()["link"] == "connecting"
    watch.health.note_link("up", NO_REASON)
    assert (watch.member()["ok"], watch.member()["link"], watch.member()["trouble"]) == (True, "up", None)
    watch.health.note_link(state, why)  # type: ignore[arg-type]
    told = watch.member()
    assert (told["ok"], told["link"], told["trouble"]) == (False, state, None if why == NO_REASON else why)
    assert (told["reachable"], told["reached"]) == (None, None), "it does not know"


def test_what_was_wrong_with_the_link_to_a_host_is_not_said_by_one_who_hosts_now(watch: Watch) -> None:
    watch.health.note_link("lost", LOST)
    assert watch.host()["trouble"] is None
    watch.health.note_reached()
    assert watch.host()["ok"]


def test_a_room_with_an_alarm_is_not_well(watch: Watch) -> None:
    watch.health.note_reached()
    assert not watch.host(alarms=1)["ok"]
    watch.health.note_link("up", NO_REASON)
    assert not watch.member(alarms=2)["ok"]
    assert watch.member(alarms=2)["alarms"] == 2


def test_only_heirs_who_are_here_count_and_what_they_hold(watch: Watch) -> None:
    ledger = watch.replica.ledger
    for who, nick in ((ANN, "ann"), (BOB, "bob")):
        ledger.add_member(who.key, nick, bytes(32))
    ledger.heirs = (Heir(ANN.id, b"a" * 32), Heir(BOB.id, b"b" * 32))
    ledger.holders = (ANN.id,)
    assert (watch.host()["heirs"], watch.host()["key_held"]) == (2, True)
    ledger.roster.mark_presence(ledger.get_member(ANN.id), away=True)
    told = watch.host()
    assert (told["heirs"], told["key_held"], told["members"], told["away"]) == (1, False, 1, 1)


def test_for_how_long_we_are_in_is_counted_with_what_the_machine_has_slept(watch: Watch) -> None:
    assert watch.member()["since"] is None
    watch.health.note_entered()
    watch.pass_time(60.9, slept=3_600)
    assert watch.member()["since"] == 3_660


# --- in a room


def asked(room: Simulation, party: Party) -> HealthData:
    """What /health answers."""
    room.step(party, inputs.AskInput("/health", 99))
    [*_, reply] = [event for event in party.got(events.ReplyEvent) if event.command == "/health"]
    assert reply.re == 99
    data: HealthData = reply.data
    return data


def test_a_member_without_a_link_is_answered_at_once_and_told_what_waits() -> None:
    room = Simulation()
    ann = room.joined("ann")
    told = asked(room, ann)
    assert (told["role"], told["link"], told["members"], told["outstanding"]) == ("member", "up", 2, 0)
    room.lose(ann, delivering=False)
    room.member_hears(ann)  # that its link has ended
    room.say(ann, "hello?")
    told = asked(room, ann)
    assert (told["ok"], told["link"]) == (False, "lost")
    assert told["outstanding"] == 1


def test_who_is_not_in_yet_is_answered_at_once() -> None:
    room = Simulation()
    bob = room.newcomer("bob")
    room.say(bob, "hello")
    told = asked(room, bob)
    assert (told["role"], told["link"], told["members"], told["since"]) == ("member", "connecting", 0, None)
    assert told["outstanding"] == 1


def test_who_is_out_again_is_not_answered() -> None:
    room = Simulation()
    room.leave(room.host)
    assert room.host.room.over
    room.step(room.host, inputs.AskInput("/health"))
    assert not room.host.got(events.ReplyEvent)
    assert room.host.got(events.ErrorEvent)[-1].code == "no-room"


def test_that_newcomers_are_kept_out_is_told() -> None:
    room = Simulation()
    assert not asked(room, room.host)["locked"]
    room.lock(locked=True)
    assert asked(room, room.host)["locked"]


def test_the_answer_names_nobody_and_has_no_code() -> None:
    room = Simulation()
    ann = room.joined("annabella")
    for party in (room.host, ann):
        told = str(asked(room, party))
        secrets = ("hugo", "annabella", room.host.room.code[:20], identity.spell_member(ann.room.replica.me.id)[:8])
        assert not any(secret in told for secret in secrets)
