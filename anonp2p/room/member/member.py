"""Our part in a room whose host is somebody else: takes the inputs, and hands what the host sends to its parts."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Literal

from anonp2p import errors, limits
from anonp2p.errors import HostLied, PeerFault
from anonp2p.protocol import bodies, frames, handshake
from anonp2p.reasons import LINK_ENDS, Reason
from anonp2p.room import events, inputs, roster
from anonp2p.room.call import Call
from anonp2p.room.context import Context
from anonp2p.room.dice import draw_between
from anonp2p.room.member.arrival import Arrival
from anonp2p.room.member.blame import Blame
from anonp2p.room.member.carrier import Carrier
from anonp2p.room.member.dialling import Dialling
from anonp2p.room.member.following import Follower
from anonp2p.room.member.head_check import HeadCheck
from anonp2p.room.member.joining import Joining
from anonp2p.room.member.key_book import KeyBook
from anonp2p.room.member.states import Abandoned, LinkState, Rekeying
from anonp2p.room.member.uplink import Uplink
from anonp2p.room.outbox import GivenBack
from anonp2p.room.pending import Whisper
from anonp2p.room.role import HostPlan, MemberPlan
from anonp2p.room.succession.loss import Loss

_OTHER_VERSION = errors.OtherProtocol()


class MemberRole:
    """We follow a host. nick: the one to ask for, empty for one made from our key. former: if we have hosted before."""

    def __init__(self, context: Context, nick: str, former: MemberPlan | None = None) -> None:
        self._context = context
        self._clock = context.clock
        self._replica = context.replica
        self._outbox = context.outbox
        self._reporter = context.reporter
        self._lifecycle = context.lifecycle
        self._state = LinkState()
        self._uplink = Uplink(context)
        self._heads = HeadCheck(context)
        self._blame = Blame(context, self._state, self._uplink, self._heads)
        self._keys = KeyBook(context, self._uplink)
        self._former = former
        self._loss = Loss(partial(draw_between, context.random))
        self._carrier = Carrier(context, self._uplink, self._loss, self._heads, former)
        room = context.replica.ledger.room
        self._dialling = Dialling(room, context.number_dial, context.random, is_alone=context.is_alone)
        self._calls: dict[int, Call] = {}  # by link
        self._joining = Joining(context, nick)
        self._follower = Follower(context, self._heads, self._keys, self._joining, self._state)
        self._arrival = Arrival(context, self._state, self._uplink, self._dialling, self._heads, self._joining)
        self._leave_by: float | None = None  # when we are out, though the host has not confirmed it
        self._frame_handlers: dict[type[Any], Callable[[Any], None]] = {
            frames.RefusedFrame: self._arrival.take_refusal,
            frames.WelcomeFrame: self._arrival.begin_welcome,
            frames.PageFrame: self._take_page,
            frames.ProofFrame: self._take_proof,
            frames.ResumedFrame: self._take_resumed,
            frames.BackfillFrame: self._take_missed,
            frames.CommitShareFrame: self._enter_next_epoch,
            frames.DeniedFrame: self._take_denial,
            frames.KeyResponseFrame: self._take_found_key,
            frames.KeyNotFoundFrame: self._take_missing_key,
            frames.PrepareFrame: self._carrier.service.prepare,
            frames.EntrustFrame: self._carrier.service.take_key,
            frames.EchoedFrame: self._carrier.take_echo,
        }

    # --- what the room asks of its role

    @property
    def name(self) -> Literal["member"]:
        """Which role this is."""
        return "member"

    @property
    def successor(self) -> HostPlan | None:
        """What we are from now on, if it is our turn to host."""
        return self._carrier.plan

    @property
    def settled(self) -> bool:
        """Whether we have been let in."""
        return self._lifecycle.entered

    def handle_input(self, event: inputs.RoleInput) -> None:
        """Takes what comes from the link or the clock."""
        match event:
            case inputs.StartInput():
                if self._lifecycle.entered:
                    self._loss.lose(self._clock.tick, self._former.hint if self._former else None)
                self._dialling.begin(self._clock.tick)
            case inputs.DialFailedInput(link=link) if self._calls.pop(link, None):
                if not self._dialling.take_failure(event, self._clock.tick):
                    self._lifecycle.fail(errors.Unreachable(event.reason), "lost")
            case inputs.ReceivedInput(link=self._uplink.link, payload=payload):
                self._take_payload(payload)
            case inputs.ReceivedInput(link=link, payload=payload) if link in self._calls:
                self._take_answer(self._calls[link], payload)
            case inputs.DroppedInput(link=self._uplink.link):
                self._lose_uplink(event)
            case inputs.DroppedInput(link=link) if self._calls.pop(link, None):
                self._end_try(event)
            case inputs.TickInput():
                self._tick()
            case _:
                self._carrier.take_input(event)
        self._carrier.update()
        self._dial()

    def next_deadline(self) -> float | None:
        """When (`Now.tick`) a Tick is due."""
        dues = (
            self._leave_by,
            self._uplink.next_deadline(),
            self._wait_ends_at,
            self._dialling.next_deadline,
            self._follower.next_expiry,
            self._carrier.next_deadline(),
        )
        return min((due for due in dues if due is not None), default=None)

    def author_entry(self, body: bodies.Body | Whisper, line: str | None, re: events.Re) -> None:
        """Hands an entry of ours to the host, now or when it can be."""
        self._context.add_entry(body, line, re)
        self._reporter.tell_given_back(self._outbox.refuse_excess())
        self._send_pending()

    def moderate(self, event: inputs.Moderation) -> None:
        """Refuses it."""
        self._reporter.tell_error(errors.HostOnly(), event.re)

    def leave(self, event: inputs.LeaveInput) -> None:
        """Asks the host to confirm that we are out, and leaves without that if it takes too long."""
        if event.close:
            error = errors.CloseNotAllowed()
            self._reporter.tell_error(error, event.re)
            return
        self._lifecycle.begin_leaving(event.re)
        self._leave_by = self._clock.tick + limits.LEAVE_PATIENCE
        self.author_entry(bodies.LeaveBody(), None, event.re)

    def can_seal_to(self, _: roster.Member) -> bool:
        """Whoever's key we lack, we ask for it."""
        return True

    def refuses_nick(self, _: str) -> bool:
        """The host decides."""
        return False

    def room_time(self) -> int:
        """Milliseconds since the room's creation, by what the host told."""
        return self._heads.room_time()

    def retire(self) -> None:
        """We host from now on: our links to others end."""
        for call in self._calls.values():
            call.hang_up("closed")
        self._uplink.drop("closed")
        self._outbox.lose_link()
        self._state.lose_link()
        self._uplink.lose()

    def close(self) -> None:
        """Forgets the keys of the link, and those that a welcome brought."""
        self._state.lose_link()
        self._uplink.forget()
        self._context.serving.stop_all()

    def _tick(self) -> None:
        if self._leave_by is not None and self._clock.tick >= self._leave_by:
            self._lifecycle.leave_room("left")  # the host did not confirm it in time
        else:
            self._end_wait()
            self._carrier.do_due_work()
            self._follower.expire_entries()
            self._uplink.send_due()

    # --- what goes to the host

    def _send_pending(self) -> None:
        if not self._state.is_up:
            return
        for ready in self._outbox.send_ready(self._replica.sealer(self._context.random), self._clock.tick):
            if isinstance(ready, GivenBack):
                self._reporter.tell_given_back([ready])
            else:
                self._uplink.send(ready)

    @property
    def _wait_ends_at(self) -> float | None:
        """When (`Now.tick`) something is given back because a key has not come."""
        return self._outbox.wait_ends_at if self._state.is_up else None

    def _end_wait(self) -> None:
        if self._wait_ends_at is not None and self._clock.tick >= self._wait_ends_at:
            self._send_pending()

    # --- what comes from the host

    def _take_payload(self, payload: bytes) -> None:
        """What came on our link, which ends if that is none of what may come now."""
        if isinstance(self._state.current, Abandoned):
            return
        with self._judging():
            if self._state.takes_batches:
                packed = self._replica.current_epoch.open_batch(payload)
                if packed is not None:
                    self._take_batch(frames.unpack(frames.Batch, packed))
                    return
            self._take_frames(self._uplink.channel.open_record(payload).frames)

    def _take_answer(self, call: Call, payload: bytes) -> None:
        """What came on a link before its first answer, or with that."""
        try:
            answer = call.take_payload(payload)
        except handshake.OtherVersion:
            self._lifecycle.fail(_OTHER_VERSION, "refused")
        except PeerFault as fault:
            call.hang_up(fault.fault)
        else:
            if answer:
                del self._calls[call.link]
                self._arrival.begin(call)
                with self._judging():
                    self._take_frames(answer)

    def _take_frames(self, said: Sequence[frames.Frame]) -> None:
        for frame in said:
            if not (self._lifecycle.over or isinstance(self._state.current, Abandoned)):
                self._state.expect_frame(frame)
                self._frame_handlers[type(frame)](frame)

    @contextmanager
    def _judging(self) -> Iterator[None]:
        """Within, what is wrong ends the link, or proves that our host lies."""
        try:
            yield
        except PeerFault as fault:
            self._arrival.note_shown()
            self._blame.end_link(fault)
        except HostLied as lie:
            self._blame.leave_host(lie)

    def _take_batch(self, batch: frames.Batch) -> None:
        self._follower.take_batch(batch)
        if not self._lifecycle.over:
            self._finish_batch()
            self._leave_former_host()

    def _leave_former_host(self) -> None:
        """Our host hosts no more, if it says so: whoever follows it is the next one's member."""
        if self._replica.ledger.handed_over:
            self._uplink.drop("passed-on")
            self._loss.lose(self._clock.tick)

    def _take_missed(self, missed: frames.BackfillFrame) -> None:
        self._follower.take_missed(missed)
        if not self._lifecycle.over and self._arrival.complete_backfill():
            self._finish_batch()

    def _take_page(self, page: frames.PageFrame) -> None:
        if self._arrival.take_page(page):
            self._finish_batch()

    def _take_proof(self, proof: frames.ProofFrame) -> None:
        if self._arrival.take_proof(proof):
            self._finish_batch()

    def _take_resumed(self, resumed: frames.ResumedFrame) -> None:
        self._arrival.take_resumed(resumed)
        self._finish_batch()

    def _finish_batch(self) -> None:
        """Once we know everything that has its place, what of ours has none goes out again."""
        is_first = self._state.note_index(self._replica.ledger.index)
        if self._state.has_caught_up:
            self._follower.tell_of_lost()
        if is_first:
            self._loss.note_let_in()
            self._uplink.begin_slots()
            self._keys.request_missing()
            self._carrier.service.tell_able()
        self._send_pending()

    def _enter_next_epoch(self, share: frames.CommitShareFrame) -> None:
        """With our share of a commit we are in the next epoch, in which what has no place yet goes out again."""
        state = self._state.current
        assert isinstance(state, Rekeying), "in no other is a commit share expected"
        self._keys.enter_next_epoch(share.box)
        self._state.enter(state.after)
        if state.renews:
            self._keys.renew_own_key()
        self._send_pending()

    def _take_denial(self, denied: frames.DeniedFrame) -> None:
        self._reporter.tell_given_back([self._outbox.deny_entry(denied.counter, denied.reason)])

    def _take_found_key(self, found: frames.KeyResponseFrame) -> None:
        self._keys.take_found(found)
        self._send_pending()

    def _take_missing_key(self, missing: frames.KeyNotFoundFrame) -> None:
        self._keys.take_missing(missing)
        self._send_pending()

    # --- the link

    def _dial(self) -> None:
        """Begins a try to reach the host, if one is due."""
        if not self._lifecycle.over and (dial := self._dialling.take_due(self._clock.tick)):
            ask, ticket = self._joining.sign_request, self._joining.ticket
            self._calls[dial.link] = Call(self._context, dial.link, dial.address, ask, ticket)
            self._uplink.tell_state("connecting", self._dialling.attempt, self._dialling.reason)
            self._reporter.add_effect(dial)

    def _lose_uplink(self, event: inputs.DroppedInput) -> None:
        """Our link is gone."""
        was_let_in = self._state.is_let_in
        self._arrival.note_shown()
        self._state.lose_link()
        self._uplink.lose()
        self._outbox.lose_link()
        if self._lifecycle.phase == "in" and was_let_in:
            self._loss.lose(self._clock.tick)
            self._uplink.tell_state("lost", self._dialling.attempt, _reason_of(event))
        self._carrier.note_link_lost()
        self._end_try(event)

    def _end_try(self, event: inputs.DroppedInput) -> None:
        """A link is gone, answered or not. Another one will be dialled, unless we are leaving anyway."""
        if self._lifecycle.phase == "leaving":
            self._lifecycle.leave_room("left")
        elif not (self._lifecycle.over or self._dialling.take_loss(_reason_of(event), self._clock.tick)):
            self._lifecycle.fail(errors.Unreachable(_reason_of(event)), "lost")


def _reason_of(event: inputs.DroppedInput) -> Reason:
    return Reason(event.reason) if event.reason in LINK_ENDS else Reason("link-fault", event.reason)
