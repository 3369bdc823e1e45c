"""tests/vectors/transcripts.json: a member's room makes the same of whole links, step by step."""

from itertools import pairwise
from typing import Any

import pytest

from anonp2p import limits
from tests.crypto.test_vectors import held
from tests.support.second_member import Lie, Member
from tests.vectors.transcripts import again, replay

TRANSCRIPTS = held("transcripts")
CLIENT_HANDSHAKE = limits.CLIENT_HANDSHAKE - 2
TICKET = 16


def said(name: str) -> list[Any]:
    """The verdicts of a transcript, in their order."""
    return [verdict for step in TRANSCRIPTS[name]["steps"] for verdict in step["verdict"]]


@pytest.mark.parametrize("name", TRANSCRIPTS)
def test_a_member_makes_the_same_of_each_step(name: str) -> None:
    it = TRANSCRIPTS[name]
    drawn = list(it["drawn"])
    found = replay(it["room"], again(drawn), it["steps"])
    for step, (sent, verdict) in zip(it["steps"], found, strict=True):
        assert verdict == step["verdict"]
        for content, wanted in zip(sent, step["sends"], strict=True):
            boxed = len(wanted) == CLIENT_HANDSHAKE  # sealed anew each time, behind its ticket
            assert content[:TICKET] == wanted[:TICKET]
            assert len(content) == len(wanted)
            assert boxed or content == wanted


def test_the_transcripts_have_what_they_are_there_for() -> None:
    assert {name: [it for it in said(name) if "told" in it and it["told"] != "room"][-1] for name in TRANSCRIPTS} == {
        "join": {"told": "gone", "reason": "left"},
        "resume": {"told": "message", "seq": 6, "nick": "hugo", "text": "after"},
        "missed commit": {"told": "message", "seq": 7, "nick": "annie", "text": "so am I"},
        "history": {"told": "message", "seq": 6, "nick": "annie", "text": "and the third"},
        "removal": {"told": "gone", "reason": "kicked"},
        "retraction": {"told": "expired-unseen", "count": 1},
        "gap": {"told": "message", "seq": 17, "nick": "annie", "text": "what did I miss?"},
        "fork": {"told": "gone", "reason": "lost"},
    }
    alarms = [it["code"] for it in said("fork") if it.get("told") == "alarm"]
    assert alarms == ["other-log-shown", "host-fault"]
    for it in TRANSCRIPTS.values():
        assert all(before["at"] <= after["at"] for before, after in pairwise(it["steps"]))


ALIKE = {
    "room",
    "message",
    "nick",
    "left",
    "joined",
    "locked",
    "kicked",
    "expired",
    "missed",
}  # of verdicts, those that both say


@pytest.mark.parametrize("name", TRANSCRIPTS)
def test_the_second_implementation_opens_and_verifies_all_and_makes_the_same_of_it(name: str) -> None:
    it = TRANSCRIPTS[name]
    member = Member(it["room"], it["seeds of encryption keys"])
    *steps, last = it["steps"]
    for step in steps:
        take(member, step)
    if name == "fork":
        assert member.alarms == 1
        with pytest.raises(Lie):
            take(member, last)
    else:
        assert member.alarms == 0
        take(member, last)
    assert member.told == [verdict for verdict in said(name) if verdict.get("told") in ALIKE]


def take(member: Member, step: Any) -> None:
    """One step of a transcript."""
    if "link is lost" in step:
        member.loses_link()
    elif "hears" in step:
        member.hears(step["hears"])
    for content in step["sends"]:
        member.sends(content)
