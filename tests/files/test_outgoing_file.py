"""Files that are offered: what can be, and what becomes of those that change."""

import hashlib
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from anonp2p import limits
from anonp2p.errors import AnonError
from anonp2p.files.errors import FileChanged, FileTooLarge, FileUnreadable, NoRegularFile
from anonp2p.files.outgoing_file import OutgoingFile, open_regular


def opened(path: Path) -> OutgoingFile:
    descriptor, size = open_regular(str(path))
    return OutgoingFile(descriptor, size, lambda: True)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "f"
    path.write_bytes(b"a" * limits.CHUNK + b"b" * limits.CHUNK + b"end")
    return path


def test_the_root_is_the_hash_of_the_hashes_of_all_chunks(path: Path) -> None:
    file = opened(path)
    chunks = b"a" * limits.CHUNK, b"b" * limits.CHUNK, b"end"
    assert file.hashes.data == b"".join(hashlib.sha256(chunk).digest() for chunk in chunks)
    assert file.size == 2 * limits.CHUNK + 3
    assert [file.read_chunk(number) for number in range(3)] == list(chunks)
    file.close()


def test_a_file_without_bytes_has_an_empty_list(tmp_path: Path) -> None:
    (tmp_path / "f").touch()
    file = opened(tmp_path / "f")
    assert (file.size, file.hashes.root) == (0, hashlib.sha256(b"").digest())
    file.close()


def make_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        os.chdir(path.parent)
        listening.bind(path.name)


def make_large(path: Path) -> None:
    path.touch()
    os.truncate(path, limits.FILE + 1)


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda path: None, FileUnreadable),
        (lambda path: path.mkdir(), NoRegularFile),
        (os.mkfifo, NoRegularFile),
        (lambda path: path.symlink_to("/dev/null"), NoRegularFile),
        (lambda path: path.symlink_to(path), FileUnreadable),
        (make_socket, FileUnreadable),
        (make_large, FileTooLarge),
    ],
)
def test_what_is_no_file_is_refused_at_once(
    tmp_path: Path, make: Callable[[Path], object], error: type[AnonError], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    make(tmp_path / "f")
    before = set(Path("/proc/self/fd").iterdir())
    with pytest.raises(error):
        open_regular(str(tmp_path / "f"))
    assert set(Path("/proc/self/fd").iterdir()) == before


def test_a_name_with_a_zero_byte_is_refused() -> None:
    with pytest.raises(FileUnreadable):
        open_regular("a\0b")


def test_a_link_of_the_users_own_is_followed(path: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(path)
    file = opened(tmp_path / "link")
    assert file.size == path.stat().st_size
    file.close()


def test_a_file_that_changes_while_it_is_hashed_is_not_offered(path: Path) -> None:
    descriptor, size = open_regular(str(path))

    def change() -> bool:
        with path.open("r+b") as file:
            file.write(b"x")
        os.utime(path, ns=(0, 0))
        return True

    with pytest.raises(FileChanged):
        OutgoingFile(descriptor, size, change)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


@pytest.mark.parametrize("change", [lambda it: it.write(b"x"), lambda it: it.truncate(5)])
def test_a_chunk_that_has_changed_is_not_given(path: Path, change: Callable[[object], object]) -> None:
    file = opened(path)
    with path.open("r+b") as writing:
        change(writing)
    with pytest.raises(FileChanged):
        file.read_chunk(0)
    file.close()


def test_a_file_whose_name_goes_to_another_is_served_all_the_same(path: Path) -> None:
    file = opened(path)
    path.unlink()
    path.write_bytes(b"other")
    assert file.read_chunk(2) == b"end"
    file.close()


def test_a_file_of_the_kernel_that_says_that_it_is_empty_is_not_sent_as_an_empty_one() -> None:
    with pytest.raises(NoRegularFile):
        opened(Path("/proc/self/maps"))


def test_hashing_ends_once_it_is_not_wanted(path: Path) -> None:
    descriptor, size = open_regular(str(path))
    file = OutgoingFile(descriptor, size, lambda: False)
    assert file.hashes.data == b""
    file.close()
