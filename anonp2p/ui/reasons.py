"""Reasons and errors in words."""

from typing import Any

from anonp2p import limits
from anonp2p.errors import AnonError, Unreachable
from anonp2p.reasons import Code, Reason


def describe_error(error: AnonError) -> str:
    """The sentence of an error."""
    if isinstance(error, Unreachable):
        return error.sentence.replace("{detail}", describe_reason(error.reason))
    return str(error)


def describe_reason(reason: Reason) -> str:
    """A reason, as a part of a sentence; one for an alarm is a sentence."""
    match reason:
        case Reason(code="tor-lost", value=AnonError() as error):
            return error.detail
        case Reason(code="host-fault" | "link-fault" as code, value=fault):
            return PHRASES[code].format(PHRASES[fault])  # type: ignore[index]  # it is a `Fault`
    return PHRASES[reason.code].format(reason.value)


def encode_json(value: Any) -> str:
    """What JSON mode prints of what the core knows as a type: the same sentence as for people."""
    return describe_error(value) if isinstance(value, AnonError) else describe_reason(value)


PHRASES: dict[Code, str] = {
    # What a host or a member sent.
    "backfill-after-welcome": "a backfill later than the welcome",
    "backfill-to-other-log": "a backfill that leads to another log",
    "backfill-to-other-room": "a backfill that leads to another room",
    "bad-code": "a code that leads nowhere, or is no other",
    "bad-hand-over": "a room handed over to nobody",
    "bad-heirs": "heirs who are no members, or twice the same",
    "bad-opening": "a term that its author may not begin",
    "bad-commit": "a commit that is none",
    "bad-header": "a header that is none",
    "bad-key": "a key that is none",
    "bad-name": "a room name that is none",
    "bad-nick": "an improper nick",
    "bad-rules": "rules that are none",
    "body-padding": "a body longer than need be",
    "client-handshake-length": "a client handshake of no proper length",
    "commit-for-other-epoch": "a commit for another epoch",
    "commit-of-other-log": "a commit that was made on another log",
    "counter-changed": "a member with a counter of before",
    "empty-backfill": "a backfill without entries",
    "entry-never-sent": "an entry of our own that we never sent",
    "entry-of-absent": "an entry of one who is away",
    "entry-of-another": "an entry of somebody else",
    "entry-of-future-epoch": "an entry of an epoch to come",
    "entry-of-old-epoch": "an entry of an epoch that is over",
    "entry-without-body": "an entry without a body",
    "expired-too-soon": "what does not expire, expired",
    "extra-page": "a page too many",
    "extra-renewal": "a renewal too many",
    "forged-entry": "a forged entry",
    "forged-head": "a forged head",
    "generation": "a generation out of its order",
    "handed-over": "an entry of a host that has handed the room over",
    "head-of-other-log": "a head for another log",
    "head-of-other-roster": "a head for another list of members",
    "head-older-than-last": "a head that is older than the last",
    "head-out-of-range": "a head beyond all logs and times",
    "head-too-soon": "a head for one who lacks what is before it",
    "header-length": "a header of no proper length",
    "hello-length": "a hello of no proper length",
    "history-after-end": "a history that begins after its end",
    "history-without-host": "a history without the host",
    "history-without-start": "a history without a beginning",
    "host-left": "a host that leaves without closing",
    "host-only": "an entry that only hosts may write",
    "joined-twice": "one who joins twice in an epoch",
    "key-length": "a key of no proper length",
    "keys-changed": "a member with keys of before",
    "lagged": "it lagged too far behind",
    "lost-nobody": "the loss of no member",
    "malformed": "something malformed",
    "members-alike": "two members alike",
    "missing-group-context": "entries of which it does not say what they change",
    "old-epoch": "an epoch that is over",
    "other-group-context": "another list of members, or other rules, than its entries lead to",
    "other-host": "another host than before",
    "other-log": "another log than before",
    "other-rules": "a room of another name, or with other rules, than before",
    "own-entries-reordered": "our own entries in another order",
    "padding": "something padded that is not as it should be",
    "payload-length": "a payload of no proper length",
    "payload-padding": "a payload larger than need be",
    "payload-too-long": "a payload too long",
    "proof-of-other-log": "a proof that leads to another log",
    "proof-withheld": "a log that does not continue ours",
    "reference-to-future": "a reference to what is not there yet",
    "reference-to-past": "a reference to an earlier epoch, whose keys its author had not any more",
    "reference-to-other-log": "a reference to another log",
    "removed-nobody": "the removal of no member, or of one who was not away",
    "removed-twice": "a removal twice",
    "repeated-entry": "an entry repeated",
    "resumption-in-old-epoch": "a resumption in an epoch that is over",
    "retention-not-allowed": "an entry that is kept for a time that its room does not allow",
    "retracts-no-message": "the end of what is no message",
    "returned-without-loss": "the return of one who was not away",
    "roster-with-other-key": "a roster with a key for us that is not ours",
    "roster-without-us": "a roster without us, or with another nick for us",
    "unreadable-box": "a box that does not open",
    "unreadable-entry": "an entry that does not open",
    "unreadable-record": "a record that does not open",
    "unreadable-share": "a commit share that does not open",
    "unreadable-welcome": "a welcome that does not open",
    "share-length": "a commit share of no proper length",
    "shorter-log": "a log that has become shorter",
    "stranger": "an entry of a stranger",
    "text-length": "a text of no proper length",
    "time-turned-back": "a time earlier than it signed before",
    "tombstone-too-soon": "a tombstone of what has not expired and was not taken back",
    "too-many-members": "too many members",
    "two-logs": "two logs, and signed for both",
    "unexpected-address": "an address that nobody asked for",
    "unexpected-backfill": "a backfill out of its place",
    "unexpected-denial": "a denial of what was never asked",
    "unexpected-echo": "an answer to what was not asked",
    "unexpected-entrusting": "a key for the room out of its place",
    "unexpected-history": "a history where there is none",
    "unexpected-key": "a key that we did not ask for",
    "unexpected-page": "a page of no welcome",
    "unexpected-preparation": "a request for an address out of its place",
    "unexpected-proof": "a proof of what was not missed",
    "unexpected-redirect": "a way to another host out of its place",
    "unexpected-report": "a report out of its place",
    "unexpected-request": "a request to one who does not host",
    "unexpected-refusal": "a refusal for one who was in",
    "unexpected-share": "a commit share of no commit",
    "unexpected-sign-of-life": "a host's sign of life out of its place",
    "unexpected-waiting": "a wait out of its place",
    "unexpected-want": "a request for our log out of its place",
    "unexpected-welcome": "a second welcome",
    "unsigned-address": "an address that its service did not sign",
    "unsigned-refusal": "a refusal that is not signed by the host",
    "unsigned-resumption": "a place given back that is not signed by the host",
    "unsigned-welcome": "a welcome that its host did not sign",
    "unusable-key": "a key that cannot be sealed to",
    "unwanted-resumption": "a resumption not asked for",
    "why-of-lost": "words about one who only lost its place",
    "wrong-credentials": "a host that is not the one of its address",
    "wrong-room-key": "a key that is not the one of the room's code",
    "us-as-host": "us as its host",
    # How a link ended.
    "broken": "the connection broke",
    "closed": "the connection was closed",
    "dialled-again": "its member dialled again",
    "displaced": "it gave way to a newer one",
    "nick-refused": "another member has our nick",
    "not-from-tor": "it does not come from Tor",
    "place-given-up": "our place there was given up",
    "silent": f"nothing was heard for {limits.LINK_LOST:.0f} seconds",
    "slow-handshake": "the handshake took too long",
    "unread-data": "it does not read what it is sent",
    "unread-frames": "it does not read what it asks for",
    # Why there is none.
    "bad-address": "Tor takes the code for no onion address",
    "bad-descriptor": "what Tor found about it is not valid",
    "broken-circuit": "the circuit to it broke",
    "failed-circuit": "the circuit to it failed",
    "introduction-timeout": "it did not answer in time",
    "key-missing": "it is a private room, and the code lacks its key",
    "key-wrong": "it is a private room, and the key in the code is wrong",
    "no-descriptor": "Tor finds no trace of it: it has ended, or is not published yet",
    "no-introduction": "it does not answer: it has ended, or its Tor is away",
    "not-found": "Tor does not find it, or it does not answer",
    "service-silent": "its Tor answers, but the room does not",
    "tor-hung-up": "Tor hung up on us",
    "dial-timeout": "there was no answer within {:.0f} seconds",
    "tor-lost": "{}",
    "too-long": "it took longer than {:.0f} seconds",
    "none": "",
    "tor-words": "{}",
    "tor-retry": "It was lost; trying to have it again",
    "link-fault": "what came from it breaks the protocol ({})",
    # Alarms.
    "host-fault": "The host sent {}.",
    "other-at-code": "Another program answers at the room's code: who has its key lets newcomers in elsewhere. "
    "The room gets another code; in the room itself, nothing has changed.",
    "other-log-shown": "{} was shown other messages than you: the host tells different members different things.",
}
