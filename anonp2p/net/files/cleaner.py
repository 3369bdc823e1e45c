"""Cleaned copies of files: mat2, run on a copy in a directory in memory, which is gone before the copy is offered."""

import os
import subprocess
from pathlib import Path

import trio

from anonp2p import limits
from anonp2p.files import cleaning
from anonp2p.files.errors import CleanerMissing, CleanerUnable, NoMemoryForCopy
from anonp2p.net.files import disk
from anonp2p.net.tor import directories, runtime
from anonp2p.net.tor.errors import NoMemoryDirectory


async def clean(descriptor: int, name: str) -> tuple[int, int]:
    """A descriptor of a cleaned copy of this open file, and the copy's size. Raises Failed."""
    mat2 = cleaning.find_mat2()
    if mat2 is None:
        raise CleanerMissing
    try:
        with directories.temporary(runtime.find_base(os.environ, memory=True)) as (directory, lock):
            path = await disk.run(cleaning.copy_into, descriptor, name, directory)
            status = await _run(mat2, path, lock)
            return await disk.run(cleaning.open_cleaned, path, status)
    except (NoMemoryDirectory, OSError):
        raise NoMemoryForCopy from None


async def _run(mat2: str, path: Path, lock: int) -> int:
    """Runs it to its end; returns its status. lock: what keeps the directory while it runs, whatever becomes of us."""
    with trio.move_on_after(limits.CLEAN_PATIENCE):
        done = await trio.run_process(
            cleaning.make_command(mat2, path),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=path.parent,
            env=cleaning.make_environment(path.parent),
            pass_fds=(lock,),
            check=False,
            deliver_cancel=_kill,
        )
        return done.returncode
    raise CleanerUnable


async def _kill(process: trio.Process) -> None:
    """It has nothing to lose."""
    process.kill()
    await trio.lowlevel.checkpoint()
