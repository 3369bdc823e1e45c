"""A member that comes back: it goes on from where it was, and is not lied to about what it missed."""

from collections.abc import Callable

import msgspec
import pytest

from anonp2p.crypto.epoch import Header
from anonp2p.protocol import bodies, frames, room_state
from anonp2p.protocol.batches import BackfilledEntry
from anonp2p.protocol.bodies import CloseBody, JoinedBody, NickBody, Removal, RenewBody
from anonp2p.reasons import Reason
from anonp2p.room import events, inputs
from anonp2p.room.errors import Unconfirmed
from tests.room.hostile import KEY, assert_left_in_alarm, assert_link_ended, at, past, without, words
from tests.room.member.false_host import FAR, HERE, FalseHost, Item
from tests.room.peers import ANN, EVE, HOST, Placed, kinds, said, text


def test_a_member_that_lost_its_link_is_still_in(host: FalseHost) -> None:
    [lost] = host.takes(inputs.DroppedInput(host.end.number, "broken", 0.0))
    assert isinstance(lost, events.LinkEvent)
    assert (lost.state, lost.detail) == ("lost", Reason("broken"))
    assert host.room.entered
    assert host.takes(inputs.SayInput("typed meanwhile")) == []
    assert host.effects == []
    assert host.room.outstanding == 1


def test_what_waits_goes_out_as_it_was_and_in_its_order_once_all_before_is_known(host: FalseHost) -> None:
    """5.13"""
    sent = host.says("sent")
    host.takes(inputs.DroppedInput(host.end.number, "broken", 0.0))
    host.takes(inputs.SayInput("typed meanwhile"))
    host.greets()
    one, two = (host.batch(host.entry(ANN, text(words))) for words in ("one", "two"))
    assert kinds(host.hears(host.resumed())) == ["LinkEvent"]
    assert host.submits() == []
    host.hears(one)
    assert host.submits() == []
    host.takes(inputs.SayInput("typed while catching up"))
    assert host.submits() == []
    host.hears(two)
    first, *others = host.submits()
    assert first == sent
    assert [said(entry) for entry in others] == [text("typed meanwhile"), text("typed while catching up")]


def test_one_who_was_catching_up_and_is_welcomed_anew_is_up_at_once(host: FalseHost) -> None:
    sent = host.says("sent")
    host.redials()
    host.hears(host.resumed(90))
    host.redials()
    host.hears(*host.welcome(head={"index": FAR}, since=FAR))
    assert host.submits() == [sent]


def past_with_a_gap(it: FalseHost) -> list[Item]:
    """The same with nothing of one entry but a head that knows it."""
    it.past(it.entry(ANN, NickBody("anna")))
    return past(it, it.entry(ANN, NickBody("annie")))


def gone_back(it: FalseHost) -> list[Item]:
    """Out of an epoch into the one before, whose keys somebody may have who is out."""
    before, links, generations = it.sealer.epoch, dict(it.sealer.links), dict(it.sealer.generations)
    it.hears(it.resumed())
    it.turns()
    it.redials()
    it.sealer.epoch, it.sealer.links, it.sealer.generations = before, links, generations
    return [*it.welcome()]


COMING_BACK_TO_LIES: dict[str, Callable[[FalseHost], list[Item]]] = {
    "a log that is shorter at a later time": lambda it: [it.resumed(HERE - 1, 6_000)],
    "another entry in an old place": lambda it: [
        it.resumed(),
        it.batch_of([it.entry(ANN, text("lie")).sealed], it.head_text(digest=bytes(32))),
    ],
    "another log": lambda it: [it.resumed(), it.head(digest=bytes(32))],
    "a head older than it said": lambda it: [
        it.resumed(time=9_000),
        lambda: it.batch(it.entry(ANN, text("lie")), time=8_999),
    ],
    "a welcome without us": lambda it: without(it.me)(it),
    "a welcome with an older head": lambda it: [*it.welcome(head={"time": 4_999})],
    "a welcome to a shorter log": lambda it: [*it.welcome(head={"index": HERE - 1}, since=HERE - 1)],
    "a welcome to a shorter log with a past": lambda it: [*it.welcome(head={"index": HERE - 1}, past=True)],
    "a welcome to an epoch that is over": gone_back,
    "a past to an epoch that is none": lambda it: [*it.welcome(past=True, epoch=7)],
    "a past that leads to another log": lambda it: [
        *it.welcome(past=True, head={"index": HERE + 1}),
        lambda: it.past(it.entry(ANN, NickBody("anna"))),
    ],
    "a past that is forged": lambda it: past(it, it.entry(ANN, text("lie"), signer=EVE)),
    "a past that breaks a rule": lambda it: past(it, it.entry(ANN, CloseBody())),
    "a past in which we speak": lambda it: past(it, it.entry(it.room.replica.me, text("lie"), signer=EVE)),
    "a past later than the welcome": lambda it: [
        *it.welcome(past=True, head={"index": HERE + 1}),
        lambda: at(it, 5_001).past(it.entry(ANN, text("lie")), time=5_000),
    ],
}


COMING_BACK_TO_FAULTS: dict[str, Callable[[FalseHost], list[Item]]] = {
    "a log that has become shorter": lambda it: [it.resumed(HERE - 1, 0)],
    "a second resumption": lambda it: [it.resumed(), it.resumed(HERE, 0)],
    "a welcome after the resumption": lambda it: [it.resumed(), it.welcome()[0]],
    "a resumption after the welcome": lambda it: [it.welcome()[0], it.resumed()],
    "a refusal after the resumption": lambda it: [it.resumed(), it.refused("unknown")],
    "an entry before the resumption": lambda it: [it.entry(ANN, text("lie"))],
    "a head before the resumption": lambda it: [it.head],
    "a past without a welcome": lambda it: [lambda: it.past(it.entry(ANN, text("lie")))],
    "an older head": lambda it: [it.resumed(), it.head(time=4_999)],
    "a welcome by another host": lambda it: [*it.welcome(host=ANN.id, sign=ANN.sign, head={"signer": ANN})],
    "a past with a gap": past_with_a_gap,
    "a past with a body that is empty": lambda it: [
        *it.welcome(past=True, head={"index": HERE + 1}),
        frames.BackfillFrame(
            [BackfilledEntry(Header(0, ANN.id, 1).pack(), b"")], [None], it.head_text(), it.head_text()
        ),
    ],
    "a past beyond its head": lambda it: [
        *it.welcome(past=True, head={"index": HERE + 1}),
        lambda: it.past(it.entry(ANN, NickBody("anna")), it.entry(ANN, NickBody("annie"))),
    ],
    "an entry in the midst of the past": lambda it: [
        *it.welcome(past=True, head={"index": HERE + 2}),
        lambda: it.past(it.entry(ANN, NickBody("anna"))),
        lambda: it.entry(ANN, text("lie")),
    ],
}


def comes_back_to(host: FalseHost, said: Callable[[FalseHost], list[Item]]) -> Item:
    """It dials again and hears all of this but the last item, which is returned."""
    host.hears(host.head(time=5_000))
    host.time = 5_000
    host.redials()
    items: list[Item] = []
    for item in said(host):
        items += item if isinstance(item, list) else [item]
    *honest, last = items
    host.hears(*honest)
    return last


@pytest.mark.parametrize("lie", COMING_BACK_TO_LIES)
def test_a_host_that_lies_to_one_who_comes_back_is_left_with_an_alarm(host: FalseHost, lie: str) -> None:
    """5.9, 5.12, 7.3"""
    lying = comes_back_to(host, COMING_BACK_TO_LIES[lie])
    assert not host.room.over
    happened = host.hears(lying)
    assert kinds(happened)[-2:] == ["AlarmEvent", "GoneEvent"]
    assert not [event for event in happened if isinstance(event, events.MessageEvent)]


@pytest.mark.parametrize("fault", COMING_BACK_TO_FAULTS)
def test_one_who_comes_back_to_what_anybody_may_have_sent_dials_again(host: FalseHost, fault: str) -> None:
    """5.9, 5.12"""
    wrong = comes_back_to(host, COMING_BACK_TO_FAULTS[fault])
    assert_link_ended(host, host.hears(wrong))


@pytest.mark.parametrize("old", ["counter", "generation"])
def test_a_welcome_with_counters_or_keys_of_before_is_a_lie(host: FalseHost, old: str) -> None:
    """7.4: with them, what was shown once could be ordered and shown again."""
    host.hears(host.entry(ANN, text("once")))
    host.redials()
    roster = host.state().roster
    [ann] = [roster_entry for roster_entry in roster if roster_entry.key == ANN.key]
    before = msgspec.structs.replace(ann, **{old: getattr(ann, old) - 1})
    lying = host.welcome(roster=[before if roster_entry is ann else roster_entry for roster_entry in roster])
    assert_left_in_alarm(host, host.hears(*lying))


def test_the_epoch_of_a_welcome_is_the_one_that_the_past_leads_to(host: FalseHost) -> None:
    """6.9, 7.3: into an old epoch, somebody who is out could read on."""
    host.turns()
    before, links, generations = host.sealer.epoch, dict(host.sealer.links), dict(host.sealer.generations)
    host.turns()
    host.redials()
    host.sealer.epoch, host.sealer.links, host.sealer.generations = before, links, generations
    assert_left_in_alarm(host, host.hears(*host.welcome(past=True)))


def test_a_commit_whose_commit_share_never_came_leads_into_its_epoch_by_a_welcome(host: FalseHost) -> None:
    """5.12"""
    host.hears(host.commit())
    host.takes(inputs.SayInput("typed while turning"))
    assert host.submits() == []
    resume = host.redials()
    assert resume.epoch == 0
    host.slice()
    assert kinds(host.hears(*host.welcome(past=True))) == ["LinkEvent"]
    [mine] = host.submits()
    assert said(mine) == text("typed while turning")
    assert kinds(host.hears(mine)) == ["MessageEvent"]


def test_one_who_has_caught_up_with_a_commit_waits_for_its_commit_share(host: FalseHost) -> None:
    """6.9, 5.13"""
    host.says("sent")
    host.redials()
    commit = host.past(host.commit(renew=True))
    host.hears(host.resumed(), commit)
    assert host.submits() == []
    host.hears(host.slice)
    mine, renewal = host.submits()
    assert (said(mine), type(said(renewal))) == (text("sent"), RenewBody)


def test_a_resumption_in_an_epoch_that_is_over_ends_the_link(host: FalseHost) -> None:
    host.hears(host.commit())
    host.redials()
    assert_link_ended(host, host.hears(host.resumed()))


def test_what_was_missed_is_shown_in_its_order_and_nothing_twice(host: FalseHost) -> None:
    """5.12, 7.3"""
    before = host.entry(ANN, text("seen"))
    host.hears(before)
    host.redials()
    missed = [host.past(host.entry(ANN, text("one")), host.entry(HOST, JoinedBody(EVE.key, "eve", KEY)), host.commit())]
    host.slice()
    missed.append(host.past(host.entry(EVE, text("two"))))
    shown = host.hears(*host.welcome(past=True), *missed)
    assert kinds(shown) == ["MessageEvent", "JoinedEvent", "MessageEvent", "LinkEvent"]
    assert kinds(host.hears(host.entry(ANN, text("three")), host.entry(EVE, text("four")))) == ["MessageEvent"] * 2


def test_a_backfill_in_which_we_are_removed_is_the_end(host: FalseHost) -> None:
    host.redials()
    gone = host.hears(
        *host.welcome(past=True, head={"index": HERE + 3}),
        lambda: host.past(host.order_out(host.me)),
        lambda: host.past(host.commit(Removal(host.me, "kicked"))),
    )
    assert kinds(gone) == ["SelfKickedEvent", "GoneEvent"]


def test_one_to_whom_nothing_can_be_proven_is_told_how_much_it_missed(host: FalseHost) -> None:
    """5.12, 5.14: of what it sent, it is not known what was ordered and what was denied."""
    host.says("perhaps ordered unseen")
    unheard = host.says("unheard")
    host.redials()
    host.ledger.get_member(host.me).counter = unheard.header.counter - 1
    host.ledger.roster.mark_presence(host.ledger.get_member(ANN.id), away=True)
    host.begin_at(FAR)
    host.time = 1_200_001
    happened = host.hears(*host.welcome())
    assert kinds(happened) == ["LinkEvent", "EnteredEvent", "EntriesMissedEvent", "ErrorEvent", "UnsentEvent"]
    _, _, missed, error, unsent = happened
    assert missed == events.EntriesMissedEvent(room="r1", count=FAR - HERE, verified=False)
    assert isinstance(error, events.ErrorEvent)
    assert error.text == Unconfirmed()
    assert isinstance(unsent, events.UnsentEvent)
    assert unsent.text == "perhaps ordered unseen"
    assert [person.nick for person in host.room.people()] == ["hugo", "me"]
    assert host.submits() == [unheard]
    assert host.room.outstanding == 1
    assert words(host)["unproven"] == 20


def test_who_was_let_in_shows_the_ticket_of_that_link_on_every_other(host: FalseHost) -> None:
    """2.5a"""
    let_in, shown_first = host.channel.ticket, host.ticket
    host.redials()
    assert host.ticket == let_in != shown_first
    host.redials()
    assert host.ticket == let_in, "on the last link it was not let in"
    host.hears(host.resumed())
    resumed = host.channel.ticket
    host.redials()
    assert host.ticket == resumed != let_in


def test_who_comes_back_as_somebody_new_shows_no_ticket(host: FalseHost) -> None:
    """2.5a: the host is not told who it was."""
    let_in = host.channel.ticket
    host.redials()
    host.hears(host.refused("unknown"))
    host.redials()
    assert host.ticket != let_in
    assert host.ticket != bytes(16)


# --- what is missed for good, and proven


def missed_for_good(host: FalseHost, *unseen: Placed) -> list[Item]:
    """A welcome that shows none of these, and the proof of them."""
    host.redials()
    proof = host.proof(*unseen)
    return [*host.welcome(proof=True), proof]


def test_one_who_missed_something_for_good_is_in_once_it_is_proven(host: FalseHost) -> None:
    """7.3"""
    *welcome, proof = missed_for_good(host, host.entry(ANN, text("one")), host.entry(HOST, NickBody("hugh")))
    assert host.hears(*welcome) == []
    assert host.room.name == "demo"
    happened = host.hears(proof)
    assert kinds(happened) == ["LinkEvent", "EnteredEvent", "EntriesMissedEvent"]
    assert happened[-1] == events.EntriesMissedEvent(room="r1", count=2, verified=True)
    assert words(host)["unproven"] is None
    assert kinds(host.hears(host.entry(ANN, text("three")))) == ["MessageEvent"]


def test_a_proof_comes_in_pieces(host: FalseHost) -> None:
    unseen = [host.entry(ANN, text(f"text {number}")) for number in range(5)]
    *welcome, _ = missed_for_good(host, *unseen)
    assert host.hears(*welcome, host.proof_of(*unseen[:2]), host.proof_of(*unseen[2:4])) == []
    assert kinds(host.hears(host.proof_of(*unseen[4:])))[-1] == "EntriesMissedEvent"


def test_what_of_ours_was_ordered_unseen_is_told_and_what_was_not_given_back(host: FalseHost) -> None:
    """5.5, 5.14: nothing is lost in silence, and nothing is sent twice."""
    host.takes(inputs.SayInput("ordered unseen", re=7))
    [first] = host.submits()
    host.takes(inputs.SayInput("left out", re=8))
    [left_out] = host.submits()
    host.takes(inputs.SayInput("ordered too", re=9))
    [last] = host.submits()
    unheard = host.says("unheard")
    host.time = 30_000
    *welcome, proof = missed_for_good(host, host.entry(ANN, text("hers")), first, last)
    del left_out
    happened = host.hears(*welcome, proof)
    receipts = [it for it in happened if isinstance(it, events.MessageEvent)]
    assert [(it.text, it.seq, it.mine, it.re) for it in receipts] == [
        ("ordered unseen", HERE + 2, True, 7),
        ("ordered too", HERE + 3, True, 9),
    ]
    assert receipts[0].at == pytest.approx(host.now.wall - 30)
    assert [(it.text, it.re) for it in happened if isinstance(it, events.UnsentEvent)] == [("left out", 8)]
    assert host.submits() == [unheard]
    assert host.room.outstanding == 1


def test_what_of_ours_was_retracted_unseen_ends_then(host: FalseHost) -> None:
    """5.20, 7.3"""
    mine = host.says("mine")
    [shown] = host.hears(mine)
    assert isinstance(shown, events.MessageEvent)
    host.takes(inputs.RetractInput(shown.seq, re=7))
    [retract] = host.submits()
    happened = host.hears(*missed_for_good(host, host.entry(ANN, text("hers")), retract))
    ended = [it for it in happened if isinstance(it, events.ExpiredEvent)]
    assert ended == [events.ExpiredEvent(room="r1", seq=shown.seq, retracted=True, re=7)]
    assert host.room.outstanding == 0


def test_what_of_ours_was_ordered_unseen_is_retracted_then_if_it_is_to_be(host: FalseHost) -> None:
    """5.20, 5.22"""
    mine = host.says("ordered unseen")
    host.takes(inputs.RetractInput(None, re=7))
    assert host.submits() == []
    host.hears(*missed_for_good(host, mine))
    [retract] = host.submits()
    assert said(retract) == bodies.RetractBody(mine.header.counter)
    [ended] = host.hears(retract)
    assert ended == events.ExpiredEvent(room="r1", seq=HERE + 1, retracted=True, re=7)


def test_what_of_ours_was_ordered_unseen_and_is_in_the_history_is_told_as_ours() -> None:
    """5.14, 5.18"""
    host = FalseHost(history=room_state.HistoryPolicy(10, 0))
    host.lets_in()
    base, since = host.base(), host.ledger.index
    host.takes(inputs.SayInput("ordered unseen", re=7))
    [mine] = host.submits()
    host.redials()
    past = host.past(mine)
    happened = host.hears(*host.welcome(since=since, snapshot=base), past)
    [receipt] = [it for it in happened if isinstance(it, events.MessageEvent)]
    assert (receipt.text, receipt.mine, receipt.history, receipt.re) == ("ordered unseen", True, False, 7)
    assert host.submits() == []
    assert host.room.outstanding == 0


def with_other_step(host: FalseHost) -> list[Item]:
    """A proof that leads elsewhere."""
    *welcome, _ = missed_for_good(host, host.entry(ANN, text("one")), host.entry(ANN, text("two")))
    return [*welcome, host.proof_of(host.entry(ANN, text("lie")), host.entry(ANN, text("lies")))]


def longer_than_missed(host: FalseHost) -> list[Item]:
    *welcome, _ = missed_for_good(host, host.entry(ANN, text("one")))
    return [*welcome, host.proof_of(*host.placed[-1:], host.entry(ANN, text("lie")))]


BAD_PROOFS: dict[str, Callable[[FalseHost], list[Item]]] = {
    "leads elsewhere": with_other_step,
    "is longer than what was missed": longer_than_missed,
    "has a header that is none": lambda it: [
        *missed_for_good(it, it.entry(ANN, text("one")))[:-1],
        frames.ProofFrame([b"\xff" * 65]),
    ],
    "comes unasked": lambda it: [it.redials() and it.resumed(), it.proof_of(it.entry(ANN, text("lie")))],
    "is followed by another": lambda it: [
        *missed_for_good(it, it.entry(ANN, text("one"))),
        it.proof_of(it.entry(ANN, text("lie"))),
    ],
    "is left out for a history": lambda it: [
        *missed_for_good(it, it.entry(ANN, text("one")))[:-1],
        lambda: it.past(it.entry(ANN, text("lie"))),
    ],
}


@pytest.mark.parametrize("how", BAD_PROOFS)
def test_a_proof_that_is_none_ends_the_link(host: FalseHost, how: str) -> None:
    """5.9, 7.3: nobody has signed for it."""
    *honest, wrong = BAD_PROOFS[how](host)
    host.hears(*honest)
    assert_link_ended(host, host.hears(wrong))


def taken_back(host: FalseHost) -> list[Item]:
    """It was shown a log of its own, and confirmed in it, and is welcomed further on in the log of all others."""
    others = FalseHost()
    others.lets_in()
    host.hears(host.entry(ANN, text("shown to one alone")))
    host.redials()
    for words_ in ("what", "all others", "were shown"):
        others.place(others.entry(ANN, text(words_)))
    host.begin_at(others.ledger.index)
    host.ledger.get_member(ANN.id).counter = 3
    host.sealer.generations[ANN.id] = 3
    return [host.welcome()]


def fork_in_the_middle(host: FalseHost) -> list[Item]:
    """It resumed, and was told of a head that the proof passes by with another digest."""
    host.redials()
    host.hears(host.resumed())
    host.hears(host.past(host.entry(ANN, text("true")), now=host.head_text(index=HERE + 3, digest=bytes(32))))
    unseen = [host.entry(ANN, text(words_)) for words_ in ("two", "three", "four")]
    return missed_for_good(host, *unseen)


def never_ours(host: FalseHost) -> list[Item]:
    return missed_for_good(host, host.entry(host.room.replica.me, text("lie"), signer=EVE))


def changed_ours(host: FalseHost) -> list[Item]:
    mine = host.says("I agree")
    return missed_for_good(host, mine._replace(body=mine.body.replace(b"agree", b"doubt")))


def unneeded(host: FalseHost) -> list[Item]:
    host.redials()
    return [host.welcome(past=True, proof=True)]


def ours_twice(host: FalseHost) -> list[Item]:
    mine = host.says("once")
    return missed_for_good(host, mine, mine)


def endless(host: FalseHost) -> list[Item]:
    """More than any host can prove: its proof would never end."""
    host.redials()
    host.begin_at(2**50)
    return [host.welcome(proof=True)]


LIES_ABOUT_A_GAP: dict[str, Callable[[FalseHost], list[Item]]] = {
    "a log of its own that is taken back": taken_back,
    "a head for another log": fork_in_the_middle,
    "an entry of ours that we never sent": never_ours,
    "an entry of ours that was changed": changed_ours,
    "an entry of ours twice": ours_twice,
    "a proof without end": endless,
    "a proof beside a backfill": unneeded,
}


@pytest.mark.parametrize("lie", LIES_ABOUT_A_GAP)
def test_a_host_that_lies_about_what_is_missed_for_good_is_left_with_an_alarm(host: FalseHost, lie: str) -> None:
    """5.9, 7.3"""
    *honest, lying = LIES_ABOUT_A_GAP[lie](host)
    host.hears(*honest)
    assert not host.room.over
    assert_left_in_alarm(host, host.hears(lying))


def test_a_host_that_says_a_proof_where_nothing_is_missing_is_left_with_an_alarm() -> None:
    """7.3a: what would be proven never came to an end."""
    host = FalseHost(history=room_state.HistoryPolicy(10, 0))
    host.lets_in()
    host.redials()
    welcome = host.welcome(since=host.ledger.index, snapshot=host.base(), proof=True)
    assert_left_in_alarm(host, host.hears(*welcome))
