"""Accepts the links of one onion service of ours, and passes on what comes on them."""

import trio

from anonp2p import limits
from anonp2p.net.link import Link
from anonp2p.net.links import Links
from anonp2p.net.transport import Place
from anonp2p.room import inputs


@trio.lowlevel.enable_ki_protection
async def serve(place: Place, address: bytes, links: Links, attending: trio.Nursery) -> None:
    """Accepts links for a session, no faster than its room hears of them, until it is cancelled.

    address: of the service. attending: whose tasks attend to the links, which last longer, and write to them;
    cancelled, it ends them all.
    """

    @trio.lowlevel.enable_ki_protection
    async def attend(stream: trio.abc.Stream, link: Link, number: int) -> None:
        async def deliver(payload: bytes) -> None:
            is_first = not link.connection.is_settled
            if is_first:
                if not place.admits(stream):
                    link.drop("not-from-tor")
                    return
                link.connection.await_answer()
            await links.post(inputs.ReceivedInput(number, payload, is_first))

        try:
            await link.run(deliver, attending, links.turns)
        finally:  # also when the listener ends with its Tor: the room has to know
            with trio.move_on_after(limits.FLUSH_PATIENCE, shield=True):
                await links.detach(number)

    while True:
        stream = await place.listener.accept()
        link = Link(stream, limits.CLIENT_HANDSHAKE)
        number = links.attach(link)
        attending.start_soon(attend, stream, link, number)
        await links.post(inputs.LinkedInput(number, address))
