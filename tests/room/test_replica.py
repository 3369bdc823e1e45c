"""How an entry takes effect in one member's copy of a room: what changes, what is remembered, what it is told as."""

import secrets
from typing import Any

import msgspec
import pytest
from msgspec import msgpack

from anonp2p import limits
from anonp2p.crypto import private, suite
from anonp2p.crypto.epoch import COMMIT, ENTRY, KEPT, OPENING, Epoch, Header
from anonp2p.crypto.identity import ENTRY as ENTRY_LABEL
from anonp2p.crypto.identity import Identity, hash_room, member_id
from anonp2p.errors import PeerFault
from anonp2p.names import safety_words
from anonp2p.protocol import bodies
from anonp2p.protocol.batches import BackfilledEntry, Tombstone
from anonp2p.protocol.bodies import (
    AwayBody,
    BackBody,
    Body,
    CloseBody,
    CommitBody,
    HandOverBody,
    HeirsBody,
    JoinedBody,
    LeaveBody,
    LockBody,
    NickBody,
    OpeningBody,
    Removal,
    RemoveBody,
    RenewBody,
    TextBody,
)
from anonp2p.protocol.field_types import Heir, Opening
from anonp2p.protocol.packing import pack
from anonp2p.room import changes
from anonp2p.room.changes import Caution, Change
from anonp2p.room.contents import entry_content, padded_content
from anonp2p.room.entries import OpenedEntry
from anonp2p.room.ledger import Ledger
from anonp2p.room.pending import Pending, Whisper
from anonp2p.room.replica import Replica, check_entry, verify_entries
from anonp2p.room.roster import Roster
from anonp2p.room.succession.terms import make_place

ROOM = b"r" * 32
HOST, ANN, BOB, EVE = (Identity(name * 32, ROOM) for name in (b"h", b"a", b"b", b"e"))
KEYS = {
    who.id: suite.EncryptionKeyPair(name * 32) for who, name in ((HOST, b"H"), (ANN, b"A"), (BOB, b"B"), (EVE, b"E"))
}


def roster_entry_all(ledger: Ledger) -> Ledger:
    ledger.name = "demo"
    for who, nick in ((HOST, "host"), (ANN, "ann"), (BOB, "bob")):
        ledger.add_member(who.key, nick, suite.hash_data(KEYS[who.id].public))
    ledger.host = HOST.id
    ledger.begin_log()
    return ledger


def replica_of(who: Identity) -> Replica:
    """One member's copy of a room with a host and two members."""
    replica = Replica(ROOM, who, KEYS[who.id])
    roster_entry_all(replica.ledger)
    members = [HOST.id, ANN.id, BOB.id]
    first = Epoch.begin(bytes(32), replica.ledger.digest, HOST.id)
    replica.epoch = first.follow(bytes(32), bytes(32), members)[0]
    replica.keys = {suite.hash_data(key.public): key.public for key in KEYS.values()}
    return replica


ABOUT = bodies.EntryId(ANN.id, 1)


@pytest.fixture
def ours() -> Replica:
    """Ann's copy."""
    return replica_of(ANN)


def signed(ledger: Ledger, author: Identity, body: Body, ttl: int = KEPT, **otherwise: Any) -> tuple[Header, bytes]:
    counter = otherwise.get("counter", ledger.get_member(author.id).counter + 1)
    header = Header(COMMIT if isinstance(body, CommitBody) else ENTRY, author.id, counter, 0, ttl)
    padded = padded_content(bodies.Content(bytes(limits.SALT), ledger.index, ledger.digest, body))
    return header, author.sign(ENTRY_LABEL, entry_content(ledger.epoch, header.pack(), padded)) + padded


def take(replica: Replica, entry: OpenedEntry, age: float = 0.0, replay: Ledger | None = None) -> Change:
    """Checks the next entry and applies it, as all do who take one."""
    author = check_entry(replica.ledger if replay is None else replay, entry)
    return replica.apply_entry(author, entry, age, replay)


def applied(replica: Replica, author: Identity, body: Body, ttl: int = KEPT, age: float = 0.0) -> Change:
    return take(replica, OpenedEntry(*signed(replica.ledger, author, body, ttl)), age)


def text(words: str = "hello", *, action: bool = False) -> TextBody:
    return TextBody(words, action, reply=None)


def joined(who: Identity, nick: str) -> JoinedBody:
    return JoinedBody(who.key, nick, suite.hash_data(KEYS[who.id].public))


# --- what an entry does


def test_a_message_is_said_as_it_was_ordered(ours: Replica) -> None:
    assert applied(ours, BOB, text("hello", action=True), 60, 2.5) == changes.MessageChange(
        member=BOB.id, counter=1, nick="bob", text="hello", seq=1, ttl=60, age=2.5, action=True
    )
    own = applied(ours, ANN, text())
    assert isinstance(own, changes.MessageChange)
    assert (own.mine, own.seq) == (True, 2)


def test_a_private_message_is_said_to_its_recipient_alone(ours: Replica) -> None:
    theirs = replica_of(BOB)
    whisper = Pending(Whisper(ANN.id, "ann", "between us", ABOUT), None, 1, 60)
    sealed = theirs.sealer(secrets.token_bytes).seal_entry(1, whisper)
    entry = OpenedEntry(sealed.header, sealed.body, content=sealed.content)
    assert theirs.epoch is not None
    ours.ledger.epoch = theirs.ledger.epoch = theirs.epoch.number  # the box is bound to its epoch
    assert take(ours, entry) == changes.MessageChange(
        member=BOB.id, counter=1, nick="bob", text="between us", seq=1, ttl=60, age=0.0, reply=ABOUT, peer=BOB.id
    )
    for other in (theirs, replica_of(HOST)):
        other.ledger.epoch = ours.ledger.epoch
        assert take(other, entry) == changes.HiddenChange()
        assert other.ledger.index == 1


TEXTS = [b"x", b"x" * limits.TEXT, "é".encode() * (limits.TEXT // 2)]
NO_TEXTS = [b"", b"x" * (limits.TEXT + 1), b"\xff", b"hello\xc3", b"\xed\xa0\x80", b"\xc0\x80"]
NO_TUPLES: tuple[list[Any], ...] = (
    *(["x"], ["x", None, False], ["x", 1, False, None], ["x", [b"a" * 15, 1], False, None]),
    *(["x", None, None, None], ["x", None, False, []], ["x", None, False, None, None]),
)
NO_PACKED = [b"", b"hello", *map(msgpack.encode, NO_TUPLES)]
A_FILE = [5, bytes(32), bytes(32), bytes(32)]
NO_OFFERS = [
    msgpack.encode(it)
    for it in (["", None, False, A_FILE], ["x" * 101, None, False, A_FILE], ["x", [b"a" * 16, 1], False, A_FILE])
]


def boxed_text(text: bytes) -> bytes:
    """[text, nil, false, nil], whatever the text is."""
    shortest = msgpack.encode("x" * len(text))  # 0.2: one encoding of everything
    return b"\x94" + shortest[: len(shortest) - len(text)] + text + b"\xc0\xc2\xc0"


def private_entry(replica: Replica, held: bytes) -> OpenedEntry:
    info = private.bind_message(ROOM, replica.ledger.epoch, BOB.id, 1, ANN.id)
    body = bodies.PrivateBody(private.seal_message(KEYS[ANN.id].public, held, info))
    return OpenedEntry(*signed(replica.ledger, BOB, body))


@pytest.mark.parametrize("text", TEXTS, ids=len)
def test_a_private_text_has_1_to_4000_bytes(ours: Replica, text: bytes) -> None:
    told = take(ours, private_entry(ours, boxed_text(text)))
    assert isinstance(told, changes.MessageChange)
    assert told.text == text.decode()


@pytest.mark.parametrize("held", [*map(boxed_text, NO_TEXTS), *filter(None, NO_PACKED), *NO_OFFERS], ids=repr)
def test_a_box_that_holds_no_text_is_passed_over_by_its_recipient(ours: Replica, held: bytes) -> None:
    """5.15: neither a fault of the host's, who cannot read it, nor anything that others could see."""
    assert take(ours, private_entry(ours, held.ljust(4, b"\0"))) == changes.HiddenChange()
    assert ours.ledger.index == 1


def test_private_messages_of_the_history_are_for_nobody(ours: Replica) -> None:
    info = private.bind_message(ROOM, 0, BOB.id, 1, ANN.id)
    box = private.seal_message(KEYS[ANN.id].public, pack(bodies.PrivateText("between us", None)), info)
    replay = roster_entry_all(Ledger(ROOM))
    assert (
        take(ours, OpenedEntry(*signed(replay, BOB, bodies.PrivateBody(box))), replay=replay) == changes.HiddenChange()
    )
    assert isinstance(applied(ours, BOB, bodies.PrivateBody(box)), changes.MessageChange)


def test_what_has_expired_only_counts(ours: Replica) -> None:
    header, body = signed(ours.ledger, BOB, text(), 60)
    before = ours.ledger.digest
    assert take(ours, OpenedEntry(header, b"", suite.hash_data(body))) == changes.HiddenChange()
    assert (ours.ledger.index, ours.ledger.get_member(BOB.id).counter) == (1, 1)
    assert ours.ledger.digest != before


def test_with_or_without_its_body_an_entry_leads_to_the_same_log(ours: Replica) -> None:
    header, body = signed(ours.ledger, BOB, text(), 60)
    other = replica_of(HOST)
    take(ours, OpenedEntry(header, body))
    take(other, OpenedEntry(header, b"", suite.hash_data(body)))
    assert ours.ledger.digest == other.ledger.digest


CHANGES: list[tuple[Identity, Body, Change]] = [
    (BOB, NickBody("bert"), changes.RenamedChange(BOB.id, "bert", "bob", False, ())),
    (HOST, joined(EVE, "eve"), changes.JoinedChange(EVE.id, "eve", False, ())),
    (HOST, AwayBody(BOB.id), changes.AwayChange(BOB.id, "bob", mine=False)),
    (HOST, AwayBody(ANN.id), changes.AwayChange(ANN.id, "ann", mine=True)),
    (BOB, LeaveBody(), changes.LeftChange(BOB.id, "bob", mine=False)),
    (ANN, LeaveBody(), changes.LeftChange(ANN.id, "ann", mine=True)),
    (HOST, LockBody(True), changes.RightsChange((changes.LockedChange(HOST.id, locked=True),))),
    (BOB, RenewBody(bytes(32)), changes.KeyRenewedChange(BOB.id)),
    (HOST, CloseBody(), changes.ClosedChange()),
    (HOST, CommitBody(1, [], renew=True), changes.CommitChange((), renew=True)),
]


@pytest.mark.parametrize(("author", "body", "change"), CHANGES)
def test_each_kind_of_entry_is_a_change(ours: Replica, author: Identity, body: Body, change: Change) -> None:
    assert applied(ours, author, body) == change
    assert ours.ledger.index == 1


def test_who_was_ordered_out_is_removed_for_that_reason(ours: Replica) -> None:
    applied(ours, HOST, RemoveBody([BOB.id], "spam", ban=False))
    applied(ours, HOST, RemoveBody([ANN.id], "", ban=False))
    removed = [Removal(BOB.id, "kicked"), Removal(ANN.id, "kicked")]
    assert applied(ours, HOST, CommitBody(1, removed, renew=False)) == changes.CommitChange(
        (
            changes.RemovedChange(BOB.id, "bob", "kicked", "spam", away=False, mine=False),
            changes.RemovedChange(ANN.id, "ann", "kicked", "", away=False, mine=True),
        ),
        renew=False,
    )


def test_one_who_was_away_comes_back(ours: Replica) -> None:
    applied(ours, HOST, AwayBody(BOB.id))
    assert applied(ours, HOST, BackBody(BOB.id)) == changes.BackChange(BOB.id, "bob", mine=False)


def test_one_who_was_removed_while_away_is_said_to_have_been(ours: Replica) -> None:
    applied(ours, HOST, AwayBody(BOB.id))
    change = applied(ours, HOST, CommitBody(1, [Removal(BOB.id, "lost")], renew=False))
    removed = changes.RemovedChange(BOB.id, "bob", "lost", "", away=True, mine=False)
    assert change == changes.CommitChange((removed,), renew=False)


def test_what_may_not_come_next_is_checked_whether_it_has_expired_or_not(ours: Replica) -> None:
    header, body = signed(ours.ledger, BOB, text(), 60)
    take(ours, OpenedEntry(header, body))
    for packed in (body, b""):
        with pytest.raises(PeerFault, match="repeated"):
            check_entry(ours.ledger, OpenedEntry(header, packed, suite.hash_data(body)))
    stranger = header._replace(author=EVE.id)
    for packed in (body, b""):
        with pytest.raises(PeerFault, match="stranger"):
            check_entry(ours.ledger, OpenedEntry(stranger, packed, suite.hash_data(body)))


def test_entries_that_were_verified_in_a_row_come_in_as_if_each_had_been_verified_alone(ours: Replica) -> None:
    replica = replica_of(BOB)
    said: list[Body] = [text("one"), joined(EVE, "eve"), text("two")]
    entries = []
    for who, body in zip((BOB, HOST, EVE), said, strict=True):  # Eve is none yet when they are verified
        header, packed = signed(replica.ledger, who, body)
        entries.append(OpenedEntry(header, packed))
        take(replica, OpenedEntry(header, packed))
    forged = OpenedEntry(*signed(replica.ledger, BOB, text("three")))
    forged.body = forged.body[:-1] + b"\1"
    verify_entries(ours.ledger, [*entries, forged])
    assert [entry.signed for entry in entries] == [(0, BOB.key), (0, HOST.key), None]
    for entry in entries:
        take(ours, entry)
    assert ours.ledger.digest == replica.ledger.digest
    verify_entries(ours.ledger, [forged])
    with pytest.raises(PeerFault, match="forged-entry"):
        take(ours, forged)


def test_what_was_verified_in_one_epoch_is_so_in_no_other(ours: Replica) -> None:
    entry = OpenedEntry(*signed(ours.ledger, BOB, text()))
    verify_entries(ours.ledger, [entry])
    applied(ours, HOST, CommitBody(1, [], renew=False))
    with pytest.raises(PeerFault, match="forged-entry"):
        take(ours, entry)


def test_history_grows_another_copy_than_ours(ours: Replica) -> None:
    replay = roster_entry_all(Ledger(ROOM))
    change = take(ours, OpenedEntry(*signed(replay, BOB, text())), replay=replay)
    assert isinstance(change, changes.MessageChange)
    assert (replay.index, ours.ledger.index, change.seq) == (1, 0, 1)


# --- nicks that may be taken for others


@pytest.mark.parametrize("leaves", [LeaveBody(), NickBody("robert")])
def test_who_takes_a_nick_that_another_gave_up_is_cautioned_about(ours: Replica, leaves: Body) -> None:
    ours.reused_nicks.note_message(BOB.id)
    applied(ours, BOB, leaves)
    change = applied(ours, HOST, joined(EVE, "BOB"))
    assert isinstance(change, changes.JoinedChange)
    assert change.cautions == (Caution(EVE.id, "BOB", "bob", "former", spoke=True),)


def test_who_was_removed_gave_up_its_nick(ours: Replica) -> None:
    applied(ours, HOST, RemoveBody([BOB.id], "", ban=False))
    applied(ours, HOST, CommitBody(1, [Removal(BOB.id, "kicked")], renew=False))
    change = applied(ours, HOST, joined(EVE, "bob"))
    assert isinstance(change, changes.JoinedChange)
    assert change.cautions == (Caution(EVE.id, "bob", "bob", "former"),)


def test_a_nick_that_is_confused_with_anothers_or_reserved_is_cautioned_about(ours: Replica) -> None:
    confused = applied(ours, HOST, joined(EVE, "bob_"))
    reserved = applied(ours, BOB, NickBody("system"))
    assert isinstance(confused, changes.JoinedChange)
    assert isinstance(reserved, changes.RenamedChange)
    assert [(it.was, it.of) for it in confused.cautions] == [("bob", "present")]
    assert [it.of for it in reserved.cautions] == ["reserved"]
    assert {(it.member, it.of) for it in ours.present_cautions()} >= {(BOB.id, "reserved")}


def test_we_are_not_cautioned_about_ourselves(ours: Replica) -> None:
    change = applied(ours, ANN, NickBody("system"))
    assert isinstance(change, changes.RenamedChange)
    assert change.cautions == ()
    assert all(it.member != ANN.id for it in ours.present_cautions())


def test_nicks_that_changed_hands_while_we_were_away_are_cautioned_about(ours: Replica) -> None:
    now = Roster()
    for who, nick in ((HOST, "host"), (ANN, "ann"), (EVE, "bob")):
        now.add_member(who.key, nick, bytes(32))
    assert ours.compare_rosters(ours.ledger.roster, now) == [Caution(EVE.id, "bob", "bob", "former")]
    assert ours.compare_rosters(now, now) == []


def test_a_nick_that_was_given_up_while_we_were_away_is_remembered(ours: Replica) -> None:
    now = Roster()
    for who, nick in ((HOST, "host"), (ANN, "ann"), (BOB, "robert")):
        now.add_member(who.key, nick, bytes(32))
    assert ours.compare_rosters(ours.ledger.roster, now) == []
    now.add_member(EVE.key, "bob", bytes(32))
    assert ours.compare_rosters(Roster(), now) == [Caution(EVE.id, "bob", "bob", "former")]


# --- keys


@pytest.mark.parametrize("leaves", [False, True])
def test_a_host_that_hands_over_and_leaves_has_left_and_its_nick_is_free(ours: Replica, leaves: bool) -> None:
    applied(ours, HOST, HeirsBody([Heir(ANN.id, Identity(bytes([1]) * 32, ROOM).key)], entrusts=False))
    change = applied(ours, HOST, HandOverBody(leaves))
    assert change == (changes.LeftChange(HOST.id, "host", mine=False) if leaves else changes.HiddenChange())
    assert (ours.reused_nicks.find_former_owner(EVE.id, "host") is not None) is leaves


def test_keys_of_those_who_are_out_are_forgotten(ours: Replica) -> None:
    known = suite.hash_data(KEYS[BOB.id].public)
    assert known in ours.keys
    applied(ours, BOB, LeaveBody())
    ours.forget_keys()
    assert set(ours.keys) == {suite.hash_data(KEYS[who.id].public) for who in (HOST, ANN)}


def test_nothing_secret_is_left_of_a_room_that_we_are_out_of(ours: Replica) -> None:
    ours.forget_secrets()
    assert (ours.epoch, ours.keys, ours.own_keys) == (None, {}, [])


def test_what_we_seal_refers_to_the_latest_entry_that_took_effect(ours: Replica) -> None:
    applied(ours, BOB, text())
    sealed = ours.sealer(secrets.token_bytes).seal_entry(1, Pending(text("mine"), "mine", 1, 60))
    assert (sealed.content.index, sealed.content.digest) == (1, ours.ledger.digest)
    assert (sealed.header.author, sealed.header.counter, sealed.header.ttl) == (ANN.id, 1, 60)


def test_the_hash_of_a_body_confirms_no_guess_at_its_text() -> None:
    """4.4, 5.16: "H(body) confirms no guess at it, not even to one who has its author's signing key"."""
    right = text("a text that somebody guesses")
    one, another = (
        replica_of(ANN).sealer(secrets.token_bytes).seal_entry(1, Pending(right, None, 1, 60)) for _ in "12"
    )

    def guess(salt: bytes) -> bytes:
        """H(body) of the right text, as whoever has all but the salt can compute it."""
        padded = padded_content(bodies.Content(salt, one.content.index, one.content.digest, right))
        signed = entry_content(one.epoch, one.header.pack(), padded)
        return suite.hash_data(ANN.sign(ENTRY_LABEL, signed) + padded)

    assert guess(one.content.salt) == suite.hash_data(one.body), "the salt is all that is lacking"
    assert suite.hash_data(one.body) not in map(guess, (bytes(16), another.content.salt, one.content.digest[:16]))


def test_marks_begin_with_the_empty_log() -> None:
    replica = Replica(ROOM, EVE, KEYS[EVE.id])
    assert replica.marks.latest_marks() == [safety_words.Mark(0, hash_room(ROOM))]
    assert member_id(EVE.key) == replica.me.id


def test_an_entry_is_decoded_when_it_is_wanted_and_never_twice(ours: Replica) -> None:
    entry = OpenedEntry(*signed(ours.ledger, BOB, text()))
    assert entry.content is entry.content is not None
    assert OpenedEntry(entry.header, b"", entry.digest).content is None
    with pytest.raises(PeerFault):
        _ = OpenedEntry(entry.header, entry.body + bytes(32)).content


def test_entries_of_the_history_are_read_with_or_without_their_bodies(ours: Replica) -> None:
    header, body = signed(ours.ledger, BOB, text(), 60)
    opened = OpenedEntry.from_backfill(BackfilledEntry(header.pack(), body))
    gone = OpenedEntry.from_backfill(Tombstone(header.pack(), suite.hash_data(body)))
    assert (opened.header, opened.body, opened.digest) == (header, body, suite.hash_data(body))
    assert (gone.header, gone.body, gone.digest) == (header, b"", suite.hash_data(body))
    with pytest.raises(PeerFault, match="entry-without-body"):
        OpenedEntry.from_backfill(BackfilledEntry(header.pack(), b""))


# --- terms


FIRST, SECOND = (Identity(bytes([number]) * 32, ROOM).key for number in (1, 2))


def begun(replica: Replica, author: Identity, opening: OpeningBody) -> Change:
    ledger = replica.ledger
    opening = msgspec.structs.replace(opening, since=ledger.index + 1)
    header = Header(OPENING, author.id, 0)
    padded = padded_content(bodies.Content(bytes(limits.SALT), ledger.index, ledger.digest, opening))
    body = author.sign(ENTRY_LABEL, entry_content(ledger.epoch, header.pack(), padded)) + padded
    return take(replica, OpenedEntry(header, body))


def test_a_term_that_the_host_begins_again_is_as_a_commit_to_its_members(ours: Replica) -> None:
    assert begun(ours, HOST, OpeningBody(4, ROOM, ROOM, 0)) == changes.CommitChange((), renew=False)


def test_what_is_replayed_has_the_places_that_the_log_has_in_the_end(ours: Replica) -> None:
    replay = ours.ledger.copy()
    ours.final_openings = (*ours.ledger.openings, Opening(4, HOST.id, 3, bytes(32), 2))
    said = [OpenedEntry(*signed(replay, BOB, text("one"), counter=1))]
    first = take(ours, said[0], replay=replay)
    second = take(ours, OpenedEntry(*signed(replay, BOB, text("two"), counter=2)), replay=replay)
    assert isinstance(first, changes.MessageChange)
    assert isinstance(second, changes.MessageChange)
    assert (first.seq, second.seq) == (1, make_place(4, 2))


def test_places_grow_beyond_those_of_the_term_before(ours: Replica) -> None:
    applied(ours, HOST, HeirsBody([Heir(BOB.id, SECOND)], entrusts=False))
    begun(ours, BOB, OpeningBody(5, SECOND, SECOND, 0))
    change = applied(ours, BOB, text())
    assert isinstance(change, changes.MessageChange)
    assert change.seq == ours.ledger.place == make_place(5, 3)
    assert [ours.ledger.place_of(index) for index in (1, 2)] == [1, make_place(5, 2)]


def test_so_many_former_members_are_remembered(ours: Replica, monkeypatch: pytest.MonkeyPatch) -> None:
    """3.2: by all members, each of whom may host; the first to go are forgotten first."""
    monkeypatch.setattr(limits, "FORMER_MEMBERS", 2)
    applied(ours, HOST, joined(EVE, "eve"))
    applied(ours, BOB, LeaveBody())
    assert list(ours.former) == [BOB.id]
    applied(ours, HOST, RemoveBody([EVE.id], "", ban=False))
    applied(ours, HOST, CommitBody(1, [Removal(EVE.id, "kicked")], renew=False))
    applied(ours, HOST, HeirsBody([Heir(ANN.id, b"a" * 32)], entrusts=False))
    applied(ours, HOST, HandOverBody(leaves=True))
    assert list(ours.former) == [EVE.id, HOST.id]
