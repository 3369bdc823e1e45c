"""What the program needs of other packages: that they are there, new enough, and able to seal rooms.

Each is imported only when it is asked about: the first frame is there before the rest is loaded.
"""

import re
from importlib import import_module

from anonp2p import limits, process
from anonp2p.errors import CryptoMissing, PackageMissing


def require(*names: str) -> None:
    """Raises PackageMissing where one is missing or too old. It imports them, so only those that are needed next."""
    for name in names:
        needed, found = limits.VERSIONS[name], version_of(name)
        if not is_new_enough(found, needed):
            raise PackageMissing(name, spell(needed), found or "none")


def is_new_enough(found: str, needed: tuple[int, ...]) -> bool:
    """Whether a version is at least the one that is needed; an empty one never is."""
    return tuple(int(number) for number in re.findall(r"\d+", found)) >= needed


def spell(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def version_of(name: str) -> str:
    """The version of a package as it says itself, empty where it cannot be imported.

    importlib.metadata would know it without an import, but takes 20 ms to load, and may speak of another copy.
    """
    try:
        return str(import_module(name).__version__)
    except ImportError as error:
        if process.find_lack(error):
            raise
        return ""


def require_crypto() -> None:
    """Raises CryptoMissing where `cryptography` is too old to know how to seal, or was built without."""
    try:
        from cryptography.exceptions import UnsupportedAlgorithm

        try:
            from anonp2p.crypto import suite

            supported = suite.is_supported()
        except UnsupportedAlgorithm:
            supported = False
    except (ImportError, AttributeError) as error:
        if process.find_lack(error):
            raise
        supported = False
    if not supported:
        raise CryptoMissing(version_of("cryptography") or "none")
