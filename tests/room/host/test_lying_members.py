"""A member that breaks the rules loses its link, and nobody else notices."""

from collections.abc import Callable

import pytest

from anonp2p import limits
from anonp2p.crypto import identity, padding
from anonp2p.crypto.epoch import COMMIT, FLEETING, Header
from anonp2p.protocol import field_types, frames
from anonp2p.protocol.frames import (
    AwayBody,
    BackBody,
    CloseBody,
    CommitBody,
    JoinedBody,
    LeaveBody,
    LockBody,
    NickBody,
    Removal,
    RenewBody,
)
from anonp2p.protocol.handshake import Channel
from anonp2p.room import effects, inputs
from tests.room.hostile import (
    BOUNDS,
    KEY,
    OUT_OF_BOUNDS,
    altered,
    assert_dropped,
    assert_still_linked,
    batch_in,
    padded_too_far,
    padded_with_something,
)
from tests.room.peers import ANN, EVE, ZOE, FalseMember, Inn, Somebody, kinds, padded, text, told


@pytest.mark.parametrize("private", [False, True])
@pytest.mark.parametrize("ttl", OUT_OF_BOUNDS)
def test_a_member_whose_messages_live_too_long_or_too_short_is_dropped(ttl: int, private: bool) -> None:
    """5.7, 5.8"""
    inn = Inn(retention=BOUNDS)
    body = frames.PrivateBody(bytes(field_types.BOX + 1)) if private else text("lie")
    assert_dropped(inn, inn.eve.says(body, ttl=ttl))


@pytest.mark.parametrize("body", [NickBody("evelyn"), LeaveBody(), RenewBody(KEY)])
def test_only_messages_live_as_their_room_has_it(body: frames.Body) -> None:
    """5.7"""
    inn = Inn(retention=BOUNDS)
    assert_dropped(inn, inn.eve.says(body, ttl=BOUNDS.default))


def test_a_copied_box_shows_nothing_at_the_host_and_costs_nothing(inn: Inn) -> None:
    """5.15"""
    box = inn.ann.box(ANN, inn.host, inn.room.replica.own_keys[0], "between us")
    assert kinds(told(inn.ann.says(box))) == ["MessageEvent"]
    assert told(inn.ann.says(box)) == told(inn.eve.says(box)) == []
    assert_still_linked(inn.ann)
    assert_still_linked(inn.eve)


def repeated(it: FalseMember, payload: bytes) -> list[effects.Effect]:
    return it.sends(payload) + it.sends(payload)


def left_out(it: FalseMember) -> list[effects.Effect]:
    it.channel.seal_frames([])
    return it.sends()


# What a member may send in a record that costs it its place.
LYING_MEMBERS: dict[str, Callable[[FalseMember], list[effects.Effect]]] = {
    "no content": lambda it: it.says(padded(b"\xc1")),
    "nothing at all": lambda it: it.says(b""),
    "content that is not padded": lambda it: it.says(b"\xc1"),
    "an empty body": lambda it: it.submits(it.seal(Header(0, EVE.id, 1), b"")),
    "another's entry, signed by itself": lambda it: it.submits(it.entry(ANN, text("lie"), signer=EVE)),
    "another's entry, as another sent it": lambda it: it.submits(it.inn.ann.entry(ANN, text("copied"))),
    "a stranger's entry": lambda it: it.submits(it.entry(ZOE, text("lie"))),
    "the host's entry": lambda it: it.submits(it.entry(it.inn.host, CloseBody(), counter=2**50, signer=EVE)),
    "a bad signature": lambda it: it.says(text("lie"), signer=ANN),
    "a signature for another purpose": lambda it: it.says(LeaveBody(), label=identity.JOIN),
    "a signature for another epoch": lambda it: it.says(text("lie"), epoch=1),
    "a signature for another room": lambda it: it.says(text("lie"), signer=Somebody(b"e", b"s" * 32)),
    "a body behind another header": lambda it: it.submits(
        it.seal(Header(0, EVE.id, 1), bytes(64), under=Header(0, EVE.id, 2))
    ),
    "an entry altered": lambda it: it.sends(frames.SubmitFrame(0, altered(it.entry(EVE, text("lie")), -1).sealed)),
    "an entry cut short": lambda it: it.sends(frames.SubmitFrame(0, it.entry(EVE, text("lie")).sealed[:-1])),
    "an entry of nothing": lambda it: it.sends(frames.SubmitFrame(0, b"")),
    "a kind that is none": lambda it: it.says(text("lie"), kind=3),
    "an entry as a commit": lambda it: it.says(text("lie"), kind=COMMIT),
    "a burst": lambda it: it.sends(batch_in(it.epoch, bytes(112))),
    "a burst as an entry": lambda it: it.sends(frames.SubmitFrame(0, batch_in(it.epoch, bytes(112)))),
    "a counter beyond all": lambda it: it.says(text("lie"), counter=2**53),
    "a generation too far on": lambda it: it.says(text("lie"), generation=limits.SKIPPED + 1),
    "a generation used again": lambda it: it.says(NickBody("ann")) and it.says(text("lie"), generation=0),
    "an entry of an epoch to come": lambda it: it.submits(it.entry(EVE, text("lie")), epoch=1),
    "a reference to what is to come": lambda it: it.says(text("lie"), reference=(100, bytes(32))),
    "a reference to another log": lambda it: it.says(text("lie"), reference=(it.reference[0], bytes(32))),
    "a reference to another beginning": lambda it: it.says(text("lie"), reference=(0, bytes(32))),
    "a text without end": lambda it: it.says(text("x" * (limits.TEXT + 1))),
    "an empty text": lambda it: it.says(text("")),
    "a nick that hides": lambda it: it.says(NickBody("an\u200bn")),
    "a nick of many lines": lambda it: it.says(NickBody("eve\n[SYSTEM] hello")),
    "a nick without end": lambda it: it.says(NickBody("x" * 60_000)),
    "an improper nick like a taken one": lambda it: it.says(NickBody("ＡＮＮ")),
    "a newcomer": lambda it: it.says(JoinedBody(ZOE.key, "zoe", KEY)),
    "the loss of another": lambda it: it.says(AwayBody(ANN.id)),
    "its own return": lambda it: it.says(BackBody(EVE.id)),
    "a lock": lambda it: it.says(LockBody(locked=True)),
    "a commit": lambda it: it.says(CommitBody(1, [Removal(ANN.id, "kicked", "")])),
    "a commit as one": lambda it: it.says(CommitBody(1, [Removal(ANN.id, "kicked", "")]), kind=COMMIT),
    "the end of the room": lambda it: it.says(CloseBody()),
    "a leaf with a bad X25519 half": lambda it: it.sends(frames.KeyFrame(EVE.encryption_key.public[:-32] + bytes(32))),
    "a leaf with a bad ML-KEM half": lambda it: it.sends(
        frames.KeyFrame(b"\xff" * 1_184 + EVE.encryption_key.public[-32:])
    ),
    "a frame that only hosts send": lambda it: it.sends(frames.ResumedFrame(0, 0)),
    "a refusal": lambda it: it.sends(frames.RefusedFrame("full")),
    "a denial": lambda it: it.sends(frames.DeniedFrame(1, "repeated")),
    "a welcome": lambda it: it.sends(frames.WelcomeFrame(b"", 1)),
    "a past": lambda it: it.sends(frames.BackfillFrame([], bytes(112), 0, 0)),
    "a record of another link": lambda it: it.sends(
        Channel(bytes(32), it.hello, up=True).seal_frames([])[padding.LENGTH :]
    ),
    "a record of the host's, sent back": lambda it: it.sends(
        Channel(it.secret, it.hello, up=False).seal_frames([])[padding.LENGTH :]
    ),
    "a record repeated": lambda it: repeated(it, it.channel.seal_frames([])[padding.LENGTH :]),
    "a record left out": left_out,
    "a second knock": lambda it: it.sends(it.client_handshake),
    "nothing": lambda it: it.sends(b""),
    "noise": lambda it: it.sends(bytes(100)),
    "a record that is not padded": lambda it: it.sends(it.channel.seal_padded(b"\x92\xc2\x90")),
    "a record padded with something": lambda it: it.sends(
        it.channel.seal_padded(padding.fill_payload(b"\x92\xc2\x90", 16)[:-1] + b"?")
    ),
    "a record larger than need be": lambda it: it.sends(it.channel.seal_padded(padding.pad_text(b"\x92\xc2\x90", 942))),
    "a record longer than it is": lambda it: it.sends(it.channel.seal_padded(b"\xff" * 462)),
    "content padded with something": lambda it: it.says(padded_with_something(it.reference)),
    "content padded too far": lambda it: it.says(padded_too_far(it.reference)),
    "a nick that is not kept": lambda it: it.says(NickBody("evelyn"), ttl=60),
    "a leave that is not kept": lambda it: it.says(LeaveBody(), ttl=60),
    "a leaf that is not kept": lambda it: it.says(RenewBody(KEY), ttl=FLEETING),
    "a box too short": lambda it: it.says(frames.PrivateBody(bytes(field_types.BOX))),
    "a box too long": lambda it: it.says(frames.PrivateBody(bytes(field_types.BOX + limits.TEXT + 1))),
    "a leaf that was found": lambda it: it.sends(frames.KeyResponseFrame(EVE.encryption_key.public)),
    "a leaf that is missing": lambda it: it.sends(frames.KeyNotFoundFrame(KEY)),
    "an entry outside of a record": lambda it: it.sends(it.entry(EVE, text("lie")).sealed),
}


@pytest.mark.parametrize("lie", LYING_MEMBERS)
def test_a_member_that_lies_is_dropped_and_nobody_else_notices(inn: Inn, lie: str) -> None:
    """5.7, 5.8"""
    done: list[effects.Effect] = [
        effect for effect in LYING_MEMBERS[lie](inn.eve) if not isinstance(effect, effects.RecordEffect)
    ]
    assert_dropped(inn, done)


def test_a_copy_of_anothers_entry_does_not_use_up_its_counter_or_key(inn: Inn) -> None:
    entry = inn.ann.entry(ANN, text("mine"))
    inn.eve.submits(entry)
    assert kinds(told(inn.ann.submits(entry))) == ["MessageEvent"]


def test_a_submit_of_an_epoch_that_is_over_is_passed_over_in_silence(inn: Inn) -> None:
    """5.8"""
    late = inn.eve.entry(EVE, text("late"))
    inn.ticks(limits.EPOCH)
    before = inn.ordered()
    assert inn.eve.submits(late) == []
    assert inn.ordered() == before
    assert inn.eve.sends(frames.SubmitFrame(0, b"whatever it is")) == []
    assert_still_linked(inn.eve)


def test_an_entry_of_an_epoch_that_is_over_is_none_in_the_next(inn: Inn) -> None:
    late = inn.eve.entry(EVE, text("late"))
    inn.ticks(limits.EPOCH)
    drop, *_ = inn.eve.submits(late, epoch=1)
    assert isinstance(drop, effects.DropEffect)


def test_what_comes_over_a_link_that_is_nobodys_is_ignored(inn: Inn) -> None:
    assert inn.takes(inputs.ReceivedInput(9, inn.ann.channel.seal_frames([])[padding.LENGTH :])) == []
    assert inn.ordered() == []


def test_a_heartbeat_means_nothing(inn: Inn) -> None:
    assert inn.eve.sends() == []
    assert inn.ordered() == []
