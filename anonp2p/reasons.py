"""Why a link ended or could not be had, and what a peer did wrong. Sentences for all of them are in `ui/reasons`."""

from typing import Final, Literal, get_args

# What a peer did that no honest program does.
Fault = Literal[
    "backfill-after-welcome",
    "backfill-to-other-log",
    "backfill-to-other-room",
    "bad-code",
    "bad-commit",
    "bad-hand-over",
    "bad-header",
    "bad-heirs",
    "bad-invitation",
    "bad-key",
    "bad-name",
    "bad-offer",
    "bad-nick",
    "bad-opening",
    "bad-openings",
    "bad-rights",
    "bad-rules",
    "bad-where",
    "body-padding",
    "changes-nothing",
    "client-handshake-length",
    "commit-for-other-epoch",
    "commit-of-other-log",
    "counter-changed",
    "empty-backfill",
    "entry-never-sent",
    "entry-of-absent",
    "entry-of-another",
    "entry-of-future-epoch",
    "entry-of-muted",
    "entry-of-old-epoch",
    "entry-without-body",
    "expired-too-soon",
    "extra-page",
    "extra-renewal",
    "forged-entry",
    "forged-head",
    "generation",
    "handed-over",
    "head-of-other-log",
    "head-of-other-roster",
    "head-of-other-term",
    "head-older-than-last",
    "head-out-of-range",
    "head-too-soon",
    "header-length",
    "hello-length",
    "history-after-end",
    "history-without-host",
    "history-without-start",
    "host-left",
    "host-only",
    "joined-twice",
    "joined-uninvited",
    "joined-without-right",
    "key-length",
    "keys-changed",
    "lagged",
    "lost-nobody",
    "lost-on-its-link",
    "malformed",
    "members-alike",
    "missing-group-context",
    "moderator-removed-too-soon",
    "old-epoch",
    "old-term",
    "ordered-too-soon",
    "other-group-context",
    "other-log",
    "other-room",
    "other-rules",
    "own-entries-reordered",
    "padding",
    "payload-length",
    "payload-padding",
    "payload-too-long",
    "proof-of-other-log",
    "proof-withheld",
    "reference-to-future",
    "reference-to-past",
    "reference-to-other-log",
    "other-return-key",
    "removed-nobody",
    "removed-twice",
    "removed-without-order",
    "repeated-entry",
    "resumption-in-old-epoch",
    "retention-not-allowed",
    "retracts-no-message",
    "returned-without-loss",
    "roster-with-other-key",
    "roster-without-us",
    "unreadable-box",
    "unreadable-entry",
    "unreadable-record",
    "unreadable-share",
    "unreadable-welcome",
    "share-length",
    "shorter-log",
    "stranger",
    "text-length",
    "time-turned-back",
    "tombstone-too-soon",
    "too-long-backfill",
    "too-many-members",
    "two-logs",
    "unexpected-address",
    "unrelated-log",
    "unexpected-backfill",
    "unexpected-denial",
    "unexpected-echo",
    "unexpected-frame",
    "unexpected-hold",
    "unexpected-knockers",
    "unexpected-clients",
    "unexpected-pool",
    "unexpected-entrusting",
    "unexpected-history",
    "unexpected-key",
    "unexpected-page",
    "unexpected-preparation",
    "unexpected-proof",
    "unexpected-redirect",
    "unexpected-refusal",
    "unexpected-report",
    "unexpected-request",
    "unexpected-share",
    "unexpected-sign-of-life",
    "unexpected-waiting",
    "unexpected-want",
    "unexpected-welcome",
    "unsigned-address",
    "unsigned-hold",
    "unproven-term",
    "unsigned-redirect",
    "unsigned-refusal",
    "unsigned-resumption",
    "unsigned-welcome",
    "unusable-key",
    "unwanted-resumption",
    "us-as-host",
    "without-right",
    "wrong-credentials",
    "wrong-pool",
    "wrong-room-key",
]

# How a link ended, where the peer was not at fault.
LinkEnd = Literal[
    "broken",
    "closed",
    "crowded",
    "dialled-again",
    "displaced",
    "passed-on",
    "nick-refused",
    "not-from-tor",
    "opener-removed",
    "other-host",
    "place-given-up",
    "silent",
    "slow-handshake",
    "unread-data",
    "unread-frames",
]
LINK_ENDS: Final = frozenset(get_args(LinkEnd))

# Why there is no link: what Tor answered.
DialFailure = Literal[
    "bad-address",
    "bad-descriptor",
    "broken-circuit",
    "failed-circuit",
    "introduction-timeout",
    "key-missing",
    "key-wrong",
    "no-descriptor",
    "no-introduction",
    "not-found",
    "service-silent",
    "tor-hung-up",
]

Code = (
    Fault
    | LinkEnd
    | DialFailure
    | Literal[
        "none",
        "tor-words",  # value: what Tor says that it is doing
        "tor-complains",  # value: what Tor says that is wrong
        "bridges-silent",
        "tor-retry",
        "dial-timeout",  # value: after how many seconds
        "tor-lost",  # value: the error that says how
        "too-long",  # value: after how many seconds the program gave up
        "link-fault",  # value: the fault
        "host-fault",  # value: the fault
        "knocking",  # we wait to be let in by a moderator
        "order-ignored",  # a host does not carry out what a moderator has ordered
        "other-at-code",  # another program answers at the code of a room that we host
        "other-log-shown",  # value: the nick of a member who was shown other messages than we
        "others-first",  # value: how many are served before us
        "offer-expired",
        "offer-withdrawn",  # by its author
        "offer-displaced",  # by later ones of its author
        "offer-unsent",  # it got no place, or lost it
        "offer-hidden",  # by us
        "author-gone",  # of an offer
        "recipient-gone",  # of a private offer of ours
        "new-identity",  # we have come back as somebody else than who offered, or was offered something
        "room-left",  # with which all offers end
        "fetch-stopped",  # by us
        "file-failed",  # value: the error that says how
    ]
)


class Reason:
    """A code and what its sentence names besides. It may be a nick: no `repr` shows it."""

    __slots__ = ("code", "value")

    def __init__(self, code: Code, value: object = "") -> None:
        self.code: Code = code
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Reason) and (self.code, self.value) == (other.code, other.value)

    def __hash__(self) -> int:
        return hash((self.code, self.value))

    def __repr__(self) -> str:
        return f"<Reason {self.code}>"


NO_REASON = Reason("none")
