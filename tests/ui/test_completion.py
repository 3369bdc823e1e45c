"""Tab: what is offered where, and in which order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonp2p.ui.commands import COMMANDS
from anonp2p.ui.completion import Completer, Known, complete

NICKS = ("anon-x93k", "Bob", "bert", "Zoë", "ａnton")  # whoever spoke last first
ROOMS = ("demo", "den", "Other")
PATHS = {"": ["a b/", "it's.pdf"], "a": ["a b/"], "a b/": ["a b/c.pdf"], "~/x": ["~/x.pdf"]}
KNOWN = Known(
    NICKS,
    ("guest", "gil"),
    ROOMS,
    ("12", "9", "3"),
    ("eve", "eddy"),
    ("4", "2"),
    lambda begun: PATHS.get(begun, []),
)
NAMES = tuple(command.name for command in COMMANDS)

# What is typed before the cursor, and what the first Tab makes of it.
FIRST = [
    ("/cr", "/create "),
    ("/CR", "/create "),
    ("/", f"{NAMES[0]} "),
    ("/help", "/help "),
    ("/help ni", "/help nick "),
    ("/help /ni", "/help /nick "),
    ("/help ", f"/help {NAMES[0][1:]} "),
    ("/create ", "/create --retain "),
    ("/create demo --r", "/create demo --retain "),
    ("/create demo --h", "/create demo --history "),
    ("/create --retain 5m -", "/create --retain 5m --history "),
    ("/create demo --retain 5m ", "/create demo --retain 5m --history "),
    ("/create demo --retain ", None),
    ("/create demo --retain 5m --history 7 ", "/create demo --retain 5m --history 7 --knock "),
    ("/create demo --knock --p", "/create demo --knock --private "),
    ("/create demo --knock ", "/create demo --knock --retain "),
    ("/create demo --private --retain ", None),
    ("/admit ", "/admit guest "),
    ("/refuse gi", "/refuse gil "),
    ("/admit b", None),
    ("/admit gil ", None),
    ("/unban b", None),
    ("/unban ", "/unban eve "),
    ("/unban ed", "/unban eddy "),
    ("/ban b", "/ban Bob "),
    ("/op ", "/op anon-x93k "),
    ("/demote z", "/demote Zoë "),
    ("/knock ", "/knock on "),
    ("/knock of", "/knock off "),
    ("/slow ", "/slow off "),
    ("/raid ", "/raid off "),
    ("/quiet s", "/quiet show "),
    ("/invite for b", None),
    ("/invite for ben --", "/invite for ben --uses "),
    ("/invite --uses ", None),
    ("/create de", None),
    ("/join de", None),
    ("/leave ", None),
    ("/leave b", None),
    ("/nosuch b", None),
    ("/switch d", "/switch demo "),
    ("/switch OT", "/switch Other "),
    ("/switch demo d", None),
    ("/retain ", "/retain off "),
    ("/retain N", "/retain never "),
    ("/retain off n", None),
    ("/code ", "/code new "),
    ("/code new ", None),
    ("/entrust ", "/entrust anon-x93k "),
    ("/entrust b", "/entrust Bob "),
    ("/entrust of", "/entrust off "),
    ("/entrust bob o", None),
    ("/kick b", "/kick Bob "),
    ("/KICK b", "/KICK Bob "),
    ("/kick bob b", None),
    ("/verify ", "/verify anon-x93k "),
    ("/verify @b", "/verify Bob "),
    ("/msg ", "/msg anon-x93k "),
    ("/msg bob hello z", "/msg bob hello Zoë "),
    ("/msg bob ", None),
    ("/me pokes @z", "/me pokes @Zoë "),
    ("/me waves ", None),
    ("", "anon-x93k: "),
    ("an", "anon-x93k: "),
    ("ANT", "ａnton: "),
    ("zOE\u0308", "Zoë: "),
    ("ｂ", "Bob: "),
    ("@an", "@anon-x93k "),
    ("@", "@anon-x93k "),
    (" an", " anon-x93k "),
    ("hello an", "hello anon-x93k "),
    ("two\nan", "two\nanon-x93k "),
    ("hello @Z", "hello @Zoë "),
    ("hello ", None),
    ("hello /cr", None),
    ("//cr", None),
    ("//cr b", "//cr Bob "),
    ("nobody", None),
    ("/reply ", "/reply 12 "),
    ("/reply 3", "/reply 3 "),
    ("/reply 4", None),
    ("/reply @b", "/reply @Bob "),
    ("/reply 3 @b", "/reply 3 @Bob "),
    ("/retract ", "/retract 12 "),
    ("/retract 9", "/retract 9 "),
    ("/retract b", None),
    ("/retract 9 ", None),
    ("/send ", "/send a\\ b/"),
    ("/send a", "/send a\\ b/"),
    ("/send 'a", "/send a\\ b/"),
    ('/send "a b/', "/send a\\ b/c.pdf "),
    ("/send a\\ b/", "/send a\\ b/c.pdf "),
    ("/send ~/x", "/send ~/x.pdf "),
    ("/send none", None),
    ("/send none ", "/send none anon-x93k "),
    ("/send 'a b.pdf' b", "/send 'a b.pdf' Bob "),
    ("/send --clean ", "/send --clean a\\ b/"),
    ("/send --c", "/send --clean "),
    ("/send none --", "/send none --clean "),
    ("/send none ben ", "/send none ben --clean "),
    ("/send --clean none ben ", None),
    ("/accept ", "/accept 4 "),
    ("/accept 2", "/accept 2 "),
    ("/accept 2 a", "/accept 2 a\\ b/"),
    ("/accept 2 none ", None),
    ("/decline ", "/decline 4 "),
    ("/decline 4 ", None),
]


def press(
    completer: Completer, text: str, cursor: int | None = None, *, forward: bool = True
) -> tuple[str, int] | None:
    at = len(text) if cursor is None else cursor
    return completer.press(text, at, KNOWN, forward=forward)


@pytest.mark.parametrize(("typed", "made"), FIRST, ids=[repr(typed) for typed, _ in FIRST])
def test_the_first_tab_inserts_the_first_candidate(typed: str, made: str | None) -> None:
    assert press(Completer(), typed) == (made and (made, len(made)))


@pytest.mark.parametrize("command", COMMANDS, ids=lambda row: row.name)
def test_every_command_can_be_completed(command: object) -> None:
    name = getattr(command, "name", "")
    assert f"{name} " in complete(name[:3], Known())[1]


def test_every_option_of_the_table_can_be_completed() -> None:
    options = [(row.name, word.strip("[]")) for row in COMMANDS for word in row.argument.split() if "--" in word]
    assert options
    for name, option in options:
        assert f"{option} " in complete(f"{name} x {option[:4]}", Known())[1]


def test_further_tabs_go_round() -> None:
    completer = Completer()
    made = press(completer, "b")
    assert made == ("Bob: ", 5)
    made = press(completer, *made)
    assert made == ("bert: ", 6)
    assert press(completer, *made) == ("Bob: ", 5)


def test_shift_tab_goes_back_and_begins_with_the_last() -> None:
    completer = Completer()
    made = press(completer, "b", forward=False)
    assert made == ("bert: ", 6)
    made = press(completer, *made, forward=False)
    assert made == ("Bob: ", 5)
    made = press(completer, *made, forward=False)
    assert made == ("bert: ", 6)
    assert press(completer, *made) == ("Bob: ", 5)


def test_slash_alone_goes_round_all_commands() -> None:
    completer = Completer()
    made: tuple[str, int] | None = ("/", 1)
    seen = []
    for _ in NAMES:
        assert made
        made = press(completer, *made)
        seen.append(made and made[0])
    assert seen == [f"{name} " for name in NAMES]


def test_another_text_or_cursor_begins_anew() -> None:
    completer = Completer()
    assert press(completer, "b") == ("Bob: ", 5)
    assert press(completer, "Bob: z") == ("Bob: Zoë ", 9)
    assert press(completer, "b") == ("Bob: ", 5)
    assert press(completer, "Bob: ", 2) == ("Bob: b: ", 5)


def test_another_key_ends_the_round() -> None:
    completer = Completer()
    made = press(completer, "b")
    assert made
    completer.end()
    assert not completer.candidates
    assert press(completer, *made) is None


def test_a_single_candidate_is_done_so_that_the_next_tab_goes_on_to_the_argument() -> None:
    completer = Completer()
    made = press(completer, "/hel")
    assert made == ("/help ", 6)
    assert not completer.candidates
    assert press(completer, *made) == ("/help help ", 11)


def test_tab_after_a_completed_nick_adds_no_other() -> None:
    completer = Completer()
    made = press(completer, "anon")
    assert made == ("anon-x93k: ", 11)
    assert press(completer, *made) is None


def test_the_candidates_can_be_shown() -> None:
    completer = Completer()
    assert (completer.candidates, completer.chosen) == ((), 0)
    made = press(completer, "b")
    assert made
    assert (completer.candidates, completer.chosen) == (("Bob:", "bert:"), 0)
    press(completer, *made)
    assert (completer.candidates, completer.chosen) == (("Bob:", "bert:"), 1)
    press(completer, "nobody")
    assert completer.candidates == ()


def test_those_who_come_during_a_round_wait_for_the_next_one() -> None:
    completer = Completer()
    made = completer.press("b", 1, Known(["bob", "bert"]))
    assert made
    assert completer.press(*made, Known(["bill", "bob", "bert"])) == ("bert: ", 6)


@pytest.mark.parametrize(
    ("text", "cursor", "made", "at"),
    [
        ("b", 1, "Bob: ", 5),
        ("b there", 1, "Bob: there", 5),
        ("hi b there", 4, "hi Bob there", 7),
        ("hi bthere", 4, "hi Bob there", 7),
        ("/cr demo", 3, "/create demo", 8),
        ("b\nthere", 1, "Bob: \nthere", 5),
    ],
)
def test_what_follows_stays_and_no_space_is_doubled(text: str, cursor: int, made: str, at: int) -> None:
    completer = Completer()
    assert press(completer, text, cursor) == (made, at)
    if completer.candidates:
        second = press(completer, made, at)
        assert second
        assert second[0].endswith(text[cursor:])


def test_nobody_is_offered_twice() -> None:
    assert complete("b", Known(("bob", "bob"))) == (0, ("bob: ",))


words = st.one_of(
    st.sampled_from(["/", "//", "@", " ", "\n", "-", "--retain ", "b", "[", *NICKS, *ROOMS, *NAMES]),
    st.text(max_size=3),
)


@given(
    st.lists(words, max_size=6).map("".join),
    st.integers(0, 30),
    st.lists(st.booleans(), max_size=8),
    st.lists(st.text(max_size=5), max_size=4),
)
def test_only_the_word_before_the_cursor_is_touched(
    text: str, cursor: int, ways: list[bool], others: list[str]
) -> None:
    cursor = min(cursor, len(text))
    before, after = text[: complete(text[:cursor], Known())[0]], text[cursor:]
    completer = Completer()
    for forward in ways:
        made = completer.press(text, cursor, Known([*NICKS, *others], others, [*ROOMS, *others]), forward=forward)
        if made is None:
            break
        text, cursor = made
        assert text.startswith(before)
        assert 0 <= cursor <= len(text)
        assert text.endswith(after)
        assert text[:cursor].endswith(" ")


@given(st.lists(words, max_size=5).map("".join), st.integers(1, 12))
def test_back_is_the_way_back(text: str, presses: int) -> None:
    completer = Completer()
    first = press(completer, text)
    if first is None or not completer.candidates:
        return
    made = first
    for _ in range(presses):
        there = press(completer, *made)
        assert there
        made = there
    for _ in range(presses):
        back = press(completer, *made, forward=False)
        assert back
        made = back
    assert made == first
