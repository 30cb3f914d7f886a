"""Values of PostgreSQL's answers: text, or None for NULL, which means "unknown" and stays None."""

from __future__ import annotations


def required(value: str | None) -> str:
    """Return the value; raise ValueError for NULL in a column that is never NULL."""
    if value is None:
        raise ValueError("NULL where there is always a value")
    return value


def optional_int(value: str | None) -> int | None:
    """Return the integer, or None for NULL.

    >>> optional_int("5"), optional_int("0"), optional_int(None)
    (5, 0, None)
    """
    return None if value is None else int(value)


def optional_seconds(value: str | None) -> float | None:
    """Return an elapsed time, at least 0, or None for NULL.

    A negative difference comes from two clocks that differ: the elapsed time is then near 0.

    >>> optional_seconds("1.5"), optional_seconds("-2"), optional_seconds(None)
    (1.5, 0.0, None)
    """
    return None if value is None else max(0.0, float(value))
