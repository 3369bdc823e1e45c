"""What those who carry files ask the room, at once."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from anonp2p.room import inputs


class Claims(Protocol):
    """Who may have which file. number: of an offer, as the user knows it."""

    def make_claim(self, number: int, challenge: bytes) -> bytes:
        """That we may have a file of another's, for one link; empty if it is on offer no more."""

    def check_claim(self, number: int, challenge: bytes, claim: bytes) -> bytes | None:
        """The member who claims a file of ours on a link, if it may have it now."""

    def may_fetch(self, number: int, member: bytes) -> bool:
        """Whether this member may go on having a file of ours."""


Post = Callable[[inputs.Input], Awaitable[object]]
