"""Where the programs for bridges are found."""

import os
from pathlib import Path

import pytest

from anonp2p.bridges.lines import TRANSPORTS, read_bridges
from anonp2p.net.tor.errors import PluginMissing
from anonp2p.net.tor.plugins import find_plugin, find_plugins


def install(directory: Path, *names: str) -> None:
    directory.mkdir(exist_ok=True)
    for name in names:
        (directory / name).write_text("#!/bin/sh\n")
        (directory / name).chmod(0o700)


@pytest.mark.parametrize(
    ("transport", "programs"),
    [
        ("obfs4", ["lyrebird", "obfs4proxy"]),
        ("meek_lite", ["lyrebird", "obfs4proxy"]),
        ("snowflake", ["snowflake-client", "lyrebird"]),
        ("webtunnel", ["webtunnel-client", "lyrebird"]),
    ],
)
def test_each_transport_has_programs_that_speak_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, transport: str, programs: list[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PluginMissing, match="apt install"):
        find_plugin(transport)
    for program in reversed(programs):
        install(tmp_path, program)
        assert find_plugin(transport) == os.path.realpath(tmp_path / program)


def test_every_transport_that_lines_may_name_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    install(tmp_path, "lyrebird")
    assert {find_plugin(transport) for transport in TRANSPORTS} == {os.path.realpath(tmp_path / "lyrebird")}
    assert find_plugins(read_bridges(["192.0.2.1:443"])) == {}


def test_neither_a_relative_directory_nor_one_whose_name_tor_would_split_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path / "a b", "lyrebird")
    monkeypatch.chdir(tmp_path / "a b")
    monkeypatch.setenv("PATH", f".{os.pathsep}{tmp_path / 'a b'}")
    with pytest.raises(PluginMissing):
        find_plugin("obfs4")
