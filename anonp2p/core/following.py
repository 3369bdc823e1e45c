"""The member's part of a room that it is in: handing in what is ours, and holding the host to its word."""

from collections.abc import Callable
from typing import Any

from msgspec import UNSET

from anonp2p import errors, limits
from anonp2p.core import events, frames, identity, steps
from anonp2p.core.arriving import Arriving
from anonp2p.core.epochs import commit, suite
from anonp2p.core.epochs.epoch import HEAD, Header
from anonp2p.core.ledger import expect
from anonp2p.core.roster import Member
from anonp2p.errors import PeerFault

# What a host's words mean to the one whose entry it does not order.
_DENIALS: dict[frames.Denial, errors.AnonError] = {
    "nick-taken": errors.NickTaken(),
    "repeated": errors.NotAllowed("The host took that for a repetition."),
    "too-often": errors.NotAllowed("That was a change of nick too many for now: wait a little."),
}
_LOST_DENIAL = errors.NotAllowed("The host did not take that nick.")  # why, it said on a link that broke


class Following(Arriving):
    """A room of which somebody else may be the host."""

    def _prepare_following(self) -> None:
        self._prepare_arriving()
        self._idle_commit = False  # whether the latest commit removed nobody
        self._uncovered: list[tuple[Header, bytes]] = []  # entries that no head covers yet
        self._frame_handlers: dict[type[Any], Callable[[Any], None]] = {
            frames.Refused: self._refused,
            frames.Welcome: self._welcomed,
            frames.Page: self._page,
            frames.Resumed: self._resumed,
            frames.Past: self._missed_entry,
            frames.Slice: self._slice,
            frames.Denied: self._denied,
        }

    def _hear(self, payload: bytes) -> None:
        """What came from the host. If it broke a rule, it is none to stay with."""
        try:
            if self._contact == "none":
                self._greeted(payload)
                return
            if self._contact in ("catching up", "up") and not self._turning:
                header = self._keys.open_header(payload)
                if header is not None:
                    self._logged(header, payload)
                    return
            assert self._channel is not None, "there is one from the hello on"
            frame = self._channel.open(payload)
            self._frame_handlers[type(frame)](frame)
        except PeerFault as fault:
            self._distrust(str(fault))

    def _lose_uplink(self, event: steps.Dropped) -> None:
        self._uncovered.clear()
        super()._lose_uplink(event)

    # --- what goes to the host

    def _submit(self, body: frames.Body, text: str | None, re: events.Re) -> None:
        """Hands an entry of ours to the host, now or when it can be."""
        if isinstance(body, frames.Nick):
            if self._counter - self._certain >= limits.SKIPPED:
                self._error(_DENIALS["too-often"], re)
                return
        else:
            self._certain = self._counter + 1
        counter = self._note(body, text, re)
        if self._contact == "up" and not self._turning:
            self._send(counter)

    def _send_pending(self) -> None:
        if self._contact == "up" and not self._turning:
            for counter in self._pending:
                self._send(counter)

    def _send(self, counter: int) -> None:
        sealed = self._seal(counter)
        self._uplink(frames.Submit(sealed.epoch, sealed.payload))

    # --- what the host orders

    def _logged(self, header: Header, payload: bytes) -> None:
        """An entry is kept until a head covers it."""
        if header.kind == HEAD:
            self._covered(self._keys.open_head(header, payload))
            return
        expect(len(self._uncovered) < limits.UNCOVERED, "too many entries without a head")
        self._uncovered.append((header, payload))

    def _covered(self, text: bytes) -> None:
        """What the host signs for: everything so far, checked as it should have done before ordering it."""
        head = self._check_head(text, self._ledger)
        uncovered, self._uncovered = self._uncovered, []
        for header, payload in uncovered:
            expect(not self._turning, "an entry of an epoch that is over")
            author, content, body = self._open_entry(header, payload)
            if isinstance(content.body, frames.Joined):
                self._keys.admit(identity.member_id(content.body.key))
            self._step(author, header, content, body)
            if self.over:
                return
            if isinstance(content.body, frames.Commit):
                self._turning, self._idle_commit = True, not content.body.removed
        expect((head.place, head.digest) == (self._ledger.index, self._ledger.digest), "a head for another log")
        self._last_head = head
        if self._contact == "catching up":
            self._catch_up()

    def _open_entry(self, header: Header, payload: bytes) -> tuple[Member, frames.Content, bytes]:
        """An entry of another's, with the key for it; of our own we know what it says."""
        if header.author != self._me.id:
            body = self._keys.open_entry(header, payload)
            return *self._ledger.open(header, body), body
        pending = self._pending.get(header.counter)
        sealed = pending.sealed if pending else None
        if sealed is None or sealed.payload != payload:
            raise PeerFault("an entry of our own that we never sent")
        return self._my, sealed.content, sealed.body

    def _step(self, author: Member, header: Header, content: frames.Content, body: bytes) -> None:
        """The log is one entry longer."""
        self._ledger.check(author, header, content)
        if author.id == self._me.id:
            self._certain = max(self._certain, header.counter)
            self._notice_lost_denials(header.counter)
            expect(header.counter == min(self._pending, default=None), "our own entries in another order")
        if self._ledger.is_foreign(content):
            self._doubt(author, header, body)
        self._ledger.advance(header, body)
        self._apply(author, header, content)

    def _notice_lost_denials(self, counter: int) -> None:
        """What was denied on a link that broke is known by what of ours was ordered after it."""
        for before in [at for at, pending in self._pending.items() if at < counter and pending.deniable]:
            self._error(_LOST_DENIAL, self._pending.pop(before).re)

    def _denied(self, denied: frames.Denied) -> None:
        pending = self._pending.pop(denied.counter, None)
        if pending is None:
            raise PeerFault("a denial of what was never asked")
        lost = denied.reason == "repeated" and pending.deniable
        self._error(_LOST_DENIAL if lost else _DENIALS[denied.reason], pending.re)
        if pending.text is not None:
            self._tell(events.Unsent(room=self.label, text=pending.text, re=pending.re))

    # --- a new epoch

    def _slice(self, sliced: frames.Slice) -> None:
        """Our share of a commit: with it we are in the next epoch, in which what has no place yet goes out again."""
        expect(self._turning, "a slice of no commit")
        standing, members = self._ledger.standing(), [member.id for member in self._ledger.roster]
        secret, tag = self._open_slice(sliced.box, standing)
        self._epoch, mine = self._keys.next(secret, standing, members)
        commit.confirm(mine, tag)
        self._turning = False
        if self._idle_commit and len(members) <= limits.RENEWING:
            self._renew_leaf()
        self._send_pending()

    def _open_slice(self, box: bytes, standing: bytes) -> tuple[bytes, bytes]:
        """With the leaf that the host knew when it sealed it; those before that one are gone then."""
        epoch = self._keys.number + 1
        for at, leaf in enumerate(self._leaves):
            try:
                opened = commit.open_slice(box, leaf, self._ledger.room, self._me.id, epoch, standing)
            except PeerFault:
                continue
            del self._leaves[at + 1 :]
            return opened
        raise PeerFault("a slice that does not open")

    def _renew_leaf(self) -> None:
        self._leaves.insert(0, suite.LeafKey(self._random(suite.SECRET)))
        self._uplink(frames.Leaf(self._leaves[0].public))
        self._note(frames.Renew(suite.digest(self._leaves[0].public)), None, UNSET)

    # --- a host that lies

    def _doubt(self, author: Member, header: Header, body: bytes) -> None:
        """Somebody was shown another log than we, and yet our host has ordered what it wrote there."""
        if len(self.evidence) == limits.EVIDENCE:
            return  # the room is marked, and the user has been told often enough
        self.evidence.append((header.pack(), body, author.key))
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
