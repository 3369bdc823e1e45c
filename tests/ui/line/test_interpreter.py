"""Lines of input in several rooms: where they go, and what is answered at once."""

import base64
import dataclasses
import json
import time
from typing import Any

import msgspec
import pytest
from msgspec import UNSET

from anonp2p.errors import AnonError, NickTaken, NoRoom, TooLong
from anonp2p.names import codes
from anonp2p.names.codes import RoomKey
from anonp2p.names.errors import CodeMistyped
from anonp2p.reasons import Reason
from anonp2p.room import events, inputs
from anonp2p.room.hosting_events import HeirsEvent, Successor
from anonp2p.room.moderation_events import Knocker, WaitingEvent
from anonp2p.room.snapshot import MemberView, Snapshot
from anonp2p.room.succession.terms import make_place
from anonp2p.ui import wording
from anonp2p.ui.actions import JoinRoomAction, QuitAction
from anonp2p.ui.bell import Bell
from anonp2p.ui.clipboard import Clipboard
from anonp2p.ui.errors import (
    CodeAsMessage,
    ConversationOver,
    NoBell,
    NoConversation,
    NothingToCopy,
    NotInRoom,
    PathAsMessage,
)
from anonp2p.ui.frontend import RoomView, UserRequest
from anonp2p.ui.line.interpreter import Interpreter


def silent() -> Bell:
    """A bell that nobody hears."""
    return Bell(lambda: None, lambda: None)


class Typist:
    """Types lines; keeps what is shown."""

    def __init__(
        self, *labels: str, json: bool = True, bell: Bell | None = None, clipboard: Clipboard | None = None
    ) -> None:
        self.shown: list[events.Event] = []
        self.cleared = 0
        self.rooms: dict[str, RoomView] = {}
        self.now = 0.0
        self.interpreter = Interpreter(
            self._find_room,
            self.shown.append,
            self._clear,
            json=json,
            bell=bell,
            clipboard=clipboard,
            clock=lambda: self.now,
        )
        for label in labels:
            self.interpreter.open_room(label)

    def _find_room(self, label: str) -> RoomView | None:
        return self.rooms.get(label)

    def _clear(self) -> None:
        self.cleared += 1

    def type(self, line: str) -> UserRequest | None:
        return self.interpreter.interpret_line(line.encode())


def gone(label: str) -> events.GoneEvent:
    return events.GoneEvent(room=label, reason="closed")


def entered(label: str, name: str) -> events.EnteredEvent:
    return events.EnteredEvent(room=label, name=name, code="c", nick="me", member="m", role="member", members=[])


def test_a_line_goes_to_the_room_that_was_asked_for_last() -> None:
    typist = Typist()
    assert typist.type("hello") == UserRequest(inputs.SayInput("hello"))
    for label in ("r1", "r2"):
        typist.interpreter.open_room(label)
        assert typist.type("hello") == UserRequest(inputs.SayInput("hello"), room=label)


def test_a_line_for_a_room_that_is_gone_goes_to_no_other_room() -> None:
    typist = Typist("r1", "r2")
    typist.interpreter.take_event(gone("r2"))
    assert typist.type("hello") == UserRequest(inputs.SayInput("hello"))


def test_the_end_of_another_room_changes_nothing() -> None:
    typist = Typist("r1", "r2")
    typist.interpreter.take_event(gone("r1"))
    assert typist.type("hello") == UserRequest(inputs.SayInput("hello"), room="r2")


class Open:
    """A room that the user is in."""

    def snapshot(self) -> Snapshot:
        return Snapshot("demo", "abc.onion", "ada", "a", False, "ben", True, 2, 0, False, None, False)

    def members(self) -> list[MemberView]:
        return [MemberView(member="b", nick="ben", role="member", tag="", away=False, mine=False)]

    def banned(self) -> list[str]:
        return ["eve"]


def said(seq: int, text: str = "hi", *, member: str = "b") -> events.MessageEvent:
    return events.MessageEvent(room="r1", member=member, nick=f"nick {member}", text=text, seq=seq, at=0.0)


def visited(*, json: bool, clipboard: Clipboard | None = None) -> Typist:
    """In a room where two newcomers have come after `/quiet 5`."""
    typist = Typist("r1", json=json, clipboard=clipboard)
    typist.rooms["r1"] = Open()
    typist.type("/quiet 5")
    for member in "bc":
        typist.interpreter.take_event(events.JoinedEvent(room="r1", member=member, nick=f"nick {member}"))
    return typist


def test_what_newcomers_say_is_put_aside_and_told_in_few_lines() -> None:
    typist = visited(json=False)
    for seq, (member, now) in enumerate([("b", 0.0), ("b", 1.0), ("c", 2.0), ("c", 40.0), ("b", 41.0)]):
        typist.now = now
        assert not typist.interpreter.take_event(said(seq, f"text\n{seq}", member=member))
    told = [event.text for event in typist.shown if isinstance(event, events.NoticeEvent)]
    assert told[1:] == [
        "1 message of a newcomer put aside: /quiet show",
        "3 messages of 2 newcomers put aside: /quiet show",
    ]
    assert typist.type("/quiet show") is None
    reply = typist.shown[-1]
    assert isinstance(reply, events.ReplyEvent)
    assert [row["words"] for row in reply.data] == [f"text {seq}" for seq in range(5)]
    typist.now = 300.0
    assert typist.interpreter.take_event(said(9))


def test_programs_are_shown_what_newcomers_say() -> None:
    typist = visited(json=True)
    assert typist.interpreter.take_event(said(1))
    marked = typist.interpreter.adapt_event(said(2))
    assert isinstance(marked, events.MessageEvent)
    assert marked.newcomer is True
    typist.now = 600.0
    assert typist.interpreter.adapt_event(said(2)) == said(2)


def test_who_knocks_is_told_with_the_members() -> None:
    typist = Typist("r1", json=False)
    typist.rooms["r1"] = Open()
    who = events.ReplyEvent(room="r1", command="/who", data=[])
    typist.interpreter.follow_event(who)
    assert typist.shown == []
    knocking = WaitingEvent(room="r1", count=1, people=[Knocker("guest", "abcd", 3)])
    assert not typist.interpreter.take_event(knocking)
    typist.interpreter.follow_event(who)
    told, again = (event.text for event in typist.shown if isinstance(event, events.NoticeEvent))
    assert told == again
    assert told.startswith("1 person waits to be let in: guest (abcd);")
    assert typist.interpreter.list_known().waiting == ["guest"]
    assert typist.interpreter.list_known().banned == ["eve"]


def test_quiet_is_asked_for_set_and_ended() -> None:
    typist = Typist("r1")
    typist.rooms["r1"] = Open()
    for typed in ("/quiet", "/quiet 1", "/quiet", "/quiet off"):
        assert typist.type(typed) is None
    nothing, minute, again, over = (getattr(event, "text", "") for event in typist.shown)
    assert "Nothing is put aside" in nothing
    assert minute == again == "What members say in their first minute here is put aside; /quiet show shows it."
    assert over == nothing


def test_the_latest_link_that_is_copied_is_of_no_newcomer() -> None:
    copied: list[str] = []
    typist = visited(json=False, clipboard=Clipboard(copied.append))
    typist.type("/quiet off")
    for seq, (member, link) in enumerate([("a", "https://a.example"), ("b", "https://b.example")]):
        typist.interpreter.take_event(typist.interpreter.adapt_event(said(seq, link, member=member)))
    typist.type("/copy link")
    assert base64.b64encode(b"https://a.example").decode() in copied[-1]


def test_what_an_ignored_member_says_is_not_shown_in_that_room() -> None:
    typist = Typist("r1", "r2")
    typist.rooms["r2"] = Open()
    assert typist.type("/ignore ben") is None
    told = [events.MessageEvent(room=label, member="b", nick="ben", text="hi", seq=1, at=0.0) for label in ("r2", "r1")]
    assert [typist.interpreter.take_event(event) for event in told] == [False, True]
    assert typist.type("/numbers") is None
    assert typist.type("/unignore ben") is None
    assert typist.interpreter.take_event(told[0])
    texts = [getattr(event, "text", getattr(event, "data", None)) for event in typist.shown]
    assert texts[1:] == [[], "You ignore nobody here."]
    assert "You see nothing of what ben says" in str(texts[0])


@pytest.mark.parametrize("is_json", [False, True])
def test_people_are_told_who_would_host_when_the_first_of_them_is_another_one(is_json: bool) -> None:
    ann, ben, key = (
        Successor(member=it, nick=it, holds_key=holds) for it, holds in (("a", False), ("b", False), ("a", True))
    )
    typist = Typist("r1", json=is_json)
    told = [[], [ann], [ann, ben], [key, ben], [key], [ben], [], []]
    shown = [typist.interpreter.take_event(HeirsEvent(room="r1", heirs=heirs)) for heirs in told]
    assert shown == ([True] * 8 if is_json else [True, True, False, True, False, True, True, False])


@pytest.mark.parametrize("json", [False, True])
def test_in_a_private_conversation_lines_of_that_room_go_to_one_member(json: bool) -> None:
    typist = Typist("r1", "r2", json=json)
    typist.rooms = {"r1": Open(), "r2": Open()}
    typist.type("/switch r1")
    assert typist.type("/query ben") is None
    assert typist.type("hi") == UserRequest(inputs.WhisperInput("ben", "hi", member="b"), room="r1")
    typist.interpreter.take_event(events.LeftEvent(room="r1", member="b", nick="ben", reason="left"))
    assert typist.type("hi") == UserRequest(ConversationOver("ben"), room="r1")
    typist.type("/switch r2")
    assert typist.type("hi") == UserRequest(inputs.SayInput("hi"), room="r2")
    assert typist.type("/query") == UserRequest(NoConversation(), room="r2")
    typist.type("/switch r1")
    assert typist.type("/query") is None
    assert typist.type("hi") == UserRequest(inputs.SayInput("hi"), room="r1")


def test_what_calls_rings_the_bell_of_who_types_nothing_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    rung: list[bool] = []
    typist = Typist("r1", json=False, bell=Bell(lambda: rung.append(True), lambda: None))
    typist.rooms = {"r1": Open()}
    typist.interpreter.take_event(entered("r1", "demo"))
    now = time.monotonic()
    for minutes, typed, text, rings in (
        (0, "", "me?", 0),
        (2, "", "hello", 0),
        (2, "", "me?", 1),
        (3, "/notify all", "me?", 1),
        (5, "", "hello", 2),
        (6, "/notify none", "", 2),
        (9, "", "me?", 2),
    ):
        monkeypatch.setattr(time, "monotonic", lambda at=now + 60 * minutes: at)
        if typed:
            assert typist.type(typed) is None
        said = events.MessageEvent(room="r1", member="b", nick="ben", text=text, seq=3, at=0.0)
        typist.interpreter.take_event(said)
        assert len(rung) == rings, minutes


def test_through_a_pipe_there_is_no_bell() -> None:
    typist = Typist("r1")
    typist.rooms = {"r1": Open()}
    assert typist.type("/notify all") == UserRequest(NoBell(), room="r1")


def test_on_a_terminal_a_mark_stands_behind_the_nick_of_who_is_verified() -> None:
    said = events.MessageEvent(room="r1", member="b", nick="ben", text="hi", seq=3, at=0.0)
    for bell, shown in ((silent(), ["ben", "ben✓", "ben"]), (None, ["ben"] * 3)):
        typist = Typist("r1", json=False, bell=bell)
        nicks = []
        for same in (None, True, False):
            if same is not None:
                event = events.VerifiedEvent(room="r1", member="b", nick="ben", verified=same)
                typist.interpreter.take_event(event)
            marked = typist.interpreter.mark_verified(said)
            assert isinstance(marked, events.MessageEvent)
            nicks.append(marked.nick)
        assert nicks == shown


def copied_on_terminal(*lines: str) -> tuple[list[str], list[object]]:
    """What these lines put on the clipboard, in a room where some have spoken; and the errors that they are."""
    written: list[str] = []
    typist = Typist("r1", "r2", json=False, bell=silent(), clipboard=Clipboard(written.append))
    typist.rooms = {"r1": Open(), "r2": Open()}
    said = events.MessageEvent(room="r1", member="b", nick="ben", text="https://b.example/", seq=70, at=0.0)
    for seq, text in enumerate(("see https://a.example/x.", "two\nlines\n", "\x1b]no link\x07"), 7):
        typist.interpreter.take_event(msgspec.structs.replace(said, room="r2", seq=seq, text=text))
    typist.interpreter.take_event(said)
    asked = [typist.type(line) for line in lines]
    return [base64.b64decode(it.split(";")[2][:-2]).decode() for it in written], [it and it.action for it in asked]


def test_on_a_terminal_with_an_input_line_all_is_copied_that_the_full_screen_copies() -> None:
    lines = ("/copy", "/copy code", "/copy link", "/copy 7", "/copy 8", "/copy 9")
    copied, errors = copied_on_terminal(*lines)
    assert copied[:3] == ["abc.onion", "abc.onion", "https://a.example/x"]
    assert copied[3:5] == ["see https://a.example/x.", "two\nlines"]
    assert "\x1b" not in copied[5]
    assert not any(errors)


def test_what_is_not_there_is_not_copied() -> None:
    copied, errors = copied_on_terminal("/copy 70")
    assert not copied
    assert isinstance(errors[0], NothingToCopy)


def test_without_an_input_line_nothing_is_copied() -> None:
    typist = Typist("r1", json=False, bell=silent())
    typist.rooms = {"r1": Open()}
    for line in ("/copy", "/copy link", "/copy 7"):
        request = typist.type(line)
        assert isinstance(request and request.action, NothingToCopy)


# --- a join that has failed


def refused(label: str = "r1", code: str = "nick-taken", reason: Any = "refused") -> list[events.Event]:
    error = events.ErrorEvent(room=label, code=code, text=NickTaken(), final=True)
    return [error, events.GoneEvent(room=label, reason=reason)]


def joining(*told: events.Event, bell: Bell | None = None) -> Typist:
    """Somebody on a terminal who has asked for a room, and was told this."""
    typist = Typist(json=False, bell=bell or silent())
    typist.interpreter.open_room("r1", AGAIN)
    for event in told:
        typist.interpreter.take_event(event)
    typist.interpreter.say_way_on("r1")
    return typist


AGAIN = JoinRoomAction(b"k" * 32, "ann", "r1")


@pytest.mark.parametrize("code", ["nick-taken", "bad-nick"])
def test_a_refused_nick_is_asked_for_in_place_and_the_join_goes_on_with_another(code: str) -> None:
    typist = joining(*refused(code=code))
    assert typist.interpreter.begun_line == "/nick ann-2"
    assert getattr(typist.shown[-1], "text", "") == wording.OTHER_NICK
    assert typist.type("/nick bea") == UserRequest(dataclasses.replace(AGAIN, nick="bea"), room="r1")
    assert typist.type("/join " + codes.encode_key(AGAIN.address) + " cat") == UserRequest(
        dataclasses.replace(AGAIN, nick="cat"), room="r1"
    )
    typist.interpreter.open_room("r1", AGAIN)
    assert typist.interpreter.begun_line == ""
    assert typist.type("") is None


@pytest.mark.parametrize(("code", "reason"), [("locked", "refused"), ("full", "refused"), ("unreachable", "lost")])
def test_a_room_that_is_locked_full_or_lost_is_tried_again_by_enter_alone(code: str, reason: str) -> None:
    typist = joining(*refused(code=code, reason=reason))
    assert typist.interpreter.begun_line == ""
    assert getattr(typist.shown[-1], "text", "") == wording.TRY_AGAIN
    assert typist.type("  ") == UserRequest(AGAIN)
    assert typist.type("hello") == UserRequest(NotInRoom(wording.TRY_AGAIN), room="r1")


def test_a_room_that_was_lost_is_tried_again_under_the_nick_that_one_had_last() -> None:
    renamed = events.RenamedEvent(room="r1", member="m", nick="zoe", was="me")
    typist = joining(entered("r1", "demo"), renamed, *refused(code="unreachable", reason="lost"))
    assert typist.type("") == UserRequest(dataclasses.replace(AGAIN, nick="zoe"))


def test_a_room_to_try_again_is_given_up_by_leaving_it() -> None:
    typist = joining(*refused())
    assert typist.type("/leave") is None
    assert getattr(typist.shown[-1], "text", "") == wording.GIVEN_UP
    assert typist.type("") is None
    assert typist.type("hello") == UserRequest(inputs.SayInput("hello"))


@pytest.mark.parametrize("reason", ["left", "closed", "kicked", "tor"])
def test_a_room_that_is_over_for_good_is_not_tried_again(reason: Any) -> None:
    typist = joining(*refused(reason=reason))
    assert typist.shown == []
    assert typist.type("") is None


def test_a_room_whose_host_lies_is_not_tried_again() -> None:
    alarm = events.AlarmEvent(room="r1", member="m", reason=Reason("other-at-code"))
    assert joining(alarm, *refused(reason="lost")).type("") is None


def test_through_a_pipe_no_join_is_tried_again() -> None:
    typist = Typist(json=False)
    typist.interpreter.open_room("r1", AGAIN)
    for event in refused():
        typist.interpreter.take_event(event)
    typist.interpreter.say_way_on("r1")
    assert typist.shown == []
    assert typist.type("/nick bea") == UserRequest(inputs.RenameInput("bea"))


def test_without_a_room_there_is_no_private_conversation() -> None:
    assert Typist().type("/query ben") == UserRequest(NoRoom())


def test_a_code_alone_joins_on_a_terminal_and_in_a_room_it_is_held_once() -> None:
    key = RoomKey(b"k" * 32)
    code = key.code
    typist = Typist(json=False, bell=silent())
    assert typist.type(code) == UserRequest(JoinRoomAction(key.public))
    mistyped = typist.type(f"{code[:-7]}x.onion")
    assert mistyped
    assert isinstance(mistyped.action, CodeMistyped)
    typist.interpreter.open_room("r1")
    for _ in range(2):
        assert typist.type(code) == UserRequest(CodeAsMessage(), room="r1")
        assert typist.type(code) == UserRequest(inputs.SayInput(code), room="r1")
    assert Typist("r1", json=False).type(code) == UserRequest(inputs.SayInput(code), room="r1"), (
        "programs mean what they say"
    )


def test_a_path_of_a_person_is_held_once_as_it_may_tell_who_that_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ann")
    line = "'/home/ann/my report.pdf'"
    typist = Typist("r1", json=False, bell=silent())
    for _ in range(2):
        assert typist.type(line) == UserRequest(PathAsMessage(), room="r1")
        assert typist.type(line) == UserRequest(inputs.SayInput(line), room="r1")
    assert Typist("r1", json=False).type(line) == UserRequest(inputs.SayInput(line), room="r1")


def test_the_numbers_of_messages_are_those_of_the_room_that_is_meant() -> None:
    typist = Typist()
    asked = typist.type("/numbers")
    assert asked is not None
    assert isinstance(asked.action, NoRoom)
    for label in ("r1", "r2"):
        typist.interpreter.open_room(label)
        said = events.MessageEvent(room=label, member="m", nick="ann", text=f"in {label}", seq=3, at=0.0)
        typist.interpreter.take_event(said)
    assert typist.type("/numbers") is None
    assert typist.type(json.dumps({"id": 7, "room": "r1", "command": "/numbers"})) is None
    assert typist.shown == [
        events.ReplyEvent(
            room=label,
            command="/numbers",
            data=[{"seq": 3, "member": "m", "nick": "ann", "words": f"in {label}"}],
            re=re,
        )
        for label, re in (("r2", UNSET), ("r1", 7))
    ]


@pytest.mark.parametrize("json", [False, True])
def test_people_name_a_message_by_its_index_and_programs_by_its_whole_seq(json: bool) -> None:
    typist = Typist("r1", json=json)
    seq = make_place(5, 3)
    said = events.MessageEvent(room="r1", member="m", nick="ann", text="hi", seq=seq, at=0.0)
    typist.interpreter.take_event(said)
    meant = 3 if json else seq
    reply = inputs.ReplyInput(meant, "yes") if json else inputs.ReplyInput(meant, "yes", number=3)
    assert typist.type("/reply 3 yes") == UserRequest(reply, room="r1")
    assert reply.line == "/reply 3 yes" or json, "as it is given back"
    assert typist.type("/retract 3") == UserRequest(inputs.RetractInput(meant), room="r1")
    assert typist.type(f"/retract {seq}") == UserRequest(inputs.RetractInput(seq), room="r1")
    assert typist.type("/retract") == UserRequest(inputs.RetractInput(None), room="r1")


LEAVING = [("/leave", inputs.LeaveInput(), "r1"), ("/quit", QuitAction(), "r1")]


@pytest.mark.parametrize(("line", "action", "room"), LEAVING)
def test_only_a_person_on_a_terminal_is_asked_before_a_room_ends(
    line: str, action: inputs.LeaveInput | QuitAction, room: str
) -> None:
    for typist in (Typist("r1"), Typist("r1", json=False), Typist("r1", bell=silent())):
        assert typist.type(line) == UserRequest(action, room=room)
    asked = dataclasses.replace(action, asks=True)
    assert Typist("r1", json=False, bell=silent()).type(line) == UserRequest(asked, room=room)


def test_who_closes_a_room_is_asked_on_a_terminal_and_nowhere_else() -> None:
    for bell in (silent(), None):
        close = inputs.LeaveInput(close=True, asks=bell is not None)
        assert Typist("r1", json=False, bell=bell).type("/close") == UserRequest(close, room="r1")


def test_an_object_names_its_room_and_leaves_the_active_one() -> None:
    typist = Typist("r1", "r2")
    given = json.dumps({"id": 7, "room": "r1", "text": "hello"})
    assert typist.type(given) == UserRequest(inputs.SayInput("hello", re=7), 7, "r1")
    assert typist.type("hello") == UserRequest(inputs.SayInput("hello"), room="r2")


@pytest.mark.parametrize("wanted", ["1", "r1", "home"])
def test_switch_changes_where_lines_go_and_says_so(wanted: str) -> None:
    typist = Typist("r1", "r2")
    typist.interpreter.take_event(entered("r1", "home"))
    assert typist.type(json.dumps({"id": 7, "command": f"/switch {wanted}"})) is None
    [notice] = typist.shown
    assert isinstance(notice, events.NoticeEvent)
    assert (notice.room, notice.re) == ("r1", 7)
    assert typist.type("hello") == UserRequest(inputs.SayInput("hello"), room="r1")


def test_a_switch_to_a_room_that_there_is_not_is_an_error_and_changes_nothing() -> None:
    typist = Typist("r1")
    request = typist.type('{"id": 7, "command": "/switch 2"}')
    assert request
    assert isinstance(request.action, AnonError)
    assert (request.action.code, request.re) == ("bad-input", 7)
    assert typist.type("hello") == UserRequest(inputs.SayInput("hello"), room="r1")
    assert typist.shown == []


def test_a_text_that_is_too_long_is_to_be_given_back_in_the_active_room() -> None:
    request = Typist("r1").type("x" * 4_001)
    assert request
    assert isinstance(request.action, TooLong)
    assert (request.room, request.unsent) == ("r1", "x" * 4_001)


def test_help_and_the_list_of_rooms_are_answered_with_the_id_that_asked() -> None:
    typist = Typist("r1")
    for number, command in enumerate(("/help", "/help who", "/rooms")):
        assert typist.type(json.dumps({"id": number, "command": command})) is None
    replies = [event for event in typist.shown if isinstance(event, events.ReplyEvent)]
    assert [(reply.command, reply.re) for reply in replies] == [("/help", 0), ("/help", 1), ("/rooms", 2)]
    assert [row["command"] for row in replies[1].data] == ["/who"]
    assert [(row["room"], row["active"]) for row in replies[2].data] == [("r1", True)]


def test_clear_clears_and_asks_nothing() -> None:
    typist = Typist("r1")
    assert typist.type("/clear") is None
    assert typist.cleared == 1
