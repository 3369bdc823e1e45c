"""The effects that concern one link, carried out on its connection: the same for a real link and a simulated one."""

from anonp2p.protocol.connection import Connection
from anonp2p.room import effects

LinkEffect = effects.Send | effects.Record | effects.Admit | effects.Pause | effects.Finish | effects.Drop


def apply_effect(effect: LinkEffect, connection: Connection, now: float) -> None:
    """Does to a connection what the room wants done."""
    match effect:
        case effects.Send(data=data):
            connection.send_data(data)
        case effects.Record(frames=frames, echo=echo):
            connection.send_frames(frames, echo=echo)
        case effects.Admit(channel=channel, frames=frames, reader=reader):
            connection.settle(channel)
            if reader:
                connection.follow_log(reader, frames)
        case effects.Pause(seconds=seconds):
            connection.pause(seconds, now)
        case effects.Finish(data=data):
            if data:
                connection.send_data(data)
            connection.finish(now)
        case effects.Drop(reason=reason):
            connection.end(reason)
