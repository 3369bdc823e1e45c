"""A room for a moment: published by this Tor, and reached through it, by ourselves. Its code is told to nobody.

And a second one, private: Tor has to take the keys of those who may find it, and our own to find it by.
"""

import secrets
from contextlib import suppress
from itertools import count

import trio

from anonp2p import errors, limits
from anonp2p.config import Endpoint
from anonp2p.crypto import invitations
from anonp2p.errors import TorRefused
from anonp2p.findings import Finding, FindingCode, find
from anonp2p.names.codes import RoomKey
from anonp2p.net.tor import commands
from anonp2p.net.transport import DialFault, Place, Transport
from anonp2p.reasons import Reason

_TOKEN = 32  # bytes by which we know our own room
_POOL = 32  # bytes of which all keys of a private room are made
_OF_PRIVATE: dict[FindingCode, FindingCode] = {
    "room-unpublished": "private-unpublished",
    "room-reached": "private-reached",
    "room-unreached": "private-unreached",
}


async def check_room(tor: Transport) -> list[Finding]:
    """Publishes a room and dials it; and a private one, if that worked.

    Raises AnonError where this Tor does not publish the first, or is lost.
    """
    findings = await _try_room(tor)
    if findings[-1].code == "room-reached":
        findings.append(await _try_private_room(tor))
    return findings


async def _try_private_room(tor: Transport) -> Finding:
    """Raises TorLost."""
    finding: Finding
    try:
        *_, last = await _try_room(tor, secrets.token_bytes(_POOL))
        finding = find(_OF_PRIVATE[last.code], *last.values)
    except* TorRefused as group:
        finding = find("private-refused", errors.first(group))
    return finding


async def _try_room(tor: Transport, pool: bytes = b"") -> list[Finding]:
    """pool: of whose keys it takes one to find it, if it is to be private. Raises AnonError."""
    key, token = RoomKey(secrets.token_bytes(32)), secrets.token_bytes(_TOKEN)
    clients = invitations.list_clients(pool) if pool else ()
    client_key = invitations.derive_key(pool, 0) if pool else b""
    begun = trio.current_time()
    async with tor.listen(key, clients) as place, trio.open_nursery() as nursery:
        findings = [find("defence-missing", defence) for defence in place.undefended]
        nursery.start_soon(_answer, place, token)
        with trio.move_on_after(limits.PUBLISH_PATIENCE) as patience:
            await place.published()
        if patience.cancelled_caught:
            findings.append(find("room-unpublished", limits.PUBLISH_PATIENCE))
        else:
            findings += [find("room-published", _since(begun)), await _reach(tor, key, token, client_key)]
        nursery.cancel_scope.cancel()
    return findings


async def _answer(place: Place, token: bytes) -> None:
    """Says the token to all who come from Tor."""

    async def greet(stream: trio.abc.Stream) -> None:
        with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            async with stream:
                if place.admits(stream):
                    await stream.send_all(token)
                    await stream.receive_some()  # until the other end has it and hangs up

    await trio.serve_listeners(greet, [place.listener])


async def _reach(tor: Transport, key: RoomKey, token: bytes, client_key: bytes) -> Finding:
    """Raises AnonError."""
    user = secrets.token_hex(8)
    try:
        return await _dial_until_reached(tor, key, token, client_key, user)
    finally:
        with trio.move_on_after(limits.WITHDRAW_PATIENCE, shield=True):
            await tor.forget_keys(user)


async def _dial_until_reached(tor: Transport, key: RoomKey, token: bytes, client_key: bytes, user: str) -> Finding:
    begun = trio.current_time()
    reason = Reason("dial-timeout", limits.DIAL_PATIENCE)
    with trio.move_on_after(limits.DIAL_PATIENCE):
        for number in count():
            seconds = limits.DIAL_TRIES[min(number, len(limits.DIAL_TRIES) - 1)]
            reason = Reason("dial-timeout", seconds)
            try:
                with trio.move_on_after(seconds):
                    async with await tor.dial(key.code, f"{user}:{number}", client_key=client_key) as stream:
                        if await _read(stream) == token:
                            return find("room-reached", _since(begun))
                        reason = Reason("service-silent")
            except DialFault as fault:
                reason = fault.reason
                if not fault.again:
                    break
            except trio.BrokenResourceError:
                reason = Reason("broken")
            await trio.sleep(limits.DIAL_PAUSE)
    return find("room-unreached", _since(begun), reason)


async def _read(stream: trio.abc.Stream) -> bytes:
    data = b""
    while len(data) < _TOKEN and (piece := await stream.receive_some(_TOKEN - len(data))):
        data += piece
    return data


async def check_socks(tor: Transport, proxy: Endpoint) -> list[Finding]:
    """Dials what is no onion address: Tor refuses that at once, and says why if it is to. Raises AnonError."""
    try:
        stream = await tor.dial(commands.NO_ADDRESS, secrets.token_hex(8))
    except DialFault as fault:
        return [find("extended-errors" if fault.reason.code == "bad-address" else "plain-errors", proxy)]
    await trio.aclose_forcefully(stream)
    return [find("lookup-forged")]


async def check_lookup(tor: Transport) -> list[Finding]:
    """Looks for a room that nobody has, where none can be published: Tor says that it is not there. Raises TorLost."""
    begun = trio.current_time()
    reason = Reason("dial-timeout", limits.DIAL_PATIENCE)
    with trio.move_on_after(limits.DIAL_PATIENCE):
        try:
            stream = await tor.dial(RoomKey(secrets.token_bytes(32)).code, secrets.token_hex(8))
        except DialFault as fault:
            if fault.absent:
                return [find("looked-up", _since(begun))]
            reason = fault.reason
        else:  # what has answered?
            await trio.aclose_forcefully(stream)
            return [find("lookup-forged")]
    return [find("lookup-failed", _since(begun), reason)]


def _since(begun: float) -> float:
    """Seconds, to a tenth."""
    return round(trio.current_time() - begun, 1)
