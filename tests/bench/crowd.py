"""The members that scripts/bench puts into a room: hundreds in one process, each with a real handshake.

Afterwards they count the entries that arrive, check by the heads that none is lost or comes twice, hash them, and
follow the epochs: what a member's own work would cost is not measured here, so a batch is opened once for all of them,
and no entry is. One loop over epoll; nothing waits for ever.
"""

import hashlib
import os
import select
import socket
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec

from anonp2p import limits
from anonp2p.crypto import commit, identity, padding, suite
from anonp2p.crypto.epoch import ENTRY, Epoch, Header
from anonp2p.crypto.ratchet import Ratchet
from anonp2p.protocol import bodies, frames, handshake, room_state, welcome
from anonp2p.protocol.batches import Batch
from anonp2p.protocol.field_types import Opening
from anonp2p.protocol.handshake import Channel
from anonp2p.protocol.packing import unpack
from anonp2p.protocol.requests import JoinRequest, ResumeRequest
from anonp2p.room.contents import entry_content, padded_content
from anonp2p.room.succession.terms import index_of
from tests.bench.children import BenchFailed

READ = 256 * 1024
SEND = 64 * 1024  # bytes that the kernel takes from a member: what is sent is to be at the host, not on its way
DIALLING = limits.HALF_OPEN // 2  # links in handshake at once
RETRY = 0.001  # seconds until what the host did not take is sent again
QUIET = 0.2  # seconds without anything to read: everything has arrived
HEADER = 33  # bytes of an entry's header
OPENED = 4_096  # batches that are remembered: more than are on their way to some and at others already


class Opened(NamedTuple):
    """A batch: the headers of its entries, its head, and whether what is looked out for is among them."""

    headers: frozenset[bytes]
    head: bytes
    has_watched: bool


class Batches:
    """What of the log was opened already. watched: bytes to look out for."""

    def __init__(self) -> None:
        self.watched = b""
        self._opened: dict[bytes, Opened] = {}  # by nonce

    def open(self, content: bytes, epoch: Epoch) -> Opened | None:
        """A content from the host; None if it is not of the log, but a record."""
        nonce = content[: suite.NONCE]
        opened = self._opened.get(nonce)
        if opened is not None:
            return opened
        packed = epoch.open_batch(content)
        if packed is None:
            return None
        if len(self._opened) == OPENED:
            del self._opened[next(iter(self._opened))]
        batch = unpack(Batch, packed)
        has_watched = bool(self.watched) and self.watched in packed
        headers = frozenset(entry[:HEADER] for entry in batch.entries)
        opened = self._opened[nonce] = Opened(headers, batch.head, has_watched)
        return opened


class Member:
    """A member's end of a link. Counts since `mark`. service: which it dials, where that is not the room's first."""

    def __init__(
        self, connection: socket.socket, room: bytes, number: int, batches: Batches, service: bytes = b""
    ) -> None:
        self._batches = batches
        self.me = identity.Identity(os.urandom(32), room)
        self._key = suite.EncryptionKeyPair(os.urandom(32))
        self._room = room
        self._epoch: Epoch | None = None  # with no ratchet but our own
        self._openings: list[Opening] = []
        self.index = self.first = -1  # of the latest entry that has come; of the one after which we were let in
        self._digest = b""  # of the log up to there
        self.missed = 0  # entries that the log had no more when we came back
        self.is_out = False  # whether it was ordered that we leave
        self._leaves: set[bytes] = set()  # the headers of the entries by which we have said so
        self.nick = f"m{number}"
        self.reads = True
        self.counter = 0
        self.seen = 0.0  # when what is looked out for came
        self.mark()
        self._begin_link(connection, service or room, os.urandom(handshake.TICKET))

    def _begin_link(self, connection: socket.socket, service: bytes, ticket: bytes) -> None:
        self.service, self._ticket = service, ticket  # service: of who hosts, as far as it knows
        self._hello = b""
        self._channel: Channel | None = None
        self._arrival: welcome.WelcomeReader | None = None
        self.socket = connection
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND)
        self.socket.setblocking(False)
        self.welcome = False
        self.ended = False
        self.out = b""  # what the host has not taken yet
        self._rest = b""

    def dial_again(self, connection: socket.socket, service: bytes) -> None:
        """Comes back on a new link, after the last one has ended, to the service of who hosts."""
        assert self._channel is not None, "it has been in"
        self.socket.close()
        self._begin_link(connection, service, self._channel.ticket)

    def mark(self) -> None:
        """Counts anew."""
        self.entries = 0
        self.hash = hashlib.sha256()

    def text(self, text: str) -> frames.SubmitFrame:
        """A signed and sealed message, to be sent in the order in which they are made."""
        return self.entry(bodies.TextBody(text, False, None))

    def entry(self, body: bodies.Body) -> frames.SubmitFrame:
        """The same of anything."""
        assert self._epoch is not None, "who speaks is in"
        self.counter += 1
        header = Header(ENTRY, self.me.id, self.counter, self._epoch.ratchets[self.me.id].generation)
        content = padded_content(bodies.Content(os.urandom(limits.SALT), self.index, self._digest, body))
        signature = self.me.sign(identity.ENTRY, entry_content(self._epoch.number, header.pack(), content))
        return frames.SubmitFrame(self._epoch.number, self._epoch.seal_entry(header, signature + content))

    def leave(self) -> frames.SubmitFrame:
        """A Leave. It has to be said again if an epoch ends meanwhile."""
        left = self.entry(bodies.LeaveBody())
        self._leaves.add(left.entry[:HEADER])
        return left

    def say(self, said: Sequence[frames.Frame], *, echo: bool = False) -> None:
        """Sends frames, in as few records as do; none: a heartbeat."""
        assert self._channel is not None, "who speaks is in"
        self.send(self._channel.seal_frames(said, echo=echo))

    def heartbeat(self, times: int) -> None:
        """Sends nothing but records, each of which wants an answer."""
        assert self._channel is not None, "who speaks is in"
        self.send(b"".join(self._channel.seal_frames([], echo=True) for _ in range(times)))

    def send(self, data: bytes = b"") -> None:
        """Sends, or keeps what the host does not take yet."""
        self.out += data
        try:
            while self.out:
                self.out = self.out[self.socket.send(self.out) :]
        except BlockingIOError:
            pass
        except OSError:
            self.ended = True

    def receive(self) -> int:
        """Takes in what has come; returns how many entries that completed."""
        try:
            data = self.socket.recv(READ)
        except BlockingIOError:
            return 0
        except OSError:
            data = b""
        if not data:
            self.ended = True
            return 0
        if self._rest:
            data = self._rest + data
        return self._count(data) if self.welcome else self._meet(data)

    def _count(self, data: bytes) -> int:
        assert self._epoch is not None, "who counts is in"
        entries = at = 0
        while len(data) - at >= padding.LENGTH:
            end = at + padding.LENGTH + (data[at] << 8 | data[at + 1])
            if end > len(data):
                break
            content = data[at + padding.LENGTH : end]
            opened = self._batches.open(content, self._epoch)
            if opened is None:
                entries += self._take_record(content)
            elif opened.headers:  # heads alone are not for all
                entries += len(opened.headers)
                self._follow(opened.headers, opened.head)
                self.hash.update(content)
                if opened.has_watched:
                    self.seen = time.monotonic()
            at = end
        self._rest = data[at:]
        self.entries += entries
        return entries

    def _follow(self, headers: frozenset[bytes], head: bytes) -> None:
        """The log goes on with the entries that have these headers, up to this head."""
        index = index_of(int.from_bytes(head[:8], "big"))
        if index - len(headers) != self.index:
            raise BenchFailed(f"after entry {self.index}, {self.nick} was sent {len(headers)} up to {index}")
        self.index, self._digest = index, head[8:40]
        self.is_out = self.is_out or bool(self._leaves and self._leaves & headers)

    def _meet(self, data: bytes) -> int:
        at = 0
        while len(data) - at >= 2 and len(data) >= (end := at + 2 + int.from_bytes(data[at : at + 2], "big")):
            content, at = data[at + 2 : end], end
            if self._channel is None:
                self._client_handshake(content)
            else:
                self.entries += self._take_record(content)
            if self.welcome:
                return self._count(data[at:])
        self._rest = data[at:]
        return 0

    def _client_handshake(self, content: bytes) -> None:
        hello, self._hello = handshake.read_hello(content)
        link = os.urandom(32)
        request = self._join(link) if self._epoch is None else self._resume(link, self._epoch.number)
        self.send(handshake.seal_request(request, self.service, hello, self._hello, self._ticket))
        self._channel = Channel(link, self._hello, up=True)

    def _join(self, link: bytes) -> JoinRequest:
        unsigned = JoinRequest(link, self.me.key, self._key.public, self.nick, bytes(64))
        content = handshake.join_content(self._hello, unsigned)
        return msgspec.structs.replace(unsigned, signature=self.me.sign_for(self.service, identity.JOIN, content))

    def _resume(self, link: bytes, epoch: int) -> ResumeRequest:
        log = epoch, self.index, self._digest, self._openings
        unsigned = ResumeRequest(link, self.me.id, self._key.public, *log, True, bytes(64))
        content = handshake.resume_content(self._hello, unsigned)
        return msgspec.structs.replace(unsigned, signature=self.me.sign_for(self.service, identity.RESUME, content))

    def _take_record(self, content: bytes) -> int:
        """What is for this link alone; how many entries were in it."""
        assert self._channel is not None, "records follow the handshake"
        entries = 0
        for frame in self._channel.open_record(content).frames:
            match frame:
                case frames.BackfillFrame(entries=opened, head=head):
                    entries += len(opened)
                    self._follow(frozenset(each.header for each in opened), head)
                case frames.CommitShareFrame(box=box):
                    self._begin_epoch(box)
                case frames.WelcomeFrame():
                    self._arrival = welcome.WelcomeReader(frame, self._key, self.service, self._hello)
                case frames.PageFrame():
                    assert self._arrival is not None, "it comes after its welcome"
                    if state := self._arrival.take_page(frame):
                        self._arrival = None
                        self._come_in(state)
                case frames.ResumedFrame():
                    self.welcome = True
                case frames.RefusedFrame(reason=reason):
                    raise BenchFailed(f"a member was refused: {reason}")
        return entries

    def _come_in(self, state: room_state.RoomState) -> None:
        head = state.head
        if self.index < 0:
            assert state.since == index_of(int.from_bytes(head[:8], "big")), "the room shows no history"
            self.first = state.since
        else:
            self.missed += state.since - self.index
        self.index, self._digest = state.since, head[8:40]
        own = next(it for it in state.roster if it.key == self.me.key)
        ratchets = {self.me.id: Ratchet(own.chain_key, own.generation)}
        self._epoch = Epoch(state.epoch, state.init_secret, state.log_key, state.newcomer_secret, ratchets)
        self._openings = list(state.term.openings)
        self.welcome = True

    def _begin_epoch(self, box: bytes) -> None:
        assert self._epoch is not None, "who gets a share is in"
        share = self._room, self.me.id, self._epoch.number + 1, self._digest
        secret, given = commit.open_share(box, self._key, *share)
        self._epoch, tag = self._epoch.follow(secret, self._digest, [self.me.id])
        commit.check_confirmation_tag(tag, given)


Dial = Callable[[], socket.socket | None]


def loopback(port: int) -> Dial:
    """Dials a port of this machine."""
    return lambda: socket.create_connection(("127.0.0.1", port))


class Crowd:
    """Members, and the loop that moves what they send and get.

    dial: the next connection to the room, or None as long as there is none. seconds: after which BenchFailed is raised.
    """

    def __init__(self, dial: Dial, room: bytes, seconds: float) -> None:
        self.members: list[Member] = []
        self.batches = Batches()
        self._dial, self._room = dial, room
        self._service = room
        self._named = 0  # members that there have been
        self._deadline = time.monotonic() + seconds
        self._epoll = select.epoll()
        self._by_descriptor: dict[int, Member] = {}
        self._senders: set[Member] = set()
        self._beaten = time.monotonic()
        self._next_heartbeat = 0

    def close(self) -> None:
        """Hangs up."""
        for member in self.members:
            member.socket.close()
        self._epoll.close()

    def join(self, count: int, meanwhile: Callable[[], object] = lambda: None) -> list[Member]:
        """Lets so many in, as fast as the host takes them. meanwhile: called now and then."""
        new: list[Member] = []
        while len(new) < count or not all(member.welcome for member in new[-DIALLING:]):
            while len(new) < count and sum(not member.welcome for member in new[-DIALLING:]) < DIALLING:
                member = self.begin_joining()
                if member is None:
                    break
                new.append(member)
            self.pump()
            meanwhile()
        return new

    def begin_joining(self) -> Member | None:
        """One more dials, if there is a connection."""
        connection = self._dial()
        if connection is None:
            return None
        member = Member(connection, self._room, self._named, self.batches, self._service)
        self._named += 1
        self.members.append(member)
        self._read(member)
        return member

    def follow_host(self, dial: Dial, service: bytes) -> None:
        """The room is reached by this service from now on."""
        self._dial, self._service = dial, service

    def come_back(self, member: Member) -> bool:
        """A member whose link has ended dials again; False if there is no connection."""
        connection = self._dial()
        if connection is None:
            return False
        member.dial_again(connection, self._service)
        self._read(member)
        return True

    def forget(self, member: Member) -> None:
        """A member whose link has ended does not come back."""
        member.socket.close()
        self.members.remove(member)
        self._senders.discard(member)

    def ignore(self, member: Member) -> None:
        """From now on this member reads nothing; it goes on to beat."""
        self._epoll.unregister(member.socket)
        member.reads = False

    def heed(self, member: Member) -> None:
        """It reads again."""
        self._read(member)

    def _read(self, member: Member) -> None:
        member.reads = True
        self._by_descriptor[member.socket.fileno()] = member
        self._epoll.register(member.socket, select.EPOLLIN)

    def pump(self, wait: float = 0.05) -> int:
        """Moves what there is to move; returns how many entries came."""
        now = time.monotonic()
        if now > self._deadline:
            raise BenchFailed("it took too long")
        self._heartbeat(now)
        pending = [member for member in self._senders if member.out]
        for member in pending:
            member.send()
        entries = 0
        ready = self._epoll.poll(RETRY if pending else wait)
        for descriptor, _ in ready:
            member = self._by_descriptor[descriptor]
            entries += member.receive()
            if member.ended:
                if member.first < 0:
                    raise BenchFailed("a newcomer was turned away")
                self._epoll.unregister(descriptor)
                member.reads = False
        return entries

    def until(self, condition: Callable[[], bool]) -> None:
        """Pumps until this holds."""
        while not condition():
            self.pump()

    def say(self, member: Member, said: Sequence[frames.Frame]) -> None:
        """Sends, over as many pumps as it takes."""
        self._senders.add(member)
        member.say(said)

    def heartbeat(self, member: Member, times: int) -> None:
        """The same of records that say nothing."""
        self._senders.add(member)
        member.heartbeat(times)

    def settle(self) -> None:
        """Waits for calm, then lets every member count anew."""
        self.calm()
        for member in self.members:
            member.mark()

    def calm(self) -> None:
        """Pumps until everything that is on its way has arrived."""
        quiet = time.monotonic() + QUIET
        while time.monotonic() < quiet:
            if self.pump():
                quiet = time.monotonic() + QUIET

    def _heartbeat(self, now: float) -> None:
        """Each member in turn, all of them within a heartbeat's time."""
        due = int((now - self._beaten) / (limits.HEARTBEAT * 0.9) * len(self.members))
        if not due:
            return
        self._beaten = now
        for _ in range(min(due, len(self.members))):
            self._next_heartbeat = (self._next_heartbeat + 1) % len(self.members)
            member = self.members[self._next_heartbeat]
            if member.welcome and not member.ended and not member.out:
                member.say([])
