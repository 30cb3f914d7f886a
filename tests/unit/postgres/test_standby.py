"""A server's report on itself, and the decision whether it may be read from."""

from __future__ import annotations

import pytest
from lvsdr.postgres.lag import Lag, Limits
from lvsdr.postgres.standby import (
    Standby,
    choose_retry_delay,
    compute_lag,
    find_flaw,
    parse_standby,
)

IDLE = Standby(
    True, True, False, received_lsn=5000, replayed_lsn=5000, transaction_age=3600, answer_time=100
)
ALONE = IDLE._replace(has_receiver=False, received_lsn=None)
STALLED = IDLE._replace(silent=True)
BOTH = Limits(bytes=1000, seconds=10)


def behind(size: int, age: float | None = 3600) -> Standby:
    """Return a standby ``size`` bytes behind a primary that writes a lot and commits nothing."""
    return IDLE._replace(received_lsn=5000 + size, transaction_age=age)


def later(seconds: float, replayed: int) -> Standby:
    return IDLE._replace(
        answer_time=100 + seconds,
        received_lsn=10**9,
        replayed_lsn=replayed,
        transaction_age=3600 + seconds,
    )


RESTARTED = IDLE._replace(transaction_age=None)  # no transaction was replayed since the restart


@pytest.mark.parametrize(
    ("row", "read"),
    [
        (("t", "t", "f", "5000", "4000", "5000", "3600.0", "100.0"), IDLE),
        (("t", "t", "f", "4000", "5000", "5000", "3600.0", "100.0"), IDLE),
        (("t", "t", None, None, "5000", "5000", "3600.0", "100.0"), IDLE),
        (("t", "t", None, "5000", None, "5000", "3600.0", "100.0"), IDLE),
        (("t", "t", "f", "5000", "5000", "5000", None, "100.0"), RESTARTED),
        (("t", "t", "f", "5000", None, "5000", None, "100.0"), RESTARTED),
        (("t", "t", "f", "5000", "5000", "5000", "-3", "100.0"), IDLE._replace(transaction_age=0)),
        (("t", "f", None, None, None, "5000", None, "100"), ALONE._replace(transaction_age=None)),
        (
            ("f", "f", None, None, None, None, None, "5"),
            Standby(False, False, False, None, None, None, 5),
        ),
        (
            ("t", "t", "t", "9223372036854775807", "1", "0", "1e-05", "1.5"),
            Standby(True, True, True, 2**63 - 1, 0, 1e-05, 1.5),
        ),
    ],
    ids=[
        "idle",
        "the primary has more",
        "no timeout of the receiver",
        "a role that may not see the receiver",
        "restarted",
        "a receiver without a message",
        "clocks that differ",
        "cut off since a restart",
        "primary",
        "large numbers",
    ],
)
def test_a_row_is_read(row: tuple[str | None, ...], read: Standby) -> None:
    assert parse_standby(row) == read


def test_an_answer_without_a_time_is_no_answer() -> None:
    with pytest.raises(ValueError, match="NULL"):
        parse_standby(("t", "t", "f", "5000", "5000", "5000", "1", None))


@pytest.mark.parametrize("limits", [Limits(bytes=1000), Limits(seconds=1), BOTH])
def test_a_restarted_standby_that_is_cut_off_does_not_know_its_lag(limits: Limits) -> None:
    cut_off = parse_standby(("t", "f", None, None, None, "5000", None, "100"))
    assert find_flaw([cut_off], limits).startswith("lags an unknown number of ")
    assert find_flaw([cut_off], Limits()) == ""


@pytest.mark.parametrize(
    ("found", "limits"),
    [
        (IDLE, Limits()),
        (IDLE, BOTH),
        (IDLE, Limits(0, 0)),
        (behind(1000, age=10), BOTH),
        (behind(-1000), BOTH),
        (behind(10**9, age=None), Limits()),
        (behind(10**9, age=1), Limits(seconds=10)),
        (IDLE._replace(transaction_age=None), BOTH),
        (ALONE, Limits()),
        (ALONE._replace(transaction_age=9), Limits(seconds=10)),
        (STALLED, Limits()),
        (STALLED._replace(transaction_age=9), Limits(seconds=10)),
    ],
)
def test_fit_standbys(found: Standby, limits: Limits) -> None:
    assert find_flaw([found], limits) == ""
    assert choose_retry_delay([found], limits, seconds_left=8) is None


@pytest.mark.parametrize(
    ("found", "limits", "why"),
    [
        (IDLE._replace(in_recovery=False), Limits(), "is not in recovery: a primary, not a"),
        (behind(1001), BOTH, "lags 1001 bytes behind, more than 1000"),
        (behind(1), BOTH, "lags 3600 seconds behind, more than 10"),
        (behind(1, age=None), BOTH, "lags an unknown number of seconds behind"),
        (IDLE._replace(received_lsn=None), BOTH, "lags an unknown number of bytes behind"),
        (ALONE, BOTH, "lags an unknown number of bytes behind, 1000 are allowed; it has no WAL"),
        (ALONE, Limits(seconds=10), "lags 3600 seconds behind, more than 10; it has no WAL rec"),
        (
            ALONE._replace(transaction_age=None),
            Limits(seconds=10),
            "lags an unknown number of seconds behind",
        ),
        (
            STALLED,
            Limits(seconds=10),
            "lags 3600 seconds behind, more than 10; it has no WAL receiver that receives messages",
        ),
    ],
)
def test_unfit_standbys(found: Standby, limits: Limits, why: str) -> None:
    assert find_flaw([found], limits).startswith(why)


@pytest.mark.parametrize(
    ("last", "found"),
    [
        (later(0.25, replayed=6000), Lag(10**9 - 6000, 0.25)),
        (later(9, replayed=7000), Lag(10**9 - 7000, 9)),
        (later(9, replayed=7000)._replace(transaction_age=2), Lag(10**9 - 7000, 2)),
        (later(9, replayed=7000)._replace(transaction_age=None), Lag(10**9 - 7000, 9)),
        (later(9, replayed=5999), Lag(10**9 - 5999, 3609)),
        (later(9, replayed=10**9), Lag(0, 0)),
        (later(9, replayed=7000)._replace(silent=True), Lag(None, 3609)),
    ],
)
def test_two_samples_are_combined(last: Standby, found: Lag) -> None:
    assert compute_lag(behind(1000), last) == found


@pytest.mark.parametrize(
    ("said", "limits", "left", "pause"),
    [
        ([behind(1)], Limits(seconds=10), 8, 0.2),
        ([behind(1, age=None)], Limits(seconds=10), 8, 0.2),
        ([behind(1)], Limits(bytes=1000, seconds=10), 8, 0.2),
        ([behind(1)], Limits(seconds=0.4), 8, 0.1),
        ([behind(1), later(9.7, 5000)], Limits(seconds=10), 8, 0.2),
        ([behind(1), later(9.9, 5000)], Limits(seconds=10), 8, None),
        ([behind(1), later(1, 5000)], Limits(seconds=10), 0.6, None),
        ([behind(1), later(1, 5001)], Limits(seconds=10), 8, None),
        ([behind(1)], Limits(bytes=10), 8, None),
        ([ALONE], Limits(seconds=10), 8, None),
        ([STALLED], Limits(seconds=10), 8, None),
        ([behind(1)._replace(in_recovery=False)], Limits(seconds=10), 8, None),
    ],
)
def test_undecided_standbys_are_queried_again(
    said: list[Standby], limits: Limits, left: float, pause: float | None
) -> None:
    """The next query follows a pause, or never comes if the standby cannot come near enough."""
    assert choose_retry_delay(said, limits, left) == pause
