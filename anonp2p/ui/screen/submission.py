"""Enter: what is typed is sent to the active room, done by the rest of the program, or done here."""

import dataclasses
from collections.abc import Callable
from functools import partial

import trio

from anonp2p import limits
from anonp2p.errors import AnonError, NoRoom, RoomOver, TooLong, TooMuchPending
from anonp2p.names import nicks
from anonp2p.room import events, inputs
from anonp2p.ui import actions, commands, wording
from anonp2p.ui.actions import AppAction
from anonp2p.ui.frontend import UserRequest
from anonp2p.ui.screen import overlays
from anonp2p.ui.screen.hint import Hint
from anonp2p.ui.screen.input.editor import Editor
from anonp2p.ui.screen.input.typeahead import Typeahead
from anonp2p.ui.screen.log_lines import ChatMessage
from anonp2p.ui.screen.overlays import Overlay
from anonp2p.ui.screen.scene import Scene
from anonp2p.ui.screen.tab import Tab

# Such a command is not found in the active room's history: it names another room, which may have been left by then.
_OF_OTHER_ROOMS = (
    actions.CreateRoomAction,
    actions.JoinRoomAction,
    actions.SwitchRoomAction,
    actions.ClearScreenAction,
)


class Submission:
    """Takes what is typed from the editor once it can be done. `requests` gives what the rest of the program is to do.

    clear_terminal: removes all that was shown from the terminal.
    """

    def __init__(self, scene: Scene, editor: Editor, typeahead: Typeahead, clear_terminal: Callable[[], None]) -> None:
        self._scene = scene
        self._editor = editor
        self._typeahead = typeahead
        self._clear_terminal = clear_terminal
        self._number = 0
        self._send, self.requests = trio.open_memory_channel[UserRequest](limits.PENDING)

    def submit_text(self, *, confirmed: bool) -> bool:
        """Sends what is typed. What cannot be sent stays where it is, with a sentence that says why.

        confirmed: Enter was pressed again. Returns whether the user is asked to do so.
        """
        text = self._editor.edit_text
        active = self._scene.active
        if not (text.strip() or (active.again and active.over)):
            return False
        lines = text.count("\n") + 1
        if lines > limits.LONG_MESSAGE and not confirmed:
            self._scene.hint = Hint(f"That is {lines} lines: Enter again sends them as one message.", "caution")
            return True
        self._number += 1
        try:
            action = self._understand(text)
            act = self._prepare(action)
        except AnonError as error:
            size = f" It has {len(text.encode())}." if isinstance(error, TooLong) else ""
            self._scene.hint = Hint(f"{error}{size}", "error")
            return False
        self._editor.take()
        if not isinstance(action, _OF_OTHER_ROOMS):
            active.draft.history.add(text, self._number)
        if isinstance(action, inputs.SayInput | inputs.WhisperInput | inputs.ReplyInput):
            active.add_pending(self._number, self._pending_message(action))
        active.log.scroll_to_end()
        active.log.mark_read()
        act()
        return False

    def _understand(self, text: str) -> actions.Action:
        """What is meant by this line in this room. Raises AnonError."""
        active = self._scene.active
        if not text.strip() and active.again:
            return dataclasses.replace(active.again, re=self._number)
        action = commands.ask_first(self._with_seq(commands.parse_line(text, self._number)))
        match action:
            case inputs.RenameInput(nick=nick) if active.over and active.again:
                return dataclasses.replace(active.again, nick=nick, re=self._number)
            case actions.JoinRoomAction(address=address):  # of a room that is over, goes on in its tab
                tabs = self._scene.tabs.of_rooms
                same = (tab.label for tab in tabs if tab.over and tab.again and tab.again.address == address)
                return dataclasses.replace(action, label=next(same, ""))
        return action

    def _with_seq(self, action: actions.Action) -> actions.Action:
        """The action with the whole seq of the message that it names by its number."""
        find = self._scene.active.log.find_numbered
        match action:
            case inputs.ReplyInput(seq=int(number)) if message := find(number):
                return dataclasses.replace(action, seq=message.seq, number=number)
            case inputs.RetractInput(seq=int(number)) if message := find(number):
                return dataclasses.replace(action, seq=message.seq)
        return action

    def _prepare(self, action: actions.Action) -> Callable[[], None]:
        """A function that carries out the action, here or in the rest of the program. Raises AnonError."""
        active = self._scene.active
        match action:
            case actions.ShowHelpAction(commands=listed):
                return partial(self._open_overlay, overlays.of_help(listed))
            case actions.ListNumbersAction():
                return partial(self._open_overlay, overlays.of_numbers(active.log))
            case actions.ListRoomsAction():
                return self._list_rooms
            case actions.SwitchRoomAction(room=wanted):
                rooms = self._scene.tabs.rooms
                return partial(self._scene.show_tab, rooms.by_label[rooms.find_room(wanted)])
            case actions.ClearScreenAction():
                return self.clear_screen
            case inputs.LeaveInput() if active.over:
                return partial(self.drop_tab, active)
        if isinstance(action, inputs.Typed) and active.over:
            raise RoomOver
        if isinstance(action, inputs.Typed) and not (active.label or isinstance(action, inputs.RenameInput)):
            raise NoRoom
        if isinstance(action, inputs.AskInput) and action.command == "/who":
            return partial(self._open_overlay, overlays.of_members(partial(self._scene.people, active)))
        if max(active.log.pending_count, self._send.statistics().current_buffer_used) >= limits.PENDING:
            raise TooMuchPending
        return partial(self._request, action)

    def suggest_nick(self, tab: Tab) -> None:
        """Begins a line that goes on with the join under another nick, unless something else is typed."""
        asked = tab.again.nick if tab.again else ""
        line = f"/nick {nicks.alternatives(asked)[0] if asked else ''}"
        if tab is self._scene.active and not self._editor.edit_text:
            self._editor.replace(line, len(line))

    def _request(self, action: AppAction) -> None:
        if isinstance(action, actions.CreateRoomAction | actions.JoinRoomAction):
            self._typeahead.begin(self._number)
        self._send.send_nowait(UserRequest(action, self._number, self._scene.active.label or None))

    def _pending_message(self, action: inputs.SayInput | inputs.WhisperInput | inputs.ReplyInput) -> ChatMessage:
        """The message as it is shown until it is ordered."""
        snapshot = self._scene.snapshot(self._scene.active)
        member, nick = (snapshot.member, snapshot.nick) if snapshot else ("", "")
        pending = ChatMessage(self._scene.now(), member, nick, action.text, mine=True)
        match action:
            case inputs.SayInput(action=does):
                pending.action = does
            case inputs.WhisperInput(nick=to):
                pending.private, pending.to = True, to
            case inputs.ReplyInput(seq=seq):
                answered = self._find_answered(seq)
                if answered is not None:
                    pending.reply, pending.private = answered.seq, answered.private
                    pending.to = answered.to if answered.mine else answered.nick
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
