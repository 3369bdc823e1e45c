"""What a second implementation of docs/PROTOCOL.md is held against; see scripts/vectors.

All bytes are in hex, texts in packed arrays are {"text": "..."}, and all seeds are hashes of their names. Values have
the clause that says how they come about before their names. HPKE makes another box each time: those that the files hold
stay, as long as they open to what they should.
"""

import argparse
import hmac
import json
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from msgspec import msgpack

from anonp2p import limits
from anonp2p.crypto import epoch, identity, invitations, padding, private, ratchet, suite
from anonp2p.crypto.epoch import FLEETING, KEPT, Epoch, Header
from anonp2p.crypto.identity import Identity
from anonp2p.errors import PeerFault
from anonp2p.names import confusables, nicks, safety_words, words
from anonp2p.names.codes import RoomKey
from anonp2p.names.safety_words import Mark, Marks
from anonp2p.protocol import appointment, bodies, credentials, frames, handshake, room_state, welcome
from anonp2p.protocol.batches import Backfilled, BackfilledEntry, Batch, RetractedEntry, Tombstone
from anonp2p.protocol.field_types import Invited, Opening
from anonp2p.protocol.meeting import meet_content, sign_meet, sign_redirect
from anonp2p.protocol.packing import pack
from anonp2p.protocol.requests import AnyRequest, JoinRequest, MeetRequest, ResumeRequest
from anonp2p.protocol.rights import Rights
from anonp2p.room import contents
from anonp2p.room.invitations import found_private
from anonp2p.room.ledger import Ledger
from anonp2p.room.log.log import Log, LogEntry, Retraction
from tests.vectors.negative import negative
from tests.vectors.private_rooms import private_rooms
from tests.vectors.succession import succession
from tests.vectors.transcripts import transcripts
from tests.vectors.transfers import transfers

TARGET = Path(__file__).resolve().parent
FILLED = (0, 1, 460, 461, 941, 1_900, 3_340 - 12, 3_341, 61_420 - 16)  # bytes
LEFT_OUT = (0, 1, 10, limits.SKIPPED)

Vectors = dict[str, Any]


def seed(name: str) -> bytes:
    """32 bytes that stand for random ones."""
    return suite.hash_data(f"anonp2p vectors: {name}".encode())


ROOM_KEY = RoomKey(seed("room"))
INVITATION = invitations.derive_key(seed("a pool"), 0)  # the key of one
MEMBERS_KEY = invitations.derive_members_key(seed("a pool"))
CLIENTS = frames.ClientsFrame(list(invitations.list_clients(seed("a pool"))))
ROOM = ROOM_KEY.public


class Person:
    """A member with its keys, which are all made from its name."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.me = Identity(seed(f"{name}'s key"), ROOM)
        self.key = suite.EncryptionKeyPair(seed(f"{name}'s encryption key"))
        self.counter = 0

    def vectors(self) -> Vectors:
        return {
            "key seed": seed(f"{self.name}'s key"),
            "key": self.me.key,
            "id": self.me.id,
            "id as shown": identity.spell_member(self.me.id),
            "encryption key seed": seed(f"{self.name}'s encryption key"),
            "encryption key": self.key.public,
        }


class Boxes:
    """The boxes that the files hold, by what they are bound to."""

    _seal = staticmethod(suite.seal_to_key)  # as it is, whoever puts another one in its place meanwhile

    def __init__(self, files: list[Any]) -> None:
        self._held = {found["info"]: bytes.fromhex(found["box"]) for found in _with_boxes(files)}

    def sealed(self, key: suite.EncryptionKeyPair, text: bytes, info: bytes) -> Vectors:
        """The box of this text that is held, if there is one, or else a new one, which is held from now on."""
        held = self._held.get(info.hex(), b"")
        try:
            as_it_is = key.open_sealed(held, info) == text
        except PeerFault:
            as_it_is = False
        box = self._held[info.hex()] = held if as_it_is else self._seal(key.public, text, info)
        return {"info": info, "text": text, "box": box}


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
            for name, context in (("key", b""), ("epoch", seed("a digest")), ("ratchet", ann.me.id))
        ],
        "0.4 extract": [{"salt": bytes(32), "secret": secret, "out": suite.extract(bytes(32), secret)}],
        "0.5 aead": [
            {
                "key": secret,
                "nonce": number,
                "text": text,
                "data": data,
                "out": suite.Key(secret).seal_text(number, text, data),
            }
            for number in (0, 1, 2**40)
        ],
        "0.6 encryption key": [
            {
                "seed": seed(f"encryption key {at}"),
                "public": suite.EncryptionKeyPair(seed(f"encryption key {at}")).public,
            }
            for at in range(3)
        ],
        "0.6 box": {
            "encryption key seed": seed("ann's encryption key"),
            **boxes.sealed(ann.key, text, suite.label("example")),
        },
        "0.7 signature": {
            "key seed": seed("ann's key"),
            "label": "entry",
            "room": ROOM,
            "content": text,
            "signature": ann.me.sign(identity.ENTRY, text),
        },
        "0.8 pad": [{"text": text, "n": size, "out": padding.pad_text(text, size)} for size in (len(text) + 2, 32)],
        "2.1 payloads": [
            {"length": size, "before it": padding.frame_content(bytes(size - padding.LENGTH))[: padding.LENGTH]}
            for size in padding.SIZES
        ],
        "2.1 filled": [
            {"length": length, "beside it": beside, "filled": len(padding.fill_payload(bytes(length), beside))}
            for beside in (suite.TAG, suite.NONCE + suite.TAG)
            for length in FILLED
        ],
        "3.1 members": [Person(name).vectors() for name in ("host", "ann", "bob")],
    }


# --- 2 Hello, client handshake, records


def hello(name: str) -> tuple[Vectors, bytes]:
    handshake_key = suite.EncryptionKeyPair(seed("handshake key"))
    greeting = handshake.HostHandshake(seed(f"nonce for {name}"), ROOM, handshake_key)
    content = greeting.wire[padding.LENGTH :]
    vectors = {"handshake key seed": seed("handshake key"), "nonce": seed(f"nonce for {name}"), "content": content}
    return {**vectors, "hello": greeting.hello}, greeting.hello


def client_handshake(boxes: Boxes, request: AnyRequest, content: bytes, digest: bytes, ticket: bytes) -> Vectors:
    info = suite.label("client handshake") + ROOM + digest
    padded = padding.pad_text(pack(request), 2_206)
    box = boxes.sealed(suite.EncryptionKeyPair(seed("handshake key")), padded, info)
    return {"signed": content, "request": fields(request), **box, "ticket": ticket, "content": ticket + box["box"]}


def handshakes(boxes: Boxes) -> Vectors:
    ann = Person("ann")
    joining, digest = hello("a join")
    known = 2**40, seed("a digest"), _invited(ann)
    join = JoinRequest(seed("link 1"), ann.me.key, ann.key.public, "ann", bytes(64), *known)
    content = handshake.join_content(digest, join)
    signature = ann.me.sign(identity.JOIN, content)
    join = JoinRequest(join.link_secret, join.key, join.encryption_key, join.nick, signature, *known)
    coming_back, other = hello("a resume")
    terms = [Opening(0, Person("host").me.id, 0, seed("no log")), Opening(5, Person("bob").me.id, 77, seed("a log"))]
    said = seed("link 2"), ann.me.id, ann.key.public, 3, 2**40, seed("a digest"), terms, True
    resume = ResumeRequest(*said, bytes(64))
    position = handshake.resume_content(other, resume)
    signature = ann.me.sign(identity.RESUME, position)
    resume = ResumeRequest(*said, signature)
    asked = client_handshake(boxes, join, content, digest, seed("no ticket")[: handshake.TICKET])
    ticket = handshake.Channel(join.link_secret, digest, up=True).ticket
    asked_again = client_handshake(boxes, resume, position, other, ticket)
    meeting, third = hello("a meeting")
    openings = [Opening(0, Person("host").me.id, 0, seed("empty log")), Opening(5, ann.me.id, 6, seed("a log"))]
    unsigned = MeetRequest(seed("link 3"), ann.me.id, seed("an address"), 9, seed("a digest"), openings, bytes(64))
    meet = sign_meet(unsigned, ROOM, third, ann.me)
    met = client_handshake(boxes, meet, meet_content(meet, third), third, seed("no ticket either")[: handshake.TICKET])
    return {
        "2.2 hello, 2.4 client handshake": [
            {"room": ROOM, "2.2 hello": joining, "2.4 Join": asked},
            {"room": ROOM, "2.2 hello": coming_back, "2.4 Resume": asked_again},
            {"room": ROOM, "2.2 hello": meeting, "2.4 Meet": met},
        ],
        "2.6 records": records(join.link_secret, digest),
    }


def records(link: bytes, digest: bytes) -> Vectors:
    key = suite.EncryptionKeyPair(seed("another key")).public
    bob, host = Person("bob").me.id, Person("host").me
    vouched = credentials.sign_credentials(ROOM_KEY, host.key)
    head = bytes(range(112))
    backfilled: list[Backfilled] = [
        BackfilledEntry(Header(epoch.ENTRY, bob, 5, 4).pack(), b"a body"),
        Tombstone(Header(epoch.ENTRY, bob, 7, 5, 60).pack(), seed("a body")),
    ]
    openings = [Opening(0, host.id, 0, seed("empty log")), Opening(5, bob, 6, seed("a log"))]
    proof = [frames.SignedEntry(3, bytes(33), b"a body"), frames.SignedEntry(4, bytes(33), b"another")]
    where = frames.Where(5, bob, seed("an address"), 7, seed("a longer log"), openings, proof)
    redirect = sign_redirect(where, ROOM, digest, Person("bob").me)
    up: list[tuple[list[frames.Frame], bool]] = [
        ([], False),
        ([], True),
        ([frames.SubmitFrame(0, b"an entry"), frames.SubmitFrame(0, b"another")], False),
        ([frames.KeyFrame(key), frames.KeyRequestFrame(seed("a key"))], True),
        ([frames.SubmitFrame(2**53 - 1, b"an entry")] * limits.FRAMES, False),
        (
            [
                frames.AbleFrame(),
                frames.PoolRequestFrame(),
                appointment.sign_address(RoomKey(seed("own service")), ROOM_KEY.public, bob),
            ],
            False,
        ),
        ([frames.EchoFrame(), frames.StraysFrame(2)], False),
        ([frames.ReportFrame(True, 7, seed("a log"), openings), redirect], False),
    ]
    down: list[tuple[list[frames.Frame], bool]] = [
        ([frames.WelcomeFrame(b"a box", 1), frames.PageFrame(b"a part")], False),
        ([], False),
        ([frames.DeniedFrame(7, "nick-taken"), frames.DeniedFrame(8, "too-often")], False),
        ([credentials.sign_refusal("full", digest, vouched, host.sign)], False),
        ([credentials.sign_resumption(head, digest, host.sign)], False),
        ([frames.BackfillFrame(backfilled, [seed("a group context"), None], head, head)], False),
        ([frames.ProofFrame([bytes(range(65)), bytes(range(97))])], False),
        ([frames.CommitShareFrame(b"a box"), frames.KeyNotFoundFrame(seed("a key"))], False),
        ([frames.KeyResponseFrame(key)], False),
        ([frames.PrepareFrame(), frames.EntrustFrame(b"a box"), frames.PoolFrame(b"a box"), CLIENTS], False),
        ([frames.EchoedFrame(), frames.WaitingFrame(bytes(64)), frames.HostLivesFrame(), frames.AskHostFrame()], False),
        ([redirect, frames.WantFrame(7, seed("a log"), openings)], False),
        ([credentials.sign_hold(digest, vouched, host.sign)], False),
        ([frames.KnockersFrame([frames.KnockEntry(seed("a key"), "zoe", 7)])], False),
    ]
    ends = {"up": handshake.Channel(link, digest, up=True), "down": handshake.Channel(link, digest, up=False)}
    return {
        "link": link,
        "hello": digest,
        **{
            direction: {
                "first chain key": suite.expand(link, direction, digest),
                "records": [
                    {
                        **({"echo": echo} if direction == "up" else {}),
                        "frames": [spec_name(frame) for frame in said],
                        "2.7 frames": [fields(frame) for frame in said],
                        "content": ends[direction].seal_frames(said, echo=echo)[padding.LENGTH :],
                    }
                    for said, echo in sent
                ],
            }
            for direction, sent in (("up", up), ("down", down))
        },
    }


def spec_name(value: object) -> str:
    """What PROTOCOL.md calls the class of a body, a request or a frame."""
    return type(value).__name__.removesuffix("Body").removesuffix("Request").removesuffix("Frame")


def fields(packed: Any) -> Any:
    """As it is packed, its tag first, with texts told from bytes."""
    return _told_apart(msgpack.decode(pack(packed)))


def _told_apart(value: Any) -> Any:
    if isinstance(value, list):
        return [_told_apart(inner) for inner in value]
    return {"text": value} if isinstance(value, str) else value


# --- 6.6


def ratchets(_: Boxes) -> Vectors:
    return {
        "6.6 a ratchet, one generation after the other": _keys(seed("a ratchet"), [0, 0, 0, 0]),
        "6.6 the key of a generation before which so many were left out": [
            _keys(seed("a ratchet"), [left_out])[0] for left_out in LEFT_OUT
        ],
    }


def _keys(first: bytes, left_out: list[int]) -> list[Vectors]:
    author, found = ratchet.Ratchet(first), []
    for more in left_out:
        before, generation = author.chain_key, author.generation + more
        author.take_key(generation)
        skipped = ratchet.Ratchet(before)
        if more:
            skipped.take_key(more - 1)
        key = suite.expand(skipped.chain_key, "key")
        found.append(
            {"chain key before": before, "generation": generation, "key": key, "chain key after": author.chain_key}
        )
    return found


# --- 4 The log, 5 Order, 6 Epochs, 7 Welcome

RETENTION = room_state.RetentionPolicy(FLEETING, 3_600, KEPT)
HISTORY = room_state.HistoryPolicy(100, 0)
CONTENTS = b"A report. " * 10_000
HASH_LIST = b"".join(suite.hash_data(CONTENTS[at : at + 65_536]) for at in (0, 65_536))
OFFERED = bodies.FileOffer(
    len(CONTENTS), suite.hash_data(HASH_LIST), RoomKey(seed("an offer")).public, seed("secret of an offer")
)
EMPTY = bodies.FileOffer(0, suite.hash_data(b""), RoomKey(seed("an empty offer")).public, seed("secret of another"))
EXACT = 64  # characters of a text whose content is padded by nothing but its length


def _invited(guest: Person) -> Invited:
    client = invitations.find_client(guest.me.return_key)
    signature = invitations.sign_invited(INVITATION, guest.me.key, client)
    return Invited(invitations.find_invitation(INVITATION), client, signature)


class Story:
    """A room from its beginning into its second epoch: a host lets ann and bob in, they talk, it throws bob out."""

    def __init__(self, boxes: Boxes) -> None:
        self._boxes = boxes
        self._host, self._ann, self._bob = Person("host"), Person("ann"), Person("bob")
        self._room = Ledger(ROOM)
        self._room.name, self._room.retention, self._room.history = "demo", RETENTION, HISTORY
        joined = self._joined(self._host)
        self._room.host = self._room.add_member(joined.key, joined.nick, joined.key_hash).id
        self._room.rights = found_private(Rights(moderators=(self._room.host,)), self._host.me, MEMBERS_KEY)
        self._room.begin_log()
        self._log = Log()
        self._told: list[Vectors] = []
        self._entries: list[Vectors] = []  # in no batch yet
        self._boxed: list[Vectors] = []
        self._backfills: list[Vectors] = []
        self._retracts: dict[bytes, int] = {}  # their indices, by their bodies
        self._schedule: list[Vectors] = []
        self._epoch = Epoch.begin(seed("fresh secret of epoch 0"), self._room.digest, self._host.me.id)
        self._show_epoch(0, bytes(32), seed("fresh secret of epoch 0"))

    def log(self) -> Vectors:
        """Tells it all."""
        empty, began = self._room.digest, self._group_context()
        snapshot = room_state.RoomSnapshot(
            empty, 0, self._room.rights, [self._snapshot_entry(self._host)], self._room.term
        )
        self._say(self._host, bodies.InviteBody(invitations.find_invitation(INVITATION), 0, 2, MEMBERS_KEY))
        self._say(self._host, self._joined(self._ann))
        self._admit(self._ann)
        self._batch(1_000)
        self._welcome = self._show_welcome(snapshot)
        self._backfill(1)
        self._say(self._host, self._joined(self._bob))
        self._admit(self._bob)
        self._batch(1_250)
        self._say(self._ann, bodies.TextBody("Hello, \u263a", action=False, reply=None))
        self._say(self._bob, bodies.NickBody("robert"), left_out=3)
        self._say(
            self._ann,
            bodies.TextBody("waves", action=True, reply=bodies.EntryId(self._ann.me.id, 1)),
            counters=3,
            ttl=60,
        )
        self._say(self._bob, bodies.TextBody("x" * EXACT, action=False, reply=None), ttl=FLEETING)
        self._say(self._bob, bodies.TextBody("x" * (EXACT + 1), action=False, reply=None), ttl=3_600)
        only_bob = bodies.PrivateText("Only you read this.", bodies.EntryId(self._bob.me.id, 2))
        self._whisper(self._ann, self._bob, only_bob, ttl=120)
        self._batch(60_000)
        self._batch(65_000)
        self._say(self._host, bodies.RemoveBody([self._bob.me.id], "noise", ban=True))
        self._batch(65_500)
        self._commit(bodies.CommitBody(1, [bodies.Removal(self._bob.me.id, "kicked")], renew=False))
        self._backfill(self._room.index)
        renewed = suite.EncryptionKeyPair(seed("ann's next encryption key")).public
        self._say(self._ann, bodies.RenewBody(suite.hash_data(renewed)))
        self._say(self._host, bodies.LockBody(locked=True))
        self._say(self._host, bodies.RoleBody(self._ann.me.id, "moderator"))
        self._say(self._ann, bodies.RaidBody(on=True))
        self._say(self._ann, bodies.AdmitBody(self._bob.me.key, admitted=True))
        self._say(self._ann, bodies.UnbanBody(self._bob.me.id))
        self._say(self._ann, bodies.KeepBody(self._host.me.id))
        self._say(self._host, bodies.KnockBody(on=False))
        self._say(self._host, bodies.SlowBody(30))
        self._say(self._host, bodies.AwayBody(self._ann.me.id))
        self._say(self._host, bodies.BackBody(self._ann.me.id))
        self._retract(self._ann, 1, at=4)
        self._say(self._ann, bodies.TextBody("report.pdf", action=False, reply=None, file=OFFERED), ttl=3_600)
        self._whisper(self._ann, self._host, bodies.PrivateText("empty", None, file=EMPTY), ttl=3_600)
        self._say(self._host, bodies.RevokeBody(invitations.find_invitation(INVITATION)))
        another = invitations.derive_members_key(seed("another pool"))
        self._say(self._host, bodies.CodeBody(RoomKey(seed("another code")).public, another))
        self._say(self._ann, bodies.LeaveBody())
        self._say(self._host, bodies.CloseBody())
        self._batch(66_000)
        self._log.expire_entries(60_000 + 60_000, 0)
        self._log.head = self._sign_head(60_000 + 60_000)
        self._backfill(4)
        self._backfill(6)
        return {
            "room": ROOM,
            "4.8 group context without entries": began,
            "4.6 digest without entries": empty,
            "4.5 in the order of the wire": self._told,
            "5.13 backfills": self._backfills,
            "5.15 boxes": self._boxed,
            "5e.5 claim": self._claim(self._bob),
        }

    def schedule(self) -> Vectors:
        return {"room": ROOM, "6.2-6.5 epochs": self._schedule}

    def welcome(self) -> Vectors:
        return self._welcome

    def _joined(self, member: Person) -> bodies.JoinedBody:
        invited = None if member is self._host else _invited(member)
        return bodies.JoinedBody(member.me.key, member.name, suite.hash_data(member.key.public), invited)

    def _snapshot_entry(self, member: Person) -> room_state.SnapshotEntry:
        return room_state.SnapshotEntry(
            member.me.key, member.name, member.counter, False, suite.hash_data(member.key.public)
        )

    def _whisper(self, author: Person, to: Person, said: bodies.PrivateText, *, ttl: int) -> None:
        info = private.bind_message(ROOM, self._epoch.number, author.me.id, author.counter + 1, to.me.id)
        box = self._boxes.sealed(to.key, pack(said), info)
        about = {"epoch": self._epoch.number, "author": author.me.id, "counter": author.counter + 1}
        whose = {"recipient": to.me.id, "encryption key seed": seed(f"{to.name}'s encryption key")}
        self._boxed.append({**about, **whose, "text, unpacked": fields(said), **box})
        self._say(author, bodies.PrivateBody(box["box"]), ttl=ttl)

    @staticmethod
    def _claim(fetcher: Person) -> Vectors:
        challenge = seed("the sender's half") + seed("the fetcher's half")
        signed = fetcher.me.sign(identity.FETCH, OFFERED.address + challenge)
        about = {"member": fetcher.me.id, "signing key": fetcher.me.key, "address": OFFERED.address}
        return {**about, "challenge": challenge, "claim": fetcher.me.id + signed}

    def _retract(self, author: Person, counter: int, *, at: int) -> None:
        """The author takes back the message with this counter, which has this index."""
        self._say(author, bodies.RetractBody(counter))
        said = self._entries[-1]
        self._retracts[said["4.4 body"]] = self._room.index
        self._log.retract_entry(at, Retraction(self._epoch.number, said["4.1 header"], said["4.4 body"]))

    def _retract_of(self, shown: Backfilled) -> Vectors | None:
        """Where the Retract stands that a retracted entry is shown with."""
        if not isinstance(shown, RetractedEntry):
            return None
        return {"index": self._retracts[shown.retract_body], "epoch": shown.epoch}

    def _say(self, author: Person, body: bodies.Body, *, left_out: int = 0, counters: int = 1, ttl: int = KEPT) -> None:
        author.counter += counters
        is_commit = isinstance(body, bodies.CommitBody)
        ratchet_ = self._epoch.ratchets[author.me.id]
        generation = 0 if is_commit else ratchet_.generation + left_out
        header = Header(epoch.COMMIT if is_commit else epoch.ENTRY, author.me.id, author.counter, generation, ttl)
        key = None if is_commit else _keys(ratchet_.chain_key, [left_out])[0]["key"]
        before, context = self._room.digest, self._room.group_context
        salt = seed(f"salt of entry {self._room.index + 1}")[: limits.SALT]
        content = bodies.Content(salt, self._room.index, before, body)
        padded = contents.padded_content(content)
        signed = contents.entry_content(self._epoch.number, header.pack(), padded)
        text = author.me.sign(identity.ENTRY, signed) + padded
        sealed = b"" if is_commit else self._epoch.seal_entry(header, text)
        self._room.take_entry(self._room.get_member(author.me.id), header, content, suite.hash_data(text))
        changed = None if self._room.group_context == context else self._room.group_context
        self._latest = room_state.LatestEntry(before, header.pack(), suite.hash_data(text))
        self._log.append_entry(sealed, LogEntry(header.pack(), suite.hash_data(text), text, ttl, changed))
        self._entries.append(
            {
                "kind": header.kind,
                "says": spec_name(body),
                "author": author.me.id,
                "counter": header.counter,
                "generation": header.generation,
                "ttl": header.ttl,
                "4.1 header": header.pack(),
                "4.2 body key": key,
                "4.4 content, unpacked": fields(content),
                "4.4 content": pack(content),
                "4.4 padded": padded,
                "4.4 signed": signed,
                "4.4 signing key": author.me.key,
                "4.4 body": text,
                "4.1 entry": sealed or None,
                "4.7 index": self._room.index,
                "4.8 group context, if it is another": self._group_context() if changed else None,
                "4.6 digest": self._room.digest,
            }
        )

    def _sign_head(self, time: int) -> bytes:
        content = contents.head_content(self._room.index, self._room.digest, time)
        return content + self._host.me.sign(identity.HEAD, content)

    def _shown_head(self, time: int) -> Vectors:
        return {
            "4.5 time": time,
            "4.5 signed": self._head[:48],
            "4.5 signing key": self._host.me.key,
            "4.5 head": self._head,
        }

    def _batch(self, time: int) -> None:
        self._head = self._sign_head(time)
        nonce = seed(f"nonce of the batch at {time}")[: suite.NONCE]
        entries, contexts = [sealed for _, sealed in self._log.unsealed], [it.context for it, _ in self._log.unsealed]
        packed = pack(Batch(entries, contexts, self._head))
        wired = self._epoch.seal_batch(packed, lambda _: nonce)
        if self._entries:
            self._log.seal_batch(self._head, wired, time)
            self._log.end_retracted()
        self._told.append(
            {
                "entries": self._entries,
                **self._shown_head(time),
                "4.5 nonce": nonce,
                "4.5 log key": self._epoch.log_key,
                "4.5 packed": packed,
                "content": wired[padding.LENGTH :],
            }
        )
        self._entries = []

    def _group_context(self) -> Vectors:
        """The present one, as it is made."""
        members = [[it.key, it.nick, it.away, it.key_hash] for it in self._room.roster]
        roster = b"".join(identity.hash_roster_entry(pack(member)) for member in members)
        rules, rights = [RETENTION, HISTORY], self._room.rights
        term = [0, self._room.host, self._room.address, self._room.code, [], [self._room.host], False]
        array = [ROOM, "demo", self._room.epoch, *term, rules, rights, roster]
        assert identity.hash_group_context(pack(array)) == self._room.group_context
        return {
            "4.8 roster": [pack(member) for member in members],
            "4.8 array": pack(array),
            "4.8 group context": self._room.group_context,
        }

    def _backfill(self, index: int) -> None:
        """The batch with this index in it as it would be given now to one who has missed it."""
        backfill = self._log.backfill_batch(index)
        gone = [isinstance(it, Tombstone) for it in backfill.entries]
        self._backfills.append(
            {
                "from index": index,
                "gone": gone,
                "retracted by": [self._retract_of(it) for it in backfill.entries],
                "time": int.from_bytes(backfill.now[40:48], "big"),
                "5.13 now": backfill.now,
                "5.13 frame": pack(backfill),
            }
        )

    def _admit(self, member: Person) -> None:
        before = self._epoch.newcomer_secret
        self._epoch.admit_member(member.me.id)
        first = self._epoch.ratchets[member.me.id].chain_key
        after = self._epoch.newcomer_secret
        self._schedule[-1]["6.5 newcomers"].append(
            {"newcomers": before, "id": member.me.id, "chain key": first, "after": after}
        )

    def _commit(self, said: bodies.CommitBody) -> None:
        self._say(self._host, said)
        self._head = self._sign_head(65_500)
        self._log.seal_batch(self._head, b"", 65_500)
        self._told.append({"entries": self._entries, **self._shown_head(65_500)})
        self._entries = []
        fresh, init = seed("fresh secret of epoch 1"), self._epoch.init_secret
        digest = self._room.digest
        self._epoch, tag = self._epoch.follow(fresh, digest, [member.id for member in self._room.roster])
        self._show_epoch(1, init, fresh)
        info = suite.label("commit share") + ROOM + self._ann.me.id + (1).to_bytes(8, "big") + digest
        box = self._boxes.sealed(self._ann.key, fresh + tag, info)
        self._schedule[-1]["6.9 commit share"] = {
            "encryption key seed": seed("ann's encryption key"),
            "member": self._ann.me.id,
            **box,
        }

    def _show_epoch(self, number: int, init: bytes, fresh: bytes) -> None:
        digest = self._room.digest
        secret = suite.expand(suite.extract(init, fresh), "epoch", digest)
        confirm = suite.expand(secret, "confirm")
        opened = self._epoch
        self._schedule.append(
            {
                "epoch": number,
                "6.2 init before": init,
                "6.2 fresh secret": fresh,
                "6.2 digest": digest,
                "6.2 secret": secret,
                "6.3 init": opened.init_secret,
                "6.3 log key": opened.log_key,
                "6.3 newcomers": opened.newcomer_secret,
                "6.3 confirmation key": confirm,
                "6.4 tag": hmac.digest(confirm, digest, "sha256"),
                "6.3 chain keys": [
                    {"id": member.id, "chain key": opened.ratchets[member.id].chain_key} for member in self._room.roster
                ],
                "6.5 newcomers": [],
            }
        )

    def _show_welcome(self, snapshot: room_state.RoomSnapshot) -> Vectors:
        greeted, digest = hello("a join")
        roster = [
            room_state.RosterEntry(
                member.me.key,
                member.name,
                member.counter,
                False,
                suite.hash_data(member.key.public),
                self._epoch.ratchets[member.me.id].generation,
                self._epoch.ratchets[member.me.id].chain_key,
            )
            for member in (self._host, self._ann)
        ]
        now = self._epoch
        keys = (now.init_secret, now.log_key, now.newcomer_secret)
        rules = (RETENTION, HISTORY)
        vouched = credentials.sign_credentials(ROOM_KEY, self._host.me.key)
        about = (ROOM, "demo", self._room.rights, self._room.term, *rules, now.number)
        state = room_state.RoomState(
            *about, *keys, self._head, self._latest, vouched, roster, since=0, snapshot=snapshot
        )
        key = seed("key of the welcome")
        sealed = welcome.seal_welcome(state, self._ann.key.public, ROOM, digest, key, self._host.me.sign)
        pages = [frame.part for frame in sealed if isinstance(frame, frames.PageFrame)]
        array = pack(state)
        return {
            "room": ROOM,
            "2.2 hello": greeted,
            "encryption key seed": seed("ann's encryption key"),
            "7.1 box": self._boxes.sealed(self._ann.key, key, suite.label("welcome") + ROOM + digest),
            "7.1 array": array,
            "7.1 array, unpacked": fields(state),
            "7.1 signed": digest + suite.hash_data(array),
            "7.1 signing key": self._host.me.key,
            "7.1 text": suite.Key(key).open_sealed(0, b"".join(pages)),
            "7.1 pages": pages,
        }


# --- 3.3

NICKS = [
    *("ann", "Ann", "anna-2", "x" * 20, "x" * 21, "", "-_.", ".a", "a b", "a\u00a0b", "a@b", "r\u0301my", "re\u0301my"),
    *(
        "r\u00e9my",
        "\uff21nn",
        "\u212aelvin",
        "\ufb03x",
        "\u2460",
        "a\u2075",
        "\u0663\u0664",
        "\u00aa",
        "stra\u00dfe",
        "STRASSE",
    ),
    *("\u0130stanbul", "\u0131stanbul", "\u017fo", "\u03c3\u03c2", "\u1e9e", "\u13a0\u13cc", "\uab70", "\u10d0\u10d1"),
    *(
        "\u1c90",
        "\u10d5",
        "\u025c",
        "\u0289",
        "\u0451\u0436",
        "\u0430nn",
        "AN\u039d",
        "rnax",
        "max",
        "MAX",
        "nil",
        "n1l",
        "o0",
        "cl",
        "d",
    ),
    *(
        "\u05e9\u05c1\u05bc",
        "x\u0301\u0301",
        "x\u0301\u0301\u0301",
        "\u0301x",
        "a\u034fb",
        "\u3164",
        "a\ufe0f",
        "a\u200d",
        "a\u200b",
    ),
    *(
        "\u0e01\u0e33",
        "\u0e01\u0e4d\u0e32",
        "\u0915\u094d\u0937",
        "\uac00",
        "\u1100\u1161",
        "\u115f",
        "\U00010400",
        "\U0001d400",
    ),
    *(
        "\U00020000",
        "\ufa0e",
        "\uf900",
        "\u0149",
        "\u01c5",
        "\u0345",
        "\u1fb3",
        "\u1f80",
        "\u1e9b\u0323",
        "\u2160",
        "\u0640",
    ),
    *(
        "\u0221",
        "\u0237",
        "\u2c61",
        "\ua64a",
        "\U00010330",
        "\u20ac",
        "\u00b7",
        "l\u00b7l",
        "\u02bc",
        "\u1d2c",
        "\u2071",
        "\U0001f47b",
    ),
]


def nicks_of_all_kinds(_: Boxes) -> Vectors:
    """Nicks, and what almost is one; and by which keys they are alike."""
    proper = [nick for nick in NICKS if nicks.is_nick(nick)]
    table = confusables.table()
    drawn = {each for nick in proper for form in (nick, nick.casefold(), nick.upper()) for each in _decomposed(form)}
    return {
        "3.3 nicks": [
            {"nick": {"text": nick}, "proper": nick in proper, "keys": _keys_of(nick) if nick in proper else []}
            for nick in NICKS
        ],
        "3.3 confusables of what is in them": [
            {"of": {"text": each}, "to": {"text": table[ord(each)]}} for each in sorted(drawn) if ord(each) in table
        ],
    }


def _keys_of(nick: str) -> list[Vectors]:
    return [{"text": key} for key in sorted(nicks.narrow_looks(nick))]


def _decomposed(text: str) -> str:
    return unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text))


# --- 5a Retention


def retention(_: Boxes) -> Vectors:
    """What of the log is gone at which time of the room; and how long what comes late lives on."""
    ordered = 1_000
    ends = [(ttl, ordered + 1_000 * ttl) for ttl in (1, 60, limits.RETENTION_MAX, KEPT - 1)]
    times = [(ttl, time) for ttl, end in ends for time in (end - 1, end)]
    return {
        "5.13 gone": [
            {"ttl": ttl, "time of its head": ordered, "time": time, "may be gone": _is_gone(ttl, ordered, time)}
            for ttl, time in [*times, (KEPT, ordered + 1_000 * KEPT), (FLEETING, ordered + 60_000)]
        ],
        "5.16 in time and late": [
            {"ttl": 60, "time of its head": ordered, "newest time": ordered + late, "milliseconds left": left}
            for late, left in ((0, 60_000), (1_500, 58_500), (60_000, 0), (90_000, 0))
        ],
    }


def _is_gone(ttl: int, ordered: int, time: int) -> bool:
    log = Log()
    log.append_entry(b"an entry", LogEntry(Header(epoch.ENTRY, bytes(16), 1, 0, ttl).pack(), bytes(32), b"a body", ttl))
    log.seal_batch(bytes(112), b"a batch", ordered)
    log.expire_entries(time, 1)
    return isinstance(log.backfill_batch(1).entries[0], Tombstone)


# --- 7a Safety words


def words_to_compare(_: Boxes) -> Vectors:
    host, ann = Person("host").me, Person("ann").me
    of_two = suite.label("words of two") + ROOM + min(host.key, ann.key) + max(host.key, ann.key)
    seen = Marks(identity.hash_room(ROOM))
    said = [
        (0, "a"),
        (limits.MARK_INTERVAL - 1, "b"),
        (limits.MARK_INTERVAL, "c"),
        (limits.MARK_INTERVAL + 1, "d"),
        (5 * limits.MARK_INTERVAL + 7, "e"),
    ]
    heads: list[Vectors] = []
    shown: list[Vectors] = []
    for time, name in said:
        heads.append({"time": time, "digest": seed(f"digest {name}")})
        seen.note_head(time, seed(f"digest {name}"))
        shown.append({"after so many heads": len(heads), "marks": [_words_at(mark) for mark in seen.latest_marks()]})
    return {
        "room": ROOM,
        "7.5 of two syllables": [words.spell_data(bytes([byte]))[0] for byte in range(256)],
        "7.5 of three syllables": [words.spell_data(bytes([0, byte]))[1] for byte in range(256)],
        "7.5 digest at mark 0": identity.hash_room(ROOM),
        "7.5 heads": heads,
        "7.5 marks, the newest first": shown,
        "7.6 two members": [
            {
                "keys": [one.key, other.key],
                "bytes": suite.hash_data(of_two)[:10],
                "words": safety_words.words_of_two(ROOM, one.key, other.key),
            }
            for one, other in ((host, ann), (ann, host))
        ],
    }


def _words_at(mark: Mark) -> Vectors:
    said = suite.label("words of a room") + ROOM + mark.digest + mark.time.to_bytes(8, "big")
    return {
        "mark": mark.time,
        "digest": mark.digest,
        "bytes": suite.hash_data(said)[:10],
        "words": safety_words.words_of_room(ROOM, mark),
    }


def made(boxes: Boxes) -> dict[str, Vectors]:
    """All vectors, by the names of their files."""
    story = Story(boxes)
    well_formed = {
        "notation": notation(boxes),
        "handshake": handshakes(boxes),
        "ratchets": ratchets(boxes),
        "log": story.log(),
        "epochs": story.schedule(),
        "welcome": story.welcome(),
        "nicks": nicks_of_all_kinds(boxes),
        "retention": retention(boxes),
        "words": words_to_compare(boxes),
        "succession": succession(ROOM, {name: Person(name) for name in ("host", "ann", "bob")}, seed, boxes),
        "transfers": transfers(
            OFFERED, CONTENTS, Person("bob"), (seed("the sender's half"), seed("the fetcher's half"))
        ),
        "private_rooms": private_rooms(ROOM, Person("host"), Person("ann"), seed, boxes),
    }
    return {**well_formed, "negative": negative(well_formed, boxes), "transcripts": transcripts(ROOM_KEY, boxes)}


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
    for path, text in files(TARGET).items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
