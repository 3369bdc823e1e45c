"""A member that its host does not know any more joins anew."""

from collections.abc import Callable

import pytest

from anonp2p.crypto import identity, suite
from anonp2p.protocol import frames
from anonp2p.protocol.bodies import Removal
from anonp2p.protocol.credentials import sign_credentials
from anonp2p.protocol.field_types import Opening
from anonp2p.protocol.requests import JoinRequest
from anonp2p.room import effects, events, inputs
from anonp2p.room.errors import RetractUnsent, Unconfirmed
from anonp2p.room.succession.terms import make_place
from tests.room.hostile import assert_link_ended, come_anew
from tests.room.member.false_host import FAR, HERE, FalseHost
from tests.room.peers import ANN, HOST, ROOM_KEY, kinds, said, text


def test_one_who_is_not_known_any_more_gives_back_and_joins_anew_under_its_nick(host: FalseHost) -> None:
    """5.12: with new keys."""
    old = host.ledger.get_member(host.me)
    host.redials()
    assert host.hears(host.refused("unknown")) == []
    assert not host.room.over
    assert host.takes(inputs.SayInput("typed while outside")) == []
    join = host.redials()
    assert isinstance(join, JoinRequest)
    assert join.nick == "me"
    assert join.key != old.key
    assert suite.hash_data(join.encryption_key) != old.key_hash
    asked = []
    for number in range(9):
        assert host.hears(host.refused("not-allowed" if number % 2 else "nick-taken")) == []
        again = host.redials()
        assert again.key == join.key
        asked.append(again.nick)
    assert asked == [*(f"me-{number}" for number in range(2, 10)), ""]
    host.ledger.roster.remove_member(old)
    host.begin_at(FAR)
    host.roster_guest(f"anon-{identity.spell_member(identity.member_id(join.key))[:4]}")
    happened = host.hears(*host.welcome())
    assert kinds(happened) == ["LinkEvent", "EnteredEvent", "NickAssignedEvent", "EntriesMissedEvent"]
    missed = happened[-1]
    assert isinstance(missed, events.EntriesMissedEvent)
    assert missed.count == FAR + 1 - HERE
    [mine] = host.submits()
    assert said(mine) == text("typed while outside")
    assert mine.header.counter == 1


@pytest.mark.parametrize("how", ["ordered", "not ordered", "unproven", "never in again"])
def test_what_was_sent_as_somebody_else_is_told_once_it_is_known_whether_it_was_ordered(
    host: FalseHost, how: str
) -> None:
    """5.14"""
    host.takes(inputs.SayInput("precious", re=7))
    [mine] = host.submits()
    former = host.me
    host.redials()
    if how == "ordered":
        unseen = [mine, host.commit(Removal(former, "kicked"))]
    else:
        unseen = [host.commit(Removal(former, "kicked"))]
    assert host.hears(host.refused("unknown")) == []
    assert host.room.outstanding == 1
    host.redials()
    proof = host.proof(*unseen)
    host.slice()
    joined = host.orders_guest()
    host.place(joined)
    steps = frames.ProofFrame(proof.steps + host.proof_of(joined).steps)
    if how == "never in again":
        happened = host.hears(host.refused("full"))
    elif how == "unproven":
        host.begin_at(FAR)
        happened = host.hears(*host.welcome())
    else:
        happened = host.hears(*host.welcome(proof=True), steps)
    own = [(type(it), it.re) for it in happened if isinstance(it, events.MessageEvent | events.UnsentEvent)]
    errors_ = [it.text for it in happened if isinstance(it, events.ErrorEvent)]
    if how == "ordered":
        [receipt] = [it for it in happened if isinstance(it, events.MessageEvent)]
        assert (receipt.text, receipt.mine, receipt.member) == ("precious", True, identity.spell_member(former))
        assert own == [(events.MessageEvent, 7)]
    else:
        assert own == [(events.UnsentEvent, 7)]
        assert (Unconfirmed() in errors_) == (how != "not ordered")
    assert host.room.outstanding == 0


def test_what_was_sent_as_somebody_else_cannot_be_retracted(host: FalseHost) -> None:
    """5.20: only its author could, who has no keys any more."""
    mine, former = host.says("precious"), host.me
    host.takes(inputs.RetractInput(None, re=8))
    host.redials()
    removal = host.commit(Removal(former, "kicked"))
    assert host.hears(host.refused("unknown")) == []
    host.redials()
    proof = host.proof(mine, removal)
    host.slice()
    joined = host.orders_guest()
    host.place(joined)
    steps = frames.ProofFrame(proof.steps + host.proof_of(joined).steps)
    happened = host.hears(*host.welcome(proof=True), steps)
    [refused] = [it for it in happened if isinstance(it, events.ErrorEvent)]
    assert (refused.text, refused.re) == (RetractUnsent(), 8)
    assert host.submits() == []
    assert host.room.outstanding == 0


@pytest.mark.parametrize("lie", ["a shorter log", "another nick", "an older epoch"])
def test_one_who_comes_anew_is_not_lied_to_either(host: FalseHost, lie: str) -> None:
    host.turns()
    come_anew(host)
    host.ledger.roster.remove_member(host.ledger.get_member(host.me))
    host.roster_guest("fool" if lie == "another nick" else "me")
    welcomes: dict[str, Callable[[], list[frames.Frame]]] = {
        "a shorter log": lambda: host.welcome(head={"index": HERE}),
        "another nick": host.welcome,
        "an older epoch": lambda: host.welcome(epoch=0, proof=True),
    }
    assert kinds(host.hears(*welcomes[lie]())) == ["AlarmEvent", "ErrorEvent", "GoneEvent"]


def test_a_member_that_passes_for_the_host_is_not_believed(host: FalseHost) -> None:
    """5.9, 7.2: and nobody else is accused of it."""
    come_anew(host)
    host.ledger.roster.remove_member(host.ledger.get_member(host.me))
    host.roster_guest("me")
    stolen = sign_credentials(ROOM_KEY, ANN.key)
    passing = host.welcome(host=ANN.id, sign=ANN.sign, head={"signer": ANN}, credentials=stolen)
    assert_link_ended(host, host.hears(*passing))


def test_a_host_of_another_side_that_has_not_given_way_yet_is_passed_by(host: FalseHost) -> None:
    """2.13: the code may lead to it, and it welcomes whoever comes."""
    come_anew(host)
    host.ledger.roster.remove_member(host.ledger.get_member(host.me))
    host.roster_guest("me")
    vouched = sign_credentials(ROOM_KEY, ANN.key)
    host.hears(*host.welcome(host=ANN.id, sign=ANN.sign, head={"signer": ANN}, credentials=vouched))
    [drop] = [effect for effect in host.effects if isinstance(effect, effects.DropEffect)]
    assert drop.reason == "other-host"


def test_one_who_has_another_nick_by_now_is_welcomed_anew_under_it(host: FalseHost) -> None:
    host.takes(inputs.RenameInput("moi"))
    [mine] = host.submits()
    assert kinds(host.hears(mine)) == ["RenamedEvent"]
    host.redials()
    host.begin_at(FAR)
    assert kinds(host.hears(*host.welcome())) == ["LinkEvent", "EnteredEvent", "EntriesMissedEvent"]


def test_who_comes_anew_to_a_later_term_of_its_own_log_is_proven_what_it_has_missed(host: FalseHost) -> None:
    """7.3a: another side had given up its place, and where it joins, the log goes on from where it was."""
    mine, former = host.says("precious"), host.me
    come_anew(host)
    at, digest = host.ledger.index + 1, host.ledger.digest
    host.ledger.number = 4
    host.ledger.openings = (*host.ledger.openings, Opening(4, HOST.id, at, digest, at))
    proof = host.proof(mine, host.commit(Removal(former, "lost")))
    host.slice()
    joined = host.orders_guest()
    host.place(joined)
    head = {"index": make_place(4, host.ledger.index), "digest": host.ledger.digest}
    vouched = sign_credentials(ROOM_KEY, HOST.key, 4)
    steps = frames.ProofFrame(proof.steps + host.proof_of(joined).steps)
    happened = host.hears(*host.welcome(proof=True, credentials=vouched, head=head), steps)
    [missed] = [it for it in happened if isinstance(it, events.EntriesMissedEvent)]
    assert (missed.count, missed.verified) == (3, True)
    assert [it.text for it in happened if isinstance(it, events.MessageEvent)] == ["precious"]
