"""What the full screen looks like: tabs, warnings, the log and who is there, a line of status, what is typed."""

from typing import Protocol

import urwid

from anonp2p import limits
from anonp2p.room import events, retention
from anonp2p.room.snapshot import Snapshot
from anonp2p.ui import commands, sanitize
from anonp2p.ui.reasons import describe_reason
from anonp2p.ui.rooms import number_room
from anonp2p.ui.screen import first_page, rows
from anonp2p.ui.screen.input.editor import Editor
from anonp2p.ui.screen.input.editor_box import EditorBox
from anonp2p.ui.screen.lasting_hint import lasting_hint
from anonp2p.ui.screen.log_lines import Layout
from anonp2p.ui.screen.overlays import Overlay
from anonp2p.ui.screen.rows import Row
from anonp2p.ui.screen.scene import Scene
from anonp2p.ui.screen.tab import Tab
from anonp2p.ui.screen.waiting import count_waiting
from anonp2p.ui.verified import Verified
from anonp2p.ui.widths import width

_LEAST = 20, 6  # columns and rows below which nothing of use can be shown
_WITH_PEOPLE = 80  # columns from which there is a list of members beside the log
_WITH_TAGS = 100  # columns from which it has their tags
_WIDE = 60  # columns of a log from which it has a column of nicks
_ROOMY = 72  # columns of a log from which that column may be wide
_NICKS = 14  # columns of nicks at most: a longer nick is shortened
_FEW_NICKS = 11  # at most in a narrower log: such a nick as the program makes, `anon-x93k`, and an arrow
_FEWEST_NICKS = 8  # at least


class Controls(Protocol):
    """What the user does to the view."""

    def press_key(self, size: tuple[int, int], key: str) -> str | None:
        """A key was pressed."""

    def turn_wheel(self, by: int) -> None:
        """The wheel was turned: up, or down if it is negative."""

    def show_room(self, label: str) -> None:
        """The tab of this room was clicked."""


class View(urwid.Widget):
    """The whole screen. It is drawn anew each time: nothing of it is kept, but the scene gets its measures."""

    _sizing = frozenset((urwid.BOX,))
    _selectable = True
    no_cache = ("render",)

    def __init__(self, scene: Scene, editor: Editor, controls: Controls) -> None:
        super().__init__()
        self.scene = scene
        self.editor = EditorBox(editor)
        self._controls = controls
        self._tabs: list[tuple[str, int, int]] = []  # label, first column, column after it

    # --- what urwid asks

    def sizing(self) -> frozenset[urwid.Sizing]:
        """A box."""
        return self._sizing

    def keypress(self, size: tuple[int, int], key: str) -> str | None:  # type: ignore[override]
        """A key was pressed."""
        return self._controls.press_key(size, key)

    def mouse_event(  # type: ignore[override]
        self, size: tuple[int, int], event: str, button: float, column: int, row: int, focus: bool
    ) -> bool:
        """The wheel scrolls, a tab that is pointed at is shown."""
        hides_tabs = self.scene.overlay and self.scene.overlay.full
        if event == "mouse press" and button in (4, 5):
            self._controls.turn_wheel(_WHEEL if button == 4 else -_WHEEL)
        elif event == "mouse press" and button == 1 and row == 0 and not hides_tabs:
            for label, start, end in self._tabs:
                if start <= column < end:
                    self._controls.show_room(label)
        return True

    def render(self, size: tuple[int, int], focus: bool = False) -> urwid.CompositeCanvas:  # type: ignore[override]
        """All of the screen."""
        columns, height = size
        self.scene.is_changing = False
        self.scene.wants_numbers = commands.names_message(self.editor.original_widget.edit_text)
        if columns < _LEAST[0] or height < _LEAST[1]:
            return _filled(rows.wrapped("error", "This window is too small for a chat.", columns), columns, height)
        if self.scene.overlay and self.scene.overlay.full:
            return _filled(self._overlaid(self.scene.overlay, columns, height), columns, height)
        typed = min(self._prepare_input(columns), limits.ROWS_OF_INPUT, height // 3)
        above, below = self._tab_row(columns), [self._status(columns)]
        free = height - typed - len(above) - len(below)
        banners = self._banners(columns)[: min(free, max(2, height // 3))]
        hint = self._hint(columns)[: free - len(banners)]
        middle = self._middle(columns, free - len(hint) - len(banners))
        drawn = [*above, *banners, *middle, *hint, *below]
        whole = rows.canvas(drawn, columns)
        entered = self.editor.render((columns, typed), focus=True)
        return urwid.CanvasCombine([(whole, None, False), (entered, None, True)])

    # --- its parts, from the top

    def _tab_row(self, columns: int) -> list[Row]:
        tabs = self.scene.tabs.of_rooms
        self._tabs = []
        if not tabs:
            return []
        pieces = [self._tab(tab) for tab in tabs]
        widths = [sum(width(text) for _, text in piece) for piece in pieces]
        shown = next((at for at, tab in enumerate(tabs) if tab is self.scene.active), 0)
        first = shown
        while first and sum(widths[first - 1 : shown + 1]) <= columns - 8:
            first -= 1
        row: Row = [("tabs", "« ")] if first else []
        at = 2 if first else 0
        for tab, piece, wide in list(zip(tabs, pieces, widths, strict=True))[first:]:
            row += piece
            self._tabs.append((tab.label, at, at + wide))
            at += wide
        help_ = [("tabs", " F1 help ")] if at + 9 <= columns else []
        return [rows.between(row, help_, columns, "tabs")]

    def _tab(self, tab: Tab) -> Row:
        active = tab is self.scene.active
        new = tab.attention
        style = "tab active" if active else "tab mention" if new.mentions else "tab unread" if new.unread else "tabs"
        count = f" {new.unread}" if new.unread else ""
        called = "!" if new.mentions else ""
        piece: Row = [(style, f" {number_room(tab.label)} {rows.cut(tab.title, 20)}{count}{called} ")]
        return [*piece, ("alarm", "!!")] if self._is_alarmed(tab) else piece

    def _is_alarmed(self, tab: Tab) -> bool:
        snapshot = self.scene.snapshot(tab)
        return bool(tab.warnings.banners) or bool(snapshot and snapshot.alarmed)

    def _banners(self, columns: int) -> list[Row]:
        """The oldest warning of each room, the one that is shown first."""
        drawn: list[Row] = []
        tabs = sorted(self.scene.tabs.all, key=lambda tab: tab is not self.scene.active)
        for tab in tabs:
            if banners := tab.warnings.banners:
                banner = banners[0]
                more = f" ({len(banners) - 1} more)" if len(banners) > 1 else ""
                text = f"{tab.title}: {sanitize.sanitize_line(banner.text)}{more} [Esc]"
                drawn += [rows.fit(row, columns, banner.style) for row in rows.wrapped(banner.style, text, columns)]
        return drawn

    def _middle(self, columns: int, height: int) -> list[Row]:
        if self.scene.overlay:
            return _padded(_fitted(self._overlaid(self.scene.overlay, columns, height), columns), columns, height)
        tab = self.scene.active
        if not tab.label:
            shown = first_page.page(columns, self._tor())
            log = self._log(tab, columns, max(0, height - len(shown) - 1))
            return _padded([*_fitted([*shown, []], columns), *log], columns, height)
        people = self.scene.people(tab)
        if not (people and self.scene.wants_people and columns >= _WITH_PEOPLE):
            return _padded(self._log(tab, columns, height), columns, height, top=True)
        most = 30 if columns >= _WITH_TAGS else columns - 1 - 62  # a code fits beside it on one row
        wide = people.width(tags=columns >= _WITH_TAGS, most=most)
        narrower = columns - wide - 1
        log = _padded(self._log(tab, narrower, height), narrower, height, top=True)
        waiting = tab.waiting.rows(wide, self.scene.now(), tags=columns >= _WITH_TAGS)[: height // 2]
        self.scene.is_changing = self.scene.is_changing or bool(waiting)
        listed = people.rows(wide, height - len(waiting), tags=columns >= _WITH_TAGS)
        beside = _padded([*waiting, *listed], wide, height)
        return [[*row, ("bar", "│"), *other] for row, other in zip(log, beside, strict=True)]

    def _log(self, tab: Tab, columns: int, height: int) -> list[Row]:
        most = _NICKS if columns >= _ROOMY else _FEW_NICKS
        nicks = max(_FEWEST_NICKS, min(self.scene.people(tab).longest + len(" →"), most))
        layout = Layout(columns, nicks if columns >= _WIDE else 0)
        self.scene.body = height, layout
        drawn, changing = tab.sight.draw_visible(height, layout, self.scene.context())
        self.scene.is_changing = self.scene.is_changing or changing
        if tab.sight.looking_back and drawn:
            new = f"{tab.sight.below} new below" if tab.sight.below else "looking back"
            drawn[-1] = layout.rule("unread line", f"{new}: End goes there")
        return drawn

    def _tor(self) -> first_page.TorStatus:
        match self.scene.tor:
            case events.ReadyEvent(version=version, tor=tor):
                whose = "our own" if tor == "own" else "the one that runs here"
                return first_page.TorStatus(ready=f"Tor {version} is ready ({whose}).")
            case events.TorProgressEvent(progress=progress, summary=summary):
                return first_page.TorStatus(progress, describe_reason(summary), self.scene.tor_notice)
        return first_page.TorStatus(notice=self.scene.tor_notice)

    def _hint(self, columns: int) -> list[Row]:
        searching = self.scene.search.hint if self.scene.search else None
        lasting = lasting_hint(self.scene, self.editor.original_widget.edit_text)
        hint = self.scene.hint or searching or lasting
        if not hint:
            return []
        return _fitted(rows.wrapped(hint.style, sanitize.sanitize_line(hint.text), columns)[:4], columns)

    def _status(self, columns: int) -> Row:
        """The room and its state, on the left; Tor and the link, on the right. What matters less goes first."""
        tab = self.scene.active
        snapshot = self.scene.snapshot(tab)
        left = _about(snapshot, tab)
        right = self._links(tab, snapshot)
        while len(left) > 1 and sum(width(text) + 3 for _, _, text in left + right) > columns:
            left.remove(max(left, key=lambda part: part[0]))
        return rows.between(_joined(left), _joined(right), columns, "status")

    def _links(self, tab: Tab, snapshot: Snapshot | None) -> list[tuple[int, str, str]]:
        tor = self.scene.tor
        parts: list[tuple[int, str, str]] = []
        if isinstance(tor, events.ReadyEvent):
            parts.append((5, "status", "Tor"))
        else:
            style = "status bad" if self.scene.has_booted else "status"
            parts.append((0, style, f"Tor {tor.progress if tor else 0} %"))
        if tab.way_in.over:
            parts.append((0, "status bad", _OUT.get(tab.way_in.over, "over")))
        elif snapshot and snapshot.hosting and snapshot.settled and isinstance(tor, events.ReadyEvent):
            parts.append((0, "status good", "reachable"))
        elif snapshot and snapshot.hosting:
            lost = (0, "status bad", "not reachable now")
            parts.append(lost if snapshot.settled else (0, "status", "not reachable yet"))
        elif tab.link.state:
            tries = f" {tab.link.attempt}" if tab.link.state == "connecting" else ""
            style = "status good" if tab.link.state == "up" else "status bad" if tab.name else "status"
            parts.append((0, style, f"link {tab.link.state}{tries}"))
        return parts

    def _overlaid(self, overlay: Overlay, columns: int, height: int) -> list[Row]:
        head = [] if overlay.full else [rows.rule("overlay title", overlay.title, columns)]
        free = max(0, height - len(head))
        content = overlay.build(columns, free)
        self.scene.page = max(1, free - 1)
        overlay.offset = max(0, min(overlay.offset, len(content) - free))
        shown = content[overlay.offset : overlay.offset + free]
        if shown and len(content) > overlay.offset + free:
            shown[-1] = rows.rule("overlay title", "more: Page Down", columns)
        return [*head, *shown][:height]

    # --- what is typed

    def _prepare_input(self, columns: int) -> int:
        """Sets the caption of the input line; returns how many rows the line wants."""
        snapshot = self.scene.snapshot(self.scene.active)
        tab = self.scene.active
        own = (
            (snapshot.nick if snapshot else "")
            or (tab.way_in.again.nick if tab.way_in.again else "")
            or self.scene.nick
        )
        nick = sanitize.sanitize_line(own) if columns >= _WIDE and not tab.way_in.over else ""
        editor = self.editor.original_widget
        if conversation := self.scene.active.conversation:
            gone = " (gone)" if conversation.is_over else ""
            other = sanitize.sanitize_line(conversation.nick) + self.scene.active.looks.mark(conversation.member)
            only = f"{nick} → {other}{gone}>"
            editor.set_caption([("private prompt", only.lstrip()), ("prompt", " ")])
        else:
            editor.set_caption([("prompt", f"{nick}> " if nick else "> ")])
        return editor.rows_wanted(columns)


_WHEEL = 3
_OUT = {"refused": "not let in", "lost": "lost", "kicked": "thrown out", "closed": "closed"}  # why we are out


def _about(snapshot: Snapshot | None, tab: Tab) -> list[tuple[int, str, str]]:
    """What the status line says of a room. Of each part: how dispensable it is, style, text."""
    if snapshot is None or tab.way_in.over:
        return [(0, "status", tab.title)]
    ttl = snapshot.ttl
    ends = "no expiry" if ttl is None else f"yours expire in {retention.span(ttl)}" if ttl else "yours are shown once"
    parts = [
        (1, "status", tab.title),
        (2, "status", f"{snapshot.members} here" if snapshot.members else ""),
        (3, "status", who_hosts(snapshot, tab.looks.verified)),
        (4 if ttl is None else 2, "status", ends if snapshot.name else ""),
        *describe_restrictions(snapshot),
        (1, "status bad", count_waiting(tab.waiting.count) if tab.waiting.count else ""),
        (0, "alarm", "ALARM: do not trust this room" if snapshot.alarmed else ""),
    ]
    return [part for part in parts if part[2]]


def describe_restrictions(snapshot: Snapshot) -> list[tuple[int, str, str]]:
    """What keeps newcomers out, and talk slow. A raid closes the room in every way: what it says of it is enough."""
    slow = (4, "status", f"slow {retention.span(snapshot.slow)}" if snapshot.slow else "")
    if snapshot.raid:
        return [(2, "status bad", "raid: closed"), slow]
    shut = {"private": snapshot.private, "locked": snapshot.locked, "knock": snapshot.knock}
    return [*((4, "status", word) for word, is_so in shut.items() if is_so), slow]


def who_hosts(snapshot: Snapshot, verified: Verified) -> str:
    """Who hosts, and who would next."""
    host, heir = (sanitize.sanitize_line(nick) + verified.mark_nick(nick) for nick in (snapshot.host, snapshot.heir))
    hosts = "you host" if snapshot.hosting else f"host {host}" if host else ""
    if snapshot.ends_with_us:
        return f"{hosts}, nobody else could"
    then = "you" if heir and snapshot.heir == snapshot.nick else heir
    if then and not hosts:
        return "you host next" if then == "you" else f"{then} hosts next"
    return f"{hosts}, then {then}" if hosts and then else hosts


def _joined(parts: list[tuple[int, str, str]]) -> Row:
    row: Row = []
    for _, style, text in parts:
        row += [("status", "· " if row else " "), (style, text), ("status", " ")]
    return row


def _padded(drawn: list[Row], columns: int, height: int, *, top: bool = False) -> list[Row]:
    """With empty rows, above or below, to make so many."""
    blank: list[Row] = [[("", " " * columns)]] * (height - len(drawn))
    return blank + drawn if top else (drawn + blank)[:height]


def _fitted(drawn: list[Row], columns: int) -> list[Row]:
    return [rows.fit(row, columns) for row in drawn]


def _filled(drawn: list[Row], columns: int, height: int) -> urwid.CompositeCanvas:
    whole = _padded(_fitted(drawn, columns), columns, height)
    return urwid.CompositeCanvas(rows.canvas(whole, columns))
