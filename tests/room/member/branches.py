"""Logs that part: what hosts of several terms have ordered, as a member gets it opened."""

from typing import Any

import msgspec

from anonp2p import limits
from anonp2p.crypto import identity, suite
from anonp2p.crypto.epoch import ENTRY, KEPT, Epoch, Header
from anonp2p.crypto.identity import Identity
from anonp2p.protocol import bodies, frames
from anonp2p.protocol.batches import Backfilled, BackfilledEntry, Tombstone
from anonp2p.protocol.field_types import Heir
from anonp2p.room.contents import entry_content, padded_content
from anonp2p.room.context import Context
from anonp2p.room.entries import OpenedEntry
from anonp2p.room.entry_rules import kind_of
from anonp2p.room.ledger import Ledger
from anonp2p.room.member.following import Follower
from anonp2p.room.member.head_check import Head, HeadCheck
from anonp2p.room.member.joining import Joining
from anonp2p.room.member.key_book import KeyBook
from anonp2p.room.member.states import LinkState
from anonp2p.room.member.switch import Switch
from anonp2p.room.member.uplink import Uplink
from anonp2p.room.succession.patience import Patience
from tests.room.member.parts import head_text, joined_context, take_events
from tests.room.peers import ANN, BOB, HOST, ROOM, told

ADDRESSES = {ANN.id: Identity(b"1" * 32, ROOM).key, BOB.id: Identity(b"2" * 32, ROOM).key, HOST.id: ROOM}
SECOND = 1_000


class Branch:
    """A log and the room that it leads to, from which others may part. time: of its next head, in milliseconds."""

    def __init__(self, ledger: Ledger, time: int = 0) -> None:
        self.ledger = ledger
        self.time = time
        self.batches: list[frames.BackfillFrame] = []
        self.generations: dict[bytes, int] = {}

    def part(self) -> "Branch":
        """Another one that has the same up to here."""
        other = Branch(self.ledger.copy(), self.time)
        other.generations = dict(self.generations)
        return other

    @property
    def signer(self) -> Identity:
        return next(who for who in (HOST, ANN, BOB) if who.id == self.ledger.host)

    def entry(self, author: Identity, body: bodies.Body, *, ttl: int = KEPT, counter: int | None = None) -> OpenedEntry:
        """The next entry of this author."""
        ledger, kind = self.ledger, kind_of(body)
        count = ledger.get_member(author.id).counter + 1 if counter is None else counter
        generation = self.generations.get(author.id, 0) if kind == ENTRY else 0
        header = Header(kind, author.id, count if kind != 2 else 0, generation, ttl)
        content = padded_content(bodies.Content(bytes(limits.SALT), ledger.index, ledger.digest, body))
        signature = author.sign(identity.ENTRY, entry_content(ledger.epoch, header.pack(), content))
        return OpenedEntry(header, signature + content)

    def place(self, entry: OpenedEntry) -> OpenedEntry:
        """It is the next one, whether it may be or not."""
        before, header = self.ledger.group_context, entry.header
        self.ledger.take_entry(self.ledger.get_member(header.author), header, entry.content, entry.digest)
        entry.context = None if self.ledger.group_context == before else self.ledger.group_context
        if header.kind == ENTRY:
            self.generations[header.author] = header.generation + 1
        return entry

    def seal(self, *entries: OpenedEntry, signer: Identity | None = None, gone: bool = False) -> frames.BackfillFrame:
        """These in one batch, which are placed already. gone: whether only tombstones are left."""
        self.time += SECOND
        head = head_text(self.ledger.place, self.ledger.digest, self.time, signer=signer or self.signer)
        shown: list[Backfilled] = [
            Tombstone(it.header.pack(), it.digest) if gone else BackfilledEntry(it.header.pack(), it.body)
            for it in entries
        ]
        batch = frames.BackfillFrame(shown, [it.context for it in entries], head, head)
        self.batches.append(batch)
        return batch

    def says(self, author: Identity, body: bodies.Body, **other: Any) -> frames.BackfillFrame:
        """One entry in a batch of its own."""
        return self.seal(self.place(self.entry(author, body, **other)))

    def opens(self, author: Identity, number: int, since: int | None = None, **other: Any) -> frames.BackfillFrame:
        """A term begins."""
        address = ADDRESSES[author.id]
        return self.says(author, bodies.OpeningBody(number, address, address, since or self.ledger.index + 1), **other)


class Lost:
    """One of a room with Hugo as the host, and Ann as the only heir, who has lost its host.

    shared: the log up to where others may part from it; ours: the log as it has it.
    """

    def __init__(self) -> None:
        self.context: Context = joined_context()
        self.heads = HeadCheck(self.context)
        self.state = LinkState()
        uplink = Uplink(self.context)
        keys, joining = KeyBook(self.context, uplink), Joining(self.context, "me")
        self.follower = Follower(self.context, self.heads, keys, joining, self.state, Patience())
        self.ours = Branch(self.context.replica.ledger.copy())
        self.hears(self.ours.says(HOST, bodies.HeirsBody([Heir(ANN.id, ADDRESSES[ANN.id])], entrusts=False)))

    def hears(self, *batches: frames.BackfillFrame) -> list[Any]:
        """What it is told when these come from somebody else."""
        for batch in batches:
            self.follower.take_catch_up(batch)
        return take_events(self.context)

    def says(self, body: Any, ttl: int = KEPT) -> OpenedEntry:
        """What it writes is sealed; the entry as its host has it opened."""
        counter = self.context.outbox.add_entry(body, "what was typed", "7", ttl)
        sealed = self.context.outbox.seal_entry(counter, self.context.replica.sealer(self.context.random))
        return OpenedEntry(sealed.header, sealed.body)

    def has(self, entry: OpenedEntry) -> list[Any]:
        """Its host orders this entry of its own."""
        return self.hears(self.ours.seal(self.ours.place(entry)))

    def switch(self, theirs: Branch, *, since: int | None = None, room_time: int = 0) -> Switch:
        """It is welcomed to this log; fork: where both part."""
        ledger, head = theirs.ledger, Head.read(theirs.batches[-1].head)
        first = self.ours.ledger.index if since is None else since
        epoch = Epoch.begin_term(ledger.epoch, bytes(suite.SECRET), ledger.digest, [it.id for it in ledger.roster])
        return Switch(self.context, ledger, epoch, head, first, room_time)

    def goes_over(self, theirs: Branch, since: int, **other: Any) -> list[Any]:
        """It is given all that the log has after this index, and goes over to it; what it is told."""
        switch = self.switch(theirs, since=since, **other)
        now = theirs.batches[-1].head
        for batch in theirs.batches:
            if Head.read(batch.head).end <= since:
                continue
            assert not switch.is_complete
            switch.take_missed(msgspec.structs.replace(batch, now=now))
        assert switch.is_complete
        self.follower.take_switch(switch)
        return told(self.context.reporter.take_effects())
