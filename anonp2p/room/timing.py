"""When what was ordered, where rights ask for that: a host orders nothing too soon (PROTOCOL.md, 5c.4 and 5c.10)."""

from anonp2p.protocol import bodies
from anonp2p.room.absence import AbsenceRule
from anonp2p.room.entries import OpenedEntry
from anonp2p.room.ledger import Ledger, expect
from anonp2p.room.roster import Member
from anonp2p.room.slow import SlowRule


class Timing:
    """Follows the log that one has. absence: since when moderators are away."""

    def __init__(self) -> None:
        self.absence = AbsenceRule()
        self._slow = SlowRule()

    def is_text_too_soon(self, ledger: Ledger, author: bytes, time: int) -> bool:
        """Whether this author may not say something to all under a head of this time yet."""
        if not ledger.rights.restrictions.slow:
            return False
        seconds = ledger.room_rights.slow_of(author)
        return self._slow.is_too_soon(author, ledger.openings[-1].term, time, seconds)

    def expect_in_time(self, ledger: Ledger, author: Member, entry: OpenedEntry, time: int, age: float) -> None:
        """Raises PeerFault for what was ordered too soon. time: of the head that covers it; age: of our clock."""
        match entry.content and entry.content.body:
            case bodies.TextBody():
                expect(not self.is_text_too_soon(ledger, author.id, time), "ordered-too-soon")
            case bodies.CommitBody(removed=removed):
                lost = [removal.member for removal in removed if removal.reason == "lost"]
                expect(not any(self.absence.is_too_soon(it, time, age) for it in lost), "moderator-removed-too-soon")

    def note_entry(self, ledger: Ledger, author: Member, about: Member, body: bodies.Body, host: bytes) -> None:
        """This has taken effect. about: the member that it is about; host: who it was before."""
        moderators = ledger.rights.moderators
        match body:
            case bodies.TextBody():
                self._slow.note_text(author.id, ledger.openings[-1].term)
            case bodies.AwayBody() if about.id in moderators:
                self.absence.note_away(about.id)
            case bodies.BackBody():
                self.absence.forget_member(about.id)
            case bodies.CommitBody(removed=removed):
                for removal in removed:
                    self.absence.forget_member(removal.member)
            case bodies.OpeningBody() if about.id != host:
                self.absence.begin_term(it for it in moderators if ledger.get_member(it).away)

    def seal_batch(self, time: int, age: float | None = None) -> None:
        """A head of this time covers all that has a place. age: of our clock then, if it comes on a link that is up."""
        self._slow.seal_batch(time)
        self.absence.seal_batch(time, age)
