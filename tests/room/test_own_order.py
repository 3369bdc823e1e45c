"""What one types is ordered in that order or given back, private messages that wait for a key included."""

from collections.abc import Iterator

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import rule
from msgspec import UNSET

from anonp2p import limits
from anonp2p.crypto import suite
from anonp2p.errors import KeyLate
from anonp2p.protocol import frames
from anonp2p.protocol.frames import JoinedBody, LeaveBody, RenewBody
from anonp2p.room import events, inputs
from tests.room.peers import ANN, BOB, HOST, FalseHost, kinds, said, text
from tests.room.test_room import NICKS, Talk, people
from tests.support.world import Party

SEEK = frames.KeyRequestFrame(suite.hash_data(ANN.encryption_key.public))


def check_own_order(party: Party) -> None:
    """What has its place has it in the order in which it was typed; nothing is answered twice."""
    ordered = [
        event.re
        for event in party.told
        if event.re is not UNSET
        and isinstance(event, events.RenamedEvent | events.MessageEvent)
        and event.re in party.typed
    ]
    assert ordered == sorted(set(ordered))
    for re, typed in party.typed.items():
        if isinstance(typed, inputs.WhisperInput):
            kinds_ = sorted(kinds(event for event in party.told if event.re == re))
            assert kinds_ in ([], ["MessageEvent"], ["UnsentEvent"], ["ErrorEvent", "UnsentEvent"])


class Secrets(Talk):
    """As `Talk`, and people write to one another in private, in a room where keys are asked for when need be."""

    def __init__(self) -> None:
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(limits, "RENEWING", 2)
        super().__init__()

    @rule(who=people, nick=st.sampled_from(NICKS), count=st.integers(1, 3))
    def whisper(self, who: int, nick: str, count: int) -> None:
        for _ in range(count):
            self.said += 1
            self.room.whisper(self.one(who), nick, f"text {self.said}")

    @rule(who=people)
    def mix(self, who: int) -> None:
        self.whisper(who, "ann", 1)
        self.say(who, action=False)
        self.whisper(who, "host", 1)
        self.say(who, action=True)

    def check_order(self) -> None:
        for party in [self.room.host, *self.room.members]:
            check_own_order(party)

    def check_settled(self) -> None:
        for party in [self.room.host, *self.room.members]:
            assert party.room.outstanding == 0
            for re, typed in party.typed.items():
                if isinstance(typed, inputs.SayInput | inputs.WhisperInput):
                    assert self.room.answers(party, re) or party.gaps

    def teardown(self) -> None:
        super().teardown()
        self.patch.undo()


TestSecrets = Secrets.TestCase
TestSecrets.settings = settings(max_examples=60, stateful_step_count=40)


class SecretsOfFew(Secrets):
    """The same in a room where all keys are asked for at once, and renewed with each commit without cause."""

    def __init__(self) -> None:
        super().__init__()
        self.patch.setattr(limits, "RENEWING", 64)


TestSecretsOfFew = SecretsOfFew.TestCase
TestSecretsOfFew.settings = settings(max_examples=40, stateful_step_count=40)


# --- a host that does not answer


@pytest.fixture
def host() -> Iterator[FalseHost]:
    """A host in whose room a guest is, who has not asked for any key so far."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limits, "RENEWING", 2)
        host = FalseHost()
        host.lets_in()
        assert host.spoken() == []
        yield host


def later(host: FalseHost, seconds: float) -> list[events.Event]:
    """So much time passes."""
    host.now = host.now._replace(tick=host.now.tick + seconds)
    return host.takes(inputs.TickInput())


def bodies(host: FalseHost) -> list[frames.Body]:
    return [said(entry) for entry in host.submits()]


def test_what_is_typed_after_a_private_message_waits_for_its_key_with_it(host: FalseHost) -> None:
    host.takes(inputs.WhisperInput("ann", "first"))
    assert host.spoken() == [SEEK]
    for typed in (inputs.SayInput("second"), inputs.RenameInput("moi"), inputs.SayInput("third")):
        assert host.takes(typed) == []
        assert host.spoken() == []
    host.hears(frames.KeyResponseFrame(ANN.encryption_key.public))
    private, *others = bodies(host)
    assert isinstance(private, frames.PrivateBody)
    assert others == [text("second"), frames.NickBody("moi"), text("third")]


def test_a_private_message_whose_key_does_not_come_is_given_back_in_time_and_the_rest_goes_on(host: FalseHost) -> None:
    host.takes(inputs.WhisperInput("ann", "first", re=1))
    host.takes(inputs.SayInput("second"))
    assert host.room.next_deadline() is not None
    assert later(host, limits.KEY_WAIT - 0.01) == []
    assert bodies(host) == []
    error, unsent = later(host, 0.01)
    assert isinstance(error, events.ErrorEvent)
    assert isinstance(unsent, events.UnsentEvent)
    assert (error.re, unsent.re, unsent.text) == (1, 1, "/msg ann first")
    assert error.text == KeyLate()
    assert bodies(host) == [text("second")]
    assert host.room.outstanding == 1


def test_what_is_typed_meanwhile_does_not_make_it_wait_for_longer(host: FalseHost) -> None:
    host.takes(inputs.WhisperInput("ann", "first"))
    later(host, limits.KEY_WAIT - 1)
    host.takes(inputs.SayInput("second"))
    assert kinds(later(host, 1)) == ["ErrorEvent", "UnsentEvent"]


def test_several_do_not_wait_one_after_the_other(host: FalseHost) -> None:
    host.hears(host.entry(HOST, JoinedBody(BOB.key, "bob", suite.hash_data(BOB.encryption_key.public))))
    for nick in ("ann", "bob", "ann", "hugo"):
        host.takes(inputs.WhisperInput(nick, "private"))
    host.takes(inputs.SayInput("to all"))
    assert host.room.outstanding == 5
    assert kinds(later(host, limits.KEY_WAIT)) == ["ErrorEvent", "UnsentEvent"] * 4
    assert bodies(host) == [text("to all")]


def test_who_has_waited_in_vain_does_not_wait_again_on_the_same_link(host: FalseHost) -> None:
    host.takes(inputs.WhisperInput("ann", "first"))
    later(host, limits.KEY_WAIT)
    assert kinds(host.takes(inputs.WhisperInput("ann", "again"))) == ["ErrorEvent", "UnsentEvent"]
    assert host.room.outstanding == 0
    host.hears(frames.KeyResponseFrame(ANN.encryption_key.public))  # late, but welcome
    host.takes(inputs.WhisperInput("ann", "at last"))
    assert len(host.submits()) == 1


def test_on_another_link_it_waits_anew(host: FalseHost) -> None:
    host.takes(inputs.WhisperInput("ann", "first"))
    later(host, limits.KEY_WAIT - 1)
    host.redials()
    assert kinds(host.hears(frames.ResumedFrame(host.ledger.index, 0))) == ["LinkEvent"]
    assert host.room.outstanding == 1
    assert later(host, limits.KEY_WAIT - 1) == []
    host.hears(frames.KeyResponseFrame(ANN.encryption_key.public))
    assert len(host.submits()) == 1


def test_between_a_commit_and_its_commit_share_nothing_is_given_back_and_no_deadline_is_in_the_past(
    host: FalseHost,
) -> None:
    host.takes(inputs.WhisperInput("ann", "first"))
    host.takes(inputs.SayInput("second"))
    host.hears(host.commit())
    assert later(host, limits.KEY_WAIT + limits.HEARTBEAT) == []
    deadline = host.room.next_deadline()
    assert deadline is not None
    assert deadline > host.now.tick
    assert kinds(host.hears(host.slice)) == ["ErrorEvent", "UnsentEvent"]
    assert bodies(host)[-1] == text("second")


def test_one_who_is_out_meanwhile_holds_up_nothing(host: FalseHost) -> None:
    host.takes(inputs.WhisperInput("ann", "first"))
    host.takes(inputs.SayInput("second"))
    assert kinds(host.hears(host.entry(ANN, LeaveBody()))) == ["LeftEvent", "ErrorEvent", "UnsentEvent"]
    assert bodies(host) == [text("second")]


def test_what_is_sealed_already_goes_out_again_as_it_was_without_asking_for_a_key(host: FalseHost) -> None:
    """5.14: in the same epoch the same bytes, whatever key the recipient has by now."""
    host.takes(inputs.WhisperInput("ann", "first"))
    host.hears(frames.KeyResponseFrame(ANN.encryption_key.public))
    [sent] = host.submits()
    host.hears(host.entry(ANN, RenewBody(suite.hash_data(BOB.encryption_key.public))))
    host.takes(inputs.SayInput("second"))
    host.redials()
    host.hears(frames.ResumedFrame(host.ledger.index, 0))
    again, second = host.submits()
    assert again == sent
    assert said(second) == text("second")


def test_what_has_to_be_sealed_anew_to_a_key_that_nobody_has_is_given_back(host: FalseHost) -> None:
    """Not asked for again and again, while all that was typed after it waits."""
    host.takes(inputs.WhisperInput("ann", "first"))
    host.hears(frames.KeyResponseFrame(ANN.encryption_key.public))
    assert len(host.submits()) == 1
    host.takes(inputs.SayInput("second"))
    host.hears(host.entry(ANN, RenewBody(suite.hash_data(BOB.encryption_key.public))))
    host.turns()
    assert frames.KeyRequestFrame(suite.hash_data(BOB.encryption_key.public)) in host.spoken()
    assert kinds(host.hears(frames.KeyNotFoundFrame(suite.hash_data(BOB.encryption_key.public)))) == [
        "ErrorEvent",
        "UnsentEvent",
    ]
    assert bodies(host) == [text("second")]


def test_who_leaves_does_not_wait_for_a_key(host: FalseHost) -> None:
    host.takes(inputs.WhisperInput("ann", "first"))
    host.takes(inputs.LeaveInput())
    assert kinds(later(host, limits.LEAVE_PATIENCE)) == ["UnsentEvent", "GoneEvent"]
    assert host.room.next_deadline() is None
