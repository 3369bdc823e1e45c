"""Fetchers and senders that lie, flood, or do nothing."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
import trio
import trio.testing

from anonp2p import limits
from anonp2p.crypto import suite
from anonp2p.files.errors import FileRefused, FileUnwritable, OfferOver, SenderGone, SenderLied
from anonp2p.files.part import PartFile
from anonp2p.protocol import transfer
from anonp2p.protocol.bodies import FileOffer
from anonp2p.protocol.transfer import Chunk, FetchingEnd, NotServed, Queued, ServingEnd, Want
from tests.net.files.party import KEY, SECRET, Party, Rules, holds, names, parties, write_chunks
from tests.support.transports import MemoryNetwork

CLIENT = transfer.derive_client_key(SECRET)


class Stranger:
    """One end of a link, by hand: reads and writes what it likes."""

    def __init__(self, stream: trio.abc.Stream, end: FetchingEnd | ServingEnd) -> None:
        self.stream = stream
        self.end = end

    async def receive(self) -> object:
        """What comes next; None at the end of the link."""
        while data := await self.stream.receive_some(self.end.missing):
            if (got := self.end.receive_data(data)) is not None:
                return got
        return None

    async def greet(self) -> None:
        while self.end.missing:
            data = await self.stream.receive_some(self.end.missing)
            self.end.receive_data(data)
            if isinstance(self.end, FetchingEnd) and self.end.is_greeted:
                break
        await self.stream.send_all(self.end.nonce)


async def dialled(memory: MemoryNetwork, size: int) -> Stranger:
    stranger = Stranger(await memory.dial(KEY.code, "eve:1", client_key=CLIENT), FetchingEnd(SECRET, b"e" * 32, size))
    await stranger.greet()
    return stranger


async def claimed(memory: MemoryNetwork, size: int, name: str = "eve") -> Stranger:
    stranger = await dialled(memory, size)
    assert isinstance(stranger.end, FetchingEnd)
    await stranger.stream.send_all(stranger.end.seal_claim(Rules(name).make_claim(1, stranger.end.challenge)))
    return stranger


async def wanting(memory: MemoryNetwork, size: int, name: str = "eve") -> Stranger:
    """A member that wants the first chunk."""
    stranger = await claimed(memory, size, name)
    assert isinstance(stranger.end, FetchingEnd)
    await stranger.stream.send_all(stranger.end.seal_want(Want("chunks", 0, 1)))
    return stranger


# --- fetchers


async def test_a_claim_is_good_on_one_link(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock, source: Path
) -> None:
    write_chunks(source, 2)
    async with parties(memory) as these:
        offer = await these.come("ada").offer(source)
        first, second = await dialled(memory, offer.size), await dialled(memory, offer.size)
        assert isinstance(first.end, FetchingEnd)
        assert isinstance(second.end, FetchingEnd)
        claim = Rules("ben").make_claim(1, first.end.challenge)
        await second.stream.send_all(second.end.seal_claim(claim))
        assert await second.receive() == NotServed("not-yours")
        await first.stream.send_all(first.end.seal_claim(claim) + first.end.seal_want(Want("chunks", 1, 1)))
        assert isinstance(await first.receive(), Chunk)


async def test_who_has_not_the_key_of_the_offer_does_not_find_it(memory: MemoryNetwork, source: Path) -> None:
    write_chunks(source, 1)
    async with parties(memory) as these:
        await these.come("ada").offer(source)
        for key in (b"", b"x" * 32):
            with pytest.raises(Exception, match="key-"):
                await memory.dial(KEY.code, "eve:1", client_key=key)


async def test_half_open_links_do_not_keep_members_out(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock, source: Path, folder: Path
) -> None:
    data = write_chunks(source, 3)
    async with parties(memory) as these:
        ada, ben = these.come("ada"), these.come("ben")
        offer = await ada.offer(source)
        streams = [await memory.dial(KEY.code, f"eve:{number}", client_key=CLIENT) for number in range(100)]
        await trio.sleep(1.0)
        ended = 0
        for stream in streams:
            with trio.move_on_after(0.1):
                await stream.receive_some(transfer.HELLO)
                ended += not await stream.receive_some(1)
        assert ended == 100 - limits.FILE_HALF_OPEN
        ben.fetch(offer, folder)
        assert holds(await ben.done(), data)


async def test_a_handshake_has_its_time(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock, source: Path
) -> None:
    write_chunks(source, 1)
    async with parties(memory) as these:
        offer = await these.come("ada").offer(source)
        begun = trio.current_time()
        stranger = await dialled(memory, offer.size)
        assert isinstance(stranger.end, FetchingEnd)
        claim = stranger.end.seal_claim(Rules("eve").make_claim(1, stranger.end.challenge))
        with suppress(trio.BrokenResourceError):
            for byte in claim:  # one byte now and then keeps nobody waiting for longer
                await stranger.stream.send_all(bytes([byte]))
                await trio.sleep(5.0)
        assert trio.current_time() - begun >= limits.HANDSHAKE_SECONDS
        assert trio.current_time() - begun <= limits.HANDSHAKE_SECONDS + 6


async def test_who_takes_nothing_is_cut(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock, source: Path, folder: Path
) -> None:
    write_chunks(source, 5)
    memory.lockstep = True
    async with parties(memory) as these:
        ada = these.come("ada")
        offer = await ada.offer(source)
        stranger = await claimed(memory, offer.size)
        assert isinstance(stranger.end, FetchingEnd)
        await stranger.stream.send_all(stranger.end.seal_want(Want("chunks", 0, 5)))
        await trio.sleep(limits.FILE_RECORD + 1)
        with pytest.raises(trio.BrokenResourceError):
            await stranger.stream.send_all(b"x")


async def test_who_wants_nothing_is_cut(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock, source: Path
) -> None:
    write_chunks(source, 5)
    async with parties(memory) as these:
        offer = await these.come("ada").offer(source)
        stranger = await claimed(memory, offer.size)
        begun = trio.current_time()
        assert await stranger.receive() is None
        assert trio.current_time() - begun == pytest.approx(limits.FILE_RECORD, abs=1.0)


@pytest.mark.parametrize(
    "make",
    [
        lambda end: bytes(transfer.SHORT + suite.TAG),
        lambda end: end.seal_claim(bytes(transfer.CLAIM)),
        lambda end: b"".join(end.seal_want(Want("chunks", 0, 64)) for _ in range(3)),
        lambda end: end.seal_want(Want("chunks", 70, 64)),
    ],
)
async def test_a_fetcher_that_breaks_the_protocol_loses_its_link_and_nobody_else_notices(
    memory: MemoryNetwork,
    autojump_clock: trio.testing.MockClock,
    source: Path,
    folder: Path,
    make: Callable[[FetchingEnd], bytes],
) -> None:
    data = write_chunks(source, 100)
    async with parties(memory) as these:
        ada, ben = these.come("ada"), these.come("ben")
        offer = await ada.offer(source)
        stranger = await claimed(memory, offer.size)
        assert isinstance(stranger.end, FetchingEnd)
        await stranger.stream.send_all(make(stranger.end))
        while await stranger.stream.receive_some(100_000):
            pass
        ben.fetch(offer, folder)
        assert holds(await ben.done(), data)


async def test_a_member_has_so_many_links_and_the_newest_ones(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock, source: Path
) -> None:
    write_chunks(source, 5)
    async with parties(memory) as these:
        offer = await these.come("ada").offer(source)
        links = [await wanting(memory, offer.size) for _ in range(limits.FILE_CIRCUITS + 3)]
        await trio.sleep(1.0)
        got = [await link.receive() for link in links[-limits.FILE_CIRCUITS :]]
        assert all(isinstance(answer, Chunk) for answer in got)
        with trio.fail_after(1.0):
            for link in links[: -limits.FILE_CIRCUITS]:
                while await link.stream.receive_some(100_000):
                    pass


@pytest.mark.parametrize("says_done", [False, True])
async def test_one_that_comes_and_goes_is_told_of_now_and_then(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock, source: Path, says_done: bool
) -> None:
    write_chunks(source, 5)
    async with parties(memory) as these:
        ada = these.come("ada")
        offer = await ada.offer(source)
        for _ in range(100):
            stranger = await wanting(memory, offer.size)
            assert isinstance(await stranger.receive(), Chunk)
            if says_done:
                assert isinstance(stranger.end, FetchingEnd)
                await stranger.stream.send_all(stranger.end.seal_done())
            await stranger.stream.aclose()
            await trio.sleep(0.1)
        assert len(ada.told) < 2 * 100 * 0.1 / limits.FILE_TOLD
        await trio.sleep(limits.FILE_PATIENCE + 1)
        assert ada.last.state == ("done" if says_done else "failed")


async def test_more_than_can_be_served_wait_and_are_told_and_come_in_turn(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock, source: Path, folder: Path
) -> None:
    data = write_chunks(source, 5)
    async with parties(memory) as these:
        ada, ben = these.come("ada"), these.come("ben")
        offer = await ada.offer(source)
        first = [await wanting(memory, offer.size, f"m{number}") for number in range(limits.FETCHERS)]
        await trio.sleep(1.0)
        waiting = await wanting(memory, offer.size, "eve")
        assert await waiting.receive() == Queued(0)
        ben.fetch(offer, folder)
        await ben.until(lambda: ben.states == ["connecting"])
        assert ben.last.detail is not None
        begun = trio.current_time()
        await first[0].stream.aclose()
        assert isinstance(await waiting.receive(), Chunk)
        assert trio.current_time() - begun < 1.0, "it does not wait for the next sign of life"
        await first[1].stream.aclose()
        assert holds(await ben.done(), data)


async def test_four_that_do_nothing_do_not_keep_the_others_waiting(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock, source: Path, folder: Path
) -> None:
    data = write_chunks(source, 5)
    async with parties(memory) as these:
        ada, ben = these.come("ada"), these.come("ben")
        offer = await ada.offer(source)
        for number in range(limits.FETCHERS):
            await claimed(memory, offer.size, f"m{number}")
        begun = trio.current_time()
        ben.fetch(offer, folder)
        assert holds(await ben.done(), data)
        assert trio.current_time() - begun < limits.FILE_RECORD + 5


# --- senders

CHUNKS = [b"a" * limits.CHUNK, b"b" * limits.CHUNK, b"c" * 5]
HASHES = b"".join(map(suite.hash_data, CHUNKS))
SIZE = 2 * limits.CHUNK + 5
OFFER = FileOffer(SIZE, suite.hash_data(HASHES), KEY.public, SECRET)


async def lie(memory: MemoryNetwork, answers: Callable[[ServingEnd], list[bytes]]) -> None:
    """Serves whatever dials with these records, once it has claimed."""
    async with memory.listen(KEY, (transfer.find_client(SECRET),)) as place, trio.open_nursery() as nursery:

        async def attend(stream: trio.abc.Stream) -> None:
            end = ServingEnd(SECRET, b"n" * 32, SIZE)
            stranger = Stranger(stream, end)
            await stream.send_all(end.nonce)
            assert isinstance(await stranger.receive(), transfer.Claim)
            assert isinstance(await stranger.receive(), Want)
            for record in answers(end):
                await stream.send_all(record)
                await trio.sleep(0.1)
            await trio.sleep_forever()

        while True:
            nursery.start_soon(attend, await place.listener.accept())


async def result(memory: MemoryNetwork, folder: Path, answers: Callable[[ServingEnd], list[bytes]]) -> Party:
    async with parties(memory) as these, trio.open_nursery() as nursery:
        nursery.start_soon(lie, memory, answers)
        await trio.testing.wait_all_tasks_blocked()
        ben = these.come("ben")
        ben.fetch(OFFER, folder)
        with trio.move_on_after(5_000):
            await ben.until(lambda: ben.states[-1:] in (["done"], ["failed"]))
        nursery.cancel_scope.cancel()
    return ben


LIES: dict[str, Callable[[ServingEnd], list[bytes]]] = {
    "another list": lambda it: [it.seal_piece(HASHES[:-1] + b"!")],
    "a list that is too short": lambda it: [it.seal_piece(HASHES[:-32])],
    "a longer list": lambda it: [it.seal_piece(HASHES + b"!")],
    "a chunk in place of the list": lambda it: [it.seal_chunk(HASHES)],
    "the list twice": lambda it: [it.seal_piece(HASHES), it.seal_piece(HASHES)],
    "another chunk": lambda it: [it.seal_piece(HASHES), it.seal_chunk(CHUNKS[1])],
    "a chunk that is too short": lambda it: [it.seal_piece(HASHES), it.seal_chunk(CHUNKS[0][:-1])],
    "more chunks than there are": lambda it: [
        it.seal_piece(HASHES),
        *map(it.seal_chunk, (CHUNKS[0], CHUNKS[1], CHUNKS[2] + b"!")),
    ],
    "no record": lambda it: [b"\0" * 500],
    "a record of another kind": lambda it: [b"\7"],
}


@pytest.mark.parametrize("what", LIES)
async def test_a_sender_that_lies_is_found_at_once_and_not_asked_again(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock, folder: Path, what: str
) -> None:
    begun = trio.current_time()
    ben = await result(memory, folder, LIES[what])
    assert ben.last.detail == SenderLied()
    assert len(memory.dials) == 1
    assert trio.current_time() - begun < 1.0
    good = what == "more chunks than there are"
    assert names(folder) == (["f.bin.part"] if good else [])


@pytest.mark.parametrize(
    ("refusal", "error"), [("not-yours", FileRefused()), ("over", OfferOver()), ("crowded", SenderGone())]
)
async def test_why_nothing_is_served_is_told(
    memory: MemoryNetwork,
    autojump_clock: trio.testing.MockClock,
    folder: Path,
    refusal: transfer.Refusal,
    error: Exception,
) -> None:
    ben = await result(memory, folder, lambda it: [it.seal_refusal(refusal)])
    assert ben.last.detail == error
    assert (len(memory.dials) > 1) == (refusal == "crowded")


@pytest.mark.parametrize(
    "answers",
    [
        lambda it: [],
        lambda it: [bytes([byte]) for byte in it.seal_piece(HASHES)],  # one byte each tenth of a second
    ],
)
async def test_a_sender_that_is_slow_for_ever_is_given_up(
    memory: MemoryNetwork,
    autojump_clock: trio.testing.MockClock,
    folder: Path,
    answers: Callable[[ServingEnd], list[bytes]],
) -> None:
    begun = trio.current_time()
    ben = await result(memory, folder, answers)
    assert ben.last.detail == SenderGone()
    assert trio.current_time() - begun == pytest.approx(limits.FILE_PATIENCE, abs=1.0)


async def test_who_has_to_wait_is_patient_as_long_as_the_sender_is_there(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock, folder: Path
) -> None:
    ben = await result(
        memory,
        folder,
        lambda it: [
            *(it.seal_waiting(1) for _ in range(3_000)),  # five minutes
            it.seal_piece(HASHES),
            *map(it.seal_chunk, CHUNKS),
        ],
    )
    assert ben.last.state == "done"
    assert names(folder) == ["f.bin"]
    assert len(ben.told) < 700


async def test_a_disk_that_is_full_is_one_sentence_and_what_came_can_be_gone_on_with(
    memory: MemoryNetwork,
    autojump_clock: trio.testing.MockClock,
    source: Path,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write_chunks(source, 100)
    write = PartFile.write_chunk

    def fill(self: PartFile, number: int, chunk: bytes) -> bool:
        if sum(self.good) >= 10:
            raise FileUnwritable("there is no space left")
        return write(self, number, chunk)

    async with parties(memory) as these:
        ada, ben = these.come("ada"), these.come("ben")
        offer = await ada.offer(source)
        monkeypatch.setattr(PartFile, "write_chunk", fill)
        ben.fetch(offer, folder)
        assert isinstance(await ben.failed(), FileUnwritable)
        assert names(folder) == ["f.bin.part"]
        monkeypatch.undo()


async def test_a_path_that_cannot_be_written_to_is_told_before_the_sender_is_dialled(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock, folder: Path
) -> None:
    async with parties(memory) as these:
        ben = these.come("ben")
        ben.fetch(OFFER, folder / "missing" / "f")
        assert isinstance(await ben.failed(), FileUnwritable)
        assert memory.dials == []
