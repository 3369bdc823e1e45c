"""Words that docs/GLOSSARY.md has replaced do not come back: not in names, and not in what people read."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = ROOT / "anonp2p"
# What was said once, and what is said now.
REPLACED = {
    "leaf": "encryption key",
    "slice": "commit share",
    "standing": "group context",
    "burst": "batch",
    "sitter": "snapshot entry",
    "seat": "roster entry",
    "door": "handshake key",
    "seek": "key request",
    "beat": "heartbeat",
    "pulse": "heartbeat",
    "pace": "token bucket, rate",
    "namesake": "reused nick",
    "front": "frontend",
    "desk": "tabs",
    "doomed": "pending removals",
    "harmless": "sanitized",
    "past": "backfill, history",
    "lest": "so that not",
    "whence": "from where",
    "thence": "from there",
    "hark": "listen",
}
# What is not one of these words, or has to be said as it is.
ALLOWED = {
    "unknown_past": "a key of the JSON interface",
    "_unknown_past": "its sentence",
    "_drop_past_end_mouse_events": "those past the end of the screen",
}
FREE = {"past", "front"}  # plain English in a sentence


def words(text: str) -> set[str]:
    """The words of a text or of a name, in the singular."""
    parts = re.findall(r"[a-z]+", re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", text).lower())
    return {part for word in parts for part in (word, word.removesuffix("s"))}


def names(tree: ast.Module) -> Iterator[str]:
    """All names in a source: of modules, classes, functions, variables and arguments."""
    for node in ast.walk(tree):
        for field in ("name", "id", "attr", "arg", "asname", "module"):
            value = getattr(node, field, None)
            if isinstance(value, str):
                yield value


@pytest.mark.parametrize("path", sorted(str(path.relative_to(PROGRAM)) for path in PROGRAM.rglob("*.py")))
def test_names_of_the_program_use_the_words_of_the_glossary(path: str) -> None:
    tree = ast.parse((PROGRAM / path).read_text(encoding="utf-8"))
    found = {name for name in (*names(tree), path) if words(name) & REPLACED.keys()} - ALLOWED.keys()
    assert found == set()


@pytest.mark.parametrize("path", sorted(str(path.relative_to(PROGRAM)) for path in PROGRAM.rglob("*.py")))
def test_sentences_of_the_program_use_them_too(path: str) -> None:
    if path in ("names/words.py", "names/confusables.py"):
        return  # tables
    text = (PROGRAM / path).read_text(encoding="utf-8")
    assert words(text) & REPLACED.keys() - FREE - words(" ".join(ALLOWED)) == set()


@pytest.mark.parametrize(
    "path",
    [
        "README.md",
        *(f"docs/{name}.md" for name in ("ARCHITECTURE", "CONTRIBUTING", "GLOSSARY", "JSON", "PROTOCOL", "THREATS")),
    ],
)
def test_documents_use_them_too(path: str) -> None:
    text = (ROOT / path).read_text(encoding="utf-8")
    assert words(text) & REPLACED.keys() - FREE == set()
