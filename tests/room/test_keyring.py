"""By which keys the services of a private room are dialled, one after the other (PROTOCOL.md, 5d.2)."""

import pytest

from anonp2p import limits
from anonp2p.reasons import DialFailure, Reason
from anonp2p.room.inputs import DialFailedInput
from anonp2p.room.keyring import Keyring

INVITATION, RETURN, FIRST, SECOND = (name * 32 for name in (b"i", b"r", b"1", b"2"))
HERE, THERE = b"h" * 32, b"t" * 32


class Dialler:
    """Dials by the keys of a ring, under numbers of its own."""

    def __init__(self, *members: bytes) -> None:
        self.ring = Keyring(INVITATION)
        for key in members:
            self.ring.follow(key)
        self._link = 0

    def dials(self, address: bytes = HERE) -> bytes:
        """The key by which it does."""
        self._link -= 1
        return self.ring.choose(address, self._link, RETURN)

    def fails(self, reason: DialFailure = "key-wrong") -> bool:
        """So does the latest dial; whether another is worthwhile."""
        return self.ring.judge(DialFailedInput(self._link, Reason(reason), again=False)).again


def test_who_was_not_in_yet_comes_by_its_invitation_alone() -> None:
    newcomer = Dialler()
    assert newcomer.dials() == INVITATION
    assert not newcomer.fails()
    assert newcomer.dials() == INVITATION


def test_without_an_invitation_and_in_a_room_that_is_not_private_there_is_no_key() -> None:
    ring = Keyring(b"")
    ring.follow(None)
    assert ring.choose(HERE, -1, RETURN) == b""
    assert not ring.judge(DialFailedInput(-1, Reason("key-missing"), again=False)).again


@pytest.mark.parametrize("reason", ["key-wrong", "key-missing"])
def test_who_is_in_tries_all_its_keys_in_turn_where_one_is_wrong(reason: DialFailure) -> None:
    """That of members, its own, and those of members before: for another side of a split."""
    member, tried = Dialler(FIRST, SECOND), []
    for _ in range(4):
        tried.append(member.dials())
        assert member.fails(reason), "the service may be published anew"
    assert tried == [SECOND, RETURN, FIRST, SECOND]


def test_what_fails_for_another_reason_is_tried_by_the_same_key() -> None:
    member = Dialler(FIRST)
    assert member.dials() == FIRST
    assert not member.fails("not-found")
    assert member.dials() == FIRST


def test_where_tor_does_not_say_that_a_key_is_wrong_another_is_tried_now_and_then() -> None:
    """THREATS: without extended errors, that cannot be told from a bad circuit."""
    unclear: DialFailure = "failed-circuit"
    absent: DialFailure = "not-found"
    member, tried = Dialler(FIRST), []
    for reason in (unclear, unclear, unclear, absent, unclear, unclear):
        tried.append(member.dials())
        member.fails(reason)
    assert tried == [FIRST] * 2 + [RETURN] * 4
    assert member.dials() == FIRST


def test_which_key_is_wrong_is_known_of_each_service_and_until_there_is_another() -> None:
    member = Dialler(FIRST)
    member.dials()
    member.fails()
    assert (member.dials(THERE), member.dials()) == (FIRST, RETURN)
    member.ring.follow(FIRST)
    assert member.dials() == RETURN
    member.ring.follow(SECOND)
    assert member.dials() == SECOND


def test_of_the_keys_of_before_so_many_are_kept() -> None:
    keys = [bytes([number]) * 32 for number in range(limits.FORMER_KEYS + 2)]
    member, tried = Dialler(*keys), set()
    for _ in range(2 * len(keys)):
        tried.add(member.dials())
        member.fails()
    assert tried == {RETURN, *keys[1:]}


def test_a_key_that_comes_back_is_not_there_twice() -> None:
    """As where logs part: the one that is followed has it."""
    member, tried = Dialler(FIRST, SECOND, FIRST), []
    for _ in range(3):
        tried.append(member.dials())
        member.fails()
    assert tried == [FIRST, RETURN, SECOND]


def test_of_one_who_is_out_no_key_is_left() -> None:
    member = Dialler(FIRST)
    member.ring.forget()
    assert member.dials() == b""
