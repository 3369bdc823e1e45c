"""The parts of a host's role, each over what it needs and nothing else."""

from anonp2p.crypto import suite
from anonp2p.protocol import bodies, room_state
from anonp2p.protocol.handshake import Channel
from anonp2p.room import effects, inputs
from anonp2p.room.contents import unpack_content
from anonp2p.room.context import Context, create_context
from anonp2p.room.host.admission import Admission
from anonp2p.room.host.commits import Commits
from anonp2p.room.host.founding import Founding, found_room
from anonp2p.room.host.knockers import Knockers
from anonp2p.room.host.meetings import Meetings
from anonp2p.room.host.presence import MemberLink, Presence
from anonp2p.room.host.sequencer import Sequencer
from anonp2p.room.log.log import Log
from anonp2p.room.log.reader import LogReader
from anonp2p.room.retention import ANY, NO_HISTORY
from tests.room.peers import ROOM, ROOM_KEY, Sealer, Somebody, randomness
from tests.support.world import START

SECRET, HELLO = b"s" * 32, b"n" * 32  # of all links


def new_context(*, cover: bool = False) -> Context:
    """What a room has before anything happened."""
    context = create_context(label="r1", key=ROOM, random=randomness(b"host"), cover=cover)
    set_time(context, 0.0)
    return context


def set_time(context: Context, seconds: float, slept: float = 0.0) -> None:
    """So many seconds have passed since the beginning, and so many more in which the machine slept."""
    context.clock.now = inputs.Now(START + seconds, 1_000_000.0 + seconds, slept)


def take_effects(context: Context) -> list[effects.Effect]:
    """What was to be done since the last time, but for what the user is told."""
    return [effect for effect in context.reporter.take_effects() if not isinstance(effect, effects.TellEffect)]


def new_link(who: Somebody, log: Log) -> MemberLink:
    """A link of this member's, which has all of the log."""
    channel = Channel(SECRET, HELLO, up=False)
    reader = LogReader(log, log.end, who.id, who.encryption_key.public, channel)
    return MemberLink(who.id, channel, reader, ROOM, HELLO)


def far_end() -> Channel:
    """The member's end of such a link's channel."""
    return Channel(SECRET, HELLO, up=True)


class Ordering:
    """A room of which we are the host, with what orders its entries and ends its epochs."""

    def __init__(self, *, history: room_state.HistoryPolicy = NO_HISTORY, cover: bool = False) -> None:
        self.context = new_context(cover=cover)
        self.context.serving.add_key(ROOM_KEY)
        self.sequencer = Sequencer(self.context)
        self.presence = Presence(self.context)
        self.commits = Commits(self.context, self.sequencer, self.presence)
        self.sequencer.begin(found_room(self.context, Founding(ROOM_KEY, "hugo", "demo", ANY, history)))
        self.commits.begin()

    def new_admission(self) -> Admission:
        """What lets people in."""
        meetings = Meetings(self.context, self.presence)
        parts = self.sequencer, self.presence, self.commits, meetings, Knockers(self.context)
        return Admission(self.context, *parts)

    def add_member(self, who: Somebody, nick: str) -> None:
        """Somebody has joined."""
        key_hash = suite.hash_data(who.encryption_key.public)
        self.context.replica.add_key(key_hash, who.encryption_key.public)
        self.sequencer.order_own(bodies.JoinedBody(who.key, nick, key_hash))
        self.presence.add_member(who.id, self.commits.renewable)

    def throw_out(self, who: Somebody, why: str = "") -> None:
        """We, who have founded the room, have ordered somebody out."""
        self.sequencer.order_own(bodies.RemoveBody([who.id], why, ban=False))
        self.commits.carry_out_orders()

    def add_link(self, number: int, who: Somebody) -> MemberLink:
        """The member has a link, and all of the log."""
        self.sequencer.end_batch()
        link = new_link(who, self.sequencer.log)
        self.presence.add_link(number, link, [])
        take_effects(self.context)
        return link

    def sealer(self) -> Sealer:
        """Seals what members write next."""
        sealer = Sealer()
        sealer.epoch = self.context.replica.current_epoch
        sealer.reference = self.context.replica.ledger.index, self.context.replica.ledger.digest
        sealer.know_chains()
        return sealer

    def bodies(self, start: int = 1) -> list[bodies.Body]:
        """What was ordered from this index on."""
        log = self.sequencer.log
        return [unpack_content(log.find_entry(index).body).body for index in range(start, log.end)]
