"""A service that another Tor has published last, and does not serve any more, is found again once published anew."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial

import pytest
import trio

from anonp2p import limits
from anonp2p.names.codes import RoomKey
from anonp2p.net.tor.tor import Tor
from anonp2p.net.transport import DialFault
from tests.support.own_tors import own_tor

pytestmark = [pytest.mark.tor, pytest.mark.filterwarnings("ignore:setDaemon:DeprecationWarning")]  # stem's

KEY = RoomKey(b"k" * 32)
FOUND = 240.0  # seconds for dials, one after the other, until one leads there


async def _echo(stream: trio.abc.Stream) -> None:
    async with stream:
        async for data in stream:
            await stream.send_all(data)


@asynccontextmanager
async def _serving(tor: Tor, links: trio.Nursery) -> AsyncIterator[None]:
    """The service answers, once published; links to it last."""
    async with tor.listen(KEY) as place, trio.open_nursery() as nursery:
        await nursery.start(partial(trio.serve_listeners, _echo, [place.listener], handler_nursery=links))
        await place.published()
        yield
        nursery.cancel_scope.cancel()


async def _dial(tor: Tor) -> trio.abc.Stream:
    """A try without an answer is given up, as the program does."""
    while True:
        with trio.move_on_after(limits.DIAL_TRIES[0]), suppress(DialFault):
            return await tor.dial(KEY.code, "members")
        await trio.sleep(1)


async def _is_answered(link: trio.abc.Stream) -> bool:
    await link.send_all(b"there?")
    return bool(await link.receive_some())


async def test_what_another_has_published_last_is_found_again_and_links_to_it_last(torrc: str) -> None:
    """PROTOCOL.md, 8.9: an heir whose address was the code, which another has served meanwhile."""
    async with (
        own_tor(torrc) as heirs,
        own_tor(torrc) as others,
        own_tor(torrc) as members,
        trio.open_nursery() as links,
    ):
        with trio.fail_after(FOUND):
            async with _serving(heirs, links):
                link = await _dial(members)
                async with _serving(others, links):
                    pass  # it is gone, and what Tors find in the network leads nowhere
            async with link, _serving(heirs, links), await _dial(others) as found:
                assert await _is_answered(link)
                assert await _is_answered(found)
        links.cancel_scope.cancel()
