"""The host's side of a room's links: accept, pass on, no faster than a room bears."""

import math

import trio

from anonp2p import limits
from anonp2p.core import steps
from anonp2p.core.pace import Pace
from anonp2p.net.link import Link
from anonp2p.net.links import Links


async def serve(listener: trio.abc.Listener[trio.abc.Stream], links: Links) -> None:
    """Accepts links for a session until cancelled. Strangers are bounded in number, in time and in bytes.

    Whoever is faster than its pace allows is simply read more slowly, so that nothing of it is lost.
    """
    knocks = Pace(limits.JOIN_BURST, limits.JOIN_RATE)

    async def attend(stream: trio.abc.Stream) -> None:
        if links.half_open >= limits.HALF_OPEN:
            await trio.aclose_forcefully(stream)
            return
        link = Link(stream, limits.KNOCK)
        payloads = Pace(limits.MESSAGE_BURST, limits.MESSAGE_RATE)

        async def arrived(payload: bytes) -> None:
            now = trio.current_time()
            units = math.ceil(len(payload) / limits.UNIT)
            if seconds := payloads.take(now, units) if link.settled else knocks.take(now):
                await trio.sleep(seconds)
            await links.post(steps.Heard(number, payload))

        number = links.attach(link)
        try:
            await links.post(steps.Linked(number))
            await link.run(arrived)
        finally:  # also when the listener goes, with its Tor: the room has to know
            with trio.move_on_after(limits.FLUSH, shield=True):
                await links.detach(number)

    await trio.serve_listeners(attend, [listener])
