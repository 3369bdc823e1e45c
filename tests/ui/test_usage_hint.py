"""What is said of a command while it is typed."""

import pytest

from anonp2p.ui.commands import COMMANDS
from anonp2p.ui.usage_hint import describe_typed

RULES = "[--retain T] [--history N|T] [--knock] [--private]"
RETAIN = "30s  5m  2h  off  never"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", ""),
        ("hello /who", ""),
        ("//who", ""),
        ("/", "Tab goes through the commands, /help explains them."),
        ("/leave", "/leave  leave the room; its host hands it over to another"),
        ("/l", "/leave  /lock"),
        ("/re", "/reply  /retract  /retain  /refuse  /revoke"),
        ("/who", "/who  show the members of the room, with role and tag"),
        ("/WHO", "/who  show the members of the room, with role and tag"),
        ("/kic", "/kick NICK [REASON]  moderators: throw somebody out of the room"),
        ("/kick", "/kick NICK [REASON]  moderators: throw somebody out of the room"),
        ("/kick ben bec", "/kick NICK [REASON]  moderators: throw somebody out of the room"),
        ("/remove ", "/kick NICK [REASON]  moderators: throw somebody out of the room"),
        ("/retain ", f"{RETAIN}; now 5m"),
        ("/retain 30", f"{RETAIN}; now 5m"),
        ("\u200b/retain ", f"{RETAIN}; now 5m"),
        ("/retract", "/retract [SEQ]  end message SEQ of yours now, or your latest one, for all"),
        ("/w", "/msg NICK TEXT  write to one member, for nobody else to read"),
        ("/create d --retain ", "30s  5m  2h  off  never, or three as in 30s:5m:2h"),
        ("/create d --retain 5m --history ", "20 messages, or a time: 30m"),
        ("/create d", f"/create NAME {RULES}  create a room and join it; prints its code"),
        ("/invite me --uses ", "1 to 1,000 people"),
        ("/slow 10", "/slow SECONDS|off  moderators: the time between two messages of a member; now off"),
        ("/nosuch", "There is no such command; /help lists them all."),
        ("/nosuch x", "There is no such command; /help lists them all."),
    ],
)  # fmt: skip
def test_a_command_is_described_as_far_as_it_is_typed(typed: str, said: str) -> None:
    assert describe_typed(typed, {"/retain": "5m", "/slow": "off"}, {"/leave": ""}) == said


def test_what_becomes_of_others_stands_in_place_of_what_it_does_elsewhere() -> None:
    becomes = {"/leave": "That ends demo for 1 other."}
    for typed in ("/lea", "/leave", "/part"):
        assert describe_typed(typed, {}, becomes) == "/leave  That ends demo for 1 other."


@pytest.mark.parametrize("command", [command.name for command in COMMANDS])
def test_something_is_said_of_every_command(command: str) -> None:
    for typed in (command[:3], command, f"{command} ", f"{command} x"):
        assert command in describe_typed(typed, {}, {}) or command == "/retain"
