"""Payloads and padding: few sizes, and nothing in them but what must be."""

from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonp2p import limits
from anonp2p.crypto import padding
from anonp2p.crypto.padding import SIZES
from anonp2p.errors import PeerFault
from anonp2p.protocol.wire import Splitter

CONTENTS = [size - 2 for size in SIZES]  # how long contents are
SMALLEST, NEXT, LONGEST = CONTENTS[0], CONTENTS[1], CONTENTS[-1]

texts = st.binary(max_size=700)


def content(number: int, length: int = SMALLEST) -> bytes:
    return bytes([number]) * length


def cut(data: bytes, places: list[int]) -> list[bytes]:
    ends = sorted(place % (len(data) + 1) for place in places)
    return [data[start:end] for start, end in zip([0, *ends], [*ends, len(data)], strict=True)]


# --- payloads


def test_payloads_are_of_eight_sizes() -> None:
    """2.1: "which together MUST take 480 bytes (`UNIT`) times 1, 2, 4, 7, 16, 32, 64 or 128"."""
    assert [size / 480 for size in SIZES] == [1, 2, 4, 7, 16, 32, 64, 128]
    assert {limits.HELLO, limits.CLIENT_HANDSHAKE, limits.BATCH_BYTES} <= set(SIZES)


@pytest.mark.parametrize("length", CONTENTS)
def test_a_content_goes_behind_its_length(length: int) -> None:
    """2.1: "each a content behind its length as u16"."""
    assert padding.frame_content(content(7, length)) == length.to_bytes(2, "big") + content(7, length)
    assert list(Splitter(LONGEST).feed_data(padding.frame_content(content(7, length)))) == [content(7, length)]


@given(st.lists(st.sampled_from(CONTENTS[:3]), max_size=5), st.lists(st.integers(0, 9_000), max_size=8))
def test_payloads_come_back_wherever_the_stream_is_cut(lengths: list[int], places: list[int]) -> None:
    splitter = Splitter(LONGEST)
    sent = [content(number, length) for number, length in enumerate(lengths)]
    stream = b"".join(map(padding.frame_content, sent))
    assert [payload for piece in cut(stream, places) for payload in splitter.feed_data(piece)] == sent


def test_a_payload_comes_back_byte_by_byte() -> None:
    splitter = Splitter(LONGEST)
    data = padding.frame_content(content(1)) + padding.frame_content(content(2))
    got = [list(splitter.feed_data(data[at : at + 1])) for at in range(len(data))]
    assert [(at, found) for at, found in enumerate(got) if found] == [(479, [content(1)]), (959, [content(2)])]


@pytest.mark.parametrize("length", [0, 1, 477, 479, 480, 957, 959, LONGEST - 1, LONGEST + 1, 65_535, 65_536])
def test_the_longest_payload_is_carried_and_a_longer_one_is_never_made(length: int) -> None:
    """Nor one of any other length that no payload has."""
    with pytest.raises(ValueError, match="bad length"):
        padding.frame_content(bytes(length))


@pytest.mark.parametrize("longest", CONTENTS)
def test_a_length_over_the_longest_is_refused_before_anything_of_it_came(longest: int) -> None:
    """2.4: "a content of 3,838 bytes", and of strangers nothing longer."""
    assert list(Splitter(longest).feed_data(padding.frame_content(bytes(longest)))) == [bytes(longest)]
    for length in {longest + 1, min(2 * longest + 2, 65_535), 65_535}:
        with pytest.raises(PeerFault, match="payload-too-long"):
            list(Splitter(longest).feed_data(length.to_bytes(2, "big")))


def test_a_length_that_no_payload_has_is_refused_before_anything_of_it_came() -> None:
    """2.1: of all lengths that a u16 can say, eight are proper."""

    def refused(length: int) -> bool:
        try:
            return bool(list(Splitter(65_535).feed_data(length.to_bytes(2, "big"))))
        except PeerFault:
            return True

    assert [length for length in range(65_536) if not refused(length)] == CONTENTS


def test_what_comes_after_a_changed_expectation_is_read_by_the_new_one() -> None:
    splitter, got = Splitter(SMALLEST), []
    for payload in splitter.feed_data(padding.frame_content(content(1)) + padding.frame_content(content(2, NEXT))):
        got.append(payload)
        splitter.longest = NEXT
    assert got == [content(1), content(2, NEXT)]


@pytest.mark.parametrize(
    "after", [padding.frame_content(content(2, NEXT)), b"\0\1x"], ids=["too long", "of no proper length"]
)
def test_the_payloads_before_one_too_long_still_count(after: bytes) -> None:
    stream = Splitter(SMALLEST).feed_data(padding.frame_content(content(1)) + after)
    assert next(stream) == content(1)
    with pytest.raises(PeerFault):
        next(stream)


@pytest.mark.parametrize("read", ["all", "one"])
def test_no_more_is_kept_than_one_payload_that_is_not_whole(read: str) -> None:
    splitter = Splitter(SMALLEST)
    stream = splitter.feed_data(padding.frame_content(content(1)) * 3 + SMALLEST.to_bytes(2, "big") + b"hell")
    consume: dict[str, Callable[[], object]] = {"all": lambda: list(stream), "one": lambda: next(stream)}
    consume[read]()
    assert len(splitter) == {"all": 6, "one": 2 * 480 + 6}[read]


# --- padding


@given(texts, st.integers(0, 300))
def test_what_is_padded_comes_back(text: bytes, more: int) -> None:
    """0.8: "u16 length of the text || the text || zeros, n bytes in all"."""
    padded = padding.pad_text(text, 2 + len(text) + more)
    assert padded == len(text).to_bytes(2, "big") + text + bytes(more)
    assert padding.unpad_text(padded) == text


def test_a_text_too_long_for_its_place_is_not_padded() -> None:
    assert padding.pad_text(b"text", 6) == b"\0\4text"
    with pytest.raises(ValueError, match="too long"):
        padding.pad_text(b"text", 5)


@pytest.mark.parametrize(
    "padded",
    [b"", b"\0", b"\0\1", b"\0\5text", b"\xff\xfftext", b"\0\4text\1", b"\0\4text\0\0\x80", b"\0\3text", b"\0\0\0\0x"],
    ids=repr,
)
def test_what_is_padded_otherwise_is_malformed(padded: bytes) -> None:
    """0.8: "What is padded otherwise is malformed"."""
    with pytest.raises(PeerFault, match="padding"):
        padding.unpad_text(padded)


@given(texts, st.integers(0, 299), st.integers(1, 255))
def test_one_byte_of_padding_that_is_no_zero_is_malformed(text: bytes, at: int, other: int) -> None:
    """0.8: nothing can be hidden where nothing is said."""
    padded = bytearray(padding.pad_text(text, 2 + len(text) + 300))
    padded[2 + len(text) + at] = other
    with pytest.raises(PeerFault, match="padding"):
        padding.unpad_text(bytes(padded))


@given(st.integers(0, SIZES[-1]), st.sampled_from([16, 28, 1_136]))
def test_what_is_filled_makes_the_smallest_payload_that_holds_it(length: int, overhead: int) -> None:
    """2.1: "padded (0.8) to the least length with which the payload is of such a size"."""
    fitting = [size for size in SIZES if size >= 2 + overhead + 2 + length]
    if not fitting:
        with pytest.raises(ValueError, match="too long"):
            padding.fill_payload(bytes(length), overhead)
        return
    filled = padding.fill_payload(b"x" * length, overhead)
    assert 2 + overhead + len(filled) == fitting[0]
    assert padding.unpad_text(filled) == padding.unfill_payload(filled, overhead) == b"x" * length


@pytest.mark.parametrize("overhead", [16, 28])
def test_what_is_filled_to_more_than_need_be_is_malformed(overhead: int) -> None:
    """2.1: "what is longer is malformed"."""
    for size, larger in pairwise(SIZES):
        full = bytes(size - 2 - overhead - 2)
        assert padding.unfill_payload(padding.pad_text(full, size - 2 - overhead), overhead) == full
        assert padding.unfill_payload(padding.pad_text(full + b"x", larger - 2 - overhead), overhead) == full + b"x"
        for more in (size - 2 - overhead + 1, larger - 2 - overhead):
            with pytest.raises(PeerFault, match="payload-padding"):
                padding.unfill_payload(padding.pad_text(full, more), overhead)
    with pytest.raises(PeerFault, match="padding"):
        padding.unfill_payload(padding.fill_payload(b"text", overhead)[:-1] + b"x", overhead)


@pytest.mark.parametrize("size", SIZES)
def test_one_byte_more_than_a_size_holds_takes_the_next(size: int) -> None:
    full = size - 2 - 2 - 16
    assert len(padding.fill_payload(bytes(full), 16)) + 18 == size
    if size < SIZES[-1]:
        assert len(padding.fill_payload(bytes(full + 1), 16)) + 18 == SIZES[SIZES.index(size) + 1]
    else:
        with pytest.raises(ValueError, match="too long"):
            padding.fill_payload(bytes(full + 1), 16)
