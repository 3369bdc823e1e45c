"""The host's side of a room's links: accept, greet, pass on."""

import math
import secrets

import trio

from anonp2p import limits
from anonp2p.core import frames, steps
from anonp2p.core.pace import Pace
from anonp2p.net.link import Link
from anonp2p.net.links import Links


async def serve(listener: trio.abc.Listener[trio.abc.Stream], links: Links) -> None:
    """Accepts links for a session until cancelled. Strangers are bounded in number, in time and in bytes.

    Whoever is faster than its pace allows is simply read more slowly, so that nothing of it is lost.
    """
    joins = Pace(limits.JOIN_BURST, limits.JOIN_RATE)

    async def attend(stream: trio.abc.Stream) -> None:
        if links.half_open >= limits.HALF_OPEN:
            await trio.aclose_forcefully(stream)
            return
        nonce = secrets.token_bytes(32)
        messages = Pace(limits.MESSAGE_BURST, limits.MESSAGE_RATE)
        link = Link(stream, frames.FromJoiner, limits.HANDSHAKE_BYTES, limits.HANDSHAKE_SECONDS)
        link.send(frames.encode(frames.Hello(frames.VERSION, nonce)))

        async def arrived(frame: frames.Frame) -> None:
            if isinstance(frame, frames.FromJoiner):
                link.accept(frames.FromMember)  # so a second one is malformed
                await trio.sleep(joins.take(trio.current_time()))
                await links.post(steps.Asked(number, nonce, frame))
            elif isinstance(frame, frames.Submit):
                units = math.ceil(len(frame.content) / limits.MESSAGE_UNIT)
                if seconds := messages.take(trio.current_time(), units):
                    await trio.sleep(seconds)
                await links.post(steps.Heard(number, frame))

        number = links.attach(link)
        try:
            await link.run(arrived)
        finally:  # also when the listener goes, with its Tor: the room has to know
            with trio.move_on_after(limits.FLUSH, shield=True):
                await links.detach(number)

    await trio.serve_listeners(attend, [listener])
