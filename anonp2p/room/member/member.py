"""Our part in a room whose host is somebody else: being let in, following the log, holding the host to its word."""

from collections.abc import Callable
from typing import Any, Literal

from anonp2p import errors, limits
from anonp2p.crypto import suite
from anonp2p.errors import PeerFault
from anonp2p.names import codes
from anonp2p.protocol import frames, handshake, welcome
from anonp2p.protocol.handshake import Channel
from anonp2p.room import events, inputs, roster
from anonp2p.room.context import Context
from anonp2p.room.ledger import expect
from anonp2p.room.member.backfill import Backfill
from anonp2p.room.member.dialling import Dialling
from anonp2p.room.member.following import Follower
from anonp2p.room.member.head_check import HeadCheck
from anonp2p.room.member.joining import Joining
from anonp2p.room.member.key_book import KeyBook
from anonp2p.room.member.states import (
    Asking,
    Backfilling,
    CatchingUp,
    LinkState,
    NoLink,
    Rekeying,
    Welcomed,
)
from anonp2p.room.member.uplink import Uplink
from anonp2p.room.member.welcome_check import WelcomeCheck
from anonp2p.room.outbox import GivenBack
from anonp2p.room.pending import Whisper

_OTHER_VERSION = errors.Refused("it speaks another version of the protocol, so one of you needs a newer program")


class MemberRole:
    """We follow a host. nick: the one to ask for, empty for one made from our key."""

    def __init__(self, context: Context, nick: str) -> None:
        self._context = context
        self._clock = context.clock
        self._replica = context.replica
        self._outbox = context.outbox
        self._reporter = context.reporter
        self._lifecycle = context.lifecycle
        self._state = LinkState()
        self._send_frames = Uplink(context)
        self._heads = HeadCheck(context)
        self._keys = KeyBook(context, self._send_frames)
        self._joining = Joining(context, nick)
        self._follower = Follower(context, self._heads, self._keys, self._joining, self._state)
        self._leave_by: float | None = None  # when we are out, though the host has not confirmed it
        self._note_dialling = Dialling(codes.encode_key(context.replica.ledger.room), context.random)
        self._frame_handlers: dict[type[Any], Callable[[Any], None]] = {
            frames.RefusedFrame: self._take_refusal,
            frames.WelcomeFrame: self._begin_welcome,
            frames.PageFrame: self._take_page,
            frames.ResumedFrame: self._make_resume_request,
            frames.BackfillFrame: self._take_missed,
            frames.CommitShareFrame: self._enter_next_epoch,
            frames.DeniedFrame: self._take_denial,
            frames.KeyResponseFrame: self._take_found_key,
            frames.KeyNotFoundFrame: self._take_missing_key,
        }

    # --- what the room asks of its role

    @property
    def name(self) -> Literal["member"]:
        """Which role this is."""
        return "member"

    @property
    def settled(self) -> bool:
        """Whether we have been let in."""
        return self._lifecycle.entered

    def handle_input(self, event: inputs.RoleInput) -> None:
        """Takes what comes from the link or the clock."""
        match event:
            case inputs.StartInput():
                self._note_dialling.begin(self._clock.tick)
            case inputs.DialFailedInput(detail=detail):
                if not self._note_dialling.take_failure(event, self._clock.tick):
                    self._lifecycle.fail(errors.Unreachable(detail), "lost")
            case inputs.ReceivedInput(payload=payload):
                self._take_payload(payload)
            case inputs.DroppedInput():
                self._lose_uplink(event)
            case inputs.TickInput():
                self._tick()
            case _:
                pass  # what only a host does
        self._dial()

    def next_deadline(self) -> float | None:
        """When (`Now.tick`) a Tick is due."""
        dues = (
            self._leave_by,
            self._send_frames.next_deadline(),
            self._wait_ends_at,
            self._note_dialling.next_deadline,
        )
        return min((due for due in dues if due is not None), default=None)

    def author_entry(self, body: frames.Body | Whisper, line: str | None, re: events.Re) -> None:
        """Hands an entry of ours to the host, now or when it can be."""
        self._context.add_entry(body, line, re)
        self._reporter.tell_given_back(self._outbox.refuse_excess())
        self._send_pending()

    def moderate(self, event: inputs.KickInput | inputs.LockInput) -> None:
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
        self.author_entry(frames.LeaveBody(), None, event.re)

    def can_seal_to(self, _: roster.Member) -> bool:
        """Whoever's key we lack, we ask for it."""
        return True

    def refuses_nick(self, _: str) -> bool:
        """The host decides."""
        return False

    def room_time(self) -> int:
        """Milliseconds since the room's creation, by what the host told."""
        return self._heads.room_time()

    def close(self) -> None:
        """Nothing is left to do."""

    def _tick(self) -> None:
        if self._leave_by is not None and self._clock.tick >= self._leave_by:
            self._lifecycle.leave_room("left")  # the host did not confirm it in time
        else:
            self._end_wait()
            self._send_frames.send_due()

    # --- what goes to the host

    def _send_pending(self) -> None:
        if not self._state.is_up:
            return
        for ready in self._outbox.send_ready(self._replica.sealer(), self._clock.tick):
            if isinstance(ready, GivenBack):
                self._reporter.tell_given_back([ready])
            else:
                self._send_frames.send(ready)

    @property
    def _wait_ends_at(self) -> float | None:
        """When (`Now.tick`) something is given back because a key has not come."""
        return self._outbox.wait_ends_at if self._state.is_up else None

    def _end_wait(self) -> None:
        if self._wait_ends_at is not None and self._clock.tick >= self._wait_ends_at:
            self._send_pending()

    # --- what comes from the host

    def _take_payload(self, payload: bytes) -> None:
        """What came from the host. If it broke a rule, it is none to stay with."""
        try:
            if isinstance(self._state.current, NoLink):
                self._answer_hello(payload)
                return
            if self._state.takes_batches:
                packed = self._replica.current_epoch.open_batch(payload)
                if packed is not None:
                    self._take_batch(frames.unpack(frames.Batch, packed))
                    return
            record = self._send_frames.channel.open_record(payload)
            if record.echo:
                self._send_frames.send()
            for frame in record.frames:
                if not self._lifecycle.over:
                    self._state.expect_frame(frame)
                    self._frame_handlers[type(frame)](frame)
        except PeerFault as fault:
            self._leave_distrusted_host(str(fault))

    def _leave_distrusted_host(self, reason: str) -> None:
        """The host broke a rule that its program keeps, so it is none to stay with."""
        self._heads.tell_alarm(f"The host sent {reason}.")
        if self._lifecycle.entered:
            self._lifecycle.leave_room("lost")
        else:
            self._lifecycle.fail(errors.Refused("its host does not keep to the protocol"), "lost")

    def _take_batch(self, batch: frames.Batch) -> None:
        self._follower.take_batch(batch)
        if not self._lifecycle.over:
            self._finish_batch()

    def _take_missed(self, past: frames.BackfillFrame) -> None:
        self._follower.take_missed(past)
        if self._lifecycle.over:
            return
        if self._state.backfill is not None:
            self._end_backfill(self._state.backfill)
        else:
            self._finish_batch()

    def _finish_batch(self) -> None:
        """Once we know everything that has its place, what of ours has none goes out again."""
        is_first = self._state.note_index(self._replica.ledger.index)
        if self._state.has_caught_up:
            self._follower.tell_of_lost()
        if is_first:
            self._keys.request_missing()
        self._send_pending()

    def _enter_next_epoch(self, share: frames.CommitShareFrame) -> None:
        """With our share of a commit we are in the next epoch, in which what has no place yet goes out again."""
        state = self._state.current
        assert isinstance(state, Rekeying), "in no other is a commit share expected"
        self._keys.enter_next_epoch(share.box)
        self._state.enter(state.after)
        if state.is_idle:
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
        if not self._lifecycle.over and (dial := self._note_dialling.take_due(self._clock.tick)):
            self._tell_link("connecting", self._note_dialling.detail)
            self._reporter.add_effect(dial)

    def _tell_link(self, state: Literal["connecting", "up", "lost"], detail: str) -> None:
        attempt, re = self._note_dialling.attempt, self._lifecycle.re
        self._reporter.tell_event(
            events.LinkEvent(room=self._context.label, state=state, attempt=attempt, detail=detail, re=re)
        )

    def _lose_uplink(self, event: inputs.DroppedInput) -> None:
        """Our link is gone. Another one is being dialled, unless we are leaving anyway."""
        was_let_in, backfill = self._state.is_let_in, self._state.backfill
        self._state.lose_link()
        if backfill is not None and backfill.replayed is not None:
            self._joining.note_shown(backfill.replayed.index)
        self._send_frames.forget()
        self._outbox.lose_link()
        if self._lifecycle.phase == "leaving":
            self._lifecycle.leave_room("left")
        elif self._lifecycle.phase == "in" and was_let_in:
            self._tell_link("lost", event.detail)
        if not (self._lifecycle.over or self._note_dialling.take_loss(event.detail, self._clock.tick)):
            self._lifecycle.fail(errors.Unreachable(event.detail), "lost")

    # --- getting in, coming back

    def _end_handshake(self) -> None:
        """We have been let in on this link."""
        self._note_dialling.note_let_in()
        self._send_frames.end_handshake()

    def _answer_hello(self, payload: bytes) -> None:
        try:
            hello, hello_hash = handshake.read_hello(payload)
        except handshake.OtherVersion:
            self._lifecycle.fail(_OTHER_VERSION, "refused")
            return
        self._state.enter(Asking(hello_hash))
        link = self._context.random(suite.SECRET)
        request = self._joining.sign_request(link, hello_hash)
        client_handshake = handshake.seal_request(request, self._replica.ledger.room, hello, hello_hash)
        self._send_frames.begin(client_handshake, Channel(link, hello_hash, up=True))

    def _take_refusal(self, refused: frames.RefusedFrame) -> None:
        reason = self._joining.take_refusal(refused.reason)
        if reason is not None:
            self._note_dialling.note_drop()
            self._send_frames.drop(reason)

    def _begin_welcome(self, welcomed: frames.WelcomeFrame) -> None:
        state = self._state.current
        assert isinstance(state, Asking), "in no other is a welcome expected"
        own_key, room = self._replica.own_keys[0], self._replica.ledger.room
        self._state.enter(Welcomed(welcome.WelcomeReader(welcomed, own_key, room, state.hello_hash)))

    def _take_page(self, page: frames.PageFrame) -> None:
        state = self._state.current
        assert isinstance(state, Welcomed), "in no other is a page expected"
        room = state.arrival.take_page(page)
        if room is not None:
            self._take_state(room)

    def _take_state(self, room: frames.RoomState) -> None:
        """We know the room as it is now; perhaps not yet how it came to be so."""
        backfill = WelcomeCheck(self._context, self._heads, self._joining).read(room)
        self._state.enter(Backfilling(backfill))
        if backfill.continues:
            self._end_handshake()
        else:
            self._enter_room(backfill, room.since)
        self._end_backfill(backfill)

    def _enter_room(self, backfill: Backfill, since: int) -> None:
        """In: for the first time, as somebody new, or too far on in the log to be told all between."""
        joining = self._joining
        again, joining.history_is_due = joining.history_is_due, backfill.replayed is not None
        missed = self._replica.ledger.index if self._lifecycle.entered and not again else joining.shown_up_to
        before, self._replica.ledger, joining.shown_up_to = self._replica.ledger.roster, backfill.now, missed
        self._heads.begin_log()
        self._end_handshake()
        self._tell_link("up", "")
        if again:
            return
        self._lifecycle.enter("member")
        joining.tell_of_refused_nick()
        if missed is not None:
            count = max(0, since - missed)  # nothing proves them yet
            self._reporter.tell_event(events.EntriesMissedEvent(room=self._context.label, count=count, verified=False))
            self._outbox.forget_entries(self._context.own_member.counter)
            if since > missed:
                cautions = self._replica.compare_rosters(before, backfill.reached.roster)
                self._reporter.tell_cautions(cautions)

    def _end_backfill(self, backfill: Backfill) -> None:
        """Once we have all that was before, we go on in the epoch that the welcome let us into."""
        if not backfill.is_complete():
            return
        head = backfill.head
        self._state.enter(CatchingUp(head.place))
        self._take_epoch(backfill)
        if backfill.continues:
            self._tell_link("up", "")
        else:
            self._replica.marks.begin_at(head.time, head.digest)
            self._joining.end_history()
        self._finish_batch()

    def _take_epoch(self, backfill: Backfill) -> None:
        epoch = backfill.epoch
        if self._replica.epoch is not None and self._replica.epoch.number == epoch.number:
            epoch.ratchets[self._replica.me.id] = self._replica.epoch.ratchets[
                self._replica.me.id
            ]  # of which more is used up than the host knows
        self._replica.epoch = epoch
        self._heads.accept_head(backfill.head)
        self._outbox.begin_epoch()

    def _make_resume_request(self, resumed: frames.ResumedFrame) -> None:
        expect(self._joining.can_resume, "a resumption not asked for")
        same_epoch = self._replica.ledger.epoch == self._replica.current_epoch.number
        expect(same_epoch, "a resumption in an epoch that is over")
        expect(resumed.index >= self._replica.ledger.index, "a log that has become shorter")
        self._heads.note_claim(resumed.index, resumed.time)
        self._state.enter(CatchingUp(resumed.index))
        self._end_handshake()
        self._tell_link("up", "")
        self._finish_batch()
