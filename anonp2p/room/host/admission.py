"""Who is let into a room, or back into it: a host's decision on a stranger's request, and the room as it is shown."""

from collections.abc import Container, Sequence
from typing import NamedTuple

from anonp2p import limits
from anonp2p.crypto import identity, suite
from anonp2p.names import nicks
from anonp2p.protocol import bodies, credentials, frames, handshake, room_state, welcome
from anonp2p.protocol.field_types import Heir, Opening
from anonp2p.protocol.requests import AnyRequest, JoinRequest, MeetRequest, ResumeRequest
from anonp2p.room.context import Context
from anonp2p.room.gate import Caller, NotAdmitted, refuse
from anonp2p.room.host.commits import Commits
from anonp2p.room.host.knockers import HeldCaller, Knockers
from anonp2p.room.host.meetings import Meetings
from anonp2p.room.host.presence import MemberLink, Presence
from anonp2p.room.host.sequencer import Sequencer
from anonp2p.room.invitations import is_invited
from anonp2p.room.ledger import Ledger, expect
from anonp2p.room.log.hashes import ProofReader
from anonp2p.room.log.log import FIRST
from anonp2p.room.log.reader import LogReader
from anonp2p.room.resuming import can_seal_to, check_resume_request
from anonp2p.room.rights import is_banned, may_come_in
from anonp2p.room.standby import StandbyLink
from anonp2p.room.succession import terms
from anonp2p.room.token_bucket import TokenBucket


def choose_nick(
    ledger: Ledger,
    service: bytes,
    hello: bytes,
    join: JoinRequest,
    members_without_link: Container[bytes] = (),
    kicked: Container[bytes] = (),
) -> str:
    """The nick under which this stranger is let in; a member's, if it is one who dials again. Raises NotAdmitted.

    members_without_link: ids of members who have no link, whether they count as away already or not. A nick that only
    those hold is refused as not allowed rather than taken, on which a stranger asks for another one. kicked: ids of
    those who were thrown out.
    """
    content = handshake.join_content(hello, join)
    if not identity.is_signed(identity.JOIN, service, content, join.signature, join.key):
        raise NotAdmitted("signature")
    if not can_seal_to(join.encryption_key):
        raise NotAdmitted("key")
    if identity.member_id(join.key) in kicked or is_banned(ledger.rights, identity.member_id(join.key)):
        raise NotAdmitted("kicked")
    if member := ledger.roster.find_member(identity.member_id(join.key)):
        if member.id == ledger.host:
            raise NotAdmitted("not-allowed")
        return member.nick
    if ledger.is_private and service != ledger.code:
        raise NotAdmitted("not-invited")  # who had the pool, and was thrown out, may know where the room was before
    if not is_invited(ledger.rights, join.invited if ledger.is_private else None, join.key):
        raise NotAdmitted("not-invited")
    if ledger.rights.restrictions.locked:
        raise NotAdmitted("locked")
    if len(ledger.roster) >= limits.MEMBERS:
        raise NotAdmitted("full")
    if join.nick and (not nicks.is_nick(join.nick) or nicks.reserved_word(join.nick)):
        raise NotAdmitted("bad-nick")
    nick = join.nick or ledger.roster.choose_nick(join.key)
    if nick is None:
        raise NotAdmitted("nick-taken")
    if join.nick and (holders := ledger.roster.find_holders(nick, b"")):
        absent = all(holder.away or holder.id in members_without_link for holder in holders)
        raise NotAdmitted("not-allowed" if absent else "nick-taken")
    return nick


def is_refused(ledger: Ledger, nick: str, member: bytes) -> bool:
    """Whether a host keeps a proper nick from this member, as it is reserved or has holders."""
    return bool(nicks.reserved_word(nick) or ledger.roster.find_holders(nick, member))


class _Reached(NamedTuple):
    """How far a log is: the index of its latest entry, and the digest there."""

    place: int
    digest: bytes


class Admission:
    """Lets newcomers and returning members in. Raises NotAdmitted for others.

    meetings: what answers those of higher terms; knockers: where those wait whom a moderator has to let in.
    """

    def __init__(
        self,
        context: Context,
        sequencer: Sequencer,
        presence: Presence,
        commits: Commits,
        meetings: Meetings,
        knockers: Knockers,
    ) -> None:
        self._meetings = meetings
        self._knockers = knockers
        self._random = context.random
        self._replica = context.replica
        self._sequencer = sequencer
        self._presence = presence
        self._commits = commits
        self._context = context
        self._renumbered = TokenBucket(limits.RENUMBER_BUCKET, 1 / limits.STAND_PAUSE)  # terms begun for such members

    def take_ticket(self, ticket: bytes) -> bool:
        """Whether who shows this is a member that comes back, and not too often. Of no use a second time."""
        return self._presence.take_ticket(ticket)

    def answer(self, caller: Caller, request: AnyRequest) -> float:
        """Lets in who asks; returns what that has cost, in tokens of `JOIN_RATE`. Raises NotAdmitted."""
        if isinstance(request, ResumeRequest):
            return self._admit_returning(caller, request)
        if isinstance(request, MeetRequest):
            return self._meetings.answer(caller, request)
        return self._admit_newcomer(caller, request)

    def _admit_newcomer(self, caller: Caller, join: JoinRequest) -> float:
        """A newcomer, or a member that dials again before it was shown the room."""
        ledger = self._replica.ledger
        is_member = ledger.roster.find_member(identity.member_id(join.key)) is not None
        if not (is_member or may_come_in(ledger.rights, join.key)):
            self._knockers.hold(caller, join, self._choose_nick(caller, join))
            return 1.0
        return self._let_in(caller, join, self._make_place(caller, join))

    def admit_knocker(self, held: HeldCaller) -> float:
        """Lets in one who has waited, or says why not by now; returns what that has cost."""
        try:
            nick = self._make_place(held.caller, held.join)
            is_free = not (held.join.nick or self._replica.ledger.roster.find_holders(held.nick, b""))
            return self._let_in(held.caller, held.join, held.nick if is_free else nick)
        except NotAdmitted as refusal:
            refuse(self._context, held.caller, refusal.reason)
            return limits.REFUSAL_COST

    def _make_place(self, caller: Caller, join: JoinRequest) -> str:
        """The nick under which one comes in now, for whom others give way if need be. Raises NotAdmitted."""
        try:
            return self._choose_nick(caller, join)
        except NotAdmitted as refusal:
            if refusal.reason != "full" or not self._commits.make_room():
                raise
            return self._choose_nick(caller, join)

    def _choose_nick(self, caller: Caller, join: JoinRequest) -> str:
        """The nick under which one may come in. Raises NotAdmitted."""
        member, ledger = identity.member_id(join.key), self._replica.ledger
        nick = choose_nick(ledger, caller.service, caller.hello, join, self._presence.absences, ledger.kicked)
        is_former = ledger.roster.find_member(member) is None and member in self._replica.former
        if is_former or member in self._commits.pending_removals:  # or the counters of a former one would begin anew
            raise NotAdmitted("not-allowed")
        return nick

    def _let_in(self, caller: Caller, join: JoinRequest, nick: str) -> float:
        member, ledger = identity.member_id(join.key), self._replica.ledger
        self._presence.replace_link(member)
        known = ledger.roster.find_member(member)
        cost = 0.0
        if known is None:
            key_hash = suite.hash_data(join.encryption_key)
            self._replica.add_key(key_hash, join.encryption_key)
            invited = join.invited if ledger.is_private else None
            self._sequencer.order_own(bodies.JoinedBody(join.key, nick, key_hash, invited))
            self._presence.add_member(member, self._commits.renewable)
            cost = limits.JOIN_COST
        elif known.away:
            self._sequencer.order_own(bodies.BackBody(member))
        return cost + self._show_room(caller, member, join.encryption_key, _Reached(join.index, join.digest))

    def _admit_returning(self, caller: Caller, resume: ResumeRequest) -> float:
        """A member whose link has ended, or whose host is gone."""
        me, removals = self._replica.me.id, self._commits.pending_removals
        check_resume_request(self._replica.ledger, me, caller.service, caller.hello, resume, removals)
        expect(terms.are_proper(resume.openings), "bad-openings")
        ledger = self._replica.ledger
        if not resume.lost and resume.openings[-1].term < ledger.openings[-1].term:  # it has a host, and stays with it
            key = ledger.get_member(resume.member).key
            return self._meetings.tell(caller, key, resume.openings, resume.index)
        reached, key = _Reached(resume.index, resume.digest), resume.encryption_key
        return self._take_back(caller, resume.member, key, resume.epoch, reached, resume.openings)

    def welcome_standby(self, link: StandbyLink) -> float:
        """A member that has waited for us to host; returns what that has cost. Raises NotAdmitted, PeerFault.

        One of another term with no lower number than ours asks again, and proves that then: on this link it reports.
        """
        ledger = self._replica.ledger
        if ledger.roster.find_member(link.member) is None:
            raise NotAdmitted("unknown")
        if terms.rivals(link.openings[-1], ledger.openings[-1]):
            return self._meetings.send_away(link.caller, link.openings, link.index)
        reached = _Reached(link.index, link.digest)
        return self._take_back(link.caller, link.member, link.encryption_key, None, reached, link.openings)

    def _take_back(
        self,
        caller: Caller,
        member: bytes,
        key: bytes,
        epoch: int | None,
        reached: _Reached,
        openings: Sequence[Opening],
    ) -> float:
        """Gives a member what it has missed: as it was sent, or opened, or not at all.

        epoch: whose secrets it has, if it may have those of ours. reached, openings: its log. Raises NotAdmitted for a
        log that has nothing in common with ours. One of another term with no lower number than ours is told where we
        are, and may prove that term.
        """
        ledger, log = self._replica.ledger, self._sequencer.log
        if terms.rivals(openings[-1], ledger.openings[-1]):
            return self._meetings.tell(caller, ledger.get_member(member).key, openings, reached.place)
        is_of_our_term = openings[-1] == ledger.openings[-1]
        fork = reached.place
        if not is_of_our_term:
            found = terms.find_fork(ledger.openings, ledger.index, openings, reached.place)
            if found is None:
                raise NotAdmitted("unknown")
            fork = found
        digest = self._sequencer.hashes.digest_at(fork)
        is_ours = fork < reached.place or digest == reached.digest
        # Openings tell even newcomers the digests of places before they came: nobody is shown what was before that.
        is_ours = is_ours and not self._replica.room_log.has_joined_after(member, fork)
        if not (is_of_our_term or (is_ours and fork + 1 >= log.oldest)):
            raise NotAdmitted("unknown")  # it cannot be shown how its log goes on, and joins anew
        if openings[-1] not in ledger.openings:
            self._meetings.renew_code()  # that host may have published the code after us, and is about to stop
            self._renumber(fork, openings)
        self._replica.add_key(ledger.get_member(member).key_hash, key)
        self._presence.replace_link(member)
        if ledger.get_member(member).away:
            self._sequencer.order_own(bodies.BackBody(member))
        has_secrets = is_of_our_term and epoch == self._replica.current_epoch.number
        if has_secrets and is_ours and fork + 1 >= log.start:
            reader = LogReader(log, fork + 1, member, key, caller.channel)
            now = self._sequencer.sign_head()
            resumed = credentials.sign_resumption(now, caller.hello, self._replica.me.signer(caller.service))
            self._presence.add_link(caller.link, _link_of(caller, member, reader), [resumed])
            return 1.0
        known = _Reached(fork, digest) if is_ours and digest is not None else reached
        return self._show_room(caller, member, key, known, goes_on=is_ours and fork + 1 >= log.oldest)

    def _renumber(self, fork: int, openings: Sequence[Opening]) -> None:
        """Begins a term again for one who comes from where later numbers were shown than our log has after the fork.

        Without that, it alone would know the messages that it has missed by other numbers than all others.
        """
        ledger, now = self._replica.ledger, self._context.clock.tick
        since = terms.find_overtaken(ledger.openings, openings, fork)
        number = terms.number_to_top(ledger.number, ledger.number)
        if since is None or number is None or ledger.handed_over or not self._renumbered.try_token(now):
            return
        self._commits.begin_again(number, since)

    def _show_room(
        self,
        caller: Caller,
        member: bytes,
        key: bytes,
        reached: _Reached,
        *,
        goes_on: bool = False,
    ) -> float:
        """Shows the room as it is now; returns what that has cost, in tokens.

        reached: how far the member's log is one with ours; goes_on: whether it is given all that follows.
        """
        self._sequencer.end_batch()
        log, hashes = self._sequencer.log, self._sequencer.hashes
        index, digest = reached
        since, base = (index, None) if goes_on else self._sequencer.trim_history()
        proof = None
        if FIRST <= index < since and hashes.digest_at(index) == digest:
            proof = ProofReader(hashes, index, since)
        reader = LogReader(log, since + 1, member, key, caller.channel, log.end, proof)
        vouched, secret = self._context.credentials_for(caller.service), self._random(suite.SECRET)
        state = self._state(since, base, vouched, has_proof=proof is not None)
        sealed = welcome.seal_welcome(
            state, key, caller.service, caller.hello, secret, self._replica.me.signer(caller.service)
        )
        self._presence.add_link(caller.link, _link_of(caller, member, reader), sealed)
        size = sum(len(page.part) for page in sealed if isinstance(page, frames.PageFrame))
        return 1 + size / limits.WELCOME_PER_TOKEN

    def _state(
        self, since: int, base: room_state.RoomSnapshot | None, vouched: frames.Credentials, *, has_proof: bool
    ) -> room_state.RoomState:
        epoch, ledger = self._replica.current_epoch, self._replica.ledger
        roster = []
        for it in ledger.roster:
            chain = epoch.ratchets[it.id]
            roster.append(
                room_state.RosterEntry(
                    it.key, it.nick, it.counter, it.away, it.key_hash, chain.generation, chain.chain_key
                )
            )
        return room_state.RoomState(
            ledger.room,
            ledger.name,
            ledger.rights,
            ledger.term,
            ledger.retention,
            ledger.history,
            epoch.number,
            epoch.init_secret,
            epoch.log_key,
            epoch.newcomer_secret,
            self._sequencer.sign_head(),
            self._sequencer.latest_entry(),
            vouched,
            roster,
            since,
            base,
            has_proof,
            tuple(Heir(member, address) for member, address in ledger.carriers.items()),
            tuple(ledger.kicked.values()),
        )


def _link_of(caller: Caller, member: bytes, reader: LogReader) -> MemberLink:
    """The link on which a member was let in."""
    return MemberLink(member, caller.channel, reader, caller.service, caller.hello)
