"""What the protocol's keys cost, without any network: messages, joins and removals, in rooms of several sizes.

In time of one processor, beside that of the raw primitives which bound it: Ed25519 for messages, X-Wing for keys.
"""

import secrets
import time
from collections.abc import Callable, Iterator, Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from anonp2p import limits
from anonp2p.crypto import commit, identity, padding, suite
from anonp2p.crypto.epoch import COMMIT, ENTRY, Epoch, Header
from anonp2p.crypto.identity import Identity
from anonp2p.protocol import bodies, frames, handshake, room_state, welcome
from anonp2p.protocol.batches import BackfilledEntry, Batch
from anonp2p.protocol.handshake import Channel, HandshakeKey
from anonp2p.protocol.packing import pack, unpack
from anonp2p.protocol.requests import JoinRequest
from anonp2p.protocol.rights import Rights
from anonp2p.room.contents import entry_content, padded_content, unpack_content
from anonp2p.room.ledger import Ledger
from anonp2p.room.retention import ANY, NO_HISTORY
from tests.bench.results import PROCESSOR, Goal, Result

CHARACTERS = 300  # of a message
TOGETHER = 50  # messages in a batch
MESSAGES = 400  # a run
BOXES = 100  # a run
OPENED = 8_000.0  # messages a second: the goal
MS = 1_000
ROOM = secrets.token_bytes(32)


class Room:
    """A host and so many members in all, each with the keys that it has. Only the host and one reader have an epoch."""

    def __init__(self, size: int) -> None:
        self.members = [Identity(secrets.token_bytes(32), ROOM) for _ in range(size)]
        self.host, *self.others = self.members
        self.encryption_keys = [suite.EncryptionKeyPair(secrets.token_bytes(32)) for _ in range(size)]
        self.ledger = Ledger(ROOM)
        self.ledger.name, self.ledger.host = "demo", self.host.id
        for number, (member, key) in enumerate(zip(self.members, self.encryption_keys, strict=True)):
            self.ledger.add_member(member.key, f"member{number}", suite.hash_data(key.public))
        self.ledger.epoch = 1
        self.ledger.begin_log()
        secret, ids = secrets.token_bytes(32), [member.id for member in self.members]
        self.epoch, self.reader = (
            Epoch.begin(bytes(32), ROOM, ids[0]).follow(secret, self.ledger.digest, ids)[0] for _ in "12"
        )
        self.counter = 0
        self.credentials = frames.Credentials(ROOM, self.host.key, 0, bytes(64))
        self.latest = bytes(32), Header(ENTRY, self.host.id, 0), bytes(32)  # the digest before it, its body's hash

    def sign(self, author: Identity, body: bodies.Body, kind: int = ENTRY) -> tuple[Header, bytes]:
        """An entry as its author makes it: header and body. A commit is not sealed with the keys of its epoch."""
        self.counter += 1
        generation = self.epoch.ratchets[author.id].generation if kind == ENTRY else 0
        header = Header(kind, author.id, self.counter, generation)
        content = padded_content(bodies.Content(bytes(limits.SALT), self.ledger.index, self.ledger.digest, body))
        signature = author.sign(identity.ENTRY, entry_content(self.epoch.number, header.pack(), content))
        return header, signature + content

    def say(self, author: Identity, body: bodies.Body) -> tuple[Header, bytes, bytes]:
        """The same, and as it is sealed."""
        header, signed = self.sign(author, body)
        return header, signed, self.epoch.seal_entry(header, signed)

    def batch(self, entries: list[bytes]) -> bytes:
        """These as the host sends them."""
        packed = pack(Batch(entries, [None] * len(entries), self.head()))
        return self.epoch.seal_batch(packed, secrets.token_bytes)

    def open(self, payload: bytes) -> None:
        """A batch, as a member does: opened, verified, decoded, in the log."""
        packed = self.reader.open_batch(payload[padding.LENGTH :])
        assert packed is not None
        opened = [self.reader.open_entry(sealed) for sealed in unpack(Batch, packed).entries]
        for header, body in opened:
            self.ledger.verify_entry(header, body)
        for header, body in opened:
            self.take_entry(header, body)

    def take_entry(self, header: Header, body: bytes) -> None:
        """An entry is decoded and hashed, and takes effect."""
        digest, body_hash = self.ledger.digest, suite.hash_data(body)
        author = self.ledger.get_member(header.author)
        self.ledger.take_entry(author, header, unpack_content(body), body_hash)
        self.latest = digest, header, body_hash

    def state(self) -> room_state.RoomState:
        """What a Welcome says of it."""
        chains = self.epoch.ratchets
        roster = [
            room_state.RosterEntry(
                member.key, "n" * 10, 1_000, False, bytes(32), chains[member.id].generation, chains[member.id].chain_key
            )
            for member in self.members
        ]
        epoch, (before, header, body_hash) = self.epoch, self.latest
        keys = (epoch.init_secret, epoch.log_key, epoch.newcomer_secret)
        rules = (ANY, NO_HISTORY)
        return room_state.RoomState(
            ROOM,
            "demo",
            Rights(),
            self.ledger.term,
            *rules,
            epoch.number,
            *keys,
            self.head(),
            room_state.LatestEntry(before, header.pack(), body_hash),
            self.credentials,
            roster,
            since=self.ledger.index,
            snapshot=None,
        )

    def head(self) -> bytes:
        content = self.ledger.index.to_bytes(8, "big") + self.ledger.digest + bytes(8)
        return content + self.host.sign(identity.HEAD, content)


def timed(work: Callable[[], object]) -> float:
    """Seconds of a processor: what others take from it does not count."""
    began = time.process_time()
    work()
    return time.process_time() - began


def raw_verify() -> float:
    """Seconds for one signature, with a key that is ready to use."""
    me = Identity(secrets.token_bytes(32), ROOM)
    signature = me.sign(identity.ENTRY, bytes(CHARACTERS))
    key, text = Ed25519PublicKey.from_public_bytes(me.key), identity.ENTRY + ROOM + bytes(CHARACTERS)
    return timed(lambda: [key.verify(signature, text) for _ in range(MESSAGES)]) / MESSAGES


def raw_sign() -> float:
    """Seconds to make one signature."""
    key, text = Ed25519PrivateKey.generate(), identity.ENTRY + ROOM + bytes(CHARACTERS)
    return timed(lambda: [key.sign(text) for _ in range(MESSAGES)]) / MESSAGES


def raw_boxes() -> tuple[float, float]:
    """Seconds to seal a box to a key, and to open one."""
    key = suite.EncryptionKeyPair(secrets.token_bytes(32))
    boxes: list[bytes] = []
    sealing = timed(lambda: boxes.extend(suite.seal_to_key(key.public, bytes(32), b"") for _ in range(BOXES)))
    opening = timed(lambda: [key.open_sealed(box, b"") for box in boxes])
    return sealing / BOXES, opening / BOXES


def messages(room: Room) -> tuple[float, float]:
    """Seconds to make one message, and to open it."""
    text = bodies.TextBody("x" * CHARACTERS, action=False, reply=None)
    authors = [room.members[at % len(room.members)] for at in range(MESSAGES)]
    sent: list[bytes] = []
    sealing = timed(lambda: sent.extend(room.say(author, text)[2] for author in authors))
    batches = [room.batch(sent[at : at + TOGETHER]) for at in range(0, MESSAGES, TOGETHER)]

    def read() -> None:
        for payload in batches:
            room.open(payload)

    return sealing / MESSAGES, timed(read) / MESSAGES


def join(room: Room) -> tuple[float, int]:
    """Seconds for a host to let one in who is gone again after it, and bytes of the Welcome."""
    handshake_key, me, encryption_key = (
        HandshakeKey(secrets.token_bytes),
        Identity(secrets.token_bytes(32), ROOM),
        suite.EncryptionKeyPair(bytes(32)),
    )
    greeting = handshake_key.begin_handshake(ROOM, 0.0)
    asked = JoinRequest(secrets.token_bytes(32), me.key, encryption_key.public, "ann", bytes(64))
    signature = me.sign(identity.JOIN, handshake.join_content(greeting.hello, asked))
    asked = JoinRequest(asked.link_secret, asked.key, asked.encryption_key, asked.nick, signature)
    hello = handshake.read_hello(greeting.wire[padding.LENGTH :])
    client_handshake = handshake.seal_request(asked, ROOM, *hello, bytes(handshake.TICKET))[padding.LENGTH :]

    def let_in() -> int:
        request = greeting.open_request(client_handshake)
        assert isinstance(request, JoinRequest)
        content = handshake.join_content(greeting.hello, request)
        assert identity.is_signed(identity.JOIN, ROOM, content, request.signature, request.key)
        suite.seal_to_key(request.encryption_key, b"", b"")
        joined = bodies.JoinedBody(request.key, request.nick, suite.hash_data(request.encryption_key))
        header, body, _ = room.say(room.host, joined)
        room.take_entry(header, body)
        room.epoch.admit_member(identity.member_id(request.key))
        channel = Channel(request.link_secret, greeting.hello, up=False)
        key = secrets.token_bytes(32)
        sealed = welcome.seal_welcome(room.state(), request.encryption_key, ROOM, greeting.hello, key, room.host.sign)
        return len(channel.seal_frames(sealed))

    sizes: list[int] = []
    seconds = timed(lambda: sizes.append(let_in()))
    del room.epoch.ratchets[me.id]
    room.ledger.roster.remove_member(room.ledger.get_member(me.id))
    return seconds, sizes[0]


def removal(room: Room) -> tuple[float, float]:
    """Seconds for a host to put one out, with the commit shares of all others; bytes that one of them gets."""
    removed = bodies.Removal(room.members[-1].id, "kicked")
    links = [Channel(secrets.token_bytes(32), ROOM, up=False) for _ in room.others]
    got: list[int] = []

    def put_out() -> None:
        said = bodies.CommitBody(room.epoch.number + 1, [removed], renew=False)
        header, body = room.sign(room.host, said, COMMIT)
        room.take_entry(header, body)
        head, entry = room.head(), BackfilledEntry(header.pack(), body)
        committed = frames.BackfillFrame([entry], [room.ledger.group_context], head, head)
        secret = secrets.token_bytes(32)
        after, tag = room.epoch.follow(secret, room.ledger.digest, [member.id for member in room.members])
        turn = commit.CommitSecret(ROOM, after.number, room.ledger.digest, secret, tag)
        for link, member, key in zip(links, room.others, room.encryption_keys[1:], strict=True):
            share = frames.CommitShareFrame(turn.seal_share(member.id, key.public))
            got.append(len(link.seal_frames([committed, share])))

    seconds = timed(put_out)
    room.ledger.epoch = room.epoch.number
    room.ledger.add_member(room.members[-1].key, "removed", suite.hash_data(room.encryption_keys[-1].public))
    return seconds, max(got)


def crypto(sizes: Sequence[int], runs: int) -> Iterator[Result]:
    """What the keys of rooms of these sizes cost. opened: with signature, content and digest, as a member does."""
    for size in sizes:
        room = Room(min(size, limits.MEMBERS - 1))  # one more is let in
        found = [
            (raw_verify(), raw_sign(), *raw_boxes(), *messages(room), *join(room), *removal(room)) for _ in range(runs)
        ]
        verify, sign, box, unbox, sealing, opening, joining, joined, removing, shares = map(
            list, zip(*found, strict=True)
        )
        case, unit = f"{size} members", "a second of processor"
        opened, verified, sealed, signed = map(_per_second, (opening, verify, sealing, sign))
        floor_is, goal = "one verification a message", Goal(OPENED)
        yield Result(
            "messages opened", case, PROCESSOR, unit, opened, verified, floor_is, {}, goal, more_is_better=True
        )
        floor_is = "one signature a message"
        yield Result("messages sealed", case, PROCESSOR, unit, sealed, signed, floor_is, more_is_better=True)
        joins, floor_is = [seconds * MS for seconds in joining], "two boxes, three signatures"
        least = [sum(each) * MS for each in zip(box, unbox, verify, sign, sign, strict=True)]  # it makes two of them
        yield Result("a join, at the host", case, PROCESSOR, "ms", joins, least, floor_is)
        yield Result("a welcome", case, PROCESSOR, "bytes", [float(count) for count in joined])
        removals, floor_is = [seconds * MS for seconds in removing], "a box for each member"
        least = [seconds * len(room.others) * MS for seconds in box]
        yield Result("a removal, at the host", case, PROCESSOR, "ms", removals, least, floor_is)
        yield Result("a removal", case, PROCESSOR, "bytes a member", [float(count) for count in shares])


def _per_second(times: Sequence[float]) -> list[float]:
    return [1 / seconds for seconds in times]
