"""What has circuits hang on a private network: it passes for their relays, and says of which circuit a cell is."""

import asyncio
import hashlib
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.support.hangs import CREATE2, DESTROY, FIXED, LINK_CERT, Chance, Connection, certify, sign

SEED = bytes(range(32))
PUBLIC = Ed25519PrivateKey.from_private_bytes(SEED).public_key()
SECONDS = 0.2  # for which a circuit hangs
VERSIONS = b"\0\0\7\0\4\0\4\0\5"  # the first cell, which is short
EXTEND, RELAY, END = 9, 3, 12  # commands of cells


def expand(seed: bytes) -> bytes:
    """The private key as Tor keeps it."""
    digest = bytearray(hashlib.sha512(seed).digest())
    digest[0] &= 248
    digest[31] = digest[31] & 63 | 64
    return bytes(digest)


def test_a_signature_by_an_expanded_key_is_one_of_its_public_key() -> None:
    PUBLIC.verify(sign(expand(SEED), b"message"), b"message")


def test_of_a_relays_certificates_the_one_for_its_tls_is_replaced_and_signed(tmp_path: Path) -> None:
    (tmp_path / "ed25519_signing_secret_key").write_bytes(bytes(32) + expand(SEED))
    other, link = bytes([4, 0, 3]) + b"abc", bytes([LINK_CERT, 0, 104])
    head, certified, rest = b"\1\5\0\0\0\0\3", bytes(32), b"\0"
    body = bytes([2]) + other + link + head + certified + rest + bytes(64)
    cell = bytes(4) + bytes([129]) + len(body).to_bytes(2, "big") + body
    made = certify(cell, tmp_path, b"certificate")
    signed = head + hashlib.sha256(b"certificate").digest() + rest
    assert made[:-64] == cell[:7] + bytes([2]) + other + link + signed
    PUBLIC.verify(made[-64:], signed)


class Writer:
    """Stands for a stream to a relay. cells: the number of the circuit and the command of each."""

    def __init__(self) -> None:
        self.cells: list[tuple[int, int]] = []
        self._news = asyncio.Event()

    def write(self, cell: bytes) -> None:
        self.cells.append((cell[3], cell[4]))
        self._news.set()

    async def has(self, count: int) -> None:
        """Returns once so many cells have come."""
        while len(self.cells) < count:
            self._news.clear()
            await self._news.wait()

    async def drain(self) -> None:
        """Nothing waits."""

    def is_closing(self) -> bool:
        return False

    def close(self) -> None:
        """Nothing is to do."""


def cells(*sent: tuple[int, int]) -> bytes:
    return b"".join(bytes([0, 0, 0, circuit, command]).ljust(FIXED, b"\0") for circuit, command in sent)


def test_a_circuit_that_hangs_goes_on_later_in_order_and_others_meanwhile() -> None:
    built = [(1, CREATE2), (2, CREATE2), (1, EXTEND), (2, EXTEND), (1, EXTEND), (2, EXTEND)]
    used = [(1, RELAY), (2, RELAY), (1, END), (2, DESTROY)]

    async def play() -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        chance, writer, reader = Chance(0.0, SECONDS), Writer(), asyncio.StreamReader()
        connection = Connection(chance, b"", Path())
        carrying = asyncio.create_task(connection.carry(reader, writer, is_outwards=True))  # type: ignore[arg-type]  # all it needs
        reader.feed_data(VERSIONS + cells(*built))
        await writer.has(1 + len(built))
        chance.wanted = 1
        reader.feed_data(cells(*used))
        reader.feed_eof()
        await carrying
        at_once = writer.cells[1 + len(built) :]
        await writer.has(1 + len(built) + len(used))
        return at_once, writer.cells[1 + len(built) :]

    at_once, later = asyncio.run(play())
    assert at_once == [(2, RELAY), (2, DESTROY)]
    assert later == [*at_once, (1, RELAY), (1, END)]
