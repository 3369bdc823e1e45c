"""What whoever started us left, and what the machine lacks."""

import errno
import os
import subprocess
import sys

import pytest
import trio

from anonp2p.process import find_lack


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MemoryError(), "memory"),
        (OSError(errno.ENOMEM, "x"), "memory"),
        (OSError(errno.EMFILE, "x"), "open files"),
        (OSError(errno.ENFILE, "x"), "open files"),
        (OSError(errno.ENOSPC, "x"), "disk"),
        (OSError(errno.EDQUOT, "x"), "disk"),
        (RuntimeError("can't start new thread"), "threads"),
        (ImportError("/lib/x.so: failed to map segment from shared object"), "memory"),
        (ImportError("x.so: cannot open shared object file: Too many open files"), "open files"),
        (ExceptionGroup("", [KeyError(), ExceptionGroup("", [OSError(errno.EMFILE, "x")])]), "open files"),
    ],
    ids=repr,
)
def test_an_error_that_says_what_the_machine_lacks(error: BaseException, said: str) -> None:
    assert said in str(find_lack(error))


def test_an_error_tells_what_the_one_that_it_came_of_lacks() -> None:
    error = trio.TrioInternalError("internal error in Trio - please file a bug!")
    error.__cause__ = MemoryError()
    assert "memory" in str(find_lack(error))


def test_errors_that_came_of_each_other_say_nothing_forever() -> None:
    error = KeyError()
    error.__cause__ = ExceptionGroup("", [error])
    assert find_lack(error) is None


@pytest.mark.parametrize(
    "error",
    [
        KeyError("memory"),
        OSError(),
        OSError("Too many open files"),
        OSError(errno.EAGAIN, "x"),
        RuntimeError("x"),
        ImportError("No module named x"),
        ImportError("x.so: failed to map segment from shared object: Operation not permitted"),
        ExceptionGroup("", [KeyError()]),
    ],
    ids=repr,
)
def test_any_other_error_says_nothing_of_it(error: BaseException) -> None:
    assert find_lack(error) is None


@pytest.mark.parametrize("closed", [(), (0,), (1,), (2,), (0, 1), (0, 1, 2)])
def test_descriptors_that_were_closed_are_taken_and_stay_as_unusable(closed: tuple[int, ...]) -> None:
    program = """
import errno, os, sys
from anonp2p import process
report = int(sys.argv[1])
process.fill_descriptors()
process.fill_descriptors()
said = [os.open("/dev/null", os.O_RDONLY) > 2]
for descriptor in map(int, sys.argv[2:]):
    for use in (lambda: os.read(descriptor, 1), lambda: os.write(descriptor, b"x")):
        try:
            use()
        except OSError as error:
            said.append(error.errno == errno.EBADF)
        else:
            said.append(False)
    said.append(not os.get_inheritable(descriptor))
os.write(report, b"good" if all(said) else repr(said).encode())"""
    reader, writer = os.pipe()
    command = '"$@" ' + " ".join(f"{descriptor}>&-" for descriptor in closed)
    arguments = [sys.executable, "-c", program, str(writer), *map(str, closed)]
    subprocess.run(["/bin/sh", "-c", command, "sh", *arguments], check=True, pass_fds=[writer], timeout=60)
    os.close(writer)
    with os.fdopen(reader, "rb") as report:
        assert report.read() == b"good"


@pytest.mark.parametrize(("soft", "hard", "allowed"), [(64, 256, 256), (64, 512, 300), (400, 512, 400)])
def test_as_many_files_may_be_open_as_whoever_started_us_lets_us_ask_for(soft: int, hard: int, allowed: int) -> None:
    program = f"""
import resource
from anonp2p import limits, process
limits.OPEN_FILES = 300
resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))
process.allow_files()
print(*resource.getrlimit(resource.RLIMIT_NOFILE))"""
    ended = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=60)
    assert ended.stdout == f"{allowed} {hard}\n"
