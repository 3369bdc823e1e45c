"""Going over to a log that parted from ours: what must hold for it, and what is told (PROTOCOL.md, 8.4, 8.14, 8.19)."""

from collections.abc import Callable
from unittest.mock import patch

import pytest
from msgspec.structs import replace

from anonp2p import limits
from anonp2p.crypto import identity, suite
from anonp2p.crypto.epoch import FLEETING, read_header
from anonp2p.errors import PeerFault
from anonp2p.protocol import bodies, frames
from anonp2p.protocol.field_types import Heir
from anonp2p.room import effects, events, inputs
from anonp2p.room.entries import OpenedEntry, open_missed
from anonp2p.room.file_events import OfferEvent, TransferEvent
from anonp2p.room.hosting_events import HostEvent
from anonp2p.room.member.member import MemberRole
from anonp2p.room.member.states import Asking, LinkState
from anonp2p.room.message_index import Answered
from anonp2p.room.moderation_events import BanEvent, KnockChangedEvent, RoleEvent, SlowChangedEvent
from anonp2p.room.pending import Sealed, Whisper
from anonp2p.room.succession.terms import first_epoch, make_place
from tests.room.member.branches import ADDRESSES, SECOND, Branch, Lost
from tests.room.member.parts import set_time, take_events
from tests.room.peers import ANN, BOB, HOST, kinds, text

OFFERED = bodies.FileOffer(5, b"r" * 32, b"a" * 32, b"s" * 32)
FORK = 1  # the last entry that all have: Hugo has named Ann as his heir


@pytest.fixture
def lost() -> Lost:
    return Lost()


@pytest.fixture
def theirs(lost: Lost) -> Branch:
    """Ann's log, in which she has begun a term where ours is now."""
    theirs = lost.ours.part()
    theirs.opens(ANN, 5)
    return theirs


def again(lost: Lost) -> list[bodies.Body]:
    """What is sent again."""
    return [sealed.content.body for sealed in submitted(lost)]


def submitted(lost: Lost) -> list[Sealed]:
    outbox, sealer = lost.context.outbox, lost.context.replica.sealer(lost.context.random)
    sent = [frame for frame in outbox.send_ready(sealer, 0.0) if isinstance(frame, frames.SubmitFrame)]
    return [outbox.seal_entry(read_header(frame.entry).counter, sealer) for frame in sent]


def joined() -> bodies.JoinedBody:
    return bodies.JoinedBody(BOB.key, "bob", suite.hash_data(BOB.encryption_key.public))


# --- where nothing is cut


def test_who_has_nothing_else_goes_on_with_the_heir(lost: Lost, theirs: Branch) -> None:
    """8.14"""
    theirs.says(ANN, text("go on"))
    happened = lost.goes_over(theirs, FORK)
    assert kinds(happened) == ["LeftEvent", "HostEvent", "RoleEvent", "CodeEvent", "HeirsEvent", "MessageEvent"]
    host = happened[1]
    assert isinstance(host, HostEvent)
    assert (host.nick, host.cause) == ("ann", "lost")
    message = happened[-1]
    assert isinstance(message, events.MessageEvent)
    assert message.seq == make_place(5, 3)
    replica = lost.context.replica
    assert (replica.ledger.digest, replica.ledger.term) == (theirs.ledger.digest, theirs.ledger.term)
    assert replica.current_epoch.number == first_epoch(5)
    assert [lost.context.replica.room_log.hashes.digest_at(2)] == [replica.ledger.openings[-1].digest]
    assert replica.room_log.log.end == 4
    assert lost.heads.told_time == theirs.time


def test_what_the_host_ordered_last_is_told_before_the_heir_takes_over(lost: Lost) -> None:
    theirs = lost.ours.part()
    mine = lost.says(text("mine"))
    theirs.seal(theirs.place(mine))
    theirs.says(HOST, text("farewell"))
    theirs.says(HOST, bodies.HandOverBody(leaves=True))
    theirs.opens(ANN, 5)
    happened = lost.goes_over(theirs, FORK)
    assert kinds(happened)[:3] == ["MessageEvent", "MessageEvent", "LeftEvent"]
    assert [event.cause for event in happened if isinstance(event, HostEvent)] == ["left"]
    assert happened[0].re == "7"
    assert again(lost) == []


def test_two_heirs_one_after_the_other_may_have_taken_over(lost: Lost, theirs: Branch) -> None:
    theirs.says(ANN, joined())
    theirs.says(ANN, bodies.HeirsBody([Heir(BOB.id, ADDRESSES[BOB.id])], entrusts=False))
    theirs.opens(BOB, 9)
    theirs.says(BOB, text("me now"))
    lost.goes_over(theirs, FORK)
    assert lost.context.replica.ledger.host == BOB.id
    assert [it.number for it in lost.context.replica.ledger.openings] == [0, 5, 9]


def test_a_host_may_begin_another_term_before_all_that_leads_to_its_welcome_is_there(
    lost: Lost, theirs: Branch
) -> None:
    """8.14: so it does for one who comes from where later numbers were shown; *now* is the latest head then."""
    theirs.says(ANN, text("go on"))
    switch, later = lost.switch(theirs, since=FORK), theirs.part()
    now = later.opens(ANN, 8).head
    for batch in theirs.batches:
        switch.take_missed(replace(batch, now=now))
    assert switch.is_complete


def test_the_word_of_another_host_on_how_late_it_is_counts_for_nothing(lost: Lost, theirs: Branch) -> None:
    switch, later = lost.switch(theirs, since=FORK), theirs.part()
    now = later.says(ANN, text("go on")).head
    forged = later.seal(signer=BOB).head
    switch.take_missed(replace(theirs.batches[0], now=now))
    with pytest.raises(PeerFault, match="forged-head"):
        lost.switch(theirs, since=FORK).take_missed(replace(theirs.batches[0], now=forged))


def test_the_log_is_served_on_as_it_came(lost: Lost, theirs: Branch) -> None:
    theirs.says(ANN, text("go on"))
    lost.goes_over(theirs, FORK)
    log = lost.context.replica.room_log.log
    assert [log.backfill_batch(index).entries for index in (2, 3)] == [batch.entries for batch in theirs.batches]
    assert [log.backfill_batch(index).head for index in (2, 3)] == [batch.head for batch in theirs.batches]


def test_what_we_have_got_since_we_asked_is_passed_over(lost: Lost) -> None:
    common = lost.ours.says(HOST, text("common"))
    lost.hears(common)
    theirs = lost.ours.part()
    theirs.batches.insert(0, common)
    theirs.opens(ANN, 5)
    theirs.says(ANN, text("go on"))
    happened = lost.goes_over(theirs, FORK)
    assert [it.text for it in happened if isinstance(it, events.MessageEvent)] == ["go on"]
    assert not [it for it in happened if isinstance(it, events.CutEvent)]
    assert lost.context.replica.room_log.log.end == 5


def test_what_is_passed_over_is_what_we_have(lost: Lost) -> None:
    theirs = lost.ours.part()
    theirs.says(HOST, text("another than all have"))
    theirs.opens(ANN, 5)
    lost.hears(lost.ours.says(HOST, text("what all have")), lost.ours.says(HOST, text("more")))
    refused(lost, theirs, "unrelated-log")


# --- what is cut


def test_what_is_cut_of_ours_is_sent_again_and_told_as_moved(lost: Lost, theirs: Branch) -> None:
    """8.19"""
    [shown] = lost.has(lost.says(text("mine")))
    happened = lost.goes_over(theirs, FORK)
    assert kinds(happened)[0] == "CutEvent"
    assert happened[0].count == 1
    assert again(lost) == [bodies.TextBody("mine", action=False, reply=None, late=True)]
    mine = lost.context.outbox.seal_entry(1, lost.context.replica.sealer(lost.context.random))
    assert mine.header.counter == 1
    theirs.batches.clear()
    entry = theirs.place(opened(mine))
    [moved] = lost.hears(theirs.seal(entry))
    assert moved == events.MovedEvent(room="r1", was=shown.seq, seq=make_place(5, 3))
    assert again(lost) == []


def opened(sealed: Sealed) -> OpenedEntry:
    return OpenedEntry(sealed.header, sealed.body)


def test_a_message_of_another_that_was_shown_is_told_as_moved_and_one_that_was_not_as_late(
    lost: Lost, theirs: Branch
) -> None:
    [shown] = lost.hears(lost.ours.says(ANN, text("hers"), counter=1))
    late = bodies.TextBody("hers", action=False, reply=None, late=True)
    theirs.says(ANN, late, counter=1)
    theirs.says(ANN, bodies.TextBody("unseen", action=False, reply=None, late=True), counter=2)
    happened = lost.goes_over(theirs, FORK)
    moved = [it for it in happened if isinstance(it, events.MovedEvent)]
    assert moved == [events.MovedEvent(room="r1", was=shown.seq, seq=make_place(5, 3))]
    [message] = [it for it in happened if isinstance(it, events.MessageEvent)]
    assert (message.text, message.late) == ("unseen", True)


@pytest.mark.parametrize(
    "other",
    [
        text("something else"),
        bodies.TextBody("hers", action=True, reply=None),
        bodies.TextBody("hers", action=False, reply=bodies.EntryId(ANN.id, 1)),
        bodies.TextBody("hers", action=False, reply=None, file=OFFERED),
    ],
)
def test_what_its_author_says_otherwise_under_the_same_counter_is_shown(
    lost: Lost, theirs: Branch, other: bodies.TextBody
) -> None:
    """8.19"""
    lost.hears(lost.ours.says(ANN, text("hers"), counter=1))
    theirs.says(ANN, other, counter=1)
    told = events.MovedEvent | events.MessageEvent | OfferEvent
    [message] = [it for it in lost.goes_over(theirs, FORK) if isinstance(it, told)]
    if isinstance(message, OfferEvent):
        assert (message.name, other.file, message.seq) == (other.text, OFFERED, make_place(5, 3))
        return
    assert isinstance(message, events.MessageEvent)
    assert (message.text, message.action, message.seq) == (other.text, other.action, make_place(5, 3))


def test_an_offer_that_was_cut_is_sent_again_as_one(lost: Lost, theirs: Branch) -> None:
    key = suite.hash_data(ANN.encryption_key.public)
    lost.context.replica.add_key(key, ANN.encryption_key.public)
    lost.has(lost.says(bodies.TextBody("a.pdf", action=False, reply=None, file=OFFERED)))
    lost.has(lost.says(Whisper(ANN.id, "ann", "b.pdf", file=OFFERED)))
    lost.goes_over(theirs, FORK)
    assert [pending.body for _, pending in lost.context.outbox.list_pending()] == [
        bodies.TextBody("a.pdf", action=False, reply=None, late=True, file=OFFERED),
        Whisper(ANN.id, "ann", "b.pdf", late=True, file=OFFERED),
    ]


def test_an_offer_keeps_its_number_wherever_it_has_its_place(lost: Lost, theirs: Branch) -> None:
    """5e.4"""
    said = bodies.TextBody("a.pdf", action=False, reply=None, file=OFFERED)
    [shown] = lost.hears(lost.ours.says(ANN, said, counter=1))
    assert isinstance(shown, OfferEvent)
    late = bodies.TextBody("a.pdf", action=False, reply=None, late=True, file=OFFERED)
    theirs.says(ANN, late, counter=1)
    unseen = replace(OFFERED, address=b"b" * 32)
    theirs.says(ANN, bodies.TextBody("b.pdf", action=False, reply=None, late=True, file=unseen), counter=2)
    of_offers = events.MovedEvent | OfferEvent | TransferEvent
    moved, other = (it for it in lost.goes_over(theirs, FORK) if isinstance(it, of_offers))
    assert moved == events.MovedEvent(room="r1", was=shown.seq, seq=make_place(5, 3))
    assert isinstance(other, OfferEvent)
    assert (shown.offer, other.offer, other.late) == (1, 2, True)
    assert [row["offer"] for row in lost.context.files.list_files()] == [1, 2]
    theirs.batches.clear()
    retract = theirs.says(ANN, bodies.RetractBody(1), counter=3)
    told = [it for it in lost.hears(retract) if isinstance(it, TransferEvent | events.ExpiredEvent)]
    assert [type(it) for it in told] == [TransferEvent, events.ExpiredEvent]
    assert [row["offer"] for row in lost.context.files.list_files()] == [2]


def test_what_has_ended_here_is_not_shown_again_at_another_place(lost: Lost, theirs: Branch) -> None:
    """8.19: its author had some of its time left when it went out again."""
    lost.hears(lost.ours.says(ANN, text("hers"), counter=1, ttl=10))
    set_time(lost.context, 11.0)
    lost.context.reporter.end_due_messages()
    take_events(lost.context)
    theirs.says(ANN, bodies.TextBody("hers", action=False, reply=None, late=True), counter=1, ttl=60)
    of_messages = events.MovedEvent | events.MessageEvent | events.ExpiredEvent
    assert not [it for it in lost.goes_over(theirs, FORK) if isinstance(it, of_messages)]
    answered = lost.context.message_index.find_answered(bodies.EntryId(ANN.id, 1), None)
    assert answered == Answered(None, gone=True), "nobody was told of its place"


def test_private_messages_nicks_and_retracts_of_ours_are_sent_again_in_their_order(lost: Lost, theirs: Branch) -> None:
    key = suite.hash_data(ANN.encryption_key.public)
    lost.context.replica.add_key(key, ANN.encryption_key.public)
    lost.has(lost.says(Whisper(ANN.id, "ann", "for you")))
    lost.has(lost.says(bodies.NickBody("meanwhile")))
    lost.has(lost.says(text("oops")))
    lost.has(lost.says(bodies.RetractBody(3)))
    lost.goes_over(theirs, FORK)
    private, nick, retract = again(lost)
    assert isinstance(private, bodies.PrivateBody)
    assert (nick, retract) == (bodies.NickBody("meanwhile"), bodies.RetractBody(3))


def test_what_is_left_of_a_ttl_is_what_is_sent_again(lost: Lost, theirs: Branch) -> None:
    lost.has(lost.says(text("a minute"), ttl=60))
    lost.has(lost.says(text("ten seconds"), ttl=10))
    lost.has(lost.says(text("not kept"), ttl=FLEETING))
    set_time(lost.context, 20.0)
    lost.context.sent.expire_entries(lost.context.clock.now.age)
    take_events(lost.context)
    lost.goes_over(theirs, FORK)
    [sent] = submitted(lost)
    assert sent.header.ttl == 40


def test_what_the_other_side_had_got_from_us_is_not_sent_again(lost: Lost) -> None:
    """Its host ordered it when we were gone already, and so did another, sealed anew."""
    theirs = lost.ours.part()
    mine = lost.says(text("mine"))
    theirs.seal(theirs.place(mine))
    lost.ours.opens(ANN, 5)
    theirs.opens(HOST, 8)
    lost.goes_over(lost.ours, FORK)
    [again_sealed] = submitted(lost)
    assert again_sealed.body != mine.body
    [shown] = lost.has(opened(again_sealed))
    ours = lost.context.replica.ledger.index
    happened = lost.goes_over(theirs, FORK)
    assert ours > FORK
    assert [it for it in happened if isinstance(it, events.MovedEvent)] == [
        events.MovedEvent(room="r1", was=shown.seq, seq=make_place(8, 2))
    ]
    assert again(lost) == []


def test_places_that_are_shown_never_go_back(lost: Lost) -> None:
    """What was ordered before the other side began its term comes after what we have seen in ours."""
    theirs = lost.ours.part()
    theirs.says(HOST, text("meanwhile"))
    theirs.opens(HOST, 8)
    lost.ours.opens(ANN, 5)
    lost.ours.says(ANN, text("here"))
    lost.goes_over(lost.ours, FORK)
    [message] = [it for it in lost.goes_over(theirs, FORK) if isinstance(it, events.MessageEvent)]
    assert message.seq == make_place(8, 2)


def test_what_the_host_ordered_last_has_the_same_place_for_who_missed_it(lost: Lost) -> None:
    """8.1"""
    theirs = lost.ours.part()
    theirs.says(HOST, text("farewell"))
    theirs.opens(ANN, 5)
    [message] = [it for it in lost.goes_over(theirs, FORK) if isinstance(it, events.MessageEvent)]
    assert message.seq == 2


def test_a_host_that_stands_gives_what_others_may_have_lost_other_places_to_all(lost: Lost) -> None:
    """8.1: those who come over are shown it there, those who were with the host are told."""
    shown = lost.hears(*(lost.ours.says(HOST, text(words), ttl=60) for words in ("one", "two")))
    theirs = lost.ours.part()
    theirs.opens(HOST, 8, since=3)
    for batch in theirs.batches:
        [entry] = open_missed(batch)
        author = lost.context.replica.ledger.get_member(entry.header.author)
        lost.context.take_change(entry, lost.context.replica.follow_entry(author, entry, 0.0))
    assert [event.seq for event in shown] == [2, 3]
    assert take_events(lost.context) == [events.MovedEvent(room="r1", was=3, seq=make_place(8, 3))]
    set_time(lost.context, 70.0)
    lost.context.reporter.end_due_messages()
    ended = [event.seq for event in take_events(lost.context) if isinstance(event, events.ExpiredEvent)]
    assert ended == [2, make_place(8, 3)]


def test_who_comes_back_is_told_of_places_that_a_term_of_the_host_has_changed(lost: Lost) -> None:
    lost.hears(*(lost.ours.says(HOST, text(words)) for words in ("one", "two")))
    theirs = lost.ours.part()
    lost.ours.opens(ANN, 5)
    lost.goes_over(lost.ours, 3)
    theirs.says(HOST, text("three"))
    theirs.opens(HOST, 8, since=3)
    happened = lost.goes_over(theirs, 3)
    assert [it.seq for it in happened if isinstance(it, events.MessageEvent)] == [make_place(8, 4)]
    assert [it for it in happened if isinstance(it, events.MovedEvent)] == [
        events.MovedEvent(room="r1", was=3, seq=make_place(8, 3))
    ]


def test_places_that_have_changed_are_told_before_what_was_missed_is_shown(lost: Lost) -> None:
    """8.1: else a later message would come before them with its number."""
    lost.hears(*(lost.ours.says(HOST, text(words)) for words in ("one", "two")))
    theirs = lost.ours.part()
    theirs.says(HOST, text("three"))
    theirs.opens(HOST, 8, since=3)
    happened = lost.goes_over(theirs, 3)
    places = [it.seq for it in happened if isinstance(it, events.MovedEvent | events.MessageEvent)]
    assert places == [make_place(8, 3), make_place(8, 4)]


def test_who_has_missed_several_terms_is_told_of_the_places_that_any_of_them_has_changed(lost: Lost) -> None:
    lost.hears(*(lost.ours.says(HOST, text(words)) for words in ("one", "two")))
    theirs = lost.ours.part()
    theirs.opens(HOST, 8, since=3)
    theirs.says(HOST, bodies.HeirsBody([Heir(ANN.id, ADDRESSES[ANN.id])], entrusts=False))
    theirs.opens(ANN, 13)
    happened = lost.goes_over(theirs, 3)
    assert [it for it in happened if isinstance(it, events.MovedEvent)] == [
        events.MovedEvent(room="r1", was=3, seq=make_place(8, 3))
    ]


def test_who_came_and_went_is_told_by_comparison_and_once(lost: Lost, theirs: Branch) -> None:
    """8.19"""
    lost.hears(lost.ours.says(HOST, bodies.AwayBody(ANN.id)))
    lost.hears(lost.ours.says(HOST, bodies.BackBody(ANN.id)), lost.ours.says(ANN, bodies.NickBody("anna")))
    theirs.says(ANN, bodies.NickBody("annie"))
    theirs.says(ANN, joined())
    theirs.says(ANN, bodies.AwayBody(lost.context.replica.me.id))
    happened = lost.goes_over(theirs, FORK)
    assert kinds(happened)[:3] == ["LeftEvent", "RenamedEvent", "JoinedEvent"]
    assert kinds(happened)[3:] == ["HostEvent", "RoleEvent", "CodeEvent", "HeirsEvent"]
    left, renamed = happened[:2]
    assert isinstance(renamed, events.RenamedEvent)
    assert (left.nick, renamed.nick, renamed.was) == ("hugo", "annie", "anna")
    assert happened[3].cause == "merged"


def parted(lost: Lost) -> tuple[Branch, int]:
    """Ann's log, with Bob in it, in which she has begun a term; and where it parts from ours."""
    lost.hears(lost.ours.says(HOST, joined()))
    theirs, fork = lost.ours.part(), lost.ours.ledger.index
    theirs.opens(ANN, 5)
    theirs.says(ANN, bodies.RoleBody(BOB.id, "moderator"))
    return theirs, fork


def test_what_moderators_did_on_the_other_side_is_told_with_who_did_it(lost: Lost) -> None:
    """Of what was cut here, the host stands for who undid it."""
    theirs, fork = parted(lost)
    lost.hears(lost.ours.says(HOST, bodies.RemoveBody([BOB.id], "", ban=True)))
    theirs.says(BOB, bodies.SlowBody(5))
    theirs.says(ANN, bodies.KnockBody(True))
    happened = lost.goes_over(theirs, fork)
    ann, bob = (identity.spell_member(who.id) for who in (ANN, BOB))
    assert [it.member for it in happened if isinstance(it, KnockChangedEvent)] == [ann]
    assert [it.member for it in happened if isinstance(it, SlowChangedEvent)] == [bob]
    assert [(it.member, it.by) for it in happened if isinstance(it, RoleEvent) if it.member == bob] == [(bob, ann)]
    assert [(it.member, it.banned, it.by) for it in happened if isinstance(it, BanEvent)] == [(bob, False, ann)]


def test_who_was_banned_on_the_other_side_is_told(lost: Lost) -> None:
    theirs, fork = parted(lost)
    lost.hears(lost.ours.says(HOST, text("cut")))
    theirs.says(BOB, bodies.RemoveBody([HOST.id], "", ban=True))
    happened = lost.goes_over(theirs, fork)
    host, bob = (identity.spell_member(who.id) for who in (HOST, BOB))
    assert [(it.member, it.banned, it.by) for it in happened if isinstance(it, BanEvent)] == [(host, True, bob)]


def test_marks_that_were_seen_on_what_is_cut_are_forgotten(lost: Lost, theirs: Branch) -> None:
    lost.ours.time = limits.MARK_INTERVAL
    lost.hears(lost.ours.says(HOST, text("a mark")))
    assert lost.context.replica.marks.latest_marks()[0].time == limits.MARK_INTERVAL
    lost.goes_over(theirs, FORK)
    assert [mark.time for mark in lost.context.replica.marks.latest_marks()] == [0]


def test_a_key_of_ours_that_the_other_log_does_not_have_is_renewed_there(lost: Lost, theirs: Branch) -> None:
    lost.context.replica.own_keys.insert(0, suite.EncryptionKeyPair(b"n" * 32))
    lost.goes_over(theirs, FORK)
    assert again(lost) == [bodies.RenewBody(suite.hash_data(lost.context.replica.own_keys[0].public))]


def test_nothing_of_ours_is_changed_before_all_is_there(lost: Lost, theirs: Branch) -> None:
    lost.has(lost.says(text("mine")))
    theirs.says(ANN, text("go on"))
    before = lost.context.replica.ledger.digest
    switch = lost.switch(theirs, since=FORK)
    switch.take_missed(theirs.batches[0])
    assert not switch.is_complete
    assert lost.context.replica.ledger.digest == before
    assert lost.context.replica.room_log.log.end == 3
    assert take_events(lost.context) == []


# --- what is none


def refused(lost: Lost, theirs: Branch, match: str, since: int = FORK, room_time: int = 0) -> None:
    before = lost.context.replica.ledger.digest, lost.context.replica.room_log.log.end
    with pytest.raises(PeerFault, match=match):
        lost.goes_over(theirs, since, room_time=room_time)
    assert (lost.context.replica.ledger.digest, lost.context.replica.room_log.log.end) == before
    assert take_events(lost.context) == []


def by_no_heir(lost: Lost) -> Branch:
    theirs = lost.ours.part()
    theirs.ledger.heirs = (Heir(ANN.id, ADDRESSES[ANN.id]),)
    theirs.says(HOST, joined())
    theirs.opens(BOB, 5)
    return theirs


def made_up(lost: Lost) -> Branch:
    """An opening that the heir has not signed."""
    theirs = lost.ours.part()
    entry = theirs.place(theirs.entry(ANN, bodies.OpeningBody(5, ADDRESSES[ANN.id], ADDRESSES[ANN.id], FORK + 1)))
    entry.body = bytes(64) + entry.body[64:]
    theirs.seal(entry)
    return theirs


def signed_by_the_host_of_before(lost: Lost) -> Branch:
    theirs = lost.ours.part()
    entry = theirs.place(theirs.entry(ANN, bodies.OpeningBody(5, ADDRESSES[ANN.id], ADDRESSES[ANN.id], FORK + 1)))
    theirs.seal(entry, signer=HOST)
    return theirs


def a_head_of_another_term(lost: Lost) -> Branch:
    theirs = lost.ours.part()
    theirs.opens(ANN, 5)
    entry = theirs.place(theirs.entry(ANN, text("go on")))
    theirs.ledger.number = 9
    theirs.seal(entry)
    return theirs


def in_a_batch_with_others(lost: Lost) -> Branch:
    theirs = lost.ours.part()
    first = theirs.place(theirs.entry(ANN, bodies.OpeningBody(5, ADDRESSES[ANN.id], ADDRESSES[ANN.id], FORK + 1)))
    theirs.seal(first, theirs.place(theirs.entry(ANN, text("go on"))))
    return theirs


def a_counter_used_twice(lost: Lost) -> Branch:
    theirs = lost.ours.part()
    theirs.says(ANN, text("one"))
    theirs.opens(ANN, 5)
    theirs.ledger.get_member(ANN.id).counter = 0
    theirs.says(ANN, text("again"), counter=1)
    return theirs


def in_our_name(lost: Lost) -> Branch:
    """Gone, so that nobody sees that we have signed no such thing."""
    theirs = lost.ours.part()
    theirs.opens(ANN, 5)
    theirs.seal(theirs.place(theirs.entry(lost.context.replica.me, text("never said"), ttl=60)), gone=True)
    theirs.time += 60 * SECOND
    theirs.says(ANN, text("later"))
    return theirs


def expired_too_soon(lost: Lost) -> Branch:
    theirs = lost.ours.part()
    theirs.opens(ANN, 5)
    theirs.seal(theirs.place(theirs.entry(ANN, text("gone"), ttl=60)), gone=True)
    theirs.time += 60 * SECOND
    theirs.says(ANN, text("later"))
    theirs.batches[1] = frames.BackfillFrame(
        theirs.batches[1].entries, theirs.batches[1].contexts, theirs.batches[1].head, theirs.batches[-1].head
    )
    return theirs


def time_turned_back(lost: Lost) -> Branch:
    theirs = lost.ours.part()
    theirs.time = -SECOND
    theirs.opens(ANN, 5)
    theirs.time = 9 * SECOND
    theirs.says(ANN, text("later"))
    return theirs


def later_than_the_welcome(lost: Lost) -> Branch:
    theirs = lost.ours.part()
    theirs.says(ANN, bodies.NickBody("anna"))
    theirs.time += 9 * SECOND
    theirs.says(HOST, text("late"))
    theirs.time -= 9 * SECOND
    theirs.opens(ANN, 5)
    return theirs


MADE_UP: dict[str, tuple[Callable[[Lost], Branch], str]] = {
    "an opening by no heir": (by_no_heir, "bad-opening"),
    "an opening that nobody signed": (made_up, "head-of-other-log"),
    "an opening under the head of the host before": (signed_by_the_host_of_before, "forged-head"),
    "a head of another term": (a_head_of_another_term, "head-of-other-term"),
    "an opening in a batch with others": (in_a_batch_with_others, "bad-opening"),
    "a time before that of the host before": (time_turned_back, "time-turned-back"),
    "a time after that of the welcome": (later_than_the_welcome, "time-turned-back"),
    "a counter used twice": (a_counter_used_twice, "repeated-entry"),
    "what has expired by the host's word alone": (expired_too_soon, "tombstone-too-soon"),
}


@pytest.mark.parametrize("made", MADE_UP)
def test_a_log_that_cannot_be_ends_the_link_and_changes_nothing(lost: Lost, made: str) -> None:
    """8.14"""
    make, match = MADE_UP[made]
    refused(lost, make(lost), match)


def test_nobody_uses_up_counters_of_ours_that_we_have_not_used(lost: Lost) -> None:
    theirs = in_our_name(lost)
    refused(lost, theirs, "entry-never-sent", room_time=theirs.time)


@pytest.mark.parametrize("ordered", [True, False])
def test_what_is_gone_in_our_name_was_a_message(lost: Lost, *, ordered: bool) -> None:
    mine = lost.says(bodies.NickBody("meanwhile"))
    theirs = in_our_name(lost)
    if ordered:
        lost.has(mine)
    refused(lost, theirs, "entry-never-sent", room_time=theirs.time)


def test_what_has_expired_by_our_clock_too_may_be_gone(lost: Lost) -> None:
    theirs = expired_too_soon(lost)
    late = theirs.time - round(limits.CLOCK_TOLERANCE * SECOND)
    refused(lost, theirs, "tombstone-too-soon", room_time=late - 2 * SECOND)
    lost.goes_over(theirs, FORK, room_time=late)


def test_logs_part_where_their_openings_say_and_nowhere_else(lost: Lost, theirs: Branch) -> None:
    """8.4"""
    lost.hears(lost.ours.says(HOST, text("more")))
    refused(lost, theirs, "unrelated-log", since=2)
    theirs.ledger.openings = theirs.ledger.openings[-1:]
    refused(lost, theirs, "unrelated-log")


def test_nobody_follows_an_heir_who_was_thrown_out_where_the_logs_part(lost: Lost, theirs: Branch) -> None:
    """8.14"""
    lost.hears(lost.ours.says(HOST, bodies.RemoveBody([ANN.id], "", ban=False)))
    lost.hears(lost.ours.says(HOST, bodies.CommitBody(1, [bodies.Removal(ANN.id, "kicked")], renew=False)))
    assert lost.switch(theirs, since=FORK).has_removed_opener


def test_one_who_was_absent_for_too_long_is_followed_as_it_was_on_the_other_side(lost: Lost, theirs: Branch) -> None:
    lost.hears(lost.ours.says(HOST, bodies.AwayBody(ANN.id)))
    removal = bodies.Removal(ANN.id, "lost")
    lost.hears(lost.ours.says(HOST, bodies.CommitBody(1, [removal], renew=False)))
    assert not lost.switch(theirs, since=FORK).has_removed_opener
    lost.goes_over(theirs, FORK)
    assert lost.context.replica.ledger.host == ANN.id


def test_one_who_shows_nothing_of_its_log_is_left_in_a_while(lost: Lost, theirs: Branch) -> None:
    """Else anybody whom a redirect names could keep us from those who host."""
    theirs.says(ANN, text("go on"))
    switch = lost.switch(theirs, since=FORK)
    set_time(lost.context, 1.0)
    switch.take_missed(theirs.batches[0])
    due = lost.context.clock.tick + limits.HANDSHAKE_SECONDS
    assert switch.due == due
    role = MemberRole(lost.context, "me")
    with patch.object(LinkState, "switch", switch):
        deadline = role.next_deadline()
        assert deadline is not None
        assert deadline <= due
        set_time(lost.context, limits.HANDSHAKE_SECONDS)
        role.handle_input(inputs.TickInput())
        assert dropped(lost) == []
        set_time(lost.context, 1.0 + limits.HANDSHAKE_SECONDS)
        role.handle_input(inputs.TickInput())
        assert dropped(lost) == ["lagged"]


def dropped(lost: Lost) -> list[str]:
    return [it.reason for it in lost.context.reporter.take_effects() if isinstance(it, effects.DropEffect)]


def test_what_leads_elsewhere_than_the_welcome_says_is_refused(lost: Lost, theirs: Branch) -> None:
    theirs.says(ANN, text("go on"))
    switch = lost.switch(theirs, since=FORK)
    other = lost.ours.part()
    other.opens(ANN, 5)
    other.says(ANN, text("elsewhere"))
    for batch in other.batches:
        switch.take_missed(batch)
    with pytest.raises(PeerFault, match="backfill-to-other-log"):
        assert switch.is_complete


def test_nothing_comes_after_the_head_of_the_welcome(lost: Lost, theirs: Branch) -> None:
    switch = lost.switch(theirs, since=FORK)
    theirs.says(ANN, text("more"))
    switch.take_missed(theirs.batches[0])
    with pytest.raises(PeerFault, match="backfill-after-welcome"):
        switch.take_missed(theirs.batches[1])


def test_no_more_is_held_than_a_log_may_have(lost: Lost, theirs: Branch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LOG_BYTES", 100)
    refused(lost, theirs, "too-long-backfill")


# --- catching up


def test_who_lost_the_host_too_catches_up_with_what_another_has(lost: Lost) -> None:
    """8.12"""
    more = lost.ours.part()
    mine = lost.says(text("mine"))
    batches = [more.seal(more.place(mine)), more.says(HOST, text("more"))]
    batches.append(more.says(HOST, bodies.CommitBody(1, [], renew=False)))
    batches.append(more.says(HOST, text("of the next epoch")))
    happened = lost.hears(*batches)
    assert kinds(happened) == ["MessageEvent"] * 3
    assert lost.context.replica.ledger.digest == more.ledger.digest
    assert not lost.context.replica.has_keys


def test_what_has_expired_by_our_clock_is_gone_though_no_host_signs_later_heads(lost: Lost) -> None:
    """8.12"""
    set_time(lost.context, 0.0)
    more = lost.ours.part()
    gone = more.seal(more.place(more.entry(HOST, text("gone"), ttl=60)), gone=True)
    set_time(lost.context, 60 - limits.CLOCK_TOLERANCE - 2)
    with pytest.raises(PeerFault, match="tombstone-too-soon"):
        lost.hears(gone)
    set_time(lost.context, 60 - limits.CLOCK_TOLERANCE + 2)
    lost.hears(gone)
    assert lost.context.replica.ledger.digest == more.ledger.digest


def test_nobody_catches_up_with_a_term_that_is_not_ours(lost: Lost, theirs: Branch) -> None:
    with pytest.raises(PeerFault, match="bad-opening"):
        lost.hears(theirs.batches[0])


def test_who_is_being_let_in_is_shown_nothing_by_others_meanwhile(lost: Lost) -> None:
    """What its host goes on with begins where it was when it asked."""
    lost.state.enter(Asking(bytes(32)))
    assert lost.hears(lost.ours.says(HOST, text("more"))) == []
    assert lost.context.replica.ledger.index == FORK
