"""Client Tors of a private network that run on their own, and what can be done to them."""

import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class RunningTor:
    """A client Tor that is not the program's; `control` and `socks` name its ports, for the program's arguments."""

    def __init__(self, place: Path, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.control = f"unix:{place}/control"
        self.socks = f"unix:{place}/socks"
        self.cookie = place / "data/control_auth_cookie"
        self._place = place

    def _ask(self, *commands: str) -> list[str]:
        """The lines of all replies. Not by stem, which now and then hangs in its own close."""
        return list(self._say(*commands, "QUIT", seconds=30))

    def _say(self, *commands: str, seconds: float | None) -> Iterator[str]:
        """All lines that come, as long as none takes longer."""
        cookie = self.cookie.read_bytes().hex()
        with socket.socket(socket.AF_UNIX) as control:
            control.settimeout(seconds)
            control.connect(f"{self._place}/control")
            control.sendall("".join(f"{line}\r\n" for line in (f"AUTHENTICATE {cookie}", *commands)).encode())
            with control.makefile("r", encoding="utf-8") as replies:
                for line in replies:
                    yield line.rstrip("\r\n")

    def events(self, *kinds: str) -> Iterator[str]:
        """The events of these kinds from now on, until it ends."""
        return self._say(f"SETEVENTS {' '.join(kinds)}", seconds=None)

    def close_circuits(self, purpose: str = "") -> None:
        """Closes all circuits, or those with this purpose."""
        circuits = (line.split() for line in self._ask("GETINFO circuit-status") if f"PURPOSE={purpose}" in line)
        self._ask(*(f"CLOSECIRCUIT {words[0]}" for words in circuits if words[0].isdigit()))

    def count_introductions(self, address: str) -> int:
        """Circuits to introduction points of a service of this Tor, by its address without `.onion`."""
        marks = {"PURPOSE=HS_SERVICE_INTRO", f"REND_QUERY={address}"}
        return sum(marks <= set(line.split()) for line in self._ask("GETINFO circuit-status"))

    def await_boot(self) -> None:
        """Returns once it can build circuits."""
        while not any("PROGRESS=100" in line for line in self._ask("GETINFO status/bootstrap-phase")):
            assert self.process.poll() is None
            time.sleep(0.1)

    def publish(self, *ports: int) -> str:
        """An onion service whose virtual ports 1, 2 and so on are these of the machine, until this Tor ends.

        Its address without `.onion`, once the first descriptor is up.
        """
        targets = " ".join(f"Port={virtual},127.0.0.1:{port}" for virtual, port in enumerate(ports, 1))
        commands = ("SETEVENTS HS_DESC", f"ADD_ONION NEW:ED25519-V3 Flags=DiscardPK,Detach {targets}")
        address = ""
        for line in self._say(*commands, seconds=60):
            if line.startswith("250-ServiceID="):
                address = line.partition("=")[2]
            elif address and line.startswith(f"650 HS_DESC UPLOADED {address}"):
                return address
        raise AssertionError("it publishes nothing")

    def signal(self, name: str) -> None:
        """NEWNYM, RELOAD, or another of control-spec 3.7."""
        assert self._ask(f"SIGNAL {name}")[1] == "250 OK"

    def set_online(self, *, online: bool) -> None:
        """Whether it uses its network at all."""
        assert self._ask(f"SETCONF DisableNetwork={0 if online else 1}")[1] == "250 OK"


@contextmanager
def running_tor(torrc: str, uid: int | None = None) -> Iterator[RunningTor]:
    """A Tor of this network, with a control and a SOCKS port as unix sockets. uid: whose it is, if not ours."""
    with tempfile.TemporaryDirectory(prefix="tor-") as name:
        place = Path(name)
        lines = (
            Path(torrc).read_text(),
            f"DataDirectory {place}/data",
            f"ControlSocket {place}/control",
            f"SocksPort unix:{place}/socks ExtendedErrors",
            "CookieAuthentication 1",
            "Log notice stdout",
        )
        (place / "torrc").write_text("\n".join(lines))  # a file: RELOAD reads it again
        command = ["tor", "--defaults-torrc", "/dev/null", "-f", f"{place}/torrc"]
        if uid is not None:
            os.chown(place, uid, -1)
            command = ["setpriv", "--reuid", str(uid), "--clear-groups", *command]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            try:
                for line in process.stdout:
                    if "Opened Control listener" in line:
                        break
                while (
                    process.poll() is None and not (place / "data/control_auth_cookie").exists()
                ):  # it is made just after that
                    time.sleep(0.01)
                yield RunningTor(place, process)
            finally:
                process.kill()
