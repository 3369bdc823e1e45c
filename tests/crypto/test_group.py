"""A group of plain users of the library, whatever the order of joins, commits and messages, and whatever gets lost."""

from dataclasses import dataclass, field

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from anonp2p.crypto import commit, identity, suite
from anonp2p.crypto.commit import CommitSecret
from anonp2p.crypto.epoch import COMMIT, ENTRY, Epoch, Header, read_header
from anonp2p.crypto.identity import Identity
from anonp2p.crypto.padding import SIZES
from anonp2p.crypto.ratchet import Ratchet
from anonp2p.errors import PeerFault
from anonp2p.protocol import frames, room_state, welcome
from anonp2p.protocol.rights import Rights
from anonp2p.protocol.wire import Splitter
from tests.support.terms import founders_term

ROOM = b"r" * 32
CONTEXT = b"c" * 32  # of the group: here, the digest covers nothing else than entries
LATEST = room_state.LatestEntry(bytes(32), bytes(33), bytes(32))
VOUCHED = frames.Credentials(bytes(32), bytes(32), 0, bytes(64))
CROWD = 6  # members at once
TRIED = 6  # generations that a newcomer tries of each chain

Chains = dict[bytes, tuple[int, bytes]]


def seed(number: int) -> bytes:
    return suite.hash_data(b"seed" + number.to_bytes(4, "big"))


def shown(epoch: Epoch) -> Chains:
    return {member: (chain.generation, chain.chain_key) for member, chain in epoch.ratchets.items()}


@dataclass
class Placed:
    """An entry in its place. batch: it alone in one; after: the host's chains with it."""

    entry: bytes
    batch: bytes
    header: Header
    body: bytes
    digest: bytes
    epoch: int
    after: Chains = field(default_factory=dict)


@dataclass
class Sent:
    """What a member wants ordered, and how it was sealed last."""

    text: bytes
    epoch: int = -1
    entry: bytes = b""


class Member:
    """One who follows the log."""

    def __init__(self, number: int) -> None:
        self.me = Identity(seed(number), ROOM)
        self.key = suite.EncryptionKeyPair(seed(number + 1_000))
        self.counter = 0
        self.pending: dict[int, Sent] = {}
        self.uplink: list[tuple[int, bytes]] = []  # on its way to the host: epoch, entry
        self.came = self.index = 0
        self.digest = b""
        self.opened: list[bytes] = []  # bodies, from the place after which it came
        self.epoch: Epoch = None  # type: ignore[assignment]  # as soon as it is welcome

    def note(self, text: bytes) -> None:
        self.counter += 1
        self.pending[self.counter] = Sent(text)
        self.send(self.counter)

    def send(self, counter: int) -> None:
        """5.14: "in the same epoch the same bytes, in another one sealed and signed anew under the same counter"."""
        sent = self.pending[counter]
        if sent.epoch != self.epoch.number:
            sent.epoch = self.epoch.number
            generation = self.epoch.ratchets[self.me.id].generation
            sent.entry = self.epoch.seal_entry(Header(ENTRY, self.me.id, counter, generation), sent.text)
        self.uplink.append((sent.epoch, sent.entry))

    def follow(self, placed: Placed, turns: dict[int, CommitSecret]) -> None:
        """The next of the log."""
        entry = self.epoch.open_batch(placed.batch)
        assert entry == placed.entry
        header = read_header(entry)
        if header.author == self.me.id:
            sent = self.pending.pop(header.counter)
            assert sent.entry == entry
            body = sent.text
        elif header.kind == COMMIT:
            body = placed.body  # of a backfill
        else:
            opened, body = self.epoch.open_entry(entry)
            assert opened == header
        self.take(header, body)
        if body.startswith(b"joined"):
            self.epoch.admit_member(body.removeprefix(b"joined"))
        if header.kind == COMMIT and self.me.id in remaining(body):
            box = turns[self.epoch.number + 1].seal_share(self.me.id, self.key.public)
            self.turn(box, remaining(body))

    def take(self, header: Header, body: bytes) -> None:
        self.index += 1
        self.digest = identity.extend_log_hash(self.digest, self.index, header.pack(), suite.hash_data(body), CONTEXT)
        self.opened.append(body)

    def turn(self, box: bytes, members: list[bytes]) -> None:
        number = self.epoch.number + 1
        secret, tag = commit.open_share(box, self.key, ROOM, self.me.id, number, self.digest)
        self.epoch, mine = self.epoch.follow(secret, self.digest, members)
        commit.check_confirmation_tag(mine, tag)
        for counter in self.pending:
            self.send(counter)


def committing(members: list[bytes]) -> bytes:
    """A commit's body, here with all whom it leaves."""
    return b"commit" + b"".join(members)


def remaining(body: bytes) -> list[bytes]:
    ids = body.removeprefix(b"commit")
    return [ids[at : at + 16] for at in range(0, len(ids), 16)]


class Group(RuleBasedStateMachine):
    """The host, who orders, and those who follow."""

    @initialize()
    def begin(self) -> None:
        self.people = 0
        self.host = Identity(seed(0), ROOM)
        self.counters: dict[bytes, int] = {self.host.id: 0}
        self.digest = identity.hash_empty_log(ROOM, CONTEXT)
        self.epoch = Epoch.begin(seed(2_000), self.digest, self.host.id)
        self.log: list[Placed] = []
        self.turns: dict[int, CommitSecret] = {}
        self.members: list[Member] = []
        self.left: set[bytes] = set()
        self.leaving: list[Member] = []  # out, but not yet kept out by a commit
        self.out: list[tuple[Epoch, int]] = []  # what those have who are out, and after which place they are
        self.join()
        self.join()

    # --- the host

    def place(self, header: Header, body: bytes, entry: bytes) -> None:
        index = len(self.log) + 1
        self.counters[header.author] = header.counter
        self.digest = identity.extend_log_hash(self.digest, index, header.pack(), suite.hash_data(body), CONTEXT)
        nonce = seed(7_000 + index)
        [batch] = Splitter(SIZES[-1]).feed_data(self.epoch.seal_batch(entry, lambda length: nonce[:length]))
        self.log.append(Placed(entry, batch, header, body, self.digest, self.epoch.number))
        if body.startswith(b"joined"):
            self.epoch.admit_member(body.removeprefix(b"joined"))
        self.log[-1].after = shown(self.epoch)

    def order(self, body: bytes, kind: int = ENTRY) -> None:
        """An entry of the host's own."""
        generation = self.epoch.ratchets[self.host.id].generation if kind == ENTRY else 0
        header = Header(kind, self.host.id, self.counters[self.host.id] + 1, generation)
        self.place(header, body, self.epoch.seal_entry(header, body) if kind == ENTRY else header.pack())

    def welcome(self, member: Member, hello: bytes) -> Epoch:
        """A Welcome as of now, from the host's end of a link to the member's."""
        roster = [
            room_state.RosterEntry(it.key, "nick", self.counters[it.id], False, bytes(32), *shown(self.epoch)[it.id])
            for it in [self.host, *(member.me for member in self.members)]
        ]
        keys = (self.epoch.init_secret, self.epoch.log_key, self.epoch.newcomer_secret)
        rules = room_state.RetentionPolicy(0, 2**32 - 1, 2**32 - 1), room_state.HistoryPolicy(0, 0)
        index = len(self.log)
        state = room_state.RoomState(
            ROOM,
            "demo",
            Rights(),
            founders_term(self.host.id, ROOM),
            *rules,
            self.epoch.number,
            *keys,
            bytes(112),
            LATEST,
            VOUCHED,
            roster,
            index,
            None,
        )
        first, *pages = welcome.seal_welcome(state, member.key.public, ROOM, hello, seed(3_000), self.host.sign)
        assert isinstance(first, frames.WelcomeFrame)
        arrival = welcome.WelcomeReader(first, member.key, ROOM, hello)
        arrived = [arrival.take_page(page) for page in pages if isinstance(page, frames.PageFrame)][-1]
        assert arrived == state
        member.index, member.digest = len(self.log), self.digest
        return welcome.make_epoch(arrived)

    def commit(self, removed: list[Member]) -> None:
        for member in removed:
            self.members.remove(member)
        ids = [self.host.id, *(member.me.id for member in self.members)]
        self.order(committing(ids), COMMIT)
        number, secret = self.epoch.number + 1, seed(4_000 + self.epoch.number)
        self.epoch, tag = self.epoch.follow(secret, self.digest, ids)
        self.turns[number] = CommitSecret(ROOM, number, self.digest, secret, tag)
        self.log[-1].after = shown(self.epoch)
        for member in [*removed, *self.leaving]:
            for placed in self.log[member.index :]:  # it can read why it is out, and all before
                member.follow(placed, self.turns)
            self.expect_no_way_on(member, self.turns[number])
        self.leaving.clear()

    # --- what happens

    @rule()
    @precondition(lambda self: len(self.members) < CROWD)
    def join(self) -> None:
        self.people += 1
        member = Member(self.people)
        self.order(b"joined" + member.me.id)
        self.members.append(member)
        self.counters[member.me.id] = 0
        member.epoch = self.welcome(member, seed(5_000 + self.people))
        member.came = member.index
        self.expect_nothing_from_before(member)

    @rule(number=st.integers(0, CROWD - 1), text=st.binary(max_size=20), left_out=st.sampled_from([0, 0, 0, 1, 128]))
    @precondition(lambda self: self.members)
    def say(self, number: int, text: bytes, left_out: int) -> None:
        """left_out: generations that a host has denied, say. It drops who leaves out more of them in a row."""
        member = self.members[number % len(self.members)]
        if left_out and not any(sent.epoch == member.epoch.number for sent in member.pending.values()):
            mine, theirs = member.epoch.ratchets[member.me.id], self.epoch.ratchets[member.me.id]
            if member.epoch.number == self.epoch.number and mine.generation == theirs.generation:
                mine.take_key(mine.generation + left_out - 1)
        member.note(b"says" + text)

    @rule(text=st.binary(max_size=20))
    def say_as_host(self, text: bytes) -> None:
        self.order(b"says" + text)

    @rule(number=st.integers(0, CROWD - 1), count=st.integers(1, 5))
    @precondition(lambda self: self.members)
    def hear(self, number: int, count: int) -> None:
        """The host takes what a member has sent."""
        member = self.members[number % len(self.members)]
        heard, member.uplink = member.uplink[:count], member.uplink[count:]
        for epoch, entry in heard:
            if epoch != self.epoch.number:
                continue  # 6.7: its author seals it anew
            header = read_header(entry)
            assert header.author == member.me.id
            if header.counter > self.counters[member.me.id]:
                self.place(header, self.epoch.open_entry(entry)[1], entry)

    @rule(number=st.integers(0, CROWD - 1), keep=st.integers(0, 3))
    @precondition(lambda self: self.members)
    def lose_and_send_again(self, number: int, keep: int) -> None:
        """A link breaks: some of what was sent came, all that has no place goes out again."""
        member = self.members[number % len(self.members)]
        if keep:
            self.hear(number, keep)
        member.uplink.clear()
        for counter in member.pending:
            member.send(counter)

    @rule(number=st.integers(0, CROWD - 1))
    @precondition(lambda self: any(member.uplink for member in self.members))
    def send_twice(self, number: int) -> None:
        sending = [member for member in self.members if member.uplink]
        sending[number % len(sending)].uplink.append(sending[number % len(sending)].uplink[0])

    @rule(number=st.integers(0, CROWD - 1), count=st.integers(1, 9), twice=st.booleans())
    @precondition(lambda self: self.members)
    def read_on(self, number: int, count: int, twice: bool) -> None:
        """A member follows the log for a while. twice: whoever carries it repeats it."""
        member = self.members[number % len(self.members)]
        for placed in self.log[member.index : member.index + count]:
            member.follow(placed, self.turns)
            if twice:
                self.expect_refused(member, placed)

    @rule(number=st.integers(0, CROWD - 1))
    @precondition(lambda self: self.members)
    def come_back(self, number: int) -> None:
        """5.12: away for so long that only a Welcome helps, with what was missed as a past."""
        member = self.members[number % len(self.members)]
        missed, before = self.log[member.index :], member.epoch
        for placed in missed:
            member.take(placed.header, placed.body)
            if placed.header.author == member.me.id:
                del member.pending[placed.header.counter]
        assert member.digest == self.digest
        member.epoch = self.welcome(member, seed(6_000 + len(self.log)))
        if member.epoch.number == before.number:
            member.epoch.ratchets[member.me.id] = before.ratchets[member.me.id]  # of which more may be used up
        member.uplink.clear()
        for counter in member.pending:
            member.send(counter)

    @rule(number=st.integers(0, CROWD - 1))
    @precondition(lambda self: self.members)
    def leave(self, number: int) -> None:
        """What it says from now on gets no place; a commit keeps it out."""
        member = self.members.pop(number % len(self.members))
        self.order(b"left" + member.me.id)
        self.left.add(member.me.id)
        self.leaving.append(member)

    @rule(numbers=st.sets(st.integers(0, CROWD - 1), max_size=2))
    def remove(self, numbers: set[int]) -> None:
        """A commit, for its time has come or because somebody has to go."""
        self.commit([member for number, member in enumerate(self.members) if number in numbers])

    # --- what must hold

    def expect_refused(self, member: Member, placed: Placed) -> None:
        before = shown(member.epoch)
        if placed.header.kind == COMMIT:
            assert member.epoch.open_batch(placed.batch) is None
        elif placed.header.author != member.me.id:
            with pytest.raises(PeerFault):
                member.epoch.open_entry(placed.entry)
            assert shown(member.epoch) == before

    def expect_nothing_from_before(self, newcomer: Member) -> None:
        """7.3, with every key that can be made of what a Welcome tells."""
        epoch, everyone = newcomer.epoch, list(self.counters)
        links = [chain.chain_key for chain in epoch.ratchets.values()]
        secret = epoch.newcomer_secret
        for _ in range(3):
            links += [suite.expand(secret, "ratchet", member) for member in everyone]
            secret = suite.expand(secret, "next")
        keys = [key for link in links for key in self.keys(link)]
        keys += [suite.Key(it) for it in (*links, epoch.init_secret, epoch.log_key, epoch.newcomer_secret)]
        for placed in self.log:
            packed = placed.header.pack()
            for key in keys:
                assert key.open_sealed(0, placed.entry[len(packed) :], packed) is None
            if placed.epoch != epoch.number:
                assert epoch.open_batch(placed.batch) is None

    @staticmethod
    def keys(link: bytes) -> list[suite.Key]:
        chain = Ratchet(link)
        return [chain.take_key(generation) for generation in range(TRIED)]

    @invariant()
    def everyone_opens_every_entry_since_it_came_once(self) -> None:
        for member in self.members:
            assert member.opened == [placed.body for placed in self.log[member.came : member.index]]

    @invariant()
    def nothing_is_ordered_twice(self) -> None:
        places = [(placed.header.author, placed.header.counter) for placed in self.log]
        assert len(set(places)) == len(places)
        entries = [placed for placed in self.log if placed.header.kind == ENTRY]
        assert len({(placed.epoch, placed.header.author, placed.header.generation) for placed in entries}) == len(
            entries
        )

    @invariant()
    def those_at_the_same_place_share_the_same_log_and_chains(self) -> None:
        for member in self.members:
            placed = self.log[member.index - 1]
            assert member.digest == placed.digest
            ours = shown(member.epoch)
            mine, theirs = ours.pop(member.me.id), dict(placed.after)
            assert mine[0] >= theirs.pop(member.me.id)[0]
            assert ours.items() <= theirs.items()
            assert theirs.keys() - ours.keys() <= self.left  # before it came

    def expect_no_way_on(self, member: Member, turn: CommitSecret) -> None:
        """For one who is out, with the log's digest and the commit share of another, but without the fresh secret."""
        ids = [it.me.id for it in self.members]
        self.out.append((member.epoch, len(self.log)))
        self.out.append((member.epoch.follow(bytes(32), turn.digest, ids)[0], len(self.log)))
        for it in self.members[:1]:
            box = turn.seal_share(it.me.id, it.key.public)
            for who in (it.me.id, member.me.id):
                with pytest.raises(PeerFault):
                    commit.open_share(box, member.key, ROOM, who, turn.epoch, turn.digest)

    @staticmethod
    def expect_closed(epoch: Epoch, placed: Placed) -> None:
        """An entry that no key of this epoch opens, though its batch were known."""
        before = shown(epoch)
        with pytest.raises(PeerFault):
            epoch.open_entry(placed.entry)
        epoch.ratchets.update({member: Ratchet(link, generation) for member, (generation, link) in before.items()})

    @invariant()
    def who_is_out_opens_nothing_after_the_commit(self) -> None:
        for epoch, place in self.out[-6:]:
            for placed in self.log[place:][-3:]:
                assert epoch.open_batch(placed.batch) is None
                self.expect_closed(epoch, placed)

    def teardown(self) -> None:
        """In the end everyone reads everything, and what was in flight gets its place."""
        for member in getattr(self, "members", []):
            self.read_on(self.members.index(member), len(self.log), twice=False)
            self.hear(self.members.index(member), len(member.uplink) or 1)
        for member in getattr(self, "members", []):
            self.read_on(self.members.index(member), len(self.log), twice=True)
            assert not member.pending
            assert shown(member.epoch).keys() >= {it.me.id for it in self.members}


TestGroup = Group.TestCase
TestGroup.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
