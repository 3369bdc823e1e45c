"""What the user does with files: offers them, takes them, ends offers; or one sentence that says what is wrong."""

from anonp2p.crypto.epoch import FLEETING
from anonp2p.errors import AnonError
from anonp2p.protocol import bodies
from anonp2p.reasons import Reason
from anonp2p.room import file_inputs
from anonp2p.room.context import Context
from anonp2p.room.errors import FileFleeting
from anonp2p.room.offers import Offer
from anonp2p.room.role import Role
from anonp2p.room.roster import Member
from anonp2p.room.speech import Speech


class FileSharing:
    """Checks what the user wants by the rules of messages, and has offers ordered by the role that we have."""

    def __init__(self, context: Context, speech: Speech) -> None:
        self._context = context
        self._replica = context.replica
        self._outbox = context.outbox
        self._reporter = context.reporter
        self._lifecycle = context.lifecycle
        self._files = context.files
        self._speech = speech

    def handle_input(self, event: file_inputs.AnyFileInput, role: Role) -> None:
        """Does what the user has typed."""
        match event:
            case file_inputs.SendFileInput():
                self._begin_offer(event, role)
            case file_inputs.AcceptInput():
                self._files.accept(event)
            case file_inputs.DeclineInput():
                self._decline(event, role)

    def take_outcome(self, event: file_inputs.AnyTransferInput, role: Role) -> None:
        """Takes what has become of the reading, serving and fetching of files."""
        match event:
            case file_inputs.FileReadInput():
                self._take_read(event, role)
            case file_inputs.FileFailedInput():
                self._take_failure(event, role)
            case file_inputs.TransferInput():
                self._files.note_transfer(event)

    def _begin_offer(self, event: file_inputs.SendFileInput, role: Role) -> None:
        """What can be wrong is said before anything is read."""
        try:
            meant = self._speech.find_meant(event.nick, event.member) if event.nick else None
            self._check_offer(meant, role, is_private=bool(event.nick))
            self._files.check_room()
        except AnonError as error:
            self._reporter.tell_error(error, event.re)
            self._lifecycle.give_back(event)
            return
        self._files.begin_offer(event, meant.id if meant else None)

    def _check_offer(self, recipient: Member | None, role: Role, *, is_private: bool) -> None:
        """Raises AnonError if we can offer nothing to all, or to a member alone, as far as we know."""
        if self._context.own_ttl == FLEETING:
            raise FileFleeting
        error = self._speech.find_private_error(recipient, role) if is_private else self._speech.find_text_error(role)
        if error is not None:
            raise error

    def _take_read(self, event: file_inputs.FileReadInput, role: Role) -> None:
        """What was read is offered, if we still may; else the line is given back, or waits till we are let in again."""
        offer = self._files.find_reading(event.number)
        asked = None if offer is None else offer.asked
        if offer is None or asked is None:
            return
        if self._lifecycle.phase != "in":
            self._files.drop_reading(event.number)
            if self._lifecycle.phase == "outside":
                self._lifecycle.waiting.append(asked)
            else:
                self._lifecycle.give_back(asked)
            return
        try:
            recipient = None if offer.peer is None else self._replica.ledger.roster.find_member(offer.peer)
            self._check_offer(recipient, role, is_private=offer.peer is not None)
        except AnonError as error:
            self._files.drop_reading(event.number)
            self._reporter.tell_error(error, asked.re)
            self._lifecycle.give_back(asked)
            return
        offered = self._files.make_offer(event, recipient.nick if recipient else "")
        role.author_entry(offered, asked.line, asked.re)

    def _take_failure(self, event: file_inputs.FileFailedInput, role: Role) -> None:
        """A file of ours cannot be had any more: the user is told, and, if it is on offer, so is everybody."""
        try:
            offer = self._files.find_offer(event.number)
        except AnonError:
            return  # it has ended meanwhile
        if offer.asked is None:
            return
        self._reporter.tell_error(event.error, offer.asked.re)
        self._withdraw(offer, file_inputs.DeclineInput(event.number), role)

    def _decline(self, event: file_inputs.DeclineInput, role: Role) -> None:
        try:
            offer = self._files.find_offer(event.offer)
        except AnonError as error:
            self._reporter.tell_error(error, event.re)
            return
        if offer.mine:
            if offer.file is None and offer.asked is not None:
                self._lifecycle.give_back(offer.asked)
            self._withdraw(offer, event, role)
        else:
            self._files.decline(offer, event)

    def _withdraw(self, offer: Offer, event: file_inputs.DeclineInput, role: Role) -> None:
        """Ends an offer of ours, whether it has a place, is on its way there, or is read."""
        if offer.file is None:
            self._files.drop_reading(offer.number)
        elif self._lifecycle.phase != "in":
            self._reporter.end_offer(offer, Reason("offer-withdrawn"))  # nothing that we say gets a place just now
        elif (given := self._outbox.retract_file(offer.file, event.re)) is not None:
            self._files.close_offer(offer)
            self._reporter.tell_given_back(given)
        else:
            self._files.close_offer(offer)
            role.author_entry(bodies.RetractBody(offer.counter), None, event.re)
