"""A room against peers that break the rules: a lying host is left with an alarm, a lying member loses its link."""

from collections.abc import Callable
from itertools import pairwise

import pytest
from msgspec import UNSET

from anonp2p import limits
from anonp2p.core import events, frames, identity, steps
from anonp2p.core.frames import Back, Body, Close, Content, Joined, Leave, Lost, Nick, Removed, Text
from anonp2p.core.identity import ENTRY, HEAD, JOIN, RESUME, Identity
from anonp2p.core.ledger import FIRST
from anonp2p.core.life import Pending
from anonp2p.core.room import Room

ROOM = b"r" * 32
HOST, ME, ANN, EVE = (Identity(name * 32, ROOM) for name in (b"h", b"m", b"a", b"e"))
START = 1_000.0  # where the clock stands at the beginning means nothing
NOW = steps.Now(START, 1_000_000.0)
HELLO = frames.Hello(frames.VERSION, b"n" * 32)
DIGEST = b"d" * 32  # of the log that our host had before it let us in


def seat(who: Identity, nick: str, counter: int = 0, *, away: bool = False) -> frames.Seat:
    return frames.Seat(who.key, nick, counter, away)


SEATS = [seat(HOST, "host", 3), seat(ANN, "ann"), seat(ME, "me")]
WELCOME = frames.Welcome("demo", HOST.id, 4, DIGEST)


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

    def __init__(self, fresh: Callable[[], Identity] = lambda: ME) -> None:
        self.room = Room(label="r1", key=ROOM, fresh=fresh, nick="me", name=None)
        self.index = WELCOME.index
        self.digest = DIGEST
        self.time = 0
        self.takes(steps.Start())
        self.takes(steps.Dialling(1, ""))

    def takes(self, step: steps.Input) -> list[events.Event]:
        """What it tells the user about this step."""
        self.effects = self.room.handle(step, NOW)
        return told(self.effects)

    def hears(self, *heard: frames.Frame) -> list[events.Event]:
        """What it tells the user about these frames of its host; behind each entry comes a head that covers it."""
        shown = []
        for frame in heard:
            shown += self.takes(steps.Heard(steps.UPLINK, frame))
            if isinstance(frame, frames.Entry):
                shown += self.takes(steps.Heard(steps.UPLINK, self.head(frame)))
        return shown

    def hears_bare(self, *heard: frames.Frame) -> list[events.Event]:
        """The same, without any heads."""
        return [event for frame in heard for event in self.takes(steps.Heard(steps.UPLINK, frame))]

    def head(self, *entries: frames.Entry, signer: Identity = HOST, label: bytes = HEAD) -> frames.Head:
        """A head over all so far and these entries."""
        for entry in entries:
            self.digest = identity.chain(self.digest, entry.index, entry.content, entry.signature)
        index = entries[-1].index if entries else self.index
        return self.signed_head(index, self.digest, self.time, signer=signer, label=label)

    @staticmethod
    def signed_head(
        index: int, digest: bytes, time: int, *, signer: Identity = HOST, label: bytes = HEAD
    ) -> frames.Head:
        """Just what the arguments say."""
        content = index.to_bytes(8, "big") + digest + time.to_bytes(8, "big")
        return frames.Head(index, digest, time, signer.sign(label, content))

    def entry(self, author: Identity, counter: int, body: Body, signer: Identity | None = None) -> frames.Entry:
        """An entry in the next place."""
        self.index += 1
        return frames.Entry(self.index, *sealed(author, counter, body, signer))

    def redials(self, attempt: int) -> frames.Frame:
        """Its link breaks, and it gets a hello on the next: how it answers. The nonce is 32 times the attempt."""
        self.takes(steps.Dropped(steps.UPLINK, "the connection was closed", 0.0))
        self.takes(steps.Dialling(attempt, ""))
        assert self.hears(frames.Hello(frames.VERSION, bytes([attempt]) * 32)) == []
        [sent] = [effect for effect in self.effects if isinstance(effect, steps.Send)]
        [answer] = frames.Decoder(frames.FromJoiner, limits.HANDSHAKE_BYTES).feed(sent.data)
        return answer

    def submits(self) -> list[frames.Frame]:
        """What went to the host with the last step."""
        sent = b"".join(effect.data for effect in self.effects if isinstance(effect, steps.Send))
        return list(frames.Decoder(frames.FromMember, limits.FRAME).feed(sent))

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
    "a resumption that was not asked for": lambda _: [frames.Resumed(4)],
    "one who is away speaking": lambda it: [
        it.entry(HOST, 4, Lost(ANN.id)),
        it.entry(ANN, 1, Text("lie", action=False)),
    ],
    "the loss of one who is away": lambda it: [it.entry(HOST, 4, Lost(ANN.id)), it.entry(HOST, 5, Lost(ANN.id))],
    "the return of one who is here": lambda it: [it.entry(HOST, 4, Back(ANN.id))],
    "the removal of one who is here": lambda it: [it.entry(HOST, 4, Removed(ANN.id))],
    "the return of one who is out": lambda it: [
        it.entry(HOST, 4, Lost(ANN.id)),
        it.entry(HOST, 5, Removed(ANN.id)),
        it.entry(HOST, 6, Back(ANN.id)),
    ],
    "one who is removed speaking on": lambda it: [
        it.entry(HOST, 4, Lost(ANN.id)),
        it.entry(HOST, 5, Removed(ANN.id)),
        it.entry(ANN, 1, Text("lie", action=False)),
    ],
    "a member that removes one who is away": lambda it: [
        it.entry(HOST, 4, Lost(ANN.id)),
        it.entry(ME, 1, Removed(ANN.id)),
    ],
    "a head without a signature": lambda it: [frames.Head(4, DIGEST, 0, bytes(64))],
    "a head of a member": lambda it: [it.head(signer=ANN)],
    "a head for another purpose": lambda it: [it.head(label=ENTRY)],
    "a head of another room": lambda it: [it.head(signer=Identity(b"h" * 32, b"s" * 32))],
    "a head whose index was changed": lambda it: [frames.Head(5, DIGEST, 0, it.head().signature)],
    "a head whose hash was changed": lambda it: [frames.Head(4, bytes(32), 0, it.head().signature)],
    "a head whose time was changed": lambda it: [frames.Head(4, DIGEST, 1, it.head().signature)],
    "a head for another log": lambda it: [it.signed_head(4, bytes(32), 0)],
    "a head for a longer log": lambda it: [it.signed_head(5, DIGEST, 0)],
    "a head for a shorter log": lambda it: [it.signed_head(3, DIGEST, 0)],
    "an older head": lambda it: [it.signed_head(4, DIGEST, 1_000), it.signed_head(4, DIGEST, 999)],
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
    "us as the host": [HELLO, frames.Roster(SEATS), frames.Welcome("demo", ME.id, 4, DIGEST)],
    "two of one key": [HELLO, frames.Roster([*SEATS, seat(ANN, "eve")])],
    "two of one nick": [HELLO, frames.Roster([*SEATS, seat(EVE, "ANN")])],
    "the same in two pages": [HELLO, frames.Roster(SEATS), frames.Roster(SEATS[:1])],
    "an improper nick": [HELLO, frames.Roster([*SEATS, seat(EVE, "e\u202ee")])],
    "a key that anybody can sign for": [
        HELLO,
        frames.Roster([*SEATS, frames.Seat(b"\x01" + bytes(31), "eve", 0, away=False)]),
    ],
    "a room name that hides": [HELLO, frames.Roster(SEATS), frames.Welcome("de\nmo", HOST.id, 4, DIGEST)],
    "no room name": [HELLO, frames.Roster(SEATS), frames.Welcome("", HOST.id, 4, DIGEST)],
    "a roster before the hello": [frames.Roster(SEATS)],
    "a welcome before the hello": [WELCOME],
    "a refusal before the hello": [frames.Refused("full")],
    "a second hello": [HELLO, HELLO],
    "an entry before the welcome": [
        HELLO,
        frames.Roster(SEATS),
        frames.Entry(FIRST, *sealed(ANN, 1, Text("lie", action=False))),
    ],
    "a head before the welcome": [HELLO, Guest.signed_head(4, DIGEST, 0)],
    "a resumption of what never began": [HELLO, frames.Resumed(0)],
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
        ("repeated", "not-allowed"),
        ("unknown", "refused"),
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
        guest.takes(steps.Dropped(steps.UPLINK, "the connection was closed", 0.0))


def test_heads_over_nothing_new_say_nothing(guest: Guest) -> None:
    assert guest.hears(guest.head(), guest.head()) == []
    assert not guest.room.over


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


def test_the_id_of_ones_own_input_is_at_ones_own_entry_alone(guest: Guest) -> None:
    guest.takes(steps.Say("mine", re=7))
    [submit] = guest.submits()
    assert isinstance(submit, frames.Submit)
    [anns] = guest.hears(guest.entry(ANN, 1, Text("hers, with the same counter", action=False)))
    assert anns.re is UNSET
    guest.index += 1
    [mine] = guest.hears(frames.Entry(guest.index, submit.content, submit.signature))
    assert mine.re == 7


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
    seats = [*SEATS[:2], seat(ME, "fool")]
    assert_left_in_alarm(guest, guest.hears(HELLO, frames.Roster(seats), WELCOME), host=b"")


def test_a_roster_that_broke_off_is_forgotten_on_the_next_link() -> None:
    guest = Guest()
    guest.hears(HELLO, frames.Roster(SEATS[:2]))
    guest.takes(steps.Dropped(steps.UPLINK, "the connection was closed", 0.0))
    guest.takes(steps.Dialling(2, "the connection was closed"))
    assert kinds(guest.hears(HELLO, frames.Roster(SEATS), WELCOME)) == ["Link", "Entered"]


def test_a_removal_that_names_us_is_the_end(guest: Guest) -> None:
    assert guest.hears(guest.entry(HOST, 4, Lost(ME.id))) == []
    assert guest.room.entered
    [gone] = guest.hears(guest.entry(HOST, 5, Removed(ME.id)))
    assert isinstance(gone, events.Gone)
    assert gone.reason == "lost"


def test_nothing_is_shown_before_its_head(guest: Guest) -> None:
    entries = [guest.entry(ANN, counter, Text(f"text {counter}", action=False)) for counter in (1, 2, 3)]
    assert guest.hears_bare(*entries) == []
    shown = guest.hears(guest.head(*entries))
    assert kinds(shown) == ["Message"] * 3
    assert [event.seq for event in shown if isinstance(event, events.Message)] == [5, 6, 7]


def test_what_no_head_ever_covered_is_shown_when_it_comes_again_and_once(guest: Guest) -> None:
    entry = guest.entry(ANN, 1, Text("hello", action=False))
    assert guest.hears_bare(entry) == []
    guest.redials(1)
    shown = guest.hears(frames.Resumed(5), entry)
    assert kinds(shown) == ["Link", "Message"]


def test_a_head_that_covers_a_lie_shows_what_was_true_before_it_and_no_more(guest: Guest) -> None:
    entries = [guest.entry(ANN, 1, Text("true", action=False)), guest.entry(EVE, 1, Text("lie", action=False))]
    guest.hears_bare(*entries)
    assert kinds(guest.hears(guest.head(*entries))) == ["Message", "Alarm", "Gone"]


@pytest.mark.parametrize("end", ["the host's", "our own"])
def test_what_one_head_covers_behind_the_end_of_the_room_is_not_shown(guest: Guest, end: str) -> None:
    """4.10"""
    if end == "our own":
        guest.takes(steps.Leave())
        [submit] = guest.submits()
        assert isinstance(submit, frames.Submit)
        guest.index += 1
        last = frames.Entry(guest.index, submit.content, submit.signature)
    else:
        last = guest.entry(HOST, 4, Close())
    entries = [last, guest.entry(ANN, 1, Text("too late", action=False))]
    guest.hears_bare(*entries)
    assert kinds(guest.hears(guest.head(*entries))) == ["Gone"]


def test_entries_without_end_and_without_a_head_are_not_held(guest: Guest) -> None:
    entries = [guest.entry(ANN, counter + 1, Text("x", action=False)) for counter in range(limits.UNCOVERED + 1)]
    assert guest.hears_bare(*entries[:-1]) == []
    assert not guest.room.over
    assert_left_in_alarm(guest, guest.hears_bare(entries[-1]))


def test_as_many_entries_as_may_be_are_covered_by_one_head(guest: Guest) -> None:
    entries = [guest.entry(ANN, counter + 1, Text("x", action=False)) for counter in range(limits.UNCOVERED)]
    guest.hears_bare(*entries)
    assert len(guest.hears(guest.head(*entries))) == limits.UNCOVERED


# --- a member that comes back


def test_a_member_comes_back_from_where_it_was_with_a_signature_for_this_link(guest: Guest) -> None:
    guest.hears(guest.entry(ANN, 1, Text("hello", action=False)))
    position = (5).to_bytes(8, "big") + guest.digest
    for attempt in (1, 2):
        signature = ME.sign(RESUME, bytes([attempt]) * 32 + position)
        assert guest.redials(attempt) == frames.Resume(ME.id, 5, guest.digest, signature)


def test_a_member_that_lost_its_link_is_still_in(guest: Guest) -> None:
    [lost] = guest.takes(steps.Dropped(steps.UPLINK, "the connection broke", 0.0))
    assert isinstance(lost, events.Link)
    assert (lost.state, lost.detail) == ("lost", "the connection broke")
    assert guest.room.entered
    assert guest.takes(steps.Say("typed meanwhile")) == []
    assert guest.effects == []
    assert guest.room.outstanding == 1


def test_what_waits_goes_out_as_it_was_and_in_its_order_once_all_before_is_known(guest: Guest) -> None:
    sent = guest.says("sent")
    guest.takes(steps.Dropped(steps.UPLINK, "the connection broke", 0.0))
    guest.takes(steps.Say("typed meanwhile"))
    guest.redials(1)
    assert kinds(guest.hears(frames.Resumed(6))) == ["Link"]
    assert guest.submits() == []
    guest.hears(guest.entry(ANN, 1, Text("one", action=False)))
    assert guest.submits() == []
    guest.takes(steps.Say("typed while catching up"))
    assert guest.submits() == []
    guest.hears(guest.entry(ANN, 2, Text("two", action=False)))
    first, *others = guest.submits()
    assert first == sent
    texts = [frames.unseal(submit.content).body for submit in (first, *others) if isinstance(submit, frames.Submit)]
    assert texts == [Text(text, action=False) for text in ("sent", "typed meanwhile", "typed while catching up")]


def test_one_who_was_catching_up_and_is_welcomed_anew_is_up_at_once(guest: Guest) -> None:
    sent = guest.says("sent")
    guest.redials(1)
    guest.hears(frames.Resumed(90))
    guest.redials(2)
    guest.hears(frames.Roster(SEATS), frames.Welcome("demo", HOST.id, 50, bytes(32)))
    assert guest.submits() == [sent]


def test_what_has_its_place_by_now_is_not_sent_again(guest: Guest) -> None:
    submit = guest.says("ordered meanwhile")
    guest.redials(1)
    guest.hears(frames.Resumed(5))
    guest.index += 1
    shown = guest.hears(frames.Entry(5, submit.content, submit.signature))
    assert [(event.text, event.mine) for event in shown if isinstance(event, events.Message)] == [
        ("ordered meanwhile", True)
    ]
    assert guest.submits() == []
    assert guest.room.outstanding == 0


COMING_BACK_TO_LIES: dict[str, Callable[[Guest], list[frames.Frame]]] = {
    "a log that has become shorter": lambda _: [frames.Resumed(3)],
    "a second resumption": lambda _: [frames.Resumed(4), frames.Resumed(4)],
    "a welcome after the resumption": lambda _: [frames.Resumed(4), WELCOME],
    "a refusal after the resumption": lambda _: [frames.Resumed(4), frames.Refused("unknown")],
    "an entry before the resumption": lambda it: [it.entry(ANN, 1, Text("lie", action=False))],
    "a head before the resumption": lambda it: [it.head()],
    "another entry in an old place": lambda _: [
        frames.Resumed(4),
        frames.Entry(4, *sealed(ANN, 1, Text("lie", action=False))),
    ],
    "another log": lambda it: [frames.Resumed(4), it.signed_head(4, bytes(32), 0)],
    "an older head": lambda it: [it.signed_head(4, DIGEST, 4_999)],
    "a roster without us": lambda _: [frames.Roster(SEATS[:2]), WELCOME],
}


@pytest.mark.parametrize("lie", COMING_BACK_TO_LIES)
def test_a_host_that_lies_to_one_who_comes_back_is_left_with_an_alarm(guest: Guest, lie: str) -> None:
    guest.hears(guest.signed_head(4, DIGEST, 5_000))
    guest.time = 5_000
    guest.redials(1)
    *honest, lying = COMING_BACK_TO_LIES[lie](guest)
    guest.hears(*honest)
    assert not guest.room.over
    assert_left_in_alarm(guest, guest.hears(lying))


def test_one_whose_place_in_the_log_is_lost_is_welcomed_and_told_what_it_missed(guest: Guest) -> None:
    ordered = guest.says("ordered unseen")
    unheard = guest.says("unheard")
    guest.redials(1)
    seats = [seat(HOST, "host", 30), seat(ANN, "ann", 7, away=True), seat(ME, "me", 1)]
    happened = guest.hears(frames.Roster(seats), frames.Welcome("demo", HOST.id, 104, bytes(32)))
    assert kinds(happened) == ["Link", "Entered", "Notice"]
    notice = happened[-1]
    assert isinstance(notice, events.Notice)
    assert "100 entries" in notice.text
    assert [person.nick for person in guest.room.people()] == ["host", "me"]
    assert guest.submits() == [unheard] != [ordered]
    assert guest.room.outstanding == 1


def test_one_who_is_not_known_any_more_gives_back_and_joins_anew_under_its_nick() -> None:
    identities = iter([ME, EVE])
    guest = Guest(fresh=lambda: next(identities))
    guest.hears(HELLO, frames.Roster(SEATS), WELCOME)
    guest.says("precious")
    guest.redials(1)
    assert kinds(guest.hears(frames.Refused("unknown"))) == ["Unsent"]
    assert not guest.room.over
    assert guest.takes(steps.Say("typed while outside")) == []
    assert guest.redials(2) == frames.Join(EVE.key, "me", EVE.sign(JOIN, bytes([2]) * 32 + b"me"))
    assert guest.hears(frames.Refused("nick-taken")) == []
    assert guest.redials(3) == frames.Join(EVE.key, "", EVE.sign(JOIN, bytes([3]) * 32))
    nick = f"anon-{identity.spell(EVE.id)[:4]}"
    seats = [seat(HOST, "host", 30), seat(ANN, "me", 7), seat(EVE, nick)]
    happened = guest.hears(frames.Roster(seats), frames.Welcome("demo", HOST.id, 11, bytes(32)))
    assert kinds(happened) == ["Link", "Entered", "Notice"]
    notice = happened[-1]
    assert isinstance(notice, events.Notice)
    assert "7 entries" in notice.text
    [submit] = guest.submits()
    assert isinstance(submit, frames.Submit)
    assert frames.unseal(submit.content) == Content(EVE.id, 1, Text("typed while outside", action=False))


@pytest.mark.parametrize("reason", ["signature", "full", "bad-nick", "nick-taken", "not-allowed", "repeated"])
def test_one_who_comes_back_and_is_refused_for_anything_but_its_place_is_out(
    guest: Guest, reason: frames.Reason
) -> None:
    guest.redials(1)
    assert kinds(guest.hears(frames.Refused(reason))) == ["Error", "Gone"]
    assert guest.room.over


@pytest.mark.parametrize("reason", ["signature", "full", "bad-nick", "not-allowed", "repeated", "unknown"])
def test_one_who_joins_anew_and_is_refused_for_anything_but_its_nick_is_out(reason: frames.Reason) -> None:
    identities = iter([ME, EVE])
    guest = Guest(fresh=lambda: next(identities))
    guest.hears(HELLO, frames.Roster(SEATS), WELCOME)
    guest.redials(1)
    guest.hears(frames.Refused("unknown"))
    guest.redials(2)
    assert kinds(guest.hears(frames.Refused(reason))) == ["Error", "Gone"]
    assert guest.room.over


def test_a_host_that_finds_no_nick_for_us_is_not_asked_for_ever() -> None:
    identities = iter([ME, EVE])
    guest = Guest(fresh=lambda: next(identities))
    guest.hears(HELLO, frames.Roster(SEATS), WELCOME)
    guest.redials(1)
    guest.hears(frames.Refused("unknown"))
    guest.redials(2)
    assert guest.hears(frames.Refused("nick-taken")) == []
    guest.redials(3)
    assert kinds(guest.hears(frames.Refused("nick-taken"))) == ["Error", "Gone"]


def test_one_who_has_another_nick_by_now_is_welcomed_anew_under_it(guest: Guest) -> None:
    guest.takes(steps.Rename("moi"))
    [submit] = guest.submits()
    assert isinstance(submit, frames.Submit)
    guest.index += 1
    assert kinds(guest.hears(frames.Entry(5, submit.content, submit.signature))) == ["Renamed"]
    guest.redials(1)
    seats = [*SEATS[:2], seat(ME, "moi", 1)]
    happened = guest.hears(frames.Roster(seats), frames.Welcome("demo", HOST.id, 104, bytes(32)))
    assert kinds(happened) == ["Link", "Entered", "Notice"]


def test_a_nick_that_was_taken_at_first_is_still_an_error() -> None:
    guest = Guest()
    assert kinds(guest.hears(HELLO, frames.Refused("nick-taken"))) == ["Error", "Gone"]


# --- a host's room, and members that the test plays


class Inn:
    """A host's room with two members in it: Ann on link 1, Eve on link 2."""

    def __init__(self) -> None:
        self.room = Room(label="r1", key=ROOM, fresh=lambda: HOST, nick="host", name="demo")
        self.takes(steps.Start())
        for link, who, nick in ((1, ANN, "ann"), (2, EVE, "eve")):
            assert [type(effect) for effect in self.asked(link, who, nick)] == [steps.Tell, steps.Admit]
        self.before = self.room.log.end

    def takes(self, step: steps.Input, tick: float = 0.0) -> list[steps.Effect]:
        """What it wants done about this step."""
        return self.room.handle(step, NOW._replace(tick=START + tick))

    def ticks(self, tick: float) -> None:
        """It does all that is due until then, and not a moment before it is due."""
        while (deadline := self.room.next_deadline()) is not None and deadline <= START + tick:
            self.takes(steps.Tick(), deadline - START)
            self.room.end_burst(NOW._replace(tick=deadline))

    def resumed(self, link: int, who: Identity, index: int, digest: bytes, tick: float = 0.0) -> list[steps.Effect]:
        """Somebody comes back from this place in the log."""
        nonce = bytes([link]) * 32
        signature = who.sign(RESUME, nonce + index.to_bytes(8, "big") + digest)
        return self.takes(steps.Asked(link, nonce, frames.Resume(who.id, index, digest, signature)), tick)

    def head(self) -> frames.Head:
        """The latest head, which covers everything."""
        self.room.end_burst(NOW._replace(tick=START))
        batch = self.room.log.since(1)
        assert batch is not None
        *_, head = frames.Decoder(frames.FromHost, limits.FRAME).feed(batch[0])
        assert isinstance(head, frames.Head)
        return head

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
    """4.6: Eve's link is dropped at once, and she is lost to all and no member any more; nothing else happened."""
    drop, tell = effects
    assert isinstance(drop, steps.Drop)
    assert drop.link == 2
    assert isinstance(tell, steps.Tell)
    assert isinstance(tell.event, events.Left)
    assert (tell.event.nick, tell.event.reason) == ("eve", "lost")
    assert inn.ordered() == [*before, Lost(EVE.id), Removed(EVE.id)]
    assert inn.takes(steps.Dropped(2, "the connection was closed", 0.0)) == []
    assert inn.submitted(2, *sealed(EVE, 99, Text("still here", action=False))) == []
    assert inn.ordered() == [*before, Lost(EVE.id), Removed(EVE.id)]
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
    "a text without end": sealed(EVE, 1, Text("x" * (limits.TEXT + 1), action=False)),
    "an empty text": sealed(EVE, 1, Text("", action=False)),
    "a nick that hides": sealed(EVE, 1, Nick("an\u200bn")),
    "a nick of many lines": sealed(EVE, 1, Nick("eve\n[SYSTEM] hello")),
    "a nick without end": sealed(EVE, 1, Nick("x" * 60_000)),
    "a newcomer": sealed(EVE, 1, Joined(ME.key, "me")),
    "the loss of another": sealed(EVE, 1, Lost(ANN.id)),
    "its own return": sealed(EVE, 1, Back(EVE.id)),
    "the removal of another": sealed(EVE, 1, Removed(ANN.id)),
    "the end of the room": sealed(EVE, 1, Close()),
}


@pytest.mark.parametrize("lie", LYING_SUBMITS)
def test_a_member_that_lies_is_dropped_and_nobody_else_notices(inn: Inn, lie: str) -> None:
    """4.5, 4.6"""
    assert_dropped(inn, inn.submitted(2, *LYING_SUBMITS[lie]))


@pytest.mark.parametrize("counter", [0, 1, 5])
def test_a_member_that_repeats_itself_is_denied_and_nobody_notices(inn: Inn, counter: int) -> None:
    """4.5: it may have lost the link on which it would have seen its entry ordered."""
    inn.submitted(2, *sealed(EVE, 5, Text("once", action=False)))
    [denied] = inn.submitted(2, *sealed(EVE, counter, Text("once", action=False)))
    assert denied == steps.Send(2, frames.encode(frames.Denied(counter, "repeated")))
    assert inn.ordered() == [Text("once", action=False)]
    inn.submitted(2, *sealed(EVE, 6, Text("on", action=False)))
    assert inn.ordered()[1:] == [Text("on", action=False)]


def test_a_member_that_repeats_what_was_denied_is_denied_again(inn: Inn) -> None:
    entry = sealed(EVE, 1, Nick("ann"))
    [denied] = inn.submitted(2, *entry)
    assert denied == steps.Send(2, frames.encode(frames.Denied(1, "nick-taken")))
    [denied] = inn.submitted(2, *entry)
    assert denied == steps.Send(2, frames.encode(frames.Denied(1, "repeated")))
    assert inn.ordered() == []


def test_what_was_denied_is_not_ordered_once_it_could_be(inn: Inn) -> None:
    entry = sealed(EVE, 1, Nick("ann"))
    inn.submitted(2, *entry)
    inn.submitted(1, *sealed(ANN, 1, Nick("anna")))
    [denied] = inn.submitted(2, *entry)
    assert denied == steps.Send(2, frames.encode(frames.Denied(1, "repeated")))


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


def test_a_beat_that_gets_as_far_as_the_room_means_nothing(inn: Inn) -> None:
    assert inn.takes(steps.Heard(2, frames.Beat())) == []
    assert inn.ordered() == []


def test_nothing_that_proves_who_one_is_to_the_host_reaches_anybody_else(inn: Inn) -> None:
    """3.3: neither the nonce of a link nor the signature over it is in what the others are sent or told."""
    nonce = b"\x03" * 32
    signature = ME.sign(JOIN, nonce + b"me")
    effects = inn.takes(steps.Asked(3, nonce, frames.Join(ME.key, "me", signature)))
    inn.submitted(3, *sealed(ME, 1, Text("hello", action=False)))
    inn.head()
    batch = inn.room.log.since(1)
    assert batch is not None
    sent = batch[0] + b"".join(effect.data for effect in effects if isinstance(effect, steps.Admit | steps.Send))
    assert nonce not in sent
    assert signature not in sent
    assert ME.key in sent


def test_an_id_of_ones_own_input_is_in_nothing_that_goes_out(inn: Inn) -> None:
    effects = [
        *inn.takes(steps.Say("hello", re="my-own-id")),
        *inn.takes(steps.Rename("hosty", re="my-own-id")),
        *inn.takes(steps.Leave(re="my-own-id")),
    ]
    assert [event.re for event in told(effects)] == ["my-own-id"] * 3
    inn.head()
    batch = inn.room.log.since(1)
    assert batch is not None
    assert b"my-own-id" not in batch[0] + b"".join(getattr(effect, "data", b"") for effect in effects)


def test_a_stranger_that_is_refused_learns_one_word_and_nobody_notices(inn: Inn) -> None:
    [finish] = inn.asked(3, ME, "Ann")
    assert finish == steps.Finish(3, frames.encode(frames.Refused("nick-taken")))
    assert inn.ordered() == []
    assert inn.takes(steps.Dropped(3, "the connection was closed", 0.0)) == []


def test_one_who_dials_again_is_on_its_new_link_alone_and_nobody_notices(inn: Inn) -> None:
    drop, admit = inn.asked(3, EVE, "eve")
    assert isinstance(drop, steps.Drop)
    assert drop.link == 2
    assert isinstance(admit, steps.Admit)
    assert inn.takes(steps.Dropped(2, "the connection was closed", 0.0)) == []
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
    assert isinstance(welcome, frames.Welcome)
    assert (welcome.name, welcome.host, welcome.index) == ("demo", HOST.id, admit.cursor - 1)
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
    assert inn.submitted(2, *sealed(EVE, 2, Text("still here", action=False))) == []
    assert inn.takes(steps.Dropped(2, "the connection was closed", 0.0)) == []
    inn.ticks(2 * limits.PLACE)
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
        Pending("secret", "secret", b"secret", deniable=False),
    ):
        assert "secret" not in repr(thing)
    assert told_of[0].re is UNSET


def test_a_host_that_asks_for_no_nick_has_one_made_from_its_key() -> None:
    room = Room(label="r1", key=ROOM, fresh=lambda: HOST, nick="", name="demo")
    room.handle(steps.Start(), NOW)
    assert [person.nick for person in room.people()] == [f"anon-{identity.spell(HOST.id)[:4]}"]


# --- members that are away, and that come back


def test_a_member_without_a_link_is_away_in_time_and_out_in_time(inn: Inn) -> None:
    """4.6: counted from when it was last heard."""
    inn.takes(steps.Dropped(2, "nothing was heard", 15.0), 100.0)
    inn.ticks(85.0 + limits.AWAY - 0.01)
    assert inn.ordered() == []
    inn.ticks(85.0 + limits.AWAY)
    assert inn.ordered() == [Lost(EVE.id)]
    assert [person.nick for person in inn.room.people()] == ["host", "ann"]
    assert inn.asked(3, ME, "Eve") == [steps.Finish(3, frames.encode(frames.Refused("nick-taken")))]
    inn.ticks(85.0 + limits.PLACE - 0.01)
    assert inn.ordered() == [Lost(EVE.id)]
    inn.ticks(85.0 + limits.PLACE)
    assert inn.ordered() == [Lost(EVE.id), Removed(EVE.id)]
    assert kinds(told(inn.asked(3, ME, "Eve"))) == ["Joined"]


def test_a_host_that_overslept_does_both_one_after_the_other(inn: Inn) -> None:
    inn.takes(steps.Dropped(2, "the connection was closed", 0.0))
    effects = inn.takes(steps.Tick(), limits.PLACE) + inn.takes(steps.Tick(), limits.PLACE)
    assert kinds(told(effects)) == ["Left"]
    assert inn.ordered() == [Lost(EVE.id), Removed(EVE.id)]


def test_one_who_is_back_in_time_was_never_away(inn: Inn) -> None:
    head = inn.head()
    inn.takes(steps.Dropped(2, "the connection was closed", 0.0))
    [admit] = inn.resumed(3, EVE, head.index, head.digest, 10.0)
    assert admit == steps.Admit(3, frames.encode(frames.Resumed(head.index)), head.index + 1)
    inn.ticks(2 * limits.PLACE)
    assert inn.ordered() == []
    inn.submitted(3, *sealed(EVE, 1, Text("here", action=False)))
    assert inn.ordered() == [Text("here", action=False)]


def test_one_who_was_away_is_back_for_all(inn: Inn) -> None:
    head = inn.head()
    inn.takes(steps.Dropped(2, "the connection was closed", 0.0))
    inn.ticks(limits.AWAY)
    tell, admit = inn.resumed(3, EVE, head.index, head.digest, limits.PLACE - 1)
    assert isinstance(tell, steps.Tell)
    assert isinstance(tell.event, events.Joined)
    assert tell.event.nick == "eve"
    assert admit == steps.Admit(3, frames.encode(frames.Resumed(head.index + 2)), head.index + 1)
    inn.ticks(2 * limits.PLACE)
    assert inn.ordered() == [Lost(EVE.id), Back(EVE.id)]


def test_one_who_was_removed_is_a_stranger(inn: Inn) -> None:
    head = inn.head()
    inn.takes(steps.Dropped(2, "the connection was closed", 0.0))
    inn.ticks(limits.PLACE)
    [finish] = inn.resumed(3, EVE, head.index, head.digest)
    assert finish == steps.Finish(3, frames.encode(frames.Refused("unknown")))
    assert inn.takes(steps.Dropped(3, "the connection was closed", 0.0)) == []


def test_one_who_was_expelled_is_a_stranger(inn: Inn) -> None:
    head = inn.head()
    inn.submitted(2, b"", bytes(64))
    [finish] = inn.resumed(3, EVE, head.index, head.digest)
    assert finish == steps.Finish(3, frames.encode(frames.Refused("unknown")))


def test_one_who_comes_back_before_the_host_noticed_is_on_its_new_link_alone(inn: Inn) -> None:
    head = inn.head()
    drop, admit = inn.resumed(3, EVE, head.index, head.digest)
    assert isinstance(drop, steps.Drop)
    assert drop.link == 2
    assert isinstance(admit, steps.Admit)
    assert inn.takes(steps.Dropped(2, "the connection was closed", 0.0)) == []
    assert inn.submitted(2, *sealed(EVE, 1, Text("late", action=False))) == []
    inn.ticks(2 * limits.PLACE)
    assert inn.ordered() == []


@pytest.mark.parametrize("away", [False, True])
def test_a_member_that_asks_to_be_let_in_is_welcomed_again(inn: Inn, away: bool) -> None:
    inn.takes(steps.Dropped(2, "the connection was closed", 0.0))
    inn.ticks(limits.AWAY if away else 0.0)
    *tells, admit = inn.asked(3, EVE, "whatever")
    assert kinds(told(tells)) == ["Joined"] * away
    assert isinstance(admit, steps.Admit)
    roster, welcome = frames.Decoder(frames.FromHost, limits.FRAME).feed(admit.data)
    assert isinstance(roster, frames.Roster)
    assert [(seat.nick, seat.away) for seat in roster.seats] == [("host", False), ("ann", False), ("eve", False)]
    assert isinstance(welcome, frames.Welcome)


def test_one_whose_place_the_log_has_not_is_welcomed_anew(inn: Inn) -> None:
    head = inn.head()
    _, admit = inn.resumed(3, EVE, head.index, bytes(32))
    assert isinstance(admit, steps.Admit)
    roster, welcome = frames.Decoder(frames.FromHost, limits.FRAME).feed(admit.data)
    assert isinstance(roster, frames.Roster)
    assert welcome == frames.Welcome("demo", HOST.id, head.index, head.digest)
    assert admit.cursor == inn.room.log.end


RESUMPTIONS: dict[str, tuple[Callable[[int, bytes], frames.Resume], frames.Reason]] = {
    "a stranger's": (lambda index, digest: resume(ME, 3, index, digest), "unknown"),
    "the host's own": (lambda index, digest: resume(HOST, 3, index, digest), "unknown"),
    "one for another link": (lambda index, digest: resume(EVE, 2, index, digest), "signature"),
    "one that another signed": (
        lambda index, digest: frames.Resume(EVE.id, index, digest, resume(ANN, 3, index, digest).signature),
        "signature",
    ),
    "one for another place": (
        lambda index, digest: frames.Resume(EVE.id, index - 1, digest, resume(EVE, 3, index, digest).signature),
        "signature",
    ),
    "one for another log": (
        lambda index, digest: frames.Resume(EVE.id, index, bytes(32), resume(EVE, 3, index, digest).signature),
        "signature",
    ),
}


def resume(who: Identity, link: int, index: int, digest: bytes) -> frames.Resume:
    signature = who.sign(RESUME, bytes([link]) * 32 + index.to_bytes(8, "big") + digest)
    return frames.Resume(who.id, index, digest, signature)


@pytest.mark.parametrize("kind", RESUMPTIONS)
def test_nobody_comes_back_in_anothers_place_and_nobody_notices_the_try(inn: Inn, kind: str) -> None:
    """3.3: the signature has to be over the nonce of this very link, and the place in the log."""
    head = inn.head()
    make, reason = RESUMPTIONS[kind]
    [finish] = inn.takes(steps.Asked(3, bytes([3]) * 32, make(head.index, head.digest)))
    assert finish == steps.Finish(3, frames.encode(frames.Refused(reason)))
    inn.submitted(2, *sealed(EVE, 1, Text("undisturbed", action=False)))
    assert inn.ordered() == [Text("undisturbed", action=False)]


def test_a_burst_ends_in_one_head_over_all_of_it(inn: Inn) -> None:
    inn.room.end_burst(NOW)
    for counter in (1, 2, 3):
        inn.submitted(2, *sealed(EVE, counter, Text("x", action=False)))
    inn.room.end_burst(NOW._replace(tick=START + 2.5))
    inn.room.end_burst(NOW._replace(tick=START + 9.0))
    batch = inn.room.log.since(inn.before)
    assert batch is not None
    *entries, head = frames.Decoder(frames.FromHost, limits.FRAME).feed(batch[0])
    digest = identity.genesis(ROOM)
    whole = inn.room.log.since(1)
    assert whole is not None
    for frame in frames.Decoder(frames.FromHost, limits.FRAME).feed(whole[0]):
        if isinstance(frame, frames.Entry):
            digest = identity.chain(digest, frame.index, frame.content, frame.signature)
    assert [type(frame) for frame in entries] == [frames.Entry] * 3
    assert isinstance(head, frames.Head)
    assert (head.index, head.digest, head.time) == (5, digest, 2_500)
    content = head.index.to_bytes(8, "big") + head.digest + head.time.to_bytes(8, "big")
    assert identity.signed(HEAD, ROOM, content, head.signature, HOST.key)


def test_an_idle_host_says_so_with_heads_and_not_more_often_than_it_must(inn: Inn) -> None:
    inn.room.end_burst(NOW)
    times = []
    for _ in range(20):
        deadline = inn.room.next_deadline()
        assert deadline is not None
        [pulse] = inn.takes(steps.Tick(), deadline - START)
        assert isinstance(pulse, steps.Pulse)
        [head] = frames.Decoder(frames.FromHost, limits.FRAME).feed(pulse.data)
        assert isinstance(head, frames.Head)
        assert head.index == inn.room.log.end - 1
        times.append(head.time)
    pauses = {(later - earlier) / 1_000 for earlier, later in pairwise(times)}
    assert all(limits.BEAT * (1 - limits.BEAT_JITTER) - 0.01 <= pause <= limits.BEAT + 0.01 for pause in pauses)


def test_a_host_that_is_out_has_nothing_due(inn: Inn) -> None:
    inn.takes(steps.Dropped(2, "the connection was closed", 0.0))
    inn.takes(steps.Leave(close=True))
    assert inn.room.next_deadline() is None
    assert inn.head().index == inn.room.log.end - 1


def test_however_many_are_called_away_at_once_their_entries_are_covered_in_time() -> None:
    inn = Inn()
    crowd = [Identity(number.to_bytes(32, "big"), ROOM) for number in range(limits.UNCOVERED + 1)]
    for number, who in enumerate(crowd):
        link, nonce = number + 10, b"n" * 32
        inn.takes(steps.Asked(link, nonce, frames.Join(who.key, f"n{number}", who.sign(JOIN, nonce + b"n%d" % number))))
        inn.room.end_burst(NOW)
    before = inn.room.log.end
    for number in range(len(crowd)):
        inn.takes(steps.Dropped(number + 10, "the connection was closed", 0.0))
    while inn.room.log.end < before + len(crowd):
        inn.takes(steps.Tick(), limits.AWAY)
        inn.room.end_burst(NOW._replace(tick=START + limits.AWAY))
    batch = inn.room.log.since(before)
    assert batch is not None
    uncovered = longest = 0
    for frame in frames.Decoder(frames.FromHost, limits.FRAME).feed(batch[0]):
        uncovered = uncovered + 1 if isinstance(frame, frames.Entry) else 0
        longest = max(longest, uncovered)
    assert longest <= limits.UNCOVERED
