"""The tabs of the full screen, and which of them is shown."""

from anonp2p.ui.rooms import Rooms
from anonp2p.ui.screen.input.editor import Editor
from anonp2p.ui.screen.tab import Tab


class Tabs:
    """The tabs of all rooms, and the first page, which is shown where there is no room.

    editor: holds the draft of the active tab.
    """

    def __init__(self, editor: Editor) -> None:
        self.page = Tab("")
        self.rooms: Rooms[Tab] = Rooms()
        self._editor = editor
        editor.swap(self.page.draft)

    @property
    def active(self) -> Tab:
        """The tab that is shown: of the active room, or the first page."""
        return self.page if self.rooms.active is None else self.rooms.by_label[self.rooms.active]

    @property
    def of_rooms(self) -> list[Tab]:
        """The tabs of the rooms, in the order of their numbers."""
        return list(self.rooms.by_label.values())

    @property
    def all(self) -> list[Tab]:
        """The first page and the tabs of the rooms."""
        return [self.page, *self.of_rooms]

    def tab_of(self, label: str) -> Tab:
        """The tab of a room. A new tab is shown, since the user asked for the room."""
        if label not in self.rooms.by_label:
            self._park_active()
            self.rooms.open_room(label, Tab(label))
            self._editor.swap(self.active.draft)
        return self.rooms.by_label[label]

    def show_tab(self, tab: Tab) -> None:
        """Shows the tab: what is typed goes to its room."""
        if tab is not self.active:
            self._park_active()
            self.rooms.active = tab.label or None
            self._editor.swap(tab.draft)

    def _park_active(self) -> None:
        if not self.active.sight.looking_back:
            self.active.log.mark_read()

    def drop_tab(self, tab: Tab) -> None:
        """Keeps nothing of a room that is left. Another room is shown in its place, or the first page."""
        rest = [other for other in self.of_rooms if other is not tab]
        if tab is self.active:
            self.show_tab(rest[-1] if rest else self.page)
        self.rooms.close_room(tab.label)
        tab.log.clear()
        self._editor.forget_kills()

    def tab_beside(self, by: int) -> Tab:
        """The tab so many places further, and round again; the first where none is shown."""
        tabs = self.of_rooms
        if not tabs:
            return self.active
        return tabs[(tabs.index(self.active) + by if self.active in tabs else 0) % len(tabs)]

    def unread_tab(self) -> Tab:
        """A tab with something new, first of all for the user; or the active one if there is none."""
        unread = [tab for tab in self.all if tab.attention.unread and tab is not self.active]
        return max(unread, key=lambda tab: tab.attention.mentions > 0, default=self.active)

    def put_away_warning(self) -> bool:
        """Puts away the warning that is shown first; whether there was one."""
        for tab in sorted(self.all, key=lambda tab: tab is not self.active):
            if tab.warnings.banners:
                tab.warnings.put_away()
                return True
        return False
