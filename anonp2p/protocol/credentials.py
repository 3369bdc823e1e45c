"""Who serves a room, and the first answers of a host, each of which is good on one link only (PROTOCOL.md, 2.12, 2.13).

`sign` stands for the signature of a host by its member key, `hello` for the hash of the host's hello on that link.
"""

from collections.abc import Callable

from anonp2p.crypto import identity
from anonp2p.errors import PeerFault
from anonp2p.names.codes import RoomKey
from anonp2p.protocol import frames

_TERM = 0  # of the only host that a room has

Sign = Callable[[bytes, bytes], bytes]


def sign_credentials(room_key: RoomKey, key: bytes) -> frames.Credentials:
    """The onion service of a room vouches for the member key of the host that it leads to."""
    signed = identity.CREDENTIALS + room_key.public + _credentials_content(key, _TERM)
    return frames.Credentials(room_key.public, key, _TERM, room_key.sign(signed))


def check_credentials(credentials: frames.Credentials, room: bytes) -> None:
    """Raises PeerFault for credentials that are not of the onion service that was dialled."""
    content = _credentials_content(credentials.key, credentials.term)
    signature = credentials.signature
    is_signed = identity.is_signed(identity.CREDENTIALS, room, content, signature, credentials.address)
    if not (is_signed and (credentials.address, credentials.term) == (room, _TERM)):
        raise PeerFault("wrong-credentials")


def sign_refusal(
    reason: frames.Refusal, hello: bytes, credentials: frames.Credentials, sign: Sign
) -> frames.RefusedFrame:
    """The refusal of a request."""
    return frames.RefusedFrame(reason, credentials, sign(identity.REFUSED, hello + reason.encode()))


def check_refusal(refused: frames.RefusedFrame, hello: bytes, room: bytes, host: bytes | None) -> None:
    """Raises PeerFault for a refusal that the host has not signed for this link.

    host: its key, if we know it; who comes for the first time has it from the credentials.
    """
    if host is None:
        check_credentials(refused.credentials, room)
        host = refused.credentials.key
    content = hello + refused.reason.encode()
    if not identity.is_signed(identity.REFUSED, room, content, refused.signature, host):
        raise PeerFault("unsigned-refusal")


def sign_resumption(now: bytes, hello: bytes, sign: Sign) -> frames.ResumedFrame:
    """A member has its place again. now: a head for the log as it is."""
    return frames.ResumedFrame(now, sign(identity.RESUMED, hello + now))


def check_resumption(resumed: frames.ResumedFrame, hello: bytes, room: bytes, host: bytes) -> None:
    """Raises PeerFault for a resumption that the host with this key has not signed for this link."""
    if not identity.is_signed(identity.RESUMED, room, hello + resumed.now, resumed.signature, host):
        raise PeerFault("unsigned-resumption")


def _credentials_content(key: bytes, term: int) -> bytes:
    return key + term.to_bytes(8, "big")
