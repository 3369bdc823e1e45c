"""Paths as they are typed, shown and completed."""

from pathlib import Path

import pytest

from anonp2p import limits
from anonp2p.ui.paths import expand_home, is_dropped, list_paths, shorten_home


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path / "ann"))
    (tmp_path / "ann" / "Down loads").mkdir(parents=True)
    (tmp_path / "ann" / ".hidden").touch()
    (tmp_path / "ann" / "Report.pdf").touch()
    (tmp_path / "ann" / "-rf").touch()
    monkeypatch.chdir(tmp_path / "ann")
    return tmp_path / "ann"


@pytest.mark.parametrize(("typed", "inside"), [("~", ""), ("~/", "/"), ("~/a b", "/a b")])
def test_a_tilde_is_the_home_directory(home: Path, typed: str, inside: str) -> None:
    assert expand_home(typed) == f"{home}{inside}"


@pytest.mark.parametrize("typed", ["~root/x", "a/~", "./~", "", "~x"])
def test_any_other_tilde_is_a_character(home: Path, typed: str) -> None:
    assert expand_home(typed) == typed


def test_what_is_at_home_is_shown_with_a_tilde(home: Path) -> None:
    assert shorten_home(str(home / "x")) == "~/x"
    assert shorten_home(str(home)) == "~"
    assert shorten_home(f"{home}ie/x") == f"{home}ie/x"
    assert shorten_home("/etc") == "/etc"


def test_without_a_home_nothing_is_shortened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/")
    assert shorten_home("/etc") == "/etc"


@pytest.mark.parametrize(
    ("begun", "found"),
    [
        ("", ["Down loads/", "Report.pdf"]),
        ("r", ["Report.pdf"]),
        (".", [".hidden"]),
        ("~/D", ["~/Down loads/"]),
        ("~/.h", ["~/.hidden"]),
        ("./-", ["./-rf"]),
        ("Down loads/", []),
        ("Report.pdf/", []),
        ("nowhere/x", []),
        ("a\0b/", []),
    ],
)
def test_a_begun_path_becomes_what_is_there(home: Path, begun: str, found: list[str]) -> None:
    assert list_paths(begun) == found


@pytest.mark.parametrize(
    ("text", "dropped"),
    [
        ("'{home}/my report.pdf' ", True),
        ("{home}/my\\ report.pdf", True),
        ("file://{home}/a '{home}/b'", True),
        ("{home}", True),
        ("'{home}/it", False),
        ("{home}/a is mine", False),
        ("{home}ie/a", False),
        ("/etc/passwd", False),
        ("~/a", False),
        ("", False),
    ],
)
def test_files_that_are_dropped_on_a_terminal_are_known_as_such(home: Path, text: str, dropped: bool) -> None:
    assert is_dropped(text.format(home=home)) is dropped


def test_what_cannot_be_shown_as_it_is_is_not_offered(home: Path) -> None:
    for name in ("a\x1b[31m", "b\u202eb", "c\nd", "e\udcff"):
        (home / name).touch()
    assert list_paths("") == ["Down loads/", "Report.pdf"]


def test_no_more_is_offered_than_one_goes_through(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PATHS_OFFERED", 1)
    assert list_paths("") == ["Down loads/"]


def test_no_more_is_read_of_a_directory_than_takes_no_time(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "NAMES_EXAMINED", 0)
    assert list_paths("") == []


def test_a_link_to_a_directory_is_one_and_a_broken_one_is_none(home: Path) -> None:
    (home / "to").symlink_to("Down loads")
    (home / "tu").symlink_to("nowhere")
    assert list_paths("t") == ["to/", "tu"]
