"""A file that is being fetched: NAME.part until it is whole, then NAME. Nothing else is ever written."""

import errno
import fcntl
import os
import stat
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

from anonp2p import limits
from anonp2p.files import downloads
from anonp2p.files.downloads import Destination
from anonp2p.files.errors import (
    FileExists,
    FileUnwritable,
    NoNameLeft,
    NoPlainPart,
    PartForeign,
    describe_failure,
)
from anonp2p.protocol import transfer
from anonp2p.protocol.transfer import HashList

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_EXISTING = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def check_folder(target: Destination) -> None:
    """Raises Failed where nothing can be written, or the path that the user wants is taken, before anything begins."""
    try:
        folder = os.open(target.folder, _FOLDER)
    except (OSError, ValueError) as error:
        raise FileUnwritable(describe_failure(error)) from None
    try:
        if target.is_fixed and _is_taken(target.name, folder):
            raise FileExists
        if not os.access(".", os.W_OK | os.X_OK, dir_fd=folder):
            raise FileUnwritable(os.strerror(errno.EACCES).lower())
    finally:
        os.close(folder)


def _is_taken(name: str, folder: int) -> bool:
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _lock(descriptor: int) -> None:
    """Raises BlockingIOError where another fetch, or another program of ours, has it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise
    except OSError:  # some file systems have no locks
        pass


class PartFile:
    """NAME.part, open and locked: what is whole there already, and what comes.

    good: for each chunk, whether it is there. size: of the whole file. Raises Failed where it cannot be had.
    wanted: asked before each chunk that is looked at; once it says no, the rest is not.
    """

    def __init__(self, target: Destination, size: int, hashes: HashList, wanted: Callable[[], bool]) -> None:
        self.good = bytearray(transfer.count_chunks(size))
        self._size = size
        self._hashes = hashes
        self._target = target
        with ExitStack() as stack:
            try:
                self._folder = os.open(target.folder, _FOLDER)
            except (OSError, ValueError) as error:
                raise FileUnwritable(describe_failure(error)) from None
            stack.callback(os.close, self._folder)
            self._name, self._descriptor = self._open(wanted)
            self._closing = stack.pop_all()
        self._closing.callback(os.close, self._descriptor)
        self._is_open = True

    def _open(self, wanted: Callable[[], bool]) -> tuple[str, int]:
        """The first name that is free, of the file and of its part, or whose part is a beginning of this file."""
        for name in self._target.list_names():
            part = downloads.part_of(name)
            try:
                if _is_taken(name, self._folder):
                    continue
                try:
                    return name, self._create(part)
                except FileExistsError:
                    return name, self._reopen(part, wanted)
            except (OSError, ValueError) as error:
                raise FileUnwritable(describe_failure(error)) from None
            except (NoPlainPart, PartForeign):
                if self._target.is_fixed:
                    raise
        raise FileExists if self._target.is_fixed else NoNameLeft

    def _create(self, part: str) -> int:
        descriptor = os.open(part, _NEW, limits.FILE_MODE, dir_fd=self._folder)
        with suppress(BlockingIOError):  # nobody else goes on with what has no chunk
            _lock(descriptor)
        return descriptor

    def _reopen(self, part: str, wanted: Callable[[], bool]) -> int:
        """An existing part that is ours alone and holds something of this file. Raises NoPlainPart, PartForeign."""
        with ExitStack() as stack:
            try:
                descriptor = os.open(part, _EXISTING, dir_fd=self._folder)
                stack.callback(os.close, descriptor)
                _lock(descriptor)
            except OSError:  # a link, a socket, another user's, in use, or gone
                raise NoPlainPart from None
            status = os.fstat(descriptor)
            if not (stat.S_ISREG(status.st_mode) and status.st_uid == os.getuid() and status.st_nlink == 1):
                raise NoPlainPart
            if stat.S_IMODE(status.st_mode) != limits.FILE_MODE:  # of another program, which ends its names so too
                raise PartForeign
            if status.st_size <= self._size:
                self._find_good(descriptor, status.st_size, wanted)
            if not any(self.good):
                raise PartForeign
            stack.pop_all()
            return descriptor

    def _find_good(self, descriptor: int, length: int, wanted: Callable[[], bool]) -> None:
        for number in range(transfer.count_chunks(length)):
            if not wanted():
                break
            chunk = os.pread(descriptor, limits.CHUNK, number * limits.CHUNK)
            self.good[number] = self._hashes.has(number, chunk)

    def write_chunk(self, number: int, chunk: bytes) -> bool:
        """Writes a chunk if it is the right one; whether it is. Raises Failed."""
        if not self._hashes.has(number, chunk):
            return False
        view, at = memoryview(chunk), number * limits.CHUNK
        try:
            while view:
                count = os.pwrite(self._descriptor, view, at)
                view, at = view[count:], at + count
        except OSError as error:
            raise FileUnwritable(describe_failure(error)) from None
        self.good[number] = True
        return True

    def finish(self) -> str:
        """The file is whole: it gets its name, never that of another. Returns its path. Raises Failed."""
        part = downloads.part_of(self._name)
        for name in [self._name, *(name for name in self._target.list_names() if name != self._name)]:
            try:
                taken = os.open(name, _NEW, limits.FILE_MODE, dir_fd=self._folder)
            except FileExistsError:
                continue
            except OSError as error:
                raise FileUnwritable(describe_failure(error)) from None
            try:
                self._require_part(part)
                os.rename(part, name, src_dir_fd=self._folder, dst_dir_fd=self._folder)
            except OSError as error:
                with suppress(OSError):
                    os.unlink(name, dir_fd=self._folder)
                raise FileUnwritable(describe_failure(error)) from None
            finally:
                os.close(taken)
            self._is_open = False
            self._closing.close()
            return str(Path(os.path.abspath(self._target.folder)) / name)  # noqa: PTH100  # without following links
        raise FileExists

    def _require_part(self, part: str) -> None:
        """Raises OSError where another file has the name of ours by now, or none."""
        if not os.path.samestat(os.stat(part, dir_fd=self._folder, follow_symlinks=False), os.fstat(self._descriptor)):
            raise FileNotFoundError(errno.ENOENT, "")

    def close(self, *, forgets: bool = False) -> None:
        """Ends before it is whole: stays only if something is there that can be gone on with. forgets: not even then.

        What was finished is no part any more, and stays.
        """
        if not self._is_open:
            return
        if forgets or not any(self.good):
            part = downloads.part_of(self._name)
            with suppress(OSError):
                self._require_part(part)
                os.unlink(part, dir_fd=self._folder)
        self._is_open = False
        self._closing.close()
