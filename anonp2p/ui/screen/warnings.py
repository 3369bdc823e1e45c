"""What must not be missed in a room: alarms, notices, and nicks that may be taken for others."""

from dataclasses import dataclass
from itertools import chain, islice
from typing import Literal

from anonp2p import limits
from anonp2p.room import events
from anonp2p.ui import wording

_Lookalike = tuple[str, str, str]  # a nick, what it may be taken for, and `of` of the event


@dataclass(frozen=True, slots=True, repr=False)
class Banner:
    """A warning over everything else, until the user has put it away."""

    style: Literal["alarm", "caution"]
    text: str


class Warnings:
    """The warnings of one room that the user has not put away."""

    def __init__(self) -> None:
        self._alarms: list[Banner] = []
        self._notices: list[Banner] = []
        self._lookalikes_of_speakers: dict[_Lookalike, None] = {}  # to be warned of, the oldest first
        self._lookalikes_of_others: dict[_Lookalike, None] = {}
        self._unnamed = 0  # further ones, of which there were too many to be kept

    @property
    def banners(self) -> list[Banner]:
        """What waits to be put away, in that order: alarms, notices, then the look-alikes that are read at once."""
        named, count = self._named(), self._kept + self._unnamed
        caution = [Banner("caution", wording.lookalikes(named, count - len(named)))] if count else []
        return [*self._alarms, *self._notices, *caution]

    def put_away(self) -> None:
        """The user has read the first banner: what it names is not warned of any more."""
        if self._alarms:
            del self._alarms[0]
        elif self._notices:
            del self._notices[0]
        elif self._kept:
            for alike in self._named():
                self._lookalikes_of_speakers.pop(alike, None)
                self._lookalikes_of_others.pop(alike, None)
        else:
            self._unnamed = 0

    @property
    def _kept(self) -> int:
        return len(self._lookalikes_of_speakers) + len(self._lookalikes_of_others)

    def _named(self) -> list[_Lookalike]:
        """The look-alikes that the banner names."""
        return list(islice(chain(self._lookalikes_of_speakers, self._lookalikes_of_others), limits.NAMED_AT_ONCE))

    def add_alarm(self, text: str) -> None:
        """Adds an alarm: a host did what no honest program does. The same text is not shown twice."""
        _add(self._alarms, Banner("alarm", text))

    def add_notice(self, text: str) -> None:
        """Adds what nobody is to blame for, but the user has to know. The same text is not shown twice."""
        _add(self._notices, Banner("caution", text))

    def add_lookalike(self, event: events.LookalikeEvent) -> None:
        """Adds a look-alike. All are kept until they are read, so that one cannot be hidden behind others.

        Of too many the latest is only counted, first of those of nicks under which no message was shown. Who may be
        taken for a member who is here, or for the program, counts as much as who may be taken for one who spoke.
        """
        alike = event.nick, event.was, event.of
        if event.spoke or event.of != "former":
            self._lookalikes_of_others.pop(alike, None)
            self._lookalikes_of_speakers[alike] = None
        elif alike not in self._lookalikes_of_speakers:
            self._lookalikes_of_others[alike] = None
        if self._kept > limits.LOOKALIKES:
            (self._lookalikes_of_others or self._lookalikes_of_speakers).popitem()
            self._unnamed += 1


def _add(banners: list[Banner], banner: Banner) -> None:
    if banner not in banners and len(banners) < limits.BANNERS:
        banners.append(banner)
