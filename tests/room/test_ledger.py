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
from anonp2p.protocol import field_types, frames
from anonp2p.protocol.frames import (
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
    RenewBody,
    TextBody,
)
from anonp2p.room.ledger import Ledger, entry_content, head_content, padded_content, unpack_content
from anonp2p.room.roster import Member

ROOM = b"r" * 32
KEY = b"l" * 32
BOX = PrivateBody(bytes(field_types.BOX + 1))
HOST, ANN, BOB, EVE = (Identity(name * 32, ROOM) for name in (b"h", b"a", b"b", b"e"))


@pytest.fixture
def ledger() -> Ledger:
    """A room with a host and two members."""
    ledger = Ledger(ROOM)
    ledger.name = "demo"
    ledger.host = ledger.add_member(HOST.key, "host", KEY).id
    ledger.add_member(ANN.key, "ann", KEY)
    ledger.add_member(BOB.key, "Bob", KEY, counter=7)
    return ledger


def content(ledger: Ledger, body: Body) -> Content:
    return Content(ledger.index, ledger.digest, body)


def sealed(
    author: Identity, header: Header, content: bytes, epoch: int = 0, label: bytes = identity.ENTRY
) -> tuple[Header, bytes]:
    """A header and its body, signed by somebody."""
    return header, author.sign(label, entry_content(epoch, header.pack(), content)) + content


def hello(ledger: Ledger) -> bytes:
    return padded_content(content(ledger, TextBody("hello", action=False)))


def header_of(author: Identity, counter: int, body: Body) -> Header:
    return Header(COMMIT if isinstance(body, CommitBody) else ENTRY, author.id, counter)


def checked(ledger: Ledger, author: Identity, body: Body) -> None:
    member = ledger.get_member(author.id)
    ledger.check_entry(member, header_of(author, member.counter + 1, body), content(ledger, body))


def applied(ledger: Ledger, author: Identity, body: Body) -> Member:
    member = ledger.get_member(author.id)
    return ledger.apply_content(member, header_of(author, member.counter + 1, body), content(ledger, body))


def nicks(ledger: Ledger) -> list[str]:
    return [member.nick for member in ledger.roster]


# --- opening


def test_a_members_entry_opens(ledger: Ledger) -> None:
    author, opened = ledger.open_entry(*sealed(ANN, Header(ENTRY, ANN.id, 1), hello(ledger)))
    assert author is ledger.get_member(ANN.id)
    assert opened == content(ledger, TextBody("hello", action=False))


def test_a_strangers_entry_does_not_open(ledger: Ledger) -> None:
    with pytest.raises(PeerFault, match="stranger"):
        ledger.open_entry(*sealed(EVE, Header(ENTRY, EVE.id, 1), hello(ledger)))


def test_an_entry_signed_by_another_does_not_open(ledger: Ledger) -> None:
    for signer in (EVE, BOB, HOST):
        with pytest.raises(PeerFault, match="forged"):
            ledger.open_entry(*sealed(signer, Header(ENTRY, ANN.id, 1), hello(ledger)))


def test_an_entry_changed_after_signing_does_not_open(ledger: Ledger) -> None:
    header, body = sealed(ANN, Header(ENTRY, ANN.id, 1), hello(ledger))
    with pytest.raises(PeerFault, match="forged"):
        ledger.open_entry(header, body.replace(b"hello", b"hullo"))


@pytest.mark.parametrize(
    "other", [{"kind": COMMIT}, {"counter": 2}, {"generation": 1}, {"ttl": 60}, {"author": BOB.id}], ids=str
)
def test_a_signature_under_another_header_opens_nothing(ledger: Ledger, other: dict[str, Any]) -> None:
    """4.4"""
    header, body = sealed(ANN, Header(ENTRY, ANN.id, 1), hello(ledger))
    with pytest.raises(PeerFault, match="forged"):
        ledger.open_entry(header._replace(**other), body)


def test_a_signature_for_another_epoch_opens_nothing(ledger: Ledger) -> None:
    """4.4, 6.7"""
    entry = sealed(ANN, Header(ENTRY, ANN.id, 1), hello(ledger))
    ledger.epoch = 1
    with pytest.raises(PeerFault, match="forged"):
        ledger.open_entry(*entry)
    ledger.open_entry(*sealed(ANN, Header(ENTRY, ANN.id, 1), hello(ledger), epoch=1))


def test_a_signature_for_another_purpose_or_room_opens_nothing(ledger: Ledger) -> None:
    """0.3, 0.7: nothing signed for one room or purpose is good for another."""
    header = Header(ENTRY, ANN.id, 1)
    for label in (JOIN, identity.HEAD):
        with pytest.raises(PeerFault, match="forged"):
            ledger.open_entry(*sealed(ANN, header, hello(ledger), label=label))
    with pytest.raises(PeerFault, match="forged"):
        ledger.open_entry(*sealed(Identity(b"a" * 32, b"s" * 32), header, hello(ledger)))


@pytest.mark.parametrize("body", [b"", b"short", bytes(64)])
def test_a_body_without_a_signature_opens_nothing(ledger: Ledger, body: bytes) -> None:
    with pytest.raises(PeerFault, match="forged"):
        ledger.open_entry(Header(ENTRY, ANN.id, 1), body)


@pytest.mark.parametrize("packed", [b"", b"\xc1", b"\x93\x01", bytes(60)], ids=repr)
def test_what_is_no_content_does_not_open(ledger: Ledger, packed: bytes) -> None:
    with pytest.raises(PeerFault, match="malformed"):
        ledger.open_entry(*sealed(ANN, Header(ENTRY, ANN.id, 1), padding.pad_text(packed, 64)))


@pytest.mark.parametrize(("characters", "length"), [(1, 64), (22, 64), (23, 128), (85, 128), (86, 192)])
def test_a_content_is_padded_to_the_next_multiple_of_64_bytes(ledger: Ledger, characters: int, length: int) -> None:
    """4.4: "the content padded (0.8) to the next multiple of 64 bytes": lengths say little."""
    said = content(ledger, TextBody("x" * characters, action=False))
    padded = padded_content(said)
    assert len(padded) == length
    assert padded == padding.pad_text(frames.pack(said), length)
    assert unpack_content(bytes(64) + padded) == said


@pytest.mark.parametrize(
    "padded",
    [
        lambda packed: packed,
        lambda packed: padding.pad_text(packed, 65),
        lambda packed: padding.pad_text(packed, 128),
        lambda packed: padding.pad_text(packed, len(packed) + 2),
        lambda packed: padding.pad_text(packed, 64)[:-1] + b"\1",
        lambda packed: padding.pad_text(packed, 64)[:-1],
        lambda packed: padding.pad_text(packed, 64) + bytes(64),
        lambda packed: b"",
    ],
    ids=["not at all", "by a byte more", "by a step more", "to no step", "no zeros", "cut", "twice", "nothing"],
)
def test_a_content_padded_otherwise_does_not_open(ledger: Ledger, padded: Callable[[bytes], bytes]) -> None:
    """0.8, 4.4: neither more than need be nor anything but zeros."""
    packed = frames.pack(content(ledger, TextBody("hello", action=False)))
    assert len(packed) < 62
    ledger.open_entry(*sealed(ANN, Header(ENTRY, ANN.id, 1), padding.pad_text(packed, 64)))
    with pytest.raises(PeerFault, match=r"padded|longer than need be"):
        ledger.open_entry(*sealed(ANN, Header(ENTRY, ANN.id, 1), padded(packed)))


def test_opening_alone_changes_nothing(ledger: Ledger) -> None:
    ledger.open_entry(*sealed(ANN, Header(ENTRY, ANN.id, 5), hello(ledger)))
    assert ledger.get_member(ANN.id).counter == 0
    assert ledger.index == 0
    assert ledger.digest == identity.hash_empty_log(ROOM)


@pytest.mark.parametrize("counter", [0, 1, 6, 7])
def test_a_counter_that_has_not_grown_is_refused(ledger: Ledger, counter: int) -> None:
    """5.4"""
    with pytest.raises(PeerFault, match="repeated"):
        ledger.check_entry(ledger.get_member(BOB.id), Header(ENTRY, BOB.id, counter), content(ledger, LeaveBody()))


@pytest.mark.parametrize("counter", [8, 9, 2**53 - 1])
def test_counters_may_leave_numbers_out(ledger: Ledger, counter: int) -> None:
    ledger.check_entry(ledger.get_member(BOB.id), Header(ENTRY, BOB.id, counter), content(ledger, LeaveBody()))


def test_an_entry_is_good_once(ledger: Ledger) -> None:
    ann, header, said = (
        ledger.get_member(ANN.id),
        Header(ENTRY, ANN.id, 1),
        content(ledger, TextBody("hello", action=False)),
    )
    ledger.check_entry(ann, header, said)
    ledger.apply_content(ann, header, said)
    with pytest.raises(PeerFault, match="repeated"):
        ledger.check_entry(ann, header, said)


# --- checking


@pytest.mark.parametrize(
    "body",
    [
        TextBody("x", action=False),
        TextBody("x" * limits.TEXT, action=True),
        TextBody("\U0001f47b" * (limits.TEXT // 4), action=False),
        NickBody("eve"),
        NickBody("ANN"),
        LeaveBody(),
        RenewBody(KEY),
        BOX,
    ],
    ids=repr,
)
def test_what_a_member_may_write(ledger: Ledger, body: Body) -> None:
    checked(ledger, ANN, body)


@pytest.mark.parametrize(
    "body",
    [
        TextBody("x", action=False),
        NickBody("boss"),
        JoinedBody(EVE.key, "eve", KEY),
        AwayBody(ANN.id),
        CloseBody(),
        LockBody(locked=True),
        RenewBody(KEY),
        BOX,
        CommitBody(1, []),
        CommitBody(1, [Removal(ANN.id, "kicked", "why"), Removal(BOB.id, "kicked", "")]),
    ],
    ids=repr,
)
def test_what_a_host_may_write(ledger: Ledger, body: Body) -> None:
    checked(ledger, HOST, body)


@pytest.mark.parametrize(
    "body",
    [
        JoinedBody(EVE.key, "eve", KEY),
        AwayBody(BOB.id),
        AwayBody(ANN.id),
        BackBody(BOB.id),
        CloseBody(),
        LockBody(locked=True),
        LockBody(locked=False),
        CommitBody(1, []),
        CommitBody(1, [Removal(BOB.id, "kicked", "")]),
    ],
    ids=["joined", "lost", "lost itself", "back", "close", "lock", "unlock", "commit", "kick"],
)
def test_a_member_may_not_write_what_only_hosts_may(ledger: Ledger, body: Body) -> None:
    """4.4"""
    with pytest.raises(PeerFault, match="only hosts"):
        checked(ledger, ANN, body)


@pytest.mark.parametrize("text", ["", "x" * (limits.TEXT + 1), "é" * (limits.TEXT // 2) + "x"])
def test_a_text_has_1_to_4000_bytes(ledger: Ledger, text: str) -> None:
    """4.4"""
    with pytest.raises(PeerFault, match="no proper length"):
        checked(ledger, ANN, TextBody(text, action=False))


@pytest.mark.parametrize("nick", ["", "Bob", "BOB", "bob ", "b\u200bob", "ｂｏｂ", "\u202ebob", "[SYSTEM]", "x" * 21])
def test_a_nick_is_proper_and_nobody_elses(ledger: Ledger, nick: str) -> None:
    """3.3"""
    for author in (ANN, HOST):
        with pytest.raises(PeerFault, match="nick"):
            checked(ledger, author, NickBody(nick))


def test_a_host_may_not_leave_without_closing(ledger: Ledger) -> None:
    with pytest.raises(PeerFault, match="closing"):
        checked(ledger, HOST, LeaveBody())


@pytest.mark.parametrize("member", [EVE.id, HOST.id, bytes(16)], ids=["a stranger", "the host", "nobody"])
def test_only_another_member_can_be_lost(ledger: Ledger, member: bytes) -> None:
    with pytest.raises(PeerFault, match="loss"):
        checked(ledger, HOST, AwayBody(member))


def kept_for(ledger: Ledger, ttl: int, body: Body, author: Identity = ANN) -> None:
    """Checks an entry with this ttl."""
    member = ledger.get_member(author.id)
    kind = COMMIT if isinstance(body, CommitBody) else ENTRY
    ledger.check_entry(member, Header(kind, author.id, member.counter + 1, 0, ttl), content(ledger, body))


EVERLASTING = [LeaveBody(), NickBody("anna"), RenewBody(KEY)]
OF_HOSTS = [JoinedBody(EVE.key, "eve", KEY), AwayBody(ANN.id), CloseBody(), LockBody(locked=True), CommitBody(1, [])]


@pytest.mark.parametrize("ttl", [0, 60, 2**32 - 2])
@pytest.mark.parametrize("body", EVERLASTING + OF_HOSTS, ids=repr)
def test_every_entry_is_kept_until_the_room_ends(ledger: Ledger, ttl: int, body: Body) -> None:
    """5.7: "the ttl of a Text or Private is within the room's bounds (7.1), of all else `KEPT`"."""
    ledger.retention = frames.RetentionPolicy(0, 60, 2**32 - 2)
    author = HOST if body in OF_HOSTS else ANN
    kept_for(ledger, KEPT, body, author)
    with pytest.raises(PeerFault, match="does not allow"):
        kept_for(ledger, ttl, body, author)


@pytest.mark.parametrize("body", [TextBody("x", action=False), BOX], ids=repr)
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
    ledger.retention = frames.RetentionPolicy(least, least, most)
    for author in (ANN, HOST):
        for ttl in within:
            kept_for(ledger, ttl, body, author)
        for ttl in out:
            with pytest.raises(PeerFault, match="does not allow"):
                kept_for(ledger, ttl, body, author)


# --- what is gone


@pytest.fixture
def fleeting(ledger: Ledger) -> Ledger:
    """A room whose messages expire within a minute and an hour, but need not."""
    ledger.retention = frames.RetentionPolicy(60, 3_600, KEPT)
    return ledger


@pytest.mark.parametrize("ttl", [60, 3_600, KEPT - 1])
@pytest.mark.parametrize("author", [ANN, HOST], ids=["ann", "host"])
def test_what_is_left_of_a_message_that_expired_is_its_authors(fleeting: Ledger, ttl: int, author: Identity) -> None:
    """5.13"""
    assert fleeting.check_tombstone(Header(ENTRY, author.id, 8, 3, ttl)) is fleeting.get_member(author.id)
    assert fleeting.get_member(author.id).counter == 0


@pytest.mark.parametrize(
    "header",
    [
        Header(ENTRY, ANN.id, 8),
        Header(COMMIT, HOST.id, 8),
        Header(ENTRY, ANN.id, 8, 0, 59),
        Header(COMMIT, HOST.id, 8, 0, 60),
    ],
    ids=["kept", "a commit", "shorter than any", "a commit that is none"],
)
def test_what_does_not_expire_is_never_gone(fleeting: Ledger, header: Header) -> None:
    """5.13: "Gone MUST have a ttl other than `KEPT`": no join, leave or commit is left out."""
    with pytest.raises(PeerFault, match="does not expire"):
        fleeting.check_tombstone(header)


def test_where_messages_may_not_expire_none_is_gone(ledger: Ledger) -> None:
    ledger.retention = frames.RetentionPolicy(KEPT, KEPT, KEPT)
    for ttl in (0, 60, KEPT - 1, KEPT):
        with pytest.raises(PeerFault, match="does not expire"):
            ledger.check_tombstone(Header(ENTRY, ANN.id, 1, 0, ttl))


def test_what_is_never_kept_is_gone_where_that_is_allowed(ledger: Ledger) -> None:
    assert ledger.check_tombstone(Header(ENTRY, ANN.id, 1, 0, FLEETING)) is ledger.get_member(ANN.id)


def test_what_is_gone_had_an_author_who_was_there_and_a_counter_that_grew(fleeting: Ledger) -> None:
    """5.7, as far as it can be told without the body."""
    with pytest.raises(PeerFault, match="stranger"):
        fleeting.check_tombstone(Header(ENTRY, EVE.id, 1, 0, 60))
    fleeting.check_tombstone(Header(ENTRY, BOB.id, 8, 0, 60))
    for counter in (0, 6, 7):
        with pytest.raises(PeerFault, match="repeated"):
            fleeting.check_tombstone(Header(ENTRY, BOB.id, counter, 0, 60))
    applied(fleeting, HOST, AwayBody(BOB.id))
    with pytest.raises(PeerFault, match="away"):
        fleeting.check_tombstone(Header(ENTRY, BOB.id, 8, 0, 60))


def test_the_log_goes_on_over_what_is_gone_as_it_went_with_it(ledger: Ledger) -> None:
    """5.16: "Header and H(body) stay as long as the log does"."""
    header, body = sealed(ANN, Header(ENTRY, ANN.id, 1, 0, 60), hello(ledger))
    ledger.extend_log(header, suite.hash_data(body))
    gone = Ledger(ROOM)
    gone.extend_log(header, suite.hash_data(body))
    assert (
        ledger.digest
        == gone.digest
        == identity.extend_log_hash(identity.hash_empty_log(ROOM), 1, header.pack(), suite.hash_data(body))
    )


@pytest.mark.parametrize(
    ("kind", "body"),
    [(COMMIT, TextBody("x", action=False)), (COMMIT, BOX), (ENTRY, CommitBody(1, [])), (COMMIT, CloseBody())],
    ids=["text as commit", "box as commit", "commit as entry", "close as commit"],
)
def test_a_commit_and_nothing_else_is_of_the_kind_of_commits(ledger: Ledger, kind: int, body: Body) -> None:
    """4.2, 4.3"""
    with pytest.raises(PeerFault, match="commit that is none"):
        ledger.check_entry(ledger.get_member(HOST.id), Header(kind, HOST.id, 1), content(ledger, body))


@pytest.mark.parametrize("epoch", [0, 2, 2**53 - 1])
def test_a_commit_opens_the_next_epoch(ledger: Ledger, epoch: int) -> None:
    """6.1"""
    with pytest.raises(PeerFault, match="another epoch"):
        checked(ledger, HOST, CommitBody(epoch, []))


@pytest.mark.parametrize(
    "removed",
    [
        [Removal(EVE.id, "kicked", "")],
        [Removal(bytes(16), "lost", "")],
        [Removal(HOST.id, "kicked", "")],
        [Removal(HOST.id, "lost", "")],
        [Removal(ANN.id, "lost", "")],
        [Removal(BOB.id, "kicked", ""), Removal(EVE.id, "kicked", "")],
    ],
    ids=[
        "a stranger",
        "nobody",
        "the host",
        "the host as lost",
        "one who is here as lost",
        "a stranger beside another",
    ],
)
def test_only_members_and_of_those_who_are_lost_only_who_is_away_are_removed(
    ledger: Ledger, removed: list[Removal]
) -> None:
    with pytest.raises(PeerFault, match="removal of no member"):
        checked(ledger, HOST, CommitBody(1, removed))


def test_nobody_is_removed_twice(ledger: Ledger) -> None:
    with pytest.raises(PeerFault, match="twice"):
        checked(ledger, HOST, CommitBody(1, [Removal(BOB.id, "kicked", ""), Removal(BOB.id, "kicked", "again")]))


def test_one_who_is_away_may_be_removed_either_way(ledger: Ledger) -> None:
    applied(ledger, HOST, AwayBody(BOB.id))
    checked(ledger, HOST, CommitBody(1, [Removal(BOB.id, "lost", "")]))
    checked(ledger, HOST, CommitBody(1, [Removal(BOB.id, "kicked", "")]))


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
        said = Content(index, digest, LeaveBody())
        ledger.check_entry(ledger.get_member(ANN.id), Header(ENTRY, ANN.id, 9), said)
        assert not ledger.is_foreign(said)


@pytest.mark.parametrize("index", [4, 5, 2**53 - 1])
def test_a_reference_to_what_is_not_there_yet_is_a_fault(ledger: Ledger, index: int) -> None:
    """5.7"""
    grown(ledger, 3)
    with pytest.raises(PeerFault, match="not there yet"):
        ledger.check_entry(
            ledger.get_member(ANN.id), Header(ENTRY, ANN.id, 9), Content(index, ledger.digest, LeaveBody())
        )


def test_a_reference_with_another_digest_is_foreign(ledger: Ledger) -> None:
    """5.9"""
    digests = grown(ledger, 3)
    for index in range(4):
        assert ledger.is_foreign(Content(index, bytes(32), LeaveBody()))
        assert ledger.is_foreign(Content(index, digests[index - 1], LeaveBody()))


def test_of_what_was_before_we_came_nobody_can_tell(ledger: Ledger) -> None:
    ledger.start_at(7, b"d" * 32)
    assert (ledger.index, ledger.digest) == (7, b"d" * 32)
    assert ledger.digest_at(6) is None
    assert ledger.digest_at(7) == b"d" * 32
    assert ledger.digest_at(8) is None
    assert not ledger.is_foreign(Content(6, bytes(32), LeaveBody()))
    assert ledger.is_foreign(Content(7, bytes(32), LeaveBody()))


def test_host_and_member_can_tell_of_the_same_entries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a member that refers to one that only others can tell of would make its host seem to lie."""
    monkeypatch.setattr(limits, "LOG_ENTRIES", 4)
    ledger = Ledger(ROOM)
    digests = grown(ledger, 9)
    known = [index for index in range(12) if ledger.digest_at(index) is not None]
    assert known == [5, 6, 7, 8, 9]
    assert [ledger.digest_at(index) for index in known] == digests[5:]


# --- applying


def test_every_entry_takes_one_place_and_its_authors_counter(ledger: Ledger) -> None:
    header, body = sealed(ANN, Header(ENTRY, ANN.id, 5, 3), hello(ledger))
    opened = ledger.open_entry(header, body)
    ledger.extend_log(header, suite.hash_data(body))
    ledger.apply_content(opened[0], header, opened[1])
    assert ledger.index == 1
    assert ledger.digest == identity.extend_log_hash(
        identity.hash_empty_log(ROOM), 1, header.pack(), suite.hash_data(body)
    )
    assert ledger.get_member(ANN.id).counter == 5
    assert ledger.get_member(HOST.id).counter == 0


def test_a_nick_renames_its_author(ledger: Ledger) -> None:
    assert applied(ledger, ANN, NickBody("anna")) is ledger.get_member(ANN.id)
    assert nicks(ledger) == ["host", "anna", "Bob"]
    checked(ledger, BOB, NickBody("ann"))


def test_a_joined_adds_a_member_with_a_counter_from_0(ledger: Ledger) -> None:
    about = applied(ledger, HOST, JoinedBody(EVE.key, "eve", KEY))
    assert (about.id, about.nick, about.key_hash, about.counter) == (EVE.id, "eve", KEY, 0)
    assert nicks(ledger) == ["host", "ann", "Bob", "eve"]


def test_a_leave_removes_its_author_and_frees_its_nick(ledger: Ledger) -> None:
    assert applied(ledger, ANN, LeaveBody()).id == ANN.id
    assert nicks(ledger) == ["host", "Bob"]
    ledger.add_member(EVE.key, "ann", KEY)


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
    checked(ledger, BOB, TextBody("back", action=False))


def test_a_commit_opens_an_epoch_and_removes_whom_it_names(ledger: Ledger) -> None:
    applied(ledger, HOST, CommitBody(1, [Removal(BOB.id, "kicked", ""), Removal(ANN.id, "kicked", "")]))
    assert ledger.epoch == 1
    assert nicks(ledger) == ["host"]
    ledger.add_member(EVE.key, "bob", KEY)


def test_a_renew_is_its_authors_key(ledger: Ledger) -> None:
    applied(ledger, ANN, RenewBody(b"n" * 32))
    assert [member.key_hash for member in ledger.roster] == [KEY, b"n" * 32, KEY]


@pytest.mark.parametrize("locked", [True, False])
def test_a_lock_is_the_rooms(ledger: Ledger, locked: bool) -> None:
    ledger.locked = not locked
    applied(ledger, HOST, LockBody(locked=locked))
    assert ledger.locked == locked


@pytest.mark.parametrize("body", [TextBody("x", action=False), BOX, NickBody("bobby"), LeaveBody()], ids=repr)
def test_one_who_is_away_writes_nothing(ledger: Ledger, body: Body) -> None:
    applied(ledger, HOST, AwayBody(BOB.id))
    with pytest.raises(PeerFault, match="away"):
        checked(ledger, BOB, body)


def test_one_who_is_away_is_not_lost_again(ledger: Ledger) -> None:
    applied(ledger, HOST, AwayBody(BOB.id))
    with pytest.raises(PeerFault, match="loss"):
        checked(ledger, HOST, AwayBody(BOB.id))


@pytest.mark.parametrize("member", [EVE.id, HOST.id, BOB.id, bytes(16)], ids=["a stranger", "host", "here", "nobody"])
def test_only_one_who_is_away_returns(ledger: Ledger, member: bytes) -> None:
    with pytest.raises(PeerFault, match="not away"):
        checked(ledger, HOST, BackBody(member))


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
    with pytest.raises(PeerFault, match=r"nick|alike|key that is none"):
        ledger.add_member(key, nick, KEY)
    with pytest.raises(PeerFault, match=r"nick|alike|key that is none"):
        applied(ledger, HOST, JoinedBody(key, nick, KEY))
    assert len(ledger.roster) == 3


def test_a_room_is_full_at_its_limit(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MEMBERS", 4)
    ledger.add_member(EVE.key, "eve", KEY)
    with pytest.raises(PeerFault, match="too many"):
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
    kept, shown = ledger.retention, ledger.history
    rules = [[kept.least, kept.default, kept.most], [shown.texts, shown.seconds]]
    array = msgpack.encode([ledger.name, ledger.locked, ledger.host, *rules, members])
    return suite.hash_data(b"anonp2p/3 standing" + ledger.digest + array)


def test_the_group_context_is_of_all_that_members_were_told(ledger: Ledger) -> None:
    """6.2: "the packed array [name, locked, host, retention, history, members]"."""
    found = [ledger.group_context()]
    assert found == [group_context(ledger)]
    ledger.retention = frames.RetentionPolicy(0, 60, 60)
    found.append(ledger.group_context())
    ledger.history = frames.HistoryPolicy(50, 0)
    found.append(ledger.group_context())
    ledger.locked = True
    found.append(ledger.group_context())
    ledger.get_member(BOB.id).away = True
    found.append(ledger.group_context())
    applied(ledger, ANN, RenewBody(b"n" * 32))
    found.append(ledger.group_context())
    applied(ledger, ANN, NickBody("anna"))
    found.append(ledger.group_context())
    ledger.extend_log(Header(ENTRY, ANN.id, 9), bytes(32))
    found.append(ledger.group_context())
    assert len(set(found)) == 8
    assert found[-1] == group_context(ledger)


def test_what_is_signed_has_its_numbers_in_eight_bytes() -> None:
    """4.4, 4.5"""
    header = Header(ENTRY, ANN.id, 1).pack()
    assert entry_content(3, header, b"content") == bytes(7) + b"\3" + header + b"content"
    assert head_content(1, KEY, 2) == bytes(7) + b"\1" + KEY + bytes(7) + b"\2"
