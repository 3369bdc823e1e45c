"""A member that says on all links what it should not: on those of its own room, and on others that it dials besides."""

import random

import msgspec

from anonp2p.crypto import identity
from anonp2p.errors import PeerFault
from anonp2p.names.codes import RoomKey
from anonp2p.protocol import appointment, bodies, frames, handshake, meeting
from anonp2p.protocol.field_types import COUNTS, Heir, Opening
from anonp2p.protocol.handshake import Channel
from anonp2p.protocol.requests import AnyRequest, MeetRequest, ResumeRequest
from anonp2p.room import effects, inputs
from anonp2p.room.ledger import Ledger
from anonp2p.room.room import Room
from anonp2p.room.sealer import Sealer
from anonp2p.room.succession import terms

SHARE = 0.5  # of the records that its room sends, after which it says something besides
PAUSE = 1.0  # seconds between its own dials
SAID = 6  # frames that it says on a link of its own, at most
FIRST = 10_000  # number of its first link: its room does not have as many


class Lies:
    """What is wrong, or right and in the wrong place. chance: makes all of it the same in every run."""

    def __init__(self, room: Room, chance: random.Random) -> None:
        self._room = room
        self._chance = chance

    @property
    def _ledger(self) -> Ledger:
        return self._room.replica.ledger

    def _number(self) -> int:
        return max(0, self._ledger.number + self._chance.choice((-4, 0, 1, 4, 5, 100, 256, 300, 2**21)))

    def _member(self) -> bytes:
        return self._chance.choice([bytes(16), *(member.id for member in self._ledger.roster)])

    def _index(self) -> int:
        latest = self._ledger.index
        return max(0, self._chance.choice((0, 1, latest - 5, latest, latest + 1, latest + 1_000, 2**32, COUNTS - 1)))

    def _digest(self) -> bytes:
        return self._chance.choice([bytes(32), self._ledger.digest, self._ledger.openings[0].digest])

    def address(self) -> bytes:
        """Where one may be reached who can host."""
        return self._chance.choice([self._ledger.code, *self._ledger.carriers.values()])

    def _opening(self) -> Opening:
        return Opening(self._number(), self._member(), self._index(), self._digest(), 0)

    def _openings(self) -> list[Opening]:
        known = list(self._ledger.openings)
        match self._chance.randrange(4):
            case 0:
                return known
            case 1:
                return [*known, self._opening()][-8:]
            case 2:  # the same entries in the name of others
                return [Opening(self._number(), self._member(), it.index, it.digest, it.since) for it in known]
            case _:
                return [self._opening()]

    def _where(self) -> frames.Where:
        """A host that is none; if we are an heir, by an opening that we sign, which is as it should be half of all."""
        ledger, me = self._ledger, self._room.replica.me
        own = [heir for heir in ledger.heirs if heir.member == me.id]
        if not own or self._chance.random() < 0.5:
            openings = self._openings()
            number, host = openings[-1].term
            return frames.Where(number, host, self.address(), self._index(), self._digest(), openings, self._proof(own))
        number, place = terms.heir_number(ledger.number, ledger.heirs.index(own[0])), (bytes(32), ledger.index + 1)
        openings = [*ledger.openings, Opening(number, me.id, ledger.index + 1, *place)][-8:]
        proof = [self._signed(bodies.OpeningBody(number, own[0].address, own[0].address, ledger.index + 1))]
        return frames.Where(number, me.id, own[0].address, ledger.index + 2, bytes(32), openings, proof)

    def _proof(self, own: list[Heir]) -> list[frames.SignedEntry]:
        return [self._signed(bodies.OpeningBody(self._number(), self.address(), self.address(), 0)) for _ in own]

    def _signed(self, body: bodies.OpeningBody) -> frames.SignedEntry:
        replica = self._room.replica
        sealed = Sealer(replica.me, replica.ledger, replica.current_epoch, {}, self._chance.randbytes)
        opening = sealed.sign_opening(body)
        return frames.SignedEntry(opening.epoch, opening.header.pack(), opening.body)

    def redirect(self, service: bytes, hello: bytes) -> frames.RedirectFrame:
        """Somebody else hosts."""
        return meeting.sign_redirect(self._where(), service, hello, self._room.replica.me)

    def _backfill(self) -> frames.BackfillFrame:
        """Some batch of the log, perhaps under another head, or empty."""
        log = self._room.replica.room_log.log
        batch = log.backfill_batch(self._chance.randrange(log.oldest, log.sealed_end))
        match self._chance.randrange(3):
            case 0:
                return msgspec.structs.replace(batch, head=log.head)
            case 1:
                return msgspec.structs.replace(batch, entries=[], contexts=[])
            case _:
                return batch

    def as_member(self) -> frames.FromMember:
        """What a member says to an heir or to its host."""
        chance, replica = self._chance, self._room.replica
        match chance.randrange(7):
            case 0:
                return frames.StraysFrame(chance.choice((1, 3, 1_000)))
            case 1:
                return appointment.sign_address(RoomKey(chance.randbytes(32)), replica.ledger.room, replica.me.id)
            case 2:
                return frames.EchoFrame()
            case 3 if replica.room_log.log.batches:
                return self._backfill()
            case _:
                return frames.ReportFrame(chance.random() < 0.7, self._index(), self._digest(), self._openings())

    def as_heir(self) -> frames.FromHost:
        """What an heir says to one that waits."""
        chance = self._chance
        match chance.randrange(7):
            case 0:
                return frames.WantFrame(self._index(), self._digest(), self._openings())
            case 1:
                return self.redirect(bytes(32), bytes(32))
            case 2 if self._room.replica.room_log.log.batches:
                return self._backfill()
            case 3:
                return frames.WelcomeFrame(bytes(1_200), 1)
            case 4:
                return frames.AskHostFrame()
            case _:
                return frames.HostLivesFrame()

    def request(self, secret: bytes, service: bytes, hello: bytes) -> AnyRequest:
        """Asks for a place that is not ours, or to meet."""
        replica = self._room.replica
        me, key = replica.me, replica.own_keys[0].public
        place = self._index(), self._digest(), self._openings()
        if self._chance.random() < 0.5:
            meet = MeetRequest(secret, me.id, self.address(), *place, bytes(64))
            return meeting.sign_meet(meet, service, hello, me)
        lost = self._chance.random() < 0.6
        resume = ResumeRequest(secret, me.id, key, replica.ledger.epoch, *place, lost, bytes(64))
        signature = me.sign_for(service, identity.RESUME, handshake.resume_content(hello, resume))
        return msgspec.structs.replace(resume, signature=signature)


class _Line:
    """A link of its own."""

    def __init__(self, service: bytes) -> None:
        self.service = service
        self.hello = b""
        self.channel: Channel | None = None
        self.said = 0


class Liar:
    """Plays a room as it is, with lies in between; a host does not lie, since all would leave it."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._chance = random.Random(room.replica.me.id)
        self._lies = Lies(room, self._chance)
        self._lines: dict[int, _Line] = {}
        self._dials = FIRST
        self._due_at = 0.0

    @property
    def over(self) -> bool:
        return self._room.over

    @property
    def hosting(self) -> bool:
        return self._room.hosting

    @property
    def _may_lie(self) -> bool:
        return self._room.entered and self._room.replica.has_keys and not (self._room.over or self._room.hosting)

    def handle_input(self, event: inputs.Input, now: inputs.Now) -> list[effects.Effect]:
        match event:
            case inputs.ReceivedInput(link=link, payload=payload) if link in self._lines:
                done = self._take(link, payload)
            case inputs.DroppedInput(link=link) | inputs.DialFailedInput(link=link) if link in self._lines:
                del self._lines[link]
                done = []
            case _:
                done = [it for effect in self._room.handle_input(event, now) for it in self._add_lie(effect)]
        if self._may_lie and now.tick >= self._due_at:
            self._due_at = now.tick + PAUSE
            self._dials += 1
            line = self._lines[-self._dials] = _Line(self._lies.address())
            done.append(effects.DialEffect(-self._dials, line.service, 15.0, returns=False, pause=0.0))
        return done

    def _add_lie(self, effect: effects.Effect) -> list[effects.Effect]:
        if not (isinstance(effect, effects.RecordEffect) and self._may_lie and self._chance.random() < SHARE):
            return [effect]
        lie = self._lies.as_member() if effect.link < 0 else self._lies.as_heir()
        return [effect, effects.RecordEffect(effect.link, (lie,))]

    def _take(self, link: int, payload: bytes) -> list[effects.Effect]:
        line = self._lines[link]
        try:
            if line.channel is None:
                return [effects.SendEffect(link, self._ask(line, payload))]
            line.channel.open_record(payload)
        except PeerFault:  # batches of the log
            line.said += 1
        line.said += 1
        if line.channel is None or line.said > SAID or not self._may_lie:
            return [effects.DropEffect(link, "closed")]
        moves = self._chance.random() < 0.5
        lie = self._lies.redirect(line.service, line.hello) if moves else self._lies.as_member()
        return [effects.SendEffect(link, line.channel.seal_frames([lie]))]

    def _ask(self, line: _Line, payload: bytes) -> bytes:
        hello, line.hello = handshake.read_hello(payload)
        request = self._lies.request(self._chance.randbytes(32), line.service, line.hello)
        line.channel = Channel(request.link_secret, line.hello, up=True)
        return handshake.seal_request(request, line.service, hello, line.hello, bytes(16))

    def next_deadline(self) -> float | None:
        return self._room.next_deadline()
