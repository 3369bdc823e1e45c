"""When the bell rings."""

import time

import pytest

from anonp2p import limits
from anonp2p.ui.bell import Bell, notification


class Rings:
    """A bell, and how often it has rung."""

    def __init__(self) -> None:
        self.count = self.notices = 0
        self.bell = Bell(self._ring, self._notify)

    def _ring(self) -> None:
        self.count += 1

    def _notify(self) -> None:
        self.notices += 1

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


def test_the_desktop_is_told_only_once_that_is_switched_on(rings: Rings, monkeypatch: pytest.MonkeyPatch) -> None:
    rings.call(watched=False)
    assert rings.notices == 0
    rings.bell.is_notifying = True
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + limits.BELL_PAUSE)
    rings.call(watched=False)
    assert rings.notices == 1


def test_many_calls_ring_once_in_a_while(rings: Rings, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.monotonic()
    for second in range(7):
        monkeypatch.setattr(time, "monotonic", lambda at=now + second: at)
        rings.call(watched=False)
    assert rings.count == 3


@pytest.mark.parametrize(
    ("term", "begins"), [("xterm-kitty", "\x1b]99;;"), ("foot", "\x1b]777;notify;"), ("xterm-256color", "\x1b]9;")]
)
def test_a_notification_is_in_the_terminals_own_way_and_names_nobody(
    term: str, begins: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", term)
    sent = notification()
    assert sent.startswith(begins)
    assert "anonp2p: there is something new for you" in sent
