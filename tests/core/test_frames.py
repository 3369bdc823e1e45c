"""Bytes <-> frames: everything comes back as it went, and garbage is a fault of the peer's and nothing else."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import msgpack

from anonp2p import limits
from anonp2p.core import frames
from anonp2p.core.frames import Decoder, Frame
from anonp2p.errors import PeerFault

bytes16 = st.binary(min_size=16, max_size=16)
bytes32 = st.binary(min_size=32, max_size=32)
bytes64 = st.binary(min_size=64, max_size=64)
counts = st.integers(0, 2**53 - 1)
texts = st.text(max_size=50)
blobs = st.binary(max_size=300)
reasons = st.sampled_from(
    ["signature", "full", "bad-nick", "nick-taken", "not-allowed", "repeated", "unknown", "too-often"]
)

joins = st.builds(frames.Join, bytes32, texts, bytes64)
resumes = st.builds(frames.Resume, bytes16, counts, bytes32, bytes64)
submits = st.builds(frames.Submit, blobs, bytes64)
beats = st.just(frames.Beat())
from_members = st.one_of(submits, beats)
from_hosts = st.one_of(
    st.builds(frames.Hello, counts, bytes32),
    st.builds(frames.Refused, reasons),
    st.builds(frames.Roster, st.lists(st.builds(frames.Seat, bytes32, texts, counts, st.booleans()), max_size=5)),
    st.builds(frames.Welcome, texts, bytes16, counts, bytes32),
    st.builds(frames.Resumed, counts),
    st.builds(frames.Entry, counts, blobs, bytes64),
    st.builds(frames.Head, counts, bytes32, counts, bytes64),
    st.builds(frames.Denied, counts, reasons),
)
contents = st.builds(
    frames.Content,
    bytes16,
    counts,
    st.one_of(
        st.builds(frames.Text, texts, st.booleans()),
        st.builds(frames.Nick, texts),
        st.just(frames.Leave()),
        st.builds(frames.Joined, bytes32, texts),
        st.builds(frames.Lost, bytes16),
        st.builds(frames.Back, bytes16),
        st.builds(frames.Removed, bytes16),
        st.just(frames.Close()),
    ),
)

# What msgpack can say, shaped like a frame or not at all.
msgpacked = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text(max_size=9) | blobs | bytes32,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=12,
).map(msgpack.encode)

FRAME_OF_EACH_KIND: list[Frame] = [
    frames.Hello(1, bytes(32)),
    frames.Join(bytes(32), "ann", bytes(64)),
    frames.Resume(bytes(16), 1, bytes(32), bytes(64)),
    frames.Refused("full"),
    frames.Roster([]),
    frames.Welcome("demo", bytes(16), 1, bytes(32)),
    frames.Resumed(1),
    frames.Submit(b"", bytes(64)),
    frames.Entry(1, b"", bytes(64)),
    frames.Head(1, bytes(32), 1, bytes(64)),
    frames.Denied(1, "nick-taken"),
    frames.Beat(),
]
DIRECTIONS = {
    "joiner": (frames.FromJoiner, {"Join", "Resume"}),
    "member": (frames.FromMember, {"Submit", "Beat"}),
    "host": (frames.FromHost, {"Hello", "Refused", "Roster", "Welcome", "Resumed", "Entry", "Head", "Denied"}),
}


def framed(payload: bytes) -> bytes:
    return len(payload).to_bytes(2, "big") + payload


def from_host() -> Decoder:
    return Decoder(frames.FromHost, limits.FRAME)


def fed(decoder: Decoder, pieces: list[bytes]) -> list[Frame]:
    return [frame for piece in pieces for frame in decoder.feed(piece)]


def cut(data: bytes, places: list[int]) -> list[bytes]:
    ends = sorted(place % (len(data) + 1) for place in places)
    return [data[start:end] for start, end in zip([0, *ends], [*ends, len(data)], strict=True)]


def fault(payload: bytes, decoder: Decoder | None = None) -> str:
    with pytest.raises(PeerFault) as caught:
        list((decoder or from_host()).feed(framed(payload)))
    return str(caught.value)


# --- what comes back


@given(st.lists(from_hosts, max_size=5), st.lists(st.integers(0, 5_000), max_size=8))
def test_a_hosts_frames_come_back_wherever_the_stream_is_cut(sent: list[Frame], places: list[int]) -> None:
    stream = b"".join(map(frames.encode, sent))
    assert fed(from_host(), cut(stream, places)) == sent


@given(st.lists(from_members, max_size=5), st.lists(st.integers(0, 5_000), max_size=8))
def test_a_members_frames_come_back_wherever_the_stream_is_cut(sent: list[Frame], places: list[int]) -> None:
    stream = b"".join(map(frames.encode, sent))
    assert fed(Decoder(frames.FromMember, limits.FRAME), cut(stream, places)) == sent


@given(joins | resumes)
def test_a_joiners_frame_comes_back_byte_by_byte(sent: frames.Join | frames.Resume) -> None:
    data = frames.encode(sent)
    decoder = Decoder(frames.FromJoiner, limits.HANDSHAKE_BYTES)
    assert fed(decoder, [data[at : at + 1] for at in range(len(data))]) == [sent]


@given(contents)
def test_a_content_comes_back_from_its_seal(content: frames.Content) -> None:
    assert frames.unseal(frames.seal(content)) == content


def test_what_comes_after_a_changed_expectation_is_read_by_the_new_one() -> None:
    decoder = Decoder(frames.FromJoiner, limits.HANDSHAKE_BYTES)
    join, submit = frames.Join(bytes(32), "", bytes(64)), frames.Submit(bytes(20_000), bytes(64))
    got = []
    for frame in decoder.feed(frames.encode(join) + frames.encode(submit)):
        got.append(frame)
        decoder.accept(frames.FromMember, limits.FRAME)
    assert got == [join, submit]


def test_the_longest_frame_is_carried_and_a_longer_one_is_never_made() -> None:
    room_for_content = limits.FRAME - len(msgpack.encode(frames.Submit(bytes(300), bytes(64)))) + 300
    longest = frames.Submit(bytes(room_for_content), bytes(64))
    data = frames.encode(longest)
    assert len(data) == 2 + limits.FRAME
    assert fed(Decoder(frames.FromMember, limits.FRAME), [data]) == [longest]
    with pytest.raises(ValueError, match="limit"):
        frames.encode(frames.Submit(bytes(room_for_content + 1), bytes(64)))


def test_the_longest_text_fits_a_frame() -> None:
    content = frames.Content(bytes(16), 2**53 - 1, frames.Text("\U0001f47b" * (limits.TEXT // 4), action=True))
    assert len(frames.encode(frames.Entry(2**53 - 1, frames.seal(content), bytes(64)))) < limits.FRAME // 10


def test_a_full_page_of_the_roster_fits_a_frame() -> None:
    seat = frames.Seat(bytes(32), "\U00020000" * limits.NICK, 2**53 - 1, away=False)
    assert frames.encode(frames.Roster([seat] * limits.ROSTER_PAGE))


# --- what is a fault


@given(st.binary(max_size=400), st.lists(st.integers(0, 400), max_size=3))
def test_garbage_is_a_fault_or_nothing_yet(data: bytes, places: list[int]) -> None:
    with suppress(PeerFault):
        fed(from_host(), cut(data, places))


@given(msgpacked | st.binary(max_size=100))
def test_a_frame_of_garbage_is_a_fault(payload: bytes) -> None:
    for accepts, _ in DIRECTIONS.values():
        assert fault(payload, Decoder(accepts, limits.FRAME)) == "malformed frame"


@given(msgpacked | st.binary(max_size=100))
def test_a_content_of_garbage_is_a_fault(sealed: bytes) -> None:
    with pytest.raises(PeerFault, match="malformed content"):
        frames.unseal(sealed)


@given(from_hosts, st.integers(0, 10_000), st.integers(1, 255))
def test_a_damaged_frame_is_another_frame_or_a_fault(sent: Frame, place: int, change: int) -> None:
    payload = bytearray(msgpack.encode(sent))
    payload[place % len(payload)] ^= change
    try:
        [got] = from_host().feed(framed(bytes(payload)))
    except PeerFault:
        return
    assert got != sent or msgpack.encode(got) != bytes(payload)


@pytest.mark.parametrize("frame", FRAME_OF_EACH_KIND, ids=repr)
@pytest.mark.parametrize("direction", DIRECTIONS)
def test_a_frame_in_the_wrong_direction_is_a_fault(frame: Frame, direction: str) -> None:
    accepts, expected = DIRECTIONS[direction]
    decoder = Decoder(accepts, limits.FRAME)
    if type(frame).__name__ in expected:
        assert fed(decoder, [frames.encode(frame)]) == [frame]
    else:
        fault(msgpack.encode(frame), decoder)


@pytest.mark.parametrize("frame", FRAME_OF_EACH_KIND, ids=repr)
def test_missing_unknown_and_trailing_fields_are_faults(frame: Frame) -> None:
    accepts = next(accepts for accepts, names in DIRECTIONS.values() if type(frame).__name__ in names)
    fields = msgpack.decode(msgpack.encode(frame))
    broken = [
        msgpack.encode(fields[:-1]),
        msgpack.encode([*fields, None]),
        msgpack.encode([99, *fields[1:]]),
        msgpack.encode([-1, *fields[1:]]),
        msgpack.encode([str(fields[0]), *fields[1:]]),
        msgpack.encode({str(at): field for at, field in enumerate(fields)}),
        msgpack.encode(fields) + b"\x00",
        msgpack.encode(fields) * 2,
        msgpack.encode(fields)[:-1],
        b"",
    ]
    for payload in broken:
        fault(payload, Decoder(accepts, limits.FRAME))


@pytest.mark.parametrize(
    "payload",
    [
        [1, 2**53, bytes(32)],
        [1, 2**64 - 1, bytes(32)],
        [1, -1, bytes(32)],
        [1, 1.0, bytes(32)],
        [1, True, bytes(32)],
        [1, "1", bytes(32)],
        [1, 1, bytes(31)],
        [1, 1, bytes(33)],
        [1, 1, "x" * 32],
        [3, "because"],
        [3, b"full"],
        [4, [[bytes(32), "ann", 2**53, False]]],
        [4, [[bytes(32), "ann", 1]]],
        [4, [[bytes(32), "ann", 1, 0]]],
        [4, [[bytes(32), "ann", 1, False]] * (limits.ROSTER_PAGE + 1)],
        [4, None],
        [5, "demo", bytes(15), 1, bytes(32)],
        [5, b"demo", bytes(16), 1, bytes(32)],
        [5, "demo", bytes(16), 1, bytes(31)],
        [7, 1, "text", bytes(64)],
        [7, 1, b"", bytes(63)],
        [8, 1, None],
        [11, 2**53],
        [11, -1],
        [12, 1, bytes(31), 1, bytes(64)],
        [12, 1, bytes(32), 2**53, bytes(64)],
        [12, 1, bytes(32), -1, bytes(64)],
        [12, 1, bytes(32), 1, bytes(63)],
    ],
    ids=lambda payload: repr(payload)[:24],
)
def test_values_out_of_their_bounds_are_faults(payload: list[object]) -> None:
    fault(msgpack.encode(payload))


@pytest.mark.parametrize(
    "opening", [b"\x91", b"\x81", b"\x93\x07", b"\x92\x04"], ids=["arrays", "maps", "entry", "roster"]
)
def test_deep_nesting_is_a_fault(opening: bytes) -> None:
    payload = (opening * limits.FRAME)[: limits.FRAME]
    fault(payload)
    with pytest.raises(PeerFault):
        frames.unseal(payload)


@pytest.mark.parametrize("text", [b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"a\x80"])
def test_text_that_is_not_utf8_is_a_fault(text: bytes) -> None:
    name = bytes([0xA0 | len(text)]) + text
    fault(b"\x95\x05" + name + b"\xc4\x10" + bytes(16) + b"\x01\xc4\x20" + bytes(32))
    with pytest.raises(PeerFault):
        frames.unseal(b"\x93\xc4\x10" + bytes(16) + b"\x01\x93\x01" + name + b"\xc2")


@pytest.mark.parametrize(
    "claim", [b"\xdd\xff\xff\xff\xff", b"\xc6\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff", b"\xdb\xff\xff\xff\xff"]
)
def test_a_claim_of_four_billion_elements_is_a_fault(claim: bytes) -> None:
    fault(claim)
    fault(b"\x92\x04" + claim)
    fault(b"\x94\x07\x01" + claim)


@pytest.mark.parametrize("longest", [0, 100, limits.HANDSHAKE_BYTES])
def test_a_length_over_the_longest_is_refused_before_anything_of_it_came(longest: int) -> None:
    decoder = Decoder(frames.FromMember, longest)
    with pytest.raises(PeerFault, match="too long"):
        list(decoder.feed((longest + 1).to_bytes(2, "big")))


def test_the_frames_before_a_fault_still_count() -> None:
    decoder = from_host()
    stream = decoder.feed(frames.encode(frames.Resumed(1)) + framed(b"\xc1"))
    assert next(stream) == frames.Resumed(1)
    with pytest.raises(PeerFault):
        next(stream)


# --- what is shown


@pytest.mark.parametrize("frame", FRAME_OF_EACH_KIND, ids=repr)
def test_a_frame_shows_its_kind_and_nothing_it_holds(frame: Frame) -> None:
    assert repr(frame) == f"<{type(frame).__name__}>"


@given(contents)
def test_a_content_shows_nothing_it_holds(content: frames.Content) -> None:
    assert repr(content) == "<Content>"
    assert repr(content.body) == f"<{type(content.body).__name__}>"
