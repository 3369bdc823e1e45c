"""What is known of the system that we run on."""

import grp
import os
from pathlib import Path

import pytest

from anonp2p.net.tor import place


@pytest.mark.parametrize(
    ("group", "mode", "named"),
    [("nogroup", 0o640, "nogroup"), ("nogroup", 0o600, "debian-tor"), ("root", 0o640, "debian-tor")],
)
@pytest.mark.skipif(os.getuid() != 0, reason="only root gives files away")
def test_the_group_that_is_named_is_that_of_the_file_and_never_roots(
    tmp_path: Path, group: str, mode: int, named: str
) -> None:
    path = tmp_path / "cookie"
    path.touch()
    path.chmod(mode)
    os.chown(path, -1, grp.getgrnam(group).gr_gid)
    assert place.name_group(str(path)) == named


@pytest.mark.parametrize("path", ["", "/nonexistent/file", "a\0b"])
def test_where_the_group_cannot_be_seen_debians_is_named(path: str) -> None:
    assert place.name_group(path) == "debian-tor"


@pytest.mark.parametrize(
    ("text", "is_tails"), [("NAME=x\nTAILS_VERSION_ID=7\n", True), ("NAME=x\nID=debian\n", False), (None, False)]
)
def test_tails_is_known_by_its_release(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str | None, *, is_tails: bool
) -> None:
    release = tmp_path / "os-release"
    if text is not None:
        release.write_text(text)
    monkeypatch.setattr(place, "RELEASE", release)
    monkeypatch.setattr(place, "TAILS", tmp_path / "amnesia")
    assert place.is_tails() is is_tails
    (tmp_path / "amnesia").mkdir()
    assert place.is_tails()
