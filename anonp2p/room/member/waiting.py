"""Our end of a standby link: we wait at an heir, tell it how we are, and take what it says (PROTOCOL.md, 8.9)."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from anonp2p import limits
from anonp2p.errors import PeerFault
from anonp2p.protocol import frames
from anonp2p.protocol.field_types import Opening
from anonp2p.reasons import Fault, LinkEnd
from anonp2p.room import effects
from anonp2p.room.call import Call
from anonp2p.room.context import Context
from anonp2p.room.dice import draw_heartbeat
from anonp2p.room.ledger import expect
from anonp2p.room.log.reader import LogReader
from anonp2p.room.member.host_check import HostCheck
from anonp2p.room.member.states import LinkState
from anonp2p.room.succession import terms
from anonp2p.room.succession.loss import Loss
from anonp2p.room.where import find_shared


class HostAnswer(NamedTuple):
    """Somebody who may be our host has answered. said: from the answer on, as far as it has come."""

    call: Call
    said: Sequence[frames.Frame]


class WaitingLink:
    """A link to an heir that has answered that it waits with us. member: the heir."""

    def __init__(self, context: Context, call: Call, member: bytes) -> None:
        self.call = call
        self.member = member
        self._clock = context.clock
        self._random = context.random
        self._replica = context.replica
        self._reporter = context.reporter
        self._key_shown = self._own_key
        self._said: tuple[bool, Sequence[Opening], int] | None = None
        self._due_at = 0.0  # when the next report goes out, though nothing has changed
        self._is_over = False  # whether we have ended it, though we have not heard that yet
        self._reporter.add_effect(effects.AdmitEffect(call.link, call.channel))

    @property
    def _own_key(self) -> bytes:
        return self._replica.own_keys[0].public

    def next_deadline(self) -> float:
        """When (`Now.tick`) a report is due."""
        return self._due_at

    def report(self, *, is_lost: bool) -> None:
        """Says how we are, if that is due or is not what we have said, and shows our encryption key if it is another.

        How far the log goes changes with each entry of those who talk: while we have a host, that is told when it is
        due. Without one, the heir that opens a term goes on from there.
        """
        if self._key_shown != self._own_key:
            self._key_shown = self._own_key
            self.send(frames.KeyFrame(self._own_key))
        ledger = self._replica.ledger
        said = is_lost, ledger.openings, ledger.index if is_lost else 0
        if said == self._said and self._clock.tick < self._due_at:
            return
        self._said = said
        self.send(frames.ReportFrame(is_lost, ledger.index, ledger.digest, list(ledger.openings)))

    def send(self, frame: frames.Frame) -> None:
        """Says this to the heir, which has heard from us with that."""
        self._reporter.add_effect(effects.RecordEffect(self.call.link, (frame,)))
        self._due_at = self._clock.tick + draw_heartbeat(self._random)

    def show_log(self, since: int) -> None:
        """Shows the heir all entries that we have after this one."""
        log, me = self._replica.room_log.log, self._replica.me.id
        reader = LogReader(log, since + 1, me, self._own_key, self.call.channel, log.end)
        reader.stop_at_end()
        self._reporter.add_effect(effects.AdmitEffect(self.call.link, self.call.channel, (), reader))

    def open_record(self, payload: bytes) -> Sequence[frames.Frame]:
        """What the heir says. Raises PeerFault."""
        return () if self._is_over else self.call.channel.open_record(payload).frames

    def drop(self, reason: Fault | LinkEnd) -> None:
        """Ends the link."""
        self._is_over = True
        self._reporter.add_effect(effects.DropEffect(self.call.link, reason))


class Waiting:
    """The standby link to the heir that would be the next host, if there is one; `Loss` says which heir that is.

    host_check: asks our host for a sign of life. catch_up: takes what an heir shows of the log while there is no host;
    raises PeerFault, HostLied. take_hint: takes which host an heir says it follows; raises PeerFault.
    """

    def __init__(
        self,
        context: Context,
        loss: Loss,
        state: LinkState,
        host_check: HostCheck,
        catch_up: Callable[[frames.BackfillFrame], None],
        take_hint: Callable[[frames.Where], None],
    ) -> None:
        self._context = context
        self._clock = context.clock
        self._replica = context.replica
        self._loss = loss
        self._state = state
        self._host_check = host_check
        self._catch_up = catch_up
        self._take_hint = take_hint
        self._link: WaitingLink | None = None

    @property
    def is_on(self) -> bool:
        """Whether somebody waits with us."""
        return self._link is not None

    def has_link(self, link: int) -> bool:
        """Whether this is the one on which we wait."""
        return self._link is not None and self._link.call.link == link

    def next_deadline(self) -> float | None:
        """When (`Now.tick`) a report is due."""
        return None if self._link is None else self._link.next_deadline()

    def begin(self, call: Call, heir: bytes, said: Sequence[frames.Frame]) -> HostAnswer | None:
        """This heir waits with us from now on, in place of another. said: what came with its answer.

        Returns the welcome, if that is among it. Raises PeerFault, HostLied.
        """
        if self._link is not None:
            self._link.drop("dialled-again")
        self._link = WaitingLink(self._context, call, heir)
        return self._take_words(self._link, said)

    def stop(self, reason: LinkEnd) -> None:
        """Ends the link."""
        if self._link is not None:
            self._link.drop(reason)
            self._link = None
            self._loss.drop_standby()

    def forget(self) -> None:
        """We are out: nothing is said on it any more."""
        self._link = None

    def note_lost(self) -> None:
        """The link is gone."""
        self._link = None
        self._loss.note_standby_lost(self._clock.tick)

    def report(self) -> None:
        """Says how we are, if that is due."""
        if self._link is not None:
            self._link.report(is_lost=self._loss.lost_at is not None)

    def take_payload(self, payload: bytes) -> HostAnswer | None:
        """What the heir says. Returns the welcome with which it goes on, if that is among it. Raises HostLied."""
        link = self._link
        assert link is not None, "the link is ours"
        try:
            return self._take_words(link, link.open_record(payload))
        except PeerFault as fault:
            link.drop(fault.fault)
        return None

    def _take_words(self, link: WaitingLink, said: Sequence[frames.Frame]) -> HostAnswer | None:
        for at, frame in enumerate(said):
            match frame:
                case frames.WelcomeFrame() if self._state.has_no_link:
                    self._link = None
                    self._loss.drop_standby()
                    return HostAnswer(link.call, said[at:])
                case frames.WelcomeFrame():
                    self.stop("closed")
                    break
                case _:
                    self._take_word(link, frame)
        return None

    def _take_word(self, link: WaitingLink, frame: frames.Frame) -> None:
        """Raises PeerFault for what an heir does not say, HostLied for a log that proves it."""
        match frame:
            case frames.HostLivesFrame():
                self._loss.note_host_lives(self._clock.tick)
            case frames.AskHostFrame():
                self._ask_host()
            case frames.RedirectFrame(where=where):
                self._take_hint(where)
            case frames.WantFrame():
                self._show_log(link, frame)
            case frames.BackfillFrame():
                if self._loss.lost_at is not None:  # else it has crossed our way back to a host
                    self._catch_up(frame)
            case _:
                raise PeerFault("unexpected-sign-of-life")

    def _ask_host(self) -> None:
        """Others have lost the host; our link may be dead too, and nobody have told us. Not as often as one may say so.

        The answer of the host decides.
        """
        if self._state.is_following and self._clock.tick >= self._host_check.asked_at + limits.ECHO:
            self._host_check.ask()

    def _show_log(self, link: WaitingLink, want: frames.WantFrame) -> None:
        """The heir lacks what we have of the log."""
        expect(terms.are_proper(want.openings), "bad-opening")
        fork = find_shared(self._replica, link.member, want.openings, want.index)
        if self._loss.lost_at is not None and fork is not None:
            link.show_log(fork)
