"""How we get into a room, and into it again once we are out of it."""

import dataclasses

from anonp2p.names import codes, nicks
from anonp2p.room import events, inputs
from anonp2p.room.hosting_events import CodeEvent
from anonp2p.ui import wording
from anonp2p.ui.actions import Action, JoinRoomAction
from anonp2p.ui.errors import NotInRoom, RoomOver

_NICK_REFUSED = ("nick-taken", "bad-nick")  # codes of errors after which a join goes on under another nick
_MAY_COME_BACK = ("refused", "lost")  # why we are out of a room that may be tried again


class WayIn:
    """Into one room. over: why we are out of it, once we are.

    again: what asks for it once more, where that is of use. wants_nick: we are out as we need another nick.
    """

    def __init__(self) -> None:
        self.over = ""
        self.again: JoinRoomAction | None = None
        self.wants_nick = False
        self._nick = ""  # ours there
        self._is_distrusted = False  # whether there was an alarm

    def begin(self, again: JoinRoomAction | None) -> None:
        """We are on our way in, perhaps once more. again: what asks for the room when it is over."""
        self.over, self.again, self.wants_nick = "", again, False

    def take_event(self, event: events.Event) -> None:
        """Follows what becomes of it."""
        match event:
            case events.EnteredEvent(nick=nick) | events.RenamedEvent(was=self._nick, nick=nick):
                self._nick = nick
            case CodeEvent(code=code) if self.again:
                self.again = dataclasses.replace(self.again, address=codes.parse_code(code).address)
            case events.AlarmEvent():
                self._is_distrusted = True
            case events.ErrorEvent(code=code, final=True):
                self.wants_nick = code in _NICK_REFUSED
            case events.GoneEvent(reason=reason):
                self.over = reason
                if self.again and (reason not in _MAY_COME_BACK or self._is_distrusted):
                    self.again = None
                elif self.again and self._nick:
                    self.again = dataclasses.replace(self.again, nick=self._nick)

    @property
    def can_try_again(self) -> bool:
        """Whether we are out, and may ask once more."""
        return bool(self.over and self.again)

    @property
    def way_on(self) -> str:
        """How the room can be tried again, in a sentence; empty where it cannot."""
        if not self.can_try_again:
            return ""
        return wording.OTHER_NICK if self.wants_nick else wording.TRY_AGAIN

    def refuse_input(self) -> NotInRoom | RoomOver:
        """Why nothing can be said in a room that we are out of, and what can be done."""
        return NotInRoom(self.way_on) if self.way_on else RoomOver()

    def go_on_with(self, action: Action) -> JoinRoomAction | None:
        """The join that an action goes on with, where it is one for a room that we are out of."""
        if not self.over or self.again is None:
            return None
        match action:
            case inputs.RenameInput(nick=nick, re=re):
                return dataclasses.replace(self.again, nick=nick, re=re)
            case JoinRoomAction(address=self.again.address):
                return dataclasses.replace(action, label=self.again.label)
        return None

    @property
    def begun_line(self) -> str:
        """A line for the user that goes on under another nick; empty where none is wanted."""
        if not (self.wants_nick and self.again):
            return ""
        return f"/nick {nicks.alternatives(self.again.nick)[0] if self.again.nick else ''}"
