"""Members who wait at our service for us to host, on links of their own: what they report, and what we tell them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from anonp2p import limits
from anonp2p.crypto import suite
from anonp2p.errors import PeerFault
from anonp2p.protocol import credentials, frames
from anonp2p.protocol.field_types import Opening
from anonp2p.protocol.requests import ResumeRequest
from anonp2p.room import effects
from anonp2p.room.context import Context
from anonp2p.room.dice import draw_heartbeat
from anonp2p.room.gate import Caller
from anonp2p.room.ledger import expect
from anonp2p.room.log.reader import LogReader
from anonp2p.room.succession import terms
from anonp2p.room.succession.heir import Report
from anonp2p.room.token_bucket import TokenBucket


@dataclass(slots=True, repr=False)
class StandbyLink:
    """One member's link. lost_since: since when (`Now.tick`) it has no host; None while it has one.

    encryption_key: the one that it has shown last. index, digest, openings: how far its log is. sent_to: the term to
    whose host we have sent it. shown: index of the log up to which we have shown it ours. asked_at: when we last told
    it to ask its host for a sign of life.
    """

    caller: Caller
    member: bytes
    encryption_key: bytes
    index: int
    digest: bytes
    openings: Sequence[Opening]
    lost_since: float | None
    units: TokenBucket
    sent_to: tuple[int, bytes] | None = None
    shown: int = -1
    asked_at: float = float("-inf")

    @property
    def report(self) -> Report:
        """What it says, as far as it matters to who decides when to host."""
        latest = self.openings[-1]
        return Report(self.lost_since is not None, latest.number, latest.host, self.index)


class Standby:
    """The standby links to us, by their numbers; a member has one at most."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._clock = context.clock
        self._reporter = context.reporter
        self._links: dict[int, StandbyLink] = {}
        self._due_at: float | None = None  # when (`Now.tick`) they have to hear from us

    @property
    def links(self) -> Mapping[int, StandbyLink]:
        """All of them."""
        return self._links

    @property
    def lost(self) -> list[StandbyLink]:
        """Those whose members have lost their host."""
        return [link for link in self._links.values() if link.lost_since is not None]

    def reports(self) -> dict[bytes, Report]:
        """What each member says."""
        return {link.member: link.report for link in self._links.values()}

    def count_strays(self) -> int:
        """How many have lost their host for so long that it should know."""
        before = self._clock.tick - limits.STRAYS
        return sum(link.lost_since is not None and link.lost_since <= before for link in self._links.values())

    def next_deadline(self) -> float | None:
        """When (`Now.tick`) `send_due` has something to send."""
        return self._due_at

    # --- links come and go

    def add_link(self, caller: Caller, resume: ResumeRequest) -> None:
        """This member waits from now on, on this link alone. Raises PeerFault for openings that are none."""
        expect(terms.are_proper(resume.openings), "bad-openings")
        for number in [number for number, link in self._links.items() if link.member == resume.member]:
            self.forget_link(number)
            self._reporter.add_effect(effects.DropEffect(number, "dialled-again"))
        position = resume.index, resume.digest, resume.openings
        lost_since = self._clock.tick if resume.lost else None
        units = TokenBucket(limits.MESSAGE_BUCKET, limits.MESSAGE_RATE)
        link = StandbyLink(caller, resume.member, resume.encryption_key, *position, lost_since, units)
        self._links[caller.link] = link
        self._reporter.add_effect(effects.AdmitEffect(caller.link, caller.channel))
        self._tell(caller.link, credentials.sign_waiting(caller.hello, self._context.replica.me.signer(caller.service)))
        self._put_off()

    def forget_link(self, number: int) -> StandbyLink | None:
        """The link is gone, or is one to a member of ours from now on; returns it, if it was a standby link."""
        link = self._links.pop(number, None)
        if not self._links:
            self._due_at = None
        return link

    def drop_all(self) -> None:
        """Nobody is to wait for us any more."""
        for number in list(self._links):
            self.forget_link(number)
            self._reporter.add_effect(effects.DropEffect(number, "closed"))

    # --- what is said on them

    def take_record(self, number: int, payload: bytes) -> list[frames.Frame]:
        """Takes a record that came on a standby link; returns what else than how its member is. Raises PeerFault."""
        link = self._links[number]
        if seconds := link.units.take_tokens(self._clock.tick, math.ceil(len(payload) / limits.UNIT)):
            self._reporter.add_effect(effects.PauseEffect(number, min(seconds, limits.READ_PAUSE)))
        return [frame for frame in link.caller.channel.open_record(payload).frames if not self._note(link, frame)]

    def _note(self, link: StandbyLink, frame: frames.Frame) -> bool:
        """Whether this is about the member itself. Raises PeerFault for what is not said on such a link."""
        match frame:
            case frames.ReportFrame(lost=lost, index=index, digest=digest, openings=openings):
                expect(terms.are_proper(openings), "bad-openings")
                link.index, link.digest, link.openings = index, digest, openings
                if not lost:
                    link.lost_since = None
                elif link.lost_since is None:
                    link.lost_since = self._clock.tick
                return True
            case frames.KeyFrame(encryption_key=key):
                suite.seal_to_key(key, b"", b"")
                link.encryption_key = key
                return True
            case frames.BackfillFrame() | frames.RedirectFrame():
                return False
            case _:
                raise PeerFault("unexpected-frame")

    def show_log(self, link: StandbyLink, fork: int) -> None:
        """Shows a member all entries that we have after this one."""
        log = self._context.replica.room_log.log
        reader = LogReader(log, fork + 1, link.member, link.encryption_key, link.caller.channel, log.end)
        reader.stop_at_end()
        self._reporter.add_effect(effects.AdmitEffect(link.caller.link, link.caller.channel, (), reader))

    def tell_lost(self, frame: frames.Frame) -> None:
        """Tells this to all who have lost their host."""
        for link in self.lost:
            self._tell(link.caller.link, frame)

    def have_host_asked(self, since: float) -> None:
        """Tells those who have their host to ask it for a sign of life, unless they were told since this time."""
        for link in [link for link in self._links.values() if link.lost_since is None and link.asked_at < since]:
            link.asked_at = self._clock.tick
            self._tell(link.caller.link, frames.AskHostFrame())

    def tell_member(self, member: bytes, frame: frames.Frame) -> None:
        """Tells this to one member, if it waits."""
        for link in [link for link in self._links.values() if link.member == member]:
            self._tell(link.caller.link, frame)

    def _tell(self, number: int, *said: frames.Frame) -> None:
        """Says this, or nothing, in a record that is sealed at once: else a Welcome would go before what waits."""
        sealed = self._links[number].caller.channel.seal_frames(said)
        self._reporter.add_effect(effects.SendEffect(number, sealed))

    def send_due(self) -> None:
        """Sends what has to be sent by now: a sign of life."""
        if self._due_at is not None and self._clock.tick >= self._due_at:
            for number in self._links:
                self._tell(number)
            self._put_off()

    def _put_off(self) -> None:
        if self._due_at is None or self._clock.tick >= self._due_at:
            self._due_at = self._clock.tick + draw_heartbeat(self._context.random)
