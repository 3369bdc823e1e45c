"""Line mode and JSON-lines mode: lines on stdin, lines on stdout."""

import os
from collections.abc import AsyncIterator

from anonp2p.config import Config
from anonp2p.errors import BadCode, InputFailed
from anonp2p.room import events
from anonp2p.ui import actions, commands
from anonp2p.ui.bell import Bell
from anonp2p.ui.frontend import Closed, FindRoom, UserRequest
from anonp2p.ui.line.interpreter import Interpreter
from anonp2p.ui.line.output import Output
from anonp2p.ui.line.prefixes import RoomPrefixes
from anonp2p.ui.line.stdin import read_lines


class LineMode:
    """The frontend for plain terminals, and for programs. lines: of input; stdin where they are not given."""

    must_succeed = True

    def __init__(self, config: Config, lines: AsyncIterator[bytes] | None = None) -> None:
        self._config = config
        self._lines = lines or read_lines()
        self._prefixes = RoomPrefixes()

    def attach(self, closed: Closed, find_room: FindRoom) -> None:
        json = self._config.mode == "json"
        self._closed = closed
        self._output = Output(closed, json=json)
        bell = Bell(self._output.ring, self._output.notify) if not json and os.isatty(0) else None
        self._interpreter = Interpreter(find_room, self.tell, self._output.clear, json=json, bell=bell)

    async def first_command(self) -> actions.CreateRoomAction | actions.JoinRoomAction | None:
        """See `Frontend`. A code of `-` stands for the first line of stdin."""
        subject = self._config.subject
        if subject == "-":
            subject = (await self._read_line() or b"").decode("utf-8", "replace").strip()
            if not subject:
                raise BadCode("there is none on the first line of stdin")
        return commands.from_arguments(self._config.action, subject)

    async def next_request(self) -> UserRequest | None:
        try:
            while (line := await self._read_line()) is not None:
                if request := self._interpreter.interpret_line(line):
                    return request
                del line  # while we wait for the next one, nothing of it is held here
        except InputFailed as error:
            self._closed(error)
        return None

    async def _read_line(self) -> bytes | None:
        """The next line; None at the end. Raises InputFailed."""
        try:
            return await anext(self._lines, None)
        except OSError as error:
            raise InputFailed(str(error.strerror)) from None

    def open_room(self, label: str, again: actions.JoinRoomAction | None) -> None:
        self._interpreter.open_room(label)

    def tell(self, event: events.Event) -> None:
        quote = self._interpreter.find_quote(event)
        if self._interpreter.take_event(event):
            event = self._interpreter.mark_verified(event)
            self._output.print_event(event, self._prefixes.prefix_event(event), quote)

    async def run(self) -> None:
        await self._output.run()

    async def drained(self) -> None:
        await self._output.drained()
