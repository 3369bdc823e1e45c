"""The one thing that is written: a part, which becomes a file, whatever else is in that directory."""

import errno
import fcntl
import hashlib
import os
import resource
import signal
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from anonp2p import limits
from anonp2p.errors import AnonError
from anonp2p.files import part
from anonp2p.files.downloads import Destination
from anonp2p.files.errors import FileExists, FileUnwritable, NoPlainPart, PartForeign
from anonp2p.files.part import PartFile
from anonp2p.protocol.transfer import HashList

CHUNKS = [b"a" * limits.CHUNK, b"b" * limits.CHUNK, b"end"]
WHOLE = b"".join(CHUNKS)
HASHES = HashList(b"".join(hashlib.sha256(chunk).digest() for chunk in CHUNKS))


def begun(folder: Path, name: str = "f.bin", *, is_fixed: bool = False) -> PartFile:
    return PartFile(Destination(folder, name, is_fixed), len(WHOLE), HASHES, lambda: True)


def written(file: PartFile) -> str:
    for number in (2, 0, 1):
        assert file.write_chunk(number, CHUNKS[number])
    return file.finish()


def test_a_file_has_its_name_once_it_is_whole_and_is_ours_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    file = begun(tmp_path)
    os.umask(before)
    assert [path.name for path in tmp_path.iterdir()] == ["f.bin.part"]
    assert written(file) == str(tmp_path / "f.bin")
    assert [path.name for path in tmp_path.iterdir()] == ["f.bin"]
    assert (tmp_path / "f.bin").read_bytes() == WHOLE
    assert stat.S_IMODE((tmp_path / "f.bin").stat().st_mode) == 0o600


def test_a_wrong_chunk_is_not_written(tmp_path: Path) -> None:
    file = begun(tmp_path)
    assert not file.write_chunk(0, CHUNKS[1])
    assert not file.write_chunk(1, b"")
    assert (tmp_path / "f.bin.part").read_bytes() == b""
    file.close()


def test_nothing_stays_of_what_has_no_chunk(tmp_path: Path) -> None:
    begun(tmp_path).close()
    assert list(tmp_path.iterdir()) == []


def test_what_is_to_be_forgotten_goes_and_what_is_whole_stays(tmp_path: Path) -> None:
    file = begun(tmp_path)
    file.write_chunk(1, CHUNKS[1])
    file.close(forgets=True)
    assert list(tmp_path.iterdir()) == []
    file = begun(tmp_path)
    written(file)
    file.close(forgets=True)
    assert [path.name for path in tmp_path.iterdir()] == ["f.bin"]


def test_what_has_a_chunk_stays_and_is_gone_on_with(tmp_path: Path) -> None:
    file = begun(tmp_path)
    file.write_chunk(1, CHUNKS[1])
    file.close()
    again = begun(tmp_path)
    assert list(again.good) == [0, 1, 0]
    again.write_chunk(0, CHUNKS[0])
    again.write_chunk(2, CHUNKS[2])
    assert Path(again.finish()).read_bytes() == WHOLE
    assert [path.name for path in tmp_path.iterdir()] == ["f.bin"]


@pytest.mark.parametrize(
    "make",
    [
        lambda path: path.write_bytes(b"theirs"),
        lambda path: path.mkdir(),
        lambda path: path.symlink_to("/etc/passwd"),
        lambda path: path.symlink_to("nowhere"),
        os.mkfifo,
    ],
)
@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_nothing_that_is_there_is_ever_overwritten(tmp_path: Path, make: Callable[[Path], object], when: str) -> None:
    place = tmp_path / "f.bin"
    if when == "before":
        make(place)
    file = begun(tmp_path)
    if when == "meanwhile":
        make(place)
    before = place.lstat()
    assert written(file) == str(tmp_path / "f-2.bin")
    assert place.lstat() == before
    assert (tmp_path / "f-2.bin").read_bytes() == WHOLE


def hard_link(path: Path) -> None:
    of_ours(path.parent / "other", WHOLE[:-1])
    path.hardlink_to(path.parent / "other")


def linked(path: Path) -> None:
    of_ours(path.parent / "x", WHOLE)
    path.symlink_to("x")


def of_another_program(path: Path) -> None:
    path.write_bytes(WHOLE[:-1])
    path.chmod(0o644)


def of_ours(path: Path, data: bytes) -> None:
    path.touch(0o600)
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (linked, NoPlainPart),
        (lambda path: path.symlink_to("nowhere"), NoPlainPart),
        (os.mkfifo, NoPlainPart),
        (lambda path: path.mkdir(), NoPlainPart),
        (hard_link, NoPlainPart),
        (lambda path: of_ours(path, b"x" * limits.CHUNK), PartForeign),
        (of_another_program, PartForeign),
        (lambda path: of_ours(path, b""), PartForeign),
        (lambda path: of_ours(path, WHOLE + b"more"), PartForeign),
    ],
)
def test_a_part_that_is_not_ours_is_left_as_it_is(
    tmp_path: Path, make: Callable[[Path], object], error: type[AnonError]
) -> None:
    place = tmp_path / "f.bin.part"
    make(place)
    before = place.lstat()
    with pytest.raises(error):
        begun(tmp_path, is_fixed=True)
    assert written(begun(tmp_path)) == str(tmp_path / "f-2.bin")
    assert place.lstat() == before


def test_a_part_of_another_user_is_left_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    of_ours(tmp_path / "f.bin.part", WHOLE)
    monkeypatch.setattr(os, "getuid", lambda: 12_345)
    with pytest.raises(NoPlainPart):
        begun(tmp_path, is_fixed=True)


def test_a_part_that_is_being_written_is_not_written_by_another(tmp_path: Path) -> None:
    file = begun(tmp_path)
    file.write_chunk(0, CHUNKS[0])
    with pytest.raises(NoPlainPart):
        begun(tmp_path, is_fixed=True)
    file.close()
    begun(tmp_path, is_fixed=True).close()


def test_file_systems_without_locks_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.EOPNOTSUPP, "no")

    monkeypatch.setattr(fcntl, "flock", fail)
    file = begun(tmp_path)
    file.write_chunk(0, CHUNKS[0])
    file.close()
    again = begun(tmp_path)
    assert list(again.good) == [1, 0, 0]
    assert written(again) == str(tmp_path / "f.bin")


def test_a_path_that_was_given_is_the_only_one(tmp_path: Path) -> None:
    file = begun(tmp_path, is_fixed=True)
    (tmp_path / "f.bin").touch()
    with pytest.raises(FileExists):
        written(file)
    file.close()
    assert {path.name for path in tmp_path.iterdir()} == {"f.bin", "f.bin.part"}
    with pytest.raises(FileExists):
        begun(tmp_path, is_fixed=True)


def test_who_takes_the_part_away_does_not_make_us_name_another_file(tmp_path: Path) -> None:
    file = begun(tmp_path)
    (tmp_path / "f.bin.part").unlink()
    (tmp_path / "f.bin.part").write_bytes(b"theirs")
    with pytest.raises(FileUnwritable):
        written(file)
    file.close()
    assert [path.name for path in tmp_path.iterdir()] == ["f.bin.part"]
    untouched = begun(tmp_path, "g.bin")
    (tmp_path / "g.bin.part").unlink()
    (tmp_path / "g.bin.part").write_bytes(b"theirs")
    untouched.close()
    assert (tmp_path / "g.bin.part").read_bytes() == b"theirs"


@pytest.mark.parametrize(
    ("folder", "is_fixed", "error"),
    [("missing", False, FileUnwritable), ("file", False, FileUnwritable), (".", True, FileExists)],
)
def test_what_cannot_be_written_is_found_before_anything_begins(
    tmp_path: Path, folder: str, is_fixed: bool, error: type[AnonError]
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(error):
        part.check_folder(Destination(tmp_path / folder, "file", is_fixed))


def test_a_folder_that_we_may_not_write_to_is_found_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    part.check_folder(Destination(tmp_path, "f", False))
    monkeypatch.setattr(os, "access", lambda *_, **__: False)
    with pytest.raises(FileUnwritable):
        part.check_folder(Destination(tmp_path, "f", False))


def test_on_a_full_disk_what_is_whole_stays(tmp_path: Path) -> None:
    file = begun(tmp_path)
    file.write_chunk(0, CHUNKS[0])
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limits.CHUNK + 100, hard))
        with pytest.raises(FileUnwritable):
            file.write_chunk(1, CHUNKS[1])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    file.close()
    again = begun(tmp_path)
    assert list(again.good) == [1, 0, 0]
    again.close()


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EDQUOT, errno.EIO])
def test_whatever_the_disk_says_is_one_sentence(tmp_path: Path, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    file = begun(tmp_path)

    def fail(*_: object) -> int:
        raise OSError(code, "no")

    monkeypatch.setattr(os, "pwrite", fail)
    with pytest.raises(FileUnwritable):
        file.write_chunk(0, CHUNKS[0])
    file.close()
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_is_too_long_for_this_disk_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(FileUnwritable):
        begun(tmp_path, "x" * 251, is_fixed=True)
