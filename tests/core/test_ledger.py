"""What may come next and what it adds up to (PROTOCOL.md, 4.5): each rule has a test that fails without it."""

import pytest

from anonp2p import limits
from anonp2p.core import frames, identity
from anonp2p.core.frames import Back, Body, Close, Content, Joined, Leave, Lost, Nick, Removed, Text
from anonp2p.core.identity import ENTRY, JOIN, Identity
from anonp2p.core.ledger import Ledger
from anonp2p.core.roster import Member
from anonp2p.errors import PeerFault

ROOM = b"r" * 32
HOST, ANN, BOB, EVE = (Identity(name * 32, ROOM) for name in (b"h", b"a", b"b", b"e"))


@pytest.fixture
def ledger() -> Ledger:
    """A room with a host and two members."""
    ledger = Ledger(ROOM)
    ledger.name = "demo"
    ledger.host = ledger.seat(HOST.key, "host").id
    ledger.seat(ANN.key, "ann")
    ledger.seat(BOB.key, "Bob", counter=7)
    return ledger


def signed(author: Identity, content: Content) -> tuple[bytes, bytes]:
    sealed = frames.seal(content)
    return sealed, author.sign(ENTRY, sealed)


def checked(ledger: Ledger, author: Identity, body: Body) -> None:
    member = ledger.member(author.id)
    ledger.check(member, Content(author.id, member.counter + 1, body))


def applied(ledger: Ledger, author: Identity, body: Body) -> Member:
    member = ledger.member(author.id)
    return ledger.apply(member, Content(author.id, member.counter + 1, body))


def nicks(ledger: Ledger) -> list[str]:
    return [member.nick for member in ledger.roster]


# --- opening


def test_a_members_entry_opens(ledger: Ledger) -> None:
    content = Content(ANN.id, 1, Text("hello", action=False))
    author, opened = ledger.open(*signed(ANN, content))
    assert author is ledger.member(ANN.id)
    assert opened == content


def test_a_strangers_entry_does_not_open(ledger: Ledger) -> None:
    with pytest.raises(PeerFault, match="stranger"):
        ledger.open(*signed(EVE, Content(EVE.id, 1, Text("hello", action=False))))


def test_an_entry_signed_by_another_does_not_open(ledger: Ledger) -> None:
    with pytest.raises(PeerFault, match="forged"):
        ledger.open(*signed(EVE, Content(ANN.id, 1, Text("hello", action=False))))


def test_an_entry_changed_after_signing_does_not_open(ledger: Ledger) -> None:
    _, signature = signed(ANN, Content(ANN.id, 1, Text("hello", action=False)))
    with pytest.raises(PeerFault, match="forged"):
        ledger.open(frames.seal(Content(ANN.id, 1, Text("hullo", action=False))), signature)


def test_a_signature_for_another_purpose_or_room_opens_nothing(ledger: Ledger) -> None:
    """3.2: nothing signed for one room or purpose is good for another."""
    sealed = frames.seal(Content(ANN.id, 1, Leave()))
    elsewhere = Identity(b"a" * 32, b"s" * 32)
    for signature in (ANN.sign(JOIN, sealed), elsewhere.sign(ENTRY, sealed)):
        with pytest.raises(PeerFault, match="forged"):
            ledger.open(sealed, signature)


@pytest.mark.parametrize("counter", [0, 1, 6, 7])
def test_a_counter_that_has_not_grown_is_refused(ledger: Ledger, counter: int) -> None:
    opened = ledger.open(*signed(BOB, Content(BOB.id, counter, Leave())))
    with pytest.raises(PeerFault, match="repeated"):
        ledger.check(*opened)


@pytest.mark.parametrize("counter", [8, 9, 2**53 - 1])
def test_counters_may_leave_numbers_out(ledger: Ledger, counter: int) -> None:
    ledger.check(*ledger.open(*signed(BOB, Content(BOB.id, counter, Leave()))))


def test_an_entry_is_good_once(ledger: Ledger) -> None:
    entry = signed(ANN, Content(ANN.id, 1, Text("hello", action=False)))
    ledger.check(*ledger.open(*entry))
    ledger.apply(*ledger.open(*entry))
    with pytest.raises(PeerFault, match="repeated"):
        ledger.check(*ledger.open(*entry))


def test_what_is_no_content_does_not_open(ledger: Ledger) -> None:
    with pytest.raises(PeerFault, match="malformed"):
        ledger.open(b"\xc1", ANN.sign(ENTRY, b"\xc1"))


def test_opening_alone_changes_nothing(ledger: Ledger) -> None:
    ledger.open(*signed(ANN, Content(ANN.id, 5, Leave())))
    assert ledger.member(ANN.id).counter == 0
    assert ledger.index == 0
    assert ledger.digest == identity.genesis(ROOM)


# --- checking


@pytest.mark.parametrize(
    "body",
    [
        Text("x", action=False),
        Text("x" * limits.TEXT, action=True),
        Text("\U0001f47b" * (limits.TEXT // 4), action=False),
        Nick("eve"),
        Nick("ANN"),
        Leave(),
    ],
    ids=repr,
)
def test_what_a_member_may_write(ledger: Ledger, body: Body) -> None:
    checked(ledger, ANN, body)


@pytest.mark.parametrize(
    "body", [Text("x", action=False), Nick("boss"), Joined(EVE.key, "eve"), Lost(ANN.id), Close()], ids=repr
)
def test_what_a_host_may_write(ledger: Ledger, body: Body) -> None:
    checked(ledger, HOST, body)


@pytest.mark.parametrize(
    "body",
    [Joined(EVE.key, "eve"), Lost(BOB.id), Lost(ANN.id), Back(BOB.id), Removed(BOB.id), Close()],
    ids=["joined", "lost", "lost itself", "back", "removed", "close"],
)
def test_a_member_may_not_write_what_only_hosts_may(ledger: Ledger, body: Body) -> None:
    """3.5"""
    with pytest.raises(PeerFault, match="only hosts"):
        checked(ledger, ANN, body)


@pytest.mark.parametrize("text", ["", "x" * (limits.TEXT + 1), "é" * (limits.TEXT // 2) + "x"])
def test_a_text_has_1_to_4000_bytes(ledger: Ledger, text: str) -> None:
    """3.5"""
    with pytest.raises(PeerFault, match="no proper length"):
        checked(ledger, ANN, Text(text, action=False))


@pytest.mark.parametrize("nick", ["", "Bob", "BOB", "bob ", "b\u200bob", "ｂｏｂ", "\u202ebob", "[SYSTEM]", "x" * 21])
def test_a_nick_is_proper_and_nobody_elses(ledger: Ledger, nick: str) -> None:
    """3.6"""
    for author in (ANN, HOST):
        with pytest.raises(PeerFault, match="nick"):
            checked(ledger, author, Nick(nick))


def test_a_host_may_not_leave_without_closing(ledger: Ledger) -> None:
    with pytest.raises(PeerFault, match="closing"):
        checked(ledger, HOST, Leave())


@pytest.mark.parametrize("member", [EVE.id, HOST.id, bytes(16)], ids=["a stranger", "the host", "nobody"])
def test_only_another_member_can_be_lost(ledger: Ledger, member: bytes) -> None:
    with pytest.raises(PeerFault, match="loss"):
        checked(ledger, HOST, Lost(member))


# --- applying


def test_every_entry_takes_one_place_and_its_authors_counter(ledger: Ledger) -> None:
    entry = signed(ANN, Content(ANN.id, 5, Text("hello", action=False)))
    assert ledger.index == 0
    ledger.advance(*entry)
    ledger.apply(*ledger.open(*entry))
    assert ledger.index == 1
    assert ledger.digest == identity.chain(identity.genesis(ROOM), 1, *entry)
    assert ledger.member(ANN.id).counter == 5
    assert ledger.member(HOST.id).counter == 0


def test_a_nick_renames_its_author(ledger: Ledger) -> None:
    assert applied(ledger, ANN, Nick("anna")) is ledger.member(ANN.id)
    assert nicks(ledger) == ["host", "anna", "Bob"]
    checked(ledger, BOB, Nick("ann"))


def test_a_joined_seats_a_member_with_a_counter_from_0(ledger: Ledger) -> None:
    about = applied(ledger, HOST, Joined(EVE.key, "eve"))
    assert (about.id, about.nick, about.counter) == (EVE.id, "eve", 0)
    assert nicks(ledger) == ["host", "ann", "Bob", "eve"]


def test_a_leave_unseats_its_author_and_frees_its_nick(ledger: Ledger) -> None:
    assert applied(ledger, ANN, Leave()).id == ANN.id
    assert nicks(ledger) == ["host", "Bob"]
    ledger.seat(EVE.key, "ann")


def test_a_lost_keeps_the_place_and_the_nick_of_whom_it_names(ledger: Ledger) -> None:
    assert applied(ledger, HOST, Lost(BOB.id)).id == BOB.id
    assert nicks(ledger) == ["host", "ann", "Bob"]
    assert ledger.member(BOB.id).away
    assert [person.nick for person in ledger.people()] == ["host", "ann"]
    with pytest.raises(PeerFault, match="alike"):
        ledger.seat(EVE.key, "bob")


def test_one_who_is_back_is_as_before(ledger: Ledger) -> None:
    applied(ledger, HOST, Lost(BOB.id))
    assert applied(ledger, HOST, Back(BOB.id)) is ledger.member(BOB.id)
    assert not ledger.member(BOB.id).away
    assert ledger.member(BOB.id).counter == 7
    assert [person.nick for person in ledger.people()] == ["host", "ann", "Bob"]
    checked(ledger, BOB, Text("back", action=False))


def test_a_removed_unseats_whom_it_names(ledger: Ledger) -> None:
    applied(ledger, HOST, Lost(BOB.id))
    assert applied(ledger, HOST, Removed(BOB.id)).id == BOB.id
    assert nicks(ledger) == ["host", "ann"]
    ledger.seat(EVE.key, "bob")


@pytest.mark.parametrize("body", [Text("x", action=False), Nick("bobby"), Leave()], ids=repr)
def test_one_who_is_away_writes_nothing(ledger: Ledger, body: Body) -> None:
    applied(ledger, HOST, Lost(BOB.id))
    with pytest.raises(PeerFault, match="away"):
        checked(ledger, BOB, body)


def test_one_who_is_away_is_not_lost_again(ledger: Ledger) -> None:
    applied(ledger, HOST, Lost(BOB.id))
    with pytest.raises(PeerFault, match="loss"):
        checked(ledger, HOST, Lost(BOB.id))


@pytest.mark.parametrize("member", [EVE.id, HOST.id, BOB.id, bytes(16)], ids=["a stranger", "host", "here", "nobody"])
@pytest.mark.parametrize("kind", [Back, Removed])
def test_only_one_who_is_away_returns_or_is_removed(
    ledger: Ledger, kind: type[Back] | type[Removed], member: bytes
) -> None:
    with pytest.raises(PeerFault, match="not away"):
        checked(ledger, HOST, kind(member))


@pytest.mark.parametrize(
    ("key", "nick"),
    [
        (ANN.key, "eve"),
        (EVE.key, "BOB"),
        (EVE.key, ""),
        (EVE.key, "e\u200bve"),
        (EVE.key, "ｅｖｅ"),
        (EVE.key, "x" * 21),
    ],
    ids=["a member's key", "a member's nick", "no nick", "invisible", "wide", "too long"],
)
def test_a_seat_for_one_alike_or_improper_is_a_fault(ledger: Ledger, key: bytes, nick: str) -> None:
    with pytest.raises(PeerFault, match=r"nick|alike"):
        ledger.seat(key, nick)
    with pytest.raises(PeerFault, match=r"nick|alike"):
        applied(ledger, HOST, Joined(key, nick))
    assert len(ledger.roster) == 3


def test_a_room_is_full_at_its_limit(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MEMBERS", 4)
    ledger.seat(EVE.key, "eve")
    with pytest.raises(PeerFault, match="too many"):
        ledger.seat(Identity(b"z" * 32, ROOM).key, "zoe")


# --- what newcomers and people are shown


def greeted(data: bytes) -> list[frames.Frame]:
    return list(frames.Decoder(frames.FromHost, limits.FRAME).feed(data))


def test_a_greeting_holds_all_that_a_newcomer_must_know(ledger: Ledger) -> None:
    """4.3"""
    applied(ledger, ANN, Text("hello", action=False))
    applied(ledger, HOST, Lost(BOB.id))
    ledger.advance(b"content", bytes(64))
    seats = [
        frames.Seat(HOST.key, "host", 1, away=False),
        frames.Seat(ANN.key, "ann", 1, away=False),
        frames.Seat(BOB.key, "Bob", 7, away=True),
    ]
    welcome = frames.Welcome("demo", HOST.id, 1, identity.chain(identity.genesis(ROOM), 1, b"content", bytes(64)))
    assert greeted(ledger.greeting()) == [frames.Roster(seats), welcome]


def test_a_long_roster_comes_in_pages(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "ROSTER_PAGE", 2)
    *pages, welcome = greeted(ledger.greeting())
    assert [len(page.seats) for page in pages if isinstance(page, frames.Roster)] == [2, 1]
    assert isinstance(welcome, frames.Welcome)


def test_people_are_shown_with_role_and_tag(ledger: Ledger) -> None:
    host, ann, bob = ledger.people()
    assert (host.nick, host.role, ann.nick, ann.role, bob.nick, bob.role) == (
        *("host", "host"),
        *("ann", "member"),
        *("Bob", "member"),
    )
    assert ann.member == identity.spell(ANN.id)
    assert ann.tag == identity.tag(ANN.id)
