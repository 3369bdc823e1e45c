"""The library: rooms for bots and other programs on trio. Everything public in it is listed in `anonp2p.__all__`.

Options have the names of the command line's, events the names and fields of the JSON lines (docs/JSON.md). Failures are
exceptions of `anonp2p.errors`, never in a group by themselves. docs/BOTS.md explains how to write a bot.

The program stands on it as well. It asks for more than bots do: rooms before there is a Tor, inputs before it is in,
labels, and events as the core has them. So it uses `open_client`, which is not public, and the `Client` and
`OpenRoom` themselves whose surface `Tor` and `Room` are.
"""

import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from types import UnionType
from typing import TYPE_CHECKING, Literal, TypeAlias, final, overload

import trio

from anonp2p import hardening, packages
from anonp2p.client.client import Client as Client
from anonp2p.client.client import Connect as Connect
from anonp2p.client.open_room import OpenRoom as OpenRoom
from anonp2p.client.opening import open_client as open_client
from anonp2p.config import Config, choose_tor
from anonp2p.names import codes, nicks
from anonp2p.net.tor import tor as net_tor
from anonp2p.room.events import (
    EnteredEvent,
    EntriesMissedEvent,
    ExpiredEvent,
    GoneEvent,
    JoinedEvent,
    LeftEvent,
    MessageEvent,
    NoticeEvent,
    Person,
    RenamedEvent,
    ReplyEvent,
)
from anonp2p.room.file_events import OfferEvent
from anonp2p.room.hosting_events import CodeEvent, HostEvent, ReachableEvent
from anonp2p.room.moderation_events import LockChangedEvent, RoleEvent, SelfKickedEvent, WaitingEvent
from anonp2p.ui import arguments
from anonp2p.ui.actions import JoinRoomAction
from anonp2p.ui.plain_events import EventType, PlainEvent, SpelledAlarmEvent, SpelledLinkEvent, SpelledTransferEvent

if TYPE_CHECKING:
    from anonp2p.bots.held_room import HeldRoom
    from anonp2p.bots.room_holder import RoomHolder

Event: TypeAlias = PlainEvent
Message: TypeAlias = MessageEvent  # the event `message`
# What asks something, and is answered by a `reply`.
Question: TypeAlias = Literal["/who", "/code", "/qr", "/heirs", "/health", "/files", "/rooms", "/help", "/retain"]

# What is given by name, and what it has to be.
_KINDS: dict[str, type | UnionType] = {
    **dict.fromkeys(("nick", "tor", "name", "retain", "code"), str),
    **dict.fromkeys(("control", "socks", "listen"), str | None),
    **dict.fromkeys(("amnesic", "no_heir", "no_entrust", "cover", "knock", "private"), bool),
    "torrc": str | os.PathLike | None,
    "bridge": str | Sequence,
    "history": str | int,
}


def check_types(**options: object) -> None:
    """Raises TypeError, which names an option that is of a wrong type, and not its value: it may be a secret."""
    for name, value in options.items():
        _check_type(name, value, _KINDS[name])
        if isinstance(value, Sequence) and not isinstance(value, str):
            for line in value:
                _check_type(name, line, str)


def _check_type(name: str, value: object, kind: type | UnionType) -> None:
    if not isinstance(value, kind):
        wanted = kind.__name__ if isinstance(kind, type) else kind
        raise TypeError(f"{name} must be {wanted}, not {type(value).__name__}")


@dataclass(frozen=True, slots=True, repr=False)
class Receipt:
    """The room has ordered a message. event: as all are shown it.

    seq: its number, the same at every member, and greater than those of all messages before it in the room; a reply
    names a message by it. at: when we saw it ordered, in seconds since the epoch, by our own clock.
    """

    event: Message

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    @property
    def seq(self) -> int:
        return self.event.seq

    @property
    def at(self) -> float:
        return self.event.at


@final
class Room:
    """A room that we are in. Its attributes are as the room is now; after `gone` they stay as they were.

    Iterating yields each event of the room, and what happens to Tor, in the order in which it happened, and ends after
    `gone`. Not more than 1,000 events wait to be read: of what comes while they do, an event `missed` with `lagging`
    says how many there were. One task at a time may iterate; another one meets trio.BusyResourceError.
    """

    def __init__(self, held: "HeldRoom") -> None:
        self._held = held

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    @property
    def name(self) -> str:
        """What the room is called."""
        return self._held.name

    @property
    def code(self) -> str:
        """The room's code, with which others join. It may change: the event `code` says so."""
        return self._held.code

    @property
    def nick(self) -> str:
        """Our own nick there."""
        return self._held.nick

    @property
    def member(self) -> str:
        """Our own identifier there, as events have it."""
        return self._held.member

    @property
    def role(self) -> Literal["host", "member"]:
        """Whether we host the room: as its creator, or having taken it over."""
        return "host" if self._held.hosts else "member"

    @property
    def members(self) -> list[Person]:
        """All who are here, we among them."""
        return self._held.people

    async def send(self, text: str) -> Receipt:
        """Sends a message: any text that is not empty, never a command. Returns once the room has ordered it.

        That may take as long as a lost link or a change of host does. Messages are ordered as they were sent. While
        many are on their way, it waits before it hands over another one. If it is cancelled, the message may or may
        not be sent.

        Raises errors.Unsent where it cannot be sent, or the room has ended before it was: its cause says why. Where
        that is errors.RoomGone, which all methods raise where we are out of the room, the cause of that is why we are
        out, if there is more to say than `gone` does.
        """
        return Receipt(await self._held.send(text))

    @overload
    async def command(self, line: Question) -> ReplyEvent: ...
    @overload
    async def command(self, line: str) -> Event: ...
    async def command(self, line: str) -> Event:
        """Does what a typed line does: "/kick ann", "/who", "/msg ann psst", or a text. Returns the event it leads to.

        That is the first one which it causes: a `reply` with its `data` where the command asks something, else for
        instance `left`, `locked`, `message`, or a `notice`. What other commands do, methods of this library do
        (/create, /join, /quit, /switch, /query), or nothing here does (/clear, /copy, /notify): errors.BadInput.

        Raises what is wrong with the line, or why it was not done: an AnonError with the `code` that docs/JSON.md
        lists; errors.Unsent for a text that was given back.
        """
        return await self._held.command(line)

    @overload
    async def wait_for(self, kind: Literal["message"], /, *, within: float | None = None) -> MessageEvent: ...
    @overload
    async def wait_for(self, kind: Literal["joined"], /, *, within: float | None = None) -> JoinedEvent: ...
    @overload
    async def wait_for(self, kind: Literal["left"], /, *, within: float | None = None) -> LeftEvent: ...
    @overload
    async def wait_for(self, kind: Literal["reachable"], /, *, within: float | None = None) -> ReachableEvent: ...
    @overload
    async def wait_for(self, kind: Literal["gone"], /, *, within: float | None = None) -> GoneEvent: ...
    @overload
    async def wait_for(self, kind: Literal["room"], /, *, within: float | None = None) -> EnteredEvent: ...
    @overload
    async def wait_for(self, kind: Literal["host"], /, *, within: float | None = None) -> HostEvent: ...
    @overload
    async def wait_for(self, kind: Literal["code"], /, *, within: float | None = None) -> CodeEvent: ...
    @overload
    async def wait_for(self, kind: Literal["nick"], /, *, within: float | None = None) -> RenamedEvent: ...
    @overload
    async def wait_for(self, kind: Literal["role"], /, *, within: float | None = None) -> RoleEvent: ...
    @overload
    async def wait_for(self, kind: Literal["locked"], /, *, within: float | None = None) -> LockChangedEvent: ...
    @overload
    async def wait_for(self, kind: Literal["kicked"], /, *, within: float | None = None) -> SelfKickedEvent: ...
    @overload
    async def wait_for(self, kind: Literal["waiting"], /, *, within: float | None = None) -> WaitingEvent: ...
    @overload
    async def wait_for(self, kind: Literal["expired"], /, *, within: float | None = None) -> ExpiredEvent: ...
    @overload
    async def wait_for(self, kind: Literal["offer"], /, *, within: float | None = None) -> OfferEvent: ...
    @overload
    async def wait_for(self, kind: Literal["transfer"], /, *, within: float | None = None) -> SpelledTransferEvent: ...
    @overload
    async def wait_for(self, kind: Literal["link"], /, *, within: float | None = None) -> SpelledLinkEvent: ...
    @overload
    async def wait_for(self, kind: Literal["alarm"], /, *, within: float | None = None) -> SpelledAlarmEvent: ...
    @overload
    async def wait_for(self, kind: Literal["missed"], /, *, within: float | None = None) -> EntriesMissedEvent: ...
    @overload
    async def wait_for(self, kind: Literal["notice"], /, *, within: float | None = None) -> NoticeEvent: ...
    @overload
    async def wait_for(self, kind: EventType, /, *, within: float | None = None) -> Event: ...
    async def wait_for(self, kind: EventType, /, *, within: float | None = None) -> Event:
        """The next event of this `type`. within: seconds to wait for it at most; for ever without it.

        What the iteration has not yielded yet counts, from after the event that was last waited for: right after
        entering, `reachable` cannot be missed. The event is yielded by the iteration nonetheless. A program may wait
        for events without ever iterating.

        Raises errors.TimedOut, and errors.RoomGone where the room is over and no such event is left.
        """
        return await self._held.wait_for(kind, within)

    def __aiter__(self) -> "Room":
        return self

    async def __anext__(self) -> Event:
        event = await self._held.next_event()
        if event is None:
            raise StopAsyncIteration
        return event


@final
class Tor:
    """A Tor that is usable, found or started by `connect`; several rooms may be open over it at once."""

    def __init__(self, holder: "RoomHolder") -> None:
        self._holder = holder

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    @asynccontextmanager
    async def create(
        self,
        name: str,
        *,
        nick: str = "",
        retain: str = "",
        history: str | int = "",
        knock: bool = False,
        private: bool = False,
    ) -> AsyncIterator[Room]:
        """A room of our own, which we host, from the time at which its code exists.

        Others can join from the event `reachable` on. Leaving the block leaves the room, which goes to a member that
        can host it.

        nick: in place of that of `connect`. retain, history: how long messages are kept, and what newcomers are
        shown, as behind /create ("5m", "30s:5m:2h"; "100", "30m"). knock: newcomers wait for a moderator. private:
        they need an invitation (`room.command("/invite")`).

        Raises BadInput, BadNick, TorLost, NotAllowed (too many rooms) of anonp2p.errors.
        """
        check_types(name=name, nick=nick, retain=retain, history=history, knock=knock, private=private)
        asked = arguments.make_create(name, retain, str(history), knock=knock, private=private)
        async with self._holder.open_room(asked, nicks.parse_nick(nick) if nick else "") as held:
            yield Room(held)

    @asynccontextmanager
    async def join(self, code: str, *, nick: str = "") -> AsyncIterator[Room]:
        """The room with this code, from the time at which we are in; leaving the block leaves it.

        While a moderator has to let us in, it waits. A join that is cancelled leaves nothing behind.

        nick: in place of that of `connect`.

        Raises BadCode, BadNick, NickTaken, Unreachable, Refused, Full, Locked, TorLost, NotAllowed (we are in that
        room already, or in too many) of anonp2p.errors.
        """
        check_types(code=code, nick=nick)
        parsed = codes.parse_code(code)
        asked = JoinRoomAction(parsed.address, nick=nicks.parse_nick(nick) if nick else "", key=parsed.key)
        async with self._holder.open_room(asked, asked.nick) as held:
            yield Room(held)


def connect(
    *,
    nick: str = "",
    tor: Literal["auto", "system", "own"] = "auto",
    control: str | None = None,
    socks: str | None = None,
    torrc: str | os.PathLike[str] | None = None,
    bridge: str | Sequence[str] = (),
    listen: str | None = None,
    amnesic: bool = False,
    no_heir: bool = False,
    no_entrust: bool = False,
    cover: bool = False,
) -> AbstractAsyncContextManager[Tor]:
    """A Tor, from the time at which it is usable; leaving the block leaves its rooms, and ends our own Tor.

    It is one that runs, or one of our own, as the options say, which are those of the command line.

    nick: for all rooms; without one, each has a random one. bridge: a line or file, or several. The environment is read
    as by the program, but for the twins of options (ANONP2P_NICK and so on): the password of a control port is in the
    file that ANONP2P_CONTROL_PASSWORD_FILE names; it is never asked for. The whole process is hardened: no core dumps,
    not readable by other processes of the user, freed memory of C libraries overwritten.

    Raises Usage, BadNick, TorMissing, TorRefused, TorLost, CryptoMissing of anonp2p.errors.
    """
    check_types(nick=nick, tor=tor, control=control, socks=socks, torrc=torrc, bridge=bridge, listen=listen)
    check_types(amnesic=amnesic, no_heir=no_heir, no_entrust=no_entrust, cover=cover)
    return _connect(
        lambda: replace(
            choose_tor(
                wanted=tor,
                control=control or "",
                socks=socks or "",
                listen=listen or "",
                torrc=os.fspath(torrc or ""),
                bridges=[bridge] if isinstance(bridge, str) else list(bridge),
            ),
            nick=nicks.parse_nick(nick) if nick else "",
            amnesic=amnesic,
            no_heir=no_heir,
            no_entrust=no_entrust,
            cover=cover,
        )
    )


@asynccontextmanager
async def _connect(configure: Callable[[], Config]) -> AsyncIterator[Tor]:
    """A Tor of the configuration that is made, which may read files."""
    hardening.harden()
    packages.require("trio", "msgspec", "stem")
    packages.require_crypto()
    config = configure()
    from anonp2p import password  # not sooner: see `open_tor`

    if file := password.find_file(os.environ):
        config = replace(config, password=await trio.to_thread.run_sync(password.read_password, file))
    async with open_tor(config, net_tor.connect) as tor:
        yield tor


@asynccontextmanager
async def open_tor(config: Config, connect: Connect) -> AsyncIterator[Tor]:
    """The same over any network, without hardening the process. connect: finds or starts it."""
    from anonp2p.bots.room_holder import RoomHolder  # not sooner: the program never needs it

    async with open_client(replace(config, mode="json"), connect) as client:
        holder = RoomHolder(client, config.nick)
        await holder.until_usable()
        yield Tor(holder)
