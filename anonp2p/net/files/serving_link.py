"""One link on which a member fetches a file of ours."""

from collections import deque
from collections.abc import Awaitable, Callable

import trio

from anonp2p import limits
from anonp2p.errors import PeerFault
from anonp2p.files.outgoing_file import OutgoingFile
from anonp2p.net.files import disk
from anonp2p.net.files.turns import Turns
from anonp2p.protocol.transfer import Claim, Done, Refusal, Request, ServingEnd, Want

_BROKEN = (trio.BrokenResourceError, trio.ClosedResourceError)


class ServingLink:
    """What a fetcher or its network does ends the link, and raises nothing."""

    def __init__(self, stream: trio.abc.Stream, end: ServingEnd) -> None:
        self.is_done = False  # whether the fetcher says that it has all
        self._stream = stream
        self._end = end
        self._wants: deque[Want] = deque()
        self._wanted = trio.Event()

    async def receive_claim(
        self, admits: Callable[[], bool], check: Callable[[bytes, bytes], bytes | None]
    ) -> bytes | None:
        """The member at the other end; None if it is none that may fetch. admits: whether it comes from our Tor.

        check: is given the challenge and the claim.
        """
        try:
            await self._stream.send_all(self._end.nonce)
            request = None
            while request is None:
                data = await self._stream.receive_some(self._end.missing)
                if not data or not admits():
                    return None
                request = self._end.receive_data(data)
        except (*_BROKEN, PeerFault):
            return None
        assert isinstance(request, Claim), "nothing else is the first request"
        member = check(self._end.challenge, request.claim)
        if member is None:
            await self.refuse("not-yours")
        return member

    async def refuse(self, refusal: Refusal) -> None:
        """Says that nothing is served, and gives the fetcher time to read it: a socket closed at once may lose it."""
        with trio.move_on_after(limits.LINGER_PATIENCE):
            try:
                await self._stream.send_all(self._end.seal_refusal(refusal))
                while await self._stream.receive_some(limits.READ):
                    pass
            except _BROKEN:
                pass

    async def serve(
        self,
        file: OutgoingFile,
        turns: Turns,
        member: bytes,
        may_fetch: Callable[[], bool],
        note_sent: Callable[[int], Awaitable[None]],
    ) -> None:
        """Answers what the member wants. note_sent: hears of each chunk. Raises AnonError where it cannot be read."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._read, nursery.cancel_scope)
            try:
                while await self._await_turn(turns, member) and await self._await_want():
                    if not await self._answer(file, turns, member, may_fetch, note_sent):
                        break
            except _BROKEN:
                pass
            nursery.cancel_scope.cancel()
        if not (self.is_done or may_fetch()):
            await self.refuse("not-yours")

    @trio.lowlevel.enable_ki_protection
    async def _read(self, scope: trio.CancelScope) -> None:
        """Takes in requests, of which the end bounds how many wait, until the fetcher ends the link."""
        try:
            while data := await self._stream.receive_some(self._end.missing):
                self._note_request(self._end.receive_data(data))
                if self.is_done:
                    break
        except (*_BROKEN, PeerFault):
            pass
        scope.cancel()

    def _note_request(self, request: Request | None) -> None:
        if isinstance(request, Want):
            self._wants.append(request)
            self._wanted.set()
        elif isinstance(request, Done):
            self.is_done = True

    async def _await_turn(self, turns: Turns, member: bytes) -> bool:
        """Waits until the member is served, and lets it know meanwhile that it waits; False if it takes nothing."""
        while not turns.is_turn(member):
            before = turns.count_before(member)
            if before is not None and not await self._send(self._end.seal_waiting(before)):
                return False
            with trio.move_on_after(limits.FILE_WAITING):
                while turns.count_before(member) is not None:
                    await turns.changed.wait()
        return True

    async def _await_want(self) -> bool:
        """Waits for a request; False if there is none: others may want the place."""
        with trio.move_on_after(limits.FILE_RECORD):
            await self._wanted.wait()
        return bool(self._wants)

    async def _answer(
        self,
        file: OutgoingFile,
        turns: Turns,
        member: bytes,
        may_fetch: Callable[[], bool],
        note_sent: Callable[[int], Awaitable[None]],
    ) -> bool:
        """The first request; whether all of it was. Who is no member any more gets nothing more of it."""
        want = self._wants[0]
        for number in range(want.first, want.first + want.count):
            if not (await self._await_turn(turns, member) and may_fetch()):
                return False
            if want.kind == "list":
                record, size = self._end.seal_piece(file.hashes.piece(number)), 0
            else:
                chunk = await disk.read(file.read_chunk, number)
                record, size = self._end.seal_chunk(chunk), len(chunk)
            if not await self._send(record):
                return False
            await note_sent(size)
        self._wants.popleft()
        if not self._wants:
            self._wanted = trio.Event()
        self._end.note_answered()
        return True

    async def _send(self, record: bytes) -> bool:
        """Whether it was taken in time."""
        with trio.move_on_after(limits.FILE_RECORD) as scope:
            await self._stream.send_all(record)
        return not scope.cancelled_caught
