"""Our end of a standby link: we wait at an heir, and tell it how we are (PROTOCOL.md, 8.9)."""

from collections.abc import Sequence

from anonp2p.protocol import frames
from anonp2p.protocol.field_types import Opening
from anonp2p.reasons import Fault, LinkEnd
from anonp2p.room import effects
from anonp2p.room.call import Call
from anonp2p.room.context import Context
from anonp2p.room.dice import draw_heartbeat
from anonp2p.room.log.reader import LogReader


class WaitingLink:
    """A link to an heir that has answered that it waits with us. member: the heir."""

    def __init__(self, context: Context, call: Call, member: bytes) -> None:
        self.call = call
        self.member = member
        self._clock = context.clock
        self._random = context.random
        self._replica = context.replica
        self._reporter = context.reporter
        self._key_shown = self._own_key
        self._said: tuple[bool, Sequence[Opening], int] | None = None
        self._due_at = 0.0  # when the next report goes out, though nothing has changed
        self._is_over = False  # whether we have ended it, though we have not heard that yet
        self._reporter.add_effect(effects.AdmitEffect(call.link, call.channel))

    @property
    def _own_key(self) -> bytes:
        return self._replica.own_keys[0].public

    def next_deadline(self) -> float:
        """When (`Now.tick`) a report is due."""
        return self._due_at

    def report(self, *, is_lost: bool) -> None:
        """Says how we are, if that is due or is not what we have said, and shows our encryption key if it is another.

        How far the log goes changes with each entry of those who talk: while we have a host, that is told when it is
        due. Without one, the heir that opens a term goes on from there.
        """
        if self._key_shown != self._own_key:
            self._key_shown = self._own_key
            self.send(frames.KeyFrame(self._own_key))
        ledger = self._replica.ledger
        said = is_lost, ledger.openings, ledger.index if is_lost else 0
        if said == self._said and self._clock.tick < self._due_at:
            return
        self._said = said
        self.send(frames.ReportFrame(is_lost, ledger.index, ledger.digest, list(ledger.openings)))

    def send(self, frame: frames.Frame) -> None:
        """Says this to the heir, which has heard from us with that."""
        self._reporter.add_effect(effects.RecordEffect(self.call.link, (frame,)))
        self._due_at = self._clock.tick + draw_heartbeat(self._random)

    def show_log(self, since: int) -> None:
        """Shows the heir all entries that we have after this one."""
        log, me = self._replica.room_log.log, self._replica.me.id
        reader = LogReader(log, since + 1, me, self._own_key, self.call.channel, log.end)
        reader.stop_at_end()
        self._reporter.add_effect(effects.AdmitEffect(self.call.link, self.call.channel, (), reader))

    def open_record(self, payload: bytes) -> Sequence[frames.Frame]:
        """What the heir says. Raises PeerFault."""
        return () if self._is_over else self.call.channel.open_record(payload).frames

    def drop(self, reason: Fault | LinkEnd) -> None:
        """Ends the link."""
        self._is_over = True
        self._reporter.add_effect(effects.DropEffect(self.call.link, reason))
