"""Lines of bridges: what is taken, what is refused, and that no refusal shows where a bridge is."""

import os
import subprocess
import threading
from pathlib import Path

import pytest

from anonp2p import limits
from anonp2p.bridges.errors import (
    BadBridge,
    BadBridgeArgument,
    BadFingerprint,
    BridgeAddressMissing,
    BridgeArgumentMissing,
    BridgesUnreadable,
    BridgeTransportMissing,
    BridgeUnprintable,
    NoBridges,
    TooManyBridges,
    TransportUnknown,
)
from anonp2p.bridges.lines import parse_bridge, read_bridges

PLACE, IDENTITY = "192.0.2.77:4711", "0123456789abcDEF" * 2 + "01234567"
OBFS4 = f"obfs4 {PLACE} {IDENTITY} cert=abc+/9 iat-mode=0"


@pytest.mark.parametrize(
    ("line", "transport"),
    [
        (PLACE, ""),
        (f"{PLACE} {IDENTITY}", ""),
        (f"[2001:db8::5]:1 {IDENTITY}", ""),
        (OBFS4, "obfs4"),
        (f"obfs4 {PLACE} cert=x iat-mode=2", "obfs4"),
        (f"meek_lite 192.0.2.20:80 url=https://x/ front={'a' * 60}", "meek_lite"),
        (f"snowflake 192.0.2.3:80 {IDENTITY} url=https://x/?a=b fronts=a,b ice=stun:c:1,stun:d:2", "snowflake"),
        (f"webtunnel [2001:db8::5]:443 {IDENTITY} url=https://x/y ver=0.0.1", "webtunnel"),
    ],
)
def test_lines_of_bridges_are_taken_as_they_are(line: str, transport: str) -> None:
    bridge = parse_bridge(line, 1)
    assert (bridge.line, bridge.transport) == (line, transport)
    assert parse_bridge(f" Bridge\t {line} ", 1) == bridge, "as it stands in a torrc"


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("", BridgeAddressMissing),
        ("obfs4", BridgeAddressMissing),
        ("bridge.example:443", BridgeAddressMissing),
        ("192.0.2.77", BridgeAddressMissing),
        ("192.0.2.777:443", BridgeAddressMissing),
        ("192.0.2.77:0", BridgeAddressMissing),
        ("192.0.2.77:65536", BridgeAddressMissing),
        ("[192.0.2.77]:443", BridgeAddressMissing),
        ("2001:db8::5:443", BridgeAddressMissing),
        (f"obfs4 x {PLACE}", BridgeAddressMissing),
        (f"obfs9 {PLACE} {IDENTITY}", TransportUnknown),
        (f"{PLACE} {IDENTITY[1:]}", BadFingerprint),
        (f"{PLACE} {IDENTITY}0", BadFingerprint),
        (f"{PLACE} {IDENTITY[1:]}g", BadFingerprint),
        (f"{OBFS4} {IDENTITY}", BadBridgeArgument),
        (f"{OBFS4} =x", BadBridgeArgument),
        (f"{OBFS4} x=", BadBridgeArgument),
        (f"{PLACE} {IDENTITY} cert=x", BridgeTransportMissing),
        (f"obfs4 {PLACE} {IDENTITY} iat-mode=0", BridgeArgumentMissing),
        (f"obfs4 {PLACE} {IDENTITY} cert=x", BridgeArgumentMissing),
        (f"webtunnel {PLACE} {IDENTITY} ver=1", BridgeArgumentMissing),
        (f"{OBFS4} x=\x1b[2J", BridgeUnprintable),
        (f"{OBFS4} x=\N{NO-BREAK SPACE}1", BridgeUnprintable),
    ],
)
def test_what_is_no_line_of_a_bridge_is_refused_without_a_word_of_it(line: str, error: type[BadBridge]) -> None:
    with pytest.raises(error) as caught:
        parse_bridge(line, 3)
    said = f"{caught.value} {caught.value!r}"
    assert "number 3 " in said
    assert caught.value.status == 2
    assert not [part for part in (PLACE, "192.0.2", IDENTITY, "abc+/9", "obfs9", "example") if part in said]


def test_what_is_given_may_be_a_line_several_or_a_file(tmp_path: Path) -> None:
    path = tmp_path / "my bridges"
    path.write_bytes(f"# mine\r\n  {OBFS4}\r\n\r\n{PLACE}\n".encode())
    for given in ([str(path)], [OBFS4, PLACE], [f"{OBFS4}\n{PLACE}\n"], [OBFS4, PLACE, OBFS4]):
        assert [bridge.line for bridge in read_bridges(given)] == [OBFS4, PLACE]


def test_bridges_may_come_out_of_a_pipe(tmp_path: Path) -> None:
    """As `--bridge <(pass show bridges)` gives them."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=(OBFS4,))
    writer.start()
    assert [bridge.line for bridge in read_bridges([str(pipe)])] == [OBFS4]
    writer.join()


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ([], NoBridges),
        (["# nothing\n\n"], NoBridges),
        (["/dev/null"], NoBridges),
        (["/nonexistent"], BridgesUnreadable),
        (["/"], BridgesUnreadable),
        (["a\0b"], BridgesUnreadable),
        (["x" * 5_000], BridgesUnreadable),
        ([f"obfs4 bridge.example:443 {IDENTITY}"], BridgeAddressMissing),
        ([PLACE] * (limits.BRIDGES + 1), TooManyBridges),
        (["/dev/zero"], TooManyBridges),
    ],
)
def test_what_has_no_bridges_is_refused(given: list[str], error: type[BadBridge]) -> None:
    with pytest.raises(error):
        read_bridges(given)


def test_the_bridge_that_is_wrong_is_counted_through_all_that_was_given(tmp_path: Path) -> None:
    path = tmp_path / "bridges"
    path.write_text(f"# mine\n{PLACE}\n{OBFS4}\n")
    with pytest.raises(BridgeArgumentMissing, match="number 3 lacks url="):
        read_bridges([str(path), f"webtunnel {PLACE}"])


def test_tor_takes_each_kind_of_line(tmp_path: Path) -> None:
    """Its own parser is asked, without a network."""
    lines = [f"[2001:db8::5]:1 {IDENTITY}", OBFS4, "snowflake 192.0.2.3:80 url=https://x/?a=b fronts=a,b"]
    text = "".join(f"Bridge {line}\n" for line in lines)
    plugins = "".join(f"ClientTransportPlugin {kind} exec /bin/false\n" for kind in ("obfs4", "snowflake"))
    command = ["tor", "--defaults-torrc", "/dev/null", "-f", "-", "--verify-config"]
    torrc = f"DataDirectory {tmp_path}/data\nUseBridges 1\n{plugins}{text}"
    done = subprocess.run(command, input=torrc, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
