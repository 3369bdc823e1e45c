"""What a member checks of a welcome: the room as its host says that it is now."""

from anonp2p import limits
from anonp2p.crypto import identity
from anonp2p.crypto.epoch import Epoch
from anonp2p.errors import PeerFault
from anonp2p.names import nicks
from anonp2p.protocol import room_state, welcome
from anonp2p.protocol.credentials import check_credentials
from anonp2p.protocol.rights import Rights
from anonp2p.room.context import Context
from anonp2p.room.invitations import returns_us
from anonp2p.room.ledger import Ledger, expect
from anonp2p.room.member.backfill import Backfill
from anonp2p.room.member.head_check import Head, HeadCheck, Signer
from anonp2p.room.member.joining import NOWHERE, Joining
from anonp2p.room.member.proof import Proof
from anonp2p.room.member.switch import Switch
from anonp2p.room.retention import NO_HISTORY


class WelcomeCheck:
    """Holds a welcome against what we asked for and what we know of the room."""

    def __init__(self, context: Context, heads: HeadCheck, joining: Joining) -> None:
        self._context = context
        self._replica = context.replica
        self._lifecycle = context.lifecycle
        self._heads = heads
        self._joining = joining

    def leads_back(self, state: room_state.RoomState) -> bool:
        """Whether one who comes anew is shown the room by another host than it had, of no later term.

        It gives way to another one soon, or has done so: the code may lead to both.
        """
        known = self._replica.ledger
        return known.host not in (b"", state.host) and not self._is_of_later_term(state)

    def _is_of_later_term(self, state: room_state.RoomState) -> bool:
        return not self._lifecycle.entered and state.term.number > self._replica.ledger.number

    def read(self, state: room_state.RoomState, service: bytes) -> Backfill:
        """The room as it is now, and how we get to know how it came to be so. service: what was dialled.

        Raises PeerFault, HostLied: what we know of a room binds its host.
        """
        known = self._replica.ledger
        is_bound = bool(known.host) and not self._is_of_later_term(state)
        expect(not known.host or state.room == known.room, "other-room")
        _check_host(state, service)
        if known.host and not (is_bound or state.proof):
            self._replica.ledger = Ledger(known.room)  # we come anew, to a log that may not be ours
            self._joining.leave_log(known)
            self._context.message_index.note_all_cut()
        if not is_bound:
            self._heads.begin_room()
        try:
            return self._read(state)
        except PeerFault as fault:
            if not is_bound:
                raise
            raise self._heads.blame(fault.fault, Head.read(state.head)) from None

    def read_other_term(self, state: room_state.RoomState, service: bytes) -> Switch:
        """A room that we are in, as another host has it, who began a later term. Raises PeerFault."""
        known = self._replica.ledger
        expect(state.room == known.room, "other-room")
        _check_host(state, service)
        expect(state.term.number > known.number, "old-term")
        expect(state.snapshot is None and not state.proof, "unexpected-history")
        ledger = self._read_ledger(state, switches=True)
        head = HeadCheck(self._context).read_head(state.head, Signer.of_log(ledger))
        _start_at(ledger, head, state.latest)
        return Switch(self._context, ledger, welcome.make_epoch(state), head, state.since, self._heads.room_time())

    def _read(self, state: room_state.RoomState) -> Backfill:
        ledger = self._read_ledger(state)
        head = self._heads.read_head(state.head, Signer.of_log(ledger))
        expect(head.end >= self._replica.ledger.index, "shorter-log")
        expect(head.time >= self._heads.told_time, "head-older-than-last")
        expect(state.epoch >= self._replica.ledger.epoch, "old-epoch")
        _start_at(ledger, head, state.latest)
        epoch = welcome.make_epoch(state)
        self._expect_no_step_back(ledger, epoch)
        begin, known = self._joining.position, self._replica.ledger
        has_all = self._lifecycle.entered and begin[:2] == (known.index, known.digest)
        if state.snapshot is None and has_all and state.since == begin.at:
            expect(not state.proof, "unexpected-proof")
            return Backfill(self._context, self._heads, epoch, head, ledger)
        expect(state.snapshot is not None or state.since == head.end, "history-without-start")
        replayed = None
        if state.snapshot is not None:
            expect(state.history != NO_HISTORY, "unexpected-history")
            replayed = _as_of(state, state.snapshot, ledger)
        digest = head.digest if state.snapshot is None else state.snapshot.digest
        gap = 0 if begin == NOWHERE else max(0, state.since - begin.at)
        provable = 0 < gap <= limits.PROOF_ENTRIES + limits.PROOF_EXCESS
        expect(provable or not state.proof, "unexpected-proof")
        expect(not gap or state.proof or head.end - begin.at > limits.PROOF_ENTRIES, "proof-withheld")
        proof = Proof(self._context, self._heads, begin, head, state.since, digest) if state.proof else None
        former = self._replica.ledger
        backfill = Backfill(self._context, self._heads, epoch, head, ledger, replayed, former, proof, gap)
        if state.snapshot is not None:
            backfill.expect_same_log(state.since, state.snapshot.digest)
        return backfill

    def _read_ledger(self, state: room_state.RoomState, *, switches: bool = False) -> Ledger:
        expect(nicks.is_room_name(state.name), "bad-name")
        ledger = Ledger(state.room)
        for roster_entry in state.roster:
            ledger.add_member(
                roster_entry.key, roster_entry.nick, roster_entry.key_hash, roster_entry.counter, away=roster_entry.away
            )
        rules = self._replica.ledger.name, self._replica.ledger.retention, self._replica.ledger.history
        same = rules == (state.name, state.retention, state.history)
        expect(not self._replica.ledger.host or same, "other-rules")
        expect(_are_rules(state.retention), "bad-rules")
        me = ledger.roster.find_member(self._replica.me.id)
        asked = self._lifecycle.entered or (me is not None and me.nick in self._joining.own_nicks())
        expect(me is not None and asked, "roster-without-us")
        own_keys = self._joining.own_key_hashes()
        expect(me is not None and (switches or me.key_hash in own_keys), "roster-with-other-key")
        expect(state.host != self._replica.me.id, "us-as-host")
        _rule(ledger, state)
        ledger.take_term(state.term)
        ledger.carriers = {carrier.member: carrier.address for carrier in state.carriers}
        ledger.kicked = {identity.member_id(key): key for key in state.kicked}
        _set_rights(ledger, state.rights)
        expect(returns_us(ledger.rights, self._replica.me), "other-return-key")
        ledger.epoch = state.epoch
        return ledger

    def _expect_no_step_back(self, ledger: Ledger, epoch: Epoch) -> None:
        """What was shown once could be ordered again, if authors had their counters and chains of before."""
        for member in ledger.roster:
            known = self._replica.ledger.roster.find_member(member.id)
            expect(known is None or member.counter >= known.counter, "counter-changed")
            if (
                self._replica.epoch is not None
                and self._replica.epoch.number == epoch.number
                and member.id != self._replica.me.id
            ):
                chain = self._replica.epoch.ratchets.get(member.id)
                again = chain is not None and epoch.ratchets[member.id].generation < chain.generation
                expect(not again, "keys-changed")


def _are_rules(retention: room_state.RetentionPolicy) -> bool:
    return retention.least <= retention.default <= retention.most


def _rule(ledger: Ledger, state: room_state.RoomState) -> None:
    """What never changes in a room."""
    ledger.name = state.name
    ledger.retention, ledger.history = state.retention, state.history


def _set_rights(ledger: Ledger, rights: Rights) -> None:
    """Takes over the rights of members, once there are a roster and a host. Raises PeerFault."""
    ledger.rights = rights
    expect(ledger.room_rights.are_proper, "bad-rights")


def _check_host(state: room_state.RoomState, service: bytes) -> None:
    """Raises PeerFault unless the service that was dialled says that it serves this host."""
    check_credentials(state.credentials, service)
    said = identity.member_id(state.credentials.key), state.credentials.term
    expect(said == (state.host, state.term.number), "wrong-credentials")


def _start_at(ledger: Ledger, head: Head, latest: room_state.LatestEntry) -> None:
    """Notes where the log is. Raises PeerFault unless the head covers this room, as that to which its entry leads."""
    ledger.start_at(head.end, head.digest)
    digest = identity.extend_log_hash(latest.digest, head.end, latest.header, latest.body, ledger.group_context)
    expect(digest == head.digest, "head-of-other-roster")


def _as_of(state: room_state.RoomState, base: room_state.RoomSnapshot, now: Ledger) -> Ledger:
    """The room as of the beginning of its history. Raises PeerFault."""
    ledger = Ledger(now.room)
    for it in base.roster:
        ledger.add_member(it.key, it.nick, it.key_hash, it.counter, away=it.away)
    expect(ledger.roster.find_member(base.term.host) is not None or base.term.handed_over, "history-without-host")
    _rule(ledger, state)
    ledger.take_term(base.term)
    ledger.carriers, ledger.kicked = dict(now.carriers), dict(now.kicked)  # who was one then, and has not gone since
    _set_rights(ledger, base.rights)
    ledger.epoch = base.epoch
    expect(state.since <= now.index, "history-after-end")
    ledger.start_at(state.since, base.digest)
    return ledger
