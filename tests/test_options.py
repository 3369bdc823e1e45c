"""The table of what the command line takes, and what `--help` makes of it."""

import re

import pytest

from anonp2p import options

TERMS = (*options.VARIABLES, *options.EXIT_CODES, *options.EXAMPLES)


@pytest.mark.parametrize("columns", [30, 40, 61, 80, 200])
def test_help_says_all_of_the_table_on_a_terminal_of_any_width(columns: int) -> None:
    shown = options.write_help(columns)
    words = " ".join(shown.split())
    for option in options.OPTIONS:
        assert f"{option.usage} {option.meaning}{f' [{option.twin}]' if option.twin else ''}" in words
    for action in options.ACTIONS:
        assert f"{action.usage} {action.meaning}" in words
    for term in TERMS:
        assert f"{term.term} {term.meaning}" in words


@pytest.mark.parametrize("columns", [40, 61, 80, 200])
def test_no_row_of_help_is_wider_than_the_terminal_or_a_page(columns: int) -> None:
    terms = {f"  {one.term}" for one in TERMS} | {f"  {option.usage}" for option in options.OPTIONS}
    headings = re.findall(r"^\w.*:$", options.write_help(columns), re.MULTILINE)
    rows = set(options.write_help(columns).splitlines()) - terms - set(headings)
    assert [row for row in rows if len(row) > min(columns, 100)] == []


def test_a_meaning_stands_beside_its_term_where_there_is_room_and_else_below() -> None:
    assert f"\n  --nick NICK             {options.OPTIONS[0].meaning}" in options.write_help(100)
    assert "\n  --nick NICK\n    nick to use" in options.write_help(40)
    assert "\n  --control HOST:PORT|unix:PATH\n                          control port" in options.write_help(80)


def test_what_an_option_excludes_is_an_option_too_and_both_say_it() -> None:
    excluded = {option.name: set(option.excludes) for option in options.OPTIONS}
    for name, others in excluded.items():
        assert all(name in excluded[other] for other in others)
