"""All that we say at the control port of a Tor, and the rules by which a filter before it lets exactly that pass.

The profiles in scripts/packaging are made from `WHONIX` and `TAILS` (scripts/profiles). What we say to a Tor that is
not our own is granted there, or stands in `UNGRANTED`: tests over a real Tor compare.
"""

import base64
import re
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from anonp2p import limits
from anonp2p.names.codes import RoomKey
from anonp2p.room.hosting_events import Defence

# What GETINFO is asked for (control-spec 3.9).
VERSION: Final = "version"
PHASE: Final = "status/bootstrap-phase"
SOCKS_PORTS: Final = "net/listeners/socks"
UID: Final = "process/uid"
ASKED: Final = (VERSION, PHASE, SOCKS_PORTS, UID)

# Kinds of events (control-spec 4.1).
BOOTING: Final = "STATUS_CLIENT"
DESCRIPTORS: Final = "HS_DESC"

FILTERED: Final = "510"  # what filters answer, and Tors that do not know a command

# An address of the right form that no room can have, as its checksum is wrong: Tor refuses it without looking for it.
NO_ADDRESS: Final = f"{'a' * 56}.onion"

# To our own Tor alone.
TAKE_OWNERSHIP: Final = "TAKEOWNERSHIP"
START_AFRESH: Final = "SIGNAL NEWNYM"

# Arguments of ADD_ONION that defend a room.
DEFENCES: Final[dict[Defence, str]] = {
    "streams": f"Flags=MaxStreamsCloseCircuit MaxStreams={limits.STREAMS}",
    "proof-of-work": "PoWDefensesEnabled=1",
}


def get_info(key: str) -> str:
    return f"GETINFO {key}"


def set_events(kinds: Iterable[str]) -> str:
    """From now on, events of these kinds and no others."""
    return " ".join(("SETEVENTS", *kinds))


def add_onion(key: RoomKey, defences: Iterable[Defence], target: str, clients: Sequence[bytes] = ()) -> str:
    """Serve the room, with these defences. target: `HOST:PORT` or `unix:PATH`.

    clients: the X25519 public keys of those who may find it; without any, everybody may.
    """
    words = [f"ED25519-V3:{key.expanded_private_key()}", *(DEFENCES[defence] for defence in defences)]
    words.append(f"Port={limits.PORT},{target}")
    if clients:
        words.append("Flags=V3Auth")
        words += (f"ClientAuthV3={base64.b32encode(client).decode('ascii').rstrip('=')}" for client in clients)
    return " ".join(("ADD_ONION", *words))


def delete_onion(code: str) -> str:
    return f"DEL_ONION {_address(code)}"


def fetch_descriptor(code: str) -> str:
    return f"HSFETCH {_address(code)}"


def add_client_key(code: str, key: bytes) -> str:
    """Find the private room with this code by this X25519 private key. Tor keeps it in memory, until it is removed."""
    return f"ONION_CLIENT_AUTH_ADD {_address(code)} x25519:{base64.b64encode(key).decode('ascii')}"


def remove_client_key(code: str) -> str:
    return f"ONION_CLIENT_AUTH_REMOVE {_address(code)}"


def _address(code: str) -> str:
    return code.removesuffix(".onion")


def name_command(line: str) -> str:
    """What a command may be called where users can read it: nothing in it names a room or holds a key."""
    word = line.partition(" ")[0]
    return line if word in ("GETINFO", "SETEVENTS", "SIGNAL") else word


class DescriptorEvent(NamedTuple):
    """What happened to the descriptor of the onion service with this address: UPLOADED, RECEIVED, FAILED, …"""

    action: str
    address: str


def read_descriptor_event(text: str) -> DescriptorEvent:
    """From the text of an event. One that is shorter than it should be is about nothing."""
    _, action, address, *_ = (*text.split(" "), "", "", "")
    return DescriptorEvent(action, address)


# --- what filters have to know


class Rule(NamedTuple):
    """Words that a filter passes on. pattern: a regular expression that matches all of them.

    replacement: what it passes on instead, if anything else: in place of what is in braces stand the groups of the
    pattern, and `client-address`, which is ours as the filter sees it.
    """

    pattern: str
    replacement: str | None = None


class Profile(NamedTuple):
    """What a filter lets pass: arguments by command, and kinds of events with what of each is passed on.

    Of an event, the first rule that matches counts.
    """

    commands: dict[str, tuple[Rule, ...]]
    events: dict[str, tuple[Rule, ...]]


_ADDRESS: Final = "[a-z2-7]{56}"
_DEFENDED: Final = "".join(f"(?: {words})?" for words in DEFENCES.values())
_SERVICE: Final = rf"(ED25519-V3:[A-Za-z0-9+/]{{86}}=={_DEFENDED} Port={limits.PORT}),"
_CLIENTS: Final = rf"((?: Flags=V3Auth(?: ClientAuthV3=[A-Z2-7]{{52}}){{1,{limits.CLIENTS}}})?)"
_NOTHING: Final = Rule(".*", "")  # of all other events

# Of descriptors, neither the relays that have them nor their identifiers; of what Tor does, how far it is alone.
_EVENTS: Final[dict[str, tuple[Rule, ...]]] = {
    BOOTING: (
        Rule(
            r'650 STATUS_CLIENT (\S+) BOOTSTRAP PROGRESS=(\S+) TAG=(\S+) SUMMARY="([^"]*)".*',
            '650 STATUS_CLIENT {} BOOTSTRAP PROGRESS={} TAG={} SUMMARY="{}"',
        ),
        _NOTHING,
    ),
    DESCRIPTORS: (
        Rule(
            rf"650 HS_DESC (REQUESTED|UPLOADED|RECEIVED|FAILED) ({_ADDRESS}) .*", "650 HS_DESC {} {} UNKNOWN redacted"
        ),
        _NOTHING,
    ),
}


def _make_profile(host: str, port: str) -> Profile:
    """The profile for a program that is reached at this address and port, as it sees them: regular expressions."""
    granted = {
        "GETINFO": (Rule(VERSION), Rule(PHASE)),
        "ADD_ONION": (Rule(rf"{_SERVICE}{host}:({port}){_CLIENTS}", "{},{client-address}:{}{}"),),
        "DEL_ONION": (Rule(_ADDRESS),),
        "HSFETCH": (Rule(_ADDRESS),),
        "ONION_CLIENT_AUTH_ADD": (Rule(f"{_ADDRESS} x25519:[A-Za-z0-9+/]{{43}}="),),
        "ONION_CLIENT_AUTH_REMOVE": (Rule(_ADDRESS),),
    }
    return Profile(granted, _EVENTS)


_FIRST, _LAST = limits.WHONIX_PORTS
WHONIX: Final = _make_profile("[0-9.]+", "|".join(map(str, range(_FIRST, _LAST + 1))))
TAILS: Final = _make_profile(r"127\.0\.0\.1", "[0-9]{1,5}")
# What we ask for as well, and do without: what Tor would tell of its machine.
UNGRANTED: Final = (get_info(SOCKS_PORTS), get_info(UID))


def is_granted(line: str, profile: Profile) -> bool:
    """Whether this profile lets a command pass."""
    word, _, arguments = line.partition(" ")
    if word == "SETEVENTS":
        return set(arguments.split()) <= set(profile.events)
    return any(re.fullmatch(rule.pattern, arguments) for rule in profile.commands.get(word, ()))
