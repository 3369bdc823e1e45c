"""What the tests of hostile peers share."""

from collections.abc import Callable
from typing import Any

from anonp2p import limits
from anonp2p.crypto import identity, padding, suite
from anonp2p.crypto.epoch import FLEETING, KEPT, Epoch
from anonp2p.protocol import bodies, field_types, frames, room_state
from anonp2p.protocol.batches import Batch
from anonp2p.protocol.bodies import AwayBody, CommitBody, Removal
from anonp2p.protocol.packing import pack
from anonp2p.protocol.requests import VERSION, Hello, JoinRequest
from anonp2p.room import effects, events, inputs
from tests.room.host.inn import FalseMember, Inn
from tests.room.member.false_host import FalseHost, Item
from tests.room.peers import ANN, EVE, HOST, ROOM, Placed, Somebody, randomness, text
from tests.support.world import host_role

KEY = suite.hash_data(EVE.encryption_key.public)
BOUNDS = room_state.RetentionPolicy(60, 3_600, 86_400)


def assert_left_in_alarm(host: FalseHost, happened: list[events.Event], member: bytes = HOST.id) -> None:
    """5.9: an alarm that names the host, the way out, and nothing shown of what caused it."""
    alarm, gone = (event for event in happened if not isinstance(event, events.UnsentEvent | events.ErrorEvent))
    assert isinstance(alarm, events.AlarmEvent)
    assert alarm.member == identity.spell_member(member)
    assert isinstance(gone, events.GoneEvent)
    assert gone.reason == "lost"
    assert happened[-1] is gone
    assert host.room.over
    assert host.room.evidence
    for piece in host.room.evidence[-1][:2]:
        assert identity.is_signed(identity.HEAD, ROOM, piece[:48], piece[48:], HOST.key)
    assert host.hears(host.entry(ANN, text("still here"), counter=2**40)) == []


def assert_link_ended(host: FalseHost, happened: list[events.Event]) -> None:
    """5.9: nothing is shown, nobody is accused, what still comes on the link is not heard, and it dials again."""
    assert happened == []
    [drop] = host.effects
    assert isinstance(drop, effects.DropEffect)
    assert not host.room.over
    assert host.room.evidence == []
    assert host.hears(bytes(478)) == []
    assert host.effects == []
    host.redials(drop.reason)


def batch_in(epoch: Epoch, head: bytes) -> bytes:
    """The payload of a batch without entries."""
    return epoch.seal_batch(pack(Batch([], [], head)), randomness(b"burst"))[padding.LENGTH :]


def altered(entry: Placed, at: int) -> Placed:
    """One bit of it is another."""
    data = bytearray(entry.sealed)
    data[at] ^= 1
    return entry._replace(sealed=bytes(data))


def hello(version: int = VERSION, handshake_key: bytes = EVE.encryption_key.public) -> bytes:
    """As a host says it."""
    return padding.pad_text(pack(Hello(version, bytes(32), handshake_key)), limits.HELLO - padding.LENGTH)


def fading(it: FalseHost, author: Somebody = ANN, **otherwise: Any) -> Placed:
    """A text that lives for a minute."""
    return it.entry(author, text("lie"), **{"ttl": 60, **otherwise})


def gone(it: FalseHost, entry: Placed, **otherwise: Any) -> frames.BackfillFrame:
    """A batch of this entry alone, which has expired by now, if it does."""
    return it.past(entry, gone=[entry], **{"time": field_types.COUNTS - 1, **otherwise})


def at(it: FalseHost, time: int) -> FalseHost:
    """A host whose heads are of this time, from now on."""
    it.time = time
    return it


def without(*members: bytes) -> Callable[[FalseHost], list[Item]]:
    return lambda it: [
        it.welcome(
            roster=[
                roster_entry
                for roster_entry in it.state().roster
                if identity.member_id(roster_entry.key) not in members
            ]
        )
    ]


OUT_OF_BOUNDS = [FLEETING, BOUNDS.least - 1, BOUNDS.most + 1, KEPT]


def words(host: FalseHost, nick: str = "") -> Any:
    """What a guest compares with others."""
    [reply] = host.takes(inputs.VerifyInput(nick))
    assert isinstance(reply, events.ReplyEvent)
    return reply.data


def past(it: FalseHost, *entries: Placed, **otherwise: Any) -> list[Item]:
    """A Welcome, and a Backfill of these."""
    missed = it.past(*entries, **otherwise)
    return [*it.welcome(past=True), missed]


def come_anew(host: FalseHost) -> None:
    """The guest was away for too long, and asks as somebody new."""
    host.redials()
    host.hears(host.refused("unknown"))
    assert isinstance(host.redials(), JoinRequest)


def assert_dropped(inn: Inn, done: list[effects.Effect], *before: bodies.Body) -> None:
    """5.8: Eve's link is dropped at once, she is lost to all, and no member from the next commit on."""
    drop, tell = done
    assert isinstance(drop, effects.DropEffect)
    assert drop.link == 2
    assert isinstance(tell, effects.TellEffect)
    assert isinstance(tell.event, events.LeftEvent)
    assert (tell.event.nick, tell.event.reason) == ("eve", "lost")
    assert inn.ordered() == [*before, AwayBody(EVE.id)]
    assert inn.takes(inputs.DroppedInput(2, "closed", 0.0), inn.tick) == []
    assert inn.eve.says(text("still here")) == []
    assert inn.ordered() == [*before, AwayBody(EVE.id)]
    inn.ann.says(text("undisturbed"), ttl=inn.room.replica.ledger.retention.default)
    assert inn.ordered() == [*before, AwayBody(EVE.id), text("undisturbed")]
    inn.ticks(inn.tick + limits.COMMIT_PAUSE)
    assert inn.ordered()[-1] == CommitBody(1, [Removal(EVE.id, "lost")], renew=False)


def assert_still_linked(member: FalseMember) -> None:
    """A beat is nothing to anybody: it is not dropped for it."""
    assert member.sends() == []
    assert member.link in host_role(member.inn.room).presence.links


def dropped(inn: Inn, member: FalseMember, tick: float = 0.0, silence: float = 0.0) -> None:
    inn.takes(inputs.DroppedInput(member.link, "closed", silence), tick)
