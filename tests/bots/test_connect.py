"""What `connect` makes of its options, before there is a Tor."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

import anonp2p
from anonp2p import errors, hardening
from anonp2p.config import Config, Endpoint
from anonp2p.net.tor import tor
from anonp2p.net.transport import Transport
from anonp2p.room import events
from anonp2p.testing import Network
from tests.support.transports import MemoryNetwork


class Found:
    """What was looked for: the configurations; and how often the process was hardened."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.configs: list[Config] = []
        self.hardened = 0
        patch.setattr(hardening, "harden", self._harden)
        patch.setattr(tor, "connect", self._connect)

    def _harden(self) -> None:
        self.hardened += 1

    @asynccontextmanager
    async def _connect(self, config: Config, _: Callable[[events.Event], None]) -> AsyncIterator[Transport]:
        assert self.hardened, "secrets come after that"
        self.configs.append(config)
        yield MemoryNetwork()


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> Found:
    monkeypatch.delenv("ANONP2P_CONTROL_PASSWORD_FILE", raising=False)
    return Found(monkeypatch)


async def test_options_mean_what_they_do_on_the_command_line(found: Found, tmp_path: Path) -> None:
    (torrc := tmp_path / "torrc").touch()
    async with anonp2p.connect(nick="bot", torrc=torrc, amnesic=True, no_heir=True, no_entrust=True, cover=True):
        pass
    async with anonp2p.connect(control="127.0.0.1:9051", socks="unix:/run/socks"):
        pass
    async with anonp2p.connect(bridge="192.0.2.1:443"):
        pass
    own, system, bridged = found.configs
    assert own == Config(
        mode="json", nick="bot", tor="own", torrc=torrc, amnesic=True, no_heir=True, no_entrust=True, cover=True
    )
    assert (system.tor, system.control, system.socks) == (
        "system",
        Endpoint(host="127.0.0.1", port=9051),
        Endpoint(path="/run/socks"),
    )
    assert (bridged.tor, len(bridged.bridges)) == ("own", 1)


async def test_the_environment_has_the_password_and_nothing_else(
    found: Found, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (password := tmp_path / "password").write_text("psst\n")
    monkeypatch.setenv("ANONP2P_CONTROL_PASSWORD_FILE", str(password))
    for name in ("NICK", "TOR", "CONTROL", "COVER", "AMNESIC"):
        monkeypatch.setenv(f"ANONP2P_{name}", "1")
    async with anonp2p.connect():
        pass
    assert found.configs == [Config(mode="json", password=b"psst")]


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ({"tor": "own", "control": "127.0.0.1:9051"}, errors.Usage),
        ({"tor": "none"}, errors.Usage),
        ({"torrc": "/nowhere/torrc"}, errors.Usage),
        ({"bridge": ["192.0.2.1:443"], "socks": "127.0.0.1:9050"}, errors.Usage),
        ({"control": "example.com:9051"}, errors.Usage),
        ({"nick": "a b"}, errors.BadNick),
        ({"nick": "system"}, errors.BadNick),
    ],
)
async def test_what_does_not_go_together_is_told_at_once(
    options: dict[str, Any], kind: type[errors.AnonError], found: Found
) -> None:
    with pytest.raises(kind):
        async with anonp2p.connect(**options):
            pass
    assert found.configs == []


async def test_a_password_that_cannot_be_read_is_told(found: Found, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANONP2P_CONTROL_PASSWORD_FILE", "/nowhere/password")
    with pytest.raises(errors.Usage):
        async with anonp2p.connect():
            pass


@pytest.mark.parametrize(
    "options",
    [
        {"nick": 5},
        {"tor": None},
        {"control": 9051},
        {"socks": b"psst"},
        {"listen": ("psst", 1)},
        {"torrc": 7},
        {"bridge": 7},
        {"bridge": b"psst"},
        {"bridge": ["192.0.2.1:443", b"psst"]},
        {"amnesic": "no"},
        {"no_heir": 0},
        {"no_entrust": None},
        {"cover": "yes"},
    ],
)
async def test_an_option_of_a_wrong_type_is_named_and_its_value_is_not(options: dict[str, Any], found: Found) -> None:
    [name] = options
    for connect in (anonp2p.connect, Network().connect):
        with pytest.raises(TypeError, match=f"^{name} ") as caught:
            async with connect(**options):
                pass
        assert "psst" not in str(caught.value)
    assert found.configs == []
