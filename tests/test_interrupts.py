"""An interrupt is the program's that uses the library, wherever Python was when it came: none ends a task of ours."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[1] / "anonp2p"
ALONE = ("app.py", "doctor", "ui")  # they are the whole program, which takes the signal itself


def test_whatever_runs_as_a_task_of_the_library_is_protected() -> None:
    """By a decorator, as tasks do not inherit it."""
    modules = [path for path in ROOT.rglob("*.py") if path.relative_to(ROOT).parts[0] not in ALONE]
    nodes = [node for path in modules for node in ast.walk(ast.parse(path.read_text("utf-8")))]
    started = {
        ast.unparse(node.args[0]).rpartition(".")[2]
        for node in nodes
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "start_soon"
    }
    protected = {
        node.name
        for node in nodes
        if isinstance(node, ast.AsyncFunctionDef)
        and "trio.lowlevel.enable_ki_protection" in map(ast.unparse, node.decorator_list)
    }
    assert started
    assert started == protected
