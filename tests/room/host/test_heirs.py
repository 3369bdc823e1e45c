"""Who is asked whether it can take the room over, who is appointed, and who is given the key of its code."""

import msgspec
import pytest

from anonp2p import limits
from anonp2p.crypto.invitations import find_client
from anonp2p.errors import PeerFault
from anonp2p.names.codes import RoomKey
from anonp2p.protocol import appointment, bodies, frames
from anonp2p.protocol.field_types import Heir
from anonp2p.protocol.rights import ReturnKey
from anonp2p.room import effects
from anonp2p.room.host.heirs import Heirs
from anonp2p.room.host.room_code import RoomCode
from anonp2p.room.invitations import found_private
from tests.room.host.parts import Ordering, set_time, take_effects
from tests.room.peers import ANN, BOB, EVE, ROOM, ROOM_KEY, ZOE, Somebody

EVERYBODY = {ANN.id: ANN, BOB.id: BOB, EVE.id: EVE, ZOE.id: ZOE}
LINKS = {ANN.id: 1, BOB.id: 2, EVE.id: 3, ZOE.id: 4}


def service_of(who: Somebody) -> RoomKey:
    """Its own."""
    return RoomKey(who.key)


def heir(who: Somebody) -> Heir:
    """As the log names it."""
    return Heir(who.id, service_of(who).public)


class Estate(Ordering):
    """A room of ours with Ann, Bob, Eve and Zoe in it, all of them linked."""

    def __init__(self) -> None:
        super().__init__()
        self.context.serving.add_key(ROOM_KEY)
        for who, nick in ((ANN, "ann"), (BOB, "bob"), (EVE, "eve"), (ZOE, "zoe")):
            self.add_member(who, nick)
            self.add_link(LINKS[who.id], who)
        self.code = RoomCode(self.context, self.sequencer, self.presence)
        self.heirs = Heirs(self.context, self.sequencer, self.presence, self.code)
        self.start = self.sequencer.log.end
        take_effects(self.context)

    def can(self, *members: Somebody) -> None:
        """These say that they can host."""
        for who in members:
            self.heirs.take_able(LINKS[who.id], who.id)

    def updates(self, seconds: float = 0.0) -> list[tuple[int, frames.Frame]]:
        """It does what follows; returns what it sends on which links. seconds: since the beginning."""
        set_time(self.context, seconds)
        self.heirs.update()
        self.sequencer.end_batch()
        for link in self.presence.links.values():
            while link.reader.take_data():
                pass
            link.reader.mark_sent()
        done = take_effects(self.context)
        return [(it.link, frame) for it in done if isinstance(it, effects.RecordEffect) for frame in it.frames]

    def prepares(self, *members: Somebody) -> None:
        """Each of these is asked in turn, and shows its address."""
        for who in members:
            assert (LINKS[who.id], frames.PrepareFrame()) in self.updates()
            self.heirs.take_address(who.id, appointment.sign_address(service_of(who), ROOM, who.id))
        self.updates()

    def named(self) -> list[bodies.Body]:
        """What was ordered about heirs and codes."""
        return [body for body in self.bodies(self.start) if isinstance(body, bodies.HeirsBody | bodies.CodeBody)]


@pytest.fixture
def estate() -> Estate:
    return Estate()


def test_nobody_is_asked_who_has_not_said_that_it_can(estate: Estate) -> None:
    assert estate.updates() == []
    assert estate.named() == []


def test_one_after_the_other_is_asked_and_becomes_an_heir_until_there_are_three(estate: Estate) -> None:
    estate.can(ZOE, EVE, BOB, ANN)
    estate.prepares(ANN, BOB, EVE)
    assert estate.updates() == []
    assert [body.heirs for body in estate.named() if isinstance(body, bodies.HeirsBody)] == [
        [heir(ANN)],
        [heir(ANN), heir(BOB)],
        [heir(ANN), heir(BOB), heir(EVE)],
    ]


def test_who_is_muted_comes_last(estate: Estate) -> None:
    estate.can(ANN, BOB)
    estate.prepares(ANN, BOB)
    estate.sequencer.order_own(bodies.RoleBody(ANN.id, "muted"))
    estate.updates()
    assert [it.member for it in estate.context.replica.ledger.heirs] == [BOB.id, ANN.id]


def test_while_one_is_asked_no_other_is_until_its_time_is_over(estate: Estate) -> None:
    estate.can(ANN, BOB)
    assert estate.updates() == [(LINKS[ANN.id], frames.PrepareFrame())]
    assert estate.updates(limits.PREPARE - 1) == []
    assert estate.heirs.next_deadline() == pytest.approx(1_000 + limits.PREPARE)
    assert estate.updates(limits.PREPARE) == [(LINKS[BOB.id], frames.PrepareFrame())]
    assert estate.updates(2 * limits.PREPARE) == [], "nobody is asked twice"


def test_one_who_was_asked_in_vain_is_asked_again_once_it_says_again_that_it_can(estate: Estate) -> None:
    estate.can(ANN)
    estate.updates()
    estate.updates(limits.PREPARE)
    estate.can(ANN)
    assert estate.updates(limits.PREPARE) == [(LINKS[ANN.id], frames.PrepareFrame())]


def test_an_address_that_comes_late_is_good(estate: Estate) -> None:
    estate.can(ANN)
    estate.updates()
    estate.updates(limits.PREPARE)
    estate.heirs.take_address(ANN.id, appointment.sign_address(service_of(ANN), ROOM, ANN.id))
    estate.updates(limits.PREPARE)
    assert estate.context.replica.ledger.heirs == (heir(ANN),)


def test_an_address_for_which_a_host_before_us_has_asked_is_good(estate: Estate) -> None:
    estate.can(ANN)
    estate.heirs.take_address(ANN.id, appointment.sign_address(service_of(ANN), ROOM, ANN.id))
    estate.updates()
    assert estate.context.replica.ledger.heirs == (heir(ANN),)


def test_an_address_of_one_who_has_not_said_that_it_can_host_is_a_fault(estate: Estate) -> None:
    with pytest.raises(PeerFault, match="unexpected-address"):
        estate.heirs.take_address(ANN.id, appointment.sign_address(service_of(ANN), ROOM, ANN.id))


def test_an_address_of_another_is_a_fault(estate: Estate) -> None:
    estate.can(ANN)
    estate.updates()
    with pytest.raises(PeerFault, match="unsigned-address"):
        estate.heirs.take_address(ANN.id, appointment.sign_address(service_of(BOB), ROOM, BOB.id))


@pytest.mark.parametrize("key", [service_of(ANN), ROOM_KEY], ids=["an heir's", "the room's"])
def test_an_address_that_is_in_use_is_a_fault(estate: Estate, key: RoomKey) -> None:
    """Or the host would name two heirs with one address, which no member takes."""
    estate.can(ANN, BOB)
    estate.prepares(ANN)
    estate.updates()
    with pytest.raises(PeerFault, match="unexpected-address"):
        estate.heirs.take_address(BOB.id, appointment.sign_address(key, ROOM, BOB.id))


def test_an_heir_may_show_its_address_again(estate: Estate) -> None:
    estate.can(ANN)
    estate.prepares(ANN)
    estate.heirs.take_address(ANN.id, appointment.sign_address(service_of(ANN), ROOM, ANN.id))
    estate.updates()
    assert estate.context.replica.ledger.heirs == (heir(ANN),)


def test_an_heir_stays_one_until_it_is_away(estate: Estate) -> None:
    estate.can(ANN, BOB)
    estate.prepares(ANN, BOB)
    estate.presence.lose_link(LINKS[ANN.id], 0.0)
    estate.can(BOB)
    estate.updates()
    assert estate.named()[-1] == bodies.HeirsBody([heir(ANN), heir(BOB)], True)
    estate.sequencer.order_own(bodies.AwayBody(ANN.id))
    estate.updates()
    assert estate.named()[-1] == bodies.HeirsBody([heir(BOB)], True)


def test_one_without_a_link_does_not_become_an_heir(estate: Estate) -> None:
    estate.can(ANN)
    estate.updates()
    estate.heirs.take_address(ANN.id, appointment.sign_address(service_of(ANN), ROOM, ANN.id))
    estate.presence.lose_link(LINKS[ANN.id], 0.0)
    assert estate.updates() == []
    assert estate.named() == []


def test_one_who_has_said_that_it_can_on_another_link_is_not_asked_on_this_one(estate: Estate) -> None:
    estate.can(ANN)
    estate.presence.replace_link(ANN.id)
    estate.add_link(9, ANN)
    assert estate.updates() == []


def test_heirs_that_are_there_go_before_those_who_have_been_in_longer(estate: Estate) -> None:
    estate.can(ZOE)
    estate.prepares(ZOE)
    estate.can(ANN)
    estate.prepares(ANN)
    assert estate.context.replica.ledger.heirs == (heir(ZOE), heir(ANN))


def test_whom_the_user_wants_is_the_first_though_there_are_three(estate: Estate) -> None:
    estate.can(ANN, BOB, EVE, ZOE)
    estate.prepares(ANN, BOB, EVE)
    assert estate.heirs.want_member(ZOE.id)
    estate.prepares(ZOE)
    assert estate.context.replica.ledger.heirs == (heir(ZOE), heir(ANN), heir(BOB))


def test_one_who_cannot_host_cannot_be_wanted(estate: Estate) -> None:
    assert not estate.heirs.want_member(ANN.id)
    estate.can(BOB)
    estate.prepares(BOB)
    assert list(estate.context.replica.ledger.heirs) == [heir(BOB)]


def test_the_first_heir_is_given_the_key_with_its_appointment(estate: Estate) -> None:
    estate.can(ANN)
    assert estate.updates() == [(LINKS[ANN.id], frames.PrepareFrame())]
    estate.heirs.take_address(ANN.id, appointment.sign_address(service_of(ANN), ROOM, ANN.id))
    [(link, sent)] = estate.updates()
    assert estate.context.replica.ledger.holders == (estate.context.replica.me.id, ANN.id)
    assert link == LINKS[ANN.id]
    assert isinstance(sent, frames.EntrustFrame)
    assert appointment.open_room_key(sent.box, [ANN.encryption_key], ROOM, ANN.id, ROOM).public == ROOM
    assert estate.updates(limits.ENTRUST_CHECK) == [], "once"


def test_the_key_of_another_code_is_given_once_the_heir_was_sent_that_code(estate: Estate) -> None:
    """Before, it could not know whose key it is."""
    estate.can(ANN)
    estate.prepares(ANN)
    estate.code.change()
    assert estate.updates() == []
    [(_, sent)] = estate.updates(limits.ENTRUST_CHECK)
    assert isinstance(sent, frames.EntrustFrame)
    code = estate.context.replica.ledger.code
    assert appointment.open_room_key(sent.box, [ANN.encryption_key], ROOM, ANN.id, code).public == code


def test_on_another_link_the_first_heir_is_given_the_key_again(estate: Estate) -> None:
    estate.can(ANN)
    estate.prepares(ANN)
    estate.updates(limits.ENTRUST_CHECK)
    estate.presence.replace_link(ANN.id)
    estate.add_link(9, ANN)
    estate.heirs.take_able(9, ANN.id)
    [(link, sent)] = estate.updates(limits.ENTRUST_CHECK)
    assert link == 9
    assert isinstance(sent, frames.EntrustFrame)


def test_where_nobody_is_to_be_entrusted_with_it_the_key_stays_with_us(estate: Estate) -> None:
    estate.heirs.entrust_nobody()
    estate.can(ANN)
    estate.prepares(ANN)
    assert estate.updates(limits.ENTRUST_CHECK) == []
    assert estate.named() == [bodies.HeirsBody([heir(ANN)], False)]
    assert estate.context.replica.ledger.holders == (estate.context.replica.me.id,)


def test_a_code_whose_key_we_have_not_is_entrusted_to_nobody(estate: Estate) -> None:
    estate.context.serving.forget_keys()
    estate.can(ANN)
    estate.prepares(ANN)
    assert estate.named() == [bodies.HeirsBody([heir(ANN)], False)]


def test_there_is_another_code_once_one_who_had_the_key_was_thrown_out(estate: Estate) -> None:
    estate.can(ANN)
    estate.prepares(ANN)
    estate.throw_out(ANN, "spam")
    estate.heirs.update()
    ledger = estate.context.replica.ledger
    assert ledger.code != ROOM
    assert ledger.holders == (ledger.host,)
    served = [it.key.public for it in take_effects(estate.context) if isinstance(it, effects.ServeEffect)]
    assert served == [ledger.code]
    estate.updates()
    assert len([body for body in estate.named() if isinstance(body, bodies.CodeBody)]) == 1


def test_who_never_had_the_key_is_thrown_out_without_another_code(estate: Estate) -> None:
    estate.can(ANN)
    estate.prepares(ANN)
    estate.throw_out(BOB, "spam")
    estate.updates()
    assert estate.context.replica.ledger.code == ROOM


def test_an_heir_of_the_term_before_that_does_not_come_soon_is_none_any_more(estate: Estate) -> None:
    estate.can(ANN, BOB)
    estate.prepares(ANN, BOB)
    estate.presence.lose_link(LINKS[ANN.id], 0.0)
    estate.heirs = Heirs(estate.context, estate.sequencer, estate.presence, estate.code)  # as a next host has them
    estate.can(BOB)
    estate.updates(limits.HEIR_PATIENCE - 1)
    assert list(estate.context.replica.ledger.heirs) == [heir(ANN), heir(BOB)]
    assert estate.heirs.next_deadline() == pytest.approx(1_000 + limits.HEIR_PATIENCE)
    estate.updates(limits.HEIR_PATIENCE)
    assert list(estate.context.replica.ledger.heirs) == [heir(BOB)]


def make_private(estate: Estate) -> None:
    """The room of these is found by keys alone."""
    ledger, me = estate.context.replica.ledger, estate.context.replica.me
    rights = found_private(ledger.rights, me, estate.context.pool.begin(b"p" * 32))
    returns = (ReturnKey(who.id, find_client(who.return_key)) for who in EVERYBODY.values())
    ledger.rights = msgspec.structs.replace(rights, returns=(*rights.returns, *returns))


def test_heirs_of_a_private_room_are_asked_anew_once_its_keys_are_replaced(estate: Estate) -> None:
    """5d.7: also where there are as many as need be, and once they have been sent the entry with the other code."""
    make_private(estate)
    estate.can(ANN, BOB, EVE)
    estate.prepares(ANN, BOB, EVE)
    assert estate.updates() == []
    estate.code.change()
    new = RoomKey(b"n" * 32)
    assert frames.PrepareFrame() not in [frame for _, frame in estate.updates()], "it has not been sent the entry"
    told = [frame for link, frame in estate.updates(limits.ENTRUST_CHECK) if link == LINKS[ANN.id]]
    assert told[:2] == [frames.ClientsFrame(list(estate.context.pool.clients)), frames.PrepareFrame()]
    assert list(estate.context.replica.ledger.heirs) == [heir(ANN), heir(BOB), heir(EVE)], "till it has said a new one"
    estate.heirs.take_address(ANN.id, appointment.sign_address(new, ROOM, ANN.id))
    assert (LINKS[BOB.id], frames.PrepareFrame()) in estate.updates()
    assert list(estate.context.replica.ledger.heirs) == [Heir(ANN.id, new.public), heir(BOB), heir(EVE)]


def test_all_heirs_of_a_private_room_are_told_its_new_keys_at_once(estate: Estate) -> None:
    """5d.7: we may be gone before each has been asked for a new address. Not on a link on which one is not in yet."""
    make_private(estate)
    estate.can(ANN, BOB, EVE)
    estate.prepares(ANN, BOB, EVE)
    estate.presence.lose_link(LINKS[EVE.id], 0.0)
    estate.add_link(8, EVE)
    estate.code.change()
    told = frames.ClientsFrame(list(estate.context.pool.clients))
    assert sorted(link for link, frame in estate.updates() if frame == told) == [LINKS[ANN.id], LINKS[BOB.id]]
    estate.heirs.take_able(8, EVE.id)
    assert (8, told) in estate.updates()


def test_who_goes_on_as_host_of_a_private_room_asks_its_heirs_as_their_addresses_may_be_of_before(
    estate: Estate,
) -> None:
    """5d.7: nobody but the host before knew whether they had said new ones."""
    make_private(estate)
    estate.can(ANN, BOB, EVE)
    estate.prepares(ANN, BOB, EVE)
    estate.heirs = Heirs(estate.context, estate.sequencer, estate.presence, estate.code)
    estate.can(ANN, BOB, EVE)
    estate.prepares(ANN, BOB, EVE)
    assert estate.updates() == []


def test_nobody_is_said_to_hold_the_key_who_has_no_link_to_get_it_by(estate: Estate) -> None:
    estate.can(ANN)
    estate.prepares(ANN)
    estate.code.change()
    estate.presence.lose_link(LINKS[ANN.id], 0.0)
    estate.updates()
    ledger = estate.context.replica.ledger
    assert (ledger.heirs, ANN.id in ledger.holders) == ((heir(ANN),), False)
