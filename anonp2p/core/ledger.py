"""What the ordered entries of a room add up to, and which entry may come next: the same for every member.

The host asks before it orders, everyone else before applying what was ordered: one set of rules, PROTOCOL.md section 4.
"""

from anonp2p import limits
from anonp2p.core import events, frames, identity, names
from anonp2p.core.roster import Member, Roster
from anonp2p.errors import PeerFault

FIRST = 1  # index of a room's first entry


class Ledger:
    """A room as of its latest entry. room: the public key of its onion service."""

    def __init__(self, room: bytes) -> None:
        self.room = room
        self.name = ""
        self.host = b""  # the member who orders
        self.index = FIRST - 1  # of the latest entry
        self.digest = identity.genesis(room)  # of the log up to it
        self.roster = Roster()

    def member(self, member: bytes) -> Member:
        """The member with this id, whose presence was checked."""
        found = self.roster.get(member)
        assert found is not None, "asked for a member who is none"
        return found

    def seat(self, key: bytes, nick: str, counter: int = 0, *, away: bool = False) -> Member:
        """Adds a member. Raises PeerFault where no host may do that."""
        expect(len(self.roster) < limits.MEMBERS, "too many members")
        expect(identity.is_key(key), "a key that is none")
        expect(names.is_nick(nick), "an improper nick")
        try:
            member = self.roster.add(key, nick, counter)
        except ValueError:
            raise PeerFault("two members alike") from None
        member.away = away
        return member

    def open(self, sealed: bytes, signature: bytes) -> tuple[Member, frames.Content]:
        """A member's signed content. Raises PeerFault for a stranger's and a forged one."""
        content = frames.unseal(sealed)
        author = self.roster.get(content.author)
        if author is None:
            raise PeerFault("an entry of a stranger")
        expect(identity.signed(identity.ENTRY, self.room, sealed, signature, author.key), "a forged entry")
        return author, content

    def check(self, author: Member, content: frames.Content) -> None:
        """Whether this author may say this now. Raises PeerFault."""
        is_host = author.id == self.host
        expect(content.counter > author.counter, "an entry repeated")
        expect(not author.away, "an entry of one who is away")
        match content.body:
            case frames.Text(text=text):
                expect(0 < len(text.encode()) <= limits.TEXT, "a text of no proper length")
            case frames.Nick(nick=nick):
                expect(names.is_nick(nick) and not self.roster.is_taken(nick, author.id), "an improper nick")
            case frames.Leave():
                expect(not is_host, "a host that leaves without closing")
            case frames.Joined() | frames.Close():
                expect(is_host, "an entry that only hosts may write")
            case frames.Lost(member=member):
                expect(is_host, "an entry that only hosts may write")
                found = self.roster.get(member)
                expect(found is not None and member != self.host and not found.away, "the loss of no member")
            case frames.Back(member=member) | frames.Removed(member=member):
                expect(is_host, "an entry that only hosts may write")
                found = self.roster.get(member)
                expect(found is not None and found.away, "the return or the removal of one who was not away")

    def advance(self, sealed: bytes, signature: bytes) -> None:
        """The log is one entry longer."""
        self.index += 1
        self.digest = identity.chain(self.digest, self.index, sealed, signature)

    def apply(self, author: Member, content: frames.Content) -> Member:
        """The latest entry takes effect; returns the member it is about. Raises PeerFault for an improper seat."""
        author.counter = content.counter
        match content.body:
            case frames.Nick(nick=nick):
                self.roster.rename(author, nick)
            case frames.Joined(key=key, nick=nick):
                return self.seat(key, nick)
            case frames.Leave():
                self.roster.remove(author)
            case frames.Lost(member=member) | frames.Back(member=member):
                about = self.member(member)
                about.away = not about.away
                return about
            case frames.Removed(member=member):
                about = self.member(member)
                self.roster.remove(about)
                return about
        return author

    def greeting(self) -> bytes:
        """What a newcomer is sent: the roster in pages, then the welcome, encoded."""
        seats = [frames.Seat(member.key, member.nick, member.counter, member.away) for member in self.roster]
        pages = [seats[at : at + limits.ROSTER_PAGE] for at in range(0, len(seats), limits.ROSTER_PAGE)]
        welcome = frames.Welcome(self.name, self.host, self.index, self.digest)
        return b"".join([*(frames.encode(frames.Roster(page)) for page in pages), frames.encode(welcome)])

    def people(self) -> list[events.Person]:
        """The members who are here, as they are shown."""
        return [
            events.Person(
                member=identity.spell(member.id),
                nick=member.nick,
                role="host" if member.id == self.host else "member",
                tag=identity.tag(member.id),
            )
            for member in self.roster
            if not member.away
        ]


def expect(holds: bool, otherwise: str) -> None:
    """A rule that the peer had to keep. Raises PeerFault."""
    if not holds:
        raise PeerFault(otherwise)
