"""What events make of a room's tab: its log, its counts, its warnings."""

from collections.abc import Sequence
from typing import Any

import pytest
from msgspec import UNSET

from anonp2p import limits
from anonp2p.errors import Failed
from anonp2p.names.codes import RoomKey
from anonp2p.reasons import Reason
from anonp2p.room import events
from anonp2p.room.events import Event, Person
from anonp2p.room.file_events import OfferEvent, TransferEvent
from anonp2p.room.hosting_events import (
    CodeEvent,
    HeirEvent,
    HeirsEvent,
    HostEvent,
    HostingEvent,
    LeaveEndsRoomEvent,
    LeaveHandsOverEvent,
    ReachableEvent,
    Successor,
    UndefendedEvent,
    UnreachedEvent,
)
from anonp2p.room.moderation_events import (
    AbsentRemovedEvent,
    BanEvent,
    KeptEvent,
    KnockChangedEvent,
    Knocker,
    LockChangedEvent,
    LockUnchangedEvent,
    RaidChangedEvent,
    RoleEvent,
    SelfKickedEvent,
    SlowChangedEvent,
    WaitingEvent,
)
from anonp2p.ui import sanitize, wording
from anonp2p.ui.actions import JoinRoomAction
from anonp2p.ui.screen.log_lines import ChatMessage, Layout, LineContext
from anonp2p.ui.screen.tab import Tab
from anonp2p.ui.widths import width
from tests.support.words import in_words

NOW = 1_000_000.0
CODE = "3dviyvizolm3ssw55wh3lduqyc2fxvtkhjs7qzorcvbqndohkb7p7iqd.onion"
WIDE = Layout(70, 10)
HOSTILE = "\x1b[31m\u202ex\n12:00  cho │ I"


def shown(tab: Tab, height: int = 1_000, layout: Layout = WIDE, now: float = NOW, tor: str = "") -> list[str]:
    drawn, _ = tab.sight.draw_visible(height, layout, LineContext(now, tor))
    return ["".join(text for _, text in row).rstrip() for row in drawn]


def said(tab: Tab) -> list[str]:
    """What stands right of the bar."""
    return [row.partition("│ ")[2] for row in shown(tab)]


def person(nick: str, role: Any = "member") -> Person:
    return Person(member=f"key of {nick}", nick=nick, role=role, tag="tag")


def entered(
    nick: str = "zoe", others: Sequence[str] = ("ada",), role: Any = "member", **more: Any
) -> events.EnteredEvent:
    members = [person(nick, role), *(person(other) for other in others)]
    given = {"name": "demo", "code": CODE, "member": f"key of {nick}"} | more
    return events.EnteredEvent(room="r1", nick=nick, role=role, members=members, **given)


def message(seq: int, text: str = "hello", nick: str = "ben", **more: Any) -> events.MessageEvent:
    return events.MessageEvent(room="r1", member=f"key of {nick}", nick=nick, text=text, seq=seq, at=NOW, **more)


def joined(nick: str, member: str = "") -> events.JoinedEvent:
    return events.JoinedEvent(room="r1", member=member or f"key of {nick}", nick=nick)


def left(nick: str, reason: Any = "left", member: str = "") -> events.LeftEvent:
    return events.LeftEvent(room="r1", member=member or f"key of {nick}", nick=nick, reason=reason)


def renamed(was: str, nick: str) -> events.RenamedEvent:
    return events.RenamedEvent(room="r1", member=f"key of {was}", nick=nick, was=was)


def alarm(reason: str = "It lied.") -> events.AlarmEvent:
    return events.AlarmEvent(room="r1", member="key of ada", reason=in_words(reason))


def link(state: Any, attempt: int = 1, detail: str = "") -> events.LinkEvent:
    return events.LinkEvent(room="r1", state=state, attempt=attempt, detail=in_words(detail))


def gone(reason: Any) -> events.GoneEvent:
    return events.GoneEvent(room="r1", reason=reason)


def in_room(*more: Event, nick: str = "zoe", seen: bool = True, role: Any = "member") -> Tab:
    """Somebody's room, entered, in which this has happened then."""
    tab = Tab("r1")
    tab.take_event(entered(nick, role=role), NOW, seen=True)
    take(tab, *more, seen=seen)
    return tab


def take(tab: Tab, *given: Event, seen: bool = True) -> list[bool]:
    return [tab.take_event(event, NOW, seen=seen) for event in given]


# --- all of them

VERIFIED = {"nick": "ben", "words": ["apple", "pear"]}
EVERY: list[Event] = [
    events.TorProgressEvent(progress=5, summary=in_words(HOSTILE)),
    events.ReadyEvent(version=HOSTILE, tor="own"),
    entered(HOSTILE, [HOSTILE], name=HOSTILE),
    entered(HOSTILE, [], role="host", name=HOSTILE),
    ReachableEvent(room="r1"),
    message(1, HOSTILE, HOSTILE),
    message(2, HOSTILE, HOSTILE, ttl=30, history=True),
    message(3, HOSTILE, HOSTILE, ttl=0, action=True),
    message(4, HOSTILE, HOSTILE, private=True),
    message(5, HOSTILE, HOSTILE, private=True, mine=True, to=HOSTILE, re=7),
    message(6, "", "ben", late=True),
    message(7, HOSTILE, HOSTILE, reply=2),
    message(8, HOSTILE, "ben", reply_gone=True),
    events.ExpiredEvent(room="r1", seq=1),
    events.ExpiredEvent(room="r1", seq=99),
    events.UnsentEvent(room="r1", text=HOSTILE, re=8),
    events.UnsentEvent(room="r1", text="", re="a script's"),
    events.UnsentEvent(room="r1", text="\n"),
    joined(HOSTILE),
    events.JoinedEvent(room="r1", member="m", nick=HOSTILE, unknown_past=True),
    left(HOSTILE),
    left(HOSTILE, "lost"),
    left(HOSTILE, "kicked"),
    renamed(HOSTILE, HOSTILE * 2),
    events.LookalikeEvent(room="r1", member="m", nick=HOSTILE, was=HOSTILE),
    *(events.VerifiedEvent(room="r1", member="m", nick=HOSTILE, verified=same) for same in (True, False)),
    link("connecting", 3, HOSTILE),
    link("up"),
    link("lost", 1, HOSTILE),
    alarm(HOSTILE),
    *(gone(reason) for reason in ("left", "closed", "kicked", "refused", "lost", "tor")),
    events.ReplyEvent(command="/verify", data=VERIFIED, room="r1"),
    events.ReplyEvent(command="/rooms", data=[], room="r1"),
    events.ReplyEvent(command="/who", data=[person(HOSTILE)], room="r1"),
    events.ReplyEvent(command="/code", data={"code": CODE}, room="r1"),
    events.ReplyEvent(command="/a command of later", data=None),
    events.NoticeEvent(text=HOSTILE),
    events.TorSlowEvent(progress=10, summary=in_words(HOSTILE), seconds=30),
    events.TorSkippedEvent(code="tor-refused", text=Failed(HOSTILE), variable="TOR_CONTROL_PORT"),
    events.StateInUseEvent(),
    UnreachedEvent(room="r1", reason=in_words(HOSTILE)),
    UndefendedEvent(room="r1", defences=["streams", "proof-of-work"]),
    events.RetentionRuleEvent(room="r1", minimum=0, default=60, maximum=None),
    events.HistoryRuleEvent(room="r1", messages=3, seconds=None),
    events.CoverOnEvent(room="r1", rate=480.0, wait=3.0),
    events.EntriesMissedEvent(room="r1", count=3, verified=False),
    events.ExpiredUnseenEvent(room="r1", count=3),
    LockChangedEvent(room="r1", locked=True, member="m"),
    LockUnchangedEvent(room="r1", locked=True),
    KnockChangedEvent(room="r1", on=True, member="m"),
    SlowChangedEvent(room="r1", seconds=10, member="m"),
    RaidChangedEvent(room="r1", on=True, member="m"),
    RoleEvent(room="r1", member="m", nick=HOSTILE, role="muted", by="n"),
    BanEvent(room="r1", member="m", nick=HOSTILE, banned=True, by="n"),
    KeptEvent(room="r1", member="m", nick=HOSTILE, by="n"),
    WaitingEvent(room="r1", count=1, people=[Knocker(HOSTILE, "tag", 3)]),
    events.NickUnchangedEvent(room="r1", nick=HOSTILE),
    events.NickAssignedEvent(room="r1", nick=HOSTILE, wanted=HOSTILE, free_in=600),
    SelfKickedEvent(room="r1", why=HOSTILE),
    events.LeftEvent(room="r1", member="m", nick=HOSTILE, reason="kicked", why=HOSTILE),
    AbsentRemovedEvent(room="r1", member="m", nick=HOSTILE),
    HostEvent(room="r1", member="m", nick=HOSTILE, cause="lost"),
    HostingEvent(room="r1"),
    HeirsEvent(room="r1", heirs=[]),
    HeirsEvent(room="r1", heirs=[Successor(HOSTILE, HOSTILE, True), Successor("m", HOSTILE, False)]),
    HeirEvent(room="r1", rank=2, was=None, holds_key=True),
    LeaveEndsRoomEvent(room="r1", name=HOSTILE, others=3, away=1, closes=False, asks=True),
    LeaveHandsOverEvent(room="r1", name=HOSTILE, member="m", nick=HOSTILE),
    CodeEvent(room="r1", code=CODE),
    events.CutEvent(room="r1", count=65),
    events.MovedEvent(room="r1", was=1, seq=(5 << 32) + 1),
    events.MovedEvent(room="r1", was=98, seq=99),
    OfferEvent(room="r1", member="m", nick=HOSTILE, offer=1, name=HOSTILE, size=1_200_000, seq=101, at=0.0),
    *(
        TransferEvent(
            room="r1", offer=1, state=state, name=HOSTILE, mine=False, bytes=7, size=9, detail=in_words(HOSTILE)
        )
        for state in ("connecting", "running", "done", "failed", "ended")
    ),
    TransferEvent(
        room="r1", offer=2, state="running", name=HOSTILE, mine=True, bytes=7, size=9, member="m", nick=HOSTILE
    ),
    events.ErrorEvent(code="no-room", text=Failed(HOSTILE), re=9),
    events.ErrorEvent(code="failed", text=Failed(HOSTILE)),
]


def test_every_kind_of_event_is_tried_here() -> None:
    assert {type(event) for event in EVERY} == set(Event.__subclasses__())


@pytest.mark.parametrize("layout", [WIDE, Layout(38, 0), Layout(20, 0), Layout(60, 8)])
@pytest.mark.parametrize("is_in", [True, False])
def test_every_event_is_drawn_in_as_many_columns_as_there_are(layout: Layout, is_in: bool) -> None:
    for event in EVERY:
        tab = in_room() if is_in else Tab("r1")
        take(tab, event)
        for row in shown(tab, layout=layout):
            assert width(row) <= layout.width
            assert sanitize.sanitize_text(row) == row


@pytest.mark.parametrize("is_in", [True, False])
def test_every_event_is_taken_after_every_other(is_in: bool) -> None:
    for first in EVERY:
        tab = in_room(first) if is_in else Tab("")
        for seen in (True, False):
            take(tab, *EVERY, seen=seen)
        tab.attention.mark_seen()
        assert shown(tab)
        assert (tab.attention.unread, tab.attention.mentions) == (0, 0)
        assert sanitize.sanitize_text(tab.title) == tab.title


# --- out, and in again


AGAIN = JoinRoomAction(bytes(32), "zoe", "r1")


@pytest.mark.parametrize(
    ("told", "again"),
    [
        ([gone("lost")], True),
        ([gone("refused")], True),
        ([gone("kicked")], False),
        ([gone("closed")], False),
        ([events.AlarmEvent(room="r1", member="m", reason=in_words("It lied.")), gone("lost")], False),
    ],
)
def test_a_room_is_asked_for_again_only_where_that_is_of_use(told: list[Event], again: bool) -> None:
    tab = Tab("r1")
    tab.begin_joining(NOW, AGAIN)
    take(tab, *told)
    assert (tab.way_in.again is not None) == again
    assert tab.way_in.over
    tab.begin_joining(NOW, AGAIN)
    assert not tab.way_in.over


def test_who_comes_back_asks_by_the_latest_code_and_under_the_latest_nick() -> None:
    tab = Tab("r1")
    tab.begin_joining(NOW, AGAIN)
    key = RoomKey(b"n" * 32)
    take(tab, entered(), CodeEvent(room="r1", code=key.code), gone("lost"))
    assert tab.way_in.again == JoinRoomAction(key.public, "zoe", "r1")


# --- coming in


def test_a_room_of_ones_own_shows_its_code_and_when_it_is_of_use() -> None:
    tab = in_room(role="host")
    assert CODE in shown(tab)
    assert any("is being published: 3 s" in row for row in shown(tab, now=NOW + 3))
    assert any("waits for Tor (40 %): 3 s" in row for row in shown(tab, now=NOW + 3, tor="40 %"))
    take(tab, ReachableEvent(room="r1"))
    assert "Others can join now." in shown(tab, now=NOW + 3, tor="40 %")
    before = len(shown(tab))
    take(tab, ReachableEvent(room="r1"))
    assert len(shown(tab)) == before + 1  # published anew: that is told


def test_that_others_can_join_is_told_after_a_clear_too() -> None:
    tab = in_room(role="host")
    tab.log.clear()
    take(tab, ReachableEvent(room="r1"))
    assert any("Others can join" in row for row in shown(tab))


def test_on_the_way_in_there_is_one_line_that_counts() -> None:
    tab = Tab("r1")
    assert tab.title == "joining"
    take(tab, link("connecting"), link("connecting", 2, "no answer"))
    [row] = shown(tab, now=NOW + 9)
    assert "try 2 (no answer): 9 s" in row
    assert (tab.link.state, tab.link.attempt) == ("connecting", 2)
    take(tab, entered(others=["ada", "ben"]))
    assert said(tab) == ["You are in demo as zoe, with ada, ben"]
    assert (tab.title, tab.link.state) == ("demo", "up")


def test_on_the_way_in_there_is_a_line_after_a_clear_too() -> None:
    tab = Tab("r1")
    take(tab, link("connecting"))
    tab.log.clear()
    take(tab, link("connecting", 2))
    assert any("try 2" in row for row in shown(tab))


def test_of_many_who_are_there_some_are_named() -> None:
    tab = Tab("r1")
    take(tab, entered(others=[f"p{n:03}" for n in range(1_000)]))
    told = " ".join(said(tab))
    assert "p000" in told
    assert "and 992 more" in told
    assert len(told) < 200


def test_one_who_is_not_let_in_waits_no_longer() -> None:
    tab = Tab("r1")
    take(tab, link("connecting"), gone("refused"))
    assert said(tab) == ["You were not let into the room"]
    assert tab.way_in.over == "refused"


def test_links_that_are_lost_and_found_are_told_once_one_is_in() -> None:
    tab = in_room(link("lost", detail="it broke"), link("connecting", 1), link("connecting", 2), link("up"), link("up"))
    assert said(tab)[1:] == ["The link to the room was lost: it broke", "The link to the room is there again."]
    assert tab.link.state == "up"


# --- messages


def test_what_nobody_looks_at_is_counted() -> None:
    tab = in_room(message(1), message(2, "zoe: you there?"), message(3), seen=False)
    assert (tab.attention.unread, tab.attention.mentions) == (3, 1)
    tab.attention.mark_seen()
    assert (tab.attention.unread, tab.attention.mentions) == (0, 0)
    take(tab, message(4), message(5, "ZOE!"), seen=True)
    assert (tab.attention.unread, tab.attention.mentions) == (0, 0)


@pytest.mark.parametrize(
    ("event", "called", "unread"),
    [
        (message(1, "hello zoe"), True, 1),
        (message(1, "Zoe, hello"), True, 1),
        (message(1, "hello @zoe."), True, 1),
        (message(1, "zoetrope, azoe, zoe-x"), False, 1),
        (message(1, "nothing for you", private=True), True, 1),
        (message(1, "zoe waves", action=True), True, 1),
        (message(1, "I am zoe", nick="zoe", mine=True), False, 0),
        (message(1, "psst", nick="zoe", mine=True, private=True, to="ben"), False, 0),
        (message(1, "hello zoe", history=True), False, 0),
        (joined("zoe-fan"), False, 0),
        (alarm("zoe"), False, 0),
    ],
)
def test_who_is_called(event: Event, called: bool, unread: int) -> None:
    tab = in_room()
    assert take(tab, event, seen=False) == [called]
    assert tab.attention.unread == unread


def test_one_is_called_by_the_nick_that_one_has_now() -> None:
    tab = in_room(renamed("zoe", "zed"))
    assert take(tab, message(1, "zoe?"), message(2, "zed?")) == [False, True]
    take(tab, renamed("ben", "bob"))
    assert take(tab, message(3, "bob?"), message(4, "zed?")) == [False, True]


def test_ones_own_is_there_once_whether_it_has_its_place_or_not() -> None:
    tab = in_room()
    tab.add_pending(5, ChatMessage(NOW, "key of zoe", "zoe", "mine", mine=True))
    assert said(tab)[1:] == ["mine"]
    take(tab, message(1, "before it"))
    assert said(tab)[1:] == ["before it", "mine"]
    take(tab, message(2, "mine", "zoe", mine=True, re=5), message(3, "after it"))
    assert said(tab)[1:] == ["before it", "mine", "after it"]
    assert tab.log.pending_count == 0


def test_the_number_of_another_is_no_receipt() -> None:
    tab = in_room()
    tab.add_pending(5, ChatMessage(NOW, "key of zoe", "zoe", "mine", mine=True))
    take(tab, message(1, "theirs", re=5))
    assert tab.log.pending_count == 1


def test_what_is_given_back_is_on_its_way_no_longer() -> None:
    tab = in_room()
    tab.add_pending(5, ChatMessage(NOW, "key of zoe", "zoe", "one\ntwo", mine=True))
    take(tab, events.UnsentEvent(room="r1", text="one\ntwo", re=5))
    assert tab.log.pending_count == 0
    assert said(tab)[1:] == ["Not sent: one … (2 lines) (Up brings it back)"]


def test_what_had_no_room_is_on_its_way_no_longer() -> None:
    tab = in_room()
    tab.add_pending(5, ChatMessage(NOW, "key of zoe", "zoe", "mine", mine=True))
    take(tab, events.ErrorEvent(code="no-room", text=Failed("You are in no room"), room="r1", re=5))
    assert tab.log.pending_count == 0


def test_what_has_ended_is_gone_and_cannot_be_recalled() -> None:
    tab = in_room()
    for number, ttl in ((5, 30), (6, None), (7, 0)):
        tab.draft.history.add(f"text {number}", number)
        take(tab, message(number, f"text {number}", "zoe", mine=True, ttl=ttl, re=number))
    recalled = []
    entry = None
    while entry := tab.draft.history.before(entry):
        recalled.append(entry.text)
    assert recalled == ["text 6", "text 5"]  # what is never kept is not kept here either
    take(tab, events.ExpiredEvent(room="r1", seq=5), events.ExpiredEvent(room="r1", seq=5))
    assert not any("text 5" in row for row in shown(tab))
    last = tab.draft.history.before(None)
    assert last
    assert last.text == "text 6"
    assert tab.draft.history.before(last) is None


def test_what_was_said_before_one_came_ends_in_a_line() -> None:
    tab = in_room(message(1, history=True))
    assert "ends here" in shown(tab)[-1]  # though nobody has said anything since
    take(tab, message(2, history=True), message(3))
    history, again, line, new = shown(tab)[1:]
    assert ": hello" in history
    assert ": hello" in again
    assert "what was said before you came ends here" in line
    assert "│ hello" in new
    take(tab, message(4))
    assert sum("ends here" in row for row in shown(tab)) == 1


def test_what_expires_of_the_past_does_not_end_it() -> None:
    tab = in_room(message(1, ttl=1, history=True), events.ExpiredEvent(room="r1", seq=1), message(2, history=True))
    past, line = shown(tab)[1:]
    assert ": hello" in past
    assert "ends here" in line


# --- who speaks


def test_who_spoke_last_is_the_last_of_those_who_spoke() -> None:
    tab = in_room(message(1, nick="ben"), message(2, nick="cho"), message(3, nick="ben"))
    take(tab, message(4, nick="zoe", mine=True))
    assert list(tab.speakers) == ["cho", "ben"]
    take(tab, renamed("ben", "bob"))
    assert list(tab.speakers) == ["cho", "bob"]
    take(tab, left("cho"))
    assert list(tab.speakers) == ["bob"]


# --- who comes and goes


def test_comings_and_goings_in_a_row_are_one_line() -> None:
    tab = in_room(*(joined(f"p{n:02}") for n in range(20)))
    assert len(said(tab)) == 2
    assert "20 joined" in said(tab)[-1]
    assert "p19" in said(tab)[-1]
    assert tab.attention.unread == 0
    take(tab, message(1), joined("ben"), left("p00"))
    assert said(tab)[2:] == ["hello", "ben joined · p00 left"]


def test_so_many_are_told_as_one_and_no_more() -> None:
    tab = in_room(*(joined(f"p{n}") for n in range(limits.MERGED_MOVES + 1)))
    assert sum("↔" in row for row in shown(tab)) == 2


def test_the_same_one_over_and_over_is_told_as_no_more_than_so_many() -> None:
    tab = in_room(*(event for _ in range(limits.MERGED_MOVES) for event in (joined("ben"), left("ben"))))
    assert sum("↔" in row for row in shown(tab)) == 2
    assert len(shown(tab)) < 6


def test_comings_and_goings_are_told_in_the_order_in_which_they_happened() -> None:
    tab = in_room(
        *(joined("ben"), left("cho"), joined("dan"), joined("eve"), renamed("dan", "Dan"), renamed("fay", "Fay")),
        *(
            left("gus"),
            left("hal", "lost"),
            joined("ida"),
            left("ida"),
            renamed("gil", "Gil"),
            left("Gil", member="key of gil"),
        ),
    )
    told = "ben joined · cho left · eve joined · Dan joined (was dan) · fay is now Fay · gus left · hal was lost"
    assert " ".join(said(tab)[1:]).split(" · ")[-6:] == [*told.split(" · ")[-4:], "ida left", "Gil left (was gil)"]


def test_who_is_here_has_a_colour_and_keeps_it() -> None:
    tab = in_room(joined("ben"), joined("cho"), message(1, nick="dan", history=True))
    styles = [tab.looks.style(f"key of {nick}") for nick in ("ada", "ben", "cho", "dan")]
    assert len(set(styles)) == 4
    take(tab, left("ben"), joined("eve"))
    assert [tab.looks.style(f"key of {nick}") for nick in ("ada", "ben", "cho", "dan")] == styles


def test_who_left_and_came_back_is_not_told_as_gone() -> None:
    tab = in_room(joined("cho"), message(1), left("cho"), joined("cho"))
    assert said(tab)[-1].endswith(("joined", "is back"))
    tab = in_room(joined("cho"), message(1), left("cho", "lost"), joined("cho"), left("cho"))
    assert said(tab)[-1].endswith("cho left")


def test_another_of_the_same_nick_is_not_said_to_be_back() -> None:
    tab = in_room(joined("cho"), message(1), left("cho"), joined("cho", "another key"))
    assert "back" not in said(tab)[-1]
    assert said(tab)[-1].endswith("joined")


def test_who_was_thrown_out_is_told_whatever_else_there_is() -> None:
    tab = in_room(*(left(f"p{n}", "kicked") for n in range(9)), *(renamed(f"q{n}", f"r{n}") for n in range(9)))
    told = " ".join(said(tab))
    assert all(f"p{n} was thrown out" in told for n in range(9)) or "9 were thrown out" in told


def test_comings_and_goings_and_the_like_change_who_is_there() -> None:
    for event in (entered(), joined("ben"), left("ben"), renamed("ben", "bob"), link("lost"), gone("closed")):
        tab = in_room()
        tab.has_moved = False
        take(tab, event)
        assert tab.has_moved, event
    tab = in_room()
    tab.has_moved = False
    take(tab, message(1), events.NoticeEvent(text="x"), alarm())
    assert not tab.has_moved


def test_errors_and_notices_fade_once_they_could_be_read_and_nothing_else_does() -> None:
    tab = in_room(
        message(1),
        events.NoticeEvent(text="A notice."),
        events.ErrorEvent(code="bad-nick", text=Failed("An error.")),
        events.ErrorEvent(code="nick-taken", text=Failed("Why it is over."), final=True),
        events.ErrorEvent(code="tor-lost", text=Failed("No Tor.")),
        alarm("It lied."),
        link("lost"),
        link("up"),
        events.UnsentEvent(room="r1", text="given back"),
    )
    assert not tab.log.drop_faded(NOW + 1_000)  # nobody has looked
    before = said(tab)
    assert not tab.log.drop_faded(NOW + limits.PASSING_LINE - 1)
    assert tab.log.drop_faded(NOW + limits.PASSING_LINE)
    gone = set(before) - set(said(tab))
    assert gone == {"A notice.", "An error.", "The link to the room was lost:", "The link to the room is there again."}


# --- warnings


def test_every_warning_is_in_the_log_and_waits_to_be_put_away() -> None:
    tab = in_room(
        alarm("It lied."), alarm("It lied."), events.LookalikeEvent(room="r1", member="m", nick="cho", was="cho")
    )
    assert sum("It lied." in row for row in said(tab)) == 2
    assert sum("this cho may be somebody else" in row for row in said(tab)) == 1
    assert [banner.style for banner in tab.warnings.banners] == ["alarm", "caution"]


def test_a_newcomer_under_a_nick_of_which_nothing_is_known_is_told_with_that_and_without_a_banner() -> None:
    tab = in_room(events.JoinedEvent(room="r1", member="m", nick="cho", unknown_past=True))
    assert "cho joined; others may have had that nick before" in said(tab)
    assert tab.warnings.banners == []


# --- the end


@pytest.mark.parametrize("reason", ["closed", "kicked", "lost", "tor"])
def test_a_room_that_is_over_can_still_be_read(reason: Any) -> None:
    tab = in_room(message(1), gone(reason))
    assert tab.way_in.over == reason
    assert "hello" in said(tab)
    assert said(tab)[-1] == wording.describe_event(gone(reason))[0]


def test_nothing_of_it_is_in_a_repr() -> None:
    tab = in_room(message(1, "a secret"), alarm("a secret"))
    assert "secret" not in repr((tab, tab.warnings.banners, tab.log, tab.draft, tab.log.last_line()))


def test_the_page_before_any_room() -> None:
    tab = Tab("")
    take(
        tab,
        events.ErrorEvent(code="bad-code", text=Failed("That is no code."), re=UNSET),
        events.NoticeEvent(text="Tor was lost."),
    )
    assert tab.title == "anonp2p"
    assert said(tab) == ["That is no code.", "Tor was lost."]


def test_who_is_verified_has_a_mark_until_it_is_taken_back_and_then_there_is_a_warning() -> None:
    tab = in_room()
    for same in (True, False):
        tab.take_event(events.VerifiedEvent(room="r1", member="b", nick="ben", verified=same), 0.0, seen=True)
        assert tab.looks.mark("b") == ("✓" if same else "")
        assert bool(tab.warnings.banners) is not same
    assert tab.looks.mark("c") == ""


def test_the_mark_stands_wherever_the_nick_does_and_goes_from_everywhere_at_once() -> None:
    tab = in_room(
        joined("ben"),
        events.VerifiedEvent(room="r1", member="key of ben", nick="ben", verified=True),
        message(4),
        message(5, "psst", nick="zoe", private=True, mine=True, to="ben"),
        HostEvent(room="r1", member="key of ben", nick="ben", cause="left"),
        HeirsEvent(room="r1", heirs=[Successor("key of ben", "ben", False)]),
        renamed("ben", "Bob"),
        left("Bob", "kicked", member="key of ben"),
    )
    for same in (True, False):
        tab.looks.verified.take_event(events.VerifiedEvent(room="r1", member="key of ben", nick="ben", verified=same))
        rows, _ = tab.sight.draw_visible(100, WIDE, LineContext(NOW, looks=tab.looks))
        text = "\n".join("".join(text for _, text in row) for row in rows).replace("key behind", "")
        named = text.count("ben") + text.count("Bob")
        assert named >= 8
        assert text.count("ben✓") + text.count("Bob✓") == (named if same else 0)


def test_comings_and_goings_are_told_together_only_as_long_as_the_time_beside_them_is_about_right() -> None:
    tab = in_room(joined("ben"))
    tab.take_event(joined("cho"), NOW + 299, seen=True)
    assert said(tab)[-1] == "ben, cho joined"
    tab.take_event(left("ben"), NOW + 300, seen=True)
    assert said(tab)[-2:] == ["ben, cho joined", "ben left"]


def test_the_first_eight_others_share_no_colour_and_ours_is_none_of_them() -> None:
    others = [f"p{number}" for number in range(8)]
    tab = in_room(entered("zoe", others))
    take(tab, message(3, nick="zoe", mine=True), *(message(4 + at, nick=nick) for at, nick in enumerate(others)))
    assert len({tab.looks.style(f"key of {nick}") for nick in others}) == 8


def test_why_a_join_did_not_work_is_told_until_it_is_tried_again() -> None:
    tab = Tab("r1")
    again = JoinRoomAction(RoomKey(b"k" * 32).public, "zoe", "r1")
    tab.begin_joining(NOW, again)
    take(tab, events.ErrorEvent(room="r1", code="nick-taken", text=Failed("Taken."), final=True), gone("refused"))
    assert "Taken." in said(tab)
    tab.begin_joining(NOW, again)
    assert "Taken." not in said(tab)
    take(tab, entered("zoe"), message(1), gone("lost"))
    tab.begin_joining(NOW, again)
    assert "hello" in said(tab), "what was said stays"


# --- newcomers, and floods of them


def test_what_newcomers_say_is_put_aside_in_one_line_whatever_they_do_meanwhile() -> None:
    tab = in_room()
    tab.newcomers.minutes = 5
    for n in range(300):
        take(tab, joined(f"p{n}"), message(2 * n, nick=f"p{n}"), message(2 * n + 1, "zoe!", nick=f"p{n}"))
        take(tab, left(f"p{n}", "kicked"))
    assert len(shown(tab)) < 15
    assert "600 messages of 300 newcomers put aside: /quiet show" in " ".join(said(tab))
    assert tab.attention.unread == 0
    assert list(tab.speakers) == []
    take(tab, message(1_000, "hello", nick="ada"), message(1_001, nick="p1"))
    assert said(tab)[-2] == "hello"


def test_a_flood_of_joins_and_leaves_takes_a_few_lines() -> None:
    tab = in_room()
    for n in range(300):
        alike = events.LookalikeEvent(room="r1", member=f"key of p{n}", nick=f"p{n}", was=f"q{n}")
        take(tab, joined(f"p{n}"), alike, left(f"p{n}", "kicked" if n % 2 else "left"))
    assert len(shown(tab)) < 20
    told = " ".join(said(tab))
    assert "150 were thrown out" in told
    assert "and 296 more" in told


def test_who_is_thrown_out_for_another_reason_is_told_in_a_line_of_its_own() -> None:
    kicked = [events.LeftEvent(room="r1", member=n, nick=n, reason="kicked", why=why) for n, why in ("a1", "b1", "c2")]
    tab = in_room(*kicked)
    assert said(tab)[1:] == ["a, b were thrown out: 1", "c was thrown out: 2"]


def test_a_link_of_a_newcomer_is_text_like_any_other() -> None:
    tab = in_room(joined("ben"), message(1, "see https://a.example/"), message(2, "see https://b.example/", nick="ada"))
    drawn, _ = tab.sight.draw_visible(10, WIDE, LineContext(NOW))
    assert [text for row in drawn for style, text in row if style == "link"] == ["https://b.example/"]


def test_who_knocks_sees_that_they_wait_since_when_and_how_to_give_up() -> None:
    tab = Tab("r1")
    tab.begin_joining(NOW, AGAIN)
    take(tab, events.LinkEvent(room="r1", state="connecting", attempt=1, detail=Reason("knocking")))
    [row] = [" ".join(shown(tab, now=NOW + 3))]
    assert "You wait until a moderator of the room lets you in: 3 s; /leave gives up" in row
    take(tab, link("connecting", 2))
    assert "Connecting to the room, try 2" in shown(tab)[-1]
