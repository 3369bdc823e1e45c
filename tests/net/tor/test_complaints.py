"""What is told of what Tor says that is wrong: its own words, as it was seen to say them, without where bridges are."""

import pytest

from anonp2p import limits
from anonp2p.bridges.lines import read_bridges
from anonp2p.net.tor.complaints import Complaints

IDENTITY = "B971B384AB2BFA55F7B434F9165C1F83C2A4332A"
PLACE = "127.0.0.1:44945"
CERT = "miWJKJ/EMYOMwshPfFnsGAnUBQMqMBl1tS5Ew0tneWjzp3hyQBl3uKyopgPPGFhjSHBHNw"
OBFS4 = f"obfs4 {PLACE} {IDENTITY} cert={CERT} iat-mode=0"
WEBTUNNEL = "webtunnel [2001:db8::5]:443 url=https://hidden.example/xyzzy"

REFUSED = (
    f"Proxy Client: unable to connect OR connection (handshaking (proxy)) with {PLACE} ID=<none> RSA_ID={IDENTITY} "
    '("general SOCKS server failure")'
)
NO_METHOD = "Client managed proxy encountered a method error. (webtunnel no such transport is supported)"
ENDED = 'Managed proxy "/usr/bin/obfs4proxy" having PID 14173 terminated with status code 255'


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (REFUSED, 'Proxy Client: unable to connect ("general SOCKS server failure")'),
        (NO_METHOD, NO_METHOD),
        (ENDED, 'Managed proxy "/usr/bin/obfs4proxy" terminated with status code 255'),
        (
            'Can\'t use bridge at [scrubbed]: there is no configured transport called "obfs4".',
            'Can\'t use bridge at [scrubbed]: there is no configured transport called "obfs4"',
        ),
        (
            f'Managed proxy "/x": dial tcp {PLACE}: connection refused',
            'Managed proxy "/x": dial tcp …: connection refused',
        ),
        (
            'Managed proxy "/x": https://hidden.example/xyzzy at [2001:db8::5]:443 and [2001:db8::7]:1 says no',
            'Managed proxy "/x": … at … and … says no',
        ),
    ],
)
def test_what_its_log_says_of_bridges_is_told_in_its_words(said: str, told: str) -> None:
    complaints = Complaints(read_bridges([OBFS4, WEBTUNNEL]))
    complaints.hear_log(said)
    assert complaints.words == told


@pytest.mark.parametrize(
    "said",
    [
        "You are running Tor as root. You don't need to, and you probably shouldn't.",
        "3 connections have failed:",
        " 3 connections died in state connect()ing with SSL state (No SSL object)",
        "Managed proxy at '/usr/bin/obfs4proxy' died in state Completed",
        "Managed proxy '/x' was spawned successfully, but it didn't launch any pluggable transport listeners!",
    ],
)
def test_what_its_log_says_besides_takes_the_place_of_nothing(said: str) -> None:
    complaints = Complaints(read_bridges([OBFS4]))
    complaints.hear_warning("Connection refused")
    complaints.hear_log(said)
    assert complaints.words == "Connection refused"


def test_that_a_relay_has_hung_up_takes_the_place_of_nothing() -> None:
    complaints = Complaints()
    complaints.hear_warning("No route to host")
    complaints.hear_warning("DONE")
    assert complaints.words == "No route to host"


def test_nothing_tells_where_a_bridge_is() -> None:
    complaints = Complaints(read_bridges([OBFS4, WEBTUNNEL]))
    other = "MVTZwYTD6YLtF1HxLUTCCBaq37vgWCSThhAZQgsN//0"
    for said in (
        f"wanted {IDENTITY} + no ed25519 key but got {IDENTITY[::-1]} + {other}.",
        f"host {IDENTITY} at {PLACE}, ${IDENTITY}, 192.0.2.9",
        f"the arguments were cert={CERT} and {CERT}, url=https://hidden.example/xyzzy",
        f"Error parsing Bridge address '{PLACE}'",
    ):
        told = complaints.conceal(said)
        for secret in (IDENTITY, IDENTITY[::-1], other, "127.0.0.1", "44945", "192.0.2", CERT[:9], "hidden", "xyzzy"):
            assert secret not in told


def test_why_a_plugin_ends_is_told_rather_than_that_it_does() -> None:
    complaints = Complaints(read_bridges([WEBTUNNEL]))
    for said in (NO_METHOD, ENDED, NO_METHOD, ENDED):
        complaints.hear_log(said)
    assert complaints.words == NO_METHOD


@pytest.mark.parametrize(
    ("bridges", "in_vain"),
    [
        ([OBFS4], True),
        ([OBFS4, OBFS4.replace("44945", "44946")], True),
        ([OBFS4, "192.0.2.1:443"], False),
        ([OBFS4, WEBTUNNEL], False),
        (["192.0.2.1:443"], False),
        ([], False),
    ],
)
def test_a_plugin_that_ends_again_and_again_is_given_up_where_nothing_goes_without_it(
    bridges: list[str], *, in_vain: bool
) -> None:
    complaints = Complaints(read_bridges(bridges) if bridges else ())
    for _ in range(limits.PLUGIN_ENDS - 1):
        complaints.hear_log(ENDED)
    assert not complaints.in_vain
    complaints.hear_log(ENDED)
    assert complaints.in_vain == in_vain
    complaints.forget()
    assert (complaints.words, complaints.in_vain) == ("", False)
