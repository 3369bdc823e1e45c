"""Whether a member's host lives: how long it waits for a sign of that, and what follows if none comes."""

import pytest

from anonp2p import limits
from anonp2p.crypto import suite
from anonp2p.errors import PeerFault
from anonp2p.protocol import frames
from anonp2p.protocol.handshake import Channel, HostHandshake
from anonp2p.reasons import Reason
from anonp2p.room import effects, inputs
from anonp2p.room.context import Context
from anonp2p.room.member.uplink import Uplink
from anonp2p.room.succession.patience import Patience
from tests.room.member.parts import HELLO, SECRET, joined_context, new_host_check, set_time, take_effects
from tests.room.peers import ROOM
from tests.support.world import START

LINK = -1


class Asker:
    """A member that has a host. took: how long that has needed to order the member's entries."""

    def __init__(self, *took: float, cover: bool = False) -> None:
        self.context: Context = joined_context(cover=cover)
        self.uplink = Uplink(self.context)
        self.uplink.begin(LINK, ROOM, HELLO, Channel(SECRET, HELLO, up=True))
        self.uplink.end_handshake()
        self.uplink.begin_slots()
        self.patience = Patience()
        for seconds in took:
            self.patience.note_answer(seconds)
        self.check = new_host_check(self.context, self.uplink, self.patience)
        take_effects(self.context)

    def asks(self) -> list[frames.Frame]:
        """It is to ask; what goes out for that."""
        self.check.ask()
        records = [it for it in take_effects(self.context) if isinstance(it, effects.RecordEffect)]
        return [frame for record in records for frame in record.frames]

    def comes_to(self, seconds: float) -> bool:
        """It is that late; whether the link ends."""
        set_time(self.context, seconds)
        self.check.do_due_work()
        return effects.DropEffect(LINK, "broken") in take_effects(self.context)


@pytest.mark.parametrize(
    ("took", "seconds"),
    [
        ([], limits.ECHO),
        ([0.01], limits.ECHO_LEAST),
        ([0.1, 0.5, 0.2], limits.ECHO_TIMES * 0.5),
        ([0.5, *[0.4] * limits.ECHO_ANSWERS], limits.ECHO_TIMES * 0.4),
        ([30.0], limits.ECHO_MOST),
    ],
    ids=["nothing is known", "a fast network", "the slowest counts", "of late", "a slow network"],
)
def test_a_host_has_as_long_to_answer_as_it_took_before_and_more(took: list[float], seconds: float) -> None:
    asker = Asker(*took)
    assert asker.asks() == [frames.EchoFrame()]
    assert asker.check.next_deadline() == pytest.approx(START + seconds)
    assert not asker.comes_to(seconds - 0.01)
    assert asker.comes_to(seconds + 0.001)
    assert not asker.comes_to(2 * seconds), "once"
    assert asker.check.next_deadline() is None


def test_a_host_that_answers_keeps_its_link_and_can_be_asked_again() -> None:
    asker = Asker()
    asker.asks()
    assert asker.asks() == [], "an answer is still to come"
    asker.check.take_echo(frames.EchoedFrame())
    assert not asker.comes_to(limits.ECHO)
    assert asker.asks() == [frames.EchoFrame()]
    assert asker.check.asked_at == START + limits.ECHO


def test_what_was_not_asked_is_not_answered() -> None:
    """One may be on its way on a link that has ended since: it says nothing of the host that there is now."""
    asker = Asker(0.1)
    with pytest.raises(PeerFault, match="unexpected-echo"):
        asker.check.take_echo(frames.EchoedFrame())
    asker.asks()
    asker.check.note_link_lost()
    assert asker.check.next_deadline() is None
    with pytest.raises(PeerFault, match="unexpected-echo"):
        asker.check.take_echo(frames.EchoedFrame())


def test_another_link_has_to_show_anew_how_fast_it_is() -> None:
    asker = Asker(0.1)
    asker.check.note_link_lost()
    asker.asks()
    assert asker.check.next_deadline() == START + limits.ECHO


def test_with_cover_the_time_begins_with_the_slot_in_which_the_question_goes_out() -> None:
    asker = Asker(0.1, cover=True)
    slot = asker.uplink.next_deadline()
    assert slot is not None
    assert asker.asks() == []
    assert asker.check.next_deadline() == slot + limits.ECHO_LEAST


# --- a dial beside the link


def dialled(asker: Asker) -> list[int]:
    """The links that it dials now."""
    asker.check.dial()
    return [it.link for it in take_effects(asker.context) if isinstance(it, effects.DialEffect)]


def test_the_host_is_dialled_beside_the_link_once_in_a_while() -> None:
    asker = Asker()
    [link] = dialled(asker)
    assert asker.check.tried_since(START) == START
    assert asker.check.take_input(inputs.DialFailedInput(link, Reason("not-found"))) is False
    assert asker.check.tried_since(START) == START, "it has been dialled in vain"
    set_time(asker.context, limits.ASK_PAUSE - 0.1)
    assert dialled(asker) == []
    set_time(asker.context, limits.ASK_PAUSE)
    assert len(dialled(asker)) == 1


def test_a_host_that_answers_a_dial_lives() -> None:
    asker = Asker()
    [link] = dialled(asker)
    hello = HostHandshake(bytes(32), ROOM, suite.EncryptionKeyPair(bytes(32))).wire[2:]
    assert asker.check.take_input(inputs.ReceivedInput(link, hello)) is True
    assert asker.check.tried_since(START) is None


def test_what_comes_on_other_links_is_not_about_that_dial() -> None:
    asker = Asker()
    [link] = dialled(asker)
    assert asker.check.take_input(inputs.DroppedInput(link - 1, "closed", 0.0)) is None


def test_a_dial_of_long_before_the_loss_says_nothing() -> None:
    asker = Asker()
    dialled(asker)
    assert asker.check.tried_since(START + limits.ECHO_MOST) == START
    assert asker.check.tried_since(START + limits.ECHO_MOST + 0.1) is None


def test_who_hosts_itself_dials_nobody() -> None:
    asker = Asker()
    [link] = dialled(asker)
    asker.check.call_off()
    assert effects.DropEffect(link, "closed") in take_effects(asker.context)
