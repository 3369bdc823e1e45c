"""What `/heirs` answers: who hosts the room, who can take it over, and who has the key of its code."""

from typing import Any

from anonp2p.crypto import identity
from anonp2p.room.ledger import Ledger


def describe_heirs(ledger: Ledger, *, entrusts: bool) -> dict[str, Any]:
    """As data. entrusts: whether the first heir is to be given the key; who has left since has no nick any more."""
    heirs = [
        _describe(ledger, heir.member)
        | {
            "rank": rank,
            "ready": not ledger.get_member(heir.member).away,
            "holds_key": heir.member in ledger.holders,
        }
        for rank, heir in enumerate(ledger.heirs, 1)
    ]
    holders = [_describe(ledger, holder) for holder in ledger.holders]
    return {"host": _describe(ledger, ledger.host), "heirs": heirs, "holders": holders, "entrust": entrusts}


def _describe(ledger: Ledger, member: bytes) -> dict[str, Any]:
    found = ledger.roster.find_member(member)
    return {"member": identity.spell_member(member), "nick": found.nick if found else None}
