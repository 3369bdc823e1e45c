"""The message that the user goes to with the arrow keys, and what keys do with it."""

from anonp2p.ui import sanitize
from anonp2p.ui.screen.hint import Hint
from anonp2p.ui.screen.input.editor import Editor
from anonp2p.ui.screen.log_lines import ChatMessage
from anonp2p.ui.screen.scene import Scene
from anonp2p.ui.screen.shown_offer import ShownOffer
from anonp2p.ui.screen.submission import Submission


class MessageCursor:
    """While a message is selected, letters are commands, and no text."""

    def __init__(self, scene: Scene, editor: Editor, submission: Submission) -> None:
        self._scene = scene
        self._editor = editor
        self._submission = submission

    def press_key(self, key: str, *, confirmed: bool) -> str:
        """Takes a key that is for the message: `done`; `retract`: the same key is to confirm that; else empty.

        confirmed: the key before was answered with `retract`.
        """
        selected = self._scene.active.sight.selected
        if key in ("meta up", "meta down"):
            self._move(1 if key == "meta up" else -1)
            return "done"
        if selected is None:
            return ""
        match key.lower() if len(key) == 1 else key:
            case "up" | "down":
                self._move(1 if key == "up" else -1)
            case "esc":
                self._let_go()
                self._scene.active.sight.scroll_to_end()
            case "enter":
                self._reply(selected)
            case "c":
                self._submission.copy_text()
                self._let_go()
            case "a" if selected.offer and selected.offer.can_be_taken:
                self._let_go()
                self._submission.accept_offer(selected.offer.number)
            case "d" | "delete" if selected.offer and not selected.mine:
                self._let_go()
                self._submission.decline_offer(selected.offer.number)
            case "i" if not selected.mine:
                self._let_go()
                self._submission.ignore_author(selected)
            case "d" | "delete" if selected.mine:
                if not confirmed:
                    self._scene.hint = Hint("D again takes this message back, for all.", "caution")
                    return "retract"
                self._let_go()
                self._submission.retract_message(selected)
            case _ if len(key) > 1:
                return ""
            case _:
                self._say()
        return "done"

    def show(self, message: ChatMessage | None) -> None:
        """Selects this message, if there is one, and says what keys do with it."""
        if message:
            self._scene.active.sight.select_message(message)
            self._scene.show_selected()
        self._say()

    def _move(self, by: int) -> None:
        sight = self._scene.active.sight
        found = sight.next_message(by)
        if found is None and by < 0:  # below the latest one there is what is typed
            self._let_go()
            sight.scroll_to_end()
        else:
            self.show(found)

    def _let_go(self) -> None:
        self._scene.active.sight.select_message(None)

    def _say(self) -> None:
        selected = self._scene.active.sight.selected
        if selected:
            mark = self._scene.active.looks.mark(selected.member)
            whose = "your own" if selected.mine else sanitize.sanitize_line(selected.nick) + mark
            more = "D takes it back" if selected.mine else "I ignores its author"
            more += "; Alt-O shows all lines, or fewer" if selected.is_long else ""
            what = f"File, {whose}: {_name_keys(selected.offer)}" if selected.offer else f"Message, {whose}: "
            text = f"{what}Enter replies, C copies, {more}; Up, Down: another one; Esc: none"
            self._scene.hint = Hint(text, "title")

    def _reply(self, selected: ChatMessage) -> None:
        number = self._scene.active.log.number_of(selected)
        if number is None:
            self._scene.hint = Hint("The place of this message was lost: it has no number to refer to.", "error")
            return
        typed = self._editor.edit_text
        line = f"/reply {number} {'' if typed.startswith('/') else typed}"
        self._editor.replace(line, len(line))
        self._let_go()


def _name_keys(offer: ShownOffer) -> str:
    """What keys do with an offer of another's, besides what they do with a message."""
    if offer.mine:
        return ""
    return f"{'A takes it, ' if offer.can_be_taken else ''}D {'stops it' if offer.is_under_way else 'hides it'}, "
