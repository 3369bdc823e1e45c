"""A member that scripts/fuzz runs against a host, its user and a clock that do what the bytes say.

Signatures and seals are made where the bytes say so, since nothing guesses one.
"""

from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import msgspec
from fuzz_source import KNOWN, STEPS, Source, expect_shown

from anonp2p.core import events, frames, identity, steps
from anonp2p.core.epochs import suite
from anonp2p.core.epochs.epoch import COMMIT, HEAD
from anonp2p.errors import PeerFault
from tests.core.peers import ANN, BOB, DIGEST, EVE, HOST, NOW, FalseHost, Placed, payloads


class _Lie(FalseHost):
    """A host that says whatever the bytes say, rightly signed where they say so, and a real room as its guest."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.tick = NOW.tick
        self.linked = False
        self.turned = False  # whether a commit has its place, and its slice was not sent yet
        self.alarms = self.gone = self.seq = 0
        self.leaf = b""
        self.said: set[tuple[str, str]] = set()  # what was signed, by its author
        self.theirs: list[Placed] = []  # what the guest wants ordered
        self.heard: list[Placed] = []
        super().__init__(source.pick("me", ""))
        if source.odd(8) == 7:
            self.ledger.start_at(source.pick(2**53 - 2, 2**64 - 2), DIGEST)

    def takes(self, step: steps.Input, now: steps.Now = NOW) -> list[events.Event]:
        """What the guest tells about this step, and what it sends is read."""
        before = self.room.over
        shown = super().takes(step, now._replace(tick=self.tick))
        assert not before or len(shown) == len(self.effects), "a room that is over still acts"
        for event in shown:
            expect_shown(event)
            if isinstance(event, events.Alarm):
                assert self.room.over or not event.reason.startswith("The host sent"), "a host that lies is not left"
            elif isinstance(event, events.Message):
                assert event.seq > self.seq, "messages out of order"
                self.seq = event.seq
                assert (event.member, event.text) in self.said, "a message that its author did not sign"
            self.gone += isinstance(event, events.Gone)
        assert self.gone == self.room.over
        self._read()
        return shown

    def _read(self) -> None:
        for effect in self.effects:
            if isinstance(effect, steps.Drop):
                self.linked = False
            elif isinstance(effect, steps.Send) and self.linked:
                for payload in payloads(effect.data):
                    frame = self.channel.open(payload)
                    if isinstance(frame, frames.Leaf):
                        self.leaf = frame.leaf
                    elif isinstance(frame, frames.Submit) and frame.epoch == self.epoch.number:
                        with suppress(AssertionError):  # the keys that we gave were not right
                            self.theirs.append(self.opened(frame.entry))
                            self._note(self.theirs[-1])

    def _note(self, entry: Placed) -> None:
        """Its author has signed it."""
        with suppress(PeerFault):
            content: frames.Content = frames.unpack(frames.Content, entry.body[64:])
            if isinstance(content.body, frames.Text):
                self.said.add((identity.spell(entry.header.author), content.body.text))

    def place(self, entry: Placed) -> None:
        """The next place is this one's, if there is one."""
        with suppress(OverflowError):
            super().place(entry)

    @property
    def reference(self) -> tuple[int, bytes]:  # type: ignore[override]
        """What entries refer to: something that can be packed."""
        return self.ledger.index % 2**53, self.ledger.digest

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
                self.hears(frames.Resumed(self.ledger.index + source.odd(3)))
            case 3 | 4 | 5:
                self._order(self._entry())
            case 6 if self.theirs:
                self._order(self.theirs.pop(source.odd(len(self.theirs))))
            case 7 if self.heard:
                self._order(source.pick(*self.heard))
            case 8:
                self._head()
            case 9:
                self._commit()
            case 10:
                self.hears(source.pick(source.made(frames.FromHost), frames.Denied(source.below(8), "nick-taken")))
            case 11:
                self.takes(steps.Heard(steps.UPLINK, source.take(source.below(256))))
            case 12 | 13:
                said = source.pick(steps.Say(source.text() or "x"), steps.Rename("bea"), steps.Ask("/who"))
                self.takes(source.pick(said, said, said, said, steps.Leave(), steps.Kick("ann")))
            case 14:
                self.linked = False
                self.takes(steps.Dropped(steps.UPLINK, "it is gone", 1.0))
            case 15:
                due = self.room.next_deadline()
                self.tick = max(self.tick, source.pick(due or self.tick, self.tick + 1))
                if due is not None and due <= self.tick:
                    self.takes(steps.Tick())

    def _greet(self) -> None:
        """A hello, and perhaps the first of what follows."""
        if self.source.odd(8):
            self.takes(steps.Dialling(1, ""))
            nonce = bytes(32)
            hello = frames.Hello(self.source.pick(frames.VERSION, self.source.below(4)), nonce, HOST.leaf.public)
            self.takes(steps.Heard(steps.UPLINK, self.source.edited(frames.pack(hello))))
            self.takes(steps.Dropped(steps.UPLINK, "it is gone", 1.0))
            return
        self.greets()
        self.linked = True
        self.leaf = self.request.leaf
        if isinstance(self.request, frames.Join) and self.request.key not in {it.key for it in self.ledger.roster}:
            if self.me and (former := self.ledger.roster.get(self.me)) is not None:
                self.ledger.roster.remove(former)
            self.seats_guest(self.request.nick or self.ledger.roster.nick_for(self.request.key))
        if self.source.below(4) < 3:
            self._let_in()

    def _let_in(self) -> None:
        source = self.source
        otherwise: dict[str, Any] = {}
        unsigned = False
        past = self.past(*(self._entry() for _ in range(source.below(3)))) if source.odd(2) else []
        match source.odd(5):
            case 1:
                kinds = self.state()
                name = source.pick(*kinds.__struct_fields__)
                otherwise[name] = getattr(source.made(frames.State), name)
            case 2:
                seats = self.state().seats
                at, made = source.below(len(seats)), source.made(frames.Seat)
                name = source.pick(*made.__struct_fields__)
                seats[at] = msgspec.structs.replace(seats[at], **{name: getattr(made, name)})
                otherwise["seats"] = source.pick(seats, seats[:at], seats + seats[:1])
            case 3:
                otherwise["head"] = self._head_text()
            case 4:
                unsigned = True
                otherwise = source.pick({"sign": ANN.sign}, {"hello": bytes(32)}, {"leaf": ANN.leaf.public})
        pages = self.welcome(past=bool(past) != bool(source.odd(2)), **otherwise)
        said = source.pick(pages, pages, pages, pages[:1], pages * 2)
        self.hears(*said, *past)
        assert self.room.over or not unsigned or said == pages[:1], "a welcome for somebody else"

    def _entry(self) -> Placed:
        """What somebody says next, or something that none may say."""
        source = self.source
        guest = SimpleNamespace(id=self.me or bytes(16), sign=HOST.sign)
        author: Any = source.pick(ANN, HOST, ANN, HOST, BOB, EVE, guest)
        body = self._body()
        otherwise: dict[str, Any] = {}
        match source.odd(7):
            case 1:
                otherwise["counter"] = source.pick(0, 1, source.below(256), 2**53 - 1)
            case 2:
                otherwise["generation"] = source.pick(0, 1, source.below(256))
            case 3:
                otherwise["kind"] = source.pick(COMMIT, HEAD)
            case 4:
                otherwise["signer"] = source.pick(ANN, BOB, EVE, HOST)
            case 5:
                otherwise["epoch"] = self.epoch.number + 1
            case 6:
                digest = source.pick(bytes(32), self.ledger.digest)
                otherwise["reference"] = source.pick(self.ledger.index, source.below(8), 2**53 - 1), digest
        entry = self.entry(author, body, **otherwise)
        if otherwise.get("signer", author) is author is not guest and "epoch" not in otherwise:
            self._note(entry)
        return entry

    def _body(self) -> frames.Body:
        source = self.source
        match source.below(8):
            case 5:
                made: frames.Body = source.made(frames.Body)
                return made
            case 6:
                joined = frames.Joined(BOB.key, "bob", suite.digest(BOB.leaf.public))
                away: frames.Body = source.pick(joined, frames.Lost(ANN.id), frames.Back(ANN.id), frames.Close())
                return away
            case 7:
                return frames.Lost(self.me or bytes(16))
        return frames.Text(source.text() or "x", action=False)

    def _order(self, entry: Placed) -> None:
        self.heard.append(entry)
        if self.source.below(4) == 3:
            self.hears_bare(entry)
        else:
            self.hears(entry)

    def _head_text(self) -> bytes:
        source = self.source
        index = self.ledger.index + source.pick(0, 0, 1, -1)
        digest = source.pick(self.ledger.digest, self.ledger.digest, bytes(32))
        time = source.pick(self.time, self.time, max(0, self.time - 1), 2**64 - 1)
        return self.head_text(index=index, digest=digest, time=time, signer=source.pick(HOST, HOST, HOST, ANN))

    def _head(self) -> None:
        self.time += self.source.below(4)
        text = self._head_text()
        self.hears(self.epoch.seal_head(self.source.pick(text, text, text, text[:-1])))

    def _commit(self) -> None:
        source = self.source
        removed = frames.Removal(source.pick(ANN.id, self.me or bytes(16)), source.pick("kicked", "lost"), "")
        right, wrong = self.commit(*source.pick([], [], [removed])), source.odd(6)
        if wrong == 1:
            right = self.commit(removed, removed, epoch=source.below(3), author=source.pick(HOST, ANN))
        self.hears(right)
        if wrong == 2:
            self._order(self._entry())
        if wrong == 3:
            self.linked = False
            self.takes(steps.Dropped(steps.UPLINK, "it is gone", 1.0))
        otherwise: dict[str, Any] = {}
        if wrong == 4:
            otherwise = source.pick({"standing": bytes(32)}, {"tag": bytes(32)}, {"epoch": 9}, {"secret": bytes(32)})
        self.theirs.clear()
        sliced = self.slice(leaf=self.leaf or HOST.leaf.public, **otherwise)
        right_slice = not otherwise
        if wrong == 5:
            box = source.edited(sliced.box)
            right_slice, sliced = box == sliced.box, frames.Slice(box)
        if self.linked:
            self.hears(sliced)
            assert right_slice or self.room.over, "a commit that was made on another log"


def member(data: bytes) -> None:
    """A member and whatever a host may send it: it is shown in order, or the host is left with an alarm."""
    lie = _Lie(Source(data, KNOWN))
    for _ in range(STEPS):
        if not lie.source.more or lie.room.over:
            break
        lie.act()


def _seeds() -> list[bytes]:
    in_, again, drop = bytes(9), bytes([0, 0, 3]), bytes([14])
    entries = b"".join(bytes([3, author, 0, 1, 0x78, 0, 0]) for author in (0, 1, 0))
    says, renames, ordered, second = (
        bytes([12, 1, 0x79, 0, 0]),
        bytes([12, 0, 1, 0]),
        bytes([6, 0, 0]),
        bytes([6, 3, 0]),
    )
    idle, kick, broken = (bytes([9, 0, 0, *how]) for how in ((0, 0), (2, 0), (0, 9)))
    resumed, beat, other_version = bytes([2, 0]), bytes([15, 0]), bytes([0, 9, 1, 1, 0, 0, 4, 0])
    past, no_past = bytes([0, 3, 2, 0, 0, 1, 0x78, 0, 1, 0, 1, 0x78, 0, 0, 0, 0]), bytes([0, 0, 0, 3, 0])
    come = in_ + entries + says + ordered
    return [
        bytes.fromhex("000f010000000000000003000001780000030100017800000300000178000003000001780000"),  # an endless log
        come + idle + says + ordered * 2 + entries + beat * 3 + kick + entries,
        come + says * 2 + drop + again + resumed + entries + ordered * 2,
        come + drop + again + past + entries + says + ordered + drop + again + in_[:5] + says + ordered,
        in_ + entries + broken + again + no_past + entries,
        in_ + renames + says + second + says + bytes([10, 0, 0, 3, 1]),
        in_[:2] + other_version,
        *(before + bytes([10, kind]) for before in (come, again[:2] + again) for kind in range(7)),
        *(come + bytes([9, 0, 0, 0, 10, how]) for how in range(4)),
        in_ + says + bytes([3, 6, 0, 1, 0x79, 0, 0]),
        *(in_ + says + drop + again + bytes([10, 0, reason, 0, 0]) + in_[2:] + entries for reason in (4, 6)),
        *(in_ + entries + bytes([3, 0, body, 0, 0, 0, 0]) + entries for body in (5, 6, 7)),
        *(in_ + bytes([3, 0, 0, 1, 0x78, wrong, 0, 0, 0, 0]) + entries for wrong in range(8, 14)),
        *(come + bytes([9, 0, 0, 0, wrong, 0, 0, 0]) for wrong in range(7, 12)),
        *(bytes([0, 0, 0, 0, 0, 0, wrong, pick, pick]) + entries for wrong in range(6, 10) for pick in (0, 7)),
    ]


SEEDS = _seeds()
