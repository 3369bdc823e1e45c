"""What Tor says that is wrong while it does not reach its network, without what tells where its bridges are.

It says so in two places: of a relay that it connects to by itself in the warnings of its bootstrap (control-spec,
BOOTSTRAP), of a plugin and of what that connects to only in its log.
"""

import re
from collections.abc import Sequence

from anonp2p import limits
from anonp2p.bridges.lines import Bridge

# How what it logs of bridges and plugins begins, and what of that only repeats something else.
_OURS = re.compile(
    r"Managed proxy |Client managed proxy |Proxy Client: |Can't use bridge |Not using bridge |Bridge at |"
    r"We were supposed to connect to bridge |Tried to fetch a descriptor directly from a bridge"
)
_REPEATS = re.compile(r"died in state|was spawned successfully, but")
_CAUSES = "method error"  # what a plugin says before it ends by itself
_ENDED = "terminated with status code"

_HUNG_UP = "DONE"  # what it says where a relay has closed a connection without a reason: that tells nobody anything

_NEEDLESS = re.compile(r" having PID [0-9]+| OR connection \([^\"]*\) with \S+ ID=\S+ RSA_ID=\S+")
_PLACE = re.compile(
    r"\[[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*\](?::[0-9]+)?"  # an address of IPv6
    r"|\b[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?::[0-9]+)?\b"  # one of IPv4
    r"|\$?\b[0-9A-Fa-f]{40}\b"  # a relay's fingerprint
    r"|(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{43}(?![A-Za-z0-9+/])"  # its Ed25519 identity
)
_HIDDEN = "…"
_SHORTEST = 4  # characters of an argument of a bridge that are looked for: less of it tells nothing


class Complaints:
    """The latest that a Tor has complained of. bridges: by which it enters the network.

    words: what it said, empty as long as it has said nothing. in_vain: whether nothing can come of waiting on.
    """

    def __init__(self, bridges: Sequence[Bridge] = ()) -> None:
        self.words = ""
        self.has_bridges = bool(bridges)
        self._ends = 0  # of plugins
        self._needs_one_plugin = len({bridge.transport for bridge in bridges}) == 1 and bool(bridges[0].transport)
        values = {part for bridge in bridges for word in bridge.words[1:] for part in (word, word.partition("=")[2])}
        self._secrets = sorted((value for value in values if len(value) >= _SHORTEST), key=len, reverse=True)

    @property
    def in_vain(self) -> bool:
        return self._needs_one_plugin and self._ends >= limits.PLUGIN_ENDS

    def forget(self) -> None:
        """It has got on: what it said was no obstacle."""
        self.words = ""
        self._ends = 0

    def hear_log(self, words: str) -> None:
        """A warning of its log; only what is about bridges and plugins counts."""
        if not _OURS.match(words) or _REPEATS.search(words):
            return
        if _ENDED in words:
            self._ends += 1
            if _CAUSES in self.words:
                return
        self.hear_warning(words)

    def hear_warning(self, words: str) -> None:
        """Why its bootstrap goes on no further."""
        if words == _HUNG_UP:
            return
        self.words = self.conceal(_NEEDLESS.sub("", words)).rstrip(".")

    def conceal(self, words: str) -> str:
        """Without what tells where a bridge is."""
        for secret in self._secrets:
            words = words.replace(secret, _HIDDEN)
        return _PLACE.sub(_HIDDEN, words)
