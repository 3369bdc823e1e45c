"""A secret is asked for on the terminal, and what is typed is not to be seen there."""

import os
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_ASK = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
from anonp2p.ui import secret_prompt
answer = secret_prompt.ask("Secret? ")
os.write(3, answer + b".")
"""
SECONDS = 60.0


class Asked:
    """A process that asks on a terminal of its own."""

    def __init__(self, process: subprocess.Popen[bytes], master: int, answers: int) -> None:
        self.process = process
        self._master = master
        self._answers = answers
        self.shown = b""

    def sees(self, what: bytes) -> None:
        """Returns once this is on the terminal."""
        end = time.monotonic() + SECONDS
        while what not in self.shown:
            assert select.select([self._master], [], [], end - time.monotonic())[0], self.shown
            self.shown += os.read(self._master, 1_024)

    def types(self, keys: bytes) -> None:
        os.write(self._master, keys)

    def answer(self) -> bytes:
        """What it has been told, once it ends."""
        self.process.wait(SECONDS)
        return os.read(self._answers, 4_096)

    def echoes(self) -> bool:
        return bool(termios.tcgetattr(self._master)[3] & termios.ECHO)


@contextmanager
def asking() -> Iterator[Asked]:
    master, slave = os.openpty()
    answers, told = os.pipe()
    script = _ASK.replace("os.write(3,", f"os.write({told},")
    try:
        with subprocess.Popen(
            [sys.executable, "-c", script],
            cwd=Path(__file__).parents[2],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            pass_fds=[told],
            start_new_session=True,
        ) as process:
            os.close(told)
            asked = Asked(process, master, answers)
            asked.sees(b"Secret? ")
            try:
                yield asked
            finally:
                process.kill()
    finally:
        for descriptor in (master, slave, answers):
            os.close(descriptor)


@pytest.mark.parametrize(("keys", "answer"), [(b"pass word\n", b"pass word"), (b"\n", b""), (b"\x04", b"")])
def test_what_is_typed_is_taken_and_not_shown(keys: bytes, answer: bytes) -> None:
    with asking() as asked:
        assert not asked.echoes()
        asked.types(keys)
        assert asked.answer() == answer + b"."
        assert asked.echoes()
        assert b"pass" not in asked.shown


def test_ctrl_z_does_not_lead_to_a_shell_that_would_show_it() -> None:
    with asking() as asked:
        asked.types(b"ab\x1acd\n")
        assert asked.answer() == b"ab\x1acd."


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGINT])
def test_a_signal_ends_the_program_and_leaves_the_terminal_as_it_was(number: signal.Signals) -> None:
    with asking() as asked:
        asked.process.send_signal(number)
        assert asked.answer() == b""
        assert asked.process.returncode in (-number, 1)
        assert asked.echoes()
