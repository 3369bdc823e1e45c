"""A small log, what stands for its batches, and one who follows it."""

import pytest

from anonp2p import limits
from anonp2p.crypto import commit, padding, suite
from anonp2p.crypto.commit import CommitSecret
from anonp2p.crypto.epoch import KEPT
from anonp2p.crypto.padding import SIZES
from anonp2p.errors import PeerFault
from anonp2p.protocol import frames
from anonp2p.protocol.batches import BackfilledEntry
from anonp2p.protocol.handshake import Channel
from anonp2p.protocol.wire import Splitter
from anonp2p.room.log.log import Log, LogBatch, LogEntry
from anonp2p.room.log.reader import LogReader
from tests.support import memory

LOG_BYTES, LOG_ENTRIES, BATCH = 6_000, 24, 1_200
ROOM, GROUP_CONTEXT, SECRET, TAG, HELLO = b"r" * 32, b"d" * 32, b"s" * 32, b"t" * 32, b"n" * 32
MEMBER = b"m" * 16
KEY, NEW_KEY = suite.EncryptionKeyPair(b"l" * 32), suite.EncryptionKeyPair(b"k" * 32)
SECOND, MINUTE = 1_000, 60_000  # milliseconds

Token = tuple[str, int]  # what a reader gets: an entry or a head by its index, a commit share by its epoch


def shrink(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("LOG_BYTES", LOG_BYTES), ("LOG_ENTRIES", LOG_ENTRIES), ("WRITE_BYTES", BATCH)):
        monkeypatch.setattr(limits, name, value)


def entry(index: int, ttl: int = KEPT, size: int | None = None) -> LogEntry:
    header = index.to_bytes(33, "big")
    body = b"b" * (index % 7 + 1 if size is None else size)
    return LogEntry(header, suite.hash_data(body), body, ttl)


def head(index: int) -> bytes:
    """Over all up to here."""
    return index.to_bytes(112, "big")


def content(first: int, end: int, size: int = SIZES[0]) -> bytes:
    """What stands for a sealed batch."""
    return (b"B" + first.to_bytes(4, "big") + end.to_bytes(4, "big")).ljust(size - 2, b".")


def put(log: Log, *ttls: int, time: int = 0, size: int = SIZES[0], body_size: int | None = None) -> list[LogBatch]:
    """One batch, of entries that are kept for so long."""
    first = log.end
    for ttl in ttls:
        log.append_entry(b"sealed", entry(log.end, ttl, body_size))
    return log.seal_batch(head(log.end - 1), padding.frame_content(content(first, log.end, size)), time)


def filled(*batches: int) -> Log:
    """One with batches of so many entries."""
    log = Log()
    for count in batches:
        put(log, *[KEPT] * count)
    return log


def sent(log: Log, *firsts: int) -> bytes:
    """The bytes of the batches that begin at these."""
    return b"".join(log.find_batch(first).wire for first in firsts)


def turn(epoch: int) -> CommitSecret:
    return CommitSecret(ROOM, epoch, GROUP_CONTEXT, SECRET, TAG)


def span_of(payload: bytes) -> tuple[int, int]:
    """Of what stands for a sealed batch: its first index, and that after its last."""
    return int.from_bytes(payload[1:5], "big"), int.from_bytes(payload[5:9], "big")


def held_batches(log: Log) -> set[tuple[int, int]]:
    """The sealed batches whose bytes are anywhere in a log, for itself or for its readers."""
    held = [part for part in memory.parts(log) if isinstance(part, bytes) and len(part) >= SIZES[0]]
    return {span_of(payload) for data in held for payload in read(data) if is_batch(payload)}


def is_batch(payload: bytes) -> bool:
    return payload[:1] == b"B" and payload[-100:] == b"." * 100


def read(data: bytes) -> list[bytes]:
    return list(Splitter(SIZES[-1]).feed_data(data))


class Follower:
    """A member's end of a link, and the reader at the host's that serves it."""

    def __init__(self, log: Log, cursor: int, opened: int | None = None) -> None:
        self.reader = LogReader(log, cursor, MEMBER, KEY.public, Channel(SECRET, HELLO, up=False), opened)
        self.channel = Channel(SECRET, HELLO, up=True)
        self.got: list[Token] = []  # "E" for what came as it was sent, "opened" or "gone" for what did not
        self.pasts: list[frames.BackfillFrame] = []
        self.end: int | None = None  # for one who is out: what is from there on is nothing for it
        self.flying: set[int] = set()  # entries on their way, for the model
        self.gone_before: set[int] = set()  # what was gone when they were taken

    def take(self, key: suite.EncryptionKeyPair = KEY) -> bytes:
        data = self.reader.take_data()
        for payload in read(data):
            if is_batch(payload):
                first, end = span_of(payload)
                self.got += [("E", index) for index in range(first, end)]
                self.got.append(("H", end - 1))
                continue
            for frame in self.channel.open_record(payload).frames:
                if isinstance(frame, frames.BackfillFrame):
                    self.note_past(frame)
                else:
                    assert isinstance(frame, frames.CommitShareFrame)
                    self.got.append(("slice", self.epoch_of(frame, key)))
        return data

    def note_past(self, past: frames.BackfillFrame) -> None:
        self.pasts.append(past)
        for said in past.entries:
            index = int.from_bytes(said.header, "big")
            whole = entry(index)
            if isinstance(said, BackfilledEntry):
                assert said.body == whole.body
                self.got.append(("opened", index))
            else:
                assert said.digest == whole.digest
                self.got.append(("gone", index))
        self.got.append(("H", int.from_bytes(past.head, "big")))

    @staticmethod
    def epoch_of(sliced: frames.CommitShareFrame, key: suite.EncryptionKeyPair) -> int:
        for epoch in range(1, 100):
            try:
                assert commit.open_share(sliced.box, key, ROOM, MEMBER, epoch, GROUP_CONTEXT) == (SECRET, TAG)
            except PeerFault:
                continue
            return epoch
        raise AssertionError("a slice of no epoch")

    def read_on(self) -> list[Token]:
        """All that there is, taken and sent."""
        while not self.reader.is_through:
            self.take()
            self.reader.mark_sent()
        return self.got
