"""The program with other limits: where a slow machine would trip one of its own that is not what a test is about.

`Peer(..., **other_limits(DIAL_TRIES=[100.0]))`. Otherwise it is run as `anonp2p` is.
"""

import json
import os
import sys
from typing import Any, Final

from anonp2p import limits

_VARIABLE: Final = "OTHER_LIMITS"


def other_limits(**values: object) -> dict[str, Any]:
    """What a Peer is given to run with these."""
    return {"module": __name__, "environment": {_VARIABLE: json.dumps(values)}}


if __name__ == "__main__":
    for name, value in json.loads(os.environ.pop(_VARIABLE)).items():
        assert hasattr(limits, name), name
        setattr(limits, name, value)
    from anonp2p import cli  # not sooner: some limits are made of others as it is loaded

    sys.exit(cli.main())
