"""The pieces of code in README.md and docs/, as whoever renders the pages finds them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


@dataclass(frozen=True)
class Block:
    """One that stands on lines of its own. kind: what is said behind its fence. line: of the file, where that is."""

    path: Path
    line: int
    kind: str
    text: str

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT)}:{self.line}"


def read_blocks(kind: str | None = None) -> list[Block]:
    """All, or those of a kind, in their order."""
    return [block for path in DOCUMENTS for block in _find_blocks(path) if kind in (None, block.kind)]


def _find_blocks(path: Path) -> Iterator[Block]:
    for token in MarkdownIt().disable("inline").parse(path.read_text(encoding="utf-8")):
        if token.type in ("fence", "code_block"):
            assert token.map
            yield Block(path, token.map[0] + 1, token.info.strip(), token.content)


def read_spans() -> Iterator[tuple[Path, str]]:
    """The pieces within lines, and the files that they stand in."""
    for path in DOCUMENTS:
        # With tables, which have such pieces too.
        for token in MarkdownIt().enable("table").parse(path.read_text(encoding="utf-8")):
            for child in token.children or ():
                if child.type == "code_inline":
                    yield path, child.content
