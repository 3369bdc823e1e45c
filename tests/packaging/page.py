"""The project's page on a package index: the README, as it can be read outside of the sources."""

import re

_PICTURE = re.compile(r"!\[[^\]]*\]\([^)]*\)\n\n?")
_LINK = re.compile(r"(?<!!)\[(?P<text>[^\]]+)\]\((?!https?:|#)(?P<path>[^)]+)\)")


def write_page(readme: str, source: str) -> str:
    """Without pictures, and with links into the sources, which are kept at this address."""
    return _LINK.sub(rf"[\g<text>]({source}/blob/main/\g<path>)", _PICTURE.sub("", readme))
