"""A private conversation: while it lasts, what is typed in a room goes to one member, and never to all."""

import dataclasses
from collections.abc import Iterable

from anonp2p.errors import AnonError
from anonp2p.room import events, file_inputs, inputs
from anonp2p.room.errors import WhisperToSelf
from anonp2p.room.snapshot import MemberView, find_named
from anonp2p.ui.actions import Action
from anonp2p.ui.commands import from_first_seen, is_command, parse_line
from anonp2p.ui.errors import ConversationOver, NotInConversation


class Conversation:
    """With this member, who may change nicks. is_over: the member is not in the room any more.

    Then too nothing that is typed goes to all: the user has to end the conversation first.
    """

    def __init__(self, member: str, nick: str) -> None:
        self.member = member
        self.nick = nick
        self.is_over = False

    def take_event(self, event: events.Event) -> None:
        """Follows what the member does."""
        match event:
            case events.RenamedEvent(member=self.member, nick=nick):
                self.nick = nick
            case events.JoinedEvent(member=self.member, nick=nick):
                self.nick, self.is_over = nick, False
            case events.LeftEvent(member=self.member):
                self.is_over = True

    def address_action(self, action: Action, answered: str = "") -> Action:
        """What is meant by an action here. Raises AnonError for what would go to all.

        answered: the member who has written the private message that a reply refers to.
        """
        match action:
            case inputs.SayInput(text=text, action=False, re=re):
                if self.is_over:
                    raise ConversationOver(self.nick)
                return inputs.WhisperInput(self.nick, text, re, self.member)
            case inputs.ReplyInput() if answered == self.member:
                return action
            case file_inputs.SendFileInput(nick=""):
                if self.is_over:
                    raise ConversationOver(self.nick)
                return dataclasses.replace(action, nick=self.nick, member=self.member)
            case inputs.SayInput() | inputs.ReplyInput():
                raise NotInConversation
        return action

    def keep_private(self, typed: str) -> str:
        """What is to stand in the input line once the conversation is over: a text that still goes to the member."""
        seen = from_first_seen(typed)
        if _offers_to_all(seen):
            return f"{typed.rstrip()} {self.nick}"
        if not seen or is_command(typed):
            return typed
        return f"/msg {self.nick} {seen.replace('//', '/', 1) if seen.startswith('//') else typed}"


def _offers_to_all(line: str) -> bool:
    """Whether a line offers a file to the whole room."""
    try:
        return isinstance(action := parse_line(line), file_inputs.SendFileInput) and not action.nick
    except AnonError:
        return False


def begin_conversation(members: Iterable[MemberView], nick: str) -> Conversation:
    """With the member who has this nick, or one that looks like it. Raises AnonError."""
    found = find_named(members, nick)
    if found.mine:
        raise WhisperToSelf
    return Conversation(found.member, found.nick)
