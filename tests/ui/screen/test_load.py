"""The full screen where much is said, and what stays of it once it is gone."""

import functools
import gc
import re
import time
import types
from collections.abc import Iterator

import pytest
import urwid

from anonp2p import app
from anonp2p.ui.screen.screen import Screen
from tests.support.memory import contains_any, describe_object, find_untold
from tests.support.stage import Stage

CHANNELS = ("MemorySendChannel", "MemoryReceiveChannel", "MemoryChannelState", "MemoryChannelStatistics")
OURS = ("anonp2p/ui/", "urwid/")
CACHE = type(functools.cache(len))


def batch(stage: Stage, count: int, text: str) -> None:
    """Two people, since a host takes but so much from one, say so many things at once."""
    for who in ("ben", "cho"):
        stage.ask("many", who=who, count=count // 2, text=text, background=True)


def room(stage: Stage, name: str = "demo", people: tuple[str, ...] = ("ben", "cho")) -> None:
    stage.settled()
    stage.type(f"/create {name}\n").until("Others can join now")
    for who in people:
        stage.ask("join", who=who)
    stage.settled()


# --- very many at once


def test_what_is_typed_in_a_batch_arrives_and_the_last_of_it_is_shown() -> None:
    with Stage("--nick", "ada", columns=100, rows=30, pty=True) as stage:
        room(stage)
        batch(stage, 2_000, "burst {n} of many")
        stage.until(r"│ burst \d+ of many")
        typed = ""
        while not stage.find("burst 999 of many"):
            key = "abcdefghij"[len(typed) % 10]
            typed += key
            stage.type(key).until(lambda rows: "".join(rows).endswith(typed[-50:]))  # noqa: B023  # called here and now
        assert typed, "it went on while we typed"
        stage.key("ctrl u").type("in the middle\n")
        for who in ("ben", "cho"):
            stage.ask("say", who=who, text="That was all.")
        shown = stage.settled()
        assert sum("burst " in row for row in shown) > 20
        assert any("│ burst 999 of many" in row for row in shown)
        while not stage.find("ada │ in the middle"):  # one of the two may have gone on for long
            before = stage.screen()
            assert stage.key("page up").settled() != before, "it is nowhere"


# --- what is gone


def _reached() -> tuple[list[object], dict[int, object]]:
    """The objects that the screen can reach, and what holds each. Rooms and the network are not the screen's."""
    [tui] = [one for one in gc.get_objects() if isinstance(one, Screen)]
    roots: list[object] = [tui, urwid.CanvasCache.__dict__]
    for one in gc.get_objects():
        match one:
            case types.CoroutineType():
                file = one.cr_code.co_filename
            case types.GeneratorType():
                file = one.gi_code.co_filename
            case types.AsyncGeneratorType():
                file = one.ag_code.co_filename
            case _:
                file = OURS[0] if isinstance(one, CACHE) else ""
        if any(place in file for place in OURS):
            roots.append(one)
    visited = {id(roots)}
    holders: dict[int, object] = {}
    reached = []
    while roots:
        one = roots.pop()
        if id(one) in visited or _is_foreign(one):
            continue
        visited.add(id(one))
        reached.append(one)
        for other in (*gc.get_referents(one), *find_untold(one)):
            if id(other) not in visited:
                holders.setdefault(id(other), one)
                roots.append(other)
    return reached, holders


def _is_foreign(one: object) -> bool:
    """Whether it leads out of the screen."""
    kind = type(one)
    if isinstance(one, types.ModuleType | type | types.FrameType | app.App):
        return True
    if isinstance(one, dict) and "__builtins__" in one:
        return True
    places = ("trio", "anonp2p.room.room", "anonp2p.net", "tests", "msgspec")
    return kind.__module__.startswith(places) and kind.__name__ not in CHANNELS


@pytest.fixture
def watched() -> Iterator[Stage]:
    with Stage("--nick", "ada") as stage:
        room(stage)
        yield stage


def kept(stage: Stage, text: str) -> list[str]:
    """What of the screen still has this."""
    stage.settled()
    gc.collect()
    reached, holders = _reached()
    return [describe_object(one, holders) for one in reached if contains_any(one, (text.encode(),), [text])]


THEIRS, MINE, DRAFTED = "zanzibar", "quagmire", "xylophone"


def say(stage: Stage) -> None:
    """They say something and so do we; both have been seen."""
    stage.ask("say", who="ben", text=f"ada: {THEIRS} and ünïcödé")
    stage.type(f"/me likes {MINE}\n").until(f"likes {MINE}")
    stage.until(THEIRS)
    assert kept(stage, THEIRS)
    assert kept(stage, MINE)


def test_of_what_has_expired_the_screen_keeps_nothing(watched: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    watched.ask("retain", who="ben", text="1h")
    watched.type("/retain 1h\n")
    watched.settled()
    say(watched)
    watched.key("page up", "f2", "f2", "end").resize(100, 30).settled()
    clock = time.clock_gettime  # the machine sleeps for an hour, as one of its clocks counts
    monkeypatch.setattr(time, "clock_gettime", lambda which: clock(which) + 3_600 * (which == time.CLOCK_BOOTTIME))
    watched.until(lambda rows: not any(THEIRS in row or MINE in row for row in rows))
    watched.until(lambda _: not (kept(watched, THEIRS) or kept(watched, MINE)), 10)
    watched.key("up")
    assert MINE not in watched.settled()[-1]


def test_of_what_was_cleared_the_screen_keeps_nothing(watched: Stage) -> None:
    say(watched)
    watched.type("/clear\n").until(lambda rows: not any(THEIRS in row for row in rows))
    assert kept(watched, THEIRS) == []
    before, _, after = watched.raw.rpartition(THEIRS.encode())
    assert before
    assert b"\x1b[2J" in after or b"\x1b[3J" in after or len(after) > 24 * 4


def test_of_a_room_that_was_left_the_screen_keeps_nothing(watched: Stage) -> None:
    room(watched, "other", ())
    watched.key("meta 1").settled()
    say(watched)
    watched.type(f"{DRAFTED}").key("ctrl w").type(f"{DRAFTED} more").key("ctrl u", "ctrl _", "up", "down").settled()
    assert kept(watched, DRAFTED)
    watched.key("ctrl u").type("/leave\n").until("leaving ends it")
    watched.type("/leave\n").until(lambda rows: " 2 other " in rows[0] + " ")
    for text in (THEIRS, MINE, DRAFTED):
        assert kept(watched, text) == []


def test_of_the_only_room_that_was_left_the_screen_keeps_nothing(watched: Stage) -> None:
    say(watched)
    code = next(found[0] for row in watched.screen() if (found := re.search(r"[a-z2-7]{56}\.onion", row)))
    watched.type("/code\n").until("Whoever has")
    watched.key("esc").settled()
    watched.type(f"{DRAFTED}").key("ctrl w").type("/leave\n").until("leaving ends it")
    watched.type("/leave\n").until("/create NAME")
    for text in (THEIRS, MINE, DRAFTED, code):
        assert kept(watched, text) == []


def test_of_a_room_that_ended_nothing_is_kept_once_it_is_left(watched: Stage) -> None:
    code = watched.ask("host", who="dan", name="theirs")["code"]
    watched.type(f"/join {code}\n").until("You are in theirs")
    watched.ask("say", who="dan", text=f"ada: {THEIRS}")
    watched.type(f"likes {MINE}\n").until(f"│ likes {MINE}")
    watched.until(THEIRS)
    watched.ask("leave", who="dan")
    watched.until("The room was closed")
    watched.type("/leave\n").until(lambda rows: "theirs" not in rows[0])
    for text in (THEIRS, MINE, code):
        assert kept(watched, text) == []


def test_of_what_was_shown_over_the_log_nothing_is_kept_once_it_is_put_away(watched: Stage) -> None:
    for overlay in ("/code", "/qr"):
        watched.type(f"{overlay}\n").settled()
        watched.key("esc").settled()
    watched.type("/clear\n").settled()
    shown = [row for row in watched.screen() if re.search(r"[a-z2-7]{56}", row)]
    assert shown == []
