"""What host and member have in common: who we are, what is on its way, how entries take effect, the way out."""

import math
from collections.abc import Callable
from typing import Literal

from msgspec import UNSET, UnsetType

from anonp2p import errors, limits
from anonp2p.core import code, events, frames, identity, marks, names, steps
from anonp2p.core.epochs import private, suite
from anonp2p.core.epochs.epoch import FLEETING, KEPT, Epoch, Header
from anonp2p.core.expiry import Expiry
from anonp2p.core.ledger import Ledger
from anonp2p.core.namesakes import Namesakes
from anonp2p.core.outbox import GivenBack, Outbox
from anonp2p.core.pending import Pending, Whisper
from anonp2p.core.retention import ANY, NO_HISTORY, rules_in_words
from anonp2p.core.roster import Member, Roster
from anonp2p.core.sealer import Sealer

Phase = Literal["outside", "in", "leaving", "over"]
End = Literal["left", "closed", "kicked", "refused", "lost", "tor"]


_MOMENT = 0.001  # seconds: what is due later by less than a clock can tell is not to be waited for in vain


class Life:
    """The life of a room for us.

    label: what the interface calls it in this process. key: the public key of its onion service. random: gives so many
    fresh bytes. nick: the one asked for, empty for one made from our key. name: of a room that we create, as its host;
    None for a room that we join; retention, history: its rules. cover: whether to hide when nothing is said. re: the id
    of the input that asked for the room.
    """

    def __init__(
        self,
        *,
        label: str,
        key: bytes,
        random: Callable[[int], bytes],
        nick: str,
        name: str | None,
        retention: frames.Retention = ANY,
        history: frames.History = NO_HISTORY,
        cover: bool = False,
        re: events.Re = UNSET,
    ) -> None:
        self.label = label
        self.code = code.encode(key)
        self.hosting = name is not None
        self.failure: errors.AnonError | None = None  # why we never got in, or had to give up
        self.evidence: list[tuple[bytes, ...]] = []  # what proves that our host lies
        self._ledger = Ledger(key)
        self._epoch: Epoch | None = None
        self._name = name
        self._rules = retention, history
        self._cover = cover
        self._ttl: int | None = None  # of our messages; None: as the room has it
        self._expiry = Expiry()
        self._marks = marks.Marks(self._ledger.digest)
        self._namesakes = Namesakes()
        self._shown: dict[bytes, bytes] = {}  # leaves of members by their hashes
        self._random = random
        self._wanted = nick
        self._re = re
        self._phase: Phase = "outside"
        self._outbox = Outbox()
        self._waiting: list[steps.Typed] = []
        self._leave_by: float | None = None
        self._leave_re: events.Re = UNSET
        self._now = steps.Now(0.0, 0.0)
        self._effects: list[steps.Effect] = []
        self._be_somebody()
        self._prepare()

    def _be_somebody(self) -> None:
        """Fresh keys: nobody knows us by them."""
        self._me = identity.Identity(self._random(suite.SECRET), self._ledger.room)
        self._leaves = [suite.LeafKey(self._random(suite.SECRET))]  # the newest first

    def _prepare(self) -> None:
        """Sets up what the parts of host and member have besides."""
        raise NotImplementedError

    @property
    def name(self) -> str:
        """What the room is called; empty while we do not know."""
        return self._ledger.name

    @property
    def index(self) -> int:
        """Of the latest entry that has taken effect."""
        return self._ledger.index

    def people(self) -> list[events.Person]:
        """The members who are here."""
        return self._ledger.people()

    @property
    def entered(self) -> bool:
        """Whether we have been let in and are not out yet."""
        return self._phase in ("in", "leaving")

    @property
    def over(self) -> bool:
        """Whether we are out for good."""
        return self._phase == "over"

    @property
    def outstanding(self) -> int:
        """How many inputs of ours have not got their place or their answer yet."""
        return len(self._outbox) + len(self._waiting)

    # --- in and out

    def _enter(self) -> None:
        self._phase = "in"
        self._tell(
            events.Entered(
                room=self.label,
                name=self._ledger.name,
                code=self.code,
                nick=self._my.nick,
                member=identity.spell(self._me.id),
                role="host" if self.hosting else "member",
                members=self._ledger.people(),
                re=self._re,
            )
        )
        for about, word in self._ledger.roster.with_reserved_nicks():
            self._caution(about, word, "reserved")
        for about, other in self._ledger.roster.confusions():
            self._caution(about, other.nick, "present")
        said = rules_in_words(self._ledger.retention, self._ledger.history)
        if self._cover:
            rate = 2 * limits.UNIT * 60 / limits.COVER / 1000
            said.append(f"Cover is on: about {rate:.0f} kB a minute on each link of yours, both ways together.")
        for text in said:
            self._tell(events.Notice(room=self.label, text=text))

    def _broken(self, event: steps.Broken) -> None:
        self._fail(event.error, "lost" if isinstance(event.error, errors.Unreachable) else "tor")

    def _fail(self, error: errors.AnonError, reason: End) -> None:
        self.failure = error
        self._error(error, UNSET if self.entered else self._re)
        self._out(reason)

    def _out(self, reason: End) -> None:
        """Out of the room: what was not ordered is given back, and no key is kept."""
        re = self._leave_re if self._leave_re is not UNSET or self.entered else self._re
        self._phase = "over"
        self._leave_by = None
        self._tell_given_back(self._outbox.give_back_all())
        for typed in self._waiting:
            self._give_back(typed)
        self._waiting = []
        self._tell_expired(self._expiry.end_all())
        self._shown.clear()
        self._epoch = None
        self._leaves.clear()
        self._tell(events.Gone(room=self.label, reason=reason, re=re))

    def _typed(self, event: steps.Typed) -> None:
        """Takes what the user typed, now or once we are in."""
        raise NotImplementedError

    def _tell_given_back(self, given: list[GivenBack]) -> None:
        for error, line, re in given:
            if error is not None:
                self._error(error, re)
            if line is not None:
                self._tell(events.Unsent(room=self.label, text=line, re=re))

    def _give_back(self, event: steps.Typed) -> None:
        if isinstance(event, steps.Say | steps.Whisper):
            self._tell(events.Unsent(room=self.label, text=event.line, re=event.re))
        elif not isinstance(event, steps.Leave):
            self._error(errors.NoRoom(), event.re)

    # --- entries

    @property
    def _keys(self) -> Epoch:
        assert self._epoch is not None, "asked for the keys of a room that we are not in"
        return self._epoch

    def _note(self, body: frames.Body | Whisper, line: str | None, re: events.Re) -> int:
        """Something of ours that wants a place; its counter."""
        ttl = self._my_ttl if isinstance(body, frames.Text | Whisper) else KEPT
        return self._outbox.add_entry(body, line, re, ttl)

    @property
    def _sealer(self) -> Sealer:
        return Sealer(self._me, self._ledger, self._keys, self._shown)

    @property
    def _my_ttl(self) -> int:
        return self._ledger.retention.default if self._ttl is None else self._ttl

    def _forget_leaves(self) -> None:
        """Of those who are out, or have another one."""
        current = {member.leaf for member in self._ledger.roster}
        self._shown = {leaf: shown for leaf, shown in self._shown.items() if leaf in current}

    def _read_private(self, box: bytes, header: Header, epoch: int) -> str | None:
        about = private.about(self._ledger.room, epoch, header.author, header.counter, self._me.id)
        return private.read(box, self._leaves, about)

    def _apply(self, author: Member, header: Header, content: frames.Content, age: float = 0.0) -> None:
        """The next entry takes effect, and the user is told. age: seconds that it is old."""
        was, epoch = author.nick, self._ledger.epoch
        removed = [self._ledger.member(it.member) for it in self._removed(content.body)]
        self._remember(author, removed, content.body)
        about = self._ledger.apply(author, header, content)
        mine = author.id == self._me.id
        pending = self._outbox.take_entry(header.counter) if mine else None
        re = pending.re if pending else UNSET
        room, member, nick = self.label, identity.spell(about.id), about.nick
        match content.body:
            case frames.Text(text=text, action=action):
                self._show(author, header, text, age, action=action, re=re)
            case frames.Private() if pending is not None:
                self._show_own_whisper(header, pending, age)
            case frames.Private(box=box):
                text_for_us = self._read_private(box, header, epoch)
                if text_for_us is not None:
                    self._show(author, header, text_for_us, age, private=True)
            case frames.Nick():
                unknown = self._unknown_past(about)
                self._tell(events.Renamed(room=room, member=member, nick=nick, was=was, unknown_past=unknown, re=re))
                self._warn(about)
                self._warn_of_looks(about)
            case frames.Leave() if mine:
                self._out("left")
            case frames.Lost() | frames.Back() if about.id == self._me.id:
                pass  # we know when we are linked
            case frames.Joined():
                unknown = self._unknown_past(about)
                self._tell(events.Joined(room=room, member=member, nick=nick, unknown_past=unknown))
                self._warn(about)
                self._warn_of_looks(about)
            case frames.Back():
                self._tell(events.Joined(room=room, member=member, nick=nick))
            case frames.Leave():
                self._tell(events.Left(room=room, member=member, nick=nick, reason="left"))
            case frames.Lost():
                self._tell(events.Left(room=room, member=member, nick=nick, reason="lost"))
            case frames.Lock(locked=locked):
                text = "The room is locked: nobody new is let in." if locked else "The room is open to newcomers again."
                self._tell(events.Notice(room=room, text=text, re=re))
            case frames.Commit(removed=removals):
                for gone, removal in zip(removed, removals, strict=True):
                    self._apply_removal(gone, removal, re)
            case frames.Close():
                self._out("left" if mine else "closed")

    def _apply_gone(self, header: Header, age: float) -> bool:
        """The next entry takes effect, which has expired; whether it was somebody else's, and is lost to us."""
        self._ledger.member(header.author).counter = header.counter
        pending = self._outbox.take_entry(header.counter) if header.author == self._me.id else None
        if pending is None:
            return True
        if isinstance(pending.body, frames.Text):  # our receipt, and at once the end
            self._show(self._my, header, pending.body.text, age, action=pending.body.action, re=pending.re)
        else:
            self._show_own_whisper(header, pending, age)
        return False

    def _show_own_whisper(self, header: Header, pending: Pending, age: float) -> None:
        assert isinstance(pending.body, Whisper), "boxed from one"
        whisper = pending.body
        self._show(self._my, header, whisper.text, age, private=True, to=whisper.nick, re=pending.re)

    def _show(
        self,
        author: Member,
        header: Header,
        text: str,
        age: float,
        *,
        seq: int | None = None,
        action: bool = False,
        private: bool = False,
        to: str | UnsetType = UNSET,
        history: bool = False,
        re: events.Re = UNSET,
    ) -> None:
        """A message, at the latest index unless another is given; and its end, in its time."""
        seq = self._ledger.index if seq is None else seq
        self._namesakes.note_message(author.id)
        self._tell(
            events.Message(
                room=self.label,
                member=identity.spell(author.id),
                nick=author.nick,
                text=text,
                seq=seq,
                at=self._now.wall - age,
                ttl=None if header.ttl == KEPT else header.ttl,
                action=action,
                private=private,
                to=to,
                mine=author.id == self._me.id,
                history=history,
                re=re,
            )
        )
        if header.ttl not in (KEPT, FLEETING):
            end = self._now.age + max(0.0, header.ttl - age)
            self._tell_expired(self._expiry.note_message(seq, end))

    def _tell_expired(self, ended: list[int]) -> None:
        for seq in ended:
            self._tell(events.Expired(room=self.label, seq=seq))

    def _wait_for_cover(self, links: int = 1) -> float:
        """Seconds until one of so many links carries cover again: as if each had its own dice."""
        dice = (int.from_bytes(self._random(8), "big") + 1) / 2**64
        return -math.log(dice) * limits.COVER / links

    def _after(self, age: float) -> float:
        """The tick at which we have to look whether this time has come: soon, as a clock that slept shows it late."""
        return self._now.tick + min(max(_MOMENT, age - self._now.age), limits.NAP)

    @staticmethod
    def _removed(body: frames.Body) -> list[frames.Removal]:
        return body.removed if isinstance(body, frames.Commit) else []

    def _apply_removal(self, gone: Member, removal: frames.Removal, re: events.Re) -> None:
        if gone.id == self._me.id:
            if removal.reason == "kicked":
                why = f": {removal.why}" if removal.why else "."
                self._tell(events.Notice(room=self.label, text=f"The host has thrown you out of the room{why}"))
            self._out(removal.reason)
        elif removal.reason == "kicked" and gone.away:  # the others were told that it is gone
            if re is not UNSET:
                self._tell(events.Notice(room=self.label, text=f"{gone.nick} was away, and is out now.", re=re))
        elif removal.reason == "kicked":
            member = identity.spell(gone.id)
            self._tell(events.Left(room=self.label, member=member, nick=gone.nick, reason="kicked", re=re))

    # --- nicks that others had

    def _remember(self, author: Member, removed: list[Member], body: frames.Body) -> None:
        """Who has a nick no more once this has taken effect."""
        for member in [author] if isinstance(body, frames.Nick | frames.Leave) else removed:
            self._namesakes.free(member.id, member.nick)

    def _warn(self, member: Member) -> None:
        """If one who has just got its nick may be taken for another who had it."""
        former = self._namesakes.before(member.id, member.nick)
        if former and member.id != self._me.id:
            self._tell(
                events.Lookalike(
                    room=self.label,
                    member=identity.spell(member.id),
                    nick=member.nick,
                    was=former.nick,
                    spoke=former.spoke,
                )
            )

    def _unknown_past(self, member: Member) -> Literal[True] | UnsetType:
        """Whether one who has just got its nick may be taken for another, of whom we do not know any more."""
        forgotten = member.id != self._me.id and self._namesakes.may_have_forgotten(member.nick)
        return True if forgotten else UNSET

    def _warn_of_looks(self, member: Member) -> None:
        """If the nick that one has just got may be taken for another's or the program's: not all hosts refuse such."""
        if word := names.reserved_word(member.nick):
            self._caution(member, word, "reserved")
        if other := self._ledger.roster.confused(member.nick, member.id):
            self._caution(member, other.nick, "present")

    def _caution(self, member: Member, was: str, of: Literal["present", "reserved"]) -> None:
        if member.id != self._me.id:
            about = identity.spell(member.id)
            self._tell(events.Lookalike(room=self.label, member=about, nick=member.nick, was=was, of=of))

    def _compare(self, before: Roster, now: Roster) -> None:
        """From here to there we were not told what was ordered: who gave up a nick meanwhile, and who came to one."""
        for member in before:
            still = now.get(member.id)
            if still is None or still.nick != member.nick:
                self._namesakes.free(member.id, member.nick)
        for member in now:
            already = before.get(member.id)
            if already is None or already.nick != member.nick:
                self._warn(member)

    # --- small things

    @property
    def _my(self) -> Member:
        return self._ledger.member(self._me.id)

    def _tell(self, event: events.Event) -> None:
        self._effects.append(steps.Tell(event))

    def _error(self, error: errors.AnonError, re: events.Re) -> None:
        self._tell(events.Error(code=error.code, text=str(error), room=self.label, re=re))
