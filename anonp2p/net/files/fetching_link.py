"""One link on which we fetch a file."""

from collections.abc import Callable

import trio

from anonp2p import limits
from anonp2p.errors import PeerFault
from anonp2p.files.errors import FileRefused, OfferOver, SenderLied
from anonp2p.net.files.download import Download
from anonp2p.protocol.transfer import Chunk, FetchingEnd, ListPiece, NotServed, Queued


class LinkBroken(Exception):
    """A link is over, or dead, or of no use just now: another one may do better."""


async def fetch_on(
    stream: trio.abc.Stream, end: FetchingEnd, make_claim: Callable[[bytes], bytes], download: Download
) -> None:
    """Fetches on this link until nothing is missing. Raises LinkBroken; AnonError where another link would not help."""
    try:
        await _FetchingLink(stream, end, download).run(make_claim)
    except (trio.BrokenResourceError, trio.ClosedResourceError):
        raise LinkBroken from None
    except PeerFault:
        raise SenderLied from None
    finally:
        download.give_back(end.wants)


class _FetchingLink:
    def __init__(self, stream: trio.abc.Stream, end: FetchingEnd, download: Download) -> None:
        self._stream = stream
        self._end = end
        self._download = download

    async def run(self, make_claim: Callable[[bytes], bytes]) -> None:
        with trio.move_on_after(limits.HANDSHAKE_SECONDS):
            while not self._end.is_greeted:
                self._end.receive_data(await self._receive())
        if not self._end.is_greeted:
            raise LinkBroken
        claim = make_claim(self._end.challenge)
        if not claim:
            raise OfferOver
        await self._stream.send_all(self._end.nonce + self._end.seal_claim(claim))
        while not self._download.is_complete:
            await self._ask()
            if self._end.wants:
                await self._take_answer()
            else:
                await self._download.until_changed()  # what was asked for elsewhere may become ours
        await self._stream.send_all(self._end.seal_done())

    async def _ask(self) -> None:
        asked = b""
        while len(self._end.wants) < limits.WANTS and (want := self._download.next_want()) is not None:
            asked += self._end.seal_want(want)
        if asked:
            await self._stream.send_all(asked)

    async def _receive(self) -> bytes | bytearray:
        with trio.move_on_after(limits.FILE_SILENT):
            if data := await self._stream.receive_some(self._end.missing):
                return data
        raise LinkBroken

    async def _take_answer(self) -> None:
        answer = None
        while answer is None:
            answer = self._end.receive_data(await self._receive())
        match answer:
            case Chunk():
                await self._download.take_chunk(answer)
            case ListPiece():
                await self._download.take_piece(answer)
            case Queued(before=before):
                await self._download.note_waiting(before)
            case NotServed(refusal="crowded"):
                raise LinkBroken
            case NotServed(refusal=refusal):
                raise OfferOver if refusal == "over" else FileRefused
