"""What the ordered entries of a room add up to, and which entry may come next: the same for every member.

The host checks an entry before it orders it, all others before they apply it: one set of rules (PROTOCOL.md, 5).
"""

import copy
from collections import deque
from typing import Final

from anonp2p import limits
from anonp2p.crypto import identity, padding
from anonp2p.crypto.epoch import COMMIT, ENTRY, KEPT, Header
from anonp2p.errors import PeerFault
from anonp2p.names import nicks
from anonp2p.protocol import bodies, frames
from anonp2p.reasons import Fault
from anonp2p.room import events
from anonp2p.room.log.log import FIRST
from anonp2p.room.retention import ANY, NO_HISTORY
from anonp2p.room.roster import Member, Roster

# What the group context has a place for, and no entry changes (PROTOCOL.md, 4.8).
_TERM: Final = 0
_HEIRS: Final[list[bytes]] = []
_RIGHTS: Final[tuple[list[bytes], ...]] = ([], [], [], [])  # moderators, mutes, bans, invitations


class Ledger:
    """A room as of its latest entry. room: the public key of its onion service."""

    def __init__(self, room: bytes) -> None:
        """Of a log that is to be begun, by `begin_log` or `start_at`, once what it begins with is set."""
        self.room = room
        self.name = ""
        self.host = b""  # the member who orders
        self.address = room  # of the onion service that leads to it
        self.retention = ANY
        self.history = NO_HISTORY
        self.locked = False
        self.epoch = 0
        self.epoch_start = 0  # index of the commit that began it; 0 if it began before we came, or with the room
        self.index = FIRST - 1  # of the latest entry
        self.roster = Roster()
        self._digests: deque[bytes] = deque(maxlen=limits.LOG_ENTRIES + 1)
        self._group_context = b""

    def copy(self) -> "Ledger":
        """The room as it is now, to go its own way from here on."""
        other = copy.copy(self)
        other.roster, other._digests = self.roster.copy(), self._digests.copy()  # noqa: SLF001  # of its own class
        return other

    @property
    def digest(self) -> bytes:
        """The digest of the log up to the latest entry."""
        return self._digests[-1]

    def digest_at(self, index: int) -> bytes | None:
        """The digest of the log up to this entry; None if the entry is not there yet, or is too old."""
        at = index - self.index - 1
        return self._digests[at] if -len(self._digests) <= at < 0 else None

    @property
    def group_context(self) -> bytes:
        """The hash of what the log up to the latest entry adds up to, which its digest covers (PROTOCOL.md, 4.8)."""
        return self._group_context

    def begin_log(self) -> None:
        """Nothing has been ordered yet."""
        self.start_at(FIRST - 1, identity.hash_empty_log(self.room, self._hash_state()))

    def start_at(self, index: int, digest: bytes) -> None:
        """Takes over the index and the digest of the log so far, as others state them."""
        self.index = index
        self._digests.clear()
        self._digests.append(digest)
        self._group_context = self._hash_state()

    def _hash_state(self) -> bytes:
        settings = [self.locked, self.retention, self.history]
        state = [self.room, self.name, self.epoch, _TERM, self.host, self.address, _HEIRS, settings, *_RIGHTS]
        return identity.hash_group_context(frames.pack([*state, self.roster.group_context()]))

    def get_member(self, member: bytes) -> Member:
        """The member with this id, whose presence was checked."""
        found = self.roster.find_member(member)
        assert found is not None, "asked for a member who is none"
        return found

    def add_member(self, key: bytes, nick: str, key_hash: bytes, counter: int = 0, *, away: bool = False) -> Member:
        """Adds a member. Raises PeerFault where no host may do that."""
        expect(len(self.roster) < limits.MEMBERS, "too-many-members")
        expect(identity.is_key(key), "bad-key")
        expect(nicks.is_nick(nick), "bad-nick")
        try:
            return self.roster.add_member(key, nick, key_hash, counter, away=away)
        except ValueError:
            raise PeerFault("members-alike") from None

    def open_entry(self, header: Header, body: bytes) -> tuple[Member, bodies.Content]:
        """A member's signed content, of the present epoch. Raises PeerFault for a stranger's and a forged one."""
        return self.verify_entry(header, body), unpack_content(body)

    def verify_entry(self, header: Header, body: bytes) -> Member:
        """The author of a signed body, of the present epoch. Raises PeerFault for a stranger's and a forged one."""
        author = self.roster.find_member(header.author)
        if author is None:
            raise PeerFault("stranger")
        signed = entry_content(self.epoch, header.pack(), body[identity.SIGNATURE :])
        signature = body[: identity.SIGNATURE]
        expect(identity.is_signed(identity.ENTRY, self.room, signed, signature, author.key), "forged-entry")
        return author

    def check_tombstone(self, header: Header) -> Member:
        """The author of an entry of which only a tombstone is left. Raises PeerFault if there can be no such entry.

        Whether the message has expired or was retracted is not known here.
        """
        author = self.roster.find_member(header.author)
        if author is None:
            raise PeerFault("stranger")
        self._check_author(author, header)
        expect(header.kind == ENTRY and self._allows_ttl(header.ttl), "expired-too-soon")
        return author

    @staticmethod
    def _check_author(author: Member, header: Header) -> None:
        expect(header.counter > author.counter, "repeated-entry")
        expect(not author.away, "entry-of-absent")

    def _allows_ttl(self, ttl: int) -> bool:
        return self.retention.least <= ttl <= self.retention.most

    def check_entry(self, author: Member, header: Header, content: bodies.Content) -> None:
        """Raises PeerFault if this author may not write this now."""
        is_host = author.id == self.host
        self._check_author(author, header)
        is_message = isinstance(content.body, bodies.TextBody | bodies.PrivateBody)
        kept = self._allows_ttl(header.ttl) if is_message else header.ttl == KEPT
        expect(kept, "retention-not-allowed")
        expect(header.kind == (COMMIT if isinstance(content.body, bodies.CommitBody) else ENTRY), "bad-commit")
        expect(content.index <= self.index, "reference-to-future")
        expect(content.index >= self.epoch_start, "reference-to-past")
        match content.body:
            case bodies.TextBody(text=text):
                expect(0 < len(text.encode()) <= limits.TEXT, "text-length")
            case bodies.RetractBody(counter=counter):
                expect(0 < counter < header.counter, "retracts-no-message")
            case bodies.NickBody(nick=nick):
                expect(nicks.is_nick(nick) and not self.roster.is_taken(nick, author.id), "bad-nick")
            case bodies.LeaveBody():
                expect(not is_host, "host-left")
            case bodies.JoinedBody() | bodies.CloseBody() | bodies.LockBody():
                expect(is_host, "host-only")
            case bodies.AwayBody(member=member):
                expect(is_host, "host-only")
                found = self.roster.find_member(member)
                expect(found is not None and member != self.host and not found.away, "lost-nobody")
            case bodies.BackBody(member=member):
                expect(is_host, "host-only")
                found = self.roster.find_member(member)
                expect(found is not None and found.away, "returned-without-loss")
            case bodies.CommitBody(epoch=epoch, removed=removed):
                expect(is_host, "host-only")
                expect(epoch == self.epoch + 1, "commit-for-other-epoch")
                expect(len({removal.member for removal in removed}) == len(removed), "removed-twice")
                for removal in removed:
                    found = self.roster.find_member(removal.member)
                    gone = found is not None and (removal.reason == "kicked" or found.away)
                    expect(gone and removal.member != self.host, "removed-nobody")
                    expect(removal.reason == "kicked" or not removal.why, "why-of-lost")

    def is_foreign(self, content: bodies.Content) -> bool:
        """Whether the author was shown another log than this, as far as one can tell."""
        return self.digest_at(content.index) not in (None, content.digest)

    def extend_log(self, header: Header, body: bytes) -> None:
        """Adds an entry that has taken effect to the digest of the log. body: the hash of its body."""
        packed = header.pack()
        digest = identity.extend_log_hash(self.digest, self.index + 1, packed, body, self._group_context)
        self.index += 1
        self._digests.append(digest)

    def apply_content(self, author: Member, header: Header, content: bodies.Content) -> Member:
        """Applies the next entry; returns the member that it is about.

        Raises PeerFault for an improper roster entry.
        """
        author.counter = header.counter
        about = self._apply_body(author, content.body)
        if not isinstance(content.body, bodies.TextBody | bodies.PrivateBody):
            self._group_context = self._hash_state()
        return about

    def _apply_body(self, author: Member, body: bodies.Body) -> Member:
        match body:
            case bodies.NickBody(nick=nick):
                self.roster.rename_member(author, nick)
            case bodies.JoinedBody(key=key, nick=nick, key_hash=key_hash):
                return self.add_member(key, nick, key_hash)
            case bodies.LeaveBody():
                self.roster.remove_member(author)
            case bodies.AwayBody(member=member) | bodies.BackBody(member=member):
                about = self.get_member(member)
                self.roster.mark_presence(about, away=not about.away)
                return about
            case bodies.RenewBody(key_hash=key_hash):
                self.roster.renew_key(author, key_hash)
            case bodies.LockBody(locked=locked):
                self.locked = locked
            case bodies.CommitBody(epoch=epoch, removed=removed):
                self.epoch, self.epoch_start = epoch, self.index + 1
                for removal in removed:
                    self.roster.remove_member(self.get_member(removal.member))
        return author

    def take_entry(self, author: Member, header: Header, content: bodies.Content | None, digest: bytes) -> Member:
        """Applies the next entry, expired or not; returns the member that it is about. digest: of its body.

        Raises PeerFault for an improper roster entry.
        """
        about = author
        if content is None:
            author.counter = header.counter
        else:
            about = self.apply_content(author, header, content)
        self.extend_log(header, digest)
        return about

    def list_people(self) -> list[events.Person]:
        """The members who are here, as they are shown."""
        return [
            events.Person(
                member=identity.spell_member(member.id),
                nick=member.nick,
                role="host" if member.id == self.host else "member",
                tag=identity.short_id(member.id),
            )
            for member in self.roster
            if not member.away
        ]


def unpack_content(body: bytes) -> bodies.Content:
    """The content of a body, without its signature. Raises PeerFault."""
    packed = padding.unpad_text(body[identity.SIGNATURE :])
    expect(len(body) - identity.SIGNATURE == _padded_length(len(packed)), "body-padding")
    content: bodies.Content = frames.unpack(bodies.Content, packed)
    return content


def padded_content(content: bodies.Content) -> bytes:
    """What an author signs of it (PROTOCOL.md, 4.4)."""
    packed = frames.pack(content)
    return padding.pad_text(packed, _padded_length(len(packed)))


def _padded_length(length: int) -> int:
    """The length that so many bytes have once padded."""
    return -(-(length + padding.LENGTH) // limits.CONTENT_STEP) * limits.CONTENT_STEP


def entry_content(epoch: int, header: bytes, content: bytes) -> bytes:
    """What an author signs (PROTOCOL.md, 4.4)."""
    return epoch.to_bytes(8, "big") + header + content


def head_content(index: int, digest: bytes, time: int) -> bytes:
    """What a host signs in a head (PROTOCOL.md, 4.5). time: milliseconds since the room's creation."""
    return index.to_bytes(8, "big") + digest + time.to_bytes(8, "big")


def expect(holds: bool, otherwise: Fault) -> None:
    """Raises PeerFault if the peer broke a rule."""
    if not holds:
        raise PeerFault(otherwise)
