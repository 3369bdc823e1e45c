"""How a member finds a host: whom it dials, what the first answers mean, and at whom it waits for the next host.

Before we are in, and where nobody but our host can host, `Dialling` says when to dial; else `Loss` says whom as well.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from anonp2p import errors, limits
from anonp2p.errors import PeerFault
from anonp2p.protocol import credentials, frames, handshake, meeting
from anonp2p.protocol.field_types import Heir
from anonp2p.protocol.requests import AnyRequest
from anonp2p.reasons import LINK_ENDS, NO_REASON, Reason
from anonp2p.room import effects, inputs
from anonp2p.room.call import Call
from anonp2p.room.context import Context
from anonp2p.room.dice import draw_between
from anonp2p.room.errors import OtherProtocol
from anonp2p.room.ledger import expect
from anonp2p.room.member.credence import Credence
from anonp2p.room.member.dialling import Dialling
from anonp2p.room.member.host_check import HostCheck
from anonp2p.room.member.joining import Joining
from anonp2p.room.member.states import LinkState
from anonp2p.room.member.uplink import Uplink
from anonp2p.room.member.waiting import HostAnswer, Waiting
from anonp2p.room.succession import terms
from anonp2p.room.succession.loss import Line, Loss, Target
from anonp2p.room.where import check_form, has_known_signer, tell_where

_OTHER_VERSION = OtherProtocol()


class _Try(NamedTuple):
    """A dial, and whom it is to reach."""

    call: Call
    target: Target
    asked: list[int]  # the index of our log when we asked for our place, if we have


class Search:
    """Has a link to a host looked for while there is none, and keeps one to the heir that would be the next.

    loss: is told of all that comes of it, and says whom to dial. catch_up: takes what an heir shows of the
    log while there is no host; raises PeerFault, HostLied.
    """

    def __init__(
        self,
        context: Context,
        loss: Loss,
        state: LinkState,
        uplink: Uplink,
        joining: Joining,
        host_check: HostCheck,
        catch_up: Callable[[frames.BackfillFrame], None],
    ) -> None:
        self._loss = loss
        self._context = context
        self._clock = context.clock
        self._replica = context.replica
        self._reporter = context.reporter
        self._lifecycle = context.lifecycle
        self._state = state
        self._uplink = uplink
        self._joining = joining
        self._waiting = Waiting(context, loss, state, host_check, catch_up, self._take_hint)
        self._dialling = Dialling(context.plan_dial, context.random, is_alone=context.is_alone)
        self._turned_away_at = b""  # the service of one who hosts and has given us no place
        self._credence = Credence(context.replica, context.clock, loss)
        self._tries: dict[int, _Try] = {}  # by link
        self._answered_by = b""  # the handshake key of the one whose answer was handed on last
        self._is_hinted = False  # whether we were sent on to another host since we had one
        self._rounds = 0  # how many times the user was told of dials since the host was lost
        self._told_at = 0.0  # when (`Now.tick`) the last time
        self._reason = NO_REASON  # why the latest of them failed

    @property
    def attempt(self) -> int:
        """How many times we have tried since there was a host."""
        return self._rounds if self._has_others else self._dialling.attempt

    @property
    def line(self) -> Line:
        """Who hosts, and who could."""
        ledger, me = self._replica.ledger, self._replica.me.id
        host, present = Heir(ledger.host, ledger.address), ledger.roster.present_count
        code = b"" if self._context.serving.is_wanted(ledger.code) else ledger.code
        return Line(me, code, host, ledger.handed_over, ledger.heirs, self._list_others(), present)

    def _list_others(self) -> list[Heir]:
        """Who can host or could once, but for us and our host."""
        ledger, me = self._replica.ledger, self._replica.me.id
        return [
            Heir(member, address)
            for member, address in ledger.carriers.items()
            if member not in (me, ledger.host) and ledger.roster.find_member(member) is not None
        ]

    @property
    def _has_others(self) -> bool:
        """Whether somebody else than our host may host, and we could go on there."""
        if not self._joining.can_resume:
            return False
        ledger = self._replica.ledger
        return bool(ledger.handed_over or ledger.heirs or self._is_hinted or self._list_others())

    @property
    def _needs_none(self) -> bool:
        """Whether a dial may fail without our looking further for the host: others may host, or we have one.

        Who has one dials the first heir, who may leave meanwhile as the last one that could host.
        """
        return self._has_others or self._state.has_caught_up

    def next_deadline(self) -> float | None:
        """When (`Now.tick`) something is due."""
        dials = self._dialling.next_deadline
        if self._has_others:
            dials = self._loss.next_deadline(self.line) if self._may_dial else None
        return min((due for due in (dials, self._waiting.next_deadline()) if due is not None), default=None)

    # --- what happens to our link to the host

    def begin(self, hint: Target | None) -> None:
        """We have no host yet, or none any more. hint: who may be."""
        if self._lifecycle.entered:
            self._note_lost(hint)
        self._dialling.begin(self._clock.tick)

    @property
    def _may_dial(self) -> bool:
        """Not while we are let in: till then, we do not know who is the first heir, nor whether we have a host."""
        return self._state.has_no_link if self._loss.lost_at is not None else self._state.has_caught_up

    def note_let_in(self) -> None:
        """A host has let us in."""
        self._dialling.note_let_in()

    def note_held(self) -> None:
        """We wait to be let in: nothing is dialled while that link lasts, and all patience begins anew with its end."""
        self._dialling.note_held()

    def note_caught_up(self) -> None:
        """We have a host, and all of its log."""
        self._loss.note_let_in()
        self._rounds, self._reason, self._is_hinted = 0, NO_REASON, False
        self._hang_up_all()

    def hang_up(self) -> None:
        """We host from now on, and look for nobody."""
        self._hang_up_all()
        self._waiting.stop("closed")

    def forget(self) -> None:
        """We are out: what goes over our links is sealed by nobody any more."""
        self._tries.clear()
        self._waiting.forget()

    def _hang_up_all(self) -> None:
        for attempt in self._tries.values():
            attempt.call.hang_up("closed")
        self._tries.clear()

    def note_turned_away(self, service: bytes, member: bytes) -> None:
        """We end the link ourselves, to ask for something else at once. service: what was dialled; member: who said so.

        Whose place is gone asks that one again, and hears nobody else whom it has asked as who it was.
        """
        self._hang_up_all()
        self._turned_away_at, self._credence.turned_away_by = service, member
        self._dialling.note_drop()

    def lose(self, reason: Reason, hint: Target | None = None) -> None:
        """The link to our host is gone. hint: to whom it sends us."""
        goes_on = self._dialling.take_loss(reason, self._clock.tick)
        if self._lifecycle.entered:
            self._note_lost(hint)
        if not (goes_on or self._has_others):
            self._lifecycle.fail(errors.Unreachable(reason), "lost")

    def _note_lost(self, hint: Target | None) -> None:
        self._loss.lose(self._clock.tick, hint)
        self._is_hinted |= hint is not None

    # --- what comes on links that are not to our host

    def has_link(self, link: int) -> bool:
        """Whether this is one of ours."""
        return link in self._tries or self._waiting.has_link(link)

    def take_input(
        self, event: inputs.ReceivedInput | inputs.DialFailedInput | inputs.DroppedInput
    ) -> HostAnswer | None:
        """Takes what comes on one of our links; returns the answer of one who may be our host. Raises HostLied."""
        attempt = self._tries.get(event.link)
        match event:
            case inputs.ReceivedInput(payload=payload) if attempt is not None:
                return self._take_answer(attempt, payload)
            case inputs.ReceivedInput(payload=payload):
                return self._waiting.take_payload(payload)
            case inputs.DialFailedInput(reason=reason) if attempt is not None:
                goes_on = self._needs_none or self._dialling.take_failure(event, self._clock.tick)
                self._note_failure(attempt)
                self._end_try(event.link, reason, goes_on=goes_on)
            case inputs.DroppedInput() if attempt is not None:
                goes_on = self._needs_none or self._dialling.take_loss(reason_of(event), self._clock.tick)
                if not (attempt.call.is_over and event.reason == "closed"):
                    self._note_failure(attempt)
                self._end_try(event.link, reason_of(event), goes_on=goes_on)
            case inputs.DroppedInput():
                self._waiting.note_lost()
        return None

    def _end_try(self, link: int, reason: Reason, *, goes_on: bool) -> None:
        """A dial has led to nothing."""
        del self._tries[link]
        self._reason = reason
        since = self._loss.lost_at
        is_late = since is not None and self._clock.tick > since + limits.PLACE_SECONDS
        if self._lifecycle.phase == "leaving" and not self._state.is_let_in:
            self._lifecycle.leave_room("left")
        elif not goes_on or (self._has_others and is_late and not self._tries and not self._waiting.is_on):
            self._lifecycle.fail(errors.Unreachable(reason), "lost")

    def _note_failure(self, attempt: _Try) -> None:
        """Whom we have dialled does not answer, or not as it should."""
        self._loss.note_failure(attempt.target, self._clock.tick)

    def _take_answer(self, attempt: _Try, payload: bytes) -> HostAnswer | None:
        """What came on a link before its first answer, or with that."""
        self._joining.has_lost_host = self._loss.lost_at is not None
        try:
            said = attempt.call.take_payload(payload)
            return self._take_first(attempt, said) if said else None
        except handshake.OtherVersion:
            if self._has_others:
                attempt.call.hang_up("closed")
            else:
                self._lifecycle.fail(_OTHER_VERSION, "refused")
        except PeerFault as fault:
            attempt.call.hang_up(fault.fault)
        return None

    def _take_first(self, attempt: _Try, said: Sequence[frames.Frame]) -> HostAnswer | None:
        """Takes the first answer on a link. Raises PeerFault for one that is not of whom we have dialled."""
        call, target, asked = attempt
        match said[0]:
            case frames.WaitingFrame() as waiting:
                return self._begin_waiting(attempt, waiting, said[1:])
            case frames.RedirectFrame() as redirect:
                self._take_redirect(call, target, redirect)
            case frames.RefusedFrame() as refused if not self._may_refuse(attempt, refused):
                self._note_failure(attempt)
                call.hang_up("other-host")
            case frames.HeldFrame(credentials=vouched) if not self._credence.may_hold(target, vouched):
                call.hang_up("other-host")
            case frames.ResumedFrame() | frames.WelcomeFrame() if self._has_grown_since(asked, target):
                call.hang_up("closed")  # what follows is not what we lack by now
            case _ if not self._state.has_no_link:
                call.hang_up("closed")
            case _:
                del self._tries[call.link]
                self._answered_by = call.handshake_key
                return HostAnswer(call, said)
        return None

    def _is_asked(self, handshake_key: bytes) -> bool:
        """Whether this one, who is reached at several addresses, has been asked on a link that has not ended."""
        lets_us_in = not self._state.has_no_link and handshake_key == self._answered_by
        asked = [attempt.call.handshake_key for attempt in self._tries.values() if not attempt.call.is_over]
        return lets_us_in or handshake_key in asked

    def _may_refuse(self, attempt: _Try, refused: frames.RefusedFrame) -> bool:
        """Whether this refusal counts."""
        others = (other for other in self._tries.values() if other is not attempt)
        awaits_another = any(other.asked and not other.call.is_over for other in others)
        return self._credence.may_refuse(attempt.target, refused, awaits_another=awaits_another)

    def _has_grown_since(self, asked: list[int], target: Target) -> bool:
        """Whether others have shown us more of our log since we asked one who goes on with that."""
        ledger = self._replica.ledger
        return target.member in (None, ledger.host) and asked != [ledger.index]

    def _take_redirect(self, call: Call, target: Target, redirect: frames.RedirectFrame) -> None:
        """Somebody whom we have dialled says who hosts. Raises PeerFault for what no log can be.

        Whoever follows a lower term than ours, or another one of the same number, is told of ours.
        """
        expect(self._joining.can_resume, "unexpected-redirect")
        where, service, hello = redirect.where, call.service, call.hello_hash
        if not has_known_signer(self._replica, redirect, service, hello, target.member):
            call.hang_up("other-host")  # it has the key of the code, and nothing says that it is one of the room
            return
        self._take_hint(where)
        if terms.rivals(self._replica.ledger.openings[-1], where.openings[-1]):
            ours = tell_where(self._replica, where.openings, where.index)
            back = meeting.sign_redirect(ours, service, hello, self._replica.me)
            self._reporter.add_effect(effects.AdmitEffect(call.link, call.channel, (back,)))
            self._reporter.add_effect(effects.FinishEffect(call.link))
            call.is_over = True
        else:
            call.hang_up("closed")

    def _take_hint(self, where: frames.Where) -> None:
        """The host that somebody follows may be one for us, unless it is of a lower term. Raises PeerFault."""
        ledger = self._replica.ledger
        check_form(where)
        if where.number >= ledger.number and where.host not in ledger.kicked:
            self._loss.note_hint(Target(where.host, where.address), self._clock.tick)
            self._is_hinted = True

    def _begin_waiting(
        self, attempt: _Try, answer: frames.WaitingFrame, said: Sequence[frames.Frame]
    ) -> HostAnswer | None:
        """Somebody answers that it waits with us. said: what came with that.

        Another may answer than whom we know at that address: one who has come back under other keys, or has the code's.
        """
        call, target, _ = attempt
        heir = None if target.member is None else self._replica.ledger.roster.find_member(target.member)
        if heir is None or not self._joining.can_resume:
            call.hang_up("closed")  # nobody who would host next, but one who did, or has the key of the code
            return None
        if not credentials.is_waiting_signed(answer, call.hello_hash, call.service, heir.key):
            self._note_failure(attempt)
            call.hang_up("other-host")
            return None
        del self._tries[call.link]
        if self._loss.accept_standby(heir.id, self.line, self._clock.tick):
            return self._waiting.begin(call, heir.id, said)
        call.hang_up("closed")
        return None

    # --- what is due

    def do_due_work(self) -> None:
        """Dials whom it is time to dial, and tells the heir at which we wait how we are."""
        if self._lifecycle.over:
            return
        if not self._has_others:
            self._waiting.stop("closed")
            self._dial_host()
            return
        line = self.line
        if self._loss.has_wrong_standby(line):
            self._waiting.stop("closed")
        busy = {attempt.call.service for attempt in self._tries.values()}
        targets = self._loss.take_due(line, busy, self._clock.tick) if self._may_dial else []
        if targets and self._loss.lost_at is not None:
            self._tell_connecting(is_first=not busy)
        for target in targets:
            self._dial(target)
        self._waiting.report()

    def _tell_connecting(self, *, is_first: bool) -> None:
        """Tells the user that somebody is dialled; not of each dial, as there may be several a second."""
        if is_first or self._clock.tick >= self._told_at + limits.DIAL_PAUSE_MAX:
            self._rounds, self._told_at = self._rounds + 1, self._clock.tick
            self._uplink.tell_state("connecting", self._rounds, self._reason)

    def _dial_host(self) -> None:
        ledger = self._replica.ledger
        address = ledger.address if self._lifecycle.entered else ledger.code
        if self._turned_away_at and not self._lifecycle.entered and self._dialling.attempt % 2 == 0:
            address = self._turned_away_at  # the code that we know may be of a log that nobody follows any more
        if (dial := self._dialling.take_due(address, self._clock.tick)) is not None:
            self._begin_call(dial, Target(None, address))
            self._uplink.tell_state("connecting", self._dialling.attempt, self._dialling.reason)
            self._reporter.add_effect(dial)

    def _dial(self, target: Target) -> None:
        pause = draw_between(self._context.random, 0.0, limits.RETURN_SPREAD)
        seconds = limits.DIAL_TRIES[min(max(self._rounds, 1), len(limits.DIAL_TRIES)) - 1]
        dial = self._context.plan_dial(target.address, seconds, returns=True, pause=pause)
        self._begin_call(dial, target)
        self._reporter.add_effect(dial)

    def _begin_call(self, dial: effects.DialEffect, target: Target) -> None:
        """Only a host knows our ticket. One that does not answer in time may be flooded: it has longer then."""
        patience = limits.ANSWER_SECONDS if self.attempt <= 1 else limits.HANDSHAKE_SECONDS
        ticket = self._joining.ticket if target.member in (None, self._replica.ledger.host) else b""
        asked: list[int] = []

        def ask(link: bytes, service: bytes, hello: bytes) -> AnyRequest:
            asked.append(self._replica.ledger.index)
            return self._joining.sign_request(link, service, hello)

        call = Call(self._context, dial.link, dial.address, ask, ticket, self._is_asked, patience=patience)
        self._tries[dial.link] = _Try(call, target, asked)


def reason_of(event: inputs.DroppedInput) -> Reason:
    """Why a link has ended, as the user is told."""
    return Reason(event.reason) if event.reason in LINK_ENDS else Reason("link-fault", event.reason)
