"""The man page, made of the table of what the command line takes. In the language of man(7), as all readers know it."""

from collections.abc import Iterable

from anonp2p import options

_ABOUT = """\
Whoever creates a room publishes an onion service from their own machine, and others join with the room's code, which is
that onion address. When the host leaves or its machine dies, another member goes on hosting. There is no server and no
account; rooms live in memory only.
"""
_FRONTENDS = """\
Without an action it opens the full screen, where /help and F1 say what can be typed. Where standard input or output is
no terminal, it reads lines and writes a line for each event.
"""
_STAYING = (
    """\
With create NAME --stay the program hosts a room until it gets a signal: then it leaves properly, and a member that can
goes on hosting the room. The systemd user unit anonp2p@.service does so for a room of the name behind the @. A room
lives in memory alone: to start the program again makes another one, with another code and nobody in it.
""",
    """\
While the unit runs, $XDG_RUNTIME_DIR/anonp2p-NAME has the code of its room in the file code, in the last line. What is
written to the file input is taken as a line that is typed: after echo /health >input the file health has the answer, a
moment later, which says whether others can join, whether what is said arrives, and how many are there. Nothing that is
said is kept.
""",
)
_ENVIRONMENT = "Each option that names a variable takes its default from it. For a switch, 0, no, false and off are no."
_FILES = (
    options.Explanation(
        "$XDG_STATE_HOME/anonp2p, or ~/.local/state/anonp2p",
        "what our own Tor keeps: its guards, and a cache of the network's state. Rooms leave nothing on the disk.",
    ),
)


def write_page(version: str) -> str:
    parts = [
        f'.TH ANONP2P 1 "" "anonp2p {_escaped(version)}" "User Commands"',
        *_section("NAME", f"anonp2p \\- {_escaped('anonymous group chat for the terminal, peer to peer over Tor')}"),
        *_section("SYNOPSIS", f".B anonp2p\n{_escaped(options.write_synopsis())}"),
        *_section("DESCRIPTION", "\n.PP\n".join(map(_escaped, (options.DESCRIPTION, _ABOUT, _FRONTENDS)))),
        *_terms((action.usage, action.meaning) for action in options.ACTIONS),
        *_section("OPTIONS"),
        *_terms((option.usage, f"{option.meaning} [{option.twin}]".removesuffix(" []")) for option in options.OPTIONS),
        *_section("A ROOM THAT STAYS", "\n.PP\n".join(map(_escaped, _STAYING))),
        *_section("ENVIRONMENT", _escaped(_ENVIRONMENT)),
        *_terms((one.term, one.meaning) for one in options.VARIABLES),
        *_section("FILES"),
        *_terms((one.term, one.meaning) for one in _FILES),
        *_section("EXIT STATUS"),
        *_terms((one.term, one.meaning) for one in options.EXIT_CODES),
        *_section("EXAMPLES"),
        *_terms((one.term, one.meaning) for one in options.EXAMPLES),
        *_section("SEE ALSO", ".BR tor (1)"),
    ]
    return "\n".join(parts) + "\n"


def _section(title: str, *rows: str) -> list[str]:
    return [f".SH {title}", *rows]


def _terms(terms: Iterable[tuple[str, str]]) -> list[str]:
    return [row for term, meaning in terms for row in (".TP", rf"\fB{_escaped(term)}\fR", _escaped(meaning))]


def _escaped(text: str) -> str:
    """A text as it is, in roff: a hyphen is one that can be copied, and no row begins with a request."""
    rows = text.replace("\\", r"\e").replace("-", r"\-").replace("~", r"\(ti").rstrip().split("\n")
    return "\n".join(rf"\&{row}" for row in rows)
