"""What an epoch's members share, and what it takes to open what they say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonp2p import limits
from anonp2p.crypto import padding, suite
from anonp2p.crypto.epoch import COMMIT, ENTRY, FLEETING, KEPT, OPENING, Epoch, Header, read_header
from anonp2p.crypto.padding import SIZES
from anonp2p.errors import PeerFault
from anonp2p.protocol.wire import Splitter

HOST, ANN, BOB = b"h" * 16, b"a" * 16, b"b" * 16
GENESIS, DIGEST = b"g" * 32, b"d" * 32
FRESH = b"f" * 32
HEADER = 33

bodies = st.binary(max_size=300)


def twins(secret: bytes = FRESH, digest: bytes = DIGEST, members: tuple[bytes, ...] = (HOST, ANN, BOB)) -> list[Epoch]:
    """The second epoch, as two members have it."""
    return [Epoch.begin(bytes(32), GENESIS, HOST).follow(secret, digest, members)[0] for _ in range(2)]


def entry(author: bytes = ANN, counter: int = 1, generation: int = 0) -> Header:
    return Header(ENTRY, author, counter, generation)


def shared(epoch: Epoch) -> tuple[object, ...]:
    chains = {member: (chain.generation, chain.chain_key) for member, chain in epoch.ratchets.items()}
    return epoch.number, epoch.init_secret, epoch.log_key, epoch.newcomer_secret, chains


def batch_of(epoch: Epoch, batch: bytes, nonce: bytes = b"n" * 12) -> bytes:
    """A batch's content."""
    [content] = Splitter(SIZES[-1]).feed_data(epoch.seal_batch(batch, lambda length: nonce[:length]))
    return content


# --- headers


def test_a_header_is_laid_out_as_it_should_be() -> None:
    """4.1: "u8 kind || author: 16-byte member id || u64 counter || u32 generation || u32 ttl"."""
    packed = Header(ENTRY, ANN, 2, 3).pack()
    assert packed == b"\0" + ANN + bytes(7) + b"\2" + bytes(3) + b"\3" + b"\xff" * 4
    assert Header.unpack(packed) == Header(ENTRY, ANN, 2, 3, KEPT)


@given(
    st.binary(min_size=16, max_size=16),
    st.integers(0, 2**53 - 1),
    st.integers(0, 2**32 - 1),
    st.sampled_from([FLEETING, 1, 60, KEPT - 1, KEPT]) | st.integers(0, 2**32 - 1),
)
def test_headers_come_back(author: bytes, counter: int, generation: int, ttl: int) -> None:
    """4.1: "The ttl is in seconds; 0: ... never kept; 2^32 - 1 (`KEPT`): until the room ends"."""
    for header in (Header(ENTRY, author, counter, generation, ttl), Header(COMMIT, author, counter)):
        assert Header.unpack(header.pack()) == header


@pytest.mark.parametrize("length", [0, 32, 34, 66])
def test_a_header_of_another_length_is_none(length: int) -> None:
    with pytest.raises(PeerFault, match="header-length"):
        Header.unpack(bytes(length))


@pytest.mark.parametrize(
    "header",
    [
        Header(ENTRY, ANN, 2**53),
        Header(ENTRY, ANN, 2**64 - 1),
        Header(COMMIT, HOST, 1, 1),
        Header(COMMIT, HOST, 1, 0, 0),
        Header(COMMIT, HOST, 1, 0, KEPT - 1),
        Header(COMMIT, HOST, 2**53),
        Header(2, ANN, 1),
        Header(2, bytes(16), 1, 0, 0),
        Header(255, bytes(16), 1, 0, 0),
    ],
    ids=repr,
)
def test_a_header_that_no_kind_has_is_none(header: Header) -> None:
    """4.1-4.3: what each kind has in its header; 0.2: "Integers are ... below 2^53"."""
    with pytest.raises(PeerFault, match="bad-header"):
        Header.unpack(header.pack())
    for entry_ in (header.pack() + bytes(100), header.pack()):
        with pytest.raises(PeerFault, match="bad-header"):
            read_header(entry_)
        with pytest.raises(PeerFault, match="bad-header"):
            twins()[0].open_entry(entry_)


@given(st.binary(max_size=32))
def test_an_entry_shorter_than_a_header_has_none(short: bytes) -> None:
    with pytest.raises(PeerFault, match="header-length"):
        read_header(short)


# --- what is shared


def test_members_of_an_epoch_share_its_secrets_and_its_tag() -> None:
    (one, tag), (other, other_tag) = (Epoch.begin(bytes(32), GENESIS, HOST).follow(FRESH, DIGEST, [ANN]) for _ in "12")
    assert shared(one) == shared(other)
    assert tag == other_tag
    assert (one.number, list(one.ratchets)) == (1, [ANN])


def test_another_log_fresh_secret_or_epoch_before_makes_other_secrets() -> None:
    """6.2: "expand(extract(init of the one before, fresh secret), `anonp2p/4 epoch`, group context)"; 6.4: the tag."""
    before = [Epoch.begin(secret, GENESIS, HOST) for secret in (bytes(32), FRESH)]
    made = [
        epoch.follow(secret, digest, [ANN])
        for epoch in before
        for secret in (bytes(32), FRESH)
        for digest in (GENESIS, DIGEST)
    ]
    assert len({tag for _, tag in made}) == 8
    secrets = [
        secret
        for epoch, _ in made
        for secret in (epoch.init_secret, epoch.log_key, epoch.newcomer_secret, epoch.ratchets[ANN].chain_key)
    ]
    assert len(set(secrets)) == 8 * 4


def test_the_first_epoch_hangs_on_the_room() -> None:
    """6.2: "For epoch 0 ... the group context the digest of the log without entries"."""
    one, other = (Epoch.begin(FRESH, genesis, HOST) for genesis in (GENESIS, DIGEST))
    assert one.number == 0
    assert one.init_secret != other.init_secret
    assert list(one.ratchets) == [HOST]


def test_who_is_not_left_by_a_commit_has_no_chain() -> None:
    _, epoch = twins(members=(HOST, BOB))
    assert list(epoch.ratchets) == [HOST, BOB]


def test_each_member_has_a_chain_of_its_own() -> None:
    epoch, _ = twins()
    assert len({chain.chain_key for chain in epoch.ratchets.values()}) == 3
    assert {chain.generation for chain in epoch.ratchets.values()} == {0}


def test_a_newcomer_gets_a_chain_of_which_later_ones_learn_nothing() -> None:
    """6.5: "after that, newcomers is expand(newcomers, `anonp2p/4 next`, nothing)"."""
    epoch = Epoch.begin(FRESH, GENESIS, HOST)
    known = []
    for member in (ANN, BOB):
        before = epoch.newcomer_secret
        epoch.admit_member(member)
        assert epoch.ratchets[member].chain_key == suite.expand(before, "ratchet", member)
        assert epoch.newcomer_secret == suite.expand(before, "next")
        known.append(epoch.newcomer_secret)
    assert epoch.ratchets[ANN].chain_key not in {suite.expand(secret, "ratchet", ANN) for secret in known}


def test_nobody_gets_a_second_chain_in_an_epoch() -> None:
    """3.2: what was signed under the first could be sealed again under it."""
    epoch = Epoch.begin(FRESH, GENESIS, HOST)
    epoch.admit_member(ANN)
    link = epoch.ratchets[ANN].chain_key
    with pytest.raises(PeerFault):
        epoch.admit_member(ANN)
    assert epoch.ratchets[ANN].chain_key == link


def test_an_epoch_shows_nothing_it_holds() -> None:
    epoch, _ = twins()
    assert "Epoch object" in repr(epoch)


# --- entries


@given(st.lists(st.tuples(st.sampled_from([HOST, ANN, BOB]), st.integers(0, 9), bodies), max_size=8))
def test_what_one_seals_another_opens_in_the_same_order(said: list[tuple[bytes, int, bytes]]) -> None:
    """4.1: "An entry is header || aead(body key, 0, body, header)"."""
    ours, theirs = twins()
    for counter, (author, left_out, body) in enumerate(said):
        header = entry(author, counter, ours.ratchets[author].generation + left_out)
        sealed = ours.seal_entry(header, body)
        assert sealed[:HEADER] == header.pack()
        assert len(sealed) == HEADER + len(body) + suite.TAG
        assert read_header(sealed) == header
        assert theirs.open_entry(sealed) == (header, body)
    assert shared(ours) == shared(theirs)


@given(bodies, st.integers(0, 10_000))
def test_an_entry_with_a_bit_turned_does_not_open(body: bytes, bit: int) -> None:
    ours, theirs = twins()
    sealed = bytearray(ours.seal_entry(entry(), body))
    bit %= len(sealed) * 8
    sealed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(PeerFault, match=r"unreadable-entry|bad-header|stranger|generation"):
        theirs.open_entry(bytes(sealed))


@given(st.binary(max_size=120))
def test_garbage_is_no_entry(garbage: bytes) -> None:
    _, theirs = twins()
    for sealed in (garbage, entry().pack() + garbage):
        with pytest.raises(PeerFault):
            theirs.open_entry(sealed)


@pytest.mark.parametrize(
    "header",
    [entry(BOB), entry(counter=2), entry(generation=1), Header(COMMIT, ANN, 1), Header(ENTRY, ANN, 1, 0, 60)],
    ids=repr,
)
def test_a_body_under_another_header_does_not_open(header: Header) -> None:
    """4.1: "aead(body key, 0, body, header)"; nobody makes a text that was to be gone one that is kept."""
    ours, theirs = twins()
    swapped = header.pack() + ours.seal_entry(entry(), b"body")[HEADER:]
    assert read_header(swapped) == header
    with pytest.raises(PeerFault, match="unreadable-entry"):
        theirs.open_entry(swapped)


def test_a_body_is_vouched_for_with_its_header_though_the_key_is_the_same() -> None:
    ours, theirs = twins()
    sealed = ours.seal_entry(entry(counter=1), b"body")
    with pytest.raises(PeerFault, match="unreadable-entry"):
        theirs.open_entry(entry(counter=2).pack() + sealed[HEADER:])


def test_an_entry_opens_once() -> None:
    """6.6: "A key MUST be used once and dropped"."""
    ours, theirs = twins()
    sealed = ours.seal_entry(entry(), b"body")
    theirs.open_entry(sealed)
    with pytest.raises(PeerFault, match="generation"):
        theirs.open_entry(sealed)


def test_a_key_is_used_up_by_what_does_not_open_too() -> None:
    ours, theirs = twins()
    sealed = ours.seal_entry(entry(), b"body")
    for tried in (sealed[:-1] + bytes([sealed[-1] ^ 1]), sealed):
        with pytest.raises(PeerFault):
            theirs.open_entry(tried)


def test_nobody_seals_twice_with_one_key() -> None:
    ours, _ = twins()
    ours.seal_entry(entry(), b"body")
    with pytest.raises(PeerFault, match="generation"):
        ours.seal_entry(entry(counter=2), b"another")


def test_generations_too_far_ahead_are_refused() -> None:
    ours, theirs = twins()
    for epoch in (ours, theirs):
        epoch.ratchets[ANN].take_key(0)
    sealed = ours.seal_entry(entry(generation=limits.SKIPPED + 1), b"body")
    assert theirs.open_entry(sealed)[1] == b"body"
    header = entry(generation=2 * limits.SKIPPED + 3)
    with pytest.raises(PeerFault, match="generation"):
        theirs.open_entry(header.pack() + sealed[HEADER:])


def test_an_entry_of_one_who_has_no_chain_is_a_strangers() -> None:
    ours, theirs = twins()
    ours.admit_member(b"c" * 16)
    sealed = ours.seal_entry(entry(b"c" * 16), b"body")
    with pytest.raises(PeerFault, match="stranger"):
        theirs.open_entry(sealed)
    with pytest.raises(PeerFault, match="stranger"):
        theirs.skip_key(read_header(sealed))


def test_what_is_of_another_epoch_is_not_of_this_one() -> None:
    """6.7: "An entry is valid only between the commits of its epoch"."""
    ours, _ = twins()
    after, _ = ours.follow(bytes(32), DIGEST, [ANN])
    _, other_log = twins(digest=GENESIS)
    sealed, batch = ours.seal_entry(entry(), b"body"), batch_of(ours, b"batch")
    for other in (after, other_log):
        assert other.open_batch(batch) is None
        with pytest.raises(PeerFault, match="unreadable-entry"):
            other.open_entry(sealed)


def test_what_was_missed_is_stepped_over_and_opens_no_more() -> None:
    """5.13: "the generations of a Backfill's entries are stepped over"."""
    ours, theirs = twins()
    sealed = [ours.seal_entry(entry(counter=number, generation=number), b"body") for number in range(4)]
    theirs.skip_key(entry(counter=2, generation=2))
    assert theirs.ratchets[ANN].generation == 3
    for missed in sealed[:3]:
        with pytest.raises(PeerFault, match="generation"):
            theirs.open_entry(missed)
    theirs.skip_key(Header(COMMIT, ANN, 9))
    assert theirs.open_entry(sealed[3])[1] == b"body"
    for generation in (3, 4 + limits.SKIPPED + 1):
        with pytest.raises(PeerFault, match="generation"):
            theirs.skip_key(entry(generation=generation))


# --- commits and openings


@pytest.mark.parametrize("header", [Header(COMMIT, HOST, 5), Header(OPENING, HOST, 0)])
def test_what_begins_an_epoch_is_never_sealed_and_uses_up_no_key(header: Header) -> None:
    """4.3, 4.3a"""
    ours, theirs = twins()
    packed = header.pack()
    sealed = packed + ours.ratchets[HOST].take_key(0).seal_text(0, b"body", packed)
    with pytest.raises(PeerFault, match="unreadable-entry"):
        theirs.open_entry(sealed)
    assert theirs.ratchets[HOST].generation == 0


# --- batches


@given(st.binary(max_size=3_000), st.binary(min_size=12, max_size=12))
def test_a_batch_is_sealed_with_the_key_of_the_log_and_fills_its_payload(batch: bytes, nonce: bytes) -> None:
    """4.5: "a nonce of 12 random bytes || aead(log key, nonce, packed ..., nothing), filled"."""
    ours, theirs = twins()
    content = batch_of(ours, batch, nonce)
    assert 2 + len(content) in SIZES
    assert content[:12] == nonce
    assert suite.Key(ours.log_key).open_sealed(nonce, content[12:]) == padding.fill_payload(batch, 12 + 16)
    assert theirs.open_batch(content) == batch


def test_batches_open_in_any_order_and_again() -> None:
    """It is the entries in them, and heads, that come in order and once."""
    ours, theirs = twins()
    contents = [batch_of(ours, b"batch %d" % number, bytes([number]) * 12) for number in range(4)]
    for number in (2, 0, 3, 1, 2):
        assert theirs.open_batch(contents[number]) == b"batch %d" % number


def test_nobody_sees_in_a_batch_who_wrote_what_is_in_it() -> None:
    ours, _ = twins()
    sealed = ours.seal_entry(entry(), b"body")
    content = batch_of(ours, sealed)
    assert ANN in sealed
    assert ANN not in content
    assert sealed[HEADER:] not in content


def test_every_batch_takes_a_fresh_nonce() -> None:
    ours, _ = twins()
    drawn: list[int] = []

    def random(length: int) -> bytes:
        drawn.append(length)
        return bytes([len(drawn)]) * length

    assert len({ours.seal_batch(b"the same", random) for _ in range(20)}) == 20
    assert drawn == [12] * 20


def test_a_batch_that_fits_no_payload_is_never_made() -> None:
    ours, _ = twins()
    longest = SIZES[-1] - 2 - 12 - 2 - 16
    assert len(ours.seal_batch(bytes(longest), bytes)) == SIZES[-1]
    with pytest.raises(ValueError, match="too long"):
        ours.seal_batch(bytes(longest + 1), bytes)


@given(st.integers(0, 478 * 8 - 1))
def test_a_batch_with_a_bit_turned_is_not_of_the_log(bit: int) -> None:
    ours, theirs = twins()
    content = bytearray(batch_of(ours, b"batch"))
    content[bit // 8] ^= 1 << bit % 8
    assert theirs.open_batch(bytes(content)) is None


@given(st.binary(max_size=120))
def test_garbage_is_not_of_the_log(garbage: bytes) -> None:
    """2.6: "a member tells them apart by what opens them"."""
    _, theirs = twins()
    assert theirs.open_batch(garbage) is None


@pytest.mark.parametrize("at", [0, 100, -1])
def test_a_batch_padded_with_anything_but_zeros_is_a_fault(at: int) -> None:
    """0.8: "What is padded otherwise is malformed"."""
    ours, theirs = twins()
    padding = bytearray(480 - 2 - 12 - 16 - 2 - 5)
    padding[at] = 1
    sealed = suite.Key(ours.log_key).seal_text(b"n" * 12, b"\0\5burst" + bytes(padding))
    with pytest.raises(PeerFault, match="padding"):
        theirs.open_batch(b"n" * 12 + sealed)


@pytest.mark.parametrize("size", SIZES[1:])
def test_a_batch_larger_than_need_be_is_a_fault(size: int) -> None:
    """2.1: "padded (0.8) to the least length ...; what is longer is malformed"."""
    ours, theirs = twins()
    sealed = suite.Key(ours.log_key).seal_text(b"n" * 12, padding.pad_text(b"batch", size - 2 - 12 - 16))
    with pytest.raises(PeerFault, match="payload-padding"):
        theirs.open_batch(b"n" * 12 + sealed)
