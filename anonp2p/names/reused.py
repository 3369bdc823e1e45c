"""Reused nicks: whoever takes a nick that another member gave up may want to be mistaken for that member."""

from typing import NamedTuple

from anonp2p import limits
from anonp2p.names import nicks


class FormerOwner(NamedTuple):
    """Who gave up a nick last. number: counts all nicks given up; spoke: whether the user saw a message of it."""

    number: int
    member: bytes
    nick: str
    spoke: bool


class ReusedNicks:
    """Remembers who gave up each nick last, by what nicks look like.

    Nicks under which the user was shown a message are kept apart from all others, since joining and leaving costs
    nothing and must not displace them. Each of the two memories is bounded and forgets the oldest nicks first.
    """

    def __init__(self) -> None:
        self._speakers: set[bytes] = set()  # members who have spoken under the nick that they have now
        self._spoken: dict[str, FormerOwner] = {}  # by look, oldest first
        self._silent: dict[str, FormerOwner] = {}  # likewise
        self._count = 0
        self._forgot = False  # whether we have forgotten a look whose next owner we should warn of

    @property
    def size(self) -> int:
        """How much is remembered: looks of former nicks, and members who have spoken."""
        return len(self._spoken) + len(self._silent) + len(self._speakers)

    def note_message(self, member: bytes) -> None:
        """The user was shown a message of this member."""
        self._speakers.add(member)

    def free_nick(self, member: bytes, nick: str) -> None:
        """This member does not have this nick any more."""
        self._count += 1
        former = FormerOwner(self._count, member, nick, member in self._speakers)
        self._speakers.discard(member)
        memory = self._spoken if former.spoke else self._silent
        for look in nicks.narrow_looks(nick):
            self._silent.pop(look, None)
            memory.pop(look, None)
            memory[look] = former
        self._trim(self._silent, limits.FORMER_NICKS)
        self._trim(self._spoken, limits.FORMER_NICKS_OF_SPEAKERS)

    def _trim(self, memory: dict[str, FormerOwner], most: int) -> None:
        while len(memory) > most:
            look = next(iter(memory))
            del memory[look]
            self._forgot = self._forgot or not self._remembered(look)

    def _remembered(self, look: str) -> list[FormerOwner]:
        """The remembered owners of nicks with this look, the latest last."""
        return [memory[look] for memory in (self._spoken, self._silent) if look in memory]

    def find_former_owner(self, member: bytes, nick: str) -> FormerOwner | None:
        """The other member that gave up a look-alike of this nick last. spoke: whether any such member has spoken."""
        known = [self._remembered(look) for look in nicks.narrow_looks(nick)] if self._spoken or self._silent else []
        others = [formers for formers in known if formers and formers[-1].member != member]
        if not others:
            return None
        spoke = any(former.spoke and former.member != member for formers in others for former in formers)
        return max(formers[-1] for formers in others)._replace(spoke=spoke)

    def may_have_forgotten(self, nick: str) -> bool:
        """Whether another member may have had a look-alike of this nick that we have forgotten."""
        return self._forgot and not any(map(self._remembered, nicks.narrow_looks(nick)))
