"""Private conversations: where each line goes."""

import pytest

from anonp2p.errors import NoSuchNick
from anonp2p.room import events, file_inputs, inputs
from anonp2p.room.errors import WhisperToSelf
from anonp2p.room.snapshot import MemberView
from anonp2p.ui.conversation import Conversation, begin_conversation
from anonp2p.ui.errors import ConversationOver, NotInConversation


def view(member: str, nick: str, *, mine: bool = False) -> MemberView:
    return MemberView(member=member, nick=nick, role="member", tag=member, away=False, mine=mine)


PEOPLE = [view("a", "ada", mine=True), view("b", "Ben")]


def test_it_begins_with_a_member_by_a_nick_in_any_case() -> None:
    begun = begin_conversation(PEOPLE, "bEN")
    assert (begun.member, begun.nick) == ("b", "Ben")
    for nick, error in (("cho", NoSuchNick), ("ADA", WhisperToSelf)):
        with pytest.raises(error):
            begin_conversation(PEOPLE, nick)


def test_what_is_typed_goes_to_the_member_under_whatever_nick() -> None:
    talk = Conversation("b", "ben")
    assert talk.address_action(inputs.SayInput("hi", re=7)) == inputs.WhisperInput("ben", "hi", 7, "b")
    talk.take_event(events.RenamedEvent(room="r1", member="b", was="ben", nick="Ben.2"))
    talk.take_event(events.RenamedEvent(room="r1", member="c", was="cho", nick="ben"))
    talk.take_event(events.LeftEvent(room="r1", member="c", nick="ben", reason="left"))
    assert talk.address_action(inputs.SayInput("hi")) == inputs.WhisperInput("Ben.2", "hi", member="b")


def test_nothing_goes_to_all() -> None:
    talk = Conversation("b", "ben")
    for action in (inputs.SayInput("waves", action=True), inputs.ReplyInput(7, "yes")):
        with pytest.raises(NotInConversation):
            talk.address_action(action)
    with pytest.raises(NotInConversation):
        talk.address_action(inputs.ReplyInput(7, "yes"), "c")
    assert talk.address_action(inputs.ReplyInput(7, "yes"), "b") == inputs.ReplyInput(7, "yes")
    assert talk.address_action(inputs.AskInput("/who")) == inputs.AskInput("/who")


def test_a_file_is_offered_to_the_member_unless_somebody_is_named() -> None:
    talk = Conversation("b", "ben")
    offered = file_inputs.SendFileInput("a.pdf", re=7)
    assert talk.address_action(offered) == file_inputs.SendFileInput("a.pdf", "ben", re=7, member="b")
    named = file_inputs.SendFileInput("a.pdf", "cho", clean=True)
    assert talk.address_action(named) == named
    talk.take_event(events.LeftEvent(room="r1", member="b", nick="ben", reason="left"))
    with pytest.raises(ConversationOver):
        talk.address_action(offered)


def test_when_the_member_has_left_nothing_is_sent_until_it_is_back() -> None:
    talk = Conversation("b", "ben")
    talk.take_event(events.LeftEvent(room="r1", member="b", nick="ben", reason="lost"))
    with pytest.raises(ConversationOver):
        talk.address_action(inputs.SayInput("hi"))
    talk.take_event(events.JoinedEvent(room="r1", member="c", nick="ben"))
    with pytest.raises(ConversationOver):
        talk.address_action(inputs.SayInput("hi"))
    talk.take_event(events.JoinedEvent(room="r1", member="b", nick="ben"))
    assert talk.address_action(inputs.SayInput("hi")) == inputs.WhisperInput("ben", "hi", member="b")


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("hi", "/msg ben hi"),
        ("//usr/bin", "/msg ben /usr/bin"),
        ("/who", "/who"),
        ("\u200b/who", "\u200b/who"),
        ("", ""),
        (" \n", " \n"),
        ("/send a.pdf", "/send a.pdf ben"),
        ("/upload 'a b' --clean ", "/upload 'a b' --clean ben"),
        ("/send a.pdf cho", "/send a.pdf cho"),
        ("/send 'a", "/send 'a"),
    ],
)
def test_what_was_for_one_does_not_become_a_message_to_all(typed: str, kept: str) -> None:
    assert Conversation("b", "ben").keep_private(typed) == kept
