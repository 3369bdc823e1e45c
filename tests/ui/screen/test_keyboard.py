"""What keys and the mouse do."""

from pathlib import Path
from typing import Any

import pytest

from anonp2p import limits
from anonp2p.errors import AnonError
from anonp2p.names.codes import RoomKey
from anonp2p.room import file_inputs, inputs
from anonp2p.room.snapshot import MemberView, Snapshot
from anonp2p.ui.actions import AppAction
from anonp2p.ui.bell import Bell
from anonp2p.ui.clipboard import Clipboard
from anonp2p.ui.conversation import Conversation
from anonp2p.ui.screen.bare_view import BareView
from anonp2p.ui.screen.hint import Hint
from anonp2p.ui.screen.input.editor import Editor
from anonp2p.ui.screen.input.typeahead import Typeahead
from anonp2p.ui.screen.keyboard import Keyboard
from anonp2p.ui.screen.log_lines import Layout, LineContext
from anonp2p.ui.screen.program_lines import SystemLine
from anonp2p.ui.screen.scene import Scene
from anonp2p.ui.screen.sight import Sight
from anonp2p.ui.screen.submission import Submission
from anonp2p.ui.screen.tabs import Tabs
from anonp2p.ui.screen.term.terminal import Terminal
from tests.support.offers import moved_on, offered


class Hands:
    """Somebody at the keyboard. left: how often they left; frames: whether each that was asked for is due at once."""

    def __init__(self, *labels: str, columns: int = 80) -> None:
        self.left = self.cleared = self.rings = 0
        self.frames: list[bool] = []
        self.written: list[str] = []
        self.size = columns, 24
        self.editor = Editor()
        self.scene = Scene(Tabs(self.editor))
        self.typeahead = Typeahead()
        self.bell = Bell(self._ring, self._ring)
        self.submission = submission = Submission(
            self.scene, self.editor, self.typeahead, self.bell, Clipboard(self.written.append), self._clear
        )
        self.keyboard = Keyboard(
            self.scene,
            self.editor,
            self.bell,
            self.typeahead,
            submission,
            BareView(self.scene, Terminal(idle=lambda: None, closed=lambda: None)),
            self._request,
            self._clear,
            self._leave,
        )
        for label in labels:
            self.scene.tabs.tab_of(label)

    def _request(self, *, at_once: bool = False) -> None:
        self.frames.append(at_once)

    def _clear(self) -> None:
        self.cleared += 1

    def _leave(self) -> None:
        self.left += 1

    def _ring(self) -> None:
        self.rings += 1

    def press(self, *keys: str) -> "Hands":
        for key in keys:
            self.keyboard.press_key(self.size, key)
        return self

    @property
    def asked(self) -> list[AppAction | AnonError]:
        """What the rest of the program is to do."""
        channel = self.submission.requests
        return [channel.receive_nowait().action for _ in range(channel.statistics().current_buffer_used)]

    @property
    def shown(self) -> str:
        return self.scene.active.label


def with_offer(state: Any = None, *, mine: bool = False) -> Hands:
    """Somebody who has selected a file on offer."""
    hands = Hands("r1")
    hands.scene.active.take_event(offered(mine=mine), 0.0, seen=True)
    if state:
        hands.scene.active.take_event(moved_on(state), 0.0, seen=True)
    hands.scene.active.sight.draw_visible(20, Layout(70, 10), LineContext(0.0))
    return hands.press("meta up")


@pytest.mark.parametrize(
    ("state", "key", "asked", "hint"),
    [
        (None, "a", file_inputs.AcceptInput(3, re=1), "A takes it, D hides it"),
        ("failed", "A", file_inputs.AcceptInput(3, re=1), "A takes it, D hides it"),
        ("running", "d", file_inputs.DeclineInput(3, 1), "ben: D stops it"),
        (None, "delete", file_inputs.DeclineInput(3, 1), "A takes it, D hides it"),
    ],
)
def test_a_file_that_is_selected_is_taken_or_stopped_by_a_key(
    state: str | None, key: str, asked: AppAction, hint: str
) -> None:
    hands = with_offer(state)
    assert hands.scene.hint
    assert hint in hands.scene.hint.text
    hands.press(key)
    assert hands.asked == [asked]
    assert hands.scene.active.sight.selected is None


def test_a_file_that_is_on_its_way_is_not_taken_again() -> None:
    assert with_offer("running").press("a").asked == []


def test_an_offer_of_ones_own_is_ended_as_a_message_is() -> None:
    hands = with_offer(mine=True).press("d")
    assert hands.asked == []
    assert hands.press("d").asked == [inputs.RetractInput(103, 1)]


def test_tab_completes_paths_and_shows_what_they_end_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in here").mkdir()
    for name in ("one.pdf", "other dir"):
        (tmp_path / "in here" / name).touch()
    hands = Hands("r1")
    hands.editor.replace("/send i", len("/send i"))
    hands.press("tab", "tab")
    assert hands.editor.edit_text == r"/send in\ here/one.pdf "
    assert hands.scene.hint
    assert hands.scene.hint.text == r"[one.pdf]  other\ dir"


def test_tab_completes_the_numbers_of_offers() -> None:
    hands = Hands("r1")
    for number in (1, 2):
        hands.scene.active.take_event(offered(number), 0.0, seen=True)
    hands.editor.replace("/accept ", len("/accept "))
    assert hands.press("tab").editor.edit_text == "/accept 2 "


def test_control_c_cuts_then_asks_then_leaves() -> None:
    hands = Hands().press("h", "i", "ctrl c")
    assert hands.editor.edit_text == ""
    assert hands.scene.hint is None
    hands.press("ctrl c")
    assert hands.scene.hint
    assert "again leaves" in hands.scene.hint.text
    assert hands.left == 0
    hands.press("ctrl c")
    assert hands.left == 1
    hands.press("ctrl y")
    assert hands.editor.edit_text == "hi", "what was cut can be put back"


def test_another_key_takes_back_the_first_control_c() -> None:
    hands = Hands().press("ctrl c", "x", "backspace", "ctrl c")
    assert hands.left == 0
    hands.press("ctrl d")
    assert hands.left == 1


def test_many_lines_are_sent_by_a_second_enter_and_another_key_is_no_answer() -> None:
    hands = Hands("r1")
    hands.editor.paste("x\n" * limits.LONG_MESSAGE + "x")
    for key in ("y", "backspace"):
        hands.press("enter")
        assert hands.scene.hint
        assert "Enter again" in hands.scene.hint.text
        hands.press(key)
        assert hands.scene.hint is None
    assert hands.press("enter").editor.edit_text
    assert hands.press("enter").editor.edit_text == ""


def test_what_to_do_with_a_code_in_a_room_is_answered_by_one_key() -> None:
    code = RoomKey(b"k" * 32).code
    for key, left in (("y", ""), ("n", ""), ("esc", code), ("x", f"{code}x")):
        hands = Hands("r1")
        hands.editor.paste(code)
        assert hands.press("enter").editor.edit_text == code
        assert hands.press(key).editor.edit_text == left


def test_esc_and_a_command_in_one_piece_are_both_keys() -> None:
    hands = Hands("r1")
    hands.scene.active.conversation = Conversation("b", "ben")
    hands.press("meta /", *"quit")
    assert hands.scene.active.conversation is None
    assert hands.editor.edit_text == "/quit"


def test_alt_and_any_other_character_ends_no_private_conversation() -> None:
    hands = Hands("r1")
    for key in "ghijkmrstvwxz0<>=-HJ²":
        hands.scene.active.conversation = Conversation("b", "ben")
        hands.press(f"meta {key}")
        assert hands.scene.active.conversation is not None, key
        assert hands.scene.hint == Hint(f"Alt-{key} is no key here; F1 lists them all.")
    assert hands.editor.edit_text == ""


def test_keys_with_alt_that_mean_something_end_no_private_conversation() -> None:
    hands = Hands("r1").press(*"quit")
    for key in "abcdflnopquy123456789":  # what the help, and readline, give a meaning to
        hands.scene.active.conversation = Conversation("b", "ben")
        hands.press(f"meta {key}")
        assert hands.scene.active.conversation is not None, key
        assert not hands.editor.edit_text.endswith(f"quit{key}"), key
    hands.press("meta up", "meta enter")
    assert hands.scene.active.conversation


def test_keys_that_wait_for_a_room_do_nothing_yet_but_the_focus_does() -> None:
    hands = Hands("r1")
    hands.typeahead.begin(1)
    hands.press("a", "ctrl c", "ctrl c", "focus out")
    assert hands.editor.edit_text == ""
    assert hands.left == 0
    assert not hands.scene.watched


def test_rooms_are_shown_by_their_numbers() -> None:
    hands = Hands("r1", "r2", "r3")
    hands.scene.drop_tab(hands.scene.tabs.tab_of("r1"))
    hands.press("meta 2")
    assert hands.shown == "r2"
    for key in ("meta 1", "meta 9"):
        hands.press(key)
        assert hands.shown == "r2"
    hands.keyboard.show_room("r3")
    assert hands.shown == "r3"
    hands.keyboard.show_room("r1")
    assert hands.shown == "r3"


def test_the_next_room_with_something_new_is_a_key_away() -> None:
    hands = Hands("r1", "r2", "r3")
    hands.scene.tabs.tab_of("r1").attention.unread = 1
    assert hands.press("meta a").shown == "r1"


def has_line_above_new(sight: Sight) -> bool:
    drawn, _ = sight.draw_visible(5, Layout(80, 0), LineContext(0.0, "", watched=True))
    return any("─ new ─" in text for row in drawn for _, text in row)


def test_a_key_goes_back_to_what_came_while_one_looked_elsewhere() -> None:
    hands = Hands("r1")
    assert hands.press("meta u").scene.hint == Hint("Nothing here is new.")
    log, sight = hands.scene.active.log, hands.scene.active.sight
    log.add_line(SystemLine(0.0, ["seen"]))
    for number in range(40):
        log.add_line(SystemLine(0.0, [f"line {number}"]), unread=True)
    hands.scene.body = 10, Layout(80, 8)
    hands.press("meta u")
    drawn, _ = sight.draw_visible(*hands.scene.body, hands.scene.context())
    assert hands.scene.hint is None
    assert "─ new ─" in "".join(text for _, text in drawn[0])
    assert "line 0" in "".join(text for _, text in drawn[1])
    assert not hands.press("end").scene.active.sight.looking_back


@pytest.mark.parametrize("key", ["focus out", "meta 1"])
def test_the_line_above_what_is_new_stays_until_one_looks_elsewhere_again(key: str) -> None:
    hands = Hands("r1", "r2").press("focus out")
    log = hands.scene.active.log
    log.add_line(SystemLine(0.0, ["first"], "quiet", "·"))
    log.add_line(SystemLine(0.0, ["second"], "quiet", "·"), unread=True)
    sight = hands.scene.active.sight
    hands.press("focus in")
    assert has_line_above_new(sight)
    hands.press(key)
    assert not has_line_above_new(sight)


def test_another_room_puts_away_what_is_read_in_place_of_the_log() -> None:
    hands = Hands("r1", "r2").press("f1")
    assert hands.scene.overlay
    hands.press("meta 1")
    assert hands.scene.overlay is None


def test_the_members_are_beside_the_log_where_there_is_room_and_over_it_elsewhere() -> None:
    wide = Hands("r1").press("f2")
    assert (wide.scene.wants_people, wide.scene.overlay) == (False, None)
    narrow = Hands("r1", columns=79).press("f2")
    assert narrow.scene.wants_people
    assert narrow.scene.overlay


def test_a_key_is_drawn_at_once_and_the_wheel_soon() -> None:
    hands = Hands("r1").press("a")
    hands.keyboard.turn_wheel(3)
    assert hands.frames == [True, False]


def test_escape_puts_away_one_warning_at_a_time() -> None:
    hands = Hands("r1")
    for text in ("one", "two"):
        hands.scene.active.warnings.add_alarm(text)
    hands.press("esc")
    assert [banner.text for banner in hands.scene.active.warnings.banners] == ["two"]


def test_the_bell_is_turned_off_and_on() -> None:
    hands = Hands("r1").press("f3")
    assert not hands.bell.is_on
    assert hands.press("f3").bell.is_on


class Open:
    """A room that we are in, and out of which somebody was thrown."""

    def snapshot(self) -> Snapshot:
        return Snapshot("demo", "abc.onion", "ada", "a", False, "ben", True, 2, 0, False, None, False)

    def members(self) -> list[MemberView]:
        return []

    def banned(self) -> list[str]:
        return ["eve"]


def test_tab_completes_who_is_banned() -> None:
    hands = Hands("r1")
    hands.scene.find_room = lambda _: Open()
    assert hands.press(*"/unban e", "tab").editor.edit_text == "/unban eve "


def test_tab_completes_rooms_and_a_further_key_ends_that() -> None:
    hands = Hands("r1", "r2")
    hands.scene.tabs.tab_of("r1").name = "demo"
    hands.press(*"/switch d", "tab")
    assert hands.editor.edit_text == "/switch demo "
    assert hands.press("x").scene.hint is None
