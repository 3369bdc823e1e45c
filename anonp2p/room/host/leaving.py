"""How we stop to host a room: an heir takes it over, or it ends for all."""

from anonp2p.crypto import identity
from anonp2p.protocol import bodies
from anonp2p.room import effects, inputs
from anonp2p.room.closing import Closing
from anonp2p.room.context import Context
from anonp2p.room.host.presence import Presence
from anonp2p.room.host.sequencer import Sequencer
from anonp2p.room.hosting_events import LeaveHandsOverEvent
from anonp2p.room.roster import Member


class Leaving:
    """Takes the wish to leave or to close the room, and hands over."""

    def __init__(self, context: Context, sequencer: Sequencer, presence: Presence) -> None:
        self._context = context
        self._replica = context.replica
        self._reporter = context.reporter
        self._lifecycle = context.lifecycle
        self._sequencer = sequencer
        self._presence = presence
        self._closing = Closing(context)

    @property
    def can_hand_over(self) -> bool:
        """Whether an heir is there to go on at once."""
        return self._find_successor() is not None

    def _find_successor(self) -> Member | None:
        """The first heir that is there to go on at once."""
        heirs = (heir.member for heir in self._replica.ledger.heirs)
        here = next((member for member in heirs if self._presence.find_link(member) is not None), None)
        return self._replica.ledger.roster.find_member(here) if here else None

    def _find_absent_successor(self) -> Member | None:
        """The first heir, where we have no right to end the room, and it may come back."""
        ledger = self._replica.ledger
        if not ledger.heirs or ledger.room_rights.is_moderator(self._replica.me.id):
            return None
        return ledger.get_member(ledger.heirs[0].member)

    @property
    def ends_room(self) -> bool:
        """Whether there are others, here or away, for whom the room ends if we leave."""
        return self._closing.others > 0 and not self.can_hand_over

    def leave(self, event: inputs.LeaveInput) -> None:
        """Leaves, so that an heir takes over; where the room ends for others, a person is told before."""
        room, name = self._context.label, self._replica.ledger.name
        successor = None if event.close else self._find_successor() or self._find_absent_successor()
        if successor:
            member = identity.spell_member(successor.id)
            self._reporter.tell_event(
                LeaveHandsOverEvent(room=room, name=name, member=member, nick=successor.nick, re=event.re)
            )
            self._lifecycle.begin_leaving(event.re)
            self._sequencer.order_own(bodies.HandOverBody(leaves=True), None, event.re)
            return
        if self._closing.may_end_room(event):
            if event.close:
                self._lifecycle.note_close(event.re)
            else:
                self._lifecycle.begin_leaving(event.re)
            self._sequencer.order_own(bodies.CloseBody(), None, event.re)

    def hand_over(self) -> None:
        """An heir takes over, and we stay as a member. Links end once they have all that we have ordered."""
        self._sequencer.order_own(bodies.HandOverBody(leaves=False))
        self._sequencer.end_batch()
        for number, link in self._presence.links.items():
            link.reader.stop_at_end()
            self._reporter.add_effect(effects.FinishEffect(number))
