"""The distances of a private network."""

import socket
import subprocess
import sys
import threading
from time import monotonic

from tests.support import distances
from tests.support.tornet import free_ports

DELAY, JITTER = 0.1, 0.05


def test_what_is_passed_on_comes_whole_in_order_and_not_too_soon_both_ways() -> None:
    pieces = [bytes([number]) * 10_000 for number in range(100)]
    with free_ports(1) as ports:
        seen = ports[0]

    def echo() -> None:
        inner, _ = server.accept()
        with inner:
            while data := inner.recv(65_536):
                inner.sendall(data)

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=echo, daemon=True).start()
        pair = f"{seen}:{server.getsockname()[1]}"
        command = [sys.executable, distances.__file__, str(DELAY * 1e3), str(JITTER * 1e3), pair]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdin
            assert process.stdout
            assert process.stdout.readline() == b"ready\n"
            with socket.create_connection(("127.0.0.1", seen), timeout=30) as outer:
                began = monotonic()
                for piece in pieces:
                    outer.sendall(piece)
                came = outer.recv(1)
                assert monotonic() - began >= 2 * (DELAY - JITTER)
                while len(came) < 1_000_000:
                    came += outer.recv(65_536)
                assert came == b"".join(pieces)
                outer.shutdown(socket.SHUT_WR)
                assert outer.recv(1) == b""
            process.stdin.close()
            assert process.wait(30) == 0
