"""What newcomers are shown of what was before: a room as it was, from which the host's log leads to what it is now."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonp2p import limits
from anonp2p.crypto import suite
from anonp2p.crypto.epoch import COMMIT, ENTRY, FLEETING, KEPT, Header
from anonp2p.crypto.identity import Identity
from anonp2p.protocol import bodies, field_types, room_state
from anonp2p.protocol.rights import Restrictions, Rights
from anonp2p.room.contents import padded_content, unpack_content
from anonp2p.room.entry_rules import check_entry, check_tombstone
from anonp2p.room.ledger import Ledger
from anonp2p.room.log.history import History
from anonp2p.room.log.log import Log, LogBatch, LogEntry

ROOM = b"r" * 32
KEY = b"l" * 32
HOST, ANN, BOB, EVE = (Identity(name * 32, ROOM) for name in (b"h", b"a", b"b", b"e"))
SECOND = 1_000  # milliseconds
BOX = bodies.PrivateBody(bytes(field_types.BOX + 4))


def text(words: str = "hello") -> bodies.TextBody:
    return bodies.TextBody(words, action=False, reply=None)


class Room:
    """A host's, as far as its history hangs on it."""

    def __init__(self, texts: int = 0, seconds: int = 0) -> None:
        self.ledger, behind = Ledger(ROOM), Ledger(ROOM)
        for ledger in (self.ledger, behind):
            ledger.name = "demo"
            ledger.retention, ledger.history = (
                room_state.RetentionPolicy(0, KEPT, KEPT),
                room_state.HistoryPolicy(texts, seconds),
            )
            ledger.host = ledger.add_member(HOST.key, "host", KEY).id
            ledger.begin_log()
        self.log = Log()
        self.history = History(behind, behind.history)
        self.digests = [self.ledger.digest]  # of the log, by index
        self.texts: list[int] = []  # indices of the messages to all
        self.times: dict[int, int] = {}  # of all entries

    def order(self, author: Identity, body: bodies.Body, ttl: int = KEPT) -> int:
        """The next place is this one's; its index."""
        member = self.ledger.get_member(author.id)
        kind = COMMIT if isinstance(body, bodies.CommitBody) else ENTRY
        header = Header(kind, author.id, member.counter + 1, 0, ttl)
        content = bodies.Content(bytes(limits.SALT), self.ledger.index, self.ledger.digest, body)
        check_entry(self.ledger, member, header, content)
        signed, before = bytes(64) + padded_content(content), self.ledger.group_context
        self.ledger.take_entry(member, header, content, suite.hash_data(signed))
        context = None if self.ledger.group_context == before else self.ledger.group_context
        self.log.append_entry(b"sealed", LogEntry(header.pack(), suite.hash_data(signed), signed, ttl, context))
        if isinstance(body, bodies.TextBody):
            self.history.note_text(self.ledger.index)
            self.texts.append(self.ledger.index)
        self.digests.append(self.ledger.digest)
        return self.ledger.index

    def seal(self, time: int = 0) -> list[LogBatch]:
        self.times |= dict.fromkeys(range(self.log.sealed_end, self.log.end), time)
        dropped = self.log.seal_batch(bytes(112), b"wire", time)
        self.history.leave_batches(dropped)
        return dropped

    def says(self, *said: bodies.Body, author: Identity = HOST, ttl: int = KEPT, time: int = 0) -> None:
        """One batch."""
        for body in said:
            self.order(author, body, ttl)
        self.seal(time)

    def joins(self, who: Identity, nick: str) -> None:
        self.says(bodies.JoinedBody(who.key, nick, KEY))

    def begins(self) -> int:
        """After which entry a newcomer's history begins now. What follows leads to the room as it is."""
        self.history.trim_to_policy(self.log)
        base = self.history.take_snapshot()
        assert base.digest == self.digests[self.history.index]
        shown = self.shown(base)
        assert (shown.index, shown.digest) == (self.ledger.index, self.ledger.digest)
        assert shown.group_context == self.ledger.group_context
        assert shown.epoch == self.ledger.epoch
        assert [it.counter for it in shown.roster] == [it.counter for it in self.ledger.roster]
        return self.history.index

    def shown(self, base: room_state.RoomSnapshot) -> Ledger:
        """What a newcomer makes of it, with what the log still has (5.18)."""
        ledger = Ledger(ROOM)
        for it in base.roster:
            ledger.add_member(it.key, it.nick, it.key_hash, it.counter, away=it.away)
        ledger.name = "demo"
        ledger.take_term(base.term)
        ledger.retention, ledger.history = self.ledger.retention, self.ledger.history
        ledger.rights, ledger.epoch = base.rights, base.epoch
        ledger.start_at(self.history.index, base.digest)
        while ledger.index < self.ledger.index:
            batch = self.log.find_batch(ledger.index + 1)
            entry = batch.entries[ledger.index + 1 - batch.first]
            header = Header.unpack(entry.header)
            if entry.body:
                author, content = ledger.get_member(header.author), unpack_content(entry.body)
                check_entry(ledger, author, header, content)
                ledger.take_entry(author, header, content, entry.digest)
            else:
                check_tombstone(ledger, header).counter = header.counter
                ledger.extend_log(header, entry.digest)
        return ledger


def nicks(base: room_state.RoomSnapshot) -> list[str]:
    return [it.nick for it in base.roster]


def test_a_room_in_which_little_was_said_is_shown_from_its_beginning() -> None:
    """5.18"""
    for room in (Room(texts=3), Room(seconds=60)):
        assert room.begins() == 0
        room.joins(ANN, "ann")
        room.says(text(), author=ANN)
        assert room.begins() == 0
        base = room.history.take_snapshot()
        assert base == room_state.RoomSnapshot(
            room.digests[0], 0, Rights(), [room_state.SnapshotEntry(HOST.key, "host", 0, False, KEY)], room.ledger.term
        )


@pytest.mark.parametrize("count", [1, 2, 5])
def test_no_more_than_so_many_messages_are_shown(count: int) -> None:
    """5.18: "an entry from which on the host's log holds no more than so many Texts"."""
    room = Room(texts=count)
    for number in range(1, 12):
        room.says(text(), bodies.LockBody(locked=number % 2 == 1))
        begin = room.begins()
        assert begin == (room.texts[-count] - 1 if len(room.texts) >= count else 0)
        assert len([index for index in room.texts if index > begin]) == min(count, number)


def test_the_history_begins_in_the_middle_of_a_batch_where_that_is_its_place() -> None:
    room = Room(texts=2)
    room.says(text("one"), text("two"), text("three"))
    assert room.begins() == 1
    assert [len(room.log.backfill_batch(2).entries), room.log.find_batch(2).first] == [2, 1]


def test_other_entries_are_no_messages() -> None:
    """Nor is a message to one member, which tells others nothing."""
    room = Room(texts=1)
    room.joins(ANN, "ann")
    room.says(text(), author=ANN)
    for body in (BOX, bodies.NickBody("anna"), bodies.RenewBody(b"n" * 32)):
        room.says(body, author=ANN)
    assert room.begins() == 1
    room.says(text(), author=ANN)
    assert room.begins() == 5


@pytest.mark.parametrize(
    ("now", "begin"), [(60_000, 0), (60_001, 2), (70_000, 2), (70_001, 3), (90_000, 3), (90_001, 5), (10**9, 5)]
)
def test_nothing_older_than_so_many_seconds_is_shown(now: int, begin: int) -> None:
    """5.18: "or none older than so many seconds"; an entry is as old as its head (4.5)."""
    room = Room(seconds=60)
    room.says(text(), text(), time=0)
    room.says(text(), time=10 * SECOND)
    room.says(text(), bodies.LockBody(locked=True), time=30 * SECOND)
    room.log.expire_entries(now, 1)
    assert room.begins() == begin


def test_what_is_not_to_be_shown_any_more_is_not_again() -> None:
    room = Room(texts=1)
    for _ in range(3):
        room.says(text())
    assert [room.begins() for _ in range(3)] == [2, 2, 2]
    room.says(bodies.LockBody(locked=True))
    assert room.begins() == 2


def test_the_base_is_the_room_as_of_its_place() -> None:
    """7.1: "the room as of `since`: [digest, epoch, locked, members: list of [key, nick, counter, away, H(encryption
    key)]]"."""
    room = Room(texts=1)
    room.joins(ANN, "ann")
    room.joins(BOB, "bob")
    room.joins(EVE, "eve")
    room.says(bodies.NickBody("anna"), bodies.RenewBody(b"n" * 32), author=ANN)
    room.says(bodies.AwayBody(BOB.id), bodies.LockBody(locked=True))
    room.says(bodies.RemoveBody([EVE.id], "", ban=False))
    room.says(bodies.CommitBody(1, [bodies.Removal(EVE.id, "kicked")], renew=False))
    place = room.ledger.index
    room.says(text("now"), author=ANN)
    room.says(bodies.BackBody(BOB.id), bodies.LockBody(locked=False), bodies.CommitBody(2, [], renew=False))
    room.says(bodies.NickBody("andrea"), author=ANN)
    room.says(bodies.LeaveBody(), author=BOB)
    assert room.begins() == place
    assert room.history.take_snapshot() == room_state.RoomSnapshot(
        room.digests[place],
        1,
        Rights(Restrictions(locked=True)),
        [
            room_state.SnapshotEntry(HOST.key, "host", 7, False, KEY),
            room_state.SnapshotEntry(ANN.key, "anna", 2, False, b"n" * 32),
            room_state.SnapshotEntry(BOB.key, "bob", 0, True, KEY),
        ],
        room.ledger.term,
    )


def test_one_whose_join_is_not_shown_any_more_is_there_from_the_beginning() -> None:
    room = Room(texts=1)
    room.joins(ANN, "ann")
    room.says(text())
    room.begins()
    assert nicks(room.history.take_snapshot()) == ["host", "ann"]


# --- what the log has no more


@pytest.mark.parametrize("kept", [{"texts": 1_000}, {"seconds": 86_400}], ids=repr)
def test_the_history_begins_no_sooner_than_the_log(kept: dict[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    """5.18: "the host's log holds": what it has dropped nobody can be shown."""
    monkeypatch.setattr(limits, "LOG_ENTRIES", 16)
    room = Room(**kept)
    room.joins(ANN, "ann")
    for number in range(60):
        room.says(text(), bodies.NickBody(f"ann{number}"), author=ANN)
        assert room.begins() == room.log.oldest - 1
    assert room.log.oldest > 100


def test_what_was_left_behind_before_is_dropped_without_effect(monkeypatch: pytest.MonkeyPatch) -> None:
    """The history may begin later than the log, so that what the log drops has been passed already."""
    monkeypatch.setattr(limits, "LOG_ENTRIES", 16)
    room = Room(texts=2)
    dropped = 0
    for _ in range(30):
        for body in (text(), text()):
            room.order(HOST, body)
        dropped += len(room.seal())
        assert room.begins() == room.texts[-2] - 1 >= room.log.oldest - 1
    assert dropped > 10


def test_the_log_may_drop_what_the_history_is_in_the_middle_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LOG_ENTRIES", 16)
    room = Room(texts=7)
    room.says(*[text()] * 8)
    assert room.begins() == 1  # in a batch of which the rest is to go
    room.says(*[bodies.LockBody(locked=number % 2 == 0) for number in range(9)])
    assert room.log.oldest == 9
    assert room.begins() == 8


# --- what has expired


def test_the_history_goes_on_over_what_has_expired() -> None:
    """5.17: "in its place goes Gone"; its author's counter has grown for all that."""
    room = Room(texts=2)
    room.joins(ANN, "ann")
    room.says(text(), author=ANN, ttl=60)
    room.says(bodies.NickBody("anna"), author=ANN)
    room.log.expire_entries(60 * SECOND, 1)
    assert room.begins() == 0  # beyond it, as a newcomer reads it
    room.says(text(), text(), author=ANN)
    assert room.begins() == 3  # and as the host does
    [_, ann] = room.history.take_snapshot().roster
    assert (ann.nick, ann.counter) == ("anna", 2)


def test_the_base_has_the_counter_of_one_whose_last_word_has_expired() -> None:
    room = Room(texts=1)
    room.joins(ANN, "ann")
    room.says(text(), author=ANN, ttl=60)
    room.log.expire_entries(60 * SECOND, 1)
    room.says(text(), text())
    room.begins()
    [_, ann] = room.history.take_snapshot().roster
    assert ann.counter == 1


def test_what_expires_as_the_last_that_is_shown_leaves_its_place() -> None:
    """It counts as one of so many, since nobody knows any more what it was."""
    room = Room(texts=2)
    room.says(text(), text())
    room.says(text(), ttl=FLEETING)
    assert room.begins() == 1
    room.log.expire_entries(60 * SECOND, 1)
    assert room.begins() == 1


def test_what_has_expired_and_is_then_dropped_is_passed_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LOG_ENTRIES", 16)
    room = Room(texts=1_000)
    room.joins(ANN, "ann")
    room.says(text(), BOX, author=ANN, ttl=5)
    room.log.expire_entries(5 * SECOND, 1)
    for number in range(20):
        room.says(bodies.LockBody(locked=number % 2 == 0))
        assert room.begins() == room.log.oldest - 1
    [_, ann] = room.history.take_snapshot().roster
    assert ann.counter == 2


kinds = st.sampled_from(["text", "text", "fleeting", "short", "private", "nick", "lock", "lose", "commit"])


@given(
    st.lists(st.tuples(st.lists(kinds, min_size=1, max_size=4), st.integers(0, 20), st.booleans()), max_size=25),
    st.sampled_from([(1, 0), (3, 0), (8, 0), (0, 1), (0, 15), (0, 300)]),
)
def test_whatever_happens_the_history_leads_to_the_room_as_it_is(
    batches: list[tuple[list[str], int, bool]], kept: tuple[int, int]
) -> None:
    """5.18: "What they lead to MUST be the Welcome's head, and the room that it shows"."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limits, "LOG_ENTRIES", 24)
        room = Room(*kept)
        room.joins(ANN, "ann")
        time = before = 0
        for said, later, comes in batches:
            time += later * SECOND
            for what in said:
                happens(room, what)
            room.seal(time)
            room.log.expire_entries(time, room.log.end)
            if comes:
                begin = room.begins()
                assert begin >= before
                before = begin
                if kept[0]:
                    assert len([index for index in room.texts if index > begin]) <= kept[0]
                else:
                    assert all(time - at <= kept[1] * SECOND for index, at in room.times.items() if index > begin)


def happens(room: Room, what: str) -> None:
    away = room.ledger.get_member(ANN.id).away
    index, author = room.ledger.index, HOST if away else ANN
    match what:
        case "text":
            room.order(author, text())
        case "fleeting":
            room.order(author, text(), FLEETING)
        case "short":
            room.order(author, text(), 10)
        case "private":
            room.order(author, BOX, 10)
        case "nick":
            room.order(author, bodies.NickBody(f"nick{index}"))
        case "lock":
            room.order(HOST, bodies.LockBody(locked=not room.ledger.rights.restrictions.locked))
        case "lose":
            room.order(HOST, bodies.BackBody(ANN.id) if away else bodies.AwayBody(ANN.id))
        case "commit":
            room.order(HOST, bodies.CommitBody(room.ledger.epoch + 1, [], renew=False))
