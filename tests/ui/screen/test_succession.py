"""The full screen when the host changes: who hosts and would, what must not be missed, and what becomes of messages."""

import dataclasses

import pytest

from anonp2p import limits
from anonp2p.reasons import Reason
from anonp2p.room import events, inputs
from anonp2p.room.hosting_events import CodeEvent, HeirEvent, HeirsEvent, HostEvent, Successor
from anonp2p.room.snapshot import MemberView, Snapshot
from anonp2p.room.succession.terms import make_place
from anonp2p.ui import hosting_wording, wording
from anonp2p.ui.actions import QuitAction
from anonp2p.ui.screen import overlays, view
from anonp2p.ui.screen.log_lines import Layout, LineContext
from anonp2p.ui.screen.looks import MemberLooks
from anonp2p.ui.screen.people import People
from anonp2p.ui.screen.tab import Tab
from anonp2p.ui.screen.waiting import WaitingPeople
from anonp2p.ui.verified import Verified
from tests.support.stage import Stage
from tests.ui.screen.meeting import enter
from tests.ui.screen.test_keyboard import Hands
from tests.ui.screen.test_submission import Desk
from tests.ui.screen.test_tab import CODE, NOW, WIDE, in_room, message, said, shown, take

NARROW = Layout(38, 0)


def moved(was: int, seq: int) -> events.MovedEvent:
    return events.MovedEvent(room="r1", was=was, seq=seq)


def expired(seq: int) -> events.ExpiredEvent:
    return events.ExpiredEvent(room="r1", seq=seq)


def numbered(tab: Tab, layout: Layout = WIDE) -> list[str]:
    drawn, _ = tab.sight.draw_visible(100, layout, LineContext(NOW, numbers=True))
    return ["".join(text for _, text in row).rstrip() for row in drawn]


def banners(tab: Tab) -> list[tuple[str, str]]:
    return [(banner.style, banner.text) for banner in tab.warnings.banners]


# --- messages that get other places


def test_a_message_with_another_place_keeps_its_line_and_has_no_second_one() -> None:
    tab = in_room(message(7, "one"), message(8, "two"), moved(7, make_place(5, 9)))
    assert said(tab)[-2:] == ["one", "two"]
    assert tab.attention.unread == 0
    take(tab, expired(make_place(5, 9)))
    assert "one" not in said(tab)


def test_what_refers_to_it_by_either_place_still_quotes_it_until_it_ends() -> None:
    now = make_place(5, 9)
    tab = in_room(message(7, "noon"), message(8, "two", "ada", reply=7), moved(7, now))
    take(tab, message(make_place(5, 10), "three", "cho", reply=now))
    assert sum("ben: “noon”" in row for row in shown(tab)) == 2
    take(tab, expired(now))
    assert not any("noon" in row for row in shown(tab))
    assert sum("a message that is gone" in row for row in shown(tab)) == 2


def test_it_may_have_another_place_more_than_once() -> None:
    tab = in_room(message(7, "one"), moved(7, make_place(5, 9)), moved(make_place(5, 9), make_place(9, 9)))
    take(tab, expired(make_place(9, 9)))
    assert "one" not in said(tab)
    take(tab, message(make_place(9, 10), "two", reply=7))
    assert any("a message that is gone" in row for row in shown(tab))


def test_another_place_of_what_is_not_shown_is_nothing() -> None:
    tab = in_room(message(7, "one"))
    before = shown(tab)
    take(tab, moved(6, make_place(5, 9)))
    assert shown(tab) == before


def test_a_text_of_ours_that_has_ended_in_its_new_place_cannot_be_recalled() -> None:
    tab = in_room()
    tab.draft.history.add("to end", 3)
    take(tab, message(7, "to end", "zoe", mine=True, re=3), moved(7, make_place(5, 9)), expired(make_place(5, 9)))
    assert tab.draft.history.before(None) is None


def test_of_what_comes_late_a_row_says_so_beside_a_mark_that_is_no_nick() -> None:
    tab = in_room(message(make_place(5, 9), "hello", late=True))
    *_, note, row = shown(tab)
    assert note.split("│") == [" " * 15 + "↺ ", f" {wording.SAID_EARLIER}"]
    assert row.endswith("ben │ hello")
    assert f"↺ {wording.SAID_EARLIER}" in shown(tab, layout=NARROW)


def test_its_author_is_named_again() -> None:
    tab = in_room(message(8, "one"), message(9, "two", late=True))
    assert sum(row.endswith(" ben") for row in shown(tab, layout=NARROW)) == 2


# --- numbers


def test_numbers_go_on_as_small_as_before_whoever_hosts() -> None:
    tab = in_room(message(7, "one"), message(make_place(5, 9), "two"), message(make_place(13, 10), "three"))
    rows = numbered(tab)
    for number, text in (("    7 ", "one"), ("    9 ", "two"), ("   10 ", "three")):
        assert [row for row in rows if row.startswith(number)] == [row for row in rows if row.endswith(f"│ {text}")]


def test_what_has_lost_its_place_has_no_number_if_another_has_it() -> None:
    tab = in_room(message(7, "cut"), message(make_place(5, 7), "in its place"))
    named = {row.rpartition("│ ")[2]: row[:5].strip() for row in numbered(tab)}
    assert (named["cut"], named["in its place"]) == ("", "7")
    listed = [
        "".join(text for _, text in row).split()[0] for row in overlays.of_numbers(tab.log, tab.looks).build(60, 20)
    ]
    assert listed == ["7"]


@pytest.mark.parametrize("order", [(7, make_place(5, 7)), (make_place(5, 7), 7)])
def test_a_number_means_the_message_in_the_later_term(order: tuple[int, int]) -> None:
    tab = in_room(*(message(seq, f"text {seq}") for seq in order))
    found = tab.log.find_numbered(7)
    assert found is not None
    assert found.seq == make_place(5, 7)


def test_a_moved_message_has_the_number_of_its_new_place_and_gives_up_its_old_one() -> None:
    tab = in_room(message(7, "one"), moved(7, make_place(5, 9)))
    found = tab.log.find_numbered(9)
    assert found is not None
    assert found.text == "one"
    assert tab.log.number_of(found) == 9
    take(tab, expired(make_place(5, 9)))
    assert tab.log.find_numbered(9) is None


@pytest.mark.parametrize("typed", ["9", str(make_place(5, 9))])
def test_what_is_typed_as_a_number_is_sent_as_the_place_of_the_message(typed: str) -> None:
    desk = Desk("r1")
    desk.active.take_event(message(make_place(5, 9), "hello"), NOW, seen=True)
    desk.enter(f"/reply {typed} yes")
    desk.enter(f"/retract {typed}")
    desk.enter("/retract 8")
    asked = [request.action for request in desk.requests]
    assert [it.line for it in asked if isinstance(it, inputs.ReplyInput)] == [f"/reply {typed} yes"]
    assert [it.seq for it in asked if isinstance(it, inputs.ReplyInput | inputs.RetractInput)] == [
        make_place(5, 9),
        make_place(5, 9),
        8,
    ]


# --- leaving


def test_who_leaves_on_the_full_screen_may_be_asked_first() -> None:
    desk = Desk("r1")
    for line in ("/leave", "/quit", "/close"):
        desk.enter(line)
    assert [request.action for request in desk.requests] == [
        inputs.LeaveInput(re=1, asks=True),
        QuitAction(re=2, asks=True),
        inputs.LeaveInput(close=True, re=3, asks=True),
    ]


class Ending:
    """A room that ends for others when we leave, or not."""

    def __init__(self, *, ends: bool) -> None:
        self._ends = ends

    def snapshot(self) -> Snapshot:
        """As RoomView has it."""
        return Snapshot("demo", CODE, "zoe", "m", True, "zoe", True, 3, 0, False, None, False, "ben", self._ends)

    def members(self) -> list[MemberView]:
        """As RoomView has it."""
        return []

    def banned(self) -> list[str]:
        """As RoomView has it."""
        return []


def test_control_c_says_which_rooms_it_ends_for_all() -> None:
    hands = Hands("r1", "r2")
    hands.scene.find_room = lambda label: Ending(ends=label == "r2")
    hands.scene.tabs.rooms.by_label["r1"].name = "demo"
    hands.scene.tabs.rooms.by_label["r2"].name = "den"
    hands.press("ctrl c")
    assert hands.scene.hint
    assert "That ends den for 2 others" in hands.scene.hint.text
    assert "ben takes demo over" in hands.scene.hint.text
    assert "again leaves" in hands.scene.hint.text
    assert hands.left == 0
    hands.press("ctrl c")
    assert hands.left == 1


# --- what must not be missed


@pytest.mark.parametrize("count", [1, limits.CUT_QUIETLY, limits.CUT_QUIETLY + 1])
def test_what_was_cut_is_told_and_stays_above_everything_if_it_is_much(count: int) -> None:
    tab = in_room(events.CutEvent(room="r1", count=count))
    [text] = wording.describe_event(events.CutEvent(room="r1", count=count))
    assert str(count) in text
    assert text.split()[0] in " ".join(said(tab))
    assert banners(tab) == ([("caution", text)] if count > limits.CUT_QUIETLY else [])


def test_a_new_code_is_shown_in_one_piece_and_a_banner_says_that_there_is_one() -> None:
    tab = in_room(CodeEvent(room="r1", code=CODE))
    assert CODE in [row.strip() for row in shown(tab)]
    [(style, text)] = banners(tab)
    assert style == "caution"
    assert "/code" in text
    assert not any("published" in row or "Others can join" in row for row in shown(tab))
    tab.warnings.put_away()
    assert banners(tab) == []


def test_notices_wait_behind_alarms_and_the_same_one_is_not_repeated() -> None:
    tab = in_room(*[CodeEvent(room="r1", code=CODE)] * 2)
    tab.warnings.add_alarm("It lied.")
    assert [style for style, _ in banners(tab)] == ["alarm", "caution"]
    tab.warnings.put_away()
    assert [style for style, _ in banners(tab)] == ["caution"]


def test_who_hosts_now_is_told_and_members_are_looked_at_again() -> None:
    tab = in_room()
    for event in (
        HostEvent(room="r1", member="m", nick="ada", cause="left"),
        HeirsEvent(room="r1", heirs=[Successor("m", "ben", True)]),
    ):
        tab.has_moved = False
        take(tab, event)
        assert tab.has_moved
    assert any("ada hosts the room now" in row for row in said(tab))


def test_that_nobody_could_host_is_told_on_the_line_of_comings_and_goings_until_somebody_can() -> None:
    joined = events.JoinedEvent(room="r1", member="m", nick="ben")
    nobody, ben = (HeirsEvent(room="r1", heirs=heirs) for heirs in ([], [Successor("m", "ben", False)]))
    for told, sentence in (
        ([joined, ben], "ben joined"),
        ([joined, nobody], f"ben joined · {hosting_wording.NO_HEIRS}"),
        ([joined, nobody, ben], "ben joined"),
        ([ben], ""),
    ):
        tab = in_room(*told)
        assert " ".join(said(tab)[1:]) == sentence
        assert sum("↔" in row for row in shown(tab)) == bool(sentence)


def link(state: str, code: str) -> events.LinkEvent:
    return events.LinkEvent(room="r1", state=state, attempt=1, detail=Reason(code))  # type: ignore[arg-type]


def test_while_the_room_is_handed_over_only_who_hosts_next_is_told() -> None:
    host = HostEvent(room="r1", member="m", nick="ben", cause="left")
    tab = in_room(link("lost", "passed-on"), link("connecting", "none"), host, link("up", "none"))
    assert said(tab)[1:] == ["ben hosts the room now, as its host left"]
    take(tab, link("lost", "broken"), link("up", "none"))
    assert len(said(tab)) == 4, "any other loss is told, and its end"


def test_who_was_told_to_take_the_room_over_sees_the_rest_in_the_list_of_all_who_can() -> None:
    told = [HeirEvent(room="r1", rank=2, was=None, holds_key=False)]
    tab = in_room(*told, HeirEvent(room="r1", rank=1, was=2, holds_key=True))
    assert " ".join(said(tab)).count("You are to take this room over") == 1
    take(tab, HeirEvent(room="r1", rank=None, was=1, holds_key=False))
    assert "no longer" in said(tab)[-1] or "no longer" in said(tab)[-2]


# --- who hosts and would


def view_of(
    nick: str, role: str = "member", rank: int | None = None, *, key: bool = False, away: bool = False
) -> MemberView:
    return MemberView(nick, nick, role, "tag", away, mine=False, rank=rank, holds_key=key)  # type: ignore[arg-type]


def test_host_heirs_in_order_and_who_has_the_key_are_marked() -> None:
    people = People(
        [
            view_of("ann"),
            view_of("ben", rank=2),
            view_of("cho", rank=1, key=True),
            view_of("dee", "host", key=True),
            view_of("eve", key=True, away=True),
        ],
        MemberLooks(),
    )
    drawn = ["".join(text for _, text in row).rstrip() for row in people.rows(20, 10, tags=False)]
    assert drawn == [" 4 here", "@dee", "1cho#", "2ben", " ann", " eve#?"]


def test_who_moderates_and_who_is_muted_is_marked_where_it_is_not_the_host_alone() -> None:
    def listed(*members: MemberView) -> list[str]:
        rows = People(list(members), MemberLooks()).rows(20, 10, tags=False)[1:]
        return ["".join(text for _, text in row).rstrip() for row in rows]

    host = dataclasses.replace(view_of("dee", "host"), moderator=True)
    ann, ben = view_of("ann"), dataclasses.replace(view_of("ben", "moderator", away=True), moderator=True)
    assert listed(host, ann) == ["@dee", " ann"]
    assert listed(host, ann, ben) == ["@dee+", " ann", " ben+?"]
    assert listed(host, view_of("eve", "muted", key=True)) == ["@dee+", " eve#%"]
    assert listed(view_of("dee", "host"), ann, dataclasses.replace(ben, away=False)) == ["@dee", " ben+", " ann"]


def test_no_mark_of_a_member_is_cut_off() -> None:
    for role, mark in (("moderator", "+"), ("muted", "%")):
        one = view_of("a" * 20, role, rank=1, key=True, away=True)
        people = People([dataclasses.replace(one, moderator=role == "moderator")], MemberLooks())
        for tags in (True, False):
            wide = people.width(tags=tags, most=40)
            row = "".join(text for _, text in people.rows(wide, 3, tags=tags)[1])
            assert row.startswith("1" + "a" * 20 + f"#{mark}?")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, []),
        ({"locked": True}, ["locked"]),
        ({"knock": True, "private": True}, ["private", "knock"]),
        ({"locked": True, "knock": True, "slow": 10}, ["locked", "knock", "slow 10s"]),
        ({"locked": True, "knock": True, "slow": 10, "raid": True}, ["raid: closed", "slow 10s"]),
    ],
)
def test_the_status_says_what_keeps_newcomers_out_and_talk_slow(changes: dict[str, object], words: list[str]) -> None:
    plain = Snapshot("demo", CODE, "zoe", "m", True, "zoe", True, 3, 0, False, None, False)
    snapshot = dataclasses.replace(plain, **changes)  # type: ignore[arg-type]
    assert [text for _, _, text in view.describe_restrictions(snapshot) if text] == words


def test_the_marks_are_explained_below_the_members() -> None:
    overlay = overlays.of_members(lambda: People([view_of("ann")], MemberLooks()), WaitingPeople(), lambda: 0.0)
    rows = overlay.build(40, 20)
    text = " ".join("".join(text for _, text in row) for row in rows)
    for mark in "@123#+%?":
        assert f"{mark} " in text.rpartition("ann")[2]


@pytest.mark.parametrize(
    ("hosting", "heir", "ends", "words"),
    [
        (False, "", False, "host ada"),
        (False, "ben", False, "host ada, then ben"),
        (False, "zoe", False, "host ada, then you"),
        (None, "ben", False, "ben hosts next"),
        (None, "zoe", False, "you host next"),
        (None, "", False, ""),
        (True, "ben", False, "you host, then ben"),
        (True, "", False, "you host"),
        (True, "", True, "you host, nobody else could"),
    ],
)
def test_the_status_says_who_hosts_and_who_would(hosting: bool | None, heir: str, ends: bool, words: str) -> None:
    host = "" if hosting is None else "zoe" if hosting else "ada"  # while it is handed over nobody hosts
    snapshot = Snapshot("demo", CODE, "zoe", "m", bool(hosting), host, True, 3, 0, False, None, False, heir, ends)
    assert view.who_hosts(snapshot, Verified()) == words


# --- a whole change of host

ABLE = {"ANONP2P_NO_HEIR": "0"}


def test_the_heir_goes_on_as_host_and_is_told_what_that_means() -> None:
    with Stage("--nick", "zoe", columns=120, environment=ABLE) as stage:
        enter(stage)
        for sight in ("You are to take this room over", "host ada, then you"):
            stage.until(sight)
        stage.ask("leave", who="ada")
        for sight in ("ada left", "zoe hosts the room now", "You host this room now", "· you host"):
            stage.until(sight)
        stage.type("still here\n").until(r"zoe │ still here")
        stage.ask("join", who="cho")
        stage.until("cho joined")
        stage.ask("say", who="cho", text="so am I")
        stage.until("so am I")
        rows = stage.type("/reply ").settled()
        [number] = [int(row.split()[0]) for row in rows if "so am I" in row]
        assert number < 100, "people see small numbers whoever hosts"


@pytest.mark.parametrize(("does", "why"), [("leave", "left"), ("lose", "was lost")])
def test_a_member_talks_on_under_the_next_host_and_sees_who_that_is(does: str, why: str) -> None:
    with Stage("--nick", "zoe", columns=120) as stage:
        stage.settled()
        code = stage.ask("host", who="ada", name="demo")["code"]
        stage.ask("join", who="ben", code=code, able=True)
        stage.type(f"/join {code}\n").until("host ada, then ben")
        stage.ask("say", who="ben", text="hello")
        stage.ask(does, who="ada")
        stage.type("anybody?\n")
        for sight in (f"ben hosts the room now, as its host {why}", "host ben", r"12:00 +zoe │ anybody\?", "@ben"):
            stage.until(sight)
        stage.ask("say", who="ben", text="yes")
        rows = stage.until("ben │ yes")
        for text in ("hello", "anybody?", "yes"):
            assert sum(f"│ {text}" in row for row in rows) == 1
        stage.ask("join", who="cho", code=code)
        stage.until("cho joined")


def test_a_host_that_leaves_is_gone_at_once_and_nobody_is_asked_where_an_heir_is() -> None:
    with Stage("--nick", "zoe", columns=120) as stage:
        stage.settled()
        stage.type("/create demo\n").until("Others can join now")
        stage.ask("join", who="ben", able=True)
        stage.until("you host, then ben")
        stage.type("/leave\n").until("/create NAME")
        stage.ask("say", who="ben", text="still here")


def test_what_a_host_said_alone_gets_other_numbers_when_the_halves_of_its_room_meet() -> None:
    with Stage("--nick", "zoe", columns=120) as stage:
        stage.settled()
        stage.type("/create demo\n").until("Others can join now")
        for who in ("ben", "cho"):
            stage.ask("join", who=who, able=True)
        stage.until("2cho")
        stage.ask("lose")
        stage.type("alone\n").until("zoe │ alone")
        before = numbers(stage, "alone")
        stage.ask("say", who="ben", text="where is she?")  # it has its place under another host
        stage.ask("regain")
        for sight in ("Two halves of the room have met: 1 entry", "ben hosts the room now", "ben │ where is she"):
            stage.until(sight)
        stage.ask("quiet")
        after = numbers(stage, "alone", "where is she?")
        assert after[1] < after[0] < 100, "in the order of the log"
        assert before[0] < after[0]
        stage.type("/retract \t\n").until(lambda rows: not any("│ alone" in row for row in rows))


def numbers(stage: Stage, *texts: str) -> list[int]:
    """By which the user can name these messages, each of which is there once."""
    rows = stage.type("/reply ").settled()
    found = [[int(row.split()[0]) for row in rows if f"│ {text}" in row] for text in texts]
    stage.key("ctrl u").settled()
    return [number for [number] in found]
