"""Nicks and room names: what they may not hide, and which of them count as the same."""

from collections.abc import Callable
from unicodedata import ucd_3_2_0 as unicode

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from anonp2p import limits
from anonp2p.errors import AnonError, BadInput, BadNick, ReservedNick
from anonp2p.names import nicks

# Unicode's Default_Ignorable_Code_Point: drawn as nothing at all.
IGNORABLE = [
    *(0xAD, 0x34F, 0x61C, 0x3164, 0xFEFF, 0xFFA0),
    *range(0x115F, 0x1161),
    *range(0x17B4, 0x17B6),
    *range(0x180B, 0x1810),
    *range(0x200B, 0x2010),
    *range(0x202A, 0x202F),
    *range(0x2060, 0x2070),
    *range(0xFE00, 0xFE10),
    *range(0xFFF0, 0xFFF9),
    *range(0x1BCA0, 0x1BCA4),
    *range(0x1D173, 0x1D17B),
    *range(0xE0000, 0xE1000),
]

PROPER = [
    "a",
    "7",
    "anon-x93k",
    "J.R._Hartley-2",
    "Zoë",
    "Łukasz",
    "Ωmega",
    "Ночь",
    "شبح",
    "אורח",
    "नमस्ते",
    "भारत",
    "தமிழ்",
    "বাংলাদেশ",
    "สวัสดี",
    "ゲスト",
    "名無し",
    "익명",
    "Tuấn",
    "x" * limits.NICK,
]

# Mostly what nicks are made of, so that many examples come near to being one.
texts = st.text(
    st.one_of(
        st.sampled_from("aZ09-_. İıßſﬃΩΣςµＡ①ª\u0301\u0323\u200d\u115f"),
        st.characters(categories=["Lu", "Ll", "Lo", "Nd"]),
    ),
    min_size=1,
    max_size=limits.NICK // 2,
)


def are_alike(one: str, other: str) -> bool:
    return not nicks.narrow_looks(one).isdisjoint(nicks.narrow_looks(other))


def are_known(text: str) -> bool:
    """Whether a nick may have all of these letters: others, as small ones of Cherokee, look like nothing."""
    return all(unicode.category(character) != "Cn" for character in text)


def is_nick_after_all(text: str) -> str:
    try:
        return nicks.parse_nick(text)
    except (BadNick, ReservedNick):
        assume(False)
        raise


@pytest.mark.parametrize("nick", PROPER)
def test_names_of_all_scripts_are_nicks(nick: str) -> None:
    assert nicks.parse_nick(nick) == nick
    assert nicks.is_nick(nick)


def test_nothing_that_is_drawn_as_nothing_is_in_a_nick() -> None:
    for character in map(chr, IGNORABLE):
        for text in (character, f"{character}ghost", f"gh{character}ost", f"ghost{character}"):
            assert not nicks.is_nick(text), hex(ord(character))
            assert not nicks.is_room_name(text), hex(ord(character))
            with pytest.raises(BadNick):
                nicks.parse_nick(text)


@pytest.mark.parametrize("joiner", ["\u200c", "\u200d"], ids=ascii)
@pytest.mark.parametrize(
    "word", ["\u0645\u06cc{}\u062e\u0648\u0627\u0647\u0645", "\u0915\u094d{}\u0937", "\U0001f468{}\U0001f469"]
)
def test_joiners_are_in_no_name_even_where_texts_keep_them(word: str, joiner: str) -> None:
    for text in (word.format(joiner), word.format("") + joiner):
        assert not nicks.is_nick(text)
        assert not nicks.is_room_name(text)


@pytest.mark.parametrize(
    "category", ["Cc", "Cf", "Cs", "Co", "Cn", "Zs", "Zl", "Zp", "Sm", "So", "Sc", "Sk", "Po", "Me"]
)
def test_only_letters_digits_and_their_marks_are_in_a_nick(category: str) -> None:
    for character in map(chr, [*range(0x20000), *range(0x20000, 0x110000, 61)]):
        if unicode.category(character) == category and character not in "-_.":
            assert not nicks.is_nick(f"gh{character}ost"), hex(ord(character))


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "ghost ",
        " ghost",
        "gh ost",
        "ghost\n",
        "ghost\t",
        "ghost\u3000",
        "[SYSTEM]",
        "ghost:",
        "room/ghost",
        "/quit",
        "@ghost",
        "-",
        "...",
        "_-_",
        "\u0301ghost",
        "ghost\u0301\u0302\u0303",
        "g\u20ddhost",
        "\x1b[2Jghost",
        "ghost\x00",
        "\U0001f47b",
        "x" * (limits.NICK + 1),
    ],
)
def test_what_could_mislead_is_no_nick(text: str) -> None:
    assert not nicks.is_nick(text)
    with pytest.raises(BadNick):
        nicks.parse_nick(text)


def test_the_length_counts_after_normalisation() -> None:
    with pytest.raises(BadNick):
        nicks.parse_nick("\N{LATIN SMALL LIGATURE FFI}" * 7)
    assert nicks.parse_nick("e\u0301" * limits.NICK) == "é" * limits.NICK


@pytest.mark.parametrize("text", ["ｇｈｏｓｔ", "ﬀ", "e\u0301", "①", "ª", "\u212b"])
def test_a_nick_that_is_not_normalised_is_refused_from_a_peer_and_mended_for_the_user(text: str) -> None:
    assert not nicks.is_nick(text)
    assert nicks.is_nick(nicks.parse_nick(text))


@given(texts)
def test_what_nick_makes_is_a_nick_and_stays_it(text: str) -> None:
    nick = is_nick_after_all(text)
    assert nicks.is_nick(nick)
    assert nicks.parse_nick(nick) == nick


@given(texts)
def test_a_peers_nick_is_one_that_nick_would_have_made(text: str) -> None:
    assume(nicks.is_nick(text) and not nicks.reserved_word(text))
    assert nicks.parse_nick(text) == text
    assert 0 < len(text) <= limits.NICK


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ghost", "GHOST"),
        ("ghost", "ｇｈｏｓｔ"),
        ("Straße", "STRASSE"),
        ("Σίσυφος", "ΣΊΣΥΦΟΣ"),
        ("office", "oﬃce"),
        ("Zoë", "ZOE\u0308"),
        ("ſam", "sam"),
        ("Ångström", "\u212bngström"),
    ],
)
def test_case_width_and_spelling_make_no_other_name(one: str, other: str) -> None:
    assert are_alike(nicks.parse_nick(one), nicks.parse_nick(other))


@pytest.mark.parametrize("character", ["\u1fb7", "\u1fc7", "\u1ff7"])
def test_case_makes_no_other_name_where_marks_change_places(character: str) -> None:
    assert are_alike(nicks.parse_nick(character.upper()), character)
    assert are_alike(nicks.parse_nick(character.title()), character)


@given(texts)
def test_a_nick_is_alike_to_itself_without_case(text: str) -> None:
    nick = is_nick_after_all(text)
    assert are_alike(nick, unicode.normalize("NFD", nick))
    folded = unicode.normalize("NFKC", nick.casefold())
    for other in (nick.casefold(), nick.upper(), nick.lower(), nick.title(), nick.swapcase()):
        if unicode.normalize("NFKC", other.casefold()) == folded and are_known(other):
            assert are_alike(nick, other)


@given(texts, texts)
def test_a_nick_has_few_short_keys_and_both_of_two_are_alike(text: str, other: str) -> None:
    nick, other = is_nick_after_all(text), is_nick_after_all(other)
    assert 1 <= len(nicks.narrow_looks(nick)) <= 4
    assert are_alike(nick, other) == are_alike(other, nick)


@pytest.mark.parametrize("letter", ["\u07fa", "\u0221", "\u037b", "\u1c90", "\u2c65", "\uab70", "\ua7cb", "\U0001e900"])
def test_a_letter_that_not_every_python_knows_is_in_no_nick(letter: str) -> None:
    assert not nicks.is_nick(f"gh{letter}st")


@pytest.mark.parametrize("letter", ["\u0264", "\u019b", "\u10d0", "\u0250"])
def test_a_capital_that_came_later_makes_no_key(letter: str) -> None:
    assert not any(unicode.category(character) == "Cn" for key in nicks.narrow_looks(letter) for character in key)


@pytest.mark.parametrize(("one", "other"), [("ghost", "ghosts"), ("a-b", "a_b"), ("e", "é"), ("ann", "anna")])
def test_other_names_are_other_names(one: str, other: str) -> None:
    assert not are_alike(one, other)


def test_what_is_drawn_as_nothing_makes_no_other_name() -> None:
    for invisible in map(chr, IGNORABLE):
        assert are_alike(f"gh{invisible}ost", "ghost"), hex(ord(invisible))


@pytest.mark.parametrize(
    ("make", "check", "longest", "error"),
    [
        (nicks.parse_nick, nicks.is_nick, limits.NICK, BadNick),
        (nicks.parse_room_name, nicks.is_room_name, limits.ROOM_NAME, BadInput),
    ],
)
def test_names_end_at_their_limit(
    make: Callable[[str], str], check: Callable[[str], bool], longest: int, error: type[AnonError]
) -> None:
    assert make("x" * longest) == "x" * longest
    assert check("x" * longest)
    assert not check("x" * (longest + 1))
    with pytest.raises(error):
        make("x" * (longest + 1))


@pytest.mark.parametrize("name", ["", "two words", "a\u200bb", "line\nbreak", "[SYSTEM]", "ｗｉｄｅ"])
def test_a_peers_room_name_keeps_the_same_rules(name: str) -> None:
    assert not nicks.is_room_name(name)


@pytest.mark.parametrize(("one", "other"), [("b1ll", "b\u026all"), ("Lee", "\u026aee"), ("\u0582van", "1van")])
def test_what_looks_like_an_i_looks_like_a_one_too(one: str, other: str) -> None:
    """3.6: `i` is read as `l`, since without case it is an `I`."""
    assert are_alike(one, other)


# --- what people confuse besides


def are_confused(one: str, other: str) -> bool:
    return not nicks.wide_looks(one).isdisjoint(nicks.wide_looks(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("vvill", "will"),
        ("William", "VVilliam"),
        ("acla", "ada"),
        ("пick", "nick"),
        ("паппу", "nanny"),  # all Cyrillic
        ("ПICK", "nick"),
        ("ηick", "nick"),  # Greek
        ("ωill", "will"),
        ("a-b", "a_b"),
        ("ann", "ann_"),
        ("ann", ".ann."),
        ("annlee", "ann-lee"),
        ("5am", "Sam"),
        ("8ob", "Bob"),
        ("2oe", "Zoe"),
        ("qreq", "Greg"),
        ("9reg", "greg"),
        ("5-VVi11", "swill"),
    ],
)
def test_what_people_confuse_though_the_rules_of_a_room_do_not_count_it_as_alike(one: str, other: str) -> None:
    assert not are_alike(one, other)
    assert are_confused(one, other)
    assert are_confused(other, one)


@given(texts, texts)
def test_what_is_alike_is_confused_as_well_and_has_as_few_keys(text: str, other: str) -> None:
    assume(nicks.is_nick(text) and nicks.is_nick(other))
    assert 1 <= len(nicks.wide_looks(text)) <= 4
    assert are_confused(text, other) or not are_alike(text, other)
    assert all(len(key) <= 16 * limits.NICK for key in nicks.wide_looks(text))


@pytest.mark.parametrize(
    ("one", "other"),
    [("ann8", "ann6"), ("Alicia", "Alida"), ("Lucia", "Luda"), ("ann", "anna"), ("Vick", "Nick"), ("e", "é")],
)
def test_other_names_are_not_confused(one: str, other: str) -> None:
    assert not are_confused(one, other)


def test_no_two_numbers_are_confused() -> None:
    keys = [nicks.wide_looks(f"ann{number}") for number in range(1_000)]
    assert len(frozenset[str]().union(*keys)) == sum(map(len, keys))


@pytest.mark.parametrize(
    "nick",
    [
        *("SYSTEM", "system", "5YSTEM", "ЅYSTЕM", "SYSTEM-", "S.Y.S.T.E.M", "ＳＹＳＴＥＭ", "_system_"),
        *("Tor", "T0R", "tоr", "host", "Host", "h0st", "hоst", "you", "уоu", "YOU", "anonp2p", "an0np2p", "anonpzp"),
        *("moderator", "rnoderator", "admin", "aclmin", "Everyone", "ALARM", "a1arm", "Caution"),
    ],
)
def test_nobody_is_called_as_the_program_or_a_role_is(nick: str) -> None:
    assert nicks.is_nick(unicode.normalize("NFKC", nick)), "no rule of a room forbids it"
    assert nicks.reserved_word(nick)
    with pytest.raises(ReservedNick):
        nicks.parse_nick(nick)
    with pytest.raises(BadInput):
        nicks.parse_room_name(nick)


@pytest.mark.parametrize("nick", ["Ali", "ghost", "Thor", "hosta", "Tory", "Vous", "systems", "member", "anon-x93k"])
def test_other_words_are_nobodys(nick: str) -> None:
    assert not nicks.reserved_word(nick)
    assert nicks.parse_nick(nick) == nick


@pytest.mark.parametrize("name", ["r1", "R1", "r20", "r007", "r١"])
def test_no_room_is_called_as_rooms_are_labelled(name: str) -> None:
    assert nicks.is_room_name(name), "no rule of a room forbids it"
    with pytest.raises(BadInput):
        nicks.parse_room_name(name)


def test_a_room_may_be_taken_for_a_label_by_what_it_looks_like() -> None:
    assert all(map(nicks.is_like_label, ["r1", "R1", "rl", "r20", "r2O", "г1", "ri"]))
    assert not any(map(nicks.is_like_label, ["r", "r0", "roll", "room1", "ar1", "friends", "r-1"]))


# --- other nicks for one whose wanted nick is held


any_nicks = st.text(st.characters(categories=["Lu", "Ll", "Lo", "Nd", "Mn"]) | st.sampled_from("-_.29"), max_size=20)


@given(any_nicks.filter(nicks.is_nick))
def test_alternatives_are_proper_and_alike_neither_to_each_other_nor_to_the_nick(nick: str) -> None:
    others = nicks.alternatives(nick)
    assert len(others) >= 7
    assert all(map(nicks.is_nick, others))
    looks = [nicks.narrow_looks(name) for name in (nick, *others)]
    assert sum(map(len, looks)) == len(frozenset().union(*looks))


def test_alternatives_are_numbered_and_no_longer_than_a_nick() -> None:
    assert nicks.alternatives("Ann") == [f"Ann-{number}" for number in range(2, 10)]
    assert nicks.alternatives("Ann-3") == [f"Ann-{number}" for number in (2, 4, 5, 6, 7, 8, 9)]
    assert nicks.alternatives("x" * 20)[0] == "x" * 18 + "-2"
