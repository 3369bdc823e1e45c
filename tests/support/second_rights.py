"""What entries make of the rights in a room, once more from PROTOCOL.md, 5c, alone: for who believes a host."""

from typing import Any

LOCK, ROLE, KNOCK, SLOW, RAID, REMOVE, UNBAN, ADMIT, KEEP = 9, *range(17, 25)
OF_MODERATORS = (6, LOCK, ROLE, KNOCK, SLOW, RAID, REMOVE, UNBAN, ADMIT, KEEP)
# Where each stands in the array.
RESTRICTIONS, BEFORE, MODERATORS, MUTED, KEPT, ORDERS, BANS, ADMITTED = range(8)


def of_founder(member: bytes) -> list[Any]:
    """The rights in a room without entries."""
    return [[False, False, 0], None, [member], [], [], [], [], []]


def apply(rights: list[Any], author: bytes, host: bytes, nicks: dict[bytes, str], said: list[Any]) -> list[Any]:
    """The rights after an entry of a moderator's. nicks: of the members."""
    now = list(rights)
    locked, knock, slow = rights[RESTRICTIONS]
    match said:
        case [9, on]:
            now[RESTRICTIONS] = [on, knock, slow]
        case [18, on]:
            now[RESTRICTIONS], now[ADMITTED] = [locked, on, slow], rights[ADMITTED] if on else []
        case [19, seconds]:
            now[RESTRICTIONS] = [locked, knock, seconds]
        case [20, True]:
            now[RESTRICTIONS], now[BEFORE] = [True, True, max(slow, 10)], rights[RESTRICTIONS]
        case [20, False]:
            now[RESTRICTIONS], now[BEFORE] = rights[BEFORE], None
            now[ADMITTED] = rights[ADMITTED] if now[RESTRICTIONS][1] else []
        case [17, member, role]:
            lists = {"moderator": MODERATORS, "muted": MUTED}
            for at in lists.values():
                now[at] = [it for it in rights[at] if it != member]
            if role == "moderator" and not rights[MODERATORS] and author != member:
                now[MODERATORS] = [author]
            if role in lists:
                now[lists[role]] = [*now[lists[role]], member]
        case [21, members, why, ban]:
            out = [it for it in members if may_remove(rights, author, host, nicks, it)]
            now[ORDERS] = [*rights[ORDERS], [out, why]]
            now[BANS] = [*rights[BANS], *([it, nicks[it]] for it in out if ban)][-1000:]
        case [22, member]:
            now[BANS] = [it for it in rights[BANS] if it[0] != member]
        case [23, key, admitted]:
            others = [it for it in rights[ADMITTED] if it != key]
            now[ADMITTED] = [*others, key][-64:] if admitted else others
        case [24, member]:
            now[KEPT] = [*rights[KEPT], member]
    return now


def may_remove(rights: list[Any], author: bytes, host: bytes, nicks: dict[bytes, str], member: bytes) -> bool:
    """Whether a moderator may order a member out."""
    first = rights[MODERATORS]
    outranked = member in first and author in first and first.index(author) > first.index(member)
    ordered = any(member in out for out, _ in rights[ORDERS])
    return member in nicks and member not in (author, host) and not ordered and not outranked


def without(rights: list[Any], member: bytes) -> list[Any]:
    """The rights once a member is none any more."""
    now = list(rights)
    for at in (MODERATORS, MUTED, KEPT):
        now[at] = [it for it in rights[at] if it != member]
    left = [[[it for it in out if it != member], why] for out, why in rights[ORDERS]]
    now[ORDERS] = [order for order in left if order[0]]
    return now


def with_newcomer(rights: list[Any], key: bytes) -> list[Any]:
    """The rights once the owner of this key has come in."""
    now = list(rights)
    now[ADMITTED] = [it for it in rights[ADMITTED] if it != key]
    return now
