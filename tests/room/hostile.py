"""What the tests of hostile peers share."""

from collections.abc import Callable
from typing import Any

from anonp2p import limits
from anonp2p.crypto import identity, padding, suite
from anonp2p.crypto.epoch import FLEETING, KEPT, Epoch
from anonp2p.protocol import frames
from anonp2p.protocol.frames import Commit, Lost, Removal
from anonp2p.room import effects, events, inputs
from tests.room.peers import (
    ANN,
    EVE,
    HOST,
    FalseHost,
    FalseMember,
    Inn,
    Item,
    Placed,
    Somebody,
    padded,
    randomness,
    text,
)
from tests.support.world import host_role

LEAF = suite.digest(EVE.leaf.public)
BOUNDS = frames.Retention(60, 3_600, 86_400)


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


def burst_in(epoch: Epoch, head: bytes) -> bytes:
    """The payload of a burst without entries."""
    return epoch.seal_burst(frames.pack(frames.Burst([], head)), randomness(b"burst"))[padding.LENGTH :]


def altered(entry: Placed, at: int) -> Placed:
    """One bit of it is another."""
    data = bytearray(entry.sealed)
    data[at] ^= 1
    return entry._replace(sealed=bytes(data))


def hello(version: int = frames.VERSION, door: bytes = EVE.leaf.public) -> bytes:
    """As a host says it."""
    return padding.pad(frames.pack(frames.Hello(version, bytes(32), door)), limits.HELLO - padding.LENGTH)


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


def without(*members: bytes) -> Callable[[FalseHost], list[Item]]:
    return lambda it: [
        it.welcome(seats=[seat for seat in it.state().seats if identity.member_id(seat.key) not in members])
    ]


OUT_OF_BOUNDS = [FLEETING, BOUNDS.least - 1, BOUNDS.most + 1, KEPT]


def words(host: FalseHost, nick: str = "") -> Any:
    """What a guest compares with others."""
    [reply] = host.takes(inputs.Verify(nick))
    assert isinstance(reply, events.Reply)
    return reply.data


def past(it: FalseHost, *entries: Placed, **otherwise: Any) -> list[Item]:
    """A Welcome, and a Past of these."""
    missed = it.past(*entries, **otherwise)
    return [*it.welcome(past=True), missed]


def come_anew(host: FalseHost) -> None:
    """The guest was away for too long, and asks as somebody new."""
    host.redials()
    host.hears(frames.Refused("unknown"))
    assert isinstance(host.redials(), frames.Join)


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
    inn.ann.says(text("undisturbed"), ttl=inn.room.replica.ledger.retention.default)
    assert inn.ordered() == [*before, Lost(EVE.id), text("undisturbed")]
    inn.ticks(inn.tick + limits.COMMIT_PAUSE)
    assert inn.ordered()[-1] == Commit(1, [Removal(EVE.id, "lost", "")])


def assert_still_linked(member: FalseMember) -> None:
    """A beat is nothing to anybody: it is not dropped for it."""
    assert member.sends() == []
    assert member.link in host_role(member.inn.room).presence.links


def dropped(inn: Inn, member: FalseMember, tick: float = 0.0, silence: float = 0.0) -> None:
    inn.takes(inputs.Dropped(member.link, "the connection was closed", silence), tick)
