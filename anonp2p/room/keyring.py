"""By which keys our Tor is to find the services of a private room: which of them goes with which dial."""

import dataclasses
from typing import Final

from anonp2p import limits
from anonp2p.room.inputs import DialFailedInput

_WRONG: Final = ("key-missing", "key-wrong")
_UNCLEAR: Final = "failed-circuit"  # what a Tor says of a wrong key, too, where it does not say more
_PATIENCE: Final = 2  # such dials in a row by one key: a circuit may fail by chance


class Keyring:
    """The keys by which we have found the room, and find it now. invitation: the key of ours; empty without one.

    Who is in dials by the key that all members have. Who has missed that it was replaced is let in by its return key
    where the room was before; and who is of another side of a split is found by the key that members had before that.
    Which of these opens a service is found by trying.
    """

    def __init__(self, invitation: bytes) -> None:
        self._invitation = invitation
        self._members: tuple[bytes, ...] = ()  # keys of members, the present one first
        self._failed: dict[bytes, int] = {}  # by address: how many of our keys have turned out to be wrong, in turn
        self._unclear: dict[bytes, int] = {}  # by address: the latest dials of which it is not clear why they failed
        self._dials: dict[int, bytes] = {}  # the address that was dialled, by link

    def __repr__(self) -> str:
        return "<Keyring>"

    def follow(self, members_key: bytes | None) -> None:
        """Members find the room by this key from now on; None: by none, as it is not private, or not known yet."""
        if members_key is None or members_key in self._members[:1]:
            return
        others = [key for key in self._members if key != members_key]
        self._members = (members_key, *others[: limits.FORMER_KEYS])
        self._failed.clear()
        self._unclear.clear()

    def choose(self, address: bytes, link: int, return_key: bytes) -> bytes:
        """By which key the service with this address is dialled; empty without any. link: the number of the dial."""
        keys = self._list(return_key)
        if not keys:
            return b""
        self._dials[link] = address
        if len(self._dials) > limits.FAILED_DIALS:
            del self._dials[next(iter(self._dials))]
        return keys[self._failed.get(address, 0) % len(keys)]

    def _list(self, return_key: bytes) -> list[bytes]:
        if self._members:
            return [self._members[0], return_key, *self._members[1:]]
        return [self._invitation] if self._invitation else []

    def judge(self, failure: DialFailedInput) -> DialFailedInput:
        """What the failure means: where the key was wrong, the next dial is by another, if we have been in the room."""
        address = self._dials.pop(failure.link, None)
        if address is None or not self._members:
            return failure
        self._unclear[address] = self._unclear.get(address, 0) + 1 if failure.reason.code == _UNCLEAR else 0
        if failure.reason.code not in _WRONG and self._unclear[address] < _PATIENCE:
            return failure
        self._unclear[address] = 0
        self._failed[address] = self._failed.get(address, 0) + 1
        return dataclasses.replace(failure, again=True)

    def forget(self) -> None:
        """We are out."""
        self._invitation, self._members = b"", ()
        self._failed.clear()
        self._unclear.clear()
        self._dials.clear()
