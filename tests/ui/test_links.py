"""Links in messages: where they end."""

import pytest

from anonp2p.ui.errors import NothingToCopy
from anonp2p.ui.links import choose_link, find_last_link, find_links


@pytest.mark.parametrize(
    ("text", "link"),
    [
        ("see https://example.org/a?x=1&y=2#z", "https://example.org/a?x=1&y=2#z"),
        ("see https://example.org/a.", "https://example.org/a"),
        ("(https://example.org/a).", "https://example.org/a"),
        ("[(https://example.org/a)]!", "https://example.org/a"),
        ("<https://example.org/a>,", "https://example.org/a"),
        ("'https://example.org/a'", "https://example.org/a"),
        ("https://example.org/Tor_(network)", "https://example.org/Tor_(network)"),
        ("(https://example.org/Tor_(network))?", "https://example.org/Tor_(network)"),
        ("http://one.example and http://two.example", "http://two.example"),
        ("no link: ftp://example.org https//example.org", ""),
    ],
)
def test_what_ends_a_sentence_or_closes_a_bracket_around_a_link_is_none_of_it(text: str, link: str) -> None:
    assert find_last_link(text) == link
    assert [text[start:end] for start, end in find_links(text)][-1:] == [link][: bool(link)]


def test_the_latest_link_is_chosen_but_none_of_a_newcomer() -> None:
    said = [
        ("hello", False),
        ("http://new.example", True),
        ("see http://one.example", False),
        ("http://two.example", False),
    ]
    assert choose_link(said) == "http://one.example"
    for few, why in ((said[:1], "no link"), (said[:2], "of newcomers"), ([], "no link")):
        with pytest.raises(NothingToCopy, match=why):
            choose_link(few)
