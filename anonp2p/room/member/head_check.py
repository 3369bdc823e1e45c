"""What a host says of its log and of the time, held against what it said before; and what proves that it lies."""

from typing import NamedTuple

from anonp2p import limits
from anonp2p.crypto import identity
from anonp2p.crypto.epoch import KEPT, Header
from anonp2p.errors import PeerFault
from anonp2p.protocol import field_types
from anonp2p.reasons import Reason
from anonp2p.room import events
from anonp2p.room.context import Context
from anonp2p.room.ledger import Ledger, expect


class Head(NamedTuple):
    """A host's word on the log, as it was signed; place: index of the latest entry."""

    place: int
    digest: bytes
    time: int
    text: bytes

    @classmethod
    def read(cls, text: bytes) -> "Head":
        """From its 112 bytes."""
        return cls(int.from_bytes(text[:8], "big"), text[8:40], int.from_bytes(text[40:48], "big"), text)


class HeadCheck:
    """Remembers the latest head and the latest claim of a host, and tells the user when it lies."""

    def __init__(self, context: Context) -> None:
        self._clock = context.clock
        self._replica = context.replica
        self._reporter = context.reporter
        self._label = context.label
        self._last_head = Head(-1, b"", 0, b"")
        self._claim = (0, 0)  # where the log stood, as the host said, at which time of the room
        self._known_time = (-1, 0.0)  # the latest of the room's times that we were told, and the age of our clock then

    @property
    def claimed_index(self) -> int:
        """Where the log stood when the host last said it."""
        return self._claim[0]

    @property
    def told_time(self) -> int:
        """The latest of the room's times that we were told, in milliseconds."""
        return self._known_time[0]

    def room_time(self) -> int:
        """Milliseconds since the room's creation, by what the host told."""
        time, age = self._known_time
        return time + int((self._clock.now.age - age) * 1000)

    def read_head(self, text: bytes, ledger: Ledger) -> Head:
        """Reads a head for the log of this ledger. Raises PeerFault for one that contradicts what was said before."""
        head = Head.read(text)
        key = ledger.get_member(ledger.host).key
        claimed, by = self._claim
        expect(identity.is_signed(identity.HEAD, ledger.room, text[:48], text[48:], key), "forged-head")
        expect(max(head.place, head.time) < field_types.COUNTS, "head-out-of-range")
        last = self._last_head
        if head.place == last.place and head.digest != last.digest:
            self._replica.evidence.append((last.text, head.text))
            raise PeerFault("two-logs")
        expect(head.time >= last.time, "head-older-than-last")
        expect(head.place <= claimed or head.time >= by, "head-older-than-claim")
        self._note_time(head.time)
        return head

    def accept_head(self, head: Head) -> None:
        """All that this head covers has been checked: later ones must not contradict it."""
        self._last_head = head

    def begin_log(self) -> None:
        """The log is shown to us anew, from an earlier entry on."""
        self._last_head = Head(-1, b"", 0, b"")

    def note_claim(self, index: int, time: int) -> None:
        """The host says that the log stands here now: no later head may be of an earlier time."""
        if time > self._claim[1]:
            self._claim = index, time
        self._note_time(time)

    def refuse_other_log(self, head: Head) -> None:
        """Entries led elsewhere than the head of a welcome says. Raises PeerFault; keeps the proof, if there is one."""
        if self._last_head.place == head.place:
            self._replica.evidence.append((self._last_head.text, head.text))
        raise PeerFault("backfill-to-other-log")

    def doubt_entry(self, header: Header, body: bytes, ledger: Ledger) -> None:
        """Somebody was shown another log than we, and yet our host has ordered what it wrote there."""
        author = ledger.get_member(header.author)
        if len(self._replica.evidence) == limits.EVIDENCE:
            return  # the room is marked, and the user has been told often enough
        self._replica.evidence.append((header.pack(), body if header.ttl == KEPT else b"", author.key))
        self.tell_alarm(Reason("other-log-shown", author.nick))

    def tell_alarm(self, reason: Reason) -> None:
        """Tells the user that the host does what its program never does."""
        self._reporter.tell_event(
            events.AlarmEvent(room=self._label, member=identity.spell_member(self._replica.ledger.host), reason=reason)
        )

    def _note_time(self, time: int) -> None:
        if time > self._known_time[0]:
            self._known_time = time, self._clock.now.age
