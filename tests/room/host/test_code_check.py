"""The host dials its own code while others have the key of it, and warns if another program answers there."""

import pytest

from anonp2p import limits
from anonp2p.crypto import identity
from anonp2p.names.codes import RoomKey
from anonp2p.protocol import bodies
from anonp2p.protocol.field_types import Heir
from anonp2p.protocol.handshake import HandshakeKey
from anonp2p.reasons import Reason
from anonp2p.room import effects, events, inputs
from anonp2p.room.gate import Gate
from anonp2p.room.host.code_check import CodeCheck
from anonp2p.room.host.room_code import RoomCode
from tests.room.host.parts import Ordering, set_time, take_effects
from tests.room.peers import ANN, BOB, ROOM, ROOM_KEY, Somebody, randomness

LINK = 1  # Ann's
ALARM = Reason("other-at-code")


class Watch(Ordering):
    """A room of ours, whose service is published, with Ann in it."""

    def __init__(self) -> None:
        super().__init__()
        self.context.serving.add_key(ROOM_KEY)
        self.context.serving.serve(ROOM)
        self.add_member(ANN, "ann")
        self.add_link(LINK, ANN)
        self.code = RoomCode(self.context, self.sequencer, self.presence)
        self.gate = Gate(self.context, self.new_admission())
        self.check = CodeCheck(self.context, self.gate, self.presence, self.code)
        take_effects(self.context)

    def publishes(self) -> None:
        """Others can find us."""
        self.context.serving.note_published(self.context.replica.ledger.code)

    def entrusts(self, *whom: Somebody) -> None:
        """Each of these is given the key of the code, one after the other."""
        for who in whom:
            self.sequencer.order_own(bodies.HeirsBody([Heir(who.id, RoomKey(who.key).public)], True))
        take_effects(self.context)

    def dials(self, seconds: float) -> effects.DialEffect | None:
        """The dial that it wants, so many seconds after the beginning."""
        set_time(self.context, seconds)
        self.check.do_due_work()
        return next((it for it in take_effects(self.context) if isinstance(it, effects.DialEffect)), None)

    def greeting(self) -> bytes:
        """Our hello on a link that somebody has dialled."""
        self.gate.begin_handshake(7, ROOM)
        return next(it.data for it in take_effects(self.context) if isinstance(it, effects.SendEffect))

    def hears(self, dial: effects.DialEffect, payload: bytes) -> list[events.Event]:
        """The other end of the dial says this; what the user is told."""
        self.context.reporter.take_effects()
        assert self.check.take_outcome(inputs.ReceivedInput(dial.link, payload))
        return [it.event for it in self.context.reporter.take_effects() if isinstance(it, effects.TellEffect)]

    @property
    def codes(self) -> list[bytes]:
        """The codes that were ordered."""
        return [body.code for body in self.bodies() if isinstance(body, bodies.CodeBody)]


def hello_of_another() -> bytes:
    return HandshakeKey(randomness(b"another")).begin_handshake(ROOM, 0.0).wire[2:]


@pytest.fixture
def watch() -> Watch:
    return Watch()


def test_a_code_that_we_alone_can_serve_is_not_dialled(watch: Watch) -> None:
    watch.publishes()
    assert watch.check.next_deadline() is None
    assert watch.dials(10_000) is None


def test_a_code_is_dialled_anew_once_another_has_its_key_and_it_can_be_found(watch: Watch) -> None:
    watch.entrusts(ANN)
    assert watch.dials(1) is None
    watch.publishes()
    dial = watch.dials(1)
    assert dial is not None
    assert (dial.address, dial.fresh) == (ROOM, True)
    assert watch.dials(2) is None, "one at a time"


def test_where_our_own_hello_comes_all_is_well_for_a_quarter_of_an_hour(watch: Watch) -> None:
    watch.entrusts(ANN)
    watch.publishes()
    dial = watch.dials(1)
    assert dial is not None
    greeting = watch.greeting()
    assert watch.hears(dial, greeting[2:]) == []
    assert watch.context.health.describe("host", outstanding=0, alarms=0)["reached"] == 0
    assert watch.dials(limits.CODE_CHECK[0]) is None
    assert watch.dials(1 + limits.CODE_CHECK[1]) is not None
    assert watch.codes == []


def test_where_another_answers_the_user_is_warned_and_the_room_has_another_code(watch: Watch) -> None:
    watch.entrusts(ANN)
    watch.publishes()
    dial = watch.dials(1)
    assert dial is not None
    told = watch.hears(dial, hello_of_another())
    assert events.AlarmEvent(room="r1", member=identity.spell_member(ANN.id), reason=ALARM) in told
    assert watch.context.reporter.alarms == 1
    ledger = watch.context.replica.ledger
    assert watch.codes == [ledger.code]
    assert ledger.code != ROOM
    watch.publishes()
    assert watch.dials(10_000) is None, "nobody else has the key of this one"


@pytest.mark.parametrize("said", [b"", b"SSH-2.0", bytes(1_278)])
def test_what_is_no_hello_is_not_ours(watch: Watch, said: bytes) -> None:
    watch.entrusts(ANN)
    watch.publishes()
    dial = watch.dials(1)
    assert dial is not None
    assert len(watch.hears(dial, said)) >= 1


def test_of_several_who_have_the_key_nobody_is_named(watch: Watch) -> None:
    watch.add_member(BOB, "bob")
    watch.add_link(2, BOB)
    watch.entrusts(ANN, BOB)
    watch.publishes()
    dial = watch.dials(1)
    assert dial is not None
    assert events.AlarmEvent(room="r1", member="", reason=ALARM) in watch.hears(dial, hello_of_another())


def test_one_who_has_lost_us_may_answer_until_it_is_back(watch: Watch) -> None:
    watch.entrusts(ANN)
    watch.publishes()
    watch.presence.lose_link(LINK, 0.0)
    dial = watch.dials(1)
    assert dial is not None
    assert watch.hears(dial, hello_of_another()) == []
    assert watch.codes == []
    watch.add_link(2, ANN)
    again = watch.dials(1 + limits.CODE_CHECK_AGAIN[1])
    assert again is not None
    assert watch.hears(again, hello_of_another())


def test_one_who_breaks_its_link_whenever_it_is_looked_for_is_not_excused_for_ever(watch: Watch) -> None:
    watch.entrusts(ANN)
    watch.publishes()
    link, now = LINK, 1.0
    while True:
        watch.presence.lose_link(link, 0.0)
        dial = watch.dials(now)
        assert dial is not None
        if watch.hears(dial, hello_of_another()):
            break
        link += 1
        watch.presence.replace_link(ANN.id)
        watch.add_link(link, ANN)
        now += limits.CODE_CHECK_AGAIN[1]
    assert limits.PLACE_SECONDS <= now - 1 <= limits.PLACE_SECONDS + limits.CODE_CHECK_AGAIN[1]
    assert watch.codes == [watch.context.replica.ledger.code]


def test_who_answered_rightly_once_is_excused_again(watch: Watch) -> None:
    watch.entrusts(ANN)
    watch.publishes()
    now = 1.0
    for payload in (hello_of_another(), b"", hello_of_another()):
        watch.presence.lose_link(LINK, 0.0)
        dial = watch.dials(now)
        assert dial is not None
        assert watch.hears(dial, payload or watch.greeting()[2:]) == []
        now += limits.PLACE_SECONDS + limits.CODE_CHECK[1]


def test_a_dial_in_vain_proves_nothing_and_is_made_again(watch: Watch) -> None:
    watch.entrusts(ANN)
    watch.publishes()
    dial = watch.dials(1)
    assert dial is not None
    failed = inputs.DialFailedInput(dial.link, Reason("no-descriptor"), absent=True, again=True)
    assert watch.check.take_outcome(failed)
    assert watch.codes == []
    assert watch.dials(1 + limits.CODE_CHECK_AGAIN[1]) is not None


def test_other_links_are_none_of_its_business(watch: Watch) -> None:
    assert not watch.check.take_outcome(inputs.ReceivedInput(-5, b"x"))


def test_our_own_hello_is_known_though_its_link_has_given_way_and_the_key_is_a_new_one(watch: Watch) -> None:
    """As under a flood of links, or at the end of a minute."""
    watch.entrusts(ANN)
    watch.publishes()
    dial = watch.dials(1)
    assert dial is not None
    greeting = watch.greeting()
    watch.gate.forget_link(7)
    set_time(watch.context, 1 + limits.HANDSHAKE_KEY)
    watch.greeting()
    assert watch.hears(dial, greeting[2:]) == []
