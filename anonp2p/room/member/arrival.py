"""How a member gets in on a link: from the first answer of its host until it follows the log."""

from contextlib import suppress

from anonp2p.crypto import identity
from anonp2p.errors import PeerFault
from anonp2p.protocol import credentials, frames, welcome
from anonp2p.reasons import NO_REASON, LinkEnd, Reason
from anonp2p.room import events
from anonp2p.room.call import Call
from anonp2p.room.context import Context
from anonp2p.room.ledger import expect
from anonp2p.room.member.backfill import Backfill
from anonp2p.room.member.head_check import HeadCheck, Signer
from anonp2p.room.member.joining import Joining
from anonp2p.room.member.proof import Position
from anonp2p.room.member.search import Search
from anonp2p.room.member.states import (
    Asking,
    Backfilling,
    CatchingUp,
    Knocking,
    LinkState,
    Proving,
    Switching,
    Welcomed,
)
from anonp2p.room.member.switch import Switch
from anonp2p.room.member.uplink import Uplink
from anonp2p.room.member.welcome_check import WelcomeCheck


class Arrival:
    """Takes the answer to our request: a refusal, a welcome with what was before it, or a resumption."""

    def __init__(
        self,
        context: Context,
        state: LinkState,
        uplink: Uplink,
        search: Search,
        heads: HeadCheck,
        joining: Joining,
    ) -> None:
        self._context = context
        self._replica = context.replica
        self._reporter = context.reporter
        self._lifecycle = context.lifecycle
        self._state = state
        self._uplink = uplink
        self._search = search
        self._heads = heads
        self._joining = joining
        self._welcome_check = WelcomeCheck(context, heads, joining)
        self._is_unproven = False  # whether entries of ours may be in a gap of which nothing is proven

    def begin(self, call: Call) -> None:
        """The answer has come to a call of ours: what it says decides whether this is our link to the host."""
        self._uplink.begin(call.link, call.service, call.hello_hash, call.channel)
        self._state.enter(Asking(call.hello_hash))

    def take_refusal(self, refused: frames.RefusedFrame) -> None:
        """The host does not let us in: we ask for something else on another link, or are out.

        Raises PeerFault for what it has not signed.
        """
        credentials.check_refusal(refused, self._hello_hash, self._uplink.service)
        if refused.reason == "crowded":
            self._pass_by("crowded")  # and ask again, after a pause
            return
        reason = self._joining.take_refusal(refused.reason)
        if reason is not None:
            self._state.abandon()
            self._search.note_turned_away(self._uplink.service, identity.member_id(refused.credentials.key))
            self._uplink.drop(reason)

    def take_hold(self, held: frames.HeldFrame) -> None:
        """A moderator has to let us in: we wait on this link. Raises PeerFault for what the host has not signed."""
        expect(not self._lifecycle.entered, "unexpected-hold")
        credentials.check_hold(held, self._hello_hash, self._uplink.service)
        self._state.enter(Knocking(self._hello_hash))
        self._uplink.end_handshake()
        self._search.note_held()
        self._lifecycle.was_held = True
        self._uplink.tell_state("connecting", self._search.attempt, Reason("knocking"))

    @property
    def _hello_hash(self) -> bytes:
        """Of the hello that we have answered."""
        state = self._state.current
        assert isinstance(state, Asking | Knocking), "in no other state is an answer expected"
        return state.hello_hash

    def _pass_by(self, reason: LinkEnd) -> None:
        """Who answers is no host for us, and not at fault: we ask on another link."""
        self._state.abandon()
        self._uplink.drop(reason)

    def take_resumed(self, resumed: frames.ResumedFrame) -> None:
        """We have our place again. Raises PeerFault, HostLied if the log of the host is not the one that we know."""
        expect(self._joining.can_resume, "unwanted-resumption")
        same_epoch = self._replica.ledger.epoch == self._replica.current_epoch.number
        expect(same_epoch, "resumption-in-old-epoch")
        ledger = self._replica.ledger
        host = ledger.host_key
        credentials.check_resumption(resumed, self._hello_hash, self._uplink.service, host)
        now = self._heads.read_head(resumed.now, Signer.of_log(ledger))
        expect(now.end >= self._replica.ledger.index, "shorter-log")
        self._state.enter(CatchingUp(now.end))
        self._end_handshake()
        self._tell_up()

    def begin_welcome(self, welcomed: frames.WelcomeFrame) -> None:
        """The pages that follow show us the room."""
        self._state.enter(Welcomed(self._open_welcome(welcomed)))

    def _open_welcome(self, welcomed: frames.WelcomeFrame) -> welcome.WelcomeReader:
        """Whoever has waited for this answer may have got another key since. Raises PeerFault."""
        *newer, oldest = self._replica.own_keys
        service, hello = self._uplink.service, self._hello_hash
        for key in newer:
            with suppress(PeerFault):
                return welcome.WelcomeReader(welcomed, key, service, hello)
        return welcome.WelcomeReader(welcomed, oldest, service, hello)

    def take_page(self, page: frames.PageFrame) -> bool:
        """Returns whether we follow the log from here on. Raises PeerFault, HostLied for a room that cannot be."""
        state = self._state.current
        assert isinstance(state, Welcomed), "in no other is a page expected"
        room = state.reader.take_page(page)
        if room is None:
            return False
        if self._lifecycle.entered and not self._replica.ledger.is_in_term(room.term):
            self._begin_switch(self._welcome_check.read_other_term(room, self._uplink.service))
            return False
        if self._welcome_check.leads_back(room):
            self._pass_by("other-host")
            return False
        backfill = self._welcome_check.read(room, self._uplink.service)
        self._end_handshake()
        if backfill.proof is not None:
            self._state.enter(Proving(backfill))
            return False
        return self._begin_backfill(backfill)

    def _begin_switch(self, switch: Switch) -> None:
        """What leads to that log is on its way; it is not for us if one began it whom ours has thrown out since."""
        if switch.has_removed_opener:
            self._pass_by("opener-removed")
        else:
            self._state.enter(Switching(switch))
            self._uplink.end_handshake()

    def take_proof(self, proof: frames.ProofFrame) -> bool:
        """Returns whether we follow the log from here on. Raises PeerFault, HostLied for a proof that is none."""
        state = self._state.current
        assert isinstance(state, Proving), "in no other is a proof expected"
        assert state.backfill.proof is not None, "what it is about"
        return state.backfill.proof.take_steps(proof.steps) and self._begin_backfill(state.backfill)

    def _begin_backfill(self, backfill: Backfill) -> bool:
        self._state.enter(Backfilling(backfill))
        self._replica.final_openings = backfill.now.openings
        if not backfill.continues:
            self._enter_room(backfill)
        return self.complete_backfill()

    def complete_backfill(self) -> bool:
        """Returns whether we follow the log, as we do once we have all that was before a welcome. Raises HostLied."""
        backfill = self._state.backfill
        if backfill is None:
            return True
        if not backfill.is_complete():
            return False
        self._state.enter(CatchingUp(backfill.head.end))
        self._replica.final_openings = None
        backfill.enter_epoch()
        if backfill.continues:
            self._tell_up()
        else:
            self._end_history(backfill)
        return True

    def take_switch(self, switch: Switch) -> None:
        """All of a log is there that parted from ours: we are where its host said that it stands."""
        self._state.enter(CatchingUp(switch.head.end))
        self._note_let_in()
        self._tell_up()

    def note_shown(self) -> None:
        """The link ends, and the rest of the history comes on another one."""
        self._replica.final_openings = None
        backfill = self._state.backfill
        if backfill is not None and backfill.replayed is not None:
            shown = backfill.replayed
            self._joining.note_shown(Position(shown.index, shown.digest, shown.group_context))

    def _enter_room(self, backfill: Backfill) -> None:
        """In: for the first time, as somebody new, or too far on in the log to be told all between."""
        goes_on = self._joining.begin_history(expected=backfill.replayed is not None)
        roster_before = self._replica.ledger.roster
        self._replica.enter_room(backfill.now)
        self._replica.begin_log((backfill.replayed or backfill.now).copy())
        self._tell_up()
        if not goes_on:
            self._lifecycle.enter("member")
            self._joining.tell_of_refused_nick()
        if backfill.gap or not (goes_on or self._joining.shown_up_to is None):
            missed = events.EntriesMissedEvent(
                room=self._context.label, count=backfill.gap, verified=backfill.is_proven
            )
            self._reporter.tell_event(missed)
        if backfill.gap:
            self._take_receipts(backfill)
            self._reporter.tell_cautions(self._replica.compare_rosters(roster_before, backfill.reached.roster))
        self._context.succession.tell_changes()

    def _take_receipts(self, backfill: Backfill) -> None:
        """What is known of our own entries among those that we have missed."""
        if backfill.proof is None:
            self._is_unproven = True
            self._replica.unproven_until = backfill.head.time
            return
        age = self._heads.age_of_last
        for receipt in backfill.proof.receipts:
            self._context.take_receipt(receipt.header, backfill.now.place_of(receipt.at), age)

    def _end_history(self, backfill: Backfill) -> None:
        """We have been shown all that we get: of our own entries, what has no place by now gets none."""
        returns = self._joining.shown_up_to is not None
        self._replica.marks.begin_at(backfill.head.time, backfill.head.digest, keeps=returns and not self._is_unproven)
        given = self._context.outbox.settle(self._context.own_member.counter, proven=not self._is_unproven)
        self._reporter.tell_given_back(given)
        self._is_unproven = False
        self._joining.end_history()

    def _end_handshake(self) -> None:
        """We have been let in on this link."""
        self._uplink.end_handshake()
        self._note_let_in()

    def _note_let_in(self) -> None:
        """We need no other link, and are known on the next one by this."""
        self._search.note_let_in()
        self._joining.ticket = self._uplink.channel.ticket

    def _tell_up(self) -> None:
        self._uplink.tell_state("up", self._search.attempt, NO_REASON)
