"""Several programs in one room, each with a Tor of its own, that talk all the time; and whether they agree.

Each member types numbered messages. A program can be killed with its Tor, at once, or stopped, or cut off by stopping
its Tor alone. What the others were told then has to be one log: `log_of`, `require_agreement`.
"""

import math
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from itertools import combinations
from types import TracebackType
from typing import Any, Self

from tests.support.peers import Event, Peer
from tests.support.splits import Splits
from tests.support.tors import RunningTor, running_tor

PAUSE = 0.25  # seconds between two messages of one member
ASKING = 0.5  # seconds between two questions for the heirs

Log = dict[int, tuple[str, str]]  # nick and text, by place

TOLD = {  # what a story tells, of which fields
    "alarm": ("reason",),
    "code": (),
    "cut": ("count",),
    "error": ("code", "text"),
    "gone": ("reason",),
    "heir": ("rank",),
    "host": ("nick", "cause"),
    "hosting": (),
    "joined": ("nick",),
    "left": ("nick", "reason"),
    "link": ("state", "detail"),
    "reachable": (),
    "room": ("role",),
    "unsent": ("text",),
}


class AstrayError(AssertionError):
    """What a program was told is no log, or not the one of the others."""


def log_of(events: Iterable[Event]) -> Log:
    """The messages that were shown, by the places that they have now.

    Raises AstrayError where a place is given twice, what moved was not there, or places do not grow.
    """
    log: Log = {}
    latest = -1
    for event in events:
        match event:
            case {"type": "message", "seq": place, "nick": nick, "text": text}:
                line = (nick, text)
            case {"type": "moved", "was": was, "seq": place}:
                if was not in log:
                    raise AstrayError(f"{was} moved to {place}, and nothing was there")
                line = log.pop(was)
            case _:
                continue
        if place in log:
            raise AstrayError(f"place {place} is that of {log[place]} and of {line}")
        if place <= latest and not event.get("history"):
            raise AstrayError(f"{line} comes at {place}, after {latest}")
        latest = max(latest, place)
        log[place] = line
    return log


def require_agreement(logs: Sequence[Log], typed: dict[str, list[str]]) -> None:
    """Raises AstrayError unless these logs hold all that these authors typed, once, in one order.

    A log may begin later than others, as that of a newcomer does; each author is in the log of who was there first.
    What others have typed, who are gone, is not looked at: it may have been cut.
    """
    theirs = [sorted((place, *line) for place, line in log.items() if line[0] in typed) for log in logs if log]
    for one, other in combinations(theirs, 2):
        start = max(log[0][0] if log else math.inf for log in (one, other))
        first, second = ([line for line in log if line[0] >= start] for log in (one, other))
        if first != second:
            both = Counter(first) & Counter(second)
            alone = [sorted((Counter(log) - both).elements())[:3] for log in (first, second)]
            raise AstrayError(f"two logs differ: {alone[0]} in one, {alone[1]} in the other")
    longest = min(theirs, key=lambda log: log[0] if log else (math.inf, "", ""))
    said = Counter(line[1:] for line in longest)
    meant = Counter((nick, text) for nick, texts in typed.items() for text in texts)
    if said != meant:
        raise AstrayError(f"lost: {sorted((meant - said).elements())}; too often: {sorted((said - meant).elements())}")


def differences(logs: Mapping[str, Log]) -> list[str]:
    """How each of these logs, by who has it, differs from the first: what is in one alone, and what has moved."""
    (first, log), *others = logs.items()
    places = {line: place for place, line in log.items()}
    found = []
    for nick, other in others:
        theirs = {line: place for place, line in other.items()}
        lacks = [_tell(line, place) for line, place in places.items() if line not in theirs]
        has = [_tell(line, place) for line, place in theirs.items() if line not in places]
        moved = [
            f"{_tell(line, place)} and {_spell(theirs[line])}"
            for line, place in places.items()
            if theirs.get(line, place) != place
        ]
        for what, lines in (("lacks", lacks), ("alone has", has), (f"has elsewhere than {first}", moved)):
            if lines:
                found.append(f"{nick} {what} {len(lines)}: {', '.join([*lines[:3], *lines[3:][-2:]])}")
    return found


def _tell(line: tuple[str, str], place: int) -> str:
    return f"{line[1]!r} at {_spell(place)}"


def _spell(place: int) -> str:
    """The number of the term, and the index."""
    return f"{place >> 32}:{place & (1 << 32) - 1}"


def story(events: Iterable[Event], times: Iterable[float], began: float) -> list[str]:
    """What a program was told that is no message, one line for each event; of messages, how many came between."""
    told, counts = [], Counter[str]()
    for event, at in zip(events, times, strict=False):
        kind = "late" if event.get("late") else event["type"]
        if kind in ("message", "late", "moved"):
            counts[kind] += 1
        elif kind in TOLD:
            between = "".join(f", {count} {kind}" for kind, count in counts.items())
            words = [str(event[name]) for name in TOLD[kind] if name in event]
            told.append(f"{at - began:7.2f} {' '.join([kind, *words])}{between and f' (after{between[1:]})'}")
            counts.clear()
    return told


@dataclass(frozen=True)
class Moment:
    """A point in time. typed: how much each member had typed. seen: how many events each of them had."""

    at: float
    typed: dict[str, int]
    seen: dict[str, int]


def await_one_log(seconds: float, **peers: Peer) -> None:
    """Returns once what these were shown is one log. Raises AstrayError if that takes longer."""
    deadline = time.monotonic() + seconds
    while found := differences({name: log_of(list(peer.events)) for name, peer in peers.items()}):
        if time.monotonic() > deadline:
            raise AstrayError("; ".join(found))
        time.sleep(ASKING)


class Member:
    """A program with its Tor, and what was typed into it."""

    def __init__(self, nick: str, peer: Peer, tor: RunningTor | None = None) -> None:
        self.nick = nick
        self.peer = peer
        self.typed: list[str] = []
        self._tor = tor  # None: the program has started its own
        self._stopped: list[int] = []  # its processes that are

    def type(self) -> None:
        """Types the next of its messages."""
        number = len(self.typed)
        self.typed.append(f"{self.nick} {number}")
        with suppress(BrokenPipeError):  # it was killed
            self.peer.send({"id": number, "text": self.typed[-1]})

    def kill(self) -> None:
        """Ends the program and its Tor by force, in one moment."""
        self._signal(signal.SIGKILL, self._tor_process, self.peer.process.pid)

    def stop(self) -> None:
        """Stops the program and its Tor: nothing breaks, it only falls silent."""
        self._stopped = [self._tor_process, self.peer.process.pid]
        self._signal(signal.SIGSTOP, *self._stopped)

    def cut_off(self) -> None:
        """Stops its Tor: the program lives, without a network."""
        self._stopped = [self._tor_process]
        self._signal(signal.SIGSTOP, *self._stopped)

    def go_on(self) -> None:
        """Ends what `stop` and `cut_off` did: a Tor that is stopped outlives its program."""
        for process in self._stopped:
            with suppress(ProcessLookupError):
                self._signal(signal.SIGCONT, process)
        self._stopped = []

    @property
    def _tor_process(self) -> int:
        return self._tor.process.pid if self._tor else self.peer.tor()

    @staticmethod
    def _signal(number: int, *processes: int) -> None:
        for process in processes:
            os.kill(process, number)

    def told(self, **fields: Any) -> list[Event]:
        """The events so far with these fields."""
        return [event for event in list(self.peer.events) if fields.items() <= event.items()]

    @property
    def host(self) -> str:
        """The nick of the room's host, as far as this program was told."""
        for event in reversed(list(self.peer.events)):
            match event:
                case {"type": "host", "nick": nick}:
                    return str(nick)
                case {"type": "room", "members": members}:
                    return next(str(member["nick"]) for member in members if member["role"] == "host")
        return ""

    def time_of(self, holds: Callable[[Event], bool], since: int, deadline: float) -> float:
        """When the first such event came, from the `since`th on. Raises PeerFailed."""
        event = self.peer.wait(holds, deadline - time.monotonic(), since=since)
        return self.peer.times[self.peer.events.index(event, since)]


class Company:
    """A room and the programs in it. A context: they end with it.

    torrc: of the network's clients. splits: by which their network can be split; then their Tors are not of their own
    making. members: those who are in the room and talk.
    """

    def __init__(self, torrc: str, splits: Splits | None = None) -> None:
        self._torrc = torrc
        self._splits = splits
        self._stack = ExitStack()
        self._count = 0
        self._talk = threading.Lock()  # held while members type, or come or go
        self.members: list[Member] = []
        self.code = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        for peer in self._peers():
            with suppress(ProcessLookupError):
                peer.process.terminate()  # all at once: one after the other, as their contexts do, takes its time
        if self._splits is not None:
            self._splits.end()
        self._stack.close()

    def _peers(self) -> list[Peer]:
        return [member.peer for member in self.members]

    def boot(self, *options: str) -> Member:
        """A program outside the room, whose Tor is on its way."""
        nick = f"p{self._count}"
        self._count += 1
        tor, way = None, ["--torrc", self._torrc]
        if self._splits is not None:
            tor = self._stack.enter_context(running_tor(self._torrc))
            way = ["--control", tor.control, "--socks", self._stack.enter_context(self._splits.port(nick, tor))]
        member = Member(nick, self._stack.enter_context(Peer(*way, *options, "--nick", nick)), tor)
        self._stack.callback(member.go_on)
        return member

    def create(self, others: int, *options: str, room: str = "demo") -> None:
        """A room with a host and so many others, all in. options: of all these programs. room: its name and rules."""
        host, *newcomers = [self.boot(*options) for _ in range(1 + others)]
        host.peer.send(f"/create {room}")
        self.code = host.peer.wait("room")["code"]
        host.peer.wait("reachable")
        self.members.append(host)
        for newcomer in newcomers:
            newcomer.peer.wait("ready")
            newcomer.peer.send(f"/join {self.code}")
        for newcomer in newcomers:
            newcomer.peer.wait("room")
            self.members.append(newcomer)

    def admit(self, newcomer: Member, began: float, seconds: float) -> float:
        """Waits until one who was told to join is in; how long that took since it began. Raises PeerFailed."""
        came = newcomer.time_of(lambda event: event["type"] == "room", 0, began + seconds)
        with self._talk:
            self.members.append(newcomer)
        return came - began

    @contextmanager
    def talking(self, pause: float = PAUSE) -> Iterator[None]:
        """While the context lasts, each member types a message every so many seconds."""
        over = threading.Event()

        def talk() -> None:
            while not over.wait(pause):
                with self._talk:
                    for member in self.members:
                        member.type()

        thread = threading.Thread(target=talk)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    @property
    def host(self) -> Member:
        """Who hosts the room, as the last one who came was told."""
        nick = self.members[-1].host
        return next(member for member in self.members if member.nick == nick)

    def lose(self, lost: Sequence[Member], how: Callable[[Member], None]) -> Moment:
        """Something happens to members, who talk no more; when that was."""
        with self._talk:
            self.members = [member for member in self.members if member not in lost]
            moment = Moment(
                time.monotonic(),
                {member.nick: len(member.typed) for member in self.members},
                {member.nick: len(member.peer.events) for member in self.members},
            )
            for member in lost:
                how(member)
        return moment

    def time_reunion(self, since: Moment, seconds: float) -> float:
        """How long it took until every member had a message of every other one, typed since then. Raises PeerFailed."""
        latest = since.at
        for reader in [member for member in self.members if member.nick in since.typed]:
            for author in since.typed:
                if author != reader.nick:

                    def holds(event: Event, author: str = author) -> bool:
                        is_theirs = event["type"] == "message" and event["nick"] == author
                        return is_theirs and int(event["text"].split()[1]) >= since.typed[author]

                    came = reader.time_of(holds, since.seen[reader.nick], since.at + seconds)
                    latest = max(latest, came)
        return latest - since.at

    def time_of_break(self, since: Moment) -> float | None:
        """How long it took until the first member knew that its link to the host was gone; None if none was told."""
        broken = [
            at - since.at
            for member in self.members
            for event, at in zip(member.peer.events, member.peer.times, strict=False)
            if at >= since.at and event["type"] == "link" and event["state"] == "lost"
        ]
        return min(broken, default=None)

    def await_heir(self, seconds: float, heirs: int = 1) -> bool:
        """Returns once so many heirs can take over, the first by the code too; whether that is so by then.

        Everybody has been told of them: who has not would wait for others when the host is lost.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            match self._ask_heirs():
                case [{"ready": True, "holds_key": True}, *others] as line if len(others) + 1 >= heirs:
                    if self._all_know(line):
                        return True
                case None:
                    return False
            time.sleep(ASKING)
        return False

    def _all_know(self, heirs: list[Event]) -> bool:
        """Whether these are the heirs of whom each member was told last."""
        line = [(heir["nick"], heir["holds_key"]) for heir in heirs]
        told = [member.told(type="heirs")[-1:] for member in self.members if not member.told(type="gone")]
        return all(last and [(heir["nick"], heir["holds_key"]) for heir in last[0]["heirs"]] == line for last in told)

    @property
    def first_heir(self) -> Member:
        """Who is to take over first."""
        heirs = self._ask_heirs() or []
        return next(member for member in self.members if heirs and member.nick == heirs[0]["nick"])

    def _ask_heirs(self) -> list[Event] | None:
        """The heirs as the host knows them; None where it does not say."""
        host = self.host.peer
        at = len(host.events)
        host.send({"command": "/heirs"})
        match host.wait(lambda event: event["type"] in ("reply", "error"), 30, since=at):
            case {"type": "reply", "data": {"heirs": [*heirs]}}:
                return heirs
        return None

    def require_agreement(self, seconds: float) -> None:
        """Returns once all members have one log with all that they typed. Raises AstrayError if that takes longer."""
        deadline = time.monotonic() + seconds
        typed = {member.nick: list(member.typed) for member in self.members}
        while True:
            try:
                require_agreement([log_of(list(member.peer.events)) for member in self.members], typed)
            except AstrayError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(ASKING)
            else:
                return
