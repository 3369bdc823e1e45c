"""The host's side of a room's links: accept, pass on, no faster than a room bears."""

import trio

from anonp2p import limits
from anonp2p.core import steps
from anonp2p.core.pace import Pace
from anonp2p.net.link import Link
from anonp2p.net.links import Links


async def serve(listener: trio.abc.Listener[trio.abc.Stream], links: Links) -> None:
    """Accepts links for a session until cancelled. Strangers are bounded in number, in time and in bytes.

    Those who knock faster than the pace allows are simply answered more slowly.
    """
    knocks = Pace(limits.JOIN_BURST, limits.JOIN_RATE)

    async def attend(stream: trio.abc.Stream) -> None:
        if links.half_open >= limits.HALF_OPEN:
            await trio.aclose_forcefully(stream)
            return
        link = Link(stream, limits.KNOCK)

        async def arrived(payload: bytes) -> None:
            if link.settled:
                await links.post(steps.Heard(number, payload))
                return
            if seconds := knocks.take(trio.current_time()):
                await trio.sleep(seconds)
            await links.post(steps.Heard(number, payload))
            await link.answered()  # what comes behind a knock is for the room to pace, once it knows whose it is

        number = links.attach(link)
        try:
            await links.post(steps.Linked(number))
            await link.run(arrived)
        finally:  # also when the listener goes, with its Tor: the room has to know
            with trio.move_on_after(limits.FLUSH, shield=True):
                await links.detach(number)

    await trio.serve_listeners(attend, [listener])
