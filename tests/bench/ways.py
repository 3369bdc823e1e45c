"""The program as it would be without second tries, for comparison: `WAYS` of dialling, of which a variable names one.

Otherwise it is run as `anonp2p` is.
"""

import math
import os
import sys
from typing import Final

from anonp2p import cli, limits

VARIABLE: Final = "BENCH_WAY"
_NO_TRIES: Final[dict[str, object]] = {
    "HEDGE_TRIES": 0,
    "DIAL_BESIDE": math.inf,  # seconds until the last one
    "ANSWER_SECONDS": limits.HANDSHAKE_SECONDS,
}  # beside a dial, nor soon again for an answer
_TOR_GIVES_UP: Final = 120.0  # seconds
WAYS: Final[dict[str, dict[str, object]]] = {
    "hedged": {},  # as it is
    "in turn": _NO_TRIES,  # one dial after the other, each given up for the next one after a while
    "tor": {**_NO_TRIES, "DIAL_TRIES": (_TOR_GIVES_UP,)},  # one dial, as long as Tor takes for it
}

if __name__ == "__main__":
    for name, value in WAYS[os.environ.pop(VARIABLE)].items():
        setattr(limits, name, value)
    sys.exit(cli.main())
