"""A room of ours and a crowd in it, as scripts/bench drives rooms of any kind; see tests.bench.talk.Room."""

import time
from collections.abc import Iterator, Sequence
from itertools import count, cycle, islice

from tests.bench.children import BenchFailed
from tests.bench.crowd import Crowd, Member
from tests.bench.dialling import Dialler
from tests.bench.load import Piece, piece
from tests.bench.results import OURS
from tests.bench.talk import Room, tend

_MARK = 64  # bytes at the end of a sealed message, by which it is known: it goes out as it came


class OurRoom:
    """process: the host's. dialler: what the crowd takes its connections from."""

    name = OURS
    echoes = True

    def __init__(self, process: int, crowd: Crowd, dialler: Dialler) -> None:
        self.process = process
        self._dialler = dialler
        self._crowd = crowd
        self._pieces: Iterator[tuple[Member, Piece]] = iter(())

    @property
    def size(self) -> int:
        return len(self._crowd.members)

    def join(self, count: int, deadline: float, idle: Sequence[Room] = ()) -> None:
        self._dialler.order(count)
        self._crowd.join(count, lambda: tend(idle))

    def begin(self, authors: int, batch: int, stock: int) -> None:
        speakers = self._crowd.members[1 : authors + 1]
        authors_in_turn = zip(count(), cycle(speakers), strict=False)
        making = ((author, piece(author, number * batch, batch)) for number, author in authors_in_turn)
        made = []
        for one in islice(making, stock // batch):
            made.append(one)
            self._crowd.pump(0)  # it takes long enough for links to need their heartbeats
        self._pieces = iter(made) if stock else making
        self._crowd.settle()

    def send_piece(self) -> int:
        author, texts = next(self._pieces, (None, []))
        if author is not None:
            self._crowd.say(author, texts)
        return len(texts)

    def heard(self, reader: int) -> int:
        return self._crowd.members[reader].entries

    def watch(self, author: int) -> float:
        member = self._crowd.members[author]
        texts = piece(member, 0, 1)
        for one in self._crowd.members:
            one.seen = 0.0
        self._crowd.batches.watched = texts[0].entry[-_MARK:]
        now = time.monotonic()
        self._crowd.say(member, texts)
        return now

    def seen(self, reader: int) -> float:
        return self._crowd.members[reader].seen

    def pump(self, wait: float) -> None:
        self._crowd.pump(wait)
        if any(member.ended for member in self._crowd.members):
            raise BenchFailed("a member was cut off")

    def close(self) -> None:
        self._crowd.close()
