"""A private Tor network on loopback, for tests and demonstrations: 3 directory authorities and 9 relays.

    tornet up [--dir DIR] [--owner PID] [--delay MS] [--jitter MS] [--hang PERCENT] [--bridge]
                           boot one; prints its directory, and nothing else, once clients can use it
    tornet down DIR        end it and remove the directory; may be repeated
    tornet status [DIR]    one line for each network that is up; exit 1 if none is

DIR/client.torrc holds what a client's torrc needs to use the network; it is written when clients may come. With a
bridge, DIR/bridges holds its lines: as it is, and by obfs4 where a program for that is installed. A supervisor in the
background holds the network until `down`, or until the process PID is gone. Nothing leaves this machine.
With a delay the network has distances: what is sent to a relay takes so many milliseconds each way, of which the jitter
is the mean of an exponential share. Of clients' circuits, so many in a hundred can hang for 30 s (see hangs.py).

Needs tor and tor-gencert (and openssl, where circuits hang), and Linux: the process table is the register of networks,
so no pid file can go stale.
"""

import argparse
import contextlib
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import NamedTuple

AUTHORITIES = 3
RELAYS = 9  # with fewer, a client now and then finds no path that its guards and vanguards allow, and hangs
SIZE = AUTHORITIES + RELAYS
DISTANCES, HANGS = (Path(__file__).with_name(name) for name in ("distances.py", "hangs.py"))
HANG_SECONDS = 30  # for which a circuit hangs
BOOT_SECONDS = 150  # for one attempt; usual ones take 30, on a machine with other work 100
DOWN_SECONDS = 10
GRACE_SECONDS = 2  # from TERM to KILL
POLL_SECONDS = 0.5

# The first consensus is timed to come so many seconds after the start of each attempt. By then every relay has uploaded
# its descriptor, which takes about 4 s on a quiet machine; if one was too late, beginning anew is quicker than the next
# consensus.
FIRST_CONSENSUS_SECONDS = (15, 30, 60)
# From each consensus to the next; it is valid for two intervals. A long one spares the CPU, and keeps the ring still on
# which the descriptors of onion services are placed: in a testing network it turns once in 24 intervals.
CONSENSUS_SECONDS = 300
VOTE_SECONDS = 2  # for votes to be exchanged, and again for signatures; the least that Tor allows

CLIENT_TORRC = "client.torrc"
BRIDGES = "bridges"
MARK = "made-by-tornet"  # a file: this directory is ours to remove

# Without Debian's geoip files: 12 tors that read them at once take seconds.
EVERYONE = """\
TestingTorNetwork 1
PathsNeededToBuildCircuits 0.67
GeoIPFile /dev/null
GeoIPv6File /dev/null
"""

# A relay that asks for the consensus before there is one asks again only after a random, growing time.
NODE = """\
DataDirectory "{home}"
Nickname {name}
Log notice stdout
Address 127.0.0.1
{or_ports}
DirPort 127.0.0.1:{dir_port}
SocksPort 0
ExitRelay 0
AssumeReachable 1
TestingServerConsensusDownloadInitialDelay {first_download}
ShutdownWaitLength 0
DisableDebuggerAttachment 0
__OwningControllerProcess {supervisor}
"""

AUTHORITY = """\
AuthoritativeDirectory 1
V3AuthoritativeDirectory 1
ContactInfo nobody@localhost
TestingDirAuthVoteExit *
TestingDirAuthVoteHSDir *
TestingDirAuthVoteGuard *
TestingMinExitFlagThreshold 0
TestingV3AuthInitialVotingInterval {interval}
TestingV3AuthInitialVoteDelay {delay}
TestingV3AuthInitialDistDelay {delay}
TestingV3AuthVotingStartOffset {offset}
V3AuthVotingInterval {interval}
V3AuthVoteDelay {delay}
V3AuthDistDelay {delay}
V3AuthNIntervalsValid 2
V3BandwidthsFile "{weights}"
ConsensusParams cc_alg=2
"""

# A relay that is in no consensus. It has no DirPort, as clients come to it for everything.
BRIDGE = """\
DataDirectory "{home}"
Nickname {name}
Log notice stdout
Address 127.0.0.1
ORPort 127.0.0.1:{or_port} IPv4Only
SocksPort 0
BridgeRelay 1
PublishServerDescriptor 0
ExitRelay 0
AssumeReachable 1
ShutdownWaitLength 0
DisableDebuggerAttachment 0
__OwningControllerProcess {supervisor}
"""
BRIDGE_PLUGIN = """\
ServerTransportPlugin obfs4 exec {program}
ServerTransportListenAddr obfs4 127.0.0.1:{port}
"""

TOR = ("tor", "--defaults-torrc", "/dev/null", "-f")  # and a torrc: nothing of the system's configuration


class Shape(NamedTuple):
    """What befalls what is sent to relays. delay, jitter: in milliseconds. hang: of 100 circuits of clients."""

    delay: float = 0
    jitter: float = 0
    hang: float = 0


class BootError(Exception):
    """The network could not be booted; the message says why."""


class BadLuckError(BootError):
    """The same, for a reason that may well not hold another time: a port that was snatched, a machine too busy."""


class StopError(Exception):
    """Whoever wanted the network is gone, or wants it no more."""


@dataclass(frozen=True)
class Node:
    """One tor of a network; `home` holds its data, its torrc and its log."""

    home: Path
    or_port: int  # that everyone knows
    inner_or_port: int  # where it listens: the same, or another where there are distances
    dir_port: int

    @property
    def or_ports(self) -> str:
        """What its torrc says of them."""
        if self.or_port == self.inner_or_port:
            return f"ORPort 127.0.0.1:{self.or_port} IPv4Only"
        seen, inner = f"127.0.0.1:{self.or_port}", f"127.0.0.1:{self.inner_or_port}"
        return f"ORPort {seen} IPv4Only NoListen\nORPort {inner} IPv4Only NoAdvertise"

    @property
    def is_authority(self) -> bool:
        return self.home.name.startswith("auth")

    @property
    def torrc(self) -> Path:
        return self.home / "torrc"

    @property
    def log(self) -> Path:
        return self.home / "log"


class BridgeRelay:
    """A bridge of a network: a tor at `home`, which holds its data, its torrc and its log."""

    def __init__(self, home: Path, client_torrc: str, supervisor: int) -> None:
        self.home = home
        self.log = home / "log"
        program = shutil.which("obfs4proxy") or shutil.which("lyrebird")
        shutil.rmtree(home, ignore_errors=True)  # of an earlier attempt
        home.mkdir()
        with free_ports(2) as ports:
            self._or_port, self._port = ports
        torrc = BRIDGE.format(home=home, name=home.name, or_port=self._or_port, supervisor=supervisor)
        if program:
            torrc += BRIDGE_PLUGIN.format(program=os.path.realpath(program), port=self._port)
        (home / "torrc").write_text(client_torrc + torrc)
        self._obfs4 = home / "pt_state/obfs4_bridgeline.txt" if program else None

    @property
    def command(self) -> list[str]:
        return [*TOR, str(self.home / "torrc")]

    def is_ready(self) -> bool:
        """Whether clients may come."""
        return "Bootstrapped 100%" in self.log.read_text() and (self._obfs4 is None or "cert=" in self._read_obfs4())

    def lines(self) -> list[str]:
        """The lines by which clients know it, once it is ready."""
        identity = (self.home / "fingerprint").read_text().split()[1]
        found = [f"127.0.0.1:{self._or_port} {identity}"]
        if self._obfs4:
            arguments = self._read_obfs4().split("<FINGERPRINT>")[-1].strip()
            found.append(f"obfs4 127.0.0.1:{self._port} {identity} {arguments}")
        return found

    def _read_obfs4(self) -> str:
        """What its plugin says of it; empty, or only a beginning, as long as that is being written."""
        assert self._obfs4
        text = self._obfs4.read_text() if self._obfs4.exists() else ""
        return text if text.endswith("\n") else ""


class Network:
    """The tors of one network, as children of this process, and what delays them, if anything does.

    `pause` waits for some seconds, or raises StopError.
    """

    def __init__(self, home: Path, pause: Callable[[float], None], shape: Shape, *, has_bridge: bool) -> None:
        self._home = home
        self._has_bridge = has_bridge
        self._shape = shape
        self._weights = home / "weights"
        self._pause = pause
        self._logs: dict[subprocess.Popen[bytes], Path] = {}  # of the children
        self._deadline = 0.0

    def boot(self, first_consensus: int) -> None:
        """Return when every node has a consensus that lists every node; the first comes after so many seconds.

        A client started earlier picks its guards from the few relays it sees, and suffers from that for minutes.
        Raises BootError, BadLuckError; StopError comes from `pause`.
        """
        self._deadline = time.monotonic() + BOOT_SECONDS
        names = [f"auth{n}" for n in range(AUTHORITIES)] + [f"relay{n}" for n in range(RELAYS)]
        with free_ports(3 * SIZE) as ports:
            nodes = [self._place_node(name, ports.pop(), ports.pop(), ports.pop()) for name in names]
            authorities = [node for node in nodes if node.is_authority]
            for node in nodes:
                shutil.rmtree(node.home, ignore_errors=True)  # of an earlier attempt
                node.home.mkdir()
            say("making keys")
            self._make_keys(nodes)

        say(f"starting {SIZE} tors")
        client_torrc = EVERYONE + "".join(map(authority_line, authorities))
        consensus_time = int(time.time()) + first_consensus
        self._weights.write_text(weights(nodes))
        if self._shape.delay:
            pairs = [f"{node.or_port}:{node.inner_or_port}" for node in nodes]
            self._interpose(DISTANCES, f"{self._shape.delay}", f"{self._shape.jitter}", *pairs)
        for node in nodes:
            node.torrc.write_text(client_torrc + self._node_torrc(node, first_consensus, consensus_time))
        for node in authorities:
            self._spawn([*TOR, str(node.torrc)], node.log)
        # A relay that finds an authority deaf does not upload its descriptor a second time.
        self._wait_until(lambda: all(map(is_listening, authorities)))
        for node in nodes:
            if not node.is_authority:
                self._spawn([*TOR, str(node.torrc)], node.log)

        say("waiting for a consensus that lists them all")

        def fewest(some: Sequence[Node]) -> int:
            return min(listed_relays(node.home) for node in some)

        self._wait_until(lambda: fewest(authorities) == SIZE or time.time() > consensus_time + 2 * VOTE_SECONDS)
        if fewest(authorities) < SIZE:
            raise BadLuckError(f"the first consensus lists only {fewest(authorities)} of {SIZE} tors")
        self._wait_until(lambda: fewest(nodes) == SIZE)
        if self._has_bridge:
            bridge = BridgeRelay(self._home / "bridge", client_torrc, os.getpid())
            self._spawn(bridge.command, bridge.log)
            self._wait_until(bridge.is_ready)
            (self._home / BRIDGES).write_text("".join(f"{line}\n" for line in bridge.lines()))
        if self._shape.hang:
            with free_ports(1) as ports:
                proxy = ports[0]
            keys = [f"{node.or_port}:{node.home}/keys" for node in nodes]
            self._interpose(HANGS, f"{self._shape.hang / 100}", f"{HANG_SECONDS}", f"{proxy}", *keys)
            client_torrc += f"HTTPSProxy 127.0.0.1:{proxy}\n"
        (self._home / CLIENT_TORRC).write_text(client_torrc)

    def end(self) -> None:
        """End every child: TERM, and KILL for those left after a grace period."""
        for child in self._logs:
            child.terminate()
        deadline = time.monotonic() + GRACE_SECONDS
        for child in self._logs:
            try:
                child.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        self._logs.clear()

    def _place_node(self, name: str, or_port: int, other_port: int, dir_port: int) -> Node:
        return Node(self._home / name, or_port, other_port if self._shape.delay else or_port, dir_port)

    def _interpose(self, program: Path, *arguments: str) -> None:
        """Starts what passes on what is sent to relays."""
        log = self._home / f"{program.stem}.log"
        self._spawn([sys.executable, str(program), *arguments], log, stdin=subprocess.PIPE)
        self._wait_until(lambda: log.read_text() == "ready\n")

    def _spawn(
        self, command: Sequence[str], log: Path, cwd: Path | None = None, stdin: int = subprocess.DEVNULL
    ) -> subprocess.Popen[bytes]:
        with log.open("wb") as sink:
            child = subprocess.Popen(command, stdin=stdin, stdout=sink, stderr=subprocess.STDOUT, cwd=cwd)
        self._logs[child] = log
        return child

    def _wait_until(self, happened: Callable[[], bool]) -> None:
        while not happened():
            for child, log in self._logs.items():
                if child.poll():
                    why = f"{log.parent.name} failed: {complaints(log)}"
                    raise BadLuckError(why) if "Address already in use" in why else BootError(why)
            if time.monotonic() > self._deadline:
                raise BootError(f"not up after {BOOT_SECONDS} s: {complaints(self._home / 'auth0/log')}")
            self._pause(0.1)

    def _make_keys(self, nodes: Sequence[Node]) -> None:
        """Make each node's relay keys, and each authority's voting keys, which is slow: all at once."""
        makers = []
        for node in nodes:
            keys = node.home / "keys"
            keys.mkdir()
            if node.is_authority:
                address = f"127.0.0.1:{node.dir_port}"
                gencert = ["tor-gencert", "--create-identity-key", "--passphrase-fd", "0", "-m", "12", "-a", address]
                makers.append(self._spawn(gencert, node.home / "gencert.log", cwd=keys))
            node.torrc.write_text(f'DataDirectory "{node.home}"\nNickname {node.home.name}\nORPort {node.or_port}\n')
            makers.append(self._spawn([*TOR, str(node.torrc), "--list-fingerprint"], node.log))
        self._wait_until(lambda: all(maker.poll() is not None for maker in makers))

    def _node_torrc(self, node: Node, first_consensus: int, consensus_time: int) -> str:
        """What makes a relay, or an authority, of a tor.

        The first consensus comes `first_consensus` seconds from now: at `consensus_time`, in seconds since the epoch.
        """
        torrc = NODE.format(
            **vars(node),
            name=node.home.name,
            or_ports=node.or_ports,
            first_download=first_consensus,
            supervisor=os.getpid(),
        )
        if node.is_authority:
            offset = consensus_time % CONSENSUS_SECONDS
            torrc += AUTHORITY.format(
                interval=CONSENSUS_SECONDS, delay=VOTE_SECONDS, offset=offset, weights=self._weights
            )
        return torrc


@contextlib.contextmanager
def free_ports(count: int) -> Iterator[list[int]]:
    """Ports of 127.0.0.1, all different, that nobody else is given within the context."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        yield [each.getsockname()[1] for each in sockets]


def is_listening(authority: Node) -> bool:
    with socket.socket() as attempt:
        return attempt.connect_ex(("127.0.0.1", authority.dir_port)) == 0


def fingerprint(node: Node) -> str:
    """The fingerprint of a node's relay identity, in hexadecimal; its keys must exist."""
    return (node.home / "fingerprint").read_text().split()[1]


def authority_line(node: Node) -> str:
    """The line by which everyone knows this authority; its keys must exist."""
    certificate = (node.home / "keys/authority_certificate").read_text()
    voting = next(line.split()[1] for line in certificate.splitlines() if line.startswith("fingerprint "))
    address = f"orport={node.or_port} v3ident={voting} 127.0.0.1:{node.dir_port}"
    return f"DirAuthority {node.home.name} {address} {fingerprint(node)}\n"


def weights(nodes: Sequence[Node]) -> str:
    """What a bandwidth scanner would tell the authorities: all are equally fast.

    Without it a relay counts for what it has happened to transport so far: at first one for 1 and all others for 0,
    and then no circuit can be built.
    """
    return f"{int(time.time())}\n" + "".join(f"node_id=${fingerprint(node)} bw=1000\n" for node in nodes)


def listed_relays(home: Path) -> int:
    """How many relays the consensus of the node at `home` lists; 0 if it has none."""
    try:
        consensus = (home / "cached-microdesc-consensus").read_text()
    except FileNotFoundError:
        return 0
    return sum(line.startswith("r ") for line in consensus.splitlines())


def complaints(log: Path) -> str:
    """The last warnings and errors of a log, or else its last line, in one line."""
    lines = log.read_text(errors="replace").splitlines()
    serious = [line for line in lines if "[warn]" in line or "[err]" in line]
    return " / ".join(serious[-3:] or lines[-1:]) or "it said nothing"


def say(text: str) -> None:
    print(f"tornet: {text}", file=sys.stderr, flush=True)


def start_time(pid: int) -> str | None:
    """When a process was started, which tells it from a later one of the same number; None if it is gone."""
    try:
        state, *fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if state in "ZX" else fields[18]


def processes() -> Iterator[tuple[int, list[str]]]:
    """This user's processes and their command lines."""
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and entry.stat().st_uid == os.getuid():
                yield int(entry.name), (entry / "cmdline").read_text(errors="replace").split("\0")[:-1]


def supervisors() -> dict[Path, int]:
    """The directories of this user's networks, with the supervisors' process ids."""
    found = {}
    for pid, command in processes():
        if len(command) > 3 and command[2] == "supervise" and Path(command[1]).name == Path(__file__).name:
            found[Path(command[3])] = pid
    return found


def tors(home: Path) -> list[int]:
    """The process ids of a network's tors."""
    return [pid for pid, command in processes() if command[:4] == [*TOR] and home in Path(command[4]).parents]


def up(directory: Path | None, owner: int | None, shape: Shape, *, has_bridge: bool) -> int:
    """Have a supervisor boot a network, and wait for it. Interrupted, or failing, leaves nothing behind."""
    missing = [name for name in ("tor", "tor-gencert") if shutil.which(name) is None]
    if missing:
        say(f"cannot find {' and '.join(missing)}: install Tor")
        return 1
    if owner is not None and start_time(owner) is None:
        say(f"there is no process {owner}")
        return 2
    home = Path(tempfile.mkdtemp(prefix="tornet-")) if directory is None else directory.resolve()
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(home.iterdir()):
        say(f"{home} is not empty")
        return 2
    (home / MARK).touch(exist_ok=False)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    command = [sys.executable, __file__, "supervise", str(home), str(owner or 0), *map(str, shape)]
    command += ["--bridge"] * has_bridge
    # In a session of its own, so that closing this terminal, or ^C in it later, is not meant for the supervisor.
    supervisor = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, start_new_session=True)
    ready = False
    try:
        assert supervisor.stdout
        if supervisor.stdout.readline():
            print(home, flush=True)
            ready = True
    finally:
        if not ready:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)
            supervisor.terminate()
            supervisor.wait()
            shutil.rmtree(home, ignore_errors=True)  # if the signal came before the supervisor knew what to do about it
    return 0 if ready else 1


def supervise(home: Path, owner: int, shape: Shape, *, has_bridge: bool) -> int:
    """Boot a network, write one line to stdout, and hold it until told to end or until the owner is gone.

    Until that line is read, whoever reads stdout counts as an owner too. stdout and stderr are given up after it.
    """
    told_to_end = False

    def end(_number: int, _frame: FrameType | None) -> None:
        nonlocal told_to_end
        told_to_end = True

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)
    os.umask(0o077)
    os.chdir("/")
    born = start_time(owner) if owner else None
    reader = select.poll()
    reader.register(sys.stdout, 0)  # reports nothing but that the other end was closed

    def pause(seconds: float) -> None:
        time.sleep(seconds)
        if told_to_end or (owner and (born is None or start_time(owner) != born)) or reader.poll(0):
            raise StopError

    network = Network(home, pause, shape, has_bridge=has_bridge)
    try:
        for seconds in FIRST_CONSENSUS_SECONDS:
            try:
                network.boot(seconds)
                break
            except BadLuckError as error:
                if seconds == FIRST_CONSENSUS_SECONDS[-1]:
                    raise
                say(f"{error}; trying once more")
                network.end()
        print("ready", flush=True)
        reader.unregister(sys.stdout)
        with Path(os.devnull).open("w") as nowhere:
            os.dup2(nowhere.fileno(), sys.stdout.fileno())
            os.dup2(nowhere.fileno(), sys.stderr.fileno())
        while True:
            pause(POLL_SECONDS)
    except BootError as error:
        say(str(error))
        return 1
    except (StopError, BrokenPipeError):
        say("ended")
        return 0
    finally:
        network.end()
        shutil.rmtree(home, ignore_errors=True)


def down(home: Path) -> int:
    """End the network in `home`, or what a killed supervisor left of it, and wait until it is gone."""
    home = home.resolve()
    deadline = time.monotonic() + DOWN_SECONDS
    number = signal.SIGTERM
    while members := [*(pid for path, pid in supervisors().items() if path == home), *tors(home)]:
        for pid in members:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        time.sleep(0.1)
        if time.monotonic() > deadline:
            number = signal.SIGKILL
    if (home / MARK).exists():
        shutil.rmtree(home, ignore_errors=True)  # an interrupted `up` may be at it too
    elif home.exists():
        say(f"{home} is not the directory of a network; it stays")
        return 2
    return 0


def status(home: Path | None) -> int:
    """Print what is up; return 0 if anything is."""
    found = {path: pid for path, pid in supervisors().items() if (path / CLIENT_TORRC).exists()}
    if home is not None:
        found = {path: pid for path, pid in found.items() if path == home.resolve()}
    for path, pid in found.items():
        listed = min(map(listed_relays, path.glob("*/")), default=0)
        size = SIZE + (path / BRIDGES).exists()
        print(f"{path}  supervisor {pid}  tors {len(tors(path))}/{size}  consensus {listed}/{SIZE}")
    return 0 if found else 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True, metavar="{up,down,status}")
    command = commands.add_parser("up")
    command.add_argument("--dir", type=Path, dest="home", metavar="DIR", help="a new or empty directory")
    command.add_argument("--owner", type=int, metavar="PID", help="end the network when this process is gone")
    command.add_argument("--delay", type=float, metavar="MS", default=0, help="from relay to relay, on average")
    command.add_argument("--jitter", type=float, metavar="MS", default=0, help="at most the delay")
    command.add_argument("--hang", type=float, metavar="PERCENT", default=0, help="of the circuits of clients")
    command.add_argument("--bridge", action="store_true", help="with a bridge, which is in no consensus")
    command = commands.add_parser("down")
    command.add_argument("home", type=Path, metavar="DIR")
    command = commands.add_parser("status")
    command.add_argument("home", type=Path, metavar="DIR", nargs="?")
    command = commands.add_parser("supervise")  # what `up` leaves in the background
    command.add_argument("home", type=Path)
    command.add_argument("owner", type=int)
    command.add_argument("delay", type=float)
    command.add_argument("jitter", type=float)
    command.add_argument("hang", type=float)
    command.add_argument("--bridge", action="store_true")
    arguments = parser.parse_args()
    match arguments.command:
        case "up":
            if not 0 <= arguments.jitter <= arguments.delay:
                parser.error("the jitter is a part of the delay")
            shape = Shape(arguments.delay, arguments.jitter, arguments.hang)
            return up(arguments.home, arguments.owner, shape, has_bridge=arguments.bridge)
        case "down":
            return down(arguments.home)
        case "status":
            return status(arguments.home)
        case _:
            shape = Shape(arguments.delay, arguments.jitter, arguments.hang)
            return supervise(arguments.home, arguments.owner, shape, has_bridge=arguments.bridge)


if __name__ == "__main__":
    sys.exit(main())
