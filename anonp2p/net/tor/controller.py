"""An authenticated connection to a control port, as stem carries it. The only user of stem, loaded with the first one.

What is here waits, so it is called in threads. stem's own log is disabled: it would contain room keys.
"""

import logging
import socket
from collections.abc import Callable
from typing import Any

import stem
import stem.control
import stem.socket

from anonp2p.config import Endpoint
from anonp2p.net.tor import commands
from anonp2p.net.tor.authentication import authenticate
from anonp2p.net.tor.errors import CommandRefused, ControlConnectionLost, ControlPortHungUp, NotControlPort
from anonp2p.net.tor.replies import BoundedReplies

# Of a bot's own, too: logging.config enables the loggers that it finds again, and leaves their filters alone.
logging.getLogger("stem").addFilter(lambda _: False)

Reply = list[tuple[str, str, str]]  # lines: status, divider, text


class Controller:
    """Asks a control port, and hears its events."""

    def __init__(self, stems: "_Controller") -> None:
        self._stems = stems

    def watch(self, heard: Callable[[str], None], ended: Callable[[], None]) -> None:
        """Calls these in stem's threads: with the text of each event, and when the connection is over."""

        def note(_: Any, state: Any, __: float) -> None:
            if state == stem.control.State.CLOSED:
                ended()

        self._stems.heard = heard
        self._stems.add_status_listener(note)
        if not self._stems.is_alive():
            ended()

    def ask(self, line: str) -> Reply:
        """The reply to one command. Raises TorRefused where stem cannot read it, TorLost."""
        try:
            reply: Reply = self._stems.msg(line).content()
        except stem.SocketError:
            raise ControlConnectionLost from None
        except (stem.ControllerError, ValueError):
            raise CommandRefused(commands.name_command(line)) from None
        return reply

    def close(self) -> None:
        """Hangs up."""
        self._stems.close()


def enter(connected: socket.socket, endpoint: Endpoint, owners: frozenset[int] | None, password: bytes) -> Controller:
    """Authenticates on this connection, and closes it on failure. Raises TorRefused.

    endpoint: where it leads. owners: the uids of those who may listen there, if the user did not name it.
    """
    try:
        return Controller(_enter(connected, endpoint, owners, password))
    except stem.SocketError:
        raise ControlPortHungUp(endpoint) from None
    except (stem.ControllerError, ValueError):  # its answers are not those of a control port
        raise NotControlPort(endpoint) from None


class _Port(stem.socket.ControlSocket):  # type: ignore[misc]  # stem has no types; it is meant to be extended like this
    """A control connection for stem over a connected socket whose replies are bounded."""

    def __init__(self, replies: BoundedReplies) -> None:
        super().__init__()
        self._replies = replies
        self.connect()

    def _make_socket(self) -> BoundedReplies:
        return self._replies


class _Controller(stem.control.BaseController):  # type: ignore[misc]  # stem has no types; events come by this method
    """The bare controller of stem, which says nothing by itself. heard: is called with the text of each event."""

    heard: Callable[[str], None] | None = None

    def _handle_event(self, event: Any) -> None:
        if self.heard is not None:
            self.heard(event.content()[0][2])


def _enter(connected: socket.socket, endpoint: Endpoint, owners: frozenset[int] | None, password: bytes) -> _Controller:
    """Raises TorRefused, stem's errors, and ValueError."""
    port = _Port(BoundedReplies(connected))

    def ask(command: str) -> list[str]:
        port.send(command)
        lines = port.recv().content()
        return [text for _, _, text in lines] if all(status == "250" for status, _, _ in lines) else []

    try:
        authenticate(ask, endpoint, owners, password)
        return _Controller(port)
    except BaseException:
        port.close()
        raise
