"""A member that may take the room over: its own service, how it learns that it can be reached, and what it is given."""

import msgspec
import pytest

from anonp2p import limits
from anonp2p.crypto import invitations
from anonp2p.errors import PeerFault, TorRefused
from anonp2p.names.codes import RoomKey
from anonp2p.protocol import appointment, frames
from anonp2p.protocol.field_types import Heir
from anonp2p.protocol.handshake import Channel
from anonp2p.reasons import Reason
from anonp2p.room import effects, inputs
from anonp2p.room.context import fresh_keys
from anonp2p.room.member.carrier import Carrier
from anonp2p.room.member.head_check import HeadCheck
from anonp2p.room.member.own_service import OwnService
from anonp2p.room.member.uplink import Uplink
from anonp2p.room.succession.loss import Loss
from anonp2p.room.succession.patience import Patience
from tests.room.member.parts import HELLO, SECRET, joined_context, set_time, take_effects
from tests.room.peers import ANN, ROOM, ROOM_KEY, randomness, service_changes
from tests.support.world import payloads

NEAR = 7  # the number of a link that is dialled to us


class Able:
    """A member of a room, let in on a link, whose program may host."""

    def __init__(self, seed: bytes = b"able") -> None:
        self.context = joined_context()
        self.context.random = randomness(seed)
        self.context.may_host = True
        self.uplink = Uplink(self.context)
        self.uplink.begin(-1, ROOM, HELLO, Channel(SECRET, HELLO, up=True))
        self.uplink.end_handshake()
        loss = Loss(lambda least, _: least)
        heads = HeadCheck(self.context)
        self.carrier = Carrier(self.context, self.uplink, loss, Patience(), heads, lambda _: None)
        self.service = self.carrier.service
        self.service.tell_able()
        take_effects(self.context)

    def wants(self) -> list[effects.Effect]:
        """What is to be done since the last time."""
        return take_effects(self.context)

    def serves(self) -> bytes:
        """It was asked, and wants a service; returns the address."""
        self.service.prepare(frames.PrepareFrame())
        [serve] = self.wants()
        assert isinstance(serve, effects.ServeEffect)
        return serve.key.public

    def dials_itself(self, address: bytes) -> int:
        """Its service can be found; returns the number of the link on which it tries to reach itself."""
        self.carrier.take_input(inputs.PublishedInput(address))
        [dial] = self.wants()
        assert isinstance(dial, effects.DialEffect)
        assert dial.address == address
        return dial.link

    def greeted(self, address: bytes) -> bytes:
        """Somebody dials its service; returns the hello."""
        self.carrier.take_input(inputs.LinkedInput(NEAR, address))
        [send] = self.wants()
        assert isinstance(send, effects.SendEffect)
        [hello] = payloads(send.data)
        return hello

    def prepared(self) -> bytes:
        """It has reached itself; returns the address."""
        address = self.serves()
        link = self.dials_itself(address)
        self.carrier.take_input(inputs.ReceivedInput(link, self.greeted(address)))
        return address

    def said(self) -> list[frames.Frame]:
        """What goes to its host."""
        return [frame for it in self.wants() if isinstance(it, effects.RecordEffect) for frame in it.frames]

    def replaces_keys(self, pool: bytes, *, told: bool = True) -> None:
        """The room is private, and its keys are from this pool now. told: whether it hears who may find its service."""
        ledger, members_key = self.context.replica.ledger, invitations.derive_members_key(pool)
        ledger.rights = msgspec.structs.replace(ledger.rights, private=True, members_key=members_key)
        if told:
            self.service.take_clients(clients_of(pool))

    def is_heir(self, *members: bytes) -> None:
        """The log names these, of whom it is the one without an id."""
        me = self.context.replica.me.id
        self.context.replica.ledger.heirs = tuple(Heir(member or me, (member or me) * 2) for member in members)


@pytest.fixture
def able() -> Able:
    return Able()


FORMER, OTHER = RoomKey(b"f" * 32), RoomKey(b"g" * 32)


def former(able: Able) -> OwnService:
    """It has hosted before, at FORMER, with ROOM as the code, which is nobody's own address."""
    able.context.replica.ledger.carriers = {able.context.replica.me.id: FORMER.public}
    for key in (FORMER, ROOM_KEY):
        able.context.serving.add_key(key)
    return OwnService(able.context, able.uplink, able.carrier.gate, FORMER.public)


def served(able: Able) -> list[tuple[str, bytes]]:
    """What is done with services."""
    return service_changes(able.wants())


def test_who_hosted_keeps_its_service_and_its_code_of_then_for_a_while(able: Able) -> None:
    """8.17: members may come that know no other way."""
    service = former(able)
    able.context.replica.ledger.code = OTHER.public
    service.update(is_lost=False)
    assert served(able) == [("serve", FORMER.public), ("serve", ROOM)]
    assert service.next_deadline() == able.context.clock.tick + limits.PLACE_SECONDS
    set_time(able.context, limits.PLACE_SECONDS - 1)
    service.do_due_work()
    service.update(is_lost=False)
    assert served(able) == []
    set_time(able.context, limits.PLACE_SECONDS)
    service.do_due_work()
    service.update(is_lost=False)
    assert served(able) == [("stop", ROOM), ("stop", FORMER.public)]
    assert service.next_deadline() is None


def test_what_is_the_code_is_left_to_who_hosts_now(able: Able) -> None:
    service = former(able)
    service.update(is_lost=True)
    assert served(able) == [("serve", FORMER.public)]
    able.context.replica.ledger.code = OTHER.public
    service.update(is_lost=False)
    assert served(able) == [("serve", ROOM)]
    able.context.replica.ledger.code = ROOM
    service.update(is_lost=False)
    assert served(able) == [("stop", ROOM)]


def test_a_code_of_then_is_left_to_the_member_whose_address_it_is_while_that_is_here(able: Able) -> None:
    """Else members that dial that one as an heir would come to us."""
    service, ledger = former(able), able.context.replica.ledger
    ledger.code = OTHER.public
    ledger.carriers = {ledger.host: ROOM}
    service.update(is_lost=False)
    assert served(able) == [("serve", FORMER.public)]
    ledger.roster.mark_presence(ledger.get_member(ledger.host), away=True)
    service.update(is_lost=False)
    assert served(able) == [("serve", ROOM)]
    ledger.roster.mark_presence(ledger.get_member(ledger.host), away=False)
    service.update(is_lost=False)
    assert served(able) == [("stop", ROOM)]


def test_of_who_hosted_a_service_that_tor_refuses_is_not_wanted_again(able: Able) -> None:
    service = former(able)
    able.context.replica.ledger.code = OTHER.public
    service.update(is_lost=False)
    able.wants()
    service.take_input(inputs.ServeFailedInput(ROOM, TorRefused("no")))
    service.update(is_lost=False)
    assert served(able) == [("stop", ROOM)]


def test_who_hosted_and_comes_anew_is_not_found_where_it_was(able: Able) -> None:
    service = former(able)
    able.context.replica.ledger.code = OTHER.public
    service.update(is_lost=False)
    able.wants()
    able.context.replica.begin_identity(*fresh_keys(able.context.random, ROOM))
    service.update(is_lost=False)
    assert sorted(served(able)) == sorted([("stop", ROOM), ("stop", FORMER.public)])


def test_one_that_may_host_says_so_and_another_does_not(able: Able) -> None:
    able.service.tell_able()
    assert able.said() == [frames.AbleFrame()]
    able.context.may_host = False
    able.service.tell_able()
    assert able.said() == []


POOL, OTHER_POOL = b"p" * 32, b"q" * 32


def clients_of(pool: bytes) -> frames.ClientsFrame:
    """By whom the services of the room are to be found."""
    return frames.ClientsFrame(list(invitations.list_clients(pool)))


def test_nobody_publishes_a_private_room_for_everybody(able: Able) -> None:
    """5d.6"""
    with pytest.raises(PeerFault, match="unexpected-clients"):
        able.service.take_clients(clients_of(POOL))
    able.replaces_keys(POOL, told=False)
    with pytest.raises(PeerFault, match="unexpected-preparation"):
        able.service.prepare(frames.PrepareFrame())
    able.service.take_clients(clients_of(OTHER_POOL))
    with pytest.raises(PeerFault, match="unexpected-preparation"):
        able.service.prepare(frames.PrepareFrame())
    able.service.take_clients(clients_of(POOL))
    able.service.prepare(frames.PrepareFrame())
    [serve] = able.wants()
    assert isinstance(serve, effects.ServeEffect)
    assert serve.clients == invitations.list_clients(POOL)


@pytest.fixture
def private(able: Able) -> Able:
    """In a private room, and told by whom a service of its own may be found."""
    able.replaces_keys(POOL)
    return able


def test_when_the_keys_of_a_private_room_are_replaced_nothing_of_it_is_served_any_more(private: Able) -> None:
    """5d.7: who was thrown out knows where it was."""
    address = private.prepared()
    private.wants()
    private.is_heir(b"")
    private.service.update(is_lost=False)
    private.replaces_keys(OTHER_POOL, told=False)
    private.service.update(is_lost=False)
    assert private.wants() == [effects.StopServingEffect(address)]


def test_one_that_has_prepared_does_so_anew_with_the_new_keys_of_a_private_room(private: Able) -> None:
    """5d.6, 5d.7: at an address that nobody knows who was thrown out. Not before it knows the new ones."""
    before = private.prepared()
    private.replaces_keys(OTHER_POOL, told=False)
    private.service.update(is_lost=False)
    private.wants()
    with pytest.raises(PeerFault, match="unexpected-preparation"):
        private.service.prepare(frames.PrepareFrame())
    private.service.take_clients(clients_of(OTHER_POOL))
    private.service.prepare(frames.PrepareFrame())
    *_, serve = private.wants()
    assert isinstance(serve, effects.ServeEffect)
    assert (serve.key.public != before, serve.clients) == (True, invitations.list_clients(OTHER_POOL))


def test_keys_that_come_before_the_entry_are_those_of_a_private_room_from_then_on(private: Able) -> None:
    private.service.take_clients(clients_of(OTHER_POOL))
    assert private.context.pool.clients == ()
    private.replaces_keys(OTHER_POOL, told=False)
    private.service.update(is_lost=False)
    assert private.context.pool.clients == invitations.list_clients(OTHER_POOL)


def test_an_heir_that_has_no_new_address_yet_is_found_by_the_new_keys_at_the_one_of_before_if_the_host_is_lost(
    private: Able,
) -> None:
    """5d.7"""
    address, me = private.prepared(), private.context.replica.me.id
    private.context.replica.ledger.heirs = (Heir(me, address),)
    private.service.update(is_lost=False)
    private.replaces_keys(OTHER_POOL)
    private.service.update(is_lost=False)
    private.wants()
    private.service.update(is_lost=True)
    [serve] = private.wants()
    assert isinstance(serve, effects.ServeEffect)
    assert (serve.key.public, serve.clients) == (address, invitations.list_clients(OTHER_POOL))
    private.service.update(is_lost=False)
    assert private.wants() == [effects.StopServingEffect(address)]
    private.replaces_keys(b"third pool".ljust(32), told=False)
    private.service.update(is_lost=True)
    assert private.wants() == [], "else everybody would find it"


def test_who_hosted_a_private_room_is_not_found_where_it_was_once_the_keys_are_replaced(private: Able) -> None:
    """8.17"""
    private.wants()
    service = former(private)
    private.context.replica.ledger.code = OTHER.public
    service.update(is_lost=False)
    assert served(private) == [("serve", FORMER.public), ("serve", ROOM)]
    private.replaces_keys(OTHER_POOL)
    service.update(is_lost=False)
    assert sorted(served(private)) == sorted([("stop", ROOM), ("stop", FORMER.public)])


def test_who_has_come_anew_has_another_service(able: Able) -> None:
    """Else its address would tell that both are the same, and the host would take it for somebody else's."""
    before = able.prepared()
    able.wants()
    able.context.replica.begin_identity(*fresh_keys(able.context.random, ROOM))
    able.service.prepare(frames.PrepareFrame())
    stop, serve = able.wants()
    assert stop == effects.StopServingEffect(before)
    assert isinstance(serve, effects.ServeEffect)
    assert serve.key.public != before


def test_who_has_come_anew_does_not_say_where_it_was_before(able: Able) -> None:
    address = able.serves()
    link = able.dials_itself(address)
    hello = able.greeted(address)
    able.context.replica.begin_identity(*fresh_keys(able.context.random, ROOM))
    able.carrier.take_input(inputs.ReceivedInput(link, hello))
    assert able.said() == []


def test_one_whose_service_has_become_the_code_prepares_another_in_its_place(able: Able) -> None:
    """A host that makes it so again and again has it serve one all the same."""
    address = able.prepared()
    able.wants()
    for _ in range(2):
        able.context.replica.ledger.code = address
        able.service.prepare(frames.PrepareFrame())
        stop, serve = able.wants()
        assert stop == effects.StopServingEffect(address)
        assert isinstance(serve, effects.ServeEffect)
        assert serve.key.public != address
        address = serve.key.public


def test_one_that_may_not_host_is_not_asked(able: Able) -> None:
    able.context.may_host = False
    with pytest.raises(PeerFault, match="unexpected-preparation"):
        able.service.prepare(frames.PrepareFrame())


def test_one_that_reaches_itself_on_the_way_to_another_host_says_its_address_once_that_one_asks(able: Able) -> None:
    """8.6: an Address before Able breaks a rule, and who says it lost its place."""
    able.uplink.begin(-2, ROOM, HELLO, Channel(SECRET, HELLO, up=True))
    address = able.prepared()
    assert able.said() == []
    able.service.tell_able()
    able.service.prepare(frames.PrepareFrame())
    said = able.said()
    assert said[0] == frames.AbleFrame()
    assert [it.address for it in said if isinstance(it, frames.AddressFrame)] == [address]


def test_once_asked_it_serves_and_says_its_address_when_it_has_reached_itself(able: Able) -> None:
    address = able.prepared()
    [drop, *_] = done = able.wants()
    assert isinstance(drop, effects.DropEffect)
    [said] = [frame for it in done if isinstance(it, effects.RecordEffect) for frame in it.frames]
    assert isinstance(said, frames.AddressFrame)
    assert said.address == address
    appointment.check_address(said, ROOM, able.context.replica.me.id)


def test_another_who_answers_at_its_address_is_not_taken_for_itself(able: Able) -> None:
    address = able.serves()
    link = able.dials_itself(address)
    able.greeted(address)
    able.wants()
    other = Able(b"other")
    able.carrier.take_input(inputs.ReceivedInput(link, other.greeted(other.serves())))
    assert able.said() == []


@pytest.mark.parametrize("hello", [b"", bytes(1_256)])
def test_what_is_no_hello_is_not_taken_for_itself(able: Able, hello: bytes) -> None:
    link = able.dials_itself(able.serves())
    able.carrier.take_input(inputs.ReceivedInput(link, hello))
    assert able.said() == []


def test_one_that_cannot_reach_itself_tries_again(able: Able) -> None:
    address = able.serves()
    link = able.dials_itself(address)
    able.carrier.take_input(inputs.DialFailedInput(link, Reason("not-found")))
    assert able.wants() == []
    due = able.carrier.next_deadline()
    assert due is not None
    set_time(able.context, limits.DIAL_PAUSE_MAX - 1)
    able.carrier.do_due_work()
    assert able.wants() == []
    set_time(able.context, limits.DIAL_PAUSE_MAX)
    able.carrier.do_due_work()
    [dial] = able.wants()
    assert isinstance(dial, effects.DialEffect)
    assert dial.link != link
    able.carrier.take_input(inputs.ReceivedInput(dial.link, able.greeted(address)))
    assert [type(frame) for frame in able.said()] == [frames.AddressFrame]


def test_what_becomes_of_another_dial_says_nothing_about_its_service(able: Able) -> None:
    address = able.serves()
    link = able.dials_itself(address)
    able.carrier.take_input(inputs.ReceivedInput(link - 1, able.greeted(address)))
    able.carrier.take_input(inputs.DialFailedInput(link - 1, Reason("not-found")))
    assert able.said() == []
    assert able.carrier.next_deadline() is None


def test_asked_again_it_says_its_address_again(able: Able) -> None:
    able.prepared()
    able.wants()
    able.service.prepare(frames.PrepareFrame())
    assert [type(frame) for frame in able.said()] == [frames.AddressFrame]


def test_its_service_stays_published_while_it_is_the_first_heir_or_may_become_one_or_has_lost_the_host(
    able: Able,
) -> None:
    address = able.prepared()
    able.wants()
    able.service.update(is_lost=False)
    assert able.wants() == [], "its host has just been told"
    able.is_heir(b"")
    able.service.update(is_lost=False)
    assert able.wants() == []
    able.is_heir(ANN.id, b"")
    able.service.update(is_lost=False)
    assert able.wants() == [effects.StopServingEffect(address)]
    able.service.update(is_lost=True)
    assert [type(effect) for effect in able.wants()] == [effects.ServeEffect]
    able.service.update(is_lost=False)
    able.is_heir()
    able.service.update(is_lost=True)
    assert able.wants() == [effects.StopServingEffect(address)]


def test_one_that_is_not_appointed_in_time_serves_no_more(able: Able) -> None:
    address = able.prepared()
    able.wants()
    set_time(able.context, limits.PREPARE)
    able.carrier.do_due_work()
    able.service.update(is_lost=False)
    assert able.wants() == [effects.StopServingEffect(address)]


def test_a_service_whose_network_is_lost_comes_back(able: Able) -> None:
    address = able.prepared()
    able.wants()
    able.carrier.take_input(inputs.UnpublishedInput(address))
    [serve] = able.wants()
    assert isinstance(serve, effects.ServeEffect)
    assert serve.returns
    able.carrier.take_input(inputs.PublishedInput(address))
    assert able.wants() == [], "it has reached itself before"


def test_one_whose_tor_serves_nothing_stays_a_member_and_is_no_heir(able: Able) -> None:
    address = able.serves()
    able.carrier.take_input(inputs.ServeFailedInput(address, TorRefused("no")))
    assert able.wants() == [effects.StopServingEffect(address)]
    assert not able.context.lifecycle.over
    able.service.prepare(frames.PrepareFrame())
    assert able.wants() == []


def test_it_keeps_the_key_of_the_code_that_its_host_gives_it_and_takes_no_other(able: Able) -> None:
    me, own_key = able.context.replica.me, able.context.replica.own_keys[0].public
    able.service.take_key(appointment.seal_room_key(ROOM_KEY, own_key, ROOM, me.id))
    found = able.context.serving.find_key(ROOM)
    assert found is not None
    assert found.seed == ROOM_KEY.seed
    with pytest.raises(PeerFault, match="wrong-room-key"):
        able.service.take_key(appointment.seal_room_key(ROOM_KEY, own_key, ROOM, ANN.id))


def test_whoever_dials_its_service_is_let_in_nowhere(able: Able) -> None:
    address = able.prepared()
    able.wants()
    able.carrier.take_input(inputs.LinkedInput(NEAR + 1, address))
    able.carrier.take_input(inputs.ReceivedInput(NEAR + 1, bytes(2_000)))
    assert [type(effect) for effect in able.wants()] == [effects.SendEffect, effects.DropEffect]
