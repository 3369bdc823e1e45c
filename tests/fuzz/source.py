"""Bytes as a source of choices: how the fuzzer's inputs spell what somebody does; and what its rooms share."""

import json
from functools import cache
from typing import Any

import msgspec
import msgspec.inspect

from anonp2p.crypto import suite
from anonp2p.crypto.epoch import FLEETING, KEPT
from anonp2p.protocol import room_state
from anonp2p.room import events
from anonp2p.room.retention import ANY, NO_HISTORY
from anonp2p.ui import sanitize, wording
from anonp2p.ui.plain_events import spell_event
from tests.room.peers import ANN, BOB, EVE, HOST

STEPS = 40  # of a room, at most
KNOWN = tuple(
    it
    for who in (ANN, BOB, EVE, HOST)
    for it in (who.id, who.key, who.encryption_key.public, suite.hash_data(who.encryption_key.public))
)
TTLS = (KEPT, 60, FLEETING, 1, 3_600)
RULES = (  # of rooms
    (ANY, NO_HISTORY),
    (ANY, room_state.HistoryPolicy(3, 0)),
    (room_state.RetentionPolicy(FLEETING, 60, KEPT), NO_HISTORY),
    (room_state.RetentionPolicy(FLEETING, 60, 3_600), room_state.HistoryPolicy(0, 120)),
    (room_state.RetentionPolicy(FLEETING, FLEETING, FLEETING), room_state.HistoryPolicy(2, 0)),
)
NICKS = ("ann", "ben", "Ann", "\u0430nn", "", "anon-", "a" * 20)


@cache
def _type_info(kind: Any) -> msgspec.inspect.Type:
    """What a type consists of: to find out takes longer than to make a value of it."""
    return msgspec.inspect.type_info(kind)


class Source:
    """Bytes as a source of choices; zeros once they are used up. known: bytes of peers, picked where they fit."""

    def __init__(self, data: bytes, known: tuple[bytes, ...] = ()) -> None:
        self._data = data
        self._at = 0
        self._known = known

    @property
    def more(self) -> bool:
        """Whether there is anything left."""
        return self._at < len(self._data)

    def take(self, count: int) -> bytes:
        """So many bytes, or what is left."""
        taken = self._data[self._at : self._at + count]
        self._at += count
        return taken

    def below(self, bound: int) -> int:
        """A number below 256 at most."""
        return int.from_bytes(self.take(1), "big") % bound

    def odd(self, bound: int) -> int:
        """A number below this one, mostly 0."""
        return max(0, self.below(2 * bound) - bound)

    def text(self) -> str:
        """Any text."""
        return self.take(self.below(64)).decode("utf-8", "replace")

    def pick(self, *choices: Any) -> Any:
        """One of these."""
        return choices[self.below(len(choices))]

    def rules(self) -> tuple[room_state.RetentionPolicy, room_state.HistoryPolicy]:
        """Those of some room."""
        return RULES[self.below(len(RULES))]

    def edited(self, data: bytes) -> bytes:
        """These bytes with one of them changed, put in or taken out, or what follows cut off; or as they are."""
        if not data:
            return self.take(self.below(64))
        at = int.from_bytes(self.take(2), "big") % len(data)
        match self.below(5):
            case 0:
                return data[:at] + bytes([data[at] ^ self.below(256)]) + data[at + 1 :]
            case 1:
                return data[:at] + self.take(1) + data[at:]
            case 2:
                return data[:at] + data[at + 1 :]
            case 3:
                return data[:at]
        return data + self.take(self.below(16))

    def made(self, kind: Any) -> Any:
        """A value of this type as the decoder of frames would let it through."""
        return self._plain(_type_info(kind))

    def _plain(self, info: Any) -> Any:
        match info:
            case msgspec.inspect.UnionType(types=types):
                return self._plain(self.pick(*types))
            case msgspec.inspect.StructType(fields=fields, cls=cls):
                return cls(*(self._plain(field.type) for field in fields))
            case msgspec.inspect.BytesType(min_length=least):
                if known := self.pick(b"", *(known for known in self._known if least in (None, len(known)))):
                    return known
                return self.take(self.below(256) if least is None else least).ljust(least or 0, b"\0")
            case msgspec.inspect.IntType(lt=bound, ge=least, le=most):
                last = most if bound is None else bound - 1
                large = int.from_bytes(self.take(4), "big")
                return max(least, min(last, self.pick(0, 1, 2, 3, self.below(256), last, large)))
            case msgspec.inspect.StrType():
                return self.pick(*NICKS, self.text())
            case msgspec.inspect.NoneType():
                return None
            case msgspec.inspect.BoolType():
                return bool(self.below(2))
            case msgspec.inspect.LiteralType(values=values):
                return self.pick(*values)
            case msgspec.inspect.ListType(item_type=item):
                return [self._plain(item) for _ in range(self.below(4))]
            case msgspec.inspect.VarTupleType(item_type=item):
                return tuple(self._plain(item) for _ in range(self.below(4)))
        raise AssertionError(f"a kind of field that the fuzzer does not know: {info}")


def expect_shown(event: events.Event) -> None:
    """An event can be shown."""
    assert isinstance(wording.format_line(event), str)
    json.loads(sanitize.escape_json(msgspec.json.encode(spell_event(event)).decode()))
