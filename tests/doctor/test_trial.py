"""A room on trial, over networks in memory."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio
import trio.testing

from anonp2p import limits
from anonp2p.config import Endpoint
from anonp2p.doctor.trial import check_lookup, check_room, check_socks
from anonp2p.findings import Finding, find
from anonp2p.names.codes import RoomKey
from anonp2p.net.tor.errors import ClientKeyRefused, NotPublished
from anonp2p.net.transport import DialFault
from anonp2p.reasons import DialFailure, Reason
from tests.support.transports import CONNECT, HANG, MemoryNetwork

PROXY = Endpoint(host="127.0.0.1", port=9050)
NO_TRACE = DialFault(Reason("no-descriptor"), absent=True)


@pytest.fixture
def network() -> MemoryNetwork:
    return MemoryNetwork()


def fault(failure: DialFailure, *, again: bool = True, absent: bool = False) -> DialFault:
    return DialFault(Reason(failure), again=again, absent=absent)


async def test_a_room_that_is_reached_is_told_to_be(
    network: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    assert await check_room(network) == [
        find("room-published", 0.0),
        find("room-reached", 0.0),
        find("private-reached", 0.0),
    ]
    opened, private = network.dials
    assert opened.code != private.code
    for dialled in (opened, private):
        with pytest.raises(DialFault):  # it is gone
            await network.dial(dialled.code, "me")
        assert dialled.isolation.partition(":")[0] in network.forgotten, "no key of it stays with Tor"


async def test_each_dial_has_a_circuit_of_its_own_and_each_trial_a_room_of_its_own(
    network: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    network.plan.extend([NO_TRACE, HANG, NO_TRACE])
    published, reached, _ = await check_room(network)
    seconds = 2 * limits.DIAL_PAUSE + limits.DIAL_TRIES[1] + limits.DIAL_PAUSE
    assert (published, reached) == (find("room-published", 0.0), find("room-reached", seconds))
    assert len({dialled.isolation for dialled in network.dials}) == 5
    await check_room(network)
    assert len({dialled.code for dialled in network.dials}) == 4


async def test_a_room_that_nobody_reaches_is_told_with_the_last_reason(
    network: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    network.otherwise = fault("introduction-timeout")
    _, unreached = await check_room(network)
    assert unreached == find("room-unreached", limits.DIAL_PATIENCE, Reason("introduction-timeout"))
    network.otherwise = fault("bad-address", again=False)
    _, unreached = await check_room(network)
    assert unreached == find("room-unreached", 0.0, Reason("bad-address"))


async def test_a_dial_without_an_answer_is_given_up(
    network: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    network.otherwise = HANG
    _, unreached = await check_room(network)
    assert unreached == find("room-unreached", limits.DIAL_PATIENCE, Reason("dial-timeout", limits.DIAL_TRIES[2]))


class OtherAnswers(MemoryNetwork):
    """Who dials it gets to somebody who says so much, and hangs up."""

    said = b""

    async def dial(
        self, code: str, isolation: str, *, hello: int = 1, fresh: bool = False, client_key: bytes = b""
    ) -> trio.abc.Stream:
        ours, theirs = trio.testing.memory_stream_pair()
        await theirs.send_all(self.said)
        await theirs.send_eof()
        return ours


@pytest.mark.parametrize("length", [0, 8, 32, 64])
async def test_another_who_answers_is_not_our_room(length: int, autojump_clock: trio.testing.MockClock) -> None:
    network = OtherAnswers()
    network.said = bytes(length)
    _, unreached = await check_room(network)
    assert unreached == find("room-unreached", limits.DIAL_PATIENCE, Reason("service-silent"))


class NeverPublished(MemoryNetwork):
    """Takes services, and does not publish them."""

    @asynccontextmanager
    async def listen(self, key: RoomKey, clients: Sequence[bytes] = ()) -> AsyncIterator[Any]:
        async with super().listen(key, clients) as place:
            vars(place)["published"] = trio.sleep_forever
            yield place


async def test_a_room_that_is_not_published_in_time_is_not_dialled(autojump_clock: trio.testing.MockClock) -> None:
    network = NeverPublished()
    assert await check_room(network) == [find("room-unpublished", limits.PUBLISH_PATIENCE)]
    assert network.dials == []


async def test_defences_that_a_tor_lacks_are_told_first(
    network: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    network.undefended = ["streams", "proof-of-work"]
    findings = await check_room(network)
    assert findings[:2] == [find("defence-missing", "streams"), find("defence-missing", "proof-of-work")]
    assert [finding.code for finding in findings[2:]] == ["room-published", "room-reached", "private-reached"]


@pytest.mark.parametrize(
    ("answer", "finding"),
    [
        (fault("key-wrong", again=False), find("private-unreached", 0.0, Reason("key-wrong"))),
        (ClientKeyRefused("510"), find("private-refused", ClientKeyRefused("510"))),
    ],
)
async def test_a_private_room_that_its_key_does_not_open_is_told(
    network: MemoryNetwork, autojump_clock: trio.testing.MockClock, answer: Exception, finding: Finding
) -> None:
    network.plan.extend([CONNECT, answer])
    assert (await check_room(network))[2:] == [finding]


class NoPrivateRooms(MemoryNetwork):
    """Takes services that all can find, and no others."""

    @asynccontextmanager
    async def listen(self, key: RoomKey, clients: Sequence[bytes] = ()) -> AsyncIterator[Any]:
        if clients:
            raise NotPublished("512")
        async with super().listen(key) as place:
            yield place


async def test_a_tor_that_publishes_no_private_rooms_is_told(autojump_clock: trio.testing.MockClock) -> None:
    assert (await check_room(NoPrivateRooms()))[2:] == [find("private-refused", NotPublished("512"))]


@pytest.mark.parametrize(
    ("answer", "finding"),
    [
        (NO_TRACE, find("looked-up", 0.0)),
        (fault("not-found", absent=True), find("looked-up", 0.0)),
        (fault("broken-circuit"), find("lookup-failed", 0.0, Reason("broken-circuit"))),
        (fault("tor-hung-up"), find("lookup-failed", 0.0, Reason("tor-hung-up"))),
    ],
)
async def test_only_a_tor_that_knows_of_no_such_room_has_looked_for_it(
    network: MemoryNetwork, autojump_clock: trio.testing.MockClock, answer: DialFault, finding: Finding
) -> None:
    network.plan.append(answer)
    assert await check_lookup(network) == [finding]


async def test_a_lookup_without_an_answer_is_given_up(
    network: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    network.plan.append(HANG)
    reason = Reason("dial-timeout", limits.DIAL_PATIENCE)
    assert await check_lookup(network) == [find("lookup-failed", limits.DIAL_PATIENCE, reason)]


async def test_what_reaches_rooms_that_do_not_exist_is_no_tor() -> None:
    network = OtherAnswers()
    assert await check_lookup(network) == [find("lookup-forged")]
    assert await check_socks(network, PROXY) == [find("lookup-forged")]


async def test_a_socks_port_that_says_why_has_extended_errors(network: MemoryNetwork) -> None:
    network.plan.extend([fault("bad-address", again=False), fault("failed-circuit")])
    assert await check_socks(network, PROXY) == [find("extended-errors", PROXY)]
    assert await check_socks(network, PROXY) == [find("plain-errors", PROXY)]
