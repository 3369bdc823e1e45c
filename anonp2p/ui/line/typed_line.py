"""A line of input -> what it stands for: a message, a command, or a JSON object that holds one of these."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import msgspec
from msgspec import UNSET, UnsetType

from anonp2p import limits
from anonp2p.errors import AnonError, BadInput, TooLong
from anonp2p.room import events
from anonp2p.ui.actions import Action
from anonp2p.ui.commands import from_first_seen, make_message, parse_command, parse_line


@dataclass(frozen=True, slots=True, repr=False)
class TypedLine:
    """A line of input, understood: the action or the error that it stands for. Never shows what it holds.

    room: the room that the line itself names. unsent: the text to give back, as it is too long to be sent.
    """

    action: Action | AnonError
    re: events.Re = UNSET
    room: str | UnsetType = UNSET
    unsent: str | UnsetType = UNSET


_Id = Annotated[int, msgspec.Meta(ge=-(2**53), le=2**53)] | str


class _Object(msgspec.Struct, forbid_unknown_fields=True):
    """An input line that is a JSON object: a text or a command. Never shows what it holds."""

    id: _Id | UnsetType = UNSET
    room: str | UnsetType = UNSET
    text: str | UnsetType = UNSET
    command: str | UnsetType = UNSET

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


_objects = msgspec.json.Decoder(_Object)
_ids: msgspec.json.Decoder[int | str] = msgspec.json.Decoder(_Id)
_MALFORMED = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
# Of JSON, well-formed or not: a string, perhaps without its end; a bracket, brace, colon or comma; anything else.
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"?|[{}\[\]:,]|[^\s"{}\[\]:,]+', re.DOTALL)


def parse_typed_line(line: bytes, *, json: bool) -> TypedLine | None:
    """What a line of input stands for; None for an empty one. json: a line may be a JSON object."""
    is_text = True
    try:
        text = line.decode().rstrip("\r")
    except UnicodeDecodeError:
        is_text, text = False, line.decode(errors="replace")
    seen = from_first_seen(text)
    is_object = json and seen.startswith("{")
    if len(line) > limits.INPUT_LINE or not is_text:
        error = TooLong() if len(line) > limits.INPUT_LINE else BadInput("That line is not UTF-8 text.")
        return TypedLine(error, _id_in(seen) if is_object else UNSET)
    if is_object:
        return _parse_object(seen)
    try:
        return TypedLine(parse_line(text)) if seen else None
    except TooLong as error:
        return TypedLine(error, unsent=text)
    except AnonError as error:
        return TypedLine(error)


def _parse_object(text: str) -> TypedLine:
    try:
        given = _objects.decode(text)
    except _MALFORMED:
        return TypedLine(
            BadInput('That is not a JSON object like {"id": 1, "text": "…"} or {"id": 1, "command": "/who"}.'),
            _id_in(text),
        )
    if isinstance(given.text, str) and given.command is UNSET and given.text.strip():
        return understand(given.text, make_message, given.id, given.room)
    if isinstance(given.command, str) and given.text is UNSET:
        return understand(from_first_seen(given.command).rstrip(), parse_command, given.id, given.room)
    return TypedLine(BadInput('An object has either a "text" that is not empty or a "command".'), given.id, given.room)


def understand(
    text: str, parse: Callable[[str, events.Re], Action], re: events.Re, room: str | UnsetType = UNSET
) -> TypedLine:
    """What a program's text stands for: as a message (`make_message`), a command (`parse_command`) or as it is typed.

    re: the id of the input. room: the room that it names.
    """
    try:
        return TypedLine(parse(text, re), re, room)
    except TooLong as error:
        return TypedLine(error, re, room, text)
    except AnonError as error:
        return TypedLine(error, re, room)
    except UnicodeEncodeError:  # it holds the text
        return TypedLine(BadInput("That is no text: it holds half of a character (a surrogate)."), re, room)


def _id_in(text: str) -> events.Re:
    """The id in something like an object, as far as it can be read: the last one, as of well-formed objects."""
    found: events.Re = UNSET
    depth, before = 0, ("", "")
    for token in _TOKEN.findall(text):
        if depth == 1 and before == ('"id"', ":"):
            try:
                found = _ids.decode(token)
            except _MALFORMED:
                found = UNSET
        depth += (token in ("{", "[")) - (token in ("}", "]"))
        before = before[1], token
    return found
