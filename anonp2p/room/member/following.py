"""The member's part of a room that it is in: handing in what is ours, and holding the host to its word."""

from collections.abc import Callable
from typing import Any

from msgspec import UNSET

from anonp2p import errors, limits
from anonp2p.crypto import commit, identity, suite
from anonp2p.crypto.epoch import KEPT, Header, header_of
from anonp2p.errors import PeerFault
from anonp2p.protocol import frames
from anonp2p.room import changes, events
from anonp2p.room.entries import OpenedEntry
from anonp2p.room.ledger import expect
from anonp2p.room.member.arriving import Arriving
from anonp2p.room.outbox import GivenBack
from anonp2p.room.pending import Whisper
from anonp2p.room.replica import check_entry


class Following(Arriving):
    """A room of which somebody else may be the host."""

    def _prepare_following(self) -> None:
        self._prepare_arriving()
        self._idle_commit = False  # whether the latest commit removed nobody
        self._frame_handlers: dict[type[Any], Callable[[Any], None]] = {
            frames.Refused: self._refused,
            frames.Welcome: self._welcomed,
            frames.Page: self._page,
            frames.Resumed: self._resumed,
            frames.Past: self._past,
            frames.Slice: self._slice,
            frames.Denied: self._denied,
            frames.Found: self._found_leaf,
            frames.Missing: self._no_leaf,
        }

    def _hear(self, payload: bytes) -> None:
        """What came from the host. If it broke a rule, it is none to stay with."""
        try:
            if self._contact == "none":
                self._greeted(payload)
                return
            if self._contact in ("catching up", "up") and not self._turning:
                packed = self._keys.open_burst(payload)
                if packed is not None:
                    self._burst_came(frames.unpack(frames.Burst, packed))
                    return
            assert self._channel is not None, "there is one from the hello on"
            record = self._channel.open(payload)
            if record.echo:
                self._uplink()
            for frame in record.frames:
                if not self.over:
                    self._frame_handlers[type(frame)](frame)
        except PeerFault as fault:
            self._distrust(str(fault))

    # --- what goes to the host

    def _submit(self, body: frames.Body | Whisper, line: str | None, re: events.Re) -> None:
        """Hands an entry of ours to the host, now or when it can be."""
        self._note(body, line, re)
        self._tell_given_back(self._outbox.refuse_excess())
        self._send_pending()

    def _send_pending(self) -> None:
        if self._contact != "up" or self._turning:
            return
        for ready in self._outbox.send_ready(self._replica.sealer(), self._now.tick):
            if isinstance(ready, GivenBack):
                self._tell_given_back([ready])
            else:
                self._uplink(ready)

    @property
    def _wait_ends_at(self) -> float | None:
        """When (`Now.tick`) something is given back because a key has not come."""
        return self._outbox.wait_ends_at if self._contact == "up" and not self._turning else None

    def _end_wait(self) -> None:
        if self._wait_ends_at is not None and self._now.tick >= self._wait_ends_at:
            self._send_pending()

    # --- encryption keys of others

    def _seek_leaves(self) -> None:
        """In small rooms we know them all, so that the host does not learn from our asking to whom we write."""
        if self._contact == "up" and len(self._ledger.roster) <= limits.RENEWING:
            for member in self._ledger.roster:
                if member.id != self._me.id and member.leaf not in self._shown:
                    for request in self._outbox.request_key(member.leaf):
                        self._uplink(request)

    def _found_leaf(self, found: frames.Found) -> None:
        key_hash = suite.digest(found.leaf)
        self._outbox.end_request(key_hash)
        self._shown[key_hash] = found.leaf
        self._send_pending()

    def _no_leaf(self, missing: frames.Missing) -> None:
        self._outbox.end_request(missing.leaf)
        self._tell_given_back(self._outbox.refuse_unsealable(missing.leaf, self._replica.sealer()))
        self._send_pending()

    # --- what the host orders

    def _burst_came(self, burst: frames.Burst) -> None:
        """What the host signs for, opened before anything of it takes effect."""
        head = self._check_head(burst.head, self._ledger)
        expect(bool(burst.entries) or head.place >= self._claim[0], "a head for one who lacks what is before it")
        placed = []
        for sealed in burst.entries:
            placed.append(OpenedEntry(*self._open_entry(sealed)))
            self._admit_joined(placed[-1])
        self._take_in(placed, head)
        if not self.over:
            self._reach()

    def _reach(self) -> None:
        if self._contact == "catching up":
            self._catch_up()
        else:
            self._tell_of_lost()
            self._send_pending()

    def _open_entry(self, sealed: bytes) -> tuple[Header, bytes]:
        """An entry of another's, with the key for it; of our own we know what it says."""
        header = header_of(sealed)
        if header.author != self._me.id:
            return self._keys.open_entry(sealed)
        return header, self._outbox.own_body(header, sealed)

    def _step(self, entry: OpenedEntry, age: float) -> None:
        """The log is one entry longer."""
        expect(not self._turning, "an entry of an epoch that is over")
        author = check_entry(self._ledger, entry)
        if author.id == self._me.id:
            self._tell_given_back(self._outbox.refuse_denied_before(entry.header.counter))
            self._outbox.expect_next(entry.header, entry.digest)
        if entry.content is not None and self._ledger.is_foreign(entry.content):
            self._doubt(entry.header, entry.body)
        change = self._replica.apply(author, entry, age)
        self._lost += not self._take_change(entry, change, age)
        if isinstance(change, changes.Committed) and self._arrived is None:
            self._turning, self._idle_commit = True, not change.removed
        elif isinstance(change, changes.Joined | changes.Renewed):
            self._seek_leaves()

    def _denied(self, denied: frames.Denied) -> None:
        self._tell_given_back([self._outbox.deny_entry(denied.counter, denied.reason)])

    # --- a new epoch

    def _slice(self, sliced: frames.Slice) -> None:
        """Our share of a commit: with it we are in the next epoch, in which what has no place yet goes out again."""
        expect(self._turning, "a slice of no commit")
        standing, members = self._ledger.standing(), [member.id for member in self._ledger.roster]
        secret, tag = self._open_slice(sliced.box, standing)
        self._replica.epoch, mine = self._keys.next(secret, standing, members)
        commit.confirm(mine, tag)
        self._turning = False
        self._outbox.begin_epoch()
        self._replica.forget_keys()
        if self._idle_commit and len(members) <= limits.RENEWING:
            self._renew_leaf()
        self._send_pending()

    def _open_slice(self, box: bytes, standing: bytes) -> tuple[bytes, bytes]:
        """With the leaf that the host knew when it sealed it; of those before, only the one in the log is kept then."""
        epoch = self._keys.number + 1
        for at, leaf in enumerate(self._leaves):
            try:
                opened = commit.open_slice(box, leaf, self._ledger.room, self._me.id, epoch, standing)
            except PeerFault:
                continue
            older = [leaf for leaf in self._leaves[at + 1 :] if suite.digest(leaf.public) == self._my.leaf]
            self._leaves[at + 1 :] = older  # of those before, others seal to the one that is in the log
            return opened
        raise PeerFault("a slice that does not open")

    def _renew_leaf(self) -> None:
        self._leaves.insert(0, suite.LeafKey(self._random(suite.SECRET)))
        self._uplink(frames.Leaf(self._leaves[0].public))
        self._note(frames.Renew(suite.digest(self._leaves[0].public)), None, UNSET)

    # --- a host that lies

    def _doubt(self, header: Header, body: bytes) -> None:
        """Somebody was shown another log than we, and yet our host has ordered what it wrote there."""
        author = (self._replayed or self._ledger).member(header.author)
        if len(self.evidence) == limits.EVIDENCE:
            return  # the room is marked, and the user has been told often enough
        self.evidence.append((header.pack(), body if header.ttl == KEPT else b"", author.key))
        reason = f"{author.nick} was shown other messages than you: the host tells different members different things."
        self._alarm(reason)

    def _alarm(self, reason: str) -> None:
        self._tell(events.Alarm(room=self.label, member=identity.spell(self._ledger.host), reason=reason))

    def _distrust(self, reason: str) -> None:
        """The host broke a rule that its program keeps, so it is none to stay with."""
        self._alarm(f"The host sent {reason}.")
        if self.entered:
            self._out("lost")
        else:
            self._fail(errors.Refused("its host does not keep to the protocol"), "lost")
