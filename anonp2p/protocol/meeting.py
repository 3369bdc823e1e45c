"""What two who may host the same room tell each other, signed for one link (PROTOCOL.md, 8.15 and 8.16).

service: the public key of the onion service that was dialled; hello: the hash of its hello on that link.
"""

import msgspec

from anonp2p.crypto import identity
from anonp2p.crypto.identity import Identity
from anonp2p.errors import PeerFault
from anonp2p.protocol import frames
from anonp2p.protocol.packing import pack
from anonp2p.protocol.requests import MeetRequest


def sign_redirect(where: frames.Where, service: bytes, hello: bytes, me: Identity) -> frames.RedirectFrame:
    """Tells the other end of a link of a host."""
    return frames.RedirectFrame(where, me.sign_for(service, identity.REDIRECT, hello + pack(where)))


def is_redirect_signed(redirect: frames.RedirectFrame, service: bytes, hello: bytes, key: bytes) -> bool:
    """Whether the member with this key has signed this for this link."""
    content = hello + pack(redirect.where)
    return identity.is_signed(identity.REDIRECT, service, content, redirect.signature, key)


def check_redirect(redirect: frames.RedirectFrame, service: bytes, hello: bytes, key: bytes) -> None:
    """Raises PeerFault for one that the member with this key has not signed for this link."""
    if not is_redirect_signed(redirect, service, hello, key):
        raise PeerFault("unsigned-redirect")


def sign_meet(unsigned: MeetRequest, service: bytes, hello: bytes, me: Identity) -> MeetRequest:
    """The same request with our signature for this link."""
    signature = me.sign_for(service, identity.MEET, meet_content(unsigned, hello))
    return msgspec.structs.replace(unsigned, signature=signature)


def is_meet_signed(meet: MeetRequest, service: bytes, hello: bytes, key: bytes) -> bool:
    """Whether the member with this key has signed this request for this link."""
    return identity.is_signed(identity.MEET, service, meet_content(meet, hello), meet.signature, key)


def meet_content(meet: MeetRequest, hello: bytes) -> bytes:
    """The bytes that the request of a host to another is signed over."""
    position = meet.index.to_bytes(8, "big") + meet.digest
    return hello + meet.link_secret + meet.address + position + pack(list(meet.openings))
