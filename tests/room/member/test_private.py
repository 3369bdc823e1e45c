"""Private messages, as a member opens them."""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec import UNSET

from anonp2p import limits
from anonp2p.protocol import field_types, frames
from anonp2p.room import events
from tests.room.peers import ANN, BOB, HOST, FalseHost, Placed, Somebody, kinds, text


def to_us(host: FalseHost, author: Somebody, words: str | bytes, **otherwise: Any) -> frames.PrivateBody:
    """What somebody says next to the guest alone."""
    return host.box(author, host.room.replica.me, host.room.replica.own_keys[0], words, **otherwise)


def assert_shown_alone(host: FalseHost, *entries: Placed) -> None:
    """Nothing is shown of these, and nobody minds."""
    assert host.hears(*entries) == []
    assert kinds(host.hears(host.entry(ANN, text("on")))) == ["MessageEvent"]
    assert not host.room.evidence


def test_a_private_message_is_shown_to_whom_it_is_for(host: FalseHost) -> None:
    """5.15"""
    [message] = host.hears(host.entry(ANN, to_us(host, ANN, "between us")))
    assert isinstance(message, events.MessageEvent)
    assert (message.nick, message.text, message.private, message.to) == ("ann", "between us", True, UNSET)


@pytest.mark.parametrize("author", [ANN, HOST])
def test_a_copied_box_shows_nothing(host: FalseHost, author: Somebody) -> None:
    """5.15: it is bound to its author and counter."""
    box = to_us(host, ANN, "between us")
    host.hears(host.entry(ANN, box))
    assert_shown_alone(host, host.entry(author, box))


def test_a_box_of_an_epoch_shows_nothing_in_the_next(host: FalseHost) -> None:
    """5.15"""
    box = to_us(host, ANN, "between us")
    host.turns()
    assert [key.public for key in host.room.replica.own_keys][1:] == [host.request.encryption_key]
    assert_shown_alone(host, host.entry(ANN, box))


BOXES: dict[str, Callable[[FalseHost], frames.PrivateBody]] = {
    "to another": lambda it: it.box(ANN, BOB, BOB.encryption_key, "not for us"),
    "to us, under another's leaf": lambda it: it.box(ANN, it.room.replica.me, BOB.encryption_key, "not for us"),
    "to another, under our leaf": lambda it: it.box(ANN, BOB, it.room.replica.own_keys[0], "not for us"),
    "of another room": lambda it: to_us(it, ANN, "not for us", room=b"s" * 32),
    "of another counter": lambda it: to_us(it, ANN, "not for us", counter=90),
    "noise": lambda _: frames.PrivateBody(bytes(field_types.BOX + 1)),
    "all that fits of it": lambda _: frames.PrivateBody(b"\xff" * (field_types.BOX + limits.TEXT)),
    "what is not text": lambda it: to_us(it, ANN, b"\xff"),
}


@pytest.mark.parametrize("box", BOXES)
def test_a_box_that_is_not_for_us_shows_nothing_and_costs_no_alarm(host: FalseHost, box: str) -> None:
    """5.15"""
    assert_shown_alone(host, host.entry(ANN, BOXES[box](host)))
