"""The effects that concern one link, carried out on its connection: the same for a real link and a simulated one."""

from anonp2p.protocol.connection import Connection
from anonp2p.room import effects

LinkEffect = (
    effects.SendEffect
    | effects.RecordEffect
    | effects.AdmitEffect
    | effects.HoldEffect
    | effects.PauseEffect
    | effects.CoverEffect
    | effects.AnswerEffect
    | effects.FinishEffect
    | effects.DropEffect
)


def apply_effect(effect: LinkEffect, connection: Connection, now: float) -> None:
    """Does to a connection what the room wants done."""
    match effect:
        case effects.SendEffect(data=data, seconds=seconds):
            connection.send_data(data)
            connection.expect_answer(seconds, now)
        case effects.RecordEffect(frames=frames, echo=echo):
            connection.send_frames(frames, echo=echo)
        case effects.AdmitEffect(channel=channel, frames=frames, reader=reader):
            connection.settle(channel)
            if reader:
                connection.follow_log(reader, frames)
            elif frames:
                connection.send_frames(frames)
        case effects.HoldEffect(channel=channel):
            connection.hold(channel)
        case effects.PauseEffect(seconds=seconds):
            connection.pause(seconds, now)
        case effects.CoverEffect():
            connection.begin_cover()
        case effects.AnswerEffect():
            connection.send_answer()
        case effects.FinishEffect(data=data):
            if data:
                connection.send_data(data)
            connection.finish(now)
        case effects.DropEffect(reason=reason):
            connection.end(reason)
