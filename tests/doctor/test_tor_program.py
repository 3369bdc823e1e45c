"""What is said of the program `tor`."""

from pathlib import Path

import pytest

from anonp2p.config import Config
from anonp2p.doctor.tor_program import check_tor_program, read_modules, read_version
from anonp2p.errors import TorRefused
from anonp2p.findings import find
from anonp2p.net.tor import place
from anonp2p.net.tor.errors import NotStartable, TorNotInstalled


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ("Tor version 0.4.9.11.\nThis build of Tor is covered by ...\n", "0.4.9.11"),
        ("Tor version 0.3.5.8.\n", "0.3.5.8"),
        ("Jan 01 [warn] something\nTor version 0.4.7.0-alpha-dev (git-0123abc).\n", "0.4.7.0-alpha-dev"),
    ],
)
def test_the_version_is_read(said: str, version: str) -> None:
    assert read_version("/bin/tor", said) == version


def test_a_program_that_tells_no_version_is_refused_with_its_last_words() -> None:
    with pytest.raises(TorRefused, match="libevent: cannot open"):
        read_version("/bin/tor", "/bin/tor: loading\nlibevent: cannot open\n")
    with pytest.raises(TorRefused):
        read_version("/bin/tor", "")


def test_modules_are_read() -> None:
    assert read_modules("relay: yes\ndirauth: no\npow: yes\n") == {"relay": True, "dirauth": False, "pow": True}
    assert read_modules("Unknown option '--list-modules'.  Failing.\n") == {}


def program(place: Path, script: str) -> Path:
    path = place / "tor"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o700)
    return path


@pytest.mark.parametrize(("answer", "code"), [("yes", "proof-of-work"), ("no", "no-proof-of-work")])
async def test_its_path_version_and_proof_of_work_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str, code: str
) -> None:
    path = program(tmp_path, f"case $1 in --version) echo Tor version 1.2.3.;; *) echo pow: {answer};; esac")
    monkeypatch.setenv("PATH", str(tmp_path))
    first, second = await check_tor_program(Config())
    assert first == find("tor-program", str(path), "1.2.3")
    assert second.code == code


async def test_without_a_tor_a_running_one_will_do_unless_our_own_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    assert await check_tor_program(Config()) == [find("tor-unusable", TorNotInstalled())]
    (finding,) = await check_tor_program(Config(tor="own"))
    assert (finding.code, finding.status) == ("failed", 3)


async def test_a_tor_that_does_not_start_is_told_in_its_own_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = program(tmp_path, "echo tor: no such library >&2; exit 127")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert await check_tor_program(Config()) == [find("tor-unusable", NotStartable(str(path), "tor: no such library"))]
    path.write_text("neither a program nor a script")
    (finding,) = await check_tor_program(Config())
    assert isinstance(finding.error, NotStartable)


async def test_where_the_system_has_a_tor_none_of_our_own_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place, "has_no_own_tor", lambda: True)
    assert await check_tor_program(Config()) == [find("system-has-tor")]
    (useless,) = await check_tor_program(Config(tor="own"))
    assert (useless.code, useless.status) == ("own-tor-useless", 3)
