"""What a host signs of its log and of the time, held against what it signed before."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from anonp2p import limits
from anonp2p.crypto import identity
from anonp2p.crypto.epoch import KEPT, OPENING, Header
from anonp2p.errors import HostLied, PeerFault
from anonp2p.protocol import bodies, field_types
from anonp2p.reasons import Fault, Reason
from anonp2p.room.context import Context
from anonp2p.room.entries import OpenedEntry
from anonp2p.room.ledger import Ledger, expect
from anonp2p.room.succession import terms

_NO_TIME: Final = (-1, 0.0)


class Head(NamedTuple):
    """A host's word on the log, as it was signed; place: of the latest entry."""

    place: int
    digest: bytes
    time: int
    text: bytes

    @classmethod
    def read(cls, text: bytes) -> "Head":
        """From its 112 bytes."""
        return cls(int.from_bytes(text[:8], "big"), text[8:40], int.from_bytes(text[40:48], "big"), text)

    @property
    def end(self) -> int:
        """The index of the latest entry."""
        return terms.index_of(self.place)


class Signer(NamedTuple):
    """Who signs for what a log has next: the number of the term, the host, and its key; and of which room that is."""

    number: int
    host: bytes
    key: bytes
    room: bytes

    @classmethod
    def of_log(cls, ledger: Ledger) -> "Signer":
        """The host of the present term."""
        return cls(ledger.number, ledger.host, ledger.host_key, ledger.room)

    @classmethod
    def of_batch(cls, ledger: Ledger, entries: Sequence[OpenedEntry]) -> "Signer":
        """The same, or who begins a term with these entries: an opening is alone in its batch. Raises PeerFault."""
        if not entries or entries[0].header.kind != OPENING:
            return cls.of_log(ledger)
        author, content = ledger.roster.find_member(entries[0].header.author), entries[0].content
        if author is None or content is None or not isinstance(content.body, bodies.OpeningBody):
            raise PeerFault("bad-opening")
        expect(len(entries) == 1, "bad-opening")
        return cls(content.body.number, author.id, author.key, ledger.room)


class HeadCheck:
    """Remembers heads of a host, on whatever link they came. One that contradicts them proves that the host lies."""

    def __init__(self, context: Context) -> None:
        self._clock = context.clock
        self._replica = context.replica
        self._reporter = context.reporter
        self._forget_time()
        self._begin_term(0, b"")
        if context.replica.has_log and context.replica.room_log.log.head:  # we have been in the room in another role
            log = context.replica.room_log.log
            self.take_over(Head.read(log.head), log.time)

    def take_over(self, head: Head, time: int) -> None:
        """We have all that this head covers, by other ways than we check. time: of the room, as of now."""
        self._begin_term(terms.number_of(head.place), self._replica.ledger.host)
        self._newest = self._furthest = self._last = head
        self._note_time(max(time, head.time))

    def begin_room(self) -> None:
        """Nobody has let us in yet: what others have said may be of any room."""
        self._forget_time()
        self._begin_term(0, b"")

    def _forget_time(self) -> None:
        self._told_time = _NO_TIME[0]  # the latest of the room's times that we were told
        self._known_time = _NO_TIME  # the one that came soonest after it was signed, and the age of our clock then

    def _begin_term(self, number: int, host: bytes) -> None:
        """Heads of another term say nothing of this one."""
        nothing_signed = Head(-1, b"", 0, b"")
        self._term = number, host
        self._newest = nothing_signed  # of all
        self._awaited = nothing_signed  # the first that was seen beyond the entries that we have
        self._furthest = nothing_signed  # of those that cover entries that we have
        self._last = nothing_signed  # the last of these, which is another one while a history is shown

    @property
    def told_time(self) -> int:
        """The latest of the room's times that we were told, in milliseconds."""
        return self._told_time

    @property
    def age_of_last(self) -> float:
        """Seconds of the room's time since the latest entry that we have."""
        return max(0, self.told_time - self._furthest.time) / 1000

    def room_time(self) -> int:
        """Milliseconds since the room's creation, by what the host told and our own clock."""
        time, age = self._known_time
        return time + int((self._clock.now.age - age) * 1000)

    def age_at(self, room_time: int) -> float:
        """The age of our clock when it is this time of the room, by what the host told."""
        time, age = self._known_time
        return age + (room_time - time) / 1000

    def read_head(self, text: bytes, signer: Signer) -> Head:
        """Reads a head that this host is to have signed.

        Raises PeerFault for one that the host has not signed, HostLied for one that contradicts what it signed before.
        """
        head = self._read_signed(text, signer)
        expect(terms.number_of(head.place) == signer.number, "head-of-other-term")
        if self._term != signer[:2]:
            self._begin_term(signer.number, signer.host)
        for known in (self._last, self._furthest, self._awaited, self._newest):
            if head.place == known.place and head.digest != known.digest:
                raise self.contradict(known, head)
            if (head.place - known.place) * (head.time - known.time) < 0:
                raise HostLied("time-turned-back", known.text, head.text)
        if (head.place, head.time) > (self._newest.place, self._newest.time):
            self._newest = head
        self._await_next()
        self._note_time(head.time)
        return head

    def _read_signed(self, text: bytes, signer: Signer) -> Head:
        head = Head.read(text)
        expect(identity.is_signed(identity.HEAD, signer.room, text[:48], text[48:], signer.key), "forged-head")
        expect(max(head.place, head.time) < field_types.COUNTS, "head-out-of-range")
        return head

    def _note_time(self, time: int) -> None:
        """Our estimate does not go back: a head may have been on its way for long, or our machine have been stopped."""
        self._told_time = max(self._told_time, time)
        if self._known_time == _NO_TIME or time > self.room_time():
            self._known_time = time, self._clock.now.age

    def read_now(self, text: bytes, signer: Signer) -> Head:
        """Reads a head that says how late it is, beside what may be of an earlier term of this host's.

        Raises PeerFault, HostLied as `read_head`.
        """
        if (terms.number_of(Head.read(text).place), signer.host) == self._term:
            return self.read_head(text, signer._replace(number=self._term[0]))
        head = self._read_signed(text, signer)
        self._note_time(head.time)
        return head

    def expect_no_older(self, head: Head) -> None:
        """Raises PeerFault for a head without entries that is older than what we have: whoever has it may repeat it."""
        expect(head.place >= self._newest.place, "head-too-soon")
        expect(head.time >= self._last.time, "head-older-than-last")

    def accept_head(self, head: Head) -> None:
        """All that this head covers has been checked: later ones must not contradict it."""
        self._last = head
        if head.place >= self._furthest.place:
            self._furthest = head
        self._await_next()

    def _await_next(self) -> None:
        if self._awaited.place <= self._furthest.place:
            self._awaited = self._newest

    def expect_log(self, head: Head, ledger: Ledger, entries: Iterable[OpenedEntry]) -> list[bytes]:
        """Checks that these entries lead from where a ledger is to a head; returns the digest after each.

        Raises PeerFault if they do not, as then nobody has signed for them. Raises HostLied if they do, and by another
        digest than that of a head that was signed before.
        """
        index, digest, context, digests = ledger.index, ledger.digest, ledger.group_context, []
        for entry in entries:
            expect(entry.context != context, "other-group-context")
            index, context = index + 1, entry.context or context
            digest = identity.extend_log_hash(digest, index, entry.header.pack(), entry.digest, context)
            digests.append(digest)
        expect((head.end, head.digest) == (index, digest), "head-of-other-log")
        for at, digest in enumerate(digests, index - len(digests) + 1):
            if other := self.find_other(at, digest):
                raise self.contradict(other, head, _hashes(entries))
        return digests

    def find_other(self, index: int, digest: bytes) -> Head | None:
        """The head that was signed for this index and another digest, if there is one that we remember."""
        for known in (self._furthest, self._awaited, self._newest):
            if known.place >= 0 and known.end == index and known.digest != digest:
                return known
        return None

    def contradict(self, before: Head, head: Head, hashes: bytes = b"") -> HostLied:
        """The error for two heads of one host for different logs. hashes: of the entries that lead to the latter."""
        return HostLied("two-logs", before.text, head.text, hashes)

    def blame(self, fault: Fault, head: Head, entries: Iterable[OpenedEntry] = ()) -> HostLied:
        """The error for a head that breaks the rules of the log with the entries that lead to it."""
        return HostLied(fault, self._furthest.text, head.text, _hashes(entries))

    def doubt_entry(self, header: Header, body: bytes, ledger: Ledger) -> None:
        """Somebody was shown another log than we, and yet our host has ordered what it wrote there."""
        author = ledger.get_member(header.author)
        if len(self._replica.evidence) == limits.EVIDENCE:
            return  # the room is marked, and the user has been told often enough
        self._replica.evidence.append((header.pack(), body if header.ttl == KEPT else b"", author.key))
        self.tell_alarm(Reason("other-log-shown", author.nick))

    def tell_alarm(self, reason: Reason) -> None:
        """Tells the user that the host does what its program never does."""
        self._reporter.tell_alarm(self._replica.ledger.host, reason)


def _hashes(entries: Iterable[OpenedEntry]) -> bytes:
    """Of these entries, what the digest of a log covers."""
    return b"".join(entry.header.pack() + entry.digest + (entry.context or b"") for entry in entries)
