"""A host and the members that come back."""

from typing import Any

import msgspec
import pytest

from anonp2p import limits
from anonp2p.crypto import identity, padding
from anonp2p.protocol import frames, handshake
from anonp2p.room import effects, inputs
from tests.room.hostile import assert_still_linked, dropped
from tests.room.peers import ANN, EVE, ZOE, FalseMember, Inn, Somebody, kinds, text, told


def test_one_who_was_removed_is_a_stranger(inn: Inn) -> None:
    dropped(inn, inn.eve)
    inn.ticks(limits.PLACE_SECONDS)
    inn.eve.dials(inn.tick)
    assert kinds(inn.eve.resumes(*inn.eve.reference)) == ["FinishEffect"]
    assert inn.eve.refused == "unknown"
    assert inn.takes(inputs.DroppedInput(inn.eve.link, "closed", 0.0), inn.tick) == []


def test_one_who_comes_back_before_the_host_noticed_is_on_its_new_link_alone(inn: Inn) -> None:
    old, old_link = inn.eve.channel, inn.eve.link
    inn.eve.dials()
    drop, admit = inn.eve.resumes(*inn.eve.reference)
    assert isinstance(drop, effects.DropEffect)
    assert drop.link == old_link
    assert isinstance(admit, effects.AdmitEffect)
    assert inn.takes(inputs.DroppedInput(old_link, "closed", 0.0)) == []
    assert inn.takes(inputs.ReceivedInput(old_link, old.seal_frames([])[padding.LENGTH :])) == []
    inn.ticks(2 * limits.PLACE_SECONDS)
    assert inn.ordered() == []


@pytest.mark.parametrize("away", [False, True])
def test_a_member_that_asks_to_be_let_in_is_welcomed_again(inn: Inn, away: bool) -> None:
    """5.2"""
    dropped(inn, inn.eve)
    inn.ticks(limits.AWAY_SECONDS if away else 0.0)
    inn.eve.dials(inn.tick)
    *tells, admit = inn.eve.joins("whatever")
    assert kinds(told(tells)) == ["JoinedEvent"] * away
    assert isinstance(admit, effects.AdmitEffect)
    roster = [(roster_entry.nick, roster_entry.away) for roster_entry in inn.eve.state.roster]
    assert roster == [("hugo", False), ("ann", False), ("eve", False)]
    assert (inn.eve.state.since, inn.eve.state.snapshot) == (inn.room.index, None)


@pytest.mark.parametrize(
    ("index", "digest"), [(None, bytes(32)), (1, None), (100, None), (2**53 - 1, None), (0, bytes(32))]
)
def test_one_who_has_another_log_is_welcomed_anew_without_a_backfill(
    inn: Inn, index: int | None, digest: bytes | None
) -> None:
    """5.12"""
    at, proper = inn.eve.reference
    inn.eve.dials()
    [_, admit] = inn.eve.resumes(at if index is None else index, proper if digest is None else digest)
    assert isinstance(admit, effects.AdmitEffect)
    assert isinstance(inn.eve.greeted[0], frames.WelcomeFrame)
    assert (inn.eve.state.since, inn.eve.state.snapshot) == (inn.room.index, None)
    inn.end_batch()
    assert inn.eve.reads() == []


@pytest.mark.parametrize("epoch", [1, 2**53 - 1])
def test_one_who_names_an_epoch_that_is_not_has_a_welcome(inn: Inn, epoch: int) -> None:
    inn.eve.dials()
    inn.eve.resumes(*inn.eve.reference, epoch)
    assert isinstance(inn.eve.greeted[0], frames.WelcomeFrame)


# Whose it is, how it is signed, what it says otherwise than was signed, and the answer.
RESUMPTIONS: dict[str, tuple[Somebody, dict[str, Any], dict[str, Any], str]] = {
    "a stranger's": (ZOE, {}, {}, "unknown"),
    "one that another signed": (EVE, {"signer": ANN}, {}, "signature"),
    "one for another purpose": (EVE, {"label": identity.JOIN}, {}, "signature"),
    "one for another room": (EVE, {"signer": Somebody(b"e", b"s" * 32)}, {}, "signature"),
    "one for another link": (EVE, {"hello": bytes(32)}, {}, "signature"),
    "one with another secret": (EVE, {}, {"link_secret": bytes(32)}, "signature"),
    "one for another epoch": (EVE, {}, {"epoch": 1}, "signature"),
    "one for another place": (EVE, {}, {"index": 1}, "signature"),
    "one for another log": (EVE, {}, {"digest": bytes(32)}, "signature"),
    "one for another leaf": (EVE, {}, {"encryption_key": ANN.encryption_key.public}, "signature"),
}


@pytest.mark.parametrize("kind", RESUMPTIONS)
def test_nobody_comes_back_in_anothers_place_and_nobody_notices_the_try(inn: Inn, kind: str) -> None:
    """2.5"""
    who, signed, otherwise, reason = RESUMPTIONS[kind]
    thief = FalseMember(inn, who)
    thief.dials()
    request = msgspec.structs.replace(thief.resume(*inn.eve.reference, **signed), **otherwise)
    assert kinds(thief.client_handshakes(request)) == ["FinishEffect"]
    assert thief.refused == reason
    inn.eve.says(text("undisturbed"))
    assert inn.ordered() == [text("undisturbed")]


def test_the_host_does_not_come_back_to_itself(inn: Inn) -> None:
    zoe = FalseMember(inn, ZOE)
    zoe.dials()
    zoe.resumes(*inn.eve.reference, signer=inn.host, member=inn.host.id)
    assert zoe.refused == "unknown"


def test_a_resumption_with_a_key_that_cannot_be_sealed_to_is_refused(inn: Inn) -> None:
    """3.2"""
    thief = FalseMember(inn, EVE)
    thief.dials()
    bad = EVE.encryption_key.public[:-32] + bytes(32)
    unsigned = msgspec.structs.replace(thief.resume(*inn.eve.reference), encryption_key=bad)
    signature = EVE.sign(identity.RESUME, handshake.resume_content(thief.hello, unsigned))
    thief.client_handshakes(msgspec.structs.replace(unsigned, signature=signature))
    assert thief.refused == "leaf"
    assert_still_linked(inn.eve)
