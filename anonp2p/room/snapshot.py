"""A room at a glance: what stands in a status line, a tab and a list of members."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from anonp2p.errors import NoSuchNick
from anonp2p.names import nicks


@dataclass(frozen=True, slots=True, repr=False)
class Snapshot:
    """A room as it is now, for us.

    nick: our own, empty while we are no member. host: the nick of its host, empty while we do not know. members: how
    many are here, we among them; away: how many more are away. ttl: of our messages, as in an event. alarmed: whether
    we have proof that the host lies. heir: the nick of the member who would host next, empty if there is none.
    ends_with_us: whether the room ends for others if we leave it now. knock: whether newcomers wait for a moderator.
    slow: for how many seconds one waits between two messages. raid: whether the room is closed against one. moderates:
    whether we are a moderator. private: whether the room is found with an invitation alone.
    """

    name: str
    code: str
    nick: str
    member: str
    hosting: bool
    host: str
    settled: bool
    members: int
    epoch: int
    locked: bool
    ttl: int | None
    alarmed: bool
    heir: str = ""
    ends_with_us: bool = False
    away: int = 0
    knock: bool = False
    slow: int = 0
    raid: bool = False
    moderates: bool = False
    private: bool = False

    @property
    def others(self) -> int:
        """How many there are besides us, those who are away too."""
        return self.members + self.away - 1


@dataclass(frozen=True, slots=True, repr=False)
class MemberView:
    """A member, here or away. rank: 1 to 3 for those who can take the room over, in order.

    role: a host that is a moderator is "host". holds_key: whether it has ever been given the key of the room's code.
    moderator: whether it is one, the host too.
    """

    member: str
    nick: str
    role: Literal["host", "moderator", "member", "muted"]
    tag: str
    away: bool
    mine: bool
    rank: int | None = None
    holds_key: bool = False
    moderator: bool = False


def find_named(members: Iterable[MemberView], nick: str) -> MemberView:
    """The one of them who has this nick, or one that looks like it. Raises AnonError."""
    looks = nicks.narrow_looks(nick)
    found = next((one for one in members if looks & nicks.narrow_looks(one.nick)), None)
    if found is None:
        raise NoSuchNick
    return found
