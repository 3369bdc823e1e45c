"""What must hold in a town: after every step, and once it is mended."""

from collections import Counter
from collections.abc import Sequence
from itertools import combinations

from anonp2p.crypto import identity
from anonp2p.crypto.epoch import FLEETING, KEPT, Header
from anonp2p.errors import PeerFault
from anonp2p.protocol import bodies
from anonp2p.reasons import LINK_ENDS
from anonp2p.room import events
from anonp2p.room.contents import unpack_content
from anonp2p.room.entry_rules import check_entry, check_tombstone
from anonp2p.room.hosting_events import HostEvent
from anonp2p.room.log.log import LogBatch
from anonp2p.room.log.room_log import replay_entry
from anonp2p.room.moderation_events import BanEvent, RaidChangedEvent, RoleEvent, SlowChangedEvent, WaitingEvent
from anonp2p.room.succession import terms
from tests.room.town.person import Person
from tests.room.town.town import Town

INSPECTION = 3.0  # seconds between looks at what the logs still hold
SLACK = 7_000  # milliseconds by which something may end too late: until a clock that may have slept is looked at


class Checks:
    """Watches a town. faults: whatever must not be, as it is found. counts: what is worth knowing besides."""

    def __init__(self, town: Town) -> None:
        self.faults: list[str] = []
        self.counts: Counter[str] = Counter()
        self._town = town
        self._digests: dict[tuple[int, bytes, int], tuple[bytes, int]] = {}
        self._terms: set[tuple[int, bytes]] = set()
        self._read: Counter[int] = Counter()  # events of each person that were looked at
        self._seqs: dict[int, int] = {}  # of the latest message that each was shown
        self._authors: dict[tuple[int, str], str] = {}  # who has said a text, as each person was told last
        town.watch = self.watch
        town.on_link_end = self._check_end
        town.plan(INSPECTION, self._inspect)

    def watch(self, person: Person) -> None:
        """Somebody has taken an input."""
        if not person.is_honest:
            return
        for event in person.told[self._read[person.number] :]:
            self._check_event(person, event)
        self._read[person.number] = len(person.told)
        ledger = person.room.replica.ledger
        if person.room.entered:
            self._terms.add((ledger.number, ledger.host))
            place = (ledger.number, ledger.host, ledger.index)
            digest, first = self._digests.setdefault(place, (ledger.digest, person.number))
            if digest != ledger.digest:
                self._blame(person, f"has another log than {first} at {ledger.index}")

    def _blame(self, person: Person | None, what: str) -> None:
        who = "the town" if person is None else str(person.number)
        self.faults.append(f"{self._town.now:.2f}: {who} {what}")
        self._town.note(person, f"FAULT: {what}")

    def _check_end(self, person: Person, other: Person, reason: str) -> None:
        """A link has ended at one end."""
        if reason not in LINK_ENDS and person.is_honest and other.is_honest:
            self._blame(person, f"ends a link: {reason}")
        self.counts[f"links {reason}"] += 1

    def _check_event(self, person: Person, event: events.Event) -> None:
        if isinstance(event, events.CutEvent):
            self.counts["entries cut"] += event.count
        match event:
            case events.AlarmEvent(reason=reason):
                self._blame(person, f"is alarmed: {reason}")
            case events.EnteredEvent():
                self._seqs.pop(person.number, None)
            case events.MessageEvent(seq=seq, text=text, history=False):
                if seq <= self._seqs.get(person.number, 0):
                    self._blame(person, f"is shown {seq} after {self._seqs[person.number]}")
                self._seqs[person.number] = seq
                author = self._authors.get((person.number, text), event.member)
                self._authors[person.number, text] = event.member
                is_said_anew = event.late and event.member != author  # by one whose place was on another side alone
                if person.has_stayed and person.shown[text] > 1 and not is_said_anew:
                    self._blame(person, f"is shown {text} twice")
            case events.EntriesMissedEvent(count=count) if person.has_stayed:
                self._blame(person, f"has missed {count} entries")
            case events.MovedEvent(was=was, seq=seq):
                self.counts["texts moved"] += 1
                latest = self._seqs.get(person.number, 0)
                stays = terms.index_of(was) == terms.index_of(seq)  # where it was shown: all others know it by this
                if seq <= (was if stays else max(was, latest)):
                    self._blame(
                        person, f"is told that {_spell(was)} has moved to {_spell(seq)}, after {_spell(latest)}"
                    )
                self._seqs[person.number] = max(seq, latest)
            case HostEvent():
                self.counts["hosts told"] += 1
            case RoleEvent() | BanEvent() | RaidChangedEvent() | SlowChangedEvent():
                self.counts["rights told"] += 1
            case WaitingEvent():
                self.counts["knocks told"] += 1
            case events.LeftEvent(reason="kicked"):
                self.counts["thrown out told"] += 1

    # --- what the logs hold

    def _inspect(self) -> None:
        """Nobody holds what has expired."""
        for person in self._town.people:
            if person.is_here and person.held is None and person.room.replica.has_log:
                self._look_for_expired(person)
        self._town.plan(INSPECTION, self._inspect)

    def _look_for_expired(self, person: Person) -> None:
        now = person.room.role.room_time() - SLACK
        for batch in _batches(person):
            for entry in batch.entries:
                if entry.ttl == KEPT or not entry.body:
                    continue
                is_due = batch.time + entry.ttl * 1_000 < now
                if is_due if entry.ttl != FLEETING else not person.is_hosting:
                    self._blame(person, f"holds what has expired, of {entry.ttl} s")

    def _compare_logs(self) -> None:
        """What all keep to give it to others is the same, and has not been lost anywhere but by its time."""
        known: dict[int, tuple[bytes, bytes, bytes]] = {}
        for person in self._here:
            for batch in _batches(person):
                for index, entry in enumerate(batch.entries, batch.first):
                    if entry.retraction is not None:
                        continue  # others keep it whose log parted before it was retracted, if its author is gone
                    kept = (entry.header, entry.digest, b"" if entry.ttl == FLEETING else entry.body)
                    if known.setdefault(index, kept) != kept:
                        self._blame(person, f"keeps another entry {index}")

    def _check_counters(self, person: Person) -> None:
        """Nothing has two places."""
        headers = [Header.unpack(entry.header) for batch in _batches(person) for entry in batch.entries]
        counted = Counter((header.author, header.counter) for header in headers if header.counter)
        for (_, counter), times in counted.items():
            if times > 1:
                self._blame(person, f"has entry {counter} of one author {times} times")

    def _check_offers(self, person: Person) -> None:
        """What it is shown as on offer is offered by members, each once; of its own, that alone is served."""
        rows, members = person.room.files.list_files(), person.room.replica.ledger.roster
        self.counts["offers open"] += len(rows)
        if not {row["member"] for row in rows} <= {identity.spell_member(member.id) for member in members}:
            self._blame(person, "is shown an offer of nobody")
        if len({row["name"] for row in rows}) < len(rows):
            self._blame(person, "is shown an offer twice")
        if {row["offer"] for row in rows if row["mine"]} != person.serving:
            self._blame(person, "serves something else than it offers")

    def _check_rules(self, person: Person) -> None:
        """Nothing in a log has been ordered by who, or of whom, it may not: nobody muted or thrown out is heard."""
        room_log = person.room.replica.room_log
        ledger = room_log.trail.copy()
        for batch in room_log.log.batches:
            for entry in batch.entries:
                header, content = Header.unpack(entry.header), unpack_content(entry.body) if entry.body else None
                author = ledger.roster.find_member(header.author)
                try:
                    if author is None:
                        raise PeerFault("stranger")
                    if content is not None:
                        check_entry(ledger, author, header, content)
                    elif entry.retraction is None:
                        check_tombstone(ledger, header)
                except PeerFault as fault:
                    self._blame(person, f"has an entry {ledger.index + 1} against the rules: {fault.fault}")
                    return
                replay_entry(ledger, entry)

    # --- once all is mended

    @property
    def _here(self) -> list[Person]:
        """Who is in, but for those whom nothing that is left leads to a host."""
        orphans = self._list_orphans()
        return [person for person in self._town.people if person.is_here and person not in orphans]

    def _list_orphans(self) -> list[Person]:
        """Who is in, and has nobody who hosts or could, not even by way of others who are here.

        All whom its log has as host or heir, or had, are gone or thrown out, and nobody is at its code.
        """
        members = [person for person in self._town.people if person.is_member]
        found = [person for person in members if person.is_hosting or person.id in _list_next(person)]
        for person in found:  # which grows
            found += [it for it in members if it not in found and self._can_meet(person, it)]
        return [person for person in members if person.is_here and person not in found]

    def _can_meet(self, one: Person, other: Person) -> bool:
        """Whether one of these knows where the other is, and neither has thrown the other out."""
        for person, it in ((one, other), (other, one)):
            if it.id in person.room.replica.ledger.kicked:
                return False
        return any(
            it.id in (*_list_next(person), *person.room.replica.ledger.carriers)
            or self._town.find_server(person.room.replica.ledger.code) is it
            for person, it in ((one, other), (other, one))
        )

    @property
    def is_settled(self) -> bool:
        """Whether nothing is left to be done: one host, one log, nobody waits."""
        return not self._find_differences()

    def _find_differences(self) -> list[str]:
        here = self._here
        hosts = self._hosts
        if not here:
            return []
        if len(hosts) != 1 and not self._is_apart:
            return [f"hosts: {[person.number for person in hosts]} of {[person.number for person in here]}"]
        sides = {host.number: [person for person in here if _host_of(person) == host.id] for host in hosts}
        sides[hosts[0].number] += [person for person in here if not any(person in side for side in sides.values())]
        return [difference for host in hosts for difference in self._compare(host, sides[host.number])]

    def _compare(self, host: Person, here: list[Person]) -> list[str]:
        """In what those who are to follow a host differ from it."""
        known = host.room.replica.ledger
        found = []
        for person in here:
            ledger = person.room.replica.ledger
            if (ledger.place, ledger.digest) != (known.place, known.digest):
                found.append(f"log of {person.number}: {ledger.number}, {ledger.index}; {known.number}, {known.index}")
            elif ledger.group_context != known.group_context:
                found.append(f"group context of {person.number}")
            elif person.room.outstanding:
                found.append(f"{person.room.outstanding} inputs of {person.number} wait")
            elif not self._has_standby(person):
                found.append(f"no standby link of {person.number}")
        present = {member.id for member in known.roster if not member.away}
        if not {person.id for person in here} <= present:
            found.append(f"{len(present)} present, {len(here)} here")
        if len(self._hosts) == 1:
            found += self._list_unshown(here)
        alive = {person.id for person in self._town.people if person.is_member}
        if not present <= alive:
            found.append(f"{len(present)} present, {len(alive)} alive")
        return found

    def _list_unshown(self, here: Sequence[Person]) -> list[str]:
        """Moderators who do not know how many wait to be let in."""
        waiting = sum(person.waits for person in self._town.people)
        moderators = [person for person in here if person.room.snapshot().moderates]
        shown = [(person.number, len(person.list_waiting())) for person in moderators]
        return [f"{number} is shown {count} of {waiting} who wait" for number, count in shown if count != waiting]

    @property
    def _hosts(self) -> list[Person]:
        """Those that count: of liars, who is followed."""
        followed = {_host_of(person) for person in self._here}
        return [
            person for person in self._town.people if person.is_hosting and (person.is_honest or person.id in followed)
        ]

    @property
    def _is_apart(self) -> bool:
        """Whether no two of several hosts can come together."""
        hosts = self._hosts
        return len(hosts) > 1 and all(self._cannot_meet(one, other) for one, other in combinations(hosts, 2))

    def _cannot_meet(self, one: Person, other: Person) -> bool:
        """Whether nobody on one side was there where the logs part, or one was thrown out for good.

        That is, each side has thrown out who leads the other one, or one side has that the host of both has not, or
        who was thrown out knows nobody of the other side.
        """
        ours, theirs = one.room.replica.ledger, other.room.replica.ledger
        fork = terms.find_fork(ours.openings, ours.index, theirs.openings, theirs.index)
        if fork is None:
            return False
        for host in (one, other):
            if all(person.room.replica.room_log.trail.index > fork for person in self._list_side(host)):
                return True
        higher = max((one, other), key=lambda host: host.room.replica.ledger.openings[-1].term)
        if self._is_strange(higher, fork):
            return True
        removals = [_list_removers(host, leader, fork) for host, leader in ((one, other), (other, one))]
        if (removals[0] and not self._finds(other, one)) or (removals[1] and not self._finds(one, other)):
            return True
        if (removals[0] and self._is_told(other, one, fork)) or (removals[1] and self._is_told(one, other, fork)):
            return False
        host_there = [opening.host for opening in ours.openings if opening.index <= fork][-1]
        is_last_word = any(host_there in removers for removers in removals)
        return all(removals) or (any(removals) and not is_last_word)

    def _finds(self, outcast: Person, host: Person) -> bool:
        """Whether a host that was thrown out where this one hosts, and is dialled by nobody there, dials anybody there.

        All whom it knew as a host or heir may be gone, and the code with them.
        """
        ledger, side = outcast.room.replica.ledger, self._list_side(host)
        return any(self._town.find_server(it) in side for it in (*ledger.carriers.values(), ledger.code))

    def _is_told(self, outcast: Person, host: Person, fork: int) -> bool:
        """Whether a host that was thrown out where this one hosts hears of it: nobody is with it, and it dials that."""
        ledger = outcast.room.replica.ledger
        has_gone_on = any(opening.index > fork for opening in ledger.openings)
        return not has_gone_on and host.id in ledger.carriers and self._list_side(outcast) == [outcast]

    def _list_side(self, host: Person) -> list[Person]:
        return [person for person in self._here if _host_of(person) == host.id]

    def _is_strange(self, host: Person, fork: int) -> bool:
        """Whether nobody whom another side knows by the log there can say that this one hosts.

        All came after the logs parted, and were shown what was before. Who began the first term since proves its own
        Joined with that.
        """
        first = next((it.host for it in host.room.replica.ledger.openings if it.index > fork), b"")
        side = self._list_side(host)
        return first != host.id and all(it.room.replica.room_log.has_joined_after(it.id, fork) for it in side)

    def _has_standby(self, person: Person) -> bool:
        """Whether it has a link to the first heir, if it is to have one."""
        ledger = person.room.replica.ledger
        first = [heir.member for heir in ledger.heirs[:1]]
        heirs = [other for other in self._town.people if other.is_member and other.id in first]
        if person.is_hosting or not heirs or person in heirs:
            return True
        return any(self._town.other_end(side) in heirs for side in person.sides.values())

    def judge(self) -> str:
        """The verdict once all is over: "ok", or the first fault.

        "over" if nobody is left who could host, for some who are in or for all; "apart" if two hosts cannot come
        together.
        """
        self.counts["terms opened"] = len(self._terms) - 1
        for difference in self._find_differences():
            self._blame(None, difference)
        here = self._here
        if self._is_apart and not self.faults:
            return "apart"
        for person in self._town.people:
            if person.is_alive and person.is_honest and here:
                self._check_gone(person)
        self._compare_logs()
        for person in here:
            self._check_counters(person)
            self._check_rules(person)
            self._check_offers(person)
        for author in here:
            for text in author.said if author.has_stayed else set(author.said).difference(author.unsent):
                self._check_text(author, text)
        places = self._list_places()
        for person in here:
            if not person.has_stayed:
                continue  # who came anew does not know what became of what it was shown before
            for text, seq in person.places.items():
                if places.get(text, seq) != seq:
                    self._blame(person, f"has {text} at {_spell(seq)}, the log at {_spell(places[text])}")
        if self.faults:
            return self.faults[0].split(": ", 1)[1]
        return "over" if self._list_orphans() else "ok"

    def _list_places(self) -> dict[str, int]:
        """Where the texts are that the log has in the end. What has expired, or was cut and is gone, is nowhere."""
        places: dict[str, int] = {}
        for host in self._hosts:
            for batch in _batches(host):
                for index, entry in enumerate(batch.entries, batch.first):
                    body = unpack_content(entry.body).body if entry.body else None
                    if isinstance(body, bodies.TextBody):
                        places[body.text] = host.room.replica.ledger.place_of(index)
        return places

    def _check_gone(self, person: Person) -> None:
        """Who wants to be in a room that goes on is in it."""
        for gone in person.got(events.GoneEvent):
            if gone.reason in ("lost", "tor") and person.entered_at:
                self._blame(person, f"is out of the room: {gone.reason}")

    def _check_text(self, author: Person, text: str) -> None:
        for person in self._here:
            times, was_here = person.shown[text], person.has_stayed and person.entered_at[0] < author.said[text]
            if was_here and (times == 0 or (author.has_stayed and times != 1)):
                self._blame(person, f"was shown {text} {times} times")


def _spell(place: int) -> str:
    """The number of the term, and the index."""
    return f"{terms.number_of(place)}:{terms.index_of(place)}"


def _list_next(person: Person) -> list[bytes]:
    """Who hosts by the log of this person, or would."""
    ledger = person.room.replica.ledger
    return [ledger.host, *(heir.member for heir in ledger.heirs)]


def _host_of(person: Person) -> bytes:
    return person.room.replica.ledger.host


def _list_removers(person: Person, leader: Person, fork: int) -> set[bytes]:
    """Who has thrown out, by the log of this person after the fork, somebody who leads, or has led, another side."""
    led = {opening.host for opening in leader.room.replica.ledger.openings if opening.index > fork} | {leader.id}
    removers = set()
    for batch in _batches(person):
        for index, entry in enumerate(batch.entries, batch.first):
            body = unpack_content(entry.body).body if entry.body and index > fork else None
            removed = body.removed if isinstance(body, bodies.CommitBody) else ()
            if any(it.reason == "kicked" and it.member in led for it in removed):
                removers.add(Header.unpack(entry.header).author)
    return removers


def _batches(person: Person) -> Sequence[LogBatch]:
    return person.room.replica.room_log.log.batches
