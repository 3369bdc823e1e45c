"""Look-alikes: whatever is drawn like a nick counts as that nick, in any case; other nicks do not."""

import subprocess
import sys
from collections import defaultdict
from unicodedata import ucd_3_2_0 as unicode

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from anonp2p import limits
from anonp2p.crypto import identity
from anonp2p.names import confusables, nicks
from anonp2p.room.roster import Roster

TABLE = {chr(number): image for number, image in confusables.table().items()}
KEY, OTHER, LEAF = b"a" * 32, b"e" * 32, b"l" * 32

ATTACKS = [
    ("ghost", "gh0st"),
    ("ghost", "ghοst"),  # Greek
    ("ghost", "ghоst"),  # Cyrillic
    ("ghost", "gհost"),  # Armenian
    ("ghost", "ｇｈｏｓｔ"),
    ("ghost", "𝐠𝓱𝔬𝕤𝚝"),
    ("ghost", "ghoſt"),
    ("ghost", "ɡhost"),
    ("peace", "реасе"),  # all Cyrillic
    ("PEACE", "РЕАСЕ"),
    ("xyz", "хуz"),
    ("ivan", "iνan"),  # Greek small nu
    ("Nancy", "Νancy"),  # Greek capital nu
    ("nancy", "ΝANCY"),
    ("Tom", "Τom"),
    ("Kim", "Кim"),
    ("Henry", "Нenry"),
    ("bob", "Вob"),
    ("bob", "Ꮟob"),  # Cherokee
    ("SAM", "ᏚᎪᎷ"),
    ("uno", "սոօ"),  # Armenian
    ("modern", "rnodern"),
    ("modern", "modem"),
    ("Bill", "BiII"),
    ("Bill", "Bi11"),
    ("Bill", "BiΙΙ"),  # Greek capital iota
    ("ill", "III"),
    ("ian", "lan"),
    ("ian", "ıan"),  # dotless
    ("agent007", "agentOO7"),
    ("agent007", "agent٥٥7"),  # Arabic
    ("agent007", "agent००7"),  # Devanagari
    ("agent1", "agent۱"),  # Persian
    ("zorro", "zоrrо"),
    ("Zoë", "Zo\u0451".replace("o", "о")),  # Cyrillic ё
    ("façade", "faça\u0501e"),  # Cyrillic d
    ("Čapek", "Căpek".replace("Că", "C\u0306a")),  # breve for caron
    ("Garçon", "Gar\u0441\u0326on"),  # comma for cedilla, on Cyrillic
    ("søren", "so\u0338ren"),
    ("æon", "aeon"),
    ("Νίκος", "Níkος"),
    ("Гость", "Гoсть"),  # a Latin o among Cyrillic
    ("Гость", "Γость"),  # a Greek gamma
    ("ノア", "丿ア"),
    ("二郎", "ニ郎"),
]

ORDINARY = """
    Alice Bob Carol Dave Eve Frank Grace Heidi Ivan Judy Mallory Olivia Peggy Quentin Rupert Sybil Trent
    Ursula Victor Walter Xavier Yvonne Zoe Adam Ada Alan Alex Amy Andrea Andrew Ann Anna Anton Ben Bernd Boris
    Boss Brad Brian Bruce Carl Chris Clara Dan Daniel David Diana Diego Elena Emil Emily Emma Eric Eva Felix
    Fiona Fred Gabriel George Gina Greg Hans Harry Helen Henry Hugo Ian Ida Igor Irene Isaac Jack Jacob James
    Jan Jane Jason Jean Jeff Jenny Jim Joan Joe John Jon Jose Julia Karen Karl Kate Ken Kevin Kim Kurt Lara
    Laura Lea Lee Leo Leon Liam Lily Lina Linda Lisa Louis Lucas Lucy Luis Luke Maria Mark Martin Mary Matt
    Max Mia Mike Mila Mira Nadia Nick Nina Noah Nora Olga Oliver Omar Oscar Otto Pablo Paul Pedro Peter Phil
    Pia Ray Rita Rob Robert Robin Rosa Ross Roy Ruth Ryan Sam Sara Sean Simon Sofia Stefan Steve Sue Susan
    Sven Ted Terry Theo Tim Tina Tobias Tony Uli Ute Vera Vince Wanda Will Yuri Yusuf Zack ghost admin root
    neo trinity raven wolf tiger shadow phoenix ninja cypher phantom nomad pirate pixel robot spark storm
    viper zen nova luna echo delta omega orion joker Иван Мария Ольга Ночь Гость Тень Волк Борис Νίκος Ελένη
    Γιώργος Σίσυφος Βασίλης Արամ Անի გიორგი ნინო شبح محمد فاطمة علي אורח דוד שרה נועה नमस्ते राम सीता আলো
    தமிழ் สวัสดี สมชาย ゲスト さくら ヒロ 太郎 花子 名無し 王伟 李娜 小明 익명 민수 지영
    Tuấn Linh Łukasz Żaneta Zoë Ömer Çelik
    Søren Åsa Jürgen Straße Ñuño François
"""


def like(character: str) -> str:
    """Another one that looks like it, if there is one: the last in the table."""
    image = TABLE.get(character, character)
    return max((other for other, looks in TABLE.items() if looks == image), default=character)


@pytest.mark.parametrize(("nick", "attack"), ATTACKS)
def test_who_looks_like_a_member_is_refused(nick: str, attack: str) -> None:
    nick, attack = nicks.parse_nick(nick), nicks.parse_nick(attack)
    roster = Roster()
    roster.add_member(KEY, nick, LEAF)
    other = roster.add_member(OTHER, "zz-unlike", LEAF)
    for written in filter(nicks.is_nick, (attack, attack.upper(), attack.lower(), attack.swapcase())):
        assert roster.is_taken(written, b"")
        assert roster.is_taken(written, other.id)
        assert not roster.is_taken(written, identity.member_id(KEY))
    with pytest.raises(ValueError, match="alike"):
        roster.add_member(b"x" * 32, attack, LEAF)


def test_who_is_renamed_gives_all_look_alikes_free() -> None:
    roster = Roster()
    member = roster.add_member(KEY, "ghost", LEAF)
    roster.rename_member(member, "gh0st")
    assert roster.is_taken("GHOST", b"")
    roster.rename_member(member, "spirit")
    assert not roster.is_taken("gh0st", b"")
    assert roster.is_taken("spіrіt", b"")
    roster.remove_member(member)
    assert not roster.is_taken("spirit", b"")


def test_ordinary_nicks_are_unlike_each_other() -> None:
    seen = defaultdict(set)
    for nick in ORDINARY.split():
        for key in nicks.narrow_looks(nick):
            seen[key].add(nick)
    assert len(seen) > 250
    assert [alike for alike in seen.values() if len(alike) > 1] == []


def test_ordinary_nicks_are_not_confused_with_each_other() -> None:
    seen = defaultdict(set)
    for nick in ORDINARY.split():
        for key in nicks.wide_looks(nick):
            seen[key].add(nick)
    assert [alike for alike in seen.values() if len(alike) > 1] == []


@pytest.mark.parametrize(
    "nicks", ["Nick Vick", "Ryan Uyan", "Iris Luis", "r1 u1 y1", "n1 v1", "Ana Ava", "Jo Yo", "6a ba"]
)
def test_letters_that_look_different_make_other_nicks(nicks: str) -> None:
    roster = Roster()
    for number, nick in enumerate(nicks.split()):
        assert not any(roster.is_taken(written, b"") for written in (nick, nick.upper(), nick.lower(), nick.swapcase()))
        roster.add_member(bytes([number]) * 32, nick, LEAF)


def test_few_of_a_to_z_and_the_digits_are_alike() -> None:
    seen = defaultdict(set)
    for character in "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.":
        for key in nicks.narrow_looks(character):
            seen[key].add(character.lower())
    assert sorted("".join(sorted(alike)) for alike in seen.values() if len(alike) > 1) == ["0o", "1il"]


def test_few_more_of_them_are_confused() -> None:
    seen = defaultdict(set)
    for character in "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789":
        for key in nicks.wide_looks(character):
            seen[key].add(character.lower())
    confused = sorted("".join(sorted(alike)) for alike in seen.values() if len(alike) > 1)
    assert confused == ["0o", "1il", "2z", "5s", "8b", "9gq"]


def test_a_prototype_is_its_own() -> None:
    for character, image in TABLE.items():
        assert unicode.normalize("NFD", image) == image, hex(ord(character))
        assert not any(one in TABLE for one in image), hex(ord(character))


letters = st.one_of(
    st.sampled_from("aehilmnorsuvy0156ßſĳκΝνΥυΣσςГгТт-_."),
    st.sampled_from([one for one in TABLE if unicode.category(one)[0] == "L"]),
    st.characters(categories=["Lu", "Ll", "Lo", "Nd"]),
)
marks = st.sampled_from("\u0301\u0306\u030c\u0323\u0327\u0328\u0335\u05b4\u064b\u093c")
texts = st.lists(st.tuples(letters, st.just("") | marks).map("".join), min_size=1, max_size=limits.NICK).map("".join)


def known(text: str) -> str:
    """What of it a nick may have: newer letters look like nothing, and without case some of them are older ones."""
    return "".join(character for character in text if unicode.category(character) != "Cn")


@given(texts.map(known))
def test_a_nick_is_alike_to_itself_without_case_and_however_it_is_spelled(text: str) -> None:
    keys = nicks.narrow_looks(text)
    for other in (text.casefold(), unicode.normalize("NFC", text), unicode.normalize("NFD", text)):
        if known(other) == other:
            assert keys & nicks.narrow_looks(other)


@given(st.lists(letters, min_size=1, max_size=limits.NICK), st.data())
def test_a_character_for_its_like_makes_no_other_name(characters: list[str], data: st.DataObject) -> None:
    keys = nicks.narrow_looks("".join(characters))
    at = data.draw(st.integers(0, len(characters) - 1))
    other = like(characters[at])
    assume(not unicode.combining(other[0]))  # a musical dot is a mark, which Unicode may reorder
    assume(
        nicks.narrow_looks(f"a{other}") != nicks.narrow_looks("a")
    )  # nor one that no nick may have, which looks like nothing
    assert keys & nicks.narrow_looks("".join([*characters[:at], other, *characters[at + 1 :]]))


def test_the_longest_nick_has_few_short_keys() -> None:
    assert max(len(image) for image in TABLE.values()) <= 5
    for character in map(chr, [*range(0x3400), *range(0x3400, 0xF900, 61), *range(0xF900, 0x1FFFF)]):
        if nicks.is_nick(character):
            keys = nicks.narrow_looks(character * limits.NICK)
            assert len(keys) <= 4
            assert all(0 < len(key) <= 8 * limits.NICK for key in keys), hex(ord(character))


def test_nicks_made_from_keys_are_seldom_alike() -> None:
    roster = Roster()
    lengths = []
    for number in range(limits.MEMBERS):
        key = number.to_bytes(2, "big") * 16
        nick = roster.choose_nick(key)
        assert nick is not None
        roster.add_member(key, nick, LEAF)
        lengths.append(len(nick))
    assert lengths.count(len("anon-") + identity.NICK_CHARACTERS) > limits.MEMBERS * 0.95


def test_the_table_is_not_read_before_it_is_needed() -> None:
    imports = "from anonp2p.names import confusables; from anonp2p.room import roster"
    code = f"{imports}; assert not confusables.table.cache_info().currsize"
    subprocess.run([sys.executable, "-c", code], check=True)
