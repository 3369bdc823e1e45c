"""What the checks of `anonp2p doctor` find, in words: what is, and what to do about it."""

from anonp2p.errors import AnonError
from anonp2p.findings import CheckName, Finding, FindingCode
from anonp2p.reasons import Reason
from anonp2p.ui.reasons import describe_error, describe_reason

HEADINGS: dict[CheckName, str] = {
    "packages": "Python and its packages",
    "memory": "Memory of this program",
    "directories": "Directories",
    "tor-program": "The program tor",
    "bridges": "Bridges",
    "control-ports": "Control ports of running Tors",
    "boot": "Tor, as this program gets it",
    "socks-port": "Its SOCKS port",
    "room": "A room on trial",
    "commands": "What its control port grants",
}

# What is, and what to do about it; empty where there is nothing to be done, or where the error in it says so.
WORDS: dict[FindingCode, tuple[str, str]] = {
    # Packages.
    "python": ("Python {}", ""),
    "package-fits": ("Package {} {} ({} or newer is needed)", ""),
    "package-missing": (
        "Package {} is missing; {} or newer is needed",
        "install anonp2p with pipx or pip, which bring it.",
    ),
    "package-old": (
        "Package {} {} is too old: {} or newer is needed",
        "install anonp2p with pipx or pip, which bring it.",
    ),
    "post-quantum": ("Package cryptography {} seals rooms: HPKE with MLKEM768-X25519 was tried", ""),
    # Memory.
    "freed-wiped": ("Python overwrites the memory that it frees", ""),
    "freed-kept": (
        "Python does not overwrite the memory that it frees: pieces of ended messages stay in it for a while",
        "start the program as anonp2p or python -m anonp2p, without -I or -E.",
    ),
    "freed-wiped-in-c": ("The C library overwrites the memory that it frees", ""),
    "freed-kept-in-c": (
        "The C library does not overwrite the memory that it frees: pieces of ended messages stay in it for a while",
        "only glibc does; there is nothing to be set.",
    ),
    "cores-off": ("Core dumps are off", ""),
    "cores-on": ("Core dumps are on: a crash would write messages to the disk", "ulimit -c 0 turns them off."),
    "undumpable": ("Other programs of yours cannot read it (ptrace, /proc); root always can", ""),
    "dumpable": ("Other programs of yours can read it", "let no program run as you that you do not trust."),
    "traced": (
        "Process {} ({}) traces this program, and reads all that it does",
        "start it without a debugger, strace or the like.",
    ),
    "swap-none": ("There is no swap", ""),
    "swap-in-memory": ("Swap to {} stays in memory", ""),
    "swap-encrypted": ("Swap to {} is encrypted", ""),
    "swap-plain": (
        "Swap to {} is not encrypted: keys and messages can get to the disk, and stay there",
        "sudo swapoff -a turns it off until the next start; man crypttab says how to encrypt it.",
    ),
    "swap-unclear": ("Whether swap to {} is encrypted cannot be told", "sudo swapoff -a turns it off."),
    "swap-unknown": ("This system does not tell whether there is swap", ""),
    # Directories.
    "runtime-directory": ("Sockets and what is temporary: below {} ({}, {})", ""),
    "directory-unfit": (
        "{} is {}, which {}: another place is used",
        "set it to a directory of yours alone, or unset it.",
    ),
    "left-behind": (
        "Directories that killed programs left behind: {}. Each start removes them, and so does this one",
        "",
    ),
    "state-directory": ("What Tor keeps between runs, as its guards: in {} ({}, {})", ""),
    "state-unusable": ("{}", ""),
    "state-in-use": (
        "Another copy of anonp2p uses what Tor keeps between runs: the Tor of this one starts anew, with other guards",
        "be in several rooms with one copy, or let all copies use one running Tor (--control).",
    ),
    "nothing-on-disk": ("Nothing is kept between runs, as with --amnesic or bridges", ""),
    # Tor.
    "tor-program": ("{}, version {}", ""),
    "tor-unusable": ("{}", ""),
    "system-has-tor": ("Not looked at: Whonix and Tails have a Tor that runs, and none of our own is started here", ""),
    "own-tor-useless": (
        "On Whonix and Tails a Tor of our own reaches nothing, or runs over the one that is there",
        "leave --tor own, --torrc and --bridge out.",
    ),
    "proof-of-work": ("It has proof of work, which defends rooms against floods", ""),
    "no-proof-of-work": (
        "It was built without proof of work: rooms that it publishes are easier to flood",
        "use Tor 0.4.8 or newer; Debian's own has it.",
    ),
    "bridges": ("Bridges that were given: {}", ""),
    "plugin": ("The plugin for {}: {}", ""),
    "no-bridges": ("None are asked for (--bridge); there are plugins for {}", ""),
    "no-bridges-no-plugins": ("None are asked for (--bridge), and no plugin for them is on your PATH", ""),
    "own-tor-asked": ("Not looked for: a Tor of our own is asked for", ""),
    "no-control-port": ("Not looked at: no control port is used", ""),
    "control-usable": ("{} lets us in; {} listens there, with Tor {}", ""),
    "control-usable-of-unknown": ("{} lets us in, with Tor {}; who listens there is not known", ""),
    "control-absent": ("Nothing listens at {}", ""),
    "control-refused": ("{}", ""),
    "control-refused-by-name": ("{} names one that is not used. {}", ""),
    "booted": ("{}, version {}, is ready after {} s", ""),
    "needs-boot": ("Not looked at: there is no Tor to ask", ""),
    "needs-packages": ("Not looked at: a package is missing", ""),
    "extended-errors": ("{} says why a room is not reached (extended errors)", ""),
    "plain-errors": (
        "{} does not say why a room is not reached",
        "add ExtendedErrors to its SocksPort line in torrc.",
    ),
    # A room.
    "defence-missing": ("This Tor lacks a defence against floods: {}", "use Tor 0.4.8 or newer."),
    "room-published": ("Published after {} s", ""),
    "room-reached": ("Reached through Tor after {} s more: rooms can be created and joined", ""),
    "room-unpublished": (
        "Tor took it, but had not published it after {} s",
        "look whether this machine's clock is right and its network lets Tor work, and try again.",
    ),
    "room-unreached": (
        "Published, but not reached through Tor in {} s: {}",
        "try again; if it stays so, others will not reach rooms of yours either.",
    ),
    "private-reached": ("So was a private room, by the key of an invitation, after {} s", ""),
    "private-refused": ("Private rooms are neither created nor joined here: {}", ""),
    "private-unpublished": (
        "Tor took a private room, but had not published it after {} s",
        "try again; if it stays so, rooms without --private work.",
    ),
    "private-unreached": (
        "A private room was published, but not reached by the key of an invitation in {} s: {}",
        "try again; if it stays so, rooms without --private work.",
    ),
    "looked-up": ("Tor looked for a room that nobody has, for {} s, and found none: rooms can be joined", ""),
    "lookup-failed": ("Tor could not even look for a room, in {} s: {}", "try again; Tor's log may say more."),
    "lookup-forged": (
        "It says that it has reached what does not exist, so it is no Tor",
        "give the SOCKS port of a Tor with --socks.",
    ),
    "join-only": ("{}", ""),
    # What is said at the control port.
    "commands-granted": ("All that is needed", ""),
    "command-spared": ("{} is refused ({}), and not needed: {}", ""),
    "command-refused": (
        "{} is refused ({}): {}",
        "if a filter such as onion-grater is before it, give that the profile that comes with anonp2p.",
    ),
    # All.
    "failed": ("{}", ""),
    "check-too-long": ("This took longer than {} s, and was given up", "try again when the machine has less to do."),
}
_KEPT: dict[object, str] = {
    "memory": "in memory",
    "encrypted": "on an encrypted disk",
    "plain": "on a disk that is not encrypted",
    "unknown": "and whether that is encrypted cannot be told",
}
# What follows where a command is refused.
_REFUSED = {
    "ADD_ONION": "no room can be created, and none carried on for others",
    "DEL_ONION": "a room ends only when its program does",
    "HSFETCH": "a host that comes back is found later",
    "ONION_CLIENT_AUTH_ADD": "private rooms are not joined",
    "ONION_CLIENT_AUTH_REMOVE": "Tor keeps the keys of private rooms until it ends",
    "GETINFO version": "its version is not known",
    "GETINFO status/bootstrap-phase": "it is taken to be ready",
    "GETINFO net/listeners/socks": "its SOCKS port is looked for in the usual places, or named with --socks",
    "GETINFO process/uid": "rooms take connections of all users that Tor may run as",
}
_EVENTS_REFUSED = "less of what it does is told"
# What some values are called.
_CALLED: dict[FindingCode, dict[object, str]] = {
    "booted": {"own": "A Tor of our own", "system": "A running Tor", "": "unknown"},
    "defence-missing": {"streams": "it does not limit the streams of a circuit", "proof-of-work": "no proof of work"},
    "runtime-directory": _KEPT,
    "state-directory": _KEPT,
}


def describe_finding(finding: Finding) -> str:
    """What is."""
    called = _CALLED.get(finding.code, {})
    values = [called.get(value) or _spell(value) for value in finding.values]
    if finding.code in ("command-refused", "command-spared"):
        values.append(_REFUSED.get(values[0], _EVENTS_REFUSED))
    return WORDS[finding.code][0].format(*values).removesuffix(".") + "."


def advise(finding: Finding) -> str:
    """What to do about it; empty where there is nothing, or where the sentence says so."""
    return WORDS[finding.code][1]


def _spell(value: object) -> str:
    if isinstance(value, AnonError):
        return describe_error(value)
    return describe_reason(value) if isinstance(value, Reason) else str(value)
