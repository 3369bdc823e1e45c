"""What is around a program under test: a network in memory instead of Tor, and other people in the same process.

`Surroundings.answer` makes something happen, as a request like {"do": "say", "as": "ben", "text": "Hi"} asks for. The
methods whose names begin with `do_` are all that can be asked for.
"""

import fcntl
import os
import random
import secrets
import shlex
import sys
import termios
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import reduce
from operator import or_
from pathlib import Path
from typing import Any, cast

import msgspec
import trio

from anonp2p import limits
from anonp2p.config import Config
from anonp2p.names.codes import RoomKey, parse_code
from anonp2p.net.session import Session
from anonp2p.net.shared_network import SharedNetwork
from anonp2p.net.transport import Transport
from anonp2p.room import events, inputs
from anonp2p.room.hosting_events import ReachableEvent
from anonp2p.room.retention import ANY, NO_HISTORY
from anonp2p.room.room import Room
from anonp2p.ui import actions, commands
from anonp2p.ui.actions import JoinRoomAction
from anonp2p.ui.frontend import Closed, FindRoom, Frontend
from tests.support.people import News, Person
from tests.support.terminal import MARK
from tests.support.transports import MemoryNetwork, Tor, Wire
from tests.support.words import in_words, read_words

_EVENTS: Any = reduce(or_, events.Event.__subclasses__())
_TYPED = ("msg", "nick", "kick", "retain", "me", "lock", "unlock", "verify")  # as others type them
_PATIENCE = 120.0  # seconds for what a person waits for, by the real clock of a machine that has much else to do
_QUIET = 3.0  # seconds for everything to come to rest
_SETTLING = 0.02  # between two looks whether it has

Random = Callable[[int], bytes]


class SeededSecrets:
    """`secrets` for one module: each time it is asked for its generator it gives one that is the same in every run.

    Not one for all: who of several tasks draws first differs from run to run.
    """

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._given = 0

    @property
    def token_bytes(self) -> Random:
        self._given += 1
        return random.Random(f"{self._seed}:{self._given}").randbytes


class _Network(MemoryNetwork):
    """One that knows which wires lead to a room."""

    def __init__(self) -> None:
        super().__init__()
        self.leading: dict[str, list[Wire]] = {}

    async def dial(
        self, code: str, isolation: str, *, hello: int = 1, fresh: bool = False, client_key: bytes = b""
    ) -> trio.abc.Stream:
        stream = await super().dial(code, isolation, hello=hello, fresh=fresh, client_key=client_key)
        self.leading.setdefault(code, []).append(self.wires[-1])
        return stream


class _Other:
    """Another person in a room, with a way of their own onto the network."""

    def __init__(self, person: Person, tor: Tor) -> None:
        self.person = person
        self.tor = tor

    @property
    def session(self) -> Session:
        return self.person.session


class Surroundings:
    """Tor, the network and the other people around one program.

    seed: what the others draw at random is the same each time; None: it is not. slow_boot: Tor is usable once it is
    asked to be. keys, display: the descriptors of the program's terminal.
    """

    def __init__(self, *, seed: int | None, slow_boot: bool, keys: int, display: int) -> None:
        self._seed = seed
        self._keys = keys
        self._display = display
        self._network = _Network()
        self._others: dict[str, _Other] = {}
        self._met = 0
        self._ready = trio.Event()
        if not slow_boot:
            self._ready.set()
        self._crashing = trio.Event()
        self._tor = Tor(self._network)
        self._labels: list[str] = []  # of the user's rooms
        self._reachable: set[str] = set()  # those of them that others can join
        self._news = News()
        self._find_room: FindRoom = lambda _: None
        self._frontend: Frontend
        self._nursery: trio.Nursery | None = None

    def watch(self, frontend: Frontend, attend: Callable[[], Any] = trio.sleep_forever) -> Frontend:
        """The frontend that the program is to be given instead: it tells of the user's rooms here, too.

        attend: runs beside it, and may ask for something.
        """
        self._frontend = frontend
        self._attend = attend
        return cast(Frontend, _WatchedFrontend(frontend, self))

    @asynccontextmanager
    async def connect(self, _: Config, tell: Callable[[events.Event], None]) -> AsyncIterator[Transport]:
        """In place of a Tor."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._crash)
            await self._ready.wait()
            network = await self._tor.usable()
            tell(events.ReadyEvent(version="0.4.9.11", tor="own"))
            yield network
            nursery.cancel_scope.cancel()

    async def _crash(self) -> None:
        await self._crashing.wait()
        raise RuntimeError("this was asked for")

    @property
    def is_running(self) -> bool:
        """Whether the program has begun, so that something can be asked for."""
        return self._nursery is not None

    async def run(self, frontend: Callable[[], Any]) -> None:
        """The frontend, with the others around it."""
        async with trio.open_nursery() as self._nursery:
            self._nursery.start_soon(self._attend)
            await frontend()

    def note_rooms(self, rooms: FindRoom) -> None:
        """The user's rooms are found so."""
        self._find_room = rooms

    def note_room(self, label: str) -> None:
        """The user has another room."""
        self._labels.append(label)

    def note_event(self, event: events.Event) -> None:
        """The user is told this."""
        if isinstance(event, ReachableEvent):
            self._reachable.add(event.room)
            self._news.spread()

    @property
    def _rooms(self) -> list[Room]:
        """The user's."""
        rooms = [self._find_room(label) for label in self._labels]
        return [room for room in rooms if isinstance(room, Room)]

    async def answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Does what is asked for, and returns what there is to know of it: `error` where it cannot be done."""
        do = asked.pop("do")
        who = asked.pop("as", "")
        try:
            if do in _TYPED:
                return await self._type(who, f"/{do}", **asked)
            return await getattr(self, f"do_{do}")(*([who] if who else []), **asked) or {}
        except Exception as error:  # noqa: BLE001  # the test is to hear of it, whatever it is
            return {"error": f"{type(error).__name__}: {error}"}

    # --- Tor and the network

    async def do_boot(self, progress: int, summary: str) -> None:
        """Tor has come so far."""
        self._frontend.tell(events.TorProgressEvent(progress=progress, summary=in_words(summary)))

    async def do_ready(self) -> None:
        """Tor is usable."""
        self._ready.set()

    async def do_lose(self, who: str = "") -> None:
        """The user's Tor, or somebody's, is lost."""
        self._tor_of(who).lose()

    async def do_vanish(self, who: str = "") -> None:
        """The same, without a word: neither they nor the others hear anything any more."""
        self._tor_of(who).vanish()
        for room in [self._others[who].session.room] if who else self._rooms:
            for wire in self._network.leading.get(room.code, []) if room.hosting else []:
                wire.fall_silent()

    async def do_regain(self, who: str = "") -> None:
        """It is there again."""
        self._tor_of(who).regain()

    def _tor_of(self, who: str) -> Tor:
        return self._others[who].tor if who else self._tor

    # --- the program

    async def do_tell(self, event: dict[str, Any]) -> None:
        """The frontend is told this event as it is, however wrong."""
        told = msgspec.convert(event, _EVENTS, strict=False, dec_hook=read_words)
        if isinstance(told, events.ReplyEvent) and told.command == "/who":
            told = msgspec.structs.replace(told, data=msgspec.convert(told.data, list[events.Person]))
        self._frontend.tell(told)

    async def do_bound(self, limit: str, number: float) -> None:
        """One of the program's limits is this. For programs in a process of their own: it stays so."""
        setattr(limits, limit, number)

    async def do_tells(self, told: list[dict[str, Any]]) -> None:
        """The frontend is told all these events."""
        for event in told:
            await self.do_tell(event)

    async def do_drawn(self, mark: str) -> None:
        """Returns once nothing is under way, all of it is shown, and `mark` is put into the output."""
        await self.do_quiet()
        with trio.fail_after(_PATIENCE):
            await self._frontend.drained()
        os.write(self._display, f"\x1b]{MARK};{mark}\x07".encode())

    async def do_quiet(self) -> None:
        """Returns once what was typed is read and what was said has arrived, as far as can be known.

        Or after a while: where the network is lost, nothing will.
        """
        looks = 0
        with trio.move_on_after(_QUIET):
            while looks < 3:
                await trio.sleep(_SETTLING)
                looks = looks + 1 if not unread(self._keys) and self._is_settled() else 0

    def _is_settled(self) -> bool:
        """Whether all have got what they said, and all of a room have come as far as each other."""
        sessions = [other.session for other in self._others.values()]
        lives = [room for room in (*self._rooms, *(session.room for session in sessions)) if not room.over]
        come = {(room.code, room.index) for room in lives}
        settled = all(room.settled and not room.outstanding for room in lives)
        return (
            settled
            and not any(session.outstanding for session in sessions)
            and len(come) == len({room.code for room in lives})
        )

    async def do_crash(self) -> None:
        """Something in the program fails."""
        self._crashing.set()

    # --- the others

    async def do_host(self, who: str, name: str = "demo", **rules: str) -> dict[str, str]:
        """Somebody creates a room. rules: as the options of /create: `retain`, `history`."""
        options = "".join(f" --{rule} {value}" for rule, value in rules.items())
        new = commands.parse_command(f"/create {name}{options}")
        assert isinstance(new, actions.CreateRoomAction)
        return await self._found(who, new)

    async def do_found(self, who: str, name: str) -> dict[str, str]:
        """Somebody creates a room of this very name, whether or not it is a proper one."""
        return await self._found(who, actions.CreateRoomAction(name))

    async def _found(self, who: str, new: actions.CreateRoomAction) -> dict[str, str]:
        key = RoomKey(self._random(who)(32))
        other = self._enter(who, key.public, key, new)
        await other.person.hears(ReachableEvent)
        return {"code": key.code}

    async def do_join(self, who: str, of: str = "", code: str = "", able: bool = False) -> dict[str, str]:
        """Somebody joins the user's room, or the one that `of` is in, or the one with this code.

        able: they may be asked to take it over.
        """
        code = code or (self._others[of].session.room.code if of else await self._users_room())
        other = self._enter(who, parse_code(code).address, None, None, able=able)
        await other.person.hears(events.EnteredEvent)
        return {"code": code}

    async def _users_room(self) -> str:
        """The code of the user's newest room, once others can join it."""
        with trio.fail_after(_PATIENCE):
            while True:
                for room in reversed(self._rooms):
                    if not room.hosting or room.label in self._reachable:
                        return str(room.code)
                await self._news.wait()

    def _enter(
        self,
        who: str,
        public: bytes,
        key: RoomKey | None,
        new: actions.CreateRoomAction | None,
        *,
        able: bool = False,
    ) -> _Other:
        told: list[events.Event] = []
        news = News()

        def tell(event: events.Event) -> None:
            told.append(event)
            news.spread()

        room = Room(
            label="r1",
            key=public,
            random=self._random(who),
            nick=who,
            room_key=key,
            name=new.name if new else "",
            retention=new.retention if new else ANY,
            history=new.history if new else NO_HISTORY,
            may_host=able,
        )
        tor = Tor(self._network)
        session = Session(room, tell, SharedNetwork(tor.usable))

        async def live() -> None:
            await session.run()
            session.ended.set()

        assert self._nursery
        self._nursery.start_soon(live)
        self._others[who] = other = _Other(Person(session, told, news, _PATIENCE), tor)
        return other

    def _random(self, who: str) -> Random:
        self._met += 1
        return secrets.token_bytes if self._seed is None else random.Random(f"{self._seed}:{who}:{self._met}").randbytes

    async def do_say(self, who: str, text: str) -> None:
        """Somebody says this, once it has its place in the room."""
        await self.do_says(who, [text])

    async def do_says(self, who: str, texts: list[str]) -> None:
        """Somebody says all this, one after the other."""
        for text in texts:
            await self._others[who].session.post_input(inputs.SayInput(text))
        await self._until_settled(who)

    async def _type(self, who: str, command: str, to: str = "", text: str = "") -> dict[str, str]:
        action = commands.parse_command(f"{command} {to} {text}".rstrip())
        assert isinstance(action, inputs.Typed)
        await self._others[who].session.post_input(action)
        await self._until_settled(who)
        return {}

    async def _until_settled(self, who: str) -> None:
        with trio.fail_after(_PATIENCE):
            await self._others[who].session.until_settled()

    async def do_reply(self, who: str, text: str, seq: int | None = None) -> None:
        """Somebody answers a message, or the latest one of another."""
        await self._others[who].session.post_input(inputs.ReplyInput(seq, text))
        await self.do_quiet()

    async def do_offer(self, who: str, name: str, size: int, to: str = "") -> dict[str, str]:
        """Somebody offers a file of this name and size, to all or to one."""
        place = Path.home() / "others" / who
        place.mkdir(parents=True, exist_ok=True)
        (place / name).touch()
        os.truncate(place / name, size)
        return await self._type(who, "/send", shlex.quote(str(place / name)), to)

    async def do_retract(self, who: str, seq: int | None = None) -> None:
        """Somebody takes a message back, or the latest one."""
        await self._others[who].session.post_input(inputs.RetractInput(seq))
        await self.do_quiet()

    async def do_many(
        self, who: str, count: int, text: str = "{n}", per_second: float = 0, *, background: bool = False
    ) -> None:
        """Somebody says so many things; {n} counts them. background: returns at once."""
        if background:
            assert self._nursery
            self._nursery.start_soon(self.do_many, who, count, text, per_second)
            return
        session = self._others[who].session
        start = trio.current_time()
        for n in range(count):
            if per_second:
                await trio.sleep_until(start + n / per_second)
            await session.until(lambda: session.outstanding < limits.PENDING)
            await session.post_input(inputs.SayInput(text.replace("{n}", str(n))))
        await session.until_settled()

    async def do_leave(self, who: str) -> None:
        """Somebody leaves; whose room it is ends with that."""
        session = self._others.pop(who).session
        await session.post_input(inputs.LeaveInput())
        with trio.fail_after(_PATIENCE):
            await session.ended.wait()


class _WatchedFrontend:
    """A frontend, whose surroundings see what the program does with it."""

    def __init__(self, frontend: Frontend, surroundings: Surroundings) -> None:
        self._frontend = frontend
        self._surroundings = surroundings

    def __getattr__(self, name: str) -> Any:
        return getattr(self._frontend, name)

    def attach(self, closed: Closed, rooms: FindRoom) -> None:
        """As Frontend has it."""
        self._surroundings.note_rooms(rooms)
        self._frontend.attach(closed, rooms)

    def open_room(self, label: str, again: JoinRoomAction | None) -> None:
        """As Frontend has it."""
        self._surroundings.note_room(label)
        self._frontend.open_room(label, again)

    def tell(self, event: events.Event) -> None:
        """As Frontend has it."""
        self._surroundings.note_event(event)
        self._frontend.tell(event)

    async def run(self) -> None:
        """As Frontend has it."""
        await self._surroundings.run(self._frontend.run)


def unread(keys: int) -> int:
    """How many bytes were typed and not read yet."""
    try:
        return int.from_bytes(fcntl.ioctl(keys, termios.FIONREAD, bytes(4)), sys.byteorder)
    except OSError:
        return 0
