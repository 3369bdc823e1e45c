"""Names of files as others give them."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from anonp2p import limits
from anonp2p.names.file_names import PART, clean_name, number_name

EMOJI = "\N{GRINNING FACE}"


@pytest.mark.parametrize(
    ("given_name", "cleaned"),
    [
        ("report.pdf", "report.pdf"),
        ("Été à la mer.jpeg", "Été à la mer.jpeg"),
        ("../../etc/passwd", "passwd"),
        ("/etc/passwd", "passwd"),
        ("C:\\Users\\ada\\notes.txt", "notes.txt"),
        ("..", "file"),
        ("", "file"),
        ("a/..", "a"),
        ("-rf", "rf"),
        (".bashrc", "bashrc"),
        (" . - .profile", "profile"),
        ("name. . ", "name"),
        ("invoice.pdf                    .exe", "invoice.pdf .exe"),
        ("photo\u202egpj.exe", "photogpj.exe"),
        ("a\u200bb\u2060c\ufeff.txt", "abc.txt"),
        ("\u3164\u2800.\u115f", "file"),
        ("line\nbreak\x1b[31m\x00.txt", "linebreak[31m.txt"),
        ("e\u0301.txt", "\xe9.txt"),
        ("\ud800.txt", "txt"),
        ("a\u2028b\u00a0c", "abc"),
        ("x" * 200 + ".tar", "x" * 96 + ".tar"),
        (EMOJI * 100, EMOJI * 61),
        (EMOJI * 100 + ".png", EMOJI * 60 + ".png"),
        ("a." + "b" * 200, "a." + "b" * 98),
    ],
)
def test_a_name_becomes_one_that_does_no_harm(given_name: str, cleaned: str) -> None:
    assert clean_name(given_name) == cleaned


@example("." * 99 + " a")
@example("e" * 99 + "\u200b\u0301.x")
@example("x" * 83 + " .- ." + "y" * 15)
@given(st.text() | st.text("./\\- \u0301ae\u200b", max_size=300) | st.text(EMOJI + ". ", max_size=300))
def test_whatever_the_name_it_is_one_part_of_a_path_that_a_file_system_takes(name: str) -> None:
    cleaned = clean_name(name)
    assert clean_name(cleaned) == cleaned
    assert 1 <= len(cleaned) <= limits.FILE_NAME
    assert len((number_name(cleaned, 999) + PART).encode()) <= 255
    assert not set(cleaned) & set("/\\\0")
    assert cleaned[0] not in " .-"
    assert cleaned[-1] not in " ."
    assert all(character == " " or unicodedata.category(character)[0] not in "CZ" for character in cleaned)


@pytest.mark.parametrize(
    ("name", "numbered"),
    [("report.pdf", "report-2.pdf"), ("a.tar.gz", "a.tar-2.gz"), ("README", "README-2")],
)
def test_a_number_goes_before_the_extension(name: str, numbered: str) -> None:
    assert number_name(name, 2) == numbered
    assert number_name(name, 1) == name
