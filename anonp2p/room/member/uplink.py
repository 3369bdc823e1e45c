"""Our link to the host: what goes out on it, and when it has to hear from us though there is nothing to say."""

from typing import Literal

from anonp2p import limits
from anonp2p.protocol import frames
from anonp2p.protocol.handshake import Channel
from anonp2p.reasons import Fault, LinkEnd, Reason
from anonp2p.room import cover, effects, events, inputs
from anonp2p.room.context import Context


class Uplink:
    """Sends frames to the host, heartbeats and cover traffic among them."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._clock = context.clock
        self._reporter = context.reporter
        self._channel: Channel | None = None
        self._heartbeat_at: float | None = None  # when the host has to hear from us again
        self._cover_at: float | None = None  # when we say something to hide that nothing is said

    @property
    def channel(self) -> Channel:
        """What seals the records of this link, from the client handshake on."""
        assert self._channel is not None, "there is one from the hello on"
        return self._channel

    def begin(self, client_handshake: bytes, channel: Channel) -> None:
        """Answers the hello of the host."""
        self._reporter.add_effect(effects.SendEffect(inputs.UPLINK, client_handshake))
        self._channel = channel

    def end_handshake(self) -> None:
        """The host has let us in."""
        self._reporter.add_effect(effects.AdmitEffect(inputs.UPLINK, self.channel))
        self._put_off_heartbeat()
        if self._context.cover:
            self._put_off_cover()

    def send(self, *said: frames.Frame, echo: bool = False) -> None:
        """Sends these frames, or none, in a record."""
        self._reporter.add_effect(effects.RecordEffect(inputs.UPLINK, said, echo))
        self._put_off_heartbeat()

    def drop(self, reason: Fault | LinkEnd) -> None:
        """Ends the link."""
        self._reporter.add_effect(effects.DropEffect(inputs.UPLINK, reason))

    def tell_state(self, state: Literal["connecting", "up", "lost"], attempt: int, reason: Reason) -> None:
        """Tells the user how it is. attempt: which try to get it this was; reason: why the one before failed."""
        re = self._context.lifecycle.re
        self._reporter.tell_event(
            events.LinkEvent(room=self._context.label, state=state, attempt=attempt, detail=reason, re=re)
        )

    def forget(self) -> None:
        """The link is gone."""
        self._channel = self._heartbeat_at = self._cover_at = None

    def next_deadline(self) -> float | None:
        """When (`Now.tick`) `send_due` has something to send."""
        return min((due for due in (self._heartbeat_at, self._cover_at) if due is not None), default=None)

    def send_due(self) -> None:
        """Sends what has to be sent by now."""
        if self._heartbeat_at is not None and self._clock.tick >= self._heartbeat_at:
            self.send()
        if self._cover_at is not None and self._clock.tick >= self._cover_at:
            self.send(echo=True)
            self._put_off_cover()

    def _put_off_heartbeat(self) -> None:
        """The host has heard from us; not at the same time for all members it has to hear again."""
        jitter = 1 - limits.HEARTBEAT_JITTER * self._context.random(1)[0] / 255
        self._heartbeat_at = self._clock.tick + limits.HEARTBEAT * jitter

    def _put_off_cover(self) -> None:
        self._cover_at = self._clock.tick + cover.draw_wait(self._context.random)
