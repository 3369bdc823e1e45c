"""What a room needs of the role that we have in it, and how one role says what the next one is."""

from typing import Literal, NamedTuple, Protocol

from anonp2p.protocol import bodies
from anonp2p.room import events, inputs
from anonp2p.room.gate import Gate
from anonp2p.room.pending import Whisper
from anonp2p.room.roster import Member
from anonp2p.room.standby import Standby
from anonp2p.room.succession.loss import Target


class HostPlan(NamedTuple):
    """We go on as host. number: of the term; address: by which members reach us; room_time: as far as we know.

    gate, standby: who has dialled us, and the members that wait for us to host.
    """

    number: int
    address: bytes
    room_time: int
    gate: Gate
    standby: Standby

    def __repr__(self) -> str:
        return "<HostPlan>"


class MemberPlan(NamedTuple):
    """We go on as a member, after we have hosted. hint: who hosts, as far as we know. Other fields: see `HostPlan`."""

    hint: Target | None
    address: bytes
    gate: Gate
    standby: Standby

    def __repr__(self) -> str:
        return "<MemberPlan>"


class Role(Protocol):
    """We order entries as the host, or follow a host as a member. Only one of both at a time; it can be replaced."""

    @property
    def name(self) -> Literal["host", "member"]:
        """Which of both."""

    @property
    def successor(self) -> HostPlan | MemberPlan | None:
        """What we are from now on, in place of this; asked for after each input."""

    @property
    def settled(self) -> bool:
        """Whether what it takes to be in a room is done: for a member to be let in, for a host to be reachable."""

    @property
    def ends_room(self) -> bool:
        """Whether others are here, for whom the room ends if we leave."""

    def handle_input(self, event: inputs.OuterInput) -> None:
        """Takes what comes from the network or the clock."""

    def next_deadline(self) -> float | None:
        """When (`Now.tick`) a Tick is due, if nothing else happens before."""

    def author_entry(self, body: bodies.Body | Whisper, line: str | None, re: events.Re) -> None:
        """Has an entry of ours ordered. line: what the user typed, if it is text; re: the input that asked for it."""

    def request_pool(self) -> None:
        """Asks our host for the pool of a private room, without which we can invite nobody."""

    def host_room(self, event: inputs.Hosting) -> None:
        """Does what only a host may do."""

    def leave(self, event: inputs.LeaveInput) -> None:
        """Begins to leave the room, or to close it."""

    def can_seal_to(self, member: Member) -> bool:
        """Whether a private message for this member can be sealed, now or once its key has come."""

    def refuses_nick(self, nick: str) -> bool:
        """Whether we know already that we cannot have this nick."""

    def room_time(self) -> int:
        """Milliseconds since the room's creation, as far as we know."""

    def retire(self) -> None:
        """Another role follows: the last thing that this one does."""

    def close(self) -> None:
        """We are out of the room: the last thing that the role does, while the keys are still there."""
