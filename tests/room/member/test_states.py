"""The states of a member's link: what may follow what, and what a host may send when. Not how the role acts on it."""

import pytest

from anonp2p.errors import PeerFault
from anonp2p.protocol import frames
from anonp2p.room.member.states import Asking, CatchingUp, LinkState, NoLink, Rekeying, Up
from tests.room.peers import CREDENTIALS


def resumed(target: int) -> LinkState:
    """Of a member that came back to a log with so many entries."""
    state = LinkState()
    state.enter(Asking(bytes(32)))
    state.enter(CatchingUp(target))
    return state


def test_a_member_is_let_in_by_the_answer_and_not_by_its_request() -> None:
    state = LinkState()
    assert not state.is_let_in
    state.enter(Asking(bytes(32)))
    assert not state.is_let_in
    state.enter(CatchingUp(3))
    assert state.is_let_in
    state.lose_link()
    assert not state.is_let_in
    assert state.current == NoLink()


def test_a_member_has_caught_up_once_it_has_the_last_entry_of_then() -> None:
    state = resumed(3)
    assert not state.note_index(2)
    assert not state.has_caught_up
    assert state.note_index(3)
    assert state.is_up
    assert not state.note_index(4)


def test_between_a_commit_and_its_share_no_batch_is_taken_and_nothing_is_sent() -> None:
    state = resumed(0)
    state.note_index(0)
    state.begin_rekeying(renews=True)
    assert state.current == Rekeying(Up(), renews=True)
    assert state.is_let_in
    assert state.has_caught_up
    assert not state.is_up
    assert not state.takes_batches


def test_one_who_catches_up_with_a_commit_as_the_last_entry_is_up_after_its_share() -> None:
    state = resumed(3)
    state.begin_rekeying(renews=False)
    assert not state.has_caught_up
    assert state.note_index(3)
    assert state.current == Rekeying(Up(), renews=False)
    assert not state.note_index(3)


def test_a_commit_before_the_last_entry_leaves_the_rest_to_catch_up_with() -> None:
    state = resumed(3)
    state.begin_rekeying(renews=False)
    assert not state.note_index(2)
    assert state.current == Rekeying(CatchingUp(3), renews=False)


_OF_THE_HANDSHAKE: list[frames.Frame] = [
    frames.RefusedFrame("full", CREDENTIALS, bytes(64)),
    frames.ResumedFrame(bytes(112), bytes(64)),
]
_OF_THE_ROOM: list[frames.Frame] = [
    frames.BackfillFrame([], [], bytes(112), bytes(112)),
    frames.DeniedFrame(1, "nick-taken"),
    frames.KeyResponseFrame(bytes(32)),
    frames.KeyNotFoundFrame(bytes(32)),
]


@pytest.mark.parametrize("frame", _OF_THE_ROOM, ids=lambda frame: type(frame).__name__)
def test_a_host_sends_nothing_of_the_room_before_it_has_answered(frame: frames.Frame) -> None:
    state = LinkState()
    state.enter(Asking(bytes(32)))
    with pytest.raises(PeerFault):
        state.expect_frame(frame)
    resumed(0).expect_frame(frame)


@pytest.mark.parametrize("frame", _OF_THE_HANDSHAKE, ids=lambda frame: type(frame).__name__)
def test_a_host_answers_once(frame: frames.Frame) -> None:
    state = LinkState()
    state.enter(Asking(bytes(32)))
    state.expect_frame(frame)
    with pytest.raises(PeerFault):
        resumed(0).expect_frame(frame)


def test_a_host_sends_a_commit_share_only_after_a_commit() -> None:
    share = frames.CommitShareFrame(bytes(32))
    state = resumed(0)
    with pytest.raises(PeerFault, match="unexpected-share"):
        state.expect_frame(share)
    state.begin_rekeying(renews=True)
    state.expect_frame(share)
