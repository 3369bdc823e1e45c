"""A host that scripts/fuzz runs against strangers, members, its user and a clock that do what the bytes say.

Beside them is the witness: an honest member who must never have a reason to distrust it. Signatures and seals are made
where the bytes say so, since nothing guesses one.
"""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import msgspec

from anonp2p import limits
from anonp2p.crypto import identity, padding, suite
from anonp2p.crypto.epoch import COMMIT, FLEETING, KEPT
from anonp2p.protocol import bodies, frames, handshake, meeting
from anonp2p.protocol.field_types import Opening
from anonp2p.protocol.handshake import Channel
from anonp2p.protocol.packing import pack
from anonp2p.protocol.requests import AnyRequest, Hello, JoinRequest, MeetRequest, ResumeRequest
from anonp2p.room import effects, events, inputs
from anonp2p.room.log.log import Log
from anonp2p.room.moderation_inputs import (
    AdmitInput,
    KickInput,
    KnockInput,
    LockInput,
    PurgeInput,
    RaidInput,
    RoleInput,
    SlowInput,
)
from anonp2p.room.room import Room
from tests.fuzz.source import KNOWN, NICKS, STEPS, TTLS, Source, expect_shown
from tests.room.peers import ANN, BOB, EVE, ROOM, ROOM_KEY, Sealer, Somebody, randomness
from tests.support.world import Link, Party, World, host_role, log_of, payloads

MOMENT = 0.002  # seconds: more than what a room does not wait for
SLOTS = 4 * limits.COVER_BACKLOG  # of cover: more than what waits at the end needs
PEOPLE = (ANN, BOB, EVE)
PROPER = ("ann", "ben", "eve", "witness")  # nicks that a user's interface lets through


def expect_bounded(room: Room, links: set[int], tick: float) -> None:
    """Nothing is kept of links, members and epochs that are gone, and no member is forgotten."""
    members = {member.id for member in room.replica.ledger.roster}
    role = host_role(room)
    presence, commits = role.presence, role.commits
    linked = {link.member for link in presence.links.values()}
    absent = set(presence.absences)
    assert set(presence.links) | role.gate.links | set(role.porter.knockers.links) <= links
    assert len(linked) == len(presence.links)
    assert room.over or members - {room.replica.me.id} <= linked | absent | commits.pending_removals
    assert linked | absent | set(presence.allowances) <= members
    assert room.outstanding == 0
    assert all(until <= tick + limits.COMMIT_SHARES for until in commits.secrets_kept_until)


def is_due(room: Room, ttl: int, time: int) -> bool:
    """Whether what was ordered at this time of the room has come to its end, if not just now."""
    seconds = limits.FLEETING if ttl == FLEETING else ttl
    return ttl != KEPT and time + seconds * 1000 < room.role.room_time()


def expect_expired(room: Room) -> None:
    """What its author does not want kept any longer is in the log no more."""
    for batch in log_of(room).batches:
        for entry in batch.entries:
            gone = not (entry.body or batch.wire)
            assert gone or not is_due(room, entry.ttl, batch.time), "something is kept for too long"


def find_living(log: Log, start: int) -> dict[int, tuple[int, int]]:
    """Of the entries from this index on that are still there: the ttl, and when they were ordered."""
    return {
        index: (log.find_entry(index).ttl, log.find_batch(index).time)
        for index in range(max(start, log.oldest), log.sealed_end)
        if log.find_entry(index).body
    }


@dataclass
class _Line:
    """A link of a false peer, whose end the fuzzer plays. greeting, hello: what it was greeted with."""

    link: Link
    who: Somebody
    greeting: Hello
    hello: bytes
    channel: Channel | None = None
    held: dict[int, tuple[int, int]] | None = None  # what was there of what is on its way to one who does not read


class _Fuzz:
    """A host with links of all kinds, and the witness: a real member, whose link loses nothing while it lasts."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.rules = source.rules()
        self.world = World()
        self.world.watchers.append(self._expect_honest)
        self.sealer = Sealer()
        self.false: list[_Line] = []
        self.up: Link | None = None  # the witness's
        self.kicked = False
        self.has_cover = False  # of the host or the witness
        self.over: list[Party] = []
        self.room = self._room(b"host", "host", "demo")
        self.host = self.world.add(self.room)
        self.do(inputs.PublishedInput(self.host.services[0]))
        self.witness = self.world.add(self._room(b"witness", "witness", None))
        self.redial()
        self.flush()
        assert self.witness.room.entered

    def _room(self, seed: bytes, nick: str, name: str | None) -> Room:
        retention, history = self.rules
        cover = self.source.below(4) == 3
        self.has_cover |= cover
        return Room(
            label="r1",
            key=ROOM,
            random=randomness(seed),
            nick=nick,
            room_key=None if name is None else ROOM_KEY,
            name=name or "",
            retention=retention,
            history=history,
            cover=cover,
        )

    def _expect_honest(self, party: Party, _: inputs.Input, done: list[effects.Effect]) -> None:
        """What holds after each input: what is told can be shown, and nobody honest is distrusted or cut off."""
        for event in [effect.event for effect in done if isinstance(effect, effects.TellEffect)]:
            expect_shown(event)
        acts = any(not isinstance(effect, effects.TellEffect) for effect in done)
        assert not (acts and party in self.over), "a room that is over still acts"
        assert len(party.got(events.GoneEvent)) == party.room.over
        self.over += [party] * party.room.over
        assert not party.got(events.AlarmEvent), "an honest host is distrusted"
        cut = {effect.link for effect in done if isinstance(effect, effects.DropEffect) and party.room.hosting}
        assert self.up is None or self.up.number not in cut, "an honest member is cut off"

    # --- the host and its links

    def do(self, step: inputs.Input) -> None:
        """The host takes an input; what is on its way arrives."""
        self.world.handle(self.host, step)
        self._arrive()

    def _arrive(self) -> None:
        self.world.deliver_all()
        if self.up is not None and not self.up.far.open:
            self.up = None

    def dial(self, who: Somebody) -> _Line:
        """A new link, on which a false peer is greeted. Each second one reads nothing of the log."""
        link = self.world.dial(self.host, None)
        self.world.write(link)
        link.near.stalls = link.number % 2 == 0
        content = link.far.inbox.popleft()
        assert content is not None
        line = _Line(link, who, *handshake.read_hello(content))
        self.false.append(line)
        self._arrive()
        return line

    def hears(self, line: _Line, payload: bytes) -> None:
        """The host hears this."""
        if line.link.near.open and not line.link.near.finishing:
            self.do(inputs.ReceivedInput(line.link.number, payload))

    def flush(self) -> None:
        """What is on its way arrives, until nothing is."""
        before = -1
        while before != self.world.deliveries:
            before = self.world.deliveries
            for link in [link for link in self.world.links if link.near.open]:
                self.world.write(link)
                assert not self.witness_lags, "an honest member lags"
            self._arrive()
        for line in self.false:
            reader = line.link.near.reader
            waits = line.link.near.stalls and line.link.near.connection.has_data_to_send
            if line.held is None and reader is not None and waits:
                line.held = find_living(log_of(self.room), reader.sent_up_to) if reader.is_through else {}

    @property
    def witness_lags(self) -> bool:
        """Whether the log has left the witness behind."""
        return self.up is not None and self.witness.unlucky

    # --- the witness

    def witness_does(self, step: inputs.Input) -> None:
        """The witness takes an input; what it sends arrives."""
        self.world.handle(self.witness, step)
        self._arrive()

    def lose(self, *, heard: bool = True) -> None:
        """The witness's link is gone. heard: whether the host knows."""
        link, self.up = self.up, None
        if link is None:
            return
        link.far.inbox.clear()
        self.world.cut_end(link.far)
        if heard:
            self._hang_up(link)
        self._arrive()

    def _hang_up(self, link: Link) -> None:
        """The host hears of the end of this link, and for how long it had heard nothing before."""
        link.near.cut = True
        self.world.handle(self.host, inputs.DroppedInput(link.number, "closed", self.source.pick(0.0, 1.0, 15.0)))

    def redial(self) -> None:
        """It dials again, if it has no link."""
        if self.up is None and not (self.witness.room.over or self.host.room.over):
            self.up = self.world.dial(self.host, self.witness)
            self.world.write(self.up)
            self._arrive()

    # --- what the bytes say

    def act(self) -> None:
        """Somebody does something."""
        source = self.source
        false = [line for line in self.false if line.link.near.open]
        match source.below(16):
            case 0 | 1 | 2:
                self._client_handshake(self.dial(source.pick(*PEOPLE)))
            case 3 | 4 | 5 | 6 | 7 if false:
                line = false[source.below(len(false))]
                if line.channel is not None and self.room.replica.ledger.roster.find_member(line.who.id):
                    more = source.odd(4)
                    self._send(line, *(frames.SubmitFrame(*self._entry(line.who)) for _ in range(1 + more)))
                elif line.channel is not None:
                    self._send(line)  # it waits, perhaps
            case 8 if false:
                line = false[source.below(len(false))]
                self._send_oddly(line)
            case 9 if false:
                line = false[source.below(len(false))]
                self._hang_up(line.link)
                self.world.cut_end(line.link.far)
                self._arrive()
            case 10:
                self._wait()
            case 11:
                self._host_types()
            case 12 | 13:
                words = inputs.SayInput(source.text() or "x", bool(source.below(2)))
                rest = (inputs.RenameInput(source.pick(*PROPER)), inputs.AskInput("/who"), inputs.LeaveInput(now=True))
                self.witness_does(source.pick(words, words, words, words, words, *rest, *self._typed()))
            case 14:
                self.lose(heard=bool(source.below(2)))
            case 15:
                self.redial()

    def _typed(self) -> tuple[inputs.Typed, ...]:
        """What members and the host may type."""
        source = self.source
        nick = source.pick(*PROPER, "host")
        return (
            inputs.WhisperInput(nick, source.text() or "x"),
            inputs.RetainInput(source.pick(*TTLS, None)),
            inputs.VerifyInput(nick),
        )

    def _send(self, line: _Line, *said: frames.Frame) -> None:
        assert line.channel is not None
        for payload in payloads(line.channel.seal_frames(said, echo=bool(self.source.odd(2)))):
            self.hears(line, payload)

    def _send_oddly(self, line: _Line) -> None:
        """Any frames, or none; a record that is none; any bytes."""
        source = self.source
        if line.channel is None:
            self.hears(line, source.take(source.below(256)))
            return
        said = [source.made(frames.FromMember) for _ in range(source.below(3))]
        match source.below(4):
            case 0 | 1:
                self._send(line, *said)
            case 2:
                record = pack(frames.MemberRecord(bool(source.below(2)), said * source.pick(1, 20)))
                text = source.pick(
                    padding.fill_payload(source.edited(record), suite.TAG),
                    source.edited(padding.pad_text(record, 60_000)),
                )
                self.hears(line, line.channel.seal_padded(text))
            case 3:
                self.hears(line, source.take(source.below(256)))

    def _client_handshake(self, line: _Line) -> None:
        """A Join, Resume or Meet; right, or with something changed; or something else; or nothing yet."""
        source, ledger, who = self.source, self.room.replica.ledger, line.who
        link, key = bytes([line.link.number % 256]) * 32, who.encryption_key.public
        request: Any
        if (kind := source.below(4)) == 3:
            request = meeting.sign_meet(self._meet(who, link), ROOM, line.hello, who)
        elif kind < 2:
            join = JoinRequest(link, who.key, key, source.pick(*NICKS, *PROPER, source.text()), bytes(64))
            signature = who.sign(identity.JOIN, handshake.join_content(line.hello, join))
            request = msgspec.structs.replace(join, signature=signature)
        else:
            index = source.pick(ledger.index, max(0, ledger.index - source.below(16)), source.below(256), 2**53 - 1)
            digest = source.pick(ledger.digest_at(index) or bytes(32), source.take(32).ljust(32, b"\0"))
            epoch = self.room.replica.current_epoch.number + source.pick(0, 1)
            resume = ResumeRequest(
                link,
                who.id,
                key,
                max(0, epoch - source.pick(0, 1)),
                index,
                digest,
                list(ledger.openings),
                False,
                bytes(64),
            )
            signature = who.sign(identity.RESUME, handshake.resume_content(line.hello, resume))
            request = msgspec.structs.replace(resume, signature=signature)
        match source.odd(5):
            case 1:
                request = source.made(AnyRequest)
            case 2:
                self.hears(line, source.take(source.below(256)))
                return
            case 3:
                return
            case 4:
                name = source.pick(*request.__struct_fields__)
                request = msgspec.structs.replace(request, **{name: getattr(source.made(type(request)), name)})
        try:
            ticket = source.pick(bytes(16), *(it.channel.ticket for it in self.false[-4:] if it.channel))
            payload = handshake.seal_request(request, ROOM, line.greeting, line.hello, ticket)
        except ValueError:  # it does not fit
            return
        line.channel = Channel(request.link_secret, line.hello, up=True)
        self.hears(line, payload[padding.LENGTH :])
        if isinstance(request, MeetRequest) and source.below(2):
            number, host = request.openings[-1].term
            log = request.index, request.digest, request.openings
            where = frames.Where(number, host, request.address, *log, source.made(list[frames.SignedEntry]))
            self._send(line, meeting.sign_redirect(where, ROOM, line.hello, who))

    def _meet(self, who: Somebody, link: bytes) -> MeetRequest:
        """Of one that hosts a term after this log, or follows another one."""
        source, ledger = self.source, self.room.replica.ledger
        index = max(0, ledger.index - source.below(4))
        digest = ledger.digest_at(index) or bytes(32)
        opening = Opening(source.pick(4, 5, 300), who.id, index + 1, bytes(32), source.below(2) * (index + 1))
        openings = [*ledger.openings, *([opening] * source.below(2))]
        return MeetRequest(link, who.id, ROOM, index + source.below(3), digest, openings, bytes(64))

    def _entry(self, who: Any) -> tuple[int, bytes]:
        """An entry, right or with something changed, and the epoch it is submitted in."""
        source, room = self.source, self.room
        self.sealer.epoch = room.replica.current_epoch
        self.sealer.reference = room.replica.ledger.index, room.replica.ledger.digest
        self.sealer.know_chains()
        generation = self.sealer.generations[who.id]
        epoch, counter = room.replica.current_epoch.number, room.replica.ledger.get_member(who.id).counter + 1
        body = self._body(who, counter)
        is_message = isinstance(body, bodies.TextBody | bodies.PrivateBody)
        otherwise: dict[str, Any] = {"ttl": room.replica.ledger.retention.default if is_message else KEPT}
        author = who
        match source.odd(12):
            case 1:
                others = [member.id for member in room.replica.ledger.roster]
                author = SimpleNamespace(id=source.pick(*others, *(it.id for it in PEOPLE)), sign=who.sign)
            case 2:
                counter = source.pick(counter - 1, counter + source.below(256), 2**53 - 1)
            case 3 | 4:
                generation += source.pick(1, 100, limits.SKIPPED, limits.SKIPPED + 1, -1, 2**32 - 1 - generation)
                otherwise["generation"] = generation = max(0, generation)
                if generation == 2**32 - 1:
                    self.sealer.links[who.id] = generation, bytes(32)
            case 5:
                otherwise["kind"] = source.pick(COMMIT, 2)
            case 6:
                otherwise["signer"] = source.pick(*PEOPLE)
            case 7:
                otherwise["epoch"] = epoch + source.pick(1, 2)
            case 8:
                index = source.pick(room.replica.ledger.index + 1, source.below(256), 0, 2**53 - 1)
                digest = source.pick(
                    room.replica.ledger.digest_at(index) or bytes(32), bytes(32), self.sealer.reference[1]
                )
                otherwise["reference"] = index, digest
            case 9:
                body = source.pick(source.take(source.below(64)), source.edited(pack(body)))
            case 10:
                epoch = source.pick(epoch + 1, max(0, epoch - 1), 2**53 - 1)
            case 11:
                otherwise["ttl"] = source.pick(*TTLS, KEPT - 1)
        return epoch, self.sealer.entry(author, body, counter=counter, **otherwise).sealed

    def _body(self, who: Any, counter: int) -> Any:
        source = self.source
        match source.below(8):
            case 4:
                return bodies.NickBody(source.pick(*PROPER, *NICKS))
            case 5 | 6:
                return source.made(bodies.Body)
            case 3:
                room, text = self.room, source.take(source.below(8))
                recipient: Any = SimpleNamespace(id=source.pick(room.replica.ledger.host, *(it.id for it in PEOPLE)))
                return self.sealer.box(who, recipient, room.replica.own_keys[0], text, counter=counter)
            case 7:
                return bodies.LeaveBody()
            case 2:
                return self._moderating()
        return bodies.TextBody(source.text() or "x", action=False, reply=None)

    def _moderating(self) -> bodies.Body:
        """What takes a moderator, about somebody."""
        source, member = self.source, self.source.pick(*(it.id for it in self.room.replica.ledger.roster))
        body: bodies.Body = source.pick(
            bodies.RoleBody(member, source.pick("moderator", "muted", "member")),
            bodies.RemoveBody([member], "", ban=bool(source.below(2))),
            bodies.LockBody(bool(source.below(2))),
            bodies.RaidBody(bool(source.below(2))),
            bodies.SlowBody(source.pick(0, 1, 10)),
            bodies.KeepBody(member),
            bodies.UnbanBody(member),
        )
        self.kicked |= isinstance(body, bodies.RemoveBody)
        return body

    def _host_types(self) -> None:
        source = self.source
        kick = KickInput(source.pick(*PROPER, "host"), source.text())
        lock = LockInput(bool(source.below(2)))
        rename = inputs.RenameInput(source.pick("host", *PROPER))
        said = inputs.SayInput(source.text() or "x")
        typed = source.pick(said, kick, kick, lock, rename, inputs.AskInput("/who"), *self._typed())
        match source.below(32):
            case 31:
                typed = inputs.LeaveInput(close=True)
            case 30 | 29 as drawn:
                typed = KnockInput(on=drawn == 30)
            case 28 | 27 as drawn:
                typed = AdmitInput(kick.nick, admitted=drawn == 28)
            case 26 | 25 | 24 as drawn:
                role, command = {26: ("moderator", "/op"), 25: ("muted", "/mute"), 24: ("member", "/unmute")}[drawn]
                typed = RoleInput(kick.nick, role, command)  # type: ignore[arg-type]
            case 23:
                typed = RaidInput(on=bool(source.below(2)))
            case 22:
                typed = SlowInput(source.pick(0, 1, 10))
            case 21:
                typed = PurgeInput(source.below(256))
        self.kicked |= isinstance(typed, KickInput | PurgeInput)
        self.do(typed)

    def _wait(self) -> None:
        """Time passes, perhaps as far as somebody's next deadline, or over several of them."""
        self.flush()
        if self.has_cover:
            self._let_slots_pass()  # else it is as if the machine had slept, which a link need not outlive
        dues = [due for party in (self.host, self.witness) if (due := party.room.next_deadline()) is not None]
        tick = self.world.tick
        ahead = self.source.pick(min(dues, default=tick), tick + 1, tick + limits.COMMIT_PAUSE)
        further = self.source.pick(0.0, 0.0, 0.0, limits.AWAY_SECONDS, limits.PLACE_SECONDS, limits.EPOCH)
        self.world.tick = max(tick, ahead + further)
        self.world.slept += self.source.pick(0.0, 0.0, 0.0, 30.0, 3_600.0)
        self._do_due_work()
        if not self.host.room.over:
            expect_expired(self.room)
            for held in [line.held for line in self.false if line.link.near.open and line.held is not None]:
                over = [index for index, lives in held.items() if is_due(self.room, *lives)]
                assert not over, "something that has come to its end is on its way"

    def _let_slots_pass(self) -> None:
        """With cover, what waits goes in slots, and in their answers."""
        for _ in range(SLOTS):
            self.world.tick += limits.COVER_INTERVAL
            self._do_due_work()
            self.flush()

    def _do_due_work(self) -> None:
        """Host and witness do what is due."""
        host, witness = (self.host, self.do), (self.witness, self.witness_does)
        for party, take in (host, witness, host):  # again: it may only see by what it hears how long it has slept
            self.world.tick += MOMENT
            for _ in range(STEPS):
                due = party.room.next_deadline()
                if due is None or due > self.world.tick:
                    break
                take(inputs.TickInput())
                self.world.end_batch(self.host)
            else:
                raise AssertionError("a deadline that does not pass")

    # --- what has to hold

    def expect_sound(self) -> None:
        """The witness, linked again, has seen what the host has, and nothing of its own is left."""
        if not self.host.room.over:
            self.do(KnockInput(on=False))  # else the witness may have to wait
        for _ in range(4):
            self.flush()
            self.redial()
        self.flush()
        self._let_slots_pass()
        if not self.host.room.over:
            expect_bounded(self.room, {link.number for link in self.world.links if link.near.open}, self.world.tick)
            assert self.up is not None or self.witness.room.over
            assert self.up is None or self.witness.room.outstanding == 0, "something got lost"
        gone = next(iter(self.witness.got(events.GoneEvent)), None)
        assert gone is None or gone.reason != "lost"
        assert gone is None or gone.reason != "kicked" or self.kicked
        hosts, shown = (
            [
                (it.seq, it.member, it.nick, it.text, it.action, it.ttl)
                for it in who.got(events.MessageEvent)
                if not it.private
            ]
            for who in (self.host, self.witness)
        )
        assert shown == [it for it in hosts if it in shown], "messages that the host did not order"
        is_cut_off = self.host.room.over and self.up is None  # a room that ended while the witness had no link
        if gone is None and len(self.witness.got(events.EnteredEvent)) == 1 and not is_cut_off:
            missing = [it for it in hosts if it not in shown]
            assert all(ttl is not None for *_, ttl in missing), "a message is missing"


def host(data: bytes) -> None:
    """A host and whatever peers may send it: nothing but their own links suffers, and what it orders is in order."""
    fuzz = _Fuzz(Source(data, KNOWN))
    for _ in range(STEPS):
        if not fuzz.source.more or fuzz.host.room.over:
            break
        fuzz.act()
        if fuzz.source.below(2):
            fuzz.flush()
    fuzz.expect_sound()


def _seeds() -> list[bytes]:
    def join(who: int) -> bytes:
        return bytes([0, who, 0, 0, 7 + who, 0, 0, 1])

    def say(line: int, *rest: int) -> bytes:
        return bytes([3, line, 0, 0, 1, 0x78, *rest, 0, 1])

    def types(nick: int, ttl: int, what: int) -> bytes:
        return bytes([12, 0, 0, 0, nick, 1, 0x77, ttl, what, 1])

    def hosts(whom: int, what: int, nick: int = 0, ttl: int = 0, closes: int = 0) -> bytes:
        return bytes([11, whom, 0, 1, 0, 0, nick, 1, 0x77, ttl, what, closes, 1])

    def frame(*made: int) -> bytes:
        return bytes([8, 0, 1, *made, 0, 1, 1])

    said, lost, redials = bytes([12, 1, 0x79, 0, 0, 0, 0, 0, 0, 1]), bytes([14, 1, 0, 0]), bytes([15, 1])
    resume = bytes([0, 0, 2, 0, 0, 0, *bytes(32), 0, 0, 0, 0, 1])
    meet = bytes([0, 0, 3, 0, 1, 0, 1, 1, 0, 0, 1, 0, 1])
    leave, nick, drop = bytes([3, 0, 0, 7, 0, 0, 1]), bytes([3, 0, 0, 4, 1, 0, 0, 1]), bytes([9, 0, 0, 1])
    kick, kick_witness, lock, close = hosts(0, 1), hosts(3, 1), hosts(0, 3), hosts(0, 0, closes=31)
    commit, away, gone, later, pause, sleep = (
        bytes([10, *time, 1]) for time in ((0, 5, 0), (0, 3, 0), (0, 4, 0), (0, 0, 0), (2, 0, 0), (0, 0, 3))
    )
    rename, asks = bytes([12, 0, 0, 1, 0, 0, 0, 5, 1]), bytes([12, 0, 0, 0, 0, 0, 0, 6, 1])
    whisper, verify, hosts_whisper = types(4, 0, 8), types(4, 0, 10), hosts(0, 6, nick=3)
    knock, no_knock, admit, refuse = (hosts(0, 0, closes=drawn) for drawn in (30, 29, 28, 27))  # the last two: of Ann
    there = bytes([3, 0, 0, 1])
    boxed = bytes([3, 0, 0, 3, 1, 0x77, 0, 0, 0, 1])
    stray, key, seek = frame(0, *bytes(7), 3, 1, 2, 3), frame(1, 1), frame(2, 2)
    skips, many = bytes([3, 0, 0, 4, 3, 15, 1, 0, 1]), bytes([3, 0, 7, *([0, 1, 0x78, 0] * 4), 0, 1])
    both = join(0) + join(1) + say(0, 0) + say(1, 0) + said
    talks = [
        both + nick * 8 + rename + asks + kick + say(0, 0) + later * 3 + said + kick_witness,
        both + lost + say(0, 0) + redials + said + lost + kick + redials + said + close,
        both + leave + join(0) + say(0, 0) + lock * 2 + join(2) + lost + pause + redials + commit + say(0, 0) + said,
        both + drop + resume + say(1, 0) + drop + away + resume + drop + away + join(0) + drop + gone + resume + said,
        both + key + seek + skips * 2 + many + say(0, 0) + nick + leave + said,
        knock + join(0) + there + join(1) + admit + say(0, 0) + said + join(1) + no_knock + said,
        knock + join(0) + refuse + join(1) + there * 2 + drop + join(0) + pause * 3 + lock + no_knock + lock * 2 + said,
        both + whisper * 3 + boxed + hosts_whisper + verify + lost + hosts_whisper + redials + commit + whisper,
        both + lost + many + sleep + redials + many + lost + commit + hosts(0, 0) + away + redials + said,
        both + many * 3 + lost + gone + said + redials + join(2) + said + lost + redials + sleep + said,
        both + b"".join(types(0, ttl, 9) + said + hosts(0, 7, ttl=ttl) + hosts(0, 0) + sleep for ttl in range(4)),
    ]
    return [
        *(
            bytes([rules, covers, covers]) + talk
            for rules, covers in ((0, 0), (1, 3), (2, 0), (3, 3))
            for talk in talks
        ),
        *(bytes([rules, 0, 0]) + join(0) + said + (sleep + said) * 3 for rules in (2, 3, 4)),
        *(
            bytes(3) + more
            for more in (
                join(0)
                + say(0, 15, 1)
                + leave
                + join(0)
                + skips[:6]
                + bytes([2, 0, 1])
                + say(0, 15, 1)
                + pause
                + join(0),
                both + meet + said + lost + meet * 3 + redials + said,
                both + stray + said + pause * 2 + say(0, 0) + said,
                both + lost + kick + gone + redials + said + commit + say(0, 0) + nick,
                *(both + say(0, wrong, pick, pick, pick, pick) + said for wrong in range(13, 24) for pick in (0, 1, 2)),
                *(both + bytes([8, 0, 1, 1, 1, odd, *pick]) + said for odd in (2, 3) for pick in ([0] * 12, [1] * 12)),
            )
        ),
    ]


SEEDS = _seeds()
