"""A member's own copy of a room's log: entries, hashes, and the room as it was before the oldest of them."""

import pytest

from anonp2p import limits
from anonp2p.crypto import identity, suite
from anonp2p.crypto.epoch import COMMIT, ENTRY, FLEETING, KEPT, Header
from anonp2p.crypto.identity import Identity
from anonp2p.protocol import bodies, field_types, room_state
from anonp2p.protocol.batches import RetractedEntry
from anonp2p.room.contents import padded_content
from anonp2p.room.entries import OpenedEntry
from anonp2p.room.ledger import Ledger
from anonp2p.room.log import room_log
from anonp2p.room.log.log import LogEntry
from anonp2p.room.log.room_log import RoomLog, replay_entry
from tests.room.log.parts import shrink

ROOM = b"r" * 32
KEY = b"l" * 32
HOST, ANN, BOB = (Identity(name * 32, ROOM) for name in (b"h", b"a", b"b"))
BOX = bodies.PrivateBody(bytes(field_types.BOX + 4))
HEAD = bytes(112)
MINUTE = 60_000  # milliseconds


def text(words: str = "hello") -> bodies.TextBody:
    return bodies.TextBody(words, action=False, reply=None)


class Copy:
    """A member's log and ledger, which take one entry after the other."""

    def __init__(self) -> None:
        self.ledger = Ledger(ROOM)
        self.ledger.retention = room_state.RetentionPolicy(0, KEPT, KEPT)
        self.ledger.host = self.ledger.add_member(HOST.key, "host", KEY).id
        self.ledger.begin_log()
        self.room_log = RoomLog(self.ledger.copy())
        self.before = [self.state()]  # the room after each entry

    def state(self) -> tuple[int, bytes, bytes, list[tuple[str, bool, int]]]:
        return state_of(self.ledger)

    def order(self, author: Identity, body: bodies.Body, ttl: int = KEPT, sealed: bytes = b"") -> int:
        """The next entry; its index."""
        member = self.ledger.get_member(author.id)
        kind = COMMIT if isinstance(body, bodies.CommitBody) else ENTRY
        header = Header(kind, author.id, member.counter + 1, 0, ttl)
        content = bodies.Content(bytes(limits.SALT), self.ledger.index, self.ledger.digest, body)
        entry, before = OpenedEntry(header, bytes(64) + padded_content(content)), self.ledger.group_context
        self.ledger.take_entry(member, header, content, entry.digest)
        entry.context = None if self.ledger.group_context == before else self.ledger.group_context
        self.room_log.append_entry(entry, self.ledger, sealed)
        self.before.append(self.state())
        return self.ledger.index

    def says(self, author: Identity, *said: bodies.Body, ttl: int = KEPT, time: int = 0) -> int:
        """One batch; the index of its last entry."""
        for body in said:
            self.order(author, body, ttl)
        self.room_log.seal_batch(HEAD, time)
        return self.ledger.index

    def body(self, index: int) -> bytes:
        return self.room_log.log.find_entry(index).body


def state_of(ledger: Ledger) -> tuple[int, bytes, bytes, list[tuple[str, bool, int]]]:
    roster = [(member.nick, member.away, member.counter) for member in ledger.roster]
    return ledger.index, ledger.digest, ledger.group_context, roster


@pytest.fixture
def copy(monkeypatch: pytest.MonkeyPatch) -> Copy:
    """With three members."""
    monkeypatch.setattr(limits, "WAYMARK", 3)
    copy = Copy()
    copy.says(HOST, *(bodies.JoinedBody(it.key, nick, KEY) for it, nick in ((ANN, "ann"), (BOB, "bob"))))
    return copy


def live(copy: Copy) -> None:
    """All kinds of things happen."""
    copy.says(ANN, text("one"), bodies.NickBody("anna"), text("two"))
    copy.says(HOST, bodies.AwayBody(BOB.id), bodies.LockBody(locked=True))
    copy.says(HOST, bodies.CommitBody(1, [bodies.Removal(BOB.id, "lost")], renew=False))
    copy.says(ANN, bodies.RenewBody(bytes(32)), bodies.RetractBody(1), text("three"))


def test_the_room_is_known_as_of_each_entry_that_is_kept(copy: Copy) -> None:
    live(copy)
    for index, state in reversed(list(enumerate(copy.before))):
        ledger = copy.room_log.ledger_at(index)
        assert ledger is not None
        assert state_of(ledger) == state
        assert copy.room_log.hashes.digest_at(index) == ledger.digest
    assert copy.room_log.ledger_at(len(copy.before)) is None


def test_what_is_dropped_leaves_the_room_as_it_was_after_it(copy: Copy, monkeypatch: pytest.MonkeyPatch) -> None:
    shrink(monkeypatch)
    live(copy)
    copy.room_log.ledger_at(copy.ledger.index)
    for number in range(limits.LOG_ENTRIES):
        copy.says(ANN, text(str(number)))
    oldest = copy.room_log.log.oldest
    assert oldest > 3
    assert copy.room_log.ledger_at(oldest - 2) is None
    for index in range(oldest - 1, copy.ledger.index + 1):
        ledger = copy.room_log.ledger_at(index)
        assert ledger is not None
        assert state_of(ledger) == copy.before[index]
    assert state_of(copy.room_log.trail) == copy.before[oldest - 1]


def test_few_entries_are_replayed_however_long_a_log_is(copy: Copy, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has signed a Meet says any place to which the log is to be read again."""
    live(copy)
    last = copy.ledger.index
    replayed: list[object] = []
    copy.room_log.ledger_at(last)

    def replay(ledger: Ledger, entry: LogEntry) -> None:
        replay_entry(ledger, entry)
        replayed.append(entry)

    monkeypatch.setattr(room_log, "replay_entry", replay)
    for index in (last, last - 1, 4, last):
        copy.room_log.ledger_at(index)
        assert len(replayed) < limits.WAYMARK
        replayed.clear()


def test_what_is_read_again_is_not_hashed_again(copy: Copy, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the largest room a hash of who is there takes as long as an entry to open, and there is one for each join."""
    live(copy)
    hashed = identity.hash_group_context
    monkeypatch.setattr(identity, "hash_group_context", lambda _: pytest.fail("it was hashed"))
    ledger = copy.room_log.ledger_at(copy.ledger.index)
    monkeypatch.setattr(identity, "hash_group_context", hashed)
    assert ledger is not None
    assert state_of(ledger) == copy.before[-1]


def test_what_is_cut_is_forgotten_with_the_room_as_it_was_then(copy: Copy) -> None:
    copy.room_log.ledger_at(copy.ledger.index)
    last = copy.says(ANN, text("one"), text("two"), text("three"))
    copy.room_log.ledger_at(last)
    copy.room_log.cut_after(last - 3)
    copy.ledger = copy.room_log.ledger_at(last - 3) or copy.ledger
    del copy.before[last - 2 :]
    copy.says(ANN, bodies.NickBody("anna"), text("four"), text("five"))
    ledger = copy.room_log.ledger_at(last)
    assert ledger is not None
    assert state_of(ledger) == copy.state()


def test_a_room_of_before_goes_its_own_way(copy: Copy) -> None:
    before = copy.room_log.ledger_at(2)
    live(copy)
    assert before is not None
    assert state_of(before) == copy.before[2]
    before.roster.rename_member(before.get_member(ANN.id), "eve")
    before.roster.remove_member(before.get_member(BOB.id))
    before.extend_log(Header(ENTRY, ANN.id, 1), bytes(32))
    assert copy.state() == copy.before[-1]
    again = copy.room_log.ledger_at(2)
    assert again is not None
    assert state_of(again) == copy.before[2]
    assert again.roster.find_nick("ann") is not None


def test_a_message_that_is_not_to_be_kept_is_in_no_members_log(copy: Copy) -> None:
    """5.17"""
    index = copy.says(ANN, text("gone"), ttl=FLEETING)
    entry = copy.room_log.log.find_entry(index)
    assert (entry.body, entry.ttl) == (b"", FLEETING)
    assert copy.room_log.next_expiry is None
    copy.order(HOST, text("sent to all first"), ttl=FLEETING, sealed=b"sealed")
    assert copy.body(index + 1)


def test_what_has_expired_goes_and_the_room_is_known_nevertheless(copy: Copy) -> None:
    """5.16, 5.17"""
    index = copy.says(ANN, text("for a minute"), ttl=60, time=1_000)
    copy.says(ANN, bodies.NickBody("anna"), time=2_000)
    assert copy.room_log.next_expiry == 1_000 + MINUTE
    assert not copy.room_log.expire_entries(999 + MINUTE)
    assert copy.body(index)
    assert copy.room_log.expire_entries(1_000 + MINUTE)
    assert copy.body(index) == b""
    ledger = copy.room_log.ledger_at(index + 1)
    assert ledger is not None
    assert state_of(ledger) == copy.before[-1]


@pytest.mark.parametrize("counter", [1, 3])
def test_a_retract_ends_a_message_with_its_batch_and_is_shown_beside_what_is_left(copy: Copy, counter: int) -> None:
    """5.20"""
    copy.says(ANN, text("one"), bodies.NickBody("anna"), BOX)
    copy.order(ANN, bodies.RetractBody(counter))
    assert copy.body(2 + counter)
    assert copy.room_log.seal_batch(HEAD, 0) == ([], True)
    assert copy.body(2 + counter) == b""
    shown = copy.room_log.log.backfill_batch(3).entries[counter - 1]
    assert isinstance(shown, RetractedEntry)


@pytest.mark.parametrize("counter", [2, 4], ids=["a nick", "a Retract"])
def test_a_retract_of_what_is_no_message_does_nothing(copy: Copy, counter: int) -> None:
    """5.21"""
    copy.says(ANN, text("one"), bodies.NickBody("anna"), text("two"), bodies.RetractBody(1))
    copy.order(ANN, bodies.RetractBody(counter))
    assert copy.room_log.seal_batch(HEAD, 0) == ([], False)
    assert copy.body(2 + counter)


def test_a_message_that_the_log_has_dropped_may_be_retracted(copy: Copy, monkeypatch: pytest.MonkeyPatch) -> None:
    shrink(monkeypatch)
    for number in range(limits.LOG_ENTRIES):
        copy.says(ANN, text(str(number)))
    copy.order(ANN, bodies.RetractBody(1))
    copy.room_log.seal_batch(HEAD, 0)
    assert copy.body(copy.ledger.index)


def test_what_was_retracted_before_it_came_is_shown_as_it_was_shown(copy: Copy) -> None:
    """5.13"""
    header, retract = Header(ENTRY, ANN.id, 1), Header(ENTRY, ANN.id, 2)
    shown = RetractedEntry(header.pack(), suite.hash_data(b"gone"), 3, retract.pack(), b"says so")
    entry = OpenedEntry.from_backfill(shown)
    copy.ledger.take_entry(copy.ledger.get_member(ANN.id), header, None, entry.digest)
    copy.room_log.append_entry(entry, copy.ledger)
    copy.room_log.seal_batch(HEAD, 0)
    assert copy.room_log.log.backfill_batch(copy.ledger.index).entries == [shown]
