"""Each piece of code in README.md and docs/ is of a kind that a test runs, and each command of ours is understood.

What is marked `text` is no code: diagrams. A block without a mark may be anything, and so there is none.
"""

import argparse
import importlib
import os
import re
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from anonp2p import cli
from anonp2p.names import codes
from tests.support.documents import ROOT, Block, read_blocks, read_spans

# Where the blocks of each kind are run, all of them.
RUN = {
    "python": "tests/test_bots_doc.py",
    "json": "tests/test_json_doc.py",
    "sh": "tests/test_documents.py",
    "console": "tests/tor/test_documents.py",
    "ini": "tests/tor/test_examples.py",
}
# What stands for something in a command, and something that could stand there.
STANDS_FOR = {"NAME": "demo", "CODE": codes.encode_key(bytes(32))}
# A piece within a line that is a command of ours. (PROTOCOL.md has none, but words that begin like one.)
OURS = re.compile(r"anonp2p [-a-z]|scripts/\w+( |$)")


@pytest.mark.parametrize("block", read_blocks(), ids=str)
def test_each_block_is_of_a_kind_that_is_run(block: Block) -> None:
    assert block.kind in {*RUN, "text"}, "mark it, and if there is no test that runs such, write one"


def test_there_are_blocks_of_each_kind_and_who_runs_them_takes_all() -> None:
    for kind, file in RUN.items():
        assert read_blocks(kind), kind
        assert f'read_blocks("{kind}")' in (ROOT / file).read_text(encoding="utf-8"), kind


# --- commands


class Understood(BaseException):
    """A parser has understood its arguments, and what would be done by them is not."""


def parse(module: str, arguments: Sequence[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Has a program for developers read its arguments. Raises SystemExit where it does not understand them."""
    program = importlib.import_module(module)
    source = Path(str(program.__file__)).read_text(encoding="utf-8")
    if "parse_args(" not in source:  # nothing would keep it from doing what it is asked for
        assert all(f'"{word}"' in source for word in arguments)
        return
    real = argparse.ArgumentParser.parse_args

    def parse_args(parser: argparse.ArgumentParser, *given: Sequence[str]) -> None:
        real(parser, *given)
        raise Understood

    with monkeypatch.context() as patches:
        patches.setattr(sys, "argv", [module, *arguments])
        patches.setattr(argparse.ArgumentParser, "parse_args", parse_args)
        with pytest.raises(Understood):
            program.main(*([arguments] if program.main.__code__.co_argcount else []))


def check_command(words: Sequence[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Raises where a command of ours would not be understood."""
    program, *arguments = words
    if program == "anonp2p":
        if arguments != ["--version"]:  # which ends it at once
            cli.configure([STANDS_FOR.get(word, word) for word in arguments], {})
        return
    path = ROOT / program
    assert path.parent == ROOT / "scripts"
    assert path.is_dir() or os.access(path, os.X_OK)
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    if module := re.search(r'^exec \.venv/bin/python -m (\S+) "\$@"$', text, re.MULTILINE):
        parse(module[1], arguments, monkeypatch)


@pytest.mark.parametrize("block", read_blocks("sh"), ids=str)
def test_each_line_for_a_shell_is_a_command_that_is_understood(block: Block, monkeypatch: pytest.MonkeyPatch) -> None:
    for line in block.text.splitlines():
        check_command(shlex.split(line, comments=True), monkeypatch)


def commands_within_lines() -> list[str]:
    return sorted({text for path, text in read_spans() if path.name != "PROTOCOL.md" and OURS.match(text)})


@pytest.mark.parametrize("command", commands_within_lines())
def test_each_command_of_ours_within_a_line_is_understood(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    check_command(shlex.split(command.partition(" | ")[0]), monkeypatch)
