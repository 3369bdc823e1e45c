"""Names of the program: one word has one meaning, so no two public classes share a name."""

import ast
from collections import defaultdict
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent / "anonp2p"
FOR_OTHERS = {"library.py"}  # has the words of those who write bots


def public_classes() -> dict[str, list[str]]:
    """The files in which a public class of each name is defined."""
    found = defaultdict(list)
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found[node.name].append(str(path.relative_to(PACKAGE)))
    return found


def test_no_two_public_classes_have_the_same_name() -> None:
    ours = {name: set(files) - FOR_OTHERS for name, files in public_classes().items()}
    assert {name: files for name, files in ours.items() if len(files) > 1} == {}


def test_the_classes_of_a_union_have_its_name_at_their_end() -> None:
    suffixes = {
        "room/events.py": "Event",
        "room/hosting_events.py": "Event",
        "room/moderation_events.py": "Event",
        "room/inputs.py": "Input",
        "room/moderation_inputs.py": "Input",
        "room/effects.py": "Effect",
        "room/changes.py": "Change",
        "ui/actions.py": "Action",
    }
    others = {"Person", "Now", "Caution", "Command", "Successor", "Knocker"}  # parts of them, and what makes them
    named = {
        name
        for name, files in public_classes().items()
        for file in files
        if file in suffixes and name not in others and not name.endswith(suffixes[file])
    }
    assert named == set()
