"""The member's side of a room's link: dial, try again where that is worthwhile, pass on."""

import secrets

import trio

from anonp2p import limits
from anonp2p.core import frames, steps
from anonp2p.errors import Unreachable
from anonp2p.net.link import Link
from anonp2p.net.links import Links
from anonp2p.net.transport import DialFault, Transport


async def follow(transport: Transport, code: str, links: Links) -> None:
    """Dials the room until it has let us in or there is no hope left, then carries the link until it ends."""
    isolation = secrets.token_hex(16)
    began = trio.current_time()
    attempt = 0
    pause = limits.DIAL_PAUSE
    detail = ""
    while True:
        attempt += 1
        await links.post(steps.Dialling(attempt, detail))
        absent = False
        try:
            stream = await _dial(transport, code, f"{isolation}:{attempt}", attempt)
        except DialFault as fault:
            if not fault.again:
                await links.post(steps.Broken(Unreachable(str(fault))))
                return
            detail, absent = str(fault), fault.absent
        else:
            link = Link(stream, frames.FromHost, limits.FRAME, limits.HANDSHAKE_SECONDS)
            if await _carry(link, links):
                return
            detail = link.detail
        patience = limits.GONE_PATIENCE if absent else limits.DIAL_PATIENCE
        if trio.current_time() + pause > began + patience:
            await links.post(steps.Broken(Unreachable(detail)))
            return
        await trio.sleep(pause)
        pause = min(pause * 1.5, limits.DIAL_PAUSE_MAX)


async def _dial(transport: Transport, code: str, isolation: str, attempt: int) -> trio.abc.Stream:
    """One try. A slow circuit is given up early: the next try gets a fresh one, which is usually faster."""
    seconds = limits.DIAL_TRIES[min(attempt, len(limits.DIAL_TRIES)) - 1]
    with trio.move_on_after(seconds):
        return await transport.dial(code, isolation)
    raise DialFault(f"there was no answer within {seconds:.0f} seconds")


async def _carry(link: Link, links: Links) -> bool:
    """Runs the link until it ends; whether it was the last we need: we were let in, or refused."""
    answered = False

    async def arrived(frame: frames.Frame) -> None:
        nonlocal answered
        if isinstance(frame, frames.Welcome | frames.Refused):
            answered = True
            link.settle()
        await links.post(steps.Heard(steps.UPLINK, frame))

    links.attach(link, steps.UPLINK)
    await link.run(arrived)
    await links.detach(steps.UPLINK)
    return answered
