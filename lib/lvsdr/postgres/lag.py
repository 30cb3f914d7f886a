"""The lag of a standby, its limits, and the values of PostgreSQL's answers that it comes from.

A value is a text, or None for NULL, which means "unknown" and stays None.
"""

from __future__ import annotations

from ..values.light_typing import NamedTuple

_STEP = 0.2  # seconds between two queries of a standby
_TO_ANSWER = 0.5  # seconds reserved for the answer to the last query


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


def pause(apart: float, limits: Limits, left: float) -> float | None:
    """Return the delay before the next query, ``apart`` seconds after the first one, or None.

    Another query is useful until the allowed lag has passed, if it fits in the ``left`` seconds.

    >>> pause(0, Limits(seconds=30), left=8), pause(29.9, Limits(seconds=30), left=8)
    (0.2, None)
    """
    if limits.seconds is None:
        return None
    step = min(_STEP, limits.seconds / 4)
    return step if apart + step <= limits.seconds and step + _TO_ANSWER <= left else None


def excess(lag: Lag, limits: Limits) -> str:
    """Return why a standby is too far behind; an empty text if it is not.

    An unknown lag exceeds every limit.

    >>> excess(Lag(2000, None), Limits(bytes=1000))
    'lags 2000 bytes behind, more than 1000'
    >>> excess(Lag(2000, None), Limits(bytes=1000, seconds=5))
    'lags 2000 bytes behind, more than 1000'
    >>> excess(Lag(2000, None), Limits(bytes=2000, seconds=5))
    'lags an unknown number of seconds behind, 5 are allowed'
    """
    for unit, found, most in (
        ("bytes", lag.bytes, limits.bytes),
        ("seconds", lag.seconds, limits.seconds),
    ):
        if most is None:
            continue
        if found is None:
            return f"lags an unknown number of {unit} behind, {_short(most)} are allowed"
        if found > most:
            return f"lags {_short(found)} {unit} behind, more than {_short(most)}"
    return ""


def _short(number: float) -> str:
    """Format a number, without the fraction if it is large.

    >>> _short(5.0), _short(1.2345), _short(123456789.0)
    ('5', '1.2', '123456789')
    """
    return f"{number:.0f}" if number == int(number) or number >= 100 else f"{number:.1f}"


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
