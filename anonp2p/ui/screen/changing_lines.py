"""The lines of a room's log that change, or are taken out again, after they were added."""

from typing import TypeVar

from anonp2p import limits
from anonp2p.room import events
from anonp2p.room.hosting_events import HeirsEvent
from anonp2p.room.moderation_events import WaitingEvent
from anonp2p.ui.screen.log_lines import ChatMessage, date_of
from anonp2p.ui.screen.program_lines import (
    AsideLine,
    CodeCard,
    Divider,
    JoiningLine,
    LookalikesLine,
    MembershipLine,
    RemovalsLine,
    WaitingLine,
)
from anonp2p.ui.screen.scrollback import Scrollback

_MERGING = (MembershipLine, RemovalsLine, AsideLine, LookalikesLine)  # of each there is one at the end of the log
_Merging = TypeVar("_Merging", MembershipLine, RemovalsLine, AsideLine, LookalikesLine)
_TOGETHER = 5 * 60  # seconds for which comings and goings are told in one line, under the time of the first


class ChangingLines:
    """Those of one log, which may have been cleared of them. is_private: whether the code alone lets nobody in."""

    def __init__(self, log: Scrollback) -> None:
        self._log = log
        self.is_private = False
        self._card: CodeCard | None = None
        self._joining: JoiningLine | None = None
        self._waiting: WaitingLine | None = None
        self._history_end: Divider | None = None  # the line below the history that we were given

    def show_joining(self, now: float, attempt: int | None = None, detail: str = "", *, knocks: bool = False) -> None:
        """Shows that we wait to be let in. attempt, detail: of the try that begins. knocks: a moderator has to."""
        self._joining = self._joining or JoiningLine(now)
        if self._joining not in self._log:
            self._log.add_line(self._joining)
        if attempt is not None:
            self._joining.attempt, self._joining.detail = attempt, detail
        self._joining.knocks = knocks

    def remove_joining(self) -> None:
        """Shows no more that we wait."""
        if self._joining:
            self._log.remove_line(self._joining)
            self._joining = None

    def show_waiting(self, now: float, event: WaitingEvent) -> None:
        """Shows who waits to be let in, in one line however often that changes; below the rest if somebody new does."""
        people = [(one.nick, one.tag) for one in event.people]
        if self._waiting is None or self._waiting not in self._log or set(people) - set(self._waiting.people):
            self.remove_waiting()
            self._waiting = WaitingLine(now)
            self._log.add_line(self._waiting)
        self._waiting.count, self._waiting.people = event.count, people
        if not event.count:
            self.remove_waiting()

    def remove_waiting(self) -> None:
        """Shows no more that somebody waits."""
        if self._waiting:
            self._log.remove_line(self._waiting)
            self._waiting = None

    def show_code(self, now: float, name: str, code: str) -> None:
        """Shows the code of a room of ours, which nobody can use yet, nor without an invitation where it is private."""
        self._card = CodeCard(now, name, code, private=self.is_private)
        self._log.add_line(self._card)

    def show_new_code(self, now: float, name: str, code: str) -> None:
        """Shows the code that has taken the place of another."""
        self._log.add_line(CodeCard(now, name, code, None, self.is_private))

    def mark_reachable(self) -> bool:
        """Shows beside the code that others can join. False where it says so already, or is not there any more."""
        card = self._card if self._card in self._log else None
        if card is None or card.reachable:
            return False
        card.reachable = True
        return True

    def add_history(self, message: ChatMessage) -> None:
        """Adds what was said before we came, above the line that ends it."""
        if self._history_end:
            self._log.remove_line(self._history_end)
        self._log.add_line(message)
        self._history_end = Divider(message.at, "what was said before you came ends here", "quiet")
        self._log.add_line(self._history_end)

    def tell_heirs(self, now: float, event: HeirsEvent) -> None:
        """Shows if nobody can take the room over any more, on the line of who came and went."""
        if not event.heirs or self._find_lowest(MembershipLine, now):
            self.membership_line(now).tell_heirs(event)

    def membership_line(self, now: float) -> MembershipLine:
        """The line that tells of who comes and goes: the latest one of the log, or a new one."""
        latest = self._find_lowest(MembershipLine, now)
        if latest is None or latest.count >= limits.MERGED_MOVES:
            latest = MembershipLine(now)
            self._log.add_line(latest)
        return latest

    def add_removal(self, now: float, member: str, nick: str, why: str) -> None:
        """Tells that a member was thrown out."""
        latest = self._find_lowest(RemovalsLine, now)
        if latest is None or latest.why != why:
            latest = RemovalsLine(now, why)
            self._log.add_line(latest)
        latest.removed.append((member, nick))

    def put_aside(self, now: float, member: str) -> None:
        """Counts a message of this member that is not shown."""
        latest = self._find_lowest(AsideLine, now)
        if latest is None:
            latest = AsideLine(now)
            self._log.add_line(latest)
        latest.add_message(member)

    def add_lookalike(self, now: float, event: events.LookalikeEvent) -> None:
        """Adds that a nick may be taken for another one."""
        latest = self._find_lowest(LookalikesLine, now)
        if latest is None:
            latest = LookalikesLine(now)
            self._log.add_line(latest)
        latest.add_event(event)

    def _find_lowest(self, kind: type[_Merging], now: float) -> _Merging | None:
        """The line of this kind that goes on, as nothing but other such lines stands below it; None if none does.

        So a flood of joins, each with something said by a newcomer or a nick like another's, takes one line of each.
        """
        for line in self._log.lines_upward():
            if not isinstance(line, _MERGING) or now - line.at >= _TOGETHER or date_of(line.at) != date_of(now):
                return None
            if isinstance(line, kind):
                return line
        return None
