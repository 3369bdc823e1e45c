"""What may come next and what it adds up to (PROTOCOL.md, 5.7): each rule has a test that fails without it."""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec import msgpack

from anonp2p import limits
from anonp2p.crypto import identity, padding, suite
from anonp2p.crypto.epoch import COMMIT, ENTRY, FLEETING, KEPT, Header
from anonp2p.crypto.identity import JOIN, Identity
from anonp2p.errors import PeerFault
from anonp2p.protocol import field_types, room_state
from anonp2p.protocol.bodies import (
    AwayBody,
    BackBody,
    Body,
    CloseBody,
    CommitBody,
    Content,
    JoinedBody,
    LeaveBody,
    LockBody,
    NickBody,
    PrivateBody,
    Removal,
    RemoveBody,
    RenewBody,
    RetractBody,
    RoleBody,
    TextBody,
)
from anonp2p.protocol.packing import pack
from anonp2p.room.contents import entry_content, head_content, padded_content, unpack_content
from anonp2p.room.entry_rules import check_entry, check_tombstone
from anonp2p.room.ledger import Ledger
from anonp2p.room.roster import Member

ROOM = b"r" * 32
KEY = b"l" * 32
SALT = bytes(limits.SALT)
BOX = PrivateBody(bytes(field_types.BOX + 1))
HOST, ANN, BOB, EVE = (Identity(name * 32, ROOM) for name in (b"h", b"a", b"b", b"e"))


def spell(it: object) -> str:
    """How a case is named."""
    who = {HOST: "host", ANN: "ann", BOB: "bob", EVE: "eve"}
    return who[it] if isinstance(it, Identity) else repr(it)


@pytest.fixture
def ledger() -> Ledger:
    """A room with a host and two members."""
    ledger = Ledger(ROOM)
    ledger.name = "demo"
    ledger.host = ledger.add_member(HOST.key, "host", KEY).id
    ledger.add_member(ANN.key, "ann", KEY)
    ledger.add_member(BOB.key, "Bob", KEY, counter=7)
    ledger.begin_log()
    return ledger


def content(ledger: Ledger, body: Body) -> Content:
    return Content(SALT, ledger.index, ledger.digest, body)


def sealed(
    author: Identity, header: Header, content: bytes, epoch: int = 0, label: bytes = identity.ENTRY
) -> tuple[Header, bytes]:
    """A header and its body, signed by somebody."""
    return header, author.sign(label, entry_content(epoch, header.pack(), content)) + content


def hello(ledger: Ledger) -> bytes:
    return padded_content(content(ledger, TextBody("hello", action=False, reply=None)))


def header_of(author: Identity, counter: int, body: Body) -> Header:
    return Header(COMMIT if isinstance(body, CommitBody) else ENTRY, author.id, counter)


def checked(ledger: Ledger, author: Identity, body: Body) -> None:
    member = ledger.get_member(author.id)
    check_entry(ledger, member, header_of(author, member.counter + 1, body), content(ledger, body))


def applied(ledger: Ledger, author: Identity, body: Body) -> Member:
    member = ledger.get_member(author.id)
    return ledger.apply_content(member, header_of(author, member.counter + 1, body), content(ledger, body))


def nicks(ledger: Ledger) -> list[str]:
    return [member.nick for member in ledger.roster]


# --- opening


def test_a_members_entry_opens(ledger: Ledger) -> None:
    author, opened = ledger.open_entry(*sealed(ANN, Header(ENTRY, ANN.id, 1), hello(ledger)))
    assert author is ledger.get_member(ANN.id)
    assert opened == content(ledger, TextBody("hello", action=False, reply=None))


OPENS_NOT: dict[str, tuple[Identity, dict[str, Any], str]] = {
    "a stranger's": (EVE, {"author": EVE.id}, "stranger"),
    "another member's": (BOB, {}, "forged"),
    "the host's": (HOST, {}, "forged"),
    "under another kind": (ANN, {"kind": COMMIT}, "forged"),
    "under another counter": (ANN, {"counter": 2}, "forged"),
    "under another generation": (ANN, {"generation": 1}, "forged"),
    "under another ttl": (ANN, {"ttl": 60}, "forged"),
    "under another author": (ANN, {"author": BOB.id}, "forged"),
    "for another room": (Identity(b"a" * 32, b"s" * 32), {}, "forged"),
}


@pytest.mark.parametrize("whose", OPENS_NOT)
def test_only_what_its_author_signed_opens_and_only_as_it_was_signed(ledger: Ledger, whose: str) -> None:
    """0.3, 0.7, 4.4"""
    signer, otherwise, match = OPENS_NOT[whose]
    header = Header(ENTRY, ANN.id, 1)
    _, body = sealed(signer, header, hello(ledger))
    with pytest.raises(PeerFault, match=match):
        ledger.open_entry(header._replace(**otherwise), body)


@pytest.mark.parametrize(
    ("body", "match"),
    [
        *[(body, "forged") for body in (b"", b"short", bytes(64), bytes(200))],
        *[(padding.pad_text(packed, 64), "malformed") for packed in (b"", b"\xc1", b"\x93\x01", bytes(60))],
    ],
    ids=repr,
)
def test_what_is_no_body_does_not_open(ledger: Ledger, body: bytes, match: str) -> None:
    header = Header(ENTRY, ANN.id, 1)
    with pytest.raises(PeerFault, match=match):
        ledger.open_entry(header, body if match == "forged" else sealed(ANN, header, body)[1])


@pytest.mark.parametrize("label", [JOIN, identity.HEAD])
def test_a_signature_for_another_purpose_or_epoch_opens_nothing(ledger: Ledger, label: bytes) -> None:
    """0.7, 4.4, 6.7"""
    header = Header(ENTRY, ANN.id, 1)
    with pytest.raises(PeerFault, match="forged"):
        ledger.open_entry(*sealed(ANN, header, hello(ledger), label=label))
    entry = sealed(ANN, header, hello(ledger))
    ledger.open_entry(*entry)
    ledger.epoch = 1
    with pytest.raises(PeerFault, match="forged"):
        ledger.open_entry(*entry)
    ledger.open_entry(*sealed(ANN, header, hello(ledger), epoch=1))


@pytest.mark.parametrize(("characters", "length"), [(1, 64), (2, 128), (64, 128), (65, 192)])
def test_a_content_is_padded_to_the_next_multiple_of_64_bytes(ledger: Ledger, characters: int, length: int) -> None:
    """4.4: "the content padded (0.8) to the next multiple of 64 bytes": lengths say little."""
    said = content(ledger, TextBody("x" * characters, action=False, reply=None))
    padded = padded_content(said)
    assert len(padded) == length
    assert padded == padding.pad_text(pack(said), length)
    assert unpack_content(bytes(64) + padded) == said


@pytest.mark.parametrize(
    "padded",
    [
        lambda packed: packed,
        lambda packed: padding.pad_text(packed, 129),
        lambda packed: padding.pad_text(packed, 192),
        lambda packed: padding.pad_text(packed, len(packed) + 2),
        lambda packed: padding.pad_text(packed, 128)[:-1] + b"\1",
        lambda packed: padding.pad_text(packed, 128)[:-1],
        lambda packed: padding.pad_text(packed, 128) + bytes(64),
        lambda packed: b"",
    ],
    ids=["not at all", "by a byte more", "by a step more", "to no step", "no zeros", "cut", "twice", "nothing"],
)
def test_a_content_padded_otherwise_does_not_open(ledger: Ledger, padded: Callable[[bytes], bytes]) -> None:
    """0.8, 4.4: neither more than need be nor anything but zeros."""
    packed = pack(content(ledger, TextBody("hello", action=False, reply=None)))
    assert 62 < len(packed) < 126
    ledger.open_entry(*sealed(ANN, Header(ENTRY, ANN.id, 1), padding.pad_text(packed, 128)))
    with pytest.raises(PeerFault, match=r"body-padding|padding"):
        ledger.open_entry(*sealed(ANN, Header(ENTRY, ANN.id, 1), padded(packed)))


def test_opening_alone_changes_nothing(ledger: Ledger) -> None:
    ledger.open_entry(*sealed(ANN, Header(ENTRY, ANN.id, 5), hello(ledger)))
    assert ledger.get_member(ANN.id).counter == 0
    assert ledger.index == 0
    assert ledger.digest == identity.hash_empty_log(ROOM, ledger.group_context)


# --- checking


@pytest.mark.parametrize(
    ("counter", "good"), [(0, False), (6, False), (7, False), (8, True), (9, True), (2**53 - 1, True)]
)
def test_a_counter_grows_and_may_leave_numbers_out(ledger: Ledger, counter: int, good: bool) -> None:
    """5.4"""
    bob, header, said = ledger.get_member(BOB.id), Header(ENTRY, BOB.id, counter), content(ledger, NickBody("bobby"))
    if good:
        check_entry(ledger, bob, header, said)
        ledger.apply_content(bob, header, said)
    with pytest.raises(PeerFault, match="repeated"):
        check_entry(ledger, bob, header, said)


OF_HOSTS = [
    JoinedBody(EVE.key, "eve", KEY),
    AwayBody(ANN.id),
    BackBody(BOB.id),
    CommitBody(1, [], renew=False),
    CommitBody(1, [Removal(BOB.id, "lost")], renew=False),
]
TEXTS = [
    TextBody("x" * limits.TEXT, action=True, reply=None),
    TextBody("\U0001f47b" * (limits.TEXT // 4), action=False, reply=None),
]


@pytest.mark.parametrize("body", [*TEXTS, NickBody("boss"), RenewBody(KEY), BOX, *OF_HOSTS], ids=repr)
def test_what_only_a_host_may_write_and_what_all_may(ledger: Ledger, body: Body) -> None:
    """4.4"""
    checked_away(ledger, HOST, body)
    if body not in OF_HOSTS:
        checked_away(ledger, ANN, body)
    else:
        with pytest.raises(PeerFault, match="host-only"):
            checked_away(ledger, ANN, body)


def checked_away(ledger: Ledger, author: Identity, body: Body) -> None:
    """The same in a room in which Bob is away."""
    ledger.get_member(BOB.id).away = True
    checked(ledger, author, body)


def test_a_member_may_leave_and_take_its_own_nick_in_other_letters(ledger: Ledger) -> None:
    checked(ledger, ANN, LeaveBody())
    checked(ledger, ANN, NickBody("ANN"))


NO_NICKS = ["", "Bob", "BOB", "bob ", "b\u200bob", "ｂｏｂ", "\u202ebob", "[SYSTEM]", "x" * 21]
# Who may not say what, and why; Bob is away.
FAULTS: list[tuple[Identity, Body, str]] = [
    *[
        (ANN, TextBody(it, action=False, reply=None), "text-length")
        for it in ("", "x" * (limits.TEXT + 1), "é" * 2_000 + "x")
    ],
    *[(author, NickBody(nick), "bad-nick") for nick in NO_NICKS for author in (ANN, HOST)],
    (HOST, LeaveBody(), "host-left"),
    *[(HOST, AwayBody(it), "lost-nobody") for it in (EVE.id, HOST.id, bytes(16), BOB.id)],
    *[(HOST, BackBody(it), "returned-without-loss") for it in (EVE.id, HOST.id, ANN.id, bytes(16))],
    *[
        (BOB, it, "entry-of-absent")
        for it in (TextBody("x", action=False, reply=None), BOX, NickBody("bobby"), LeaveBody())
    ],
    *[(HOST, CommitBody(epoch, [], renew=False), "commit-for-other-epoch") for epoch in (0, 2, 2**53 - 1)],
    *[(HOST, CommitBody(1, [Removal(it, "kicked")], renew=False), "without-order") for it in (EVE.id, ANN.id)],
    *[
        (HOST, CommitBody(1, [Removal(it, "lost")], renew=False), "removed-nobody")
        for it in (bytes(16), HOST.id, ANN.id)
    ],
    (
        HOST,
        CommitBody(1, [Removal(BOB.id, "lost"), Removal(EVE.id, "kicked")], renew=False),
        "removed-without-order",
    ),
    (
        HOST,
        CommitBody(1, [Removal(ANN.id, "kicked"), Removal(ANN.id, "kicked")], renew=False),
        "removed-twice",
    ),
]


@pytest.mark.parametrize(("author", "body", "match"), FAULTS, ids=spell)
def test_what_may_not_come_next_is_a_fault(ledger: Ledger, author: Identity, body: Body, match: str) -> None:
    """3.3, 4.4, 5.7, 6.1"""
    with pytest.raises(PeerFault, match=match):
        checked_away(ledger, author, body)


def kept_for(ledger: Ledger, ttl: int, body: Body, author: Identity = ANN) -> None:
    """Checks an entry with this ttl."""
    member = ledger.get_member(author.id)
    kind = COMMIT if isinstance(body, CommitBody) else ENTRY
    check_entry(ledger, member, Header(kind, author.id, member.counter + 1, 0, ttl), content(ledger, body))


EVERLASTING = [LeaveBody(), NickBody("anna"), RenewBody(KEY)]


@pytest.mark.parametrize("ttl", [0, 60, 2**32 - 2])
@pytest.mark.parametrize("body", [*EVERLASTING, *OF_HOSTS], ids=repr)
def test_every_entry_is_kept_until_the_room_ends(ledger: Ledger, ttl: int, body: Body) -> None:
    """5.7: "the ttl of a Text or Private is within the room's bounds (7.1), of all else `KEPT`"."""
    ledger.retention = room_state.RetentionPolicy(0, 60, 2**32 - 2)
    ledger.get_member(BOB.id).away = True
    author = HOST if body in OF_HOSTS else ANN
    kept_for(ledger, KEPT, body, author)
    with pytest.raises(PeerFault, match="retention-not-allowed"):
        kept_for(ledger, ttl, body, author)


@pytest.mark.parametrize("body", [TextBody("x", action=False, reply=None), BOX], ids=repr)
@pytest.mark.parametrize(
    ("least", "most", "within", "out"),
    [
        (0, KEPT, [0, 1, 60, KEPT - 1, KEPT], []),
        (60, 3_600, [60, 61, 3_600], [0, 59, 3_601, KEPT]),
        (0, 0, [0], [1, 60, KEPT]),
        (1, KEPT - 1, [1, KEPT - 1], [0, KEPT]),
        (KEPT, KEPT, [KEPT], [0, 60, KEPT - 1]),
    ],
)
def test_a_message_is_kept_for_a_time_that_its_room_allows(
    ledger: Ledger, body: Body, least: int, most: int, within: list[int], out: list[int]
) -> None:
    """5.7, 7.1: "retention: [least, default, most], each a ttl"."""
    ledger.retention = room_state.RetentionPolicy(least, least, most)
    for author in (ANN, HOST):
        for ttl in within:
            kept_for(ledger, ttl, body, author)
        for ttl in out:
            with pytest.raises(PeerFault, match="retention-not-allowed"):
                kept_for(ledger, ttl, body, author)


# --- what is retracted


def talk(ledger: Ledger, *entries: tuple[Identity, Body | None]) -> None:
    """These are applied; None: of a message only a tombstone is left."""
    for author, body in entries:
        member = ledger.get_member(author.id)
        said = None if body is None else content(ledger, body)
        ledger.take_entry(member, Header(ENTRY, author.id, member.counter + 1), said, bytes(32))


HELLO = TextBody("hello", action=False, reply=None)
# Ann's entries 1 to 4, and Bob's from 8 on: he came with 7, of which nobody here knows what they were.
TALK: list[tuple[Identity, Body | None]] = [
    (ANN, HELLO),
    (ANN, NickBody("anna")),
    (BOB, HELLO),
    (ANN, BOX),
    (ANN, None),
    (BOB, RetractBody(8)),
]


@pytest.mark.parametrize(("author", "counters"), [(ANN, [1, 2, 3, 4]), (BOB, [1, 7, 8, 9])], ids=spell)
def test_an_author_may_retract_what_it_wrote_before_whatever_it_was(
    ledger: Ledger, author: Identity, counters: list[int]
) -> None:
    """5.21: again, too, and what has expired; not all members can know which of its entries were messages."""
    talk(ledger, *TALK)
    for counter in counters * 2:
        checked(ledger, author, RetractBody(counter))
        talk(ledger, (author, RetractBody(counter)))


@pytest.mark.parametrize(
    ("author", "counter"),
    [*((ANN, counter) for counter in (0, 5, 6, 2**53 - 1)), *((BOB, counter) for counter in (0, 10, 11))],
    ids=spell,
)
def test_what_is_no_earlier_entry_of_its_author_cannot_be_retracted(
    ledger: Ledger, author: Identity, counter: int
) -> None:
    """5.7, 5.21: neither itself, nor what is to come."""
    talk(ledger, *TALK)
    with pytest.raises(PeerFault, match="retracts-no-message"):
        checked(ledger, author, RetractBody(counter))


# --- what is gone


@pytest.fixture
def fleeting(ledger: Ledger) -> Ledger:
    """A room whose messages expire within a minute and an hour, but need not."""
    ledger.retention = room_state.RetentionPolicy(60, 3_600, KEPT)
    return ledger


@pytest.mark.parametrize(
    ("least", "most", "ttl", "good"),
    [
        *[(60, KEPT, ttl, True) for ttl in (60, 3_600, KEPT - 1)],
        (0, KEPT, FLEETING, True),
        *[(least, KEPT, KEPT, True) for least in (0, 60, KEPT)],
        *[(KEPT, KEPT, ttl, False) for ttl in (0, 60, KEPT - 1)],
        (60, 3_600, KEPT, False),
    ],
)
def test_what_may_expire_where_the_room_allows_it_may_be_gone(
    ledger: Ledger, least: int, most: int, ttl: int, good: bool
) -> None:
    """5.13"""
    ledger.retention = room_state.RetentionPolicy(least, least, most)
    for author in (ANN, HOST):
        if good:
            assert check_tombstone(ledger, Header(ENTRY, author.id, 8, 3, ttl)) is ledger.get_member(author.id)
            assert ledger.get_member(author.id).counter == 0
        else:
            with pytest.raises(PeerFault, match="expired-too-soon"):
                check_tombstone(ledger, Header(ENTRY, author.id, 8, 0, ttl))


@pytest.mark.parametrize(
    "header",
    [
        Header(COMMIT, HOST.id, 8),
        Header(ENTRY, ANN.id, 8, 0, 59),
        Header(COMMIT, HOST.id, 8, 0, 60),
    ],
    ids=["a commit", "shorter than any", "bad-commit"],
)
def test_what_does_not_expire_is_never_gone(fleeting: Ledger, header: Header) -> None:
    """5.13: of kind 0, with a ttl that the room allows."""
    with pytest.raises(PeerFault, match="expired-too-soon"):
        check_tombstone(fleeting, header)


def test_what_is_gone_had_an_author_who_was_there_and_a_counter_that_grew(fleeting: Ledger) -> None:
    """5.7, as far as it can be told without the body."""
    with pytest.raises(PeerFault, match="stranger"):
        check_tombstone(fleeting, Header(ENTRY, EVE.id, 1, 0, 60))
    check_tombstone(fleeting, Header(ENTRY, BOB.id, 8, 0, 60))
    for counter in (0, 6, 7):
        with pytest.raises(PeerFault, match="repeated"):
            check_tombstone(fleeting, Header(ENTRY, BOB.id, counter, 0, 60))
    applied(fleeting, HOST, AwayBody(BOB.id))
    with pytest.raises(PeerFault, match="entry-of-absent"):
        check_tombstone(fleeting, Header(ENTRY, BOB.id, 8, 0, 60))


def test_the_log_goes_on_over_what_is_gone_as_it_went_with_it(ledger: Ledger) -> None:
    """5.16: "Header and H(body) stay as long as the log does"."""
    header, body = sealed(ANN, Header(ENTRY, ANN.id, 1, 0, 60), hello(ledger))
    ledger.extend_log(header, suite.hash_data(body))
    empty = identity.hash_empty_log(ROOM, ledger.group_context)
    assert ledger.digest == identity.extend_log_hash(
        empty, 1, header.pack(), suite.hash_data(body), ledger.group_context
    )


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (COMMIT, TextBody("x", action=False, reply=None)),
        (COMMIT, BOX),
        (ENTRY, CommitBody(1, [], renew=False)),
        (COMMIT, CloseBody()),
    ],
    ids=["text as commit", "box as commit", "commit as entry", "close as commit"],
)
def test_a_commit_and_nothing_else_is_of_the_kind_of_commits(ledger: Ledger, kind: int, body: Body) -> None:
    """4.2, 4.3"""
    with pytest.raises(PeerFault, match="bad-commit"):
        check_entry(ledger, ledger.get_member(HOST.id), Header(kind, HOST.id, 1), content(ledger, body))


# --- references


def grown(ledger: Ledger, count: int) -> list[bytes]:
    """Its digests by index, with so many entries more."""
    digests = [ledger.digest]
    for number in range(count):
        ledger.extend_log(Header(ENTRY, ANN.id, number + 1), suite.hash_data(bytes([number])))
        digests.append(ledger.digest)
    return digests


def test_a_reference_may_be_to_anything_up_to_the_latest_entry(ledger: Ledger) -> None:
    digests = grown(ledger, 3)
    for index, digest in enumerate(digests):
        said = Content(SALT, index, digest, LeaveBody())
        check_entry(ledger, ledger.get_member(ANN.id), Header(ENTRY, ANN.id, 9), said)
        assert not ledger.is_foreign(said)


@pytest.mark.parametrize("index", [4, 5, 2**53 - 1])
def test_a_reference_to_what_is_not_there_yet_is_a_fault(ledger: Ledger, index: int) -> None:
    """5.7"""
    grown(ledger, 3)
    said = Content(SALT, index, ledger.digest, LeaveBody())
    with pytest.raises(PeerFault, match="reference-to-future"):
        check_entry(ledger, ledger.get_member(ANN.id), Header(ENTRY, ANN.id, 9), said)


def test_a_reference_to_before_the_commit_of_its_epoch_is_a_fault(ledger: Ledger) -> None:
    """5.7: its author had the keys from there on."""
    grown(ledger, 3)
    commit, ann = Header(COMMIT, HOST.id, 9), ledger.get_member(ANN.id)
    said = Content(SALT, 3, ledger.digest, CommitBody(1, [], renew=False))
    ledger.take_entry(ledger.get_member(HOST.id), commit, said, bytes(32))
    assert ledger.index == 4
    for index in (0, 3):
        with pytest.raises(PeerFault, match="reference-to-past"):
            check_entry(ledger, ann, Header(ENTRY, ANN.id, 9), Content(SALT, index, ledger.digest, LeaveBody()))
    check_entry(ledger, ann, Header(ENTRY, ANN.id, 9), Content(SALT, 4, ledger.digest, LeaveBody()))


def test_a_reference_with_another_digest_is_foreign(ledger: Ledger) -> None:
    """5.9"""
    digests = grown(ledger, 3)
    for index in range(4):
        assert ledger.is_foreign(Content(SALT, index, bytes(32), LeaveBody()))
        assert ledger.is_foreign(Content(SALT, index, digests[index - 1], LeaveBody()))


def test_of_what_was_before_we_came_nobody_can_tell(ledger: Ledger) -> None:
    ledger.start_at(7, b"d" * 32)
    assert (ledger.index, ledger.digest) == (7, b"d" * 32)
    assert ledger.digest_at(6) is None
    assert ledger.digest_at(7) == b"d" * 32
    assert ledger.digest_at(8) is None
    assert not ledger.is_foreign(Content(SALT, 6, bytes(32), LeaveBody()))
    assert ledger.is_foreign(Content(SALT, 7, bytes(32), LeaveBody()))


def test_host_and_member_can_tell_of_the_same_entries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a member that refers to one that only others can tell of would make its host seem to lie."""
    monkeypatch.setattr(limits, "LOG_ENTRIES", 4)
    ledger = Ledger(ROOM)
    ledger.begin_log()
    digests = grown(ledger, 9)
    known = [index for index in range(12) if ledger.digest_at(index) is not None]
    assert known == [5, 6, 7, 8, 9]
    assert [ledger.digest_at(index) for index in known] == digests[5:]


# --- applying


def test_every_entry_takes_one_place_and_its_authors_counter(ledger: Ledger) -> None:
    header, body = sealed(ANN, Header(ENTRY, ANN.id, 5, 3), hello(ledger))
    opened = ledger.open_entry(header, body)
    context = ledger.group_context
    ledger.take_entry(opened[0], header, opened[1], suite.hash_data(body))
    assert ledger.index == 1
    assert ledger.digest == identity.extend_log_hash(
        identity.hash_empty_log(ROOM, context), 1, header.pack(), suite.hash_data(body), context
    )
    assert ledger.get_member(ANN.id).counter == 5
    assert ledger.get_member(HOST.id).counter == 0


@pytest.mark.parametrize(
    ("author", "body", "about", "nicks_after"),
    [
        (ANN, NickBody("anna"), ANN, ["host", "anna", "Bob"]),
        (HOST, JoinedBody(EVE.key, "eve", KEY), EVE, ["host", "ann", "Bob", "eve"]),
        (ANN, LeaveBody(), ANN, ["host", "Bob"]),
        (ANN, RenewBody(b"n" * 32), ANN, ["host", "ann", "Bob"]),
        (HOST, LockBody(locked=True), HOST, ["host", "ann", "Bob"]),
    ],
    ids=spell,
)
def test_an_entry_is_about_a_member_and_changes_the_room(
    ledger: Ledger, author: Identity, body: Body, about: Identity, nicks_after: list[str]
) -> None:
    member = applied(ledger, author, body)
    assert (member.id, member.counter) == (about.id, int(author is about))
    assert nicks(ledger) == nicks_after
    assert ledger.rights.restrictions.locked == isinstance(body, LockBody)
    assert [it.key_hash for it in ledger.roster][1] == (b"n" * 32 if isinstance(body, RenewBody) else KEY)
    if "ann" not in nicks_after:
        checked(ledger, BOB, NickBody("ann"))


def test_a_lost_keeps_the_place_and_the_nick_of_whom_it_names(ledger: Ledger) -> None:
    assert applied(ledger, HOST, AwayBody(BOB.id)).id == BOB.id
    assert nicks(ledger) == ["host", "ann", "Bob"]
    assert ledger.get_member(BOB.id).away
    assert [person.nick for person in ledger.list_people()] == ["host", "ann"]
    with pytest.raises(PeerFault, match="alike"):
        ledger.add_member(EVE.key, "bob", KEY)


def test_one_who_is_back_is_as_before(ledger: Ledger) -> None:
    applied(ledger, HOST, AwayBody(BOB.id))
    assert applied(ledger, HOST, BackBody(BOB.id)) is ledger.get_member(BOB.id)
    assert not ledger.get_member(BOB.id).away
    assert ledger.get_member(BOB.id).counter == 7
    assert [person.nick for person in ledger.list_people()] == ["host", "ann", "Bob"]
    checked(ledger, BOB, TextBody("back", action=False, reply=None))


def test_a_commit_opens_an_epoch_and_removes_whom_it_names(ledger: Ledger) -> None:
    applied(ledger, HOST, CommitBody(1, [Removal(BOB.id, "kicked"), Removal(ANN.id, "kicked")], renew=False))
    assert ledger.epoch == 1
    assert nicks(ledger) == ["host"]
    ledger.add_member(EVE.key, "bob", KEY)


@pytest.mark.parametrize(
    ("key", "nick"),
    [
        (ANN.key, "eve"),
        (EVE.key, "BOB"),
        (EVE.key, ""),
        (EVE.key, "e\u200bve"),
        (EVE.key, "ｅｖｅ"),
        (EVE.key, "x" * 21),
        (b"\x01" + bytes(31), "eve"),
        (bytes(32), "eve"),
        (b"\xff" * 32, "eve"),
    ],
    ids=[
        *("a member's key", "a member's nick", "no nick", "invisible", "wide", "too long"),
        *("a key of small order", "another one", "a key that is not canonical"),
    ],
)
def test_a_roster_entry_for_one_alike_or_improper_is_a_fault(ledger: Ledger, key: bytes, nick: str) -> None:
    with pytest.raises(PeerFault, match=r"bad-key|bad-nick|members-alike"):
        ledger.add_member(key, nick, KEY)
    with pytest.raises(PeerFault, match=r"bad-key|bad-nick|members-alike"):
        applied(ledger, HOST, JoinedBody(key, nick, KEY))
    assert len(ledger.roster) == 3


def test_a_room_is_full_at_its_limit(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MEMBERS", 4)
    ledger.add_member(EVE.key, "eve", KEY)
    with pytest.raises(PeerFault, match="too-many-members"):
        ledger.add_member(Identity(b"z" * 32, ROOM).key, "zoe", KEY)


# --- what people are shown, and what is signed


def test_people_are_shown_with_role_and_tag(ledger: Ledger) -> None:
    host, ann, bob = ledger.list_people()
    assert (host.nick, host.role, ann.nick, ann.role, bob.nick, bob.role) == (
        *("host", "host"),
        *("ann", "member"),
        *("Bob", "member"),
    )
    assert ann.member == identity.spell_member(ANN.id)
    assert ann.tag == identity.short_id(ANN.id)


def group_context(ledger: Ledger) -> bytes:
    """Of these members, by hand."""
    members = [[it.key, it.nick, it.away, it.key_hash] for it in ledger.roster]
    roster = b"".join(suite.hash_data(b"anonp2p/4 roster entry" + msgpack.encode(member)) for member in members)
    kept, shown = ledger.retention, ledger.history
    rules = [[kept.least, kept.default, kept.most], [shown.texts, shown.seconds]]
    heirs = [[it.member, it.address] for it in ledger.heirs]
    term = [ledger.number, ledger.host, ledger.address, ledger.code, heirs, list(ledger.holders), ledger.handed_over]
    array = [ROOM, ledger.name, ledger.epoch, *term, rules, ledger.rights, roster]
    return suite.hash_data(b"anonp2p/4 group context" + msgpack.encode(array))


CHANGES: dict[str, tuple[Identity, Body]] = {
    "a newcomer": (HOST, JoinedBody(EVE.key, "eve", KEY)),
    "a nick": (ANN, NickBody("anna")),
    "one who has left": (ANN, LeaveBody()),
    "one who is away": (HOST, AwayBody(BOB.id)),
    "an encryption key": (ANN, RenewBody(b"n" * 32)),
    "a lock": (HOST, LockBody(True)),
    "a role": (HOST, RoleBody(BOB.id, "muted")),
    "an order": (HOST, RemoveBody([BOB.id], "spam", ban=True)),
    "an epoch": (HOST, CommitBody(1, [], renew=False)),
    "one who was removed": (HOST, CommitBody(1, [Removal(BOB.id, "kicked")], renew=False)),
}


@pytest.mark.parametrize("change", CHANGES)
def test_the_digest_is_of_the_group_context_that_an_entry_leads_to(ledger: Ledger, change: str) -> None:
    """4.6, 4.8"""
    (author, body), before, digest = CHANGES[change], ledger.group_context, ledger.digest
    assert before == group_context(ledger)
    header = header_of(author, 1, body)
    ledger.take_entry(ledger.get_member(author.id), header, content(ledger, body), KEY)
    assert ledger.group_context == group_context(ledger) != before
    assert ledger.digest == identity.extend_log_hash(digest, 1, header.pack(), KEY, ledger.group_context)


def test_one_who_is_back_leads_to_the_group_context_of_before(ledger: Ledger) -> None:
    before = ledger.group_context
    applied(ledger, HOST, AwayBody(BOB.id))
    assert ledger.group_context != before
    applied(ledger, HOST, BackBody(BOB.id))
    assert ledger.group_context == before == group_context(ledger)


@pytest.mark.parametrize(
    "body", [TextBody("x", action=False, reply=None), BOX, CloseBody()], ids=["text", "private", "close"]
)
def test_what_only_says_something_leaves_the_group_context_as_it_is(ledger: Ledger, body: Body) -> None:
    before = ledger.group_context
    applied(ledger, HOST, body)
    assert ledger.group_context == before == group_context(ledger)


@pytest.mark.parametrize("rule", ["name", "retention", "history", "host", "order"])
def test_the_digest_of_the_empty_log_is_of_the_rules_of_the_room(ledger: Ledger, rule: str) -> None:
    """4.6, 4.8"""
    before = ledger.group_context, ledger.digest
    assert before == (group_context(ledger), identity.hash_empty_log(ROOM, group_context(ledger)))
    others = {
        "name": "other",
        "retention": room_state.RetentionPolicy(0, 60, 60),
        "history": room_state.HistoryPolicy(50, 0),
        "host": ANN.id,
    }
    if rule == "order":
        ann = ledger.get_member(ANN.id)
        ledger.roster.remove_member(ann)
        ledger.add_member(ann.key, ann.nick, ann.key_hash)
    else:
        setattr(ledger, rule, others[rule])
    ledger.begin_log()
    assert ledger.group_context == group_context(ledger) != before[0]
    assert ledger.digest == identity.hash_empty_log(ROOM, ledger.group_context) != before[1]


def test_what_is_signed_has_its_numbers_in_eight_bytes() -> None:
    """4.4, 4.5"""
    header = Header(ENTRY, ANN.id, 1).pack()
    assert entry_content(3, header, b"content") == bytes(7) + b"\3" + header + b"content"
    assert head_content(1, KEY, 2) == bytes(7) + b"\1" + KEY + bytes(7) + b"\2"
