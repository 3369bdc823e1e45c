"""Our side of a link that we dial: tries to have it as the room wants, passes on what comes, reports how it ended."""

import trio

from anonp2p import limits
from anonp2p.crypto.padding import SIZES
from anonp2p.errors import TorLost
from anonp2p.names import codes
from anonp2p.net.link import Link
from anonp2p.net.links import Links
from anonp2p.net.shared_network import SharedNetwork
from anonp2p.net.transport import DialFault, Transport
from anonp2p.reasons import Reason
from anonp2p.room import effects, inputs


async def dial(
    effect: effects.DialEffect, network: SharedNetwork, isolation: str, links: Links, scope: trio.CancelScope
) -> None:
    """Carries out a `DialEffect`: has a link as long as it lasts, or reports why there is none.

    isolation: of the session, to which the number of the dial is added. scope: that of `Links.begin_dial`.
    """
    outcome: trio.abc.Stream | inputs.DialFailedInput | None = None
    with links.end_dial(effect.link), scope:
        outcome = await _try_to_connect(effect, network, f"{isolation}:{-effect.link}", links)
    if scope.cancel_called:
        if isinstance(outcome, trio.abc.Stream):  # it was there at the moment at which it was not wanted any more
            await trio.aclose_forcefully(outcome)
    elif isinstance(outcome, trio.abc.Stream):
        link = Link(outcome, SIZES[-1], limits.UPLINK_QUEUE)
        links.attach_dialled(link, effect.link)

        async def deliver(payload: bytes) -> None:
            await links.post(inputs.ReceivedInput(effect.link, payload))

        async with trio.open_nursery() as nursery:
            await link.run(deliver, nursery, links.turns)
        await links.detach(effect.link)
    elif outcome is not None:
        await links.post(outcome)


async def _try_to_connect(
    effect: effects.DialEffect, network: SharedNetwork, isolation: str, room: object
) -> trio.abc.Stream | inputs.DialFailedInput:
    try:
        return await _connect(network, effect, isolation, room)
    except TorLost as error:
        return inputs.DialFailedInput(effect.link, Reason("tor-lost", error))
    except DialFault as fault:
        return inputs.DialFailedInput(effect.link, fault.reason, absent=fault.absent, again=fault.again)


async def _connect(network: SharedNetwork, effect: effects.DialEffect, isolation: str, room: object) -> trio.abc.Stream:
    if effect.returns:
        async with network.take_turn(room, effect.pause) as transport:
            return await _dial_in_time(transport, effect, isolation)
    return await _dial_in_time(await network.usable(effect.pause), effect, isolation)


async def _dial_in_time(transport: Transport, effect: effects.DialEffect, isolation: str) -> trio.abc.Stream:
    with trio.move_on_after(effect.seconds):
        code, key = codes.encode_key(effect.address), effect.client_key
        return await transport.dial(code, isolation, hello=limits.HELLO, fresh=effect.fresh, client_key=key)
    raise DialFault(Reason("dial-timeout", effect.seconds))
