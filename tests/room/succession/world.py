"""A small abstract world where the rules of succession decide: logs, links, deaths, stops and splits in virtual time.

No cryptography, no joins, no malice: entries are tuples, members numbers. What a node does beside deciding is told here
as plainly as can be; whom to dial, when to go on as host and who gives way, only the rules say.
"""

import hashlib
import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from anonp2p import limits
from anonp2p.protocol.field_types import Heir, Opening
from anonp2p.room.succession import terms
from anonp2p.room.succession.heir import BeginTerm, CatchUp, Heirship, Report, Situation, Wait
from anonp2p.room.succession.loss import Line, Loss, Target
from anonp2p.room.succession.meeting import Challenge, GiveWay, Hosting, Meeting, Stand

LATENCY = (0.02, 0.3)  # seconds, one way
DIAL = (0.1, 0.6)  # seconds until a dial succeeds or fails
TICK = 0.25
HEARTBEAT = limits.HEARTBEAT
STRAY_AFTER = 30.0  # seconds of a member's loss, after which its heir counts it to the host
Message = tuple[Any, ...]


@cache
def member_id(number: int) -> bytes:
    return bytes([number]) * 16


@cache
def as_heir(number: int) -> Heir:
    return Heir(member_id(number), bytes([number]) * 32)


def as_target(number: int) -> Target:
    return Target(member_id(number), as_heir(number).address)


class Entry(NamedTuple):
    """kind: joined, away, back, heirs, hand-over, opening or text. counter: 0 where it is outside of the author's."""

    kind: str
    author: int
    counter: int
    what: Any


class Rules(NamedTuple):
    """What of the rules is followed; a test leaves some out to see what breaks."""

    meets: bool = True
    keeps_texts: bool = True
    catches_up: bool = True
    opens_outside_counter: bool = True


ALL_RULES = Rules()


class State:
    """What a log adds up to."""

    def __init__(self) -> None:
        self.roster: dict[int, bool] = {}  # of each member, whether it is here
        self.heirs: tuple[int, ...] = ()
        self.openings: list[Opening] = []
        self.counters: dict[int, int] = {}
        self.handed_over = False
        self.carriers: list[int] = [0]
        self.left: set[int] = set()

    @property
    def number(self) -> int:
        return self.openings[-1].number

    @property
    def host(self) -> int:
        return self.openings[-1].host[0]

    @property
    def present(self) -> list[int]:
        return [member for member, here in self.roster.items() if here]

    def apply(self, index: int, digest: bytes, entry: Entry) -> None:
        author = entry.author
        if entry.kind != "opening" or entry.counter:
            self.counters[author] = max(self.counters.get(author, 0), entry.counter)
        match entry.kind:
            case "joined" | "back":
                self.roster[entry.what] = True
            case "away":
                self.roster[entry.what] = False
            case "heirs":
                self.heirs = entry.what
                self.carriers += [it for it in entry.what if it not in self.carriers]
            case "hand-over":
                self.handed_over = True
                if entry.what:
                    self.roster.pop(author, None)
                    self.left.add(author)
            case "opening":
                if self.openings:
                    assert terms.may_begin(
                        member_id(author),
                        entry.what,
                        host=member_id(self.host),
                        before=self.number,
                        heirs=[as_heir(it) for it in self.heirs],
                    )
                    if self.host != author and self.host in self.roster:
                        self.roster[self.host] = False
                self.openings.append(Opening(entry.what, member_id(author), index, digest))
                self.handed_over = False
                self.heirs = tuple(it for it in self.heirs if it != author)
                if author in self.roster:
                    self.roster[author] = True


def state_at(log: list[Entry], digests: list[bytes], index: int) -> State:
    state = State()
    for at, entry in enumerate(log[:index], 1):
        state.apply(at, digests[at], entry)
    return state


class Link:
    def __init__(self, one: "Node", other: "Node", now: float) -> None:
        self.ends = (one, other)
        self.open = {one: True, other: True}
        self.heard = {one: now, other: now}
        self.arrives = {one: 0.0, other: 0.0}  # when the latest message to this end comes
        self.broken = False

    def other(self, node: "Node") -> "Node":
        return self.ends[1] if node is self.ends[0] else self.ends[0]


@dataclass(frozen=True, slots=True)
class Where:
    """How far a log is."""

    index: int
    digest: bytes
    openings: tuple[Opening, ...]

    @property
    def term(self) -> tuple[int, bytes]:
        return self.openings[-1].term

    @property
    def place(self) -> tuple[int, bytes, int]:
        return (*self.term, self.index)


class Node:
    """One program. number: 0 founded the room."""

    def __init__(self, world: "World", number: int) -> None:
        self.world = world
        self.number = number
        self.id = member_id(number)
        self.alive, self.stopped, self.gone = True, False, False
        self.kept: list[tuple[Link, Message]] = []  # what came while it was stopped
        self.log: list[Entry] = []
        self.digests = [bytes(32)]
        self.state = State()
        self.pending: dict[int, str] = {}  # texts without a place, by their counters
        self.own: list[int] = []  # counters of all texts
        self.counter = 0
        self.texts_cut = 0
        self.hosting = False
        self.up: Link | None = None
        self.standby: Link | None = None
        self.members: dict[int, Link] = {}
        self.reports: dict[int, tuple[Link, bool, Where, float]] = {}  # of those that wait with us; since when lost
        self.unlinked: dict[int, float] = {}
        self.links: dict[Link, None] = {}
        self.dialling: set[bytes] = set()
        self.next_heartbeat = 0.0
        draw = world.random.uniform
        self.loss, self.heirship, self.meeting = Loss(draw), Heirship(), Meeting(draw)

    # --- log

    def put(self, entry: Entry) -> None:
        self.log.append(entry)
        self.digests.append(hashlib.sha256(self.digests[-1] + repr(entry).encode()).digest())
        self.state.apply(len(self.log), self.digests[-1], entry)
        if entry.kind == "text" and entry.author == self.number:
            self.pending.pop(entry.counter, None)

    def cut(self, index: int) -> None:
        cut, self.log, self.digests = self.log[index:], self.log[:index], self.digests[: index + 1]
        self.state = state_at(self.log, self.digests, index)
        texts = [entry for entry in cut if entry.kind == "text"]
        self.texts_cut += len(texts)
        if self.world.rules.keeps_texts:
            self.pending |= {it.counter: it.what for it in texts if it.author == self.number}
            self.pending = dict(sorted(self.pending.items()))

    def order(self, kind: str, what: Any, author: int | None = None, counter: int | None = None) -> None:
        if counter is None:
            self.counter += 1
            counter = self.counter
        self.put(Entry(kind, self.number if author is None else author, counter, what))
        for link in list(self.members.values()):
            self.send(link, ("entry", len(self.log), self.log[-1]))

    @property
    def where(self) -> Where:
        return Where(len(self.log), self.digests[-1], tuple(self.state.openings[-limits.OPENINGS :]))

    def fork(self, theirs: Where) -> int:
        mine = self.where
        fork = terms.find_fork(mine.openings, mine.index, theirs.openings, theirs.index)
        assert fork is not None, "rooms that have forgotten what they have in common"
        return fork

    def entries_from(self, index: int) -> Message:
        return index, self.digests[index], tuple(self.log[index:])

    # --- links

    def send(self, link: Link, message: Message) -> None:
        self.world.send(link, self, message)

    def close(self, link: Link) -> None:
        if link.open[self]:
            self.world.close(link, self)
        self.forget(link)

    def forget(self, link: Link) -> None:
        now, other = self.world.now, link.other(self).number
        self.links.pop(link, None)
        if self.members.get(other) is link:
            del self.members[other]
            self.unlinked.setdefault(other, now)
        if other in self.reports and self.reports[other][0] is link:
            del self.reports[other]
        if self.up is link:
            self.up = None
            self.lose()
        if self.standby is link:
            self.standby = None
            self.loss.note_standby_lost(now)

    def lose(self, hint: int | None = None) -> None:
        if not self.hosting:
            self.loss.lose(self.world.now, None if hint is None else as_target(hint))
            self.report()

    def report(self) -> None:
        if self.standby is not None:
            self.send(self.standby, ("report", self.loss.lost_at is not None, self.where))

    @property
    def line(self) -> Line:
        state = self.state
        others = [as_heir(it) for it in state.carriers if it not in state.left and it in state.roster]
        heirs = [as_heir(it) for it in state.heirs]
        return Line(self.id, b"code", as_heir(state.host), state.handed_over, heirs, others, len(state.present))

    @property
    def as_hosting(self) -> Hosting:
        state = self.state
        return Hosting(
            me=self.id,
            number=state.number,
            heirs=[member_id(it) for it in state.heirs],
            others=[as_heir(it) for it in state.carriers if it in state.roster],
            present=[member_id(it) for it in state.present],
            members=[member_id(it) for it in state.roster],
            linked=[member_id(it) for it in self.members],
        )

    # --- what comes

    def hear(self, link: Link, message: Message) -> None:
        if self.gone:
            return
        kind, *rest = message
        getattr(self, "on_" + kind.replace("-", "_"))(link, link.other(self), *rest)

    def on_closed(self, link: Link, _other: "Node") -> None:
        self.forget(link)

    def on_heartbeat(self, link: Link, other: "Node") -> None:
        pass

    def on_resume(self, link: Link, other: "Node", lost: bool, theirs: Where) -> None:
        state = self.state
        if self.hosting:
            if other.number in state.left or other.number not in state.roster:
                self.send(link, ("elsewhere",))
            elif theirs.term > self.where.term:
                self.send(link, ("elsewhere",))
                self.learn(theirs, theirs.openings[-1].host[0])
            else:
                self.welcome(link, other, theirs)
        elif self.up and theirs.term != self.where.term:
            self.send(link, ("hint", state.host))
        elif self.number in state.heirs:
            self.take_report(link, other, lost, theirs)
            self.send(link, ("waiting",))
        else:
            self.send(link, ("elsewhere",))

    def welcome(self, link: Link, other: "Node", theirs: Where) -> None:
        old = self.members.pop(other.number, None)
        if old is not None and old is not link:
            self.close(old)
        self.send(link, ("welcome", self.where.term, *self.entries_from(self.fork(theirs))))
        self.members[other.number] = link
        self.unlinked.pop(other.number, None)
        if not self.state.roster.get(other.number, True):
            self.order("back", other.number)

    def on_welcome(
        self, link: Link, other: "Node", term: tuple[int, bytes], fork: int, digest: bytes, entries: tuple[Entry, ...]
    ) -> None:
        if self.hosting or term < self.where.term or (self.loss.lost_at is None and self.up is not link):
            self.send(link, ("content",))
            self.close(link)
            return
        if fork > len(self.log) or self.digests[fork] != digest:
            self.close(link)
            return
        same = 0
        while same < len(entries) and fork + same < len(self.log) and self.log[fork + same] == entries[same]:
            same += 1
        if term == self.where.term:
            assert fork + same == len(self.log) or same == len(entries), "logs of one term differ"
        else:
            self.cut(fork + same)
        for entry in entries[same:]:
            self.put(entry)
        up, self.up = self.up, link
        if up is not None and up is not link:
            self.close(up)
        if self.standby is link:
            self.standby = None
            self.loss.drop_standby()
        self.loss.note_let_in()
        for counter, text in self.pending.items():
            self.send(link, ("submit", counter, text))
        self.report()
        self.tell_that_host_lives()

    def tell_that_host_lives(self) -> None:
        for standby, lost, _, _ in self.reports.values():
            if lost:
                self.send(standby, ("host-lives",))

    def on_content(self, link: Link, other: "Node") -> None:
        if self.members.get(other.number) is link:
            del self.members[other.number]
            self.unlinked.setdefault(other.number, self.world.now)

    def on_entry(self, link: Link, other: "Node", index: int, entry: Entry) -> None:
        if self.up is link and index == len(self.log) + 1:
            self.put(entry)
            if self.state.handed_over:
                self.up = None
                self.lose()

    def on_submit(self, link: Link, other: "Node", counter: int, text: str) -> None:
        ordered = self.state.counters.get(other.number, 0)
        if self.hosting and self.members.get(other.number) is link and counter > ordered:
            self.order("text", text, other.number, counter)

    def on_waiting(self, link: Link, other: "Node") -> None:
        if self.loss.accept_standby(other.id, self.line, self.world.now):
            old, self.standby = self.standby, link
            if old is not None and old is not link:
                self.close(old)
            self.report()
        else:
            self.close(link)

    def on_elsewhere(self, link: Link, other: "Node") -> None:
        self.close(link)

    def take_report(self, link: Link, other: "Node", lost: bool, theirs: Where) -> None:
        before = self.reports.get(other.number)
        since = before[3] if before is not None and before[1] and lost else self.world.now
        self.reports[other.number] = (link, lost, theirs, since)

    def on_report(self, link: Link, other: "Node", lost: bool, theirs: Where) -> None:
        if self.hosting:
            if theirs.term > self.where.term:
                self.learn(theirs, theirs.openings[-1].host[0])
            elif lost and other.number not in self.members:
                self.welcome(link, other, theirs)
            return
        if lost and self.up and theirs.term != self.where.term:
            self.send(link, ("hint", self.state.host))
            return
        if lost and self.loss.lost_at is not None and self.where.place > theirs.place:
            self.send(link, ("past", self.where.term, *self.entries_from(self.fork(theirs))))
        if self.number in self.state.heirs:
            self.take_report(link, other, lost, theirs)
            if lost and self.up:
                self.send(self.up, ("echo",))

    def on_hint(self, link: Link, other: "Node", host: int) -> None:
        self.loss.note_hint(as_target(host), self.world.now)
        self.close(link)

    def on_echo(self, link: Link, other: "Node") -> None:
        if self.hosting and self.members.get(other.number) is link:
            self.send(link, ("echoed",))

    def on_echoed(self, link: Link, other: "Node") -> None:
        if self.up is link:
            self.tell_that_host_lives()

    def on_host_lives(self, link: Link, other: "Node") -> None:
        self.loss.note_host_lives(self.world.now)

    def on_want(self, link: Link, other: "Node", theirs: Where) -> None:
        if self.where.place > theirs.place:
            self.send(link, ("past", self.where.term, *self.entries_from(self.fork(theirs))))

    def on_past(
        self, link: Link, other: "Node", term: tuple[int, bytes], fork: int, digest: bytes, entries: tuple[Entry, ...]
    ) -> None:
        if self.hosting or self.loss.lost_at is None or fork > len(self.log) or self.digests[fork] != digest:
            return
        if term > self.where.term:
            self.cut(fork)
        for index, entry in enumerate(entries, fork + 1):
            if index == len(self.log) + 1:
                self.put(entry)

    def on_moved(self, link: Link, other: "Node", host: int) -> None:
        if self.up is link:
            self.up = None
            self.lose(host)
            self.close(link)

    def on_strays(self, link: Link, other: "Node", count: int) -> None:
        self.meeting.note_strays(count, self.world.now)

    def on_meet(self, link: Link, other: "Node", theirs: Where) -> None:
        if self.hosting:
            number = self.state.number
            if theirs.openings[-1].number >= number:
                self.learn(theirs, other.number)
            if theirs.openings[-1].number <= number:
                self.send(link, ("higher", self.where, self.number))
        elif self.loss.lost_at is not None:
            if theirs.term > self.where.term:
                self.loss.note_hint(as_target(other.number), self.world.now)
        elif theirs.term != self.where.term:
            self.send(link, ("see-host", self.state.host))

    def on_see_host(self, link: Link, other: "Node", host: int) -> None:
        if self.hosting and host != self.number and host not in self.members:
            self.world.dial(self, as_heir(host).address, self.say_meet)

    def on_higher(self, link: Link, other: "Node", theirs: Where, host: int) -> None:
        if self.hosting:
            self.learn(theirs, host)

    # --- terms

    def say_resume(self) -> Message:
        return "resume", self.loss.lost_at is not None, self.where

    def say_meet(self) -> Message:
        return "meet", self.where

    def learn(self, theirs: Where, host: int) -> None:
        if not self.hosting or theirs.openings[-1].number < self.state.number or theirs.term == self.where.term:
            return
        there = state_at(self.log, self.digests, self.fork(theirs))
        number, challenger = theirs.term
        challenge = Challenge(
            number, challenger, challenger, [member_id(it) for it in there.present], member_id(there.host)
        )
        match self.meeting.judge(challenge, self.as_hosting, self.world.now):
            case Stand(number=number):
                self.begin_term(number)
            case GiveWay():
                self.hosting = False
                for link in list(self.members.values()):
                    self.send(link, ("moved", host))
                    self.close(link)
                self.members = {}
                self.lose(host)

    def begin_term(self, number: int) -> None:
        was_hosting, was_lost = self.hosting, self.loss.lost_at is not None
        predecessor = self.state.host if not self.state.handed_over and self.state.host != self.number else None
        standby, reports = self.standby, self.reports
        self.hosting, self.up, self.standby, self.reports = True, None, None, {}
        self.loss.note_let_in()
        if standby is not None:
            self.loss.drop_standby()
            self.close(standby)
        self.order("opening", number, counter=0 if self.world.rules.opens_outside_counter else None)
        if not was_hosting:
            assert was_lost
            self.members = {}
            self.unlinked = {it: self.world.now for it in self.state.present if it != self.number}
            for counter, text in list(self.pending.items()):
                self.order("text", text, counter=counter)
            for link, lost, theirs, _ in reports.values():
                if lost:
                    self.welcome(link, link.other(self), theirs)
        self.meeting.begin(self.world.now, None if predecessor is None else member_id(predecessor))
        self.world.terms_begun += 1

    def hand_over(self, *, leaves: bool) -> None:
        self.order("hand-over", leaves)
        self.hosting = False
        if leaves:
            self.gone = True
            self.world.at(1.0, lambda: self.world.kill(self))
        else:
            self.world.at(0.5, self.drop_members)
            self.lose(self.state.heirs[0])

    def drop_members(self) -> None:
        if not self.hosting:
            for link in list(self.members.values()):
                self.close(link)

    # --- time

    def tick(self) -> None:
        now = self.world.now
        if self.gone:
            return
        for link in list(self.links):
            if now - link.heard[self] > limits.LINK_LOST:
                self.close(link)
        if now >= self.next_heartbeat:
            self.next_heartbeat = now + HEARTBEAT * self.world.random.uniform(0.8, 1.0)
            for link in self.links:
                self.send(link, ("heartbeat",))
            self.report()
            strays = [since for _, lost, _, since in self.reports.values() if lost and now >= since + STRAY_AFTER]
            if self.up and strays:
                self.send(self.up, ("strays", len(strays)))
        if self.hosting:
            self.tick_as_host(now)
        else:
            self.tick_as_member(now)

    def tick_as_host(self, now: float) -> None:
        for member in self.state.present:
            if member == self.number or member in self.members:
                continue
            if now >= self.unlinked.setdefault(member, now) + limits.AWAY_SECONDS:
                self.order("away", member)
        hosting = self.as_hosting
        returned = self.meeting.find_returned(hosting, now)
        self.appoint(returned)
        hands_back = self.meeting.may_hand_back(returned, self.as_hosting, now)
        if self.meeting.is_cut_off(hosting, now):
            self.hand_over(leaves=False)
        elif hands_back:
            self.meeting.note_handed_back(now)
            self.world.handed_back += 1
            self.hand_over(leaves=False)
        elif self.world.rules.meets:
            for heir in self.meeting.take_due(hosting, self.dialling, now):
                self.world.dial(self, heir.address, self.say_meet)

    def appoint(self, first: bytes | None) -> None:
        """first: who is to be the first heir, if it is here."""
        present = [member for member in self.state.present if member != self.number]
        heirs = [it for it in self.state.heirs if it in present]
        heirs += [it for it in present if it not in heirs and it in self.members]
        heirs.sort(key=lambda it: member_id(it) != first)
        if tuple(heirs[: limits.HEIRS]) != self.state.heirs:
            self.order("heirs", tuple(heirs[: limits.HEIRS]))

    def tick_as_member(self, now: float) -> None:
        if self.up is None:
            self.lose()
        if self.standby is not None and self.loss.has_wrong_standby(self.line):
            standby, self.standby = self.standby, None
            self.loss.drop_standby()
            self.close(standby)
        for target in self.loss.take_due(self.line, self.dialling, now):
            self.world.dial(self, target.address, self.say_resume)
        if self.loss.lost_at is not None:
            self.decide_as_heir(now)

    def decide_as_heir(self, now: float) -> None:
        situation = Situation(
            me=self.id,
            number=self.state.number,
            host=member_id(self.state.host),
            index=len(self.log),
            heirs=[member_id(it) for it in self.state.heirs],
            handed_over=self.state.handed_over,
            present=[member_id(it) for it in self.state.present],
            lost_at=self.loss.lost_at,
            host_tried_at=self.loss.first_try_of(as_heir(self.state.host).address),
            failed=self.loss.failed,
            reports={
                member_id(it): Report(lost, *theirs.term, theirs.index)
                for it, (_, lost, theirs, _) in self.reports.items()
            },
            gave_way_to=self.meeting.gave_way_to,
        )
        decision = self.heirship.decide(situation, now)
        if isinstance(decision, CatchUp) and not self.world.rules.catches_up:
            return
        match decision:
            case CatchUp(member=member):
                self.send(self.reports[member[0]][0], ("want", self.where))
            case BeginTerm(number=number):
                self.begin_term(number)
            case Wait():
                pass


class World:
    """Nodes, the links between them, and what befalls both. verdict: what became of it."""

    def __init__(self, seed: int, rules: Rules = ALL_RULES) -> None:
        self.random = random.Random(seed)
        self.rules = rules
        self.now = 0.0
        self.heap: list[tuple[float, int, Callable[[], object]]] = []
        self.count = 0
        self.blocked: set[frozenset[int]] = set()
        self.terms_begun = 0
        self.handed_back = 0
        self.faults: list[tuple[Any, ...]] = []
        self.nodes = [Node(self, number) for number in range(self.random.randint(2, 8))]
        size = len(self.nodes)
        for node in self.nodes:
            node.put(Entry("opening", 0, 0, 0))
            for member in range(size):
                node.put(Entry("joined", 0, member + 1, member))
            self.at(self.random.uniform(0, 0.5), lambda node=node: self.tick(node))  # type: ignore[misc]
        founder = self.nodes[0]
        founder.hosting, founder.counter = True, size
        founder.unlinked = dict.fromkeys(range(1, size), 0.0)
        founder.meeting.begin(0.0, None)

    def at(self, seconds: float, action: Callable[[], object]) -> None:
        self.count += 1
        heapq.heappush(self.heap, (self.now + seconds, self.count, action))

    def run(self, until: float) -> None:
        while self.heap and self.heap[0][0] <= until:
            self.now, _, action = heapq.heappop(self.heap)
            action()
        self.now = until

    def tick(self, node: Node) -> None:
        if node.alive:
            if not node.stopped:
                node.tick()
            self.at(TICK, lambda: self.tick(node))

    # --- links

    def reaches(self, one: Node, other: Node) -> bool:
        return one.alive and other.alive and frozenset((one.number, other.number)) not in self.blocked

    def send(self, link: Link, sender: Node, message: Message) -> None:
        receiver = link.other(sender)
        if not link.open[sender]:
            return
        if link.broken or not self.reaches(sender, receiver):
            link.broken = True
            return
        time = max(link.arrives[receiver], self.now + self.random.uniform(*LATENCY))
        link.arrives[receiver] = time
        self.at(time - self.now, lambda: self.arrive(link, sender, message))

    def arrive(self, link: Link, sender: Node, message: Message) -> None:
        receiver = link.other(sender)
        if link.broken or frozenset((sender.number, receiver.number)) in self.blocked:
            link.broken = True
        else:
            self.deliver(link, receiver, message)

    def deliver(self, link: Link, receiver: Node, message: Message) -> None:
        if not receiver.alive or not link.open[receiver]:
            return
        if receiver.stopped:
            receiver.kept.append((link, message))
            return
        link.heard[receiver] = self.now
        if message[0] == "closed":
            link.open[receiver] = False
        receiver.hear(link, message)

    def close(self, link: Link, by: Node) -> None:
        link.open[by] = False
        other = link.other(by)
        if not link.broken and self.reaches(by, other):
            seconds = max(0.0, link.arrives[other] - self.now) + 0.05
            self.at(seconds, lambda: self.arrive(link, by, ("closed",)))

    def dial(self, caller: Node, address: bytes, say: Callable[[], Message]) -> None:
        """Nobody dials an address twice at once."""
        if address in caller.dialling:
            return
        hosts = [node for node in self.nodes if node.hosting and node.alive and node is not caller]
        if address == b"code":
            if not hosts:
                return
            called = max(hosts, key=lambda node: node.where.term)
        else:
            called = self.nodes[address[0]]
        caller.dialling.add(address)
        self.at(self.random.uniform(*DIAL), lambda: self.end_dial(caller, called, address, say))

    def end_dial(self, caller: Node, called: Node, address: bytes, say: Callable[[], Message]) -> None:
        caller.dialling.discard(address)
        if not caller.alive:
            return
        serves = called.hosting or called.number in called.state.heirs or called.number in called.state.carriers
        if self.reaches(caller, called) and not called.stopped and not called.gone and serves:
            link = Link(caller, called, self.now)
            caller.links[link] = called.links[link] = None
            message = say()
            self.send(link, caller, message)
            if message[0] == "meet":
                self.at(20.0, lambda: caller.close(link))
        else:
            hangs = called.alive and not self.reaches(caller, called)
            self.at(2.0 if hangs else 0.3, lambda: caller.loss.note_failure(as_target(called.number), self.now))

    # --- faults

    def kill(self, node: Node) -> None:
        if not node.alive:
            return
        node.alive = False
        for link in list(node.links):
            other = link.other(node)
            if not link.broken and other.alive and frozenset((node.number, other.number)) not in self.blocked:
                self.at(
                    self.random.uniform(0.02, 0.3),
                    lambda link=link, other=other: self.deliver(link, other, ("closed",)),  # type: ignore[misc]
                )

    def stop(self, node: Node, seconds: float) -> None:
        if node.alive and not node.stopped:
            node.stopped = True
            self.at(seconds, lambda: self.resume(node))

    def resume(self, node: Node) -> None:
        if node.stopped:
            node.stopped = False
            kept, node.kept = node.kept, []
            for link, message in kept:
                self.deliver(link, node, message)

    def split(self, pairs: list[frozenset[int]], seconds: float, *, closes: bool) -> None:
        """These pairs do not reach each other. closes: whether their links end, rather than fall silent."""
        new = {pair for pair in pairs if len(pair) == 2} - self.blocked
        self.blocked |= new
        for node in self.nodes if closes else ():
            for link in list(node.links):
                if frozenset(end.number for end in link.ends) in new and link.open[node]:
                    link.broken = True
                    self.at(
                        self.random.uniform(0.02, 0.4),
                        lambda link=link, node=node: self.deliver(link, node, ("closed",)),  # type: ignore[misc]
                    )
        self.at(seconds, lambda: self.blocked.difference_update(new))

    def befall(self) -> None:
        """One fault of any kind; more than half of them at a host."""
        draw = self.random
        alive = [node for node in self.nodes if node.alive and not node.gone]
        hosts = [node for node in alive if node.hosting]
        if len(alive) < 2:
            return
        target = draw.choice(hosts) if hosts and draw.random() < 0.6 else draw.choice(alive)
        chance, seconds, closes = draw.random(), draw.choice([1, 5, 12, 18, 25, 60]), draw.random() < 0.5
        numbers = {node.number for node in self.nodes}
        if chance < 0.30:
            self.faults.append((self.now, "kill", target.number))
            self.kill(target)
        elif chance < 0.45:
            self.faults.append((self.now, "stop", target.number, seconds))
            self.stop(target, seconds)
        elif chance < 0.65:
            some = draw.sample([node.number for node in alive], draw.randint(1, len(alive) - 1))
            side = {target.number, *some}
            self.faults.append((self.now, "split", sorted(side), seconds, closes))
            self.split([frozenset((a, b)) for a in side for b in numbers - side], seconds, closes=closes)
        elif chance < 0.8:
            other = draw.choice([node.number for node in alive if node is not target])
            self.faults.append((self.now, "pair", target.number, other, seconds, closes))
            self.split([frozenset((target.number, other))], seconds, closes=closes)
        elif chance < 0.9:
            self.faults.append((self.now, "isolate", target.number, seconds, closes))
            self.split([frozenset((target.number, it)) for it in numbers], seconds, closes=closes)
        elif hosts and hosts[0].state.heirs and not hosts[0].stopped:
            self.faults.append((self.now, "leave", hosts[0].number))
            hosts[0].hand_over(leaves=True)

    def talk(self, node: Node, until: float) -> None:
        """A text now and then."""
        if not node.alive or node.gone:
            return
        if not node.stopped:
            node.counter += 1
            text = f"{node.number}.{node.counter}"
            node.own.append(node.counter)
            if node.hosting:
                node.order("text", text, counter=node.counter)
            else:
                node.pending[node.counter] = text
                if node.up:
                    node.send(node.up, ("submit", node.counter, text))
        if self.now < until:
            self.at(self.random.uniform(0.5, 3), lambda: self.talk(node, until))

    # --- what becomes of it

    @property
    def living(self) -> list[Node]:
        return [node for node in self.nodes if node.alive and not node.gone]

    def live(self, faults: int | None = None) -> str:
        """Talk, faults, and time to recover. Returns the verdict."""
        self.run(10)
        end = 10 + self.random.choice([20, 60, 120])
        for node in self.nodes:
            self.at(self.random.uniform(0, 3), lambda node=node: self.talk(node, end + 60))  # type: ignore[misc]
        for _ in range(self.random.randint(1, 8) if faults is None else faults):
            self.at(self.random.uniform(1, end - 10), self.befall)
        self.run(end + 60)
        for node in self.nodes:
            self.resume(node)
        self.blocked.clear()
        self.run(self.now + 150)
        for _ in range(3):
            if self.verdict() == "ok":
                break
            self.run(self.now + 7)
        return self.verdict()

    def verdict(self) -> str:
        """`ok`: one host, one log, every text of the living once. `over`: nobody is left who could host."""
        living = self.living
        hosts = [node for node in living if node.hosting]
        if not living:
            return "ok"
        if len(hosts) != 1:
            known = {number for node in living for number in (node.state.host, *node.state.heirs)}
            can_host = any(node.number in known for node in living)
            return "over" if not hosts and not can_host else f"{len(hosts)} hosts"
        log = hosts[0].log
        for node in living:
            if node.log != log:
                return f"the log of {node.number} differs"
            if [it.counter for it in log if it.kind == "text" and it.author == node.number] != sorted(node.own):
                return f"texts of {node.number} are missing or double"
        return "ok"
