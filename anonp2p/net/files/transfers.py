"""The files of one session: read to be offered, served, and fetched."""

import os
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import trio

from anonp2p import errors
from anonp2p.errors import AnonError
from anonp2p.files.errors import OfferNeedsControl
from anonp2p.files.outgoing_file import OutgoingFile, open_regular
from anonp2p.names.file_names import clean_name
from anonp2p.net.files import disk
from anonp2p.net.files.claims import Claims, Post
from anonp2p.net.files.cleaner import clean
from anonp2p.net.files.fetch import Fetch
from anonp2p.net.files.offering import Offering
from anonp2p.net.files.turns import Turns
from anonp2p.net.shared_network import SharedNetwork
from anonp2p.net.tor.errors import ControlPortNeeded, ControlPortUnusable
from anonp2p.room import effects
from anonp2p.room.file_inputs import FileFailedInput, FileReadInput

Start = Callable[[Callable[[], Awaitable[object]]], None]


class Transfers:
    """Carries out the effects that are about files.

    files: the room, as it is asked. start: begins a task that ends with the room at the latest. room: as
    `SharedNetwork.take_turn` knows it.
    """

    def __init__(self, files: Claims, network: SharedNetwork, room: object, post: Post, start: Start) -> None:
        self._claims = files
        self._network = network
        self._room = room
        self._post = post
        self._start = start
        self._turns = Turns()
        self._scopes: dict[int, trio.CancelScope] = {}  # by the number of the offer
        self._files: dict[int, OutgoingFile] = {}
        self._fetches: dict[int, Fetch] = {}

    def do(self, effect: effects.FileEffect) -> None:
        """Carries it out, without waiting."""
        match effect:
            case effects.ReadFileEffect(number=number):
                self._begin(number, partial(self._read, effect))
            case effects.ServeFileEffect(number=number):
                self._begin(number, partial(self._serve, effect))
            case effects.FetchFileEffect(number=number):
                fetch = Fetch(effect, self._claims, self._network, self._room, self._post)
                self._fetches[number] = fetch
                self._begin(number, fetch.run)
            case effects.StopFileEffect(number=number, forgets=forgets):
                if number in self._fetches:
                    self._fetches[number].forgets = forgets
                self._stop(number)

    def _begin(self, number: int, work: Callable[[], Awaitable[None]]) -> None:
        scope = self._scopes[number] = trio.CancelScope()

        async def run() -> None:
            with scope:
                await work()

        self._start(run)

    def _stop(self, number: int) -> None:
        """What it holds in memory goes."""
        self._fetches.pop(number, None)
        if (scope := self._scopes.pop(number, None)) is not None:
            scope.cancel()
        if (file := self._files.pop(number, None)) is not None:
            file.close()

    def close(self) -> None:
        """The room is over."""
        for number in list(self._scopes):
            self._stop(number)

    async def _read(self, effect: effects.ReadFileEffect) -> None:
        try:
            file = await self._open(effect.path, effect.clean)
        except AnonError as error:
            await self._post(FileFailedInput(effect.number, _explain(error)))
            return
        self._files[effect.number] = file
        name = clean_name(Path(effect.path).name)
        await self._post(FileReadInput(effect.number, name, file.size, file.hashes.root))

    async def _open(self, path: str, cleaned: bool) -> OutgoingFile:
        """The file, or a cleaned copy of it, with its hashes. Raises AnonError."""
        if lack := (await self._network.usable(0.0)).lack:
            raise lack  # before the room sees an offer that nobody can serve
        descriptor, size = await disk.run(open_regular, path)
        if cleaned:
            original = descriptor
            try:
                descriptor, size = await clean(original, path)
            finally:
                os.close(original)
        return await disk.make(partial(OutgoingFile, descriptor, size), lambda unwanted: unwanted.close())

    async def _serve(self, effect: effects.ServeFileEffect) -> None:
        file = self._files[effect.number]
        offering = Offering(effect.number, file, self._turns, self._claims, self._post)
        try:
            await offering.serve(effect.key, effect.secret, self._network, self._room)
        except* AnonError as group:
            await self._post(FileFailedInput(effect.number, _explain(errors.first(group))))


def _explain(error: AnonError) -> AnonError:
    """What a room that cannot be published would say, as it is for a file."""
    return OfferNeedsControl() if isinstance(error, ControlPortNeeded | ControlPortUnusable) else error
