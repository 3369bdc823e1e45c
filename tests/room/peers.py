"""Peers that a test plays: a host, members and strangers. They keep to the protocol but where they are told not to.

`FalseHost` has a member's real room as its guest; `FalseMember` dials the real room of a host, an `Inn`. Both seal what
the test wants, with the keys of whomever it wants.
"""

import hashlib
import itertools
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import msgspec

from anonp2p import limits
from anonp2p.crypto import commit, identity, padding, private, suite
from anonp2p.crypto.commit import CommitSecret
from anonp2p.crypto.epoch import COMMIT, ENTRY, KEPT, Epoch, Header, read_header
from anonp2p.crypto.identity import Identity
from anonp2p.crypto.padding import LENGTH
from anonp2p.crypto.ratchet import Ratchet
from anonp2p.errors import PeerFault
from anonp2p.protocol import frames, handshake, welcome
from anonp2p.protocol.handshake import Channel, HostHandshake
from anonp2p.room import effects, events, inputs
from anonp2p.room.ledger import Ledger, entry_content, head_content, unpack_content
from anonp2p.room.link_effects import LinkEffect
from anonp2p.room.log.log import LogEntry
from anonp2p.room.log.reader import LogReader
from anonp2p.room.retention import ANY, NO_HISTORY
from anonp2p.room.room import Room
from tests.support.world import START, End, World, log_of, payloads

ROOM = b"r" * 32
NOW = inputs.Now(START, 1_000_000.0)
DIGEST = b"d" * 32  # of the log that a false host had before it let its guest in
HERE = 4  # its index


class Somebody(Identity):
    """One whose keys the test has."""

    def __init__(self, name: bytes, room: bytes = ROOM) -> None:
        super().__init__(name * 32, room)
        self.encryption_key = suite.EncryptionKeyPair(name * 32)


HOST, ANN, BOB, EVE, ZOE = (Somebody(name) for name in (b"h", b"a", b"b", b"e", b"z"))


class Placed(NamedTuple):
    """An entry, and as it is sealed."""

    header: Header
    body: bytes
    sealed: bytes

    @property
    def gone(self) -> frames.Tombstone:
        """What is left of it once it has expired."""
        return frames.Tombstone(self.header.pack(), suite.hash_data(self.body))


# What a guest may be made to hear: a frame in a record, a payload as it is, an entry in its place in a batch of its
# own, or what is only made when its turn has come.
Item = frames.Frame | bytes | Placed | Callable[[], Any] | list[Any]


def randomness(seed: bytes) -> Callable[[int], bytes]:
    """Bytes that are the same in every run."""
    drawn = itertools.count()
    return lambda length: hashlib.shake_256(seed + next(drawn).to_bytes(8, "big")).digest(length)


def told(done: Iterable[effects.Effect]) -> list[events.Event]:
    return [effect.event for effect in done if isinstance(effect, effects.TellEffect)]


def kinds(happened: Iterable[object]) -> list[str]:
    return [type(event).__name__ for event in happened]


def padded(packed: bytes) -> bytes:
    """The content of an entry as it is signed, whatever it says."""
    return padding.pad_text(packed, -(-(len(packed) + LENGTH) // limits.CONTENT_STEP) * limits.CONTENT_STEP)


def text(words: str) -> frames.TextBody:
    return frames.TextBody(words, action=False)


class Sealer:
    """Seals entries of anybody, in an epoch whose keys it has."""

    epoch: Epoch
    reference: tuple[int, bytes]  # what entries refer to

    def __init__(self) -> None:
        self.links: dict[bytes, tuple[int, bytes]] = {}  # the first that we know of each chain
        self.generations: dict[bytes, int] = {}  # the next one of each author
        self.counters: dict[bytes, int] = {}  # of each one's last entry

    def know_chains(self) -> None:
        """The chains of the present epoch stand where they are."""
        self.links = {member: (chain.generation, chain.chain_key) for member, chain in self.epoch.ratchets.items()}
        self.generations = {member: chain.generation for member, chain in self.epoch.ratchets.items()}

    def chain(self, author: bytes, generation: int) -> Ratchet:
        """Anybody's chain at this generation; of one who has none, one that nobody else has."""
        first, link = self.links.get(author, (0, bytes(32)))
        chain = Ratchet(link, first)
        while chain.generation < generation:
            chain.take_key(chain.generation)
        return chain

    def entry(
        self,
        author: Identity,
        body: frames.Body | bytes,
        *,
        kind: int = ENTRY,
        counter: int | None = None,
        generation: int | None = None,
        ttl: int = KEPT,
        signer: Identity | None = None,
        label: bytes = identity.ENTRY,
        epoch: int | None = None,
        reference: tuple[int, bytes] | None = None,
    ) -> Placed:
        """What somebody says next. body: bytes for content that is none, or padded as the test likes."""
        if counter is None:
            counter = self.counters[author.id] = self.counters.get(author.id, 0) + 1
        if generation is None and kind == ENTRY:
            generation = self.generations.get(author.id, 0)
            self.generations[author.id] = generation + 1
        header = Header(kind, author.id, counter, generation or 0, ttl)
        content = body
        if not isinstance(content, bytes):
            content = padded(frames.pack(frames.Content(*(reference or self.reference), content)))
        number = self.epoch.number if epoch is None else epoch
        return self.seal(
            header, (signer or author).sign(label, entry_content(number, header.pack(), content)) + content
        )

    def box(
        self,
        author: Identity,
        to: Identity,
        key: suite.EncryptionKeyPair,
        words: str | bytes,
        *,
        counter: int | None = None,
        room: bytes = ROOM,
    ) -> frames.PrivateBody:
        """What somebody says next to one member alone. counter: another than its next one, to which it is bound."""
        if counter is None:
            counter = self.counters.get(author.id, 0) + 1
        about = private.bind_message(room, self.epoch.number, author.id, counter, to.id)
        return frames.PrivateBody(
            suite.seal_to_key(key.public, words.encode() if isinstance(words, str) else words, about),
        )

    def seal(self, header: Header, body: bytes, *, under: Header | None = None) -> Placed:
        """A body in the seal of its header. under: another one that goes on the wire instead."""
        sealed = self.body_key(header).seal_text(0, body, header.pack())
        return Placed(under or header, body, (under or header).pack() + sealed)

    def body_key(self, header: Header) -> suite.Key:
        if header.kind == COMMIT:
            return suite.Key(suite.expand(self.epoch.init_secret, "commit", header.pack()))
        return suite.Key(suite.expand(self.chain(header.author, header.generation).chain_key, "key"))

    def opened(self, sealed: bytes) -> Placed:
        """An entry of the present epoch."""
        header = read_header(sealed)
        body = self.body_key(header).open_sealed(0, sealed[33:], sealed[:33])
        assert body is not None
        return Placed(header, body, sealed)


def said(entry: Placed) -> frames.Body:
    """What an entry says."""
    return unpack_content(entry.body).body


class FalseHost(Sealer):
    """A host, and a real room that wants to be its guest, as far as the test lets it come."""

    def __init__(
        self,
        nick: str = "me",
        *,
        retention: frames.RetentionPolicy = ANY,
        history: frames.HistoryPolicy = NO_HISTORY,
        seed: bytes = b"guest",
    ) -> None:
        super().__init__()
        self.random = randomness(b"host")
        self.ledger = Ledger(ROOM)
        self.ledger.name = "demo"
        self.ledger.retention, self.ledger.history = retention, history
        self.ledger.host = self.ledger.add_member(HOST.key, "hugo", suite.hash_data(HOST.encryption_key.public), 3).id
        self.ledger.add_member(ANN.key, "ann", suite.hash_data(ANN.encryption_key.public))
        self.ledger.start_at(HERE, DIGEST)
        self.counters = {HOST.id: 3}
        self.epoch = Epoch.begin(b"s" * 32, identity.hash_empty_log(ROOM), HOST.id)
        self.epoch.admit_member(ANN.id)
        self.time = 0
        self.me = b""  # the guest
        self.now = NOW
        self.placed: list[Placed] = []
        self.end = End(inputs.UPLINK, START)  # the guest's
        self.is_dialling = False  # whether the guest wants a link, and has none yet
        self.room = Room(label="r1", key=ROOM, random=randomness(seed), nick=nick, name=None)
        self.takes(inputs.StartInput())

    @property
    def reference(self) -> tuple[int, bytes]:  # type: ignore[override]
        return self.ledger.index, self.ledger.digest

    # --- the guest

    def takes(self, step: inputs.Input, now: inputs.Now | None = None) -> list[events.Event]:
        """What it tells its user about this step."""
        now = now or self.now
        self.effects = self.room.handle_input(step, now)
        for effect in self.effects:
            if isinstance(effect, effects.DialEffect):
                self.end = End(inputs.UPLINK, now.tick)
                self.is_dialling = True
            elif isinstance(effect, LinkEffect):
                self.end.carry_out(effect, now.tick)
        self._sent = self.end.take_output()
        has_records = any(isinstance(effect, effects.RecordEffect) for effect in self.effects)
        self._records = [self.channel.open_record(payload) for payload in self._sent] if has_records else []
        return told(self.effects)

    def hears(self, *items: Item) -> list[events.Event]:
        """What it tells its user about these."""
        shown = []
        for item in items:
            if isinstance(item, list):
                shown += self.hears(*item)
            elif isinstance(item, Placed):
                shown += self.hears(self.batch(item))
            elif isinstance(item, bytes):
                shown += self.takes(inputs.ReceivedInput(inputs.UPLINK, item))
            elif callable(item):
                shown += self.hears(item())
            else:
                shown += self.hears(self.record(item))
        return shown

    def record(self, *said: frames.Frame, echo: bool = False) -> list[bytes]:
        """The payloads of these frames, in as few records as do."""
        return payloads(self.channel.seal_frames(said, echo=echo))

    def sent(self) -> list[bytes]:
        """The payloads that it sent with its last step: a client handshake, or records."""
        return self._sent

    def records(self) -> list[Any]:
        """The records that it sent with its last step."""
        return self._records

    def spoken(self) -> list[Any]:
        """The frames in them."""
        return [frame for record in self.records() for frame in record.frames]

    def submits(self) -> list[Placed]:
        """The entries that it sent with its last step."""
        entries = [self.opened(frame.entry) for frame in self.spoken() if isinstance(frame, frames.SubmitFrame)]
        for entry in entries:
            self.counters[self.me] = max(self.counters.get(self.me, 0), entry.header.counter)
            self.generations[self.me] = max(self.generations[self.me], entry.header.generation + 1)
        return entries

    def says(self, words: str) -> Placed:
        """Its user says this; the entry that it sends."""
        self.takes(inputs.SayInput(words))
        [entry] = self.submits()
        return entry

    # --- the link

    def greets(self) -> Any:
        """It dials and is greeted: the request in its client handshake."""
        self.awaits_dial()
        greeting = HostHandshake(self.random(32), ROOM, suite.EncryptionKeyPair(self.random(32)))
        self.hello = greeting.hello
        assert self.takes(inputs.ReceivedInput(inputs.UPLINK, greeting.wire[2:])) == []
        [client_handshake] = self.sent()
        self.request = greeting.open_request(client_handshake)
        self.channel = Channel(self.request.link_secret, self.hello, up=False)
        return self.request

    def awaits_dial(self) -> None:
        """Time passes until it wants to dial."""
        while not (self.is_dialling or self.room.over):
            deadline = self.room.next_deadline()
            assert deadline is not None, "a member without a link that does not want one"
            self.now = self.now._replace(tick=max(self.now.tick, deadline))
            self.takes(inputs.TickInput())
        self.is_dialling = False

    def redials(self) -> Any:
        """Its link breaks, and it dials again: the request in its client handshake."""
        self.takes(inputs.DroppedInput(inputs.UPLINK, "closed", 0.0))
        return self.greets()

    def roster_guest(self, nick: str | None = None) -> None:
        """The one who asks is a member from here on."""
        join: Any = self.request
        me = self.ledger.add_member(join.key, nick or join.nick, suite.hash_data(join.encryption_key))
        self.me = me.id
        self.epoch.admit_member(me.id)
        self.know_chains()

    def lets_in(self) -> list[events.Event]:
        """It asks, and is let in."""
        self.greets()
        self.roster_guest()
        return self.hears(*self.welcome())

    def orders_guest(self, **otherwise: Any) -> Placed:
        """The one who asks is a member from this entry on."""
        join: Any = self.request
        self.me = identity.member_id(join.key)
        return self.entry(
            HOST, frames.JoinedBody(join.key, join.nick, suite.hash_data(join.encryption_key)), **otherwise
        )

    def base(self) -> frames.RoomSnapshot:
        """The room as it is now, as the beginning of a history."""
        room = self.ledger
        members = [frames.SnapshotEntry(it.key, it.nick, it.counter, it.away, it.key_hash) for it in room.roster]
        return frames.RoomSnapshot(room.digest, room.epoch, room.locked, members)

    def state(self) -> frames.RoomState:
        """The room as it is now."""
        roster = []
        for it in self.ledger.roster:
            chain = self.chain(it.id, self.generations[it.id])
            roster.append(
                frames.RosterEntry(it.key, it.nick, it.counter, it.away, it.key_hash, chain.generation, chain.chain_key)
            )
        keys, room = self.epoch, self.ledger
        return frames.RoomState(
            room.name,
            room.locked,
            room.host,
            room.retention,
            room.history,
            keys.number,
            keys.init_secret,
            keys.log_key,
            keys.newcomer_secret,
            self.head_text(),
            roster,
            room.index,
            None,
        )

    def welcome(
        self,
        *,
        past: bool = False,
        sign: Callable[[bytes, bytes], bytes] = HOST.sign,
        hello: bytes | None = None,
        room: bytes = ROOM,
        key: bytes | None = None,
        **otherwise: Any,
    ) -> list[frames.Frame]:
        """A Welcome and its pages. past: the guest goes on from its own log; otherwise: what its state says instead."""
        if past:
            resume: Any = self.request
            otherwise = {"since": resume.index, **otherwise}
        state = msgspec.structs.replace(self.state(), **otherwise)
        to = key or self.request.encryption_key
        return welcome.seal_welcome(state, to, room, hello or self.hello, self.random(32), sign)

    def past(
        self, *entries: Placed, gone: Iterable[Placed] = (), head: bytes | None = None, **otherwise: Any
    ) -> frames.BackfillFrame:
        """A batch of these, opened. gone: which of them have expired; otherwise: what it says instead."""
        gone = list(gone)
        for entry in entries:
            self.place(entry)
        opened: list[frames.BackfilledEntry | frames.Tombstone] = [
            entry.gone if entry in gone else frames.BackfilledEntry(entry.header.pack(), entry.body)
            for entry in entries
        ]
        past = frames.BackfillFrame(opened, head or self.head_text(), self.ledger.index, self.time)
        return msgspec.structs.replace(past, **otherwise)

    # --- the log

    def place(self, entry: Placed) -> None:
        """The next place is this one's, whatever it says."""
        self.placed.append(entry)
        self.ledger.extend_log(entry.header, suite.hash_data(entry.body))
        with suppress(PeerFault, AssertionError):
            author = self.ledger.get_member(entry.header.author)
            content = unpack_content(entry.body)
            about = self.ledger.apply_content(author, entry.header, content)
            if isinstance(content.body, frames.JoinedBody):
                self.epoch.admit_member(about.id)
                chain = self.epoch.ratchets[about.id]
                self.links[about.id] = chain.generation, chain.chain_key
                self.generations.setdefault(about.id, 0)

    def head_text(
        self,
        *,
        index: int | None = None,
        digest: bytes | None = None,
        time: int | None = None,
        signer: Identity = HOST,
        label: bytes = identity.HEAD,
    ) -> bytes:
        content = head_content(
            self.ledger.index if index is None else index,
            self.ledger.digest if digest is None else digest,
            self.time if time is None else time,
        )
        return content + signer.sign(label, content)

    def batch(self, *entries: Placed, **otherwise: Any) -> bytes:
        """The payload of these in their places, with a head over all so far, but for what the arguments say."""
        for entry in entries:
            self.place(entry)
        return self.batch_of([entry.sealed for entry in entries], self.head_text(**otherwise))

    def batch_of(self, entries: list[bytes], head: bytes) -> bytes:
        """The same of anything."""
        return self.epoch.seal_batch(frames.pack(frames.Batch(entries, head)), self.random)[LENGTH:]

    def head(self, **otherwise: Any) -> bytes:
        """A head alone over all so far, but for what the arguments say."""
        return self.batch(**otherwise)

    # --- commits

    def commit(
        self, *removed: frames.Removal, epoch: int | None = None, author: Identity = HOST, kind: int = COMMIT
    ) -> Placed:
        """A commit that removes these."""
        number = self.epoch.number + 1 if epoch is None else epoch
        return self.entry(author, frames.CommitBody(number, list(removed)), kind=kind)

    def slice(
        self,
        *,
        group_context: bytes | None = None,
        tag: bytes | None = None,
        member: bytes | None = None,
        epoch: int | None = None,
        room: bytes = ROOM,
        key: bytes | None = None,
        secret: bytes | None = None,
    ) -> frames.CommitShareFrame:
        """The commit has its place: the next epoch begins, and the guest gets its share."""
        fresh = self.random(32)
        members = [it.id for it in self.ledger.roster]
        self.epoch, proper = self.epoch.follow(fresh, self.ledger.group_context(), members)
        self.know_chains()
        number = self.epoch.number if epoch is None else epoch
        turn = CommitSecret(room, number, group_context or self.ledger.group_context(), secret or fresh, tag or proper)
        return frames.CommitShareFrame(turn.seal_share(member or self.me, key or self.request.encryption_key))

    def turns(self, *removed: frames.Removal) -> list[events.Event]:
        """An epoch ends, and another begins."""
        return self.hears(self.commit(*removed), self.slice)


class Inn:
    """A host's real room, with false members in it: Ann on link 1, Eve on link 2."""

    def __init__(self, *, retention: frames.RetentionPolicy = ANY, history: frames.HistoryPolicy = NO_HISTORY) -> None:
        self.random = randomness(b"members")
        self.room = Room(
            label="r1",
            key=ROOM,
            random=randomness(b"inn"),
            nick="hugo",
            name="demo",
            retention=retention,
            history=history,
        )
        self.world = World()
        self.party = self.world.add(self.room)
        self.tick = 0.0
        self.host = self.room.replica.me
        self.log = log_of(self.room)
        self.ann, self.eve = FalseMember(self, ANN), FalseMember(self, EVE)
        for member, nick in ((self.ann, "ann"), (self.eve, "eve")):
            member.dials()
            assert kinds(member.joins(nick)) == ["TellEffect", "AdmitEffect"]
        self.end_batch()
        self.before = self.log.end

    def takes(self, step: inputs.Input, tick: float = 0.0) -> list[effects.Effect]:
        """What it wants done about this step, but for waking its links."""
        self.tick = tick
        self.world.tick = START + tick
        return [effect for effect in self.world.handle(self.party, step) if not isinstance(effect, effects.WakeEffect)]

    def end_batch(self, tick: float = 0.0) -> None:
        """What it has ordered goes out."""
        self.world.tick = START + tick
        self.world.end_batch(self.party)

    def ticks(self, tick: float) -> list[effects.Effect]:
        """It does all that is due until then, and not a moment before it is due."""
        done = []
        while (deadline := self.room.next_deadline()) is not None and deadline <= START + tick:
            done += self.takes(inputs.TickInput(), deadline - START)
            self.end_batch(deadline - START)
        self.tick = tick
        return done

    def ordered(self) -> list[frames.Body]:
        """What was ordered since the two came in."""
        return [unpack_content(self.placed(at).body).body for at in range(self.before, self.log.end)]

    def placed(self, at: int) -> LogEntry:
        """The entry with this index, whether a head covers it yet or not."""
        return self.log.find_entry(at)


class FalseMember(Sealer):
    """One who dials an inn: as a stranger, and once it is let in as a member.

    It takes what the inn wants sent from the effects, not from its link, so that a test may read the log apart.
    """

    def __init__(self, inn: Inn, who: Somebody) -> None:
        super().__init__()
        self.inn = inn
        self.who = who
        self.greeted: list[Any] = []
        self.reader: LogReader | None = None
        self.link = 0
        self.counters = {who.id: 0}
        self.refused: str | None = None

    def dials(self, tick: float = 0.0) -> None:
        """A new link, on which it is greeted."""
        self.inn.tick, self.inn.world.tick = tick, START + tick
        link = self.inn.world.dial(self.inn.party, None)
        self.link = link.number
        self.refused = None
        [payload] = link.near.take_output()
        self.greeting, self.hello = handshake.read_hello(payload)

    # --- knocks

    def join(self, nick: str, *, signer: Identity | None = None, hello: bytes | None = None, **fields: Any) -> Any:
        """A Join that is right but where the arguments are not. fields: what was signed otherwise than it is sent."""
        link = self.inn.random(32)
        unsigned = frames.JoinRequest(link, self.who.key, self.who.encryption_key.public, nick, bytes(64))
        content = handshake.join_content(hello or self.hello, unsigned)
        signed = msgspec.structs.replace(unsigned, signature=(signer or self.who).sign(identity.JOIN, content))
        return msgspec.structs.replace(signed, **fields)

    def resume(
        self,
        index: int,
        digest: bytes,
        epoch: int = 0,
        *,
        signer: Identity | None = None,
        hello: bytes | None = None,
        label: bytes = identity.RESUME,
        **fields: Any,
    ) -> Any:
        """The same of a Resume."""
        link = self.inn.random(32)
        unsigned = frames.ResumeRequest(
            link, self.who.id, self.who.encryption_key.public, epoch, index, digest, bytes(64)
        )
        content = handshake.resume_content(hello or self.hello, unsigned)
        signed = msgspec.structs.replace(unsigned, signature=(signer or self.who).sign(label, content))
        return msgspec.structs.replace(signed, **fields)

    def client_handshakes(
        self, request: Any, *, room: bytes = ROOM, hello: bytes | None = None
    ) -> list[effects.Effect]:
        """It asks; what the inn wants done about it."""
        self.client_handshake = handshake.seal_request(request, room, self.greeting, hello or self.hello)[LENGTH:]
        self.secret = request.link_secret
        self.channel = Channel(request.link_secret, self.hello, up=True)
        return self.takes_in(self.inn.takes(inputs.ReceivedInput(self.link, self.client_handshake), self.inn.tick))

    def joins(self, nick: str, **otherwise: Any) -> list[effects.Effect]:
        return self.client_handshakes(self.join(nick, **otherwise))

    def resumes(self, index: int, digest: bytes, epoch: int = 0, **otherwise: Any) -> list[effects.Effect]:
        return self.client_handshakes(self.resume(index, digest, epoch, **otherwise))

    def takes_in(self, done: list[effects.Effect]) -> list[effects.Effect]:
        """Reads what it is sent when it is let in, or is not."""
        for effect in done:
            if isinstance(effect, effects.AdmitEffect) and effect.link == self.link:
                self.reader = effect.reader
                self.admitted = effect.channel.seal_frames(effect.frames)
                self.greeted = [frame for payload in payloads(self.admitted) for frame in self._open(payload)]
                if isinstance(self.greeted[0], frames.WelcomeFrame):
                    self.welcomed(self.greeted[0], self.greeted[1:])
            elif isinstance(effect, effects.FinishEffect) and effect.link == self.link and effect.data:
                [refused] = [frame for payload in payloads(effect.data) for frame in self._open(payload)]
                assert isinstance(refused, frames.RefusedFrame)
                self.refused = refused.reason
        return done

    def _open(self, payload: bytes) -> Sequence[frames.Frame]:
        return self.channel.open_record(payload).frames

    def welcomed(self, box: frames.WelcomeFrame, pages: list[Any]) -> None:
        arrival = welcome.WelcomeReader(box, self.who.encryption_key, ROOM, self.hello)
        *_, state = (arrival.take_page(page) for page in pages)
        assert state is not None
        self.state = state
        self.epoch = welcome.make_epoch(state)
        self.reference = int.from_bytes(state.head[:8], "big"), state.head[8:40]
        self.know_chains()

    # --- records

    def sends(self, *said: frames.Frame | bytes, echo: bool = False) -> list[effects.Effect]:
        """Frames in a record, or a payload as it is."""
        if len(said) == 1 and isinstance(said[0], bytes):
            sent = [said[0]]
        else:
            sent = payloads(self.channel.seal_frames(said, echo=echo))  # type: ignore[arg-type]
        return [
            effect
            for payload in sent
            for effect in self.inn.takes(inputs.ReceivedInput(self.link, payload), self.inn.tick)
        ]

    def submits(self, entry: Placed, *, epoch: int | None = None) -> list[effects.Effect]:
        """An entry, sealed by whomever, on this link."""
        return self.sends(frames.SubmitFrame(self.epoch.number if epoch is None else epoch, entry.sealed))

    def says(self, body: frames.Body | bytes, **otherwise: Any) -> list[effects.Effect]:
        """Something of its own."""
        return self.submits(self.entry(self.who, body, **otherwise))

    def answers(self, done: list[effects.Effect]) -> list[frames.Frame]:
        """The frames that go to it alone."""
        records = [it for it in done if isinstance(it, effects.RecordEffect) and it.link == self.link]
        return [frame for record in records for frame in record.frames]

    def denials(self, done: list[effects.Effect]) -> list[tuple[int, str]]:
        """What of them is a denial."""
        return [(it.counter, it.reason) for it in self.answers(done) if isinstance(it, frames.DeniedFrame)]

    def reads(self) -> list[bytes]:
        """The payloads that its link brings it of the log."""
        assert self.reader is not None
        return payloads(b"".join(iter(self.reader.take_data, b"")))

    def batches(self) -> list[frames.Batch]:
        """The same as batches of the present epoch, of which all have to be."""
        opened = map(self.epoch.open_batch, self.reads())
        return [frames.unpack(frames.Batch, packed or b"") for packed in opened]

    def follows(self) -> None:
        """Reads the log, and goes along with the commits in it."""
        for payload in self.reads():
            if self.epoch.open_batch(payload) is None:
                [sliced] = self.channel.open_record(payload).frames
                assert isinstance(sliced, frames.CommitShareFrame)
                number = self.epoch.number + 1
                turn = next(
                    it.commit_secret
                    for it in self.inn.log.batches
                    if it.commit_secret and it.commit_secret.epoch == number
                )
                secret, _ = commit.open_share(
                    sliced.box, self.who.encryption_key, ROOM, self.who.id, number, turn.group_context
                )
                members = [it.id for it in self.inn.room.replica.ledger.roster]
                self.epoch, _ = self.epoch.follow(secret, turn.group_context, members)
                self.know_chains()

    def missed(self) -> list[Any]:
        """The same as frames in records, in which all have to be."""
        return [frame for payload in self.reads() for frame in self.channel.open_record(payload).frames]
