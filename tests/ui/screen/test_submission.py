"""Enter: what becomes of what is typed."""

import base64
from typing import Any

import pytest
import trio

from anonp2p import limits
from anonp2p.errors import Locked
from anonp2p.names.codes import RoomKey, encode_key
from anonp2p.room import events, inputs
from anonp2p.room.snapshot import MemberView, Snapshot
from anonp2p.ui import wording
from anonp2p.ui.actions import CreateRoomAction, JoinRoomAction
from anonp2p.ui.bell import Bell
from anonp2p.ui.clipboard import Clipboard
from anonp2p.ui.commands import COMMANDS
from anonp2p.ui.frontend import UserRequest
from anonp2p.ui.screen.input.editor import Editor
from anonp2p.ui.screen.input.typeahead import Typeahead
from anonp2p.ui.screen.scene import Scene
from anonp2p.ui.screen.submission import Answer, Question, Submission
from anonp2p.ui.screen.tab import Tab
from anonp2p.ui.screen.tabs import Tabs

CODE = encode_key(RoomKey(b"k" * 32).public)


class Open:
    """A room that the user is in."""

    def snapshot(self) -> Snapshot:
        return Snapshot("demo", CODE, "ada", "m", False, "eve", True, 2, 0, False, None, False)

    def members(self) -> list[MemberView]:
        return [
            MemberView(member=member, nick=nick, role="member", tag="", away=False, mine=member == "m")
            for member, nick in (("m", "ada"), ("b", "ben"))
        ]

    def banned(self) -> list[str]:
        return []


OPEN = Open()


class Desk:
    """Somebody who types. cleared: how often the terminal was. copied: what was written to it for its clipboard."""

    def __init__(self, *labels: str) -> None:
        self.cleared = 0
        self.editor = Editor()
        self.scene = Scene(Tabs(self.editor))
        self.typeahead = Typeahead()
        self.copied: list[str] = []
        self.bell = Bell(lambda: None, lambda: None)
        clipboard = Clipboard(self.copied.append)
        self.submission = Submission(self.scene, self.editor, self.typeahead, self.bell, clipboard, self._clear)
        for label in labels:
            self.scene.tabs.tab_of(label)

    def _clear(self) -> None:
        self.cleared += 1

    @property
    def active(self) -> Tab:
        return self.scene.active

    def enter(self, text: str, answer: Answer = "") -> Question:
        """Types this, and presses Enter, or what answers a question; what is asked then."""
        self.scene.hint = None
        self.editor.replace(text, len(text))
        return self.submission.submit_text(answer)

    @property
    def hint(self) -> str:
        return self.scene.hint.text if self.scene.hint else ""

    @property
    def requests(self) -> list[UserRequest]:
        """What was asked for since the last look."""
        found = []
        while True:
            try:
                found.append(self.submission.requests.receive_nowait())
            except trio.WouldBlock:
                return found

    def recalled(self) -> list[str]:
        """What Up brings back in the active room."""
        texts = []
        entry = None
        while entry := self.active.draft.history.before(entry):
            texts.append(entry.text)
        return texts


def test_what_is_typed_goes_to_the_room_in_sight() -> None:
    desk = Desk("r1", "r2")
    desk.scene.show_tab(desk.scene.tabs.tab_of("r1"))
    desk.enter("hello")
    assert desk.requests == [UserRequest(inputs.SayInput("hello", re=1), 1, "r1")]
    assert desk.active.log.pending_count == 1
    assert desk.editor.edit_text == ""


def test_without_a_room_what_is_typed_stays() -> None:
    desk = Desk()
    for text in ("hello", "/who", "/leave"):
        desk.enter(text)
        assert "No room is active" in desk.hint
        assert desk.editor.edit_text == text
    assert desk.requests == []


def test_of_what_does_not_count_as_text_nothing_is_sent() -> None:
    desk = Desk("r1")
    assert not desk.enter("  \n ")
    assert desk.requests == []


def test_a_path_of_the_user_is_said_only_if_it_is_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ann")
    desk = Desk("r1")
    text = "'/home/ann/my report.pdf' "
    assert desk.enter(text) == "long"
    assert "may tell who you are" in desk.hint
    assert desk.requests == []
    assert desk.enter(text, "yes") == ""
    assert desk.requests == [UserRequest(inputs.SayInput(text, re=1), 1, "r1")]


def test_many_lines_are_sent_once_that_is_confirmed() -> None:
    desk = Desk("r1")
    text = "x\n" * limits.LONG_MESSAGE + "x"
    assert desk.enter(text)
    assert desk.requests == []
    assert desk.editor.edit_text == text
    assert not desk.enter(text, "yes")
    assert len(desk.requests) == 1
    assert not desk.enter("x\n" * (limits.LONG_MESSAGE - 1) + "x")


@pytest.mark.parametrize("text", ["ü" * limits.TEXT, "x\n" * limits.TEXT], ids=["wide", "many lines"])
def test_what_is_too_long_stays_and_its_size_is_told(text: str) -> None:
    desk = Desk("r1")
    assert not desk.enter(text)
    assert f"It has {2 * limits.TEXT}." in desk.hint
    assert desk.editor.edit_text == text


def test_a_mistyped_code_stays_and_no_room_is_awaited() -> None:
    desk = Desk()
    desk.enter("/join nonsense")
    assert "not a room code" in desk.hint
    assert desk.editor.edit_text == "/join nonsense"
    assert desk.recalled() == []
    assert not desk.typeahead.hold_key((80, 24), "x")


def test_an_unknown_command_stays_and_is_no_message() -> None:
    desk = Desk("r1")
    desk.enter("/jion abc")
    assert "Did you mean /join" in desk.hint
    assert desk.editor.edit_text == "/jion abc"
    assert desk.requests == []
    assert desk.recalled() == []


@pytest.mark.parametrize(("text", "kind"), [("/create demo", CreateRoomAction), (f"/join {CODE}", JoinRoomAction)])
def test_keys_after_a_room_was_asked_for_are_held(text: str, kind: type[CreateRoomAction | JoinRoomAction]) -> None:
    desk = Desk("r1")
    desk.enter(text)
    [request] = desk.requests
    assert isinstance(request.action, kind)
    assert desk.typeahead.is_awaiting(request.re)


def test_up_does_not_bring_back_in_one_room_what_names_another() -> None:
    desk = Desk("r1", "r2")
    for text in ("/create demo", f"/join {CODE}", "/clear", "/switch r2", "hello", "/nick bob"):
        desk.enter(text)
    assert desk.recalled() == ["/nick bob", "hello"]


def test_switch_shows_the_room_with_that_number_and_asks_nobody() -> None:
    desk = Desk("r1", "r2", "r3")
    desk.scene.drop_tab(desk.scene.tabs.tab_of("r1"))
    desk.enter("/switch 2")
    assert desk.active.label == "r2"
    desk.enter("/switch 1")
    assert "no such room" in desk.hint
    assert desk.active.label == "r2"
    assert desk.requests == []


def test_help_members_and_rooms_are_shown_and_nobody_is_asked() -> None:
    desk = Desk("r1")
    for text in ("/help", "/who"):
        desk.enter(text)
        assert desk.scene.overlay
        desk.scene.overlay = None
    desk.enter("/rooms")
    assert desk.active.log.last_line()
    assert desk.requests == []


def test_clear_forgets_the_log_and_clears_the_terminal() -> None:
    desk = Desk("r1")
    desk.active.take_event(events.NoticeEvent(text="x"), 0.0, seen=True)
    desk.enter("/clear")
    assert desk.active.log.last_line() is None
    assert desk.cleared == 1
    assert desk.requests == []


def test_of_a_room_that_is_over_only_leave_does_anything() -> None:
    desk = Desk("r1", "r2")
    desk.active.take_event(events.GoneEvent(room="r2", reason="closed"), 0.0, seen=True)
    for text in ("hello", "/who", "/nick bob"):
        desk.enter(text)
        assert "over" in desk.hint
        assert desk.editor.edit_text == text
    desk.enter("/leave")
    assert desk.active.label == "r1"
    assert desk.cleared == 1
    assert desk.requests == []


def test_what_is_said_to_a_room_that_lets_one_in_later_stays_typed_and_the_way_on_is_told() -> None:
    for code, way_on in (("locked", wording.TRY_AGAIN), ("nick-taken", wording.OTHER_NICK)):
        desk = Desk("r1")
        desk.active.way_in.begin(JoinRoomAction(bytes(32), "ann"))
        desk.active.take_event(events.ErrorEvent(code=code, text=Locked(), room="r1", final=True), 0.0, seen=True)
        desk.active.take_event(events.GoneEvent(room="r1", reason="refused"), 0.0, seen=True)
        desk.enter("hello")
        assert desk.hint == f"You are not in this room, and nothing was sent. {way_on}"
        assert desk.editor.edit_text == "hello"
        assert desk.requests == []


def test_when_too_much_is_on_its_way_the_rest_stays_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PENDING", 2)
    desk = Desk("r1")
    for text in ("one", "two", "three"):
        desk.enter(text)
    assert "wait a little" in desk.hint
    assert desk.editor.edit_text == "three"
    assert len(desk.requests) == 2


@pytest.mark.parametrize(
    ("given", "typed", "pending"),
    [
        ({}, "/reply 3 yes", (None, False, "")),
        ({"seq": 3}, "/reply 3 yes", (3, False, "ben")),
        ({"seq": 3}, "/reply yes", (3, False, "ben")),
        ({"seq": 3, "private": True}, "/reply yes", (3, True, "ben")),
        ({"seq": 3, "private": True, "mine": True, "to": "cho"}, "/reply 3 yes", (3, True, "cho")),
        ({"seq": 3, "mine": True}, "/reply yes", (None, False, "")),
    ],
)
def test_a_reply_on_its_way_shows_what_it_refers_to_and_for_whom_it_is(
    given: dict[str, Any], typed: str, pending: tuple[int | None, bool, str]
) -> None:
    desk = Desk("r1")
    if given:
        event = events.MessageEvent(room="r1", member="m", nick="ben", text="hello", at=0.0, **given)
        desk.active.take_event(event, 0.0, seen=True)
    desk.enter(typed)
    line = desk.active.log.settle_pending(1)
    assert line is not None
    seq, private, to = pending
    assert (line.text, line.reply, line.private, line.to if private else to) == ("yes", seq, private, to)


OF_ONE = ("/ban", "/unban", "/mute", "/unmute", "/op", "/deop", "/admit", "/refuse", "/keep")  # they take a nick
LOCAL = ("/notify", "/quiet")  # what they change is said above the input line


@pytest.mark.parametrize("command", [command.name for command in COMMANDS])
def test_every_command_does_something(command: str) -> None:
    arguments = {
        "/create": " demo",
        "/join": f" {encode_key(RoomKey(b'n' * 32).public)}",
        "/nick": " bob",
        "/msg": " bob hi",
        "/me": " waves",
    }
    arguments |= {"/switch": " r1", "/kick": " bob", "/reply": " 7 yes", "/entrust": " bob", "/query": " ben"}
    arguments |= {"/unignore": " ben"} | dict.fromkeys(OF_ONE, " bob")
    arguments |= {"/knock": " on", "/slow": " 10", "/purge": " 10m", "/revoke": " 3"}
    arguments |= {"/send": " a.pdf", "/accept": " 3", "/decline": " 3"}
    desk = Desk("r1")
    desk.active.ignored.add_member("b", "ben")
    desk.scene.find_room = lambda _: OPEN
    before = desk.active.log.last_line()
    desk.enter(command + arguments.get(command, ""))
    assert desk.hint == "" or desk.copied or desk.active.conversation or command in LOCAL
    did = (desk.scene.overlay, desk.requests, desk.cleared, desk.active.log.last_line() is not before)
    assert any(did) or command == "/switch" or desk.copied or desk.active.conversation or command in LOCAL


def said(seq: int, text: str, *, private: bool = False) -> events.MessageEvent:
    return events.MessageEvent(room="r1", member="b", nick="ben", text=text, at=0.0, seq=seq, private=private)


def pasted(desk: Desk) -> list[str]:
    """What was on the clipboard, one after the other."""
    return [base64.b64decode(data.removeprefix("\x1b]52;c;").removesuffix("\x1b\\")).decode() for data in desk.copied]


def test_code_links_and_messages_are_copied_when_asked_for_and_as_they_are_shown() -> None:
    desk = Desk("r1")
    desk.scene.find_room = lambda _: OPEN
    for seq, text in enumerate(("see http://a.example/x.", "\x1b]0;evil\a \u202eback\nrm -rf /\n"), 1):
        desk.active.take_event(said(seq, text), 0.0, seen=True)
    for typed in ("/copy", "/copy code", "/copy link", "/copy 2"):
        desk.enter(typed)
    assert pasted(desk) == [CODE, CODE, "http://a.example/x", "\ufffd]0;evil\ufffd \ufffdback\nrm -rf /"]
    assert desk.requests == []


@pytest.mark.parametrize(("typed", "why"), [("/copy link", "no link"), ("/copy 7", "no such message")])
def test_nothing_is_copied_where_there_is_nothing(typed: str, why: str) -> None:
    desk = Desk("r1")
    desk.enter(typed)
    assert why in desk.hint
    assert desk.copied == []


SPLIT = f"{CODE[:20]}\n  {CODE[20:]} "


def test_a_code_alone_joins_where_there_is_no_room() -> None:
    desk = Desk()
    assert not desk.enter(SPLIT)
    [request] = desk.requests
    assert isinstance(request.action, JoinRoomAction)
    assert desk.recalled() == []


def test_a_code_alone_is_asked_about_in_a_room() -> None:
    desk = Desk("r1")
    assert desk.enter(SPLIT) == "code"
    assert desk.requests == []
    desk.enter(SPLIT, "no")
    desk.enter(SPLIT, "yes")
    said_here, joins = desk.requests
    assert isinstance(said_here.action, inputs.SayInput)
    assert isinstance(joins.action, JoinRoomAction)
    assert desk.enter(f"see {CODE}") == "", "a sentence is a message"


def test_a_mistyped_code_alone_is_not_said_in_a_room() -> None:
    desk = Desk("r1")
    mistyped = CODE.replace(CODE[:2], CODE[1::-1], 1)
    assert desk.enter(mistyped) == "code"
    desk.enter(mistyped, "yes")
    assert "mistyped" in desk.hint
    assert desk.requests == []


def conversing(text: str = "") -> Desk:
    """Somebody in a private conversation with ben, who has typed this."""
    desk = Desk("r1")
    desk.scene.find_room = lambda _: OPEN
    desk.enter("/query ben")
    desk.editor.replace(text, len(text))
    return desk


def test_in_a_private_conversation_every_text_goes_to_one_and_comes_back_as_such() -> None:
    desk = conversing()
    desk.enter("hi")
    assert desk.requests == [UserRequest(inputs.WhisperInput("ben", "hi", 2, "b"), 2, "r1")]
    pending = desk.active.log.settle_pending(2)
    assert pending is not None
    assert (pending.private, pending.to) == (True, "ben")
    assert desk.recalled() == ["/msg ben hi", "/query ben"]
    desk.enter("/me waves")
    assert "whole room" in desk.hint
    assert desk.requests == []
    desk.enter("/query")
    desk.enter("hi all")
    assert [request.action for request in desk.requests] == [inputs.SayInput("hi all", re=5)]


def test_what_is_typed_when_a_private_conversation_ends_still_goes_to_one() -> None:
    desk = conversing("a secret")
    desk.submission.end_conversation()
    assert desk.editor.edit_text == "/msg ben a secret"


def test_of_replies_in_a_private_conversation_only_those_to_its_messages_are_sent() -> None:
    desk = conversing()
    for seq, private in ((1, True), (2, False)):
        desk.active.take_event(said(seq, "x", private=private), 0.0, seen=True)
    for typed in ("/reply 2 yes", "/reply yes"):
        desk.enter(typed)
        assert "whole room" in desk.hint
    desk.enter("/reply 1 yes")
    desk.active.take_event(said(3, "x", private=True), 0.0, seen=True)
    desk.enter("/reply yes")
    assert [request.action.seq for request in desk.requests if isinstance(request.action, inputs.ReplyInput)] == [1, 3]


def test_a_key_answers_who_has_written_to_the_user_alone_last() -> None:
    desk = Desk("r1")
    desk.scene.find_room = lambda _: OPEN
    desk.submission.answer_privately()
    assert "Nobody" in desk.hint
    desk.active.take_event(said(1, "x", private=True), 0.0, seen=True)
    desk.active.take_event(said(2, "y"), 0.0, seen=True)
    desk.submission.answer_privately()
    assert desk.active.conversation
    assert desk.active.conversation.member == "b"


def test_a_private_conversation_is_of_one_room() -> None:
    desk = conversing()
    desk.scene.show_tab(desk.scene.tabs.tab_of("r2"))
    desk.enter("hi")
    [request] = desk.requests
    assert isinstance(request.action, inputs.SayInput)


def test_what_calls_is_said_and_kept_for_each_room() -> None:
    desk = Desk("r1", "r2")
    desk.enter("/notify none")
    assert "Nothing here calls you" in desk.hint
    desk.scene.show_tab(desk.scene.tabs.tab_of("r1"))
    desk.enter("/notify desktop on")
    assert "name you" in desk.hint
    assert "your desktop is told too" in desk.hint
    assert desk.bell.is_notifying
    assert desk.requests == []
