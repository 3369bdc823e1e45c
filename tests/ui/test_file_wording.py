"""What is said of files on offer and on their way."""

from pathlib import Path

import pytest

from anonp2p.errors import Failed
from anonp2p.reasons import Reason
from anonp2p.room import events
from anonp2p.room.file_events import AnyFileEvent
from anonp2p.ui import file_wording, wording
from tests.support.offers import SIZE, moved_on, offered


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (offered(), "ben offers report.pdf (1.2 MB). /accept 3 saves it as ~/report.pdf"),
        (offered(private=True), "ben offers you alone report.pdf (1.2 MB). /accept 3 saves it as ~/report.pdf"),
        (offered(mine=True), "You offer report.pdf (1.2 MB): /decline 3 ends it"),
        (offered(mine=True, private=True, to="cho"), "You offer report.pdf (1.2 MB) to cho alone: /decline 3 ends it"),
        (offered(name="\x1b[2J../../.bashrc"), "ben offers bashrc (1.2 MB). /accept 3 saves it as ~/bashrc"),
        (moved_on("connecting"), "report.pdf: connecting to its sender"),
        (
            moved_on("connecting", detail=Reason("closed")),
            "report.pdf: connecting to its sender (the connection was closed)",
        ),
        (moved_on("running", SIZE // 2, 100_000), "report.pdf: 50 % of 1.2 MB, 100 kB/s, 6 s left"),
        (moved_on("running", SIZE // 2), "report.pdf: 50 % of 1.2 MB"),
        (moved_on("done", SIZE, path="/x/report.pdf"), "report.pdf: saved as /x/report.pdf"),
        (moved_on("failed", detail=Reason("file-failed", Failed("Full."))), "report.pdf: not taken. Full."),
        (moved_on("failed", detail=Reason("fetch-stopped")), "report.pdf: stopped; /accept 3 goes on"),
        (moved_on("ended", detail=Reason("offer-expired")), "The offer of report.pdf has ended (its time is over)"),
        (moved_on("ended", mine=True), "Your offer of report.pdf has ended"),
        (moved_on("connecting", by="cho"), "cho has lost its link, and may go on with report.pdf"),
        (moved_on("running", SIZE // 2, by="cho"), "cho takes report.pdf (1.2 MB)"),
        (moved_on("done", SIZE, by="cho"), "cho has report.pdf"),
        (moved_on("failed", by="cho", nick=""), "one who has left did not take all of report.pdf"),
    ],
)
def test_each_step_has_its_sentence(event: AnyFileEvent, said: str) -> None:
    assert wording.describe_event(event) == [said]
    assert wording.format_line(event) == f"[SYSTEM] {said}"


def test_what_is_offered_late_says_so() -> None:
    first, second = wording.format_line(offered(late=True), "demo").split("\n")
    assert first == "[SYSTEM] demo: ben said earlier; its place was lost"
    assert second.startswith("[SYSTEM] demo: ben offers report.pdf")


ROW = {"offer": 3, "nick": "ben", "name": "a.pdf", "size": 1_000, "private": False, "mine": False, "bytes": 500}


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"state": "offered"}, "ben: a.pdf (1.0 kB)"),
        ({"state": "offered", "mine": True, "private": True}, "you: a.pdf (1.0 kB), for one alone"),
        ({"state": "connecting"}, "ben: a.pdf (1.0 kB)  connecting"),
        ({"state": "running", "rate": 100}, "ben: a.pdf (1.0 kB)  50 % of 1.0 kB, 100 bytes/s, 5 s left"),
        ({"state": "failed"}, "ben: a.pdf (1.0 kB)  50 % is there, /accept 3 goes on"),
        ({"state": "failed", "bytes": 0}, "ben: a.pdf (1.0 kB)  not taken"),
        ({"state": "done", "path": "/x/a.pdf"}, "ben: a.pdf (1.0 kB)  saved as /x/a.pdf"),
    ],
)
def test_what_is_on_offer_is_listed(row: dict[str, object], said: str) -> None:
    assert file_wording.list_file({**ROW, "rate": 0} | row) == ("3", said)
    reply = events.ReplyEvent(room="r1", command="/files", data={"files": [{**ROW, "rate": 0} | row]})
    assert wording.describe_event(reply) == [f"  3  {said}"]


def test_where_nothing_is_on_offer_that_is_said() -> None:
    reply = events.ReplyEvent(room="r1", command="/files", data={"files": []})
    assert wording.describe_event(reply) == [file_wording.NO_FILES]


def test_what_was_put_aside_is_said_in_a_line() -> None:
    assert file_wording.said_words(offered(name="a\nb.pdf")) == "offers ab.pdf (1.2 MB): /accept 3 takes it"


def test_what_files_tell_is_said_with_what_removes_it() -> None:
    assert "--clean" in file_wording.warn_of_traces(can_clean=True)
    assert "mat2" in file_wording.warn_of_traces(can_clean=False)
