"""How we ask a host to let us in: for the first time, again on another link, or as somebody new."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from anonp2p import errors, limits
from anonp2p.crypto import identity, suite
from anonp2p.errors import Full, Locked, NotAllowed
from anonp2p.names import nicks
from anonp2p.protocol import frames, handshake
from anonp2p.protocol.field_types import Opening
from anonp2p.protocol.requests import JoinRequest, ResumeRequest
from anonp2p.reasons import LinkEnd
from anonp2p.room import events
from anonp2p.room.context import Context, fresh_keys
from anonp2p.room.errors import KeyRefused, NotInvited, SignatureRefused, ThrownOut, TurnedAway, UnknownToHost
from anonp2p.room.ledger import Ledger
from anonp2p.room.member.proof import Position
from anonp2p.room.succession import terms

# What a host's words mean to the one it refuses, but for "crowded", after which it asks again.
REFUSALS: dict[frames.Refusal, errors.AnonError] = {
    "bad-nick": errors.ReservedNick(),  # we ask for none that is improper
    "nick-taken": errors.NickTaken(),
    "not-allowed": NotAllowed(),
    "signature": SignatureRefused(),
    "key": KeyRefused(),
    "full": Full(),
    "locked": Locked(),
    "unknown": UnknownToHost(),
    "kicked": ThrownOut(),
    "turned-away": TurnedAway(),
    "not-invited": NotInvited(),
}


NOWHERE: Final = Position(0, bytes(32), b"")  # of one who has never been in the room


class _RefusedNick(NamedTuple):
    """A nick that we asked for and that is somebody else's. away: whether that somebody is away."""

    nick: str
    away: bool


class Joining:
    """What we ask for. nick: the one to ask for, empty for one made from our key.

    ticket: of the last link on which we were let in, by which the host knows that we are no stranger; empty without.
    has_lost_host: whether we have no link to it, as we say when we ask for our place.
    """

    def __init__(self, context: Context, nick: str) -> None:
        self.ticket = b""
        self.has_lost_host = False
        self._shown: Position | None = None  # how far we were shown the room, where our ledger is further on
        self._left: tuple[Sequence[Opening], int] | None = None  # openings and end of the log that we have left
        self._history_is_due = False  # whether there is more of it to come, on this link or another
        self._context = context
        self._replica = context.replica
        self._outbox = context.outbox
        self._reporter = context.reporter
        self._lifecycle = context.lifecycle
        self._wanted = nick
        self._alternatives: list[str] = []  # nicks to ask for if the one that we ask for now is refused too
        self._refused_nick: _RefusedNick | None = None  # the one that we wanted first of all

    # --- requests

    @property
    def can_resume(self) -> bool:
        """Whether we have a place to come back to, and all that the host would not show us again."""
        return self._lifecycle.entered and not self._history_is_due

    def sign_request(self, link: bytes, service: bytes, hello: bytes) -> JoinRequest | ResumeRequest:
        """Asks for our place, or for a new one.

        link: the secret of the link; service: what was dialled; hello: the hash of its hello.
        """
        return self._resume(link, service, hello) if self.can_resume else self._join(link, service, hello)

    def _join(self, link: bytes, service: bytes, hello: bytes) -> JoinRequest:
        me, key, wanted = self._replica.me, self._replica.own_keys[0].public, self._wanted
        further = *self.position[:2], self._context.pool.sign_invited(me)
        unsigned = JoinRequest(link, me.key, key, wanted, bytes(identity.SIGNATURE), *further)
        signature = me.sign_for(service, identity.JOIN, handshake.join_content(hello, unsigned))
        return JoinRequest(link, me.key, key, wanted, signature, *further)

    def _resume(self, link: bytes, service: bytes, hello: bytes) -> ResumeRequest:
        member, key, epoch = self._replica.me.id, self._replica.own_keys[0].public, self._replica.current_epoch.number
        ledger, lost = self._replica.ledger, self.has_lost_host
        said = link, member, key, epoch, ledger.index, ledger.digest, list(ledger.openings), lost
        content = handshake.resume_content(hello, ResumeRequest(*said, bytes(identity.SIGNATURE)))
        return ResumeRequest(*said, self._replica.me.sign_for(service, identity.RESUME, content))

    # --- refusals

    def take_refusal(self, reason: frames.Refusal) -> LinkEnd | None:
        """Returns why to end the link, if we ask for something else on another one; else we are out."""
        if reason == "unknown" and self._lifecycle.entered:
            self._begin_identity()
            return "place-given-up"
        if reason in ("nick-taken", "not-allowed") and not self._lifecycle.entered:
            return self._take_nick_refusal(reason)
        self._lifecycle.fail(REFUSALS[reason], "kicked" if reason == "kicked" else "refused")
        return None

    def _take_nick_refusal(self, reason: frames.Refusal) -> LinkEnd | None:
        """Asks for a similar nick, or fails if the user should choose one.

        `not-allowed` to a newcomer, whose key is fresh, means that whoever has the nick is away. If they are present, a
        newcomer fails. One whose place was given up, or who has waited to be let in, asks in either case, since its
        user may not be there to choose, and in the end takes any nick.
        """
        returns = self._lifecycle.was_held or self.position != NOWHERE
        if self._refused_nick is None and self._wanted and (returns or reason == "not-allowed"):
            self._refused_nick = _RefusedNick(self._wanted, away=reason == "not-allowed")
            self._alternatives = nicks.alternatives(self._wanted) + ([""] if returns else [])
        if self._alternatives:
            self._wanted = self._alternatives.pop(0)
            return "nick-refused"
        self._lifecycle.fail(REFUSALS["nick-taken" if self._refused_nick else reason], "refused")
        return None

    def _begin_identity(self) -> None:
        """We were away for too long, so that our place is gone: back in as somebody new, under the same nick."""
        self.ticket = b""
        self._wanted = self._context.own_member.nick
        self._refused_nick, self._alternatives = None, []
        self._reporter.tell_given_back(self._outbox.begin_identity(self._replica.me.id))
        self._context.sent.begin_identity()
        self._context.files.begin_identity()
        self._replica.begin_identity(*fresh_keys(self._context.random, self._replica.ledger.room))
        self._replica.epoch = None
        self._lifecycle.lose_place()

    # --- what a host may let us in as

    def own_key_hashes(self) -> set[bytes]:
        """Of keys that the log may have for us: those that we have shown, or the one that it had."""
        had = self._replica.ledger.roster.find_member(self._replica.me.id)
        return {suite.hash_data(key.public) for key in self._replica.own_keys} | ({had.key_hash} if had else set())

    def own_nicks(self) -> tuple[str, ...]:
        """What a host may call us when it lets us in."""
        return (self._wanted,) if self._wanted else self._replica.ledger.roster.list_free_nicks(self._replica.me.key)

    def tell_of_refused_nick(self) -> None:
        """Tells the user that we got another nick than the one that we wanted."""
        if self._refused_nick is not None:
            (wanted, away), nick = self._refused_nick, self._context.own_member.nick
            self._refused_nick = None
            free_in = round(limits.PLACE_SECONDS) if away else None
            room, re = self._context.label, self._lifecycle.asked_by
            self._reporter.tell_event(
                events.NickAssignedEvent(room=room, nick=nick, wanted=wanted, free_in=free_in, re=re)
            )

    # --- what was shown

    @property
    def position(self) -> Position:
        """How far we have been shown the room, on whatever link."""
        if self._history_is_due and self._shown is not None:
            return self._shown
        ledger = self._replica.ledger
        return Position(ledger.index, ledger.digest, ledger.group_context) if ledger.host else NOWHERE

    @property
    def shown_up_to(self) -> int | None:
        """Index of the last entry that was shown to us before we are shown the room anew; None if we are not."""
        return None if self._shown is None else self._shown.at

    def begin_anew(self) -> None:
        """What we were shown before does not count."""
        self._shown, self._history_is_due = None, False

    def leave_log(self, known: Ledger) -> None:
        """We come to another log than the one that we knew, which ended so."""
        self._left = self._left or (known.openings, known.index)
        self.begin_anew()

    def begin_history(self, *, expected: bool) -> bool:
        """A welcome shows us the room, with or without its history. Returns whether it is one that broke off before."""
        goes_on = self._history_is_due and self._lifecycle.entered
        position = self.position
        self._shown = None if position == NOWHERE else position
        self._history_is_due = expected
        return goes_on

    def note_shown(self, position: Position) -> None:
        """The link was lost while we were shown the history up to here."""
        if self._shown is None or position.at > self._shown.at:
            self._shown = position

    def end_history(self) -> None:
        """We have been shown everything: what the log does not have of what we said before, is said again."""
        self.begin_anew()
        ledger, fork = self._replica.ledger, None
        if self._left is not None:
            fork = terms.find_fork(*self._left, ledger.openings, ledger.index)
        self._left = None
        self._context.say_again(fork)
