"""A host that lies is left with an alarm; where nobody has signed for what came, only the link ends."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from anonp2p import errors, limits
from anonp2p.crypto import identity, padding, suite
from anonp2p.crypto.epoch import COMMIT, FLEETING, KEPT
from anonp2p.protocol import field_types, frames, meeting
from anonp2p.protocol.batches import BackfilledEntry, Tombstone
from anonp2p.protocol.bodies import AwayBody, CommitBody, JoinedBody, LeaveBody, NickBody, Removal
from anonp2p.protocol.handshake import Channel
from anonp2p.reasons import Reason
from anonp2p.room import effects, events, inputs
from tests.room.hostile import (
    KEY,
    altered,
    assert_left_in_alarm,
    assert_link_ended,
    at,
    batch_in,
    fading,
    gone,
    hello,
)
from tests.room.member.false_host import HERE, FalseHost, Item
from tests.room.peers import ANN, EVE, HOST, ROOM, Placed, Somebody, kinds, padded, text

KICKED = Removal(ANN.id, "kicked")


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
    return gone(it, entry, entries=[Tombstone(entry.header.pack(), bytes(32))])


def with_other_body(it: FalseHost) -> frames.BackfillFrame:
    """A head over what was said, and something else that was signed by nobody."""
    entry = it.entry(ANN, text("line"))
    return it.past(entry, entries=[BackfilledEntry(entry.header.pack(), entry.body.replace(b"line", b"lies"))])


def redirect(it: FalseHost, address: bytes, signer: Somebody = HOST) -> frames.RedirectFrame:
    """The host gives way to one of the next term, at this address."""
    opening = field_types.Opening(1, ANN.id, HERE, it.ledger.digest)
    where = frames.Where(1, ANN.id, address, HERE, it.ledger.digest, [*it.ledger.openings, opening], [])
    return meeting.sign_redirect(where, ROOM, it.hello, signer)


# The same of a backfill that a host sends in place of a batch, to one who has everything else.
LIES_IN_A_BACKFILL: dict[str, Callable[[FalseHost], list[Item]]] = {
    "what lives as expired, before it was there": lambda it: [
        it.head(time=9_000),
        lambda: gone(at(it, 9_000), fading(it, ttl=FLEETING), time=8_999),
    ],
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
    "a generation too far on": lambda it: [it.past(it.entry(ANN, text("lie"), generation=limits.SKIPPED + 1))],
    "a forged signature": lambda it: [it.past(it.entry(ANN, text("lie"), signer=HOST))],
    "an entry of a stranger": lambda it: [it.past(it.entry(EVE, text("lie")))],
    "a newcomer for the second time": lambda it: [
        it.entry(ANN, LeaveBody()),
        lambda: it.past(it.entry(HOST, JoinedBody(ANN.key, "ann", KEY))),
    ],
    "a time to come, and then an older head": lambda it: [
        lambda: it.past(it.entry(ANN, NickBody("anna")), time=9_000),
        lambda: it.batch(it.entry(ANN, text("lie")), time=8_999),
    ],
    "a time to come, and then an older past": lambda it: [
        lambda: it.past(it.entry(ANN, NickBody("anna")), time=9_000),
        lambda: at(it, 8_999).past(it.entry(ANN, text("lie"))),
    ],
}


FAULTS_IN_A_BACKFILL: dict[str, Callable[[FalseHost], list[Item]]] = {
    "what is kept as expired": lambda it: [gone(it, fading(it, ttl=KEPT))],
    "nothing at all": lambda it: [it.past()],
    "what lives as expired": lambda it: [gone(it, fading(it), time=59_999)],
    "what lives as expired, at another time than before": lambda it: [
        it.head(time=9_000),
        lambda: gone(at(it, 9_000), fading(it), time=68_999),
    ],
    "an expired text with another hash": lambda it: [with_other_hash(it)],
    "a generation that is used again after it": lambda it: [
        lambda: it.past(it.entry(ANN, NickBody("anna"))),
        lambda: it.entry(ANN, text("lie"), generation=0),
    ],
    "a body altered": lambda it: [with_other_body(it)],
    "no body of what may have expired": lambda it: [
        it.past(fading(it)._replace(body=b""), time=field_types.COUNTS - 1)
    ],
    "a whole one repeated": lambda it: [*[it.past(it.entry(ANN, NickBody("anna")))] * 2],
    "an entry behind a commit": lambda it: [it.past(it.commit(), it.entry(ANN, text("lie"), epoch=1))],
    "an entry of the next epoch without a slice": lambda it: [
        lambda: it.past(it.commit()),
        lambda: it.past(it.entry(ANN, text("lie"), epoch=1)),
    ],
    "a head of a member": lambda it: [it.past(head=it.head_text(signer=ANN))],
    "a head for another log": lambda it: [it.past(head=it.head_text(digest=bytes(32)))],
    "a head for a longer log": lambda it: [it.past(head=it.head_text(index=HERE + 1))],
    "an older head": lambda it: [it.head(time=1_000), lambda: it.past(head=it.head_text(time=999))],
    "an index to come, and then a head alone below it": lambda it: [
        it.past(it.entry(ANN, NickBody("anna")), index=HERE + 2, time=1),
        it.head(time=1),
    ],
}


# Entries that a host has signed for, and heads that contradict each other. The last of each is the lie.
LIES: dict[str, Callable[[FalseHost], list[Item]]] = {
    "no content": lambda it: [it.entry(ANN, padded(b"\xc1"))],
    "nothing at all": lambda it: [it.entry(ANN, b"")],
    "a forged signature": lambda it: [it.entry(ANN, text("lie"), signer=HOST)],
    "an entry of the epoch before, sealed anew": lambda it: [
        it.commit(),
        it.slice,
        lambda: it.entry(ANN, text("lie"), epoch=0),
    ],
    "a counter repeated": lambda it: [it.entry(ANN, NickBody("anna")), it.entry(ANN, text("lie"), counter=1)],
    "a newcomer like another": lambda it: [it.entry(HOST, JoinedBody(EVE.key, "Ann", KEY))],
    "an entry as a commit": lambda it: [it.entry(HOST, text("lie"), kind=COMMIT)],
    "an empty text": lambda it: [it.entry(ANN, text(""))],
    "a member that commits": lambda it: [it.commit(author=ANN)],
    "one who is out speaking on": lambda it: [it.entry(ANN, LeaveBody()), it.entry(ANN, text("lie"))],
    "a commit that is an entry": lambda it: [it.commit(kind=0)],
    "an index to come": lambda it: [it.entry(ANN, text("lie"), reference=(HERE + 1, bytes(32)))],
    "a head for another log": lambda it: [it.head(digest=bytes(32))],
    "an older head over something new": lambda it: [
        it.head(time=1_000),
        lambda: it.batch(it.entry(ANN, NickBody("anna")), time=999),
    ],
    "a nick that is not kept": lambda it: [it.entry(ANN, NickBody("anna"), ttl=60)],
    **{f"in a backfill, {name}": lie for name, lie in LIES_IN_A_BACKFILL.items()},
}


# What anybody may have sent, or kept from coming, who can put bytes on the link. The last of each is what is wrong.
FAULTS: dict[str, Callable[[FalseHost], list[Item]]] = {
    "an entry of a stranger": lambda it: [it.entry(EVE, text("lie"))],
    "a whole entry repeated": lambda it: [it.entry(ANN, NickBody("anna"))] * 2,
    "a generation used again": lambda it: [it.entry(ANN, NickBody("anna")), it.entry(ANN, text("lie"), generation=0)],
    "a generation too far on": lambda it: [it.entry(ANN, text("lie"), generation=limits.SKIPPED + 1)],
    "a body behind another header": lambda it: [exchanged(it)],
    "an entry altered": lambda it: [altered(it.entry(ANN, text("lie")), 60)],
    "a kind that is none": lambda it: [it.entry(ANN, text("lie"), kind=3)],
    "one who was removed speaking on": lambda it: [
        it.order_out(ANN.id),
        it.commit(KICKED),
        it.slice,
        lambda: it.entry(ANN, text("lie")),
    ],
    "two commits for one epoch": lambda it: [it.commit(), it.commit()],
    "an entry after the commit": lambda it: [it.commit(), it.entry(ANN, text("lie"))],
    "an entry under the commit's head": lambda it: [it.batch(it.commit(), it.entry(ANN, text("lie")))],
    "an entry of the next epoch in the seal of this": lambda it: [
        it.batch(it.commit(), it.entry(ANN, text("lie"), epoch=1))
    ],
    "a commit of the next epoch in the seal of this": lambda it: [
        it.batch(
            it.commit(),
            it.entry(HOST, CommitBody(2, [Removal(it.me, "kicked")], renew=False), kind=COMMIT, epoch=1),
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
    "a slice for another log": lambda it: [it.commit(), lambda: it.slice(digest=bytes(32))],
    "a slice with another tag": lambda it: [it.commit(), lambda: it.slice(tag=bytes(32))],
    "a slice with another secret": lambda it: [it.commit(), lambda: it.slice(secret=bytes(32))],
    "no slice at all": lambda it: [it.commit(), frames.CommitShareFrame(b"")],
    "a second hello": lambda _: [hello()],
    "a second welcome": lambda it: [lambda: it.welcome()[0]],
    "a page of no welcome": lambda it: [lambda: it.welcome()[1]],
    "a refusal after the welcome": lambda it: [it.refused("full")],
    "a denial of nothing": lambda _: [frames.DeniedFrame(1, "nick-taken")],
    "a resumption that was not asked for": lambda it: [it.resumed()],
    "a past between commit and slice": lambda it: [it.commit(), lambda: it.past(it.entry(ANN, text("lie")))],
    "a host of no log": lambda it: [lambda: redirect(it, bytes(32))],
    "a host, signed by another": lambda it: [lambda: redirect(it, KEY, signer=ANN)],
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
    "a head without a signature": lambda it: [it.batch_of([], it.head_text()[:48] + bytes(64))],
    "a head under another key": lambda it: [lambda: foreign_head(it)],
    "a head of a member": lambda it: [it.head(signer=ANN)],
    "a head for a longer log": lambda it: [it.head(index=HERE + 1)],
    "a head for a shorter log": lambda it: [it.head(index=HERE - 1)],
    "an older head": lambda it: [it.head(time=1_000), it.head(time=999)],
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
    **{f"in a backfill, {name}": fault for name, fault in FAULTS_IN_A_BACKFILL.items()},
}


@pytest.mark.parametrize("lie", LIES)
def test_a_host_that_lies_is_left_with_an_alarm_and_the_lie_is_not_shown(host: FalseHost, lie: str) -> None:
    """5.7, 5.9"""
    *honest, lying = LIES[lie](host)
    host.hears(*honest)
    assert not host.room.over
    assert_left_in_alarm(host, host.hears(lying))


@pytest.mark.parametrize("fault", FAULTS)
def test_what_anybody_may_have_sent_ends_the_link_and_is_held_against_nobody(host: FalseHost, fault: str) -> None:
    """2.8, 5.9"""
    *honest, wrong = FAULTS[fault](host)
    host.hears(*honest)
    assert not [effect for effect in host.effects if isinstance(effect, effects.DropEffect)]
    assert_link_ended(host, host.hears(wrong))


def test_what_ended_a_link_uses_up_nothing_that_the_next_one_needs(host: FalseHost) -> None:
    """5.9: whoever can put bytes on a link must not use up keys for what others have yet to say."""
    one, two = host.entry(ANN, text("one")), host.entry(ANN, text("two"))
    broken = host.batch_of([one.sealed, altered(two, 60).sealed], host.head_text())
    too_far = host.batch_of([host.entry(ANN, text("far"), generation=9, counter=9).sealed], host.head_text())
    for wrong in (broken, too_far):
        assert_link_ended(host, host.hears(wrong))
        assert kinds(host.hears(host.resumed())) == ["LinkEvent"]
    shown = host.hears(host.batch(one, two))
    assert [event.text for event in shown if isinstance(event, events.MessageEvent)] == ["one", "two"]


def test_after_so_many_links_in_a_row_on_which_something_was_wrong_no_other_is_dialled(host: FalseHost) -> None:
    """5.9"""
    for _ in range(limits.LINK_FAULTS - 1):
        assert_link_ended(host, host.hears(bytes(478)))
        host.hears(host.resumed())
    host.hears(bytes(478))
    *_, error, gone = host.takes(inputs.DroppedInput(host.end.number, "unreadable-record", 0.0))
    assert isinstance(error, events.ErrorEvent)
    assert error.text == errors.Unreachable(Reason("link-fault", "unreadable-record"))
    assert gone == events.GoneEvent(room="r1", reason="lost")


def test_links_that_end_otherwise_begin_the_count_anew(host: FalseHost) -> None:
    for _ in range(2 * limits.LINK_FAULTS):
        assert_link_ended(host, host.hears(bytes(478)))
        host.redials()
        host.hears(host.resumed())
    assert not host.room.over


def with_context(it: FalseHost, entry: Placed, said: list[bytes | None], folded: bytes) -> bytes:
    """A batch of this entry, with what is said of its group context. folded: the one that its head covers."""
    before = it.ledger.digest
    it.place(entry)
    packed = entry.header.pack()
    digest = identity.extend_log_hash(before, it.ledger.index, packed, suite.hash_data(entry.body), folded)
    return it.batch_of([entry.sealed], it.head_text(digest=digest), said)


FALSE_CONTEXTS: dict[str, Callable[[FalseHost], bytes]] = {
    "another one with a text": lambda it: with_context(it, it.entry(ANN, text("lie")), [KEY], KEY),
    "none with a nick": lambda it: with_context(it, it.entry(ANN, NickBody("lie")), [None], it.context),
    "another one with a nick": lambda it: with_context(it, it.entry(ANN, NickBody("lie")), [KEY], KEY),
}
UNCLEAR_CONTEXTS: dict[str, Callable[[FalseHost], bytes]] = {
    "the one that there is": lambda it: with_context(it, it.entry(ANN, text("x")), [it.context], it.context),
    "none": lambda it: with_context(it, it.entry(ANN, text("x")), [], it.context),
    "one too many": lambda it: with_context(it, it.entry(ANN, text("x")), [None, None], it.context),
}


@pytest.mark.parametrize("lie", FALSE_CONTEXTS)
def test_a_group_context_that_its_entry_does_not_lead_to_is_a_lie(host: FalseHost, lie: str) -> None:
    """4.5, 5.6"""
    happened = host.hears(FALSE_CONTEXTS[lie](host))
    assert_left_in_alarm(host, happened)
    [alarm] = [event for event in happened if isinstance(event, events.AlarmEvent)]
    assert alarm.reason == Reason("host-fault", "other-group-context")


@pytest.mark.parametrize("said", UNCLEAR_CONTEXTS)
def test_group_contexts_that_are_not_as_many_as_the_entries_or_change_nothing_end_the_link(
    host: FalseHost, said: str
) -> None:
    """4.5: for each entry, "nil if it leads to none other than the one before"."""
    assert_link_ended(host, host.hears(UNCLEAR_CONTEXTS[said](host)))
