"""Terms: the spans of a log that one host orders. Their numbers, where logs part, and who may begin one.

A term has a number and a host, and compares as both: (number, host). Its number says who began it: 0 is the founder's,
the next multiples of 4 are those of a host that begins a term again, and the numbers above such a multiple those of the
heirs by rank. So two who begin a term after the same entry never begin the same one.
"""

from collections.abc import Collection, Sequence
from itertools import pairwise
from typing import Final

from anonp2p import limits
from anonp2p.protocol.field_types import Heir, Opening

_STEP: Final = limits.HEIRS + 1  # numbers for each rank, and for a host that begins a term again
_INDEX_BITS: Final = 32  # of a place


def make_place(number: int, index: int) -> int:
    """The place of an entry: grows along a log, and is another one on each side where logs part."""
    return number << _INDEX_BITS | index


def number_of(place: int) -> int:
    """The number of the term in which the entry with this place was ordered."""
    return place >> _INDEX_BITS


def index_of(place: int) -> int:
    """The index of the entry with this place."""
    return place & (1 << _INDEX_BITS) - 1


def find_place(openings: Sequence[Opening], index: int) -> int:
    """The place of an entry of a log in which these terms, the latest, have begun."""
    numbers = [opening.number for opening in openings if opening.since <= index]
    return make_place(numbers[-1] if numbers else 0, index)


def find_overtaken(mine: Sequence[Opening], theirs: Sequence[Opening], fork: int) -> int | None:
    """From which entry on those who were shown the other log know numbers that ours would go back behind.

    fork: up to which the logs are the same. None: nowhere. Every term that their log has begun since may have given its
    number to entries from its `since` on; whatever ours has after the fork, they are shown after all of that.
    """
    began = [opening for opening in theirs if opening.index > fork]
    if not began:
        return None
    numbers = [(fork + 1, began[-1].number), *((opening.since, opening.number) for opening in began)]
    return min((since for since, number in numbers if number >= number_of(find_place(mine, since))), default=None)


def first_epoch(number: int) -> int:
    """The number of the epoch with which a term begins: two sides of a split never sign for the same one."""
    return make_place(number, 0)


def heir_number(number: int, rank: int) -> int:
    """The number of the term that the heir of this rank, from 0, begins where the log is in the term `number`."""
    return _next_multiple(number) + rank + 1


def host_number(number: int) -> int:
    """The number of the term that a host begins again, above this number: its own, or a challenger's."""
    return _next_multiple(number)


def _next_multiple(number: int) -> int:
    return (number // _STEP + 1) * _STEP


def are_proper(openings: Sequence[Opening]) -> bool:
    """Whether a log can have begun these terms, one after the other."""
    terms, indices = [it.number for it in openings], [it.index for it in openings]
    return (
        0 < len(openings) <= limits.OPENINGS
        and all(it.since <= it.index for it in openings)
        and all(before < after for numbers in (terms, indices) for before, after in pairwise(numbers))
        and terms[-1] < limits.TERMS
    )


def rivals(theirs: Opening, ours: Opening) -> bool:
    """Whether a log whose latest term is the first of these is not to come over to ours: it has no lower number.

    Where two heirs of whom each side named another begin terms of one number, neither side goes over to the other:
    places of both would be the same.
    """
    return theirs.number >= ours.number and theirs != ours


def find_fork(mine: Sequence[Opening], my_index: int, theirs: Sequence[Opening], their_index: int) -> int | None:
    """The index up to which two logs are the same; None if no term of one is one of the other's.

    That is the smaller end of their latest common term. It is right as long as no host has ordered two entries at one
    place, which the digests there tell. A term has its number and its host in common too: if only the digest counted,
    one could be told by another number, and be the latest of both logs and yet a higher one.
    """
    known = {opening: at for at, opening in enumerate(mine)}
    for at in range(len(theirs) - 1, -1, -1):
        found = known.get(theirs[at])
        if found is not None:
            return min(_end_of_term(mine, found, my_index), _end_of_term(theirs, at, their_index))
    return None


def _end_of_term(openings: Sequence[Opening], at: int, index: int) -> int:
    return openings[at + 1].index - 1 if at + 1 < len(openings) else index


def may_begin(author: bytes, number: int, *, host: bytes, before: int, heirs: Sequence[Heir]) -> bool:
    """Whether this author may begin the term `number` after a log in the term `before` of this host with these heirs.

    That a hand-over keeps the host from it, the ledger checks besides.
    """
    if not before < number < min(limits.TERMS, before + limits.TERM_JUMP + 1):
        return False
    if author == host:
        return number % _STEP == 0
    return number in (heir_number(before, rank) for rank, heir in enumerate(heirs) if heir.member == author)


def number_to_top(number: int, challenger: int) -> int | None:
    """The term that a host in the term `number` begins to be above a challenger's, which is higher.

    If that is too far above for one step, as far as it may go; None where no more terms can be begun.
    """
    most = min(limits.TERMS - 1, number + limits.TERM_JUMP)
    found = min(host_number(challenger), most // _STEP * _STEP)
    return found if found > number else None


def stands(me: bytes, linked: Collection[bytes], *, present: Collection[bytes], host: bytes) -> bool:
    """Whether we go on as host, though there is another one of a higher term.

    That is so with more than half of those who were there where the logs part, or half of them if we were the host
    there. linked: the members with a link to us. present: those who were there, and host: who hosted.
    """
    with_us = len({me, *linked} & set(present))
    return 2 * with_us > len(present) or (2 * with_us == len(present) and host == me)
