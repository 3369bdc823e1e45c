"""The way into an epoch: for one member on one link, from its host, whole."""

from dataclasses import dataclass

import pytest

from anonp2p import limits
from anonp2p.crypto import identity, suite
from anonp2p.crypto.epoch import ENTRY, Epoch, Header
from anonp2p.crypto.identity import Identity
from anonp2p.crypto.padding import SIZES
from anonp2p.errors import PeerFault
from anonp2p.protocol import frames, welcome
from anonp2p.protocol.handshake import Channel
from anonp2p.protocol.wire import Splitter

ROOM, HELLO, KEY = b"r" * 32, b"h" * 32, b"k" * 32
HOST, ANN = Identity(b"h" * 32, ROOM), Identity(b"a" * 32, ROOM)
LEAF = suite.LeafKey(b"l" * 32)
RULES = frames.Retention(0, 60, 2**32 - 1), frames.History(50, 0)
BASE = frames.Base(b"d" * 32, 0, True, [frames.Sitter(HOST.key, "boss", 2, False, b"l" * 32)])


def epoch() -> Epoch:
    it = Epoch.first(b"f" * 32, ROOM, HOST.id)
    it.admit(ANN.id)
    it.chains[HOST.id].take(2)
    return it


def seat(who: Identity, at: Epoch) -> frames.Seat:
    chain = at.chains[who.id]
    return frames.Seat(who.key, "nick", 3, False, b"l" * 32, chain.generation, chain.link)


def state(
    host: bytes = HOST.id, more: int = 0, at: Epoch | None = None, base: frames.Base | None = None
) -> frames.State:
    """A room's. more: members who make it longer."""
    at = at or epoch()
    seats = [seat(HOST, at), seat(ANN, at)]
    nick = "\U00020000" * limits.NICK
    crowd = [frames.Seat(number.to_bytes(32, "big"), nick, 0, False, bytes(32), 0, bytes(32)) for number in range(more)]
    keys = (at.init, at.log_key, at.newcomers)
    return frames.State("demo", False, host, *RULES, at.number, *keys, bytes(112), seats + crowd, 7, base)


def bare(host: bytes, seats: list[frames.Seat]) -> frames.State:
    return frames.State("demo", False, host, *RULES, 0, bytes(32), bytes(32), bytes(32), bytes(112), seats, 7, None)


@dataclass
class Sent:
    """The frames of a Welcome."""

    welcome: frames.Welcome
    pages: list[frames.Page]

    @classmethod
    def by(cls, it: frames.State, signer: Identity = HOST, room: bytes = ROOM, hello: bytes = HELLO) -> "Sent":
        first, *rest = welcome.seal(it, LEAF.public, room, hello, KEY, signer.sign)
        assert isinstance(first, frames.Welcome)
        pages = [page for page in rest if isinstance(page, frames.Page)]
        assert len(pages) == len(rest) == first.pages
        return cls(first, pages)

    def arrive(self, leaf: suite.LeafKey = LEAF, room: bytes = ROOM, hello: bytes = HELLO) -> frames.State | None:
        """What a joiner has of it after its last page."""
        arrival = welcome.Arrival(self.welcome, leaf, room, hello)
        *before, last = [arrival.take(page) for page in self.pages]
        assert not any(before)
        return last


LONG = Sent.by(state(more=900))


def sealed(text: bytes, key: bytes = KEY, length: int = limits.PAGE) -> Sent:
    """A Welcome of anything at all."""
    box = suite.seal_to(LEAF.public, key, b"anonp2p/3 welcome" + ROOM + HELLO)
    whole = suite.Key(KEY).seal(0, text)
    parts = [whole[at : at + length] for at in range(0, len(whole), length)]
    return Sent(frames.Welcome(box, len(parts)), [frames.Page(part) for part in parts])


def signed(packed: bytes, signer: Identity = HOST, hello: bytes = HELLO) -> bytes:
    return signer.sign(identity.WELCOME, hello + suite.digest(packed)) + packed


def test_a_welcome_lets_into_the_epoch() -> None:
    ours = epoch()
    arrived = Sent.by(state()).arrive()
    assert arrived == state()
    theirs = welcome.epoch_of(arrived)
    assert (theirs.number, theirs.init, theirs.newcomers) == (ours.number, ours.init, ours.newcomers)
    for who, generation in ((HOST, 3), (ANN, 0)):
        header = Header(ENTRY, who.id, 4, generation)
        assert theirs.open_entry(ours.seal_entry(header, b"body")) == (header, b"body")
    [burst] = Splitter(SIZES[-1]).feed(ours.seal_burst(b"burst", bytes))
    assert theirs.open_burst(burst) == b"burst"


@pytest.mark.parametrize("base", [None, BASE])
def test_what_a_welcome_tells_of_the_room_arrives(base: frames.Base | None) -> None:
    """7.1: "[name, locked, host ..., retention: [least, default, most] ..., history ..., seats, since, base]"."""
    arrived = Sent.by(state(base=base)).arrive()
    assert arrived is not None
    assert (arrived.retention, arrived.history) == RULES
    assert (arrived.since, arrived.base) == (7, base)


def test_nothing_that_was_ordered_before_opens_with_it() -> None:
    """7.3"""
    ours = epoch()
    theirs = welcome.epoch_of(state(at=ours))
    with pytest.raises(PeerFault, match="order"):
        theirs.chains[HOST.id].take(2)


def test_pages_are_as_long_as_they_may_be() -> None:
    """7.1: "each up to 28,000 bytes (`PAGE`)"."""
    assert [len(page.part) for page in LONG.pages[:-1]] == [limits.PAGE] * (len(LONG.pages) - 1)
    assert 0 < len(LONG.pages[-1].part) <= limits.PAGE
    assert LONG.arrive() == state(more=900)


def test_the_largest_room_fits_its_pages() -> None:
    """With the same room once more as the base of its history; and each page takes one payload."""
    nick = "\U00020000" * limits.NICK
    seats = [frames.Seat(bytes(32), nick, 2**53 - 1, False, bytes(32), 2**31 - 1, bytes(32))] * limits.MEMBERS
    sitters = [frames.Sitter(bytes(32), nick, 2**53 - 1, False, bytes(32))] * limits.MEMBERS
    keys = (bytes(32), bytes(32), bytes(32))
    name = "\U00020000" * limits.ROOM_NAME
    rules = frames.Retention(2**32 - 1, 2**32 - 1, 2**32 - 1), frames.History(2**53 - 1, 2**53 - 1)
    base = frames.Base(bytes(32), 2**53 - 1, False, sitters)
    full = frames.State(name, False, HOST.id, *rules, 2**53 - 1, *keys, bytes(112), seats, 2**53 - 1, base)
    assert len(frames.pack(full)) + 64 + suite.TAG <= limits.PAGES * limits.PAGE
    sent = welcome.seal(full, LEAF.public, ROOM, HELLO, KEY, HOST.sign)
    assert len(sent) <= 1 + limits.PAGES
    data = Channel(bytes(32), HELLO, up=False).seal(sent)
    assert {2 + len(content) for content in Splitter(limits.BURST).feed(data)} == {limits.BURST}


# --- what is none


def test_a_welcome_for_another_leaf_room_or_link_is_none() -> None:
    """7.1: "box(leaf, key ..., `anonp2p/3 welcome` || room || hello)"."""
    sent = Sent.by(state())
    for leaf, room, hello in (
        (suite.LeafKey(bytes(32)), ROOM, HELLO),
        (LEAF, b"q" * 32, HELLO),
        (LEAF, ROOM, b"i" * 32),
    ):
        with pytest.raises(PeerFault, match="does not open"):
            sent.arrive(leaf, room, hello)


def test_a_welcome_that_was_signed_for_another_link_or_room_is_none() -> None:
    """7.1: "signed by the host under `anonp2p/3 welcome` over hello || H(array)"."""
    packed = frames.pack(state())
    assert sealed(signed(packed)).arrive() == state()
    other_room = Identity(b"h" * 32, b"q" * 32)
    for text in (signed(packed, hello=b"i" * 32), signed(packed, other_room)):
        with pytest.raises(PeerFault, match="did not sign"):
            sealed(text).arrive()


def test_a_welcome_that_its_host_did_not_sign_is_none() -> None:
    packed = frames.pack(state())
    entry = HOST.sign(identity.ENTRY, HELLO + suite.digest(packed)) + packed
    other = signed(frames.pack(state(more=1)))[:64] + packed
    for text in (signed(packed, ANN), entry, other, bytes(64) + packed):
        with pytest.raises(PeerFault, match="did not sign"):
            sealed(text).arrive()


def test_the_host_need_not_sit_first_and_who_does_is_not_the_host() -> None:
    packed = frames.pack(bare(HOST.id, [seat(ANN, epoch()), seat(HOST, epoch())]))
    assert sealed(signed(packed)).arrive() is not None
    with pytest.raises(PeerFault, match="did not sign"):
        sealed(signed(packed, ANN)).arrive()


def test_a_welcome_whose_host_has_no_seat_or_no_key_is_none() -> None:
    stranger = Identity(b"s" * 32, ROOM)
    neutral = b"\1" + bytes(31)
    weak = bare(identity.member_id(neutral), [frames.Seat(neutral, "host", 0, False, bytes(32), 0, bytes(32))])
    for text in (
        signed(frames.pack(state(host=stranger.id)), stranger),
        neutral + bytes(32) + frames.pack(weak),
        signed(frames.pack(bare(HOST.id, []))),
    ):
        with pytest.raises(PeerFault, match="did not sign"):
            sealed(text).arrive()


@pytest.mark.parametrize("text", [b"", bytes(63), bytes(64), bytes(64) + b"\xc1", bytes(64) + b"\x91" * 2_000])
def test_a_welcome_of_garbage_is_malformed(text: bytes) -> None:
    with pytest.raises(PeerFault, match="malformed"):
        sealed(text).arrive()


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_key_of_another_length_is_none(length: int) -> None:
    with pytest.raises(PeerFault, match="length"):
        sealed(signed(frames.pack(state())), key=bytes(length)).arrive()


def test_another_key_in_the_box_opens_nothing() -> None:
    with pytest.raises(PeerFault, match="does not open"):
        sealed(signed(frames.pack(state())), key=bytes(32)).arrive()


# --- pages


def test_a_welcome_without_its_last_page_is_not_there_yet() -> None:
    assert Sent(LONG.welcome, LONG.pages[:-1]).arrive() is None


def test_pages_left_out_repeated_or_exchanged_do_not_open() -> None:
    first, second, *rest = LONG.pages
    assert rest
    for pages in ([second, first, *rest], [first, first, *rest], [*rest, first, second]):
        with pytest.raises(PeerFault, match="does not open"):
            Sent(LONG.welcome, pages).arrive()
    fewer = Sent(frames.Welcome(LONG.welcome.box, len(LONG.pages) - 1), [first, *rest])
    with pytest.raises(PeerFault, match="does not open"):
        fewer.arrive()


def test_a_page_of_another_welcome_does_not_open() -> None:
    other = welcome.seal(state(more=900), LEAF.public, ROOM, HELLO, b"o" * 32, HOST.sign)
    strange = [page for page in other if isinstance(page, frames.Page)]
    with pytest.raises(PeerFault, match="does not open"):
        Sent(LONG.welcome, [*LONG.pages[:-1], strange[-1]]).arrive()


def test_a_page_behind_the_last_is_one_too_many() -> None:
    sent = Sent.by(state())
    arrival = welcome.Arrival(sent.welcome, LEAF, ROOM, HELLO)
    assert arrival.take(sent.pages[0]) == state()
    with pytest.raises(PeerFault, match="too many"):
        arrival.take(frames.Page(b""))


def test_a_welcome_cut_in_other_pages_is_the_same() -> None:
    assert sealed(signed(frames.pack(state())), length=100).arrive() == state()


def test_a_leaf_that_cannot_be_sealed_to_gets_no_welcome() -> None:
    with pytest.raises(PeerFault, match="cannot be sealed to"):
        welcome.seal(state(), LEAF.public[:-32] + bytes(32), ROOM, HELLO, KEY, HOST.sign)
