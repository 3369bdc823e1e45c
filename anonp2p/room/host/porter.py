"""What a host does about those who knock: lets in whom it may, and tells moderators who waits."""

from collections.abc import Sequence

from anonp2p import limits
from anonp2p.protocol import frames
from anonp2p.room import effects
from anonp2p.room.context import Context
from anonp2p.room.host.admission import Admission
from anonp2p.room.host.knockers import Knockers
from anonp2p.room.host.presence import Presence
from anonp2p.room.knocker_list import Knock
from anonp2p.room.token_bucket import TokenBucket


class Porter:
    """Empties the line of those who wait, and tells other moderators of it. admission: lets them in."""

    def __init__(self, context: Context, presence: Presence, knockers: Knockers, admission: Admission) -> None:
        self._clock = context.clock
        self._replica = context.replica
        self._reporter = context.reporter
        self._list = context.knockers
        self._presence = presence
        self._admission = admission
        self.knockers = knockers
        self._bucket = TokenBucket(limits.JOIN_BUCKET, limits.JOIN_RATE)
        self._next_at = 0.0  # when (`Now.tick`) the last one who was let in is paid for
        self._told: dict[int, Sequence[Knock]] = {}  # what each moderator was told last, by its link
        self._look_at = 0.0  # when (`Now.tick`) to look again whether they have to be told

    def next_deadline(self) -> float | None:
        """When (`Now.tick`) `do_due_work` may have something to do."""
        dues = [self.knockers.next_deadline()]
        if self.knockers.links or self._told:
            dues.append(max(self._look_at, self._clock.tick))
        if self.knockers.has_admitted:
            dues.append(max(self._next_at, self._clock.tick))
        return min((due for due in dues if due is not None), default=None)

    def do_due_work(self) -> None:
        """Sends what is due; lets in who may come in by now."""
        self.knockers.send_due()
        self._let_in()
        self._tell_moderators()

    def _let_in(self) -> None:
        """As fast as strangers are let in, in the order in which they came."""
        now = self._clock.tick
        while now >= self._next_at and (held := self.knockers.take_admitted()) is not None:
            cost = self._admission.admit_knocker(held)
            self._next_at = now + self._bucket.take_tokens(now, cost)

    def _tell_moderators(self) -> None:
        """Tells those who have a link, each what it does not know yet."""
        if not (self.knockers.links or self._told) or self._clock.tick < self._look_at:
            return
        self._look_at = self._clock.tick + limits.KNOCKERS_TOLD
        now, moderators = self._list.knocks, set(self._replica.ledger.rights.moderators)
        links = [number for number, link in self._presence.links.items() if link.member in moderators]
        for number in links:
            if self._list.differs_from(self._told.get(number, ())):
                self._reporter.add_effect(effects.RecordEffect(number, (self._describe(),)))
        self._told = dict.fromkeys(links, now) if now else {}

    def _describe(self) -> frames.KnockersFrame:
        tick = self._clock.tick
        people = [frames.KnockEntry(it.key, it.nick, round(tick - it.since)) for it in self._list.knocks]
        return frames.KnockersFrame(people)
