"""Nothing that anybody says, or is, is in the clear, in what a host sends or in a repr."""

from msgspec import UNSET

from anonp2p import limits
from anonp2p.crypto.epoch import KEPT, Header
from anonp2p.protocol import bodies
from anonp2p.room import events, inputs
from anonp2p.room.moderation_inputs import KickInput, LockInput
from anonp2p.room.pending import Pending, Sealed
from tests.room.host.inn import FalseMember, Inn
from tests.room.peers import ANN, EVE, ZOE, text, told


def test_nothing_that_anybody_says_or_is_is_in_the_clear(inn: Inn) -> None:
    """2.6: keys, signatures, nicks, nonces and texts are on no link but sealed."""
    zoe = FalseMember(inn, ZOE)
    zoe.dials()
    request = zoe.join("zoe-the-nick")
    zoe.client_handshakes(request)
    zoe.says(text("a secret of three words"))
    inn.end_batch()
    sent = zoe.admitted + b"".join(batch.wire for batch in inn.log.batches)
    for secret in (
        request.link_secret,
        request.signature,
        ZOE.key,
        ZOE.id,
        b"zoe-the-nick",
        b"a secret",
        ANN.key,
        b"demo",
    ):
        assert secret not in sent + zoe.client_handshake


def test_an_id_of_ones_own_input_is_in_nothing_that_goes_out(inn: Inn) -> None:
    done = [
        *inn.takes(inputs.SayInput("hello", re="my-own-id")),
        *inn.takes(inputs.RenameInput("hugoy", re="my-own-id")),
        *inn.takes(LockInput(locked=True, re="my-own-id")),
        *inn.takes(KickInput("ann", re="my-own-id")),
        *inn.takes(inputs.LeaveInput(re="my-own-id")),
    ]
    assert [event.re for event in told(done)] == ["my-own-id"] * 6
    opened = [inn.placed(at).body for at in range(1, inn.log.end)]
    assert b"my-own-id" not in b"".join(opened)


def test_entries_go_out_as_their_authors_sealed_them(inn: Inn) -> None:
    """5.3"""
    entry = inn.eve.sealer.entry(EVE, text("hello"))
    inn.eve.submits(entry)
    inn.end_batch()
    for member in (inn.eve, inn.ann):
        assert [batch.entries for batch in member.batches()][-1] == [entry.sealed]
    placed = inn.placed(inn.before)
    assert (placed.header, placed.body) == (entry.header.pack(), entry.body)


def test_nothing_that_goes_through_a_room_is_shown_by_repr(inn: Inn) -> None:
    done = inn.eve.says(text("secret"))
    told_of = told(done)
    header = Header(0, EVE.id, 1, 0, KEPT)
    content = bodies.Content(bytes(limits.SALT), 1, bytes(32), text("secret"))
    for thing in (
        *done,
        *told_of,
        inputs.SayInput("secret"),
        inputs.RenameInput("secret"),
        KickInput("secret", "secret"),
        events.UnsentEvent(room="r1", text="secret"),
        Pending(text("secret"), "secret", UNSET),
        Sealed(0, header, content, b"secret", b"secret"),
        inn.room.replica.epoch,
        inn.eve.state,
    ):
        assert "secret" not in repr(thing)
    assert told_of[0].re is UNSET
