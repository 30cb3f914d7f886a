"""What a server says of itself, and whether it is to be read from."""

from __future__ import annotations

import pytest
from lvsdr.postgres.lag import Limits
from lvsdr.postgres.standby import Standby, standby, why_not

GOOD = Standby(in_recovery=True, receiving=True, to_replay=0, age=3600)
ALONE = GOOD._replace(receiving=False)
BOTH = Limits(bytes=1000, seconds=10)


@pytest.mark.parametrize(
    ("row", "read"),
    [
        (("t", "t", "0", "3600.0"), GOOD),
        (("t", "f", None, None), Standby(True, False, None, None)),
        (("f", "f", None, None), Standby(False, False, None, None)),
        (("t", "t", "123", "1e-05"), Standby(True, True, 123, 1e-05)),
    ],
)
def test_a_row_is_read(row: tuple[str | None, ...], read: Standby) -> None:
    assert standby(row) == read


@pytest.mark.parametrize(
    ("found", "limits"),
    [
        (GOOD, Limits()),
        (GOOD, BOTH),
        (GOOD, Limits(0, 0)),
        (GOOD._replace(to_replay=1000, age=10), BOTH),
        (GOOD._replace(to_replay=10**9, age=None), Limits()),
        (GOOD._replace(to_replay=10**9, age=1), Limits(seconds=10)),
        (GOOD._replace(age=None), BOTH),
        (ALONE, Limits()),
        (ALONE._replace(age=9), Limits(seconds=10)),
    ],
)
def test_who_is_fit(found: Standby, limits: Limits) -> None:
    assert why_not(found, limits) == ""


@pytest.mark.parametrize(
    ("found", "limits", "why"),
    [
        (GOOD._replace(in_recovery=False), Limits(), "is not in recovery: no standby, but a prim"),
        (GOOD._replace(to_replay=1001), BOTH, "lags 1001 bytes behind, more than 1000"),
        (GOOD._replace(to_replay=1), BOTH, "lags 3600 seconds behind, more than 10"),
        (GOOD._replace(to_replay=1, age=None), BOTH, "lags an unknown number of seconds behind"),
        (GOOD._replace(to_replay=None), BOTH, "lags an unknown number of bytes behind"),
        (ALONE, BOTH, "lags an unknown number of bytes behind, 1000 are allowed; it has no WAL"),
        (ALONE, Limits(seconds=10), "lags 3600 seconds behind, more than 10; it has no WAL rec"),
        (ALONE._replace(age=None), Limits(seconds=10), "lags an unknown number of seconds behind"),
    ],
)
def test_who_is_not(found: Standby, limits: Limits, why: str) -> None:
    assert why_not(found, limits).startswith(why)
