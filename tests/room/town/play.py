"""Plays a schedule in a town, and judges what came of it."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from anonp2p.crypto.epoch import KEPT
from anonp2p.protocol import room_state
from anonp2p.room import inputs
from anonp2p.room.file_inputs import SendFileInput
from anonp2p.room.moderation_events import RoleName
from anonp2p.room.moderation_inputs import (
    AdmitInput,
    AnyModerationInput,
    KickInput,
    KnockInput,
    LockInput,
    PurgeInput,
    RaidInput,
    RoleInput,
    SlowInput,
    UnbanInput,
)
from anonp2p.room.retention import NO_HISTORY
from tests.room.town.checks import Checks
from tests.room.town.hostile import MEDDLERS
from tests.room.town.person import Person
from tests.room.town.schedule import Schedule, Step
from tests.room.town.town import Town
from tests.room.town.wires import PACES

HEALING = 150.0  # seconds after the talk in which a town has to become one room again
SETTLING = 7.0  # seconds more, a few times, until nothing is on its way


@dataclass(frozen=True)
class Outcome:
    """What came of a schedule. faults: all that must not be; none if it went well. counts: what else shows."""

    schedule: Schedule
    verdict: str
    faults: list[str]
    counts: dict[str, int]
    trace: list[str]


class Play:
    """A town in which a schedule is carried out."""

    def __init__(self, schedule: Schedule) -> None:
        self.schedule = schedule
        history = room_state.HistoryPolicy(schedule.history, 0) if schedule.history else NO_HISTORY
        self.town = Town(schedule.seed, PACES[schedule.pace], history=history)
        self.checks = Checks(self.town)
        self._verbs: dict[str, Callable[..., None]] = {
            "kill": self._kill,
            "unplug": self._unplug,
            "stop": self._stop,
            "split": self._split,
            "pair": self._pair,
            "isolate": self._isolate,
            "drop": self._drop,
            "hang": self._hang,
            "meddle": self._meddle,
            "strangers": self._strangers,
            "come": self._come,
            "leave": self._leave,
            "kick": self._kick,
            "ban": self._ban,
            "lock": self._lock,
            "unlock": self._unlock,
            "op": lambda whom: self._change_role(whom, "moderator", "/op"),
            "deop": lambda whom: self._change_role(whom, "member", "/deop"),
            "mute": lambda whom: self._change_role(whom, "muted", "/mute"),
            "unmute": lambda whom: self._change_role(whom, "member", "/unmute"),
            "raid": lambda: self._moderate(RaidInput(on=True)),
            "calm": lambda: self._moderate(RaidInput(on=False)),
            "slow": lambda seconds: self._moderate(SlowInput(int(seconds))),
            "purge": lambda: self._moderate(PurgeInput(15)),
            "knock": lambda: self._moderate(KnockInput(on=True)),
            "open": lambda: self._moderate(KnockInput(on=False)),
            "admit": lambda: self._answer_knock(admitted=True),
            "refuse": lambda: self._answer_knock(admitted=False),
            "unban": lambda whom: self._moderate(UnbanInput(f"user{whom}")),
            "whisper": self._whisper,
            "reply": self._reply,
            "retract": self._retract,
            "fleet": self._fleet,
            "rename": self._rename,
            "send": self._send,
        }

    def run(self) -> Outcome:
        """Plays it to its end."""
        town, schedule = self.town, self.schedule
        self._plan_talk(town.add(creates=True))
        for number in range(1, schedule.people):
            town.plan(number * 0.05 * schedule.begin, self._come)
        for step in schedule.steps:
            town.plan(step.at, self._carry_out, step)
        town.run(schedule.end)
        self._mend()
        town.run(schedule.end + HEALING)
        for _ in range(6):
            if self.checks.is_settled:
                break
            town.run(town.now + SETTLING)
        verdict = self.checks.judge()
        return Outcome(schedule, verdict, self.checks.faults, self.checks.counts, town.trace)

    def _mend(self) -> None:
        self.town.note(None, "all is mended")
        self.town.lines.mend_all()
        self.town.hanging = False
        for person in self.town.people:
            self.town.go_on(person, late=False)

    def _carry_out(self, step: Step) -> None:
        self.town.note(None, str(step))
        self._verbs[step.verb](*step.about)

    # --- who

    def _find(self, whom: str) -> Person | None:
        """Whoever that is now, if there is one with whom something can happen."""
        if not whom.isdigit():
            return self._find_role(whom)
        number = int(whom)
        person = self.town.people[number] if number < len(self.town.people) else None
        return person if person is not None and person.is_member else None

    def _find_role(self, whom: str) -> Person | None:
        """`host`: of the highest term; `heir`, `heir2`, `heir3`: of that one's heirs, in order."""
        hosts = [person for person in self.town.people if person.is_hosting]
        host = max(hosts, key=lambda person: person.room.replica.ledger.place, default=None)
        if whom == "host" or host is None:
            return host
        rank = int(whom.removeprefix("heir") or 1) - 1
        heirs = [heir.member for heir in host.room.replica.ledger.heirs[rank : rank + 1]]
        return next((person for person in self.town.people if person.is_member and person.id in heirs), None)

    # --- what goes wrong

    def _kill(self, whom: str) -> None:
        if person := self._find(whom):
            self.town.kill(person, silent=False)

    def _unplug(self, whom: str) -> None:
        if person := self._find(whom):
            self.town.kill(person, silent=True)

    def _stop(self, whom: str, seconds: str, how: str) -> None:
        if person := self._find(whom):
            self.town.stop(person)
            self.town.plan(float(seconds), lambda: self.town.go_on(person, late=how == "late"))

    def _split(self, some: str, seconds: str, how: str) -> None:
        apart = {int(number) for number in some.split(",")}
        others = {person.number for person in self.town.people} - apart
        self._cut([frozenset((one, other)) for one in apart for other in others], seconds, how)

    def _pair(self, whom: str, other: str, seconds: str, how: str) -> None:
        one, two = self._find(whom), self._find(other)
        if one and two and one is not two:
            self._cut([frozenset((one.number, two.number))], seconds, how)

    def _isolate(self, whom: str, seconds: str, how: str) -> None:
        if person := self._find(whom):
            others = [other.number for other in self.town.people if other is not person]
            self._cut([frozenset((person.number, other)) for other in others], seconds, how)

    def _cut(self, pairs: list[frozenset[int]], seconds: str, how: str) -> None:
        mend = self.town.lines.cut(pairs)
        self.town.break_links(pairs, silent=how == "silent")
        self.town.plan(float(seconds), mend)

    def _drop(self, whom: str, how: str) -> None:
        """All links of somebody break once."""
        if person := self._find(whom):
            pairs = [frozenset((person.number, other.number)) for other in self.town.people if other is not person]
            self.town.break_links(pairs, silent=how == "silent")

    def _hang(self, seconds: str) -> None:
        """Dials that begin now come to nothing, when their time is over."""
        self.town.hanging = True

        def end() -> None:
            self.town.hanging = False

        self.town.plan(float(seconds), end)

    def _meddle(self, whom: str, how: str) -> None:
        """Somebody breaks a rule from now on."""
        if person := self._find(whom):
            person.actor = MEDDLERS[how](person.room)

    def _strangers(self, number: str, how: str) -> None:
        """So many come, and do nothing but take up links."""
        for _ in range(int(number)):
            self.town.add_stranger(answers=how == "answer")

    # --- what users do

    def _plan_talk(self, person: Person) -> None:
        chance = random.Random(f"{self.schedule.seed} talk {person.number}")
        at = max(self.town.now, self.schedule.begin - 2)
        while (at := at + chance.uniform(0.3, 2 * self.schedule.talk)) < self.schedule.end:
            self.town.plan(at - self.town.now, self._say, person)

    def _say(self, person: Person) -> None:
        if person.is_here and person.held is None:
            text = self._next_text(person)
            person.said[text] = self.town.now
            self.town.type_input(person, inputs.SayInput(text, re=text))

    def _send(self, whom: str) -> None:
        """Offers a file, whose name is as unlike others as any text."""

        def make(person: Person) -> inputs.Typed:
            name = self._next_text(person)
            person.said[name] = self.town.now
            return SendFileInput(name, re=name)

        self._type(whom, make)

    @staticmethod
    def _next_text(person: Person) -> str:
        person.typed += 1
        return f"{person.number}.{person.typed}"

    def _type(self, whom: str, make: Callable[[Person], inputs.Typed]) -> None:
        person = self._find(whom)
        if person is not None and person.held is None:
            self.town.type_input(person, make(person))

    def _come(self) -> None:
        self._plan_talk(self.town.add(creates=False))

    def _leave(self, whom: str) -> None:
        self._type(whom, lambda _: inputs.LeaveInput())

    def _kick(self, whom: str) -> None:
        if person := self._find(whom):
            self._moderate(KickInput(person.room.snapshot().nick))

    def _ban(self, whom: str) -> None:
        if person := self._find(whom):
            self._moderate(KickInput(person.room.snapshot().nick, ban=True))

    def _lock(self) -> None:
        self._moderate(LockInput(locked=True))

    def _unlock(self) -> None:
        self._moderate(LockInput(locked=False))

    def _change_role(self, whom: str, role: RoleName, command: Literal["/op", "/deop", "/mute", "/unmute"]) -> None:
        if person := self._find(whom):
            self._moderate(RoleInput(person.room.snapshot().nick, role, command))

    def _answer_knock(self, *, admitted: bool) -> None:
        """A moderator lets in who has waited for longest of those of whom it was told, or turns that one away."""
        moderator = self._find_moderator()
        waiting = moderator.list_waiting() if moderator else []
        if moderator and waiting:
            self.town.type_input(moderator, AdmitInput(waiting[0], admitted))

    def _moderate(self, asked: AnyModerationInput) -> None:
        if moderator := self._find_moderator():
            self.town.type_input(moderator, asked)

    def _find_moderator(self) -> Person | None:
        """One of the moderators: not always the same one, and more often one that does not host."""
        people = [it for it in self.town.people if it.is_here and it.held is None]
        able = [it for it in people if it.room.snapshot().moderates]
        others = [it for it in able if not it.is_hosting] or able
        return others[int(self.town.now * 7) % len(others)] if others else None

    def _whisper(self, whom: str, other: str) -> None:
        if (to := self._find(other)) and to.number != int(whom):
            nick = to.room.snapshot().nick
            self._type(whom, lambda person: inputs.WhisperInput(nick, self._next_text(person)))

    def _reply(self, whom: str) -> None:
        self._type(whom, lambda person: inputs.ReplyInput(None, self._next_text(person)))

    def _retract(self, whom: str) -> None:
        """Nobody need have seen what is taken back; which of the latest that is depends on what has its place."""

        def make(person: Person) -> inputs.Typed:
            for text in [*person.said][-3:]:
                del person.said[text]
            return inputs.RetractInput(None)

        self._type(whom, make)

    def _fleet(self, whom: str, ttl: str) -> None:
        """Says something that is kept for so long, and goes on as before."""
        self._type(whom, lambda _: inputs.RetainInput(int(ttl)))
        self._type(whom, lambda person: inputs.SayInput(self._next_text(person)))
        self._type(whom, lambda _: inputs.RetainInput(KEPT))

    def _rename(self, whom: str) -> None:
        self._type(whom, lambda person: inputs.RenameInput(f"other{person.number}"))
