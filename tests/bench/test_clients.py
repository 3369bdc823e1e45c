"""What scripts/bench's clients of other programs say, and what they make of what comes, whole or in pieces."""

from collections.abc import Callable

import pytest

from tests.bench.clients import Codec, IrcCodec, OnionShareCodec, RawCodec

PAGE = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nSet-Cookie: session=abc; HttpOnly\r\n\r\nhello"
UPGRADE = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"


def _frame(text: bytes) -> bytes:
    """As a server sends it."""
    length = bytes([len(text)]) if len(text) < 126 else b"\x7e" + len(text).to_bytes(2, "big")
    return b"\x81" + length + text


def _chat_message(size: int) -> bytes:
    return _frame(b'42/chat,["chat_message",{"username":"a b","msg":"' + b"x" * size + b'"}]')


SAID: list[tuple[str, Callable[[], Codec], bytes, int]] = [
    ("raw", RawCodec, b"one\ntwo\nthr", 2),
    (
        "irc",
        IrcCodec,
        b":s 366 m #bench :End\r\n:a!b@c PRIVMSG #bench :hi\r\n:a!b@c JOIN :#bench\r\n:a!b@c PRIVMSG #bench :ho\r\n",
        2,
    ),
    (
        "onionshare",
        lambda: OnionShareCodec("x.onion"),
        PAGE
        + UPGRADE
        + _frame(b'0{"sid":"s"}')
        + _frame(b'40/chat,{"sid":"t"}')
        + _frame(b'42/chat,["status",{"msg":"joined"}]')
        + _chat_message(10)
        + _chat_message(300),
        2,
    ),
]


@pytest.mark.parametrize(("name", "make", "data", "messages"), SAID, ids=[it[0] for it in SAID])
@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_messages_are_counted_however_they_are_cut(
    name: str, make: Callable[[], Codec], data: bytes, messages: int, size: int
) -> None:
    codec = make()
    codec.begin()
    for at in range(0, len(data), size):
        codec.take(data[at : at + size])
    assert (codec.heard, codec.is_in) == (messages, True)


def test_an_irc_client_answers_a_ping_and_is_in_only_once_it_knows_who_is_there() -> None:
    codec = IrcCodec()
    assert b"JOIN #bench\r\n" in codec.begin()
    assert codec.take(b"PING :token\r\n") == b"PONG :token\r\n"
    assert not codec.is_in


def test_a_client_of_onionshare_takes_its_cookie_along_and_answers_what_keeps_it_in() -> None:
    codec = OnionShareCodec("x.onion")
    assert codec.begin().startswith(b"GET / HTTP/1.1\r\nHost: x.onion\r\n")
    asked = codec.take(PAGE)
    assert asked.startswith(b"GET /socket.io/?EIO=4&transport=websocket ")
    assert b"Cookie: session=abc\r\n" in asked
    assert codec.take(UPGRADE) == b""
    assert codec.take(_frame(b'0{"sid":"s"}')).endswith(b"40/chat,")
    assert not codec.is_in
    codec.take(_frame(b'40/chat,{"sid":"t"}'))
    assert codec.is_in
    assert codec.take(_frame(b"2")).endswith(b"3")


@pytest.mark.parametrize("size", [10, 300])
def test_what_is_said_to_onionshare_is_a_masked_frame_with_its_length(size: int) -> None:
    frame = OnionShareCodec("x.onion").pack(b"x" * size)
    text = b'42/chat,["text",{"msg":"' + b"x" * size + b'"}]'
    length = frame[1] & 0x7F
    head = 2 if length < 126 else 4
    assert frame[0] == 0x81
    assert frame[1] & 0x80
    assert (length if length < 126 else int.from_bytes(frame[2:4], "big")) == len(text)
    assert frame[head:] == bytes(4) + text
