"""The member's side of a room's link: dials as the room wants it, passes on what comes, reports how it ended."""

import trio

from anonp2p import limits
from anonp2p.crypto.padding import SIZES
from anonp2p.errors import TorLost
from anonp2p.net.link import Link
from anonp2p.net.links import Links
from anonp2p.net.shared_network import SharedNetwork
from anonp2p.net.transport import DialFault, Transport
from anonp2p.reasons import Reason
from anonp2p.room import effects, inputs


async def dial(effect: effects.DialEffect, network: SharedNetwork, isolation: str, links: Links) -> None:
    """Carries out a `DialEffect`: has a link to the host as long as it lasts, or reports why there is none.

    isolation: of the session, to which the dial adds its own.
    """
    try:
        stream = await _connect(network, effect, f"{isolation}:{effect.isolation}")
    except TorLost as error:
        await links.post(inputs.DialFailedInput(Reason("tor-lost", error)))
    except DialFault as fault:
        await links.post(inputs.DialFailedInput(fault.reason, absent=fault.absent, again=fault.again))
    else:
        link = Link(stream, SIZES[-1], limits.UPLINK_QUEUE)
        links.attach(link, inputs.UPLINK)
        await link.run(lambda payload: links.post(inputs.ReceivedInput(inputs.UPLINK, payload)))
        await links.detach(inputs.UPLINK)


async def _connect(network: SharedNetwork, effect: effects.DialEffect, isolation: str) -> trio.abc.Stream:
    if effect.returns:
        async with network.take_turn(effect.pause) as transport:
            return await _dial_in_time(transport, effect, isolation)
    return await _dial_in_time(await network.usable(effect.pause), effect, isolation)


async def _dial_in_time(transport: Transport, effect: effects.DialEffect, isolation: str) -> trio.abc.Stream:
    with trio.move_on_after(effect.seconds):
        return await transport.dial(effect.code, isolation)
    raise DialFault(Reason("dial-timeout", effect.seconds))
