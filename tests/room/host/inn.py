"""A host's real room, and members and strangers that a test plays."""

from collections.abc import Sequence
from typing import Any

import msgspec

from anonp2p.crypto import commit, identity
from anonp2p.crypto.identity import Identity
from anonp2p.crypto.padding import LENGTH
from anonp2p.protocol import bodies, credentials, frames, handshake, room_state, welcome
from anonp2p.protocol.batches import Batch
from anonp2p.protocol.handshake import Channel
from anonp2p.protocol.packing import unpack
from anonp2p.protocol.requests import JoinRequest, ResumeRequest
from anonp2p.room import effects, inputs
from anonp2p.room.contents import unpack_content
from anonp2p.room.log.log import LogEntry
from anonp2p.room.log.reader import LogReader
from anonp2p.room.retention import ANY, NO_HISTORY
from anonp2p.room.room import Room
from tests.room.peers import ANN, EVE, ROOM, ROOM_KEY, Placed, Sealer, Somebody, kinds, randomness
from tests.support.world import START, World, log_of, payloads


class Inn:
    """A host's real room, with false members in it: Ann on link 1, Eve on link 2."""

    def __init__(
        self, *, retention: room_state.RetentionPolicy = ANY, history: room_state.HistoryPolicy = NO_HISTORY
    ) -> None:
        self.random = randomness(b"members")
        self.room = Room(
            label="r1",
            key=ROOM,
            random=randomness(b"inn"),
            nick="hugo",
            room_key=ROOM_KEY,
            name="demo",
            retention=retention,
            history=history,
        )
        self.world = World()
        self.party = self.world.add(self.room)
        self.tick = 0.0
        self.host = self.room.replica.me
        self.log = log_of(self.room)
        self.ann, self.eve = FalseMember(self, ANN), FalseMember(self, EVE)
        for member, nick in ((self.ann, "ann"), (self.eve, "eve")):
            member.dials()
            assert kinds(member.joins(nick)) == ["TellEffect", "AdmitEffect"]
        self.end_batch()
        self.before = self.log.end

    def takes(self, step: inputs.Input, tick: float = 0.0) -> list[effects.Effect]:
        """What it wants done about this step, but for waking its links."""
        self.tick = tick
        self.world.tick = START + tick
        return [effect for effect in self.world.handle(self.party, step) if not isinstance(effect, effects.WakeEffect)]

    def end_batch(self, tick: float = 0.0) -> None:
        """What it has ordered goes out."""
        self.world.tick = START + tick
        self.world.end_batch(self.party)

    def ticks(self, tick: float) -> list[effects.Effect]:
        """It does all that is due until then, and not a moment before it is due."""
        done = []
        while (deadline := self.room.next_deadline()) is not None and deadline <= START + tick:
            done += self.takes(inputs.TickInput(), deadline - START)
            self.end_batch(deadline - START)
        self.tick = tick
        return done

    def ordered(self) -> list[bodies.Body]:
        """What was ordered since the two came in."""
        return [unpack_content(self.placed(at).body).body for at in range(self.before, self.log.end)]

    def placed(self, at: int) -> LogEntry:
        """The entry with this index, whether a head covers it yet or not."""
        return self.log.find_entry(at)


class FalseMember:
    """One who dials an inn: as a stranger, and once it is let in as a member.

    It takes what the inn wants sent from the effects, not from its link, so that a test may read the log apart.
    """

    def __init__(self, inn: Inn, who: Somebody) -> None:
        self.inn = inn
        self.sealer = Sealer()
        self.who = who
        self.greeted: list[Any] = []
        self.reader: LogReader | None = None
        self.link = 0
        self.sealer.counters = {who.id: 0}
        self.refused: str | None = None
        self.is_held = False  # whether it was told to wait
        self.ticket = bytes(16)  # that it shows

    def dials(self, tick: float = 0.0) -> None:
        """A new link, on which it is greeted."""
        self.inn.tick, self.inn.world.tick = tick, START + tick
        link = self.inn.world.dial(self.inn.party, None)
        self.link = link.number
        self.refused, self.is_held = None, False
        [payload] = link.near.take_output()
        self.greeting, self.hello = handshake.read_hello(payload)

    # --- knocks

    def join(self, nick: str, *, signer: Identity | None = None, hello: bytes | None = None, **fields: Any) -> Any:
        """A Join that is right but where the arguments are not. fields: what was signed otherwise than it is sent."""
        link = self.inn.random(32)
        unsigned = JoinRequest(link, self.who.key, self.who.encryption_key.public, nick, bytes(64))
        content = handshake.join_content(hello or self.hello, unsigned)
        signed = msgspec.structs.replace(unsigned, signature=(signer or self.who).sign(identity.JOIN, content))
        return msgspec.structs.replace(signed, **fields)

    def resume(
        self,
        index: int,
        digest: bytes,
        epoch: int = 0,
        *,
        signer: Identity | None = None,
        hello: bytes | None = None,
        label: bytes = identity.RESUME,
        **fields: Any,
    ) -> Any:
        """The same of a Resume."""
        link, openings = self.inn.random(32), list(self.inn.room.replica.ledger.openings)
        unsigned = ResumeRequest(
            link, self.who.id, self.who.encryption_key.public, epoch, index, digest, openings, False, bytes(64)
        )
        content = handshake.resume_content(hello or self.hello, unsigned)
        signed = msgspec.structs.replace(unsigned, signature=(signer or self.who).sign(label, content))
        return msgspec.structs.replace(signed, **fields)

    def client_handshakes(
        self, request: Any, *, room: bytes = ROOM, hello: bytes | None = None
    ) -> list[effects.Effect]:
        """It asks; what the inn wants done about it."""
        self.client_handshake = handshake.seal_request(request, room, self.greeting, hello or self.hello, self.ticket)[
            LENGTH:
        ]
        self.secret = request.link_secret
        self.channel = Channel(request.link_secret, self.hello, up=True)
        return self.takes_in(self.inn.takes(inputs.ReceivedInput(self.link, self.client_handshake), self.inn.tick))

    def joins(self, nick: str, **otherwise: Any) -> list[effects.Effect]:
        return self.client_handshakes(self.join(nick, **otherwise))

    def resumes(self, index: int, digest: bytes, epoch: int = 0, **otherwise: Any) -> list[effects.Effect]:
        return self.client_handshakes(self.resume(index, digest, epoch, **otherwise))

    def takes_in(self, done: list[effects.Effect]) -> list[effects.Effect]:
        """Reads what it is sent when it is let in, or is not."""
        for effect in done:
            if isinstance(effect, effects.SendEffect) and effect.link == self.link:
                for frame in [frame for payload in payloads(effect.data) for frame in self._open(payload)]:
                    assert isinstance(frame, frames.HeldFrame), "all else that one is told who waits is that we live"
                    credentials.check_hold(frame, self.hello, ROOM)
                    self.is_held = True
            elif isinstance(effect, effects.AdmitEffect) and effect.link == self.link:
                self.reader = effect.reader
                self.admitted = effect.channel.seal_frames(effect.frames)
                self.greeted = [frame for payload in payloads(self.admitted) for frame in self._open(payload)]
                if self.greeted and isinstance(self.greeted[0], frames.WelcomeFrame):
                    self.welcomed(self.greeted[0], self.greeted[1:])
            elif isinstance(effect, effects.FinishEffect) and effect.link == self.link and effect.data:
                [refused] = [frame for payload in payloads(effect.data) for frame in self._open(payload)]
                assert isinstance(refused, frames.RefusedFrame)
                self.refused = refused.reason
        return done

    def _open(self, payload: bytes) -> Sequence[frames.Frame]:
        return self.channel.open_record(payload).frames

    def welcomed(self, box: frames.WelcomeFrame, pages: list[Any]) -> None:
        arrival = welcome.WelcomeReader(box, self.who.encryption_key, ROOM, self.hello)
        *_, state = (arrival.take_page(page) for page in pages)
        assert state is not None
        self.state = state
        self.sealer.epoch = welcome.make_epoch(state)
        self.sealer.reference = int.from_bytes(state.head[:8], "big"), state.head[8:40]
        self.sealer.know_chains()

    # --- records

    def sends(self, *said: frames.Frame | bytes, echo: bool = False) -> list[effects.Effect]:
        """Frames in a record, or a payload as it is."""
        if len(said) == 1 and isinstance(said[0], bytes):
            sent = [said[0]]
        else:
            sent = payloads(self.channel.seal_frames(said, echo=echo))  # type: ignore[arg-type]
        return [
            effect
            for payload in sent
            for effect in self.inn.takes(inputs.ReceivedInput(self.link, payload), self.inn.tick)
        ]

    def submits(self, entry: Placed, *, epoch: int | None = None) -> list[effects.Effect]:
        """An entry, sealed by whomever, on this link."""
        return self.sends(frames.SubmitFrame(self.sealer.epoch.number if epoch is None else epoch, entry.sealed))

    def says(self, body: bodies.Body | bytes, **otherwise: Any) -> list[effects.Effect]:
        """Something of its own."""
        return self.submits(self.sealer.entry(self.who, body, **otherwise))

    def answers(self, done: list[effects.Effect]) -> list[frames.Frame]:
        """The frames that go to it alone."""
        records = [it for it in done if isinstance(it, effects.RecordEffect) and it.link == self.link]
        return [frame for record in records for frame in record.frames]

    def denials(self, done: list[effects.Effect]) -> list[tuple[int, str]]:
        """What of them is a denial."""
        return [(it.counter, it.reason) for it in self.answers(done) if isinstance(it, frames.DeniedFrame)]

    def reads(self) -> list[bytes]:
        """The payloads that its link brings it of the log."""
        assert self.reader is not None
        return payloads(b"".join(iter(self.reader.take_data, b"")))

    def batches(self) -> list[Batch]:
        """The same as batches of the present epoch, of which all have to be."""
        opened = map(self.sealer.epoch.open_batch, self.reads())
        return [unpack(Batch, packed or b"") for packed in opened]

    def follows(self) -> None:
        """Reads the log, and goes along with the commits in it."""
        for payload in self.reads():
            if self.sealer.epoch.open_batch(payload) is None:
                committed, sliced = self.channel.open_record(payload).frames
                assert isinstance(committed, frames.BackfillFrame)
                assert isinstance(sliced, frames.CommitShareFrame)
                number = self.sealer.epoch.number + 1
                turn = next(
                    it.commit_secret
                    for it in self.inn.log.batches
                    if it.commit_secret and it.commit_secret.epoch == number
                )
                secret, _ = commit.open_share(
                    sliced.box, self.who.encryption_key, ROOM, self.who.id, number, turn.digest
                )
                members = [it.id for it in self.inn.room.replica.ledger.roster]
                self.sealer.follow(secret, turn.digest, members)
                self.sealer.reference = int.from_bytes(committed.head[:8], "big"), committed.head[8:40]

    def missed(self) -> list[Any]:
        """The same as frames in records, in which all have to be."""
        return [frame for payload in self.reads() for frame in self.channel.open_record(payload).frames]
