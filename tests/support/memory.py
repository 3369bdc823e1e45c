"""Looking for what should be gone: in the objects of this process, and in the whole memory of another."""

import array
import collections
import gc
import io
import os
import signal
import sys
import time
import types
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest

_CHUNK = 1 << 20
_LEVELS = 5  # of holders, in a description
# Types of objects that hold no text of ours, and of those that hold nothing but their own: most of all there are.
_EMPTY = frozenset((int, bool, float, types.CodeType, types.BuiltinFunctionType, types.GetSetDescriptorType))
_LEAVES = frozenset((str, bytes))
_SUSPENDED = (types.GeneratorType, types.CoroutineType, types.AsyncGeneratorType)


def held(*needles: bytes) -> list[str]:
    """Which objects of this process contain one of these, as bytes or as text, each with what holds it: types only.

    The needles themselves do not count, nor do the variables of who asks, unless a closure has them. Constants in code
    are not seen, nor is what an extension keeps to itself (`residue` sees both), nor what other tests than this hold.
    What only a garbage cycle holds still counts: collect it before.
    """
    asking: set[int] = set()
    frame: types.FrameType | None = sys._getframe()
    while frame is not None:
        asking.add(id(frame))
        frame = frame.f_back
    roots = gc.get_objects()
    visited = {id(roots), id(asking), *map(id, needles), *asking}
    roots += [each for each in sys._current_frames().values() if id(each) not in asking]
    roots = [each for each in roots if not _runs(each, asking)]
    texts = [needle.decode() for needle in needles if _is_text(needle)]
    holders: dict[int, object] = {}
    visited |= {id(texts), id(holders), id(visited), id(roots), *map(id, texts)}

    found = []
    while roots:
        one = roots.pop()
        if id(one) in visited:
            continue
        visited.add(id(one))
        if contains_any(one, needles, texts):
            found.append(one)
        if type(one) in _LEAVES or isinstance(one, pytest.Item):
            continue  # holds nothing; or is another test: there are thousands
        for other in (*gc.get_referents(one), *find_untold(one)):
            if type(other) in _EMPTY:
                continue
            holders.setdefault(id(other), one)  # also of one visited before: a collection may list contents first
            if id(other) not in visited:
                roots.append(other)
    described = [describe_object(one, holders) for one in found]
    holders.clear()  # of itself as well: the next search is not to find it
    return described


def parts(owner: object) -> list[object]:
    """What an object of the program keeps: its attributes, what is in its containers, those of its own objects."""
    found, todo, visited = [], [owner], {0}
    while todo:
        one = todo.pop()
        if id(one) in visited:
            continue
        visited.add(id(one))
        found.append(one)
        if isinstance(one, dict):
            todo += [*one.keys(), *one.values()]
        elif isinstance(one, list | tuple | set | frozenset | collections.deque):
            todo += one
        elif type(one).__module__.startswith("anonp2p."):
            todo += [
                getattr(one, name) for name in (*vars(type(one)).get("__slots__", ()), *getattr(one, "__dict__", ()))
            ]
    return found


def find_untold(one: object) -> list[object]:
    """What gc does not tell of: a dict's keys where all are str, the fields of a Struct that it need not look at."""
    if isinstance(one, dict):
        return list(dict.keys(one))
    if isinstance(one, msgspec.Struct):
        return [getattr(one, name) for name in type(one).__struct_fields__]
    return []


def _runs(one: object, asking: set[int]) -> bool:
    """Whether its variables are those of somebody who asks."""
    if not isinstance(one, _SUSPENDED):
        return False
    prefix = {types.GeneratorType: "gi", types.CoroutineType: "cr", types.AsyncGeneratorType: "ag"}[type(one)]
    return id(getattr(one, f"{prefix}_frame")) in asking


def contains_any(one: object, needles: tuple[bytes, ...], texts: list[str]) -> bool:
    if isinstance(one, io.BytesIO | io.StringIO):
        one = "" if one.closed else one.getvalue()
    if isinstance(one, str):
        return any(text in one for text in texts)
    if isinstance(one, memoryview | array.array):
        try:
            one = one.tobytes()
        except ValueError:  # it was released
            return False
    return isinstance(one, bytes | bytearray) and any(needle in one for needle in needles)


def describe_object(one: object, holders: dict[int, object]) -> str:
    names = [type(one).__qualname__]
    seen = {id(one)}
    while len(names) <= _LEVELS and id(one) in holders and id(holders[id(one)]) not in seen:
        one = holders[id(one)]
        seen.add(id(one))
        names.append(type(one).__qualname__)
    return " in ".join(names)


def _is_text(needle: bytes) -> bool:
    try:
        needle.decode()
    except UnicodeDecodeError:
        return False
    return True


def residue(pid: int, needle: bytes) -> int:
    """How often a process has this anywhere in its memory, used or freed: what a core dump of it would hold.

    A needle that is text is looked for in all the widths that Python keeps text in. The process, a child of ours, is
    stopped meanwhile. It has to be dumpable, or we are root: raises AssertionError where its memory cannot be read.
    """
    forms = {needle}
    if _is_text(needle):
        text = needle.decode()
        forms |= {text.encode("utf-16-le"), text.encode("utf-32-le")}
        forms |= {text.encode("latin-1")} if max(text) <= "\xff" else set()
    try:
        os.kill(pid, signal.SIGSTOP)
    except ProcessLookupError as error:
        raise AssertionError(f"the memory of process {pid} cannot be read: {error.strerror}") from error
    try:
        while not _is_stopped(pid):
            time.sleep(0.001)  # there is no event for it
        return _count(pid, forms)
    finally:
        os.kill(pid, signal.SIGCONT)


def _is_stopped(pid: int) -> bool:
    states = set()
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):  # a thread that has ended meanwhile
            states.add((task / "stat").read_text().rpartition(") ")[2][0])
    return states == {"T"}


def _count(pid: int, forms: set[bytes]) -> int:
    pieces = _memory(pid, max(map(len, forms)) - 1)
    return sum(piece.count(form, max(0, begin - len(form) + 1)) for piece, begin in pieces for form in forms)


def _memory(pid: int, overlap: int) -> Iterator[tuple[bytes, int]]:
    """All that a process can write to, in pieces which begin with the end of the one before; and where they go on."""
    try:
        maps = Path(f"/proc/{pid}/maps").read_text().splitlines()
        with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
            for line in maps:
                bounds, permissions, *_ = line.split()
                if not permissions.startswith("rw"):
                    continue
                place, end = (int(bound, 16) for bound in bounds.split("-"))
                memory.seek(place)
                tail = b""
                while place < end:
                    data = memory.read(min(_CHUNK, end - place))
                    assert data, f"the memory of {pid} ends within {line}"
                    place += len(data)
                    yield tail + data, len(tail)
                    tail = (tail + data)[-overlap:] if overlap else b""
    except OSError as error:
        raise AssertionError(f"the memory of process {pid} cannot be read: {error.strerror}") from error
