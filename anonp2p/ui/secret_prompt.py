"""Asks for a secret on the terminal, before anything else is shown there; what is typed is not."""

import os
import signal
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from anonp2p import limits

_TERMINAL = "/dev/tty"
_LOCAL_MODES, _CONTROL_CHARACTERS = 3, 6  # in what tcgetattr gives
_ENDING = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


def ask_password(port: str) -> bytes:
    """The password of this control port, as with `ask`."""
    return ask(f"Password of the control port {port}: ")


def ask(question: str) -> bytes:
    """What is typed in answer; empty where that is nothing, or the terminal is gone.

    A signal that ends the program does so once the terminal is as it was.
    """
    try:
        terminal = os.open(_TERMINAL, os.O_RDWR | os.O_CLOEXEC | os.O_NOCTTY)
    except OSError:
        return b""
    try:
        with _ending_later(), _without_echo(terminal):
            os.write(terminal, question.encode("utf-8", "replace"))
            answer = os.read(terminal, limits.PASSWORD)
            os.write(terminal, b"\n")
    except (OSError, termios.error):
        return b""
    finally:
        os.close(terminal)
    return answer.rstrip(b"\r\n")


@contextmanager
def _without_echo(terminal: int) -> Iterator[None]:
    """Ctrl-Z is a character meanwhile: after it the shell would show what is typed."""
    usual = termios.tcgetattr(terminal)
    quiet = termios.tcgetattr(terminal)
    quiet[_LOCAL_MODES] &= ~termios.ECHO
    quiet[_CONTROL_CHARACTERS][termios.VSUSP] = bytes([os.fpathconf(terminal, "PC_VDISABLE")])
    termios.tcsetattr(terminal, termios.TCSAFLUSH, quiet)
    try:
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, usual)


@contextmanager
def _ending_later() -> Iterator[None]:
    """Signals that would end the program at once end it after this context."""
    came: list[int] = []

    def note(number: int, _: FrameType | None) -> None:
        came.append(number)
        raise InterruptedError

    usual = {number: signal.getsignal(number) for number in _ENDING}
    for number, handler in usual.items():
        if handler == signal.SIG_DFL:
            signal.signal(number, note)
    try:
        yield
    finally:
        for number, handler in usual.items():
            signal.signal(number, handler)
        for ending in came:
            signal.raise_signal(ending)
