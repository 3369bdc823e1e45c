"""What scripts/fresh leaves behind, and how it reads a Dockerfile. What it tries is tried by hand."""

import tempfile
from pathlib import Path

import pytest

from tests.packaging import dockerfile, roots

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where workplaces are made."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_a_workplace_is_removed_whatever_happens(folder: Path) -> None:
    def interrupt(place: Path) -> None:
        (place / "root").mkdir()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), roots.workplace() as place:
        interrupt(place)
    assert list(folder.iterdir()) == []


def test_two_workplaces_do_not_disturb_each_other(folder: Path) -> None:
    with roots.workplace() as first:
        with roots.workplace() as second:
            assert first != second
            assert first.is_dir()
        assert first.is_dir()
        assert not second.exists()


def test_what_was_left_by_one_that_was_killed_is_removed_by_the_next(folder: Path) -> None:
    with roots.workplace() as place:
        left = place.with_name(f"{place.name}-left")
        (left / "root").mkdir(parents=True)
        (folder / "of-others").mkdir()
        with roots.workplace():
            assert not left.exists()
        assert (folder / "of-others").is_dir()


def test_steps_are_read_with_the_lines_that_continue_them() -> None:
    text = "# one\nFROM debian:sid-slim\n\nRUN a \\\n    && b\n# two\nUSER 1:1\n"
    assert list(dockerfile.read_steps(text)) == [("FROM", "debian:sid-slim"), ("RUN", "a && b"), ("USER", "1:1")]


def test_what_the_dockerfile_copies_is_there_and_its_program_is_no_roots() -> None:
    steps = list(dockerfile.read_steps((ROOT / "scripts/packaging/Dockerfile").read_text()))
    copied = [rest.split()[:-1] for instruction, rest in steps if instruction == "COPY" and "--from" not in rest]
    assert copied
    assert [name for names in copied for name in names if not (ROOT / name).exists()] == []
    assert [rest for instruction, rest in steps if instruction == "USER"] == ["10001:10001"]
