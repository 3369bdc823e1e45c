"""Who had which nick before: a nick that is free again may be taken by somebody who wants to pass for who had it."""

from anonp2p import limits
from anonp2p.core import names


class Namesakes:
    """The last to have given up each nick, by what nicks look like."""

    def __init__(self) -> None:
        self._freed: dict[str, tuple[int, bytes, str]] = {}  # by look, oldest first: the how-manieth, whose, which nick
        self._count = 0

    def free(self, member: bytes, nick: str) -> None:
        """This member has this nick no more."""
        self._count += 1
        for look in names.looks(nick):
            self._freed.pop(look, None)
            self._freed[look] = self._count, member, nick
        while len(self._freed) > limits.FORMER:
            del self._freed[next(iter(self._freed))]

    def before(self, member: bytes, nick: str) -> str:
        """The nick, lately another's, for whose this member's may be taken; empty if there is none."""
        found = [self._freed[look] for look in names.looks(nick) if look in self._freed] if self._freed else []
        return max((freed for freed in found if freed[1] != member), default=(0, b"", ""))[2]
