"""When a member dials its host: time limits, back-off, giving up. Nothing here dials: `net` does."""

from collections.abc import Callable
from typing import Protocol

from anonp2p import limits
from anonp2p.reasons import NO_REASON, Reason
from anonp2p.room import effects, inputs
from anonp2p.room.dice import draw_between


class PlanDial(Protocol):
    """Makes the next dial, as `Context.plan_dial` does."""

    def __call__(self, address: bytes, seconds: float, *, returns: bool, pause: float) -> effects.DialEffect: ...


class Dialling:
    """Plans tries to reach the host, one after the other: before we are in, and each time that the link was lost.

    plan_dial: makes each dial. random: gives so many fresh bytes. is_alone: whether no other room of ours waits for a
    network when the first try does. attempt: how many tries there were since the last link on
    which we were let in; reason: why the last of them failed.
    """

    def __init__(self, plan_dial: PlanDial, random: Callable[[int], bytes], *, is_alone: bool) -> None:
        self.attempt = 0
        self.reason = NO_REASON
        self._plan_dial = plan_dial
        self._random = random
        self._is_alone = is_alone
        self._has_dialled = False
        self._began_at = 0.0  # when we began to try
        self._due_at: float | None = None  # when the next try is due
        self._is_let_in = False  # on the present link
        self._is_held = False  # on the present link, to be let in or not
        self._was_held = False  # whether a host has been there, and another may be on its way
        self._has_been_in = False
        self._is_dropping = False  # whether we have ended the link ourselves, to ask for something else
        self._faults = 0  # how many links in a row have ended because something was wrong with what came on them

    @property
    def next_deadline(self) -> float | None:
        """When `take_due` has something, if nothing else happens before."""
        return self._due_at

    def begin(self, now: float) -> None:
        """The first try is due."""
        self._began_at = self._due_at = now

    def take_due(self, address: bytes, now: float) -> effects.DialEffect | None:
        """The next try, of the service with this address, if it is due.

        A slow circuit is given up early: the next try gets a fresh one, which is usually faster.
        """
        if self._due_at is None or now < self._due_at:
            return None
        self._due_at = None
        self.attempt += 1
        seconds = limits.DIAL_TRIES[min(self.attempt, len(limits.DIAL_TRIES)) - 1]
        pause = self._draw_return()
        self._has_dialled = True
        return self._plan_dial(address, seconds, returns=self._has_been_in, pause=pause)

    def note_let_in(self) -> None:
        """The handshake on the present link has succeeded, whoever has dialled it: it may be that to an heir."""
        self._is_let_in, self._is_held, self._due_at = True, False, None

    def note_held(self) -> None:
        """A moderator has to let us in, on the present link: how long that takes is not counted."""
        self._is_held, self._was_held, self._due_at = True, True, None

    def note_drop(self) -> None:
        """We end the link ourselves, to ask for something else at once."""
        self._is_dropping = True

    def take_failure(self, failure: inputs.DialFailedInput, now: float) -> bool:
        """The try has failed. Returns whether there will be another."""
        return failure.again and self._plan_next(now, failure.reason, absent=failure.absent)

    def take_loss(self, reason: Reason, now: float) -> bool:
        """The link has ended. Returns whether there will be another try."""
        self._faults = self._faults + 1 if reason.code == "link-fault" else 0
        if self._faults == limits.LINK_FAULTS:
            return False
        was_dropping, self._is_dropping = self._is_dropping, False
        if self._is_let_in:
            self._is_let_in, self._has_been_in = False, True
            self._began_at, self.attempt, self.reason = now, 0, NO_REASON
            self._due_at = now + self._draw_pause()
            return True
        was_held, self._is_held = self._is_held, False
        if was_held:
            self._began_at, self.attempt = now, 0
        if reason.code == "crowded":
            return self._plan_knock(now, had_turn=was_held)
        if was_dropping:
            self._began_at = self._due_at = now
            self.reason = reason
            return True
        return self._plan_next(now, reason, absent=False)

    def _plan_knock(self, now: float, *, had_turn: bool) -> bool:
        """Where too many wait: who had its turn asks again later than others, and each for longer than one turn."""
        self.reason = Reason("crowded")
        longest = limits.DIAL_PAUSE_MAX if had_turn else limits.DIAL_PAUSE_MAX / 2
        self._due_at = now + draw_between(self._random, 0.5 * longest, longest)
        return now <= self._began_at + limits.CROWDED_PATIENCE

    def _plan_next(self, now: float, reason: Reason, *, absent: bool) -> bool:
        self.reason = reason
        patience = limits.ABSENT_PATIENCE if absent and not self._was_held else limits.DIAL_PATIENCE
        if now > self._began_at + (limits.PLACE_SECONDS if self._has_been_in else patience):
            return False
        self._due_at = now + self._draw_pause()
        return True

    def _draw_return(self) -> float:
        """Seconds to wait where others of our rooms wait for the same, so that they do not all come back together."""
        if self._is_alone and not self._has_dialled:
            return 0.0
        return draw_between(self._random, 0.0, limits.RETURN_SPREAD)

    def _draw_pause(self) -> float:
        """Seconds before the next try: more each time, and never the same as for others who lost the same host.

        Also before the first that follows the loss of a link: everyone may have lost theirs at the same moment, and
        after its Tor has died the introduction points of a host go on for a while to take calls that nobody answers.
        """
        longest = min(limits.DIAL_PAUSE * 1.5 ** max(0, self.attempt - 1), limits.DIAL_PAUSE_MAX)
        return draw_between(self._random, 0.5 * longest, longest)
