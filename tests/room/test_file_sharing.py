"""Files that members offer each other, in whole rooms (PROTOCOL.md, 5e)."""

import msgspec
import pytest
from msgspec import UNSET

from anonp2p import limits
from anonp2p.crypto import identity
from anonp2p.errors import Failed
from anonp2p.protocol import bodies
from anonp2p.protocol.rights import Order
from anonp2p.protocol.room_state import HistoryPolicy
from anonp2p.reasons import NO_REASON, Reason
from anonp2p.room import effects, events, inputs
from anonp2p.room.file_events import OfferEvent, TransferEvent
from anonp2p.room.file_inputs import AcceptInput, FileFailedInput, SendFileInput, TransferInput
from anonp2p.room.moderation_inputs import RoleInput, SlowInput
from tests.room.simulation import Simulation
from tests.support.world import Party

CHALLENGE = bytes(range(64))


@pytest.fixture
def room() -> Simulation:
    """A host in a room of its own."""
    return Simulation()


def offered(room: Simulation, party: Party, path: str = "report.pdf", nick: str = "") -> OfferEvent:
    """What somebody offers, as it is told to itself."""
    room.send(party, path, nick)
    room.settle()
    return last(party)


def last(party: Party) -> OfferEvent:
    return party.got(OfferEvent)[-1]


def ended(party: Party) -> list[tuple[int, str]]:
    """What was told of the ends of offers: number, and why."""
    return [(it.offer, it.detail.code) for it in party.got(TransferEvent) if it.state == "ended"]


def wanted(party: Party) -> list[tuple[str, int]]:
    """What its room wants done with files: what, and under which number."""
    return [(_what(it), it.number) for it in party.files]


def _what(effect: effects.FileEffect) -> str:
    forgets = isinstance(effect, effects.StopFileEffect) and effect.forgets
    return "Forget" if forgets else type(effect).__name__.removesuffix("FileEffect")


def refused(room: Simulation, party: Party, re: int) -> list[str]:
    """What was said, and given back, in answer to an input."""
    answers = room.answers(party, re)
    assert all(isinstance(it, events.ErrorEvent | events.UnsentEvent) for it in answers)
    return [type(it.text).__name__ if isinstance(it, events.ErrorEvent) else it.text for it in answers]  # type: ignore[attr-defined]


def claims(party: Party, offer: OfferEvent, sender: Party, mine: int, challenge: bytes = CHALLENGE) -> bool:
    """Whether somebody may have what was offered. mine: the sender's number of it."""
    claim = party.room.files.make_claim(offer.offer, challenge)
    member = sender.room.files.check_claim(mine, CHALLENGE, claim)
    assert member in (None, party.room.replica.me.id)
    return member is not None


def says(room: Simulation, party: Party, body: bodies.Body) -> None:
    """A program that asks nobody has this said."""
    party.room.role.author_entry(body, None, UNSET)
    room.step(party, inputs.TickInput())


def an_offer(number: int) -> bodies.TextBody:
    file = bodies.FileOffer(number, b"r" * 32, number.to_bytes(32, "big"), b"s" * 32)
    return bodies.TextBody(f"{number}.pdf", action=False, reply=None, file=file)


# --- an offer


@pytest.mark.parametrize("hosting", [True, False], ids=["the host's", "a member's"])
def test_an_offer_is_told_to_all_as_the_same(room: Simulation, hosting: bool) -> None:
    ann, bob = room.joined("ann"), room.joined("bob")
    author = room.host if hosting else ann
    re = room.send(author, reads=False)
    assert wanted(author) == [("Read", 1)]
    assert author.room.outstanding == 1, "the end of input waits for it"
    room.read_files(author)
    [serve] = author.files
    assert isinstance(serve, effects.ServeFileEffect)
    room.settle()
    assert author.room.outstanding == 0
    [receipt] = room.answers(author, re)
    assert isinstance(receipt, OfferEvent)
    member = identity.spell_member(author.room.replica.me.id)
    for party in (ann, bob, room.host):
        told = last(party)
        assert (told.member, told.name, told.size, told.offer) == (member, "report.pdf", 100_000, 1)
        assert (told.seq, told.private, told.to) == (receipt.seq, False, UNSET)
        assert told.mine is (party is author)
        assert party.messages == []
        [row] = room.files(party)
        assert (row["offer"], row["state"], row["mine"], row["name"]) == (1, "offered", party is author, "report.pdf")
    taker = room.accept(bob, 1)
    [fetch] = bob.files
    assert isinstance(fetch, effects.FetchFileEffect)
    assert (fetch.offer.address, fetch.offer.secret) == (serve.key.public, serve.secret)
    assert [it.state for it in room.answers(bob, taker) if isinstance(it, TransferEvent)] == ["connecting"]


def test_a_private_offer_is_between_two(room: Simulation) -> None:
    ann, bob, eve = (room.joined(nick) for nick in ("ann", "bob", "eve"))
    offer = offered(room, ann, nick="bob")
    assert (offer.private, offer.to, last(bob).private, last(bob).to) == (True, "bob", True, UNSET)
    assert eve.got(OfferEvent) == room.host.got(OfferEvent) == []
    assert claims(bob, last(bob), ann, offer.offer)
    room.send(eve)
    room.settle()
    assert not claims(eve, last(eve), ann, offer.offer)
    assert not ann.room.files.may_fetch(offer.offer, eve.room.replica.me.id)


def test_no_two_offers_have_an_address_or_a_secret_in_common(room: Simulation) -> None:
    for path in ("one", "two"):
        room.send(room.host, path)
    served = [it for it in room.host.files if isinstance(it, effects.ServeFileEffect)]
    assert len({it.key.public for it in served}) == len({it.secret for it in served}) == 2


def test_what_one_may_not_offer_is_said_before_anything_is_read(room: Simulation) -> None:
    ann, bob = room.joined("ann"), room.joined("bob")

    def tried(path: str = "a file", nick: str = "") -> list[str]:
        return refused(room, ann, room.send(ann, path, nick))

    assert tried(nick="nobody") == ["NoSuchNick", "/send 'a file' nobody"]
    assert tried(nick="ann") == ["WhisperToSelf", "/send 'a file' ann"]
    room.retain(ann, 0)
    assert tried("x") == ["FileFleeting", "/send x"]
    room.retain(ann, 60)
    room.moderate(room.host, SlowInput, 30)
    room.settle()
    room.say(ann, "hello")
    room.settle()
    assert tried("x") == ["RoomSlow", "/send x"]
    room.moderate(room.host, SlowInput, 0)
    room.moderate(room.host, RoleInput, "ann", "muted", "/mute")
    room.settle()
    assert tried("x") == ["Muted", "/send x"]
    assert tried("x", "bob") == ["Muted", "/send x bob"]
    assert ann.files == bob.files == []
    assert not ann.room.outstanding


def test_so_many_may_be_offered_at_once(room: Simulation) -> None:
    ann = room.joined("ann")
    for number in range(limits.OFFERS):
        room.send(ann, f"{number}", reads=bool(number % 2))
    assert refused(room, ann, room.send(ann, "more")) == ["TooManyOffers", "/send more"]
    room.read_files(ann)
    room.settle()
    assert refused(room, ann, room.send(ann, "more")) == ["TooManyOffers", "/send more"]
    room.decline(ann, 3)
    room.settle()
    assert offered(room, ann).offer == limits.OFFERS + 1


def test_one_who_is_muted_while_its_file_is_read_has_its_line_back(room: Simulation) -> None:
    ann = room.joined("ann")
    re = room.send(ann, reads=False)
    room.moderate(room.host, RoleInput, "ann", "muted", "/mute")
    room.settle()
    room.read_files(ann)
    assert refused(room, ann, re) == ["Muted", "/send report.pdf"]
    assert wanted(ann) == [("Stop", 1)]


def test_what_the_host_denies_is_served_no_more_and_its_line_given_back(room: Simulation) -> None:
    ann = room.joined("ann")
    room.moderate(room.host, RoleInput, "ann", "muted", "/mute")
    re = room.send(ann)
    room.settle()
    assert refused(room, ann, re) == ["Muted", "/send report.pdf"]
    assert wanted(ann) == [("Serve", 1), ("Stop", 1)]
    assert ended(ann) == []
    assert room.files(ann) == []


def test_a_private_offer_whose_recipient_leaves_while_the_file_is_read_is_given_back(room: Simulation) -> None:
    ann, bob = room.joined("ann"), room.joined("bob")
    re = room.send(ann, nick="bob", reads=False)
    room.leave(bob)
    room.settle()
    room.read_files(ann)
    assert refused(room, ann, re) == ["NoSuchNick", "/send report.pdf bob"]


def test_nobody_else_who_takes_the_nick_meanwhile_gets_a_private_offer(room: Simulation) -> None:
    ann, bob, eve = (room.joined(nick) for nick in ("ann", "bob", "eve"))
    room.send(ann, nick="bob", reads=False)
    room.rename(bob, "bobby")
    room.settle()
    room.rename(eve, "bob")
    room.settle()
    room.read_files(ann)
    room.settle()
    assert (last(ann).to, last(bob).name, eve.got(OfferEvent)) == ("bobby", "report.pdf", [])


def test_a_line_names_its_file_so_that_it_can_be_sent_again() -> None:
    assert SendFileInput("a b", "bob", clean=True).line == "/send --clean 'a b' bob"


@pytest.mark.parametrize("when", ["read", "on its way", "on offer"])
def test_a_file_that_cannot_be_had_any_more_is_on_offer_no_more(room: Simulation, when: str) -> None:
    ann, bob = room.joined("ann"), room.joined("bob")
    re = room.send(ann, reads=when != "read")
    if when == "on offer":
        room.settle()
    room.step(ann, FileFailedInput(1, Failed("it has changed")))
    room.settle()
    errors = [it for it in room.answers(ann, re) if isinstance(it, events.ErrorEvent)]
    assert [str(it.text) for it in errors] == ["it has changed"]
    assert room.files(ann) == room.files(bob) == []
    assert not ann.room.files.may_fetch(1, bob.room.replica.me.id)
    assert wanted(ann)[-1] == ("Stop", 1)
    assert not ann.room.outstanding
    room.step(ann, FileFailedInput(1, Failed("it has changed")))
    assert len(room.answers(ann, re)) == {"read": 1, "on its way": 2, "on offer": 2}[when]


# --- who may have it


def test_whoever_is_a_member_may_have_what_is_offered_to_all(room: Simulation) -> None:
    """5e.5: "that is not ordered out, whenever it has joined"."""
    ann, bob = room.joined("ann"), room.joined("bob")
    offer = offered(room, ann)
    room.moderate(room.host, RoleInput, "bob", "muted", "/mute")
    late = room.joined("late")
    files, member = ann.room.files, late.room.replica.me.id
    assert claims(bob, last(bob), ann, offer.offer)
    assert files.may_fetch(offer.offer, member)
    assert not files.may_fetch(offer.offer, ann.room.replica.me.id)
    assert not files.may_fetch(offer.offer, b"stranger".ljust(16))
    assert not files.may_fetch(offer.offer + 1, member)


def test_a_claim_is_of_one_link_one_member_and_one_offer(room: Simulation) -> None:
    """5e.5: "over address || challenge"."""
    ann, bob, eve = (room.joined(nick) for nick in ("ann", "bob", "eve"))
    first, second = offered(room, ann, "one"), offered(room, ann, "two")
    files, claim = ann.room.files, bob.room.files.make_claim(first.offer, CHALLENGE)
    assert files.check_claim(first.offer, CHALLENGE, claim) == bob.room.replica.me.id
    assert files.check_claim(first.offer, bytes(64), claim) is None
    assert files.check_claim(second.offer, CHALLENGE, claim) is None
    assert files.check_claim(99, CHALLENGE, claim) is None
    for other in (claim[:-1], claim + b"x", b"", claim[:16] + bytes(64), eve.room.replica.me.id + claim[16:]):
        assert files.check_claim(first.offer, CHALLENGE, other) is None
    joined = bob.room.replica.me.sign(identity.JOIN, bytes(32) + CHALLENGE)
    assert files.check_claim(first.offer, CHALLENGE, claim[:16] + joined) is None
    assert bob.room.files.make_claim(99, CHALLENGE) == b""


def test_who_is_thrown_out_may_have_nothing_any_more(room: Simulation) -> None:
    ann, bob = room.joined("ann"), room.joined("bob")
    offer = offered(room, ann)
    member = bob.room.replica.me.id
    claim = bob.room.files.make_claim(offer.offer, CHALLENGE)
    room.kick("bob")
    room.settle()
    assert ann.room.files.check_claim(offer.offer, CHALLENGE, claim) is None
    assert not ann.room.files.may_fetch(offer.offer, member)


def test_who_is_ordered_out_may_have_nothing_any_more(room: Simulation) -> None:
    """5e.5: nor where a host keeps back that it is thrown out."""
    ann, bob = room.joined("ann"), room.joined("bob")
    offer, member = offered(room, ann), bob.room.replica.me.id
    ledger = ann.room.replica.ledger
    ledger.rights = msgspec.structs.replace(ledger.rights, orders=(Order((member,), ""),))
    assert not ann.room.files.may_fetch(offer.offer, member)
    assert not claims(bob, last(bob), ann, offer.offer)


def test_who_is_shown_it_in_the_history_may_have_it() -> None:
    room = Simulation(history=HistoryPolicy(10, 0))
    ann = room.joined("ann")
    offer = offered(room, ann)
    room.send(room.host, "of one who leaves")
    gone = room.joined("gone")
    offered(room, gone, "gone.pdf")
    room.leave(gone)
    room.settle()
    late = room.joined("late")
    assert [(it.name, it.history) for it in late.got(OfferEvent)] == [
        ("report.pdf", True),
        ("of one who leaves", True),
        ("gone.pdf", True),
    ]
    assert claims(late, late.got(OfferEvent)[0], ann, offer.offer)
    assert ended(late) == [(3, "author-gone")]


# --- taking it


def test_how_far_a_fetch_is_is_told_until_it_is_done(room: Simulation) -> None:
    ann, bob = room.joined("ann"), room.joined("bob")
    offered(room, ann)
    re = room.accept(bob, 1, "/tmp/here.pdf")
    [fetch] = bob.files
    assert isinstance(fetch, effects.FetchFileEffect)
    assert (fetch.name, fetch.path) == ("report.pdf", "/tmp/here.pdf")
    assert refused(room, ann, room.accept(ann, 1)) == ["OwnOffer"]
    assert refused(room, bob, room.accept(bob, 1)) == ["FetchedAlready"]
    assert refused(room, bob, room.accept(bob, 2)) == ["NoSuchOffer"]
    assert refused(room, bob, room.accept(bob, 0)) == ["NoSuchOffer"]
    room.step(bob, TransferInput(1, "running", 65_536, 1_000))
    assert room.files(bob)[0] | {"member": ""} == {
        "offer": 1,
        "member": "",
        "nick": "ann",
        "name": "report.pdf",
        "size": 100_000,
        "private": False,
        "mine": False,
        "state": "running",
        "bytes": 65_536,
        "rate": 1_000,
    }
    room.step(bob, TransferInput(1, "done", 100_000, 900, path="/tmp/here.pdf"))
    room.step(bob, TransferInput(1, "running", 1, 1))
    told = [it for it in room.answers(bob, re) if isinstance(it, TransferEvent)]
    assert [(it.state, it.bytes, it.size, it.rate, it.path, it.mine) for it in told] == [
        ("connecting", 0, 100_000, 0, UNSET, False),
        ("running", 65_536, 100_000, 1_000, UNSET, False),
        ("done", 100_000, 100_000, 900, "/tmp/here.pdf", False),
    ]
    assert all((it.name, it.member, it.detail) == ("report.pdf", UNSET, NO_REASON) for it in told)
    assert room.files(bob)[0]["path"] == "/tmp/here.pdf"
    room.accept(bob, 1)
    assert wanted(bob) == [("Fetch", 1)] * 2, "it is fetched again, if that is wanted"


def test_a_fetch_that_failed_goes_on_when_it_is_accepted_again(room: Simulation) -> None:
    ann, bob = room.joined("ann"), room.joined("bob")
    offered(room, ann)
    room.accept(bob, 1)
    room.step(bob, TransferInput(1, "failed", 65_536, 0, Failed("The disk is full.")))
    told = bob.got(TransferEvent)[-1]
    assert (told.state, told.detail) == ("failed", Reason("file-failed", Failed("The disk is full.")))
    assert room.files(bob)[0]["state"] == "failed"
    room.accept(bob, 1)
    assert wanted(bob) == [("Fetch", 1)] * 2
    room.step(bob, TransferInput(1, "connecting", 0, 0, Reason("dial-timeout", 30)))
    assert bob.got(TransferEvent)[-1].detail == Reason("dial-timeout", 30)


def test_a_sender_is_told_who_fetches(room: Simulation) -> None:
    ann, bob = room.joined("ann"), room.joined("bob")
    offered(room, ann)
    member = bob.room.replica.me.id
    room.step(ann, TransferInput(1, "running", 7, 9, peer=member))
    told = ann.got(TransferEvent)[-1]
    assert (told.state, told.bytes, told.rate, told.nick, told.mine) == ("running", 7, 9, "bob", True)
    assert told.member == identity.spell_member(member)
    assert room.files(ann)[0]["state"] == "running"
    room.step(ann, TransferInput(1, "done", 100_000, 9, peer=member))
    assert (ann.got(TransferEvent)[-1].bytes, room.files(ann)[0]["state"]) == (100_000, "offered")


def test_a_fetcher_that_is_gone_is_told_of_under_the_nick_that_it_had(room: Simulation) -> None:
    ann, bob, eve = (room.joined(nick) for nick in ("ann", "bob", "eve"))
    offered(room, ann)
    members = [party.room.replica.me.id for party in (bob, eve)]
    for member in members:
        room.step(ann, TransferInput(1, "running", 7, 9, peer=member))
    room.leave(bob)
    room.settle()
    room.step(ann, TransferInput(1, "failed", 7, 0, peer=members[0]))
    assert ann.got(TransferEvent)[-1].nick == "bob"
    assert room.files(ann)[0]["state"] == "running", "another still fetches it"
    room.step(ann, TransferInput(1, "done", 100_000, 0, peer=members[1]))
    assert room.files(ann)[0]["state"] == "offered"
    room.step(ann, TransferInput(1, "failed", 7, 0, peer=members[0]))
    assert ann.got(TransferEvent)[-1].nick == "", "it has been told that it is over"


def test_declining_stops_a_fetch_and_then_hides_the_offer(room: Simulation) -> None:
    ann, bob = room.joined("ann"), room.joined("bob")
    offered(room, ann)
    room.accept(bob, 1)
    stopped, hidden = room.decline(bob, 1), room.decline(bob, 1)
    [failed] = [it for it in room.answers(bob, stopped) if isinstance(it, TransferEvent)]
    assert (failed.state, failed.detail.code) == ("failed", "fetch-stopped")
    [end] = [it for it in room.answers(bob, hidden) if isinstance(it, TransferEvent)]
    assert (end.state, end.detail.code) == ("ended", "offer-hidden")
    assert wanted(bob) == [("Fetch", 1), ("Stop", 1)]
    assert room.files(bob) == []
    assert refused(room, bob, room.accept(bob, 1)) == refused(room, bob, room.decline(bob, 1)) == ["OfferEnded"]
    assert room.files(ann), "it is still there for others"


# --- what ends it


def test_declining_ones_own_ends_it_for_all(room: Simulation) -> None:
    ann, bob = room.joined("ann"), room.joined("bob")
    seq = offered(room, ann).seq
    room.accept(bob, 1)
    re = room.decline(ann, 1)
    assert not ann.room.files.may_fetch(1, bob.room.replica.me.id), "though the end has no place yet"
    assert refused(room, ann, room.decline(ann, 1)) == ["OfferEnded"]
    room.settle()
    end, expired = room.answers(ann, re)
    assert isinstance(end, TransferEvent)
    assert (end.state, end.detail.code) == ("ended", "offer-withdrawn")
    assert isinstance(expired, events.ExpiredEvent)
    for party in (ann, bob, room.host):
        assert ended(party) == [(1, "offer-withdrawn")]
        assert [(it.seq, it.retracted) for it in party.got(events.ExpiredEvent)] == [(seq, True)]
    assert wanted(bob) == [("Fetch", 1), ("Forget", 1)]


def test_taking_the_message_back_ends_the_offer(room: Simulation) -> None:
    ann, bob = room.joined("ann"), room.joined("bob")
    room.retract(ann, offered(room, ann).seq)
    room.settle()
    assert ended(ann) == ended(bob) == [(1, "offer-withdrawn")]
    assert wanted(ann)[-1] == ("Stop", 1)


@pytest.mark.parametrize("reads", [True, False], ids=["on its way", "read"])
def test_declining_what_has_no_place_yet(room: Simulation, reads: bool) -> None:
    ann, bob = room.joined("ann"), room.joined("bob")
    re = room.send(ann, reads=reads)
    room.decline(ann, 1)
    room.settle()
    assert room.files(ann) == room.files(bob) == []
    assert wanted(ann)[-1] == ("Stop", 1)
    assert ended(bob) == [(1, "offer-withdrawn")] * reads
    if not reads:
        assert refused(room, ann, re) == ["/send report.pdf"]


def test_an_offer_ends_with_its_time(room: Simulation) -> None:
    ann, bob = room.joined("ann"), room.joined("bob")
    room.retain(ann, 60)
    offered(room, ann)
    room.accept(bob, 1)
    room.tick += 61
    for party in (ann, bob):
        room.step(party, inputs.TickInput())
        assert ended(party) == [(1, "offer-expired")]
        assert wanted(party)[-1] == ("Stop" if party is ann else "Forget", 1)
        assert [type(it) for it in party.told[-2:]] == [TransferEvent, events.ExpiredEvent]


def test_an_offer_that_is_never_kept_ends_as_it_is_shown(room: Simulation) -> None:
    ann, bob = room.joined("ann"), room.joined("bob")
    room.retain(ann, 0)
    says(room, ann, an_offer(1))
    room.settle()
    assert last(bob).ttl == 0
    assert ended(bob) == [(1, "offer-expired")]
    assert refused(room, bob, room.accept(bob, 1)) == ["OfferEnded"]


@pytest.mark.parametrize("how", ["leaves", "is thrown out"])
def test_an_offer_ends_with_its_authors_place(room: Simulation, how: str) -> None:
    ann, bob = room.joined("ann"), room.joined("bob")
    offered(room, ann)
    room.accept(bob, 1)
    if how == "leaves":
        room.leave(ann)
    else:
        room.kick("ann")
    room.settle()
    assert ended(bob) == ended(room.host) == [(1, "author-gone")]
    assert wanted(bob) == [("Fetch", 1), ("Stop", 1)]
    assert ended(ann) == [(1, "room-left")]
    assert wanted(ann)[-1] == ("Stop", 1)
    assert isinstance(ann.told[-1], events.GoneEvent)


def test_a_private_offer_ends_when_its_recipient_is_gone(room: Simulation) -> None:
    ann, bob = room.joined("ann"), room.joined("bob")
    offered(room, ann, nick="bob")
    room.leave(bob)
    room.settle()
    assert ended(ann) == [(1, "recipient-gone")]
    assert wanted(ann)[-1] == ("Stop", 1)


def test_who_leaves_while_its_file_is_read_has_its_line_back(room: Simulation) -> None:
    ann = room.joined("ann")
    re = room.send(ann, reads=False)
    room.leave(ann)
    room.settle()
    assert refused(room, ann, re) == ["/send report.pdf"]
    assert wanted(ann) == [("Read", 1), ("Stop", 1)]


def test_what_is_typed_before_one_is_in_is_offered_then(room: Simulation) -> None:
    ann = room.newcomer("ann")
    re = room.send(ann)
    assert ann.files == []
    room.settle()
    room.read_files(ann)
    room.settle()
    assert room.answers(ann, re) == [last(ann)]


def test_who_comes_back_as_somebody_new_offers_nothing_any_more(room: Simulation) -> None:
    ann, bob = room.joined("ann"), room.joined("bob")
    offered(room, ann)
    offered(room, bob, "for you", "ann")
    offered(room, bob, "for all")
    room.lose(ann, delivering=False)
    room.host_hears(ann)
    room.settle_without(ann)
    room.wait(limits.PLACE_SECONDS + limits.COMMIT_PAUSE + 60)
    room.settle()
    assert [it[1] for it in ended(ann)] == ["new-identity", "new-identity"]
    assert [row["name"] for row in room.files(ann)] == ["for all"]
    assert [row["name"] for row in room.files(bob)] == ["for all"]
    assert claims(ann, ann.got(OfferEvent)[-1], bob, last(bob).offer)


def test_of_one_who_offers_more_than_it_may_the_latest_are_kept(room: Simulation) -> None:
    """5e.4: by a program that asks nobody."""
    ann, bob = room.joined("ann"), room.joined("bob")
    for number in range(1, 41):
        says(room, ann, an_offer(number))
        if number == 1:
            room.settle()
            room.accept(bob, 1)
    room.settle()
    assert [it.offer for it in bob.got(OfferEvent)] == list(range(1, 41))
    assert ended(bob) == [(number, "offer-displaced") for number in range(1, 41 - limits.OFFERS)]
    assert wanted(bob) == [("Fetch", 1), ("Stop", 1)]
    assert [row["offer"] for row in room.files(bob)] == list(range(41 - limits.OFFERS, 41))
    assert refused(room, bob, room.accept(bob, 1 + 40 - limits.OFFERS - 1)) == ["OfferEnded"]


def test_an_improper_offer_is_a_break_of_the_rules(room: Simulation) -> None:
    """5e.1"""
    ann = room.joined("ann")
    file = an_offer(1).file
    says(room, ann, bodies.TextBody("x" * (limits.FILE_NAME + 1), action=False, reply=None, file=file))
    room.settle()
    assert room.drops == ["bad-offer"]
    assert room.host.got(OfferEvent) == []


def test_an_offer_can_be_answered(room: Simulation) -> None:
    ann, bob = room.joined("ann"), room.joined("bob")
    seq = offered(room, ann).seq
    room.reply(bob, seq, "thank you")
    room.settle()
    assert ann.got(events.MessageEvent)[-1].reply == seq


def test_no_input_or_effect_of_files_shows_what_it_holds() -> None:
    for value in (
        SendFileInput("secret"),
        AcceptInput(1, "secret"),
        TransferInput(1, "done", 1, 1, path="secret"),
        effects.ReadFileEffect(1, "secret", clean=False),
    ):
        assert "secret" not in repr(value)
