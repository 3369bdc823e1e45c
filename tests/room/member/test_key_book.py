"""Which encryption keys a member asks for, what it makes of the answers, and how it opens its share of a commit."""

import pytest
from msgspec import UNSET

from anonp2p import limits
from anonp2p.crypto import suite
from anonp2p.crypto.commit import CommitSecret
from anonp2p.errors import PeerFault
from anonp2p.protocol import bodies, frames
from anonp2p.room import effects, events
from anonp2p.room.context import Context
from anonp2p.room.member.key_book import KeyBook
from anonp2p.room.member.uplink import Uplink
from anonp2p.room.pending import Whisper
from tests.room.member.parts import joined_context, new_epoch, take_effects, take_events
from tests.room.peers import ANN, HOST, ROOM, text

ANN_HASH, HOST_HASH = (suite.hash_data(who.encryption_key.public) for who in (ANN, HOST))
FRESH = b"f" * 32  # the secret of a commit


@pytest.fixture
def context() -> Context:
    return joined_context()


@pytest.fixture
def keys(context: Context) -> KeyBook:
    return KeyBook(context, Uplink(context))


def take_frames(context: Context) -> list[frames.Frame]:
    """What was sent to the host since the last time."""
    return [
        frame for effect in take_effects(context) if isinstance(effect, effects.RecordEffect) for frame in effect.frames
    ]


def fill_room(context: Context, size: int) -> None:
    """There are so many members."""
    for number in range(len(context.replica.ledger.roster), size):
        key = suite.hash_data(b"key %d" % number)  # which nobody has to use
        context.replica.ledger.roster.add_member(key, f"member{number}", suite.hash_data(key))


def whisper_to_ann(context: Context, words: str) -> None:
    context.add_entry(Whisper(ANN.id, "ann", words), f"/msg ann {words}", "7")


def commit_share(
    context: Context,
    key: suite.EncryptionKeyPair,
    *,
    digest: bytes | None = None,
    member: bytes | None = None,
    tag: bytes | None = None,
) -> bytes:
    """Our share of a commit after which the roster is as it is in our ledger, sealed to this key of ours."""
    ledger = context.replica.ledger
    ledger.epoch = 1
    _, proper = new_epoch(context).follow(FRESH, ledger.digest, [member.id for member in ledger.roster])
    secret = CommitSecret(ROOM, 1, digest or ledger.digest, FRESH, tag or proper)
    return secret.seal_share(member or context.replica.me.id, key.public)


# --- keys of others


def test_all_keys_that_we_lack_are_asked_for_once_on_a_link(context: Context, keys: KeyBook) -> None:
    context.replica.keys[HOST_HASH] = HOST.encryption_key.public
    keys.request_missing()
    keys.request_missing()
    assert take_frames(context) == [frames.KeyRequestFrame(ANN_HASH)]
    context.outbox.lose_link()
    keys.request_missing()
    assert take_frames(context) == [frames.KeyRequestFrame(ANN_HASH)]


@pytest.mark.parametrize(("size", "asked"), [(limits.RENEWING, limits.RENEWING - 1), (limits.RENEWING + 1, 0)])
def test_in_a_large_room_we_ask_for_no_key_before_we_need_it(
    context: Context, keys: KeyBook, size: int, asked: int
) -> None:
    fill_room(context, size)
    keys.request_missing()
    assert len(take_frames(context)) == asked


def test_a_key_is_taken_for_the_hash_that_it_has_and_once(context: Context, keys: KeyBook) -> None:
    keys.request_missing()
    found = frames.KeyResponseFrame(ANN.encryption_key.public)
    keys.take_found(found)
    assert context.replica.keys == {ANN_HASH: ANN.encryption_key.public}
    with pytest.raises(PeerFault, match="unexpected-key"):
        keys.take_found(found)


def test_a_key_that_nobody_asked_for_is_refused_and_not_kept(context: Context, keys: KeyBook) -> None:
    with pytest.raises(PeerFault, match="unexpected-key"):
        keys.take_found(frames.KeyResponseFrame(ANN.encryption_key.public))
    with pytest.raises(PeerFault, match="unexpected-key"):
        keys.take_missing(frames.KeyNotFoundFrame(ANN_HASH))
    assert context.replica.keys == {}


def test_without_the_key_what_was_to_be_sealed_to_it_is_given_back_and_nothing_else(
    context: Context, keys: KeyBook
) -> None:
    context.add_entry(text("hi"), "hi", UNSET)
    whisper_to_ann(context, "psst")
    keys.request_missing()
    context.reporter.take_effects()
    keys.take_missing(frames.KeyNotFoundFrame(HOST_HASH))
    assert take_events(context) == []
    keys.take_missing(frames.KeyNotFoundFrame(ANN_HASH))
    error, unsent = take_events(context)
    assert isinstance(error, events.ErrorEvent)
    assert unsent == events.UnsentEvent(room="r1", text="/msg ann psst", re="7")
    assert len(context.outbox) == 1


# --- commit shares


def test_with_our_share_we_are_in_the_epoch_in_which_the_others_are(context: Context, keys: KeyBook) -> None:
    ledger = context.replica.ledger
    theirs, _ = new_epoch(context).follow(FRESH, ledger.digest, [member.id for member in ledger.roster])
    keys.enter_next_epoch(commit_share(context, context.replica.own_keys[0]))
    ours = context.replica.current_epoch
    assert (ours.number, ours.init_secret, ours.log_key) == (1, theirs.init_secret, theirs.log_key)
    assert {member: chain.chain_key for member, chain in ours.ratchets.items()} == {
        member: chain.chain_key for member, chain in theirs.ratchets.items()
    }


@pytest.mark.parametrize("wrong", ["digest", "member", "key"])
def test_a_share_for_another_log_or_another_member_leads_nowhere(context: Context, keys: KeyBook, wrong: str) -> None:
    own_key = context.replica.own_keys[0]
    shares = {
        "digest": lambda: commit_share(context, own_key, digest=bytes(32)),
        "member": lambda: commit_share(context, own_key, member=ANN.id),
        "key": lambda: commit_share(context, ANN.encryption_key),
    }
    with pytest.raises(PeerFault, match="unreadable-share"):
        keys.enter_next_epoch(shares[wrong]())
    assert context.replica.current_epoch.number == 0
    assert context.replica.own_keys == [own_key]


def test_a_share_with_another_tag_changes_nothing(context: Context, keys: KeyBook) -> None:
    """5.9, 6.9: the link ends, and we come back in the epoch in which we are."""
    own_keys = [context.replica.own_keys[0], suite.EncryptionKeyPair(b"1" * 32)]
    context.replica.own_keys[:] = own_keys
    with pytest.raises(PeerFault, match="commit-of-other-log"):
        keys.enter_next_epoch(commit_share(context, own_keys[0], tag=bytes(32)))
    assert context.replica.current_epoch.number == 0
    assert context.replica.own_keys == own_keys


@pytest.mark.parametrize(("used", "kept"), [(0, [0, 2]), (1, [0, 1, 2]), (2, [0, 1, 2])])
def test_of_our_keys_before_the_one_that_opens_a_share_only_that_of_the_log_is_kept(
    context: Context, keys: KeyBook, used: int, kept: list[int]
) -> None:
    oldest = context.replica.own_keys[0]  # the one in the log
    own_keys = [suite.EncryptionKeyPair(b"2" * 32), suite.EncryptionKeyPair(b"1" * 32), oldest]
    context.replica.own_keys[:] = own_keys
    keys.enter_next_epoch(commit_share(context, own_keys[used]))
    assert context.replica.own_keys == [own_keys[at] for at in kept]


def test_in_a_new_epoch_the_keys_of_those_who_are_out_are_gone(context: Context, keys: KeyBook) -> None:
    context.replica.keys = dict.fromkeys((ANN_HASH, HOST_HASH), b"key")
    context.replica.ledger.roster.remove_member(context.replica.ledger.get_member(ANN.id))
    keys.enter_next_epoch(commit_share(context, context.replica.own_keys[0]))
    assert set(context.replica.keys) == {HOST_HASH}


# --- our own key


def test_a_renewed_key_is_sent_and_announced_and_the_former_one_still_opens(context: Context, keys: KeyBook) -> None:
    former = context.replica.own_keys[0]
    keys.renew_own_key()
    fresh, still = context.replica.own_keys
    assert still is former
    assert fresh.public != former.public
    assert take_frames(context) == [frames.KeyFrame(fresh.public)]
    pending = context.outbox.take_entry(1)
    assert pending is not None
    assert pending.body == bodies.RenewBody(suite.hash_data(fresh.public))
