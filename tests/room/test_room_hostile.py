"""A room against peers that break the rules: a lying host is left with an alarm, a lying member loses its link."""

from collections import deque
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from msgspec import UNSET

from anonp2p import limits
from anonp2p.crypto import identity, padding, suite
from anonp2p.crypto.epoch import COMMIT, FLEETING, KEPT, Epoch, Header
from anonp2p.names.codes import RoomKey
from anonp2p.protocol import frames, handshake
from anonp2p.protocol.frames import Back, Close, Commit, Joined, Leave, Lock, Lost, Nick, Removal, Renew
from anonp2p.protocol.handshake import Channel
from anonp2p.room import effects, events, inputs
from anonp2p.room.pending import Pending, Sealed
from anonp2p.room.room import Room
from tests.room import simulation
from tests.room.peers import (
    ANN,
    BOB,
    EVE,
    HERE,
    HOST,
    NOW,
    ROOM,
    START,
    ZOE,
    FalseHost,
    FalseMember,
    Inn,
    Item,
    Placed,
    Somebody,
    kinds,
    padded,
    payloads,
    randomness,
    said,
    sealed_as_it_is,
    text,
    told,
)
from tests.room.simulation import Party, Simulation

LEAF = suite.digest(EVE.leaf.public)
KICKED = Removal(ANN.id, "kicked", "")
BOUNDS = frames.Retention(60, 3_600, 86_400)
WEAK = ANN.leaf.public[:-32] + bytes(32)  # a leaf that cannot be sealed to


@pytest.fixture
def host() -> FalseHost:
    """A host whose guest was let in."""
    host = FalseHost()
    assert kinds(host.lets_in()) == ["Link", "Entered"]
    return host


def assert_left_in_alarm(host: FalseHost, happened: list[events.Event], member: bytes = HOST.id) -> None:
    """5.9: an alarm that names the host, the way out, and nothing shown of what caused it."""
    alarm, gone = (event for event in happened if not isinstance(event, events.Unsent | events.Error))
    assert isinstance(alarm, events.Alarm)
    assert alarm.member == identity.spell(member)
    assert isinstance(gone, events.Gone)
    assert gone.reason == "lost"
    assert happened[-1] is gone
    assert host.room.over
    assert host.hears(host.entry(ANN, text("still here"), counter=2**40)) == []


def foreign_head(host: FalseHost) -> bytes:
    host.epoch._log = suite.Key(bytes(32))
    return host.head()


def old_head(host: FalseHost) -> list[Item]:
    """One of the epoch before, after the slice."""
    before = host.epoch
    return [host.commit(), host.slice, lambda: burst_in(before, host.head_text())]


def burst_in(epoch: Epoch, head: bytes) -> bytes:
    """The payload of a burst without entries."""
    return epoch.seal_burst(frames.pack(frames.Burst([], head)), randomness(b"burst"))[padding.LENGTH :]


def exchanged(host: FalseHost) -> Placed:
    """The body of one entry behind the header of another."""
    one, other = host.entry(ANN, text("one")), host.entry(HOST, text("other"))
    return one._replace(sealed=one.sealed[:33] + other.sealed[33:])


def altered(entry: Placed, at: int) -> Placed:
    """One bit of it is another."""
    data = bytearray(entry.sealed)
    data[at] ^= 1
    return entry._replace(sealed=bytes(data))


def hello(version: int = frames.VERSION, door: bytes = EVE.leaf.public) -> bytes:
    """As a host says it."""
    return padding.pad(frames.pack(frames.Hello(version, bytes(32), door)), limits.HELLO - padding.LENGTH)


def sealed_in_log(host: FalseHost, text: bytes) -> bytes:
    """The payload of a burst, padded or not as its sender likes."""
    return bytes(suite.NONCE) + host.epoch._log.seal(bytes(suite.NONCE), text)


def padded_with_something(reference: tuple[int, bytes]) -> bytes:
    """The content of an entry, and behind it another byte than zero."""
    return padded(frames.pack(frames.Content(*reference, text("lie"))))[:-1] + b"?"


def padded_too_far(reference: tuple[int, bytes]) -> bytes:
    """The content of an entry, and more zeros than need be."""
    return padded(frames.pack(frames.Content(*reference, text("lie")))) + bytes(limits.STEP)


def fading(it: FalseHost, author: Somebody = ANN, **otherwise: Any) -> Placed:
    """A text that lives for a minute."""
    return it.entry(author, text("lie"), **{"ttl": 60, **otherwise})


def gone(it: FalseHost, entry: Placed, **otherwise: Any) -> frames.Past:
    """A burst of this entry alone, which has expired by now, if it does."""
    return it.past(entry, gone=[entry], **{"time": frames.COUNTS - 1, **otherwise})


def at(it: FalseHost, time: int) -> FalseHost:
    """A host whose heads are of this time, from now on."""
    it.time = time
    return it


def with_other_hash(it: FalseHost) -> frames.Past:
    entry = fading(it)
    return gone(it, entry, entries=[frames.Gone(entry.header.pack(), bytes(32))])


def with_other_body(it: FalseHost) -> frames.Past:
    """A head over what was said, and something else that was signed by nobody."""
    entry = it.entry(ANN, text("line"))
    return it.past(entry, entries=[frames.Opened(entry.header.pack(), entry.body.replace(b"line", b"lies"))])


# The same of a Past that a host sends in place of a burst, to one who has everything else.
LIES_IN_A_PAST: dict[str, Callable[[FalseHost], list[Item]]] = {
    "nothing at all": lambda it: [it.past()],
    "what is kept as expired": lambda it: [gone(it, fading(it, ttl=KEPT))],
    "what is kept as expired, at once": lambda it: [gone(it, fading(it, ttl=KEPT), time=0)],
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
    "an expired text of one who is away": lambda it: [it.entry(HOST, Lost(ANN.id)), lambda: gone(it, fading(it))],
    "an expired text of one who is out": lambda it: [it.entry(ANN, Leave()), lambda: gone(it, fading(it))],
    "an expired text repeated": lambda it: [it.entry(ANN, Nick("anna")), lambda: gone(it, fading(it, counter=1))],
    "an expired text of a counter gone back": lambda it: [
        it.entry(ANN, Nick("anna"), counter=5),
        lambda: gone(it, fading(it, counter=4)),
    ],
    "an expired text of our own": lambda it: [
        lambda: gone(it, it.entry(it.room._me, text("lie"), signer=EVE, ttl=60)),
    ],
    "an expired commit": lambda it: [gone(it, it.commit())],
    "an expired text of a kind that is none": lambda it: [gone(it, fading(it, kind=2))],
    "an expired text of the host's before its welcome": lambda it: [gone(it, fading(it, HOST, counter=3))],
    "an expired text of a generation used again": lambda it: [
        it.entry(ANN, Nick("anna")),
        lambda: gone(it, fading(it, generation=0)),
    ],
    "an expired text of a generation too far on": lambda it: [gone(it, fading(it, generation=limits.SKIPPED + 1))],
    "a generation used again": lambda it: [
        it.entry(ANN, Nick("anna")),
        lambda: it.past(it.entry(ANN, text("lie"), generation=0)),
    ],
    "a generation that is used again after it": lambda it: [
        lambda: it.past(it.entry(ANN, Nick("anna"))),
        lambda: it.entry(ANN, text("lie"), generation=0),
    ],
    "a generation too far on": lambda it: [it.past(it.entry(ANN, text("lie"), generation=limits.SKIPPED + 1))],
    "a body altered": lambda it: [with_other_body(it)],
    "a forged signature": lambda it: [it.past(it.entry(ANN, text("lie"), signer=HOST))],
    "a signature for another epoch": lambda it: [it.past(it.entry(ANN, text("lie"), epoch=1))],
    "no body": lambda it: [it.past(it.entry(ANN, text("lie"))._replace(body=b""))],
    "no body of what may have expired": lambda it: [it.past(fading(it)._replace(body=b""), time=frames.COUNTS - 1)],
    "an entry of a stranger": lambda it: [it.past(it.entry(EVE, text("lie")))],
    "an entry repeated": lambda it: [it.past(*[it.entry(ANN, Nick("anna"))] * 2)],
    "a whole one repeated": lambda it: [*[it.past(it.entry(ANN, Nick("anna")))] * 2],
    "a newcomer for the second time": lambda it: [
        it.entry(ANN, Leave()),
        lambda: it.past(it.entry(HOST, Joined(ANN.key, "ann", LEAF))),
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
        lambda: it.past(it.entry(ANN, Nick("anna")), time=9_000),
        lambda: it.burst(it.entry(ANN, text("lie")), time=8_999),
    ],
    "an index to come, and then a head alone below it": lambda it: [
        it.past(it.entry(ANN, Nick("anna")), index=HERE + 2, time=1),
        it.head(time=1),
    ],
    "a time to come, and then an older past": lambda it: [
        lambda: it.past(it.entry(ANN, Nick("anna")), time=9_000),
        lambda: at(it, 8_999).past(it.entry(ANN, text("lie"))),
    ],
}


# What a host may send as an entry, slice or anything else that is none. The last of each is the lie.
LIES: dict[str, Callable[[FalseHost], list[Item]]] = {
    "no content": lambda it: [it.entry(ANN, padded(b"\xc1"))],
    "nothing at all": lambda it: [it.entry(ANN, b"")],
    "content that is not padded": lambda it: [it.entry(ANN, b"\xc1")],
    "a body shorter than a signature": lambda it: [it.seal(Header(0, ANN.id, 1, 0), b"short")],
    "a forged signature": lambda it: [it.entry(ANN, text("lie"), signer=HOST)],
    "a signature for another purpose": lambda it: [it.entry(ANN, text("lie"), label=identity.HEAD)],
    "a signature for another room": lambda it: [it.entry(ANN, text("lie"), signer=Somebody(b"a", b"s" * 32))],
    "a signature for another epoch": lambda it: [it.entry(ANN, text("lie"), epoch=1)],
    "an entry of the epoch before, sealed anew": lambda it: [
        it.commit(),
        it.slice,
        it.entry(ANN, text("lie"), epoch=0),
    ],
    "an entry of a stranger": lambda it: [it.entry(EVE, text("lie"))],
    "a commit of a stranger": lambda it: [it.commit(author=EVE)],
    "a counter of before the welcome": lambda it: [it.entry(HOST, text("lie"), counter=3)],
    "a counter repeated": lambda it: [it.entry(ANN, Nick("anna")), it.entry(ANN, text("lie"), counter=1)],
    "a counter gone back": lambda it: [it.entry(ANN, Nick("anna"), counter=5), it.entry(ANN, text("lie"), counter=4)],
    "a whole entry repeated": lambda it: [it.entry(ANN, Nick("anna"))] * 2,
    "a generation used again": lambda it: [it.entry(ANN, Nick("anna")), it.entry(ANN, text("lie"), generation=0)],
    "a generation gone back": lambda it: [
        it.entry(ANN, Nick("anna"), generation=5),
        it.entry(ANN, text("lie"), generation=4),
    ],
    "a generation too far on": lambda it: [it.entry(ANN, text("lie"), generation=limits.SKIPPED + 1)],
    "a body behind another header": lambda it: [exchanged(it)],
    "a body sealed under another header": lambda it: [
        it.seal(Header(0, ANN.id, 1, 0), bytes(64), under=Header(0, ANN.id, 2, 0))
    ],
    "an entry altered": lambda it: [altered(it.entry(ANN, text("lie")), 60)],
    "a kind that is none": lambda it: [it.entry(ANN, text("lie"), kind=3)],
    "an entry as a commit": lambda it: [it.entry(HOST, text("lie"), kind=COMMIT)],
    "a counter beyond all": lambda it: [it.entry(ANN, text("lie"), counter=2**53)],
    "a text without end": lambda it: [it.entry(ANN, text("x" * (limits.TEXT + 1)))],
    "an empty text": lambda it: [it.entry(ANN, text(""))],
    "a nick of two": lambda it: [it.entry(ANN, Nick("ME"))],
    "a nick that hides": lambda it: [it.entry(ANN, Nick("me\u200b"))],
    "a host that leaves": lambda it: [it.entry(HOST, Leave())],
    "a member that lets in": lambda it: [it.entry(ANN, Joined(EVE.key, "eve", LEAF))],
    "a member that closes": lambda it: [it.entry(ANN, Close())],
    "a member that locks": lambda it: [it.entry(ANN, Lock(locked=True))],
    "a member that loses": lambda it: [it.entry(ANN, Lost(it.me))],
    "a member that brings back": lambda it: [it.entry(HOST, Lost(it.me)), it.entry(ANN, Back(it.me))],
    "a member that commits": lambda it: [it.commit(author=ANN)],
    "a newcomer that is in": lambda it: [it.entry(HOST, Joined(ANN.key, "eve", LEAF))],
    "a newcomer like another": lambda it: [it.entry(HOST, Joined(EVE.key, "Ann", LEAF))],
    "a newcomer that hides": lambda it: [it.entry(HOST, Joined(EVE.key, "[SYSTEM]", LEAF))],
    "a newcomer with a key of all": lambda it: [it.entry(HOST, Joined(b"\x01" + bytes(31), "eve", LEAF))],
    "the loss of a stranger": lambda it: [it.entry(HOST, Lost(EVE.id))],
    "the loss of itself": lambda it: [it.entry(HOST, Lost(HOST.id))],
    "the loss of one who is away": lambda it: [it.entry(HOST, Lost(ANN.id)), it.entry(HOST, Lost(ANN.id))],
    "the return of one who is here": lambda it: [it.entry(HOST, Back(ANN.id))],
    "the return of a stranger": lambda it: [it.entry(HOST, Back(EVE.id))],
    "one who is out speaking on": lambda it: [it.entry(ANN, Leave()), it.entry(ANN, text("lie"))],
    "one who was lost speaking on": lambda it: [it.entry(HOST, Lost(ANN.id)), it.entry(ANN, text("lie"))],
    "one who was removed speaking on": lambda it: [it.commit(KICKED), it.slice, lambda: it.entry(ANN, text("lie"))],
    "the return of one who was removed": lambda it: [it.commit(KICKED), it.slice, lambda: it.entry(HOST, Back(ANN.id))],
    "a commit for the epoch that is": lambda it: [it.commit(epoch=0)],
    "a commit for the epoch after the next": lambda it: [it.commit(epoch=2)],
    "a commit that is an entry": lambda it: [it.commit(kind=0)],
    "a removal of one who is here": lambda it: [it.commit(Removal(ANN.id, "lost", ""))],
    "a removal of a stranger": lambda it: [it.commit(Removal(EVE.id, "kicked", ""))],
    "a removal of the host": lambda it: [it.commit(Removal(HOST.id, "kicked", ""))],
    "a removal twice": lambda it: [it.commit(KICKED, KICKED)],
    "two commits for one epoch": lambda it: [it.commit(), it.commit()],
    "an entry after the commit": lambda it: [it.commit(), it.entry(ANN, text("lie"))],
    "an entry under the commit's head": lambda it: [it.burst(it.commit(), it.entry(ANN, text("lie")))],
    "an entry of the next epoch in the seal of this": lambda it: [
        it.burst(it.commit(), it.entry(ANN, text("lie"), epoch=1))
    ],
    "a commit of the next epoch in the seal of this": lambda it: [
        it.burst(it.commit(), it.entry(HOST, Commit(2, [Removal(it.me, "kicked", "")]), kind=COMMIT, epoch=1))
    ],
    "a head after the commit's": lambda it: [it.commit(), it.head],
    "a head of the epoch that is over": old_head,
    "an entry of the next epoch without a slice": lambda it: [
        it.commit(),
        lambda: [it.slice(), it.entry(ANN, text("lie"))][1:],
    ],
    "a slice of no commit": lambda it: [it.slice],
    "a second slice": lambda it: [it.commit(), it.slice, it.slice],
    "a slice for another log": lambda it: [it.commit(), lambda: it.slice(standing=bytes(32))],
    "a slice for another epoch": lambda it: [it.commit(), lambda: it.slice(epoch=2)],
    "a slice for another member": lambda it: [it.commit(), lambda: it.slice(member=ANN.id)],
    "a slice for another room": lambda it: [it.commit(), lambda: it.slice(room=b"s" * 32)],
    "a slice for another leaf": lambda it: [it.commit(), lambda: it.slice(leaf=ANN.leaf.public)],
    "a slice with another tag": lambda it: [it.commit(), lambda: it.slice(tag=bytes(32))],
    "a slice with another secret": lambda it: [it.commit(), lambda: it.slice(secret=bytes(32))],
    "a slice with half a secret": lambda it: [it.commit(), lambda: it.slice(secret=bytes(16))],
    "no slice at all": lambda it: [it.commit(), frames.Slice(b"")],
    "a second hello": lambda _: [hello()],
    "a second welcome": lambda it: [lambda: it.welcome()[0]],
    "a page of no welcome": lambda it: [lambda: it.welcome()[1]],
    "a refusal after the welcome": lambda _: [frames.Refused("full")],
    "a denial of nothing": lambda _: [frames.Denied(1, "nick-taken")],
    "a resumption that was not asked for": lambda _: [frames.Resumed(HERE, 0)],
    "a past between commit and slice": lambda it: [it.commit(), lambda: it.past(it.entry(ANN, text("lie")))],
    "a frame that only members send": lambda _: [frames.Seek(LEAF)],
    "a record altered": lambda it: [lambda: it.record(frames.Denied(1, "repeated"))[0][:-1] + b"?"],
    "a record repeated": lambda it: [lambda: it.record() * 2],
    "a record left out": lambda it: [lambda: it.record() and it.record()],
    "a record of another link": lambda it: [Channel(bytes(32), it.hello, up=False).seal([])[padding.LENGTH :]],
    "a record of its own, sent back": lambda it: [
        Channel(it.request.link, it.hello, up=True).seal([])[padding.LENGTH :]
    ],
    "nothing": lambda _: [b""],
    "nothing but noise": lambda _: [bytes(478)],
    "an index to come": lambda it: [it.entry(ANN, text("lie"), reference=(HERE + 1, bytes(32)))],
    "an index far to come": lambda it: [it.entry(ANN, text("lie"), reference=(2**53 - 1, bytes(32)))],
    "a head without a signature": lambda it: [it.burst_of([], it.head_text()[:48] + bytes(64))],
    "a head cut short": lambda it: [it.burst_of([], it.head_text()[:111])],
    "a head too long": lambda it: [it.burst_of([], it.head_text() + b"?")],
    "a head under another key": lambda it: [lambda: foreign_head(it)],
    "a head of a member": lambda it: [it.head(signer=ANN)],
    "a head for another purpose": lambda it: [it.head(label=identity.ENTRY)],
    "a head of another room": lambda it: [it.head(signer=Somebody(b"h", b"s" * 32))],
    "a head for another log": lambda it: [it.head(digest=bytes(32))],
    "a head for a longer log": lambda it: [it.head(index=HERE + 1)],
    "a head for a shorter log": lambda it: [it.head(index=HERE - 1)],
    "an older head": lambda it: [it.head(time=1_000), it.head(time=999)],
    "an older head over something new": lambda it: [
        it.head(time=1_000),
        lambda: it.burst(it.entry(ANN, Nick("anna")), time=999),
    ],
    "a record that is not padded": lambda it: [sealed_as_it_is(it.channel, b"\x92\xc2\x90")],
    "a record padded with something": lambda it: [
        sealed_as_it_is(it.channel, padding.fill(b"\x92\xc2\x90", 16)[:-1] + b"?")
    ],
    "a record larger than need be": lambda it: [sealed_as_it_is(it.channel, padding.pad(b"\x92\xc2\x90", 942))],
    "a record longer than it is": lambda it: [sealed_as_it_is(it.channel, b"\xff" * 462)],
    "a burst that is not padded": lambda it: [sealed_in_log(it, frames.pack(frames.Burst([], it.head_text())))],
    "a burst padded with something": lambda it: [
        sealed_in_log(it, padding.fill(frames.pack(frames.Burst([], it.head_text())), 28)[:-1] + b"?")
    ],
    "a burst larger than need be": lambda it: [
        sealed_in_log(it, padding.pad(frames.pack(frames.Burst([], it.head_text())), 930))
    ],
    "a burst longer than it is": lambda it: [sealed_in_log(it, b"\xff" * 450)],
    "a burst of no entries": lambda it: [sealed_in_log(it, padding.fill(b"\x91\xc4\x00", 28))],
    "content padded with something": lambda it: [it.entry(ANN, padded_with_something(it.reference))],
    "content padded too far": lambda it: [it.entry(ANN, padded_too_far(it.reference))],
    "a nick that is not kept": lambda it: [it.entry(ANN, Nick("anna"), ttl=60)],
    "a leave that is not kept": lambda it: [it.entry(ANN, Leave(), ttl=60)],
    "a leaf that is not kept": lambda it: [it.entry(ANN, Renew(LEAF), ttl=FLEETING)],
    "a newcomer that is not kept": lambda it: [it.entry(HOST, Joined(EVE.key, "eve", LEAF), ttl=60)],
    "a loss that is not kept": lambda it: [it.entry(HOST, Lost(ANN.id), ttl=60)],
    "a lock that is not kept": lambda it: [it.entry(HOST, Lock(locked=True), ttl=FLEETING)],
    "an end that is not kept": lambda it: [it.entry(HOST, Close(), ttl=60)],
    "a commit that is not kept": lambda it: [it.entry(HOST, Commit(1, []), kind=COMMIT, ttl=60)],
    "a commit with a generation": lambda it: [it.entry(HOST, Commit(1, []), kind=COMMIT, generation=1)],
    "a box too short": lambda it: [it.entry(ANN, frames.Private(bytes(frames.BOX)))],
    "a box too long": lambda it: [it.entry(ANN, frames.Private(bytes(frames.BOX + limits.TEXT + 1)))],
    "another leaf than was sought": lambda _: [frames.Found(EVE.leaf.public)],
    "a leaf that was sought, for the second time": lambda _: [
        frames.Found(ANN.leaf.public),
        frames.Found(ANN.leaf.public),
    ],
    "the lack of a leaf that was not sought": lambda _: [frames.Missing(LEAF)],
    "the lack of a leaf that is there": lambda _: [
        frames.Found(ANN.leaf.public),
        frames.Missing(suite.digest(ANN.leaf.public)),
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


def without(*members: bytes) -> Callable[[FalseHost], list[Item]]:
    return lambda it: [
        it.welcome(seats=[seat for seat in it.state().seats if identity.member_id(seat.key) not in members])
    ]


def with_seat(**otherwise: object) -> Callable[[FalseHost], list[Item]]:
    """A welcome with one more seat, which says this."""
    ghost = frames.Seat(EVE.key, "eve", 0, away=False, leaf=LEAF, generation=0, link=bytes(32))
    return lambda it: [it.welcome(seats=[*it.state().seats, msgspec.structs.replace(ghost, **otherwise)])]


def as_we_are(**otherwise: object) -> Callable[[FalseHost], list[Item]]:
    """A welcome in which our own seat says this."""

    def lie(it: FalseHost) -> list[Item]:
        *others, mine = it.state().seats
        return [it.welcome(seats=[*others, msgspec.structs.replace(mine, **otherwise)])]

    return lie


WRONG_WELCOMES: dict[str, Callable[[FalseHost], list[Item]]] = {
    "without us": lambda it: without(it.me)(it),
    "without the host": without(HOST.id),
    "with a host who is none": lambda it: [it.welcome(host=EVE.id)],
    "with us as the host": lambda it: [
        it.welcome(host=it.me, sign=it.room._me.sign, head=it.head_text(signer=it.room._me))
    ],
    "with another key for us": as_we_are(key=BOB.key),
    "with another nick for us": as_we_are(nick="fool"),
    "with another leaf for us": as_we_are(leaf=suite.digest(EVE.leaf.public)),
    "with two of one key": with_seat(key=ANN.key),
    "with two of one nick": with_seat(nick="ANN"),
    "with an improper nick": with_seat(nick="e\u202ee"),
    "with a key that anybody can sign for": with_seat(key=b"\x01" + bytes(31)),
    "with a room name that hides": lambda it: [it.welcome(name="de\nmo")],
    "without a room name": lambda it: [it.welcome(name="")],
    "with a time to live above the greatest": lambda it: [it.welcome(retention=frames.Retention(0, 61, 60))],
    "with a time to live below the least": lambda it: [it.welcome(retention=frames.Retention(60, 59, KEPT))],
    "with bounds that leave nothing": lambda it: [it.welcome(retention=frames.Retention(60, 60, 59))],
    "with a time to live that is none": lambda it: [it.welcome(retention=frames.Retention(0, 60, 2**32))],
    "signed by a member": lambda it: [it.welcome(sign=ANN.sign)],
    "not signed": lambda it: [it.welcome(sign=lambda _, __: bytes(64))],
    "signed for another purpose": lambda it: [it.welcome(sign=lambda _, content: HOST.sign(identity.HEAD, content))],
    "signed for another room": lambda it: [it.welcome(sign=Somebody(b"h", b"s" * 32).sign)],
    "of another link": lambda it: [it.welcome(hello=bytes(32))[0]],
    "signed for another link": lambda it: [it.welcome(sign=lambda label, c: HOST.sign(label, bytes(32) + c[32:]))],
    "of another room": lambda it: [it.welcome(room=b"s" * 32)[0]],
    "to another leaf": lambda it: [it.welcome(leaf=ANN.leaf.public)[0]],
    "with a head of a member": lambda it: [it.welcome(head=it.head_text(signer=ANN))],
    "with a head for another purpose": lambda it: [it.welcome(head=it.head_text(label=identity.ENTRY))],
    "with a history where there is none": lambda it: [it.welcome(since=HERE, base=it.base())],
    "with a head that was altered": lambda it: [it.welcome(head=b"\x01" + it.head_text()[1:])],
    "with a past for one who has none": lambda it: [it.welcome(since=HERE - 1)],
    "a second time": lambda it: [it.welcome()[0], it.welcome()[0]],
    "with a page altered": lambda it: [it.welcome()[0], frames.Page(bytes(1_000))],
    "with an empty page": lambda it: [it.welcome()[0], frames.Page(b"")],
    "with a page before it": lambda it: [it.welcome()[1]],
    "whose page is followed by another": lambda it: [it.welcome(), it.welcome()[1]],
    "by an entry": lambda it: [it.entry(ANN, text("lie"))],
    "by a head": lambda it: [it.head],
    "by a resumption": lambda _: [frames.Resumed(0, 0)],
    "by a denial": lambda _: [frames.Denied(1, "nick-taken")],
    "by a slice": lambda it: [it.slice],
    "by a past": lambda it: [it.past(it.entry(ANN, text("lie")))],
    "by noise": lambda _: [bytes(64)],
}


@pytest.mark.parametrize("wrongly", WRONG_WELCOMES)
def test_a_host_that_welcomes_wrongly_is_left_with_an_alarm(wrongly: str) -> None:
    """5.9, 7.1, 7.2"""
    host = FalseHost()
    host.greets()
    host.seats_guest()
    items: list[Item] = []
    for item in WRONG_WELCOMES[wrongly](host):
        items += item if isinstance(item, list) else [item]
    *honest, lying = items
    host.hears(*honest)
    assert not host.room.over
    happened = host.hears(lying)
    assert [kind for kind in kinds(happened) if kind != "Error"] == ["Alarm", "Gone"]
    assert host.room.over
    assert ("Error" in kinds(happened)) == (wrongly != "whose page is followed by another")


WRONG_ROSTERS: dict[str, Callable[[FalseHost], list[Item]]] = {
    "one who is not there": with_seat(),
    "one without a seat": without(ANN.id),
    "another leaf": lambda it: [
        it.welcome(
            seats=[
                msgspec.structs.replace(seat, leaf=bytes(32)) if seat.key == ANN.key else seat
                for seat in it.state().seats
            ]
        )
    ],
    "one as away": as_we_are(away=True),
    "another name of the room": lambda it: [it.welcome(name="demolition")],
    "another lock": lambda it: [it.welcome(locked=True)],
    "other times to live": lambda it: [it.welcome(retention=BOUNDS)],
    "another history": lambda it: [it.welcome(history=frames.History(10, 0))],
}


@pytest.mark.parametrize("wrongly", WRONG_ROSTERS)
def test_one_who_was_welcomed_to_another_roster_has_no_part_in_the_next_epoch(wrongly: str) -> None:
    """6.2"""
    host = FalseHost()
    host.greets()
    host.seats_guest()
    assert kinds(host.hears(*WRONG_ROSTERS[wrongly](host)))[:2] == ["Link", "Entered"]
    host.hears(host.commit())
    assert not host.room.over
    assert_left_in_alarm(host, host.hears(host.slice))


def test_nobody_joins_twice_in_an_epoch(host: FalseHost) -> None:
    """3.2: what it signed under its old chain could be sealed again under the new."""
    host.hears(host.entry(ANN, Leave()))
    happened = host.hears(host.entry(HOST, Joined(ANN.key, "ann", LEAF)))
    assert kinds(happened)[-2:] == ["Alarm", "Gone"]
    assert host.room.over


def test_lines_that_wait_are_given_back_when_the_welcome_is_wrong() -> None:
    host = FalseHost()
    host.takes(inputs.Say("typed early", re=7))
    host.greets()
    host.seats_guest()
    happened = host.hears(*host.welcome(name=""))
    assert kinds(happened) == ["Alarm", "Error", "Unsent", "Gone"]
    assert_left_in_alarm(host, happened, member=b"")
    assert host.room.failure is not None


def test_a_welcome_without_its_last_page_shows_nothing() -> None:
    host = FalseHost()
    host.greets()
    host.seats_guest()
    box, page = host.welcome()
    assert isinstance(box, frames.Welcome)
    assert isinstance(page, frames.Page)
    halves = [frames.Page(page.part[:500]), frames.Page(page.part[500:])]
    assert host.hears(frames.Welcome(box.box, 3), *halves) == []
    assert not host.room.entered


@pytest.mark.parametrize("pages", [0, limits.PAGES + 1])
def test_a_welcome_of_no_pages_or_too_many_is_none(pages: int) -> None:
    """2.7: 1 to 40."""
    host = FalseHost()
    host.greets()
    host.seats_guest()
    box = host.welcome()[0]
    assert isinstance(box, frames.Welcome)
    assert kinds(host.hears(frames.Welcome(box.box, pages))) == ["Alarm", "Error", "Gone"]


def test_a_roster_beyond_the_limit_is_not_held(monkeypatch: pytest.MonkeyPatch) -> None:
    host = FalseHost()
    host.greets()
    host.seats_guest()
    monkeypatch.setattr(limits, "MEMBERS", 2)
    assert kinds(host.hears(*host.welcome())) == ["Alarm", "Error", "Gone"]


def test_a_recorded_welcome_of_our_own_is_none_on_another_link() -> None:
    """7.1: the signature and the box are over the hello of this very link."""
    host = FalseHost()
    host.greets()
    host.seats_guest()
    recorded = host.welcome()
    host.redials()
    assert kinds(host.hears(recorded[0])) == ["Alarm", "Error", "Gone"]


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\xc1",
        bytes(1_300),
        bytes(1_918),
        padding.pad(b"\xc1", 1_918),
        hello()[:-1] + b"?",
        hello()[:-1],
        hello() + b"\0",
        hello() + bytes(1_920),
        hello()[2:],
    ],
)
def test_what_is_no_hello_ends_it(answer: bytes) -> None:
    host = FalseHost()
    host.takes(inputs.Dialling(1, ""))
    assert kinds(host.hears(answer)) == ["Alarm", "Error", "Gone"]


@pytest.mark.parametrize("door", [bytes(1_216), EVE.leaf.public[:-32] + bytes(32), b"\xff" * 1_216])
def test_a_door_that_cannot_be_sealed_to_ends_it(door: bytes) -> None:
    """3.2: an X25519 key of small order, an ML-KEM key that is none."""
    host = FalseHost()
    host.takes(inputs.Dialling(1, ""))
    happened = host.hears(hello(door=door))
    assert kinds(happened) == ["Alarm", "Error", "Gone"]
    assert not [effect for effect in host.effects if isinstance(effect, effects.Send)]


@pytest.mark.parametrize("version", [0, 1, 2, 4])
def test_a_host_of_another_version_is_not_asked(version: int) -> None:
    """2.3"""
    host = FalseHost()
    host.takes(inputs.Dialling(1, ""))
    happened = host.hears(hello(version))
    assert kinds(happened) == ["Error", "Gone"]
    assert not [effect for effect in host.effects if isinstance(effect, effects.Send)]
    assert host.room.failure is not None


REFUSALS: list[tuple[frames.Refusal, str]] = [
    ("signature", "refused"),
    ("leaf", "refused"),
    ("full", "refused"),
    ("locked", "locked"),
    ("bad-nick", "bad-nick"),
    ("nick-taken", "nick-taken"),
    ("unknown", "refused"),
    ("kicked", "refused"),
]


@pytest.mark.parametrize(("reason", "code"), REFUSALS)
def test_a_refusal_is_told_in_our_own_words(reason: frames.Refusal, code: str) -> None:
    host = FalseHost()
    host.greets()
    error, gone = host.hears(frames.Refused(reason))
    assert isinstance(error, events.Error)
    assert error.code == code
    assert isinstance(gone, events.Gone)
    assert gone.reason == ("kicked" if reason == "kicked" else "refused")


def test_a_join_answers_the_hello_of_its_own_link_with_a_secret_of_its_own() -> None:
    """2.5"""
    host = FalseHost()
    links = set()
    for ask in (host.greets, host.redials):
        join = ask()
        assert isinstance(join, frames.Join)
        assert join.nick == "me"
        content = host.hello + join.link + join.key + suite.digest(join.leaf) + b"me"
        assert identity.signed(identity.JOIN, ROOM, content, join.signature, join.key)
        links.add(join.link)
    assert len(links) == 2


def test_heads_over_nothing_new_say_nothing(host: FalseHost) -> None:
    assert host.hears(host.head(), host.head()) == []
    assert not host.room.over


def test_what_was_not_ordered_is_given_back_when_the_host_lies(host: FalseHost) -> None:
    host.says("precious")
    happened = host.hears(bytes(478))
    assert kinds(happened) == ["Alarm", "Unsent", "Gone"]
    assert_left_in_alarm(host, happened)


def test_ones_own_entry_changed_by_the_host_is_not_shown(host: FalseHost) -> None:
    mine = host.says("I agree")
    changed = host.seal(mine.header, mine.body.replace(b"I agree", b"I doubt"))
    happened = host.hears(changed)
    assert_left_in_alarm(host, happened)
    assert [event.text for event in happened if isinstance(event, events.Unsent)] == ["I agree"]


def test_an_entry_of_our_own_that_we_never_wrote_is_not_shown(host: FalseHost) -> None:
    assert_left_in_alarm(host, host.hears(host.entry(host.room._me, text("lie"))))


def test_the_id_of_ones_own_input_is_at_ones_own_entry_alone(host: FalseHost) -> None:
    host.takes(inputs.Say("mine", re=7))
    [mine] = host.submits()
    [anns] = host.hears(host.entry(ANN, text("hers, with the same counter")))
    assert anns.re is UNSET
    [own] = host.hears(mine)
    assert own.re == 7


def test_ones_own_entry_ordered_twice_is_not_shown_twice(host: FalseHost) -> None:
    mine = host.says("once")
    assert kinds(host.hears(mine)) == ["Message"]
    assert_left_in_alarm(host, host.hears(mine))


def test_a_denied_text_is_given_back(host: FalseHost) -> None:
    host.says("unwanted")
    assert kinds(host.hears(frames.Denied(1, "too-often"))) == ["Error", "Unsent"]
    assert host.room.outstanding == 0


@pytest.mark.parametrize(
    ("typed", "reason", "words"),
    [
        (inputs.Say("x"), "repeated", "repetition"),
        (inputs.Say("x"), "nick-taken", "nick"),
        (inputs.Rename("x"), "repeated", "did not take that nick"),
        (inputs.Rename("x"), "too-often", "too many"),
        (inputs.Rename("x"), "nick-taken", "taken"),
    ],
)
def test_a_denial_is_told_in_our_own_words(
    host: FalseHost, typed: inputs.Typed, reason: frames.Denial, words: str
) -> None:
    host.takes(typed)
    error = host.hears(frames.Denied(1, reason))[0]
    assert isinstance(error, events.Error)
    assert words in error.text


def test_a_second_denial_is_one_of_nothing(host: FalseHost) -> None:
    host.says("unwanted")
    host.hears(frames.Denied(1, "too-often"))
    assert_left_in_alarm(host, host.hears(frames.Denied(1, "too-often")))


def test_what_was_given_back_is_never_shown_as_ordered(host: FalseHost) -> None:
    mine = host.says("unwanted")
    assert kinds(host.hears(frames.Denied(1, "too-often"))) == ["Error", "Unsent"]
    assert_left_in_alarm(host, host.hears(mine))


def test_a_host_that_leaves_out_one_of_our_own_lines_is_noticed(host: FalseHost) -> None:
    """5.7: they come in the order in which they were written."""
    host.says("first")
    second = host.says("second")
    assert_left_in_alarm(host, host.hears(second))


def test_generations_may_leave_out_as_many_as_a_host_may_have_denied(host: FalseHost) -> None:
    """6.6"""
    far = host.entry(ANN, text("far on"), generation=limits.SKIPPED)
    further = host.entry(ANN, text("further"), generation=2 * limits.SKIPPED + 1)
    assert kinds(host.hears(far, further)) == ["Message"] * 2


def test_a_welcome_that_broke_off_is_forgotten_on_the_next_link() -> None:
    host = FalseHost()
    host.greets()
    host.seats_guest()
    host.hears(host.welcome()[0])
    host.redials()
    assert kinds(host.hears(*host.welcome())) == ["Link", "Entered"]


def test_cover_is_answered_by_a_record_that_says_nothing(host: FalseHost) -> None:
    """2.7: "One with echo asks for a record in answer, with or without frames"; 2.9."""
    assert host.hears(*host.record(echo=True)) == []
    assert host.effects == [effects.Record(inputs.UPLINK)]
    assert host.hears(*host.record()) == []
    assert host.effects == []


def test_cover_is_answered_by_a_host_too(inn: Inn) -> None:
    assert inn.eve.sends(echo=True) == [effects.Record(inn.eve.link)]
    assert inn.eve.sends() == []


def test_a_member_that_has_nothing_to_say_says_so_in_time_and_no_more_often(host: FalseHost) -> None:
    """1.4"""
    tick = START
    for _ in range(3):
        deadline = host.room.next_deadline()
        assert deadline is not None
        assert limits.BEAT * (1 - limits.BEAT_JITTER) <= deadline - tick <= limits.BEAT
        host.takes(inputs.Tick(), NOW._replace(tick=deadline - 0.01))
        assert host.effects == []
        host.takes(inputs.Tick(), NOW._replace(tick=deadline))
        assert host.records() == [frames.MemberRecord(echo=False, frames=[])]
        tick = deadline


def test_what_one_head_covers_is_shown_in_its_order(host: FalseHost) -> None:
    """5.6"""
    shown = host.hears(host.burst(*(host.entry(ANN, text(f"text {number}")) for number in (1, 2, 3))))
    assert kinds(shown) == ["Message"] * 3
    assert [event.seq for event in shown if isinstance(event, events.Message)] == [HERE + 1, HERE + 2, HERE + 3]


def test_nothing_is_shown_before_its_head(host: FalseHost) -> None:
    """5.6: though each entry is its author's."""
    false = host.burst(*(host.entry(ANN, text(f"text {number}")) for number in (1, 2, 3)), signer=ANN)
    assert_left_in_alarm(host, host.hears(false))


def test_a_head_that_covers_a_lie_shows_what_was_true_before_it_and_no_more(host: FalseHost) -> None:
    lying = host.burst(host.entry(ANN, text("true")), host.entry(ANN, text("lie"), signer=EVE))
    assert kinds(host.hears(lying)) == ["Message", "Alarm", "Gone"]


@pytest.mark.parametrize("end", ["the host's", "our own", "our removal"])
def test_what_one_head_covers_behind_the_end_of_the_room_is_not_shown(host: FalseHost, end: str) -> None:
    """5.10"""
    if end == "our own":
        host.takes(inputs.Leave())
        [last] = host.submits()
    elif end == "our removal":
        last = host.commit(Removal(host.me, "kicked", ""))
    else:
        last = host.entry(HOST, Close())
    assert kinds(host.hears(host.burst(last, host.entry(ANN, text("too late")))))[-1] == "Gone"
    assert not [event for event in told(host.effects) if isinstance(event, events.Message | events.Alarm)]


# --- what does not last


def test_a_past_in_place_of_a_burst_steps_over_generations_and_what_follows_opens(host: FalseHost) -> None:
    """5.13"""
    host.hears(host.entry(ANN, text("one")))
    fading_, kept = fading(host), host.entry(ANN, text("two"))
    came, eves = host.entry(HOST, Joined(EVE.key, "eve", LEAF)), host.entry(EVE, text("three"))
    past = host.past(fading_, kept, came, eves, gone=[fading_], time=60_000)
    shown = host.hears(past)
    assert kinds(shown) == ["Message", "Joined", "Message", "ExpiredUnseen"]
    assert [it.count for it in shown if isinstance(it, events.ExpiredUnseen)] == [1]
    host.time = 60_000
    shown = host.hears(host.entry(ANN, text("four"), generation=5), host.entry(EVE, text("five")))
    assert [event.text for event in shown if isinstance(event, events.Message)] == ["four", "five"]
    host.turns()
    assert kinds(host.hears(host.entry(ANN, text("six")))) == ["Message"]


def test_a_past_that_ends_with_a_commit_leads_into_the_next_epoch(host: FalseHost) -> None:
    """5.13, 6.9"""
    assert kinds(host.hears(host.past(host.entry(ANN, text("one")), host.commit()), host.slice)) == ["Message"]
    assert kinds(host.hears(host.entry(ANN, text("two")))) == ["Message"]


def test_generations_may_be_left_out_before_and_after_what_is_gone(host: FalseHost) -> None:
    """6.6"""
    far = fading(host, generation=limits.SKIPPED)
    further = host.entry(ANN, text("further"), generation=2 * limits.SKIPPED + 1)
    assert kinds(host.hears(gone(host, far, time=60_000))) == ["ExpiredUnseen"]
    host.time = 60_000
    assert kinds(host.hears(further)) == ["Message"]


def test_a_time_that_a_host_has_claimed_binds_it_on_other_links_too(host: FalseHost) -> None:
    """5.6: or it would pass off what lives as expired."""
    host.hears(gone(host, fading(host), time=60_000))
    host.redials()
    host.hears(frames.Resumed(host.ledger.index, 0))
    assert_left_in_alarm(host, host.hears(host.burst(host.entry(ANN, Nick("anna")), time=59_999)))


def test_a_time_that_a_host_has_claimed_binds_it_after_a_welcome_too(host: FalseHost) -> None:
    """5.6"""
    host.hears(gone(host, fading(host), time=60_000))
    host.redials()
    host.ledger.start_at(HERE + 7, bytes(32))
    assert_left_in_alarm(host, host.hears(*host.welcome(head=host.head_text(time=59_999))))


def test_a_time_that_a_host_has_claimed_does_not_bind_what_was_before(host: FalseHost) -> None:
    """5.6: at a lower index."""
    host.redials()
    host.hears(frames.Resumed(HERE + 2, 9_000))
    assert kinds(host.hears(host.entry(ANN, text("one")), host.entry(ANN, text("two")))) == ["Message"] * 2


def test_what_is_gone_of_our_own_is_shown_and_ends_at_once(host: FalseHost) -> None:
    """5.5"""
    host.takes(inputs.Retain(60))
    mine = host.says("ordered, and over")
    host.redials()
    happened = host.hears(frames.Resumed(HERE + 1, 60_000), gone(host, mine, time=60_000))
    assert kinds(happened) == ["Link", "Message"]
    assert host.room.outstanding == 0
    assert kinds(host.takes(inputs.Tick())) == ["Expired"]


@pytest.mark.parametrize(
    "otherwise",
    [
        {"header": {"ttl": 59}},
        {"header": {"ttl": FLEETING}},
        {"header": {"generation": 7}},
        {"body": b"what we never said"},
    ],
)
def test_a_host_that_passes_off_something_else_as_gone_of_our_own_is_left(
    host: FalseHost, otherwise: dict[str, Any]
) -> None:
    """5.7, 5.13: nobody but us could know."""
    host.takes(inputs.Retain(60))
    mine = host.says("mine")
    host.redials()
    host.hears(frames.Resumed(HERE + 1, 60_000))
    header, body = otherwise.get("header", {}), otherwise.get("body", mine.body)
    happened = host.hears(gone(host, mine._replace(header=mine.header._replace(**header), body=body), time=60_000))
    assert_left_in_alarm(host, happened)
    assert [event.text for event in happened if isinstance(event, events.Unsent)] == ["mine"]


@pytest.mark.parametrize("typed", [inputs.Say("mine"), inputs.Rename("moi"), inputs.Leave()])
def test_what_we_have_said_for_good_is_not_gone(host: FalseHost, typed: inputs.Typed) -> None:
    """5.7, 5.13: though the host says that we wanted it so."""
    host.takes(typed)
    [mine] = host.submits()
    assert_left_in_alarm(host, host.hears(gone(host, mine._replace(header=mine.header._replace(ttl=60)))))


OUT_OF_BOUNDS = [FLEETING, BOUNDS.least - 1, BOUNDS.most + 1, KEPT]


@pytest.mark.parametrize("ttl", OUT_OF_BOUNDS)
@pytest.mark.parametrize("private", [False, True])
def test_a_host_that_orders_what_lives_too_long_or_too_short_is_left(ttl: int, private: bool) -> None:
    """5.7"""
    host = FalseHost(retention=BOUNDS)
    host.lets_in()
    body = host.box(ANN, host.room._me, host.room._leaves[0], "lie") if private else text("lie")
    assert_left_in_alarm(host, host.hears(host.entry(ANN, body, ttl=ttl)))


@pytest.mark.parametrize("ttl", [FLEETING, BOUNDS.least - 1, BOUNDS.most + 1])
def test_a_host_that_passes_off_as_expired_what_never_could_is_left(ttl: int) -> None:
    """5.7, 5.13"""
    host = FalseHost(retention=BOUNDS)
    host.lets_in()
    assert_left_in_alarm(host, host.hears(gone(host, fading(host, ttl=ttl))))


@pytest.mark.parametrize("ttl", [BOUNDS.least, BOUNDS.default, BOUNDS.most])
def test_what_lives_as_long_as_its_room_allows_is_shown(ttl: int) -> None:
    """5.7"""
    host = FalseHost(retention=BOUNDS)
    host.lets_in()
    [message] = host.hears(host.entry(ANN, text("hello"), ttl=ttl))
    assert isinstance(message, events.Message)
    assert message.ttl == ttl


@pytest.mark.parametrize("private", [False, True])
@pytest.mark.parametrize("ttl", OUT_OF_BOUNDS)
def test_a_member_whose_messages_live_too_long_or_too_short_is_dropped(ttl: int, private: bool) -> None:
    """5.7, 5.8"""
    inn = Inn(retention=BOUNDS)
    body = frames.Private(bytes(frames.BOX + 1)) if private else text("lie")
    assert_dropped(inn, inn.eve.says(body, ttl=ttl))


@pytest.mark.parametrize("body", [Nick("evelyn"), Leave(), Renew(LEAF)])
def test_only_messages_live_as_their_room_has_it(body: frames.Body) -> None:
    """5.7"""
    inn = Inn(retention=BOUNDS)
    assert_dropped(inn, inn.eve.says(body, ttl=BOUNDS.default))


# --- what never changes in a room


def welcomed_later(host: FalseHost, how: str, **otherwise: Any) -> list[events.Event]:
    """What a guest tells its user that is welcomed once more, to a room of which this is said."""
    if how == "with its log":
        host.redials()
        return host.hears(*host.welcome(past=True, **otherwise))
    if how == "without its log":
        host.redials()
        host.ledger.start_at(HERE + 7, bytes(32))
    else:
        come_anew(host)
        host.ledger.roster.remove(host.ledger.member(host.me))
        host.seats_guest()
    return host.hears(*host.welcome(**otherwise))


LATER = ["with its log", "without its log", "as somebody new"]


@pytest.mark.parametrize("how", LATER)
@pytest.mark.parametrize(
    "otherwise",
    [
        {"name": "demolition"},
        {"retention": BOUNDS},
        {"history": frames.History(10, 0)},
        {"history": frames.History(0, 60)},
    ],
)
def test_a_host_that_changes_the_rules_of_its_room_is_left(
    host: FalseHost, how: str, otherwise: dict[str, Any]
) -> None:
    """7.2"""
    happened = welcomed_later(host, how, **otherwise)
    assert [kind for kind in kinds(happened) if kind not in ("Error", "Link")] == ["Alarm", "Gone"]
    assert host.room.over


@pytest.mark.parametrize("how", LATER)
def test_a_host_that_keeps_the_rules_of_its_room_is_not(host: FalseHost, how: str) -> None:
    assert "Alarm" not in kinds(welcomed_later(host, how))
    assert host.room.entered


# --- what newcomers are shown of what was said before


@pytest.fixture
def teller() -> FalseHost:
    """A host of a room with a history, and a guest who has asked to be let in."""
    host = FalseHost(history=frames.History(10, 0))
    host.greets()
    host.know_chains()
    return host


def history(it: FalseHost, *bursts: list[Placed], fades: list[Placed] | None = None, **otherwise: Any) -> list[Item]:
    """A Welcome to a room in which this was said, and then the guest joined; and all of it as Pasts.

    fades: what of it has expired by now.
    """
    since, base = it.ledger.index, it.base()
    pasts = [it.past(*burst, gone=fades or []) for burst in bursts]
    pasts.append(it.past(it.orders_guest()))
    pasts = [msgspec.structs.replace(past, index=it.ledger.index, time=it.time + 60_000) for past in pasts]
    return [*it.welcome(**{"since": since, "base": base, **otherwise}), *pasts]


def test_a_newcomer_is_shown_what_leads_to_the_welcome_and_follows_from_there(teller: FalseHost) -> None:
    """5.18"""
    one, fading_ = teller.entry(ANN, text("one")), fading(teller)
    bursts = [
        [one, fading_, teller.entry(ANN, Nick("anna"))],
        [teller.entry(HOST, Joined(EVE.key, "eve", LEAF)), teller.entry(EVE, text("two")), teller.entry(EVE, Leave())],
        [teller.entry(HOST, Lost(ANN.id)), teller.entry(HOST, Back(ANN.id)), teller.entry(ANN, Renew(LEAF))],
        [teller.entry(HOST, Lock(locked=True)), teller.entry(HOST, Lock(locked=False)), teller.entry(HOST, text("ho"))],
    ]
    happened = teller.hears(*history(teller, *bursts, fades=[fading_]))
    shown = [(it.nick, it.text, it.seq) for it in happened if isinstance(it, events.Message) and it.history]
    assert shown == [("ann", "one", HERE + 1), ("eve", "two", HERE + 5), ("hugo", "ho", HERE + 12)]
    assert not {"Alarm", "Gone"} & {*kinds(happened)}
    teller.time = 60_000
    [message] = teller.hears(teller.entry(ANN, text("three")))
    assert isinstance(message, events.Message)
    assert (message.nick, message.history) == ("anna", False)
    teller.turns()
    assert kinds(teller.hears(teller.entry(ANN, text("four")))) == ["Message"]


def one_more(it: FalseHost) -> list[Item]:
    """A history that is longer than the Welcome said."""
    one = it.entry(ANN, text("true"))
    *items, last = history(it, [one])
    return [*items, last, at(it, 60_000).past(it.entry(ANN, text("more")))]


def beyond(it: FalseHost) -> list[Item]:
    """The same in the last of its bursts."""
    since, base = it.ledger.index, it.base()
    first = it.past(it.entry(ANN, text("true")), it.orders_guest())
    head, seats = it.head_text(), it.state().seats
    more = it.entry(ANN, Nick("anna"))
    it.place(more)
    entries = [*first.entries, frames.Opened(more.header.pack(), more.body)]
    return [
        *it.welcome(since=since, base=base, head=head, seats=seats),
        frames.Past(entries, it.head_text(), it.ledger.index, 0),
    ]


def cut_short(it: FalseHost) -> list[Item]:
    """One in the midst of which the host goes on with what is said now."""
    *items, _ = history(it, [it.entry(ANN, text("true"))])
    return [*items, lambda: it.entry(ANN, text("lie"))]


def burst_left_out(it: FalseHost, which: int) -> list[Item]:
    """One of three bursts does not come."""
    bursts = [[it.entry(ANN, text(words))] for words in ("true", "not shown", "lie")]
    welcome, page, *pasts = history(it, *bursts)
    del pasts[which]
    return [welcome, page, *pasts[: which + 1]]


def reordered(it: FalseHost) -> list[Item]:
    """The second of two bursts comes first."""
    welcome, page, one, other, _ = history(it, [it.entry(ANN, text("one"))], [it.entry(HOST, text("lie"))])
    del one
    return [welcome, page, other]


def within_a_burst(it: FalseHost, change: Callable[[list[Any]], list[Any]]) -> list[Item]:
    """The entries of a burst are changed, but not its head."""
    welcome, page, past, _ = history(it, [it.entry(ANN, text("lie")), it.entry(HOST, text("lies"))])
    assert isinstance(past, frames.Past)
    return [welcome, page, msgspec.structs.replace(past, entries=change(past.entries))]


def based_on(it: FalseHost, **otherwise: Any) -> list[Item]:
    """A history that begins with another room than it was."""
    since, base = it.ledger.index, msgspec.structs.replace(it.base(), **otherwise)
    past = it.past(it.orders_guest())
    return [*it.welcome(since=since, base=base), past]


def badly_based(it: FalseHost, **otherwise: Any) -> list[Item]:
    """The same with another that no room is."""
    return based_on(it, **otherwise)[:-1]


def with_sitter(based: Callable[..., list[Item]], who: int, **otherwise: Any) -> Callable[[FalseHost], list[Item]]:
    """The same where one member is another than it was."""

    def lie(it: FalseHost) -> list[Item]:
        members = it.base().members
        members[who] = msgspec.structs.replace(members[who], **otherwise)
        return based(it, members=members)

    return lie


def told_lies(*lies: Callable[[FalseHost], Placed], **otherwise: Any) -> Callable[[FalseHost], list[Item]]:
    """A history of one burst in which this is said, and not what follows it."""
    return lambda it: history(it, [lie(it) for lie in lies], **otherwise)[:-1]


def told_expired(**entry: Any) -> Callable[[FalseHost], list[Item]]:
    """A history of one burst in which a text has expired, in its first minute."""

    def lie(it: FalseHost) -> list[Item]:
        expired = fading(it, **entry)
        return history(it, [expired], fades=[expired])[:-1]

    return lie


def too_early(it: FalseHost) -> list[Item]:
    items = told_expired()(it)
    past = items.pop()
    assert isinstance(past, frames.Past)
    return [*items, msgspec.structs.replace(past, time=59_999)]


def of_before(it: FalseHost) -> list[Item]:
    """A history whose heads go back in time."""
    since, base = it.ledger.index, it.base()
    one = at(it, 2_000).past(it.entry(ANN, text("true")))
    two = at(it, 1_999).past(it.entry(ANN, text("lie")))
    it.past(it.orders_guest())
    return [*at(it, 3_000).welcome(since=since, base=base), one, two]


def two_histories(it: FalseHost) -> list[Item]:
    """Entries that do not lead to the head of the Welcome, though it is of their index."""
    items = history(it, [it.entry(ANN, text("true"))])
    return [*it.welcome(since=HERE, base=it_was(it), head=it.head_text(digest=bytes(32))), *items[2:]]


def it_was(it: FalseHost) -> frames.Base:
    """The room as it was when the guest asked."""
    before = FalseHost(history=frames.History(10, 0))
    return before.base()


def to_another_epoch(it: FalseHost) -> list[Item]:
    """A history with a commit, and a Welcome to the epoch before it."""
    since, base = it.ledger.index, it.base()
    pasts = [it.past(it.entry(ANN, text("true")), it.commit()), it.past(it.orders_guest(epoch=1))]
    return [*it.welcome(since=since, base=base), *pasts]


def never_expiring(it: FalseHost) -> list[Item]:
    """A history in which a text has expired that no such room allows."""
    expired = fading(it)
    return history(it, [expired], fades=[expired], retention=frames.Retention(0, 0, 0))[:-1]


def after_its_end(it: FalseHost) -> list[Item]:
    """A history of nothing, from an entry on that is to come."""
    it.place(it.orders_guest())
    return [*it.welcome(since=it.ledger.index + 1, base=it.base())]


def beyond_all(it: FalseHost) -> list[Item]:
    """A Welcome whose head is of an index that no frame can name."""
    since, base = it.ledger.index, it.base()
    it.place(it.orders_guest())
    return [*it.welcome(since=since, base=base, head=it.head_text(index=frames.COUNTS))]


LIES_IN_A_HISTORY: dict[str, Callable[[FalseHost], list[Item]]] = {
    "a forged entry": told_lies(lambda it: it.entry(ANN, text("lie"), signer=EVE)),
    "an entry of a stranger": told_lies(lambda it: it.entry(EVE, text("lie"))),
    "an entry of one who is away": told_lies(
        lambda it: it.entry(HOST, Lost(ANN.id)), lambda it: it.entry(ANN, text("lie"))
    ),
    "an entry for another epoch": told_lies(lambda it: it.entry(ANN, text("lie"), epoch=1)),
    "an entry for another room": told_lies(lambda it: it.entry(ANN, text("lie"), signer=Somebody(b"a", b"s" * 32))),
    "an entry for another purpose": told_lies(lambda it: it.entry(ANN, text("lie"), label=identity.HEAD)),
    "an entry from before it": told_lies(lambda it: it.entry(HOST, text("lie"), counter=3)),
    "an entry repeated": told_lies(
        lambda it: it.entry(ANN, Nick("anna"), counter=1), lambda it: it.entry(ANN, text("lie"), counter=1)
    ),
    "an entry that is no content": told_lies(lambda it: it.entry(ANN, padded(b"\xc1"))),
    "an entry that its author may not write": told_lies(lambda it: it.entry(ANN, Lost(HOST.id))),
    "an entry that is kept too long": lambda it: history(
        it, [it.entry(ANN, text("lie"), ttl=KEPT)], retention=frames.Retention(0, 60, 60)
    )[:-1],
    "a reference to what is to come": told_lies(lambda it: it.entry(ANN, text("lie"), reference=(90, bytes(32)))),
    "what is kept as expired": told_expired(ttl=KEPT),
    "what lives as expired": too_early,
    "what lives for longer as expired": told_expired(ttl=61),
    "what never could as expired": never_expiring,
    "an expired text of a stranger": told_expired(author=EVE),
    "an expired text from before it": told_expired(author=HOST, counter=3),
    "the first burst left out": lambda it: burst_left_out(it, 0),
    "a burst left out": lambda it: burst_left_out(it, 1),
    "bursts in another order": reordered,
    "entries in another order": lambda it: within_a_burst(it, lambda entries: entries[::-1]),
    "an entry left out": lambda it: within_a_burst(it, lambda entries: entries[1:]),
    "the last entry left out": lambda it: within_a_burst(it, lambda entries: entries[:1]),
    "an entry told twice": lambda it: within_a_burst(it, lambda entries: [*entries, entries[-1]]),
    "a time that goes back": of_before,
    "a time after its end": lambda it: [*history(it)[:2], lambda: at(it, 1).past(time=0)],
    "one burst more in its last": beyond,
    "an end before its end": cut_short,
    "another end": two_histories,
    "an end in another epoch": to_another_epoch,
    "an end beyond all": beyond_all,
    "a beginning after its end": after_its_end,
    "a beginning without the host": lambda it: badly_based(it, members=it.base().members[1:]),
    "a beginning with another log": lambda it: based_on(it, digest=bytes(32)),
    "a beginning in another epoch": lambda it: based_on(it, epoch=1),
    "a beginning with another lock": lambda it: based_on(it, locked=True),
    "a beginning with another nick": with_sitter(based_on, 1, nick="eve"),
    "a beginning with an improper nick": with_sitter(badly_based, 1, nick="a\u202enn"),
    "a beginning with two alike": with_sitter(badly_based, 1, nick="Hugo"),
    "a beginning with another member": with_sitter(based_on, 1, key=EVE.key),
    "a beginning with a key of all": with_sitter(badly_based, 1, key=b"\x01" + bytes(31)),
    "a beginning with another leaf": with_sitter(based_on, 1, leaf=bytes(32)),
    "a beginning with one who is not away": with_sitter(based_on, 1, away=True),
    "a beginning with one more": lambda it: based_on(
        it, members=[*it.base().members, frames.Sitter(EVE.key, "eve", 0, away=False, leaf=LEAF)]
    ),
    "a beginning without one": lambda it: based_on(it, members=it.base().members[:1]),
    "a beginning in another order": lambda it: based_on(it, members=it.base().members[::-1]),
    "a beginning with us in it": lambda it: based_on(
        it, members=[*it.base().members, frames.Sitter(it.room._me.key, "me", 0, away=False, leaf=LEAF)]
    ),
}


@pytest.mark.parametrize("lie", LIES_IN_A_HISTORY)
def test_a_host_that_lies_about_what_was_before_is_left_with_an_alarm(teller: FalseHost, lie: str) -> None:
    """5.18"""
    *honest, lying = LIES_IN_A_HISTORY[lie](teller)
    before = teller.hears(*honest)
    assert not teller.room.over
    happened = teller.hears(lying)
    assert kinds(happened)[-1] == "Gone"
    assert [it.reason for it in happened if isinstance(it, events.Alarm)]
    assert not [it for it in before + happened if isinstance(it, events.Message) and it.text != "true"]


def test_what_comes_after_the_history_is_not_of_it(teller: FalseHost) -> None:
    """5.18: it ends with the Welcome's head."""
    happened = teller.hears(*one_more(teller))
    assert [(it.text, it.history) for it in happened if isinstance(it, events.Message)] == [
        ("true", True),
        ("more", False),
    ]


@pytest.fixture
def seen(teller: FalseHost) -> Placed:
    """Something that its guest was shown, in a room with a history; then the guest lost its link, and dialled again."""
    teller.hears(*history(teller))
    entry = at(teller, 60_000).entry(ANN, text("seen"))
    assert kinds(teller.hears(entry)) == ["Message"]
    teller.redials()
    return entry


@pytest.mark.parametrize("from_there", [False, True])
def test_one_who_comes_back_is_not_shown_another_history_than_it_has_seen(
    teller: FalseHost, seen: Placed, from_there: bool
) -> None:
    """5.6: also where the host says that its log does not reach back so far. from_there: on from where it was."""
    joined, _ = teller.placed
    again = at(FalseHost(), 60_000)
    since, base = again.ledger.index, again.base()
    pasts = [again.past(joined), again.past(again.entry(ANN, text("lie")))]
    if from_there:
        since, base = again.ledger.index, again.base()
        pasts = []
    pasts.append(again.past(again.entry(ANN, text("more"))))
    head = again.head_text()
    happened = teller.hears(*teller.welcome(since=since, base=base, head=head), *pasts)
    assert kinds(happened)[-2:] == ["Alarm", "Gone"]
    assert not [it for it in happened if isinstance(it, events.Message)]


def test_one_who_comes_back_is_shown_what_it_has_not_seen_of_the_same_history(teller: FalseHost, seen: Placed) -> None:
    """5.18"""
    unseen = teller.entry(ANN, text("unseen"))
    teller.place(unseen)
    again = at(FalseHost(), 60_000)
    base = again.base()
    pasts = [again.past(entry) for entry in teller.placed]
    shown = teller.hears(*teller.welcome(since=HERE, base=base), *pasts)
    assert [(it.text, it.history) for it in shown if isinstance(it, events.Message)] == [("unseen", True)]
    assert not teller.room.over


def test_a_host_whose_welcome_broke_off_does_not_turn_back_the_time(teller: FalseHost) -> None:
    """5.6"""
    base = teller.base()
    shown = teller.past(teller.entry(ANN, text("true")))
    teller.place(teller.orders_guest())
    teller.hears(*at(teller, 5_000).welcome(since=HERE, base=base), shown)
    assert isinstance(teller.redials(), frames.Join)
    teller.place(teller.entry(ANN, text("lie")))
    assert kinds(teller.hears(*at(teller, 4_999).welcome(since=HERE, base=base)))[-2:] == ["Alarm", "Gone"]


def test_a_history_that_refers_to_another_log_raises_an_alarm(teller: FalseHost) -> None:
    """5.9, 5.18"""
    teller.hears(*history(teller, [teller.entry(ANN, text("which log?"), reference=(HERE, bytes(32)))]))
    assert len(teller.room.evidence) == 1
    assert not teller.room.over


# --- private messages


def to_us(host: FalseHost, author: Somebody, words: str | bytes, **otherwise: Any) -> frames.Private:
    """What somebody says next to the guest alone."""
    return host.box(author, host.room._me, host.room._leaves[0], words, **otherwise)


def assert_shown_alone(host: FalseHost, *entries: Placed) -> None:
    """Nothing is shown of these, and nobody minds."""
    assert host.hears(*entries) == []
    assert kinds(host.hears(host.entry(ANN, text("on")))) == ["Message"]
    assert not host.room.evidence


def test_a_private_message_is_shown_to_whom_it_is_for(host: FalseHost) -> None:
    """5.15"""
    [message] = host.hears(host.entry(ANN, to_us(host, ANN, "between us")))
    assert isinstance(message, events.Message)
    assert (message.nick, message.text, message.private, message.to) == ("ann", "between us", True, UNSET)


@pytest.mark.parametrize("author", [ANN, HOST])
def test_a_copied_box_shows_nothing(host: FalseHost, author: Somebody) -> None:
    """5.15: it is bound to its author and counter."""
    box = to_us(host, ANN, "between us")
    host.hears(host.entry(ANN, box))
    assert_shown_alone(host, host.entry(author, box))


def test_a_box_of_an_epoch_shows_nothing_in_the_next(host: FalseHost) -> None:
    """5.15"""
    box = to_us(host, ANN, "between us")
    host.turns()
    assert [leaf.public for leaf in host.room._leaves][1:] == [host.request.leaf]
    assert_shown_alone(host, host.entry(ANN, box))


BOXES: dict[str, Callable[[FalseHost], frames.Private]] = {
    "to another": lambda it: it.box(ANN, BOB, BOB.leaf, "not for us"),
    "to us, under another's leaf": lambda it: it.box(ANN, it.room._me, BOB.leaf, "not for us"),
    "to another, under our leaf": lambda it: it.box(ANN, BOB, it.room._leaves[0], "not for us"),
    "of another room": lambda it: to_us(it, ANN, "not for us", room=b"s" * 32),
    "of another counter": lambda it: to_us(it, ANN, "not for us", counter=90),
    "noise": lambda _: frames.Private(bytes(frames.BOX + 1)),
    "all that fits of it": lambda _: frames.Private(b"\xff" * (frames.BOX + limits.TEXT)),
    "what is not text": lambda it: to_us(it, ANN, b"\xff"),
}


@pytest.mark.parametrize("box", BOXES)
def test_a_box_that_is_not_for_us_shows_nothing_and_costs_no_alarm(host: FalseHost, box: str) -> None:
    """5.15"""
    assert_shown_alone(host, host.entry(ANN, BOXES[box](host)))


def test_a_copied_box_shows_nothing_at_the_host_and_costs_nothing(inn: Inn) -> None:
    """5.15"""
    box = inn.ann.box(ANN, inn.host, inn.room._leaves[0], "between us")
    assert kinds(told(inn.ann.says(box))) == ["Message"]
    assert told(inn.ann.says(box)) == told(inn.eve.says(box)) == []
    assert_still_linked(inn.ann)
    assert_still_linked(inn.eve)


def test_a_thirty_first_private_message_at_once_is_denied_to_its_author_alone(inn: Inn) -> None:
    """5.8"""
    box = frames.Private(bytes(frames.BOX + 1))
    denied = [inn.eve.denials(inn.eve.says(box)) for _ in range(limits.PRIVATE_BURST + 2)]
    assert denied == [[]] * limits.PRIVATE_BURST + [[(31, "too-often")], [(32, "too-often")]]
    assert inn.ordered() == [box] * limits.PRIVATE_BURST
    inn.eve.says(text("on"))
    assert inn.ordered()[-1] == text("on")
    inn.ann.says(box)
    assert inn.ordered()[-1] == box


def test_one_who_has_changed_its_nick_too_often_still_writes_to_one(inn: Inn) -> None:
    """5.8: each has its measure."""
    for number in range(limits.NICK_BURST + 1):
        inn.eve.says(Nick(f"eve{number}"))
    box = frames.Private(bytes(frames.BOX + 1))
    inn.eve.says(box)
    assert inn.ordered()[-1] == box


# --- leaves that are sought


def test_all_leaves_are_sought_at_once_and_once(host: FalseHost) -> None:
    """5.15"""
    host = FalseHost()
    host.lets_in()
    sought = [frame.leaf for frame in host.spoken()]
    assert sought == [suite.digest(HOST.leaf.public), suite.digest(ANN.leaf.public)]
    host.hears(host.entry(HOST, Joined(EVE.key, "eve", LEAF)))
    assert host.spoken() == [frames.Seek(LEAF)]


def test_in_a_large_room_a_leaf_is_sought_when_it_is_to_be_written_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """5.15"""
    monkeypatch.setattr(limits, "RENEWING", 2)
    host = FalseHost()
    host.lets_in()
    assert host.spoken() == []
    host.takes(inputs.Whisper("ann", "between us"))
    assert host.spoken() == [frames.Seek(suite.digest(ANN.leaf.public))]


def test_a_text_to_one_whose_leaf_nobody_has_is_given_back_and_others_go_on(host: FalseHost) -> None:
    """2.7"""
    host.takes(inputs.Whisper("ann", "between us"))
    assert host.submits() == []
    host.takes(inputs.Say("to all"))
    happened = host.hears(frames.Missing(suite.digest(ANN.leaf.public)))
    assert kinds(happened) == ["Error", "Unsent"]
    assert [it.text for it in happened if isinstance(it, events.Unsent)] == ["/msg ann between us"]
    [mine] = host.submits()
    assert said(mine) == text("to all")
    assert kinds(host.hears(mine)) == ["Message"]


def test_the_lack_of_another_leaf_gives_nothing_back(host: FalseHost) -> None:
    host.takes(inputs.Whisper("ann", "between us"))
    assert host.hears(frames.Missing(suite.digest(HOST.leaf.public))) == []
    assert host.room.outstanding == 1
    host.hears(frames.Found(ANN.leaf.public))
    [mine] = host.submits()
    [message] = host.hears(mine)
    assert isinstance(message, events.Message)
    assert (message.text, message.private, message.to) == ("between us", True, "ann")


def test_a_text_to_one_whose_leaf_takes_none_is_given_back_and_others_go_on() -> None:
    """3.2"""
    host = FalseHost()
    host.ledger.member(ANN.id).leaf = suite.digest(WEAK)
    host.lets_in()
    assert host.hears(frames.Found(WEAK)) == []
    happened = host.takes(inputs.Whisper("ann", "between us"))
    assert kinds(happened) == ["Error", "Unsent"]
    assert host.submits() == []
    mine = host.says("to all")
    assert kinds(host.hears(mine)) == ["Message"]


def test_a_text_to_one_who_is_out_by_then_is_given_back(host: FalseHost) -> None:
    host.takes(inputs.Whisper("ann", "between us"))
    assert kinds(host.hears(host.entry(ANN, Leave()))) == ["Left", "Error", "Unsent"]
    assert host.room.outstanding == 0
    assert host.hears(frames.Missing(suite.digest(ANN.leaf.public))) == []


def test_leaves_are_sought_anew_on_another_link(host: FalseHost) -> None:
    host.hears(frames.Found(ANN.leaf.public))
    host.redials()
    host.hears(frames.Resumed(HERE, 0))
    assert host.spoken() == [frames.Seek(suite.digest(HOST.leaf.public))]
    assert_left_in_alarm(host, host.hears(frames.Found(ANN.leaf.public)))


def test_a_host_finds_the_leaves_that_are_in_the_log_and_no_others(inn: Inn) -> None:
    """5.15"""
    for epoch in (1, 2):
        inn.ticks(epoch * limits.EPOCH)
        inn.ann.follows()
        inn.eve.follows()

    def found(leaf: bytes) -> list[frames.Frame]:
        return inn.eve.answers(inn.eve.sends(frames.Seek(suite.digest(leaf))))

    assert found(ANN.leaf.public) == [frames.Found(ANN.leaf.public)]
    assert found(inn.room._leaves[0].public) == [frames.Found(inn.room._leaves[0].public)]
    assert found(ZOE.leaf.public) == [frames.Missing(suite.digest(ZOE.leaf.public))]
    inn.ann.sends(frames.Leaf(ZOE.leaf.public))
    assert found(ZOE.leaf.public) == [frames.Missing(suite.digest(ZOE.leaf.public))]
    inn.ann.says(Renew(suite.digest(ZOE.leaf.public)))
    assert found(ZOE.leaf.public) == [frames.Found(ZOE.leaf.public)]
    assert found(ANN.leaf.public) == [frames.Missing(suite.digest(ANN.leaf.public))]
    inn.ann.says(Renew(suite.digest(BOB.leaf.public)))  # which it has never shown
    assert found(BOB.leaf.public) == [frames.Missing(suite.digest(BOB.leaf.public))]


# --- safety words


def words(host: FalseHost, nick: str = "") -> Any:
    """What a guest compares with others."""
    [reply] = host.takes(inputs.Verify(nick))
    assert isinstance(reply, events.Reply)
    return reply.data


@pytest.fixture
def two() -> list[FalseHost]:
    """A host with two guests, each of whom it may tell something else."""
    hosts = [FalseHost(seed=seed) for seed in (b"one", b"two")]
    for host in hosts:
        host.lets_in()
    return hosts


@pytest.mark.parametrize("lie", ["another text", "one left out", "another order"])
def test_two_who_are_shown_different_logs_have_different_words_from_the_next_mark_on(
    two: list[FalseHost], lie: str
) -> None:
    """7.5"""
    one, other = two
    shown: dict[str, Callable[[FalseHost], list[Placed]]] = {
        "another text": lambda it: [it.entry(ANN, text("lie"))],
        "one left out": lambda it: [it.entry(HOST, text("true"))],
        "another order": lambda it: [it.entry(ANN, text("true")), it.entry(HOST, text("true"))],
    }
    one.hears(one.burst(one.entry(HOST, text("true")), one.entry(ANN, text("true")), time=1_000))
    other.hears(other.burst(*shown[lie](other), time=1_000))
    assert words(one)["words"] == words(other)["words"]  # of the empty log: nobody has said anything by then
    for host in two:
        host.hears(host.head(time=limits.MARK - 1))
    assert [words(host)["minutes"] for host in two] == [0, 0]
    for host in two:
        host.hears(host.head(time=limits.MARK))
    assert [words(host)["minutes"] for host in two] == [10, 10]
    assert words(one)["words"] != words(other)["words"]
    assert len(words(one)["words"]) == 10
    assert not one.room.evidence + other.room.evidence  # neither of them could know


def test_two_who_are_shown_one_log_have_the_same_words(two: list[FalseHost]) -> None:
    """7.5: however it comes to them, and whatever is on its way."""
    one, other = two
    entries = [[it.entry(ANN, text("true")), it.entry(HOST, text("true"))] for it in two]
    one.hears(*(one.burst(entry, time=limits.MARK - 1) for entry in entries[0]))
    other.hears(other.burst(*entries[1], time=limits.MARK - 1))
    one.hears(one.burst(one.entry(ANN, text("after")), time=limits.MARK))
    other.hears(other.head(time=limits.MARK + 5_000))
    assert words(one)["words"] == words(other)["words"]
    assert words(one)["minutes"] == words(other)["minutes"] == 10
    for host, time in ((one, 2 * limits.MARK), (other, 2 * limits.MARK)):
        host.hears(host.head(time=time))
    assert words(one)["previous"]["words"] == words(other)["previous"]["words"]
    assert words(one)["words"] != words(other)["words"]  # the other was not told what was said after


def test_a_past_makes_the_same_words_as_a_burst(two: list[FalseHost]) -> None:
    """7.5, 5.13"""
    one, other = (at(host, 1_000) for host in two)
    one.hears(one.entry(ANN, text("true")))
    other.hears(other.past(other.entry(ANN, text("true"))))
    for host in two:
        host.hears(at(host, limits.MARK).head())
    assert words(one)["words"] == words(other)["words"]
    assert words(one)["minutes"] == 10


def test_one_who_was_welcomed_later_shows_no_words_of_before(host: FalseHost) -> None:
    """7.5: what the host says of them proves nothing."""
    late = FalseHost(seed=b"late")
    late.greets()
    late.seats_guest()
    late.hears(*at(late, 2 * limits.MARK + 1).welcome())
    assert words(late) == {"words": [], "at": None, "minutes": None, "previous": None}
    late.hears(at(late, 3 * limits.MARK).head())
    assert (words(late)["minutes"], words(late)["previous"]) == (30, None)


def test_words_of_two_tell_whether_they_have_each_others_keys() -> None:
    """7.6: here is one between them, who speaks to each of them in the other's name."""
    room = Simulation()
    ann, bob = room.joined("ann"), room.joined("bob")
    between = FalseHost("bob")
    between.lets_in()

    def of(party: Party, nick: str) -> list[str]:
        [reply] = room.answers(party, room.verify(party, nick))
        assert isinstance(reply, events.Reply)
        words: list[str] = reply.data["words"]
        return words

    assert of(ann, "bob") == of(bob, "ann")
    assert of(ann, "hugo") == of(room.host, "ann")
    assert len({tuple(of(one, other)) for one, other in ((ann, "bob"), (ann, "hugo"), (bob, "hugo"))}) == 3
    assert words(between, "ann")["words"] not in (of(ann, "bob"), of(ann, "hugo"), of(bob, "ann"))


def test_a_room_that_is_passed_on_under_another_key_has_other_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """7.5, 7.6: though all in it have the same keys, and say the same at the same time."""

    def talk() -> tuple[list[bytes], list[list[str]]]:
        """The keys of three, their words for the room, and those of each two."""
        room = Simulation()
        ann, bob = room.joined("ann"), room.joined("bob")
        room.say(ann, "hello")
        room.settle()
        room.wait(limits.MARK / 1_000)
        room.settle()
        asked = ((room.host, ""), (ann, ""), (bob, ""), (ann, "bob"), (bob, "ann"))
        replies = [room.answers(party, room.verify(party, nick))[0] for party, nick in asked]
        words = [reply.data["words"] for reply in replies if isinstance(reply, events.Reply)]
        return [party.room._me.key for party in (room.host, ann, bob)], words

    keys, real = talk()
    monkeypatch.setattr(simulation, "KEY", RoomKey(b"the seed of another room........"))
    same_keys, passed_on = talk()
    assert keys == same_keys
    for words in (real, passed_on):
        assert words[0] == words[1] == words[2]
        assert words[3] == words[4]
        assert [len(ten) for ten in words] == [10] * 5
    assert real[0] != passed_on[0]
    assert real[3] != passed_on[3]


# --- proof that a host lies


def test_an_entry_that_refers_to_another_log_raises_an_alarm_and_the_room_goes_on_marked(host: FalseHost) -> None:
    """5.9: its author was shown another log, and yet our host has ordered what it wrote there."""
    alarm, message = host.hears(host.entry(ANN, text("which log?"), reference=(HERE, bytes(32))))
    assert isinstance(alarm, events.Alarm)
    assert alarm.member == identity.spell(HOST.id)
    assert "ann" in alarm.reason
    assert isinstance(message, events.Message)
    assert len(host.room.evidence) == 1
    assert kinds(host.hears(host.entry(ANN, text("on")))) == ["Message"]
    assert not host.room.over


def test_what_proves_it_can_be_checked_by_anybody(host: FalseHost) -> None:
    entry = host.entry(ANN, text("which log?"), reference=(HERE, bytes(32)))
    host.hears(entry)
    [(header, body, key)] = host.room.evidence
    assert (header, body, key) == (entry.header.pack(), entry.body, ANN.key)
    assert identity.signed(identity.ENTRY, ROOM, bytes(8) + header + body[64:], body[:64], key)


def test_the_text_of_what_will_expire_is_not_kept_as_proof(host: FalseHost) -> None:
    """5.16"""
    host.hears(host.entry(ANN, text("which log?"), reference=(HERE, bytes(32)), ttl=60))
    assert [body for _, body, _ in host.room.evidence] == [b""]


def test_proofs_are_kept_and_told_up_to_a_limit(host: FalseHost) -> None:
    for _ in range(limits.EVIDENCE):
        assert "Alarm" in kinds(host.hears(host.entry(ANN, text("which log?"), reference=(HERE, bytes(32)))))
    assert kinds(host.hears(host.entry(ANN, text("which log?"), reference=(HERE, bytes(32))))) == ["Message"]
    assert len(host.room.evidence) == limits.EVIDENCE


@pytest.mark.parametrize("index", [0, HERE - 1])
def test_a_reference_to_what_was_before_we_came_says_nothing(host: FalseHost, index: int) -> None:
    """5.7: as far as one has it."""
    assert kinds(host.hears(host.entry(ANN, text("x"), reference=(index, bytes(32))))) == ["Message"]
    assert not host.room.evidence


def test_a_reference_to_any_entry_since_is_checked(host: FalseHost) -> None:
    first, second = host.entry(ANN, text("one")), host.entry(ANN, text("two"))
    host.hears(first)
    after_first = host.reference
    host.hears(second)
    assert kinds(host.hears(host.entry(ANN, text("x"), reference=after_first))) == ["Message"]
    assert kinds(host.hears(host.entry(ANN, text("x"), reference=(HERE + 2, after_first[1])))) == ["Alarm", "Message"]


def test_two_heads_for_one_index_are_kept_as_proof(host: FalseHost) -> None:
    """5.6"""
    host.hears(host.entry(ANN, text("one")))
    first = host.head_text()
    other = host.head_text(digest=bytes(32))
    assert_left_in_alarm(host, host.hears(host.burst_of([], other)))
    assert host.room.evidence == [(first, other)]
    for head in host.room.evidence[0]:
        assert identity.signed(identity.HEAD, ROOM, head[:48], head[48:], HOST.key)


@pytest.mark.parametrize("past", [False, True])
def test_two_heads_are_proof_across_links_too(host: FalseHost, past: bool) -> None:
    host.hears(host.entry(ANN, text("one")))
    first = host.head_text()
    host.redials()
    other = host.head_text(digest=bytes(32))
    assert_left_in_alarm(host, host.hears(*host.welcome(head=other, past=past)))
    assert host.room.evidence == [(first, other)]


def test_a_past_and_a_welcome_that_disagree_are_proof_too(host: FalseHost) -> None:
    """5.6"""
    host.redials()
    missed = host.past(host.entry(ANN, Nick("anna")))
    other = host.head_text(digest=bytes(32))
    assert kinds(host.hears(*host.welcome(past=True, head=other), missed))[-2:] == ["Alarm", "Gone"]
    assert host.room.evidence == [(missed.head, other)]


def test_a_head_that_only_disagrees_with_us_is_no_proof_and_yet_the_end(host: FalseHost) -> None:
    assert kinds(host.hears(host.burst(host.entry(ANN, text("one")), digest=bytes(32)))) == ["Alarm", "Gone"]
    assert host.room.evidence == []


# --- a member that comes back


def test_a_member_comes_back_from_where_it_was_with_a_signature_for_this_link(host: FalseHost) -> None:
    """2.5, 5.12"""
    host.hears(host.entry(ANN, text("hello")))
    links = set()
    for _ in range(2):
        resume = host.redials()
        assert isinstance(resume, frames.Resume)
        assert (resume.member, resume.epoch) == (host.me, 0)
        assert (resume.index, resume.digest) == (HERE + 1, host.ledger.digest)
        position = bytes(8) + (HERE + 1).to_bytes(8, "big") + resume.digest
        content = host.hello + resume.link + suite.digest(resume.leaf) + position
        assert identity.signed(identity.RESUME, ROOM, content, resume.signature, host.ledger.member(host.me).key)
        links.add(resume.link)
    assert len(links) == 2


def test_a_member_that_lost_its_link_is_still_in(host: FalseHost) -> None:
    [lost] = host.takes(inputs.Dropped(inputs.UPLINK, "the connection broke", 0.0))
    assert isinstance(lost, events.Link)
    assert (lost.state, lost.detail) == ("lost", "the connection broke")
    assert host.room.entered
    assert host.takes(inputs.Say("typed meanwhile")) == []
    assert host.effects == []
    assert host.room.outstanding == 1


def test_what_waits_goes_out_as_it_was_and_in_its_order_once_all_before_is_known(host: FalseHost) -> None:
    """5.13"""
    sent = host.says("sent")
    host.takes(inputs.Dropped(inputs.UPLINK, "the connection broke", 0.0))
    host.takes(inputs.Say("typed meanwhile"))
    host.greets()
    assert kinds(host.hears(frames.Resumed(HERE + 2, 0))) == ["Link"]
    assert host.submits() == []
    host.hears(host.entry(ANN, text("one")))
    assert host.submits() == []
    host.takes(inputs.Say("typed while catching up"))
    assert host.submits() == []
    host.hears(host.entry(ANN, text("two")))
    first, *others = host.submits()
    assert first == sent
    assert [said(entry) for entry in others] == [text("typed meanwhile"), text("typed while catching up")]


def test_one_who_was_catching_up_and_is_welcomed_anew_is_up_at_once(host: FalseHost) -> None:
    sent = host.says("sent")
    host.redials()
    host.hears(frames.Resumed(90, 0))
    host.redials()
    host.hears(*host.welcome(head=host.head_text(index=100, digest=bytes(32)), since=100))
    assert host.submits() == [sent]


def test_one_who_is_welcomed_anew_seals_nothing_twice_with_one_key(host: FalseHost) -> None:
    """7.4: it keeps its own chain, of which it has used more than the host knows."""
    seats = host.state().seats
    first = host.says("sent")
    host.redials()
    host.hears(*host.welcome(head=host.head_text(index=100, digest=bytes(32)), since=100, seats=seats))
    second = host.says("more")
    assert (first.header.generation, second.header.generation) == (0, 1)


def test_what_has_its_place_by_now_is_not_sent_again(host: FalseHost) -> None:
    mine = host.says("ordered meanwhile")
    host.redials()
    host.hears(frames.Resumed(HERE + 1, 0))
    shown = host.hears(mine)
    assert [(event.text, event.mine) for event in shown if isinstance(event, events.Message)] == [
        ("ordered meanwhile", True)
    ]
    assert host.submits() == []
    assert host.room.outstanding == 0


def past(it: FalseHost, *entries: Placed, **otherwise: Any) -> list[Item]:
    """A Welcome, and a Past of these."""
    missed = it.past(*entries, **otherwise)
    return [*it.welcome(past=True), missed]


def past_with_a_gap(it: FalseHost) -> list[Item]:
    """The same with nothing of one entry but a head that knows it."""
    it.past(it.entry(ANN, Nick("anna")))
    return past(it, it.entry(ANN, Nick("annie")))


def gone_back(it: FalseHost) -> list[Item]:
    """Out of an epoch into the one before, whose keys somebody may have who is out."""
    before, links, generations = it.epoch, dict(it.links), dict(it.generations)
    it.hears(frames.Resumed(it.ledger.index, 0))
    it.turns()
    it.redials()
    it.epoch, it.links, it.generations = before, links, generations
    return [*it.welcome()]


COMING_BACK_TO_LIES: dict[str, Callable[[FalseHost], list[Item]]] = {
    "a log that has become shorter": lambda _: [frames.Resumed(HERE - 1, 0)],
    "a second resumption": lambda _: [frames.Resumed(HERE, 0), frames.Resumed(HERE, 0)],
    "a welcome after the resumption": lambda it: [frames.Resumed(HERE, 0), it.welcome()[0]],
    "a resumption after the welcome": lambda it: [it.welcome()[0], frames.Resumed(HERE, 0)],
    "a refusal after the resumption": lambda _: [frames.Resumed(HERE, 0), frames.Refused("unknown")],
    "an entry before the resumption": lambda it: [it.entry(ANN, text("lie"))],
    "a head before the resumption": lambda it: [it.head],
    "a past without a welcome": lambda it: [lambda: it.past(it.entry(ANN, text("lie")))],
    "another entry in an old place": lambda it: [
        frames.Resumed(HERE, 0),
        it.burst_of([it.entry(ANN, text("lie")).sealed], it.head_text(digest=bytes(32))),
    ],
    "another log": lambda it: [frames.Resumed(HERE, 0), it.head(digest=bytes(32))],
    "an older head": lambda it: [frames.Resumed(HERE, 0), it.head(time=4_999)],
    "a head older than it said": lambda it: [
        frames.Resumed(HERE, 9_000),
        lambda: it.burst(it.entry(ANN, text("lie")), time=8_999),
    ],
    "a welcome without us": lambda it: without(it.me)(it),
    "a welcome with an older head": lambda it: [*it.welcome(head=it.head_text(time=4_999))],
    "a welcome to a shorter log": lambda it: [*it.welcome(head=it.head_text(index=HERE - 1))],
    "a welcome to a shorter log with a past": lambda it: [*it.welcome(head=it.head_text(index=HERE - 1), past=True)],
    "a welcome by another host": lambda it: [*it.welcome(host=ANN.id, sign=ANN.sign, head=it.head_text(signer=ANN))],
    "a welcome to an epoch that is over": gone_back,
    "a past to an epoch that is none": lambda it: [*it.welcome(past=True, epoch=7)],
    "a past that leads to another log": lambda it: [
        *it.welcome(past=True, head=it.head_text(index=HERE + 1, digest=bytes(32))),
        lambda: it.past(it.entry(ANN, Nick("anna"))),
    ],
    "a past with a gap": past_with_a_gap,
    "a past that is forged": lambda it: past(it, it.entry(ANN, text("lie"), signer=EVE)),
    "a past of a stranger": lambda it: past(it, it.entry(EVE, text("lie"))),
    "a past of the epoch before": lambda it: past(it, it.entry(ANN, text("lie"), epoch=3)),
    "a past that is no content": lambda it: past(it, it.entry(ANN, padded(b"\xc1"))),
    "a past that repeats": lambda it: past(it, *[it.entry(ANN, Nick("anna"))] * 2),
    "a past that breaks a rule": lambda it: past(it, it.entry(ANN, Close())),
    "a past that takes out a stranger": lambda it: past(it, it.commit(Removal(EVE.id, "kicked", ""))),
    "a past in which we speak": lambda it: past(it, it.entry(it.room._me, text("lie"), signer=EVE)),
    "a past of a kind that is none": lambda it: past(it, it.entry(ANN, text("lie"), kind=2)),
    "a past with a body that is empty": lambda it: [
        *it.welcome(past=True, head=it.head_text(index=HERE + 1)),
        frames.Past([frames.Opened(Header(0, ANN.id, 1).pack(), b"")], it.head_text(), HERE + 1, 5_000),
    ],
    "a past beyond its head": lambda it: [
        *it.welcome(past=True, head=it.head_text(index=HERE + 1)),
        lambda: it.past(it.entry(ANN, Nick("anna")), it.entry(ANN, Nick("annie"))),
    ],
    "a past later than the welcome": lambda it: [
        *it.welcome(past=True, head=it.head_text(index=HERE + 1)),
        lambda: at(it, 5_001).past(it.entry(ANN, text("lie")), time=5_000),
    ],
    "an entry in the midst of the past": lambda it: [
        *it.welcome(past=True, head=it.head_text(index=HERE + 2)),
        lambda: it.past(it.entry(ANN, Nick("anna"))),
        lambda: it.entry(ANN, text("lie")),
    ],
}


@pytest.mark.parametrize("lie", COMING_BACK_TO_LIES)
def test_a_host_that_lies_to_one_who_comes_back_is_left_with_an_alarm(host: FalseHost, lie: str) -> None:
    """5.9, 5.12, 7.3"""
    host.hears(host.head(time=5_000))
    host.time = 5_000
    host.redials()
    items: list[Item] = []
    for item in COMING_BACK_TO_LIES[lie](host):
        items += item if isinstance(item, list) else [item]
    *honest, lying = items
    host.hears(*honest)
    assert not host.room.over
    happened = host.hears(lying)
    assert kinds(happened)[-2:] == ["Alarm", "Gone"]
    assert not [event for event in happened if isinstance(event, events.Message)]


@pytest.mark.parametrize("old", ["counter", "generation"])
def test_a_welcome_with_counters_or_keys_of_before_is_a_lie(host: FalseHost, old: str) -> None:
    """7.4: with them, what was shown once could be ordered and shown again."""
    host.hears(host.entry(ANN, text("once")))
    host.redials()
    seats = host.state().seats
    [ann] = [seat for seat in seats if seat.key == ANN.key]
    before = msgspec.structs.replace(ann, **{old: getattr(ann, old) - 1})
    lying = host.welcome(seats=[before if seat is ann else seat for seat in seats])
    assert_left_in_alarm(host, host.hears(*lying))


def test_a_joined_for_the_second_time_in_an_epoch_is_not_shown(host: FalseHost) -> None:
    """3.2"""
    host.hears(host.entry(HOST, frames.Joined(EVE.key, "eve", bytes(32))))
    host.hears(host.entry(EVE, frames.Leave()))
    happened = host.hears(host.entry(HOST, frames.Joined(EVE.key, "eve", bytes(32))))
    assert kinds(happened) == ["Alarm", "Gone"]


def test_the_epoch_of_a_welcome_is_the_one_that_the_past_leads_to(host: FalseHost) -> None:
    """6.9, 7.3: into an old epoch, somebody who is out could read on."""
    host.turns()
    before, links, generations = host.epoch, dict(host.links), dict(host.generations)
    host.turns()
    host.redials()
    host.epoch, host.links, host.generations = before, links, generations
    assert_left_in_alarm(host, host.hears(*host.welcome(past=True)))


def test_a_commit_whose_slice_never_came_leads_into_its_epoch_by_a_welcome(host: FalseHost) -> None:
    """5.12"""
    host.hears(host.commit())
    host.takes(inputs.Say("typed while turning"))
    assert host.submits() == []
    resume = host.redials()
    assert resume.epoch == 0
    host.slice()
    assert kinds(host.hears(*host.welcome(past=True))) == ["Link"]
    [mine] = host.submits()
    assert said(mine) == text("typed while turning")
    assert kinds(host.hears(mine)) == ["Message"]


def test_one_who_has_caught_up_with_a_commit_waits_for_its_slice(host: FalseHost) -> None:
    """6.9, 5.13"""
    host.says("sent")
    host.redials()
    host.hears(frames.Resumed(HERE + 1, 0))
    host.hears(host.commit())
    assert host.submits() == []
    host.hears(host.slice)
    mine, renewal = host.submits()
    assert (said(mine), type(said(renewal))) == (text("sent"), Renew)


def test_a_resumption_in_an_epoch_that_is_over_is_a_lie(host: FalseHost) -> None:
    host.hears(host.commit())
    host.redials()
    assert_left_in_alarm(host, host.hears(frames.Resumed(host.ledger.index, 0)))


def test_what_was_missed_is_shown_in_its_order_and_nothing_twice(host: FalseHost) -> None:
    """5.12, 7.3"""
    before = host.entry(ANN, text("seen"))
    host.hears(before)
    host.redials()
    missed = [host.past(host.entry(ANN, text("one")), host.entry(HOST, Joined(EVE.key, "eve", LEAF)), host.commit())]
    host.slice()
    missed.append(host.past(host.entry(EVE, text("two"))))
    shown = host.hears(*host.welcome(past=True), *missed)
    assert kinds(shown) == ["Message", "Joined", "Message", "Link"]
    assert kinds(host.hears(host.entry(ANN, text("three")), host.entry(EVE, text("four")))) == ["Message"] * 2


def test_a_past_in_which_we_are_removed_is_the_end(host: FalseHost) -> None:
    host.redials()
    gone = host.hears(
        *host.welcome(past=True, head=host.head_text(index=HERE + 2)),
        lambda: host.past(host.commit(Removal(host.me, "kicked", "enough"))),
    )
    assert kinds(gone) == ["SelfKicked", "Gone"]


def test_one_whose_place_in_the_log_is_lost_is_welcomed_and_told_what_it_missed(host: FalseHost) -> None:
    ordered = host.says("ordered unseen")
    unheard = host.says("unheard")
    host.redials()
    host.ledger.member(host.me).counter = ordered.header.counter
    host.ledger.member(ANN.id).away = True
    host.ledger.start_at(HERE + 100, bytes(32))
    happened = host.hears(*host.welcome())
    assert kinds(happened) == ["Link", "Entered", "EntriesMissed"]
    missed = happened[-1]
    assert isinstance(missed, events.EntriesMissed)
    assert missed.count == 100
    assert [person.nick for person in host.room.people()] == ["hugo", "me"]
    assert host.submits() == [unheard]
    assert host.room.outstanding == 1


def test_one_who_is_not_known_any_more_gives_back_and_joins_anew_under_its_nick(host: FalseHost) -> None:
    """5.12: with new keys."""
    old = host.ledger.member(host.me)
    host.says("precious")
    host.redials()
    assert kinds(host.hears(frames.Refused("unknown"))) == ["Unsent"]
    assert not host.room.over
    assert host.takes(inputs.Say("typed while outside")) == []
    join = host.redials()
    assert isinstance(join, frames.Join)
    assert join.nick == "me"
    assert join.key != old.key
    assert suite.digest(join.leaf) != old.leaf
    asked = []
    for number in range(9):
        assert host.hears(frames.Refused("not-allowed" if number % 2 else "nick-taken")) == []
        again = host.redials()
        assert again.key == join.key
        asked.append(again.nick)
    assert asked == [*(f"me-{number}" for number in range(2, 10)), ""]
    host.ledger.roster.remove(old)
    host.ledger.start_at(HERE + 7, bytes(32))
    host.seats_guest(f"anon-{identity.spell(identity.member_id(join.key))[:4]}")
    happened = host.hears(*host.welcome())
    assert kinds(happened) == ["Link", "Entered", "NickAssigned", "EntriesMissed"]
    missed = happened[-1]
    assert isinstance(missed, events.EntriesMissed)
    assert missed.count == 7
    [mine] = host.submits()
    assert said(mine) == text("typed while outside")
    assert mine.header.counter == 1


def come_anew(host: FalseHost) -> None:
    """The guest was away for too long, and asks as somebody new."""
    host.redials()
    host.hears(frames.Refused("unknown"))
    assert isinstance(host.redials(), frames.Join)


@pytest.mark.parametrize("lie", ["a shorter log", "another host", "another nick", "an older epoch"])
def test_one_who_comes_anew_is_not_lied_to_either(host: FalseHost, lie: str) -> None:
    host.turns()
    come_anew(host)
    host.ledger.roster.remove(host.ledger.member(host.me))
    host.seats_guest("fool" if lie == "another nick" else "me")
    welcomes: dict[str, Callable[[], list[frames.Frame]]] = {
        "a shorter log": lambda: host.welcome(head=host.head_text(index=HERE)),
        "another host": lambda: host.welcome(host=ANN.id, sign=ANN.sign, head=host.head_text(signer=ANN)),
        "another nick": host.welcome,
        "an older epoch": lambda: host.welcome(epoch=0),
    }
    assert kinds(host.hears(*welcomes[lie]())) == ["Alarm", "Error", "Gone"]


@pytest.mark.parametrize("reason", ["signature", "leaf", "full", "locked", "bad-nick", "nick-taken", "not-allowed"])
def test_one_who_comes_back_and_is_refused_for_anything_but_its_place_is_out(
    host: FalseHost, reason: frames.Refusal
) -> None:
    host.redials()
    assert kinds(host.hears(frames.Refused(reason))) == ["Error", "Gone"]
    assert host.room.over


@pytest.mark.parametrize("reason", ["signature", "leaf", "full", "locked", "bad-nick", "unknown"])
def test_one_who_joins_anew_and_is_refused_for_anything_but_its_nick_is_out(
    host: FalseHost, reason: frames.Refusal
) -> None:
    come_anew(host)
    assert kinds(host.hears(frames.Refused(reason))) == ["Error", "Gone"]
    assert host.room.over


def test_a_host_that_finds_no_nick_for_us_is_not_asked_for_ever(host: FalseHost) -> None:
    come_anew(host)
    for _ in range(9):
        assert host.hears(frames.Refused("nick-taken")) == []
        host.redials()
    assert kinds(host.hears(frames.Refused("nick-taken"))) == ["Error", "Gone"]


def test_one_who_has_another_nick_by_now_is_welcomed_anew_under_it(host: FalseHost) -> None:
    host.takes(inputs.Rename("moi"))
    [mine] = host.submits()
    assert kinds(host.hears(mine)) == ["Renamed"]
    host.redials()
    host.ledger.start_at(HERE + 7, bytes(32))
    assert kinds(host.hears(*host.welcome())) == ["Link", "Entered", "EntriesMissed"]


def test_a_nick_that_was_taken_at_first_is_still_an_error() -> None:
    host = FalseHost()
    host.greets()
    assert kinds(host.hears(frames.Refused("nick-taken"))) == ["Error", "Gone"]


@pytest.mark.parametrize("last", ["not-allowed", "nick-taken", "locked"])
def test_a_host_that_allows_a_newcomer_no_nick_at_all_is_not_asked_for_ever(last: frames.Refusal) -> None:
    """5.1"""
    host = FalseHost("me")
    host.greets()
    for number in range(2, 10):
        assert host.hears(frames.Refused("not-allowed")) == []
        assert kinds(host.effects) == ["Drop"]
        assert host.redials().nick == f"me-{number}"
    error, gone = host.hears(frames.Refused(last))
    assert isinstance(error, events.Error)
    assert error.code == ("locked" if last == "locked" else "nick-taken")
    assert isinstance(gone, events.Gone)


def test_one_who_asked_for_no_nick_and_is_not_allowed_in_does_not_ask_again() -> None:
    host = FalseHost("")
    host.greets()
    error, gone = host.hears(frames.Refused("not-allowed"))
    assert isinstance(error, events.Error)
    assert error.code == "not-allowed"
    assert isinstance(gone, events.Gone)


def test_a_newcomer_gets_no_other_nick_than_the_one_it_asked_for_last() -> None:
    """7.2"""
    host = FalseHost("me")
    host.greets()
    host.hears(frames.Refused("not-allowed"))
    host.redials()
    host.seats_guest("me")
    assert kinds(host.hears(*host.welcome())) == ["Alarm", "Error", "Gone"]


# --- a host's room, and members that the test plays


@pytest.fixture
def inn() -> Inn:
    """A host with Ann and Eve in its room."""
    return Inn()


def assert_dropped(inn: Inn, done: list[effects.Effect], *before: frames.Body) -> None:
    """5.8: Eve's link is dropped at once, she is lost to all, and no member from the next commit on."""
    drop, tell = done
    assert isinstance(drop, effects.Drop)
    assert drop.link == 2
    assert isinstance(tell, effects.Tell)
    assert isinstance(tell.event, events.Left)
    assert (tell.event.nick, tell.event.reason) == ("eve", "lost")
    assert inn.ordered() == [*before, Lost(EVE.id)]
    assert inn.takes(inputs.Dropped(2, "the connection was closed", 0.0), inn.tick) == []
    assert inn.eve.says(text("still here")) == []
    assert inn.ordered() == [*before, Lost(EVE.id)]
    inn.ann.says(text("undisturbed"), ttl=inn.room._ledger.retention.default)
    assert inn.ordered() == [*before, Lost(EVE.id), text("undisturbed")]
    inn.ticks(inn.tick + limits.COMMIT_PAUSE)
    assert inn.ordered()[-1] == Commit(1, [Removal(EVE.id, "lost", "")])


def repeated(it: FalseMember, payload: bytes) -> list[effects.Effect]:
    return it.sends(payload) + it.sends(payload)


def left_out(it: FalseMember) -> list[effects.Effect]:
    it.channel.seal([])
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
    "the host's entry": lambda it: it.submits(it.entry(it.inn.host, Close(), counter=2**50, signer=EVE)),
    "a bad signature": lambda it: it.says(text("lie"), signer=ANN),
    "a signature for another purpose": lambda it: it.says(Leave(), label=identity.JOIN),
    "a signature for another epoch": lambda it: it.says(text("lie"), epoch=1),
    "a signature for another room": lambda it: it.says(text("lie"), signer=Somebody(b"e", b"s" * 32)),
    "a body behind another header": lambda it: it.submits(
        it.seal(Header(0, EVE.id, 1), bytes(64), under=Header(0, EVE.id, 2))
    ),
    "an entry altered": lambda it: it.sends(frames.Submit(0, altered(it.entry(EVE, text("lie")), -1).sealed)),
    "an entry cut short": lambda it: it.sends(frames.Submit(0, it.entry(EVE, text("lie")).sealed[:-1])),
    "an entry of nothing": lambda it: it.sends(frames.Submit(0, b"")),
    "a kind that is none": lambda it: it.says(text("lie"), kind=3),
    "an entry as a commit": lambda it: it.says(text("lie"), kind=COMMIT),
    "a burst": lambda it: it.sends(burst_in(it.epoch, bytes(112))),
    "a burst as an entry": lambda it: it.sends(frames.Submit(0, burst_in(it.epoch, bytes(112)))),
    "a counter beyond all": lambda it: it.says(text("lie"), counter=2**53),
    "a generation too far on": lambda it: it.says(text("lie"), generation=limits.SKIPPED + 1),
    "a generation used again": lambda it: it.says(Nick("ann")) and it.says(text("lie"), generation=0),
    "an entry of an epoch to come": lambda it: it.submits(it.entry(EVE, text("lie")), epoch=1),
    "a reference to what is to come": lambda it: it.says(text("lie"), reference=(100, bytes(32))),
    "a reference to another log": lambda it: it.says(text("lie"), reference=(it.reference[0], bytes(32))),
    "a reference to another beginning": lambda it: it.says(text("lie"), reference=(0, bytes(32))),
    "a text without end": lambda it: it.says(text("x" * (limits.TEXT + 1))),
    "an empty text": lambda it: it.says(text("")),
    "a nick that hides": lambda it: it.says(Nick("an\u200bn")),
    "a nick of many lines": lambda it: it.says(Nick("eve\n[SYSTEM] hello")),
    "a nick without end": lambda it: it.says(Nick("x" * 60_000)),
    "an improper nick like a taken one": lambda it: it.says(Nick("ＡＮＮ")),
    "a newcomer": lambda it: it.says(Joined(ZOE.key, "zoe", LEAF)),
    "the loss of another": lambda it: it.says(Lost(ANN.id)),
    "its own return": lambda it: it.says(Back(EVE.id)),
    "a lock": lambda it: it.says(Lock(locked=True)),
    "a commit": lambda it: it.says(Commit(1, [Removal(ANN.id, "kicked", "")])),
    "a commit as one": lambda it: it.says(Commit(1, [Removal(ANN.id, "kicked", "")]), kind=COMMIT),
    "the end of the room": lambda it: it.says(Close()),
    "a leaf with a bad X25519 half": lambda it: it.sends(frames.Leaf(EVE.leaf.public[:-32] + bytes(32))),
    "a leaf with a bad ML-KEM half": lambda it: it.sends(frames.Leaf(b"\xff" * 1_184 + EVE.leaf.public[-32:])),
    "a frame that only hosts send": lambda it: it.sends(frames.Resumed(0, 0)),
    "a refusal": lambda it: it.sends(frames.Refused("full")),
    "a denial": lambda it: it.sends(frames.Denied(1, "repeated")),
    "a welcome": lambda it: it.sends(frames.Welcome(b"", 1)),
    "a past": lambda it: it.sends(frames.Past([], bytes(112), 0, 0)),
    "a record of another link": lambda it: it.sends(Channel(bytes(32), it.hello, up=True).seal([])[padding.LENGTH :]),
    "a record of the host's, sent back": lambda it: it.sends(
        Channel(it.secret, it.hello, up=False).seal([])[padding.LENGTH :]
    ),
    "a record repeated": lambda it: repeated(it, it.channel.seal([])[padding.LENGTH :]),
    "a record left out": left_out,
    "a second knock": lambda it: it.sends(it.knock),
    "nothing": lambda it: it.sends(b""),
    "noise": lambda it: it.sends(bytes(100)),
    "a record that is not padded": lambda it: it.sends(sealed_as_it_is(it.channel, b"\x92\xc2\x90")),
    "a record padded with something": lambda it: it.sends(
        sealed_as_it_is(it.channel, padding.fill(b"\x92\xc2\x90", 16)[:-1] + b"?")
    ),
    "a record larger than need be": lambda it: it.sends(sealed_as_it_is(it.channel, padding.pad(b"\x92\xc2\x90", 942))),
    "a record longer than it is": lambda it: it.sends(sealed_as_it_is(it.channel, b"\xff" * 462)),
    "content padded with something": lambda it: it.says(padded_with_something(it.reference)),
    "content padded too far": lambda it: it.says(padded_too_far(it.reference)),
    "a nick that is not kept": lambda it: it.says(Nick("evelyn"), ttl=60),
    "a leave that is not kept": lambda it: it.says(Leave(), ttl=60),
    "a leaf that is not kept": lambda it: it.says(Renew(LEAF), ttl=FLEETING),
    "a box too short": lambda it: it.says(frames.Private(bytes(frames.BOX))),
    "a box too long": lambda it: it.says(frames.Private(bytes(frames.BOX + limits.TEXT + 1))),
    "a leaf that was found": lambda it: it.sends(frames.Found(EVE.leaf.public)),
    "a leaf that is missing": lambda it: it.sends(frames.Missing(LEAF)),
    "an entry outside of a record": lambda it: it.sends(it.entry(EVE, text("lie")).sealed),
}


@pytest.mark.parametrize("lie", LYING_MEMBERS)
def test_a_member_that_lies_is_dropped_and_nobody_else_notices(inn: Inn, lie: str) -> None:
    """5.7, 5.8"""
    done: list[effects.Effect] = [
        effect for effect in LYING_MEMBERS[lie](inn.eve) if not isinstance(effect, effects.Record)
    ]
    assert_dropped(inn, done)


@pytest.mark.parametrize("counter", [0, 1, 5])
def test_a_member_that_repeats_itself_is_denied_and_nobody_notices(inn: Inn, counter: int) -> None:
    """5.8: it may have lost the link on which it would have seen its entry ordered."""
    inn.eve.says(text("once"), counter=5)
    assert inn.eve.denials(inn.eve.says(text("once"), counter=counter)) == [(counter, "repeated")]
    assert inn.ordered() == [text("once")]
    inn.eve.says(text("on"), counter=6, generation=1)
    assert inn.ordered()[1:] == [text("on")]


def test_a_member_that_repeats_what_was_denied_is_denied_again(inn: Inn) -> None:
    entry = inn.eve.entry(EVE, Nick("ann"))
    assert inn.eve.denials(inn.eve.submits(entry)) == [(1, "nick-taken")]
    assert inn.eve.denials(inn.eve.submits(entry)) == [(1, "repeated")]
    assert inn.ordered() == []


def test_what_was_denied_is_not_ordered_once_it_could_be(inn: Inn) -> None:
    entry = inn.eve.entry(EVE, Nick("ann"))
    assert inn.eve.denials(inn.eve.submits(entry)) == [(1, "nick-taken")]
    inn.ann.says(Nick("anna"))
    assert inn.eve.denials(inn.eve.submits(entry)) == [(1, "repeated")]


def test_a_sixth_nick_at_once_is_denied_to_its_author_alone(inn: Inn) -> None:
    """5.8"""
    done = [inn.eve.says(Nick(f"eve{number}")) for number in range(limits.NICK_BURST + 1)]
    assert inn.eve.denials(done[-1]) == [(limits.NICK_BURST + 1, "too-often")]
    assert len(inn.ordered()) == limits.NICK_BURST


def test_a_copy_of_anothers_entry_does_not_use_up_its_counter_or_key(inn: Inn) -> None:
    entry = inn.ann.entry(ANN, text("mine"))
    inn.eve.submits(entry)
    assert kinds(told(inn.ann.submits(entry))) == ["Message"]


def test_a_submit_of_an_epoch_that_is_over_is_passed_over_in_silence(inn: Inn) -> None:
    """5.8"""
    late = inn.eve.entry(EVE, text("late"))
    inn.ticks(limits.EPOCH)
    before = inn.ordered()
    assert inn.eve.submits(late) == []
    assert inn.ordered() == before
    assert inn.eve.sends(frames.Submit(0, b"whatever it is")) == []
    assert_still_linked(inn.eve)


def assert_still_linked(member: FalseMember) -> None:
    """A beat is nothing to anybody: it is not dropped for it."""
    assert member.sends() == []
    assert member.link in member.inn.room._links


def test_an_entry_of_an_epoch_that_is_over_is_none_in_the_next(inn: Inn) -> None:
    late = inn.eve.entry(EVE, text("late"))
    inn.ticks(limits.EPOCH)
    drop, *_ = inn.eve.submits(late, epoch=1)
    assert isinstance(drop, effects.Drop)


def test_what_comes_over_a_link_that_is_nobodys_is_ignored(inn: Inn) -> None:
    assert inn.takes(inputs.Heard(9, inn.ann.channel.seal([])[padding.LENGTH :])) == []
    assert inn.ordered() == []


def test_a_beat_means_nothing(inn: Inn) -> None:
    assert inn.eve.sends() == []
    assert inn.ordered() == []


def test_nothing_that_anybody_says_or_is_is_in_the_clear(inn: Inn) -> None:
    """2.6: keys, signatures, nicks, nonces and texts are on no link but sealed."""
    zoe = FalseMember(inn, ZOE)
    zoe.dials()
    request = zoe.join("zoe-the-nick")
    zoe.knocks(request)
    zoe.says(text("a secret of three words"))
    inn.room.end_burst(NOW)
    sent = zoe.admitted + b"".join(burst.wire for burst in inn.room.log._bursts)
    for secret in (request.link, request.signature, ZOE.key, ZOE.id, b"zoe-the-nick", b"a secret", ANN.key, b"demo"):
        assert secret not in sent + zoe.knock


def test_an_id_of_ones_own_input_is_in_nothing_that_goes_out(inn: Inn) -> None:
    done = [
        *inn.takes(inputs.Say("hello", re="my-own-id")),
        *inn.takes(inputs.Rename("hugoy", re="my-own-id")),
        *inn.takes(inputs.Lock(locked=True, re="my-own-id")),
        *inn.takes(inputs.Kick("ann", re="my-own-id")),
        *inn.takes(inputs.Leave(re="my-own-id")),
    ]
    assert [event.re for event in told(done)] == ["my-own-id"] * 5
    opened = [inn.placed(at).body for at in range(1, inn.room.log.end)]
    assert b"my-own-id" not in b"".join(opened)


def test_entries_go_out_as_their_authors_sealed_them(inn: Inn) -> None:
    """5.3"""
    entry = inn.eve.entry(EVE, text("hello"))
    inn.eve.submits(entry)
    inn.room.end_burst(NOW)
    for member in (inn.eve, inn.ann):
        assert [burst.entries for burst in member.bursts()][-1] == [entry.sealed]
    placed = inn.placed(inn.before)
    assert (placed.header, placed.body) == (entry.header.pack(), entry.body)


def test_a_leave_ends_the_link_once_everything_is_sent(inn: Inn) -> None:
    """5.10, 6.8"""
    tell, finish = inn.eve.says(Leave())
    assert isinstance(tell, effects.Tell)
    assert finish == effects.Finish(2)
    assert inn.eve.says(text("still here")) == []
    assert inn.takes(inputs.Dropped(2, "the connection was closed", 0.0)) == []
    inn.ticks(limits.COMMIT_PAUSE)
    assert inn.ordered() == [Leave(), Commit(1, []), *inn.ordered()[2:]]
    assert len(inn.ordered()) == 3  # the host renews its leaf


def test_what_stands_behind_a_leave_in_one_record_is_passed_over(inn: Inn) -> None:
    """5.10"""
    leave, more = inn.eve.entry(EVE, Leave()), inn.eve.entry(EVE, text("still here"))
    assert kinds(inn.eve.sends(frames.Submit(0, leave.sealed), frames.Submit(0, more.sealed))) == ["Tell", "Finish"]
    assert inn.ordered() == [Leave()]


def test_links_are_looked_at_as_soon_as_something_has_expired(inn: Inn) -> None:
    """5.17: on some of them it may still be on its way."""
    inn.eve.says(text("short"), ttl=60)
    inn.room.end_burst(NOW)
    assert "Sweep" not in kinds(inn.ticks(59.9))
    assert kinds(inn.ticks(60.1)).count("Sweep") == 1


def test_nothing_that_goes_through_a_room_is_shown_by_repr(inn: Inn) -> None:
    done = inn.eve.says(text("secret"))
    told_of = told(done)
    header = Header(0, EVE.id, 1, 0, KEPT)
    content = frames.Content(1, bytes(32), text("secret"))
    for thing in (
        *done,
        *told_of,
        inputs.Say("secret"),
        inputs.Rename("secret"),
        inputs.Kick("secret", "secret"),
        events.Unsent(room="r1", text="secret"),
        Pending(text("secret"), "secret", UNSET),
        Sealed(0, header, content, b"secret", b"secret"),
        inn.room._epoch,
        inn.eve.state,
    ):
        assert "secret" not in repr(thing)
    assert told_of[0].re is UNSET


def test_a_host_that_asks_for_no_nick_has_one_made_from_its_key() -> None:
    room = Room(label="r1", key=ROOM, random=randomness(b"x"), nick="", name="demo")
    room.handle(inputs.Start(), NOW)
    assert [person.nick for person in room.people()] == [f"anon-{identity.spell(room._me.id)[:4]}"]


# --- strangers


@pytest.fixture
def zoe(inn: Inn) -> FalseMember:
    """A stranger who was greeted."""
    zoe = FalseMember(inn, ZOE)
    zoe.dials()
    return zoe


def test_a_stranger_that_is_refused_learns_one_word_and_nobody_notices(inn: Inn, zoe: FalseMember) -> None:
    assert kinds(zoe.joins("Ann")) == ["Finish"]
    assert zoe.refused == "nick-taken"
    assert inn.ordered() == []
    assert inn.takes(inputs.Heard(zoe.link, zoe.knock)) == []
    assert inn.takes(inputs.Dropped(zoe.link, "the connection was closed", 0.0)) == []


BAD_KNOCKS: dict[str, Callable[[FalseMember], bytes]] = {
    "nothing": lambda _: b"",
    "noise": lambda _: bytes(2_000),
    "as long as may be": lambda _: bytes(limits.KNOCK - padding.LENGTH),
    "a request in the clear": lambda it: padding.pad(frames.pack(it.join("zoe")), limits.KNOCK - padding.LENGTH),
    "for another room": lambda it: sealed_knock(it, room=b"s" * 32),
    "for another hello": lambda it: sealed_knock(it, hello=bytes(32)),
    "to another door": lambda it: sealed_knock(it, door=ZOE.leaf.public),
    "that says nothing": lambda it: sealed_knock(it, packed=b""),
    "that says what only members say": lambda it: sealed_knock(it, packed=frames.pack(frames.Seek(LEAF))),
    "with something behind it": lambda it: sealed_knock(it, packed=frames.pack(it.join("zoe")) + b"?"),
    "that is not padded": lambda it: sealed_knock(it, text=frames.pack(it.join("zoe"))),
    "that is padded with something": lambda it: sealed_knock(it, text=request_of(it)[:-1] + b"?"),
    "of another size": lambda it: sealed_knock(it, text=request_of(it) + bytes(3_840)),
    "of too little": lambda it: sealed_knock(it, text=request_of(it)[:-1]),
    "that is padded with too little": lambda it: sealed_knock(it, text=bytes(2)),
}


def sealed_knock(
    it: FalseMember,
    *,
    room: bytes = ROOM,
    hello: bytes | None = None,
    door: bytes | None = None,
    packed: bytes | None = None,
    text: bytes | None = None,
) -> bytes:
    info = suite.label("knock") + room + (hello or it.hello)
    return suite.seal_to(door or it.greeting.door, request_of(it, packed) if text is None else text, info)


def request_of(it: FalseMember, packed: bytes | None = None) -> bytes:
    """A Join, or whatever else is asked, padded."""
    return padding.pad(frames.pack(it.join("zoe")) if packed is None else packed, 2_702)


@pytest.mark.parametrize("knock", BAD_KNOCKS)
def test_a_knock_that_is_none_ends_the_link_without_a_word(inn: Inn, zoe: FalseMember, knock: str) -> None:
    """2.8"""
    [drop] = zoe.sends(BAD_KNOCKS[knock](zoe))
    assert isinstance(drop, effects.Drop)
    assert drop.link == zoe.link
    assert inn.ordered() == []
    assert zoe.joins("zoe") == []


def test_a_knock_is_good_on_its_link_and_once(inn: Inn, zoe: FalseMember) -> None:
    """2.2, 2.4: on another link, whoever recorded it learns nothing, and takes nobody's place."""
    assert kinds(zoe.joins("zoe")) == ["Tell", "Admit"]
    recorded = zoe.knock
    before = inn.ordered()
    thief = FalseMember(inn, BOB)
    thief.dials()
    [drop] = thief.sends(recorded)
    assert isinstance(drop, effects.Drop)
    assert drop.link == thief.link
    assert inn.ordered() == before
    assert_still_linked(zoe)


def test_a_knock_is_good_for_the_hello_that_it_answers_though_the_door_has_changed(inn: Inn, zoe: FalseMember) -> None:
    """2.2"""
    late = FalseMember(inn, BOB)
    late.dials(limits.DOOR)
    assert late.greeting.door != zoe.greeting.door
    assert kinds(zoe.joins("zoe")) == ["Tell", "Admit"]
    assert kinds(late.joins("bob")) == ["Tell", "Admit"]


def test_a_knock_to_the_door_of_before_is_none(inn: Inn, zoe: FalseMember) -> None:
    """2.2: recorded traffic is no good after a minute."""
    late = FalseMember(inn, BOB)
    late.dials(limits.DOOR)
    [drop] = late.sends(sealed_knock(late, door=zoe.greeting.door))
    assert isinstance(drop, effects.Drop)


def test_a_door_is_the_same_within_its_minute_and_no_nonce_is(inn: Inn, zoe: FalseMember) -> None:
    other = FalseMember(inn, BOB)
    other.dials(limits.DOOR - 0.01)
    assert other.greeting.door == zoe.greeting.door
    assert other.greeting.nonce != zoe.greeting.nonce


def test_a_host_to_which_nobody_comes_has_no_door(inn: Inn) -> None:
    """2.2: "and no longer"."""
    assert inn.room._door._leaf is not None
    inn.ticks(limits.DOOR + limits.BEAT)
    assert inn.room._door._leaf is None


def test_one_who_dials_again_is_on_its_new_link_alone_and_nobody_notices(inn: Inn) -> None:
    """5.2"""
    old, old_link = inn.eve.channel, inn.eve.link
    late = frames.Submit(0, inn.eve.entry(EVE, text("late")).sealed)
    inn.eve.dials()
    drop, admit = inn.eve.joins("eve")
    assert isinstance(drop, effects.Drop)
    assert drop.link == old_link
    assert isinstance(admit, effects.Admit)
    assert inn.takes(inputs.Heard(old_link, old.seal([late])[padding.LENGTH :])) == []
    assert inn.ordered() == []
    assert inn.takes(inputs.Dropped(old_link, "the connection was closed", 0.0)) == []
    assert inn.takes(inputs.Heard(old_link, old.seal([])[padding.LENGTH :])) == []
    inn.eve.says(text("hello"))
    assert inn.ordered() == [text("hello")]


@pytest.mark.parametrize("request_", ["join", "resume"])
def test_nobody_takes_anothers_place_by_dialling(inn: Inn, request_: str) -> None:
    """2.5: the signature has to be over the hello of this very link."""
    thief = FalseMember(inn, EVE)
    hello = inn.eve.hello
    thief.dials()
    if request_ == "join":
        assert kinds(thief.joins("eve", hello=hello)) == ["Finish"]
    else:
        assert kinds(thief.resumes(*inn.eve.reference, hello=hello)) == ["Finish"]
    assert thief.refused == "signature"
    inn.eve.says(text("hello"))
    assert inn.ordered() == [text("hello")]


def test_a_newcomer_is_shown_the_room_as_it_is_and_follows_from_there(inn: Inn, zoe: FalseMember) -> None:
    """5.2, 7.2"""
    zoe.joins("zoe")
    state = zoe.state
    assert [seat.nick for seat in state.seats] == ["hugo", "ann", "eve", "zoe"]
    assert (state.name, state.host, state.locked, state.epoch) == ("demo", inn.host.id, False, 0)
    assert zoe.reference == (inn.room.log.end - 1, inn.room._ledger.digest)
    assert state.seats[-1] == frames.Seat(
        ZOE.key, "zoe", 0, away=False, leaf=suite.digest(ZOE.leaf.public), generation=0, link=state.seats[-1].link
    )
    inn.room.end_burst(NOW)
    assert zoe.reads() == []
    zoe.says(text("hello"))
    inn.room.end_burst(NOW)
    [burst] = zoe.bursts()
    [entry] = burst.entries
    assert said(zoe.opened(entry)) == text("hello")


# --- members that are away, and that come back


def dropped(inn: Inn, member: FalseMember, tick: float = 0.0, silence: float = 0.0) -> None:
    inn.takes(inputs.Dropped(member.link, "the connection was closed", silence), tick)


def test_a_member_without_a_link_is_away_in_time_and_out_in_time(inn: Inn, zoe: FalseMember) -> None:
    """5.11: counted from when it was last heard."""
    dropped(inn, inn.eve, 100.0, 15.0)
    inn.ticks(85.0 + limits.AWAY - 0.01)
    assert inn.ordered() == []
    inn.ticks(85.0 + limits.AWAY)
    assert inn.ordered() == [Lost(EVE.id)]
    assert [person.nick for person in inn.room.people()] == ["hugo", "ann"]
    zoe.joins("Eve")
    assert zoe.refused == "not-allowed"
    inn.ticks(85.0 + limits.PLACE - 0.01)
    assert inn.ordered() == [Lost(EVE.id)]
    inn.ticks(85.0 + limits.PLACE)
    assert inn.ordered() == [Lost(EVE.id), Commit(1, [Removal(EVE.id, "lost", "")])]
    zoe.dials(inn.tick)
    assert kinds(told(zoe.joins("Eve"))) == ["Joined", "Lookalike"]


def test_one_who_was_thrown_out_without_a_link_is_not_called_away(inn: Inn) -> None:
    inn.takes(inputs.Dropped(2, "the connection broke", 0.0))
    inn.takes(inputs.Kick("eve"))
    inn.ticks(limits.AWAY + 1)
    assert inn.ordered() == [Commit(1, [Removal(EVE.id, "kicked", "")])]


def test_a_host_that_overslept_does_both_one_after_the_other(inn: Inn) -> None:
    dropped(inn, inn.eve)
    done = inn.takes(inputs.Tick(), limits.PLACE) + inn.takes(inputs.Tick(), limits.PLACE)
    assert kinds(told(done)) == ["Left"]
    assert inn.ordered() == [Lost(EVE.id), Commit(1, [Removal(EVE.id, "lost", "")])]


def test_one_who_is_back_in_time_was_never_away(inn: Inn) -> None:
    index, digest = inn.eve.reference
    dropped(inn, inn.eve)
    inn.eve.dials(10.0)
    [admit] = inn.eve.resumes(index, digest)
    assert isinstance(admit, effects.Admit)
    assert inn.eve.greeted == [frames.Resumed(index, 10_000)]
    inn.ticks(2 * limits.PLACE)
    assert inn.ordered() == []
    inn.eve.says(text("here"))
    assert inn.ordered() == [text("here")]


def test_one_who_was_away_is_back_for_all(inn: Inn) -> None:
    """5.12"""
    index, digest = inn.eve.reference
    dropped(inn, inn.eve)
    inn.ticks(limits.AWAY)
    inn.eve.dials(limits.PLACE - 1)
    tell, _ = inn.eve.resumes(index, digest)
    assert isinstance(tell, effects.Tell)
    assert isinstance(tell.event, events.Joined)
    assert tell.event.nick == "eve"
    assert inn.eve.greeted == [frames.Resumed(index + 2, int(limits.PLACE - 1) * 1_000)]
    inn.ticks(2 * limits.PLACE)
    assert inn.ordered() == [Lost(EVE.id), Back(EVE.id)]


def test_one_who_was_removed_is_a_stranger(inn: Inn) -> None:
    dropped(inn, inn.eve)
    inn.ticks(limits.PLACE)
    inn.eve.dials(inn.tick)
    assert kinds(inn.eve.resumes(*inn.eve.reference)) == ["Finish"]
    assert inn.eve.refused == "unknown"
    assert inn.takes(inputs.Dropped(inn.eve.link, "the connection was closed", 0.0), inn.tick) == []


def test_one_who_comes_back_before_the_host_noticed_is_on_its_new_link_alone(inn: Inn) -> None:
    old, old_link = inn.eve.channel, inn.eve.link
    inn.eve.dials()
    drop, admit = inn.eve.resumes(*inn.eve.reference)
    assert isinstance(drop, effects.Drop)
    assert drop.link == old_link
    assert isinstance(admit, effects.Admit)
    assert inn.takes(inputs.Dropped(old_link, "the connection was closed", 0.0)) == []
    assert inn.takes(inputs.Heard(old_link, old.seal([])[padding.LENGTH :])) == []
    inn.ticks(2 * limits.PLACE)
    assert inn.ordered() == []


@pytest.mark.parametrize("away", [False, True])
def test_a_member_that_asks_to_be_let_in_is_welcomed_again(inn: Inn, away: bool) -> None:
    """5.2"""
    dropped(inn, inn.eve)
    inn.ticks(limits.AWAY if away else 0.0)
    inn.eve.dials(inn.tick)
    *tells, admit = inn.eve.joins("whatever")
    assert kinds(told(tells)) == ["Joined"] * away
    assert isinstance(admit, effects.Admit)
    seats = [(seat.nick, seat.away) for seat in inn.eve.state.seats]
    assert seats == [("hugo", False), ("ann", False), ("eve", False)]
    assert (inn.eve.state.since, inn.eve.state.base) == (inn.room.index, None)


@pytest.mark.parametrize(
    ("index", "digest"), [(None, bytes(32)), (1, None), (100, None), (2**53 - 1, None), (0, bytes(32))]
)
def test_one_who_has_another_log_is_welcomed_anew_without_a_past(
    inn: Inn, index: int | None, digest: bytes | None
) -> None:
    """5.12"""
    at, proper = inn.eve.reference
    inn.eve.dials()
    [_, admit] = inn.eve.resumes(at if index is None else index, proper if digest is None else digest)
    assert isinstance(admit, effects.Admit)
    assert isinstance(inn.eve.greeted[0], frames.Welcome)
    assert (inn.eve.state.since, inn.eve.state.base) == (inn.room.index, None)
    inn.room.end_burst(NOW)
    assert inn.eve.reads() == []


@pytest.mark.parametrize("epoch", [1, 2**53 - 1])
def test_one_who_names_an_epoch_that_is_not_has_a_welcome(inn: Inn, epoch: int) -> None:
    inn.eve.dials()
    inn.eve.resumes(*inn.eve.reference, epoch)
    assert isinstance(inn.eve.greeted[0], frames.Welcome)


# Whose it is, how it is signed, what it says otherwise than was signed, and the answer.
RESUMPTIONS: dict[str, tuple[Somebody, dict[str, Any], dict[str, Any], str]] = {
    "a stranger's": (ZOE, {}, {}, "unknown"),
    "one that another signed": (EVE, {"signer": ANN}, {}, "signature"),
    "one for another purpose": (EVE, {"label": identity.JOIN}, {}, "signature"),
    "one for another room": (EVE, {"signer": Somebody(b"e", b"s" * 32)}, {}, "signature"),
    "one for another link": (EVE, {"hello": bytes(32)}, {}, "signature"),
    "one with another secret": (EVE, {}, {"link": bytes(32)}, "signature"),
    "one for another epoch": (EVE, {}, {"epoch": 1}, "signature"),
    "one for another place": (EVE, {}, {"index": 1}, "signature"),
    "one for another log": (EVE, {}, {"digest": bytes(32)}, "signature"),
    "one for another leaf": (EVE, {}, {"leaf": ANN.leaf.public}, "signature"),
}


@pytest.mark.parametrize("kind", RESUMPTIONS)
def test_nobody_comes_back_in_anothers_place_and_nobody_notices_the_try(inn: Inn, kind: str) -> None:
    """2.5"""
    who, signed, otherwise, reason = RESUMPTIONS[kind]
    thief = FalseMember(inn, who)
    thief.dials()
    request = msgspec.structs.replace(thief.resume(*inn.eve.reference, **signed), **otherwise)
    assert kinds(thief.knocks(request)) == ["Finish"]
    assert thief.refused == reason
    inn.eve.says(text("undisturbed"))
    assert inn.ordered() == [text("undisturbed")]


def test_the_host_does_not_come_back_to_itself(inn: Inn) -> None:
    zoe = FalseMember(inn, ZOE)
    zoe.dials()
    zoe.resumes(*inn.eve.reference, signer=inn.host, member=inn.host.id)
    assert zoe.refused == "unknown"


def test_a_resumption_with_a_leaf_that_cannot_be_sealed_to_is_refused(inn: Inn) -> None:
    """3.2"""
    thief = FalseMember(inn, EVE)
    thief.dials()
    bad = EVE.leaf.public[:-32] + bytes(32)
    unsigned = msgspec.structs.replace(thief.resume(*inn.eve.reference), leaf=bad)
    signature = EVE.sign(identity.RESUME, handshake.resume_content(thief.hello, unsigned))
    thief.knocks(msgspec.structs.replace(unsigned, signature=signature))
    assert thief.refused == "leaf"
    assert_still_linked(inn.eve)


# --- heads, beats


def test_a_burst_ends_in_one_head_over_all_of_it(inn: Inn) -> None:
    """4.5, 5.6"""
    inn.room.end_burst(NOW)
    for _ in range(3):
        inn.eve.says(text("x"))
    inn.room.end_burst(NOW._replace(tick=START + 2.5))
    inn.room.end_burst(NOW._replace(tick=START + 9.0))
    inn.ann.reads()
    [burst] = inn.eve.bursts()
    assert [said(inn.eve.opened(entry)) for entry in burst.entries] == [text("x")] * 3
    signed = burst.head
    digest = identity.genesis(ROOM)
    for at in range(1, inn.room.log.end):
        entry = inn.placed(at)
        digest = identity.chain(digest, at, entry.header, suite.digest(entry.body))
    assert signed[:48] == (5).to_bytes(8, "big") + digest + (2_500).to_bytes(8, "big")
    assert identity.signed(identity.HEAD, ROOM, signed[:48], signed[48:], inn.host.key)


def test_no_two_bursts_have_one_nonce(inn: Inn) -> None:
    """4.5"""
    nonces = set()
    for _ in range(3):
        inn.eve.says(text("x"))
        inn.room.end_burst(NOW)
        nonces.add(inn.room.log._bursts[-1].wire[padding.LENGTH :][: suite.NONCE])
    assert len(nonces) == 3


def test_an_idle_host_says_so_with_heads_and_not_more_often_than_it_must(inn: Inn) -> None:
    """1.4"""
    inn.room.end_burst(NOW)
    times = []
    for _ in range(20):
        deadline = inn.room.next_deadline()
        assert deadline is not None
        [pulse] = inn.takes(inputs.Tick(), deadline - START)
        assert isinstance(pulse, effects.Pulse)
        [payload] = payloads(pulse.data)
        burst = frames.unpack(frames.Burst, inn.eve.epoch.open_burst(payload) or b"")
        assert burst.entries == []
        assert int.from_bytes(burst.head[:8], "big") == inn.room.index
        times.append(int.from_bytes(burst.head[40:48], "big"))
    pauses = {(later - earlier) / 1_000 for earlier, later in pairwise(times)}
    assert all(limits.BEAT * (1 - limits.BEAT_JITTER) - 0.01 <= pause <= limits.BEAT + 0.01 for pause in pauses)


def test_a_host_that_is_out_has_nothing_due_and_has_signed_for_all(inn: Inn) -> None:
    inn.takes(inputs.Kick("ann"))
    dropped(inn, inn.eve)
    inn.takes(inputs.Leave(close=True))
    assert inn.room.next_deadline() is None
    assert inn.room.log.is_sealed


def test_however_many_are_called_away_at_once_their_entries_are_covered_in_time() -> None:
    """5.6"""
    inn = Inn()
    crowd = [FalseMember(inn, Somebody(number.to_bytes(1, "big"))) for number in range(limits.MAILBOX + 2)]
    for number, member in enumerate(crowd):
        member.dials()
        member.joins(f"n{number}")
    inn.room.end_burst(NOW)
    before = inn.room.log.end
    for member in crowd:
        dropped(inn, member)
    bursts = []
    while inn.room.log.end < before + len(crowd):
        end = inn.room.log.end
        inn.takes(inputs.Tick(), limits.AWAY)
        inn.room.end_burst(NOW._replace(tick=START + limits.AWAY))
        bursts.append(inn.room.log.end - end)
    assert max(bursts) <= limits.MAILBOX
    assert sum(bursts) == len(crowd)


# --- an honest host is not framed


def test_what_was_denied_leaves_out_no_more_than_others_can_follow(inn: Inn) -> None:
    """6.6: a host that ordered what comes after too many denied would seem to lie."""
    for number in range(limits.SKIPPED):
        assert inn.eve.denials(inn.eve.says(Nick("ann"))) == [(number + 1, "nick-taken")]
    last = inn.eve.entry(EVE, text("all can follow"))
    inn.eve.submits(last)
    assert inn.ordered() == [text("all can follow")]
    inn.ann.epoch.admit(EVE.id)
    assert inn.ann.epoch.open_entry(last.sealed) == (last.header, last.body)
    for _ in range(limits.SKIPPED + 1):
        assert len(inn.eve.denials(inn.eve.says(Nick("ann")))) == 1
    assert_dropped(inn, inn.eve.says(text("nobody can follow")), text("all can follow"))


def test_how_many_were_left_out_is_counted_from_the_beginning_of_the_epoch(inn: Inn) -> None:
    inn.eve.says(text("far on"), generation=limits.SKIPPED)
    inn.ticks(limits.EPOCH)
    inn.eve.dials(inn.tick)
    inn.eve.resumes(*inn.eve.reference)
    assert set(map(type, inn.eve.missed())) == {frames.Past}
    for _ in range(limits.SKIPPED + 1):
        assert len(inn.eve.denials(inn.eve.says(Nick("ann")))) == 1
    drop, *_ = inn.eve.says(text("nobody can follow"))
    assert isinstance(drop, effects.Drop)


def test_the_same_count_begins_anew_with_every_epoch() -> None:
    """6.6: in another epoch, another chain."""
    room = Simulation()
    ann, bob = room.joined("ann"), room.joined("bob")
    for _ in range(2):
        for _ in range(limits.SKIPPED):
            room.rename(ann, "bob")
        room.settle()
        room.wait(limits.EPOCH)
        room.settle()
    room.say(ann, "on")
    room.settle()
    assert [message.text for message in bob.got(events.Message)] == ["on"]
    assert not room.drops


def test_a_member_with_too_many_nicks_denied_in_a_row_asks_for_no_more_until_it_has_said_something() -> None:
    """6.6: an honest member's own program keeps to it."""
    room = Simulation()
    ann, bob = room.joined("ann"), room.joined("bob")
    answers = [room.answers(ann, room.rename(ann, "bob")) for _ in range(limits.SKIPPED + 3)]
    assert [kinds(answer) for answer in answers] == [[]] * limits.SKIPPED + [["Error"]] * 3
    room.say(ann, "on")
    room.rename(ann, "anna")
    room.settle()
    assert [message.text for message in bob.got(events.Message)] == ["on"]
    assert [renamed.nick for renamed in bob.got(events.Renamed)] == ["anna"]
    assert not room.drops
    assert not bob.got(events.Alarm)


# --- a network that repeats, leaves out, exchanges and alters


class Talk(RuleBasedStateMachine):
    """Honest people, and a network that does to the payloads of some of them whatever it likes.

    Nobody is shown what was not said, or anything twice or in another order; and who is not touched notices nothing.
    """

    def __init__(self) -> None:
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(limits, "EPOCH", limits.SLICES / 2)
        self.room = Simulation()
        self.safe = self.room.joined("safe")
        self.prey = [self.room.joined(nick) for nick in ("ann", "bob")]
        self.seen: list[bytes] = []
        self.said = 0

    def one(self, number: int) -> Party:
        return [*self.prey, self.safe, self.room.host][number % 4]

    def queues(self, number: int) -> list[deque[bytes | None]]:
        """What is on its way to and from one of the prey."""
        link = self.room._link(self.prey[number % 2])
        return [link.up, link.down]

    @rule(who=st.integers(0, 3))
    def say(self, who: int) -> None:
        self.said += 1
        self.room.say(self.one(who), f"text {self.said}")

    @rule(who=st.integers(0, 2))
    def flow(self, who: int) -> None:
        member = self.one(who)
        for _ in range(3):
            self.room.write(member)
            self.record()
            self.room.member_hears(member)
            self.room.host_hears(member)

    def record(self) -> None:
        for number in range(2):
            up, down = self.queues(number)
            on_their_way = [*(payload for data in up for payload in payloads(data or b"")), *down]
            self.seen += [payload for payload in on_their_way if payload and payload not in self.seen]

    @rule(who=st.integers(0, 1), up=st.booleans(), at=st.integers(0, 5))
    def leave_out(self, who: int, up: bool, at: int) -> None:
        queue = self.queues(who)[not up]
        if at < len(queue) and queue[at] is not None:
            del queue[at]

    @rule(who=st.integers(0, 1), up=st.booleans(), at=st.integers(0, 5), to=st.integers(0, 5))
    def reorder(self, who: int, up: bool, at: int, to: int) -> None:
        queue = self.queues(who)[not up]
        if max(at, to) < len(queue) and None not in (queue[at], queue[to]):
            queue[at], queue[to] = queue[to], queue[at]

    @rule(who=st.integers(0, 1), up=st.booleans(), at=st.integers(0, 5), which=st.integers(0, 2**16))
    def replay(self, who: int, up: bool, at: int, which: int) -> None:
        """Something recorded on any link, in any direction."""
        self.record()
        queue, link = self.queues(who)[not up], self.room._link(self.prey[who])
        if self.seen and at <= len(queue) and link.open:
            payload = self.seen[which % len(self.seen)]
            if len(payload) <= link.at_host.longest:
                queue.insert(at, padding.payload(payload) if up else payload)

    @rule(who=st.integers(0, 1), up=st.booleans(), at=st.integers(0, 5), bit=st.integers(0, 2**16))
    def alter(self, who: int, up: bool, at: int, bit: int) -> None:
        queue = self.queues(who)[not up]
        if at < len(queue) and (payload := queue[at]):
            changed = bytearray(payload)
            changed[2 + bit % (len(changed) - 2)] ^= 1 + bit % 255
            queue[at] = bytes(changed)

    @rule(who=st.integers(0, 1))
    def redial(self, who: int) -> None:
        member = self.prey[who]
        self.room.lose(member, delivering=False)
        self.room.member_hears(member)
        self.room.dial(member)

    @rule()
    def commit(self) -> None:
        """So much time passes that there is another epoch; who is not touched hears of it in time."""
        self.room.wait(limits.EPOCH)
        while self.safe.room.index < self.room.host.room.index:
            self.flow(2)

    @invariant()
    def nobody_is_deceived(self) -> None:
        ordered = self.room.host.messages
        texts = [words for _, _, _, words, _ in ordered]
        assert len(texts) == len(set(texts))
        everyone = [*self.prey, self.safe, self.room.host]
        said = {it.text for party in everyone for it in party.typed.values() if isinstance(it, inputs.Say)}
        assert set(texts) <= said
        for member in [*self.prey, self.safe]:
            assert [it for it in ordered if it in member.messages] == member.messages

    @invariant()
    def who_is_not_touched_notices_nothing(self) -> None:
        for party in (self.safe, self.room.host):
            assert not party.got(events.Alarm)
            assert not party.room.over

    def teardown(self) -> None:
        if not self.room.host.room.over:
            self.room.settle()
            assert self.safe.messages == self.room.host.messages
        self.nobody_is_deceived()
        self.who_is_not_touched_notices_nothing()
        self.patch.undo()


TestNetwork = Talk.TestCase
TestNetwork.settings = settings(max_examples=40, stateful_step_count=40)
