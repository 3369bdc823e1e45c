"""Hello, knock and records: a link that only its two ends read, and that nobody between them changes unnoticed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import msgpack

from anonp2p import limits
from anonp2p.core import frames, handshake
from anonp2p.core.epochs import suite
from anonp2p.core.frames import Frame
from anonp2p.core.handshake import Channel, Door, Greeting
from anonp2p.errors import PeerFault

ROOM, LINK, HELLO = b"r" * 32, b"l" * 32, b"h" * 32
LEAF = suite.LeafKey(b"a" * 32).public
DOOR = suite.LeafKey(b"d" * 32)
JOIN = frames.Join(LINK, b"k" * 32, LEAF, "ann", b"s" * 64)
RESUME = frames.Resume(LINK, b"m" * 16, LEAF, 3, 5, b"d" * 32, b"s" * 64)

up = st.one_of(st.just(frames.Beat()), st.builds(frames.Submit, st.integers(0, 9), st.binary(max_size=50)))
down = st.one_of(
    st.builds(frames.Page, st.binary(max_size=50)),
    st.builds(frames.Denied, st.integers(0, 9), st.sampled_from(["repeated", "too-often"])),
)
lists = st.lists(up, max_size=4), st.lists(down, max_size=4)


def ends(link: bytes = LINK, hello: bytes = HELLO) -> tuple[Channel, Channel]:
    """The member's and the host's."""
    return Channel(link, hello, up=True), Channel(link, hello, up=False)


def record(end: Channel, frame: Frame) -> bytes:
    """Without its length."""
    wire = end.seal(frame)
    assert int.from_bytes(wire[:2], "big") == len(wire) - 2
    return wire[2:]


def fault(end: Channel, payload: bytes) -> str:
    with pytest.raises(PeerFault) as caught:
        end.open(payload)
    return str(caught.value)


def counting() -> Door:
    """A door whose random bytes are 1, 2, 3, ..."""
    numbers = iter(range(1, 100))
    return Door(ROOM, lambda size: bytes([next(numbers)]) * size)


# --- records


@given(*lists)
def test_records_come_in_their_order_both_ways(sent_up: list[Frame], sent_down: list[Frame]) -> None:
    """2.6: "n counts the records of that direction from 0"."""
    member, host = ends()
    assert [host.open(record(member, frame)) for frame in sent_up] == sent_up
    assert [member.open(record(host, frame)) for frame in sent_down] == sent_down


def test_a_record_is_the_frame_sealed_under_the_key_of_its_direction() -> None:
    """2.6: "aead(k, n, frame, nothing), where k is expand(link, `anonp2p/2 up`, hello)"."""
    member, host = ends()
    for number in range(3):
        for end, name, frame in ((member, "up", frames.Beat()), (host, "down", frames.Resumed(number))):
            key = suite.Key(suite.expand(LINK, name, HELLO))
            assert key.open(number, record(end, frame)) == frames.pack(frame)


def test_a_record_repeated_is_a_fault() -> None:
    member, host = ends()
    payload = record(member, frames.Beat())
    host.open(payload)
    assert "does not open" in fault(host, payload)


def test_records_in_another_order_or_with_one_left_out_are_faults() -> None:
    member, host = ends()
    first, second = record(member, frames.Beat()), record(member, frames.Beat())
    assert first != second
    assert "does not open" in fault(host, second)
    assert host.open(first) == frames.Beat()
    assert host.open(second) == frames.Beat()


def test_a_record_does_not_open_at_the_end_that_sealed_it() -> None:
    sent: list[Frame] = [frames.Beat(), frames.Resumed(1)]
    for end, frame in zip(ends(), sent, strict=True):
        assert "does not open" in fault(end, record(end, frame))


def test_the_two_directions_have_keys_of_their_own() -> None:
    """What would open if they had one: the same frame at the same number."""
    member, host = ends()
    assert record(member, frames.Beat()) != record(host, frames.Beat())


def test_a_record_of_another_link_or_hello_is_a_fault() -> None:
    payload = record(ends()[0], frames.Beat())
    for _, host in (ends(link=b"m" * 32), ends(hello=b"i" * 32)):
        assert "does not open" in fault(host, payload)


@given(st.integers(0, 17 * 8 - 1))
def test_a_record_with_a_bit_turned_is_a_fault(bit: int) -> None:
    member, host = ends()
    payload = bytearray(record(member, frames.Beat()))
    bit %= len(payload) * 8
    payload[bit // 8] ^= 1 << bit % 8
    assert "does not open" in fault(host, bytes(payload))


@given(st.binary(max_size=60))
def test_garbage_is_a_fault(garbage: bytes) -> None:
    for end in ends():
        assert "does not open" in fault(end, garbage)


@pytest.mark.parametrize("frame", [frames.Resumed(1), frames.Page(b""), frames.Refused("full")], ids=repr)
def test_a_frame_that_only_a_host_says_is_a_fault_of_a_members(frame: Frame) -> None:
    """2.7: the column "from"."""
    member, host = ends()
    assert "malformed" in fault(host, record(member, frame))


@pytest.mark.parametrize("frame", [frames.Beat(), frames.Submit(0, b""), frames.Leaf(LEAF)], ids=repr)
def test_a_frame_that_only_a_member_says_is_a_fault_of_a_hosts(frame: Frame) -> None:
    member, host = ends()
    assert "malformed" in fault(member, record(host, frame))


@pytest.mark.parametrize("text", [b"", b"\xc1", b"\x91\x03\x00", b"\x91" * 60_000, b"\x92\x01"])
def test_a_record_of_garbage_is_malformed(text: bytes) -> None:
    member, host = ends()
    for end, name in ((host, "up"), (member, "down")):
        assert "malformed" in fault(end, suite.Key(suite.expand(LINK, name, HELLO)).seal(0, text))


# --- hello


def test_a_hello_comes_back_with_its_hash() -> None:
    """2.2: "[1, version (2), nonce: 32 bytes, door: 1,216 bytes]"; "*hello* below is H of the Hello's payload"."""
    greeting = Greeting(b"n" * 32, ROOM, DOOR)
    [payload] = frames.Splitter(limits.FRAME).feed(greeting.wire)
    assert msgpack.decode(payload) == [1, 2, b"n" * 32, DOOR.public]
    assert handshake.read_hello(payload) == (frames.Hello(2, b"n" * 32, DOOR.public), suite.digest(payload))
    assert greeting.hello == suite.digest(payload)


def test_the_hash_is_of_the_hello_as_it_came() -> None:
    """0.2: "always the bytes as they came, never an encoding made anew"."""
    payload = frames.pack(frames.Hello(2, b"n" * 32, DOOR.public))
    longer = payload[:2] + b"\xcc\x02" + payload[3:]  # the same number in another form
    assert handshake.read_hello(longer)[0] == handshake.read_hello(payload)[0]
    assert handshake.read_hello(longer)[1] == suite.digest(longer) != suite.digest(payload)


@pytest.mark.parametrize(
    "said",
    [
        [2, 2, bytes(32), bytes(1216)],
        [1, 2, bytes(31), bytes(1216)],
        [1, 2, bytes(32), bytes(1215)],
        [1, 2, bytes(32)],
        [],
    ],
    ids=["tag", "nonce", "door", "fields", "nothing"],
)
def test_a_hello_that_is_none_is_malformed(said: list[object]) -> None:
    with pytest.raises(PeerFault, match="malformed"):
        handshake.read_hello(msgpack.encode(said))


# --- the door


def test_each_link_is_greeted_with_a_nonce_of_its_own_and_the_door_of_the_minute() -> None:
    """2.2: "The nonce is fresh for each link. The door is ... made anew every minute (`DOOR`)"."""
    door = counting()
    said = []
    for now in (100.0, 100.0, 100.0 + limits.DOOR - 0.1, 100.0 + limits.DOOR, 101.0 + limits.DOOR):
        [payload] = frames.Splitter(limits.FRAME).feed(door.greet(now).wire)
        said.append(handshake.read_hello(payload)[0])
    assert len({hello.nonce for hello in said}) == 5
    assert said[0].door == said[1].door == said[2].door != said[3].door == said[4].door


def test_what_was_greeted_with_an_older_door_still_opens_with_it() -> None:
    """2.2: "it keeps the one before for as long as a link that was greeted with it is in its handshake"."""
    door = counting()
    before, after = door.greet(0.0), door.greet(limits.DOOR)
    assert before.open(knocked(JOIN, before)) == JOIN
    with pytest.raises(PeerFault):
        after.open(knocked(JOIN, before))


# --- knock


def knocked(request: frames.Request, greeting: Greeting, room: bytes = ROOM) -> bytes:
    """A knock's payload, from one who was greeted so."""
    [payload] = frames.Splitter(limits.FRAME).feed(greeting.wire)
    [knock] = frames.Splitter(limits.HANDSHAKE_BYTES).feed(
        handshake.knock(request, room, *handshake.read_hello(payload))
    )
    return knock


@pytest.mark.parametrize("request_", [JOIN, RESUME], ids=repr)
def test_a_knock_tells_the_host_alone_what_is_asked(request_: frames.Request) -> None:
    greeting = Greeting(b"n" * 32, ROOM, DOOR)
    knock = knocked(request_, greeting)
    assert greeting.open(knock) == request_
    assert LINK not in knock


def test_a_knock_is_for_one_room_one_hello_and_one_door() -> None:
    """2.4: "box(door, request, `anonp2p/2 knock` || room || hello)"."""
    greeting = Greeting(b"n" * 32, ROOM, DOOR)
    for other in (
        Greeting(b"n" * 32, b"q" * 32, DOOR),
        Greeting(b"m" * 32, ROOM, DOOR),
        Greeting(b"n" * 32, ROOM, suite.LeafKey(bytes(32))),
    ):
        with pytest.raises(PeerFault, match="does not open"):
            other.open(knocked(JOIN, greeting))
    with pytest.raises(PeerFault, match="does not open"):
        greeting.open(knocked(JOIN, greeting, room=b"q" * 32))
    info = b"anonp2p/2 knock" + ROOM + greeting.hello
    assert DOOR.open(knocked(JOIN, greeting), info) == frames.pack(JOIN)


@pytest.mark.parametrize("text", [b"", b"\xc1", b"\x91\x03", b"\x91" * 10_000, frames.pack(frames.Submit(0, b""))])
def test_a_knock_of_garbage_is_malformed(text: bytes) -> None:
    greeting = Greeting(b"n" * 32, ROOM, DOOR)
    box = suite.seal_to(DOOR.public, text, b"anonp2p/2 knock" + ROOM + greeting.hello)
    with pytest.raises(PeerFault, match="malformed"):
        greeting.open(box)


@given(st.binary(max_size=1_300))
def test_a_knock_that_is_no_box_does_not_open(garbage: bytes) -> None:
    with pytest.raises(PeerFault, match="does not open"):
        Greeting(b"n" * 32, ROOM, DOOR).open(garbage)


def test_nobody_knocks_at_a_door_that_cannot_be_sealed_to() -> None:
    with pytest.raises(PeerFault, match="cannot be sealed to"):
        handshake.knock(JOIN, ROOM, frames.Hello(2, bytes(32), LEAF[:-32] + bytes(32)), HELLO)


# --- what is signed


def test_a_join_is_signed_over_all_of_it() -> None:
    """2.5: "hello || link || key || H(leaf) || nick"."""
    assert handshake.join_content(HELLO, JOIN) == HELLO + JOIN.link + JOIN.key + suite.digest(LEAF) + b"ann"
    others = [
        frames.Join(bytes(32), JOIN.key, LEAF, "ann", bytes(64)),
        frames.Join(LINK, bytes(32), LEAF, "ann", bytes(64)),
        frames.Join(LINK, JOIN.key, bytes(1216), "ann", bytes(64)),
        frames.Join(LINK, JOIN.key, LEAF, "añn", bytes(64)),
    ]
    assert (
        len({handshake.join_content(HELLO, join) for join in [JOIN, *others]} | {handshake.join_content(LINK, JOIN)})
        == 6
    )


def test_a_resume_is_signed_over_all_of_it() -> None:
    """2.5: "hello || link || H(leaf) || u64 epoch || u64 index || digest"."""
    position = bytes(7) + b"\3" + bytes(7) + b"\5" + RESUME.digest
    assert handshake.resume_content(HELLO, RESUME) == HELLO + LINK + suite.digest(LEAF) + position
