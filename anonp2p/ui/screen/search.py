"""Finding, as one types, a message that is shown, or a line that one has typed before."""

from dataclasses import dataclass
from typing import Literal

from anonp2p import limits
from anonp2p.ui.keys import PASTE
from anonp2p.ui.screen.hint import Hint
from anonp2p.ui.screen.input.drafts import SentText
from anonp2p.ui.screen.input.editor import Editor
from anonp2p.ui.screen.log_lines import ChatMessage
from anonp2p.ui.screen.tab import Tab


@dataclass(slots=True, repr=False, eq=False)
class TextSearch:
    """What is looked for in a tab, and where. sent: the line found among those typed before. Never shows what it holds.

    What has ended since is not found: a message is looked up in the log, a line among those that are kept.
    """

    tab: Tab
    among: Literal["said", "typed"]
    text: str = ""
    sent: SentText | None = None

    @property
    def sought(self) -> str:
        """What is to be marked in messages."""
        return self.text if self.among == "said" else ""

    @property
    def line(self) -> str:
        """The line that was found; empty if there is none, or it is gone."""
        return self.sent.text if self.sent and self.sent in self.tab.draft.history else ""

    @property
    def hint(self) -> Hint:
        """What stands above the input line."""
        if self.among == "said":
            state = "" if not self.text else _SAID if self.tab.sight.selected else _NOTHING
            return Hint(f"Find: {self.text}▏ {state or _SAID_FIRST}", "title")
        found = f"{self.line}  {_TYPED}" if self.line else _NOTHING if self.text else _TYPED_FIRST
        return Hint(f"Typed before: {self.text}▏ {found}", "title")

    def press_key(self, key: str) -> bool:
        """Takes a key that is for the search; returns whether it was."""
        if key.startswith(PASTE):
            self._look(self.text + key.removeprefix(PASTE).partition("\n")[0])
        elif len(key) == 1:
            self._look(self.text + key)
        elif key in ("backspace", "ctrl h"):
            self._look(self.text[:-1])
        elif key == "ctrl u":
            self._look("")
        elif key in ("up", "ctrl r", "ctrl f"):
            self._find(1)
        elif key in ("down", "ctrl s"):
            self._find(-1)
        else:
            return False
        return True

    def take_line(self, editor: Editor) -> None:
        """The line that was found stands in the input line, to be sent or changed."""
        if self.line:
            editor.replace(self.line, len(self.line))

    def _look(self, text: str) -> None:
        """Looks for another text, from the latest on."""
        self.text = text[: limits.SOUGHT]
        self.sent = None
        sight, words = self.tab.sight, self.text.casefold()
        if self.among == "typed":
            self._find(1)
            return
        sight.scroll_to_end()
        sight.select_message(next((it for it in self.tab.log.latest_messages() if words and _has(it, words)), None))

    def _find(self, by: int) -> None:
        """Goes on to the next one, before or after the one that is found; stays where there is none."""
        sight, words = self.tab.sight, self.text.casefold()
        if not words:
            return
        if self.among == "said":
            sight.select_message(sight.next_message(by, lambda it: _has(it, words)) or sight.selected)
        elif by > 0:
            self.sent = self.tab.draft.history.find_before(self.sent, words) or self.sent
        else:
            self.sent = self.tab.draft.history.find_after(self.sent, words) or self.sent


def _has(message: ChatMessage, words: str) -> bool:
    return words in message.text.casefold()


_NOTHING = "(not found)"
_SAID_FIRST = "(Esc ends)"
_SAID = "(Up, Down: the next; Enter selects it; Esc ends)"
_TYPED_FIRST = "(Esc ends)"
_TYPED = "(Ctrl-R: the one before; Enter takes it; Esc ends)"
