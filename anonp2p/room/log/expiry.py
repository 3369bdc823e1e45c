"""When the log drops messages: after their ttl; with ttl 0, once all links have them (PROTOCOL.md, 5.16, 5.17)."""

import heapq
from collections import deque

from anonp2p import limits
from anonp2p.crypto.epoch import FLEETING, KEPT


class ExpirySchedule:
    """The entries that expire, by index. All times are the room's, in milliseconds."""

    def __init__(self) -> None:
        self._due: list[tuple[int, int]] = []  # when which entries expire: a heap, soonest first
        self._fleeting: deque[tuple[int, int]] = deque()  # the same of fleeting messages

    def add_entry(self, index: int, ttl: int, time: int) -> None:
        """Notes an entry whose head is of this time. ttl: as in its header."""
        if ttl == FLEETING:
            self._fleeting.append((time + int(limits.FLEETING * 1000), index))
        elif ttl != KEPT:
            heapq.heappush(self._due, (time + ttl * 1000, index))

    def next_time(self, now: int) -> int | None:
        """When the next entry may expire."""
        due = [self._due[0][0]] if self._due else []
        if self._fleeting:
            due += [now + int(limits.FLEETING_CHECK * 1000), self._fleeting[0][0]]
        return min(due, default=None)

    def take_expired(self, time: int, passed: int) -> list[int]:
        """The entries that expire now, which are forgotten. passed: up to this index, all links have sent the log."""
        expired: list[int] = []
        while self._due and self._due[0][0] <= time:
            expired.append(heapq.heappop(self._due)[1])
        while self._fleeting and (self._fleeting[0][1] < passed or self._fleeting[0][0] <= time):
            expired.append(self._fleeting.popleft()[1])
        return expired

    def forget_after(self, index: int) -> None:
        """Forgets what was cut after this index."""
        self._due = [it for it in self._due if it[1] <= index]
        heapq.heapify(self._due)
        self._fleeting = deque(it for it in self._fleeting if it[1] <= index)

    def forget_before(self, index: int) -> bool:
        """Forgets what the log no longer has, as it may have had a year to live; returns whether there was any."""
        due = [it for it in self._due if it[1] >= index]
        if len(due) == len(self._due):
            return False
        heapq.heapify(due)
        self._due = due
        return True
