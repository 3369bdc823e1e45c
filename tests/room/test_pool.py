"""What somebody in a private room has of its keys, whatever comes first: other ones, or the entry with them."""

import pytest

from anonp2p.crypto import invitations
from anonp2p.room.pool import Pool

BEFORE, AFTER = b"b" * 32, b"a" * 32


def follow(pool: Pool, secret: bytes) -> None:
    """The log says that this is the pool of the room."""
    pool.follow(invitations.derive_members_key(secret))


@pytest.fixture(params=[b"", BEFORE], ids=["told the public keys alone", "with the pool"])
def pool(request: pytest.FixtureRequest) -> Pool:
    """Of somebody who has what it is to have of the pool before."""
    pool = Pool(secret=request.param)
    follow(pool, BEFORE)
    pool.take_clients(invitations.list_clients(BEFORE))
    return pool


def test_what_comes_before_the_entry_is_of_use_once_that_is_there(pool: Pool) -> None:
    """5d.7: an heir would be found by nobody, if the host is gone before it says them again."""
    pool.take_clients(invitations.list_clients(AFTER))
    follow(pool, AFTER)
    assert pool.clients == invitations.list_clients(AFTER)
    assert not pool.is_ours


def test_until_the_entry_is_there_it_is_found_by_the_keys_of_before(pool: Pool) -> None:
    """5d.7: the host may be gone before it has sent the entry."""
    pool.take_clients(invitations.list_clients(AFTER))
    assert pool.clients == invitations.list_clients(BEFORE)


def test_once_the_entry_is_there_nobody_is_found_by_the_keys_of_before(pool: Pool) -> None:
    """5d.6"""
    follow(pool, AFTER)
    assert pool.clients == ()
    pool.take_clients(invitations.list_clients(BEFORE))
    assert pool.clients == ()


def test_who_is_out_has_nothing_of_it(pool: Pool) -> None:
    pool.take_clients(invitations.list_clients(AFTER))
    pool.forget()
    follow(pool, BEFORE)
    assert pool.clients == ()
