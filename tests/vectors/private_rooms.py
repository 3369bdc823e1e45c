"""Keys of a private room: what comes from its pool, codes with a key, and what a host gives a moderator (5d)."""

from typing import Any

from anonp2p.crypto import identity, invitations, suite
from anonp2p.names.codes import Code

Vectors = dict[str, Any]

SLOTS = (0, 1, 127)


# Points of small order (RFC 7748, 6.1), with which every agreement comes to zeros.
NO_CLIENTS = (
    bytes(32),
    b"\1" + bytes(31),
    bytes.fromhex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
)


def private_rooms(room: bytes, founder: Any, guest: Any, seed: Any, boxes: Any) -> Vectors:
    """All of it. founder, guest: a `make.Person`; seed: makes bytes from a name; boxes: see `make.Boxes`."""
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
        "5d.2 members' key": invitations.derive_members_key(pool),
        "5d.2 founder": {
            "seed": seed("host's key"),
            "return key": founder.me.return_key,
            "client": invitations.find_client(founder.me.return_key),
        },
        "5d.2 no clients": list(NO_CLIENTS),
        "5d.3 invited": {
            "slot": SLOTS[1],
            "key": guest.me.key,
            "client": (client := invitations.find_client(guest.me.return_key)),
            "signed": identity.INVITED + guest.me.key + client,
            "signature": invitations.sign_invited(invitations.derive_key(pool, SLOTS[1]), guest.me.key, client),
        },
        "5d.6 Pool": {
            "member": guest.me.id,
            "encryption key seed": seed("ann's encryption key"),
            **boxes.sealed(guest.key, pool, info),
        },
    }
