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
    code: ClassVar[str] = "failed"
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


class LinesUnsent(Failed):
    sentence = "{detail} of the lines given could not be sent."


class InputFailed(AnonError):
    sentence = "The input of this program cannot be read: {detail}."


class OutputFailed(AnonError):
    sentence = "The output of this program cannot be written: {detail}."


class OutOfResources(AnonError):
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


class BadPasswordFile(Usage):
    sentence = "The file that ANONP2P_CONTROL_PASSWORD_FILE names, {detail}."
    about = "{}, cannot be read: {}"


class NoPasswordInFile(BadPasswordFile):
    about = "{}, has no password in its first line"


class NamedHost(Usage):
    sentence = (
        "A host of Tor is given as an address such as 127.0.0.1, not as {detail}: looking up a name would tell others."
    )


class BadInput(AnonError):
    sentence = "{detail}"
    code = "bad-input"
    status = 2


class BadRoomName(BadInput):
    sentence = "A room's name is 1 to {detail} letters, digits and - _ . without spaces."


class ReservedRoomName(BadInput):
    sentence = "That name could be taken for the program, a role or another room: choose another."


class WhisperToSelf(BadInput):
    sentence = "A private message is for somebody else than you."


class NotCompared(BadInput):
    sentence = "Compare the words first: /verify NICK shows them for whoever has that nick now."


class NoMessageYet(BadInput):
    sentence = "There is no message here for that."


class NoSuchMessage(BadInput):
    sentence = "Message {detail} is none that you were shown here."


class MessageGone(BadInput):
    sentence = "Message {detail} is gone already."


class VerifySelf(BadInput):
    sentence = "Say with whom else: /verify NICK shows words for you and another."


class NoRoom(AnonError):
    sentence = (
        "No room is active: /create NAME opens one, /join CODE enters one, /switch ROOM goes to another of yours."
    )
    code = "no-room"


class UnknownRoom(AnonError):
    sentence = 'You are in no room "{detail}": /rooms lists your rooms and their identifiers.'
    code = "no-room"


class BadCode(AnonError):
    sentence = "That is not a room code: {detail}. Ask for it again and paste it whole."
    code = "bad-code"
    status = 2


class BadNick(AnonError):
    sentence = "A nick is 1 to 20 letters, digits and - _ . (a letter or digit among them)."
    code = "bad-nick"
    status = 2


class ReservedNick(AnonError):
    sentence = "That nick is reserved, as it could be taken for the program or for a role: choose another."
    code = "bad-nick"
    status = 2


class NickTaken(AnonError):
    sentence = "That nick, or one that looks like it, is taken in this room: choose another."
    code = "nick-taken"
    status = 4


class NotAllowed(AnonError):
    sentence = "The host does not allow that."
    code = "not-allowed"


class HostOnly(NotAllowed):
    sentence = "Only the host can do that."


class ModeratorsOnly(NotAllowed):
    sentence = "Only moderators can do that."


class CloseNotAllowed(NotAllowed):
    sentence = "Only moderators can close the room; /leave leaves it."


class HostStays(NotAllowed):
    sentence = "A host can be neither thrown out nor muted: it hands the room over first, or the rest go to a new one."


class FormerModerator(NotAllowed):
    sentence = "That member was a moderator before you: that is not for you to do."


class TooManyModerators(NotAllowed):
    sentence = "This room has as many moderators as there can be."


class RightLost(NotAllowed):
    sentence = "The room did not take that: you are not allowed to do it any more."


class Muted(NotAllowed):
    sentence = "You are muted in this room: nothing that you say is shown to others."


class OrderedOut(NotAllowed):
    sentence = "A moderator wants you out of this room: nothing that you say is shown to others."


class RoomSlow(NotAllowed):
    sentence = "The room is slow: wait a little before you say more."


class TextDenied(NotAllowed):
    sentence = "The host did not take that: the room may be slow, or you may be muted."


class OrderDenied(NotAllowed):
    sentence = "The host did not take that: somebody may have been faster, or you may be no moderator any more."


class ChangesNothing(Failed):
    sentence = "Nothing has changed: {detail}."
    about = "it was so already, or the member is gone"


class AlreadyModerator(ChangesNothing):
    about = "that member is a moderator already"


class NoModerator(ChangesNothing):
    about = "that member is no moderator"


class AlreadyMuted(ChangesNothing):
    about = "that member is muted already"


class NotMuted(ChangesNothing):
    about = "that member is not muted"


class AlreadyKept(ChangesNothing):
    about = "that member is kept already"


class NobodyBanned(ChangesNothing):
    about = "nobody with that nick is banned"


class NotPrivate(Failed):
    sentence = "This room has no invitations: it is not private, and whoever has its code can come."


class NoInvitationLeft(Failed):
    sentence = "All 128 invitations of this room have been given out."


class NoPool(Failed):
    sentence = "Whoever hosts this room now cannot make invitations; those that were given out still work."


class NoSuchInvitation(Failed):
    sentence = "There is no invitation with that number; /invites lists all."


class InvitationTaken(Failed):
    sentence = "Another moderator made an invitation at the same moment: type /invite again."


class RevokedAlready(ChangesNothing):
    about = "that invitation is revoked already"


class NobodyKnocks(ChangesNothing):
    about = "nobody with that nick waits to be let in"


class NobodyToPurge(ChangesNothing):
    about = "nobody has come since who is neither a moderator nor kept"


class KnockOn(ChangesNothing):
    about = "newcomers have to knock already"


class KnockOff(ChangesNothing):
    about = "newcomers need not knock"


class SlowUnchanged(ChangesNothing):
    about = "the room is as slow already"


class RaidOn(ChangesNothing):
    about = "the room is closed against a raid already"


class RaidOff(ChangesNothing):
    about = "the room is not closed against a raid"


class KickSelf(NotAllowed):
    sentence = "You cannot throw yourself out: /leave or /close."


class CannotHost(NotAllowed):
    sentence = "Their program cannot take the room over, or is not to."


class NotYours(NotAllowed):
    sentence = "Only its author can take a message back."


class OfFormerSelf(NotAllowed):
    sentence = "You have come back as somebody new since you wrote that message: it cannot be taken back any more."


class RetentionNotAllowed(NotAllowed):
    sentence = "In this room messages are kept for {detail}."
    about = "{} to {}"


class TooOften(NotAllowed):
    sentence = "That was a {detail} too many for now: wait a little."


class WhisperTooOften(TooOften):
    about = "private message"


class NickTooOften(TooOften):
    about = "change of nick"


class NickDenied(NotAllowed):
    sentence = "The host did not take that nick."


class Repeated(NotAllowed):
    sentence = "The host took that for a repetition."


class Unconfirmed(Failed):
    sentence = "Nothing proves whether this reached the room while you were away: look before you send it again."


class Unsealable(NotAllowed):
    sentence = "Nothing can be sealed to that member just now."


class InRoomAlready(NotAllowed):
    sentence = "You are in that room already."


class TooManyRooms(NotAllowed):
    sentence = "You are in as many rooms as can be at once: /leave one first."


class NickUnsent(Failed):
    sentence = "Your change of nick did not reach the room."


class OrderUnsent(Failed):
    sentence = "What you have asked as a moderator did not reach the room."


class OrderIgnored(Failed):
    sentence = (
        "The host has not done what you have asked as a moderator: it may keep it back. The next host is asked again."
    )


class RetractUnsent(Failed):
    sentence = "That you take a message back did not reach the room: it stays."


class KeyLate(Failed):
    sentence = "The key of that member did not come in time: nothing was sent, try again."


class NoSuchNick(AnonError):
    sentence = "Nobody in this room has that nick; /who lists them all."
    code = "no-such-nick"


class Locked(AnonError):
    sentence = "The room is locked: its host lets nobody new in for now."
    code = "locked"
    status = 4


class TooLong(AnonError):
    sentence = "That message is longer than 4,000 bytes: split it."
    code = "too-long"


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


class SignatureRefused(Refused):
    about = "our signature did not convince it"


class KeyRefused(Refused):
    about = "it could not use our key"


class UnknownToHost(Refused):
    about = "it does not know us any more"


class ThrownOut(Refused):
    about = "its host has thrown us out"


class TurnedAway(Refused):
    about = "its moderators have turned us away"


class NotInvited(Refused):
    about = "it is private, and the code has no invitation that is still good: ask for another one"


class OtherProtocol(Refused):
    about = "it speaks another version of the protocol, so one of you needs a newer program"


class HostDistrusted(Refused):
    about = "its host does not keep to the protocol"


class TorMissing(AnonError):
    sentence = "Tor is missing: {detail}."
    code = "tor-missing"
    status = 3


class TorRefused(AnonError):
    sentence = "Tor does not work with us: {detail}."
    code = "tor-refused"
    status = 3


class TorUntrusted(AnonError):
    sentence = "A port of Tor is used only if you, root or Tor's own user listens there: {detail}."
    code = "tor-refused"
    status = 3


class TorLost(AnonError):
    sentence = "The connection to Tor was lost: {detail}."
    code = "tor-lost"
    status = 3


class PackageMissing(AnonError):
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
