"""What is shown as retracted: only its author's own Retract counts."""

from collections.abc import Callable

import msgspec
import pytest

from anonp2p.crypto.epoch import KEPT
from anonp2p.protocol import bodies, frames
from anonp2p.protocol.batches import Backfilled, RetractedEntry
from anonp2p.room import events
from anonp2p.room.entries import OpenedEntry
from anonp2p.room.member.retracted import is_retracted
from tests.room.hostile import KEY, assert_link_ended
from tests.room.member.false_host import FalseHost
from tests.room.peers import ANN, EVE, HOST, Placed, kinds, text


def retract(host: FalseHost, entry: Placed, **otherwise: object) -> Placed:
    """Its author's Retract of an entry."""
    return host.entry(ANN, bodies.RetractBody(entry.header.counter), **otherwise)


def retracted(entry: Placed, by: Placed, epoch: int = 0) -> RetractedEntry:
    """What is left of an entry."""
    return RetractedEntry(entry.gone.header, entry.gone.digest, epoch, by.header.pack(), by.body)


def shown_as(host: FalseHost, entry: Placed, gone: Backfilled, *more: Placed) -> frames.BackfillFrame:
    """A backfill with an entry, of which that is left, and more."""
    past = host.past(entry, *more)
    return msgspec.structs.replace(past, entries=[gone, *past.entries[1:]])


Case = Callable[[FalseHost, Placed, Placed], RetractedEntry]
NONE: dict[str, Case] = {
    "of another message": lambda it, entry, by: retracted(entry, it.entry(ANN, bodies.RetractBody(9))),
    "of another author": lambda it, entry, by: retracted(entry, it.entry(HOST, bodies.RetractBody(1))),
    "signed by another": lambda it, entry, by: retracted(entry, retract(it, entry, signer=HOST)),
    "under another's header": lambda it, entry, by: retracted(
        entry, by._replace(header=by.header._replace(author=HOST.id))
    ),
    "under another counter": lambda it, entry, by: retracted(entry, by._replace(header=by.header._replace(counter=7))),
    "for another epoch": lambda it, entry, by: retracted(entry, by, epoch=1),
    "another entry": lambda it, entry, by: retracted(entry, it.entry(ANN, text("no"))),
    "no content": lambda it, entry, by: retracted(entry, by._replace(body=b"no body")),
    "no body": lambda it, entry, by: retracted(entry, by._replace(body=b"")),
    "a header that is none": lambda it, entry, by: msgspec.structs.replace(
        retracted(entry, by), retract_header=b"\7" * 33
    ),
}


@pytest.fixture
def message(host: FalseHost) -> Placed:
    """Something that Ann said for good."""
    return host.entry(ANN, text("secret"), ttl=KEPT)


def test_only_what_its_author_says_with_its_signature_retracts_an_entry(host: FalseHost, message: Placed) -> None:
    """5.13"""
    by = retract(host, message)
    assert is_retracted(host.ledger, retracted(message, by), [])
    for name, case in NONE.items():
        assert not is_retracted(host.ledger, case(host, message, by), []), name


def test_an_author_who_is_not_in_the_room_has_retracted_nothing(host: FalseHost) -> None:
    entry = host.entry(EVE, text("secret"))
    shown = retracted(entry, host.entry(EVE, bodies.RetractBody(1)))
    assert not is_retracted(host.ledger, shown, [])
    joined = host.entry(HOST, bodies.JoinedBody(EVE.key, "eve", KEY))
    assert is_retracted(host.ledger, shown, [OpenedEntry(joined.header, joined.body)])


def test_what_was_retracted_is_gone_and_what_follows_opens(host: FalseHost, message: Placed) -> None:
    """5.13"""
    by = retract(host, message)
    after = host.entry(ANN, text("after"))
    assert kinds(host.hears(shown_as(host, message, retracted(message, by)))) == ["ExpiredUnseenEvent"]
    happened = host.hears(by, after)
    assert [event.text for event in happened if isinstance(event, events.MessageEvent)] == ["after"]
    assert not [event for event in happened if isinstance(event, events.ExpiredEvent)]


@pytest.mark.parametrize("case", NONE)
def test_what_its_author_has_not_retracted_ends_the_link(host: FalseHost, message: Placed, case: str) -> None:
    """5.9, 5.13: it is not signed by the host, and so held against nobody."""
    shown = NONE[case](host, message, retract(host, message))
    assert_link_ended(host, host.hears(shown_as(host, message, shown)))


def test_nothing_of_it_is_kept_as_evidence_either(host: FalseHost) -> None:
    """5.9, 5.16: that its author was shown another log is told, and proven by the header alone from then on."""
    doubtful = [host.entry(ANN, text(words), reference=(host.ledger.index, bytes(32))) for words in ("one", "two")]
    assert "AlarmEvent" in kinds(host.hears(*doubtful))
    assert [(proof[0], proof[1]) for proof in host.room.evidence] == [(it.header.pack(), it.body) for it in doubtful]
    host.hears(retract(host, doubtful[0]))
    assert [(proof[0], proof[1]) for proof in host.room.evidence] == [
        (doubtful[0].header.pack(), b""),
        (doubtful[1].header.pack(), doubtful[1].body),
    ]


def test_a_message_that_is_shown_and_then_retracted_ends(host: FalseHost, message: Placed) -> None:
    [shown] = host.hears(message)
    assert isinstance(shown, events.MessageEvent)
    assert host.hears(retract(host, message)) == [events.ExpiredEvent(room="r1", seq=shown.seq, retracted=True)]
