"""Whom the user has verified, by comparing safety words over another channel (PROTOCOL.md, 7a)."""

from anonp2p.room.errors import NotCompared


class Verification:
    """Of one room, as long as we are in it. Who comes back with another key is another member."""

    def __init__(self) -> None:
        self._shown: bytes | None = None  # the member for whom words were shown last
        self._verified: set[bytes] = set()

    def note_shown(self, member: bytes) -> None:
        """The user sees the words for this member."""
        self._shown = member

    def answer(self, member: bytes, *, same: bool) -> None:
        """The user says whether this member sees the same words. Raises NotCompared if they were not shown just now."""
        if member != self._shown:
            raise NotCompared
        if same:
            self._verified.add(member)
        else:
            self._verified.discard(member)

    def is_verified(self, member: bytes) -> bool:
        """Whether the user has said that this member sees the same words."""
        return member in self._verified
