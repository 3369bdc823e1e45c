"""What a second implementation of docs/PROTOCOL.md is held against; see scripts/vectors.

All bytes are in hex, texts in packed arrays are {"text": "..."}, and all seeds are hashes of their names. Values have
the clause that says how they come about before their names. HPKE makes another box each time: those that the files hold
stay, as long as they open to what they should.
"""

import argparse
import hmac
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from msgspec import msgpack

from anonp2p import limits
from anonp2p.core import frames, handshake, identity
from anonp2p.core.epochs import chain, commit, epoch, suite, welcome
from anonp2p.core.epochs.epoch import Epoch, Header
from anonp2p.core.identity import Identity
from anonp2p.errors import PeerFault

TARGET = Path(__file__).resolve().parent.parent / "tests" / "vectors"
FRAMED = (0, 1, 255, 256, limits.FRAME)  # bytes
LEFT_OUT = (0, 1, 10, limits.SKIPPED)

Vectors = dict[str, Any]


def seed(name: str) -> bytes:
    """32 bytes that stand for random ones."""
    return suite.digest(f"anonp2p vectors: {name}".encode())


ROOM = Identity(seed("room"), b"").key


class Person:
    """A member with its keys, which are all made from its name."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.me = Identity(seed(f"{name}'s key"), ROOM)
        self.leaf = suite.LeafKey(seed(f"{name}'s leaf"))
        self.counter = 0

    def vectors(self) -> Vectors:
        return {
            "key seed": seed(f"{self.name}'s key"),
            "key": self.me.key,
            "id": self.me.id,
            "id as shown": identity.spell(self.me.id),
            "leaf seed": seed(f"{self.name}'s leaf"),
            "leaf": self.leaf.public,
        }


class Boxes:
    """The boxes that the files hold, by what they are bound to."""

    def __init__(self, files: list[Any]) -> None:
        self._held = {found["info"]: bytes.fromhex(found["box"]) for found in _with_boxes(files)}

    def sealed(self, leaf: suite.LeafKey, text: bytes, info: bytes) -> Vectors:
        """The box of this text that is held, if there is one, or else a new one."""
        held = self._held.get(info.hex(), b"")
        try:
            as_it_is = leaf.open(held, info) == text
        except PeerFault:
            as_it_is = False
        return {"info": info, "text": text, "box": held if as_it_is else suite.seal_to(leaf.public, text, info)}


def _with_boxes(value: Any) -> Iterator[Any]:
    if isinstance(value, dict) and "box" in value:
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _with_boxes(inner)


# --- 0 Notation, 2.1


def notation(boxes: Boxes) -> Vectors:
    secret, ann = seed("a secret"), Person("ann")
    text, data = b"a text", b"vouched for"
    return {
        "0.4 expand": [
            {"secret": secret, "label": name, "context": context, "out": suite.expand(secret, name, context)}
            for name, context in (("key", b""), ("epoch", seed("a digest")), ("chain", ann.me.id))
        ],
        "0.4 extract": [{"salt": bytes(32), "secret": secret, "out": suite.extract(bytes(32), secret)}],
        "0.5 aead": [
            {
                "key": secret,
                "nonce": number,
                "text": text,
                "data": data,
                "out": suite.Key(secret).seal(number, text, data),
            }
            for number in (0, 1, 2**40)
        ],
        "0.6 leaf": [
            {"seed": seed(f"leaf {at}"), "public": suite.LeafKey(seed(f"leaf {at}")).public} for at in range(3)
        ],
        "0.6 box": {"leaf seed": seed("ann's leaf"), **boxes.sealed(ann.leaf, text, suite.label("example"))},
        "0.7 signature": {
            "key seed": seed("ann's key"),
            "label": "entry",
            "room": ROOM,
            "content": text,
            "signature": ann.me.sign(identity.ENTRY, text),
        },
        "2.1 payloads": [
            {
                "length": length,
                "payload is so many bytes of": b"x",
                "before it": frames.on_wire(b"x" * length)[: -length or 2],
            }
            for length in FRAMED
        ],
        "3.1 members": [Person(name).vectors() for name in ("host", "ann", "bob")],
    }


# --- 2 Hello, knock, records


def hello(name: str) -> tuple[Vectors, bytes]:
    door = suite.LeafKey(seed("door"))
    payload = frames.pack(frames.Hello(frames.VERSION, seed(f"nonce for {name}"), door.public))
    vectors = {"door seed": seed("door"), "nonce": seed(f"nonce for {name}"), "payload": payload}
    return {**vectors, "hello": suite.digest(payload)}, suite.digest(payload)


def knock(boxes: Boxes, request: frames.Request, content: bytes, digest: bytes) -> Vectors:
    info = suite.label("knock") + ROOM + digest
    box = boxes.sealed(suite.LeafKey(seed("door")), frames.pack(request), info)
    return {"signed": content, "request": fields(request), **box}


def handshakes(boxes: Boxes) -> Vectors:
    ann = Person("ann")
    joining, digest = hello("a join")
    join = frames.Join(seed("link 1"), ann.me.key, ann.leaf.public, "ann", bytes(64))
    content = handshake.join_content(digest, join)
    join = frames.Join(join.link, join.key, join.leaf, join.nick, ann.me.sign(identity.JOIN, content))
    coming_back, other = hello("a resume")
    resume = frames.Resume(seed("link 2"), ann.me.id, ann.leaf.public, 3, 2**40, seed("a digest"), bytes(64))
    position = handshake.resume_content(other, resume)
    signature = ann.me.sign(identity.RESUME, position)
    resume = frames.Resume(resume.link, resume.member, resume.leaf, 3, 2**40, resume.digest, signature)
    return {
        "2.2 hello, 2.4 knock": [
            {"room": ROOM, "2.2 hello": joining, "2.4 Join": knock(boxes, join, content, digest)},
            {"room": ROOM, "2.2 hello": coming_back, "2.4 Resume": knock(boxes, resume, position, other)},
        ],
        "2.6 records": records(join.link, digest),
    }


def records(link: bytes, digest: bytes) -> Vectors:
    leaf = suite.LeafKey(seed("another leaf")).public
    up: list[frames.Frame] = [
        frames.Beat(),
        frames.Submit(0, b"an entry"),
        frames.Leaf(leaf),
        frames.Submit(2**53 - 1, bytes(300)),
    ]
    down: list[frames.Frame] = [
        frames.Welcome(b"a box", 1, past=True),
        frames.Page(b"a part"),
        frames.Denied(7, "nick-taken"),
        frames.Refused("full"),
        frames.Resumed(2**32),
        frames.Past(Header(epoch.ENTRY, Person("bob").me.id, 5, 4).pack(), b"a body"),
        frames.Slice(b"a box"),
    ]
    ends = {"up": handshake.Channel(link, digest, up=True), "down": handshake.Channel(link, digest, up=False)}
    return {
        "link": link,
        "hello": digest,
        **{
            direction: {
                "key": suite.expand(link, direction, digest),
                "records": [
                    {"frame": type(frame).__name__, "fields": fields(frame), "payload": ends[direction].seal(frame)[2:]}
                    for frame in sent
                ],
            }
            for direction, sent in (("up", up), ("down", down))
        },
    }


def fields(packed: Any) -> Any:
    """As it is packed, its tag first, with texts told from bytes."""
    return _told_apart(msgpack.decode(frames.pack(packed)))


def _told_apart(value: Any) -> Any:
    if isinstance(value, list):
        return [_told_apart(inner) for inner in value]
    return {"text": value} if isinstance(value, str) else value


# --- 6.6


def chains(_: Boxes) -> Vectors:
    return {
        "6.6 a chain, one generation after the other": _links(seed("a chain"), [0, 0, 0, 0]),
        "6.6 the key of a generation before which so many were left out": [
            _links(seed("a chain"), [left_out])[0] for left_out in LEFT_OUT
        ],
    }


def _links(first: bytes, left_out: list[int]) -> list[Vectors]:
    author, found = chain.Chain(first), []
    for more in left_out:
        before, generation = author.link, author.generation + more
        author.take(generation)
        skipped = chain.Chain(before)
        if more:
            skipped.take(more - 1)
        key = suite.expand(skipped.link, "key")
        found.append({"link before": before, "generation": generation, "key": key, "link after": author.link})
    return found


# --- 4 The log, 6 Epochs, 7 Welcome


class Story:
    """A room from its beginning into its second epoch: a host lets ann and bob in, they talk, it throws bob out."""

    def __init__(self, boxes: Boxes) -> None:
        self._boxes = boxes
        self._host, self._ann, self._bob = Person("host"), Person("ann"), Person("bob")
        self._index, self._digest = 0, identity.genesis(ROOM)
        self._told: list[Vectors] = []
        self._schedule: list[Vectors] = []
        self._epoch = Epoch.first(seed("fresh secret of epoch 0"), self._digest, self._host.me.id)
        self._show_epoch(0, bytes(32), seed("fresh secret of epoch 0"), self._digest, [self._host], {})

    def log(self) -> Vectors:
        """Tells it all."""
        empty = self._digest
        self._entry(self._host, self._joined(self._ann))
        self._admit(self._ann)
        self._head(1_000)
        self._welcome = self._show_welcome()
        self._entry(self._host, self._joined(self._bob))
        self._admit(self._bob)
        self._head(1_250)
        self._entry(self._ann, frames.Text("Hello, \u263a", action=False))
        self._entry(self._bob, frames.Nick("robert"), left_out=3)
        self._entry(self._ann, frames.Text("waves", action=True), counters=3)
        self._head(60_000)
        self._commit(frames.Commit(1, [frames.Removal(self._bob.me.id, "kicked", "spam")]))
        renewed = suite.LeafKey(seed("ann's next leaf")).public
        self._entry(self._ann, frames.Renew(suite.digest(renewed)))
        self._entry(self._host, frames.Lock(locked=True))
        self._entry(self._host, frames.Lost(self._ann.me.id))
        self._entry(self._host, frames.Back(self._ann.me.id))
        self._entry(self._ann, frames.Leave())
        self._entry(self._host, frames.Close())
        self._head(2**40)
        return {"room": ROOM, "4.6 digest without entries": empty, "4 in the order of the wire": self._told}

    def schedule(self) -> Vectors:
        return {"room": ROOM, "6.2-6.5 epochs": self._schedule}

    def welcome(self) -> Vectors:
        return self._welcome

    def _joined(self, member: Person) -> frames.Joined:
        return frames.Joined(member.me.key, member.name, suite.digest(member.leaf.public))

    def _entry(self, author: Person, body: frames.Body, *, left_out: int = 0, counters: int = 1) -> None:
        author.counter += counters
        is_commit = isinstance(body, frames.Commit)
        link = self._epoch.chains[author.me.id]
        generation = 0 if is_commit else link.generation + left_out
        header = Header(epoch.COMMIT if is_commit else epoch.ENTRY, author.me.id, author.counter, generation)
        if is_commit:
            key = suite.expand(self._epoch.init, "commit", header.pack())
        else:
            key = _links(link.link, [left_out])[0]["key"]
        content = frames.pack(frames.Content(self._index, self._digest, body))
        signed = self._epoch.number.to_bytes(8, "big") + header.pack() + content
        text = author.me.sign(identity.ENTRY, signed) + content
        payload = self._epoch.seal_entry(header, text)
        self._index += 1
        self._digest = identity.chain(self._digest, self._index, header.pack(), text)
        self._told.append(
            {
                "kind": header.kind,
                "says": type(body).__name__,
                "author": author.me.id,
                "counter": header.counter,
                "generation": header.generation,
                "4.1 header": header.pack(),
                "4.1 header key": self._epoch.header_key,
                "4.1 header nonce": payload[-16:-4],
                "4.2, 4.3 body key": key,
                "4.4 content": content,
                "4.4 content, unpacked": fields(frames.unpack(frames.Content, content)),
                "4.4 signed": signed,
                "4.4 signing key": author.me.key,
                "4.4 body": text,
                "payload": payload,
                "4.7 index": self._index,
                "4.6 digest": self._digest,
            }
        )

    def _head(self, time: int) -> None:
        content = self._index.to_bytes(8, "big") + self._digest + time.to_bytes(8, "big")
        counter = self._epoch.heads
        text = content + self._host.me.sign(identity.HEAD, content)
        self._told.append(
            {
                "kind": epoch.HEAD,
                "counter": counter,
                "4.1 header key": self._epoch.header_key,
                "4.5 head key": self._epoch.head_key,
                "4.5 time": time,
                "4.5 signed": content,
                "4.5 signing key": self._host.me.key,
                "4.5 body": text,
                "payload": self._epoch.seal_head(text),
            }
        )
        self._latest = text

    def _admit(self, member: Person) -> None:
        before = self._epoch.newcomers
        self._epoch.admit(member.me.id)
        first = self._epoch.chains[member.me.id].link
        after = self._epoch.newcomers
        self._schedule[-1]["6.5 newcomers"].append(
            {"newcomers": before, "id": member.me.id, "chain": first, "after": after}
        )

    def _commit(self, said: frames.Commit) -> None:
        self._entry(self._host, said)
        self._head(61_000)
        fresh, init = seed("fresh secret of epoch 1"), self._epoch.init
        members = [self._host, self._ann]
        rows = [[member.me.key, member.name, False, suite.digest(member.leaf.public)] for member in members]
        array = frames.pack_plain(["demo", False, self._host.me.id, rows])
        standing = identity.standing(self._digest, array)
        self._epoch, tag = self._epoch.next(fresh, standing, [member.me.id for member in members])
        self._show_epoch(1, init, fresh, standing, members, {"6.2 digest": self._digest, "6.2 array": array})
        turn = commit.Turn(ROOM, 1, standing, fresh, tag)
        info = suite.label("slice") + ROOM + self._ann.me.id + (1).to_bytes(8, "big") + turn.standing
        box = self._boxes.sealed(self._ann.leaf, fresh + tag, info)
        self._schedule[-1]["6.9 slice"] = {"leaf seed": seed("ann's leaf"), "member": self._ann.me.id, **box}

    def _show_epoch(
        self, number: int, init: bytes, fresh: bytes, standing: bytes, members: list[Person], array: Vectors
    ) -> None:
        secret = suite.expand(suite.extract(init, fresh), "epoch", standing)
        confirm = suite.expand(secret, "confirm")
        opened = self._epoch
        self._schedule.append(
            {
                "epoch": number,
                "6.2 init before": init,
                "6.2 fresh secret": fresh,
                **array,
                "6.2 standing": standing,
                "6.2 secret": secret,
                "6.3 init": opened.init,
                "6.3 header key": opened.header_key,
                "6.3 head key": opened.head_key,
                "6.3 newcomers": opened.newcomers,
                "6.3 confirmation key": confirm,
                "6.4 tag": hmac.digest(confirm, standing, "sha256"),
                "6.3 chains": [{"id": member.me.id, "chain": opened.chains[member.me.id].link} for member in members],
                "6.5 newcomers": [],
            }
        )

    def _show_welcome(self) -> Vectors:
        greeted, digest = hello("a join")
        seats = [
            frames.Seat(
                member.me.key,
                member.name,
                member.counter,
                False,
                suite.digest(member.leaf.public),
                self._epoch.chains[member.me.id].generation,
                self._epoch.chains[member.me.id].link,
            )
            for member in (self._host, self._ann)
        ]
        now = self._epoch
        keys = (now.init, now.header_key, now.head_key, now.newcomers)
        state = frames.State("demo", False, self._host.me.id, now.number, *keys, self._latest, seats)
        key = seed("key of the welcome")
        sealed = welcome.seal(state, self._ann.leaf.public, ROOM, digest, key, self._host.me.sign)
        pages = [frame.part for frame in sealed if isinstance(frame, frames.Page)]
        array = frames.pack(state)
        return {
            "room": ROOM,
            "2.2 hello": greeted,
            "leaf seed": seed("ann's leaf"),
            "7.1 box": self._boxes.sealed(self._ann.leaf, key, suite.label("welcome") + ROOM + digest),
            "7.1 array": array,
            "7.1 array, unpacked": fields(state),
            "7.1 signed": digest + suite.digest(array),
            "7.1 signing key": self._host.me.key,
            "7.1 text": suite.Key(key).open(0, b"".join(pages)),
            "7.1 pages": pages,
        }


def made(boxes: Boxes) -> dict[str, Vectors]:
    """All vectors, by the names of their files."""
    story = Story(boxes)
    return {
        "notation": notation(boxes),
        "handshake": handshakes(boxes),
        "chains": chains(boxes),
        "log": story.log(),
        "epochs": story.schedule(),
        "welcome": story.welcome(),
    }


def files(target: Path) -> dict[Path, str]:
    """What should be in each file of this folder, which may hold them already."""
    held = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(target.glob("*.json"))]
    return {
        target / f"{name}.json": json.dumps(vectors, indent=2, default=bytes.hex) + "\n"
        for name, vectors in made(Boxes(held)).items()
    }


def differing(target: Path) -> list[Path]:
    """Files that are missing, that say something else, or that nobody makes."""
    wanted = files(target)
    found = {path: path.read_text(encoding="utf-8") for path in target.glob("*.json")}
    return sorted(path for path in wanted.keys() | found.keys() if wanted.get(path) != found.get(path))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; end with 1 if anything differs")
    if parser.parse_args().check:
        others = differing(TARGET)
        for path in others:
            print(f"{path.relative_to(TARGET.parent.parent)} differs: run scripts/vectors", file=sys.stderr)
        sys.exit(bool(others))
    TARGET.mkdir(exist_ok=True)
    for path, text in files(TARGET).items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
