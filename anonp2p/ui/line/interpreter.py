"""Lines of input -> requests. What line mode answers itself is answered here. No I/O."""

import dataclasses
import time
from collections.abc import Callable

import msgspec
from msgspec import UNSET

from anonp2p.errors import AnonError, BadInput, NoRoom
from anonp2p.files.cleaning import find_mat2
from anonp2p.names import codes
from anonp2p.room import events, inputs
from anonp2p.room.file_events import OfferEvent, TransferEvent
from anonp2p.room.file_inputs import SendFileInput
from anonp2p.room.hosting_events import HeirsEvent
from anonp2p.room.succession.terms import index_of
from anonp2p.ui import manual, replies, wording
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
    QuietAction,
    ShowHelpAction,
    SwitchRoomAction,
)
from anonp2p.ui.attention import Said
from anonp2p.ui.bell import Bell
from anonp2p.ui.clipboard import Clipboard
from anonp2p.ui.commands import ask_first
from anonp2p.ui.completion import Known
from anonp2p.ui.errors import CodeAsMessage, PathAsMessage
from anonp2p.ui.file_wording import warn_of_traces
from anonp2p.ui.frontend import FindRoom, UserRequest
from anonp2p.ui.line.excerpts import Excerpts
from anonp2p.ui.line.line_room import LineRoom
from anonp2p.ui.line.local_commands import LocalAction, LocalCommands
from anonp2p.ui.line.typed_line import TypedLine, parse_typed_line
from anonp2p.ui.paths import is_dropped, list_paths
from anonp2p.ui.rooms import Rooms
from anonp2p.ui.sanitize import sanitize_line
from anonp2p.ui.verified import Verified


class Interpreter:
    """Knows the rooms, which one is active, and how the latest messages begin. json: a line may be a JSON object.

    bell: of the terminal on which somebody types, who is also asked before a room ends for all. find_room: finds a
    live room by its label. tell: shows an event. clear: empties the screen. clipboard: of the terminal, if it has one.
    clock: in seconds; only grows.
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
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._find_room = find_room
        self._tell = tell
        self._clear = clear
        self._json = json
        self._bell = bell
        self._clock = clock
        self._rooms: Rooms[LineRoom] = Rooms()
        self._excerpts = Excerpts(keeps_texts=clipboard is not None)
        self._local = LocalCommands(bell, clipboard, self._excerpts)
        self._has_warned = False  # of what files say of who made them
        self._held_line = ""  # one that was nothing but a code or a path, and was not sent

    def open_room(self, label: str, again: JoinRoomAction | None = None) -> None:
        """Makes a room that the user asked for the active one. again: what asks for it once more when it is over."""
        room = self._rooms.by_label.get(label) or LineRoom()
        room.way_in.begin(again if self._bell else None)
        self._rooms.open_room(label, room)

    def pass_event(self, event: events.Event, show: Callable[[events.Event, bool], None]) -> events.Event:
        """Takes an event, has it shown as it is to be, and says what follows from it. Returns it as it was shown.

        show: is told whether it is to be shown at all.
        """
        event = self.adapt_event(event)
        show(event, self.take_event(event))
        self.follow_event(event)
        return event

    def take_event(self, event: events.Event) -> bool:
        """Notes what an event says of the rooms, one of which may have got its name or be gone, and of messages.

        Returns whether it is to be shown: not what somebody says whom the user ignores, nor, to people, that others
        than the first could take the room over.
        """
        room = self._rooms.by_label.get(getattr(event, "room", ""))
        if room and (room.ignored.hides(event) or self._puts_aside(event, room)):
            self.tell_due()
            return False
        self._excerpts.take_event(event)
        if room and room.take_event(event) and self._bell:
            self._bell.call_user(watched=True, is_private=False)
        if isinstance(event, events.GoneEvent) and not (room and room.way_in.can_try_again):
            self._rooms.close_room(event.room)
        if room and not self._json and room.floods.hold_event(event, self._clock()):
            self.tell_due()
            return False
        if room and not self._json and isinstance(event, TransferEvent):
            return room.offers.is_told(event, self._clock(), progress=self._bell is not None)
        return self._json or not (room and isinstance(event, HeirsEvent) and room.repeats(event))

    def adapt_event(self, event: events.Event) -> events.Event:
        """The event; what somebody says who came lately is marked, and no file of whom the user ignores is listed."""
        room = self._rooms.by_label.get(getattr(event, "room", ""))
        if room is None:
            return event
        if isinstance(event, events.ReplyEvent) and event.command == "/files":
            rows = room.ignored.keep_shown(event.data["files"])
            return msgspec.structs.replace(event, data={"files": rows})
        return room.newcomers.mark_event(event, self._clock())

    def follow_event(self, event: events.Event) -> None:
        """Says what follows for the user from an event that has been told."""
        room = self._rooms.by_label.get(label := getattr(event, "room", ""))
        if room is None:
            return
        live = self._find_room(label)
        said = room.advice.follow_event(event, self._clock(), live)
        match event:
            case events.ReplyEvent(command="/who") if not self._json:
                said = room.floods.describe_waiting()
            case events.ReplyEvent(command="/code") if live and live.snapshot().private and not self._json:
                said = replies.PRIVATE
        if said:
            self._tell(events.NoticeEvent(room=label, text=said, re=event.re))

    def _puts_aside(self, event: events.Event, room: LineRoom) -> bool:
        """Whether a message is put aside, in which case people are told so; programs are shown all."""
        if not room.newcomers.take_event(event, self._clock()) or self._json:
            return False
        assert isinstance(event, Said), "nothing else is put aside"
        if isinstance(event, OfferEvent):
            room.offers.note_offer(event)
        room.floods.put_aside(event.member)
        return True

    def tell_due(self) -> None:
        """Tells what was held back until now, as there was too much of it to be told one by one."""
        for label, room in list(self._rooms.by_label.items()):
            for said in room.floods.list_due(self._clock()):
                self._tell(events.NoticeEvent(room=label, text=said))

    @property
    def begun_line(self) -> str:
        """What the input line is to begin with, so that a join goes on; empty where that is not so."""
        room = self._active_room
        return room.way_in.begun_line if room else ""

    def say_way_on(self, label: str) -> None:
        """Tells how the active room can be tried again, if this is the one and we are out of it."""
        room = self._active_room
        if room and room.way_in.way_on and label == self._rooms.active:
            self._tell(events.NoticeEvent(text=room.way_in.way_on))

    @property
    def _active_room(self) -> LineRoom | None:
        return self._rooms.by_label.get(self._rooms.active or "")

    def find_quote(self, event: events.Event) -> wording.Quote | None:
        """What is left of the message that an event refers to, if there is any of it."""
        found = self._excerpts.find_excerpt(event)
        if found is None:
            return None
        verified = self._verified_in(getattr(event, "room", ""))
        nick = found.nick + (verified.mark(found.member) if verified else "")
        return wording.Quote(nick, found.words, is_offer=found.is_offer)

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
        room = self._active_room
        return room.prompt if room else "> "

    def keep_private(self, line: str) -> str:
        """A line as it is to be brought back later: what was meant for one member still is."""
        room = self._active_room
        return room.conversation.keep_private(line) if room and room.conversation else line

    def list_known(self) -> Known:
        """What words in the active room can be completed to."""
        label = self._rooms.active or ""
        room = self._find_room(label)
        members = room.members() if room else []
        numbers = [str(index_of(seq)) for seq in self._excerpts.list_seqs(label)]
        names = [one.name for one in self._rooms.by_label.values() if one.name]
        here = self._active_room
        waiting = here.floods.waiting if here else []
        banned = [sanitize_line(nick) for nick in room.banned()] if room else []
        offers = here.offers.numbers if here else []
        nicks = [sanitize_line(one.nick) for one in members if not one.mine]
        return Known(nicks, waiting, names, numbers, banned, offers, list_paths)

    def interpret_line(self, line: bytes) -> UserRequest | None:
        """The request that a line stands for; None where it stands for none, or was answered here."""
        if self._bell:
            self._bell.note_key()
        typed = parse_typed_line(line, json=self._json)
        if typed is None:
            over = self._active_room
            return UserRequest(over.way_in.again) if over and over.way_in.can_try_again and over.way_in.again else None
        return self.interpret_typed(typed)

    def interpret_typed(self, typed: TypedLine) -> UserRequest | None:
        """The request that an input stands for; None where it was answered here."""
        room = self._rooms.active if typed.room is UNSET else typed.room
        try:
            meant = self._addressed(typed.action, room)
        except AnonError as error:
            return UserRequest(error, typed.re, room)
        match self._of_person(meant, room) if not self._json else meant:
            case ClearScreenAction():
                self._clear()
            case inputs.LeaveInput() if self._gives_up(room):
                self._tell(events.NoticeEvent(text=wording.GIVEN_UP))
            case CopyAction() | ConverseAction() | NotifyAction() | IgnoreAction() | QuietAction() as action:
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
                self._warn_of_traces(action, room, typed.re)
                return UserRequest(action, typed.re, room, typed.unsent)
        return None

    def _warn_of_traces(self, action: Action | AnonError, room: str | None, re: events.Re) -> None:
        """Says, before the first file is offered, that files tell of who made them."""
        if isinstance(action, SendFileInput) and isinstance(room, str) and not self._has_warned:
            self._has_warned = True
            self._tell(events.NoticeEvent(room=room, text=warn_of_traces(can_clean=find_mat2() is not None), re=re))

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
            case inputs.SayInput(text=text) if self._bell and is_dropped(text):
                return action if self._is_held(text) else PathAsMessage()
        return ask_first(action) if self._bell else action

    def _gives_up(self, label: str | None) -> bool:
        """Whether to leave this room is to keep nothing of it, as we are out of it; it is done then."""
        room = self._rooms.by_label.get(label or "")
        if room is None or not room.way_in.can_try_again or label is None:
            return False
        self._rooms.close_room(label)
        return True

    def _addressed(self, action: Action | AnonError, label: str | None) -> Action | AnonError:
        """The action as it is meant in this room: in a private conversation, or where we are out. Raises AnonError."""
        room = self._rooms.by_label.get(label or "")
        return action if room is None or isinstance(action, AnonError) else room.address_action(action)

    def _change_room(self, action: LocalAction, label: str | None) -> events.Event:
        """What the user has done to a room here, and nobody else is told. Raises AnonError."""
        found, kept = self._find_room(label or ""), self._rooms.by_label.get(label or "")
        if label is None or found is None or kept is None:
            raise NoRoom
        return self._local.carry_out(action, label, found, kept)

    def _of_code(self, text: str, action: Action, room: str | None) -> Action | AnonError:
        """A line that is nothing but a code: it joins, where there is no room to say it in, else it is held once."""
        if room is None:
            try:
                code = codes.parse_code(text)
            except AnonError as error:
                return error
            return JoinRoomAction(code.address, key=code.key)
        return action if self._is_held(text) else CodeAsMessage()

    def _is_held(self, text: str) -> bool:
        """Whether a line was not sent when it was typed before; if not, it is not sent now."""
        held, self._held_line = self._held_line, text
        if text == held:
            self._held_line = ""
        return text == held

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
