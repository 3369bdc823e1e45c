"""What line mode keeps of one room: its name, what the user has done to it here, and how to get into it again."""

from dataclasses import dataclass, field

from anonp2p.room import events, file_inputs, inputs
from anonp2p.room.file_events import OfferEvent
from anonp2p.room.hosting_events import HeirsEvent, Successor
from anonp2p.ui.actions import Action
from anonp2p.ui.advice import Advice
from anonp2p.ui.attention import Attention
from anonp2p.ui.conversation import Conversation
from anonp2p.ui.ignored import Ignored
from anonp2p.ui.line.floods import Floods
from anonp2p.ui.line.line_offers import LineOffers
from anonp2p.ui.newcomers import Newcomers
from anonp2p.ui.sanitize import sanitize_line
from anonp2p.ui.verified import Verified
from anonp2p.ui.way_in import WayIn

_SENDING = (inputs.SayInput, inputs.ReplyInput, inputs.WhisperInput, file_inputs.SendFileInput)


@dataclass(slots=True, repr=False)
class LineRoom:
    """Of one that we are in, on our way into, or out of, where it may be tried again."""

    name: str = ""
    way_in: WayIn = field(default_factory=WayIn)
    conversation: Conversation | None = None
    verified: Verified = field(default_factory=Verified)
    ignored: Ignored = field(default_factory=Ignored)
    attention: Attention = field(default_factory=Attention)
    newcomers: Newcomers = field(default_factory=Newcomers)
    advice: Advice = field(default_factory=Advice)
    floods: Floods = field(default_factory=Floods)
    offers: LineOffers = field(default_factory=LineOffers)
    first_heir: list[Successor] | None = None  # as last told: a list of one, or of none

    def take_event(self, event: events.Event) -> bool:
        """Follows what happens there. Returns whether that calls the user."""
        match event:
            case events.EnteredEvent(name=name):
                self.name = name
            case events.GoneEvent():
                self.conversation = None
            case OfferEvent():
                self.offers.note_offer(event)
        self.way_in.take_event(event)
        if self.conversation:
            self.conversation.take_event(event)
        self.verified.take_event(event)
        return self.attention.take_event(event, seen=True)

    def repeats(self, event: HeirsEvent) -> bool:
        """Whether it changes nothing of who would host first: people come and go, and `/heirs` lists all heirs."""
        was, self.first_heir = self.first_heir, event.heirs[:1]
        return was == self.first_heir

    def address_action(self, action: Action) -> Action:
        """What is meant by an action here. Raises AnonError for what cannot be, or would go to others than is meant."""
        if goes_on := self.way_in.go_on_with(action):
            return goes_on
        if self.way_in.over and isinstance(action, _SENDING):
            raise self.way_in.refuse_input()
        return self.conversation.address_action(action) if self.conversation else action

    @property
    def prompt(self) -> str:
        """What stands before what is typed here: to whom it goes, if not to all."""
        if self.conversation is None:
            return "> "
        mark = self.verified.mark(self.conversation.member)
        return f"→ {sanitize_line(self.conversation.nick)}{mark}{' (gone)' if self.conversation.is_over else ''}> "
