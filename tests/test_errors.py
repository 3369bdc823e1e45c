"""What can go wrong has a sentence for people and a word for scripts, however Python was started."""

import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

from anonp2p import errors
from anonp2p.errors import AnonError, Failed, Unreachable, Unsent
from anonp2p.names.errors import CodeLength, CodeLetters
from anonp2p.ui.reasons import describe_error
from tests.support.words import in_words

# As the interface lists them.
CODES = {
    *("usage", "unknown-command", "bad-input", "no-room", "bad-code", "bad-nick", "nick-taken", "no-such-nick"),
    *("not-allowed", "too-long", "unreachable", "refused", "full", "locked", "tor-missing", "tor-refused", "tor-lost"),
    *("crypto-missing", "failed"),
}


def subclasses(kind: type[AnonError]) -> Iterator[type[AnonError]]:
    for one in kind.__subclasses__():
        yield one
        yield from subclasses(one)


KINDS = [kind for kind in subclasses(AnonError) if kind.__module__.startswith("anonp2p.")]
each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)


@each_kind
def test_an_error_says_its_sentence_with_what_is_given_in_its_place(kind: type[AnonError]) -> None:
    given = [f"<{number} {{detail}}>" for number in range(kind.about.count("{}"))]
    error = (
        Unreachable(in_words(given[0]))
        if kind is Unreachable
        else kind(*(map(Failed, given) if kind is Unsent else given))
    )
    said = describe_error(error)
    assert [said.count(one) for one in given] == [1 if "{detail}" in kind.sentence else 0] * len(given)
    assert said == kind.sentence.replace("{detail}", kind.about.format(*given))
    assert re.fullmatch(r"[A-Z{].*[.}]", kind.sentence)


def test_errors_are_equal_if_they_say_the_same() -> None:
    assert CodeLength(56, 3) == CodeLength(56, 3)
    assert len({CodeLength(56, 3), CodeLength(56, 4), CodeLetters(), CodeLetters()}) == 3


@each_kind
def test_an_error_has_a_code_of_the_interface_and_an_exit_code(kind: type[AnonError]) -> None:
    assert kind.code in CODES
    assert kind.status in (1, 2, 3, 4)


@each_kind
def test_an_error_is_one_of_the_public_class_of_its_code(kind: type[AnonError]) -> None:
    public = {one.code: one for one in reversed(list(subclasses(AnonError))) if one.__module__ == errors.__name__}
    assert (
        issubclass(kind, next(one for one in KINDS if one.__module__ == errors.__name__ and one.code == kind.code))
        or kind is Unsent
    )
    assert public.keys() == CODES


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["--help"], 0, "JSON-lines mode"),
        (["join", "abc"], 2, "anonp2p: That is not a room code: .*\\. Ask for it again and paste it whole\\.\n"),
        (["--nick", "no spaces"], 2, r"anonp2p: A nick is 1 to 20 letters, .*\n"),
    ],
)
def test_sentences_are_there_without_docstrings_and_assertions(arguments: list[str], status: int, said: str) -> None:
    command = [sys.executable, "-OO", "-m", "anonp2p", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL, check=False)
    assert done.returncode == status
    assert re.search(said, done.stdout + done.stderr)
