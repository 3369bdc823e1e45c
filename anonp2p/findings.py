"""What the checks of `anonp2p doctor` find, as values. The words are in `ui.diagnosis`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, get_args

from anonp2p.errors import AnonError
from anonp2p.reasons import Reason

CheckName = Literal[
    "packages",
    "memory",
    "directories",
    "tor-program",
    "bridges",
    "control-ports",
    "boot",
    "socks-port",
    "room",
    "commands",
]
CHECKS: Final[tuple[CheckName, ...]] = get_args(CheckName)

# wrong: the program cannot do what it is asked to; note: it does, but less well than it could; skip: not looked at.
State = Literal["ok", "note", "wrong", "skip"]

_OkCode = Literal[
    "bridges",  # value: how many
    "booted",  # values: "own" or "system", Tor's version, seconds
    "command-spared",  # values: the command that is refused and not needed, the status of its reply
    "commands-granted",
    "control-absent",  # value: where nothing listens
    "control-usable",  # values: where, who listens there, Tor's version
    "control-usable-of-unknown",  # values: where, Tor's version
    "cores-off",
    "extended-errors",  # value: the SOCKS port
    "freed-wiped",
    "freed-wiped-in-c",
    "looked-up",  # value: seconds
    "package-fits",  # values: name, version, the one that is needed
    "nothing-on-disk",
    "plugin",  # values: the transport, the path of its program
    "post-quantum",  # value: version of cryptography
    "private-reached",  # value: seconds
    "proof-of-work",
    "python",  # value: version
    "room-published",  # value: seconds
    "room-reached",  # value: seconds
    "runtime-directory",  # values: path, kind of file system, and how it keeps (`disks.Keeping`)
    "state-directory",  # values: path, kind of file system, and how it keeps
    "swap-encrypted",  # value: which
    "swap-in-memory",  # value: which
    "swap-none",
    "system-has-tor",
    "tor-program",  # values: path, version
    "undumpable",
]
_NoteCode = Literal[
    "command-refused",  # values: the command, the status of its reply
    "control-refused",  # value: the error that says why
    "control-refused-by-name",  # values: the variable that names the port, the error
    "cores-on",
    "defence-missing",  # value: which (`events.Defence`)
    "directory-unfit",  # values: the variable that names it, path, why
    "dumpable",
    "freed-kept",
    "freed-kept-in-c",
    "join-only",  # value: the error
    "left-behind",  # value: how many
    "no-proof-of-work",
    "plain-errors",  # value: the SOCKS port
    "private-refused",  # value: the error
    "state-in-use",
    "state-unusable",  # value: the error
    "swap-plain",  # value: which
    "swap-unclear",  # value: which
    "swap-unknown",
    "tor-unusable",  # value: the error
]
_WrongCode = Literal[
    "check-too-long",  # value: seconds
    "failed",  # value: the error
    "lookup-failed",  # values: seconds, the reason
    "lookup-forged",
    "own-tor-useless",
    "package-missing",  # values: name, the version that is needed
    "package-old",  # values: name, version, the one that is needed
    "private-unpublished",  # value: seconds
    "private-unreached",  # values: seconds, the reason
    "room-unpublished",  # value: seconds
    "room-unreached",  # values: seconds, the reason
    "traced",  # values: process id, its name
]
_SkipCode = Literal[
    "needs-boot",
    "needs-packages",
    "no-bridges",  # value: the transports that there are plugins for
    "no-bridges-no-plugins",
    "no-control-port",
    "own-tor-asked",
]
FindingCode = _OkCode | _NoteCode | _WrongCode | _SkipCode
_STATES: Final[dict[str, State]] = {
    **dict.fromkeys(get_args(_OkCode), "ok"),
    **dict.fromkeys(get_args(_NoteCode), "note"),
    **dict.fromkeys(get_args(_WrongCode), "wrong"),
    **dict.fromkeys(get_args(_SkipCode), "skip"),
}
CODES: Final = frozenset(_STATES)

_TOR_STATUS = 3  # exit code: Tor is missing, unreachable or refuses us
_OF_TOR = frozenset(
    (
        "lookup-failed",
        "lookup-forged",
        "own-tor-useless",
        "private-unpublished",
        "private-unreached",
        "room-unpublished",
        "room-unreached",
    )
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is, is wrong, or was not looked at. values: what its sentence names; never a secret."""

    code: FindingCode
    values: tuple[object, ...] = ()

    @property
    def state(self) -> State:
        return _STATES[self.code]

    @property
    def error(self) -> AnonError | None:
        """The error that it is about, if any: its sentence says what to do as well."""
        return next((value for value in self.values if isinstance(value, AnonError)), None)

    @property
    def status(self) -> int:
        """The exit code that it stands for."""
        if self.state != "wrong":
            return 0
        if self.code in _OF_TOR:
            return _TOR_STATUS
        return self.error.status if self.error else 1


def find(code: FindingCode, *values: object) -> Finding:
    return Finding(code, values)


@dataclass(frozen=True, slots=True)
class CheckBegun:
    """A check is being made now."""

    name: CheckName


@dataclass(frozen=True, slots=True)
class CheckWaits:
    """A check waits for Tor's bootstrap, which is so far (percent).

    seconds: for how long, if it is slow, else 0. warning: what is known to be wrong.
    """

    progress: int
    summary: Reason
    seconds: int = 0
    warning: Reason | None = None


@dataclass(frozen=True, slots=True)
class CheckMade:
    """A check, and what it found, in the order in which it is to be told."""

    name: CheckName
    findings: Sequence[Finding]

    @property
    def state(self) -> State:
        """The worst of its findings; skip if there is nothing else."""
        states = {finding.state for finding in self.findings}
        order: tuple[State, ...] = ("wrong", "note", "ok")
        return next((state for state in order if state in states), "skip")


Told = CheckBegun | CheckWaits | CheckMade
