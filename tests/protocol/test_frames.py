"""Bytes <-> frames: everything comes back as it went, and garbage is a fault of the peer's and nothing else."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import msgpack

from anonp2p import limits
from anonp2p.crypto.padding import SIZES
from anonp2p.errors import PeerFault
from anonp2p.protocol import bodies, field_types, frames, room_state
from anonp2p.protocol.batches import Backfilled, BackfilledEntry, Batch, RetractedEntry, Tombstone
from anonp2p.protocol.field_types import Heir, Opening
from anonp2p.protocol.packing import pack, unpack
from anonp2p.protocol.requests import AnyRequest, Hello, JoinRequest, MeetRequest, ResumeRequest
from anonp2p.protocol.rights import Ban, Invitation, Order, Restrictions, ReturnKey, Rights
from tests.support.packed import other_encodings

bytes16, bytes32, bytes33, bytes64, bytes112, keys = (
    st.binary(min_size=size, max_size=size) for size in (16, 32, 33, 64, 112, 1_216)
)
counts = st.integers(0, 2**53 - 1)
generations = st.integers(0, 2**31 - 1)
texts = st.text(max_size=50)
blobs = st.binary(max_size=300)
words = {
    frames.RefusedFrame: [
        "signature",
        "full",
        "locked",
        "bad-nick",
        "nick-taken",
        "not-allowed",
        "unknown",
        "kicked",
        "key",
        "turned-away",
        "not-invited",
        "crowded",
    ],
    frames.DeniedFrame: ["nick-taken", "repeated", "too-often", "muted", "slow", "not-allowed", "moot"],
    bodies.Removal: ["lost", "kicked"],
}
reasons = {kind: st.sampled_from(known) for kind, known in words.items()}
removals = st.builds(bodies.Removal, bytes16, reasons[bodies.Removal])
replies = st.none() | st.builds(bodies.EntryId, bytes16, counts)
boxes = st.binary(min_size=field_types.BOX + 4, max_size=field_types.BOX + 50)
roster = st.builds(room_state.RosterEntry, bytes32, texts, counts, st.booleans(), bytes32, generations, bytes32)

snapshot_entries = st.builds(room_state.SnapshotEntry, bytes32, texts, counts, st.booleans(), bytes32)
ttls = st.integers(0, 2**32 - 1)

invited = st.none() | st.builds(field_types.Invited, bytes32, bytes32, bytes64)
openings = st.lists(st.builds(field_types.Opening, counts, bytes16, counts, bytes32), min_size=1, max_size=3)
signed_entries = st.builds(frames.SignedEntry, counts, bytes33, st.binary(max_size=50))
proofs = st.lists(signed_entries, max_size=limits.PROOF_OF_HEIR)
wheres = st.builds(frames.Where, counts, bytes16, bytes32, counts, bytes32, openings, proofs)
heirs = st.lists(st.builds(field_types.Heir, bytes16, bytes32), max_size=3)
holders = st.lists(bytes16, min_size=1, max_size=3)
terms = st.builds(room_state.Term, counts, bytes16, bytes32, bytes32, heirs, holders, st.booleans(), openings)
places = st.lists(snapshot_entries, max_size=3)
slows = st.integers(0, limits.SLOW)
slots, uses = st.integers(0, limits.INVITATIONS - 1), st.integers(1, limits.INVITATION_USES)
whys = st.text(max_size=limits.KICK_REASON)
restrictions = st.builds(Restrictions, st.booleans(), st.booleans(), slows)
members = st.lists(bytes16, max_size=3).map(tuple)
rights = st.builds(
    Rights,
    restrictions,
    st.none() | restrictions,
    *[members] * 3,
    st.lists(st.builds(Order, members, whys), max_size=2).map(tuple),
    st.lists(st.builds(Ban, bytes16, texts), max_size=3).map(tuple),
    st.lists(bytes32, max_size=3).map(tuple),
    st.booleans(),
    st.lists(
        st.builds(Invitation, bytes32, slots, uses, st.integers(0, 9), bytes16, st.booleans(), members), max_size=2
    ).map(tuple),
    members,
    st.none() | bytes32,
    st.lists(st.builds(ReturnKey, bytes16, bytes32), max_size=3).map(tuple),
)
bases = st.builds(room_state.RoomSnapshot, bytes32, counts, rights, places, terms)
missed = st.one_of(
    st.builds(BackfilledEntry, bytes33, blobs),
    st.builds(Tombstone, bytes33, bytes32),
    st.builds(RetractedEntry, bytes33, bytes32, counts, bytes33, blobs),
)
contexts = st.lists(st.none() | bytes32, max_size=3)
backfills = st.builds(frames.BackfillFrame, st.lists(missed, max_size=3), contexts, bytes112, bytes112)
from_members = st.one_of(
    st.builds(frames.SubmitFrame, counts, blobs),
    st.builds(frames.KeyFrame, keys),
    st.builds(frames.KeyRequestFrame, bytes32),
    st.just(frames.AbleFrame()),
    st.just(frames.PoolRequestFrame()),
    st.builds(frames.AddressFrame, bytes32, bytes64),
    st.just(frames.EchoFrame()),
    st.builds(frames.StraysFrame, counts),
    st.builds(frames.ReportFrame, st.booleans(), counts, bytes32, openings),
    st.builds(frames.RedirectFrame, wheres, bytes64),
    backfills,
)
credentials = st.builds(frames.Credentials, bytes32, bytes32, counts, bytes64)
from_hosts = st.one_of(
    st.builds(frames.RefusedFrame, reasons[frames.RefusedFrame], credentials, bytes64),
    st.builds(frames.WelcomeFrame, blobs, st.integers(1, limits.PAGES)),
    st.builds(frames.PageFrame, blobs),
    st.builds(frames.ResumedFrame, bytes112, bytes64),
    backfills,
    st.builds(frames.CommitShareFrame, blobs),
    st.builds(frames.DeniedFrame, counts, reasons[frames.DeniedFrame]),
    st.builds(frames.KeyResponseFrame, keys),
    st.builds(frames.KeyNotFoundFrame, bytes32),
    st.just(frames.PrepareFrame()),
    st.builds(frames.EntrustFrame, blobs),
    st.just(frames.EchoedFrame()),
    st.builds(frames.WaitingFrame, bytes64),
    st.builds(frames.RedirectFrame, wheres, bytes64),
    st.just(frames.HostLivesFrame()),
    st.just(frames.AskHostFrame()),
    st.builds(frames.WantFrame, counts, bytes32, openings),
    st.builds(frames.HeldFrame, credentials, bytes64),
    st.builds(frames.PoolFrame, blobs),
    st.builds(frames.ClientsFrame, bytes32.map(lambda key: [key] * limits.CLIENTS)),
    st.builds(frames.KnockersFrame, st.lists(st.builds(frames.KnockEntry, bytes32, texts, counts), max_size=3)),
)
requests = st.one_of(
    st.builds(JoinRequest, bytes32, bytes32, keys, texts, bytes64, counts, bytes32, invited),
    st.builds(ResumeRequest, bytes32, bytes16, keys, counts, counts, bytes32, openings, st.booleans(), bytes64),
    st.builds(MeetRequest, bytes32, bytes16, bytes32, counts, bytes32, openings, bytes64),
)
hellos = st.builds(Hello, counts, bytes32, keys)
all_bodies = st.one_of(
    st.builds(bodies.TextBody, texts, st.booleans(), replies),
    st.builds(bodies.NickBody, texts),
    st.just(bodies.LeaveBody()),
    st.builds(bodies.JoinedBody, bytes32, texts, bytes32, invited),
    st.builds(bodies.AwayBody, bytes16),
    st.just(bodies.CloseBody()),
    st.builds(bodies.BackBody, bytes16),
    st.builds(bodies.RenewBody, bytes32),
    st.builds(bodies.LockBody, st.booleans()),
    st.builds(bodies.CommitBody, counts, st.lists(removals, max_size=3)),
    st.builds(bodies.PrivateBody, boxes),
    st.builds(bodies.RetractBody, counts),
    st.builds(bodies.OpeningBody, counts, bytes32, bytes32, counts),
    st.builds(bodies.HeirsBody, heirs, st.booleans()),
    st.builds(bodies.HandOverBody, st.booleans()),
    st.builds(bodies.CodeBody, bytes32, st.none() | bytes32),
    st.builds(bodies.RoleBody, bytes16, st.sampled_from(["member", "moderator", "muted"])),
    st.builds(bodies.KnockBody, st.booleans()),
    st.builds(bodies.SlowBody, slows),
    st.builds(bodies.RaidBody, st.booleans()),
    st.builds(bodies.RemoveBody, st.lists(bytes16, min_size=1, max_size=3), whys, st.booleans()),
    st.builds(bodies.UnbanBody, bytes16),
    st.builds(bodies.AdmitBody, bytes32, st.booleans()),
    st.builds(bodies.KeepBody, bytes16),
    st.builds(bodies.InviteBody, bytes32, slots, uses, bytes32),
    st.builds(bodies.RevokeBody, bytes32),
)
contents = st.builds(bodies.Content, bytes16, counts, bytes32, all_bodies)
states = st.builds(
    room_state.RoomState,
    bytes32,
    texts,
    rights,
    terms,
    st.builds(room_state.RetentionPolicy, ttls, ttls, ttls),
    st.builds(room_state.HistoryPolicy, counts, counts),
    counts,
    *[bytes32] * 3,
    bytes112,
    st.builds(room_state.LatestEntry, bytes32, bytes33, bytes32),
    credentials,
    st.lists(roster, max_size=3),
    counts,
    st.none() | bases,
    st.booleans(),
    heirs.map(tuple),
    st.lists(bytes32, max_size=3).map(tuple),
)

KINDS: dict[str, tuple[Any, st.SearchStrategy[Any]]] = {
    "hello": (Hello, hellos),
    "request": (AnyRequest, requests),
    "burst": (Batch, st.builds(Batch, st.lists(blobs, max_size=3), contexts, bytes112)),
    "member's": (
        frames.MemberRecord,
        st.builds(frames.MemberRecord, st.booleans(), st.lists(from_members, max_size=3)),
    ),
    "host's": (frames.HostRecord, st.builds(frames.HostRecord, st.lists(from_hosts, max_size=3))),
    "content": (bodies.Content, contents),
    "state": (room_state.RoomState, states),
}

# What msgpack can say, shaped like a frame or not at all.
msgpacked = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text(max_size=9) | blobs | bytes32,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=12,
).map(msgpack.encode)

B16, B32, B33, B64, B112, KEY = (bytes(size) for size in (16, 32, 33, 64, 112, 1_216))
ROSTER_ENTRY = room_state.RosterEntry(B32, "ann", 1, False, B32, 0, B32)
SNAPSHOT_ENTRY = room_state.SnapshotEntry(B32, "ann", 1, False, B32)
TERM = room_state.Term(4, B16, B32, B32, [Heir(B16, B32)], [B16], False, [Opening(4, B16, 7, B32)])
RIGHTS = Rights(
    Restrictions(False, True, 10),
    Restrictions(),
    (B16,),
    (B16,),
    (B16,),
    (Order((B16,), "spam"),),
    (Ban(B16, "eve"),),
    (B32,),
    True,
    (Invitation(B32, 1, 2, 1, B16, False, (B16,)),),
    (B16,),
    B32,
    (ReturnKey(B16, B32),),
)
BASE = room_state.RoomSnapshot(B32, 1, RIGHTS, [SNAPSHOT_ENTRY], TERM)
RETENTION, HISTORY = room_state.RetentionPolicy(0, 60, 2**32 - 1), room_state.HistoryPolicy(50, 0)
LATEST = room_state.LatestEntry(B32, B33, B32)
CREDENTIALS = frames.Credentials(B32, B32, 0, B64)
BACKFILL = frames.BackfillFrame([BackfilledEntry(B33, b"body"), Tombstone(B33, B32)], [B32, None], B112, B112)
STATE = room_state.RoomState(
    B32,
    "demo",
    RIGHTS,
    TERM,
    RETENTION,
    HISTORY,
    0,
    B32,
    B32,
    B32,
    B112,
    LATEST,
    CREDENTIALS,
    [ROSTER_ENTRY],
    1,
    None,
    False,
)
OPENING = field_types.Opening(0, B16, 0, B32)
WHERE = frames.Where(4, B16, B32, 1, B32, [OPENING], [frames.SignedEntry(1, B33, b"body")])
SAID: list[tuple[Any, int]] = [  # every body, and its tag (4.4)
    (bodies.TextBody("hello", action=False, reply=None), 1),
    (bodies.NickBody("ann"), 2),
    (bodies.LeaveBody(), 3),
    (bodies.JoinedBody(B32, "ann", B32), 4),
    (bodies.AwayBody(B16), 5),
    (bodies.CloseBody(), 6),
    (bodies.BackBody(B16), 7),
    (bodies.RenewBody(B32), 8),
    (bodies.LockBody(locked=True), 9),
    (bodies.CommitBody(1, [bodies.Removal(B16, "kicked")], renew=False), 10),
    (bodies.PrivateBody(bytes(field_types.BOX + 4)), 11),
    (bodies.RetractBody(1), 12),
    (bodies.OpeningBody(5, B32, B32, 1), 13),
    (bodies.HeirsBody([Heir(B16, B32)], entrusts=True), 14),
    (bodies.HandOverBody(leaves=True), 15),
    (bodies.CodeBody(B32), 16),
    (bodies.RoleBody(B16, "muted"), 17),
    (bodies.KnockBody(on=True), 18),
    (bodies.SlowBody(10), 19),
    (bodies.RaidBody(on=True), 20),
    (bodies.RemoveBody([B16], "spam", ban=True), 21),
    (bodies.UnbanBody(B16), 22),
    (bodies.AdmitBody(B32, admitted=True), 23),
    (bodies.KeepBody(B16), 24),
    (bodies.InviteBody(B32, 0, 1, B32), 25),
    (bodies.RevokeBody(B32), 26),
]
EXAMPLES: list[tuple[str, Any, int | None]] = [  # of every kind, with its tag (2.2, 2.4, 2.7, 5.13, 7.1)
    ("hello", Hello(3, B32, KEY), 1),
    ("request", JoinRequest(B32, B32, KEY, "ann", B64), 1),
    ("request", ResumeRequest(B32, B16, KEY, 1, 1, B32, [OPENING], True, B64), 2),
    ("request", MeetRequest(B32, B16, B32, 1, B32, [OPENING], B64), 3),
    ("burst", Batch([b"entry"], [B32], B112), None),
    ("member's", frames.SubmitFrame(0, b"entry"), 1),
    ("member's", frames.KeyFrame(KEY), 2),
    ("member's", frames.KeyRequestFrame(B32), 3),
    ("host's", frames.RefusedFrame("full", CREDENTIALS, B64), 4),
    ("host's", frames.WelcomeFrame(b"box", 1), 5),
    ("host's", frames.PageFrame(b"part"), 6),
    ("host's", frames.ResumedFrame(B112, B64), 7),
    ("host's", BACKFILL, 8),
    ("host's", frames.CommitShareFrame(b"box"), 9),
    ("host's", frames.DeniedFrame(1, "nick-taken"), 10),
    ("host's", frames.KeyResponseFrame(KEY), 11),
    ("host's", frames.KeyNotFoundFrame(B32), 12),
    ("host's", frames.ProofFrame([bytes(65)]), 13),
    ("member's", frames.AbleFrame(), 14),
    ("member's", frames.PoolRequestFrame(), 30),
    ("host's", frames.PrepareFrame(), 15),
    ("member's", frames.AddressFrame(B32, B64), 16),
    ("host's", frames.EntrustFrame(b"box"), 17),
    ("member's", frames.EchoFrame(), 18),
    ("host's", frames.EchoedFrame(), 19),
    ("member's", frames.StraysFrame(3), 20),
    ("member's", frames.ReportFrame(False, 1, B32, [OPENING]), 21),
    ("host's", frames.WaitingFrame(B64), 22),
    ("member's", frames.RedirectFrame(WHERE, B64), 23),
    ("host's", frames.RedirectFrame(WHERE, B64), 23),
    ("host's", frames.HostLivesFrame(), 24),
    ("host's", frames.WantFrame(1, B32, [OPENING]), 25),
    ("host's", frames.AskHostFrame(), 26),
    ("host's", frames.HeldFrame(CREDENTIALS, B64), 27),
    ("host's", frames.KnockersFrame([frames.KnockEntry(B32, "zoe", 7)]), 28),
    ("host's", frames.PoolFrame(b"box"), 29),
    ("host's", frames.ClientsFrame([B32] * limits.CLIENTS), 31),
    ("member's", BACKFILL, 8),
    ("past", BackfilledEntry(B33, b"body"), 1),
    ("past", Tombstone(B33, B32), 2),
    ("past", RetractedEntry(B33, B32, 1, B33, b"body"), 3),
    ("content", bodies.Content(B16, 1, B32, bodies.TextBody("hello", action=False, reply=None)), None),
    ("state", STATE, None),
    ("base", BASE, None),
    ("sitter", SNAPSHOT_ENTRY, None),
    ("seat", ROSTER_ENTRY, None),
    ("latest", LATEST, None),
    ("credentials", CREDENTIALS, None),
    ("retention", RETENTION, None),
    ("history", HISTORY, None),
    ("term", TERM, None),
]
each_kind = pytest.mark.parametrize(("kind", "example", "tag"), EXAMPLES, ids=lambda value: repr(value)[:12])


def within(kind: str, packed: object) -> bytes:
    """Something of this kind as it travels: a frame is in a record, a roster entry in a state."""
    match kind:
        case "member's":
            return msgpack.encode([False, [packed]])
        case "host's":
            return msgpack.encode([[packed]])
        case "past":
            return within("host's", [8, [packed], [None], B112, B112])
        case "base":
            return msgpack.encode([*fields(STATE)[:-4], packed, False, [], []])
        case "sitter":
            return within("base", [B32, 1, fields(RIGHTS), [packed], fields(TERM)])
        case "seat" | "latest" | "credentials" | "retention" | "history" | "term":
            whole = fields(STATE)
            at = {"seat": 13, "credentials": 12, "latest": 11, "retention": 4, "history": 5, "term": 3}[kind]
            whole[at] = [packed] if kind == "seat" else packed
            return msgpack.encode(whole)
        case _:
            return msgpack.encode(packed)


def carrier(kind: str) -> str:
    """What something of this kind travels in."""
    inner = {"past": "host's"} | dict.fromkeys(
        ("base", "sitter", "seat", "latest", "credentials", "retention", "history", "term"), "state"
    )
    return inner.get(kind, kind)


def fault(kind: str, payload: bytes) -> None:
    with pytest.raises(PeerFault, match="malformed"):
        unpack(KINDS[carrier(kind)][0], payload)


def fine(kind: str, packed: object) -> Any:
    return unpack(KINDS[carrier(kind)][0], within(kind, packed))


def fields(packed: Any) -> list[Any]:
    found: list[Any] = msgpack.decode(pack(packed))
    return found


def said(body: list[object]) -> bytes:
    return msgpack.encode([B16, 1, B32, body])


# --- what comes back


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_what_is_packed_comes_back(kind: str, data: st.DataObject) -> None:
    accepts, strategy = KINDS[kind]
    packed = data.draw(strategy)
    assert unpack(accepts, pack(packed)) == packed


@each_kind
def test_a_record_is_an_array_with_its_tag_first(kind: str, example: Any, tag: int | None) -> None:
    """0.2: "a record is an array, its tag first if it has one, then its fields in order"."""
    values = [getattr(example, name) for name in example.__struct_fields__]
    if tag is not None:
        assert fields(example)[0] == tag
        assert len(fields(example)) == 1 + len(values)
    else:
        assert len(fields(example)) == len(values)
    assert pack(fine(kind, fields(example))) == within(kind, fields(example))


@pytest.mark.parametrize(("body", "tag"), SAID, ids=lambda value: repr(value)[:12])
def test_what_entries_say_has_its_tag(body: Any, tag: int) -> None:
    """4.4"""
    assert fields(bodies.Content(B16, 1, B32, body))[3][0] == tag


@pytest.mark.parametrize("kind", words, ids=lambda kind: kind.__name__)
def test_every_reason_has_its_word_and_no_other(kind: Any) -> None:
    """2.7, 4.4"""
    assert set(kind.__annotations__["reason"].__args__) == set(words[kind])


# --- what is malformed


@pytest.mark.parametrize("kind", KINDS)
@given(payload=msgpacked | st.binary(max_size=100))
def test_garbage_is_malformed(kind: str, payload: bytes) -> None:
    if payload in {"member's": (b"\x92\xc2\x90", b"\x92\xc3\x90"), "host's": (b"\x91\x90",)}.get(kind, ()):
        return  # a record without frames
    fault(kind, payload)


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data(), place=st.integers(0, 10_000), change=st.integers(1, 255))
def test_what_is_damaged_is_something_else_or_malformed(
    kind: str, data: st.DataObject, place: int, change: int
) -> None:
    accepts, strategy = KINDS[kind]
    sent = data.draw(strategy)
    payload = bytearray(pack(sent))
    payload[place % len(payload)] ^= change
    with suppress(PeerFault):
        assert unpack(accepts, bytes(payload)) != sent


@each_kind
def test_another_encoding_of_the_same_is_malformed(kind: str, example: Any, tag: int | None) -> None:
    """0.2: "every value has one encoding"."""
    packed = within(kind, fields(example))
    others = other_encodings(packed)
    assert len(others) > 2
    for other in others:
        assert msgpack.decode(other) == msgpack.decode(packed)
        fault(kind, other)


@pytest.mark.parametrize(("body", "tag"), SAID, ids=lambda value: repr(value)[:12])
def test_another_encoding_of_what_an_entry_says_is_malformed(body: Any, tag: int) -> None:
    """0.2, 4.4"""
    packed = said(fields(body))
    for other in other_encodings(packed):
        fault("content", other)


@each_kind
def test_what_may_not_come_now_is_malformed(kind: str, example: Any, tag: int | None) -> None:
    """2.7: the column "from"."""
    for other in KINDS:
        if other != carrier(kind):
            fault(other, within(kind, fields(example)))


@each_kind
def test_missing_further_and_trailing_fields_are_malformed(kind: str, example: Any, tag: int | None) -> None:
    """0.2: "Missing, further and mistyped fields, trailing bytes ... are malformed"."""
    whole = fields(example)
    for payload in (
        within(kind, whole[:-1]),
        within(kind, [*whole, None]),
        within(kind, [2**60, *whole[1:]]),
        within(kind, [-1, *whole[1:]]),
        within(kind, [None, *whole[1:]]),
        within(kind, [[whole[0]], *whole[1:]]),
        within(kind, {str(at): field for at, field in enumerate(whole)}),
        within(kind, whole) + b"\x00",
        within(kind, whole) * 2,
        within(kind, whole)[:-1],
        b"",
    ):
        fault(kind, payload)


@each_kind
def test_a_field_of_another_type_or_length_is_malformed(kind: str, example: Any, tag: int | None) -> None:
    whole = fields(example)
    for at, field in list(enumerate(whole))[0 if tag is None else 1 :]:
        for wrong in mistyped(field):
            fault(kind, within(kind, [*whole[:at], wrong, *whole[at + 1 :]]))


def mistyped(field: object) -> list[object]:
    """What may stand nowhere where this stands."""
    match field:
        case None:
            return [False, 0, "", b"", [], {}, [None]]
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
            return [None, 1, b"", {}, [False]]


@pytest.mark.parametrize(("body", "tag"), SAID, ids=lambda value: repr(value)[:12])
def test_what_an_entry_says_is_as_strict(body: Any, tag: int) -> None:
    """4.4"""
    whole = fields(body)
    fault("content", said([*whole, None]))
    fault("content", said([tag + 30, *whole[1:]]))
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
        ("host's", [5, b"box", 0]),
        ("host's", [5, b"box", limits.PAGES + 1]),
        ("host's", [6, bytes(limits.PAGE + 1)]),
        ("host's", [8, [[3, B33, b"body"]], B112, 1, 2]),
        ("host's", [8, [[0, B33, b"body"]], B112, 1, 2]),
        ("host's", [8, [[1, B33[1:], b"body"]], B112, 1, 2]),
        ("host's", [8, [[2, B33, B32 + b"x"]], B112, 1, 2]),
        ("host's", [13, []]),
        ("host's", [13, [bytes(64)]]),
        ("host's", [13, [bytes(98)]]),
        ("host's", [13, [bytes(65)] * (limits.PROOF_STEPS + 1)]),
        ("host's", [14, B32]),
        ("member's", [0, B32]),
        ("content", [B16, 1, B32, [10, 1, [[B16, "left"]], False]]),
        ("content", [B16, 1, B32, [10, 1, [[B16[1:], "kicked"]], False]]),
        ("content", [B16, 1, B32, [10, 1, [[B16, "kicked", ""]], False]]),
        ("content", [B16, 1, B32, [17, B16, "host"]]),
        ("content", [B16, 1, B32, [18, 1]]),
        ("content", [B16, 1, B32, [19, limits.SLOW + 1]]),
        ("content", [B16, 1, B32, [21, [], "", False]]),
        ("content", [B16, 1, B32, [21, [B16] * (limits.MEMBERS + 1), "", False]]),
        ("content", [B16, 1, B32, [21, [B16], "x" * (limits.KICK_REASON + 1), False]]),
        ("content", [B16, 1, B32, [23, B16, True]]),
        *(
            (
                "state",
                [
                    *fields(STATE)[:2],
                    [*fields(RIGHTS)[:at], [value] * (most + 1), *fields(RIGHTS)[at + 1 :]],
                    *fields(STATE)[3:],
                ],
            )
            for at, value, most in (
                (2, B16, limits.MODERATORS),
                (3, B16, limits.MEMBERS),
                (4, B16, limits.MEMBERS),
                (5, [[B16], ""], limits.ORDERS),
                (6, [B16, "eve"], limits.BANS),
                (7, B32, limits.ADMITTED),
            )
        ),
        ("content", [B16, 1, B32, [10, 1, [], 0]]),
        ("content", [B16, 1, B32, [10, 1, [[B16, "kicked"]] * (limits.MEMBERS + 1), False]]),
        ("content", [B16, 1, B32, [11, bytes(1_139)]]),
        ("content", [B16, 1, B32, [11, bytes(5_171)]]),
        *(
            ("content", [B16, 1, B32, [1, "hello", False, reply, False, None]])
            for reply in ([B16], [B16[1:], 1], [B16, 2**53], [B16, -1], [B16, 1, 1], [None, 1], [1, B16])
        ),
        ("content", [B16, 1, B32, [12]]),
        ("content", [B16, 1, B32, [0]]),
        ("retention", [0, 60, 2**32]),
        ("retention", [-1, 60, 60]),
        ("history", [2**53, 0]),
        ("base", [B32, 1, fields(RIGHTS), [fields(SNAPSHOT_ENTRY)] * (limits.MEMBERS + 1), fields(TERM)]),
        ("base", [B32[1:], 1, fields(RIGHTS), [], fields(TERM)]),
        ("state", [*fields(STATE)[:13], [fields(ROSTER_ENTRY)] * (limits.MEMBERS + 1), 1, None, True, [], []]),
        ("state", [*fields(STATE)[:-2], [[B16, B32]] * (limits.CARRIERS + 1), []]),
        ("state", [*fields(STATE)[:-2], [], [B32] * (limits.KICKED + 1)]),
        ("term", [*fields(TERM)[:4], [[B16, B32]] * (limits.HEIRS + 1), *fields(TERM)[5:]]),
        ("term", [*fields(TERM)[:5], [B16] * (limits.HOLDERS + 1), *fields(TERM)[6:]]),
        ("term", [*fields(TERM)[:5], [], *fields(TERM)[6:]]),
        ("term", [*fields(TERM)[:7], []]),
        ("term", [*fields(TERM)[:7], fields(TERM)[7] * (limits.OPENINGS + 1)]),
        ("content", [B16, 1, B32, [14, [[B16, B32]] * (limits.HEIRS + 1), False]]),
        *(
            ("seat", roster_entry)
            for roster_entry in (
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
    fault(kind, within(kind, packed))


def test_the_bounds_themselves_are_in_order() -> None:
    for kind, packed in (
        ("host's", [5, b"box", limits.PAGES]),
        ("host's", [6, bytes(limits.PAGE)]),
        ("host's", [7, B112, B64]),
        ("host's", [8, [], [], B112, B112]),
        ("burst", [[], [], B112]),
        ("content", [B16, 1, B32, [10, 1, [[B16, "kicked"]] * limits.MEMBERS, False]]),
        ("content", [B16, 1, B32, [19, limits.SLOW]]),
        ("content", [B16, 1, B32, [21, [B16] * limits.MEMBERS, "x" * limits.KICK_REASON, True]]),
        ("content", [B16, 1, B32, [11, bytes(1_140)]]),
        ("content", [B16, 1, B32, [11, bytes(5_170)]]),
        ("content", [B16, 1, B32, [1, "hello", False, [B16, 2**53 - 1], False, None]]),
        ("retention", [0, 2**32 - 1, 2**32 - 1]),
        ("base", [B32, 1, fields(RIGHTS), [fields(SNAPSHOT_ENTRY)] * limits.MEMBERS, fields(TERM)]),
        ("base", None),
        ("state", [*fields(STATE)[:13], [fields(ROSTER_ENTRY)] * limits.MEMBERS, 1, None, True, [], []]),
        ("state", [*fields(STATE)[:-2], [[B16, B32]] * limits.CARRIERS, [B32] * limits.KICKED]),
        ("host's", [13, [bytes(65)] * limits.PROOF_STEPS]),
    ):
        assert fine(kind, packed)


@pytest.mark.parametrize(
    ("kind", "before", "frame"),
    [("member's", [True], frames.KeyRequestFrame(B32)), ("host's", [], frames.KeyNotFoundFrame(B32))],
    ids=["member", "host"],
)
def test_a_record_has_up_to_16_frames(kind: str, before: list[bool], frame: Any) -> None:
    """2.7: "A record of a member is [echo: bool, frames], one of a host [frames]: up to 16 of these (`FRAMES`)"."""
    for count in (0, 1, 16):
        record = unpack(KINDS[kind][0], msgpack.encode([*before, [fields(frame)] * count]))
        assert record == KINDS[kind][0](*before, [frame] * count)
    fault(kind, msgpack.encode([*before, [fields(frame)] * 17]))


OF_NO_MEMBER: list[list[Any]] = [
    [],
    [True],
    [[]],
    [[], True],
    [1, []],
    [None, []],
    [True, [], []],
    [True, None],
    [True, [[]]],
]
OF_NO_HOST: list[list[Any]] = [[], [True], [True, []], [[], []], [None], [[[]]]]


@pytest.mark.parametrize(
    ("kind", "record"),
    [
        *(("member's", it) for it in OF_NO_MEMBER),
        *(("host's", it) for it in OF_NO_HOST),
    ],
    ids=repr,
)
def test_a_record_that_is_none_is_malformed(kind: str, record: list[object]) -> None:
    """2.7"""
    fault(kind, msgpack.encode(record))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("opening", [b"\x91", b"\x81", b"\x93\x01", b"\x92\x04"], ids=["arrays", "maps", "3", "2"])
def test_deep_nesting_is_malformed(kind: str, opening: bytes) -> None:
    fault(kind, (opening * SIZES[-1])[: SIZES[-1]])


@pytest.mark.parametrize("text", [b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"a\x80", b"\xc0\x80"])
def test_text_that_is_not_utf8_is_malformed(text: bytes) -> None:
    """0.2: "texts that are not UTF-8"."""
    packed = bytes([0xA0 | len(text)]) + text
    fault("content", b"\x94\xc4\x10" + B16 + b"\x01\xc4\x20" + B32 + b"\x93\x01" + packed + b"\xc2")
    fault("state", b"\x9d" + packed + pack(STATE)[6:])
    fault("host's", b"\x92\xc2\x91\x92\x04" + packed)


@pytest.mark.parametrize(
    "claim", [b"\xdd\xff\xff\xff\xff", b"\xc6\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff", b"\xdb\xff\xff\xff\xff"]
)
@pytest.mark.parametrize("kind", KINDS)
def test_a_claim_of_four_billion_elements_is_malformed(kind: str, claim: bytes) -> None:
    fault(kind, claim)
    fault(kind, b"\x92" + claim)
    fault(kind, b"\x92\xc2" + claim)
    fault(kind, b"\x92\xc2\x91\x92\x06" + claim)
    fault(kind, b"\x94\xc4\x10" + B16 + b"\x01\xc4\x20" + B32 + claim)


# --- what fits


def around(record: Any) -> int:
    """Bytes of the payload of this record, before it is filled."""
    return 2 + 2 + len(pack(record)) + 16


def entry(body: bodies.Body) -> bytes:
    """One as long as it gets."""
    packed = pack(bodies.Content(B16, 2**53 - 1, B32, body))
    return bytes(33 + 64 + 16 - (2 + len(packed)) % -limits.CONTENT_STEP) + packed + bytes(2)


@pytest.mark.parametrize(
    "body",
    [
        bodies.TextBody("\U0001f47b" * (limits.TEXT // 4), action=True, reply=bodies.EntryId(B16, 2**53 - 1)),
        bodies.PrivateBody(bytes(field_types.BOX + limits.TEXT + 34)),
    ],
    ids=repr,
)
def test_the_longest_text_fits_a_payload(body: bodies.Body) -> None:
    """From its author, and five of them in one batch, and so opened."""
    sealed = entry(body)
    assert around(frames.MemberRecord(False, [frames.SubmitFrame(2**53 - 1, sealed)])) <= SIZES[4]
    assert 2 + 12 + 2 + len(pack(Batch([sealed] * 5, [None] * 5, B112))) + 16 <= limits.BATCH_BYTES
    opened: list[Backfilled] = [BackfilledEntry(B33, sealed[49:])] * 5
    backfill = frames.BackfillFrame(opened, [None] * 5, B112, B112)
    assert around(frames.HostRecord([backfill])) <= limits.BATCH_BYTES


def test_a_batch_of_the_shortest_messages_fits_a_payload_when_all_of_them_are_retracted() -> None:
    """5.13: however short, each brings its author's Retract with it."""
    shortest = entry(bodies.TextBody("x", action=False, reply=None))[: 33 + 64 + 64 + 16]
    count = limits.BATCH_BYTES // (len(shortest) + 3)
    retract = bytes(64 + 2 * limits.CONTENT_STEP)
    assert len(entry(bodies.RetractBody(2**53 - 1))) <= 33 + len(retract) + 16
    gone: list[Backfilled] = [RetractedEntry(B33, B32, 2**53 - 1, B33, retract)] * count
    assert around(frames.HostRecord([frames.BackfillFrame(gone, [None] * count, B112, B112)])) <= SIZES[-1]


def test_a_client_handshake_fits_its_limit_and_a_page_a_payload() -> None:
    """2.4: "pad(request, 2,686)"; 2.2: "padded to 1,918 bytes"; 7.1: "each up to 28,000 bytes"."""
    openings = [field_types.Opening(2**53 - 1, B16, 2**53 - 1, B32)] * limits.OPENINGS
    longest = ResumeRequest(B32, B16, KEY, 2**53 - 1, 2**53 - 1, B32, openings, True, B64)
    nick = "\U00020000" * limits.NICK
    invited = field_types.Invited(B32, B32, B64)
    for request in (longest, JoinRequest(B32, B32, KEY, nick, B64, 2**53 - 1, B32, invited)):
        assert (
            limits.CLIENT_HANDSHAKE // 2 < 2 + 16 + field_types.BOX + 2 + len(pack(request)) <= limits.CLIENT_HANDSHAKE
        )
    hello = Hello(3, B32, KEY)
    assert limits.HELLO // 2 < 2 + 2 + len(pack(hello)) <= limits.HELLO
    assert around(frames.HostRecord([frames.PageFrame(bytes(limits.PAGE))])) <= limits.BATCH_BYTES


def test_the_largest_commit_for_those_who_are_lost_fits_a_payload() -> None:
    """A room of which all but the host are lost at once."""
    everyone = [bodies.Removal(B16, "lost")] * (limits.MEMBERS - 1)
    sealed = entry(bodies.CommitBody(2**53 - 1, everyone, renew=False))
    assert 2 + 12 + 2 + len(pack(Batch([sealed], [B32], B112))) + 16 <= SIZES[-1]
    backfill = frames.BackfillFrame([BackfilledEntry(B33, sealed[49:])], [B32], B112, B112)
    assert around(frames.HostRecord([backfill])) <= SIZES[-1]


# --- what is shown


@each_kind
def test_a_frame_shows_its_kind_and_nothing_it_holds(kind: str, example: Any, tag: int | None) -> None:
    assert repr(example) == f"<{type(example).__name__}>"


@pytest.mark.parametrize("record", [frames.MemberRecord(True, []), frames.HostRecord([])])
def test_a_record_shows_nothing_it_holds(record: Any) -> None:
    assert repr(record) == f"<{type(record).__name__}>"


@given(contents)
def test_a_content_shows_nothing_it_holds(content: bodies.Content) -> None:
    assert repr(content) == "<Content>"
    assert repr(content.body) == f"<{type(content.body).__name__}>"
