"""What an epoch's members share, and what it takes to open what they say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonp2p import limits
from anonp2p.core.epochs import suite
from anonp2p.core.epochs.epoch import COMMIT, ENTRY, HEAD, KEPT, Epoch, Header
from anonp2p.errors import PeerFault

HOST, ANN, BOB = b"h" * 16, b"a" * 16, b"b" * 16
NOBODY = bytes(16)
GENESIS, DIGEST = b"g" * 32, b"d" * 32
FRESH = b"f" * 32
SEALED_HEADER = 49

bodies = st.binary(max_size=300)


def twins(secret: bytes = FRESH, digest: bytes = DIGEST, members: tuple[bytes, ...] = (HOST, ANN, BOB)) -> list[Epoch]:
    """The second epoch, as two members have it."""
    return [Epoch.first(bytes(32), GENESIS, HOST).next(secret, digest, members)[0] for _ in range(2)]


def entry(author: bytes = ANN, counter: int = 1, generation: int = 0) -> Header:
    return Header(ENTRY, author, counter, generation)


def shared(epoch: Epoch) -> tuple[object, ...]:
    chains = {member: (chain.generation, chain.link) for member, chain in epoch.chains.items()}
    return epoch.number, epoch.init, epoch.header_key, epoch.head_key, epoch.newcomers, chains


def opened(epoch: Epoch, payload: bytes) -> tuple[Header, bytes]:
    header = epoch.open_header(payload)
    assert header is not None
    return header, epoch.open_head(header, payload) if header.kind == HEAD else epoch.open_entry(header, payload)


# --- headers


def test_a_header_is_laid_out_as_it_should_be() -> None:
    """4.1: "u8 kind || author: 16-byte member id || u64 counter || u32 generation || u32 ttl"."""
    packed = Header(ENTRY, ANN, 2, 3).pack()
    assert packed == b"\0" + ANN + bytes(7) + b"\2" + bytes(3) + b"\3" + b"\xff" * 4
    assert Header.unpack(packed) == Header(ENTRY, ANN, 2, 3, KEPT)


@given(st.binary(min_size=16, max_size=16), st.integers(0, 2**53 - 1), st.integers(0, 2**32 - 1))
def test_headers_come_back(author: bytes, counter: int, generation: int) -> None:
    for header in (
        Header(ENTRY, author, counter, generation),
        Header(COMMIT, author, counter),
        Header(HEAD, NOBODY, counter, 0, 0),
    ):
        assert Header.unpack(header.pack()) == header


@pytest.mark.parametrize("length", [0, 32, 34, 66])
def test_a_header_of_another_length_is_none(length: int) -> None:
    with pytest.raises(PeerFault, match="length"):
        Header.unpack(bytes(length))


@pytest.mark.parametrize(
    "header",
    [
        Header(ENTRY, ANN, 2**53),
        Header(ENTRY, ANN, 2**64 - 1),
        Header(ENTRY, ANN, 1, 0, 0),
        Header(ENTRY, ANN, 1, 0, KEPT - 1),
        Header(COMMIT, HOST, 1, 1),
        Header(COMMIT, HOST, 1, 0, 0),
        Header(COMMIT, HOST, 2**53),
        Header(HEAD, HOST, 1, 0, 0),
        Header(HEAD, NOBODY, 1, 1, 0),
        Header(HEAD, NOBODY, 1, 0, KEPT),
        Header(HEAD, NOBODY, 2**53, 0, 0),
        Header(3, ANN, 1),
        Header(255, NOBODY, 1, 0, 0),
    ],
    ids=repr,
)
def test_a_header_that_no_kind_has_is_none(header: Header) -> None:
    """4.1-4.3, 4.5: what each kind has in its header; 0.2: "Integers are ... below 2^53"."""
    with pytest.raises(PeerFault, match="none"):
        Header.unpack(header.pack())
    ours, theirs = twins()
    payload = ours.seal_entry(entry(), b"body")
    forged = suite.Key(ours.header_key).seal(payload[-16:-4], header.pack()) + payload[SEALED_HEADER:]
    with pytest.raises(PeerFault, match="none"):
        theirs.open_header(forged)


# --- what is shared


def test_members_of_an_epoch_share_its_secrets_and_its_tag() -> None:
    (one, tag), (other, other_tag) = (Epoch.first(bytes(32), GENESIS, HOST).next(FRESH, DIGEST, [ANN]) for _ in "12")
    assert shared(one) == shared(other)
    assert tag == other_tag
    assert (one.number, list(one.chains)) == (1, [ANN])


def test_another_log_fresh_secret_or_epoch_before_makes_other_secrets() -> None:
    """6.2: "expand(extract(init of the one before, fresh secret), `anonp2p/2 epoch`, digest)"; 6.4: the tag."""
    before = [Epoch.first(secret, GENESIS, HOST) for secret in (bytes(32), FRESH)]
    made = [
        epoch.next(secret, digest, [ANN])
        for epoch in before
        for secret in (bytes(32), FRESH)
        for digest in (GENESIS, DIGEST)
    ]
    assert len({tag for _, tag in made}) == 8
    secrets = [
        secret
        for epoch, _ in made
        for secret in (epoch.init, epoch.header_key, epoch.head_key, epoch.newcomers, epoch.chains[ANN].link)
    ]
    assert len(set(secrets)) == 8 * 5


def test_the_first_epoch_hangs_on_the_room() -> None:
    """6.2: "For epoch 0 ... the digest that of the log without entries"."""
    one, other = (Epoch.first(FRESH, genesis, HOST) for genesis in (GENESIS, DIGEST))
    assert one.number == 0
    assert one.init != other.init
    assert list(one.chains) == [HOST]


def test_who_is_not_left_by_a_commit_has_no_chain() -> None:
    _, epoch = twins(members=(HOST, BOB))
    assert list(epoch.chains) == [HOST, BOB]


def test_each_member_has_a_chain_of_its_own() -> None:
    epoch, _ = twins()
    assert len({chain.link for chain in epoch.chains.values()}) == 3
    assert {chain.generation for chain in epoch.chains.values()} == {0}


def test_a_newcomer_gets_a_chain_of_which_later_ones_learn_nothing() -> None:
    """6.5: "after that, newcomers is expand(newcomers, `anonp2p/2 next`, nothing)"."""
    epoch = Epoch.first(FRESH, GENESIS, HOST)
    known = []
    for member in (ANN, BOB):
        before = epoch.newcomers
        epoch.admit(member)
        assert epoch.chains[member].link == suite.expand(before, "chain", member)
        assert epoch.newcomers == suite.expand(before, "next")
        known.append(epoch.newcomers)
    assert epoch.chains[ANN].link not in {suite.expand(secret, "chain", ANN) for secret in known}


def test_nobody_gets_a_second_chain_in_an_epoch() -> None:
    """3.2: what was signed under the first could be sealed again under it."""
    epoch = Epoch.first(FRESH, GENESIS, HOST)
    epoch.admit(ANN)
    link = epoch.chains[ANN].link
    with pytest.raises(PeerFault):
        epoch.admit(ANN)
    assert epoch.chains[ANN].link == link


def test_an_epoch_shows_nothing_it_holds() -> None:
    epoch, _ = twins()
    assert "Epoch object" in repr(epoch)


# --- entries


@given(st.lists(st.tuples(st.sampled_from([HOST, ANN, BOB]), st.integers(0, 9), bodies), max_size=8))
def test_what_one_seals_another_opens_in_the_same_order(said: list[tuple[bytes, int, bytes]]) -> None:
    ours, theirs = twins()
    for counter, (author, left_out, body) in enumerate(said):
        header = entry(author, counter, ours.chains[author].generation + left_out)
        payload = ours.seal_entry(header, body)
        assert len(payload) == SEALED_HEADER + len(body) + suite.TAG
        assert opened(theirs, payload) == (header, body)
    assert shared(ours) == shared(theirs)


def test_nobody_sees_in_an_entry_who_wrote_it() -> None:
    ours, _ = twins()
    assert ANN not in ours.seal_entry(entry(), b"body")


def test_the_nonce_of_a_header_is_of_the_tag_of_its_body() -> None:
    """4.1: "n is the first 12 of the payload's last 16 bytes"."""
    ours, _ = twins()
    payload = ours.seal_entry(entry(), b"body")
    assert suite.Key(ours.header_key).open(payload[-16:-4], payload[:SEALED_HEADER]) == entry().pack()


@given(bodies, st.integers(0, 10_000))
def test_an_entry_with_a_bit_turned_does_not_open(body: bytes, bit: int) -> None:
    ours, theirs = twins()
    payload = bytearray(ours.seal_entry(entry(), body))
    bit %= len(payload) * 8
    payload[bit // 8] ^= 1 << bit % 8
    header = theirs.open_header(bytes(payload))
    if header is not None:  # the header's nonce is of the payload's last 16 bytes, without the last 4
        assert bit // 8 >= SEALED_HEADER
        with pytest.raises(PeerFault, match="does not open"):
            theirs.open_entry(header, bytes(payload))


@given(st.binary(max_size=120))
def test_garbage_is_not_of_the_log(garbage: bytes) -> None:
    _, theirs = twins()
    assert theirs.open_header(garbage) is None


@pytest.mark.parametrize(
    "header", [entry(BOB), entry(counter=2), entry(generation=1), Header(COMMIT, ANN, 1)], ids=repr
)
def test_a_body_under_another_header_does_not_open(header: Header) -> None:
    """4.1: "aead(body key, 0, body, header)"; a member knows the header key, and could seal any header."""
    ours, theirs = twins()
    payload = ours.seal_entry(entry(), b"body")
    swapped = suite.Key(ours.header_key).seal(payload[-16:-4], header.pack()) + payload[SEALED_HEADER:]
    given = theirs.open_header(swapped)
    assert given == header
    with pytest.raises(PeerFault, match="does not open"):
        theirs.open_entry(given, swapped)


def test_a_body_is_vouched_for_with_its_header_though_the_key_is_the_same() -> None:
    ours, theirs = twins()
    payload = ours.seal_entry(entry(counter=1), b"body")
    with pytest.raises(PeerFault, match="does not open"):
        theirs.open_entry(entry(counter=2), payload)


def test_an_entry_opens_once() -> None:
    """6.6: "A key MUST be used once and dropped"."""
    ours, theirs = twins()
    payload = ours.seal_entry(entry(), b"body")
    opened(theirs, payload)
    with pytest.raises(PeerFault, match="order"):
        opened(theirs, payload)


def test_a_key_is_used_up_by_what_does_not_open_too() -> None:
    ours, theirs = twins()
    payload = ours.seal_entry(entry(), b"body")
    for body in (payload[:-1] + bytes([payload[-1] ^ 1]), payload):
        with pytest.raises(PeerFault):
            theirs.open_entry(entry(), body)


def test_nobody_seals_twice_with_one_key() -> None:
    ours, _ = twins()
    ours.seal_entry(entry(), b"body")
    with pytest.raises(PeerFault, match="order"):
        ours.seal_entry(entry(counter=2), b"another")


def test_generations_too_far_ahead_are_refused() -> None:
    ours, theirs = twins()
    for epoch in (ours, theirs):
        epoch.chains[ANN].take(0)
    payload = ours.seal_entry(entry(generation=limits.SKIPPED + 1), b"body")
    assert opened(theirs, payload)[1] == b"body"
    header = entry(generation=2 * limits.SKIPPED + 3)
    with pytest.raises(PeerFault, match="order"):
        theirs.open_entry(header, payload)


def test_an_entry_of_one_who_has_no_chain_is_a_strangers() -> None:
    ours, theirs = twins()
    ours.admit(b"c" * 16)
    payload = ours.seal_entry(entry(b"c" * 16), b"body")
    with pytest.raises(PeerFault, match="stranger"):
        opened(theirs, payload)


def test_what_is_of_another_epoch_is_not_of_this_one() -> None:
    """6.7: "An entry is valid only between the commits of its epoch"."""
    ours, _ = twins()
    after, _ = ours.next(bytes(32), DIGEST, [ANN])
    _, other_log = twins(digest=GENESIS)
    for payload in (ours.seal_entry(entry(), b"body"), ours.seal_head(b"head")):
        assert after.open_header(payload) is None
        assert other_log.open_header(payload) is None


# --- commits


def test_a_commit_opens_for_all_who_are_in_the_epoch_that_it_ends() -> None:
    """4.3: "its body key expand(init, `anonp2p/2 commit`, header)": of no chain, so that the host's goes on."""
    ours, theirs = twins()
    header = Header(COMMIT, HOST, 5)
    payload = ours.seal_entry(header, b"commit")
    key = suite.Key(suite.expand(theirs.init, "commit", header.pack()))
    assert key.open(0, payload[SEALED_HEADER:], header.pack()) == b"commit"
    assert opened(theirs, payload) == (header, b"commit")
    assert theirs.chains[HOST].generation == 0


def test_a_commits_key_is_for_its_header_alone() -> None:
    ours, theirs = twins()
    payload = ours.seal_entry(Header(COMMIT, HOST, 5), b"commit")
    for header in (Header(COMMIT, HOST, 6), Header(COMMIT, ANN, 5), entry(HOST, 5)):
        with pytest.raises(PeerFault, match="does not open"):
            theirs.open_entry(header, payload)


# --- heads


def test_heads_are_counted_and_open_in_any_order() -> None:
    """4.5: "its counter counts the heads of the epoch from 0"."""
    ours, theirs = twins()
    payloads = [ours.seal_head(b"head %d" % number) for number in range(4)]
    for number in (2, 0, 3, 1):
        assert opened(theirs, payloads[number]) == (Header(HEAD, NOBODY, number, 0, 0), b"head %d" % number)


def test_no_two_heads_share_a_nonce() -> None:
    ours, _ = twins()
    assert len({ours.seal_head(b"the same")[SEALED_HEADER : -suite.TAG] for _ in range(20)}) == 20


def test_a_head_opens_with_its_own_counter_alone() -> None:
    ours, theirs = twins()
    payload = ours.seal_head(b"head")
    with pytest.raises(PeerFault, match="does not open"):
        theirs.open_head(Header(HEAD, NOBODY, 1, 0, 0), payload)


def test_a_heads_header_is_vouched_for() -> None:
    """4.5: "aead(head key, counter, ..., header)"."""
    ours, theirs = twins()
    bare = suite.Key(ours.head_key).seal(0, b"head")
    payload = suite.Key(ours.header_key).seal(bare[-16:-4], Header(HEAD, NOBODY, 0, 0, 0).pack()) + bare
    with pytest.raises(PeerFault, match="does not open"):
        opened(theirs, payload)


def test_an_entry_is_no_head_and_a_head_is_no_entry() -> None:
    ours, theirs = twins()
    payload, head = ours.seal_entry(entry(), b"body"), ours.seal_head(b"head")
    with pytest.raises(PeerFault, match="head has to be"):
        theirs.open_head(entry(), payload)
    with pytest.raises(PeerFault, match="stranger"):
        theirs.open_entry(Header(HEAD, NOBODY, 0, 0, 0), head)
