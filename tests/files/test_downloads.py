"""Where an accepted file goes."""

from pathlib import Path

import pytest

from anonp2p.files.downloads import find_destination, find_folder, show_path


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / ".config").mkdir()
    return tmp_path


def environment(home: Path) -> dict[str, str]:
    return {"HOME": str(home)}


@pytest.mark.parametrize(
    ("line", "folder"),
    [
        ('XDG_DOWNLOAD_DIR="$HOME/Gelöscht und \\"neu\\""', 'Gelöscht und "neu"'),
        ('# a comment\n XDG_DOWNLOAD_DIR="$HOME/dl"\n', "dl"),
        ('XDG_DOWNLOAD_DIR="$HOME/missing"', "Downloads"),
        ('XDG_DOWNLOAD_DIR="relative"', "Downloads"),
        ('XDG_DESKTOP_DIR="$HOME/dl"', "Downloads"),
        ("\udcff\0", "Downloads"),
    ],
)
def test_the_folder_is_that_of_the_desktop_or_else_the_usual_one(home: Path, line: str, folder: str) -> None:
    for name in ("Downloads", "dl", 'Gelöscht und "neu"'):
        (home / name).mkdir()
    (home / ".config/user-dirs.dirs").write_text(line, encoding="utf-8", errors="surrogateescape")
    assert find_folder(environment(home)) == home / folder


def test_without_one_it_is_the_users_home(home: Path) -> None:
    assert find_folder(environment(home)) == home


def test_a_folder_anywhere_can_be_named(home: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (home / ".config/user-dirs.dirs").write_text(f'XDG_DOWNLOAD_DIR="{other}"')
    assert find_folder(environment(home)) == other


def test_without_a_path_the_name_is_cleaned_and_goes_to_the_folder(home: Path) -> None:
    target = find_destination("../../.ssh/authorized_keys", "", environment(home))
    assert (target.folder, target.name, target.is_fixed) == (home, "authorized_keys", False)
    assert list(target.list_names())[:2] == ["authorized_keys", "authorized_keys-2"]


def test_a_directory_takes_the_cleaned_name(home: Path) -> None:
    for path in (str(home), f"{home}/", f"{home}/new/"):
        target = find_destination("/a/-b.txt", path, environment(home))
        assert (target.folder, target.name, target.is_fixed) == (Path(path), "b.txt", False)


def test_a_path_is_taken_as_it_is_and_no_other(home: Path) -> None:
    target = find_destination("b.txt", f"{home}/-c", environment(home))
    assert (target.folder, list(target.list_names())) == (home, ["-c"])


def test_what_is_shown_is_where_it_would_go_now(home: Path) -> None:
    assert show_path("a/b.txt", "", environment(home)) == "~/b.txt"
    (home / "b.txt").symlink_to("nowhere")
    assert show_path("a/b.txt", "", environment(home)) == "~/b-2.txt"
    assert show_path("a/b.txt", "/x", {"HOME": ""}) == "/x"
