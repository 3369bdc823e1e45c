"""Pictures of the full screen: sessions are played as tests play them, the same each time, and drawn as they end."""

import argparse
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import NoReturn

from PIL import Image

from tests.support.picture import DARK, LIGHT, FontMissing, Theme, animate, render
from tests.support.stage import Stage, StageFailed

ROOT = Path(__file__).resolve().parent.parent.parent

_KEY = 70  # milliseconds a key in the film


class Film:
    """Pictures of a stage, one after the other."""

    def __init__(self, stage: Stage, theme: Theme) -> None:
        self._stage = stage
        self._theme = theme
        self.pictures: list[tuple[Image.Image, int]] = []

    def take(self, milliseconds: int) -> None:
        """What is on the stage is to be seen for so long."""
        self._stage.settled()
        picture = render(self._stage.picture(), self._theme)
        if self.pictures and self.pictures[-1][0].tobytes() == picture.tobytes():
            milliseconds += self.pictures.pop()[1]
        self.pictures.append((picture, milliseconds))

    def type(self, text: str, then: int) -> None:
        """Each key is to be seen, and for so long what Enter brings."""
        for at in range(0, len(text), 2):
            self._stage.type(text[at : at + 2])
            self.take(2 * _KEY)
        self._stage.key("enter")
        self.take(then)


# --- the sessions


def welcome(_: Stage) -> None:
    """Nothing is done yet."""


def boot(stage: Stage) -> None:
    stage.ask("boot", progress=45, summary="Loading relay descriptors")


def room(stage: Stage) -> None:
    _talk(stage)


def qr(stage: Stage) -> None:
    _opened(stage)
    stage.type("/qr").key("enter")


def members(stage: Stage) -> None:
    _talk(stage)
    for nick in ("Zoë", "mallory", "Søren.2", "名無し", "trent", "walter"):
        stage.ask("join", nick, able=True)
    stage.ask("say", "名無し", text="こんにちは 🦊")
    stage.ask("say", "walter", text="Now there are nine of us.")


def alarm(stage: Stage) -> None:
    _joined(stage)
    reason = "The host showed different members different histories of this room."
    stage.ask("tell", event={"type": "alarm", "room": "r1", "member": "", "reason": reason})


def takeover(stage: Stage) -> None:
    code = _joined(stage)
    stage.ask("join", "cho", code=code, able=True)
    stage.settled()
    stage.ask("lose", "eve")
    stage.type("Is anybody still there?").key("enter")
    stage.until(r"12:00 +ada │ Is anybody")
    stage.ask("say", "ben", text="I am. It was eve's machine that died.")
    stage.ask("join", "dan", code=code)
    stage.ask("say", "dan", text="Hi. The code that I had from eve still works.")


def files(stage: Stage) -> None:
    _opened(stage)
    for nick in ("ben", "eve"):
        stage.ask("join", nick, able=True)
        stage.settled()
    stage.ask("offer", "ben", name="minutes of May.pdf", size=1_240_000)
    stage.ask("say", "ben", text="That is what they decided.")
    stage.ask("offer", "eve", name="recording.ogg", size=48_000_000)
    stage.ask("offer", "eve", name="notes for you.txt", size=2_300, to="ada")
    stage.type("/accept 1").key("enter")
    stage.until("saved as")
    stage.ask("tell", event=_transfer("recording.ogg", 2, 31_000_000, 48_000_000, mine=False))
    stage.type("Thanks. Here is mine.").key("enter")
    stage.settled()


def _transfer(name: str, offer: int, done: int, size: int, *, mine: bool) -> dict[str, object]:
    """How far a file is, as the user is told it."""
    told = {"type": "transfer", "room": "r1", "offer": offer, "state": "running", "name": name, "mine": mine}
    return told | {"bytes": done, "size": size, "rate": 1_400_000, "detail": ""}


def narrow(stage: Stage) -> None:
    _joined(stage)
    stage.ask("say", "eve", text="This line is far too long for a screen as narrow as the one on a telephone.")
    stage.ask("say", "eve", text="Can you read it all the same?")


def film(stage: Stage, film: Film) -> None:
    film.take(1_200)
    film.type("/create demo", 1_500)
    stage.ask("join", "ben", able=True)
    film.take(1_200)
    film.type("Hello. Who is there?", 900)
    stage.ask("say", "ben", text="Me, through three relays and back.")
    film.take(1_600)
    film.type("/retain 3s", 900)
    film.type("This one goes by itself.", 1_500)
    stage.until(lambda rows: not any("goes by itself" in row for row in rows), 10)
    film.take(2_500)


def _opened(stage: Stage) -> None:
    """The user's own room, once others can join it."""
    stage.type("/create demo").key("enter")
    stage.until("Others can join")


def _talk(stage: Stage) -> None:
    """The same, with two others who talk."""
    _opened(stage)
    for nick in ("ben", "eve"):
        stage.ask("join", nick, able=True)
        stage.settled()
    stage.type("Hello. Who is there?").key("enter")
    stage.settled()
    stage.ask("say", "ben", text="Me, through three relays and back.")
    stage.ask("say", "eve", text="Hi. Nobody but Tor was asked for an account.")
    stage.type("Nor for a server: this room runs in my process.").key("enter")
    stage.settled()
    stage.ask("say", "ben", text="And when you leave?")
    stage.ask("me", "eve", text="holds her breath")
    stage.type("/reply 9 Then one of you hosts it, under the same code.").key("enter")
    stage.settled()
    stage.ask("retain", "ben", text="5m")
    stage.ask("say", "ben", text="This one I want gone in five minutes.")
    stage.ask("msg", "eve", to="ada", text="This is for you alone.")
    stage.ask("nick", "ben", text="Ben")


def _joined(stage: Stage) -> str:
    """A room of somebody else's; its code."""
    code: str = stage.ask("host", "eve", name="den")["code"]
    stage.ask("join", "ben", of="eve", able=True)
    stage.type(f"/join {code}").key("enter")
    stage.until("den")
    stage.settled()
    stage.ask("say", "eve", text="Welcome, ada.")
    stage.ask("say", "ben", text="Hello ada, say something.")
    stage.type("Something.").key("enter")
    stage.settled()
    return code


@dataclass(frozen=True)
class Scene:
    play: Callable[[Stage], None]
    columns: int = 80
    rows: int = 24
    theme: Theme = DARK
    slow_boot: bool = False


SCENES = {
    "welcome": Scene(welcome),
    "boot": Scene(boot, slow_boot=True),
    "room": Scene(room),
    "qr": Scene(qr),
    "members": Scene(members, columns=120, rows=40),
    "alarm": Scene(alarm),
    "takeover": Scene(takeover),
    "files": Scene(files),
    "narrow": Scene(narrow, columns=40, rows=20),
    "light": Scene(room, theme=LIGHT),
}
FILM = "film"


def shoot(name: str, out: Path) -> Path:
    """Plays a session and writes its picture; returns where. Raises FontMissing, StageFailed."""
    scene = SCENES.get(name) or Scene(welcome, rows=20)
    with Stage(
        *("--nick", "ada"),
        columns=scene.columns,
        rows=scene.rows,
        slow_boot=scene.slow_boot,
        light=scene.theme is LIGHT,
    ) as stage:
        stage.settled()  # what is typed sooner is lost
        if name == FILM:
            frames = Film(stage, scene.theme)
            film(stage, frames)
            path = out / f"{name}.gif"
            animate(frames.pictures, path)
        else:
            scene.play(stage)
            stage.settled()
            path = out / f"{name}.png"
            render(stage.picture(), scene.theme).save(path, optimize=True)
    return path


def interrupted(number: int, _: FrameType | None) -> NoReturn:
    """Ends the program by way of its clean-up."""
    sys.exit(128 + number)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "pictures", metavar="DIR")
    parser.add_argument("--list", action="store_true", help="say which there are")
    arguments = parser.parse_args()
    known = [*SCENES, FILM]
    if arguments.list:
        print(*known, sep="\n")
        return 0
    if unknown := [name for name in arguments.names if name not in known]:
        parser.error(f"there is no {', '.join(unknown)}; there are {', '.join(known)}")
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupted)
    try:
        arguments.out.mkdir(parents=True, exist_ok=True)
        for name in arguments.names or known:
            path = shoot(name, arguments.out)
            print(f"{path}  {path.stat().st_size // 1024} KiB")
    except (FontMissing, StageFailed, OSError) as error:
        print(f"screenshot: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
