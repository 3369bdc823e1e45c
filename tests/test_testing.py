"""What bots are tested with: a network in memory that fails when it is to, and a clock that jumps."""

import inspect
import time

import pytest
import trio

import anonp2p
from anonp2p import errors
from anonp2p.testing import Network, run


def test_its_connect_takes_the_options_of_the_real_one() -> None:
    real = inspect.signature(anonp2p.connect).parameters
    ours = inspect.signature(Network().connect).parameters
    assert {name: one.default for name, one in ours.items()} == {name: one.default for name, one in real.items()}


def test_a_nick_is_looked_at_as_by_the_real_one() -> None:
    async def talk() -> None:
        async with Network().connect(nick="a b"):
            pass

    with pytest.raises(errors.BadNick):
        run(talk)


def test_those_of_one_network_meet_and_those_of_another_do_not() -> None:
    async def talk() -> None:
        network, other = Network(), Network()
        async with network.connect() as anns, anns.create("demo", nick="ann") as ann:
            async with network.connect() as bens, bens.join(ann.code, nick="ben") as ben:
                assert [one.nick for one in ben.members] == ["ann", "ben"]
            async with other.connect() as cats:
                with pytest.raises(errors.Unreachable):
                    async with cats.join(ann.code):
                        pass

    run(talk)


def test_waiting_takes_no_time() -> None:
    async def talk() -> float:
        await trio.sleep(80_000)
        return trio.current_time()

    start = time.monotonic()
    assert run(talk) >= 80_000
    assert time.monotonic() - start < 60


def test_what_is_said_while_links_are_cut_or_the_network_is_down_arrives_once_in_its_order() -> None:
    async def talk() -> None:
        network = Network()
        async with (
            network.connect(nick="ann") as anns,
            anns.create("demo") as ann,
            network.connect(nick="ben") as bens,
            bens.join(ann.code) as ben,
            trio.open_nursery() as nursery,
        ):
            await ben.send("one")
            network.cut()
            await ben.send("two")
            network.go_down()
            nursery.start_soon(ben.send, "three")
            lost = await ben.wait_for("link", within=60)
            while lost.state != "lost":
                lost = await ben.wait_for("link", within=60)
            with pytest.raises(errors.Unreachable):
                async with network.connect() as cats, cats.join(ann.code):
                    pass
            network.come_up()
            heard = [await ann.wait_for("message", within=60) for _ in range(3)]
            assert [one.text for one in heard] == ["one", "two", "three"]
            with pytest.raises(errors.TimedOut):
                await ann.wait_for("message", within=600)

    run(talk)
