"""The bots of docs/examples, each in a room in memory; tests/tor/test_examples.py has them as programs over Tor."""

import importlib.util
from pathlib import Path
from typing import Any

import trio
import trio.testing

from anonp2p import Room
from anonp2p.testing import Network

EXAMPLES = Path(__file__).parents[1] / "docs/examples"
PATIENCE = 1_000.0  # seconds of the clock that jumps
QUIET = 10.0  # seconds after which what was not said is not to come


def load(name: str) -> Any:
    """The module of an example."""
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


async def hear(room: Room) -> tuple[str, str]:
    """The next message of another: who said it, and what."""
    while True:
        event = await room.wait_for("message", within=PATIENCE)
        assert event.type == "message"
        if not event.mine:
            return event.nick, event.text


async def hears_nothing(room: Room) -> bool:
    """Whether nobody else says anything for a while."""
    with trio.move_on_after(QUIET):
        await hear(room)
        return False
    return True


async def test_echo_says_again_what_it_is_asked_to_and_nothing_else(autojump_clock: trio.testing.MockClock) -> None:
    network = Network()
    async with network.connect(nick="ann") as tor, tor.create("demo", history="10") as ann:
        await ann.send("!echo before it came")
        async with network.connect(nick="echo") as its, its.join(ann.code) as bot, trio.open_nursery() as nursery:
            nursery.start_soon(load("echo").echo, bot)
            await ann.send("hello")
            await ann.send("!echo two\nlines")
            assert await hear(ann) == ("echo", "two\nlines")
            await ann.send("!echo !echo x")
            assert await hear(ann) == ("echo", "!echo x")
            assert await hears_nothing(ann), "it does not answer itself, or what was said before"
            nursery.cancel_scope.cancel()


async def test_echo_answers_privately_who_asked_privately(autojump_clock: trio.testing.MockClock) -> None:
    network = Network()
    async with (
        network.connect(nick="ann") as tor,
        tor.create("demo") as ann,
        network.connect(nick="ben") as bens,
        bens.join(ann.code) as ben,
        network.connect(nick="echo") as its,
        its.join(ann.code) as bot,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(load("echo").echo, bot)
        await ann.command("/msg echo !echo /kick ben")
        event = await ann.wait_for("message", within=PATIENCE)
        while event.mine:
            event = await ann.wait_for("message", within=PATIENCE)
        assert (event.text, event.private) == ("/kick ben", True)
        assert await hears_nothing(ben)
        nursery.cancel_scope.cancel()


async def test_echo_ends_with_the_room_and_outlives_a_mute(autojump_clock: trio.testing.MockClock) -> None:
    network = Network()
    async with (
        network.connect(nick="ann") as tor,
        tor.create("demo") as ann,
        network.connect(nick="echo") as its,
        its.join(ann.code) as bot,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(load("echo").echo, bot)
        await ann.command("/mute echo")
        await ann.send("!echo unheard")
        assert await hears_nothing(ann)
        await ann.command("/unmute echo")
        await ann.send("!echo heard")
        assert await hear(ann) == ("echo", "heard")
        await ann.command("/close")


async def test_greeter_greets_each_newcomer_once_and_alone(autojump_clock: trio.testing.MockClock) -> None:
    network = Network()
    async with (
        network.connect(nick="greeter") as its,
        its.create("demo") as bot,
        trio.open_nursery() as nursery,
        network.connect() as anns,
        network.connect() as bens,
    ):
        nursery.start_soon(load("greeter").greet, bot)
        async with anns.join(bot.code, nick="ann") as ann:
            assert await hear(ann) == ("greeter", "Welcome to demo, ann! 2 are here.")
            async with bens.join(bot.code, nick="ben") as ben:
                assert await hear(ben) == ("greeter", "Welcome to demo, ben! 3 are here.")
                assert await hears_nothing(ann)
        nursery.cancel_scope.cancel()


async def test_moderator_closes_the_room_at_a_raid_and_opens_it_later(autojump_clock: trio.testing.MockClock) -> None:
    network, module = Network(), load("moderator")
    async with network.connect() as its, its.create("demo", nick="guard") as bot, trio.open_nursery() as nursery:
        nursery.start_soon(module.moderate, bot)
        async with network.connect() as friends, friends.join(bot.code, nick="ann") as ann:
            await trio.sleep(3 * module.WITHIN)

            async def raid(number: int) -> None:
                async with network.connect() as theirs, theirs.join(bot.code, nick=f"troll{number}") as troll:
                    gone = await troll.wait_for("gone", within=PATIENCE)
                    assert gone.reason == "kicked"

            async with trio.open_nursery() as trolls:
                for number in range(module.JOINS):
                    trolls.start_soon(raid, number)
            assert {one.nick for one in ann.members} == {"guard", "ann"}
            raided = await ann.wait_for("raid", within=PATIENCE)
            assert raided.type == "raid"
            assert raided.on
            await ann.send("still here")
            raided = await ann.wait_for("raid", within=PATIENCE)
            assert raided.type == "raid"
            assert not raided.on
            assert trio.current_time() >= module.CLOSED
            async with network.connect() as bens, bens.join(bot.code, nick="ben"):
                assert len(ann.members) == 3
        nursery.cancel_scope.cancel()


async def test_bridge_carries_both_ways_what_all_may_read_and_what_stays(
    autojump_clock: trio.testing.MockClock,
) -> None:
    network = Network()
    async with (
        network.connect(nick="ann") as anns,
        anns.create("left") as ann,
        network.connect(nick="ben") as bens,
        bens.create("right") as ben,
        network.connect(nick="bridge") as its,
        its.join(ann.code) as one,
        its.join(ben.code) as other,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(load("bridge").bridge, one, other)
        await ann.send("hello\nben: I am not ben")
        assert await hear(ben) == ("bridge", "ann: hello / ben: I am not ben")
        await ben.command("/me waves")
        assert await hear(ann) == ("bridge", "* ben waves")
        await ann.command("/msg bridge only for you")
        await ann.send("x" * 4_000)
        await ann.command("/retain 5m")
        await ann.send("for five minutes")
        await ann.command("/retain off")
        await ann.send("bye")
        assert await hear(ben) == ("bridge", "ann: bye")
        await ben.command("/close")


async def test_tail_posts_new_lines_in_their_order_to_be_forgotten_soon(tmp_path: Path) -> None:
    """By a real clock: files are read by threads, for which a clock that jumps does not wait."""
    network, module = Network(), load("tail")
    module.PAUSE = 0.01
    path = tmp_path / "log"
    path.write_text("old\n")
    async with (
        network.connect(nick="ann") as anns,
        anns.create("demo") as ann,
        network.connect(nick="log") as its,
        its.join(ann.code) as bot,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(module.tail, bot, trio.Path(path))
        with path.open("a") as file:
            with trio.move_on_after(PATIENCE) as waiting:  # it begins at the end of the file
                while not waiting.cancel_called:
                    file.write("begins\n")
                    file.flush()
                    with trio.move_on_after(0.2):
                        await hear(ann)
                        break
            file.write("one\ntwo\nthr")
            file.flush()
            heard = ""
            while "two" not in heard:
                heard = (await hear(ann))[1]
            assert "thr" not in heard
            file.write("ee\n\n" + "x" * 2 * module.SIZE + "\n")
        said = ""
        while len(said) < len("three") + 2 * module.SIZE:
            said += (await hear(ann))[1].replace("\n", "")
        assert said == "three" + "x" * 2 * module.SIZE
        await ann.command("/close")
