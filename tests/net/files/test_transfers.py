"""Files from one who offers them to those who fetch them: what is there afterwards, whatever happens on the way."""

import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing

from anonp2p import limits
from anonp2p.errors import AnonError
from anonp2p.files.errors import (
    FileRefused,
    FileUnreadable,
    OfferKeyFiltered,
    OfferNeedsControl,
    SenderGone,
    SenderLied,
)
from anonp2p.names.codes import RoomKey
from anonp2p.net.tor import commands
from anonp2p.net.tor.errors import (
    ClientKeyRefused,
    ControlPortNeeded,
    ControlPortUnusable,
    InvitationNeedsControl,
    NoPortLeft,
)
from anonp2p.net.transport import DialFault
from anonp2p.reasons import Reason
from anonp2p.room.file_inputs import FileFailedInput, TransferInput
from tests.net.files.party import KEY, holds, member_of, names, parties, write_chunks, write_random
from tests.support.transports import MemoryNetwork, Network, Tor


@pytest.mark.parametrize("size", [0, 1, limits.CHUNK, 3 * limits.CHUNK + 7, 150 * limits.CHUNK + 1])
async def test_a_file_comes_as_it_is(
    network: Network, clock: trio.testing.MockClock | None, source: Path, folder: Path, size: int
) -> None:
    data = write_random(source, size)
    async with parties(network) as these:
        ada, ben = these.come("ada"), these.come("ben")
        offer = await ada.offer(source)
        ben.fetch(offer, folder)
        assert await ben.done() == folder / "f.bin"
        assert holds(folder / "f.bin", data)
        assert ben.last.done == size
        if size:
            await ada.until(lambda: ada.states[-1:] == ["done"])
            assert ada.last.peer == member_of("ben")
            assert ada.last.done == size
    assert names(folder) == ["f.bin"]


async def test_progress_is_told_twice_a_second_at_most(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock, source: Path, folder: Path
) -> None:
    write_chunks(source, 200)
    async with parties(memory) as these:
        ada, ben = these.come("ada"), these.come("ben")
        ben.fetch(await ada.offer(source), folder)
        await ben.done()
        assert len(ben.told) <= 3
        told = [it.done for it in ben.told if isinstance(it, TransferInput)]
        assert told == sorted(told)


async def test_after_lost_links_it_goes_on_where_it_was(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock, source: Path, folder: Path
) -> None:
    data = write_chunks(source, 300)
    memory.lockstep = True
    async with parties(memory) as these:
        ada, ben = these.come("ada"), these.come("ben")
        offer = await ada.offer(source)
        ben.fetch(offer, folder)
        for _ in range(4):
            await ben.until(lambda: "running" in ben.states)
            asked = ada.rules.asked
            await ada.rules.until_asked(asked + 40)
            memory.cut()
            memory.forget_dials()
        assert await ben.done() == folder / "f.bin"
        assert holds(folder / "f.bin", data)
        assert ada.rules.asked < 300 + 4 * 4 * limits.SEGMENT, "what had come is not sent again"
        assert ben.states == [*["running", "connecting"] * 4, "running", "done"]
        await ada.until(lambda: ada.states[-1:] == ["done"])


async def test_a_link_that_falls_silent_is_given_up(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock, source: Path, folder: Path
) -> None:
    data = write_chunks(source, 100)
    memory.lockstep = True
    async with parties(memory) as these:
        ada, ben = these.come("ada"), these.come("ben")
        ben.fetch(await ada.offer(source), folder)
        await ada.rules.until_asked(20)
        for wire in memory.wires:
            wire.fall_silent()
        assert await ben.done() == folder / "f.bin"
        assert holds(folder / "f.bin", data)


async def test_a_lost_tor_is_waited_for_on_either_side(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock, source: Path, folder: Path
) -> None:
    data = write_chunks(source, 300)
    memory.lockstep = True
    async with parties(memory) as these:
        tors = [Tor(memory), Tor(memory)]
        ada, ben = these.come("ada", tors[0].usable), these.come("ben", tors[1].usable)
        ben.fetch(await ada.offer(source), folder)
        for tor in tors:
            asked = ada.rules.asked
            await ada.rules.until_asked(asked + 20)
            tor.lose()
            memory.cut()
            memory.forget_dials()
            await trio.sleep(20.0)
            tor.regain()
        assert await ben.done() == folder / "f.bin"
        assert holds(folder / "f.bin", data)


async def test_who_cannot_be_reached_is_given_up_and_what_came_is_gone_on_with(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock, source: Path, folder: Path
) -> None:
    data = write_chunks(source, 100)
    memory.lockstep = True
    async with parties(memory) as these:
        ada, ben = these.come("ada"), these.come("ben")
        offer = await ada.offer(source)
        ben.fetch(offer, folder)
        await ada.rules.until_asked(20)
        memory.go_down()
        begun = trio.current_time()
        assert await ben.failed() == SenderGone()
        assert trio.current_time() - begun == pytest.approx(limits.FILE_PATIENCE, abs=1.0)
        assert names(folder) == ["f.bin.part"]
        await ada.until(lambda: ada.states[-1:] == ["failed"])
        memory.come_up()
        ada.rules.asked = 0
        ben.told.clear()
        ben.fetch(offer, folder)
        assert await ben.done() == folder / "f.bin"
        assert holds(folder / "f.bin", data)
        assert ada.rules.asked < 90
        assert names(folder) == ["f.bin"]


async def test_of_one_who_was_never_reached_nothing_stays(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock, source: Path, folder: Path
) -> None:
    write_chunks(source, 2)
    async with parties(memory) as these:
        ada, ben = these.come("ada"), these.come("ben")
        offer = await ada.offer(source)
        memory.otherwise = DialFault(Reason("no-descriptor"), absent=True)
        ben.fetch(offer, folder)
        assert await ben.failed() == SenderGone()
        assert names(folder) == []
        assert memory.forgotten, "its key was taken back from Tor"


async def test_who_is_no_member_gets_nothing(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock, source: Path, folder: Path
) -> None:
    write_chunks(source, 2)
    async with parties(memory) as these:
        ada, eve = these.come("ada"), these.come("eve")
        offer = await ada.offer(source)
        ada.rules.out.add(member_of("eve"))
        eve.fetch(offer, folder)
        assert await eve.failed() == FileRefused()
        assert names(folder) == []
        assert ada.states == []


async def test_who_is_thrown_out_in_the_middle_gets_no_more(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock, source: Path, folder: Path
) -> None:
    write_chunks(source, 300)
    memory.lockstep = True
    async with parties(memory) as these:
        ada, eve = these.come("ada"), these.come("eve")
        eve.fetch(await ada.offer(source), folder)
        await ada.rules.until_asked(50)
        ada.rules.out.add(member_of("eve"))
        asked = ada.rules.asked
        assert await eve.failed() == FileRefused()
        assert ada.rules.asked == asked
        await ada.until(lambda: ada.states[-1:] == ["failed"])


@pytest.mark.parametrize("forgets", [False, True])
async def test_a_stopped_fetch_says_no_more_and_leaves_what_came_unless_that_is_to_be_forgotten(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock, source: Path, folder: Path, forgets: bool
) -> None:
    write_chunks(source, 300)
    memory.lockstep = True
    async with parties(memory) as these:
        ada, ben = these.come("ada"), these.come("ben")
        ben.fetch(await ada.offer(source), folder)
        await ada.rules.until_asked(50)
        ben.stop(forgets=forgets)
        told = len(ben.told)
        await trio.sleep(limits.FILE_PATIENCE)
        assert len(ben.told) == told
        assert names(folder) == ([] if forgets else ["f.bin.part"])


async def test_an_offer_that_ends_is_not_found_any_more_and_its_links_end(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock, source: Path, folder: Path
) -> None:
    write_chunks(source, 300)
    memory.lockstep = True
    async with parties(memory) as these:
        ada, ben = these.come("ada"), these.come("ben")
        ben.fetch(await ada.offer(source), folder)
        await ada.rules.until_asked(50)
        ada.stop()
        asked = ada.rules.asked
        assert await ben.failed() == SenderGone()
        assert ada.rules.asked <= asked + limits.FILE_CIRCUITS
        with pytest.raises(DialFault):
            await memory.dial(KEY.code, "eve:1")


@pytest.mark.parametrize("change", [lambda it: os.truncate(it, 10), lambda it: write_chunks(it, 300)])
async def test_a_file_that_changes_is_offered_no_more(
    memory: MemoryNetwork,
    autojump_clock: trio.testing.MockClock,
    source: Path,
    folder: Path,
    change: Callable[[Path], object],
) -> None:
    write_chunks(source, 300)
    memory.lockstep = True
    async with parties(memory) as these:
        ada, ben = these.come("ada"), these.come("ben")
        ben.fetch(await ada.offer(source), folder)
        await ada.rules.until_asked(50)
        change(source)
        await ada.until(lambda: isinstance(ada.told[-1], FileFailedInput))
        assert await ben.failed() == SenderGone()


async def test_what_cannot_be_read_is_told(memory: MemoryNetwork, source: Path) -> None:
    async with parties(memory) as these:
        with pytest.raises(FileUnreadable):
            await these.come("ada").read(source)


class Forbidding(MemoryNetwork):
    """Takes no services."""

    def __init__(self, error: AnonError) -> None:
        super().__init__()
        self.error = error

    @asynccontextmanager
    async def listen(self, key: RoomKey, clients: Sequence[bytes] = ()) -> AsyncIterator[Any]:
        raise self.error
        yield


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ControlPortNeeded(), OfferNeedsControl()),
        (ControlPortUnusable("x"), OfferNeedsControl()),
        (NoPortLeft(), NoPortLeft()),
    ],
)
async def test_why_a_file_cannot_be_served_is_told(
    autojump_clock: trio.testing.MockClock, source: Path, error: AnonError, told: AnonError
) -> None:
    write_chunks(source, 1)
    async with parties(Forbidding(error)) as these:
        ada = these.come("ada")
        await ada.offer(source)
        await ada.until(lambda: isinstance(ada.told[-1], FileFailedInput))
        assert ada.told[-1] == FileFailedInput(1, told)


async def test_where_nothing_can_be_published_nothing_is_offered(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock, source: Path
) -> None:
    write_chunks(source, 1)
    memory.lack = ControlPortUnusable("x")
    async with parties(memory) as these:
        with pytest.raises(OfferNeedsControl):
            await these.come("ada").read(source)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (InvitationNeedsControl(), OfferNeedsControl()),
        (ClientKeyRefused(commands.FILTERED), OfferKeyFiltered()),
        (ClientKeyRefused("512"), SenderLied()),  # what Tor says to an address that is none
    ],
)
async def test_why_a_sender_cannot_be_dialled_is_told(
    memory: MemoryNetwork,
    autojump_clock: trio.testing.MockClock,
    source: Path,
    folder: Path,
    error: AnonError,
    told: AnonError,
) -> None:
    write_chunks(source, 1)
    async with parties(memory) as these:
        ada, ben = these.come("ada"), these.come("ben")
        offer = await ada.offer(source)
        memory.otherwise = error
        ben.fetch(offer, folder)
        assert await ben.failed() == told
        assert len(memory.dials) == 1
