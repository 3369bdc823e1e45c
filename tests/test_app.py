"""The program as a script drives it: lines in, events out, over a network in memory."""

import dataclasses
import json
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Literal

import pytest
import trio
import trio.testing
from msgspec import UNSET

from anonp2p import limits
from anonp2p.app import App
from anonp2p.client import client
from anonp2p.config import Config
from anonp2p.errors import AnonError, BadCode, TorMissing, Unreachable
from anonp2p.names.codes import RoomKey, encode_key
from anonp2p.net.transport import Transport
from anonp2p.room import events
from anonp2p.room.hosting_events import LeaveEndsRoomEvent
from anonp2p.room.room import Room
from anonp2p.ui.actions import CreateRoomAction, JoinRoomAction
from anonp2p.ui.bell import Bell
from anonp2p.ui.frontend import Closed, FindRoom, UserRequest
from anonp2p.ui.line.interpreter import Interpreter
from tests.support.surroundings import SeededSecrets
from tests.support.transports import MemoryNetwork, Tor


class Script:
    """A frontend that types lines, and keeps what it is told."""

    must_succeed = True

    def __init__(
        self, *lines: str, first: CreateRoomAction | JoinRoomAction | AnonError | None = None, stays: bool = False
    ) -> None:
        self.told: list[events.Event] = []
        self.times: list[float] = []  # when it was told each of these
        self.most_outstanding = 0  # inputs of the first room, whenever another one was asked for
        self.again: list[JoinRoomAction | None] = []  # what asks once more for each room that was opened
        self._first = first  # what the command line asks for
        self._lines = list(lines)
        self._asked, self._asked_for = trio.open_memory_channel[UserRequest](1)
        self._stays = stays  # after the last line, without an end of input
        self.is_slow = False  # whether what the command line asks for comes when the program is about to end
        self._draining = trio.Event()
        self.asks: type[AnonError] | None = None  # kind of errors after which the user is asked how to go on

    def attach(self, closed: Closed, find_room: FindRoom) -> None:
        """As Frontend has it."""
        self._find_room = find_room
        self._interpreter = Interpreter(find_room, self.tell, lambda: None, json=True)

    def open_room(self, label: str, again: JoinRoomAction | None) -> None:
        """As Frontend has it."""
        self.again.append(again)
        self._interpreter.open_room(label)

    def asks_after(self, error: AnonError) -> bool:
        """As Frontend has it."""
        return self.asks is not None and isinstance(error, self.asks)

    def ask(self, action: JoinRoomAction) -> None:
        """Asks for a room, where no more lines are typed."""
        self._asked.send_nowait(UserRequest(action))

    def tell(self, event: events.Event) -> None:
        """As Frontend has it."""
        self._interpreter.take_event(event)
        self.told.append(event)
        self.times.append(trio.current_time())

    async def first_command(self) -> CreateRoomAction | JoinRoomAction | None:
        """As Frontend has it."""
        if self.is_slow:
            await self._draining.wait()
        if isinstance(self._first, AnonError):
            raise self._first
        return self._first

    async def next_request(self) -> UserRequest | None:
        """As Frontend has it."""
        while True:
            await trio.lowlevel.checkpoint()
            if isinstance(room := self._find_room("r1"), Room):
                self.most_outstanding = max(self.most_outstanding, room.outstanding)
            if not self._lines and self._stays:
                return await self._asked_for.receive()
            if not self._lines:
                return None
            if request := self._interpreter.interpret_line(self._lines.pop(0).encode()):
                return request

    async def run(self) -> None:
        """As Frontend has it."""

    async def drained(self) -> None:
        """As Frontend has it."""
        self._draining.set()
        await trio.testing.wait_all_tasks_blocked()


async def never() -> AsyncIterator[int]:
    """No signals."""
    await trio.sleep_forever()
    yield 0


@asynccontextmanager
async def connect(_: Config, tell: Callable[[events.Event], None]) -> AsyncIterator[Transport]:
    yield await Tor(MemoryNetwork()).usable()


async def signalled(*numbers: int) -> list[events.Event]:
    """What a host was told that got these signals one after another, and ended by the first of them."""

    async def signals() -> AsyncIterator[int]:
        await trio.testing.wait_all_tasks_blocked()
        for number in numbers:
            yield number

    script = Script("/create demo", stays=True)
    assert await App(Config(mode="json"), script, signals(), connect).run() == 128 + numbers[0]
    return script.told


async def played(*lines: str) -> tuple[App, int, list[events.Event]]:
    """The program with the status it ended with, and what it told."""
    script = Script(*lines)
    app = App(Config(mode="json"), script, never(), connect)
    status = await app.run()
    return app, status, script.told


def answers(told: list[events.Event], re: int) -> list[tuple[str, str]]:
    """The errors and returned texts that this input caused."""
    found = [event for event in told if event.re == re]
    errors = [(event.code, str(event.text)) for event in found if isinstance(event, events.ErrorEvent)]
    return errors + [("unsent", event.text) for event in found if isinstance(event, events.UnsentEvent)]


@pytest.mark.parametrize("room", ["r9", "", "demo", "x" * 10_000], ids=lambda room: room[:8])
@pytest.mark.parametrize("said", [{"text": "hello"}, {"command": "/who"}], ids=["text", "command"])
async def test_a_room_that_there_is_not_is_named(room: str, said: dict[str, str]) -> None:
    _, status, told = await played("/create demo", json.dumps({"id": 7, "room": room, **said}))
    [(code, text)] = answers(told, 7)
    assert code == "no-room"
    assert f'"{room[: limits.ROOM_NAME]}' in text
    assert len(text) < 120
    assert status == 0
    assert not [event for event in told if isinstance(event, events.MessageEvent)]


async def test_without_any_room_one_is_told_how_to_get_into_one() -> None:
    _, _, told = await played('{"id": 7, "text": "hello"}')
    [(code, text)] = answers(told, 7)
    assert code == "no-room"
    assert "/create NAME" in text


@pytest.mark.parametrize("room", [{}, {"room": "r1"}], ids=["active", "named"])
async def test_a_text_that_is_too_long_is_given_back_and_counts_as_unsent(room: dict[str, str]) -> None:
    text = "x" * (limits.TEXT + 1)
    app, status, told = await played("/create demo", json.dumps({"id": 7, "text": text, **room}), "short")
    error, unsent = answers(told, 7)
    assert error[0] == "too-long"
    assert unsent == ("unsent", text)
    assert [event.text for event in told if isinstance(event, events.MessageEvent)] == ["short"]
    assert status == 1
    assert isinstance(app.failure, AnonError)
    assert str(app.failure).startswith("1 of the lines")


@pytest.mark.parametrize("first", [None, CreateRoomAction("demo")])
async def test_without_any_tor_the_program_ends_and_says_why_once(first: CreateRoomAction | None) -> None:
    @asynccontextmanager
    async def failing(_: Config, tell: Callable[[events.Event], None]) -> AsyncIterator[Transport]:
        await trio.lowlevel.checkpoint()
        raise TorMissing("there is none")
        yield

    script = Script(first=first, stays=True)
    script.is_slow = True
    app = App(Config(mode="json"), script, never(), failing)
    assert await app.run() == TorMissing.status
    assert isinstance(app.failure, TorMissing)
    assert [event.code for event in script.told if isinstance(event, events.ErrorEvent)] == [TorMissing.code]


ADDRESS = RoomKey(b"k" * 32).public
CODE = encode_key(ADDRESS)
LONG = 3_600.0  # seconds within which any join that leads nowhere has been given up


async def test_a_text_goes_to_the_room_that_it_names_and_else_to_the_active_one() -> None:
    _, _, told = await played("/create one", "/create two", '{"room": "r1", "text": "named"}', "active")
    assert {(event.room, event.text) for event in told if isinstance(event, events.MessageEvent)} == {
        ("r1", "named"),
        ("r2", "active"),
    }


async def test_a_nick_before_any_room_is_the_one_to_join_with() -> None:
    _, _, told = await played('{"id": 7, "command": "/nick zoe"}', "/create demo", '{"id": 8, "command": "/nick ann"}')
    [reply] = [event for event in told if event.re == 7]
    assert isinstance(reply, events.ReplyEvent)
    assert (reply.command, reply.data) == ("/nick", {"nick": "zoe"})
    [entered] = [event for event in told if isinstance(event, events.EnteredEvent)]
    assert entered.nick == "zoe"
    assert [event.nick for event in told if isinstance(event, events.RenamedEvent)] == ["ann"]


async def test_a_room_that_is_over_can_be_asked_for_again_under_its_label(
    autojump_clock: trio.testing.MockClock,
) -> None:
    script = Script(f"/join {CODE}", stays=True)
    app = App(Config(mode="json"), script, never(), connect)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(app.run)
        await trio.sleep(LONG)
        [again] = script.again
        assert again == JoinRoomAction(ADDRESS, "", "r1")
        script.ask(again)
        await trio.sleep(LONG)
        nursery.cancel_scope.cancel()
    assert [event.room for event in script.told if isinstance(event, events.GoneEvent)] == ["r1", "r1"]


async def test_nobody_is_in_one_room_twice(autojump_clock: trio.testing.MockClock) -> None:
    _, _, told = await played(f"/join {CODE}", json.dumps({"id": 7, "command": f"/join {CODE}"}))
    [(code, _)] = answers(told, 7)
    assert code == "not-allowed"


async def test_there_is_a_bound_on_rooms_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "ROOMS", 2)
    _, _, told = await played("/create one", "/create two", '{"id": 7, "command": "/create three"}')
    [(code, _)] = answers(told, 7)
    assert code == "not-allowed"


async def test_no_more_is_taken_in_than_may_be_outstanding(
    autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "PENDING", 8)
    script = Script(f"/join {CODE}", *["hello"] * 20)
    await App(Config(mode="json"), script, never(), connect).run()
    assert 0 < script.most_outstanding <= 8


@pytest.mark.parametrize("mode", ["json", "line"])
async def test_the_error_that_ends_the_program_is_left_to_stderr_in_line_mode_and_no_other_is(
    mode: Literal["json", "line"], autojump_clock: trio.testing.MockClock
) -> None:
    script = Script("hello", "/who", first=JoinRoomAction(ADDRESS), stays=True)
    app = App(Config(mode=mode), script, never(), connect)
    assert await app.run() == Unreachable.status
    assert isinstance(app.failure, Unreachable)
    told = [(event.code, event.final) for event in script.told if isinstance(event, events.ErrorEvent)]
    assert told == [("unreachable", True)] * (mode == "json") + [("no-room", UNSET)]


async def test_where_the_user_is_asked_how_to_go_on_a_join_that_fails_does_not_end_the_program(
    autojump_clock: trio.testing.MockClock,
) -> None:
    script = Script(first=JoinRoomAction(ADDRESS), stays=True)
    script.asks = Unreachable
    app = App(Config(mode="line"), script, never(), connect)
    with trio.move_on_after(3_600.0) as waits:
        await app.run()
    assert waits.cancelled_caught
    assert app.failure is None
    told = [(event.code, event.final) for event in script.told if isinstance(event, events.ErrorEvent)]
    assert told == [("unreachable", True)]


@pytest.mark.parametrize("mode", ["json", "line"])
async def test_a_first_command_that_fails_at_once_is_left_to_stderr_in_line_mode(mode: Literal["json", "line"]) -> None:
    script = Script(first=BadCode("x"))
    assert await App(Config(mode=mode), script, never(), connect).run() == BadCode.status
    told = [(event.code, event.final) for event in script.told if isinstance(event, events.ErrorEvent)]
    assert told == [("bad-code", True)] * (mode == "json")


@pytest.mark.parametrize(
    "numbers",
    [
        [signal.SIGINT],
        [signal.SIGTERM, signal.SIGTERM],
        [signal.SIGHUP, signal.SIGTERM],
    ],
    ids=lambda numbers: "+".join(number.name for number in numbers),
)
async def test_a_host_that_is_told_to_end_says_its_last_words(numbers: list[signal.Signals]) -> None:
    assert [event.reason for event in await signalled(*numbers) if isinstance(event, events.GoneEvent)] == ["left"]


async def test_a_second_interrupt_ends_it_at_once() -> None:
    assert not [event for event in await signalled(signal.SIGINT, signal.SIGINT) if isinstance(event, events.GoneEvent)]


async def test_an_error_of_ours_ends_it_at_once_and_without_last_words(autojump_clock: trio.testing.MockClock) -> None:
    script = Script("/create demo", stays=True)

    async def fail() -> AsyncIterator[int]:
        await trio.sleep(5.0)
        raise LookupError
        yield 0

    start = trio.current_time()
    with pytest.raises(ExceptionGroup) as caught:
        await App(Config(mode="json"), script, fail(), connect).run()
    assert caught.group_contains(LookupError)
    assert trio.current_time() == start + 5.0
    assert [event for event in script.told if isinstance(event, events.EnteredEvent)]
    assert not [event for event in script.told if isinstance(event, events.GoneEvent)]


async def test_several_rooms_are_left_at_times_of_their_own_when_the_program_ends(
    autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "secrets", SeededSecrets("leaving"))  # 60 other lots may all be away from an end
    left = []
    for _ in range(20):
        script = Script("/create one", "/create two", "/create three")
        start = trio.current_time()
        assert await App(Config(mode="json"), script, never(), connect).run() == 0
        times = [
            at - start for at, it in zip(script.times, script.told, strict=True) if isinstance(it, events.GoneEvent)
        ]
        assert len(set(times)) == 3
        left += times
    assert 0.0 < min(left) < 0.1 * limits.LEAVE_SPREAD
    assert 0.9 * limits.LEAVE_SPREAD < max(left) < limits.LEAVE_SPREAD


async def test_one_room_is_left_at_once_when_the_program_ends(autojump_clock: trio.testing.MockClock) -> None:
    start = trio.current_time()
    _, _, told = await played("/create one")
    assert [event.reason for event in told if isinstance(event, events.GoneEvent)] == ["left"]
    assert trio.current_time() == start


# --- rooms that end when we leave


class Person(Script):
    """Types lines with pauses between them, and is asked before a room ends for all."""

    def __init__(self, *lines: str, pause: float) -> None:
        super().__init__(*lines, stays=True)
        self._pause = pause

    def attach(self, closed: Closed, find_room: FindRoom) -> None:
        """As Frontend has it."""
        self._find_room = find_room
        self._interpreter = Interpreter(
            find_room, self.tell, lambda: None, json=False, bell=Bell(lambda: None, lambda: None)
        )

    async def next_request(self) -> UserRequest | None:
        """As Frontend has it."""
        await trio.sleep(self._pause)
        return await super().next_request()


@pytest.fixture
def ends_with_us(monkeypatch: pytest.MonkeyPatch) -> None:
    """Others are in our rooms, and none of them can take one over."""
    snapshot = Room.snapshot
    monkeypatch.setattr(Room, "snapshot", lambda room: dataclasses.replace(snapshot(room), ends_with_us=True))


def asked(told: list[events.Event]) -> list[str]:
    """For which rooms the user was asked, whether they end for all."""
    return [it.room for it in told if isinstance(it, LeaveEndsRoomEvent) and it.asks]


async def run_until(person: Person, seconds: float) -> int | None:
    """Its status, if the program has ended by then."""
    with trio.move_on_after(seconds):
        return await App(Config(mode="line"), person, never(), connect).run()
    return None


@pytest.mark.usefixtures("ends_with_us")
async def test_who_quits_is_asked_once_for_all_rooms_that_end_and_quits_by_saying_it_again(
    autojump_clock: trio.testing.MockClock,
) -> None:
    person = Person("/create one", "/create two", "/quit", "/who", "/quit", pause=5.0)
    assert await run_until(person, 60.0) == 0
    assert asked(person.told) == ["r1", "r2"]
    assert [it for it in person.told if isinstance(it, events.ReplyEvent)], "it goes on meanwhile"


@pytest.mark.usefixtures("ends_with_us")
async def test_what_was_said_long_ago_counts_no_more(autojump_clock: trio.testing.MockClock) -> None:
    person = Person("/create one", "/quit", "/quit", "/quit", pause=limits.LEAVE_CONFIRM + 1.0)
    assert await run_until(person, 4.5 * limits.LEAVE_CONFIRM) is None
    assert asked(person.told) == ["r1"] * 3


async def test_who_ends_no_room_for_others_is_not_asked(autojump_clock: trio.testing.MockClock) -> None:
    person = Person("/create one", "/quit", pause=5.0)
    assert await run_until(person, 60.0) == 0
    assert asked(person.told) == []


@pytest.mark.usefixtures("ends_with_us")
async def test_neither_a_program_nor_the_end_of_input_is_asked(autojump_clock: trio.testing.MockClock) -> None:
    for lines in (["/create one", "/quit"], ["/create one"]):
        _, status, told = await played(*lines)
        assert (status, asked(told)) == (0, [])
    assert asked(await signalled(signal.SIGTERM)) == []


async def played_to_stay(*lines: str) -> int | None:
    """The status that a program ended with which was asked to stay; None where it still runs an hour later."""
    app = App(Config(mode="json", stay=True), Script(*lines, first=CreateRoomAction("demo")), never(), connect)
    with trio.move_on_after(3600.0):
        return await app.run()
    return None


async def test_a_room_that_is_to_stay_outlives_the_end_of_input(autojump_clock: trio.testing.MockClock) -> None:
    assert await played_to_stay() is None
    assert await played_to_stay("hello") is None


async def test_a_program_that_is_to_stay_ends_with_its_rooms(autojump_clock: trio.testing.MockClock) -> None:
    assert await played_to_stay("/close") == 0
    assert await played_to_stay("/create two", "/close") is None, "its first room goes on"
    assert await played_to_stay("/create two", "/close", "/switch demo", "/close") == 0
