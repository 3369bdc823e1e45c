"""Commands that change a room for the user alone, and that nobody else is told of: what they do in line mode."""

from anonp2p.room import events
from anonp2p.ui import wording
from anonp2p.ui.actions import ConverseAction, CopyAction, IgnoreAction, NotifyAction, QuietAction
from anonp2p.ui.bell import Bell
from anonp2p.ui.clipboard import Clipboard
from anonp2p.ui.conversation import begin_conversation
from anonp2p.ui.errors import PRIVATE_CODE, NoBell, NoConversation, NothingToCopy
from anonp2p.ui.file_wording import said_words
from anonp2p.ui.frontend import RoomView
from anonp2p.ui.ignored import find_ignored
from anonp2p.ui.line.excerpts import Excerpts
from anonp2p.ui.line.line_room import LineRoom
from anonp2p.ui.links import choose_link
from anonp2p.ui.sanitize import sanitize_text

LocalAction = CopyAction | ConverseAction | NotifyAction | IgnoreAction | QuietAction


class LocalCommands:
    """bell, clipboard: of the terminal on which somebody types, if it has one. excerpts: what can be copied."""

    def __init__(self, bell: Bell | None, clipboard: Clipboard | None, excerpts: Excerpts) -> None:
        self._bell = bell
        self._clipboard = clipboard
        self._excerpts = excerpts

    def carry_out(self, action: LocalAction, label: str, room: RoomView, kept: LineRoom) -> events.Event:
        """Does it to the room with this label, and says so. Raises AnonError."""
        match action:
            case CopyAction():
                said = self._copy(action, label, room)
            case NotifyAction():
                said = self._set_notices(action, kept)
            case IgnoreAction():
                said = _ignore(action, room, kept)
            case QuietAction(does="show"):
                return events.ReplyEvent(room=label, command="/quiet", data=_list_aside(kept), re=action.re)
            case QuietAction(does=does, minutes=minutes):
                if does == "set":
                    kept.newcomers.minutes = minutes
                said = wording.quiet(kept.newcomers.minutes)
            case _:
                said = _converse(action, room, kept)
        return events.NoticeEvent(room=label, text=said, re=action.re)

    def _copy(self, action: CopyAction, label: str, room: RoomView) -> str:
        """Raises NothingToCopy."""
        if self._clipboard is None:
            raise NothingToCopy("there is no terminal here with a clipboard")
        match action.what:
            case None | "code" if room.snapshot().private:
                raise NothingToCopy(PRIVATE_CODE)
            case None | "code":
                return self._clipboard.copy(room.snapshot().code, "The room's code")
            case "link":
                link = choose_link((it.text, it.newcomer) for it in self._excerpts.list_excerpts(label))
                return self._clipboard.copy(link, "The latest link")
            case int(number):
                found = self._excerpts.find_numbered(label, number)
                if found is None:
                    raise NothingToCopy("there is no such message any more")
                return self._clipboard.copy(sanitize_text(found.text).rstrip(), "The message")

    def _set_notices(self, action: NotifyAction, room: LineRoom) -> str:
        """What calls the user from now on, in words. Raises NoBell."""
        if self._bell is None:
            raise NoBell
        if action.level is not None:
            room.attention.set_level(action.level)
        if action.desktop is not None:
            self._bell.is_notifying = action.desktop
        return wording.describe_notices(room.attention.level, desktop=self._bell.is_notifying)


def _converse(action: ConverseAction, room: RoomView, kept: LineRoom) -> str:
    """Begins a private conversation, or ends it. Raises AnonError."""
    if action.nick is not None:
        kept.conversation = begin_conversation(room.members(), action.nick)
        nick = kept.conversation.nick + kept.verified.mark(kept.conversation.member)
        return f"{wording.conversation_begins(nick)} /query alone goes back to the room."
    if kept.conversation is None:
        raise NoConversation
    kept.conversation = None
    return wording.CONVERSATION_OVER


def _ignore(action: IgnoreAction, room: RoomView, kept: LineRoom) -> str:
    """Ignores a member of the room, or no more; says whom the user ignores. Raises AnonError."""
    if action.nick is not None and action.on:
        member = find_ignored(room.members(), action.nick)
        kept.ignored.add_member(member.member, member.nick)
        kept.newcomers.forget_author(member.member)
        return wording.ignores(member.nick)
    if action.nick is not None:
        kept.ignored.remove_nick(action.nick)
    return wording.ignored(kept.ignored.nicks)


def _list_aside(kept: LineRoom) -> list[dict[str, object]]:
    """What was put aside, as data."""
    return [
        {"seq": it.seq, "member": it.member, "nick": it.nick, "words": said_words(it)}
        for it in kept.newcomers.list_aside()
    ]
