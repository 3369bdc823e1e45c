"""What has expired is in no program's memory: whole programs, each with a Tor of its own."""

import os
import shlex
import signal
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from anonp2p import limits
from tests.support.memory import residue
from tests.support.peers import Peer

pytestmark = [pytest.mark.tor, pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")]

# A Python in whose memory one may look, though all else is as it is.
_DUMPABLE = """
import sys
from anonp2p import cli, hardening
hardening.harden = hardening.wipe_freed
sys.argv[:2] = []  # of `-c -m anonp2p ARGUMENTS`
sys.exit(cli.main())
"""


def test_what_has_expired_is_in_no_members_memory(torrc: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python = tmp_path / "dumpable-python"
    command = shlex.join([sys.executable, "-c", _DUMPABLE])
    python.write_text(f'#!/bin/sh\nPYTHONMALLOC=debug exec {command} "$@"\n')
    python.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(python))
    with ExitStack() as stack:
        host = stack.enter_context(Peer("--torrc", torrc, "create", "demo"))
        code = host.wait("room")["code"]
        host.wait("reachable")
        ada, ben = (stack.enter_context(Peer("--torrc", torrc, "join", code)) for _ in range(2))
        kept, short, never = (f"{what} " + os.urandom(20).hex() for what in ("kept", "short", "never"))
        ada.wait("room")
        ben.wait("room")
        longer = f"{limits.SENT_AGAIN + 2:.0f}s"  # than an author keeps what is never kept
        for time_to_live, text in (("off", kept), (longer, short), ("never", never)):
            ada.send(f"/retain {time_to_live}")
            ada.send(text)
            for peer in (host, ada, ben):
                peer.said(text)
        said = time.monotonic()
        for peer in (host, ada, ben):
            peer.wait("expired")
        time.sleep(max(0.0, said + limits.SENT_AGAIN + 2 - time.monotonic()))  # its author may send it again till then
        for number in range(20):  # what stands on the stacks of C is overwritten by what is done next
            host.send(f"and another {number}")
            for peer in (host, ada, ben):
                peer.said(f"and another {number}")
        for peer in (host, ada, ben):
            for text in (short, never):
                assert residue(peer.process.pid, text.split()[1].encode()) == 0
        assert residue(host.process.pid, kept.split()[1].encode()) > 0, "what is kept is not found either"
        host.wait(lambda event: event["type"] == "heirs" and event["heirs"])
        for process in (host.tor(), host.process.pid):
            os.kill(process, signal.SIGKILL)
        for peer in (ada, ben):
            peer.wait(lambda event: event["type"] == "host" and event["cause"] == "lost")
        ada.send("without a host, if nobody had the log")
        ben.said("without a host, if nobody had the log")
        for peer in (ada, ben):
            for text in (short, never):
                assert residue(peer.process.pid, text.split()[1].encode()) == 0, "it came back by the heir"
            assert residue(peer.process.pid, kept.split()[1].encode()) > 0, "nobody would show it to newcomers"
