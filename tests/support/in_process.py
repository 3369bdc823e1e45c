"""The program in this process: the full screen of the real App, whose terminal is one in memory and whose clock jumps.

trio runs as a guest: the program does something only while the test waits for it to, and time goes by only once there
is nothing else for it to do. What would be an hour takes as long as what happens in it.
"""

import os
import queue
import signal
import socket
import tempfile
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import outcome
import pytest
import trio
import trio.testing

from anonp2p import cli
from anonp2p.app import App
from anonp2p.client import client
from anonp2p.ui.screen import first_page, lasting_hint, submission
from anonp2p.ui.screen.screen import Screen
from anonp2p.ui.screen.term import terminal as program_terminal
from tests.support.surroundings import SeededSecrets, Surroundings
from tests.support.terminal import Terminal

_READ = 65_536
_ANSWER = 120.0  # seconds until what was asked for has happened
_STUCK = 30.0  # seconds of real time in which trio does not even wake up
_LATE = 1e-6  # seconds by which all wake too late, as they do by real clocks: rounded sums are never equal
_IDLE = 2  # steps in a row without work: the first of them may only have seen that something has come
_THREAD = 0.001  # seconds of real time between two looks whether a thread of the program is done


class _Work(trio.abc.Instrument):
    """Knows whether a task has done anything, but for trio's own which calls what it is told to call soon."""

    def __init__(self) -> None:
        self.was_done = False

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        """As trio has it."""
        self.was_done = self.was_done or "run_sync_soon" not in task.name


class InProcess:
    """One program, with these arguments. At most one at a time."""

    def __init__(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        shown: Terminal,
        *,
        seed: int | None,
        now: float,
        slow_boot: bool,
    ) -> None:
        self._arguments = arguments
        self._environment = environment
        self._shown = shown
        self._seed = seed
        self._start_time = now
        self._slow_boot = slow_boot
        self._raw = bytearray()
        self._clock = trio.testing.MockClock()
        self._steps: deque[Callable[[], object]] = deque()  # of trio, to be taken now
        self._work = _Work()
        self._woken: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()  # the same, from trio's thread
        self._idle = 0  # steps in a row in which nothing was done
        self._outcome: outcome.Outcome[int] | None = None
        self._is_told = False  # whether the test knows how it has ended
        self._scope = trio.CancelScope()
        self._token: trio.lowlevel.TrioToken | None = None  # once it has begun

    # --- it begins and ends

    def start(self) -> None:
        """The program begins."""
        self._ours, self._its = socket.socketpair()
        self._ours.setblocking(False)
        self._patch = pytest.MonkeyPatch()
        self._home = tempfile.TemporaryDirectory(prefix="stage-")
        try:
            self._set_up()
            trio.lowlevel.start_guest_run(
                self._run,
                run_sync_soon_threadsafe=self._woken.put,
                run_sync_soon_not_threadsafe=self._steps.append,
                done_callback=self._end,
                clock=self._clock,
                instruments=[self._work],
            )
            while self._token is None:
                self._steps.popleft()()
            self._run_until(lambda: self._surroundings.is_running or self.is_over, _ANSWER)
        except BaseException:
            self.stop(is_failing=True)
            raise

    def _set_up(self) -> None:
        for name in os.environ.keys() - self._environment:
            if name != "PYTEST_CURRENT_TEST":
                self._patch.delenv(name)
        for name, value in {"HOME": self._home.name, **self._environment, "TZ": "UTC"}.items():
            self._patch.setenv(name, value)
        for module in (lasting_hint, submission):
            self._patch.setattr(module, "find_mat2", lambda: "/usr/bin/mat2")  # on every machine alike
        time.tzset()
        real = time.localtime
        start = self._clock.current_time()
        self._patch.setattr(time, "time", lambda: self._start_time + self._clock.current_time() - start)
        self._patch.setattr(time, "localtime", lambda seconds=None: real(time.time() if seconds is None else seconds))
        self._patch.setattr(time, "monotonic", self._clock.current_time)
        self._patch.setattr(program_terminal, "monotonic", self._clock.current_time)
        if self._seed is not None:
            self._patch.setattr(client, "secrets", SeededSecrets(f"{self._seed}:user"))
        fd = self._its.fileno()
        self._surroundings = Surroundings(seed=self._seed, slow_boot=self._slow_boot, keys=fd, display=fd)

    async def _run(self) -> int:
        self._token = trio.lowlevel.current_trio_token()
        self._threads = trio.to_thread.current_default_thread_limiter()
        fd = self._its.fileno()
        with self._scope:
            config = cli.configure(self._arguments, os.environ, terminal=True)
            with first_page.on_screen(fd, fd, self._size) as shown:
                frontend = self._surroundings.watch(Screen(config, shown))
                return await App(config, frontend, _no_signals(), self._surroundings.connect).run()
        return 128 + signal.SIGKILL

    def _size(self, _: int) -> tuple[int, int]:
        return self._shown.columns, self._shown.rows

    def _end(self, result: outcome.Outcome[int]) -> None:
        self._outcome = result

    def stop(self, *, is_failing: bool) -> None:
        """The program is not needed any more. Raises what it ended with, unless the test fails already."""
        if self._token and self._outcome is None:
            self._do(self._scope.cancel)
            self._run_until(lambda: self.is_over, _ANSWER)
        self._patch.undo()
        self._home.cleanup()
        time.tzset()
        self._ours.close()
        self._its.close()
        if not is_failing:
            self._tell_end()

    def _tell_end(self) -> int | None:
        """The exit code. Raises what the program ended with, but only once."""
        if self._outcome is None or self._is_told:
            return None
        self._is_told = True
        return self._outcome.unwrap()

    # --- trio's steps

    def _do(self, what: Callable[[], object]) -> None:
        """Has trio do this, soon."""
        assert self._token
        self._idle = 0
        self._token.run_sync_soon(what)

    def _run_until(self, holds: Callable[[], bool], seconds: float) -> bool:
        """Takes steps until this holds, looking after each; whether it did, within so much of the program's time."""
        deadline = self._clock.current_time() + seconds
        while not holds():
            if self.is_over or not (self._step() or self._pass_time(deadline)):
                return holds()
        return True

    def _step(self) -> bool:
        """Takes one step, unless there is nothing to do now."""
        if self._idle >= _IDLE:
            return False
        assert self._token
        self._work.was_done = False
        with suppress(trio.RunFinishedError):
            self._token.run_sync_soon(_nothing)  # as there is something to do for it, trio does not wait in its thread
        (self._steps.popleft() if self._steps else self._woken.get(timeout=_STUCK))()
        self._idle = 0 if self._work.was_done else self._idle + 1
        return True

    def _pass_time(self, deadline: float) -> bool:
        """Lets time go by until something is due, as there is nothing to do before; False if that is too late."""
        now = self._clock.current_time()
        if now >= deadline:
            return False
        if self._threads.borrowed_tokens:
            time.sleep(_THREAD)
        else:
            due = trio.lowlevel.current_statistics().seconds_to_next_deadline
            self._clock.jump(max(0.0, min(due, deadline - now)) + _LATE)
        self._idle = 0
        return True

    # --- what is done to it

    def write(self, data: bytes) -> None:
        """These bytes are typed, and taken in."""
        while data and not self.is_over:
            try:
                data = data[self._ours.send(data) :]
            except BlockingIOError:
                self._take_in()
        self._take_in()

    def _take_in(self) -> None:
        """What was typed is read, and dealt with as far as that needs no time."""
        self._idle = 0
        for _ in range(100):  # others may talk without a pause
            if self.is_over or not self._step():
                break
        self._show()

    def pause(self, seconds: float) -> None:
        """So much time goes by."""
        self._run_until(lambda: False, seconds)
        self._show()

    @property
    def now(self) -> float:
        """Seconds since some moment."""
        return self._clock.current_time()

    def resize(self, columns: int, rows: int) -> None:
        """The terminal has another size, and the kernel says so."""
        self._shown.resize(columns, rows)
        signal.raise_signal(signal.SIGWINCH)
        self._idle = 0

    def ask(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Has something happen around the program. Raises OSError where there is no program to ask."""
        answered: list[dict[str, Any]] = []

        async def answer() -> None:
            answered.append(await self._surroundings.answer(asked))

        self._do(lambda: trio.lowlevel.spawn_system_task(answer))
        if not self._run_until(lambda: bool(answered), _ANSWER):
            raise ProcessLookupError
        return answered[0]

    # --- what is to be seen of it

    def _show(self) -> bool:
        """Has the terminal show what the program has written; whether that was anything."""
        has_news = False
        while True:
            try:
                data = self._ours.recv(_READ)
            except BlockingIOError:
                return has_news
            if not data:
                return has_news
            has_news = True
            self._raw += data
            if answers := self._shown.feed(data):
                self._idle = 0
                self._ours.send(answers)

    @contextmanager
    def looking(self) -> Iterator[bytearray]:
        """The terminal stays as it is meanwhile; gives all that was written to it."""
        yield self._raw

    def wait(self, holds: Callable[[], bool], seconds: float) -> bool:
        """Whether this holds of the terminal, once it does, or the program has ended, or so much time has gone by."""
        self._show()
        return holds() or self._run_until(lambda: self._show() and holds(), seconds)

    def status(self, seconds: float) -> int | None:
        """The exit code, once it has ended; None if it does not."""
        self._run_until(lambda: self.is_over, seconds)
        self._show()
        return self._tell_end()

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self._outcome is not None


async def _no_signals() -> AsyncIterator[int]:
    await trio.sleep_forever()
    yield 0


def _nothing() -> None:
    pass
