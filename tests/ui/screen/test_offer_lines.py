"""Files on offer in a room's tab: which have lines, and when."""

from msgspec import UNSET

from anonp2p import limits
from anonp2p.errors import Failed
from anonp2p.reasons import Reason
from anonp2p.room import events
from anonp2p.ui.screen.log_lines import ChatMessage
from anonp2p.ui.screen.shown_offer import ShownOffer
from anonp2p.ui.screen.tab import Tab
from tests.support.offers import SIZE, moved_on, offered
from tests.ui.screen.test_tab import NOW, message, said, shown

FAILED = Failed("That file cannot be read.")
PENDING = ShownOffer("report.pdf", mine=True)


def tell(tab: Tab, *told: events.Event, now: float = NOW, seen: bool = True) -> list[bool]:
    calls = []
    for event in told:
        calls.append(tab.take_event(event, now, seen=seen))
        shown(tab)
    return calls


def offers_in(tab: Tab) -> list[ChatMessage]:
    return [line for line in tab.log.list_all().values() if isinstance(line, ChatMessage) and line.offer]


def test_an_offer_stands_in_the_log_under_who_made_it() -> None:
    tab = Tab("r1")
    tell(tab, offered(), message(4, "have a look"))
    rows = shown(tab)
    assert "ben │ report.pdf (1.2 MB)" in rows[0]
    assert "/accept 3" in rows[1]
    assert "have a look" in rows[2]


def test_a_message_can_refer_to_an_offer() -> None:
    tab = Tab("r1")
    tell(tab, offered(), message(200, "thanks", "cho", reply=103))
    assert any("↳ │ ben: “report.pdf”" in row for row in shown(tab))


def test_what_becomes_of_it_changes_its_line_and_adds_none() -> None:
    tab = Tab("r1")
    tell(tab, offered(), moved_on("connecting"), moved_on("running", SIZE // 2, 1_000), moved_on("running", SIZE))
    assert len(shown(tab)) == 2
    assert "100 %" in said(tab)[1]


def test_several_are_taken_at_once_each_with_its_bar() -> None:
    tab = Tab("r1")
    tell(tab, offered(1), offered(2), moved_on("running", SIZE // 4, offer=1), moved_on("running", SIZE // 2, offer=2))
    assert ["25 %" in said(tab)[1], "50 %" in said(tab)[3]] == [True, True]


def test_an_offer_that_expires_is_gone_and_what_was_taken_of_it_is_told_to_have_ended() -> None:
    tab = Tab("r1")
    tell(tab, offered(1), offered(2), moved_on("running", 1, offer=2))
    for number in (1, 2):
        tell(tab, events.ExpiredEvent(room="r1", seq=100 + number))
        tell(tab, moved_on("ended", offer=number, detail=Reason("offer-expired")))
    assert " ".join(said(tab)) == "The offer of report.pdf has ended (its time is over)"


def test_an_offer_whose_author_has_left_stays_and_says_that_it_has_ended() -> None:
    tab = Tab("r1")
    tell(tab, offered(), moved_on("ended", detail=Reason("author-gone")))
    assert said(tab)[1].startswith("has ended (")


def test_what_is_taken_has_a_line_though_the_log_was_cleared() -> None:
    tab = Tab("r1")
    tell(tab, offered(), moved_on("running", 1))
    tab.log.clear()
    tell(tab, moved_on("running", SIZE // 2), moved_on("running", SIZE // 2))
    assert len(offers_in(tab)) == 1
    tab.log.clear()
    tell(tab, moved_on("ended"))
    assert said(tab) == ["The offer of report.pdf has ended"]


def test_a_flood_of_offers_takes_one_line() -> None:
    tab = Tab("r1")
    for number in range(10_000):
        tell(tab, offered(number, f"p{number % 100}", member=f"p{number % 100}"), now=NOW + number / 100)
    assert len(offers_in(tab)) == limits.OFFERS_TOLD
    assert said(tab)[-1] == f"{10_000 - limits.OFFERS_TOLD:,} more files offered by 100 members: /files"
    tell(tab, offered(10_000), now=NOW + 100 + limits.TOLD_SELDOM)
    assert len(offers_in(tab)) == limits.OFFERS_TOLD + 1


def test_an_offer_of_a_flood_has_its_line_once_it_is_taken() -> None:
    tab = Tab("r1")
    tell(tab, *map(offered, range(1, limits.OFFERS_TOLD + 3)))
    tell(tab, moved_on("connecting", offer=limits.OFFERS_TOLD + 2))
    assert len(offers_in(tab)) == limits.OFFERS_TOLD + 1


def test_ones_own_offers_are_no_flood() -> None:
    tab = Tab("r1")
    tell(tab, *(offered(number, mine=True) for number in range(limits.OFFERS)))
    assert len(offers_in(tab)) == limits.OFFERS


def test_the_offers_of_whom_the_user_ignores_are_not_shown_and_what_becomes_of_them_says_nothing() -> None:
    tab = Tab("r1")
    tab.ignore_member("key of ben", "ben")
    tell(tab, offered(), moved_on("ended", detail=Reason("offer-withdrawn")))
    assert shown(tab) == []


def test_the_offers_of_newcomers_are_put_aside_and_can_be_taken() -> None:
    tab = Tab("r1")
    tab.newcomers.minutes = 5
    tell(tab, events.JoinedEvent(room="r1", member="key of ben", nick="ben"), offered())
    assert said(tab)[-1] == "1 message of a newcomer put aside: /quiet show"
    tell(tab, moved_on("connecting"))
    assert said(tab)[-1] == "connecting to its sender"


def test_an_offer_calls_as_a_message_does_and_so_does_what_is_done() -> None:
    tab = Tab("r1")
    assert tell(tab, offered(1), offered(2, private=True), seen=False) == [False, True]
    assert (tab.attention.unread, tab.attention.mentions) == (2, 1)
    transfers = [moved_on(state) for state in ("connecting", "running", "failed", "done")]
    assert tell(tab, *transfers, moved_on("done", by="cho")) == [False, False, True, True, False]
    tab.attention.set_level("all")
    assert tell(tab, offered(4), offered(5, mine=True), offered(6, history=True)) == [True, False, False]
    tab.attention.set_level("none")
    assert tell(tab, offered(7), moved_on("done")) == [False, False]


def test_what_was_on_its_way_is_so_no_more_once_it_is_out_or_cannot_be() -> None:
    for told in (offered(mine=True, re=7), events.ErrorEvent(code="failed", text=FAILED, re=7)):
        tab = Tab("r1")
        tab.add_pending(7, ChatMessage(NOW, text="report.pdf", mine=True, offer=PENDING))
        tell(tab, told)
        assert tab.log.pending_count == 0


def test_an_offer_of_ours_to_one_alone_says_so() -> None:
    tab = Tab("r1")
    tell(tab, offered(nick="zoe", mine=True, private=True, to="cho"), offered(4, private=True, to=UNSET))
    assert "→ cho ║ report.pdf" in shown(tab)[0]
    assert "ben → ║ report.pdf" in shown(tab)[2]


def test_history_offers_stand_above_its_end() -> None:
    tab = Tab("r1")
    tell(tab, offered(history=True))
    assert "what was said before you came ends here" in shown(tab)[-1]


def test_what_becomes_of_an_offer_out_of_sight_is_told_below() -> None:
    tab = Tab("r1")
    tell(tab, offered())
    tell(tab, *(message(200 + n) for n in range(9)))
    shown(tab, 5)
    for event in (moved_on("connecting"), moved_on("running", 1), moved_on("connecting"), moved_on("done", path="/x")):
        tab.take_event(event, NOW, seen=True)
        shown(tab, 3)
    assert said(tab)[-2:] == ["report.pdf: connecting to its sender", "report.pdf: saved as /x"]
    shown(tab, 3)
    tab.take_event(moved_on("ended", detail=Reason("offer-hidden")), NOW, seen=True)
    assert " ".join(said(tab)).endswith("The offer of report.pdf has ended (you have declined it)")
