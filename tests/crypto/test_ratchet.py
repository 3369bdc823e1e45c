"""An author's keys: one a generation, used once, and no way back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonp2p import limits
from anonp2p.crypto import suite
from anonp2p.crypto.ratchet import Ratchet
from anonp2p.errors import PeerFault

FIRST = b"l" * 32


def mark(key: suite.Key) -> bytes:
    """What tells keys apart."""
    return key.seal_text(0, b"")


def links(count: int) -> list[bytes]:
    """6.6: "the next chain key expand(chain key, `anonp2p/4 next`, nothing)"."""
    found = [FIRST]
    while len(found) < count:
        found.append(suite.expand(found[-1], "next"))
    return found


@given(st.lists(st.integers(0, limits.SKIPPED), max_size=6))
def test_the_key_of_a_generation_does_not_hang_on_how_one_came_there(left_out: list[int]) -> None:
    """6.6: "The key of a generation is expand(chain key, `anonp2p/4 key`, nothing)"."""
    chain, generation = Ratchet(FIRST), 0
    all_links = links(sum(left_out) + len(left_out) + 1)
    for more in left_out:
        generation += more
        assert mark(chain.take_key(generation)) == mark(suite.Key(suite.expand(all_links[generation], "key")))
        generation += 1
        assert (chain.generation, chain.chain_key) == (generation, all_links[generation])


def test_no_two_generations_share_a_key() -> None:
    chain = Ratchet(FIRST)
    assert len({mark(chain.take_key(generation)) for generation in range(200)}) == 200


@pytest.mark.parametrize("generation", [0, 1, 4, 5])
def test_a_generation_is_taken_once_and_nothing_before_it_after_it(generation: int) -> None:
    """6.6: "A key MUST be used once and dropped; ... whose keys are dropped too"."""
    chain = Ratchet(FIRST)
    chain.take_key(5)
    link = chain.chain_key
    with pytest.raises(PeerFault, match="generation"):
        chain.take_key(generation)
    assert (chain.generation, chain.chain_key) == (6, link)


def test_up_to_128_generations_are_left_out_in_a_row() -> None:
    """6.6: "up to 128 (`SKIPPED`) may be left out in a row"."""
    assert limits.SKIPPED == 128
    chain = Ratchet(FIRST)
    chain.take_key(128)
    chain.take_key(129 + 128)
    for generation in (258 + 129, 2**32 - 1):
        with pytest.raises(PeerFault, match="generation"):
            chain.take_key(generation)
    assert chain.generation == 258


def test_a_chain_goes_on_at_a_link_that_was_told() -> None:
    whole = Ratchet(FIRST)
    whole.take_key(2)
    told = Ratchet(whole.chain_key, whole.generation)
    assert mark(told.take_key(4)) == mark(whole.take_key(4))
    with pytest.raises(PeerFault):
        Ratchet(FIRST, 3).take_key(2)
