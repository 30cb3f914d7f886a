"""Limits of lag."""

from __future__ import annotations

import pytest
from lvsdr.postgres.lag import Lag, Limits, find_excess


@pytest.mark.parametrize(
    ("lag", "limits", "says"),
    [
        (Lag(None, None), Limits(), ""),
        (Lag(10**12, 10**6), Limits(), ""),
        (Lag(0, 0), Limits(0, 0), ""),
        (Lag(1000, 5), Limits(1000, 5), ""),
        (Lag(1001, 5), Limits(1000, 5), "lags 1001 bytes behind, more than 1000"),
        (Lag(1000, 5.26), Limits(1000, 5.2), "lags 5.3 seconds behind, more than 5.2"),
        (Lag(9e9, 9e9), Limits(seconds=0.5), "lags 9000000000 seconds behind, more than 0.5"),
        (Lag(None, 1), Limits(bytes=5), "lags an unknown number of bytes behind, 5 are allowed"),
        (Lag(1, None), Limits(5, 6), "lags an unknown number of seconds behind, 6 are allowed"),
        (Lag(1, None), Limits(bytes=5), ""),
    ],
)
def test_excess(lag: Lag, limits: Limits, says: str) -> None:
    assert find_excess(lag, limits) == says
