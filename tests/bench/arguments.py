"""What the arguments of scripts/bench may be: each of these reads one, and says what is wrong with it."""

import math
from argparse import ArgumentTypeError
from collections.abc import Callable, Collection


def count(least: int = 1) -> Callable[[str], int]:
    """A whole number that is not less."""

    def read(text: str) -> int:
        return int(_bounded(text, int, least, math.inf))

    return read


def number(least: float, most: float = math.inf) -> Callable[[str], float]:
    """A number that is neither less nor more."""

    def read(text: str) -> float:
        return _bounded(text, float, least, most)

    return read


def counts(least: int) -> Callable[[str], tuple[int, ...]]:
    """Whole numbers with commas between them, none of them less."""
    one = count(least)
    return lambda text: tuple(map(one, text.split(",")))


def some_of(names: Collection[str]) -> Callable[[str], list[str]]:
    """Some of these, with commas between them."""

    def read(text: str) -> list[str]:
        chosen = text.split(",")
        for name in chosen:
            if name not in names:
                raise ArgumentTypeError(f"{name!r} is none of {', '.join(names)}")
        return chosen

    return read


def columns_and_rows(text: str) -> tuple[int, int]:
    """Of a terminal, as in 120x40."""
    columns, _, rows = text.partition("x")
    return count()(columns), count()(rows)


def _bounded(text: str, kind: Callable[[str], float], least: float, most: float) -> float:
    try:
        value = kind(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no {'whole ' if kind is int else ''}number") from None
    if not least <= value <= most or math.isinf(value):
        bounds = f"at least {least:g}" if math.isinf(most) else f"from {least:g} to {most:g}"
        raise ArgumentTypeError(f"{text} is out of bounds: {bounds}")
    return value
