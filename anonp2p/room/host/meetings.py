"""Others who host the same room: we look for them, tell them where our log is, and judge what they tell.

| a link is | until |
| --- | --- |
| a call of ours | its first answer: who hosts there. If that is a lower term than ours, we say so, and hang up |
| an answered one | who dialled us is of a higher term, and proves it; then it ends |
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from anonp2p import limits
from anonp2p.crypto import identity
from anonp2p.errors import PeerFault
from anonp2p.protocol import credentials, frames, handshake, meeting
from anonp2p.protocol.field_types import Heir, Opening
from anonp2p.protocol.requests import MeetRequest
from anonp2p.reasons import Fault, LinkEnd
from anonp2p.room import effects
from anonp2p.room.call import Call
from anonp2p.room.context import Context
from anonp2p.room.gate import Caller, NotAdmitted
from anonp2p.room.host.presence import Presence
from anonp2p.room.succession import terms
from anonp2p.room.succession.meeting import GiveWay, Hosting, Stand
from anonp2p.room.where import (
    ProvenHost,
    find_asker,
    has_known_signer,
    judge_where,
    prove_host,
    tell_fork,
    tell_where,
    was_thrown_out,
)

_ANYBODY: Final = bytes(16)  # stands for whoever hosts where the code leads


class Verdict(NamedTuple):
    """What to do about another host, and where that is."""

    decision: Stand | GiveWay
    where: frames.Where


class Outcast(NamedTuple):
    """We host for ourselves alone, and were thrown out where the others are, as this one says who hosts them."""

    host: Heir


@dataclass(slots=True, repr=False)
class _Meeting:
    """A call of ours. member: whom we expect there. is_last: whether we dial nobody else whom it names."""

    call: Call
    member: bytes
    is_last: bool


class Meetings:
    """Looks for other hosts and answers them. What comes on its links may lead to a verdict."""

    def __init__(self, context: Context, presence: Presence) -> None:
        self._context = context
        self._clock = context.clock
        self._replica = context.replica
        self._reporter = context.reporter
        self._rules = context.meeting
        self._presence = presence
        self._look_at = 0.0  # when (`Now.tick`) to look again who is there
        self._renewed_at = float("-inf")  # when (`Now.tick`) the code was last published anew
        self._fresh_at: dict[bytes, float] = {}  # by service of ours: when (`Now.tick`) our Tor is to look anew for it
        self._unanswered: dict[bytes, int] = {}  # by service of ours: its latest dials that nobody has answered
        self._calls: dict[int, _Meeting] = {}
        self._answered: dict[int, tuple[Caller, bytes | None]] = {}  # with the key of who dialled, if known
        self._proven: dict[bytes, ProvenHost] = {}  # of other sides, by their ids: those who are no members here

    @property
    def hosting(self) -> Hosting:
        """What the rules have to know of us."""
        ledger, serving, me = self._replica.ledger, self._context.serving, self._replica.me.id
        others = [Heir(*it) for it in ledger.carriers.items() if not serving.is_wanted(it[1])]  # else it leads to us
        others += [Heir(_ANYBODY, address) for address in self._shared]  # or to another host that has the key
        return Hosting(
            me=me,
            number=ledger.number,
            heirs=[heir.member for heir in ledger.heirs],
            others=others,
            present=[member.id for member in ledger.roster if not member.away],
            members=[member.id for member in ledger.roster],
            linked={link.member for link in self._presence.links.values()},
        )

    def next_deadline(self) -> float | None:
        """When (`Now.tick`) `dial_due` may have somebody to dial."""
        knows_others = any(member != self._replica.me.id for member in self._replica.ledger.carriers)
        return self._rules.next_deadline if knows_others or self._shared else None

    @property
    def _shared(self) -> list[bytes]:
        """The services of ours of which others have the key, too: the code, and the codes of before.

        Whether others had the key of the first code of all, which is the founder's own address, is not known any more.
        """
        ledger = self._replica.ledger
        own = () if ledger.address == ledger.room else (ledger.address,)
        former = [it for it in self._context.serving.list_wanted() if it not in (*own, ledger.code)]
        has_holders = any(holder != self._replica.me.id for holder in ledger.holders)
        return [*former, ledger.code] if has_holders else former

    def is_time_to_look(self) -> bool:
        """Whether to look now who is there: seldom, since in the largest room that takes as long as an entry."""
        now, due = self._clock.tick, self.next_deadline()
        if now < self._look_at and (due is None or now < due):
            return False
        self._look_at = now + limits.LOOK_PAUSE
        return True

    def dial_due(self) -> None:
        """Dials those who may host too, if it is time. Where there are none it draws no lot, as cover would show it."""
        if self.next_deadline() is None:
            return
        busy = {it.call.service for it in self._calls.values()}
        for heir in self._rules.take_due(self.hosting, busy, self._clock.tick):
            self._dial(heir, is_last=False)

    def _dial(self, heir: Heir, *, is_last: bool) -> None:
        fresh = heir.member == _ANYBODY and self._clock.tick >= self._fresh_at.get(heir.address, 0.0)
        dial = self._context.plan_dial(heir.address, limits.DIAL_TRIES[0], fresh=fresh)
        link = dial.link
        self._calls[link] = _Meeting(Call(self._context, link, heir.address, self._ask, b""), heir.member, is_last)
        if fresh:  # else it would lead to ourselves for as long as our Tor remembers us there
            self._fresh_at[heir.address] = self._clock.tick + limits.CODE_FRESH
        self._reporter.add_effect(dial)

    def _ask(self, secret: bytes, service: bytes, hello: bytes) -> MeetRequest:
        ledger, me = self._replica.ledger, self._replica.me
        log = ledger.address, ledger.index, ledger.digest, list(ledger.openings)
        return meeting.sign_meet(MeetRequest(secret, me.id, *log, bytes(identity.SIGNATURE)), service, hello, me)

    def send_on(self, where: frames.Where) -> None:
        """Our members are to follow that host."""
        for number, link in self._presence.links.items():
            redirect = meeting.sign_redirect(where, link.service, link.hello, self._replica.me)
            self._reporter.add_effect(effects.RecordEffect(number, (redirect,)))
            link.reader.stop_at_end()
            self._reporter.add_effect(effects.FinishEffect(number))

    # --- others dial us

    def answer(self, caller: Caller, meet: MeetRequest) -> float:
        """Tells another host where we are; returns what that has cost, in tokens. Raises NotAdmitted, PeerFault."""
        key = find_asker(self._replica, meet, caller.service, caller.hello)
        proven = self._proven.get(meet.member)
        if key is None and proven is not None and proven.first in meet.openings:
            key = proven.key if meeting.is_meet_signed(meet, caller.service, caller.hello, proven.key) else None
        if key is None:
            return self._ask_for_proof(caller, meet)
        return self.tell(caller, key, meet.openings, meet.index)

    def tell(self, caller: Caller, key: bytes, openings: Sequence[Opening], index: int) -> float:
        """Tells a member of another term, with this key and log, where we are; returns what that has cost."""
        if not terms.rivals(openings[-1], self._replica.ledger.openings[-1]):
            return self.send_away(caller, openings, index)
        answer = self._sign(tell_where(self._replica, openings, index), caller.service, caller.hello)
        self._await_proof(caller, key, answer)  # it may have something to prove to us
        return limits.MEETING_COST

    def send_away(self, caller: Caller, openings: Sequence[Opening], index: int) -> float:
        """Tells a member with this log where we are, and ends the link; returns what that has cost."""
        answer = self._sign(tell_where(self._replica, openings, index), caller.service, caller.hello)
        self._reporter.add_effect(effects.FinishEffect(caller.link, caller.channel.seal_frames([answer])))
        return limits.MEETING_COST

    def _ask_for_proof(self, caller: Caller, meet: MeetRequest) -> float:
        """One who is none of us, but may host another side: till that is proven, it hears only what both sides know.

        It may have joined there, or been thrown out here. Returns what that has cost. Raises NotAdmitted.
        """
        where = tell_fork(self._replica, meet.openings, meet.index)
        if where is None:
            is_out = was_thrown_out(self._replica, meet, caller.service, caller.hello)
            raise NotAdmitted("kicked" if is_out else "unknown")
        self._await_proof(caller, None, self._sign(where, caller.service, caller.hello))
        return limits.MEETING_COST

    def _await_proof(self, caller: Caller, key: bytes | None, answer: frames.RedirectFrame) -> None:
        if len(self._answered) >= limits.MEETINGS:
            self._drop(next(iter(self._answered)), "displaced")
        self._answered[caller.link] = caller, key
        self._reporter.add_effect(effects.AdmitEffect(caller.link, caller.channel, (answer,)))

    def _sign(self, where: frames.Where, service: bytes, hello: bytes) -> frames.RedirectFrame:
        return meeting.sign_redirect(where, service, hello, self._replica.me)

    # --- what comes

    def forget_link(self, link: int) -> None:
        """The link is no more, or could not be had."""
        self._calls.pop(link, None)
        self._answered.pop(link, None)

    def note_failure(self, link: int) -> None:
        """A dial has failed. Twice so at a service of ours, where we should answer: another has published it last."""
        it = self._calls.get(link)
        self.forget_link(link)
        if it is None or it.member != _ANYBODY:
            return
        service = it.call.service
        self._unanswered[service] = self._unanswered.get(service, 0) + 1
        if self._unanswered[service] >= limits.CODE_UNANSWERED:
            self._renew(service)

    def renew_code(self) -> None:
        """Publishes the code anew, but not often: another host has published it after us, and may be gone."""
        self._renew(self._replica.ledger.code)

    def _renew(self, service: bytes) -> None:
        self._unanswered.pop(service, None)
        if self._clock.tick >= self._renewed_at + limits.MEET:
            self._renewed_at = self._clock.tick
            self._context.serving.renew(service)

    def owns_link(self, link: int) -> bool:
        """Whether what comes on this link is for us."""
        return link in self._calls or link in self._answered

    def take_payload(self, link: int, payload: bytes) -> Verdict | Outcast | None:
        """What another side tells on one of our links; what is wrong with it ends that link, and nothing else."""
        try:
            if link in self._answered:
                return self._take_proof(link, payload)
            return self._take_answer(link, payload)
        except PeerFault as fault:
            self._drop(link, fault.fault)
        except handshake.OtherVersion:
            self._drop(link, "closed")
        return None

    def _take_proof(self, link: int, payload: bytes) -> Verdict | None:
        """One who dialled us, of another side, proves that there is one. Raises PeerFault."""
        caller, key = self._answered[link]
        redirect = _only_redirect(caller.channel.open_record(payload).frames)
        proven = prove_host(self._replica, redirect.where) if key is None else None
        if proven is not None:
            key = proven.key
            self._note_proven(redirect.where.host, proven)
        verdict = None
        if key is not None:
            meeting.check_redirect(redirect, caller.service, caller.hello, key)
            verdict = self._judge(redirect.where)
        self._drop(link, "closed")
        return verdict

    def _note_proven(self, host: bytes, proven: ProvenHost) -> None:
        self._proven.pop(host, None)
        self._proven[host] = proven
        if len(self._proven) > limits.MEETINGS:
            del self._proven[next(iter(self._proven))]

    def _take_answer(self, link: int, payload: bytes) -> Verdict | Outcast | None:
        """The hello of one whom we dialled, or its answer: a host that it is, or follows."""
        it = self._calls[link]
        if it.member == _ANYBODY:
            self._unanswered.pop(it.call.service, None)
        said = it.call.take_payload(payload)
        if not said:
            return None
        if isinstance(said[0], frames.RefusedFrame):  # to whom we are none, or are thrown out
            outcast = self._judge_refusal(it.call, said[0])
            self._drop(link, "closed")
            return outcast
        call, redirect = it.call, _only_redirect(said)
        where = redirect.where
        dialled = None if it.member == _ANYBODY else it.member
        is_known = has_known_signer(self._replica, redirect, call.service, call.hello_hash, dialled)
        verdict = self._judge(where, counts=is_known)
        ours = self._replica.ledger.openings[-1]
        if verdict is None and where.openings[-1] != ours and where.number <= ours.number:
            self._tell_back(it, where)
        else:
            call.hang_up("closed")
        self.forget_link(link)
        return verdict

    def _judge_refusal(self, call: Call, refused: frames.RefusedFrame) -> Outcast | None:
        """Somebody says that it hosts, and that we are thrown out. Raises PeerFault for what it has not signed.

        To one who hosts for others too, anybody may say so. Who hosts for nobody is as a member that has lost its host:
        it asks that one again as such, is told there, and goes on if it is not.
        """
        ledger, vouched = self._replica.ledger, refused.credentials
        member = identity.member_id(vouched.key)
        is_known = ledger.roster.find_member(member) is not None or member in ledger.carriers
        is_alone = self.hosting.present == [self._replica.me.id]
        if not (refused.reason == "kicked" and vouched.term > ledger.number and is_known and is_alone):
            return None
        credentials.check_refusal(refused, call.hello_hash, call.service)
        return Outcast(Heir(member, call.service))

    def _tell_back(self, it: _Meeting, where: frames.Where) -> None:
        """Somebody is of a lower term than we, or of one with the same number: its host is to know of us.

        Who has answered is told, as it may host itself, and not have said so because it does not know us.
        """
        call = it.call
        ours = tell_where(self._replica, where.openings, where.index)
        redirect = self._sign(ours, call.service, call.hello_hash)
        self._reporter.add_effect(effects.FinishEffect(call.link, call.channel.seal_frames([redirect])))
        if it.member in (where.host, _ANYBODY):  # a code leads to hosts alone
            return
        is_known = where.host == self._replica.me.id or where.host in self.hosting.linked
        if not (it.is_last or is_known or any(where.address == other.call.service for other in self._calls.values())):
            self._dial(Heir(where.host, where.address), is_last=True)

    def _judge(self, where: frames.Where, *, counts: bool = True) -> Verdict | None:
        """counts: whether somebody has said so who may. Raises PeerFault for what no log of this room can be."""
        challenge = judge_where(self._replica, where)
        if challenge is None or not counts:
            return None
        decision = self._rules.judge(challenge, self.hosting, self._clock.tick)
        return None if decision is None else Verdict(decision, where)

    def _drop(self, link: int, reason: Fault | LinkEnd) -> None:
        self.forget_link(link)
        self._reporter.add_effect(effects.DropEffect(link, reason))


def _only_redirect(said: Sequence[frames.Frame]) -> frames.RedirectFrame:
    """The one frame that another side of a split has to say. Raises PeerFault."""
    if len(said) != 1 or not isinstance(said[0], frames.RedirectFrame):
        raise PeerFault("bad-where")
    return said[0]
