"""Bytes as words: the list is the published one, and mistakes in reading aloud are noticed."""

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from anonp2p.names.words import spell_data

TWO_SYLLABLES = [spell_data(bytes([byte]))[0] for byte in range(256)]
THREE_SYLLABLES = [spell_data(bytes([0, byte]))[1] for byte in range(256)]
LISTS = (TWO_SYLLABLES, THREE_SYLLABLES)

several = st.binary(min_size=2, max_size=40)


def could_be_a_spelling(words: list[str]) -> bool:
    return all(word in LISTS[position % 2] for position, word in enumerate(words))


def test_each_list_has_256_words_and_none_is_in_both() -> None:
    assert len(set(TWO_SYLLABLES)) == len(set(THREE_SYLLABLES)) == 256
    assert not set(TWO_SYLLABLES) & set(THREE_SYLLABLES)


def test_every_word_is_of_small_ascii_letters_only() -> None:
    assert all(word.isascii() and word.isalpha() and word.islower() for words in LISTS for word in words)


def test_no_word_has_changed() -> None:
    """Those who compare may have different versions of the program."""
    words = " ".join(TWO_SYLLABLES + THREE_SYLLABLES)
    digest = hashlib.sha256(words.encode()).hexdigest()
    assert digest == "e732a7c847b5ceea625e50b7dbd670d080d4b681a606c8805d588ed1848653de"


def test_a_well_known_fingerprint_is_spelled_as_published() -> None:
    fingerprint = bytes.fromhex("E582 94F2 E9A2 2748 6E8B 061B 31CC 528F D7FA 3F19")
    published = (
        "topmost Istanbul Pluto vagabond treadmill Pacific brackish dictator goldfish Medusa "
        "afflict bravado chatter revolver Dupont midsummer stopwatch whimsical cowbell bottomless"
    )
    assert spell_data(fingerprint) == published.lower().split()


def test_nothing_is_spelled_as_nothing() -> None:
    assert spell_data(b"") == []


@given(st.binary(max_size=40))
def test_a_spelling_can_be_read_back(data: bytes) -> None:
    assert bytes(LISTS[position % 2].index(word) for position, word in enumerate(spell_data(data))) == data


@given(several, st.data())
def test_a_changed_byte_changes_its_word_and_no_other(data: bytes, draw: st.DataObject) -> None:
    place = draw.draw(st.integers(0, len(data) - 1))
    changed = bytearray(data)
    changed[place] ^= draw.draw(st.integers(1, 255))
    pairs = zip(spell_data(data), spell_data(bytes(changed)), strict=True)
    assert [position for position, (before, after) in enumerate(pairs) if before != after] == [place]


@given(several, st.data())
def test_neighbours_swapped_are_noticed(data: bytes, draw: st.DataObject) -> None:
    place = draw.draw(st.integers(0, len(data) - 2))
    words = spell_data(data)
    words[place], words[place + 1] = words[place + 1], words[place]
    assert not could_be_a_spelling(words)


@given(several, st.data())
def test_a_word_left_out_before_the_last_is_noticed(data: bytes, draw: st.DataObject) -> None:
    words = spell_data(data)
    del words[draw.draw(st.integers(0, len(data) - 2))]
    assert not could_be_a_spelling(words)


@given(several, st.data())
def test_a_word_said_twice_is_noticed(data: bytes, draw: st.DataObject) -> None:
    words = spell_data(data)
    place = draw.draw(st.integers(0, len(data) - 1))
    words.insert(place, words[place])
    assert not could_be_a_spelling(words)
