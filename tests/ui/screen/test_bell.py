"""When the bell rings."""

import time

import pytest

from anonp2p.ui.screen.bell import Bell


class Rings:
    """A bell, and how often it has rung."""

    def __init__(self) -> None:
        self.count = 0
        self.bell = Bell(self._ring)

    def _ring(self) -> None:
        self.count += 1

    def call(self, *, watched: bool = True, is_private: bool = False) -> int:
        """How often it rings for this."""
        before = self.count
        self.bell.call_user(watched=watched, is_private=is_private)
        return self.count - before


@pytest.fixture
def rings() -> Rings:
    return Rings()


def test_it_rings_for_who_looks_elsewhere_and_only_then(rings: Rings) -> None:
    assert rings.call(watched=False) == 1
    assert rings.call(watched=True) == 0


def test_it_never_tells_bystanders_of_a_private_room(rings: Rings) -> None:
    assert rings.call(watched=False, is_private=True) == 0


def test_it_can_be_turned_off(rings: Rings) -> None:
    rings.bell.is_on = False
    assert rings.call(watched=False) == 0


def test_who_has_pressed_no_key_for_long_is_taken_to_look_elsewhere(
    rings: Rings, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 61)
    assert rings.call() == 1
    rings.bell.note_key()
    assert rings.call() == 0
