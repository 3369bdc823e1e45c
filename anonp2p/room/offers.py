"""The files on offer in a room, by the numbers that the user sees (PROTOCOL.md, 5e)."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from msgspec import UNSET

from anonp2p import limits
from anonp2p.protocol import bodies
from anonp2p.room import events
from anonp2p.room.changes import MessageChange
from anonp2p.room.file_events import TransferState
from anonp2p.room.file_inputs import SendFileInput

_FETCHING = ("connecting", "running")
_Key = tuple[str, bodies.FileOffer | None, bytes | None]


def may_offer(said: bodies.TextBody | bodies.PrivateText) -> bool:
    """Whether a message offers nothing, or a file as one may: under a name, and nothing else is said."""
    if said.file is None:
        return True
    is_plain = said.reply is None and not (isinstance(said, bodies.TextBody) and said.action)
    return is_plain and 0 < len(said.text) <= limits.FILE_NAME


@dataclass(frozen=True, slots=True, repr=False)
class Fetcher:
    """One who fetches a file from us. nick: the last one that it had; done, rate: as in `TransferInput`."""

    member: bytes
    nick: str
    done: int
    rate: int


@dataclass(slots=True, repr=False)
class Offer:
    """A file on offer, from when it is asked for until it ends.

    number: by which the user names it. author, nick: who offers it; peer: with whom it is shared if it is private.
    name: as its author gave it. file: None while it is read. counter, seq: of its message; 0 without a place. asked: by
    what input we offer it, if it is ours. closed: whether it is to end, and nobody gets it any more. state, done, rate,
    path: of the transfer, as in `TransferInput`; re: the input by which we fetch it. fetchers: who fetches it from us.
    """

    number: int
    author: bytes
    nick: str
    peer: bytes | None
    mine: bool
    name: str = ""
    file: bodies.FileOffer | None = None
    counter: int = 0
    seq: int = 0
    asked: SendFileInput | None = None
    closed: bool = False
    state: Literal["offered"] | TransferState = "offered"
    done: int = 0
    rate: int = 0
    path: str = ""
    re: events.Re = UNSET
    fetchers: dict[bytes, Fetcher] = field(default_factory=dict)

    @property
    def key(self) -> _Key:
        """By which it is known again, under whatever counter it comes."""
        return _make_key(self.name, self.file, self.peer)

    @property
    def is_told(self) -> bool:
        """Whether the user was told of it, as it has a place, or had one."""
        return self.seq > 0

    @property
    def is_fetched(self) -> bool:
        """Whether we fetch it now."""
        return not self.mine and self.state in _FETCHING


class OfferBook:
    """The offers that have not ended: of one author limits.OFFERS and one more at most, as its user ends the oldest."""

    def __init__(self) -> None:
        self._latest = 0
        self._offers: dict[int, Offer] = {}
        self._by_author: dict[bytes, dict[_Key, Offer]] = {}  # of those that were read; the oldest first
        self._by_seq: dict[int, Offer] = {}

    def __iter__(self) -> Iterator[Offer]:
        return iter(self._offers.values())

    @property
    def latest(self) -> int:
        """The number of the latest offer that there ever was; 0 if there was none."""
        return self._latest

    @property
    def authors(self) -> list[bytes]:
        """Who offers something."""
        return list(self._by_author)

    def list_own(self) -> list[Offer]:
        """Ours, those that are read now too."""
        return [offer for offer in self if offer.mine]

    def list_of(self, author: bytes) -> list[Offer]:
        """What this member offers, the oldest first."""
        return list(self._by_author.get(author, {}).values())

    def find_number(self, number: int) -> Offer | None:
        """The offer that has this number, unless it has ended."""
        return self._offers.get(number)

    def find_seq(self, seq: int) -> Offer | None:
        """The offer whose message has this place."""
        return self._by_seq.get(seq)

    def find_counter(self, author: bytes, counter: int) -> Offer | None:
        """The offer by the message of this author with this counter."""
        return next((it for it in self.list_of(author) if it.counter == counter), None)

    def find_own(self, file: bodies.FileOffer) -> Offer | None:
        """Our offer of this file."""
        return next((it for it in self.list_own() if it.file == file), None)

    def find_same(self, message: MessageChange) -> Offer | None:
        """The offer that a message makes, if it is known."""
        return self._by_author.get(message.member, {}).get(_make_key(message.text, message.file, message.peer))

    def begin_own(self, author: bytes, peer: bytes | None, asked: SendFileInput) -> Offer:
        """We are to offer a file, which has to be read before."""
        return self._add(Offer(self._latest + 1, author, "", peer, mine=True, asked=asked))

    def note_read(self, offer: Offer, name: str, file: bodies.FileOffer) -> None:
        """The file that we are to offer was read."""
        offer.name, offer.file = name, file
        self._by_author.setdefault(offer.author, {})[offer.key] = offer

    def note_message(self, message: MessageChange) -> Offer:
        """The offer that a message makes, which is shown at its place; it may be known already."""
        assert message.file is not None, "asked for the offer of a message that makes none"
        known = self.find_same(message)
        if known is None:
            new = Offer(self._latest + 1, message.member, message.nick, message.peer, message.mine)
            known = self._add(new)
            self.note_read(known, message.text, message.file)
        self._by_seq.pop(known.seq, None)
        known.nick, known.counter, known.seq = message.nick, message.counter, message.seq
        self._by_seq[known.seq] = known
        return known

    def move_message(self, was: int, seq: int) -> None:
        """The message with this place has another one."""
        if (offer := self._by_seq.pop(was, None)) is not None:
            offer.seq = seq
            self._by_seq[seq] = offer

    def list_excess(self, author: bytes) -> list[Offer]:
        """The oldest offers of an author that has more than it may have."""
        offers = self.list_of(author)
        return offers[: max(0, len(offers) - limits.OFFERS)]

    def end_offer(self, offer: Offer) -> None:
        """Forgets an offer; its number is that of no other."""
        del self._offers[offer.number]
        self._by_seq.pop(offer.seq, None)
        of_author = self._by_author.get(offer.author, {})
        if of_author.get(offer.key) is offer:
            del of_author[offer.key]
        if not of_author:
            self._by_author.pop(offer.author, None)

    def _add(self, offer: Offer) -> Offer:
        self._latest = offer.number
        self._offers[offer.number] = offer
        return offer


def _make_key(name: str, file: bodies.FileOffer | None, peer: bytes | None) -> _Key:
    """By which an author's offer is known: whoever offers something else has made another one."""
    return name, file, peer
