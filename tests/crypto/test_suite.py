"""The primitives, as they are joined: what is made for one purpose or under one key is nothing under another."""

import pytest
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from hypothesis import given
from hypothesis import strategies as st

from anonp2p.crypto import suite
from anonp2p.crypto.suite import EncryptionKeyPair, Key
from anonp2p.errors import PeerFault

SECRET = bytes(range(32))
KEY = EncryptionKeyPair(b"a" * 32)
OTHER = EncryptionKeyPair(b"b" * 32)
BOX = suite.seal_to_key(KEY.public, b"a text", b"info")

# X25519's points of small order (RFC 7748, 7), and those that are not canonical.
SMALL_ORDER = [
    bytes(32),
    (1).to_bytes(32, "little"),
    bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
    bytes.fromhex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
    *((2**255 - 19 + more).to_bytes(32, "little") for more in (-1, 0, 1)),
]

secrets = st.binary(min_size=32, max_size=32)
names = st.text("abcdefghij", max_size=12)
contexts = st.binary(max_size=40)


def test_this_build_of_cryptography_can_do_all_of_it() -> None:
    assert suite.is_supported()


def test_a_build_without_the_kem_is_known_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    def unsupported(*_: object) -> bytes:
        raise UnsupportedAlgorithm("no such KEM")

    monkeypatch.setattr(suite, "seal_to_key", unsupported)
    assert not suite.is_supported()


# --- expand, extract, labels


def test_a_label_begins_with_the_protocol_and_its_version() -> None:
    """0.3: "ASCII text that begins with `anonp2p/4 `"."""
    assert suite.label("key") == b"anonp2p/4 key"
    with pytest.raises(UnicodeEncodeError):
        suite.label("clé")


@given(secrets, names, contexts)
def test_expand_is_hkdf_expand_with_the_length_of_the_label(secret: bytes, name: str, context: bytes) -> None:
    """0.4: "info = u8 length of the label || label || context"."""
    info = bytes([len(name) + 10]) + b"anonp2p/4 " + name.encode() + context
    assert suite.expand(secret, name, context) == HKDFExpand(hashes.SHA256(), 32, info).derive(secret)


@given(secrets, names, contexts, secrets, names, contexts)
def test_expand_gives_the_same_for_the_same_alone(
    secret: bytes, name: str, context: bytes, secret2: bytes, name2: str, context2: bytes
) -> None:
    is_same = (secret, name, context) == (secret2, name2, context2)
    assert (suite.expand(secret, name, context) == suite.expand(secret2, name2, context2)) == is_same


@given(names, names)
def test_a_label_does_not_run_into_its_context(name: str, more: str) -> None:
    assert not more or suite.expand(SECRET, name + more) != suite.expand(SECRET, name, more.encode())


def test_extract_takes_both_secrets() -> None:
    """0.4: "HKDF-Extract with SHA-256", here with the third test case of RFC 5869."""
    prk = "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04"
    assert suite.extract(bytes(32), b"\x0b" * 22).hex() == prk
    assert len({suite.extract(a, b) for a in (bytes(32), SECRET) for b in (bytes(32), SECRET)}) == 4


def test_digest_is_sha_256() -> None:
    assert suite.hash_data(b"abc").hex() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


# --- aead


@given(secrets, st.integers(0, 2**96 - 1), st.binary(max_size=100), contexts)
def test_aead_is_aes_256_gcm_with_a_number_as_nonce(secret: bytes, number: int, text: bytes, data: bytes) -> None:
    """0.5: "A number as nonce is that number in 12 bytes, big-endian"."""
    sealed = Key(secret).seal_text(number, text, data)
    assert sealed == AESGCM(secret).encrypt(number.to_bytes(12, "big"), text, data)
    assert len(sealed) == len(text) + suite.TAG
    assert Key(secret).open_sealed(number, sealed, data) == text
    assert Key(secret).open_sealed(number.to_bytes(12, "big"), sealed, data) == text


@given(st.integers(0, 21 * 8 - 1))
def test_a_sealed_text_with_a_bit_turned_does_not_open(bit: int) -> None:
    sealed = bytearray(Key(SECRET).seal_text(7, b"hello", b"data"))
    sealed[bit // 8] ^= 1 << bit % 8
    assert Key(SECRET).open_sealed(7, bytes(sealed), b"data") is None


def test_a_sealed_text_opens_with_its_own_key_nonce_and_data_alone() -> None:
    sealed = Key(SECRET).seal_text(7, b"hello", b"data")
    assert Key(bytes(32)).open_sealed(7, sealed, b"data") is None
    assert Key(SECRET).open_sealed(8, sealed, b"data") is None
    assert Key(SECRET).open_sealed(7, sealed, b"date") is None
    assert Key(SECRET).open_sealed(7, sealed) is None


@given(st.binary(max_size=40))
def test_garbage_of_any_length_does_not_open(garbage: bytes) -> None:
    assert Key(SECRET).open_sealed(0, garbage) is None


# --- leaves and boxes


@given(st.binary(max_size=200), contexts)
def test_a_box_opens_to_what_was_sealed(text: bytes, info: bytes) -> None:
    assert KEY.open_sealed(suite.seal_to_key(KEY.public, text, info), info) == text


def test_a_box_is_another_one_each_time() -> None:
    assert suite.seal_to_key(KEY.public, b"a text", b"info") != BOX


def test_a_key_is_made_from_its_seed_alone() -> None:
    """0.6: "Its public part is the 1,184 bytes of ML-KEM's public key || the 32 bytes of X25519's"."""
    assert EncryptionKeyPair(b"a" * 32).public == KEY.public != OTHER.public
    assert len(KEY.public) == suite.ENCRYPTION_KEY


def test_a_box_opens_with_its_own_key_and_info_alone() -> None:
    for key, info in ((OTHER, b"info"), (KEY, b"inf0"), (KEY, b"")):
        with pytest.raises(PeerFault, match="unreadable-box"):
            key.open_sealed(BOX, info)


@given(st.integers(0, len(BOX) * 8 - 1))
def test_a_box_with_a_bit_turned_does_not_open(bit: int) -> None:
    damaged = bytearray(BOX)
    damaged[bit // 8] ^= 1 << bit % 8
    with pytest.raises(PeerFault):
        KEY.open_sealed(bytes(damaged), b"info")


@pytest.mark.parametrize("length", [0, 1, 1_088, 1_119, 1_120, 1_135, 1_136, len(BOX) - 1, len(BOX) + 1, 65_000])
def test_a_box_of_another_length_does_not_open(length: int) -> None:
    with pytest.raises(PeerFault):
        KEY.open_sealed((BOX + bytes(65_000))[:length], b"info")


@pytest.mark.parametrize("point", SMALL_ORDER, ids=lambda point: point.hex()[:8])
@pytest.mark.parametrize("high", [0, 0x80])
def test_a_key_whose_x25519_half_agrees_with_nobody_cannot_be_sealed_to(point: bytes, high: int) -> None:
    """3.2: "an X25519 half with which an agreement is possible"."""
    half = point[:31] + bytes([point[31] | high])
    with pytest.raises(PeerFault, match="unusable-key"):
        suite.seal_to_key(KEY.public[:-32] + half, b"", b"")


@pytest.mark.parametrize("point", SMALL_ORDER, ids=lambda point: point.hex()[:8])
def test_a_box_made_with_a_point_of_small_order_does_not_open(point: bytes) -> None:
    with pytest.raises(PeerFault):
        KEY.open_sealed(BOX[:1_088] + point + BOX[1_120:], b"info")


@pytest.mark.parametrize("at", [0, 3, 600, 1_149])
def test_a_key_with_an_improper_ml_kem_half_cannot_be_sealed_to(at: int) -> None:
    """3.2: "a proper ML-KEM half": FIPS 203, 7.2 wants each coefficient below 3329."""
    half = KEY.public[:at] + b"\xff\xff\xff" + KEY.public[at + 3 :]
    with pytest.raises(PeerFault, match="unusable-key"):
        suite.seal_to_key(half, b"", b"")


@pytest.mark.parametrize("length", [0, 32, 1_184, suite.ENCRYPTION_KEY - 1, suite.ENCRYPTION_KEY + 1])
def test_a_key_of_another_length_cannot_be_sealed_to(length: int) -> None:
    with pytest.raises(PeerFault):
        suite.seal_to_key((KEY.public + b"x")[:length], b"", b"")
