"""The files that members offer each other: which of them are to be read, served and fetched, and by whom.

The bytes never pass through the room: `net` carries them, and asks here who may have them (PROTOCOL.md, 5e).
"""

from collections.abc import Callable
from typing import Any

from anonp2p import limits
from anonp2p.crypto import identity, suite
from anonp2p.errors import AnonError
from anonp2p.names.codes import RoomKey
from anonp2p.protocol import bodies
from anonp2p.reasons import NO_REASON, Reason
from anonp2p.room import effects, file_inputs
from anonp2p.room.errors import FetchedAlready, NoSuchOffer, OfferEnded, OwnOffer, TooManyOffers
from anonp2p.room.narrator import Narrator
from anonp2p.room.offers import Fetcher, Offer, OfferBook
from anonp2p.room.pending import Whisper
from anonp2p.room.replica import Replica
from anonp2p.room.reporter import Reporter


class Files:
    """Offers from when they are asked for until they end, and their transfers. random: gives so many fresh bytes."""

    def __init__(
        self,
        replica: Replica,
        narrator: Narrator,
        reporter: Reporter,
        offers: OfferBook,
        random: Callable[[int], bytes],
    ) -> None:
        self._replica = replica
        self._narrator = narrator
        self._reporter = reporter
        self._offers = offers
        self._random = random
        self._checked: tuple[bytes, int] = b"", 0  # the room, and the latest offer, as of the last check of authors

    # --- who may have a file: asked by `net`

    def make_claim(self, number: int, challenge: bytes) -> bytes:
        """That we may have this file of another's, for one link; empty if it is on offer no more."""
        offer, me = self._offers.find_number(number), self._replica.me
        if offer is None or offer.file is None:
            return b""
        return me.id + me.sign(identity.FETCH, offer.file.address + challenge)

    def check_claim(self, number: int, challenge: bytes, claim: bytes) -> bytes | None:
        """The member who claims a file of ours on a link, if it may have it now."""
        member, signature = claim[: identity.ID_BYTES], claim[identity.ID_BYTES :]
        offer, found = self._offers.find_number(number), self._replica.ledger.roster.find_member(member)
        if offer is None or offer.file is None or found is None or not self.may_fetch(number, member):
            return None
        room, content = self._replica.ledger.room, offer.file.address + challenge
        return member if identity.is_signed(identity.FETCH, room, content, signature, found.key) else None

    def may_fetch(self, number: int, member: bytes) -> bool:
        """Whether this member may have a file of ours now, or go on having it."""
        offer, ledger = self._offers.find_number(number), self._replica.ledger
        if offer is None or not offer.mine or offer.closed or offer.peer not in (None, member):
            return False
        is_member = member != self._replica.me.id and ledger.roster.find_member(member) is not None
        return is_member and not ledger.room_rights.is_ordered_out(member)

    # --- offers of ours

    @property
    def reading(self) -> int:
        """How many files are read that are to be offered."""
        return sum(offer.file is None for offer in self._offers.list_own())

    def check_room(self) -> None:
        """Raises AnonError if we offer as many files as we may."""
        if len(self._offers.list_own()) >= limits.OFFERS:
            raise TooManyOffers(limits.OFFERS)

    def begin_offer(self, asked: file_inputs.SendFileInput, peer: bytes | None) -> None:
        """A file is to be offered, and read before. peer: to whom alone; None: to all."""
        offer = self._offers.begin_own(self._replica.me.id, peer, asked)
        self._reporter.add_effect(effects.ReadFileEffect(offer.number, asked.path, asked.clean))

    def find_reading(self, number: int) -> Offer | None:
        """What is to be offered, and read, under this number; None: it is not to be any more."""
        offer = self._offers.find_number(number)
        return offer if offer is not None and offer.file is None else None

    def drop_reading(self, number: int) -> None:
        """A file is not to be offered."""
        if (offer := self._offers.find_number(number)) is not None:
            self._reporter.end_offer(offer, NO_REASON)

    def make_offer(self, read: file_inputs.FileReadInput, nick: str) -> bodies.TextBody | Whisper:
        """What is said to offer the file that was read, which is served from now on. nick: of whom it is for alone."""
        offer, key, secret = self._offers.find_number(read.number), RoomKey(self._seed()), self._seed()
        assert offer is not None, "it was looked up"
        file = bodies.FileOffer(read.size, read.root, key.public, secret)
        self._offers.note_read(offer, read.name, file)
        self._reporter.add_effect(effects.ServeFileEffect(offer.number, key, secret))
        if offer.peer is None:
            return bodies.TextBody(read.name, action=False, reply=None, file=file)
        return Whisper(offer.peer, nick, read.name, file=file)

    def _seed(self) -> bytes:
        return self._random(suite.SECRET)

    def close_offer(self, offer: Offer) -> None:
        """Nobody gets this file of ours any more, though its end has no place yet."""
        offer.closed = True
        self._reporter.add_effect(effects.StopFileEffect(offer.number))

    # --- offers of others

    def find_offer(self, number: int) -> Offer:
        """The offer that the user names. Raises AnonError if there is none."""
        offer = self._offers.find_number(number)
        if offer is None or offer.closed:
            raise OfferEnded(number) if 0 < number <= self._offers.latest else NoSuchOffer(number)
        return offer

    def accept(self, event: file_inputs.AcceptInput) -> None:
        """The file of another is to be fetched."""
        try:
            offer = self.find_offer(event.offer)
            if offer.mine:
                raise OwnOffer(event.offer)
            if offer.is_fetched:
                raise FetchedAlready(event.offer)
        except AnonError as error:
            self._reporter.tell_error(error, event.re)
            return
        assert offer.file is not None, "those of others are known with their files"
        offer.state, offer.done, offer.rate, offer.path, offer.re = "connecting", 0, 0, "", event.re
        self._reporter.add_effect(effects.FetchFileEffect(offer.number, offer.name, offer.file, event.path))
        self._reporter.tell_event(self._narrator.describe_transfer(offer, "connecting", re=event.re))

    def decline(self, offer: Offer, event: file_inputs.DeclineInput) -> None:
        """Stops fetching the file of another; if it is not fetched, hides the offer."""
        if not offer.is_fetched:
            self._reporter.end_offer(offer, Reason("offer-hidden"), event.re)
            return
        offer.state = "failed"
        self._reporter.add_effect(effects.StopFileEffect(offer.number))
        stopped = self._narrator.describe_transfer(offer, "failed", Reason("fetch-stopped"), event.re)
        self._reporter.tell_event(stopped)

    # --- how far transfers are

    def note_transfer(self, told: file_inputs.TransferInput) -> None:
        """A file has come further, to us or to one who fetches it from us."""
        offer = self._offers.find_number(told.number)
        if offer is None or not (offer.mine or offer.is_fetched):
            return  # it was stopped meanwhile
        detail = told.detail if isinstance(told.detail, Reason) else NO_REASON
        if isinstance(told.detail, AnonError):
            detail = Reason("file-failed", told.detail)
        offer.state, offer.done, offer.rate, offer.path = told.state, told.done, told.rate, told.path
        fetcher = self._note_fetcher(offer, told) if offer.mine else None
        self._reporter.tell_event(self._narrator.describe_transfer(offer, told.state, detail, offer.re, fetcher))

    def _note_fetcher(self, offer: Offer, told: file_inputs.TransferInput) -> Fetcher:
        """Who fetches a file of ours, under the nick by which the user has known it, should it be gone by now."""
        member, known = self._replica.ledger.roster.find_member(told.peer), offer.fetchers.pop(told.peer, None)
        nick = member.nick if member else known.nick if known else ""
        fetcher = Fetcher(told.peer, nick, told.done, told.rate)
        if told.state not in ("done", "failed"):
            offer.fetchers[told.peer] = fetcher
        elif not offer.fetchers:
            offer.state, offer.done, offer.rate = "offered", 0, 0
        else:
            offer.state = "running"
        return fetcher

    def list_files(self) -> list[dict[str, Any]]:
        """All offers, as the user is shown them."""
        return [self._describe(offer) for offer in self._offers if offer.is_told]

    def _describe(self, offer: Offer) -> dict[str, Any]:
        assert offer.file is not None, "it has a place"
        member = self._replica.ledger.roster.find_member(offer.author)
        row: dict[str, Any] = {"offer": offer.number, "member": identity.spell_member(offer.author)}
        row |= {"nick": member.nick if member else offer.nick, "name": offer.name, "size": offer.file.size}
        row |= {"private": offer.peer is not None, "mine": offer.mine, "state": offer.state, "bytes": offer.done}
        return row | {"rate": offer.rate} | ({"path": offer.path} if offer.path else {})

    # --- what ends offers

    def begin_identity(self) -> None:
        """We are to come back as somebody new, to whom nothing was offered alone, and who offers nothing."""
        for offer in [it for it in self._offers if it.mine or it.peer is not None]:
            self._reporter.end_offer(offer, Reason("new-identity"))

    def end_orphans(self) -> None:
        """Ends the offers of those who are no members any more, and ours to them alone."""
        roster, now = self._replica.ledger.roster, (self._replica.ledger.group_context, self._offers.latest)
        if now == self._checked:
            return
        self._checked = now
        for author in self._offers.authors:
            if roster.find_member(author) is None:
                for offer in self._offers.list_of(author):
                    self._reporter.end_offer(offer, Reason("author-gone"))
        for offer in self._offers.list_own():
            if offer.is_told and offer.peer is not None and roster.find_member(offer.peer) is None:
                self._reporter.end_offer(offer, Reason("recipient-gone"))
