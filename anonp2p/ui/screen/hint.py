"""A sentence above the input line."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, repr=False)
class Hint:
    """It is shown until the next key."""

    text: str
    style: str = "quiet"
