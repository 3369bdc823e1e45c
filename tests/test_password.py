"""Where the password of a control port comes from."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from anonp2p import limits, password
from anonp2p.config import Config, Endpoint
from anonp2p.errors import Usage
from anonp2p.net.tor import control
from anonp2p.password import find_password
from anonp2p.ui import secret_prompt

VARIABLE = "ANONP2P_CONTROL_PASSWORD_FILE"
NAMED = Config(control=Endpoint(path="/x"))


@pytest.mark.parametrize(
    ("content", "found"), [(b"my pass\n", b"my pass"), (b"a\r\nb", b"a"), (b"\xff ", b"\xff "), (b"x" * 2_000, None)]
)
def test_it_is_the_first_line_of_a_file(tmp_path: Path, content: bytes, found: bytes | None) -> None:
    path = tmp_path / "password"
    path.write_bytes(content)
    config = find_password(Config(), {VARIABLE: str(path)})
    assert config == replace(Config(), password=b"x" * limits.PASSWORD if found is None else found)


def test_on_standard_input_what_follows_it_is_left_there() -> None:
    reading, writing = os.pipe()
    os.write(writing, b"secret\ncode\n")
    os.close(writing)
    usual = os.dup(0)
    os.dup2(reading, 0)
    try:
        assert find_password(Config(), {VARIABLE: "-"}).password == b"secret"
        assert os.read(0, 99) == b"code\n"
    finally:
        os.dup2(usual, 0)
        os.close(usual)
        os.close(reading)


@pytest.mark.parametrize("what", ["/nonexistent/file", "/", "a\0b", "empty"])
def test_a_file_that_gives_none_is_wrong_usage(tmp_path: Path, what: str) -> None:
    (tmp_path / "empty").write_bytes(b"\n")
    with pytest.raises(Usage, match=VARIABLE):
        find_password(Config(), {VARIABLE: str(tmp_path / what) if what == "empty" else what})


@pytest.mark.parametrize(
    ("config", "environment", "is_terminal", "is_wanted", "is_asked"),
    [
        (NAMED, {}, True, True, True),
        (NAMED, {}, True, False, False),
        (NAMED, {}, False, True, False),
        (NAMED, {"TOR_CONTROL_PASSWD": "x"}, True, True, False),
        (Config(), {}, True, True, False),  # what we find by ourselves has to let us in without a question
    ],
)
def test_it_is_asked_for_where_a_port_that_was_named_wants_it_and_somebody_is_there(
    monkeypatch: pytest.MonkeyPatch,
    config: Config,
    environment: dict[str, str],
    *,
    is_terminal: bool,
    is_wanted: bool,
    is_asked: bool,
) -> None:
    async def wants(endpoint: Endpoint) -> bool:
        assert endpoint == NAMED.control
        return is_wanted

    monkeypatch.setattr(password, "has_terminal", lambda: is_terminal)
    monkeypatch.setattr(control, "wants_password", wants)
    monkeypatch.setattr(secret_prompt, "ask_password", lambda port: b"typed" if port == "unix:/x" else b"")
    assert find_password(config, environment).password == (b"typed" if is_asked else b"")


def test_a_configuration_never_shows_it() -> None:
    assert "secret" not in repr(replace(NAMED, password=b"secret"))
