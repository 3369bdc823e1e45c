"""Letting us in at a control port (control-spec 3.5, 3.21, 3.24): not by stem, which would send plain cookies."""

import hmac
import os
import re
import secrets
import stat
from collections.abc import Callable

from anonp2p import limits
from anonp2p.config import Endpoint
from anonp2p.errors import TorRefused
from anonp2p.net.tor import owner, place
from anonp2p.net.tor.errors import (
    CookieElsewhere,
    CookieForbidden,
    CookieMissing,
    CookieUnknown,
    NoAuthentication,
    NotLetIn,
    OpenToAll,
    PasswordNeeded,
)

Ask = Callable[[str], list[str]]  # sends a command; gives the lines of the reply, none where it is refused

# The replies to PROTOCOLINFO and AUTHCHALLENGE (control-spec 3.21, 3.24).
_AUTH = re.compile(r'AUTH METHODS=(?P<methods>[A-Z0-9_,]+)(?: COOKIEFILE="(?P<path>(?:[^"\\]|\\.)*)")?')
_ESCAPED = re.compile(r"\\([0-7]{1,3}|.)")
_CHALLENGE = re.compile(r"AUTHCHALLENGE SERVERHASH=(?P<hash>[0-9A-Fa-f]{64}) SERVERNONCE=(?P<nonce>[0-9A-Fa-f]{64})")


def authenticate(ask: Ask, endpoint: Endpoint, owners: frozenset[int] | None, password: bytes = b"") -> None:
    """Has a control port let us in.

    PROTOCOLINFO is only a claim of the other end: it can name any file as its cookie. With SAFECOOKIE it has to prove
    that it knows the file and gets a proof that we do. With plain COOKIE it would get the content of the file.

    owners: the uids of those who may listen there, if the user did not name the endpoint. Raises TorRefused,
    ValueError if the answers are not those of a control port, and what `ask` does.
    """
    methods, path = _offers(ask)
    refusals: list[TorRefused] = []
    if "SAFECOOKIE" in methods:
        try:
            cookie = _read_cookie(path, owners)
        except FileNotFoundError:
            refusals.append(CookieElsewhere(endpoint))
        except OSError:
            refusals.append(CookieForbidden(endpoint, place.name_group(path)))
        else:
            if cookie:
                return _let_in(ask, endpoint, f"AUTHENTICATE {_prove(ask, endpoint, cookie)}")
            refusals.append(CookieMissing(endpoint))
    if "HASHEDPASSWORD" in methods:
        if password := password or os.fsencode(os.environ.get("TOR_CONTROL_PASSWD", "")):
            return _let_in(ask, endpoint, f"AUTHENTICATE {password.hex()}")
        refusals.append(PasswordNeeded(endpoint))
    if "NULL" in methods:
        if owners is None or owners <= {os.getuid(), owner.ROOT}:
            return _let_in(ask, endpoint, "AUTHENTICATE")
        refusals.append(OpenToAll(endpoint))
    refusals.append(NoAuthentication(endpoint))
    raise refusals[0]


def _let_in(ask: Ask, endpoint: Endpoint, command: str) -> None:
    if not ask(command):
        raise NotLetIn(endpoint)


def _offers(ask: Ask) -> tuple[set[str], str]:
    """The methods and the path of the cookie in the reply to PROTOCOLINFO. Raises ValueError."""
    version, *lines = ask("PROTOCOLINFO 1") or [""]
    offers = [match for line in lines if (match := _AUTH.fullmatch(line))]
    if not version.startswith("PROTOCOLINFO ") or len(offers) != 1:
        raise ValueError
    path = _ESCAPED.sub(lambda escape: _unescape(escape[1]), offers[0]["path"] or "")
    return set(offers[0]["methods"].split(",")), path


def _unescape(what: str) -> str:
    """The character that an escape in a path stands for, as in C (control-spec 2.1.1)."""
    return chr(int(what, 8)) if what.isdigit() else {"n": "\n", "r": "\r", "t": "\t"}.get(what, what)


def _read_cookie(path: str, owners: frozenset[int] | None) -> bytes:
    """The content of a cookie file; empty if it is not one, or belongs to none of `owners`, root and Tor's user.

    Tor usually opens its port as root and then changes to its own user, who makes the cookie. The status of the file is
    checked before it is opened, since opening a device may have an effect. Raises OSError.
    """
    if not path.startswith("/") or "\0" in path:
        return b""
    found = os.open(path.encode("latin-1"), os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        status = os.fstat(found)
        uid = status.st_uid
        is_theirs = owners is None or uid in owners | {owner.ROOT} or uid in owner.tor_users()
        if not (stat.S_ISREG(status.st_mode) and status.st_size == limits.COOKIE_BYTES and is_theirs):
            return b""
        with open(f"/proc/self/fd/{found}", "rb") as file:  # noqa: PTH123  # this file, even if it was renamed
            cookie = file.read(limits.COOKIE_BYTES + 1)
    finally:
        os.close(found)
    return cookie if len(cookie) == limits.COOKIE_BYTES else b""


def _prove(ask: Ask, endpoint: Endpoint, cookie: bytes) -> str:
    """Our proof that we know the cookie, after the other end has proved it (control-spec 3.24).

    Raises TorRefused, ValueError.
    """
    nonce = secrets.token_bytes(32)
    answer = _CHALLENGE.fullmatch("\n".join(ask(f"AUTHCHALLENGE SAFECOOKIE {nonce.hex()}")))
    if answer is None:
        raise ValueError
    both = cookie + nonce + bytes.fromhex(answer["nonce"])
    theirs = hmac.digest(b"Tor safe cookie authentication server-to-controller hash", both, "sha256")
    if not hmac.compare_digest(theirs, bytes.fromhex(answer["hash"])):
        raise CookieUnknown(endpoint)
    return hmac.digest(b"Tor safe cookie authentication controller-to-server hash", both, "sha256").hex()
