"""When shown messages end: in what order, at which time, and how many are remembered."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonp2p import limits
from anonp2p.room.shown_messages import ShownMessages

messages = st.lists(st.tuples(st.integers(1, 1000), st.floats(0, 100)), unique_by=lambda message: message[0])


@given(messages, st.floats(0, 100))
def test_what_is_due_ends_in_order_and_the_rest_stays(noted: list[tuple[int, float]], age: float) -> None:
    shown = ShownMessages()
    for seq, end in noted:
        assert shown.note_message(seq, end) == []
    in_order = sorted((end, seq) for seq, end in noted)
    assert shown.next_due == (in_order[0][0] if in_order else None)
    assert shown.end_due(age) == [seq for end, seq in in_order if end <= age]
    later = [(end, seq) for end, seq in in_order if end > age]
    assert shown.next_due == (later[0][0] if later else None)
    assert shown.end_all() == [seq for _, seq in later]
    assert shown.next_due is None


def test_a_message_ends_exactly_at_its_time() -> None:
    shown = ShownMessages()
    shown.note_message(7, 10.0)
    assert shown.end_due(9.999) == []
    assert shown.end_due(10.0) == [7]
    assert shown.end_due(10.0) == []


def test_beyond_the_bound_those_due_first_end_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "EXPIRING", 3)
    shown = ShownMessages()
    for seq, end in enumerate((20.0, 10.0, 10.0), 1):
        assert shown.note_message(seq, end) == []
    assert shown.note_message(4, 30.0) == [2, 3], "all that end at the time of the first"
    assert shown.note_message(5, 40.0) == []
    assert shown.note_message(6, 5.0) == [6], "one due before all others"
    assert shown.end_all() == [1, 4, 5]
