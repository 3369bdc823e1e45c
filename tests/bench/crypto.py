"""What the protocol's keys cost, without any network: messages, joins and removals, in rooms of several sizes.

Medians of several runs, in time of one processor. What bounds the opening of messages is printed first: raw Ed25519.
"""

import secrets
import time
from collections.abc import Callable, Sequence
from statistics import median

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from anonp2p import limits
from anonp2p.crypto import commit, identity, padding, suite
from anonp2p.crypto.epoch import COMMIT, ENTRY, Epoch, Header
from anonp2p.crypto.identity import Identity
from anonp2p.protocol import frames, handshake, welcome
from anonp2p.protocol.handshake import Channel, Door
from anonp2p.room.ledger import content_of, entry_content, padded_content
from anonp2p.room.retention import ANY, NO_HISTORY

CHARACTERS = 300  # of a message
TOGETHER = 50  # messages in a burst
MESSAGES = 400  # a run
RUNS = 7
ROOM = secrets.token_bytes(32)


class Room:
    """A host and so many members in all, each with the keys that it has. Only the host and one reader have an epoch."""

    def __init__(self, size: int) -> None:
        self.members = [Identity(secrets.token_bytes(32), ROOM) for _ in range(size)]
        self.host, *self.others = self.members
        self.leaves = [suite.LeafKey(secrets.token_bytes(32)) for _ in range(size)]
        self.index, self.digest = size, secrets.token_bytes(32)
        secret, ids = secrets.token_bytes(32), [member.id for member in self.members]
        self.epoch, self.reader = (Epoch.first(bytes(32), ROOM, ids[0]).next(secret, self.digest, ids)[0] for _ in "12")
        self.keys = {member.id: member.key for member in self.members}
        self.counter = 0

    def say(self, author: Identity, body: frames.Body, kind: int = ENTRY) -> tuple[Header, bytes, bytes]:
        """An entry as its author makes it: header, body, and as it is sealed."""
        self.counter += 1
        generation = self.epoch.chains[author.id].generation if kind == ENTRY else 0
        header = Header(kind, author.id, self.counter, generation)
        content = padded_content(frames.Content(self.index, self.digest, body))
        signature = author.sign(identity.ENTRY, entry_content(self.epoch.number, header.pack(), content))
        return header, signature + content, self.epoch.seal_entry(header, signature + content)

    def burst(self, entries: list[bytes]) -> bytes:
        """These as the host sends them."""
        return self.epoch.seal_burst(frames.pack(frames.Burst(entries, self.head())), secrets.token_bytes)

    def open(self, payload: bytes) -> None:
        """A burst, as a member does: opened, verified, decoded, in the log."""
        packed = self.reader.open_burst(payload[padding.LENGTH :])
        assert packed is not None
        for sealed in frames.unpack(frames.Burst, packed).entries:
            header, body = self.reader.open_entry(sealed)
            text = entry_content(self.reader.number, header.pack(), body[identity.SIGNATURE :])
            signature = body[: identity.SIGNATURE]
            assert identity.signed(identity.ENTRY, ROOM, text, signature, self.keys[header.author])
            content_of(body)
            self.index += 1
            self.digest = identity.chain(self.digest, self.index, header.pack(), suite.digest(body))

    def state(self) -> frames.State:
        """What a Welcome says of it."""
        chains = self.epoch.chains
        seats = [
            frames.Seat(
                member.key, "n" * 10, 1_000, False, bytes(32), chains[member.id].generation, chains[member.id].link
            )
            for member in self.members
        ]
        epoch = self.epoch
        keys = (epoch.init, epoch.log_key, epoch.newcomers)
        rules = (ANY, NO_HISTORY)
        return frames.State(
            "demo", False, self.host.id, *rules, epoch.number, *keys, self.head(), seats, since=self.index, base=None
        )

    def head(self) -> bytes:
        content = self.index.to_bytes(8, "big") + self.digest + bytes(8)
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


def messages(room: Room) -> tuple[float, float]:
    """Seconds to make one message, and to open it."""
    text = frames.Text("x" * CHARACTERS, action=False)
    authors = [room.members[at % len(room.members)] for at in range(MESSAGES)]
    sent: list[bytes] = []
    sealing = timed(lambda: sent.extend(room.say(author, text)[2] for author in authors))
    bursts = [room.burst(sent[at : at + TOGETHER]) for at in range(0, MESSAGES, TOGETHER)]

    def read() -> None:
        for payload in bursts:
            room.open(payload)

    return sealing / MESSAGES, timed(read) / MESSAGES


def join(room: Room) -> tuple[float, int]:
    """Seconds for a host to let one in who is gone again after it, and bytes of the Welcome."""
    door, me, leaf = Door(ROOM, secrets.token_bytes), Identity(secrets.token_bytes(32), ROOM), suite.LeafKey(bytes(32))
    greeting = door.greet(0.0)
    asked = frames.Join(secrets.token_bytes(32), me.key, leaf.public, "ann", bytes(64))
    signature = me.sign(identity.JOIN, handshake.join_content(greeting.hello, asked))
    asked = frames.Join(asked.link, asked.key, asked.leaf, asked.nick, signature)
    hello = handshake.read_hello(greeting.wire[padding.LENGTH :])
    knock = handshake.knock(asked, ROOM, *hello)[padding.LENGTH :]

    def let_in() -> int:
        request = greeting.open(knock)
        assert isinstance(request, frames.Join)
        content = handshake.join_content(greeting.hello, request)
        assert identity.signed(identity.JOIN, ROOM, content, request.signature, request.key)
        suite.seal_to(request.leaf, b"", b"")
        room.say(room.host, frames.Joined(request.key, request.nick, suite.digest(request.leaf)))
        room.epoch.admit(identity.member_id(request.key))
        channel = Channel(request.link, greeting.hello, up=False)
        key = secrets.token_bytes(32)
        sealed = welcome.seal(room.state(), request.leaf, ROOM, greeting.hello, key, room.host.sign)
        return len(channel.seal(sealed))

    sizes: list[int] = []
    seconds = timed(lambda: sizes.append(let_in()))
    del room.epoch.chains[me.id]
    return seconds, sizes[0]


def removal(room: Room) -> tuple[float, float]:
    """Seconds for a host to put one out, with the slices of all others; bytes that one of them gets."""
    removed = frames.Removal(room.members[-1].id, "kicked", "spam")
    links = [Channel(secrets.token_bytes(32), ROOM, up=False) for _ in room.others]
    got: list[int] = []

    def put_out() -> None:
        header, body, sealed = room.say(room.host, frames.Commit(room.epoch.number + 1, [removed]), COMMIT)
        room.digest = identity.chain(room.digest, room.index + 1, header.pack(), suite.digest(body))
        burst = room.burst([sealed])
        secret = secrets.token_bytes(32)
        after, tag = room.epoch.next(secret, room.digest, [member.id for member in room.members])
        turn = commit.Turn(ROOM, after.number, room.digest, secret, tag)
        for link, member, leaf in zip(links, room.others, room.leaves[1:], strict=True):
            sliced = link.seal([frames.Slice(turn.slice(member.id, leaf.public))])
            got.append(len(burst) + len(sliced))

    return timed(put_out), max(got)


def crypto(sizes: Sequence[int]) -> None:
    """What the keys of rooms of these sizes cost."""
    print("members  verify/s  sealed/s  opened/s  of verify  join ms  welcome B  removal ms  B/member")
    for size in sizes:
        room = Room(min(size, limits.MEMBERS))
        runs = [(raw_verify(), *messages(room), *join(room), *removal(room)) for _ in range(RUNS)]
        verify, sealing, opening, joining, joined, removing, slices = (
            median(column) for column in zip(*runs, strict=True)
        )
        print(
            f"{size:7,}  {1 / verify:8,.0f}  {1 / sealing:8,.0f}  {1 / opening:8,.0f}  {verify / opening:9.0%}  "
            f"{joining * 1e3:7.2f}  {joined:9,.0f}  {removing * 1e3:10.1f}  {slices:8,.0f}",
            flush=True,
        )
    print("verify: raw Ed25519. opened: with signature, content and digest, as a member does, from bursts.")
    print("join, removal: what the host does for it. B/member: a burst with the commit, and the slice.")
