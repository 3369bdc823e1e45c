"""Consoles that are played, on commands of any shell."""

import os
from pathlib import Path

import pytest

from tests.support import consoles
from tests.support.consoles import Chance, Story

CODE = "y" * 55 + "d.onion"


def test_what_is_of_chance_is_the_same_wherever_it_stands() -> None:
    chance = Chance()
    with pytest.raises(KeyError):
        chance.fill("join ldp2caiz4uqwcm….onion")
    assert not chance.accept("code ldp2caiz4u…", "code something")
    assert chance.accept("anon-x93k  code ldp2caiz4u…", f"anon-aaaa  code {CODE}")
    assert chance.fill("join ldp2caiz4uqwcm….onion") == f"join {CODE}"
    assert not chance.accept("anon-x93k left", "anon-bbbb left")
    assert chance.accept('{"reached":12,"link":null,…', '{"reached":0,"link":null,"more":1}')
    assert not chance.accept('{"reached":12,"link":null,…', '{"reached":0,"link":1}')
    assert chance.codes == [CODE]


def play(tmp_path: Path, text: str) -> None:
    """Plays it where there is a program `anonp2p`, which says what it hears."""
    (program := tmp_path / "anonp2p").write_text(f'#!/bin/sh\necho "code ${{2:-{CODE}}}"\nexec cat\n')
    program.chmod(0o700)
    with Story(tmp_path, {"PATH": f"{tmp_path}:{os.environ['PATH']}"}) as story:
        story.play(text)
        story.end()


BESIDE = """\
$ anonp2p --line
code ldp2caiz4u…        $ anonp2p --line ldp2caiz4u….onion
                        code ldp2caiz4u…
                        > hello
                        hello
"""


def test_what_is_shown_has_to_come(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    play(tmp_path, "$ mkdir a; cd a; touch b\n$ ls\nb\n")
    play(tmp_path, BESIDE)
    monkeypatch.setattr(consoles, "PATIENCE", 0.2)
    for wrong in ("$ echo a\nb\n", "$ echo a\n", "$ true\na\n", "$ false\n", "$ anonp2p --line\ncode 7\n", "a\n"):
        with pytest.raises(AssertionError):
            play(tmp_path, wrong)
