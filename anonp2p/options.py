"""What the command line takes: one table, of which parser, `--help`, man page and completions are made."""

import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

DESCRIPTION = (
    "Anonymous group chat over Tor: whoever creates a room hosts it, others join with its code; nothing is stored."
)
SYNOPSIS = "[OPTIONS] [{actions}]"
_INDENT, _TERMS = 2, 26  # columns: before a term, and up to where its meaning begins
_NARROW = 60  # columns of a terminal on which a meaning begins on a row of its own, below its term
_WIDE = 100  # columns that no row goes beyond


@dataclass(frozen=True, slots=True)
class Option:
    """An option.

    value: what stands behind it; empty for a switch. choices: all that its value can be. takes_file: whether its value
    can be a file's path. repeats: whether it may be given more than once. twin: the variable that is its default,
    empty where none is. excludes: those that do not go with it. of_room: it is a rule of the room that is created, as
    behind /create.
    """

    name: str
    meaning: str
    value: str = ""
    choices: tuple[str, ...] = ()
    takes_file: bool = False
    repeats: bool = False
    has_twin: bool = True
    excludes: tuple[str, ...] = ()
    of_room: bool = False

    @property
    def flag(self) -> str:
        return f"--{self.name}"

    @property
    def key(self) -> str:
        """Its name as an attribute."""
        return self.name.replace("-", "_")

    @property
    def twin(self) -> str:
        """The variable of the environment that holds its default."""
        return f"ANONP2P_{self.key.upper()}" if self.has_twin else ""

    @property
    def usage(self) -> str:
        return f"{self.flag} {self.value}" if self.value else self.flag


@dataclass(frozen=True, slots=True)
class Action:
    """What the program can be asked for at its start, and the value that has to stand behind it, if any."""

    name: str
    meaning: str
    value: str = ""

    @property
    def usage(self) -> str:
        return f"{self.name} {self.value}".strip()


@dataclass(frozen=True, slots=True)
class Explanation:
    """An exit code, a variable or an example, and what it means."""

    term: str
    meaning: str


ACTIONS = (
    Action("create", "create a room, and host it", "NAME"),
    Action("join", "join the room with this code; - reads the code from the first line of stdin", "CODE"),
    Action("doctor", "look at Tor and this machine, and say what is wrong and what to do about it"),
)

_PORT = "HOST:PORT|unix:PATH"
OPTIONS = (
    Option("nick", "nick to use instead of a random anon-x93k", "NICK"),
    Option("line", "line mode, for plain terminals and pipes", has_twin=False, excludes=("json",)),
    Option("json", "JSON-lines mode, for scripts", has_twin=False, excludes=("line",)),
    Option(
        "tor",
        "use a running Tor (system), one of our own (own), or ours unless one is running (auto)",
        "auto|system|own",
        choices=("auto", "system", "own"),
    ),
    Option("control", "control port of a running Tor", _PORT),
    Option("socks", "SOCKS port of a running Tor", _PORT),
    Option(
        "listen",
        "where a Tor on another machine reaches us; found by itself on Whonix",
        "HOST:PORT[-PORT]",
    ),
    Option("torrc", "extra torrc lines for our own Tor (a private network)", "FILE", takes_file=True),
    Option(
        "bridge",
        "a bridge by which our own Tor enters its network, as its line or in a file of such lines; may be repeated. "
        "Other users of this machine can read arguments: a file, or the variable, keeps a line from them",
        "LINE|FILE",
        takes_file=True,
        repeats=True,
    ),
    Option("amnesic", "our own Tor keeps nothing on disk"),
    Option("no-heir", "never host a room for others"),
    Option("no-entrust", "a room's key stays with its host: after the host's death the code changes"),
    Option("cover", "hide when nothing is said: dummy traffic"),
    Option(
        "stay",
        "with create: the end of input does not end the room, a signal does. Rooms live in memory alone: what is "
        "started again is another room, with another code",
    ),
    Option("retain", "with create: how long messages are kept", "T|T:T:T", has_twin=False, of_room=True),
    Option("history", "with create: what newcomers are shown", "N|T", has_twin=False, of_room=True),
    Option("knock", "with create: newcomers wait until a moderator lets them in", has_twin=False, of_room=True),
    Option("private", "with create: nobody finds the room without an invitation", has_twin=False, of_room=True),
    Option("help", "show this and end; -h too", has_twin=False),
    Option("version", "show the version and end", has_twin=False),
)

# What else of the environment changes what the program does.
VARIABLES = (
    Explanation("TOR_CONTROL_IPC_PATH", "the unix socket of a running Tor's control port, which is tried first"),
    Explanation("TOR_CONTROL_HOST, TOR_CONTROL_PORT", "the control port of a running Tor, as an address and a number"),
    Explanation(
        "ANONP2P_CONTROL_PASSWORD_FILE",
        "a file with the password of a control port in its first line; - for standard input. Without it, the password "
        "is asked for on the terminal where the port that --control names wants one",
    ),
    Explanation("TOR_CONTROL_PASSWD", "the password of a control port, as other programs have it"),
    Explanation(
        "TOR_SOCKS_IPC_PATH, TOR_SOCKS_HOST, TOR_SOCKS_PORT",
        "the SOCKS port of a running Tor whose control port does not tell it, or may not be used",
    ),
    Explanation(
        "XDG_STATE_HOME", "where our own Tor keeps its guards and its cache, in a folder anonp2p (~/.local/state)"
    ),
    Explanation("XDG_RUNTIME_DIR", "where its sockets are, in a folder that ends with the program"),
)

EXIT_CODES = (
    Explanation("0", "done"),
    Explanation("1", "failed"),
    Explanation("2", "wrong usage"),
    Explanation("3", "Tor is missing, unreachable or refuses us"),
    Explanation("4", "the room could not be reached or refused us"),
    Explanation("128+N", "ended by signal N"),
)

EXAMPLES = (
    Explanation("anonp2p", "open the full screen; /help there lists what can be typed"),
    Explanation("anonp2p create demo", "create a room; its code is what others join with"),
    Explanation("anonp2p join -", "ask for the code, so that the history of the shell does not keep it"),
    Explanation("anonp2p --line create demo --stay < /dev/null", "host a room until a signal ends the program"),
    Explanation("printf '%s\\n' \"$CODE\" hello | anonp2p --json join -", "say something and leave"),
)


def write_synopsis() -> str:
    return SYNOPSIS.format(actions=" | ".join(action.usage for action in ACTIONS))


def write_help(columns: int) -> str:
    """What `--help` says, on a terminal of so many columns."""
    width = min(columns, _WIDE)
    rows = ((option.usage, f"{option.meaning} [{option.twin}]".removesuffix(" []")) for option in OPTIONS)
    parts: list[Iterable[str]] = [
        textwrap.wrap(f"usage: anonp2p {write_synopsis()}", width),
        textwrap.wrap(DESCRIPTION, width),
        _write_terms(((action.usage, action.meaning) for action in ACTIONS), width),
        ["options [and the variables of their defaults]:", *_write_terms(rows, width)],
        ["environment:", *_write_terms(((one.term, one.meaning) for one in VARIABLES), width)],
        ["exit codes:", *_write_terms(((one.term, one.meaning) for one in EXIT_CODES), width)],
        ["examples:", *_write_terms(((one.term, one.meaning) for one in EXAMPLES), width)],
    ]
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def _write_terms(terms: Iterable[tuple[str, str]], width: int) -> Iterator[str]:
    """Rows of terms with what they mean, beside them where there is room."""
    column = _TERMS if width > _NARROW else 2 * _INDENT
    for term, meaning in terms:
        rows = textwrap.wrap(meaning, max(width - column, 1), break_on_hyphens=False)
        if _INDENT + len(term) + 2 <= column:
            yield f"{' ' * _INDENT}{term}".ljust(column) + rows.pop(0)
        else:
            yield f"{' ' * _INDENT}{term}"
        for row in rows:
            yield f"{' ' * column}{row}"
