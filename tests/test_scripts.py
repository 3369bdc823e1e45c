"""Shell scripts of this repository, in an environment that leads them astray."""

import os
import subprocess
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
