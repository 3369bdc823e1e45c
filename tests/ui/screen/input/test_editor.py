"""The input line, key by key."""

import time
import unicodedata
from collections.abc import Iterable

import pytest
import urwid
from hypothesis import given
from hypothesis import strategies as st

from anonp2p import limits
from anonp2p.ui import sanitize
from anonp2p.ui.keys import PASTE, Keys
from anonp2p.ui.screen.input.drafts import Draft, SentTexts
from anonp2p.ui.screen.input.editor import Editor
from anonp2p.ui.screen.input.editor_box import EditorBox
from tests.ui.test_wording import DANGEROUS, texts

SIZE = (40,)
UNHANDLED = [
    "enter",
    "tab",
    "shift tab",
    "esc",
    "page up",
    "page down",
    "ctrl n",
    "ctrl p",
    "ctrl l",
    "ctrl c",
    "ctrl r",
    "ctrl f",
    "meta p",
    "meta n",
    "meta up",
    "meta down",
    *(f"meta {digit}" for digit in range(1, 10)),
    *(f"f{number}" for number in range(1, 13)),
    "shift f1",
    "meta page up",
    "focus in",
    "<csi ?1;2c>",
    "<200>",
    "\x1b",
    "\ud800",
]


class Full(list[str]):
    """How often the owner was told that something did not fit."""

    def __call__(self) -> None:
        self.append("full")


def typed(text: str) -> list[str]:
    return ["meta enter" if character == "\n" else character for character in text]


def press(editor: Editor, *keys: str, size: tuple[int] = SIZE) -> None:
    for key in keys:
        assert editor.keypress(size, key) is None, key


def holding(text: str, at: int | None = None) -> Editor:
    """With the cursor at a place, or at "|"."""
    if at is None and "|" in text:
        at = text.index("|")
        text = text.replace("|", "", 1)
    editor = Editor()
    editor.paste(text)
    editor.set_edit_pos(len(text) if at is None else at)
    return editor


def shown(editor: Editor) -> str:
    """With "|" where the cursor is."""
    text: str = editor.edit_text
    return f"{text[: editor.edit_pos]}|{text[editor.edit_pos :]}"


# What is before the key, the keys, what is after them; "|" is the cursor.
EDITING = [
    ("|", "a", "a|"),
    ("a|b", "日", "a日|b"),
    ("one\ntwo| x", "ctrl a", "one\n|two x"),
    ("one\ntwo| x", "home", "one\n|two x"),
    ("one| x\ntwo", "ctrl e", "one x|\ntwo"),
    ("one| x\ntwo", "end", "one x|\ntwo"),
    ("|one", "home", "|one"),
    ("one|", "end", "one|"),
    ("on|e", "ctrl b", "o|ne"),
    ("on|e", "left", "o|ne"),
    ("o|ne", "right", "on|e"),
    ("|one", "left", "|one"),
    ("one|", "right", "one|"),
    ("日本|", "left", "日|本"),
    ("|日本", "right", "日|本"),
    ("日本|", "backspace", "日|"),
    ("|日本", "delete", "|本"),
    ("e\u0301e\u0301|", "left", "e\u0301|e\u0301"),
    ("|e\u0301e\u0301", "right", "e\u0301|e\u0301"),
    ("ee\u0301|", "backspace", "e|"),
    ("|e\u0301e", "delete", "|e"),
    ("one two|", "meta b", "one |two"),
    ("one tw|o", "ctrl left", "one |two"),
    ("one two|", "meta left", "one |two"),
    ("|one two", "meta f", "one| two"),
    ("|one two", "ctrl right", "one| two"),
    ("|one two", "meta right", "one| two"),
    ("o|ne", "ctrl d", "o|e"),
    ("one|", "ctrl d", "one|"),
    ("o|ne", "delete", "o|e"),
    ("o|ne", "ctrl h", "|ne"),
    ("o|ne", "backspace", "|ne"),
    ("|one", "backspace", "|one"),
    ("one| two, three", "meta d", "one|, three"),
    ("one two-three| x", "meta backspace", "one two-| x"),
    ("one two-three| x", "ctrl w", "one | x"),
    ("one two  |", "ctrl w", "one |"),
    ("x\none two| three", "ctrl u", "x\n| three"),
    ("x\n|one", "ctrl u", "x|one"),
    ("one| two\nx", "ctrl k", "one|\nx"),
    ("one|\nx", "ctrl k", "one|x"),
    ("one|", "ctrl k", "one|"),
    ("|one", "ctrl u", "|one"),
    ("|", "ctrl y", "|"),
    ("|", "meta y", "|"),
    ("|", "ctrl _", "|"),
    ("ab|cd", "ctrl t", "acb|d"),
    ("abc|", "ctrl t", "acb|"),
    ("|abc", "ctrl t", "|abc"),
    ("a|", "ctrl t", "a|"),
    ("|", "ctrl t", "|"),
    ("ab|\nc", "ctrl t", "ba|\nc"),
    ("a\n|bc", "ctrl t", "a\n|bc"),
    ("ae\u0301|", "ctrl t", "e\u0301a|"),
    ("日本|", "ctrl t", "本日|"),
    ("a|b", "meta enter", "a\n|b"),
    ("ab\ncd|", "up", "ab|\ncd"),
    ("a|b\ncd", "down", "ab\nc|d"),
]


@pytest.mark.parametrize(("before", "key", "after"), EDITING, ids=[f"{key} {before!r}" for before, key, _ in EDITING])
def test_a_key_does_what_readline_does(before: str, key: str, after: str) -> None:
    editor = holding(before)
    press(editor, key)
    assert shown(editor) == after


@pytest.mark.parametrize("key", UNHANDLED, ids=repr)
@pytest.mark.parametrize("text", ["", "one\ntwo"])
def test_other_keys_are_the_owners(key: str, text: str) -> None:
    editor = holding(text)
    assert editor.keypress(SIZE, key) == key
    assert editor.edit_text == text


@pytest.mark.parametrize("key", ["home", "end", "ctrl d"])
def test_what_an_empty_line_has_no_use_for_is_the_owners(key: str) -> None:
    assert Editor().keypress(SIZE, key) == key


# Kills.


def test_what_was_killed_can_be_yanked() -> None:
    editor = holding("one two|")
    press(editor, "ctrl w", "ctrl a", "ctrl y")
    assert shown(editor) == "two|one "


@pytest.mark.parametrize(
    ("text", "keys", "killed"),
    [
        ("one two three|", ["ctrl w", "ctrl w"], "two three"),
        ("|one two three", ["meta d", "meta d"], "one two"),
        ("one |two three", ["meta d", "meta backspace", "ctrl k"], "one two three"),
        ("|one\ntwo\nx", ["ctrl k"] * 4, "one\ntwo\n"),
        ("one\ntwo|", ["ctrl u"] * 3, "one\ntwo"),
        ("one two|", ["ctrl w", "left", "ctrl w"], "one"),
    ],
)
def test_kills_in_a_row_are_one(text: str, keys: list[str], killed: str) -> None:
    editor = holding(text)
    press(editor, *keys)
    editor.clear()
    press(editor, "ctrl y")
    assert editor.edit_text == killed


def test_a_kill_of_nothing_does_not_part_those_around_it() -> None:
    editor = holding("one two|")
    press(editor, "ctrl w", "ctrl k", "ctrl w")
    editor.clear()
    press(editor, "ctrl y")
    assert editor.edit_text == "one two"


def kill_each(editor: Editor, texts: Iterable[str]) -> None:
    for text in texts:
        editor.replace(text, len(text))
        press(editor, "ctrl u", "left")


def test_what_was_killed_earlier_comes_in_its_place() -> None:
    editor = Editor()
    kill_each(editor, ["one", "two", "three"])
    press(editor, "<", ">", "left", "ctrl y")
    assert shown(editor) == "<three|>"
    for other in ("two", "one", "three"):
        press(editor, "meta y")
        assert shown(editor) == f"<{other}|>"


def test_nothing_comes_in_its_place_after_another_key() -> None:
    editor = Editor()
    kill_each(editor, ["one", "two"])
    press(editor, "ctrl y", "left", "meta y")
    assert shown(editor) == "tw|o"


def test_the_ring_is_bounded() -> None:
    editor = Editor()
    kill_each(editor, map(str, range(100)))
    press(editor, "ctrl y", *["meta y"] * 9)
    assert editor.edit_text == "90"
    press(editor, "meta y")
    assert editor.edit_text == "99"


def test_kills_can_be_forgotten() -> None:
    editor = holding("secret|")
    press(editor, "ctrl w")
    editor.forget_kills()
    press(editor, "ctrl y")
    assert editor.edit_text == ""


def test_forgotten_kills_do_not_come_back_by_what_follows() -> None:
    editor = Editor()
    kill_each(editor, ["one", "two"])
    press(editor, "ctrl y")
    editor.forget_kills()
    press(editor, "meta y")
    assert editor.edit_text == "two"
    press(editor, "ctrl w", "ctrl y")
    assert editor.edit_text == "two"


def test_all_rooms_share_the_ring() -> None:
    editor = holding("one|")
    press(editor, "ctrl w")
    editor.swap(Draft())
    press(editor, "ctrl y")
    assert editor.edit_text == "one"


# Undo.


def test_typing_is_undone_by_words_and_erasing_in_one_go() -> None:
    editor = Editor()
    press(editor, *typed("one two"), *["backspace"] * 3)
    assert shown(editor) == "one |"
    press(editor, "ctrl _")
    assert shown(editor) == "one two|"
    press(editor, "ctrl _")
    assert shown(editor) == "one |"
    press(editor, "ctrl _")
    assert shown(editor) == "|"


@pytest.mark.parametrize("key", ["ctrl w", "ctrl u", "ctrl t", "meta backspace", "meta enter", "backspace", "x"])
def test_each_change_can_be_undone(key: str) -> None:
    editor = holding("one two|")
    press(editor, key)
    assert editor.edit_text != "one two"
    press(editor, "ctrl _")
    assert shown(editor) == "one two|"


def test_undo_is_bounded() -> None:
    editor = Editor()
    press(editor, *["x", "left"] * 150)
    press(editor, *["ctrl _"] * 200)
    assert editor.edit_text == "x" * 50


@pytest.mark.parametrize("how", ["take", "clear"])
def test_what_was_sent_or_cleared_cannot_be_undone(how: str) -> None:
    editor = holding("secret|")
    press(editor, " ", "x")  # so that there is something to go back to
    getattr(editor, how)()
    press(editor, "ctrl _")
    assert editor.edit_text == ""


def test_completions_in_a_row_are_undone_at_once() -> None:
    editor = holding("b|")
    editor.replace("bob: ", 5)
    assert editor.keypress(SIZE, "tab") == "tab"
    editor.replace("bert: ", 6)
    press(editor, "ctrl _")
    assert shown(editor) == "b|"


# History and drafts.


def with_history(*texts: str) -> Editor:
    editor = Editor()
    for number, text in enumerate(texts):
        editor.draft.history.add(text, number)
    return editor


def test_up_and_down_go_through_what_was_sent_and_back_to_the_draft() -> None:
    editor = with_history("one", "two")
    press(editor, *typed("dra"), "left")
    seen = []
    for key in ("up", "up", "up", "down", "down", "down"):
        press(editor, key)
        seen.append(shown(editor))
    assert seen == ["two|", "one|", "one|", "two|", "dr|a", "dr|a"]


def test_up_goes_through_the_rows_of_a_text_first() -> None:
    editor = with_history("one\ntwo")
    press(editor, *typed("a\nb"), "up")
    assert shown(editor) == "a|\nb"
    press(editor, "up")
    assert shown(editor) == "one\ntwo|"
    press(editor, "up", "down", "down")
    assert editor.edit_text == "a\nb"


def test_a_wrapped_line_has_rows_too() -> None:
    editor = with_history("sent")
    editor.paste("one two three four")
    press(editor, "up", "up", size=(8,))
    assert editor.edit_text == "one two three four"
    press(editor, "up", "up", size=(8,))
    assert editor.edit_text == "sent"


def test_editing_what_was_sent_changes_no_history_and_loses_nothing() -> None:
    editor = with_history("one", "two")
    press(editor, *typed("draft"), "up", "x", "up", "down")
    assert editor.edit_text == "twox"
    press(editor, "down")
    assert editor.edit_text == "draft"
    press(editor, "up")
    assert editor.take() == "twox"
    assert editor.edit_text == "draft"
    press(editor, "up")
    assert editor.edit_text == "two"


def test_what_was_edited_has_its_own_undo() -> None:
    editor = with_history("one")
    press(editor, *typed("draft"), "up", "x", "ctrl _", "ctrl _")
    assert editor.edit_text == "one"
    press(editor, "down", "ctrl _")
    assert editor.edit_text == ""


def test_what_is_forgotten_is_gone_but_for_what_is_shown() -> None:
    editor = with_history("one", "two", "three")
    history = editor.draft.history
    press(editor, "up", "up", "x", "up", "down")
    history.forget(1)
    assert editor.edit_text == "twox"
    press(editor, "up")
    assert editor.edit_text == "one"
    press(editor, "down")
    assert editor.edit_text == "three"
    history.forget(0)
    history.forget(2)
    press(editor, "up")
    assert editor.edit_text == "three"
    press(editor, "down", "up")
    assert editor.edit_text == ""


def test_what_nothing_is_to_forget_stays() -> None:
    history = SentTexts()
    history.add("/who")
    history.add("hello", 0)
    history.forget(0)
    last = history.before(None)
    assert last
    assert last.text == "/who"


def contents(history: SentTexts) -> list[str]:
    found = []
    entry = history.before(None)
    while entry:
        found.append(entry.text)
        entry = history.before(entry)
    return found[::-1]


def test_history_is_bounded_in_number_and_in_bytes() -> None:
    history = SentTexts()
    history.add("")
    assert contents(history) == []
    for number in range(300):
        history.add(str(number), number)
    assert contents(history) == [str(number) for number in range(100, 300)]
    for number in range(10):
        history.add(f"{number}" + "é" * 20_000, number)
    assert [text[0] for text in contents(history)] == ["4", "5", "6", "7", "8", "9"]


def test_every_room_has_its_draft_its_history_and_its_undo() -> None:
    editor = with_history("sent here")
    press(editor, *typed("here"), "left")
    here = editor.swap(Draft())
    assert shown(editor) == "|"
    press(editor, "up", "ctrl _")
    assert shown(editor) == "|"
    editor.draft.history.add("sent there", 1)
    press(editor, "up")
    there = editor.swap(here)
    assert editor.draft is here
    assert shown(editor) == "her|e"
    press(editor, "ctrl _")
    assert shown(editor) == "|"
    assert editor.swap(there) is here
    assert shown(editor) == "sent there|"
    press(editor, "down")
    assert shown(editor) == "|"


def test_take_and_clear_leave_nothing() -> None:
    editor = with_history("one")
    press(editor, *typed("text"))
    assert editor.take() == "text"
    assert shown(editor) == "|"
    assert editor.take() == ""
    press(editor, *typed("text"), "up", "x")
    editor.clear()
    assert shown(editor) == "|"
    press(editor, "up")
    assert editor.edit_text == "one"
    press(editor, "down")
    assert editor.edit_text == ""


# Pastes.


def paste(editor: Editor, data: bytes) -> None:
    for key in Keys().feed(b"\x1b[200~" + data + b"\x1b[201~", 0):
        assert isinstance(key, str)
        assert editor.keypress(SIZE, key) is None


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"one two", "one two"),
        (b"one\ntwo", "one\ntwo"),
        (b"one\rtwo\r\r", "one\ntwo"),
        (b"one\r\ntwo\r\n", "one\ntwo"),
        (b"\n\n", ""),
        (b"a\tb", "a\tb"),
        ("日本e\u0301 😀".encode(), "日本e\u0301 😀"),
        (b"a\x00\x01\x03\x04\x07\x08\x1a\x1f\x7fb", "ab"),
        ("a\x85\x80b".encode(), "ab"),
        (b"a\x1b[Ab\x1b[1;5Dc\x1b[5~d", "abcd"),
        (b"a\x1b[31mred\x1b[0m", "ared"),
        (b"a\x1bb\x1b\rc", "ab\nc"),
        (b"a\x1b\x1b\x1bb", "ab"),
        (b"a\xff\xfeb", "ab"),
        (b"/quit\r", "/quit"),
        (b"a\x1b[200~b", "ab"),
        ("\u202e\u200bx".encode(), "\u202e\u200bx"),
    ],
)
def test_a_paste_is_text_and_nothing_else(data: bytes, text: str) -> None:
    editor = Editor()
    paste(editor, data)
    assert editor.edit_text == text


@pytest.mark.parametrize("text", ["one\r\ntwo\r\n", "one\rtwo", "one\ntwo\n\n", "\x1bone\ntwo\x00", "one\n\ud800two"])
def test_a_text_given_as_pasted_is_tidied(text: str) -> None:
    editor = Editor()
    editor.paste(text)
    assert editor.edit_text == "one\ntwo"


def test_a_paste_goes_where_the_cursor_is_and_is_undone_at_once() -> None:
    editor = holding("<|>")
    paste(editor, b"one two\nthree")
    assert shown(editor) == "<one two\nthree|>"
    press(editor, "ctrl _")
    assert shown(editor) == "<|>"


def test_a_long_paste_is_fast_and_what_does_not_fit_is_told() -> None:
    full = Full()
    editor = Editor(on_full=full)
    press(editor, *"typed")
    began = time.process_time()
    paste(editor, "é".encode() * 100_000)
    editor.render(SIZE, focus=True)
    assert time.process_time() - began < 10  # a fortieth of that here; a key at a time would take minutes
    assert editor.edit_text == "typed" + "é" * ((limits.INPUT_LINE - 5) // 2)
    assert full == ["full"]


def test_a_text_too_long_to_send_is_broken_at_spaces_like_any() -> None:
    editor = Editor()
    editor.paste("word " * (limits.TEXT // 5 + 1))
    assert [row.decode() for row in editor.render((8,)).text[:2]] == ["word    ", "word    "]


def test_what_follows_the_caption_begins_beside_it() -> None:
    editor = Editor("ann> ")
    editor.paste("x" * 10)
    assert [row.decode() for row in editor.render((10,)).text] == ["ann> xxxxx", "xxxxx     "]


def test_the_cursor_is_where_the_widest_terminal_has_it() -> None:
    editor = Editor()
    editor.paste("\u092d\u093e\u0930\u0924")
    assert editor.render((10,), focus=True).cursor == (4, 0)
    press(editor, "left", "left")
    assert editor.render((10,), focus=True).cursor == (2, 0)
    editor.mouse_event((10,), "mouse press", 1, 3, 0, focus=True)
    assert editor.edit_pos == 3
    press(editor, "ctrl e")
    assert editor.render((4,), focus=True).cursor == (3, 0)


def test_nothing_more_than_fits_is_typed_yanked_or_completed() -> None:
    full = Full()
    editor = Editor(on_full=full)
    editor.paste("x" * limits.INPUT_LINE)
    assert not full
    press(editor, "ctrl a", "a")
    assert editor.edit_text == "x" * limits.INPUT_LINE
    assert len(full) == 1
    editor.replace("y" * (limits.INPUT_LINE + 1), 0)
    assert editor.edit_text == "x" * limits.INPUT_LINE
    assert len(full) == 2
    press(editor, "ctrl k", "a", "ctrl y")
    assert editor.edit_text == "a" + "x" * (limits.INPUT_LINE - 1)
    assert len(full) == 3


# What is shown.


@given(texts)
def test_what_is_shown_is_as_long_as_the_text_and_harmless(text: str) -> None:
    editor = Editor("nick> ")
    editor.paste(text)
    text = editor.edit_text
    display = editor.get_text()[0].removeprefix("nick> ")
    assert len(display) == len(text)
    assert sanitize.sanitize_text(display) == display
    assert not set(display) & DANGEROUS - {"\n"}
    for typed_character, character in zip(text, display, strict=True):
        assert character in (typed_character, "\ufffd") or (typed_character, character) == ("\t", " ")
    if sanitize.sanitize_text(text) == text:
        assert display == text


def test_only_what_is_harmful_is_shown_as_something_else() -> None:
    editor = holding("a\\u202e\t\u202eb\\\n\U000e0041e" + "\u0301" * 6 + "😀\ue000")
    expected = "a\\u202e \ufffdb\\\n\ufffde" + "\u0301" * 4 + "\ufffd\ufffd😀\ufffd"
    assert editor.get_text()[0] == expected
    assert editor.take() == "a\\u202e\t\u202eb\\\n\U000e0041e" + "\u0301" * 6 + "😀\ue000"


def test_what_is_left_out_joins_nothing() -> None:
    editor = holding("\u1100\u200b\u1161\u11ab \U0001f468\u200b\u200d\U0001f469")
    assert editor.get_text()[0] == "\u1100\ufffd\ufffd\ufffd \U0001f468\ufffd\ufffd\U0001f469"


def test_the_caption_is_before_the_text_and_keeps_its_look() -> None:
    editor = Editor(("nick", "ann> "))
    press(editor, "h", "i")
    assert editor.get_text() == ("ann> hi", [("nick", 5)])
    assert editor.render(SIZE, focus=True).cursor == (7, 0)
    editor.set_caption([("nick", "zoë"), "> "])
    assert editor.get_text()[0] == "zoë> hi"


# Rows.


@pytest.mark.parametrize(
    ("text", "rows"), [("", 1), ("a\nb", 2), ("a\n", 2), ("x" * 25, 3), ("x" * 10, 1), ("日" * 6, 2)]
)
def test_the_rows_wanted_are_those_of_the_whole_text(text: str, rows: int) -> None:
    editor = Editor()
    editor.replace(text, 0)
    assert editor.rows_wanted(10) == rows


def drawn(box: EditorBox, size: tuple[int, int]) -> tuple[list[str], tuple[int, int] | None]:
    canvas = box.render(size, focus=True)
    assert (canvas.cols(), canvas.rows()) == size
    assert box.get_cursor_coords(size) == canvas.cursor
    return [row.decode().rstrip() for row in canvas.text], canvas.cursor


def test_a_box_shows_the_rows_around_the_cursor() -> None:
    editor = holding("1\n2\n3\n4\n5|")
    box = EditorBox(editor)
    size = (10, 3)
    assert drawn(box, size) == (["3", "4", "5"], (1, 2))
    box.keypress(size, "up")
    assert drawn(box, size) == (["3", "4", "5"], (1, 1))
    for _ in range(3):
        box.keypress(size, "up")
    assert drawn(box, size) == (["1", "2", "3"], (1, 0))
    assert drawn(box, (10, 7)) == (["1", "2", "3", "4", "5", "", ""], (1, 0))
    editor.clear()
    assert drawn(box, size) == (["", "", ""], (0, 0))
    assert box.keypress(size, "enter") == "enter"


def test_a_box_fits_the_foot_of_a_frame() -> None:
    editor = holding("1\n2\n3|")
    foot = urwid.Pile([("pack", urwid.Text("status")), ("given", 2, EditorBox(editor))], focus_item=1)
    frame: urwid.Frame[urwid.SolidFill, None, urwid.Pile] = urwid.Frame(
        urwid.SolidFill(), footer=foot, focus_part="footer"
    )
    size = (20, 10)
    canvas = frame.render(size, focus=True)
    assert [row.decode().strip() for row in canvas.text[-3:]] == ["status", "2", "3"]
    assert canvas.cursor == (1, 9)
    assert frame.keypress(size, "x") is None
    assert editor.edit_text == "1\n2\n3x"
    assert frame.keypress(size, "page up") == "page up"
    frame.mouse_event(size, "mouse press", 1, 0, 8, focus=True)
    assert shown(editor) == "1\n|2\n3x"


# Whatever is pressed.

KEYS = [
    *(key for _, key, _ in EDITING if len(key) > 1),
    *UNHANDLED,
    PASTE + "pasted\x1b\rtext",
    *"ab -日",
    "\u0301",
    "\u200d",
    "\u202e",
    "😀",
    "\U0001f1e6",
]
pressed = st.lists(st.one_of(st.sampled_from(KEYS), st.sampled_from(sorted(set(KEYS) - set(UNHANDLED)))), max_size=60)


@given(pressed, st.integers(2, 12), st.integers(1, 4))
def test_whatever_is_pressed_the_cursor_is_in_the_text_and_in_sight(keys: list[str], width: int, rows: int) -> None:
    editor = with_history("one", "two\nthree", "日本語 " * 5)
    box = EditorBox(editor)
    for key in keys:
        assert box.keypress((width, rows), key) in (None, key)
        assert 0 <= editor.edit_pos <= len(editor.edit_text)
        display = editor.get_text()[0]
        assert len(display) == len(editor.edit_text)
        assert sanitize.sanitize_text(display) == display
        at = drawn(box, (width, rows))[1]
        assert at
        assert 0 <= at[1] < rows


@given(pressed)
def test_enough_undo_leads_back_to_the_beginning(keys: list[str]) -> None:
    editor = Editor()
    for key in [*keys, *["ctrl _"] * 100]:
        editor.keypress(SIZE, key)
    assert editor.edit_text == ""


@given(pressed)
def test_enough_up_and_down_leads_to_the_draft(keys: list[str]) -> None:
    editor = with_history("one", "two\nthree")
    press(editor, *"draft")
    for key in [*(key for key in keys if key in ("up", "down", "left", "x", "ctrl a")), *["down"] * 20]:
        editor.keypress(SIZE, key)
    assert editor.edit_text.replace("x", "") == "draft"


# Without what joins its neighbours to one character once something between them is gone: that moves the cursor.
apart = st.text(
    st.characters(exclude_categories=("Cc", "Cs", "M", "Cf", "Sk", "Co", "Cn"), max_codepoint=0x2FFF).filter(
        lambda character: not 0x1100 <= ord(character) < 0x1200
    )
    | st.sampled_from("\n ")
)


@given(apart, st.integers(0, 20), st.sampled_from(["ctrl k", "ctrl u", "ctrl w", "meta d", "meta backspace"]))
def test_what_was_killed_comes_back_by_yanking(text: str, at: int, key: str) -> None:
    editor = Editor()
    editor.replace(text, at)
    before = editor.edit_text
    press(editor, key)
    if editor.edit_text != before:
        press(editor, "ctrl y")
    assert editor.edit_text == before


@given(st.binary(max_size=60), st.lists(texts, max_size=3))
def test_no_paste_acts_or_leaves_controls(data: bytes, more: list[str]) -> None:
    full = b"".join([data, *(text.encode(errors="ignore") for text in more)])
    editor = Editor()
    paste(editor, full.replace(b"\x1b[201~", b""))
    assert all(character in "\n\t" or unicodedata.category(character) != "Cc" for character in editor.edit_text)
