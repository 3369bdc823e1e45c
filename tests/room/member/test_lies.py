"""A host that lies is left with an alarm, and the lie is not shown."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from anonp2p import limits
from anonp2p.crypto import padding, suite
from anonp2p.crypto.epoch import COMMIT, FLEETING, KEPT
from anonp2p.protocol import field_types, frames
from anonp2p.protocol.frames import (
    AwayBody,
    CommitBody,
    JoinedBody,
    LeaveBody,
    NickBody,
    Removal,
)
from anonp2p.protocol.handshake import Channel
from tests.room.hostile import (
    KEY,
    altered,
    assert_left_in_alarm,
    at,
    batch_in,
    fading,
    gone,
    hello,
)
from tests.room.member.false_host import HERE, FalseHost, Item
from tests.room.peers import ANN, EVE, HOST, Placed, padded, text

KICKED = Removal(ANN.id, "kicked", "")


def foreign_head(host: FalseHost) -> bytes:
    host.sealer.epoch = replace(host.sealer.epoch, log_key=bytes(32))
    return host.head()


def old_head(host: FalseHost) -> list[Item]:
    """One of the epoch before, after the commit share."""
    before = host.sealer.epoch
    return [host.commit(), host.slice, lambda: batch_in(before, host.head_text())]


def exchanged(host: FalseHost) -> Placed:
    """The body of one entry behind the header of another."""
    one, other = host.entry(ANN, text("one")), host.entry(HOST, text("other"))
    return one._replace(sealed=one.sealed[:33] + other.sealed[33:])


def with_other_hash(it: FalseHost) -> frames.BackfillFrame:
    entry = fading(it)
    return gone(it, entry, entries=[frames.Tombstone(entry.header.pack(), bytes(32))])


def with_other_body(it: FalseHost) -> frames.BackfillFrame:
    """A head over what was said, and something else that was signed by nobody."""
    entry = it.entry(ANN, text("line"))
    return it.past(entry, entries=[frames.BackfilledEntry(entry.header.pack(), entry.body.replace(b"line", b"lies"))])


# The same of a Past that a host sends in place of a batch, to one who has everything else.
LIES_IN_A_PAST: dict[str, Callable[[FalseHost], list[Item]]] = {
    "nothing at all": lambda it: [it.past()],
    "what is kept as expired": lambda it: [gone(it, fading(it, ttl=KEPT))],
    "what lives as expired": lambda it: [gone(it, fading(it), time=59_999)],
    "what lives as expired, at another time than before": lambda it: [
        it.head(time=9_000),
        lambda: gone(at(it, 9_000), fading(it), time=68_999),
    ],
    "what lives as expired, before it was there": lambda it: [
        it.head(time=9_000),
        lambda: gone(at(it, 9_000), fading(it, ttl=FLEETING), time=8_999),
    ],
    "an expired text with another hash": lambda it: [with_other_hash(it)],
    "an expired text of a stranger": lambda it: [gone(it, fading(it, EVE))],
    "an expired text of one who is away": lambda it: [it.entry(HOST, AwayBody(ANN.id)), lambda: gone(it, fading(it))],
    "an expired text repeated": lambda it: [it.entry(ANN, NickBody("anna")), lambda: gone(it, fading(it, counter=1))],
    "an expired text of our own": lambda it: [
        lambda: gone(it, it.entry(it.room.replica.me, text("lie"), signer=EVE, ttl=60)),
    ],
    "an expired text of a generation used again": lambda it: [
        it.entry(ANN, NickBody("anna")),
        lambda: gone(it, fading(it, generation=0)),
    ],
    "an expired text of a generation too far on": lambda it: [gone(it, fading(it, generation=limits.SKIPPED + 1))],
    "a generation used again": lambda it: [
        it.entry(ANN, NickBody("anna")),
        lambda: it.past(it.entry(ANN, text("lie"), generation=0)),
    ],
    "a generation that is used again after it": lambda it: [
        lambda: it.past(it.entry(ANN, NickBody("anna"))),
        lambda: it.entry(ANN, text("lie"), generation=0),
    ],
    "a generation too far on": lambda it: [it.past(it.entry(ANN, text("lie"), generation=limits.SKIPPED + 1))],
    "a body altered": lambda it: [with_other_body(it)],
    "a forged signature": lambda it: [it.past(it.entry(ANN, text("lie"), signer=HOST))],
    "no body of what may have expired": lambda it: [
        it.past(fading(it)._replace(body=b""), time=field_types.COUNTS - 1)
    ],
    "an entry of a stranger": lambda it: [it.past(it.entry(EVE, text("lie")))],
    "a whole one repeated": lambda it: [*[it.past(it.entry(ANN, NickBody("anna")))] * 2],
    "a newcomer for the second time": lambda it: [
        it.entry(ANN, LeaveBody()),
        lambda: it.past(it.entry(HOST, JoinedBody(ANN.key, "ann", KEY))),
    ],
    "an entry behind a commit": lambda it: [it.past(it.commit(), it.entry(ANN, text("lie"), epoch=1))],
    "an entry of the next epoch without a slice": lambda it: [
        lambda: it.past(it.commit()),
        lambda: it.past(it.entry(ANN, text("lie"), epoch=1)),
    ],
    "a head of a member": lambda it: [it.past(head=it.head_text(signer=ANN))],
    "a head for another log": lambda it: [it.past(head=it.head_text(digest=bytes(32)))],
    "a head for a longer log": lambda it: [it.past(head=it.head_text(index=HERE + 1))],
    "an older head": lambda it: [it.head(time=1_000), lambda: it.past(head=it.head_text(time=999))],
    "a time to come, and then an older head": lambda it: [
        lambda: it.past(it.entry(ANN, NickBody("anna")), time=9_000),
        lambda: it.batch(it.entry(ANN, text("lie")), time=8_999),
    ],
    "an index to come, and then a head alone below it": lambda it: [
        it.past(it.entry(ANN, NickBody("anna")), index=HERE + 2, time=1),
        it.head(time=1),
    ],
    "a time to come, and then an older past": lambda it: [
        lambda: it.past(it.entry(ANN, NickBody("anna")), time=9_000),
        lambda: at(it, 8_999).past(it.entry(ANN, text("lie"))),
    ],
}


# What a host may send as an entry, commit share or anything else that is none. The last of each is the lie.
LIES: dict[str, Callable[[FalseHost], list[Item]]] = {
    "no content": lambda it: [it.entry(ANN, padded(b"\xc1"))],
    "nothing at all": lambda it: [it.entry(ANN, b"")],
    "a forged signature": lambda it: [it.entry(ANN, text("lie"), signer=HOST)],
    "an entry of the epoch before, sealed anew": lambda it: [
        it.commit(),
        it.slice,
        it.entry(ANN, text("lie"), epoch=0),
    ],
    "an entry of a stranger": lambda it: [it.entry(EVE, text("lie"))],
    "a counter repeated": lambda it: [it.entry(ANN, NickBody("anna")), it.entry(ANN, text("lie"), counter=1)],
    "a whole entry repeated": lambda it: [it.entry(ANN, NickBody("anna"))] * 2,
    "a generation used again": lambda it: [it.entry(ANN, NickBody("anna")), it.entry(ANN, text("lie"), generation=0)],
    "a generation too far on": lambda it: [it.entry(ANN, text("lie"), generation=limits.SKIPPED + 1)],
    "a body behind another header": lambda it: [exchanged(it)],
    "an entry altered": lambda it: [altered(it.entry(ANN, text("lie")), 60)],
    "a kind that is none": lambda it: [it.entry(ANN, text("lie"), kind=3)],
    "a newcomer like another": lambda it: [it.entry(HOST, JoinedBody(EVE.key, "Ann", KEY))],
    "an entry as a commit": lambda it: [it.entry(HOST, text("lie"), kind=COMMIT)],
    "an empty text": lambda it: [it.entry(ANN, text(""))],
    "a member that commits": lambda it: [it.commit(author=ANN)],
    "one who is out speaking on": lambda it: [it.entry(ANN, LeaveBody()), it.entry(ANN, text("lie"))],
    "one who was removed speaking on": lambda it: [it.commit(KICKED), it.slice, lambda: it.entry(ANN, text("lie"))],
    "a commit that is an entry": lambda it: [it.commit(kind=0)],
    "two commits for one epoch": lambda it: [it.commit(), it.commit()],
    "an entry after the commit": lambda it: [it.commit(), it.entry(ANN, text("lie"))],
    "an entry under the commit's head": lambda it: [it.batch(it.commit(), it.entry(ANN, text("lie")))],
    "an entry of the next epoch in the seal of this": lambda it: [
        it.batch(it.commit(), it.entry(ANN, text("lie"), epoch=1))
    ],
    "a commit of the next epoch in the seal of this": lambda it: [
        it.batch(
            it.commit(),
            it.entry(HOST, CommitBody(2, [Removal(it.me, "kicked", "")], renew=False), kind=COMMIT, epoch=1),
        )
    ],
    "a head after the commit's": lambda it: [it.commit(), it.head],
    "a head of the epoch that is over": old_head,
    "an entry of the next epoch without a slice": lambda it: [
        it.commit(),
        lambda: [it.slice(), it.entry(ANN, text("lie"))][1:],
    ],
    "a slice of no commit": lambda it: [it.slice],
    "a second slice": lambda it: [it.commit(), it.slice, it.slice],
    "a slice for another log": lambda it: [it.commit(), lambda: it.slice(group_context=bytes(32))],
    "a slice with another tag": lambda it: [it.commit(), lambda: it.slice(tag=bytes(32))],
    "a slice with another secret": lambda it: [it.commit(), lambda: it.slice(secret=bytes(32))],
    "no slice at all": lambda it: [it.commit(), frames.CommitShareFrame(b"")],
    "a second hello": lambda _: [hello()],
    "a second welcome": lambda it: [lambda: it.welcome()[0]],
    "a page of no welcome": lambda it: [lambda: it.welcome()[1]],
    "a refusal after the welcome": lambda _: [frames.RefusedFrame("full")],
    "a denial of nothing": lambda _: [frames.DeniedFrame(1, "nick-taken")],
    "a resumption that was not asked for": lambda _: [frames.ResumedFrame(HERE, 0)],
    "a past between commit and slice": lambda it: [it.commit(), lambda: it.past(it.entry(ANN, text("lie")))],
    "a frame that only members send": lambda _: [frames.KeyRequestFrame(KEY)],
    "a record altered": lambda it: [lambda: it.record(frames.DeniedFrame(1, "repeated"))[0][:-1] + b"?"],
    "a record repeated": lambda it: [lambda: it.record() * 2],
    "a record left out": lambda it: [lambda: it.record() and it.record()],
    "a record of another link": lambda it: [Channel(bytes(32), it.hello, up=False).seal_frames([])[padding.LENGTH :]],
    "a record of its own, sent back": lambda it: [
        Channel(it.request.link_secret, it.hello, up=True).seal_frames([])[padding.LENGTH :]
    ],
    "nothing": lambda _: [b""],
    "nothing but noise": lambda _: [bytes(478)],
    "an index to come": lambda it: [it.entry(ANN, text("lie"), reference=(HERE + 1, bytes(32)))],
    "a head without a signature": lambda it: [it.batch_of([], it.head_text()[:48] + bytes(64))],
    "a head under another key": lambda it: [lambda: foreign_head(it)],
    "a head of a member": lambda it: [it.head(signer=ANN)],
    "a head for another log": lambda it: [it.head(digest=bytes(32))],
    "a head for a longer log": lambda it: [it.head(index=HERE + 1)],
    "a head for a shorter log": lambda it: [it.head(index=HERE - 1)],
    "an older head": lambda it: [it.head(time=1_000), it.head(time=999)],
    "an older head over something new": lambda it: [
        it.head(time=1_000),
        lambda: it.batch(it.entry(ANN, NickBody("anna")), time=999),
    ],
    "a nick that is not kept": lambda it: [it.entry(ANN, NickBody("anna"), ttl=60)],
    "another leaf than was sought": lambda _: [frames.KeyResponseFrame(EVE.encryption_key.public)],
    "a leaf that was sought, for the second time": lambda _: [
        frames.KeyResponseFrame(ANN.encryption_key.public),
        frames.KeyResponseFrame(ANN.encryption_key.public),
    ],
    "the lack of a leaf that was not sought": lambda _: [frames.KeyNotFoundFrame(KEY)],
    "the lack of a leaf that is there": lambda _: [
        frames.KeyResponseFrame(ANN.encryption_key.public),
        frames.KeyNotFoundFrame(suite.hash_data(ANN.encryption_key.public)),
    ],
    **{f"in a past, {name}": lie for name, lie in LIES_IN_A_PAST.items()},
}


@pytest.mark.parametrize("lie", LIES)
def test_a_host_that_lies_is_left_with_an_alarm_and_the_lie_is_not_shown(host: FalseHost, lie: str) -> None:
    """5.7, 5.9"""
    *honest, lying = LIES[lie](host)
    host.hears(*honest)
    assert not host.room.over
    assert_left_in_alarm(host, host.hears(lying))
