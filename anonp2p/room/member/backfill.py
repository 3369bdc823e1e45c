"""What was ordered before we came, or came back: opened by others, checked by what the host signs for."""

from typing import Literal, NamedTuple

from anonp2p.crypto import identity
from anonp2p.crypto.epoch import Epoch, Header
from anonp2p.errors import PeerFault
from anonp2p.protocol import frames
from anonp2p.room import events
from anonp2p.room.entries import OpenedEntry
from anonp2p.room.ledger import Ledger, expect
from anonp2p.room.life import Life
from anonp2p.room.replica import check_entry

# How far we are with our host. "missing": what was before the welcome is on its way, opened.
Contact = Literal["none", "asking", "missing", "catching up", "up"]


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


class Past(Life):
    """A room whose past we may be shown."""

    def _prepare_past(self) -> None:
        self._contact: Contact = "none"
        self._arrived: tuple[Epoch, Head, Ledger] | None = None  # where we are once we have all that was before
        self._replayed: Ledger | None = None  # the room as the history goes, where we are only shown it
        self._former: Ledger | None = None  # the room as we had it before, when we are shown its history
        self._being_shown = False  # whether there is more of it to come, on this link or another
        self._missed: int | None = None  # index of the last entry we had, while we come back as somebody new
        self._lost = 0  # messages that expired before they came to us
        self._target = 0  # index up to which we have to catch up before we send anything
        self._turning = False  # between a commit and our slice of it
        self._last_head = Head(-1, b"", 0, b"")
        self._claim = (0, 0)  # where the log stood, as the host said, at which time of the room
        self._told_time = (-1, 0.0)  # the latest of the room's times that we were told, and the age of our clock then

    def _step(self, entry: OpenedEntry, age: float) -> None:
        """Makes the log one entry longer. age: seconds that it is old. Raises PeerFault."""
        raise NotImplementedError

    def _doubt(self, header: Header, body: bytes) -> None:
        """What an author says whom our host has shown another log than us."""
        raise NotImplementedError

    def _reach(self) -> None:
        """We have the log up to another head."""
        raise NotImplementedError

    def _link(self, state: Literal["connecting", "up", "lost"], detail: str) -> None:
        """Tells what our link does."""
        raise NotImplementedError

    def _take_keys(self, epoch: Epoch, head: Head) -> None:
        """We are in this epoch, as of this head."""
        raise NotImplementedError

    def _catch_up(self) -> None:
        """Whether we know everything that has its place by now."""
        raise NotImplementedError

    def _past(self, past: frames.Past) -> None:
        """A burst that we have missed, as it was opened by others, or from which something is gone."""
        missing = self._arrived is not None
        expect(bool(past.entries), "a past without entries")
        expect(missing or (self._contact in ("catching up", "up") and not self._turning), "a past out of its place")
        head = self._check_head(past.head, self._replayed or self._ledger)
        if self._arrived is not None:
            expect(head.time <= self._arrived[1].time, "a past later than the welcome")
        placed = list(map(OpenedEntry.from_past, past.entries))
        self._hear_claim(past.index, past.time)
        for entry in placed:
            gone = not entry.body
            expect(not gone or past.time - head.time >= entry.header.ttl * 1000, "what has not expired as expired")
            if not missing and entry.header.author != self._me.id:
                self._keys.skip(entry.header)
            if not missing and not gone:
                self._admit_joined(entry)
        self._take_in(placed, head)
        if missing and not self.over:
            self._close_gap()
        elif not (missing or self.over):
            self._reach()

    def _admit_joined(self, entry: OpenedEntry) -> None:
        """One who has joined in this epoch has a chain of keys from there on."""
        if entry.content is not None and isinstance(entry.content.body, frames.Joined):
            self._keys.admit(identity.member_id(entry.content.body.key))

    def _take_in(self, placed: list[OpenedEntry], head: Head) -> None:
        """Entries that a head covers take effect, once it is known that they lead to it."""
        ledger = self._replayed or self._ledger
        digest = ledger.digest
        for index, entry in enumerate(placed, ledger.index + 1):
            digest = identity.chain(digest, index, entry.header.pack(), entry.digest)
            self._expect_same_log(index, digest)
        expect((head.place, head.digest) == (ledger.index + len(placed), digest), "a head for another log")
        age = (self._told_time[0] - head.time) / 1000
        for entry in placed:
            if self._replayed is None:
                self._step(entry, age)
            else:
                self._replay(self._replayed, entry, age)
            if self.over:
                return
        self._last_head = head
        if self._replayed is None:
            self._replica.marks.see(head.time, head.digest)

    def _replay(self, ledger: Ledger, entry: OpenedEntry, age: float) -> None:
        """An entry of the history: nothing but shown, unless we had it when we were here before."""
        author = check_entry(ledger, entry)
        if entry.content is not None and ledger.is_foreign(entry.content):
            self._doubt(entry.header, entry.body)
        change = self._replica.apply(author, entry, age, past=ledger)
        if self._missed is None or ledger.index > self._missed:
            self._tell_past_change(change)

    def _close_gap(self) -> None:
        """Once we have all that was before, we go on in the epoch that the welcome let us into."""
        if self._arrived is None:
            return
        epoch, head, ledger = self._arrived
        reached = self._replayed or self._ledger
        if reached.index < head.place:
            return
        if reached.digest != head.digest:
            if self._last_head.place == head.place:
                self.evidence.append((self._last_head.text, head.text))
            raise PeerFault("a past that leads to another log")
        expect(reached.standing() == ledger.standing(), "a past that leads to another room")
        expect(reached.epoch == epoch.number, "a welcome to another epoch than the log's")
        was_in = self._ledger is not ledger
        self._arrived = self._replayed = self._former = None
        self._take_keys(epoch, head)
        if was_in:
            self._link("up", "")
        else:
            self._replica.marks.begin(head.time, head.digest)
            self._missed, self._being_shown = None, False
        self._target = head.place
        self._catch_up()

    def _expect_same_log(self, index: int, digest: bytes) -> None:
        """What we are shown again is what it was."""
        known = None if self._former is None else self._former.digest_at(index)
        expect(known in (None, digest), "another log than before")

    def _tell_of_lost(self) -> None:
        if self._lost:
            self._tell(events.ExpiredUnseen(room=self.label, count=self._lost))
            self._lost = 0

    # --- what the host says of its log

    def _check_head(self, text: bytes, ledger: Ledger) -> Head:
        head = Head.read(text)
        key = ledger.member(ledger.host).key
        claimed, by = self._claim
        expect(identity.signed(identity.HEAD, ledger.room, text[:48], text[48:], key), "a forged head")
        expect(head.place < frames.COUNTS, "a log longer than any")
        last = self._last_head
        if head.place == last.place and head.digest != last.digest:
            self.evidence.append((last.text, head.text))
            raise PeerFault("two logs, and signed for both")
        expect(head.time >= last.time, "a head that is older than the last")
        expect(head.place <= claimed or head.time >= by, "a head that is older than the host said")
        self._hear_time(head.time)
        return head

    def _hear_claim(self, index: int, time: int) -> None:
        """The host says that the log stands here now: no later head may be of an earlier time."""
        if time > self._claim[1]:
            self._claim = index, time
        self._hear_time(time)

    def _hear_time(self, time: int) -> None:
        if time > self._told_time[0]:
            self._told_time = time, self._now.age

    def _member_time(self) -> int:
        """Milliseconds since the room's creation, as far as we know."""
        time, age = self._told_time
        return time + int((self._now.age - age) * 1000)
