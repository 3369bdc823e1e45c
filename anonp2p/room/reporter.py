"""The effects of one input, in their order, and what the user is told among them."""

from collections.abc import Callable, Iterable
from typing import Literal

from msgspec import UNSET, UnsetType

from anonp2p import errors
from anonp2p.crypto import identity, suite
from anonp2p.crypto.epoch import FLEETING, KEPT
from anonp2p.names.reused import ReusedNicks
from anonp2p.protocol import room_state
from anonp2p.protocol.bodies import EntryId
from anonp2p.protocol.packing import pack
from anonp2p.reasons import Reason
from anonp2p.room import changes, effects, events
from anonp2p.room.changes import Caution, Change
from anonp2p.room.clock import Clock
from anonp2p.room.errors import MessageGone
from anonp2p.room.message_index import MessageIndex, ShownMessage
from anonp2p.room.narrator import Narrator
from anonp2p.room.offers import Offer, OfferBook
from anonp2p.room.outbox import GivenBack
from anonp2p.room.shown_messages import ShownMessages
from anonp2p.room.succession.terms import index_of

# Why an offer ends so that what has come of the file goes with it, as a message does.
_FORGOTTEN = ("offer-expired", "offer-withdrawn")


class Reporter:
    """Collects effects.

    room: how events name the room; message_index, reused_nicks, offers: are told which messages of whom were shown.
    alarms: how many the user was told of.
    """

    def __init__(
        self,
        room: str,
        clock: Clock,
        narrator: Narrator,
        shown_messages: ShownMessages,
        message_index: MessageIndex,
        reused_nicks: ReusedNicks,
        offers: OfferBook,
    ) -> None:
        self._room = room
        self._clock = clock
        self._narrator = narrator
        self._shown_messages = shown_messages
        self._message_index = message_index
        self._reused_nicks = reused_nicks
        self._offers = offers
        self._effects: list[effects.Effect] = []
        self.alarms = 0

    def add_effect(self, effect: effects.Effect) -> None:
        """Adds what is to be done next."""
        self._effects.append(effect)

    def take_effects(self) -> list[effects.Effect]:
        """Returns what was added, and forgets it: it may hold what somebody said."""
        taken, self._effects = self._effects, []
        return taken

    def tell_event(self, event: events.Event) -> None:
        """Tells the user of an event."""
        self._effects.append(effects.TellEffect(event))

    def tell_error(self, error: errors.AnonError, re: events.Re, *, final: Literal[True] | UnsetType = UNSET) -> None:
        """Tells what went wrong. re: the input that caused it; final: whether it ends the room for us."""
        self.tell_event(events.ErrorEvent(code=error.code, text=error, room=self._room, re=re, final=final))

    def tell_alarm(self, member: bytes | None, reason: Reason) -> None:
        """Tells what no honest program does. member: who did it, if that is known."""
        self.alarms += 1
        spelled = "" if member is None else identity.spell_member(member)
        self.tell_event(events.AlarmEvent(room=self._room, member=spelled, reason=reason))

    def tell_rules(self, retention: room_state.RetentionPolicy, history: room_state.HistoryPolicy) -> None:
        """Tells the rules of the room, where they are not the usual ones."""
        for rule in self._narrator.describe_rules(retention, history):
            self.tell_event(rule)

    def tell_given_back(self, given: Iterable[GivenBack]) -> None:
        """Tells why entries of ours got no place, and gives back what the user typed.

        Who waits for the answer to a command that was to end such a message has it: nobody was shown it.
        """
        for error, line, re, file, retraction in given:
            if error is not None:
                self.tell_error(error, re)
            if line is not None:
                self.tell_event(events.UnsentEvent(room=self._room, text=line, re=re))
            if retraction is not UNSET:
                reply = events.ReplyEvent(room=self._room, command="/retract", data={"sent": False}, re=retraction)
                self.tell_event(reply)
            if file is not None and (offer := self._offers.find_own(file)) is not None:
                self.end_offer(offer, Reason("offer-unsent"))

    def tell_cautions(self, cautions: Iterable[Caution]) -> None:
        """Warns of nicks that may be taken for others."""
        for caution in cautions:
            self.tell_event(self._narrator.describe_caution(caution))

    def tell_change(self, change: Change, re: events.Re) -> None:
        """Tells of what has just taken effect. re: the input of ours that asked for it."""
        if isinstance(change, changes.MessageChange):
            if self._tell_again(change):
                return
            self._note_offer(change)
        for event in self._narrator.describe_change(change, self._clock.now.wall, re):
            self.tell_event(event)
        self._note_shown(change, re)

    def _tell_again(self, message: changes.MessageChange) -> bool:
        """Tells of a message that was shown, and has another place now; returns whether it is such a one.

        One that has ended here is not shown again, and has no number any more. Where its author says something else
        there under the same counter, that is a message like any.
        """
        was = self._message_index.take_cut(EntryId(message.member, message.counter))
        if was is None:
            return False
        if was.gone:
            return True
        if was.said != _hash_words(message):
            return False
        if message.ttl not in (KEPT, FLEETING):
            self._shown_messages.forget_message(was.seq)
        self._offers.move_message(was.seq, message.seq)
        self.tell_event(events.MovedEvent(room=self._room, was=was.seq, seq=message.seq))
        self._note_message(message)
        return True

    def tell_moved(self, since: int, find_moved: Callable[[int], int | None]) -> None:
        """Tells of messages from this index on, which were shown, that they have other places now."""
        moved: dict[int, int] = {}
        for was in self._message_index.list_since(since):
            seq = find_moved(was)
            if seq is not None:
                moved[was] = seq
                self._message_index.move_message(was, seq)
                self._offers.move_message(was, seq)
                self.tell_event(events.MovedEvent(room=self._room, was=was, seq=seq))
        self._shown_messages.move_messages(moved)

    def tell_history_change(self, change: Change) -> None:
        """Tells of what took effect before we came."""
        if isinstance(change, changes.MessageChange):
            self._note_offer(change)
        for event in self._narrator.describe_history_change(change, self._clock.now.wall):
            self.tell_event(event)
        self._note_shown(change, UNSET)

    def _note_shown(self, change: Change, re: events.Re) -> None:
        """Remembers a message that was shown, or tells that one was retracted."""
        if isinstance(change, changes.MessageChange):
            self._note_message(change)
        elif isinstance(change, changes.RetractedChange):
            if (offer := self._offers.find_counter(change.member, change.counter)) is not None:
                self.end_offer(offer, Reason("offer-withdrawn"), re)
            shown = self._message_index.find_named(EntryId(change.member, change.counter))
            if shown is not None and self._message_index.end_message(shown.seq):
                self.tell_event(self._narrator.describe_expired(shown.seq, re, retracted=True))
            elif shown is not None and re is not UNSET:
                self.tell_error(MessageGone(index_of(shown.seq)), re)  # ended while the Retract was on its way

    def _note_message(self, message: changes.MessageChange) -> None:
        self._reused_nicks.note_message(message.member)
        self._message_index.note_message(
            ShownMessage(message.seq, message.member, message.counter, message.peer, message.mine, _hash_words(message))
        )
        if message.ttl not in (KEPT, FLEETING):
            end = self._clock.now.age + max(0.0, message.ttl - message.age)
            self._tell_expired(self._shown_messages.note_message(message.seq, end))

        if message.file is not None:
            self._end_offers_after(message)

    # --- offers of files

    def _note_offer(self, message: changes.MessageChange) -> None:
        """A message that is told next may make an offer, which gets its number."""
        if message.file is not None:
            self._offers.note_message(message)

    def _end_offers_after(self, message: changes.MessageChange) -> None:
        """An offer was told of: it ends at once if it is not to be kept, and the oldest of many does."""
        if message.ttl == FLEETING and (offer := self._offers.find_same(message)) is not None:
            self.end_offer(offer, Reason("offer-expired"))
        for oldest in self._offers.list_excess(message.member):
            self.end_offer(oldest, Reason("offer-displaced"))

    def end_offer(self, offer: Offer, why: Reason, re: events.Re = UNSET) -> None:
        """An offer has ended, for this reason. re: the input of ours that ended it."""
        self._offers.end_offer(offer)
        if offer.mine or offer.is_fetched:
            forgets = not offer.mine and why.code in _FORGOTTEN
            self.add_effect(effects.StopFileEffect(offer.number, forgets))
        if offer.is_told:
            self.tell_event(self._narrator.describe_transfer(offer, "ended", why, re))

    # --- messages that end

    @property
    def next_deadline(self) -> float | None:
        """When (`Now.tick`) to look whether a shown message ends; None while none does."""
        end = self._shown_messages.next_due
        return None if end is None else self._clock.tick_at(end)

    def end_due_messages(self) -> None:
        """Tells which shown messages have expired."""
        self._tell_expired(self._shown_messages.end_due(self._clock.now.age))

    def end_all_messages(self) -> None:
        """Tells that all shown messages end that were to end some time, and all offers: we are out."""
        self._tell_expired(self._shown_messages.end_all())
        for offer in list(self._offers):
            if offer.asked is not None and offer.file is None:
                self.tell_event(events.UnsentEvent(room=self._room, text=offer.asked.line, re=offer.asked.re))
            self.end_offer(offer, Reason("room-left"))

    def _tell_expired(self, ended: list[int]) -> None:
        for seq in ended:
            if (offer := self._offers.find_seq(seq)) is not None:
                self.end_offer(offer, Reason("offer-expired"))
            if self._message_index.end_message(seq):
                self.tell_event(self._narrator.describe_expired(seq))


def _hash_words(message: changes.MessageChange) -> bytes:
    return suite.hash_data(pack([message.text, message.action, message.reply, message.peer, message.file]))
