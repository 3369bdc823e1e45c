"""What can go wrong, as the user is told it.

The docstring of an error *is* its sentence; `{detail}` in it is filled in by whoever raises it. `code` is the word of
the JSON interface, `status` the exit code when the error ends the program.
"""

from inspect import cleandoc


class AnonError(Exception):
    """Something failed: {detail}."""

    code = "failed"
    status = 1

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail)
        self.detail = detail

    def __str__(self) -> str:
        sentence = " ".join(cleandoc(type(self).__doc__ or "").split())
        return sentence.replace("{detail}", self.detail)


class Failed(AnonError):
    """{detail}"""


class InputFailed(AnonError):
    """The input of this program cannot be read: {detail}."""


class OutputFailed(AnonError):
    """The output of this program cannot be written: {detail}."""


class OutOfResources(AnonError):
    """This machine, or a limit on this program (ulimit -a lists them), leaves {detail}."""


class Usage(AnonError):
    """{detail}"""

    code = "usage"
    status = 2


class UnknownCommand(AnonError):
    """There is no command {detail} To send it as a message, type // for its first /."""

    code = "unknown-command"


class BadInput(AnonError):
    """{detail}"""

    code = "bad-input"
    status = 2


class NoRoom(AnonError):
    """No room is active: /create NAME opens one, /join CODE enters one, /switch ROOM goes to another of yours."""

    code = "no-room"


class UnknownRoom(AnonError):
    """You are in no room "{detail}": /rooms lists your rooms and their identifiers."""

    code = "no-room"


class BadCode(AnonError):
    """That is not a room code: {detail}. Ask for it again and paste it whole."""

    code = "bad-code"
    status = 2


class BadNick(AnonError):
    """A nick is 1 to 20 letters, digits and - _ . (a letter or digit among them)."""

    code = "bad-nick"
    status = 2


class ReservedNick(AnonError):
    """That nick is reserved, as it could be taken for the program or for a role: choose another."""

    code = "bad-nick"
    status = 2


class NickTaken(AnonError):
    """That nick, or one that looks like it, is taken in this room: choose another."""

    code = "nick-taken"
    status = 4


class NotAllowed(AnonError):
    """{detail}"""

    code = "not-allowed"


class NoSuchNick(AnonError):
    """Nobody in this room has that nick; /who lists them all."""

    code = "no-such-nick"


class Locked(AnonError):
    """The room is locked: its host lets nobody new in for now."""

    code = "locked"
    status = 4


class TooLong(AnonError):
    """That message is longer than 4,000 bytes: split it."""

    code = "too-long"


class Unreachable(AnonError):
    """The room could not be reached: {detail}."""

    code = "unreachable"
    status = 4


class Refused(AnonError):
    """The room did not let us in: {detail}."""

    code = "refused"
    status = 4


class TorMissing(AnonError):
    """Tor is missing: {detail}."""

    code = "tor-missing"
    status = 3


class TorRefused(AnonError):
    """Tor does not work with us: {detail}."""

    code = "tor-refused"
    status = 3


class TorUntrusted(AnonError):
    """A port of Tor is used only if you, root or Tor's own user listens there: {detail}."""

    code = "tor-refused"
    status = 3


class TorLost(AnonError):
    """The connection to Tor was lost: {detail}."""

    code = "tor-lost"
    status = 3


class PackageMissing(AnonError):
    """The Python package {detail}: get a newer one from PyPI."""


class CryptoMissing(AnonError):
    """The cryptography package ({detail}) cannot seal rooms (HPKE with MLKEM768-X25519): get 48.0.1 or newer."""

    code = "crypto-missing"


class PeerFault(Exception):
    """A peer broke the protocol. Its link is closed for this reason, which names no content; nobody else notices."""


def first(group: BaseExceptionGroup[AnonError]) -> AnonError:
    """The first of the errors that came out of a nursery together."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, AnonError), "the group holds nothing else"
    return error
