"""The full screen, as a frontend of the program: keys become requests, events become what is shown."""

from functools import partial

import trio

from anonp2p import limits
from anonp2p.config import Config
from anonp2p.errors import AnonError
from anonp2p.room import events
from anonp2p.room.hosting_events import LeaveEndsRoomEvent, LeaveHandsOverEvent
from anonp2p.ui import actions, commands, endings, wording
from anonp2p.ui.bell import Bell
from anonp2p.ui.clipboard import Clipboard
from anonp2p.ui.frontend import Closed, FindRoom, UserRequest
from anonp2p.ui.screen import overlays
from anonp2p.ui.screen.bare_view import BareView
from anonp2p.ui.screen.hint import Hint
from anonp2p.ui.screen.input.editor import Editor
from anonp2p.ui.screen.input.typeahead import Typeahead
from anonp2p.ui.screen.keyboard import Keyboard
from anonp2p.ui.screen.overlays import Overlay
from anonp2p.ui.screen.render_loop import RenderLoop
from anonp2p.ui.screen.scene import Scene
from anonp2p.ui.screen.submission import Submission
from anonp2p.ui.screen.tab import Tab
from anonp2p.ui.screen.tabs import Tabs
from anonp2p.ui.screen.term.terminal import Terminal
from anonp2p.ui.screen.view import View


class Screen:
    """The full screen. terminal: has been started."""

    must_succeed = False

    def __init__(self, config: Config, terminal: Terminal) -> None:
        self._config = config
        self._terminal = terminal
        self._closed: Closed = lambda _: None
        self.editor = Editor(on_full=self._tell_that_it_is_full)
        self.scene = Scene(Tabs(self.editor), config.nick)
        self._bell = Bell(terminal.bell, terminal.notify)
        self._typeahead = Typeahead()
        self._clipboard = Clipboard(terminal.write if terminal.has_window else None)
        self._submission = Submission(
            self.scene, self.editor, self._typeahead, self._bell, self._clipboard, terminal.clear
        )
        self._bare_view = BareView(self.scene, terminal)
        self.keyboard = Keyboard(
            self.scene,
            self.editor,
            self._bell,
            self._typeahead,
            self._submission,
            self._bare_view,
            request_frame=self._request_frame,
            clear_terminal=terminal.clear,
            leave=self._leave,
        )
        self.view = View(self.scene, self.editor, self.keyboard)
        self._render_loop = RenderLoop(self.view, terminal, self._begin_frame)

    # --- what Frontend asks for

    def attach(self, closed: Closed, find_room: FindRoom) -> None:
        self._closed = closed
        self.scene.find_room = find_room

    async def first_command(self) -> actions.CreateRoomAction | actions.JoinRoomAction | None:
        """See `Frontend`. A code of `-` is asked for."""
        action, subject = self._config.action, self._config.subject
        if action and subject == "-":
            self.editor.replace("/join ", len("/join "))
            self.scene.hint = Hint("Paste the room's code, then press Enter.")
            self._request_frame()
            return None
        return commands.from_arguments(action, subject)

    async def next_request(self) -> UserRequest | None:
        return await self._submission.requests.receive()

    async def run(self) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._render_loop.run)
            nursery.start_soon(self._tick)
            nursery.start_soon(self._clipboard.run)
            nursery.start_soon(self._end_when_hung_up)

    async def drained(self) -> None:
        await self._render_loop.drained()

    def open_room(self, label: str, again: actions.JoinRoomAction | None) -> None:
        self.scene.show_tab(tab := self.scene.tabs.tab_of(label))
        tab.begin_joining(self.scene.now(), again)
        self._typeahead.end(self.keyboard.press_key)

    def asks_after(self, error: AnonError) -> bool:
        """See `Frontend`: here the user always is."""
        return True

    def tell(self, event: events.Event) -> None:
        scene = self.scene
        label = getattr(event, "room", "")
        tab = scene.tabs.tab_of(label) if isinstance(label, str) and label else scene.active
        match event:
            case events.TorProgressEvent() | events.ReadyEvent():
                scene.tor, scene.tor_notice = event, ""
                scene.has_booted = scene.has_booted or isinstance(event, events.ReadyEvent)
            case events.TorSlowEvent() | events.TorSkippedEvent() if _is_before_tor(scene, tab):
                [scene.tor_notice] = wording.describe_event(event)
            case events.ReplyEvent() if overlay := self._answer_at_length(event, tab):
                scene.overlay = overlay
            case events.ReplyEvent(command="/nick", data=data):
                scene.nick = data["nick"]
                scene.hint = Hint(wording.describe_event(event)[0])
            case events.GoneEvent(reason="left") | events.GoneEvent(reason="closed", re=int()):  # as the user wants
                self._submission.drop_tab(tab)
            case LeaveHandsOverEvent():
                scene.hint = Hint(" ".join(wording.describe_event(tab.looks.verified.mark_event(event))))
            case _:
                if isinstance(event, LeaveEndsRoomEvent) and tab is not scene.active:  # we are about to quit
                    scene.hint = Hint(f"{endings.foresee_quit(scene.list_rooms())} {endings.SAY_AGAIN}", "caution")
                if tab.take_event(event, scene.now(), seen=tab is scene.active and self._is_log_seen()):
                    self._call_user(tab)
                if said := tab.advice.follow_event(event, scene.now(), scene.find_room(tab.label)):
                    tab.add_system_line(scene.now(), [said], "title")
        if isinstance(event, events.ErrorEvent) and self._typeahead.is_awaiting(event.re):
            self._typeahead.end(self.keyboard.press_key)
        if isinstance(event, events.GoneEvent) and tab.way_in.wants_nick:
            self._submission.suggest_nick(tab)
        self._request_frame()

    def _answer_at_length(self, reply: events.ReplyEvent, tab: Tab) -> Overlay | None:
        """An overlay for a reply that is too long for the log."""
        match reply:
            case events.ReplyEvent(command="/qr", data=data) if not self._is_private(tab):
                return overlays.of_qr(data["code"])
            case events.ReplyEvent(command="/code" | "/qr", data=data):
                snapshot = self.scene.snapshot(tab)
                knock = bool(snapshot and snapshot.knock)
                return overlays.of_code(tab.name, data["code"], private=self._is_private(tab), knock=knock)
            case events.ReplyEvent(command="/invite", data=data):
                return overlays.of_invitation(data, partial(self._submission.copy, data["code"], "The invitation"))
            case events.ReplyEvent(command="/files", data={"files": rows}):
                return overlays.of_files(tab.ignored.keep_shown(tab.looks.verified.mark_rows(rows)))
            case events.ReplyEvent(command="/invites", data=data):
                return overlays.of_invitations(data)
            case events.ReplyEvent(command="/verify", data={"nick": nick, "words": words, "me": me}):
                answer = partial(self._submission.answer_comparison, tab.label, nick)
                return overlays.of_words_for_two(me, nick, tab.looks.verified.mark_nick(nick), words, answer)
            case events.ReplyEvent(command="/verify", data=data):
                return overlays.of_words_of_room(data)
        return None

    # --- what is drawn, and when

    def _request_frame(self, *, at_once: bool = False) -> None:
        self._render_loop.request(at_once=at_once)

    def _begin_frame(self) -> None:
        self._bare_view.drop_ended()
        self.scene.begin_frame()
        if self._is_log_seen():
            self.scene.active.attention.mark_seen()
        self._terminal.show_count(self.count_calls())

    def count_calls(self) -> int:
        """How many messages call the user, in all rooms of which bystanders may learn that."""
        return sum(tab.attention.calls for tab in self.scene.tabs.of_rooms if not self._is_private(tab))

    def _is_log_seen(self) -> bool:
        """Whether somebody looks at the latest lines of the active room."""
        is_watched = self.scene.watched and not self._terminal.is_away and not self._bare_view.is_open
        return is_watched and not self.scene.overlay and not self.scene.active.sight.looking_back

    async def _tick(self) -> None:
        """Updates what changes as time goes by."""
        while True:
            await trio.sleep(1)
            faded = [tab.log.drop_faded(self.scene.now()) for tab in self.scene.tabs.all]
            if self.scene.is_changing or self.scene.active.has_moved or any(faded):
                self._request_frame()

    def _call_user(self, tab: Tab) -> None:
        self._bell.call_user(watched=self.scene.watched, is_private=self._is_private(tab))

    def _is_private(self, tab: Tab) -> bool:
        """Whether bystanders are not to learn that somebody writes there."""
        snapshot = self.scene.snapshot(tab)
        return bool(snapshot and snapshot.private)

    def _tell_that_it_is_full(self) -> None:
        """Says that not all of what was typed or pasted fits."""
        text = f"No more than {limits.INPUT_LINE:,} bytes can be typed at once: the end of the text was left out."
        self.scene.hint = Hint(text, "error")
        self._request_frame()

    # --- the end

    def _leave(self) -> None:
        self._closed(None)

    async def _end_when_hung_up(self) -> None:
        await self._render_loop.hung_up.wait()
        await trio.sleep(limits.HANG_UP)
        self._closed(None)


def _is_before_tor(scene: Scene, tab: Tab) -> bool:
    """Whether the first page is shown, which says how far Tor is."""
    return tab is scene.tabs.page and not isinstance(scene.tor, events.ReadyEvent)
