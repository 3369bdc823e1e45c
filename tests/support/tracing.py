"""Watching what the program does to the machine: from within by an audit hook, from without by strace.

Both start the program by a script that stands in for Python, so that whoever starts it need not know.
"""

import ast
import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

# Everything that changes what is on a disk, sends something, or begins a process; what reads is left out.
_SYSCALLS = (
    "open,openat,openat2,open_by_handle_at,creat,rename,renameat,renameat2,link,linkat,symlink,symlinkat,mkdir,mkdirat,"
    "mknod,mknodat,truncate,unlink,unlinkat,rmdir,setxattr,lsetxattr,fsetxattr,"
    "write,writev,pwrite64,pwritev,pwritev2,sendfile,copy_file_range,splice,"
    "socket,connect,bind,sendto,sendmsg,sendmmsg,io_uring_setup,"
    "execve,execveat,clone,clone3,fork,vfork,prctl"
)

# Runs in the place of `python ARGUMENTS`; its own first argument is the file that the events go to.
_AUDITED = """
import os, runpy, sys

sink = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
dull = ("import", "compile", "exec", "code.", "object.", "sys.", "builtins.", "marshal.", "gc.", "cpython.")

def show(value):
    if isinstance(value, (tuple, list)):
        return [show(each) for each in value]
    if isinstance(value, dict):
        return [[show(key), show(each)] for key, each in value.items()]
    return value if value is None or isinstance(value, (bool, int, str, bytes)) else repr(value)

def hear(event, arguments):
    if not event.startswith(dull):
        os.write(sink, ascii((event, show(arguments))).encode() + b"\\n")

del sys.argv[:3]  # -c, ours, -m
sys.addaudithook(hear)
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""


class AuditedPython:
    """A stand-in for Python whose programs write down every event of theirs that an audit hook hears of.

    Whoever starts it sees the program itself. It knows `-m MODULE ARGUMENTS` only.
    """

    def __init__(self, place: Path) -> None:
        self._events = place / "audited-events"
        self.path = _script(place / "audited-python", [sys.executable, "-c", _AUDITED, str(self._events)])

    def events(self) -> list[tuple[str, list[Any]]]:
        """Name and arguments of all events so far."""
        return [ast.literal_eval(line) for line in self._events.read_text().splitlines()]


class StracedPython:
    """A stand-in for Python whose programs, and all they start, are watched by strace.

    strace is nobody's parent here (-D): whoever starts it sees the program itself, and strace's end by that of stderr.
    It answers prctl in the kernel's place, since into the memory of an undumpable program only root may look.
    """

    def __init__(self, place: Path) -> None:
        self._output = place / "strace"
        options = ["-D", "-f", "-ff", "--seccomp-bpf", "-q", "-v", "-y", "-xx", "-s", "16777216"]
        filters = ["-e", f"trace={_SYSCALLS}", "-e", "signal=none", "-e", "inject=prctl:retval=0"]
        command = ["strace", *options, *filters, "-o", str(self._output), sys.executable]
        self.path = _script(place / "straced-python", command)

    def calls(self) -> "list[Call]":
        """Everything that was called by processes that have ended, each process for itself; a thread is one here.

        Of a Tor, which ends together with its threads, strace now and then tells all but the end. It has seen that
        all the same where it has told the end of the program that had started it, and waited for it.
        """
        processes = {int(path.suffix[1:]): path for path in self._output.parent.glob(f"{self._output.name}.*")}
        read = {process: _read(process, path) for process, path in processes.items()}
        calls = {process: called for process, (called, _) in read.items()}
        parents = {
            int(call.result): call.process
            for each in calls.values()
            for call in each
            if call.name in ("clone", "clone3", "fork", "vfork") and call.worked
        }
        for process, (_, has_ended) in read.items():
            if not has_ended:
                _, is_program_over = read.get(parents.get(process, 0), ([], False))
                is_over = is_program_over and not Path(f"/proc/{process}").exists()
                assert is_over, f"process {process} has not ended, or strace has not seen it"
        programs: dict[int, str] = {}
        for process in sorted(processes, key=lambda each: _generation(each, parents)):
            programs[process] = programs.get(parents.get(process, 0), "")
            for call in calls[process]:
                if call.name == "execve" and call.worked:
                    programs[process] = os.fsdecode(call.strings[0])
                call.program = programs[process]
        return [call for each in calls.values() for call in each]


def why_no_strace() -> str:
    """Why nothing may be traced here, as in some containers, in strace's own words; empty if something may."""
    command = ["strace", "-f", "-q", "-e", "trace=none", "true"]
    tried = subprocess.run(command, capture_output=True, text=True, check=False)
    if tried.returncode and "not permitted" in tried.stderr:
        return " / ".join(tried.stderr.splitlines())
    tried.check_returncode()
    return ""


def _script(path: Path, command: list[str]) -> str:
    path.write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n')
    path.chmod(0o700)
    return str(path)


def _generation(process: int, parents: dict[int, int]) -> int:
    """How many ancestors of it are known."""
    return 1 + _generation(parents[process], parents) if process in parents else 0


@dataclass
class Call:
    """One system call, with all its strings as they were. program: the path of what made it."""

    process: int
    name: str
    arguments: str
    result: str
    program: str = ""

    @property
    def worked(self) -> bool:
        """Whether it did what it was asked to."""
        return re.match(r"\d", self.result) is not None

    @cached_property
    def strings(self) -> list[bytes]:
        """Everything in quotes: paths, addresses, what is written, what is passed to a program."""
        return [_unquote(text) for text in re.findall(r'"((?:\\x[0-9a-f]{2})*)"', self.arguments)]

    @property
    def target(self) -> str:
        """What its first argument, a descriptor, is of: a path, or `pipe:[7]`, `socket:[7]` and the like."""
        found = re.match(r"\d+<((?:\\x[0-9a-f]{2})*)>", self.arguments)
        return _unquote(found[1]).decode("utf-8", "replace") if found else ""

    @property
    def paths(self) -> list[Path]:
        """The paths that it names, those that are relative to something made absolute."""
        found = re.findall(r'(?:(?:AT_FDCWD|\d+)<((?:\\x[0-9a-f]{2})*)>, )?"((?:\\x[0-9a-f]{2})*)"', self.arguments)
        return [Path("/", *(_unquote(part).decode("utf-8", "replace") for part in parts)) for parts in found]

    def __str__(self) -> str:
        shown = re.sub(r"(?:\\x[0-9a-f]{2})+", lambda match: _unquote(match[0]).decode("latin-1"), self.arguments)
        return f"{self.program}[{self.process}] {self.name}({shown[:400]}) = {self.result}"


def _unquote(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))


def _read(process: int, path: Path) -> "tuple[list[Call], bool]":
    """What it called, and whether its end is told."""
    lines = path.read_text("ascii").splitlines()
    has_ended = lines[-1].startswith("+++ ")
    if has_ended:
        lines.pop()
    calls = []
    if lines and re.fullmatch(r"\?+\( <unfinished \.\.\.>", lines[-1]):
        lines.pop()  # it was killed as it began a call: the kernel had nothing of that to tell any more
    for line in lines:
        found = re.fullmatch(r"(\w+)\((.*)\)\s+= (.+)", line)
        assert found, f"a line of strace that is not understood: {line[:400]}"
        calls.append(Call(process, *found.groups()))
    return calls, has_ended
