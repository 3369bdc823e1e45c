"""The role of a room's host: its parts, and which of them takes what."""

from typing import Literal, Protocol

from msgspec import UNSET

from anonp2p import errors, limits
from anonp2p.errors import NoSuchNick, PeerFault
from anonp2p.protocol import bodies, frames
from anonp2p.reasons import NO_REASON
from anonp2p.room import effects, events, inputs
from anonp2p.room.context import Context
from anonp2p.room.dice import draw_between
from anonp2p.room.errors import CannotHost
from anonp2p.room.gate import Gate, NotAdmitted
from anonp2p.room.host import admission
from anonp2p.room.host.admission import Admission
from anonp2p.room.host.answers import Answers
from anonp2p.room.host.code_check import CodeCheck
from anonp2p.room.host.commits import Commits
from anonp2p.room.host.founding import Founding, found_room
from anonp2p.room.host.heirs import Heirs
from anonp2p.room.host.knockers import Knockers
from anonp2p.room.host.leaving import Leaving
from anonp2p.room.host.meetings import Meetings, Outcast, Verdict
from anonp2p.room.host.porter import Porter
from anonp2p.room.host.presence import Presence
from anonp2p.room.host.reach import Reach
from anonp2p.room.host.room_code import RoomCode
from anonp2p.room.host.sequencer import Sequencer
from anonp2p.room.host.submissions import Submissions
from anonp2p.room.log.log import Log
from anonp2p.room.pending import Whisper
from anonp2p.room.role import HostPlan, MemberPlan
from anonp2p.room.roster import Member
from anonp2p.room.standby import Standby, StandbyLink
from anonp2p.room.succession import terms
from anonp2p.room.succession.loss import Target
from anonp2p.room.succession.meeting import GiveWay, Stand


class _Part(Protocol):
    def next_deadline(self) -> float | None:
        """When (`Now.tick`) something has to be done, though nothing happens."""


class HostRole:
    """We order entries. beginning: whether we found the room, or take it over; both wait for the StartInput."""

    def __init__(self, context: Context, beginning: Founding | HostPlan) -> None:
        self._context = context
        self._replica = context.replica
        self._reporter = context.reporter
        self._lifecycle = context.lifecycle
        self._serving = context.serving
        self._beginning = beginning
        self.successor: MemberPlan | None = None
        self.sequencer = Sequencer(context)
        self.presence = Presence(context)
        self.commits = Commits(context, self.sequencer, self.presence)
        self._answers = Answers(context)
        self.code = RoomCode(context, self.sequencer, self.presence)
        self.heirs = Heirs(context, self.sequencer, self.presence, self.code)
        parts = self.sequencer, self.presence, self.commits, self._answers, self.heirs
        knockers = Knockers(context)
        self._submissions = Submissions(context, *parts, knockers)
        self._leaving = Leaving(context, self.sequencer, self.presence)
        self._meetings = Meetings(context, self.presence)
        self._admission = Admission(context, self.sequencer, self.presence, self.commits, self._meetings, knockers)
        self.porter = Porter(context, self.presence, knockers, self._admission)
        if isinstance(beginning, HostPlan):
            self.gate, self.standby = beginning.gate, beginning.standby
            self.gate.answerer = self._admission
        else:
            self.gate, self.standby = Gate(context, self._admission), Standby(context)
        self._code_check = CodeCheck(context, self.gate, self.presence, self.code)
        self._reach = Reach(context, self.gate)

    @property
    def name(self) -> Literal["host"]:
        """Which role this is."""
        return "host"

    @property
    def settled(self) -> bool:
        """Whether others can reach us."""
        return self._reach.was_reached

    @property
    def ends_room(self) -> bool:
        """Whether others are here, and no heir."""
        return self._leaving.ends_room

    @property
    def log(self) -> Log:
        """What was ordered."""
        return self.sequencer.log

    def handle_input(self, event: inputs.OuterInput) -> None:
        """Takes what comes from links or the clock."""
        match event:
            case inputs.ReceivedInput() | inputs.DialFailedInput() | inputs.DroppedInput() if (
                self._code_check.take_outcome(event) or self._reach.take_outcome(event)
            ):
                pass
            case inputs.ReceivedInput(link=link, payload=payload):
                self._take_payload(link, payload)
            case inputs.EndBatchInput():
                self.heirs.update()
                self.porter.do_due_work()
                if not self._context.cover:  # with cover, batches end in slots
                    self.sequencer.end_batch()
            case inputs.TickInput():
                self._do_due_work()
            case inputs.LinkedInput(link=link, address=address):
                self.gate.begin_handshake(link, address)
            case inputs.DroppedInput(link=link, silence=silence):
                self.gate.forget_link(link)
                self.standby.forget_link(link)
                self.porter.knockers.forget_link(link)
                self._meetings.forget_link(link)
                self.presence.lose_link(link, silence)
            case inputs.StartInput():
                self._begin()
            case inputs.PublishedInput(address=address):
                self._serving.note_published(address)
                if address == self._replica.ledger.code:
                    self._reach.begin(address)
            case inputs.UnpublishedInput(address=address):
                self._serving.note_unpublished(address)
                if address == self._replica.ledger.code:
                    self._reach.stop()
            case inputs.ServeFailedInput(address=address, error=error):
                self._give_up_service(address, error)
            case inputs.DialFailedInput(link=link):
                self._meetings.note_failure(link)

    def next_deadline(self) -> float | None:
        """When (`Now.tick`) something has to be done, though nothing happens."""
        if not self._lifecycle.entered:
            return None
        parts: list[_Part] = [self.sequencer, self.commits, self.presence, self.gate, self._answers]
        parts += [self.heirs, self.code, self.standby, self._code_check, self._reach, self._meetings, self.porter]
        return min(due for part in parts if (due := part.next_deadline()) is not None)

    def author_entry(self, body: bodies.Body | Whisper, line: str | None, re: events.Re) -> None:
        """An entry of our own gets the next place."""
        self.sequencer.order_own(body, line, re)
        if isinstance(body, bodies.AdmitBody) and not body.admitted:
            self.porter.knockers.turn_away(body.key)
        self._carry_out_orders()

    def _carry_out_orders(self) -> None:
        """What moderators have ordered is carried out before anything else is ordered."""
        if self._lifecycle.entered:
            self.commits.carry_out_orders()

    def request_pool(self) -> None:
        """As Role has it: we are the host, and have it."""

    def host_room(self, event: inputs.Hosting) -> None:
        """Says who is to have the room after us, or gives it another code."""
        match event:
            case inputs.EntrustInput():
                self._entrust(event)
            case inputs.CodeInput(re=re):
                self.code.change(re)
                self.heirs.update()  # before we may hand over, in the same batch

    def leave(self, event: inputs.LeaveInput) -> None:
        """Hands the room over, or closes it."""
        self._leaving.leave(event)

    def hand_over(self) -> None:
        """An heir takes over, and we follow it as a member."""
        self._leaving.hand_over()
        first = self._replica.ledger.heirs[0]
        self._give_up(Target(first.member, first.address))

    def _give_up(self, hint: Target | None) -> None:
        """We host no more. hint: who does, as far as we know."""
        self.successor = MemberPlan(hint, self._replica.ledger.address, self.gate, self.standby)

    def can_seal_to(self, member: Member) -> bool:
        """Whether the member's key is one that can be sealed to."""
        return member.key_hash in self._replica.keys

    def refuses_nick(self, nick: str) -> bool:
        """Whether others have it, or it is reserved."""
        return admission.is_refused(self._replica.ledger, nick, self._replica.me.id)

    def room_time(self) -> int:
        """Milliseconds since the room was created."""
        return self.sequencer.room_time()

    def retire(self) -> None:
        """We follow another host, and stay reachable where members know us."""
        self.sequencer.end_batch()
        self.commits.forget_secrets()
        self._reach.stop()
        self.porter.knockers.drop_all()
        self._serving.stop_all(self._replica.ledger.address)

    def close(self) -> None:
        """Signs the last head; nobody new is to come."""
        self.sequencer.end_batch()
        self._reach.stop()
        self._serving.stop_all()

    # --- what happens

    def _begin(self) -> None:
        if isinstance(self._beginning, HostPlan):
            self._take_over(self._beginning)
            return
        pause = 0.0 if self._context.is_alone else draw_between(self._context.random, 0.0, limits.RETURN_SPREAD)
        key = self._beginning.room_key
        self._serving.add_key(key)
        self._serving.serve(key.public, pause)
        self.sequencer.begin(found_room(self._context, self._beginning))
        self.commits.begin()
        self._context.meeting.begin(self._context.clock.tick, None)
        self._lifecycle.enter("host")

    def _take_over(self, plan: HostPlan) -> None:
        """We go on in place of a host that is gone, with those who have waited for that."""
        ledger, me = self._replica.ledger, self._replica.me.id
        keeps_code = me in ledger.holders and self._serving.find_key(ledger.code) is not None
        code = ledger.code if keeps_code else plan.address
        was_lost = not ledger.handed_over and ledger.host != me
        self._context.meeting.begin(self._context.clock.tick, ledger.host if was_lost else None)
        self.sequencer.take_over(plan.room_time)
        self.commits.begin()
        self.commits.begin_term(bodies.OpeningBody(plan.number, plan.address, code, ledger.index + 1))
        self.presence.take_over([member for member in ledger.roster if member.id != me])
        self._serving.stop_all(plan.address, code)
        for address in dict.fromkeys((plan.address, code)):
            self._serving.serve(address)
        if self._serving.is_published(code):
            self._reach.begin(code)
        label = self._context.label
        self._reporter.tell_event(events.LinkEvent(room=label, state="up", attempt=0, detail=NO_REASON))
        self._replica.add_own_keys()
        self._note_waiting_keys()
        self._submissions.order_pending()  # before what we order for those who wait: its counters are lower
        self.commits.carry_out_orders()
        self._replica.forget_keys()
        for link in self.standby.lost:
            self._welcome_standby(link)

    def _note_waiting_keys(self) -> None:
        """What we have to say to members that wait for us is sealed to the encryption keys that they have shown."""
        for link in self.standby.lost:
            if member := self._replica.ledger.roster.find_member(link.member):
                self._replica.add_key(member.key_hash, link.encryption_key)

    def _welcome_standby(self, link: StandbyLink) -> None:
        """A member that waited for us has lost its host."""
        number = link.caller.link
        self.standby.forget_link(number)
        try:
            self._admission.welcome_standby(link)
        except (NotAdmitted, PeerFault):
            self._reporter.add_effect(effects.DropEffect(number, "closed"))

    def _take_payload(self, link: int, payload: bytes) -> None:
        """Handles what came on a link. Who breaks a rule loses its place; no other member is affected."""
        if self._meetings.owns_link(link):
            if verdict := self._meetings.take_payload(link, payload):
                self._follow_verdict(verdict)
            return
        try:
            if link in self.standby.links:
                self._take_report(link, payload)
            elif link in self.porter.knockers.links:
                self.porter.knockers.take_record(link, payload)
            elif not self.gate.take_request(link, payload) and (known := self.presence.links.get(link)):
                self._submissions.take_record(link, known, payload)
        except PeerFault as fault:
            self._reporter.add_effect(effects.DropEffect(link, fault.fault))
            self.standby.forget_link(link)
            self.porter.knockers.forget_link(link)
            self._expel_member(link)
        self._carry_out_orders()

    def _expel_member(self, link: int) -> None:
        """Who has broken a rule loses its place; a moderator only its link, or we could say so of all who moderate."""
        known = self.presence.links.get(link)
        if known is None:
            return
        if known.member in self._replica.ledger.rights.moderators:
            self.presence.lose_link(link, 0.0)
            return
        self.presence.expel_link(link)
        self.sequencer.order_own(bodies.AwayBody(known.member))
        self.commits.remove_soon(known.member)

    def _give_up_service(self, address: bytes, error: errors.AnonError) -> None:
        """Our Tor does not serve this. Without the way of our members the room is over; else it has another code."""
        ledger = self._replica.ledger
        self._serving.stop(address)
        if address == ledger.address:
            self._lifecycle.break_down(error)
        elif address == ledger.code and ledger.is_private:
            self.code.change()
        elif address == ledger.code:
            self.sequencer.order_own(bodies.CodeBody(ledger.address))

    def _take_report(self, number: int, payload: bytes) -> None:
        """What a member says that waits though it has another host. Raises PeerFault."""
        self.standby.take_record(number, payload)
        link = self.standby.links[number]
        if link.lost_since is not None:
            self._welcome_standby(link)

    def _do_due_work(self) -> None:
        if not self._lifecycle.entered:
            return
        late = self.presence.take_late()
        for member in late.away:
            self.sequencer.order_own(bodies.AwayBody(member))
        for member in late.lost:
            self.commits.remove_soon(member)
        self.commits.forget_due_secrets()
        self.commits.commit_if_due()
        self.sequencer.send_due_head()
        self.gate.answer_due_requests()
        self.gate.forget_old_key()
        self.sequencer.expire_entries(self.presence.passed(self.log.end))
        self._answers.send_due()
        self.standby.send_due()
        self.heirs.update()
        self.code.do_due_work()
        self.porter.do_due_work()
        self._code_check.do_due_work()
        self._reach.do_due_work()
        if self._meetings.is_time_to_look():
            self._meetings.dial_due()
            self._hand_over_if_due()

    def _follow_verdict(self, verdict: Verdict | Outcast) -> None:
        """There is another host: we begin a term above its own, or give way to it."""
        if isinstance(verdict, Outcast):
            self._give_up(Target(verdict.host.member, verdict.host.address))
            return
        match verdict.decision:
            case Stand(number=number):
                self._stand(number, verdict.where)
            case GiveWay():
                self.sequencer.end_batch()
                self._meetings.send_on(verdict.where)
                self._give_up(Target(verdict.where.host, verdict.where.address))

    def _stand(self, number: int, where: frames.Where) -> None:
        """We go on as host, above another one, which may have published the code after us."""
        ledger = self._replica.ledger
        fork = terms.find_fork(ledger.openings, ledger.index, where.openings, where.index)
        assert fork is not None, "it was judged by where the logs part"
        since = terms.find_overtaken(ledger.openings, where.openings, fork)
        assert since is not None, "its term is not below ours"
        self.commits.begin_again(number, since)
        for address in dict.fromkeys((ledger.address, ledger.code)):
            self._serving.renew(address)

    def _hand_over_if_due(self) -> None:
        """Hands over to an heir that more members have turned to, or to who hosted before us and is back."""
        rules, hosting, now = self._context.meeting, self._meetings.hosting, self._context.clock.tick
        returned = rules.find_returned(hosting, now)
        self.heirs.prefer_member(returned)
        hands_back = rules.may_hand_back(returned, hosting, now)
        if hands_back:
            rules.note_handed_back(now)
        if hands_back or rules.is_cut_off(hosting, now):
            self.hand_over()

    def _entrust(self, event: inputs.EntrustInput) -> None:
        """Notes it. Heirs change later, if at all: who waits for the answer to a command has one at once."""
        member = self._replica.ledger.roster.find_nick(event.nick) if event.nick is not None else None
        if event.nick is None:
            self.heirs.entrust_nobody()
        elif member is None:
            self._reporter.tell_error(NoSuchNick(), event.re)
            return
        elif not self.heirs.want_member(member.id):
            self._reporter.tell_error(CannotHost(), event.re)
            return
        if event.re is not UNSET:
            data = {"nick": member.nick if member else None}
            label = self._context.label
            self._reporter.tell_event(events.ReplyEvent(room=label, command="/entrust", data=data, re=event.re))
