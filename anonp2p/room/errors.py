"""What a room does not do for its user, as the user is told it. See `anonp2p.errors`."""

from anonp2p.errors import BadInput, Failed, NotAllowed, Refused


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
    about = "it was so already, or the member is gone, or hosts by now"


class AlreadyModerator(ChangesNothing):
    about = "that member is a moderator already"


class NoModerator(ChangesNothing):
    about = "that member is no moderator"


class HostModerates(ChangesNothing):
    about = "the host moderates, as nobody else does"


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
    sentence = (
        "Whoever hosts this room now cannot make invitations before it has given the room another code, by /code new; "
        "those that were given out work until then."
    )


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


class SignatureRefused(Refused):
    about = "our signature did not convince it"


class KeyRefused(Refused):
    about = "it could not use our key"


class UnknownToHost(Refused):
    about = "it does not know us any more"


class ThrownOut(Refused):
    about = "we were thrown out of it"


class TurnedAway(Refused):
    about = "its moderators have turned us away"


class NotInvited(Refused):
    about = "it is private, and the code has no invitation that is still good: ask for another one"


class OtherProtocol(Refused):
    about = "it speaks another version of the protocol, so one of you needs a newer program"


class HostDistrusted(Refused):
    about = "its host does not keep to the protocol"


class NoSuchOffer(BadInput):
    sentence = "There is no offer {detail} in this room; /files lists all."


class OfferEnded(BadInput):
    sentence = "Offer {detail} has ended: that file is not to be had any more."


class OwnOffer(BadInput):
    sentence = "Offer {detail} is your own: the file is with you already."


class FetchedAlready(BadInput):
    sentence = "The file of offer {detail} is on its way to you already."


class TooManyOffers(NotAllowed):
    sentence = "You offer as many files here as you can at once, {detail}: /decline OFFER ends one of them."


class FileFleeting(NotAllowed):
    sentence = "What is never kept cannot be fetched: /retain 1h lets an offer of yours last for an hour."
