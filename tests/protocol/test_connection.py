"""Connections, without I/O: what is sent in one piece, heads, pauses, bounds, and every way in which one ends."""

from collections.abc import Callable, Iterable
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonp2p import limits
from anonp2p.crypto import padding, suite
from anonp2p.crypto.commit import CommitSecret
from anonp2p.crypto.epoch import KEPT
from anonp2p.crypto.padding import SIZES
from anonp2p.errors import PeerFault
from anonp2p.protocol import frames
from anonp2p.protocol.batches import BackfilledEntry, Tombstone
from anonp2p.protocol.connection import Connection
from anonp2p.protocol.handshake import Channel
from anonp2p.protocol.packing import pack
from anonp2p.protocol.wire import Splitter
from anonp2p.room.log.log import FIRST, Log, LogEntry
from anonp2p.room.log.reader import LogReader

START = 1_000.0  # the clock at the beginning: where it stands means nothing
CONTENT = b"content".ljust(SIZES[0] - 2)
PAYLOAD = padding.frame_content(CONTENT)
DENIED = frames.DeniedFrame(1, "repeated")
ENCRYPTION_KEY = suite.EncryptionKeyPair(b"l" * 32)
FOUND = frames.KeyResponseFrame(ENCRYPTION_KEY.public)
HEADER, DIGEST, HEAD = bytes(33), b"d" * 32, b"s" * 112
COMMIT = CommitSecret(b"r" * 32, 1, b"d" * 32, b"s" * 32, b"t" * 32)

LAGGED: Final = "lagged"
LOST, SLOW = "silent", "slow-handshake"


def channel(*, up: bool = False) -> Channel:
    return Channel(b"k" * 32, b"h" * 32, up=up)


def connect(*, settled: bool = True, longest: int = SIZES[-1]) -> Connection:
    connection = Connection(START, longest)
    if settled:
        connection.settle(channel())
    return connection


class Pieces:
    """A source that gives these pieces, one at a time."""

    def __init__(self, *pieces: bytes) -> None:
        self.pieces = list(pieces)
        self.lags = self.is_out = self.holds_expired = False
        self.taken_singly: list[bool] = []  # for each piece, whether no more than one batch was wanted
        self.sent_count = 0  # how often all that was taken had left

    @property
    def is_through(self) -> bool:
        return self.is_out or not self.pieces

    def count_batches(self) -> int:
        return 0 if self.is_through else len(self.pieces)

    def take_data(self, *, single: bool = False) -> bytes:
        if self.lags:
            raise PeerFault(LAGGED)
        self.taken_singly.append(single)
        return b"" if self.is_through else self.pieces.pop(0)

    def mark_sent(self) -> None:
        self.sent_count += 1


def follow(*pieces: bytes, welcome: Iterable[frames.Frame] = ()) -> tuple[Connection, Pieces]:
    connection, source = connect(), Pieces(*pieces)
    connection.follow_log(source, list(welcome))
    return connection, source


def put(log: Log, batch: bytes, ttl: int = KEPT) -> None:
    """One more batch of one entry: a connection does not look into it."""
    log.append_entry(batch, LogEntry(HEADER, DIGEST, b"body", ttl))
    log.seal_batch(HEAD, batch, log.time)


def follow_log(log: Log, opened: int | None = None) -> Connection:
    connection, over = Connection(START, SIZES[-1]), channel()
    connection.settle(over)
    connection.follow_log(LogReader(log, FIRST, b"m" * 16, ENCRYPTION_KEY.public, over, opened))
    return connection


def send_piece(connection: Connection) -> bytes:
    """Sends what goes next, and nothing after it."""
    data = bytes(connection.data_to_send())
    connection.mark_sent(len(data))
    return data


def send_all(connection: Connection) -> list[bytes]:
    return list(iter(lambda: send_piece(connection), b""))


def get_stuck(connection: Connection) -> None:
    """Begins a write that never ends."""
    connection.send_data(b"stuck")
    assert connection.data_to_send() == b"stuck"


def open_records(*pieces: bytes) -> list[frames.MemberRecord | frames.HostRecord]:
    """What the other end reads, which has read nothing before."""
    far = channel(up=True)
    return [far.open_record(payload) for payload in Splitter(SIZES[-1]).feed_data(b"".join(pieces))]


def open_frames(*pieces: bytes) -> list[frames.Frame]:
    return [frame for record in open_records(*pieces) for frame in record.frames]


def read_all(connection: Connection, now: float = START) -> list[bytes]:
    return list(iter(lambda: connection.next_payload(now), None))


def count_fitting(frame: frames.Frame) -> int:
    """How many of these may wait on one link."""
    return limits.LINK_QUEUE // (len(pack(frame)) + limits.FRAME_OVERHEAD)


# --- what comes in


@pytest.mark.parametrize("size", SIZES)
def test_payloads_of_all_eight_sizes_arrive(size: int) -> None:
    """2.1"""
    connection = connect()
    content = (bytes(range(256)) * 256)[: size - 2]
    connection.receive_data(padding.frame_content(content), START)
    assert read_all(connection) == [content]


@given(st.lists(st.integers(0, 3 * len(PAYLOAD)), max_size=8))
def test_payloads_in_pieces_of_any_size_arrive_whole(places: list[int]) -> None:
    connection, data = connect(), PAYLOAD * 3
    got = []
    ends = sorted(places)
    for start, end in zip([0, *ends], [*ends, len(data)], strict=True):
        if start < end:
            connection.receive_data(data[start:end], START)
            got += read_all(connection)
    assert got == [CONTENT] * 3


def test_a_length_over_the_limit_ends_the_connection_before_its_payload_is_there() -> None:
    connection = connect(settled=False, longest=SIZES[0] - 2)
    connection.receive_data((958).to_bytes(2, "big"), START)
    assert connection.next_payload(START) is None
    assert (connection.is_over, connection.reason) == (True, "payload-too-long")


@pytest.mark.parametrize("length", [0, 1, 477, 479, 480, 957, 3_837, 61_439, 65_535])
def test_a_length_of_no_payload_ends_the_connection_after_what_came_before_it(length: int) -> None:
    """2.1"""
    connection = connect()
    connection.receive_data(PAYLOAD + length.to_bytes(2, "big") + PAYLOAD, START)
    assert read_all(connection) == [CONTENT]
    assert connection.is_over
    assert connection.reason in ("payload-length", "payload-too-long")


def test_a_payload_may_be_as_long_as_any_once_the_handshake_is_over() -> None:
    """From the next one on, though it has come in one piece with the one that ended the handshake."""
    connection, longest = connect(settled=False, longest=SIZES[0] - 2), bytes(SIZES[-1] - 2)
    connection.receive_data(PAYLOAD + padding.frame_content(longest), START)
    assert connection.next_payload(START) == CONTENT
    connection.settle(channel())
    assert read_all(connection) == [longest]


def test_the_peer_closes_the_connection() -> None:
    connection = connect()
    connection.receive_data(b"", START)
    assert (connection.is_over, connection.reason) == (True, "closed")


def test_nothing_is_read_from_one_that_is_over() -> None:
    connection = connect()
    connection.receive_data(PAYLOAD, START)
    connection.end("displaced")
    assert connection.next_payload(START) is None


# --- pauses


def test_what_comes_in_a_pause_is_read_after_it() -> None:
    """1.6: nothing of it is lost, also of what had come before the pause."""
    connection = connect()
    connection.receive_data(PAYLOAD * 2, START)
    assert connection.next_payload(START) == CONTENT
    connection.pause(limits.READ_PAUSE, START)
    connection.receive_data(PAYLOAD, START)
    end = START + limits.READ_PAUSE
    assert connection.next_payload(end - 0.1) is None
    assert connection.resumes_at == end
    assert read_all(connection, end) == [CONTENT] * 2


def test_a_shorter_pause_does_not_end_a_longer_one() -> None:
    connection = connect()
    connection.pause(5.0, START)
    connection.pause(1.0, START)
    assert connection.resumes_at == START + 5


def test_a_pause_does_not_count_as_silence() -> None:
    """1.6"""
    connection = connect()
    connection.pause(limits.READ_PAUSE, START)
    assert connection.next_deadline() == START + limits.READ_PAUSE + limits.LINK_LOST


def test_one_that_ends_in_a_pause_was_silent_only_before_it() -> None:
    connection = connect()
    assert connection.measure_silence(START + 3) == 3
    connection.pause(2.0, START + 3)
    assert connection.measure_silence(START + 4) == 0
    assert connection.measure_silence(START + 8) == 3
    connection.receive_data(PAYLOAD[:1], START + 8)
    assert connection.measure_silence(START + 8) == 0


def test_a_pause_keeps_nothing_from_going_out() -> None:
    connection, _ = follow(b"one")
    connection.pause(limits.READ_PAUSE, START)
    connection.send_frames([DENIED])
    assert b"".join(send_all(connection)).endswith(b"one")


def test_one_that_was_refused_is_read_until_it_closes() -> None:
    connection = connect(settled=False)
    connection.await_answer()
    connection.finish(START)
    assert connection.resumes_at <= START


def test_what_comes_behind_a_client_handshake_is_read_once_that_was_answered() -> None:
    connection = connect(settled=False)
    connection.receive_data(PAYLOAD * 2, START)
    assert connection.next_payload(START) == CONTENT
    connection.await_answer()
    assert connection.resumes_at == float("inf")
    assert connection.next_payload(START) is None
    connection.settle(channel())
    assert connection.next_payload(START) == CONTENT


def test_what_comes_from_one_that_was_refused_is_neither_read_nor_kept() -> None:
    connection = connect(settled=False)
    connection.receive_data(PAYLOAD * 2, START)
    assert connection.next_payload(START) == CONTENT
    connection.finish(START)
    connection.receive_data(PAYLOAD, START)
    assert (connection.next_payload(START), connection.resumes_at) == (None, START)
    connection.settle(channel())
    assert read_all(connection) == [CONTENT], "of what came before it was refused"


def test_what_comes_from_a_member_while_its_link_finishes_is_read() -> None:
    connection = connect()
    connection.finish(START)
    connection.receive_data(PAYLOAD, START)
    assert connection.next_payload(START) == CONTENT


# --- the order of what goes out


def test_all_that_is_at_hand_goes_out_in_one_piece() -> None:
    connection, _ = follow(b"of the log")
    connection.send_data(b"greeting ")
    connection.send_data(b"for you ")
    assert send_all(connection) == [b"greeting for you of the log"]
    assert not connection.has_data_to_send


def test_frames_go_after_data_and_before_the_log_that_was_there_first() -> None:
    connection, _ = follow(b"of the log")
    connection.send_frames([DENIED])
    connection.send_data(b"for you")
    [piece] = send_all(connection)
    assert piece.startswith(b"for you")
    assert piece.endswith(b"of the log")
    assert open_frames(piece.removeprefix(b"for you").removesuffix(b"of the log")) == [DENIED]


def test_what_is_queued_while_a_write_is_under_way_goes_out_together_after_it() -> None:
    connection, source = follow(b"first")
    assert connection.data_to_send() == b"first"
    source.pieces += [b"more"]
    connection.send_data(b"for you ")
    assert connection.data_to_send() == b"first"
    assert send_all(connection) == [b"first", b"for you more"]


@given(st.lists(st.integers(1, 40), max_size=20), st.lists(st.binary(min_size=1, max_size=60), max_size=6))
def test_what_is_taken_bit_by_bit_goes_out_whole_and_in_order(counts: list[int], pieces: list[bytes]) -> None:
    connection, source = follow(*pieces)
    got = b""
    for count in counts:
        piece = bytes(connection.data_to_send())[:count]
        connection.mark_sent(len(piece))
        got += piece
    assert got + b"".join(send_all(connection)) == b"".join(pieces)
    assert not source.pieces


def test_a_long_piece_of_the_log_is_not_copied_for_one_who_is_sent_something_else_too() -> None:
    """1.7: those who are stuck at one place pin the same bytes."""
    piece = b"x" * (limits.BATCH_BYTES + 1)
    connection, _ = follow(piece)
    connection.send_data(b"greeting")
    assert send_piece(connection) == b"greeting"
    assert connection.data_to_send() is piece


@pytest.mark.parametrize("size", [10, limits.BATCH_BYTES + 1], ids=["together", "by itself"])
def test_the_log_is_told_once_all_that_was_taken_of_it_has_left(size: int) -> None:
    connection, source = follow(b"x" * size)
    connection.send_data(b"for you")
    while connection.data_to_send():
        assert source.sent_count == 0
        connection.mark_sent(1)
    assert source.sent_count == 1


def test_nothing_waits_for_a_source_that_is_through() -> None:
    connection, source = follow()
    assert not connection.has_data_to_send
    source.pieces.append(b"more")
    assert connection.has_data_to_send
    source.is_out = True
    assert not connection.has_data_to_send


# --- records


def test_frames_that_are_queued_at_once_go_in_one_record() -> None:
    """2.7"""
    connection = connect()
    connection.send_frames([DENIED])
    connection.send_frames([frames.KeyNotFoundFrame(DIGEST), DENIED])
    [piece] = send_all(connection)
    assert open_records(piece) == [frames.HostRecord([DENIED, frames.KeyNotFoundFrame(DIGEST), DENIED])]
    assert len(piece) == SIZES[0]


def test_no_frames_are_a_record_without_frames() -> None:
    """2.7: a heartbeat."""
    connection = connect()
    connection.send_frames([])
    [piece] = send_all(connection)
    assert open_records(piece) == [frames.HostRecord([])]
    assert len(piece) == SIZES[0]


def test_one_answer_is_asked_for_however_often_one_is_wanted_at_once() -> None:
    """2.7, at a member's end."""
    connection = Connection(START, SIZES[-1])
    connection.settle(channel(up=True))
    requested = frames.KeyRequestFrame(DIGEST)
    connection.send_frames([], echo=True)
    connection.send_frames([requested] * (limits.FRAMES + 1))
    connection.send_frames([], echo=True)
    pieces = send_all(connection)
    connection.send_frames([])
    far = channel()
    contents = Splitter(SIZES[-1]).feed_data(b"".join([*pieces, *send_all(connection)]))
    assert [far.open_record(content) for content in contents] == [
        frames.MemberRecord(True, [requested] * limits.FRAMES),
        frames.MemberRecord(False, [requested]),
        frames.MemberRecord(False, []),
    ]


def test_more_than_a_record_holds_goes_in_as_few_as_do() -> None:
    """2.7"""
    pages = [frames.PageFrame(bytes([number]) * limits.PAGE) for number in range(3)]
    connection = connect()
    connection.send_frames([DENIED] * (2 * limits.FRAMES + 1))
    small = send_all(connection)
    connection.send_frames([DENIED, *pages])
    large = send_all(connection)
    records = open_records(*small, *large)
    assert [len(record.frames) for record in records[:3]] == [limits.FRAMES, limits.FRAMES, 1]
    assert [frame for record in records[3:] for frame in record.frames] == [DENIED, *pages]
    assert [len(piece) for piece in large] == [limits.BATCH_BYTES] * 3


def test_frames_are_sealed_in_the_order_in_which_they_leave() -> None:
    """2.6: with what the reader seals over the same channel, whichever was queued first."""
    log = Log()
    for _ in range(3):
        put(log, b"sealed")
    connection = follow_log(log, opened=3)
    first = bytes(connection.data_to_send())
    connection.send_frames([DENIED])
    put(log, b"later")
    assert send_piece(connection) == first
    rest = b"".join(send_all(connection)).removesuffix(b"sealedlater")
    past = frames.BackfillFrame([BackfilledEntry(HEADER, b"body")], [None], HEAD, HEAD)
    assert open_frames(first, rest) == [past, past, DENIED]


def test_a_stranger_is_sent_no_frames() -> None:
    """2.6: there is no channel before the client handshake is answered; then all goes out that was queued."""
    connection = connect(settled=False)
    connection.send_frames([DENIED])
    assert not connection.has_data_to_send
    connection.send_data(PAYLOAD)
    assert send_all(connection) == [PAYLOAD]
    connection.settle(channel())
    assert open_frames(*send_all(connection)) == [DENIED]


def test_what_a_peer_that_does_not_read_has_asked_for_is_sealed_a_record_at_a_time() -> None:
    """1.7: until then an encryption key is the one that all others see."""
    connection = connect()
    for _ in range(count_fitting(FOUND)):
        connection.send_frames([FOUND])
    assert len(connection.data_to_send()) <= 2 * limits.BATCH_BYTES


# --- heads


def test_a_head_goes_only_to_who_has_all_entries_before_it() -> None:
    connection, source = follow(b"first")
    connection.send_head(b"head")
    assert send_all(connection) == [b"first"]
    connection.send_head(b"head")
    source.is_out = True
    connection.send_head(b"no head")
    assert send_all(connection) == [b"head"]


@pytest.mark.parametrize(
    "welcome",
    [
        [frames.ResumedFrame(HEAD, bytes(64))],
        [frames.WelcomeFrame(b"box", 3), *[frames.PageFrame(bytes(limits.PAGE))] * 3],
    ],
    ids=["short", "of several records"],
)
def test_no_head_overtakes_a_welcome(welcome: list[frames.Frame]) -> None:
    """4.5, 7.1: who is not in yet cannot open it, and takes it for a lie."""
    connection, _ = follow(welcome=welcome)
    got = []
    while connection.has_data_to_send:
        connection.send_head(b"head")
        got.append(send_piece(connection))
    assert open_frames(*got) == welcome
    connection.send_head(b"head")
    assert send_all(connection) == [b"head"]


def test_a_stranger_gets_no_heads() -> None:
    connection = connect(settled=False)
    connection.send_head(b"head")
    assert not connection.has_data_to_send


# --- cover


def answer(connection: Connection) -> list[bytes]:
    """Lets one answer go, and sends all that may go."""
    connection.send_answer()
    assert connection.has_data_to_send
    return send_all(connection)


def test_on_a_link_with_cover_each_answer_is_the_first_of_what_waits_or_an_empty_record() -> None:
    """2.10"""
    connection, source = follow(b"first", b"second")
    connection.begin_cover()
    connection.send_frames([DENIED])
    assert not connection.has_data_to_send
    [denied] = answer(connection)
    assert answer(connection) == [b"first"]
    source.pieces.append(b"third")
    connection.begin_cover()  # with the next slot
    assert send_all(connection) == []
    assert answer(connection) == [b"second"]
    assert answer(connection) == [b"third"]
    [empty] = answer(connection)
    assert open_records(denied, empty) == [frames.HostRecord([DENIED]), frames.HostRecord([])]
    assert {len(denied), len(empty)} == {limits.UNIT}
    assert all(source.taken_singly)


def test_as_many_answers_go_as_there_were_slots() -> None:
    """2.10"""
    connection, _ = follow(b"first")
    connection.begin_cover()
    for _ in range(3):
        connection.send_answer()
    sent = send_all(connection)
    assert sent[0] == b"first"
    assert len(sent) == 3
    assert not connection.has_data_to_send


def test_with_more_than_may_wait_for_answers_all_of_it_goes_until_nothing_waits() -> None:
    """2.10"""
    several = [b"%d" % number for number in range(limits.COVER_BACKLOG + 1)]
    connection, source = follow(*several)
    connection.begin_cover()
    connection.send_frames([DENIED])
    record, *rest = answer(connection)
    assert record.endswith(several[0])
    assert rest == several[1:]
    source.pieces += several[1:]
    assert send_all(connection) == []
    assert answer(connection) == several[1:2]


def test_a_head_waits_for_an_answer_unless_something_newer_comes_before_it() -> None:
    """2.10, 5.6: a head older than what was sent last would be a lie."""
    connection, source = follow()
    connection.begin_cover()
    connection.send_head(b"old head")
    connection.send_head(b"head")
    assert send_all(connection) == []
    assert answer(connection) == [b"head"]
    connection.send_head(b"outdated head")
    source.pieces.append(b"entries")
    assert answer(connection) == [b"entries"]
    [empty] = answer(connection)
    assert open_records(empty) == [frames.HostRecord([])]


def test_a_head_that_waits_is_dropped_when_all_goes_at_once() -> None:
    connection, source = follow()
    connection.begin_cover()
    connection.send_head(b"outdated head")
    entries = [b"entries"] * (limits.COVER_BACKLOG + 1)
    source.pieces += entries
    assert answer(connection) == entries
    [empty] = answer(connection)
    assert open_records(empty) == [frames.HostRecord([])]


def test_what_waited_for_answers_goes_once_the_link_finishes() -> None:
    """2.10, 5.10"""
    connection, _ = follow(b"first", b"second")
    connection.begin_cover()
    connection.send_frames([DENIED])
    connection.finish(START)
    record, second = send_all(connection)
    assert record.endswith(b"first")
    assert second == b"second"


def test_what_was_on_its_way_when_cover_began_is_sent_whole() -> None:
    connection, _ = follow(b"first", b"second")
    data = connection.data_to_send()
    connection.mark_sent(1)
    connection.begin_cover()
    assert connection.has_data_to_send
    assert send_all(connection) == [data[1:]]


def test_who_is_over_is_owed_no_answer() -> None:
    connection, _ = follow()
    connection.begin_cover()
    connection.end()
    connection.send_answer()
    assert not connection.has_data_to_send


# --- bounds


@pytest.mark.parametrize("frame", [DENIED, FOUND])
def test_a_peer_that_makes_us_queue_too_much_is_cut(frame: frames.Frame) -> None:
    """1.7: by what it takes, whatever it is."""
    connection = connect()
    get_stuck(connection)
    for _ in range(count_fitting(frame)):
        connection.send_frames([frame])
    assert not connection.is_over
    connection.send_frames([frame])
    assert (connection.is_over, connection.reason) == (True, "unread-frames")


def test_a_peer_that_is_sent_heads_that_it_does_not_read_is_cut() -> None:
    """1.7"""
    connection, _ = follow()
    get_stuck(connection)
    for _ in range(limits.LINK_QUEUE // SIZES[0]):
        connection.send_head(bytes(SIZES[0]))
    assert not connection.is_over
    connection.send_head(bytes(SIZES[0]))
    assert (connection.is_over, connection.reason) == (True, "unread-data")


def test_the_bound_is_the_one_that_was_given() -> None:
    connection = Connection(START, SIZES[-1], 100)
    connection.send_data(bytes(100))
    assert not connection.is_over
    connection.send_data(b"1")
    assert connection.is_over


@pytest.mark.parametrize("frame", [DENIED, FOUND])
def test_a_peer_that_reads_may_cause_any_number_of_frames(frame: frames.Frame) -> None:
    connection, got = connect(), []
    for _ in range(10):
        connection.send_frames([frame] * count_fitting(frame))
        got += send_all(connection)
    assert len(open_frames(*got)) == 10 * count_fitting(frame)


def test_a_peer_that_reads_slowly_may_ask_on_as_it_reads() -> None:
    """1.7: what it has read does not count."""
    connection = connect()
    for _ in range(5 * count_fitting(FOUND)):
        connection.send_frames([FOUND])
        count = min(len(connection.data_to_send()), len(pack(FOUND)) + 200)
        connection.mark_sent(count)
    assert not connection.is_over


def test_a_welcome_does_not_count_as_what_a_peer_does_not_read() -> None:
    """1.7: it is as large as the room."""
    pages = [frames.PageFrame(bytes([number]) * limits.PAGE) for number in range(limits.PAGES)]
    connection, _ = follow(b"log", welcome=pages)
    for _ in range(count_fitting(FOUND)):
        connection.send_frames([FOUND])
    got = b"".join(send_all(connection))
    assert open_frames(got.removesuffix(b"log")) == [*pages, *[FOUND] * count_fitting(FOUND)]


def test_a_welcome_that_was_sent_leaves_no_more_room_for_what_a_peer_asks_for() -> None:
    connection, _ = follow(welcome=[frames.PageFrame(bytes(limits.PAGE))] * limits.PAGES)
    send_all(connection)
    get_stuck(connection)
    for _ in range(count_fitting(FOUND)):
        connection.send_frames([FOUND])
    assert not connection.is_over
    connection.send_frames([FOUND])
    assert connection.is_over


# --- who lags


def test_one_that_the_log_has_left_behind_is_cut_in_the_middle_of_a_write() -> None:
    connection, source = follow(b"first")
    assert connection.data_to_send() == b"first"
    connection.check_lag()
    assert not connection.is_over
    source.lags = True
    connection.check_lag()
    assert (connection.is_over, connection.reason) == (True, LAGGED)
    assert connection.data_to_send() == b""


def test_one_that_the_log_has_left_behind_is_sent_nothing_more() -> None:
    connection, source = follow(b"first")
    source.lags = True
    assert connection.data_to_send() == b""
    assert (connection.is_over, connection.reason) == (True, LAGGED)


def test_one_whose_encryption_key_cannot_be_sealed_to_is_cut() -> None:
    connection, source = follow(b"first")

    def take(*, single: bool = False) -> bytes:
        raise PeerFault("bad-key")

    source.take_data = take  # type: ignore[method-assign]
    assert connection.data_to_send() == b""
    assert (connection.is_over, connection.reason) == (True, "bad-key")


def test_a_reader_that_lags_within_the_log_gets_all_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LOG_ENTRIES", 8)
    log = Log()
    put(log, b"first")
    connection = follow_log(log)
    assert connection.data_to_send() == b"first"
    for _ in range(7):
        put(log, b"more")
    connection.check_lag()
    assert send_all(connection) == [b"first", b"more" * 7]
    assert connection.data_to_send() == b""
    for _ in range(20):
        put(log, b"more")
    connection.check_lag()
    assert connection.reason == LAGGED


@pytest.mark.parametrize("has_come_to_it", [True, False])
def test_who_has_not_come_to_a_commit_when_its_secret_goes_is_cut(*, has_come_to_it: bool) -> None:
    """6.9"""
    log = Log()
    put(log, b"first")
    connection = follow_log(log)
    assert connection.data_to_send() == b"first"
    put(log, b"commit")
    log.end_epoch(COMMIT)
    if has_come_to_it:
        first, committed = send_all(connection)
        assert (first, len(committed)) == (b"first", SIZES[2])  # one record with commit and share
    log.forget_commit_secret(COMMIT.epoch)
    connection.check_lag()
    assert connection.is_over is not has_come_to_it


# --- what has expired


def follow_expiring(opened: int | None = None, size: int = 10) -> tuple[Log, Connection]:
    log = Log()
    put(log, b"x" * size, ttl=30)
    return log, follow_log(log, opened)


@pytest.mark.parametrize("opened", [None, 2], ids=["as it was sent", "opened"])
def test_one_on_whose_way_something_lies_that_has_expired_is_cut(opened: int | None) -> None:
    """5.17: it is not sent any more, though the write of it has begun."""
    log, connection = follow_expiring(opened)
    assert connection.data_to_send()
    assert not log.expire_entries(29_999, FIRST)
    connection.check_lag()
    assert not connection.is_over
    assert log.expire_entries(30_000, FIRST)
    connection.check_lag()
    assert (connection.is_over, connection.reason) == (True, LAGGED)
    assert connection.data_to_send() == b""


def test_what_expires_after_a_write_of_it_has_begun_is_not_written_to_its_end() -> None:
    log, connection = follow_expiring(size=10)
    assert connection.data_to_send() == b"x" * 10
    connection.mark_sent(4)
    assert log.expire_entries(30_000, FIRST)
    assert connection.data_to_send() == b""
    assert connection.reason == LAGGED


def test_one_on_whose_way_it_lies_behind_something_else_is_cut_too() -> None:
    log, connection = follow_expiring(size=limits.BATCH_BYTES + 1)
    connection.send_data(b"greeting")
    assert send_piece(connection) == b"greeting"
    assert log.expire_entries(30_000, FIRST)
    connection.check_lag()
    assert connection.reason == LAGGED


def test_one_who_has_taken_what_expires_stays() -> None:
    log, connection = follow_expiring()
    assert send_all(connection) == [b"x" * 10]
    put(log, b"kept")
    assert log.expire_entries(30_000, FIRST)
    assert send_all(connection) == [b"kept"]
    assert not connection.is_over


def test_one_who_had_not_begun_with_what_expires_is_told_that_it_is_gone() -> None:
    """5.13, 5.17"""
    log = Log()
    put(log, b"stuck")
    connection = follow_log(log)
    assert connection.data_to_send() == b"stuck"
    put(log, b"to expire", ttl=30)
    put(log, b"kept")
    assert log.expire_entries(30_000, FIRST)
    assert send_piece(connection) == b"stuck"
    assert open_frames(send_piece(connection)) == [
        frames.BackfillFrame([Tombstone(HEADER, DIGEST)], [None], HEAD, HEAD)
    ]
    assert send_all(connection) == [b"kept"]


@pytest.mark.parametrize("expired", [True, False], ids=["expired before", "of another epoch"])
def test_one_who_reads_slowly_what_it_has_missed_is_not_cut_for_what_was_gone_before(*, expired: bool) -> None:
    """5.12, 5.13"""
    log = Log()
    put(log, b"missed", ttl=30 if expired else KEPT)
    if expired:
        assert log.expire_entries(30_000, FIRST)
    else:
        log.end_epoch(COMMIT)
        log.forget_commit_secret(COMMIT.epoch)
    connection = follow_log(log, opened=2)
    assert connection.data_to_send()
    put(log, b"later")
    connection.check_lag()
    [past] = open_frames(send_piece(connection))
    assert isinstance(past, frames.BackfillFrame)
    assert send_all(connection) == [b"later"]


# --- time


def drip(connection: Connection) -> None:
    for seconds in (9, 18, 27):
        connection.receive_data(b"\1", START + seconds)


def wait_and_drip(connection: Connection) -> None:
    connection.expect_answer(10.0, START)
    drip(connection)


def hear_and_settle(connection: Connection) -> None:
    connection.receive_data(PAYLOAD, START + 20)
    connection.settle(channel())


def settle_and_finish(connection: Connection) -> None:
    connection.settle(channel())
    connection.finish(START + 8)


COURSES: dict[str, tuple[Callable[[Connection], None], float, str]] = {
    "a handshake in silence": (lambda _: None, limits.HANDSHAKE_SECONDS, SLOW),
    "a handshake that drips": (drip, limits.HANDSHAKE_SECONDS, SLOW),
    "a handshake that waits for its answer": (Connection.await_answer, limits.HANDSHAKE_SECONDS, SLOW),
    "a request without an answer": (lambda it: it.expect_answer(10.0, START + 1), 11.0, SLOW),
    "an answer that drips": (wait_and_drip, limits.HANDSHAKE_SECONDS, SLOW),
    "a request late in a handshake": (lambda it: it.expect_answer(10.0, START + 25), limits.HANDSHAKE_SECONDS, SLOW),
    "silence after the handshake": (lambda it: it.settle(channel()), limits.LINK_LOST, LOST),
    "silence after the last bytes": (hear_and_settle, 20 + limits.LINK_LOST, LOST),
    "a refusal that the peer does not close": (lambda it: it.finish(START + 20), 20 + limits.LINGER_PATIENCE, "closed"),
    "last words that the peer does not read": (settle_and_finish, 8 + limits.LINGER_PATIENCE, "closed"),
}


@pytest.mark.parametrize("name", COURSES)
def test_a_connection_ends_at_its_deadline_and_not_before(name: str) -> None:
    connection = connect(settled=False)
    act, seconds, detail = COURSES[name]
    act(connection)
    assert connection.next_deadline() == pytest.approx(START + seconds)
    connection.handle_timeout(connection.next_deadline() - 0.001)
    assert not connection.is_over
    connection.handle_timeout(connection.next_deadline())
    assert (connection.is_over, connection.reason) == (True, detail)


@given(st.floats(0, 1e9), st.floats(0, 100))
def test_whatever_the_clock_says_the_deadline_is_when_it_ends(now: float, later: float) -> None:
    connection = Connection(now, SIZES[-1])
    connection.settle(channel())
    connection.receive_data(PAYLOAD, now + later)
    connection.handle_timeout(connection.next_deadline())
    assert connection.is_over


def test_a_heartbeat_now_and_then_keeps_a_connection_up() -> None:
    connection = connect()
    for number in range(20):
        now = START + number * (limits.LINK_LOST - 0.1)
        connection.handle_timeout(now)
        connection.receive_data(PAYLOAD, now)
    assert not connection.is_over


def test_finishing_sends_all_there_is() -> None:
    connection, _ = follow(b"first", b"second")
    connection.send_data(b"before ")
    connection.finish(START)
    assert b"".join(send_all(connection)) == b"before firstsecond"
    assert not connection.is_over


# --- its end


def test_the_first_reason_stays() -> None:
    connection, _ = follow(b"of the log")
    connection.end("displaced")
    connection.end("silent")
    connection.receive_data(b"", START)
    assert connection.reason == "displaced"


def test_one_that_is_over_holds_and_sends_nothing() -> None:
    connection, source = follow(b"of the log")
    assert connection.data_to_send()
    connection.end("displaced")
    acts: list[Callable[[], None]] = [
        lambda: connection.mark_sent(3),
        lambda: connection.send_data(b"data"),
        lambda: connection.send_frames([DENIED]),
        lambda: connection.follow_log(source, [DENIED]),
        lambda: connection.send_head(b"head"),
    ]
    for act in acts:
        act()
        assert not connection.has_data_to_send
        assert connection.data_to_send() == b""


def test_a_welcome_comes_after_what_was_said_before_it() -> None:
    """An heir that waits with a member, and hosts a moment later, has said so first."""
    connection, _ = follow()
    connection.send_frames([DENIED])
    connection.follow_log(Pieces(), [frames.PageFrame(b"page")])
    [record] = open_records(*send_all(connection))
    assert record.frames == [DENIED, frames.PageFrame(b"page")]
