"""Which members have a link to us, which have none, and what each of them may cost us."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from anonp2p import limits
from anonp2p.protocol import frames
from anonp2p.protocol.handshake import Channel
from anonp2p.room import effects
from anonp2p.room.context import Context
from anonp2p.room.host.allowance import Allowance
from anonp2p.room.host.tickets import Tickets
from anonp2p.room.log.reader import LogReader
from anonp2p.room.roster import Member


@dataclass(slots=True, repr=False)
class Absence:
    """A member without a link. heard_at: when it was last heard.

    away_at: when the room was told, or we began to host; None as long as it is not away.
    """

    heard_at: float
    away_at: float | None = None

    @property
    def due(self) -> float:
        """When the next thing has to be done: first the room is told, later the member's place is given up.

        Where we have told it late, as we have slept, members have time to come back all the same.
        """
        if self.away_at is None:
            return self.heard_at + limits.AWAY_SECONDS
        return max(self.heard_at + limits.PLACE_SECONDS, self.away_at + limits.AWAY_AT_LEAST)


@dataclass(slots=True, repr=False)
class MemberLink:
    """A link of a member's, after its handshake: by this service of ours, where the hello had this hash."""

    member: bytes
    channel: Channel
    reader: LogReader
    service: bytes
    hello: bytes


class LateMembers(NamedTuple):
    """Members whose absence has become too long: to be marked as away, or to lose their places."""

    away: list[bytes]
    lost: list[bytes]


class Presence:
    """The links of members, the absences of those without one, the tickets and the allowances of all members but us."""

    def __init__(self, context: Context) -> None:
        self._clock = context.clock
        self._reporter = context.reporter
        self._links: dict[int, MemberLink] = {}
        self._absences: dict[bytes, Absence] = {}
        self._allowances: dict[bytes, Allowance] = {}
        self._tickets = Tickets()

    @property
    def links(self) -> Mapping[int, MemberLink]:
        """The links of members, by their numbers."""
        return self._links

    def find_link(self, member: bytes) -> int | None:
        """The number of the link of this member, if it has one."""
        return next(iter(self._links_of(member)), None)

    @property
    def absences(self) -> Mapping[bytes, Absence]:
        """The members without a link."""
        return self._absences

    @property
    def allowances(self) -> Mapping[bytes, Allowance]:
        """What all members but us may cost."""
        return self._allowances

    def next_deadline(self) -> float | None:
        """When (`Now.tick`) an absence has become too long."""
        return min((absence.due for absence in self._absences.values()), default=None)

    # --- members come and go

    def take_over(self, members: Iterable[Member]) -> None:
        """We host from now on, and these are the members besides us, none of whom has a link to us yet.

        Each may renew its encryption key once: the log may have an older one than it has by now.
        """
        for member in members:
            allowance = self._allowances[member.id] = Allowance(self._clock.tick, -1)
            allowance.spoke = True  # perhaps; who never did has its place for as long
            self._absences[member.id] = Absence(self._clock.tick, self._clock.tick if member.away else None)

    def add_member(self, member: bytes, renewable: int) -> None:
        """Somebody has joined. renewable: how many commits have let members renew their keys by now."""
        self._allowances[member] = Allowance(self._clock.tick, renewable)

    def add_link(self, number: int, link: MemberLink, first_frames: Iterable[frames.Frame]) -> None:
        """A member has a link from now on, and is sent these frames first."""
        self._links[number] = link
        self._tickets.note_ticket(link.member, link.channel.ticket)
        self._reporter.add_effect(effects.AdmitEffect(number, link.channel, tuple(first_frames), link.reader))
        self.charge(number)  # what it owes from another link

    def replace_link(self, member: bytes) -> None:
        """The member has dialled again: any link that it had before is closed, and it is not absent any more."""
        self._absences.pop(member, None)
        for number in self._links_of(member):
            del self._links[number]
            self._reporter.add_effect(effects.DropEffect(number, "dialled-again"))

    def lose_link(self, number: int, silence: float) -> None:
        """A link is gone; its member has time to come back on another. silence: for how long it had said nothing."""
        link = self._links.pop(number, None)
        if link is not None:
            self._absences[link.member] = Absence(self._clock.tick - silence)

    def expel_link(self, number: int) -> None:
        """A link's member has broken a rule and is not heard any more."""
        del self._links[number]

    def remove_member(self, member: bytes) -> None:
        """One who is out gets no more of the log."""
        self._allowances.pop(member, None)
        self._absences.pop(member, None)
        self._tickets.forget_member(member)
        for number in self._links_of(member):
            self._links.pop(number).reader.stop_at_end()
            self._reporter.add_effect(effects.FinishEffect(number))

    def _links_of(self, member: bytes) -> list[int]:
        return [number for number, link in self._links.items() if link.member == member]

    def take_ticket(self, ticket: bytes) -> bool:
        """Whether who shows this is a member that comes back, and not too often. Of no use a second time."""
        member = self._tickets.take_ticket(ticket)
        return member is not None and self._allowances[member].try_return(self._clock.tick)

    # --- absences

    def take_late(self) -> LateMembers:
        """Members who have been absent for too long; some at a time, so that other inputs are handled in between."""
        late = LateMembers([], [])
        dues = [(member, absence) for member, absence in self._absences.items() if absence.due <= self._clock.tick]
        for member, absence in dues[: limits.MAILBOX]:
            if absence.away_at is not None:
                del self._absences[member]
                late.lost.append(member)
            else:
                absence.away_at = self._clock.tick
                late.away.append(member)
        return late

    def idle_members(self) -> list[bytes]:
        """Members without a link who give their places to a newcomer.

        They never spoke, and came a moment ago or were not heard for as long. Any other may be an honest reader whose
        link broke, and who is about to come back.
        """
        before = self._clock.tick - limits.READER_SECONDS
        idle = []
        for member, absence in self._absences.items():
            allowance = self._allowances[member]
            if not allowance.spoke and (allowance.joined_at > before or absence.heard_at <= before):
                idle.append(member)
        return idle

    # --- links

    def charge(self, number: int, *, units: int = 0, entries: float = 0, answers: int = 0) -> None:
        """A link whose member has caused more than it may is not read for a while: nothing of it is lost.

        Parameters: see `Allowance.take_costs`.
        """
        allowance = self._allowances[self._links[number].member]
        if seconds := allowance.take_costs(self._clock.tick, units=units, entries=entries, answers=answers):
            self._reporter.add_effect(effects.PauseEffect(number, seconds))

    def passed(self, end: int) -> int:
        """Up to which index all links have sent the log, whose end is this."""
        return min((link.reader.sent_up_to for link in self._links.values()), default=end)
