"""The full screen as a frontend: what events make of what is shown. The terminal is one that nobody looks at."""

import dataclasses

import pytest

from anonp2p.config import Config
from anonp2p.errors import Failed
from anonp2p.names.codes import RoomKey, encode_key
from anonp2p.room import events, inputs
from anonp2p.room.errors import InRoomAlready
from anonp2p.room.snapshot import MemberView, Snapshot
from anonp2p.ui.actions import CreateRoomAction, JoinRoomAction
from anonp2p.ui.screen.screen import Screen
from anonp2p.ui.screen.term.terminal import Terminal

CODE = encode_key(RoomKey(b"k" * 32).public)
SIZE = (80, 24)


class View:
    """A live room; looked_at: how often its members were asked for."""

    def __init__(self, *, private: bool = False) -> None:
        self.looked_at = 0
        self._private = private

    def snapshot(self) -> Snapshot:
        plain = Snapshot("demo", "abc.onion", "zoe", "m", False, "ada", True, 2, 0, False, None, False)
        return dataclasses.replace(plain, private=self._private)

    def members(self) -> list[MemberView]:
        self.looked_at += 1
        return [MemberView("m", "zoe", "member", "tag", away=False, mine=True)]

    def banned(self) -> list[str]:
        return []


def screen_of(*labels: str, config: Config | None = None) -> Screen:
    """In the rooms with these labels."""
    screen = Screen(config or Config(mode="screen"), Terminal(idle=lambda: None, closed=lambda: None))
    screen.attach(lambda _: None, lambda _: None)
    for label in labels:
        screen.open_room(label, None)
    return screen


def press(screen: Screen, *keys: str) -> None:
    for key in keys:
        screen.keyboard.press_key(SIZE, key)


def shown(screen: Screen) -> str:
    return screen.scene.active.label


def message(room: str, text: str) -> events.MessageEvent:
    return events.MessageEvent(room=room, member="m", nick="ada", text=text, seq=1, at=0.0)


async def test_what_is_typed_while_a_room_is_opened_is_meant_for_it() -> None:
    screen = screen_of("r1")
    press(screen, *f"/join {CODE}", "enter", *"hello", "enter")
    first = await screen.next_request()
    assert first
    assert isinstance(first.action, JoinRoomAction)
    screen.open_room("r2", None)
    second = await screen.next_request()
    assert second
    assert second.action == inputs.SayInput("hello", re=2)
    assert second.room == "r2"


async def test_what_is_typed_while_a_room_is_opened_stays_here_if_it_cannot_be() -> None:
    screen = screen_of("r1")
    press(screen, *f"/join {CODE}", "enter", *"hello")
    request = await screen.next_request()
    assert request
    screen.tell(events.ErrorEvent(code="not-allowed", text=InRoomAlready(), re=request.re))
    assert shown(screen) == "r1"
    assert screen.editor.edit_text == "hello"


def test_another_error_does_not_end_the_wait_for_a_room() -> None:
    screen = screen_of("r1")
    press(screen, *f"/join {CODE}", "enter", *"hello")
    screen.tell(events.ErrorEvent(code="failed", text=Failed("Something else."), room="r1"))
    assert screen.editor.edit_text == ""


def test_a_room_that_the_user_has_closed_is_dropped() -> None:
    screen = screen_of("r1", "r2")
    screen.tell(events.GoneEvent(room="r2", reason="closed", re=3))
    assert [tab.label for tab in screen.scene.tabs.of_rooms] == ["r1"]


def test_a_room_that_was_left_is_dropped_and_one_that_ended_stays() -> None:
    screen = screen_of("r1", "r2")
    screen.tell(events.GoneEvent(room="r1", reason="closed"))
    assert [tab.label for tab in screen.scene.tabs.of_rooms] == ["r1", "r2"]
    screen.tell(events.GoneEvent(room="r2", reason="left"))
    assert shown(screen) == "r1"
    assert [tab.label for tab in screen.scene.tabs.of_rooms] == ["r1"]


def test_what_is_in_sight_is_not_unread_and_all_else_is() -> None:
    screen = screen_of("r1", "r2")
    for room in ("r1", "r2"):
        screen.tell(message(room, "hello"))
    assert [tab.attention.unread for tab in screen.scene.tabs.of_rooms] == [1, 0]
    press(screen, "f1")  # over the log
    screen.tell(message("r2", "hello"))
    assert screen.scene.active.attention.unread == 1


def test_the_title_does_not_count_private_rooms() -> None:
    screen = screen_of("r1", "r2", "r3")
    screen.attach(lambda _: None, lambda label: View(private=label == "r1"))
    for room in ("r1", "r2"):
        private = events.MessageEvent(room=room, member="m", nick="ada", text="psst", seq=1, at=0.0, private=True)
        screen.tell(private)
    assert screen.count_calls() == 1


@pytest.mark.parametrize(("command", "data"), [("/code", {"code": CODE}), ("/qr", {"code": CODE})])
def test_a_code_is_read_in_place_of_the_log(command: str, data: dict[str, str]) -> None:
    screen = screen_of("r1")
    screen.tell(events.ReplyEvent(command=command, data=data, room="r1"))
    assert screen.scene.overlay


@pytest.mark.parametrize(("key", "same"), [("y", True), ("n", False), ("esc", None), ("enter", None), ("x", None)])
async def test_whether_words_are_the_same_is_answered_by_one_key(key: str, same: bool | None) -> None:
    screen = screen_of("r1", "r2")
    data = {"nick": "ada", "member": "a", "me": "zoe", "words": ["one", "two"], "verified": False}
    screen.tell(events.ReplyEvent(command="/verify", data=data, room="r1"))
    press(screen, "down", key, *("hello" if same is None else ""), "enter")
    assert screen.scene.overlay is None
    request = await screen.next_request()
    assert request
    if same is None:
        assert isinstance(request.action, inputs.SayInput)
        assert request.room == "r2"
    else:
        assert request.action == inputs.VerifyInput("ada", 1, same)
        assert request.room == "r1"


def test_the_words_of_a_room_say_what_they_prove() -> None:
    screen = screen_of("r1")
    data = {"words": ["one"] * 10, "minutes": 20, "at": 1_200, "previous": None, "unproven": None}
    screen.tell(events.ReplyEvent(command="/verify", data=data, room="r1"))
    assert screen.scene.overlay
    text = " ".join(text.strip() for row in screen.scene.overlay.build(60, 20) for _, text in row)
    assert "everything in it was the same for you both" in " ".join(text.split())


def test_another_answer_is_in_the_log() -> None:
    screen = screen_of("r1")
    data = {"ttl": 1, "minimum": 1, "default": 1, "maximum": 1}
    screen.tell(events.ReplyEvent(command="/retain", data=data, room="r1"))
    assert screen.scene.overlay is None


def test_members_are_looked_up_only_when_they_may_have_changed() -> None:
    screen = screen_of("r1")
    room = View()
    screen.scene.find_room = lambda _: room
    tab = screen.scene.active
    for _ in range(3):
        assert screen.scene.people(tab).nicks == []
    assert room.looked_at == 1
    screen.tell(message("r1", "hello"))
    screen.scene.people(tab)
    assert room.looked_at == 1
    screen.tell(events.JoinedEvent(room="r1", member="n", nick="ben"))
    screen.scene.people(tab).good_until = 0.0
    screen.scene.people(tab)
    assert room.looked_at == 2


async def test_the_command_line_is_the_first_command_and_a_code_of_a_dash_is_asked_for() -> None:
    given = screen_of(config=Config(mode="screen", action="create", subject="demo"))
    assert isinstance(await given.first_command(), CreateRoomAction)
    asked = screen_of(config=Config(mode="screen", action="join", subject="-"))
    assert await asked.first_command() is None
    assert asked.editor.edit_text == "/join "
    assert asked.scene.hint
    nothing = screen_of()
    assert await nothing.first_command() is None
