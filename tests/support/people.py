"""Those who meet in a room: people with a session of their own, and peers whose every frame is written by the test."""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import trio

from anonp2p import limits
from anonp2p.core import events, frames, identity, steps
from anonp2p.core.code import RoomKey
from anonp2p.core.room import Room
from anonp2p.net.session import Session
from anonp2p.net.transport import Transport
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
            await self.session.post(steps.Say(text))

    async def gone(self) -> events.Gone:
        """How the room ended for them, once their session is done with it."""
        with trio.fail_after(self._patience):
            await self.session.ended.wait()
        return await self.hears(events.Gone)

    @property
    def nicks(self) -> list[str]:
        """Who is in the room, as far as they were told."""
        nicks: list[str] = []
        for event in self.told:
            match event:
                case events.Entered(members=members):
                    nicks = [member.nick for member in members]
                case events.Joined(nick=nick):
                    nicks.append(nick)
                case events.Left(nick=nick):
                    nicks.remove(nick)
                case events.Renamed(nick=nick, was=was):
                    nicks[nicks.index(was)] = nick
        return nicks

    @property
    def story(self) -> list[tuple[Any, ...]]:
        """What happened in the room, in the order shown, in words that are the same for everyone."""
        story: list[tuple[Any, ...]] = []
        for event in self.told:
            match event:
                case events.Message(member=member, nick=nick, text=text, seq=seq):
                    story.append(("message", seq, member, nick, text))
                case events.Joined(member=member, nick=nick):
                    story.append(("joined", member, nick))
                case events.Left(member=member, nick=nick, reason=reason):
                    story.append(("left", member, nick, reason))
                case events.Renamed(member=member, nick=nick, was=was):
                    story.append(("nick", member, nick, was))
        return story

    @property
    def texts(self) -> list[str]:
        """The messages shown, in their order."""
        return [event.text for event in self.heard(events.Message)]


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

    def invite(self, nick: str, *, name: str | None = None, network: Usable | None = None) -> Person:
        """Somebody whose session begins now: the host, if the room has a name, or else one who wants in.

        network: theirs, if it is not the one of all.
        """
        told: list[events.Event] = []
        news = News()

        def tell(event: events.Event) -> None:
            told.append(event)
            news.spread()

        def fresh() -> identity.Identity:
            return identity.Identity(secrets.token_bytes(32), self.key.public)

        room = Room(label="r1", key=self.key.public, fresh=fresh, nick=nick, name=name)
        session = Session(room, None if name is None else self.key, tell, network or always(self._network))

        async def live() -> None:
            await session.run()
            session.ended.set()

        self._nursery.start_soon(live)
        return Person(session, told, news, self._network.patience)

    async def host(self, nick: str = "host", name: str = "demo", network: Usable | None = None) -> Person:
        """The host, once others can come in."""
        person = self.invite(nick, name=name, network=network)
        await person.hears(events.Reachable)
        return person

    async def join(self, nick: str, network: Usable | None = None) -> Person:
        """A member, once in."""
        person = self.invite(nick, network=network)
        await person.hears(events.Entered)
        return person

    async def stranger(self) -> "Peer":
        """One who has dialled the room and says what the test says."""
        return Peer(await self._network.dial(self.key.code, "stranger:1"), frames.FromHost, self._network.patience)


@asynccontextmanager
async def gathering(network: Network) -> AsyncIterator[Gathering]:
    """People over a network; those still there at the end are cancelled."""
    async with trio.open_nursery() as nursery:
        yield Gathering(network, nursery)
        nursery.cancel_scope.cancel()


class Peer:
    """The other end of a link, driven by hand. accepts: what comes to it (see frames.Decoder)."""

    def __init__(self, stream: trio.abc.Stream, accepts: Any, patience: float) -> None:
        self.stream = stream
        self._decoder = frames.Decoder(accepts, limits.FRAME)
        self.heads: list[frames.Head] = []  # that came so far
        self._ready: list[frames.Frame] = []
        self._patience = patience

    async def send(self, *sent: frames.Frame) -> None:
        """Sends frames in one piece."""
        await self.stream.send_all(b"".join(map(frames.encode, sent)))

    async def receive(self) -> frames.Frame | None:
        """The next frame that is neither beat nor head; None at the end of the link, however it came."""
        with trio.fail_after(self._patience):
            while True:
                while self._ready:
                    frame = self._ready.pop(0)
                    if isinstance(frame, frames.Head):
                        self.heads.append(frame)
                    elif not isinstance(frame, frames.Beat):
                        return frame
                try:
                    data = await self.stream.receive_some(limits.READ)
                except trio.BrokenResourceError:
                    return None
                if not data:
                    return None
                self._ready.extend(self._decoder.feed(bytes(data)))

    async def expect(self, kind: type[F]) -> F:
        """The next frame, of this kind."""
        frame = await self.receive()
        assert isinstance(frame, kind), f"a {type(frame).__name__} instead of a {kind.__name__}"
        return frame

    async def ended(self) -> list[frames.Frame]:
        """What still comes before the link ends."""
        rest = []
        while (frame := await self.receive()) is not None:
            rest.append(frame)
        return rest

    async def close(self) -> None:
        """Hangs up."""
        await self.stream.aclose()
