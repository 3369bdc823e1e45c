"""What line mode keeps of one room: its name, what the user has done to it here, and how to get into it again."""

import dataclasses
from dataclasses import dataclass, field

from anonp2p.errors import RoomOver
from anonp2p.names import nicks
from anonp2p.room import events, inputs
from anonp2p.ui import wording
from anonp2p.ui.actions import Action, JoinRoomAction
from anonp2p.ui.attention import Attention
from anonp2p.ui.conversation import Conversation
from anonp2p.ui.ignored import Ignored
from anonp2p.ui.sanitize import sanitize_line
from anonp2p.ui.verified import Verified

_NICK_REFUSED = ("nick-taken", "bad-nick")  # codes of errors after which a join goes on under another nick
_MAY_COME_BACK = ("refused", "lost")  # why we are out of a room that may be tried again


@dataclass(slots=True, repr=False)
class LineRoom:
    """again: what asks for the room once more, where that is of use. is_over: we are out of it, and can try that."""

    name: str = ""
    again: JoinRoomAction | None = None
    is_over: bool = False
    conversation: Conversation | None = None
    verified: Verified = field(default_factory=Verified)
    ignored: Ignored = field(default_factory=Ignored)
    attention: Attention = field(default_factory=Attention)
    _wants_nick: bool = False

    def begin(self, again: JoinRoomAction | None) -> None:
        """We are on our way in, perhaps once more."""
        self.again, self.is_over, self._wants_nick = again, False, False

    def take_event(self, event: events.Event) -> bool:
        """Follows what happens there. Returns whether that calls the user."""
        match event:
            case events.EnteredEvent(name=name):
                self.name = name
            case events.AlarmEvent():
                self.again = None
            case events.ErrorEvent(code=code, final=True):
                self._wants_nick = code in _NICK_REFUSED
            case events.GoneEvent(reason=reason) if self.again and reason in _MAY_COME_BACK:
                self.is_over, self.conversation = True, None
                self.again = dataclasses.replace(self.again, nick=self.attention.nick or self.again.nick)
        if self.conversation:
            self.conversation.take_event(event)
        self.verified.take_event(event)
        return self.attention.take_event(event, seen=True)

    def address_action(self, action: Action) -> Action:
        """What is meant by an action here. Raises AnonError for what cannot be, or would go to others than is meant."""
        if self.is_over and self.again:
            match action:
                case inputs.RenameInput(nick=nick, re=re):
                    return dataclasses.replace(self.again, nick=nick, re=re)
                case JoinRoomAction(address=self.again.address):
                    return dataclasses.replace(action, label=self.again.label)
                case inputs.SayInput() | inputs.ReplyInput() | inputs.WhisperInput():
                    raise RoomOver
        return self.conversation.address_action(action) if self.conversation else action

    @property
    def prompt(self) -> str:
        """What stands before what is typed here: to whom it goes, if not to all."""
        if self.conversation is None:
            return "> "
        mark = self.verified.mark(self.conversation.member)
        return f"→ {sanitize_line(self.conversation.nick)}{mark}{' (gone)' if self.conversation.is_over else ''}> "

    @property
    def begun_line(self) -> str:
        """What the input line is to begin with, so that a join goes on; empty where that is not so."""
        if not (self.is_over and self._wants_nick and self.again):
            return ""
        return f"/nick {nicks.alternatives(self.again.nick)[0] if self.again.nick else ''}"

    @property
    def way_on(self) -> str:
        """How the room can be tried again, in a sentence; empty where it cannot."""
        if not self.is_over:
            return ""
        return wording.OTHER_NICK if self._wants_nick else wording.TRY_AGAIN
