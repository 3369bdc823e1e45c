"""Keys of private rooms at the control port: a Tor has each for as long as a dial takes, and no longer."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from anonp2p import limits
from anonp2p.errors import AnonError, TorRefused
from anonp2p.net.tor.client_keys import ClientKeys
from anonp2p.net.tor.listener import UnixEntrance
from anonp2p.net.tor.tor import Tor
from tests.net.tor.parts import ADDRESS, KEY, NOTHING, NOWHERE, STEM, control_of, refused, replies
from tests.support.servers import FakeTor, server

pytestmark = STEM

SECRET = b"the key of an invitation, secret"
ADDED = f"ONION_CLIENT_AUTH_ADD {ADDRESS} x25519:{base64.b64encode(SECRET).decode()}"
CONNECTS = replies(b"\x05\x02", b"\x01\x00", bytes([5, 0, 0, 1]) + bytes(6) + b"h", b"")
REMOVED = f"ONION_CLIENT_AUTH_REMOVE {ADDRESS}"


@asynccontextmanager
async def tor_at(fake: FakeTor, path: Path) -> AsyncIterator[Tor]:
    """A Tor whose SOCKS port connects all dials, to a service that speaks at once."""
    async with (
        control_of(fake, path) as control,
        server(CONNECTS, path / "socks") as endpoint,
    ):
        yield Tor(control, endpoint, None, "own")


def of_keys(fake: FakeTor) -> list[str]:
    """What it was told of keys of rooms."""
    return [line for line in fake.heard if "CLIENT_AUTH" in line and NOTHING not in line]


async def test_a_key_stays_between_dials_and_is_taken_back_from_its_user_and_the_link_goes_on(
    fake: FakeTor, short_path: Path
) -> None:
    """A Tor from which the key is taken drops what it knows of the room."""
    async with tor_at(fake, short_path) as tor:
        stream = await tor.dial(KEY.code, "me:1", client_key=SECRET)
        await (await tor.dial(KEY.code, "me:2", client_key=SECRET)).aclose()
        await tor.forget_keys("another")
        assert of_keys(fake) == [ADDED, ADDED]
        await tor.forget_keys("me")
        await tor.forget_keys("me")
        assert of_keys(fake) == [ADDED, ADDED, REMOVED]
        await stream.aclose()


async def test_a_room_that_is_not_private_is_dialled_without_a_word_of_keys(fake: FakeTor, short_path: Path) -> None:
    async with tor_at(fake, short_path) as tor:
        await (await tor.dial(KEY.code, "me:1")).aclose()
        await tor.forget_keys("me")
    assert of_keys(fake) == []


@pytest.mark.parametrize("status", ["251 Client for onion existed and replaced", "252 Registered client and decrypted"])
async def test_a_key_that_replaces_another_or_opens_what_tor_has_is_taken(
    fake: FakeTor, short_path: Path, status: str
) -> None:
    fake.deny["ONION_CLIENT_AUTH_ADD"] = status
    async with tor_at(fake, short_path) as tor:
        await (await tor.dial(KEY.code, "me:1", client_key=SECRET)).aclose()


async def test_a_key_stays_until_the_last_of_its_users_is_gone(fake: FakeTor, short_path: Path) -> None:
    async with control_of(fake, short_path) as control:
        keys = ClientKeys(control)
        await keys.lend(KEY.code, SECRET, "me")
        await keys.lend(KEY.code, SECRET, "another")
        await keys.take_back("me")
        assert of_keys(fake) == [ADDED, ADDED]
        await keys.take_back("another")
        assert of_keys(fake) == [ADDED, ADDED, REMOVED]


async def test_a_key_is_taken_back_by_who_is_cancelled(fake: FakeTor, short_path: Path) -> None:
    async with control_of(fake, short_path) as control:
        keys = ClientKeys(control)
        await keys.lend(KEY.code, SECRET, "me")
        with trio.CancelScope() as scope:
            scope.cancel()
            await keys.take_back("me")
        assert of_keys(fake) == [ADDED, REMOVED]


@pytest.mark.parametrize("answer", ["510 Command filtered", "510 Unrecognized command", "512 x"])
async def test_a_tor_that_takes_no_key_is_not_dialled(fake: FakeTor, short_path: Path, answer: str) -> None:
    fake.deny["ONION_CLIENT_AUTH_ADD"] = answer
    async with tor_at(fake, short_path) as tor:
        with pytest.raises(TorRefused, match=f"it answers {answer[:3]}") as caught:
            await tor.dial(KEY.code, "me:1", client_key=SECRET)
    assert_says_nothing(caught.value)


@pytest.mark.parametrize("command", ["ONION_CLIENT_AUTH_ADD", "ONION_CLIENT_AUTH_REMOVE"])
async def test_what_refuses_keys_or_to_take_them_back_hears_of_none_as_it_may_log_what_it_refuses(
    fake: FakeTor, short_path: Path, command: str
) -> None:
    fake.deny[command] = "510 Command filtered"
    async with tor_at(fake, short_path) as tor:
        for number in range(2):
            with pytest.raises(TorRefused, match="it answers 510"):
                await tor.dial(KEY.code, f"me:{number}", client_key=SECRET)
        await tor.forget_keys("me")
    assert [line for line in fake.heard if command in line], "it was tried"
    assert of_keys(fake) == []


async def test_without_a_control_port_a_private_room_is_not_dialled() -> None:
    with refused(TorRefused, "--control"):
        await Tor(None, NOWHERE, None, "system").dial(KEY.code, "me:1", client_key=SECRET)


def assert_says_nothing(error: AnonError) -> None:
    assert base64.b64encode(SECRET).decode() not in f"{error}{error!r}"


# --- services


CLIENTS = [bytes([number]) * 32 for number in range(limits.CLIENTS)]


async def test_a_private_room_is_never_published_for_everybody(fake: FakeTor, short_path: Path) -> None:
    """A Tor, or a filter, that does not know how, is given a key of no room, and then nothing."""
    fake.unknown = {"V3Auth": "512 Invalid argument"}
    async with control_of(fake, short_path) as control:
        tor = Tor(control, NOWHERE, UnixEntrance(short_path), "system")
        async with tor.listen(KEY):
            pass
        fake.heard.clear()
        with refused(TorRefused, "512"):
            async with tor.listen(KEY, CLIENTS):
                pytest.fail("it was published")
    asked = [line for line in fake.heard if line.startswith("ADD_ONION")]
    assert asked
    assert all("ClientAuthV3=" in line for line in asked)
    assert KEY.expanded_private_key() not in " ".join(asked)
