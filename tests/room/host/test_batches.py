"""What a host sends: batches, each under one signed head, and nothing more often than it must."""

from itertools import pairwise

from anonp2p import limits
from anonp2p.protocol.batches import Batch
from anonp2p.protocol.packing import unpack
from anonp2p.room import effects, inputs
from anonp2p.room.moderation_inputs import KickInput
from tests.room.host.inn import Inn
from tests.room.hostile import dropped
from tests.support.world import START, payloads


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
        batch = unpack(Batch, inn.eve.sealer.epoch.open_batch(payload) or b"")
        assert batch.entries == []
        assert int.from_bytes(batch.head[:8], "big") == inn.room.index
        times.append(int.from_bytes(batch.head[40:48], "big"))
    pauses = {(later - earlier) / 1_000 for earlier, later in pairwise(times)}
    assert all(
        limits.HEARTBEAT * (1 - limits.HEARTBEAT_JITTER) - 0.01 <= pause <= limits.HEARTBEAT + 0.01 for pause in pauses
    )


def test_a_host_that_is_out_has_nothing_due_and_has_signed_for_all_and_takes_no_new_links(inn: Inn) -> None:
    inn.takes(KickInput("ann"))
    dropped(inn, inn.eve)
    done = inn.takes(inputs.LeaveInput(close=True))
    assert sum(isinstance(effect, effects.StopServingEffect) for effect in done) == 1
    assert inn.room.next_deadline() is None
    assert inn.log.is_sealed
