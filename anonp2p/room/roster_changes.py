"""What has changed in a room where its log took the place of another: by comparison, not entry by entry."""

from collections.abc import Iterator, Sequence

from anonp2p.room import changes
from anonp2p.room.changes import Change, RightChange
from anonp2p.room.ledger import Ledger
from anonp2p.room.rights_changes import compare_rights
from anonp2p.room.roster import Member


def compare_ledgers(before: Ledger, now: Ledger, me: bytes, done: Sequence[RightChange]) -> list[Change]:
    """Who came, went and has another nick, and what anybody may do. me: who we are. done: see `compare_rights`."""
    found = [_compare(member, now, mine=member.id == me) for member in before.roster]
    new = [member for member in now.roster if before.roster.find_member(member.id) is None and not member.away]
    joined = [changes.JoinedChange(member.id, member.nick, unknown_past=False, cautions=()) for member in new]
    return [*(change for several in found for change in several), *joined, *compare_rights(before, now, done)]


def _compare(was: Member, now: Ledger, *, mine: bool) -> Iterator[Change]:
    member = now.roster.find_member(was.id)
    if member is None:
        if not was.away and was.id in now.kicked:
            yield changes.RemovedChange(was.id, was.nick, "kicked", "", away=False, mine=mine)
        elif not was.away:
            yield changes.LeftChange(was.id, was.nick, mine=mine)
        return
    if member.nick != was.nick:
        yield changes.RenamedChange(member.id, member.nick, was.nick, unknown_past=False, cautions=())
    if member.away and not was.away:
        yield changes.AwayChange(member.id, member.nick, mine=mine)
    elif was.away and not member.away:
        yield changes.BackChange(member.id, member.nick, mine=mine)
