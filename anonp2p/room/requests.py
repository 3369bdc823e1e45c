"""Requests to be let in that wait for their answer, at a bounded rate."""

from typing import NamedTuple

from anonp2p.protocol.handshake import HostHandshake
from anonp2p.room.token_bucket import TokenBucket


class Request(NamedTuple):
    """A client handshake that has come on this link."""

    link: int
    handshake: HostHandshake
    client_handshake: bytes


class RequestQueue:
    """Requests in the order in which they are answered, no faster than a token bucket of this size allows."""

    def __init__(self, capacity: float, rate: float) -> None:
        self._bucket = TokenBucket(capacity, rate)
        self._requests: dict[int, Request] = {}
        self._due = 0.0  # when (`Now.tick`) what was answered is paid for

    @property
    def links(self) -> frozenset[int]:
        """The links of those who wait."""
        return frozenset(self._requests)

    def add_request(self, request: Request) -> None:
        """One more waits, behind the others."""
        self._requests[request.link] = request

    def forget_link(self, link: int) -> None:
        """The link is no more."""
        self._requests.pop(link, None)

    def next_deadline(self) -> float | None:
        """When (`Now.tick`) `take_due` has one; None if none waits."""
        return self._due if self._requests else None

    def take_due(self, now: float) -> Request | None:
        """The request that waits longest, if it may be answered by now."""
        if not self._requests or now < self._due:
            return None
        return self._requests.pop(next(iter(self._requests)))

    def charge(self, cost: float, now: float) -> None:
        """The answer has cost so many tokens."""
        self._due = now + self._bucket.take_tokens(now, cost)
