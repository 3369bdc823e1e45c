"""Which chunks of a file are still to be asked for, shared by the links on which it is fetched."""

from bisect import insort
from collections.abc import Collection, Iterator

from anonp2p import limits
from anonp2p.protocol.transfer import Want


class MissingChunks:
    """good: for each chunk, whether it is there already. links: how many share the rest."""

    def __init__(self, good: Collection[int], links: int) -> None:
        self._gaps = list(_find_gaps(good))  # first chunk and end of each that is to be asked for, in order
        self._unasked = sum(end - first for first, end in self._gaps)
        self._left = self._unasked  # chunks that have not come yet
        self._links = links

    @property
    def is_complete(self) -> bool:
        """Whether all have come."""
        return not self._left

    @property
    def has_work(self) -> bool:
        """Whether some are to be asked for."""
        return bool(self._gaps)

    def take(self) -> Want:
        """The next ones in a row, which are asked for from now on. Towards the end fewer, so that all end soon."""
        share = self._unasked // (2 * limits.WANTS * self._links)
        first, end = self._gaps.pop(0)
        count = min(end - first, max(limits.SEGMENT_LEAST, min(limits.SEGMENT, share)))
        if first + count < end:
            self._gaps.insert(0, (first + count, end))
        self._unasked -= count
        return Want("chunks", first, count)

    def give_back(self, wants: Collection[Want]) -> None:
        """These do not come on the link on which they were asked for."""
        for want in wants:
            insort(self._gaps, (want.first, want.first + want.count))
            self._unasked += want.count

    def note_good(self) -> None:
        """One has come, and is the right one."""
        self._left -= 1


def _find_gaps(good: Collection[int]) -> Iterator[tuple[int, int]]:
    first = None
    for number, is_there in enumerate(good):
        if is_there:
            if first is not None:
                yield first, number
            first = None
        elif first is None:
            first = number
    if first is not None:
        yield first, len(good)
