"""Dials through Tor's SOCKS port: what its replies mean, and looking anew where a room is; at fake ports."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Literal

import pytest
import trio

from anonp2p import limits
from anonp2p.errors import TorLost, TorRefused
from anonp2p.names.codes import RoomKey
from anonp2p.net.tor.tor import Tor
from anonp2p.net.transport import DialFault
from anonp2p.reasons import Reason
from tests.net.tor.parts import (
    ADDRESS,
    KEY,
    NOTHING,
    NOWHERE,
    STEM,
    control_of,
    described,
    refused,
    replies,
    socks_replies,
)
from tests.support.servers import PATIENCE, FakeTor, Play, says, server

pytestmark = STEM


# --- dialling: what each reply of the SOCKS port means


@pytest.mark.parametrize(
    ("code", "again", "absent"),
    [
        (0x01, True, False),
        (0x04, True, True),
        (0x05, True, True),
        (0x06, True, False),
        (0xF0, True, True),
        (0xF1, True, True),
        (0xF2, True, True),
        (0xF3, True, False),
        (0xF4, False, False),
        (0xF5, False, False),
        (0xF6, False, False),
        (0xF7, True, False),
    ],
)
async def test_a_refused_dial_says_whether_to_try_again(code: int, *, again: bool, absent: bool) -> None:
    await check_fault(socks_replies(code), again=again, absent=absent)

    reason = await check_fault(replies(b""), again=True, absent=False)
    assert reason == Reason("tor-hung-up")
    await check_fault(replies(b""), again=True, absent=False)


async def check_fault(play: Play, *, again: bool, absent: bool) -> Reason:
    async with server(play) as endpoint:
        with pytest.raises(DialFault) as caught:
            await Tor(None, endpoint, None, "system").dial(KEY.code, "me:1")
    assert (caught.value.again, caught.value.absent) == (again, absent)
    return caught.value.reason


async def test_a_dial_asks_for_the_room_at_its_port_isolated_by_both_words() -> None:
    heard: list[bytes] = []
    async with server(socks_replies(0, heard)) as endpoint:
        await (await Tor(None, endpoint, None, "system").dial(KEY.code, "me:17")).aclose()
    assert heard[1] == b"\x01\x02me\x0217"
    assert heard[2] == b"\x05\x01\x00\x03" + bytes([62]) + KEY.code.encode() + limits.PORT.to_bytes(2, "big")


async def test_a_socks_port_that_is_gone_is_a_lost_tor() -> None:
    with refused(TorLost, "nothing answers at its SOCKS port"):
        await Tor(None, NOWHERE, None, "system").dial(KEY.code, "me:1")


async def test_what_is_no_socks_port_is_refused() -> None:
    async with server(says((b"\x05", b"HTTP/1.1 400 Bad Request\r\n\r\n"))) as endpoint:
        with refused(TorRefused, "no SOCKS port of Tor"):
            await Tor(None, endpoint, None, "system").dial(KEY.code, "me:1")


# --- looking anew where a room is, after a dial without an answer


class Proxy:
    """A SOCKS port that answers a dial with `code`, and to begin with not at all."""

    def __init__(self) -> None:
        self.code: int | None = None
        self.asked = trio.Event()

    async def __call__(self, stream: trio.SocketStream) -> None:
        await replies(b"\x05\x02", b"\x01\x00")(stream)
        await stream.receive_some()
        self.asked.set()
        if self.code is None:
            await stream.receive_some()
        else:
            await stream.send_all(bytes([5, self.code, 0, 1]) + bytes(6))

    async def give_up(self, tor: Tor) -> None:
        """A dial that is given up after a while without an answer; the next one will be answered."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(tor.dial, KEY.code, "me:1")
            await self.asked.wait()
            nursery.cancel_scope.cancel()
        self.asked = trio.Event()
        self.code = 0


@asynccontextmanager
async def dialling(
    fake: FakeTor, path: Path, kind: Literal["own", "system"] = "own"
) -> AsyncIterator[tuple[Tor, Proxy]]:
    """A Tor whose control port and SOCKS port are fake."""
    proxy = Proxy()
    async with control_of(fake, path) as control, server(proxy, path / "socks") as endpoint:
        await control.subscribe("HS_DESC")
        yield Tor(control, endpoint, None, kind), proxy


def orders(fake: FakeTor) -> list[str]:
    """What a Tor was told to do about descriptors of rooms."""
    return [line for line in fake.heard if line.startswith(("HSFETCH", "SIGNAL")) and NOTHING not in line]


async def test_after_a_dial_without_an_answer_the_next_one_waits_for_a_new_descriptor(
    fake: FakeTor, short_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "FETCH_PATIENCE", PATIENCE)
    async with dialling(fake, short_path) as (own, proxy):
        await proxy.give_up(own)
        assert orders(fake) == []
        async with trio.open_nursery() as nursery:

            async def dial() -> None:
                await (await own.dial(KEY.code, "me:2")).aclose()

            nursery.start_soon(dial)
            assert await fake.hears("HSFETCH") == f"HSFETCH {ADDRESS}"
            for event in (described("REQUESTED"), described("RECEIVED", "b" * 56)):
                await fake.tell(event)
            await trio.sleep(0.1)
            assert not proxy.asked.is_set(), "it dialled before the descriptor was there"
            await fake.tell(described("RECEIVED"))
        await (await own.dial(KEY.code, "me:3")).aclose()
    assert orders(fake) == [f"HSFETCH {ADDRESS}"], "the last dial followed one that was answered"


@pytest.mark.parametrize("kind", ["own", "system"])
async def test_only_our_own_tor_is_made_to_forget_whom_it_asked(
    fake: FakeTor, short_path: Path, monkeypatch: pytest.MonkeyPatch, kind: Literal["own", "system"]
) -> None:
    monkeypatch.setattr(limits, "FETCH_PATIENCE", 0.1)
    async with dialling(fake, short_path, kind) as (some, proxy):
        await proxy.give_up(some)
        await (await some.dial(KEY.code, "me:2")).aclose()
    assert orders(fake) == [f"HSFETCH {ADDRESS}", *(["SIGNAL NEWNYM"] if kind == "own" else [])]


async def test_a_fetch_that_takes_long_is_left_to_itself(
    fake: FakeTor, short_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "FETCH_PATIENCE", 2.0)
    async with dialling(fake, short_path) as (own, proxy):
        await proxy.give_up(own)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(own.dial, KEY.code, "me:2")
            await fake.hears("HSFETCH")
            await fake.tell(described("REQUESTED"))
            await proxy.asked.wait()
            nursery.cancel_scope.cancel()
    assert orders(fake) == [f"HSFETCH {ADDRESS}"]


@pytest.mark.parametrize(("code", "looks"), [(0xF0, False), (0xF2, False), (0xF3, True), (0xF7, True)])
async def test_tor_is_not_told_to_look_where_it_has_just_looked(
    fake: FakeTor, short_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, *, looks: bool
) -> None:
    monkeypatch.setattr(limits, "FETCH_PATIENCE", 0.1)
    async with dialling(fake, short_path, "system") as (system, proxy):
        proxy.code = code
        for _ in range(2):
            with pytest.raises(DialFault):
                await system.dial(KEY.code, "me:1")
    assert bool(orders(fake)) is looks


# --- beside a dial that takes longer than most

HELLO = b"hello"  # what a room says first


class Circuits:
    """A SOCKS port where a try hangs unless its password ends in `answered`. tried: the password of each, in turn.

    connected: what the passwords end in of those that Tor connects to a room which then says `part` of its hello and no
    more. left: passwords of those that were hung up by who dialled.
    """

    def __init__(self, answered: str) -> None:
        self.tried: list[str] = []
        self.left: list[str] = []
        self.answered = answered
        self.connected: str | None = None
        self.part = b""
        self.opens = trio.Event()  # until then nothing is answered
        self.opens.set()
        self._news = trio.Event()

    async def __call__(self, stream: trio.SocketStream) -> None:
        await replies(b"\x05\x02")(stream)
        password = bytes(await stream.receive_some()).decode()[5:]  # after the user and three lengths
        await stream.send_all(b"\x01\x00")
        await stream.receive_some()
        self.tried.append(password)
        self._tell()
        if password.endswith(self.answered):
            await self.opens.wait()
            await stream.send_all(bytes([5, 0, 0, 1]) + bytes(6) + HELLO)
        elif self.connected is not None and password.endswith(self.connected):
            await stream.send_all(bytes([5, 0, 0, 1]) + bytes(6) + self.part)
        with suppress(trio.BrokenResourceError):  # where not all was read of what was said
            await stream.receive_some()
        self.left.append(password)
        self._tell()

    async def hears(self, tries: int) -> None:
        """Returns once so many tries have come."""
        while len(self.tried) < tries:
            await self._news.wait()

    async def hears_of(self, password: str) -> None:
        """Returns once the try with this password has come."""
        while password not in self.tried:
            await self._news.wait()

    async def loses(self, password: str) -> None:
        """Returns once the try with this password is hung up."""
        while password not in self.left:
            await self._news.wait()

    def _tell(self) -> None:
        self._news.set()
        self._news = trio.Event()


@asynccontextmanager
async def hanging(
    fake: FakeTor, path: Path, monkeypatch: pytest.MonkeyPatch, answered: str, *, beside: float, again: float
) -> AsyncIterator[tuple[Tor, Circuits]]:
    """A Tor whose dials hang but those of one kind.

    beside: seconds until the second try, and from there to the third. again: seconds until the one that looks anew.
    """
    monkeypatch.setattr(limits, "HEDGE_FIRST", beside)
    monkeypatch.setattr(limits, "DIAL_BESIDE", again)
    monkeypatch.setattr(limits, "FETCH_PATIENCE", 0.1)
    for name in ("HEDGE_LEAST", "HEDGE_LOOKUP"):
        monkeypatch.setattr(limits, name, 0.0)
    circuits = Circuits(answered)
    async with control_of(fake, path) as control, server(circuits, path / "socks") as endpoint:
        await control.subscribe("HS_DESC")
        yield Tor(control, endpoint, None, "own"), circuits


async def test_beside_a_dial_that_takes_longer_than_most_another_one_goes_over_other_circuits(
    fake: FakeTor, short_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "HEDGE_TRIES", 1)
    async with hanging(fake, short_path, monkeypatch, ":1", beside=0.1, again=PATIENCE) as (own, circuits):
        await (await own.dial(KEY.code, "me:1")).aclose()
    assert circuits.tried == ["1", "1:1"]
    assert orders(fake) == [], "where Tor knows where the room is, nobody is asked for that"


@pytest.mark.parametrize("is_found", [False, True])
async def test_where_tor_still_looks_for_the_room_another_directory_is_asked_too(
    fake: FakeTor, short_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_found: bool
) -> None:
    monkeypatch.setattr(limits, "HEDGE_TRIES", 1)
    async with (
        hanging(fake, short_path, monkeypatch, ":1", beside=2.0, again=PATIENCE) as (own, circuits),
        trio.open_nursery() as nursery,
    ):

        async def dial() -> None:
            await (await own.dial(KEY.code, "me:1")).aclose()

        nursery.start_soon(dial)
        await circuits.hears(1)
        await fake.tell(described("REQUESTED", "b" * 56))
        await fake.tell(described("REQUESTED"))
        await fake.tell(described("FAILED"))
        await fake.tell(described("REQUESTED"))
        if is_found:
            await fake.tell(described("RECEIVED"))
    assert circuits.tried == ["1", "1:1"]
    assert orders(fake) == ([] if is_found else [f"HSFETCH {ADDRESS}"])


async def test_beside_two_that_get_no_answer_in_their_time_there_is_a_third(
    fake: FakeTor, short_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with hanging(fake, short_path, monkeypatch, ":2", beside=0.1, again=PATIENCE) as (own, circuits):
        await (await own.dial(KEY.code, "me:1")).aclose()
    assert circuits.tried == ["1", "1:1", "1:2"]
    assert orders(fake) == []


async def test_what_is_beside_a_dial_begins_when_the_one_before_has_had_its_time(
    fake: FakeTor, short_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with hanging(fake, short_path, monkeypatch, ":2", beside=0.5, again=PATIENCE) as (own, _):
        began_at = trio.current_time()
        await (await own.dial(KEY.code, "me:1")).aclose()
        assert trio.current_time() >= began_at + 1.0


async def test_beside_three_that_get_no_answer_for_a_while_a_last_one_looks_anew(
    fake: FakeTor, short_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with hanging(fake, short_path, monkeypatch, ":again", beside=0.1, again=2.0) as (own, circuits):
        await (await own.dial(KEY.code, "me:1")).aclose()
    assert circuits.tried == ["1", "1:1", "1:2", "1:again"]
    assert orders(fake) == [f"HSFETCH {ADDRESS}"], "our Tor is not made to forget anything for that"


async def test_where_too_many_dials_have_had_a_second_try_the_next_one_has_only_the_one_that_looks_anew(
    fake: FakeTor, short_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "HEDGE_BUCKET", 1.0)
    async with hanging(fake, short_path, monkeypatch, ":again", beside=0.1, again=2.0) as (own, circuits):
        for number in (1, 2):
            await (await own.dial(KEY.code, f"me:{number}")).aclose()
    assert circuits.tried == ["1", "1:1", "1:again", "2", "2:again"]


async def test_a_dial_waits_for_as_long_as_those_before_took_until_there_is_a_second_try(
    fake: FakeTor, short_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "HEDGE_DIALS", 1)
    async with hanging(fake, short_path, monkeypatch, "", beside=PATIENCE, again=PATIENCE) as (own, circuits):
        await (await own.dial(KEY.code, "me:1")).aclose()
        circuits.answered = ":1"
        with trio.fail_after(PATIENCE / 2):
            await (await own.dial(KEY.code, "me:2")).aclose()
    assert circuits.tried[:3] == ["1", "2", "2:1"]


async def test_where_tor_has_to_find_a_room_first_it_has_that_much_longer_until_there_is_a_second_try(
    fake: FakeTor, short_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with hanging(fake, short_path, monkeypatch, "", beside=PATIENCE, again=PATIENCE) as (own, circuits):
        await (await own.dial(KEY.code, "me:1")).aclose()
        circuits.answered = ":1"
        monkeypatch.setattr(limits, "HEDGE_LOOKUP", PATIENCE)
        with trio.fail_after(PATIENCE / 2):
            await (await own.dial(KEY.code, "me:2")).aclose()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(own.dial, RoomKey(b"o" * 32).code, "me:3")
            await circuits.hears_of("3")
            await trio.sleep(1.0)  # longer than either of those before took
            nursery.cancel_scope.cancel()
    assert [each for each in circuits.tried if each != "2:2"] == ["1", "2", "2:1", "3"]


async def test_how_long_tor_has_looked_for_a_room_does_not_make_later_dials_wait_longer_for_a_second_try(
    fake: FakeTor, short_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "HEDGE_DIALS", 1)
    async with hanging(fake, short_path, monkeypatch, "", beside=PATIENCE, again=PATIENCE) as (own, circuits):
        circuits.opens = trio.Event()
        async with trio.open_nursery() as nursery:

            async def dial() -> None:
                await (await own.dial(KEY.code, "me:1")).aclose()

            nursery.start_soon(dial)
            await circuits.hears(1)
            assert own.control is not None
            found = trio.Event()
            with own.control.listening("HS_DESC", lambda text: found.set() if "RECEIVED" in text else None):
                await fake.tell(described("REQUESTED"))
                await trio.sleep(2.0)
                await fake.tell(described("RECEIVED"))
                await found.wait()
            await trio.sleep(0.1)
            circuits.opens.set()
        circuits.answered = ":1"
        with trio.fail_after(1.9):
            await (await own.dial(KEY.code, "me:2")).aclose()


# --- circuits that hang once Tor has connected


@pytest.mark.parametrize("part", [b"", HELLO[:1], HELLO[:-1]])
async def test_a_try_on_which_the_room_says_less_than_its_hello_gives_way_to_one_with_all_of_it(
    fake: FakeTor, short_path: Path, monkeypatch: pytest.MonkeyPatch, part: bytes
) -> None:
    monkeypatch.setattr(limits, "DIAL_SILENT", PATIENCE)
    monkeypatch.setattr(limits, "HEDGE_TRIES", 1)
    async with hanging(fake, short_path, monkeypatch, ":1", beside=0.1, again=PATIENCE) as (own, circuits):
        circuits.connected, circuits.part = "1", part
        stream = await own.dial(KEY.code, "me:1", hello=len(HELLO))
        assert await stream.receive_some(limits.READ) == HELLO, "what shows that the room is there is not read yet"
        await circuits.loses("1")
        await stream.aclose()
    assert circuits.tried == ["1", "1:1"]


async def test_a_room_that_says_nothing_has_a_link_after_a_while_and_is_not_looked_for_anew(
    fake: FakeTor, short_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "DIAL_SILENT", 2.0)
    async with hanging(fake, short_path, monkeypatch, ":nothing", beside=0.1, again=1.5) as (own, circuits):
        circuits.connected = ""
        await (await own.dial(KEY.code, "me:1")).aclose()
    assert circuits.tried == ["1", "1:1", "1:2"]
    assert orders(fake) == []


async def test_a_room_that_says_nothing_does_not_make_later_dials_wait_longer_for_a_second_try(
    fake: FakeTor, short_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "DIAL_SILENT", 2.0)
    monkeypatch.setattr(limits, "HEDGE_DIALS", 1)
    async with hanging(fake, short_path, monkeypatch, ":1", beside=0.1, again=PATIENCE) as (own, circuits):
        circuits.answered, circuits.connected = ":nothing", ""
        await (await own.dial(KEY.code, "me:1")).aclose()
        circuits.answered, circuits.connected = ":1", None
        monkeypatch.setattr(limits, "DIAL_SILENT", PATIENCE)
        with trio.fail_after(1.9):
            await (await own.dial(KEY.code, "me:2")).aclose()


async def test_a_hello_that_comes_in_pieces_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "DIAL_SILENT", PATIENCE)
    begun, goes_on, over = trio.Event(), trio.Event(), trio.Event()

    async def play(stream: trio.SocketStream) -> None:
        await replies(b"\x05\x02", b"\x01\x00", bytes([5, 0, 0, 1]) + bytes(6) + HELLO[:2])(stream)
        begun.set()
        await goes_on.wait()
        await stream.send_all(HELLO[2:] + b"and more")
        await stream.receive_some()

    async def dial() -> None:
        stream = await Tor(None, endpoint, None, "system").dial(KEY.code, "me:1", hello=len(HELLO))
        over.set()
        assert (await stream.receive_some(limits.READ)).startswith(HELLO)
        await stream.aclose()

    async with server(play) as endpoint, trio.open_nursery() as nursery:
        nursery.start_soon(dial)
        await begun.wait()
        await trio.sleep(5 * limits.DIAL_PEEK)
        assert not over.is_set()
        goes_on.set()


async def test_a_room_that_hangs_up_without_a_word_has_answered(fake: FakeTor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "DIAL_SILENT", PATIENCE)
    async with server(socks_replies(0)) as endpoint:
        with trio.fail_after(PATIENCE / 2):
            stream = await Tor(None, endpoint, None, "system").dial(KEY.code, "me:1")
        assert await stream.receive_some() == b""
        await stream.aclose()


# --- a fresh dial


@pytest.mark.parametrize("kind", ["own", "system"])
async def test_a_fresh_dial_waits_for_a_new_descriptor_and_takes_nobodys_circuits(
    fake: FakeTor, short_path: Path, monkeypatch: pytest.MonkeyPatch, kind: Literal["own", "system"]
) -> None:
    monkeypatch.setattr(limits, "FETCH_PATIENCE", 0.1)
    async with dialling(fake, short_path, kind) as (some, proxy):
        proxy.code = 0
        await (await some.dial(KEY.code, "me:1")).aclose()
        assert orders(fake) == []
        await (await some.dial(KEY.code, "me:2", fresh=True)).aclose()
    assert orders(fake) == [f"HSFETCH {ADDRESS}"]


@pytest.mark.parametrize("fresh", [False, True])
async def test_a_control_port_that_fetches_nothing_for_us_does_not_keep_us_from_dialling(
    fake: FakeTor, short_path: Path, *, fresh: bool
) -> None:
    fake.deny["HSFETCH"] = "510 Command filtered"
    async with dialling(fake, short_path, "system") as (system, proxy):
        await proxy.give_up(system)
        with trio.fail_after(limits.FETCH_PATIENCE):
            await (await system.dial(KEY.code, "me:2", fresh=fresh)).aclose()
            await (await system.dial(KEY.code, "me:3", fresh=fresh)).aclose()
    assert [line for line in fake.heard if "HSFETCH" in line] == [f"HSFETCH {NOTHING}"], "what refuses it may log it"
