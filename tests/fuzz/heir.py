"""An heir and whoever dials its service: members that wait, hosts that meet it, strangers, saying anything."""

from typing import Any

import msgspec

from anonp2p.crypto import identity
from anonp2p.names.codes import RoomKey
from anonp2p.protocol import frames, handshake, meeting
from anonp2p.protocol.field_types import Heir, Opening
from anonp2p.protocol.handshake import Channel
from anonp2p.protocol.requests import AnyRequest, MeetRequest, ResumeRequest
from anonp2p.room import effects, inputs
from anonp2p.room.member.carrier import Carrier
from anonp2p.room.member.head_check import HeadCheck
from anonp2p.room.member.uplink import Uplink
from anonp2p.room.succession.loss import Loss
from anonp2p.room.succession.patience import Patience
from tests.fuzz.source import KNOWN, STEPS, Source
from tests.room.member.parts import HELLO, SECRET, joined_context, set_time, take_effects
from tests.room.peers import ANN, BOB, EVE, HOST, ROOM, Somebody, randomness
from tests.support.world import payloads

PEOPLE = (ANN, BOB, EVE, HOST)
OWN_KEY = RoomKey(b"o" * 32)
OWN = OWN_KEY.public


class _Line:
    """A link that one of them has dialled. hello: what came on it, and its hash."""

    def __init__(self, number: int, who: Somebody, hello: bytes) -> None:
        self.number = number
        self.who = who
        self.hello, self.digest = handshake.read_hello(hello)
        self.channel: Channel | None = None


class _Fuzz:
    def __init__(self, source: Source) -> None:
        self.source = source
        self.context = joined_context()
        self.context.random = randomness(b"heir")
        self.context.serving.add_key(OWN_KEY)
        self.ledger = self.context.replica.ledger
        self.ledger.heirs = (Heir(self.context.replica.me.id, OWN),)
        uplink = Uplink(self.context)
        uplink.begin(-1, ROOM, HELLO, Channel(SECRET, HELLO, up=True))
        uplink.end_handshake()
        self.loss = Loss(lambda least, _: least)
        heads = HeadCheck(self.context)
        self.carrier = Carrier(self.context, uplink, self.loss, Patience(), heads, lambda _: None)
        self.lines: list[_Line] = []
        self.seconds = 0.0

    def takes(self, event: inputs.OuterInput) -> list[effects.Effect]:
        self.carrier.take_input(event)
        self.carrier.update()
        done = take_effects(self.context)
        gone = {it.link for it in done if isinstance(it, effects.DropEffect | effects.FinishEffect)}
        self.lines = [line for line in self.lines if line.number not in gone]
        return done

    def act(self) -> None:
        source = self.source
        match source.below(8):
            case 0 | 1:
                number = 1 + source.below(200)
                if number not in {line.number for line in self.lines}:
                    done = self.takes(inputs.LinkedInput(number, OWN))
                    [hello] = [it.data for it in done if isinstance(it, effects.SendEffect) and it.link == number]
                    self.lines.append(_Line(number, source.pick(*PEOPLE), payloads(hello)[0]))
            case 2 | 3 if self.lines:
                self._asks(self.lines[source.below(len(self.lines))])
            case 4 | 5 if self.lines:
                self._says(self.lines[source.below(len(self.lines))])
            case 6:
                self.seconds += source.pick(0.5, 3.0, 20.0, 61.0)
                set_time(self.context, self.seconds)
                self.carrier.host_check.do_due_work()
                self.carrier.do_due_work()
                self.carrier.update()
            case 7:
                now = self.context.clock.tick
                if self.loss.lost_at is None:
                    self.loss.lose(now)
                    self.carrier.host_check.note_link_lost()
                else:
                    self.loss.note_let_in()
                self.carrier.update()
        take_effects(self.context)

    def _asks(self, line: _Line) -> None:
        """Asks to be let in: rightly, or for something else."""
        source, who = self.source, line.who
        secret, key = bytes([line.number % 256]) * 32, who.encryption_key.public
        openings = [*self.ledger.openings, *([Opening(5, who.id, 1, bytes(32))] * source.below(2))]
        place = source.below(3), self.ledger.digest, openings
        request: Any
        match source.below(4):
            case 0 | 1:
                resume = ResumeRequest(secret, who.id, key, 0, *place, bool(source.below(2)), bytes(64))
                signature = who.sign_for(OWN, identity.RESUME, handshake.resume_content(line.digest, resume))
                request = msgspec.structs.replace(resume, signature=signature)
            case 2:
                meet = MeetRequest(secret, who.id, b"a" * 32, *place, bytes(64))
                request = meeting.sign_meet(meet, OWN, line.digest, who)
            case _:
                request = source.made(AnyRequest)
        try:
            payload = handshake.seal_request(request, OWN, line.hello, line.digest, bytes(16))
        except ValueError:  # it does not fit
            return
        line.channel = Channel(request.link_secret, line.digest, up=True)
        self.takes(inputs.ReceivedInput(line.number, payload[2:], is_first=True))

    def _says(self, line: _Line) -> None:
        """Any frames, or any bytes; or the link ends."""
        source = self.source
        if line.channel is None or source.odd(4) == 1:
            self.takes(inputs.ReceivedInput(line.number, source.take(source.below(64))))
        elif source.odd(4) == 2:
            self.takes(inputs.DroppedInput(line.number, "closed", 0.0))
            self.lines.remove(line)
        else:
            said = source.made(frames.FromMember)
            report = frames.ReportFrame(bool(source.below(2)), source.below(4), bytes(32), list(self.ledger.openings))
            for payload in payloads(line.channel.seal_frames([source.pick(said, report)])):
                self.takes(inputs.ReceivedInput(line.number, payload))


def heir(data: bytes) -> None:
    """An heir and whatever may be said to it: it goes on without a host alone, and lets members alone wait."""
    fuzz = _Fuzz(Source(data, KNOWN))
    for _ in range(STEPS):
        if not fuzz.source.more:
            break
        fuzz.act()
        waiting = [link.member for link in fuzz.carrier.standby.links.values()]
        assert len(waiting) == len(set(waiting)), "a member waits twice"
        assert all(fuzz.ledger.roster.find_member(member) for member in waiting), "a stranger waits"
        if fuzz.carrier.plan is not None:
            assert fuzz.loss.lost_at is not None, "it hosts though it has a host"
            break


def _seeds() -> list[bytes]:
    dials = [bytes([0, number, who]) for number, who in ((1, 0), (2, 3), (3, 1))]
    resume, lost, meets = bytes([2, 0, 0, 0, 0, 0]), bytes([2, 0, 0, 0, 0, 1]), bytes([2, 0, 0, 0, 2])
    odd, report, key = bytes([2, 0, 9]), bytes([4, 0, 0, 0, 1, 1]), bytes([4, 0, 0, 0, 0, 1])
    leaves, second, loses = bytes([4, 0, 0, 6]), bytes([6, 0]), bytes([7])
    return [
        dials[0] + resume + report + second + loses + report + second * 3,
        dials[0] + lost + second + loses + second * 4 + dials[1] + meets + second,
        dials[1] + resume + dials[2] + resume + meets + odd + loses + key + report + leaves + second,
        # One waits though the heir has a host, and says that it comes of another term: it is shown where the host is.
        bytes.fromhex(
            "00010002000000000004000000010175cadb15aedf824f903c660600070452e40a1725acf775d9ddfe18a40000000101060006000600"
            "0452e40a1725acf775d9ddfe18a40000000101060006000600"
        ),
    ]


SEEDS = _seeds()
