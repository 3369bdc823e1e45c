"""What is on the clipboard, and for how long."""

import base64

import pytest
import trio
import trio.testing

from anonp2p import limits
from anonp2p.ui.clipboard import Clipboard

EMPTIED = "\x1b]52;c;\x1b\\"


def put(text: str) -> str:
    return f"\x1b]52;c;{base64.b64encode(text.encode()).decode()}\x1b\\"


@pytest.fixture(autouse=True)
def without_tmux(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TMUX", raising=False)


@pytest.mark.trio
async def test_it_is_emptied_a_minute_after_the_last_copy(autojump_clock: trio.testing.MockClock) -> None:
    written: list[str] = []
    clipboard = Clipboard(written.append)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(clipboard.run)
        clipboard.copy("one", "It")
        await trio.sleep(limits.CLIPBOARD - 1)
        clipboard.copy("two", "It")
        await trio.sleep(limits.CLIPBOARD - 1)
        assert written == [put("one"), put("two")]
        await trio.sleep(2)
        assert written == [put("one"), put("two"), EMPTIED]
        await trio.sleep(1_000)
        nursery.cancel_scope.cancel()
    assert written == [put("one"), put("two"), EMPTIED]


@pytest.mark.trio
async def test_it_is_emptied_at_the_end_and_left_alone_if_nothing_was_copied(
    autojump_clock: trio.testing.MockClock,
) -> None:
    for texts, expected in ((["one"], [put("one"), EMPTIED]), ([], [])):
        written: list[str] = []
        clipboard = Clipboard(written.append)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(clipboard.run)
            for text in texts:
                clipboard.copy(text, "It")
            await trio.sleep(1)
            nursery.cancel_scope.cancel()
        assert written == expected


def test_in_tmux_a_space_takes_the_place_of_what_was_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMUX", "/tmp/tmux-0/default,1,0")
    written: list[str] = []
    clipboard = Clipboard(written.append)
    clipboard.copy("one", "It")
    clipboard.empty()
    clipboard.empty()
    assert written == [put("one"), put(" ")]


def test_clipboard_managers_are_warned_of_once(monkeypatch: pytest.MonkeyPatch) -> None:
    clipboard = Clipboard(lambda _: None)
    assert "Clipboard managers keep" in clipboard.copy("one", "It")
    assert "Clipboard managers" not in clipboard.copy("two", "It")
    monkeypatch.setenv("TMUX", "/tmp/tmux")
    assert "set-clipboard on" in clipboard.copy("three", "It")
