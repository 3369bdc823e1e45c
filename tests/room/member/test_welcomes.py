"""A newcomer that is welcomed wrongly dials again: it does not know yet whose room it is."""

import copy
from collections.abc import Callable

import msgspec
import pytest

from anonp2p.crypto import identity, invitations, suite
from anonp2p.crypto.epoch import KEPT
from anonp2p.protocol import frames, room_state
from anonp2p.protocol.credentials import sign_credentials
from anonp2p.protocol.rights import Restrictions, ReturnKey, Rights
from anonp2p.room import events
from anonp2p.room.contents import unpack_content
from anonp2p.room.ledger import Ledger
from anonp2p.room.roster import Roster
from tests.room.hostile import KEY, assert_left_in_alarm, assert_link_ended, without
from tests.room.member.false_host import HERE, FalseHost, Item
from tests.room.peers import ANN, BOB, EVE, HOST, ROOM_KEY, kinds, text


def with_roster_entry(**otherwise: object) -> Callable[[FalseHost], list[Item]]:
    """A welcome with one more seat, which says this."""
    ghost = room_state.RosterEntry(EVE.key, "eve", 0, away=False, key_hash=KEY, generation=0, chain_key=bytes(32))
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
        it.welcome(
            host=it.me,
            sign=it.room.replica.me.sign,
            head={"signer": it.room.replica.me},
            credentials=sign_credentials(ROOM_KEY, it.room.replica.me.key),
        )
    ],
    "with another key for us": as_we_are(key=BOB.key),
    "with another nick for us": as_we_are(nick="fool"),
    "with another leaf for us": as_we_are(key_hash=suite.hash_data(EVE.encryption_key.public)),
    "with two of one nick": with_roster_entry(nick="ANN"),
    "with a room name that hides": lambda it: [it.welcome(name="de\nmo")],
    "without a room name": lambda it: [it.welcome(name="")],
    "with a time to live above the greatest": lambda it: [it.welcome(retention=room_state.RetentionPolicy(0, 61, 60))],
    "with a time to live below the least": lambda it: [it.welcome(retention=room_state.RetentionPolicy(60, 59, KEPT))],
    "with bounds that leave nothing": lambda it: [it.welcome(retention=room_state.RetentionPolicy(60, 60, 59))],
    "with a time to live that is none": lambda it: [it.welcome(retention=room_state.RetentionPolicy(0, 60, 2**32))],
    "signed by a member": lambda it: [it.welcome(sign=ANN.sign)],
    "not signed": lambda it: [it.welcome(sign=lambda _, __: bytes(64))],
    "of another link": lambda it: [it.welcome(hello=bytes(32))[0]],
    "signed for another link": lambda it: [it.welcome(sign=lambda label, c: HOST.sign(label, bytes(32) + c[32:]))],
    "of another room": lambda it: [it.welcome(room=b"s" * 32)[0]],
    "to another leaf": lambda it: [it.welcome(key=ANN.encryption_key.public)[0]],
    "with a head of a member": lambda it: [it.welcome(head={"signer": ANN})],
    "with a history where there is none": lambda it: [it.welcome(since=HERE, snapshot=it.base())],
    "with a head that was altered": lambda it: [it.welcome(head={"label": identity.ENTRY})],
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
    other = {"index": HERE + 9, "time": 9_000, "signer": ANN}
    passing = host.welcome(host=ANN.id, sign=ANN.sign, head=other, name="de\nmo")
    assert_link_ended(host, host.hears(*passing))
    assert kinds(host.hears(*host.welcome())) == ["LinkEvent", "EnteredEvent"]


def test_a_welcome_with_another_return_key_of_ours_is_a_lie() -> None:
    """7.2: by ours, nobody would find the room once the keys are replaced. A newcomer cannot say who lies."""
    newcomer = FalseHost()
    newcomer.make_private(guest=b"x" * 32)
    newcomer.greets()
    newcomer.roster_guest()
    assert_link_ended(newcomer, newcomer.hears(*newcomer.welcome()))
    member = FalseHost()
    member.make_private()
    member.lets_in()
    member.redials()
    mine, other = invitations.find_client(member.room.replica.me.return_key), invitations.find_client(b"x" * 32)
    rights = member.ledger.rights
    returns = tuple(ReturnKey(it.member, other if it.client == mine else it.client) for it in rights.returns)
    member.ledger.rights = msgspec.structs.replace(rights, returns=returns)
    member.begin_at(member.ledger.index)
    assert_left_in_alarm(member, member.hears(*member.welcome()))


# What a host tells one newcomer of a room that it tells others otherwise.
WRONG_ROOMS: dict[str, Callable[[Ledger], object]] = {
    "two nicks exchanged": lambda room: exchange_nicks(room.roster, ANN.id, BOB.id),
    "an encryption key of its own for a member": lambda room: room.roster.renew_key(room.get_member(ANN.id), KEY),
    "one who is not there": lambda room: room.add_member(EVE.key, "eve", KEY),
    "one left out": lambda room: room.roster.remove_member(room.get_member(BOB.id)),
    "another order": lambda room: exchange_places(room, BOB.id),
    "one as away": lambda room: room.roster.mark_presence(room.get_member(BOB.id), away=True),
    "another name of the room": lambda room: setattr(room, "name", "demolition"),
    "another lock": lambda room: setattr(room, "rights", Rights(Restrictions(locked=True))),
    "other times to live": lambda room: setattr(room, "retention", room_state.RetentionPolicy(0, 60, KEPT)),
    "another history": lambda room: setattr(room, "history", room_state.HistoryPolicy(10, 0)),
}


def exchange_nicks(roster: Roster, one: bytes, other: bytes) -> None:
    members = [roster.find_member(member) for member in (one, other)]
    nicks = [member.nick for member in members if member]
    for member in members:
        assert member is not None
        roster.rename_member(member, "nobody")
        roster.rename_member(member, nicks.pop())


def exchange_places(room: Ledger, member: bytes) -> None:
    """This member came last of all."""
    it = room.get_member(member)
    room.roster.remove_member(it)
    room.add_member(it.key, it.nick, it.key_hash, it.counter, away=it.away)


def welcomed(lie: Callable[[Ledger], object]) -> tuple[FalseHost, Ledger]:
    """A host that has welcomed a newcomer to a room like this, and the room as all others have it."""
    host = FalseHost()
    host.ledger.add_member(BOB.key, "bob", suite.hash_data(BOB.encryption_key.public))
    for member in (BOB, EVE):
        host.sealer.epoch.admit_member(member.id)
    host.greets()
    host.roster_guest()
    true = copy.deepcopy(host.ledger)
    lie(host.ledger)
    host.begin_at(HERE)
    assert kinds(host.hears(*host.welcome()))[:2] == ["LinkEvent", "EnteredEvent"]
    return host, true


@pytest.mark.parametrize("lie", WRONG_ROOMS)
def test_a_host_that_shows_a_newcomer_another_room_is_exposed_by_what_an_honest_member_says(lie: str) -> None:
    """4.8, 5.9"""
    host, true = welcomed(WRONG_ROOMS[lie])
    alarm, message = host.hears(host.entry(ANN, text("hello"), reference=(true.index, true.digest)))
    assert isinstance(alarm, events.AlarmEvent)
    assert alarm.reason.code == "other-log-shown"
    assert isinstance(message, events.MessageEvent)
    assert len(host.room.evidence) == 1


def test_a_host_that_shows_a_newcomer_the_room_as_it_is_is_not_suspected() -> None:
    host, true = welcomed(lambda _: None)
    assert kinds(host.hears(host.entry(ANN, text("hello"), reference=(true.index, true.digest)))) == ["MessageEvent"]
    assert host.room.evidence == []


@pytest.mark.parametrize("lie", WRONG_ROOMS)
def test_one_who_was_welcomed_to_another_room_has_no_part_in_the_next_epoch(lie: str) -> None:
    """6.2"""
    host, true = welcomed(WRONG_ROOMS[lie])
    commit = host.commit()
    host.hears(commit)
    true.take_entry(true.get_member(HOST.id), commit.header, unpack_content(commit.body), suite.hash_data(commit.body))
    _, tag = host.sealer.epoch.follow(bytes(32), true.digest, [it.id for it in true.roster])
    assert_link_ended(host, host.hears(lambda: host.slice(secret=bytes(32), tag=tag)))


@pytest.mark.parametrize("lie", WRONG_ROOMS)
def test_a_welcome_whose_roster_its_own_head_does_not_cover_is_refused(lie: str) -> None:
    """7.2"""
    host = FalseHost()
    host.ledger.add_member(BOB.key, "bob", suite.hash_data(BOB.encryption_key.public))
    for member in (BOB, EVE):
        host.sealer.epoch.admit_member(member.id)
    host.greets()
    host.roster_guest()
    head = host.head_text()
    WRONG_ROOMS[lie](host.ledger)
    assert_link_ended(host, host.hears(*host.welcome(state=msgspec.structs.replace(host.state(), head=head))))


def test_one_who_is_welcomed_to_a_longer_log_than_all_others_sees_it_with_the_next_epoch() -> None:
    """5.7: until then what others refer to is before all that it knows."""
    host = FalseHost()
    real = host.ledger.index, host.ledger.digest
    host.ledger.start_at(2**31, b"q" * 32)
    host.greets()
    host.roster_guest()
    host.hears(*host.welcome())
    assert kinds(host.hears(host.entry(ANN, text("before"), reference=real))) == ["MessageEvent"]
    host.turns()
    assert_left_in_alarm(host, host.hears(host.entry(ANN, text("after"), reference=real)))


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
