"""The theatre (tests/support/theatre.py) for hostile strings: much can be said at once, and any name is one.

    python -m tests.support.hostile_theatre [OPTIONS OF THE THEATRE] [-- ARGUMENTS OF THE PROGRAM]

With ANY_NAME in the environment nobody looks whether nicks and names of rooms are proper: what would then be seen of
them must be harmless nevertheless.
"""

import os
import sys
from pathlib import Path
from typing import Any

import trio

from anonp2p.names import nicks
from anonp2p.names.codes import RoomKey
from anonp2p.room import events, inputs
from anonp2p.ui import commands
from tests.support import theatre


class _Stagehand(theatre._Stagehand):
    async def do_says(self, who: str, texts: list[str]) -> None:
        """Somebody says all this, one after the other."""
        session = self._others[who].session
        for text in texts:
            await session.post(inputs.Say(text))
        with trio.fail_after(theatre._PATIENCE):
            await session.until_settled()

    async def do_tells(self, told: list[dict[str, Any]]) -> None:
        """The front is told all these events."""
        for event in told:
            await self.do_tell(event)

    async def do_found(self, who: str, name: str) -> dict[str, str]:
        """Somebody creates a room of this very name."""
        key = RoomKey(self._random(who)(32))
        other = await self._enter(who, key.public, key, commands.CreateRoom(name))
        await other.person.hears(events.Reachable)
        return {"code": key.code}


def main() -> int:
    vars(theatre)["_Stagehand"] = _Stagehand
    if "ANY_NAME" in os.environ:
        vars(nicks).update(nick=str, room_name=str, is_nick=bool, is_room_name=bool)
        vars(nicks).update(dict.fromkeys(("looks", "wide_looks"), lambda name: frozenset((name,))))
        vars(nicks).update(reserved_word=lambda _: "")
    sys.argv[1:1] = ["--control", str(Path(os.environ["HOME"]) / "control")]  # where a stage looks for it
    return theatre.main()


if __name__ == "__main__":
    sys.exit(main())
