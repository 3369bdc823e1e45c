"""Somebody who offers files, and those who fetch them, without rooms: what rooms would say, the test says."""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import trio
import trio.testing

from anonp2p import limits
from anonp2p.errors import AnonError
from anonp2p.names.codes import RoomKey
from anonp2p.net.files.transfers import Transfers
from anonp2p.net.shared_network import SharedNetwork
from anonp2p.net.transport import Transport
from anonp2p.protocol import transfer
from anonp2p.protocol.bodies import FileOffer
from anonp2p.room import effects, inputs
from anonp2p.room.file_inputs import FileFailedInput, FileReadInput, TransferInput
from tests.support.people import always

NUMBER = 1
KEY, SECRET = RoomKey(b"k" * 32), b"s" * 32
TOTAL = transfer.CLAIM


def member_of(name: str) -> bytes:
    return name.encode().ljust(16, b"\0")


class Rules:
    """Who may have files: whoever signs with its name, unless it is out."""

    def __init__(self, me: str) -> None:
        self.out: set[bytes] = set()
        self.asked = 0  # how often somebody was let go on
        self._me = me
        self._news = trio.Event()

    def make_claim(self, number: int, challenge: bytes) -> bytes:
        return (member_of(self._me) + challenge).ljust(TOTAL, b"!")

    def check_claim(self, number: int, challenge: bytes, claim: bytes) -> bytes | None:
        member = claim[:16]
        is_signed = claim == (member + challenge).ljust(TOTAL, b"!")
        return member if is_signed and member not in self.out else None

    def may_fetch(self, number: int, member: bytes) -> bool:
        self.asked += member not in self.out
        self._news.set()
        self._news = trio.Event()
        return member not in self.out

    async def until_asked(self, count: int) -> None:
        with trio.fail_after(10_000.0):
            while self.asked < count:
                await self._news.wait()


class Party:
    """One side. `told` is all that its room would be told."""

    def __init__(self, name: str, usable: Callable[[float], Awaitable[Transport]], nursery: trio.Nursery) -> None:
        self.rules = Rules(name)
        self.told: list[inputs.Input] = []
        self._news = trio.Event()
        self.transfers = Transfers(self.rules, SharedNetwork(usable), self, self._post, nursery.start_soon)

    async def _post(self, what: inputs.Input) -> None:
        await trio.lowlevel.checkpoint()
        self.told.append(what)
        self._news.set()
        self._news = trio.Event()

    async def until(self, condition: Callable[[], object]) -> None:
        with trio.fail_after(10_000.0):
            while not condition():
                await self._news.wait()

    # --- who offers

    async def read(self, path: Path, *, clean: bool = False) -> FileReadInput:
        self.transfers.do(effects.ReadFileEffect(NUMBER, str(path), clean))
        await self.until(lambda: self.told)
        told = self.told[-1]
        if isinstance(told, FileFailedInput):
            raise told.error
        assert isinstance(told, FileReadInput)
        return told

    async def offer(self, path: Path) -> FileOffer:
        read = await self.read(path)
        self.transfers.do(effects.ServeFileEffect(NUMBER, KEY, SECRET))
        await trio.sleep(0.01)
        return FileOffer(read.size, read.root, KEY.public, SECRET)

    # --- who fetches

    def fetch(self, offer: FileOffer, path: Path, name: str = "f.bin") -> None:
        self.transfers.do(effects.FetchFileEffect(NUMBER, name, offer, str(path)))

    def stop(self, *, forgets: bool = False) -> None:
        self.transfers.do(effects.StopFileEffect(NUMBER, forgets))

    @property
    def states(self) -> list[str]:
        """What was told of transfers, without repetitions."""
        told = [it.state for it in self.told if isinstance(it, TransferInput)]
        return [state for at, state in enumerate(told) if not at or told[at - 1] != state]

    @property
    def last(self) -> TransferInput:
        return [it for it in self.told if isinstance(it, TransferInput)][-1]

    async def done(self) -> Path:
        """Where the file is that was fetched."""
        await self.until(lambda: self.states[-1:] in (["done"], ["failed"]))
        assert self.last.state == "done", self.last.detail
        return Path(self.last.path)

    async def failed(self) -> AnonError:
        await self.until(lambda: self.states[-1:] in (["done"], ["failed"]))
        assert self.last.state == "failed"
        assert isinstance(self.last.detail, AnonError)
        return self.last.detail


class Parties:
    def __init__(self, network: Transport, nursery: trio.Nursery) -> None:
        self._network = network
        self._nursery = nursery
        self._parties: list[Party] = []

    def come(self, name: str, usable: Callable[[float], Awaitable[Transport]] | None = None) -> Party:
        party = Party(name, usable or always(self._network), self._nursery)
        self._parties.append(party)
        return party

    def close(self) -> None:
        for party in self._parties:
            party.transfers.close()


@asynccontextmanager
async def parties(network: Transport) -> AsyncIterator[Parties]:
    async with trio.open_nursery() as nursery:
        these = Parties(network, nursery)
        yield these
        these.close()
        nursery.cancel_scope.cancel()


def write_random(path: Path, size: int) -> bytes:
    data = secrets.token_bytes(size)
    path.write_bytes(data)
    return data


def write_chunks(path: Path, count: int) -> bytes:
    """A file of so many chunks, of which the last one is short."""
    return write_random(path, (count - 1) * limits.CHUNK + 100)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def holds(path: Path, data: bytes) -> bool:
    return path.read_bytes() == data
