"""What has come to its end is held by no object any more, of host and members alike: all are in this process."""

import gc
import secrets

import trio
import trio.testing

from anonp2p import limits
from anonp2p.crypto.epoch import FLEETING
from anonp2p.room import events, inputs
from tests.support.memory import held
from tests.support.people import Person, gathering
from tests.support.transports import MemoryNetwork


def forget(person: Person) -> None:
    """They look away: what they were told is ours, not the program's."""
    person.told[:] = [event for event in person.told if not isinstance(event, events.MessageEvent)]


async def test_what_has_expired_is_held_by_no_object_of_host_and_members(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    async with gathering(memory) as gathered:
        host = await gathered.host()
        ann, bob = await gathered.join("ann"), await gathered.join("bob")
        people = (host, ann, bob)
        needles = []
        for number, ttl in enumerate((30, FLEETING)):
            needles.append(secrets.token_hex(16).encode())
            await ann.session.post_input(inputs.RetainInput(ttl))
            await ann.say(needles[number].decode())
            for person in people:
                await person.until(lambda person=person, number=number: len(person.heard(events.MessageEvent)) > number)  # type: ignore[misc]
        await ann.session.post_input(inputs.WhisperInput("bob", needles[0].decode() + " in private"))
        await bob.until(lambda: len(bob.heard(events.MessageEvent)) == 3)
        for person in people:
            forget(person)
        gc.collect()
        assert held(needles[0]), "it lives, so the host holds it"
        await trio.sleep(30 + limits.FLEETING_CHECK)
        for person in people:
            assert len(person.heard(events.ExpiredEvent)) >= 1
            await person.say("something else")
        gc.collect()
        assert held(*needles) == []
