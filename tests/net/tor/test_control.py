"""The control port: what may be there, what it may say, and booting; against servers that are played."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import pytest
import trio
import trio.testing
from msgspec import UNSET

from anonp2p import limits
from anonp2p.bridges.lines import read_bridges
from anonp2p.config import Endpoint
from anonp2p.errors import TorLost, TorMissing, TorRefused
from anonp2p.net.tor import commands
from anonp2p.net.tor.complaints import Complaints
from anonp2p.net.tor.control import Control, wants_password
from anonp2p.reasons import Reason
from anonp2p.room import events
from tests.net.tor.parts import ADDRESS, KEY, STEM, Silent, control_of, refused, replies
from tests.support.servers import PATIENCE, FakeTor, Play, says, server
from tests.support.words import in_words

pytestmark = STEM

HTTP = b"HTTP/1.1 400 Bad Request\r\n\r\n"


# --- who is there


@pytest.mark.usefixtures("stem_leaks")
@pytest.mark.parametrize(("reach", "why"), [("unix", "No such file or directory"), ("tcp", "Connection refused")])
async def test_a_control_port_that_is_not_there_is_missing(short_path: Path, reach: str, why: str) -> None:
    with trio.socket.socket() as unused:
        await unused.bind(("127.0.0.1", 0))  # bound, not listening: no other program gets the port meanwhile
        tcp = Endpoint(host="127.0.0.1", port=unused.getsockname()[1])
        with refused(TorMissing, why):
            await Control.open(Endpoint(path=str(short_path / "control")) if reach == "unix" else tcp)


@pytest.mark.usefixtures("stem_leaks")
@pytest.mark.parametrize(
    "play",
    [replies(HTTP), replies(b"\x05\xff"), replies(b"220 mail ready\r\n"), replies(b""), says((b"PROTOCOLINFO", HTTP))],
    ids=["HTTP", "SOCKS", "SMTP", "hangs up", "HTTP, keeps the connection"],
)
async def test_what_is_no_control_port_is_refused(play: Play) -> None:
    async with server(play) as endpoint:
        with refused(TorRefused, "is no control port of Tor"):
            await Control.open(endpoint)


@pytest.mark.usefixtures("stem_leaks")
async def test_a_server_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "CONTROL_PATIENCE", 0.3)
    async with server(Silent()) as endpoint:
        with refused(TorRefused, "does not answer as a control port of Tor does"):
            await Control.open(endpoint)


@pytest.mark.usefixtures("stem_leaks")
async def test_one_that_says_nothing_soon_wants_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is on the screen before that is known."""
    monkeypatch.setattr(limits, "PASSWORD_PATIENCE", 0.1)
    monkeypatch.setattr(limits, "CONTROL_PATIENCE", 1_000.0)
    async with server(Silent()) as endpoint:
        with trio.fail_after(60):
            assert not await wants_password(endpoint)


# --- a control connection


async def test_a_question_that_a_filter_refuses_has_no_answer_and_is_noted(fake: FakeTor, short_path: Path) -> None:
    async with control_of(fake, short_path) as control:
        assert await control.info("no/such/key") is None
        assert await control.version() == "0.4.9.11"
        assert control.refused == {"GETINFO no/such/key": "552"}


async def test_what_is_refused_is_noted_without_keys_and_codes(fake: FakeTor, short_path: Path) -> None:
    async with control_of(fake, short_path) as control:
        fake.deny = dict.fromkeys(("ADD_ONION", "DEL_ONION", "HSFETCH", "SETEVENTS"), "510 Command filtered")
        await control.send(commands.add_onion(KEY, (), "127.0.0.1:1"))
        await control.send(commands.delete_onion(KEY.code))
        await control.send(commands.fetch_descriptor(KEY.code))
        assert not await control.subscribe("HS_DESC")
        assert list(control.refused) == ["ADD_ONION", "DEL_ONION", "HSFETCH", "SETEVENTS HS_DESC"]


async def test_nothing_is_said_but_what_is_asked_for(fake: FakeTor, short_path: Path) -> None:
    """A filter would refuse it, and its log name us."""
    async with control_of(fake, short_path) as control:
        await control.version()
    assert fake.heard == ["PROTOCOLINFO 1", "AUTHENTICATE", "GETINFO version"]


async def test_events_that_a_filter_withholds_leave_those_of_other_kinds(fake: FakeTor, short_path: Path) -> None:
    fake.unknown_events = {"STATUS_CLIENT"}
    async with control_of(fake, short_path) as control:
        assert [await control.subscribe(kind) for kind in ("HS_DESC", "STATUS_CLIENT", "CIRC")] == [True, False, True]
        assert [control.hears(kind) for kind in ("HS_DESC", "STATUS_CLIENT", "CIRC")] == [True, False, True]
    asked = [line for line in fake.heard if line.startswith("SETEVENTS")]
    assert asked == ["SETEVENTS HS_DESC", "SETEVENTS HS_DESC STATUS_CLIENT", "SETEVENTS HS_DESC CIRC"]


async def test_a_control_connection_that_ends_is_lost(fake: FakeTor, short_path: Path) -> None:
    async with control_of(fake, short_path) as control:
        assert not control.lost.is_set()
        await fake.hang_up()
        await control.lost.wait()
        with refused(TorLost, "hung up"):
            await control.send("GETINFO version")


async def test_a_reply_without_an_end_ends_the_connection(fake: FakeTor, short_path: Path) -> None:
    async with control_of(fake, short_path) as control:
        fake.deny["GETINFO"] = "\r\n".join(["250-more of it"] * 10_000)
        with refused(TorLost, "hung up"):
            await control.info("traffic/read")
        await control.lost.wait()


async def test_a_control_port_that_stops_answering_is_lost_and_is_hung_up_on_without_waiting_for_it(
    fake: FakeTor, short_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with trio.fail_after(PATIENCE):
        async with control_of(fake, short_path) as control:
            monkeypatch.setattr(limits, "CONTROL_PATIENCE", 0.2)
            fake.deaf.add("GETINFO")
            with refused(TorLost, "does not answer"):
                await control.info("traffic/read")


UPLOADED = f"HS_DESC UPLOADED {ADDRESS} UNKNOWN $" + "A" * 40


async def test_only_events_of_a_kind_are_heard_and_only_as_long_as_listened_to(fake: FakeTor, short_path: Path) -> None:
    heard: list[str] = []
    news, end = trio.Event(), trio.Event()

    def hear(text: str) -> None:
        heard.append(text)
        news.set()

    async with control_of(fake, short_path) as control:
        await control.subscribe("HS_DESC")
        await control.subscribe("STATUS_CLIENT")
        with control.listening("HS_DESC", hear):
            await fake.tell(f"STATUS_CLIENT {FakeTor.phase(5, 'x')}")
            await fake.tell(UPLOADED)
            await news.wait()
        with control.listening("STATUS_CLIENT", lambda _: end.set()):
            await fake.tell(UPLOADED)
            await fake.tell(f"STATUS_CLIENT {FakeTor.phase(6, 'x')}")
            await end.wait()
    assert heard == [UPLOADED]


@pytest.mark.parametrize("odd", ["HS_DESC", "HS_DESC UPLOADED", "STATUS_CLIENT", "", "NOTHING"])
async def test_an_event_that_cannot_be_read_is_passed_over(
    fake: FakeTor, short_path: Path, odd: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed: list[object] = []
    monkeypatch.setattr(threading, "excepthook", failed.append)
    news = trio.Event()
    async with control_of(fake, short_path) as control:
        await control.subscribe("HS_DESC")
        await control.subscribe("STATUS_CLIENT")
        with control.listening("HS_DESC", lambda text: news.set() if text == UPLOADED else None):
            await fake.tell(odd)
            await fake.tell(UPLOADED)
            with trio.fail_after(PATIENCE):
                await news.wait()
    assert not failed


# --- booting, in virtual time


class FakeControl:
    """A control connection as far as booting needs one."""

    def __init__(self, phase: str | None, *, tells: bool = True) -> None:
        self.lost = trio.Event()
        self.phase = phase
        self.heard: Callable[[str], None] = lambda _: None
        self._tells = tells

    async def subscribe(self, _: str) -> bool:
        await trio.lowlevel.checkpoint()
        return self._tells

    async def info(self, _: str) -> str | None:
        await trio.lowlevel.checkpoint()
        return self.phase

    @contextmanager
    def listening(self, kind: str, heard: Callable[[str], None]) -> Iterator[None]:
        assert kind == "STATUS_CLIENT"
        self.heard = heard
        yield


async def boot(fake: FakeControl, told: list[events.Event], complaints: Complaints | None = None) -> None:
    await Control.boot(cast("Control", fake), told.append, complaints)


async def test_booting_is_told_step_by_step_and_done_at_100(autojump_clock: trio.testing.MockClock) -> None:
    fake, told = FakeControl(FakeTor.phase(10, "Connecting")), list[events.Event]()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(boot, fake, told)
        for progress, summary in ((50, "Loading"), (45, "Never back"), (75, "More"), (100, "Done")):
            await trio.sleep(12)
            assert nursery.child_tasks
            fake.heard(f"STATUS_CLIENT {FakeTor.phase(progress, summary)}")
            fake.heard("STATUS_CLIENT NOTICE CIRCUIT_ESTABLISHED")
    assert trio.current_time() == 48
    assert told == [
        events.TorProgressEvent(progress=progress, summary=in_words(summary))
        for progress, summary in ((10, "Connecting"), (50, "Loading"), (75, "More"), (100, "Done"))
    ]


@pytest.mark.parametrize(
    "phase", [FakeTor.phase(100, "Done"), "", None, f'NOTICE BOOTSTRAP PROGRESS={"9" * 5_000} TAG=done SUMMARY="Done"']
)
async def test_a_tor_that_is_booted_or_does_not_tell_its_progress_is_told_once(
    autojump_clock: trio.testing.MockClock, phase: str
) -> None:
    told: list[events.Event] = []
    await boot(FakeControl(phase), told)
    assert told == [events.TorProgressEvent(progress=100, summary=in_words("Done"))]


async def test_a_slow_boot_is_told_and_a_stuck_one_given_up(autojump_clock: trio.testing.MockClock) -> None:
    fake, told = FakeControl(FakeTor.phase(10, "Connecting")), list[events.Event]()

    async def move_once() -> None:
        await trio.sleep(45)
        fake.heard(FakeTor.phase(20, "Handshake"))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(move_once)
        with refused(TorRefused, "stuck at 20 % (Handshake)"):
            await boot(fake, told)
    assert trio.current_time() == 45 + limits.BOOT_STALL
    assert [event for event in told if isinstance(event, events.TorSlowEvent)] == [
        events.TorSlowEvent(progress=10, summary=in_words("Connecting"), seconds=30),
        *(
            events.TorSlowEvent(progress=20, summary=in_words("Handshake"), seconds=seconds)
            for seconds in range(30, 180, 30)
        ),
    ]


def warning(progress: int, words: str) -> str:
    """How Tor says that it does not get on."""
    phase = FakeTor.phase(progress, "Connecting").replace("NOTICE", "WARN")
    return f'STATUS_CLIENT {phase} WARNING="{words}" REASON=NOROUTE COUNT=1 RECOMMENDATION=warn HOSTADDR="192.0.2.1:9"'


async def test_what_tor_complains_of_is_told_at_once_and_in_the_end(autojump_clock: trio.testing.MockClock) -> None:
    fake, told = FakeControl(FakeTor.phase(5, "Connecting")), list[events.Event]()

    async def complain() -> None:
        await trio.sleep(1)
        fake.heard(warning(5, "No route to host"))
        await trio.sleep(38)
        fake.heard(warning(5, "Connection refused"))
        fake.heard(warning(5, "Connection refused"))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(complain)
        with refused(TorRefused, "is stuck at 5 % (Connecting), and says: Connection refused."):
            await boot(fake, told)
    assert trio.current_time() == limits.BOOT_STALL
    no_route, closed = (Reason("tor-complains", words) for words in ("No route to host", "Connection refused"))
    warnings = [(event.seconds, event.warning) for event in told if isinstance(event, events.TorSlowEvent)]
    assert warnings[:4] == [(5, no_route), (30, no_route), (40, closed), (60, closed)]


async def test_a_complaint_is_over_with_the_next_step(autojump_clock: trio.testing.MockClock) -> None:
    fake, told = FakeControl(FakeTor.phase(5, "Connecting")), list[events.Event]()

    async def complain() -> None:
        await trio.sleep(1)
        fake.heard(warning(5, "Connection refused"))
        fake.heard(FakeTor.phase(10, "Handshake"))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(complain)
        with refused(TorRefused, "stuck at 10 % (Handshake)."):
            await boot(fake, told)
    assert {event.warning for event in told if isinstance(event, events.TorSlowEvent)} == {UNSET}


async def test_bridges_that_do_not_answer_are_told_and_given_up(autojump_clock: trio.testing.MockClock) -> None:
    fake, told = FakeControl(FakeTor.phase(2, "Connected")), list[events.Event]()
    with refused(TorRefused, "none of its bridges answers"):
        await boot(fake, told, Complaints(read_bridges(["192.0.2.1:9"])))
    assert {event.warning for event in told if isinstance(event, events.TorSlowEvent)} == {Reason("bridges-silent")}


async def test_where_the_only_plugin_ends_again_and_again_nothing_is_waited_for(
    autojump_clock: trio.testing.MockClock,
) -> None:
    complaints = Complaints(read_bridges(["webtunnel 192.0.2.1:9 url=https://x"]))
    for number in range(limits.PLUGIN_ENDS):
        complaints.hear_log(f'Managed proxy "/x" having PID {number} terminated with status code 7')
    with refused(TorRefused, 'and says: Managed proxy "/x" terminated with status code 7.'):
        await boot(FakeControl(FakeTor.phase(0, "Starting")), [], complaints)
    assert trio.current_time() == limits.BOOT_LOOK


async def test_a_tor_whose_events_are_withheld_is_asked_how_far_it_is(autojump_clock: trio.testing.MockClock) -> None:
    fake, told = FakeControl(FakeTor.phase(10, "Connecting"), tells=False), list[events.Event]()

    async def move() -> None:
        for progress in (20, 30, 100):
            await trio.sleep(limits.BOOT_SLOW + 10.5)
            fake.phase = FakeTor.phase(progress, "Loading")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(move)
        await boot(fake, told)
    assert trio.current_time() == pytest.approx(3 * (limits.BOOT_SLOW + 10.5), abs=limits.BOOT_ASK)
    assert [event.progress for event in told if isinstance(event, events.TorProgressEvent)] == [10, 20, 30, 100]
    assert [event.seconds for event in told if isinstance(event, events.TorSlowEvent)] == [limits.BOOT_SLOW] * 3


async def test_a_tor_lost_while_booting_ends_the_wait(autojump_clock: trio.testing.MockClock) -> None:
    fake = FakeControl(FakeTor.phase(10, "Connecting"))

    async def end() -> None:
        await trio.sleep(3)
        fake.lost.set()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(end)
        with refused(TorLost, "it ended while starting"):
            await boot(fake, [])
    assert trio.current_time() == 3
