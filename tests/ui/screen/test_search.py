"""Finding messages, typed lines and mentions; selecting a message, and what keys do with it."""

import re

from tests.support.stage import Stage
from tests.ui.screen.meeting import enter, host

LOG = 79


def talk(stage: Stage) -> None:
    """A room with a long talk, a word of which is near its beginning and a word near its end."""
    host(stage, "ben", "cho")
    stage.ask("say", who="ben", text="the Needle is here")
    stage.ask("say", who="cho", text="zoe, look")
    stage.ask("many", who="ben", count=50, text="hay {n}")
    stage.ask("say", who="cho", text="another needle, thin")
    stage.ask("many", who="ben", count=5, text="straw {n}")
    stage.settled()


def marked(stage: Stage) -> str:
    """The row of the message that is selected."""
    rows = stage.settled()
    found = [y for y, row in enumerate(rows) if "│" in row and stage.attributes(row.index("│"), y).bg == "ffaf00"]
    assert len(found) <= 1
    return rows[found[0]].partition("│ ")[2].rstrip() if found else ""


def prompt(stage: Stage) -> str:
    return stage.settled()[-1]


def test_a_message_is_found_as_one_types_and_older_ones_by_up() -> None:
    with Stage("--nick", "zoe", columns=LOG) as stage:
        talk(stage)
        stage.key("ctrl f").until(r"Find: ▏")
        stage.type("NEED")
        assert marked(stage) == "another needle, thin"
        stage.key("up")
        assert marked(stage) == "the Needle is here"
        x, y = stage.find("Needle") or (0, 0)
        assert [stage.attributes(at, y).bg for at in range(x, x + 5)] == ["ffaf00"] * 4 + ["default"]
        stage.key("up")
        assert marked(stage) == "the Needle is here"
        stage.key("down")
        assert marked(stage) == "another needle, thin"
        stage.type("xy").until("not found")
        assert marked(stage) == ""
        stage.key("backspace", "backspace")
        assert marked(stage) == "another needle, thin"
        stage.key("esc").until(lambda rows: not any("Find:" in row for row in rows))
        assert stage.find("straw 4")
        assert marked(stage) == ""
        assert prompt(stage) == "zoe>"


def test_what_has_ended_is_not_found() -> None:
    with Stage("--nick", "zoe", columns=LOG) as stage:
        enter(stage, retain="3s")
        stage.ask("say", who="ada", text="a secret")
        stage.type("my secret\n").until("│ my secret +[123]s")
        stage.key("ctrl f").type("secret")
        assert marked(stage).startswith("my secret")
        stage.until(lambda rows: not any("a secret" in row or "my secret" in row for row in rows), 10)
        stage.until("not found")
        stage.key("esc", "ctrl r").type("secret")
        stage.until("Typed before: secret.*not found")


def test_what_has_ended_while_it_is_found_is_gone() -> None:
    with Stage("--nick", "zoe", columns=LOG) as stage:
        enter(stage, retain="3s")
        stage.type("my secret\n").until("│ my secret +[123]s")
        stage.key("ctrl r").type("sec").until("sec▏ my secret")
        stage.until("sec▏ .not found", 10)
        stage.key("enter")
        assert prompt(stage) == "zoe>"


def test_a_line_that_was_typed_is_found_and_stands_in_the_input_line() -> None:
    with Stage("--nick", "zoe", columns=LOG) as stage:
        host(stage)
        for line in ("first words", "other words", "nothing"):
            stage.type(f"{line}\n").until(f"│ {line}")
        stage.key("ctrl r").type("words").until("Typed before: words▏ other words")
        stage.key("ctrl r").until("words▏ first words")
        stage.key("ctrl r").until("words▏ first words")
        stage.key("down").until("words▏ other words")
        stage.key("enter")
        assert prompt(stage) == "zoe> other words"
        stage.key("ctrl u", "ctrl r").type("words")
        stage.key("esc")
        assert prompt(stage) == "zoe>"


def test_keys_go_to_what_calls_the_user() -> None:
    with Stage("--nick", "zoe", columns=LOG) as stage:
        talk(stage)
        stage.ask("say", who="ben", text="and zoe again")
        stage.settled()
        stage.key("meta p")
        assert marked(stage) == "and zoe again"
        stage.key("meta p")
        assert marked(stage) == "zoe, look"
        stage.key("meta p").until("Nobody calls you above")
        stage.key("meta n")
        assert marked(stage) == "and zoe again"
        stage.key("meta n").until("Nobody calls you below")


def test_a_selected_message_is_answered_with_what_was_typed_already() -> None:
    with Stage("--nick", "zoe", columns=LOG) as stage:
        talk(stage)
        stage.type("I have it")
        stage.key("meta up")
        assert marked(stage) == "straw 4"
        assert stage.find("Enter replies, C copies, I ignores its author")
        stage.key("up", "up")
        assert marked(stage) == "straw 2"
        stage.key("down", "meta up", "enter")
        stage.settled()
        assert marked(stage) == ""
        assert re.fullmatch(r"zoe> /reply \d+ I have it", prompt(stage))
        stage.key("enter").until(r"ben: “straw 2”")
        stage.until("│ I have it")


def test_below_the_latest_message_is_the_input_line_again() -> None:
    with Stage("--nick", "zoe", columns=LOG) as stage:
        talk(stage)
        stage.key("meta up", "down")
        assert marked(stage) == ""
        stage.type("a")
        assert prompt(stage) == "zoe> a"


def test_while_a_message_is_selected_letters_are_no_text() -> None:
    with Stage("--nick", "zoe", columns=LOG) as stage:
        talk(stage)
        stage.key("meta up").type("xyz")
        assert marked(stage) == "straw 4"
        stage.key("esc").type("xyz")
        assert prompt(stage) == "zoe> xyz"


def test_ones_own_message_is_taken_back_by_a_key_pressed_twice() -> None:
    with Stage("--nick", "zoe", columns=LOG) as stage:
        host(stage, "ben")
        stage.type("to be taken back\n").until(r"12:0\d +zoe │ to be")
        stage.key("meta up").type("i").until("D takes it back")
        stage.type("d").until("D again")
        assert stage.find("to be taken back")
        stage.key("up").until("D takes it back")
        stage.type("d").until("D again")
        stage.type("d").until(lambda rows: not any("to be taken back" in row for row in rows))


def test_an_ignored_author_says_nothing_more_here() -> None:
    with Stage("--nick", "zoe", columns=LOG) as stage:
        host(stage, "ben", "cho")
        stage.ask("say", who="ben", text="zoe, buy this")
        stage.ask("say", who="cho", text="hello")
        stage.settled()
        stage.key("meta up", "up").type("i").until("You see nothing of what ben says")
        assert not stage.find("buy this")
        stage.ask("say", who="ben", text="zoe, and this")
        stage.ask("nick", who="ben", to="bob")
        stage.ask("say", who="ben", text="zoe, and that")
        stage.ask("say", who="cho", text="good")
        stage.until("│ good")
        assert not stage.find("zoe, and")
        stage.type("/ignore\n").until("You ignore: bob")
        stage.type("/unignore Bob\n").settled()
        stage.ask("say", who="ben", text="thank you")
        stage.until("bob │ thank you")


def test_somebody_is_ignored_by_nick_but_nobody_who_is_not_there_nor_oneself() -> None:
    with Stage("--nick", "zoe", columns=LOG) as stage:
        host(stage, "ben")
        stage.type("/ignore ann\n").until("[Nn]obody|no member|not")
        stage.key("ctrl u").type("/ignore zoe\n").until("cannot ignore yourself")
        stage.key("ctrl u").type("/unignore ben\n").until("ignore nobody here who is called ben")
        stage.key("ctrl u").type("/ignore ben\n").until("You see nothing of what ben says")
