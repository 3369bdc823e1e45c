"""What the core knows as a type has its words here, and nowhere else."""

import string
import typing

import pytest

from anonp2p import limits
from anonp2p.errors import TorLost, Unreachable
from anonp2p.net.tor.errors import SocksPortLost
from anonp2p.reasons import NO_REASON, Code, DialFailure, Fault, LinkEnd, Reason
from anonp2p.ui.reasons import PHRASES, describe_error, describe_reason


def codes(hint: object) -> set[str]:
    """The words of a literal type, or of a union of such."""
    parts = typing.get_args(hint)
    return set(parts) if typing.get_origin(hint) is typing.Literal else set().union(*map(codes, parts))


def test_every_code_has_its_words_and_nothing_else_has() -> None:
    assert set(PHRASES) == codes(Code)
    assert len(codes(Code)) >= len(codes(Fault)) + len(codes(LinkEnd)) + len(codes(DialFailure))


@pytest.mark.parametrize("code", sorted(codes(Fault | LinkEnd | DialFailure)))
def test_words_of_a_code_without_a_value_are_a_part_of_a_sentence(code: Code) -> None:
    words = describe_reason(Reason(code))
    assert [field for _, field, _, _ in string.Formatter().parse(words) if field is not None] == []
    assert words.strip(". ") == words != ""


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (NO_REASON, ""),
        (Reason("silent"), f"nothing was heard for {limits.LINK_LOST:.0f} seconds"),
        (Reason("dial-timeout", 25.0), "there was no answer within 25 seconds"),
        (Reason("too-long", 60), "it took longer than 60 seconds"),
        (Reason("tor-lost", SocksPortLost("127.0.0.1:9050")), "nothing answers at its SOCKS port 127.0.0.1:9050"),
        (Reason("tor-lost", TorLost("{x}")), "{x}"),
        (Reason("tor-words", "Loading {relays}"), "Loading {relays}"),
        (Reason("host-fault", "two-logs"), "The host sent two logs, and signed for both."),
        (Reason("link-fault", "forged-head"), "what came from it breaks the protocol (a forged head)"),
        (
            Reason("other-log-shown", "ann"),
            "ann was shown other messages than you: the host tells different members different things.",
        ),
    ],
)
def test_the_words_of_a_reason_hold_its_value(reason: Reason, words: str) -> None:
    assert describe_reason(reason) == words


def test_an_unreachable_room_is_told_with_the_reason_and_its_value() -> None:
    error = Unreachable(Reason("dial-timeout", 15))
    assert describe_error(error) == "The room could not be reached: there was no answer within 15 seconds."


def test_no_repr_shows_the_value_of_a_reason() -> None:
    assert "ann" not in repr((Reason("other-log-shown", "ann"), Unreachable(Reason("other-log-shown", "ann"))))
