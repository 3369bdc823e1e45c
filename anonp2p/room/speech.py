"""What the user says to others, and takes back: entries, or one sentence that says what is wrong."""

from anonp2p.crypto import identity
from anonp2p.errors import AnonError, NoSuchNick
from anonp2p.protocol import bodies
from anonp2p.room import inputs
from anonp2p.room.context import Context
from anonp2p.room.errors import NotYours, OfFormerSelf, Unsealable, WhisperToSelf
from anonp2p.room.moderation import Moderation
from anonp2p.room.pending import Whisper
from anonp2p.room.role import Role
from anonp2p.room.roster import Member


class Speech:
    """Checks what the user says, and has it ordered by the role that we have."""

    def __init__(self, context: Context, moderation: Moderation) -> None:
        self._replica = context.replica
        self._outbox = context.outbox
        self._reporter = context.reporter
        self._lifecycle = context.lifecycle
        self._message_index = context.message_index
        self._moderation = moderation

    def handle_input(self, event: inputs.AnySpeechInput, role: Role) -> None:
        """Sends it, or gives it back."""
        match event:
            case inputs.SayInput():
                self._send_message(event, role)
            case inputs.ReplyInput():
                self._send_reply(event, role)
            case inputs.WhisperInput():
                self._send_whisper(event, role)
            case inputs.RetractInput():
                self._retract(event, role)

    def _send_message(self, event: inputs.SayInput, role: Role) -> None:
        if refusal := self.find_text_error(role):
            self._refuse_text(refusal, event)
            return
        role.author_entry(bodies.TextBody(event.text, event.action, None), event.text, event.re)

    def _send_reply(self, event: inputs.ReplyInput, role: Role) -> None:
        """To all, or to the one with whom we share what it refers to."""
        try:
            shown = self._message_index.find_typed(event.seq, by_other_than=self._replica.me.id)
        except AnonError as error:
            self._refuse_text(error, event)
            return
        reply = bodies.EntryId(shown.author, shown.counter)
        if shown.peer is None:
            if refusal := self.find_text_error(role):
                self._refuse_text(refusal, event)
                return
            role.author_entry(bodies.TextBody(event.text, False, reply), event.line, event.re)
        else:
            self._send_private(self._replica.ledger.roster.find_member(shown.peer), event, reply, role)

    def _retract(self, event: inputs.RetractInput, role: Role) -> None:
        """Ends a message of ours, or has it ended once it has its place."""
        if event.seq is None and (given := self._outbox.retract_latest(event.re)) is not None:
            self._reporter.tell_given_back(given)
            return
        try:
            shown = self._message_index.find_typed(event.seq, by=self._replica.me.id)
            if shown.author != self._replica.me.id:
                raise OfFormerSelf if shown.mine else NotYours
        except AnonError as error:
            self._reporter.tell_error(error, event.re)
        else:
            role.author_entry(bodies.RetractBody(shown.counter), None, event.re)

    def _send_whisper(self, event: inputs.WhisperInput, role: Role) -> None:
        self._send_private(self.find_meant(event.nick, event.member), event, None, role)

    def find_meant(self, nick: str, member: str) -> Member | None:
        """Whom the user means by a nick: the member with this id, as it is spelled, if that is not empty."""
        roster = self._replica.ledger.roster
        if member:
            return next((one for one in roster if identity.spell_member(one.id) == member), None)
        return roster.find_nick(nick)

    def _send_private(
        self,
        member: Member | None,
        event: inputs.WhisperInput | inputs.ReplyInput,
        reply: bodies.EntryId | None,
        role: Role,
    ) -> None:
        error = self.find_private_error(member, role)
        if member is None or error is not None:
            assert error is not None, "a nick of no member has its error"
            self._refuse_text(error, event)
        else:
            role.author_entry(Whisper(member.id, member.nick, event.text, reply), event.line, event.re)

    def find_private_error(self, member: Member | None, role: Role) -> AnonError | None:
        """Why we can say nothing to this member alone. member: None where nobody has the nick that was typed."""
        if error := self._moderation.find_silence():
            return error
        if member is None:
            return NoSuchNick()
        if member.id == self._replica.me.id:
            return WhisperToSelf()
        return None if role.can_seal_to(member) else Unsealable()

    def find_text_error(self, role: Role) -> AnonError | None:
        """Why we can say nothing to all just now, as far as we know."""
        return self._moderation.find_text_error(role.room_time())

    def _refuse_text(self, error: AnonError, event: inputs.AnySpeechInput) -> None:
        """Says why a text is not sent, and gives it back."""
        self._reporter.tell_error(error, event.re)
        self._lifecycle.give_back(event)
