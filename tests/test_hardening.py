"""No image of the program's memory reaches a disk."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.processes import waiting_program

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/proc and prctl are Linux's")


def inside(statements: str) -> str:
    """What these print in a process that has hardened itself."""
    program = f"import ctypes, os, resource\nfrom anonp2p import hardening\nhardening.harden()\n{statements}"
    return subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout


def test_the_running_program_may_not_dump_core() -> None:
    with waiting_program() as process:
        limits = Path(f"/proc/{process.pid}/limits").read_text()
    assert re.search(r"^Max core file size +0 +0 ", limits, re.MULTILINE)


def test_the_running_program_leaves_none_when_it_is_told_to() -> None:
    with waiting_program() as process:
        process.send_signal(signal.SIGABRT)
        _, status = os.waitpid(process.pid, 0)
        process.returncode = -os.WTERMSIG(status)
    assert os.WTERMSIG(status) == signal.SIGABRT
    assert not os.WCOREDUMP(status)


def test_what_c_libraries_free_is_overwritten() -> None:
    """glibc itself writes over the first words of what is freed, and leaves the rest as it was."""
    statements = """
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_size_t], [ctypes.c_void_p]
block, behind = libc.malloc(4096), libc.malloc(64)  # behind: what keeps the block from becoming part of the rest
copy = ctypes.create_string_buffer(4096 - 128)  # made before, so that it does not get the freed block
ctypes.memset(block, 0x61, 4096)
libc.free(block)
ctypes.memmove(copy, block + 64, 4096 - 128)
print(copy.raw.count(b"aaaa"))
"""
    assert inside(statements) == "0\n"


def test_it_is_not_dumpable_so_that_no_crash_reporter_gets_its_memory_either() -> None:
    assert inside("print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))") == "0\n"  # PR_GET_DUMPABLE


def test_what_it_starts_may_not_dump_core_and_nobody_can_allow_it_again() -> None:
    assert inside("os.system('ulimit -c; ulimit -H -c')") == "0\n0\n"


def test_the_program_is_hardened_before_a_room_can_have_any_secret() -> None:
    program = (
        "import ctypes, sys\n"
        "from anonp2p import app, cli\n"
        "class App:\n"
        "    def __init__(self, *arguments):\n"
        "        print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)); raise SystemExit\n"
        "app.App = App\n"
        "sys.argv[1:] = []; cli.main()"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False).stdout == "0\n"


def test_where_there_is_no_prctl_there_is_still_the_limit() -> None:
    program = (
        "import sys; sys.platform = 'darwin'\n"
        "from anonp2p import hardening\nhardening.harden()\n"
        "import resource; print(resource.getrlimit(resource.RLIMIT_CORE), 'ctypes' in sys.modules)"
    )
    output = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    assert output == "(0, 0) False\n"


@pytest.mark.parametrize("wiping", [True, False])
def test_a_trial_tells_whether_what_python_frees_is_overwritten(*, wiping: bool) -> None:
    """For the checks of `anonp2p doctor`."""
    allocators = {"PYTHONMALLOC": "debug"} if wiping else {}
    program = "from anonp2p import hardening\nprint([hardening.wipes_objects() for _ in range(5)])"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, **allocators})
    assert done.stdout == f"{[wiping] * 5}\n"


def test_trials_tell_what_hardening_has_done() -> None:
    asked = "print(hardening.wipes_blocks(), hardening.is_dumpable(), hardening.dumps_core())"
    plain = "from anonp2p import hardening\nimport resource\nresource.setrlimit(resource.RLIMIT_CORE, (1, 1))\n" + asked
    done = subprocess.run([sys.executable, "-c", plain], check=True, capture_output=True, text=True)
    assert done.stdout == "False True True\n"
    assert inside(asked) == "True False False\n"
