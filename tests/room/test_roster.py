"""The roster: whatever happens, no two members are alike, and the index of nicks says what the members say."""

import functools

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from anonp2p import limits
from anonp2p.crypto import identity
from anonp2p.names import nicks
from anonp2p.room.roster import Member, Roster

KEY = b"l" * 32
KEYS = [bytes([number]) * 32 for number in range(8)]
NICKS = ["ann", "ANN", "Ａnn", "bob", "Straße", "STRASSE", "eve", "éve", "anon-x93k"]
NICKS += ["modern", "modem", "νick", "vick", "NICK"]  # Greek nu looks like v or N
NICKS += ["a-nn", "ann_", "2ack", "Zack", "пick"]  # people confuse these

looks = functools.cache(nicks.narrow_looks)
keys = st.sampled_from(KEYS)
some_nicks = st.sampled_from(NICKS).map(nicks.parse_nick)


class Members(RuleBasedStateMachine):
    """A roster, and what should be in it: nicks by key, in the order they came."""

    def __init__(self) -> None:
        super().__init__()
        self.roster = Roster()
        self.model: dict[bytes, str] = {}
        self.away: set[bytes] = set()

    def taken(self, nick: str, key: bytes) -> bool:
        wanted = looks(nick)
        return any(wanted & looks(other) for owner, other in self.model.items() if owner != key)

    def member(self, key: bytes) -> Member | None:
        return self.roster.find_member(identity.member_id(key))

    @rule(key=keys, nick=some_nicks, counter=st.integers(0, 9), away=st.booleans())
    def add(self, key: bytes, nick: str, counter: int, away: bool = False) -> None:
        if key in self.model or self.taken(nick, key):
            with pytest.raises(ValueError, match="alike"):
                self.roster.add_member(key, nick, KEY, counter, away=away)
        else:
            member = self.roster.add_member(key, nick, KEY, counter, away=away)
            assert (member.key, member.nick, member.key_hash, member.counter) == (key, nick, KEY, counter)
            self.model[key] = nick
            self.away |= {key} if away else set()

    @rule(key=keys)
    def remove(self, key: bytes) -> None:
        if member := self.member(key):
            self.roster.remove_member(member)
            del self.model[key]
            self.away.discard(key)

    @rule(key=keys, away=st.booleans())
    def mark(self, key: bytes, away: bool) -> None:
        if member := self.member(key):
            self.roster.mark_presence(member, away=away)
            self.away = self.away | {key} if away else self.away - {key}

    @rule(key=keys, nick=some_nicks)
    def rename(self, key: bytes, nick: str) -> None:
        if (member := self.member(key)) and not self.taken(nick, key):
            self.roster.rename_member(member, nick)
            self.model[key] = nick

    @rule(key=keys)
    def add_under_the_nick_it_offers(self, key: bytes) -> None:
        nick = self.roster.choose_nick(key)
        if key not in self.model and nick is not None:
            assert nicks.is_nick(nick)
            self.add(key, nick, 0)
            assert key in self.model

    @invariant()
    def members_are_those_that_came_in_their_order(self) -> None:
        assert [(member.key, member.nick) for member in self.roster] == list(self.model.items())
        assert len(self.roster) == len(self.model)
        assert all(self.member(key) is not None for key in self.model)
        assert all(self.member(key) is None for key in KEYS if key not in self.model)

    @invariant()
    def those_who_are_here_are_counted(self) -> None:
        assert {member.key for member in self.roster if member.away} == self.away
        assert self.roster.present_count == len(self.model) - len(self.away)

    @invariant()
    def whom_people_may_confuse_is_known(self) -> None:
        model = [(nick, self.member(key)) for key, nick in self.model.items()]
        pairs = {
            frozenset((one.id, other.id))
            for nick, one in model
            for another, other in model
            if one and other and one is not other and nicks.wide_looks(nick) & nicks.wide_looks(another)
        }
        found = {frozenset((one.id, other.id)) for one, other in self.roster.list_confusables()}
        assert found <= pairs, "each with the first of its like"
        assert frozenset[bytes]().union(*found) == frozenset[bytes]().union(*pairs)
        for nick, member in model:
            assert member
            other = self.roster.find_confusable(nick, member.id)
            assert (other is None) == (not any(member.id in pair for pair in pairs))
            assert other is None or {member.id, other.id} in pairs

    @invariant()
    def no_two_look_alike(self) -> None:
        keys = [key for member in self.roster for key in looks(member.nick)]
        assert len(set(keys)) == len(keys)

    @invariant()
    def who_is_called_by_a_nick_is_who_has_it_or_one_like_it(self) -> None:
        for nick in map(nicks.parse_nick, NICKS):
            found = self.roster.find_nick(nick)
            alike = [key for key, other in self.model.items() if looks(nick) & looks(other)]
            assert (found is None) == (not alike)
            assert found is None or found.key in alike

    @invariant()
    def a_nick_is_taken_exactly_where_somebody_else_has_it(self) -> None:
        for nick in map(nicks.parse_nick, NICKS):
            assert self.roster.is_taken(nick, b"") == self.taken(nick, b"")
            for key in KEYS:
                assert self.roster.is_taken(nick, identity.member_id(key)) == self.taken(nick, key)


TestMembers = Members.TestCase
TestMembers.settings = settings(max_examples=50, stateful_step_count=25)


def test_the_nick_of_one_who_asked_for_none_is_made_from_its_key() -> None:
    tag = identity.short_id(identity.member_id(KEYS[0]))
    assert Roster().choose_nick(KEYS[0]) == f"anon-{tag[:4]}"


def test_it_grows_where_it_is_taken_until_it_is_too_long() -> None:
    roster = Roster()
    spelled = identity.spell_member(identity.member_id(KEYS[0]))
    for number, length in enumerate(range(4, limits.NICK - len("anon-") + 1)):
        assert roster.choose_nick(KEYS[0]) == f"anon-{spelled[:length]}"
        roster.add_member(bytes([100 + number]) * 32, f"anon-{spelled[:length]}".upper(), KEY)
    assert roster.choose_nick(KEYS[0]) is None


def test_a_member_shows_nothing_of_itself() -> None:
    assert "ann" not in repr(Roster().add_member(KEYS[0], "ann", KEY))


def test_one_is_called_by_any_nick_that_looks_like_its_own() -> None:
    roster = Roster()
    ann = roster.add_member(KEYS[0], "Ann", KEY)
    assert roster.find_nick("ANN") is ann
    assert roster.find_nick("annie") is None
    roster.remove_member(ann)
    assert roster.find_nick("ann") is None


def test_the_nick_of_one_who_asked_for_none_is_confused_with_nobodys_if_it_can_be() -> None:
    roster = Roster()
    first, second, *_ = roster.list_free_nicks(KEYS[0])
    roster.add_member(KEYS[1], f"{first}_", KEY)
    assert not roster.is_taken(first, b"")
    assert roster.choose_nick(KEYS[0]) == second
    for number, nick in enumerate(roster.list_free_nicks(KEYS[0])[1:-1]):
        roster.add_member(bytes([100 + number]) * 32, f"{nick}_", KEY)
    roster.add_member(bytes([99]) * 32, roster.list_free_nicks(KEYS[0])[-1], KEY)
    assert roster.choose_nick(KEYS[0]) == first, "rather that than none"


def test_of_two_who_are_confused_the_later_one_is_named_first() -> None:
    roster = Roster()
    ann, other = roster.add_member(KEYS[0], "ann", KEY), roster.add_member(KEYS[1], "a-n-n", KEY)
    assert list(roster.list_confusables()) == [(other, ann)]
    roster.rename_member(ann, "eve")
    roster.rename_member(ann, "ann")
    assert list(roster.list_confusables()) == [(ann, other)]


def test_whose_nick_is_a_reserved_word_is_known() -> None:
    roster = Roster()
    roster.add_member(KEYS[0], "ann", KEY)
    false = roster.add_member(KEYS[1], "5YSTEM", KEY)
    assert list(roster.with_reserved_nicks()) == [(false, "system")]
    roster.rename_member(false, "eve")
    assert list(roster.with_reserved_nicks()) == []
