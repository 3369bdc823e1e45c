"""Other programs that scripts/bench measures beside ours: where they are, and how they get there."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.bench.children import BenchFailed

ONIONSHARE: Final = "OnionShare"
NGIRCD: Final = "ngircd"
PEERS: Final = (ONIONSHARE, NGIRCD)

_ONIONSHARE_VERSION: Final = "2.7"
_PLACES: Final = {ONIONSHARE: "onionshare-cli", NGIRCD: "ngircd"}  # what is looked for


def _home() -> Path:
    """Where peers from PyPI are: an environment of their own, which is not the project's."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "anonp2p-bench" / "onionshare"


def find_peer(name: str) -> str | None:
    """The path of its program."""
    places = os.environ.get("PATH", "") + f"{os.pathsep}/usr/sbin{os.pathsep}{_home() / 'bin'}"
    return shutil.which(_PLACES[name], path=places)


def find_versions() -> dict[str, str]:
    """Of each peer; empty where it is missing."""
    return {name: _version(name) for name in PEERS}


def _version(name: str) -> str:
    program = find_peer(name)
    if program is None:
        return ""
    if name == NGIRCD:
        done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
        return done.stdout.split("\n", 1)[0].removeprefix("ngIRCd ").partition("-")[0]
    asked = "import importlib.metadata; print(importlib.metadata.version('onionshare-cli'))"
    python = Path(program).resolve().parent / "python"
    found = subprocess.run([python, "-c", asked], capture_output=True, text=True, check=False)
    return found.stdout.strip() or "unknown"


def install_peers() -> None:
    """Those that are missing: from PyPI, and from the system's packages. Raises BenchFailed."""
    if find_peer(ONIONSHARE) is None:
        home = _home()
        home.parent.mkdir(parents=True, exist_ok=True)
        _run(sys.executable, "-m", "venv", "--clear", str(home))
        _run(str(home / "bin/python"), "-m", "pip", "install", "--quiet", f"onionshare-cli=={_ONIONSHARE_VERSION}")
    if find_peer(NGIRCD) is None:
        as_root = [] if os.geteuid() == 0 else ["sudo"]
        _run(*as_root, "apt-get", "-qq", "install", "--yes", "--no-install-recommends", "ngircd")


def _run(*command: str) -> None:
    try:
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=sys.stderr)
    except (OSError, subprocess.CalledProcessError) as error:
        raise BenchFailed(f"a peer cannot be installed: {error}") from None
