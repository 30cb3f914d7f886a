"""Active standbys according to the rows of pg_stat_replication."""

from __future__ import annotations

import pytest
from lvsdr.errors import SourceUnavailable
from lvsdr.postgres.lag import Lag, Limits
from lvsdr.postgres.primary import (
    STATEMENTS,
    Naming,
    Walsender,
    accept_any_host,
    build_cluster_naming,
    build_naming,
    choose_retry_delay,
    compute_lag,
    parse_walsenders,
    select_standbys,
)

PRIMARY = ("f", "monitor")
GOOD = Walsender("node2", "streaming", logical=False, replaying=True, flushed_lsn=9, replayed_lsn=9)
LATE = GOOD._replace(replayed_lsn=0, reply_lag=8, reply_age=1, age=3600)


def test_rows_are_read() -> None:
    rows = [
        ("node2", "streaming", "f", "t", "7", "5000", "4096", "1.5", "0.5", "60", "1e9"),
        ("pg_basebackup", "backup", "f", "f", "8", "5000", None, None, None, "60", "1e9"),
        ("old", "streaming", "f", "t", "8", None, "5", "-1", "-2", None, "1e9"),
        ("sub", "catchup", "t", "t", "9", "5000", "5000", "0", "0", "60", "1e9"),
        (None, "streaming", "f", "t", "10", "5000", "5001", None, "2e-06", "60", "1e9"),
    ]
    assert parse_walsenders(PRIMARY, rows) == [
        Walsender("node2", "streaming", False, True, 7, 5000, 4096, 1.5, 0.5, 60, 1e9),
        Walsender("pg_basebackup", "backup", False, False, 8, 5000, None, None, None, 60, 1e9),
        Walsender("old", "streaming", False, True, 8, None, 5, 0, 0, None, 1e9),
        Walsender("sub", "catchup", True, True, 9, 5000, 5000, 0, 0, 60, 1e9),
        Walsender("", "streaming", False, True, 10, 5000, 5001, None, 2e-06, 60, 1e9),
    ]


def test_there_are_as_many_statements_as_rows_to_read() -> None:
    assert len(STATEMENTS) == 2


def test_a_standby_is_not_queried() -> None:
    with pytest.raises(SourceUnavailable, match="a standby, not the primary"):
        parse_walsenders(("t", "monitor"), [])


def test_hidden_walsenders_give_no_result() -> None:
    hidden = ("node2", None, "f", "f", "7", "5000", None, None, None, None, "1e9")
    with pytest.raises(SourceUnavailable, match=r"GRANT pg_monitor TO alice$"):
        parse_walsenders(("f", "alice"), [hidden])


@pytest.mark.parametrize(
    ("walsender", "limits", "why"),
    [
        (GOOD._replace(state="catchup"), Limits(), "is in state catchup"),
        (GOOD._replace(state="backup"), Limits(), "is in state backup"),
        (GOOD._replace(logical=True), Limits(), "is a logical subscriber, not a standby"),
        (GOOD._replace(replaying=False), Limits(), "replays no WAL, so it is not a standby"),
        (LATE, Limits(8, 0), "lags 9 bytes behind, more than 8"),
        (LATE, Limits(9, 8), "lags 9 seconds behind, more than 8"),
        (GOOD._replace(name="node9"), Limits(), "matches no known host"),
        (GOOD._replace(name="a\nb"), Limits(), "matches no known host"),
    ],
)
def test_unfit_walsenders_are_omitted(walsender: Walsender, limits: Limits, why: str) -> None:
    found = select_standbys([[walsender]], build_naming(["node1", "node2"]), limits)
    assert found.names == []
    assert found.exclusions == [f"{walsender.name!a}: {why}"]


def test_standbys_that_are_all_strangers_are_no_empty_list() -> None:
    """Standbys without any known name are an error, because they may be serving now."""
    strangers = [GOOD._replace(name=name) for name in ("pg1", "pg 2")]
    with pytest.raises(
        SourceUnavailable, match=r"^the standbys 'pg1', 'pg 2' match no known host: set "
    ):
        select_standbys([strangers], build_cluster_naming(["node1"]), Limits()).require_name()


@pytest.mark.parametrize(
    "found",
    [
        [],
        [GOOD, GOOD._replace(name="pg1")],
        [LATE._replace(name="pg1")],
        [GOOD._replace(name="pg1", replaying=False)],
    ],
    ids=["nobody", "one is known", "too far behind anyway", "no standby anyway"],
)
def test_no_other_list_is_refused(found: list[Walsender]) -> None:
    select_standbys([found], build_cluster_naming(["node2"]), Limits(bytes=8)).require_name()


def test_one_good_walsender_is_enough() -> None:
    """One good walsender is enough; another one may be left of a broken connection."""
    stale = LATE._replace(flushed_lsn=10**9)
    seen = [stale, GOOD, GOOD, GOOD._replace(name="node1")]
    found = select_standbys([seen], accept_any_host, Limits(1000, 10))
    assert found.names == ["node2", "node1"]


@pytest.mark.parametrize(
    ("naming", "known"),
    [
        (build_naming(["node1", "node4", "fd77:0::1"]), ["node1", "node4", "fd77:0::1"]),
        (build_naming(["192.0.2.4"]), ["192.0.2.4"]),
        (build_cluster_naming(["Node1", "node2"]), ["Node1", "192.0.2.4", "fd77::1"]),
        (build_cluster_naming([]), ["192.0.2.4", "fd77::1"]),
        (accept_any_host, ["node1", "node4", "192.0.2.4", "fd77::1", "pg_receivewal"]),
    ],
    ids=["listed", "one listed", "members", "no members", "anybody"],
)
def test_names(naming: Naming, known: list[str]) -> None:
    names = ["node1", "node4", "192.0.2.4", "FD77::0:1", "walreceiver", "15/main", "", "-C"]
    found = select_standbys(
        [[GOOD._replace(name=name) for name in [*names, "pg_receivewal"]]], naming, Limits()
    )
    assert found.names == known


NEW = LATE._replace(reply_lag=None)


@pytest.mark.parametrize(
    ("first", "last", "found"),
    [
        (GOOD, GOOD, Lag(0, 0)),
        (LATE, LATE, Lag(9, 9)),
        (LATE, LATE._replace(age=11), Lag(9, 9)),
        (LATE, LATE._replace(age=10.9), Lag(9, None)),
        (NEW, NEW, Lag(9, None)),
        (LATE, LATE._replace(row_time=2, flushed_lsn=20, replayed_lsn=9), Lag(11, 2)),
        (NEW, NEW._replace(row_time=2, flushed_lsn=20, replayed_lsn=9), Lag(11, 2)),
        (LATE, LATE._replace(row_time=2, flushed_lsn=20, replayed_lsn=8), Lag(12, 9)),
        (GOOD, GOOD._replace(flushed_lsn=None), Lag(None, None)),
        (GOOD, GOOD._replace(replayed_lsn=None), Lag(None, None)),
        (LATE._replace(flushed_lsn=None), LATE._replace(row_time=2, replayed_lsn=8), Lag(1, 9)),
        (LATE, LATE._replace(reply_age=None), Lag(9, None)),
        (LATE, LATE._replace(age=None), Lag(9, None)),
    ],
)
def test_lag(first: Walsender, last: Walsender, found: Lag) -> None:
    assert compute_lag(first, last) == found


TEN = Limits(seconds=10)


@pytest.mark.parametrize(
    ("seen", "limits", "left", "pause"),
    [
        ([[]], TEN, 4, None),
        ([[GOOD]], TEN, 4, None),
        ([[LATE]], TEN, 4, None),
        ([[GOOD, LATE._replace(reply_age=30)]], TEN, 4, 0.2),
        ([[NEW]], TEN, 4, 0.2),
        ([[NEW]], TEN, 0.6, None),
        ([[NEW]], Limits(bytes=1), 4, None),
        ([[NEW], [NEW._replace(row_time=9.9)]], TEN, 4, None),
        ([[NEW], [NEW._replace(row_time=1, replayed_lsn=9)]], TEN, 4, None),
        ([[NEW], [NEW._replace(row_time=1, pid=5, flushed_lsn=10, replayed_lsn=9)]], TEN, 4, 0.2),
        ([[LATE._replace(reply_lag=11)]], TEN, 4, None),
        ([[NEW._replace(logical=True), NEW._replace(replaying=False)]], TEN, 4, None),
        ([[NEW._replace(state="catchup")]], TEN, 4, None),
    ],
)
def test_undecided_walsenders_are_sampled_again(
    seen: list[list[Walsender]], limits: Limits, left: float, pause: float | None
) -> None:
    """The next query follows a pause, or never comes if no standby may still come near enough."""
    assert choose_retry_delay(seen, limits, left) == pause


def test_the_last_look_counts() -> None:
    seen = [[GOOD, GOOD._replace(name="node1")], [NEW._replace(row_time=1, replayed_lsn=9), NEW]]
    found = select_standbys(seen, build_naming(["node1", "node2"]), TEN)
    assert found.names == ["node2"]
