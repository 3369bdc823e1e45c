"""A host says that others can join once it has reached itself by the room's code."""

import pytest

from anonp2p import limits
from anonp2p.protocol.handshake import HandshakeKey
from anonp2p.reasons import Reason
from anonp2p.room import effects, events, inputs
from anonp2p.room.gate import Gate
from anonp2p.room.host.reach import Reach
from anonp2p.room.hosting_events import ReachableEvent, UnreachedEvent
from anonp2p.room.room import Room
from tests.room.host.parts import Ordering, set_time, take_effects
from tests.room.peers import ROOM, ROOM_KEY, randomness

OTHER = b"o" * 32  # another code
REACHED = [ReachableEvent(room="r1")]
Outcome = inputs.ReceivedInput | inputs.DialFailedInput | inputs.DroppedInput


class Watch(Ordering):
    """A room of ours, which is served."""

    def __init__(self) -> None:
        super().__init__()
        self.context.serving.add_key(ROOM_KEY)
        self.context.serving.serve(ROOM)
        self.gate = Gate(self.context, self.new_admission())
        self.reach = Reach(self.context, self.gate)
        take_effects(self.context)

    def dial(self, seconds: float = 0.0) -> effects.DialEffect | None:
        """The dial that it wants, so many seconds after the beginning."""
        set_time(self.context, seconds)
        self.reach.do_due_work()
        return next((it for it in take_effects(self.context) if isinstance(it, effects.DialEffect)), None)

    def publish(self, code: bytes = ROOM) -> effects.DialEffect:
        """The code can be found; the dial that follows."""
        self.reach.begin(code)
        (dial,) = [it for it in take_effects(self.context) if isinstance(it, effects.DialEffect)]
        return dial

    def greeting(self) -> bytes:
        """Our hello on a link that somebody has dialled."""
        self.gate.begin_handshake(7, ROOM)
        return next(it.data for it in take_effects(self.context) if isinstance(it, effects.SendEffect))[2:]

    def hears(self, outcome: Outcome) -> list[events.Event]:
        """This comes of the dial; what the user is told."""
        assert self.reach.take_outcome(outcome)
        return [it.event for it in self.context.reporter.take_effects() if isinstance(it, effects.TellEffect)]


@pytest.fixture
def watch() -> Watch:
    return Watch()


def failed(dial: effects.DialEffect) -> inputs.DialFailedInput:
    return inputs.DialFailedInput(dial.link, Reason("no-introduction"), absent=True, again=True)


def test_nothing_is_said_before_our_own_hello_has_come(watch: Watch) -> None:
    assert watch.dial() is None, "not before it is published"
    dial = watch.publish()
    assert dial.address == ROOM
    assert not watch.reach.was_reached
    assert watch.hears(inputs.ReceivedInput(dial.link, watch.greeting())) == REACHED
    assert watch.reach.was_reached
    assert watch.dial(10_000) is None, "once is enough"


def test_whoever_asks_for_its_health_is_told_how_far_that_is(watch: Watch) -> None:
    def told() -> tuple[bool | None, object]:
        health = watch.context.health.describe("host", outstanding=0, alarms=0)
        return health["reachable"], health["trouble"] and health["trouble"].code

    assert told() == (False, None)
    dial = watch.publish()
    assert told() == (False, None)
    watch.hears(failed(dial))
    assert told() == (False, "no-introduction")
    again = watch.dial(limits.DIAL_PAUSE)
    assert again is not None
    watch.hears(inputs.ReceivedInput(again.link, watch.greeting()))
    assert told() == (True, None)
    watch.reach.stop()
    assert told() == (False, None)
    watch.hears(inputs.ReceivedInput(watch.publish().link, watch.greeting()))
    watch.publish()
    assert told() == (False, None), "it is published anew"


def test_a_room_is_not_settled_before_it_is_reached() -> None:
    watch = Watch()
    room = Room(label="r1", key=ROOM, random=watch.context.random, nick="", room_key=ROOM_KEY, name="demo", re="mine")
    told: list[events.Event] = []
    hellos: dict[int, bytes] = {}
    dials: list[int] = []

    def handle(what: inputs.Input) -> None:
        for effect in room.handle_input(what, watch.context.clock.now):
            match effect:
                case effects.TellEffect(event=event):
                    told.append(event)
                case effects.DialEffect(link=link):
                    dials.append(link)
                case effects.SendEffect(link=link, data=data):
                    hellos[link] = data[2:]

    handle(inputs.StartInput())
    handle(inputs.PublishedInput(ROOM))
    assert not room.settled
    handle(inputs.LinkedInput(1, ROOM))
    assert not room.settled
    handle(inputs.ReceivedInput(dials[0], hellos[1]))
    assert room.settled
    reached = [event for event in told if isinstance(event, ReachableEvent)]
    assert reached == [ReachableEvent(room="r1", re="mine")]


def test_the_link_by_which_we_looked_is_closed(watch: Watch) -> None:
    dial = watch.publish()
    assert watch.reach.take_outcome(inputs.ReceivedInput(dial.link, watch.greeting()))
    assert [it.link for it in take_effects(watch.context) if isinstance(it, effects.DropEffect)] == [dial.link]


@pytest.mark.parametrize("what", ["failure", "end", "hello of another", "no hello"])
def test_what_does_not_lead_to_us_does_not_count_and_is_tried_again_at_longer_and_longer_pauses(
    watch: Watch, what: str
) -> None:
    another = HandshakeKey(randomness(b"another")).begin_handshake(ROOM, 0.0).wire[2:]
    dial: effects.DialEffect | None = watch.publish()
    now = 0.0
    pauses: list[float] = []
    while len(pauses) < 12:
        assert dial is not None
        outcomes: dict[str, Outcome] = {
            "failure": failed(dial),
            "end": inputs.DroppedInput(dial.link, "broken", 0.0),
            "hello of another": inputs.ReceivedInput(dial.link, another),
            "no hello": inputs.ReceivedInput(dial.link, b"SSH-2.0"),
        }
        assert REACHED[0] not in watch.hears(outcomes[what])
        due = watch.reach.next_deadline()
        assert due is not None
        pauses.append(due - watch.context.clock.tick)
        assert watch.dial(now + pauses[-1] / 2) is None
        now += pauses[-1]
        dial = watch.dial(now)
    assert pauses[0] == limits.DIAL_PAUSE
    assert pauses == sorted(pauses)
    assert pauses[-1] == limits.REACH_PAUSE_MAX
    assert dial is not None
    assert dial.fresh, "our Tor looks anew"
    assert watch.hears(inputs.ReceivedInput(dial.link, watch.greeting())) == REACHED


def test_that_nobody_can_join_is_told_once_after_a_while(watch: Watch) -> None:
    dial: effects.DialEffect | None = watch.publish()
    now, told = 0.0, []
    while now < 3 * limits.UNREACHED:
        assert dial is not None
        told += [(now, event) for event in watch.hears(failed(dial))]
        now += limits.REACH_PAUSE_MAX
        dial = watch.dial(now)
    assert told == [(limits.UNREACHED, UnreachedEvent(room="r1", reason=Reason("no-introduction")))]


def test_each_publication_is_told_once_it_is_reached_and_our_tor_forgets_where_it_was(watch: Watch) -> None:
    first = watch.publish()
    assert not first.fresh, "nothing is known of it"
    assert watch.hears(inputs.ReceivedInput(first.link, watch.greeting())) == REACHED
    again = watch.publish()
    assert again.fresh
    assert watch.hears(inputs.ReceivedInput(again.link, watch.greeting())) == REACHED
    assert not watch.publish(OTHER).fresh


def test_a_code_that_is_published_no_more_is_not_dialled(watch: Watch) -> None:
    dial = watch.publish()
    watch.reach.stop()
    assert [it.link for it in take_effects(watch.context) if isinstance(it, effects.DropEffect)] == [dial.link]
    assert not watch.reach.take_outcome(failed(dial))
    dial = watch.publish()
    watch.hears(failed(dial))
    watch.reach.stop()
    assert watch.dial(10_000) is None


def test_other_links_are_none_of_its_business(watch: Watch) -> None:
    watch.publish()
    assert not watch.reach.take_outcome(inputs.ReceivedInput(-99, b"x"))
