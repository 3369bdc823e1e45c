"""Has circuits of the clients of a private network hang, at a proxy through which these reach its relays.

Arguments: the share of circuits that hang, for how many seconds, the proxy's port of 127.0.0.1, then PORT:KEYS for each
relay: where it is reached, and the directory of its keys. A client's torrc names the proxy (`HTTPSProxy`). Its TLS ends
here, as its cells tell which circuit they are of (tor-spec, "Cells"), with a certificate that the key of its relay
signs. A circuit that is to hang does so from one of its first `MOMENTS` cells on, drawn at random: while it is built,
extended, or used. Then nothing passes on it either way for so long, and goes on after that, in order; all others go on.
Prints a line once the port is open, and one for each circuit that hangs. A line of its stdin is a number: so many more
hang, those of three hops or more that clients use next; it ends with its stdin.
"""

import asyncio
import hashlib
import random
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

BUILT = 3  # cells by which a circuit has three hops
MOMENTS = 8  # cells: a circuit to a rendezvous is built with 4, then asks for it; one to an introduction takes 6
PIECE = 65_536

VERSIONS, DESTROY, CREATE2, CERTS = 7, 4, 10, 129  # commands of cells
VARIABLE = 128  # and from this one on: cells with a length
FIXED = 514  # bytes of all others
LINK_CERT = 5  # a signing key's, for the certificate of a TLS connection

# Ed25519 (RFC 8032): Tor keeps expanded keys, with which `cryptography` does not sign.
_P = 2**255 - 19
_L = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, _P - 2, _P) % _P
_BASE = (
    15112221349535400772501151409588531511454012693041857206046113283949847762202,
    46316835694926478169428394003475163141307993866256225615783033603165251855960,
)

Point = tuple[int, int]


def _add(one: Point, other: Point) -> Point:
    (x1, y1), (x2, y2) = one, other
    product = _D * x1 * x2 * y1 * y2 % _P
    x = (x1 * y2 + x2 * y1) * pow(1 + product, _P - 2, _P) % _P
    y = (y1 * y2 + x1 * x2) * pow(1 - product, _P - 2, _P) % _P
    return x, y


def _multiply(number: int, point: Point) -> Point:
    result = (0, 1)
    while number:
        if number & 1:
            result = _add(result, point)
        point = _add(point, point)
        number >>= 1
    return result


def _encode(point: Point) -> bytes:
    x, y = point
    return (y | (x & 1) << 255).to_bytes(32, "little")


def sign(expanded: bytes, message: bytes) -> bytes:
    """An Ed25519 signature by an expanded private key of 64 bytes."""

    def number(data: bytes) -> int:
        return int.from_bytes(data, "little")

    def digest(data: bytes) -> int:
        return number(hashlib.sha512(data).digest()) % _L

    secret = number(expanded[:32])
    nonce = digest(expanded[32:] + message)
    commitment, public = _encode(_multiply(nonce, _BASE)), _encode(_multiply(secret, _BASE))
    return commitment + ((nonce + digest(commitment + public + message) * secret) % _L).to_bytes(32, "little")


def certify(cell: bytes, keys: Path, certificate: bytes) -> bytes:
    """A relay's cell of certificates, for a TLS certificate other than its own.

    keys: of the relay. certificate: in DER.
    """
    header, count, at = cell[:7], cell[7], 8
    body = bytes([count])
    for _ in range(count):
        kind, length = cell[at], int.from_bytes(cell[at + 1 : at + 3], "big")
        content = cell[at + 3 : at + 3 + length]
        if kind == LINK_CERT:
            signed = content[:7] + hashlib.sha256(certificate).digest() + content[39:-64]
            content = signed + sign((keys / "ed25519_signing_secret_key").read_bytes()[32:], signed)
        body += cell[at : at + 3] + content
        at += 3 + length
    return header + body


class Circuit:
    """A circuit of a client; `parked` is what does not pass, and to whom it is, while it hangs."""

    def __init__(self, hangs_at: int) -> None:
        self.hangs_at = hangs_at  # of its cells; 0: never
        self.cells = 0  # that the client has sent
        self.parked: list[tuple[asyncio.StreamWriter, bytes]] | None = None


class Connection:
    """One of a client to a relay. keys: the directory of the relay's."""

    def __init__(self, chance: "Chance", certificate: bytes, keys: Path) -> None:
        self._chance = chance
        self._certificate = certificate
        self._keys = keys
        self._circuits: dict[bytes, Circuit] = {}

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_outwards: bool) -> None:
        """One way of it, until its end. is_outwards: to the relay."""
        rest, number = b"", 2
        try:
            while data := await reader.read(PIECE):
                rest += data
                while cell := _first_cell(rest, number):
                    rest, number = rest[len(cell) :], 4  # once both have named their versions
                    self._pass_on(cell, writer, is_outwards=is_outwards)
                await writer.drain()
        except (OSError, ssl.SSLError):
            pass
        finally:
            writer.close()

    def _pass_on(self, cell: bytes, writer: asyncio.StreamWriter, *, is_outwards: bool) -> None:
        number, command = cell[:4], cell[4]
        if command == CERTS and not is_outwards:
            cell = certify(cell, self._keys, self._certificate)
        if is_outwards and command == CREATE2:
            self._circuits[number] = Circuit(self._chance.draw_moment())
        if is_outwards and command == DESTROY:
            self._circuits.pop(number, None)
        circuit = self._circuits.get(number)
        if circuit is not None and is_outwards:
            self._count(circuit)
        if circuit is not None and circuit.parked is not None:
            circuit.parked.append((writer, cell))
        else:
            writer.write(cell)

    def _count(self, circuit: Circuit) -> None:
        """The client sends a cell on it."""
        circuit.cells += 1
        if circuit.cells == circuit.hangs_at or self._takes_wanted(circuit):
            print(f"hangs at {circuit.cells}", flush=True)
            circuit.parked = []
            asyncio.get_running_loop().call_later(self._chance.seconds, self._release, circuit)

    def _takes_wanted(self, circuit: Circuit) -> bool:
        return circuit.cells > BUILT and circuit.parked is None and self._chance.take_wanted()

    @staticmethod
    def _release(circuit: Circuit) -> None:
        parked, circuit.parked = circuit.parked or [], None
        for writer, cell in parked:
            if not writer.is_closing():
                writer.write(cell)


def _first_cell(data: bytes, number: int) -> bytes:
    """The first whole cell; empty if there is none. number: bytes of the number of the circuit, which come first."""
    if len(data) <= number:
        return b""
    length = FIXED
    if data[number] == VERSIONS or data[number] >= VARIABLE:
        if len(data) < number + 3:
            return b""
        length = number + 3 + int.from_bytes(data[number + 1 : number + 3], "big")
    return data[:length] if len(data) >= length else b""


class Chance:
    """Which circuits hang, and for how many seconds. wanted: how many are to hang from their next cell on."""

    def __init__(self, share: float, seconds: float) -> None:
        self.seconds = seconds
        self.wanted = 0
        self._share = share

    def take_wanted(self) -> bool:
        """Whether this one is of those."""
        if not self.wanted:
            return False
        self.wanted -= 1
        return True

    def draw_moment(self) -> int:
        """At which of its cells a new circuit begins to hang; 0: never."""
        return random.randint(1, MOMENTS) if random.random() < self._share else 0


def make_contexts() -> tuple[ssl.SSLContext, ssl.SSLContext, bytes]:
    """For clients and to relays, and the certificate that clients see, in DER."""
    inside, outside = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    outside.check_hostname, outside.verify_mode = False, ssl.CERT_NONE
    with tempfile.TemporaryDirectory() as place:
        key, certificate = f"{place}/key", f"{place}/certificate"
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=www.example.net"]
        subprocess.run([*command, "-days", "365", "-keyout", key, "-out", certificate], check=True, capture_output=True)
        inside.load_cert_chain(certificate, key)
        return inside, outside, ssl.PEM_cert_to_DER_cert(Path(certificate).read_text())


async def main(chance: Chance, port: int, keys: Mapping[int, Path]) -> None:
    """Until stdin ends. keys: of relays, by their ports."""
    inside, outside, certificate = make_contexts()
    connections = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = await reader.readuntil(b"\r\n\r\n")  # CONNECT HOST:PORT HTTP/1.0
            relay = int(request.split()[1].rpartition(b":")[2])
            writer.write(b"HTTP/1.0 200 OK\r\n\r\n")
            await writer.start_tls(inside)
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", relay, ssl=outside)
        except (OSError, ssl.SSLError, asyncio.IncompleteReadError):
            writer.close()
            return
        connection = Connection(chance, certificate, keys[relay])
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(connection.carry(reader, far_writer, is_outwards=True))
            tasks.create_task(connection.carry(far_reader, writer, is_outwards=False))

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = asyncio.create_task(serve(reader, writer))
        connections.add(connection)
        connection.add_done_callback(connections.discard)

    await asyncio.start_server(connected, "127.0.0.1", port)
    print("ready", flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        chance.wanted += int(line)


if __name__ == "__main__":
    relays = dict(relay.split(":", 1) for relay in sys.argv[4:])
    directories = {int(port): Path(directory) for port, directory in relays.items()}
    asyncio.run(main(Chance(float(sys.argv[1]), float(sys.argv[2])), int(sys.argv[3]), directories))
