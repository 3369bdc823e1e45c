"""What entries make of the rights in a room, once more from PROTOCOL.md, 5c, alone: for who believes a host."""

from typing import Any

LOCK, ROLE, KNOCK, SLOW, RAID, REMOVE, UNBAN, ADMIT, KEEP, INVITE, REVOKE = 9, *range(17, 27)
OF_MODERATORS = (6, LOCK, ROLE, KNOCK, SLOW, RAID, REMOVE, UNBAN, ADMIT, KEEP, INVITE, REVOKE)
# Where each stands in the array.
RESTRICTIONS, BEFORE, MODERATORS, MUTED, KEPT, ORDERS, BANS, ADMITTED = range(8)
PRIVATE, INVITATIONS, POOLED, MEMBERS_KEY, RETURNS = range(8, 13)


def of_founder(member: bytes, members_key: bytes | None = None, client: bytes | None = None) -> list[Any]:
    """The rights in a room without entries. members_key, client: of a private one, and the founder's return key."""
    private = [True, [], [], members_key, [[member, client]]] if members_key else [False, [], [], None, []]
    return [[False, False, 0], None, [member], [], [], [], [], [], *private]


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
            if role == "moderator" and rights[PRIVATE]:
                now[POOLED] = [*(it for it in rights[POOLED] if it != member), member]
            if role in lists:
                now[lists[role]] = [*now[lists[role]], member]
        case [21, members, why, ban]:
            out = [it for it in members if may_remove(rights, author, host, nicks, it)]
            now[ORDERS] = [*rights[ORDERS], [out, why]]
            now[BANS] = [*rights[BANS], *([it, nicks[it]] for it in out if ban)][-1000:]
            thrown = [[*it[:5], it[5] or any(user in out for user in it[6]), it[6]] for it in rights[INVITATIONS]]
            now[INVITATIONS] = thrown
        case [25, key, slot, uses, members_key]:
            assert members_key == rights[MEMBERS_KEY]
            now[INVITATIONS] = [*rights[INVITATIONS], [key, slot, uses, 0, author, False, []]]
        case [26, key]:
            now[INVITATIONS] = [[*it[:5], it[5] or it[0] == key, it[6]] for it in rights[INVITATIONS]]
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


def without(rights: list[Any], member: bytes, *, lost: bool = False) -> list[Any]:
    """The rights once a member is none any more. lost: as it was away."""
    now = list(rights)
    for at in (MODERATORS, MUTED, KEPT):
        now[at] = [it for it in rights[at] if it != member]
    left = [[[it for it in out if it != member], why] for out, why in rights[ORDERS]]
    now[ORDERS] = [order for order in left if order[0]]
    now[RETURNS] = [it for it in rights[RETURNS] if it[0] != member]
    now[INVITATIONS] = [
        [*it[:3], it[3] - (lost and member in it[6]), *it[4:6], [user for user in it[6] if user != member]]
        for it in rights[INVITATIONS]
    ]
    return now


def with_newcomer(rights: list[Any], key: bytes, member: bytes, invited: list[bytes] | None) -> list[Any]:
    """The rights once the owner of this key has come in."""
    now = list(rights)
    if invited is not None:
        now[INVITATIONS] = [
            [*it[:3], it[3] + 1, *it[4:6], [*it[6], member]] if it[0] == invited[0] else it
            for it in rights[INVITATIONS]
        ]
        now[RETURNS] = [*rights[RETURNS], [member, invited[1]]]
    now[ADMITTED] = [it for it in rights[ADMITTED] if it != key]
    return now


def with_code(rights: list[Any], members_key: bytes | None) -> list[Any]:
    """5d.7: the rights once the host has given the room another code."""
    now = list(rights)
    if rights[PRIVATE]:
        now[INVITATIONS], now[POOLED], now[MEMBERS_KEY] = [], rights[MODERATORS], members_key
    return now
