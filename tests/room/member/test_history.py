"""What a newcomer is shown of what was said before it came, and the lies in that."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from anonp2p.crypto.epoch import KEPT
from anonp2p.names.codes import RoomKey
from anonp2p.protocol import field_types, frames, room_state
from anonp2p.protocol.batches import BackfilledEntry
from anonp2p.protocol.bodies import AwayBody, BackBody, JoinedBody, LeaveBody, LockBody, NickBody, RenewBody
from anonp2p.protocol.requests import JoinRequest
from anonp2p.room import events
from tests.room.hostile import KEY, assert_left_in_alarm, assert_link_ended, at, fading
from tests.room.member.false_host import HERE, FalseHost, Item
from tests.room.peers import ANN, EVE, HOST, ROOM_KEY, Placed, kinds, text


@pytest.fixture
def teller() -> FalseHost:
    """A host of a room with a history, and a guest who has asked to be let in."""
    host = FalseHost(history=room_state.HistoryPolicy(10, 0))
    host.greets()
    host.sealer.know_chains()
    return host


def history(it: FalseHost, *batches: list[Placed], fades: list[Placed] | None = None, **otherwise: Any) -> list[Item]:
    """A Welcome to a room in which this was said, and then the guest joined; and all of it as Pasts.

    fades: what of it has expired by now.
    """
    since, base = it.ledger.index, it.base()
    pasts = [it.past(*batch, gone=fades or []) for batch in batches]
    pasts.append(it.past(it.orders_guest()))
    now = it.head_text(time=it.time + 60_000)
    pasts = [msgspec.structs.replace(past, now=now) for past in pasts]
    return [*it.welcome(**{"since": since, "snapshot": base, **otherwise}), *pasts]


def test_a_newcomer_is_shown_what_leads_to_the_welcome_and_follows_from_there(teller: FalseHost) -> None:
    """5.18"""
    one, fading_ = teller.entry(ANN, text("one")), fading(teller)
    batches = [
        [one, fading_, teller.entry(ANN, NickBody("anna"))],
        [
            teller.entry(HOST, JoinedBody(EVE.key, "eve", KEY)),
            teller.entry(EVE, text("two")),
            teller.entry(EVE, LeaveBody()),
        ],
        [teller.entry(HOST, AwayBody(ANN.id)), teller.entry(HOST, BackBody(ANN.id)), teller.entry(ANN, RenewBody(KEY))],
        [
            teller.entry(HOST, LockBody(locked=True)),
            teller.entry(HOST, LockBody(locked=False)),
            teller.entry(HOST, text("ho")),
        ],
    ]
    happened = teller.hears(*history(teller, *batches, fades=[fading_]))
    shown = [(it.nick, it.text, it.seq) for it in happened if isinstance(it, events.MessageEvent) and it.history]
    assert shown == [("ann", "one", HERE + 1), ("eve", "two", HERE + 5), ("hugo", "ho", HERE + 12)]
    assert not {"AlarmEvent", "GoneEvent"} & {*kinds(happened)}
    teller.time = 60_000
    [message] = teller.hears(teller.entry(ANN, text("three")))
    assert isinstance(message, events.MessageEvent)
    assert (message.nick, message.history) == ("anna", False)
    teller.turns()
    assert kinds(teller.hears(teller.entry(ANN, text("four")))) == ["MessageEvent"]


def one_more(it: FalseHost) -> list[Item]:
    """A history that is longer than the Welcome said."""
    one = it.entry(ANN, text("true"))
    *items, last = history(it, [one])
    return [*items, last, at(it, 60_000).past(it.entry(ANN, text("more")))]


def beyond(it: FalseHost) -> list[Item]:
    """The same in the last of its batches."""
    since, base = it.ledger.index, it.base()
    first = it.past(it.entry(ANN, text("true")), it.orders_guest())
    state = it.state()
    more = it.entry(ANN, NickBody("anna"))
    it.place(more)
    entries = [*first.entries, BackfilledEntry(more.header.pack(), more.body)]
    return [
        *it.welcome(since=since, snapshot=base, state=state),
        frames.BackfillFrame(entries, [*first.contexts, it.context], it.head_text(), it.head_text()),
    ]


def cut_short(it: FalseHost) -> list[Item]:
    """One in the midst of which the host goes on with what is said now."""
    *items, _ = history(it, [it.entry(ANN, text("true"))])
    return [*items, lambda: it.entry(ANN, text("lie"))]


def batch_left_out(it: FalseHost, which: int) -> list[Item]:
    """One of three batches does not come."""
    batches = [[it.entry(ANN, text(words))] for words in ("true", "not shown", "lie")]
    welcome, page, *pasts = history(it, *batches)
    del pasts[which]
    return [welcome, page, *pasts[: which + 1]]


def reordered(it: FalseHost) -> list[Item]:
    """The second of two batches comes first."""
    welcome, page, one, other, _ = history(it, [it.entry(ANN, text("one"))], [it.entry(HOST, text("lie"))])
    del one
    return [welcome, page, other]


def within_a_batch(it: FalseHost, change: Callable[[list[Any]], list[Any]]) -> list[Item]:
    """The entries of a batch are changed, but not its head."""
    welcome, page, past, _ = history(it, [it.entry(ANN, text("lie")), it.entry(HOST, text("lies"))])
    assert isinstance(past, frames.BackfillFrame)
    return [welcome, page, msgspec.structs.replace(past, entries=change(past.entries))]


def based_on(it: FalseHost, **otherwise: Any) -> list[Item]:
    """A history that begins with another room than it was."""
    since, base = it.ledger.index, msgspec.structs.replace(it.base(), **otherwise)
    past = it.past(it.orders_guest())
    return [*it.welcome(since=since, snapshot=base), past]


def badly_based(it: FalseHost, **otherwise: Any) -> list[Item]:
    """The same with another that no room is."""
    return based_on(it, **otherwise)[:-1]


def with_snapshot_entry(
    based: Callable[..., list[Item]], who: int, **otherwise: Any
) -> Callable[[FalseHost], list[Item]]:
    """The same where one member is another than it was."""

    def lie(it: FalseHost) -> list[Item]:
        members = it.base().roster
        members[who] = msgspec.structs.replace(members[who], **otherwise)
        return based(it, roster=members)

    return lie


def told_lies(*lies: Callable[[FalseHost], Placed], **otherwise: Any) -> Callable[[FalseHost], list[Item]]:
    """A history of one batch in which this is said, and not what follows it."""
    return lambda it: history(it, [lie(it) for lie in lies], **otherwise)[:-1]


def told_expired(**entry: Any) -> Callable[[FalseHost], list[Item]]:
    """A history of one batch in which a text has expired, in its first minute."""

    def lie(it: FalseHost) -> list[Item]:
        expired = fading(it, **entry)
        return history(it, [expired], fades=[expired])[:-1]

    return lie


def too_early(it: FalseHost) -> list[Item]:
    items = told_expired()(it)
    past = items.pop()
    assert isinstance(past, frames.BackfillFrame)
    return [*items, msgspec.structs.replace(past, now=it.head_text(time=59_999))]


def of_before(it: FalseHost) -> list[Item]:
    """A history whose heads go back in time."""
    since, base = it.ledger.index, it.base()
    one = at(it, 2_000).past(it.entry(ANN, text("true")))
    two = at(it, 1_999).past(it.entry(ANN, text("lie")))
    it.past(it.orders_guest())
    return [*at(it, 3_000).welcome(since=since, snapshot=base), one, two]


def two_histories(it: FalseHost) -> list[Item]:
    """Entries that do not lead to the head of the Welcome, though it is of their index."""
    items = history(it, [it.entry(ANN, text("true"))])
    latest = msgspec.structs.replace(it.latest, digest=bytes(32))
    return [*it.welcome(since=HERE, snapshot=it_was(it), latest=latest), items[2]]


def it_was(it: FalseHost) -> room_state.RoomSnapshot:
    """The room as it was when the guest asked."""
    before = FalseHost(history=room_state.HistoryPolicy(10, 0))
    return before.base()


def to_another_epoch(it: FalseHost) -> list[Item]:
    """A history with a commit, and a Welcome to the epoch before it."""
    since, base = it.ledger.index, it.base()
    pasts = [it.past(it.entry(ANN, text("true")), it.commit()), it.past(it.orders_guest(epoch=1))]
    return [*it.welcome(since=since, snapshot=base, epoch=0), *pasts]


def never_expiring(it: FalseHost) -> list[Item]:
    """A history in which a text has expired that no such room allows."""
    expired = fading(it)
    return history(it, [expired], fades=[expired], retention=room_state.RetentionPolicy(0, 0, 0))[:-1]


def after_its_end(it: FalseHost) -> list[Item]:
    """A history of nothing, from an entry on that is to come."""
    it.place(it.orders_guest())
    return [*it.welcome(since=it.ledger.index + 1, snapshot=it.base())]


def beyond_all(it: FalseHost) -> list[Item]:
    """A Welcome whose head is of an index that no frame can name."""
    since, base = it.ledger.index, it.base()
    it.place(it.orders_guest())
    return [*it.welcome(since=since, snapshot=base, head={"index": field_types.COUNTS})]


LIES_IN_A_HISTORY: dict[str, Callable[[FalseHost], list[Item]]] = {
    "a forged entry": told_lies(lambda it: it.entry(ANN, text("lie"), signer=EVE)),
    "an entry from before it": told_lies(lambda it: it.entry(HOST, text("lie"), counter=3)),
    "an entry repeated": told_lies(
        lambda it: it.entry(ANN, NickBody("anna"), counter=1), lambda it: it.entry(ANN, text("lie"), counter=1)
    ),
    "an entry that is kept too long": lambda it: history(
        it, [it.entry(ANN, text("lie"), ttl=KEPT)], retention=room_state.RetentionPolicy(0, 60, 60)
    )[:-1],
    "what never could as expired": never_expiring,
    "an expired text from before it": told_expired(author=HOST, counter=3),
    "a time that goes back": of_before,
    "another end": two_histories,
    "an end in another epoch": to_another_epoch,
    "a beginning in another epoch": lambda it: based_on(it, epoch=1),
    "a beginning with another nick": with_snapshot_entry(based_on, 1, nick="eve"),
    "a beginning with one more": lambda it: based_on(
        it, roster=[*it.base().roster, room_state.SnapshotEntry(EVE.key, "eve", 0, away=False, key_hash=KEY)]
    ),
    "a beginning with us in it": lambda it: based_on(
        it,
        roster=[*it.base().roster, room_state.SnapshotEntry(it.room.replica.me.key, "me", 0, away=False, key_hash=KEY)],
    ),
}


FAULTS_IN_A_HISTORY: dict[str, Callable[[FalseHost], list[Item]]] = {
    "what is kept as expired": told_expired(ttl=KEPT),
    "what lives as expired": too_early,
    "the first burst left out": lambda it: batch_left_out(it, 0),
    "a burst left out": lambda it: batch_left_out(it, 1),
    "bursts in another order": reordered,
    "entries in another order": lambda it: within_a_batch(it, lambda entries: entries[::-1]),
    "a time after its end": lambda it: [*history(it)[:2], lambda: at(it, 1).past(time=0)],
    "one burst more in its last": beyond,
    "an end before its end": cut_short,
    "an end beyond all": beyond_all,
    "a beginning after its end": after_its_end,
    "a beginning without the host": lambda it: badly_based(it, roster=it.base().roster[1:]),
    "a beginning with another log": lambda it: based_on(it, digest=bytes(32)),
    "a beginning with two alike": with_snapshot_entry(badly_based, 1, nick="Hugo"),
}


@pytest.mark.parametrize("lie", LIES_IN_A_HISTORY)
def test_a_host_that_lies_about_what_was_before_is_left_with_an_alarm(teller: FalseHost, lie: str) -> None:
    """5.18"""
    *honest, lying = LIES_IN_A_HISTORY[lie](teller)
    before = teller.hears(*honest)
    assert not teller.room.over
    happened = teller.hears(lying)
    assert kinds(happened)[-1] == "GoneEvent"
    assert [it.reason for it in happened if isinstance(it, events.AlarmEvent)]
    assert not [it for it in before + happened if isinstance(it, events.MessageEvent) and it.text != "true"]


@pytest.mark.parametrize("fault", FAULTS_IN_A_HISTORY)
def test_a_history_that_nobody_signed_for_ends_the_link_and_is_not_shown(teller: FalseHost, fault: str) -> None:
    """5.9, 5.18"""
    *before, wrong = FAULTS_IN_A_HISTORY[fault](teller)
    shown = teller.hears(*before)
    assert_link_ended(teller, teller.hears(wrong))
    assert not [it for it in shown if isinstance(it, events.MessageEvent) and it.text != "true"]


def test_who_could_host_and_who_was_thrown_out_is_known_for_the_beginning_of_a_history_too(teller: FalseHost) -> None:
    """8.2: else who goes back there, as its log parts from another, knows nobody whom it could ask."""
    carriers = (field_types.Heir(HOST.id, ROOM_KEY.public), field_types.Heir(ANN.id, RoomKey(KEY).public))
    since = teller.ledger.index
    teller.hears(*history(teller, [teller.entry(ANN, text("one"))], carriers=carriers, kicked=(EVE.key,)))
    base = teller.room.replica.room_log.ledger_at(since)
    assert base is not None
    assert base.carriers == {carrier.member: carrier.address for carrier in carriers}
    assert base.kicked == {EVE.id: EVE.key}


def test_what_comes_after_the_history_is_not_of_it(teller: FalseHost) -> None:
    """5.18: it ends with the Welcome's head."""
    happened = teller.hears(*one_more(teller))
    assert [(it.text, it.history) for it in happened if isinstance(it, events.MessageEvent)] == [
        ("true", True),
        ("more", False),
    ]


@pytest.fixture
def seen(teller: FalseHost) -> Placed:
    """Something that its guest was shown, in a room with a history; then the guest lost its link, and dialled again."""
    teller.hears(*history(teller))
    entry = at(teller, 60_000).entry(ANN, text("seen"))
    assert kinds(teller.hears(entry)) == ["MessageEvent"]
    teller.redials()
    return entry


@pytest.mark.parametrize("from_there", [False, True])
def test_one_who_comes_back_is_not_shown_another_history_than_it_has_seen(
    teller: FalseHost, seen: Placed, from_there: bool
) -> None:
    """5.6: also where the host says that its log does not reach back so far. from_there: on from where it was."""
    joined, _ = teller.placed
    again = at(FalseHost(history=room_state.HistoryPolicy(10, 0)), 60_000)
    since, base = again.ledger.index, again.base()
    pasts = [again.past(joined), again.past(again.entry(ANN, text("lie")))]
    if from_there:
        since, base = again.ledger.index, again.base()
        pasts = []
    pasts.append(again.past(again.entry(ANN, text("more"))))
    head = {"index": again.ledger.index, "time": 60_000}
    happened = teller.hears(*teller.welcome(since=since, snapshot=base, latest=again.latest, head=head), *pasts)
    assert kinds(happened)[-2:] == ["AlarmEvent", "GoneEvent"]
    assert not [it for it in happened if isinstance(it, events.MessageEvent)]


def test_one_who_comes_back_is_shown_what_it_has_not_seen_of_the_same_history(teller: FalseHost, seen: Placed) -> None:
    """5.18"""
    unseen = teller.entry(ANN, text("unseen"))
    teller.place(unseen)
    again = at(FalseHost(history=room_state.HistoryPolicy(10, 0)), 60_000)
    base = again.base()
    pasts = [again.past(entry) for entry in teller.placed]
    shown = teller.hears(*teller.welcome(since=HERE, snapshot=base), *pasts)
    assert [(it.text, it.history) for it in shown if isinstance(it, events.MessageEvent)] == [("unseen", True)]
    assert not teller.room.over


def test_a_host_whose_welcome_broke_off_does_not_turn_back_the_time(teller: FalseHost) -> None:
    """5.6"""
    base = teller.base()
    shown = teller.past(teller.entry(ANN, text("true")))
    teller.place(teller.orders_guest())
    teller.hears(*at(teller, 5_000).welcome(since=HERE, snapshot=base), shown)
    assert isinstance(teller.redials(), JoinRequest)
    teller.place(teller.entry(ANN, text("lie")))
    assert kinds(teller.hears(*at(teller, 4_999).welcome(since=HERE, snapshot=base)))[-2:] == [
        "AlarmEvent",
        "GoneEvent",
    ]


@pytest.mark.parametrize(("proven", "snapshot"), [(True, True), (False, True), (False, False)])
def test_a_host_hides_nothing_behind_a_link_that_breaks_in_the_midst_of_a_history(
    teller: FalseHost, proven: bool, snapshot: bool
) -> None:
    """7.3a: it has to prove all that it does not show any more, or has denied what it signed before.

    Nor is one who has not been shown all of it welcomed as who has.
    """
    base, since = teller.base(), teller.ledger.index
    shown = teller.past(teller.entry(ANN, text("true")))
    hidden = [teller.orders_guest(), *(teller.entry(ANN, text(words)) for words in ("hidden", "too"))]
    for entry in hidden:
        teller.place(entry)
    teller.hears(*teller.welcome(since=since, snapshot=base), shown)
    again = teller.redials()
    assert isinstance(again, JoinRequest)
    assert again.index == since + 1
    now = teller.base() if snapshot else None
    welcome = teller.welcome(since=teller.ledger.index, snapshot=now, proof=proven)
    if not proven:
        assert_left_in_alarm(teller, teller.hears(*welcome))
        return
    happened = teller.hears(*welcome, teller.proof_of(*hidden))
    [missed] = [it for it in happened if isinstance(it, events.EntriesMissedEvent)]
    assert (missed.count, missed.verified) == (3, True)
    assert not teller.room.over


def test_places_are_those_of_a_history_only_as_long_as_its_link_lasts(teller: FalseHost) -> None:
    """8.1"""
    base, since = teller.base(), teller.ledger.index
    shown = teller.past(teller.entry(ANN, text("true")))
    teller.place(teller.orders_guest())
    teller.hears(*teller.welcome(since=since, snapshot=base), shown)
    assert teller.room.replica.final_openings == teller.ledger.openings
    teller.redials()
    assert teller.room.replica.final_openings is None


def test_a_history_that_refers_to_another_log_raises_an_alarm(teller: FalseHost) -> None:
    """5.9, 5.18"""
    teller.hears(*history(teller, [teller.entry(ANN, text("which log?"), reference=(HERE, bytes(32)))]))
    assert len(teller.room.evidence) == 1
    assert not teller.room.over


def test_one_whose_history_broke_off_is_not_resumed(teller: FalseHost) -> None:
    """It has no keys of the room yet, and has asked to be let in once more."""
    welcome = history(teller, [teller.entry(ANN, text("one"))])[:-2]
    assert "EnteredEvent" in kinds(teller.hears(*welcome))
    assert isinstance(teller.redials(), JoinRequest)
    assert_link_ended(teller, teller.hears(teller.resumed()))
