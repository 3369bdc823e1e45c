"""The library, as a bot uses it, over a network in memory."""

import signal
import subprocess
import sys
from contextlib import AsyncExitStack, suppress
from typing import Any

import pytest
import trio
import trio.testing

import anonp2p
from anonp2p import errors, limits
from anonp2p.net.tor.errors import ControlPortNeeded, TorEnded, TorNotInstalled
from anonp2p.room import inputs
from anonp2p.room.events import EntriesMissedEvent
from anonp2p.room.room import Room as LiveRoom
from anonp2p.ui.commands import COMMANDS
from tests.bots import interface
from tests.bots.company import PATIENCE, Company

Clock = trio.testing.MockClock


async def read_until(room: anonp2p.Room, kind: str) -> list[anonp2p.Event]:
    """The events up to the first of this kind."""
    seen = []
    with trio.fail_after(PATIENCE):
        async for event in room:
            seen.append(event)
            if event.type == kind:
                break
    return seen


# --- rooms and events


async def test_a_bot_of_the_interface_answers(autojump_clock: Clock) -> None:
    company = Company()
    receipts = []
    async with (
        company.connect("ann") as tor,
        company.connect() as its,
        tor.create("den") as ann,
        trio.open_nursery() as nursery,
    ):

        async def play() -> None:
            receipts.append(await interface.run(its, ann.code))

        nursery.start_soon(play)
        await ann.wait_for("joined", within=PATIENCE)
        await ann.send("!ping")
        await ann.wait_for("message", within=PATIENCE)
        pong = await ann.wait_for("message", within=PATIENCE)
    assert pong.text == "pong"
    assert [receipt and receipt.seq for receipt in receipts] == [pong.seq]


async def test_a_room_is_described_as_it_is_and_stays_so_when_it_is_over(autojump_clock: Clock) -> None:
    company = Company()
    async with company.connect("ann") as tor, tor.create("den") as ann:
        assert (ann.name, ann.nick, ann.role) == ("den", "ann", "host")
        async with company.connect() as its, its.join(ann.code, nick="bot") as bot:
            assert (bot.name, bot.nick, bot.role, bot.code) == ("den", "bot", "member", ann.code)
            assert [one.nick for one in bot.members] == ["ann", "bot"]
            assert [one.member for one in bot.members] == [ann.member, bot.member]
            await bot.command("/nick other")
            assert bot.nick == "other"
        assert (bot.name, bot.nick, bot.role) == ("den", "other", "member")
        await ann.wait_for("left", within=PATIENCE)
        assert [one.nick for one in ann.members] == ["ann"]


async def test_the_host_is_reachable_however_late_one_waits_for_it(autojump_clock: Clock) -> None:
    async with Company().connect() as tor, tor.create("den") as room:
        await trio.sleep(60)
        await room.wait_for("reachable", within=0)


async def test_the_iteration_has_the_events_of_the_room_in_order_and_ends_with_it(autojump_clock: Clock) -> None:
    async with Company().pair() as (ann, bot):
        await ann.send("one")
        await bot.send("two")
        await ann.command("/kick bot go away")
        seen = [event async for event in bot]
    kinds = [event.type for event in seen]
    assert kinds[-2:] == ["kicked", "gone"]
    assert [event.text for event in seen if event.type == "message"] == ["one", "two"]
    assert kinds.index("room") < kinds.index("message")


async def test_what_happens_to_tor_is_told_in_every_room_and_of_a_room_in_that_alone(autojump_clock: Clock) -> None:
    company = Company()
    async with company.connect("ann") as tor, tor.create("den") as den, tor.create("attic") as attic:
        rooms = await den.command("/rooms")
        assert rooms.type == "reply"
        assert [row["name"] for row in rooms.data] == ["den", "attic"]
        await den.send("hello")
    seen = [event async for event in attic]
    assert all(getattr(event, "room", attic_label(seen)) == attic_label(seen) for event in seen)
    assert not any(event.type == "reply" for event in seen)


def attic_label(seen: list[anonp2p.Event]) -> str:
    return next(event.room for event in seen if event.type == "room")


async def test_several_connections_of_one_process_meet_in_a_room(autojump_clock: Clock) -> None:
    company = Company()
    async with AsyncExitStack() as stack:
        tors = [await stack.enter_async_context(company.connect()) for _ in range(4)]
        first = await stack.enter_async_context(tors[0].create("den"))
        rooms = [await stack.enter_async_context(tor.join(first.code)) for tor in tors[1:]]
        receipt = await rooms[0].send("hello")
        for room in [first, *rooms]:
            seen = await room.wait_for("message", within=PATIENCE)
            assert (seen.text, seen.seq) == ("hello", receipt.seq)


async def test_whoever_does_not_read_is_told_how_much_is_missing(autojump_clock: Clock) -> None:
    async with Company().connect() as tor, tor.create("den") as room:
        before = len(await read_until(room, "reachable"))
        for _ in range(limits.UNREAD + 20):
            await room.command("/quiet")  # answered by a notice
        seen = await read_until(room, "missed")
        assert before
        assert [event.type for event in seen] == ["notice"] * limits.UNREAD + ["missed"]
        assert seen[-1] == EntriesMissedEvent(room="r1", count=20, verified=True, lagging=True)


# --- sending


async def test_a_receipt_is_the_message_as_others_see_it(autojump_clock: Clock) -> None:
    async with Company().pair() as (ann, bot):
        receipt = await bot.send("two\nlines")
        seen = await ann.wait_for("message", within=PATIENCE)
        assert (receipt.seq, receipt.event.text, receipt.event.mine) == (seen.seq, seen.text, True)
        assert receipt.at == receipt.event.at
        assert not seen.mine


async def test_texts_are_never_commands(autojump_clock: Clock) -> None:
    async with Company().pair() as (_, bot):
        assert (await bot.send("/kick ann")).event.text == "/kick ann"


async def test_a_text_waits_for_a_link_that_is_down(autojump_clock: Clock) -> None:
    company = Company()
    async with company.pair() as (ann, bot), trio.open_nursery() as nursery:
        company.network.go_down()
        receipts: list[anonp2p.Receipt] = []

        async def send() -> None:
            receipts.append(await bot.send("hello"))

        nursery.start_soon(send)
        await trio.sleep(20)
        assert receipts == []
        company.network.come_up()
        assert (await ann.wait_for("message", within=PATIENCE)).text == "hello"
        await bot.wait_for("message", within=PATIENCE)
    assert [receipt.event.text for receipt in receipts] == ["hello"]


async def test_a_text_waits_for_another_host(autojump_clock: Clock) -> None:
    company = Company()
    async with AsyncExitStack() as stack:
        tors = [await stack.enter_async_context(company.connect()) for _ in range(3)]
        ann = await stack.enter_async_context(tors[0].create("den"))
        bot, eve = [await stack.enter_async_context(tor.join(ann.code)) for tor in tors[1:]]
        await trio.sleep(60)  # until they can host
        nursery = await stack.enter_async_context(trio.open_nursery())
        nursery.start_soon(ann.command, "/leave")
        with trio.fail_after(PATIENCE):
            receipt = await bot.send("hello")
        assert (await eve.wait_for("message", within=PATIENCE)).seq == receipt.seq
        await bot.wait_for("host", within=PATIENCE)
        assert {bot.role, eve.role} == {"host", "member"}


async def test_many_texts_at_once_are_all_ordered_as_they_were_sent(autojump_clock: Clock) -> None:
    count = limits.PENDING + 100
    async with Company().pair() as (_, bot):
        asked: list[int] = []
        receipts: dict[int, int] = {}

        async def send(number: int) -> None:
            asked.append(number)
            receipts[number] = (await bot.send(str(number))).seq

        with trio.fail_after(PATIENCE):
            async with trio.open_nursery() as nursery:
                for number in range(count):
                    nursery.start_soon(send, number)
        places = [receipts[number] for number in asked]
        assert len(places) == count
        assert places == sorted(set(places))


@pytest.mark.parametrize("text", ["", " \n", "x" * (limits.TEXT + 1), "psst \ud83d"])
async def test_what_is_no_text_is_not_sent_and_not_told_in_the_error(text: str, autojump_clock: Clock) -> None:
    async with Company().connect() as tor, tor.create("den") as room:
        with pytest.raises(errors.Unsent) as caught:
            await room.send(text)
        assert isinstance(caught.value.__cause__, errors.TooLong if len(text) > 10 else errors.BadInput)
        assert caught.value.code == caught.value.__cause__.code
        assert "psst" not in f"{caught.value}{caught.value!r}{caught.value.__cause__!r}"


async def test_a_text_that_the_room_gives_back_is_an_error_with_its_cause(autojump_clock: Clock) -> None:
    async with Company().pair() as (ann, bot):
        await ann.command("/mute bot")
        await bot.wait_for("role", within=PATIENCE)
        with pytest.raises(errors.Unsent, match="muted") as caught:
            await bot.send("psst")
        assert isinstance(caught.value.__cause__, errors.NotAllowed)
        assert caught.value.code == "not-allowed"


async def test_a_text_that_is_cancelled_leaves_the_rest_in_order(autojump_clock: Clock) -> None:
    company = Company()
    async with company.pair() as (ann, bot):
        company.network.go_down()
        with trio.move_on_after(5) as scope:
            await bot.send("one")
        assert scope.cancelled_caught
        company.network.come_up()
        await bot.send("two")
        said = [await ann.wait_for("message", within=PATIENCE) for _ in range(2)]
        assert [event.text for event in said] == ["one", "two"]


# --- commands


def lines() -> list[str]:
    """One of each command that a bot may use, in an order in which each of them has something to do."""
    return [
        *("/help", "/help kick", "/who", "/code", "/qr", "/msg bot psst"),
        *("/ignore bot", "/unignore bot", "/quiet 5", "/quiet show", "/quiet off", "/retain", "/retain 5m", "/numbers"),
        *("/reply psst", "/me waves", "hello", "//hello", "/retract", "/verify", "/verify bot", "/verify bot yes"),
        *("/files", "/rooms", "/heirs", "/health", "/entrust bot", "/entrust off", "/mute bot", "/unmute bot"),
        *("/op bot", "/deop bot", "/lock", "/lock", "/unlock", "/knock on", "/knock off", "/slow 5", "/slow off"),
        *("/raid", "/raid off", "/keep bot", "/invite for ann", "/invites", "/revoke 1", "/code new", "/nick ann2"),
        *("/nick ann2", "/send /etc/hostname", "/kick bot", "/close"),
    ]


ANSWERED_BY_ERRORS = {"/accept", "/decline", "/ban", "/unban", "/admit", "/refuse", "/purge"}  # as nothing is there


async def test_every_command_has_an_answer(autojump_clock: Clock) -> None:
    company = Company()
    done = set()
    async with company.connect("ann") as tor, company.connect("bot") as its, tor.create("den", private=True) as ann:
        invited = await ann.command("/invite")
        assert invited.type == "reply"
        async with its.join(invited.data["code"]) as bot:
            await bot.send("hello")
            await ann.wait_for("message", within=PATIENCE)
            for line in lines():
                with trio.fail_after(PATIENCE):
                    answer = await ann.command(line)
                if line.split()[0] in ("/kick", "/close"):
                    assert answer.type in ("left", "gone")
                done.add(line.split()[0])
    assert {one.name for one in COMMANDS} - done - ANSWERED_BY_ERRORS == {
        *("/create", "/join", "/switch", "/quit", "/clear", "/copy", "/notify", "/query", "/leave")
    }


@pytest.mark.parametrize(
    "line", ["/create x", "/join x", "/switch 1", "/quit", "/clear", "/copy", "/notify all", "/query bot"]
)
async def test_what_is_no_command_of_one_room_says_what_is(line: str, autojump_clock: Clock) -> None:
    company = Company()
    async with company.connect() as tor, tor.create("den") as room:
        line = line.replace("x", room.code)
        with pytest.raises((errors.BadInput, errors.Usage)):
            await room.command(line)
        await room.send("still here")


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("", errors.BadInput),
        ("/nosuch", errors.UnknownCommand),
        ("/kick", errors.Usage),
        ("/kick nobody", errors.NoSuchNick),
        ("/msg nobody psst", errors.Unsent),
        ("/msg ann " + "x" * 5_000, errors.Unsent),
        ("/nick a b", errors.BadNick),
        ("/kick ann", errors.NotAllowed),
        ("/accept 7", errors.BadInput),
    ],
)
async def test_a_command_that_does_not_work_raises_the_error_of_its_code(
    line: str, kind: type[errors.AnonError], autojump_clock: Clock
) -> None:
    async with Company().connect("ann") as tor, tor.create("den") as room:
        with pytest.raises(kind):
            await room.command(line)


async def test_a_message_that_is_taken_back_unsent_answers_the_command(
    autojump_clock: Clock,
) -> None:
    company = Company()
    async with company.pair() as (_, bot):
        company.network.go_down()
        async with trio.open_nursery() as nursery:

            async def send() -> None:
                with pytest.raises(errors.Unsent):
                    await bot.send("psst")

            nursery.start_soon(send)
            await trio.sleep(60)
            answer = await bot.command("/retract")
        assert answer.type == "reply"
        assert answer.data == {"sent": False}
        company.network.come_up()


async def test_what_an_ignored_member_says_is_not_told(autojump_clock: Clock) -> None:
    async with Company().pair() as (ann, bot):
        await bot.command("/ignore ann")
        await ann.send("one")
        await bot.send("two")  # which comes after the one before
        await bot.command("/unignore ann")
        await ann.send("three")
        assert [(await bot.wait_for("message", within=PATIENCE)).text for _ in range(2)] == ["two", "three"]


# --- how it ends


async def test_leaving_the_block_leaves_the_room(autojump_clock: Clock) -> None:
    async with Company().pair() as (_, bot):
        pass
    assert [event.reason async for event in bot if event.type == "gone"] == ["left"]


async def test_rooms_that_outlive_the_block_of_their_tor_are_left_with_it(autojump_clock: Clock) -> None:
    company = Company()
    async with company.connect("ann") as tor, tor.create("den") as ann, AsyncExitStack() as rooms:
        async with company.connect("bot") as its:
            bot = await rooms.enter_async_context(its.join(ann.code))
        assert (await bot.wait_for("gone", within=0)).reason == "left"
        assert (await ann.wait_for("left", within=PATIENCE)).reason == "left"


async def send_for_ever(room: anonp2p.Room) -> None:
    while True:
        await room.send("hello")


async def test_a_room_that_is_over_says_so_to_all_who_wait(autojump_clock: Clock) -> None:
    async with Company().pair() as (ann, bot):
        async with trio.open_nursery() as nursery:

            async def send() -> None:
                with pytest.raises(errors.Unsent):
                    await send_for_ever(bot)

            async def wait() -> None:
                with pytest.raises(errors.RoomGone):
                    await bot.wait_for("reachable")

            nursery.start_soon(send)
            nursery.start_soon(wait)
            await ann.wait_for("message", within=PATIENCE)
            await ann.command("/kick bot")
        with pytest.raises(errors.RoomGone):
            await bot.command("/who")
        assert (await bot.wait_for("gone", within=0)).reason == "kicked"


async def test_a_room_that_nobody_takes_over_is_over(autojump_clock: Clock) -> None:
    company = Company()
    async with (
        company.connect(no_heir=True) as tor,
        company.connect(no_heir=True) as its,
        tor.create("den") as ann,
        its.join(ann.code) as bot,
    ):
        await ann.command("/leave")
        assert (await bot.wait_for("gone", within=PATIENCE)).reason == "closed"


async def test_when_tor_is_lost_for_good_rooms_end_and_no_other_can_be_opened(autojump_clock: Clock) -> None:
    company = Company()
    async with company.connect() as tor, tor.create("den") as room:
        company.lose_tor(TorEnded())
        assert (await room.wait_for("gone", within=10 * limits.TOR_PATIENCE)).reason == "tor"
        with pytest.raises(errors.Unsent) as caught:
            await room.send("hello")
        assert isinstance(caught.value.__cause__, errors.RoomGone)
        assert isinstance(caught.value.__cause__.__cause__, errors.TorLost)
        for attempt in (room.command("/who"), room.wait_for("message")):
            with pytest.raises(errors.RoomGone) as over:
                await attempt
            assert isinstance(over.value.__cause__, errors.TorLost)
        with pytest.raises(errors.TorLost):
            async with tor.create("attic"):
                pass
        with pytest.raises(errors.TorLost):
            async with tor.join(room.code):
                pass


async def test_without_any_tor_connecting_says_why(autojump_clock: Clock) -> None:
    company = Company()
    company.lack = TorNotInstalled()
    with pytest.raises(errors.TorMissing):
        async with company.connect():
            pass


async def test_where_nothing_can_be_published_rooms_are_not_created_but_joined(autojump_clock: Clock) -> None:
    company = Company()
    async with company.connect() as tor, tor.create("den") as ann:
        company.network.lack = ControlPortNeeded()
        async with company.connect() as its, its.join(ann.code):
            with pytest.raises(errors.TorRefused):
                async with its.create("attic"):
                    pass
        company.network.lack = None


async def test_a_wait_ends_with_its_time_and_says_so(autojump_clock: Clock) -> None:
    async with Company().connect() as tor, tor.create("den") as room:
        with pytest.raises(errors.TimedOut, match=r"within 2\.5 seconds"):
            await room.wait_for("message", within=2.5)


async def test_what_is_no_type_and_no_text_is_refused_at_once(autojump_clock: Clock) -> None:
    async with Company().connect() as tor, tor.create("den", history=20) as room:
        with pytest.raises(ValueError, match="messages"):
            await room.wait_for("messages")  # type: ignore[call-overload]  # as is tried
        with pytest.raises(errors.TimedOut):
            await room.wait_for("message", within=-1)
        with pytest.raises(TypeError):
            await room.send(b"psst")  # type: ignore[arg-type]  # as is tried
        with pytest.raises(TypeError):
            await room.command(7)  # type: ignore[call-overload]  # as is tried


@pytest.mark.parametrize(
    "options",
    [{"name": None}, {"nick": 5}, {"retain": 3}, {"history": 2.5}, {"history": b"2"}, {"knock": "no"}, {"private": 1}],
)
async def test_what_a_room_cannot_be_made_of_is_named(options: dict[str, Any], autojump_clock: Clock) -> None:
    async with Company().connect() as tor:
        with pytest.raises(TypeError, match=f"^{next(iter(options))} "):
            async with tor.create(**{"name": "den"} | options):
                pass


async def test_a_code_or_nick_of_a_wrong_type_is_named_and_not_told(autojump_clock: Clock) -> None:
    async with Company().connect() as tor, tor.create("den") as room:
        for options in ({"code": room.code.encode()}, {"code": room.code, "nick": room.code.encode()}):
            with pytest.raises(TypeError, match=f"^{list(options)[-1]} ") as caught:
                async with tor.join(**options):
                    pass
            assert room.code not in str(caught.value)


async def test_no_error_holds_what_may_be_a_code(autojump_clock: Clock) -> None:
    async with Company().connect() as tor, tor.create("den") as room:
        for line in (f"/{room.code}", "/psst\npsst psst"):
            with pytest.raises(errors.UnknownCommand) as caught:
                await room.command(line)
            assert line[1:5] not in repr(caught.value)


# --- joins that fail


async def refused(company: Company, code: str, nick: str = "bot") -> None:
    async with company.connect() as its, its.join(code, nick=nick):
        pytest.fail("we are in")


async def test_a_join_that_fails_raises_why(autojump_clock: Clock) -> None:
    company = Company()
    async with company.connect("ann") as tor, tor.create("den") as ann:
        await ann.wait_for("reachable", within=PATIENCE)
        with pytest.raises(errors.NickTaken):
            await refused(company, ann.code, "Ann")
        with pytest.raises(errors.BadNick):
            await refused(company, ann.code, "a b")
        with pytest.raises(errors.BadCode):
            await refused(company, ann.code[:-10])
        await ann.command("/lock")
        with pytest.raises(errors.Locked):
            await refused(company, ann.code)
        await ann.command("/unlock")
        with pytest.raises(errors.NotAllowed):
            async with tor.join(ann.code):
                pass
        await ann.command("/knock on")
        async with trio.open_nursery() as nursery:

            async def knock() -> None:
                with pytest.raises(errors.Refused):
                    await refused(company, ann.code)

            nursery.start_soon(knock)
            await ann.wait_for("waiting", within=PATIENCE)
            await ann.command("/refuse bot")
    with pytest.raises(errors.Unreachable, match=r"could not be reached: \w+ \w+"):
        await refused(company, ann.code)


async def test_a_private_room_is_joined_by_invitation_alone(autojump_clock: Clock) -> None:
    company = Company()
    async with company.connect("ann") as tor, tor.create("den", private=True) as ann:
        with pytest.raises(errors.Unreachable, match="private"):
            await refused(company, ann.code)


async def test_there_is_a_bound_on_rooms(autojump_clock: Clock) -> None:
    async with Company().connect() as tor, AsyncExitStack() as stack:
        for number in range(limits.ROOMS):
            await stack.enter_async_context(tor.create(f"den{number}x"))
        with pytest.raises(errors.NotAllowed):
            async with tor.create("attic"):
                pass


@pytest.mark.parametrize(
    ("name", "options"),
    [("a b", {}), ("host", {}), ("den", {"retain": "5 m"}), ("den", {"history": "--knock"}), ("den", {"nick": "x y"})],
)
async def test_a_room_that_cannot_be_is_not_created(name: str, options: dict[str, str], autojump_clock: Clock) -> None:
    async with Company().connect() as tor:
        with pytest.raises((errors.BadInput, errors.BadNick)):
            async with tor.create(name, **options):  # type: ignore[arg-type]  # strings for strings
                pass


async def test_the_rules_of_a_room_are_those_that_were_asked_for(autojump_clock: Clock) -> None:
    async with Company().connect() as tor, tor.create("den", retain="30s:5m:2h", history="10", knock=True) as room:
        rule = await room.command("/retain")
        assert rule.type == "reply"
        assert rule.data == {"ttl": 300, "minimum": 30, "default": 300, "maximum": 7200}
        assert (await room.wait_for("history", within=0)).type == "history"


# --- exceptions


async def test_what_is_raised_within_comes_out_as_it_is_and_the_rooms_are_left(autojump_clock: Clock) -> None:
    company = Company()
    mine = ValueError("mine")
    async with company.connect("ann") as tor, tor.create("den") as ann:
        with pytest.raises(ValueError, match="mine") as caught:
            async with company.connect("bot") as its, its.join(ann.code), its.create("attic"):
                raise mine
        assert caught.value is mine
        assert (await ann.wait_for("left", within=PATIENCE)).reason == "left"


async def test_a_group_of_the_bots_own_stays_whole(autojump_clock: Clock) -> None:
    mine = ExceptionGroup("mine", [ValueError("one")])
    with pytest.raises(ExceptionGroup) as caught:
        async with Company().connect() as tor, tor.create("den"):
            raise mine
    assert caught.value is mine


async def test_an_error_of_ours_in_a_room_comes_out_alone_and_at_once(
    autojump_clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    handle = LiveRoom.handle_input

    def fail(room: LiveRoom, event: inputs.Input, now: inputs.Now) -> object:
        if isinstance(event, inputs.SayInput):
            raise LookupError
        return handle(room, event, now)

    async def talk() -> None:
        async with Company().connect() as tor, tor.create("den") as room:
            times.append(trio.current_time())
            await room.send("hello")

    times: list[float] = []
    monkeypatch.setattr(LiveRoom, "handle_input", fail)
    with pytest.raises(LookupError):
        await talk()
    assert times == [trio.current_time()]


async def test_an_interrupt_comes_out_as_one(autojump_clock: Clock) -> None:
    with pytest.raises(KeyboardInterrupt):
        async with Company().connect() as tor, tor.create("den"):
            raise KeyboardInterrupt


def test_an_interrupt_that_comes_while_a_room_is_at_work_leaves_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python raises it in whatever it happens to do, which may be a task of ours."""
    handle, is_due = LiveRoom.handle_input, False

    def interrupt(room: LiveRoom, what: inputs.Input, now: inputs.Now) -> object:
        nonlocal is_due
        if is_due and not room.hosting and isinstance(what, inputs.ReceivedInput):
            is_due = False
            signal.raise_signal(signal.SIGINT)
        return handle(room, what, now)

    async def talk() -> str:
        nonlocal is_due
        company = Company()
        async with company.connect("ann") as tor, tor.create("den") as ann:
            with suppress(KeyboardInterrupt):
                async with company.connect("bob") as its, its.join(ann.code):
                    is_due = True
                    await ann.send("hello")
                    await trio.sleep_forever()
            return str((await ann.wait_for("left", within=PATIENCE)).reason)

    monkeypatch.setattr(LiveRoom, "handle_input", interrupt)
    usual = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        assert trio.run(talk, clock=Clock(autojump_threshold=0)) == "left"
    finally:
        signal.signal(signal.SIGINT, usual)


async def test_several_interrupts_come_out_as_one(autojump_clock: Clock) -> None:
    with pytest.raises(KeyboardInterrupt):
        async with Company().connect() as tor, tor.create("den"):
            raise BaseExceptionGroup("", [KeyboardInterrupt(), BaseExceptionGroup("", [KeyboardInterrupt()])])


async def test_a_tor_whose_block_was_left_opens_no_room(autojump_clock: Clock) -> None:
    async with Company().connect() as tor:
        pass
    with pytest.raises(errors.TorLost):
        async with tor.create("den"):
            pass


async def test_an_error_while_all_is_cancelled_comes_out_alone(autojump_clock: Clock) -> None:
    async def fail() -> None:
        with trio.CancelScope() as scope:
            async with Company().connect() as tor, tor.create("den"):
                scope.cancel()
                try:
                    await trio.sleep_forever()
                finally:
                    raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        await fail()


# --- cancellation


class Cancellation(trio.abc.Instrument):
    """Cancels a scope once a task has had so many turns."""

    def __init__(self, turns: int) -> None:
        self.scope = trio.CancelScope()
        self.task: trio.lowlevel.Task | None = None
        self._turns = turns

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        if task is self.task:
            self._turns -= 1
            if not self._turns:
                self.scope.cancel()


async def test_wherever_a_bot_is_cancelled_its_rooms_are_left_and_nothing_goes_on(autojump_clock: Clock) -> None:
    company = Company()

    async def play(code: str, at: Cancellation) -> None:
        at.task = trio.lowlevel.current_task()
        async with company.connect("bot") as its, its.join(code) as bot:
            await bot.send("hello")
            await bot.command("/who")
            async with its.create("attic") as attic:
                await attic.wait_for("reachable")
                async for event in bot:
                    if event.type == "message":
                        break

    async with company.connect("ann") as tor, tor.create("den") as ann:
        await ann.wait_for("reachable", within=PATIENCE)
        turns, was_cancelled = 0, True
        while was_cancelled:
            turns += 1
            at = Cancellation(turns)
            trio.lowlevel.add_instrument(at)
            before = trio.lowlevel.current_statistics().tasks_living
            with trio.fail_after(PATIENCE), at.scope:
                await play(ann.code, at)
            trio.lowlevel.remove_instrument(at)
            was_cancelled = at.scope.cancelled_caught
            with trio.fail_after(PATIENCE):
                while len(ann.members) > 1 or trio.lowlevel.current_statistics().tasks_living > before:  # noqa: ASYNC110
                    await trio.sleep(1)  # of the clock that jumps: nothing tells that a task is over
            answer = await ann.command("/health")
            assert answer.type == "reply"
            assert (answer.data["members"], answer.data["away"]) == (1, 0), f"after {turns} turns"
    assert turns > 15


# --- what it shows and what it takes


async def test_nothing_shows_what_it_holds(autojump_clock: Clock) -> None:
    async with Company().connect("psst") as tor, tor.create("den") as room:
        receipt = await room.send("the secret")
        shown = repr([tor, room, receipt, receipt.event, room.members, await room.command("/who")])
    assert "secret" not in shown
    assert "psst" not in shown
    assert room.code not in shown


def test_importing_it_loads_nothing_that_takes_long() -> None:
    code = "import sys; import anonp2p; print(sorted(m for m in sys.modules if m.startswith('anonp2p')), "
    code += "[m for m in ('trio', 'msgspec', 'cryptography', 'stem', 'typing', 'logging') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "['anonp2p'] []\n"


def test_what_is_public_is_there_and_nothing_else() -> None:
    for name in anonp2p.__all__:
        assert getattr(anonp2p, name) is not None
    assert set(anonp2p.__all__) <= set(dir(anonp2p))
    with pytest.raises(AttributeError):
        _ = anonp2p.HeldRoom
