"""Our part in a room whose host is somebody else: being let in, following the log, holding the host to its word."""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from msgspec import UNSET

from anonp2p import errors, limits
from anonp2p.crypto import commit, identity, suite
from anonp2p.crypto.epoch import KEPT, Epoch, Header, header_of
from anonp2p.errors import PeerFault
from anonp2p.names import codes, nicks
from anonp2p.protocol import frames, handshake, welcome
from anonp2p.protocol.handshake import Channel
from anonp2p.room import changes, cover, effects, events, inputs, roster
from anonp2p.room.context import Context, fresh_keys
from anonp2p.room.entries import OpenedEntry
from anonp2p.room.ledger import Ledger, expect
from anonp2p.room.member.dialling import Dialling
from anonp2p.room.outbox import GivenBack
from anonp2p.room.pending import Whisper
from anonp2p.room.replica import check_entry
from anonp2p.room.retention import NO_HISTORY

# How far we are with our host. "missing": what was before the welcome is on its way, opened.
Contact = Literal["none", "asking", "missing", "catching up", "up"]

# What a host's words mean to the one it refuses.
_REFUSALS: dict[frames.Refusal, errors.AnonError] = {
    "bad-nick": errors.ReservedNick(),  # we ask for none that is improper
    "nick-taken": errors.NickTaken(),
    "not-allowed": errors.NotAllowed(),
    "signature": errors.Refused("our signature did not convince it"),
    "leaf": errors.Refused("it could not use our key"),
    "full": errors.Refused("it is full"),
    "locked": errors.Locked(),
    "unknown": errors.Refused("it does not know us any more"),
    "kicked": errors.Refused("its host has thrown us out"),
}
_OTHER_VERSION = errors.Refused("it speaks another version of the protocol, so one of you needs a newer program")


class _RefusedNick(NamedTuple):
    """A nick that we asked for and that is somebody else's. away: whether that somebody is away."""

    nick: str
    away: bool


class Head(NamedTuple):
    """A host's word on the log, as it was signed; place: index of the latest entry."""

    place: int
    digest: bytes
    time: int
    text: bytes

    @classmethod
    def read(cls, text: bytes) -> "Head":
        """From its 112 bytes."""
        return cls(int.from_bytes(text[:8], "big"), text[8:40], int.from_bytes(text[40:48], "big"), text)


class MemberRole:
    """We follow a host. nick: the one to ask for, empty for one made from our key."""

    def __init__(self, context: Context, nick: str) -> None:
        self._context = context
        self._clock = context.clock
        self._replica = context.replica
        self._outbox = context.outbox
        self._reporter = context.reporter
        self._lifecycle = context.lifecycle
        self._wanted = nick
        self._leave_by: float | None = None  # when we are out, though the host has not confirmed it
        self._contact: Contact = "none"
        self._arrived: tuple[Epoch, Head, Ledger] | None = None  # where we are once we have all that was before
        self._replayed: Ledger | None = None  # the room as the history goes, where we are only shown it
        self._former: Ledger | None = None  # the room as we had it before, when we are shown its history
        self._being_shown = False  # whether there is more of it to come, on this link or another
        self._missed: int | None = None  # index of the last entry we had, while we come back as somebody new
        self._lost = 0  # messages that expired before they came to us
        self._target = 0  # index up to which we have to catch up before we send anything
        self._turning = False  # between a commit and our slice of it
        self._last_head = Head(-1, b"", 0, b"")
        self._claim = (0, 0)  # where the log stood, as the host said, at which time of the room
        self._told_time = (-1, 0.0)  # the latest of the room's times that we were told, and the age of our clock then
        self._dialling = Dialling(codes.encode(context.replica.ledger.room), context.random)
        self._hello = b""  # hash of the one on this link
        self._channel: Channel | None = None
        self._arrival: welcome.Arrival | None = None
        self._beat_at: float | None = None  # when the host has to hear from us again
        self._cover_at: float | None = None  # when we say something to hide that nothing is said
        self._alternatives: list[str] = []  # nicks to ask for if the one that we ask for now is refused too
        self._refused_nick: _RefusedNick | None = None  # the one that we wanted first of all
        self._idle_commit = False  # whether the latest commit removed nobody
        self._frame_handlers: dict[type[Any], Callable[[Any], None]] = {
            frames.Refused: self._refused,
            frames.Welcome: self._welcomed,
            frames.Page: self._page,
            frames.Resumed: self._resumed,
            frames.Past: self._past,
            frames.Slice: self._slice,
            frames.Denied: self._denied,
            frames.Found: self._found_leaf,
            frames.Missing: self._no_leaf,
        }

    # --- what the room asks of its role

    @property
    def name(self) -> Literal["member"]:
        """Which role this is."""
        return "member"

    @property
    def settled(self) -> bool:
        """Whether we have been let in."""
        return self._lifecycle.entered

    def handle_input(self, event: inputs.RoleInput) -> None:
        """Takes what comes from the link or the clock."""
        match event:
            case inputs.Start():
                self._dialling.begin(self._clock.tick)
            case inputs.DialFailed(detail=detail):
                if not self._dialling.take_failure(event, self._clock.tick):
                    self._lifecycle.fail(errors.Unreachable(detail), "lost")
            case inputs.Heard(payload=payload):
                self._hear(payload)
            case inputs.Dropped():
                self._lose_uplink(event)
            case inputs.Tick():
                self._tick()
            case _:
                pass  # what only a host does
        self._dial()

    def next_deadline(self) -> float | None:
        """When (`Now.tick`) a Tick is due."""
        dues = (self._leave_by, self._beat_at, self._cover_at, self._wait_ends_at, self._dialling.next_deadline)
        return min((due for due in dues if due is not None), default=None)

    def author_entry(self, body: frames.Body | Whisper, line: str | None, re: events.Re) -> None:
        """Hands an entry of ours to the host, now or when it can be."""
        self._context.add_entry(body, line, re)
        self._reporter.tell_given_back(self._outbox.refuse_excess())
        self._send_pending()

    def moderate(self, event: inputs.Kick | inputs.Lock) -> None:
        """Refuses it."""
        self._reporter.tell_error(errors.HostOnly(), event.re)

    def leave(self, event: inputs.Leave) -> None:
        """Asks the host to confirm that we are out, and leaves without that if it takes too long."""
        if event.close:
            error = errors.CloseNotAllowed()
            self._reporter.tell_error(error, event.re)
            return
        self._lifecycle.begin_leaving(event.re)
        self._leave_by = self._clock.tick + limits.LEAVE
        self.author_entry(frames.Leave(), None, event.re)

    def can_seal_to(self, _: roster.Member) -> bool:
        """Whoever's key we lack, we ask for it."""
        return True

    def refuses_nick(self, _: str) -> bool:
        """The host decides."""
        return False

    def room_time(self) -> int:
        """Milliseconds since the room's creation, by what the host told."""
        time, age = self._told_time
        return time + int((self._clock.now.age - age) * 1000)

    def close(self) -> None:
        """Nothing is left to do."""

    def _tick(self) -> None:
        if self._leave_by is not None and self._clock.tick >= self._leave_by:
            self._lifecycle.leave_room("left")  # the host did not confirm it in time
        else:
            self._end_wait()
            self._beat()

    # --- what comes from the host

    def _hear(self, payload: bytes) -> None:
        """What came from the host. If it broke a rule, it is none to stay with."""
        try:
            if self._contact == "none":
                self._greeted(payload)
                return
            if self._contact in ("catching up", "up") and not self._turning:
                packed = self._replica.current_epoch.open_burst(payload)
                if packed is not None:
                    self._burst_came(frames.unpack(frames.Burst, packed))
                    return
            assert self._channel is not None, "there is one from the hello on"
            record = self._channel.open(payload)
            if record.echo:
                self._uplink()
            for frame in record.frames:
                if not self._lifecycle.over:
                    self._frame_handlers[type(frame)](frame)
        except PeerFault as fault:
            self._distrust(str(fault))

    # --- what goes to the host

    def _send_pending(self) -> None:
        if self._contact != "up" or self._turning:
            return
        for ready in self._outbox.send_ready(self._replica.sealer(), self._clock.tick):
            if isinstance(ready, GivenBack):
                self._reporter.tell_given_back([ready])
            else:
                self._uplink(ready)

    @property
    def _wait_ends_at(self) -> float | None:
        """When (`Now.tick`) something is given back because a key has not come."""
        return self._outbox.wait_ends_at if self._contact == "up" and not self._turning else None

    def _end_wait(self) -> None:
        if self._wait_ends_at is not None and self._clock.tick >= self._wait_ends_at:
            self._send_pending()

    # --- encryption keys of others

    def _seek_leaves(self) -> None:
        """In small rooms we know them all, so that the host does not learn from our asking to whom we write."""
        if self._contact == "up" and len(self._replica.ledger.roster) <= limits.RENEWING:
            for member in self._replica.ledger.roster:
                if member.id != self._replica.me.id and member.leaf not in self._replica.keys:
                    for request in self._outbox.request_key(member.leaf):
                        self._uplink(request)

    def _found_leaf(self, found: frames.Found) -> None:
        key_hash = suite.digest(found.leaf)
        self._outbox.end_request(key_hash)
        self._replica.keys[key_hash] = found.leaf
        self._send_pending()

    def _no_leaf(self, missing: frames.Missing) -> None:
        self._outbox.end_request(missing.leaf)
        self._reporter.tell_given_back(self._outbox.refuse_unsealable(missing.leaf, self._replica.sealer()))
        self._send_pending()

    # --- what the host orders

    def _burst_came(self, burst: frames.Burst) -> None:
        """What the host signs for, opened before anything of it takes effect."""
        head = self._check_head(burst.head, self._replica.ledger)
        expect(bool(burst.entries) or head.place >= self._claim[0], "a head for one who lacks what is before it")
        placed = []
        for sealed in burst.entries:
            placed.append(OpenedEntry(*self._open_entry(sealed)))
            self._admit_joined(placed[-1])
        self._take_in(placed, head)
        if not self._lifecycle.over:
            self._reach()

    def _reach(self) -> None:
        if self._contact == "catching up":
            self._catch_up()
        else:
            self._tell_of_lost()
            self._send_pending()

    def _open_entry(self, sealed: bytes) -> tuple[Header, bytes]:
        """An entry of another's, with the key for it; of our own we know what it says."""
        header = header_of(sealed)
        if header.author != self._replica.me.id:
            return self._replica.current_epoch.open_entry(sealed)
        return header, self._outbox.own_body(header, sealed)

    def _step(self, entry: OpenedEntry, age: float) -> None:
        """The log is one entry longer."""
        expect(not self._turning, "an entry of an epoch that is over")
        author = check_entry(self._replica.ledger, entry)
        if author.id == self._replica.me.id:
            self._reporter.tell_given_back(self._outbox.refuse_denied_before(entry.header.counter))
            self._outbox.expect_next(entry.header, entry.digest)
        if entry.content is not None and self._replica.ledger.is_foreign(entry.content):
            self._doubt(entry.header, entry.body)
        change = self._replica.apply(author, entry, age)
        self._lost += not self._context.take_change(entry, change, age)
        if isinstance(change, changes.Committed) and self._arrived is None:
            self._turning, self._idle_commit = True, not change.removed
        elif isinstance(change, changes.Joined | changes.Renewed):
            self._seek_leaves()

    def _denied(self, denied: frames.Denied) -> None:
        self._reporter.tell_given_back([self._outbox.deny_entry(denied.counter, denied.reason)])

    # --- a new epoch

    def _slice(self, sliced: frames.Slice) -> None:
        """Our share of a commit: with it we are in the next epoch, in which what has no place yet goes out again."""
        expect(self._turning, "a slice of no commit")
        standing, members = self._replica.ledger.standing(), [member.id for member in self._replica.ledger.roster]
        secret, tag = self._open_slice(sliced.box, standing)
        self._replica.epoch, mine = self._replica.current_epoch.next(secret, standing, members)
        commit.confirm(mine, tag)
        self._turning = False
        self._outbox.begin_epoch()
        self._replica.forget_keys()
        if self._idle_commit and len(members) <= limits.RENEWING:
            self._renew_leaf()
        self._send_pending()

    def _open_slice(self, box: bytes, standing: bytes) -> tuple[bytes, bytes]:
        """With the leaf that the host knew when it sealed it; of those before, only the one in the log is kept then."""
        epoch = self._replica.current_epoch.number + 1
        for at, leaf in enumerate(self._replica.own_keys):
            try:
                opened = commit.open_slice(box, leaf, self._replica.ledger.room, self._replica.me.id, epoch, standing)
            except PeerFault:
                continue
            older = [
                leaf
                for leaf in self._replica.own_keys[at + 1 :]
                if suite.digest(leaf.public) == self._context.own_member.leaf
            ]
            self._replica.own_keys[at + 1 :] = older  # of those before, others seal to the one that is in the log
            return opened
        raise PeerFault("a slice that does not open")

    def _renew_leaf(self) -> None:
        self._replica.own_keys.insert(0, suite.LeafKey(self._context.random(suite.SECRET)))
        self._uplink(frames.Leaf(self._replica.own_keys[0].public))
        self._context.add_entry(frames.Renew(suite.digest(self._replica.own_keys[0].public)), None, UNSET)

    # --- a host that lies

    def _doubt(self, header: Header, body: bytes) -> None:
        """Somebody was shown another log than we, and yet our host has ordered what it wrote there."""
        author = (self._replayed or self._replica.ledger).member(header.author)
        if len(self._replica.evidence) == limits.EVIDENCE:
            return  # the room is marked, and the user has been told often enough
        self._replica.evidence.append((header.pack(), body if header.ttl == KEPT else b"", author.key))
        reason = f"{author.nick} was shown other messages than you: the host tells different members different things."
        self._alarm(reason)

    def _alarm(self, reason: str) -> None:
        self._reporter.tell(
            events.Alarm(room=self._context.label, member=identity.spell(self._replica.ledger.host), reason=reason)
        )

    def _distrust(self, reason: str) -> None:
        """The host broke a rule that its program keeps, so it is none to stay with."""
        self._alarm(f"The host sent {reason}.")
        if self._lifecycle.entered:
            self._lifecycle.leave_room("lost")
        else:
            self._lifecycle.fail(errors.Refused("its host does not keep to the protocol"), "lost")

    # --- the link

    def _dial(self) -> None:
        """Begins a try to reach the host, if one is due."""
        if not self._lifecycle.over and (dial := self._dialling.take_due(self._clock.tick)):
            self._link("connecting", self._dialling.detail)
            self._reporter.add_effect(dial)

    def _link(self, state: Literal["connecting", "up", "lost"], detail: str) -> None:
        attempt, re = self._dialling.attempt, self._lifecycle.re
        self._reporter.tell(events.Link(room=self._context.label, state=state, attempt=attempt, detail=detail, re=re))

    def _lose_uplink(self, event: inputs.Dropped) -> None:
        """Our link is gone. Another one is being dialled, unless we are leaving anyway."""
        was, self._contact = self._contact, "none"
        if self._replayed is not None:
            self._missed = max(self._missed or 0, self._replayed.index)  # so far we have been shown the history
        self._channel = self._arrival = self._arrived = self._replayed = self._former = None
        self._beat_at = self._cover_at = None
        self._outbox.lose_link()
        if self._lifecycle.phase == "leaving":
            self._lifecycle.leave_room("left")
        elif self._lifecycle.phase == "in" and was not in ("none", "asking"):
            self._link("lost", event.detail)
        if not (self._lifecycle.over or self._dialling.take_loss(event.detail, self._clock.tick)):
            self._lifecycle.fail(errors.Unreachable(event.detail), "lost")

    def _drop_uplink(self, reason: str) -> None:
        """Ends the link, to ask for something else on another."""
        self._dialling.note_drop()
        self._reporter.add_effect(effects.Drop(inputs.UPLINK, reason))

    def _uplink(self, *said: frames.Frame, echo: bool = False) -> None:
        self._reporter.add_effect(effects.Record(inputs.UPLINK, said, echo))
        self._put_off_beat()

    def _put_off_beat(self) -> None:
        """The host has heard from us; not at the same time for all members it has to hear again."""
        self._beat_at = self._clock.tick + limits.BEAT * (1 - limits.BEAT_JITTER * self._context.random(1)[0] / 255)

    def _go_up(self) -> None:
        """The handshake is over."""
        assert self._channel is not None, "there is one from the hello on"
        self._dialling.note_let_in()
        self._reporter.add_effect(effects.Admit(inputs.UPLINK, self._channel))
        self._put_off_beat()
        if self._context.cover:
            self._put_off_cover()

    def _beat(self) -> None:
        if self._beat_at is not None and self._clock.tick >= self._beat_at:
            self._uplink()
        if self._cover_at is not None and self._clock.tick >= self._cover_at:
            self._uplink(echo=True)
            self._put_off_cover()

    def _put_off_cover(self) -> None:
        self._cover_at = self._clock.tick + cover.draw_wait(self._context.random)

    # --- getting in, coming back

    def _greeted(self, payload: bytes) -> None:
        try:
            hello, self._hello = handshake.read_hello(payload)
        except handshake.OtherVersion:
            self._lifecycle.fail(_OTHER_VERSION, "refused")
            return
        self._contact = "asking"
        link = self._context.random(suite.SECRET)
        request = self._resume(link) if self._lifecycle.entered and not self._being_shown else self._join(link)
        knock = handshake.knock(request, self._replica.ledger.room, hello, self._hello)
        self._reporter.add_effect(effects.Send(inputs.UPLINK, knock))
        self._channel = Channel(link, self._hello, up=True)

    def _join(self, link: bytes) -> frames.Join:
        unsigned = frames.Join(
            link, self._replica.me.key, self._replica.own_keys[0].public, self._wanted, bytes(identity.SIGNATURE)
        )
        content = handshake.join_content(self._hello, unsigned)
        return frames.Join(
            link, self._replica.me.key, unsigned.leaf, self._wanted, self._replica.me.sign(identity.JOIN, content)
        )

    def _resume(self, link: bytes) -> frames.Resume:
        member, leaf, epoch = self._replica.me.id, self._replica.own_keys[0].public, self._replica.current_epoch.number
        index, digest = self._replica.ledger.index, self._replica.ledger.digest
        unsigned = frames.Resume(link, member, leaf, epoch, index, digest, bytes(identity.SIGNATURE))
        signature = self._replica.me.sign(identity.RESUME, handshake.resume_content(self._hello, unsigned))
        return frames.Resume(link, member, leaf, epoch, index, digest, signature)

    def _refused(self, refused: frames.Refused) -> None:
        expect(self._contact == "asking", "a refusal for one who was in")
        if refused.reason == "unknown" and self._lifecycle.entered:
            self._come_as_stranger()
            self._drop_uplink("our place there was given up")
        elif refused.reason in ("nick-taken", "not-allowed") and not self._lifecycle.entered:
            self._refused_a_nick(refused.reason)
        else:
            self._lifecycle.fail(_REFUSALS[refused.reason], "kicked" if refused.reason == "kicked" else "refused")

    def _refused_a_nick(self, reason: frames.Refusal) -> None:
        """Asks for a similar nick, or fails if the user should choose one.

        `not-allowed` to a newcomer, whose key is fresh, means that whoever has the nick is away. If they are present, a
        newcomer fails. One whose place was given up asks in either case, since its user may not be there to choose, and
        in the end takes any nick.
        """
        returns = self._missed is not None
        if self._refused_nick is None and self._wanted and (returns or reason == "not-allowed"):
            self._refused_nick = _RefusedNick(self._wanted, away=reason == "not-allowed")
            self._alternatives = nicks.alternatives(self._wanted) + ([""] if returns else [])
        if self._alternatives:
            self._wanted = self._alternatives.pop(0)
            self._drop_uplink("another member has our nick")
        else:
            self._lifecycle.fail(_REFUSALS["nick-taken" if self._refused_nick else reason], "refused")

    def _come_as_stranger(self) -> None:
        """We were away for too long, so that our place is gone: back in as somebody new, under the same nick."""
        self._wanted = self._context.own_member.nick
        self._refused_nick, self._alternatives = None, []
        self._missed = self._replica.ledger.index
        self._reporter.tell_given_back(self._outbox.give_back_all())
        self._outbox.begin_identity()
        self._replica.begin_identity(*fresh_keys(self._context.random, self._replica.ledger.room))
        self._replica.epoch = None
        self._turning = False
        self._lifecycle.lose_place()

    def _welcomed(self, welcomed: frames.Welcome) -> None:
        expect(self._contact == "asking" and self._arrival is None, "a second welcome")
        self._arrival = welcome.Arrival(welcomed, self._replica.own_keys[0], self._replica.ledger.room, self._hello)

    def _page(self, page: frames.Page) -> None:
        if self._arrival is None:
            raise PeerFault("a page of no welcome")
        state = self._arrival.take(page)
        if state is not None:
            self._arrival = None
            self._arrive(state)

    def _arrive(self, state: frames.State) -> None:
        """We know the room as it is now; perhaps not yet how it came to be so."""
        expect(nicks.is_room_name(state.name), "a room name that is none")
        ledger = Ledger(self._replica.ledger.room)
        for seat in state.seats:
            ledger.seat(seat.key, seat.nick, seat.leaf, seat.counter, away=seat.away)
        rules = self._replica.ledger.name, self._replica.ledger.retention, self._replica.ledger.history
        same = rules == (state.name, state.retention, state.history)
        expect(not self._replica.ledger.host or same, "a room of another name, or with other rules, than before")
        expect(_are_rules(state.retention), "rules that are none")
        me = ledger.roster.get(self._replica.me.id)
        asked = self._lifecycle.entered or (me is not None and me.nick in self._nicks_for_me())
        expect(me is not None and asked, "a roster without us, or with another nick for us")
        expect(me is not None and me.leaf in self._leaves_for_me(), "a roster with a leaf for us that is not ours")
        expect(state.host != self._replica.me.id, "us as its host")
        expect(self._replica.ledger.host in (b"", state.host), "another host than before")
        _rule(ledger, state)
        ledger.locked, ledger.epoch = state.locked, state.epoch
        head = self._check_head(state.head, ledger)
        expect(head.place >= self._replica.ledger.index, "a log that has become shorter")
        expect(state.epoch >= self._replica.ledger.epoch, "an epoch that is over")
        ledger.start_at(head.place, head.digest)
        epoch = welcome.epoch_of(state)
        self._expect_no_step_back(ledger, epoch)
        self._hear_claim(head.place, head.time)
        self._arrived = epoch, head, ledger
        self._contact = "missing"
        self._turning = False
        if state.base is None and self._lifecycle.entered and state.since == self._replica.ledger.index:
            self._go_up()
        else:
            expect(state.base is not None or state.since == head.place, "a history without a beginning")
            self._former = self._replica.ledger
            if state.base is not None:
                expect(state.history != NO_HISTORY, "a history where there is none")
                self._expect_same_log(state.since, state.base.digest)
                self._replayed = _as_of(state, state.base, ledger)
            else:
                self._replayed = None
            self._settle(ledger, state.since)
        self._close_gap()

    def _expect_no_step_back(self, ledger: Ledger, epoch: Epoch) -> None:
        """What was shown once could be ordered again, if authors had their counters and chains of before."""
        for member in ledger.roster:
            known = self._replica.ledger.roster.get(member.id)
            expect(known is None or member.counter >= known.counter, "a member with a counter of before")
            if (
                self._replica.epoch is not None
                and self._replica.epoch.number == epoch.number
                and member.id != self._replica.me.id
            ):
                chain = self._replica.epoch.chains.get(member.id)
                again = chain is not None and epoch.chains[member.id].generation < chain.generation
                expect(not again, "a member with keys of before")

    def _settle(self, ledger: Ledger, since: int) -> None:
        """In: for the first time, as somebody new, or too far on in the log to be told all between."""
        again, self._being_shown = self._being_shown, self._replayed is not None
        missed = self._replica.ledger.index if self._lifecycle.entered and not again else self._missed
        before, self._replica.ledger, self._missed = self._replica.ledger.roster, ledger, missed
        self._last_head = Head(-1, b"", 0, b"")
        self._go_up()
        self._link("up", "")
        if again:
            return
        self._lifecycle.enter("member")
        self._tell_of_refused_nick()
        if missed is not None:
            count = max(0, since - missed)  # nothing proves them yet
            self._reporter.tell(events.EntriesMissed(room=self._context.label, count=count, verified=False))
            self._outbox.forget_entries(self._context.own_member.counter)
            if since > missed:
                cautions = self._replica.compare_rosters(before, (self._replayed or ledger).roster)
                self._reporter.tell_cautions(cautions)

    def _tell_of_refused_nick(self) -> None:
        if self._refused_nick is not None:
            (wanted, away), nick = self._refused_nick, self._context.own_member.nick
            self._refused_nick = None
            free_in = round(limits.PLACE) if away else None
            room, re = self._context.label, self._lifecycle.asked_by
            self._reporter.tell(events.NickAssigned(room=room, nick=nick, wanted=wanted, free_in=free_in, re=re))

    def _take_keys(self, epoch: Epoch, head: Head) -> None:
        if self._replica.epoch is not None and self._replica.epoch.number == epoch.number:
            epoch.chains[self._replica.me.id] = self._replica.epoch.chains[
                self._replica.me.id
            ]  # of which more is used up than the host knows
        self._replica.epoch = epoch
        self._turning = False
        self._last_head = head
        self._outbox.begin_epoch()

    def _leaves_for_me(self) -> set[bytes]:
        """Hashes of leaves that the log may have for us: those that we have shown, or the one that it had."""
        had = self._replica.ledger.roster.get(self._replica.me.id)
        return {suite.digest(leaf.public) for leaf in self._replica.own_keys} | ({had.leaf} if had else set())

    def _nicks_for_me(self) -> tuple[str, ...]:
        """What a host may call us when it lets us in."""
        return (self._wanted,) if self._wanted else self._replica.ledger.roster.nicks_of(self._replica.me.key)

    def _resumed(self, resumed: frames.Resumed) -> None:
        expect(
            self._contact == "asking" and self._lifecycle.entered and self._arrival is None,
            "a resumption not asked for",
        )
        expect(not self._turning, "a resumption in an epoch that is over")
        expect(resumed.index >= self._replica.ledger.index, "a log that has become shorter")
        self._target = resumed.index
        self._hear_claim(resumed.index, resumed.time)
        self._go_up()
        self._link("up", "")
        self._catch_up()

    def _catch_up(self) -> None:
        """Once we know everything that has its place, what of ours has none goes out again."""
        self._contact = "up" if self._replica.ledger.index >= self._target else "catching up"
        if self._contact == "up":
            self._tell_of_lost()
            self._seek_leaves()
        self._send_pending()

    def _past(self, past: frames.Past) -> None:
        """A burst that we have missed, as it was opened by others, or from which something is gone."""
        missing = self._arrived is not None
        expect(bool(past.entries), "a past without entries")
        expect(missing or (self._contact in ("catching up", "up") and not self._turning), "a past out of its place")
        head = self._check_head(past.head, self._replayed or self._replica.ledger)
        if self._arrived is not None:
            expect(head.time <= self._arrived[1].time, "a past later than the welcome")
        placed = list(map(OpenedEntry.from_past, past.entries))
        self._hear_claim(past.index, past.time)
        for entry in placed:
            gone = not entry.body
            expect(not gone or past.time - head.time >= entry.header.ttl * 1000, "what has not expired as expired")
            if not missing and entry.header.author != self._replica.me.id:
                self._replica.current_epoch.skip(entry.header)
            if not missing and not gone:
                self._admit_joined(entry)
        self._take_in(placed, head)
        if missing and not self._lifecycle.over:
            self._close_gap()
        elif not (missing or self._lifecycle.over):
            self._reach()

    def _admit_joined(self, entry: OpenedEntry) -> None:
        """One who has joined in this epoch has a chain of keys from there on."""
        if entry.content is not None and isinstance(entry.content.body, frames.Joined):
            self._replica.current_epoch.admit(identity.member_id(entry.content.body.key))

    def _take_in(self, placed: list[OpenedEntry], head: Head) -> None:
        """Entries that a head covers take effect, once it is known that they lead to it."""
        ledger = self._replayed or self._replica.ledger
        digest = ledger.digest
        for index, entry in enumerate(placed, ledger.index + 1):
            digest = identity.chain(digest, index, entry.header.pack(), entry.digest)
            self._expect_same_log(index, digest)
        expect((head.place, head.digest) == (ledger.index + len(placed), digest), "a head for another log")
        age = (self._told_time[0] - head.time) / 1000
        for entry in placed:
            if self._replayed is None:
                self._step(entry, age)
            else:
                self._replay(self._replayed, entry, age)
            if self._lifecycle.over:
                return
        self._last_head = head
        if self._replayed is None:
            self._replica.marks.see(head.time, head.digest)

    def _replay(self, ledger: Ledger, entry: OpenedEntry, age: float) -> None:
        """An entry of the history: nothing but shown, unless we had it when we were here before."""
        author = check_entry(ledger, entry)
        if entry.content is not None and ledger.is_foreign(entry.content):
            self._doubt(entry.header, entry.body)
        change = self._replica.apply(author, entry, age, past=ledger)
        if self._missed is None or ledger.index > self._missed:
            self._reporter.tell_past_change(change)

    def _close_gap(self) -> None:
        """Once we have all that was before, we go on in the epoch that the welcome let us into."""
        if self._arrived is None:
            return
        epoch, head, ledger = self._arrived
        reached = self._replayed or self._replica.ledger
        if reached.index < head.place:
            return
        if reached.digest != head.digest:
            if self._last_head.place == head.place:
                self._replica.evidence.append((self._last_head.text, head.text))
            raise PeerFault("a past that leads to another log")
        expect(reached.standing() == ledger.standing(), "a past that leads to another room")
        expect(reached.epoch == epoch.number, "a welcome to another epoch than the log's")
        was_in = self._replica.ledger is not ledger
        self._arrived = self._replayed = self._former = None
        self._take_keys(epoch, head)
        if was_in:
            self._link("up", "")
        else:
            self._replica.marks.begin(head.time, head.digest)
            self._missed, self._being_shown = None, False
        self._target = head.place
        self._catch_up()

    def _expect_same_log(self, index: int, digest: bytes) -> None:
        """What we are shown again is what it was."""
        known = None if self._former is None else self._former.digest_at(index)
        expect(known in (None, digest), "another log than before")

    def _tell_of_lost(self) -> None:
        if self._lost:
            self._reporter.tell(events.ExpiredUnseen(room=self._context.label, count=self._lost))
            self._lost = 0

    # --- what the host says of its log

    def _check_head(self, text: bytes, ledger: Ledger) -> Head:
        head = Head.read(text)
        key = ledger.member(ledger.host).key
        claimed, by = self._claim
        expect(identity.signed(identity.HEAD, ledger.room, text[:48], text[48:], key), "a forged head")
        expect(head.place < frames.COUNTS, "a log longer than any")
        last = self._last_head
        if head.place == last.place and head.digest != last.digest:
            self._replica.evidence.append((last.text, head.text))
            raise PeerFault("two logs, and signed for both")
        expect(head.time >= last.time, "a head that is older than the last")
        expect(head.place <= claimed or head.time >= by, "a head that is older than the host said")
        self._hear_time(head.time)
        return head

    def _hear_claim(self, index: int, time: int) -> None:
        """The host says that the log stands here now: no later head may be of an earlier time."""
        if time > self._claim[1]:
            self._claim = index, time
        self._hear_time(time)

    def _hear_time(self, time: int) -> None:
        if time > self._told_time[0]:
            self._told_time = time, self._clock.now.age


def _are_rules(retention: frames.Retention) -> bool:
    return retention.least <= retention.default <= retention.most


def _rule(ledger: Ledger, state: frames.State) -> None:
    """What never changes in a room."""
    ledger.name, ledger.host = state.name, state.host
    ledger.retention, ledger.history = state.retention, state.history


def _as_of(state: frames.State, base: frames.Base, now: Ledger) -> Ledger:
    """The room as of the beginning of its history. Raises PeerFault."""
    ledger = Ledger(now.room)
    for it in base.members:
        ledger.seat(it.key, it.nick, it.leaf, it.counter, away=it.away)
    expect(ledger.roster.get(state.host) is not None, "a history without the host")
    _rule(ledger, state)
    ledger.locked, ledger.epoch = base.locked, base.epoch
    expect(state.since <= now.index, "a history that begins after its end")
    ledger.start_at(state.since, base.digest)
    return ledger
