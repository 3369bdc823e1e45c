"""`python -m anonp2p`, and the `anonp2p` that is installed."""

import gc
import os
import sys
import warnings

from anonp2p import hardening

_NO_SECRETS = {"-h", "--help", "--version"}


def main() -> int:
    """Runs the program, in a Python that overwrites freed memory; returns its exit code."""
    if _NO_SECRETS.isdisjoint(sys.argv[1:]):
        hardening.restart_wiping()
    gc.disable()  # until all is loaded (`cli.calm_collector`): nothing of that is garbage, and to look costs a seventh
    warnings.simplefilter("ignore")  # PYTHONWARNINGS=error would have those of libraries end us
    try:
        from anonp2p import process  # not sooner: a restart would have it imported twice

        process.fill_descriptors()
        process.allow_files()
        from anonp2p import cli
    except (MemoryError, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) else "too little memory"
        os.write(2, f"anonp2p: The program cannot be loaded ({reason}); ulimit -a lists its limits.\n".encode())
        return 1

    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
