"""Our entries that are not ordered yet: sent in their order, sent again where needed, or given back."""

import math
from collections.abc import Mapping
from typing import NamedTuple, Protocol

from msgspec import UNSET

from anonp2p import errors, limits
from anonp2p.crypto import suite
from anonp2p.crypto.epoch import KEPT, Header
from anonp2p.errors import NoSuchNick, PeerFault
from anonp2p.protocol import bodies, frames
from anonp2p.room import events
from anonp2p.room.errors import KeyLate, Unconfirmed, Unsealable
from anonp2p.room.ledger import expect
from anonp2p.room.pending import Pending, Sealed, Whisper
from anonp2p.room.rights import MODERATING


class EntrySealer(Protocol):
    """What the outbox needs to seal an entry in the present epoch; see `sealer.Sealer`."""

    @property
    def epoch_number(self) -> int:
        """Of the present epoch."""

    def key_hash(self, member: bytes) -> bytes | None:
        """The hash of a member's encryption key; None if no member of the room has this id."""

    def knows_key(self, key_hash: bytes) -> bool:
        """Whether we have the encryption key with this hash."""

    def seal_entry(self, counter: int, pending: Pending) -> Sealed:
        """What is pending, under this counter. Raises PeerFault where nothing can be sealed to its recipient."""


class GivenBack(NamedTuple):
    """An entry of ours that gets no place. error: why, unless that is known; line: what the user typed, if it was text.

    re: the input that asked for the entry. file: what it offers, if it does. retraction: the input that wants it ended.
    """

    error: errors.AnonError | None
    line: str | None
    re: events.Re
    file: bodies.FileOffer | None = None
    retraction: events.Re = UNSET

    def __repr__(self) -> str:
        return "<GivenBack>"


class Outbox:
    """Our entries without a place, by the counters under which they are sent, and what they wait for.

    A link and an epoch each begin with nothing sent. Times are seconds of the caller's clock (`Now.tick`).
    """

    def __init__(self) -> None:
        self._entries: dict[int, Pending] = {}
        self._former: dict[tuple[bytes, int], Pending] = {}  # messages sent as somebody else: by author and counter
        self._counter = 0  # of our last entry
        self._certain = 0  # counter of our last entry that no host denies: a host bears only so many denials in a row
        self._sent = 0  # counter of our last entry that has gone out on this link, in this epoch
        self._requested: dict[bytes, float] = {}  # keys asked for on this link; until when entries wait for each
        self._awaited = b""  # hash of the key for which everything that we have to send waits; empty if there is none

    def __len__(self) -> int:
        return len(self._entries) + len(self._former)

    # --- in and out

    def add_entry(self, body: bodies.Body | Whisper, line: str | None, re: events.Re, ttl: int = KEPT) -> int:
        """Takes an entry that is to have a place; returns its counter. Parameters: see `Pending`."""
        self._counter += 1
        pending = self._entries[self._counter] = Pending(body, line, re, ttl)
        if not pending.deniable:
            self._certain = self._counter
        return self._counter

    @property
    def latest(self) -> int:
        """The counter of our latest entry."""
        return self._counter

    def find_entry(self, counter: int) -> Pending | None:
        """What waits for its place under this counter."""
        return self._entries.get(counter)

    def restore_entries(self, cut: Mapping[int, Pending]) -> None:
        """Takes back entries of ours that have lost their places, under the counters that they had."""
        self._entries = dict(sorted({**self._entries, **cut}.items()))
        self._sent = 0

    def has_renewal(self) -> bool:
        """Whether another encryption key of ours is to have its place in the log."""
        return any(isinstance(pending.body, bodies.RenewBody) for pending in self._entries.values())

    def note_held_back(self) -> None:
        """An honest host may deny those messages of ours that wait, as what we may say has changed meanwhile."""
        for pending in self._entries.values():
            pending.may_be_refused = pending.may_be_refused or pending.is_message

    @property
    def asked_at(self) -> float | None:
        """When the oldest entry of a moderator's went out that has no answer, of which the user was not told."""
        return min((pending.sent_at for pending in self._list_asked()), default=None)

    def take_unanswered(self, since: float, before: float) -> list[events.Re]:
        """The inputs whose entries went out by then on this link, before that, and have no answer: of each, once."""
        late = [pending for pending in self._list_asked() if pending.sent_at <= since and pending.sent_at < before]
        for pending in late:
            pending.told_unanswered = True
        return [pending.re for pending in late]

    def _list_asked(self) -> list[Pending]:
        sent = (pending for counter, pending in self._entries.items() if counter <= self._sent)
        return [it for it in sent if isinstance(it.body, MODERATING) and not it.told_unanswered]

    @property
    def has_text(self) -> bool:
        """Whether a message to all has no place yet."""
        return any(isinstance(pending.body, bodies.TextBody) for pending in self._entries.values())

    def refuse_excess(self) -> list[GivenBack]:
        """Gives back the last entry if a host that denied all since the last certain one would not bear it."""
        pending = self._entries[self._counter]
        if self._counter - self._certain <= limits.SKIPPED:
            return []
        return [self.refuse_entry(self._counter, pending.too_often)]

    def seal_entry(self, counter: int, sealer: EntrySealer) -> Sealed:
        """The entry with this counter, sealed once in each epoch, however often it is asked for.

        Raises PeerFault for a private message if nothing can be sealed to its recipient's encryption key.
        """
        pending = self._entries[counter]
        if pending.sealed is None or pending.sealed.epoch != sealer.epoch_number:
            pending.resealed = pending.resealed or pending.sealed is not None
            pending.sealed = sealer.seal_entry(counter, pending)
        return pending.sealed

    def list_pending(self) -> list[tuple[int, Pending]]:
        """What has no place yet, with its counters, in their order."""
        return list(self._entries.items())

    def refuse_entry(self, counter: int, error: errors.AnonError | None) -> GivenBack:
        """Gives the entry with this counter back, for this reason."""
        pending = self._entries.pop(counter)
        return _give_back(pending, error)

    def take_entry(self, counter: int) -> Pending | None:
        """Forgets the entry with this counter, which has its place or gets none; returns it, if there is one."""
        return self._entries.pop(counter, None)

    def take_receipt(self, header: Header) -> Pending | None:
        """The same for an entry with this header, which is among what we missed, whoever we were when we sent it."""
        return self._former.pop((header.author, header.counter), None) or self.take_entry(header.counter)

    def awaits_receipt(self, header: Header) -> bool:
        """Whether we were its author, and sent a message with its counter of which we do not know what became of it."""
        return (header.author, header.counter) in self._former

    def has_sent(self, header: Header, digest: bytes) -> bool:
        """Whether an entry with this header and this digest of its body is one that we have sent and not seen yet."""
        pending = self._former.get((header.author, header.counter)) or self._entries.get(header.counter)
        own = pending.sealed if pending else None
        return own is not None and (own.header, suite.hash_data(own.body)) == (header, digest)

    def settle(self, up_to: int, *, proven: bool) -> list[GivenBack]:
        """Gives back the entries with counters up to this one, which the host has ordered or denied unseen.

        So it does with all that we sent as somebody else. proven: whether it is proven that they were not ordered.
        """
        given = self._give_back_former(None if proven else Unconfirmed())
        for counter in [counter for counter in self._entries if counter <= up_to]:
            pending = self._entries[counter]
            error = pending.denial_error("repeated")
            given.append(self.refuse_entry(counter, error if proven else Unconfirmed()))
        self._certain = max(self._certain, up_to)
        return given

    def retract_latest(self, re: events.Re) -> list[GivenBack] | None:
        """Takes back the latest message that has no place yet; None if there is none.

        One that never went out is given back. One that may have gone out gets its Retract once it has its place: if it
        is denied, there is nothing to retract. re: the input that wants it.
        """
        for counter, pending in reversed(self._entries.items()):
            if pending.is_message and pending.retraction is None:
                return self._retract(counter, pending, re)
        return None

    def retract_file(self, file: bodies.FileOffer, re: events.Re) -> list[GivenBack] | None:
        """The same for the message that offers this file."""
        for counter, pending in self._entries.items():
            if pending.file == file:
                return self._retract(counter, pending, re)
        return None

    def _retract(self, counter: int, pending: Pending, re: events.Re) -> list[GivenBack]:
        pending.retraction = re
        if pending.sealed is None:
            del self._entries[counter]
            return [_give_back(pending, None)]
        return []

    def give_back_all(self) -> list[GivenBack]:
        """Gives back what the user can send again; forgets everything."""
        given = self._give_back_former(Unconfirmed())
        given += [
            _give_back(pending, pending.unsent_error)
            for pending in self._entries.values()
            if pending.line is not None or pending.unsent_error is not None
        ]
        self._entries.clear()
        self._awaited = b""
        return given

    def begin_identity(self, former: bytes) -> list[GivenBack]:
        """Starts the counters of a new identity. former: who we were.

        Gives back all but messages that went out and may have their places, which what we missed will show.
        """
        sent = {at: it for at, it in self._entries.items() if it.is_message and it.sealed is not None}
        for counter in sent:
            del self._entries[counter]
        given = self.give_back_all()
        self._former = {(former, counter): pending for counter, pending in sent.items()}
        self._counter = self._certain = 0
        return given

    def _give_back_former(self, error: errors.AnonError | None) -> list[GivenBack]:
        given = [_give_back(pending, error) for pending in self._former.values()]
        self._former.clear()
        return given

    def begin_epoch(self) -> None:
        """What has no place is to be sent in a new epoch."""
        self._sent = 0

    def lose_link(self) -> None:
        """What has no place is to be sent on another link, and what we asked for is not answered any more."""
        self._sent = 0
        self._requested.clear()
        self._awaited = b""

    # --- sending

    def send_ready(
        self, sealer: EntrySealer, now: float
    ) -> list[frames.SubmitFrame | frames.KeyRequestFrame | GivenBack]:
        """Everything that has not gone out yet, in its order, as far as we have the keys that it takes.

        A private message without its recipient's key holds up what was typed after it, for limits.KEY_WAIT at most.
        """
        out: list[frames.SubmitFrame | frames.KeyRequestFrame | GivenBack] = []
        self._awaited = b""
        for counter in [counter for counter in self._entries if counter > self._sent]:
            key_hash = self._missing_key(counter, sealer, now)
            if isinstance(key_hash, errors.AnonError):
                out.append(self.refuse_entry(counter, key_hash))
                continue
            if key_hash:
                out += self.request_key(key_hash)
                self._requested[key_hash] = min(self._requested[key_hash], now + limits.KEY_WAIT)
                self._awaited = self._awaited or key_hash
            if self._awaited:
                continue  # of what is held up, all keys are requested at once, so that waits do not add up
            try:
                sealed = self.seal_entry(counter, sealer)
            except PeerFault:
                out.append(self.refuse_entry(counter, Unsealable()))
                continue
            out.append(frames.SubmitFrame(sealed.epoch, sealed.entry))
            self._entries[counter].sent_at = now
            self._sent = counter
        return out

    def _missing_key(self, counter: int, sealer: EntrySealer, now: float) -> bytes | errors.AnonError:
        """The hash of the key that we lack for a private message, empty if none; an error if it is not waited for."""
        whisper = self._entries[counter].body
        if not isinstance(whisper, Whisper):
            return b""
        key_hash = sealer.key_hash(whisper.to)
        if key_hash is None:
            return NoSuchNick()
        if self._is_sealed(counter, sealer) or sealer.knows_key(key_hash):
            return b""
        return key_hash if now < self._requested.get(key_hash, math.inf) else KeyLate()

    def _is_sealed(self, counter: int, sealer: EntrySealer) -> bool:
        sealed = self._entries[counter].sealed
        return sealed is not None and sealed.epoch == sealer.epoch_number

    # --- encryption keys of others

    @property
    def wait_ends_at(self) -> float | None:
        """When something is given back because a key has not come; None if nothing waits."""
        return self._requested.get(self._awaited) if self._awaited else None

    def request_key(self, key_hash: bytes) -> list[frames.KeyRequestFrame]:
        """The request for an encryption key, unless it was made on this link already."""
        if key_hash in self._requested:
            return []
        self._requested[key_hash] = math.inf
        return [frames.KeyRequestFrame(key_hash)]

    def end_request(self, key_hash: bytes) -> None:
        """A request for a key is answered. Raises PeerFault if there was none."""
        expect(key_hash in self._requested, "unexpected-key")
        del self._requested[key_hash]

    def refuse_unsealable(self, key_hash: bytes, sealer: EntrySealer) -> list[GivenBack]:
        """Gives back what was to be sealed to a key that the host has not."""
        return [
            self.refuse_entry(counter, Unsealable())
            for counter, pending in list(self._entries.items())
            if isinstance(pending.body, Whisper)
            and not self._is_sealed(counter, sealer)
            and sealer.key_hash(pending.body.to) in (None, key_hash)
        ]

    # --- what the host makes of ours

    def own_body(self, header: Header, entry: bytes) -> bytes:
        """The body of a sealed entry that is said to be ours. Raises PeerFault for one that we never sent."""
        pending = self._entries.get(header.counter)
        sealed = pending.sealed if pending else None
        if sealed is None or sealed.entry != entry:
            raise PeerFault("entry-never-sent")
        return sealed.body

    def sent_at(self, counter: int) -> float:
        """When the entry with this counter, which has no place yet, went out last."""
        return self._entries[counter].sent_at

    def refuse_denied_before(self, counter: int) -> list[GivenBack]:
        """The entry with this counter has its place: what might have one before it was denied on a link that broke."""
        self._certain = max(self._certain, counter)
        denied = [at for at, pending in self._entries.items() if at < counter and pending.deniable]
        return [self.refuse_entry(at, self._entries[at].lost_denial) for at in denied]

    def expect_next(self, header: Header, digest: bytes) -> None:
        """Checks an entry ordered as ours. digest: of its body. Raises PeerFault if our next one is another."""
        expect(header.counter == min(self._entries, default=None), "own-entries-reordered")
        expect(self.has_sent(header, digest), "entry-never-sent")

    def deny_entry(self, counter: int, reason: frames.Denial) -> GivenBack:
        """Gives back what the host denies. Raises PeerFault for what was never asked."""
        pending = self._entries.get(counter)
        if pending is None:
            raise PeerFault("unexpected-denial")
        return self.refuse_entry(counter, pending.denial_error(reason))


def _give_back(pending: Pending, error: errors.AnonError | None) -> GivenBack:
    retraction = UNSET if pending.retraction is None else pending.retraction
    return GivenBack(error, pending.line, pending.re, pending.file, retraction)
