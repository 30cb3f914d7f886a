"""The lag of a standby, its limits, and the values of PostgreSQL's answers that it comes from.

A value is a text, or None for NULL, which means "unknown" and stays None.
"""

from __future__ import annotations

from ..values.light_typing import NamedTuple

_STEP = 0.2  # seconds between two queries of a standby
_ANSWER_SECONDS = 0.5  # seconds reserved for the answer to the last query


class Lag(NamedTuple):
    """The lag of a standby; None is an unknown lag."""

    bytes: float | None
    """Bytes of WAL that it has not replayed."""
    seconds: float | None
    """Age of the oldest change that it has not replayed."""


class Limits(NamedTuple):
    """The allowed lag; None is any lag."""

    bytes: float | None = None
    seconds: float | None = None


def choose_delay(elapsed: float, limits: Limits, seconds_left: float) -> float | None:
    """Return the delay before the next query, ``elapsed`` seconds after the first one, or None.

    Another query is useful until the allowed lag has passed, if it fits in ``seconds_left``.

    >>> choose_delay(0, Limits(seconds=30), 8), choose_delay(29.9, Limits(seconds=30), 8)
    (0.2, None)
    """
    if limits.seconds is None:
        return None
    step = min(_STEP, limits.seconds / 4)
    return (
        step
        if elapsed + step <= limits.seconds and step + _ANSWER_SECONDS <= seconds_left
        else None
    )


def find_excess(lag: Lag, limits: Limits) -> str:
    """Return why a standby is too far behind; an empty text if it is not.

    An unknown lag exceeds every limit.

    >>> find_excess(Lag(2000, None), Limits(bytes=1000))
    'lags 2000 bytes behind, more than 1000'
    >>> find_excess(Lag(2000, None), Limits(bytes=1000, seconds=5))
    'lags 2000 bytes behind, more than 1000'
    >>> find_excess(Lag(2000, None), Limits(bytes=2000, seconds=5))
    'lags an unknown number of seconds behind, 5 are allowed'
    """
    for unit, value, limit in (
        ("bytes", lag.bytes, limits.bytes),
        ("seconds", lag.seconds, limits.seconds),
    ):
        if limit is None:
            continue
        if value is None:
            return f"lags an unknown number of {unit} behind, {_format_number(limit)} are allowed"
        if value > limit:
            return f"lags {_format_number(value)} {unit} behind, more than {_format_number(limit)}"
    return ""


def _format_number(number: float) -> str:
    """Format a number, without the fraction if it is large.

    >>> _format_number(5.0), _format_number(1.2345), _format_number(123456789.0)
    ('5', '1.2', '123456789')
    """
    return f"{number:.0f}" if number == int(number) or number >= 100 else f"{number:.1f}"


def require_value(value: str | None) -> str:
    """Return the value; raise ValueError for NULL in a column that is never NULL."""
    if value is None:
        raise ValueError("NULL where there is always a value")
    return value


def parse_int(value: str | None) -> int | None:
    """Return the integer, or None for NULL.

    >>> parse_int("5"), parse_int("0"), parse_int(None)
    (5, 0, None)
    """
    return None if value is None else int(value)


def parse_age(value: str | None) -> float | None:
    """Return an elapsed time, at least 0, or None for NULL.

    A negative difference comes from two clocks that differ: the elapsed time is then near 0.

    >>> parse_age("1.5"), parse_age("-2"), parse_age(None)
    (1.5, 0.0, None)
    """
    return None if value is None else max(0.0, float(value))
