"""What the full screen shows of private rooms: that a code alone leads nobody in, and the codes of invitations."""

import dataclasses

import pytest

from anonp2p.room.hosting_events import CodeEvent
from anonp2p.ui import hosting_wording
from anonp2p.ui.screen import overlays
from anonp2p.ui.screen.log_lines import LineContext
from anonp2p.ui.screen.tab import Tab
from tests.ui.screen.test_submission import OPEN, Desk
from tests.ui.screen.test_tab import CODE, HOSTILE, WIDE, entered, shown

SPELLED = f"{CODE}:{'a' * 52}"
INVITED = {"code": SPELLED, "invitation": 3, "uses": 2}


def text_of(overlay: overlays.Overlay, columns: int) -> list[str]:
    return ["".join(text for _, text in row) for row in overlay.build(columns, 20)]


def test_who_creates_a_private_room_is_not_told_that_its_code_lets_anybody_in() -> None:
    tab = Tab("r1")
    tab.take_event(entered("zoe", [], role="host", private=True), 0.0, seen=True)
    card = " ".join(shown(tab))
    assert "/invite makes the code" in card
    assert "Whoever has this code" not in card
    assert CODE not in card
    assert "/invite makes the code" in " ".join(text_of(overlays.of_code("demo", CODE, private=True, knock=False), 80))


def test_a_new_code_of_a_private_room_is_not_shown_as_if_it_let_anybody_in() -> None:
    tab = Tab("r1")
    for event in (entered("zoe", [], private=True), CodeEvent(room="r1", code=CODE)):
        tab.take_event(event, 0.0, seen=True)
    told = " ".join(shown(tab))
    assert hosting_wording.NEW_CODE in told
    assert "/invite makes the code" in told
    assert CODE not in told
    [banner] = [it.text for it in tab.warnings.banners]
    assert "invitations" in banner
    assert "/code" not in banner


@pytest.mark.parametrize(("knock", "can"), [(False, "can join"), (True, "can knock")])
def test_it_says_what_a_code_is_good_for(knock: bool, can: str) -> None:
    tab = Tab("r1")
    tab.take_event(entered("zoe", [], role="host"), 0.0, seen=True)
    drawn, _ = tab.sight.draw_visible(20, WIDE, LineContext(0.0, knock=knock))
    card = " ".join(text for row in drawn for _, text in row)
    assert f"Whoever has this code {can}" in card
    assert f"this code {can}" in " ".join(text_of(overlays.of_code("demo", CODE, private=False, knock=knock), 80))


@pytest.mark.parametrize("columns", [130, 80, 40, 20])
def test_the_code_of_an_invitation_stands_alone_and_is_copied_by_a_key(columns: int) -> None:
    copied: list[str] = []
    overlay = overlays.of_invitation(INVITED, lambda: copied.append("code"))
    rows = text_of(overlay, columns)
    assert SPELLED in "".join(row for row in rows if row and row[0] != " ")
    assert any("Invitation 3, for 2 guests" in row for row in [" ".join(rows)])
    overlay.answers["c"]()
    assert copied == ["code"]


def test_invitations_are_listed_with_what_became_of_them() -> None:
    ben = {"member": "m", "nick": HOSTILE}
    listed = [
        {"invitation": 1, "uses": 1, "used": 1, "revoked": False, "members": [ben], "note": HOSTILE},
        {"invitation": 2, "uses": 5, "used": 1, "revoked": False, "members": []},
        {"invitation": 3, "uses": 5, "used": 5, "revoked": True, "members": []},
    ]
    rows = text_of(overlays.of_invitations(listed), 60)
    assert "\x1b" not in "".join(rows)
    assert rows[0].startswith("1  used up  1 of 1  (")
    assert rows[-2:] == ["2  good  1 of 5", "3  revoked  5 of 5"]
    assert text_of(overlays.of_invitations([]), 60) == ["There is no invitation yet: /invite makes one."]


def test_a_code_that_lets_nobody_in_is_not_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk("r1")
    private = dataclasses.replace(OPEN.snapshot(), private=True)
    monkeypatch.setattr(type(OPEN), "snapshot", lambda _: private)
    desk.scene.find_room = lambda _: OPEN
    desk.enter("/copy code")
    assert "/invite makes the code" in desk.hint
    assert desk.copied == []
