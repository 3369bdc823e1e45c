"""What happens in a town, as lines of text that can be kept, cut down and run again.

The first line says how the town is, each other one what happens when: seconds, a verb, and about whom. People have
numbers; `host`, `heir` and `other` (a member that is neither) stand for whoever that is when it happens. What takes a
moderator is done by one of them, if there is any.
"""

import random
from dataclasses import dataclass, field, replace
from typing import Self

BEGIN = {"near": 10.0, "far": 90.0}  # seconds until everybody is in, and the first thing can happen
PAUSES = (1, 5, 12, 18, 25, 60)  # for how many seconds something may last: below and above each patience
FAULTS = (
    ("kill", 0.22),
    ("unplug", 0.08),
    ("stop", 0.15),
    ("split", 0.2),
    ("pair", 0.15),
    ("isolate", 0.1),
    ("leave", 0.1),
    ("hang", 0.03),
    ("strangers", 0.03),
)
TALK = ("come", "come", "whisper", "reply", "retract", "fleet", "rename")
KNOCKING_FROM = 10_000  # the first seed in whose town people have to knock: what happens by those of before stays
OFFERING_FROM = 20_000  # the first seed in whose town files are offered
KNOCKING = ("come", "come", "admit", "admit", "refuse", "open", "knock", "unban")
MODERATING = ("kick", "ban", "op", "deop", "mute", "unmute", "lock", "unlock", "raid", "calm", "slow", "purge")


@dataclass(frozen=True, slots=True)
class Step:
    """Something happens. about: the words after the verb."""

    at: float
    verb: str
    about: tuple[str, ...] = ()

    def __str__(self) -> str:
        return " ".join([f"{self.at:.2f}", self.verb, *self.about])

    @classmethod
    def parse(cls, line: str) -> Self:
        at, verb, *about = line.split()
        return cls(float(at), verb, tuple(about))


@dataclass(frozen=True, slots=True)
class Schedule:
    """A town and what happens in it. talk: mean seconds between two texts of one person; end: of the talk.

    After it, everybody who was stopped goes on, and all lines are mended.
    """

    seed: int
    people: int = 4
    pace: str = "near"
    talk: float = 4.0
    end: float = 40.0
    history: int = 0
    steps: tuple[Step, ...] = field(default=())

    def __str__(self) -> str:
        named = ("seed", "people", "pace", "talk", "end", "history")
        return "\n".join([" ".join(f"{name}={getattr(self, name)}" for name in named), *map(str, self.steps)])

    @classmethod
    def parse(cls, text: str) -> Self:
        first, *rest = [line for line in text.splitlines() if line.strip()]
        said = dict(word.split("=") for word in first.split())
        return cls(
            seed=int(said["seed"]),
            people=int(said["people"]),
            pace=said["pace"],
            talk=float(said["talk"]),
            end=float(said["end"]),
            history=int(said["history"]),
            steps=tuple(map(Step.parse, rest)),
        )

    @property
    def begin(self) -> float:
        """From when on something can happen."""
        return BEGIN[self.pace]

    def without(self, number: int) -> Self:
        """The same without one of its steps."""
        return replace(self, steps=self.steps[:number] + self.steps[number + 1 :])


def draw_schedule(seed: int, *, host_stays: bool = False) -> Schedule:
    """The schedule of a seed. host_stays: nothing happens to the first host, and everything to the others."""
    chance = random.Random(f"{seed} schedule")
    people = chance.choice((2, 3, 3, 4, 4, 5, 6, 8))
    pace = "far" if chance.random() < 0.2 else "near"
    begin = BEGIN[pace]
    lasting = chance.choice((20, 40, 90))
    faults = [
        _draw_fault(chance, people, begin + chance.uniform(1, lasting), host_stays=host_stays)
        for _ in range(chance.randint(1, 6))
    ]
    deeds = [_draw_deed(chance, people, begin + chance.uniform(1, lasting + 20)) for _ in range(chance.randint(0, 6))]
    knocks = _draw_knocks(chance, people, begin, lasting) if seed >= KNOCKING_FROM else []
    offers = _draw_offers(chance, people, begin, lasting) if seed >= OFFERING_FROM else []
    return Schedule(
        seed=seed,
        people=people,
        pace=pace,
        talk=chance.choice((3.0, 6.0)),
        end=begin + lasting + 60,
        history=chance.choice((0, 0, 5)),
        steps=tuple(sorted(faults + deeds + knocks + offers, key=lambda step: step.at)),
    )


def _draw_whom(chance: random.Random, people: int, *, host_stays: bool) -> str:
    if host_stays:
        return str(chance.randint(1, people - 1))
    return "host" if chance.random() < 0.5 else chance.choice(("heir", str(chance.randrange(people))))


def _draw_fault(chance: random.Random, people: int, at: float, *, host_stays: bool) -> Step:
    verbs, weights = zip(*FAULTS, strict=True)
    [verb] = chance.choices(verbs, weights)
    whom = _draw_whom(chance, people, host_stays=host_stays)
    seconds, how = str(chance.choice(PAUSES)), chance.choice(("told", "silent"))
    match verb:
        case "stop":
            about: tuple[str, ...] = (whom, seconds, chance.choice(("prompt", "late")))
        case "split":
            some = chance.sample(range(people), chance.randint(1, max(1, people // 2)))
            about = (",".join(map(str, sorted(some))), seconds, how)
        case "pair":
            about = (whom, str(chance.randrange(people)), seconds, how)
        case "isolate":
            about = (whom, seconds, how)
        case "hang":
            about = (seconds,)
        case "strangers":
            about = (str(chance.randint(1, 5)), chance.choice(("answer", "wait")))
        case _:
            about = (whom,)
    return Step(round(at, 2), verb, about)


def _draw_knocks(chance: random.Random, people: int, begin: float, lasting: float) -> list[Step]:
    """Newcomers have to knock, from the beginning on; some come, and some are answered."""
    steps = [Step(begin, "knock"), Step(round(begin + chance.uniform(1, lasting), 2), "come")]
    for _ in range(chance.randint(2, 8)):
        verb = chance.choice(KNOCKING)
        about = (str(chance.randrange(people)),) if verb == "unban" else ()
        steps.append(Step(round(begin + chance.uniform(1, lasting + 20), 2), verb, about))
    return steps


def _draw_offers(chance: random.Random, people: int, begin: float, lasting: float) -> list[Step]:
    """Some offer files."""
    times = [round(begin + chance.uniform(1, lasting + 20), 2) for _ in range(chance.randint(3, 10))]
    return [Step(at, "send", (str(chance.randrange(people)),)) for at in times]


def _draw_deed(chance: random.Random, people: int, at: float) -> Step:
    """Something that a user does, not a fault."""
    verb = chance.choice((*TALK, *MODERATING))
    one, other = chance.sample([str(number) for number in range(people)], 2)
    match verb:
        case "come" | "lock" | "unlock" | "raid" | "calm" | "purge":
            about: tuple[str, ...] = ()
        case "whisper":
            about = (one, other)
        case "fleet":
            about = (one, str(chance.choice((0, 5, 20))))
        case "slow":
            about = (str(chance.choice((0, 2, 5))),)
        case _:
            about = (one,)
    return Step(round(at, 2), verb, about)
