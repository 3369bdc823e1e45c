"""Links in messages."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from anonp2p.ui.errors import NothingToCopy
from anonp2p.ui.sanitize import sanitize_text

_LINK: Final = re.compile(r"https?://\S+")
_PAIRS: Final = {")": "(", "]": "[", "}": "{", ">": "<"}


def find_links(text: str) -> Iterator[tuple[int, int]]:
    """Where links are, from where to where: without the end of a sentence, or of brackets around them, after them."""
    for found in _LINK.finditer(text):
        yield found.start(), found.start() + len(_without_end(found[0]))


def find_last_link(text: str) -> str:
    """The last link in a message, safe to be pasted anywhere; or nothing."""
    shown = sanitize_text(text)
    return next((shown[start:end] for start, end in reversed([*find_links(shown)])), "")


def choose_link(messages: Iterable[tuple[str, bool]]) -> str:
    """The latest link in messages, which are given the latest first, each with whether its author was a newcomer.

    A link of a newcomer is not chosen for the user. Raises NothingToCopy.
    """
    why = "there is no link in the messages here"
    for text, newcomer in messages:
        link = find_last_link(text)
        if link and not newcomer:
            return link
        if link:
            why = "the links here are of newcomers, whose whole messages /copy SEQ copies; /numbers lists them"
    raise NothingToCopy(why)


def _without_end(link: str) -> str:
    while link:
        last = link[-1]
        if last not in ".,;:!?\"'" and not (last in _PAIRS and link.count(last) > link.count(_PAIRS[last])):
            break
        link = link[:-1]
    return link
