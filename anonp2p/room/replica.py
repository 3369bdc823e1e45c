"""Our copy of a room: what the log adds up to, the keys that it takes, and what we remember of it."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Literal

from anonp2p import limits
from anonp2p.crypto import identity, private, suite
from anonp2p.crypto.epoch import Epoch, Header, is_header_of
from anonp2p.errors import PeerFault
from anonp2p.names import nicks
from anonp2p.names.reused import ReusedNicks
from anonp2p.names.safety_words import Marks
from anonp2p.protocol import bodies
from anonp2p.protocol.field_types import Opening
from anonp2p.protocol.packing import unpack
from anonp2p.room import changes, entry_rules
from anonp2p.room.changes import Caution, Change
from anonp2p.room.entries import OpenedEntry
from anonp2p.room.ledger import Ledger, expect
from anonp2p.room.log.room_log import RoomLog
from anonp2p.room.offers import may_offer
from anonp2p.room.pending import Whisper
from anonp2p.room.rights import RightDenial
from anonp2p.room.rights_changes import describe_rights
from anonp2p.room.roster import Member, Roster
from anonp2p.room.sealer import Sealer
from anonp2p.room.succession import terms
from anonp2p.room.timing import Timing

_A_PRIVATE = bodies.PrivateBody(b"")  # stands for one of ours that is not boxed yet


def check_entry(ledger: Ledger, entry: OpenedEntry) -> Member:
    """The author of an entry, as of this ledger. Raises PeerFault if it may not come next."""
    if not entry.body:
        return entry_rules.check_tombstone(ledger, entry.header)
    author, content = _find_author(ledger, entry), entry.content
    assert content is not None, "there is one where there is a body"
    entry_rules.check_entry(ledger, author, entry.header, content)
    return author


def _find_author(ledger: Ledger, entry: OpenedEntry) -> Member:
    """Who has signed an entry, as of this ledger. Raises PeerFault for a stranger's and a forged one."""
    author = ledger.roster.find_member(entry.header.author)
    if author is not None and entry.signed == (ledger.epoch, author.key):
        return author
    return ledger.verify_entry(entry.header, entry.body)


def verify_entries(ledger: Ledger, entries: Sequence[OpenedEntry]) -> None:
    """Verifies the signatures of entries in a row, up to one that is wrong, or whose author is none yet.

    `check_entry` finds what these are then, and verifies the rest. Alone among all else that an entry takes, each
    signature would take a processor a tenth longer, as its caches are full of that.
    """
    with suppress(PeerFault):
        for entry in entries:
            if entry.body:
                entry.signed = ledger.epoch, ledger.verify_entry(entry.header, entry.body).key


class Replica:
    """What one member has of a room; its ledger is replaced when a host shows the room anew.

    me: who we are in it. own_keys: our encryption keys, the newest first. keys: those of members, by their hashes.
    epoch: None while we have no keys of the room. reused_nicks: who had which nick.
    former: the ids of those who were members and are none, the first to go first. evidence: what proves that our host
    lies. unproven_until: a time of the room; of what was before it, something is missing, and nothing proves that the
    rest is of the same log; None where that is not so. final_openings: of the log to which what is replayed now
    leads; None where nothing is. timing: when what was ordered, where that matters.
    """

    def __init__(self, room: bytes, me: identity.Identity, own_key: suite.EncryptionKeyPair) -> None:
        self.ledger = Ledger(room)
        self.epoch: Epoch | None = None
        self.keys: dict[bytes, bytes] = {}
        self.marks = Marks(identity.hash_room(room))
        self.reused_nicks = ReusedNicks()
        self.former: dict[bytes, None] = {}
        self.evidence: list[tuple[bytes, ...]] = []
        self.unproven_until: int | None = None
        self.final_openings: Sequence[Opening] | None = None
        self.timing = Timing()
        self._latest_shown = 0  # the place of the latest message that was shown
        self._room_log: RoomLog | None = None
        self.begin_identity(me, own_key)

    def begin_identity(self, me: identity.Identity, own_key: suite.EncryptionKeyPair) -> None:
        """Takes new keys, by which no member knows us."""
        self.me = me
        self.own_keys = [own_key]

    def enter_room(self, now: Ledger) -> None:
        """We are let in. The room need not be the one whose key its code is: it may have had another code."""
        if now.room != self.ledger.room:
            self.marks = Marks(identity.hash_room(now.room))
            self.me.enter_room(now.room)
        self.timing.absence.forget_all()
        self.ledger = now

    def forget_secrets(self) -> None:
        """Forgets all keys and the log: we are out."""
        self.epoch = self._room_log = None
        self.keys.clear()
        self.own_keys.clear()

    def add_key(self, key_hash: bytes, key: bytes) -> None:
        """Keeps an encryption key for those who want to seal to it, if it is the one that has this hash."""
        if suite.hash_data(key) == key_hash:
            self.keys[key_hash] = key

    def add_own_keys(self) -> None:
        """Keeps our own encryption keys too: who hosts is asked for them by those who come."""
        for key in self.own_keys:
            self.keys[suite.hash_data(key.public)] = key.public

    def forget_keys(self) -> None:
        """Forgets the encryption keys of those who are out, or have another one."""
        current = {member.key_hash for member in self.ledger.roster}
        self.keys = {key_hash: key for key_hash, key in self.keys.items() if key_hash in current}

    def begin_log(self, before: Ledger) -> None:
        """Our copy of the log begins after this room's latest entry. before: which from then on belongs to the log."""
        self._room_log = RoomLog(before)

    @property
    def room_log(self) -> RoomLog:
        """Our copy of the log, once we have been let in."""
        assert self._room_log is not None, "asked for the log of a room that we were not shown"
        return self._room_log

    @property
    def has_log(self) -> bool:
        """Whether there is a copy of the log."""
        return self._room_log is not None

    @property
    def has_keys(self) -> bool:
        """Whether we have the keys of the epoch that the log is in."""
        return self.epoch is not None and self.epoch.number == self.ledger.epoch

    @property
    def current_epoch(self) -> Epoch:
        """The keys of the present epoch, when there is one."""
        assert self.epoch is not None, "asked for the keys of a room that we are not in"
        return self.epoch

    def sealer(self, random: Callable[[int], bytes]) -> Sealer:
        """What seals our entries as of now, when there is an epoch. random: gives so many fresh bytes."""
        return Sealer(self.me, self.ledger, self.current_epoch, self.keys, random)

    # --- rights

    def find_right_denial(
        self, author: bytes, body: bodies.Body | Whisper, time: int
    ) -> RightDenial | Literal["slow"] | None:
        """Why rights keep this author from saying this, under a head of this time; see `RoomRights.find_denial`."""
        rights, said = self.ledger.room_rights, _A_PRIVATE if isinstance(body, Whisper) else body
        if denial := rights.find_denial(author, said):
            return denial
        return (
            "slow"
            if isinstance(said, bodies.TextBody) and self.timing.is_text_too_soon(self.ledger, author, time)
            else None
        )

    def holds_back(self, member: bytes) -> bool:
        """Whether the rights of a member keep messages of its back, or some of them."""
        rights = self.ledger.room_rights
        return rights.slow_of(member) > 0 or not rights.may_speak(member)

    # --- entries

    def apply_entry(self, author: Member, entry: OpenedEntry, age: float = 0.0, replay: Ledger | None = None) -> Change:
        """Applies the next entry: nothing else applies entries. Raises PeerFault for an improper new member.

        author: as it was checked. age: of the entry, in seconds. replay: the ledger on which the history is
        replayed, if the entry is part of it; private messages of the history are not for us.
        """
        ledger = self.ledger if replay is None else replay
        header, content = entry.header, entry.content
        was, epoch, host = author.nick, ledger.epoch, ledger.host
        removed = self._free_nicks(ledger, author, content)
        before = ledger.rights
        about = ledger.take_entry(author, header, content, entry.digest)
        if replay is None and content is not None:
            self.timing.note_entry(ledger, author, about, content.body, host)
        mine = about.id == self.me.id
        if content is None:
            return changes.HiddenChange()
        match content.body:
            case bodies.TextBody(text=text, action=action, reply=reply, late=late, file=file):
                return self._describe_message(
                    ledger, author, header, text, age, reply, action=action, late=late, file=file
                )
            case bodies.PrivateBody(box=box) if replay is None and not mine:
                opened = self._open_private(box, epoch, author.id, header.counter)
                if opened is not None:
                    text, reply, late, file = opened.text, opened.reply, opened.late, opened.file
                    return self._describe_message(
                        ledger, author, header, text, age, reply, late=late, peer=author.id, file=file
                    )
            case bodies.NickBody(nick=nick):
                return changes.RenamedChange(
                    about.id, nick, was, self._may_be_reused(about), self._find_cautions(ledger, about)
                )
            case bodies.JoinedBody(nick=nick):
                return changes.JoinedChange(
                    about.id, nick, self._may_be_reused(about), self._find_cautions(ledger, about)
                )
            case bodies.RetractBody(counter=counter):
                self._forget_message(author.id, counter)
                return changes.RetractedChange(author.id, counter)
            case bodies.BackBody():
                return changes.BackChange(about.id, about.nick, mine)
            case bodies.AwayBody():
                return changes.AwayChange(about.id, about.nick, mine)
            case bodies.LeaveBody() | bodies.HandOverBody(leaves=True):
                return changes.LeftChange(about.id, about.nick, mine)
            case bodies.RenewBody():
                return changes.KeyRenewedChange(about.id)
            case bodies.OpeningBody() if about.id == host:  # its members stay with it, and get its next epoch
                return changes.CommitChange((), renew=False)
            case bodies.CommitBody(renew=renew):
                return changes.CommitChange(removed, renew)
            case bodies.CloseBody():
                return changes.ClosedChange()
        return describe_rights(author.id, content.body, before, ledger)

    def shown_place(self, ledger: Ledger, *, is_history: bool = False) -> int:
        """The place under which the latest entry of this ledger is shown: the same to all, and later than what was.

        Only one who has been on several sides may have seen a later one: to it alone, it has the present term's number.
        """
        openings = self.final_openings or ledger.openings
        place = terms.find_place(openings, ledger.index)
        if not is_history:
            if place < self._latest_shown:
                place = terms.make_place(openings[-1].number, ledger.index)
            self._latest_shown = max(self._latest_shown, place)
        return place

    @property
    def latest_openings(self) -> Sequence[Opening]:
        """By which what was shown has its places: those of the log to which what is replayed leads, if anything is."""
        return self.final_openings or self.ledger.openings

    def find_moved(self, seq: int) -> int | None:
        """The place that something shown under another one has by now; None where it is the same, or an earlier one."""
        place = terms.find_place(self.latest_openings, terms.index_of(seq))
        if place <= seq:
            return None
        self._latest_shown = max(self._latest_shown, place)
        return place

    def follow_entry(self, author: Member, entry: OpenedEntry, age: float, replay: Ledger | None = None) -> Change:
        """Applies the next entry as a host has ordered it; parameters: see `apply_entry`.

        Raises PeerFault if it leads to another group context than the host says.
        """
        ledger = self.ledger if replay is None else replay
        before = ledger.group_context
        change = self.apply_entry(author, entry, age, replay)
        expect(ledger.group_context == (entry.context or before), "other-group-context")
        return change

    def _describe_message(
        self,
        ledger: Ledger,
        author: Member,
        header: Header,
        text: str,
        age: float,
        reply: bodies.EntryId | None,
        *,
        action: bool = False,
        late: bool = False,
        peer: bytes | None = None,
        file: bodies.FileOffer | None = None,
    ) -> changes.MessageChange:
        return changes.MessageChange(
            member=author.id,
            counter=header.counter,
            nick=author.nick,
            text=text,
            seq=self.shown_place(ledger, is_history=ledger is not self.ledger),
            ttl=header.ttl,
            age=age,
            action=action,
            reply=reply,
            peer=peer,
            mine=author.id == self.me.id,
            late=late,
            file=file,
        )

    def _open_private(self, box: bytes, epoch: int, author: bytes, counter: int) -> bodies.PrivateText | None:
        """What another wrote to us alone; None if it is for somebody else, or nothing proper (PROTOCOL.md, 5.15)."""
        info = private.bind_message(self.ledger.room, epoch, author, counter, self.me.id)
        packed = private.open_message(box, self.own_keys, info)
        if packed is None:
            return None
        try:
            opened: bodies.PrivateText = unpack(bodies.PrivateText, packed)
        except PeerFault:
            return None
        return opened if 0 < len(opened.text.encode()) <= limits.TEXT and may_offer(opened) else None

    def _free_nicks(
        self, ledger: Ledger, author: Member, content: bodies.Content | None
    ) -> tuple[changes.RemovedChange, ...]:
        """Remembers who has a nick, or a place, no more once this has taken effect; returns those who are removed."""
        match content and content.body:
            case bodies.NickBody():
                self.reused_nicks.free_nick(author.id, author.nick)
            case bodies.LeaveBody() | bodies.HandOverBody(leaves=True):
                self._note_former(author)
            case bodies.CommitBody(removed=removals):
                gone = [(ledger.get_member(removal.member), removal) for removal in removals]
                whys = {member: order.why for order in ledger.rights.orders for member in order.members}
                for member, _ in gone:
                    self._note_former(member)
                return tuple(
                    changes.RemovedChange(
                        member.id,
                        member.nick,
                        removal.reason,
                        whys.get(member.id, ""),
                        member.away,
                        member.id == self.me.id,
                    )
                    for member, removal in gone
                )
        return ()

    def _note_former(self, member: Member) -> None:
        """The member is none any more."""
        self.reused_nicks.free_nick(member.id, member.nick)
        self.former[member.id] = None
        if len(self.former) > limits.FORMER_MEMBERS:
            del self.former[next(iter(self.former))]

    def _forget_message(self, author: bytes, counter: int) -> None:
        """Forgets what a message said that its author has retracted: even evidence keeps its header alone."""
        for at, (first, *others) in enumerate(self.evidence):
            if is_header_of(first, author, counter):
                self.evidence[at] = (first, b"", *others[1:])

    # --- nicks that may be taken for others

    def present_cautions(self) -> list[Caution]:
        """Of all members but us, as of now: whose nick may be taken for another's or the program's."""
        roster = self.ledger.roster
        cautions = [Caution(about.id, about.nick, word, "reserved") for about, word in roster.with_reserved_nicks()]
        cautions += [Caution(about.id, about.nick, other.nick, "present") for about, other in roster.list_confusables()]
        return [caution for caution in cautions if caution.member != self.me.id]

    def compare_rosters(self, before: Roster, now: Roster) -> list[Caution]:
        """Cautions after a gap in the log between two rosters: members who took a nick that another gave up."""
        for member in before:
            still = now.find_member(member.id)
            if still is None or still.nick != member.nick:
                self.reused_nicks.free_nick(member.id, member.nick)
        cautions: list[Caution] = []
        for member in now:
            already = before.find_member(member.id)
            if already is None or already.nick != member.nick:
                cautions += self._find_former_caution(member)
        return cautions

    def _find_cautions(self, ledger: Ledger, member: Member) -> tuple[Caution, ...]:
        """Cautions of a member who has just got its nick: not all hosts refuse look-alikes and reserved words."""
        if member.id == self.me.id:
            return ()
        cautions = self._find_former_caution(member)
        if word := nicks.reserved_word(member.nick):
            cautions.append(Caution(member.id, member.nick, word, "reserved"))
        if other := ledger.roster.find_confusable(member.nick, member.id):
            cautions.append(Caution(member.id, member.nick, other.nick, "present"))
        return tuple(cautions)

    def _find_former_caution(self, member: Member) -> list[Caution]:
        former = self.reused_nicks.find_former_owner(member.id, member.nick)
        if former is None or member.id == self.me.id:
            return []
        return [Caution(member.id, member.nick, former.nick, "former", former.spoke)]

    def _may_be_reused(self, member: Member) -> bool:
        """Whether one who has just got its nick may be taken for another, of whom we do not know any more."""
        return member.id != self.me.id and self.reused_nicks.may_have_forgotten(member.nick)
