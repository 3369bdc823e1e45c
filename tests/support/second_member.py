"""What a member makes of its links, from docs/PROTOCOL.md alone: with `second`, and with nothing of anonp2p in it.

It listens to both ends of a link, with the keys of the member, and follows the room as the member must: it opens
everything, verifies each signature, digest, group context and tag, and says what it would tell a user.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidTag

from tests.support import second, second_rights

TEXT, NICK, LEAVE, JOINED, AWAY, CLOSE, BACK, RENEW, LOCK, COMMIT, PRIVATE, RETRACT = range(1, 13)
WELCOME, PAGE, RESUMED, BACKFILL, COMMIT_SHARE = range(5, 10)


class Lie(Exception):
    """5.9: the host has signed what cannot be."""


class Place(NamedTuple):
    """A member of the room, as 7.1 shows one."""

    key: bytes
    nick: str
    counter: int
    away: bool
    key_digest: bytes


class Entry(NamedTuple):
    """An entry without its seal, the body None where it is gone, and the group context that is said to follow."""

    header: bytes
    body: bytes | None
    body_digest: bytes
    context: bytes | None
    retract: tuple[int, bytes, bytes] | None = None  # 5.13: epoch, header and body of the author's Retract


class Room:
    """2.1 to 7.4: a room as of an entry, and the secrets of its epoch, if they are known."""

    def __init__(self, key: bytes, state: list[Any], index: int, digest: bytes, epoch: int, places: list[Any]) -> None:
        self.key = key
        self.name, self.rights, self.term = state[0], state[1], state[2]
        self.host = self.term[1]
        self.rules = state[3:5]
        self.index, self.epoch = index, epoch
        self.whys: dict[bytes, str] = {}  # the words to those whom the last commit has thrown out
        self.places = {second.member_id(place[0]): Place(*place) for place in places}
        self.digests = {index: digest}
        self.init = self.log_key = self.newcomers = b""
        self.chain_keys: dict[bytes, tuple[int, bytes]] = {}  # generation and chain key, by author

    @property
    def digest(self) -> bytes:
        return self.digests[self.index]

    @property
    def context(self) -> bytes:
        """4.8"""
        members = [[it.key, it.nick, it.away, it.key_digest] for it in self.places.values()]
        return second.group_context(self.key, self.name, self.epoch, self.term, self.rules, self.rights, members)

    def take_key(self, header: bytes) -> bytes:
        """4.2, 6.6: the key of a body, which is dropped."""
        kind, author, _, generation, _ = second.read_header(header)
        assert kind == 0
        before, chain_key = self.chain_keys[author]
        assert before <= generation <= before + 128
        for _ in range(generation - before):
            chain_key = second.after(chain_key)
        self.chain_keys[author] = generation + 1, second.after(chain_key)
        return second.key_of(chain_key)

    def open_entry(self, sealed: bytes, context: bytes | None) -> Entry:
        """4.1. Raises InvalidTag."""
        header, body = second.off_entry(self.take_key(sealed[:33]), sealed)
        return Entry(header, body, second.h(body), context)

    def apply(self, entry: Entry) -> Any:
        """5.7: the content of an entry, or None. Raises Malformed, InvalidSignature, AssertionError."""
        _, author, counter, _, ttl = second.read_header(entry.header)
        place = self.places[author]
        assert counter > place.counter
        assert not place.away
        content = None
        if entry.body is None:
            assert ttl != second.KEPT or entry.retract is not None
            if entry.retract is not None:
                self._check_retract(entry, place)
        else:
            signature, padded = entry.body[:64], entry.body[64:]
            signed = second.signed_entry(self.epoch, entry.header, padded)
            second.verify(place.key, "entry", self.key, signed, signature)
            content = second.unstepped(padded)
            assert content[1] <= self.index
        before = self.context
        self.places[author] = place._replace(counter=counter)
        if content is not None:
            self._change(author, content[3])
        context = self.context
        assert entry.context == (None if context == before else context)
        digest = second.longer(self.digest, self.index + 1, entry.header, entry.body_digest, context)
        self.index += 1
        self.digests[self.index] = digest
        return content

    def _check_retract(self, entry: Entry, author: Place) -> None:
        """5.13: of what its author has taken back. Raises InvalidSignature, AssertionError."""
        assert entry.retract is not None
        epoch, header, body = entry.retract
        kind, member, _, _, _ = second.read_header(header)
        assert (kind, member) == (0, entry.header[1:17])
        second.verify(author.key, "entry", self.key, second.signed_entry(epoch, header, body[64:]), body[:64])
        assert second.unstepped(body[64:])[3] == [12, int.from_bytes(entry.header[17:25], "big")]

    def _change(self, author: bytes, said: list[Any]) -> None:
        """4.4: what a body does to the room."""
        place = self.places[author]
        of_anyone = TEXT, NICK, LEAVE, RENEW, PRIVATE, RETRACT
        assert author == self.host or said[0] in (*of_anyone, *second_rights.OF_MODERATORS)
        match said:
            case [2, nick]:
                self.places[author] = place._replace(nick=nick)
            case [3]:
                self._drop(author)
            case [4, key, nick, key_digest, invited]:
                member = second.member_id(key)
                self.rights = second_rights.with_newcomer(self.rights, key, member, invited)
                self.places[member] = Place(key, nick, 0, False, key_digest)
            case [5 | 7 as what, member]:
                self.places[member] = self.places[member]._replace(away=what == AWAY)
            case [8, key_digest]:
                self.places[author] = place._replace(key_digest=key_digest)
            case [10, epoch, removed, _]:
                assert epoch == self.epoch + 1
                self.epoch = epoch
                self.whys = {member: why for out, why in self.rights[second_rights.ORDERS] for member in out}
                for member, reason in removed:
                    self._drop(member, lost=reason == "lost")
            case _:
                nicks = {member: it.nick for member, it in self.places.items()}
                self.rights = second_rights.apply(self.rights, author, self.host, nicks, said)

    def _drop(self, member: bytes, *, lost: bool = False) -> None:
        del self.places[member]
        self.rights = second_rights.without(self.rights, member, lost=lost)


class Member:
    """One member's links, one after the other. seeds: of encryption keys, the member's and those of handshakes."""

    def __init__(self, room: bytes, seeds: Iterable[bytes]) -> None:
        self.told: list[dict[str, Any]] = []
        self.alarms = 0  # 5.9: entries that refer to another log
        self.room: Room | None = None
        self._key = room
        self._pairs = {pair.public: pair for pair in map(second.KeyPair, seeds)}
        self._me = b""
        self._hello = b""
        self._handshake_key = b""
        self._sent = self._heard = 0  # records on this link
        self._link = b""  # the secret of it
        self._up = self._down = b""  # first chain keys
        self._ticket = b""  # 2.5a: of the last link on which it was let in
        self._pages: list[bytes] = []
        self._missing = 0
        self._box = b""
        self._welcome: list[Any] = []  # to which Backfills are to lead
        self._proof: list[Room] = []  # 7.3a: to which Proofs are to lead
        self._proven: list[tuple[int, bytes, bytes]] = []  # index, digest and group context after each of their steps
        self._shown: dict[tuple[bytes, int], int] = {}  # indices of messages, by key and counter of their authors
        self._newest = (0, 0)  # 5.6: index and time of heads

    def loses_link(self) -> None:
        self._hello = b""
        self._welcome, self._proof, self._proven = [], [], []

    # --- what it sends

    def sends(self, content: bytes) -> Any:
        """2.4, 2.6: the request or the record in it."""
        if not self._link:
            return self._requests(content[:16], content[16:])
        record = second.off_record(self._up, self._sent, content)
        self._sent += 1
        assert second.FORMS["record up"](record)
        return record

    def _requests(self, ticket: bytes, box: bytes) -> Any:
        assert not self._ticket or ticket == self._ticket
        info = second.bound("client handshake", self._key, self._hello)
        request = second.read("request", second.unpad(self._pairs[self._handshake_key].open_sealed(box, info)))
        self._link = request[1]
        self._up, self._down = (second.expand(self._link, name, self._hello) for name in ("up", "down"))
        if request[0] == 1:
            _, link, key, encryption_key, nick, signature, index, digest, _ = request
            signed = second.join_content(self._hello, link, key, encryption_key, index, digest, nick, None)
            second.verify(key, "join", self._key, signed, signature)
            self._me = second.member_id(key)
        else:
            _, link, member, encryption_key, epoch, index, digest, openings, lost, signature = request
            assert self.room is not None
            assert (member, index, digest) == (self._me, self.room.index, self.room.digest)
            signed = second.resume_content(self._hello, link, encryption_key, epoch, index, digest, openings, lost)
            second.verify(self.room.places[member].key, "resume", self._key, signed, signature)
        return request

    # --- what it hears

    def hears(self, content: bytes) -> None:
        """2.2, 2.6, 4.5. Raises Lie, and other things for what is no more than a fault of the link."""
        if not self._hello:
            _, self._handshake_key, self._hello = second.read_hello(content)
            self._link = b""
            self._sent = self._heard = 0
            return
        if self.room is not None and self.room.log_key:
            try:
                entries, contexts, head = second.off_batch(self.room.log_key, content)
            except InvalidTag:
                pass
            else:
                opened = [self.room.open_entry(*each) for each in zip(entries, contexts, strict=True)]
                self._take(opened, head)
                return
        record = second.off_record(self._down, self._heard, content)
        self._heard += 1
        assert second.FORMS["record down"](record)
        for frame in record[0]:
            self._take_frame(frame)

    def _take_frame(self, frame: list[Any]) -> None:
        match frame:
            case [5, box, pages]:
                self._box, self._missing, self._pages = box, pages, []
            case [6, part]:
                self._pages.append(part)
                if len(self._pages) == self._missing:
                    self._read_welcome()
            case [4, reason, credentials, signature]:
                self._check_answer("refused", reason.encode(), signature, credentials)
            case [7, now, signature]:
                assert self.room is not None
                self._check_answer("resumed", now, signature)
                self._check_head(self.room, now)
                self._ticket = second.ticket(self._link, self._hello)
            case [8, entries, contexts, head, now]:
                self._take_backfill([*zip(entries, contexts, strict=True)], head, now)
            case [9, box]:
                self._take_share(box)
            case [13, steps]:
                self._take_proof(steps)

    def _check_answer(self, name: str, said: bytes, signature: bytes, credentials: Any = None) -> None:
        """2.12, 2.13"""
        if self.room is None:
            second.check_credentials(credentials, self._key)
            host = credentials[1]
        else:
            host = self.room.places[self.room.host].key
        second.verify(host, name, self._key, self._hello + said, signature)

    def _read_welcome(self) -> None:
        """7.1, 7.2"""
        key = self._open(self._box, second.bound("welcome", self._key, self._hello))
        text = second.unaead(key, 0, b"".join(self._pages))
        signature, array = text[:64], text[64:]
        room, *state = second.read("welcome", array)
        assert room == (self.room.key if self.room else room)
        head, latest, credentials, roster, since, snapshot, proof = state[9:16]
        index, digest, epoch = int.from_bytes(head[:8], "big"), head[8:40], state[5]
        shown = Room(room, state, index, digest, epoch, [place[:5] for place in roster])
        signed = self._hello + second.h(array)
        second.verify(shown.places[shown.host].key, "welcome", self._key, signed, signature)
        if self.room is None:
            second.check_credentials(credentials, self._key)
            assert (second.member_id(credentials[1]), credentials[2]) == (shown.host, state[2][0])
        assert self.room is None or self.room.host == shown.host
        assert second.longer(latest[0], index, latest[1], latest[2], shown.context) == digest
        self._check_head(shown, head)
        shown.init, shown.log_key, shown.newcomers = state[6:9]
        shown.chain_keys = {second.member_id(place[0]): (place[5], place[6]) for place in roster}
        if self.room is None:
            self.told.append({"told": "room", "name": shown.name, "nick": shown.places[self._me].nick})
        self._ticket = second.ticket(self._link, self._hello)
        begin = None if self.room is None or proof else self.room
        if snapshot is not None:
            digest, epoch, rights, places, term = snapshot
            begin = Room(self._key, [state[0], rights, term, *state[3:]], since, digest, epoch, places)
        if proof:
            self._proof = [begin or shown]
            self._welcome = [shown]
            return
        self._begin(begin or shown, shown)

    def _begin(self, begin: Room, shown: Room) -> None:
        """7.1: Backfills lead from where the room begins to what a Welcome shows."""
        if begin.index == shown.index:
            self.room, self._welcome = shown, []
            return
        self.room, self._welcome = begin, [shown]
        begin.log_key = b""  # until all is there

    def _take_proof(self, steps: list[bytes]) -> None:
        """7.3a"""
        [begin], room = self._proof, self.room
        assert room is not None
        if not self._proven:
            self._proven = [(room.index, room.digest, room.context)]
        for step in steps:
            index, digest, context = self._proven[-1]
            header, body_digest, changed = step[:33], step[33:65], step[65:]
            context = changed or context
            digest = second.longer(digest, index + 1, header, body_digest, context)
            self._proven.append((index + 1, digest, context))
        index, digest, _ = self._proven[-1]
        if index == begin.index:
            assert digest == begin.digest
            [shown] = self._welcome
            self._tell("room", name=shown.name, nick=shown.places[self._me].nick)
            self._tell("missed", count=index - room.index, verified=True)
            self._proof, self._proven = [], []
            self._begin(begin, shown)

    def _take_backfill(self, entries: list[Any], head: bytes, now: bytes) -> None:
        """5.13"""
        assert self.room is not None
        assert entries
        opened = []
        for (what, header, rest, *retract), context in entries:
            body, digest = (rest, second.h(rest)) if what == 1 else (None, rest)
            opened.append(Entry(header, body, digest, context, tuple(retract) if retract else None))
            if what == 2:
                times = (int.from_bytes(each[40:48], "big") for each in (head, now))
                assert second.may_be_gone(second.read_header(header)[4], *times)
            if self.room.log_key and header[0] == 0:
                self.room.take_key(header)  # stepped over
        self._take(opened, head)
        if self._welcome and self.room.index == self._welcome[0].index:
            [shown] = self._welcome
            assert (shown.digest, shown.context) == (self.room.digest, self.room.context)
            shown.digests = {**self.room.digests, **shown.digests}
            self.room, self._welcome = shown, []

    def _take(self, entries: list[Entry], head: bytes) -> None:
        """5.6, 5.7: entries that lead to a head."""
        room = self.room
        assert room is not None
        self._check_head(room, head)
        for entry in entries:
            before = dict(room.places)
            content = room.apply(entry)
            if content is not None:
                self._describe(room, content, before[entry.header[1:17]], before)
        index, digest = int.from_bytes(head[:8], "big"), head[8:40]
        if room.digests.get(index, digest) != digest:
            raise Lie
        assert index == room.index

    def _check_head(self, room: Room, head: bytes) -> None:
        """4.5, 5.6"""
        second.verify(room.places[room.host].key, "head", self._key, head[:48], head[48:])
        index, time = int.from_bytes(head[:8], "big"), int.from_bytes(head[40:48], "big")
        if (index - self._newest[0]) * (time - self._newest[1]) < 0:
            raise Lie
        self._newest = max(self._newest, (index, time))

    def _take_share(self, box: bytes) -> None:
        """6.2-6.4, 6.9"""
        room = self.room
        assert room is not None
        both = self._open(box, second.share_info(self._key, self._me, room.epoch, room.digest))
        opened = second.epoch(room.init, both[:32], room.digest)
        assert opened.tag == both[32:]
        room.init, room.log_key, room.newcomers = opened.init, opened.log_key, opened.newcomers
        room.chain_keys = {member: (0, second.first_chain_key(opened.secret, member)) for member in room.places}

    def _open(self, box: bytes, info: bytes) -> bytes:
        for pair in self._pairs.values():
            try:
                return pair.open_sealed(box, info)
            except InvalidTag:
                continue
        raise InvalidTag

    # --- what it tells

    def _describe(self, room: Room, content: list[Any], author: Place, before: dict[bytes, Place]) -> None:
        _, index, digest, said = content
        if room.digests.get(index, digest) != digest:
            self.alarms += 1
        match said:
            case [1, text, _, _, _, _]:
                self._shown[author.key, room.places[second.member_id(author.key)].counter] = room.index
                self._tell("message", seq=room.index, nick=author.nick, text=text)
            case [2, nick]:
                self._tell("nick", was=author.nick, nick=nick)
            case [3]:
                if second.member_id(author.key) != self._me:
                    self._tell("left", nick=author.nick, reason="left")
            case [4, key, nick, _]:
                member = second.member_id(key)
                if room.log_key:
                    room.chain_keys[member] = 0, second.first_chain_key(room.newcomers, member)
                    room.newcomers = second.after(room.newcomers)
                if member != self._me:
                    self._tell("joined", nick=nick)
            case [12, counter]:
                if (author.key, counter) in self._shown:
                    self._tell("expired", seq=self._shown.pop((author.key, counter)), retracted=True)
            case [9, locked]:
                self._tell("locked", locked=locked)
            case [10, _, removed, _]:
                room.log_key = b""  # until its CommitShare
                for member, reason in removed:
                    if member == self._me:
                        self._tell("kicked", why=room.whys.get(member, ""))
                    else:
                        self._tell("left", nick=before[member].nick, reason=reason)

    def _tell(self, what: str, **fields: Any) -> None:
        self.told.append({"told": what, **fields})
