"""The room code: what people pass on, and what Tor is given for it."""

import base64
import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from anonp2p.errors import BadCode
from anonp2p.names import codes
from anonp2p.names.codes import RoomKey
from anonp2p.names.errors import KeyMistyped

BASE32 = "abcdefghijklmnopqrstuvwxyz234567"
KEY = bytes(range(32))
CODE = codes.encode_key(KEY)
SECRET = bytes(range(64, 96))
INVITATION = codes.Code(KEY, SECRET).spell()

keys = st.binary(min_size=32, max_size=32)


def complaint(text: str) -> str:
    with pytest.raises(BadCode) as caught:
        codes.parse_code(text)
    return str(caught.value)


@given(keys)
def test_every_key_comes_back_from_its_code(key: bytes) -> None:
    assert codes.parse_code(codes.encode_key(key)) == (key, b"")


def test_a_code_is_the_onion_address_of_the_key() -> None:
    # The address of the Tor Project's own site, and the key in it.
    address = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid"
    key = base64.b32decode(address.upper())[:32]
    assert codes.encode_key(key) == f"{address}.onion"
    assert codes.parse_code(address) == (key, b"")


@pytest.mark.parametrize(
    "typed",
    [
        CODE,
        CODE.removesuffix(".onion"),
        CODE.upper(),
        CODE.title(),
        f"  {CODE}\r\n",
        f"anonp2p:{CODE}",
        f"ANONP2P:{CODE.upper()}",
        f"anonp2p: {CODE.removesuffix('.onion')} ",
        f"anonp2p://{CODE}",
        f"http://{CODE}",
        f"http://{CODE}/",
        f"HTTPS://{CODE.upper()}:1984/",
        f"http:{CODE}",
        f"{CODE}/",
        f"{CODE}:1984",
        f"{CODE.removesuffix('.onion')}:1984",
        f"{CODE}.",
        f"{CODE},",
        f"{CODE}.:1984",
        f"'{CODE}'",
        f'"{CODE}"',
        f"`{CODE}`",
        f"\u201c{CODE}\u201d",
        f"\u00ab {CODE} \u00bb",
        f"<{CODE}>",
        f"<http://{CODE}:1984/>,",
        f"({CODE}).",
        f'anonp2p:"{CODE}"',
        f"\ufeff{CODE}\u200b",
        f"\u2066{CODE}\u2069",
        f"{CODE[:28]} {CODE[28:]}",
        f"{CODE[:20]}\n{CODE[20:40]}\u00ad{CODE[40:]}",
    ],
)
def test_what_people_do_to_a_code_is_forgiven(typed: str) -> None:
    assert codes.parse_code(typed) == (KEY, b"")


@given(keys, keys)
def test_what_a_code_with_a_key_says_comes_back_from_it(address: bytes, key: bytes) -> None:
    assert codes.parse_code(codes.Code(address, key).spell()) == (address, key)


@pytest.mark.parametrize(
    "typed",
    [
        INVITATION,
        INVITATION.replace(".onion", ""),
        INVITATION.upper(),
        f" anonp2p:{INVITATION}\n",
        f"<http://{INVITATION}/>.",
        f"'{INVITATION}'",
        f"{INVITATION[:70]} {INVITATION[70:90]}\n\u00ad{INVITATION[90:]}",
        INVITATION.replace(":", " : "),
    ],
)
def test_what_people_do_to_a_code_with_a_key_is_forgiven(typed: str) -> None:
    assert codes.parse_code(typed) == (KEY, SECRET)


def test_nearly_every_mistyped_character_of_a_key_is_noticed() -> None:
    """Four bits tell: the code keeps to the length of Tor's own keys."""
    wrong = [
        INVITATION[:at] + one + INVITATION[at + 1 :]
        for at in range(63, 115)
        for one in BASE32.replace(INVITATION[at], "")
    ]
    assert len(wrong) == 52 * 31
    missed = sum(_is_taken(text) for text in wrong)
    assert missed < len(wrong) / 12


def _is_taken(text: str) -> bool:
    try:
        codes.parse_code(text)
    except KeyMistyped:
        return False
    return True


def test_a_code_shows_nothing_of_its_key() -> None:
    assert repr(codes.Code(KEY, SECRET)) == "<Code>"


def test_every_single_mistyped_character_is_noticed() -> None:
    for at in range(56):
        for character in BASE32.replace(CODE[at], ""):
            assert "mistyped" in complaint(CODE[:at] + character + CODE[at + 1 :])


def test_two_neighbours_swapped_are_noticed() -> None:
    for at in range(55):
        if CODE[at] != CODE[at + 1]:
            assert "mistyped" in complaint(CODE[:at] + CODE[at + 1] + CODE[at] + CODE[at + 2 :])


@pytest.mark.parametrize(
    ("typed", "word"),
    [
        ("", "56 characters"),
        (".onion", "56 characters"),
        (CODE[1:], "this has 55"),
        ("a" + CODE, "this has 57"),
        ("0" + CODE[1:], "digits 2-7"),
        ("-" + CODE[1:], "digits 2-7"),
        ("\N{CYRILLIC SMALL LETTER A}" + CODE[1:], "digits 2-7"),
        ("\N{FULLWIDTH LATIN SMALL LETTER A}" + CODE[1:], "digits 2-7"),
        ("=" * 56, "digits 2-7"),
        (f"{CODE}:{'a' * 52}", "key after its colon does not check"),
        (f"{INVITATION}2", "neither the port 1984 nor a key"),
        (f"{INVITATION}:1984", "neither the port 1984 nor a key"),
        (f"{CODE}:{'a' * 51}", "neither the port 1984 nor a key"),
        (f"{CODE}:{'1' * 52}", "neither the port 1984 nor a key"),
        (f"{CODE}:x", "neither the port 1984 nor a key"),
        (f"{CODE}:80", "the port of rooms is always 1984"),
        (f"http://{CODE}:443/", "the port of rooms is always 1984"),
        (f"http://{CODE}/index.html", "web page"),
        (f"{CODE}/#room", "web page"),
        ("expyuzz4wqqyqhjn", "version 2"),
        ("http://expyuzz4wqqyqhjn.onion/", "version 2"),
        ("a" * 52, "key without its address"),
        (CODE[:52], "end is missing"),
        (f"{CODE.removesuffix('.onion')} ann", "this has 59"),
    ],
)
def test_what_is_no_code_is_refused_with_the_reason(typed: str, word: str) -> None:
    assert word in complaint(typed)


def test_another_version_of_onion_services_is_refused() -> None:
    checksum = hashlib.sha3_256(b".onion checksum" + KEY + b"\x04").digest()[:2]
    assert "mistyped" in complaint(base64.b32encode(KEY + checksum + b"\x04").decode())


@given(st.text())
def test_nothing_but_bad_code_is_ever_raised(typed: str) -> None:
    complaint(typed)


@given(st.text(min_size=40, max_size=60, alphabet=BASE32))
def test_a_refusal_never_repeats_the_code(typed: str) -> None:
    assert typed[:16] not in complaint(typed)


@settings(max_examples=25)
@given(keys)
def test_tor_is_given_the_key_that_the_code_stands_for(seed: bytes) -> None:
    """The expanded form is that of RFC 8032, 5.1.5, and its scalar belongs to the public key."""
    key = RoomKey(seed)
    expanded = base64.b64decode(key.expanded_private_key(), validate=True)
    scalar = int.from_bytes(expanded[:32], "little")
    assert len(expanded) == 64
    assert scalar % 8 == 0
    assert scalar >> 254 == 1
    assert expanded[32:] == hashlib.sha512(seed).digest()[32:]
    assert _public(scalar) == key.public == Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    assert codes.parse_code(key.code) == (key.public, b"")


# Ed25519's group, straight from RFC 8032, 5.1: slow, and enough to multiply its base point by a scalar.

_P = 2**255 - 19
_D = -121665 * pow(121666, -1, _P) % _P
_Y = 4 * pow(5, -1, _P) % _P
_X = 15112221349535400772501151409588531511454012693041857206046113283949847762202

_Point = tuple[int, int, int]  # x/z, y/z


def _add(a: _Point, b: _Point) -> _Point:
    z = a[2] * b[2]
    xx, yy, xy = a[0] * b[0], a[1] * b[1], (a[0] + a[1]) * (b[0] + b[1])
    bend = _D * xx * yy
    less, more = z * z - bend, z * z + bend
    return z * less * (xy - xx - yy) % _P, z * more * (yy + xx) % _P, less * more % _P


def _public(scalar: int) -> bytes:
    point, power = (0, 1, 1), (_X, _Y, 1)
    while scalar:
        if scalar & 1:
            point = _add(point, power)
        power = _add(power, power)
        scalar >>= 1
    inverse = pow(point[2], -1, _P)
    x, y = point[0] * inverse % _P, point[1] * inverse % _P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def test_a_text_is_meant_as_a_code_if_it_is_nothing_else() -> None:
    code = RoomKey(b"k" * 32).code
    mistyped = code.replace(code[:2], code[1::-1], 1)
    for text in (code, f" {code[:9]}\n {code[9:]}", mistyped, f"{code}:{'a' * 52}"):
        assert codes.is_meant(text), text
    for text in ("", "hello", f"see {code}", code[:50], f"/join {code}"):
        assert not codes.is_meant(text), text
