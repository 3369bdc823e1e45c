"""The project's page on a package index: the README, as it can be read outside of the sources."""

import re

_PICTURE = re.compile(r"!\[[^\]]*\]\([^)]*\)\n\n?")
_LINK = re.compile(r"(?<!!)\[(?P<text>[^\]]+)\]\((?!https?:|#)(?P<path>[^)]+)\)")


def write_page(readme: str) -> str:
    """Without pictures, and with the names of files of the sources in place of links to them."""
    return _LINK.sub(r"\g<text>", _PICTURE.sub("", readme))
