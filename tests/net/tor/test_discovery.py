"""Finding a Tor that runs already: where it is looked for, whom of those found there we trust, which SOCKS port."""

import socket
from contextlib import AsyncExitStack
from pathlib import Path
from typing import cast

import pytest
import trio
import trio.testing
from msgspec import UNSET

from anonp2p import limits
from anonp2p.config import Config, Endpoint
from anonp2p.errors import AnonError, TorLost, TorMissing, TorRefused, TorUntrusted
from anonp2p.net.tor import discovery, owner, place
from anonp2p.net.tor.control import Control
from anonp2p.net.transport import DialFault
from anonp2p.reasons import Reason
from anonp2p.room import events
from tests.net.tor.parts import (
    KEY,
    NOWHERE,
    SECRET,
    STEM,
    STRANGER,
    Silent,
    connected,
    failure,
    refused,
    replies,
    socks_replies,
)
from tests.support.servers import FakeTor, Play, says, server
from tests.support.words import in_words

pytestmark = STEM

USED = "0.4.8.1"  # the version of the Tor that is to be used
READY = [events.ReadyEvent(version=USED, tor="system")]


@pytest.fixture
def fake() -> FakeTor:
    """The Tor that is to be used."""
    fake = FakeTor()
    fake.info["version"] = f"{USED} (git-abc)"
    return fake


@pytest.fixture
def usual(monkeypatch: pytest.MonkeyPatch, short_path: Path, stem_leaks: None) -> list[Path]:
    """The only places where `auto` looks."""
    for variable in ("TOR_CONTROL_IPC_PATH", "TOR_CONTROL_PORT", "TOR_SOCKS_IPC_PATH", "TOR_SOCKS_PORT"):
        monkeypatch.delenv(variable, raising=False)
    for usual in ("TOR_PORT", "BROWSER_PORT"):
        monkeypatch.setattr(place, usual, f"unix:{short_path}/no-socks")
    paths = [short_path / "one", short_path / "two"]
    monkeypatch.setattr(discovery, "USUAL_PORTS", tuple(f"unix:{path}" for path in paths))
    return paths


@pytest.fixture
def not_booted() -> FakeTor:
    fake = FakeTor()
    fake.info["status/bootstrap-phase"] = FakeTor.phase(45, "Loading")
    return fake


# --- the control port


async def test_a_named_tor_is_used_and_asked_for_its_socks_port(fake: FakeTor, short_path: Path, runtime: Path) -> None:
    async with (
        server(socks_replies(0xF0), short_path / "socks") as proxy,
        server(fake, short_path / "control") as endpoint,
    ):
        fake.info["net/listeners/socks"] = f'"{proxy}"'
        async with connected(Config(tor="system", control=endpoint)) as (system, told):
            assert told == [events.TorProgressEvent(progress=100, summary=in_words("Done")), *READY]
            with pytest.raises(DialFault):
                await system.dial(KEY.code, "me:1")
            await fake.hang_up()
            await system.lost.wait()
    assert not [line for line in fake.heard if line.startswith("TAKEOWNERSHIP")]


@pytest.mark.parametrize("place", ["usual", "TOR_CONTROL_PORT", "TOR_CONTROL_IPC_PATH"])
async def test_the_first_usable_tor_is_taken_those_in_the_environment_before_others(
    fake: FakeTor,
    not_booted: FakeTor,
    usual: list[Path],
    runtime: Path,
    short_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    place: str,
) -> None:
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(server(not_booted, usual[0]))
        await stack.enter_async_context(server(fake if place == "usual" else FakeTor(), usual[1]))
        if place != "usual":
            port = await stack.enter_async_context(server(fake if place == "TOR_CONTROL_PORT" else FakeTor()))
            monkeypatch.setenv("TOR_CONTROL_PORT", str(port.port))
        if place == "TOR_CONTROL_IPC_PATH":
            await stack.enter_async_context(server(fake, short_path / "named"))
            monkeypatch.setenv("TOR_CONTROL_IPC_PATH", str(short_path / "named"))
        _, told = await stack.enter_async_context(connected(Config(socks=NOWHERE, tor="system")))
        assert told == READY


@pytest.mark.parametrize(
    ("value", "words"),
    [
        *((value, "given as HOST:PORT") for value in ("abc", "0", "65536", "9" * 5_000, "-1", "9051 ")),
        ("unused", "Connection refused"),
        ("web", "no control port of Tor"),
        ("strange", f"uid {STRANGER} listens"),
    ],
)
async def test_an_unusable_port_in_the_environment_is_named_and_others_are_looked_at(
    fake: FakeTor, usual: list[Path], runtime: Path, monkeypatch: pytest.MonkeyPatch, value: str, words: str
) -> None:
    async with AsyncExitStack() as stack:
        if value == "unused":
            unused = stack.enter_context(socket.socket())
            unused.bind(("127.0.0.1", 0))
            value = str(unused.getsockname()[1])
        elif value in ("web", "strange"):
            answer: Play = FakeTor()
            if value == "strange":
                monkeypatch.setattr(owner, "listeners_at", lambda _: frozenset({(STRANGER, 1)}))
            else:
                answer = says((b"PROTOCOLINFO", b"HTTP/1.1 400 Bad Request\r\n\r\n"))
            value = str((await stack.enter_async_context(server(answer))).port)
        monkeypatch.setenv("TOR_CONTROL_PORT", value)
        error = await failure(Config(tor="system"))
        assert words in str(error), "where nothing else is found, this is why"
        await stack.enter_async_context(server(fake, usual[0]))
        _, (skipped, *told) = await stack.enter_async_context(connected(Config(socks=NOWHERE, tor="system")))
        assert isinstance(skipped, events.TorSkippedEvent)
        assert (skipped.variable, skipped.code) == ("TOR_CONTROL_PORT", error.code)
        assert words in str(skipped.text)
        assert told == READY


async def test_a_host_in_the_environment_is_an_address(usual: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: pytest.fail("a name was looked up"))
    monkeypatch.setenv("TOR_CONTROL_HOST", "gateway.example")
    error = await failure(Config(tor="system"))
    assert "given as an address" in str(error)
    assert "gateway.example" in str(error)


@pytest.mark.parametrize("methods", ["NULL", "COOKIE_BYTES", "SAFECOOKIE", "HASHEDPASSWORD"])
async def test_a_stranger_at_a_usual_place_is_told_and_hears_nothing(
    fake: FakeTor, usual: list[Path], runtime: Path, cookie: Path, monkeypatch: pytest.MonkeyPatch, methods: str
) -> None:
    monkeypatch.setenv("TOR_CONTROL_PASSWD", "pass")
    make_stranger(monkeypatch, usual[0])
    stranger = FakeTor()
    stranger.methods = f'{methods} COOKIEFILE="{cookie}"' if "COOKIE_BYTES" in methods else methods
    stranger.cookie = SECRET
    async with (
        server(stranger, usual[0]),
        server(fake, usual[1]),
        connected(Config(socks=NOWHERE, tor="system")) as (_, (skipped, *told)),
    ):
        assert isinstance(skipped, events.TorSkippedEvent)
        assert (skipped.variable, skipped.code) == (UNSET, "tor-refused")
        assert f"uid {STRANGER} listens at unix:{usual[0]}" in str(skipped.text)
        assert told == READY
    assert stranger.heard == []


def make_stranger(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    """Whoever listens at this unix socket is another user."""
    real = owner.peer_users

    def peer(connected: trio.socket.SocketType) -> frozenset[int]:
        return frozenset({STRANGER}) if connected.getpeername() == str(path) else real(connected)

    monkeypatch.setattr(owner, "peer_users", peer)


# --- where there is none to use


@pytest.mark.parametrize(("wanted", "remedy"), [("system", "--control"), ("auto", "install it")])
async def test_where_there_is_no_tor_the_remedy_is_told(
    usual: list[Path], monkeypatch: pytest.MonkeyPatch, wanted: str, remedy: str
) -> None:
    monkeypatch.setenv("PATH", "")  # so that `auto` has none to start
    error = await failure(Config(tor=wanted))  # type: ignore[arg-type]  # one of the Literal's
    assert isinstance(error, TorMissing)
    assert remedy in str(error)


async def test_a_tor_that_is_not_open_to_us_is_told_with_its_remedy(
    usual: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def connect(*_: object, **__: object) -> None:
        await trio.lowlevel.checkpoint()
        raise PermissionError

    monkeypatch.setattr(owner, "connect", connect)
    error = await failure(Config(tor="system"))
    assert isinstance(error, TorRefused)
    assert "debian-tor" in str(error)


async def test_in_flatpak_it_is_told_how_a_tor_outside_is_seen(
    usual: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place, "is_flatpak", lambda: True)
    error = await failure(Config(tor="system"))
    assert "flatpak override" in str(error)


async def test_the_last_refusal_is_told_where_there_is_a_tor(not_booted: FakeTor, usual: list[Path]) -> None:
    async with server(not_booted, usual[0]):
        error = await failure(Config(tor="system"))
    assert isinstance(error, TorRefused)
    assert "has not reached its network yet" in str(error)


# --- the SOCKS port that a running Tor names


class Listeners:
    """A control connection as far as `find_socks_port` needs one."""

    def __init__(self, listeners: str) -> None:
        self._listeners = listeners

    async def info(self, key: str) -> str:
        assert key == "net/listeners/socks"
        await trio.lowlevel.checkpoint()
        return self._listeners


async def find_socks_port(listeners: str) -> str:
    return str(await discovery.find_socks_port(cast("Control", Listeners(listeners))))


@pytest.mark.parametrize(
    ("listeners", "found"),
    [
        ('"127.0.0.1:9050"', "127.0.0.1:9050"),
        ('"unix:/x/socks"', "unix:/x/socks"),
        ('"unix:/x/socks" "[::1]:9050"', "[::1]:9050"),  # a unix socket may not be open to us
        ('"192.0.2.1:9050" "0.0.0.0:9051"', "127.0.0.1:9051"),
        ('"[::]:9050"', "[::1]:9050"),
    ],
)
async def test_the_socks_port_is_one_of_this_machine_and_tcp_first(listeners: str, found: str) -> None:
    assert await find_socks_port(listeners) == found


@pytest.mark.parametrize(
    "listener",
    ["proxy.example:9050", "localhost.example:9050", "192.0.2.1:9050", "[2001:db8::1]:9050", "nonsense", "127.0.0.1:0"],
)
async def test_a_socks_port_elsewhere_is_refused_and_no_name_is_looked_up(
    monkeypatch: pytest.MonkeyPatch, listener: str
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: pytest.fail("a name was looked up"))
    with refused(TorRefused, "no SOCKS port on this machine"):
        await find_socks_port(f'"{listener}"')


@pytest.mark.parametrize("is_named", [True, False])
async def test_a_tor_without_a_socks_port_is_refused(fake: FakeTor, usual: list[Path], *, is_named: bool) -> None:
    fake.info["net/listeners/socks"] = ""
    async with server(fake, usual[0]) as endpoint:
        error = await failure(Config(tor="system", control=endpoint if is_named else None))
    assert isinstance(error, TorRefused)
    assert "--socks" in str(error)


async def test_a_socks_port_of_a_stranger_hears_nothing(
    fake: FakeTor, usual: list[Path], path: Path | None, runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if path:
        make_stranger(monkeypatch, path)
    monkeypatch.setattr(owner, "listeners_at", lambda _: frozenset({(STRANGER, 1)}))
    stranger = Silent()
    async with server(stranger, path) as proxy, server(fake, usual[0]):
        fake.info["net/listeners/socks"] = f'"{proxy}"'
        error = await failure(Config(tor="system"))
        assert isinstance(error, TorUntrusted)
        assert f"uid {STRANGER} listens at {proxy}" in str(error)
        await stranger.left.wait()
    assert stranger.heard == b""


async def test_a_socks_port_that_a_stranger_took_over_is_a_lost_tor(
    fake: FakeTor, usual: list[Path], runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")  # `auto` has none of its own to start
    heard: list[bytes] = []
    async with server(socks_replies(0xF7, heard)) as proxy, server(fake, usual[0]):
        fake.info["net/listeners/socks"] = f'"{proxy}"'
        async with connected(Config(tor="auto")) as (system, _):
            before = b"".join(heard)
            monkeypatch.setattr(owner, "listeners_at", lambda _: frozenset({(STRANGER, 1)}))
            with refused(TorLost, f"uid {STRANGER} listens"):
                await system.dial(KEY.code, "me:1")
            await trio.testing.wait_all_tasks_blocked()
    assert b"".join(heard) == before, "it heard more than at the start"


# --- what filters before control ports leave (onion-grater, on Whonix and Tails)


@pytest.fixture
def filtered(fake: FakeTor) -> FakeTor:
    """A control port that lets in everybody, and takes no command."""
    fake.deny = dict.fromkeys(("GETINFO", "SETEVENTS", "ADD_ONION", "DEL_ONION", "HSFETCH"), "510 Command filtered")
    return fake


@pytest.mark.parametrize("variable", ["TOR_SOCKS_IPC_PATH", "TOR_SOCKS_PORT", ""])
@pytest.mark.parametrize("is_named", [True, False])
async def test_rooms_are_joined_where_a_filter_takes_no_command(
    filtered: FakeTor,
    usual: list[Path],
    short_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    *,
    is_named: bool,
) -> None:
    async with (
        server(socks_replies(0xF2), short_path / "socks" if variable == "TOR_SOCKS_IPC_PATH" else None) as proxy,
        server(filtered, usual[0]) as endpoint,
    ):
        if variable:
            monkeypatch.setenv(variable, proxy.path or str(proxy.port))
        else:
            monkeypatch.setattr(place, "TOR_PORT", str(proxy))
        async with connected(Config(control=endpoint if is_named else None)) as (system, told):
            assert told[-1] == events.ReadyEvent(version="", tor="system")
            with pytest.raises(DialFault) as caught:
                await system.dial(KEY.code, "me:1")
            assert caught.value.reason == Reason("no-introduction")
            with refused(TorRefused, "forbids ADD_ONION"):
                async with system.listen(KEY):
                    pytest.fail("it was published")


@pytest.mark.parametrize("told", ["10.152.152.10:9050", "127.0.0.1:1"], ids=["its address", "its loopback"])
@pytest.mark.parametrize("is_named", [True, False])
async def test_a_socks_port_on_another_machine_is_looked_for_on_this_one(
    fake: FakeTor, usual: list[Path], monkeypatch: pytest.MonkeyPatch, told: str, *, is_named: bool
) -> None:
    """The Tor of a Whonix workstation is on another machine, and its ports are forwarded."""
    fake.info["net/listeners/socks"] = f'"{told}"'
    async with server(socks_replies(0xF2)) as proxy, server(fake, usual[0]) as endpoint:
        monkeypatch.setenv("TOR_SOCKS_PORT", str(proxy.port))
        async with connected(Config(tor="system", control=endpoint if is_named else None)) as (system, _):
            assert system.control is not None, "rooms can be created too"
            with pytest.raises(DialFault):
                await system.dial(KEY.code, "me:1")


async def test_a_strangers_socks_port_at_a_usual_place_hears_nothing(
    filtered: FakeTor, usual: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    stranger = Silent()
    async with server(stranger) as proxy, server(filtered, usual[0]):
        monkeypatch.setattr(place, "TOR_PORT", str(proxy))
        monkeypatch.setattr(owner, "listeners_at", lambda _: frozenset({(STRANGER, 1)}))
        error = await failure(Config(tor="system"))
        assert "does not say where its SOCKS port is" in str(error)
        await stranger.left.wait()
    assert stranger.heard == b""


async def test_a_found_socks_port_that_a_stranger_took_over_is_a_lost_tor(
    filtered: FakeTor, usual: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with server(socks_replies(0xF2)) as proxy, server(filtered, usual[0]):
        monkeypatch.setattr(place, "TOR_PORT", str(proxy))
        async with connected(Config(tor="system")) as (system, _):
            monkeypatch.setattr(owner, "listeners_at", lambda _: frozenset({(STRANGER, 1)}))
            with refused(TorLost, f"uid {STRANGER} listens"):
                await system.dial(KEY.code, "me:1")


# --- a SOCKS port alone


@pytest.mark.parametrize(
    ("wanted", "is_whonix", "is_installed", "starts_own"),
    [
        ("auto", False, True, True),
        ("auto", False, False, False),
        ("auto", True, True, False),
        ("system", False, True, False),
        ("own", True, True, True),
    ],
)
async def test_without_a_control_port_rooms_are_joined_by_a_socks_port_where_our_own_tor_is_none(
    usual: list[Path],
    monkeypatch: pytest.MonkeyPatch,
    wanted: str,
    *,
    is_whonix: bool,
    is_installed: bool,
    starts_own: bool,
) -> None:
    monkeypatch.setattr(place, "is_whonix", lambda: is_whonix)
    if not is_installed:
        monkeypatch.setenv("PATH", "")
    async with server(socks_replies(0xF2)) as proxy:
        monkeypatch.setenv("TOR_SOCKS_PORT", str(proxy.port))
        found = await discovery.find_running_tor(Config(tor=wanted), lambda _: None)  # type: ignore[arg-type]
    if starts_own:
        assert found is None
    else:
        assert found is not None
        assert (found.control, found.proxy, found.is_proxy_found) == (None, proxy, True)


async def test_why_no_room_can_be_created_is_said_where_there_is_a_socks_port_alone(
    usual: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    wants_password = FakeTor()
    wants_password.methods = "HASHEDPASSWORD"
    async with server(socks_replies(0xF2)) as proxy, server(wants_password, usual[0]):
        monkeypatch.setenv("TOR_SOCKS_PORT", str(proxy.port))
        async with connected(Config(tor="system")) as (system, _):
            with refused(TorRefused, f"control port unix:{usual[0]} wants a password"):
                async with system.listen(KEY):
                    pytest.fail("it was published")


@pytest.mark.parametrize(
    ("environment", "is_whonix", "ports"),
    [
        ({}, False, ["127.0.0.1:9050", "127.0.0.1:9150"]),
        ({}, True, ["127.0.0.1:9150", "127.0.0.1:9050"]),
        ({"TOR_SOCKS_HOST": "10.0.0.1"}, False, ["10.0.0.1:9050", "127.0.0.1:9050", "127.0.0.1:9150"]),
        (
            {"TOR_SOCKS_HOST": "127.0.0.1", "TOR_SOCKS_PORT": "9999", "TOR_SOCKS_IPC_PATH": "/x"},
            False,
            ["unix:/x", "127.0.0.1:9999", "127.0.0.1:9050", "127.0.0.1:9150"],
        ),
    ],
)
def test_socks_ports_are_looked_for_where_the_environment_says_and_then_where_the_system_has_them(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], ports: list[str], *, is_whonix: bool
) -> None:
    monkeypatch.setattr(place, "is_whonix", lambda: is_whonix)
    assert [port for _, port in place.list_socks_ports(environment)] == ports


# --- a SOCKS port that the user names


@pytest.mark.parametrize("is_found", [True, False])
async def test_a_named_socks_port_goes_with_a_tor_that_is_found_and_is_enough_where_none_is(
    fake: FakeTor, usual: list[Path], runtime: Path, *, is_found: bool
) -> None:
    async with AsyncExitStack() as stack:
        proxy = await stack.enter_async_context(server(socks_replies(0xF7)))
        if is_found:
            await stack.enter_async_context(server(fake, usual[0]))
        system, told = await stack.enter_async_context(connected(Config(tor="system", socks=proxy)))
        assert told == [events.ReadyEvent(version=USED if is_found else "", tor="system")]
        with pytest.raises(DialFault):
            await system.dial(KEY.code, "me:1")
        if is_found:
            await stack.enter_async_context(system.listen(KEY))
        else:
            with refused(TorRefused, "--control"):
                await stack.enter_async_context(system.listen(KEY))
    assert not [line for line in fake.heard if "socks" in line]


async def test_a_socks_port_alone_is_enough_to_join() -> None:
    async with server(socks_replies(0)) as proxy, connected(Config(socks=proxy)) as (system, told):
        assert told == [events.ReadyEvent(version="", tor="system")]
        assert system.kind == "system"


@pytest.mark.parametrize(
    ("play", "error"),
    [
        *((replies(said), TorRefused) for said in (b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x05\xff", b"")),
        (Silent(), TorRefused),
        (None, TorMissing),
    ],
    ids=["HTTP", "no password taken", "hangs up", "says nothing", "not there"],
)
async def test_what_is_no_socks_port_is_not_enough(
    short_path: Path, monkeypatch: pytest.MonkeyPatch, play: Play | None, error: type[AnonError]
) -> None:
    monkeypatch.setattr(limits, "CONTROL_PATIENCE", 0.3)
    async with AsyncExitStack() as stack:
        if play:
            await stack.enter_async_context(server(play, short_path / "socks"))
        raised = await failure(Config(socks=Endpoint(path=str(short_path / "socks"))))
    assert isinstance(raised, error)
    assert "SOCKS port" in str(raised)
