"""The arguments of scripts/bench."""

import argparse
import resource
import sys

from tests.bench.attack import MIXED, attack, tor_network
from tests.bench.crowd import BenchFailed
from tests.bench.crypto import crypto
from tests.bench.failover import failover
from tests.bench.files import files
from tests.bench.load import fanout, floods, memory
from tests.bench.raid import raid
from tests.bench.rooms import rooms
from tests.bench.screen import screen
from tests.bench.strangers import HABITS


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench", description="Measures a host under load, on loopback.")
    commands = parser.add_subparsers(dest="what", required=True)
    one = commands.add_parser("fanout", help="deliveries a second, memory a member, stalls")
    one.add_argument("--members", default="50,200,1000", help="sizes of rooms (default: %(default)s)")
    one.add_argument("--beside-ngircd", action="store_true", help="and the same load on an ngircd, for comparison")
    one.add_argument("--seconds", type=float, default=5.0, help="of each of the three runs (default: %(default)s)")
    one = commands.add_parser("flood", help="some members flood, another never reads")
    one.add_argument("--members", type=int, default=20, help="in the room (default: %(default)s)")
    one.add_argument("--seconds", type=float, default=20.0, help="of each flood (default: %(default)s)")
    one = commands.add_parser("hostile", help="how soon honest users are in while others do their worst")
    one.add_argument("--streams", type=int, default=200, help="of those (default: %(default)s)")
    one.add_argument("--seconds", type=float, default=20.0, help="of each attack (default: %(default)s)")
    one.add_argument("--attacks", default=",".join([*HABITS, MIXED]), help="which (default: %(default)s)")
    one.add_argument("--tor", nargs="?", const="", metavar="TORRC", help="over Tor: a new private network, or this")
    one = commands.add_parser("raid", help="how soon a raid is over once a moderator has typed two commands")
    one.add_argument("--raiders", type=int, default=300, help="who say 20 messages each (default: %(default)s)")
    one.add_argument("--tor", nargs="?", const="", metavar="TORRC", help="over Tor: a new private network, or this")
    one = commands.add_parser("crypto", help="what sealing, opening, joining and removing cost")
    one.add_argument("--members", default="2,10,50,200,1000", help="sizes of rooms (default: %(default)s)")
    one = commands.add_parser("memory", help="whether a host grows with what was said")
    one.add_argument("--messages", type=int, default=100_000, help="said in all (default: %(default)s)")
    one = commands.add_parser("screen", help="how soon the full screen and a key on it are to be seen")
    one.add_argument("--size", default="120x40", help="columns and rows of the terminal (default: %(default)s)")
    one.add_argument("--seconds", type=float, default=10.0, help="at 200 messages a second (default: %(default)s)")
    one = commands.add_parser("rooms", help="how far apart two rooms of one user are left, and come back, over Tor")
    one.add_argument("--trials", type=int, default=10, help="of each kind (default: %(default)s)")
    one = commands.add_parser("failover", help="how soon a room goes on when its host leaves, dies or falls silent")
    one.add_argument("--people", type=int, default=5, help="in the room (default: %(default)s)")
    one.add_argument("--leaves", type=int, default=20, help="of hosts (default: %(default)s)")
    one.add_argument("--kills", type=int, default=20, help="of hosts with their Tors (default: %(default)s)")
    one.add_argument("--silences", type=int, default=0, help="hosts that are stopped (default: %(default)s)")
    one.add_argument("--delay", type=float, default=40, metavar="MS", help="from relay to relay (default: %(default)s)")
    one.add_argument("--jitter", type=float, default=15, metavar="MS", help="of it (default: %(default)s)")
    which = one.add_mutually_exclusive_group()
    which.add_argument("--near", action="store_true", help="only the network without distances")
    which.add_argument("--far", action="store_true", help="only the network with distances")
    one = commands.add_parser("files", help="how fast a file goes to a member, and whether talk is slower meanwhile")
    one.add_argument("--megabytes", type=int, default=50, help="of the file, in MiB (default: %(default)s)")
    one.add_argument("--trials", type=int, default=3, help="of each kind (default: %(default)s)")
    one.add_argument("--delay", type=float, default=0, metavar="MS", help="from relay to relay (default: %(default)s)")
    one.add_argument("--jitter", type=float, default=0, metavar="MS", help="of it (default: %(default)s)")
    one.add_argument("--onionshare", default="onionshare-cli", help="to measure beside it (default: %(default)s)")
    arguments = parser.parse_args()
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    try:
        match arguments.what:
            case "fanout":
                fanout(
                    [int(size) for size in arguments.members.split(",")],
                    arguments.seconds,
                    beside=arguments.beside_ngircd,
                )
            case "crypto":
                crypto([int(size) for size in arguments.members.split(",")])
            case "flood":
                floods(arguments.members, arguments.seconds)
            case "hostile":
                with tor_network(arguments.tor) as torrc:
                    attack(arguments.attacks.split(","), arguments.streams, arguments.seconds, torrc)
            case "raid":
                with tor_network(arguments.tor) as torrc:
                    raid(arguments.raiders, torrc)
            case "memory":
                memory(arguments.messages)
            case "screen":
                columns, rows = map(int, arguments.size.split("x"))
                screen(columns, rows, arguments.seconds)
            case "rooms":
                rooms(arguments.trials)
            case "files":
                files(arguments.megabytes, arguments.trials, arguments.delay, arguments.jitter, arguments.onionshare)
            case "failover":
                losses = {"leave": arguments.leaves, "kill": arguments.kills, "silence": arguments.silences}
                distances = [(0.0, 0.0)] * (not arguments.far) + [(arguments.delay, arguments.jitter)] * (
                    not arguments.near
                )
                failover(arguments.people, losses, distances)
    except BenchFailed as failure:
        print(f"bench: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
