"""What is dropped is gone from memory, and the tools that say so would tell if it were not."""

import gc
import itertools
import operator
import os
import secrets
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO

import pytest

from tests.support.memory import held, residue

linux = pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")

# Takes texts until its input ends: each becomes what a message becomes, is kept if it is to be, or else dropped.
_CHILD = """
import os, sys
import msgspec
from anonp2p import hardening
from anonp2p.crypto import suite
if sys.argv[1] == "wiping":
    hardening.wipe_freed()

kept = []
def use(line):
    text = line[1:].decode()
    packed = msgspec.msgpack.encode([text, 1])
    key = suite.Key(bytes(32))
    opened = msgspec.msgpack.decode(key.open_sealed(1, key.seal_text(1, packed)))
    shown = msgspec.json.encode({"type": "message", "text": opened[0]}).decode().encode()
    if line[:1] == b"+":
        kept.append((opened, shown))

buffer = b""
while data := os.read(0, 65536):
    *lines, buffer = (buffer + data).split(b"\\n")
    del data
    while lines:
        use(lines.pop())
    os.write(1, b".")
"""


class Child:
    """A process that takes texts, and stays dumpable."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def take(self, text: str, *, keep: bool = False) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(b"-+"[keep : keep + 1] + text.encode() + b"\n")
        self._process.stdin.flush()
        assert self._process.stdout.read(1) == b"."

    def residue(self, text: str) -> int:
        return residue(self._process.pid, text.encode())


@contextmanager
def a_child(*, wiping: bool) -> Iterator[Child]:
    allocators = {"PYTHONMALLOC": "debug"} if wiping else {}
    command = [sys.executable, "-c", _CHILD, "wiping" if wiping else "plain"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, env={**os.environ, **allocators}
    ) as process:
        try:
            yield Child(process)
        finally:
            process.kill()


@linux
def test_what_is_dropped_is_overwritten_by_when_the_next_message_has_come() -> None:
    with a_child(wiping=True) as child:
        child.take("first")  # finding a function of a library puts registers on the stack, but only once
        for size in (20, 300, 700, 4_000):
            for wide in ("", "ř", "🌳"):
                text = secrets.token_hex(size // 2) + wide
                child.take(text)
                child.take("é" * 200)  # Python encodes short texts on the stack, which nobody wipes
                pieces = [text[len(text) // 2 :][:12], text[-12:]]  # glibc writes over where blocks begin
                assert [child.residue(piece) for piece in pieces] == [0, 0], (size, wide)


@linux
def test_what_is_still_held_is_found_in_every_width() -> None:
    with a_child(wiping=True) as child:
        for text in (f"{secrets.token_hex(20)}{wide}" for wide in ("", "é", "ř", "🌳")):
            child.take(text, keep=True)
            assert child.residue(text) >= 2


@linux
def test_without_it_dropped_texts_would_stay() -> None:
    with a_child(wiping=False) as child:
        texts = [secrets.token_hex(350) for _ in range(3)]
        for text in texts:
            child.take(text)
        assert sum(map(child.residue, texts)) > 0


@linux
def test_memory_that_cannot_be_read_is_a_failure_with_a_reason() -> None:
    process = subprocess.Popen(["true"])
    process.wait()
    with pytest.raises(AssertionError, match="cannot be read"):
        residue(process.pid, b"x")


@pytest.mark.parametrize("collected", [False, True])
def test_a_text_is_found_in_whatever_holds_it(*, collected: bool) -> None:
    class Holder:
        __slots__ = ("value",)

        def __init__(self, value: object) -> None:
            self.value = value

    text = secrets.token_hex(20)
    needle = text.encode()  # an assertion of pytest's would keep `text.encode`
    makers = (
        lambda text: [{"a": (1, f"say {text}!")}],
        lambda text: {f"{text}!": 1},
        lambda text: deque([f"{text}!".encode()]),
        lambda text: bytearray(text, "ascii"),
        lambda text: memoryview(f"{text}!".encode()),
        lambda text: BytesIO(f"{text}!".encode()),
        lambda text: lambda kept=f"{text}!": kept,
    )
    values = map(operator.call, makers, itertools.repeat(text))  # a comprehension of `text` would be a closure
    holders = [Holder(value) for value in values]
    if collected:
        gc.collect()  # which changes the order of objects
    found = held(needle)
    kinds = ("list", "dict", "deque", "bytearray", "memoryview", "BytesIO", "function")
    assert [kind for kind in kinds if not any(f"{kind} in " in each for each in found)] == []
    assert text not in " ".join(found)
    del holders, values
    assert held(needle) == []


def test_what_waits_in_a_coroutine_is_found() -> None:
    async def wait(_kept: object) -> None: ...

    raw = secrets.token_bytes(32)
    waiting = wait([b"<" + raw])
    assert any("coroutine" in each for each in held(raw))
    waiting.close()
    assert held(raw) == []


def start(*options: str, given: str, **environment: str) -> list[str]:
    """What a `cli.main` tells that the program is run with: allocators, the setting, arguments and a line of stdin.

    The last option is the program's, those before it are Python's.
    """
    program = (
        "import ctypes, os, sys; from anonp2p import cli, __main__ as start\n"
        "name = ctypes.pythonapi._PyMem_GetCurrentAllocatorName; name.restype = ctypes.c_char_p\n"
        "def main():\n"
        "    print(os.getpid(), name().decode(), os.environ.get('PYTHONMALLOC'), sys.argv[1:], input()); return 7\n"
        "cli.main = main; sys.exit(start.main())"
    )
    with subprocess.Popen(
        [sys.executable, *options[:-1], "-c", program, options[-1]],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    ) as process:
        output, _ = process.communicate(given, timeout=60)
    assert process.returncode == 7
    pid, *told = output.split(maxsplit=3)
    assert int(pid) == process.pid
    return told


def test_the_program_starts_anew_once_with_the_same_process_arguments_and_stdin() -> None:
    assert start("a b", given="the line\n") == ["pymalloc_debug", "None", "['a b'] the line\n"]


def test_what_was_set_before_does_not_keep_it_from_that_nor_from_ending() -> None:
    for value in ("malloc", "debug", ""):
        assert start("x", given="y\n", PYTHONMALLOC=value)[0].endswith("_debug")


def test_help_and_version_do_not_start_anew_nor_does_a_python_that_would_not_heed_it() -> None:
    for options in (("--help",), ("--version",), ("-E", "x")):
        assert start(*options, given="y\n")[0] == "pymalloc"
