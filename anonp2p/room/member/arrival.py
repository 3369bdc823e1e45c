"""How a member gets in on a link: from the hello of its host until it follows the log."""

from anonp2p import errors
from anonp2p.crypto import suite
from anonp2p.protocol import credentials, frames, handshake, welcome
from anonp2p.protocol.handshake import Channel
from anonp2p.reasons import NO_REASON
from anonp2p.room import events
from anonp2p.room.context import Context
from anonp2p.room.ledger import expect
from anonp2p.room.member.backfill import Backfill
from anonp2p.room.member.dialling import Dialling
from anonp2p.room.member.head_check import HeadCheck
from anonp2p.room.member.joining import Joining
from anonp2p.room.member.states import Asking, Backfilling, CatchingUp, LinkState, Welcomed
from anonp2p.room.member.uplink import Uplink
from anonp2p.room.member.welcome_check import WelcomeCheck

_OTHER_VERSION = errors.OtherProtocol()


class Arrival:
    """Asks to be let in, and takes the answer: a refusal, a welcome with what was before it, or a resumption."""

    def __init__(
        self,
        context: Context,
        state: LinkState,
        uplink: Uplink,
        dialling: Dialling,
        heads: HeadCheck,
        joining: Joining,
    ) -> None:
        self._context = context
        self._replica = context.replica
        self._reporter = context.reporter
        self._lifecycle = context.lifecycle
        self._state = state
        self._uplink = uplink
        self._dialling = dialling
        self._heads = heads
        self._joining = joining
        self._welcome_check = WelcomeCheck(context, heads, joining)

    def answer_hello(self, payload: bytes) -> None:
        """Asks the host to let us in. Raises PeerFault for a hello that is none."""
        try:
            hello, hello_hash = handshake.read_hello(payload)
        except handshake.OtherVersion:
            self._lifecycle.fail(_OTHER_VERSION, "refused")
            return
        self._state.enter(Asking(hello_hash))
        link = self._context.random(suite.SECRET)
        request = self._joining.sign_request(link, hello_hash)
        ticket = self._joining.ticket or self._context.random(handshake.TICKET)
        client_handshake = handshake.seal_request(request, self._replica.ledger.room, hello, hello_hash, ticket)
        self._uplink.begin(client_handshake, Channel(link, hello_hash, up=True))

    def take_refusal(self, refused: frames.RefusedFrame) -> None:
        """The host does not let us in: we ask for something else on another link, or are out.

        Raises PeerFault for the refusal of somebody else.
        """
        credentials.check_refusal(refused, self._hello_hash, self._replica.ledger.room, self._host_key)
        reason = self._joining.take_refusal(refused.reason)
        if reason is not None:
            self._state.abandon()
            self._dialling.note_drop()
            self._uplink.drop(reason)

    @property
    def _hello_hash(self) -> bytes:
        """Of the hello that we have answered."""
        state = self._state.current
        assert isinstance(state, Asking), "in no other state is an answer expected"
        return state.hello_hash

    @property
    def _host_key(self) -> bytes | None:
        """Of the host that we know, if we have been in the room."""
        ledger = self._replica.ledger
        return ledger.get_member(ledger.host).key if ledger.host else None

    def take_resumed(self, resumed: frames.ResumedFrame) -> None:
        """We have our place again. Raises PeerFault, HostLied if the log of the host is not the one that we know."""
        expect(self._joining.can_resume, "unwanted-resumption")
        same_epoch = self._replica.ledger.epoch == self._replica.current_epoch.number
        expect(same_epoch, "resumption-in-old-epoch")
        ledger = self._replica.ledger
        credentials.check_resumption(resumed, self._hello_hash, ledger.room, ledger.get_member(ledger.host).key)
        now = self._heads.read_head(resumed.now, ledger)
        expect(now.place >= self._replica.ledger.index, "shorter-log")
        self._state.enter(CatchingUp(now.place))
        self._end_handshake()
        self._tell_up()

    def begin_welcome(self, welcomed: frames.WelcomeFrame) -> None:
        """The pages that follow show us the room."""
        own_key, room = self._replica.own_keys[0], self._replica.ledger.room
        self._state.enter(Welcomed(welcome.WelcomeReader(welcomed, own_key, room, self._hello_hash)))

    def take_page(self, page: frames.PageFrame) -> bool:
        """Returns whether we follow the log from here on. Raises PeerFault, HostLied for a room that cannot be."""
        state = self._state.current
        assert isinstance(state, Welcomed), "in no other is a page expected"
        room = state.reader.take_page(page)
        if room is None:
            return False
        backfill = self._welcome_check.read(room)
        self._state.enter(Backfilling(backfill))
        if backfill.continues:
            self._end_handshake()
        else:
            self._enter_room(backfill, room.since)
        return self.complete_backfill()

    def complete_backfill(self) -> bool:
        """Returns whether we follow the log, as we do once we have all that was before a welcome. Raises HostLied."""
        backfill = self._state.backfill
        if backfill is None:
            return True
        if not backfill.is_complete():
            return False
        head = backfill.head
        self._state.enter(CatchingUp(head.place))
        backfill.enter_epoch()
        if backfill.continues:
            self._tell_up()
        else:
            self._replica.marks.begin_at(head.time, head.digest)
            self._joining.end_history()
        return True

    def lose_link(self) -> None:
        """The link is gone, and the rest of the history comes on another one."""
        backfill = self._state.backfill
        self._state.lose_link()
        if backfill is not None and backfill.replayed is not None:
            self._joining.note_shown(backfill.replayed.index)

    def _enter_room(self, backfill: Backfill, since: int) -> None:
        """In: for the first time, as somebody new, or too far on in the log to be told all between."""
        goes_on = self._joining.begin_history(expected=backfill.replayed is not None)
        roster_before, self._replica.ledger = self._replica.ledger.roster, backfill.now
        self._end_handshake()
        self._tell_up()
        if goes_on:
            return
        self._lifecycle.enter("member")
        self._joining.tell_of_refused_nick()
        missed = self._joining.shown_up_to
        if missed is not None:
            count = max(0, since - missed)  # nothing proves them yet
            self._reporter.tell_event(events.EntriesMissedEvent(room=self._context.label, count=count, verified=False))
            self._context.outbox.forget_entries(self._context.own_member.counter)
            if since > missed:
                cautions = self._replica.compare_rosters(roster_before, backfill.reached.roster)
                self._reporter.tell_cautions(cautions)

    def _end_handshake(self) -> None:
        """We have been let in on this link."""
        self._dialling.note_let_in()
        self._uplink.end_handshake()
        self._joining.ticket = self._uplink.channel.ticket

    def _tell_up(self) -> None:
        self._uplink.tell_state("up", self._dialling.attempt, NO_REASON)
