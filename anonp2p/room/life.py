"""What host and member have in common: who we are, what is on its way, how entries take effect, the way out."""

import math
from collections.abc import Callable
from typing import Literal

from msgspec import UNSET, UnsetType

from anonp2p import errors, limits
from anonp2p.crypto import identity, suite
from anonp2p.crypto.epoch import FLEETING, KEPT, Epoch, Header
from anonp2p.names import codes
from anonp2p.protocol import frames
from anonp2p.room import changes, effects, events, inputs
from anonp2p.room.changes import Change
from anonp2p.room.entries import OpenedEntry
from anonp2p.room.expiry import Expiry
from anonp2p.room.ledger import Ledger
from anonp2p.room.narrator import Narrator
from anonp2p.room.outbox import GivenBack, Outbox
from anonp2p.room.pending import Pending, Whisper
from anonp2p.room.replica import Replica
from anonp2p.room.retention import ANY, NO_HISTORY
from anonp2p.room.roster import Member

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
        self.code = codes.encode(key)
        self.hosting = name is not None
        self.failure: errors.AnonError | None = None  # why we never got in, or had to give up
        self._random = random
        self._replica = Replica(key, *self._fresh_keys(key))
        self._narrator = Narrator(label)
        self._name = name
        self._rules = retention, history
        self._cover = cover
        self._ttl: int | None = None  # of our messages; None: as the room has it
        self._expiry = Expiry()
        self._wanted = nick
        self._re = re
        self._phase: Phase = "outside"
        self._outbox = Outbox()
        self._waiting: list[inputs.Typed] = []
        self._leave_by: float | None = None
        self._leave_re: events.Re = UNSET
        self._now = inputs.Now(0.0, 0.0)
        self._effects: list[effects.Effect] = []
        self._prepare()

    def _fresh_keys(self, room: bytes) -> tuple[identity.Identity, suite.LeafKey]:
        """Keys by which nobody knows us."""
        return identity.Identity(self._random(suite.SECRET), room), suite.LeafKey(self._random(suite.SECRET))

    def _prepare(self) -> None:
        """Sets up what the parts of host and member have besides."""
        raise NotImplementedError

    @property
    def evidence(self) -> list[tuple[bytes, ...]]:
        """What proves that our host lies."""
        return self._replica.evidence

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
        for caution in self._replica.present_cautions():
            self._tell(self._narrator.describe_caution(caution))
        for rule in self._narrator.describe_rules(self._ledger.retention, self._ledger.history):
            self._tell(rule)
        if self._cover:
            self._tell(events.CoverOn(room=self.label, rate=2 * limits.UNIT / limits.COVER))

    def _broken(self, event: inputs.Broken) -> None:
        self._fail(event.error, "lost" if isinstance(event.error, errors.Unreachable) else "tor")

    def _fail(self, error: errors.AnonError, reason: End) -> None:
        self.failure = error
        self._error(error, UNSET if self.entered else self._re, final=True)
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
        self._replica.forget_secrets()
        self._tell(events.Gone(room=self.label, reason=reason, re=re))

    def _typed(self, event: inputs.Typed) -> None:
        """Takes what the user typed, now or once we are in."""
        raise NotImplementedError

    def _tell_given_back(self, given: list[GivenBack]) -> None:
        for error, line, re in given:
            if error is not None:
                self._error(error, re)
            if line is not None:
                self._tell(events.Unsent(room=self.label, text=line, re=re))

    def _give_back(self, event: inputs.Typed) -> None:
        if isinstance(event, inputs.Say | inputs.Whisper):
            self._tell(events.Unsent(room=self.label, text=event.line, re=event.re))
        elif not isinstance(event, inputs.Leave):
            self._error(errors.NoRoom(), event.re)

    # --- entries

    @property
    def _ledger(self) -> Ledger:
        return self._replica.ledger

    @property
    def _epoch(self) -> Epoch | None:
        return self._replica.epoch

    @property
    def _me(self) -> identity.Identity:
        return self._replica.me

    @property
    def _leaves(self) -> list[suite.LeafKey]:
        return self._replica.own_keys

    @property
    def _shown(self) -> dict[bytes, bytes]:
        return self._replica.keys

    @property
    def _keys(self) -> Epoch:
        assert self._epoch is not None, "asked for the keys of a room that we are not in"
        return self._epoch

    def _note(self, body: frames.Body | Whisper, line: str | None, re: events.Re) -> int:
        """Something of ours that wants a place; its counter."""
        ttl = self._my_ttl if isinstance(body, frames.Text | Whisper) else KEPT
        return self._outbox.add_entry(body, line, re, ttl)

    @property
    def _my_ttl(self) -> int:
        return self._ledger.retention.default if self._ttl is None else self._ttl

    def _take_change(self, entry: OpenedEntry, change: Change, age: float = 0.0) -> bool:
        """Tells of an entry that has taken effect; False if it was a message to us that had expired before it came."""
        mine = entry.header.author == self._me.id
        pending = self._outbox.take_entry(entry.header.counter) if mine else None
        if pending is None and entry.content is None:
            return False
        if pending is not None and (entry.content is None or isinstance(entry.content.body, frames.Private)):
            change = self._own_message(entry.header, pending, age)  # the receipt for what we know already
        re = pending.re if pending else UNSET
        for part in change.removed if isinstance(change, changes.Committed) else (change,):
            self._tell_change(part, re)
            if end := changes.end_of(part):
                self._out(end)
        return True

    def _own_message(self, header: Header, pending: Pending, age: float) -> changes.Said:
        """A message of ours that its entry does not show us: it is sealed to another, or has expired."""
        assert isinstance(pending.body, Whisper | frames.Text), "nothing else is private or expires"
        text = pending.body.text
        action = isinstance(pending.body, frames.Text) and pending.body.action
        to = pending.body.nick if isinstance(pending.body, Whisper) else None
        return changes.Said(
            member=self._me.id,
            nick=self._my.nick,
            text=text,
            seq=self._ledger.index,
            ttl=header.ttl,
            age=age,
            action=action,
            private=to is not None,
            to=to,
            mine=True,
        )

    def _tell_change(self, change: Change, re: events.Re = UNSET) -> None:
        for event in self._narrator.describe_change(change, self._now.wall, re):
            self._tell(event)
        if isinstance(change, changes.Said):
            self._note_shown(change)

    def _tell_past_change(self, change: Change) -> None:
        for event in self._narrator.describe_past_change(change, self._now.wall):
            self._tell(event)
        if isinstance(change, changes.Said):
            self._note_shown(change)

    def _note_shown(self, said: changes.Said) -> None:
        """A message was shown, and ends in its time."""
        self._replica.reused_nicks.note_message(said.member)
        if said.ttl not in (KEPT, FLEETING):
            end = self._now.age + max(0.0, said.ttl - said.age)
            self._tell_expired(self._expiry.note_message(said.seq, end))

    def _tell_expired(self, ended: list[int]) -> None:
        for seq in ended:
            self._tell(self._narrator.describe_expired(seq))

    def _wait_for_cover(self, links: int = 1) -> float:
        """Seconds until one of so many links carries cover again: as if each had its own dice."""
        dice = (int.from_bytes(self._random(8), "big") + 1) / 2**64
        return -math.log(dice) * limits.COVER / links

    def _after(self, age: float) -> float:
        """The tick at which we have to look whether this time has come: soon, as a clock that slept shows it late."""
        return self._now.tick + min(max(_MOMENT, age - self._now.age), limits.NAP)

    # --- small things

    @property
    def _my(self) -> Member:
        return self._ledger.member(self._me.id)

    def _tell(self, event: events.Event) -> None:
        self._effects.append(effects.Tell(event))

    def _error(self, error: errors.AnonError, re: events.Re, final: Literal[True] | UnsetType = UNSET) -> None:
        self._tell(events.Error(code=error.code, text=str(error), room=self.label, re=re, final=final))
