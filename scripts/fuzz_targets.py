"""What scripts/fuzz runs: each target takes any bytes, and raises if something happens that none may cause.

Two kinds of input: bytes as they come from outside, and for the rooms a sequence of what peers, users and the clock do,
spelled in bytes. There signatures are made by the target where the bytes say so, since nothing guesses one.
"""

import json
import unicodedata
from collections.abc import Callable
from typing import Any

import msgspec
import msgspec.inspect

from anonp2p import limits
from anonp2p.core import code, events, frames, identity, steps
from anonp2p.core.code import RoomKey
from anonp2p.core.room import Room
from anonp2p.errors import AnonError, BadCode, PeerFault
from anonp2p.ui import lines, view

KEY = RoomKey(b"the seed of the fuzzed room....."[:32])
PEOPLE = [identity.Identity(bytes([number]) * 32, KEY.public) for number in range(1, 6)]
HOST = PEOPLE[0]
NICKS = ("ann", "ben", "Ann", "\u0430nn", "", "anon-", "a" * 20)
STEPS = 60
NONCE = bytes(32)


class Source:
    """Bytes as a source of choices; zeros once they are used up."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def more(self) -> bool:
        """Whether there is anything left."""
        return self._at < len(self._data)

    def take(self, count: int) -> bytes:
        """So many bytes, or what is left."""
        taken = self._data[self._at : self._at + count]
        self._at += count
        return taken

    def below(self, bound: int) -> int:
        """A number below 256 at most."""
        return int.from_bytes(self.take(1), "big") % bound

    def text(self) -> str:
        """Any text."""
        return self.take(self.below(64)).decode("utf-8", "replace")

    def pick(self, *choices: Any) -> Any:
        """One of these."""
        return choices[self.below(len(choices))]


def made(kind: Any, source: Source) -> Any:
    """A value of this type as the decoder of frames would let it through."""
    return msgspec.convert(_plain(msgspec.inspect.type_info(kind), source), kind)


def _plain(info: Any, source: Source) -> Any:
    match info:
        case msgspec.inspect.UnionType(types=types):
            return _plain(source.pick(*types), source)
        case msgspec.inspect.StructType(fields=fields, cls=cls):
            return cls(*(_plain(field.type, source) for field in fields))
        case msgspec.inspect.BytesType(min_length=least):
            ids = [person.id for person in PEOPLE] if least == identity.ID_BYTES else []
            keys = [person.key for person in PEOPLE] if least == len(HOST.key) else []
            wild = source.take(least if least is not None else source.below(256)).ljust(least or 0, b"\0")
            return source.pick(wild, *ids, *keys)
        case msgspec.inspect.IntType():
            return source.pick(0, 1, 2, 3, source.below(256), 2**53 - 1, int.from_bytes(source.take(6), "big"))
        case msgspec.inspect.StrType():
            return source.pick(*NICKS, source.text())
        case msgspec.inspect.BoolType():
            return bool(source.below(2))
        case msgspec.inspect.LiteralType(values=values):
            return source.pick(*values)
        case msgspec.inspect.ListType(item_type=item):
            return [_plain(item, source) for _ in range(source.below(4))]
    raise AssertionError(f"a kind of field that the fuzzer does not know: {info}")


# --- bytes as they come


def frames_(data: bytes) -> None:
    """Frames of every direction, in pieces of any size: the same as in one piece, or the link's end."""
    source = Source(data)
    accepts, longest = source.pick(
        (frames.FromJoiner, limits.HANDSHAKE_BYTES), (frames.FromMember, limits.FRAME), (frames.FromHost, limits.FRAME)
    )
    size = source.below(40) + 1
    rest = source.take(len(data))
    whole = _decoded(accepts, longest, [rest])
    assert whole == _decoded(accepts, longest, [rest[at : at + size] for at in range(0, len(rest), size)])
    for frame in whole[0]:
        assert _decoded(accepts, limits.FRAME, [frames.encode(frame)]) == ([frame], False)
        assert repr(frame) == f"<{type(frame).__name__}>"


def _decoded(accepts: Any, longest: int, pieces: list[bytes]) -> tuple[list[frames.Frame], bool]:
    """The frames, and whether the last of them was followed by a fault."""
    decoder = frames.Decoder(accepts, longest)
    got: list[frames.Frame] = []
    try:
        for piece in pieces:
            got.extend(decoder.feed(piece))
    except PeerFault:
        return got, True
    return got, False


def content(data: bytes) -> None:
    """What a member signs."""
    try:
        opened = frames.unseal(data)
    except PeerFault:
        return
    assert frames.unseal(frames.seal(opened)) == opened


def code_(data: bytes) -> None:
    """A room code as people pass it on."""
    try:
        key = code.parse(data.decode("utf-8", "replace"))
    except BadCode:
        return
    assert code.parse(code.encode(key)) == key


def lines_(data: bytes) -> None:
    """A line of input, in both modes."""
    for is_json in (False, True):
        typed = lines.understand(data, json=is_json)
        if typed is None:
            continue
        if isinstance(typed.action, AnonError):
            assert str(typed.action)
        if isinstance(typed.action, steps.Say):
            assert 0 < len(typed.action.text.encode()) <= limits.TEXT


def view_(data: bytes) -> None:
    """Texts of others on a terminal: they neither steer it nor pass for anybody else's."""
    text = data.decode("utf-8", "replace")
    shown = view.harmless(text)
    _expect_harmless(shown.replace("\n", ""))
    assert view.harmless(shown) == shown
    raw = msgspec.json.encode(text).decode()
    escaped = view.escaped(raw)
    assert not any(_steers(character) for character in escaped)
    assert json.loads(escaped) == text
    message = events.Message(room="r1", member="m", nick="ann", text=text, seq=1, at=0.0)
    for event in (message, events.Unsent(room="r1", text=text), events.Notice(text=text)):
        first, *others = view.line(event).split("\n")
        assert first.startswith("ann: " if event is message else view.SYSTEM)
        assert not any(line.strip() and not line.startswith("    ") for line in others)


def _expect_harmless(text: str) -> None:
    """Nothing that is not drawn, and nothing drawn that nobody has a picture of."""
    for character in text:
        bad = unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp", "Cn")
        assert not bad or ord(character) in range(0x1F000, 0x1FB00), f"{character!r} is shown"


def _steers(character: str) -> bool:
    """Whether a terminal, or who reads JSON on it, could be misled: controls, directions, line breaks, hidden tags."""
    directed = unicodedata.bidirectional(character) in ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
    return directed or unicodedata.category(character) in ("Cc", "Zl", "Zp") or 0xE0000 <= ord(character) < 0xE1000


# --- rooms


class Party:
    """A room, and what came out of it."""

    def __init__(self, me: identity.Identity, nick: str, name: str | None) -> None:
        self.room = Room(label="r1", key=KEY.public, fresh=lambda: me, nick=nick, name=name)
        self.tick = 0.0
        self.alarms = 0
        self.gone = 0

    def step(self, step: steps.Input) -> list[steps.Effect]:
        """Lets it take a step; shows what it tells as it would be shown."""
        before = self.room.over
        effects = self.room.handle(step, steps.Now(self.tick, 1e9 + self.tick))
        for effect in effects:
            if isinstance(effect, steps.Tell):
                self.alarms += isinstance(effect.event, events.Alarm)
                self.gone += isinstance(effect.event, events.Gone)
                assert isinstance(view.line(effect.event), str)
                json.loads(view.escaped(msgspec.json.encode(effect.event).decode()))
            else:
                assert not before, "a room that is over still acts"
        assert self.gone == self.room.over
        deadline = self.room.next_deadline()
        assert deadline is None or deadline >= 0
        return effects

    def burst(self) -> None:
        """The end of a burst, as a session has it."""
        self.room.end_burst(steps.Now(self.tick, 1e9 + self.tick))

    def wait(self, source: Source) -> None:
        """Time passes, perhaps as far as the room's next deadline."""
        deadline = self.room.next_deadline()
        self.tick = max(self.tick, source.pick(self.tick + 1, deadline or self.tick, self.tick + 700))
        if deadline is not None and deadline <= self.tick:
            self.step(steps.Tick())


class _World:
    """A host with links of all kinds, and an honest member who must never have a reason to distrust it."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.host = Party(HOST, "host", "demo")
        self.host.step(steps.Start())
        self.host.step(steps.Published())
        self.links = 0
        self.counters: dict[bytes, int] = {}
        self.witness = Party(identity.Identity(b"w" * 32, KEY.public), "witness", None)
        self.cursor: int | None = None
        self.decoder = frames.Decoder(frames.FromHost, limits.FRAME)
        self.witness.step(steps.Dialling(1, ""))
        [asking] = self._hear(frames.encode(frames.Hello(frames.VERSION, NONCE)))
        [request] = frames.Decoder(frames.FromJoiner, limits.FRAME).feed(asking.data)
        assert isinstance(request, frames.FromJoiner)
        self.ask(request)
        self.end_burst()
        assert self.witness.room.entered

    def _hear(self, data: bytes) -> list[steps.Send]:
        """The witness hears this; what it sends."""
        sent: list[steps.Send] = []
        for frame in self.decoder.feed(data):
            sent += [it for it in self.witness.step(steps.Heard(steps.UPLINK, frame)) if isinstance(it, steps.Send)]
        assert not self.witness.alarms, "an honest host is distrusted"
        return sent

    def do(self, step: steps.Input) -> None:
        """The host takes a step."""
        for effect in self.host.step(step):
            match effect:
                case steps.Admit(link=link, data=data, cursor=cursor):
                    assert self.host.room.log.start <= cursor <= self.host.room.log.end
                    if link == 1:
                        self._hear(data)
                        self.cursor = cursor
                case steps.Pulse(data=data) if self.cursor == self.host.room.log.end:
                    self._hear(data)
                case steps.Send(link=link, data=data):
                    assert 0 < link <= self.links
                    list(frames.Decoder(frames.FromHost, limits.FRAME).feed(data))
                case steps.Finish(link=link) | steps.Drop(link=link):
                    assert 0 < link <= self.links
                    assert link != 1 or self.host.room.over, "an honest member is cut off"

    def ask(self, request: frames.Join | frames.Resume) -> None:
        """A request on a new link."""
        self.links += 1
        self.do(steps.Asked(self.links, NONCE, request))

    def end_burst(self) -> None:
        """The host's log goes out."""
        self.host.burst()
        if self.cursor is not None:
            batch = self.host.room.log.since(self.cursor)
            assert batch is not None
            data, self.cursor = batch
            self._hear(data)

    def act(self) -> None:
        """Somebody does something."""
        source = self.source
        who = source.pick(*PEOPLE[1:])
        link = 2 + source.below(max(1, self.links - 1))
        match source.below(12):
            case 0 | 1:
                nick = source.pick(*NICKS, source.text())
                signature = source.pick(who.sign(identity.JOIN, NONCE + nick.encode()), bytes(64))
                self.ask(frames.Join(source.pick(who.key, source.take(32).ljust(32, b"\0")), nick, signature))
            case 2:
                index = source.pick(self.host.room.log.end - 1, source.below(256), 2**53 - 1)
                digest = source.take(32).ljust(32, b"\0")
                position = index.to_bytes(8, "big") + digest
                signature = source.pick(who.sign(identity.RESUME, NONCE + position), bytes(64))
                self.ask(frames.Resume(who.id, index, digest, signature))
            case 3 | 4 | 5 | 6:
                counter = source.pick(self.counters.get(who.id, 0) + 1, source.below(256), 2**53 - 1)
                self.counters[who.id] = max(counter, self.counters.get(who.id, 0))
                text = frames.Text(source.text(), False)
                sealed = frames.seal(frames.Content(who.id, counter, source.pick(text, made(frames.Body, source))))
                signature = source.pick(who.sign(identity.ENTRY, sealed), bytes(64))
                self.do(steps.Heard(link, frames.Submit(source.pick(sealed, sealed, source.take(40)), signature)))
            case 7:
                self.do(steps.Heard(link, made(frames.FromMember, source)))
            case 8:
                if 1 < link <= self.links:
                    self.do(steps.Dropped(link, "it is gone", source.pick(0.0, 1.0, 15.0)))
            case 9:
                before = self.host.room.over
                deadline = self.host.room.next_deadline()
                self.host.tick = max(self.host.tick, source.pick(deadline or 0.0, self.host.tick + 1))
                self.witness.tick = self.host.tick
                if deadline is not None and deadline <= self.host.tick and not before:
                    self.do(steps.Tick())
            case 10:
                self.do(source.pick(steps.Say(source.text() or "x"), steps.Ask("/who"), steps.Ask("/code")))
            case 11:
                if source.below(8) == 7:
                    self.do(steps.Leave(close=True))


def host(data: bytes) -> None:
    """A host and whatever peers may send it: nothing but their own links suffers, and what it orders is in order."""
    world = _World(Source(data))
    for _ in range(STEPS):
        if not world.source.more or world.host.room.over:
            break
        world.act()
        if world.source.below(3) == 0:
            world.end_burst()
    world.end_burst()


class _Lie:
    """A member whose host says whatever the bytes say, rightly signed where they say so."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.me = PEOPLE[1]
        self.party = Party(self.me, source.pick("ann", ""), None)
        self.index = source.pick(0, 7)
        self.digest = bytes(32)
        self.counters: dict[bytes, int] = {}

    def hear(self, frame: frames.Frame) -> None:
        """The member hears this, by way of the wire."""
        [heard] = frames.Decoder(frames.FromHost, limits.FRAME).feed(frames.encode(frame))
        was = self.party.alarms
        self.party.step(steps.Heard(steps.UPLINK, heard))
        assert self.party.alarms == was or self.party.room.over, "a host that lies is not left"

    def act(self) -> None:
        """The host, the user, the network or the clock does something."""
        source = self.source
        match source.below(14):
            case 0:
                self.party.step(steps.Dialling(1, ""))
            case 1:
                self.hear(frames.Hello(source.pick(frames.VERSION, frames.VERSION, source.below(4)), NONCE))
            case 2 | 3:
                nicks = self._nicks()
                seats = [
                    frames.Seat(person.key, nick, self.counters.get(person.id, 0), False)
                    for person, nick in zip(PEOPLE[: source.pick(2, 3, 1)], nicks, strict=False)
                ]
                self.hear(frames.Roster(seats))
                self.hear(frames.Welcome(source.pick("demo", "demo", source.text()), HOST.id, self.index, self.digest))
            case 4 | 5 | 6 | 7:
                author = source.pick(*PEOPLE)
                self.counters[author.id] = counter = self.counters.get(author.id, 0) + source.pick(1, 1, 0, 3)
                text = frames.Text(source.text() or "x", False)
                sealed = frames.seal(frames.Content(author.id, counter, source.pick(text, made(frames.Body, source))))
                signature = author.sign(identity.ENTRY, sealed)
                self.index += 1
                self.digest = identity.chain(self.digest, self.index, sealed, signature)
                self.hear(frames.Entry(self.index, sealed, source.pick(signature, signature, signature, bytes(64))))
            case 8:
                time = source.below(4)
                position = self.index.to_bytes(8, "big") + self.digest + time.to_bytes(8, "big")
                self.hear(frames.Head(self.index, self.digest, time, HOST.sign(identity.HEAD, position)))
            case 9:
                self.hear(made(frames.FromHost, source))
            case 10:
                self.hear(frames.Resumed(self.index + source.pick(0, 1, 2)))
            case 11:
                said = source.pick(steps.Say(source.text() or "x"), steps.Rename("bea"), steps.Ask("/who"))
                self.party.step(source.pick(said, said, said, steps.Leave()))
            case 12:
                self.party.step(steps.Dropped(steps.UPLINK, "it is gone", 1.0))
            case 13:
                self.party.wait(source)

    def _nicks(self) -> tuple[str, ...]:
        spelled = "anon-" + identity.spell(self.me.id)[: identity.NICK_CHARACTERS]
        return ("host", self.source.pick("ann", spelled), self.source.pick("ben", "Ann", self.source.text()))


def member(data: bytes) -> None:
    """A member and whatever a host may send it: it is shown in order, or the host is left with an alarm."""
    lie = _Lie(Source(data))
    lie.party.step(steps.Start())
    for _ in range(STEPS):
        if not lie.source.more:
            break
        lie.act()


TARGETS: dict[str, Callable[[bytes], None]] = {
    "frames": frames_,
    "content": content,
    "code": code_,
    "lines": lines_,
    "view": view_,
    "host": host,
    "member": member,
}


def _seeds() -> dict[str, list[bytes]]:
    """For each target, inputs that lead far into what it tests."""
    bodies: list[frames.Body] = [
        frames.Text("hello", True),
        frames.Nick("ann"),
        frames.Leave(),
        frames.Joined(HOST.key, "ann"),
        frames.Close(),
    ]
    sealed = [frames.seal(frames.Content(HOST.id, 1, body)) for body in bodies]
    fixed = Source(bytes(range(256)) * 8)
    wire = [
        bytes([direction, 7]) + frames.encode(made(kind, fixed)) * 2
        for direction, union in enumerate((frames.FromJoiner, frames.FromMember, frames.FromHost))
        for kind in getattr(union, "__args__", (union,))
    ]
    typed = ["hello", "//x", "/nick ann", "/me waves", "/join " + KEY.code, "/help /who", "/leave", "/create a"]
    objects = [{"id": 1, "text": "hi"}, {"id": "x", "command": "/who"}, {"text": "a", "command": "b"}, {"room": "r1"}]
    plain = [line.encode() for line in typed] + [json.dumps(each).encode() for each in objects]
    wild = "a\u202eb\u200b\x1b[2J\r\n\u0301\u0301\u0301\u0301\u0301\U0001f600\ue000\u2028\x9b[SYSTEM] x\nann: y"
    joined = bytes([0, 0, 0, 0, 0, 0, 0, 0])
    return {
        "frames": wire,
        "content": sealed,
        "code": [KEY.code.encode(), b"anonp2p:" + KEY.code.upper().encode(), KEY.code[:-6].encode(), b" x:y "],
        "lines": plain,
        "view": [wild.encode(), "[SYSTEM] \u00e9\t\ufeff".encode(), *plain],
        "host": [joined * 3, bytes([1, 0, 0, 0, 0]) * 12, bytes(range(200)), b"\x01\x00\x03\x00\x00" * 20],
        "member": [
            bytes([0, 0, 0, 1, 0, 2, 0, 0, 0, 0]) + bytes([4, 0, 0, 3, 97, 98, 99, 0, 8, 1]) * 6,
            bytes([0, 0, 0, 1, 0, 2, 0, 0, 0, 0]) + bytes([11, 2, 97, 98, 12, 0, 1, 0, 10, 0]) * 4,
        ],
    }


SEEDS = _seeds()
