import typing

import msgspec
import pytest

from anonp2p.errors import AnonError, Full, Unreachable
from anonp2p.reasons import Reason
from anonp2p.room import events
from anonp2p.room.events import Event
from anonp2p.room.file_events import TransferEvent
from anonp2p.ui.plain_events import PlainEvent, spell_event

KINDS = Event.__subclasses__()
PLAIN = {str(kind.__struct_config__.tag): kind for kind in typing.get_args(PlainEvent)}
each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)


def holds_types_of_the_core(kind: type[Event]) -> bool:
    hints = typing.get_type_hints(kind).values()
    return any(part in (Reason, AnonError) for hint in hints for part in (hint, *typing.get_args(hint)))


@each_kind
def test_type_is_what_json_calls_the_event(kind: type[Event]) -> None:
    twin = PLAIN[str(kind.__struct_config__.tag)]
    for one in (kind, twin):
        tag = one.__struct_config__.tag
        assert (one.__dict__["type"], typing.get_type_hints(one)["type"]) == (tag, typing.ClassVar[typing.Literal[tag]])


def test_there_is_one_form_for_each_kind_of_event() -> None:
    assert sorted(PLAIN) == sorted(str(kind.__struct_config__.tag) for kind in KINDS)


@each_kind
def test_an_event_of_plain_values_is_its_own_form_and_any_other_has_a_twin_with_its_fields(kind: type[Event]) -> None:
    form = PLAIN[str(kind.__struct_config__.tag)]
    assert (form is kind) == (not holds_types_of_the_core(kind))
    assert form.__struct_fields__ == kind.__struct_fields__
    assert len(form.__struct_defaults__) == len(kind.__struct_defaults__)


def test_a_reason_and_an_error_are_the_sentences_that_people_read() -> None:
    error = spell_event(events.ErrorEvent(code="full", text=Full(), room="r1", re=7))
    assert error.type == "error"
    assert (error.text, error.code, error.room, error.re, error.final) == (
        "The room did not let us in: it is full.",
        "full",
        "r1",
        7,
        msgspec.UNSET,
    )
    link = spell_event(events.LinkEvent(room="r1", state="lost", attempt=1, detail=Reason("broken")))
    assert link.type == "link"
    assert link.detail == "the connection broke"
    lost = spell_event(events.ErrorEvent(code="unreachable", text=Unreachable(Reason("dial-timeout", 15))))
    assert lost.type == "error"
    assert lost.text.endswith("there was no answer within 15 seconds.")


def test_what_a_transfer_does_not_say_is_empty() -> None:
    event = TransferEvent(room="r1", offer=1, state="done", name="a", mine=True, bytes=1, size=1)
    spelled = spell_event(event)
    assert spelled.type == "transfer"
    assert spelled.detail == ""


def test_the_data_of_a_reply_is_made_of_what_json_has() -> None:
    person = events.Person(member="m", nick="ann", role="host", tag="t")
    reply = spell_event(events.ReplyEvent(command="/x", data=[person, {"trouble": Reason("broken"), "none": None}]))
    assert reply.type == "reply"
    assert reply.data == [
        {"member": "m", "nick": "ann", "role": "host", "tag": "t"},
        {"trouble": "the connection broke", "none": None},
    ]


@pytest.mark.parametrize("kind", typing.get_args(PlainEvent), ids=lambda kind: kind.__name__)
def test_no_form_shows_itself_in_a_traceback(kind: type[msgspec.Struct]) -> None:
    assert kind.__repr__ is not msgspec.Struct.__repr__
