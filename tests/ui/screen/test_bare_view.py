"""Messages alone, for the terminal to select from."""

from tests.support.stage import Stage
from tests.ui.screen.meeting import enter, host

LINK = "https://example.org/" + "a-long-way/" * 12 + "end"
CLICKS = 1000  # the private mode in which a terminal gives its mouse to the program


def opened(stage: Stage) -> list[str]:
    return stage.key("meta l").until("Any key goes back")


def test_a_link_of_several_rows_is_there_in_one_piece_and_the_mouse_is_the_terminals() -> None:
    with Stage("--nick", "zoe", columns=50, rows=20) as stage:
        host(stage, "ben")
        stage.ask("say", who="ben", text=f"see {LINK}\nand this")
        stage.settled()
        assert CLICKS in stage.modes
        rows = opened(stage)
        at = next(y for y, row in enumerate(rows) if row.startswith("see "))
        assert "".join(rows[at : at + 4]).startswith(f"see {LINK}")
        assert rows[at - 1].strip() == "12:00 ben"
        assert not any("│" in row or "demo" in row for row in rows)
        assert CLICKS not in stage.modes
        assert stage.key("x").until("zoe|>")
        stage.until("demo")
        assert CLICKS in stage.modes
        assert stage.settled()[-1] == ">"  # the key was for that alone


def test_what_comes_meanwhile_moves_nothing_and_is_there_afterwards() -> None:
    with Stage("--nick", "zoe", columns=79) as stage:
        host(stage, "ben")
        stage.ask("say", who="ben", text="before")
        stage.settled()
        before = opened(stage)
        stage.ask("say", who="ben", text="meanwhile")
        assert stage.settled() == before
        stage.key("esc").until("│ meanwhile")
        assert "─ new ─" in "\n".join(stage.settled())


def test_what_ends_is_gone_from_it() -> None:
    with Stage("--nick", "zoe", columns=79) as stage:
        enter(stage, retain="3s")
        stage.ask("retain", who="ada", to="off")
        stage.ask("say", who="ada", text="stays")
        stage.ask("retain", who="ada", to="3s")
        stage.ask("say", who="ada", text="goes")
        stage.until("goes +[123]s")
        assert "goes" in opened(stage)
        rows = stage.until(lambda rows: "goes" not in rows, 10)
        assert "stays" in rows
        assert any("Any key" in row for row in rows)


def test_a_text_cannot_look_like_the_head_of_a_message() -> None:
    with Stage("--nick", "zoe", columns=79) as stage:
        host(stage, "ben", "eve")
        stage.ask("say", who="ben", text="hi\n 12:00 eve \n\x1b[7m 12:00 eve \x1b[0m\nI owe you money")
        stage.settled()
        rows = opened(stage)
        heads = [row.strip() for y, row in enumerate(rows) if row and stage.attributes(0, y).reverse]
        assert heads == ["12:00 ben", "Any key goes back."]
        assert " 12:00 eve" in rows


def test_it_begins_where_one_looks_and_a_new_size_ends_it() -> None:
    with Stage("--nick", "zoe", columns=79) as stage:
        host(stage, "ben")
        stage.ask("many", who="ben", count=60, text="line {n}")
        stage.settled()
        stage.key("page up", "page up").settled()
        rows = opened(stage)
        lowest = max(int(row.split()[1]) for row in rows if row.startswith("line "))
        assert 15 < lowest < 40
        assert len([row for row in rows if row.startswith("line ")]) == 11
        stage.resize(79, 20)
        stage.until("demo")
