"""What is said of directories."""

import os
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from anonp2p import disks
from anonp2p.bridges.lines import parse_bridge
from anonp2p.config import Config, Endpoint
from anonp2p.doctor.directories import check_directories, require_usable
from anonp2p.findings import Finding, FindingCode
from anonp2p.net.tor import place, runtime
from anonp2p.net.tor.directories import make_held
from anonp2p.net.tor.errors import NoHome, NoMemoryDirectory, NoTorDirectory, UnsafeTorDirectory

HERE = Endpoint(host="127.0.0.1", port=9050)


@pytest.fixture
def environment(short_path: Path) -> dict[str, str]:
    (short_path / "run").mkdir(0o700)
    return {"XDG_RUNTIME_DIR": str(short_path / "run"), "XDG_STATE_HOME": str(short_path / "state")}


def one(findings: list[Finding], code: FindingCode) -> Finding:
    (finding,) = [finding for finding in findings if finding.code == code]
    return finding


def codes(findings: list[Finding]) -> list[FindingCode]:
    """But for what killed programs have left on this very machine."""
    return [finding.code for finding in findings if finding.code != "left-behind"]


def test_where_sockets_and_guards_go_is_told_with_what_they_are_on(
    environment: dict[str, str], short_path: Path
) -> None:
    findings = [it for it in check_directories(Config(), environment) if it.code != "left-behind"]
    assert codes(findings) == ["runtime-directory", "state-directory"]
    assert findings[0].values[0] == short_path / "run"
    assert findings[1].values[0] == short_path / "state/anonp2p"
    for finding in findings:
        kind, keeping = finding.values[1:]
        assert kind != "?"
        assert keeping in ("memory", "encrypted", "plain", "unknown")
    assert not (short_path / "state").exists(), "looking makes nothing"


@pytest.mark.parametrize(
    "config",
    [Config(tor="system"), Config(tor="system", control=HERE), Config(socks=HERE)],
    ids=["system", "control", "socks"],
)
def test_what_our_own_tor_needs_is_not_looked_at_where_none_is_started(
    environment: dict[str, str], config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert codes(check_directories(config, environment)) == ["runtime-directory"]
    monkeypatch.setattr(place, "has_no_own_tor", lambda: True)
    assert codes(check_directories(Config(), environment)) == ["runtime-directory"]


@pytest.mark.parametrize(
    "config",
    [Config(amnesic=True), Config(tor="own", bridges=(parse_bridge("192.0.2.1:443", 1),))],
    ids=["amnesic", "bridge"],
)
def test_what_is_to_be_kept_in_memory_needs_a_directory_there(
    environment: dict[str, str], config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disks, "mount_of", lambda _: None)
    findings = check_directories(config, environment)
    assert isinstance(one(findings, "failed").error, NoMemoryDirectory)
    assert codes(findings)[-1] == "nothing-on-disk"


def test_a_place_that_is_named_and_not_used_is_told_with_its_variable(
    environment: dict[str, str], short_path: Path
) -> None:
    (short_path / "run").chmod(0o777)
    environment["TMPDIR"] = str(short_path / "none")
    findings = check_directories(Config(), environment)
    assert codes(findings)[:2] == ["directory-unfit", "directory-unfit"]
    assert [finding.values[0] for finding in findings[:2]] == ["XDG_RUNTIME_DIR", "TMPDIR"]
    assert one(findings, "runtime-directory").values[0] not in (short_path / "run", short_path / "none")


def test_what_killed_programs_left_behind_is_counted_and_left(
    environment: dict[str, str], short_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But for the places of all users, where other tests kill programs, and start some that remove what is left."""
    everywhere = runtime.list_candidates
    monkeypatch.setattr(
        runtime, "list_candidates", lambda environment: [it for it in everywhere(environment) if it.variable]
    )
    path, held = make_held(short_path / "run")
    findings = check_directories(Config(), environment)
    assert [finding.code for finding in findings] == codes(findings), "it is in use"
    os.close(held)
    assert one(check_directories(Config(), environment), "left-behind").values == (1,)
    assert path.exists()


class Refusal(NamedTuple):
    code: FindingCode
    status: int


@pytest.mark.parametrize(("tor", "refusal"), [("own", Refusal("failed", 1)), ("auto", Refusal("state-unusable", 0))])
def test_a_place_that_others_can_change_is_wrong_where_our_own_tor_needs_it(
    environment: dict[str, str], short_path: Path, tor: str, refusal: Refusal
) -> None:
    (short_path / "state").mkdir()
    (short_path / "state").chmod(0o777)
    config = Config(tor="own") if tor == "own" else Config()
    last = check_directories(config, environment)[-1]
    assert isinstance(last.error, UnsafeTorDirectory)
    assert (last.code, last.status) == refusal


def test_a_user_without_a_home_is_told(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown() -> Path:
        raise RuntimeError

    del environment["XDG_STATE_HOME"]
    monkeypatch.setattr(Path, "home", unknown)
    assert isinstance(one(check_directories(Config(), environment), "state-unusable").error, NoHome)


def test_a_directory_has_to_be_writable_and_to_have_space(short_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert require_usable(short_path / "a/b/c") == short_path
    usage = shutil.disk_usage(short_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1))
    with pytest.raises(NoTorDirectory, match="No space left"):
        require_usable(short_path / "a")
    monkeypatch.undo()
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write anywhere
    with pytest.raises(NoTorDirectory, match="Permission denied"):
        require_usable(short_path / "a")
