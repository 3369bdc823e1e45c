"""docs/JSON.md describes every event, every error code and every reply as they are, and each example is one."""

import json
import re
import typing
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from msgspec import UnsetType

from anonp2p import errors
from anonp2p.errors import AnonError
from anonp2p.findings import CheckMade, find
from anonp2p.reasons import Reason
from anonp2p.room import errors as room_errors
from anonp2p.room import events, inputs
from anonp2p.room.events import Event, Person
from anonp2p.room.health import HealthData
from anonp2p.room.hosting_events import Successor
from anonp2p.room.moderation_events import Knocker
from anonp2p.ui import errors as ui_errors
from anonp2p.ui.commands import COMMANDS
from anonp2p.ui.line.typed_line import parse_typed_line
from anonp2p.ui.plain_events import spell_event
from anonp2p.ui.report import Diagnosis
from tests.room.simulation import Simulation
from tests.support.documents import Block, read_blocks
from tests.support.words import read_words

DOC = (Path(__file__).parents[1] / "docs/JSON.md").read_text(encoding="utf-8")
KINDS: dict[str, type[Event]] = {str(kind.__struct_config__.tag): kind for kind in Event.__subclasses__()}
PLAIN: dict[object, str] = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    type(None): "null",
    typing.Any: "any value",
    Person: "member",
    Successor: "successor",
    Knocker: "{`nick`, `tag`, `seconds`}",
    True: "true",
    Reason: "string",
    AnonError: "string",
}
# With what the doctor finds what is found in an example.
DOCTORED = {"swap-plain": ["/dev/sda2"]}


def section(title: str, level: str = "##") -> str:
    """The text under a heading, up to the next one."""
    [text] = re.findall(rf"^{level} {re.escape(title)}\n(.*?)(?=^#|\Z)", DOC, re.MULTILINE | re.DOTALL)
    return str(text)


def rows(text: str) -> list[list[str]]:
    """The rows of the table in a text, without its head."""
    lines = [line for line in text.split("\n") if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def alternatives(hint: object) -> Iterator[str]:
    if typing.get_origin(hint) is typing.Literal:
        yield from map(json.dumps, typing.get_args(hint))
    elif typing.get_origin(hint) is list:
        yield f"list of {notation(typing.get_args(hint)[0])}"
    elif hint in PLAIN:
        yield PLAIN[hint]
    else:
        for one in typing.get_args(hint):
            if one is not UnsetType:
                yield from alternatives(one)


def notation(hint: object) -> str:
    """A type as the page writes it."""
    *first, last = alternatives(hint)
    return f"{', '.join(first)} or {last}" if first else last


def fields(kind: type[msgspec.Struct]) -> list[list[str]]:
    """The keys of an event and their types, as the page writes them."""
    hints = typing.get_type_hints(kind)
    named = [(name, hints[name]) for name in kind.__struct_fields__ if name != "re"]
    return [[f"`{name}`", notation(hint) + ", optional" * (UnsetType in typing.get_args(hint))] for name, hint in named]


def test_every_event_has_its_section_and_nothing_else_has_one() -> None:
    described = re.findall(r"^### `(.*)`$", DOC, re.MULTILINE)
    assert sorted(described) == sorted(KINDS)


@pytest.mark.parametrize("name", sorted(KINDS))
def test_the_keys_of_an_event_are_described_with_their_types(name: str) -> None:
    described = rows(section(f"`{name}`", "###"))
    assert [row[:2] for row in described] == fields(KINDS[name])
    assert all(meaning for _, _, meaning in described)


@pytest.mark.parametrize("name", sorted(KINDS))
def test_an_event_has_one_example(name: str) -> None:
    [example] = re.findall(r"^```json\n(.*)\n```$", section(f"`{name}`", "###"), re.MULTILINE)
    assert json.loads(example)["type"] == name


def check_example(line: str) -> None:
    """It is an event, or what the doctor finds, as it is written; or an input that is understood."""
    example = json.loads(line)
    kind = example.get("type")
    if kind in KINDS:
        event = msgspec.json.decode(line, type=KINDS[kind], dec_hook=read_words)
        assert json.loads(msgspec.json.encode(spell_event(event))) == example
    elif kind == "check":
        findings = [find(finding["finding"], *DOCTORED[finding["finding"]]) for finding in example["findings"]]
        assert json.loads(Diagnosis(json=True).write(CheckMade(example["check"], findings))) == example
    elif kind == "checked":
        assert dict.fromkeys(example, 0) | {"type": "checked"} == json.loads(Diagnosis(json=True).conclude())
    else:
        typed = parse_typed_line(line.encode(), json=True)
        assert typed is not None
        assert not isinstance(typed.action, AnonError)
        assert typed.re == example.get("id", msgspec.UNSET)


@pytest.mark.parametrize("block", read_blocks("json"), ids=str)
def test_each_example_is_as_it_is_written_or_understood(block: Block) -> None:
    for line in block.text.splitlines():
        check_example(line)


def test_a_member_is_described_with_its_types() -> None:
    preface = DOC[: DOC.index("\n## ")]
    assert [row[:2] for row in rows(preface)] == fields(Person)


def test_an_input_may_have_the_keys_that_are_described_and_no_others() -> None:
    for key in (*(name.strip("`") for name, _, _ in rows(section("Input"))), "other"):
        given = {"command": "/who"} if key == "command" else {"text": "hello", key: "hello"}
        typed = parse_typed_line(json.dumps(given).encode(), json=True)
        assert typed is not None
        assert isinstance(typed.action, AnonError) == (key == "other")


def subclasses(kind: type[AnonError]) -> Iterator[type[AnonError]]:
    for one in kind.__subclasses__():
        yield one
        yield from subclasses(one)


def test_every_error_code_is_described_with_its_exit_code() -> None:
    kinds = (errors.__name__, room_errors.__name__, ui_errors.__name__)
    ours = [kind for kind in subclasses(AnonError) if kind.__module__ in kinds]
    described = [(code.strip("`"), int(status)) for code, status, _ in rows(section("Error codes"))]
    assert len(described) == len(set(described))
    assert set(described) == {(kind.code, kind.status) for kind in ours}
    exits = [code for code, _ in rows(section("Exit codes"))]
    assert {str(kind.status) for kind in ours} <= set(exits)


def described_reply(command: str) -> set[str]:
    """The keys that a reply to a command is said to have."""
    [data] = [data for commands, data in rows(section("What commands reply")) if f"`{command}`" in commands.split(", ")]
    return {key for key in re.findall(r"`(\w+)`", data) if key != "retention"}


def test_replies_of_a_room_have_the_keys_that_are_described() -> None:
    room = Simulation()
    ann, _ = room.joined("ann"), room.joined("bob")
    asked: dict[str, inputs.Typed] = {
        "/code": inputs.AskInput("/code"),
        "/retain": inputs.RetainInput(None),
        "/verify": inputs.VerifyInput(""),
        "/verify NICK": inputs.VerifyInput("bob"),
    }
    for command, typed in asked.items():
        room.step(ann, typed)
        reply = ann.got(events.ReplyEvent)[-1]
        assert reply.command == command.split()[0]
        assert set(reply.data) == described_reply(command)


def test_what_is_said_of_heirs_has_the_keys_that_are_described() -> None:
    room = Simulation()
    ann = room.joined("ann")
    room.step(ann, inputs.AskInput("/heirs"))
    keys = set(ann.got(events.ReplyEvent)[-1].data)
    assert described_reply("/heirs") == keys | {"member", "nick", "rank", "ready", "holds_key"}


def test_the_health_of_a_room_is_described_with_its_types() -> None:
    hints = typing.get_type_hints(HealthData)
    described = rows(section("The health of a room"))
    assert [row[:2] for row in described] == [[f"`{name}`", notation(hint)] for name, hint in hints.items()]
    room = Simulation()
    room.step(room.host, inputs.AskInput("/health"))
    assert list(room.host.got(events.ReplyEvent)[-1].data) == list(hints)
    [example] = re.findall(r"^```json\n(.*)\n```$", section("The health of a room"), re.MULTILINE)
    assert msgspec.convert(json.loads(example)["data"], HealthData).keys() == hints.keys()


def test_commands_that_are_said_to_reply_exist() -> None:
    replying = re.findall(r"`(/\w+)", " ".join(row[0] for row in rows(section("What commands reply"))))
    assert set(replying) <= {command.name for command in COMMANDS}
