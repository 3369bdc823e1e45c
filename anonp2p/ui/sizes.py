"""Sizes of files, rates and times, as people read them."""

_UNITS = ("kB", "MB", "GB")
_THOUSAND = 1000
_ROUNDED = 10  # of a unit: from here on without a decimal


def describe_size(size: int) -> str:
    """Bytes in the unit that suits them: `812 bytes`, `1.2 MB`, `48 MB`."""
    if size < _THOUSAND:
        return "1 byte" if size == 1 else f"{size} bytes"
    count = float(size)
    for unit in _UNITS:
        count /= _THOUSAND
        if round(count) < _THOUSAND or unit == _UNITS[-1]:
            break
    return f"{_written(count)} {unit}"


def _written(count: float) -> str:
    return f"{count:.1f}" if round(count, 1) < _ROUNDED else f"{count:.0f}"


def describe_rate(rate: int) -> str:
    """Bytes a second."""
    return f"{describe_size(rate)}/s"


def describe_left(left: int, rate: int) -> str:
    """The time that so many bytes take at so many a second, rounded up; empty where nothing moves."""
    if rate <= 0:
        return ""
    seconds = -(-left // rate)
    return f"{describe_span(seconds if seconds < 60 else -(-seconds // 60) * 60)} left"


def describe_span(seconds: int) -> str:
    """A time in its two largest units: `40 s`, `12 min`, `3 h 5 min`, `2 d 4 h`."""
    minutes, hours, days = (seconds // unit for unit in (60, 3_600, 86_400))
    if not minutes:
        return f"{seconds} s"
    if not hours:
        return f"{minutes} min"
    return f"{days} d {hours % 24} h" if days else f"{hours} h {minutes % 60} min"


def percent(done: int, size: int) -> int:
    """How much of it is there; 100 only if all of it is."""
    return 100 if done >= size else done * 100 // size
