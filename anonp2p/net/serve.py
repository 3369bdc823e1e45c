"""The host's side of a room's links: accepts them, and passes on what comes no faster than a room can bear."""

import random

import trio

from anonp2p import limits
from anonp2p.net.link import Link
from anonp2p.net.links import Links
from anonp2p.net.transport import Place
from anonp2p.room import inputs
from anonp2p.room.token_bucket import TokenBucket


async def serve(place: Place, links: Links, choice: random.Random) -> None:
    """Accepts links for a session until cancelled. Strangers are bounded in number, in time and in bytes.

    Client handshakes that come faster than the token bucket allows are answered later. choice: picks the half-open link
    that is closed for a newer one.
    """
    client_handshakes = TokenBucket(limits.JOIN_BUCKET, limits.JOIN_RATE)
    turn = trio.Lock()  # one client handshake at a time, in their order
    due: float | None = None  # when the next one is passed on: a link that ends while it waits uses up no token

    async def wait_for_turn() -> None:
        nonlocal due
        async with turn:
            if due is None:
                due = trio.current_time() + client_handshakes.take_tokens(trio.current_time())
            await trio.sleep_until(due)
            due = None

    async def attend(stream: trio.abc.Stream) -> None:
        if not links.make_room(choice):
            await trio.aclose_forcefully(stream)
            return
        link = Link(stream, limits.CLIENT_HANDSHAKE)

        async def deliver(payload: bytes) -> None:
            if not link.connection.is_settled:
                await wait_for_turn()
                if not place.admits(stream):
                    link.drop("not-from-tor")
                    return
                link.connection.await_answer()
            await links.post(inputs.ReceivedInput(number, payload))

        number = links.attach(link)
        try:
            await link.run(deliver, lambda: links.post(inputs.LinkedInput(number)))
        finally:  # also when the listener ends with its Tor: the room has to know
            with trio.move_on_after(limits.FLUSH_PATIENCE, shield=True):
                await links.detach(number)

    await trio.serve_listeners(attend, [place.listener])
