"""What can go wrong, as the user is told it.

`sentence` is what the user reads. `about`, with the raiser's values in it, takes the place of `{detail}`: errors of one
kind share their sentence. `code` is the word of the JSON interface, `status` the exit code when the error ends the
program. What only a link knows is a `Reason`, and `ui.reasons` has its words.
"""

from typing import ClassVar

from anonp2p.reasons import Fault, Reason


class AnonError(Exception):
    """Something failed, and the user is told what."""

    sentence: ClassVar[str]
    about: ClassVar[str] = "{}"
    code: str = "failed"
    status: ClassVar[int] = 1

    def __init__(self, *values: object) -> None:
        super().__init__(*values)
        self.detail = self.about.format(*(values or ("",)))

    def __str__(self) -> str:
        return self.sentence.replace("{detail}", self.detail)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AnonError) and (type(self), self.args) == (type(other), other.args)

    def __hash__(self) -> int:
        return hash((type(self), self.args))


class Failed(AnonError):
    sentence = "{detail}"


class TimedOut(Failed):
    sentence = "That has not happened within {detail}."
    about = "{} seconds"


class LinesUnsent(Failed):
    sentence = "{detail} of the lines given could not be sent."


class InputFailed(Failed):
    sentence = "The input of this program cannot be read: {detail}."


class OutputFailed(Failed):
    sentence = "The output of this program cannot be written: {detail}."


class OutOfResources(Failed):
    sentence = "This machine, or a limit on this program (ulimit -a lists them), leaves {detail}."


class OutOfMemory(OutOfResources):
    about = "too little memory"


class OutOfFiles(OutOfResources):
    about = "too few open files"


class OutOfSpace(OutOfResources):
    about = "too little space on the disk"


class OutOfThreads(OutOfResources):
    about = "too few threads, or too little memory for them"


class Usage(AnonError):
    sentence = "{detail}"
    code = "usage"
    status = 2


class BadEndpoint(Usage):
    sentence = "A port of Tor is given as HOST:PORT or unix:PATH, not as {detail}."


class BadListen(Usage):
    sentence = "Where Tor reaches us is given as HOST:PORT or HOST:PORT-PORT, with an address of ours, not as {detail}."


class UnknownTor(Usage):
    sentence = "Which Tor is to be used, --tor or ANONP2P_TOR, is auto, system or own."


class OwnTorWithPort(Usage):
    sentence = "With --tor own, a Tor of our own is started: it goes with neither --control nor --socks."


class OwnAndRunningTor(Usage):
    sentence = "{detail} for a running one: give one of them."
    about = "{} is for our own Tor, {}"


class OwnTorOnly(Usage):
    sentence = "{detail} is for our own Tor: it does not go with --tor system."


class ListenWithOwnTor(Usage):
    sentence = "What --listen says is for a Tor on another machine: not with --tor own, --torrc or --bridge."


NO_PATH = "that is no path"


class BadTorrc(Usage):
    sentence = "The file given with --torrc, {detail}."
    about = "{}, cannot be read: {}"


class TorrcIsDirectory(Usage):
    sentence = "What --torrc takes is a file, and {detail} is a directory."


class BadPasswordFile(Usage):
    sentence = "The file that ANONP2P_CONTROL_PASSWORD_FILE names, {detail}."
    about = "{}, cannot be read: {}"


class NoPasswordInFile(BadPasswordFile):
    about = "{}, has no password in its first line"


class NamedHost(Usage):
    sentence = (
        "A host of Tor is given as an address such as 127.0.0.1, not as {detail}: looking up a name would tell others."
    )


class UnknownCommand(AnonError):
    sentence = "There is no command {detail} To send it as a message, type // for its first /."
    code = "unknown-command"


class BadInput(AnonError):
    sentence = "{detail}"
    code = "bad-input"
    status = 2


class BadRoomName(BadInput):
    sentence = "A room's name is 1 to {detail} letters, digits and - _ . without spaces."


class ReservedRoomName(BadInput):
    sentence = "That name could be taken for the program, a role or another room: choose another."


class NoRoom(AnonError):
    sentence = (
        "No room is active: /create NAME opens one, /join CODE enters one, /switch ROOM goes to another of yours."
    )
    code = "no-room"


class UnknownRoom(NoRoom):
    sentence = 'You are in no room "{detail}": /rooms lists your rooms and their identifiers.'


class RoomGone(NoRoom):
    sentence = "You are not in that room any more."


class BadCode(AnonError):
    sentence = "That is not a room code: {detail}. Ask for it again and paste it whole."
    code = "bad-code"
    status = 2


class BadNick(AnonError):
    sentence = "A nick is 1 to 20 letters, digits and - _ . (a letter or digit among them)."
    code = "bad-nick"
    status = 2


class ReservedNick(BadNick):
    sentence = "That nick is reserved, as it could be taken for the program or for a role: choose another."


class NickTaken(AnonError):
    sentence = "That nick, or one that looks like it, is taken in this room: choose another."
    code = "nick-taken"
    status = 4


class NoSuchNick(AnonError):
    sentence = "Nobody in this room has that nick; /who lists them all."
    code = "no-such-nick"


class TooLong(AnonError):
    sentence = "That message is longer than 4,000 bytes: split it."
    code = "too-long"


class Unsent(AnonError):
    """Of a program on the library: its `__cause__` says why, and has its code. Nothing in it shows the text."""

    sentence = "That was not sent: {detail}"

    def __init__(self, cause: AnonError) -> None:
        super().__init__(cause)
        self.code = cause.code


class NotAllowed(AnonError):
    sentence = "The host does not allow that."
    code = "not-allowed"


class Unreachable(AnonError):
    sentence = "The room could not be reached: {detail}."
    code = "unreachable"
    status = 4

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


class Refused(AnonError):
    sentence = "The room did not let us in: {detail}."
    code = "refused"
    status = 4


class Full(Refused):
    about = "it is full"
    code = "full"


class Locked(AnonError):
    sentence = "The room is locked: nobody new is let in for now."
    code = "locked"
    status = 4


class TorMissing(AnonError):
    sentence = "Tor is missing: {detail}."
    code = "tor-missing"
    status = 3


class TorRefused(AnonError):
    sentence = "Tor does not work with us: {detail}."
    code = "tor-refused"
    status = 3


class TorUntrusted(TorRefused):
    sentence = "A port of Tor is used only if you, root or Tor's own user listens there: {detail}."


class TorLost(AnonError):
    sentence = "The connection to Tor was lost: {detail}."
    code = "tor-lost"
    status = 3


class PackageMissing(Failed):
    sentence = "The Python package {detail}: get a newer one from PyPI."
    about = "{} is needed in version {} or newer, and {} was found"


class CryptoMissing(AnonError):
    sentence = "The cryptography package ({detail}) cannot seal rooms (HPKE with MLKEM768-X25519): get 48.0.1 or newer."
    code = "crypto-missing"


class WrongArgument(Exception):
    """What stands after a command is not as its usage says: whoever knows the usage tells the user."""


class PeerFault(Exception):
    """A peer broke the protocol. Its link is closed for this reason, which names no content; nobody else notices.

    It may be anybody who can put bytes on that link: nothing is proven against the member at its other end.
    """

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault)
        self.fault: Fault = fault


class HostLied(Exception):
    """A host signed what contradicts something else that it signed, or the rules of the log (PROTOCOL.md, 5.9).

    evidence: what it signed, and what that covers; the text of no message that expires.
    """

    def __init__(self, fault: Fault, *evidence: bytes) -> None:
        super().__init__(fault)
        self.fault: Fault = fault
        self.evidence = tuple(filter(None, evidence))


def first(group: BaseExceptionGroup[AnonError]) -> AnonError:
    """The first of the errors that came out of a nursery together."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, AnonError), "the group holds nothing else"
    return error
