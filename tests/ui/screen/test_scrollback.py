"""What is in sight of a room's log: the latest, or what one looks back at, wherever it is and whatever comes."""

import gc
import itertools
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from anonp2p import limits
from anonp2p.ui import widths
from anonp2p.ui.screen import rows
from anonp2p.ui.screen.log_lines import (
    FOLDED,
    UNFOLDED,
    ChatMessage,
    Layout,
    LineContext,
    LogLine,
    time_of_day,
)
from anonp2p.ui.screen.looks import MemberLooks
from anonp2p.ui.screen.program_lines import MembershipLine, SystemLine
from anonp2p.ui.screen.scrollback import Scrollback
from anonp2p.ui.screen.sight import Sight

WIDE = Layout(60, 8)
NARROW = Layout(38, 0)
NOW = LineContext(1_000_000.0)


def message(seq: int | None, text: str = "", *, nick: str = "ann", **more: object) -> ChatMessage:
    return ChatMessage(NOW.now, nick, nick, text or f"text {seq}", seq, **more)  # type: ignore[arg-type]


def filled(count: int) -> Sight:
    sight = Sight(Scrollback())
    for seq in range(count):
        sight.log.add_line(message(seq))
    return sight


def text_of(drawn: list[rows.Row]) -> list[str]:
    return ["".join(text for _, text in row).rstrip() for row in drawn]


def in_sight(sight: Sight, height: int = 5, layout: Layout = WIDE, now: LineContext = NOW) -> list[str]:
    return text_of(sight.draw_visible(height, layout, now)[0])


def last_words(sight: Sight, height: int = 5) -> list[str]:
    """What the messages in sight say, without what stands left of it."""
    return [row.partition("│ ")[2] for row in in_sight(sight, height)]


def test_the_latest_is_in_sight() -> None:
    assert last_words(filled(9)) == [f"text {seq}" for seq in range(4, 9)]


def test_fewer_than_fit_are_all_there_is() -> None:
    assert last_words(filled(2)) == ["text 0", "text 1"]
    assert last_words(Sight(Scrollback())) == []


def test_what_one_looks_back_at_stays_while_more_comes() -> None:
    sight = filled(20)
    sight.scroll_by(7, 5, WIDE, NOW)
    before = last_words(sight)
    assert before == [f"text {seq}" for seq in range(8, 13)]
    for seq in range(20, 40):
        sight.log.add_line(message(seq))
        assert last_words(sight) == before
    assert sight.below == 20
    sight.scroll_to_end()
    assert last_words(sight)[-1] == "text 39"
    assert sight.below == 0


def test_it_stays_when_what_is_above_or_below_it_ends() -> None:
    sight = filled(20)
    sight.scroll_by(7, 5, WIDE, NOW)
    for seq in (2, 15, 3, 19):
        sight.log.expire_message(seq)
    assert last_words(sight) == [f"text {seq}" for seq in range(8, 13)]


def test_when_the_lowest_in_sight_ends_the_one_above_it_takes_its_place() -> None:
    sight = filled(20)
    sight.scroll_by(7, 5, WIDE, NOW)
    sight.log.expire_message(12)
    assert last_words(sight) == [f"text {seq}" for seq in range(7, 12)]


def test_nobody_scrolls_beyond_the_beginning_or_the_end() -> None:
    sight = filled(20)
    sight.scroll_by(1_000, 5, WIDE, NOW)
    assert last_words(sight) == [f"text {seq}" for seq in range(5)]
    sight.scroll_by(1_000, 5, WIDE, NOW)
    assert last_words(sight) == [f"text {seq}" for seq in range(5)]
    sight.scroll_by(-1_000, 5, WIDE, NOW)
    assert not sight.looking_back
    assert last_words(sight)[-1] == "text 19"


def test_what_all_fits_does_not_scroll() -> None:
    sight = filled(4)
    sight.scroll_by(3, 5, WIDE, NOW)
    assert not sight.looking_back


def test_a_message_taller_than_the_screen_is_scrolled_through() -> None:
    sight = filled(1)
    sight.log.add_line(message(1, "\n".join(f"line {at}" for at in range(12))))
    assert last_words(sight) == [f"line {at}" for at in range(7, 12)]
    sight.scroll_by(3, 5, WIDE, NOW)
    assert last_words(sight) == [f"line {at}" for at in range(4, 9)]
    sight.log.add_line(message(2))
    assert last_words(sight) == [f"line {at}" for at in range(4, 9)]
    sight.scroll_by(-2, 5, WIDE, NOW)
    assert last_words(sight) == [f"line {at}" for at in range(6, 11)]


def test_what_has_ended_is_nowhere() -> None:
    sight = filled(3)
    sight.log.expire_message(1)
    sight.log.expire_message(1)
    sight.log.expire_message(77)
    assert last_words(sight) == ["text 0", "text 2"]


def test_own_words_stand_last_until_they_have_their_place() -> None:
    sight = filled(1)
    sight.log.add_pending(7, message(None, "mine"))
    sight.log.add_line(message(5, "theirs"))
    assert last_words(sight) == ["text 0", "theirs", "mine"]
    settled = sight.log.settle_pending(7)
    assert settled is not None
    assert sight.log.settle_pending(7) is None
    sight.log.add_line(message(6, "mine"))
    assert last_words(sight) == ["text 0", "theirs", "mine"]
    assert sight.log.pending_count == 0


def test_a_line_stands_above_what_came_unseen_until_it_is_read() -> None:
    sight = filled(2)
    sight.log.add_line(message(2), unread=True)
    sight.log.add_line(message(3), unread=True)
    assert [("new" in row, "text 2" in row) for row in in_sight(sight)][2:4] == [(True, False), (False, True)]
    sight.log.mark_read()
    assert not any("new" in row for row in in_sight(sight))


def test_no_more_is_kept_than_the_bounds_allow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SCROLLBACK", 10)
    sight = filled(50)
    sight.scroll_by(1_000, 5, WIDE, NOW)
    assert last_words(sight)[0] == "text 40"
    sight.log.expire_message(3)
    monkeypatch.setattr(limits, "SCROLLBACK_BYTES", 3_000)
    sight.log.add_line(message(60, "x" * 1_000))
    sight.log.add_line(message(61, "y" * 1_000))
    sight.scroll_to_end()
    assert len(in_sight(sight, 500)) < 60
    assert not any("text 45" in row for row in in_sight(sight, 500))


@pytest.mark.parametrize("how", ["it ends", "all is cleared"])
def test_what_was_in_sight_is_held_no_more_once_it_is_gone(how: str) -> None:
    sight = Sight(Scrollback())
    sight.log.add_line(message(1, "secret"))
    assert last_words(sight) == ["secret"]
    if how == "it ends":
        sight.log.expire_message(1)
    else:
        sight.log.clear()
    assert not [one for one in gc.get_objects() if isinstance(one, ChatMessage) and one.text == "secret"]


def test_what_is_shown_once_waits_for_somebody_to_look() -> None:
    sight = Sight(Scrollback())
    sight.log.add_line(message(1, "once", fleeting=True))
    in_sight(sight, now=NOW._replace(watched=False))
    assert not sight.log.drop_faded(NOW.now + 10 * limits.FLEETING)


def test_what_is_shown_once_is_gone_a_while_after_it_was_seen() -> None:
    sight = Sight(Scrollback())
    sight.log.add_line(message(1, "once", fleeting=True))
    assert not sight.log.drop_faded(NOW.now + 1_000)
    assert last_words(sight)[0].split() == ["once", "60s"]
    assert not sight.log.drop_faded(NOW.now + limits.FLEETING - 1)
    assert sight.log.drop_faded(NOW.now + limits.FLEETING)
    assert last_words(sight) == []
    sight.log.expire_message(1)


def test_after_clearing_only_what_is_on_its_way_is_left() -> None:
    sight = filled(20)
    sight.scroll_by(7, 5, WIDE, NOW)
    sight.log.add_pending(1, message(None, "mine"))
    sight.log.clear()
    assert last_words(sight) == ["mine"]
    sight.log.expire_message(3)


def test_an_entry_of_the_programs_can_be_taken_out() -> None:
    sight = filled(1)
    told = SystemLine(NOW.now, ["connecting"])
    sight.log.add_line(told)
    sight.log.remove_line(told)
    sight.log.remove_line(told)
    assert last_words(sight) == ["text 0"]


@pytest.mark.parametrize("mark", ["·", "!!"])
def test_where_there_is_no_column_of_nicks_what_the_program_says_is_read_whole(mark: str) -> None:
    sight = Sight(Scrollback())
    sight.log.add_line(SystemLine(NOW.now, ["x" * 99], mark=mark))
    drawn = in_sight(sight, 20, NARROW)
    assert "".join("".join(drawn).split()) == mark + "x" * 99


texts = st.text(st.sampled_from("ab 日\u0301\U0001f600\n/.-"), min_size=1, max_size=300)


class Looking(RuleBasedStateMachine):
    """Whatever happens, the rows in sight are as many as fit, each as wide as the log, and stand still while one
    looks back."""

    def __init__(self) -> None:
        super().__init__()
        self.log = Scrollback()
        self.sight = Sight(self.log)
        self.seqs: list[int] = []
        self.next = 0
        self.layout = WIDE
        self.height = 6

    @property
    def drawn(self) -> list[rows.Row]:
        return self.sight.draw_visible(self.height, self.layout, NOW)[0]

    @rule(text=texts, nick=st.sampled_from(["ann", "b" * 20]), until=st.sampled_from([None, NOW.now + 90]))
    def comes(self, text: str, nick: str, until: float | None) -> None:
        before = self.drawn if self.sight.looking_back else None
        self.log.add_line(message(self.next, text, nick=nick, until=until))
        self.seqs.append(self.next)
        self.next += 1
        assert before is None or self.drawn == before

    @rule(count=st.integers(1, 9))
    def move(self, count: int) -> None:
        moves = MembershipLine(NOW.now)
        for at in range(count):
            moves.add_move(f"m{at}", f"nick{at}", "joined")
        self.log.add_line(moves)

    @precondition(lambda self: self.seqs)
    @rule(data=st.data())
    def ends(self, data: st.DataObject) -> None:
        self.log.expire_message(self.seqs.pop(data.draw(st.integers(0, len(self.seqs) - 1))))

    @rule(by=st.integers(-40, 40))
    def scrolls(self, by: int) -> None:
        self.sight.scroll_by(by, self.height, self.layout, NOW)

    @rule()
    def up_and_down_again(self) -> None:
        """One row up and one down is where one was, unless that is beyond an end."""
        if self.sight.looking_back:
            before = self.drawn
            self.sight.scroll_by(-1, self.height, self.layout, NOW)
            if self.sight.looking_back:
                self.sight.scroll_by(1, self.height, self.layout, NOW)
                assert self.drawn == before

    @rule(layout=st.sampled_from([WIDE, NARROW, Layout(100, 20)]), height=st.integers(1, 12))
    def resizes(self, layout: Layout, height: int) -> None:
        self.layout, self.height = layout, height

    @rule()
    def latest(self) -> None:
        self.sight.scroll_to_end()
        self.log.mark_read()

    @invariant()
    def rows_fit(self) -> None:
        drawn = self.drawn
        assert len(drawn) <= self.height
        for row in drawn:
            assert sum(widths.width(text) for _, text in row) == self.layout.width
        if self.seqs:
            assert drawn


test_what_is_in_sight_holds_together = Looking.TestCase


@given(texts, st.integers(10, 80))
def test_wrapping_loses_no_letter_and_exceeds_no_width(text: str, columns: int) -> None:
    lines = [text[start:end] for start, end in widths.wrap(text, columns)]
    assert all(widths.width(line) <= columns for line in lines)
    assert letters("".join(lines)) == letters(text)


def letters(text: str) -> str:
    """A text without spaces, and without marks, which may stand on one where it is broken."""
    return "".join(text.replace("\u0301", "").split())


@given(texts, st.integers(0, 40))
def test_a_row_fills_just_its_columns(text: str, columns: int) -> None:
    row = rows.fit([("", text.replace("\n", " ")), ("bar", "│ x")], columns)
    assert sum(widths.width(piece) for _, piece in row) == columns


def entries() -> list[LogLine]:
    return [
        message(1),
        message(2, private=True, to="ben", mine=True),
        message(3, action=True),
        message(4, history=True),
    ]


@pytest.mark.parametrize("layout", [WIDE, NARROW])
@pytest.mark.parametrize("entry", entries(), ids=["plain", "private", "action", "history"])
def test_an_imitation_of_a_message_stands_right_of_the_bar(layout: Layout, entry: ChatMessage) -> None:
    """A text of many lines that look like other people's messages is still seen to be its author's."""
    entry.text = "hi\n12:00     ben │ not me\n· [SYSTEM] Tor is lost\n!! ALARM"
    drawn = text_of(entry.rows(layout, NOW))
    column = 6 + 8 if layout.nicks else 0
    for row in drawn[1:]:
        assert row[:column].strip() == ""
        assert row[column:].lstrip(" ")[0] in "│:║"


def test_a_nick_wider_than_its_column_is_shortened_and_moves_no_bar() -> None:
    drawn = text_of(message(1, "hello", nick="a" * limits.NICK).rows(WIDE, NOW))
    assert drawn[0].endswith(" aaaaaaa… │ hello")
    assert [row.index("│") for row in drawn] == [6 + 8 + 1]


@pytest.mark.parametrize("layout", [WIDE, Layout(100, 14)], ids=str)
@pytest.mark.parametrize("more", [{}, {"private": True}, {"private": True, "mine": True, "to": "ß" * 20}], ids=str)
def test_no_label_is_wider_than_its_column(layout: Layout, more: dict[str, Any]) -> None:
    looks = MemberLooks()
    looks.note_nick("日" * 19 + "本")
    for nick in ("a" * 20, "日" * 20, "anon-x93k"):
        looks.note_nick(nick)
        context = NOW._replace(looks=looks)
        drawn = text_of(ChatMessage(NOW.now, "abcdefghijkl", nick, "hello", 1, **more).rows(layout, context))
        assert [widths.width(row[: row.index("hello") - 2]) for row in drawn] == [6 + layout.nicks + 1]


def test_messages_in_a_row_stand_under_one_name_each_with_its_time() -> None:
    sight = filled(2)
    sight.log.add_line(message(2, "other", nick="bob"))
    sight.log.add_line(message(3, "more", nick="bob", until=NOW.now + 60))
    when = time_of_day(NOW.now)
    assert [row.split("│")[0].split() for row in in_sight(sight)] == [[when, "ann"], [when], [when, "bob"], [when]]


def test_on_a_narrow_screen_a_branch_of_the_bar_says_where_a_message_begins() -> None:
    sight = filled(0)
    sight.log.add_line(message(1, "one\ntwo"))
    sight.log.add_line(message(2, "three\nfour"))
    assert in_sight(sight, layout=NARROW)[1:] == ["│one", "│two", "├three", "│four"]


@pytest.mark.parametrize(
    "other",
    [
        message(2, private=True),
        message(2, action=True),
        message(2, reply=1),
        message(2, late=True),
        message(2, history=True),
        message(2, nick="anne"),
    ],
    ids=["private", "action", "reply", "late", "history", "renamed"],
)
def test_what_is_another_kind_of_message_has_a_name_of_its_own(other: ChatMessage) -> None:
    sight = filled(1)
    sight.log.add_line(other)
    sight.log.add_line(message(3))
    shown = in_sight(sight, 9)
    assert len([row for row in shown if re.match(r"\d\d:\d\d +(\*|ann)", row)]) == 3 - (other.is_reply or other.late)


def test_after_a_while_the_name_stands_there_again() -> None:
    sight = filled(1)
    sight.log.add_line(ChatMessage(NOW.now + 299, "ann", "ann", "soon", 2))
    sight.log.add_line(ChatMessage(NOW.now + 700, "ann", "ann", "later", 3))
    assert ["ann" in row for row in in_sight(sight)] == [True, False, True]


@pytest.mark.parametrize("layout", [WIDE, NARROW], ids=["wide", "narrow"])
def test_whose_the_topmost_message_is_can_be_seen(layout: Layout) -> None:
    sight = filled(20)
    for _ in range(12):
        assert ["ann" in row for row in in_sight(sight, 5, layout)] == [True, False, False, False, False]
        sight.scroll_by(1, 5, layout, NOW)


def test_whose_a_message_is_can_be_seen_wherever_one_looks_into_it() -> None:
    text = "\n".join(f"line {at}" for at in range(12))
    kinds: tuple[dict[str, Any], ...] = ({}, {"private": True}, {"action": True}, {"reply": 1})
    for layout, more in itertools.product((WIDE, NARROW), kinds):
        sight = filled(1)
        sight.log.add_line(message(1, text, nick="bob", **more))
        for _ in range(7):
            first, *rest = in_sight(sight, 5, layout)
            assert re.match(r"\d\d:\d\d +bob", first)
            assert first.endswith("…") if layout is NARROW else re.search("│|║", first)
            assert not any("bob" in row for row in rest)
            sight.scroll_by(1, 5, layout, NOW)


def test_all_of_a_text_is_in_sight_beside_a_name_that_was_put_there() -> None:
    sight = filled(1)
    sight.log.add_line(message(1, "\n".join(f"line {at}" for at in range(12)), nick="bob"))
    assert last_words(sight) == [f"line {at}" for at in range(7, 12)]


def test_a_line_says_that_another_day_has_begun() -> None:
    sight = filled(1)
    sight.log.add_line(ChatMessage(NOW.now + 86_400, "ann", "ann", "next", 2))
    sight.log.add_line(ChatMessage(NOW.now + 86_400, "ann", "ann", "too", 3))
    rows_of = in_sight(sight, 9)
    assert [row.split("│")[1].strip(" ─") for row in rows_of] == [
        "text 0",
        "Tuesday 13 January 1970",
        "next",
        "too",
    ]
    assert "ann" in rows_of[2]
    assert {row.index("│") for row in rows_of} == {15}  # nothing crosses the bar


def test_who_has_the_nick_of_the_one_before_stands_under_a_name_of_its_own() -> None:
    sight = Sight(Scrollback())
    sight.log.add_line(message(1))
    sight.log.add_line(message(2))
    assert sum("ann" in row for row in in_sight(sight, layout=NARROW)) == 1
    sight.log.add_line(ChatMessage(NOW.now, "another", "ann", "hello", 3))
    assert sum("ann" in row for row in in_sight(sight, layout=NARROW)) == 2


# --- messages of very many lines


@pytest.mark.parametrize("layout", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("more", [{}, {"action": True}, {"private": True}, {"until": NOW.now + 60}], ids=str)
def test_one_message_does_not_push_all_others_out_of_reach(layout: Layout, more: dict[str, Any]) -> None:
    sight = Sight(Scrollback())
    sight.log.add_line(message(1, "before", nick="bob"))
    sight.log.add_line(message(2, "\n" * limits.TEXT, **more))
    shown = in_sight(sight, 3 * UNFOLDED, layout)
    assert any("before" in row for row in shown)
    assert FOLDED < len(shown) < FOLDED + 8
    words = " ".join(row.rpartition("│")[2] for row in shown[-4:])
    assert "… 3,991 more lines: Alt-O shows all" in " ".join(words.split())


def test_that_lines_are_left_out_stands_beside_a_mark_that_is_no_nick() -> None:
    sight = Sight(Scrollback())
    sight.log.add_line(message(1, "\n".join(f"line {number}" for number in range(99))))
    *_, last, told = in_sight(sight, 99)
    assert last == "               │ line 9"
    assert told[5:].startswith("        · │ … 89 more lines")


def test_all_lines_of_the_messages_in_sight_are_shown_when_asked_for() -> None:
    sight = Sight(Scrollback())
    sight.log.add_line(message(1, "\n".join(f"line {number}" for number in range(99))))
    folded = in_sight(sight, 200)
    sight.toggle_long_messages(200, WIDE, NOW)
    shown = in_sight(sight, 200)
    assert [row.partition("│ ")[2] for row in shown] == [f"line {number}" for number in range(99)]
    sight.log.add_line(message(2, "\n" * limits.TEXT))
    assert len(in_sight(sight, 200)) == 99 + FOLDED + 1
    sight.toggle_long_messages(200, WIDE, NOW)
    assert in_sight(sight, 200)[: len(folded)] == folded


def test_a_message_that_is_not_long_is_whole() -> None:
    sight = Sight(Scrollback())
    sight.log.add_line(message(1, "\n".join("x" * UNFOLDED)))
    assert len(in_sight(sight, 99)) == UNFOLDED


@pytest.mark.parametrize("layout", [WIDE, NARROW], ids=["wide", "narrow"])
def test_a_message_that_is_unfolded_is_read_from_its_beginning(layout: Layout) -> None:
    sight = filled(9)
    sight.log.add_line(message(20, "\n".join(f"line {number}" for number in range(99)), nick="bob"))
    sight.log.add_line(message(21, "after"))
    in_sight(sight, 15, layout)
    assert sight.toggle_long_messages(15, layout, NOW)
    lines = [row.partition("│")[2].strip() for row in in_sight(sight, 15, layout)]
    assert [line for line in lines if line] == [f"line {number}" for number in range(15 - (layout is NARROW))]
    assert sight.toggle_long_messages(15, layout, NOW)
    words = " ".join(in_sight(sight, 15, layout))
    assert "line 9" in words
    assert "after" in words
    assert not sight.looking_back


def test_of_several_long_messages_the_one_that_is_selected_is_unfolded() -> None:
    sight = Sight(Scrollback())
    assert not sight.toggle_long_messages(200, WIDE, NOW)
    for seq in (1, 2):
        sight.log.add_line(message(seq, "\n" * 50))
    in_sight(sight, 200)
    sight.select_message(sight.log.find_message(2))
    sight.toggle_long_messages(200, WIDE, NOW)
    assert [sight.log.find_message(seq).whole for seq in (1, 2)] == [False, True]  # type: ignore[union-attr]
