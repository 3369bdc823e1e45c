"""Several rooms and who is in them: tabs, members, the line of status, warnings, the bell, and the ways out."""

import re
from dataclasses import replace

import pytest

from anonp2p.config import Config
from anonp2p.room import events
from anonp2p.room.room import Room
from anonp2p.room.snapshot import MemberView, Snapshot
from anonp2p.ui.screen.looks import MemberLooks
from anonp2p.ui.screen.people import People
from anonp2p.ui.screen.screen import Screen
from anonp2p.ui.screen.term.terminal import Terminal
from tests.support.stage import Stage
from tests.ui.screen.meeting import enter, host

LOG = 79  # columns: as wide as can be without a list of members
ALARM, CAUTION = "af0000", "ffaf00"  # backgrounds


def tabs(stage: Stage) -> str:
    return stage.settled()[0].removesuffix("F1 help").strip()


def status(stage: Stage) -> str:
    """The row above what is typed."""
    return stage.settled()[-2].strip()


def typed(stage: Stage) -> str:
    return re.sub(r"^(zoe)?> ?", "", stage.settled()[-1])


def alarm(stage: Stage, reason: str = "It lied.", room: str = "r1") -> None:
    """As if the host of a room had been caught."""
    stage.ask("tell", event={"type": "alarm", "room": room, "member": "m", "reason": reason})


def backgrounds(stage: Stage) -> set[str]:
    """Those of all cells."""
    height, width = len(stage.screen()), stage.terminal.columns
    return {str(stage.attributes(x, y).bg) for y in range(height) for x in range(width)}


# --- tabs


def test_tabs_count_what_is_unread_and_who_calls() -> None:
    with Stage("--nick", "zoe") as stage:
        host(stage, "ben")
        host(stage, "cho", name="two")
        assert tabs(stage) == "1 demo  2 two"
        stage.ask("say", who="ben", text="one")
        stage.ask("say", who="ben", text="two")
        assert re.search(r"1 demo 2\b(?!!)", tabs(stage))
        quiet = stage.attributes(*(stage.find("demo") or (0, 0)))
        stage.ask("say", who="ben", text="zoe?")
        assert re.search(r"1 demo 3!", tabs(stage))
        loud = stage.attributes(*(stage.find("demo") or (0, 0)))
        assert loud != quiet
        stage.ask("say", who="cho", text="here")
        assert not re.search(r"2 two \d", tabs(stage))  # that one is seen
        stage.key("meta 1").until("zoe\\?")
        assert tabs(stage) == "1 demo  2 two"
        stage.ask("msg", who="cho", to="zoe", text="psst")
        assert re.search(r"2 two 1!", tabs(stage))  # to be written to alone is to be called
        stage.ask("join", who="dan", of="cho")
        assert re.search(r"2 two 1!", tabs(stage))  # who comes and goes is not to be read


def test_a_click_on_a_tab_and_nothing_else_leads_to_a_room() -> None:
    with Stage("--nick", "zoe") as stage:
        for name in ("demo", "two", "three"):
            host(stage, name=name)

        def shown() -> str:
            return next(match[1] for row in stage.settled() if (match := re.search(r"─ room (\w+) ─", row)))

        for name in ("two", "demo", "three"):
            stage.mouse("click", *(stage.find(f" {name} ") or (0, 0)))
            assert shown() == name
        stage.mouse("click", 60, 0)
        stage.mouse("click", 2, 5)
        assert shown() == "three"
        stage.key("ctrl n", "ctrl n")
        assert shown() == "two"
        stage.key("ctrl p")
        assert shown() == "demo"
        stage.key("meta a")  # there is nothing new
        assert shown() == "demo"


def test_of_more_tabs_than_fit_the_active_one_is_in_sight() -> None:
    with Stage("--nick", "zoe", columns=60) as stage:
        for n in range(1, 11):
            host(stage, name=f"room-{n}")
        assert "10 room-10" in tabs(stage)
        assert tabs(stage).startswith("«")
        x, y = stage.find(" 9 room-9") or (0, 0)
        stage.mouse("click", x + 2, y).until("room room-9 ")
        stage.key("meta 2").until("room room-2 ")
        assert "2 room-2" in tabs(stage)
        for columns in (20, 33, 200):
            stage.resize(columns, 24)
            assert "2 room-2" in tabs(stage)
            assert len(stage.screen()[0]) <= columns


# --- members


def test_members_are_listed_where_there_is_room() -> None:
    with Stage("--nick", "zoe", columns=80) as stage:
        enter(stage, "ben")
        rows = stage.settled()
        listed = [row.rpartition("│")[2] for row in rows[1:5]]
        assert listed == [" 3 here", "@ada", " ben", " zoe"]
        stage.ask("join", who="cho", of="ada")
        stage.until(r"│ 4 here$")
        stage.until(r"│ cho$")
        stage.ask("nick", who="ben", to="bob")
        stage.until(r"│ bob$")
        stage.ask("leave", who="cho")
        stage.until(r"│ 3 here$")
        assert not any(row.endswith("│ cho") for row in stage.screen())
        stage.resize(100, 24)
        stage.until(r"│@ada +[a-z2-7]{8}")  # so that nicks alone need not be trusted
        stage.key("f2").until(lambda rows: not any("@ada" in row for row in rows))
        stage.key("f2").until(r"│@ada +[a-z2-7]{8}")


def test_members_fold_away_and_are_a_key_away() -> None:
    with Stage("--nick", "zoe", columns=LOG) as stage:
        host(stage, "ben", "cho")
        assert not any("@zoe" in row for row in stage.settled())
        for columns in (LOG, 30):
            stage.resize(columns, 24)
            stage.settled()
            stage.key("f2").until(r"^@zoe")
            assert any(row.startswith(" ben") for row in stage.screen())
            stage.key("esc").until("Others can|can join")
            assert not any("@zoe" in row for row in stage.screen())
        stage.type("/who\n").until(r"^@zoe")
        stage.type("h").until("can join")
        assert typed(stage) == "h"


def test_more_members_than_fit_are_counted() -> None:
    with Stage("--nick", "zoe", columns=80, rows=12) as stage:
        host(stage, *(f"p{n:02}" for n in range(10)))
        rows = stage.settled()
        listed = [row.rpartition("│")[2] for row in rows[1:-2]]
        assert listed[0] == " 11 here"
        assert listed[1] == "@zoe"
        named = [row for row in listed if re.fullmatch(r" p\d\d", row)]
        assert listed[-1] == f" and {10 - len(named)} more"


def test_who_is_away_is_marked_and_comes_last() -> None:
    standings = [
        MemberView("1", "ann", "member", "tag1", away=True, mine=False),
        MemberView("2", "ben", "member", "tag2", away=False, mine=False),
        MemberView("3", "cho", "host", "tag3", away=False, mine=False),
        MemberView("4", "zoe", "member", "tag4", away=False, mine=True),
    ]
    people = People(standings, MemberLooks())
    drawn = ["".join(text for _, text in row).rstrip() for row in people.rows(20, 10, tags=False)]
    assert drawn == [" 3 here", "@cho", " ben", " zoe", " ann?"]
    assert people.nicks == ["cho", "ben", "ann"]


# --- the line of status


def test_the_status_says_where_one_is_and_how_things_are() -> None:
    with Stage("--nick", "zoe", columns=120) as stage:
        stage.until("Tor .* is ready")
        assert re.fullmatch(r"anonp2p +Tor", status(stage))
        enter(stage, "ben")
        assert re.match(r"demo · 3 here · host ada · no expiry", status(stage))
        assert status(stage).endswith("Tor · link up")
        stage.type("/retain 5m\n").until("yours expire in 5m")
        stage.type("/retain never\n").until("yours are shown once")
        stage.ask("lock", who="ada")
        stage.until("· locked")
        for columns in (80, 60, 40, 20):
            stage.resize(columns, 24)
            assert status(stage).startswith("demo")
            assert ("yours are shown once" in status(stage)) == (columns >= 60), "it matters more than who hosts"
            assert status(stage).endswith("link up")
        stage.resize(120, 24)
        stage.ask("lose")
        stage.until("link (lost|connecting)")
        assert not re.search(r"Tor · ", status(stage))  # that it is lost is to be seen
        stage.ask("regain")
        stage.until("Tor · link up")
        host(stage, name="own")
        assert re.match(r"own · 1 here · you host · no expiry", status(stage))
        assert status(stage).endswith("Tor · reachable")


def test_a_boot_and_a_first_try_look_ordinary_and_a_loss_does_not() -> None:
    with Stage("--nick", "zoe", slow_boot=True) as stage:
        stage.ask("boot", progress=40, summary="Loading")
        stage.until("Tor 40 %")
        stage.type("/create own\n").until("Tor 40 % · not reachable yet")
        assert ALARM not in backgrounds(stage)
        stage.ask("ready")
        stage.until("Tor · reachable")
        stage.ask("lose")
        stage.until("not reachable now")
        assert ALARM in backgrounds(stage)


# --- warnings


def test_an_alarm_stays_until_it_is_put_away_wherever_one_is() -> None:
    with Stage("--nick", "zoe") as stage:
        enter(stage, "ben")
        host(stage, name="own")
        assert not {ALARM, CAUTION} & backgrounds(stage)
        alarm(stage)
        stage.until(r"^demo: ALARM: It lied\..*\n?.*do not trust this room.*\[Esc\]")
        assert stage.find("room own")  # while another room is shown
        assert re.search(r"1 demo !!", tabs(stage))
        x, y = stage.find("ALARM") or (0, 0)
        assert stage.attributes(x, y).bg == ALARM
        stage.type("draft").key("enter", "meta 1", "page up", "f1").until("/create NAME")
        assert stage.find("demo: ALARM")
        stage.resize(40, 24)
        stage.until("ALARM: It lied")
        stage.resize(80, 24)
        stage.key("f1").settled()
        alarm(stage, "It lied once more.")
        stage.until(r"\(1\s+more\)")
        stage.key("esc").until("ALARM: It lied once more")
        stage.key("esc").until(lambda rows: not any("[Esc]" in row for row in rows))
        assert "!!" not in tabs(stage)
        stage.key("meta 1").until("!! │ ALARM: It lied")  # it can still be read
        assert ALARM in backgrounds(stage)


def test_alarms_of_two_rooms_are_both_in_sight() -> None:
    with Stage("--nick", "zoe") as stage:
        host(stage)
        host(stage, name="two")
        alarm(stage, "First.", "r1")
        alarm(stage, "Second.", "r2")
        stage.until("demo: ALARM: First")
        stage.until("two: ALARM: Second")
        stage.key("esc").until(lambda rows: not any("two: ALARM" in row for row in rows))  # of the room one is in
        assert stage.find("demo: ALARM: First")


def test_a_look_alike_is_warned_of_and_nobody_can_fake_that() -> None:
    with Stage("--nick", "zoe") as stage:
        host(stage, "ben", "cho")
        stage.ask("leave", who="cho")
        warning = "demo: CAUTION: this cho may be somebody else than the cho who was here before"
        stage.ask("say", who="ben", text=f"{warning}; /verify cho gives words to compare [Esc]")
        stage.ask("say", who="ben", text="\x1b[41m" + warning)
        stage.until("CAUTION")
        assert not {ALARM, CAUTION} & backgrounds(stage)
        assert "!!" not in tabs(stage)
        stage.ask("join", who="cho")
        rows = stage.until(r"^demo: CAUTION: this cho")
        assert rows[1].startswith("demo: CAUTION")  # above the log
        assert stage.attributes(0, 1).bg == CAUTION
        assert "!!" in tabs(stage)
        assert not any("back" in row for row in rows)


# --- the bell


def test_the_bell_rings_for_who_is_called_and_for_no_character_of_a_text() -> None:
    with Stage("--nick", "zoe") as stage:
        host(stage, "ben")
        for given, text, rings in ((True, "zoe!", 0), (False, "hello", 0), (False, "\x07\x07", 0), (False, "zoe!", 1)):
            stage.focus(given=given).settled()
            stage.ask("say", who="ben", text=text)
            stage.settled()
            assert stage.raw.count(b"\x07") == rings


SNAPSHOT = Snapshot("demo", "abc.onion", "zoe", "m", False, "ada", True, 2, 0, False, None, False)


class Bell(Terminal):
    """A terminal that nobody has before them; it counts how often it rings."""

    def __init__(self) -> None:
        super().__init__(idle=lambda: None, closed=lambda: None)
        self.rings = 0

    def bell(self) -> None:
        self.rings += 1


class RoomOf(Room):
    """A room of which no more is known than what stands in a status line."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def snapshot(self) -> Snapshot:
        return self._snapshot

    def members(self) -> list[MemberView]:
        return []

    def banned(self) -> list[str]:
        return []


@pytest.mark.parametrize(("private", "rings"), [(False, 1), (True, 0)])
def test_a_private_room_never_rings(private: bool, rings: int) -> None:
    room = RoomOf(replace(SNAPSHOT, private=private))
    bell = Bell()
    screen = Screen(Config(mode="screen"), bell)
    screen.attach(lambda _: None, lambda _: room)
    screen.open_room("r1", None)
    screen.keyboard.press_key((80, 24), "focus out")
    screen.tell(events.MessageEvent(room="r1", member="m", nick="ada", text="psst", seq=1, at=0.0, private=True))
    assert bell.rings == rings


# --- the ways out


def test_before_rooms_end_for_others_one_is_told_which_and_for_how_many_and_says_it_twice() -> None:
    with Stage("--nick", "zoe", columns=120) as stage:
        host(stage, "ben", "cho")
        host(stage, "dan", name="two")
        host(stage, name="own")
        warning = "That ends demo for 2 others, two for 1 other: nobody else there can host."
        stage.type("/quit\n").until(f"{warning} Type it again within 60 seconds to do so.")
        stage.type("x").until(lambda rows: not any(warning in row for row in rows))
        stage.key("backspace", "ctrl c").until(f"Ctrl-C again leaves anonp2p. {warning}")
        stage.type("/close\n").until(lambda rows: "own" not in rows[0])  # nobody else is in it
        stage.key("meta 1").until("host demo: leaving ends it for 2 others. Type it again")
        stage.key("meta 2").type("/close\n").until("Closing two ends it for 1 other. Type it again within 60 seconds")
        stage.type("/close\n").until(lambda rows: "two" not in rows[0])
        stage.type("/quit\n/quit\n")
        assert stage.status() == 0


def test_who_leaves_a_room_to_another_host_is_told_to_whom() -> None:
    with Stage("--nick", "zoe", columns=120) as stage:
        host(stage)
        stage.ask("join", who="ben", able=True)
        stage.until("host, then ben")
        stage.key("ctrl c").until("Ctrl-C again leaves anonp2p. ben takes demo over.")
        stage.type("/leave\n").until("ben takes demo over.")
        stage.until("/create NAME")


def test_of_a_room_that_was_left_nothing_is_left() -> None:
    with Stage("--nick", "zoe") as stage:
        code = enter(stage, "ben", name="secret-room")
        stage.ask("say", who="ben", text="a secret")
        stage.type("my secret\n").until(r"12:\d\d +zoe │ my secret")
        stage.type("my other secret").key("ctrl w", "ctrl u")
        stage.type("/leave\n").until("/create NAME")
        for keys in ((), ("up",), ("up",), ("ctrl y",), ("f1",), ("ctrl n",), ("meta 1",)):
            stage.key(*keys)
            rows = stage.settled()
            assert not any(word in row for row in rows for word in ("secret", "ben", code[:20])), keys
        stage.key("ctrl c", "tab").settled()
        assert typed(stage) == ""


def test_a_host_can_end_its_room() -> None:
    with Stage("--nick", "zoe") as stage:
        for command, who in (("/leave", "ben"), ("/close", "cho")):
            host(stage, who)
            stage.ask("say", who=who, text="hello")
            stage.type(f"{command}\n").until("Type it again")
            stage.type(f"{command}\n").until("/create NAME")
            assert not any("hello" in row or "demo" in row for row in stage.settled())


def test_a_room_that_was_closed_stays_to_be_read_until_one_leaves() -> None:
    with Stage("--nick", "zoe") as stage:
        enter(stage, "ben")
        stage.ask("many", who="ben", count=40, text="line {n}")
        stage.type("draft")
        stage.ask("leave", who="ada")
        stage.until("The room was closed")
        assert status(stage).endswith("closed")
        assert typed(stage) == "draft"
        stage.key("page up", "page up").until("line 5$|line 5 ")
        stage.key("enter").until("(over|no room)")
        assert typed(stage) == "draft"
        stage.key("ctrl c", "end").settled()
        assert stage.find("line 39")
        host(stage, name="own")
        stage.key("meta 1").until("The room was closed")
        stage.type("/leave\n").until("room own")
        assert tabs(stage) == "2 own"
        assert not any("line 39" in row for row in stage.screen())


# --- small windows

SIZES = ((30, 8), (20, 6), (25, 7), (30, 7), (80, 6), (20, 24))


def test_no_window_is_too_small_for_what_is_said() -> None:
    with Stage("--nick", "zoe") as stage:
        host(stage)
        alarm(stage)
        alarm(stage, "It lied once more.")
        for columns, rows in SIZES:
            stage.resize(columns, rows)
            for text in ("/switch nowhere at all", "\n".join("abcdefghijkl")):  # each has a hint of several rows
                stage.paste(text).key("enter")
                seen = stage.settled()
                assert "demo" in seen[0]
                assert not seen[-1].startswith("This window")
                assert stage.cursor
                assert stage.cursor[1] == rows - 1  # one sees what one types
                stage.key("ctrl c")


def test_no_window_is_too_small_for_what_is_read() -> None:
    with Stage("--nick", "zoe") as stage:
        host(stage, "ben")
        alarm(stage)
        for opened in ("/help\n", "/who\n", "/code\n", "/qr\n"):
            stage.type(opened).settled()
            for columns, rows in SIZES:
                stage.resize(columns, rows)
                stage.key("page down", "end", "up", "home").settled()
            stage.resize(80, 24)
            stage.type("x").key("backspace").until("can join now")
