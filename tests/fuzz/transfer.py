"""Either end of a link on which a file is fetched, against records that its peer seals as it likes; and its name."""

from collections.abc import Callable
from contextlib import suppress

from anonp2p import limits
from anonp2p.crypto import suite
from anonp2p.errors import PeerFault
from anonp2p.names.file_names import PART, clean_name, number_name
from anonp2p.protocol import transfer
from anonp2p.protocol.transfer import Chunk, Claim, Done, FetchingEnd, ListPiece, NotServed, Queued, ServingEnd, Want
from tests.fuzz.source import STEPS, Source

_SECRET, _OURS, _THEIRS = b"s" * 32, b"o" * 32, b"t" * 32
_SIZES = (0, 1, limits.CHUNK, 2 * limits.CHUNK + 5, 65 * limits.CHUNK, limits.FILE)


def transfer_(data: bytes) -> None:
    """A fault, or what the protocol allows: within the file, and no more than was asked for."""
    source = Source(data)
    size = source.pick(*_SIZES)
    with suppress(PeerFault):
        (_serve if source.below(2) else _fetch)(source, size)


def _records(source: Source, way: str, kinds: tuple[bytes, ...], fields: Callable[[], bytes]) -> list[bytes]:
    key = suite.Key(suite.expand(_SECRET, f"{way} keys", _OURS + _THEIRS))
    records: list[bytes] = []
    while source.more and len(records) < STEPS:
        kind = source.pick(*kinds)
        text = bytes([source.below(6)]) + fields()
        length = transfer.LONG if kind == b"\1" else transfer.SHORT
        record = kind + key.seal_text(len(records), text[:length].ljust(length, b"\0"), kind)
        records.append(record if source.below(8) else source.edited(record))
    return records


def _feed(end: ServingEnd | FetchingEnd, data: bytes, step: int) -> list[object]:
    at, got = 0, []
    while at < len(data):
        assert 0 < end.missing <= transfer.LONG + suite.TAG
        piece = data[at : at + min(step, end.missing)]
        at += len(piece)
        got.append(end.receive_data(piece))
    return [each for each in got if each is not None]


def _serve(source: Source, size: int) -> None:
    end, step = ServingEnd(_SECRET, _OURS, size), source.pick(1, 7, 1 << 20)
    _feed(end, _THEIRS, step)

    def fields() -> bytes:
        numbers = b"".join(bytes([0, 0, 0, source.pick(0, 1, 2, 64, 65)]) for _ in "12")
        return bytes(source.pick(b"", numbers, b"c" * transfer.CLAIM, source.take(source.below(16))))

    under_way = 0
    for record in _records(source, "fetch", (b"",), fields):
        for request in _feed(end, record, step):
            if isinstance(request, Want):
                total = transfer.count_pieces(size) if request.kind == "list" else transfer.count_chunks(size)
                assert 0 <= request.first < request.first + request.count <= total
                under_way += 1
                assert under_way <= limits.WANTS
                if source.below(2):
                    end.note_answered()
                    under_way -= 1
            else:
                assert isinstance(request, Claim | Done)


def _fetch(source: Source, size: int) -> None:
    end, step = FetchingEnd(_SECRET, _THEIRS, size), source.pick(5_000, 1 << 20)
    _feed(end, _OURS, step)
    expected: list[tuple[str, int]] = []
    for kind, total in (("list", transfer.count_pieces(size)), ("chunks", transfer.count_chunks(size))):
        if total and source.below(4):
            want = Want("list" if kind == "list" else "chunks", 0, min(total, 1 + source.below(3)))
            end.seal_want(want)
            expected += [(kind, number) for number in range(want.count)]

    def fields() -> bytes:
        return bytes(
            source.pick(b"", b"\0\0\0\1", b"x" * source.pick(1, 5, 32, 96, 65_536), source.take(source.below(16)))
        )

    for record in _records(source, "serve", (b"\0", b"\1", b"\1"), fields):
        for answer in _feed(end, record, step):
            if isinstance(answer, ListPiece | Chunk):
                assert expected.pop(0) == ("list" if isinstance(answer, ListPiece) else "chunks", answer.number)
                if isinstance(answer, Chunk):
                    assert len(answer.data) == transfer.chunk_length(size, answer.number)
            else:
                assert isinstance(answer, Queued | NotServed)


def file_name_(data: bytes) -> None:
    """The name of a file: one part of a path, whatever it was, and the same when it is cleaned again."""
    cleaned = clean_name(data.decode("utf-8", "replace"))
    assert clean_name(cleaned) == cleaned
    assert not set(cleaned) & set("/\\\0")
    assert cleaned[0] not in " .-"
    assert 1 <= len(cleaned) <= limits.FILE_NAME
    assert len((number_name(cleaned, limits.FILE_NUMBERS) + PART).encode()) <= 255
