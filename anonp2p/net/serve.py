"""The host's side of a room's links: accepts them, and passes on what comes."""

import trio

from anonp2p import limits
from anonp2p.net.link import Link
from anonp2p.net.links import Links
from anonp2p.net.transport import Place
from anonp2p.room import inputs


async def serve(place: Place, links: Links, stop: trio.Event) -> None:
    """Accepts links for a session until it is to stop, no faster than its room hears of them; attends to them longer.

    Cancelled, it ends them all.
    """

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
            await link.run(deliver)
        finally:  # also when the listener ends with its Tor: the room has to know
            with trio.move_on_after(limits.FLUSH_PATIENCE, shield=True):
                await links.detach(number)

    async def accept_links() -> None:
        while True:
            stream = await place.listener.accept()
            link = Link(stream, limits.CLIENT_HANDSHAKE)
            number = links.attach(link)
            nursery.start_soon(attend, stream, link, number)
            await links.post(inputs.LinkedInput(number))

    async with trio.open_nursery() as nursery:
        async with trio.open_nursery() as accepting:
            accepting.start_soon(accept_links)
            await stop.wait()
            accepting.cancel_scope.cancel()
        await place.listener.aclose()
