"""Safety words, as the user is shown them and says whether they are the same (PROTOCOL.md, 7a)."""

from typing import Any

from anonp2p.crypto import identity
from anonp2p.errors import AnonError, NoSuchNick
from anonp2p.names import safety_words
from anonp2p.room import events, inputs
from anonp2p.room.context import Context
from anonp2p.room.errors import VerifySelf
from anonp2p.room.roster import Member
from anonp2p.room.verification import Verification


class VerificationReport:
    """Tells the user the words of a room, or of us and another member, and keeps whom the user has verified."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._replica = context.replica
        self._reporter = context.reporter
        self._verification = Verification()

    def is_verified(self, member: bytes) -> bool:
        """Whether the user has said that this member sees the same words."""
        return self._verification.is_verified(member)

    def tell_safety_words(self, event: inputs.VerifyInput, time: int) -> None:
        """Words to compare: for the room at its last marks, or for us and another member.

        time: of the room, in milliseconds.
        """
        if event.nick:
            member = self._replica.ledger.roster.find_nick(event.nick)
            if member is None or member.id == self._replica.me.id:
                self._reporter.tell_error(NoSuchNick() if member is None else VerifySelf(), event.re)
                return
            if event.same is not None:
                self._note_comparison(member, event, same=event.same)
                return
            self._verification.note_shown(member.id)
            words = safety_words.words_of_two(self._replica.ledger.room, self._replica.me.key, member.key)
            data: Any = {"nick": member.nick, "member": identity.spell_member(member.id), "words": words}
            data |= {"me": self._context.own_member.nick, "verified": self.is_verified(member.id)}
        else:
            rows = [self._describe_mark(mark, time) for mark in self._replica.marks.latest_marks()]
            latest, previous = (*rows, None, None)[:2]
            until = self._replica.unproven_until
            unproven = None if until is None else until // 60_000
            data = (latest or {"words": [], "at": None, "minutes": None}) | {"previous": previous, "unproven": unproven}
        room = self._context.label
        self._reporter.tell_event(events.ReplyEvent(room=room, command="/verify", data=data, re=event.re))

    def _note_comparison(self, member: Member, event: inputs.VerifyInput, *, same: bool) -> None:
        try:
            self._verification.answer(member.id, same=same)
        except AnonError as error:
            self._reporter.tell_error(error, event.re)
            return
        room, spelled = self._context.label, identity.spell_member(member.id)
        told = events.VerifiedEvent(room=room, member=spelled, nick=member.nick, verified=same, re=event.re)
        self._reporter.tell_event(told)

    def _describe_mark(self, mark: safety_words.Mark, time: int) -> dict[str, Any]:
        """Its words; when it was by our clock, as seconds since the epoch, and in minutes since the room's creation."""
        ago = (time - mark.time) / 1000
        words = safety_words.words_of_room(self._replica.ledger.room, mark)
        return {"words": words, "at": round(self._context.clock.now.wall - ago), "minutes": mark.time // 60_000}
