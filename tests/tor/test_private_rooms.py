"""A private room over Tor: who has no invitation finds nothing, and invitations outlive their host."""

from types import SimpleNamespace

import pytest

from anonp2p.errors import Unreachable
from anonp2p.names import codes
from anonp2p.reasons import Reason
from anonp2p.room import events, inputs
from anonp2p.room.errors import NotInvited
from anonp2p.room.hosting_events import HeirEvent, HostingEvent, ReachableEvent
from anonp2p.room.moderation_inputs import RevokeInput
from tests.support.house import House
from tests.support.own_tors import own_tor
from tests.support.people import always, gathering

pytestmark = [pytest.mark.tor, pytest.mark.filterwarnings("ignore:setDaemon:DeprecationWarning")]  # stem's


async def test_a_private_room_is_found_by_invitations_that_are_good_whoever_hosts(torrc: str) -> None:
    async with (
        own_tor(torrc) as hosts,
        own_tor(torrc) as heirs,
        own_tor(torrc) as guests,
        gathering(SimpleNamespace(patience=60.0)) as gathered,  # all bring their own network
    ):
        house, guest = House(gathered), always(guests)
        host = await house.found(always(hosts))
        first, revoked, last = [await house.invite(host) for _ in range(3)]
        address, key = codes.parse_code(first)

        unknown = await house.is_refused("eve", codes.Code(address).spell(), guest)
        assert unknown == Unreachable(Reason("key-missing"))
        wrong = await house.is_refused("eve", codes.Code(address, key[::-1]).spell(), guest)
        assert wrong == Unreachable(Reason("key-wrong"))
        ann = await house.comes("ann", first, always(heirs), may_host=True)
        assert await house.is_refused("bob", first, guest) == NotInvited()
        await host.session.post_input(RevokeInput(2))
        assert await house.is_refused("bob", revoked, guest) == NotInvited()

        await ann.hears(HeirEvent, holds_key=True)
        await host.session.post_input(inputs.LeaveInput(close=False))
        await ann.hears(HostingEvent)
        await ann.hears(ReachableEvent)
        cat = await house.comes("cat", last, guest)
        await cat.say("in")
        await ann.hears(events.MessageEvent, text="in")
        assert await house.is_refused("bob", revoked, guest) == NotInvited()

        await cat.session.post_input(inputs.LeaveInput(close=False))
        await cat.gone()
        assert guests.control is not None
        listed = await guests.control.send("ONION_CLIENT_AUTH_VIEW")
        assert [text for _, _, text in listed if text.startswith("CLIENT ")] == [], "Tor has none of the keys any more"
