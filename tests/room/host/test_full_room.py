"""A full room: who joined, said nothing and hung up gives way to newcomers; everybody else keeps the place.

So does who has been in for a while and said nothing, as long as its link may still be a broken one that comes back.
"""

from itertools import pairwise

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from anonp2p import limits
from anonp2p.crypto import identity
from anonp2p.protocol.bodies import AwayBody, CommitBody, JoinedBody, Removal, RoleBody
from anonp2p.room import events, inputs
from anonp2p.room.moderation_inputs import KickInput, LockInput, RoleInput
from tests.room.host.inn import FalseMember, Inn
from tests.room.peers import ANN, BOB, EVE, ZOE, Somebody, text
from tests.room.simulation import Simulation
from tests.support.world import START, host_role

FEW = 6
LATER = limits.COMMIT_PAUSE + 1  # when there may be another commit


@pytest.fixture
def inn(monkeypatch: pytest.MonkeyPatch) -> Inn:
    """A room of three, which is full: Ann and Eve have a link and have said nothing."""
    monkeypatch.setattr(limits, "MEMBERS", 3)
    return Inn()


def hangs_up(member: FalseMember, tick: float = 0.0) -> None:
    member.inn.takes(inputs.DroppedInput(member.link, "closed", 0.0), tick)


def asks_in(inn: Inn, tick: float = LATER, who: Somebody = ZOE, nick: str = "zoe") -> FalseMember:
    """A newcomer at the handshake key of a full room."""
    newcomer = FalseMember(inn, who)
    inn.tick = tick
    newcomer.dials(tick)
    newcomer.joins(nick)
    return newcomer


def lost(*who: Somebody) -> list[Removal]:
    return [Removal(it.id, "lost") for it in who]


def test_one_who_has_no_link_and_never_spoke_gives_way_to_a_newcomer(inn: Inn) -> None:
    """5.11"""
    hangs_up(inn.eve)
    zoe = asks_in(inn)
    assert zoe.refused is None
    *removed, joined = inn.ordered()
    assert removed == [AwayBody(EVE.id), CommitBody(1, lost(EVE), renew=False)]
    assert isinstance(joined, JoinedBody)
    assert [person.nick for person in inn.room.people()] == ["hugo", "ann", "zoe"]
    inn.ann.follows()
    zoe.says(text("hello"))
    inn.ann.says(text("hello to you"))
    assert inn.ordered()[-2:] == [text("hello"), text("hello to you")]


def test_a_moderator_keeps_its_place(inn: Inn) -> None:
    """5c.10"""
    inn.takes(RoleInput("eve", "moderator", "/op"))
    hangs_up(inn.eve)
    assert asks_in(inn).refused == "full"
    assert inn.ordered() == [RoleBody(EVE.id, "moderator")]


@pytest.mark.parametrize("why", ["locked", "signature", "key", "kicked"])
def test_who_is_not_let_in_anyway_takes_nobodys_place(inn: Inn, why: str) -> None:
    """5.1"""
    hangs_up(inn.eve)
    inn.tick = LATER
    if why == "kicked":
        inn.takes(KickInput("ann"), inn.tick)
        inn.tick += LATER
        asks_in(inn, inn.tick)
    if why == "locked":
        inn.takes(LockInput(locked=True), inn.tick)
    before = len(inn.ordered())
    stranger = FalseMember(inn, ANN if why == "kicked" else BOB)
    stranger.dials(inn.tick)
    key = {"encryption_key": bytes(len(BOB.encryption_key.public))} if why == "key" else {}
    stranger.joins("bob", signer=EVE if why == "signature" else None, **key)
    assert stranger.refused == ("signature" if why == "key" else why)
    assert len(inn.ordered()) == before


class Full(RuleBasedStateMachine):
    """People come to a small room, speak or not, lose links and come back; time passes, less than a place lasts."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(limits, "MEMBERS", FEW)
        self.room = Simulation()
        self.ledger = self.room.host.room.replica.ledger
        self.said = 0
        self.epochs: list[float] = []  # when each began
        self.came: dict[bytes, float] = {}  # when each member did
        self.room.world.watchers.append(lambda *_: self.note_epoch())

    def teardown(self) -> None:
        self.patch.undo()

    def linked(self) -> set[bytes]:
        """The members with a link."""
        return {linked.member for linked in host_role(self.room.host.room).presence.links.values()}

    def roster(self) -> set[bytes]:
        """All members but the host."""
        return {member.id for member in self.ledger.roster} - {self.ledger.host}

    def spoke(self) -> set[bytes]:
        """The members of whom a message was ordered, at once or when its author had come back."""
        authors = {message.member for message in self.room.host.got(events.MessageEvent)}
        return {member for member in self.roster() if identity.spell_member(member) in authors}

    def returning(self) -> set[bytes]:
        """The members who have been in for a while and may come back any moment."""
        before = self.room.tick - limits.READER_SECONDS
        absences = host_role(self.room.host.room).presence.absences.items()
        return {member for member, it in absences if self.came[member] <= before < it.heard_at}

    @rule()
    def comes(self) -> None:
        before, kept = self.roster(), self.linked() | self.spoke() | self.returning()
        in_time = self.room.tick >= (self.epochs or [START])[-1] + limits.COMMIT_PAUSE
        newcomer = self.room.newcomer()
        for _ in range(3):
            self.room.write(newcomer)
            self.room.member_hears(newcomer)
            self.room.host_hears(newcomer)
        assert before & kept <= self.roster(), "who spoke and who has a link keep their places"
        is_in = newcomer.room.replica.me.id in self.roster()
        assert is_in == (len(before) < FEW - 1 or (in_time and not before <= kept))
        if len(before) < FEW - 1 or not is_in:
            assert before <= self.roster(), "nobody gives way to nobody"
        else:
            assert self.roster() == before & kept | {newcomer.room.replica.me.id}, "all who have to give way do at once"
        self.room.settle_without(newcomer)

    @precondition(lambda self: self.room.members)
    @rule(who=st.integers(0, 99), at_once=st.booleans())
    def hangs_up(self, who: int, at_once: bool) -> None:
        member = self.room.members[who % len(self.room.members)]
        if not at_once:
            self.room.settle()
        self.room.lose(member, delivering=False)
        self.room.host_hears(member)

    @precondition(lambda self: self.room.members)
    @rule(who=st.integers(0, 99))
    def speaks(self, who: int) -> None:
        member = self.room.members[who % len(self.room.members)]
        self.said += 1
        self.room.say(member, f"{self.said}")
        self.room.host_hears(member)

    @precondition(lambda self: self.room.members)
    @rule(who=st.integers(0, 99))
    def comes_back(self, who: int) -> None:
        member = self.room.members[who % len(self.room.members)]
        for _ in range(8):
            self.room.dial(member)
            self.room.write(member)
            self.room.member_hears(member)
            self.room.host_hears(member)

    @rule(seconds=st.sampled_from([1.0, limits.COMMIT_PAUSE, limits.AWAY_SECONDS + 1, limits.READER_SECONDS]))
    def waits(self, seconds: float) -> None:
        if self.room.tick + seconds < START + limits.PLACE_SECONDS:
            self.room.wait(seconds)

    def note_epoch(self) -> None:
        if self.ledger.epoch > len(self.epochs):
            self.epochs += [self.room.tick] * (self.ledger.epoch - len(self.epochs))

    @invariant()
    def note_who_came(self) -> None:
        for member in self.roster():
            self.came.setdefault(member, self.room.tick)

    @invariant()
    def commits_are_few(self) -> None:
        assert all(later - earlier >= limits.COMMIT_PAUSE for earlier, later in pairwise(self.epochs))

    @invariant()
    def all_is_well(self) -> None:
        assert len(self.ledger.roster) <= FEW
        assert not self.room.drops or set(self.room.drops) <= {"dialled-again"}
        assert not [event for member in self.room.members for event in member.got(events.AlarmEvent)]


TestFull = Full.TestCase
TestFull.settings = settings(max_examples=40, stateful_step_count=30)
