"""What the full screen has to show, and the measures of what it shows."""

import dataclasses
import time

from anonp2p.room import events
from anonp2p.room.snapshot import Snapshot
from anonp2p.ui.frontend import FindRoom
from anonp2p.ui.reasons import describe_reason
from anonp2p.ui.screen.hint import Hint
from anonp2p.ui.screen.log_lines import Layout, LineContext
from anonp2p.ui.screen.overlays import Overlay
from anonp2p.ui.screen.people import People
from anonp2p.ui.screen.search import TextSearch
from anonp2p.ui.screen.tab import Tab
from anonp2p.ui.screen.tabs import Tabs


class Scene:
    """The state that the view draws from. The view itself only notes what it measured.

    nick: the one that rooms are joined with; empty for a random one.

    watched: whether the terminal says that its window has the keyboard. body: rows of the log, and its layout, as last
    drawn. page: rows of the overlay, as last drawn. wants_numbers: whether messages are shown with their numbers.
    has_booted: whether Tor has been usable. is_changing: whether the view looks different as time goes by.
    """

    def __init__(self, tabs: Tabs, nick: str = "") -> None:
        self.tabs = tabs
        self.nick = nick
        self.find_room: FindRoom = lambda _: None
        self.overlay: Overlay | None = None
        self.hint: Hint | None = None
        self.search: TextSearch | None = None
        self.tor: events.TorProgressEvent | events.ReadyEvent | None = None
        self.tor_notice = ""
        self.has_booted = False
        self.wants_people = True
        self.wants_numbers = False
        self.watched = True
        self.body = (0, Layout(80, 0))
        self.page = 1
        self.is_changing = False
        self._snapshots: dict[str, Snapshot | None] = {}
        self._people: dict[str, People] = {}

    @property
    def active(self) -> Tab:
        """The tab that is shown."""
        return self.tabs.active

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    def context(self) -> LineContext:
        """What the looks of the log's lines depend on."""
        doing = "starting"
        if isinstance(self.tor, events.TorProgressEvent):
            doing = f"{self.tor.progress} %, {describe_reason(self.tor.summary)}"
        elif isinstance(self.tor, events.ReadyEvent):
            doing = ""
        sought = self.search.sought if self.search else ""
        snapshot, looks = self.snapshot(self.active), self.active.looks
        knock = bool(snapshot and snapshot.knock)
        return LineContext(self.now(), doing, self.watched, self.wants_numbers, knock=knock, looks=looks, sought=sought)

    def show_selected(self) -> None:
        """Has the message that is selected in sight."""
        sight = self.active.sight
        if sight.selected:
            sight.show_message(sight.selected, *self.body, self.context())

    def snapshot(self, tab: Tab) -> Snapshot | None:
        """A tab's room at a glance, if there is one. The same until `begin_frame`."""
        if tab.label not in self._snapshots:
            room = self.find_room(tab.label)
            self._snapshots[tab.label] = room.snapshot() if room else None
        return self._snapshots[tab.label]

    def list_rooms(self) -> list[tuple[str, Snapshot]]:
        """The rooms that we are in, by their titles, with marks behind the nicks of heirs."""
        seen = [(tab, self.snapshot(tab)) for tab in self.tabs.of_rooms]
        return [(tab.title, _mark_heir(snapshot, tab)) for tab, snapshot in seen if snapshot]

    def people(self, tab: Tab) -> People:
        """Who is in a tab's room, or was."""
        known = self._people.get(tab.label)
        if known is None or (tab.has_moved and time.monotonic() >= known.good_until):
            tab.has_moved = False
            room = self.find_room(tab.label)
            known = self._people[tab.label] = People(room.members() if room and not tab.way_in.over else [], tab.looks)
        return known

    def begin_frame(self) -> None:
        """The view is about to be drawn: what it shows of the rooms is looked up anew."""
        self._snapshots.clear()

    def show_tab(self, tab: Tab) -> None:
        """Shows another tab, and no overlay."""
        self.overlay = self.search = None
        self.tabs.show_tab(tab)

    def drop_tab(self, tab: Tab) -> None:
        """Keeps nothing of a room that is left."""
        if tab is self.active:
            self.overlay = self.search = None
        self.tabs.drop_tab(tab)
        self._people.pop(tab.label, None)


def _mark_heir(snapshot: Snapshot, tab: Tab) -> Snapshot:
    return dataclasses.replace(snapshot, heir=snapshot.heir + tab.looks.verified.mark_nick(snapshot.heir))
