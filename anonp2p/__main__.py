"""`python -m anonp2p`, and the `anonp2p` that is installed."""

import sys

_NO_SECRETS = {"-h", "--help", "--version"}


def main() -> int:
    """Runs the program, in a Python that overwrites what it frees; returns its exit code."""
    if _NO_SECRETS.isdisjoint(sys.argv[1:]):
        from anonp2p import hardening

        hardening.restart_wiping()
    from anonp2p import cli  # not sooner: a restart would have it imported twice

    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
