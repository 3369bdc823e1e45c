"""Peers that a test plays keep to the protocol but where they are told not to: who they are, and what they seal.

A `FalseHost` (`member/false_host.py`) has a member's real room as its guest; a `FalseMember` (`host/inn.py`) dials the
real room of a host. Both seal what the test wants, with the keys of whomever it wants.
"""

import hashlib
import itertools
from collections.abc import Callable, Iterable
from typing import NamedTuple

from anonp2p import limits
from anonp2p.crypto import identity, padding, private, suite
from anonp2p.crypto.epoch import ENTRY, KEPT, Epoch, Header, read_header
from anonp2p.crypto.identity import Identity
from anonp2p.crypto.padding import LENGTH
from anonp2p.crypto.ratchet import Ratchet
from anonp2p.names.codes import RoomKey
from anonp2p.protocol import bodies
from anonp2p.protocol.batches import Tombstone
from anonp2p.protocol.credentials import sign_credentials
from anonp2p.protocol.packing import pack
from anonp2p.room import effects, events, inputs
from anonp2p.room.contents import entry_content, unpack_content
from tests.support.world import START

ROOM_KEY = RoomKey(b"r" * 32)
ROOM = ROOM_KEY.public
NOW = inputs.Now(START, 1_000_000.0)


def service_changes(done: Iterable[effects.Effect]) -> list[tuple[str, bytes]]:
    """What these effects do with services: `serve` or `stop`, and the address."""
    changes = []
    for effect in done:
        match effect:
            case effects.ServeEffect(key=key):
                changes.append(("serve", key.public))
            case effects.StopServingEffect(address=address):
                changes.append(("stop", address))
    return changes


class Somebody(Identity):
    """One whose keys the test has."""

    def __init__(self, name: bytes, room: bytes = ROOM) -> None:
        super().__init__(name * 32, room)
        self.encryption_key = suite.EncryptionKeyPair(name * 32)


HOST, ANN, BOB, EVE, ZOE = (Somebody(name) for name in (b"h", b"a", b"b", b"e", b"z"))
CREDENTIALS = sign_credentials(ROOM_KEY, HOST.key)


class Placed(NamedTuple):
    """An entry, and as it is sealed."""

    header: Header
    body: bytes
    sealed: bytes

    @property
    def gone(self) -> Tombstone:
        """What is left of it once it has expired."""
        return Tombstone(self.header.pack(), suite.hash_data(self.body))


def randomness(seed: bytes) -> Callable[[int], bytes]:
    """Bytes that are the same in every run."""
    drawn = itertools.count()
    return lambda length: hashlib.shake_256(seed + next(drawn).to_bytes(8, "big")).digest(length)


def told(done: Iterable[effects.Effect]) -> list[events.Event]:
    return [effect.event for effect in done if isinstance(effect, effects.TellEffect)]


def kinds(happened: Iterable[object]) -> list[str]:
    return [type(event).__name__ for event in happened]


def padded(packed: bytes) -> bytes:
    """The content of an entry as it is signed, whatever it says."""
    return padding.pad_text(packed, -(-(len(packed) + LENGTH) // limits.CONTENT_STEP) * limits.CONTENT_STEP)


def text(words: str) -> bodies.TextBody:
    return bodies.TextBody(words, action=False, reply=None)


def boxed(words: str) -> bytes:
    """What the box of a private message holds."""
    return pack(bodies.PrivateText(words, None))


class Sealer:
    """Seals entries of anybody, in an epoch whose keys it has."""

    epoch: Epoch
    reference: tuple[int, bytes]  # what entries refer to

    def __init__(self) -> None:
        self.links: dict[bytes, tuple[int, bytes]] = {}  # the first that we know of each chain
        self.generations: dict[bytes, int] = {}  # the next one of each author
        self.counters: dict[bytes, int] = {}  # of each one's last entry

    def know_chains(self) -> None:
        """The chains of the present epoch stand where they are."""
        self.links = {member: (chain.generation, chain.chain_key) for member, chain in self.epoch.ratchets.items()}
        self.generations = {member: chain.generation for member, chain in self.epoch.ratchets.items()}

    def admit_member(self, member: bytes) -> None:
        """Somebody has joined in the present epoch."""
        self.epoch.admit_member(member)
        chain = self.epoch.ratchets[member]
        self.links[member] = chain.generation, chain.chain_key
        self.generations.setdefault(member, 0)

    def follow(self, secret: bytes, digest: bytes, members: list[bytes]) -> bytes:
        """Goes into the next epoch, of these members; returns its tag."""
        self.epoch, tag = self.epoch.follow(secret, digest, members)
        self.know_chains()
        return tag

    def chain(self, author: bytes, generation: int) -> Ratchet:
        """Anybody's chain at this generation; of one who has none, one that nobody else has."""
        first, link = self.links.get(author, (0, bytes(32)))
        chain = Ratchet(link, first)
        while chain.generation < generation:
            chain.take_key(chain.generation)
        return chain

    def entry(
        self,
        author: Identity,
        body: bodies.Body | bytes,
        *,
        kind: int = ENTRY,
        counter: int | None = None,
        generation: int | None = None,
        ttl: int = KEPT,
        signer: Identity | None = None,
        label: bytes = identity.ENTRY,
        epoch: int | None = None,
        reference: tuple[int, bytes] | None = None,
    ) -> Placed:
        """What somebody says next. body: bytes for content that is none, or padded as the test likes."""
        if counter is None:
            counter = self.counters[author.id] = self.counters.get(author.id, 0) + 1
        if generation is None and kind == ENTRY:
            generation = self.generations.get(author.id, 0)
            self.generations[author.id] = generation + 1
        header = Header(kind, author.id, counter, generation or 0, ttl)
        content = body
        if not isinstance(content, bytes):
            content = padded(pack(bodies.Content(bytes(limits.SALT), *(reference or self.reference), content)))
        number = self.epoch.number if epoch is None else epoch
        return self.seal(
            header, (signer or author).sign(label, entry_content(number, header.pack(), content)) + content
        )

    def box(
        self,
        author: Identity,
        to: Identity,
        key: suite.EncryptionKeyPair,
        words: str | bytes,
        *,
        counter: int | None = None,
        room: bytes = ROOM,
    ) -> bodies.PrivateBody:
        """What somebody says next to one member alone. words: bytes for a box that holds anything else.

        counter: another than its next one, to which it is bound.
        """
        if counter is None:
            counter = self.counters.get(author.id, 0) + 1
        about = private.bind_message(room, self.epoch.number, author.id, counter, to.id)
        return bodies.PrivateBody(
            suite.seal_to_key(key.public, boxed(words) if isinstance(words, str) else words, about),
        )

    def seal(self, header: Header, body: bytes, *, under: Header | None = None) -> Placed:
        """A body in the seal of its header. under: another one that goes on the wire instead."""
        sealed = self.body_key(header).seal_text(0, body, header.pack())
        return Placed(under or header, body, (under or header).pack() + sealed)

    def body_key(self, header: Header) -> suite.Key:
        return suite.Key(suite.expand(self.chain(header.author, header.generation).chain_key, "key"))

    def opened(self, sealed: bytes) -> Placed:
        """An entry of the present epoch."""
        header = read_header(sealed)
        body = self.body_key(header).open_sealed(0, sealed[33:], sealed[:33])
        assert body is not None
        return Placed(header, body, sealed)


def said(entry: Placed) -> bodies.Body:
    """What an entry says."""
    return unpack_content(entry.body).body
