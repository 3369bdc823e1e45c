"""The command line: what it understands, what it refuses, and how the program ends when it cannot even begin."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from anonp2p import __version__, limits, options
from anonp2p.bridges.errors import BadBridge
from anonp2p.cli import configure
from anonp2p.config import Endpoint, Listen
from anonp2p.errors import AnonError, BadCode, BadInput, BadNick, Usage
from anonp2p.names import codes
from anonp2p.ui.commands import from_arguments, parse_line
from tests.support.processes import waiting_program

CODE = codes.encode_key(bytes(range(32)))
# By what stands behind an option in the table: a value that it takes.
VALUES = {
    "": "1",
    "NICK": "ada",
    "HOST:PORT[-PORT]": "127.0.0.1:2000-2010",
    "HOST:PORT|unix:PATH": "127.0.0.1:9",
    "FILE": "/dev/null",
    "LINE|FILE": "192.0.2.1:443",
}


def run(
    *arguments: str, given: str = "", stdout: int = subprocess.PIPE, before: str = "", **environment: str
) -> subprocess.CompletedProcess[str]:
    """Runs the program without a Tor to be found, unless the environment says otherwise.

    before: statements that are run first, which may spoil something of the program.
    """
    spoiled = f"import sys\n{before}\nfrom anonp2p import cli\nsys.exit(cli.main())"
    return subprocess.run(
        [sys.executable, *(("-c", spoiled) if before else ("-m", "anonp2p")), *arguments],
        input=given,
        stdout=stdout,
        stderr=subprocess.PIPE,
        env={"PATH": "/nonexistent", **environment},
        text=True,
        check=False,
        timeout=60,
    )


def assert_one_sentence(text: str) -> None:
    assert text.startswith("anonp2p: ")
    assert text.endswith(".\n")
    assert text.count("\n") == 1


def test_help_and_version_need_nothing() -> None:
    assert run("--version").stdout == f"anonp2p {__version__}\n"
    shown = run("--help")
    assert shown.returncode == 0
    assert shown.stdout == options.write_help(80)
    assert run("-h", COLUMNS="50").stdout == options.write_help(50)


def test_lines_on_pipes_import_no_urwid() -> None:
    """It asks `uname` what machine this is: a program that we have no use for, started with our environment."""
    loaded = "import sys; import anonp2p.ui.line.line_mode; print('urwid' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", loaded], capture_output=True, check=True, text=True)
    assert done.stdout == "False\n"


def test_a_room_is_shown_before_what_speaks_to_tor_is_loaded() -> None:
    """To load it takes as long as a sixth of all else that the first address waits for."""
    loaded = "import sys; import anonp2p.app, anonp2p.ui.line.line_mode; print('stem.control' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", loaded], capture_output=True, check=True, text=True)
    assert done.stdout == "False\n"


def test_garbage_is_collected_once_all_is_loaded_and_not_before() -> None:
    """A room that goes on for days is made after that."""
    program = (
        "import sys, gc; from anonp2p import __main__, cli, hardening\n"
        "hardening.restart_wiping = lambda: None\n"
        "def main(): print(gc.isenabled()); cli.calm_collector(); print(gc.isenabled())\n"
        "cli.main = main; __main__.main()"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)
    assert done.stdout == "False\nTrue\n"


def test_help_imports_neither_trio_nor_stem_nor_cryptography() -> None:
    loaded = (
        "import sys; sys.argv[1:] = ['--help']\nfrom anonp2p.cli import main\ntry: main()\nexcept SystemExit: pass\n"
    )
    loaded += "print(sorted({'trio', 'stem', 'cryptography', 'msgspec'} & set(sys.modules)))"
    output = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True).stdout
    assert output.endswith("\n[]\n")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--frobnicate"], Usage),
        (["--line", "--json"], Usage),
        (["dance"], Usage),
        (["create"], Usage),
        (["join"], Usage),
        (["create", "a", "b"], Usage),
        (["create", "a b"], BadInput),
        (["create", "x\x1b[2J"], BadInput),
        (["join", "hello"], BadCode),
        (["join", CODE.replace("a", "b", 1)], BadCode),
        (["--nick", "a b"], BadNick),
        (["--nick", "\u202eadmin"], BadNick),
        (["--tor", "maybe"], Usage),
        (["--cov"], Usage),
        (["--socks", "127.0.0.1:0"], Usage),
        (["--control", "9051"], Usage),
        (["--socks", "host:99999"], Usage),
        (["--socks", "127.0.0.1:" + "9" * 5_000], Usage),
        (["--control", "tor.example:9051"], Usage),
        (["--control", "127.1:9051"], Usage),
        (["--socks", "tor.example:9050"], Usage),
        (["--torrc", "/nonexistent"], Usage),
        (["--torrc", "/"], Usage),
        (["--torrc", "/dev/null", "--control", "127.0.0.1:9051"], Usage),
        (["--torrc", "/dev/null", "--socks", "127.0.0.1:9050"], Usage),
        (["--torrc", "/dev/null", "--tor", "system"], Usage),
        (["--bridge", "192.0.2.1:443", "--control", "127.0.0.1:9051"], Usage),
        (["--bridge", "192.0.2.1:443", "--socks", "127.0.0.1:9050"], Usage),
        (["--bridge", "192.0.2.1:443", "--tor", "system"], Usage),
        (["--bridge", "192.0.2.1:443", "--bridge", "obfs4 192.0.2.1:443"], BadBridge),
        (["--bridge", "/nonexistent"], BadBridge),
        (["--tor", "own", "--control", "127.0.0.1:9051"], Usage),
        (["--tor", "own", "--listen", "127.0.0.1:2000"], Usage),
        (["--torrc", "/dev/null", "--listen", "127.0.0.1:2000"], Usage),
        (["--listen", "2000"], Usage),
        (["--listen", "127.0.0.1:"], Usage),
        (["--listen", "127.0.0.1:0"], Usage),
        (["--listen", "127.0.0.1:2001-2000"], Usage),
        (["--listen", "127.0.0.1:2000-"], Usage),
        (["--listen", "127.0.0.1:2000-66000"], Usage),
        (["--listen", "0.0.0.0:2000"], Usage),
        (["--listen", "[::]:2000"], Usage),
        (["--listen", "tor.example:2000"], Usage),
        (["--tor", "own", "--socks", "127.0.0.1:9050"], Usage),
        (["--stay"], Usage),
        (["--stay", "join", CODE], Usage),
        (["--knock"], Usage),
        (["--private", "join", CODE], Usage),
        (["--retain", "5m", "doctor"], Usage),
        (["create", "demo", "--retain"], Usage),
        (["create", "demo", "--retain", "5"], BadInput),
        (["create", "demo", "--history", "0"], BadInput),
        (["create", "demo", "--history", "5 again"], BadInput),
    ],
)
def test_wrong_usage_is_one_sentence_and_status_2(arguments: list[str], error: type[AnonError]) -> None:
    with pytest.raises(error) as caught:
        configure(arguments, {})
    assert caught.value.status == 2
    assert_one_sentence(f"anonp2p: {caught.value}\n")


def test_the_rules_of_a_room_are_given_as_behind_create() -> None:
    config = configure(["--knock", "create", "demo", "--history", "20", "--retain", "30s:5m:2h", "--private"], {})
    created = from_arguments(config.action, config.subject)
    assert created == parse_line("/create demo --retain 30s:5m:2h --history 20 --knock --private")
    assert configure(["create", "demo"], {"ANONP2P_KNOCK": "1"}).subject == "demo"


def test_options_have_twins_in_the_environment_and_win_over_them(tmp_path: Path) -> None:
    torrc = tmp_path / "torrc"
    torrc.touch()
    config = configure([], {"ANONP2P_NICK": "ada", "ANONP2P_AMNESIC": "1", "ANONP2P_TORRC": str(torrc)})
    assert (config.nick, config.amnesic, config.torrc, config.tor) == ("ada", True, torrc, "own")
    config = configure(["--nick", "ben"], {"ANONP2P_NICK": "ada", "ANONP2P_CONTROL": "unix:/x", "ANONP2P_AMNESIC": "0"})
    assert (config.nick, config.control, config.amnesic, config.tor) == ("ben", Endpoint(path="/x"), False, "system")
    assert configure(["--control", "localhost:9051"], {}).control == Endpoint(host="127.0.0.1", port=9051)
    config = configure(["--socks", "[::1]:9050", "join", f" anonp2p:{CODE.upper()} "], {})
    assert (config.socks, config.tor, config.action) == (Endpoint(host="::1", port=9050), "auto", "join")
    assert configure([], {"ANONP2P_AMNESIC": "yes"}).amnesic
    config = configure([], {"ANONP2P_LISTEN": "10.0.0.7:2000-2010"})
    assert (config.listen, config.tor) == (Listen("10.0.0.7", 2000, 2010), "system")
    assert configure(["--listen", "[fd00::7]:2000"], {}).listen == Listen("fd00::7", 2000, 2000)
    for arguments, environment in (
        (["--no-heir"], {"ANONP2P_NO_ENTRUST": "1"}),
        (["--no-entrust"], {"ANONP2P_NO_HEIR": "1"}),
    ):
        config = configure(arguments, environment)
        assert (config.no_heir, config.no_entrust) == (True, True)
    assert not configure(["join", CODE], {"ANONP2P_STAY": "1"}).stay
    config = configure([], {"ANONP2P_NO_HEIR": "0", "ANONP2P_NO_ENTRUST": "no"})
    assert (config.no_heir, config.no_entrust) == (False, False)


@pytest.mark.parametrize(
    "option", [option for option in options.OPTIONS if option.twin], ids=lambda option: option.flag
)
def test_each_option_of_the_table_does_something_and_its_twin_does_the_same(option: options.Option) -> None:
    value = option.choices[-1] if option.choices else VALUES[option.value]
    given = configure([*([option.flag, value] if option.value else [option.flag]), "create", "demo"], {})
    assert given == configure(["create", "demo"], {option.twin: value})
    assert given != configure(["create", "demo"], {})


def test_bridges_are_for_our_own_tor_and_are_lines_of_all_that_was_given(tmp_path: Path) -> None:
    file = tmp_path / "bridges"
    file.write_text("# two of them\nBridge 192.0.2.1:443\n\n192.0.2.2:443\n")
    config = configure(["--bridge", str(file), "--bridge", "192.0.2.3:443"], {"ANONP2P_BRIDGE": "192.0.2.9:443"})
    assert [bridge.line for bridge in config.bridges] == [f"192.0.2.{number}:443" for number in (1, 2, 3)]
    assert config.tor == "own"
    config = configure([], {"ANONP2P_BRIDGE": "192.0.2.1:443\n192.0.2.2:443"})
    assert ([bridge.line for bridge in config.bridges], config.tor) == (["192.0.2.1:443", "192.0.2.2:443"], "own")


def test_a_configuration_never_shows_what_it_holds() -> None:
    config = configure(["--nick", "zoe", "--bridge", "192.0.2.77:443", "join", CODE], {})
    assert "zoe" not in repr(config)  # no nick that an address could be spelled like
    assert "192.0.2.77" not in repr(config) + repr(config.bridges)
    assert CODE not in repr(config)


@pytest.mark.parametrize("arguments", [("create", "demo"), ("join", CODE), ()])
def test_without_tor_the_program_says_so_and_ends_with_3(arguments: tuple[str, ...]) -> None:
    ended = run(*arguments, given="hello\n" * (not arguments) + "\n" * 3)
    if arguments:
        assert ended.returncode == 3
        assert_one_sentence(ended.stderr)
        assert "Tor is missing" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.fixture
def silent() -> Iterator[str]:
    """A control port that never answers: where it could be known first that there is no Tor, that would be told."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def test_a_mistyped_code_on_stdin_is_wrong_usage(silent: str) -> None:
    for given in ("hello\n", "", "\n"):
        ended = run("--control", silent, "join", "-", given=given)
        assert ended.returncode == 2
        assert_one_sentence(ended.stderr)
        assert "not a room code" in ended.stderr


@pytest.fixture
def something_else() -> Iterator[str]:
    """A port where no Tor listens, but something that answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(100)
                    connection.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


@pytest.mark.parametrize("warnings", ["", "error", "always"])
def test_a_control_port_that_is_something_else_ends_with_3(something_else: str, warnings: str) -> None:
    ended = run("--control", something_else, "create", "demo", PYTHONWARNINGS=warnings)
    assert ended.returncode == 3
    assert_one_sentence(ended.stderr)
    assert "no control port of Tor" in ended.stderr


def test_a_full_disk_under_our_output_is_one_sentence(silent: str) -> None:
    with Path("/dev/full").open("w") as full:
        ended = run("--control", silent, "create", "demo", stdout=full.fileno())
    assert ended.returncode == 1
    assert_one_sentence(ended.stderr)
    assert "No space left" in ended.stderr


def test_a_closed_stdout_ends_the_program_quietly(silent: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        ended = run("--control", silent, "create", "demo", stdout=writer)
    finally:
        os.close(writer)
    assert (ended.returncode, ended.stderr) == (0, "")


def run_shell(command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Has a shell run this command, in which "$@" is the program with these arguments."""
    return subprocess.run(
        ["/bin/sh", "-c", command, "sh", sys.executable, "-m", "anonp2p", *arguments],
        capture_output=True,
        stdin=subprocess.DEVNULL,
        env={"PATH": "/nonexistent"},
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("closed", [">&-", "<&- >&- 2>&-"])
def test_a_stdout_that_was_never_open_ends_the_program_quietly(closed: str, silent: str) -> None:
    ended = run_shell(f'"$@" {closed}', "--control", silent, "create", "demo")
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize("closed", ["<&-", "<&- 2>&-"])
def test_a_stdin_that_was_never_open_is_an_empty_one(closed: str, silent: str) -> None:
    ended = run_shell(f'"$@" {closed}', "--control", silent, "join", "-")
    assert (ended.returncode, "not a room code" in ended.stderr) == (2, "2>" not in closed)
    ended = run_shell(f'"$@" {closed}', "--control", silent, "--json")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


@pytest.mark.parametrize("lost", ["2>&-", "2>/dev/full", "<&- >&- 2>&-"])
def test_a_sentence_that_nobody_can_read_changes_no_exit_code(lost: str) -> None:
    ended = run_shell(f'"$@" {lost}', "--frobnicate")
    assert (ended.returncode, ended.stdout, ended.stderr) == (2, "", "")


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_what_is_asked_for_and_cannot_be_printed_is_one_sentence(option: str) -> None:
    for nobody in (">&-", "| true"):
        ended = run_shell(f'"$@" {nobody}', option)
        assert (ended.returncode, ended.stderr) == (0, "")
    ended = run_shell('"$@" >/dev/full', option)
    assert ended.returncode == 1
    assert_one_sentence(ended.stderr)
    assert "No space left" in ended.stderr


@pytest.mark.parametrize("ignored", [(signal.SIGHUP,), (signal.SIGINT, signal.SIGQUIT)], ids=["nohup", "background"])
def test_signals_that_were_ignored_at_the_start_end_nothing(ignored: tuple[signal.Signals, ...]) -> None:
    with waiting_program(" ".join(number.name.removeprefix("SIG") for number in ignored)) as process:
        for number in (*ignored, signal.SIGTERM):
            process.send_signal(number)
        assert process.wait(60) == 128 + signal.SIGTERM


def test_where_all_signals_are_ignored_the_end_of_input_is_an_end() -> None:
    with waiting_program("HUP INT QUIT TERM") as process:
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
            process.send_signal(number)
        assert process.stdin
        process.stdin.close()
        assert process.wait(60) == 0


def test_an_error_of_ours_is_told_by_kind_and_place_without_what_it_carries(monkeypatch: pytest.MonkeyPatch) -> None:
    from anonp2p import cli

    def fail(_: object) -> None:
        raise ExceptionGroup("group", [KeyError("the secret")])

    written: list[str] = []
    monkeypatch.setattr(cli, "run", fail)
    monkeypatch.setattr(cli, "complain", written.append)
    monkeypatch.setattr(sys, "argv", ["anonp2p"])
    assert cli.main() == 1
    assert "KeyError at tests.test_cli:" in written[0]
    assert "secret" not in written[0]


def test_a_sentence_that_repeats_what_was_typed_harms_no_terminal() -> None:
    ended = run("--x\x1b[2J\u202e")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert_one_sentence(ended.stderr)
    assert "\x1b" not in ended.stderr
    assert "\u202e" not in ended.stderr


def test_nothing_that_goes_to_or_comes_from_tor_is_logged() -> None:
    program = (
        "import logging; logging.basicConfig(level=1)\n"
        "import anonp2p.net.tor.controller, stem.util.log as log\n"
        "log.trace('ED25519-V3:secret'); log.error('ED25519-V3:secret')"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert ended.stdout + ended.stderr == ""


def spoil(place: str, error: str) -> str:
    """Statements that make a function raise an error that carries a secret."""
    module = place.rpartition(".")[0]
    return (
        f"import {module}\ndef fail(*arguments, **options):\n"
        f"    secret = 'the secret'\n    raise {error}\n{place} = fail"
    )


CONFIGURE, CONNECT, UNDERSTAND = (
    "anonp2p.cli.configure",
    "anonp2p.net.tor.tor.connect",
    "anonp2p.ui.line.interpreter.parse_typed_line",
)


@pytest.mark.parametrize(
    ("place", "error"),
    [
        *((place, "ValueError(secret)") for place in (CONFIGURE, CONNECT, UNDERSTAND)),
        (CONNECT, "ExceptionGroup(secret, [LookupError(secret), ValueError(secret)])"),
        (CONNECT, "BaseExceptionGroup(secret, [GeneratorExit(secret)])"),
        (CONNECT, "type('PanicException', (BaseException,), {})(secret)"),  # no Exception, as Rust has it
    ],
)
def test_an_error_of_ours_is_one_sentence_wherever_it_happens(place: str, error: str, silent: str) -> None:
    ended = run("--json", "--control", silent, given="hello\n", before=spoil(place, error))
    assert ended.returncode == 1
    assert_one_sentence(ended.stderr)
    assert " at __main__:" in ended.stderr
    assert "secret" not in ended.stdout + ended.stderr


@pytest.mark.parametrize(
    ("place", "error", "lack"),
    [
        (CONFIGURE, "MemoryError(secret)", "too little memory"),
        (CONNECT, "ExceptionGroup(secret, [LookupError(secret), OSError(24, secret, secret)])", "too few open files"),
        (UNDERSTAND, 'RuntimeError("can\'t start new thread")', "too few threads"),
    ],
)
def test_what_the_machine_lacks_is_no_error_of_ours(place: str, error: str, lack: str, silent: str) -> None:
    ended = run("--json", "--control", silent, given="hello\n", before=spoil(place, error))
    assert ended.returncode == 1
    assert_one_sentence(ended.stderr)
    assert lack in ended.stderr
    assert "error in anonp2p" not in ended.stderr
    assert "secret" not in ended.stdout + ended.stderr


@pytest.mark.parametrize(
    ("limit", "arguments", "lack"),
    [
        ("ulimit -v 32768", ("--json",), "too little memory"),
        ("ulimit -v 65536", ("create", "demo"), "too little memory"),
        ("ulimit -d 65536", ("create", "demo"), "too little memory"),
        ("ulimit -n 6", ("create", "demo"), "too few open files"),
    ],
)
def test_a_limit_too_low_to_start_with_is_one_sentence(limit: str, arguments: tuple[str, ...], lack: str) -> None:
    ended = run_shell(f'{limit}; exec "$@"', *arguments)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert_one_sentence(ended.stderr)
    assert lack in ended.stderr


@pytest.mark.parametrize("error", ["KeyboardInterrupt", "BaseExceptionGroup('', [KeyboardInterrupt()])"])
def test_an_interrupt_that_comes_too_soon_is_no_error_of_ours(error: str) -> None:
    ended = run(before=spoil(CONFIGURE, error))
    assert (ended.returncode, ended.stderr) == (130, "")


APP = """
import logging, threading
import anonp2p.app
class Odd:
    def __del__(self):
        raise ValueError("the secret")
class App:
    failure = None
    def __init__(self, *arguments): pass
    async def run(self):
        {does}
        return 0
anonp2p.app.App = App"""


def test_an_error_in_a_thread_or_a_finalizer_is_one_sentence_as_well() -> None:
    thread = 'thread = threading.Thread(target=lambda: {}["the secret"]); thread.start(); thread.join()'
    ended = run(before=APP.replace("{does}", f"{thread}; Odd()"))
    assert ended.returncode == 0
    assert [line.split(": ")[2].split(" at ")[0] for line in ended.stderr.splitlines()] == ["KeyError", "ValueError"]
    assert "secret" not in ended.stderr


def test_what_a_library_logs_is_not_shown() -> None:
    logs = 'logging.getLogger("trio.serve_listeners").error("the secret"); logging.warning("the secret")'
    ended = run(before=APP.replace("{does}", logs))
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


OLD = {
    "nothing": "raise ImportError",
    "no hpke": "import sys; sys.modules['cryptography.hazmat.primitives.hpke'] = None",
    "no such KEM": "from cryptography.hazmat.primitives import hpke\nclass KEM: X25519 = 1\nhpke.KEM = KEM",
    "no ML-KEM": "import sys; sys.modules['cryptography.hazmat.primitives.asymmetric.mlkem'] = None",
    "built without": """
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import mlkem
def refuse(seed): raise UnsupportedAlgorithm("ML-KEM is not supported by this version of OpenSSL.")
mlkem.MLKEM768PrivateKey.from_seed_bytes = refuse""",
    "suite refused": """
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hpke
def refuse(*parts): raise UnsupportedAlgorithm("MLKEM768_X25519 is not supported by this backend.")
hpke.Suite = refuse""",
}


@pytest.mark.parametrize(
    ("package", "arguments"),
    [("trio", ()), ("msgspec", ("create", "demo")), ("msgspec", ()), ("stem", ()), ("trio", ("--json",))],
)
@pytest.mark.parametrize("found", ["0.1.2rc1", ""])
def test_a_package_that_is_too_old_or_missing_is_told_at_the_start(
    package: str, arguments: tuple[str, ...], found: str, tmp_path: Path
) -> None:
    statement = f"__version__ = {found!r}" if found else "raise ImportError"
    (tmp_path / f"{package}.py").write_text(statement)
    ended = run(*arguments, PYTHONPATH=os.pathsep.join((str(tmp_path), os.environ.get("PYTHONPATH", ""))))
    assert ended.returncode == 1
    assert_one_sentence(ended.stderr)
    needed = ".".join(map(str, limits.VERSIONS[package]))
    assert f"{package} is needed in version {needed} or newer, and {found or 'none'} was found" in ended.stderr
    told = json.loads(ended.stdout)["code"] if "--json" in arguments else ended.stdout
    assert told == ("failed" if "--json" in arguments else "")


def test_the_versions_that_are_required_at_the_start_are_those_that_are_installed_with_the_program() -> None:
    project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())["project"]
    bounds = dict(line.partition(",")[0].split(">=") for line in project["dependencies"])
    for package, needed in limits.VERSIONS.items():
        assert bounds[package] == ".".join(map(str, needed))


@pytest.mark.parametrize("statements", OLD.values(), ids=OLD.keys())
@pytest.mark.parametrize("arguments", [(), ("create", "demo"), ("--json",), ("--help",)], ids=" ".join)
def test_a_cryptography_that_cannot_seal_is_told_at_the_start(
    statements: str, arguments: tuple[str, ...], tmp_path: Path
) -> None:
    import cryptography

    (tmp_path / "cryptography").mkdir()
    origin = Path(cryptography.__file__)  # the real one, but for these statements at its import
    real = f"__path__ = [{str(origin.parent)!r}]\nexec(open({str(origin)!r}).read())\n"
    (tmp_path / "cryptography" / "__init__.py").write_text(real + statements)
    ended = run(*arguments, PYTHONPATH=os.pathsep.join((str(tmp_path), os.environ.get("PYTHONPATH", ""))))
    if arguments == ("--help",):
        assert ended.returncode == 0
        return
    assert ended.returncode == 1
    assert_one_sentence(ended.stderr)
    assert "MLKEM768-X25519" in ended.stderr
    if arguments == ("--json",):
        told = json.loads(ended.stdout)
        assert (told["type"], told["code"], told["final"]) == ("error", "crypto-missing", True)
    else:
        assert ended.stdout == ""
