"""The password of a control port: from a file, from standard input, or asked for on the terminal; never an argument."""

import os
import sys
from collections.abc import Mapping
from dataclasses import replace

from anonp2p import limits
from anonp2p.config import Config
from anonp2p.errors import BadPasswordFile, NoPasswordInFile
from anonp2p.ui import secret_prompt

_FILE = "ANONP2P_CONTROL_PASSWORD_FILE"
_STDIN = 0


def find_password(config: Config, environment: Mapping[str, str]) -> Config:
    """The configuration with the password that was given, or, where a control port that was named wants one, asked for.

    Raises Usage where a file that was named gives none.
    """
    if name := find_file(environment):
        return replace(config, password=read_password(name))
    if config.control is None or environment.get("TOR_CONTROL_PASSWD") or not has_terminal():
        return config
    import trio

    from anonp2p.net.tor import control

    if not trio.run(control.wants_password, config.control):
        return config
    return replace(config, password=secret_prompt.ask_password(str(config.control)))


def has_terminal() -> bool:
    """Whether somebody is there to be asked."""
    try:
        return os.isatty(_STDIN) and sys.stdout is not None and os.isatty(sys.stdout.fileno())
    except (OSError, ValueError):
        return False


def find_file(environment: Mapping[str, str]) -> str:
    """The file that has the password; empty where none is named."""
    return environment.get(_FILE, "")


def read_password(name: str) -> bytes:
    """The first line of a file, or of standard input (`-`), of which nothing more is read. Raises Usage."""
    try:
        source = _STDIN if name == "-" else os.open(name, os.O_RDONLY | os.O_CLOEXEC)
        try:
            password = _read_line(source)
        finally:
            if source != _STDIN:
                os.close(source)
    except (OSError, ValueError) as error:
        raise BadPasswordFile(repr(name), error.strerror if isinstance(error, OSError) else error) from None
    if not password:
        raise NoPasswordInFile(repr(name))
    return password


def _read_line(source: int) -> bytes:
    line = b""
    while len(line) < limits.PASSWORD and (byte := os.read(source, 1)) not in (b"", b"\n"):
        line += byte
    return line.rstrip(b"\r")
