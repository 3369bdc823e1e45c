"""Who a member is, and what its signature is worth elsewhere: nothing."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonp2p.crypto import identity
from anonp2p.crypto.identity import ENTRY, JOIN, Identity, is_signed

ROOM, OTHER_ROOM = b"r" * 32, b"s" * 32
ANN, BOB = Identity(b"a" * 32, ROOM), Identity(b"b" * 32, ROOM)

contents = st.binary(max_size=200)


@given(contents)
def test_a_signature_convinces(content: bytes) -> None:
    assert is_signed(ENTRY, ROOM, content, ANN.sign(ENTRY, content), ANN.key)


@given(contents, contents)
def test_a_signature_is_worth_nothing_elsewhere(content: bytes, other: bytes) -> None:
    """0.7: "sign(label, content)" is "over label || room || content"."""
    signature = ANN.sign(ENTRY, content)
    assert not is_signed(JOIN, ROOM, content, signature, ANN.key)
    assert not is_signed(ENTRY, OTHER_ROOM, content, signature, ANN.key)
    assert not is_signed(ENTRY, ROOM, content, signature, BOB.key)
    assert other == content or not is_signed(ENTRY, ROOM, other, signature, ANN.key)


@given(st.integers(0, 511))
def test_a_signature_with_a_bit_turned_is_none(bit: int) -> None:
    signature = bytearray(ANN.sign(ENTRY, b"hello"))
    signature[bit // 8] ^= 1 << bit % 8
    assert not is_signed(ENTRY, ROOM, b"hello", bytes(signature), ANN.key)


@pytest.mark.parametrize("key", [b"\x02" + bytes(31), b"\xff" * 32], ids=["off the curve", "out of range"])
def test_bytes_that_are_no_key_sign_nothing(key: bytes) -> None:
    assert not is_signed(ENTRY, ROOM, b"hello", bytes(64), key)
    assert not is_signed(ENTRY, ROOM, b"hello", ANN.sign(ENTRY, b"hello"), key)


@pytest.mark.parametrize("sign", [0, 0x80], ids=["even", "odd"])
@pytest.mark.parametrize(
    "y",
    [
        "01" + "00" * 31,
        "00" * 32,
        "ec" + "ff" * 30 + "7f",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ed" + "ff" * 30 + "7f",
        "ee" + "ff" * 30 + "7f",
    ],
)
def test_a_key_of_low_order_proves_nothing(y: str, sign: int) -> None:
    """For one of them anybody can sign: key and R are the neutral point, s is 0. The last two are not canonical."""
    encoded = bytearray.fromhex(y)
    encoded[31] |= sign
    key, neutral = bytes(encoded), b"\x01" + bytes(31)
    assert not identity.is_key(key)
    for number in range(16):  # with one of order 8, one text in eight comes out right
        assert not is_signed(ENTRY, ROOM, bytes([number]), neutral + bytes(32), key)


def test_the_keys_of_members_are_keys() -> None:
    assert all(identity.is_key(Identity(bytes([number]) * 32, ROOM).key) for number in range(50))


def test_bytes_of_another_length_are_no_key() -> None:
    for key in (b"", ANN.key[:31], ANN.key + b"\0"):
        assert not is_signed(ENTRY, ROOM, b"hello", ANN.sign(ENTRY, b"hello"), key)


def test_a_signature_that_was_made_longer_or_with_a_larger_s_is_none() -> None:
    """RFC 8032, 5.1.7: S below the order of the group, so that nobody makes another signature out of one."""
    signature = ANN.sign(ENTRY, b"hello")
    order = 2**252 + 27742317777372353535851937790883648493
    larger = signature[:32] + (int.from_bytes(signature[32:], "little") + order).to_bytes(32, "little")
    for changed in (larger, signature + b"\0", signature[:63], b""):
        assert not is_signed(ENTRY, ROOM, b"hello", changed, ANN.key)


LABELS = [identity.JOIN, identity.RESUME, identity.WELCOME, identity.ENTRY, identity.HEAD]
# Of the protocol, those that stand without their length: what is signed, hashed, or the info of a box.
HASHED = ["member", "log", "group context", "words of a room", "words of two"]
BARE = [*LABELS, *(b"anonp2p/4 " + name.encode() for name in [*HASHED, "client handshake", "commit share", "private"])]


def test_labels_do_not_run_into_what_follows() -> None:
    """0.3: "Of those that stand without their length none is the beginning of another"."""
    assert len(set(BARE)) == 13
    for label in BARE:
        assert label.startswith(b"anonp2p/4 ")
        assert not any(other.startswith(label) for other in BARE if other is not label)


@pytest.mark.parametrize("label", LABELS, ids=bytes.decode)
def test_a_signature_under_one_label_is_none_under_another(label: bytes) -> None:
    signature = ANN.sign(label, b"hello")
    assert [other for other in LABELS if is_signed(other, ROOM, b"hello", signature, ANN.key)] == [label]


def test_the_ids_and_hashes_are_those_of_the_protocol() -> None:
    """3.1: "the first 16 bytes of H(`anonp2p/4 member` || key)"; 4.6; 4.8; 7.5."""

    def h(data: bytes) -> bytes:
        return hashlib.sha256(data).digest()

    assert identity.member_id(ANN.key) == h(b"anonp2p/4 member" + ANN.key)[:16]
    assert identity.hash_room(ROOM) == h(b"anonp2p/4 log" + ROOM)
    assert identity.hash_empty_log(ROOM, bytes(32)) == h(b"anonp2p/4 log" + ROOM + bytes(32))
    assert identity.hash_roster_entry(b"array") == h(b"anonp2p/4 roster entry" + b"array")
    assert identity.hash_group_context(b"array") == h(b"anonp2p/4 group context" + b"array")
    place = b"anonp2p/4 log" + bytes(32) + (7).to_bytes(8, "big")
    whole = place + b"header" + h(b"body") + h(b"context")
    assert identity.extend_log_hash(bytes(32), 7, b"header", h(b"body"), h(b"context")) == h(whole)


indices = st.integers(0, 2**53 - 1)
digests = st.binary(min_size=32, max_size=32)
headers = st.binary(min_size=33, max_size=33)


@given(digests, indices, headers, digests, digests, digests, indices, headers, digests, digests)
def test_any_change_in_an_entry_changes_the_hash(
    previous: bytes,
    index: int,
    header: bytes,
    body: bytes,
    context: bytes,
    previous2: bytes,
    index2: int,
    header2: bytes,
    body2: bytes,
    context2: bytes,
) -> None:
    """4.6: "H(`anonp2p/4 log` || digest before || u64 index || header || H(body) || group context)"; body: its hash."""
    entry = (previous, index, header, body, context)
    whole = identity.extend_log_hash(*entry)
    assert len(whole) == 32
    assert identity.extend_log_hash(*entry) == whole
    for changed in (
        (previous2, index, header, body, context),
        (previous, index2, header, body, context),
        (previous, index, header2, body, context),
        (previous, index, header, body2, context),
        (previous, index, header, body, context2),
        (previous2, index2, header2, body2, context2),
    ):
        assert changed == entry or identity.extend_log_hash(*changed) != whole


@given(st.lists(st.tuples(headers, digests, digests), min_size=1, max_size=6), st.data())
def test_a_change_anywhere_in_a_log_changes_its_hash(
    log: list[tuple[bytes, bytes, bytes]], data: st.DataObject
) -> None:
    def digest(entries: list[tuple[bytes, bytes, bytes]], room: bytes = ROOM, context: bytes = bytes(32)) -> bytes:
        whole = identity.hash_empty_log(room, context)
        for index, entry in enumerate(entries, 1):
            whole = identity.extend_log_hash(whole, index, *entry)
        return whole

    at = data.draw(st.integers(0, len(log) - 1))
    other = data.draw(st.tuples(headers, digests, digests))
    for changed in (
        [*log[:at], other, *log[at + 1 :]],
        [*log[:at], *log[at + 1 :]],
        [*log[:at], log[at], *log[at:]],
        [*log[:at], other, *log[at:]],
        [*log[1:], log[0]],
    ):
        assert changed == log or digest(changed) != digest(log)
    assert digest(log, OTHER_ROOM) != digest(log)


@given(st.binary(min_size=32, max_size=32))
def test_an_id_is_spelled_in_26_characters_and_its_tag_begins_it(key: bytes) -> None:
    member = identity.member_id(key)
    spelled = identity.spell_member(member)
    assert len(member) == identity.ID_BYTES
    assert len(spelled) == 26
    assert set(spelled) <= set("abcdefghijklmnopqrstuvwxyz234567")
    assert spelled.startswith(identity.short_id(member))
    assert len(identity.short_id(member)) == identity.TAG_CHARACTERS


def test_an_id_is_not_just_the_key() -> None:
    assert ANN.id == identity.member_id(ANN.key)
    assert ANN.id not in ANN.key
    assert ANN.id != BOB.id


def test_the_key_comes_from_the_seed_alone() -> None:
    assert Identity(b"a" * 32, OTHER_ROOM).key == ANN.key
