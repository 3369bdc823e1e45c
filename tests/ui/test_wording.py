"""What is shown: nothing a peer sends can move, hide, reorder or forge anything on the screen."""

import dataclasses
import json
import time
import typing
import unicodedata
from collections.abc import Callable, Iterator

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UnsetType

from anonp2p import limits
from anonp2p.errors import AnonError, Failed
from anonp2p.names import nicks
from anonp2p.reasons import Reason
from anonp2p.room import events
from anonp2p.room.events import Event, Person
from anonp2p.room.hosting_events import (
    CodeEvent,
    Defence,
    HeirEvent,
    HeirsEvent,
    HostEvent,
    HostingEvent,
    LeaveEndsRoomEvent,
    LeaveHandsOverEvent,
    Successor,
    UndefendedEvent,
    UnreachedEvent,
)
from anonp2p.room.moderation_events import (
    AbsentRemovedEvent,
    BanEvent,
    KeptEvent,
    KnockChangedEvent,
    Knocker,
    LockChangedEvent,
    LockUnchangedEvent,
    RaidChangedEvent,
    RoleEvent,
    SelfKickedEvent,
    SlowChangedEvent,
    WaitingEvent,
)
from anonp2p.room.snapshot import Snapshot
from anonp2p.room.succession.terms import make_place
from anonp2p.ui import qr, sanitize, wording
from anonp2p.ui.commands import COMMANDS
from anonp2p.ui.endings import foresee_close, foresee_quit
from anonp2p.ui.manual import describe_page
from anonp2p.ui.plain_events import spell_event
from anonp2p.ui.replies import WHAT_ROOM_WORDS_PROVE
from anonp2p.ui.widths import width
from tests.names.test_nicks import IGNORABLE
from tests.support.words import in_words
from tests.ui.test_health_wording import WELL

BIDI = [0x61C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)]
INVISIBLE = [0xAD, 0x180E, *range(0x200B, 0x200E), *range(0x2060, 0x2066), 0xFEFF, *range(0xE0000, 0xE0080)]
CONTROLS = [*range(0x20), *range(0x7F, 0xA0)]
SEPARATORS = [0x2028, 0x2029]
# Whatever is in use, and some of the wide ranges that are not, or hold ideographs only.
ALL = list(
    map(chr, (*range(0x20000), *range(0x20000, 0xE0000, 61), *range(0xE0000, 0xE1000), *range(0xE1000, 0x110000, 61)))
)
SELECTORS = {chr(code) for code in [*range(0x180B, 0x180E), 0x180F, *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)]}
EMOJI = {chr(code) for code in range(0x1F000, 0x1FB00)}  # may be newer than Python's tables
FORMATS = {character for character in ALL if unicodedata.category(character) == "Cf"}
JOINERS = set("\u180e\u200c\u200d")
DANGEROUS = {chr(code) for code in [*BIDI, *INVISIBLE, *CONTROLS, *SEPARATORS, *IGNORABLE]} - SELECTORS | FORMATS

# Any text, but with many of the characters that matter, and pieces of what an attacker would forge.
texts = st.lists(
    st.one_of(
        st.sampled_from(sorted(DANGEROUS)),
        st.sampled_from(sorted(SELECTORS)),
        st.sampled_from(
            ["\n", "\r\n", "\r", "\t", "[SYSTEM] ", "ann: ", "\x1b[2J", "\x9b1A", "\u0301", "\u0489", "a", " "]
        ),
        st.characters(),
        st.text(max_size=5),
    ),
    max_size=30,
).map("".join)


def longest_stack(text: str, kind: str = "") -> int:
    """The most marks on one character of a text. kind: how their names begin."""
    stack = longest = 0
    for character in text:
        if unicodedata.category(character).startswith("M"):
            stack += unicodedata.name(character, "").startswith(kind)
        elif character not in JOINERS:
            stack = 0
        longest = max(longest, stack)
    return longest


def is_dangerous(character: str) -> bool:
    """Whether a terminal may take it for a command, draw nothing for it or not know what to draw."""
    category = unicodedata.category(character)
    unknown = category == "Cn" and character not in EMOJI
    return character in DANGEROUS or category in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp") or unknown


def assert_sanitized(shown: str) -> None:
    """Nothing dangerous, no stack of marks without end, no joiner or selector without something to join or choose."""
    assert not {character for character in set(shown) - JOINERS if is_dangerous(character)}
    assert longest_stack(shown) <= 8
    assert longest_stack(shown, "COMBINING ") <= 4
    for before, character in zip(" " + shown, shown, strict=False):
        if character in SELECTORS or character in JOINERS:
            assert not before.isascii() or before in "#*0123456789"
            is_drawn = unicodedata.category(before)[0] in "LNPS" or before in EMOJI
            assert is_drawn or (character in JOINERS and before != "\ufffd")


def message(text: str, nick: str = "ann", *, action: bool = False) -> events.MessageEvent:
    return events.MessageEvent(room="r1", member="m", nick=nick, text=text, seq=1, at=0.0, action=action)


# --- harmless


@given(texts)
def test_nothing_harmful_is_left(text: str) -> None:
    assert_sanitized(sanitize.sanitize_text(text).replace("\n", ""))


def test_of_all_characters_none_is_shown_that_harms() -> None:
    assert_sanitized(sanitize.sanitize_text("a".join(ALL)).replace("\n", ""))


@pytest.mark.parametrize("code", sorted([*BIDI, *INVISIBLE, *CONTROLS, *SEPARATORS]), ids=hex)
def test_no_dangerous_character_gets_through(code: int) -> None:
    assert chr(code) not in sanitize.sanitize_text(f"a{chr(code)}b").replace("\n", "")


@pytest.mark.parametrize("code", [0xD800, 0xDFFF, 0xE000, 0xF8FF, 0xFFFE, 0xFFFF, 0x10FFFF, 0x378], ids=hex)
def test_what_no_font_can_know_is_marked(code: int) -> None:
    assert sanitize.sanitize_text(chr(code)) == "\ufffd"


@pytest.mark.parametrize(
    "text",
    [
        "hello, world!",
        "two\nlines",
        "Zoë Łukasz Ночь 名無し 익명",
        "שלום",
        "नमस्ते สวัสดี",
        "\U0001f47b \u2764\ufe0f \U0001f1e9\U0001f1ea 1\ufe0f\u20e3",
        "葛\U000e0100飾 \u1820\u180b \u2229\ufe00",
        "\U0001faea",
        "e\u0301\u0302\u0303\u0304",
        "\U0001f469\U0001f3fb\u200d\u2764\ufe0f\u200d\U0001f48b\u200d\U0001f468\U0001f3fd",
        "\U0001f441\ufe0f\u200d\U0001f5e8\ufe0f \u2764\ufe0f\u200d\U0001f525",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645 \u0647\u200d",
        "\u0915\u094d\u200d\u0937 \u0915\u094d\u200c \u09b0\u200d\u09cd\u09af \u1780\u200c\u17ca \u1820\u180e\u1821",
        "\u1000\u103c\u1031\u102c\u1004\u1037\u103a \u05e9\u05b8\u05bc\u05c1\u0596 \u0f67\u0fb1\u0f71\u0f74\u0f7e",
        "\u1112\u1161\u11ab\u1100\u1173\u11af \ud558\u11ab \u314b\u314b \u3160\u3160",
        "a \u0301",
        "\u2801\u28ff \u2014",
        "ﷺ ௵ ဪ 𒀀",
        "[SYSTEM] in the middle of a line",
        "∀x ∈ ℝ: ⌈x⌉ — €5",
    ],
)
def test_honest_text_stays_as_it_is(text: str) -> None:
    assert sanitize.sanitize_text(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\tb", "a b"),
        ("a\r\nb", "a\nb"),
        ("a\rb", "a\ufffdb"),
        ("a\x1b[31mb", "a\ufffd[31mb"),
        ("a\u202eb", "a\ufffdb"),
        ("a\u200db\u200cc \u200d1", "a\ufffdb\ufffdc \ufffd1"),
        ("\U0001f468\u200da\u200d\U0001f469", "\U0001f468\ufffda\ufffd\U0001f469"),
        ("\U0001f468" + "\u200d\U0001f468" * 4, "\U0001f468" + "\u200d\U0001f468" * 3 + "\ufffd\U0001f468"),
        ("\u0915\u200d\u0937 \u200c\u0628", "\u0915\ufffd\u0937 \ufffd\u0628"),
        ("\u0628\u200ca \u0628\u200c \u0628\u200d\u200d", "\u0628\ufffda \u0628\ufffd \u0628\ufffd\ufffd"),
        ("b\u200c\u094d \u0915\u200d\u09cd", "b\ufffd\u094d \u0915\ufffd\u09cd"),
        ("a\u180eb \u1820\u180ea", "a\ufffdb \u1820\ufffda"),
        ("1\ufe0f a\ufe0f \u65e5\ufe0f \u05d0\ufe0e", "1 a \u65e5 \u05d0"),
        ("\u0e01" + "\u0e34" * 9 + "\u0e48" * 9, "\u0e01" + "\u0e34" * 2 + "\u0e48" * 2),
        ("\u0915" + "\u093e\u093f\u0940\u0941\u0942" * 3, "\u0915\u093e\u093f\u0940\u0941\u0942\u093e\u093f\u0940"),
        ("a" + "\u0301" * 50 + "b", "a" + "\u0301" * 4 + "b"),
        ("\u3164\uffa0\u115f\u1160\U0001d159", "\ufffd" * 5),
        ("a\u034fb", "ab"),
        ("\u2800\ufffc\U00016fe4", " \ufffd\ufffd"),
        ("a\ufff9b\ufffac\ufffb", "a\ufffdb\ufffdc\ufffd"),
        ("\u0301a\n\u20ddb\t\u0301", "\ufffda\n\ufffdb \u0301"),
        ("\ufe0f\u200b\u0301a", "\ufffda"),
        ("\u0e33a\n\U0001f3fd\uff9e\uff76\uff9e", "\ufffda\n\ufffd\uff9e\uff76\uff9e"),
        ("\u2800\ufe0f", " "),
        ("\u2e3a\u2e3b", "\u2014" * 5),
        ("a\ufdfdb", "aبسم الله الرحمن الرحيمb"),
        ("\U00012031\U00012219\U0001242b", "\ufffd" * 3),
        ("\u1172\u1172 \u11ab\ud7b0", "\u3160\u3160 \ufffd\ufffd"),
        ("\u1100" + "\u1161" * 6, "\u1100" + "\u1161" * 4 + "\u314f" * 2),
        ("\u1100" + "\u11ab" * 6, "\u1100" + "\u11ab" * 4 + "\ufffd" * 2),
        ("a\x1b[2Jb\x9b2Jc\x1b]0;t\x07d\x1bPq\x1b\\e", "a\ufffd[2Jb\ufffd2Jc\ufffd]0;t\ufffdd\ufffdPq\ufffd\\e"),
        ("\u06dd\u0660", "\ufffd\u0660"),
        ("a" + "".join(map(chr, range(0xE0100, 0xE01F0))) + "b", "ab"),
        ("\ufe0fa \ufe0f\n\ufe0fb\u0301\ufe0f", "a \nb\u0301"),
    ],
)
def test_how_the_rest_is_shown(text: str, shown: str) -> None:
    assert sanitize.sanitize_text(text) == shown


def test_a_stack_of_marks_has_an_end() -> None:
    assert longest_stack(sanitize.sanitize_text("a" + "\u0301\u0489\u20dd" * 20)) == 4
    assert longest_stack(sanitize.sanitize_text("\u0e01" + "".join(map(chr, range(0xE34, 0xE3B))) * 9)) == 8
    assert longest_stack(sanitize.sanitize_text("\u0e01" + "\u0e34" * 9)) == 2


@pytest.mark.parametrize("attached", ["\u1161", "\u11ab", "\uff9e", "\u0e33", "\U0001f3fd"], ids=ascii)
def test_what_is_drawn_into_the_character_before_it_has_an_end(attached: str) -> None:
    assert sanitize.sanitize_text("\uac00" + attached * 20).count(attached) <= 4


@pytest.mark.parametrize("dropped", list("\u200b\u200c\u200d\u2060\ufeff\u00ad"), ids=ascii)
def test_a_stack_of_marks_has_an_end_whatever_lies_between_them(dropped: str) -> None:
    assert longest_stack(sanitize.sanitize_text("a" + ("\u0301" * 4 + dropped) * 20)) <= 4


@given(texts)
def test_what_is_harmless_stays_as_it_is(text: str) -> None:
    shown = sanitize.sanitize_text(text)
    assert sanitize.sanitize_text(shown) == shown


@given(st.text(st.sampled_from("\u1100\u1161\u11ab\uac00\ud7cb\ua960\u0301a\n\u200b\ufe0f\u3160"), max_size=30))
def test_what_takes_no_cell_is_drawn_on_something_that_does_and_never_many_at_once(text: str) -> None:
    shown = sanitize.sanitize_text(text)
    assert sanitize.sanitize_text(shown) == shown
    on, stack = False, 0
    for character in shown:
        if unicodedata.category(character)[0] == "M" or character in "\u1161\u11ab\ud7cb":
            stack += 1
            assert on
        else:
            stack, on = 0, character != "\n"
        assert stack <= 4


@given(texts)
def test_what_has_to_stay_in_its_line_does(text: str) -> None:
    shown = sanitize.sanitize_line(text)
    assert_sanitized(shown)
    assert len(shown.splitlines()) <= 1
    assert shown.count("⏎ ") == sanitize.sanitize_text(text).count("\n") + text.count("⏎ ")


def test_a_line_break_is_seen() -> None:
    assert sanitize.sanitize_line("no spam,\r\nplease") == "no spam,⏎ please"


# --- lines


@given(texts, st.booleans())
def test_every_further_line_of_a_message_is_indented(text: str, action: bool) -> None:
    shown = wording.format_line(message(text, action=action))
    first, *further = shown.split("\n")
    assert first.startswith("ann: ")
    assert all(line.startswith("    ") for line in further)
    assert shown.splitlines() == [first, *further], "nothing else breaks lines"


# What a nick or the name of a room may be, near enough, and often like the name of somebody else.
words = st.one_of(
    st.sampled_from(["ann", "ann2", "SYSTEM", "anna", "an", "a-b", "שלום"]),
    st.text(st.characters(categories=["Lu", "Ll", "Lo", "Mn", "Nd"]), min_size=1, max_size=20),
).filter(nicks.is_nick)


@given(texts, words, words, st.sampled_from(["", "demo", "r1"]), st.booleans())
def test_a_message_has_one_line_that_begins_with_a_name_and_it_is_its_authors(
    text: str, nick: str, other: str, room: str, action: bool
) -> None:
    """INTERFACE, line mode: no line of a peer's text begins with `[SYSTEM]` or with another's nick."""
    first, *further = wording.format_line(message(text, nick, action=action), room).splitlines() or [""]
    shown = sanitize.sanitize_line(nick)  # but for letters of Hangul that stand alone, what it is
    assert first.startswith(f"{room}/{shown}: " if room else f"{shown}: ")
    assert len(further) == sanitize.sanitize_text(text).count("\n")
    assert other == nick or not first.startswith((f"{other}: ", f"{room}/{other}: "))
    assert not first.startswith("[SYSTEM]")
    assert all(line.startswith("    ") for line in further)


@given(texts, texts, texts)
def test_a_name_that_should_never_have_been_let_in_makes_no_line_of_its_own(nick: str, name: str, text: str) -> None:
    person = Person(member="m", nick=nick, role="member", tag="abcd")
    who = events.ReplyEvent(room="r1", command="/who", data=[person, person])
    for event, lines in (
        (message(text, nick), 1),
        (events.JoinedEvent(room="r1", member="m", nick=nick), 1),
        (events.RenamedEvent(room="r1", member="m", nick=nick, was=name), 1),
        (events.LeftEvent(room="r1", member="m", nick=nick, reason="left"), 1),
        (events.AlarmEvent(room="r1", member="m", reason=in_words(text)), 1),
        (who, 2),
    ):
        for room in ("", name):
            shown = wording.format_line(event, room).split("\n")
            assert sum(not line.startswith("    ") for line in shown[1:]) + 1 == lines
            assert_sanitized("".join(shown))


@pytest.mark.parametrize("more", [1, 2, 3_961])
@pytest.mark.parametrize("room", ["", "den"])
def test_of_a_message_of_very_many_lines_the_first_are_shown_and_how_many_more_there_are(more: int, room: str) -> None:
    text = "\n".join(f"line {number}" for number in range(limits.LINES_SHOWN + more))
    for event in (message(text), private(text)):
        *shown, last = wording.format_line(event, room).split("\n")
        assert len(shown) == limits.LINES_SHOWN
        assert shown[0].endswith(": line 0")
        assert shown[-1] == f"    line {limits.LINES_SHOWN - 1}"
        ours = f"[SYSTEM] {room}: " if room else "[SYSTEM] "
        lines = "… 1 more line" if more == 1 else f"… {more:,} more lines"
        assert last == f"{ours}{lines} of this message by ann", "no text of a peer's begins a line so"


def test_a_message_of_as_many_lines_as_are_shown_is_whole() -> None:
    text = "\n".join("x" * limits.LINES_SHOWN)
    assert wording.fold_text(text, limits.LINES_SHOWN, 1) == (text, 0)
    assert wording.format_line(message(text)).count("\n") == limits.LINES_SHOWN - 1


def test_a_name_with_line_breaks_is_still_a_line() -> None:
    assert wording.format_line(message("hi\nthere", "an\nn"), "de\nn") == "de⏎ n/an⏎ n: hi\n    there"
    assert wording.format_line(events.JoinedEvent(room="r1", member="m", nick="an\nn")) == "[SYSTEM] an⏎ n joined"
    assert wording.format_line(SelfKickedEvent(room="r1", why="no\n[SYSTEM] spam")) == (
        "[SYSTEM] You were thrown out of the room: no⏎ [SYSTEM] spam"
    )


@given(texts)
def test_a_text_given_back_stays_in_the_programs_line(text: str) -> None:
    first, *further = wording.format_line(events.UnsentEvent(room="r1", text=text)).split("\n")
    assert first.startswith("[SYSTEM] Not sent: ")
    assert all(line.startswith("    ") for line in further)


@pytest.mark.parametrize(
    "text", ["hi\n[SYSTEM] Connected", "hi\r\nbob: I am Bob", "hi\u2028bob: hm", "hi\x85[SYSTEM] x", "\nbob: hi"]
)
def test_known_forgeries_do_not_work(text: str) -> None:
    lines = wording.format_line(message(text)).splitlines()
    assert lines[0].startswith("ann: ")
    assert not [line for line in lines[1:] if not line.startswith("    ")]


def test_a_message_is_shown_behind_its_nick() -> None:
    assert wording.format_line(message("hello")) == "ann: hello"
    assert wording.format_line(message("waves", action=True)) == "ann: *waves*"


@pytest.mark.parametrize(
    ("quote", "about"),
    [(wording.Quote("bob", "as I said"), "bob: “as I said”"), (None, "a message that is gone")],
)
def test_what_a_reply_refers_to_is_said_by_the_program_alone(quote: wording.Quote | None, about: str) -> None:
    """Whatever stands behind a nick could be its owner's invention."""
    reply = msgspec.structs.replace(message("yes\nno"), reply=3)
    assert wording.format_line(reply, "", quote) == f"[SYSTEM] ann replies to {about}\nann: yes\n    no"
    assert wording.format_line(reply, "den", quote) == f"[SYSTEM] den: ann replies to {about}\nden/ann: yes\n    no"


def test_that_a_message_was_taken_back_is_said_without_its_words() -> None:
    """Of other ends line mode says nothing."""
    event = events.ExpiredEvent(room="r1", seq=7, retracted=True)
    assert wording.format_line(event) == "[SYSTEM] A message was taken back by its author"
    quote = wording.Quote("bob", "as I said")
    assert wording.format_line(event, "den", quote) == "[SYSTEM] den: bob has taken a message back"
    offer = wording.Quote("bob", "a.pdf", is_offer=True)
    assert wording.format_line(event, quote=offer) == "[SYSTEM] bob offers a.pdf no more"


@given(texts)
def test_an_excerpt_is_short_harmless_and_on_one_line(text: str) -> None:
    shown = wording.excerpt(text)
    assert_sanitized(shown)
    assert "\n" not in shown
    assert width(shown) <= limits.EXCERPT


def test_an_excerpt_says_where_there_is_more() -> None:
    assert wording.excerpt("two\n lines ") == "two lines"
    assert wording.excerpt("x" * limits.EXCERPT) == "x" * limits.EXCERPT
    assert wording.excerpt("x" * (limits.EXCERPT + 1)) == "x" * (limits.EXCERPT - 1) + "…"
    assert wording.excerpt("x y " * 1_000).endswith("…")


def private(text: str, to: str | UnsetType = msgspec.UNSET, nick: str = "ann") -> events.MessageEvent:
    return events.MessageEvent(room="r1", member="m", nick=nick, text=text, seq=1, at=0.0, private=True, to=to)


def test_a_private_message_says_so_and_ones_own_for_whom_it_is() -> None:
    assert wording.format_line(private("psst")) == "ann (private): psst"
    assert wording.format_line(private("psst"), "den") == "den/ann (private): psst"
    assert wording.format_line(private("psst", "bob")) == "ann (to bob): psst"
    assert wording.format_line(private("psst", "bob"), "den") == "den/ann (to bob): psst"


@given(texts, words, st.one_of(st.just(msgspec.UNSET), words), st.sampled_from(["", "den"]))
def test_a_private_message_is_one_line_of_its_authors_like_any(
    text: str, nick: str, to: str | UnsetType, room: str
) -> None:
    first, *further = wording.format_line(private(text, to, nick), room).splitlines() or [""]
    who = sanitize.sanitize_line(f"{nick} (private): " if to is msgspec.UNSET else f"{nick} (to {to}): ")
    assert first.startswith(f"{room}/{who}" if room else who)
    assert all(line.startswith("    ") for line in further)
    assert len(further) == sanitize.sanitize_text(text).count("\n")
    assert_sanitized("".join([first, *further]))


@given(texts)
def test_no_public_text_passes_for_a_private_one(text: str) -> None:
    """The mark stands before the colon, where only nicks are, which have neither spaces nor brackets."""
    first = wording.format_line(message(f"(private): {text}")).split("\n")[0]
    assert first.startswith("ann: (private): ")
    assert not nicks.is_nick("ann (private)")


def test_that_a_message_has_expired_is_not_worth_a_line() -> None:
    assert wording.format_line(events.ExpiredEvent(room="r1", seq=7)) == ""
    assert wording.format_line(events.ExpiredEvent(room="r1", seq=7), "den") == ""


@pytest.mark.parametrize(
    ("ttls", "shown"),
    [
        ((None, 0, None, None), "off, which is until the room ends (usual off; choose any time, never or off)"),
        ((30, 0, 300, 7_200), "30s (usual 5m; choose from never to 2h)"),
        ((0, 0, 86_400, None), "never, so they are shown once (usual 1d; choose any time, never or off)"),
        ((90, 61, 3_601, 90_000), "90s (usual 3601s; choose from 61s to 25h)"),
    ],
)
def test_how_long_messages_are_kept_is_shown_as_it_is_typed(ttls: tuple[int | None, ...], shown: str) -> None:
    data = dict(zip(("ttl", "minimum", "default", "maximum"), ttls, strict=True))
    reply = events.ReplyEvent(room="r1", command="/retain", data=data)
    assert wording.format_line(reply) == f"[SYSTEM] Your messages here are kept for: {shown}"


def test_the_words_for_two_are_shown_with_whom_they_are_for() -> None:
    data = {"nick": "bob", "member": "m", "words": ["aardvark", "adroitness"]}
    reply = events.ReplyEvent(room="r1", command="/verify", data=data)
    assert wording.format_line(reply) == (
        "[SYSTEM] You and bob: 1 aardvark 2 adroitness. Compare them with bob over another channel, where you know "
        "voice or face; then type /verify bob yes, or /verify bob no"
    )


def mark(words: str, minutes: int, at: int) -> dict[str, object]:
    return {"words": words.split(), "minutes": minutes, "at": at}


def test_the_words_of_a_room_are_shown_for_each_mark_the_older_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "localtime", time.gmtime)
    data = mark("newer words", 20, 1_200) | {"previous": mark("older ones", 10, 600), "unproven": None}
    lines = wording.format_line(events.ReplyEvent(room="r1", command="/verify", data=data)).split("\n")
    assert lines == [
        "[SYSTEM] Room at 10 min (00:10): 1 older 2 ones",
        "[SYSTEM] Room at 20 min (00:20): 1 newer 2 words",
        f"[SYSTEM] {WHAT_ROOM_WORDS_PROVE}",
    ]
    data = mark("newer words", 20, 1_200) | {"previous": None, "unproven": None}
    assert wording.format_line(events.ReplyEvent(room="r1", command="/verify", data=data)).split("\n") == lines[1:]


def test_words_of_the_rooms_beginning_are_shown_as_the_little_that_they_are() -> None:
    data = mark("first words", 0, 0) | {"previous": None, "unproven": None}
    lines = wording.format_line(events.ReplyEvent(room="r1", command="/verify", data=data)).split("\n")
    assert lines[0].endswith(": 1 first 2 words")
    assert lines[1] == (
        "[SYSTEM] They say only that you all have the same code: ask again after ten minutes for what was said"
    )


def test_a_room_without_words_yet_says_so() -> None:
    data: dict[str, object] = {"words": [], "at": None, "minutes": None, "previous": None, "unproven": None}
    line = wording.format_line(events.ReplyEvent(room="r1", command="/verify", data=data))
    assert line == "[SYSTEM] No words yet that you could vouch for: ask again in ten minutes"


def test_the_line_that_scripts_rely_on() -> None:
    entered = events.EnteredEvent(
        room="r1", name="demo", code="abc.onion", nick="ann", member="m", role="host", members=[PERSON]
    )
    assert wording.format_line(entered) == "[SYSTEM] Room created: demo  code abc.onion"


def test_the_lines_that_open_the_program() -> None:
    assert (
        wording.format_line(events.ReadyEvent(version="0.4.9", tor="own")) == "[SYSTEM] Connected\n[SYSTEM] Type /help"
    )


def test_help_shows_every_row() -> None:
    rows = [{"command": row.name, "usage": row.usage, "does": row.does, **describe_page(row.name)} for row in COMMANDS]
    lines = wording.format_line(events.ReplyEvent(command="/help", data=rows)).split("\n")
    assert len(lines) == len(COMMANDS)
    for line, row in zip(lines, COMMANDS, strict=True):
        assert line.startswith(f"[SYSTEM] {row.usage} ")
        assert line.endswith(row.does)


def test_help_on_one_command_shows_what_its_parts_mean_an_example_and_habits() -> None:
    row: dict[str, object] = {"command": "/x", "usage": "/x [A]", "does": "it", "example": "/x y", "also": ["/z"]}
    row["parts"] = [{"part": "A", "means": "a thing"}]
    lines = wording.describe_event(events.ReplyEvent(command="/help", data=[row]))
    assert lines == ["/x [A]  it", "  A            a thing", "  for example  /x y", "  also         /z"]
    assert len(wording.describe_event(events.ReplyEvent(command="/help", data=[row, row]))) == 2


SLOW = "Tor has been at 10 % (Loading) for 30 seconds. Is this machine online?"
AWAY = "You were away for too long, or read too slowly to keep up: 3 entries of the room are missing here."
UNPROVEN = " Nothing proves that the rest is of the same room: compare words (/verify)."
UNREACHED = (
    "Nobody can join yet: the room is published, but leads nowhere (it does not answer: it has ended, or its Tor is "
    "away). If it stays so, Tor may not be able to connect to this program: --tor own starts one that can."
)
STREAMS = "This Tor, or a filter before it, does not limit the connections of one circuit: floods can keep others out."
POW = "This Tor cannot defend the room against floods by proof of work; Tor 0.4.8 or newer can."
FREE = "/nick ann takes it once it is free, in about 10 minutes."
ADMITTING = "/admit NICK lets in, /refuse NICK turns away"
COVER = "Cover is on: about 29 kB a minute on each link of yours, and what is said waits for up to 3 seconds."


@pytest.mark.parametrize(
    ("event", "sentence"),
    [
        (events.TorSlowEvent(progress=10, summary=in_words("Loading"), seconds=30), SLOW),
        (
            events.TorSlowEvent(
                progress=5, summary=in_words("Loading"), seconds=5, warning=Reason("tor-complains", "No route to host")
            ),
            "Tor has been at 5 % (Loading) for 5 seconds. Tor says: No route to host.",
        ),
        (
            events.TorSlowEvent(progress=5, summary=in_words("x"), seconds=30, warning=Reason("bridges-silent")),
            "Tor has been at 5 % (x) for 30 seconds. None of its bridges has answered yet.",
        ),
        (events.TorSkippedEvent(code="tor-refused", text=Failed("It is odd.")), "It is odd."),
        (
            events.TorSkippedEvent(code="tor-refused", text=Failed("It is odd."), variable="TOR_CONTROL_PORT"),
            "The Tor that TOR_CONTROL_PORT names is not used. It is odd.",
        ),
        (
            events.StateInUseEvent(),
            "Another copy of anonp2p is running: the Tor of this one starts anew, with other guards.",
        ),
        (
            UnreachedEvent(room="r1", reason=Reason("no-introduction")),
            UNREACHED,
        ),
        (UndefendedEvent(room="r1", defences=["streams"]), STREAMS),
        (UndefendedEvent(room="r1", defences=["streams", "proof-of-work"]), f"{STREAMS} {POW}"),
        (
            events.RetentionRuleEvent(room="r1", minimum=0, default=300, maximum=None),
            "Messages here are kept for 5m; authors may choose from never to off.",
        ),
        (
            events.RetentionRuleEvent(room="r1", minimum=0, default=0, maximum=60),
            "Messages here are not kept; authors may choose from never to 1m.",
        ),
        (events.RetentionRuleEvent(room="r1", minimum=0, default=0, maximum=0), "Messages here are not kept."),
        (
            events.RetentionRuleEvent(room="r1", minimum=60, default=None, maximum=None),
            "Messages here are kept until the room ends; authors may choose from 1m to off.",
        ),
        (events.HistoryRuleEvent(room="r1", messages=3, seconds=None), "Newcomers are shown the last 3 messages."),
        (
            events.HistoryRuleEvent(room="r1", messages=None, seconds=1_800),
            "Newcomers are shown the messages of the last 30m.",
        ),
        (events.CoverOnEvent(room="r1", rate=480.0, wait=3.0), COVER),
        (events.EntriesMissedEvent(room="r1", count=3, verified=True), AWAY),
        (events.EntriesMissedEvent(room="r1", count=3, verified=False), AWAY + UNPROVEN),
        (events.ExpiredUnseenEvent(room="r1", count=1), "A message ended before reaching you."),
        (events.ExpiredUnseenEvent(room="r1", count=2), "2 messages ended before reaching you."),
        (LockChangedEvent(room="r1", locked=True, member="m"), "The room is locked: nobody new is let in."),
        (LockChangedEvent(room="r1", locked=False, member="m"), "The room is open to newcomers again."),
        (KnockChangedEvent(room="r1", on=True, member="m"), "Newcomers wait until a moderator lets them in."),
        (KnockChangedEvent(room="r1", on=False, member="m"), "Newcomers need not wait any more."),
        (SlowChangedEvent(room="r1", seconds=10, member="m"), "Each member may say something every 10s."),
        (SlowChangedEvent(room="r1", seconds=0, member="m"), "The room is not slow any more."),
        (
            RaidChangedEvent(room="r1", on=True, member="m"),
            "The room is closed against a raid: nobody new is let in, and talk is slow.",
        ),
        (RaidChangedEvent(room="r1", on=False, member="m"), "The raid is over: the room is as it was before."),
        (
            RoleEvent(room="r1", member="m", nick="ben", role="moderator", by="n"),
            "ben is a moderator now",
        ),
        (
            RoleEvent(room="r1", member="m", nick="ben", role="muted", by="n"),
            "ben is muted: nothing that this member says is shown",
        ),
        (
            RoleEvent(room="r1", member="m", nick="ben", role="member", by="n"),
            "ben is a member like others now",
        ),
        (BanEvent(room="r1", member="m", nick="ben", banned=True, by="n"), "ben is banned"),
        (BanEvent(room="r1", member="m", nick="ben", banned=False, by="n"), "ben is not banned any more"),
        (
            KeptEvent(room="r1", member="m", nick="ben", by="n"),
            "ben is kept: no purge throws that member out",
        ),
        (
            WaitingEvent(room="r1", count=1, people=[Knocker("ann", "abcd", 3)]),
            f"1 person waits to be let in: ann (abcd); {ADMITTING}",
        ),
        (
            WaitingEvent(room="r1", count=70, people=[Knocker(f"p{n}", "t", 3) for n in range(16)]),
            f"70 people wait to be let in: {', '.join(f'p{n} (t)' for n in range(6))} and 64 more; {ADMITTING}",
        ),
        (WaitingEvent(room="r1", count=0, people=[]), "Nobody waits to be let in any more"),
        (LockUnchangedEvent(room="r1", locked=True), "The room is locked already."),
        (LockUnchangedEvent(room="r1", locked=False), "The room is not locked."),
        (events.NickUnchangedEvent(room="r1", nick="ann"), "You are ann already."),
        (
            events.NickAssignedEvent(room="r1", nick="ann-2", wanted="ann", free_in=None),
            "The nick ann belongs to another member now, so you are ann-2.",
        ),
        (
            events.NickAssignedEvent(room="r1", nick="ann-2", wanted="ann", free_in=600),
            f"The nick ann belongs to a member who is away, so you are ann-2: {FREE}",
        ),
        (SelfKickedEvent(room="r1", why="spam"), "You were thrown out of the room: spam"),
        (SelfKickedEvent(room="r1", why=""), "You were thrown out of the room."),
        (AbsentRemovedEvent(room="r1", member="m", nick="ann"), "ann was away, and is out now."),
        (events.LeftEvent(room="r1", member="m", nick="ann", reason="kicked", why="spam"), "ann was thrown out: spam"),
        (events.LeftEvent(room="r1", member="m", nick="ann", reason="kicked", why=""), "ann was thrown out"),
    ],
)
def test_what_happened_is_one_sentence(event: Event, sentence: str) -> None:
    assert wording.format_line(event) == f"[SYSTEM] {sentence}"


# --- when the host changes


def succession(event: Event) -> str:
    [line] = wording.describe_event(event)
    return line


def test_who_hosts_and_why_is_told() -> None:
    told = [
        succession(HostEvent(room="r1", member="m", nick="ann", cause=cause)) for cause in ("left", "lost", "merged")
    ]
    assert all(line.startswith("ann hosts the room now") for line in told)
    assert len(set(told)) == 3


def test_who_begins_to_host_or_may_have_to_is_told_why_that_exposes_more() -> None:
    for event in (
        HostingEvent(room="r1"),
        HeirEvent(room="r1", rank=1, was=None, holds_key=True),
        HeirEvent(room="r1", rank=3, was=None, holds_key=False),
    ):
        assert "exposed more than a member" in succession(event)
        assert "--no-heir" in succession(event)
    assert "--no-heir" not in succession(HeirEvent(room="r1", rank=None, was=1, holds_key=False))


def test_why_that_exposes_more_is_said_once() -> None:
    moved_up = HeirEvent(room="r1", rank=1, was=2, holds_key=True)
    assert succession(moved_up).startswith("You are to take this room over")
    assert "--no-heir" not in succession(moved_up)


def test_who_is_handed_over_to_another_host_has_lost_nothing() -> None:
    link = events.LinkEvent(room="r1", state="lost", attempt=1, detail=Reason("passed-on"))
    assert succession(link) == "The host hands the room over"


def test_heirs_are_named_in_order_with_who_has_the_key() -> None:
    heirs = [Successor("a", "ann", True), Successor("b", "bob", False)]
    assert succession(HeirsEvent(room="r1", heirs=heirs)).endswith("ann (has the room's key), bob")
    assert "Nobody" in succession(HeirsEvent(room="r1", heirs=[]))


def test_who_is_to_say_it_twice_is_told_within_what_time() -> None:
    asked, told = (
        succession(LeaveEndsRoomEvent(room="r1", name="demo", others=3, away=0, closes=False, asks=asks))
        for asks in (True, False)
    )
    assert f"within {limits.LEAVE_CONFIRM:.0f} seconds" in asked
    assert told == "Nobody else here can host demo: leaving ends it for 3 others."
    closing = LeaveEndsRoomEvent(room="r1", name="demo", others=1, away=0, closes=True, asks=True)
    assert succession(closing).startswith("Closing demo ends it for 1 other. Type it again")


@pytest.mark.parametrize(
    ("others", "away", "words"),
    [(2, 0, "2 others"), (3, 1, "3 others (1 of them away)"), (1, 1, "1 other (away)"), (2, 2, "2 others (away)")],
)
def test_who_ends_a_room_is_told_for_how_many_and_how_many_of_them_are_away(others: int, away: int, words: str) -> None:
    event = LeaveEndsRoomEvent(room="r1", name="demo", others=others, away=away, closes=False, asks=False)
    assert succession(event).endswith(f"leaving ends it for {words}.")
    snapshot = Snapshot("demo", "", "zoe", "m", True, "zoe", True, others + 1 - away, 0, False, None, False, away=away)
    moderated = dataclasses.replace(snapshot, hosting=False, moderates=True)
    assert foresee_close("demo", moderated) == f"That ends demo for {words}."
    assert foresee_close("demo", snapshot) == "", "that is not for a host to do where others moderate"
    ending = dataclasses.replace(snapshot, ends_with_us=True)
    assert foresee_quit([("demo", ending)]) == f"That ends demo for {words}: nobody else there can host."


def test_who_leaves_is_told_who_takes_the_room_over() -> None:
    handed = LeaveHandsOverEvent(room="r1", name="demo", member="m", nick="ben")
    assert succession(handed) == "ben takes demo over."


def test_a_new_code_ends_its_line_so_that_it_can_be_copied() -> None:
    assert succession(CodeEvent(room="r1", code="abc.onion")).endswith(" abc.onion")


def test_of_a_message_that_comes_late_a_line_of_ours_says_so_and_its_own_begins_as_any() -> None:
    late = events.MessageEvent(room="r1", member="m", nick="ann", text="hello", seq=9, at=0.0, late=True)
    assert wording.format_line(late).split("\n") == [f"[SYSTEM] ann {wording.SAID_EARLIER}", "ann: hello"]
    answer = msgspec.structs.replace(late, reply=7)
    lines = wording.format_line(answer, quote=wording.Quote("bob", "hi")).split("\n")
    assert lines == [f"[SYSTEM] ann {wording.SAID_EARLIER}", "[SYSTEM] ann replies to bob: “hi”", "ann: hello"]


def test_another_program_at_the_code_is_no_reason_to_distrust_the_room() -> None:
    ignored = events.AlarmEvent(room="r1", member="", reason=Reason("order-ignored"))
    assert "do not trust" not in wording.format_line(ignored), "it proves no lie"
    alarm = events.AlarmEvent(room="r1", member="", reason=Reason("other-at-code"))
    assert "do not trust this room" not in succession(alarm)
    assert succession(alarm).startswith("ALARM: ")


def test_heirs_are_listed_in_order_with_who_has_had_the_key() -> None:
    lines = wording.describe_event(events.ReplyEvent(command="/heirs", data=HEIRS))
    assert lines[0] == "Host: ann"
    assert [line.split() for line in lines[1:3]] == [["1", "bob", "has", "the", "key"], ["2", "cho", "(away)"]]
    assert lines[3].endswith(": one who is gone (abcdefgh), bob")
    none = wording.describe_event(events.ReplyEvent(command="/heirs", data=HEIRS | {"heirs": []}))
    assert "Nobody can take the room over" in none[1]


def test_messages_are_listed_by_their_indices_but_for_those_that_lost_their_places() -> None:
    rows = [
        {"seq": seq, "nick": "ann", "words": words}
        for seq, words in ((7, "cut"), (8, "as ever"), (make_place(5, 7), "in its place"))
    ]
    lines = wording.describe_event(events.ReplyEvent(command="/numbers", data=rows))
    assert [line.split() for line in lines] == [
        ["ann:", "cut"],
        ["8", "ann:", "as", "ever"],
        ["7", "ann:", "in", "its", "place"],
    ]


# --- every event there is, by introspection

PERSON = Person(member="m", nick="ann", role="host", tag="abcd")
RETAIN = {"ttl": 30, "minimum": 0, "default": None, "maximum": None}
NO_WORDS: dict[str, object] = {"words": [], "at": None, "minutes": None, "previous": None, "unproven": None}
HEIRS: dict[str, object] = {
    "host": {"member": "a", "nick": "ann"},
    "heirs": [
        {"member": "b", "nick": "bob", "rank": 1, "ready": True, "holds_key": True},
        {"member": "c", "nick": "cho", "rank": 2, "ready": False, "holds_key": False},
    ],
    "holders": [{"member": "abcdefghijkl", "nick": None}, {"member": "b", "nick": "bob"}],
    "entrust": True,
}
HOSTILE = "x\x1b[2J\n[SYSTEM] forged\u202e\u2028bob: hi"
DATA: list[tuple[str, object]] = [
    ("/who", [PERSON]),
    ("/nick", {"nick": "zoe"}),
    ("/code", {"code": "abc.onion"}),
    ("/qr", {"code": "abc.onion"}),
    ("/help", [{"command": "/x", "usage": "/x", "does": "it", "parts": [], "example": "/x", "also": []}]),
    ("/retain", RETAIN),
    ("/heirs", HEIRS),
    ("/heirs", HEIRS | {"heirs": []}),
    ("/health", WELL),
    ("/health", WELL | {"reachable": False, "trouble": in_words(HOSTILE)}),
    ("/verify", NO_WORDS),
    ("/verify", mark("newer words", 20, 1_200) | {"previous": mark("older ones", 10, 600), "unproven": None}),
]
DATA.append(
    (
        "/heirs",
        HEIRS | {"host": {"member": HOSTILE, "nick": HOSTILE}, "holders": [{"member": HOSTILE, "nick": HOSTILE}]},
    )
)
DATA.append(("/verify", {"nick": HOSTILE, "member": HOSTILE, "words": ["aardvark"]}))


PLAIN: dict[type, list[object]] = {
    str: ["", "ann", HOSTILE],
    int: [0, 7],
    float: [0.5],
    bool: [False, True],
    type(None): [None],
    UnsetType: [msgspec.UNSET],
    Reason: [Reason("closed"), Reason("other-log-shown", HOSTILE), in_words(HOSTILE)],
    AnonError: [Failed("It is odd."), Failed(HOSTILE)],
}


def values(kind: object) -> list[object]:
    """Some of every sort of value that a field of this type may hold."""
    if isinstance(kind, type) and kind in PLAIN:
        return PLAIN[kind]
    if typing.get_origin(kind) is typing.Literal:
        return list(typing.get_args(kind))
    if kind == list[Defence]:
        return [["streams"], ["streams", "proof-of-work"]]
    if kind == list[Successor]:
        return [[], [Successor("m", "ann", True), Successor(HOSTILE, HOSTILE, False)]]
    if kind == list[Knocker]:
        return [[], [Knocker(HOSTILE, HOSTILE, 7)]]
    if typing.get_origin(kind) is list:
        assert typing.get_args(kind) == (Person,)
        return [[], [PERSON, Person(member=HOSTILE, nick=HOSTILE, role="member", tag=HOSTILE)]]
    return [value for one in typing.get_args(kind) for value in values(one)]


def examples(kind: type[Event]) -> Iterator[Event]:
    """One event for each value of each field, the other fields having their first value."""
    if kind is events.ReplyEvent:
        for command, data in DATA:
            yield events.ReplyEvent(command=command, data=data)
        return
    make: Callable[..., Event] = kind
    hints = typing.get_type_hints(kind)
    choices = {field: values(hints[field]) for field in kind.__struct_fields__}
    first = {field: options[0] for field, options in choices.items()}
    for field, options in choices.items():
        for value in options:
            yield make(**{**first, field: value})


KINDS = Event.__subclasses__()
each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)


def test_every_kind_of_event_is_found() -> None:
    assert len(KINDS) >= 15
    assert len(
        {msgspec.json.decode(msgspec.json.encode(spell_event(next(examples(kind)))))["type"] for kind in KINDS}
    ) == len(KINDS)


@each_kind
def test_every_event_can_be_shown(kind: type[Event]) -> None:
    for event in examples(kind):
        first, *further = wording.format_line(event).split("\n")
        if isinstance(event, events.MessageEvent):
            notes = event.late + (event.reply is not None or event.reply_gone is True)
            lines = [first, *further]
            assert all(line.startswith("[SYSTEM] ") for line in lines[:notes])
            further = lines[notes + 1 :]  # the line between begins with the nick
        assert not first or first.startswith("[SYSTEM] ") or isinstance(event, events.MessageEvent)
        assert all(line.startswith(("[SYSTEM] ", "    ")) for line in further)


@each_kind
def test_what_is_said_of_an_event_is_its_line_for_others_to_draw(kind: type[Event]) -> None:
    for event in examples(kind):
        lines = wording.describe_event(event)
        assert all(line == sanitize.sanitize_text(line) for line in lines)
        assert isinstance(event, events.UnsentEvent) or not any("\n" in line for line in lines)
        if not (isinstance(event, events.MessageEvent) or getattr(event, "late", False)):
            assert wording.format_line(event) == "\n".join("[SYSTEM] " + line.replace("\n", "\n    ") for line in lines)


def test_who_may_be_taken_for_another_is_told_with_what_helps() -> None:
    event = events.LookalikeEvent(room="r1", member="m", nick="аda", was="ada")
    assert wording.format_line(event) == (
        "[SYSTEM] CAUTION: this аda may be somebody else than the ada who was here before; "
        "/verify аda gives words to compare"
    )


def test_who_may_be_confused_with_a_member_or_passes_for_the_program_is_told_so() -> None:
    event = events.LookalikeEvent(room="r1", member="m", nick="ad4_", was="ad4", of="present")
    assert wording.format_line(event) == (
        "[SYSTEM] CAUTION: do not confuse ad4_ with ad4: they are two members of this room; "
        "/verify ad4_ gives words to compare"
    )
    event = events.LookalikeEvent(room="r1", member="m", nick="5YSTEM", was="system", of="reserved")
    assert wording.format_line(event) == (
        "[SYSTEM] CAUTION: 5YSTEM is only a nick that a member chose: it is not this program, and proves no role"
    )


@pytest.mark.parametrize("room", ["", "den"])
def test_the_rows_of_a_qr_symbol_line_up(room: str) -> None:
    code = "iquzgbsqasvb4tci6toqcwazjqbdjg6mmzgns3sab2rgtemkrviu4aqd.onion"
    lines = wording.format_line(events.ReplyEvent(room="r1", command="/qr", data={"code": code}), room).split("\n")
    prefix = "[SYSTEM] den: " if room else "[SYSTEM] "
    assert [line.removeprefix(prefix) for line in lines] == qr.rows(qr.matrix(code), inverted=True)
    assert {len(line) for line in lines} == {len(prefix) + 41}


@each_kind
def test_every_event_is_shown_without_what_harms(kind: type[Event]) -> None:
    for event in examples(kind):
        for room in ("", HOSTILE):
            assert_sanitized(wording.format_line(event, room).replace("\n", ""))


@each_kind
def test_every_event_is_one_line_of_json(kind: type[Event]) -> None:
    for event in examples(kind):
        shown = sanitize.escape_json(msgspec.json.encode(spell_event(event)).decode())
        assert_sanitized(shown)
        assert isinstance(json.loads(shown)["type"], str)


@each_kind
def test_no_event_shows_itself_in_a_traceback(kind: type[Event]) -> None:
    for event in examples(kind):
        assert repr(event) == f"<{kind.__name__}>"
    assert repr(PERSON) == "<Person>"


# --- escaped JSON

data = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | texts.filter(lambda text: not any("\ud800" <= c < "\ue000" for c in text)),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from([*sorted(DANGEROUS), "\\", '"']), inner, max_size=4)
    ),
    max_leaves=8,
)


@given(data)
def test_escaped_json_is_the_same_data_without_dangerous_characters(given_data: object) -> None:
    written = msgspec.json.encode(given_data).decode()
    shown = sanitize.escape_json(written)
    assert json.loads(shown) == json.loads(written) == given_data
    assert_sanitized(shown)


def test_of_all_characters_json_shows_none_that_harms() -> None:
    text = "a".join(character for character in ALL if unicodedata.category(character) != "Cs")
    shown = sanitize.escape_json(msgspec.json.encode(text).decode())
    assert json.loads(shown) == text
    assert_sanitized(shown)
    assert sanitize.escape_json('"\x7f"') == '"\\u007f"', "in JSON of nothing but ASCII too"


@pytest.mark.parametrize("text", ["hello ~", "Zoë Ночь 名無し שלום नमस्ते", "\U0001f47b \u2764\ufe0f", "e\u0301"])
def test_json_shows_honest_text_as_it_is(text: str) -> None:
    assert sanitize.escape_json(msgspec.json.encode(text).decode()) == f'"{text}"'


@pytest.mark.parametrize("code", sorted([*BIDI, *INVISIBLE, *CONTROLS, *SEPARATORS, 0x1BCA0, 0x1D173]), ids=hex)
def test_a_dangerous_character_behind_a_backslash_is_still_the_same_data(code: int) -> None:
    text = f"\\{chr(code)}\\\\{chr(code)}"
    shown = sanitize.escape_json(msgspec.json.encode(text).decode())
    assert_sanitized(shown)
    assert json.loads(shown) == text


def test_who_knocks_is_told_that_they_wait_and_how_to_give_up() -> None:
    event = events.LinkEvent(room="r1", state="connecting", attempt=1, detail=Reason("knocking"))
    assert wording.format_line(event) == "[SYSTEM] You wait until a moderator of the room lets you in; /leave gives up"


@pytest.mark.parametrize(
    "caused",
    [
        LockChangedEvent(room="r1", locked=True, member="m", raid=True),
        KnockChangedEvent(room="r1", on=False, member="m", raid=True),
        SlowChangedEvent(room="r1", seconds=10, member="m", raid=True),
    ],
)
def test_of_what_a_raid_causes_what_is_said_of_the_raid_is_enough(caused: Event) -> None:
    assert wording.describe_event(caused) == []
    assert wording.format_line(caused) == ""
