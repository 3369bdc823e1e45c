"""A full room over the private Tor network: many members, who share a few Tors."""

from contextlib import ExitStack

import pytest

from tests.support.peers import Peer
from tests.support.tors import running_tor

pytestmark = pytest.mark.tor

MEMBERS = 30
TORS = 3
LINES = 10  # of each


def test_thirty_members_who_talk_at_once_see_the_same_messages_in_the_same_order(torrc: str) -> None:
    with ExitStack() as stack:
        tors = [stack.enter_context(running_tor(torrc)) for _ in range(TORS)]
        host = stack.enter_context(Peer("--torrc", torrc, "--nick", "hugo", "create", "demo"))
        code = host.wait("room")["code"]
        host.wait("reachable")
        members = [
            stack.enter_context(Peer("--socks", tors[at % TORS].socks, "--nick", f"m{at}", "join", code))
            for at in range(MEMBERS)
        ]
        for member in members:
            member.wait("room")
        for number in range(LINES):
            for at, member in enumerate(members):
                member.send({"id": number, "text": f"{at}/{number}"})
        for peer in (host, *members):
            peer.has(MEMBERS * LINES)
        told = host.messages()
        seqs = [seq for seq, _, _ in told]
        assert seqs == sorted(set(seqs))
        assert {text for _, _, text in told} == {f"{at}/{number}" for at in range(MEMBERS) for number in range(LINES)}
        assert len(told) == MEMBERS * LINES
        for at, member in enumerate(members):
            assert member.messages() == told
            receipts = [event["re"] for event in member.events if event["type"] == "message" and event["mine"]]
            assert receipts == list(range(LINES))
            assert [text for _, nick, text in told if nick == f"m{at}"] == [f"{at}/{n}" for n in range(LINES)]
        for member in members:
            member.process.terminate()  # all at once: one after the other, as their contexts do, takes its time
