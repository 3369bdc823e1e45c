"""Who is let in, and who is turned away with which word (PROTOCOL.md, 5.1)."""

from collections.abc import Container
from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonp2p import limits
from anonp2p.crypto import identity, invitations, suite
from anonp2p.crypto.identity import ENTRY, JOIN, RESUME, Identity
from anonp2p.names import nicks
from anonp2p.protocol import handshake
from anonp2p.protocol.field_types import Invited, Opening
from anonp2p.protocol.requests import JoinRequest, ResumeRequest
from anonp2p.protocol.rights import Invitation, Restrictions, Rights
from anonp2p.room.gate import NotAdmitted
from anonp2p.room.host import admission
from anonp2p.room.ledger import Ledger
from anonp2p.room.resuming import check_resume_request

ROOM, HELLO = b"r" * 32, b"n" * 32
OPENINGS = [Opening(0, b"h" * 16, 0, b"d" * 32)]
HOST, ANN, EVE, BOB, ZOE = (Identity(name * 32, ROOM) for name in (b"h", b"a", b"e", b"b", b"z"))
ELSEWHERE = Identity(b"a" * 32, b"s" * 32)
LINK, DIGEST = b"k" * 32, b"d" * 32
KEY = suite.EncryptionKeyPair(b"l" * 32).public
OTHER_KEY = suite.EncryptionKeyPair(b"o" * 32).public
BAD_KEYS = [KEY[:-32] + bytes(32), KEY[:-32] + b"\x01" + bytes(31), b"\xff" * 1_184 + KEY[-32:]]


@pytest.fixture
def ledger() -> Ledger:
    """A room with its host in it."""
    ledger = Ledger(ROOM)
    ledger.host = ledger.add_member(HOST.key, "Hugo", DIGEST).id
    return ledger


def request(
    nick: str,
    who: Identity = ANN,
    *,
    hello: bytes = HELLO,
    label: bytes = JOIN,
    encryption_key: bytes = KEY,
    key: bytes | None = None,
) -> JoinRequest:
    unsigned = JoinRequest(LINK, key or who.key, encryption_key, nick, bytes(64))
    signature = who.sign(label, handshake.join_content(hello, unsigned))
    return msgspec.structs.replace(unsigned, signature=signature)


def turned_away(ledger: Ledger, join: JoinRequest, kicked: Container[bytes] = ()) -> str:
    with pytest.raises(NotAdmitted) as caught:
        admission.choose_nick(ledger, ROOM, HELLO, join, kicked=kicked)
    return caught.value.reason


def test_a_stranger_gets_the_nick_it_wants(ledger: Ledger) -> None:
    assert admission.choose_nick(ledger, ROOM, HELLO, request("ann")) == "ann"


def test_one_who_wants_none_gets_one_made_from_its_key(ledger: Ledger) -> None:
    """5.1"""
    nick = f"anon-{identity.spell_member(ANN.id)[:4]}"
    assert admission.choose_nick(ledger, ROOM, HELLO, request("")) == nick
    ledger.add_member(EVE.key, nick.upper(), DIGEST)
    assert admission.choose_nick(ledger, ROOM, HELLO, request("")) == f"anon-{identity.spell_member(ANN.id)[:5]}"


def test_asking_does_not_roster_entry_anybody(ledger: Ledger) -> None:
    admission.choose_nick(ledger, ROOM, HELLO, request("ann"))
    assert len(ledger.roster) == 1


@pytest.mark.parametrize(
    "join",
    [
        request("ann", hello=b"m" * 32),
        msgspec.structs.replace(request("ann"), nick="eve"),
        msgspec.structs.replace(request("ann"), key=EVE.key),
        msgspec.structs.replace(request("ann"), encryption_key=OTHER_KEY),
        msgspec.structs.replace(request("ann"), link_secret=b"?" * 32),
        msgspec.structs.replace(request("ann"), signature=bytes(64)),
        request("ann", EVE, key=ANN.key),
        request("ann", key=bytes(31) + b"\xff"),
        request("ann", key=b"\x01" + bytes(31)),
        request("ann", label=ENTRY),
        request("ann", label=RESUME),
        request("ann", ELSEWHERE),
    ],
    ids=[
        *("another link's", "another nick", "another key", "another leaf", "another secret", "no signature"),
        *("another signer", "no key", "a key of all", "another purpose", "a resumption", "another room"),
    ],
)
def test_a_signature_that_does_not_cover_all_of_it_is_refused(ledger: Ledger, join: JoinRequest) -> None:
    """2.5: a recorded Join is of no use on another link, nor with another nick, encryption key or secret."""
    assert turned_away(ledger, join) == "signature"


@pytest.mark.parametrize("bad", BAD_KEYS, ids=["zero", "one", "no ML-KEM key"])
def test_a_key_that_cannot_be_sealed_to_is_refused(ledger: Ledger, bad: bytes) -> None:
    """3.2: it would spoil every commit."""
    assert turned_away(ledger, request("ann", encryption_key=bad)) == "key"


def test_a_locked_room_lets_no_stranger_in_and_keeps_its_members(ledger: Ledger) -> None:
    """5.1"""
    ledger.add_member(EVE.key, "eve", DIGEST)
    ledger.rights = Rights(Restrictions(locked=True))
    assert turned_away(ledger, request("ann")) == "locked"
    assert admission.choose_nick(ledger, ROOM, HELLO, request("eve", EVE)) == "eve"


@pytest.mark.parametrize("nick", ["Hugo", "hugo", "HUGO"])
def test_a_nick_like_a_members_is_refused(ledger: Ledger, nick: str) -> None:
    assert turned_away(ledger, request(nick)) == "nick-taken"


@pytest.mark.parametrize(
    "nick", [" ", "ann ", "an\u200bn", "ａｎｎ", "\u202enna", "[SYSTEM]", "...", "x" * (limits.NICK + 1), "x" * 9_000]
)
def test_an_improper_nick_is_refused(ledger: Ledger, nick: str) -> None:
    assert turned_away(ledger, request(nick)) == "bad-nick"


@pytest.mark.parametrize("nick", ["SYSTEM", "5YSTEM", "Tor", "host", "уоu", "system_", "admin"])
def test_a_nick_that_passes_for_the_program_or_a_role_is_refused(ledger: Ledger, nick: str) -> None:
    """5.1: a host may refuse more; nobody who is in loses anything by it."""
    assert nicks.is_nick(nick)
    assert turned_away(ledger, request(nick)) == "bad-nick"
    ledger.add_member(ANN.key, nick, DIGEST)
    assert admission.choose_nick(ledger, ROOM, HELLO, request(nick)) == nick


@pytest.mark.parametrize("nick", ["Hu-go", "hugo_", "huqo", "hu9o"])
def test_a_nick_that_people_confuse_with_a_members_is_refused(ledger: Ledger, nick: str) -> None:
    """5.1"""
    assert not ledger.roster.is_taken(nick, b"")
    assert turned_away(ledger, request(nick)) == "nick-taken"


@pytest.mark.parametrize(
    ("nick", "refused"),
    [
        *[("ANN", True), ("an-n", True), ("ann_", True), ("SYSTEM", True), ("уоu", True)],
        *[("ad4", False), ("AD4", False), ("ad4_", False), ("free", False)],
    ],
)
def test_a_member_is_kept_from_nicks_that_pass_for_anothers_or_the_programs(
    ledger: Ledger, nick: str, refused: bool
) -> None:
    """3.3a: not from what is like its own."""
    ledger.add_member(ANN.key, "ann", DIGEST)
    ledger.add_member(EVE.key, "ad4", DIGEST)
    assert admission.is_refused(ledger, nick, EVE.id) == refused


@pytest.mark.parametrize(
    ("ann", "eve", "answer"),
    [
        ("here", "", "nick-taken"),
        ("away", "", "not-allowed"),
        ("without a link", "", "not-allowed"),
        ("without a link", "away", "not-allowed"),
        ("without a link", "here", "nick-taken"),
    ],
)
def test_a_nick_that_only_members_without_a_link_hold_is_not_to_be_had_now(
    ledger: Ledger, ann: str, eve: str, answer: str
) -> None:
    """5.1: Greek nu looks like v in small letters, and like N in capitals."""
    ledger.add_member(ANN.key, "vick", DIGEST, away=ann == "away")
    if eve:
        ledger.add_member(EVE.key, "NICK", DIGEST, away=eve == "away")
    late = request("νick", Identity(b"z" * 32, ROOM))
    with pytest.raises(NotAdmitted) as caught:
        admission.choose_nick(ledger, ROOM, HELLO, late, {ANN.id} if ann == "without a link" else ())
    assert caught.value.reason == answer


def test_one_who_wants_no_nick_is_let_in_though_it_can_be_confused(ledger: Ledger) -> None:
    """5.1: any of those made from the key that are unlike all others, so it is never turned away for that."""
    spelled = identity.spell_member(ANN.id)
    for length in range(4, limits.NICK - len("anon-") + 1):
        nick = f"anon-{spelled[:length]}"
        ledger.add_member(bytes([length]) * 32, nick if length > 4 else f"anon_{spelled[:length]}", DIGEST)
    assert admission.choose_nick(ledger, ROOM, HELLO, request("")) == f"anon-{spelled[:4]}"


def test_one_who_dials_again_keeps_the_nick(ledger: Ledger) -> None:
    ledger.add_member(ANN.key, "ann", DIGEST)
    assert admission.choose_nick(ledger, ROOM, HELLO, request("anna")) == "ann"


def test_the_hosts_own_key_is_no_way_in(ledger: Ledger) -> None:
    assert turned_away(ledger, request("other", HOST)) == "not-allowed"


@given(st.text(max_size=30), st.sampled_from([HOST, ANN, EVE]), st.sampled_from([HELLO, b"m" * 32]), st.booleans())
def test_a_request_is_granted_or_turned_away_and_never_fails_otherwise(
    nick: str, who: Identity, hello: bytes, is_signed: bool
) -> None:
    """5.1: what gets in without a good signature over this link's hello, and a proper nick, does not get in."""
    ledger = Ledger(ROOM)
    ledger.host = ledger.add_member(HOST.key, "Hugo", DIGEST).id
    join = request(nick, who, hello=hello)
    with suppress(NotAdmitted):
        granted = admission.choose_nick(
            ledger, ROOM, HELLO, join if is_signed else msgspec.structs.replace(join, signature=bytes(64))
        )
        assert (is_signed, hello, who == HOST) == (True, HELLO, False)
        assert nicks.is_nick(granted)
        assert not ledger.roster.is_taken(granted, b"")


@given(st.binary(min_size=32, max_size=32), st.text(max_size=30), st.binary(min_size=64, max_size=64))
def test_bytes_that_nobody_signed_let_nobody_in(key: bytes, nick: str, signature: bytes) -> None:
    ledger = Ledger(ROOM)
    ledger.host = ledger.add_member(HOST.key, "Hugo", DIGEST).id
    assert turned_away(ledger, JoinRequest(LINK, key, KEY, nick, signature)) == "signature"


def test_an_invitation_is_good_at_the_present_code_alone(ledger: Ledger) -> None:
    """5d.7: whoever finds the host where it was before has not been told where it is."""
    key, client = invitations.derive_key(b"p" * 32, 0), invitations.find_client(ANN.return_key)
    invitation = invitations.find_invitation(key)
    unsigned = msgspec.structs.replace(
        request("ann"), invited=Invited(invitation, client, invitations.sign_invited(key, ANN.key, client))
    )
    signed = ANN.sign(JOIN, handshake.join_content(HELLO, unsigned))
    join = msgspec.structs.replace(unsigned, signature=signed)
    given = Invitation(invitation, 0, 1, 0, HOST.id, revoked=False, users=())
    ledger.rights = Rights(private=True, invitations=(given,), members_key=bytes(32))
    ledger.code = EVE.key
    assert turned_away(ledger, join) == "not-invited"
    ledger.code = ROOM
    assert admission.choose_nick(ledger, ROOM, HELLO, join) == "ann"


def test_a_full_room_lets_nobody_in(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MEMBERS", 2)
    assert admission.choose_nick(ledger, ROOM, HELLO, request("ann")) == "ann"
    ledger.add_member(EVE.key, "eve", DIGEST)
    assert turned_away(ledger, request("ann")) == "full"
    assert admission.choose_nick(ledger, ROOM, HELLO, request("eve", EVE)) == "eve"


def test_one_who_cannot_sign_learns_nothing_of_the_room(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MEMBERS", 1)
    ledger.rights = Rights(Restrictions(locked=True))
    for nick in ("Hugo", "free", "im proper"):
        assert turned_away(ledger, JoinRequest(LINK, ANN.key, KEY, nick, bytes(64))) == "signature"


def test_when_all_its_nicks_are_taken_one_must_choose(ledger: Ledger) -> None:
    spelled = identity.spell_member(ANN.id)
    for length in range(4, limits.NICK - len("anon-") + 1):
        ledger.add_member(bytes([length]) * 32, f"anon-{spelled[:length]}", DIGEST)
    assert turned_away(ledger, request("")) == "nick-taken"


# --- coming back


def resume(
    who: Identity = ANN,
    *,
    hello: bytes = HELLO,
    label: bytes = RESUME,
    signer: Identity | None = None,
    key: bytes = KEY,
) -> ResumeRequest:
    unsigned = ResumeRequest(LINK, who.id, key, 3, 2, DIGEST, OPENINGS, False, bytes(64))
    signature = (signer or who).sign(label, handshake.resume_content(hello, unsigned))
    return msgspec.structs.replace(unsigned, signature=signature)


def not_resumed(ledger: Ledger, request: ResumeRequest) -> str:
    ledger.kicked[BOB.id] = BOB.key
    with pytest.raises(NotAdmitted) as caught:
        check_resume_request(ledger, ledger.host, ROOM, HELLO, request, {ZOE.id})
    return caught.value.reason


@pytest.mark.parametrize("away", [False, True])
@pytest.mark.parametrize("locked", [False, True])
def test_a_member_comes_back_to_its_place(ledger: Ledger, away: bool, locked: bool) -> None:
    ledger.rights = Rights(Restrictions(locked=locked))
    ann = ledger.add_member(ANN.key, "ann", DIGEST, away=away)
    assert check_resume_request(ledger, ledger.host, ROOM, HELLO, resume()) is ann


@pytest.mark.parametrize("who", [EVE, HOST], ids=["a stranger", "the host"])
def test_nobody_but_a_member_comes_back(ledger: Ledger, who: Identity) -> None:
    """5.12"""
    ledger.add_member(ANN.key, "ann", DIGEST)
    assert not_resumed(ledger, resume(who)) == "unknown"


@pytest.mark.parametrize(
    "request_",
    [
        resume(hello=b"m" * 32),
        msgspec.structs.replace(resume(), index=1),
        msgspec.structs.replace(resume(), epoch=2),
        msgspec.structs.replace(resume(), digest=b"c" * 32),
        msgspec.structs.replace(resume(), link_secret=b"?" * 32),
        msgspec.structs.replace(resume(), encryption_key=OTHER_KEY),
        resume(signer=EVE),
        msgspec.structs.replace(resume(), signature=bytes(64)),
        resume(label=JOIN),
        resume(label=ENTRY),
        resume(signer=ELSEWHERE),
    ],
    ids=[
        *("another link's", "another index", "another epoch", "another digest", "another secret", "another leaf"),
        *("another signer", "no signature", "a join", "an entry", "another room"),
    ],
)
def test_a_resumption_that_its_signature_does_not_cover_is_refused(ledger: Ledger, request_: ResumeRequest) -> None:
    """2.5: a recorded Resume is of no use on another link, nor from another place in the log."""
    ledger.add_member(ANN.key, "ann", DIGEST)
    assert not_resumed(ledger, request_) == "unknown"


@pytest.mark.parametrize("bad", BAD_KEYS, ids=["zero", "one", "no ML-KEM key"])
def test_a_resumption_with_a_key_that_cannot_be_sealed_to_is_refused(ledger: Ledger, bad: bytes) -> None:
    """3.2"""
    ledger.add_member(ANN.key, "ann", DIGEST)
    assert not_resumed(ledger, resume(key=bad)) == "unknown"


def test_one_who_was_thrown_out_is_told_so_and_nobody_else_who_asks_for_it(ledger: Ledger) -> None:
    """5.12: or its program would come back by itself."""
    assert not_resumed(ledger, resume(BOB)) == "kicked"
    assert not_resumed(ledger, resume(BOB, signer=EVE)) == "unknown"
    assert turned_away(ledger, request("bob", BOB), kicked={BOB.id}) == "kicked"
    forged = msgspec.structs.replace(request("bob", BOB), signature=bytes(64))
    assert turned_away(ledger, forged, kicked={BOB.id}) == "signature"


@pytest.mark.parametrize("key", [KEY, *BAD_KEYS], ids=["good", "zero", "one", "no ML-KEM key"])
def test_no_refusal_tells_who_is_in(ledger: Ledger, monkeypatch: pytest.MonkeyPatch, key: bytes) -> None:
    """5.12: neither by what it says, nor by the work before it. Eve knows all ids, and has no key but hers."""
    work: list[str] = []

    def count(module: Any, name: str) -> None:
        real = getattr(module, name)

        def counted(*given: Any) -> Any:
            work.append(name)
            return real(*given)

        monkeypatch.setattr(module, name, counted)

    ledger.add_member(ANN.key, "ann", DIGEST)
    ledger.add_member(ZOE.key, "zoe", DIGEST, away=True)
    count(identity, "is_signed")
    count(suite, "seal_to_key")
    answers = set()
    for who in (ANN, BOB, ZOE, HOST, EVE):  # in, thrown out, about to lose its place, the host, never there
        work.clear()
        refusal = not_resumed(ledger, resume(who, signer=EVE, key=key))
        answers.add((refusal, tuple(work)))
    assert answers == {("unknown", ("is_signed", "seal_to_key"))}
