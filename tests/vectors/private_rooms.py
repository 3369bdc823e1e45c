"""Keys of a private room: what comes from its pool, codes with a key, and what a host gives a moderator (5d)."""

from typing import Any

from anonp2p.crypto import identity, invitations, suite
from anonp2p.names.codes import Code

Vectors = dict[str, Any]

SLOTS = (0, 1, 127)


def private_rooms(room: bytes, guest: Any, seed: Any, boxes: Any) -> Vectors:
    """All of it. guest: a `make.Person`; seed: makes bytes from a name; boxes: see `make.Boxes`."""
    pool = seed("a pool")
    clients = invitations.list_clients(pool)
    info = suite.label("pool") + room + guest.me.id
    return {
        "room": room,
        "pool": pool,
        "5d.2 slots": [
            {
                "slot": slot,
                "key": (key := invitations.derive_key(pool, slot)),
                "client": clients[slot],
                "invitation": invitations.find_invitation(key),
                "code": {"text": Code(room, key).spell()},
            }
            for slot in SLOTS
        ],
        "5d.3 invited": {
            "slot": SLOTS[1],
            "key": guest.me.key,
            "signed": identity.INVITED + guest.me.key,
            "signature": invitations.sign_invited(invitations.derive_key(pool, SLOTS[1]), guest.me.key),
        },
        "5d.6 Pool": {
            "member": guest.me.id,
            "encryption key seed": seed("ann's encryption key"),
            **boxes.sealed(guest.key, pool, info),
        },
    }
