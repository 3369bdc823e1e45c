"""What whoever carries the links sees of a room: payloads of eight sizes, and nothing of what is said by whom."""

import math
import secrets
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import count
from typing import NamedTuple

import pytest

from anonp2p import limits
from anonp2p.crypto import identity, padding, suite
from anonp2p.crypto.padding import SIZES
from anonp2p.protocol import handshake
from anonp2p.room import events, inputs
from anonp2p.room.moderation_inputs import KickInput, LockInput
from anonp2p.room.room import Room
from tests.room.peers import ROOM, ROOM_KEY
from tests.support.world import End, Party, World

ROUNDS = 120  # of each kind: half of them to learn from


class Overheard:
    """A room, all of whose links somebody listens to."""

    def __init__(self, *nicks: str, name: str = "demo", host: str = "hugo", cover: bool = False) -> None:
        self.drawn: set[bytes] = set()  # what the rooms drew by lot
        self.carried: dict[End, list[bytes]] = {}  # payloads, by the end that they came to
        self.world = World()
        self.world.taps.append(self._note)
        self._cover = cover
        self._numbers = count(1)
        self.host = self._add(host, name)
        self.world.handle(self.host, inputs.PublishedInput(self.host.services[0]))
        self.members = [self._add(nick, None) for nick in nicks]
        for member in self.members:
            self.dial(member)

    def _add(self, nick: str, name: str | None) -> Party:
        room = Room(
            label="r1",
            key=ROOM,
            random=self._draw,
            nick=nick,
            room_key=None if name is None else ROOM_KEY,
            name=name or "",
            cover=self._cover,
        )
        return self.world.add(room)

    def _draw(self, length: int) -> bytes:
        data = self.world.random(length)
        self.drawn.add(data)
        return data

    def _note(self, end: End, content: bytes | None) -> None:
        if content is not None:
            self.carried.setdefault(end, []).append(padding.frame_content(content))

    @property
    def parties(self) -> list[Party]:
        return [party for party in self.world.parties if not party.room.over]

    def run(self) -> None:
        """Everything is delivered."""
        self.world.run(lambda _: 0)

    def dial(self, member: Party) -> None:
        self.world.dial(self.host, member)
        self.run()

    def take(self, party: Party, typed: inputs.Typed) -> None:
        """They type this, and everything is delivered."""
        self.world.handle(party, typed)
        self.run()

    def wait(self, seconds: float) -> None:
        """So much time passes for all, and everything is delivered as it is sent."""
        end = self.world.tick + seconds
        while self.world.tick < end:
            self.world.pass_time(min(0.5, end - self.world.tick), self.parties)
            self.run()


# --- secrets


def secrets_of(party: Party) -> set[bytes]:
    """What they know now that is nobody else's business."""
    replica = party.room.replica
    known = {replica.me.key, replica.me.id, identity.spell_member(replica.me.id).encode(), replica.ledger.digest}
    for key in replica.own_keys:
        known.update((key.public[:1_184], key.public[1_184:]))
    if epoch := replica.epoch:
        known.update((epoch.init_secret, epoch.log_key, epoch.newcomer_secret))
        known.update(chain.chain_key for chain in epoch.ratchets.values())
    return known


def test_a_link_shows_nothing_of_what_is_said_by_whom_and_where() -> None:
    """2.4, 2.6, 4.5: no text, nick, name, id or key, nor anything drawn but the nonces of hellos and batches."""
    words = "the-name-of-the-room", "hostess-of-it", "alice-in-wonderland", "bertrand", "charlotte", "somebody-new"
    texts = "a text that nobody else may read", "another such text", "and a third one", "the reason for it"
    room = Overheard(*words[2:5], name=words[0], host=words[1])
    ann, bob, cho = room.members
    hidden = {text.encode() for text in words + texts}

    def note() -> None:
        hidden.update(*map(secrets_of, room.world.parties))

    note()
    room.take(ann, inputs.SayInput(texts[0]))
    room.take(ann, inputs.RenameInput(words[5]))
    note()
    link = room.world.link_of(ann)
    assert link is not None
    room.world.cut(link)
    room.take(room.host, inputs.SayInput(texts[1]))
    room.take(room.host, KickInput(words[4], texts[3]))
    room.dial(ann)
    note()
    room.wait(limits.EPOCH + limits.HEARTBEAT)
    note()
    assert room.host.room.replica.current_epoch.number >= 2
    room.take(bob, inputs.SayInput(texts[2], action=True))
    room.take(bob, inputs.LeaveInput())
    room.take(room.host, inputs.LeaveInput(close=True))
    assert [message.text for message in ann.got(events.MessageEvent)] == list(texts[:3])
    assert all(party.room.over for party in (ann, bob, cho))
    nonces = set()
    shown: set[bytes] = set()
    assert len(room.carried) == 8, "two ends of four links"
    for end, carried in room.carried.items():
        data = b"".join(carried)
        assert len(data) > 1_000
        assert not [it for it in hidden if it in data]
        shown.update(it for it in room.drawn if len(it) > 1 and it in data)
        if end.number < 0:
            hello, _ = handshake.read_hello(carried[0][padding.LENGTH :])
            nonces.add(hello.nonce)
            nonces.update(payload[padding.LENGTH :][: suite.NONCE] for payload in carried)
        else:
            nonces.add(handshake.read_ticket(carried[0][padding.LENGTH :]))
    assert shown <= nonces
    assert {len(nonce) for nonce in shown} == {32, suite.NONCE, handshake.TICKET}, "of strangers' tickets"
    assert len(room.drawn) > 50


# --- a classifier


class Sample(NamedTuple):
    """A payload, and what it was for."""

    kind: str
    payload: bytes


Feature = Callable[[bytes], list[float]]


def _histogram(payload: bytes) -> list[float]:
    return [float(payload.count(byte)) for byte in range(256)]


def _ends(payload: bytes) -> list[float]:
    return [float(byte) for byte in (*payload[:64], *payload[-32:])]


def _length(payload: bytes) -> list[float]:
    return [float(len(payload))]


FEATURES: dict[str, Feature] = {
    "its length": _length,
    "how often it has which byte": _histogram,
    "its first and last bytes": _ends,
    "all of these": lambda payload: _length(payload) + _histogram(payload) + _ends(payload),
}


def telling_byte(known: list[Sample]) -> Feature:
    """The one among the first that tells most of what is known."""

    def byte(at: int) -> Feature:
        return lambda payload: [float(payload[at]) if at < len(payload) else -1.0]

    return byte(max(range(64), key=lambda at: guessed(known, known, byte(at))))


def size_class(payload: bytes) -> int:
    """The one of the eight sizes for which it may pass."""
    return next(size for size in SIZES if size >= len(payload))


def guessed(known: list[Sample], asked: list[Sample], feature: Feature) -> int:
    """How many of these a classifier guesses, that has learnt from others: the nearest centroid, of what varies."""
    learnt = [(kind, feature(payload)) for kind, payload in known]
    columns = list(zip(*(values for _, values in learnt), strict=True))
    scales = [1 / spread if (spread := statistics.pstdev(column)) else 0.0 for column in columns]
    centroids = {
        kind: [statistics.fmean(column) for column in zip(*(it for its, it in learnt if its == kind), strict=True)]
        for kind in {kind for kind, _ in learnt}
    }

    def distance(values: list[float], centroid: list[float]) -> float:
        return sum(((a - b) * scale) ** 2 for a, b, scale in zip(values, centroid, scales, strict=True))

    right = 0
    for kind, payload in asked:
        values = feature(payload)
        right += kind == min(sorted(centroids), key=lambda each: distance(values, centroids[each]))
    return right


def contests(samples: list[Sample]) -> Iterator[tuple[int, list[Sample], list[Sample]]]:
    """For each size class in which there are several kinds, as many of each: those to learn from, those to guess."""
    classes: defaultdict[int, defaultdict[str, list[Sample]]] = defaultdict(lambda: defaultdict(list))
    for sample in samples:
        classes[size_class(sample.payload)][sample.kind].append(sample)
    for size, kinds in sorted(classes.items()):
        usual = {kind: given for kind, given in kinds.items() if len(given) >= ROUNDS}
        if len(usual) > 1:
            known = [sample for given in usual.values() for sample in given[: ROUNDS // 2]]
            asked = [sample for given in usual.values() for sample in given[ROUNDS // 2 : ROUNDS]]
            yield size, known, asked


class Sorter:
    """Takes what one member's link carries, both ways, by what it is for."""

    def __init__(self, room: Overheard) -> None:
        self.room = room
        link = room.world.link_of(room.members[0])
        assert link is not None
        self._ways = {"up": link.near, "down": link.far}
        self._seen = {way: len(room.carried[end]) for way, end in self._ways.items()}

    def new(self, kind: str) -> dict[str, list[Sample]]:
        """What came since the last time, which was for this."""
        found = {}
        for way, end in self._ways.items():
            carried = self.room.carried[end]
            found[way] = [Sample(kind, payload) for payload in carried[self._seen[way] :]]
            self._seen[way] = len(carried)
        return found


def recorded() -> dict[str, list[Sample]]:
    """What one link carries of each kind, both ways."""
    samples: dict[str, list[Sample]] = {"up": [], "down": []}

    def note(kind: str, sorter: Sorter) -> None:
        for way, found in sorter.new(kind).items():
            samples[way] += found

    room = Overheard("ann", "bob")
    ann, bob = room.members
    talk = Sorter(room)
    for number in range(ROUNDS):
        for kind, party, typed in (
            ("chat", ann, inputs.SayInput("x" * (1 + number * 7 % 120))),
            ("long chat", ann, inputs.SayInput("x" * (1_000 + number))),
            ("private", ann, inputs.WhisperInput("bob", "x" * (1 + number))),
            ("nick", ann, inputs.RenameInput(f"ann{number}")),
            ("lock", room.host, LockInput(locked=not number % 2)),
        ):
            room.take(party, typed)
            note(kind, talk)
        room.wait(limits.HEARTBEAT)
        note("beats", talk)
    assert len([message for message in bob.got(events.MessageEvent) if message.private]) == ROUNDS
    room = Overheard("ann", cover=True)
    hum = Sorter(room)
    room.wait(2 * ROUNDS * limits.COVER_INTERVAL)
    note("cover", hum)
    return samples


def test_who_sees_payloads_learns_no_more_of_what_is_said_than_by_their_size_class(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """2.1: a classifier that knows all bytes does no better than one that knows which of eight sizes it is.

    In each class there are as many of each kind, so that knowing the class guesses 1/kinds. Bytes that are random
    guess no better: of n guesses, the number that is right is a sum of n independent ones with that mean. By
    Hoeffding's inequality it is more than t beyond its mean with a chance of less than exp(-2 t^2 / n).
    """
    for name in ("NICK_BUCKET", "PRIVATE_BUCKET"):
        monkeypatch.setattr(limits, name, 10 * ROUNDS)
    samples = recorded()
    held = [(way, *contest) for way, given in samples.items() for contest in contests(given)]
    kinds = {(way, size): {sample.kind for sample in asked} for way, size, _, asked in held}
    assert kinds["up", 480] == {"chat", "nick", "beats", "cover"}
    assert kinds["down", 480] == {"chat", "nick", "lock", "beats", "cover"}
    assert kinds["up", 1_920] == kinds["down", 1_920] == {"long chat", "private"}
    chance = 1e-6 / (
        len(held) * (len(FEATURES) + 1)
    )  # that any of them fails though nothing is wrong: once in a million
    for way, size, known, asked in held:
        for name, feature in (*FEATURES.items(), ("one of its bytes", telling_byte(known))):
            usual = len(asked) / len(kinds[way, size])
            most = usual + math.sqrt(len(asked) * math.log(1 / chance) / 2)
            right = guessed(known, asked, feature)
            assert most < 0.95 * len(asked), "else it would prove nothing"
            assert right <= most, f"{name} tells of payloads {way} of {size} bytes what they are for"


def test_a_classifier_would_notice_lengths_and_bytes_that_are_no_accident() -> None:
    """That the one above can tell anything at all."""
    for payloads in (
        {"one": bytes(400), "other": bytes(464)},
        {"one": bytes(range(240)) * 2, "other": bytes(range(16, 256)) * 2},
    ):
        samples = [Sample(kind, payload) for kind, payload in payloads.items() for _ in range(ROUNDS)]
        [(_, known, asked)] = contests(samples)
        assert max(guessed(known, asked, feature) for feature in FEATURES.values()) == len(asked)


def test_a_classifier_would_notice_a_single_byte_among_random_ones() -> None:
    samples = [
        Sample(kind, secrets.token_bytes(20) + byte + secrets.token_bytes(459))
        for kind, byte in (("one", b"1"), ("other", b"2"))
        for _ in range(ROUNDS)
    ]
    [(_, known, asked)] = contests(samples)
    assert guessed(known, asked, telling_byte(known)) == len(asked)
