"""A room against peers that break the rules: a lying host is left with an alarm, a lying member loses its link."""

from collections.abc import Callable

import pytest
from msgspec import UNSET

from anonp2p import limits
from anonp2p.core import events, frames, identity, steps
from anonp2p.core.frames import Body, Close, Content, Joined, Leave, Lost, Nick, Text
from anonp2p.core.identity import ENTRY, JOIN, Identity
from anonp2p.core.ledger import FIRST
from anonp2p.core.room import Room

ROOM = b"r" * 32
HOST, ME, ANN, EVE = (Identity(name * 32, ROOM) for name in (b"h", b"m", b"a", b"e"))
NOW = steps.Now(0.0, 1_000_000.0)
HELLO = frames.Hello(frames.VERSION, b"n" * 32)
SEATS = [frames.Seat(HOST.key, "host", 3), frames.Seat(ANN.key, "ann", 0), frames.Seat(ME.key, "me", 0)]
WELCOME = frames.Welcome("demo", HOST.id, 5)


def sealed(author: Identity, counter: int, body: Body, signer: Identity | None = None) -> tuple[bytes, bytes]:
    content = frames.seal(Content(author.id, counter, body))
    return content, (signer or author).sign(ENTRY, content)


def told(effects: list[steps.Effect]) -> list[events.Event]:
    return [effect.event for effect in effects if isinstance(effect, steps.Tell)]


def kinds(happened: list[events.Event]) -> list[str]:
    return [type(event).__name__ for event in happened]


# --- a member's room, and a host that the test plays


class Guest:
    """A room that wants to be let in, as far as the test lets it come."""

    def __init__(self) -> None:
        self.room = Room(label="r1", key=ROOM, me=ME, nick="me", name=None)
        self.index = WELCOME.index
        self.takes(steps.Start())
        self.takes(steps.Dialling(1, ""))

    def takes(self, step: steps.Input) -> list[events.Event]:
        """What it tells the user about this step."""
        self.effects = self.room.handle(step, NOW)
        return told(self.effects)

    def hears(self, *heard: frames.Frame) -> list[events.Event]:
        """What it tells the user about these frames of its host."""
        return [event for frame in heard for event in self.takes(steps.Heard(steps.UPLINK, frame))]

    def entry(self, author: Identity, counter: int, body: Body, signer: Identity | None = None) -> frames.Entry:
        """An entry in the next place."""
        self.index += 1
        return frames.Entry(self.index - 1, *sealed(author, counter, body, signer))

    def says(self, text: str) -> frames.Submit:
        """The user says this; what goes to the host."""
        self.takes(steps.Say(text))
        [sent] = [effect for effect in self.effects if isinstance(effect, steps.Send)]
        [submit] = frames.Decoder(frames.FromMember, limits.FRAME).feed(sent.data)
        assert isinstance(submit, frames.Submit)
        return submit


@pytest.fixture
def guest() -> Guest:
    """A room whose user was let in."""
    guest = Guest()
    shown = guest.hears(HELLO, frames.Roster(SEATS), WELCOME)
    assert kinds(shown) == ["Link", "Entered"]
    return guest


def assert_left_in_alarm(guest: Guest, happened: list[events.Event], host: bytes = HOST.id) -> None:
    """4.7: an alarm that names the host, the way out, and nothing shown of what caused it."""
    alarm, gone = (event for event in happened if not isinstance(event, events.Unsent | events.Error))
    assert isinstance(alarm, events.Alarm)
    assert alarm.member == identity.spell(host)
    assert isinstance(gone, events.Gone)
    assert gone.reason == "lost"
    assert happened[-1] is gone
    assert guest.room.over
    assert guest.hears(guest.entry(HOST, 2**53 - 1, Text("still here", action=False))) == []


LYING_ENTRIES: dict[str, Callable[[Guest], list[frames.Frame]]] = {
    "no content": lambda _: [frames.Entry(5, b"\xc1", bytes(64))],
    "a forged signature": lambda it: [it.entry(ANN, 1, Text("lie", action=False), signer=HOST)],
    "an entry of a stranger": lambda it: [it.entry(EVE, 1, Text("lie", action=False))],
    "a place left out": lambda _: [frames.Entry(6, *sealed(ANN, 1, Text("lie", action=False)))],
    "a place taken twice": lambda it: [
        it.entry(HOST, 4, Lost(ANN.id)),
        frames.Entry(5, *sealed(HOST, 5, Text("lie", action=False))),
    ],
    "a counter of before the welcome": lambda it: [it.entry(HOST, 3, Text("lie", action=False))],
    "a counter repeated": lambda it: [it.entry(ANN, 1, Nick("anna")), it.entry(ANN, 1, Text("lie", action=False))],
    "a text without end": lambda it: [it.entry(ANN, 1, Text("x" * (limits.TEXT + 1), action=False))],
    "an empty text": lambda it: [it.entry(ANN, 1, Text("", action=False))],
    "a nick of two": lambda it: [it.entry(ANN, 1, Nick("ME"))],
    "a nick that hides": lambda it: [it.entry(ANN, 1, Nick("me\u200b"))],
    "a host that leaves": lambda it: [it.entry(HOST, 4, Leave())],
    "a member that lets in": lambda it: [it.entry(ANN, 1, Joined(EVE.key, "eve"))],
    "a member that closes": lambda it: [it.entry(ANN, 1, Close())],
    "a member that removes": lambda it: [it.entry(ANN, 1, Lost(ME.id))],
    "a newcomer that is in": lambda it: [it.entry(HOST, 4, Joined(ANN.key, "eve"))],
    "a newcomer like another": lambda it: [it.entry(HOST, 4, Joined(EVE.key, "Ann"))],
    "a newcomer that hides": lambda it: [it.entry(HOST, 4, Joined(EVE.key, "[SYSTEM]"))],
    "the loss of a stranger": lambda it: [it.entry(HOST, 4, Lost(EVE.id))],
    "the loss of itself": lambda it: [it.entry(HOST, 4, Lost(HOST.id))],
    "one who is out speaking on": lambda it: [it.entry(ANN, 1, Leave()), it.entry(ANN, 2, Text("lie", action=False))],
    "one who was lost speaking on": lambda it: [
        it.entry(HOST, 4, Lost(ANN.id)),
        it.entry(ANN, 1, Text("lie", action=False)),
    ],
    "a second hello": lambda _: [HELLO],
    "a second roster": lambda _: [frames.Roster(SEATS)],
    "a second welcome": lambda _: [WELCOME],
    "a refusal after the welcome": lambda _: [frames.Refused("full")],
    "a denial of nothing": lambda _: [frames.Denied(1, "nick-taken")],
}


@pytest.mark.parametrize("lie", LYING_ENTRIES)
def test_a_host_that_lies_is_left_with_an_alarm_and_the_lie_is_not_shown(guest: Guest, lie: str) -> None:
    """4.5, 4.7"""
    *honest, lying = LYING_ENTRIES[lie](guest)
    guest.hears(*honest)
    assert not guest.room.over
    assert_left_in_alarm(guest, guest.hears(lying))


LYING_WELCOMES: dict[str, list[frames.Frame]] = {
    "a roster without us": [HELLO, frames.Roster(SEATS[:2]), WELCOME],
    "a roster without the host": [HELLO, frames.Roster(SEATS[1:]), WELCOME],
    "no roster": [HELLO, WELCOME],
    "us as the host": [HELLO, frames.Roster(SEATS), frames.Welcome("demo", ME.id, 5)],
    "two of one key": [HELLO, frames.Roster([*SEATS, frames.Seat(ANN.key, "eve", 0)])],
    "two of one nick": [HELLO, frames.Roster([*SEATS, frames.Seat(EVE.key, "ANN", 0)])],
    "the same in two pages": [HELLO, frames.Roster(SEATS), frames.Roster(SEATS[:1])],
    "an improper nick": [HELLO, frames.Roster([*SEATS, frames.Seat(EVE.key, "e\u202ee", 0)])],
    "a key that anybody can sign for": [HELLO, frames.Roster([*SEATS, frames.Seat(b"\x01" + bytes(31), "eve", 0)])],
    "a room name that hides": [HELLO, frames.Roster(SEATS), frames.Welcome("de\nmo", HOST.id, 5)],
    "no room name": [HELLO, frames.Roster(SEATS), frames.Welcome("", HOST.id, 5)],
    "a roster before the hello": [frames.Roster(SEATS)],
    "a welcome before the hello": [WELCOME],
    "a refusal before the hello": [frames.Refused("full")],
    "a second hello": [HELLO, HELLO],
    "an entry before the welcome": [
        HELLO,
        frames.Roster(SEATS),
        frames.Entry(FIRST, *sealed(ANN, 1, Text("lie", action=False))),
    ],
    "a denial before the welcome": [HELLO, frames.Denied(1, "nick-taken")],
}


@pytest.mark.parametrize("lie", LYING_WELCOMES)
def test_a_host_that_welcomes_wrongly_is_left_with_an_alarm(lie: str) -> None:
    """4.7"""
    guest = Guest()
    guest.takes(steps.Say("typed early", re=7))
    *honest, lying = LYING_WELCOMES[lie]
    assert guest.hears(*honest) == []
    happened = guest.hears(lying)
    assert kinds(happened) == ["Alarm", "Error", "Unsent", "Gone"]
    assert_left_in_alarm(guest, happened, host=b"")


def test_a_join_that_ends_in_an_alarm_has_failed() -> None:
    guest = Guest()
    guest.hears(HELLO, frames.Roster(SEATS[:2]), WELCOME)
    assert guest.room.over
    assert guest.room.failure is not None


def test_a_roster_beyond_the_limit_is_not_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MEMBERS", 2)
    guest = Guest()
    assert kinds(guest.hears(HELLO, frames.Roster(SEATS))) == ["Alarm", "Error", "Gone"]


def test_a_host_of_another_version_is_not_asked() -> None:
    """4.1"""
    guest = Guest()
    happened = guest.hears(frames.Hello(frames.VERSION + 1, bytes(32)))
    assert kinds(happened) == ["Error", "Gone"]
    assert not [effect for effect in guest.effects if isinstance(effect, steps.Send)]
    assert guest.room.failure is not None


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        ("signature", "refused"),
        ("full", "refused"),
        ("bad-nick", "bad-nick"),
        ("nick-taken", "nick-taken"),
        ("not-allowed", "not-allowed"),
    ],
)
def test_a_refusal_is_told_in_our_own_words(reason: frames.Reason, code: str) -> None:
    guest = Guest()
    error, gone = guest.hears(HELLO, frames.Refused(reason))
    assert isinstance(error, events.Error)
    assert error.code == code
    assert isinstance(gone, events.Gone)
    assert gone.reason == "refused"


def test_a_join_answers_the_hello_of_its_own_link() -> None:
    """3.3"""
    guest = Guest()
    for nonce in (b"1" * 32, b"2" * 32):
        guest.takes(steps.Dialling(1, ""))
        guest.hears(frames.Hello(frames.VERSION, nonce))
        [sent] = [effect for effect in guest.effects if isinstance(effect, steps.Send)]
        [join] = frames.Decoder(frames.FromJoiner, limits.HANDSHAKE_BYTES).feed(sent.data)
        assert join == frames.Join(ME.key, "me", ME.sign(JOIN, nonce + b"me"))


def test_beats_say_nothing(guest: Guest) -> None:
    assert guest.hears(frames.Beat()) == []


def test_what_was_not_ordered_is_given_back_when_the_host_lies(guest: Guest) -> None:
    guest.says("precious")
    happened = guest.hears(HELLO)
    assert kinds(happened) == ["Alarm", "Unsent", "Gone"]
    assert_left_in_alarm(guest, happened)


def test_ones_own_entry_changed_by_the_host_is_not_shown(guest: Guest) -> None:
    submit = guest.says("I agree")
    changed = submit.content.replace(b"I agree", b"I doubt")
    happened = guest.hears(frames.Entry(5, changed, submit.signature))
    assert_left_in_alarm(guest, happened)
    assert [event.text for event in happened if isinstance(event, events.Unsent)] == ["I agree"]


def test_ones_own_entry_ordered_twice_is_not_shown_twice(guest: Guest) -> None:
    submit = guest.says("once")
    assert kinds(guest.hears(frames.Entry(5, submit.content, submit.signature))) == ["Message"]
    assert_left_in_alarm(guest, guest.hears(frames.Entry(6, submit.content, submit.signature)))


def test_a_denied_text_is_given_back(guest: Guest) -> None:
    guest.says("unwanted")
    assert kinds(guest.hears(frames.Denied(1, "not-allowed"))) == ["Error", "Unsent"]
    assert guest.room.outstanding == 0


def test_a_second_denial_is_one_of_nothing(guest: Guest) -> None:
    guest.says("unwanted")
    guest.hears(frames.Denied(1, "not-allowed"))
    assert_left_in_alarm(guest, guest.hears(frames.Denied(1, "not-allowed")))


def test_what_was_given_back_is_never_shown_as_ordered(guest: Guest) -> None:
    submit = guest.says("unwanted")
    assert kinds(guest.hears(frames.Denied(1, "not-allowed"))) == ["Error", "Unsent"]
    assert_left_in_alarm(guest, guest.hears(frames.Entry(5, submit.content, submit.signature)))


def test_a_host_that_leaves_out_one_of_our_own_lines_is_noticed(guest: Guest) -> None:
    guest.says("first")
    second = guest.says("second")
    assert_left_in_alarm(guest, guest.hears(frames.Entry(5, second.content, second.signature)))


def test_a_host_cannot_name_us_as_it_likes() -> None:
    guest = Guest()
    seats = [*SEATS[:2], frames.Seat(ME.key, "fool", 0)]
    assert_left_in_alarm(guest, guest.hears(HELLO, frames.Roster(seats), WELCOME), host=b"")


def test_a_roster_that_broke_off_is_forgotten_on_the_next_link() -> None:
    guest = Guest()
    guest.hears(HELLO, frames.Roster(SEATS[:2]))
    guest.takes(steps.Dropped(steps.UPLINK, "the connection was closed"))
    guest.takes(steps.Dialling(2, "the connection was closed"))
    assert kinds(guest.hears(HELLO, frames.Roster(SEATS), WELCOME)) == ["Link", "Entered"]


def test_a_lost_that_names_us_is_the_end(guest: Guest) -> None:
    [gone] = guest.hears(guest.entry(HOST, 4, Lost(ME.id)))
    assert isinstance(gone, events.Gone)
    assert gone.reason == "lost"


# --- a host's room, and members that the test plays


class Inn:
    """A host's room with two members in it: Ann on link 1, Eve on link 2."""

    def __init__(self) -> None:
        self.room = Room(label="r1", key=ROOM, me=HOST, nick="host", name="demo")
        self.takes(steps.Start())
        for link, who, nick in ((1, ANN, "ann"), (2, EVE, "eve")):
            assert [type(effect) for effect in self.asked(link, who, nick)] == [steps.Tell, steps.Admit]
        self.before = self.room.log.end

    def takes(self, step: steps.Input) -> list[steps.Effect]:
        """What it wants done about this step."""
        return self.room.handle(step, NOW)

    def asked(self, link: int, who: Identity, nick: str) -> list[steps.Effect]:
        """Somebody asks to be let in."""
        nonce = bytes([link]) * 32
        return self.takes(steps.Asked(link, nonce, frames.Join(who.key, nick, who.sign(JOIN, nonce + nick.encode()))))

    def submitted(self, link: int, content: bytes, signature: bytes) -> list[steps.Effect]:
        """An entry comes from this link."""
        return self.takes(steps.Heard(link, frames.Submit(content, signature)))

    def ordered(self) -> list[Body]:
        """What was ordered since the two came in."""
        batch = self.room.log.since(self.before)
        assert batch is not None
        entries = frames.Decoder(frames.FromHost, limits.FRAME).feed(batch[0])
        return [frames.unseal(entry.content).body for entry in entries if isinstance(entry, frames.Entry)]


@pytest.fixture
def inn() -> Inn:
    """A host with Ann and Eve in its room."""
    return Inn()


def assert_dropped(inn: Inn, effects: list[steps.Effect], *before: Body) -> None:
    """4.6: Eve's link is dropped at once, and she is lost to all; nothing else happened."""
    drop, tell = effects
    assert isinstance(drop, steps.Drop)
    assert drop.link == 2
    assert isinstance(tell, steps.Tell)
    assert isinstance(tell.event, events.Left)
    assert (tell.event.nick, tell.event.reason) == ("eve", "lost")
    assert inn.ordered() == [*before, Lost(EVE.id)]
    assert inn.takes(steps.Dropped(2, "the connection was closed")) == []
    assert inn.submitted(2, *sealed(EVE, 99, Text("still here", action=False))) == []
    assert inn.ordered() == [*before, Lost(EVE.id)]
    inn.submitted(1, *sealed(ANN, 50, Text("undisturbed", action=False)))
    assert inn.ordered()[-1] == Text("undisturbed", action=False)


LYING_SUBMITS: dict[str, tuple[bytes, bytes]] = {
    "no content": (b"\xc1", bytes(64)),
    "another's entry, signed by itself": sealed(ANN, 1, Text("lie", action=False), signer=EVE),
    "another's entry, as another sent it": sealed(ANN, 1, Text("copied", action=False)),
    "a stranger's entry": sealed(ME, 1, Text("lie", action=False)),
    "the host's entry": sealed(HOST, 2**50, Close(), signer=EVE),
    "a bad signature": (sealed(EVE, 1, Text("lie", action=False))[0], bytes(64)),
    "a signed join": (sealed(EVE, 1, Leave())[0], EVE.sign(JOIN, sealed(EVE, 1, Leave())[0])),
    "a counter of 0": sealed(EVE, 0, Text("lie", action=False)),
    "a text without end": sealed(EVE, 1, Text("x" * (limits.TEXT + 1), action=False)),
    "an empty text": sealed(EVE, 1, Text("", action=False)),
    "a nick that hides": sealed(EVE, 1, Nick("an\u200bn")),
    "a nick of many lines": sealed(EVE, 1, Nick("eve\n[SYSTEM] hello")),
    "a nick without end": sealed(EVE, 1, Nick("x" * 60_000)),
    "a newcomer": sealed(EVE, 1, Joined(ME.key, "me")),
    "the loss of another": sealed(EVE, 1, Lost(ANN.id)),
    "the end of the room": sealed(EVE, 1, Close()),
}


@pytest.mark.parametrize("lie", LYING_SUBMITS)
def test_a_member_that_lies_is_dropped_and_nobody_else_notices(inn: Inn, lie: str) -> None:
    """4.5, 4.6"""
    assert_dropped(inn, inn.submitted(2, *LYING_SUBMITS[lie]))


def test_a_member_that_repeats_itself_is_dropped(inn: Inn) -> None:
    entry = sealed(EVE, 1, Text("once", action=False))
    inn.submitted(2, *entry)
    assert_dropped(inn, inn.submitted(2, *entry), Text("once", action=False))


def test_a_member_that_repeats_what_was_denied_is_dropped(inn: Inn) -> None:
    entry = sealed(EVE, 1, Nick("ann"))
    [denied] = inn.submitted(2, *entry)
    assert denied == steps.Send(2, frames.encode(frames.Denied(1, "nick-taken")))
    assert_dropped(inn, inn.submitted(2, *entry))


def test_an_improper_nick_is_a_fault_even_where_it_looks_like_a_taken_one(inn: Inn) -> None:
    assert_dropped(inn, inn.submitted(2, *sealed(EVE, 1, Nick("ＡＮＮ"))))


def test_a_copy_of_anothers_entry_does_not_use_up_its_counter(inn: Inn) -> None:
    entry = sealed(ANN, 1, Text("mine", action=False))
    inn.submitted(2, *entry)
    [tell] = inn.submitted(1, *entry)
    assert isinstance(tell, steps.Tell)
    assert isinstance(tell.event, events.Message)


def test_what_comes_over_a_link_that_is_nobodys_is_ignored(inn: Inn) -> None:
    assert inn.submitted(9, *sealed(ANN, 1, Text("lie", action=False))) == []
    assert inn.ordered() == []


def test_a_stranger_that_is_refused_learns_one_word_and_nobody_notices(inn: Inn) -> None:
    [finish] = inn.asked(3, ME, "Ann")
    assert finish == steps.Finish(3, frames.encode(frames.Refused("nick-taken")))
    assert inn.ordered() == []
    assert inn.takes(steps.Dropped(3, "the connection was closed")) == []


def test_one_who_dials_again_is_on_its_new_link_alone_and_nobody_notices(inn: Inn) -> None:
    drop, admit = inn.asked(3, EVE, "eve")
    assert isinstance(drop, steps.Drop)
    assert drop.link == 2
    assert isinstance(admit, steps.Admit)
    assert inn.takes(steps.Dropped(2, "the connection was closed")) == []
    assert inn.submitted(2, *sealed(EVE, 1, Text("late", action=False))) == []
    inn.submitted(3, *sealed(EVE, 1, Text("hello", action=False)))
    assert inn.ordered() == [Text("hello", action=False)]


def test_nobody_takes_anothers_place_by_dialling(inn: Inn) -> None:
    """3.3: the signature has to be over the nonce of this very link."""
    recorded = frames.Join(EVE.key, "eve", EVE.sign(JOIN, bytes([2]) * 32 + b"eve"))
    [finish] = inn.takes(steps.Asked(3, bytes([3]) * 32, recorded))
    assert finish == steps.Finish(3, frames.encode(frames.Refused("signature")))
    inn.submitted(2, *sealed(EVE, 1, Text("hello", action=False)))
    assert inn.ordered() == [Text("hello", action=False)]


def test_a_newcomer_is_shown_the_room_as_it_is_and_follows_from_there(inn: Inn) -> None:
    """4.3"""
    tell, admit = inn.asked(3, ME, "me")
    assert isinstance(tell, steps.Tell)
    assert isinstance(admit, steps.Admit)
    roster, welcome = frames.Decoder(frames.FromHost, limits.FRAME).feed(admit.data)
    assert isinstance(roster, frames.Roster)
    assert [seat.nick for seat in roster.seats] == ["host", "ann", "eve", "me"]
    assert welcome == frames.Welcome("demo", HOST.id, admit.cursor)
    assert admit.cursor == inn.room.log.end


def test_entries_go_out_as_their_authors_signed_them(inn: Inn) -> None:
    """3.3, 4.4"""
    content, signature = sealed(EVE, 5, Text("hello", action=False))
    inn.submitted(2, content, signature)
    assert inn.room.log.since(inn.before) == (
        frames.encode(frames.Entry(inn.before, content, signature)),
        inn.before + 1,
    )


def test_a_leave_ends_the_link_once_everything_is_sent(inn: Inn) -> None:
    """4.8"""
    tell, finish = inn.submitted(2, *sealed(EVE, 1, Leave()))
    assert isinstance(tell, steps.Tell)
    assert finish == steps.Finish(2)
    assert inn.takes(steps.Dropped(2, "the connection was closed")) == []
    assert inn.ordered() == [Leave()]


def test_nothing_that_goes_through_a_room_is_shown_by_repr(inn: Inn) -> None:
    effects = inn.submitted(2, *sealed(EVE, 1, Text("secret", action=False)))
    told_of = told(effects)
    for thing in (
        *effects,
        *told_of,
        steps.Say("secret"),
        steps.Rename("secret"),
        events.Unsent(room="r1", text="secret"),
    ):
        assert "secret" not in repr(thing)
    assert told_of[0].re is UNSET
