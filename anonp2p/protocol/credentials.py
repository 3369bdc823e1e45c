"""Whom an onion service leads to, and first answers, each of which is good on one link only (PROTOCOL.md, 2.12, 2.13).

`sign` stands for the signature by the member key of whoever answers, for the service that was dialled; `service` for
that service; `hello` for the hash of the hello on that link.
"""

from collections.abc import Callable

from anonp2p.crypto import identity
from anonp2p.errors import PeerFault
from anonp2p.names.codes import RoomKey
from anonp2p.protocol import frames

Sign = Callable[[bytes, bytes], bytes]


def sign_credentials(service_key: RoomKey, key: bytes, term: int = 0) -> frames.Credentials:
    """An onion service vouches for the member key of whoever it leads to.

    term: the number of the one that they host; 0 if none.
    """
    signed = identity.CREDENTIALS + service_key.public + _credentials_content(key, term)
    return frames.Credentials(service_key.public, key, term, service_key.sign(signed))


def check_credentials(credentials: frames.Credentials, service: bytes) -> None:
    """Raises PeerFault for credentials that are not of the onion service that was dialled."""
    content = _credentials_content(credentials.key, credentials.term)
    signature = credentials.signature
    is_signed = identity.is_signed(identity.CREDENTIALS, service, content, signature, credentials.address)
    if not (is_signed and credentials.address == service):
        raise PeerFault("wrong-credentials")


def sign_refusal(
    reason: frames.Refusal, hello: bytes, credentials: frames.Credentials, sign: Sign
) -> frames.RefusedFrame:
    """The refusal of a request."""
    return frames.RefusedFrame(reason, credentials, sign(identity.REFUSED, hello + reason.encode()))


def check_refusal(refused: frames.RefusedFrame, hello: bytes, service: bytes) -> None:
    """Raises PeerFault for a refusal that is not signed for this link by whom the service leads to."""
    check_credentials(refused.credentials, service)
    content, key = hello + refused.reason.encode(), refused.credentials.key
    if not identity.is_signed(identity.REFUSED, service, content, refused.signature, key):
        raise PeerFault("unsigned-refusal")


def sign_hold(hello: bytes, credentials: frames.Credentials, sign: Sign) -> frames.HeldFrame:
    """Who knocks is to wait."""
    return frames.HeldFrame(credentials, sign(identity.HELD, hello))


def check_hold(held: frames.HeldFrame, hello: bytes, service: bytes) -> None:
    """Raises PeerFault for one that is not signed for this link by whom the service leads to."""
    check_credentials(held.credentials, service)
    if not identity.is_signed(identity.HELD, service, hello, held.signature, held.credentials.key):
        raise PeerFault("unsigned-hold")


def sign_resumption(now: bytes, hello: bytes, sign: Sign) -> frames.ResumedFrame:
    """A member has its place again. now: a head for the log as it is."""
    return frames.ResumedFrame(now, sign(identity.RESUMED, hello + now))


def check_resumption(resumed: frames.ResumedFrame, hello: bytes, service: bytes, host: bytes) -> None:
    """Raises PeerFault for a resumption that the host with this key has not signed for this link."""
    if not identity.is_signed(identity.RESUMED, service, hello + resumed.now, resumed.signature, host):
        raise PeerFault("unsigned-resumption")


def sign_waiting(hello: bytes, sign: Sign) -> frames.WaitingFrame:
    """We do not host the room, and keep the link."""
    return frames.WaitingFrame(sign(identity.WAITING, hello))


def is_waiting_signed(waiting: frames.WaitingFrame, hello: bytes, service: bytes, key: bytes) -> bool:
    """Whether the member with this key has signed this answer for this link."""
    return identity.is_signed(identity.WAITING, service, hello, waiting.signature, key)


def _credentials_content(key: bytes, term: int) -> bytes:
    return key + term.to_bytes(8, "big")
