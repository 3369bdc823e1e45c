"""People who meet in a room, each with a session of their own."""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

import pytest
import trio

from anonp2p.names.codes import Code, RoomKey, parse_code
from anonp2p.net.session import Session
from anonp2p.net.shared_network import SharedNetwork
from anonp2p.net.transport import Transport
from anonp2p.room import effects, events, inputs
from anonp2p.room.hosting_events import ReachableEvent
from anonp2p.room.room import Room
from tests.support.transports import MemoryNetwork, Network

E = TypeVar("E", bound=events.Event)

Usable = Callable[[float], Awaitable[Transport]]


def always(network: Transport) -> Usable:
    """A network that needs no waiting for."""

    async def usable(_: float) -> Transport:
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
    def story(self) -> list[tuple[int, str, str, str]]:
        """The messages shown, in their order, in words that are the same for everyone."""
        return [(it.seq, it.member, it.nick, it.text) for it in self.heard(events.MessageEvent)]

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


def watch_inputs(person: Person, monkeypatch: pytest.MonkeyPatch) -> list[tuple[inputs.Input, list[effects.Effect]]]:
    """What their room takes from now on, and what it wants done then."""
    seen: list[tuple[inputs.Input, list[effects.Effect]]] = []
    handle = person.session.room.handle_input

    def watch(what: inputs.Input, now: inputs.Now) -> list[effects.Effect]:
        seen.append((what, done := handle(what, now)))
        return done

    monkeypatch.setattr(person.session.room, "handle_input", watch)
    return seen


class Gathering:
    """A room's key, and people who run in one nursery over one network."""

    def __init__(self, network: Network, nursery: trio.Nursery) -> None:
        self.key = RoomKey(secrets.token_bytes(32))
        self.code = self.key.public  # what newcomers dial
        self._network = network
        self._nursery = nursery

    def invite(
        self,
        nick: str,
        *,
        name: str | None = None,
        network: Usable | None = None,
        cover: bool = False,
        may_host: bool = False,
        private: bool = False,
        invitation: str = "",
    ) -> Person:
        """Somebody whose session begins now: the host, if the room has a name, or else one who wants in.

        network: theirs, if it is not the one of all. cover: whether they want it. may_host: whether they may take over.
        private: whether the room is. invitation: the code of theirs, which leads to where they ask.
        """
        told: list[events.Event] = []
        news = News()

        def tell(event: events.Event) -> None:
            told.append(event)
            news.spread()

        key = None if name is None else self.key
        code = parse_code(invitation) if invitation else Code(self.code)
        room = Room(
            label="r1",
            key=code.address,
            random=secrets.token_bytes,
            nick=nick,
            room_key=key,
            name=name or "",
            cover=cover,
            may_host=may_host,
            private=private,
            invitation=code.key,
        )
        session = Session(room, tell, SharedNetwork(network or always(self._network)))

        async def live() -> None:
            await session.run()
            session.ended.set()

        self._nursery.start_soon(live)
        return Person(session, told, news, self._network.patience)

    async def host(self, network: Usable | None = None) -> Person:
        """The host, once others can come in."""
        person = self.invite("host", name="demo", network=network)
        await person.hears(ReachableEvent)
        if isinstance(self._network, MemoryNetwork):
            self._network.forget_dials()  # that of the host to itself
        return person

    async def join(self, nick: str, network: Usable | None = None, *, may_host: bool = False) -> Person:
        """A member, once in."""
        person = self.invite(nick, network=network, may_host=may_host)
        await person.hears(events.EnteredEvent)
        return person


@asynccontextmanager
async def gathering(network: Network) -> AsyncIterator[Gathering]:
    """People over a network; those still there at the end are cancelled."""
    async with trio.open_nursery() as nursery:
        yield Gathering(network, nursery)
        nursery.cancel_scope.cancel()
