"""Private rooms: invitations are given out, used, revoked, and go on to work under another host."""

from functools import partial
from typing import Any

import pytest
import trio
import trio.testing

from anonp2p import limits
from anonp2p.errors import Unreachable
from anonp2p.names import codes
from anonp2p.protocol import frames
from anonp2p.reasons import Reason
from anonp2p.room import effects, events, inputs
from anonp2p.room.errors import NotInvited
from anonp2p.room.hosting_events import CodeEvent, HeirEvent, HostEvent, HostingEvent
from anonp2p.room.moderation_events import RoleEvent
from anonp2p.room.moderation_inputs import InviteInput, KickInput, RevokeInput, RoleInput
from tests.support.house import House
from tests.support.lands import Home, Land
from tests.support.people import Person, always, gathering, watch_inputs
from tests.support.transports import MemoryNetwork, Tor


async def test_who_is_invited_comes_once_and_who_is_not_finds_nothing(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    async with gathering(memory) as gathered:
        house = House(gathered)
        host = await house.found()
        assert host.heard(events.EnteredEvent)[0].private
        code = await house.invite(host, "for Ann")
        address, key = codes.parse_code(code)
        ann = await house.comes("ann", code)
        await ann.say("hello")
        await host.until(lambda: host.texts == ["hello"])
        assert await house.ask(host, inputs.AskInput("/invites")) == [
            {
                "invitation": 1,
                "uses": 1,
                "used": 1,
                "revoked": False,
                "note": "for Ann",
                "members": [{"member": ann.heard(events.EnteredEvent)[0].member, "nick": "ann"}],
            }
        ]
        assert await house.is_refused("bob", code) == NotInvited()
        assert await house.is_refused("eve", codes.Code(address).spell()) == Unreachable(Reason("key-missing"))
        other = codes.Code(address, key[::-1]).spell()
        assert await house.is_refused("eve", other) == Unreachable(Reason("key-wrong"))
        assert ann.nicks == host.nicks == ["host", "ann"]


async def test_a_code_may_be_used_so_many_times(memory: MemoryNetwork, autojump_clock: trio.testing.MockClock) -> None:
    async with gathering(memory) as gathered:
        house = House(gathered)
        host = await house.found()
        code = await house.invite(host, uses=2)
        await house.comes("ann", code)
        bob = await house.comes("bob", code)
        assert await house.is_refused("cat", code) == NotInvited()
        await bob.session.post_input(inputs.LeaveInput(close=False))
        await bob.gone()
        assert await house.is_refused("cat", code) == NotInvited(), "who has left has used it all the same"


async def test_a_revoked_invitation_lets_nobody_in(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    async with gathering(memory) as gathered:
        house = House(gathered)
        host = await house.found()
        code = await house.invite(host)
        await host.session.post_input(RevokeInput(1))
        assert await house.is_refused("ann", code) == NotInvited()
        assert await house.ask(host, RevokeInput(1)) == "failed"
        assert await house.ask(host, RevokeInput(2)) == "failed"


async def test_who_is_thrown_out_does_not_come_back_by_its_invitation(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    async with gathering(memory) as gathered:
        house = House(gathered)
        host = await house.found()
        code = await house.invite(host, uses=5)
        ann = await house.comes("ann", code)
        await host.session.post_input(KickInput("ann", ""))
        await ann.gone()
        assert await house.is_refused("zoe", code) == NotInvited()
        [listed] = await house.ask(host, inputs.AskInput("/invites"))
        assert (listed["revoked"], listed["used"], listed["members"]) == (True, 1, [])


async def test_invitations_go_on_under_another_host_with_the_same_code(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    async with gathering(memory) as gathered:
        house = House(gathered)
        host = await house.found()
        ann = await house.comes("ann", await house.invite(host), may_host=True)
        used, good = await house.invite(host), await house.invite(host)
        bob = await house.comes("bob", used)
        await ann.hears(HeirEvent, holds_key=True)
        await host.session.post_input(inputs.LeaveInput(close=False))
        await host.gone()
        await ann.hears(HostEvent, nick="ann")
        await bob.say("still here")
        await ann.until(lambda: ann.texts == ["still here"])
        assert await house.is_refused("zoe", used) == NotInvited()
        cat = await house.comes("cat", good)
        assert cat.nicks == ["ann", "bob", "cat"]


async def test_a_moderator_that_does_not_host_invites(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    async with gathering(memory) as gathered:
        house = House(gathered)
        host = await house.found()
        ann = await house.comes("ann", await house.invite(host))
        assert await house.ask(ann, InviteInput()) == "not-allowed"
        assert await house.ask(ann, inputs.AskInput("/invites")) == "not-allowed"
        await host.session.post_input(RoleInput("ann", "moderator", "/op"))
        await ann.hears(RoleEvent, role="moderator")
        code = await house.invite(ann, "mine")
        await house.comes("bob", code)
        assert [it.get("note") for it in await house.ask(ann, inputs.AskInput("/invites"))] == [None, "mine"]


async def test_only_moderators_are_given_the_pool(
    memory: MemoryNetwork, monkeypatch: pytest.MonkeyPatch, autojump_clock: trio.testing.MockClock
) -> None:
    async with gathering(memory) as gathered:
        house = House(gathered)
        host = await house.found()
        ann = await house.comes("ann", await house.invite(host))
        seen = watch_inputs(host, monkeypatch)

        def given() -> int:
            sent = (it for _, done in seen for it in done if isinstance(it, effects.RecordEffect))
            return sum(isinstance(frame, frames.PoolFrame) for it in sent for frame in it.frames)

        ask = ann.session.room.role.request_pool
        monkeypatch.setattr(ann.session.room.role, "refuses_nick", lambda _: ask())  # as no honest program does
        await ann.session.post_input(inputs.RenameInput("anna"))
        await host.hears(events.RenamedEvent, nick="anna")
        assert given() == 0
        await host.session.post_input(RoleInput("anna", "moderator", "/op"))
        await ann.hears(RoleEvent, role="moderator")
        await house.invite(ann)
        assert given() == 1


@pytest.mark.parametrize("how", ["heir", "moderator"])
async def test_who_may_have_the_pool_and_is_thrown_out_finds_the_room_nowhere_from_then_on(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock, how: str
) -> None:
    async with gathering(memory) as gathered:
        house = House(gathered)
        host = await house.found()
        ann = await house.comes("ann", await house.invite(host), may_host=how == "heir")
        bob = await house.comes("bob", await house.invite(host), may_host=True)
        good = await house.invite(host)
        await host.until(lambda: len(host.session.room.replica.ledger.heirs) == 1 + (how == "heir"))
        given = [good]
        if how == "moderator":
            await host.session.post_input(RoleInput("ann", "moderator", "/op"))
            await ann.hears(RoleEvent, role="moderator")
            given.append(await house.invite(ann))
        keys, known = house.list_keys(ann, *given), house.list_addresses(ann)
        for address in known:
            assert all([await house.is_found(memory, address, key) for key in keys if key != keys[1]])
        await host.session.post_input(KickInput("ann", ""))
        await ann.gone()
        told = await bob.hears(CodeEvent)
        assert not ann.heard(CodeEvent)
        assert await house.is_refused("ann", good) == Unreachable(Reason("key-wrong")), "by the code of before"
        await host.session.until(lambda: not known & house.list_addresses(host))  # bob says a new one, unheard
        for address in {*known, codes.parse_code(told.code).address, *house.list_addresses(host)}:
            assert not [key for key in keys if await house.is_found(memory, address, key)]
        new = await house.invite(host)
        assert codes.parse_code(new).address == codes.parse_code(told.code).address
        cat = await house.comes("cat", new)
        assert not bob.heard(events.LinkEvent, state="lost")
        await bob.hears(HeirEvent, holds_key=True)
        await host.session.post_input(inputs.LeaveInput(close=False))
        await bob.hears(HostingEvent)
        await house.comes("dan", await house.invite(bob))
        await cat.say("still here")
        await bob.until(lambda: bob.texts == ["still here"])
        assert cat.nicks == ["bob", "cat", "dan"]


@pytest.mark.parametrize("may_host", [False, True])
async def test_who_is_away_while_the_keys_are_replaced_comes_back_by_its_own_key(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock, *, may_host: bool
) -> None:
    """5d.7, 8.5: also where nobody else hosts, and it is where it was that alone it knows."""
    async with gathering(memory) as gathered:
        house, tor = House(gathered), Tor(memory)
        host = await house.found()
        ann = await house.comes("ann", await house.invite(host), may_host=may_host)
        bob = await house.comes("bob", await house.invite(host), tor.usable, may_host=may_host)
        await host.session.post_input(RoleInput("ann", "moderator", "/op"))
        await ann.hears(RoleEvent, role="moderator")
        keys, former = house.list_keys(ann), ann.session.room.replica.ledger.address
        tor.lose()
        await host.session.post_input(KickInput("ann", ""))
        await ann.gone()
        await host.hears(CodeEvent)
        await trio.sleep(120)
        assert not [key for key in keys if await house.is_found(memory, former, key)]
        tor.regain()
        await bob.hears(CodeEvent)
        await bob.say("back")
        await host.until(lambda: host.texts == ["back"])
        await trio.sleep(2 * limits.HEARTBEAT + limits.FORMER_WAY)
        assert not await house.is_served(memory, former), "nobody looks for us there any more"
        assert await house.is_served(memory, host.session.room.replica.ledger.code)
        tor.lose()
        tor.regain()
        await bob.say("again")
        await host.until(lambda: host.texts == ["back", "again"])


@pytest.mark.parametrize("seconds", [0.0, 0.05, 0.3])
@pytest.mark.parametrize("thrown_out", [False, True])
async def test_a_private_room_goes_on_though_its_host_leaves_right_after_its_keys_were_replaced(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock, seconds: float, *, thrown_out: bool
) -> None:
    """5d.7: before an heir has another address, and been asked for one."""
    async with gathering(memory) as gathered:
        house = House(gathered)
        host = await house.found()
        ann = await house.comes("ann", await house.invite(host), may_host=True)
        bob = await house.comes("bob", await house.invite(host), may_host=True)
        cat = await house.comes("cat", await house.invite(host))
        await host.until(lambda: len(host.session.room.replica.ledger.heirs) == 2)
        await ann.hears(HeirEvent, holds_key=True)
        await trio.sleep(limits.HEARTBEAT)
        await host.session.post_input(KickInput("ann", "") if thrown_out else inputs.CodeInput())
        if seconds:  # else it takes both at once
            await trio.sleep(seconds)
        await host.session.post_input(inputs.LeaveInput(close=False))
        heir = bob if thrown_out else ann
        await heir.hears(HostingEvent)
        await cat.say("still here")
        await heir.until(lambda: heir.texts == ["still here"])


async def test_who_has_been_away_since_before_a_hand_over_comes_back_after_the_keys_are_replaced(
    memory: MemoryNetwork, monkeypatch: pytest.MonkeyPatch, autojump_clock: trio.testing.MockClock
) -> None:
    """5d.8: it knows the code alone, as the only heir of then is not in the room any more."""
    monkeypatch.setattr(limits, "HEIRS", 1)
    async with gathering(memory) as gathered:
        house, tor = House(gathered), Tor(memory)
        host = await house.found()
        zoe = await house.comes("zoe", await house.invite(host), tor.usable)
        bob = await house.comes("bob", await house.invite(host), may_host=True)
        await bob.hears(HeirEvent, holds_key=True)
        ann = await house.comes("ann", await house.invite(host), may_host=True)
        await zoe.until(lambda: "ann" in zoe.nicks)
        await trio.sleep(limits.HEARTBEAT)
        tor.lose()
        await bob.session.post_input(inputs.LeaveInput(close=False))
        await bob.gone()
        await ann.hears(HeirEvent, holds_key=True)
        await trio.sleep(limits.HEARTBEAT)
        await host.session.post_input(inputs.LeaveInput(close=False))
        await ann.hears(HostingEvent)
        await ann.session.post_input(inputs.CodeInput())
        await ann.hears(CodeEvent)
        tor.regain()
        await zoe.say("back")
        await ann.until(lambda: ann.texts == ["back"])


async def test_the_keys_of_before_lead_nowhere_once_who_is_away_has_lost_its_place(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    async with gathering(memory) as gathered:
        house, tor = House(gathered), Tor(memory)
        host = await house.found()
        await house.comes("bob", await house.invite(host), tor.usable)
        tor.lose()
        former = host.session.room.replica.ledger.code
        await host.session.post_input(inputs.CodeInput())
        await trio.sleep(limits.PLACE_SECONDS - 60)
        assert await house.is_served(memory, former)
        await trio.sleep(60 + limits.COMMIT_PAUSE + 2 * limits.HEARTBEAT)
        assert len(host.session.room.members()) == 1
        assert not await house.is_served(memory, former)


@pytest.mark.parametrize(
    ("thrown_out", "seconds"),
    [({"cat"}, 120), ({"eve"}, 120), ({"cat", "eve"}, 120), ({"eve"}, limits.PLACE_SECONDS + 300)],
    ids=["on one side", "on the other side", "on both", "on the other side and for so long that places are lost"],
)
async def test_two_sides_of_a_split_find_each_other_though_the_keys_of_a_private_room_are_replaced_meanwhile(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock, thrown_out: set[str], seconds: float
) -> None:
    """5d.2, 8.16: by keys of before, and by return keys. Whose place is lost comes anew, by its invitation."""
    land = Land(memory)
    async with gathering(memory) as gathered:
        house = House(gathered)
        host = await house.found(always(Home(land, "host")))
        people = {"host": host}
        for nick in ("ann", "bob", "cat", "dan", "eve"):
            code, home = await house.invite(host), always(Home(land, nick))
            people[nick] = await house.comes(nick, code, home, may_host=nick == "ann")
        ann = people["ann"]
        for nick in ("ann", "cat", "eve"):
            await host.session.post_input(RoleInput(nick, "moderator", "/op"))
        await people["eve"].hears(RoleEvent, nick="eve", role="moderator")
        await ann.hears(HeirEvent, holds_key=True)
        await trio.sleep(limits.HEARTBEAT)
        await land.split("ann", "bob", "eve")
        await ann.hears(HostingEvent)
        for nick in thrown_out:
            await (host if nick == "cat" else ann).session.post_input(KickInput(nick, ""))
            await people.pop(nick).gone()
        await trio.sleep(seconds)
        land.heal()
        here = [people[nick] for nick in ("host", "ann", "bob", "dan")]
        for who in here:
            await who.session.until(partial(is_with, who, {"host", "ann", "bob", "dan"}))
        await people["bob"].say("together")
        for who in here:
            await who.hears(events.MessageEvent, text="together")


def is_with(person: Person, nicks: set[str]) -> bool:
    """Whether all of these are in the room and present, by its log."""
    return nicks <= {member.nick for member in person.session.room.members() if not member.away}


async def test_a_new_code_ends_invitations_and_begins_their_numbers_anew(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    """5d.7: as many as there are slots can be given out of each pool."""
    async with gathering(memory) as gathered:
        house = House(gathered)
        host = await house.found()
        bob = await house.comes("bob", await house.invite(host))
        good = await house.invite(host)
        await host.session.post_input(RoleInput("bob", "moderator", "/op"))
        await bob.hears(RoleEvent, role="moderator")
        await house.invite(bob)
        await host.session.post_input(inputs.CodeInput())
        await bob.hears(CodeEvent)
        assert await house.ask(host, inputs.AskInput("/invites")) == []
        assert await house.is_refused("cat", good) == Unreachable(Reason("key-wrong"))
        await house.comes("cat", await house.invite(bob, "again"))
        [listed] = await house.ask(bob, inputs.AskInput("/invites"))
        assert (listed["invitation"], listed["note"], listed["used"]) == (1, "again", 1)


async def test_an_heir_that_was_not_given_the_pool_invites_nobody_before_it_has_made_another(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    async with gathering(memory) as gathered:
        house = House(gathered)
        host = await house.found()
        await host.session.post_input(inputs.EntrustInput(None))
        ann = await house.comes("ann", await house.invite(host), may_host=True)
        bob = await house.comes("bob", await house.invite(host))
        await ann.hears(HeirEvent, rank=1)
        await host.session.post_input(inputs.LeaveInput(close=False))
        await ann.hears(HostingEvent)
        await bob.say("still here")
        await ann.until(lambda: ann.texts == ["still here"])
        assert await house.ask(ann, InviteInput()) == "failed"
        await ann.session.post_input(RoleInput("bob", "moderator", "/op"))
        await bob.hears(RoleEvent, role="moderator", nick="bob")
        assert await house.ask(bob, InviteInput()) == "failed"
        await ann.session.post_input(inputs.CodeInput())
        await bob.hears(CodeEvent)
        await house.comes("cat", await house.invite(bob))
        await house.comes("dan", await house.invite(ann))


@pytest.mark.parametrize("event", [InviteInput(), RevokeInput(1), inputs.AskInput("/invites")])
async def test_a_room_that_is_not_private_has_no_invitations(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock, event: Any
) -> None:
    async with gathering(memory) as gathered:
        host = await gathered.host()
        assert await House(gathered).ask(host, event) == "failed"


async def test_a_key_is_of_no_use_and_no_harm_in_a_room_that_is_not_private(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    async with gathering(memory) as gathered:
        host = await gathered.host()
        ann = gathered.invite("ann", invitation=codes.Code(gathered.code, b"k" * 32).spell(), may_host=True)
        await ann.hears(events.EnteredEvent)
        assert host.nicks == ["host", "ann"]
