"""What whoever carries the links sees of them: pieces of eight sizes, whatever is said; and cover, at random times."""

import math
import secrets
import statistics
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import NamedTuple

import pytest
import trio
import trio.testing

from anonp2p import limits
from anonp2p.crypto.padding import SIZES
from anonp2p.protocol import frames
from anonp2p.room import events, inputs
from tests.support.people import FalseHost, Gathering, Person, Stranger, gathering
from tests.support.transports import MemoryNetwork, Network, Wire


def sizes(data: bytes) -> list[int]:
    """Of the payloads of a stream, which ends with one."""
    found = []
    at = 0
    while at < len(data):
        found.append(2 + int.from_bytes(data[at : at + 2], "big"))
        at += found[-1]
    assert at == len(data)
    return found


def up(wire: Wire) -> list[int]:
    """The sizes of what a member has sent."""
    return sizes(b"".join(wire.dialler.sent))


def down(wire: Wire) -> list[int]:
    """The sizes of what it was sent."""
    return sizes(b"".join(wire.host.sent))


async def met(gathered: Gathering, *nicks: str, cover: bool = False) -> tuple[Person, list[Person]]:
    """A host and members, all of whom know of all, and have nothing left to say about it."""
    host = await gathered.host(cover=cover)
    members = [await gathered.join(nick, cover=cover) for nick in nicks]
    for person in (host, *members):
        await person.until(lambda person=person: len(person.nicks) == 1 + len(nicks))  # type: ignore[misc]
    await trio.testing.wait_all_tasks_blocked()
    return host, members


# --- sizes


@pytest.mark.parametrize("cover", [False, True], ids=["without cover", "with cover"])
async def test_whatever_is_said_every_payload_is_of_one_of_eight_sizes(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch, cover: bool
) -> None:
    """2.1"""
    monkeypatch.setattr(limits, "EPOCH", 60.0)
    async with gathering(memory) as gathered:
        host, (ann, bob, cho) = await met(gathered, "ann", "bob", "cho", cover=cover)
        for length in (1, 17, 18, 200, 250, 260, 300, 1_000, 2_000, limits.TEXT):
            await ann.say("x" * length)
            await ann.session.post_input(inputs.WhisperInput("bob", "x" * length))
            await bob.hears(events.MessageEvent, private=True, text="x" * length)
            await host.say("x" * length)
        await ann.session.post_input(inputs.RenameInput("anna"))
        await bob.hears(events.RenamedEvent)
        memory.wires[0].cut()
        await ann.until(lambda: len(ann.heard(events.LinkEvent, state="up")) == 2)
        await ann.say(*(f"{number}" for number in range(100)))
        await bob.hears(events.MessageEvent, text="99")
        await host.session.post_input(inputs.LockInput(locked=True))
        await gathered.invite("late").gone()
        await host.session.post_input(inputs.LockInput(locked=False))
        await host.session.post_input(inputs.KickInput("cho", "x" * limits.KICK_REASON))
        await cho.gone()
        await gathered.join("late")
        await trio.sleep(limits.EPOCH + limits.HEARTBEAT)
        await host.session.post_input(inputs.LeaveInput(close=True))
        await bob.gone()
    assert len(memory.wires) == 6
    seen = set()
    for wire in memory.wires:
        ups, downs = up(wire), down(wire)
        assert (ups[0], downs[0]) == (limits.CLIENT_HANDSHAKE, limits.HELLO) == (3_840, 1_920)
        seen |= {*ups, *downs}
    assert seen <= set(SIZES) == {480, 960, 1_920, 3_840, 7_680, 15_360, 30_720, 61_440}
    assert seen >= set(SIZES[:6])


async def test_the_size_of_a_payload_does_not_tell_what_is_said_in_it(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    """2.1: the shortest text, one of 140 bytes, a nick, and saying nothing are one size, up and down."""
    async with gathering(memory) as gathered:
        host, (ann, bob) = await met(gathered, "ann", "bob")
        wire = memory.wires[0]
        before = len(up(wire)), len(down(wire))
        for text in ("x", "x" * 100, "x" * 140):
            await ann.say(text)
            await bob.hears(events.MessageEvent, text=text)
        await ann.session.post_input(inputs.RenameInput("anna"))
        await bob.hears(events.RenamedEvent)
        await host.session.post_input(inputs.LockInput(locked=True))
        await trio.sleep(3 * limits.HEARTBEAT)
        assert len(up(wire)) >= before[0] + 6
        assert len(down(wire)) >= before[1] + 7
        assert set(up(wire)[before[0] :]) == set(down(wire)[before[1] :]) == {limits.UNIT}


async def test_what_is_typed_at_once_goes_up_in_one_record_and_down_in_one_batch(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    """2.7, 4.5"""
    async with gathering(memory) as gathered:
        _, (ann, bob) = await met(gathered, "ann", "bob")
        before = [len(data) for data in (up(memory.wires[0]), down(memory.wires[0]), down(memory.wires[1]))]
        await ann.say("one", "two", "three", "four")
        await bob.hears(events.MessageEvent, text="four")
        await trio.testing.wait_all_tasks_blocked()
        after = [up(memory.wires[0]), down(memory.wires[0]), down(memory.wires[1])]
        said = [data[count:] for data, count in zip(after, before, strict=True)]
        assert said == [[2 * limits.UNIT]] * 3


# --- echoes


async def test_what_asks_for_an_answer_is_answered_once_by_a_record_without_frames(
    network: Network, clock: object
) -> None:
    """2.7: and that asks for nothing."""
    async with gathering(network) as gathered:
        await gathered.host()
        ann = await gathered.played("ann")
        for count in range(1, 4):
            await ann.send(ann.record(echo=True))
            await ann.says(frames.TextBody(f"{count}", action=False))
            assert await ann.hears() == frames.TextBody(f"{count}", action=False)
            assert ann.answers == count
        await ann.heartbeat()
        await ann.says(frames.TextBody("a beat needs no answer", action=False))
        await ann.hears()
        assert (ann.answers, ann.echoes) == (3, [])
        await ann.close()


async def test_one_answer_is_enough_for_many(memory: MemoryNetwork, autojump_clock: trio.testing.MockClock) -> None:
    """2.7"""
    async with gathering(memory) as gathered:
        await gathered.host()
        ann = await gathered.played("ann")
        await ann.send(b"".join(ann.record(echo=True) for _ in range(10)))
        await ann.says(frames.TextBody("behind them", action=False))
        await ann.hears()
        assert ann.answers == 1


@asynccontextmanager
async def hosted(memory: MemoryNetwork, gathered: Gathering, nick: str, *, cover: bool) -> AsyncIterator[FalseHost]:
    """A host driven by hand, once it has let somebody in."""
    async with memory.listen(gathered.key) as place:
        gathered.invite(nick, cover=cover)
        host = FalseHost(await place.listener.accept(), gathered.key.public, memory.patience)
        await host.lets_in()
        yield host
        await host.close()


async def test_a_member_answers_what_asks_for_it(memory: MemoryNetwork, autojump_clock: trio.testing.MockClock) -> None:
    """2.7"""
    async with gathering(memory) as gathered, hosted(memory, gathered, "ann", cover=False) as host:
        for _ in range(3):
            before = trio.current_time()
            await host.send(host.record(echo=True))
            assert await host.receive() == frames.MemberRecord(False, [])
            assert trio.current_time() == before
            await trio.sleep(1)


# --- cover

LONG = 1_500.0
# How far from its mean what is drawn a number of times may be: beyond seven standard deviations once in 4e11 runs.
DEVIATIONS = 7


def assert_random(times: list[float], mean: float) -> None:
    """What happens at these times does so with no memory, a mean of so many seconds apart."""
    pauses = [later - time for time, later in pairwise(times)]
    count = len(pauses)
    assert statistics.fmean(pauses) == pytest.approx(mean, abs=DEVIATIONS * mean / math.sqrt(count))
    # Of an exponential distribution so much is longer than this; halves of a normal one, say, would be elsewhere.
    for longer in (0.1, 0.5, 1.0, 2.0, 3.0):
        share = sum(pause > longer * mean for pause in pauses) / count
        expected = math.exp(-longer)
        deviation = math.sqrt(expected * (1 - expected) / count)
        assert share == pytest.approx(expected, abs=DEVIATIONS * deviation)


async def test_a_member_with_cover_says_nothing_at_random_times_and_wants_an_answer(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    """2.9"""
    async with gathering(memory) as gathered, hosted(memory, gathered, "ann", cover=True) as host:
        times, heartbeats = [], 0
        while trio.current_time() < LONG:
            record = await host.receive()
            assert isinstance(record, frames.MemberRecord)
            assert not record.frames
            if record.echo:
                times.append(trio.current_time())
            else:
                heartbeats += 1
            await host.send(host.record())
        assert_random(times, limits.COVER_INTERVAL)
        assert heartbeats, "as ever where it has said nothing for their time"


async def keep_beating(stranger: Stranger) -> None:
    while True:
        await stranger.heartbeat()
        await trio.sleep(limits.HEARTBEAT)


async def listen(stranger: Stranger) -> None:
    while await stranger.receive() is not None:
        pass


async def test_a_host_with_cover_says_nothing_on_each_link_at_random_times_of_its_own(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    """2.9"""
    async with gathering(memory) as gathered:
        await gathered.host(cover=True)
        members = [await gathered.played(nick) for nick in ("ann", "bob", "cho")]
        async with trio.open_nursery() as nursery:
            for member in members:
                nursery.start_soon(keep_beating, member)
                nursery.start_soon(listen, member)
            await trio.sleep(LONG)
            nursery.cancel_scope.cancel()
        for member in members:
            assert_random(member.echoes, limits.COVER_INTERVAL)
            assert member.answers == 0
        assert_random(sorted(time for member in members for time in member.echoes), limits.COVER_INTERVAL / 3)


async def test_a_host_with_cover_and_nobody_in_its_room_is_still(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    async with gathering(memory) as gathered:
        await gathered.host(cover=True)
        stranger = await gathered.stranger()
        await stranger.greeted()
        assert await stranger.payload() is None, "nor is there any for one who has not knocked"
        await trio.sleep(LONG)
        ann = await gathered.join("ann")
        await ann.session.post_input(inputs.LeaveInput())
        await ann.gone()
        await trio.sleep(LONG)
        assert len(memory.wires) == 2


async def test_every_link_of_a_room_with_cover_is_a_random_hum_of_the_smallest_payloads_both_ways(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    """2.9: of two sides with cover each brings a record and an answer, so that there is one each second, each way."""
    async with gathering(memory) as gathered:
        await met(gathered, "ann", "bob", cover=True)
        began = trio.current_time()
        before = [(len(up(wire)), len(down(wire))) for wire in memory.wires]
        await trio.sleep(1_000)
        for wire, (ups, downs) in zip(memory.wires, before, strict=True):
            assert set(up(wire)[ups:]) == set(down(wire)[downs:]) == {limits.UNIT}
            seconds = trio.current_time() - began
            expected = 2 * seconds / limits.COVER_INTERVAL
            deviations = DEVIATIONS * math.sqrt(expected)
            # Less by those that meet, and more by beats and heads, which are due where nothing was said for 4 to 5 s.
            assert expected - deviations <= len(up(wire)) - ups <= expected + deviations + seconds / 4
            assert expected - deviations <= len(down(wire)) - downs <= expected + deviations + seconds / 4


async def test_without_cover_nobody_asks_for_answers(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    async with gathering(memory) as gathered:
        await gathered.host()
        ann = await gathered.played("ann")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(keep_beating, ann)
            nursery.start_soon(listen, ann)
            await trio.sleep(LONG)
            nursery.cancel_scope.cancel()
        assert (ann.echoes, ann.answers) == ([], 0)


# --- a classifier


class Sample(NamedTuple):
    """A payload, and what it was for."""

    kind: str
    payload: bytes


ROUNDS = 120  # of each kind: half of them to learn from

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


async def recorded(memory: MemoryNetwork, monkeypatch: pytest.MonkeyPatch) -> dict[str, list[Sample]]:
    """What one link carries of each kind, both ways."""
    for name in ("NICK_BUCKET", "PRIVATE_BUCKET"):
        monkeypatch.setattr(limits, name, 10 * ROUNDS)
    samples: dict[str, list[Sample]] = {"up": [], "down": []}
    async with gathering(memory) as gathered:
        host, (ann, bob) = await met(gathered, "ann", "bob")
        streams = {"up": memory.wires[0].dialler.sent, "down": memory.wires[0].host.sent}

        async def note(kind: str, *typed: inputs.Typed, seconds: float = 0.0) -> None:
            """Whatever ann's link carries of this, and of nothing else."""
            await trio.testing.wait_all_tasks_blocked()
            before = {way: len(pieces) for way, pieces in streams.items()}
            for one in typed:
                whose = host if isinstance(one, inputs.LockInput) else ann
                await whose.session.post_input(one)
            await trio.sleep(seconds)
            await trio.testing.wait_all_tasks_blocked()
            for way, pieces in streams.items():
                for piece in pieces[before[way] :]:
                    at = 0
                    for size in sizes(piece):
                        samples[way].append(Sample(kind, piece[at : at + size]))
                        at += size

        for number in range(ROUNDS):
            await note("chat", inputs.SayInput("x" * (1 + number % 200)))
            await note("long chat", inputs.SayInput("x" * (1_000 + number)))
            await note("private", inputs.WhisperInput("bob", "x" * (1 + number)))
            await note("nick", inputs.RenameInput(f"ann{number}"))
            await note("lock", inputs.LockInput(locked=not number % 2))
            await note("beats", seconds=limits.HEARTBEAT)
        assert len(bob.heard(events.MessageEvent, private=True)) == ROUNDS
    network = MemoryNetwork()
    async with gathering(network) as gathered:
        await met(gathered, "ann", cover=True)
        [wire] = network.wires
        before = len(b"".join(wire.dialler.sent)), len(b"".join(wire.host.sent))
        await trio.sleep(2 * ROUNDS * limits.COVER_INTERVAL)
        for way, end, start in (("up", wire.dialler, before[0]), ("down", wire.host, before[1])):
            data = b"".join(end.sent)[start:]
            for size in sizes(data):
                samples[way].append(Sample("cover", data[:size]))
                data = data[size:]
    return samples


async def test_who_sees_payloads_learns_no_more_of_what_is_said_than_by_their_size_class(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """2.1: a classifier that knows all bytes does no better than one that knows which of eight sizes it is.

    In each class there are as many of each kind, so that knowing the class guesses 1/kinds. Bytes that are random
    guess no better: of n guesses, the number that is right is a sum of n independent ones with that mean. By
    Hoeffding's inequality it is more than t beyond its mean with a chance of less than exp(-2 t^2 / n).
    """
    samples = await recorded(memory, monkeypatch)
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
