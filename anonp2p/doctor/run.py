"""Makes the checks and prints what they find, as it comes, until they are made, a signal comes or nobody reads."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager
from math import inf

from anonp2p import packages
from anonp2p.config import Config
from anonp2p.doctor.dependencies import check_packages
from anonp2p.doctor.memory import check_memory
from anonp2p.errors import AnonError, Failed, OutputFailed
from anonp2p.findings import CHECKS, CheckBegun, CheckMade, Told, find
from anonp2p.ui import stdio
from anonp2p.ui.diagnosis import advise, describe_finding
from anonp2p.ui.report import Diagnosis

Ending = Callable[[], AbstractContextManager[AsyncIterator[int]]]

_STDOUT = 1


def run(config: Config, ending: Ending) -> tuple[int, AnonError | None]:
    """Returns the exit status, and what went wrong first. ending: the signals that end the program, as they come."""
    report = Diagnosis(json=config.mode == "json", columns=stdio.columns_of(_STDOUT))
    try:
        _check_process(report)
        status = _check_tor(config, report, ending)
        if status is not None:
            return status, None
        _print(report.conclude())
    except OSError as error:
        if error.errno in stdio.CLOSED:
            return 0, None
        raise OutputFailed(str(error.strerror)) from None
    return report.status, _explain(report)


def _print(text: str) -> None:
    """Raises OSError."""
    stdio.write(_STDOUT, text.encode("utf-8", "replace"))


def _check_process(report: Diagnosis) -> None:
    """Checks that need nothing but Python. Raises OSError."""
    _print(report.write(CheckBegun("packages")))
    _print(report.write(CheckMade("packages", check_packages())))
    _print(report.write(CheckBegun("memory")))
    _print(report.write(CheckMade("memory", check_memory())))


def _check_tor(config: Config, report: Diagnosis, ending: Ending) -> int | None:
    """All others; the exit status if a signal ended them. Raises OSError."""
    try:
        packages.require("msgspec", "stem", "trio")
        packages.require_crypto()
    except AnonError:
        for name in CHECKS[2:]:
            _print(report.write(CheckMade(name, [find("needs-packages")])))
        return None
    import trio

    from anonp2p.doctor.doctor import examine

    async def check() -> int | None:
        status: int | None = None

        async def obey(signals: AsyncIterator[int]) -> None:
            nonlocal status
            async for number in signals:
                status = 128 + number
                nursery.cancel_scope.cancel()

        async def tell() -> None:
            async for told in heard:
                text = report.write(told)
                await trio.to_thread.run_sync(_print, text, abandon_on_cancel=True)  # whoever reads may be slow
            nursery.cancel_scope.cancel()

        sending, heard = trio.open_memory_channel[Told](inf)
        with ending() as signals:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(obey, signals)
                nursery.start_soon(tell)
                async with sending:
                    await examine(config, sending.send_nowait)
        return status

    try:
        return trio.run(check)
    except* OSError as group:
        error: BaseException = group
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        failure = error
    raise failure


def _explain(report: Diagnosis) -> AnonError | None:
    """What is wrong first, as the program ends with it."""
    if report.failure is None:
        return None
    if report.failure.error:
        return report.failure.error
    sentence, advice = describe_finding(report.failure), advise(report.failure)
    return Failed(f"{sentence} Try: {advice}" if advice else sentence)
