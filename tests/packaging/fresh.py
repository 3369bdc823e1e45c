"""Behind scripts/fresh: the program as somebody gets it who has never had it."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.packaging import dockerfile, hook, roots

ROOT = Path(__file__).parents[2]
RELEASES = ("bookworm", "trixie", "sid")
PACKAGES = ("ca-certificates", "man-db", "pipx", "python3-pip", "python3-venv", "tor")
ADA = "1000:1000"
HOME = "/home/ada"
# Where the wheel and the sdist are in the root.
OFFERED = "/srv/offered"
_SECONDS = 900.0  # for one way to install it
_USUAL = 2  # arguments, with the program's name
_TALK = 180.0  # until what is said in a room has arrived
# Ways to install FILE; each leads to a program.
WAYS = {
    "pip in a venv": ("python3 -m venv ~/venv-KIND && ~/venv-KIND/bin/pip -q install FILE", "~/venv-KIND/bin/anonp2p"),
    "pipx": ("pipx uninstall anonp2p >/dev/null 2>&1; pipx install FILE", "~/.local/bin/anonp2p"),
    "uv": (
        "UV_TOOL_BIN_DIR=~/uv-KIND UV_TOOL_DIR=~/uv-tools-KIND ~/uv/bin/uv -q tool install FILE",
        "~/uv-KIND/anonp2p",
    ),
}


class Report:
    """What was tried, and whether all of it went well."""

    def __init__(self) -> None:
        self.failed = 0

    @contextmanager
    def trial(self, name: str) -> Iterator[None]:
        """What fails in it is told, and the rest goes on."""
        began = time.monotonic()
        try:
            yield
        except (AssertionError, OSError, subprocess.SubprocessError, ValueError) as error:
            self.failed += 1
            said = getattr(error, "stderr", None) or ""
            print(f"FAILED  {name}: {error}\n{said}".rstrip(), flush=True)
        else:
            print(f"ok      {name} ({time.monotonic() - began:.0f} s)", flush=True)


def build(place: Path) -> list[Path]:
    """The sdist and the wheel of what is tracked here, as it is now."""
    sources = place / "sources"
    for name in hook.list_sources(ROOT):
        (sources / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, sources / name)
    say([sys.executable, "-m", "hatchling", "build"], cwd=sources)
    return sorted((sources / "dist").iterdir())


def say(command: list[str], cwd: Path = ROOT) -> str:
    """What it prints. Raises SubprocessError."""
    done = subprocess.run(
        command, check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=_SECONDS, cwd=cwd
    )
    return done.stdout


@contextmanager
def private_network(place: Path) -> Iterator[str]:
    """A private Tor network: the one that was named, or a new one. Yields what a Tor needs to use it."""
    if len(sys.argv) > _USUAL:
        yield Path(sys.argv[_USUAL]).read_text()
        return
    folder = place / "network"
    say([str(ROOT / "scripts/tornet"), "up", "--dir", str(folder), "--owner", str(os.getpid())])
    try:
        yield (folder / "client.torrc").read_text()
    finally:
        say([str(ROOT / "scripts/tornet"), "down", str(folder)])


def talk(host: list[str], member: list[str]) -> None:
    """A room is created, somebody joins it with its code, and what is said there arrives. Raises AssertionError."""
    events: list[str] = []
    with subprocess.Popen(host, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as hosting:
        assert hosting.stdin
        assert hosting.stdout
        try:
            for row in hosting.stdout:
                events.append(row)
                if '"type":"reachable"' in row:
                    break
            [code] = re.findall(r'"code":"([a-z2-7]{56}\.onion)"', "".join(events))[:1] or [""]
            assert code, "".join(events)
            given = f"{code}\nhello from a fresh root\n"
            subprocess.run(member, input=given, capture_output=True, text=True, timeout=_TALK, check=True)
            hosting.stdin.close()
            assert "hello from a fresh root" in hosting.stdout.read()
            assert hosting.wait(_TALK) == 0
        finally:
            hosting.kill()


def try_release(release: str, place: Path, report: Report) -> None:
    """All ways to install it on this release."""
    offered = build(place)
    with report.trial(f"a fresh {release}"):
        root = roots.Root.make(place / "root", release, PACKAGES)
        (root.path / "srv/offered").mkdir(parents=True)
        for path in offered:
            shutil.copy(path, root.path / "srv/offered")
        say(root.enter("useradd", "--create-home", "--uid", "1000", "ada"))
    if report.failed:
        return

    def as_ada(shell: str) -> list[str]:
        return root.enter("sh", "-c", f"cd; {shell}", user=ADA, HOME=HOME)

    with report.trial("uv, which Debian does not have"):
        say(as_ada("python3 -m venv ~/uv && ~/uv/bin/pip -q install uv"))
    programs = []
    for path in offered:
        kind = "wheel" if path.suffix == ".whl" else "sdist"
        for name, (install, leads_to) in WAYS.items():
            program = leads_to.replace("KIND", kind)
            with report.trial(f"{kind} by {name}"):
                say(as_ada(install.replace("KIND", kind).replace("FILE", f"{OFFERED}/{path.name}")))
                assert say(as_ada(f"{program} --version")).startswith("anonp2p ")
                assert say(as_ada(f"{program} --help")).startswith("usage: anonp2p ")
                programs.append(program)
    with report.trial("pip install --user is refused, as PEP 668 has it"):
        refused = subprocess.run(
            as_ada(f"pip install --user {OFFERED}/{offered[0].name}"), capture_output=True, text=True, check=False
        )
        assert refused.returncode != 0
        assert "externally-managed-environment" in refused.stderr, refused.stderr
    with report.trial("the man page is shown, and completions are there"):
        assert "ANONP2P_NICK" in say(as_ada("man ~/venv-wheel/share/man/man1/anonp2p.1"))
        say(as_ada("ls ~/venv-wheel/share/bash-completion/completions/anonp2p"))
    if release != "bookworm":  # its pipx is older than that
        with report.trial("pipx puts the man page where man looks"):
            assert "ANONP2P_NICK" in say(as_ada("PATH=$HOME/.local/bin:$PATH man anonp2p"))
    with (
        report.trial("a room over a private Tor network, host and member from two of these"),
        private_network(place) as it,
    ):
        (root.path / "srv/torrc").write_text(it)
        start = "--json --torrc /srv/torrc --amnesic"
        talk(as_ada(f"exec {programs[-1]} {start} create fresh"), as_ada(f"exec {programs[0]} {start} join -"))


def try_image(place: Path, report: Report) -> None:
    """The Dockerfile, and its program as `docker run` of its first lines has it."""
    image = dockerfile.Image(ROOT, place)
    for instruction, rest in dockerfile.read_steps((ROOT / "scripts/packaging/Dockerfile").read_text()):
        with report.trial(f"{instruction} {rest}"[:100]):
            image.take_step(instruction, rest)
        if report.failed:
            return

    def run(*arguments: str) -> list[str]:
        return image.enter(*image.command, *arguments, writable=False)

    with report.trial("it runs as a user, in a root that is read-only but for /tmp"):
        assert say(run("--version")).startswith("anonp2p ")
        shown = say(image.enter("sh", "-c", "id -u; touch /opt/x /x 2>&1 || touch /tmp/x && echo tmp", writable=False))
        assert shown.startswith("10001\n"), shown
        assert shown.count("Read-only file system") == 2, shown
        assert shown.endswith("tmp\n"), shown
    with report.trial("a room over a private Tor network, host and member in it"), private_network(place) as torrc:
        (image.root.path / "srv/torrc").write_text(torrc)
        start = ("--json", "--torrc", "/srv/torrc")
        talk(run(*start, "create", "fresh"), run(*start, "join", "-"))


def main() -> int:
    if not _USUAL <= len(sys.argv) <= _USUAL + 1 or sys.argv[1] not in (*RELEASES, "image"):
        print(f"usage: scripts/fresh {'|'.join(RELEASES)}|image [CLIENT.TORRC]", file=sys.stderr)
        return 2
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.getsignal(signal.SIGINT))  # whatever ends us, what was made is removed
    report = Report()
    try:
        with roots.workplace() as place:
            if sys.argv[1] == "image":
                try_image(place, report)
            else:
                try_release(sys.argv[1], place, report)
    except KeyboardInterrupt:
        print("fresh: interrupted, and what was made is removed", file=sys.stderr)
        return 130
    print(f"{sys.argv[1]}: {f'{report.failed} FAILED' if report.failed else 'all well'}")
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
