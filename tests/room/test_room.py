"""A host and its members against each other, in any order of events: what people are shown must agree."""

from collections.abc import Callable

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec import UNSET

from anonp2p import limits
from anonp2p.errors import TorLost
from anonp2p.names import nicks
from anonp2p.reasons import Reason
from anonp2p.room import events, inputs
from tests.room.simulation import Simulation
from tests.support.world import Party

NICKS = ["ann", "ANN", "bob", "Bob", "eve", "hugo"]

# Among them how long it takes until somebody is away, or out, and until there is a new epoch.
PAUSES = [
    1.0,
    limits.HEARTBEAT,
    limits.AWAY_SECONDS - 1,
    limits.AWAY_SECONDS,
    limits.COMMIT_SHARES,
    limits.PLACE_SECONDS / 2,
    limits.PLACE_SECONDS,
    limits.EPOCH,
]

people = st.integers(0, 9)  # which of those there are, the host among them
some_nicks = st.sampled_from(NICKS)

# What may be told once it is over: the answers to lines that were typed too late.
AFTER_THE_END = (events.UnsentEvent, events.ErrorEvent)


def check_party(party: Party) -> None:
    """What must hold for everyone at any moment."""
    seqs = [message.seq for message in party.got(events.MessageEvent)]
    assert seqs == sorted(set(seqs)), "seq grows strictly"
    assert not party.got(events.AlarmEvent), "an honest room gives no cause for alarm"
    gone = [at for at, event in enumerate(party.told) if isinstance(event, events.GoneEvent)]
    assert len(gone) == party.room.over
    if gone:
        assert all(isinstance(event, AFTER_THE_END) for event in party.told[gone[0] + 1 :])
    known: list[tuple[str, str]] = []  # whoever it was told of, and under which nick
    for event in party.told:
        if isinstance(event, events.EnteredEvent):
            known += [(person.member, person.nick) for person in event.members]
        elif isinstance(event, events.JoinedEvent | events.RenamedEvent):
            known.append((event.member, event.nick))
        elif isinstance(event, events.LookalikeEvent):
            assert (event.member, event.nick) in known
            # It has not been told of members who were away when it came, nor of those who left within the history.
            is_known = any(member != event.member and nick == event.was for member, nick in known)
            assert is_known or event.of == "former"
            assert nicks.narrow_looks(event.nick) & nicks.narrow_looks(event.was)
    for re, typed in party.typed.items():
        told = [event for event in party.told if event.re == re]
        if isinstance(typed, inputs.SayInput):
            assert len(told) <= 1, "a message has one answer"
            for event in told:
                assert isinstance(event, events.UnsentEvent) or (isinstance(event, events.MessageEvent) and event.mine)
                assert event.text == typed.text
        elif isinstance(typed, inputs.RenameInput):
            assert len(told) <= 1
            assert all(
                isinstance(event, events.RenamedEvent | events.NickUnchangedEvent | events.ErrorEvent) for event in told
            )


def check_order(room: Simulation) -> None:
    """Everyone sees what the host sees, from being let in, without a gap: one is told of any."""
    ordered = room.host.messages
    texts = [text for _, _, _, text, _ in ordered]
    assert len(texts) == len(set(texts)), "nothing is ordered twice"
    for member in room.members:
        said = [typed.text for typed in member.typed.values() if isinstance(typed, inputs.SayInput)]
        mine = [text for text in texts if text in said]
        assert mine == [text for text in said if text in mine], "in the order in which they were typed"
        assert len(member.got(events.EntriesMissedEvent)) <= member.gaps
        stretches = shown_since_welcomes(member)
        for (_, index), shown in zip(member.welcomes, stretches, strict=True):
            assert shown == [message for message in ordered if message[0] > index][: len(shown)]


def shown_since_welcomes(member: Party) -> list[list[tuple[int, str, str, str, bool]]]:
    """The messages it was shown after each of its welcomes."""
    starts = [start for start, _ in member.welcomes]
    messages = member.messages
    return (
        [messages[start:end] for start, end in zip(starts, [*starts[1:], len(messages)], strict=True)] if starts else []
    )


def check_settled(room: Simulation) -> None:
    """With nothing on its way any more, all agree, and nobody waits for anything."""
    ordered = {text for _, _, _, text, _ in room.host.messages}
    for party in [room.host, *room.members]:
        assert party.room.outstanding == 0
        for re, typed in party.typed.items():
            if isinstance(typed, inputs.SayInput):
                answers = room.answers(party, re)
                if not answers:
                    assert party.gaps, "what is not answered has its place where something is missing"
                    assert typed.text in ordered
                    continue
                [answer] = answers
                assert isinstance(answer, events.UnsentEvent) or typed.text in ordered
                if isinstance(answer, events.UnsentEvent) and not party.unlucky:
                    assert typed.text not in ordered
        if party.room.entered:
            assert room.who(party) == room.who(room.host) == party.people
            if party is not room.host:
                _, index = party.welcomes[-1]
                shown = shown_since_welcomes(party)[-1]
                assert shown == [message for message in room.host.messages if message[0] > index]


class Talk(RuleBasedStateMachine):
    """People come, talk, rename themselves, leave and are lost; frames arrive whenever the rules say so."""

    def __init__(self) -> None:
        super().__init__()
        self.room = Simulation()
        self.said = 0

    def one(self, number: int) -> Party:
        """One of all."""
        everyone = [*self.room.members, self.room.host]
        return everyone[number % len(everyone)]

    def member(self, number: int) -> Party:
        """One of those who are not the host."""
        return self.room.members[number % len(self.room.members)]

    @initialize(count=st.integers(0, 3))
    def begin(self, count: int) -> None:
        for nick in NICKS[:-1:2][:count]:
            self.room.joined(nick)

    @precondition(lambda self: len(self.room.members) < 5)
    @rule(nick=some_nicks | st.just(""))
    def come(self, nick: str) -> None:
        self.room.newcomer(nick)

    @rule(who=people, action=st.booleans())
    def say(self, who: int, action: bool) -> None:
        self.said += 1
        self.room.say(self.one(who), f"text {self.said}", action=action)

    @rule(who=people, nick=some_nicks)
    def rename(self, who: int, nick: str) -> None:
        self.room.rename(self.one(who), nick)

    @precondition(lambda self: self.room.members)
    @rule(who=people, now=st.booleans())
    def leave(self, who: int, now: bool) -> None:
        self.room.leave(self.member(who), now=now)

    @precondition(lambda self: self.said > 3)
    @rule(nick=some_nicks)
    def kick(self, nick: str) -> None:
        self.room.kick(nick, "enough")

    @rule(locked=st.booleans())
    def lock(self, locked: bool) -> None:
        self.room.lock(locked=locked)

    @precondition(lambda self: self.said > 5)
    @rule(close=st.booleans())
    def end(self, close: bool) -> None:
        self.room.leave(self.room.host, close=close)

    @precondition(lambda self: self.room.members)
    @rule(who=people)
    def write(self, who: int) -> None:
        self.room.write(self.member(who))

    @precondition(lambda self: self.room.members)
    @rule(who=people, count=st.integers(1, 4))
    def host_hears(self, who: int, count: int) -> None:
        for _ in range(count):
            self.room.host_hears(self.member(who))

    @precondition(lambda self: self.room.members)
    @rule(who=people, count=st.integers(1, 4))
    def member_hears(self, who: int, count: int) -> None:
        for _ in range(count):
            self.room.member_hears(self.member(who))

    @precondition(lambda self: self.room.members)
    @rule(who=people, rounds=st.integers(1, 6))
    def flow(self, who: int, rounds: int) -> None:
        for _ in range(rounds):
            self.write(who)
            self.member_hears(who, 2)
            self.host_hears(who, 2)

    @precondition(lambda self: self.room.members)
    @rule(who=people, delivering=st.booleans())
    def lose(self, who: int, delivering: bool) -> None:
        self.room.lose(self.member(who), delivering=delivering)

    @precondition(lambda self: self.room.members)
    @rule(who=people)
    def hear_late(self, who: int) -> None:
        self.room.host_hears_late(self.member(who))

    @precondition(lambda self: self.room.members)
    @rule(who=people)
    def dial_again(self, who: int) -> None:
        self.room.dial(self.member(who))

    @rule()
    def end_batch(self) -> None:
        self.room.end_batch()

    @rule(seconds=st.sampled_from(PAUSES))
    def wait(self, seconds: float) -> None:
        self.room.wait(seconds)

    @rule(seconds=st.sampled_from([limits.AWAY_SECONDS, limits.PLACE_SECONDS]))
    def oversleep(self, seconds: float) -> None:
        if not self.room.host.room.over:
            self.room.oversleep(seconds)

    @precondition(lambda self: self.room.members)
    @rule(who=people, delivering=st.booleans(), heard=st.booleans())
    def come_back(self, who: int, delivering: bool, heard: bool) -> None:
        """One whose link breaks is on the next at once, and may be ahead of the host's noticing."""
        member = self.member(who)
        self.room.lose(member, delivering=delivering)
        while (links := member.got(events.LinkEvent)) and links[-1].state == "up" and not member.room.over:
            self.room.member_hears(member)
        if heard:
            self.host_hears(who, 4)
        self.room.dial(member)

    @precondition(lambda self: self.room.members)
    @rule(who=people)
    def lose_patience(self, who: int) -> None:
        self.room.lose_patience(self.member(who))

    @rule()
    def settle(self) -> None:
        self.room.settle()
        self.check_settled()

    def check_order(self) -> None:
        check_order(self.room)

    def check_settled(self) -> None:
        check_settled(self.room)

    @invariant()
    def people_are_shown_what_agrees(self) -> None:
        for party in [self.room.host, *self.room.members]:
            check_party(party)
        self.check_order()
        assert set(self.room.drops) <= {"dialled-again"}

    def teardown(self) -> None:
        self.settle()
        self.end(close=True)
        self.settle()
        self.people_are_shown_what_agrees()
        assert all(party.room.over for party in [self.room.host, *self.room.members])


TestTalk = Talk.TestCase
TestTalk.settings = settings(max_examples=100, stateful_step_count=40)


def test_the_talk_in_which_a_host_leaves_after_its_log_left_all_links_behind() -> None:
    """Its author may be given back what has its place: it has lost its link before it could know."""
    talk = Talk()
    talk.begin(count=3)
    talk.say(who=4, action=True)
    talk.host_hears(who=9, count=1)
    for _ in range(4):
        talk.oversleep(seconds=limits.EPOCH)
    talk.end(close=False)
    talk.teardown()


# --- what people are told, step by step


@pytest.fixture
def room() -> Simulation:
    """A host in a room of its own."""
    return Simulation()


def kinds(told: list[events.Event]) -> list[str]:
    return [type(event).__name__ for event in told]


def told_during(party: Party, act: Callable[[], object]) -> list[events.Event]:
    before = len(party.told)
    act()
    return party.told[before:]


def test_a_creator_is_in_at_once_and_then_reachable(room: Simulation) -> None:
    entered, reachable = room.host.told
    assert isinstance(entered, events.EnteredEvent)
    assert (entered.name, entered.nick, entered.role, entered.code) == ("demo", "hugo", "host", room.host.room.code)
    assert [(person.nick, person.role) for person in entered.members] == [("hugo", "host")]
    assert isinstance(reachable, events.ReachableEvent)
    assert room.host.room.settled


def test_a_joiner_connects_and_is_in(room: Simulation) -> None:
    ann = room.joined("ann")
    connecting, up, entered = ann.told
    assert isinstance(connecting, events.LinkEvent)
    assert isinstance(up, events.LinkEvent)
    assert isinstance(entered, events.EnteredEvent)
    assert (connecting.state, up.state) == ("connecting", "up")
    assert (entered.name, entered.nick, entered.role) == ("demo", "ann", "member")
    assert [(person.nick, person.role) for person in entered.members] == [("hugo", "host"), ("ann", "member")]
    assert kinds(room.host.told[2:]) == ["JoinedEvent"]


def test_a_message_reaches_all_and_its_author_once(room: Simulation) -> None:
    ann, bob = room.joined("ann"), room.joined("bob")
    re = room.say(ann, "hello")
    room.settle()
    [receipt] = room.answers(ann, re)
    assert isinstance(receipt, events.MessageEvent)
    assert receipt.mine
    assert receipt.at == 1_000_000
    assert ann.messages == bob.messages == room.host.messages
    for other in (bob, room.host):
        [message] = other.got(events.MessageEvent)
        assert (message.text, message.nick, message.mine, message.re) == ("hello", "ann", False, UNSET)


def test_what_was_said_before_joining_is_not_shown(room: Simulation) -> None:
    room.say(room.host, "before")
    ann = room.joined("ann")
    room.say(room.host, "after")
    room.settle()
    assert [message.text for message in ann.got(events.MessageEvent)] == ["after"]


def test_lines_typed_while_joining_wait_and_are_sent_in_their_order(room: Simulation) -> None:
    ann = room.newcomer("ann")
    for number in range(3):
        room.say(ann, f"early {number}")
    renamed = room.rename(ann, "anna")
    assert ann.room.outstanding == 4
    assert kinds(ann.told) == ["LinkEvent"]
    room.settle()
    assert [message.text for message in room.host.got(events.MessageEvent)] == ["early 0", "early 1", "early 2"]
    assert kinds(room.answers(ann, renamed)) == ["RenamedEvent"]
    assert ann.room.outstanding == 0


def test_lines_typed_while_joining_are_given_back_if_it_fails(room: Simulation) -> None:
    room.joined("ann")
    other = room.newcomer("Ann")
    text, nick, question = room.say(other, "early"), room.rename(other, "eve"), room.ask_who(other)
    room.settle()
    assert kinds(other.told) == ["LinkEvent", "ErrorEvent", "UnsentEvent", "ErrorEvent", "ErrorEvent", "GoneEvent"]
    assert kinds(room.answers(other, text)) == ["UnsentEvent"]
    for re in (nick, question):
        [error] = room.answers(other, re)
        assert isinstance(error, events.ErrorEvent)
        assert error.code == "no-room"
    assert other.got(events.GoneEvent)[0].reason == "refused"


def test_one_with_a_taken_nick_is_refused_and_nobody_inside_notices(room: Simulation) -> None:
    ann = room.joined("ann")
    told = told_during(ann, lambda: room.joined("ANN"))
    other = room.members[-1]
    assert not told
    assert [error.code for error in other.got(events.ErrorEvent)] == ["nick-taken"]
    assert other.room.failure is not None
    assert other.room.failure.status == 4


def test_a_leave_waits_behind_the_lines_that_wait(room: Simulation) -> None:
    ann = room.newcomer("ann")
    text, leave = room.say(ann, "early"), room.leave(ann)
    room.settle()
    assert kinds(room.answers(ann, text)) == ["MessageEvent"]
    assert kinds(room.answers(ann, leave)) == ["GoneEvent"]
    assert [left.reason for left in room.host.got(events.LeftEvent)] == ["left"]


def test_a_leave_at_once_gives_back_the_lines_that_wait(room: Simulation) -> None:
    ann = room.newcomer("ann")
    text = room.say(ann, "early")
    leave = room.leave(ann, now=True)
    assert kinds(room.answers(ann, text)) == ["UnsentEvent"]
    assert kinds(room.answers(ann, leave)) == ["GoneEvent"]
    room.settle()
    assert not room.host.got(events.JoinedEvent)


def test_a_leave_is_confirmed_and_all_see_it(room: Simulation) -> None:
    ann, bob = room.joined("ann"), room.joined("bob")
    re = room.leave(ann)
    assert not ann.room.over
    room.settle()
    [gone] = room.answers(ann, re)
    assert isinstance(gone, events.GoneEvent)
    assert gone.reason == "left"
    assert ann.got(events.LeftEvent) == []
    assert [left.reason for left in bob.got(events.LeftEvent)] == ["left"]
    assert bob.people == room.who(room.host)


def test_a_leave_that_nobody_confirms_takes_its_time_and_no_more(room: Simulation) -> None:
    ann = room.joined("ann")
    room.tick = 1_100.0
    text, leave = room.say(ann, "last"), room.leave(ann)
    assert ann.room.next_deadline() == 1_100.0 + limits.LEAVE_PATIENCE
    room.lose_patience(ann)
    assert kinds(room.answers(ann, text)) == ["UnsentEvent"]
    assert kinds(room.answers(ann, leave)) == ["GoneEvent"]
    assert ann.room.next_deadline() is None


def test_what_is_typed_after_a_leave_is_given_back(room: Simulation) -> None:
    ann = room.joined("ann")
    before = room.say(ann, "before")
    room.leave(ann)
    late, nick = room.say(ann, "late"), room.rename(ann, "eve")
    assert kinds(room.answers(ann, late)) == ["UnsentEvent"]
    assert kinds(room.answers(ann, nick)) == ["ErrorEvent"]
    room.settle()
    assert kinds(room.answers(ann, before)) == ["MessageEvent"]
    assert ann.room.over
    assert kinds(room.answers(ann, room.say(ann, "too late"))) == ["UnsentEvent"]


def test_frames_that_come_after_the_end_are_ignored(room: Simulation) -> None:
    ann = room.joined("ann")
    room.say(room.host, "late")
    room.write(ann)
    room.leave(ann)
    room.lose_patience(ann)
    for late in (
        inputs.ReceivedInput(inputs.UPLINK, bytes(478)),
        inputs.DroppedInput(inputs.UPLINK, "closed", 0.0),
        inputs.TickInput(),
        inputs.DialFailedInput(Reason("not-found")),
    ):
        assert ann.room.handle_input(late, inputs.Now(0, 0)) == []
    assert kinds(ann.told)[-1] == "GoneEvent"


def test_a_member_that_is_out_is_not_heard_any_more(room: Simulation) -> None:
    """Fake leave and go on speaking."""
    ann = room.joined("ann")
    room.say(ann, "on its way")
    room.leave(ann)
    room.host_hears(ann)
    room.host_hears(ann)
    told = told_during(room.host, room.settle)
    assert not told
    assert [message.text for message in room.host.got(events.MessageEvent)] == ["on its way"]


def cut_off(room: Simulation, member: Party) -> None:
    """The member's link breaks, and both ends notice."""
    room.lose(member, delivering=False)
    room.member_hears(member)
    room.host_hears(member)


def hear_all(room: Simulation, member: Party) -> None:
    """The member, and nobody else, gets what there is for it."""
    while member.room.index < room.host.room.index:
        room.write(member)
        room.member_hears(member)
    room.member_hears(member)  # its commit share, if that was a commit


def test_a_lost_member_is_shown_as_lost_once_it_is_away_and_told_so_at_once(room: Simulation) -> None:
    ann, bob = room.joined("ann"), room.joined("bob")
    text = room.say(ann, "sent later")
    cut_off(room, ann)
    assert kinds(ann.told[3:]) == ["JoinedEvent", "LinkEvent"]
    assert ann.got(events.LinkEvent)[-1].state == "lost"
    assert ann.room.entered
    room.wait(limits.AWAY_SECONDS)
    room.write(bob)
    while bob.room.people() != room.host.room.people():
        room.member_hears(bob)
    for party in (bob, room.host):
        assert [(left.nick, left.reason) for left in party.got(events.LeftEvent)] == [("ann", "lost")]
    assert room.answers(ann, text) == []
    room.settle()
    assert kinds(room.answers(ann, text)) == ["MessageEvent"]
    for party in (bob, room.host):
        assert [joined.nick for joined in party.got(events.JoinedEvent)][-1] == "ann"
        assert party.people == room.who(room.host)


def test_a_member_that_finds_no_way_back_is_out_with_what_it_typed(room: Simulation) -> None:
    ann = room.joined("ann")
    text = room.say(ann, "never sent")
    cut_off(room, ann)
    late = room.say(ann, "typed in vain")
    room.give_up(ann)
    assert kinds(ann.told[3:]) == ["LinkEvent", "ErrorEvent", "UnsentEvent", "UnsentEvent", "GoneEvent"]
    assert ann.got(events.GoneEvent)[0].reason == "lost"
    assert kinds(room.answers(ann, text)) == kinds(room.answers(ann, late)) == ["UnsentEvent"]


def test_a_joiner_that_is_lost_before_its_welcome_dials_again(room: Simulation) -> None:
    ann = room.newcomer("ann")
    room.write(ann)
    room.member_hears(ann)
    room.host_hears(ann)
    room.lose(ann, delivering=False)
    room.host_hears(ann)
    room.member_hears(ann)
    room.settle()
    assert [link.attempt for link in ann.got(events.LinkEvent)] == [1, 2, 2]
    assert ann.room.entered
    assert ann.people == room.who(room.host)


def test_a_joiner_that_is_lost_before_its_welcome_is_let_in_even_if_the_host_has_not_noticed(room: Simulation) -> None:
    ann = room.newcomer("ann")
    room.write(ann)
    room.member_hears(ann)
    room.host_hears(ann)
    room.lose(ann, delivering=False)
    room.member_hears(ann)
    room.dial(ann)
    for _ in range(6):
        room.write(ann)
        room.member_hears(ann)
        room.host_hears(ann)
    assert ann.room.entered


@pytest.mark.parametrize("close", [False, True])
def test_the_room_ends_with_its_host(room: Simulation, close: bool) -> None:
    ann, bob = room.joined("ann"), room.newcomer("bob")
    waiting = room.say(bob, "early")
    lost = room.say(ann, "too late for the host")
    room.say(room.host, "bye")
    re = room.leave(room.host, close=close)
    assert kinds(room.answers(room.host, re)) == ["GoneEvent"]
    room.settle()
    assert [message.text for message in ann.got(events.MessageEvent)] == ["bye"]
    assert ann.got(events.GoneEvent)[0].reason == "closed"
    assert kinds(room.answers(ann, lost)) == ["UnsentEvent"]
    assert kinds(room.answers(bob, waiting)) == ["UnsentEvent"]
    assert bob.got(events.GoneEvent)[0].reason == "lost"


def test_a_member_cannot_close_the_room(room: Simulation) -> None:
    ann = room.joined("ann")
    [error] = room.answers(ann, room.leave(ann, close=True))
    assert isinstance(error, events.ErrorEvent)
    assert error.code == "not-allowed"
    assert ann.room.entered


def test_a_host_without_tor_is_out_and_so_is_everyone(room: Simulation) -> None:
    ann = room.joined("ann")
    room.break_down(TorLost("it ended"))
    room.settle()
    assert [gone.reason for gone in room.host.got(events.GoneEvent)] == ["tor"]
    assert [gone.reason for gone in ann.got(events.GoneEvent)] == ["lost"]


def test_a_joiner_that_reaches_nobody_gives_up(room: Simulation) -> None:
    room.leave(room.host)
    ann = room.newcomer("ann")
    room.give_up(ann)
    assert [error.code for error in ann.got(events.ErrorEvent)] == ["unreachable"]
    assert [gone.reason for gone in ann.got(events.GoneEvent)] == ["lost"]
    assert ann.room.failure is not None


def test_a_new_nick_is_seen_by_all(room: Simulation) -> None:
    ann, bob = room.joined("ann"), room.joined("bob")
    re = room.rename(ann, "Anna")
    room.settle()
    assert kinds(room.answers(ann, re)) == ["RenamedEvent"]
    for party in (ann, bob, room.host):
        assert [(event.was, event.nick) for event in party.got(events.RenamedEvent)] == [("ann", "Anna")]


@pytest.mark.parametrize("nick", ["bob", "BOB", "hugo"])
def test_a_taken_nick_is_an_error_for_who_asked_and_for_nobody_else(room: Simulation, nick: str) -> None:
    ann, bob = room.joined("ann"), room.joined("Bob")
    re = room.rename(ann, nick)
    assert not told_during(bob, room.settle)
    [error] = room.answers(ann, re)
    assert isinstance(error, events.ErrorEvent)
    assert error.code == "nick-taken"
    assert ann.room.outstanding == 0
    room.say(ann, "still here")
    room.settle()
    assert bob.messages == ann.messages != []


def test_a_host_is_told_of_a_taken_nick_at_once(room: Simulation) -> None:
    room.joined("ann")
    [error] = room.answers(room.host, room.rename(room.host, "ANN"))
    assert isinstance(error, events.ErrorEvent)
    assert error.code == "nick-taken"


def test_of_two_who_want_one_nick_the_first_to_be_heard_gets_it(room: Simulation) -> None:
    ann, bob = room.joined("ann"), room.joined("bob")
    first, second = room.rename(bob, "eve"), room.rename(ann, "Eve")
    room.host_hears(bob)
    room.settle()
    assert kinds(room.answers(bob, first)) == ["RenamedEvent"]
    assert kinds(room.answers(ann, second)) == ["ErrorEvent"]


def test_ones_own_nick_again_is_no_news(room: Simulation) -> None:
    ann = room.joined("ann")
    assert kinds(room.answers(ann, room.rename(ann, "ann"))) == ["NickUnchangedEvent"]
    assert ann.room.outstanding == 0


def test_a_nick_in_other_letters_is_still_ones_own(room: Simulation) -> None:
    ann = room.joined("ann")
    re = room.rename(ann, "ANN")
    room.settle()
    assert kinds(room.answers(ann, re)) == ["RenamedEvent"]


def test_a_nick_is_free_again_once_its_owner_is_gone(room: Simulation) -> None:
    ann = room.joined("ann")
    room.leave(ann)
    room.settle()
    assert room.joined("Ann").room.entered


def test_questions_are_answered_with_what_holds_now(room: Simulation) -> None:
    ann = room.joined("ann")
    room.joined("bob")
    assert list(room.who(ann).values()) == ["hugo", "ann", "bob"]
    [answer] = room.answers(ann, room.ask_code(ann))
    assert isinstance(answer, events.ReplyEvent)
    assert answer.data == {"code": room.host.room.code}


def test_events_of_the_room_asked_for_carry_who_asked() -> None:
    room = Simulation(re="mine")
    assert [event.re for event in room.host.told] == ["mine", "mine"]
    ann = room.newcomer("ann", re="hers")
    room.settle()
    assert [event.re for event in ann.told] == ["hers", "hers", "hers"]
    room.say(room.host, "hello")
    room.lose(ann, delivering=True)
    room.settle()
    assert {event.re for event in ann.told[3:]} == {UNSET}


# --- links that break


def texts(party: Party) -> list[str]:
    return [message.text for message in party.got(events.MessageEvent)]


def test_one_who_comes_back_has_missed_nothing_and_lost_nothing(room: Simulation) -> None:
    ann, bob = room.joined("ann"), room.joined("bob")
    room.say(ann, "ordered unseen")
    room.host_hears(ann)
    room.say(ann, "sent in vain")
    cut_off(room, ann)
    room.say(ann, "typed meanwhile")
    room.say(bob, "said meanwhile")
    room.settle()
    expected = ["ordered unseen", "said meanwhile", "sent in vain", "typed meanwhile"]
    assert texts(ann) == texts(bob) == texts(room.host) == expected
    assert ann.messages == bob.messages == room.host.messages
    assert [link.state for link in ann.got(events.LinkEvent)] == ["connecting", "up", "lost", "connecting", "up"]
    assert not bob.got(events.LeftEvent)
    assert len(ann.got(events.EnteredEvent)) == 1
    assert ann.room.outstanding == 0


def test_what_was_on_its_way_on_the_old_link_is_not_ordered_after_the_new_one_is_up(room: Simulation) -> None:
    ann = room.joined("ann")
    room.say(ann, "late")
    room.lose(ann, delivering=True)
    while ann.got(events.LinkEvent)[-1].state == "up":
        room.member_hears(ann)
    room.dial(ann)
    room.write(ann)
    room.member_hears(ann)
    room.host_hears(ann)
    room.host_hears_late(ann)
    room.settle()
    assert texts(ann) == texts(room.host) == ["late"]


def test_one_who_lost_its_link_again_while_catching_up_still_gets_all_of_it(room: Simulation) -> None:
    ann, bob = room.joined("ann"), room.joined("bob")
    cut_off(room, ann)
    for number in range(6):
        room.say(bob, f"text {number}")
        room.host_hears(bob)
        room.end_batch()
    mine = room.say(ann, "mine")
    for heard in range(1, 6):
        room.dial(ann)
        room.write(ann)
        room.member_hears(ann)
        room.host_hears(ann)
        room.write(ann)
        for _ in range(heard):
            room.member_hears(ann)
        cut_off(room, ann)
    room.settle()
    assert texts(ann) == texts(bob) == [*(f"text {number}" for number in range(6)), "mine"]
    assert kinds(room.answers(ann, mine)) == ["MessageEvent"]


def test_a_leave_that_lost_its_link_is_over_at_once(room: Simulation) -> None:
    ann = room.joined("ann")
    re = room.leave(ann)
    cut_off(room, ann)
    assert kinds(room.answers(ann, re)) == ["GoneEvent"]


def test_one_who_is_away_too_long_comes_back_as_somebody_new_under_its_nick(room: Simulation) -> None:
    ann, bob = room.joined("ann"), room.joined("bob")
    before = ann.got(events.EnteredEvent)[0]
    text = room.say(ann, "never sent")
    cut_off(room, ann)
    room.wait(limits.PLACE_SECONDS)
    hear_all(room, bob)
    room.say(bob, "missed")
    room.host_hears(bob)
    room.settle()
    assert kinds(room.answers(ann, text)) == ["UnsentEvent"]
    after = ann.got(events.EnteredEvent)[-1]
    assert (before.nick, after.nick) == ("ann", "ann")
    assert before.member != after.member
    [missed] = ann.got(events.EntriesMissedEvent)
    assert (missed.count, missed.verified) == (4, False)  # lost, removed, the text, and ann's own coming
    assert room.who(ann) == room.who(bob) == room.who(room.host) == ann.people == bob.people
    assert texts(ann) == []
    room.say(ann, "here")
    room.settle()
    assert texts(ann) == ["here"]
    assert [left.reason for left in bob.got(events.LeftEvent)] == ["lost"]


def test_one_whose_nick_was_taken_meanwhile_comes_back_under_another(room: Simulation) -> None:
    ann, bob = room.joined("ann"), room.joined("bob")
    cut_off(room, ann)
    room.wait(limits.PLACE_SECONDS)
    hear_all(room, bob)
    re = room.rename(bob, "Ann")
    room.host_hears(bob)
    room.settle()
    assert kinds(room.answers(bob, re)) == ["RenamedEvent"]
    assert ann.room.entered
    assert ann.got(events.EnteredEvent)[-1].nick == "ann-2"
    [assigned] = ann.got(events.NickAssignedEvent)
    assert (assigned.nick, assigned.wanted, assigned.free_in) == ("ann-2", "ann", None)
    assert not ann.got(events.ErrorEvent)


def test_the_nick_of_one_who_is_away_stays_taken(room: Simulation) -> None:
    ann, bob = room.joined("ann"), room.joined("bob")
    cut_off(room, ann)
    room.wait(limits.AWAY_SECONDS)
    re = room.rename(bob, "ANN")
    room.host_hears(bob)
    room.write(bob)
    while bob.room.outstanding:
        room.member_hears(bob)
    assert [type(event).__name__ for event in room.answers(bob, re)] == ["ErrorEvent"]
    room.settle()
    assert ann.room.entered
    assert ann.people[ann.got(events.EnteredEvent)[0].member] == "ann"


def test_a_newcomer_is_not_shown_who_is_away_and_sees_it_return(room: Simulation) -> None:
    ann = room.joined("ann")
    cut_off(room, ann)
    room.wait(limits.AWAY_SECONDS)
    bob = room.newcomer("bob")
    for _ in range(4):
        room.write(bob)
        room.member_hears(bob)
        room.host_hears(bob)
    room.write(bob)
    while not bob.room.entered:
        room.member_hears(bob)
    assert [person.nick for person in bob.got(events.EnteredEvent)[0].members] == ["hugo", "bob"]
    room.settle()
    assert [joined.nick for joined in bob.got(events.JoinedEvent)] == ["ann"]
    assert bob.people == room.who(room.host)


def test_one_who_has_fallen_behind_the_log_is_told_how_much_is_missing(
    room: Simulation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LOG_ENTRIES", 8)
    ann, bob = room.joined("ann"), room.joined("bob")
    first = room.say(ann, "ordered unseen")
    room.host_hears(ann)
    cut_off(room, ann)
    later = room.say(ann, "typed meanwhile")
    for number in range(12):
        room.say(bob, f"text {number}")
        room.host_hears(bob)
        room.write(bob)
    room.settle()
    assert [missed.count for missed in ann.got(events.EntriesMissedEvent)] == [13]
    assert texts(room.host).count("ordered unseen") == 1
    assert room.answers(ann, first) == []
    assert kinds(room.answers(ann, later)) == ["MessageEvent"]
    assert texts(ann) == ["typed meanwhile"]
    assert ann.people == room.who(room.host)


def test_a_denial_that_was_lost_is_no_cause_for_alarm(room: Simulation) -> None:
    ann, bob = room.joined("ann"), room.joined("bob")
    nick, text = room.rename(ann, "bob"), room.say(ann, "hello")
    room.host_hears(ann)
    room.host_hears(ann)
    cut_off(room, ann)
    room.settle()
    assert not ann.got(events.AlarmEvent)
    assert kinds(room.answers(ann, nick)) == ["ErrorEvent"]
    assert kinds(room.answers(ann, text)) == ["MessageEvent"]
    assert texts(bob) == ["hello"]
    assert ann.room.outstanding == 0


def test_a_head_for_the_idle_goes_to_none_that_has_entries_to_come(room: Simulation) -> None:
    ann, bob = room.joined("ann"), room.joined("bob")
    room.say(bob, "hello")
    room.host_hears(bob)
    room.end_batch()
    room.wait(2 * limits.HEARTBEAT)
    room.write(bob)
    room.wait(2 * limits.HEARTBEAT)
    room.settle()
    assert texts(ann) == texts(bob) == ["hello"]
    assert not ann.got(events.AlarmEvent)


class Lag(Talk):
    """The same with a log that is soon too short for one who was away: a gap is told, and what follows is whole."""

    def __init__(self) -> None:
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(limits, "LOG_ENTRIES", 8)
        super().__init__()

    def teardown(self) -> None:
        super().teardown()
        self.patch.undo()


TestLag = Lag.TestCase
TestLag.settings = settings(max_examples=50, stateful_step_count=40)
