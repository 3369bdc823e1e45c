"""What a host sends: batches, each under one signed head, and nothing more often than it must."""

from itertools import pairwise

from anonp2p import limits
from anonp2p.crypto import identity, padding, suite
from anonp2p.protocol import frames
from anonp2p.protocol.frames import CommitBody, LeaveBody
from anonp2p.room import effects, inputs
from tests.room.hostile import dropped
from tests.room.peers import EVE, ROOM, FalseMember, Inn, Somebody, kinds, said, text
from tests.support.world import START, payloads


def test_cover_is_answered_by_a_host_too(inn: Inn) -> None:
    assert inn.eve.sends(echo=True) == [effects.RecordEffect(inn.eve.link)]
    assert inn.eve.sends() == []


def test_a_leave_ends_the_link_once_everything_is_sent(inn: Inn) -> None:
    """5.10, 6.8"""
    tell, finish = inn.eve.says(LeaveBody())
    assert isinstance(tell, effects.TellEffect)
    assert finish == effects.FinishEffect(2)
    assert inn.eve.says(text("still here")) == []
    assert inn.takes(inputs.DroppedInput(2, "closed", 0.0)) == []
    inn.ticks(limits.COMMIT_PAUSE)
    assert inn.ordered() == [LeaveBody(), CommitBody(1, []), *inn.ordered()[2:]]
    assert len(inn.ordered()) == 3  # the host renews its encryption key


def test_what_stands_behind_a_leave_in_one_record_is_passed_over(inn: Inn) -> None:
    """5.10"""
    leave, more = inn.eve.entry(EVE, LeaveBody()), inn.eve.entry(EVE, text("still here"))
    assert kinds(inn.eve.sends(frames.SubmitFrame(0, leave.sealed), frames.SubmitFrame(0, more.sealed))) == [
        "TellEffect",
        "FinishEffect",
    ]
    assert inn.ordered() == [LeaveBody()]


def test_links_are_looked_at_as_soon_as_something_has_expired(inn: Inn) -> None:
    """5.17: on some of them it may still be on its way."""
    inn.eve.says(text("short"), ttl=60)
    inn.end_batch()
    assert "SweepEffect" not in kinds(inn.ticks(59.9))
    assert kinds(inn.ticks(60.1)).count("SweepEffect") == 1


def test_a_batch_ends_in_one_head_over_all_of_it(inn: Inn) -> None:
    """4.5, 5.6"""
    inn.end_batch()
    for _ in range(3):
        inn.eve.says(text("x"))
    inn.end_batch(2.5)
    inn.end_batch(9.0)
    inn.ann.reads()
    [batch] = inn.eve.batches()
    assert [said(inn.eve.opened(entry)) for entry in batch.entries] == [text("x")] * 3
    signed = batch.head
    digest = identity.hash_empty_log(ROOM)
    for at in range(1, inn.log.end):
        entry = inn.placed(at)
        digest = identity.extend_log_hash(digest, at, entry.header, suite.hash_data(entry.body))
    assert signed[:48] == (5).to_bytes(8, "big") + digest + (2_500).to_bytes(8, "big")
    assert identity.is_signed(identity.HEAD, ROOM, signed[:48], signed[48:], inn.host.key)


def test_no_two_batches_have_one_nonce(inn: Inn) -> None:
    """4.5"""
    nonces = set()
    for _ in range(3):
        inn.eve.says(text("x"))
        inn.end_batch()
        nonces.add(inn.log.batches[-1].wire[padding.LENGTH :][: suite.NONCE])
    assert len(nonces) == 3


def test_an_idle_host_says_so_with_heads_and_not_more_often_than_it_must(inn: Inn) -> None:
    """1.4"""
    inn.end_batch()
    times = []
    for _ in range(20):
        deadline = inn.room.next_deadline()
        assert deadline is not None
        [pulse] = inn.takes(inputs.TickInput(), deadline - START)
        assert isinstance(pulse, effects.HeartbeatEffect)
        [payload] = payloads(pulse.data)
        batch = frames.unpack(frames.Batch, inn.eve.epoch.open_batch(payload) or b"")
        assert batch.entries == []
        assert int.from_bytes(batch.head[:8], "big") == inn.room.index
        times.append(int.from_bytes(batch.head[40:48], "big"))
    pauses = {(later - earlier) / 1_000 for earlier, later in pairwise(times)}
    assert all(
        limits.HEARTBEAT * (1 - limits.HEARTBEAT_JITTER) - 0.01 <= pause <= limits.HEARTBEAT + 0.01 for pause in pauses
    )


def test_a_host_that_is_out_has_nothing_due_and_has_signed_for_all(inn: Inn) -> None:
    inn.takes(inputs.KickInput("ann"))
    dropped(inn, inn.eve)
    inn.takes(inputs.LeaveInput(close=True))
    assert inn.room.next_deadline() is None
    assert inn.log.is_sealed


def test_however_many_are_called_away_at_once_their_entries_are_covered_in_time() -> None:
    """5.6"""
    inn = Inn()
    crowd = [FalseMember(inn, Somebody(number.to_bytes(1, "big"))) for number in range(limits.MAILBOX + 2)]
    for number, member in enumerate(crowd):
        member.dials()
        member.joins(f"n{number}")
    inn.end_batch()
    before = inn.log.end
    for member in crowd:
        dropped(inn, member)
    batches = []
    while inn.log.end < before + len(crowd):
        end = inn.log.end
        inn.takes(inputs.TickInput(), limits.AWAY_SECONDS)
        inn.end_batch(limits.AWAY_SECONDS)
        batches.append(inn.log.end - end)
    assert max(batches) <= limits.MAILBOX
    assert sum(batches) == len(crowd)
