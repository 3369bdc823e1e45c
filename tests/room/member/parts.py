"""The parts of a member's role, each over a room's context and nothing else: no link, no host, no whole room."""

from anonp2p import limits
from anonp2p.crypto import identity, suite
from anonp2p.crypto.epoch import ENTRY, KEPT, Epoch, Header
from anonp2p.crypto.identity import Identity
from anonp2p.protocol import bodies
from anonp2p.protocol.requests import AnyRequest
from anonp2p.room import effects, events, inputs
from anonp2p.room.contents import entry_content, head_content, padded_content
from anonp2p.room.context import Context, create_context
from anonp2p.room.entries import OpenedEntry
from anonp2p.room.gate import Caller, Gate, NotAdmitted
from anonp2p.room.ledger import Ledger
from anonp2p.room.member.host_check import HostCheck
from anonp2p.room.member.uplink import Uplink
from anonp2p.room.succession.patience import Patience
from tests.room.peers import ANN, HOST, ROOM, randomness, told
from tests.support.world import START

SECRET, HELLO = b"s" * 32, b"n" * 32  # of all links


def new_context(*, cover: bool = False) -> Context:
    """What we have of a room that we are not in."""
    context = create_context(label="r1", key=ROOM, random=randomness(b"member"), cover=cover, re="1")
    set_time(context, 0.0)
    return context


def joined_context(*, cover: bool = False) -> Context:
    """What we have of a room in which we are `me`, with Hugo as the host, and Ann."""
    context = new_context(cover=cover)
    fill_ledger(context.replica.ledger, context)
    context.replica.begin_log(context.replica.ledger.copy())
    context.replica.epoch = new_epoch(context)
    context.lifecycle.enter("member")
    context.reporter.take_effects()
    return context


def fill_ledger(ledger: Ledger, context: Context) -> Ledger:
    """The three of us are members."""
    me = context.replica.me
    ledger.name = "demo"
    ledger.host = ledger.add_member(HOST.key, "hugo", suite.hash_data(HOST.encryption_key.public)).id
    ledger.add_member(ANN.key, "ann", suite.hash_data(ANN.encryption_key.public))
    ledger.add_member(me.key, "me", suite.hash_data(context.replica.own_keys[0].public))
    ledger.begin_log()
    return ledger


def new_epoch(context: Context) -> Epoch:
    """Epoch 0 of the three of us, as each of us has it at its beginning."""
    epoch = Epoch.begin(b"e" * 32, bytes(32), HOST.id)
    epoch.admit_member(ANN.id)
    epoch.admit_member(context.replica.me.id)
    return epoch


def set_time(context: Context, seconds: float, slept: float = 0.0) -> None:
    """So many seconds have passed since the beginning, and so many more in which the machine slept."""
    context.clock.now = inputs.Now(START + seconds, 1_000_000.0 + seconds, slept)


def take_events(context: Context) -> list[events.Event]:
    """What the user was told since the last time."""
    return told(context.reporter.take_effects())


def take_effects(context: Context) -> list[effects.Effect]:
    """What was to be done since the last time, but for what the user is told."""
    return [effect for effect in context.reporter.take_effects() if not isinstance(effect, effects.TellEffect)]


class _Nobody:
    """Lets nobody in."""

    def take_ticket(self, _: bytes) -> bool:
        return False

    def answer(self, caller: Caller, request: AnyRequest) -> float:
        raise NotAdmitted("unknown")


def new_host_check(context: Context, uplink: Uplink, patience: Patience) -> HostCheck:
    """What a member asks its host by."""
    return HostCheck(context, uplink, Gate(context, _Nobody()), patience)


def head_text(
    place: int,
    digest: bytes,
    time: int,
    *,
    signer: Identity = HOST,
    label: bytes = identity.HEAD,
) -> bytes:
    """A signed head."""
    content = head_content(place, digest, time)
    return content + signer.sign(label, content)


def new_entry(
    author: Identity, ledger: Ledger, body: bodies.Body, *, ttl: int = KEPT, digest: bytes | None = None
) -> OpenedEntry:
    """The next entry of this author. digest: of the log to which it refers, if that is not this one."""
    header = Header(ENTRY, author.id, ledger.get_member(author.id).counter + 1, 0, ttl)
    content = padded_content(bodies.Content(bytes(limits.SALT), ledger.index, digest or ledger.digest, body))
    signature = author.sign(identity.ENTRY, entry_content(ledger.epoch, header.pack(), content))
    return OpenedEntry(header, signature + content)
