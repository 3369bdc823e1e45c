"""Every piece of Python in README.md and docs/ is run, by people in a room in memory.

A piece that calls `trio.run` is a program: it opens a room, prints its code, and answers !ping. One with functions
`test_...` is a test file. Any other stands where there are a `tor` and a `room` of it, and people come to that room.
"""

import textwrap
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing

import anonp2p
from anonp2p.testing import Network, run
from tests.support.documents import read_blocks

EXAMPLES = Path(__file__).parents[1] / "docs/examples"
PATIENCE = 300.0  # seconds of a clock that jumps
PIECES = [pytest.param(block.text, id=str(block)) for block in read_blocks("python")]


def is_program(piece: str) -> bool:
    return "trio.run(" in piece


def is_test_file(piece: str) -> bool:
    return "def test_" in piece


def run_program(piece: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody joins by the code that it prints, and has an answer."""
    network, wanted = Network(), []
    give_code, given_codes = trio.open_memory_channel[str](1)
    with monkeypatch.context() as patches:
        patches.setattr(trio, "run", lambda *call: wanted.append(call))
        exec(compile(piece, "piece", "exec"), {"print": lambda code, flush: give_code.send_nowait(code)})

    async def talk() -> None:
        monkeypatch.setattr(anonp2p, "connect", network.connect)
        async with network.connect(nick="ann") as tor, trio.open_nursery() as nursery:
            nursery.start_soon(*wanted[0])
            with trio.fail_after(PATIENCE):
                async with tor.join(await given_codes.receive()) as ann:
                    await ann.send("!ping")
                    heard = await ann.wait_for("message")
                    while heard.mine:
                        heard = await ann.wait_for("message")
                    assert heard.text == "pong"
            nursery.cancel_scope.cancel()

    run(talk)


def run_test_file(piece: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of its tests passes."""
    monkeypatch.syspath_prepend(EXAMPLES)
    names: dict[str, Any] = {}
    exec(compile(piece, "piece", "exec"), names)
    tests: list[Callable[[], None]] = [value for name, value in names.items() if name.startswith("test_")]
    assert tests
    for test in tests:
        test()


def run_fragment(piece: str) -> None:
    """It comes to its end, or goes on for as long as we look."""
    names: dict[str, Any] = {module.__name__: module for module in (anonp2p, threading, trio)}
    names |= {"print": lambda *_: None, "input": lambda: "typed"}
    exec(compile("async def fragment(tor, room):\n" + textwrap.indent(piece, "    "), "piece", "exec"), names)

    async def talk() -> None:
        network = Network()

        async def come() -> None:
            await trio.sleep(5)
            async with network.connect(nick="ben") as tor, tor.join(room.code):
                await trio.sleep_forever()

        async with (
            network.connect() as tor,
            tor.create("demo") as room,
            network.connect(nick="ann") as anns,
            anns.join(room.code),
            trio.open_nursery() as nursery,
        ):
            nursery.start_soon(come)
            with trio.move_on_after(PATIENCE) as scope:
                await names["fragment"](tor, room)
            assert not scope.cancelled_caught or "open_nursery" in piece, "only what has tasks goes on for ever"
            nursery.cancel_scope.cancel()

    if "thread" in piece:  # a clock that jumps does not wait for those
        trio.run(talk)
    else:
        run(talk)


@pytest.mark.parametrize("piece", PIECES)
def test_python_in_the_documents_does_what_it_says(piece: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if is_program(piece):
        run_program(piece, monkeypatch)
    elif is_test_file(piece):
        run_test_file(piece, monkeypatch)
    else:
        run_fragment(piece)


def test_there_is_a_piece_of_each_kind() -> None:
    texts = [str(piece.values[0]) for piece in PIECES]
    kinds = {"program" if is_program(text) else "tests" if is_test_file(text) else "fragment" for text in texts}
    assert kinds == {"program", "tests", "fragment"}
