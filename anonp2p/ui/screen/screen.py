"""The full screen, as the front of the program: keys become actions, events become pictures."""

import time
from collections.abc import Callable
from functools import partial

import trio
from msgspec import UNSET

from anonp2p import limits
from anonp2p.config import Config
from anonp2p.errors import AnonError, NoRoom, RoomOver, TooLong, TooMuchPending
from anonp2p.names import codes
from anonp2p.room import events, inputs
from anonp2p.room.snapshot import Snapshot
from anonp2p.ui import commands, wording
from anonp2p.ui.completion import Completer
from anonp2p.ui.frontend import Closed, Rooms, Typed
from anonp2p.ui.screen import overlays
from anonp2p.ui.screen.input.editor import Editor
from anonp2p.ui.screen.log_lines import Said
from anonp2p.ui.screen.overlays import Overlay
from anonp2p.ui.screen.people import People
from anonp2p.ui.screen.render_loop import Drawing
from anonp2p.ui.screen.tab import Tab
from anonp2p.ui.screen.tabs import Desk
from anonp2p.ui.screen.term.terminal import Terminal
from anonp2p.ui.screen.view import Hint, Picture

_AGAIN = "Ctrl-C again leaves anonp2p."
_IDLE = 60.0  # seconds without a key after which nobody is taken to look, where the terminal does not say


class Tui:
    """The full screen, drawn no more often than one sees. terminal: where; it has been started."""

    must_succeed = False

    def __init__(self, config: Config, terminal: Terminal) -> None:
        self._config = config
        self.overlay: Overlay | None = None
        self.hint: Hint | None = None
        self.tor: events.TorProgress | events.Ready | None = None
        self.tor_notice = ""
        self.wants_people = True
        self.bell = True
        self._closed: Closed = lambda _: None
        self._rooms: Rooms = lambda _: None
        self._snapshots: dict[str, Snapshot | None] = {}
        self._people: dict[str, People] = {}
        self._number = 0
        self._opening = 0  # the number of what asked for a room that is not there yet
        self._ahead: list[tuple[tuple[int, int], str]] = []  # keys pressed meanwhile, which may be meant for it
        self._ahead_size = 0  # characters of them: a key may be a whole paste
        self._asked = ""  # what the next key may confirm: leaving, or sending so much
        self.watched = True
        self._pressed_at = time.monotonic()
        self._send, self._receive = trio.open_memory_channel[Typed](limits.PENDING)
        self._completer = Completer()
        self._editor = Editor(on_full=self._full)
        self._desk = Desk(self._editor)
        self._picture = Picture(self, self._editor)
        self._terminal = terminal
        self._drawing = Drawing(self._picture, terminal, self._begin_picture)

    # --- what Front asks for

    def attach(self, closed: Closed, rooms: Rooms) -> None:
        """As Front has it."""
        self._closed, self._rooms = closed, rooms

    async def wish(self) -> str:
        """As Front has it. A code of `-` is asked for."""
        action, subject = self._config.action, self._config.subject
        if action and subject == "-":
            self._editor.replace("/join ", len("/join "))
            self.hint = Hint("Paste the room's code, then press Enter.")
            self._drawing.request()
            return ""
        return f"/{action} {subject}" if action else ""

    async def wanted(self) -> Typed | None:
        """As Front has it."""
        return await self._receive.receive()

    async def run(self) -> None:
        """As Front has it."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._drawing.run)
            nursery.start_soon(self._tick)
            nursery.start_soon(self._end_when_hung_up)

    async def drained(self) -> None:
        """As Front has it."""
        await self._drawing.drained()

    def open(self, room: str) -> None:
        """As Front has it."""
        self.overlay = None
        self._desk.tab(room).wait(self.now())
        self._go_on()

    def tell(self, event: events.Event) -> None:
        """As Front has it."""
        label = getattr(event, "room", "")
        tab = self._desk.tab(label) if isinstance(label, str) and label else self.active
        match event:
            case events.TorProgress() | events.Ready():
                self.tor, self.tor_notice = event, ""
            case events.TorSlow() | events.TorSkipped() if tab.label == "" and not isinstance(self.tor, events.Ready):
                [self.tor_notice] = wording.said(event)
            case events.Reply(command="/rooms"):
                tab.tell(self.now(), self._rooms_in_words())
            case events.Reply() if overlay := self._overlay(event, tab):
                self.overlay = overlay
            case events.Gone(reason="left"):
                self._drop(tab)
            case _:
                seen = tab is self.active and self._is_watched and not self.overlay and not tab.log.looking_back
                if tab.take(event, self.now(), seen=seen):
                    self._call(tab)
        if isinstance(event, events.Error) and event.re == self._opening:
            self._go_on()
        self._drawing.request()

    def clear(self) -> None:
        """As Front has it."""
        self.active.log.clear()
        self._terminal.clear()
        self._drawing.request()

    # --- what the picture asks for

    @property
    def tabs(self) -> dict[str, Tab]:
        """All tabs by their labels."""
        return self._desk.tabs

    @property
    def active(self) -> Tab:
        """The tab that is shown."""
        return self._desk.active

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    def snapshot(self, tab: Tab) -> Snapshot | None:
        """A tab's room at a glance, if there is one."""
        if tab.label not in self._snapshots:
            room = self._rooms(tab.label)
            self._snapshots[tab.label] = room.snapshot() if room else None
        return self._snapshots[tab.label]

    def people(self, tab: Tab) -> People:
        """Who is in a tab's room, or was."""
        known = self._people.get(tab.label)
        if known is None or (tab.has_moved and time.monotonic() >= known.good_until):
            tab.has_moved = False
            room = self._rooms(tab.label)
            known = self._people[tab.label] = People(room.standings() if room and not tab.over else [])
        return known

    def turn(self, by: int) -> None:
        """Scrolls up by so many rows."""
        if self.overlay:
            self.overlay.offset -= by
        else:
            height, layout = self._picture.body
            self.active.log.scroll(by, height, layout, self._picture.context())
        self._drawing.request()

    def show(self, number: int) -> None:
        """The tab with this number, from 1."""
        if 0 < number <= len(self._desk.rooms):
            self._switch(self._desk.rooms[number - 1])

    def _begin_picture(self) -> None:
        self._snapshots.clear()
        if self._is_watched and not self.overlay and not self.active.log.looking_back:
            self.active.look()

    @property
    def _is_watched(self) -> bool:
        return self.watched and not self._terminal.is_away

    async def _end_when_hung_up(self) -> None:
        await self._drawing.hung_up.wait()
        await trio.sleep(limits.HANG_UP)
        self._closed(None)

    async def _tick(self) -> None:
        """What changes as time goes by changes."""
        while True:
            await trio.sleep(1)
            faded = [tab.log.fade(self.now()) for tab in self.tabs.values()]
            if self._picture.is_changing or self.active.has_moved or any(faded):
                self._drawing.request()

    # --- rooms

    def _switch(self, tab: Tab) -> None:
        self.overlay = None
        self._completer.end()
        self._desk.switch(tab)
        self._drawing.request()

    def _drop(self, tab: Tab) -> None:
        if tab is self.active:
            self.overlay = None
        self._desk.drop(tab)
        self._people.pop(tab.label, None)
        self._terminal.clear()

    def _rooms_in_words(self) -> list[str]:
        """The rooms as their tabs are numbered."""
        rooms = self._desk.rooms
        snapshots = [self.snapshot(tab) for tab in rooms]
        here = [f", {snapshot.members} here" if snapshot else "" for snapshot in snapshots]
        listed = [f"{number} {tab.title}{some}" for number, (tab, some) in enumerate(zip(rooms, here, strict=True), 1)]
        return listed or [wording.NO_ROOMS]

    def _call(self, tab: Tab) -> None:
        """The user is called in a room: a bell if they look elsewhere, but none that tells of a private room."""
        is_away = not self.watched or time.monotonic() - self._pressed_at > _IDLE
        snapshot = self.snapshot(tab)
        is_private = bool(snapshot and ":" in snapshot.code)
        if self.bell and is_away and not is_private:
            self._terminal.bell()

    # --- keys

    def press(self, size: tuple[int, int], key: str) -> str | None:
        """A key was pressed. Returns it where there is nothing to be done about it."""
        if key in ("focus in", "focus out"):
            self._focus(key == "focus in")
            return None
        if self._opening:
            if self._ahead_size <= limits.INPUT_LINE:
                self._ahead.append((size, key))
                self._ahead_size += len(key)
            return None
        self._pressed_at = time.monotonic()
        self._drawing.request(at_once=True)
        asked, self._asked, self.hint = self._asked, "", None
        if key not in ("tab", "shift tab"):
            self._completer.end()
        if self.overlay and self._press_overlay(self.overlay, key):
            return None
        match key:
            case "enter":
                self._enter(confirmed=asked == "long")
            case "tab" | "shift tab":
                self._complete(forward=key == "tab")
            case "ctrl c" | "ctrl d" if not self._editor.edit_text:
                self._ask_to_leave(asked=asked == "leave")
            case "ctrl c":
                self._editor.cut()
            case _ if not self._press_global(size, key):
                return self._editor.keypress(size[:1], key)
        return None

    def _go_on(self) -> None:
        """The room that was asked for is there, or will not be: what was typed meanwhile has its turn."""
        self._opening = 0
        ahead, self._ahead, self._ahead_size = self._ahead, [], 0
        for at, (size, key) in enumerate(ahead):
            self.press(size, key)
            if self._opening:
                self._ahead += ahead[at + 1 :]
                self._ahead_size += sum(len(key) for _, key in ahead[at + 1 :])
                return

    def _press_overlay(self, overlay: Overlay, key: str) -> bool:
        """Scrolls what is read, or puts it away; whether that was all."""
        page = self._picture.page
        moves = {"up": -1, "down": 1, "page up": -page, "page down": page, "home": -(10**6), "end": 10**6}
        if key in moves:
            overlay.offset += moves[key]
            return True
        self.overlay = None
        return key in ("esc", "enter", "q", "f1", "f2")

    def _press_global(self, size: tuple[int, int], key: str) -> bool:
        """Keys that mean the same wherever one is; whether this is one."""
        page = max(1, self._picture.body[0] - 2)
        looking_back = self.active.log.looking_back
        match key:
            case "page up":
                self.turn(page)
            case "page down":
                self.turn(-page)
            case "home" | "ctrl home" if looking_back or key == "ctrl home" or not self._editor.edit_text:
                height, layout = self._picture.body
                self.active.log.to_top(height, layout, self._picture.context())
            case "end" | "ctrl end" if looking_back or key == "ctrl end" or not self._editor.edit_text:
                self.active.log.follow()
            case "ctrl n":
                self._switch(self._desk.beside(1))
            case "ctrl p":
                self._switch(self._desk.beside(-1))
            case "meta a":
                self._switch(self._desk.unread())
            case "meta o":
                self.active.log.unfold()
            case "ctrl l":
                self._terminal.clear()
            case "ctrl z":  # the terminal passes it on only then
                self.hint = Hint("There is no shell to go back to here.")
            case "f1":
                self.overlay = overlays.of_help(commands.COMMANDS)
            case "f2" if size[0] < 80:
                self.overlay = overlays.of_members(self.people(self.active))
            case "f2":
                self.wants_people = not self.wants_people
            case "f3":
                self.bell = not self.bell
                self.hint = Hint(f"The bell is {'on' if self.bell else 'off'}.")
            case "esc":
                if not self._desk.put_away():
                    self.active.log.follow()
            case _ if key in _ROOM_KEYS:
                self.show(_ROOM_KEYS.index(key) + 1)
            case _:
                return False
        return True

    def _focus(self, focused: bool) -> None:
        self.watched = focused
        if focused:
            self._pressed_at = time.monotonic()
        elif not self.active.log.looking_back:
            self.active.log.read()
        self._drawing.request()

    def _ask_to_leave(self, *, asked: bool) -> None:
        if asked:
            self.hint = Hint("Leaving …")
            self._closed(None)
        else:
            self._asked = "leave"
            self.hint = Hint(_AGAIN)

    def _complete(self, *, forward: bool) -> None:
        here = dict.fromkeys(self.people(self.active).nicks)
        spoke = {nick: None for nick in reversed(self.active.speakers) if nick in here}
        nicks = list(spoke | here)
        rooms = [tab.name for tab in self.tabs.values() if tab.name]
        edited = self._completer.press(
            self._editor.edit_text, self._editor.edit_pos, forward=forward, nicks=nicks, rooms=rooms
        )
        if edited:
            self._editor.replace(*edited)
        if self._completer.candidates:
            chosen = self._completer.chosen
            shown = [f"[{one}]" if at == chosen else one for at, one in enumerate(self._completer.candidates)]
            self.hint = Hint("  ".join(shown[chosen // _OFFERED * _OFFERED :][:_OFFERED]))

    # --- what is typed

    def _enter(self, *, confirmed: bool) -> None:
        """Sends what is typed. What cannot be sent stays where it is, with a sentence that says why."""
        text = self._editor.edit_text
        if not text.strip():
            return
        lines = text.count("\n") + 1
        if lines > limits.LONG and not confirmed:
            self._asked = "long"
            self.hint = Hint(f"That is {lines} lines: Enter again sends them as one message.", "caution")
            return
        self._number += 1
        try:
            action = commands.parse(text, self._number)
            act = self._prepared(action)
        except AnonError as error:
            size = f" It has {len(text.encode())}." if isinstance(error, TooLong) else ""
            self.hint = Hint(f"{error}{size}", "error")
            return
        self._editor.take()
        if not isinstance(action, _OF_OTHER_ROOMS):
            self.active.draft.history.add(text, self._number)
        if isinstance(action, inputs.Say | inputs.Whisper):
            self.active.send(self._number, self._message(action))
        self.active.log.follow()
        self.active.log.read()
        act()

    def _prepared(self, action: commands.Action) -> Callable[[], None]:
        """How it is done: here, or by the rest of the program. Raises AnonError where it cannot be."""
        if isinstance(action, commands.Help):
            return partial(self._open, overlays.of_help(action.commands))
        if isinstance(action, commands.Switch):
            return partial(self._switch, self._desk.find(action.room))
        if isinstance(action, commands.Join):
            codes.parse(action.code)
        if isinstance(action, inputs.Leave) and self.active.over:
            return partial(self._drop, self.active)
        if isinstance(action, inputs.Typed) and self.active.over:
            raise RoomOver
        if isinstance(action, inputs.Typed) and not self.active.label:
            raise NoRoom
        if max(self.active.log.waiting, self._send.statistics().current_buffer_used) >= limits.PENDING:
            raise TooMuchPending
        return partial(self._pass_on, action)

    def _pass_on(self, action: commands.Action) -> None:
        if isinstance(action, commands.Create | commands.Join):
            self._opening = self._number
        self._send.send_nowait(Typed(action, self._number, self.active.label or UNSET))

    def _message(self, action: inputs.Say | inputs.Whisper) -> Said:
        """As it is shown until it has its place."""
        snapshot = self.snapshot(self.active)
        member, nick = (snapshot.member, snapshot.nick) if snapshot else ("", "")
        private = isinstance(action, inputs.Whisper)
        return Said(
            self.now(),
            member,
            nick,
            action.text,
            action=isinstance(action, inputs.Say) and action.action,
            private=private,
            to=action.nick if isinstance(action, inputs.Whisper) else "",
            mine=True,
        )

    def _open(self, overlay: Overlay) -> None:
        self.overlay = overlay

    def _overlay(self, reply: events.Reply, tab: Tab) -> Overlay | None:
        """What answers this at more length than the log is for."""
        match reply.command:
            case "/who":
                return overlays.of_members(self.people(tab))
            case "/code":
                return overlays.of_code(tab.name, reply.data["code"])
            case "/qr":
                return overlays.of_qr(reply.data["code"])
        return None

    def _full(self) -> None:
        """Not all of what was typed or pasted fits."""
        self.hint = Hint(f"A message has up to {limits.TEXT:,} bytes: the end of the text was left out.", "error")
        self._drawing.request()


# What is typed of a room elsewhere is not to be found there once that room is left.
_OF_OTHER_ROOMS = (commands.Create, commands.Join, commands.Switch, commands.Clear)
_ROOM_KEYS = tuple(f"meta {number}" for number in range(1, 10))
_OFFERED = 6  # candidates of a completion shown at once
