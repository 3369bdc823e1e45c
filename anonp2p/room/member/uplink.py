"""Our link to the host: what goes out on it, and when it has to hear from us though there is nothing to say."""

from typing import Literal

from msgspec import UNSET, UnsetType

from anonp2p.protocol import frames
from anonp2p.protocol.handshake import Channel
from anonp2p.reasons import Fault, LinkEnd, Reason
from anonp2p.room import cover, effects, events
from anonp2p.room.context import Context
from anonp2p.room.dice import draw_heartbeat


class Uplink:
    """Sends frames to the host, and heartbeats; with cover, only in slots, which are heartbeats as well.

    link: its number; service: the public key of the onion service that was dialled; hello_hash: of the hello there.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._clock = context.clock
        self._reporter = context.reporter
        self.link = 0
        self.service = b""
        self.hello_hash = b""
        self._channel: Channel | None = None
        self._waiting: list[frames.Frame] = []  # what goes in the next slots
        self._has_slots = False  # whether we send in slots alone
        self._due_at: float | None = None  # when the next heartbeat, or slot, goes out

    @property
    def channel(self) -> Channel:
        """What seals the records of this link."""
        assert self._channel is not None, "there is one from the first answer on"
        return self._channel

    def begin(self, link: int, service: bytes, hello_hash: bytes, channel: Channel) -> None:
        """A call of ours was answered: its link is the one to the host."""
        self.link, self.service, self.hello_hash, self._channel = link, service, hello_hash, channel

    def end_handshake(self) -> None:
        """The host has let us in."""
        self._reporter.add_effect(effects.AdmitEffect(self.link, self.channel))
        self._put_off()

    def begin_slots(self) -> None:
        """We have all of the log: with cover, what we send goes in slots from now on."""
        if self._context.cover:
            self._has_slots = True
            self._put_off()

    def send(self, *said: frames.Frame) -> None:
        """Sends these frames, or none, in a record; where we send in slots, in the next ones, unless we are leaving."""
        self._waiting += said
        if self._has_slots and self._context.lifecycle.phase != "leaving":
            return
        self._send_waiting(len(self._waiting))
        if not self._has_slots:
            self._put_off()

    def ask(self, frame: frames.Frame) -> float:
        """Sends a frame before all that waits; returns when (`Now.tick`) it goes out."""
        self._waiting.insert(0, frame)
        self.send()
        return self._due_at if self._waiting and self._due_at is not None else self._clock.tick

    def drop(self, reason: Fault | LinkEnd) -> None:
        """Ends the link."""
        self._reporter.add_effect(effects.DropEffect(self.link, reason))

    def tell_state(self, state: Literal["connecting", "up", "lost"], attempt: int, reason: Reason) -> None:
        """Tells the user how it is. attempt: which try to get it this was; reason: why the one before failed."""
        self._context.health.note_link(state, reason)
        room, re = self._context.label, self._context.lifecycle.re
        knocking: Literal[True] | UnsetType = True if reason.code == "knocking" else UNSET
        self._reporter.tell_event(
            events.LinkEvent(room=room, state=state, attempt=attempt, detail=reason, knocking=knocking, re=re)
        )

    def lose(self) -> None:
        """The link is gone."""
        self.link = 0
        self.forget()

    def forget(self) -> None:
        """Nothing goes out any more."""
        self._channel = self._due_at = None
        self._has_slots = False
        self._waiting.clear()

    def next_deadline(self) -> float | None:
        """When (`Now.tick`) `send_due` has something to send."""
        return self._due_at

    def send_due(self) -> None:
        """Sends what has to be sent by now."""
        if self._due_at is None or self._clock.tick < self._due_at:
            return
        if self._has_slots:
            self._drop_outdated()
            self._send_waiting(cover.count_for_slot(self._waiting), is_slot=True)
        else:
            self._send_waiting(0)
        self._put_off()

    def _send_waiting(self, count: int, *, is_slot: bool = False) -> None:
        """The first of what waits goes in a record."""
        said, self._waiting = tuple(self._waiting[:count]), self._waiting[count:]
        self._reporter.add_effect(effects.RecordEffect(self.link, said, is_slot))

    def _drop_outdated(self) -> None:
        """Drops entries of an epoch that is over while they waited: the outbox has had them sealed anew."""
        epoch = self._context.replica.current_epoch.number
        self._waiting = [it for it in self._waiting if not (isinstance(it, frames.SubmitFrame) and it.epoch < epoch)]

    def _put_off(self) -> None:
        """The host has heard from us, and has to hear again."""
        draw = cover.draw_slot if self._has_slots else draw_heartbeat
        self._due_at = self._clock.tick + draw(self._context.random)
