"""Events whose sentences are of a test's choice."""

from typing import Any

from anonp2p.errors import AnonError, Failed
from anonp2p.reasons import Reason


def in_words(text: str) -> Reason:
    """A reason that the user reads as this text."""
    return Reason("tor-words", text)


def read_words(kind: type, text: Any) -> Reason | AnonError:
    """What msgspec is to make of a sentence in an event that is given as JSON."""
    return in_words(text) if kind is Reason else Failed(text)
