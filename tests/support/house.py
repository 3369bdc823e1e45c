"""A private room, and what its people ask for."""

import dataclasses
from typing import Any

import trio

from anonp2p.errors import AnonError
from anonp2p.names import codes
from anonp2p.net.transport import DialFault, Transport
from anonp2p.room import events
from anonp2p.room.hosting_events import ReachableEvent
from anonp2p.room.moderation_inputs import InviteInput
from tests.support.people import Gathering, Person, Usable


class House:
    """One private room. gathered: who bring it about."""

    def __init__(self, gathered: Gathering) -> None:
        self._gathered = gathered
        self._asked = 0

    async def found(self, network: Usable | None = None) -> Person:
        """The host, once it can be reached. network: see `Gathering.invite`."""
        host = self._gathered.invite("host", name="demo", private=True, network=network)
        await host.hears(ReachableEvent)
        return host

    async def ask(self, person: Person, event: Any) -> Any:
        """The data of the reply to a command, or its error."""
        self._asked += 1
        re = f"q{self._asked}"
        kinds = events.ReplyEvent, events.ErrorEvent
        await person.session.post_input(dataclasses.replace(event, re=re))
        await person.until(lambda: any(person.heard(kind, re=re) for kind in kinds))
        for reply in person.heard(events.ReplyEvent, re=re):
            return reply.data
        return person.heard(events.ErrorEvent, re=re)[0].code

    async def invite(self, person: Person, note: str = "", uses: int = 1) -> str:
        """The code that somebody is given who invites."""
        data = await self.ask(person, InviteInput(note, uses))
        return str(data["code"])

    async def comes(self, nick: str, code: str, network: Usable | None = None, *, may_host: bool = False) -> Person:
        """A guest, once in."""
        guest = self._gathered.invite(nick, invitation=code, may_host=may_host, network=network)
        await guest.hears(events.EnteredEvent)
        return guest

    @staticmethod
    def list_keys(person: Person, *given: str) -> list[bytes]:
        """The keys by which this one finds the room, who is in. given: codes of invitations that it knows."""
        replica = person.session.room.replica
        own = [replica.ledger.rights.members_key or b"", replica.me.return_key]
        return own + [codes.parse_code(code).key for code in given]

    @staticmethod
    def list_addresses(person: Person) -> set[bytes]:
        """Where services of the room are, as far as this one knows."""
        ledger = person.session.room.replica.ledger
        return {ledger.code, ledger.address, *(heir.address for heir in ledger.heirs)}

    @staticmethod
    async def is_found(network: Transport, address: bytes, key: bytes) -> bool:
        """Whether somebody with this key finds a service at that address."""
        try:
            async with await network.dial(codes.encode_key(address), "x", client_key=key):
                return True
        except DialFault:
            return False

    @classmethod
    async def await_found(cls, network: Transport, address: bytes, key: bytes, seconds: float) -> None:
        """Returns once somebody with this key has found it there. Raises trio.TooSlowError."""
        with trio.fail_after(seconds):
            while not await cls.is_found(network, address, key):  # noqa: ASYNC110  # there is no event for it
                await trio.sleep(1)

    @staticmethod
    async def is_served(network: Transport, address: bytes) -> bool:
        """Whether there is a service at that address, whoever may find it."""
        try:
            async with await network.dial(codes.encode_key(address), "x", client_key=bytes(32)):
                return True
        except DialFault as fault:
            return fault.reason.code == "key-wrong"

    async def is_refused(self, nick: str, code: str, network: Usable | None = None) -> AnonError:
        """Why somebody does not get in."""
        guest = self._gathered.invite(nick, invitation=code, network=network)
        await guest.gone()
        failure = guest.session.room.failure
        assert failure is not None
        return failure
