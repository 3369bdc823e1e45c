"""What an observer of one link learns of whether its member talks: with cover, nothing (PROTOCOL.md, 2.9 to 2.11)."""

import hashlib
import math
import random
import statistics
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import pairwise
from typing import Literal, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonp2p import limits
from anonp2p.crypto import padding
from anonp2p.room import events, inputs
from anonp2p.room.host import sequencer
from anonp2p.room.room import Room
from tests.room.peers import ROOM, ROOM_KEY
from tests.support.world import End, Party, World

SECONDS = 600.0
PAUSE = 8.0  # seconds between messages of one who talks, on average: four slots of cover
LONGEST, LONGEST_REPLY = 120, 100  # bytes of a text that fits the smallest payload, up and down
SAMPLES = 32  # of those who are silent, and of those who talk: half of them to learn from


class Seen(NamedTuple):
    """A payload, as whoever watches the link sees it: when, which way, how long."""

    at: float
    way: Literal["up", "down"]
    size: int


@pytest.fixture(autouse=True, scope="module")
def _heartbeats() -> Iterator[None]:
    """When the heads of a host without cover are due depends on what is said; here they draw no lots for it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sequencer, "draw_heartbeat", lambda _: limits.HEARTBEAT)
        yield


def dice(seed: object) -> Callable[[int], bytes]:
    """Random bytes for a room, of each length a sequence of its own: when slots come depends on no other draw."""
    drawn: Counter[int] = Counter()

    def draw(length: int) -> bytes:
        drawn[length] += 1
        return hashlib.shake_256(f"{seed} {length} {drawn[length]}".encode()).digest(length)

    return draw


class Watched:
    """A room with a host and Ann, whose link is watched. Nothing takes any time but what waits on purpose."""

    def __init__(self, seed: object, *, cover: bool = True, host_has_cover: bool = False) -> None:
        self.world = World()
        self.host = self._add(f"{seed} host", "hugo", "demo", cover=host_has_cover)
        self.world.handle(self.host, inputs.PublishedInput(self.host.services[0]))
        self.ann = self._add(f"{seed} ann", "ann", None, cover=cover)
        self.link = self.world.dial(self.host, self.ann)
        self.world.run(lambda _: 0)
        self.seen: list[Seen] = []
        self._began_at = self.world.tick
        self.world.taps.append(self._note)

    def _add(self, seed: str, nick: str, name: str | None, *, cover: bool) -> Party:
        room_key = None if name is None else ROOM_KEY
        room = Room(label="r1", key=ROOM, random=dice(seed), nick=nick, room_key=room_key, name=name or "", cover=cover)
        return self.world.add(room)

    def _note(self, end: End, content: bytes | None) -> None:
        if content is not None:
            size = len(content) + padding.LENGTH
            self.seen.append(Seen(self.world.tick - self._began_at, "up" if end is self.link.near else "down", size))

    def live(self, seconds: float, typed: Sequence[tuple[float, Party, inputs.Typed]]) -> list[Seen]:
        """So much time passes, in which these type this; returns what was seen."""
        for at, party, what in typed:
            if at < seconds:
                self._wait_until(self._began_at + at)
                self.world.handle(party, what)
                self.world.run(lambda _: 0)
        self._wait_until(self._began_at + seconds)
        return self.seen

    def _wait_until(self, end: float) -> None:
        while (next_due := self._next_due()) is not None and next_due[0] < end:
            self.world.tick = max(self.world.tick, next_due[0])
            self.world.handle(next_due[1], inputs.TickInput())
            self.world.run(lambda _: 0)
        self.world.tick = end

    def _next_due(self) -> tuple[float, Party] | None:
        dues = [(due, it) for it in self.world.parties if (due := it.room.next_deadline()) is not None]
        return min(dues, key=lambda due: due[0], default=None)


# --- the same, to the byte and the microsecond


@cache
def silent_for(seconds: float) -> list[Seen]:
    """What is seen of Ann's link where nobody says anything."""
    return Watched("a seed").live(seconds, [])


@given(st.lists(st.tuples(st.floats(0.0, 9.0), st.integers(1, LONGEST)), max_size=6))
def test_whatever_a_member_with_cover_says_its_link_carries_the_same_at_the_same_times(
    talk: list[tuple[float, int]],
) -> None:
    """2.9, 2.10: with the same dice. No more messages at once than may wait."""
    talking = Watched("a seed")
    texts = [(10.0 * number + at, size) for number, (at, size) in enumerate(talk)]
    texts += [(75.0, size) for _, size in talk[: limits.COVER_BACKLOG]]
    seen = talking.live(100.0, [(at, talking.ann, inputs.SayInput("x" * size)) for at, size in texts])
    assert seen == silent_for(100.0)
    assert len(talking.host.got(events.MessageEvent)) == len(talking.ann.got(events.MessageEvent)) == len(texts)
    assert {it.size for it in seen if it.at > 10.0} == {limits.UNIT}


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (inputs.SayInput("x" * LONGEST, action=True), events.MessageEvent),
        (inputs.ReplyInput(2, "x" * LONGEST_REPLY), events.MessageEvent),
        (inputs.RetractInput(2), events.ExpiredEvent),
        (inputs.RenameInput("n" * limits.NICK), events.RenamedEvent),
        (inputs.RenameInput("hugo"), events.ErrorEvent),
    ],
    ids=["action", "reply", "retraction", "nick", "refused nick"],
)
def test_whatever_is_short_makes_payloads_of_a_unit_up_and_down(typed: inputs.Typed, told: type[events.Event]) -> None:
    room = Watched("a seed")
    seen = room.live(100.0, [(20.0, room.ann, inputs.SayInput("said before")), (50.0, room.ann, typed)])
    assert {it.size for it in seen if it.at > 10.0} == {limits.UNIT}
    assert isinstance(room.ann.told[-1], told)


def test_slots_come_at_random_times_and_each_is_answered_once_and_soon() -> None:
    """2.9, 2.10"""
    seen = silent_for(SECONDS)
    slots, answers = ([it.at for it in seen if it.way == way] for way in ("up", "down"))
    gaps = [later - earlier for earlier, later in pairwise(slots)]
    assert 0.5 * limits.COVER_INTERVAL <= min(gaps) < 0.55 * limits.COVER_INTERVAL
    assert 1.45 * limits.COVER_INTERVAL < max(gaps) <= 1.5 * limits.COVER_INTERVAL
    waits = [answer - slot for slot, answer in zip(slots, answers, strict=False)]
    assert len(slots) - len(answers) in (0, 1)
    assert 0 <= min(waits) < 0.05 * limits.COVER_ANSWER
    assert 0.95 * limits.COVER_ANSWER < max(waits) <= limits.COVER_ANSWER


def test_more_than_may_wait_goes_at_once_and_both_ways() -> None:
    """2.9, 2.10: what cover cannot hide is not delayed for it."""
    room = Watched("a seed")
    texts = [(100.0, room.ann, inputs.SayInput("x" * LONGEST)) for _ in range(limits.COVER_BACKLOG + 1)]
    seen = room.live(103.6, texts)
    assert len(room.ann.got(events.MessageEvent)) == len(texts)
    assert {it.way for it in seen if it.size > limits.UNIT and it.at > 10} == {"up", "down"}


def test_what_others_say_comes_in_the_answers_one_batch_in_each() -> None:
    room = Watched("a seed")
    said = [(100.0 + 6 * number, room.host, inputs.SayInput("x")) for number in range(60)]
    assert room.live(SECONDS, said) == silent_for(SECONDS)
    assert len(room.ann.got(events.MessageEvent)) == len(said)


def test_who_leaves_leaves_at_once_with_all_that_waited() -> None:
    """2.9: that it leaves is to be seen anyway."""
    room = Watched("a seed")
    typed: list[inputs.Typed] = [inputs.SayInput("x")] * limits.COVER_BACKLOG
    typed.append(inputs.LeaveInput())
    room.live(100.01, [(100.0, room.ann, what) for what in typed])
    assert room.ann.room.over
    assert len(room.host.got(events.MessageEvent)) == limits.COVER_BACKLOG
    assert room.host.got(events.LeftEvent)


def test_whether_a_host_with_cover_says_something_does_not_change_when_its_batches_leave() -> None:
    """2.11: and no link of a member without cover asks for more than heartbeats."""
    silent, talking = (Watched("a seed", cover=False, host_has_cover=True) for _ in range(2))
    said = [(100.0 + 6 * number, talking.host, inputs.SayInput("x" * LONGEST)) for number in range(60)]
    seen = talking.live(SECONDS, said)
    assert seen == silent.live(SECONDS, [])
    assert len(talking.ann.got(events.MessageEvent)) == len(said)
    assert {it.size for it in seen if it.at > 10} == {limits.UNIT}


# --- a classifier

Features = list[float]


def measure(seen: Sequence[Seen]) -> Features:
    """Whatever may tell: how much there is, how long, how far apart, and what follows on what."""
    ups, downs = ([it for it in seen if it.way == way] for way in ("up", "down"))
    features: Features = []
    for some in (ups, downs, list(seen)):
        gaps = [later.at - earlier.at for earlier, later in pairwise(some)]
        per_minute = Counter(int(it.at // 60) for it in some)
        features += [len(some), sum(it.size for it in some), max(it.size for it in some)]
        features += [statistics.fmean(gaps), statistics.pstdev(gaps), min(gaps), max(gaps), statistics.median(gaps)]
        features += [max(per_minute.values()), min(per_minute.values())]
    for first, second in (("up", "down"), ("down", "up"), ("up", "up"), ("down", "down")):
        gaps = [
            later.at - earlier.at for earlier, later in pairwise(seen) if (earlier.way, later.way) == (first, second)
        ]
        features += [len(gaps), statistics.fmean(gaps or [0.0]), min(gaps, default=0.0), max(gaps, default=0.0)]
        features += [sum(gap < within for gap in gaps) for within in (0.001, 0.05, 0.2, 0.5, 1.0)]
    return features


def best_threshold(silent: list[Features], talking: list[Features]) -> Callable[[Features], bool]:
    """The feature, and the value of it, that tell most of those who are known to talk from those who are silent."""
    best: tuple[int, int, float, bool] = (-1, 0, 0.0, True)
    for at in range(len(silent[0])):
        values = sorted({it[at] for it in silent + talking})
        for low, high in pairwise(values):
            border = (low + high) / 2
            above = sum(it[at] > border for it in talking) + sum(it[at] <= border for it in silent)
            right, talks_above = max((above, True), (len(silent) + len(talking) - above, False))
            best = max(best, (right, at, border, talks_above))
    _, at, border, talks_above = best
    return lambda features: (features[at] > border) == talks_above


def nearest_centroid(silent: list[Features], talking: list[Features]) -> Callable[[Features], bool]:
    """Which of both one is nearer to, by all features that vary, each in units of its spread."""
    columns = list(zip(*silent, *talking, strict=True))
    scales = [1 / spread if (spread := statistics.pstdev(column)) else 0.0 for column in columns]
    centroids = [[statistics.fmean(column) for column in zip(*kind, strict=True)] for kind in (silent, talking)]

    def distance(features: Features, centroid: list[float]) -> float:
        return sum(((a - b) * scale) ** 2 for a, b, scale in zip(features, centroid, scales, strict=True))

    return lambda features: distance(features, centroids[1]) < distance(features, centroids[0])


def guess(traces: Callable[[int, bool], list[Seen]]) -> dict[str, float]:
    """The share of those who are asked for that each classifier guesses, having learnt from as many others."""
    silent, talking = ([measure(traces(seed, talks)) for seed in range(SAMPLES)] for talks in (False, True))
    known, asked = slice(0, SAMPLES // 2), slice(SAMPLES // 2, SAMPLES)
    shares = {}
    for learn in (best_threshold, nearest_centroid):
        says_talking = learn(silent[known], talking[known])
        right = sum(map(says_talking, talking[asked])) + sum(not says_talking(it) for it in silent[asked])
        shares[learn.__name__] = right / SAMPLES
    return shares


def draw_talk(seed: int) -> list[tuple[float, str]]:
    """When somebody says what, at random times and of random lengths."""
    source, at, talk = random.Random(seed), 0.0, []
    while (at := at + source.expovariate(1 / PAUSE)) < SECONDS:
        talk.append((at, "x" * source.randint(1, LONGEST)))
    return talk


@cache
def watch(seed: int, *, talks: bool, cover: bool = True) -> list[Seen]:
    """What is seen of Ann's link for ten minutes. Silent or talking, nobody has the same dice."""
    room = Watched(f"{seed} {talks}", cover=cover)
    talk = draw_talk(seed) if talks else []
    seen = room.live(SECONDS, [(at, room.ann, inputs.SayInput(text)) for at, text in talk])
    assert len(room.host.got(events.MessageEvent)) >= len(talk) - limits.COVER_BACKLOG
    return [it for it in seen if it.at > 10.0]  # what came before is the way in


def test_with_cover_a_classifier_does_no_better_than_chance() -> None:
    """2.9, 2.10: right by chance is a sum of independent halves: by Hoeffding's inequality it is beyond this share
    with a chance of one in twenty. The seeds are fixed, so that it is always the same.
    """
    most = 0.5 + math.sqrt(math.log(20) / (2 * SAMPLES))
    assert most < 0.75
    shares = guess(lambda seed, talks: watch(seed, talks=talks))
    assert max(shares.values()) <= most, shares


def test_without_cover_the_same_classifier_finds_nearly_all() -> None:
    shares = guess(lambda seed, talks: watch(seed, talks=talks, cover=False))
    assert max(shares.values()) > 0.95, shares


def test_where_messages_go_at_once_among_dummies_the_same_classifier_finds_nearly_all() -> None:
    """Cover as it was before: messages between dummies, and their batches at once."""

    def between_dummies(seed: int, talks: bool) -> list[Seen]:
        dummies = watch((seed + SAMPLES // 2 * talks) % SAMPLES, talks=False)
        said = [at for at, _ in draw_talk(seed) if at > 10.0] if talks else []
        return sorted(dummies + [Seen(at, way, limits.UNIT) for at in said for way in ("up", "down")])

    shares = guess(between_dummies)
    assert max(shares.values()) > 0.95, shares
