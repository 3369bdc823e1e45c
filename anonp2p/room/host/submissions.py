"""What members send: entries to be ordered, their own new keys, and requests for the keys of others."""

import math
from typing import Final, NamedTuple

from anonp2p import errors, limits
from anonp2p.crypto import suite
from anonp2p.crypto.epoch import ENTRY, Header, read_header
from anonp2p.errors import NoSuchNick, PeerFault
from anonp2p.names import nicks
from anonp2p.protocol import bodies, frames
from anonp2p.room import effects
from anonp2p.room.context import Context
from anonp2p.room.entry_rules import check_entry
from anonp2p.room.errors import Unsealable
from anonp2p.room.host import admission
from anonp2p.room.host.answers import Answers
from anonp2p.room.host.commits import Commits
from anonp2p.room.host.heirs import Heirs
from anonp2p.room.host.knockers import Knockers
from anonp2p.room.host.presence import MemberLink, Presence
from anonp2p.room.host.sequencer import Sequencer
from anonp2p.room.ledger import expect
from anonp2p.room.pending import Whisper
from anonp2p.room.resuming import can_seal_to
from anonp2p.room.roster import Member


class _Cost(NamedTuple):
    """What a frame has caused: entries that everyone opens, or work as for so many; bytes that it asks for."""

    entries: float
    answers: int


_ONE_ENTRY: Final = _Cost(1, 0)


class Submissions:
    """Checks what members send, and has it ordered, denied or answered."""

    def __init__(
        self,
        context: Context,
        sequencer: Sequencer,
        presence: Presence,
        commits: Commits,
        answers: Answers,
        heirs: Heirs,
        knockers: Knockers,
    ) -> None:
        self._context = context
        self._clock = context.clock
        self._replica = context.replica
        self._reporter = context.reporter
        self._sequencer = sequencer
        self._presence = presence
        self._commits = commits
        self._answers = answers
        self._heirs = heirs
        self._pooled: set[tuple[int, bytes | None]] = set()  # links on which the pool with this key was asked for
        self._knockers = knockers
        self._rightless: dict[bytes, int] = {}  # whom rights have kept from something, in which epoch last

    def take_record(self, number: int, link: MemberLink, payload: bytes) -> None:
        """Takes a record that came on a member's link. Raises PeerFault."""
        record = link.channel.open_record(payload)
        assert isinstance(record, frames.MemberRecord), "what a host's end opens"
        if record.echo:
            self._answers.take_slot(number)
        links = self._presence.links
        entries, answers = 0.0, 0
        for frame in record.frames:
            if number in links:  # who has left says nothing more
                cost = self._take_frame(number, link, frame)
                entries += cost.entries
                answers += cost.answers
        if number in links:
            units = math.ceil(len(payload) / limits.UNIT)
            self._presence.charge(number, units=units, entries=entries, answers=answers)

    def _take_frame(self, number: int, link: MemberLink, frame: frames.Frame) -> _Cost:
        match frame:
            case frames.KeyFrame(encryption_key=key):
                suite.seal_to_key(key, b"", b"")
                link.reader.encryption_key = key
            case frames.KeyRequestFrame(key_hash=key_hash):
                key = self._replica.keys.get(key_hash, b"")
                found = frames.KeyResponseFrame(key) if key else frames.KeyNotFoundFrame(key_hash)
                self._reporter.add_effect(effects.RecordEffect(number, (found,)))
                return _Cost(0, len(key or key_hash))
            case frames.SubmitFrame(epoch=epoch, entry=entry):
                current = self._replica.current_epoch.number
                if epoch == current:
                    return self._take_entry(number, link, entry)
                expect(epoch < current, "entry-of-future-epoch")  # of one that is over, its author seals it anew
            case frames.AbleFrame():
                self._heirs.take_able(number, link.member)
            case frames.PoolRequestFrame():
                self._give_pool(number, link)
            case frames.AddressFrame():
                self._heirs.take_address(link.member, frame)
            case frames.EchoFrame():
                self._reporter.add_effect(effects.RecordEffect(number, (frames.EchoedFrame(),)))
            case frames.StraysFrame(count=count):
                if [heir.member for heir in self._replica.ledger.heirs[:1]] == [link.member]:
                    self._context.meeting.note_strays(count, self._clock.tick)
            case frames.ReportFrame() | frames.BackfillFrame():
                pass  # it was on its way when we, for whom its author waited, became its host
            case frames.RedirectFrame():
                raise PeerFault("unexpected-report")  # a member says that to an heir, not to its host
        return _ONE_ENTRY  # a key takes the host as long

    def _give_pool(self, number: int, link: MemberLink) -> None:
        """To a moderator, which it may have ceased to be. Each pool once on each link: it costs us more than to ask."""
        pool, ledger = self._context.pool, self._replica.ledger
        asked = number, ledger.rights.members_key
        if not (ledger.is_private and ledger.room_rights.is_moderator(link.member)) or asked in self._pooled:
            return
        self._pooled.add(asked)
        answer = frames.PoolFrame(b"")
        if pool.is_ours:
            answer = pool.seal_secret(link.reader.encryption_key, ledger.room, link.member)
        self._reporter.add_effect(effects.RecordEffect(number, (answer,)))

    def _take_entry(self, number: int, link: MemberLink, entry: bytes) -> _Cost:
        """Orders a member's entry, or sends its author a denial that no other member sees."""
        header = read_header(entry)
        ledger = self._replica.ledger
        expect(header.kind == ENTRY and header.author == link.member, "entry-of-another")
        author = ledger.get_member(link.member)
        if header.counter <= author.counter:
            self._deny_entry(number, header, "repeated")
            return _ONE_ENTRY
        skipped = self._sequencer.count_skipped(header)  # what was denied counts to all others
        has_to_wait = skipped > limits.SKIPPED and self._rightless.get(author.id) == ledger.epoch
        expect(skipped <= limits.SKIPPED or has_to_wait, "generation")
        cost = _Cost(1 + min(skipped, limits.SKIPPED) / limits.SKIPPED_PER_ENTRY, 0)
        _, body = self._replica.current_epoch.open_entry(entry)
        _, content = ledger.open_entry(header, body)
        if denial := self._find_denial(author, content) or ("not-allowed" if has_to_wait else None):
            author.counter = header.counter
            self._deny_entry(number, header, denial)
            return cost
        check_entry(ledger, author, header, content)
        expect(not ledger.is_foreign(content), "reference-to-other-log")
        allowance = self._presence.allowances[author.id]
        if isinstance(content.body, bodies.RenewBody):
            expect(allowance.try_renewal(self._commits.renewable), "extra-renewal")
        self._sequencer.order(author, header, content, body, entry)
        match content.body:
            case bodies.TextBody() | bodies.PrivateBody():
                allowance.spoke = True
            case bodies.RenewBody(key_hash=key_hash):
                self._replica.add_key(key_hash, link.reader.encryption_key)
                self._replica.forget_keys()
            case bodies.AdmitBody(key=key, admitted=False):
                self._knockers.turn_away(key)
            case bodies.LeaveBody():
                self._commits.note_left()
                self._sequencer.end_batch()  # with the receipt: nothing after it is for its author
                self._presence.remove_member(author.id)
        return cost

    def order_pending(self) -> None:
        """What we have written while another hosted, and has no place yet, gets one, or is given back."""
        outbox, me = self._context.outbox, self._context.own_member
        while entries := outbox.list_pending():  # what gets its place may have an entry follow: its Retract
            counter, pending = entries[0]
            if isinstance(pending.body, bodies.NickBody) and self._is_refused(pending.body.nick, me):
                given = outbox.deny_entry(counter, "nick-taken")
            elif denial := self._replica.find_right_denial(me.id, pending.body, self._sequencer.room_time()):
                given = outbox.deny_entry(counter, denial)
            elif isinstance(pending.body, Whisper) and (error := self._find_error(pending.body)) is not None:
                given = outbox.refuse_entry(counter, error)
            else:
                self._sequencer.order_pending(counter)
                continue
            self._reporter.tell_given_back([given])

    def _find_error(self, whisper: Whisper) -> errors.AnonError | None:
        """Why a private message of ours cannot be sealed, if it cannot."""
        found = self._replica.ledger.roster.find_member(whisper.to)
        if found is None:
            return NoSuchNick()
        key = self._replica.keys.get(found.key_hash)
        return None if key is not None and can_seal_to(key) else Unsealable()

    def _find_denial(self, author: Member, content: bodies.Content) -> frames.Denial | None:
        """Why an honest member's entry is denied, if it is: another member was faster, or this one is too fast.

        Who is muted, or in a room that is slow, may have said a lot before it has heard of that.
        """
        if denial := self._replica.find_right_denial(author.id, content.body, self._sequencer.room_time()):
            self._rightless[author.id] = self._replica.ledger.epoch
            return denial
        match content.body:
            case bodies.NickBody(nick=nick) if self._is_refused(nick, author):
                return "nick-taken"
            case bodies.NickBody() | bodies.PrivateBody():
                allowed = self._presence.allowances[author.id].try_kind(content.body, self._clock.tick)
                return None if allowed else "too-often"
            case _:
                return None

    def _is_refused(self, nick: str, author: Member) -> bool:
        return nicks.is_nick(nick) and admission.is_refused(self._replica.ledger, nick, author.id)

    def _deny_entry(self, number: int, header: Header, reason: frames.Denial) -> None:
        self._reporter.add_effect(effects.RecordEffect(number, (frames.DeniedFrame(header.counter, reason),)))
