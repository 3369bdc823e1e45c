"""The states of a member's link to its host, which leads to which, and what the host may send in each."""

from dataclasses import dataclass

from anonp2p.protocol import frames, welcome
from anonp2p.reasons import Fault
from anonp2p.room.ledger import expect
from anonp2p.room.member.backfill import Backfill
from anonp2p.room.member.switch import Switch


@dataclass(frozen=True, slots=True)
class NoLink:
    """There is none, or its first answer has not come."""


@dataclass(frozen=True, slots=True, repr=False)
class Asking:
    """We have asked to be let in, and the answer has come."""

    hello_hash: bytes


@dataclass(frozen=True, slots=True, repr=False)
class Knocking:
    """We wait, on the same link, for a moderator to let us in."""

    hello_hash: bytes


@dataclass(frozen=True, slots=True, repr=False)
class Welcomed:
    """The pages of a welcome are on their way."""

    reader: welcome.WelcomeReader


@dataclass(frozen=True, slots=True, repr=False)
class Proving:
    """Hashes are on their way of what we missed for good, before what follows is shown to us."""

    backfill: Backfill


@dataclass(frozen=True, slots=True, repr=False)
class Backfilling:
    """What was before the welcome is on its way: the history of the room, or what we missed of it."""

    backfill: Backfill


@dataclass(frozen=True, slots=True, repr=False)
class Switching:
    """Entries of a log that parted from ours are on their way: once they prove to lead to a welcome, we go over."""

    switch: Switch


@dataclass(frozen=True, slots=True)
class CatchingUp:
    """We are in, and nothing of ours goes out before we have the log up to this index."""

    target: int


@dataclass(frozen=True, slots=True)
class Up:
    """We have all of the log."""


@dataclass(frozen=True, slots=True)
class Rekeying:
    """A commit has taken effect, and our share of it is on its way.

    after: the state from then on. renews: whether members renew their encryption keys after the commit.
    """

    after: CatchingUp | Up
    renews: bool


@dataclass(frozen=True, slots=True)
class Abandoned:
    """We have ended the link. What still comes on it is nothing to us."""

    was_let_in: bool


State = (
    NoLink | Asking | Knocking | Welcomed | Proving | Backfilling | Switching | CatchingUp | Up | Rekeying | Abandoned
)

# NoLink --answer--> Asking --Welcome--> Welcomed --last Page--> (Proving --last Proof-->) Backfilling
#                     |                                             | all that was before the welcome
#                     |                        +--last Page, of another term--> Switching --all of it--> CatchingUp
#                     +-------------------Resumed-------------> CatchingUp --all that the host had then--> Up
# Asking --Held--> Knocking --Welcome--> Welcomed
# CatchingUp, Up --Commit--> Rekeying --our commit share--> CatchingUp or Up, as before
# any state --a fault of the link--> Abandoned
# any state --the link is lost--> NoLink
_NEXT: dict[type[State], tuple[type[State], ...]] = {
    NoLink: (Asking,),
    Asking: (Knocking, Welcomed, CatchingUp),
    Knocking: (Welcomed,),
    Welcomed: (Proving, Backfilling, Switching),
    Proving: (Backfilling,),
    Backfilling: (CatchingUp,),
    Switching: (CatchingUp,),
    CatchingUp: (Up, Rekeying),
    Up: (Rekeying,),
    Rekeying: (CatchingUp, Up),
}

# In which states a host may send a frame, and what it is otherwise.
_EXPECTED: dict[type[frames.Frame], tuple[tuple[type[State], ...], Fault]] = {
    frames.RefusedFrame: ((Asking, Knocking), "unexpected-refusal"),
    frames.HeldFrame: ((Asking,), "unexpected-hold"),
    frames.WelcomeFrame: ((Asking, Knocking), "unexpected-welcome"),
    frames.PageFrame: ((Welcomed,), "unexpected-page"),
    frames.ProofFrame: ((Proving,), "unexpected-proof"),
    frames.ResumedFrame: ((Asking,), "unwanted-resumption"),
    frames.BackfillFrame: ((Backfilling, Switching, CatchingUp, Up), "unexpected-backfill"),
    frames.CommitShareFrame: ((Rekeying,), "unexpected-share"),
    frames.DeniedFrame: ((CatchingUp, Up, Rekeying), "unexpected-denial"),
    frames.KeyResponseFrame: ((CatchingUp, Up, Rekeying), "unexpected-key"),
    frames.KeyNotFoundFrame: ((CatchingUp, Up, Rekeying), "unexpected-key"),
    frames.PrepareFrame: ((CatchingUp, Up, Rekeying), "unexpected-preparation"),
    frames.EntrustFrame: ((CatchingUp, Up, Rekeying), "unexpected-entrusting"),
    frames.EchoedFrame: ((CatchingUp, Up, Rekeying), "unexpected-echo"),
    frames.KnockersFrame: ((CatchingUp, Up, Rekeying), "unexpected-knockers"),
    frames.ClientsFrame: ((CatchingUp, Up, Rekeying), "unexpected-clients"),
    frames.PoolFrame: ((CatchingUp, Up, Rekeying), "unexpected-pool"),
    frames.WaitingFrame: ((), "unexpected-waiting"),
    frames.RedirectFrame: ((CatchingUp, Up, Rekeying), "unexpected-redirect"),
    frames.HostLivesFrame: ((), "unexpected-sign-of-life"),
    frames.AskHostFrame: ((), "unexpected-sign-of-life"),
    frames.WantFrame: ((), "unexpected-want"),
}


class LinkState:
    """The present state; the only way from one to another."""

    def __init__(self) -> None:
        self._state: State = NoLink()

    @property
    def current(self) -> State:
        """The present state."""
        return self._state

    @property
    def has_no_link(self) -> bool:
        """Whether there is none to a host, and none has answered."""
        return isinstance(self._state, NoLink)

    @property
    def is_let_in(self) -> bool:
        """Whether the host has let us in on this link."""
        if isinstance(self._state, Abandoned):
            return self._state.was_let_in
        return isinstance(self._state, Backfilling | CatchingUp | Up | Rekeying)

    @property
    def is_following(self) -> bool:
        """Whether we follow the log of the host at the other end, and have been shown all that was before."""
        return isinstance(self._state, CatchingUp | Up | Rekeying)

    @property
    def takes_batches(self) -> bool:
        """Whether the host may order entries now."""
        return isinstance(self._state, CatchingUp | Up)

    @property
    def is_up(self) -> bool:
        """Whether we have all of the log, and the keys of its latest epoch."""
        return isinstance(self._state, Up)

    @property
    def has_caught_up(self) -> bool:
        """Whether we have all of the log, with or without the keys of its latest epoch."""
        return self.is_up or (isinstance(self._state, Rekeying) and isinstance(self._state.after, Up))

    @property
    def backfill(self) -> Backfill | None:
        """What is on its way of what was before the welcome."""
        return self._state.backfill if isinstance(self._state, Backfilling) else None

    @property
    def switch(self) -> Switch | None:
        """What is on its way of a log that parted from ours."""
        return self._state.switch if isinstance(self._state, Switching) else None

    def enter(self, state: State) -> None:
        """Goes to a state that follows the present one."""
        assert type(state) in _NEXT[type(self._state)], "a state that does not follow"
        self._state = state

    def abandon(self) -> None:
        """The link is one to end, whatever the state."""
        self._state = Abandoned(self.is_let_in)

    def lose_link(self) -> None:
        """There is no link any more, whatever the state."""
        self._state = NoLink()

    def note_index(self, index: int) -> bool:
        """The log is known up to here. Returns whether that is all, for the first time on this link."""
        match self._state:
            case CatchingUp(target=target) if index >= target:
                self.enter(Up())
                return True
            case Rekeying(after=CatchingUp(target=target), renews=renews) if index >= target:
                self._state = Rekeying(Up(), renews)
                return True
        return False

    def begin_rekeying(self, *, renews: bool) -> None:
        """A commit has taken effect."""
        assert isinstance(self._state, CatchingUp | Up), "entries of an epoch that is over are refused before"
        self.enter(Rekeying(self._state, renews))

    def expect_frame(self, frame: frames.Frame) -> None:
        """Raises PeerFault for a frame that the host may not send now."""
        states, otherwise = _EXPECTED[type(frame)]
        expect(isinstance(self._state, states), otherwise)
