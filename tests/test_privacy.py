"""Names that begin with an underscore are for their own module; the linter's SLF has the rest of this rule."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def private_imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import | ast.ImportFrom):
            module = f"{node.module}." if isinstance(node, ast.ImportFrom) else ""
            for imported in node.names:
                parts = f"{module}{imported.name}".split(".")
                if any(part.startswith("_") and not part.endswith("__") for part in parts[1:]):
                    yield f"{path.relative_to(ROOT)}: {'.'.join(parts)}"


def test_no_module_imports_a_private_name_of_another() -> None:
    paths = [path for place in ("anonp2p", "tests") for path in (ROOT / place).rglob("*.py")]
    assert [found for path in paths for found in private_imports(path)] == []
