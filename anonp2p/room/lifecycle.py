"""Our way into a room and out of it."""

from typing import Literal

from msgspec import UNSET

from anonp2p import errors, limits
from anonp2p.crypto import identity
from anonp2p.names import codes
from anonp2p.room import events, inputs
from anonp2p.room.file_inputs import SendFileInput
from anonp2p.room.health import Health
from anonp2p.room.outbox import Outbox
from anonp2p.room.replica import Replica
from anonp2p.room.reporter import Reporter
from anonp2p.room.succession_report import SuccessionReport

Phase = Literal["outside", "in", "leaving", "over"]
End = Literal["left", "closed", "kicked", "refused", "lost", "tor"]


class Lifecycle:
    """Whether we are in the room, and what the user is told when that changes.

    failure: why we never got in, or had to give up. waiting: what was typed before we were let in.
    was_held: whether a moderator has to let us in, as far as we know. asked_by: the input that asked for the room.
    leaves_at: when (`Now.tick`) we leave, if that is planned.
    """

    def __init__(
        self,
        label: str,
        replica: Replica,
        outbox: Outbox,
        reporter: Reporter,
        succession: SuccessionReport,
        health: Health,
        re: events.Re,
        *,
        cover: bool,
    ) -> None:
        self.phase: Phase = "outside"
        self.failure: errors.AnonError | None = None
        self.waiting: list[inputs.Typed] = []
        self.leaves_at: float | None = None
        self.was_held = False
        self._planned_leave = inputs.LeaveInput()
        self._label = label
        self._replica = replica
        self._outbox = outbox
        self._reporter = reporter
        self._succession = succession
        self._health = health
        self.asked_by = re
        self._cover = cover
        self._leave_re: events.Re = UNSET

    @property
    def entered(self) -> bool:
        """Whether we have been let in and are not out yet."""
        return self.phase in ("in", "leaving")

    @property
    def over(self) -> bool:
        """Whether we are out for good."""
        return self.phase == "over"

    @property
    def re(self) -> events.Re:
        """The input that asked for the room, as long as we are not in."""
        return UNSET if self.entered else self.asked_by

    def enter(self, role: Literal["host", "member"]) -> None:
        """We are in: for the first time, or as somebody new."""
        self.phase, self.was_held = "in", False
        self._health.note_entered()
        ledger, me = self._replica.ledger, self._replica.me.id
        self._reporter.tell_event(
            events.EnteredEvent(
                room=self._label,
                name=ledger.name,
                code=codes.encode_key(ledger.code),
                nick=ledger.get_member(me).nick,
                member=identity.spell_member(me),
                role=role,
                members=ledger.list_people(),
                private=True if ledger.is_private else UNSET,
                re=self.asked_by,
            )
        )
        self._reporter.tell_cautions(self._replica.present_cautions())
        self._reporter.tell_rules(ledger.retention, ledger.history)
        if self._cover:
            ways = 1 if role == "host" else 2  # a host sends a batch in each slot; a member's slots are answered
            self._reporter.tell_event(
                events.CoverOnEvent(
                    room=self._label, rate=ways * limits.UNIT / limits.COVER_INTERVAL, wait=1.5 * limits.COVER_INTERVAL
                )
            )
        self._succession.begin()

    def lose_place(self) -> None:
        """Our place was given up: we have to be let in again."""
        self.phase = "outside"

    def plan_leave(self, leave: inputs.LeaveInput, at: float) -> None:
        """The user wants out at this time (`Now.tick`)."""
        self._planned_leave, self.leaves_at = leave, at

    def take_due_leave(self, now: float) -> inputs.LeaveInput | None:
        """The leave that was planned, once it is due."""
        if self.leaves_at is None or now < self.leaves_at:
            return None
        self.leaves_at = None
        return self._planned_leave

    def begin_leaving(self, re: events.Re) -> None:
        """The user wants out. re: the input that asked for it."""
        self._leave_re = re
        self.phase = "leaving"

    def note_close(self, re: events.Re) -> None:
        """The user wants the room to end for all; until it does, we are in it. re: the input that asked for it."""
        self._leave_re = re

    @property
    def may_give_up(self) -> bool:
        """Whether a leave does not wait for us to be let in: nothing was typed before it, or we may wait for ever."""
        return self.was_held or not self.waiting

    def give_up_waiting(self, re: events.Re) -> None:
        """The user does not want in any more."""
        self._leave_re = re
        self.leave_room("left")

    def fail(self, error: errors.AnonError, reason: End) -> None:
        """Out, because of this error."""
        self.failure = error
        self._reporter.tell_error(error, self.re, final=True)
        self.leave_room(reason)

    def break_down(self, error: errors.AnonError) -> None:
        """Out, because the network cannot carry the room any further."""
        self.fail(error, "lost" if isinstance(error, errors.Unreachable) else "tor")

    def leave_room(self, reason: End) -> None:
        """Out of the room: what was not ordered is given back."""
        re = self._leave_re if self._leave_re is not UNSET else self.re
        if reason == "closed" and self.phase == "leaving":
            reason = "left"  # as we wanted, whoever else wants the room to end
        self.phase = "over"
        self._reporter.tell_given_back(self._outbox.give_back_all())
        waiting, self.waiting = self.waiting, []
        for typed in waiting:
            self.give_back(typed)
        self._reporter.end_all_messages()
        self._reporter.tell_event(events.GoneEvent(room=self._label, reason=reason, re=re))

    def give_back(self, typed: inputs.Typed) -> None:
        """Answers an input that comes too late."""
        if isinstance(typed, inputs.SayInput | inputs.WhisperInput | inputs.ReplyInput | SendFileInput):
            self._reporter.tell_event(events.UnsentEvent(room=self._label, text=typed.line, re=typed.re))
        elif not isinstance(typed, inputs.LeaveInput):
            self._reporter.tell_error(errors.NoRoom(), typed.re)
