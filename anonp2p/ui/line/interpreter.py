"""Lines of input -> requests. What line mode answers itself is answered here. No I/O."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field

from msgspec import UNSET

from anonp2p.errors import AnonError, BadInput, CodeAsMessage, NoBell, NoConversation, NoRoom, NothingToCopy
from anonp2p.names import codes
from anonp2p.room import events, inputs
from anonp2p.room.succession.terms import index_of
from anonp2p.ui import manual, wording
from anonp2p.ui.actions import (
    Action,
    ClearScreenAction,
    ConverseAction,
    CopyAction,
    IgnoreAction,
    JoinRoomAction,
    ListNumbersAction,
    ListRoomsAction,
    NotifyAction,
    ShowHelpAction,
    SwitchRoomAction,
)
from anonp2p.ui.attention import Attention
from anonp2p.ui.bell import Bell
from anonp2p.ui.clipboard import Clipboard
from anonp2p.ui.commands import ask_first
from anonp2p.ui.completion import Known
from anonp2p.ui.conversation import Conversation, begin_conversation
from anonp2p.ui.frontend import FindRoom, RoomView, UserRequest
from anonp2p.ui.ignored import Ignored, find_ignored
from anonp2p.ui.line.excerpts import Excerpts
from anonp2p.ui.line.typed_line import parse_typed_line
from anonp2p.ui.rooms import Rooms
from anonp2p.ui.sanitize import sanitize_line
from anonp2p.ui.verified import Verified


@dataclass(slots=True)
class _Room:
    name: str = ""
    conversation: Conversation | None = None
    verified: Verified = field(default_factory=Verified)
    ignored: Ignored = field(default_factory=Ignored)
    attention: Attention = field(default_factory=Attention)


class Interpreter:
    """Knows the rooms, which one is active, and how the latest messages begin. json: a line may be a JSON object.

    bell: of the terminal on which somebody types, who is also asked before a room ends for all. find_room: finds a
    live room by its label. tell: shows an event. clear: empties the screen. clipboard: of the terminal, if it has one.
    """

    def __init__(
        self,
        find_room: FindRoom,
        tell: Callable[[events.Event], None],
        clear: Callable[[], None],
        *,
        json: bool,
        bell: Bell | None = None,
        clipboard: Clipboard | None = None,
    ) -> None:
        self._find_room = find_room
        self._tell = tell
        self._clear = clear
        self._json = json
        self._bell = bell
        self._clipboard = clipboard
        self._rooms: Rooms[_Room] = Rooms()
        self._excerpts = Excerpts()
        self._held_code = ""  # a line that was nothing but a code, and was not sent

    def open_room(self, label: str) -> None:
        """Makes a room that the user asked for the active one."""
        self._rooms.open_room(label, _Room())

    def take_event(self, event: events.Event) -> bool:
        """Notes what an event says of the rooms, one of which may have got its name or be gone, and of messages.

        Returns whether it is to be shown: not what somebody says whom the user ignores.
        """
        known = self._rooms.by_label.get(getattr(event, "room", ""))
        if known and known.ignored.hides(event):
            return False
        self._excerpts.take_event(event)
        match event:
            case events.EnteredEvent(room=label, name=name) if label in self._rooms.by_label:
                self._rooms.by_label[label].name = name
            case events.GoneEvent(room=label):
                self._rooms.close_room(label)
        room = self._rooms.by_label.get(getattr(event, "room", ""))
        if room and room.conversation:
            room.conversation.take_event(event)
        if room:
            room.verified.take_event(event)
        if room and room.attention.take_event(event, seen=True) and self._bell:
            self._bell.call_user(watched=True, is_private=False)
        return True

    def find_quote(self, event: events.Event) -> wording.Quote | None:
        """What is left of the message that an event refers to, if there is any of it."""
        found = self._excerpts.find_excerpt(event)
        if found is None:
            return None
        verified = self._verified_in(getattr(event, "room", ""))
        return wording.Quote(found.nick + (verified.mark(found.member) if verified else ""), found.words)

    def mark_verified(self, event: events.Event) -> events.Event:
        """The event as a person on a terminal is shown it: with a mark behind each nick of somebody verified."""
        verified = self._verified_in(getattr(event, "room", ""))
        return verified.mark_event(event) if verified else event

    def _verified_in(self, label: str) -> Verified | None:
        """Whose nicks have a mark in a room; nobody's where no person looks."""
        room = self._rooms.by_label.get(label) if self._bell else None
        return room.verified if room else None

    @property
    def prompt(self) -> str:
        """What stands before what is typed: to whom it goes, if not to all."""
        room = self._rooms.by_label.get(self._rooms.active or "")
        if room is None or room.conversation is None:
            return "> "
        gone = " (gone)" if room.conversation.is_over else ""
        mark = room.verified.mark(room.conversation.member)
        return f"→ {sanitize_line(room.conversation.nick)}{mark}{gone}> "

    def keep_private(self, line: str) -> str:
        """A line as it is to be brought back later: what was meant for one member still is."""
        room = self._rooms.by_label.get(self._rooms.active or "")
        return room.conversation.keep_private(line) if room and room.conversation else line

    def list_known(self) -> Known:
        """What words in the active room can be completed to."""
        label = self._rooms.active or ""
        room = self._find_room(label)
        members = room.members() if room else []
        numbers = [str(index_of(seq)) for seq in self._excerpts.list_seqs(label)]
        names = [one.name for one in self._rooms.by_label.values() if one.name]
        return Known([sanitize_line(one.nick) for one in members if not one.mine], names, numbers)

    def interpret_line(self, line: bytes) -> UserRequest | None:
        """The request that a line stands for; None where it stands for none, or was answered here."""
        if self._bell:
            self._bell.note_key()
        typed = parse_typed_line(line, json=self._json)
        if typed is None:
            return None
        room = self._rooms.active if typed.room is UNSET else typed.room
        try:
            meant = self._addressed(typed.action, room)
        except AnonError as error:
            return UserRequest(error, typed.re, room)
        match self._of_person(meant, room) if not self._json else meant:
            case ClearScreenAction():
                self._clear()
            case CopyAction() | ConverseAction() | NotifyAction() | IgnoreAction() as action:
                try:
                    self._tell(self._change_room(action, room))
                except AnonError as error:
                    return UserRequest(error, typed.re, room)
            case ListNumbersAction(re=re):
                if not isinstance(room, str):
                    return UserRequest(NoRoom(), typed.re)
                data = self._excerpts.list_latest(room)
                self._tell(events.ReplyEvent(room=room, command="/numbers", data=data, re=re))
            case ShowHelpAction() | ListRoomsAction() | SwitchRoomAction() as action:
                try:
                    self._tell(self._answer(action))
                except BadInput as error:
                    return UserRequest(error, typed.re, room)
            case action:
                return UserRequest(action, typed.re, room, typed.unsent)
        return None

    def _of_person(self, action: Action | AnonError, room: str | None) -> Action | AnonError:
        """The action as people mean it: they name a message by its number, and may be asked whether they mean it."""
        match action:
            case AnonError():
                return action
            case inputs.ReplyInput(seq=int(number)) if room:
                return dataclasses.replace(action, seq=self._excerpts.find_seq(room, number), number=number)
            case inputs.RetractInput(seq=int(number)) if room:
                return dataclasses.replace(action, seq=self._excerpts.find_seq(room, number))
            case inputs.SayInput(text=text) if self._bell and codes.is_meant(text):
                return self._of_code(text, action, room)
        return ask_first(action) if self._bell else action

    def _addressed(self, action: Action | AnonError, room: str | None) -> Action | AnonError:
        """The action as it is meant in the room's private conversation, if there is one. Raises AnonError."""
        known = self._rooms.by_label.get(room or "")
        if known is None or known.conversation is None or isinstance(action, AnonError):
            return action
        return known.conversation.address_action(action)

    def _change_room(
        self, action: CopyAction | ConverseAction | NotifyAction | IgnoreAction, room: str | None
    ) -> events.Event:
        """What the user has done to a room here, and nobody else is told. Raises AnonError."""
        found, known = self._find_room(room or ""), self._rooms.by_label.get(room or "")
        if room is None or found is None or known is None:
            raise NoRoom
        if isinstance(action, CopyAction):
            said = self._copy(action, found)
        elif isinstance(action, NotifyAction):
            said = self._set_notices(action, known)
        elif isinstance(action, IgnoreAction):
            said = _ignore(action, known.ignored, found)
        elif action.nick is not None:
            known.conversation = begin_conversation(found.members(), action.nick)
            nick = known.conversation.nick + known.verified.mark(known.conversation.member)
            said = f"{wording.conversation_begins(nick)} /query alone goes back to the room."
        elif known.conversation:
            known.conversation = None
            said = wording.CONVERSATION_OVER
        else:
            raise NoConversation
        return events.NoticeEvent(room=room, text=said, re=action.re)

    def _copy(self, action: CopyAction, room: RoomView) -> str:
        """Copies the room's code; returns a sentence about that. Raises NothingToCopy."""
        if self._clipboard is None:
            raise NothingToCopy("there is no terminal here with a clipboard")
        if action.what not in (None, "code"):
            raise NothingToCopy("line mode copies the room's code, and leaves all else to your terminal")
        return self._clipboard.copy(room.snapshot().code, "The room's code")

    def _set_notices(self, action: NotifyAction, room: _Room) -> str:
        """What calls the user from now on, in words. Raises NoBell."""
        if self._bell is None:
            raise NoBell
        if action.level is not None:
            room.attention.set_level(action.level)
        if action.desktop is not None:
            self._bell.is_notifying = action.desktop
        return wording.describe_notices(room.attention.level, desktop=self._bell.is_notifying)

    def _of_code(self, text: str, action: Action, room: str | None) -> Action | AnonError:
        """A line that is nothing but a code: it joins, where there is no room to say it in, else it is held once."""
        held, self._held_code = self._held_code, ""
        if room is None:
            try:
                return JoinRoomAction(codes.parse_code(text))
            except AnonError as error:
                return error
        if text == held:
            return action
        self._held_code = text
        return CodeAsMessage()

    def _answer(self, action: ShowHelpAction | ListRoomsAction | SwitchRoomAction) -> events.Event:
        match action:
            case ShowHelpAction(commands=listed, re=re):
                rows = [
                    {"command": one.name, "usage": one.usage, "does": one.does, **manual.describe_page(one.name)}
                    for one in listed
                ]
                return events.ReplyEvent(command="/help", data=rows, re=re)
            case ListRoomsAction(re=re):
                return events.ReplyEvent(command="/rooms", data=self._rooms.list_rooms(self._find_room), re=re)
            case SwitchRoomAction(room=wanted, re=re):
                return events.NoticeEvent(room=self._rooms.activate_room(wanted), text=wording.SWITCHED, re=re)


def _ignore(action: IgnoreAction, ignored: Ignored, room: RoomView) -> str:
    """Ignores a member of the room, or no more; says whom the user ignores. Raises AnonError."""
    if action.nick is not None and action.on:
        member = find_ignored(room.members(), action.nick)
        ignored.add_member(member.member, member.nick)
        return wording.ignores(member.nick)
    if action.nick is not None:
        ignored.remove_nick(action.nick)
    return wording.ignored(ignored.nicks)
