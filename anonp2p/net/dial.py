"""The member's side of a room's link: dial, come back when it breaks, try again where that is worthwhile, pass on."""

import random
import secrets
from collections.abc import Awaitable, Callable

import trio

from anonp2p import limits
from anonp2p.crypto.padding import SIZES
from anonp2p.errors import TorLost, Unreachable
from anonp2p.net.link import Link
from anonp2p.net.links import Links
from anonp2p.net.transport import DialFault, Transport
from anonp2p.room import inputs

_random = random.SystemRandom()


async def follow(network: Callable[[], Awaitable[Transport]], code: str, links: Links) -> None:
    """Keeps up a link to the room until cancelled, or until there is no hope left.

    network: returns the network, once there is one.
    """
    isolation = secrets.token_hex(16)
    dials = 0
    been_in = False
    while True:
        began = trio.current_time()
        attempt = 0
        detail = ""
        welcome = dismissed = False
        while not welcome:
            if (attempt or been_in) and not dismissed:
                await _pause(attempt)
            attempt += 1
            dials += 1
            absent = dismissed = False
            await links.post(inputs.Dialling(attempt, detail))
            try:
                stream = await _dial(await network(), code, f"{isolation}:{dials}", attempt)
            except TorLost as error:
                detail = error.detail
            except DialFault as fault:
                if not fault.again:
                    await links.post(inputs.Broken(Unreachable(str(fault))))
                    return
                detail, absent = str(fault), fault.absent
            else:
                link = Link(stream, SIZES[-1], limits.OWN)
                await _carry(link, links)
                connection = link.connection
                welcome, detail, dismissed = connection.is_settled, connection.detail, connection.was_dropped
                if dismissed:  # refused: unless that was the end of it, we ask at once for something else
                    began = trio.current_time()
            patience = limits.PLACE if been_in else limits.GONE_PATIENCE if absent else limits.DIAL_PATIENCE
            if not welcome and trio.current_time() > began + patience:
                await links.post(inputs.Broken(Unreachable(detail)))
                return
        been_in = True


async def _pause(attempt: int) -> None:
    """Before the next try: longer each time, and never at the same time as others who lost the same host.

    Also before the first that follows the loss of a link: everyone may have lost theirs at the same moment, and the
    introduction points of a host go on taking calls for a little while after its Tor has died, which nobody answers.
    """
    longest = min(limits.DIAL_PAUSE * 1.5 ** max(0, attempt - 1), limits.DIAL_PAUSE_MAX)
    await trio.sleep(longest * (0.5 + _random.random() / 2))


async def _dial(transport: Transport, code: str, isolation: str, attempt: int) -> trio.abc.Stream:
    """One try. A slow circuit is given up early: the next try gets a fresh one, which is usually faster."""
    seconds = limits.DIAL_TRIES[min(attempt, len(limits.DIAL_TRIES)) - 1]
    with trio.move_on_after(seconds):
        return await transport.dial(code, isolation)
    raise DialFault(f"there was no answer within {seconds:.0f} seconds")


async def _carry(link: Link, links: Links) -> None:
    """Runs the link until it ends."""
    links.attach(link, inputs.UPLINK)
    await link.run(lambda payload: links.post(inputs.Heard(inputs.UPLINK, payload)))
    await links.detach(inputs.UPLINK)
