"""Tor: a running one or our own, rooms as onion services on it, dials through it."""

import os
import secrets
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from functools import partial
from itertools import combinations
from typing import Literal

import trio

from anonp2p import limits
from anonp2p.config import Config, Endpoint, Listen
from anonp2p.errors import AnonError, TorRefused, TorUntrusted
from anonp2p.names.codes import RoomKey
from anonp2p.net.tor import commands, place, process, runtime, socks
from anonp2p.net.tor.client_keys import ClientKeys
from anonp2p.net.tor.control import Control, Tell
from anonp2p.net.tor.descriptors import Descriptors
from anonp2p.net.tor.discovery import find_running_tor, find_socks_port
from anonp2p.net.tor.errors import (
    ControlPortNeeded,
    ListenNeeded,
    NotPublished,
    NotSocksPort,
    PublishingForbidden,
    SocksPortLost,
    SocksPortTaken,
    SocksPortUnknown,
)
from anonp2p.net.tor.hedge import Hedge
from anonp2p.net.tor.listener import Entrance, LocalEntrance, RemoteEntrance, TorListener, UnixEntrance
from anonp2p.net.tor.peer_uid import tor_uids
from anonp2p.net.tor.race import Later, race
from anonp2p.net.transport import DialFault
from anonp2p.reasons import DialFailure, Reason
from anonp2p.room import events
from anonp2p.room.hosting_events import Defence

_NOT_UNDERSTOOD = ("510", "512", "513")  # what filters, and Tors of several ages, answer to arguments they do not know
_TAKEN = "550"  # what Tor answers where it serves that address already

# What Tor's replies to a dial mean (proposal 304), whether to try again, whether they say that the room is not there.
_DIAL_FAULTS: dict[int, tuple[DialFailure, bool, bool]] = {
    0xF0: ("no-descriptor", True, True),
    0xF1: ("bad-descriptor", True, True),
    0xF2: ("no-introduction", True, True),
    0xF3: ("broken-circuit", True, False),
    0xF4: ("key-missing", False, False),
    0xF5: ("key-wrong", False, False),
    0xF6: ("bad-address", False, False),
    0xF7: ("introduction-timeout", True, False),
    0x04: ("not-found", True, True),
    0x05: ("service-silent", True, True),
}


class _Place:
    """A room's onion service on a Tor."""

    def __init__(self, listener: TorListener, undefended: list[Defence], uploaded: trio.Event | None) -> None:
        self.listener = listener
        self.undefended = undefended
        self._uploaded = uploaded  # None where nobody tells

    def admits(self, stream: trio.abc.Stream) -> bool:
        assert isinstance(stream, trio.SocketStream), "the listener gives no others"
        return self.listener.admits(stream.socket)

    async def published(self) -> None:
        if self._uploaded is None:
            await trio.sleep(limits.UPLOAD_BLIND)
        else:
            await self._uploaded.wait()


class Tor:
    """A usable Tor: a transport whose addresses are onion services.

    `lost` is set when it can be used no more. control: None where it grants us a SOCKS port alone. proxy: its SOCKS
    port; None to ask the control port for it at each dial. entrance: how it reaches us. is_proxy_found: whether nobody
    named the proxy, so that it has to be trusted. lack: why no room can be published on it, where there is no control
    port or no entrance.
    """

    def __init__(
        self,
        control: Control | None,
        proxy: Endpoint | None,
        entrance: Entrance | None,
        kind: Literal["own", "system"],
        *,
        is_proxy_found: bool = False,
        lack: AnonError | None = None,
    ) -> None:
        self.lost = control.lost if control else trio.Event()
        self.kind = kind
        self._proxy = proxy
        self._entrance = entrance
        self._is_proxy_found = is_proxy_found
        self._lack = lack or ControlPortNeeded()
        self.control = control
        self._unanswered: set[str] = set()  # the codes whose latest dial got no answer at all
        self._found: set[int] = set()  # of those that a dial has led to: hashes, as rooms that are left are forgotten
        self._served: set[str] = set()  # the codes of our services
        self._client_keys = ClientKeys(control)
        # Whether no filter refuses this: what it refuses, it may write to its log, and there it would name a room.
        self._may_delete = True
        self._descriptors = Descriptors(control, may_fetch=True if kind == "own" else None)
        self._hedge = Hedge()
        # Whether it has taken a service of ours before that all can find, or one that clients alone can.
        self._may_publish = {False, True} if kind == "own" else set[bool]()
        self._defences = tuple(commands.DEFENCES)  # that are not known to be beyond it

    @property
    def lack(self) -> AnonError | None:
        """Why no room can be published on it; None where that can be tried."""
        return self._lack if self.control is None or self._entrance is None else None

    @asynccontextmanager
    async def listen(self, key: RoomKey, clients: Sequence[bytes] = ()) -> AsyncIterator[_Place]:
        """Publishes the room, attached to our control connection: it ends with us, however we end.

        clients: the X25519 public keys of those who may find it; without any, everybody may.
        Raises TorRefused where there is no control port or it does not take the service, TorLost, Failed.
        """
        if self.control is None or self._entrance is None:
            raise self._lack
        address = key.code.removesuffix(".onion")
        uploaded = trio.Event() if self.control.hears(commands.DESCRIPTORS) else None

        def heard(text: str) -> None:
            if uploaded is not None and commands.read_descriptor_event(text) == ("UPLOADED", address):
                uploaded.set()

        with (
            self._entrance.listen() as (listener, target),
            self.control.listening(commands.DESCRIPTORS, heard),
        ):
            undefended = await self._publish(self.control, key, target, clients)
            self._served.add(key.code)
            try:
                yield _Place(listener, undefended, uploaded)
            finally:
                self._served.discard(key.code)
                with trio.move_on_after(limits.WITHDRAW_PATIENCE, shield=True), suppress(AnonError):
                    await self._delete(self.control, key)

    async def _publish(self, control: Control, key: RoomKey, target: str, clients: Sequence[bytes]) -> list[Defence]:
        """Returns the defences that are not understood.

        What Tor still serves that we do not want any more, it has not withdrawn in time. What another room or program
        serves is withdrawn soon, if that is a host in whose place we go on.
        """
        if bool(clients) not in self._may_publish:
            await self._try_publishing(control, target, clients)
            self._may_publish.add(bool(clients))
        deadline = trio.current_time() + limits.TAKEN_PATIENCE
        while True:
            status = await self._add_service(control, key, target, clients)
            if status != _TAKEN or trio.current_time() >= deadline:
                break
            if key.code not in self._served:
                await self._delete(control, key)
            await trio.sleep(limits.TAKEN_PAUSE)
        if status != "250":
            raise NotPublished(status)
        return [defence for defence in commands.DEFENCES if defence not in self._defences]

    async def _delete(self, control: Control, key: RoomKey) -> None:
        """Withdraws a service; where that is not let pass, it ends with our connection. Raises TorRefused, TorLost."""
        if self._may_delete:
            await control.send(commands.delete_onion(key.code))

    async def _try_publishing(self, control: Control, target: str, clients: Sequence[bytes]) -> None:
        """Finds what a filter lets pass by a key of no room: filters write what they refuse to their logs.

        Raises TorRefused where that is nothing.
        """
        nobody = RoomKey(secrets.token_bytes(32))
        status = await self._add_service(control, nobody, target, clients)
        if status == commands.FILTERED:
            raise PublishingForbidden(status)
        if status != "250":
            raise NotPublished(status)
        deleted = (await control.send(commands.delete_onion(nobody.code)))[-1]
        self._may_delete = deleted[0] != commands.FILTERED

    async def _add_service(self, control: Control, key: RoomKey, target: str, clients: Sequence[bytes]) -> str:
        """Adds a service (control-spec 3.27) with all of the defences that are understood; returns the status."""
        tries = [kept for count in (2, 1, 0) for kept in combinations(self._defences, count)]
        status = ""
        for kept in tries:
            status, _, _ = (await control.send(commands.add_onion(key, kept, target, clients)))[-1]
            if status not in _NOT_UNDERSTOOD:
                self._defences = kept
                break
        return status

    async def dial(
        self, code: str, isolation: str, *, hello: int = 1, fresh: bool = False, client_key: bytes = b""
    ) -> trio.abc.Stream:
        """A stream to the room through the SOCKS port. Raises DialFault with what Tor's reply means, TorLost.

        client_key: by which a private room is found; Tor has it until `forget_keys`. Raises TorRefused where it does
        not take it.

        After a dial that got no answer, the next one has Tor look anew where the room is, as a fresh one always has.

        Beside one that gets none for longer than most, there is a second try over other circuits, to another rendezvous
        point: one of the first may hang. So may one of the second, and there is a third. If Tor still looks for the
        room then, it asks another directory as well. The last one looks anew: where a host is gone at that moment, or
        another one takes its place, Tor waits for minutes for who cannot come any more.

        All services of ours speak first: a try counts once all of that is there to be read, or the stream is over, as
        the circuit may hang that Tor has connected us by. Where it does not come for long, the stream is passed on
        without: whoever dials has a limit of its own for a room that says nothing. Such a room, which may have more to
        do than it can, has no such last try.
        """
        if client_key:
            await self._client_keys.lend(code, client_key, isolation.partition(":")[0])
        if code in self._unanswered:
            if not await self._descriptors.fetch(code) and self.control is not None and self.kind == "own":
                with suppress(TorRefused):
                    await self.control.send(commands.START_AFRESH)
        elif fresh:
            await self._descriptors.fetch(code)
        self._unanswered.add(code)
        silent: set[trio.abc.Stream] = set()  # on which the room has said nothing
        with self._descriptors.watch(code) as lookup:

            async def try_beside(number: int) -> trio.abc.Stream:
                self._hedge.spend()
                if lookup.is_on:
                    await self._descriptors.look_elsewhere(code)
                return await self._reach(code, f"{isolation}:{number}", hello, silent)

            async def try_again() -> trio.abc.Stream:
                if silent:
                    raise DialFault(Reason("service-silent"))
                await self._descriptors.fetch(code)
                return await self._reach(code, f"{isolation}:again", hello, silent)

            patience = self._hedge.patience
            looks = 0.0 if hash(code) in self._found else limits.HEDGE_LOOKUP
            tries = range(1, 1 + self._hedge.begin_dial())
            beside = [Later(looks + number * patience, partial(try_beside, number)) for number in tries]
            again = Later(max(limits.DIAL_BESIDE, looks + (1 + len(tries)) * patience), try_again)
            won = await race(lambda: self._reach(code, isolation, hello, silent), *beside, again)
            began_at = max(won.began_at, lookup.found_at)
        self._found.add(hash(code))
        if won.number <= len(beside) and won.stream not in silent:  # the last one looks as well
            self._hedge.note_answer(trio.current_time() - began_at)
        return won.stream

    async def forget_keys(self, user: str) -> None:
        """As Transport has it."""
        await self._client_keys.take_back(user)

    async def _reach(self, code: str, isolation: str, hello: int, silent: set[trio.abc.Stream]) -> trio.abc.Stream:
        """One try. silent: has the stream until all of the hello has come on it, which stays to be read."""
        stream = await self._connect(code, isolation)
        silent.add(stream)
        try:
            with trio.move_on_after(limits.DIAL_SILENT):
                await _await_hello(stream, hello)
                silent.remove(stream)
        except BaseException:
            await trio.aclose_forcefully(stream)
            raise
        return stream

    async def _connect(self, code: str, isolation: str) -> trio.SocketStream:
        user, _, password = isolation.partition(":")
        proxy = await self.find_proxy()
        discovered = self._is_proxy_found or (
            self._proxy is None and self.control is not None and self.control.discovered
        )
        try:
            stream = await socks.connect(proxy, code, limits.PORT, user, password, discovered=discovered)
        except TorUntrusted as error:  # somebody took the port that its Tor has given up
            raise SocksPortTaken(error.detail) from None
        except socks.SocksError as error:
            if error.code is None:
                raise NotSocksPort(proxy) from None
            failure, again, absent = _DIAL_FAULTS.get(error.code, ("failed-circuit", True, False))
            if absent:  # so Tor has looked
                self._unanswered.discard(code)
            raise DialFault(Reason(failure), again=again, absent=absent) from None
        except trio.BrokenResourceError:
            raise DialFault(Reason("tor-hung-up")) from None
        except OSError:
            raise SocksPortLost(proxy) from None
        self._unanswered.discard(code)
        return stream

    async def find_proxy(self) -> Endpoint:
        """Its SOCKS port. Asked each time: a Tor that was offline may have opened another one since. Raises TorLost."""
        if self._proxy is not None:
            return self._proxy
        assert self.control is not None, "without one, the proxy is given"
        try:
            return await find_socks_port(self.control)
        except TorRefused as error:
            raise SocksPortUnknown(error.detail) from None


async def _await_hello(stream: trio.SocketStream, length: int) -> None:
    """Returns once so many bytes are there to be read, or the stream is over.

    Nobody wakes us for so many bytes: unix sockets, as which most SOCKS ports are reached, do not heed SO_RCVLOWAT.
    """
    with suppress(OSError):  # whoever reads will find that
        while True:
            said = await stream.socket.recv(length, socket.MSG_PEEK)
            if len(said) in (0, length):
                break
            await trio.sleep(limits.DIAL_PEEK)


@asynccontextmanager
async def connect(config: Config, tell: Tell) -> AsyncIterator[Tor]:
    """A Tor as the configuration asks for it, found or started, and booted; `tell` hears of its progress.

    Raises TorMissing, TorRefused, TorLost, Failed; some of them within an ExceptionGroup.
    """
    runtime.remove_left_behind(os.environ)
    found = await find_running_tor(config, tell)
    if found is None:
        async with (
            process.launch(config.torrc, amnesic=config.amnesic, bridges=config.bridges) as own,
            aclosing(await Control.open(Endpoint(path=own.control))) as control,
        ):
            await control.send(commands.TAKE_OWNERSHIP)
            if own.is_beside_another:
                tell(events.StateInUseEvent())
            await control.boot(tell, own.complaints)
            await control.subscribe(commands.DESCRIPTORS)
            tor = Tor(control, Endpoint(path=own.socks), UnixEntrance(own.runtime), "own")
            yield _ready(tor, await control.version(), tell)
    elif found.control is None:
        yield _ready(
            Tor(None, found.proxy, None, "system", is_proxy_found=found.is_proxy_found, lack=found.lack), "", tell
        )
    else:
        async with aclosing(found.control) as control:
            await control.subscribe(commands.DESCRIPTORS)
            entrance, lack = None, None
            try:
                entrance = await find_entrance(config.listen, control)
            except TorRefused as error:
                lack = error  # it is enough to join rooms
            tor = Tor(control, found.proxy, entrance, "system", is_proxy_found=found.is_proxy_found, lack=lack)
            yield _ready(tor, await control.version(), tell)


async def find_entrance(listen: Listen | None, control: Control) -> Entrance:
    """How a Tor that is not our own reaches us. listen: where, if that was said. Raises TorRefused, TorLost."""
    if place.is_whonix() and listen is None:
        gateway = place.find_gateway(control.endpoint)
        return RemoteEntrance(place.find_listen(gateway), gateway)
    if listen is not None and not listen.is_local:
        return RemoteEntrance(listen, place.find_gateway(control.endpoint))
    if listen is None and not control.endpoint.is_local:
        raise ListenNeeded
    return LocalEntrance(tor_uids(await control.info(commands.UID) or "", control.owners), listen)


def _ready(tor: Tor, version: str, tell: Tell) -> Tor:
    tell(events.ReadyEvent(version=version, tor=tor.kind))
    return tor
