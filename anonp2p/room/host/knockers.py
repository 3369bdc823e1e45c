"""Those who wait until a moderator lets them in: a line of bounded length, of which none learns anything."""

from collections.abc import Mapping
from dataclasses import dataclass

from anonp2p import limits
from anonp2p.crypto import identity
from anonp2p.protocol import credentials, frames
from anonp2p.protocol.requests import JoinRequest
from anonp2p.room import effects
from anonp2p.room.context import Context
from anonp2p.room.dice import draw_heartbeat
from anonp2p.room.gate import Caller, NotAdmitted, refuse
from anonp2p.room.knocker_list import Knock
from anonp2p.room.ledger import expect
from anonp2p.room.rights import may_come_in
from anonp2p.room.roster import Member, Roster


@dataclass(slots=True, repr=False)
class HeldCaller:
    """One who waits. join: what it has asked for; nick: that it is to have.

    since, heard_at: when (`Now.tick`) it knocked first, and was heard last.
    """

    caller: Caller
    join: JoinRequest
    nick: str
    since: float
    heard_at: float


class Knockers:
    """The line, in the order in which they came (PROTOCOL.md, 5.2a): a key stands in it once, and on one link."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._clock = context.clock
        self._replica = context.replica
        self._reporter = context.reporter
        self._line: dict[bytes, HeldCaller] = {}  # by key
        self._links: dict[int, bytes] = {}  # whose each link is
        self._nicks = Roster()  # of those in the line, so that no two look alike
        self._heartbeat_at: float | None = None  # when (`Now.tick`) they have to hear from us

    @property
    def links(self) -> Mapping[int, bytes]:
        """The links of those who wait, with their keys."""
        return self._links

    # --- who comes

    def hold(self, caller: Caller, join: JoinRequest, nick: str) -> None:
        """Has this one wait, who could come in under this nick otherwise. Raises NotAdmitted."""
        if self._context.knockers.is_turned_away(join.key):
            raise NotAdmitted("turned-away")
        nick = self._choose_nick(join, nick)
        before = self._line.get(join.key)
        if before is None:
            self._make_room()
        else:
            self._nicks.remove_member(self._member_of(join.key))
            del self._links[before.caller.link]
            self._reporter.add_effect(effects.DropEffect(before.caller.link, "dialled-again"))
        now = self._clock.tick
        self._line[join.key] = HeldCaller(caller, join, nick, before.since if before else now, now)
        self._links[caller.link] = join.key
        self._nicks.add_member(join.key, nick, b"")
        self._reporter.add_effect(effects.HoldEffect(caller.link, caller.channel))
        sign, vouched = self._replica.me.signer(caller.service), self._context.credentials_for(caller.service)
        self._tell(caller, credentials.sign_hold(caller.hello, vouched, sign))
        self._put_off()
        self._note_change()

    def _choose_nick(self, join: JoinRequest, nick: str) -> str:
        """A nick that none of the others has who wait. Raises NotAdmitted."""
        member = identity.member_id(join.key)
        wanted = [nick] if join.nick else [nick, *Roster.list_free_nicks(join.key)]
        taken = self._replica.ledger.roster
        for free in wanted:
            if not (self._nicks.find_holders(free, member) or taken.find_holders(free, member)):
                return free
        raise NotAdmitted("nick-taken")

    def _make_room(self) -> None:
        """Where as many wait as may, one has to give way: who fell silent, or else who had its time.

        Raises NotAdmitted if there is none.
        """
        if len(self._line) < limits.KNOCKERS:
            return
        now = self._clock.tick
        silent = min(self._line.values(), key=lambda held: held.heard_at)
        first = next(iter(self._line.values()))
        if silent.heard_at <= now - limits.KNOCK_SILENT:
            self._refuse(silent.join.key, "crowded")
        elif first.since <= now - limits.KNOCK_TURN:
            self._refuse(first.join.key, "crowded")
        else:
            raise NotAdmitted("crowded")

    def _member_of(self, key: bytes) -> Member:
        member = self._nicks.find_member(identity.member_id(key))
        assert member is not None, "whoever waits has a nick"
        return member

    # --- who goes

    def take_admitted(self) -> HeldCaller | None:
        """The first who may be let in by now: it waits no more."""
        key = self._find_admitted()
        return None if key is None else self._take(key)

    @property
    def has_admitted(self) -> bool:
        """Whether somebody may be let in."""
        return self._find_admitted() is not None

    def _find_admitted(self) -> bytes | None:
        rights = self._replica.ledger.rights
        if rights.restrictions.locked:
            return None
        admitted = set(rights.admitted)
        keys = [key for key in self._line if key in admitted] if rights.restrictions.knock else list(self._line)
        return next((key for key in keys if may_come_in(rights, key)), None)

    def turn_away(self, key: bytes) -> None:
        """A moderator does not want this one, who may have gone meanwhile."""
        if key in self._line:
            self._refuse(key, "turned-away")

    def _refuse(self, key: bytes, reason: frames.Refusal) -> None:
        refuse(self._context, self._take(key).caller, reason)

    def forget_link(self, link: int) -> None:
        """The link is no more."""
        if link in self._links:
            self._take(self._links[link])

    def drop_all(self) -> None:
        """We host no more: they find who does."""
        for link in list(self._links):
            self.forget_link(link)
            self._reporter.add_effect(effects.DropEffect(link, "closed"))

    def _take(self, key: bytes) -> HeldCaller:
        held = self._line.pop(key)
        del self._links[held.caller.link]
        self._nicks.remove_member(self._member_of(key))
        if not self._line:
            self._heartbeat_at = None
        self._note_change()
        return held

    def _note_change(self) -> None:
        knocks = [Knock(key, held.nick, held.since) for key, held in self._line.items()]
        self._context.knockers.replace(knocks)

    # --- what is said

    def take_record(self, link: int, payload: bytes) -> None:
        """One who waits is still there, which is all that it may say. Raises PeerFault."""
        held = self._line[self._links[link]]
        record = held.caller.channel.open_record(payload)
        expect(record == frames.MemberRecord(False, []), "unexpected-frame")
        held.heard_at = self._clock.tick
        self._reporter.add_effect(effects.PauseEffect(link, limits.KNOCK_PAUSE))

    def next_deadline(self) -> float | None:
        """When (`Now.tick`) `send_due` has something to send."""
        return self._heartbeat_at

    def send_due(self) -> None:
        """Sends what has to be sent by now: a sign of life."""
        if self._heartbeat_at is not None and self._clock.tick >= self._heartbeat_at:
            for held in self._line.values():
                self._tell(held.caller)
            self._put_off()

    def _put_off(self) -> None:
        if self._heartbeat_at is None or self._clock.tick >= self._heartbeat_at:
            self._heartbeat_at = self._clock.tick + draw_heartbeat(self._context.random)

    def _tell(self, caller: Caller, *said: frames.Frame) -> None:
        """Says this, or nothing, in a record that is sealed at once: else a Welcome would go before what waits."""
        self._reporter.add_effect(effects.SendEffect(caller.link, caller.channel.seal_frames(said)))
