"""Text of all scripts is drawn whole, in messages, nicks, the input line and line mode, on terminals of three kinds.

declaration.json beside this file has the first article of the Universal Declaration of Human Rights in 61 languages and
40 scripts (NFC), as the project "UDHR in Unicode" has collected them.
"""

import json
import re
import unicodedata
from pathlib import Path

import pytest

from anonp2p import limits
from anonp2p.names import nicks
from anonp2p.ui.sanitize import sanitize_text
from tests.support.films import ENGINES, Film, engines, piped
from tests.support.stage import Stage

ARTICLES = json.loads(Path(__file__).with_name("declaration.json").read_text(encoding="utf-8"))
TEXTS = [article["text"] for article in ARTICLES]
OTHERS = [  # what the declaration has none of
    "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466 \u2764\ufe0f 1\ufe0f\u20e3 \U0001f1e9\U0001f1ea",
    "\u0646\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",  # Persian, with ZWNJ
    "\u0915\u094d\u200d\u0937 \u0930\u094d\u200c\u092f \u0dc1\u0dca\u200d\u0dbb\u0dd3",  # with joiners after viramas
    "\u05d1\u05bc\u05b0\u05e8\u05b5\u05d0\u05e9\u05c1\u05b4\u0596\u05d9\u05ea",  # Hebrew, with points and accents
    "\u0628\u0650\u0633\u0652\u0645\u0650 \u0627\u0644\u0644\u0651\u064e\u0647\u0650",  # Arabic, with vowels
    unicodedata.normalize("NFD", "Ti\u1ebfng Vi\u1ec7t \u1f84\u03bd\u03b8\u03c1\u03c9\u03c0\u03bf\u03c2 \u304c\u3071"),
    "\u101c\u103d\u103e\u103d\u1031\u102c\u1037\u103a \u1000\u103c\u1031\u102c\u1004\u1037\u103a",  # Burmese
    "\u0f67\u0fb1\u0f71\u0f74\u0f7e \u0f66\u0f92\u0fb2\u0f74\u0f56",  # Tibetan stacks
]


def letters(text: str) -> str:
    """All letters, marks and digits of a text, in their order."""
    return "".join(one for one in unicodedata.normalize("NFC", text) if unicodedata.category(one)[0] in "LMN")


@pytest.fixture(scope="module")
def said() -> Film:
    """First all messages, then each nick as somebody's."""
    with Stage("--nick", "zo1", columns=100, rows=260) as stage:
        film = Film(stage)
        film.place.says(TEXTS + OTHERS)
        film.cut()
        film.place.empty()
        at = {"room": "r1", "member": "m", "at": 1_700_049_600}
        told = [
            {"type": "message", **at, "nick": nick, "text": "x", "seq": 900 + n, "action": True}
            for n, nick in enumerate(NICKS)
        ]
        stage.ask("tells", told=told)
        film.cut()
        return film


@pytest.fixture(scope="module")
def typed() -> Film:
    """Each text as it is pasted into the input line."""
    with Stage("--nick", "zo1", columns=100, rows=20) as stage:
        film = Film(stage)
        for text in TEXTS + OTHERS:
            stage.paste(text)
            film.cut()
            stage.key("ctrl c")
        return film


def _nick(text: str) -> str:
    words = [unicodedata.normalize("NFKC", word)[: limits.NICK] for word in re.split(r"[\W_]*\s[\W_]*", text)]
    return max(filter(nicks.is_nick, words), key=lambda word: (len(set(word)), len(word)), default="")


NICKS = list(dict.fromkeys(filter(None, map(_nick, TEXTS))))


def plainly(engine: str, texts: list[str]) -> list[str]:
    """What a terminal shows of texts that are just printed."""
    data = "".join(sanitize_text(text) + "\r\n" for text in texts).encode()
    [rows] = ENGINES[engine]([data], 600, len(texts) + 2)
    return [letters(row) for row in rows[: len(texts)]]


def test_the_corpus_has_many_scripts_and_all_their_letters_are_text() -> None:
    assert len({article["script"] for article in ARTICLES}) >= 40
    for text in TEXTS + OTHERS:
        assert letters(sanitize_text(text)) == letters(text), text
    for text in OTHERS:
        assert sanitize_text(text) == text


@engines
def test_messages_are_drawn_whole(engine: str, said: Film) -> None:
    rows = said.on(engine)[0]
    log = [row for row in rows if re.match(r"(12:00 +(ben)?| {6,}) │ ", row)]
    seen = letters("".join(re.sub(r"│[^│]*$", "", row.split("│ ", 1)[1] + "│") for row in log))
    for text, plain in zip(TEXTS + OTHERS, plainly(engine, TEXTS + OTHERS), strict=True):
        assert plain in seen, f"{text}\n" + "\n".join(log)
        if engine != "tmux":  # which has no room for long emoji
            assert plain == letters(text)


@engines
def test_nicks_are_drawn_whole(engine: str, said: Film) -> None:
    assert len(NICKS) > 40
    seen = [match[1] for row in said.on(engine)[1] if (match := re.match(r"12:00 +\* │ (.*) x", row))]
    assert list(map(letters, seen)) == list(map(letters, NICKS))


@engines
def test_what_is_typed_is_drawn_whole(engine: str, typed: Film) -> None:
    looks = typed.on(engine)
    for text, plain, rows in zip(TEXTS + OTHERS, plainly(engine, TEXTS + OTHERS), looks, strict=True):
        at = max(y for y, row in enumerate(rows) if row.startswith("zo1>"))
        assert letters("".join(rows[at:]).removeprefix("zo1>")) == plain, f"{text}\n" + "\n".join(rows[at:])


@engines
def test_line_mode_prints_all_letters(engine: str) -> None:
    texts = TEXTS + OTHERS
    data = piped(texts, "ben").replace(b"\n", b"\r\n")
    [rows] = ENGINES[engine]([data], 80, data.count(b"\n") + 10)
    assert len(list(filter(None, rows))) == data.count(b"\n"), "no terminal breaks what is broken already"
    said = "\n".join(rows).split("ben: ")[1:]
    assert [letters(text) for text in said] == plainly(engine, texts)
