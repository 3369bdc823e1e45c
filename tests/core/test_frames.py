"""Bytes <-> frames: everything comes back as it went, and garbage is a fault of the peer's and nothing else."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import msgpack

from anonp2p import limits
from anonp2p.core import frames
from anonp2p.core.frames import Splitter
from anonp2p.errors import PeerFault

bytes16, bytes32, bytes33, bytes64, bytes112, leaves = (
    st.binary(min_size=size, max_size=size) for size in (16, 32, 33, 64, 112, 1_216)
)
counts = st.integers(0, 2**53 - 1)
generations = st.integers(0, 2**31 - 1)
texts = st.text(max_size=50)
blobs = st.binary(max_size=300)
words = {
    frames.Refused: [
        "signature",
        "full",
        "locked",
        "bad-nick",
        "nick-taken",
        "not-allowed",
        "unknown",
        "kicked",
        "leaf",
    ],
    frames.Denied: ["nick-taken", "repeated", "too-often"],
    frames.Removal: ["lost", "kicked"],
}
reasons = {kind: st.sampled_from(known) for kind, known in words.items()}
removals = st.builds(frames.Removal, bytes16, reasons[frames.Removal], st.text(max_size=limits.WHY))
seats = st.builds(frames.Seat, bytes32, texts, counts, st.booleans(), bytes32, generations, bytes32)

from_members = st.one_of(
    st.builds(frames.Submit, counts, blobs), st.builds(frames.Leaf, leaves), st.just(frames.Beat())
)
from_hosts = st.one_of(
    st.builds(frames.Refused, reasons[frames.Refused]),
    st.builds(frames.Welcome, blobs, st.integers(1, limits.PAGES), st.booleans()),
    st.builds(frames.Page, blobs),
    st.builds(frames.Resumed, counts),
    st.builds(frames.Past, bytes33, blobs),
    st.builds(frames.Slice, blobs),
    st.builds(frames.Denied, counts, reasons[frames.Denied]),
)
requests = st.one_of(
    st.builds(frames.Join, bytes32, bytes32, leaves, texts, bytes64),
    st.builds(frames.Resume, bytes32, bytes16, leaves, counts, counts, bytes32, bytes64),
)
hellos = st.builds(frames.Hello, counts, bytes32, leaves)
bodies = st.one_of(
    st.builds(frames.Text, texts, st.booleans()),
    st.builds(frames.Nick, texts),
    st.just(frames.Leave()),
    st.builds(frames.Joined, bytes32, texts, bytes32),
    st.builds(frames.Lost, bytes16),
    st.just(frames.Close()),
    st.builds(frames.Back, bytes16),
    st.builds(frames.Renew, bytes32),
    st.builds(frames.Lock, st.booleans()),
    st.builds(frames.Commit, counts, st.lists(removals, max_size=3)),
)
contents = st.builds(frames.Content, counts, bytes32, bodies)
states = st.builds(
    frames.State,
    texts,
    st.booleans(),
    bytes16,
    counts,
    *[bytes32] * 4,
    bytes112,
    st.lists(seats, max_size=3),
)

KINDS: dict[str, tuple[Any, st.SearchStrategy[Any]]] = {
    "hello": (frames.Hello, hellos),
    "request": (frames.Request, requests),
    "member's": (frames.FromMember, from_members),
    "host's": (frames.FromHost, from_hosts),
    "content": (frames.Content, contents),
    "state": (frames.State, states),
}

# What msgpack can say, shaped like a frame or not at all.
msgpacked = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text(max_size=9) | blobs | bytes32,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=12,
).map(msgpack.encode)

B16, B32, B33, B64, LEAF = (bytes(size) for size in (16, 32, 33, 64, 1_216))
SEAT = frames.Seat(B32, "ann", 1, False, B32, 0, B32)
SAID: list[tuple[Any, int]] = [  # every body, and its tag (4.4)
    (frames.Text("hello", action=False), 1),
    (frames.Nick("ann"), 2),
    (frames.Leave(), 3),
    (frames.Joined(B32, "ann", B32), 4),
    (frames.Lost(B16), 5),
    (frames.Close(), 6),
    (frames.Back(B16), 7),
    (frames.Renew(B32), 8),
    (frames.Lock(locked=True), 9),
    (frames.Commit(1, [frames.Removal(B16, "kicked", "spam")]), 10),
]
EXAMPLES: list[tuple[str, Any, int | None]] = [  # of every kind, with its tag (2.2, 2.4, 2.7)
    ("hello", frames.Hello(2, B32, LEAF), 1),
    ("request", frames.Join(B32, B32, LEAF, "ann", B64), 1),
    ("request", frames.Resume(B32, B16, LEAF, 1, 1, B32, B64), 2),
    ("member's", frames.Submit(0, b"entry"), 1),
    ("member's", frames.Leaf(LEAF), 2),
    ("member's", frames.Beat(), 3),
    ("host's", frames.Refused("full"), 4),
    ("host's", frames.Welcome(b"box", 1, past=False), 5),
    ("host's", frames.Page(b"part"), 6),
    ("host's", frames.Resumed(1), 7),
    ("host's", frames.Past(B33, b"body"), 8),
    ("host's", frames.Slice(b"box"), 9),
    ("host's", frames.Denied(1, "nick-taken"), 10),
    ("content", frames.Content(1, B32, frames.Text("hello", action=False)), None),
    ("state", frames.State("demo", False, B16, 0, B32, B32, B32, B32, bytes(112), [SEAT]), None),
]
each_kind = pytest.mark.parametrize(("kind", "example", "tag"), EXAMPLES, ids=lambda value: repr(value)[:12])


def fault(kind: str, payload: bytes) -> None:
    with pytest.raises(PeerFault, match="malformed"):
        frames.unpack(KINDS[kind][0], payload)


def fields(packed: Any) -> list[Any]:
    found: list[Any] = msgpack.decode(frames.pack(packed))
    return found


def said(body: list[object]) -> bytes:
    return msgpack.encode([1, B32, body])


# --- what comes back


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_what_is_packed_comes_back(kind: str, data: st.DataObject) -> None:
    accepts, strategy = KINDS[kind]
    packed = data.draw(strategy)
    assert frames.unpack(accepts, frames.pack(packed)) == packed


@each_kind
def test_a_record_is_an_array_with_its_tag_first(kind: str, example: Any, tag: int | None) -> None:
    """0.2: "a record is an array, its tag first if it has one, then its fields in order"."""
    values = [getattr(example, name) for name in example.__struct_fields__]
    if tag is not None:
        assert fields(example)[0] == tag
        assert len(fields(example)) == 1 + len(values)
    else:
        assert len(fields(example)) == len(values)
    assert frames.unpack(KINDS[kind][0], frames.pack(example)) == example


@pytest.mark.parametrize(("body", "tag"), SAID, ids=lambda value: repr(value)[:12])
def test_what_entries_say_has_its_tag(body: Any, tag: int) -> None:
    """4.4"""
    assert fields(frames.Content(1, B32, body))[2][0] == tag


@pytest.mark.parametrize("kind", words, ids=lambda kind: kind.__name__)
def test_every_reason_has_its_word_and_no_other(kind: Any) -> None:
    """2.7, 4.4"""
    assert set(kind.__annotations__["reason"].__args__) == set(words[kind])


# --- what is malformed


@pytest.mark.parametrize("kind", KINDS)
@given(payload=msgpacked | st.binary(max_size=100))
def test_garbage_is_malformed(kind: str, payload: bytes) -> None:
    if kind == "member's" and payload == b"\x91\x03":
        return  # a beat
    fault(kind, payload)


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data(), place=st.integers(0, 10_000), change=st.integers(1, 255))
def test_what_is_damaged_is_something_else_or_malformed(
    kind: str, data: st.DataObject, place: int, change: int
) -> None:
    accepts, strategy = KINDS[kind]
    sent = data.draw(strategy)
    payload = bytearray(frames.pack(sent))
    payload[place % len(payload)] ^= change
    with suppress(PeerFault):
        got = frames.unpack(accepts, bytes(payload))
        assert got != sent or frames.pack(got) != bytes(payload)  # a number may be in another form


@each_kind
def test_what_may_not_come_now_is_malformed(kind: str, example: Any, tag: int | None) -> None:
    """2.7: the column "from"."""
    for other in KINDS:
        if other != kind:
            fault(other, frames.pack(example))


@each_kind
def test_missing_further_and_trailing_fields_are_malformed(kind: str, example: Any, tag: int | None) -> None:
    """0.2: "Missing, further and mistyped fields, trailing bytes ... are malformed"."""
    whole = fields(example)
    for payload in (
        msgpack.encode(whole[:-1]),
        msgpack.encode([*whole, None]),
        msgpack.encode([2**60, *whole[1:]]),
        msgpack.encode([-1, *whole[1:]]),
        msgpack.encode([None, *whole[1:]]),
        msgpack.encode([[whole[0]], *whole[1:]]),
        msgpack.encode({str(at): field for at, field in enumerate(whole)}),
        msgpack.encode(whole) + b"\x00",
        msgpack.encode(whole) * 2,
        msgpack.encode(whole)[:-1],
        b"",
    ):
        fault(kind, payload)


@each_kind
def test_a_field_of_another_type_or_length_is_malformed(kind: str, example: Any, tag: int | None) -> None:
    whole = fields(example)
    for at, field in list(enumerate(whole))[0 if tag is None else 1 :]:
        for wrong in mistyped(field):
            fault(kind, msgpack.encode([*whole[:at], wrong, *whole[at + 1 :]]))


def mistyped(field: object) -> list[object]:
    """What may stand nowhere where this stands."""
    match field:
        case bool():
            return [None, 0, 1, "true", b""]
        case int():
            return [None, float(field), True, str(field), -1, 2**53, 2**64 - 1]
        case str():
            return [None, 1, field.encode(), [field]]
        case bytes():
            fixed = len(field) in (16, 32, 33, 64, 112, 1_216)
            return [None, 1, "x" * len(field), [field], *([field[1:], field + b"x", b""] if fixed else [])]
        case _:
            return [None, 1, b"", {}, [None]]


@pytest.mark.parametrize(("body", "tag"), SAID, ids=lambda value: repr(value)[:12])
def test_what_an_entry_says_is_as_strict(body: Any, tag: int) -> None:
    """4.4"""
    whole = fields(body)
    fault("content", said([*whole, None]))
    fault("content", said([tag + 10, *whole[1:]]))
    for at, field in list(enumerate(whole))[1:]:
        fault("content", said(whole[:at]))
        for wrong in mistyped(field):
            fault("content", said([*whole[:at], wrong, *whole[at + 1 :]]))


@pytest.mark.parametrize(
    ("kind", "packed"),
    [
        ("host's", [4, "because"]),
        ("host's", [4, "repeated"]),
        ("host's", [10, 1, "full"]),
        ("host's", [5, b"box", 0, False]),
        ("host's", [5, b"box", limits.PAGES + 1, False]),
        ("host's", [6, bytes(limits.PAGE + 1)]),
        ("content", [1, B32, [10, 1, [[B16, "kicked", "x" * (limits.WHY + 1)]]]]),
        ("content", [1, B32, [10, 1, [[B16, "left", ""]]]]),
        ("content", [1, B32, [10, 1, [[B16[1:], "kicked", ""]]]]),
        ("content", [1, B32, [10, 1, [[B16, "kicked"]]]]),
        ("content", [1, B32, [10, 1, [[B16, "kicked", ""]] * (limits.MEMBERS + 1)]]),
        ("content", [1, B32, [11]]),
        ("content", [1, B32, [0]]),
        ("state", ["demo", False, B16, 0, *[B32] * 4, bytes(112), [fields(SEAT)] * (limits.MEMBERS + 1)]),
        *(
            ("state", ["demo", False, B16, 0, *[B32] * 4, bytes(112), [seat]])
            for seat in (
                [B32[1:], "ann", 1, False, B32, 0, B32],
                [B32, b"ann", 1, False, B32, 0, B32],
                [B32, "ann", 2**53, False, B32, 0, B32],
                [B32, "ann", 1, 0, B32, 0, B32],
                [B32, "ann", 1, False, B32[1:], 0, B32],
                [B32, "ann", 1, False, B32, -1, B32],
                [B32, "ann", 1, False, B32, 2**31, B32],
                [B32, "ann", 1, False, B32, 0, B32 + b"x"],
                [B32, "ann", 1, False, B32, 0],
                [B32, "ann", 1, False, B32, 0, B32, 0],
            )
        ),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_values_out_of_their_bounds_are_malformed(kind: str, packed: list[object]) -> None:
    fault(kind, msgpack.encode(packed))


def test_the_bounds_themselves_are_in_order() -> None:
    for kind, packed in (
        ("host's", [5, b"box", limits.PAGES, False]),
        ("host's", [6, bytes(limits.PAGE)]),
        ("host's", [7, 2**53 - 1]),
        ("content", [1, B32, [10, 1, [[B16, "kicked", "x" * limits.WHY]] * limits.MEMBERS]]),
        ("state", ["demo", False, B16, 0, *[B32] * 4, bytes(112), [fields(SEAT)] * limits.MEMBERS]),
    ):
        assert frames.unpack(KINDS[kind][0], msgpack.encode(packed))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("opening", [b"\x91", b"\x81", b"\x93\x01", b"\x92\x04"], ids=["arrays", "maps", "3", "2"])
def test_deep_nesting_is_malformed(kind: str, opening: bytes) -> None:
    fault(kind, (opening * limits.FRAME)[: limits.FRAME])


@pytest.mark.parametrize("text", [b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"a\x80", b"\xc0\x80"])
def test_text_that_is_not_utf8_is_malformed(text: bytes) -> None:
    """0.2: "texts that are not UTF-8"."""
    packed = bytes([0xA0 | len(text)]) + text
    fault("content", b"\x93\x01\xc4\x20" + B32 + b"\x93\x01" + packed + b"\xc2")
    fault("state", b"\x9a" + packed + frames.pack(EXAMPLES[-1][1])[6:])
    fault("host's", b"\x92\x04" + packed)


@pytest.mark.parametrize(
    "claim", [b"\xdd\xff\xff\xff\xff", b"\xc6\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff", b"\xdb\xff\xff\xff\xff"]
)
@pytest.mark.parametrize("kind", KINDS)
def test_a_claim_of_four_billion_elements_is_malformed(kind: str, claim: bytes) -> None:
    fault(kind, claim)
    fault(kind, b"\x92\x06" + claim)
    fault(kind, b"\x93\x01\xc4\x20" + B32 + claim)


# --- payloads


def cut(data: bytes, places: list[int]) -> list[bytes]:
    ends = sorted(place % (len(data) + 1) for place in places)
    return [data[start:end] for start, end in zip([0, *ends], [*ends, len(data)], strict=True)]


@given(st.lists(blobs, max_size=5), st.lists(st.integers(0, 5_000), max_size=8))
def test_payloads_come_back_wherever_the_stream_is_cut(sent: list[bytes], places: list[int]) -> None:
    """2.1: "A stream is payloads, each behind its length as u16"."""
    splitter = Splitter(300)
    stream = b"".join(map(frames.on_wire, sent))
    assert stream == b"".join(len(payload).to_bytes(2, "big") + payload for payload in sent)
    assert [payload for piece in cut(stream, places) for payload in splitter.feed(piece)] == sent


def test_a_payload_comes_back_byte_by_byte() -> None:
    splitter = Splitter(limits.FRAME)
    data = frames.on_wire(b"hello") + frames.on_wire(b"")
    assert [list(splitter.feed(data[at : at + 1])) for at in range(len(data))] == [[]] * 6 + [[b"hello"], [], [b""]]


def test_the_longest_payload_is_carried_and_a_longer_one_is_never_made() -> None:
    data = frames.on_wire(bytes(limits.FRAME))
    assert list(Splitter(limits.FRAME).feed(data)) == [bytes(limits.FRAME)]
    with pytest.raises(ValueError, match="limit"):
        frames.on_wire(bytes(limits.FRAME + 1))


@pytest.mark.parametrize("longest", [0, 100, limits.HANDSHAKE_BYTES])
def test_a_length_over_the_longest_is_refused_before_anything_of_it_came(longest: int) -> None:
    """2.4: "as one payload of at most 16,384 bytes"."""
    assert list(Splitter(longest).feed(frames.on_wire(bytes(longest)))) == [bytes(longest)]
    with pytest.raises(PeerFault, match="too long"):
        list(Splitter(longest).feed((longest + 1).to_bytes(2, "big")))


def test_what_comes_after_a_changed_expectation_is_read_by_the_new_one() -> None:
    splitter, got = Splitter(5), []
    for payload in splitter.feed(frames.on_wire(b"hello") + frames.on_wire(bytes(500))):
        got.append(payload)
        splitter.longest = 500
    assert got == [b"hello", bytes(500)]


def test_the_payloads_before_one_too_long_still_count() -> None:
    stream = Splitter(5).feed(frames.on_wire(b"hello") + frames.on_wire(b"longer"))
    assert next(stream) == b"hello"
    with pytest.raises(PeerFault):
        next(stream)


@pytest.mark.parametrize("read", ["all", "one"])
def test_no_more_is_kept_than_one_payload_that_is_not_whole(read: str) -> None:
    splitter = Splitter(100)
    stream = splitter.feed(frames.on_wire(bytes(100)) * 3 + b"\0\5hell")
    consume: dict[str, Callable[[], object]] = {"all": lambda: list(stream), "one": lambda: next(stream)}
    consume[read]()
    stream.close()  # type: ignore[attr-defined]
    assert len(splitter._buffer) == {"all": 6, "one": 2 * 102 + 6}[read]


def test_the_longest_text_fits_a_payload() -> None:
    text = frames.Text("\U0001f47b" * (limits.TEXT // 4), action=True)
    content = frames.pack(frames.Content(2**53 - 1, B32, text))
    assert len(frames.pack(frames.Submit(2**53 - 1, bytes(49 + 64 + 16) + content))) < limits.FRAME // 10


def test_a_knock_fits_its_limit_and_a_page_a_payload() -> None:
    longest = frames.Resume(B32, B16, LEAF, 2**53 - 1, 2**53 - 1, B32, B64)
    assert 1_120 + len(frames.pack(longest)) + 16 <= limits.HANDSHAKE_BYTES
    assert len(frames.pack(frames.Page(bytes(limits.PAGE)))) + 16 <= limits.FRAME


# --- what is shown


@each_kind
def test_a_frame_shows_its_kind_and_nothing_it_holds(kind: str, example: Any, tag: int | None) -> None:
    assert repr(example) == f"<{type(example).__name__}>"


@given(contents)
def test_a_content_shows_nothing_it_holds(content: frames.Content) -> None:
    assert repr(content) == "<Content>"
    assert repr(content.body) == f"<{type(content.body).__name__}>"
