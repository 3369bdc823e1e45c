"""A room with a host and those who join it: a `World` of one room, in the words of those who use one."""

from collections.abc import Callable
from typing import Any

from msgspec import UNSET

from anonp2p.errors import AnonError
from anonp2p.names.codes import RoomKey
from anonp2p.protocol import room_state
from anonp2p.reasons import Reason
from anonp2p.room import effects, events, inputs
from anonp2p.room.file_inputs import AcceptInput, DeclineInput, FileReadInput, SendFileInput
from anonp2p.room.moderation_inputs import AnyModerationInput, KickInput, LockInput
from anonp2p.room.retention import ANY, NO_HISTORY
from anonp2p.room.room import Room
from tests.support.world import End, Link, Party, World

KEY = RoomKey(b"the seed of the simulated room.."[:32])


class Simulation:
    """A room with a host, those who join it, and the network between them."""

    def __init__(
        self,
        re: events.Re = UNSET,
        *,
        retention: room_state.RetentionPolicy = ANY,
        history: room_state.HistoryPolicy = NO_HISTORY,
    ) -> None:
        self.world = World()
        self.rules = retention, history
        self.members: list[Party] = []
        self._inputs = 0
        self.host = self._party("hugo", "demo", re)
        self.step(self.host, inputs.PublishedInput(KEY.public))

    @property
    def tick(self) -> float:
        """The clock that only grows."""
        return self.world.tick

    @tick.setter
    def tick(self, tick: float) -> None:
        self.world.tick = tick

    @property
    def drops(self) -> list[str]:
        """Why the host closed links."""
        return self.world.drops

    # --- what people do

    def newcomer(self, nick: str = "", re: events.Re = UNSET) -> Party:
        """Somebody begins to join."""
        member = self._party(nick, None, re)
        self.members.append(member)
        self.dial(member)
        return member

    def joined(self, nick: str = "") -> Party:
        """Somebody joins, and everything is delivered."""
        member = self.newcomer(nick)
        self.settle()
        return member

    def say(self, party: Party, text: str, *, action: bool = False) -> int:
        """Types a message; returns its id."""
        return self._type(party, inputs.SayInput(text, action, self._next()))

    def rename(self, party: Party, nick: str) -> int:
        """Asks for another nick; returns the id."""
        return self._type(party, inputs.RenameInput(nick, self._next()))

    def leave(self, party: Party, *, close: bool = False, now: bool = False) -> int:
        """Types /leave or /close; returns the id."""
        return self._type(party, inputs.LeaveInput(close, now, self._next()))

    def kick(self, nick: str, why: str = "") -> int:
        """The host types /kick; returns the id."""
        return self._type(self.host, KickInput(nick, why, re=self._next()))

    def moderate(self, party: Party, asked: Callable[..., AnyModerationInput], *about: object) -> int:
        """Types a command of moderators, of which this is the input; returns the id."""
        return self._type(party, asked(*about, re=self._next()))

    def lock(self, *, locked: bool) -> int:
        """The host types /lock or /unlock; returns the id."""
        return self._type(self.host, LockInput(locked, self._next()))

    def whisper(self, party: Party, nick: str, text: str, member: str = "") -> int:
        """Types /msg, or a text in a private conversation with this member; returns the id."""
        return self._type(party, inputs.WhisperInput(nick, text, self._next(), member))

    def reply(self, party: Party, seq: int | None, text: str) -> int:
        """Somebody answers a message; returns the `re` of that."""
        return self._type(party, inputs.ReplyInput(seq, text, self._next()))

    def retract(self, party: Party, seq: int | None = None) -> int:
        """Somebody takes a message back; returns the `re` of that."""
        return self._type(party, inputs.RetractInput(seq, self._next()))

    def retain(self, party: Party, ttl: int | None) -> int:
        """Types /retain; returns the id."""
        return self._type(party, inputs.RetainInput(ttl, self._next()))

    def verify(self, party: Party, nick: str = "", *, same: bool | None = None) -> int:
        """Types /verify, or says what comparing the words has shown; returns the id."""
        return self._type(party, inputs.VerifyInput(nick, self._next(), same))

    def send(self, party: Party, path: str = "report.pdf", nick: str = "", *, reads: bool = True) -> int:
        """Types /send; returns the id. reads: whether the file is read at once."""
        re = self._type(party, SendFileInput(path, nick, re=self._next()))
        if reads:
            self.read_files(party)
        return re

    def read_files(self, party: Party) -> None:
        """All files are read that its room wants to have read."""
        wanted = [it for it in party.files if isinstance(it, effects.ReadFileEffect)]
        party.files = [it for it in party.files if it not in wanted]
        for it in wanted:
            self.step(party, FileReadInput(it.number, it.path, 100_000, it.path.encode().ljust(32, b"r")[:32]))

    def accept(self, party: Party, offer: int, path: str = "") -> int:
        """Types /accept; returns the id."""
        return self._type(party, AcceptInput(offer, path, self._next()))

    def decline(self, party: Party, offer: int) -> int:
        """Types /decline; returns the id."""
        return self._type(party, DeclineInput(offer, self._next()))

    def files(self, party: Party) -> list[dict[str, Any]]:
        """What /files answers."""
        re = self._type(party, inputs.AskInput("/files", self._next()))
        [answer] = [event for event in party.got(events.ReplyEvent) if event.re == re]
        rows: list[dict[str, Any]] = answer.data["files"]
        return rows

    def ask_who(self, party: Party) -> int:
        """Types /who; returns the id."""
        return self._type(party, inputs.AskInput("/who", self._next()))

    def ask_code(self, party: Party) -> int:
        """Types /code; returns the id."""
        return self._type(party, inputs.AskInput("/code", self._next()))

    def who(self, party: Party) -> dict[str, str]:
        """What /who answers: nicks by member."""
        re = self.ask_who(party)
        [answer] = [event for event in party.got(events.ReplyEvent) if event.re == re]
        return {person.member: person.nick for person in answer.data}

    def answers(self, party: Party, re: int) -> list[events.Event]:
        """Everything it was told under this id."""
        return [event for event in party.told if event.re == re]

    # --- what the network does

    def dial(self, member: Party) -> None:
        """The member, without a link as far as it knows, reaches the host."""
        if not (member.room.over or self._is_linked(member) or self.host.room.over):
            self.world.dial(self.host, member)

    def give_up(self, member: Party) -> None:
        """The member, without a link, has dialled in vain for long enough."""
        if not (member.room.over or self._is_linked(member)):
            self.world.await_dial(member)
            self.step(member, inputs.DialFailedInput(member.dialled, Reason("not-found"), again=False))

    def break_down(self, error: AnonError) -> None:
        """The host's Tor is gone."""
        self.step(self.host, inputs.BrokenInput(error))

    def write(self, member: Party) -> None:
        """The host's end puts all it has for this member on its way."""
        if link := self.world.link_of(member):
            self.world.write(link)
        else:
            self.end_batch()

    def end_batch(self) -> None:
        """The host's session has nothing more to do for now."""
        self.world.end_batch(self.host)

    def host_hears(self, member: Party) -> None:
        """What the member sent first and the host has not heard yet arrives."""
        if link := self.world.link_of(member):
            self.world.deliver(link, link.near)

    def host_hears_late(self, member: Party) -> None:
        """The same on a link that the member has replaced by another since."""
        for link in self.world.links:
            if link.far.owner is member and link is not self.world.link_of(member):
                self.world.deliver(link, link.near)

    def member_hears(self, member: Party) -> None:
        """What was put on its way to the member first arrives."""
        if link := self.world.link_of(member):
            self.world.deliver(link, link.far)

    def wait(self, seconds: float) -> None:
        """So much time passes, and the host does on the way whatever it had planned."""
        self.world.pass_time(seconds, [self.host])

    def oversleep(self, seconds: float) -> None:
        """So much time passes before the host gets to do anything."""
        self.world.tick += seconds
        self.step(self.host, inputs.TickInput())

    def lose(self, member: Party, *, delivering: bool) -> None:
        """The member's link breaks; what is on its way may still be delivered."""
        link = self.world.link_of(member)
        if link is None or not link.far.open:
            return
        member.unlucky = True
        if not delivering:
            link.near.inbox.clear()
            link.far.inbox.clear()
        self.world.cut(link)

    def lose_patience(self, member: Party) -> None:
        """The time comes that the member's room waits for, if it waits for one."""
        deadline = member.room.next_deadline()
        if deadline is not None:
            self.world.tick = max(self.world.tick, deadline)
            member.unlucky = True
            self.step(member, inputs.TickInput())

    def settle(self) -> None:
        """Everything is delivered, until nothing is on its way any more; who still wants in dials again."""
        self._settle(self.members)

    def settle_without(self, absent: Party) -> None:
        """The same, but for one with whom nothing happens."""
        self._settle([member for member in self.members if member is not absent])

    def _settle(self, members: list[Party]) -> None:
        while True:
            before, delivered = [self._state(member) for member in members], self.world.deliveries
            for member in members:
                self.dial(member)
                self.host_hears_late(member)
                self.host_hears(member)
                self.write(member)
                self.member_hears(member)
                if self.host.room.over:
                    self.give_up(member)
            if [self._state(member) for member in members] == before and self.world.deliveries == delivered:
                return

    def link(self, member: Party) -> Link:
        """The member's latest link."""
        link = self.world.link_of(member)
        assert link is not None
        return link

    def step(self, party: Party, step: inputs.Input) -> None:
        """A room takes an input, and what it wants done is done."""
        self.world.handle(party, step)

    # --- inside

    def _is_linked(self, member: Party) -> bool:
        """Whether the member's room has not heard of the end of its latest link."""
        link = self.world.link_of(member)
        return link is not None and (link.far.open or bool(link.far.inbox))

    def _state(self, member: Party) -> tuple[object, ...]:
        links = [link for link in self.world.links if link.far.owner is member]
        late = sum(len(link.near.inbox) for link in links)
        ends: list[End] = [links[-1].near, links[-1].far] if links else []
        return (
            len(links),
            late,
            [(len(end.inbox), end.connection.has_data_to_send, end.open) for end in ends],
            len(member.told),
        )

    def _type(self, party: Party, typed: inputs.Typed) -> int:
        assert isinstance(typed.re, int)
        party.typed[typed.re] = typed
        self.step(party, typed)
        return typed.re

    def _next(self) -> int:
        self._inputs += 1
        return self._inputs

    def _party(self, nick: str, name: str | None, re: events.Re) -> Party:
        retention, history = self.rules
        room = Room(
            label="r1",
            key=KEY.public,
            random=self.world.random,
            nick=nick,
            room_key=None if name is None else KEY,
            name=name or "",
            retention=retention,
            history=history,
            re=re,
        )
        return self.world.add(room)
