"""Cleaned copies: what mat2 is told, where it works, and what is left."""

import os
import shutil
import stat
import struct
import zlib
from pathlib import Path

import pytest
import trio

from anonp2p import disks, limits
from anonp2p.errors import AnonError
from anonp2p.files import cleaning
from anonp2p.files.errors import CleanerMissing, CleanerUnable, NoMemoryForCopy
from anonp2p.net.files.cleaner import clean
from anonp2p.net.tor import runtime
from tests.net.files.party import holds, names

FAKE = """#!/bin/sh
[ "$#" = 2 ] && [ "$1" = --inplace ] || exit 9
echo "$@" > {log}; pwd >> {log}; env >> {log}
{then}
"""


@pytest.fixture
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory in memory in which copies are made."""
    path = tmp_path / "memory"
    path.mkdir(0o700)
    monkeypatch.setattr(runtime, "find_base", lambda *_, **__: path)
    return path


def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, then: str) -> Path:
    """A mat2 that does this; returns where it writes what it was told."""
    program, log = tmp_path / "mat2", tmp_path / "log"
    program.write_text(FAKE.format(log=log, then=then))
    program.chmod(0o700)
    monkeypatch.setattr(cleaning, "find_mat2", lambda: str(program))
    return log


async def cleaned(path: Path, name: str) -> bytes:
    original = os.open(path, os.O_RDONLY)
    try:
        descriptor, size = await clean(original, name)
    finally:
        os.close(original)
    try:
        return os.pread(descriptor, size + 1, 0)
    finally:
        os.close(descriptor)


async def test_mat2_sees_a_copy_whose_name_says_nothing_and_nothing_stays(
    tmp_path: Path, memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = fake(tmp_path, monkeypatch, 'cat "$2" > copy; echo cleaned > "$2"; touch left-behind')
    monkeypatch.setenv("SECRET", "plum")
    source = tmp_path / "My Secret Plan.JPG"
    source.write_bytes(b"original" * limits.CHUNK)
    assert await cleaned(source, source.name) == b"cleaned\n"
    told = log.read_text().splitlines()
    assert told[0] == "--inplace file.jpg"
    assert Path(told[1]).parent == memory
    assert "plum" not in log.read_text()
    assert f"HOME={told[1]}" in told
    assert f"TMPDIR={told[1]}" in told
    assert names(memory) == []
    assert holds(source, b"original" * limits.CHUNK)


@pytest.mark.parametrize("then", ["exit 255", 'rm "$2"', 'rm "$2"; mkdir "$2"', 'rm "$2"; mkfifo "$2"', "kill $$"])
async def test_what_mat2_cannot_clean_is_not_sent(
    tmp_path: Path, memory: Path, monkeypatch: pytest.MonkeyPatch, then: str
) -> None:
    fake(tmp_path, monkeypatch, then)
    (tmp_path / "f").write_bytes(b"x")
    with pytest.raises(AnonError):
        await cleaned(tmp_path / "f", "f.jpg")
    assert names(memory) == []


async def test_a_mat2_that_never_ends_is_ended_with_who_waits_for_it(
    tmp_path: Path, memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = fake(tmp_path, monkeypatch, "exec sleep 1000")
    (tmp_path / "f").write_bytes(b"x")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(cleaned, tmp_path / "f", "f.jpg")
        with trio.fail_after(30):
            while not log.exists():  # noqa: ASYNC110  # it is another program that writes it
                await trio.sleep(0.01)
        nursery.cancel_scope.cancel()
    assert names(memory) == []
    monkeypatch.setattr(limits, "CLEAN_PATIENCE", 0.2)
    with pytest.raises(CleanerUnable):
        await cleaned(tmp_path / "f", "f.jpg")


async def test_without_mat2_it_is_said_how_to_have_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cleaning, "find_mat2", lambda: None)
    (tmp_path / "f").touch()
    with pytest.raises(CleanerMissing):
        await cleaned(tmp_path / "f", "f.jpg")


async def test_without_a_place_in_memory_nothing_is_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake(tmp_path, monkeypatch, "true")
    monkeypatch.setattr(disks, "keeping_of", lambda _: "plain")
    (tmp_path / "f").touch()
    with pytest.raises(NoMemoryForCopy):
        await cleaned(tmp_path / "f", "f.jpg")


async def test_a_file_that_does_not_fit_into_memory_is_not_sent(
    tmp_path: Path, memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake(tmp_path, monkeypatch, "true")
    (tmp_path / "f").write_bytes(b"x")

    def fill(*_: object) -> int:
        raise OSError(28, "full")

    monkeypatch.setattr(os, "write", fill)
    with pytest.raises(NoMemoryForCopy):
        await cleaned(tmp_path / "f", "f.jpg")
    assert names(memory) == []


@pytest.mark.parametrize(
    ("name", "copy"),
    [("a.PNG", "file.png"), ("a", "file"), ("a.tar.gz", "file.gz"), ("a.ünicode", "file"), ("a." + "x" * 20, "file")],
)
def test_of_a_name_the_extension_alone_is_kept(tmp_path: Path, name: str, copy: str) -> None:
    descriptor = os.open("/dev/null", os.O_RDONLY)
    path = cleaning.copy_into(descriptor, name, tmp_path)
    os.close(descriptor)
    assert path == tmp_path / copy
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def png(text: bytes) -> bytes:
    """A picture of one pixel, with a text in it."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    body = chunk(b"tEXt", b"Author\0" + text) + chunk(b"IDAT", zlib.compress(bytes(4)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + body + chunk(b"IEND", b"")


def test_one_in_the_directory_that_the_user_is_in_is_not_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What others put there would have the file, and all that we can read."""
    (tmp_path / "mat2").write_text("#!/bin/sh\n")
    (tmp_path / "mat2").chmod(0o700)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", os.pathsep.join((".", "")))
    cleaning.find_mat2.cache_clear()
    assert cleaning.find_mat2() is None
    monkeypatch.setenv("PATH", str(tmp_path))
    cleaning.find_mat2.cache_clear()
    assert cleaning.find_mat2() == os.path.realpath(tmp_path / "mat2")
    cleaning.find_mat2.cache_clear()


@pytest.mark.skipif(shutil.which("mat2") is None, reason="mat2 is not installed")
async def test_the_real_one_takes_out_who_made_a_picture(tmp_path: Path) -> None:
    cleaning.find_mat2.cache_clear()
    (tmp_path / "f.png").write_bytes(png(b"Ada Lovelace"))
    result = await cleaned(tmp_path / "f.png", "f.png")
    assert result.startswith(b"\x89PNG")
    assert b"Lovelace" not in result
