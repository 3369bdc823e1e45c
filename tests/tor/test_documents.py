"""What README.md and docs/ have people type at a console, over the private Tor network."""

import os
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.consoles import Story
from tests.support.documents import read_blocks
from tests.support.systemctl import UserServices
from tests.support.tors import running_tor
from tests.support.unit import UNIT

pytestmark = pytest.mark.tor

INSTALLED = ".local/share/pipx/venvs/anonp2p/share/systemd/user"  # where pipx puts the unit
# Enough of jq for the documents, for machines without it.
JQ = f"""#!{sys.executable}
import json, sys
option, wanted = sys.argv[1:3]
for line in open(sys.argv[3]) if sys.argv[3:] else sys.stdin:
    event = json.loads(line)
    if wanted == ".data":
        assert option == "-c"
        print(json.dumps(event["data"], separators=(",", ":"), ensure_ascii=False))
    else:
        assert (option, wanted) == ("-r", 'select(.type == "message").text')
        if event["type"] == "message":
            print(event["text"], flush=True)
"""


def install(home: Path) -> Path:
    """The program as pipx installs it for a user; the directory of programs."""
    (programs := home / ".local/bin").mkdir(parents=True)
    (programs / "anonp2p").symlink_to(Path(sys.executable).with_name("anonp2p"))
    (home / INSTALLED).mkdir(parents=True)
    (home / INSTALLED / UNIT.name).symlink_to(UNIT)
    if not shutil.which("jq"):
        (programs / "jq").write_text(JQ, encoding="utf-8")
        (programs / "jq").chmod(0o700)
    return programs


@pytest.fixture
def environment(torrc: str) -> Iterator[dict[str, str]]:
    """One in which the program finds a Tor that runs."""
    with running_tor(torrc) as tor:
        tor.await_boot()
        yield {**os.environ, "TOR_CONTROL_IPC_PATH": tor.control.removeprefix("unix:")}


def test_what_is_shown_at_consoles_comes_when_it_is_typed(short_path: Path, environment: dict[str, str]) -> None:
    programs = install(short_path)
    (runtime := short_path / "run").mkdir(0o700)
    environment |= {"PATH": f"{programs}:{environment['PATH']}", "XDG_RUNTIME_DIR": str(runtime)}
    with (
        UserServices(programs / "systemctl", short_path, runtime, environment) as user,
        Story(short_path, environment) as story,
    ):
        for block in read_blocks("console"):
            story.play(block.text)
        story.end()
        for service in user.services.values():
            assert service.stop() == (128 + signal.SIGTERM, "")
            assert not service.has_failed
