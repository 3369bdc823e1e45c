"""A member that scripts/fuzz runs against a host, its user and a clock that do what the bytes say.

Signatures and seals are made where the bytes say so, since nothing guesses one.
"""

from collections.abc import Sequence
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import msgspec

from anonp2p import limits
from anonp2p.crypto import identity, padding, suite
from anonp2p.crypto.epoch import COMMIT, FLEETING, KEPT
from anonp2p.errors import PeerFault
from anonp2p.protocol import bodies, frames, room_state
from anonp2p.protocol.batches import BackfilledEntry, Tombstone
from anonp2p.protocol.packing import pack
from anonp2p.protocol.requests import VERSION, Hello, JoinRequest, ResumeRequest
from anonp2p.room import effects, events, inputs
from anonp2p.room.contents import unpack_content
from anonp2p.room.member.head_check import Head
from anonp2p.room.moderation_inputs import KickInput
from tests.fuzz.source import KNOWN, STEPS, TTLS, Source, expect_shown
from tests.room.member.false_host import DIGEST, FalseHost
from tests.room.peers import ANN, BOB, EVE, HOST, Placed

KEYS = {suite.hash_data(who.encryption_key.public): who.encryption_key.public for who in (ANN, BOB, EVE, HOST)}


class _Liar:
    """A host that says whatever the bytes say, rightly signed where they say so, and a real room as its guest."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.was_over = False
        self.linked = False
        self.admitted = False  # whether the guest speaks in records on this link
        self.turned = False  # whether a commit has its place, and its commit share was not sent yet
        self.alarms = self.gone = self.seq = 0
        self.key = b""
        self.said: set[tuple[str, str]] = set()  # what was signed, by its author
        self.typed: set[str] = set()  # what the guest has said itself
        self.living: set[int] = set()  # messages that it was shown, and that will expire
        self.sought: list[bytes] = []  # leaves that it wants to see
        self.theirs: list[Placed] = []  # what the guest wants ordered
        self.heard: list[Placed] = []
        retention, history = source.rules()
        self.host = FalseHost(source.pick("me", ""), retention=retention, history=history)
        self.host.watch = self._watch
        if source.odd(8) == 7:
            self.host.ledger.start_at(source.pick(2**53 - 2, 2**64 - 2), DIGEST)

    def _watch(self, step: inputs.Input, shown: list[events.Event]) -> None:
        """Looks at what the guest tells about a step, and reads what it sends."""
        assert not self.was_over or len(shown) == len(self.host.effects), "a room that is over still acts"
        self.was_over = self.host.room.over
        if isinstance(step, inputs.SayInput | inputs.WhisperInput):
            self.typed.add(step.text)
        for event in shown:
            expect_shown(event)
            if isinstance(event, events.AlarmEvent):
                assert self.host.room.over or event.reason.code != "host-fault", "a host that lies is not left"
            elif isinstance(event, events.MessageEvent):
                self._expect_proper(event)
            elif isinstance(event, events.ExpiredEvent):
                self.living.remove(event.seq)
            self.gone += isinstance(event, events.GoneEvent)
        assert self.gone == self.host.room.over
        assert not (self.host.room.over and self.living), "messages that do not end with the room"
        self._read()

    def _expect_proper(self, message: events.MessageEvent) -> None:
        assert message.seq > self.seq, "messages out of order"
        self.seq = message.seq
        if message.mine:
            assert message.text in self.typed, "a message of our own that nobody typed"
        else:
            assert (message.member, message.text) in self.said, "a message that its author did not sign"
        if message.ttl not in (None, FLEETING):
            self.living.add(message.seq)

    def _read(self) -> None:
        self.admitted |= any(isinstance(effect, effects.AdmitEffect) for effect in self.host.effects)
        if self.linked and self.admitted:
            for frame in self.host.spoken():
                self._take_in(frame)
        for effect in self.host.effects:
            if isinstance(effect, effects.DropEffect):
                self.linked = False
                self.host.takes(inputs.DroppedInput(self.host.end.number, effect.reason, 1.0))
                break

    @property
    def _has_ended(self) -> bool:
        """Whether the guest has ended the link, or is out."""
        return self.host.room.over or not self.linked

    def _take_in(self, frame: frames.Frame) -> None:
        match frame:
            case frames.KeyFrame(encryption_key=key):
                self.key = key
            case frames.KeyRequestFrame(key_hash=sought):
                self.sought.append(sought)
            case frames.SubmitFrame(epoch=epoch, entry=entry) if epoch == self.host.sealer.epoch.number:
                with suppress(AssertionError):  # the keys that we gave were not right
                    self.theirs.append(self.host.sealer.opened(entry))
                    self._note(self.theirs[-1])

    def _note(self, entry: Placed) -> None:
        """Its author has signed it."""
        with suppress(PeerFault):
            content = unpack_content(entry.body)
            if isinstance(content.body, bodies.TextBody):
                self.said.add((identity.spell_member(entry.header.author), content.body.text))

    # --- what the bytes say

    def act(self) -> None:
        """The host, the user, the network or the clock does something."""
        source = self.source
        what = source.below(16)
        if not self.linked and what < 12:
            self._greet()
            return
        match what:
            case 0 | 1:
                self._let_in()
            case 2:
                self.host.hears(
                    self.host.resumed(self.host.ledger.index + source.odd(3), self.host.time + source.odd(3))
                )
            case 3 | 4 | 5:
                self._order(*(self._entry() for _ in range(1 + source.odd(4))))
            case 6 if self.theirs:
                self._order(self.theirs.pop(source.odd(len(self.theirs))))
            case 7 if self.heard:
                self._order(source.pick(*self.heard))
            case 8:
                self._head()
            case 9:
                self._commit()
            case 10:
                self._say_frames()
            case 11:
                self._say_oddly()
            case 12 | 13:
                self._type()
            case 14 if self.linked:
                self.linked = False
                self.host.takes(inputs.DroppedInput(self.host.end.number, "closed", 1.0))
            case 15:
                due = self.host.room.next_deadline()
                now = self.host.now
                tick = max(now.tick, source.pick(due or now.tick, now.tick + 1))
                self.host.now = now._replace(tick=tick, slept=now.slept + source.pick(0.0, 0.0, 30.0, 3_600.0))
                if due is not None and due <= tick:
                    self.host.takes(inputs.TickInput())

    def _type(self) -> None:
        source = self.source
        said = source.pick(inputs.SayInput(source.text() or "x"), inputs.RenameInput("bea"), inputs.AskInput("/who"))
        nick = source.pick("ann", "host", "bob", "me")
        whisper = inputs.WhisperInput(nick, source.text() or "x")
        rest = (
            inputs.LeaveInput(),
            KickInput("ann"),
            whisper,
            inputs.RetainInput(source.pick(*TTLS, None)),
            inputs.VerifyInput(nick),
        )
        self.host.takes(source.pick(said, said, said, said, *rest))

    def _say_frames(self) -> None:
        """Frames to the guest alone, some of which it may expect."""
        source = self.source
        said: list[frames.Frame] = []
        for _ in range(1 + source.odd(3)):
            made = source.made(frames.FromHost)
            denied = frames.DeniedFrame(source.below(8), source.pick("nick-taken", "repeated", "too-often"))
            sought = source.pick(*self.sought, bytes(32))
            answer = frames.KeyResponseFrame(KEYS[sought]) if sought in KEYS else frames.KeyNotFoundFrame(sought)
            said.append(source.pick(made, denied, answer, frames.KeyNotFoundFrame(sought), self.host.held()))
            if sought in self.sought and said[-1] in (answer, frames.KeyNotFoundFrame(sought)):
                self.sought.remove(sought)
        self.host.hears(self.host.record(*said))

    def _say_oddly(self) -> None:
        """What is no record and no batch, or just about."""
        source = self.source
        match source.below(3):
            case 0:
                self.host.takes(inputs.ReceivedInput(self.host.end.number, source.take(source.below(256))))
            case 1:
                record = pack(frames.HostRecord([source.made(frames.FromHost)] * source.pick(1, 2)))
                text = source.pick(
                    padding.fill_payload(source.edited(record), suite.TAG),
                    source.edited(padding.pad_text(record, 60_000)),
                )
                self.host.hears(self.host.channel.seal_padded(text))
            case 2:
                entry = self._entry()
                batch = self.host.batch(entry)
                self.host.hears(
                    source.edited(batch), self.host.batch_of([source.edited(entry.sealed)], self.host.head_text())
                )

    def _greet(self) -> None:
        """A hello, and perhaps the first of what follows."""
        if self.source.odd(8):
            self.host.awaits_dial()
            nonce = bytes(32)
            hello = Hello(self.source.pick(VERSION, self.source.below(4)), nonce, HOST.encryption_key.public)
            content = padding.pad_text(self.source.edited(pack(hello)), limits.HELLO - padding.LENGTH)
            self.host.takes(inputs.ReceivedInput(self.host.end.number, self.source.edited(content)))
            self.host.takes(inputs.DroppedInput(self.host.end.number, "closed", 1.0))
            return
        self.admitted = False
        self.sought.clear()
        self.host.greets()
        self.linked = True
        self.key = self.host.request.encryption_key
        if isinstance(self.host.request, JoinRequest) and self.host.request.key not in {
            it.key for it in self.host.ledger.roster
        }:
            if self.host.me and (former := self.host.ledger.roster.find_member(self.host.me)) is not None:
                self.host.ledger.roster.remove_member(former)
            self.host.roster_guest(self.host.request.nick or self.host.ledger.roster.choose_nick(self.host.request.key))
        if self.source.below(4) < 3:
            self._let_in()

    def _let_in(self) -> None:
        source = self.source
        otherwise: dict[str, Any] = {}
        unsigned = False
        if source.odd(2):  # a room with a history, whatever it says of that
            otherwise = {"since": self.host.ledger.index, "snapshot": self.host.base()}
        missed = [self._past(*(self._entry() for _ in range(source.below(3)))) for _ in range(source.odd(3))]
        match source.odd(6):
            case 1:
                kinds = self.host.state()
                name = source.pick(*kinds.__struct_fields__)
                otherwise |= self._instead(name, getattr(source.made(room_state.RoomState), name))
            case 2:
                roster = self.host.state().roster
                at, made = source.below(len(roster)), source.made(room_state.RosterEntry)
                name = source.pick(*made.__struct_fields__)
                roster[at] = msgspec.structs.replace(roster[at], **{name: getattr(made, name)})
                otherwise["roster"] = source.pick(roster, roster[:at], roster + roster[:1])
            case 3:
                otherwise |= self._instead("head", self._head_text())
            case 4:
                unsigned = True
                otherwise |= source.pick({"sign": ANN.sign}, {"hello": bytes(32)}, {"key": ANN.encryption_key.public})
            case 5:
                base = self.host.base()
                name, made = source.pick(*base.__struct_fields__), source.made(room_state.RoomSnapshot)
                otherwise["snapshot"] = msgspec.structs.replace(base, **{name: getattr(made, name)})
        goes_on = isinstance(self.host.request, ResumeRequest) and not source.odd(2) and "snapshot" not in otherwise
        pages = self.host.welcome(past=goes_on, **otherwise)
        said = source.pick(pages, pages, pages, pages[:1], pages * 2)
        self.host.hears(*said, *missed)
        assert self._has_ended or not unsigned or said == pages[:1], "a welcome for somebody else"

    def _instead(self, name: str, value: Any) -> dict[str, Any]:
        """What makes a Welcome say this: under a head that covers it, unless it is the head."""
        if name == "head":
            return {"state": msgspec.structs.replace(self.host.state(), head=value)}
        return {name: value}

    def _past(self, *entries: Placed) -> frames.BackfillFrame:
        """A batch of these, opened, or what is left of it."""
        source = self.source
        gone = [entry for entry in entries if source.odd(2)]
        self.host.time += source.pick(0, 1)
        otherwise: dict[str, Any] = {
            "time": self.host.time + source.pick(0, 0, 1_000, 59_999, 60_000, 2**53 - 1 - self.host.time)
        }
        match source.odd(4):
            case 1:
                otherwise["head"] = self._head_text()
            case 2:
                otherwise["index"] = source.pick(0, self.host.ledger.index, 2**53 - 1)
            case 3:
                otherwise["entries"] = [source.made(BackfilledEntry | Tombstone)]
        past = self.host.past(*entries, gone=gone, **otherwise)
        self.host.time = Head.read(past.now).time  # no later head is of an earlier time
        return past

    def _entry(self) -> Placed:
        """What somebody says next, or something that none may say."""
        source = self.source
        guest = SimpleNamespace(id=self.host.me or bytes(16), sign=HOST.sign)
        author: Any = source.pick(ANN, HOST, ANN, HOST, BOB, EVE, guest)
        body = self._body()
        is_message = isinstance(body, bodies.TextBody | bodies.PrivateBody)
        otherwise: dict[str, Any] = {"ttl": self.host.ledger.retention.default if is_message else KEPT}
        match source.odd(8):
            case 1:
                otherwise["counter"] = source.pick(0, 1, source.below(256), 2**53 - 1)
            case 2:
                otherwise["generation"] = source.pick(0, 1, source.below(256))
            case 3:
                otherwise["kind"] = source.pick(COMMIT, 2)
            case 4:
                otherwise["signer"] = source.pick(ANN, BOB, EVE, HOST)
            case 5:
                otherwise["epoch"] = self.host.sealer.epoch.number + 1
            case 6:
                digest = source.pick(bytes(32), self.host.ledger.digest)
                otherwise["reference"] = source.pick(self.host.ledger.index, source.below(8), 2**53 - 1), digest
            case 7:
                otherwise["ttl"] = source.pick(*TTLS, KEPT - 1)
        if isinstance(body, bodies.TextBody) and source.odd(4) == 3 and isinstance(author, identity.Identity):
            body = self._boxed(author, body.text, otherwise)
        entry = self.host.entry(author, body, **otherwise)
        if otherwise.get("signer", author) is author is not guest and "epoch" not in otherwise:
            self._note(entry)
        return entry

    def _body(self) -> bodies.Body:
        source = self.source
        match source.below(8):
            case 5:
                made: bodies.Body = source.made(bodies.Body)
                return made
            case 6:
                joined = bodies.JoinedBody(BOB.key, "bob", suite.hash_data(BOB.encryption_key.public))
                away: bodies.Body = source.pick(
                    joined, bodies.AwayBody(ANN.id), bodies.BackBody(ANN.id), bodies.CloseBody()
                )
                return away
            case 7:
                return bodies.AwayBody(self.host.me or bytes(16))
            case 4:
                member = source.pick(ANN.id, HOST.id, self.host.me or bytes(16))
                moderating: bodies.Body = source.pick(
                    bodies.RoleBody(member, source.pick("moderator", "muted", "member")),
                    bodies.RemoveBody([member], "", ban=bool(source.below(2))),
                    bodies.RaidBody(bool(source.below(2))),
                    bodies.SlowBody(source.pick(0, 1, 10)),
                )
                return moderating
        return bodies.TextBody(source.text() or "x", action=False, reply=None)

    def _boxed(self, author: identity.Identity, text: str, otherwise: dict[str, Any]) -> bodies.PrivateBody:
        """The same for the guest alone, or for nobody; noted, since nobody else can read it."""
        counter = otherwise.get("counter", self.host.sealer.counters.get(author.id, 0) + 1)
        guest: Any = SimpleNamespace(id=self.host.me or bytes(16))
        key: Any = SimpleNamespace(
            public=self.source.pick(self.key, HOST.encryption_key.public) or HOST.encryption_key.public
        )
        self.said.add((identity.spell_member(author.id), text))
        return self.host.sealer.box(author, guest, key, text, counter=counter)

    def _order(self, *entries: Placed) -> None:
        """These get their places: in a batch, as one that was opened, or in a batch whose head says otherwise."""
        self.heard += entries
        match self.source.below(8):
            case 5 | 6:
                self.host.hears(self._past(*entries))
            case 7:
                for entry in entries:
                    self.host.place(entry)
                contexts = [self.host.contexts.get(entry.header) for entry in entries]
                said = self.source.pick(
                    contexts, contexts, contexts[:-1], [bytes(32)] * len(entries), [None] * len(entries)
                )
                self.host.hears(self.host.batch_of([entry.sealed for entry in entries], self._head_text(), said))
            case _:
                self.host.hears(self.host.batch(*entries))

    def _head_text(self) -> bytes:
        source = self.source
        index = self.host.ledger.index + source.pick(0, 0, 1, -1)
        digest = source.pick(self.host.ledger.digest, self.host.ledger.digest, bytes(32))
        time = source.pick(self.host.time, self.host.time, max(0, self.host.time - 1), 2**64 - 1)
        return self.host.head_text(index=index, digest=digest, time=time, signer=source.pick(HOST, HOST, HOST, ANN))

    def _head(self) -> None:
        self.host.time += self.source.below(4)
        text = self._head_text()
        self.host.hears(self.host.batch_of([], self.source.pick(text, text, text, text[:-1])))

    def _commit(self) -> None:
        source = self.source
        removed = bodies.Removal(source.pick(ANN.id, self.host.me or bytes(16)), source.pick("kicked", "lost"))
        right, wrong = self.host.commit(*source.pick([], [], [removed])), source.odd(6)
        if wrong == 1:
            right = self.host.commit(removed, removed, epoch=source.below(3), author=source.pick(HOST, ANN))
        self.host.hears(right)
        if wrong == 2:
            self._order(self._entry())
        if wrong == 3:
            self.linked = False
            self.host.takes(inputs.DroppedInput(self.host.end.number, "closed", 1.0))
        otherwise: dict[str, Any] = {}
        if wrong == 4:
            otherwise = source.pick({"digest": bytes(32)}, {"tag": bytes(32)}, {"epoch": 9}, {"secret": bytes(32)})
        self.theirs.clear()
        sliced = self.host.slice(key=self.key or HOST.encryption_key.public, **otherwise)
        right_slice = not otherwise
        if wrong == 5:
            box = source.edited(sliced.box)
            right_slice, sliced = box == sliced.box, frames.CommitShareFrame(box)
        if self.linked:
            self.host.hears(sliced)
            assert right_slice or self._has_ended, "a commit that was made on another log"


def member(data: bytes) -> None:
    """A member and whatever a host may send it: it is shown in order, or the host is left with an alarm."""
    liar = _Liar(Source(data, KNOWN))
    for _ in range(STEPS):
        if not liar.source.more or liar.host.room.over:
            break
        liar.act()


def _seeds() -> list[bytes]:
    def entry(author: int, *wrong: int, body: int = 0, order: Sequence[int] = (0,)) -> bytes:
        return bytes([3, 0, author, body, 1, 0x78, *(wrong or (0,)), 0, *order])

    def types(nick: int, ttl: int, what: int) -> bytes:
        return bytes([12, 0, 0, nick, 1, 0x77, ttl, what])

    def frame(kind: int, reason: int = 0, counter: int = 0, which: int = 0) -> bytes:
        return bytes([10, 0, kind, reason, counter, 2, 0, which, 0])

    def commit(*how: int) -> bytes:
        return bytes([9, *how])

    begin, come, again, drop = bytes(3), bytes(7), bytes([0, 0, 3]), bytes([14])
    in_ = begin + come
    entries = entry(0) + entry(1) + entry(0)
    says, renames = bytes([12, 1, 0x79, 0, 0, 0, 0, 0]), bytes([12, 0, 1, 0, 0, 0, 0])
    ordered, second, passed = bytes([6, 0, 0]), bytes([6, 3, 0]), bytes([6, 0, 5, 3, 0, 4, 0])
    whisper, retain, verify = types(0, 0, 6), types(0, 1, 7), types(0, 0, 8)
    idle, kick, kick_me, broken = (commit(*how) for how in ((0, 0, 0, 0), (0, 0, 2, 0), (1, 0, 2, 0), (0, 0, 0, 9)))
    resumed, heartbeat, later, sleep = bytes([2, 0, 0]), bytes([15, 0, 0]), bytes([15, 1, 0]), bytes([15, 0, 2])
    other_version = bytes([0, 9, 1, 1, 0, 0, 4, 0, 0, 0, 4, 0])
    one, expired = bytes([0, 0, 1, 0x78, 0, 0]), bytes([0, 0, 1, 0x78, 15, 1, 0])
    past = bytes([0, 0, 0, 0, 4, 2, *one, *one, 0, 0, 0, 0, 0, 0, 0, 0])
    gone = bytes([0, 0, 0, 0, 4, 1, *expired, 3, 0, 4, 0, 0, 0, 0])
    no_past = bytes([0, 0, 0, 0, 0, 0, 3, 0])
    history = bytes([0, 0, 0, 3, 4, 2, *one, *expired, 0, 3, 0, 4, 0, 0, 0])
    half = bytes([0, 0, 0, 3, 0, 0, 1])
    is_gone, is_late, too_soon = ((5, 3, 0, 4, 0), (5, 0, 0, 4, 0), (5, 3, 0, 3, 0))
    seek = frame(0, which=2)
    talk = in_ + entries + says + ordered
    return [
        *(bytes([0, 0, 15, beyond]) + come + entries * 2 for beyond in (0, 1)),  # an endless log
        talk + idle + says + ordered * 2 + entries + heartbeat * 3 + kick + entries,
        talk + says * 2 + drop + again + resumed + entries + ordered * 2,
        talk + drop + past + entries + says + ordered + drop + gone + says + ordered,
        talk + drop + gone + entries + sleep + says + passed,
        in_ + entries + broken + again + no_past + entries,
        in_ + renames + says + second + says + frame(0, 0, 1, 1),
        begin + other_version,
        begin + history + entries + says + ordered,
        begin + half + past + drop + history + says + ordered + drop + again + resumed + entries,
        in_ + seek * 2 + whisper + ordered + says + ordered + idle + whisper + seek + ordered * 2,
        in_ + whisper * 3 + kick + frame(0, 0, 1, 1) + seek + verify + ordered,
        in_ + retain + says + passed + renames + passed + verify,
        in_ + retain + says * 2 + ordered + sleep + heartbeat + later * 2 + kick_me,
        *(in_ + says + entry(0, 15, 1, order=how) + heartbeat + entries for how in (is_gone, is_late, too_soon, (7,))),
        *(in_ + says + entry(6, 15, 1, order=how) + entries for how in (is_gone, is_late)),
        *(in_ + renames + entry(6, 15, 1, order=is_gone) for _ in "1"),
        *(in_ + bytes([11, odd, *pick]) for odd in (1, 2) for pick in ([0] * 20, [1] * 20, [2] * 20)),
        *(before + frame(kind) for before in (talk, begin + again) for kind in range(9)),
        *(talk + frame(0, how, 1, which) for how in range(9) for which in (0, 1)),
        in_ + says + entry(6),
        *(in_ + says + drop + again + frame(0, reason) + come + entries + says + ordered for reason in range(9)),
        *(in_ + entries + entry(0, body=body) + entries for body in (5, 6, 7)),
        *(in_ + entry(0, wrong, 0) + entries for wrong in range(9, 16)),
        *(talk + commit(0, 0, 0, wrong, 0, 0, 0) for wrong in range(7, 12)),
        *(
            begin + bytes([0, 0, 0, how, 4, 1, *one, 0, 0, 0, 0, wrong, pick, pick]) + entries
            for how in (0, 3)
            for wrong in range(6, 12)
            for pick in (0, 7)
        ),
        *(
            bytes([rules, 0, 0]) + more[3:]
            for rules in (1, 2, 3, 4)
            for more in (talk + idle + entries, begin + history)
        ),
    ]


SEEDS = _seeds()
