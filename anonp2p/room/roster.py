"""The members of a room: who they are, what they are called, how far each one's entries have come."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from anonp2p import limits
from anonp2p.crypto import identity
from anonp2p.names import nicks
from anonp2p.protocol.packing import pack

_ANONYMOUS = "anon-"


@dataclass(slots=True, repr=False)
class Member:
    """One member. key_hash: hash of its encryption key. counter: of its last ordered entry, 0 before the first.

    away: not heard. context: what the group context has of it, empty until it is asked for; only the roster sets it.
    """

    id: bytes
    key: bytes
    nick: str
    key_hash: bytes
    counter: int = 0
    away: bool = False
    context: bytes = b""


class Roster:
    """Members by id, in the order they came; no two with nicks that look alike."""

    def __init__(self) -> None:
        self._members: dict[bytes, Member] = {}
        self._looks: dict[str, bytes] = {}  # whose each key of a nick is: one member's alone
        self._wide_looks: dict[
            str, dict[bytes, None]
        ] = {}  # the same for what people confuse: perhaps several members'
        self._away = 0  # how many members are

    def __len__(self) -> int:
        return len(self._members)

    def __iter__(self) -> Iterator[Member]:
        return iter(self._members.values())

    def copy(self) -> "Roster":
        """The same members, each to go its own way from here on."""
        other = Roster()
        other._members = {it.id: replace(it) for it in self}
        other._looks = dict(self._looks)
        other._wide_looks = {look: dict(owners) for look, owners in self._wide_looks.items()}
        other._away = self._away
        return other

    @property
    def present_count(self) -> int:
        """How many members are not away."""
        return len(self._members) - self._away

    @property
    def away_count(self) -> int:
        """How many members are away."""
        return self._away

    def find_member(self, member: bytes) -> Member | None:
        """The member with this id, if there is one."""
        return self._members.get(member)

    def add_member(self, key: bytes, nick: str, key_hash: bytes, counter: int = 0, *, away: bool = False) -> Member:
        """A new member. Raises ValueError when its key is one already, or its nick is taken."""
        member = Member(identity.member_id(key), key, nick, key_hash, counter, away)
        if member.id in self._members or self.is_taken(nick, member.id):
            raise ValueError("members alike")
        self._members[member.id] = member
        self._away += away
        self._index_nick(member)
        return member

    def remove_member(self, member: Member) -> None:
        """Takes a member and its nick out."""
        del self._members[member.id]
        self._away -= member.away
        self._forget_nick(member)

    def rename_member(self, member: Member, nick: str) -> None:
        """Gives a member a nick that is not taken."""
        self._forget_nick(member)
        member.nick, member.context = nick, b""
        self._index_nick(member)

    def mark_presence(self, member: Member, *, away: bool) -> None:
        """A member is away, or back."""
        self._away += away - member.away
        member.away, member.context = away, b""

    @staticmethod
    def renew_key(member: Member, key_hash: bytes) -> None:
        """A member has another encryption key. key_hash: its hash."""
        member.key_hash, member.context = key_hash, b""

    def group_context(self) -> bytes:
        """What the group context has of all members (PROTOCOL.md, 4.8): 32 bytes of each, in the order they came."""
        for member in self:
            if not member.context:
                entry = [member.key, member.nick, member.away, member.key_hash]
                member.context = identity.hash_roster_entry(pack(entry))
        return b"".join([member.context for member in self])

    def find_nick(self, nick: str) -> Member | None:
        """The member with this nick, or one that looks like it."""
        found = next((self._looks[key] for key in nicks.narrow_looks(nick) if key in self._looks), None)
        return None if found is None else self._members[found]

    def find_alike(self, nick: str) -> list[Member]:
        """The members with nicks that look like this one, or are this one."""
        owners = dict.fromkeys(self._looks[key] for key in nicks.narrow_looks(nick) if key in self._looks)
        return [self._members[owner] for owner in owners]

    def is_taken(self, nick: str, by_other_than: bytes) -> bool:
        """Whether somebody else has this nick or one that looks like it."""
        return any(self._looks.get(key, by_other_than) != by_other_than for key in nicks.narrow_looks(nick))

    def find_confusable(self, nick: str, with_other_than: bytes) -> Member | None:
        """Somebody else whose nick people may confuse with this one; the one who came first, if there are several."""
        keys = [self._wide_looks[key] for key in nicks.wide_looks(nick) if key in self._wide_looks]
        found = {member for members in keys for member in members if member != with_other_than}
        return next((member for member in self if member.id in found), None) if found else None

    def find_holders(self, nick: str, by_other_than: bytes) -> list[Member]:
        """The members, other than this one, from whose nicks a host keeps it apart: alike, or else confused with its.

        The rules of a room demand only the former (PROTOCOL.md, 5.1).
        """
        alike = [holder for holder in self.find_alike(nick) if holder.id != by_other_than]
        if not alike and (confused := self.find_confusable(nick, by_other_than)):
            return [confused]
        return alike

    def list_confusables(self) -> Iterator[tuple[Member, Member]]:
        """Pairs of members whose nicks people may confuse, the one who had its nick first last."""
        pairs = {(other, first): None for first, *others in self._wide_looks.values() for other in others}
        return ((self._members[other], self._members[first]) for other, first in pairs)

    def with_reserved_nicks(self) -> Iterator[tuple[Member, str]]:
        """Members whose nicks may be taken for reserved words, and those words."""
        reserved = {
            member: word for look, word in nicks.reserved_looks().items() for member in self._wide_looks.get(look, ())
        }
        return ((self._members[member], word) for member, word in reserved.items())

    def choose_nick(self, key: bytes) -> str | None:
        """The nick of one who asked for none: `anon-` and four characters of its id, more when they are taken.

        One that is not confusable with another, if there is one. None if all are taken, which only malice can cause.
        """
        spare = None
        for nick in self.list_free_nicks(key):
            if not self.is_taken(nick, b""):
                if self.find_confusable(nick, b"") is None:
                    return nick
                spare = spare or nick
        return spare

    @staticmethod
    def list_free_nicks(key: bytes) -> tuple[str, ...]:
        """The nicks that one with this key may get without asking, in the order in which they are tried."""
        spelled = identity.spell_member(identity.member_id(key))
        lengths = range(identity.NICK_CHARACTERS, limits.NICK - len(_ANONYMOUS) + 1)
        return tuple(_ANONYMOUS + spelled[:length] for length in lengths)

    def _index_nick(self, member: Member) -> None:
        self._looks.update(dict.fromkeys(nicks.narrow_looks(member.nick), member.id))
        for key in nicks.wide_looks(member.nick):
            self._wide_looks.setdefault(key, {})[member.id] = None

    def _forget_nick(self, member: Member) -> None:
        for key in nicks.narrow_looks(member.nick):
            del self._looks[key]
        for key in nicks.wide_looks(member.nick):
            members = self._wide_looks[key]
            del members[member.id]
            if not members:
                del self._wide_looks[key]
