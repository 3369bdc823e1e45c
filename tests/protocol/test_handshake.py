"""Hello, client handshake and records: a link that only its two ends read, and that nobody else changes unnoticed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import msgpack
from msgspec.structs import replace

from anonp2p import limits
from anonp2p.crypto import padding, suite
from anonp2p.crypto.padding import SIZES
from anonp2p.crypto.ratchet import Ratchet
from anonp2p.errors import PeerFault
from anonp2p.protocol import field_types, frames, handshake
from anonp2p.protocol.field_types import Opening
from anonp2p.protocol.frames import Frame, HostRecord, MemberRecord
from anonp2p.protocol.handshake import Channel, HandshakeKey, HostHandshake
from anonp2p.protocol.packing import pack
from anonp2p.protocol.requests import VERSION, AnyRequest, Hello, JoinRequest, MeetRequest, ResumeRequest
from anonp2p.protocol.wire import Splitter
from tests.support import memory

ROOM, LINK, HELLO = b"r" * 32, b"l" * 32, b"h" * 32
KEY = suite.EncryptionKeyPair(b"a" * 32).public
HANDSHAKE_KEY = suite.EncryptionKeyPair(b"d" * 32)
JOIN = JoinRequest(LINK, b"k" * 32, KEY, "ann", b"s" * 64)
OPENINGS = [Opening(0, b"h" * 16, 0, b"d" * 32), Opening(4, b"h" * 16, 3, b"e" * 32)]
RESUME = ResumeRequest(LINK, b"m" * 16, KEY, 3, 5, b"d" * 32, OPENINGS, False, b"s" * 64)

SAY = frames.SubmitFrame(7, b"entry")  # what a member may say
REFUSED = frames.RefusedFrame("full", frames.Credentials(bytes(32), bytes(32), 0, bytes(64)), bytes(64))
RESUMED = frames.ResumedFrame(bytes(112), bytes(64))

up = st.one_of(
    st.builds(frames.KeyRequestFrame, st.binary(min_size=32, max_size=32)),
    st.builds(frames.SubmitFrame, st.integers(0, 9), st.binary(max_size=5_000)),
)
down = st.one_of(
    st.builds(frames.PageFrame, st.binary(max_size=5_000)),
    st.builds(frames.DeniedFrame, st.integers(0, 9), st.sampled_from(["repeated", "too-often"])),
)
records = [st.lists(st.tuples(st.booleans(), st.lists(said, max_size=3)), max_size=4) for said in (up, down)]


def ends(link: bytes = LINK, hello: bytes = HELLO) -> tuple[Channel, Channel]:
    """The member's and the host's."""
    return Channel(link, hello, up=True), Channel(link, hello, up=False)


def contents(data: bytes) -> list[bytes]:
    """Of payloads, each without its length."""
    return list(Splitter(SIZES[-1]).feed_data(data))


def record(end: Channel, *said: Frame, echo: bool = False) -> bytes:
    """A content."""
    [content] = contents(end.seal_frames(said, echo=echo))
    return content


def sealed(name: str, text: bytes, number: int = 0) -> bytes:
    """Anything at all as a record of this direction."""
    return Ratchet(suite.expand(LINK, name, HELLO)).take_key(number).seal_text(0, text)


def fault(end: Channel, payload: bytes) -> str:
    with pytest.raises(PeerFault) as caught:
        end.open_record(payload)
    return str(caught.value)


def counting() -> HandshakeKey:
    """A handshake key whose random bytes are 1, 2, 3, ..."""
    numbers = iter(range(1, 100))
    return HandshakeKey(lambda size: bytes([next(numbers)]) * size)


# --- records


@given(*records)
def test_records_come_in_their_order_both_ways(
    sent_up: list[tuple[bool, list[Frame]]], sent_down: list[tuple[bool, list[Frame]]]
) -> None:
    """2.6: "one generation after the other from 0"."""
    member, host = ends()
    for sent, here, there in ((sent_up, member, host), (sent_down, host, member)):
        got = [there.open_record(record(here, *said, echo=echo)) for echo, said in sent]
        of_host = here is host
        assert got == [HostRecord(said) if of_host else MemberRecord(echo, said) for echo, said in sent]  # type: ignore[arg-type]


def test_a_record_is_the_frame_sealed_under_the_next_key_of_its_direction() -> None:
    """2.6: "the next one of a ratchet ..., whose first chain key is expand(link, `anonp2p/4 up`, hello)"."""
    member, host = ends()
    for number in range(3):
        for end, name, frame in ((member, "up", SAY), (host, "down", RESUMED)):
            key = Ratchet(suite.expand(LINK, name, HELLO)).take_key(number)
            packed = MemberRecord(False, [SAY]) if name == "up" else HostRecord([RESUMED])
            assert key.open_sealed(0, record(end, frame)) == padding.pad_text(pack(packed), 480 - 2 - 16)


@pytest.mark.parametrize("echo", [False, True])
def test_a_record_without_frames_is_one_and_says_whether_it_wants_an_answer(echo: bool) -> None:
    """2.7: "One without frames says that its sender is still there. One with echo is a slot of cover"."""
    member, host = ends()
    assert host.open_record(record(member, echo=echo)) == MemberRecord(echo, [])
    assert member.open_record(record(host)) == HostRecord([])


def test_a_record_is_as_long_whatever_little_it_says() -> None:
    """2.1, 2.9"""
    member, host = ends()
    said = [
        member.seal_frames([]),
        member.seal_frames([], echo=True),
        member.seal_frames([SAY]),
        host.seal_frames([frames.KeyNotFoundFrame(bytes(32))]),
    ]
    assert {len(it) for it in said} == {480}


@given(st.lists(st.integers(0, limits.PAGE), max_size=6))
def test_every_payload_of_a_record_is_of_one_of_eight_sizes(lengths: list[int]) -> None:
    """2.1: "neither its length nor ... any of its bytes tell more of it than this"."""
    member, host = ends()
    said = [frames.PageFrame(bytes(length)) for length in lengths]
    data = host.seal_frames(said)
    got = [member.open_record(content) for content in contents(data)]
    assert [frame for it in got for frame in it.frames] == said
    assert {2 + len(content) for content in contents(data)} <= set(SIZES)


@pytest.mark.parametrize(("count", "expected"), [(16, [16]), (17, [16, 1]), (50, [16, 16, 16, 2])])
def test_up_to_16_frames_go_in_one_record_and_the_rest_in_the_next(count: int, expected: list[int]) -> None:
    """2.7: "up to 16 of these ..., in the order in which they were said"."""
    member, host = ends()
    said: list[frames.FromMember] = [frames.SubmitFrame(number, b"") for number in range(count)]
    got = [host.open_record(content) for content in contents(member.seal_frames(said, echo=True))]
    assert [len(it.frames) for it in got] == expected
    assert got == [MemberRecord(not at, said[at : at + 16]) for at in range(0, count, 16)]


def test_what_does_not_fit_one_record_goes_in_few() -> None:
    """Each page of a Welcome fills a payload of 64 units, and what is small goes with another."""
    member, host = ends()
    pages = [frames.PageFrame(bytes(limits.PAGE))] * 3
    said: list[Frame] = [frames.WelcomeFrame(b"box", 3), *pages, *[frames.DeniedFrame(1, "repeated")] * 9]
    sent = contents(host.seal_frames(said))
    assert [2 + len(content) for content in sent] == [limits.BATCH_BYTES] * 3
    got = [member.open_record(content).frames for content in sent]
    assert got == [said[:2], said[2:3], said[3:]]


def test_a_frame_longer_than_most_goes_alone_and_one_longer_than_any_is_never_made() -> None:
    member, host = ends()
    long = frames.CommitShareFrame(bytes(limits.BATCH_BYTES))
    sent = contents(host.seal_frames([frames.KeyNotFoundFrame(bytes(32)), long, frames.KeyNotFoundFrame(bytes(32))]))
    assert [2 + len(content) for content in sent] == [SIZES[0], SIZES[-1], SIZES[0]]
    assert [len(member.open_record(content).frames) for content in sent] == [1, 1, 1]
    with pytest.raises(ValueError, match="too long"):
        host.seal_frames([frames.CommitShareFrame(bytes(SIZES[-1]))])


def test_a_record_repeated_is_a_fault() -> None:
    member, host = ends()
    payload = record(member, SAY)
    host.open_record(payload)
    assert fault(host, payload) == "unreadable-record"


def test_records_in_another_order_or_with_one_left_out_are_faults() -> None:
    member, host = ends()
    first, second = record(member, SAY), record(member, SAY)
    assert first != second
    assert fault(ends()[1], second) == "unreadable-record"
    assert host.open_record(first).frames == [SAY]
    assert host.open_record(second).frames == [SAY]


@pytest.mark.parametrize("way", ["up", "down"])
def test_what_an_end_holds_opens_no_record_before(way: str) -> None:
    """2.6: "what an end holds opens no record before"."""
    member, host = ends()
    here, there = (member, host) if way == "up" else (host, member)
    sent = [record(here) for _ in range(4)]
    seized = Ratchet(suite.expand(LINK, way, HELLO))
    assert opens_any(seized.chain_key, sent), "whoever had seized an end before would read them"
    for content in sent:
        there.open_record(content)
    for end in (member, host):
        secrets = [one for one in memory.parts(end) if isinstance(one, bytes) and len(one) == suite.SECRET]
        assert len(secrets) == 2
        assert not [secret for secret in secrets if opens_any(secret, sent)]


def opens_any(secret: bytes, sent: list[bytes]) -> bool:
    """Whether one of these records opens with this, as a key or as a chain key."""
    ratchet = Ratchet(secret)
    keys = [suite.Key(secret), *(ratchet.take_next_key() for _ in range(2 * len(sent)))]
    return any(key.open_sealed(number, content) for key in keys for number in range(len(sent)) for content in sent)


def test_records_of_one_sealing_count_one_by_one() -> None:
    """What is split is numbered on, so that what comes after it opens too."""
    member, host = ends()
    sent = contents(member.seal_frames([SAY] * (limits.FRAMES + 1))) + contents(member.seal_frames([]))
    assert [len(host.open_record(content).frames) for content in sent] == [limits.FRAMES, 1, 0]


def test_a_record_does_not_open_at_the_end_that_sealed_it() -> None:
    for end in ends():
        assert fault(end, record(end)) == "unreadable-record"


def test_the_two_directions_have_keys_of_their_own() -> None:
    """What would open if they had one: the same record at the same number."""
    member, host = ends()
    assert record(member) != record(host)
    assert fault(host, sealed("down", padding.fill_payload(pack(MemberRecord(False, [])), 16))) == "unreadable-record"


def test_a_record_of_another_link_or_hello_is_a_fault() -> None:
    payload = record(ends()[0], SAY)
    for _, host in (ends(link=b"m" * 32), ends(hello=b"i" * 32)):
        assert fault(host, payload) == "unreadable-record"


@given(st.integers(0, 478 * 8 - 1))
def test_a_record_with_a_bit_turned_is_a_fault(bit: int) -> None:
    member, host = ends()
    payload = bytearray(record(member, SAY))
    payload[bit // 8] ^= 1 << bit % 8
    assert fault(host, bytes(payload)) == "unreadable-record"


@given(st.binary(max_size=60))
def test_garbage_is_a_fault(garbage: bytes) -> None:
    for end in ends():
        assert fault(end, garbage) == "unreadable-record"
        assert fault(end, (garbage * 478 or bytes(478))[:478]) == "unreadable-record"


@pytest.mark.parametrize("at", [0, 1, 200, -1])
def test_a_record_padded_with_anything_but_zeros_is_a_fault(at: int) -> None:
    """0.8: "What is padded otherwise is malformed"."""
    member, host = ends()
    packed = pack(MemberRecord(False, []))
    padding = bytearray(480 - 2 - 16 - 2 - len(packed))
    padding[at] = 1
    assert fault(host, sealed("up", len(packed).to_bytes(2, "big") + packed + bytes(padding))) == "padding"
    assert fault(member, sealed("down", len(packed).to_bytes(2, "big") + packed + bytes(padding))) == "padding"


@pytest.mark.parametrize("length", [0, 1, 461, 65_535])
def test_a_record_whose_length_is_not_that_of_what_is_in_it_is_a_fault(length: int) -> None:
    member, host = ends()
    padded = bytearray(padding.pad_text(pack(MemberRecord(False, [])), 462))
    padded[:2] = length.to_bytes(2, "big")
    for end, name in ((host, "up"), (member, "down")):
        assert fault(end, sealed(name, bytes(padded)))


@pytest.mark.parametrize("size", SIZES[1:])
def test_a_record_larger_than_need_be_is_a_fault(size: int) -> None:
    """2.1: "padded (0.8) to the least length ...; what is longer is malformed"."""
    member, host = ends()
    for end, name in ((host, "up"), (member, "down")):
        text = sealed(name, padding.pad_text(pack(MemberRecord(False, [])), size - 2 - 16))
        assert fault(end, text) == "payload-padding"


@pytest.mark.parametrize("frame", [RESUMED, frames.PageFrame(b""), REFUSED], ids=repr)
def test_a_frame_that_only_a_host_says_is_a_fault_of_a_members(frame: Frame) -> None:
    """2.7: the column "from"."""
    member, host = ends()
    assert "malformed" in fault(host, record(member, frame))


@pytest.mark.parametrize(
    "frame", [frames.KeyRequestFrame(bytes(32)), frames.SubmitFrame(0, b""), frames.KeyFrame(KEY)], ids=repr
)
def test_a_frame_that_only_a_member_says_is_a_fault_of_a_hosts(frame: Frame) -> None:
    member, host = ends()
    assert "malformed" in fault(member, record(host, frame))


@pytest.mark.parametrize("text", [b"", b"\xc1", b"\x91\x03\x00", b"\x91" * 60_000, b"\x92\x01", b"\x92\xc2"])
def test_a_record_of_garbage_is_malformed(text: bytes) -> None:
    member, host = ends()
    for end, name in ((host, "up"), (member, "down")):
        assert "malformed" in fault(end, sealed(name, padding.fill_payload(text, 16)))


# --- hello


def test_a_hello_comes_back_with_its_hash() -> None:
    """2.2: "[1, version (4), nonce: 32 bytes, handshake key: 1,216 bytes], padded to 1,918 bytes"; "H of this"."""
    greeting = HostHandshake(b"n" * 32, ROOM, HANDSHAKE_KEY)
    [payload] = contents(greeting.wire)
    assert len(payload) == 1_918
    assert msgpack.decode(padding.unpad_text(payload)) == [1, 4, b"n" * 32, HANDSHAKE_KEY.public]
    assert handshake.read_hello(payload) == (Hello(4, b"n" * 32, HANDSHAKE_KEY.public), suite.hash_data(payload))
    assert greeting.hello == suite.hash_data(payload)


def hello_of(packed: bytes) -> bytes:
    """Its content."""
    return padding.pad_text(packed, 1_918)


@pytest.mark.parametrize("said", [[1, 3], [1, 5], [1, 3, bytes(32), bytes(1216)], [1, 5, "anything", [{}], 7]], ids=len)
def test_a_hello_of_another_version_is_known_as_such_whatever_follows(said: list[object]) -> None:
    """2.3: "what follows the version is then anything"."""
    with pytest.raises(handshake.OtherVersion):
        handshake.read_hello(hello_of(msgpack.encode(said)))


@pytest.mark.parametrize(
    "said",
    [
        [2, 4, bytes(32), bytes(1216)],
        [1, 4, bytes(31), bytes(1216)],
        [1, 4, bytes(32), bytes(1215)],
        [1, 4, bytes(32)],
        [1, 4, bytes(32), bytes(1216), 0],
        [1, "4"],
        [1],
        [],
    ],
    ids=["tag", "nonce", "handshake key", "fields", "more", "version", "no version", "nothing"],
)
def test_a_hello_that_is_none_is_malformed(said: list[object]) -> None:
    with pytest.raises(PeerFault, match="malformed"):
        handshake.read_hello(hello_of(msgpack.encode(said)))


@pytest.mark.parametrize("version", [VERSION, VERSION + 1])
def test_a_hello_with_deep_nesting_behind_its_version_is_malformed(version: int) -> None:
    """2.3: what follows a version that one does not speak is passed over, but not so deep that it crashes anybody."""
    with pytest.raises(PeerFault, match="malformed"):
        handshake.read_hello(hello_of(bytes((0x93, 1, version)) + b"\x91" * 1_800))


@pytest.mark.parametrize("length", [1_917, 1_919, 3_838])
def test_a_hello_of_another_length_is_none(length: int) -> None:
    """2.2: "padded to 1,918 bytes"."""
    packed = pack(Hello(4, b"n" * 32, HANDSHAKE_KEY.public))
    with pytest.raises(PeerFault, match="hello-length"):
        handshake.read_hello(padding.pad_text(packed, length))


def test_a_hello_padded_with_anything_but_zeros_is_a_fault() -> None:
    """0.8; all of the content is in the hash, so that nothing else in it means the same."""
    [content] = contents(HostHandshake(b"n" * 32, ROOM, HANDSHAKE_KEY).wire)
    with pytest.raises(PeerFault, match="padding"):
        handshake.read_hello(content[:-1] + b"\1")


# --- the handshake key


def test_each_link_is_greeted_with_a_nonce_of_its_own_and_the_handshake_key_of_the_minute() -> None:
    """2.2: "The nonce is fresh for each link"; "an encryption key that the host makes anew every minute"."""
    handshake_key = counting()
    said = []
    for now in (
        100.0,
        100.0,
        100.0 + limits.HANDSHAKE_KEY - 0.1,
        100.0 + limits.HANDSHAKE_KEY,
        101.0 + limits.HANDSHAKE_KEY,
    ):
        [payload] = contents(handshake_key.begin_handshake(ROOM, now).wire)
        said.append(handshake.read_hello(payload)[0])
    assert len({hello.nonce for hello in said}) == 5
    assert (
        said[0].handshake_key
        == said[1].handshake_key
        == said[2].handshake_key
        != said[3].handshake_key
        == said[4].handshake_key
    )


def test_what_was_greeted_with_an_older_handshake_key_still_opens_with_it() -> None:
    """2.2: "it keeps the one before for as long as a link that was greeted with it is in its handshake"."""
    handshake_key = counting()
    before, after = handshake_key.begin_handshake(ROOM, 0.0), handshake_key.begin_handshake(ROOM, limits.HANDSHAKE_KEY)
    assert before.open_request(knocked(JOIN, before)) == JOIN
    with pytest.raises(PeerFault):
        after.open_request(knocked(JOIN, before))


# --- client handshake


TICKET = b"t" * 16


def knocked(request: AnyRequest, greeting: HostHandshake, room: bytes = ROOM) -> bytes:
    """A client handshake's content, from one who was greeted so."""
    [payload] = contents(greeting.wire)
    [client_handshake] = contents(handshake.seal_request(request, room, *handshake.read_hello(payload), TICKET))
    return client_handshake


@pytest.mark.parametrize("request_", [JOIN, RESUME], ids=repr)
def test_a_client_handshake_tells_the_host_alone_what_is_asked(request_: AnyRequest) -> None:
    greeting = HostHandshake(b"n" * 32, ROOM, HANDSHAKE_KEY)
    client_handshake = knocked(request_, greeting)
    assert greeting.open_request(client_handshake) == request_
    assert LINK not in client_handshake


def test_every_client_handshake_is_as_long_whatever_it_asks() -> None:
    """2.4: "a content of 3,358 bytes"."""
    greeting = HostHandshake(b"n" * 32, ROOM, HANDSHAKE_KEY)
    most = field_types.COUNTS - 1
    invited = field_types.Invited(b"i" * 32, b"c" * 32, b"s" * 64)
    openings = [Opening(most, b"h" * 16, most, b"d" * 32, most)] * limits.OPENINGS
    longest: list[AnyRequest] = [
        JoinRequest(LINK, b"k" * 32, KEY, "\U00020000" * limits.NICK, b"s" * 64, most, b"d" * 32, invited),
        ResumeRequest(LINK, b"m" * 16, KEY, most, most, b"d" * 32, openings, True, b"s" * 64),
        MeetRequest(LINK, b"m" * 16, b"a" * 32, most, b"d" * 32, openings, b"s" * 64),
    ]
    assert {len(knocked(request, greeting)) for request in (JOIN, RESUME, *longest)} == {3_358}


def test_a_client_handshake_is_for_one_room_one_hello_and_one_handshake_key() -> None:
    """2.4: "box(handshake key, pad(request, 2,206), `anonp2p/4 client handshake` || room || hello)"."""
    greeting = HostHandshake(b"n" * 32, ROOM, HANDSHAKE_KEY)
    for other in (
        HostHandshake(b"n" * 32, b"q" * 32, HANDSHAKE_KEY),
        HostHandshake(b"m" * 32, ROOM, HANDSHAKE_KEY),
        HostHandshake(b"n" * 32, ROOM, suite.EncryptionKeyPair(bytes(32))),
    ):
        with pytest.raises(PeerFault, match="unreadable-box"):
            other.open_request(knocked(JOIN, greeting))
    with pytest.raises(PeerFault, match="unreadable-box"):
        greeting.open_request(knocked(JOIN, greeting, room=b"q" * 32))
    info = b"anonp2p/4 client handshake" + ROOM + greeting.hello
    box = knocked(JOIN, greeting)[len(TICKET) :]
    assert HANDSHAKE_KEY.open_sealed(box, info) == padding.pad_text(pack(JOIN), 2_206)


def test_a_client_handshake_shows_a_ticket_to_whoever_reads_its_first_bytes() -> None:
    """2.4: before any work on the rest."""
    greeting = HostHandshake(b"n" * 32, ROOM, HANDSHAKE_KEY)
    assert handshake.read_ticket(knocked(JOIN, greeting)) == TICKET
    assert handshake.read_ticket(b"") == b""


def test_a_ticket_is_of_one_link_and_both_ends_have_it() -> None:
    """2.5a"""
    up, down = Channel(LINK, HELLO, up=True), Channel(LINK, HELLO, up=False)
    assert up.ticket == down.ticket == suite.expand(LINK, "ticket", HELLO)[:16]
    assert Channel(LINK, b"i" * 32, up=True).ticket != up.ticket != Channel(b"k" * 32, HELLO, up=True).ticket


@pytest.mark.parametrize("text", [b"", b"\xc1", b"\x91\x03", b"\x91" * 2_200, pack(frames.SubmitFrame(0, b""))])
def test_a_client_handshake_of_garbage_is_malformed(text: bytes) -> None:
    greeting = HostHandshake(b"n" * 32, ROOM, HANDSHAKE_KEY)
    info = b"anonp2p/4 client handshake" + ROOM + greeting.hello
    with pytest.raises(PeerFault, match="malformed"):
        greeting.open_request(TICKET + suite.seal_to_key(HANDSHAKE_KEY.public, padding.pad_text(text, 2_206), info))
    padded = padding.pad_text(pack(JOIN), 2_206)
    for other in (padded[:-1] + b"x", b"\xff" + padded[1:]):
        with pytest.raises(PeerFault, match="padding"):
            greeting.open_request(TICKET + suite.seal_to_key(HANDSHAKE_KEY.public, other, info))


@pytest.mark.parametrize("length", [0, 1_000, 2_685, 2_687, 6_526])
def test_a_client_handshake_of_another_length_is_none(length: int) -> None:
    """2.4: "a content of 3,838 bytes: box(handshake key, pad(request, 2,206), ...)"."""
    greeting = HostHandshake(b"n" * 32, ROOM, HANDSHAKE_KEY)
    info = b"anonp2p/4 client handshake" + ROOM + greeting.hello
    padded = (padding.pad_text(pack(JOIN), 2_206) + bytes(10_000))[:length]
    with pytest.raises(PeerFault, match="client-handshake-length"):
        greeting.open_request(TICKET + suite.seal_to_key(HANDSHAKE_KEY.public, padded, info))


@given(st.binary(max_size=1_300))
def test_a_client_handshake_that_is_no_box_does_not_open(garbage: bytes) -> None:
    with pytest.raises(PeerFault, match="unreadable-box"):
        HostHandshake(b"n" * 32, ROOM, HANDSHAKE_KEY).open_request(garbage)


def test_nobody_client_handshakes_at_a_handshake_key_that_cannot_be_sealed_to() -> None:
    with pytest.raises(PeerFault, match="unusable-key"):
        handshake.seal_request(JOIN, ROOM, Hello(4, bytes(32), KEY[:-32] + bytes(32)), HELLO, TICKET)


# --- what is signed


def test_a_join_is_signed_over_all_of_it() -> None:
    """2.5: "hello || link || key || H(encryption key) || u64 index || digest || H(packed [invited]) || nick"."""
    invited = field_types.Invited(bytes(32), bytes(32), bytes(64))
    rest = suite.hash_data(KEY) + bytes(40) + suite.hash_data(b"\x91\xc0") + b"ann"
    assert handshake.join_content(HELLO, JOIN) == HELLO + JOIN.link_secret + JOIN.key + rest
    others = [
        JoinRequest(bytes(32), JOIN.key, KEY, "ann", bytes(64)),
        JoinRequest(LINK, bytes(32), KEY, "ann", bytes(64)),
        JoinRequest(LINK, JOIN.key, bytes(1216), "ann", bytes(64)),
        JoinRequest(LINK, JOIN.key, KEY, "añn", bytes(64)),
        JoinRequest(LINK, JOIN.key, KEY, "ann", bytes(64), 7),
        JoinRequest(LINK, JOIN.key, KEY, "ann", bytes(64), 0, b"d" * 32),
        JoinRequest(LINK, JOIN.key, KEY, "ann", bytes(64), invited=invited),
    ]
    assert (
        len({handshake.join_content(HELLO, join) for join in [JOIN, *others]} | {handshake.join_content(LINK, JOIN)})
        == 9
    )


def test_a_resume_is_signed_over_all_of_it() -> None:
    """2.5: all of "u64 epoch || u64 index || digest || u8 lost || H(packed openings)", after the keys."""
    position = bytes(7) + b"\3" + bytes(7) + b"\5" + RESUME.digest
    line = b"\0" + suite.hash_data(pack(OPENINGS))
    assert handshake.resume_content(HELLO, RESUME) == HELLO + LINK + suite.hash_data(KEY) + position + line
    lost = replace(RESUME, lost=True)
    assert handshake.resume_content(HELLO, lost) == HELLO + LINK + suite.hash_data(KEY) + position + b"\1" + line[1:]


def test_the_key_of_a_handshake_key_goes_in_its_time_though_nobody_comes() -> None:
    """2.2: "for as long as a link that was greeted with it is in its handshake, and no longer"."""
    handshake_key = counting()
    hello, _ = handshake.read_hello(handshake_key.begin_handshake(ROOM, 0.0).wire[padding.LENGTH :])
    before = hello.handshake_key
    handshake_key.forget_expired_key(limits.HANDSHAKE_KEY - 0.1)
    assert before in memory.parts(handshake_key)
    handshake_key.forget_expired_key(limits.HANDSHAKE_KEY)
    assert before not in memory.parts(handshake_key)
    hello, _ = handshake.read_hello(handshake_key.begin_handshake(ROOM, limits.HANDSHAKE_KEY).wire[padding.LENGTH :])
    assert hello.handshake_key != before
