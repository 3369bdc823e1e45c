"""A file that we offer: read once for its hashes, then chunk by chunk for as long as it is offered."""

import os
import stat
from collections.abc import Callable

from anonp2p import limits
from anonp2p.crypto import suite
from anonp2p.files.errors import FileChanged, FileTooLarge, FileUnreadable, NoRegularFile, describe_failure
from anonp2p.protocol import transfer
from anonp2p.protocol.transfer import HashList

_OPEN = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC  # a pipe without a writer would keep us waiting


def open_regular(path: str) -> tuple[int, int]:
    """A descriptor of this file, and its size. Raises Failed where it is none that can be sent."""
    try:
        descriptor = os.open(path, _OPEN)
    except (OSError, ValueError) as error:
        raise FileUnreadable(describe_failure(error)) from None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise NoRegularFile
        if status.st_size > limits.FILE:
            raise FileTooLarge
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor, status.st_size


class OutgoingFile:
    """An open file with the hashes of its chunks. It stays open though its name may go to another one.

    descriptor: is ours from now on. size: in bytes. wanted: asked before each chunk; once it says no, the rest is not
    read. Raises Failed where the file cannot be read, or changes meanwhile.
    """

    def __init__(self, descriptor: int, size: int, wanted: Callable[[], bool]) -> None:
        self.size = size
        self._descriptor = descriptor
        try:
            self.hashes = self._hash_chunks(wanted)
        except BaseException:
            self.close()
            raise

    def _hash_chunks(self, wanted: Callable[[], bool]) -> HashList:
        before = self._state()
        hashes = bytearray()
        for number in range(transfer.count_chunks(self.size)):
            if not wanted():
                break
            hashes += suite.hash_data(self._read(number))
        if self._state() != before or self._read_bytes(1, self.size):
            raise FileChanged if self.size else NoRegularFile  # those of the kernel say that they are empty
        return HashList(bytes(hashes))

    def _state(self) -> tuple[int, int]:
        status = os.fstat(self._descriptor)
        return status.st_size, status.st_mtime_ns

    def read_chunk(self, number: int) -> bytes:
        """A chunk as it was offered. Raises Failed."""
        chunk = self._read(number)
        if not self.hashes.has(number, chunk):
            raise FileChanged
        return chunk

    def _read(self, number: int) -> bytes:
        length = transfer.chunk_length(self.size, number)
        chunk = self._read_bytes(length, number * limits.CHUNK)
        if len(chunk) != length:
            raise FileChanged
        return chunk

    def _read_bytes(self, length: int, at: int) -> bytes:
        try:
            return os.pread(self._descriptor, length, at)
        except OSError as error:
            raise FileUnreadable(describe_failure(error)) from None

    def close(self) -> None:
        """Is read no more."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)
