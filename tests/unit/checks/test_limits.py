"""How long one call of a check may take."""

from __future__ import annotations

import pytest
from lvsdr.checks.limits import Limits
from lvsdr.deadline import Deadline


@pytest.mark.parametrize(
    ("left", "enough", "configured", "rounds", "expected"),
    [
        (100.0, 50.0, 10.0, 1, 10.0),  # time for all
        (8.0, 4.0, 10.0, 1, 7.6),  # the operation's timeout is the shorter one
        (8.0, 4.0, 10.0, 2, 3.8),  # and several calls follow each other
        (2.0, 4.0, 10.0, 1, 10.0),  # others took the time: the deadline will end the call
        (2.0, 4.0, 1.0, 1, 1.0),
        (8.0, 4.0, 10.0, 0, 7.6),
    ],
)
def test_timeout(
    left: float, enough: float, configured: float, rounds: int, expected: float
) -> None:
    limits = Limits(Deadline.after(left), enough)
    assert limits.timeout(configured, rounds) == pytest.approx(expected, abs=0.1)
