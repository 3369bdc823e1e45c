"""What host and member have in common: who we are, what is on its way, how entries take effect, the way out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from msgspec import UNSET

from anonp2p import errors
from anonp2p.core import code, events, frames, identity, steps
from anonp2p.core.epochs import suite
from anonp2p.core.epochs.epoch import COMMIT, ENTRY, Epoch, Header
from anonp2p.core.ledger import Ledger, entry_content
from anonp2p.core.roster import Member

Phase = Literal["outside", "in", "leaving", "over"]
End = Literal["left", "closed", "kicked", "refused", "lost", "tor"]


@dataclass(frozen=True, slots=True, repr=False)
class Sealed:
    """An entry of ours, sealed in an epoch: what was signed, and its bytes."""

    epoch: int
    header: Header
    content: frames.Content
    body: bytes
    payload: bytes


@dataclass(slots=True, repr=False)
class Pending:
    """Something of ours on its way: the text to give back if it is not ordered, and the input that asked for it.

    In the epoch in which it was first sent, the same bytes go out again on a new link; in another, it is sealed anew.
    Either way what has its place already is known by its counter.
    """

    body: frames.Body
    text: str | None
    re: events.Re
    sealed: Sealed | None = None

    @property
    def deniable(self) -> bool:
        """Whether a host may refuse it through nobody's fault: another was faster."""
        return isinstance(self.body, frames.Nick)


class Life:
    """The life of a room for us.

    label: what the interface calls it in this process. key: the public key of its onion service. random: gives so many
    fresh bytes. nick: the one asked for, empty for one made from our key. name: of a room that we create, as its host;
    None for a room that we join. re: the id of the input that asked for the room.
    """

    def __init__(
        self,
        *,
        label: str,
        key: bytes,
        random: Callable[[int], bytes],
        nick: str,
        name: str | None,
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
        self._random = random
        self._wanted = nick
        self._re = re
        self._phase: Phase = "outside"
        self._pending: dict[int, Pending] = {}
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
        self._counter = 0

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
        return len(self._pending) + len(self._waiting)

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
        self._give_back_pending()
        for typed in self._waiting:
            self._give_back(typed)
        self._waiting = []
        self._epoch = None
        self._leaves.clear()
        self._tell(events.Gone(room=self.label, reason=reason, re=re))

    def _typed(self, event: steps.Typed) -> None:
        """Takes what the user typed, now or once we are in."""
        raise NotImplementedError

    def _give_back_pending(self) -> None:
        for pending in self._pending.values():
            if pending.text is not None:
                self._tell(events.Unsent(room=self.label, text=pending.text, re=pending.re))
            elif pending.deniable:
                self._error(errors.Failed("Your change of nick did not reach the room."), pending.re)
        self._pending.clear()

    def _give_back(self, event: steps.Typed) -> None:
        if isinstance(event, steps.Say):
            self._tell(events.Unsent(room=self.label, text=event.text, re=event.re))
        elif not isinstance(event, steps.Leave):
            self._error(errors.NoRoom(), event.re)

    # --- entries

    @property
    def _keys(self) -> Epoch:
        assert self._epoch is not None, "asked for the keys of a room that we are not in"
        return self._epoch

    def _note(self, body: frames.Body, text: str | None, re: events.Re) -> int:
        """Something of ours that wants a place; its counter."""
        self._counter += 1
        self._pending[self._counter] = Pending(body, text, re)
        return self._counter

    def _seal(self, counter: int) -> Sealed:
        """What is pending under this counter, signed and sealed in the present epoch: once, whoever asks again."""
        pending, keys = self._pending[counter], self._keys
        if pending.sealed is None or pending.sealed.epoch != keys.number:
            kind = COMMIT if isinstance(pending.body, frames.Commit) else ENTRY
            generation = keys.chains[self._me.id].generation if kind == ENTRY else 0
            header = Header(kind, self._me.id, counter, generation)
            content = frames.Content(self._ledger.index, self._ledger.digest, pending.body)
            packed = frames.pack(content)
            signature = self._me.sign(identity.ENTRY, entry_content(keys.number, header.pack(), packed))
            body = signature + packed
            pending.sealed = Sealed(keys.number, header, content, body, keys.seal_entry(header, body))
        return pending.sealed

    def _apply(self, author: Member, header: Header, content: frames.Content) -> None:
        """The next entry takes effect, and the user is told."""
        seq, was = self._ledger.index, author.nick
        removed = [self._ledger.member(it.member) for it in self._removed(content.body)]
        about = self._ledger.apply(author, header, content)
        mine = author.id == self._me.id
        pending = self._pending.pop(header.counter, None) if mine else None
        re = pending.re if pending else UNSET
        room, member, nick = self.label, identity.spell(about.id), about.nick
        match content.body:
            case frames.Text(text=text, action=action):
                at = self._now.wall
                self._tell(
                    events.Message(
                        room=room, member=member, nick=nick, text=text, seq=seq, at=at, action=action, mine=mine, re=re
                    )
                )
            case frames.Nick():
                self._tell(events.Renamed(room=room, member=member, nick=nick, was=was, re=re))
            case frames.Leave() if mine:
                self._out("left")
            case frames.Lost() | frames.Back() if about.id == self._me.id:
                pass  # we know when we are linked
            case frames.Joined() | frames.Back():
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

    # --- small things

    @property
    def _my(self) -> Member:
        return self._ledger.member(self._me.id)

    def _tell(self, event: events.Event) -> None:
        self._effects.append(steps.Tell(event))

    def _error(self, error: errors.AnonError, re: events.Re) -> None:
        self._tell(events.Error(code=error.code, text=str(error), room=self.label, re=re))
