"""A newcomer that is welcomed wrongly dials again: it does not know yet whose room it is."""

from collections.abc import Callable

import msgspec
import pytest

from anonp2p.crypto import suite
from anonp2p.crypto.epoch import KEPT
from anonp2p.protocol import frames
from tests.room.hostile import BOUNDS, KEY, assert_link_ended, without
from tests.room.member.false_host import HERE, FalseHost, Item
from tests.room.peers import ANN, BOB, EVE, HOST, kinds, text


def with_roster_entry(**otherwise: object) -> Callable[[FalseHost], list[Item]]:
    """A welcome with one more seat, which says this."""
    ghost = frames.RosterEntry(EVE.key, "eve", 0, away=False, key_hash=KEY, generation=0, chain_key=bytes(32))
    return lambda it: [it.welcome(roster=[*it.state().roster, msgspec.structs.replace(ghost, **otherwise)])]


def as_we_are(**otherwise: object) -> Callable[[FalseHost], list[Item]]:
    """A welcome in which our own roster entry says this."""

    def lie(it: FalseHost) -> list[Item]:
        *others, mine = it.state().roster
        return [it.welcome(roster=[*others, msgspec.structs.replace(mine, **otherwise)])]

    return lie


WRONG_WELCOMES: dict[str, Callable[[FalseHost], list[Item]]] = {
    "without us": lambda it: without(it.me)(it),
    "without the host": without(HOST.id),
    "with a host who is none": lambda it: [it.welcome(host=EVE.id)],
    "with us as the host": lambda it: [
        it.welcome(host=it.me, sign=it.room.replica.me.sign, head=it.head_text(signer=it.room.replica.me))
    ],
    "with another key for us": as_we_are(key=BOB.key),
    "with another nick for us": as_we_are(nick="fool"),
    "with another leaf for us": as_we_are(key_hash=suite.hash_data(EVE.encryption_key.public)),
    "with two of one nick": with_roster_entry(nick="ANN"),
    "with a room name that hides": lambda it: [it.welcome(name="de\nmo")],
    "without a room name": lambda it: [it.welcome(name="")],
    "with a time to live above the greatest": lambda it: [it.welcome(retention=frames.RetentionPolicy(0, 61, 60))],
    "with a time to live below the least": lambda it: [it.welcome(retention=frames.RetentionPolicy(60, 59, KEPT))],
    "with bounds that leave nothing": lambda it: [it.welcome(retention=frames.RetentionPolicy(60, 60, 59))],
    "with a time to live that is none": lambda it: [it.welcome(retention=frames.RetentionPolicy(0, 60, 2**32))],
    "signed by a member": lambda it: [it.welcome(sign=ANN.sign)],
    "not signed": lambda it: [it.welcome(sign=lambda _, __: bytes(64))],
    "of another link": lambda it: [it.welcome(hello=bytes(32))[0]],
    "signed for another link": lambda it: [it.welcome(sign=lambda label, c: HOST.sign(label, bytes(32) + c[32:]))],
    "of another room": lambda it: [it.welcome(room=b"s" * 32)[0]],
    "to another leaf": lambda it: [it.welcome(key=ANN.encryption_key.public)[0]],
    "with a head of a member": lambda it: [it.welcome(head=it.head_text(signer=ANN))],
    "with a history where there is none": lambda it: [it.welcome(since=HERE, snapshot=it.base())],
    "with a head that was altered": lambda it: [it.welcome(head=b"\x01" + it.head_text()[1:])],
    "with a past for one who has none": lambda it: [it.welcome(since=HERE - 1)],
    "a second time": lambda it: [it.welcome()[0], it.welcome()[0]],
    "with a page altered": lambda it: [it.welcome()[0], frames.PageFrame(bytes(1_000))],
    "with a page before it": lambda it: [it.welcome()[1]],
    "whose page is followed by another": lambda it: [it.welcome(), it.welcome()[1]],
    "by an entry": lambda it: [it.entry(ANN, text("lie"))],
    "by a head": lambda it: [it.head],
    "by a resumption": lambda it: [it.resumed()],
    "by a denial": lambda _: [frames.DeniedFrame(1, "nick-taken")],
    "by a slice": lambda it: [it.slice],
    "by a past": lambda it: [it.past(it.entry(ANN, text("lie")))],
    "by noise": lambda _: [bytes(64)],
}


@pytest.mark.parametrize("wrongly", WRONG_WELCOMES)
def test_a_newcomer_that_is_welcomed_wrongly_dials_again(wrongly: str) -> None:
    """5.9, 7.1, 7.2"""
    host = FalseHost()
    host.greets()
    host.roster_guest()
    items: list[Item] = []
    for item in WRONG_WELCOMES[wrongly](host):
        items += item if isinstance(item, list) else [item]
    *honest, wrong = items
    host.hears(*honest)
    assert_link_ended(host, host.hears(wrong))


def test_what_another_host_signed_for_a_newcomer_does_not_bind_the_one_that_lets_it_in() -> None:
    """5.9: anybody can pass for the host of a room that one does not know yet."""
    host = FalseHost()
    host.greets()
    host.roster_guest()
    other = host.head_text(index=HERE + 9, time=9_000, signer=ANN)
    passing = host.welcome(host=ANN.id, sign=ANN.sign, head=other, name="de\nmo")
    assert_link_ended(host, host.hears(*passing))
    assert kinds(host.hears(*host.welcome())) == ["LinkEvent", "EnteredEvent"]


WRONG_ROSTERS: dict[str, Callable[[FalseHost], list[Item]]] = {
    "one who is not there": with_roster_entry(),
    "one without a seat": without(ANN.id),
    "another leaf": lambda it: [
        it.welcome(
            roster=[
                msgspec.structs.replace(roster_entry, key_hash=bytes(32))
                if roster_entry.key == ANN.key
                else roster_entry
                for roster_entry in it.state().roster
            ]
        )
    ],
    "one as away": as_we_are(away=True),
    "another name of the room": lambda it: [it.welcome(name="demolition")],
    "another lock": lambda it: [it.welcome(locked=True)],
    "other times to live": lambda it: [it.welcome(retention=BOUNDS)],
    "another history": lambda it: [it.welcome(history=frames.HistoryPolicy(10, 0))],
}


@pytest.mark.parametrize("wrongly", WRONG_ROSTERS)
def test_one_who_was_welcomed_to_another_roster_has_no_part_in_the_next_epoch(wrongly: str) -> None:
    """6.2"""
    host = FalseHost()
    host.greets()
    host.roster_guest()
    assert kinds(host.hears(*WRONG_ROSTERS[wrongly](host)))[:2] == ["LinkEvent", "EnteredEvent"]
    host.hears(host.commit())
    assert_link_ended(host, host.hears(host.slice))
    [*_, alarm, gone] = host.hears(*host.welcome(past=True))
    assert kinds([alarm, gone]) == ["AlarmEvent", "GoneEvent"]


def test_a_welcome_without_its_last_page_shows_nothing() -> None:
    host = FalseHost()
    host.greets()
    host.roster_guest()
    box, page = host.welcome()
    assert isinstance(box, frames.WelcomeFrame)
    assert isinstance(page, frames.PageFrame)
    halves = [frames.PageFrame(page.part[:500]), frames.PageFrame(page.part[500:])]
    assert host.hears(frames.WelcomeFrame(box.box, 3), *halves) == []
    assert not host.room.entered


def test_a_recorded_welcome_of_our_own_is_none_on_another_link() -> None:
    """7.1: the signature and the box are over the hello of this very link."""
    host = FalseHost()
    host.greets()
    host.roster_guest()
    recorded = host.welcome()
    host.redials()
    assert_link_ended(host, host.hears(recorded[0]))


def test_a_welcome_that_broke_off_is_forgotten_on_the_next_link() -> None:
    host = FalseHost()
    host.greets()
    host.roster_guest()
    host.hears(host.welcome()[0])
    host.redials()
    assert kinds(host.hears(*host.welcome())) == ["LinkEvent", "EnteredEvent"]
