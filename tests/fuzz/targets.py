"""What scripts/fuzz runs: each target takes any bytes, and raises if something happens that none may cause.

Two kinds of input: bytes as they come from outside, and for the rooms (host, member) a sequence of what
peers, users and the clock do, spelled in bytes.
"""

import json
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import msgspec
import urwid

from anonp2p import limits
from anonp2p.config import Config
from anonp2p.crypto import commit, identity, padding, private, suite
from anonp2p.crypto.epoch import COMMIT, ENTRY, FLEETING, OPENING, Epoch, Header
from anonp2p.errors import AnonError, BadCode, PeerFault
from anonp2p.names import codes
from anonp2p.names.codes import Code, RoomKey
from anonp2p.protocol import bodies, frames, handshake, room_state, welcome
from anonp2p.protocol.batches import Backfilled, BackfilledEntry, Batch, RetractedEntry, Tombstone
from anonp2p.protocol.connection import Connection
from anonp2p.protocol.field_types import Heir, Invited, Opening
from anonp2p.protocol.handshake import Channel, HostHandshake
from anonp2p.protocol.packing import pack, unpack
from anonp2p.protocol.requests import VERSION, AnyRequest, Hello, JoinRequest, MeetRequest, ResumeRequest
from anonp2p.protocol.rights import Rights
from anonp2p.room import contents, events, inputs
from anonp2p.room.gate import NotAdmitted
from anonp2p.room.host import admission
from anonp2p.room.ledger import Ledger
from anonp2p.room.resuming import check_resume_request
from anonp2p.room.retention import ANY, NO_HISTORY
from anonp2p.ui import sanitize, wording
from anonp2p.ui.keys import PASTE, Keys
from anonp2p.ui.line.typed_line import parse_typed_line
from anonp2p.ui.screen.screen import Screen
from anonp2p.ui.screen.term.terminal import Terminal
from anonp2p.ui.sequences import Key
from tests.fuzz import heir, host, member, transfer
from tests.fuzz.source import Source
from tests.room.peers import ANN, BOB, CREDENTIALS, HOST, ROOM
from tests.support import second

KEY = RoomKey(b"the seed of the fuzzed room....."[:32])
INVITATION = Code(KEY.public, b"K" * 32).spell()
PACKED: dict[Any, str] = {  # all that is packed, with the form of the second implementation
    bodies.Content: "content",
    Hello: "hello",
    AnyRequest: "request",
    frames.MemberRecord: "record up",
    frames.HostRecord: "record down",
    room_state.RoomState: "welcome",
    Batch: "batch",
    bodies.PrivateText: "private text",
}


# --- bytes as they come

LATEST = room_state.LatestEntry(bytes(32), bytes(33), bytes(32))


def splitter(data: bytes) -> None:
    """A stream in pieces of any size: the same payloads as in one piece, and the same end; no more is kept than one."""
    source = Source(data)
    longest, size = source.pick(limits.CLIENT_HANDSHAKE, padding.SIZES[-1], limits.UNIT), source.below(40) + 1
    rest = source.take(len(data))
    whole = _split(longest, [rest])
    assert whole == _split(longest, [rest[at : at + size] for at in range(0, len(rest), size)])
    assert rest.startswith(b"".join(map(padding.frame_content, whole[0])))
    assert all(len(content) <= longest for content in whole[0])


def _split(longest: int, pieces: list[bytes]) -> tuple[list[bytes], bool]:
    """The contents, and whether the last of them was followed by a fault."""
    connection = Connection(0.0, longest)
    got: list[bytes] = []
    for piece in filter(None, pieces):
        connection.receive_data(piece, 0.0)
        got += iter(lambda: connection.next_payload(0.0), None)
    return got, connection.is_over


def padded(data: bytes) -> None:
    """Something padded, and what an author signs: the same again when it is padded anew, or a fault."""
    source = Source(data)
    edited = source.edited(padding.pad_text(source.take(source.below(64)), source.pick(66, 128, 1_918)))
    with suppress(PeerFault):
        assert padding.pad_text(padding.unpad_text(edited), len(edited)) == edited
    content = bodies.Content(bytes(limits.SALT), 1, bytes(32), bodies.TextBody("x" * source.below(128), False, None))
    signed = source.edited(contents.padded_content(content))
    try:
        contents.unpack_content(bytes(identity.SIGNATURE) + signed)
    except PeerFault:
        return
    assert 0 <= len(signed) - padding.LENGTH - len(padding.unpad_text(signed)) < limits.CONTENT_STEP
    assert len(signed) % limits.CONTENT_STEP == 0


def packed(data: bytes) -> None:
    """Every kind of what is packed, and headers: a fault to both implementations, or to none and the same again."""
    source = Source(data)
    kind = source.pick(*PACKED, Header)
    rest = source.take(len(data))
    theirs = _second(lambda: second.read_header(rest) if kind is Header else second.read(PACKED[kind], rest))
    try:
        opened: Any = Header.unpack(rest) if kind is Header else unpack(kind, rest)
    except PeerFault:
        assert theirs is None
        return
    assert theirs is not None
    if kind is Header:
        assert opened.pack() == rest
        return
    assert pack(opened) == rest
    assert repr(opened) == f"<{type(opened).__name__}>"


def _second(read: Callable[[], object]) -> object | None:
    """What the second implementation reads; None if it refuses it."""
    try:
        return read()
    except second.Malformed:
        return None


def code_(data: bytes) -> None:
    """A room code as people pass it on."""
    try:
        code = codes.parse_code(data.decode("utf-8", "replace"))
    except BadCode:
        return
    assert codes.parse_code(code.spell()) == code


def lines_(data: bytes) -> None:
    """A line of input, in both modes."""
    for is_json in (False, True):
        typed = parse_typed_line(data, json=is_json)
        if typed is None:
            continue
        if isinstance(typed.action, AnonError):
            assert str(typed.action)
        if isinstance(typed.action, inputs.SayInput):
            assert 0 < len(typed.action.text.encode()) <= limits.TEXT


def view_(data: bytes) -> None:
    """Texts of others on a terminal: they neither steer it nor pass for anybody else's."""
    text = data.decode("utf-8", "replace")
    shown = sanitize.sanitize_text(text)
    _expect_sanitized(shown.replace("\n", ""))
    assert sanitize.sanitize_text(shown) == shown
    raw = msgspec.json.encode(text).decode()
    escaped = sanitize.escape_json(raw)
    assert not any(_steers(character) for character in escaped)
    assert json.loads(escaped) == text
    message = events.MessageEvent(room="r1", member="m", nick="ann", text=text, seq=1, at=0.0)
    for event in (message, events.UnsentEvent(room="r1", text=text), events.NoticeEvent(text=text)):
        first, *others = wording.format_line(event).split("\n")
        assert first.startswith("ann: " if event is message else wording.SYSTEM)
        assert not any(line.strip() and not line.startswith("    ") for line in others)


def keys_(data: bytes) -> None:
    """Bytes from a terminal in pieces, with pauses: keys, pastes and the mouse, and after a pause what is typed."""
    for key in _typed(Source(data)):
        if isinstance(key, str):
            assert key.startswith(PASTE) or unicodedata.category(key[-1]) != "Cc"
        else:
            assert key[0] == "private mode report" or urwid.util.is_mouse_event(key)


def screen_(data: bytes) -> None:
    """The same, all the way into the full screen."""
    screen = Screen(Config(mode="screen"), Terminal(idle=lambda: None, closed=lambda: None))
    screen.attach(lambda _: None, lambda _: None)
    view = screen.view
    for key in _typed(Source(data)):
        if isinstance(key, str):
            view.keypress((80, 24), key)
        elif key[0] != "private mode report":
            event, button, column, row = key
            view.mouse_event((80, 24), event, button, column, row, focus=True)
    view.render((80, 24), focus=True)


def _typed(source: Source) -> Iterator[Key]:
    keys, now = Keys(), 100.0
    while source.more:
        until = now + source.pick(0.0, 0.0, 0.05, 0.2, 2.0, 30.0)
        yield from _expired(keys, now, until)
        now = until
        yield from keys.feed(source.take(source.below(40)), now)
    yield from _expired(keys, now, now + 30)
    assert keys.deadline is None
    assert keys.feed(b"x\r", now + 30) == ["x", "enter"]


def _expired(keys: Keys, now: float, until: float) -> Iterator[Key]:
    while (due := keys.deadline) is not None and due <= until:
        now = max(now, due)
        yield from keys.expire(now)
        assert keys.deadline is None or keys.deadline > now


_EMOJI = range(0x1F000, 0x1FB00)  # some may be newer than Python's tables


def _expect_sanitized(text: str) -> None:
    """Nothing that is not drawn, and nothing drawn that nobody has a picture of."""
    for before, character in zip("\0" + text, text, strict=False):
        is_emoji = ord(character) in _EMOJI
        is_joined = unicodedata.category(before)[0] in "LMS" or ord(before) in _EMOJI
        if character in "\u180e\u200c\u200d" and is_joined and not before.isascii():
            continue
        bad = unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp", "Cn")
        assert not bad or is_emoji, f"{character!r} is shown"


def _steers(character: str) -> bool:
    """Whether a terminal, or who reads JSON on it, could be misled: controls, directions, line breaks, hidden tags."""
    directed = unicodedata.bidirectional(character) in ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
    return directed or unicodedata.category(character) in ("Cc", "Zl", "Zp") or 0xE0000 <= ord(character) < 0xE0100


# --- the handshake


class _Handshake:
    """What is right on one link, and who reads it."""

    def __init__(self) -> None:
        greeting = HostHandshake(bytes(32), ROOM, HOST.encryption_key)
        self.greeting = greeting
        self.hello = greeting.wire[padding.LENGTH :]
        self.ledger = Ledger(ROOM)
        self.ledger.host = self.ledger.add_member(HOST.key, "host", suite.hash_data(HOST.encryption_key.public)).id
        self.ledger.begin_log()
        self.requests = self._join("ben"), self._resume()
        self.ledger.add_member(ANN.key, "ann", suite.hash_data(ANN.encryption_key.public))
        self.epoch = Epoch.begin(bytes(32), self.ledger.digest, HOST.id)
        self.epoch.admit_member(ANN.id)
        chains = [self.epoch.ratchets[it.id] for it in (HOST, ANN)]
        roster = [
            room_state.RosterEntry(
                it.key, nick, 0, False, suite.hash_data(it.encryption_key.public), chain.generation, chain.chain_key
            )
            for it, nick, chain in zip((HOST, ANN), ("host", "ann"), chains, strict=True)
        ]
        keys = self.epoch
        secrets = keys.init_secret, keys.log_key, keys.newcomer_secret
        snapshot_entries = [room_state.SnapshotEntry(HOST.key, "host", 0, False, bytes(32))]
        base = room_state.RoomSnapshot(bytes(32), 0, Rights(), snapshot_entries, self.ledger.term)
        self.state = room_state.RoomState(
            ROOM,
            "demo",
            Rights(),
            self.ledger.term,
            ANY,
            NO_HISTORY,
            0,
            *secrets,
            bytes(112),
            LATEST,
            CREDENTIALS,
            roster,
            since=0,
            snapshot=base,
        )
        self.about = private.bind_message(ROOM, 0, ANN.id, 1, BOB.id)
        self.box = private.seal_message(BOB.encryption_key.public, b"for you alone", self.about)
        self.turn = commit.CommitSecret(ROOM, 1, self.ledger.digest, b"s" * 32, b"t" * 32)

    def _join(self, nick: str) -> JoinRequest:
        join = JoinRequest(bytes(32), BOB.key, BOB.encryption_key.public, nick, bytes(64))
        signature = BOB.sign(identity.JOIN, handshake.join_content(self.greeting.hello, join))
        return msgspec.structs.replace(join, signature=signature)

    def _resume(self) -> ResumeRequest:
        said = ANN.id, ANN.encryption_key.public, 0, 0, self.ledger.digest, list(self.ledger.openings), False
        resume = ResumeRequest(bytes(32), *said, bytes(64))
        signature = ANN.sign(identity.RESUME, handshake.resume_content(self.greeting.hello, resume))
        return msgspec.structs.replace(resume, signature=signature)


_SHAKEN = _Handshake()


def handshake_(data: bytes) -> None:
    """Hello, client handshake, welcome, commit share and records with bytes changed: a fault, or what was meant."""
    source = Source(data)
    parts = _hello, _client_handshake_box, _request, _welcome_box, _page, _state, _slice, _record
    what = source.pick(*parts, _padded_record, _batch, _entry, _private)
    try:
        what(source)
    except (PeerFault, NotAdmitted, handshake.OtherVersion):
        return


def _hello(source: Source) -> None:
    hello, digest = handshake.read_hello(source.edited(_SHAKEN.hello))
    payload = handshake.seal_request(_SHAKEN.requests[0], ROOM, hello, digest, bytes(16))
    assert len(payload) == limits.CLIENT_HANDSHAKE
    assert _SHAKEN.greeting.open_request(payload[padding.LENGTH :]) == _SHAKEN.requests[0]
    assert digest == _SHAKEN.greeting.hello


def _client_handshake_box(source: Source) -> None:
    request = source.pick(*_SHAKEN.requests)
    hello, digest = handshake.read_hello(_SHAKEN.hello)
    client_handshake = handshake.seal_request(request, ROOM, hello, digest, bytes(16))[padding.LENGTH :]
    ticket, box = client_handshake[: handshake.TICKET], client_handshake[handshake.TICKET :]
    changed = source.edited(box)
    assert _SHAKEN.greeting.open_request(ticket + changed) == request
    assert changed == box


def _request(source: Source) -> None:
    """A request that was changed before it was sealed: its signature tells."""
    right = source.pick(*_SHAKEN.requests)
    request = unpack(AnyRequest, source.edited(pack(right)))
    digest = _SHAKEN.greeting.hello
    if isinstance(request, JoinRequest):
        assert admission.choose_nick(_SHAKEN.ledger, ROOM, digest, request) == "ben"
    else:
        assert check_resume_request(_SHAKEN.ledger, HOST.id, ROOM, digest, request).id == ANN.id
    assert request == right


def _welcome(edit: Callable[[list[Any]], None]) -> None:
    """What comes of a welcome after this was done to its frames."""
    digest = _SHAKEN.greeting.hello
    sealed: list[Any] = welcome.seal_welcome(
        _SHAKEN.state, ANN.encryption_key.public, ROOM, digest, bytes(32), HOST.sign
    )
    edit(sealed)
    arrival = welcome.WelcomeReader(sealed[0], ANN.encryption_key, ROOM, digest)
    for page in sealed[1:]:
        state = arrival.take_page(page)
        assert state in (None, _SHAKEN.state)
        if state is not None:
            assert set(welcome.make_epoch(state).ratchets) == {HOST.id, ANN.id}


def _welcome_box(source: Source) -> None:
    def edit(sealed: list[Any]) -> None:
        sealed[0] = frames.WelcomeFrame(source.edited(sealed[0].box), source.pick(1, 2, limits.PAGES))

    _welcome(edit)


def _page(source: Source) -> None:
    def edit(sealed: list[Any]) -> None:
        sealed[1] = frames.PageFrame(source.edited(sealed[1].part))
        sealed += source.pick([], sealed[1:])

    _welcome(edit)


def _state(source: Source) -> None:
    """A state that was changed by one who has the key: the host's signature tells."""

    def edit(sealed: list[Any]) -> None:
        text = suite.Key(bytes(32)).open_sealed(0, sealed[1].part)
        assert text is not None
        sealed[1] = frames.PageFrame(suite.Key(bytes(32)).seal_text(0, source.edited(text)))

    _welcome(edit)


def _slice(source: Source) -> None:
    turn = _SHAKEN.turn
    changed = source.edited(turn.seal_share(ANN.id, ANN.encryption_key.public))
    assert commit.open_share(changed, ANN.encryption_key, ROOM, ANN.id, 1, turn.digest) == (
        turn.secret,
        turn.tag,
    )


def _record(source: Source) -> None:
    """Records of one end, of which one is changed, left out or repeated, at the other."""
    ends = [Channel(bytes(32), bytes(32), up=up) for up in (True, False)]
    sent: list[list[frames.FromMember]] = [
        [],
        [frames.SubmitFrame(0, b"x")] * 2,
        [frames.KeyFrame(ANN.encryption_key.public)],
    ]
    sealed = [ends[0].seal_frames(said, echo=not said)[padding.LENGTH :] for said in sent]
    at = source.below(3)
    match source.below(3):
        case 0:
            sealed[at] = source.edited(sealed[at])
        case 1:
            del sealed[at]
        case 2:
            sealed.insert(at, sealed[at])
    for number, payload in enumerate(sealed):
        assert ends[1].open_record(payload) == frames.MemberRecord(not sent[number], sent[number])


def _padded_record(source: Source) -> None:
    """One whose sender has its key: whatever is not packed, and padded, as it should be is a fault."""
    ends = [Channel(bytes(32), bytes(32), up=up) for up in (True, False)]
    record = frames.MemberRecord(
        bool(source.below(2)), [frames.SubmitFrame(0, b"x")] * source.pick(0, 1, limits.FRAMES)
    )
    text = source.edited(padding.fill_payload(source.edited(pack(record)), suite.TAG))
    opened = ends[1].open_record(ends[0].seal_padded(text))
    assert padding.fill_payload(padding.unpad_text(text), suite.TAG) == text
    assert len(opened.frames) <= limits.FRAMES
    assert unpack(frames.MemberRecord, pack(opened)) == opened


def _batch(source: Source) -> None:
    """A batch that is changed is none, whoever changes it; what its sealer packs wrongly is a fault."""
    epoch = _SHAKEN.epoch
    packed = pack(Batch([b"an entry", b"another"], [None, bytes(32)], bytes(112)))
    changed = source.edited(packed)
    content = epoch.seal_batch(changed, bytes)[padding.LENGTH :]
    edited = source.edited(content)
    opened = epoch.open_batch(edited)
    assert opened == (changed if edited == content else None)
    if opened is not None:
        unpack(Batch, opened)


def _entry(source: Source) -> None:
    """An entry that is changed does not open; nor does one under another header."""
    first = [Epoch.begin(bytes(32), bytes(32), HOST.id) for _ in "12"]
    header = source.pick(Header(ENTRY, HOST.id, 1, source.below(4), FLEETING), Header(COMMIT, HOST.id, 1))
    sealed = first[0].seal_entry(header, b"a body")
    edited = source.edited(sealed)
    assert first[1].open_entry(edited) == (header, b"a body")
    assert edited == sealed


def _private(source: Source) -> None:
    """A private message that is changed, or for somebody else, says nothing."""
    shaken = _SHAKEN
    changed = source.edited(shaken.box)
    said = private.open_message(changed, [ANN.encryption_key, BOB.encryption_key], shaken.about)
    assert said == (b"for you alone" if changed == shaken.box else None)


TARGETS: dict[str, Callable[[bytes], None]] = {
    "splitter": splitter,
    "padded": padded,
    "packed": packed,
    "code": code_,
    "lines": lines_,
    "view": view_,
    "keys": keys_,
    "screen": screen_,
    "handshake": handshake_,
    "host": host.host,
    "member": member.member,
    "heir": heir.heir,
    "transfer": transfer.transfer_,
    "file name": transfer.file_name_,
}


def _seeds() -> dict[str, list[bytes]]:
    """For each target, inputs that lead far into what it tests."""
    shaken = _SHAKEN
    contents: list[bodies.Body] = [
        bodies.TextBody("hello", True, reply=None),
        bodies.TextBody("a.pdf", False, None, file=bodies.FileOffer(1, bytes(32), bytes(32), bytes(32))),
        bodies.JoinedBody(ANN.key, "ann", bytes(32)),
        bodies.JoinedBody(ANN.key, "ann", bytes(32), Invited(ANN.key, bytes(32), bytes(64))),
        bodies.InviteBody(ANN.key, 0, 1, bytes(32)),
        bodies.RevokeBody(ANN.key),
        bodies.CommitBody(1, [], renew=False),
        bodies.RetractBody(1),
        bodies.OpeningBody(5, bytes(32), bytes(32), 1),
        bodies.HeirsBody([Heir(ANN.id, bytes(32))], entrusts=True),
        bodies.HandOverBody(leaves=True),
        bodies.CodeBody(bytes(32)),
        bodies.CodeBody(bytes(32), bytes(32)),
    ]
    passed: list[Backfilled] = [
        BackfilledEntry(bytes(33), b"x"),
        Tombstone(bytes(33), bytes(32)),
        RetractedEntry(bytes(33), bytes(32), 1, bytes(33), b"x"),
    ]
    openings = [Opening(0, HOST.id, 0, bytes(32)), Opening(5, ANN.id, 1, bytes(32), 1)]
    proof = [frames.SignedEntry(0, bytes(33), b"x")]
    redirect = frames.RedirectFrame(frames.Where(5, ANN.id, bytes(32), 1, bytes(32), openings, proof), bytes(64))
    hosts: list[list[frames.FromHost]] = [
        [],
        [
            frames.RefusedFrame("full", CREDENTIALS, bytes(64)),
            frames.DeniedFrame(1, "repeated"),
            frames.KeyNotFoundFrame(bytes(32)),
        ],
        [frames.WelcomeFrame(b"x", 1), frames.PageFrame(b"x"), frames.ResumedFrame(bytes(112), bytes(64))],
        [frames.BackfillFrame(passed, [None] * len(passed), bytes(112), bytes(112)), frames.CommitShareFrame(b"x")],
        [frames.KeyResponseFrame(ANN.encryption_key.public)],
        [frames.PrepareFrame(), frames.EntrustFrame(b"x"), frames.EchoedFrame(), frames.HostLivesFrame()],
        [frames.PoolFrame(b"x"), frames.ClientsFrame([bytes(32)] * limits.CLIENTS)],
        [frames.WaitingFrame(bytes(64)), frames.WantFrame(1, bytes(32), openings), redirect, frames.AskHostFrame()],
        [frames.HeldFrame(CREDENTIALS, bytes(64)), frames.KnockersFrame([frames.KnockEntry(bytes(32), "zoe", 1)])],
    ]
    members: list[list[frames.FromMember]] = [
        [frames.SubmitFrame(0, b"x"), frames.KeyFrame(ANN.encryption_key.public)],
        [frames.AbleFrame(), frames.PoolRequestFrame()],
        [frames.AddressFrame(bytes(32), bytes(64)), frames.EchoFrame(), frames.StraysFrame(1)],
        [frames.ReportFrame(True, 1, bytes(32), openings), redirect],
        [frames.BackfillFrame(passed, [None] * len(passed), bytes(112), bytes(112))],
    ]
    values: list[tuple[int, Any]] = [
        *((0, bodies.Content(bytes(limits.SALT), 1, bytes(32), body)) for body in contents),
        (1, Hello(VERSION, bytes(32), HOST.encryption_key.public)),
        *((2, request) for request in shaken.requests),
        (2, MeetRequest(bytes(32), ANN.id, bytes(32), 1, bytes(32), openings, bytes(64))),
        *((3, frames.MemberRecord(False, said)) for said in members),
        (3, frames.MemberRecord(True, [frames.KeyRequestFrame(bytes(32))] * limits.FRAMES)),
        *((4, frames.HostRecord(said)) for said in hosts),
        (5, shaken.state),
        (5, msgspec.structs.replace(shaken.state, snapshot=None)),
        (6, Batch([b"x", b"y"], [bytes(32), None], bytes(112))),
        (7, bodies.PrivateText("x", None)),
        (7, bodies.PrivateText("x", bodies.EntryId(ANN.id, 1))),
        (7, bodies.PrivateText("x", None, file=bodies.FileOffer(1, bytes(32), bytes(32), bytes(32)))),
    ]
    headers = [Header(ENTRY, ANN.id, 1, 2, 60), Header(COMMIT, HOST.id, 1), Header(OPENING, ANN.id, 0)]
    typed = ["hello", "//x", "/nick ann", "/me waves", "/join " + KEY.code, "/help /who", "/leave", "/create a"]
    objects = [{"id": 1, "text": "hi"}, {"id": "x", "command": "/who"}, {"text": "a", "command": "b"}, {"room": "r1"}]
    plain = [line.encode() for line in typed] + [json.dumps(each).encode() for each in objects]
    wild = "a\u202eb\u200b\x1b[2J\r\n\u0301\u0301\u0301\u0301\u0301\U0001f600\ue000\u2028\x9b[SYSTEM] x\nann: y"
    said = [b"24;80R", b"?2026;2$y", b"M !!", b"<0;1;1M", b"200~", b"201~", b"A", b"97u", b"[A", b"2$"]
    strings = [b"]11;rgb:0/0/0\x07", b"P>|XTerm\x1b\\", b"_G;OK\x1b\\", b"]52;c;L3F1aXQK\x1b\\"]
    answers = [*(b"\x1b[" + one for one in said), *(b"\x1b" + one for one in strings), b"\x9b24;80R", b"\x1b", b"\r"]
    terminal = [
        *(bytes([0, 39]) + (b"a" + answer) * 3 for answer in answers),
        *(bytes([0, 6]) + b"\x1b[200~" + bytes([4, 39]) + answer * 2 + b"\rb\x1b[201~" for answer in answers),
        b"".join(bytes([3, 1, byte]) for byte in b"\x1b[24;80R\x1b]0;x\x07"),
    ]
    emoji = "\U0001f468\u200d\U0001f469\u2764\ufe0f1\ufe0f\u20e3"
    joined = f"{emoji}\u0628\u200c\u0628\u0915\u094d\u200d\u0937\u0e01\u0e33\u1820\u180e\u1821"
    return {
        "transfer": [bytes([size, side]) + bytes(range(1, 60)) for size in range(6) for side in range(2)],
        "file name": ["../-e\u0301\u202e.txt".encode(), ("x" * 99 + ".tar.gz").encode(), b"\xff/.. /. "],
        "splitter": [
            *(
                bytes([pick, 39]) + padding.frame_content(bytes(size - 2)) * 3
                for pick in range(3)
                for size in padding.SIZES[:2]
            ),
            bytes([2, 3]) + b"\1\0" + bytes(300),
        ],
        "padded": [bytes([length, *bytes(length), 0, 0, at, 4, 0, length]) for length in (0, 10, 63) for at in (0, 9)],
        "packed": [
            *(bytes([kind]) + pack(value) for kind, value in values),
            *(bytes([8]) + header.pack() for header in headers),
        ],
        "code": [
            KEY.code.encode(),
            b"anonp2p:" + KEY.code.upper().encode(),
            KEY.code[:-6].encode(),
            b" x:y ",
            INVITATION.encode(),
        ],
        "lines": plain,
        "keys": terminal,
        "screen": terminal,
        "view": [wild.encode(), joined.encode(), "[SYSTEM] \u00e9\t\ufeff".encode(), *plain],
        "handshake": [bytes([what, 0, at, 0, change]) for what in range(12) for at in (0, 40) for change in (0, 1)],
        "host": host.SEEDS,
        "member": member.SEEDS,
        "heir": heir.SEEDS,
    }


SEEDS = _seeds()
