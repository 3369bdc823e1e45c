"""What an entry of a moderator's has changed, and what has where a log took the place of another."""

from collections.abc import Iterator, Sequence

import msgspec

from anonp2p.protocol import bodies
from anonp2p.protocol.rights import Ban, Rights
from anonp2p.room import changes
from anonp2p.room.changes import Change
from anonp2p.room.ledger import Ledger


def describe_rights(author: bytes, body: bodies.Body, before: Rights, now: Ledger) -> Change:
    """What this entry has done to the rights. before: those that it found; now: the room with it."""
    match body:
        case bodies.LockBody() | bodies.KnockBody() | bodies.SlowBody():
            return changes.RightsChange(tuple(_compare_restrictions(author, before, now.rights)))
        case bodies.RaidBody(on=on):
            caused = _compare_restrictions(author, before, now.rights, by_raid=True)
            return changes.RightsChange((changes.RaidChange(author, on), *caused))
        case bodies.RoleBody():
            return changes.RightsChange(tuple(_compare_roles(author, before, now)))
        case bodies.RemoveBody():
            had = {ban.member for ban in before.bans}
            bans = [ban for ban in now.rights.bans if ban.member not in had] if body.ban else []
            return changes.RightsChange(tuple(_ban_of(ban, author, banned=True) for ban in bans))
        case bodies.UnbanBody(member=member):
            lifted = [ban for ban in before.bans if ban.member == member]
            return changes.RightsChange(tuple(_ban_of(ban, author, banned=False) for ban in lifted))
        case bodies.KeepBody(member=member):
            nick = now.get_member(member).nick
            return changes.RightsChange((changes.KeptChange(member, nick, author),))
    return changes.HiddenChange()


def compare_rights(before: Ledger, now: Ledger, done: Sequence[changes.RightChange]) -> list[Change]:
    """What is otherwise in a log that took the place of another. done: all that its new entries did.

    Who did it last is named; where nobody did, as something was cut, the host.
    """
    found = [
        *_compare_restrictions(now.host, before.rights, now.rights),
        *_compare_roles(now.host, before.rights, now),
        *_compare_bans(now.host, before.rights, now.rights),
    ]
    last = {_subject_of(change): change for change in done}
    return [_by_author_of(last.get(_subject_of(change), change), change) for change in found]


def _subject_of(change: changes.RightChange) -> tuple[type, bytes]:
    """What of the rights it is about."""
    return type(change), change.member if isinstance(change, _OF_MEMBER) else b""


def _by_author_of(other: changes.RightChange, change: changes.RightChange) -> changes.RightChange:
    if isinstance(other, _OF_MEMBER):
        return msgspec.structs.replace(change, by=other.by)
    return msgspec.structs.replace(change, member=other.member)


_OF_MEMBER = changes.RoleChange | changes.BanChange | changes.KeptChange  # others have who did it as their member


def _compare_restrictions(
    author: bytes, before: Rights, now: Rights, *, by_raid: bool = False
) -> Iterator[changes.RightChange]:
    was, is_now = before.restrictions, now.restrictions
    if was.locked != is_now.locked:
        yield changes.LockedChange(author, is_now.locked, by_raid)
    if was.knock != is_now.knock:
        yield changes.KnockChange(author, is_now.knock, by_raid)
    if was.slow != is_now.slow:
        yield changes.SlowChange(author, is_now.slow, by_raid)


def _compare_roles(author: bytes, before: Rights, now: Ledger) -> Iterator[changes.RightChange]:
    """Of those who are members now."""
    is_now = now.room_rights
    was = is_now._replace(rights=before)
    touched = dict.fromkeys((*before.moderators, *before.muted, *now.rights.moderators, *now.rights.muted))
    for member in touched:
        found = now.roster.find_member(member)
        if found is not None and was.role_of(member) != is_now.role_of(member):
            yield changes.RoleChange(member, found.nick, is_now.role_of(member), author)


def _compare_bans(author: bytes, before: Rights, now: Rights) -> Iterator[changes.RightChange]:
    had, have = {ban.member for ban in before.bans}, {ban.member for ban in now.bans}
    yield from (_ban_of(ban, author, banned=False) for ban in before.bans if ban.member not in have)
    yield from (_ban_of(ban, author, banned=True) for ban in now.bans if ban.member not in had)


def _ban_of(ban: Ban, author: bytes, *, banned: bool) -> changes.BanChange:
    return changes.BanChange(ban.member, ban.nick, banned, author)
