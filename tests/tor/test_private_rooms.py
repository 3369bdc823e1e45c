"""A private room over Tor: who has no invitation finds nothing, nor who was thrown out, and all else outlives hosts."""

from types import SimpleNamespace

import pytest

from anonp2p import limits
from anonp2p.errors import Unreachable
from anonp2p.names import codes
from anonp2p.reasons import Reason
from anonp2p.room import events, inputs
from anonp2p.room.errors import NotInvited
from anonp2p.room.hosting_events import CodeEvent, HeirEvent, HostingEvent, ReachableEvent
from anonp2p.room.moderation_events import RoleEvent
from anonp2p.room.moderation_inputs import KickInput, RevokeInput, RoleInput
from tests.support.cables import Cable
from tests.support.house import House
from tests.support.own_tors import own_tor
from tests.support.people import always, gathering

pytestmark = [pytest.mark.tor, pytest.mark.filterwarnings("ignore:setDaemon:DeprecationWarning")]  # stem's

PATIENCE = 150.0  # seconds


async def test_a_private_room_is_found_by_invitations_that_are_good_whoever_hosts(torrc: str) -> None:
    async with (
        own_tor(torrc) as hosts,
        own_tor(torrc) as heirs,
        own_tor(torrc) as guests,
        gathering(SimpleNamespace(patience=PATIENCE)) as gathered,  # all bring their own network
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


@pytest.mark.parametrize("how", ["heir", "moderator"])
async def test_who_may_have_the_pool_and_is_thrown_out_finds_the_room_nowhere_and_who_was_away_comes_back(
    torrc: str, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """5d.7, 5d.8: neither where it was nor where it is, by no key that it knows, and whatever its Tor knows yet."""
    monkeypatch.setattr(limits, "LINK_LOST", PATIENCE)  # a link that is lost was ended, and not only slow
    async with (
        own_tor(torrc) as hosts,
        own_tor(torrc) as anns,
        own_tor(torrc) as others,
        own_tor(torrc) as absents,
        gathering(SimpleNamespace(patience=PATIENCE)) as gathered,  # all bring their own network
    ):
        house, cable = House(gathered), Cable(absents)
        host = await house.found(always(hosts))
        ann = await house.comes("ann", await house.invite(host), always(anns), may_host=how == "heir")
        bob = await house.comes("bob", await house.invite(host), always(others), may_host=True)
        zoe = await house.comes("zoe", await house.invite(host), cable.usable)
        good = await house.invite(host)
        given = [good]
        if how == "heir":
            await ann.hears(HeirEvent, holds_key=True)
        else:
            await host.session.post_input(RoleInput("ann", "moderator", "/op"))
            await ann.hears(RoleEvent, role="moderator")
            given.append(await house.invite(ann))
        await host.session.until(lambda: len(host.session.room.replica.ledger.heirs) == 1 + (how == "heir"))
        keys, known = house.list_keys(ann, *given), house.list_addresses(ann)
        await house.await_found(anns, host.session.room.replica.ledger.address, keys[0], PATIENCE)

        await cable.cut()
        await host.session.post_input(KickInput("ann", ""))
        await ann.gone()
        told = await bob.hears(CodeEvent)
        await house.comes("cat", await house.invite(host), always(others))
        await host.session.until(lambda: not known & house.list_addresses(host))
        where = {*known, codes.parse_code(told.code).address, *house.list_addresses(host)}
        assert await house.is_refused("ann", good, always(anns)) in (
            Unreachable(Reason("key-wrong")),
            Unreachable(Reason("no-introduction")),
        )
        found = [(address, key) for address in where for key in keys if await house.is_found(anns, address, key)]
        assert not found

        cable.mend()
        await zoe.hears(CodeEvent)
        await zoe.say("back")
        await bob.hears(events.MessageEvent, text="back")
        assert not bob.heard(events.LinkEvent, state="lost")

        await bob.hears(HeirEvent, holds_key=True)
        await host.session.post_input(inputs.LeaveInput(close=False))
        await bob.hears(HostingEvent)
        await bob.hears(ReachableEvent)
        await zoe.say("still here")
        await bob.hears(events.MessageEvent, text="still here")
        dan = await house.comes("dan", await house.invite(bob), always(absents))
        assert dan.nicks == ["bob", "zoe", "cat", "dan"]
        found = [(address, key) for address in where for key in keys if await house.is_found(anns, address, key)]
        assert not found
