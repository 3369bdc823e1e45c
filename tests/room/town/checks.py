"""What must hold in a town: after every step, and once it is mended."""

from collections import Counter

from anonp2p.reasons import LINK_ENDS
from anonp2p.room import events
from tests.room.town.person import Person
from tests.room.town.town import Town


class Checks:
    """Watches a town. faults: whatever must not be, as it is found. counts: what is worth knowing besides."""

    def __init__(self, town: Town) -> None:
        self.faults: list[str] = []
        self.counts: Counter[str] = Counter()
        self._town = town
        self._digests: dict[tuple[int, bytes, int], tuple[bytes, int]] = {}
        self._read: Counter[int] = Counter()  # events of each person that were looked at
        self._seqs: dict[int, int] = {}  # of the latest message that each was shown
        town.on_link_end = self._check_end

    def watch(self, person: Person) -> None:
        """Somebody has taken an input."""
        for event in person.told[self._read[person.number] :]:
            self._check_event(person, event)
        self._read[person.number] = len(person.told)
        ledger = person.room.replica.ledger
        if person.room.entered:
            place = (0, ledger.host, ledger.index)
            digest, first = self._digests.setdefault(place, (ledger.digest, person.number))
            if digest != ledger.digest:
                self._blame(person, f"has another log than {first} at {ledger.index}")

    def _blame(self, person: Person | None, what: str) -> None:
        who = "the town" if person is None else str(person.number)
        self.faults.append(f"{self._town.now:.2f}: {who} {what}")
        self._town.note(person, f"FAULT: {what}")

    def _check_end(self, person: Person, reason: str) -> None:
        """A link has ended."""
        if reason not in LINK_ENDS:
            self._blame(person, f"ends a link: {reason}")
        self.counts[f"links {reason}"] += 1

    def _check_event(self, person: Person, event: events.Event) -> None:
        match event:
            case events.AlarmEvent(reason=reason):
                self._blame(person, f"is alarmed: {reason}")
            case events.EnteredEvent():
                self._seqs.pop(person.number, None)
            case events.MessageEvent(seq=seq, history=False):
                if seq <= self._seqs.get(person.number, 0):
                    self._blame(person, f"is shown {seq} after {self._seqs[person.number]}")
                self._seqs[person.number] = seq
                if person.has_stayed and person.shown[event.text] > 1:
                    self._blame(person, f"is shown {event.text} twice")
            case events.EntriesMissedEvent(count=count):
                self._blame(person, f"has missed {count} entries")

    # --- once all is mended

    @property
    def _here(self) -> list[Person]:
        return [person for person in self._town.people if person.is_here]

    @property
    def is_settled(self) -> bool:
        """Whether nothing is left to be done: one host, one log, nobody waits."""
        return not self._find_differences()

    def _find_differences(self) -> list[str]:
        here = self._here
        hosts = [person for person in here if person.is_hosting]
        if not here:
            return []
        if len(hosts) != 1:
            return [f"hosts: {[person.number for person in hosts]} of {[person.number for person in here]}"]
        known = hosts[0].room.replica.ledger
        found = []
        for person in here:
            ledger = person.room.replica.ledger
            if (ledger.index, ledger.digest) != (known.index, known.digest):
                found.append(f"log of {person.number}: {ledger.index}, the host's: {known.index}")
            elif ledger.group_context != known.group_context:
                found.append(f"group context of {person.number}")
            elif person.room.outstanding:
                found.append(f"{person.room.outstanding} inputs of {person.number} wait")
        present = {member.id for member in known.roster if not member.away}
        if present != {person.room.replica.me.id for person in here}:
            found.append(f"{len(present)} present, {len(here)} here")
        return found

    def judge(self) -> str:
        """The verdict once all is over: "ok", or the first thing that is wrong."""
        for difference in self._find_differences():
            self._blame(None, difference)
        here = self._here
        for author in here:
            if author.has_stayed:
                for text in author.said:
                    self._check_text(author, text)
        places: dict[str, int] = {}
        for person in here:
            for text, seq in person.places.items():
                if places.setdefault(text, seq) != seq:
                    self._blame(person, f"has {text} at {seq}, others at {places[text]}")
        return self.faults[0].split(": ", 1)[1] if self.faults else "ok"

    def _check_text(self, author: Person, text: str) -> None:
        for person in self._here:
            if person.has_stayed and person.entered_at[0] < author.said[text] and person.shown[text] != 1:
                self._blame(person, f"was shown {text} {person.shown[text]} times")
