"""Keys and the mouse: what each does on the full screen."""

from collections.abc import Callable
from functools import partial
from itertools import islice

from anonp2p import limits
from anonp2p.ui import commands, endings, sanitize
from anonp2p.ui.bell import Bell
from anonp2p.ui.commands import from_first_seen
from anonp2p.ui.completion import Completer, Known
from anonp2p.ui.paths import list_paths
from anonp2p.ui.rooms import label_room
from anonp2p.ui.screen import overlays
from anonp2p.ui.screen.bare_view import BareView
from anonp2p.ui.screen.hint import Hint
from anonp2p.ui.screen.input.editor import Editor
from anonp2p.ui.screen.input.typeahead import Typeahead
from anonp2p.ui.screen.log_lines import UNFOLDED
from anonp2p.ui.screen.message_cursor import MessageCursor
from anonp2p.ui.screen.overlays import Overlay
from anonp2p.ui.screen.render_loop import RequestFrame
from anonp2p.ui.screen.scene import Scene
from anonp2p.ui.screen.search import TextSearch
from anonp2p.ui.screen.submission import Submission

_AGAIN = "Ctrl-C again leaves anonp2p."
_ROOM_KEYS = {f"meta {number}": label_room(number) for number in range(1, 10)}
_ALT_KEYS = frozenset(f"meta {key}" for key in "abcdflnopquy123456789")  # which mean something, here or to the editor
_OFFERED = 6  # candidates of a completion shown at once
_OVERLAY_BESIDE = 80  # columns from which F2 shows the members beside the log, and not over it


class Keyboard:
    """Does what a key is for, or has the editor take it.

    request_frame: has the view drawn. clear_terminal: has it drawn anew as a whole. leave: ends the program.
    """

    def __init__(
        self,
        scene: Scene,
        editor: Editor,
        bell: Bell,
        typeahead: Typeahead,
        submission: Submission,
        bare_view: BareView,
        request_frame: RequestFrame,
        clear_terminal: Callable[[], None],
        leave: Callable[[], None],
    ) -> None:
        self._scene = scene
        self._editor = editor
        self._bell = bell
        self._typeahead = typeahead
        self._submission = submission
        self._bare_view = bare_view
        self._request_frame = request_frame
        self._clear_terminal = clear_terminal
        self._leave = leave
        self._cursor = MessageCursor(scene, editor, submission)
        self._completer = Completer()
        self._asked = ""  # what the next key may confirm

    def press_key(self, size: tuple[int, int], key: str) -> str | None:
        """A key was pressed. Returns it where there is nothing to be done about it."""
        if key in ("focus in", "focus out"):
            self._focus(key == "focus in")
            return None
        if self._typeahead.hold_key(size, key):
            return None
        if key == "meta /":
            self.press_key(size, "esc")  # both came in one piece, as over a slow link
            return self.press_key(size, key[-1])
        self._bell.note_key()
        self._request_frame(at_once=True)
        if self._bare_view.is_open:
            self._bare_view.close()
            return None
        asked, self._asked, self._scene.hint = self._asked, "", None
        if key.startswith("meta ") and len(key) == len("meta x") and key not in _ALT_KEYS:
            # A habit of another program. As Esc it would end a private conversation, and what follows would go to all.
            self._scene.hint = Hint(f"Alt-{sanitize.sanitize_line(key[-1])} is no key here; F1 lists them all.")
            return None
        if key not in ("tab", "shift tab"):
            self._completer.end()
        if self._scene.overlay and self._press_in_overlay(self._scene.overlay, key):
            return None
        if self._scene.search and self._press_in_search(self._scene.search, key):
            return None
        if done := self._cursor.press_key(key, confirmed=asked == "retract"):
            self._asked = done
            return None
        match key:
            case "enter":
                self._asked = self._submission.submit_text("yes" if asked == "long" else "")
            case "y" | "n" if asked == "code":
                self._submission.submit_text("yes" if key == "y" else "no")
            case "tab" | "shift tab":
                self._complete(forward=key == "tab")
            case "ctrl c" | "ctrl d" if not self._editor.edit_text:
                self._ask_to_leave(asked=asked == "leave")
            case "ctrl c":
                self._editor.cut()
            case _ if not self._press_global(size, key):
                return self._editor.keypress(size[:1], key)
        return None

    def turn_wheel(self, by: int) -> None:
        """Scrolls up by so many rows."""
        self._scroll(by)
        self._request_frame()

    def show_room(self, label: str) -> None:
        """Shows the tab of a room, if there is one."""
        if tab := self._scene.tabs.rooms.by_label.get(label):
            self._completer.end()
            self._scene.show_tab(tab)
            self._request_frame()

    def _press_in_overlay(self, overlay: Overlay, key: str) -> bool:
        """Scrolls the overlay, or puts it away; returns whether the key was for the overlay alone."""
        page = self._scene.page
        moves = {"up": -1, "down": 1, "page up": -page, "page down": page, "home": -(10**6), "end": 10**6}
        if key in moves:
            overlay.offset += moves[key]
            return True
        self._scene.overlay = None
        if key in overlay.answers:
            overlay.answers[key]()
            return True
        return key in ("esc", "enter", "q", "f1", "f2")

    def _press_in_search(self, search: TextSearch, key: str) -> bool:
        """Looks for what is typed, or ends the search; returns whether the key was for the search alone."""
        if search.press_key(key):
            self._scene.show_selected()
            return True
        self._scene.search = None
        if key == "enter" and search.among == "typed":
            search.take_line(self._editor)
        elif key == "enter":
            self._cursor.show(search.tab.sight.selected)
        else:
            search.tab.sight.select_message(None)
            if key == "esc":
                search.tab.sight.scroll_to_end()
        return key in ("enter", "esc", "ctrl c")

    def _go_to_mention(self, by: int) -> None:
        """Selects the next message that calls the user."""
        found = self._scene.active.sight.next_message(by, lambda message: message.mention)
        if found:
            self._cursor.show(found)
        else:
            self._scene.hint = Hint(f"Nobody calls you {'above' if by > 0 else 'below'}.")

    def _press_global(self, size: tuple[int, int], key: str) -> bool:
        """Handles keys that mean the same everywhere; returns whether this is one."""
        scene = self._scene
        sight, tabs = scene.active.sight, scene.tabs
        page = max(1, scene.body[0] - 2)
        match key:
            case "page up":
                self._scroll(page)
            case "page down":
                self._scroll(-page)
            case "home" | "ctrl home" if sight.looking_back or key == "ctrl home" or not self._editor.edit_text:
                height, layout = scene.body
                sight.scroll_to_top(height, layout, scene.context())
            case "end" | "ctrl end" if sight.looking_back or key == "ctrl end" or not self._editor.edit_text:
                sight.scroll_to_end()
            case "ctrl n":
                scene.show_tab(tabs.tab_beside(1))
            case "ctrl p":
                scene.show_tab(tabs.tab_beside(-1))
            case "meta a":
                scene.show_tab(tabs.unread_tab())
            case "meta u":
                if not sight.show_unread(*scene.body, scene.context()):
                    scene.hint = Hint("Nothing here is new.")
            case "meta q":
                self._submission.answer_privately()
            case "meta c":
                self._submission.copy_text()
            case "ctrl f":
                scene.search = TextSearch(scene.active, "said")
            case "ctrl r":
                scene.search = TextSearch(scene.active, "typed")
            case "meta p":
                self._go_to_mention(1)
            case "meta n":
                self._go_to_mention(-1)
            case "meta l":
                self._bare_view.open()
            case "meta o":
                if not sight.toggle_long_messages(*scene.body, scene.context()):
                    scene.hint = Hint(f"No message in sight has more than {UNFOLDED} lines.")
            case "ctrl l":
                self._clear_terminal()
            case "ctrl z":  # the terminal passes it on only then
                scene.hint = Hint("There is no shell to go back to here.")
            case "f1":
                scene.overlay = overlays.of_help(commands.COMMANDS)
            case "f2" if size[0] < _OVERLAY_BESIDE:
                active = scene.active
                scene.overlay = overlays.of_members(partial(scene.people, active), active.waiting, scene.now)
            case "f2":
                scene.wants_people = not scene.wants_people
            case "f3":
                self._bell.is_on = not self._bell.is_on
                scene.hint = Hint(f"The bell is {'on' if self._bell.is_on else 'off'}.")
            case "esc":
                if tabs.put_away_warning():
                    pass
                elif scene.active.way_in.over and not sight.looking_back and self._has_nothing_typed():
                    self._submission.drop_tab(scene.active)
                elif scene.active.conversation:
                    self._submission.end_conversation()
                else:
                    sight.scroll_to_end()
            case _ if key in _ROOM_KEYS:
                self.show_room(_ROOM_KEYS[key])
            case _:
                return False
        return True

    def _has_nothing_typed(self) -> bool:
        """Whether there is nothing to lose: a line that the program began is nothing."""
        return not self._editor.edit_text or self._scene.active.way_in.wants_nick

    def _scroll(self, by: int) -> None:
        if self._scene.overlay:
            self._scene.overlay.offset -= by
        else:
            height, layout = self._scene.body
            self._scene.active.sight.scroll_by(by, height, layout, self._scene.context())

    def _focus(self, focused: bool) -> None:
        self._scene.watched = focused
        if focused:
            self._bell.note_key()
        elif not self._scene.active.sight.looking_back:
            self._scene.active.log.mark_read()
        self._request_frame()

    def _ask_to_leave(self, *, asked: bool) -> None:
        if asked:
            self._scene.hint = Hint("Leaving …")
            self._leave()
        else:
            self._asked = "leave"
            becomes = endings.foresee_quit(self._scene.list_rooms())
            self._scene.hint = Hint(f"{_AGAIN} {becomes}", "caution") if becomes else Hint(_AGAIN)

    def _list_numbers(self) -> list[str]:
        """Of the messages that what is typed may name, the latest first: only one's own can be retracted."""
        own = from_first_seen(self._editor.edit_text).lower().startswith("/retract")
        log = self._scene.active.log
        numbers = (log.number_of(it) for it in log.latest_messages() if it.mine or not own)
        return [str(number) for number in islice(numbers, limits.NUMBERED) if number is not None]

    def _list_offers(self) -> list[str]:
        return [str(number) for number in self._scene.active.offers.numbers]

    def _complete(self, *, forward: bool) -> None:
        active = self._scene.active
        here = dict.fromkeys(self._scene.people(active).nicks)
        spoke = {nick: None for nick in reversed(active.speakers) if nick in here}
        rooms = [tab.name for tab in self._scene.tabs.of_rooms if tab.name]
        room = self._scene.find_room(active.label)
        banned = [sanitize.sanitize_line(nick) for nick in room.banned()] if room and not active.way_in.over else []
        nicks, numbers, offers = list(spoke | here), self._list_numbers(), self._list_offers()
        known = Known(nicks, active.waiting.nicks, rooms, numbers, banned, offers, list_paths)
        edited = self._completer.press(self._editor.edit_text, self._editor.edit_pos, known, forward=forward)
        if edited:
            self._editor.replace(*edited)
        if self._completer.candidates:
            chosen = self._completer.chosen
            marked = [_last_part(one) + self._mark_candidate(one) for one in self._completer.candidates]
            shown = [f"[{one}]" if at == chosen else one for at, one in enumerate(marked)]
            self._scene.hint = Hint("  ".join(shown[chosen // _OFFERED * _OFFERED :][:_OFFERED]))

    def _mark_candidate(self, candidate: str) -> str:
        """What stands behind a candidate that is the nick of somebody verified."""
        return self._scene.active.looks.verified.mark_nick(candidate.removeprefix("@").removesuffix(":"))


def _last_part(candidate: str) -> str:
    """Of a path what it ends with, which tells it from the others; all of anything else."""
    parent = candidate.rstrip("/").rpartition("/")[0]
    return candidate[len(parent) + 1 :] if parent else candidate
