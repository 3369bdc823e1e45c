"""Those who meet in a room: people with a session of their own, and peers whose every frame is written by the test."""

import secrets
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple, TypeVar

import trio

from anonp2p import limits
from anonp2p.crypto import commit, identity, padding, suite
from anonp2p.crypto.epoch import Epoch
from anonp2p.names.codes import RoomKey
from anonp2p.net.session import Session
from anonp2p.net.transport import Transport
from anonp2p.protocol import frames, handshake, welcome
from anonp2p.protocol.connection import Connection
from anonp2p.protocol.handshake import Channel, HostHandshake
from anonp2p.room import events, inputs
from anonp2p.room.ledger import Ledger, head_content
from anonp2p.room.retention import ANY, NO_HISTORY
from anonp2p.room.room import Room
from tests.room.peers import Placed, Sealer, said
from tests.support.transports import Network

E = TypeVar("E", bound=events.Event)
F = TypeVar("F", bound=frames.Frame)

Usable = Callable[[], Awaitable[Transport]]


def always(network: Transport) -> Usable:
    """A network that needs no waiting for."""

    async def usable() -> Transport:
        await trio.lowlevel.checkpoint()
        return network

    return usable


class Person:
    """A session and whoever sits before it; `told` is all that the room told them."""

    def __init__(self, session: Session, told: list[events.Event], news: "News", patience: float) -> None:
        self.session = session
        self.told = told
        self._news = news
        self._patience = patience

    async def until(self, condition: Callable[[], bool]) -> None:
        """Returns once this holds of what was told. Raises trio.TooSlowError when it never will."""
        with trio.fail_after(self._patience):
            while not condition():
                await self._news.wait()

    async def hears(self, kind: type[E], **fields: object) -> E:
        """The first event of this kind with these fields, among all that were or will be told."""
        await self.until(lambda: bool(self.heard(kind, **fields)))
        return self.heard(kind, **fields)[0]

    def heard(self, kind: type[E], **fields: object) -> list[E]:
        """The events of this kind with these fields that were told so far."""
        return [
            event
            for event in self.told
            if isinstance(event, kind) and all(getattr(event, name) == value for name, value in fields.items())
        ]

    async def say(self, *texts: str) -> None:
        """Types messages."""
        for text in texts:
            await self.session.post_input(inputs.SayInput(text))

    async def gone(self) -> events.GoneEvent:
        """How the room ended for them, once their session is done with it."""
        with trio.fail_after(self._patience):
            await self.session.ended.wait()
        return await self.hears(events.GoneEvent)

    @property
    def nicks(self) -> list[str]:
        """Who is in the room, as far as they were told."""
        nicks: list[str] = []
        for event in self.told:
            match event:
                case events.EnteredEvent(members=members):
                    nicks = [member.nick for member in members]
                case events.JoinedEvent(nick=nick):
                    nicks.append(nick)
                case events.LeftEvent(nick=nick):
                    nicks.remove(nick)
                case events.RenamedEvent(nick=nick, was=was):
                    nicks[nicks.index(was)] = nick
        return nicks

    @property
    def story(self) -> list[tuple[Any, ...]]:
        """What happened in the room, in the order shown, in words that are the same for everyone."""
        story: list[tuple[Any, ...]] = []
        for event in self.told:
            match event:
                case events.MessageEvent(member=member, nick=nick, text=text, seq=seq):
                    story.append(("message", seq, member, nick, text))
                case events.JoinedEvent(member=member, nick=nick):
                    story.append(("joined", member, nick))
                case events.LeftEvent(member=member, nick=nick, reason=reason):
                    story.append(("left", member, nick, reason))
                case events.RenamedEvent(member=member, nick=nick, was=was):
                    story.append(("nick", member, nick, was))
        return story

    @property
    def texts(self) -> list[str]:
        """The messages shown, in their order."""
        return [event.text for event in self.heard(events.MessageEvent)]


class News:
    """Wakes those who wait for something to be told."""

    def __init__(self) -> None:
        self._event = trio.Event()

    def spread(self) -> None:
        """Wakes everybody."""
        self._event.set()
        self._event = trio.Event()

    async def wait(self) -> None:
        """Returns after the next news."""
        await self._event.wait()


class Gathering:
    """A room's key, and people who run in one nursery over one network."""

    def __init__(self, network: Network, nursery: trio.Nursery) -> None:
        self.key = RoomKey(secrets.token_bytes(32))
        self._network = network
        self._nursery = nursery

    def invite(
        self,
        nick: str,
        *,
        name: str | None = None,
        network: Usable | None = None,
        retention: frames.RetentionPolicy = ANY,
        history: frames.HistoryPolicy = NO_HISTORY,
        cover: bool = False,
    ) -> Person:
        """Somebody whose session begins now: the host, if the room has a name, or else one who wants in.

        network: theirs, if it is not the one of all. retention, history: the room's rules. cover: whether they want it.
        """
        told: list[events.Event] = []
        news = News()

        def tell(event: events.Event) -> None:
            told.append(event)
            news.spread()

        room = Room(
            label="r1",
            key=self.key.public,
            random=secrets.token_bytes,
            nick=nick,
            name=name,
            retention=retention,
            history=history,
            cover=cover,
        )
        session = Session(room, None if name is None else self.key, tell, network or always(self._network))

        async def live() -> None:
            await session.run()
            session.ended.set()

        self._nursery.start_soon(live)
        return Person(session, told, news, self._network.patience)

    async def host(
        self,
        nick: str = "host",
        name: str = "demo",
        network: Usable | None = None,
        *,
        retention: frames.RetentionPolicy = ANY,
        history: frames.HistoryPolicy = NO_HISTORY,
        cover: bool = False,
    ) -> Person:
        """The host, once others can come in."""
        person = self.invite(nick, name=name, network=network, retention=retention, history=history, cover=cover)
        await person.hears(events.ReachableEvent)
        return person

    async def join(self, nick: str, network: Usable | None = None, *, cover: bool = False) -> Person:
        """A member, once in."""
        person = self.invite(nick, network=network, cover=cover)
        await person.hears(events.EnteredEvent)
        return person

    async def stranger(self) -> "Stranger":
        """One who has dialled the room and says what the test says."""
        stream = await self._network.dial(self.key.code, "stranger:1")
        return Stranger(stream, self.key.public, self._network.patience)

    async def played(self, nick: str) -> "Stranger":
        """The same, once it is a member."""
        stranger = await self.stranger()
        await stranger.joins(nick)
        return stranger


@asynccontextmanager
async def gathering(network: Network) -> AsyncIterator[Gathering]:
    """People over a network; those still there at the end are cancelled."""
    async with trio.open_nursery() as nursery:
        yield Gathering(network, nursery)
        nursery.cancel_scope.cancel()


class Peer:
    """The other end of a link, driven by hand."""

    def __init__(self, stream: trio.abc.Stream, patience: float) -> None:
        self.stream = stream
        self._connection = Connection(0.0, padding.SIZES[-1])
        self._patience = patience

    async def send(self, data: bytes) -> None:
        """Sends bytes as they are."""
        await self.stream.send_all(data)

    async def payload(self) -> bytes | None:
        """The next content; None at the end of the link, however it came."""
        with trio.fail_after(self._patience):
            while not self._connection.is_over:
                if (payload := self._connection.next_payload(0.0)) is not None:
                    return payload
                try:
                    data = await self.stream.receive_some(limits.READ)
                except trio.BrokenResourceError:
                    return None
                self._connection.receive_data(data, 0.0)
            return None

    def take_link(self, stream: trio.abc.Stream) -> None:
        """Goes on over another link."""
        self.stream = stream
        self._connection = Connection(0.0, padding.SIZES[-1])

    async def close(self) -> None:
        """Hangs up."""
        await self.stream.aclose()


class Member(Peer, Sealer):
    """A peer with keys of its own in a room, who seals entries: its own, and with its keys those of others."""

    def __init__(self, stream: trio.abc.Stream, room: bytes, patience: float) -> None:
        Peer.__init__(self, stream, patience)
        Sealer.__init__(self)
        self.me = identity.Identity(secrets.token_bytes(32), room)
        self.key = suite.EncryptionKeyPair(secrets.token_bytes(32))
        self.ledger = Ledger(room)


class SignedHead(NamedTuple):
    """What a head says; place: index of the latest entry."""

    place: int
    digest: bytes
    time: int


Heard = frames.Frame | Placed | bytes


class Stranger(Member):
    """One who has dialled a room; once it is let in, it reads what its keys open, and checks what members check."""

    def __init__(self, stream: trio.abc.Stream, room: bytes, patience: float) -> None:
        super().__init__(stream, room, patience)
        self.heads: list[SignedHead] = []  # that came so far
        self.batches: list[int] = []  # how many entries there were in each batch so far
        self.answers = 0  # records without frames that came so far, and ask for nothing
        self.echoes: list[float] = []  # when records came that ask for an answer
        self._is_in = False
        self._channel: Channel | None = None
        self._heard: deque[Heard] = deque()

    def take_link(self, stream: trio.abc.Stream) -> None:
        """Goes on over another link, where nothing was heard yet."""
        super().take_link(stream)
        self._heard.clear()

    # --- the handshake

    async def greeted(self) -> frames.Hello:
        """The Hello."""
        payload = await self.payload()
        assert payload is not None
        self.greeting, self.hello = handshake.read_hello(payload)
        return self.greeting

    def join(self, nick: str, *, hello: bytes | None = None) -> frames.JoinRequest:
        """A Join, signed over this Hello's hash or another's."""
        link, key, encryption_key = secrets.token_bytes(32), self.me.key, self.key.public
        content = handshake.join_content(
            hello or self.hello, frames.JoinRequest(link, key, encryption_key, nick, bytes(64))
        )
        return frames.JoinRequest(link, key, encryption_key, nick, self.me.sign(identity.JOIN, content))

    def resume(self, *, member: bytes | None = None, hello: bytes | None = None) -> frames.ResumeRequest:
        """A Resume from where it is in the log, signed over this Hello's hash or another's. member: if not itself."""
        position = self.epoch.number, self.ledger.index, self.ledger.digest
        fields = secrets.token_bytes(32), member or self.me.id, self.key.public, *position
        content = handshake.resume_content(hello or self.hello, frames.ResumeRequest(*fields, bytes(64)))
        return frames.ResumeRequest(*fields, self.me.sign(identity.RESUME, content))

    def client_handshake(self, request: frames.Request) -> bytes:
        """A request as it goes on the wire."""
        self._channel = Channel(request.link_secret, self.hello, up=True)
        return handshake.seal_request(request, self.ledger.room, self.greeting, self.hello)

    async def joins(self, nick: str) -> None:
        """It asks, and is let in."""
        await self.greeted()
        await self.send(self.client_handshake(self.join(nick)))
        await self.welcomed()

    async def welcomed(self) -> None:
        """It is let in."""
        box = await self.expect(frames.WelcomeFrame)
        arrival = welcome.WelcomeReader(box, self.key, self.ledger.room, self.hello)
        *_, state = [arrival.take_page(await self.expect(frames.PageFrame)) for _ in range(box.pages)]
        assert state is not None
        for roster_entry in state.roster:
            self.ledger.add_member(
                roster_entry.key, roster_entry.nick, roster_entry.key_hash, roster_entry.counter, away=roster_entry.away
            )
        self.ledger.name, self.ledger.host, self.ledger.epoch = state.name, state.host, state.epoch
        self.ledger.retention, self.ledger.history = state.retention, state.history
        self.ledger.start_at(int.from_bytes(state.head[:8], "big"), state.head[8:40])
        self.reference = self.ledger.index, self.ledger.digest
        self.epoch = welcome.make_epoch(state)
        self.know_chains()
        self._is_in = True

    # --- what it says

    def record(self, *said: frames.Frame, echo: bool = False) -> bytes:
        """Frames as they go on the wire next."""
        assert self._channel is not None
        return self._channel.seal_frames(said, echo=echo)

    def submit(self, *entries: Placed) -> bytes:
        """Entries, sealed by whomever, as they go on the wire next."""
        return self.record(*(frames.SubmitFrame(self.epoch.number, entry.sealed) for entry in entries))

    async def says(self, *bodies: frames.Body) -> None:
        """Sends entries of its own, in one record."""
        await self.send(self.submit(*(self.entry(self.me, body) for body in bodies)))

    async def heartbeat(self) -> None:
        """Says that it is there."""
        await self.send(self.record())

    # --- what it hears

    async def receive(self) -> Heard | None:
        """The next thing: an entry, a frame, or a content before the client handshake; None at the end of the link.

        Heads and records without frames are none; a record that asks for an answer gets it.
        """
        while not self._heard:
            payload = await self.payload()
            if payload is None or self._channel is None:
                return payload
            batch = self.epoch.open_batch(payload) if self._is_in else None
            if batch is not None:
                self._read(frames.unpack(frames.Batch, batch))
                continue
            record = self._channel.open_record(payload)
            if record.echo:
                self.echoes.append(trio.current_time())
                await self.heartbeat()
            self.answers += not (record.echo or record.frames)
            for frame in record.frames:
                if isinstance(frame, frames.CommitShareFrame):
                    self._turn(frame)
                self._heard.append(frame)
        return self._heard.popleft()

    async def expect(self, kind: type[F]) -> F:
        """The next thing, which is a frame of this kind."""
        frame = await self.receive()
        assert isinstance(frame, kind), f"a {type(frame).__name__} instead of a {kind.__name__}"
        return frame

    async def hears(self) -> frames.Body:
        """The next thing, which is an entry: what it says."""
        entry = await self.receive()
        assert isinstance(entry, Placed), f"a {type(entry).__name__} instead of an entry"
        return said(entry)

    async def ended(self) -> list[Heard]:
        """What still comes before the link ends."""
        rest = []
        while (heard := await self.receive()) is not None:
            rest.append(heard)
        return rest

    def _read(self, batch: frames.Batch) -> None:
        for sealed in batch.entries:
            entry = self.opened(sealed)
            self._apply(entry)
            self._heard.append(entry)
        self._check(batch.head)
        self.batches.append(len(batch.entries))

    def _apply(self, entry: Placed) -> None:
        author, content = self.ledger.open_entry(entry.header, entry.body)
        self.ledger.check_entry(author, entry.header, content)
        assert not self.ledger.is_foreign(content)
        self.ledger.extend_log(entry.header, suite.hash_data(entry.body))
        about = self.ledger.apply_content(author, entry.header, content)
        self.reference = self.ledger.index, self.ledger.digest
        if isinstance(content.body, frames.JoinedBody):
            self.epoch.admit_member(about.id)
            self.links[about.id] = 0, self.epoch.ratchets[about.id].chain_key

    def _check(self, text: bytes) -> None:
        key = self.ledger.get_member(self.ledger.host).key
        assert identity.is_signed(identity.HEAD, self.ledger.room, text[:48], text[48:], key)
        head = SignedHead(int.from_bytes(text[:8], "big"), text[8:40], int.from_bytes(text[40:48], "big"))
        assert (head.place, head.digest) == (self.ledger.index, self.ledger.digest)
        self.heads.append(head)

    def _turn(self, sliced: frames.CommitShareFrame) -> None:
        number, group_context = self.epoch.number + 1, self.ledger.group_context()
        secret, tag = commit.open_share(sliced.box, self.key, self.ledger.room, self.me.id, number, group_context)
        self.epoch, mine = self.epoch.follow(secret, group_context, [member.id for member in self.ledger.roster])
        commit.check_confirmation_tag(mine, tag)
        self.know_chains()


class FalseHost(Member):
    """One whom a member has dialled, and who says as the room's host what the test says."""

    def __init__(self, stream: trio.abc.Stream, room: bytes, patience: float) -> None:
        super().__init__(stream, room, patience)
        self.ledger.name = "den"
        self.ledger.host = self.ledger.add_member(self.me.key, "hugo", suite.hash_data(self.key.public)).id
        self.epoch = Epoch.begin(secrets.token_bytes(32), self.ledger.digest, self.me.id)
        self.time = 0

    async def greets(self, version: int = frames.VERSION) -> None:
        """Says a Hello."""
        self.greeting = HostHandshake(
            secrets.token_bytes(32), self.ledger.room, suite.EncryptionKeyPair(secrets.token_bytes(32))
        )
        self.hello = self.greeting.hello
        hello, _ = handshake.read_hello(self.greeting.wire[padding.LENGTH :])
        packed = frames.pack(frames.Hello(version, hello.nonce, hello.handshake_key))
        await self.send(padding.frame_content(padding.pad_text(packed, limits.HELLO - padding.LENGTH)))

    async def asked(self) -> Any:
        """The request in the client handshake, whose signature it checks."""
        payload = await self.payload()
        assert payload is not None
        self.request = request = self.greeting.open_request(payload)
        self._channel = Channel(request.link_secret, self.hello, up=False)
        if isinstance(request, frames.JoinRequest):
            content = handshake.join_content(self.hello, request)
            assert identity.is_signed(identity.JOIN, self.ledger.room, content, request.signature, request.key)
        return request

    async def lets_in(self) -> None:
        """The one who asks is a member from here on, and is shown our encryption key, which is the first that it
        wants."""
        await self.greets()
        request = await self.asked()
        self.epoch.admit_member(
            self.ledger.add_member(request.key, request.nick, suite.hash_data(request.encryption_key)).id
        )
        self.know_chains()
        await self.send(self.record(*self.welcome()))
        assert await self.receive() == frames.MemberRecord(
            False, [frames.KeyRequestFrame(suite.hash_data(self.key.public))]
        )
        await self.send(self.record(frames.KeyResponseFrame(self.key.public)))

    def welcome(self, hello: bytes | None = None) -> list[frames.Frame]:
        """A Welcome and its pages, for this link or another."""
        ledger, keys = self.ledger, self.epoch
        roster = []
        for it in ledger.roster:
            chain = keys.ratchets[it.id]
            roster.append(
                frames.RosterEntry(it.key, it.nick, it.counter, it.away, it.key_hash, chain.generation, chain.chain_key)
            )
        rules = ledger.name, False, ledger.host, ledger.retention, ledger.history
        secret = keys.number, keys.init_secret, keys.log_key, keys.newcomer_secret
        state = frames.RoomState(*rules, *secret, self._signed(self.me), roster, ledger.index, None)
        key = secrets.token_bytes(32)
        return welcome.seal_welcome(
            state, self.request.encryption_key, ledger.room, hello or self.hello, key, self.me.sign
        )

    def record(self, *said: frames.Frame, echo: bool = False) -> bytes:
        """Frames as they go on the wire next."""
        return self._channel.seal_frames(said, echo=echo)

    def batch(self, *bodies: frames.Body, signer: identity.Identity | None = None) -> bytes:
        """Entries of its own, under a head for all so far, as they go on the wire. signer: of the head."""
        entries = []
        for body in bodies:
            self.reference = self.ledger.index, self.ledger.digest
            entry = self.entry(self.me, body)
            self.ledger.extend_log(entry.header, suite.hash_data(entry.body))
            entries.append(entry.sealed)
        packed = frames.pack(frames.Batch(entries, self._signed(signer or self.me)))
        return self.epoch.seal_batch(packed, secrets.token_bytes)

    def _signed(self, signer: identity.Identity) -> bytes:
        self.time += 1
        content = head_content(self.ledger.index, self.ledger.digest, self.time)
        return content + signer.sign(identity.HEAD, content)

    async def receive(self) -> frames.MemberRecord | frames.HostRecord | None:
        """The next record; None at the end of the link."""
        payload = await self.payload()
        return None if payload is None else self._channel.open_record(payload)
