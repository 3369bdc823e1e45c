"""A tab: one room as the full screen shows it. Events of the room change it."""

from msgspec import UNSET

from anonp2p import limits
from anonp2p.names import codes
from anonp2p.names.file_names import clean_name
from anonp2p.room import events
from anonp2p.room.events import Event
from anonp2p.room.file_events import OfferEvent, TransferEvent
from anonp2p.room.hosting_events import (
    CodeEvent,
    HeirEvent,
    HeirsEvent,
    HostEvent,
    HostingEvent,
    LeaveEndsRoomEvent,
    ReachableEvent,
)
from anonp2p.room.moderation_events import LockUnchangedEvent, RoleEvent, SelfKickedEvent, WaitingEvent
from anonp2p.ui import hosting_wording, sanitize, wording
from anonp2p.ui.actions import JoinRoomAction
from anonp2p.ui.advice import Advice
from anonp2p.ui.attention import Attention, Said
from anonp2p.ui.conversation import Conversation
from anonp2p.ui.ignored import Ignored
from anonp2p.ui.newcomers import Newcomers
from anonp2p.ui.reasons import describe_reason
from anonp2p.ui.screen.changing_lines import ChangingLines
from anonp2p.ui.screen.input.drafts import Draft
from anonp2p.ui.screen.log_lines import ChatMessage
from anonp2p.ui.screen.looks import MemberLooks
from anonp2p.ui.screen.offer_lines import OfferLines
from anonp2p.ui.screen.program_lines import SystemLine
from anonp2p.ui.screen.scrollback import Scrollback
from anonp2p.ui.screen.shown_link import ShownLink
from anonp2p.ui.screen.shown_offer import offer_of
from anonp2p.ui.screen.sight import Sight
from anonp2p.ui.screen.waiting import WaitingPeople
from anonp2p.ui.screen.warnings import Warnings
from anonp2p.ui.way_in import WayIn


class Tab:
    """A room's log, and what else is shown of it. label: empty for the page that is shown before any room."""

    def __init__(self, label: str) -> None:
        self.label = label
        self.name = ""
        self.log = Scrollback()
        self.sight = Sight(self.log)
        self.looks = MemberLooks()
        self.ignored = Ignored()
        self.newcomers = Newcomers()
        self.draft = Draft()
        self.warnings = Warnings()
        self.advice = Advice()
        self.waiting = WaitingPeople()
        self.link = ShownLink()
        self.way_in = WayIn()
        self.attention = Attention()
        self.conversation: Conversation | None = None
        self.speakers: dict[str, None] = {}  # nicks, the latest speaker last
        self.has_moved = True  # whether its members may have changed
        self.offers = OfferLines(self.log, self.sight.shows)
        self._lines = ChangingLines(self.log)

    @property
    def title(self) -> str:
        """The name on the tab, on one line."""
        return sanitize.sanitize_line(self.name) or ("joining" if self.label else "anonp2p")

    def add_pending(self, number: int, message: ChatMessage) -> None:
        """Shows a message of ours that has no place in the room's order yet."""
        self.log.add_pending(number, message)

    def begin_joining(self, now: float, again: JoinRoomAction | None) -> None:
        """Shows that we wait to be let in, perhaps once more. again: what asks for the room when it is over."""
        self.way_in.begin(again)
        self.link.begin()
        self.has_moved = True
        self.draft.history.forget(_JOIN)
        if again and not self.name:
            self.draft.history.add(f"/join {codes.Code(again.address, again.key).spell()} {again.nick}".rstrip(), _JOIN)
        if not self.name:
            self.log.clear()  # why it did not work before is of no interest any more
        self._lines.show_joining(now)

    def take_event(self, event: Event, now: float, *, seen: bool) -> bool:
        """Shows an event. seen: whether the user looks at this tab. Returns whether the event calls the user."""
        if self.conversation:
            self.conversation.take_event(event)
        if self.ignored.hides(event):
            return False
        event = self.newcomers.mark_event(event, now)
        if self.newcomers.take_event(event, now) and isinstance(event, Said):
            self._lines.put_aside(now, event.member)
            if isinstance(event, OfferEvent):
                self.offers.note_offer(event.offer, self._message_of(event))
            return False
        calls = self.attention.take_event(event, seen=seen)
        self.looks.verified.take_event(event)
        self.way_in.take_event(event)
        match event:
            case events.MessageEvent() | OfferEvent():
                self._take_message(event, now, seen=seen)
            case TransferEvent():
                if self.offers.take_event(event, now):
                    self.add_event_line(now, event, _STYLES.get(event.state, "quiet"), passing=True)
            case events.ExpiredEvent(seq=seq):
                self.log.expire_message(seq)
                self.draft.history.forget_place(seq)
            case events.UnsentEvent(text=text, re=number):
                self._settle_pending(number)
                self.add_system_line(now, [wording.given_back(text)], "error")
            case events.ErrorEvent(code=code, re=number, final=final):
                if code == "no-room" or self.log.is_pending_offer(number):
                    self._settle_pending(number)
                is_passing = final is not True and not code.startswith("tor-")
                self.add_event_line(now, event, "error", passing=is_passing)
            case events.EnteredEvent():
                self._take_entered(event, now)
            case ReachableEvent():
                if not self._lines.mark_reachable():
                    self.add_system_line(now, [wording.REACHABLE_AGAIN], passing=True)
            case events.JoinedEvent() | events.RenamedEvent():
                self._take_move(event, now)
            case events.LeftEvent(reason="left" | "lost" as move, member=member, nick=nick):
                self._lines.membership_line(now).add_move(member, sanitize.sanitize_line(nick), move)
            case events.LeftEvent(member=member, nick=nick, why=why):
                self._lines.add_removal(now, member, sanitize.sanitize_line(nick), why or "")
            case events.LinkEvent():
                self._take_link(event, now)
            case events.AlarmEvent():
                self.add_event_line(now, event, "alarm")
                self.warnings.add_alarm(wording.describe_event(event)[0])
            case events.MovedEvent(was=was, seq=seq):
                self.log.move_message(was, seq)
                self.draft.history.move_place(was, seq)
            case events.CutEvent(count=count):
                is_much = count > limits.CUT_QUIETLY
                self.add_event_line(now, event, "caution" if is_much else "quiet")
                if is_much:
                    self.warnings.add_notice(" ".join(wording.describe_event(event)))
            case CodeEvent(code=code):
                self._lines.show_new_code(now, self.name, code)
                where = hosting_wording.NEW_INVITATIONS if self._lines.is_private else hosting_wording.NEW_CODE_WHERE
                self.warnings.add_notice(f"{hosting_wording.NEW_CODE}: {where}")
            case HostEvent() | HostingEvent():
                self.add_event_line(now, event, "title")
            case HeirsEvent():
                self._lines.tell_heirs(now, event)
            case HeirEvent(rank=int(), was=int()):
                pass  # the list of all who can take the room over says it
            case LeaveEndsRoomEvent():
                self.add_event_line(now, event, "caution")
            case events.VerifiedEvent(verified=verified):
                self.add_event_line(now, event, "ok" if verified else "caution")
                if not verified:
                    self.warnings.add_notice(wording.describe_event(event)[0])
            case WaitingEvent():
                self.waiting.take_event(event, now)
                self._lines.show_waiting(now, event)
            case events.LookalikeEvent():
                self._lines.add_lookalike(now, event)
                self.warnings.add_lookalike(event)
            case SelfKickedEvent():
                self.add_event_line(now, event, "error")
            case events.GoneEvent():
                self._lines.remove_joining()
                self._lines.remove_waiting()
                self.waiting.clear()
                self.add_event_line(now, event, "error")
            case _:
                self.add_event_line(now, event, passing=isinstance(event, _PASSING))
        self.has_moved = self.has_moved or isinstance(event, _MOVING)
        if isinstance(event, events.LeftEvent):
            self.looks.leave_member(event.member)
            self.speakers.pop(event.nick, None)
        if isinstance(event, events.RenamedEvent) and event.was in self.speakers:
            del self.speakers[event.was]
            self.speakers[event.nick] = None
        return calls

    def ignore_member(self, member: str, nick: str) -> None:
        """Shows nothing of what somebody says or has said."""
        self.ignored.add_member(member, nick)
        self.newcomers.forget_author(member)
        self.log.remove_messages(member)

    # --- what the events mean

    def _take_move(self, event: events.JoinedEvent | events.RenamedEvent, now: float) -> None:
        nick, note = sanitize.sanitize_line(event.nick), wording.unknown_past(event.unknown_past)
        line = self._lines.membership_line(now)
        match event:
            case events.JoinedEvent(member=member):
                self.looks.enter_member(member, nick)
                line.add_move(member, nick, "joined", note)
            case events.RenamedEvent(member=member, was=was):
                self.looks.note_nick(nick)
                line.rename_member(member, sanitize.sanitize_line(was), nick, note)

    def _take_message(self, event: Said, now: float, *, seen: bool) -> None:
        if event.mine and isinstance(event.re, int):
            self._settle_pending(event.re)
            if event.ttl == 0:
                self.draft.history.forget(event.re)
            else:
                self.draft.history.note_place(event.seq, event.re)
        if not event.mine:
            self.looks.note_author(event.member, sanitize.sanitize_line(event.nick))
            self.speakers.pop(event.nick, None)
            self.speakers[event.nick] = None
        message = self._message_of(event)
        fresh = not (seen or event.mine or event.history)
        if isinstance(event, OfferEvent):
            self.offers.note_offer(event.offer, message)
            if not event.mine and self.offers.is_too_much(now):
                self.offers.count_offer(now, event)
                return
        if event.history:
            self._lines.add_history(message)
        else:
            self.log.add_line(message, unread=fresh)

    def _message_of(self, event: Said) -> ChatMessage:
        """A message, or an offer, as the log has it."""
        message = ChatMessage(
            event.at,
            event.member,
            event.nick,
            "",
            event.seq,
            event.at + event.ttl if event.ttl else None,
            fleeting=event.ttl == 0,
            private=event.private,
            to="" if event.to is UNSET else event.to,
            to_member="" if event.to is UNSET else self.looks.verified.find_member(event.to),
            mine=event.mine,
            history=event.history,
            late=event.late,
            mention=self.attention.is_mentioned(event),
            me=self.attention.nick,
            newcomer=event.newcomer is True,
        )
        if isinstance(event, OfferEvent):
            message.text, message.offer = clean_name(event.name), offer_of(event)
            return message
        message.text, message.action = event.text, event.action
        message.reply, message.reply_gone = event.reply, event.reply_gone is True
        return message

    def _take_entered(self, event: events.EnteredEvent, now: float) -> None:
        self.draft.history.forget(_JOIN)
        self._lines.remove_joining()
        self.name = event.name
        self._lines.is_private = event.private is True
        others = [person for person in event.members if person.member != event.member]  # we have a style of our own
        self.looks.enter_all((person.member, sanitize.sanitize_line(person.nick)) for person in others)
        self.looks.note_nick(sanitize.sanitize_line(event.nick))
        if event.role == "host":
            self._lines.show_code(now, event.name, event.code)
            return
        self.link.state = "up"
        self.add_system_line(now, [wording.entered(event, _NAMED)], "title")

    def _take_link(self, event: events.LinkEvent, now: float) -> None:
        told = self.link.take_event(event)
        if not self.name and event.state == "connecting":
            reason = event.detail
            self._lines.show_joining(now, event.attempt, describe_reason(reason), knocks=reason.code == "knocking")
        elif self.name and told == "lost":
            self.add_event_line(now, event, passing=True)
        elif self.name and told == "again":
            self.add_system_line(now, [wording.LINK_UP_AGAIN], passing=True)

    def _settle_pending(self, number: events.Re) -> None:
        if isinstance(number, int):
            self.log.settle_pending(number)

    def add_system_line(self, now: float, lines: list[str], style: str = "quiet", *, passing: bool = False) -> None:
        """Shows what the program says, in lines. passing: it matters for a moment only."""
        if lines:
            self.log.add_line(SystemLine(now, lines, style, _MARKS.get(style, "·"), passing))

    def add_event_line(self, now: float, event: Event, style: str = "quiet", *, passing: bool = False) -> None:
        """Shows what there is to say of an event. passing: it matters for a moment only."""
        if wording.describe_event(event):
            self.log.add_line(SystemLine(now, [], style, _MARKS.get(style, "·"), passing, event=event))


_JOIN = 0  # number of the line that asks for the room once more: no input has it
_NAMED = 8  # of those who are there already
_MARKS = {"error": "!", "alarm": "!!", "caution": "!!", "title": "•"}
_STYLES = {"done": "ok", "failed": "error"}  # of what became of a file
_PASSING = (events.NoticeEvent, LockUnchangedEvent, events.NickUnchangedEvent, events.TorSlowEvent)
_MOVING = (
    HostEvent,
    HeirsEvent,
    events.EnteredEvent,
    events.JoinedEvent,
    events.LeftEvent,
    events.RenamedEvent,
    events.LinkEvent,
    RoleEvent,
    events.GoneEvent,
)
