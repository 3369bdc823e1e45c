"""SOCKS5 against proxies that are played by hand, over loopback and over a unix socket."""

from contextlib import suppress
from pathlib import Path

import pytest
import trio
import trio.testing

from anonp2p.config import Endpoint
from anonp2p.net.tor import socks
from anonp2p.net.tor.socks import SocksError
from tests.support.servers import read, says
from tests.support.servers import server as proxy

HOST = "a" * 56 + ".onion"
GREETING = b"\x05\x01\x02"
CREDENTIALS = b"\x01\x05alice\x06secret"
REQUEST = b"\x05\x01\x00\x03\x3e" + HOST.encode() + b"\x07\xc0"
BOUND = {
    "IPv4": b"\x01" + bytes(4) + b"\x00\x00",
    "IPv6": b"\x04" + bytes(16) + b"\x00\x00",
    "domain": b"\x03\x05bound\x00\x00",
    "empty domain": b"\x03\x00\x00\x00",
}
GRANTED = b"\x05\x00\x00" + BOUND["IPv4"]


async def connect(endpoint: Endpoint) -> trio.abc.Stream:
    return await socks.connect(endpoint, HOST, 1984, "alice", "secret")


USUAL = ((GREETING, b"\x05\x02"), (CREDENTIALS, b"\x01\x00"))


async def test_host_port_user_and_password_are_asked_for_as_given(path: Path | None) -> None:
    async with proxy(says(*USUAL, (REQUEST, GRANTED)), path) as endpoint, await connect(endpoint) as stream:
        await stream.send_all(b"hello")
        assert await read(stream, 5) == b"hello"


@pytest.mark.parametrize("bound", BOUND.values(), ids=BOUND.keys())
async def test_what_the_peer_says_right_behind_the_reply_is_not_swallowed(path: Path | None, bound: bytes) -> None:
    reply = b"\x05\x00\x00" + bound
    async with (
        proxy(says(*USUAL, (REQUEST, reply), then=b"\x00\x25peer first"), path) as endpoint,
        await connect(endpoint) as stream,
    ):
        assert await read(stream, 12) == b"\x00\x25peer first"


async def test_what_comes_in_one_piece_with_the_reply_is_not_swallowed(path: Path | None) -> None:
    async with (
        proxy(says(*USUAL, (REQUEST, GRANTED + b"at once")), path) as endpoint,
        await connect(endpoint) as stream,
    ):
        assert await read(stream, 7) == b"at once"


@pytest.mark.parametrize("bound", BOUND.values(), ids=BOUND.keys())
async def test_replies_may_come_byte_by_byte(bound: bytes) -> None:
    async def play(stream: trio.SocketStream) -> None:
        stream.setsockopt(trio.socket.IPPROTO_TCP, trio.socket.TCP_NODELAY, 1)
        for expected, answer in (*USUAL, (REQUEST, b"\x05\x00\x00" + bound + b"!")):
            assert await read(stream, len(expected)) == expected
            for byte in answer:
                await stream.send_all(bytes([byte]))
                await trio.testing.wait_all_tasks_blocked()

    async with proxy(play) as endpoint, await connect(endpoint) as stream:
        assert await read(stream, 2) == b"!"


@pytest.mark.parametrize("code", [*range(0x01, 0x09), *range(0xF0, 0xF8), 0xFF])
async def test_a_refusal_tells_its_code(code: int) -> None:
    refusal = bytes([5, code, 0]) + BOUND["IPv4"]
    async with proxy(says(*USUAL, (REQUEST, refusal))) as endpoint:
        with pytest.raises(SocksError) as caught:
            await connect(endpoint)
        assert caught.value.code == code


@pytest.mark.parametrize(
    "answers",
    [
        *((), (b"",), (b"\x05",), (b"\x05\x02",), (b"\x05\x02", b"\x01")),
        *((b"\x05\x02", b"\x01\x00", GRANTED[:said]) for said in range(len(GRANTED))),
    ],
)
async def test_a_proxy_that_hangs_up_within_its_replies_broke(answers: tuple[bytes, ...]) -> None:
    async def play(stream: trio.SocketStream) -> None:
        for expected, answer in zip((GREETING, CREDENTIALS, REQUEST), answers, strict=False):
            assert await read(stream, len(expected)) == expected
            await stream.send_all(answer)

    async with proxy(play) as endpoint:
        with pytest.raises(trio.BrokenResourceError):
            await connect(endpoint)


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param([(GREETING, b"HTTP/1.0 400 Bad Request\r\n\r\n")], id="HTTP"),
        pytest.param([(b"", b"SSH-2.0-OpenSSH_9.6\r\n")], id="SSH"),
        pytest.param([(GREETING, b"\x00\x5b\x00\x00\x00\x00\x00\x00")], id="SOCKS4"),
        pytest.param([(GREETING, b"\x05\xff")], id="no password taken"),
        pytest.param([(GREETING, b"\x05\x00")], id="a method that was not offered"),
        pytest.param([(GREETING, b"\x05\x02"), (CREDENTIALS, b"\x01\x01")], id="password refused"),
        pytest.param([*USUAL, (REQUEST, b"\x04\x00\x00" + BOUND["IPv4"])], id="another version in the end"),
        pytest.param([*USUAL, (REQUEST, b"\x05\x00\x00\x09" + bytes(30))], id="unknown kind of bound address"),
    ],
)
async def test_what_is_no_socks5_is_told_from_a_refusal(lines: list[tuple[bytes, bytes]]) -> None:
    async with proxy(says(*lines)) as endpoint:
        with pytest.raises(SocksError) as caught:
            await connect(endpoint)
        assert caught.value.code is None


@pytest.mark.parametrize("method", [0x00, 0xFF])
async def test_a_proxy_that_takes_no_password_hears_none(method: int) -> None:
    """Whatever it would do then: all dials would share its circuits."""
    rest: list[bytes] = []
    over = trio.Event()

    async def play(stream: trio.SocketStream) -> None:
        assert await read(stream, len(GREETING)) == GREETING
        await stream.send_all(bytes([5, method]))
        with suppress(trio.BrokenResourceError):
            rest.append(await stream.receive_some())
        over.set()

    async with proxy(play) as endpoint:
        with pytest.raises(SocksError):
            await connect(endpoint)
        await over.wait()
    assert rest in ([], [b""])


@pytest.mark.parametrize("stage", range(3))
async def test_a_failed_or_cancelled_try_leaves_no_connection_open(stage: int) -> None:
    reached, closed = trio.Event(), trio.Event()

    async def play(stream: trio.SocketStream) -> None:
        for expected, answer in (*USUAL, (REQUEST, b""))[:stage]:
            assert await read(stream, len(expected)) == expected
            await stream.send_all(answer)
        reached.set()
        while await stream.receive_some():
            pass
        closed.set()

    async with proxy(play) as endpoint:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(connect, endpoint)
            await reached.wait()
            nursery.cancel_scope.cancel()
        await closed.wait()


async def test_a_refused_try_leaves_no_connection_open() -> None:
    closed = trio.Event()

    async def play(stream: trio.SocketStream) -> None:
        for expected, answer in (*USUAL, (REQUEST, b"\x05\xf0\x00" + BOUND["IPv4"])):
            assert await read(stream, len(expected)) == expected
            await stream.send_all(answer)
        with suppress(trio.BrokenResourceError):
            assert await stream.receive_some() == b""
        closed.set()

    async with proxy(play) as endpoint:
        with pytest.raises(SocksError):
            await connect(endpoint)
        await closed.wait()


async def test_a_proxy_that_is_not_there_is_an_os_error(short_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        await connect(Endpoint(path=str(short_path / "nobody")))
    with trio.socket.socket() as unused:
        await unused.bind(("127.0.0.1", 0))  # bound, not listening: nobody else gets the port meanwhile
        with pytest.raises(OSError, match="Connection refused"):
            await connect(Endpoint(host="127.0.0.1", port=unused.getsockname()[1]))
