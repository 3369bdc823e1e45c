"""What is said of control ports."""

import os
from contextlib import aclosing
from pathlib import Path

import pytest

from anonp2p.config import Config, Endpoint
from anonp2p.doctor.ports import (
    check_commands,
    check_control_ports,
    judge_commands,
    judge_port,
    judge_refusal,
    name_users,
)
from anonp2p.errors import AnonError
from anonp2p.findings import FindingCode, find
from anonp2p.net.tor import commands, discovery
from anonp2p.net.tor.control import Control
from anonp2p.net.tor.errors import ForeignListener, NoControlPort, PasswordNeeded
from tests.net.tor.parts import STEM
from tests.support.servers import FakeTor, server

pytestmark = STEM

HERE = Endpoint(host="127.0.0.1", port=9051)
ABSENT = NoControlPort(HERE, "Connection refused")


@pytest.mark.parametrize(
    ("variable", "error", "discovered", "code", "status"),
    [
        ("", ABSENT, False, "failed", 3),
        ("", ForeignListener(7, HERE), False, "failed", 3),
        ("TOR_CONTROL_PORT", ABSENT, True, "control-refused-by-name", 0),
        ("TOR_CONTROL_PORT", PasswordNeeded(HERE), True, "control-refused-by-name", 0),
        ("", ABSENT, True, "control-absent", 0),
        ("", PasswordNeeded(HERE), True, "control-refused", 0),
        ("", ForeignListener(7, HERE), True, "control-refused", 0),
    ],
)
def test_a_port_that_is_not_used_is_wrong_only_where_it_has_to_be(
    variable: str, error: AnonError, code: FindingCode, status: int, *, discovered: bool
) -> None:
    finding = judge_refusal(HERE, variable, error, discovered=discovered)
    assert (finding.code, finding.status) == (code, status)
    assert finding.error is (None if code == "control-absent" else error)


def test_who_listens_is_told_by_name_where_it_is_known() -> None:
    assert name_users([0]) == "root"
    assert name_users([4_000_000_000, 0]) == "4000000000, root"
    assert judge_port(HERE, [0], "0.4.8.1") == find("control-usable", HERE, "root", "0.4.8.1")
    assert judge_port(HERE, [], "") == find("control-usable-of-unknown", HERE, "?")


async def test_all_ports_are_looked_at_in_the_programs_order(short_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    strange = FakeTor()
    strange.methods = "HASHEDPASSWORD"
    for name in ("TOR_CONTROL_HOST", "TOR_CONTROL_PORT", "TOR_CONTROL_PASSWD"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TOR_CONTROL_IPC_PATH", str(short_path / "none"))
    usual = tuple(f"unix:{short_path / name}" for name in ("one", "two"))
    monkeypatch.setattr(discovery, "USUAL_PORTS", usual)
    async with server(FakeTor(), short_path / "one"), server(strange, short_path / "two"):
        findings = await check_control_ports(Config())
    assert [finding.code for finding in findings] == ["control-refused-by-name", "control-usable", "control-refused"]
    assert findings[0].values[0] == "TOR_CONTROL_IPC_PATH"
    assert findings[1].values == (Endpoint(path=str(short_path / "one")), name_users([os.getuid()]), "0.4.9.11")


async def test_only_the_port_that_is_named_is_looked_at_and_none_where_none_is_used(short_path: Path) -> None:
    async with server(FakeTor(), short_path / "one") as endpoint:
        (finding,) = await check_control_ports(Config(tor="system", control=endpoint))
    assert (finding.code, finding.values[0]) == ("control-usable", endpoint)
    assert await check_control_ports(Config(tor="own")) == [find("own-tor-asked")]
    assert await check_control_ports(Config(socks=HERE)) == [find("no-control-port")]


async def test_all_that_is_said_at_a_control_port_is_tried(short_path: Path) -> None:
    fake = FakeTor()
    async with server(fake, short_path / "one") as endpoint, aclosing(await Control.open(endpoint)) as control:
        fake.info.update({"net/listeners/socks": "", "process/uid": "0"})
        assert await check_commands(control, publishes=True) == [find("commands-granted")]
        for key in commands.ASKED:
            assert await fake.hears(f"^GETINFO {key}$")
        assert await fake.hears("^HSFETCH [a-z2-7]{56}$")
        assert await fake.hears("^ONION_CLIENT_AUTH_ADD [a-z2-7]{56} x25519:[A-Za-z0-9+/]{43}=$")
        assert await fake.hears("^ONION_CLIENT_AUTH_REMOVE [a-z2-7]{56}$")
        del fake.info["process/uid"]
        fake.deny["HSFETCH"] = "510 Command filtered"
        findings = await check_commands(control, publishes=True)
    assert findings == [
        find("command-refused", "HSFETCH", "510"),
        find("command-spared", "GETINFO process/uid", "552"),
    ]
    assert await check_commands(None, publishes=False) == [find("no-control-port")]


def test_a_service_that_was_refused_only_with_defences_is_not_refused() -> None:
    refused = {"ADD_ONION": "512"}
    assert judge_commands(refused, publishes=True) == [find("commands-granted")]
    assert judge_commands(refused, publishes=False) == [find("command-refused", "ADD_ONION", "512")]


def test_what_our_profiles_do_not_grant_is_not_needed() -> None:
    refused = dict.fromkeys(commands.UNGRANTED, "510")
    spared = [find("command-spared", name, "510") for name in commands.UNGRANTED]
    assert judge_commands(refused, publishes=True) == [find("commands-granted"), *spared]
    assert {finding.state for finding in spared} == {"ok"}
