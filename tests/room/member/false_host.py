"""A host that a test plays, and a real room that wants to be its guest."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

import msgspec

from anonp2p import limits
from anonp2p.crypto import identity, invitations, suite
from anonp2p.crypto.commit import CommitSecret
from anonp2p.crypto.epoch import COMMIT, ENTRY, Epoch, Header
from anonp2p.crypto.identity import Identity
from anonp2p.crypto.padding import LENGTH
from anonp2p.errors import PeerFault
from anonp2p.protocol import bodies, credentials, field_types, frames, handshake, room_state, welcome
from anonp2p.protocol.batches import Backfilled, BackfilledEntry, Batch
from anonp2p.protocol.handshake import Channel, HostHandshake
from anonp2p.protocol.packing import pack
from anonp2p.protocol.requests import MeetRequest
from anonp2p.protocol.rights import ReturnKey, Rights
from anonp2p.reasons import Fault, LinkEnd
from anonp2p.room import effects, events, inputs
from anonp2p.room.contents import head_content, unpack_content
from anonp2p.room.ledger import Ledger
from anonp2p.room.link_effects import LinkEffect
from anonp2p.room.retention import ANY, NO_HISTORY
from anonp2p.room.room import Room
from tests.room.peers import ANN, CREDENTIALS, HOST, NOW, ROOM, Placed, Sealer, randomness, told
from tests.support.terms import founders_term
from tests.support.world import PLAYED, START, End, payloads

DIGEST = b"d" * 32  # of the log that a false host had, but for its last entry, before it let its guest in
HERE = 4  # the index of that
FAR = HERE + limits.PROOF_ENTRIES + 10  # an index to which no host has to prove the way from there

# What a guest may be made to hear: a frame in a record, a payload as it is, an entry in its place in a batch of its
# own, or what is only made when its turn has come.
Item = frames.Frame | bytes | Placed | Callable[[], Any] | list[Any]

POOL = b"p" * 32  # of a private room


class FalseHost:
    """A host, and a real room that wants to be its guest, as far as the test lets it come."""

    def __init__(
        self,
        nick: str = "me",
        *,
        retention: room_state.RetentionPolicy = ANY,
        history: room_state.HistoryPolicy = NO_HISTORY,
        seed: bytes = b"guest",
    ) -> None:
        self.sealer = Sealer()
        self.random = randomness(b"host")
        self.ledger = Ledger(ROOM)
        self.ledger.name = "demo"
        self.ledger.retention, self.ledger.history = retention, history
        self.ledger.host = self.ledger.add_member(HOST.key, "hugo", suite.hash_data(HOST.encryption_key.public), 3).id
        self.ledger.add_member(ANN.key, "ann", suite.hash_data(ANN.encryption_key.public))
        self.contexts: dict[Header, bytes | None] = {}  # of each entry, what is said of the group context
        self.context = b""  # the latest
        self.ledger.begin_log()
        self.begin_at(HERE)
        self.sealer.counters = {HOST.id: 3}
        self.sealer.epoch = Epoch.begin(b"s" * 32, bytes(32), HOST.id)
        self.sealer.epoch.admit_member(ANN.id)
        self.time = 0
        self.me = b""  # the guest
        self.now = NOW
        self.placed: list[Placed] = []
        self.end = End(PLAYED, START)  # the guest's
        self.watch: Callable[[inputs.Input, list[events.Event]], None] = lambda _, __: None  # is told of each step
        self.is_dialling = False  # whether the guest wants a link, and has none yet
        self.room = Room(label="r1", key=ROOM, random=randomness(seed), nick=nick)
        self.takes(inputs.StartInput())

    # --- the guest

    def takes(self, step: inputs.Input, now: inputs.Now | None = None) -> list[events.Event]:
        """What it tells its user about this step."""
        now = now or self.now
        self.effects = self.room.handle_input(step, now)
        for effect in self.effects:
            if isinstance(effect, effects.DialEffect):
                self.end = End(effect.link, now.tick)
                self.is_dialling = True
            elif isinstance(effect, LinkEffect):
                self.end.carry_out(effect, now.tick)
        self._sent = self.end.take_output()
        has_records = any(isinstance(effect, effects.RecordEffect) for effect in self.effects)
        self._records = [self.channel.open_record(payload) for payload in self._sent] if has_records else []
        shown = told(self.effects)
        self.watch(step, shown)
        return shown

    def hears(self, *items: Item) -> list[events.Event]:
        """What it tells its user about these."""
        shown = []
        for item in items:
            if isinstance(item, list):
                shown += self.hears(*item)
            elif isinstance(item, Placed):
                shown += self.hears(self.past(item) if item.header.kind == COMMIT else self.batch(item))
            elif isinstance(item, bytes):
                shown += self.takes(inputs.ReceivedInput(self.end.number, item))
            elif callable(item):
                shown += self.hears(item())
            else:
                shown += self.hears(self.record(item))
        return shown

    def record(self, *said: frames.Frame) -> list[bytes]:
        """The payloads of these frames, in as few records as do."""
        return payloads(self.channel.seal_frames(said))

    def sent(self) -> list[bytes]:
        """The payloads that it sent with its last step: a client handshake, or records."""
        return self._sent

    def records(self) -> list[Any]:
        """The records that it sent with its last step."""
        return self._records

    def spoken(self) -> list[Any]:
        """The frames in them."""
        return [frame for record in self.records() for frame in record.frames]

    def submits(self) -> list[Placed]:
        """The entries that it sent with its last step."""
        entries = [self.sealer.opened(frame.entry) for frame in self.spoken() if isinstance(frame, frames.SubmitFrame)]
        for entry in entries:
            counters, generations = self.sealer.counters, self.sealer.generations
            counters[self.me] = max(counters.get(self.me, 0), entry.header.counter)
            generations[self.me] = max(generations[self.me], entry.header.generation + 1)
        return entries

    def says(self, words: str) -> Placed:
        """Its user says this; the entry that it sends."""
        self.takes(inputs.SayInput(words))
        [entry] = self.submits()
        return entry

    # --- the link

    def greets(self) -> Any:
        """It dials and is greeted: the request in its client handshake."""
        self.awaits_dial()
        greeting = HostHandshake(self.random(32), ROOM, suite.EncryptionKeyPair(self.random(32)))
        self.hello = greeting.hello
        assert self.takes(inputs.ReceivedInput(self.end.number, greeting.wire[2:])) == []
        [client_handshake] = self.sent()
        self.ticket = handshake.read_ticket(client_handshake)
        request = greeting.open_request(client_handshake)
        assert not isinstance(request, MeetRequest), "that is what hosts ask"
        self.request = request
        self.channel = Channel(self.request.link_secret, self.hello, up=False)
        return self.request

    def awaits_dial(self) -> None:
        """Time passes until it wants to dial."""
        while not (self.is_dialling or self.room.over):
            deadline = self.room.next_deadline()
            assert deadline is not None, "a member without a link that does not want one"
            self.now = self.now._replace(tick=max(self.now.tick, deadline))
            self.takes(inputs.TickInput())
        self.is_dialling = False

    def redials(self, reason: Fault | LinkEnd = "closed") -> Any:
        """Its link breaks, and it dials again: the request in its client handshake."""
        self.takes(inputs.DroppedInput(self.end.number, reason, 0.0))
        return self.greets()

    def roster_guest(self, nick: str | None = None) -> None:
        """The one who asks is a member from here on: for the first time without an entry that says so."""
        join: Any = self.request
        is_first = not self.me
        me = self.ledger.add_member(join.key, nick or join.nick, suite.hash_data(join.encryption_key))
        self.me = me.id
        if is_first:
            self.begin_at(self.ledger.index, self.latest.digest)
        else:
            self.begin_at(self.ledger.index + 1, self.ledger.digest)
        self.sealer.epoch.admit_member(me.id)
        self.sealer.know_chains()

    def make_private(self, guest: bytes = b"") -> None:
        """Who is in, and the guest, find the room by keys alone. guest: its return key, if it is not its own."""
        me = self.room.replica.me
        keys = {HOST.id: HOST.return_key, ANN.id: ANN.return_key, me.id: guest or me.return_key}
        self.ledger.rights = Rights(
            private=True,
            members_key=invitations.derive_members_key(POOL),
            returns=tuple(ReturnKey(member, invitations.find_client(key)) for member, key in keys.items()),
        )
        self.ledger.begin_log()
        self.begin_at(HERE)

    def lets_in(self) -> list[events.Event]:
        """It asks, and is let in."""
        self.greets()
        self.roster_guest()
        return self.hears(*self.welcome())

    def orders_guest(self, **otherwise: Any) -> Placed:
        """The one who asks is a member from this entry on."""
        join: Any = self.request
        self.me = identity.member_id(join.key)
        return self.entry(
            HOST, bodies.JoinedBody(join.key, join.nick, suite.hash_data(join.encryption_key)), **otherwise
        )

    def base(self) -> room_state.RoomSnapshot:
        """The room as it is now, as the beginning of a history."""
        room = self.ledger
        members = [room_state.SnapshotEntry(it.key, it.nick, it.counter, it.away, it.key_hash) for it in room.roster]
        return room_state.RoomSnapshot(room.digest, room.epoch, room.rights, members, room.term)

    def state(self) -> room_state.RoomState:
        """The room as it is now."""
        roster = []
        for it in self.ledger.roster:
            chain = self.sealer.chain(it.id, self.sealer.generations[it.id])
            roster.append(
                room_state.RosterEntry(
                    it.key, it.nick, it.counter, it.away, it.key_hash, chain.generation, chain.chain_key
                )
            )
        keys, room = self.sealer.epoch, self.ledger
        return room_state.RoomState(
            room.room,
            room.name,
            room.rights,
            room.term,
            room.retention,
            room.history,
            keys.number,
            keys.init_secret,
            keys.log_key,
            keys.newcomer_secret,
            self.head_text(),
            self.latest,
            CREDENTIALS,
            roster,
            room.index,
            None,
        )

    def welcome(
        self,
        *,
        past: bool = False,
        sign: Callable[[bytes, bytes], bytes] = HOST.sign,
        hello: bytes | None = None,
        room: bytes = ROOM,
        key: bytes | None = None,
        state: room_state.RoomState | None = None,
        head: dict[str, Any] | None = None,
        host: bytes | None = None,
        **otherwise: Any,
    ) -> list[frames.Frame]:
        """A Welcome and its pages, of the room as it is, or of this state.

        past: the guest goes on from its own log. host: who it says is host. otherwise: what its state says instead;
        head: what its head says instead, which covers whatever roster the state has, unless that says another digest.
        """
        if past:
            resume: Any = self.request
            otherwise = {"since": resume.index, **otherwise}
        if host is not None:
            otherwise["term"] = founders_term(host, ROOM)
        state = msgspec.structs.replace(state or self.state(), **otherwise)
        if head is not None or otherwise.keys() - {"since", "snapshot", "head"}:
            index = (head or {}).get("index", self.ledger.index)
            fitting = self.head_text(**{"digest": leads_to(state, index), **(head or {})})
            state = msgspec.structs.replace(state, head=fitting)
        to = key or self.request.encryption_key
        return welcome.seal_welcome(state, to, room, hello or self.hello, self.random(32), sign)

    def past(
        self,
        *entries: Placed,
        gone: Iterable[Placed] = (),
        head: bytes | None = None,
        index: int | None = None,
        time: int | None = None,
        **otherwise: Any,
    ) -> frames.BackfillFrame:
        """A batch of these, opened.

        gone: which of them have expired; index, time: as of which the host says that; otherwise: what it says instead.
        """
        gone = list(gone)
        for entry in entries:
            self.place(entry)
        opened: list[Backfilled] = [
            entry.gone if entry in gone else BackfilledEntry(entry.header.pack(), entry.body) for entry in entries
        ]
        contexts = [self.contexts.get(entry.header) for entry in entries]
        past = frames.BackfillFrame(opened, contexts, head or self.head_text(), self.head_text(index=index, time=time))
        return msgspec.structs.replace(past, **otherwise)

    def proof(self, *entries: Placed) -> frames.ProofFrame:
        """These get their places unseen: what is shown of them."""
        for entry in entries:
            self.place(entry)
        return self.proof_of(*entries)

    def proof_of(self, *entries: Placed) -> frames.ProofFrame:
        """What is shown of entries that are missed for good."""
        return frames.ProofFrame(
            [it.header.pack() + suite.hash_data(it.body) + (self.contexts.get(it.header) or b"") for it in entries]
        )

    def resumed(self, index: int | None = None, time: int | None = None) -> frames.ResumedFrame:
        """The guest has its place again, in the log as it is now, but for what the arguments say."""
        return credentials.sign_resumption(self.head_text(index=index, time=time), self.hello, HOST.sign)

    def refused(self, reason: frames.Refusal) -> frames.RefusedFrame:
        """The guest is not let in."""
        return credentials.sign_refusal(reason, self.hello, CREDENTIALS, HOST.sign)

    def held(self) -> frames.HeldFrame:
        """The guest is to wait until a moderator lets it in."""
        return credentials.sign_hold(self.hello, CREDENTIALS, HOST.sign)

    # --- the log

    def entry(self, author: Identity, body: bodies.Body | bytes, **otherwise: Any) -> Placed:
        """What somebody says next, who knows the log as it is but where the arguments say otherwise (see `Sealer`)."""
        otherwise.setdefault("reference", (self.ledger.index % field_types.COUNTS, self.ledger.digest))
        return self.sealer.entry(author, body, **otherwise)

    def place(self, entry: Placed) -> None:
        """The next place is this one's, whatever it says, if there is one."""
        self.placed.append(entry)
        with suppress(PeerFault, AssertionError):
            author = self.ledger.get_member(entry.header.author)
            content = unpack_content(entry.body)
            about = self.ledger.apply_content(author, entry.header, content)
            if isinstance(content.body, bodies.JoinedBody):
                self.sealer.admit_member(about.id)
        with suppress(OverflowError):
            self.extend(entry.header, suite.hash_data(entry.body))

    def begin_at(self, index: int, before: bytes = DIGEST) -> None:
        """The log has so many entries, of which nobody here has seen any. before: the digest of all but the last."""
        self.ledger.start_at(index - 1, before)
        self.extend(Header(ENTRY, HOST.id, 0), bytes(32))

    def extend(self, header: Header, body: bytes) -> None:
        """An entry that has taken effect is in the log. body: the hash of its body."""
        before, context = self.ledger.digest, self.context
        self.ledger.extend_log(header, body)
        self.context = self.ledger.group_context
        self.latest = room_state.LatestEntry(before, header.pack(), body)
        self.contexts[header] = None if self.context == context else self.context

    def head_text(
        self,
        *,
        index: int | None = None,
        digest: bytes | None = None,
        time: int | None = None,
        signer: Identity = HOST,
        label: bytes = identity.HEAD,
    ) -> bytes:
        content = head_content(
            self.ledger.index if index is None else index,
            self.ledger.digest if digest is None else digest,
            self.time if time is None else time,
        )
        return content + signer.sign(label, content)

    def batch(self, *entries: Placed, **otherwise: Any) -> bytes:
        """The payload of these in their places, with a head over all so far, but for what the arguments say."""
        for entry in entries:
            self.place(entry)
        contexts = [self.contexts.get(entry.header) for entry in entries]
        return self.batch_of([entry.sealed for entry in entries], self.head_text(**otherwise), contexts)

    def batch_of(self, entries: list[bytes], head: bytes, contexts: list[bytes | None] | None = None) -> bytes:
        """The same of anything, without group contexts but for these."""
        batch = Batch(entries, [None] * len(entries) if contexts is None else contexts, head)
        return self.sealer.epoch.seal_batch(pack(batch), self.random)[LENGTH:]

    def head(self, **otherwise: Any) -> bytes:
        """A head alone over all so far, but for what the arguments say."""
        return self.batch(**otherwise)

    # --- commits

    def order_out(self, *members: bytes) -> Placed:
        """That a moderator wants these out, at once."""
        return self.entry(HOST, bodies.RemoveBody(list(members), "", ban=False))

    def commit(
        self,
        *removed: bodies.Removal,
        epoch: int | None = None,
        author: Identity = HOST,
        kind: int = COMMIT,
        renew: bool = False,
    ) -> Placed:
        """A commit that removes these."""
        number = self.sealer.epoch.number + 1 if epoch is None else epoch
        return self.entry(author, bodies.CommitBody(number, list(removed), renew=renew), kind=kind)

    def slice(
        self,
        *,
        digest: bytes | None = None,
        tag: bytes | None = None,
        member: bytes | None = None,
        epoch: int | None = None,
        room: bytes = ROOM,
        key: bytes | None = None,
        secret: bytes | None = None,
    ) -> frames.CommitShareFrame:
        """The commit has its place: the next epoch begins, and the guest gets its share."""
        fresh = self.random(32)
        members = [it.id for it in self.ledger.roster]
        proper = self.sealer.follow(fresh, self.ledger.digest, members)
        number = self.sealer.epoch.number if epoch is None else epoch
        turn = CommitSecret(room, number, digest or self.ledger.digest, secret or fresh, tag or proper)
        return frames.CommitShareFrame(turn.seal_share(member or self.me, key or self.request.encryption_key))

    def turns(self, *removed: bodies.Removal, renew: bool = False) -> list[events.Event]:
        """An epoch ends, and another begins."""
        return self.hears(self.commit(*removed, renew=renew), self.slice)


def leads_to(state: room_state.RoomState, index: int) -> bytes:
    """The digest of a log at this index that has the latest entry and the roster of a Welcome, whatever they are."""
    roster = [identity.hash_roster_entry(pack([it.key, it.nick, it.away, it.key_hash])) for it in state.roster]
    rules = [state.retention, state.history]
    array = [
        ROOM,
        state.name,
        state.epoch,
        *(state.term.number, state.host, state.term.address, state.term.code),
        *(state.term.heirs, state.term.holders, state.term.handed_over),
        rules,
        state.rights,
        b"".join(roster),
    ]
    context = identity.hash_group_context(pack(array))
    latest = state.latest
    return identity.extend_log_hash(latest.digest, index % 2**64, latest.header, latest.body, context)
