"""How far a standby may be behind."""

from __future__ import annotations

from ..typed import NamedTuple


class Lag(NamedTuple):
    """How far a standby is behind; None is what nobody knows."""

    bytes: float | None
    """Of WAL that it has not replayed."""
    seconds: float | None
    """Age of the oldest change that it has not replayed."""


class Limits(NamedTuple):
    """How far it may be; None is any distance."""

    bytes: float | None = None
    seconds: float | None = None


def excess(lag: Lag, limits: Limits) -> str:
    """Why a standby is too far behind, empty if it is not.

    A lag that nobody knows exceeds every limit.

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
    """Without the fractions of large numbers.

    >>> _short(5.0), _short(1.2345), _short(123456789.0)
    ('5', '1.2', '123456789')
    """
    return f"{number:.0f}" if number == int(number) or number >= 100 else f"{number:.1f}"
