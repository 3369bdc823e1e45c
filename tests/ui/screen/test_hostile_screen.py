"""Nothing that somebody sends harms the terminal or deceives its reader: the corpus on one, in all three modes."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pyte
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wcwidth import wcwidth

from anonp2p.limits import LINES_SHOWN
from anonp2p.ui.replies import JOINING_BY_PASTE
from anonp2p.ui.sanitize import sanitize_line, sanitize_text
from anonp2p.ui.screen.log_lines import FOLDED, UNFOLDED
from anonp2p.ui.wording import fold_text
from tests.support import hostile, terminal
from tests.support.hostile import Guard, Room, any_name, batches, essence, laid, look
from tests.support.stage import Stage
from tests.ui.corpus import CORPUS, KINDS, sample

SHAPES = {"wide": (100, 50), "narrow": (50, 30)}
MARKS = r"·|!|!!|↔|•|\*|ben|ann"
FEW = list(sample(2))
kinds = pytest.mark.parametrize("kind", list(KINDS))


@contextmanager
def in_room(shape: str = "wide") -> Iterator[Room]:
    columns, rows = SHAPES[shape]
    with Stage("--nick", "zo1", columns=columns, rows=rows) as stage:
        yield Room(stage)


class Printed:
    """Line or JSON mode in a room of ours, with ben in it, on a terminal so high that nothing scrolls."""

    def __init__(self, mode: str) -> None:
        arguments = "--nick", "zo1", "create", "demo"
        # On a dumb terminal line mode has no input line, which would be drawn between what is looked at here.
        self.stage = Stage(*arguments, mode=mode, pty=True, columns=80, rows=2_000, term="dumb").__enter__()
        self.stage.until("reachable" if mode == "json" else "Others can join")
        self.stage.ask("join", who="ben")
        if mode == "line":  # else it would ring if the tests take longer than its user is taken to be there
            self.stage.type("/notify none\n").until("Nothing here calls you")
        # Each coming and going is to be told here, and that they may be a raid is not.
        self.stage.ask("bound", limit="MOVES_TOLD", number=10**6)
        self.stage.ask("bound", limit="RAID_SECONDS", number=-1)
        self.guard = Guard(self.stage)

    def wipe(self) -> None:
        """Nothing is on the terminal."""
        self.stage.wipe()
        self.guard.written()

    def lines(self) -> list[str]:
        """What was printed since, in lines: nothing but characters, on which the screen agrees."""
        rows = self.stage.settled()
        new = self.guard.written()
        self.guard.check(new)
        assert new.endswith("\r\n") or not new
        new = re.sub(r" {80}\r(?!\n)", "", new)  # to a fresh row, were anything half typed
        lines = new.split("\r\n")[:-1]
        expected = laid(new.replace("\r\n", "\n"), 80)
        assert rows[: len(expected)] == expected
        assert not any(rows[len(expected) :])
        return lines


class Printers:
    """The program in line and JSON mode, which many tests use in turn, each until a test fails on it."""

    def __init__(self) -> None:
        self._made: dict[str, Printed] = {}

    @contextmanager
    def borrowed(self, mode: str) -> Iterator[Printed]:
        if mode not in self._made:
            self._made[mode] = Printed(mode)
        try:
            self._made[mode].wipe()
            yield self._made[mode]
        except BaseException:
            self._made.pop(mode).stage.__exit__(None, None, None)
            raise

    def end(self) -> None:
        for made in self._made.values():
            made.stage.__exit__(None, None, None)


@pytest.fixture(scope="module")
def printers() -> Iterator[Printers]:
    made = Printers()
    try:
        yield made
    finally:
        made.end()


# --- the corpus


def test_the_corpus_is_large_and_each_of_it_can_be_sent() -> None:
    assert len(set(CORPUS.values())) == len(CORPUS) > 300
    assert all(0 < len(text.encode()) <= 4_000 for text in CORPUS.values())


@pytest.mark.parametrize("shape", SHAPES)
def test_on_the_full_screen_what_is_said_stays_right_of_the_bar(shape: str) -> None:
    with in_room(shape) as place:
        for kind in KINDS:
            place.empty()
            _assert_shown(place, list(KINDS[kind].values())[:: 4 if place.is_narrow else 1])  # that is enough


def _assert_shown(place: Room, sent: list[str]) -> None:
    marks = (
        "ben|·" if any(fold_text(sanitize_text(text), UNFOLDED, FOLDED)[1] for text in sent) else "ben"
    )  # that lines are left out
    for texts in batches(sent, place.bar - place.x, len(place.log)):
        place.says(texts)
        said = [part for part in place.shown(marks) if part[0] != "·"]
        if place.is_narrow:  # who goes on talking is not named again
            seen = "".join(essence(text) for _, text in said)
            meant = "".join(essence(fold_text(sanitize_text(text), UNFOLDED, FOLDED)[0]) for text in texts)
            assert seen.endswith(meant) or meant.endswith(seen), "\n".join(place.stage.screen())
        else:
            for (_, seen), text in zip(said[-len(texts) :], texts, strict=False):
                meant = essence(fold_text(sanitize_text(text), UNFOLDED, FOLDED)[0])
                is_whole = len(texts) > 1 or len(said) > 1
                assert essence(seen) == meant if is_whole else meant.endswith(essence(seen)), ascii(text)


@kinds
def test_in_line_mode_it_is_the_lines_of_who_said_it(kind: str, printers: Printers) -> None:
    with printers.borrowed("line") as mode:
        texts = list(KINDS[kind].values())
        mode.stage.ask("says", who="ben", texts=texts)
        shown = mode.lines()
        lines = [line for line in shown if not line.startswith("[SYSTEM] … ")]
        assert len(shown) - len(lines) == sum(
            fold_text(sanitize_text(text), LINES_SHOWN, LINES_SHOWN)[1] > 0 for text in texts
        )
        assert not [line for line in lines if line.strip(" ") and not line.startswith(("ben:", "    "))]
        assert not [row for line in lines for row in laid(line, 80)[1:]], "one row each: none begins anywhere else"
        said = re.split(r"(?:^|\n)ben:", "\n".join(lines))[1:]
        assert [essence(text) for text in said] == [
            essence(fold_text(sanitize_text(text), LINES_SHOWN, LINES_SHOWN)[0]) for text in texts
        ]


def test_in_line_mode_no_row_begins_like_one_of_the_programs(printers: Printers) -> None:
    """Lines are the terminal's to wrap: a text with so many spaces before it must not begin its next row."""
    with printers.borrowed("line") as mode:
        for padding in (" ", "\u3000", "\u00a0", "x"):
            for said in ("[SYSTEM] The room was closed by its host", "ann: I owe you money"):
                mode.stage.ask(
                    "says", who="ben", texts=[padding * ((75 + n) // wcwidth(padding)) + said for n in (0, 1, 80)]
                )
        forged = [row for row in mode.stage.settled() if row.startswith(("[SYSTEM]", "ann: "))]
        assert not forged


def test_a_mark_on_our_nick_takes_nothing_from_the_row() -> None:
    with in_room() as place:
        width = place.bar - place.x
        for mark in ("\u0301", "\u20dd", "\ufe0f\u20e3", "\u0301\u0302\u0303\u0304", "\u0489"):
            text = f"zo1{mark}"
            text += "x" * (width - 4) + "7"
            place.says([text])
            assert place.shown()[-1][1].replace("\ufe0f", "").endswith("x7"), ascii(place.shown()[-1][1])


def test_a_cluster_without_end_does_not_end_the_program() -> None:
    for one in "\u1100\ua960\u0e33\u0eb3\uff9e\u0d4e\U000111c2\U0001f3fd":
        with in_room("narrow") as place:
            place.says([one * 300, f"{one}{one} " * 40])
            place.shown()


# --- a terminal of another mind about widths


def _judge(more: int, chosen: Callable[[str], bool]) -> Callable[[str], int]:
    return lambda one: max(1, min(2, wcwidth(one) + more)) if wcwidth(one) > 0 and chosen(one) else wcwidth(one)


OPINIONS = {
    "all wider": _judge(1, lambda one: ord(one) > 0x7F),
    "all narrower": _judge(-1, lambda one: ord(one) > 0x7F),
    "emoji narrower": _judge(-1, lambda one: ord(one) >= 0x1F000),
    "ambiguous wider": _judge(1, lambda one: "\u00a1" <= one < "\u3000"),
    "marks take a cell": lambda one: 1 if wcwidth(one) == 0 and ord(one) > 0x7F else wcwidth(one),
}


@pytest.mark.parametrize(
    ("opinion", "shape"), [*((one, "wide") for one in OPINIONS), ("all wider", "narrow"), ("all narrower", "narrow")]
)
def test_other_widths_move_nothing_of_the_programs(opinion: str, shape: str, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = sample(8, 4_000, kinds=("combining", "hangul", "wide", "ambiguous", "surprising", "selectors", "bidi"))
    with in_room(shape) as place:
        monkeypatch.setattr(pyte.screens, "wcwidth", OPINIONS[opinion])
        monkeypatch.setattr(terminal, "wcwidth", OPINIONS[opinion])
        place.empty()
        place.stage.ask("says", who="ben", texts=[hostile.LOOKS, hostile.PLAIN])
        place.stage.key("ctrl l")
        place.stage.settled()
        place.learn()
        for batch in batches(texts, place.bar - place.x, len(place.log) // 2):
            place.says(batch)
            for y in place.log:  # the bar left of the texts, too
                left = "".join(cell.data for cell in place.row(y)[: max(place.x, 6)])
                assert re.match(
                    r"[│├]|12:\d\d" if place.is_narrow and left.strip() else r"(12:\d\d +(ben)?| +) ?│|$", left.rstrip()
                ), (y, left)


# --- every other field


def told(text: str) -> list[dict[str, Any]]:
    """Events with this text in each field that is ever shown, but for those that are not one line of the log."""
    at = {"room": "r1", "member": "m"}
    return [
        {"type": "notice", "text": text},
        {"type": "kicked", "room": "r1", "why": text},
        {"type": "removed", **at, "nick": text},
        {"type": "assigned-nick", "room": "r1", "nick": text, "wanted": text, "free_in": 600},
        {"type": "unchanged-nick", "room": "r1", "nick": text},
        {"type": "tor-skipped", "code": text, "text": text, "variable": text},
        {"type": "error", "room": "r1", "code": text, "text": text},
        {"type": "unsent", "room": "r1", "text": text},
        {"type": "joined", **at, "nick": text},
        *({"type": "left", **at, "nick": text, "reason": why} for why in ("left", "lost", "kicked")),
        {"type": "left", **at, "nick": "ann", "reason": "kicked", "why": text},
        {"type": "leave-ends-room", "room": "r1", "name": text, "others": 2, "away": 0, "closes": False, "asks": True},
        {"type": "nick", **at, "nick": text, "was": "ann"},
        {"type": "nick", **at, "nick": "ann", "was": text},
        {"type": "reply", "command": "/rooms", "room": "r1", "data": [_listed(text)]},
        {"type": "verified", **at, "nick": text, "verified": True},
        {"type": "role", **at, "nick": text, "role": "muted", "by": "n"},
        *({"type": "ban", **at, "nick": text, "banned": banned, "by": "n"} for banned in (True, False)),
        {"type": "kept", **at, "nick": text, "by": "n"},
        {"type": "message", **at, "nick": text, "text": "said", "seq": 901, "at": 1_700_049_600},
        {"type": "message", **at, "nick": "ann", "text": text, "seq": 902, "at": 1_700_049_600, "action": True},
        {"type": "message", **at, "nick": "ann", "text": text, "seq": 903, "at": 1_700_049_600, "private": True},
        {"type": "message", **at, "nick": "ann", "text": text, "seq": 904, "at": 1_700_049_600, "private": True}
        | {"to": text, "mine": True},
        {"type": "message", **at, "nick": text, "text": text, "seq": 905, "at": 1_700_049_600, "action": True},
        {"type": "message", **at, "nick": "ann", "text": text, "seq": 906, "at": 1_700_049_600, "ttl": 3_600},
        {"type": "message", **at, "nick": "ann", "text": text, "seq": 907, "at": 1_700_049_600, "history": True},
    ]


def _listed(text: str) -> dict[str, Any]:
    return {"room": "r1", "name": text, "code": text, "role": "host", "members": 2, "active": True, "alarm": False}


def told_aside(text: str) -> list[dict[str, Any]]:
    """Events that change more of the full screen than its log."""
    at = {"room": "r1", "member": "m"}
    people = [{"member": "m", "nick": text, "role": "member", "tag": text}]
    new = {"type": "room", "name": text, "code": text, "nick": text, "member": "n", "members": people}
    return [
        {"type": "leave-hands-over", **at, "name": text, "nick": text},
        {"type": "alarm", **at, "reason": text},
        {"type": "lookalike", **at, "nick": text, "was": text},
        {"type": "tor", "progress": 50, "summary": text},
        {"type": "link", "room": "r1", "state": "lost", "attempt": 0, "detail": text},
        {"type": "link", "room": "r1", "state": "connecting", "attempt": 1, "detail": text},
        {"type": "verified", **at, "nick": text, "verified": False},
        {"type": "reply", "command": "/who", "room": "r1", "data": people},
        {"type": "reply", "command": "/verify", "room": "r1", "data": {"nick": text, "words": [text, "b"], "me": text}},
        {"type": "reply", "command": "/code", "room": "r1", "data": {"code": text}},
        {"type": "reply", "command": "/quiet", "room": "r1", "data": [{**at, "seq": 1, "nick": text, "words": text}]},
        {**new, "room": "r8", "role": "member"},
        {"type": "gone", "room": "r8", "reason": "left"},
        {**new, "room": "r9", "role": "host"},
        {"type": "gone", "room": "r9", "reason": "left"},
    ]


@pytest.mark.parametrize("turn", range(4))
def test_in_line_mode_every_field_stays_in_lines_of_the_programs(turn: int, printers: Printers) -> None:
    with printers.borrowed("line") as mode:
        events = [(text, event) for text in FEW[turn::4] for event in told(text) + told_aside(text)]
        end = {"type": "notice", "text": "* * *"}
        mode.stage.ask("tells", told=[part for _, event in events for part in (event, end)])
        *groups, rest = "\n".join(mode.lines()).split("[SYSTEM] * * *")
        assert (len(groups), rest) == (len(events), "")
        for (text, event), group in zip(events, groups, strict=True):
            first, *further = group.strip("\n").split("\n")
            if event["type"] == "message":
                assert essence(first).removeprefix("demo/").startswith(essence(sanitize_line(event["nick"])))
            else:
                assert first.startswith("[SYSTEM] ")
            own = f"[SYSTEM] {JOINING_BY_PASTE}"
            assert not [line for line in further if line.strip(" ") and not line.startswith("    ") and line != own]
            meant, seen = (essence(part).replace("⏎", "") for part in (sanitize_line(text), group))
            assert event["type"] == "gone" or meant.strip("\ufffd") in seen, ascii(group)


@pytest.mark.parametrize("turn", range(4))
def test_in_json_mode_every_field_is_one_line_of_the_same_data(turn: int, printers: Printers) -> None:
    with printers.borrowed("json") as mode:
        events = [event for text in FEW[turn::4] for event in told(text) + told_aside(text)]
        mode.stage.ask("tells", told=events)
        for event, line in zip(events, mode.lines(), strict=True):
            seen = json.loads(line)
            assert {name: seen.get(name) for name in event} == event


def test_on_the_full_screen_every_field_stays_right_of_the_bar() -> None:
    with in_room() as place:
        for text in FEW:
            place.stage.ask("tells", told=told(text))
            place.stage.settled()
            place.guard.check()
            place.assert_whole()
            seen = essence("".join(text for _, text in place.shown(rf"{MARKS}|.*", names=True)))
            meant, _ = fold_text(sanitize_text(text), UNFOLDED, FOLDED)
            assert essence(meant).strip("\ufffd") in seen, ascii(text)


@pytest.mark.parametrize("kind", ["alarm", "lookalike"])
def test_a_warning_is_one_over_all_its_rows_and_then_gone(kind: str) -> None:
    with in_room() as place:
        for at in range(0, len(FEW), 6):
            text = " ".join(FEW[at : at + 6])
            said = {"reason": text} if kind == "alarm" else {"nick": text, "was": text}
            place.stage.ask("tell", event={"type": kind, "room": "r1", "member": "m", **said})
            rows = place.stage.settled()
            place.guard.check()
            style = look(place.row(1)[0])
            assert rows[1].startswith("demo: ")
            height = next(y for y in range(1, place.rows) if look(place.row(y)[0]) != style)
            assert height > 1
            assert all({look(cell) for cell in place.row(y)} == {style} for y in range(1, height))
            fixed = place.fixed()
            for (x, y), cell in place.usual.items():  # what stands below it is the same, further down
                if 0 < y < place.rows - height - 1:
                    assert fixed[x, y + height - 1] == cell, (x, y)
                assert fixed[x, y] == cell or y < place.rows - 2
            place.stage.key("esc")
            place.stage.until(lambda rows: not rows[1].startswith("demo: "))
            place.empty()
            place.assert_whole()


def test_who_takes_over_any_room_is_told_above_the_input_line() -> None:
    with in_room() as place:
        usual = {look(cell) for y in place.log for cell in place.row(y)}
        for text in FEW[::2]:
            event = {"type": "leave-hands-over", "room": "r1", "member": "m", "name": text, "nick": text}
            place.stage.ask("tell", event=event)
            rows = place.stage.settled()
            place.guard.check()
            assert essence(sanitize_line(text))[:6] in essence("".join(rows[1:-2])), ascii(text)
            assert {look(cell) for y in place.log for cell in place.row(y)} <= usual
            place.stage.key("up").settled()


def test_a_room_of_any_name_has_a_tab_a_status_and_a_card_and_no_more() -> None:
    with in_room() as place:
        styles = {look(cell) for y in (0, place.rows - 2) for cell in place.row(y)}
        place.stage.ask("tell", event={"type": "joined", "room": "r9", "member": "m", "nick": "x"})
        place.stage.settled()
        styles |= {look(cell) for cell in place.row(0)}
        usual = place.row(place.rows - 2)
        at = "".join(cell.data or " " for cell in usual).index("Tor")
        place.stage.ask("tell", event={"type": "gone", "room": "r9", "reason": "left"})
        for text in FEW[::2]:
            *_, member, gone, host, gone_too = told_aside(text)
            for new, end in ((member, gone), (host, gone_too)):
                place.stage.ask("tell", event=new)
                place.stage.settled()
                place.guard.check()
                for y in (0, place.rows - 2):
                    assert {look(cell) for cell in place.row(y)} <= styles, ascii(text)
                tabs, status = (terminal.row(place.stage.picture(), y) for y in (0, place.rows - 2))
                number = new["room"].removeprefix("r")
                assert tabs.startswith(f" 1 demo  {number} ")
                assert tabs.endswith("F1 help")
                assert essence(tabs).removeprefix(f"1demo{number}").startswith(essence(sanitize_line(text))[:6])
                assert "".join(cell.data for cell in place.row(place.rows - 2)[at:]) == "Tor " + " " * (
                    100 - at - 4
                ) or (status.endswith(("Tor", "link up"))), status
                assert place.stage.screen()[-1] == "zo1>"
                place.stage.ask("tell", event=end)
            place.stage.settled()
            place.guard.check()
            place.assert_whole()


def slow(summary: str) -> dict[str, Any]:
    return {"type": "tor-slow", "progress": 50, "summary": summary, "seconds": 30}


def test_how_far_tor_is_may_be_said_in_any_words() -> None:
    with Stage("--nick", "zo1", columns=100, rows=30, slow_boot=True) as stage:
        stage.ask("boot", progress=50, summary="summary")
        stage.ask("tell", event=slow("notice"))
        stage.until("notice")
        guard = Guard(stage)
        before = stage.screen()
        at = next(y for y, row in enumerate(before) if "summary" in row)
        for text in FEW[1::2]:
            stage.ask("boot", progress=50, summary=text)
            stage.ask("tell", event=slow(text))
            rows = stage.settled()
            guard.check()
            assert rows[:at] == before[:at]
            assert rows[-2:] == before[-2:]
            assert [row for row in rows[at:-2] if row.startswith("  F1 lists")] == [
                "  F1 lists all commands and keys. Ctrl-C twice leaves."
            ]
            assert all(row.startswith("  ") for row in rows[at:-2] if row)
            stalled = f"Tor has been at 50 % ({text}) for 30 seconds. Is this machine online?"
            assert essence(sanitize_line(text)) + essence(sanitize_line(stalled)) == essence(
                "".join(rows[at : rows.index("  F1 lists all commands and keys. Ctrl-C twice leaves.")])
            )


# --- names of members and rooms, were they not looked at before


def _named(texts: list[str]) -> None:
    """A room of such a name, whose host and members have such nicks, and so have we."""
    name, host, mine, *others = texts
    with any_name(), Stage(f"--nick={mine}", columns=100, rows=40) as stage:
        stage.settled()
        code = stage.ask("found", who=host, name=name)["code"]
        for who in others:
            stage.ask("join", who=who, of=host)
        stage.type(f"/join {code}").key("enter")
        stage.until(r" \d+ here")
        rows = stage.settled()
        guard = Guard(stage)
        y = next(y for y, row in enumerate(rows) if re.search(rf"│ {len(texts) - 1} here", row))
        line = [stage.attributes(x, y) for x in range(100)]
        bar = next(x for x, cell in enumerate(line) if cell.data == "│")
        members = []
        for below in range(1, 38):
            cells = [stage.attributes(x, below) for x in range(100)]
            assert cells[bar].data == "│", f"row {below}\n" + "\n".join(rows)
            members.append("".join(cell.data for cell in cells[bar + 1 :]).rstrip(" "))
        assert members[0] == f" {len(texts) - 1} here"
        people = [found for row in members[1:] if (found := re.fullmatch(r"([@ ])(.+?) +([a-z2-7]{8})", row))]
        assert len(people) == len([row for row in members[1:] if row]) == len(texts) - 1
        assert [found[1] for found in people] == ["@", *" " * (len(texts) - 2)]
        wanted = [essence(sanitize_line(nick)) for nick in (host, mine, *others)]
        for found in people:
            assert any(nick.startswith(essence(found[2]).removesuffix("…")) for nick in wanted)
        assert rows[0].startswith(" 1 ")
        assert rows[0].endswith("F1 help")
        assert rows[-2].endswith("Tor · link up")
        prompt = essence(sanitize_line(mine)) + ">"
        assert essence(rows[-1]) == prompt
        before = stage.screen()
        for typed in ("/who", "/code", "/qr", "/rooms", "/verify"):
            stage.type(typed).key("enter")
            stage.settled()
            if typed in ("/who", "/code", "/qr"):
                stage.key("esc")
                stage.until(lambda rows: rows == before)
            guard.check()
        stage.key("tab")
        stage.settled()
        guard.check()


@pytest.mark.parametrize("turn", range(3))
def test_names_of_any_kind_stay_where_names_are(turn: int) -> None:
    texts = [
        text for text in sample(4, 24) if sanitize_line(text).strip() and text.strip() == text and "\0" not in text
    ]
    _named(list(dict.fromkeys(texts))[turn::3][:20])


@pytest.mark.parametrize(("columns", "rows"), [(100, 30), (60, 20), (30, 12), (20, 6)])
def test_proper_names_that_are_hard_to_draw_stay_where_names_are(columns: int, rows: int) -> None:
    nicks = ["\u1100" * 20, "\u65e5" * 20, "\u05d0" * 20, "\u0e01\u0e4d" * 10, "\ua960" * 20, "\uac00" * 20]
    with Stage("--nick", "zo1", columns=columns, rows=rows) as stage:
        stage.settled()
        stage.type(f"/create {chr(0x1100) * 40}").key("enter")
        stage.until("reachable")
        for nick in nicks[:1]:
            stage.ask("join", who=nick)
            stage.ask("says", who=nick, texts=["hello", "zo1: hello", "x" * 300])
            stage.settled()
            stage.ask("tell", event={"type": "lookalike", "room": "r1", "member": "m", "nick": nick, "was": nick})
            stage.settled()
        for typed in ("/who", "/code", "/rooms"):
            stage.type(typed).key("enter")
            stage.settled()
        assert not stage.is_over


# --- what is typed


def test_what_is_pasted_is_harmless_before_it_is_sent() -> None:
    with in_room() as place:
        for text in sample(3, 2_000):
            if "\x1b[201~" in text:
                continue  # a terminal's to leave out
            place.stage.paste(text)
            place.stage.settled()
            place.guard.check()
            assert place.row(0) == [place.usual[x, 0] for x in range(place.columns)], ascii(text)
            rows = place.stage.screen()
            y = next(y for y, row in enumerate(rows) if row.endswith("Tor · reachable"))
            assert place.row(y) == [place.usual[x, place.rows - 2] for x in range(place.columns)]
            assert rows[y + 1].startswith("zo1> ") or y + 1 + 8 == place.rows
            place.stage.key("ctrl c")
            place.stage.until(lambda rows: rows[-1] == "zo1>")
            place.stage.settled()
            place.guard.check()
            place.assert_whole()


def test_what_was_typed_and_comes_back_is_harmless() -> None:
    with in_room() as place:
        typed = [text for text in sample(1, 40) if not any(ord(one) < 0x20 or ord(one) == 0x7F for one in text)]
        for text in typed:
            place.stage.type(text)
            shown = place.stage.settled()[-1]
            place.guard.check()
            place.stage.key("enter", "up")
            back = place.stage.settled()[-1]
            place.guard.check()
            if text.strip() and text[0] != "/":
                assert back == shown, ascii(text)
            place.stage.key("ctrl e", "ctrl u")
            place.stage.settled()
            place.guard.check()
            place.assert_whole()


# --- all of it together

pieces = st.one_of(
    st.sampled_from(sorted(text for text in CORPUS.values() if len(text) < 80)),
    st.sampled_from(
        ["\n", " ", "\u3000", "zo1", "https://x.example/", "\u0301", "\ufe0f", "\u200d", "\u65e5", "x" * 60]
    ),
    st.text(max_size=8),
)


def test_whatever_is_said_stays_right_of_the_bar() -> None:
    with in_room() as place:

        @given(st.lists(pieces, min_size=1, max_size=12).map("".join))
        @settings(max_examples=30, deadline=None, database=None, derandomize=True)
        def check(text: str) -> None:
            text = "\n".join(text.encode("utf-8", "ignore")[:3_900].decode("utf-8", "ignore").split("\n")[:UNFOLDED])
            place.says([text or "x"])
            assert essence(place.shown()[-1][1]) == essence(sanitize_text(text or "x"))

        check()
