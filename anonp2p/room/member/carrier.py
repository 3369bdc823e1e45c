"""What we do as one who may take the room over: those who wait for that at our service, and when it is time."""

from collections.abc import Callable, Sequence

from anonp2p import limits
from anonp2p.errors import PeerFault
from anonp2p.protocol import frames, meeting
from anonp2p.protocol.field_types import Opening
from anonp2p.protocol.requests import AnyRequest, MeetRequest, ResumeRequest
from anonp2p.room import effects, inputs
from anonp2p.room.context import Context
from anonp2p.room.gate import Caller, Gate, NotAdmitted
from anonp2p.room.ledger import expect
from anonp2p.room.member.head_check import HeadCheck
from anonp2p.room.member.host_check import HostCheck
from anonp2p.room.member.own_service import OwnService
from anonp2p.room.member.standby_watch import StandbyWatch
from anonp2p.room.member.uplink import Uplink
from anonp2p.room.resuming import check_resume_request
from anonp2p.room.role import HostPlan, MemberPlan
from anonp2p.room.standby import Standby, StandbyLink
from anonp2p.room.succession import terms
from anonp2p.room.succession.heir import BeginTerm, CatchUp, Heirship, Report, Situation, Wait
from anonp2p.room.succession.loss import Loss, Target
from anonp2p.room.succession.patience import Patience
from anonp2p.room.where import find_asker, find_shared, tell_where

_NEVER = float("-inf")


class Carrier:
    """Lets members wait, tells them whether our host lives, and decides when we host.

    loss: whether we have a host; host_check: whether it lives; patience: how long it may take to say so. heads: what it
    has signed. catch_up: takes what a member shows of the log while there is no host; raises PeerFault, HostLied.
    former: what we did when we hosted, if we did. plan: that we host from now on.
    """

    def __init__(
        self,
        context: Context,
        uplink: Uplink,
        loss: Loss,
        patience: Patience,
        heads: HeadCheck,
        catch_up: Callable[[frames.BackfillFrame], None],
        former: MemberPlan | None = None,
    ) -> None:
        self.plan: HostPlan | None = None
        self._context = context
        self._clock = context.clock
        self._replica = context.replica
        self._reporter = context.reporter
        self._uplink = uplink
        self._loss = loss
        self._heads = heads
        self._catch_up = catch_up
        self.gate = former.gate if former else Gate(context, self)
        self.gate.answerer = self
        self.host_check = HostCheck(context, uplink, self.gate, patience)
        self.standby = former.standby if former else Standby(context)
        self.service = OwnService(context, uplink, self.gate, former.address if former else b"")
        self._standby_watch = StandbyWatch(context, self.standby)
        self._heirship = Heirship()
        self._decide_at: float | None = None  # when (`Now.tick`) to look again whether we host
        self._strays_told_at = _NEVER

    def next_deadline(self) -> float | None:
        """When (`Now.tick`) `do_due_work` has something to do."""
        parts = (self.gate, self.standby, self.service, self._standby_watch)
        dues = [self._decide_at, self._strays_due, *(part.next_deadline() for part in parts)]
        return min((due for due in dues if due is not None), default=None)

    def do_due_work(self) -> None:
        """Does what is due by now."""
        self.gate.answer_due_requests()
        self.gate.forget_old_key()
        self.standby.send_due()
        self.service.do_due_work()

    # --- who dials us

    def take_ticket(self, _: bytes) -> bool:
        """Nobody comes before others: we have given no tickets."""
        return False

    def answer(self, caller: Caller, request: AnyRequest) -> float:
        """Lets a member wait that has our host, or none as we have none; tells others who hosts.

        Raises NotAdmitted, PeerFault.
        """
        ledger = self._replica.ledger
        match request:
            case ResumeRequest(openings=openings, index=index):
                check_resume_request(ledger, self._replica.me.id, caller.service, caller.hello, request)
                expect(terms.are_proper(openings), "bad-openings")
                if openings[-1] != ledger.openings[-1] and self._loss.lost_at is None:
                    return self._redirect(caller, openings, index)
                self.standby.add_link(caller, request)
                return 1.0
            case MeetRequest(openings=openings, index=index):
                if find_asker(self._replica, request, caller.service, caller.hello) is None:
                    raise NotAdmitted("unknown")
                if self._loss.lost_at is not None and terms.rivals(openings[-1], ledger.openings[-1]):
                    self._loss.note_hint(Target(request.member, request.address), self._clock.tick)
                return self._redirect(caller, openings, index)
        self._reporter.add_effect(effects.DropEffect(caller.link, "closed"))  # a newcomer tries again, and finds a host
        return limits.REFUSAL_COST

    def _redirect(self, caller: Caller, openings: Sequence[Opening], index: int) -> float:
        """Tells one with this log who hosts, as far as we know."""
        where = tell_where(self._replica, openings, index)
        redirect = meeting.sign_redirect(where, caller.service, caller.hello, self._replica.me)
        self._reporter.add_effect(effects.FinishEffect(caller.link, caller.channel.seal_frames([redirect])))
        return limits.MEETING_COST

    def take_input(self, event: inputs.OuterInput) -> None:
        """Takes what does not concern our links to a host: who dials us, and our service."""
        match event:
            case inputs.LinkedInput(link=link, address=address):
                self.gate.begin_handshake(link, address)
            case inputs.ReceivedInput(link=link, payload=payload) if link > 0:
                self._take_payload(link, payload)
            case inputs.DroppedInput(link=link) if link > 0:
                self.gate.forget_link(link)
                self.standby.forget_link(link)
            case inputs.ReceivedInput() | inputs.DialFailedInput() | inputs.DroppedInput() if (
                lives := self.host_check.take_input(event)
            ) is not None:
                if lives:
                    self.standby.tell_lost(frames.HostLivesFrame())
            case _:
                self.service.take_input(event)

    def _take_payload(self, link: int, payload: bytes) -> None:
        try:
            if link in self.standby.links:
                for frame in self.standby.take_record(link, payload):
                    self._take_backfill(frame)
            else:
                self.gate.take_request(link, payload)
        except PeerFault as fault:
            self.standby.forget_link(link)
            self._reporter.add_effect(effects.DropEffect(link, fault.fault))

    def _take_backfill(self, frame: frames.Frame) -> None:
        """What a member has of the log and we lack, which we have asked for. Raises PeerFault, HostLied."""
        if isinstance(frame, frames.BackfillFrame) and self._loss.lost_at is not None:
            self._catch_up(frame)

    # --- those who wait

    def _help_lost(self) -> None:
        """Shows those who have lost their host what they lack of the log, or where there is one."""
        ledger = self._replica.ledger
        term, is_lost = ledger.openings[-1].term, self._loss.lost_at is not None
        for link in self.standby.lost:
            theirs = link.openings[-1].term
            if is_lost and theirs == term and max(link.index, link.shown) < ledger.index:
                self._show_log(link)
            elif not is_lost and theirs != term and link.sent_to != term:
                link.sent_to = term
                where = tell_where(self._replica, link.openings, link.index)
                caller = link.caller
                redirect = meeting.sign_redirect(where, caller.service, caller.hello, self._replica.me)
                self.standby.tell_member(link.member, redirect)

    def _show_log(self, link: StandbyLink) -> None:
        fork = find_shared(self._replica, link.member, link.openings, link.index)
        if fork is not None:
            self.standby.show_log(link, fork)
        link.shown = self._replica.ledger.index  # also where there is nothing to show: it is not looked for again

    # --- whether our host lives

    def take_echo(self, echoed: frames.EchoedFrame) -> None:
        """Our host lives: those who have lost it may go back. Raises PeerFault if it was not asked."""
        self.host_check.take_echo(echoed)
        self.standby.tell_lost(frames.HostLivesFrame())

    def _ask_host(self) -> None:
        """Asks our host for a sign of life if somebody has lost it since we did so last, and tells it of strays.

        Where it is gone, some links to it may break at once, and others not at all: so who has it is to ask as well.
        """
        since = [link.lost_since for link in self.standby.lost if link.lost_since is not None]
        if any(at > self.host_check.asked_at for at in since):
            self.host_check.ask()
            self.host_check.dial()
            self.standby.have_host_asked(self._clock.tick - limits.ASK_PAUSE)
        if (due := self._strays_due) is not None and self._clock.tick >= due:
            self._strays_told_at = self._clock.tick
            self._uplink.send(frames.StraysFrame(self.standby.count_strays()))

    @property
    def _strays_due(self) -> float | None:
        """When (`Now.tick`) our host is to hear of those who have lost it, if it is there."""
        since = [link.lost_since for link in self.standby.lost if link.lost_since is not None]
        if self._loss.lost_at is not None or not since:
            return None
        return max(min(since) + limits.STRAYS, self._strays_told_at + limits.HEARTBEAT)

    # --- when we host

    def update(self) -> None:
        """Does what follows from what has happened."""
        self.service.update(is_lost=self._loss.lost_at is not None)
        self._decide_at = None
        if self._context.lifecycle.phase != "in":
            return
        self._standby_watch.update(is_lost=self._loss.lost_at is not None)
        if self.standby.links:
            self._help_lost()
        lost_at = self._loss.lost_at
        if lost_at is None:
            self._ask_host()
        elif self._uplink.link:
            pass  # a host is letting us in
        elif self._loss.is_sent_on and self._clock.tick < lost_at + limits.LOST_BY_SOME:
            self._decide_at = lost_at + limits.LOST_BY_SOME  # there is a host: we go there first
        else:
            if not self._replica.ledger.handed_over:
                self.standby.have_host_asked(lost_at)
            self._decide(lost_at)

    def _decide(self, lost_at: float) -> None:
        ledger = self._replica.ledger
        tried_at = self.host_check.tried_since(lost_at)
        situation = Situation(
            me=self._replica.me.id,
            number=ledger.number,
            host=ledger.host,
            index=ledger.index,
            heirs=[heir.member for heir in ledger.heirs],
            handed_over=ledger.handed_over,
            present=[member.id for member in ledger.roster if not member.away],
            lost_at=lost_at,
            host_tried_at=self._loss.first_try_of(ledger.address) if tried_at is None else tried_at,
            failed=self._loss.failed,
            reports=self._reports(),
            gave_way_to=self._context.meeting.gave_way_to,
        )
        match self._heirship.decide(situation, self._clock.tick):
            case BeginTerm(number=number):
                self._begin_term(number)
            case CatchUp(member=member):
                openings = list(ledger.openings)
                self.standby.tell_member(member, frames.WantFrame(ledger.index, ledger.digest, openings))
                self._decide_at = self._clock.tick + 1
            case Wait(until=until) if until < float("inf"):
                self._decide_at = until

    def _reports(self) -> dict[bytes, Report]:
        """What those who wait say; of another term nothing can be caught up with."""
        number, host = self._replica.ledger.number, self._replica.ledger.host
        return {it: report for it, report in self.standby.reports().items() if report.place[:2] <= (number, host)}

    def _begin_term(self, number: int) -> None:
        """We host from now on, if we have the key of the service by which the log says that members reach us."""
        ledger, me = self._replica.ledger, self._replica.me.id
        addresses = {ledger.host: ledger.address} | {heir.member: heir.address for heir in ledger.heirs}
        address = addresses[me]
        may_serve = bool(self._context.pool.clients) or not ledger.is_private
        if may_serve and self._context.serving.find_key(address) is not None:
            self.plan = HostPlan(number, address, self._heads.room_time(), self.gate, self.standby)
