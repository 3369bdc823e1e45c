"""Line mode and JSON-lines mode: lines on stdin, lines on stdout."""

import os
from collections.abc import AsyncIterator
from functools import partial
from typing import TYPE_CHECKING

import trio

from anonp2p import limits
from anonp2p.config import Config
from anonp2p.errors import AnonError, BadCode, InputFailed, NickTaken, ReservedNick
from anonp2p.room import events
from anonp2p.ui import actions, commands, wording
from anonp2p.ui.bell import Bell
from anonp2p.ui.clipboard import Clipboard
from anonp2p.ui.frontend import Closed, FindRoom, UserRequest
from anonp2p.ui.line.interpreter import Interpreter
from anonp2p.ui.line.output import Output
from anonp2p.ui.line.prefixes import RoomPrefixes
from anonp2p.ui.line.stdin import read_lines
from anonp2p.ui.line.worth import Worth

if TYPE_CHECKING:
    from anonp2p.ui.line.typing import Typing


class LineMode:
    """The frontend for plain terminals, and for programs.

    lines: of input; stdin where they are not given. typing: the terminal with an input line, where there is one.
    """

    must_succeed = True

    def __init__(
        self, config: Config, lines: AsyncIterator[bytes] | None = None, typing: "Typing | None" = None
    ) -> None:
        self._config = config
        self._typing = typing
        self._clipboard: Clipboard | None = None
        self._lines = lines or (typing.read_lines() if typing else read_lines())
        self._prefixes = RoomPrefixes()
        self._worth = Worth()

    def attach(self, closed: Closed, find_room: FindRoom) -> None:
        json = self._config.mode == "json"
        self._closed = closed
        self._output = Output(closed, json=json)
        bell = Bell(self._output.ring, self._output.notify) if not json and os.isatty(0) else None
        if self._typing:
            self._clipboard = Clipboard(self._output.steer)
        self._interpreter = Interpreter(
            find_room,
            self.tell,
            self._output.clear,
            json=json,
            bell=bell,
            clipboard=self._clipboard,
            clock=trio.current_time,
        )
        if self._typing:
            self._output.line = self._typing.line
            self._typing.show, self._typing.redraw = self._output.show_line, self._output.redraw_line
            self._typing.known = self._interpreter.list_known
            self._typing.entered = self._note_entered

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
                request = self._interpreter.interpret_line(line)
                self._show_prompt()
                if request:
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
        self._interpreter.open_room(label, again)

    def _note_entered(self, text: str) -> None:
        """What is typed can be brought back. A command stays in sight; of a message its receipt will be."""
        assert self._typing is not None
        self._typing.line.note_sent(self._interpreter.keep_private(text))
        if commands.is_command(text):
            self._output.print_typed(text)

    def _show_prompt(self) -> None:
        if self._typing:
            self._typing.line.prompt = self._interpreter.prompt
            self._output.show_line()

    def tell(self, event: events.Event) -> None:
        quote = self._interpreter.find_quote(event)  # not later: it may be of the oldest message that is kept
        event = self._interpreter.pass_event(event, partial(self._print_event, quote))
        if isinstance(event, events.GoneEvent):
            self._interpreter.say_way_on(event.room)
        if self._typing:
            self._typing.take_event(event)
            if isinstance(event, events.GoneEvent):
                self._typing.line.begin(self._interpreter.begun_line)
            self._show_prompt()

    def _print_event(self, quote: wording.Quote | None, event: events.Event, is_shown: bool) -> None:
        if is_shown and (self._typing is None or self._worth.is_told(event)):
            marked = self._interpreter.mark_verified(event)
            self._output.print_event(marked, self._prefixes.prefix_event(event), quote)

    def asks_after(self, error: AnonError) -> bool:
        """See `Frontend`: whoever types here can choose another nick."""
        return self._typing is not None and isinstance(error, NickTaken | ReservedNick)

    async def run(self) -> None:
        async with trio.open_nursery() as nursery:
            if self._clipboard:
                nursery.start_soon(self._clipboard.run)
            nursery.start_soon(self._tick)
            await self._output.run()

    async def _tick(self) -> None:
        while True:
            await trio.sleep(limits.TOLD_SELDOM / 4)
            self._interpreter.tell_due()

    async def drained(self) -> None:
        """See `Frontend`. The program is about to end."""
        if self._clipboard:
            self._clipboard.empty()
        await self._output.drained()
