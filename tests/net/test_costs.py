"""What one who joins can cost a host, and those who share its room: over a network in memory."""

from contextlib import suppress

import pytest
import trio
import trio.testing

from anonp2p import limits
from anonp2p.crypto import suite
from anonp2p.protocol import frames
from anonp2p.room import events
from tests.support.people import Gathering, Stranger, gathering
from tests.support.transports import MemoryNetwork

BATCH, RATE = 200, 20.0  # entries at once, and a second

# --- places


async def join_and_hang_up(gathered: Gathering) -> None:
    """As soon as it is let in."""
    stranger = await gathered.stranger()
    await stranger.greeted()
    await stranger.send(stranger.client_handshake(stranger.join("")))
    await stranger.payload()
    await stranger.close()


async def test_a_room_filled_by_those_who_hang_up_takes_in_the_next_one_and_keeps_its_own(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """5.11"""
    monkeypatch.setattr(limits, "MEMBERS", 150)
    async with gathering(memory) as gathered:
        host, talks, listens = await gathered.host(), await gathered.join("talks"), await gathered.join("listens")
        away = await gathered.played("away")
        await away.says(frames.TextBody("back soon", action=False))
        await host.hears(events.MessageEvent)
        await away.close()
        await trio.sleep(limits.COMMIT_PAUSE)
        before = trio.current_time()
        async with trio.open_nursery() as nursery:
            for _ in range(limits.MEMBERS - 4):
                nursery.start_soon(join_and_hang_up, gathered)
                await trio.testing.wait_all_tasks_blocked()
        assert len(host.nicks) == limits.MEMBERS
        ann = await gathered.join("ann")
        assert trio.current_time() == before
        await ann.say("I am in")
        for person in (host, talks, listens):
            await person.hears(events.MessageEvent, text="I am in")
            assert sorted(person.nicks) == ["ann", "away", "host", "listens", "talks"]


# --- the log


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Members may write less, and nothing is read far ahead."""
    monkeypatch.setattr(limits, "ENTRY_BUCKET", BATCH)
    monkeypatch.setattr(limits, "ENTRY_RATE", RATE)
    monkeypatch.setattr(limits, "READ", limits.UNIT)


def flood(eve: Stranger, count: int) -> bytes:
    """So many texts, as small as there are, as many in a record as go."""
    entries = [eve.entry(eve.me, frames.TextBody("x", action=False)) for _ in range(count)]
    return b"".join(eve.submit(*entries[at : at + limits.FRAMES]) for at in range(0, count, limits.FRAMES))


async def test_who_writes_many_small_texts_is_read_at_its_pace_and_holds_up_nobody(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock, slow: None
) -> None:
    """1.6: in few units, which alone would be read at once."""
    async with gathering(memory) as gathered:
        host, ann = await gathered.host(), await gathered.join("ann")
        eve = await gathered.played("eve")
        count = int(BATCH + 12 * RATE)
        began = trio.current_time()
        await eve.send(flood(eve, count))
        await trio.testing.wait_all_tasks_blocked()
        assert BATCH <= len(host.texts) < BATCH + 2 * limits.FRAMES
        await ann.say("hello")
        await ann.hears(events.MessageEvent, text="hello")
        assert trio.current_time() == began, "who does not flood does not wait"
        for seconds in (3, 6, 9):
            await trio.sleep(began + seconds - trio.current_time())
            assert abs(len(host.texts) - BATCH - seconds * RATE) < 2 * limits.FRAMES
        await ann.until(lambda: ann.texts.count("x") == count)
        assert not ann.heard(events.LeftEvent), "nothing of it is lost"


async def test_who_dials_again_is_read_no_faster(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock, slow: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """1.6: not even what it sends right behind its client handshake."""
    monkeypatch.setattr(limits, "READ", limits.CLIENT_HANDSHAKE + 40 * limits.UNIT)
    async with gathering(memory) as gathered:
        host = await gathered.host()
        eve = await gathered.played("eve")
        began = trio.current_time()
        await eve.send(flood(eve, BATCH))
        await trio.testing.wait_all_tasks_blocked()
        eve.reference = eve.ledger.index, eve.ledger.digest
        for _ in range(20):
            eve.take_link((await gathered.stranger()).stream)
            await eve.greeted()
            with suppress(trio.BrokenResourceError):
                await eve.send(eve.client_handshake(eve.resume()) + flood(eve, 2 * limits.FRAMES))
            await trio.testing.wait_all_tasks_blocked()
        assert trio.current_time() == began
        assert len(host.texts) <= BATCH + 2 * limits.FRAMES


# --- leaves


async def test_who_asks_for_keys_without_reading_them_is_cut_and_nobody_else(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    """1.7"""
    memory.lockstep = True
    async with gathering(memory) as gathered:
        host, ann = await gathered.host(), await gathered.join("ann")
        eve = await gathered.played("eve")
        key = host.session.room.replica.ledger.roster.find_nick("ann")
        assert key is not None
        asked = 0
        with suppress(trio.BrokenResourceError):
            while asked < 10_000:
                await eve.send(eve.record(*[frames.KeyRequestFrame(key.key_hash)] * 8))
                asked += 8
        assert asked < 2 * limits.LINK_QUEUE / suite.ENCRYPTION_KEY + 100
        await ann.say("hello")
        await host.hears(events.MessageEvent, text="hello")
        assert (await ann.hears(events.LeftEvent)).nick == "eve"
