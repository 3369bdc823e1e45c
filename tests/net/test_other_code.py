"""A room whose code is not the key with which it began any more: who comes by that one is in the same room."""

import trio.testing

from anonp2p.names import codes
from anonp2p.room import events, inputs
from anonp2p.room.hosting_events import CodeEvent
from tests.support.people import Gathering, Person, gathering
from tests.support.transports import MemoryNetwork


async def words(person: Person, nick: str) -> object:
    """The safety words that they read for themselves and one other."""
    before = len(person.heard(events.ReplyEvent))
    await person.session.post_input(inputs.VerifyInput(nick))
    await person.until(lambda: len(person.heard(events.ReplyEvent)) > before)
    data = person.heard(events.ReplyEvent)[-1].data
    assert isinstance(data, dict)
    return data["words"]


async def test_a_newcomer_by_the_next_code_is_in_the_same_room(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    async with gathering(memory) as gathered:
        await meet(gathered)


async def meet(gathered: Gathering) -> None:
    host = await gathered.host()
    ann = await gathered.join("ann")
    await host.session.post_input(inputs.CodeInput("asked"))
    await host.hears(CodeEvent, re="asked")
    gathered.code = codes.parse_code((await ann.hears(CodeEvent)).code).address
    bob = await gathered.join("bob")
    await bob.say("from bob")
    await ann.hears(events.MessageEvent, text="from bob")
    for author, reader, nick in ((ann, bob, "bob"), (bob, ann, "ann")):
        await author.session.post_input(inputs.WhisperInput(nick, f"to {nick}"))
        assert (await reader.hears(events.MessageEvent, text=f"to {nick}")).private
    await host.say("to all")
    await bob.hears(events.MessageEvent, text="to all")
    assert await words(bob, "ann") == await words(ann, "bob")
    ann_marks, bob_marks = ([mark[1:] for mark in it.session.room.replica.marks.latest_marks()] for it in (ann, bob))
    assert bob_marks
    assert bob_marks == ann_marks
