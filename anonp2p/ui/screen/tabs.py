"""The rooms that lie before the user, and which one is on top."""

from anonp2p.errors import BadInput
from anonp2p.ui.screen.input.editor import Editor
from anonp2p.ui.screen.tab import Tab


class Desk:
    """The tabs by the labels of their rooms; and one without, the page that is there before any room.

    editor: holds the draft of the active one.
    """

    def __init__(self, editor: Editor) -> None:
        self.tabs = {"": Tab("")}
        self.active = self.tabs[""]
        self._editor = editor
        editor.swap(self.active.draft)

    @property
    def rooms(self) -> list[Tab]:
        """The rooms, in the order of their numbers, which begin with 1."""
        return [tab for tab in self.tabs.values() if tab.label]

    def tab(self, label: str) -> Tab:
        """The tab of a room. A new one is shown, since it was asked for."""
        if label not in self.tabs:
            self.tabs[label] = Tab(label)
            self.switch(self.tabs[label])
        return self.tabs[label]

    def switch(self, tab: Tab) -> None:
        """Shows it."""
        if tab is not self.active:
            if not self.active.log.looking_back:
                self.active.log.read()
            self._editor.swap(tab.draft)
            self.active = tab

    def drop(self, tab: Tab) -> None:
        """A room is left: nothing of it stays."""
        rest = [other for other in self.rooms if other is not tab]
        if tab is self.active:
            self.switch(rest[-1] if rest else self.tabs[""])
        self.tabs.pop(tab.label, None)
        tab.log.clear()
        self._editor.forget_kills()

    def beside(self, by: int) -> Tab:
        """The one so many places further, and round again; the first where none is shown."""
        rooms = self.rooms
        if not rooms:
            return self.active
        return rooms[(rooms.index(self.active) + by if self.active in rooms else 0) % len(rooms)]

    def unread(self) -> Tab:
        """One with something new, first of all for the user; or the active one if there is none."""
        waiting = [tab for tab in self.tabs.values() if tab.unread and tab is not self.active]
        return max(waiting, key=lambda tab: tab.mentions > 0, default=self.active)

    def find(self, wanted: str) -> Tab:
        """The tab of the room with this name, number or label. Raises BadInput."""
        rooms = self.rooms
        if wanted.isascii() and wanted.isdigit() and 0 < int(wanted[:9]) <= len(rooms):
            return rooms[int(wanted) - 1]
        found = [tab for tab in rooms if wanted in (tab.name, tab.label)]
        if len(found) != 1:
            several = "Several rooms have that name: say which by its number." if found else "You are in no such room."
            raise BadInput(several)
        return found[0]

    def put_away(self) -> bool:
        """Puts away the warning that is shown first; whether there was one."""
        for tab in sorted(self.tabs.values(), key=lambda tab: tab is not self.active):
            if tab.banners:
                tab.put_away()
                return True
        return False
