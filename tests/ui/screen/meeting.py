"""How the user of a stage meets others in a room."""

import re

from tests.support.stage import Stage

CODE = re.compile(r"(?<![a-z2-7])[a-z2-7]{56}\.onion")


def host(stage: Stage, *people: str, name: str = "demo") -> str:
    """The user creates a room, the others join it; its code, or empty where the screen has it in two rows."""
    stage.settled()
    stage.type(f"/create {name}\n").until(rf"room {name} ")
    rows = stage.until("Others can join now")
    for who in people:
        stage.ask("join", who=who)
    return next((match[0] for row in rows if (match := CODE.search(row))), "")


def enter(stage: Stage, *people: str, name: str = "demo", by: str = "ada", **rules: str) -> str:
    """The user joins a room that somebody has made and others have joined; its code."""
    stage.settled()
    code: str = stage.ask("host", who=by, name=name, **rules)["code"]
    for who in people:
        stage.ask("join", who=who, code=code)
    stage.type(f"/join {code}\n").until(f"You are in {name}")
    return code
