"""A room that goes on with another host: entries, terms, and what host and heir sign and seal (PROTOCOL.md, 8)."""

from functools import partial
from typing import Any

import msgspec
from msgspec import msgpack

from anonp2p import limits
from anonp2p.crypto import identity, suite
from anonp2p.crypto.epoch import COMMIT, ENTRY, OPENING, Epoch, Header
from anonp2p.names.codes import RoomKey
from anonp2p.protocol import appointment, bodies, credentials
from anonp2p.protocol.field_types import Heir, Opening
from anonp2p.protocol.packing import pack
from anonp2p.protocol.rights import Rights
from anonp2p.room import contents, entry_rules
from anonp2p.room.ledger import Ledger
from anonp2p.room.succession import terms

Vectors = dict[str, Any]
Openings = list[Opening]


def succession(room: bytes, people: dict[str, Any], seed: Any, boxes: Any) -> Vectors:
    """All of it. people: `make.Person`s by their names; seed: makes bytes from a name; boxes: see `make.Boxes`."""
    service, code = RoomKey(seed("service of ann")), RoomKey(seed("another code"))
    ann, bob = people["ann"], people["bob"]
    story = _Story(room, people, seed)
    begun = list(story.room.openings)
    story.say("host", story.joined("ann"))
    story.say("host", story.joined("bob"))
    story.say("host", bodies.HeirsBody([Heir(ann.me.id, service.public), Heir(bob.me.id, code.public)], entrusts=True))
    story.say("host", bodies.HandOverBody(leaves=False))
    first = story.begin("ann", terms.heir_number(0, 0), service.public, room)
    story.say("ann", bodies.TextBody("I host it now.", action=False, reply=None, late=False))
    story.say("ann", bodies.CodeBody(code.public))
    story.begin("ann", terms.host_number(9), service.public, code.public, since=story.room.index)
    openings = list(story.room.openings)
    info = suite.label("room key") + room + ann.me.id + code.public
    hello = seed("hello of ann's service")
    return {
        "room": room,
        "4.8 rules": [_fields(story.room.retention), _fields(story.room.history)],
        "entries": story.entries,
        "8.3 epoch of an heir": first,
        "8.4 openings": [_fields(opening) for opening in openings],
        "8.1 places": [
            {"index": index, "place": terms.find_place(openings, index)} for index in range(story.room.index + 2)
        ],
        "8.1 numbers": [
            {"term": number, "heirs": [terms.heir_number(number, rank) for rank in range(3)], "host": again}
            for number, again in ((number, terms.host_number(number)) for number in (0, 1, 4, 7, 8, 250))
        ],
        "8.4 forks": _forks(begun, openings, seed, bob.me.id),
        "8.6 Address": {
            "service key seed": seed("service of ann"),
            "member": ann.me.id,
            "frame": _fields(appointment.sign_address(service, room, ann.me.id)),
        },
        "8.7 Entrust": {
            "member": ann.me.id,
            "code": code.public,
            "encryption key seed": seed("ann's encryption key"),
            **boxes.sealed(ann.key, code.seed, info),
        },
        "8.9 Waiting": {
            "service": service.public,
            "hello": hello,
            "key": ann.me.key,
            "frame": _fields(credentials.sign_waiting(hello, partial(ann.me.sign_for, service.public))),
        },
    }


def _forks(begun: Openings, openings: Openings, seed: Any, other: bytes) -> list[Vectors]:
    _, first, second = openings
    elsewhere = Opening(terms.heir_number(0, 1), other, first.index - 1, seed("another opening"), first.index - 1)
    cases = [
        (begun, 3, openings, 9),
        (begun, 9, openings, 9),
        (openings, 9, [*begun, first], 7),
        ([*begun, elsewhere], 9, openings, 9),
        ([first, second], 9, [second], 12),
        ([second], 9, [*begun, elsewhere], 9),
        ([*begun, msgspec.structs.replace(first, digest=seed("no digest"))], 9, openings, 9),
    ]
    return [
        {
            "mine": [*map(_fields, mine)],
            "my index": at,
            "theirs": [*map(_fields, theirs)],
            "their index": end,
            "fork": terms.find_fork(mine, at, theirs, end),
        }
        for mine, at, theirs, end in cases
    ]


def _fields(packed: Any) -> Any:
    """As it is packed: none of these has a text."""
    return msgpack.decode(pack(packed))


class _Story:
    """The log of a room, as whoever opens all of it has it."""

    def __init__(self, room: bytes, people: dict[str, Any], seed: Any) -> None:
        self._people, self._seed = people, seed
        self.entries: list[Vectors] = []
        self.room = Ledger(room)
        self.room.name = "demo"
        said = self.joined("host")
        self.room.host = self.room.add_member(said.key, said.nick, said.key_hash).id
        self.room.rights = Rights(moderators=(self.room.host,))
        self.room.begin_log()

    def joined(self, name: str) -> bodies.JoinedBody:
        person = self._people[name]
        return bodies.JoinedBody(person.me.key, name, suite.hash_data(person.key.public))

    def begin(self, name: str, number: int, address: bytes, code: bytes, since: int | None = None) -> Vectors:
        """Somebody begins a term; its first epoch, as that of an heir."""
        first = self.room.index + 1
        self.say(name, bodies.OpeningBody(number, address, code, first if since is None else since))
        fresh, members = self._seed(f"fresh secret of term {number}"), [member.id for member in self.room.roster]
        opened = Epoch.begin_term(terms.first_epoch(number), fresh, self.room.digest, members)
        return {
            "epoch": opened.number,
            "6.2 init before": bytes(32),
            "6.2 fresh secret": fresh,
            "6.2 digest": self.room.digest,
            "6.3 init": opened.init_secret,
            "6.3 log key": opened.log_key,
        }

    def say(self, name: str, body: bodies.Body) -> None:
        person, room = self._people[name], self.room
        kind = entry_rules.kind_of(body)
        assert kind != COMMIT
        person.counter += kind == ENTRY
        header = Header(kind, person.me.id, person.counter if kind == ENTRY else 0)
        salt = self._seed(f"salt of entry {room.index + 1} of another room")[: limits.SALT]
        content = bodies.Content(salt, room.index, room.digest, body)
        padded, epoch = contents.padded_content(content), room.epoch
        signed = contents.entry_content(epoch, header.pack(), padded)
        text = person.me.sign(identity.ENTRY, signed) + padded
        author = room.get_member(person.me.id)
        entry_rules.check_entry(room, author, header, content)
        room.take_entry(author, header, content, suite.hash_data(text))
        self.entries.append(
            {
                "kind": header.kind,
                "says": type(body).__name__.removesuffix("Body"),
                "author": person.me.id,
                "counter": header.counter,
                "epoch": epoch,
                "4.1 header": header.pack(),
                "4.4 content": pack(content),
                "4.4 signing key": person.me.key,
                "4.4 body": text,
                "4.7 index": room.index,
                "4.8 group context": room.group_context,
                "4.6 digest": room.digest,
            }
        )
        assert kind != OPENING or room.openings[-1].digest == room.digest
