"""The way into an epoch: for one member on one link, from its host, whole."""

from dataclasses import dataclass

import pytest

from anonp2p import limits
from anonp2p.crypto import identity, suite
from anonp2p.crypto.epoch import ENTRY, Epoch, Header
from anonp2p.crypto.identity import Identity
from anonp2p.crypto.padding import SIZES
from anonp2p.errors import PeerFault
from anonp2p.protocol import frames, room_state, welcome
from anonp2p.protocol.field_types import Heir, Opening
from anonp2p.protocol.handshake import Channel
from anonp2p.protocol.packing import pack
from anonp2p.protocol.rights import Ban, Invitation, Order, Restrictions, ReturnKey, Rights
from anonp2p.protocol.wire import Splitter
from tests.support.terms import founders_term

ROOM, HELLO, KEY = b"r" * 32, b"h" * 32, b"k" * 32
HOST, ANN = Identity(b"h" * 32, ROOM), Identity(b"a" * 32, ROOM)
KEY_PAIR = suite.EncryptionKeyPair(b"l" * 32)
RULES = room_state.RetentionPolicy(0, 60, 2**32 - 1), room_state.HistoryPolicy(50, 0)
LATEST = room_state.LatestEntry(bytes(32), bytes(33), bytes(32))
VOUCHED = frames.Credentials(bytes(32), bytes(32), 0, bytes(64))
BASE = room_state.RoomSnapshot(
    b"d" * 32,
    0,
    Rights(Restrictions(locked=True)),
    [room_state.SnapshotEntry(HOST.key, "boss", 2, False, b"l" * 32)],
    founders_term(HOST.id, ROOM),
)


def epoch() -> Epoch:
    it = Epoch.begin(b"f" * 32, ROOM, HOST.id)
    it.admit_member(ANN.id)
    it.ratchets[HOST.id].take_key(2)
    return it


def roster_entry(who: Identity, at: Epoch) -> room_state.RosterEntry:
    chain = at.ratchets[who.id]
    return room_state.RosterEntry(who.key, "nick", 3, False, b"l" * 32, chain.generation, chain.chain_key)


def state(
    host: bytes = HOST.id, more: int = 0, at: Epoch | None = None, base: room_state.RoomSnapshot | None = None
) -> room_state.RoomState:
    """A room's. more: members who make it longer."""
    at = at or epoch()
    roster = [roster_entry(HOST, at), roster_entry(ANN, at)]
    nick = "\U00020000" * limits.NICK
    crowd = [
        room_state.RosterEntry(number.to_bytes(32, "big"), nick, 0, False, bytes(32), 0, bytes(32))
        for number in range(more)
    ]
    keys = (at.init_secret, at.log_key, at.newcomer_secret)
    return room_state.RoomState(
        ROOM,
        "demo",
        Rights(),
        founders_term(host, ROOM),
        *RULES,
        at.number,
        *keys,
        bytes(112),
        LATEST,
        VOUCHED,
        roster + crowd,
        7,
        base,
    )


def bare(host: bytes, roster: list[room_state.RosterEntry]) -> room_state.RoomState:
    return room_state.RoomState(
        ROOM,
        "demo",
        Rights(),
        founders_term(host, ROOM),
        *RULES,
        0,
        bytes(32),
        bytes(32),
        bytes(32),
        bytes(112),
        LATEST,
        VOUCHED,
        roster,
        7,
        None,
    )


@dataclass
class Sent:
    """The frames of a Welcome."""

    welcome: frames.WelcomeFrame
    pages: list[frames.PageFrame]

    @classmethod
    def by(cls, it: room_state.RoomState, signer: Identity = HOST, room: bytes = ROOM, hello: bytes = HELLO) -> "Sent":
        first, *rest = welcome.seal_welcome(it, KEY_PAIR.public, room, hello, KEY, signer.sign)
        assert isinstance(first, frames.WelcomeFrame)
        pages = [page for page in rest if isinstance(page, frames.PageFrame)]
        assert len(pages) == len(rest) == first.pages
        return cls(first, pages)

    def arrive(
        self, key: suite.EncryptionKeyPair = KEY_PAIR, room: bytes = ROOM, hello: bytes = HELLO
    ) -> room_state.RoomState | None:
        """What a joiner has of it after its last page."""
        reader = welcome.WelcomeReader(self.welcome, key, room, hello)
        *before, last = [reader.take_page(page) for page in self.pages]
        assert not any(before)
        return last


LONG = Sent.by(state(more=900))


def sealed(text: bytes, key: bytes = KEY, length: int = limits.PAGE) -> Sent:
    """A Welcome of anything at all."""
    box = suite.seal_to_key(KEY_PAIR.public, key, b"anonp2p/4 welcome" + ROOM + HELLO)
    whole = suite.Key(KEY).seal_text(0, text)
    parts = [whole[at : at + length] for at in range(0, len(whole), length)]
    return Sent(frames.WelcomeFrame(box, len(parts)), [frames.PageFrame(part) for part in parts])


def signed(packed: bytes, signer: Identity = HOST, hello: bytes = HELLO) -> bytes:
    return signer.sign(identity.WELCOME, hello + suite.hash_data(packed)) + packed


def test_a_welcome_lets_into_the_epoch() -> None:
    ours = epoch()
    arrived = Sent.by(state()).arrive()
    assert arrived == state()
    theirs = welcome.make_epoch(arrived)
    assert (theirs.number, theirs.init_secret, theirs.newcomer_secret) == (
        ours.number,
        ours.init_secret,
        ours.newcomer_secret,
    )
    for who, generation in ((HOST, 3), (ANN, 0)):
        header = Header(ENTRY, who.id, 4, generation)
        assert theirs.open_entry(ours.seal_entry(header, b"body")) == (header, b"body")
    [batch] = Splitter(SIZES[-1]).feed_data(ours.seal_batch(b"burst", bytes))
    assert theirs.open_batch(batch) == b"burst"


@pytest.mark.parametrize("base", [None, BASE])
def test_what_a_welcome_tells_of_the_room_arrives(base: room_state.RoomSnapshot | None) -> None:
    """7.1: "[name, locked, host ..., retention: [least, default, most] ..., history ..., seats, since, base]"."""
    arrived = Sent.by(state(base=base)).arrive()
    assert arrived is not None
    assert (arrived.retention, arrived.history) == RULES
    assert (arrived.since, arrived.snapshot) == (7, base)


def test_nothing_that_was_ordered_before_opens_with_it() -> None:
    """7.3"""
    ours = epoch()
    theirs = welcome.make_epoch(state(at=ours))
    with pytest.raises(PeerFault, match="generation"):
        theirs.ratchets[HOST.id].take_key(2)


def test_pages_are_as_long_as_they_may_be() -> None:
    """7.1: "each up to 28,000 bytes (`PAGE`)"."""
    assert [len(page.part) for page in LONG.pages[:-1]] == [limits.PAGE] * (len(LONG.pages) - 1)
    assert 0 < len(LONG.pages[-1].part) <= limits.PAGE
    assert LONG.arrive() == state(more=900)


def test_the_largest_room_fits_its_pages() -> None:
    """With the same room once more as the base of its history; and each page takes one payload."""
    nick = "\U00020000" * limits.NICK
    roster = [
        room_state.RosterEntry(bytes(32), nick, 2**53 - 1, False, bytes(32), 2**31 - 1, bytes(32))
    ] * limits.MEMBERS
    snapshot_entries = [room_state.SnapshotEntry(bytes(32), nick, 2**53 - 1, False, bytes(32))] * limits.MEMBERS
    keys = (bytes(32), bytes(32), bytes(32))
    name = "\U00020000" * limits.ROOM_NAME
    rules = room_state.RetentionPolicy(2**32 - 1, 2**32 - 1, 2**32 - 1), room_state.HistoryPolicy(2**53 - 1, 2**53 - 1)
    heirs = [Heir(bytes(16), bytes(32))] * limits.HEIRS
    openings = [Opening(limits.TERMS - 1, HOST.id, 2**53 - 1, bytes(32))] * limits.OPENINGS
    holders = [bytes(16)] * limits.HOLDERS
    term = room_state.Term(limits.TERMS - 1, HOST.id, bytes(32), bytes(32), heirs, holders, True, openings)
    rights = Rights(
        Restrictions(slow=limits.SLOW),
        Restrictions(slow=limits.SLOW),
        (bytes(16),) * limits.MODERATORS,
        *((bytes(16),) * limits.MEMBERS,) * 2,
        tuple(Order((bytes(16),) * some, "\U00020000" * limits.KICK_REASON) for some in (985, *(1,) * 15)),
        (Ban(bytes(16), nick),) * limits.BANS,
        (bytes(32),) * limits.ADMITTED,
        True,
        tuple(
            Invitation(bytes(32), 127, 1_000, 1_000, bytes(16), False, (bytes(16),) * some)
            for some in (limits.MEMBERS, *(0,) * (limits.INVITATIONS - 1))
        ),
        (bytes(16),) * limits.MEMBERS,
        bytes(32),
        (ReturnKey(bytes(16), bytes(32)),) * limits.MEMBERS,
    )
    base = room_state.RoomSnapshot(bytes(32), 2**53 - 1, rights, snapshot_entries, term)
    full = room_state.RoomState(
        *(ROOM, name, rights, term, *rules, 2**53 - 1, *keys, bytes(112), LATEST, VOUCHED, roster, 2**53 - 1, base),
        carriers=(Heir(bytes(16), bytes(32)),) * limits.CARRIERS,
        kicked=(bytes(32),) * limits.KICKED,
    )
    assert len(pack(full)) + 64 + suite.TAG <= limits.PAGES * limits.PAGE
    sent = welcome.seal_welcome(full, KEY_PAIR.public, ROOM, HELLO, KEY, HOST.sign)
    assert len(sent) <= 1 + limits.PAGES
    data = Channel(bytes(32), HELLO, up=False).seal_frames(sent)
    assert max(2 + len(content) for content in Splitter(limits.BATCH_BYTES).feed_data(data)) == limits.BATCH_BYTES


# --- what is none


def test_a_welcome_for_another_key_room_or_link_is_none() -> None:
    """7.1: "box(encryption key, key ..., `anonp2p/4 welcome` || room || hello)"."""
    sent = Sent.by(state())
    for key, room, hello in (
        (suite.EncryptionKeyPair(bytes(32)), ROOM, HELLO),
        (KEY_PAIR, b"q" * 32, HELLO),
        (KEY_PAIR, ROOM, b"i" * 32),
    ):
        with pytest.raises(PeerFault, match="unreadable-box"):
            sent.arrive(key, room, hello)


def test_a_welcome_that_was_signed_for_another_link_or_room_is_none() -> None:
    """7.1: "signed by the host under `anonp2p/4 welcome` over hello || H(array)"."""
    packed = pack(state())
    assert sealed(signed(packed)).arrive() == state()
    other_room = Identity(b"h" * 32, b"q" * 32)
    for text in (signed(packed, hello=b"i" * 32), signed(packed, other_room)):
        with pytest.raises(PeerFault, match="unsigned-welcome"):
            sealed(text).arrive()


def test_a_welcome_that_its_host_did_not_sign_is_none() -> None:
    packed = pack(state())
    entry = HOST.sign(identity.ENTRY, HELLO + suite.hash_data(packed)) + packed
    other = signed(pack(state(more=1)))[:64] + packed
    for text in (signed(packed, ANN), entry, other, bytes(64) + packed):
        with pytest.raises(PeerFault, match="unsigned-welcome"):
            sealed(text).arrive()


def test_the_host_need_not_sit_first_and_who_does_is_not_the_host() -> None:
    packed = pack(bare(HOST.id, [roster_entry(ANN, epoch()), roster_entry(HOST, epoch())]))
    assert sealed(signed(packed)).arrive() is not None
    with pytest.raises(PeerFault, match="unsigned-welcome"):
        sealed(signed(packed, ANN)).arrive()


def test_a_welcome_whose_host_has_no_roster_entry_or_no_key_is_none() -> None:
    stranger = Identity(b"s" * 32, ROOM)
    neutral = b"\1" + bytes(31)
    weak = bare(
        identity.member_id(neutral), [room_state.RosterEntry(neutral, "host", 0, False, bytes(32), 0, bytes(32))]
    )
    for text in (
        signed(pack(state(host=stranger.id)), stranger),
        neutral + bytes(32) + pack(weak),
        signed(pack(bare(HOST.id, []))),
    ):
        with pytest.raises(PeerFault, match="unsigned-welcome"):
            sealed(text).arrive()


@pytest.mark.parametrize("text", [b"", bytes(63), bytes(64), bytes(64) + b"\xc1", bytes(64) + b"\x91" * 2_000])
def test_a_welcome_of_garbage_is_malformed(text: bytes) -> None:
    with pytest.raises(PeerFault, match="malformed"):
        sealed(text).arrive()


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_key_of_another_length_is_none(length: int) -> None:
    with pytest.raises(PeerFault, match="key-length"):
        sealed(signed(pack(state())), key=bytes(length)).arrive()


def test_another_key_in_the_box_opens_nothing() -> None:
    with pytest.raises(PeerFault, match="unreadable-welcome"):
        sealed(signed(pack(state())), key=bytes(32)).arrive()


# --- pages


def test_a_welcome_without_its_last_page_is_not_there_yet() -> None:
    assert Sent(LONG.welcome, LONG.pages[:-1]).arrive() is None


def test_pages_left_out_repeated_or_exchanged_do_not_open() -> None:
    first, second, *rest = LONG.pages
    assert rest
    for pages in ([second, first, *rest], [first, first, *rest], [*rest, first, second]):
        with pytest.raises(PeerFault, match="unreadable-welcome"):
            Sent(LONG.welcome, pages).arrive()
    fewer = Sent(frames.WelcomeFrame(LONG.welcome.box, len(LONG.pages) - 1), [first, *rest])
    with pytest.raises(PeerFault, match="unreadable-welcome"):
        fewer.arrive()


def test_a_page_of_another_welcome_does_not_open() -> None:
    other = welcome.seal_welcome(state(more=900), KEY_PAIR.public, ROOM, HELLO, b"o" * 32, HOST.sign)
    strange = [page for page in other if isinstance(page, frames.PageFrame)]
    with pytest.raises(PeerFault, match="unreadable-welcome"):
        Sent(LONG.welcome, [*LONG.pages[:-1], strange[-1]]).arrive()


def test_a_page_behind_the_last_is_one_too_many() -> None:
    sent = Sent.by(state())
    reader = welcome.WelcomeReader(sent.welcome, KEY_PAIR, ROOM, HELLO)
    assert reader.take_page(sent.pages[0]) == state()
    with pytest.raises(PeerFault, match="extra-page"):
        reader.take_page(frames.PageFrame(b""))


def test_a_welcome_cut_in_other_pages_is_the_same() -> None:
    assert sealed(signed(pack(state())), length=100).arrive() == state()


def test_a_key_that_cannot_be_sealed_to_gets_no_welcome() -> None:
    with pytest.raises(PeerFault, match="unusable-key"):
        welcome.seal_welcome(state(), KEY_PAIR.public[:-32] + bytes(32), ROOM, HELLO, KEY, HOST.sign)
