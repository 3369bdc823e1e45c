"""The member's part of a room that it is in: handing in what is ours, and holding the host to its word."""

import math
from collections.abc import Callable
from typing import Any

from msgspec import UNSET

from anonp2p import errors, limits
from anonp2p.core import events, frames, identity, steps
from anonp2p.core.arriving import Arriving
from anonp2p.core.epochs import commit, suite
from anonp2p.core.epochs.epoch import KEPT, Header, header_of
from anonp2p.core.ledger import expect
from anonp2p.core.past import Placed
from anonp2p.core.pending import Pending, Whisper
from anonp2p.errors import PeerFault

_REPEATED = errors.NotAllowed("The host took that for a repetition.")
_NICK_LOST = errors.NotAllowed("The host did not take that nick.")  # why, it said on a link that broke
_NO_KEY = errors.Failed("The key of that member did not come in time: nothing was sent, try again.")
_UNSEALABLE = errors.NotAllowed("Nothing can be sealed to that member just now.")


class Following(Arriving):
    """A room of which somebody else may be the host."""

    def _prepare_following(self) -> None:
        self._prepare_arriving()
        self._idle_commit = False  # whether the latest commit removed nobody
        self._sought: dict[bytes, float] = {}  # leaves asked for on this link; until when messages wait for each
        self._awaited = b""  # the leaf for which everything that we have to send waits; empty if there is none
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

    def _lose_uplink(self, event: steps.Dropped) -> None:
        self._sought.clear()
        self._awaited = b""
        super()._lose_uplink(event)

    # --- what goes to the host

    def _submit(self, body: frames.Body | Whisper, line: str | None, re: events.Re) -> None:
        """Hands an entry of ours to the host, now or when it can be."""
        counter = self._note(body, line, re)
        pending = self._pending[counter]
        if not pending.deniable:
            self._certain = counter
        elif counter - self._certain > limits.SKIPPED:
            self._refuse(counter, pending.too_often)
        self._send_pending()

    def _send_pending(self) -> None:
        """Everything of ours that has not gone out yet, in its order, as far as we have what it takes.

        A private message without its recipient's leaf holds up what was typed after it, for limits.KEY_WAIT at most.
        """
        if self._contact != "up" or self._turning:
            return
        self._awaited = b""
        for counter in [counter for counter in self._pending if counter > self._sent]:
            if leaf := self._lacks_leaf(counter):
                self._await(leaf)
                self._awaited = self._awaited or leaf
            if self._awaited or counter not in self._pending:
                continue  # of what is held up, all leaves are sought at once, so that waits do not add up
            try:
                sealed = self._seal(counter)
            except PeerFault:
                self._refuse(counter, _UNSEALABLE)
                continue
            self._uplink(frames.Submit(sealed.epoch, sealed.entry))
            self._sent = counter

    def _lacks_leaf(self, counter: int) -> bytes:
        """The hash of the leaf that it takes to box what is pending under this counter, if we do not have that yet.

        What is for somebody who is out, or has waited for too long, is given back.
        """
        whisper = self._pending[counter].body
        if not isinstance(whisper, Whisper):
            return b""
        member = self._ledger.roster.get(whisper.to)
        if member is None:
            self._refuse(counter, errors.NoSuchNick())
        elif not (self._is_sealed(counter) or member.leaf in self._shown):
            if self._now.tick < self._sought.get(member.leaf, math.inf):
                return member.leaf
            self._refuse(counter, _NO_KEY)
        return b""

    def _is_sealed(self, counter: int) -> bool:
        """Whether what is pending under this counter is sealed for the present epoch already."""
        sealed = self._pending[counter].sealed
        return sealed is not None and sealed.epoch == self._keys.number

    @property
    def _wait_ends_at(self) -> float | None:
        """When (`Now.tick`) something is given back because a leaf has not come."""
        if not self._awaited or self._contact != "up" or self._turning:
            return None
        return self._sought.get(self._awaited)

    def _end_wait(self) -> None:
        if self._wait_ends_at is not None and self._now.tick >= self._wait_ends_at:
            self._send_pending()

    def _refuse(self, counter: int, error: errors.AnonError) -> None:
        """Something of ours will not have a place."""
        pending = self._pending.pop(counter)
        self._error(error, pending.re)
        self._unsent(pending)

    # --- the leaves of others

    def _seek_leaves(self) -> None:
        """In small rooms we know them all, so that the host does not learn from our asking to whom we write."""
        if self._contact == "up" and len(self._ledger.roster) <= limits.RENEWING:
            for member in self._ledger.roster:
                if member.id != self._me.id and member.leaf not in self._shown:
                    self._seek(member.leaf)

    def _seek(self, leaf: bytes) -> None:
        if leaf not in self._sought:
            self._sought[leaf] = math.inf
            self._uplink(frames.Seek(leaf))

    def _await(self, leaf: bytes) -> None:
        """A message waits for it, from now on if none did before."""
        self._seek(leaf)
        self._sought[leaf] = min(self._sought[leaf], self._now.tick + limits.KEY_WAIT)

    def _found_leaf(self, found: frames.Found) -> None:
        leaf = suite.digest(found.leaf)
        self._unseek(leaf)
        self._shown[leaf] = found.leaf
        self._send_pending()

    def _no_leaf(self, missing: frames.Missing) -> None:
        self._unseek(missing.leaf)
        for counter, pending in list(self._pending.items()):
            if isinstance(pending.body, Whisper) and not self._is_sealed(counter):
                member = self._ledger.roster.get(pending.body.to)
                if member is None or member.leaf == missing.leaf:
                    self._refuse(counter, _UNSEALABLE)
        self._send_pending()

    def _unseek(self, leaf: bytes) -> None:
        expect(leaf in self._sought, "a leaf that we did not ask for")
        del self._sought[leaf]

    # --- what the host orders

    def _burst_came(self, burst: frames.Burst) -> None:
        """What the host signs for, opened before anything of it takes effect."""
        head = self._check_head(burst.head, self._ledger)
        expect(bool(burst.entries) or head.place >= self._claim[0], "a head for one who lacks what is before it")
        placed = []
        for sealed in burst.entries:
            header, body = self._open_entry(sealed)
            placed.append(Placed(header, body, suite.digest(body)))
            self._admit_joined(body)
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
        pending = self._pending.get(header.counter)
        own = pending.sealed if pending else None
        if own is None or own.entry != sealed:
            raise PeerFault("an entry of our own that we never sent")
        return header, own.body

    def _step(self, placed: Placed, age: float) -> None:
        """The log is one entry longer."""
        header, body, digest = placed
        expect(not self._turning, "an entry of an epoch that is over")
        content = None
        if body:
            author, content = self._ledger.open(header, body)
            self._ledger.check(author, header, content)
        else:
            author = self._ledger.check_gone(header)
        if author.id == self._me.id:
            self._certain = max(self._certain, header.counter)
            self._notice_lost_denials(header.counter)
            expect(header.counter == min(self._pending, default=None), "our own entries in another order")
            own = self._pending[header.counter].sealed
            same = own is not None and (own.header, suite.digest(own.body)) == (header, digest)
            expect(same, "an entry of our own that we never sent")
        if content is not None and self._ledger.is_foreign(content):
            self._doubt(header, body)
        self._ledger.advance(header, digest)
        if content is None:
            self._lost += self._apply_gone(header, age)
            return
        self._apply(author, header, content, age)
        if isinstance(content.body, frames.Commit) and self._arrived is None:
            self._turning, self._idle_commit = True, not content.body.removed
        elif isinstance(content.body, frames.Joined | frames.Renew):
            self._seek_leaves()

    def _notice_lost_denials(self, counter: int) -> None:
        """What was denied on a link that broke is known by what of ours was ordered after it."""
        for before in [at for at, pending in self._pending.items() if at < counter and pending.deniable]:
            self._refuse(before, _lost_denial(self._pending[before]))

    def _denied(self, denied: frames.Denied) -> None:
        pending = self._pending.get(denied.counter)
        if pending is None:
            raise PeerFault("a denial of what was never asked")
        if denied.reason == "repeated":
            error = _lost_denial(pending) if pending.deniable else _REPEATED
        else:
            error = errors.NickTaken() if denied.reason == "nick-taken" else pending.too_often
        self._refuse(denied.counter, error)

    # --- a new epoch

    def _slice(self, sliced: frames.Slice) -> None:
        """Our share of a commit: with it we are in the next epoch, in which what has no place yet goes out again."""
        expect(self._turning, "a slice of no commit")
        standing, members = self._ledger.standing(), [member.id for member in self._ledger.roster]
        secret, tag = self._open_slice(sliced.box, standing)
        self._epoch, mine = self._keys.next(secret, standing, members)
        commit.confirm(mine, tag)
        self._turning = False
        self._sent = 0
        self._forget_leaves()
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


def _lost_denial(pending: Pending) -> errors.AnonError:
    return pending.too_often if isinstance(pending.body, Whisper) else _NICK_LOST
