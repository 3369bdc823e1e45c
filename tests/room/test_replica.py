"""How an entry takes effect in one member's copy of a room: what changes, what is remembered, what it is told as."""

from typing import Any

import pytest

from anonp2p.crypto import private, suite
from anonp2p.crypto.epoch import COMMIT, ENTRY, KEPT, Epoch, Header
from anonp2p.crypto.identity import ENTRY as ENTRY_LABEL
from anonp2p.crypto.identity import Identity, member_id
from anonp2p.errors import PeerFault
from anonp2p.names import safety_words
from anonp2p.protocol import frames
from anonp2p.protocol.frames import Back, Body, Close, Commit, Joined, Leave, Lock, Lost, Nick, Removal, Renew, Text
from anonp2p.room import changes
from anonp2p.room.changes import Caution, Change
from anonp2p.room.entries import OpenedEntry
from anonp2p.room.ledger import Ledger, entry_content, padded_content
from anonp2p.room.pending import Pending, Whisper
from anonp2p.room.replica import Replica, check_entry
from anonp2p.room.roster import Roster

ROOM = b"r" * 32
HOST, ANN, BOB, EVE = (Identity(name * 32, ROOM) for name in (b"h", b"a", b"b", b"e"))
KEYS = {who.id: suite.LeafKey(name * 32) for who, name in ((HOST, b"H"), (ANN, b"A"), (BOB, b"B"), (EVE, b"E"))}


def seat_all(ledger: Ledger) -> Ledger:
    ledger.name = "demo"
    for who, nick in ((HOST, "host"), (ANN, "ann"), (BOB, "bob")):
        ledger.seat(who.key, nick, suite.digest(KEYS[who.id].public))
    ledger.host = HOST.id
    return ledger


def replica_of(who: Identity) -> Replica:
    """One member's copy of a room with a host and two members."""
    replica = Replica(ROOM, who, KEYS[who.id])
    seat_all(replica.ledger)
    members = [HOST.id, ANN.id, BOB.id]
    first = Epoch.first(bytes(32), replica.ledger.digest, HOST.id)
    replica.epoch = first.next(bytes(32), bytes(32), members)[0]
    replica.keys = {suite.digest(key.public): key.public for key in KEYS.values()}
    return replica


@pytest.fixture
def ours() -> Replica:
    """Ann's copy."""
    return replica_of(ANN)


def signed(ledger: Ledger, author: Identity, body: Body, ttl: int = KEPT, **otherwise: Any) -> tuple[Header, bytes]:
    counter = otherwise.get("counter", ledger.member(author.id).counter + 1)
    header = Header(COMMIT if isinstance(body, Commit) else ENTRY, author.id, counter, 0, ttl)
    padded = padded_content(frames.Content(ledger.index, ledger.digest, body))
    return header, author.sign(ENTRY_LABEL, entry_content(ledger.epoch, header.pack(), padded)) + padded


def take(replica: Replica, entry: OpenedEntry, age: float = 0.0, past: Ledger | None = None) -> Change:
    """Checks the next entry and applies it, as all do who take one."""
    author = check_entry(replica.ledger if past is None else past, entry)
    return replica.apply(author, entry, age, past)


def applied(replica: Replica, author: Identity, body: Body, ttl: int = KEPT, age: float = 0.0) -> Change:
    return take(replica, OpenedEntry(*signed(replica.ledger, author, body, ttl)), age)


def text(words: str = "hello", *, action: bool = False) -> Text:
    return Text(words, action)


def joined(who: Identity, nick: str) -> Joined:
    return Joined(who.key, nick, suite.digest(KEYS[who.id].public))


# --- what an entry does


def test_a_message_is_said_as_it_was_ordered(ours: Replica) -> None:
    assert applied(ours, BOB, text("hello", action=True), 60, 2.5) == changes.Said(
        member=BOB.id, nick="bob", text="hello", seq=1, ttl=60, age=2.5, action=True
    )
    own = applied(ours, ANN, text())
    assert isinstance(own, changes.Said)
    assert (own.mine, own.seq) == (True, 2)


def test_a_private_message_is_said_to_its_recipient_alone(ours: Replica) -> None:
    theirs = replica_of(BOB)
    sealed = theirs.sealer().seal(1, Pending(Whisper(ANN.id, "ann", "between us"), None, 1, 60))
    entry = OpenedEntry(sealed.header, sealed.body, content=sealed.content)
    assert theirs.epoch is not None
    ours.ledger.epoch = theirs.ledger.epoch = theirs.epoch.number  # the box is bound to its epoch
    assert take(ours, entry) == changes.Said(
        member=BOB.id, nick="bob", text="between us", seq=1, ttl=60, age=0.0, private=True
    )
    for other in (theirs, replica_of(HOST)):
        other.ledger.epoch = ours.ledger.epoch
        assert take(other, entry) == changes.Hidden()
        assert other.ledger.index == 1


def test_private_messages_of_the_past_are_for_nobody(ours: Replica) -> None:
    info = private.about(ROOM, 0, BOB.id, 1, ANN.id)
    box = private.seal(KEYS[ANN.id].public, "between us", info)
    past = seat_all(Ledger(ROOM))
    assert take(ours, OpenedEntry(*signed(past, BOB, frames.Private(box))), past=past) == changes.Hidden()
    assert isinstance(applied(ours, BOB, frames.Private(box)), changes.Said)


def test_what_has_expired_only_counts(ours: Replica) -> None:
    header, body = signed(ours.ledger, BOB, text(), 60)
    before = ours.ledger.digest
    assert take(ours, OpenedEntry(header, b"", suite.digest(body))) == changes.Hidden()
    assert (ours.ledger.index, ours.ledger.member(BOB.id).counter) == (1, 1)
    assert ours.ledger.digest != before


def test_with_or_without_its_body_an_entry_leads_to_the_same_log(ours: Replica) -> None:
    header, body = signed(ours.ledger, BOB, text(), 60)
    other = replica_of(HOST)
    take(ours, OpenedEntry(header, body))
    take(other, OpenedEntry(header, b"", suite.digest(body)))
    assert ours.ledger.digest == other.ledger.digest


CHANGES: list[tuple[Identity, Body, Change]] = [
    (BOB, Nick("bert"), changes.Renamed(BOB.id, "bert", "bob", False, ())),
    (HOST, joined(EVE, "eve"), changes.Joined(EVE.id, "eve", False, ())),
    (HOST, Lost(BOB.id), changes.WentAway(BOB.id, "bob", mine=False)),
    (HOST, Lost(ANN.id), changes.WentAway(ANN.id, "ann", mine=True)),
    (BOB, Leave(), changes.Left(BOB.id, "bob", mine=False)),
    (ANN, Leave(), changes.Left(ANN.id, "ann", mine=True)),
    (HOST, Lock(True), changes.Locked(HOST.id, locked=True)),
    (BOB, Renew(bytes(32)), changes.Renewed(BOB.id)),
    (HOST, Close(), changes.Closed(mine=False)),
    (HOST, Commit(1, []), changes.Committed(())),
    (
        HOST,
        Commit(1, [Removal(BOB.id, "kicked", "spam"), Removal(ANN.id, "kicked", "")]),
        changes.Committed(
            (
                changes.Removed(BOB.id, "bob", "kicked", "spam", away=False, mine=False),
                changes.Removed(ANN.id, "ann", "kicked", "", away=False, mine=True),
            )
        ),
    ),
]


@pytest.mark.parametrize(("author", "body", "change"), CHANGES)
def test_each_kind_of_entry_is_a_change(ours: Replica, author: Identity, body: Body, change: Change) -> None:
    assert applied(ours, author, body) == change
    assert ours.ledger.index == 1


def test_one_who_was_away_comes_back(ours: Replica) -> None:
    applied(ours, HOST, Lost(BOB.id))
    assert applied(ours, HOST, Back(BOB.id)) == changes.CameBack(BOB.id, "bob", mine=False)


def test_one_who_was_removed_while_away_is_said_to_have_been(ours: Replica) -> None:
    applied(ours, HOST, Lost(BOB.id))
    change = applied(ours, HOST, Commit(1, [Removal(BOB.id, "lost", "")]))
    assert change == changes.Committed((changes.Removed(BOB.id, "bob", "lost", "", away=True, mine=False),))


def test_what_may_not_come_next_is_checked_whether_it_has_expired_or_not(ours: Replica) -> None:
    header, body = signed(ours.ledger, BOB, text(), 60)
    take(ours, OpenedEntry(header, body))
    for packed in (body, b""):
        with pytest.raises(PeerFault, match="repeated"):
            check_entry(ours.ledger, OpenedEntry(header, packed, suite.digest(body)))
    stranger = header._replace(author=EVE.id)
    for packed in (body, b""):
        with pytest.raises(PeerFault, match="stranger"):
            check_entry(ours.ledger, OpenedEntry(stranger, packed, suite.digest(body)))


def test_history_grows_another_copy_than_ours(ours: Replica) -> None:
    past = seat_all(Ledger(ROOM))
    change = take(ours, OpenedEntry(*signed(past, BOB, text())), past=past)
    assert isinstance(change, changes.Said)
    assert (past.index, ours.ledger.index, change.seq) == (1, 0, 1)


# --- nicks that may be taken for others


@pytest.mark.parametrize("leaves", [Leave(), Nick("robert")])
def test_who_takes_a_nick_that_another_gave_up_is_cautioned_about(ours: Replica, leaves: Body) -> None:
    ours.reused_nicks.note_message(BOB.id)
    applied(ours, BOB, leaves)
    change = applied(ours, HOST, joined(EVE, "BOB"))
    assert isinstance(change, changes.Joined)
    assert change.cautions == (Caution(EVE.id, "BOB", "bob", "former", spoke=True),)


def test_who_was_removed_gave_up_its_nick(ours: Replica) -> None:
    applied(ours, HOST, Commit(1, [Removal(BOB.id, "kicked", "")]))
    change = applied(ours, HOST, joined(EVE, "bob"))
    assert isinstance(change, changes.Joined)
    assert change.cautions == (Caution(EVE.id, "bob", "bob", "former"),)


def test_a_nick_that_is_confused_with_anothers_or_reserved_is_cautioned_about(ours: Replica) -> None:
    confused = applied(ours, HOST, joined(EVE, "bob_"))
    reserved = applied(ours, BOB, Nick("system"))
    assert isinstance(confused, changes.Joined)
    assert isinstance(reserved, changes.Renamed)
    assert [(it.was, it.of) for it in confused.cautions] == [("bob", "present")]
    assert [it.of for it in reserved.cautions] == ["reserved"]
    assert {(it.member, it.of) for it in ours.present_cautions()} >= {(BOB.id, "reserved")}


def test_we_are_not_cautioned_about_ourselves(ours: Replica) -> None:
    change = applied(ours, ANN, Nick("system"))
    assert isinstance(change, changes.Renamed)
    assert change.cautions == ()
    assert all(it.member != ANN.id for it in ours.present_cautions())


def test_nicks_that_changed_hands_while_we_were_away_are_cautioned_about(ours: Replica) -> None:
    now = Roster()
    for who, nick in ((HOST, "host"), (ANN, "ann"), (EVE, "bob")):
        now.add(who.key, nick, bytes(32))
    assert ours.compare_rosters(ours.ledger.roster, now) == [Caution(EVE.id, "bob", "bob", "former")]
    assert ours.compare_rosters(now, now) == []


def test_a_nick_that_was_given_up_while_we_were_away_is_remembered(ours: Replica) -> None:
    now = Roster()
    for who, nick in ((HOST, "host"), (ANN, "ann"), (BOB, "robert")):
        now.add(who.key, nick, bytes(32))
    assert ours.compare_rosters(ours.ledger.roster, now) == []
    now.add(EVE.key, "bob", bytes(32))
    assert ours.compare_rosters(Roster(), now) == [Caution(EVE.id, "bob", "bob", "former")]


# --- keys


def test_keys_of_those_who_are_out_are_forgotten(ours: Replica) -> None:
    known = suite.digest(KEYS[BOB.id].public)
    assert known in ours.keys
    applied(ours, BOB, Leave())
    ours.forget_keys()
    assert set(ours.keys) == {suite.digest(KEYS[who.id].public) for who in (HOST, ANN)}


def test_nothing_secret_is_left_of_a_room_that_we_are_out_of(ours: Replica) -> None:
    ours.forget_secrets()
    assert (ours.epoch, ours.keys, ours.own_keys) == (None, {}, [])


def test_what_we_seal_refers_to_the_latest_entry_that_took_effect(ours: Replica) -> None:
    applied(ours, BOB, text())
    sealed = ours.sealer().seal(1, Pending(text("mine"), "mine", 1, 60))
    assert (sealed.content.index, sealed.content.digest) == (1, ours.ledger.digest)
    assert (sealed.header.author, sealed.header.counter, sealed.header.ttl) == (ANN.id, 1, 60)


def test_marks_begin_with_the_empty_log() -> None:
    replica = Replica(ROOM, EVE, KEYS[EVE.id])
    assert replica.marks.latest() == [safety_words.Mark(0, Ledger(ROOM).digest)]
    assert member_id(EVE.key) == replica.me.id


def test_an_entry_is_decoded_when_it_is_wanted_and_never_twice(ours: Replica) -> None:
    entry = OpenedEntry(*signed(ours.ledger, BOB, text()))
    assert entry.content is entry.content is not None
    assert OpenedEntry(entry.header, b"", entry.digest).content is None
    with pytest.raises(PeerFault):
        _ = OpenedEntry(entry.header, entry.body + bytes(32)).content


def test_entries_of_the_past_are_read_with_or_without_their_bodies(ours: Replica) -> None:
    header, body = signed(ours.ledger, BOB, text(), 60)
    opened = OpenedEntry.from_past(frames.Opened(header.pack(), body))
    gone = OpenedEntry.from_past(frames.Gone(header.pack(), suite.digest(body)))
    assert (opened.header, opened.body, opened.digest) == (header, body, suite.digest(body))
    assert (gone.header, gone.body, gone.digest) == (header, b"", suite.digest(body))
    with pytest.raises(PeerFault, match="without a body"):
        OpenedEntry.from_past(frames.Opened(header.pack(), b""))
