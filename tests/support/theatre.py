"""The program, played over a network in memory: no Tor, no disk, and the others are people in the same process.

    python -m tests.support.theatre --control SOCKET [OPTIONS] [-- ARGUMENTS OF THE PROGRAM]

All of the program runs but for its Tor, by way of its own `cli.main`. What happens around it is asked for on a unix
socket, in lines of JSON like {"do": "say", "as": "ben", "text": "Hi"}; each is answered by a line once it is done. The
methods of `_Stagehand` whose names begin with `do_` are all that can be asked for.
"""

import argparse
import fcntl
import json
import os
import random
import secrets
import sys
import termios
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import reduce
from operator import or_
from typing import Any, ClassVar

import msgspec
import trio

from anonp2p import app, cli, limits
from anonp2p.config import Config
from anonp2p.names.codes import RoomKey, parse
from anonp2p.net.session import Session
from anonp2p.net.transport import Transport
from anonp2p.room import events, inputs
from anonp2p.room.retention import ANY, NO_HISTORY
from anonp2p.room.room import Room
from anonp2p.ui import commands
from anonp2p.ui.frontend import Front
from tests.support.people import News, Person
from tests.support.terminal import MARK
from tests.support.transports import MemoryNetwork, Tor, Wire

_EVENTS: Any = reduce(or_, events.Event.__subclasses__())
_TYPED = ("msg", "nick", "kick", "retain", "me", "lock", "unlock", "verify")  # as others type them
_PATIENCE = 30.0  # seconds for what a person waits for
_QUIET = 3.0  # seconds for everything to come to rest
_SETTLING = 0.02  # between two looks whether it has

Random = Callable[[int], bytes]


class _Seeded:
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

    async def dial(self, code: str, isolation: str) -> trio.abc.Stream:
        stream = await super().dial(code, isolation)
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


class _Stagehand:
    """Does what is asked for on the control socket. program: the one that is played."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._network = _Network()
        self._others: dict[str, _Other] = {}
        self._met = 0
        self._ready = trio.Event()
        if not options.slow_boot:
            self._ready.set()
        self.tor = Tor(self._network)
        self.reachable: set[str] = set()  # labels of the user's rooms
        self.news = News()

    @asynccontextmanager
    async def connect(self, _: Config, tell: Callable[[events.Event], None]) -> AsyncIterator[Transport]:
        """In place of a Tor."""
        await self._ready.wait()
        network = await self.tor.usable()
        tell(events.Ready(version="0.4.9.11", tor="own"))
        yield network

    async def attend(self, program: "_Staged", front: Front) -> None:
        """Answers what is asked for, until cancelled."""
        self._program = program
        self._front = front
        with trio.socket.socket(trio.socket.AF_UNIX) as server:
            await server.bind(self._options.control)
            server.listen()
            async with trio.open_nursery() as self._nursery:
                while True:
                    connection, _ = await server.accept()
                    self._nursery.start_soon(self._serve, trio.SocketStream(connection))

    async def _serve(self, stream: trio.SocketStream) -> None:
        rest = b""
        with suppress(trio.BrokenResourceError):
            async with stream:
                async for data in stream:
                    *lines, rest = (rest + data).split(b"\n")
                    for line in lines:
                        await stream.send_all(json.dumps(await self._answer(json.loads(line))).encode() + b"\n")

    async def _answer(self, asked: dict[str, Any]) -> dict[str, Any]:
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
        self._front.tell(events.TorProgress(progress=progress, summary=summary))

    async def do_ready(self) -> None:
        """Tor is usable."""
        self._ready.set()

    async def do_lose(self, who: str = "") -> None:
        """The user's Tor, or somebody's, is lost."""
        self._tor(who).lose()

    async def do_vanish(self, who: str = "") -> None:
        """The same, without a word: neither they nor the others hear anything any more."""
        self._tor(who).vanish()
        for session in [self._others[who].session] if who else self._program.sessions:
            for wire in self._network.leading.get(session.room.code, []) if session.room.hosting else []:
                wire.fall_silent()

    async def do_regain(self, who: str = "") -> None:
        """It is there again."""
        self._tor(who).regain()

    def _tor(self, who: str) -> Tor:
        return self._others[who].tor if who else self.tor

    # --- the front

    async def do_tell(self, event: dict[str, Any]) -> None:
        """The front is told this event as it is, be it ever so wrong."""
        told = msgspec.convert(event, _EVENTS, strict=False)
        if isinstance(told, events.Reply) and told.command == "/who":
            told = msgspec.structs.replace(told, data=msgspec.convert(told.data, list[events.Person]))
        self._front.tell(told)

    async def do_drawn(self, mark: str = "") -> None:
        """Returns once nothing is under way, and all of it is shown; then `mark`, if any, is put into the output."""
        await self.do_quiet()
        with trio.fail_after(_PATIENCE):
            await self._front.drained()
        if mark:
            os.write(1, f"\x1b]{MARK};{mark}\x07".encode())

    async def do_quiet(self) -> None:
        """Returns once what was typed is read and what was said has arrived, as far as can be known.

        Or after a while: where the network is lost, nothing will.
        """
        looks = 0
        with trio.move_on_after(_QUIET):
            while looks < 3:
                await trio.sleep(_SETTLING)
                looks = looks + 1 if not _unread() and self._is_settled() else 0

    def _is_settled(self) -> bool:
        """Whether all have got what they said, and all of a room have come as far as each other."""
        sessions = [*self._program.sessions, *(other.session for other in self._others.values())]
        lives = [session for session in sessions if not session.room.over]
        come = {(session.room.code, session.room.replica.ledger.index) for session in lives}
        settled = all(session.room.settled and not session.outstanding for session in lives)
        return settled and len(come) == len({session.room.code for session in lives})

    async def do_crash(self) -> None:
        """Something in the program fails."""
        self._program.crash()

    # --- the others

    async def do_host(self, who: str, name: str = "demo", **rules: str) -> dict[str, str]:
        """Somebody creates a room. rules: as the options of /create: `retain`, `history`."""
        options = "".join(f" --{rule} {value}" for rule, value in rules.items())
        new = commands.command(f"/create {name}{options}")
        assert isinstance(new, commands.Create)
        key = RoomKey(self._random(who)(32))
        other = await self._enter(who, key.public, key, new)
        await other.person.hears(events.Reachable)
        return {"code": key.code}

    async def do_join(self, who: str, of: str = "", code: str = "") -> dict[str, str]:
        """Somebody joins the user's room, or the one that `of` is in, or the one with this code."""
        code = code or (self._others[of].session.room.code if of else await self._users_room())
        other = await self._enter(who, parse(code), None, None)
        await other.person.hears(events.Entered)
        return {"code": code}

    async def _users_room(self) -> str:
        """The code of the user's newest room, once others can join it."""
        with trio.fail_after(_PATIENCE):
            while True:
                for session in reversed(self._program.sessions):
                    if not session.room.hosting or session.room.label in self.reachable:
                        return str(session.room.code)
                await self.news.wait()

    async def _enter(self, who: str, public: bytes, key: RoomKey | None, new: commands.Create | None) -> _Other:
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
            name=new.name if new else None,
            retention=new.retention if new else ANY,
            history=new.history if new else NO_HISTORY,
        )
        tor = Tor(self._network)
        session = Session(room, key, tell, tor.usable)

        async def live() -> None:
            await session.run()
            session.ended.set()

        self._nursery.start_soon(live)
        self._others[who] = other = _Other(Person(session, told, news, _PATIENCE), tor)
        return other

    def _random(self, who: str) -> Random:
        self._met += 1
        seed = self._options.seed
        return secrets.token_bytes if seed is None else random.Random(f"{seed}:{who}:{self._met}").randbytes

    async def do_say(self, who: str, text: str) -> None:
        """Somebody says this, once it has its place in the room."""
        await self._post(who, inputs.Say(text))

    async def _type(self, who: str, command: str, to: str = "", text: str = "") -> dict[str, str]:
        await self._post(who, commands.command(f"{command} {to} {text}".rstrip()))
        return {}

    async def _post(self, who: str, action: commands.Action) -> None:
        session = self._others[who].session
        assert isinstance(action, inputs.Typed)
        await session.post(action)
        with trio.fail_after(_PATIENCE):
            await session.until_settled()

    async def do_many(
        self, who: str, count: int, text: str = "{n}", per_second: float = 0, *, background: bool = False
    ) -> None:
        """Somebody says so many things; {n} counts them. background: returns at once."""
        if background:
            self._nursery.start_soon(self.do_many, who, count, text, per_second)
            return
        session = self._others[who].session
        start = trio.current_time()
        for n in range(count):
            if per_second:
                await trio.sleep_until(start + n / per_second)
            await session.until(lambda: session.outstanding < limits.PENDING)
            await session.post(inputs.Say(text.replace("{n}", str(n))))
        await session.until_settled()

    async def do_leave(self, who: str) -> None:
        """Somebody leaves; whose room it is ends with that."""
        session = self._others.pop(who).session
        await session.post(inputs.Leave())
        with trio.fail_after(_PATIENCE):
            await session.ended.wait()


def _unread() -> int:
    """How many bytes were typed and not read yet."""
    try:
        return int.from_bytes(fcntl.ioctl(0, termios.FIONREAD, bytes(4)), sys.byteorder)
    except OSError:
        return 0


class _Staged(app.App):
    """The program's, with a stagehand beside it."""

    hand: ClassVar[_Stagehand]  # cli makes the App, and has none to hand it

    def __init__(self, config: Config, front: Front, signals: app.Signals) -> None:
        super().__init__(config, front, signals, connect=self.hand.connect)

    async def run(self) -> int:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.hand.attend, self, self._front)
            status = await super().run()
            nursery.cancel_scope.cancel()
        return status

    @property
    def sessions(self) -> list[Session]:
        return list(self._sessions.values())

    def crash(self) -> None:
        async def fail() -> None:
            await trio.lowlevel.checkpoint()
            raise RuntimeError("this was asked for")

        self._nursery.start_soon(fail)

    def _tell(self, event: events.Event) -> None:
        if isinstance(event, events.Reachable):
            self.hand.reachable.add(event.room)
            self.hand.news.spread()
        super()._tell(event)


def _stop_clock(now: float) -> None:
    """The wall clock is this far, in UTC, and goes on from there."""
    os.environ["TZ"] = "UTC"
    time.tzset()
    start = time.monotonic()
    real = time.localtime
    time.time = lambda: now + time.monotonic() - start
    time.localtime = lambda seconds=None: real(time.time() if seconds is None else seconds)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--control", required=True, metavar="SOCKET")
    parser.add_argument("--mode", choices=("screen", "line", "json"), default="screen")
    parser.add_argument("--slow-boot", action="store_true", help="Tor is usable once it is said so")
    parser.add_argument("--now", type=float, metavar="EPOCH", help="the time at the start")
    parser.add_argument("--seed", type=int, help="what is random is the same each time")
    parser.add_argument("program", nargs="*")
    options = parser.parse_args()
    with suppress(OSError):  # it is ours already
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    if options.now is not None:
        _stop_clock(options.now)
    if options.seed is not None:
        vars(app)["secrets"] = _Seeded(f"{options.seed}:user")
    _Staged.hand = _Stagehand(options)
    vars(app)["App"] = _Staged
    sys.argv = ["anonp2p", *([] if options.mode == "screen" else [f"--{options.mode}"]), *options.program]
    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
