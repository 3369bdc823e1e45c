"""One who has the room's onion key, and not the keys of its host: what it answers to whoever dials the room."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from anonp2p import limits
from anonp2p.crypto import identity
from anonp2p.names.codes import RoomKey
from anonp2p.protocol import credentials, frames
from anonp2p.reasons import Fault
from anonp2p.room import effects
from tests.room.hostile import assert_link_ended, come_anew
from tests.room.member.false_host import HERE, FalseHost, Item
from tests.room.peers import ANN, CREDENTIALS, EVE, HOST, ROOM_KEY, Somebody, kinds, text

ANOTHER_KEY = RoomKey(b"another room's seed, 32 bytes...")
STOLEN = credentials.sign_credentials(ROOM_KEY, EVE.key)  # what the thief of the onion key can make


def refused_by_a_thief(host: FalseHost, reason: frames.Refusal) -> frames.RefusedFrame:
    """Signed with a key of its own, for which the onion key vouches."""
    return credentials.sign_refusal(reason, host.hello, STOLEN, EVE.sign)


@pytest.mark.parametrize("reason", ["kicked", "unknown", "full", "locked", "signature"])
def test_a_thief_of_the_onion_key_does_not_drive_a_member_out(host: FalseHost, reason: frames.Refusal) -> None:
    """2.13: who knows the host takes no other's word."""
    host.redials()
    assert_link_ended(host, host.hears(refused_by_a_thief(host, reason)))
    assert kinds(host.hears(host.resumed())) == ["LinkEvent"]


def forged_refusal(host: FalseHost) -> frames.RefusedFrame:
    """In the name of the host, whose credentials anybody has who has dialled it."""
    return credentials.sign_refusal("kicked", host.hello, CREDENTIALS, EVE.sign)


def test_nor_by_words_that_the_host_has_not_signed(host: FalseHost) -> None:
    host.redials()
    assert_link_ended(host, host.hears(forged_refusal(host)))


def refused_by(host: FalseHost, who: Somebody, term: int) -> frames.RefusedFrame:
    vouched = credentials.sign_credentials(ROOM_KEY, who.key, term)
    return credentials.sign_refusal("kicked", host.hello, vouched, who.sign)


def test_nor_by_saying_that_it_has_taken_the_room_over(host: FalseHost) -> None:
    host.redials()
    host.now = host.now._replace(tick=host.now.tick + limits.LOST_BY_SOME)
    assert_link_ended(host, host.hears(refused_by(host, EVE, 5)))


def test_one_who_may_take_the_room_over_refuses_only_once_it_has(host: FalseHost) -> None:
    host.redials()
    host.room.replica.ledger.carriers[ANN.id] = ROOM_KEY.public
    assert_link_ended(host, host.hears(refused_by(host, ANN, 0)))
    host.now = host.now._replace(tick=host.now.tick + limits.CODE_WAIT)  # when it is not asked as Ann any more
    host.redials()
    assert_link_ended(host, host.hears(refused_by(host, ANN, 0)))
    host.redials()
    assert_link_ended(host, host.hears(refused_by(host, ANN, 5)))
    host.redials()
    host.now = host.now._replace(tick=host.now.tick + limits.LOST_BY_SOME)
    assert kinds(host.hears(refused_by(host, ANN, 5))) == ["ErrorEvent", "GoneEvent"]


def test_who_says_that_our_place_is_gone_may_refuse_us_again_and_nobody_else(host: FalseHost) -> None:
    """2.13: who came to the room on the side that gave way has a place on the other once it has another nick."""
    host.redials()
    host.room.replica.ledger.carriers[ANN.id] = ROOM_KEY.public
    host.now = host.now._replace(tick=host.now.tick + limits.LOST_BY_SOME)
    vouched = credentials.sign_credentials(ROOM_KEY, ANN.key, 5)
    host.hears(credentials.sign_refusal("unknown", host.hello, vouched, ANN.sign))
    ledger = host.room.replica.ledger
    del ledger.carriers[ANN.id]
    ledger.roster.remove_member(ledger.get_member(ANN.id))
    host.redials()
    assert_link_ended(host, host.hears(refused_by(host, EVE, 5)))
    host.redials()
    assert host.hears(credentials.sign_refusal("nick-taken", host.hello, vouched, ANN.sign)) == []
    assert host.redials().nick == "me-2"


@pytest.mark.parametrize("reason", ["nick-taken", "full"])
def test_nor_one_that_has_to_join_anew(host: FalseHost, reason: frames.Refusal) -> None:
    come_anew(host)
    assert_link_ended(host, host.hears(refused_by_a_thief(host, reason)))


@pytest.mark.parametrize("signer", ["the thief", "a member", "nobody"])
def test_a_thief_of_the_onion_key_gives_nobody_its_place(host: FalseHost, signer: str) -> None:
    """2.13: though it has the latest head, as any member has."""
    head = host.head_text()
    sign = {"the thief": EVE.sign, "a member": ANN.sign, "nobody": lambda _, __: bytes(64)}[signer]
    host.redials()
    assert_link_ended(host, host.hears(credentials.sign_resumption(head, host.hello, sign)))


def test_a_thief_of_the_onion_key_does_not_show_a_member_another_room(host: FalseHost) -> None:
    host.redials()
    stolen = host.welcome(host=EVE.id, sign=EVE.sign, head={"signer": EVE}, credentials=STOLEN)
    assert_link_ended(host, host.hears(*stolen))


RECORDED: dict[str, Callable[[FalseHost], list[frames.Frame]]] = {
    "a resumption": lambda it: [it.resumed()],
    "a refusal": lambda it: [it.refused("kicked")],
    "a welcome": lambda it: it.welcome(),
}


@pytest.mark.parametrize("answer", RECORDED)
def test_what_the_host_answered_on_one_link_is_nothing_on_another(host: FalseHost, answer: str) -> None:
    """2.13, 7.1: its signature is over the hello of that link."""
    host.redials()
    recorded = RECORDED[answer](host)
    host.redials()
    assert_link_ended(host, host.hears(recorded[0]))
    assert kinds(host.hears(host.resumed())) == ["LinkEvent"]


WRONG_CREDENTIALS: dict[str, frames.Credentials] = {
    "of another room": credentials.sign_credentials(ANOTHER_KEY, HOST.key),
    "of another address": frames.Credentials(
        ANOTHER_KEY.public,
        HOST.key,
        0,
        ANOTHER_KEY.sign(identity.CREDENTIALS + ROOM_KEY.public + HOST.key + bytes(8)),
    ),
    "signed by another address": replace(credentials.sign_credentials(ANOTHER_KEY, HOST.key), address=ROOM_KEY.public),
    "of a member": credentials.sign_credentials(ROOM_KEY, ANN.key),
    "of another term": replace(CREDENTIALS, term=1),
    "signed by nobody": replace(CREDENTIALS, signature=bytes(64)),
}


@pytest.mark.parametrize("wrong", WRONG_CREDENTIALS)
def test_a_newcomer_is_let_in_by_nobody_without_the_credentials_of_the_address(wrong: str) -> None:
    """2.12"""
    host = FalseHost()
    host.greets()
    host.roster_guest()
    assert_link_ended(host, host.hears(*host.welcome(credentials=WRONG_CREDENTIALS[wrong])))
    assert kinds(host.hears(*host.welcome())) == ["LinkEvent", "EnteredEvent"]


@pytest.mark.parametrize("wrong", WRONG_CREDENTIALS)
def test_a_newcomer_takes_no_refusal_without_the_credentials_of_the_address(wrong: str) -> None:
    """2.12, 2.13"""
    host = FalseHost()
    host.greets()
    refused = credentials.sign_refusal("full", host.hello, WRONG_CREDENTIALS[wrong], HOST.sign)
    assert_link_ended(host, host.hears(refused))


def ended_by(host: FalseHost, *items: Item) -> Fault | str:
    host.hears(*items)
    [drop] = [effect for effect in host.effects if isinstance(effect, effects.DropEffect)]
    return drop.reason


def test_each_wrong_answer_has_its_reason(host: FalseHost) -> None:
    host.redials()
    assert ended_by(host, refused_by_a_thief(host, "kicked")) == "other-host"
    host.redials()
    assert ended_by(host, forged_refusal(host)) == "unsigned-refusal"
    host.redials()
    assert ended_by(host, credentials.sign_resumption(host.head_text(), host.hello, EVE.sign)) == "unsigned-resumption"
    newcomer = FalseHost()
    newcomer.greets()
    wrong = credentials.sign_refusal("full", newcomer.hello, WRONG_CREDENTIALS["of another term"], HOST.sign)
    assert ended_by(newcomer, wrong) == "wrong-credentials"


def test_a_member_whose_link_a_thief_took_goes_on_where_it_was(host: FalseHost) -> None:
    host.redials()
    host.hears(refused_by_a_thief(host, "kicked"))
    host.redials("other-host")
    host.hears(host.resumed(HERE))
    assert kinds(host.hears(host.entry(ANN, text("still here")))) == ["MessageEvent"]
    assert host.room.evidence == []
