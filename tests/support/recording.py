"""What goes between a program and the SOCKS port of its Tor, written down as it passes."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_REPLIES = {1: 10, 4: 22}  # bytes of a SOCKS reply, by the kind of its address


class Recording:
    """One connection. up: from the program; down: to it. Both without what is SOCKS."""

    def __init__(self) -> None:
        self._up = bytearray()
        self._down = bytearray()

    @property
    def up(self) -> bytes:
        data = bytes(self._up)
        at = 2 + data[1]  # the methods offered
        if data[2:at] == b"\2":  # by name and password, which keep circuits apart
            at += 2 + data[at + 1]
            at += 1 + data[at]
        return data[at + 5 + data[at + 4] + 2 :]  # after the request, which names the host

    @property
    def down(self) -> bytes:
        data = bytes(self._down)
        data = data[2 + 2 * (data[1] == 2) :]
        return data[_REPLIES[data[3]] :]

    def write(self, data: bytes, *, up: bool) -> None:
        (self._up if up else self._down).extend(data)


class Recorder:
    """A SOCKS port, as a unix socket, behind which is another. recordings: of all its connections."""

    def __init__(self, path: Path, behind: str) -> None:
        self.recordings: list[Recording] = []
        self.socks = f"unix:{path}"
        self._behind = behind.removeprefix("unix:")
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(near,), daemon=True).start()

    def _carry(self, near: socket.socket) -> None:
        recording = Recording()
        self.recordings.append(recording)
        with near, socket.socket(socket.AF_UNIX) as far:
            far.connect(self._behind)
            back = threading.Thread(target=self._pass, args=(far, near, recording, False), daemon=True)
            back.start()
            self._pass(near, far, recording, True)
            back.join()

    @staticmethod
    def _pass(source: socket.socket, sink: socket.socket, recording: Recording, up: bool) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                recording.write(data, up=up)
                sink.sendall(data)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """No more connections."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@contextmanager
def recorder(path: Path, behind: str) -> Iterator[Recorder]:
    """A recorder at this path before the SOCKS port `behind`, which is given as for the program."""
    recording = Recorder(path, behind)
    try:
        yield recording
    finally:
        recording.close()
