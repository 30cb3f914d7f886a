"""The lag of standbys by the positions of all servers over time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lvsdr.postgres.lag import Limits
from lvsdr.postgres.lag_history import (
    LagHistory,
    Positions,
    add_positions,
    explain_lag,
    keep_hosts,
    parse_positions,
)

MAX_AGE = 3.0
BYTES = Limits(bytes=1000)
SECONDS = Limits(seconds=10)


def primary(written: int) -> Positions:
    return Positions(False, written, None, None)


def standby(replayed: int | None, received: int | None = None) -> Positions:
    return Positions(True, None, received, replayed)


def seen(
    answers: list[tuple[float, str, Positions]], limits: Limits, start: LagHistory | None = None
) -> LagHistory:
    """Return the history after these answers."""
    history = start or LagHistory()
    for at, host, positions in answers:
        history = add_positions(history, host, positions, at, limits, MAX_AGE)
    return history


def reasons(
    answers: list[tuple[float, str, Positions]], limits: Limits, host: str = "node2"
) -> list[str]:
    """Return the reason after each answer of the host."""
    history = LagHistory()
    found = []
    for at, name, positions in answers:
        history = add_positions(history, name, positions, at, limits, MAX_AGE)
        if name == host:
            found.append(explain_lag(history, host, limits))
    return found


def test_rows_of_a_primary_and_of_a_standby() -> None:
    assert parse_positions(["f", "7", None, None]) == primary(7)
    assert parse_positions(["t", None, "9", "8"]) == standby(8, 9)


@pytest.mark.parametrize("row", [["t", None, "9"], ["t", None, "9", "x"], []])
def test_another_row_is_an_error(row: list[str | None]) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_positions(row)


@pytest.mark.parametrize(
    ("replayed", "reason"),
    [
        (5000, ""),
        (4000, ""),
        (3999, "lags 1001 bytes behind, more than 1000"),
        (6000, ""),
        (None, ""),
    ],
)
def test_bytes_behind_the_primary(replayed: int | None, reason: str) -> None:
    answers = [(1.0, "node1", primary(5000)), (1.2, "node2", standby(replayed, 5000))]
    assert reasons(answers, BYTES) == [reason]


def test_bytes_behind_the_freshest_standby() -> None:
    answers = [(1.0, "node3", standby(100, 5000)), (1.2, "node2", standby(3000, 3500))]
    assert reasons(answers, BYTES) == ["lags 2000 bytes behind, more than 1000"]


def test_a_standby_lags_behind_the_wal_that_it_has_received() -> None:
    assert reasons([(1.0, "node2", standby(3000, 5000))], BYTES) != [""]


def test_the_primary_precedes_a_standby_that_is_ahead() -> None:
    """A standby of a lost primary may be ahead of the new one."""
    answers = [
        (1.0, "node3", standby(9000, 9000)),
        (1.1, "node1", primary(5000)),
        (1.2, "node2", standby(4900)),
    ]
    assert reasons(answers, BYTES) == [""]


def test_an_old_answer_of_the_primary_does_not_count() -> None:
    answers = [
        (1.0, "node1", primary(9000)),
        (1.0 + MAX_AGE + 0.1, "node2", standby(5000)),
    ]
    assert reasons(answers, BYTES) == [""]


def test_a_standby_comes_back_at_half_of_the_limit() -> None:
    positions = [4000, 3999, 4001, 4499, 4500, 4001, 3999]
    answers = [(1.0, "node1", primary(5000))]
    answers += [(1.0 + i / 10, "node2", standby(p)) for i, p in enumerate(positions)]
    assert reasons(answers, BYTES) == [
        "",
        "lags 1001 bytes behind, more than 1000",
        "lags 999 bytes behind, more than 500, half of the limit",
        "lags 501 bytes behind, more than 500, half of the limit",
        "",
        "",
        "lags 1001 bytes behind, more than 1000",
    ]


def test_a_host_that_was_behind_before_a_restart() -> None:
    start = LagHistory(behind=frozenset({"node2"}))
    answers = [(1.0, "node1", primary(5000)), (1.1, "node2", standby(4200))]
    assert explain_lag(seen(answers, BYTES, start), "node2", BYTES) != ""
    assert explain_lag(seen(answers, BYTES), "node2", BYTES) == ""
    for limits in (BYTES, SECONDS):
        assert seen([(1.0, "node2", standby(5))], limits, start).behind == frozenset()


def test_seconds_behind_grow_until_the_standby_replays() -> None:
    answers: list[tuple[float, str, Positions]] = []
    for second in range(14):
        answers.append((float(second), "node1", primary(1000 + second)))
        answers.append((second + 0.5, "node2", standby(1002)))
    answers += [(14.0, "node1", primary(1014)), (14.5, "node2", standby(1008))]
    answers += [(15.0, "node1", primary(1015)), (15.5, "node2", standby(1012))]
    found = reasons(answers, SECONDS)
    # Position 1003 was written by the third second.
    assert found[:13] == [""] * 13
    assert found[13:] == [
        "lags 10.5 seconds behind, more than 10",
        "lags 6 seconds behind, more than 5, half of the limit",
        "",
    ]


def test_an_idle_primary_is_no_lag() -> None:
    answers: list[tuple[float, str, Positions]] = []
    for second in range(100):
        answers.append((float(second), "node1", primary(1000)))
        answers.append((second + 0.5, "node2", standby(1000)))
    answers += [(100.0, "node1", primary(1001)), (100.5, "node2", standby(1000))]
    assert set(reasons(answers, SECONDS)) == {""}


def test_seconds_are_counted_from_the_begin_of_a_history_that_is_too_short() -> None:
    answers: list[tuple[float, str, Positions]] = []
    for second in range(12):
        answers.append((float(second), "node1", primary(5000)))
        answers.append((second + 0.5, "node2", standby(10)))
    assert [bool(reason) for reason in reasons(answers, SECONDS)] == [False] * 10 + [True] * 2


def test_the_history_is_bounded() -> None:
    history = LagHistory()
    for second in range(1000):
        history = add_positions(history, "node1", primary(second), second, SECONDS, MAX_AGE)
    assert len(history.samples) == 12
    often = [(i / 100, "node1", primary(i)) for i in range(5000)]
    assert len(seen(often, SECONDS).samples) <= 250
    assert len(seen(often, BYTES).samples) == 2


def test_hosts_that_leave_are_forgotten() -> None:
    answers = [(1.0, "node1", primary(5000)), (1.1, "node2", standby(1))]
    history = keep_hosts(seen(answers, BYTES), {"node1"})
    assert (set(history.latest), history.behind) == ({"node1"}, frozenset())


@given(
    st.lists(
        st.tuples(
            st.floats(0.01, 5), st.sampled_from(["node2", "node3", "node1"]), st.integers(0, 9)
        ),
        max_size=40,
    ),
    st.sampled_from([Limits(bytes=5), Limits(seconds=4)]),
)
def test_a_lag_is_never_overestimated(steps: list[tuple[float, str, int]], limits: Limits) -> None:
    """A simulated cluster has a known lag, and only one above the limit is reported."""
    now, written = 0.0, 0
    writes = [(0.0, 0)]
    replayed = {"node2": 0, "node3": 0}
    history = LagHistory()
    for pause, host, amount in steps:
        now += pause
        if host == "node1":
            written += amount
            writes.append((now, written))
            positions = primary(written)
        else:
            replayed[host] = min(written, replayed[host] + amount)
            positions = standby(replayed[host])
        history = add_positions(history, host, positions, now, limits, MAX_AGE)
        if host == "node1" or host in history.behind:
            continue
        reason = explain_lag(history, host, limits)
        oldest = next((at for at, end in writes if end > replayed[host]), now)
        if written - replayed[host] <= (limits.bytes or written) and now - oldest <= (
            limits.seconds or now
        ):
            assert reason == ""
