"""A member that breaks the rules loses its link, and nobody else notices."""

from collections.abc import Callable

import pytest

from anonp2p import limits
from anonp2p.crypto import padding
from anonp2p.crypto.epoch import COMMIT
from anonp2p.protocol import bodies, frames
from anonp2p.protocol.bodies import CloseBody, CodeBody, CommitBody, NickBody, Removal
from anonp2p.protocol.handshake import Channel
from anonp2p.room import effects, inputs
from tests.room.host.inn import FalseMember, Inn
from tests.room.hostile import (
    altered,
    assert_dropped,
    assert_still_linked,
    batch_in,
)
from tests.room.peers import ANN, EVE, ZOE, kinds, padded, text, told


def test_a_copied_box_shows_nothing_at_the_host_and_costs_nothing(inn: Inn) -> None:
    """5.15"""
    box = inn.ann.sealer.box(ANN, inn.host, inn.room.replica.own_keys[0], "between us")
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
    "another's entry, signed by itself": lambda it: it.submits(it.sealer.entry(ANN, text("lie"), signer=EVE)),
    "another's entry, as another sent it": lambda it: it.submits(it.inn.ann.sealer.entry(ANN, text("copied"))),
    "a stranger's entry": lambda it: it.submits(it.sealer.entry(ZOE, text("lie"))),
    "the host's entry": lambda it: it.submits(it.sealer.entry(it.inn.host, CloseBody(), counter=2**50, signer=EVE)),
    "a bad signature": lambda it: it.says(text("lie"), signer=ANN),
    "an entry altered": lambda it: it.sends(frames.SubmitFrame(0, altered(it.sealer.entry(EVE, text("x")), -1).sealed)),
    "an entry of nothing": lambda it: it.sends(frames.SubmitFrame(0, b"")),
    "an entry as a commit": lambda it: it.says(text("lie"), kind=COMMIT),
    "a burst": lambda it: it.sends(batch_in(it.sealer.epoch, bytes(112))),
    "a burst as an entry": lambda it: it.sends(frames.SubmitFrame(0, batch_in(it.sealer.epoch, bytes(112)))),
    "a generation too far on": lambda it: it.says(text("lie"), generation=limits.SKIPPED + 1),
    "a generation used again": lambda it: it.says(NickBody("ann")) and it.says(text("lie"), generation=0),
    "an entry of an epoch to come": lambda it: it.submits(it.sealer.entry(EVE, text("lie")), epoch=1),
    "a reference to what is to come": lambda it: it.says(text("lie"), reference=(100, bytes(32))),
    "a reference to another log": lambda it: it.says(text("lie"), reference=(it.sealer.reference[0], bytes(32))),
    "an empty text": lambda it: it.says(text("")),
    "an improper nick like a taken one": lambda it: it.says(NickBody("ＡＮＮ")),
    "a code": lambda it: it.says(CodeBody(ANN.key)),
    "a commit as one": lambda it: it.says(CommitBody(1, [Removal(ANN.id, "kicked")], renew=False), kind=COMMIT),
    "a leaf with a bad X25519 half": lambda it: it.sends(frames.KeyFrame(EVE.encryption_key.public[:-32] + bytes(32))),
    "a frame that only hosts send": lambda it: it.sends(frames.ResumedFrame(bytes(112), bytes(64))),
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
    "the end of itself": lambda it: it.says(bodies.RetractBody(1)),
    "the end of a message that is not kept": lambda it: it.says(bodies.RetractBody(1), counter=2, ttl=60),
    "a nick that is not kept": lambda it: it.says(NickBody("evelyn"), ttl=60),
    "an entry outside of a record": lambda it: it.sends(it.sealer.entry(EVE, text("lie")).sealed),
}


@pytest.mark.parametrize("lie", LYING_MEMBERS)
def test_a_member_that_lies_is_dropped_and_nobody_else_notices(inn: Inn, lie: str) -> None:
    """5.7, 5.8"""
    done: list[effects.Effect] = [
        effect for effect in LYING_MEMBERS[lie](inn.eve) if not isinstance(effect, effects.RecordEffect)
    ]
    assert_dropped(inn, done)


def test_a_copy_of_anothers_entry_does_not_use_up_its_counter_or_key(inn: Inn) -> None:
    entry = inn.ann.sealer.entry(ANN, text("mine"))
    inn.eve.submits(entry)
    assert kinds(told(inn.ann.submits(entry))) == ["MessageEvent"]


def test_a_submit_of_an_epoch_that_is_over_is_passed_over_in_silence(inn: Inn) -> None:
    """5.8"""
    late = inn.eve.sealer.entry(EVE, text("late"))
    inn.ticks(limits.EPOCH)
    before = inn.ordered()
    assert inn.eve.submits(late) == []
    assert inn.ordered() == before
    assert inn.eve.sends(frames.SubmitFrame(0, b"whatever it is")) == []
    assert_still_linked(inn.eve)


def test_what_comes_over_a_link_that_is_nobodys_is_ignored(inn: Inn) -> None:
    assert inn.takes(inputs.ReceivedInput(9, inn.ann.channel.seal_frames([])[padding.LENGTH :])) == []
    assert inn.ordered() == []
