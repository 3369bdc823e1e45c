"""Enter: what is typed is sent to the active room, done by the rest of the program, or done here."""

import dataclasses
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Literal

import trio

from anonp2p import limits
from anonp2p.errors import AnonError, NoRoom, TooLong
from anonp2p.files.cleaning import find_mat2
from anonp2p.names import codes
from anonp2p.names.file_names import clean_name
from anonp2p.room import events, file_inputs, inputs
from anonp2p.room.snapshot import MemberView
from anonp2p.ui import actions, commands, sanitize, wording
from anonp2p.ui.actions import AppAction
from anonp2p.ui.bell import Bell
from anonp2p.ui.clipboard import Clipboard
from anonp2p.ui.conversation import Conversation, begin_conversation
from anonp2p.ui.doubts import find_doubt
from anonp2p.ui.errors import PRIVATE_CODE, NoConversation, NothingToCopy, TooMuchPending
from anonp2p.ui.file_wording import warn_of_traces
from anonp2p.ui.frontend import UserRequest
from anonp2p.ui.ignored import find_ignored
from anonp2p.ui.links import choose_link
from anonp2p.ui.screen import overlays
from anonp2p.ui.screen.hint import Hint
from anonp2p.ui.screen.input.editor import Editor
from anonp2p.ui.screen.input.typeahead import Typeahead
from anonp2p.ui.screen.log_lines import ChatMessage
from anonp2p.ui.screen.overlays import Overlay
from anonp2p.ui.screen.scene import Scene
from anonp2p.ui.screen.shown_offer import ShownOffer
from anonp2p.ui.screen.tab import Tab

Answer = Literal["", "yes", "no"]
Question = Literal["", "long", "code"]  # that the next key answers: whether to send it all the same, or to join with it

# Such a command is not found in the active room's history: it names another room, which may have been left by then.
_OF_OTHER_ROOMS = (
    actions.CreateRoomAction,
    actions.JoinRoomAction,
    actions.SwitchRoomAction,
    actions.ClearScreenAction,
    actions.CopyAction,
)


class Submission:
    """Takes what is typed from the editor once it can be done. `requests` gives what the rest of the program is to do.

    clear_terminal: removes all that was shown from the terminal.
    """

    def __init__(
        self,
        scene: Scene,
        editor: Editor,
        typeahead: Typeahead,
        bell: Bell,
        clipboard: Clipboard,
        clear_terminal: Callable[[], None],
    ) -> None:
        self._scene = scene
        self._editor = editor
        self._typeahead = typeahead
        self._bell = bell
        self._clipboard = clipboard
        self._clear_terminal = clear_terminal
        self._number = 0
        self._has_warned = False  # of what files say of who made them
        self._send, self.requests = trio.open_memory_channel[UserRequest](limits.PENDING)

    def submit_text(self, answer: Answer = "") -> Question:
        """Sends what is typed. What cannot be sent stays where it is, with a sentence that says why.

        answer: to the question that was returned before, if there was one.
        """
        text = self._editor.edit_text
        active = self._scene.active
        if not (text.strip() or (active.way_in.again and active.way_in.over)):
            return ""
        if not text.strip() and active.way_in.wants_nick:  # the same one would be refused again
            self.suggest_nick(active)
            return ""
        line = text
        if codes.is_meant(text):
            if active.label and not answer:
                self._scene.hint = Hint("That is a room's code. y: join that room; n: say the code here.", "caution")
                return "code"
            if answer != "no":
                line = f"/join {text}"
        if not answer and (doubt := find_doubt(text)):
            self._scene.hint = Hint(f"{doubt}.", "caution")
            return "long"
        self._number += 1
        try:
            action = self._understand(line)
            act = self._prepare(action)
        except AnonError as error:
            size = f" It has {len(text.encode())}." if isinstance(error, TooLong) else ""
            self._scene.hint = Hint(f"{error}{size}", "error")
            return ""
        self._editor.take()
        if not isinstance(action, _OF_OTHER_ROOMS):
            # What only one member was to read does not come back as what all would.
            kept = active.conversation.keep_private(text) if active.conversation else text
            active.draft.history.add(kept, self._number)
        if isinstance(action, inputs.SayInput | inputs.WhisperInput | inputs.ReplyInput | file_inputs.SendFileInput):
            active.add_pending(self._number, self._pending_message(action))
        if isinstance(action, file_inputs.SendFileInput) and not self._has_warned:
            self._has_warned = True
            warning = warn_of_traces(can_clean=find_mat2() is not None)
            active.add_system_line(self._scene.now(), [warning], "title")
        active.sight.scroll_to_end()
        active.log.mark_read()
        act()
        return ""

    def _understand(self, text: str) -> actions.Action:
        """What is meant by this line in this room. Raises AnonError."""
        active = self._scene.active
        if not text.strip() and active.way_in.again:
            return dataclasses.replace(active.way_in.again, re=self._number)
        action = commands.ask_first(self._addressed(self._with_seq(commands.parse_line(text, self._number))))
        # The join of a room that is over goes on in its tab, whichever that is.
        tabs = self._scene.tabs.of_rooms if isinstance(action, actions.JoinRoomAction) else [active]
        return next((goes_on for tab in tabs if (goes_on := tab.way_in.go_on_with(action))), action)

    def _with_seq(self, action: actions.Action) -> actions.Action:
        """The action with the whole seq of the message that it names by its number."""
        find = self._scene.active.log.find_numbered
        match action:
            case inputs.ReplyInput(seq=int(number)) if message := find(number):
                return dataclasses.replace(action, seq=message.seq, number=number)
            case inputs.RetractInput(seq=int(number)) if message := find(number):
                return dataclasses.replace(action, seq=message.seq)
        return action

    def _addressed(self, action: actions.Action) -> actions.Action:
        """The action as it is meant in a private conversation, if there is one. Raises AnonError."""
        conversation = self._scene.active.conversation
        if conversation is None:
            return action
        answered = ""
        if isinstance(action, inputs.ReplyInput) and (message := self._find_answered(action.seq)):
            action = dataclasses.replace(action, seq=message.seq)  # a later message may be for all
            answered = message.member if message.private else ""
        return conversation.address_action(action, answered)

    def _prepare(self, action: actions.Action) -> Callable[[], None]:
        """A function that carries out the action, here or in the rest of the program. Raises AnonError."""
        active = self._scene.active
        match action:
            case actions.ShowHelpAction(commands=listed):
                return partial(self._open_overlay, overlays.of_help(listed))
            case actions.ListNumbersAction():
                return partial(self._open_overlay, overlays.of_numbers(active.log, active.looks))
            case actions.ListRoomsAction():
                return self._list_rooms
            case actions.SwitchRoomAction(room=wanted):
                rooms = self._scene.tabs.rooms
                return partial(self._scene.show_tab, rooms.by_label[rooms.find_room(wanted)])
            case actions.ClearScreenAction():
                return self.clear_screen
            case actions.ConverseAction(nick=nick):
                if nick is not None:
                    return partial(self._converse, begin_conversation(self._list_members(), nick))
                if active.conversation is None:
                    raise NoConversation
                return self.end_conversation
            case actions.IgnoreAction():
                return self._ignoring(action)
            case actions.QuietAction(does="show"):
                return partial(self._open_overlay, overlays.of_aside(active.newcomers, active.looks))
            case actions.QuietAction():
                return partial(self._set_quiet, action)
            case actions.NotifyAction():
                return partial(self._set_notices, action)
            case actions.CopyAction(what=what):
                return partial(self.copy, *self._find_copied(what))
            case actions.JoinRoomAction(address=address) if tab := self._find_live_tab(address):
                return partial(self._show_entered, tab)
            case inputs.LeaveInput() if active.way_in.over:
                return partial(self.drop_tab, active)
        if isinstance(action, inputs.Typed) and active.way_in.over:
            raise active.way_in.refuse_input()
        if isinstance(action, inputs.Typed) and not (active.label or isinstance(action, inputs.RenameInput)):
            raise NoRoom
        if isinstance(action, inputs.AskInput) and action.command == "/who":
            return partial(
                self._open_overlay,
                overlays.of_members(partial(self._scene.people, active), active.waiting, self._scene.now),
            )
        if max(active.log.pending_count, self._send.statistics().current_buffer_used) >= limits.PENDING:
            raise TooMuchPending
        return partial(self._request, action)

    def _find_live_tab(self, address: bytes) -> Tab | None:
        """The tab of a room that we are in, or on our way into, already."""
        code = codes.encode_key(address)
        tabs = ((tab, self._scene.snapshot(tab)) for tab in self._scene.tabs.of_rooms)
        return next((tab for tab, snapshot in tabs if snapshot and snapshot.code == code and not tab.way_in.over), None)

    def _show_entered(self, tab: Tab) -> None:
        self._scene.show_tab(tab)
        self._scene.hint = Hint("You are in that room already: here it is.")

    def suggest_nick(self, tab: Tab) -> None:
        """Begins a line that goes on with the join under another nick, unless something else is typed."""
        line = tab.way_in.begun_line
        if tab is self._scene.active and not self._editor.edit_text.strip():
            self._editor.replace(line, len(line))

    def _request(self, action: AppAction) -> None:
        if isinstance(action, actions.CreateRoomAction | actions.JoinRoomAction):
            self._typeahead.begin(self._number)
        self._send.send_nowait(UserRequest(action, self._number, self._scene.active.label or None))

    def _pending_message(
        self, action: inputs.SayInput | inputs.WhisperInput | inputs.ReplyInput | file_inputs.SendFileInput
    ) -> ChatMessage:
        """The message as it is shown until it is ordered."""
        snapshot = self._scene.snapshot(self._scene.active)
        member, nick = (snapshot.member, snapshot.nick) if snapshot else ("", "")
        text = clean_name(action.path) if isinstance(action, file_inputs.SendFileInput) else action.text
        pending = ChatMessage(self._scene.now(), member, nick, text, mine=True)
        match action:
            case file_inputs.SendFileInput(nick=to):
                pending.offer = ShownOffer(text, mine=True)
                pending.private, pending.to = bool(to), to
            case inputs.SayInput(action=does):
                pending.action = does
            case inputs.WhisperInput(nick=to):
                pending.private, pending.to = True, to
                pending.to_member = self._scene.active.looks.verified.find_member(to)
            case inputs.ReplyInput(seq=seq):
                answered = self._find_answered(seq)
                if answered is not None:
                    pending.reply, pending.private = answered.seq, answered.private
                    pending.to = answered.to if answered.mine else answered.nick
                    pending.to_member = answered.to_member if answered.mine else answered.member
        return pending

    def _find_answered(self, seq: int | None) -> ChatMessage | None:
        """The message with this number, or the latest one of another: as the room finds it."""
        log = self._scene.active.log
        if seq is not None:
            return log.find_message(seq)
        return next((message for message in log.latest_messages() if not message.mine), None)

    # --- what is done here

    def _open_overlay(self, overlay: Overlay) -> None:
        self._scene.overlay = overlay

    def copy_text(self) -> None:
        """Puts what suits best on the clipboard."""
        try:
            self.copy(*self._find_copied(None))
        except AnonError as error:
            self._scene.hint = Hint(str(error), "error")

    def answer_comparison(self, label: str, nick: str, same: bool) -> None:
        """The user has compared safety words with somebody in this room."""
        self._number += 1
        verify = inputs.VerifyInput(nick, self._number, same)
        with suppress(trio.WouldBlock):  # then too much is on its way, and the user compares again
            self._send.send_nowait(UserRequest(verify, self._number, label))

    def ignore_author(self, message: ChatMessage) -> None:
        """Shows nothing of what the author of a message says or has said."""
        self._ignore(message.member, message.nick)

    def _ignore(self, member: str, nick: str) -> None:
        self._scene.active.ignore_member(member, nick)
        self._scene.hint = Hint(wording.ignores(nick))

    def _ignoring(self, action: actions.IgnoreAction) -> Callable[[], None]:
        """A function that ignores somebody, no more, or tells who is. Raises AnonError."""
        tab, members = self._scene.active, self._list_members()
        if action.nick is None:
            return partial(tab.add_system_line, self._scene.now(), [wording.ignored(tab.ignored.nicks)], passing=True)
        if action.on:
            found = find_ignored(members, action.nick)
            return partial(self._ignore, found.member, found.nick)
        tab.ignored.remove_nick(action.nick)
        return partial(tab.add_system_line, self._scene.now(), [wording.ignored(tab.ignored.nicks)], passing=True)

    def retract_message(self, message: ChatMessage) -> None:
        """Ends a message of ours, for all."""
        self._number += 1
        self._do(inputs.RetractInput(message.seq, self._number))

    def accept_offer(self, number: int) -> None:
        """Takes the file of an offer, to where it says."""
        self._number += 1
        self._do(file_inputs.AcceptInput(number, re=self._number))

    def decline_offer(self, number: int) -> None:
        """Stops taking a file of another's, or hides the offer."""
        self._number += 1
        self._do(file_inputs.DeclineInput(number, self._number))

    def _do(self, action: actions.Action) -> None:
        """Does what a key asks for."""
        try:
            self._prepare(action)()
        except AnonError as error:
            self._scene.hint = Hint(str(error), "error")

    def answer_privately(self) -> None:
        """Begins a private conversation with who has written to the user alone last."""
        log = self._scene.active.log
        last = next((it for it in log.latest_messages() if it.private and not it.mine), None)
        author = last and next((one for one in self._list_members() if one.member == last.member), None)
        if author:
            self._converse(Conversation(author.member, author.nick))
        else:
            self._scene.hint = Hint("Nobody who is here has written to you alone.", "error")

    def end_conversation(self) -> None:
        """What is typed goes to all again; but not what is typed already."""
        active = self._scene.active
        if active.conversation:
            kept = active.conversation.keep_private(self._editor.edit_text)
            if kept != self._editor.edit_text:
                self._editor.replace(kept, len(kept))
            active.conversation = None
            self._scene.hint = Hint(wording.CONVERSATION_OVER)

    def _set_notices(self, action: actions.NotifyAction) -> None:
        attention = self._scene.active.attention
        if action.level is not None:
            attention.set_level(action.level)
        if action.desktop is not None:
            self._bell.is_notifying = action.desktop
        self._scene.hint = Hint(wording.describe_notices(attention.level, desktop=self._bell.is_notifying))

    def _set_quiet(self, action: actions.QuietAction) -> None:
        newcomers = self._scene.active.newcomers
        if action.does == "set":
            newcomers.minutes = action.minutes
        self._scene.hint = Hint(wording.quiet(newcomers.minutes))

    def _converse(self, conversation: Conversation) -> None:
        self._scene.active.conversation = conversation
        nick = conversation.nick + self._scene.active.looks.mark(conversation.member)
        self._scene.hint = Hint(f"{wording.conversation_begins(nick)} Esc goes back to the room.")

    def _list_members(self) -> list[MemberView]:
        """Raises NoRoom where there is no room."""
        room = self._scene.find_room(self._scene.active.label)
        if room is None:
            raise NoRoom
        return room.members()

    def copy(self, text: str, what: str) -> None:
        """Puts a text on the clipboard. what: names it."""
        self._scene.hint = Hint(self._clipboard.copy(text, what))

    def _find_copied(self, what: Literal["code", "link"] | int | None) -> tuple[str, str]:
        """The text that is to be copied, and what it is. Raises AnonError."""
        log = self._scene.active.log
        match what:
            case "link":
                return choose_link((it.text, it.newcomer) for it in log.latest_messages()), "The latest link"
            case int() | None if what is not None or self._scene.active.sight.selected:
                message = self._scene.active.sight.selected if what is None else log.find_numbered(what)
                if message is None:
                    raise NothingToCopy("there is no such message any more")
                text = sanitize.sanitize_text(message.text)
                return text.rstrip(), "The message"  # pasted, a line break at its end would be Enter
        snapshot = self._scene.snapshot(self._scene.active)
        if snapshot is None:
            raise NoRoom
        if snapshot.private:
            raise NothingToCopy(PRIVATE_CODE)
        return snapshot.code, "The room's code"

    def _list_rooms(self) -> None:
        rows = self._scene.tabs.rooms.list_rooms(self._scene.find_room)
        self._scene.active.add_system_line(
            self._scene.now(), wording.describe_event(events.ReplyEvent(command="/rooms", data=rows))
        )

    def clear_screen(self) -> None:
        """Forgets the log of the active room, except for messages on their way."""
        self._scene.active.log.clear()
        self._clear_terminal()

    def drop_tab(self, tab: Tab) -> None:
        """Keeps nothing of a room that is left, nor does the terminal."""
        self._scene.drop_tab(tab)
        self._clear_terminal()
