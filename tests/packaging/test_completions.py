"""What shells complete, asked of the shells themselves."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from anonp2p import options
from tests.packaging import completions

FLAGS = [option.flag for option in options.OPTIONS]
ACTIONS = [action.name for action in options.ACTIONS]

# What bash does before it calls a function: it splits the words at = and : as well.
BASH = """
source "$1"; shift
compopt() { :; }
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _anonp2p; printf '%s\\n' "${COMPREPLY[@]}"
"""
# A zsh on a terminal of its own, in which Tab is pressed; each candidate is shown between marks, which are found again.
ZSH = """
zmodload zsh/zpty
setup='fpath=($FOLDER $fpath); autoload -Uz compinit; compinit -u -D; PS1=; unsetopt zle_bracketed_paste
ask() { zle complete-word; print -r -- "finis""hed" }; zle -N ask; bindkey "^I" ask
compadd() {
    [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\\ * ]] && { builtin compadd "$@"; return }
    typeset -a found; builtin compadd -A found "$@"
    for one in $found; do print -r -- "<<$one>>"; done
}
zle-line-init() { print -r -- "rea""dy" }; zle -N zle-line-init'
zpty shell zsh -f -i
zpty -w shell "$setup"
zpty -r shell out '*ready*'
zpty -w -n shell "$1"$'\\t'
zpty -r shell out '*finished*'; print -r -- $out
zpty -d shell
"""


def ask_bash(tmp_path: Path, *words: str) -> list[str]:
    script = tmp_path / "anonp2p"
    script.write_text(completions.write_bash())
    command = ["bash", "--norc", "-c", BASH, "bash", str(script), "anonp2p", *words]
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=tmp_path).stdout.split()


def ask_zsh(tmp_path: Path, *words: str) -> list[str]:
    (tmp_path / "_anonp2p").write_text(completions.write_zsh())
    command = ["zsh", "-f", "-c", ZSH, "zsh", " ".join(["anonp2p", *words])]
    environment = {**os.environ, "FOLDER": str(tmp_path), "TERM": "dumb", "HOME": str(tmp_path), "COLUMNS": "200"}
    shown = subprocess.run(
        command, check=True, capture_output=True, text=True, env=environment, cwd=tmp_path, timeout=60
    ).stdout
    return [row.partition("<<")[2].partition(">>")[0] for row in shown.splitlines() if "<<" in row]


def ask_fish(tmp_path: Path, *words: str) -> list[str]:
    script = tmp_path / "anonp2p.fish"
    script.write_text(completions.write_fish())
    command = ["fish", "--no-config", "-c", "source $argv[1]; complete -C $argv[2]", str(script)]
    command.append(" ".join(["anonp2p", *words]))
    environment = {**os.environ, "HOME": str(tmp_path)}
    shown = subprocess.run(command, check=True, capture_output=True, text=True, env=environment, cwd=tmp_path).stdout
    return [row.partition("\t")[0] for row in shown.splitlines()]


@pytest.mark.parametrize("ask", [ask_bash, ask_zsh, ask_fish])
def test_a_shell_completes_what_the_table_has(ask: Callable[..., list[str]], tmp_path: Path) -> None:
    (tmp_path / "torrc-of-mine").touch()
    assert set(ask(tmp_path, "--")) == set(FLAGS)
    assert set(ask(tmp_path, "")) >= set(ACTIONS)
    assert set(ask(tmp_path, "--no-h")) == {"--no-heir"}
    assert set(ask(tmp_path, "--amnesic", "jo")) == {"join"}
    assert set(ask(tmp_path, "--tor", "")) == {"auto", "system", "own"}
    assert set(ask(tmp_path, "--torrc", "torrc-of")) == {"torrc-of-mine"}
    assert not {*ask(tmp_path, "create", "")} & set(ACTIONS)


def test_bash_completes_behind_an_equals_sign_and_a_colon_too(tmp_path: Path) -> None:
    assert ask_bash(tmp_path, "--tor", "=", "sy") == ["system"]
    assert ask_bash(tmp_path, "--tor", "=") == ["auto", "system", "own"]
    assert ask_bash(tmp_path, "--control", "unix", ":", "/run/x", "jo") == ["join"]
    assert ask_bash(tmp_path, "--tor", "=", "own", "jo") == ["join"]


@pytest.mark.parametrize("ask", [ask_bash, ask_zsh])
def test_the_value_of_an_option_is_not_taken_for_an_action(ask: Callable[..., list[str]], tmp_path: Path) -> None:
    assert set(ask(tmp_path, "--nick", "create", "cr")) == {"create"}


def test_what_cannot_be_given_twice_is_not_completed_twice(tmp_path: Path) -> None:
    assert "--line" not in ask_zsh(tmp_path, "--json", "--")
