"""Whether the packages that the program is made of are there, and can seal rooms."""

import platform

from anonp2p import limits, packages
from anonp2p.errors import CryptoMissing
from anonp2p.findings import Finding, FindingCode, find


def check_packages() -> list[Finding]:
    versions = [judge_package(name, packages.version_of(name), needed) for name, needed in limits.VERSIONS.items()]
    return [find("python", platform.python_version()), *versions, _try_to_seal()]


def judge_package(name: str, version: str, needed: tuple[int, ...]) -> Finding:
    """version: as the package says; empty where it cannot be imported."""
    wanted = packages.spell(needed)
    if not version:
        return find("package-missing", name, wanted)
    code: FindingCode = "package-fits" if packages.is_new_enough(version, needed) else "package-old"
    return find(code, name, version, wanted)


def _try_to_seal() -> Finding:
    """Seals something with the post-quantum KEM of rooms, and opens it."""
    try:
        packages.require_crypto()
    except CryptoMissing as error:
        return find("failed", error)
    return find("post-quantum", packages.version_of("cryptography"))
