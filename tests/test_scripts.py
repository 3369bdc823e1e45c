"""The programs in scripts: in an environment that leads them astray, and what they are made of."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_a_search_path_for_directories_does_not_lead_scripts_elsewhere(tmp_path: Path) -> None:
    """With CDPATH, bash looks for `scripts/..` in these directories first, and prints where it went."""
    (tmp_path / "scripts").mkdir()
    environment = {**os.environ, "CDPATH": str(tmp_path)}
    done = subprocess.run(["scripts/setup", "run"], cwd=ROOT, env=environment, capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert list(tmp_path.iterdir()) == [tmp_path / "scripts"]


def test_every_script_that_goes_somewhere_forgets_that_search_path_first() -> None:
    for path in (ROOT / "scripts").iterdir():
        text = path.read_text() if path.is_file() else ""
        if text.startswith("#!/usr/bin/env bash") and "cd " in text:
            assert "unset CDPATH" in text.partition("cd ")[0], path.name


def test_there_is_nothing_to_import() -> None:
    assert not list((ROOT / "scripts").rglob("*.py"))


def test_all_tests_over_tor_are_where_the_script_that_runs_all_tests_looks_for_them() -> None:
    """Elsewhere, it would leave out a test with this mark, and say nothing."""
    marked = [path for path in (ROOT / "tests").rglob("*.py") if re.search(r"mark\.tor\b", path.read_text("utf-8"))]
    assert {path.parent for path in marked} == {ROOT / "tests/tor"}
    assert "=(tests/tor)" in (ROOT / "scripts/test").read_text("utf-8")


def test_the_demo_needs_no_package_of_the_developers() -> None:
    """It runs in a .venv that `scripts/setup run` made."""
    program = "import sys; known = {*sys.modules}; import tests.support.demo"
    program += "; print(*sorted({name.partition('.')[0] for name in sys.modules.keys() - known}))"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True, text=True)
    assert set(done.stdout.split()) - sys.stdlib_module_names == {"tests"}
