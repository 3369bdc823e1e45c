"""What we say to a Tor, and what filters are told of it."""

import base64
import re
from pathlib import Path

import pytest

from anonp2p import limits
from anonp2p.net.tor import commands
from anonp2p.net.tor.commands import Profile, is_granted
from tests.net.tor.parts import ADDRESS, KEY
from tests.support import filters, profiles

KEY_WORDS = f"ED25519-V3:{KEY.expanded_private_key()}"
STREAMS, POW = commands.DEFENCES.values()


@pytest.mark.parametrize("name", profiles.files())
def test_the_profiles_that_are_shipped_are_those_of_the_table_of_commands(name: str) -> None:
    assert (profiles.PLACE / name).read_text(encoding="utf-8") == profiles.files()[name], "run scripts/profiles"


@pytest.mark.parametrize(
    ("name", "filter_"), [("whonix/40_anonp2p", profiles.WHONIX), ("tails/anonp2p", profiles.TAILS)]
)
def test_the_profiles_are_yaml(name: str, filter_: dict[str, object]) -> None:
    yaml = pytest.importorskip("yaml", reason="what filters read them with is not here")
    assert yaml.safe_load(profiles.files()[f"{name}.yml"]) == [filter_]


@pytest.mark.parametrize(
    ("profile", "target"), [(commands.WHONIX, "10.0.0.7:19840"), (commands.TAILS, "127.0.0.1:35001")]
)
@pytest.mark.parametrize("kept", [("streams", "proof-of-work"), ("streams",), ("proof-of-work",), ()])
def test_a_room_is_added_in_every_form_and_leads_to_who_asks(
    profile: Profile, target: str, kept: tuple[str, ...]
) -> None:
    line = commands.add_onion(KEY, kept, target)  # type: ignore[arg-type]  # they are defences
    assert is_granted(line, profile)
    assert (STREAMS in line, POW in line) == ("streams" in kept, "proof-of-work" in kept)
    host, _, port = target.rpartition(":")
    passed = filters.rewrite(profile.commands["ADD_ONION"], line.removeprefix("ADD_ONION "), "10.9.8.7")
    assert passed == line.removeprefix("ADD_ONION ").replace(f",{host}:{port}", f",10.9.8.7:{port}")


@pytest.mark.parametrize(
    ("profile", "target"), [(commands.WHONIX, "10.0.0.7:19840"), (commands.TAILS, "127.0.0.1:35001")]
)
def test_a_private_room_is_added_with_all_its_keys(profile: Profile, target: str) -> None:
    clients = [bytes([number]) * 32 for number in range(limits.CLIENTS)]
    line = commands.add_onion(KEY, tuple(commands.DEFENCES), target, clients)
    assert "Flags=V3Auth" in line
    assert re.findall("ClientAuthV3=(.*?)(?: |$)", line) == [
        base64.b32encode(client).decode().rstrip("=") for client in clients
    ]
    assert is_granted(line, profile)
    passed = filters.rewrite(profile.commands["ADD_ONION"], line.removeprefix("ADD_ONION "), "10.9.8.7")
    assert passed == line.removeprefix("ADD_ONION ").replace(target, f"10.9.8.7:{target.rpartition(':')[2]}")
    assert not is_granted(commands.add_onion(KEY, (), target, [*clients, bytes(32)]), profile)
    assert is_granted(commands.add_onion(KEY, tuple(commands.DEFENCES), target, clients[:1]), profile)  # of a file


@pytest.mark.parametrize("profile", [commands.WHONIX, commands.TAILS])
@pytest.mark.parametrize(
    "line",
    [
        *(
            f"ADD_ONION {KEY_WORDS} Port=1984,{target}"
            for target in ("unix:/x", "8080", "10.0.0.7:80", "gateway:19840")
        ),
        f"ADD_ONION {KEY_WORDS} Port=80,127.0.0.1:19840",
        f"ADD_ONION {KEY_WORDS} Flags=Detach Port=1984,127.0.0.1:19840",
        f"ADD_ONION {KEY_WORDS} Port=1984,127.0.0.1:19840 Port=80,127.0.0.1:80",
        "ADD_ONION NEW:ED25519-V3 Port=1984,127.0.0.1:19840",
        "DEL_ONION",
        f"HSFETCH {ADDRESS} SERVER=x",
        "GETINFO address",
        "GETINFO version address",
        "GETINFO circuit-status",
        "SETEVENTS HS_DESC CIRC",
        "GETCONF ControlPort",
        "SIGNAL NEWNYM",
        "TAKEOWNERSHIP",
        "ONION_CLIENT_AUTH_ADD x",
        f"{commands.add_client_key(KEY.code, bytes(32))} Flags=Permanent",
        "ONION_CLIENT_AUTH_VIEW",
        f"ADD_ONION {KEY_WORDS} Port=1984,127.0.0.1:19840 Flags=V3Auth",
    ],
)
def test_nothing_else_is_granted(profile: Profile, line: str) -> None:
    assert not is_granted(line, profile)


@pytest.mark.parametrize("profile", [commands.WHONIX, commands.TAILS])
def test_what_the_program_needs_is_granted(profile: Profile) -> None:
    needed = [
        commands.get_info(commands.VERSION),
        commands.get_info(commands.PHASE),
        commands.set_events((commands.BOOTING, commands.DESCRIPTORS)),
        commands.delete_onion(KEY.code),
        commands.fetch_descriptor(KEY.code),
        commands.add_client_key(KEY.code, b"k" * 32),
        commands.remove_client_key(KEY.code),
    ]
    assert [line for line in needed if not is_granted(line, profile)] == []


@pytest.mark.parametrize(
    ("event", "passed"),
    [
        (f"650 HS_DESC UPLOADED {ADDRESS} UNKNOWN $ABC~relay", f"650 HS_DESC UPLOADED {ADDRESS} UNKNOWN redacted"),
        (
            f"650 HS_DESC REQUESTED {ADDRESS} NO_AUTH $ABC~relay desc HSDIR_INDEX=12",
            f"650 HS_DESC REQUESTED {ADDRESS} UNKNOWN redacted",
        ),
        (f"650 HS_DESC FAILED {ADDRESS} NO_AUTH $ABC d REASON=X", f"650 HS_DESC FAILED {ADDRESS} UNKNOWN redacted"),
        (f"650 HS_DESC CREATED {ADDRESS} UNKNOWN UNKNOWN desc", ""),
        (
            '650 STATUS_CLIENT WARN BOOTSTRAP PROGRESS=5 TAG=conn SUMMARY="Connecting" WARNING="x" HOSTADDR="x"',
            '650 STATUS_CLIENT WARN BOOTSTRAP PROGRESS=5 TAG=conn SUMMARY="Connecting"',
        ),
        ("650 STATUS_CLIENT NOTICE CIRCUIT_ESTABLISHED", ""),
    ],
)
def test_of_events_a_filter_passes_on_what_we_need(event: str, passed: str) -> None:
    kind = event.split(" ")[1]
    assert filters.rewrite(commands.WHONIX.events[kind], event, "") == passed
    if passed and kind == "HS_DESC":
        _, action, address = passed.split(" ")[1:4]
        assert commands.read_descriptor_event(passed.removeprefix("650 ")) == (action, address)


@pytest.mark.parametrize("text", ["HS_DESC", "HS_DESC UPLOADED", ""])
def test_an_event_that_is_too_short_is_about_nothing(text: str) -> None:
    assert commands.read_descriptor_event(text).address == ""


def test_what_a_command_is_called_names_neither_keys_nor_rooms() -> None:
    line = commands.add_onion(KEY, (), "127.0.0.1:1")
    assert commands.name_command(line) == "ADD_ONION"
    assert commands.name_command(commands.fetch_descriptor(KEY.code)) == "HSFETCH"
    assert commands.name_command(commands.add_client_key(KEY.code, bytes(32))) == "ONION_CLIENT_AUTH_ADD"
    assert commands.name_command("GETINFO version") == "GETINFO version"


def test_no_other_module_writes_commands() -> None:
    """So that the table is all there is; what `authentication` says, every filter answers itself."""
    words = re.compile(r'"(?:GETINFO|SETEVENTS|ADD_ONION|DEL_ONION|HSFETCH|SIGNAL|TAKEOWN|ONION_|GETCONF|SETCONF)')
    sources = {path.name: path.read_text(encoding="utf-8") for path in Path(commands.__file__).parent.glob("*.py")}
    del sources["commands.py"]
    assert [name for name, source in sources.items() if words.search(source)] == []
