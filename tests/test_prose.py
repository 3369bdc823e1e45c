"""Sentences stand where users are spoken to: in `ui`, in errors and on the command line. The rest has types."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parents[1] / "anonp2p"
SPEAKING = {"errors.py", "cli.py", "options.py"}  # and all of ui
# Words of protocols, of systems and of tables that are no sentences of ours.
EXEMPT = {
    "__main__.py": "nothing that has sentences could be loaded",
    "names/confusables.py": "a table of look-alikes",
    "names/words.py": "a table of words",
    "process.py": "how Python and the dynamic loader say what they lack",
    "net/tor/authentication.py": "what Tor says and hears on its control port",
    "net/tor/commands.py": "commands to Tor",
    "doctor/tor_program.py": "how tor says its version",
    "net/tor/control.py": "what Tor says and hears on its control port",
    "net/tor/complaints.py": "what Tor says in its log",
    "net/tor/process.py": "a torrc, and ends of Tor's own messages",
}
WORDS = 3
LABEL = "anonp2p/4 "  # what is hashed and signed begins with it: PROTOCOL.md, 0.3


def sources() -> list[str]:
    paths = (path.relative_to(PROGRAM) for path in PROGRAM.rglob("*.py"))
    return sorted(str(path) for path in paths if path.parts[0] != "ui" and path.name not in SPEAKING)


def unspoken(tree: ast.Module) -> Iterator[ast.AST]:
    """Docstrings, and what assertions say to us when they fail."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr):
            yield node.value
        if isinstance(node, ast.Assert) and node.msg:
            yield node.msg


def prose(text: str) -> list[str]:
    """The texts of three or more words in a source, but for docstrings, assertions and labels of the protocol."""
    tree = ast.parse(text)
    skipped = {id(node) for node in unspoken(tree)}
    found = []
    for node in ast.walk(tree):
        value = node.value if isinstance(node, ast.Constant) and id(node) not in skipped else ""
        words = value.decode("latin-1") if isinstance(value, bytes) else value if isinstance(value, str) else ""
        if len(re.findall(r"[^\W\d_]{2,}", words)) >= WORDS and " " in words.strip() and not words.startswith(LABEL):
            found.append(words)
    return found


@pytest.mark.parametrize("path", sources())
def test_there_is_no_prose_outside_the_frontends_and_the_errors(path: str) -> None:
    assert bool(prose((PROGRAM / path).read_text(encoding="utf-8"))) == (path in EXEMPT)


def test_prose_is_found_in_any_text_but_docstrings_and_assertions() -> None:
    assert prose('def f():\n    """One two three."""\n    assert x, "one two three"') == []
    assert prose('X = b"anonp2p/4 one two three"') == []
    assert prose('raise E(f"{x} one two three", b"four five six")') == ["four five six", " one two three"]
    assert prose('x = ["one-two-three", "one two", "AB 1 2 3"]') == []
