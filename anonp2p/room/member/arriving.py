"""The member's way to its host: dialling, being let in, coming back, beats."""

from typing import Literal, NamedTuple

from msgspec import UNSET

from anonp2p import errors, limits
from anonp2p.crypto import identity, suite
from anonp2p.crypto.epoch import Epoch
from anonp2p.errors import PeerFault
from anonp2p.names import nicks
from anonp2p.protocol import frames, handshake, welcome
from anonp2p.protocol.handshake import Channel
from anonp2p.room import effects, events, inputs
from anonp2p.room.ledger import Ledger, expect
from anonp2p.room.member.backfill import Head, Past
from anonp2p.room.retention import NO_HISTORY

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


class Arriving(Past):
    """A room into which somebody else may let us."""

    def _prepare_arriving(self) -> None:
        self._prepare_past()
        self._attempt = 0
        self._hello = b""  # hash of the one on this link
        self._channel: Channel | None = None
        self._arrival: welcome.Arrival | None = None
        self._beat_at: float | None = None  # when the host has to hear from us again
        self._cover_at: float | None = None  # when we say something to hide that nothing is said
        self._alternatives: list[str] = []  # nicks to ask for if the one that we ask for now is refused too
        self._refused_nick: _RefusedNick | None = None  # the one that we wanted first of all

    def _send_pending(self) -> None:
        """Sends what of ours has no place yet, if it is time."""
        raise NotImplementedError

    def _seek_leaves(self) -> None:
        """Asks for the leaves of others that we do not know, if it is time."""
        raise NotImplementedError

    # --- the link

    def _dialling(self, event: inputs.Dialling) -> None:
        self._attempt = event.attempt
        self._link("connecting", event.detail)

    def _link(self, state: Literal["connecting", "up", "lost"], detail: str) -> None:
        re = UNSET if self.entered else self._re
        self._tell(events.Link(room=self.label, state=state, attempt=self._attempt, detail=detail, re=re))

    def _lose_uplink(self, event: inputs.Dropped) -> None:
        """Our link is gone. Another one is being dialled, unless we are leaving anyway."""
        was, self._contact = self._contact, "none"
        if self._replayed is not None:
            self._missed = max(self._missed or 0, self._replayed.index)  # so far we have been shown the history
        self._channel = self._arrival = self._arrived = self._replayed = self._former = None
        self._beat_at = self._cover_at = None
        self._outbox.lose_link()
        if self._phase == "leaving":
            self._out("left")
        elif self._phase == "in" and was not in ("none", "asking"):
            self._link("lost", event.detail)

    def _uplink(self, *said: frames.Frame, echo: bool = False) -> None:
        self._effects.append(effects.Record(inputs.UPLINK, said, echo))
        self._put_off_beat()

    def _put_off_beat(self) -> None:
        """The host has heard from us; not at the same time for all members it has to hear again."""
        self._beat_at = self._now.tick + limits.BEAT * (1 - limits.BEAT_JITTER * self._random(1)[0] / 255)

    def _go_up(self) -> None:
        """The handshake is over."""
        assert self._channel is not None, "there is one from the hello on"
        self._effects.append(effects.Admit(inputs.UPLINK, self._channel))
        self._put_off_beat()
        if self._cover:
            self._put_off_cover()

    def _beat(self) -> None:
        if self._beat_at is not None and self._now.tick >= self._beat_at:
            self._uplink()
        if self._cover_at is not None and self._now.tick >= self._cover_at:
            self._uplink(echo=True)
            self._put_off_cover()

    def _put_off_cover(self) -> None:
        self._cover_at = self._now.tick + self._wait_for_cover()

    # --- getting in, coming back

    def _greeted(self, payload: bytes) -> None:
        try:
            hello, self._hello = handshake.read_hello(payload)
        except handshake.OtherVersion:
            self._fail(_OTHER_VERSION, "refused")
            return
        self._contact = "asking"
        link = self._random(suite.SECRET)
        request = self._resume(link) if self.entered and not self._being_shown else self._join(link)
        knock = handshake.knock(request, self._ledger.room, hello, self._hello)
        self._effects.append(effects.Send(inputs.UPLINK, knock))
        self._channel = Channel(link, self._hello, up=True)

    def _join(self, link: bytes) -> frames.Join:
        unsigned = frames.Join(link, self._me.key, self._leaves[0].public, self._wanted, bytes(identity.SIGNATURE))
        content = handshake.join_content(self._hello, unsigned)
        return frames.Join(link, self._me.key, unsigned.leaf, self._wanted, self._me.sign(identity.JOIN, content))

    def _resume(self, link: bytes) -> frames.Resume:
        member, leaf, epoch = self._me.id, self._leaves[0].public, self._keys.number
        index, digest = self._ledger.index, self._ledger.digest
        unsigned = frames.Resume(link, member, leaf, epoch, index, digest, bytes(identity.SIGNATURE))
        signature = self._me.sign(identity.RESUME, handshake.resume_content(self._hello, unsigned))
        return frames.Resume(link, member, leaf, epoch, index, digest, signature)

    def _refused(self, refused: frames.Refused) -> None:
        expect(self._contact == "asking", "a refusal for one who was in")
        if refused.reason == "unknown" and self.entered:
            self._come_as_stranger()
            self._effects.append(effects.Drop(inputs.UPLINK, "our place there was given up"))
        elif refused.reason in ("nick-taken", "not-allowed") and not self.entered:
            self._refused_a_nick(refused.reason)
        else:
            self._fail(_REFUSALS[refused.reason], "kicked" if refused.reason == "kicked" else "refused")

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
            self._effects.append(effects.Drop(inputs.UPLINK, "another member has our nick"))
        else:
            self._fail(_REFUSALS["nick-taken" if self._refused_nick else reason], "refused")

    def _come_as_stranger(self) -> None:
        """We were away for too long, so that our place is gone: back in as somebody new, under the same nick."""
        self._wanted = self._my.nick
        self._refused_nick, self._alternatives = None, []
        self._missed = self._ledger.index
        self._tell_given_back(self._outbox.give_back_all())
        self._outbox.begin_identity()
        self._replica.begin_identity(*self._fresh_keys(self._ledger.room))
        self._replica.epoch = None
        self._turning = False
        self._phase = "outside"

    def _welcomed(self, welcomed: frames.Welcome) -> None:
        expect(self._contact == "asking" and self._arrival is None, "a second welcome")
        self._arrival = welcome.Arrival(welcomed, self._leaves[0], self._ledger.room, self._hello)

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
        ledger = Ledger(self._ledger.room)
        for seat in state.seats:
            ledger.seat(seat.key, seat.nick, seat.leaf, seat.counter, away=seat.away)
        rules = self._ledger.name, self._ledger.retention, self._ledger.history
        same = rules == (state.name, state.retention, state.history)
        expect(not self._ledger.host or same, "a room of another name, or with other rules, than before")
        expect(_are_rules(state.retention), "rules that are none")
        me = ledger.roster.get(self._me.id)
        asked = self.entered or (me is not None and me.nick in self._nicks_for_me())
        expect(me is not None and asked, "a roster without us, or with another nick for us")
        expect(me is not None and me.leaf in self._leaves_for_me(), "a roster with a leaf for us that is not ours")
        expect(state.host != self._me.id, "us as its host")
        expect(self._ledger.host in (b"", state.host), "another host than before")
        _rule(ledger, state)
        ledger.locked, ledger.epoch = state.locked, state.epoch
        head = self._check_head(state.head, ledger)
        expect(head.place >= self._ledger.index, "a log that has become shorter")
        expect(state.epoch >= self._ledger.epoch, "an epoch that is over")
        ledger.start_at(head.place, head.digest)
        epoch = welcome.epoch_of(state)
        self._expect_no_step_back(ledger, epoch)
        self._hear_claim(head.place, head.time)
        self._arrived = epoch, head, ledger
        self._contact = "missing"
        self._turning = False
        if state.base is None and self.entered and state.since == self._ledger.index:
            self._go_up()
        else:
            expect(state.base is not None or state.since == head.place, "a history without a beginning")
            self._former = self._ledger
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
            known = self._ledger.roster.get(member.id)
            expect(known is None or member.counter >= known.counter, "a member with a counter of before")
            if self._epoch is not None and self._epoch.number == epoch.number and member.id != self._me.id:
                chain = self._epoch.chains.get(member.id)
                again = chain is not None and epoch.chains[member.id].generation < chain.generation
                expect(not again, "a member with keys of before")

    def _settle(self, ledger: Ledger, since: int) -> None:
        """In: for the first time, as somebody new, or too far on in the log to be told all between."""
        again, self._being_shown = self._being_shown, self._replayed is not None
        missed = self._ledger.index if self.entered and not again else self._missed
        before, self._replica.ledger, self._missed = self._ledger.roster, ledger, missed
        self._last_head = Head(-1, b"", 0, b"")
        self._go_up()
        self._link("up", "")
        if again:
            return
        self._enter()
        self._tell_of_refused_nick()
        if missed is not None:
            count = max(0, since - missed)
            self._tell(events.EntriesMissed(room=self.label, count=count, verified=False))  # nothing proves them yet
            self._outbox.forget_entries(self._my.counter)
            if since > missed:
                for caution in self._replica.compare_rosters(before, (self._replayed or ledger).roster):
                    self._tell(self._narrator.describe_caution(caution))
        waiting, self._waiting = self._waiting, []
        for typed in waiting:
            self._typed(typed)

    def _tell_of_refused_nick(self) -> None:
        if self._refused_nick is not None:
            (wanted, away), nick = self._refused_nick, self._my.nick
            self._refused_nick = None
            free_in = round(limits.PLACE) if away else None
            told = events.NickAssigned(room=self.label, nick=nick, wanted=wanted, free_in=free_in, re=self._re)
            self._tell(told)

    def _take_keys(self, epoch: Epoch, head: Head) -> None:
        if self._epoch is not None and self._epoch.number == epoch.number:
            epoch.chains[self._me.id] = self._epoch.chains[self._me.id]  # of which more is used up than the host knows
        self._replica.epoch = epoch
        self._turning = False
        self._last_head = head
        self._outbox.begin_epoch()

    def _leaves_for_me(self) -> set[bytes]:
        """Hashes of leaves that the log may have for us: those that we have shown, or the one that it had."""
        had = self._ledger.roster.get(self._me.id)
        return {suite.digest(leaf.public) for leaf in self._leaves} | ({had.leaf} if had else set())

    def _nicks_for_me(self) -> tuple[str, ...]:
        """What a host may call us when it lets us in."""
        return (self._wanted,) if self._wanted else self._ledger.roster.nicks_of(self._me.key)

    def _resumed(self, resumed: frames.Resumed) -> None:
        expect(self._contact == "asking" and self.entered and self._arrival is None, "a resumption not asked for")
        expect(not self._turning, "a resumption in an epoch that is over")
        expect(resumed.index >= self._ledger.index, "a log that has become shorter")
        self._target = resumed.index
        self._hear_claim(resumed.index, resumed.time)
        self._go_up()
        self._link("up", "")
        self._catch_up()

    def _catch_up(self) -> None:
        """Once we know everything that has its place, what of ours has none goes out again."""
        self._contact = "up" if self._ledger.index >= self._target else "catching up"
        if self._contact == "up":
            self._tell_of_lost()
            self._seek_leaves()
        self._send_pending()


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
