"""What is said of bridges and their plugins."""

from pathlib import Path

import pytest

from anonp2p.bridges.lines import parse_bridge
from anonp2p.config import Config
from anonp2p.doctor.plugins import check_bridges
from anonp2p.findings import find
from anonp2p.net.tor.errors import PluginMissing

FINGERPRINT = "0123456789" * 4
PLAIN = parse_bridge(f"192.0.2.1:443 {FINGERPRINT}", 1)
OBFS4 = parse_bridge(f"obfs4 192.0.2.2:443 {FINGERPRINT} cert=abc iat-mode=0", 2)
SNOWFLAKE = parse_bridge(f"snowflake 192.0.2.3:80 {FINGERPRINT} url=https://192.0.2.4/", 3)


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where programs are looked for: there is one, which speaks obfs4 and meek_lite."""
    monkeypatch.setenv("PATH", str(tmp_path))
    path = tmp_path / "obfs4proxy"
    path.touch(0o700)
    return tmp_path


def test_each_transport_that_is_asked_for_needs_its_plugin(programs: Path) -> None:
    found = check_bridges(Config(tor="own", bridges=(PLAIN, OBFS4, SNOWFLAKE, OBFS4)))
    assert found[:2] == [find("bridges", 4), find("plugin", "obfs4", str(programs / "obfs4proxy"))]
    (missing,) = found[2:]
    assert isinstance(missing.error, PluginMissing)
    assert (missing.state, missing.status) == ("wrong", 3)
    assert "snowflake-client" in str(missing.error)


def test_without_bridges_it_is_told_what_plugins_are_there(programs: Path) -> None:
    assert check_bridges(Config()) == [find("no-bridges", "obfs4, meek_lite")]
    (programs / "obfs4proxy").unlink()
    assert check_bridges(Config()) == [find("no-bridges-no-plugins")]


@pytest.mark.usefixtures("programs")
def test_nothing_tells_where_a_bridge_is() -> None:
    found = repr(check_bridges(Config(tor="own", bridges=(PLAIN, OBFS4))))
    assert not [word for word in (*PLAIN.words, *OBFS4.words[1:]) if word in found]
