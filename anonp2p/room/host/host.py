"""The role of a room's host: its parts, and which of them takes what."""

from typing import Literal

from anonp2p import errors, limits
from anonp2p.errors import PeerFault
from anonp2p.names.codes import RoomKey
from anonp2p.protocol import bodies, frames
from anonp2p.room import effects, events, inputs
from anonp2p.room.context import Context
from anonp2p.room.dice import draw_between
from anonp2p.room.gate import Gate
from anonp2p.room.host import admission
from anonp2p.room.host.admission import Admission
from anonp2p.room.host.answers import Answers
from anonp2p.room.host.code_check import CodeCheck
from anonp2p.room.host.commits import Commits
from anonp2p.room.host.founding import found_room
from anonp2p.room.host.heirs import Heirs
from anonp2p.room.host.presence import Presence
from anonp2p.room.host.sequencer import Sequencer
from anonp2p.room.host.submissions import Submissions
from anonp2p.room.log.log import Log
from anonp2p.room.pending import Whisper
from anonp2p.room.roster import Member


class HostRole:
    """We order entries. room_key: of the onion service by which we are reached; name, retention, history: of the room.

    nick: ours, empty for one made from our key.
    """

    def __init__(
        self,
        context: Context,
        room_key: RoomKey,
        nick: str,
        name: str,
        retention: frames.RetentionPolicy,
        history: frames.HistoryPolicy,
    ) -> None:
        self._context = context
        self._replica = context.replica
        self._reporter = context.reporter
        self._lifecycle = context.lifecycle
        self._serving = context.serving
        self._serving.add_key(room_key)
        self._room_key = room_key
        self._nick = nick
        self._room_name = name
        self._policies = retention, history
        self._reachable = False
        self.sequencer = Sequencer(context)
        self.presence = Presence(context)
        self.commits = Commits(context, self.sequencer, self.presence)
        self._answers = Answers(context)
        self.heirs = Heirs(context, self.sequencer, self.presence)
        parts = self.sequencer, self.presence, self.commits, self._answers, self.heirs
        self._submissions = Submissions(context, *parts)
        self.gate = Gate(context, Admission(context, self.sequencer, self.presence, self.commits))
        self._code_check = CodeCheck(context, self.gate, self.presence, self.heirs)

    @property
    def name(self) -> Literal["host"]:
        """Which role this is."""
        return "host"

    @property
    def settled(self) -> bool:
        """Whether others can reach us."""
        return self._reachable

    @property
    def log(self) -> Log:
        """What was ordered."""
        return self.sequencer.log

    def handle_input(self, event: inputs.RoleInput) -> None:
        """Takes what comes from links or the clock."""
        match event:
            case inputs.ReceivedInput() | inputs.DialFailedInput() | inputs.DroppedInput() if (
                self._code_check.take_outcome(event)
            ):
                pass
            case inputs.ReceivedInput(link=link, payload=payload):
                self._take_payload(link, payload)
            case inputs.EndBatchInput():
                self.heirs.update()
                if not self._context.cover:  # with cover, batches end in slots
                    self.sequencer.end_batch()
            case inputs.TickInput():
                self._do_due_work()
            case inputs.LinkedInput(link=link, address=address):
                self.gate.begin_handshake(link, address)
            case inputs.DroppedInput(link=link, silence=silence):
                self.gate.forget_link(link)
                self.presence.lose_link(link, silence)
            case inputs.StartInput():
                pause = 0.0 if self._context.is_alone else self._draw_return()
                self._serving.serve(self._room_key.public, pause)
                self._found_room()
            case inputs.PublishedInput(address=address):
                self._serving.note_published(address)
                if address == self._replica.ledger.code:
                    self._reachable = True
                    label, re = self._context.label, self._lifecycle.asked_by
                    self._reporter.tell_event(events.ReachableEvent(room=label, re=re))
            case inputs.UnpublishedInput(address=address):
                self._serving.note_unpublished(address)
            case inputs.ServeFailedInput(error=error):
                self._lifecycle.break_down(error)
            case inputs.DialFailedInput():
                pass  # what only a member does

    def next_deadline(self) -> float | None:
        """When (`Now.tick`) something has to be done, though nothing happens."""
        if not self._lifecycle.entered:
            return None
        parts = (self.sequencer, self.commits, self.presence, self.gate, self._answers, self.heirs, self._code_check)
        return min(due for part in parts if (due := part.next_deadline()) is not None)

    def author_entry(self, body: bodies.Body | Whisper, line: str | None, re: events.Re) -> None:
        """An entry of our own gets the next place."""
        self.sequencer.order_own(body, line, re)

    def moderate(self, event: inputs.Moderation) -> None:
        """Throws somebody out, says whether newcomers are let in, or who is to have the room after us."""
        match event:
            case inputs.KickInput():
                self._kick_member(event)
            case inputs.LockInput(locked=self._replica.ledger.locked as locked, re=re):
                self._reporter.tell_event(events.LockUnchangedEvent(room=self._context.label, locked=locked, re=re))
            case inputs.LockInput(locked=locked, re=re):
                self.sequencer.order_own(bodies.LockBody(locked), None, re)
            case inputs.EntrustInput():
                self._entrust(event)
            case inputs.CodeInput(re=re):
                self.heirs.change_code(re)

    def leave(self, event: inputs.LeaveInput) -> None:
        """Closes the room: it ends when its host leaves."""
        self._lifecycle.begin_leaving(event.re)
        self.sequencer.order_own(bodies.CloseBody(), None, event.re)

    def can_seal_to(self, member: Member) -> bool:
        """Whether the member's key is one that can be sealed to."""
        return member.key_hash in self._replica.keys

    def refuses_nick(self, nick: str) -> bool:
        """Whether others have it, or it is reserved."""
        return admission.is_refused(self._replica.ledger, nick, self._replica.me.id)

    def room_time(self) -> int:
        """Milliseconds since the room was created."""
        return self.sequencer.room_time()

    def close(self) -> None:
        """Signs the last head; nobody new is to come."""
        self.sequencer.end_batch()
        self._serving.stop_all()

    # --- what happens

    def _found_room(self) -> None:
        history = found_room(self._context, self._nick, self._room_name, *self._policies)
        self.sequencer.begin(history)
        self.commits.begin()
        self._lifecycle.enter("host")

    def _draw_return(self) -> float:
        """Seconds to wait once there is a network, so that our rooms do not all appear at one moment."""
        return draw_between(self._context.random, 0.0, limits.RETURN_SPREAD)

    def _take_payload(self, link: int, payload: bytes) -> None:
        """Handles what came on a link. Who breaks a rule loses its place; no other member is affected."""
        try:
            if not self.gate.take_request(link, payload) and (known := self.presence.links.get(link)):
                self._submissions.take_record(link, known, payload)
        except PeerFault as fault:
            self._reporter.add_effect(effects.DropEffect(link, fault.fault))
            member = self.presence.expel_link(link)
            if member is not None:
                self.sequencer.order_own(bodies.AwayBody(member))
                self.commits.remove_soon(member)

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
        self.heirs.update()
        self._code_check.do_due_work()

    def _entrust(self, event: inputs.EntrustInput) -> None:
        if event.nick is None:
            self.heirs.entrust_nobody()
            return
        member = self._replica.ledger.roster.find_nick(event.nick)
        if member is None:
            self._reporter.tell_error(errors.NoSuchNick(), event.re)
        elif not self.heirs.want_member(member.id):
            self._reporter.tell_error(errors.CannotHost(), event.re)

    def _kick_member(self, event: inputs.KickInput) -> None:
        member = self._replica.ledger.roster.find_nick(event.nick)
        if member is None:
            self._reporter.tell_error(errors.NoSuchNick(), event.re)
        elif member.id == self._replica.me.id:
            self._reporter.tell_error(errors.KickSelf(), event.re)
        else:
            self.commits.kick(member.id, event.why, event.re)
