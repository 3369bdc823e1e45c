"""The handshake of a link, and its records: hello, client handshake, channel (PROTOCOL.md, 2)."""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final

from anonp2p import limits
from anonp2p.crypto import padding, suite
from anonp2p.crypto.ratchet import Ratchet
from anonp2p.crypto.suite import EncryptionKeyPair
from anonp2p.errors import PeerFault
from anonp2p.protocol import field_types, frames
from anonp2p.protocol.packing import pack, unpack
from anonp2p.protocol.requests import VERSION, AnyRequest, Hello, JoinRequest, ResumeRequest, read_version

_AROUND: Final = 2 * padding.LENGTH + suite.TAG + 8  # bytes of a record besides its frames
_HELLO: Final = limits.HELLO - padding.LENGTH
TICKET: Final = 16  # bytes of a ticket
_REQUEST: Final = limits.CLIENT_HANDSHAKE - padding.LENGTH - TICKET - field_types.BOX


class OtherVersion(Exception):
    """The host speaks another version of the protocol."""


class Channel:
    """Seals and opens the records at one end of a link, each with a key of its own (PROTOCOL.md, 2.6).

    It does not keep the secret: what it has after a record opens none of those before. up: whether this is the member's
    end. ticket: what the member shows when it comes back on another link.
    """

    def __init__(self, secret: bytes, hello: bytes, *, up: bool) -> None:
        ratchets = [Ratchet(suite.expand(secret, name, hello)) for name in ("up", "down")]
        self._sending_keys, self._receiving_keys = ratchets if up else reversed(ratchets)
        self._is_up = up
        self.ticket = suite.expand(secret, "ticket", hello)[:TICKET]

    def seal_frames(self, outgoing: Sequence[frames.Frame], *, echo: bool = False) -> bytes:
        """These frames as they are sent, in as few records as possible. Records are sent in the order of sealing.

        echo: of the first record, if it is a member's.
        """
        records = [self._make_record(part, echo=echo and not at) for at, part in enumerate(_split_frames(outgoing))]
        padded = [padding.fill_payload(pack(record), suite.TAG) for record in records]
        return b"".join(map(padding.frame_content, map(self.seal_padded, padded)))

    def _make_record(self, said: list[Any], *, echo: bool) -> frames.MemberRecord | frames.HostRecord:
        return frames.MemberRecord(echo, said) if self._is_up else frames.HostRecord(said)

    def seal_padded(self, padded: bytes) -> bytes:
        """The content of the next record: a packed record with its padding, sealed."""
        return self._sending_keys.take_next_key().seal_text(0, padded)

    def open_record(self, content: bytes) -> frames.MemberRecord | frames.HostRecord:
        """The next record of the other end. Raises PeerFault; no other record opens after that."""
        padded = self._receiving_keys.take_next_key().open_sealed(0, content)
        if padded is None:
            raise PeerFault("unreadable-record")
        kind = frames.HostRecord if self._is_up else frames.MemberRecord
        record: frames.MemberRecord | frames.HostRecord = unpack(kind, padding.unfill_payload(padded, suite.TAG))
        return record


def fits_unit(outgoing: Sequence[frames.Frame]) -> bool:
    """Whether a member's record with these frames makes a payload of the smallest size."""
    packed = pack(frames.MemberRecord(True, list(outgoing)))  # type: ignore[arg-type]
    return len(packed) + 2 * padding.LENGTH + suite.TAG <= limits.UNIT


def _split_frames(outgoing: Sequence[frames.Frame]) -> list[list[frames.Frame]]:
    """The frames in as few parts as possible, each of which fits into one record."""
    parts: list[list[frames.Frame]] = [[]]
    room = limits.BATCH_BYTES - _AROUND
    for frame in outgoing:
        size = len(pack(frame))
        if parts[-1] and (size > room or len(parts[-1]) == limits.FRAMES):
            parts.append([])
            room = limits.BATCH_BYTES - _AROUND
        parts[-1].append(frame)
        room -= size
    return parts


class HostHandshake:
    """The side of who is dialled: the hello that it sends, and the key that opens the answer.

    service: the public key of the onion service that was dialled, to which all that is said in the handshake is bound.
    """

    def __init__(self, nonce: bytes, service: bytes, key: EncryptionKeyPair) -> None:
        content = padding.pad_text(pack(Hello(VERSION, nonce, key.public)), _HELLO)
        self.wire = padding.frame_content(content)
        self.hello = suite.hash_data(content)
        self.service = service
        self._key = key

    def open_request(self, client_handshake: bytes) -> AnyRequest:
        """The request in a client handshake. Raises PeerFault."""
        padded = self._key.open_sealed(client_handshake[TICKET:], _client_handshake_info(self.service, self.hello))
        if len(padded) != _REQUEST:
            raise PeerFault("client-handshake-length")
        request: AnyRequest = unpack(AnyRequest, padding.unpad_text(padded))
        return request


class HandshakeKey:
    """The handshake key of a host, which is replaced every minute. random: returns this many random bytes."""

    def __init__(self, random: Callable[[int], bytes]) -> None:
        self._random = random
        self._key: EncryptionKeyPair | None = None
        self._shown: deque[bytes] = deque(maxlen=2)  # hashes of the public halves of the latest keys
        self._until = 0.0

    def has_shown(self, key: bytes) -> bool:
        """Whether this is the public half of the key of now, or of the one before."""
        return suite.hash_data(key) in self._shown

    def begin_handshake(self, service: bytes, now: float) -> HostHandshake:
        """The handshake of a new link to this service. Handshakes that began with an older key keep that key."""
        if self._key is None or now >= self._until:
            self._key = EncryptionKeyPair(self._random(suite.SECRET))
            self._shown.append(suite.hash_data(self._key.public))
            self._until = now + limits.HANDSHAKE_KEY
        return HostHandshake(self._random(32), service, self._key)

    def forget_expired_key(self, now: float) -> None:
        """Deletes the key when its time is over, even if no link comes that needs a new one."""
        if now >= self._until:
            self._key = None


def read_hello(content: bytes) -> tuple[Hello, bytes]:
    """The hello of a host and its hash. Raises PeerFault, OtherVersion."""
    packed = padding.unpad_text(content)
    if read_version(packed) != VERSION:
        raise OtherVersion
    if len(content) != _HELLO:
        raise PeerFault("hello-length")
    hello: Hello = unpack(Hello, packed)
    return hello, suite.hash_data(content)


def read_ticket(client_handshake: bytes) -> bytes:
    """The ticket that a client handshake shows, which may be none, without any work on the rest."""
    return client_handshake[:TICKET]


def seal_request(request: AnyRequest, service: bytes, hello: Hello, digest: bytes, ticket: bytes) -> bytes:
    """A client handshake with this request, as it is sent.

    service: what was dialled. digest: the hello's hash. ticket: of the joiner's last link, random for who has none.
    Raises PeerFault for a bad key.
    """
    padded = padding.pad_text(pack(request), _REQUEST)
    box = suite.seal_to_key(hello.handshake_key, padded, _client_handshake_info(service, digest))
    return padding.frame_content(ticket + box)


def _client_handshake_info(service: bytes, hello: bytes) -> bytes:
    return suite.label("client handshake") + service + hello


def join_content(hello: bytes, join: JoinRequest) -> bytes:
    """The bytes that a request to join is signed over."""
    position = join.index.to_bytes(8, "big") + join.digest
    further = suite.hash_data(join.encryption_key) + position + suite.hash_data(pack([join.invited]))
    return hello + join.link_secret + join.key + further + join.nick.encode()


def resume_content(hello: bytes, resume: ResumeRequest) -> bytes:
    """The bytes that a request to resume is signed over."""
    position = resume.epoch.to_bytes(8, "big") + resume.index.to_bytes(8, "big") + resume.digest
    line = bytes([resume.lost]) + suite.hash_data(pack(resume.openings))
    return hello + resume.link_secret + suite.hash_data(resume.encryption_key) + position + line
