"""What we do as one who may take the room over: those who wait for that at our service, and when it is time."""

from anonp2p import limits
from anonp2p.errors import PeerFault
from anonp2p.protocol import frames
from anonp2p.room import effects, inputs
from anonp2p.room.context import Context
from anonp2p.room.gate import Caller, Gate, NotAdmitted
from anonp2p.room.ledger import expect
from anonp2p.room.member.head_check import HeadCheck
from anonp2p.room.member.own_service import OwnService
from anonp2p.room.member.uplink import Uplink
from anonp2p.room.resuming import check_resume_request
from anonp2p.room.role import HostPlan, MemberPlan
from anonp2p.room.standby import Standby
from anonp2p.room.succession.heir import BeginTerm, CatchUp, Heirship, Situation, Wait
from anonp2p.room.succession.loss import Loss

_NEVER = float("-inf")


class Carrier:
    """Lets members wait, tells them whether our host lives, and decides when we host.

    loss: whether we have a host. heads: what it has signed. former: what we did when we hosted, if we did.
    plan: that we host from now on.
    """

    def __init__(
        self, context: Context, uplink: Uplink, loss: Loss, heads: HeadCheck, former: MemberPlan | None = None
    ) -> None:
        self.plan: HostPlan | None = None
        self._context = context
        self._clock = context.clock
        self._replica = context.replica
        self._reporter = context.reporter
        self._uplink = uplink
        self._loss = loss
        self._heads = heads
        self.gate = former.gate if former else Gate(context, self)
        self.gate.answerer = self
        self.standby = former.standby if former else Standby(context)
        self.service = OwnService(context, uplink, self.gate, former.address if former else b"")
        self._heirship = Heirship()
        self._decide_at: float | None = None  # when (`Now.tick`) to look again whether we host
        self._echo_asked_at = _NEVER  # when we last asked our host for a sign of life
        self._awaits_echo = False
        self._strays_told_at = _NEVER

    def next_deadline(self) -> float | None:
        """When (`Now.tick`) `do_due_work` has something to do."""
        parts = (self.gate, self.standby, self.service)
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

    def answer(self, caller: Caller, request: frames.Request) -> float:
        """Lets a member wait that has our host, or none as we have none. Raises NotAdmitted, PeerFault."""
        if not isinstance(request, frames.ResumeRequest):
            raise NotAdmitted("unknown")
        ledger = self._replica.ledger
        check_resume_request(ledger, self._replica.me.id, caller.service, caller.hello, request)
        is_of_our_term = request.openings[-1] == ledger.openings[-1]
        expect(is_of_our_term or self._loss.lost_at is not None, "unexpected-request")
        self.standby.add_link(caller, request)
        return 1.0

    def take_input(self, event: inputs.RoleInput) -> None:
        """Takes what does not concern our links to a host: who dials us, and our service."""
        match event:
            case inputs.LinkedInput(link=link, address=address):
                self.gate.begin_handshake(link, address)
            case inputs.ReceivedInput(link=link, payload=payload) if link > 0:
                self._take_payload(link, payload)
            case inputs.DroppedInput(link=link) if link > 0:
                self.gate.forget_link(link)
                self.standby.forget_link(link)
            case _:
                self.service.take_input(event)

    def _take_payload(self, link: int, payload: bytes) -> None:
        try:
            if link in self.standby.links:
                self.standby.take_record(link, payload)
            else:
                self.gate.take_request(link, payload)
        except PeerFault as fault:
            self.standby.forget_link(link)
            self._reporter.add_effect(effects.DropEffect(link, fault.fault))

    # --- whether our host lives

    def take_echo(self, _: frames.EchoedFrame) -> None:
        """Our host lives: those who have lost it may go back. Raises PeerFault if we have not asked."""
        expect(self._awaits_echo, "unexpected-echo")
        self._awaits_echo = False
        self.standby.tell_lost(frames.HostLivesFrame())

    def note_link_lost(self) -> None:
        """No answer comes any more."""
        self._awaits_echo = False

    def _ask_host(self) -> None:
        """Asks our host for a sign of life if somebody has lost it since we did so last, and tells it of strays."""
        since = [link.lost_since for link in self.standby.lost if link.lost_since is not None]
        if not self._awaits_echo and any(at > self._echo_asked_at for at in since):
            self._awaits_echo, self._echo_asked_at = True, self._clock.tick
            self._uplink.send(frames.EchoFrame())
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
        if self._loss.lost_at is None:
            self._ask_host()
        else:
            self._decide()

    def _decide(self) -> None:
        ledger = self._replica.ledger
        situation = Situation(
            me=self._replica.me.id,
            number=ledger.number,
            host=ledger.host,
            index=ledger.index,
            heirs=[heir.member for heir in ledger.heirs],
            handed_over=ledger.handed_over,
            present=[member.id for member in ledger.roster if not member.away],
            lost_at=self._loss.lost_at,
            host_tried=self._loss.has_tried(ledger.address),
            failed=self._loss.failed,
            reports=self.standby.reports(),
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

    def _begin_term(self, number: int) -> None:
        """We host from now on, if we have the key of the service by which the log says that members reach us."""
        ledger, me = self._replica.ledger, self._replica.me.id
        addresses = {ledger.host: ledger.address} | {heir.member: heir.address for heir in ledger.heirs}
        address = addresses[me]
        if self._context.serving.find_key(address) is not None:
            self.plan = HostPlan(number, address, self._heads.room_time(), self.gate, self.standby)
