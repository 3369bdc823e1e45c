"""Joins that do not work at once: another nick, another try, or out with one key."""

import re

from tests.support.stage import Stage
from tests.ui.screen.meeting import enter, host

AGAIN = "Enter tries again, Esc leaves the room."


def typed(stage: Stage) -> str:
    return re.sub(r"^(zoe|ann)?> ?", "", stage.settled()[-1])


def refused(stage: Stage, *, lock: bool = True) -> str:
    """The user asks for a locked room; its code."""
    code: str = stage.ask("host", who="ada")["code"]
    if lock:
        stage.ask("lock", who="ada")
    stage.type(f"/join {code}\n").until("The room is locked")
    return code


def test_a_nick_can_be_chosen_before_any_room_and_the_prompt_shows_it() -> None:
    with Stage() as stage:
        stage.until("is ready")
        stage.type("/nick zoe\n").until("You join rooms as zoe from now on")
        assert stage.settled()[-1].startswith("zoe>")
        enter(stage)
        stage.until("You are in demo as zoe")
    with Stage("--nick", "ann") as stage:
        assert stage.settled()[-1].startswith("ann>")
        stage.type("/nick host\n").until("reserved")
        assert typed(stage) == "/nick host"


def test_a_join_can_name_the_nick() -> None:
    with Stage("--nick", "zoe") as stage:
        code = stage.ask("host", who="ada")["code"]
        stage.settled()
        stage.type(f"/join {code} ann\n").until("You are in demo as ann")


def test_who_wants_a_nick_that_is_taken_is_asked_for_another_and_goes_on() -> None:
    with Stage("--nick", "zoe") as stage:
        code = stage.ask("host", who="ada")["code"]
        stage.ask("join", who="zoe", code=code)
        stage.type(f"/join {code}\n").until("is taken in this room")
        stage.until("Enter goes on under this nick, Esc leaves the room.")
        assert typed(stage) == "/nick zoe-2"
        stage.key("enter").until("You are in demo as zoe-2")
        assert stage.settled()[0].startswith(" 1 demo ")
        stage.type("here I am\n").until("zoe-2 │ here I am")


def test_a_nick_of_ones_own_is_taken_as_well_as_the_one_suggested() -> None:
    with Stage("--nick", "zoe") as stage:
        code = stage.ask("host", who="ada")["code"]
        stage.ask("join", who="zoe", code=code)
        stage.type(f"/join {code}\n").until("is taken in this room")
        stage.key("ctrl u").type("/nick a!\n").until("A nick is 1 to 20")
        stage.key("ctrl u").type("/nick ann\n").until("You are in demo as ann")


def test_what_is_being_typed_when_the_nick_is_refused_stays() -> None:
    with Stage("--nick", "zoe") as stage:
        code = stage.ask("host", who="ada")["code"]
        stage.ask("join", who="zoe", code=code)
        stage.type(f"/join {code}\nhello").until("is taken in this room")
        assert typed(stage) == "hello"
        stage.until("^/nick goes on under another nick, Esc leaves the room")
        stage.key("enter").until("You are not in this room, and nothing was sent")


def test_who_puts_away_the_nick_that_was_suggested_has_it_suggested_again_and_dials_nobody() -> None:
    with Stage("--nick", "zoe") as stage:
        code = stage.ask("host", who="ada")["code"]
        stage.ask("join", who="zoe", code=code)
        stage.type(f"/join {code}\n").until("is taken in this room")
        stage.key("ctrl u").until("^Enter suggests a nick, Esc leaves the room")
        stage.key("enter").until("^Enter goes on under this nick")
        assert typed(stage) == "/nick zoe-2"
        assert not stage.find("Connecting")
        stage.key("enter").until("You are in demo as zoe-2")


def test_a_locked_room_can_be_tried_again_with_enter() -> None:
    with Stage("--nick", "zoe") as stage:
        code = refused(stage)
        stage.until(re.escape(AGAIN))
        stage.key("enter").settled()
        rows = stage.until(re.escape(AGAIN))
        assert sum("The room is locked" in row for row in rows) == 1, "what is past is not told"
        stage.key("up", "up")
        assert "/join" in "".join(stage.settled())
        stage.key("down").settled()
        assert typed(stage) == "", "it is there once"
        assert stage.settled()[0].startswith(" 1 joining ")
        stage.ask("unlock", who="ada")
        stage.key("up")
        assert "".join(row.strip() for row in stage.settled()[-2:]).endswith(f"/join {code} zoe")
        stage.key("enter").until("You are in demo as zoe")
        assert stage.settled()[0].startswith(" 1 demo ")
        assert not stage.find(AGAIN)


def test_who_joins_a_room_twice_is_shown_it() -> None:
    with Stage("--nick", "zoe") as stage:
        code = enter(stage)
        host(stage, name="own")
        stage.type(f"/join {code}\n").until("You are in that room already: here it is")
        stage.until("You are in demo as zoe")
        assert stage.settled()[0].startswith(" 1 demo  2 own ")


def test_one_key_leaves_a_room_that_is_over() -> None:
    with Stage("--nick", "zoe") as stage:
        refused(stage)
        stage.type("x").key("esc").wait(1.0)
        assert typed(stage) == "x"
        stage.key("backspace", "esc").until("/create NAME")
        assert not stage.find("The room is locked")
        enter(stage, by="bob")
        stage.ask("leave", who="bob")
        stage.until("The room was closed")
        stage.until("Esc leaves the room")
        assert not stage.find(AGAIN)
        stage.key("enter").settled()
        stage.key("esc").until("/create NAME")


def test_of_a_host_that_lied_no_further_try_is_offered() -> None:
    with Stage("--nick", "zoe") as stage:
        enter(stage)
        stage.ask("tell", event={"type": "alarm", "room": "r1", "member": "m", "reason": "It lied."})
        stage.ask("tell", event={"type": "gone", "room": "r1", "reason": "lost"})
        stage.key("esc").until("^Esc leaves the room")
