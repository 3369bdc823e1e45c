"""Rooms of one user: nothing that one does of itself happens at the moment at which another does the same."""

from anonp2p import limits
from anonp2p.room import effects, events, inputs
from anonp2p.room.room import Room
from tests.room.peers import ROOM, ROOM_KEY, randomness, told

COUNT = 100
NOW = inputs.Now(100.0, 1_000_000.0)


def new_room(number: int, *, name: str | None = "demo", is_alone: bool = False) -> Room:
    """A room of ours, or with no name one that we join; each draws by its own lots."""
    random = randomness(f"room {number}".encode())
    key = None if name is None else ROOM_KEY
    return Room(label="r1", key=ROOM, random=random, nick="hugo", room_key=key, name=name or "", is_alone=is_alone)


def serve_pauses(done: list[effects.Effect], *, returns: bool) -> list[float]:
    return [it.pause for it in done if isinstance(it, effects.ServeEffect) and it.returns is returns]


def assert_spread(times: list[float], most: float) -> None:
    """That each is drawn by itself."""
    assert len(set(times)) == len(times) == COUNT
    assert 0.0 <= min(times) < 0.1 * most
    assert 0.9 * most < max(times) < most


def leave_at(room: Room, leave: inputs.LeaveInput) -> float:
    """When it is out."""
    assert not any(isinstance(event, events.GoneEvent) for event in told(room.handle_input(leave, NOW)))
    due = room.next_deadline()
    assert due is not None
    room.handle_input(inputs.TickInput(), NOW._replace(tick=due - 1e-6))
    assert not room.over
    gone = told(room.handle_input(inputs.TickInput(), NOW._replace(tick=due)))
    assert room.over
    assert [(event.reason, event.re) for event in gone if isinstance(event, events.GoneEvent)] == [("left", leave.re)]
    return due - NOW.tick


def test_rooms_that_are_left_together_are_left_at_times_of_their_own() -> None:
    leave, times = inputs.LeaveInput(now=True, within=limits.LEAVE_SPREAD, re=7), []
    for number in range(COUNT):
        room = new_room(number)
        room.handle_input(inputs.StartInput(), NOW)
        times.append(leave_at(room, leave))
    assert_spread(times, limits.LEAVE_SPREAD)


def test_so_is_one_that_has_not_let_us_in_yet() -> None:
    room = new_room(0, name=None)
    room.handle_input(inputs.StartInput(), NOW)
    assert 0.0 < leave_at(room, inputs.LeaveInput(now=True, within=limits.LEAVE_SPREAD, re=7)) < limits.LEAVE_SPREAD


def test_a_room_that_is_left_alone_is_left_at_once() -> None:
    room = new_room(0)
    room.handle_input(inputs.StartInput(), NOW)
    room.handle_input(inputs.LeaveInput(now=True), NOW)
    assert room.over


def test_a_room_that_ends_before_its_time_to_be_left_is_over_once() -> None:
    room = new_room(0)
    room.handle_input(inputs.StartInput(), NOW)
    room.handle_input(inputs.LeaveInput(now=True, within=limits.LEAVE_SPREAD), NOW)
    room.handle_input(inputs.LeaveInput(now=True), NOW)
    assert room.over
    assert room.next_deadline() is None
    assert told(room.handle_input(inputs.TickInput(), NOW._replace(tick=200.0))) == []


def pauses_of(rooms: list[Room], what: inputs.OuterInput, *, returns: bool) -> list[float]:
    return [pause for room in rooms for pause in serve_pauses(room.handle_input(what, NOW), returns=returns)]


def test_rooms_that_wait_for_the_same_network_appear_at_times_of_their_own() -> None:
    rooms = [new_room(number) for number in range(COUNT)]
    assert_spread(pauses_of(rooms, inputs.StartInput(), returns=False), limits.RETURN_SPREAD)
    assert_spread(pauses_of(rooms, inputs.UnpublishedInput(ROOM), returns=True), limits.RETURN_SPREAD)


def test_the_first_room_does_not_wait_for_others_but_comes_back_at_a_time_of_its_own() -> None:
    rooms = [new_room(number, is_alone=True) for number in range(COUNT)]
    assert pauses_of(rooms, inputs.StartInput(), returns=False) == [0.0] * COUNT
    assert_spread(pauses_of(rooms, inputs.UnpublishedInput(ROOM), returns=True), limits.RETURN_SPREAD)


def test_heads_of_rooms_that_began_together_are_not_due_together() -> None:
    """1.4: neither the first nor later ones, and not at one interval."""
    dues: list[list[float]] = []
    for number in range(20):
        room = new_room(number)
        room.handle_input(inputs.StartInput(), NOW)
        room.handle_input(inputs.EndBatchInput(), NOW)
        own = []
        for _ in range(5):
            due = room.next_deadline()
            assert due is not None
            own.append(due)
            room.handle_input(inputs.TickInput(), NOW._replace(tick=due))
        dues.append(own)
    flat = [round(due, 4) for own in dues for due in own]
    assert len(set(flat)) > 0.9 * len(flat)
    gaps = {round(own[at + 1] - own[at], 4) for own in dues for at in range(4)}
    assert len(gaps) > 0.9 * 80
