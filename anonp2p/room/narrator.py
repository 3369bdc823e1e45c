"""What the user is told of the changes of a room."""

from typing import Literal

from msgspec import UNSET, UnsetType

from anonp2p.crypto import identity
from anonp2p.protocol import room_state
from anonp2p.reasons import NO_REASON, Reason
from anonp2p.room import changes, events
from anonp2p.room.changes import Caution, Change
from anonp2p.room.file_events import OfferEvent, TransferEvent, TransferState
from anonp2p.room.message_index import MessageIndex
from anonp2p.room.moderation_events import (
    AbsentRemovedEvent,
    BanEvent,
    KeptEvent,
    KnockChangedEvent,
    LockChangedEvent,
    RaidChangedEvent,
    RoleEvent,
    SelfKickedEvent,
    SlowChangedEvent,
)
from anonp2p.room.offers import Fetcher, Offer, OfferBook
from anonp2p.room.retention import ANY, NO_HISTORY, ttl_or_none


class Narrator:
    """Puts changes into events.

    room: how the events name the room; message_index: finds what replies refer to; offers: those of files, with the
    numbers by which the user knows them.
    """

    def __init__(self, room: str, message_index: MessageIndex, offers: OfferBook) -> None:
        self._room = room
        self._message_index = message_index
        self._offers = offers

    def describe_change(self, change: Change, wall: float, re: events.Re = UNSET) -> list[events.Event]:
        """What has just taken effect. wall: seconds since the epoch; re: the input of ours that asked for it."""
        room = self._room
        match change:
            case changes.MessageChange():
                return [self._describe_message(change, wall, re, history=False)]
            case changes.RenamedChange(member=member, nick=nick, was=was):
                unknown = _flag(change.unknown_past)
                spelled = identity.spell_member(member)
                renamed = events.RenamedEvent(
                    room=room, member=spelled, nick=nick, was=was, unknown_past=unknown, re=re
                )
                return [renamed, *map(self.describe_caution, change.cautions)]
            case changes.JoinedChange(member=member, nick=nick):
                unknown = _flag(change.unknown_past)
                joined = events.JoinedEvent(
                    room=room, member=identity.spell_member(member), nick=nick, unknown_past=unknown
                )
                return [joined, *map(self.describe_caution, change.cautions)]
            case changes.BackChange(member=member, nick=nick, mine=False):
                return [events.JoinedEvent(room=room, member=identity.spell_member(member), nick=nick)]
            case changes.AwayChange(member=member, nick=nick, mine=False):
                return [events.LeftEvent(room=room, member=identity.spell_member(member), nick=nick, reason="lost")]
            case changes.LeftChange(member=member, nick=nick, mine=False):
                return [events.LeftEvent(room=room, member=identity.spell_member(member), nick=nick, reason="left")]
            case changes.RemovedChange():
                return self._removed(change, re)
            case changes.CommitChange() | changes.RightsChange():
                return [it for part in changes.parts_of(change) for it in self.describe_change(part, wall, re)]
            case _:
                return self._describe_right(change, re)

    def _describe_right(self, change: Change, re: events.Re) -> list[events.Event]:
        room, spell = self._room, identity.spell_member
        match change:
            case changes.LockedChange(member=member, locked=locked, by_raid=raid):
                return [LockChangedEvent(room=room, locked=locked, member=spell(member), raid=_flag(raid), re=re)]
            case changes.KnockChange(member=member, on=on, by_raid=raid):
                return [KnockChangedEvent(room=room, on=on, member=spell(member), raid=_flag(raid), re=re)]
            case changes.SlowChange(member=member, seconds=seconds, by_raid=raid):
                return [SlowChangedEvent(room=room, seconds=seconds, member=spell(member), raid=_flag(raid), re=re)]
            case changes.RaidChange(member=member, on=on):
                return [RaidChangedEvent(room=room, on=on, member=spell(member), re=re)]
            case changes.RoleChange(member=member, nick=nick, role=role, by=by):
                return [RoleEvent(room=room, member=spell(member), nick=nick, role=role, by=spell(by), re=re)]
            case changes.BanChange(member=member, nick=nick, banned=banned, by=by):
                about, author = spell(member), spell(by)
                return [BanEvent(room=room, member=about, nick=nick, banned=banned, by=author, re=re)]
            case changes.KeptChange(member=member, nick=nick, by=by):
                return [KeptEvent(room=room, member=spell(member), nick=nick, by=spell(by), re=re)]
            case _:
                return []  # nothing to tell, or the end of the room for us

    def describe_history_change(self, change: Change, wall: float) -> list[events.Event]:
        """What took effect before we came: only messages, and whom somebody may have been taken for."""
        match change:
            case changes.MessageChange():
                return [self._describe_message(change, wall, UNSET, history=True)]
            case changes.JoinedChange(cautions=cautions) | changes.RenamedChange(cautions=cautions):
                return [self.describe_caution(caution) for caution in cautions if caution.of == "former"]
            case _:
                return []

    def describe_caution(self, caution: Caution) -> events.LookalikeEvent:
        """That a nick may be taken for another."""
        return events.LookalikeEvent(
            room=self._room,
            member=identity.spell_member(caution.member),
            nick=caution.nick,
            was=caution.was,
            of=caution.of,
            spoke=caution.spoke,
        )

    def describe_rules(
        self, retention: room_state.RetentionPolicy, history: room_state.HistoryPolicy
    ) -> list[events.Event]:
        """Those of a room's rules that are not as in other rooms: all who come in are to know them."""
        rules: list[events.Event] = []
        if retention != ANY:
            least, default, most = (ttl_or_none(ttl) for ttl in (retention.least, retention.default, retention.most))
            rules.append(events.RetentionRuleEvent(room=self._room, minimum=least, default=default, maximum=most))
        if history != NO_HISTORY:
            texts, seconds = history.texts or None, history.seconds or None
            rules.append(events.HistoryRuleEvent(room=self._room, messages=texts, seconds=seconds))
        return rules

    def describe_expired(self, seq: int, re: events.Re = UNSET, *, retracted: bool = False) -> events.ExpiredEvent:
        """That a message has come to its end. re: the input of ours that has retracted it."""
        return events.ExpiredEvent(room=self._room, seq=seq, retracted=retracted, re=re)

    def describe_transfer(
        self,
        offer: Offer,
        state: TransferState | Literal["ended"],
        detail: Reason = NO_REASON,
        re: events.Re = UNSET,
        fetcher: Fetcher | None = None,
    ) -> TransferEvent:
        """How far the file of an offer is, or why it is on offer no more. fetcher: who fetches it from us."""
        return TransferEvent(
            room=self._room,
            offer=offer.number,
            state=state,
            name=offer.name,
            mine=offer.mine,
            bytes=offer.done if fetcher is None else fetcher.done,
            size=0 if offer.file is None else offer.file.size,
            rate=offer.rate if fetcher is None else fetcher.rate,
            detail=detail,
            member=UNSET if fetcher is None else identity.spell_member(fetcher.member),
            nick=UNSET if fetcher is None else fetcher.nick,
            path=offer.path or UNSET,
            re=re,
        )

    def _describe_message(
        self, message: changes.MessageChange, wall: float, re: events.Re, *, history: bool
    ) -> events.MessageEvent | OfferEvent:
        offer = None if message.file is None else self._offers.find_same(message)
        if message.file is not None and offer is not None:
            return self._offer(message, offer.number, message.file.size, wall, re, history=history)
        return self._message(message, wall, re, history=history)

    def _offer(
        self, message: changes.MessageChange, number: int, size: int, wall: float, re: events.Re, *, history: bool
    ) -> OfferEvent:
        return OfferEvent(
            room=self._room,
            member=identity.spell_member(message.member),
            nick=message.nick,
            offer=number,
            name=message.text,
            size=size,
            seq=message.seq,
            at=wall - message.age,
            ttl=ttl_or_none(message.ttl),
            private=message.private,
            to=UNSET if message.to is None else message.to,
            mine=message.mine,
            history=history,
            late=message.late,
            re=re,
        )

    def _message(
        self, message: changes.MessageChange, wall: float, re: events.Re, *, history: bool
    ) -> events.MessageEvent:
        answered = None if message.reply is None else self._message_index.find_answered(message.reply, message.peer)
        return events.MessageEvent(
            room=self._room,
            member=identity.spell_member(message.member),
            nick=message.nick,
            text=message.text,
            seq=message.seq,
            reply=None if answered is None else answered.seq,
            reply_gone=_flag(answered is not None and answered.gone),
            at=wall - message.age,
            ttl=ttl_or_none(message.ttl),
            action=message.action,
            private=message.private,
            to=UNSET if message.to is None else message.to,
            mine=message.mine,
            history=history,
            late=message.late,
            re=re,
        )

    def _removed(self, gone: changes.RemovedChange, re: events.Re) -> list[events.Event]:
        if gone.reason != "kicked":
            return []  # the user was told when it lost its link
        if gone.mine:
            return [SelfKickedEvent(room=self._room, why=gone.why)]
        room, member, nick = self._room, identity.spell_member(gone.member), gone.nick
        if not gone.away:
            return [events.LeftEvent(room=room, member=member, nick=nick, reason="kicked", why=gone.why, re=re)]
        if re is UNSET:
            return []
        return [AbsentRemovedEvent(room=room, member=member, nick=nick, re=re)]


def _flag(holds: bool) -> Literal[True] | UnsetType:
    return True if holds else UNSET
