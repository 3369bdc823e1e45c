"""`python -m anonp2p`."""

import sys

from anonp2p.cli import main

if __name__ == "__main__":
    sys.exit(main())
