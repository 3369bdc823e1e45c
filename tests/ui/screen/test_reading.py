"""What is to be seen on the full screen: by a newcomer, while waiting, and in a room's log."""

import re
from pathlib import Path

from anonp2p.ui import qr
from tests.support import terminal
from tests.support.stage import Stage
from tests.ui.screen.meeting import CODE, enter, host

LOG = 79  # columns: as wide as can be without a list of members


def words(stage: Stage) -> list[str]:
    """What stands right of the bar, in each row that has one."""
    return [row.partition("│ ")[2].rstrip() for row in stage.screen() if "│ " in row]


def colour(stage: Stage, x: int, y: int) -> str:
    return str(stage.attributes(x, y).fg)


def column(stage: Stage, nick: str, text: str) -> tuple[int, int]:
    """Where the nick of who said this stands."""
    at = stage.find(text)
    assert at
    return stage.screen()[at[1]].index(nick), at[1]


# --- a newcomer


def test_the_welcome_says_what_this_is_and_the_two_things_to_type() -> None:
    with Stage() as stage:
        stage.until(r"Tor 0\.4\.9\.11 is ready")
        for columns, rows in ((80, 24), (40, 24), (200, 60)):
            stage.resize(columns, rows)
            said = " ".join(" ".join(stage.settled()).split())
            assert "Anonymous group chat over Tor" in said
            assert "/create NAME make a room" in said
            assert "/join CODE enter a room" in said
            assert stage.cursor == (2, rows - 1)  # there it is typed


def test_tors_boot_is_a_bar_with_what_tor_is_doing() -> None:
    with Stage(slow_boot=True) as stage:
        stage.until(r"Tor ░+ +0 %")
        lengths = []
        for progress in (25, 50, 100):
            stage.ask("boot", progress=progress, summary=f"Doing part {progress}")
            bar = next(row for row in stage.until(f"Doing part {progress}") if "░" in row or "█" in row)
            assert f"{progress} %" in bar
            lengths.append((bar.count("█"), bar.count("░")))
        assert not any("Doing part 50" in row for row in stage.screen())
        assert stage.find("Tor 100 %")  # the status says so too
        stage.ask("ready")
        stage.until("Tor .* is ready")
        assert not any("░" in row or "█" in row for row in stage.screen())
    (few, _), (half, rest), (full, none) = lengths
    assert 0 < few < half == rest
    assert full == half + rest
    assert none == 0


def test_a_stalled_boot_is_explained_until_it_goes_on() -> None:
    stalled = {"type": "tor-slow", "progress": 10, "summary": "Connecting", "seconds": 30}
    with Stage(slow_boot=True) as stage:
        stage.ask("boot", progress=10, summary="Connecting")
        stage.ask("tell", event=stalled)
        stage.until("Tor has been at 10 %")
        stage.ask("boot", progress=20, summary="Connected")
        stage.until(lambda rows: not any("has been at" in row for row in rows))
        stage.type("/create demo\n").until("aits for Tor")
        stage.ask("tell", event=stalled)  # to who waits in a room, too
        stage.until("Tor has been at 10 %", 3)


def test_a_rooms_code_can_be_copied_in_one_piece() -> None:
    with Stage("--nick", "zoe", columns=80, rows=30) as stage:
        code = host(stage)
        assert len(code) == 62
        for who in ("", "ben", "a-nick-of-20-letters"):
            if who:
                stage.ask("join", who=who)
            for columns in (80, 81, 99, 100, 140):
                stage.resize(columns, 30)
                [row] = [row for row in stage.settled() if CODE.search(row)]
                log, bar, _ = row.partition("│")
                assert bar
                assert log.strip() == code, columns
        stage.resize(62, 30)
        stage.type("/code\n").until("Whoever has this code can join demo")
        assert [row for row in stage.settled() if code in row] == [code]


def test_where_62_characters_do_not_fit_the_code_is_whole_all_the_same() -> None:
    with Stage(columns=40) as stage:
        stage.settled()
        rows = stage.type("/create demo\n").until("Others can join now")
        at = next(at for at, row in enumerate(rows) if len(row) == 40 and row.isalnum())
        assert CODE.fullmatch(rows[at] + rows[at + 1])


def test_qr_fills_the_screen_until_escape() -> None:
    with Stage(columns=80, rows=24) as stage:
        code = host(stage)
        seen = stage.type("/qr\n").until("▀")
        drawings = ([row.strip() for row in qr.rows(qr.matrix(code, border), inverted=False)] for border in range(1, 5))
        assert any([row.strip() for row in seen[: len(drawing)]] == drawing for drawing in drawings)
        dots = [stage.attributes(40, y) for y in range(10)]
        assert {cell.fg for cell in dots} == {"000000"}  # black on white, whatever the terminal's colours
        assert {cell.bg for cell in dots} == {"ffffff"}
        stage.key("esc").until("Others can join now")
        stage.resize(40, 12)
        stage.settled()
        stage.type("/qr\n").until("too small for a QR code")


def test_the_wait_until_a_room_can_be_joined_is_visible() -> None:
    with Stage(slow_boot=True) as stage:
        stage.ask("boot", progress=30, summary="Connecting")
        stage.settled()
        stage.type("/create demo\n").until(r"aits for Tor \(30 %.*\): \d s")
        assert stage.find("not reachable yet")
        stage.until(r"aits for Tor \(30 %.*\): [12] s")  # it counts
        stage.ask("boot", progress=60, summary="Connecting")
        stage.until(r"aits for Tor \(60 %")
        stage.ask("ready")
        stage.until("Others can join now")
        stage.until("Tor · reachable")
        assert not stage.find("aits for")


def test_joining_shows_tries_and_time_and_can_be_given_up() -> None:
    with Stage(slow_boot=True) as stage:
        stage.settled()
        code = stage.ask("host", who="ada")["code"]
        stage.ask("leave", who="ada")
        stage.type(f"/join {code}\n").until(r"aits for Tor .*: \d s")
        stage.ask("ready")
        stage.until(r"Connecting to the room, try 1\b.*: \d+ s")
        stage.until(r"Connecting to the room, try [2-9]\b.*: [1-9]\d* s")
        stage.until(r": \d+ s; /leave gives up", seconds=60)
        stage.until(r"link connecting [2-9]")
        stage.type("/leave\n").until("/join CODE")
        assert not any("Connecting" in row or "joining" in row for row in stage.screen())


# --- messages


def test_a_message_has_its_time_and_its_author() -> None:
    with Stage("--nick", "zoe", columns=LOG) as stage:
        host(stage, "ben")
        stage.ask("say", who="ben", text="Hello")
        stage.until(r"^12:0\d +ben │ Hello$")
        stage.type("ours\n").until(r"^12:0\d +zoe │ ours$")
        stage.type("/me waves\n").until(r"^12:0\d +\* │ zoe waves$")
        stage.resize(40, 24)
        stage.until(r"^12:0\d ben\n│Hello$")


def test_a_member_has_one_colour_and_others_have_others() -> None:
    with Stage("--nick", "zoe", columns=80) as stage:
        host(stage, "ben", "cho", "dan", "eve")
        for who in ("ben", "cho", "dan", "eve"):
            stage.ask("say", who=who, text=f"I am {who}")
        rows = stage.settled()
        colours = {}
        for who in ("ben", "cho", "dan", "eve"):
            colours[who] = colour(stage, *column(stage, who, f"I am {who}"))
            listed = next(y for y, row in enumerate(rows) if row.endswith(f"│ {who}"))
            assert colour(stage, len(rows[listed]) - 3, listed) == colours[who]
        assert len(set(colours.values())) >= 3
        assert "default" not in colours.values()
        stage.ask("nick", who="ben", to="bob")
        stage.ask("say", who="ben", text="still me")
        stage.settled()
        assert colour(stage, *column(stage, "bob", "still me")) == colours["ben"]


TEXTS = {
    "words": "word " * 40,
    "one word": "x" * 200,
    "CJK": "日本語もちゃんと折り返されますか" * 8,
    "CJK at an odd column": "a" + "日本語" * 50,
    "emoji": "👍🎉 " * 40,
    "combining": "e\u0301a\u0308" * 60,
    "Devanagari": "नमस्ते दुनिया " * 10,
    "Hangul": "한국어 메시지 " * 12,
}


def test_texts_are_wrapped_by_what_they_fill() -> None:
    with Stage("--nick", "zoe", columns=80, rows=30) as stage:
        host(stage, "ben")
        for name, text in TEXTS.items():
            stage.type("/clear\n").settled()
            stage.ask("say", who="ben", text=text)
            rows = stage.settled()
            top = next(y for y, row in enumerate(rows) if re.match(r"12:\d\d +ben │ ", row))
            bars = [x for x, cell in terminal.cells(stage.picture(), top) if cell.data == "│"]
            assert len(bars) == 2, name  # beside the nicks, and beside the members
            shown, last = [], []
            for y in range(top, len(rows) - 2):
                cells = dict(terminal.cells(stage.picture(), y))
                assert [x for x, cell in cells.items() if cell.data == "│"] == bars, name
                shown.append("".join(cell.data for x, cell in cells.items() if bars[0] < x < bars[1]).strip())
                last.append(max(x for x, cell in cells.items() if x < bars[1] and cell.data != " "))
            assert len(shown) > 1, name
            assert "".join("".join(shown).split()) == "".join(text.split()), name
            assert max(last) >= bars[1] - 10, name  # no earlier than they have to be


def test_what_is_ours_is_marked_until_it_has_its_place() -> None:
    with Stage("--nick", "zoe", columns=LOG) as stage:
        enter(stage)
        stage.ask("lose")
        stage.until("link (lost|connecting)")
        stage.type("is it there?\n").until(r"^ +… +zoe │ is it there\?$")
        at = stage.find("is it there")
        assert at
        assert stage.attributes(*at).italics
        stage.ask("regain")
        stage.until(r"^12:0\d +zoe │ is it there\?$")
        at = stage.find("is it there")
        assert at
        assert not stage.attributes(*at).italics
        assert len([row for row in stage.settled() if "is it there" in row]) == 1


def test_private_messages_look_like_no_others() -> None:
    with Stage("--nick", "zoe", columns=LOG) as stage:
        host(stage, "ben")
        stage.ask("say", who="ben", text="to all")
        stage.ask("msg", who="ben", to="zoe", text="to you alone")
        stage.until(r"^12:0\d +ben →( you)? ║ to you alone$")
        stage.type("/msg ben to ben alone\n").until(r"^12:0\d +→ ben ║ to ben alone$")
        assert stage.find("ben │ to all")
        stage.resize(120, 30)
        stage.until(r"ben → ║ to you alone", 3)
        stage.resize(40, 24)
        stage.until(r"^12:0\d ben → you\n║to you alone$")


def test_what_was_said_before_one_came_is_marked() -> None:
    with Stage("--nick", "zoe", columns=LOG) as stage:
        stage.settled()
        code = stage.ask("host", who="ada", history="10")["code"]
        stage.ask("say", who="ada", text="before one")
        stage.ask("say", who="ada", text="before two")
        stage.type(f"/join {code}\n").until(r"^12:0\d +ada : before one$")
        stage.until(r"^12:0\d +: before two$")
        assert not stage.find("1 demo 2")  # nobody missed it
        stage.ask("say", who="ada", text="after")
        stage.until(r"^12:0\d +ada │ after$")
        rows = stage.settled()
        parts = ("two", "ends here", "│ after")
        two, line, after = (next(y for y, row in enumerate(rows) if part in row) for part in parts)
        assert (line - two, after - line) == (1, 1)


def test_what_expires_counts_down_and_is_gone() -> None:
    with Stage("--nick", "zoe", columns=LOG) as stage:
        enter(stage, retain="3s")
        stage.ask("retain", who="ada", to="off")
        stage.ask("say", who="ada", text="this stays")
        stage.ask("retain", who="ada", to="3s")
        stage.ask("say", who="ada", text="this goes")
        stage.type("and this\n")
        stage.until(r"│ this goes +[123]s$")
        stage.until(r"zoe │ and this +[123]s$")
        stage.until(r"this goes +1s$")
        stage.until(lambda rows: not any("this goes" in row or "and this" in row for row in rows), 10)
        assert [row for row in words(stage) if row.endswith("this stays")]
        stage.key("up").settled()
        assert not any("and this" in row for row in stage.screen())


def test_what_is_shown_once_is_marked() -> None:
    with Stage("--nick", "zoe", columns=LOG) as stage:
        enter(stage)
        stage.ask("retain", who="ada", to="never")
        stage.ask("say", who="ada", text="only now")
        stage.until(r"ada │ only now +(60|5\d)s$")


def test_links_are_underlined_and_never_opened(tmp_path: Path) -> None:
    opened = tmp_path / "opened"
    with Stage("--nick", "zoe", environment={"BROWSER": f"touch {opened}"}) as stage:
        enter(stage)
        stage.ask("say", who="ada", text="see https://example.org/a?b=c for more")
        stage.until("see https")
        x, y = stage.find("https") or (0, 0)
        link = range(x, x + len("https://example.org/a?b=c"))
        around = range(x - 6, x + 40)
        assert [at for at in around if stage.attributes(at, y).underscore] == list(link)
        stage.mouse("click", x + 3, y)
        stage.settled()
        assert not opened.exists()
        assert b"\x1b]8;" not in stage.raw


# --- looking back


def numbers(rows: list[str]) -> list[int]:
    return [int(found[1]) for row in rows if (found := re.search(r"│ line (\d+)$", row))]


def test_a_message_of_very_many_lines_is_shown_whole_when_asked_for() -> None:
    with Stage("--nick", "zoe", rows=60) as stage:
        enter(stage, "ben")
        stage.ask("say", who="ben", text="before")
        stage.ask("say", who="ben", text="\n".join(f"line {number}" for number in range(200)))
        rows = stage.until("190 more lines: Alt-O shows all")
        assert any("│ before" in row for row in rows)
        assert "│ line 9" in next(row for row in reversed(rows) if "line" in row and "more" not in row)
        stage.key("meta o").until("line 54")
        assert "ben │ line 0" in stage.screen()[1], "it is read from its beginning"
        assert not any("│ before" in row or "Alt-O" in row for row in stage.screen())
        stage.key("meta o").until("190 more lines")


def test_one_can_look_back_and_return() -> None:
    with Stage("--nick", "zoe", columns=LOG, rows=24) as stage:
        host(stage, "ben")
        stage.ask("many", who="ben", count=100, text="line {n}")
        latest = numbers(stage.settled())
        height = len(latest)
        assert latest == list(range(100 - height, 100))
        before = numbers(stage.key("page up").settled())
        assert before[-1] < 99
        assert before[-1] >= latest[0]  # nothing is skipped
        assert before[0] <= latest[0] - height // 2
        again = numbers(stage.key("page up").settled())
        assert again[-1] >= before[0] > again[0]
        assert numbers(stage.key("page down").settled()) == before
        assert stage.key("home").settled()
        assert stage.find("Whoever has this code")  # the very first
        assert numbers(stage.key("end").settled()) == latest
        up = numbers(stage.mouse("wheel up", 20, 10).settled())
        assert up[-1] in range(94, 99)
        assert numbers(stage.mouse("wheel down", 20, 10).settled()) == latest
        stage.key("page up").settled()
        stage.key("esc").until("line 99")
        stage.key("page up", "page down", "page down")  # beyond the end is the end
        assert numbers(stage.settled()) == latest


def test_what_one_looks_at_stays_while_more_comes() -> None:
    with Stage("--nick", "zoe", columns=LOG, rows=24) as stage:
        host(stage, "ben")
        stage.ask("many", who="ben", count=100, text="line {n}")
        stage.settled()
        before = numbers(stage.key("page up").settled())
        stage.ask("many", who="ben", count=7, text="more {n}")
        rows = stage.until("7 (new )?below")
        assert numbers(rows) in (before, before[:-1])  # but for the row that says so
        assert not stage.find("more")
        assert stage.find("1 demo 7")  # and are counted
        stage.resize(LOG, 20)
        rows = stage.until("7 (new )?below")
        assert set(numbers(stage.settled())) < set(before)
        rows = stage.key("end").until("more 6")
        stage.settled()
        assert not stage.find("below")
        assert stage.find("1 demo  ")
        new, first = (next(y for y, row in enumerate(rows) if part in row) for part in ("─ new ─", "more 0"))
        assert first - new == 1


def test_writing_while_one_looks_back_returns_to_the_latest() -> None:
    with Stage("--nick", "zoe", columns=LOG, rows=24) as stage:
        host(stage, "ben")
        stage.ask("many", who="ben", count=60, text="line {n}")
        stage.settled()
        stage.key("page up").settled()
        stage.ask("say", who="ben", text="more")
        stage.until("1 (new )?below")
        stage.type("ours\n").until("zoe │ ours")
        stage.settled()
        assert stage.find("│ more")
        assert stage.find("1 demo  ")  # all of it is read
        assert not stage.find("─ new ─")


def test_what_came_while_one_read_something_else_is_read_with_it_put_away() -> None:
    with Stage("--nick", "zoe", columns=LOG) as stage:
        host(stage, "ben")
        stage.key("f1").until("/create NAME")
        stage.ask("say", who="ben", text="meanwhile")
        stage.until("1 demo 1")
        stage.key("esc").until("ben │ meanwhile")
        stage.until("1 demo  ")


def test_a_line_stays_when_what_was_below_it_first_has_expired() -> None:
    with Stage("--nick", "zoe", columns=LOG) as stage:
        enter(stage)
        stage.focus(given=False)
        stage.ask("retain", who="ada", to="1s")
        stage.ask("say", who="ada", text="short")
        stage.until("─ new ─")
        stage.ask("retain", who="ada", to="off")
        stage.ask("say", who="ada", text="long")
        stage.until(lambda rows: not any("short" in row for row in rows))
        rows = stage.settled()
        long = next(y for y, row in enumerate(rows) if "│ long" in row)
        assert "─ new ─" in rows[long - 1]
