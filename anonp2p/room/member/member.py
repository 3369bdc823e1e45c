"""Our part in a room whose host is somebody else: takes the inputs, and hands what the host sends to its parts."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Literal

from anonp2p import limits
from anonp2p.errors import HostLied, PeerFault
from anonp2p.protocol import bodies, frames, meeting
from anonp2p.protocol.batches import Batch
from anonp2p.protocol.packing import unpack
from anonp2p.reasons import Reason
from anonp2p.room import events, inputs, roster
from anonp2p.room.closing import Closing
from anonp2p.room.context import Context
from anonp2p.room.dice import draw_between
from anonp2p.room.errors import HostOnly
from anonp2p.room.member.arrival import Arrival
from anonp2p.room.member.blame import Blame
from anonp2p.room.member.carrier import Carrier
from anonp2p.room.member.following import Follower
from anonp2p.room.member.head_check import HeadCheck
from anonp2p.room.member.joining import Joining
from anonp2p.room.member.key_book import KeyBook
from anonp2p.room.member.order_watch import OrderWatch
from anonp2p.room.member.pool_wait import PoolWait
from anonp2p.room.member.search import Search, reason_of
from anonp2p.room.member.states import Abandoned, LinkState, Rekeying
from anonp2p.room.member.uplink import Uplink
from anonp2p.room.outbox import GivenBack
from anonp2p.room.pending import Whisper
from anonp2p.room.role import HostPlan, MemberPlan
from anonp2p.room.succession.loss import Loss, Target
from anonp2p.room.succession.patience import Patience
from anonp2p.room.where import check_form


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
        self._closing = Closing(context)
        self._uplink = Uplink(context)
        self._heads = HeadCheck(context)
        self._orders = OrderWatch(context, self._state, self._heads)
        self._blame = Blame(context, self._state, self._uplink, self._heads)
        self._keys = KeyBook(context, self._uplink)
        self._hint = former.hint if former else None
        self._loss = Loss(partial(draw_between, context.random))
        joining = Joining(context, nick)
        patience = Patience()
        self._follower = Follower(context, self._heads, self._keys, joining, self._state, patience)
        catch_up = self._follower.take_catch_up
        self._carrier = Carrier(context, self._uplink, self._loss, patience, self._heads, catch_up, former)
        self._host_check = self._carrier.host_check
        self._search = Search(context, self._loss, self._state, self._uplink, joining, self._host_check, catch_up)
        self._arrival = Arrival(context, self._state, self._uplink, self._search, self._heads, joining)
        self._pool_wait = PoolWait(context, self._uplink, self._state, self.author_entry)
        self._leave_by: float | None = None  # when we are out, though the host has not confirmed it
        self._frame_handlers: dict[type[Any], Callable[[Any], None]] = {
            frames.RefusedFrame: self._arrival.take_refusal,
            frames.HeldFrame: self._arrival.take_hold,
            frames.WelcomeFrame: self._arrival.begin_welcome,
            frames.PageFrame: self._take_page,
            frames.ProofFrame: self._take_proof,
            frames.ResumedFrame: self._take_resumed,
            frames.BackfillFrame: self._take_missed,
            frames.CommitShareFrame: self._enter_next_epoch,
            frames.DeniedFrame: self._take_denial,
            frames.KeyResponseFrame: self._take_found_key,
            frames.KeyNotFoundFrame: self._take_missing_key,
            frames.RedirectFrame: self._take_redirect,
            frames.PrepareFrame: self._carrier.service.prepare,
            frames.EntrustFrame: self._carrier.service.take_key,
            frames.ClientsFrame: self._carrier.service.take_clients,
            frames.PoolFrame: self._pool_wait.take_pool,
            frames.EchoedFrame: self._carrier.take_echo,
            frames.KnockersFrame: self._context.knockers.take_told,
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

    @property
    def ends_room(self) -> bool:
        """It goes on with its host."""
        return False

    def handle_input(self, event: inputs.OuterInput) -> None:
        """Takes what comes from the link or the clock."""
        match event:
            case inputs.StartInput():
                self._search.begin(self._hint)
            case inputs.ReceivedInput(link=self._uplink.link, payload=payload):
                self._take_payload(payload)
            case inputs.DroppedInput(link=self._uplink.link):
                self._lose_uplink(reason_of(event))
            case inputs.ReceivedInput() | inputs.DialFailedInput() | inputs.DroppedInput() if self._search.has_link(
                event.link
            ):
                self._take_found(event)
            case inputs.TickInput():
                self._tick()
            case _:
                with self._judging():
                    self._carrier.take_input(event)
        self._leave_former_host()
        self._carrier.update()
        self._pool_wait.update()
        if self._carrier.plan is None:
            self._search.do_due_work()
        if not self._lifecycle.over:
            self._orders.update()

    def next_deadline(self) -> float | None:
        """When (`Now.tick`) a Tick is due."""
        dues = (
            self._leave_by,
            None if self._state.switch is None else self._state.switch.due,
            self._uplink.next_deadline(),
            self._wait_ends_at,
            self._search.next_deadline(),
            self._follower.next_expiry,
            self._carrier.next_deadline(),
            self._host_check.next_deadline(),
            self._orders.next_deadline(),
        )
        return min((due for due in dues if due is not None), default=None)

    def author_entry(self, body: bodies.Body | Whisper, line: str | None, re: events.Re) -> None:
        """Hands an entry of ours to the host, now or when it can be."""
        self._context.add_entry(body, line, re)
        self._reporter.tell_given_back(self._outbox.refuse_excess())
        self._send_pending()

    def host_room(self, event: inputs.Hosting) -> None:
        """Refuses it."""
        self._reporter.tell_error(HostOnly(), event.re)

    def leave(self, event: inputs.LeaveInput) -> None:
        """Asks the host to confirm that we are out, and leaves without that if it takes too long."""
        if event.close:
            if self._closing.may_end_room(event):
                self._lifecycle.note_close(event.re)
                self.author_entry(bodies.CloseBody(), None, event.re)
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
        self._search.hang_up()
        self._host_check.call_off()
        if self._uplink.link:
            self._uplink.drop("closed")
        self._outbox.lose_link()
        self._state.lose_link()
        self._uplink.lose()
        self._context.knockers.replace(())

    def close(self) -> None:
        """Forgets the keys of the link, and those that a welcome brought."""
        self._state.lose_link()
        self._uplink.forget()
        self._search.forget()
        self._context.serving.stop_all()

    def _tick(self) -> None:
        if self._leave_by is not None and self._clock.tick >= self._leave_by:
            self._lifecycle.leave_room("left")  # the host did not confirm it in time
        else:
            self._end_wait()
            self._end_slow_switch()
            self._carrier.do_due_work()
            self._host_check.do_due_work()
            self._follower.expire_entries()
            self._uplink.send_due()

    def _end_slow_switch(self) -> None:
        """Who says that there is another log, and shows nothing of it, keeps us from those who host."""
        switch = self._state.switch
        if switch is not None and self._clock.tick >= switch.due:
            self._blame.end_link(PeerFault("lagged"))

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
        self._orders.note_heard()
        with self._judging():
            if self._state.takes_batches:
                packed = self._replica.current_epoch.open_batch(payload)
                if packed is not None:
                    self._take_batch(unpack(Batch, packed))
                    return
            self._take_frames(self._uplink.channel.open_record(payload).frames)

    def _take_found(self, event: inputs.ReceivedInput | inputs.DialFailedInput | inputs.DroppedInput) -> None:
        """Takes what comes on links by which we look for a host, or wait for the next one."""
        with self._judging():
            answered = self._search.take_input(event)
            if answered is not None:
                self._arrival.begin(answered.call)
                self._take_frames(answered.said)

    def _take_frames(self, said: Sequence[frames.Frame]) -> None:
        link = self._uplink.link
        for frame in said:
            if self._lifecycle.over or isinstance(self._state.current, Abandoned) or self._uplink.link != link:
                break
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

    def _take_batch(self, batch: Batch) -> None:
        self._follower.take_batch(batch)
        if not self._lifecycle.over:
            self._finish_batch()

    def _take_missed(self, missed: frames.BackfillFrame) -> None:
        if (switch := self._state.switch) is not None:
            switch.take_missed(missed)
            if switch.is_complete:
                self._follower.take_switch(switch)
                if not self._lifecycle.over:
                    self._arrival.take_switch(switch)
                    self._finish_batch()
            return
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
            self._search.note_caught_up()
            self._uplink.begin_slots()
            self._keys.request_missing()
            self._carrier.service.tell_able()
            self._pool_wait.request_again()
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

    def request_pool(self) -> None:
        """As Role has it."""
        self._pool_wait.request()

    def _take_found_key(self, found: frames.KeyResponseFrame) -> None:
        self._keys.take_found(found)
        self._send_pending()

    def _take_missing_key(self, missing: frames.KeyNotFoundFrame) -> None:
        self._keys.take_missing(missing)
        self._send_pending()

    # --- the link

    def _lose_uplink(self, reason: Reason, hint: Target | None = None) -> None:
        """Our link is gone. Another one will be dialled, unless we are leaving anyway. hint: see `Search.lose`."""
        was_let_in = self._state.is_let_in
        self._context.knockers.replace(())
        self._arrival.note_shown()
        self._state.lose_link()
        self._uplink.lose()
        self._outbox.lose_link()
        self._replica.timing.absence.lose_link()
        self._host_check.note_link_lost()
        if self._lifecycle.phase == "leaving":
            self._lifecycle.leave_room("left")
        elif not self._lifecycle.over:
            if was_let_in and self._lifecycle.entered:
                self._uplink.tell_state("lost", self._search.attempt, reason)
            self._search.lose(reason, hint)

    def _take_redirect(self, redirect: frames.RedirectFrame) -> None:
        """Our host gives way to another one. Raises PeerFault."""
        where, ledger = redirect.where, self._replica.ledger
        check_form(where)
        meeting.check_redirect(redirect, self._uplink.service, self._uplink.hello_hash, ledger.host_key)
        self._uplink.drop("passed-on")
        self._lose_uplink(Reason("passed-on"), Target(where.host, where.address))

    def _leave_former_host(self) -> None:
        """If our host has handed the room over, it is not dialled again: an heir goes on."""
        if self._replica.ledger.handed_over and self._state.is_following:
            self._uplink.drop("passed-on")
            self._lose_uplink(Reason("passed-on"))
