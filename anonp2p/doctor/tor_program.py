"""The program `tor` of this machine: where it is, its version, and what it was built with."""

import re
import subprocess

import trio

from anonp2p.config import Config
from anonp2p.errors import AnonError
from anonp2p.findings import Finding, find
from anonp2p.net.tor import place, process
from anonp2p.net.tor.errors import NotStartable

_VERSION = re.compile(r"^Tor version ([0-9A-Za-z.+-]*[0-9A-Za-z])", re.MULTILINE)
_MODULE = re.compile(r"^([a-z]+): (yes|no)$", re.MULTILINE)
_PROOF_OF_WORK = "pow"  # as tor(1) calls the module


async def check_tor_program(config: Config) -> list[Finding]:
    """Raises nothing: without it, a running Tor will do, unless our own is asked for."""
    if place.has_no_own_tor():
        return [find("own-tor-useless" if config.tor == "own" else "system-has-tor")]
    try:
        path = process.find()
        version = read_version(path, await _ask(path, "--version"))
        modules = read_modules(await _ask(path, "--list-modules"))
    except AnonError as error:
        return [find("failed" if config.tor == "own" else "tor-unusable", error)]
    has_proof = modules.get(_PROOF_OF_WORK, False)
    return [find("tor-program", path, version), find("proof-of-work" if has_proof else "no-proof-of-work")]


async def _ask(path: str, question: str) -> str:
    """What it prints when it is started with this argument alone. Raises TorRefused."""
    try:
        done = await trio.run_process(
            [path, question], capture_stdout=True, stderr=subprocess.STDOUT, check=False, env={"LC_ALL": "C"}
        )
    except OSError as error:
        raise NotStartable(path, error.strerror) from None
    return done.stdout.decode(errors="replace")


def read_version(path: str, said: str) -> str:
    """From what `tor --version` says. Raises TorRefused where that is something else, with its last words."""
    match = _VERSION.search(said)
    if match is None:
        raise NotStartable(path, (said.strip().splitlines() or ["?"])[-1])
    return match[1]


def read_modules(said: str) -> dict[str, bool]:
    """From what `tor --list-modules` says: which it has. Versions before 0.4.3 do not know the question."""
    return {name: answer == "yes" for name, answer in _MODULE.findall(said)}
