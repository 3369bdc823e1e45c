"""What the ordered entries of a room add up to: the same for every member. `entry_rules` says which may come next."""

import copy
from collections import deque
from collections.abc import Container, Sequence

from msgspec import UNSET

from anonp2p import limits
from anonp2p.crypto import identity
from anonp2p.crypto.epoch import OPENING, Header
from anonp2p.errors import PeerFault
from anonp2p.names import nicks
from anonp2p.protocol import bodies, room_state
from anonp2p.protocol.field_types import Heir, Opening
from anonp2p.protocol.packing import pack
from anonp2p.protocol.rights import Rights
from anonp2p.reasons import Fault
from anonp2p.room import events
from anonp2p.room.contents import entry_content, unpack_content
from anonp2p.room.invitations import pass_code, replace_pool
from anonp2p.room.log.log import FIRST
from anonp2p.room.retention import ANY, NO_HISTORY
from anonp2p.room.rights import MODERATING, RoomRights, admit_newcomer, drop_member
from anonp2p.room.roster import Member, Roster
from anonp2p.room.succession import terms


class Ledger:
    """A room as of its latest entry. room: the public key of its founder's onion service.

    number, host, address: of the term; the service at this address leads members to the host. code: the address that
    leads newcomers to it. heirs: who can take over, in order. holders: who has ever had the key of the code.
    openings: of the latest terms. carriers: the addresses of those who are or were host or heir, but for who has left
    or was thrown out. handed_over: whether the host hosts no more. kicked: the keys of those who were thrown out, by
    their ids.
    """

    def __init__(self, room: bytes) -> None:
        """Of a log that is to be begun, by `begin_log` or `start_at`, once what it begins with is set."""
        self.room = room
        self.name = ""
        self.number = 0
        self.host = b""
        self.address = self.code = room
        self.heirs: tuple[Heir, ...] = ()
        self.holders: tuple[bytes, ...] = ()
        self.openings: tuple[Opening, ...] = ()
        self.carriers: dict[bytes, bytes] = {}
        self.handed_over = False
        self.kicked: dict[bytes, bytes] = {}
        self.retention = ANY
        self.history = NO_HISTORY
        self.rights = Rights()
        self.epoch = 0
        self.epoch_start = 0  # index of the commit that began it; 0 if it began before we came, or with the room
        self.index = FIRST - 1  # of the latest entry
        self.roster = Roster()
        self._digests: deque[bytes] = deque(maxlen=limits.LOG_ENTRIES + 1)
        self._group_context = b""
        self._host_key = b""  # of a host that left with a hand-over

    def copy(self) -> "Ledger":
        """The room as it is now, to go its own way from here on."""
        other = copy.copy(self)
        other.roster, other._digests = self.roster.copy(), self._digests.copy()  # noqa: SLF001  # of its own class
        other.carriers, other.kicked = dict(self.carriers), dict(self.kicked)
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

    @property
    def is_private(self) -> bool:
        """Whether the room is found with invitations alone."""
        return self.rights.private

    @property
    def place(self) -> int:
        """The place of the latest entry."""
        return terms.make_place(self.number, self.index)

    def place_of(self, index: int) -> int:
        """The place of the entry with this index, as this log has it."""
        return terms.find_place(self.openings, index)

    @property
    def term(self) -> room_state.Term:
        """The present term, as newcomers are shown it."""
        line = list(self.heirs), list(self.holders), self.handed_over, list(self.openings)
        return room_state.Term(self.number, self.host, self.address, self.code, *line)

    def take_term(self, term: room_state.Term) -> None:
        """Takes over what others state of the term, once there is a roster. Raises PeerFault."""
        self.number, self.host, self.address, self.code = term.number, term.host, term.address, term.code
        expect(terms.are_proper(term.openings) and term.openings[-1].term == (term.number, term.host), "bad-opening")
        expect(identity.is_key(term.address) and identity.is_key(term.code), "bad-code")
        self.check_heirs(term.heirs)
        self.heirs, self.holders, self.openings = tuple(term.heirs), tuple(term.holders), tuple(term.openings)
        self.handed_over = term.handed_over

    def is_in_term(self, term: room_state.Term) -> bool:
        """Whether this is the term that the log is in."""
        return (self.number, self.host) == (term.number, term.host)

    def has_been_hosted_by(self, member: bytes) -> bool:
        """Whether this one has begun one of the latest terms."""
        return any(opening.host == member for opening in self.openings)

    @property
    def host_key(self) -> bytes:
        """The signature key of the host; empty of one that has left, where we were not there to see it."""
        host = self.roster.find_member(self.host)
        return self._host_key if host is None else host.key

    def begin_log(self) -> None:
        """Nothing has been ordered yet: the host founds the room."""
        self.holders, self.carriers = (self.host,), {self.host: self.address}
        digest = identity.hash_empty_log(self.room, self._hash_state())
        self.openings = (Opening(self.number, self.host, FIRST - 1, digest),)
        self.start_at(FIRST - 1, digest)

    def start_at(self, index: int, digest: bytes) -> None:
        """Takes over the index and the digest of the log so far, as others state them."""
        self.index = index
        self._digests.clear()
        self._digests.append(digest)
        self._group_context = self._hash_state()

    def _hash_state(self) -> bytes:
        rules = [self.retention, self.history]
        term = [self.number, self.host, self.address, self.code, self.heirs, self.holders, self.handed_over]
        state = [self.room, self.name, self.epoch, *term, rules, self.rights, self.roster.group_context()]
        return identity.hash_group_context(pack(state))

    @property
    def room_rights(self) -> RoomRights:
        """Who may do what, as of the latest entry."""
        return RoomRights(self.rights, self.roster, self.host, bool(self.heirs))

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

    def check_heirs(self, heirs: Sequence[Heir]) -> None:
        """Raises PeerFault unless these can take the room over."""
        members, addresses = {heir.member for heir in heirs}, {heir.address for heir in heirs}
        expect(len(members) == len(addresses) == len(heirs), "bad-heirs")
        expect(all(member != self.host and self.roster.find_member(member) for member in members), "bad-heirs")
        expect(not any(map(self.room_rights.is_ordered_out, members)), "bad-heirs")
        expect(all(map(identity.is_key, addresses)), "bad-heirs")

    def holders_with(self, body: bodies.HeirsBody) -> tuple[bytes, ...]:
        """Who has ever had the key of the code once these heirs are named."""
        first = body.heirs[0].member if body.entrusts else self.holders[0]
        return self.holders if first in self.holders else (*self.holders, first)

    def is_foreign(self, content: bodies.Content) -> bool:
        """Whether the author was shown another log than this, as far as one can tell."""
        return self.digest_at(content.index) not in (None, content.digest)

    def extend_log(self, header: Header, body: bytes) -> None:
        """Adds an entry that has taken effect to the digest of the log. body: the hash of its body."""
        packed = header.pack()
        digest = identity.extend_log_hash(self.digest, self.index + 1, packed, body, self._group_context)
        self.index += 1
        self._digests.append(digest)

    def apply_content(
        self, author: Member, header: Header, content: bodies.Content, context: bytes | None = None
    ) -> Member:
        """Applies the next entry; returns the member that it is about.

        context: see `take_entry`. Raises PeerFault for an improper roster entry.
        """
        if header.kind != OPENING:
            author.counter = header.counter
        if isinstance(content.body, bodies.TextBody | bodies.PrivateBody):
            return author  # a message leaves the room as it is
        about = self._apply_body(author, content.body)
        self._group_context = self._hash_state() if context is None else context
        return about

    def _apply_body(self, author: Member, body: bodies.Body) -> Member:
        match body:
            case bodies.NickBody(nick=nick):
                self.roster.rename_member(author, nick)
            case bodies.JoinedBody(key=key, nick=nick, key_hash=key_hash, invited=invited):
                self.rights = admit_newcomer(self.rights, key, invited)
                return self.add_member(key, nick, key_hash)
            case bodies.LeaveBody():
                self._remove_member(author)
                self.carriers.pop(author.id, None)
            case bodies.AwayBody(member=member) | bodies.BackBody(member=member):
                about = self.get_member(member)
                self.roster.mark_presence(about, away=not about.away)
                return about
            case bodies.RenewBody(key_hash=key_hash):
                self.roster.renew_key(author, key_hash)
            case bodies.CommitBody(epoch=epoch, removed=removed):
                self.epoch, self.epoch_start = epoch, self.index + 1
                for removal in removed:
                    gone = self.get_member(removal.member)
                    if removal.reason == "kicked":
                        _note_latest(self.kicked, gone.id, gone.key, limits.KICKED)
                        self.carriers.pop(gone.id, None)
                    self._remove_member(gone, was_lost=removal.reason == "lost")
            case bodies.OpeningBody():
                self._begin_term(author, body)
            case bodies.HeirsBody(heirs=heirs):
                self.holders = self.holders_with(body)
                self.heirs = tuple(heirs)
                for heir in heirs:
                    self._note_carrier(heir.member, heir.address)
            case bodies.HandOverBody(leaves=leaves):
                self.handed_over = True
                if leaves:
                    self._host_key = author.key
                    self._remove_member(author)
                    self.carriers.pop(author.id, None)
            case bodies.CodeBody(code=code, members_key=members_key):
                # Who has the key of the address could keep members from the host; or who knows it see a private room.
                if self.is_private or (self.address == self.code and self.holders != (self.host,)):
                    self.address = code
                    self._note_carrier(self.host, code)
                self.rights = replace_pool(self.rights, members_key)
                self.code, self.holders = code, (self.host,)
            case bodies.RemoveBody():
                self._drop_heirs(self.room_rights.list_targets(author.id, body))
                self.rights = self.room_rights.apply_body(author.id, body)
            case _ if isinstance(body, MODERATING):
                self.rights = self.room_rights.apply_body(author.id, body)
        return author

    def _remove_member(self, member: Member, *, was_lost: bool = False) -> None:
        self.roster.remove_member(member)
        self.rights = drop_member(self.rights, member.id, was_lost=was_lost)
        self._drop_heirs([member.id])

    def _drop_heirs(self, members: Container[bytes]) -> None:
        self.heirs = tuple(heir for heir in self.heirs if heir.member not in members)

    def _note_carrier(self, member: bytes, address: bytes) -> None:
        _note_latest(self.carriers, member, address, limits.CARRIERS)

    def _begin_term(self, author: Member, opening: bodies.OpeningBody) -> None:
        """This author is the host from here on, and its predecessor away, if it is not out."""
        before = self.roster.find_member(self.host)
        if before is not None and before is not author:
            self.roster.mark_presence(before, away=True)
        self.roster.mark_presence(author, away=False)
        if opening.code != self.code:
            self.rights = pass_code(self.rights, self.holders)
            self.code, self.holders = opening.code, (author.id,)
        self.number, self.host, self.address = opening.number, author.id, opening.address
        self.heirs = tuple(heir for heir in self.heirs if heir.member != author.id)
        self.epoch, self.epoch_start = terms.first_epoch(opening.number), self.index + 1
        self.handed_over, self._host_key = False, b""
        self._note_carrier(author.id, opening.address)

    def take_entry(
        self,
        author: Member,
        header: Header,
        content: bodies.Content | None,
        digest: bytes,
        context: bytes | None = None,
    ) -> Member:
        """Applies the next entry, expired or not; returns the member that it is about. digest: of its body.

        context: the group context that it leads to, where it was taken before; None to hash what it leads to. Raises
        PeerFault for an improper roster entry.
        """
        about = author
        if content is None:
            author.counter = header.counter
        else:
            about = self.apply_content(author, header, content, context)
        self.extend_log(header, digest)
        if header.kind == OPENING:
            assert content is not None, "openings do not expire"
            assert isinstance(content.body, bodies.OpeningBody), "as its kind says"
            opening = Opening(self.number, self.host, self.index, self.digest, content.body.since)
            self.openings = (*self.openings, opening)[-limits.OPENINGS :]
        return about

    def list_people(self) -> list[events.Person]:
        """The members who are here, as they are shown."""
        rights = self.room_rights
        return [
            events.Person(
                member=identity.spell_member(member.id),
                nick=member.nick,
                role="host" if member.id == self.host else rights.role_of(member.id),
                tag=identity.short_id(member.id),
                moderator=True if rights.is_moderator(member.id) else UNSET,
            )
            for member in self.roster
            if not member.away
        ]


def _note_latest(known: dict[bytes, bytes], key: bytes, value: bytes, most: int) -> None:
    """Notes one more of which so many are kept, the latest ones."""
    known.pop(key, None)
    known[key] = value
    if len(known) > most:
        del known[next(iter(known))]


def expect(holds: bool, otherwise: Fault) -> None:
    """Raises PeerFault if the peer broke a rule."""
    if not holds:
        raise PeerFault(otherwise)
