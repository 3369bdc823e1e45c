"""Who is let in, and who is turned away with which word (PROTOCOL.md, 4.2)."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonp2p import limits
from anonp2p.core import admission, frames, identity, names
from anonp2p.core.admission import NotAdmitted
from anonp2p.core.identity import ENTRY, JOIN, RESUME, Identity
from anonp2p.core.ledger import Ledger
from anonp2p.core.log import Log

ROOM, NONCE = b"r" * 32, b"n" * 32
HOST, ANN, EVE = (Identity(name * 32, ROOM) for name in (b"h", b"a", b"e"))


@pytest.fixture
def ledger() -> Ledger:
    """A room with its host in it."""
    ledger = Ledger(ROOM)
    ledger.host = ledger.seat(HOST.key, "Host").id
    return ledger


def request(nick: str, who: Identity = ANN, nonce: bytes = NONCE) -> frames.Join:
    return frames.Join(who.key, nick, who.sign(JOIN, nonce + nick.encode()))


def turned_away(ledger: Ledger, join: frames.Join) -> str:
    with pytest.raises(NotAdmitted) as caught:
        admission.nick_for(ledger, NONCE, join)
    return caught.value.reason


def test_a_stranger_gets_the_nick_it_wants(ledger: Ledger) -> None:
    assert admission.nick_for(ledger, NONCE, request("ann")) == "ann"


def test_one_who_wants_none_gets_one_made_from_its_key(ledger: Ledger) -> None:
    nick = f"anon-{identity.spell(ANN.id)[:4]}"
    assert admission.nick_for(ledger, NONCE, request("")) == nick
    ledger.seat(EVE.key, nick.upper())
    assert admission.nick_for(ledger, NONCE, request("")) == f"anon-{identity.spell(ANN.id)[:5]}"


def test_asking_does_not_seat_anybody(ledger: Ledger) -> None:
    admission.nick_for(ledger, NONCE, request("ann"))
    assert len(ledger.roster) == 1


@pytest.mark.parametrize(
    "join",
    [
        request("ann", nonce=b"m" * 32),
        frames.Join(ANN.key, "eve", request("ann").signature),
        frames.Join(EVE.key, "ann", request("ann").signature),
        frames.Join(ANN.key, "ann", bytes(64)),
        frames.Join(bytes(31) + b"\xff", "ann", bytes(64)),
        frames.Join(ANN.key, "ann", ANN.sign(ENTRY, NONCE + b"ann")),
        request("ann", Identity(b"a" * 32, b"s" * 32)),
    ],
    ids=["another link's", "another nick", "another key", "no signature", "no key", "another purpose", "another room"],
)
def test_a_signature_that_does_not_cover_all_of_it_is_refused(ledger: Ledger, join: frames.Join) -> None:
    """3.3: a recorded Join is of no use on another link, nor with another nick."""
    assert turned_away(ledger, join) == "signature"


@pytest.mark.parametrize("nick", ["Host", "host", "HOST"])
def test_a_nick_like_a_members_is_refused(ledger: Ledger, nick: str) -> None:
    assert turned_away(ledger, request(nick)) == "nick-taken"


@pytest.mark.parametrize(
    "nick", [" ", "ann ", "an\u200bn", "ａｎｎ", "\u202enna", "[SYSTEM]", "...", "x" * (limits.NICK + 1), "x" * 9_000]
)
def test_an_improper_nick_is_refused(ledger: Ledger, nick: str) -> None:
    assert turned_away(ledger, request(nick)) == "bad-nick"


def test_one_who_dials_again_keeps_the_nick(ledger: Ledger) -> None:
    ledger.seat(ANN.key, "ann")
    assert admission.nick_for(ledger, NONCE, request("anna")) == "ann"


def test_the_hosts_own_key_is_no_way_in(ledger: Ledger) -> None:
    assert turned_away(ledger, request("other", HOST)) == "not-allowed"


@given(st.text(max_size=30), st.sampled_from([HOST, ANN, EVE]), st.sampled_from([NONCE, b"m" * 32]), st.booleans())
def test_a_request_is_granted_or_turned_away_and_never_fails_otherwise(
    nick: str, who: Identity, nonce: bytes, is_signed: bool
) -> None:
    """4.2: what gets in without a good signature over this link's nonce, and a proper nick, does not get in."""
    ledger = Ledger(ROOM)
    ledger.host = ledger.seat(HOST.key, "Host").id
    signature = who.sign(JOIN, nonce + nick.encode()) if is_signed else bytes(64)
    with suppress(NotAdmitted):
        granted = admission.nick_for(ledger, NONCE, frames.Join(who.key, nick, signature))
        assert (is_signed, nonce, who == HOST) == (True, NONCE, False)
        assert names.is_nick(granted)
        assert not ledger.roster.is_taken(granted, b"")


@given(st.binary(min_size=32, max_size=32), st.text(max_size=30), st.binary(min_size=64, max_size=64))
def test_bytes_that_nobody_signed_let_nobody_in(key: bytes, nick: str, signature: bytes) -> None:
    ledger = Ledger(ROOM)
    ledger.host = ledger.seat(HOST.key, "Host").id
    assert turned_away(ledger, frames.Join(key, nick, signature)) == "signature"


def test_a_full_room_lets_nobody_in(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MEMBERS", 2)
    assert admission.nick_for(ledger, NONCE, request("ann")) == "ann"
    ledger.seat(EVE.key, "eve")
    assert turned_away(ledger, request("ann")) == "full"


def test_one_who_cannot_sign_learns_nothing_of_the_room(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MEMBERS", 1)
    for nick in ("Host", "free", "im proper"):
        assert turned_away(ledger, frames.Join(ANN.key, nick, bytes(64))) == "signature"


def test_when_all_its_nicks_are_taken_one_must_choose(ledger: Ledger) -> None:
    spelled = identity.spell(ANN.id)
    for length in range(4, limits.NICK - len("anon-") + 1):
        ledger.seat(bytes([length]) * 32, f"anon-{spelled[:length]}")
    assert turned_away(ledger, request("")) == "nick-taken"


# --- coming back

DIGEST = b"d" * 32  # of the log that `log` holds, up to its entry 2


@pytest.fixture
def log() -> Log:
    """A log of three entries."""
    log = Log(1)
    for digest in (b"c" * 32, DIGEST, b"e" * 32):
        log.append(b"entry", digest)
    return log


def position(index: int, digest: bytes) -> bytes:
    return index.to_bytes(8, "big") + digest


def resume(
    index: int = 2, digest: bytes = DIGEST, who: Identity = ANN, nonce: bytes = NONCE, label: bytes = RESUME
) -> frames.Resume:
    return frames.Resume(who.id, index, digest, who.sign(label, nonce + position(index, digest)))


def not_resumed(ledger: Ledger, log: Log, request: frames.Resume) -> str:
    with pytest.raises(NotAdmitted) as caught:
        admission.resumption(ledger, log, NONCE, request)
    return caught.value.reason


@pytest.mark.parametrize("away", [False, True])
def test_a_member_goes_on_where_it_was(ledger: Ledger, log: Log, away: bool) -> None:
    ledger.seat(ANN.key, "ann", away=away)
    assert admission.resumption(ledger, log, NONCE, resume()) == (ANN.id, 3)
    assert admission.resumption(ledger, log, NONCE, resume(3, b"e" * 32)) == (ANN.id, 4)


@pytest.mark.parametrize(
    ("index", "digest"), [(2, b"c" * 32), (1, DIGEST), (0, DIGEST), (4, b"e" * 32), (2**53 - 1, DIGEST)]
)
def test_a_member_with_another_log_needs_a_welcome(ledger: Ledger, log: Log, index: int, digest: bytes) -> None:
    ledger.seat(ANN.key, "ann")
    assert admission.resumption(ledger, log, NONCE, resume(index, digest)) == (ANN.id, None)


@pytest.mark.parametrize("who", [EVE, HOST], ids=["a stranger", "the host"])
def test_nobody_but_a_member_comes_back(ledger: Ledger, log: Log, who: Identity) -> None:
    ledger.seat(ANN.key, "ann")
    assert not_resumed(ledger, log, resume(who=who)) == "unknown"


@pytest.mark.parametrize(
    "request_",
    [
        resume(nonce=b"m" * 32),
        frames.Resume(ANN.id, 1, DIGEST, resume().signature),
        frames.Resume(ANN.id, 2, b"c" * 32, resume().signature),
        frames.Resume(ANN.id, 2, DIGEST, resume(who=EVE).signature),
        frames.Resume(ANN.id, 2, DIGEST, bytes(64)),
        resume(label=JOIN),
        resume(label=ENTRY),
        resume(who=Identity(b"a" * 32, b"s" * 32)),
    ],
    ids=[
        "another link's",
        "another index",
        "another digest",
        "another key",
        "no signature",
        "a join",
        "an entry",
        "another room",
    ],
)
def test_a_resumption_that_its_signature_does_not_cover_is_refused(
    ledger: Ledger, log: Log, request_: frames.Resume
) -> None:
    """A recorded Resume is of no use on another link, nor from another place in the log."""
    ledger.seat(ANN.key, "ann")
    assert not_resumed(ledger, log, request_) == "signature"
