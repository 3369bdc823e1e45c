"""anonp2p: anonymous group chat for the terminal, peer to peer over Tor; and a library for bots (docs/BOTS.md).

Importing it starts nothing, and loads nothing before it is used.
"""

__version__ = "0.1.0"

TYPE_CHECKING = False  # type checkers know better; `typing` alone takes longer to load than this
if TYPE_CHECKING:
    from anonp2p import errors as errors
    from anonp2p.library import Event as Event
    from anonp2p.library import Message as Message
    from anonp2p.library import Receipt as Receipt
    from anonp2p.library import Room as Room
    from anonp2p.library import Tor as Tor
    from anonp2p.library import connect as connect
    from anonp2p.room.events import Person as Person

__all__ = ["Event", "Message", "Person", "Receipt", "Room", "Tor", "connect", "errors"]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(name)
    from importlib import import_module  # so that import rules do not take what is loaded later for what is loaded now

    if name == "errors":
        return import_module("anonp2p.errors")
    return getattr(import_module("anonp2p.library"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
