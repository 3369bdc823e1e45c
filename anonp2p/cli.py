"""The command line: arguments -> configuration; the outcome -> exit code, and one sentence if it failed.

What `--help` and wrong usage do not need is imported only once it is needed.
"""

import argparse
import gc
import io
import os
import shutil
import signal
import sys
import traceback
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, NoReturn

from anonp2p import __version__, limits, options, packages, process
from anonp2p.config import Config, choose_tor
from anonp2p.errors import AnonError, CryptoMissing, Failed, OutputFailed, PackageMissing, Usage
from anonp2p.ui import stdio
from anonp2p.ui.reasons import describe_error

if TYPE_CHECKING:
    from anonp2p.ui.frontend import Frontend

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
_STDOUT, _STDERR = 1, 2
_OFF = ("", "0", "no", "false", "off")


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise Usage(f"{message[:1].upper()}{message[1:]}. See anonp2p --help.")

    def format_help(self) -> str:
        return options.write_help(shutil.get_terminal_size().columns)

    def _print_message(self, message: str, _: object = None) -> None:
        """Prints --help and --version. Not through sys.stdout, which writes when it is too late to report an error."""
        try:
            stdio.write(_STDOUT, message.encode("utf-8", "replace"))
        except OSError as error:
            if error.errno not in stdio.CLOSED:
                raise OutputFailed(str(error.strerror)) from None


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="anonp2p", allow_abbrev=False, add_help=False)
    parser.add_argument("action", nargs="?", default="")
    parser.add_argument("subject", nargs="?", default="")
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--line", dest="mode", action="store_const", const="line")
    mode.add_argument("--json", dest="mode", action="store_const", const="json")
    parser.add_argument("-h", "--help", action="help")
    parser.add_argument("--version", action="version", version=f"anonp2p {__version__}")
    for option in options.OPTIONS:
        if option.value:
            kind = "append" if option.repeats else "store"
            parser.add_argument(option.flag, metavar=option.value, choices=option.choices or None, action=kind)
        elif option.has_twin or option.of_room:
            parser.add_argument(option.flag, action="store_const", const="1")
    return parser


def configure(arguments: Sequence[str], environment: Mapping[str, str], *, terminal: bool = False) -> Config:
    """The configuration that these arguments ask for, with ANONP2P_… as defaults.

    terminal: whether stdin and stdout are one that can show the full screen: the mode then, unless another one is
    given.

    Raises Usage, BadNick, BadCode, BadInput, PackageMissing, CryptoMissing; OSError where there is too little memory to
    go on.
    """
    given = _parser().parse_args(arguments)
    process.require_memory()

    def option(name: str) -> str:
        value = getattr(given, name)
        return environment.get(f"ANONP2P_{name.upper()}", "") if value is None else value

    tor = choose_tor(
        wanted=option("tor"),
        control=option("control"),
        socks=option("socks"),
        listen=option("listen"),
        torrc=option("torrc"),
        bridges=given.bridge or [environment.get("ANONP2P_BRIDGE", "")],
    )
    action = next((action for action in options.ACTIONS if action.name == given.action), None)
    if given.action and action is None:
        known = ", ".join(action.usage for action in options.ACTIONS)
        raise Usage(f"What can be asked for is: {known}. See anonp2p --help.")
    if action and action.value and not given.subject:
        raise Usage(f"What to {action.name}? Type {action.usage}.")
    if action and given.subject and not action.value:
        raise Usage(f"Nothing stands behind {action.name}. See anonp2p --help.")
    if given.stay and given.action != "create":
        raise Usage("--stay is for a room of your own: it goes with create NAME.")
    rules = list(_rules_of_room(given))
    if rules and given.action != "create":
        raise Usage(f"{rules[0]} is for a room of your own: it goes with create NAME.")
    nick = option("nick")
    if (nick or given.action) and given.action != "doctor":  # which says itself what is missing
        packages.require("msgspec")
        packages.require_crypto()
        from anonp2p.names import codes, nicks

        nick = nicks.parse_nick(nick) if nick else ""
        if given.action == "create":
            nicks.parse_room_name(given.subject)
            if rules:
                from anonp2p.ui import commands

                commands.from_arguments("create", " ".join((given.subject, *rules)))
        elif given.action == "join" and given.subject != "-":
            codes.parse_code(given.subject)
    return replace(
        tor,
        mode=given.mode or ("screen" if terminal else "line"),
        nick=nick,
        amnesic=option("amnesic").lower() not in _OFF,
        no_heir=option("no_heir").lower() not in _OFF,
        no_entrust=option("no_entrust").lower() not in _OFF,
        cover=option("cover").lower() not in _OFF,
        stay=given.action == "create" and option("stay").lower() not in _OFF,
        action=given.action,
        subject=" ".join((given.subject, *rules)),
    )


def _rules_of_room(given: argparse.Namespace) -> Iterator[str]:
    """What is said of the room that is to be created, as it stands behind /create."""
    for option in options.OPTIONS:
        value = getattr(given, option.key) if option.of_room else None
        if value is not None:
            yield f"{option.flag} {value}" if option.value else option.flag


def main() -> int:
    """Runs the program; returns its exit code."""
    failure: AnonError | None
    try:
        config = configure(sys.argv[1:], os.environ, terminal=_has_terminal())
        status, failure = examine(config) if config.action == "doctor" else run(config)
    except AnonError as error:
        status, failure = error.status, error
    except KeyboardInterrupt:
        return 130
    except (Exception, BaseExceptionGroup) as bug:  # noqa: BLE001  # whatever it is, a traceback never reaches a user
        if isinstance(bug, BaseExceptionGroup) and bug.subgroup(KeyboardInterrupt):
            return 130
        failure = _explain(bug)
        status = failure.status
    if isinstance(failure, PackageMissing | CryptoMissing) and "--json" in sys.argv:
        _tell(failure)
    if failure is not None:
        complain(describe_error(failure))
    return status


def _has_terminal() -> bool:
    """Whether there is one to fill."""
    try:
        return os.isatty(0) and os.isatty(1) and os.environ.get("TERM", "") not in ("", "dumb")
    except OSError:
        return False


def run(config: Config) -> tuple[int, AnonError | None]:
    """Runs the program to its end. Returns the exit status, and what went wrong."""
    from anonp2p import hardening

    hardening.harden()

    import logging

    packages.require("trio")
    import trio

    logging.disable()  # trio's and stem's warnings, which Python would print with a traceback

    config = _with_password(config)

    async def run() -> tuple[int, AnonError | None]:
        with _ending_signals() as signals, _frontend(config) as frontend:
            from anonp2p.app import App

            calm_collector()
            app = App(config, frontend, signals)
            return await app.run(), app.failure

    return trio.run(run)


def examine(config: Config) -> tuple[int, AnonError | None]:
    """Looks at this machine and its Tor. Returns the exit status, and what is wrong."""
    from anonp2p import hardening

    hardening.harden()

    import logging

    from anonp2p.doctor import run as doctor

    calm_collector()
    logging.disable()
    with suppress(PackageMissing):  # that is one of the things to be told
        config = _with_password(config)
    with _hidden_tracebacks(held=False):
        return doctor.run(config, _ending_signals)


def _with_password(config: Config) -> Config:
    """The configuration with the password of the control port, where one is given or wanted. Raises Usage."""
    if not (config.control or os.environ.get("ANONP2P_CONTROL_PASSWORD_FILE")):
        return config
    packages.require("trio", "msgspec", "stem")
    from anonp2p.password import find_password

    return find_password(config, os.environ)


@contextmanager
def _ending_signals() -> Iterator[AsyncIterator[int]]:
    """The signals that end the program, as they come.

    Those that were ignored when it started stay ignored, as nohup and shells (for what is in the background) have it.
    """
    import trio

    obeyed = [number for number in _ENDING if signal.getsignal(number) is not signal.SIG_IGN]
    if obeyed:
        try:
            with trio.open_signal_receiver(*obeyed) as signals:
                yield signals
        finally:
            if signal.SIGINT in obeyed:  # one more of an impatient user would interrupt Python's own end: status -2
                signal.signal(signal.SIGINT, signal.SIG_IGN)
    else:
        never, none = trio.open_memory_channel[int](0)
        with never, none:
            yield none


@contextmanager
def _frontend(config: Config) -> "Iterator[Frontend]":
    """Line mode, JSON lines or the full screen; whatever happens, the terminal is as it was afterwards."""
    if config.mode == "screen":
        packages.require("wcwidth", "urwid")
        from anonp2p.ui.screen import first_page

        with _hidden_tracebacks(held=True), first_page.on_screen() as terminal:
            packages.require("msgspec", "stem")
            packages.require_crypto()
            # Not sooner: the first frame is there before the rest is loaded.
            from anonp2p.ui.screen.screen import Screen

            yield Screen(config, terminal)
    else:
        packages.require("msgspec", "stem")
        packages.require_crypto()
        from anonp2p.ui.line.line_mode import LineMode

        with _hidden_tracebacks(held=False):
            if config.mode == "line" and _has_terminal():
                packages.require("wcwidth", "urwid")
                from anonp2p.ui.line.typing import Typing

                typing = Typing()
                with typing.on_terminal():
                    yield LineMode(config, typing=typing)
            else:
                yield LineMode(config)


def calm_collector() -> None:
    """Has garbage collected from now on, but all of it rarely: with 1,000 links that stops everything for 60 ms.

    What is there by now stays, and need not be looked at again. What is new is looked at as often as ever.
    """
    gc.freeze()
    gc.enable()
    young, middle, _ = gc.get_threshold()
    gc.set_threshold(young, middle, 1_000)


class _Nowhere(io.TextIOBase):
    """Where Python itself, and libraries, may print their tracebacks: where memory is short, it calls no hook."""

    def write(self, text: str) -> int:
        return len(text)


@contextmanager
def _hidden_tracebacks(*, held: bool) -> Iterator[None]:
    """Reports errors that Python itself would print, of a thread or a finalizer, as all others are reported.

    held: only at the end, since they would be lost on the full screen, and spoil it.
    """
    import threading

    sentences: list[str] = []

    def tell(error: BaseException | None) -> None:
        if error is None or isinstance(error, SystemExit):
            return
        if held:
            sentences.append(str(_explain(error)))
        else:
            complain(str(_explain(error)))

    sys.stderr = _Nowhere()
    sys.excepthook = lambda _kind, error, _trace: tell(error)
    threading.excepthook = lambda raised: tell(raised.exc_value)
    sys.unraisablehook = lambda raised: tell(raised.exc_value)
    try:
        yield
    finally:
        for sentence in sentences[: limits.ERRORS_TOLD]:
            complain(sentence)
        held = False


def _explain(error: BaseException) -> AnonError:
    """The sentence for an error that nobody expected: the machine lacks something, or the program has a bug."""
    return process.find_lack(error) or _bug(error)


def _bug(error: BaseException) -> Failed:
    """A bug: its kind and place, but nothing that the error carries, which could be a secret."""
    trace = error.__traceback__
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
        trace = error.__traceback__ or trace
    places = [f"{frame.f_globals.get('__name__', '?')}:{line}" for frame, line in traceback.walk_tb(trace)]
    where = " < ".join(places[:-4:-1]) or "an unknown place"
    return Failed(f"This is an error in anonp2p, please report it: {type(error).__name__} at {where}.")


def _tell(failure: AnonError) -> None:
    """Prints the failure as an event of JSON mode, where the usual code for it could not be imported."""
    import json

    event = json.dumps({"type": "error", "code": failure.code, "text": describe_error(failure), "final": True})
    with suppress(OSError):  # nobody is there to read it
        stdio.write_soon(_STDOUT, event.encode() + b"\n", limits.PRINT_PATIENCE)


def complain(sentence: str) -> None:
    """Says it on stderr, as far as somebody reads that."""
    if not (sentence.isascii() and sentence.isprintable()):
        from anonp2p.ui import sanitize

        sentence = sanitize.sanitize_text(sentence)
    with suppress(OSError):  # nobody is there to read it
        stdio.write_soon(_STDERR, f"anonp2p: {sentence}\n".encode("utf-8", "replace"), limits.PRINT_PATIENCE)
