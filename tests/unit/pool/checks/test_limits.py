"""The time limit of one call of a check."""

from __future__ import annotations

import pytest
from lvsdr.pool.checks.limits import Limits
from lvsdr.values.deadline import Deadline


@pytest.mark.parametrize(
    ("left", "configured", "rounds", "expected"),
    [
        (100.0, 10.0, 1, 10.0),
        (8.0, 10.0, 1, 10.0),  # the deadline ends the call
        (8.0, 10.0, 2, 4.0),  # several calls follow each other
        (100.0, 10.0, 2, 10.0),
    ],
)
def test_timeout(left: float, configured: float, rounds: int, expected: float) -> None:
    limits = Limits(Deadline.after(left), 5.0)
    assert limits.timeout(configured, rounds) == pytest.approx(expected, abs=0.1)
