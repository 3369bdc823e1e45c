"""Which chunks are asked for, on which link."""

from hypothesis import given
from hypothesis import strategies as st

from anonp2p import limits
from anonp2p.net.files.missing_chunks import MissingChunks
from anonp2p.protocol.transfer import Want


@given(st.lists(st.booleans(), max_size=400), st.integers(1, 2), st.data())
def test_each_missing_chunk_is_asked_for_once_and_again_if_it_does_not_come(
    good: list[bool], links: int, data: st.DataObject
) -> None:
    missing = MissingChunks(good, links)
    came: list[int] = []
    given_back = 0
    while missing.has_work:
        want = missing.take()
        assert 1 <= want.count <= limits.SEGMENT
        kept = want.count
        if given_back < 20:
            kept = data.draw(st.integers(0, want.count))
            given_back += 1
        came += range(want.first, want.first + kept)
        for _ in range(kept):
            missing.note_good()
        if kept < want.count:
            missing.give_back([Want("chunks", want.first + kept, want.count - kept)])
    assert sorted(came) == [number for number, is_there in enumerate(good) if not is_there]
    assert missing.is_complete


def test_towards_the_end_less_is_asked_for_at_once() -> None:
    missing = MissingChunks(bytes(800), 2)
    counts = []
    while missing.has_work:
        counts.append(missing.take().count)
    assert counts[0] == limits.SEGMENT
    assert counts == sorted(counts, reverse=True)
    assert counts[-1] <= limits.SEGMENT_LEAST


def test_a_file_that_is_there_is_complete() -> None:
    assert MissingChunks(b"\1\1", 2).is_complete
    assert not MissingChunks(b"\1\0", 2).is_complete
