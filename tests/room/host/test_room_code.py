"""How a room comes to another code, and for how long, and for whom, its host is still found where it was before."""

import msgspec
import pytest

from anonp2p import limits
from anonp2p.crypto import invitations
from anonp2p.crypto.identity import Identity
from anonp2p.names.codes import RoomKey
from anonp2p.protocol import bodies
from anonp2p.protocol.rights import ReturnKey
from anonp2p.room import effects
from anonp2p.room.host.room_code import RoomCode
from anonp2p.room.invitations import found_private
from tests.room.host.parts import Ordering, set_time, take_effects
from tests.room.peers import ANN, BOB, ROOM, ROOM_KEY

LINKS = {ANN.id: 1, BOB.id: 2}


def client(who: Identity) -> bytes:
    """The public half of its return key."""
    return invitations.find_client(who.return_key)


class Lodge(Ordering):
    """A room of ours with Ann and Bob in it, both linked. private: whether it is found by keys alone."""

    def __init__(self, *, private: bool = False) -> None:
        super().__init__()
        ledger, me, pool = self.context.replica.ledger, self.context.replica.me, self.context.pool
        self.context.serving.add_key(ROOM_KEY)
        for who, nick in ((ANN, "ann"), (BOB, "bob")):
            self.add_member(who, nick)
            self.add_link(LINKS[who.id], who)
        if private:
            rights = found_private(ledger.rights, me, pool.begin(b"p" * 32))
            returns = (ReturnKey(who.id, client(who)) for who in (ANN, BOB))
            ledger.rights = msgspec.structs.replace(rights, returns=(*rights.returns, *returns))
        self.context.serving.serve(ROOM)
        self.code = RoomCode(self.context, self.sequencer, self.presence)
        take_effects(self.context)

    def changes(self, seconds: float = 0.0) -> bytes:
        """The code is another one; returns where the host is found from then on. seconds: since the beginning."""
        set_time(self.context, seconds)
        self.code.change()
        return self.context.replica.ledger.address

    def changes_way(self, seconds: float) -> bytes:
        """The code, which is its own address, and of which others have the key, changes: so does where it is found."""
        ledger = self.context.replica.ledger
        ledger.holders = (ledger.host, ANN.id)
        return self.changes(seconds)

    def passes(self, seconds: float) -> None:
        """It is so long after the beginning, and what is due is done."""
        set_time(self.context, seconds)
        self.code.do_due_work()

    @property
    def served(self) -> set[bytes]:
        """Where it is to be reached."""
        return set(self.context.serving.list_wanted())

    def published(self) -> dict[bytes, tuple[bytes, ...]]:
        """The clients of the services that were asked for since the last time."""
        done = take_effects(self.context)
        return {it.key.public: it.clients for it in done if isinstance(it, effects.ServeEffect)}


@pytest.fixture
def lodge() -> Lodge:
    return Lodge()


@pytest.fixture
def house() -> Lodge:
    return Lodge(private=True)


def test_a_code_that_is_not_the_way_of_members_is_served_no_more_once_there_is_another(lodge: Lodge) -> None:
    lodge.code.change()
    first = lodge.context.replica.ledger.code
    lodge.code.change()
    stopped = [it.address for it in take_effects(lodge.context) if isinstance(it, effects.StopServingEffect)]
    assert stopped == [first], "members still reach us by the first of all"


def test_who_is_away_finds_the_host_where_it_was_before_a_holder_was_thrown_out(lodge: Lodge) -> None:
    """However often that happens while it is away: where it was is kept for as long as its place, but of the latest."""
    ways = lodge.changes_way(0.0), lodge.changes_way(1.0)
    assert lodge.served == {ROOM, *ways}
    later = lodge.changes_way(limits.PLACE_SECONDS)
    assert lodge.served == {ways[0], ways[1], later}, "who knows none but the first has no place any more"
    more = [lodge.changes_way(limits.PLACE_SECONDS + number) for number in range(limits.FORMER_WAYS)]
    assert lodge.served == {later, *more}


# --- a private room


def test_with_another_code_a_private_room_has_another_pool(house: Lodge) -> None:
    """5d.7"""
    before = house.context.pool.clients
    new = house.changes()
    [said] = [body for body in house.bodies() if isinstance(body, bodies.CodeBody)]
    assert house.context.pool.is_ours
    assert house.context.pool.members_key == said.members_key == house.context.replica.ledger.rights.members_key
    assert house.published()[new] == house.context.pool.clients
    assert not set(before) & set(house.context.pool.clients)


def test_where_a_private_room_was_it_is_found_by_the_return_keys_of_members_alone(house: Lodge) -> None:
    """8.5: its own as well, or it would not find itself there. Who has no link comes first, as not all may fit."""
    house.presence.lose_link(LINKS[BOB.id], 0.0)
    house.changes()
    assert house.published()[ROOM] == tuple(map(client, (house.context.replica.me, BOB, ANN)))


def test_who_is_thrown_out_while_it_may_come_back_is_not_found_by_its_return_key(house: Lodge) -> None:
    """5d.7"""
    first = house.changes()
    house.throw_out(BOB)
    house.published()
    house.changes(1.0)
    published = house.published()
    assert published[ROOM] == published[first] == tuple(map(client, (house.context.replica.me, ANN)))


def test_no_service_is_for_more_keys_than_tor_takes(house: Lodge, monkeypatch: pytest.MonkeyPatch) -> None:
    """5d.7"""
    monkeypatch.setattr(limits, "CLIENTS", 2)
    house.presence.lose_link(LINKS[BOB.id], 0.0)
    house.changes()
    assert house.published()[ROOM] == tuple(map(client, (house.context.replica.me, BOB)))


def test_where_a_private_room_was_its_host_is_found_until_all_have_come_from_there(house: Lodge) -> None:
    """8.5: a link that is there some time later is none that was dead without anybody knowing."""
    house.presence.lose_link(LINKS[BOB.id], 0.0)
    new = house.changes()
    house.passes(limits.FORMER_WAY - 1)
    house.passes(limits.FORMER_WAY)
    assert house.served == {ROOM, new}, "bob has not come"
    house.add_link(7, BOB)
    assert house.code.next_deadline() == pytest.approx(1_000 + limits.FORMER_WAY + limits.HEARTBEAT)
    house.passes(limits.FORMER_WAY + limits.HEARTBEAT)
    assert house.served == {new}
    assert house.code.next_deadline() is None


def test_a_private_room_is_found_at_the_code_of_before_too_if_that_is_another_way(house: Lodge) -> None:
    """5d.8: who has been away since before a hand-over knows no other."""
    own = RoomKey(b"o" * 32)
    house.context.serving.add_key(own)
    house.context.serving.serve(own.public)
    house.context.replica.ledger.address = own.public
    house.presence.lose_link(LINKS[BOB.id], 0.0)
    new = house.changes()
    published = house.published()
    assert published[ROOM] == published[own.public] == tuple(map(client, (house.context.replica.me, BOB, ANN)))
    assert house.served == {ROOM, own.public, new}
    house.add_link(7, BOB)
    house.passes(limits.FORMER_WAY)
    assert house.served == {new}


def test_a_private_room_is_not_found_at_a_code_of_before_at_which_we_are_not(house: Lodge) -> None:
    own = RoomKey(b"o" * 32)
    house.context.serving.add_key(own)
    house.context.serving.stop(ROOM)
    house.context.serving.serve(own.public)
    house.context.replica.ledger.address = own.public
    new = house.changes()
    assert house.served == {own.public, new}


def test_a_link_that_is_there_when_the_code_changes_may_be_dead(house: Lodge) -> None:
    """5d.8"""
    new = house.changes()
    house.passes(limits.FORMER_WAY - 1)
    assert house.served == {ROOM, new}
    house.passes(limits.FORMER_WAY)
    assert house.served == {new}


def test_where_a_private_room_was_its_host_is_not_found_any_more_once_nobody_has_a_place_who_has_not_come(
    house: Lodge,
) -> None:
    house.presence.lose_link(LINKS[BOB.id], 0.0)
    new = house.changes()
    house.sequencer.order_own(bodies.AwayBody(BOB.id))
    house.commits.remove_soon(BOB.id)
    house.passes(limits.FORMER_WAY)
    assert house.served == {ROOM, new}
    set_time(house.context, limits.FORMER_WAY + limits.HEARTBEAT)
    house.commits.commit_if_due()
    house.code.do_due_work()
    assert house.served == {new}


def test_a_private_room_whose_host_is_alone_is_found_nowhere_but_by_its_code(house: Lodge) -> None:
    house.throw_out(ANN)
    house.throw_out(BOB)
    new = house.changes()
    assert house.served == {new}
    assert house.code.next_deadline() is None


def test_a_private_room_is_found_at_no_more_than_so_many_places_where_it_was(house: Lodge) -> None:
    ways = [ROOM, *(house.changes(float(number)) for number in range(limits.FORMER_WAYS + 1))]
    assert house.served == set(ways[1:])
